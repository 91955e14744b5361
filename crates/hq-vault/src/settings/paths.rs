//! The vault directory and the files in it. Every name stands here, once.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::cli::output::error::Failure;
use crate::settings::env::Env;

/// The longest socket path that every Unix takes (macOS: 104 with the NUL).
const SOCKET_PATH_MAX: usize = 103;

/// The directory of one vault.
#[derive(Clone, Debug)]
pub struct VaultDir {
    root: PathBuf,
    runtime: Option<PathBuf>,
}

impl VaultDir {
    /// `--vault-dir` (relative to here), else `HQ_VAULT_DIR` (absolute), else
    /// `~/.hq-vault`.
    pub fn find(flag: Option<&Path>, env: &Env) -> Result<VaultDir, Failure> {
        let root = match (flag, &env.vault_dir) {
            (Some(dir), _) if dir.as_os_str().is_empty() => {
                return Err(Failure::usage("--vault-dir is empty"));
            }
            (Some(dir), _) => {
                std::path::absolute(dir).map_err(|e| Failure::io("cannot find the current directory", &e))?
            }
            (None, Some(dir)) if !Path::new(dir).is_absolute() => {
                return Err(Failure::usage(format!(
                    "HQ_VAULT_DIR is not an absolute path: {}",
                    shown(Path::new(dir))
                ))
                .hint("a relative one would mean another vault in every directory; set an absolute path"));
            }
            (None, Some(dir)) => PathBuf::from(dir),
            (None, None) => match &env.home {
                Some(home) => home.join(".hq-vault"),
                None => {
                    return Err(Failure::usage("no home directory is known for this user")
                        .hint("set HQ_VAULT_DIR to an absolute path"));
                }
            },
        };
        let root = without_dots(&root);
        if root.as_os_str().as_bytes().len() > 3_000 {
            return Err(Failure::usage("the path of the vault directory is too long")
                .hint("choose one of at most 3000 bytes"));
        }
        Ok(VaultDir { root, runtime: env.runtime_dir.clone() })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database.
    pub fn db(&self) -> PathBuf {
        self.root.join("vault.db")
    }

    /// The CA certificate that clients trust.
    pub fn ca(&self) -> PathBuf {
        self.root.join("ca.pem")
    }

    /// Held by the one process that owns the vault.
    pub fn lock(&self) -> PathBuf {
        self.root.join("vault.lock")
    }

    /// The daemon's pid and, on a second line, the options it was started with.
    pub fn pid(&self) -> PathBuf {
        self.root.join("vault.pid")
    }

    /// The port in use.
    pub fn port(&self) -> PathBuf {
        self.root.join("vault.port")
    }

    /// Where a daemon in the background writes.
    pub fn log(&self) -> PathBuf {
        self.root.join("vault.log")
    }

    /// Settings that cannot weaken the vault.
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// The session that the passphrase file opened.
    pub fn session_cache(&self) -> PathBuf {
        self.root.join("session.cache")
    }

    /// A socket on which a prompt is told what to ask: in the directory, or in `$XDG_RUNTIME_DIR` where the path
    /// would be too long. None where both are.
    pub fn entry_socket(&self, number: u64) -> Option<PathBuf> {
        let name = format!("hq-vault-entry-{number:016x}.sock");
        let places = [Some(&self.root), self.runtime.as_ref()];
        let mut paths = places.into_iter().flatten().map(|dir| dir.join(&name));
        paths.find(|path| path.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX)
    }

    /// Whether a vault has been made here. A file that is there but is no vault
    /// counts: the daemon says what is wrong with it.
    pub fn holds_vault(&self) -> bool {
        std::fs::symlink_metadata(self.db()).is_ok()
    }

    /// The socket: in the directory, or in `$XDG_RUNTIME_DIR` under a name made
    /// from the directory's path where the kernel would not take the first.
    pub fn socket(&self) -> Result<PathBuf, Failure> {
        let near = self.root.join("vault.sock");
        if near.as_os_str().as_bytes().len() <= SOCKET_PATH_MAX {
            return Ok(near);
        }
        let Some(runtime) = &self.runtime else {
            return Err(Failure::usage("the path of the vault directory is too long for a socket")
                .hint("set XDG_RUNTIME_DIR, or choose a vault directory of at most 92 bytes"));
        };
        let far = runtime.join(format!("hq-vault-{:016x}.sock", fnv64(self.root.as_os_str().as_bytes())));
        if far.as_os_str().as_bytes().len() > SOCKET_PATH_MAX {
            return Err(Failure::usage("XDG_RUNTIME_DIR is too long for a socket")
                .hint("choose a vault directory of at most 92 bytes"));
        }
        Ok(far)
    }

    /// Whether it is the one in the home, which prompts need not name.
    pub fn is_usual(&self, home: Option<&PathBuf>) -> bool {
        home.is_some_and(|home| self.root == home.join(".hq-vault"))
    }

    /// The directory as a person writes it: `~/...` below the home.
    pub fn for_people(&self, home: Option<&PathBuf>) -> String {
        match home.and_then(|h| self.root.strip_prefix(h).ok()) {
            Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
            Some(rest) => format!("~/{}", shown(rest)),
            None => shown(&self.root),
        }
    }
}

/// A file name for people: lossy, control characters escaped.
pub fn shown(path: &Path) -> String {
    hqv_model::escape_controls(&path.to_string_lossy()).into_owned()
}

/// Removes `.` and a final slash, so that one directory has one socket name.
fn without_dots(path: &Path) -> PathBuf {
    path.components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect()
}

/// FNV-1a. A name, not a protection: the socket's owner is checked on connect.
fn fnv64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn env(dir: Option<&str>, home: Option<&str>, runtime: Option<&str>) -> Env {
        Env {
            vault_dir: dir.map(Into::into),
            home: home.map(Into::into),
            runtime_dir: runtime.map(Into::into),
            ..Env::default()
        }
    }

    #[test]
    fn in7_a_relative_variable_is_refused_and_a_relative_flag_is_not() {
        assert!(VaultDir::find(None, &env(Some("here"), Some("/h"), None)).is_err());
        let dir = VaultDir::find(Some(Path::new("./here/")), &env(None, Some("/h"), None)).unwrap();
        assert!(dir.root().is_absolute() && dir.root().ends_with("here"));
    }

    #[test]
    fn in7_no_home_and_no_directory_is_an_error_that_says_what_to_set() {
        let failure = VaultDir::find(None, &env(None, None, None)).unwrap_err();
        assert!(failure.hint_text().unwrap().contains("HQ_VAULT_DIR"));
    }

    #[test]
    fn in7_a_long_directory_moves_the_socket_to_the_runtime_directory() {
        let long = format!("/tmp/{}", "d".repeat(200));
        let dir = VaultDir::find(None, &env(Some(&long), None, Some("/run/user/1"))).unwrap();
        let socket = dir.socket().unwrap();
        assert!(socket.starts_with("/run/user/1") && socket.as_os_str().len() <= SOCKET_PATH_MAX);
        let without = VaultDir::find(None, &env(Some(&long), None, None)).unwrap();
        assert!(without.socket().is_err());
    }

    #[test]
    fn a_directory_below_the_home_is_shown_with_a_tilde() {
        let dir = VaultDir::find(None, &env(None, Some("/home/ada"), None)).unwrap();
        assert_eq!(dir.for_people(Some(&"/home/ada".into())), "~/.hq-vault");
        assert_eq!(dir.for_people(Some(&"/home/bob".into())), "/home/ada/.hq-vault");
    }
}
