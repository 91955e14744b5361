//! What `serve` was started with, kept so that `--restart` can say it again.

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::cli::args::serve::Args;
use crate::cli::output::error::Failure;

/// Options of one start. None of them is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Options {
    /// `--port`.
    pub port: Option<u16>,
    /// `--bind`.
    pub bind: Vec<String>,
    /// `--hostname`.
    pub hostname: Vec<String>,
    /// `--tls-cert`, absolute.
    pub tls_cert: Option<PathBuf>,
    /// `--tls-key`, absolute.
    pub tls_key: Option<PathBuf>,
    /// `--idle-timeout`, minutes.
    pub idle_timeout: Option<u32>,
}

impl Options {
    /// Checks addresses and names, and makes paths absolute.
    pub fn of(args: &Args) -> Result<Options, Failure> {
        if let Some(bad) = args.bind.iter().find(|a| !hqv_engine::settings::address(a)) {
            return Err(Failure::usage(format!("--bind {bad}: an IP address is needed"))
                .hint("such as 10.0.0.7 or ::"));
        }
        if let Some(bad) = args.hostname.iter().find(|h| !hqv_engine::settings::host_name(h)) {
            return Err(Failure::usage(format!("--hostname {bad}: a DNS name is needed"))
                .hint("such as vault.internal"));
        }
        let absolute = |path: &Option<PathBuf>| match path {
            Some(path) => {
                std::path::absolute(path).map(Some).map_err(|e| Failure::io("cannot find that file", &e))
            }
            None => Ok(None),
        };
        Ok(Options {
            port: args.port,
            bind: args.bind.clone(),
            hostname: args.hostname.clone(),
            tls_cert: absolute(&args.tls_cert)?,
            tls_key: absolute(&args.tls_key)?,
            idle_timeout: args.idle_timeout,
        })
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        *self == Options::default()
    }

    /// These, and what they do not say from `others`.
    pub fn over(self, others: Options) -> Options {
        let either = |mine: Vec<String>, other: Vec<String>| if mine.is_empty() { other } else { mine };
        Options {
            port: self.port.or(others.port),
            bind: either(self.bind, others.bind),
            hostname: either(self.hostname, others.hostname),
            tls_cert: self.tls_cert.or(others.tls_cert),
            tls_key: self.tls_key.or(others.tls_key),
            idle_timeout: self.idle_timeout.or(others.idle_timeout),
        }
    }

    /// As words after `serve`.
    pub fn words(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = Vec::new();
        let mut add = |name: &str, value: OsString| words.extend([OsString::from(name), value]);
        if let Some(port) = self.port {
            add("--port", port.to_string().into());
        }
        for address in &self.bind {
            add("--bind", address.into());
        }
        for name in &self.hostname {
            add("--hostname", name.into());
        }
        if let Some(file) = &self.tls_cert {
            add("--tls-cert", file.into());
        }
        if let Some(file) = &self.tls_key {
            add("--tls-key", file.into());
        }
        if let Some(minutes) = self.idle_timeout {
            add("--idle-timeout", minutes.to_string().into());
        }
        words
    }

    /// Flags that make the vault weaker than its settings, for `status`.
    pub fn weakened(&self) -> Vec<String> {
        let mut all = Vec::new();
        if self.idle_timeout == Some(0) {
            all.push("never locks by itself (serve --idle-timeout 0)".to_owned());
        }
        if !self.bind.is_empty() {
            all.push(format!("listens on {} too (serve --bind)", self.bind.join(", ")));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    #[test]
    fn words_read_back_as_the_same_options() {
        let options = Options {
            port: Some(0),
            bind: vec!["10.0.0.7".into(), "::".into()],
            hostname: vec!["vault.internal".into()],
            tls_cert: Some("/c.pem".into()),
            tls_key: Some("/k.pem".into()),
            idle_timeout: Some(0),
        };
        let words = [OsString::from("hq-vault"), "serve".into()].into_iter().chain(options.words());
        let cli = crate::cli::args::Cli::try_parse_from(words).unwrap();
        let crate::cli::args::Command::Serve(args) = cli.command else { panic!("not serve") };
        assert_eq!(Options::of(&args).unwrap(), options);
    }

    #[test]
    fn what_is_given_now_stands_over_what_was() {
        let had = Options { port: Some(1), idle_timeout: Some(5), ..Options::default() };
        let given = Options { port: Some(2), ..Options::default() };
        assert_eq!(given.over(had), Options { port: Some(2), idle_timeout: Some(5), ..Options::default() });
    }
}
