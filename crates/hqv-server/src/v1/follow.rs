//! `GET /v1/audit?follow=true`: the record as it grows, as server-sent events.
//!
//! One task per stream. It wakes when the record has grown, reads what is new outside the engine's mutex, and ends with an
//! `end` event when the vault is locked or its caller's credential ends. It holds keys to open records, so locking drops it
//! at once, wherever it stands: also while its client does not read.

use hqv_api::ErrorBody;
use hqv_api::sse::{END, KEEP_ALIVE, RECORD, event, position};
use hqv_engine::ops::audit_read::{AuditFilter, AuditRead, Followed, Records};
use hqv_engine::{Caller, Engine, RecordView};
use hqv_model::Error;
use http::StatusCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch;

use crate::answer::typed;
use crate::ask::{Ask, again};
use crate::body::Body;
use crate::errors::Answer;
use crate::v1::audit::record;

/// Events that may wait for a slow client; beyond that the stream waits for it.
const WAITING: usize = 64;
/// Records read at once.
const BATCH: usize = 500;
/// Silence after which a comment is sent, so that a dead client is noticed.
const SILENCE: Duration = Duration::from_secs(15);

/// Where a stream begins.
pub enum Begin {
    /// With what comes from now on, after so many of the newest.
    Now {
        /// How many of before.
        newest: Option<usize>,
    },
    /// Behind this line, for a stream that goes on.
    After(u64),
}

/// Starts a stream.
pub async fn follow(ask: Ask, filter: AuditFilter, begin: Begin) -> Answer {
    let engine = ask.shared.engine.clone();
    let (mut unlocked, mut stopping) = (engine.lock_events(), ask.shared.house.stopping());
    let grown = engine.record_events();
    // Before the operation records itself: the stream then begins with its own line, and nothing falls between.
    let (from, newest) = match begin {
        Begin::Now { newest } => (grown.borrow().saturating_add(1), newest),
        Begin::After(line) => (line.saturating_add(1), None),
    };
    let caller = again(&ask.caller);
    let records = Arc::new(engine.run(ask.caller, AuditRead { filter }).await?);
    let (send, receive) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let stream = Stream { engine, caller, records, grown, from, send: send.clone() };
        let end = tokio::select! {
            _ = unlocked.wait_for(|unlocked| !unlocked) => Error::locked(),
            _ = stopping.wait_for(|stopping| *stopping) => Error::unavailable("the daemon is stopping"),
            end = stream.run(newest) => end,
        };
        let body = serde_json::to_string(&ErrorBody::new(&end, None)).unwrap_or_default();
        let _ = tokio::time::timeout(SILENCE, send.send(event(END, None, &body))).await;
    });
    Ok(typed(StatusCode::OK, "text/event-stream", Body::events(receive)))
}

struct Stream {
    engine: Engine,
    caller: Caller,
    records: Arc<Records>,
    grown: watch::Receiver<u64>,
    from: u64,
    send: mpsc::Sender<String>,
}

impl Stream {
    /// Runs until it cannot go on, and says why.
    async fn run(mut self, newest: Option<usize>) -> Error {
        if let Some(count) = newest
            && let Err(end) = self.send_newest(count).await
        {
            return end;
        }
        if let Err(end) = self.put(position(self.from.saturating_sub(1))).await {
            return end;
        }
        let (records, from) = (Arc::clone(&self.records), self.from);
        let mut followed = match read(move || records.follow(from)).await {
            Ok(followed) => followed,
            Err(end) => return end,
        };
        loop {
            // Seen before reading: what comes while it reads wakes it again.
            self.grown.borrow_and_update();
            followed = match self.send_new(followed).await {
                Ok(followed) => followed,
                Err(end) => return end,
            };
            match tokio::time::timeout(SILENCE, self.grown.changed()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Error::unavailable("the daemon is stopping"),
                Err(_) => {
                    if let Err(end) = self.put(KEEP_ALIVE.to_owned()).await {
                        return end;
                    }
                }
            }
        }
    }

    async fn send_newest(&mut self, count: usize) -> Result<(), Error> {
        let (records, from) = (Arc::clone(&self.records), self.from);
        let page = read(move || records.last(count, Some(from))).await?;
        for view in page.records.into_iter().rev() {
            self.put_record(view).await?;
        }
        Ok(())
    }

    /// Sends what was written since, to its end.
    async fn send_new(&self, mut followed: Followed) -> Result<Followed, Error> {
        loop {
            // A credential that has ended ends the stream too.
            self.engine.holds(&self.caller)?;
            let (back, page) = read(move || {
                let page = followed.next(BATCH)?;
                Ok((followed, page))
            })
            .await?;
            followed = back;
            let (views, any) = page;
            if !any {
                return Ok(followed);
            }
            for view in views {
                self.put_record(view).await?;
            }
        }
    }

    async fn put_record(&self, view: RecordView) -> Result<(), Error> {
        let sequence = view.sequence;
        let json = serde_json::to_string(&record(view))
            .map_err(|e| Error::internal("a record has no form").cause(e))?;
        self.put(event(RECORD, Some(sequence), &json)).await
    }

    async fn put(&self, text: String) -> Result<(), Error> {
        self.send.send(text).await.map_err(|_| Error::unavailable("the client is gone"))
    }
}

/// Reading the record is work for a thread that may block.
async fn read<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| Error::internal("the record could not be read").cause(e))?
}
