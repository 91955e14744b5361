//! Calls about tokens: create, list, show, self, revoke.

use hqv_api::percent::encode_part;
use hqv_api::{
    JsonBody, TokenAnswer, TokenList, TokenListQuery, TokenMetadata, TokenRequest, TokenRevoked, WhoAmI,
};
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::wire::RawCall;

impl Client {
    /// Makes a token.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_create(&mut self, request: &TokenRequest) -> Result<TokenAnswer> {
        self.call(RawCall::new(Method::POST, "/v1/tokens").with_body(JsonBody::of(request))).await
    }

    /// Lists the tokens that the caller may see; with `all` the ended ones too.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_list(&mut self, all: bool) -> Result<TokenList> {
        let query = TokenListQuery { all }.to_query();
        let call = RawCall::new(Method::GET, format!("/v1/tokens{query}"));
        self.call(call.with_limit(64 << 20)).await
    }

    /// Shows one, by id, name or ancestry.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_show(&mut self, who: &str) -> Result<TokenMetadata> {
        self.call(RawCall::new(Method::GET, one(who))).await
    }

    /// Says who asks.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_self(&mut self) -> Result<WhoAmI> {
        self.call(RawCall::new(Method::GET, "/v1/tokens/self")).await
    }

    /// Ends a token and its family.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_revoke(&mut self, who: &str) -> Result<TokenRevoked> {
        self.call(RawCall::new(Method::DELETE, one(who))).await
    }

    /// Ends the token that asks, and its family with it.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_revoke_self(&mut self) -> Result<TokenRevoked> {
        self.call(RawCall::new(Method::DELETE, "/v1/tokens/self")).await
    }
}

fn one(who: &str) -> String {
    format!("/v1/tokens/{}", encode_part(who))
}
