//! Calls about tokens: create, list, show, self, revoke, freeze, thaw, renew, explain, tree.

use hqv_api::percent::encode_part;
use hqv_api::{
    ExplainQuery, JsonBody, TokenAnswer, TokenExplained, TokenList, TokenListQuery, TokenMetadata,
    TokenPlanned, TokenRenewRequest, TokenRenewed, TokenRequest, TokenRevoked, TokenSuspended, TokensSwept,
    WhoAmI,
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

    /// Says what a token would be, and makes none.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_plan(&mut self, request: &TokenRequest) -> Result<TokenPlanned> {
        self.call(RawCall::new(Method::POST, "/v1/tokens:plan").with_body(JsonBody::of(request))).await
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

    /// Removes rows of ended tokens, a bounded number at a time.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_sweep(&mut self) -> Result<TokensSwept> {
        self.call(RawCall::new(Method::POST, "/v1/tokens:sweep")).await
    }

    /// Suspends a token and its family.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_freeze(&mut self, who: &str) -> Result<TokenSuspended> {
        self.call(RawCall::new(Method::POST, format!("{}:freeze", one(who)))).await
    }

    /// Lets a frozen token and its family go on.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_thaw(&mut self, who: &str) -> Result<TokenSuspended> {
        self.call(RawCall::new(Method::POST, format!("{}:thaw", one(who)))).await
    }

    /// Gives a token a later end.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_renew(&mut self, who: &str, request: &TokenRenewRequest) -> Result<TokenRenewed> {
        let call = RawCall::new(Method::POST, format!("{}:renew", one(who)));
        self.call(call.with_body(JsonBody::of(request))).await
    }

    /// Asks whether a token may do something somewhere, and who decides.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_explain(&mut self, who: &str, query: &ExplainQuery) -> Result<TokenExplained> {
        self.call(RawCall::new(Method::GET, format!("{}/explain{}", one(who), query.to_query()))).await
    }

    /// A token and what descends from it; with `all` the ended ones too.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_tree(&mut self, who: &str, all: bool) -> Result<TokenList> {
        let query = TokenListQuery { all }.to_query();
        let call = RawCall::new(Method::GET, format!("{}/tree{query}", one(who)));
        self.call(call.with_limit(64 << 20)).await
    }
}

pub(crate) fn one(who: &str) -> String {
    format!("/v1/tokens/{}", encode_part(who))
}
