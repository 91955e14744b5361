//! Calls about entries: ask for one, wait for it, enter or refuse its value.

use std::time::Duration;

use hqv_api::percent::encode_part;
use hqv_api::{
    Done, EntryAbout, EntryAnswer, EntryAnswerRequest, EntryList, EntryProof, EntryRequest, EntryState,
    EntryStored, JsonBody, WaitQuery, WireSecret,
};
use hqv_model::SecretText;
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::wire::RawCall;

/// What a poll may take beyond the time that it was asked to wait.
const SLACK: Duration = Duration::from_secs(15);

impl Client {
    /// Asks for an entry, or joins the same one that is open.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_create(&mut self, request: &EntryRequest) -> Result<EntryAnswer> {
        self.call(RawCall::new(Method::POST, "/v1/entries").with_body(JsonBody::of(request))).await
    }

    /// Entries that wait; the owner's alone.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_list(&mut self) -> Result<EntryList> {
        self.call(RawCall::new(Method::GET, "/v1/entries")).await
    }

    /// How an entry of the caller's stands. With `wait` (at most 60 s, rounded up to whole seconds) the answer comes when it is
    /// decided or that time is over.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_state(&mut self, id: &str, wait: Duration) -> Result<EntryState> {
        self.call(poll(format!("/v1/entries/{}", encode_part(id)), wait)).await
    }

    /// What its prompt shows: by the submit secret, or without one as the owner. `entry` is an id or a code.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_about(&mut self, entry: &str, submit: Option<&SecretText>) -> Result<EntryAbout> {
        self.call(action(entry, "about").with_body(proof(submit))).await
    }

    /// Stores its value. `entry` is an id or a code.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_answer(&mut self, entry: &str, request: &EntryAnswerRequest) -> Result<EntryStored> {
        self.call(action(entry, "answer").with_body(JsonBody::of(request))).await
    }

    /// Refuses it: by the submit secret, or without one as the owner. `entry` is an id or a code.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn entry_refuse(&mut self, entry: &str, submit: Option<&SecretText>) -> Result<Done> {
        self.call(action(entry, "refuse").with_body(proof(submit))).await
    }
}

fn action(entry: &str, verb: &str) -> RawCall {
    RawCall::new(Method::POST, format!("/v1/entries/{}:{verb}", encode_part(entry)))
}

fn proof(submit: Option<&SecretText>) -> JsonBody {
    JsonBody::of(&EntryProof { submit: submit.map(WireSecret::from_text) })
}

/// A long poll, with time to come back.
pub(crate) fn poll(target: String, wait: Duration) -> RawCall {
    // Rounded up: half a second asked for is a second, not an answer at once.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let query = WaitQuery { wait: (!wait.is_zero()).then_some(seconds) };
    RawCall::new(Method::GET, target + &query.to_query()).with_deadline(wait + SLACK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_has_time_to_come_back() {
        let call = poll("/v1/entries/e".into(), Duration::from_secs(30));
        assert_eq!(
            (call.target.as_str(), call.deadline),
            ("/v1/entries/e?wait=30", Some(Duration::from_secs(45)))
        );
        assert_eq!(poll("/v1/asks/a".into(), Duration::from_millis(1_001)).target, "/v1/asks/a?wait=2");
        assert_eq!(poll("/v1/asks/a".into(), Duration::ZERO).target, "/v1/asks/a");
    }
}
