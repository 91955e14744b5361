//! The variables that we know, read once through a function that `compose`
//! gives, so that tests can give another.

use std::ffi::OsString;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::desk::Desk;

/// One variable for the documents: its name and what it means.
pub struct Known {
    /// The variable's name.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub meaning: &'static str,
}

/// Every variable that the command line obeys; the manual is made from it.
pub const KNOWN: &[Known] = &[
    Known { name: "HQ_VAULT_DIR", meaning: "the vault directory, an absolute path" },
    Known { name: "HQ_VAULT_URL", meaning: "the server: https://host:port or unix:/path" },
    Known { name: "HQ_VAULT_TOKEN", meaning: "act with this token" },
    Known { name: "HQ_VAULT_TOKEN_FILE", meaning: "act with the token in this file" },
    Known { name: "HQ_VAULT_SESSION", meaning: "act as the owner, with a session from unlock --raw" },
    Known { name: "HQ_VAULT_PASSPHRASE_FILE", meaning: "read instead of asking; nobody else may read it" },
    Known { name: "HQ_VAULT_CACERT", meaning: "trust this CA certificate (PEM) on a remote server" },
    Known { name: "HQ_VAULT_FINGERPRINT", meaning: "trust the CA with this SHA-256 on a remote server" },
    Known { name: "HQ_VAULT_AUTOSTART", meaning: "0 keeps commands from starting the daemon" },
    Known { name: "BROWSER", meaning: "the program that opens the page of an entry" },
    Known { name: "HTTPS_PROXY", meaning: "a proxy for a remote server, never for loopback" },
    Known { name: "NO_PROXY", meaning: "hosts that need no proxy" },
    Known { name: "NO_COLOR", meaning: "write no colours" },
];

/// The environment as it was when the process began.
#[derive(Default)]
pub struct Env {
    /// `HQ_VAULT_DIR`.
    pub vault_dir: Option<OsString>,
    /// `HQ_VAULT_URL`.
    pub url: Option<OsString>,
    /// `HQ_VAULT_TOKEN`.
    pub token: Option<Zeroizing<String>>,
    /// `HQ_VAULT_TOKEN_FILE`.
    pub token_file: Option<PathBuf>,
    /// `HQ_VAULT_SESSION`.
    pub session: Option<Zeroizing<String>>,
    /// `HQ_VAULT_PASSPHRASE_FILE`.
    pub passphrase_file: Option<PathBuf>,
    /// `HQ_VAULT_CACERT`.
    pub cacert: Option<PathBuf>,
    /// `HQ_VAULT_FINGERPRINT`.
    pub fingerprint: Option<String>,
    /// `HQ_VAULT_AUTOSTART`.
    pub autostart: Option<String>,
    /// `HTTPS_PROXY` or `https_proxy`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY` or `no_proxy`.
    pub no_proxy: Option<String>,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `TERM` is `dumb`.
    pub dumb_terminal: bool,
    /// `HOME`, or the home directory of the uid where that is unset.
    pub home: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub runtime_dir: Option<PathBuf>,
    /// `SHELL`, for the hint that names it.
    pub shell: Option<String>,
    /// `HQ_VAULT_SESSION` was given by shell-init's function for this one command.
    pub session_for_once: bool,
    /// `LD_PRELOAD` is set; for `doctor`.
    pub preload: bool,
    /// Where a person could be asked.
    pub desk: Desk,
}

impl Env {
    /// Reads every variable once. `get` gives the value of a name; `take` does
    /// so too and removes it, for those that hold a credential.
    pub fn gather(get: impl Fn(&str) -> Option<OsString>, take: impl Fn(&str) -> Option<OsString>) -> Env {
        let text = |name: &str| get(name).map(|v| v.to_string_lossy().into_owned());
        let either = |a: &str, b: &str| text(a).or_else(|| text(b)).filter(|v| !v.is_empty());
        let file = |name: &str| get(name).map(PathBuf::from);
        Env {
            vault_dir: get("HQ_VAULT_DIR"),
            url: get("HQ_VAULT_URL"),
            token: take("HQ_VAULT_TOKEN").map(credential_text),
            token_file: file("HQ_VAULT_TOKEN_FILE"),
            session: take("HQ_VAULT_SESSION").map(credential_text),
            passphrase_file: file("HQ_VAULT_PASSPHRASE_FILE"),
            cacert: file("HQ_VAULT_CACERT").filter(|p| !p.as_os_str().is_empty()),
            fingerprint: text("HQ_VAULT_FINGERPRINT").filter(|v| !v.is_empty()),
            autostart: text("HQ_VAULT_AUTOSTART"),
            https_proxy: either("HTTPS_PROXY", "https_proxy"),
            no_proxy: either("NO_PROXY", "no_proxy"),
            no_color: get("NO_COLOR").is_some_and(|v| !v.is_empty()),
            dumb_terminal: get("TERM").is_some_and(|v| v == "dumb"),
            home: get("HOME").map(PathBuf::from).filter(|p| p.is_absolute()),
            runtime_dir: get("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|p| p.is_absolute()),
            shell: text("SHELL"),
            session_for_once: get("HQ_VAULT_SESSION_ONCE").is_some(),
            preload: get("LD_PRELOAD").is_some_and(|v| !v.is_empty()),
            desk: Desk::gather(&get),
        }
    }
}

/// A credential that is not UTF-8 cannot be one; it is kept as something that
/// the parser refuses, without its bytes.
fn credential_text(raw: OsString) -> Zeroizing<String> {
    match raw.into_string() {
        Ok(text) => Zeroizing::new(text),
        Err(raw) => {
            drop(Zeroizing::new(raw.into_encoded_bytes()));
            Zeroizing::new("\u{fffd}".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::ffi::OsStringExt;

    #[test]
    fn in7_values_that_are_not_utf8_do_not_end_the_process() {
        let env = Env::gather(|_| None, |_| Some(OsString::from_vec(vec![0xff, 0xfe])));
        assert_eq!(env.token.unwrap().as_str(), "\u{fffd}");
    }

    #[test]
    fn an_empty_no_color_is_no_wish() {
        let env = Env::gather(|n| (n == "NO_COLOR").then(OsString::new), |_| None);
        assert!(!env.no_color);
    }
}
