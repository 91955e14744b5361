//! The only place that reads the environment, the real clock and the real
//! random source, and that picks a storage backend.
#![allow(clippy::disallowed_methods)] // what the rest of the program must not call is called here

use std::sync::Arc;

use hqv_crypto::slot::KdfParams;
use hqv_engine::{Engine, Hooks, Parts};
use hqv_model::{Clock, Entropy, Timestamp};
use hqv_store_sqlite::{OpenOptions, SqliteShelf};
use zeroize::Zeroize;

use crate::cli::output::error::Failure;
use crate::daemon::options::Options;
use crate::settings::env::Env;
use crate::settings::paths::VaultDir;

/// The environment of this process, read once. Credentials are taken out of
/// it, so that nothing we start inherits them.
pub fn environment() -> Env {
    let mut env = Env::gather(|name| std::env::var_os(name), hqv_sys::process::take_env);
    if env.home.is_none() {
        env.home = hqv_sys::process::home_of_uid();
    }
    env
}

/// Where temporary directories are made.
pub fn temp_dir() -> std::path::PathBuf {
    std::env::temp_dir()
}

/// Where programs are looked for; for the shells of the tour.
pub fn search_path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into())
}

/// What a program that we run would inherit.
pub fn inherited() -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    std::env::vars_os().collect()
}

/// This program's version. Where debug assertions are on, a test of an upgrade
/// may give another.
pub fn version() -> String {
    let ours = env!("CARGO_PKG_VERSION");
    if cfg!(debug_assertions) {
        return std::env::var(TEST_VERSION).unwrap_or_else(|_| ours.to_owned());
    }
    ours.to_owned()
}

/// What a daemon that we start must know beside its options.
pub fn daemon_environment() -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
    let given = std::env::var_os(TEST_VERSION).filter(|_| cfg!(debug_assertions));
    given.map(|version| (TEST_VERSION.into(), version)).into_iter().collect()
}

const TEST_VERSION: &str = "HQ_VAULT_TEST_VERSION";

/// Whether a starter waits for this process to say that it is ready.
pub fn is_daemon_child() -> bool {
    std::env::var_os(hqv_sys::daemon::READY_FD).is_some()
}

/// The vault in `dir`: SQLite and the record beside it.
pub fn engine(dir: &VaultDir, options: &Options, hooks: Arc<dyn Hooks>) -> Result<Engine, Failure> {
    let shelf = SqliteShelf::open(&dir.db(), OpenOptions { create: true })
        .map_err(|e| Failure::from(e.to_error()))?;
    let engine = Engine::open(Parts {
        shelf: Arc::new(shelf),
        log_dir: dir.root().to_owned(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(|| Box::new(SystemEntropy::new())),
        kdf: KdfParams::DEFAULT,
        hooks,
        idle_minutes: options.idle_timeout.map(u64::from),
        extra_names: options.hostname.clone(),
        // A pin is of the vault's own CA, which the owner's certificate has nothing to do with.
        pin_tokens: options.tls_cert.is_none(),
    })?;
    Ok(engine)
}

/// The arguments of this process.
pub fn arguments() -> Vec<std::ffi::OsString> {
    std::env::args_os().collect()
}

/// The machine's clocks.
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(hqv_sys::clock::wall_millis())
    }

    fn boot(&self) -> std::time::Duration {
        hqv_sys::clock::boot()
    }
}

/// What time it is.
pub fn now() -> Timestamp {
    SystemClock.wall()
}

/// How many bytes are asked of the kernel at once: a nonce then costs a copy,
/// not a system call.
const POOL: usize = 512;

/// The kernel's random source, through a small pool whose used bytes are wiped.
pub struct SystemEntropy {
    pool: [u8; POOL],
    used: usize,
}

impl SystemEntropy {
    /// An empty pool.
    pub fn new() -> SystemEntropy {
        SystemEntropy { pool: [0; POOL], used: POOL }
    }

    /// Fills the pool. Without a random source nothing may be sealed, so the
    /// process ends: there is no answer that would be right.
    fn refill(&mut self) {
        if hqv_sys::random::fill(&mut self.pool).is_err() {
            eprintln!("hq-vault: the system gives no random bytes");
            std::process::abort();
        }
        self.used = 0;
    }
}

impl Entropy for SystemEntropy {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.used >= POOL {
                self.refill();
            }
            if let Some(fresh) = self.pool.get_mut(self.used) {
                *byte = *fresh;
                *fresh = 0;
            }
            self.used += 1;
        }
    }
}

impl Drop for SystemEntropy {
    fn drop(&mut self) {
        self.pool.zeroize();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn cr8_nothing_comes_twice_from_the_pool() {
        let mut entropy = SystemEntropy::new();
        let mut seen = HashSet::new();
        for _ in 0..10_000 {
            let mut nonce = [0u8; 24];
            entropy.fill(&mut nonce);
            assert!(seen.insert(nonce));
        }
        let mut long = vec![0u8; 5 * POOL];
        entropy.fill(&mut long);
        assert!(long.chunks(POOL).all(|c| c.iter().any(|b| *b != 0)));
    }
}
