//! The names this server answers to.
//!
//! A page that rebinds its own name to 127.0.0.1 still sends that name in `Host`; so a name that is not ours is
//! refused before anything else is looked at. The port is not compared: a forwarded port is a legitimate way in,
//! and a port never tells sites apart for DNS rebinding.

use std::sync::{Arc, PoisonError, RwLock};

/// The names every vault answers to.
pub const ALWAYS: [&str; 5] =
    ["localhost", "127.0.0.1", "[::1]", "host.docker.internal", "host.containers.internal"];

/// Those that never mean another machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The allowed names: the fixed ones, and the owner's, which a change of settings replaces while we serve.
#[derive(Clone, Debug)]
pub struct Hosts(Arc<RwLock<Vec<String>>>);

impl Hosts {
    /// The fixed names and the configured ones. An IPv6 address may come with or without its brackets.
    pub fn new(configured: &[String]) -> Self {
        Self(Arc::new(RwLock::new(bracketed(configured))))
    }

    /// Replaces the configured names.
    pub fn set(&self, configured: &[String]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = bracketed(configured);
    }

    /// Whether this `Host` value (or `:authority`) names us: one of the names, perhaps with a port.
    pub fn allow(&self, value: &str) -> bool {
        split_port(value).is_some_and(|host| self.is_ours(host))
    }

    /// Whether a TLS client may ask for this name. IP addresses never arrive in SNI (RFC 6066 section 3).
    pub fn allow_sni(&self, name: &str) -> bool {
        self.is_ours(name)
    }

    /// The fixed names come first: they need no lock, and nearly every request bears one.
    fn is_ours(&self, host: &str) -> bool {
        let same = |ours: &str| ours.eq_ignore_ascii_case(host);
        ALWAYS.into_iter().any(same)
            || self.0.read().unwrap_or_else(PoisonError::into_inner).iter().any(|ours| same(ours))
    }
}

fn bracketed(names: &[String]) -> Vec<String> {
    let one = |name: &String| match name.trim() {
        v6 if v6.contains(':') && !v6.starts_with('[') => format!("[{v6}]"),
        other => other.to_owned(),
    };
    names.iter().map(one).filter(|name| !name.is_empty()).collect()
}

/// Whether this `Host` value names this machine itself, with any port: what a page on loopback is opened by.
pub fn is_loopback(value: &str) -> bool {
    let ours = |host: &str| LOOPBACK.into_iter().any(|name| name.eq_ignore_ascii_case(host));
    split_port(value).is_some_and(ours)
}

/// The host of `host[:port]`, or nothing where the value is not of that form (userinfo included).
fn split_port(value: &str) -> Option<&str> {
    let end_of_host =
        if value.starts_with('[') { value.find(']')? + 1 } else { value.find(':').unwrap_or(value.len()) };
    let (host, rest) = value.split_at_checked(end_of_host)?;
    match rest.strip_prefix(':') {
        None if rest.is_empty() => Some(host),
        Some(port) if port.parse::<u16>().is_ok() && !port.starts_with('+') => Some(host),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ht7_only_our_names_with_any_port() {
        let hosts = Hosts::new(&["vault.internal".into(), "fd00::1".into()]);
        for good in [
            "localhost",
            "LOCALHOST:13100",
            "127.0.0.1:1",
            "[::1]:13100",
            "[::1]",
            "host.docker.internal:13100",
            "vault.internal:443",
            "[fd00::1]:13100",
        ] {
            assert!(hosts.allow(good), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "localhost.evil.example",
            "localhost.",
            "localhost:",
            "localhost:99999",
            "localhost:+1",
            "localhost:1:2",
            "user@localhost",
            "localhost/",
            "127.0.0.1.nip.io",
            "127.1",
            "0.0.0.0",
            "::1",
            "[::1",
            "[::1]x",
            "[::2]:13100",
            " localhost",
            "null",
        ] {
            assert!(!hosts.allow(bad), "{bad}");
        }
    }

    #[test]
    fn ht8_a_foreign_name_in_sni_is_not_ours() {
        let hosts = Hosts::new(&[]);
        assert!(hosts.allow_sni("localhost") && hosts.allow_sni("Host.Docker.Internal"));
        assert!(!hosts.allow_sni("evil.example"));
        hosts.set(&["vault.internal".into()]);
        assert!(hosts.allow_sni("vault.internal") && hosts.allow("vault.internal:1"));
        hosts.set(&[]);
        assert!(!hosts.allow("vault.internal"));
    }
}
