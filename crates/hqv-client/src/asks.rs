//! Calls about asks: ask for a token, wait, collect it; see, approve and deny as the owner.

use std::time::Duration;

use hqv_api::percent::encode_part;
use hqv_api::{
    AskAnswer, AskApproveRequest, AskCollectRequest, AskList, AskRequest, AskState, Done, JsonBody,
    TokenAnswer, WireSecret,
};
use hqv_model::SecretText;
use http::Method;

use crate::client::Client;
use crate::entries::poll;
use crate::error::Result;
use crate::wire::RawCall;

impl Client {
    /// Asks for a token, or joins the same ask that is open.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_create(&mut self, request: &AskRequest) -> Result<AskAnswer> {
        self.call(RawCall::new(Method::POST, "/v1/asks").with_body(JsonBody::of(request))).await
    }

    /// Asks that wait, each with its exact grant; the owner's alone.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_list(&mut self) -> Result<AskList> {
        self.call(RawCall::new(Method::GET, "/v1/asks")).await
    }

    /// How an ask of the caller's stands. With `wait` (at most 60 s, whole seconds) the answer comes when it is
    /// decided or that time is over.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_state(&mut self, id: &str, wait: Duration) -> Result<AskState> {
        self.call(poll(format!("/v1/asks/{}", encode_part(id)), wait)).await
    }

    /// Collects the token of an approved ask, once.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_collect(&mut self, id: &str, claim: &SecretText) -> Result<TokenAnswer> {
        let request = AskCollectRequest { claim: WireSecret::from_text(claim) };
        self.call(action(id, "collect").with_body(JsonBody::of(&request))).await
    }

    /// Approves an ask as it was shown, or less of it. `ask` is an id or a code.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_approve(&mut self, ask: &str, request: &AskApproveRequest) -> Result<Done> {
        self.call(action(ask, "approve").with_body(JsonBody::of(request))).await
    }

    /// Denies an ask. `ask` is an id or a code.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn ask_deny(&mut self, ask: &str) -> Result<Done> {
        self.call(action(ask, "deny")).await
    }
}

fn action(ask: &str, verb: &str) -> RawCall {
    RawCall::new(Method::POST, format!("/v1/asks/{}:{verb}", encode_part(ask)))
}
