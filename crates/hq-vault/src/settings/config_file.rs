//! `config.toml`: port, looks, and whether commands start the daemon.
//!
//! The reader knows every key it may hold. A key that would weaken the vault is
//! refused by name with the command that sets it where it belongs, so that a
//! program that can write this file gains nothing by it.

use std::io::Read;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::cli::output::error::Failure;
use crate::settings::paths::shown;

/// Nothing that we read needs more.
const MAX_BYTES: u64 = 64 * 1024;

/// Settings of the vault, which stand sealed or signed in it.
pub const VAULT_KEYS: &[&str] = &[
    "idle-timeout",
    "session-timeout",
    "token.ttl",
    "token.scope",
    "bind",
    "hostnames",
    "audit.sync",
    "audit.mirror",
    "audit.retain",
    "audit.rotate-age",
    "audit.rotate-size",
    "entry.require",
    "notify.command",
    "remote-admin",
];

/// What the file says; None where it is silent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigFile {
    /// The port to listen on.
    pub port: Option<u16>,
    /// Whether commands start the daemon when none runs.
    pub autostart: Option<bool>,
    /// Whether to colour what goes to a terminal.
    pub color: Option<bool>,
    /// How many threads serve, 1 to 64.
    pub threads: Option<usize>,
    /// How a person is asked in tmux.
    pub tmux: Option<TmuxPrompt>,
}

/// Where a prompt stands in tmux.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TmuxPrompt {
    /// In a pop-up over the panes.
    Popup,
    /// In a pane below the one that asks.
    Split,
}

impl ConfigFile {
    /// Reads the file; a missing one says nothing.
    pub fn read(path: &Path) -> Result<ConfigFile, Failure> {
        // Looked at before it is opened: a FIFO would hang the open.
        let missing = |e: &std::io::Error| {
            matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
        };
        let unreadable = |e: &std::io::Error| Failure::io(format!("cannot read {}", shown(path)), e);
        match std::fs::metadata(path) {
            Ok(meta) if meta.is_file() => {}
            Ok(_) => {
                return Err(Failure::usage(format!("{} is not a file", shown(path))).hint("move it away"));
            }
            Err(e) if missing(&e) => return Ok(ConfigFile::default()),
            Err(e) => return Err(unreadable(&e)),
        }
        let file = std::fs::File::open(path).map_err(|e| unreadable(&e))?;
        let mut bytes = Vec::new();
        file.take(MAX_BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::io(format!("cannot read {}", shown(path)), &e))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(Failure::usage(format!("{} is over 64 KiB", shown(path)))
                .hint("it holds port, autostart, color, threads and tmux, nothing else"));
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => ConfigFile::parse(text, path),
            Err(e) => {
                let line = bytes.iter().take(e.valid_up_to()).filter(|b| **b == b'\n').count() + 1;
                Err(Failure::usage(format!("{} line {line}: not UTF-8", shown(path)))
                    .hint("save the file as UTF-8"))
            }
        }
    }

    fn parse(text: &str, path: &Path) -> Result<ConfigFile, Failure> {
        let table = DeTable::parse(text).map_err(|e| {
            let line = line_at(text, e.span().map_or(0, |s| s.start));
            // The parser's first line says what; the rest draws the source.
            let what = e.message().lines().next().unwrap_or("not TOML").to_owned();
            Failure::usage(format!("{} line {line}: {what}", shown(path))).hint("correct that line")
        })?;
        let mut found = ConfigFile::default();
        for (key, value) in table.get_ref() {
            let line = line_at(text, key.span().start);
            let name = key.get_ref().as_ref();
            found.take(name, value.get_ref()).map_err(|why| why.at(path, line))?;
        }
        Ok(found)
    }

    fn take(&mut self, key: &str, value: &DeValue<'_>) -> Result<(), Wrong> {
        match key {
            "port" => self.port = Some(number(key, value, 0, 65_535)? as u16),
            "threads" => self.threads = Some(number(key, value, 1, 64)? as usize),
            "autostart" => self.autostart = Some(truth(key, value)?),
            "color" => self.color = Some(truth(key, value)?),
            "tmux" => self.tmux = Some(tmux(value)?),
            _ => return Err(stranger(key, value)),
        }
        Ok(())
    }
}

/// What is wrong with one key.
struct Wrong {
    what: String,
    hint: String,
}

impl Wrong {
    fn at(self, path: &Path, line: usize) -> Failure {
        Failure::usage(format!("{} line {line}: {}", shown(path), self.what)).hint(self.hint)
    }
}

/// A key that we do not take: one of the vault's, or none that we know.
fn stranger(key: &str, value: &DeValue<'_>) -> Wrong {
    let full = match value {
        DeValue::Table(table) => match table.iter().next() {
            Some((inner, _)) => format!("{key}.{}", inner.get_ref()),
            None => key.to_owned(),
        },
        _ => key.to_owned(),
    };
    let shown = hqv_model::escape_controls(&full).into_owned();
    if VAULT_KEYS.contains(&full.as_str()) {
        return Wrong {
            what: format!("{shown} belongs to the vault, not to this file"),
            hint: format!("hq-vault config set {shown} VALUE"),
        };
    }
    Wrong {
        what: format!("unknown key {shown}"),
        hint: "known keys: port, autostart, color, threads, tmux".to_owned(),
    }
}

fn number(key: &str, value: &DeValue<'_>, low: i64, high: i64) -> Result<i64, Wrong> {
    let parsed = match value {
        DeValue::Integer(n) => i64::from_str_radix(n.as_str(), n.radix()).ok(),
        _ => None,
    };
    parsed.filter(|n| (low..=high).contains(n)).ok_or_else(|| Wrong {
        what: format!("{key} is not a number from {low} to {high}"),
        hint: format!("write {key} = {}", if key == "port" { "13100" } else { "2" }),
    })
}

fn truth(key: &str, value: &DeValue<'_>) -> Result<bool, Wrong> {
    match value {
        DeValue::Boolean(b) => Ok(*b),
        _ => Err(Wrong {
            what: format!("{key} is neither true nor false"),
            hint: format!("write {key} = true or {key} = false"),
        }),
    }
}

fn tmux(value: &DeValue<'_>) -> Result<TmuxPrompt, Wrong> {
    match value {
        DeValue::String(text) if text.as_ref() == "popup" => Ok(TmuxPrompt::Popup),
        DeValue::String(text) if text.as_ref() == "split" => Ok(TmuxPrompt::Split),
        _ => Err(Wrong {
            what: "tmux is neither \"popup\" nor \"split\"".to_owned(),
            hint: "write tmux = \"popup\" or tmux = \"split\"".to_owned(),
        }),
    }
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|b| *b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<ConfigFile, Failure> {
        ConfigFile::parse(text, Path::new("config.toml"))
    }

    #[test]
    fn a_full_file_is_read() {
        let found =
            parse("port = 0\nautostart = false\ncolor = true\nthreads = 0x4\ntmux = \"split\"\n").unwrap();
        assert_eq!(
            found,
            ConfigFile {
                port: Some(0),
                autostart: Some(false),
                color: Some(true),
                threads: Some(4),
                tmux: Some(TmuxPrompt::Split)
            }
        );
    }

    #[test]
    fn in5_an_unknown_key_is_named_with_its_line() {
        let failure = parse("port = 1\n\nprot = 2\n").unwrap_err();
        assert_eq!(failure.message(), "config.toml line 3: unknown key prot");
    }

    #[test]
    fn in5_a_key_of_the_vault_is_refused_by_name() {
        let failure = parse("idle-timeout = 0\n").unwrap_err();
        assert!(
            failure.message().contains("line 1: idle-timeout belongs to the vault"),
            "{}",
            failure.message()
        );
        assert_eq!(failure.hint_text(), Some("hq-vault config set idle-timeout VALUE"));
        let nested = parse("[audit]\nmirror = \"/tmp/x\"\n").unwrap_err();
        assert!(nested.message().contains("line 1: audit.mirror belongs"), "{}", nested.message());
    }

    #[test]
    fn in5_wrong_types_and_broken_lines_are_named() {
        assert!(parse("port = \"x\"\n").unwrap_err().message().contains("line 1: port is not a number"));
        assert!(parse("tmux = \"window\"\n").unwrap_err().message().contains("line 1: tmux is neither"));
        assert!(parse("port = 70000\n").unwrap_err().message().contains("65535"));
        assert!(parse("\nautostart = 1\n").unwrap_err().message().contains("line 2: autostart"));
        assert!(parse("port = 1\nport = 2\n").unwrap_err().message().contains("line 2"));
        assert!(parse("port = \n").unwrap_err().message().contains("line 1"));
    }

    #[test]
    fn in5_a_huge_or_binary_file_is_refused_without_being_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(100 << 20).unwrap();
        assert!(ConfigFile::read(&path).unwrap_err().message().contains("over 64 KiB"));
        std::fs::write(&path, b"port = 1\n\xff\n").unwrap();
        assert!(ConfigFile::read(&path).unwrap_err().message().contains("line 2: not UTF-8"));
    }
}
