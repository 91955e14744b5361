//! Calls about the record: read, follow, verify, checkpoint, key.

use std::time::Duration;

use hqv_api::{AuditCheckpoint, AuditKey, AuditPage, AuditQuery, AuditReport};
use http::Method;

use crate::client::{Client, success};
use crate::error::Result;
use crate::follow::Follow;
use crate::wire::{self, RawCall};

/// A record of millions of lines takes its time.
const VERIFY_WITHIN: Duration = Duration::from_secs(600);

impl Client {
    /// One page of records, the newest first.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn audit_read(&mut self, query: &AuditQuery) -> Result<AuditPage> {
        let query = AuditQuery { follow: false, ..query.clone() };
        let call = RawCall::new(Method::GET, format!("/v1/audit{}", query.to_query()));
        self.call(call.with_limit(64 << 20)).await
    }

    /// What comes from now on, on a connection of its own.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn audit_follow(&mut self, query: &AuditQuery) -> Result<Follow> {
        let query = AuditQuery { follow: true, ..query.clone() };
        let call = RawCall::new(Method::GET, format!("/v1/audit{}", query.to_query()));
        let (sender, answer) = self.stream(call).await?;
        if answer.status().is_success() {
            return Ok(Follow::new(sender, answer.into_body()));
        }
        let refused = success(wire::read(answer, 64 * 1024).await?);
        Err(refused.err().unwrap_or_else(|| crate::ClientError::connection("the stream did not open")))
    }

    /// Verifies the whole record.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn audit_verify(&mut self) -> Result<AuditReport> {
        self.call(RawCall::new(Method::POST, "/v1/audit:verify").with_deadline(VERIFY_WITHIN)).await
    }

    /// Makes a checkpoint to keep elsewhere.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn audit_checkpoint(&mut self) -> Result<AuditCheckpoint> {
        self.call(RawCall::new(Method::POST, "/v1/audit:checkpoint")).await
    }

    /// Numbers about the vault, in the text format of Prometheus.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn metrics(&mut self) -> Result<String> {
        let answer = success(self.send_raw(RawCall::new(Method::GET, "/v1/metrics")).await?)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The key that proves checkpoints.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn audit_key(&mut self) -> Result<AuditKey> {
        self.call(RawCall::new(Method::GET, "/v1/audit/public-key")).await
    }
}
