//! `doctor --fix` for a clock that once ran far ahead: ends all tokens, then takes the wall clock's word.
//!
//! Tokens must end first: their promise is that time never runs backwards for them.

use hqv_model::{Actor, Error, Need, OpKind, Timestamp, Verdict, decide};
use std::sync::Arc;

use crate::caller::Caller;
use crate::core::Phase;
use crate::engine::Engine;
use crate::family::{State, TokenEntry};
use crate::operation::{Operation, View};

/// Ends every token; the engine resets the time once that is durable.
struct EndAllTokens;

impl Operation for EndAllTokens {
    type Answer = u64;
    const KIND: OpKind = OpKind::ClockReset;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<u64, Error> {
        let tokens = &view.open.tokens;
        let live = |e: &&Arc<TokenEntry>| e.state != State::Revoked;
        let all: Vec<Arc<TokenEntry>> = tokens.all(view.staged).filter(live).cloned().collect();
        for entry in &all {
            let mut next = (**entry).clone();
            next.state = State::Revoked;
            view.open.tokens.by_id.stage(next.facts.id, Some(Arc::new(next)));
        }
        view.detail = Some(format!("{} tokens ended", all.len()));
        Ok(all.len() as u64)
    }
}

impl Engine {
    /// Ends all tokens and resets vault time to the wall clock. Answers how many ended, and the new time.
    ///
    /// # Errors
    /// As for any of the owner's operations.
    pub async fn clock_reset(&self, caller: Caller) -> Result<(u64, Timestamp), Error> {
        let ended = self.run(caller, EndAllTokens).await?;
        let now = {
            let mut core = self.shared.core();
            // One made since then has its end in a time that no longer counts.
            if let Phase::Open(open) = &mut core.phase {
                open.tokens.end_all();
            }
            core.time.reset();
            core.now()
        };
        self.flush();
        Ok((ended, now))
    }
}
