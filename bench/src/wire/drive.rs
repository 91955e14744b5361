//! The loop: each connection has one request on its way, and gets the next as soon as the answer is whole.

use crate::Result;
use crate::stats::quantile;
use crate::wire::http::{Framed, frame};
use crate::wire::link::{Link, Place};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::time::{Duration, Instant};

/// A server that says nothing for so long ends the run.
const PATIENCE: Duration = Duration::from_secs(30);

/// What to ask. It gives the bytes of the next request, or `None` at the end.
pub trait Work {
    /// The next request.
    fn next(&mut self) -> Option<&[u8]>;
}

/// The same requests over and over, from a place that moves on between slices.
pub struct Rotation {
    requests: Vec<Vec<u8>>,
    at: usize,
}

impl Rotation {
    /// Over these.
    pub fn new(requests: Vec<Vec<u8>>) -> Self {
        Self { requests, at: 0 }
    }
}

impl Work for Rotation {
    fn next(&mut self) -> Option<&[u8]> {
        self.at = if self.at + 1 < self.requests.len() { self.at + 1 } else { 0 };
        self.requests.get(self.at).map(Vec::as_slice)
    }
}

/// Each request of an iterator once.
pub struct Once<I> {
    requests: I,
    now: Vec<u8>,
}

impl<I: Iterator<Item = Vec<u8>>> Once<I> {
    /// Over these.
    pub fn new(requests: I) -> Self {
        Self { requests, now: Vec::new() }
    }
}

impl<I: Iterator<Item = Vec<u8>>> Work for Once<I> {
    fn next(&mut self) -> Option<&[u8]> {
        self.now = self.requests.next()?;
        Some(&self.now)
    }
}

/// What a slice gave.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Answers, also those that came after the end of the slice.
    pub answers: u64,
    /// Answers a second within the slice.
    pub rate: f64,
    /// Median latency, microseconds.
    pub p50: f64,
    /// 99th percentile, microseconds.
    pub p99: f64,
}

struct Lane {
    link: Link,
    got: Vec<u8>,
    /// When the request on its way was sent.
    sent: Option<Instant>,
}

/// Some connections to one server.
pub struct Lanes {
    lanes: Vec<Lane>,
    latencies: Vec<u32>,
}

impl Lanes {
    /// Opens `count`.
    ///
    /// # Errors
    /// As [`Link::open`].
    pub fn open(place: &Place, count: usize) -> Result<Lanes> {
        let lane = || Ok(Lane { link: Link::open(place)?, got: Vec::with_capacity(4096), sent: None });
        let lanes = (0..count).map(|_| lane()).collect::<Result<_>>()?;
        Ok(Lanes { lanes, latencies: Vec::new() })
    }

    /// Asks as fast as it goes for `length`, then waits for what is still on its way.
    ///
    /// # Errors
    /// The network's; an answer that is not 2xx, with its text; silence.
    pub fn run(&mut self, work: &mut dyn Work, length: Duration) -> Result<Slice> {
        self.latencies.clear();
        let start = Instant::now();
        let end = start + length;
        let mut busy = 0;
        for lane in &mut self.lanes {
            busy += u64::from(lane.ask(work, start)?);
        }
        let (mut answers, mut within, mut last) = (0, 0, start);
        while busy > 0 {
            for at in self.ready()? {
                let Some(lane) = self.lanes.get_mut(at) else {
                    continue;
                };
                if !lane.take()? {
                    continue;
                }
                let now = Instant::now();
                answers += 1;
                busy -= 1;
                let sent = lane.sent.take().unwrap_or(now);
                if now <= end {
                    (within, last) = (within + 1, now);
                    self.latencies.push(u32::try_from((now - sent).as_nanos()).unwrap_or(u32::MAX));
                    busy += u64::from(lane.ask(work, now)?);
                }
            }
        }
        // Work that came to its end before the time counts until its last answer.
        let spent = if last + length / 20 < end { last - start } else { length };
        let rate = f64::from(within) / spent.as_secs_f64().max(1e-9);
        let mut us = |q| f64::from(quantile(&mut self.latencies, q)) / 1e3;
        let (p50, p99) = (us(0.5), us(0.99));
        Ok(Slice { answers, rate, p50, p99 })
    }

    fn ready(&mut self) -> Result<Vec<usize>> {
        let mut fds: Vec<PollFd<'_>> = self.lanes.iter().map(|lane| lane.link.interest()).collect();
        let wait = Timespec::try_from(PATIENCE)?;
        if poll(&mut fds, Some(&wait))? == 0 {
            return Err("the server has been silent for half a minute".into());
        }
        let some = |fd: &PollFd<'_>| fd.revents() != PollFlags::empty();
        Ok(fds.iter().enumerate().filter(|(_, fd)| some(fd)).map(|(at, _)| at).collect())
    }
}

impl Lane {
    /// Sends the next request. False at the end of the work.
    fn ask(&mut self, work: &mut dyn Work, now: Instant) -> Result<bool> {
        let Some(request) = work.next() else {
            return Ok(false);
        };
        self.sent = Some(now);
        self.link.send(request)?;
        Ok(true)
    }

    /// Takes what has come. True when an answer is whole; it is dropped.
    fn take(&mut self) -> Result<bool> {
        self.link.push()?;
        self.link.receive(&mut self.got)?;
        let Some(framed) = frame(&self.got) else {
            return Ok(false);
        };
        let answer = self.got.get(framed.body..framed.end).unwrap_or_default();
        if !(200..300).contains(&framed.status) {
            return Err(format!("answer {}: {}", framed.status, String::from_utf8_lossy(answer)).into());
        }
        self.got.drain(..framed.end);
        Ok(true)
    }
}

/// One request on a connection of its own: the whole answer, and where its parts are.
///
/// # Errors
/// The network's; an answer that is not 2xx, with its text.
pub fn once(place: &Place, request: &[u8]) -> Result<(Vec<u8>, Framed)> {
    let mut link = Link::open(place)?;
    let mut got = Vec::new();
    link.send(request)?;
    loop {
        poll(&mut [link.interest()], None)?;
        link.push()?;
        link.receive(&mut got)?;
        if let Some(framed) = frame(&got) {
            if !(200..300).contains(&framed.status) {
                let body = got.get(framed.body..).unwrap_or_default();
                return Err(format!("answer {}: {}", framed.status, String::from_utf8_lossy(body)).into());
            }
            return Ok((got, framed));
        }
    }
}
