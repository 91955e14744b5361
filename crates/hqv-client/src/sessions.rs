//! Calls about the owner's sessions.

use hqv_api::percent::encode_part;
use hqv_api::{Done, JsonBody, SessionAnswer, SessionList, SessionRequest, WireSecret};
use hqv_model::SecretText;
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::wire::RawCall;

impl Client {
    /// Opens a session with the passphrase; takes as long as the KDF does.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn session_create(&mut self, passphrase: &SecretText) -> Result<SessionAnswer> {
        let request = SessionRequest { passphrase: WireSecret::from_text(passphrase) };
        self.call(RawCall::new(Method::POST, "/v1/sessions").with_body(JsonBody::of(&request))).await
    }

    /// Lists the live sessions.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn session_list(&mut self) -> Result<SessionList> {
        self.call(RawCall::new(Method::GET, "/v1/sessions")).await
    }

    /// Ends one, by id; `self` is the one that asks.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn session_end(&mut self, id: &str) -> Result<Done> {
        self.call(RawCall::new(Method::DELETE, format!("/v1/sessions/{}", encode_part(id)))).await
    }

    /// Ends every session, the one that asks among them.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn session_end_all(&mut self) -> Result<Done> {
        self.call(RawCall::new(Method::DELETE, "/v1/sessions".to_owned())).await
    }
}
