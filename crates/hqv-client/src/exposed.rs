//! Calls about the exposure ledger: who had what, and the end of a family.

use hqv_api::{BurnQuery, ExposedPage, ExposedQuery, TokenBurnt};
use http::Method;
use std::time::Duration;

use crate::client::Client;
use crate::error::Result;
use crate::wire::RawCall;

/// The first question after an unlock may have a long record read again.
const WITHIN: Duration = Duration::from_secs(600);
/// Ten thousand lines with long paths.
const LIMIT: usize = 64 << 20;

impl Client {
    /// One page of the ledger.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn exposed(&mut self, query: &ExposedQuery) -> Result<ExposedPage> {
        let call = RawCall::new(Method::GET, format!("/v1/exposed{}", query.to_query()));
        self.call(call.with_limit(LIMIT).with_deadline(WITHIN)).await
    }

    /// All pages of it.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn exposed_all(&mut self, query: &ExposedQuery) -> Result<ExposedPage> {
        let mut all = self.exposed(query).await?;
        while let Some(cursor) = all.next.take() {
            let more = self.exposed(&ExposedQuery { cursor: Some(cursor), ..query.clone() }).await?;
            all.exposures.extend(more.exposures);
            all.next = more.next;
        }
        Ok(all)
    }

    /// Ends a family, marks what it had as exposed and says what is to be rotated; with `dry_run` only says so.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn token_burn(&mut self, who: &str, query: &BurnQuery) -> Result<TokenBurnt> {
        let target = format!("{}:burn{}", crate::tokens::one(who), query.to_query());
        self.call(RawCall::new(Method::POST, target).with_limit(LIMIT).with_deadline(WITHIN)).await
    }
}
