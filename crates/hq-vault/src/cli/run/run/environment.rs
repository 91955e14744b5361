//! What the program is given: what we inherited without the vault's own variables, and the secrets.
//!
//! Secrets go from here into the block of the program alone, never into our own environment.

use std::ffi::{OsStr, OsString};

use hqv_engine::transfer::{self, Entry};
use hqv_model::SecretBytes;
use hqv_sys::process::{Kept, Program};

use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// The kernel takes no longer variable, name and final NUL included.
const LONGEST: usize = 128 << 10;
const OURS: &str = "HQ_VAULT_";
/// What a program needs beside the token to reach the vault that it is of.
const PLACES: [&str; 5] =
    ["HQ_VAULT_URL", "HQ_VAULT_DIR", "HQ_VAULT_CACERT", "HQ_VAULT_FINGERPRINT", "HQ_VAULT_TOKEN_FILE"];

/// Variables, wiped where they hold secrets.
pub(super) struct Environment {
    plain: Vec<(OsString, OsString)>,
    secret: Vec<(String, SecretBytes)>,
    token: Option<SecretBytes>,
}

impl Environment {
    /// What stood when we were started. With `pass_token` our token and where it is good.
    pub(super) fn inherited(ctx: &Context, pass_token: bool) -> Result<Environment, Failure> {
        let mut plain = crate::compose::inherited();
        let may = |name: &OsStr| pass_token && PLACES.iter().any(|place| name == *place);
        plain.retain(|(name, _)| !name.as_encoded_bytes().starts_with(OURS.as_bytes()) || may(name));
        let mut environment = Environment { plain, secret: Vec::new(), token: None };
        let ca = ctx.settings.dir.ca();
        let node = "NODE_EXTRA_CA_CERTS";
        // A directory that came with somebody's code vouches for nobody.
        let ours = !ctx.settings.vault_of_project;
        if ours && !environment.has(node) && ca.is_file() {
            environment.plain.push((node.into(), ca.into_os_string()));
        }
        if pass_token {
            environment.pass_token(ctx)?;
        }
        Ok(environment)
    }

    fn has(&self, name: &str) -> bool {
        self.plain.iter().any(|(there, _)| there == name)
    }

    fn pass_token(&mut self, ctx: &Context) -> Result<(), Failure> {
        if let Some(url) = &ctx.settings.flags.url {
            self.set("HQ_VAULT_URL", url.into());
        }
        if let Some(file) = &ctx.settings.flags.token_file {
            self.set("HQ_VAULT_TOKEN_FILE", file.into());
        } else if let Some(token) = &ctx.settings.env.token {
            self.token = Some(SecretBytes::from_slice(token.as_bytes()));
        } else if !self.has("HQ_VAULT_TOKEN_FILE") {
            return Err(Failure::usage("there is no token to pass on")
                .hint("set HQ_VAULT_TOKEN, or name a file with --token-file"));
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: OsString) {
        self.plain.retain(|(there, _)| there != name);
        self.plain.push((name.into(), value));
    }

    /// The token that is passed on: it is masked, too.
    pub(super) fn token(&self) -> Option<&SecretBytes> {
        self.token.as_ref()
    }

    /// Adds a secret, in the place of what had its name.
    pub(super) fn variable(&mut self, entry: &Entry) -> Result<(), Failure> {
        transfer::check_program_name(entry)?;
        let (name, value) = (entry.name.as_str(), entry.value.reveal());
        let instead = format!("--file {name}={}", entry.path);
        if value.contains(&0) {
            return Err(Failure::usage(format!("{} holds a NUL byte, which no variable can", entry.path))
                .hint(format!("hand it over as a file: {instead}")));
        }
        if name.len() + value.len() + 2 > LONGEST {
            return Err(Failure::usage(format!("{} is too long for a variable (128 KiB)", entry.path))
                .hint(format!("hand it over as a file: {instead}")));
        }
        self.plain.retain(|(there, _)| there != name);
        self.secret.push((name.to_owned(), SecretBytes::from_slice(value)));
        Ok(())
    }

    /// Makes a file of a secret that the program inherits, and a variable with its path.
    pub(super) fn file(&mut self, program: &mut Program, entry: &Entry) -> Result<(), Failure> {
        let kept = Kept::new(entry.value.reveal())
            .map_err(|error| Failure::io(format!("cannot keep {} in memory", entry.path), &error))?;
        self.set(entry.name.as_str(), kept.path());
        program.keep(kept);
        Ok(())
    }

    /// The program, looked for where its own `PATH` says.
    pub(super) fn program(&self, command: &[OsString]) -> Result<Program, Failure> {
        let path = self.plain.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.as_os_str());
        Program::new(command, path.unwrap_or(OsStr::new("/usr/local/bin:/usr/bin:/bin"))).map_err(|_| {
            Failure::usage("the program has no name, or a NUL byte in an argument")
                .hint("hq-vault run --prefix P -- CMD")
        })
    }

    /// Hands everything over.
    pub(super) fn give(&self, program: &mut Program) {
        for (name, value) in &self.plain {
            program.variable(name, value.as_encoded_bytes());
        }
        for (name, value) in &self.secret {
            program.variable(OsStr::new(name), value.reveal());
        }
        if let Some(token) = &self.token {
            program.variable(OsStr::new("HQ_VAULT_TOKEN"), token.reveal());
        }
    }
}
