//! What the owner may set, with its limits.
//!
//! Two rows hold it: what a locked daemon must obey stands in clear and signed, the rest is sealed.

use crate::record_rules::{ROTATION, age, age_text, mirror, retain, retain_text, size, size_text};
use hqv_audit::mirror::Target;
use hqv_audit::{Retain, Rotation};
use hqv_model::{Error, Scope, Ttl};
use std::time::Duration;

/// The longest idle timeout: a week, in minutes.
pub const MAX_IDLE_MINUTES: u64 = 10_080;

/// The longest path of a program.
pub const MAX_COMMAND_BYTES: usize = 512;

/// The second line where a setting is refused.
pub(crate) const SHOW: &str = "hq-vault config show lists the settings with their values";

/// All settings of the vault.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Minutes without use until the vault locks itself; 0 never does.
    pub idle_minutes: u64,
    /// Minutes an idle session of the owner lives.
    pub session_minutes: u64,
    /// The life of a token that names none.
    pub token_ttl: Ttl,
    /// The scope of a token that names none.
    pub token_scope: Scope,
    /// Addresses to listen on besides loopback.
    pub bind: Vec<String>,
    /// Host names the leaf certificate and the Host check know besides the local ones.
    pub hostnames: Vec<String>,
    /// Every answer waits for a signed, fsynced checkpoint.
    pub audit_sync: bool,
    /// `unlock` and `sessions` are served over TCP too.
    pub remote_admin: bool,
    /// By which routes a value may come in through an entry.
    pub entry_require: EntryRequire,
    /// The program that is told the code of a new entry or ask: an absolute path.
    pub notify_command: Option<String>,
    /// When a file of the record is set aside.
    pub audit_rotate: Rotation,
    /// What of the record is kept.
    pub audit_retain: Retain,
    /// Where a plain copy of the record goes.
    pub audit_mirror: Option<Target>,
}

/// By which routes a value may come in through an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRequire {
    /// By a prompt, a page or the owner's `answer`.
    Any,
    /// By the owner's `answer` alone.
    Answer,
}

impl EntryRequire {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryRequire::Any => "any",
            EntryRequire::Answer => "answer",
        }
    }

    /// The one that is written so.
    pub fn parse(text: &str) -> Option<Self> {
        [EntryRequire::Any, EntryRequire::Answer].into_iter().find(|one| one.as_str() == text)
    }
}

impl Settings {
    /// What a new vault starts with.
    pub fn initial() -> Result<Self, Error> {
        Ok(Settings {
            idle_minutes: 30,
            session_minutes: 15,
            token_ttl: Ttl::parse("1h")?,
            token_scope: Scope::default_scope(),
            bind: Vec::new(),
            hostnames: Vec::new(),
            audit_sync: false,
            remote_admin: false,
            entry_require: EntryRequire::Any,
            notify_command: None,
            audit_rotate: ROTATION,
            audit_retain: Retain::All,
            audit_mirror: None,
        })
    }

    /// How long an idle session lives.
    pub fn session_idle(&self) -> Duration {
        Duration::from_secs(self.session_minutes.saturating_mul(60))
    }

    /// All keys with their values as text, in a fixed order.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        vec![
            ("idle-timeout", self.idle_minutes.to_string()),
            ("session-timeout", self.session_minutes.to_string()),
            ("token.ttl", hqv_model::format_duration(self.token_ttl.as_millis())),
            ("token.scope", self.token_scope.to_string()),
            ("bind", self.bind.join(",")),
            ("hostnames", self.hostnames.join(",")),
            ("audit.sync", self.audit_sync.to_string()),
            ("audit.rotate-size", size_text(self.audit_rotate.size)),
            ("audit.rotate-age", age_text(self.audit_rotate.age)),
            ("audit.retain", retain_text(self.audit_retain)),
            ("audit.mirror", self.audit_mirror.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("remote-admin", self.remote_admin.to_string()),
            ("entry.require", self.entry_require.as_str().to_owned()),
            ("notify.command", self.notify_command.clone().unwrap_or_default()),
        ]
    }

    /// Sets one from text. Refuses an unknown key and a value out of its limits; nothing is changed then.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        match key {
            "idle-timeout" => self.idle_minutes = minutes(value, 0, MAX_IDLE_MINUTES)?,
            "session-timeout" => self.session_minutes = minutes(value, 1, 1440)?,
            "token.ttl" => self.token_ttl = Ttl::parse(value)?,
            "token.scope" => self.token_scope = scope(value)?,
            "bind" => self.bind = list(value, address)?,
            "hostnames" => self.hostnames = list(value, host_name)?,
            "audit.sync" => self.audit_sync = truth(value)?,
            "audit.rotate-size" => self.audit_rotate.size = size(value)?,
            "audit.rotate-age" => self.audit_rotate.age = age(value)?,
            "audit.retain" => self.audit_retain = retain(value)?,
            "audit.mirror" => self.audit_mirror = mirror(value)?,
            "remote-admin" => self.remote_admin = truth(value)?,
            "entry.require" => self.entry_require = require(value)?,
            "notify.command" => self.notify_command = command(value)?,
            _ => return Err(unknown(key)),
        }
        Ok(())
    }

    /// Settings that make the vault weaker than it came, as sentences for `status`.
    pub fn weakenings(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.idle_minutes == 0 {
            all.push("never locks by itself (idle-timeout 0)".into());
        }
        if !self.bind.is_empty() {
            all.push(format!("listens on {} too (bind)", self.bind.join(", ")));
        }
        if self.remote_admin {
            all.push("unlock and sessions are served over TCP (remote-admin)".into());
        }
        if let Some(command) = &self.notify_command {
            all.push(format!("runs {command} when something waits for a person (notify.command)"));
        }
        if let Some(target) = &self.audit_mirror {
            all.push(format!("writes each record in plain to {target} too (audit.mirror)"));
        }
        if self.audit_retain != Retain::All {
            let kept = retain_text(self.audit_retain);
            all.push(format!("drops old files of the record (audit.retain {kept})"));
        }
        all
    }
}

fn unknown(key: &str) -> Error {
    let shown = hqv_model::escape_controls(key).chars().take(60).collect::<String>();
    Error::bad_request(format!("no setting is called {shown}")).hint(SHOW)
}

/// Whole minutes within limits; digits only.
pub fn minutes(value: &str, least: u64, most: u64) -> Result<u64, Error> {
    let digits = !value.is_empty() && value.len() <= 9 && value.bytes().all(|b| b.is_ascii_digit());
    match value.parse::<u64>() {
        Ok(n) if digits && (least..=most).contains(&n) => Ok(n),
        _ => Err(Error::bad_request(format!("a whole number of minutes from {least} to {most} is needed"))
            .hint(SHOW)),
    }
}

fn truth(value: &str) -> Result<bool, Error> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::bad_request("true or false is needed").hint(SHOW)),
    }
}

fn require(value: &str) -> Result<EntryRequire, Error> {
    EntryRequire::parse(value).ok_or_else(|| Error::bad_request("any or answer is needed").hint(SHOW))
}

/// Nothing, or a program by its absolute path; it is run as it stands, by no shell.
fn command(value: &str) -> Result<Option<String>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    if is_command(value) {
        return Ok(Some(value.to_owned()));
    }
    Err(Error::bad_request(format!(
        "a program's absolute path of at most {MAX_COMMAND_BYTES} bytes is needed, without arguments"
    ))
    .hint("for example /usr/local/bin/tell-me; empty for none"))
}

/// The absolute path of a program, in one line.
pub fn is_command(text: &str) -> bool {
    text.starts_with('/')
        && !text.ends_with('/')
        && text.len() <= MAX_COMMAND_BYTES
        && matches!(hqv_model::escape_controls(text), std::borrow::Cow::Borrowed(_))
}

fn scope(value: &str) -> Result<Scope, Error> {
    let rules: Vec<String> =
        value.split(';').map(|r| r.trim().to_owned()).filter(|r| !r.is_empty()).collect();
    Scope::parse_rules(&rules)
}

fn list(value: &str, check: fn(&str) -> bool) -> Result<Vec<String>, Error> {
    let all: Vec<String> = value.split(',').map(|s| s.trim().to_owned()).filter(|s| !s.is_empty()).collect();
    if all.len() > 16 {
        return Err(Error::bad_request("at most 16 entries").hint(SHOW));
    }
    match all.iter().find(|s| !check(s)) {
        Some(bad) => {
            let shown = hqv_model::escape_controls(bad).chars().take(80).collect::<String>();
            Err(Error::bad_request(format!("not usable here: {shown}")).hint(SHOW))
        }
        None => Ok(all),
    }
}

/// An IP address to bind.
pub fn address(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

/// A DNS name or an IP address, as a certificate can carry it.
pub fn host_name(text: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    address(text) || (text.len() <= 253 && text.split('.').all(label))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn in2_values_out_of_limits_change_nothing() {
        let mut s = Settings::initial().unwrap();
        for (key, bad) in [
            ("idle-timeout", "40000"),
            ("idle-timeout", "-1"),
            ("idle-timeout", "5x"),
            ("idle-timeout", ""),
            ("session-timeout", "0"),
            ("token.ttl", "91d"),
            ("token.scope", "fly on /"),
            ("bind", "here"),
            ("hostnames", "a..b"),
            ("audit.sync", "maybe"),
            ("audit.sync", "yes"),
            ("remote-admin", "on"),
            ("remote-admin", "no"),
            ("entry.require", "none"),
            ("entry.require", ""),
            ("notify.command", "notify-send"),
            ("notify.command", "/bin/"),
            ("notify.command", "/bin/a\nb"),
            ("notify.command", "/bin/\u{202e}a"),
            ("audit.rotate-size", "1"),
            ("audit.rotate-size", "2T"),
            ("audit.rotate-size", "-5M"),
            ("audit.rotate-age", "1m"),
            ("audit.rotate-age", "90000d"),
            ("audit.retain", ""),
            ("audit.retain", "1h"),
            ("audit.retain", "some"),
            ("audit.retain", "0 files"),
            ("audit.mirror", "/var/log/x"),
            ("audit.mirror", "file:x"),
            ("audit.mirror", "tcp:host:514"),
            ("audit.mirror", "file:/a\nb"),
            ("colour", "red"),
        ] {
            let before = s.clone();
            assert!(s.set(key, bad).is_err(), "{key}={bad}");
            assert_eq!(s, before);
        }
    }

    #[test]
    fn every_pair_can_be_set_back() {
        let mut s = Settings::initial().unwrap();
        s.set("hostnames", "vault.internal, 10.0.0.1").unwrap();
        s.set("entry.require", "answer").unwrap();
        s.set("notify.command", "/usr/bin/tell me").unwrap();
        for (key, value) in [("audit.rotate-size", "5M"), ("audit.rotate-age", "7d"), ("audit.retain", "90d")]
        {
            s.set(key, value).unwrap();
        }
        s.set("audit.mirror", "file:/var/log/vault.jsonl").unwrap();
        let mut t = Settings::initial().unwrap();
        for (key, value) in s.pairs() {
            t.set(key, &value).unwrap();
        }
        assert_eq!(s, t);
    }
}
