//! What the daemon does for the engine: the files of the TLS leaf are its business.

use hqv_crypto::ca::Leaf;
use hqv_model::Timestamp;

/// Implemented by the binary.
pub trait Hooks: Send + Sync {
    /// True where no leaf is there, where it lacks one of these names or another CA issued it, or where a
    /// third of its life is gone.
    fn leaf_due(&self, now: Timestamp, names: &[String], ca_der: &[u8]) -> bool;

    /// A new leaf and the CA's certificate, to be stored and served from now on.
    fn new_leaf(&self, ca_der: &[u8], leaf: Leaf);

    /// A new entry or ask waits for a person. `command` is the program that the owner set (`notify.command`); it
    /// gets the code as its one argument. Called outside the engine's mutex; must not wait for the program.
    fn notify(&self, command: Option<&str>, code: &str) {
        let _ = (command, code);
    }
}

/// For tests and tools without TLS.
pub struct NoHooks;

impl Hooks for NoHooks {
    fn leaf_due(&self, _: Timestamp, _: &[String], _: &[u8]) -> bool {
        false
    }
    fn new_leaf(&self, _: &[u8], _: Leaf) {}
}
