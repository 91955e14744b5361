//! Calls about the vault as a whole: health, status, init, unlock, lock, shutdown, settings.

use hqv_api::{
    ClockReset, Done, InitAnswer, InitRequest, JsonBody, SettingsAnswer, SettingsPatch, StatusAnswer,
    UnlockAnswer, UnlockRequest, VaultChecked, WireSecret,
};
use hqv_model::SecretText;
use http::Method;

use crate::client::Client;
use crate::error::Result;
use crate::wire::RawCall;

impl Client {
    /// Whether the vault is unlocked and its storage answers. `false` is 503, not an error.
    ///
    /// # Errors
    /// The connection's.
    pub async fn health(&mut self) -> Result<bool> {
        let answer = self.send_raw(RawCall::new(Method::GET, "/v1/health").with_limit(64 * 1024)).await?;
        Ok(answer.status == 200)
    }

    /// How vault and daemon stand.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn status(&mut self) -> Result<StatusAnswer> {
        self.call(RawCall::new(Method::GET, "/v1/status")).await
    }

    /// Makes the vault; on the socket only.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn init(&mut self, passphrase: &SecretText, weak: bool) -> Result<InitAnswer> {
        let request = InitRequest { passphrase: WireSecret::from_text(passphrase), weak };
        self.call(RawCall::new(Method::POST, "/v1/init").with_body(JsonBody::of(&request))).await
    }

    /// Unlocks with the passphrase; takes as long as the KDF does.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn unlock(&mut self, passphrase: &SecretText) -> Result<UnlockAnswer> {
        let passphrase = Some(WireSecret::from_text(passphrase));
        self.unlock_with(&UnlockRequest { passphrase, recovery_key: None }).await
    }

    /// Unlocks with the recovery key.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn unlock_recovery(&mut self, key: &SecretText) -> Result<UnlockAnswer> {
        let recovery_key = Some(WireSecret::from_text(key));
        self.unlock_with(&UnlockRequest { passphrase: None, recovery_key }).await
    }

    /// Locks: keys leave memory.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn lock(&mut self) -> Result<Done> {
        self.call(RawCall::new(Method::POST, "/v1/lock")).await
    }

    /// Stops the daemon.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn shutdown(&mut self) -> Result<Done> {
        self.call(RawCall::new(Method::POST, "/v1/shutdown")).await
    }

    /// All settings.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn settings_read(&mut self) -> Result<SettingsAnswer> {
        self.call(RawCall::new(Method::GET, "/v1/settings")).await
    }

    /// Changes settings; `None` puts a default back.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn settings_change(&mut self, patch: &SettingsPatch) -> Result<SettingsAnswer> {
        self.call(RawCall::new(Method::PATCH, "/v1/settings").with_body(JsonBody::of(patch))).await
    }

    /// Has every row of the store compared with the row state; for `doctor`.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn vault_check(&mut self) -> Result<VaultChecked> {
        self.call(RawCall::new(Method::POST, "/v1/vault:check")).await
    }

    /// Ends all tokens and takes vault time back to the wall clock's; for `doctor --fix`.
    ///
    /// # Errors
    /// The server's and the connection's.
    pub async fn clock_reset(&mut self) -> Result<ClockReset> {
        self.call(RawCall::new(Method::POST, "/v1/clock:reset")).await
    }

    async fn unlock_with(&mut self, request: &UnlockRequest) -> Result<UnlockAnswer> {
        self.call(RawCall::new(Method::POST, "/v1/unlock").with_body(JsonBody::of(request))).await
    }
}
