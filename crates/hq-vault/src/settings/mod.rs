//! What the command line was told, from flags, variables and `config.toml`.
//!
//! Nothing here can weaken the vault: what could is sealed or signed in the
//! vault itself and belongs to the engine. Precedence: flag, variable, file,
//! default. Nothing here reads the process environment either; `compose` does,
//! once, and hands over [`env::Env`].

pub mod config_file;
pub mod desk;
pub mod env;
pub mod paths;

use std::path::PathBuf;

use crate::cli::args::Global;
use crate::cli::output::error::Failure;
use crate::project::{self, Place, Project};

use config_file::ConfigFile;
use env::Env;
use paths::VaultDir;

/// The port of a vault that was told nothing else.
pub const DEFAULT_PORT: u16 = 13_100;

/// Everything that a command may ask about its surroundings.
pub struct Settings {
    /// The process environment, read once.
    pub env: Env,
    /// The options that every command takes.
    pub flags: Global,
    /// Where the vault lives.
    pub dir: VaultDir,
    /// What `config.toml` says.
    pub file: ConfigFile,
    /// Why it could not be read, where a command goes on all the same.
    pub file_failure: Option<Failure>,
    /// The project file, for a command that reads it, and where it stands.
    pub project: Option<(PathBuf, Project)>,
    /// The vault is one that the project file names.
    pub vault_of_project: bool,
}

impl Settings {
    /// Puts the three sources together. Refuses a relative `HQ_VAULT_DIR` and a
    /// `config.toml` that says something it cannot mean.
    pub fn resolve(env: Env, flags: Global) -> Result<Settings, Failure> {
        let dir = VaultDir::find(flags.vault_dir.as_deref(), &env)?;
        let file = ConfigFile::read(&dir.config())?;
        Ok(Settings { env, flags, dir, file, file_failure: None, project: None, vault_of_project: false })
    }

    /// The same for a command that reads the project file. The vault that it names counts where flags and variables
    /// name none. No daemon is started for it: a directory that came with somebody's code would choose what that
    /// daemon runs.
    pub fn resolve_in_project(env: Env, mut flags: Global) -> Result<Settings, Failure> {
        let project = project::here(env.home.as_deref())?;
        let named =
            flags.url.is_some() || flags.vault_dir.is_some() || env.url.is_some() || env.vault_dir.is_some();
        let place = project.as_ref().and_then(|(_, project)| project.vault.clone()).filter(|_| !named);
        let vault_of_project = place.is_some();
        match place {
            Some(Place::Url(url)) => flags.url = Some(url),
            Some(Place::Dir(dir)) => (flags.vault_dir, flags.no_start) = (Some(dir), true),
            None => {}
        }
        Ok(Settings { project, vault_of_project, ..Settings::resolve(env, flags)? })
    }

    /// The same for `doctor`, which says what is wrong with the file.
    pub fn resolve_leniently(env: Env, flags: Global) -> Result<Settings, Failure> {
        let dir = VaultDir::find(flags.vault_dir.as_deref(), &env)?;
        let (file, file_failure) = match ConfigFile::read(&dir.config()) {
            Ok(file) => (file, None),
            Err(failure) => (ConfigFile::default(), Some(failure)),
        };
        Ok(Settings { env, flags, dir, file, file_failure, project: None, vault_of_project: false })
    }

    /// The server named by flag or variable, if any. None means the local daemon.
    pub fn url(&self) -> Result<Option<String>, Failure> {
        if let Some(url) = &self.flags.url {
            return Ok(Some(url.clone()));
        }
        match &self.env.url {
            None => Ok(None),
            Some(text) if text.is_empty() => Err(Failure::usage("HQ_VAULT_URL is set but empty")
                .hint("unset it, or set it to https://host:port or unix:/path")),
            Some(text) => text
                .to_str()
                .map(|t| Some(t.to_owned()))
                .ok_or_else(|| Failure::usage("HQ_VAULT_URL is not UTF-8")),
        }
    }

    /// Whether a command may start the daemon when none runs.
    pub fn may_start(&self) -> bool {
        let by_env = self.env.autostart.as_deref().map(|v| v != "0");
        !self.flags.no_start && by_env.or(self.file.autostart).unwrap_or(true)
    }

    /// Whether colours may be written to a terminal at all.
    pub fn may_colour(&self) -> bool {
        !(self.flags.no_color
            || self.env.no_color
            || self.env.dumb_terminal
            || self.file.color == Some(false))
    }

    /// The home directory, where it is known; for showing paths as `~/...`.
    pub fn home(&self) -> Option<&PathBuf> {
        self.env.home.as_ref()
    }
}
