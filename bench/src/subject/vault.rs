//! A throw-away vault, made and served by the real binary.

use super::program;
use crate::Result;
use crate::wire::drive::{Lanes, Once, once};
use crate::wire::http::{get, json};
use crate::wire::link::{Place, trust};
use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use std::sync::Arc;

/// Known to everybody: the vault holds nothing.
pub const PASSPHRASE: &str = "a passphrase of the bench";

/// Writers of one filling; they share their commits.
const WRITERS: usize = 128;

/// A vault with its daemon. Dropping it stops the daemon and removes everything.
pub struct Vault {
    binary: PathBuf,
    root: PathBuf,
    session: String,
    count: usize,
}

impl Vault {
    /// Makes one below `parent` with `count` secrets.
    ///
    /// # Errors
    /// Any step fails; what the program said stands in it.
    pub fn make(parent: &Path, count: usize) -> Result<Vault> {
        Vault::at(program("hq-vault")?, parent.join(format!("vault-{count}")), count)
    }

    /// The same by another build.
    ///
    /// # Errors
    /// As [`Vault::make`].
    pub fn make_with(binary: &Path, parent: &Path, count: usize) -> Result<Vault> {
        Vault::at(binary.to_owned(), parent.join(format!("vault-other-{count}")), count)
    }

    fn at(binary: PathBuf, root: PathBuf, count: usize) -> Result<Vault> {
        fs::DirBuilder::new().mode(0o700).create(&root)?;
        let mut file = fs::OpenOptions::new();
        let file = file.write(true).create_new(true).mode(0o600).open(root.join("passphrase"))?;
        std::io::Write::write_all(&mut &file, PASSPHRASE.as_bytes())?;
        let mut vault = Vault { binary, root, session: String::new(), count };
        vault.serve()?;
        vault.run(&["init"])?;
        vault.session = vault.session_from("/v1/sessions")?;
        vault.fill()?;
        Ok(vault)
    }

    /// Runs one command of the real binary to its end.
    ///
    /// # Errors
    /// It fails; with what it said.
    pub fn run(&self, words: &[&str]) -> Result<String> {
        let output = self.command(words)?.stdin(Stdio::null()).output()?;
        if output.status.success() {
            return Ok(String::from_utf8(output.stdout)?.trim_end().to_owned());
        }
        Err(format!("hq-vault {}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr)).into())
    }

    /// The command, in an environment that holds what it needs and no more.
    ///
    /// # Errors
    /// The binary is not built.
    pub fn command(&self, words: &[&str]) -> Result<Command> {
        let mut command = Command::new(&self.binary);
        command.args(words).env_clear().env("HOME", &self.root).env("HQ_VAULT_DIR", self.dir());
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin");
        if self.session.is_empty() {
            command.env("HQ_VAULT_PASSPHRASE_FILE", self.root.join("passphrase"));
        } else {
            command.env("HQ_VAULT_SESSION", &self.session);
        }
        Ok(command)
    }

    /// Starts the daemon on a free port, and says how long that took.
    ///
    /// # Errors
    /// As [`Vault::run`].
    pub fn serve(&self) -> Result<Duration> {
        let start = Instant::now();
        self.run(&["serve", "--daemon", "--port", "0"])?;
        Ok(start.elapsed())
    }

    /// Stops it.
    ///
    /// # Errors
    /// As [`Vault::run`].
    pub fn stop(&self) -> Result<()> {
        self.run(&["serve", "--stop"]).map(drop)
    }

    /// Locks it.
    ///
    /// # Errors
    /// As [`once`].
    pub fn lock(&self) -> Result<()> {
        let request = format!(
            "POST /v1/lock HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-length: 0\r\n\r\n",
            self.session
        );
        once(&self.socket(), request.as_bytes()).map(drop)
    }

    /// Unlocks it, and says how long the answer took.
    ///
    /// # Errors
    /// As [`once`].
    pub fn unlock(&mut self) -> Result<Duration> {
        let start = Instant::now();
        self.session = self.session_from("/v1/unlock")?;
        Ok(start.elapsed())
    }

    fn session_from(&self, target: &str) -> Result<String> {
        let body = format!("{{\"passphrase\":\"{PASSPHRASE}\"}}");
        let answer = answer(&self.socket(), &json("POST", target, "", &body))?;
        let session = answer.get("session").and_then(serde_json::Value::as_str);
        Ok(session.ok_or("no session in the answer")?.to_owned())
    }

    fn fill(&self) -> Result<()> {
        let put = |i| json("PUT", &target(i), &self.session, &body(i));
        let mut lanes = Lanes::open(&self.socket(), WRITERS)?;
        lanes.run(&mut Once::new((0..self.count).map(put)), Duration::from_secs(3600))?;
        Ok(())
    }

    /// A new token; `more` are options of `token create` beside name and ttl.
    ///
    /// # Errors
    /// As [`Vault::run`].
    pub fn token(&self, name: &str, more: &[&str]) -> Result<String> {
        let mut words = vec!["token", "create", "--name", name, "--ttl", "1h"];
        words.extend_from_slice(more);
        self.run(&words)
    }

    /// One request on the socket with the owner's session.
    ///
    /// # Errors
    /// As [`once`].
    pub fn ask(&self, target: &str) -> Result<serde_json::Value> {
        answer(&self.socket(), &get(target, &self.session))
    }

    /// One request with a JSON body on the socket, with the owner's session.
    ///
    /// # Errors
    /// As [`once`].
    pub fn post(&self, target: &str, body: &str) -> Result<serde_json::Value> {
        answer(&self.socket(), &json("POST", target, &self.session, body))
    }

    /// One `DELETE` on the socket, with the owner's session.
    ///
    /// # Errors
    /// As [`once`].
    pub fn delete(&self, target: &str) -> Result<()> {
        let request = format!(
            "DELETE {target} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\n\r\n",
            self.session
        );
        once(&self.socket(), request.as_bytes()).map(drop)
    }

    /// How many secrets it holds.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The vault directory.
    pub fn dir(&self) -> PathBuf {
        self.root.join("vault")
    }

    /// A file beside the vault directory, removed with it.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The Unix socket.
    pub fn socket(&self) -> Place {
        Place::Socket(self.dir().join("vault.sock"))
    }

    /// The TLS port.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn tls(&self) -> Result<Place> {
        let port = fs::read_to_string(self.dir().join("vault.port"))?.trim().parse()?;
        Ok(Place::Tls(port, self.trust()?))
    }

    /// Trusts the vault's CA.
    ///
    /// # Errors
    /// `ca.pem` is not there.
    pub fn trust(&self) -> Result<Arc<ClientConfig>> {
        trust(&self.dir().join("ca.pem"))
    }

    /// The daemon's process.
    ///
    /// # Errors
    /// The daemon does not run.
    pub fn pid(&self) -> Result<u32> {
        let text = fs::read_to_string(self.dir().join("vault.pid"))?;
        Ok(text.lines().next().unwrap_or_default().trim().parse()?)
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        let _ = self.stop();
        let _ = fs::remove_dir_all(&self.root);
    }
}

/// The JSON of one answer.
fn answer(place: &Place, request: &[u8]) -> Result<serde_json::Value> {
    let (bytes, framed) = once(place, request)?;
    Ok(serde_json::from_slice(bytes.get(framed.body..framed.end).unwrap_or_default())?)
}

/// The path of secret `i`. All paths have the same length.
pub fn path(i: usize) -> String {
    format!("deploy/prod/service-{:03}/secret-{:03}", i / 1000, i % 1000)
}

/// Its address.
pub fn target(i: usize) -> String {
    format!("/v1/secrets/{}", path(i))
}

/// What is stored there first: a key of 40 characters.
fn body(i: usize) -> String {
    let scattered = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    format!(
        "{{\"value\":\"sk_live_{scattered:016x}{:016x}\",\"type\":\"api-key\"}}",
        scattered.rotate_left(23)
    )
}
