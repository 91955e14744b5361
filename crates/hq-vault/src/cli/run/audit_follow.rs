//! `audit --tail`: the record as it grows.
//!
//! A stream that is cut (the network, a daemon that is started again) goes on behind the line that came last, so that
//! nothing is shown twice and nothing is left out. A lock ends it; after a restart it waits for the unlock.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use hqv_api::AuditQuery;
use hqv_client::{Client, ClientError};
use hqv_model::Code;

use crate::cli::args::audit::Read;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::run::audit::{PAGE, print, query};

/// Between two attempts to get through again.
const PAUSE: Duration = Duration::from_millis(500);
/// So many attempts without any answer, and the daemon counts as gone.
const ATTEMPTS: u32 = 20;

/// What is known across streams.
#[derive(Default)]
struct Tail {
    /// The newest record shown.
    shown: Cell<u64>,
    /// The line behind which a new stream begins.
    position: Cell<Option<u64>>,
    /// Whether a stream stood since the last attempt.
    stood: Cell<bool>,
    /// The output failed.
    trouble: RefCell<Option<Failure>>,
}

/// Runs until Ctrl-C, a lock, or a daemon that stays away.
pub fn run(ctx: &Context, args: &Read) -> Result<(), Failure> {
    let newest = args.limit.unwrap_or(10).min(PAGE) as u64;
    let first = AuditQuery { limit: Some(newest), ..query(&args.filters) };
    let link = Link::open(ctx)?;
    let tail = Tail::default();
    let mut silent = 0;
    let mut once = false;
    loop {
        let query = match tail.position.get() {
            Some(line) => AuditQuery { limit: None, after: Some(line), ..first.clone() },
            None => first.clone(),
        };
        let ended = ctx.ask_over(&link, async |client| tail.stream(ctx, client, &query, once).await);
        if let Some(failure) = tail.trouble.take() {
            return Err(failure);
        }
        let stood = tail.stood.replace(false);
        let waits_for_unlock = match ended {
            Ok(()) => false,
            Err(failure) if again(&failure, once, stood) => failure.is(Code::VaultLocked),
            Err(failure) => return Err(failure),
        };
        if stood && !once {
            ctx.out.say("waiting for the daemon");
        }
        once |= stood;
        link.never_start();
        silent = if stood || waits_for_unlock { 0 } else { silent + 1 };
        if silent >= ATTEMPTS {
            return Err(Failure::unreachable("the daemon has stopped")
                .hint("start it again: hq-vault serve --daemon"));
        }
    }
}

/// Whether the stream may come back: it was cut, or the daemon that came back is not unlocked yet.
fn again(failure: &Failure, once: bool, stood: bool) -> bool {
    let cut = failure.exit() == 6 || failure.is(Code::Unavailable);
    (once || stood) && (cut || (!stood && failure.is(Code::VaultLocked)))
}

impl Tail {
    async fn stream(
        &self,
        ctx: &Context,
        client: &mut Client,
        query: &AuditQuery,
        pause: bool,
    ) -> Result<(), ClientError> {
        if pause {
            tokio::time::sleep(PAUSE).await;
        }
        let mut stream = client.audit_follow(query).await?;
        self.stood.set(true);
        loop {
            let record = stream.next().await;
            self.position.set(stream.position().max(self.position.get()));
            let Some(record) = record? else {
                return Ok(());
            };
            if record.sequence > self.shown.get() {
                self.shown.set(record.sequence);
                if let Err(failure) = print(ctx, &record, true) {
                    self.trouble.replace(Some(failure));
                    return Ok(());
                }
            }
        }
    }
}
