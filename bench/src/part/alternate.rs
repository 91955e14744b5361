//! Contenders in turn, for the same time each, again and again: a noisy machine is noisy for all of them.

use crate::Result;
use crate::options::Options;
use crate::report::thousands;
use crate::stats::median;
use crate::subject::process::cpu_us;
use crate::wire::drive::{Lanes, Rotation, Slice, Work};
use crate::wire::link::Place;
use std::time::Duration;

/// A server and what it is asked.
pub struct Contender<W = Rotation> {
    pid: u32,
    lanes: Lanes,
    work: W,
    slices: Vec<Slice>,
    cpu: f64,
    load: f64,
}

impl<W: Work> Contender<W> {
    /// Connects.
    ///
    /// # Errors
    /// The network's.
    pub fn new(pid: u32, place: &Place, connections: usize, work: W) -> Result<Self> {
        let lanes = Lanes::open(place, connections)?;
        Ok(Self { pid, lanes, work, slices: Vec::new(), cpu: 0.0, load: 0.0 })
    }

    /// One slice that does not count.
    ///
    /// # Errors
    /// As [`Lanes::run`].
    pub fn warm(&mut self, length: Duration) -> Result<()> {
        self.lanes.run(&mut self.work, length).map(drop)
    }

    /// One slice; its rate.
    ///
    /// # Errors
    /// As [`Lanes::run`].
    pub fn slice(&mut self, length: Duration) -> Result<f64> {
        let me = std::process::id();
        let (server, load) = (cpu_us(self.pid)?, cpu_us(me)?);
        let slice = self.lanes.run(&mut self.work, length)?;
        self.cpu += cpu_us(self.pid)? - server;
        self.load += cpu_us(me)? - load;
        self.slices.push(slice);
        Ok(slice.rate)
    }

    /// What all slices gave.
    pub fn measured(&self) -> Measured {
        let of = |get: fn(&Slice) -> f64| self.slices.iter().map(get).collect::<Vec<_>>();
        let answers: u64 = self.slices.iter().map(|slice| slice.answers).sum();
        Measured {
            rates: of(|s| s.rate),
            p50: median(&of(|s| s.p50)),
            p99s: of(|s| s.p99),
            cpu: self.cpu / (answers as f64).max(1.0),
            load: self.load / (answers as f64).max(1.0),
        }
    }
}

/// The numbers of one contender.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Answers a second, slice by slice.
    pub rates: Vec<f64>,
    /// Median latency in microseconds, median over the slices.
    pub p50: f64,
    /// 99th percentile in microseconds, slice by slice.
    pub p99s: Vec<f64>,
    /// Processor time of the server a request, microseconds.
    pub cpu: f64,
    /// Processor time of the load itself a request, microseconds.
    pub load: f64,
}

impl Measured {
    /// The median of the ratios to the slices beside ours.
    pub fn rate_against(&self, other: &Measured) -> f64 {
        against(&self.rates, &other.rates)
    }

    /// The same of the 99th percentiles.
    pub fn p99_against(&self, other: &Measured) -> f64 {
        against(&self.p99s, &other.p99s)
    }

    /// `35,000/s, 22.1 us CPU, p50 220 us, p99 300 us`.
    pub fn words(&self) -> String {
        let (rate, p99) = (thousands(median(&self.rates)), median(&self.p99s));
        format!("{rate}/s, {:.1} us CPU, p50 {:.0} us, p99 {p99:.0} us", self.cpu, self.p50)
    }
}

/// The median of `mine[i] / others[i]`.
pub fn against(mine: &[f64], others: &[f64]) -> f64 {
    median(&mine.iter().zip(others).map(|(mine, other)| mine / other).collect::<Vec<_>>())
}

/// All contenders in turn, forwards in one round and backwards in the next.
///
/// # Errors
/// As [`Lanes::run`].
pub fn alternate(contenders: &mut [Contender], options: &Options) -> Result<Vec<Measured>> {
    for contender in contenders.iter_mut() {
        contender.warm(options.slice() / 3)?;
    }
    for round in 0..options.times(40) {
        let count = contenders.len();
        for turn in 0..count {
            let at = if round % 2 == 0 { turn } else { count - 1 - turn };
            if let Some(contender) = contenders.get_mut(at) {
                contender.slice(options.slice() / 4)?;
            }
        }
    }
    Ok(contenders.iter().map(Contender::measured).collect())
}
