//! The temporary home in which the tour plays, and its removal.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base64::Engine as _;
use hqv_model::{Entropy, TicketCode, array};
use tokio::signal::unix::{SignalKind, signal};

use super::person;
use super::steps::{By, Line, ORCHESTRATE, WORKER};
use crate::cli::output::error::Failure;
use crate::compose::{self, SystemEntropy};

/// A code as it is shown: shorter words of its alphabet are words.
const SHOWN: usize = "7F3K-9QXM".len();

/// How a command ended, and what a person would have seen of it.
pub struct Ended {
    /// Its exit code.
    pub code: i32,
    /// Its stdout, unless that was kept, then its stderr.
    pub shown: String,
}

/// The stage, struck when it is dropped.
pub struct Stage {
    place: Arc<Place>,
    kept: Vec<(&'static str, OsString)>,
    /// The code of an entry or ask that was shown last.
    code: String,
}

/// Where everything stands.
struct Place {
    root: PathBuf,
    /// A signal came; the thread that caught it strikes the stage.
    ending: AtomicBool,
}

impl Stage {
    /// Makes the home, the project in it, and `hq-vault` on its PATH.
    pub fn set() -> Result<Stage, Failure> {
        let root = compose::temp_dir().join(format!("hqv-tour-{}", random_name::<4>()));
        let place = Place { root, ending: AtomicBool::new(false) };
        hqv_sys::files::create_private_dir(&place.root).map_err(|e| failed(&e))?;
        let stage = Stage { place: Arc::new(place), kept: Vec::new(), code: String::new() };
        stage.furnish().map_err(|e| failed(&e))?;
        Ok(stage)
    }

    fn furnish(&self) -> std::io::Result<()> {
        let place = &self.place;
        let (bin, vault, project) = (place.root.join("bin"), place.vault(), place.project());
        for dir in [&bin, &vault, &project] {
            fs::create_dir_all(dir)?;
            fs::set_permissions(dir, fs::Permissions::from_mode(0o700))?;
        }
        symlink(std::env::current_exe()?, bin.join("hq-vault"))?;
        // A free port: the default one may be that of your own vault.
        private(&vault.join("config.toml"), "port = 0\n", 0o600)?;
        private(&place.passphrase(), &format!("{}\n", random_name::<12>()), 0o600)?;
        private(&project.join(".env"), &dot_env(), 0o600)?;
        private(&project.join("worker.sh"), WORKER, 0o700)?;
        private(&project.join("orchestrate.sh"), ORCHESTRATE, 0o700)
    }

    /// The command with the code that was shown last.
    pub fn with_code(&self, command: &str) -> String {
        command.replace("CODE", &self.code)
    }

    /// Runs one line in the project.
    pub fn run(&mut self, line: &Line, text: &str) -> Result<Ended, Failure> {
        let ended = self.play(line, text)?;
        let mut words = ended.shown.split([' ', '\n', ';']);
        if let Some(code) = words.rfind(|word| word.len() == SHOWN && TicketCode::parse(word).is_ok()) {
            self.code = code.to_owned();
        }
        Ok(ended)
    }

    fn play(&mut self, line: &Line, text: &str) -> Result<Ended, Failure> {
        let mut command = self.place.shell(text);
        command.envs(self.kept.iter().map(|(name, value)| (name, value)));
        match line.by {
            By::Owner => {}
            By::Agent => {
                command.env_remove("HQ_VAULT_PASSPHRASE_FILE");
            }
            By::Person(types) => return person::play(command, types),
        }
        let output = command.output().map_err(|e| Failure::io("cannot run sh", &e))?;
        let mut shown = String::from_utf8_lossy(&output.stderr).into_owned();
        match line.keep {
            Some(name) => {
                let text = String::from_utf8_lossy(&output.stdout).trim_end().to_owned();
                self.kept.push((name, text.into()));
            }
            None => shown.insert_str(0, &String::from_utf8_lossy(&output.stdout)),
        }
        Ok(Ended { code: output.status.code().unwrap_or(-1), shown })
    }

    /// Strikes the stage also where a signal ends us.
    pub fn remove_on_signal(&self) -> Result<(), Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()
            .map_err(|e| Failure::io("cannot start", &e))?;
        let place = Arc::clone(&self.place);
        let mut signals = {
            let _inside = runtime.enter();
            let catch = |kind| signal(kind).map_err(|e| Failure::io("cannot catch signals", &e));
            [catch(SignalKind::interrupt())?, catch(SignalKind::terminate())?, catch(SignalKind::hangup())?]
        };
        let wait = move || {
            let code = runtime.block_on(async {
                let [interrupt, terminate, hangup] = &mut signals;
                tokio::select! {
                    _ = interrupt.recv() => 130,
                    _ = terminate.recv() => 143,
                    _ = hangup.recv() => 129,
                }
            });
            place.ending.store(true, Ordering::SeqCst);
            place.strike();
            std::process::exit(code);
        };
        std::thread::Builder::new().spawn(wait).map(drop).map_err(|e| Failure::io("cannot start", &e))
    }

    /// Whether a signal is ending the tour: then what fails now fails because of that.
    pub fn is_ending(&self) -> bool {
        self.place.ending.load(Ordering::SeqCst)
    }

    /// Stops the daemon and removes everything; says so where it could not.
    pub fn strike(self) -> Result<(), Failure> {
        self.place.strike();
        if self.place.root.exists() {
            let root = crate::settings::paths::shown(&self.place.root);
            return Err(
                Failure::internal(format!("the tour left {root} behind")).hint(format!("rm -r {root}"))
            );
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.place.strike();
    }
}

impl Place {
    fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    fn vault(&self) -> PathBuf {
        self.home().join(".hq-vault")
    }

    fn project(&self) -> PathBuf {
        self.home().join("shop")
    }

    fn passphrase(&self) -> PathBuf {
        self.home().join("passphrase")
    }

    /// A shell that knows nothing of the caller's environment but PATH.
    fn shell(&self, text: &str) -> Command {
        let mut path = self.root.join("bin").into_os_string();
        path.push(":");
        path.push(compose::search_path());
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", text])
            .current_dir(self.project())
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.home())
            .env("TMPDIR", &self.root)
            .env("XDG_RUNTIME_DIR", &self.root)
            .env("HQ_VAULT_PASSPHRASE_FILE", self.passphrase())
            .stdin(Stdio::null());
        command
    }

    /// Twice is once.
    fn strike(&self) {
        if self.vault().exists() {
            // It may have stopped already, or never begun.
            let _ = self.shell("hq-vault serve --stop").stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        let _ = fs::remove_dir_all(&self.root);
    }
}

fn private(path: &Path, text: &str, mode: u32) -> std::io::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure::io("cannot make a temporary directory for the tour", error)
        .hint("set TMPDIR to a directory of yours")
}

/// Hexadecimal digits of `N` bytes. A place's name is short: the socket's path below it has its limit.
fn random_name<const N: usize>() -> String {
    let bytes: [u8; N] = array(&mut SystemEntropy::new());
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Real shapes with values of nobody: the PEM is an Ed25519 key (RFC 8410) of
/// 32 bytes that were just drawn.
fn dot_env() -> String {
    let mut key = vec![0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let mut secret = [0u8; 32];
    SystemEntropy::new().fill(&mut secret);
    key.extend_from_slice(&secret);
    let body = base64::engine::general_purpose::STANDARD.encode(key);
    format!(
        "DATABASE_URL=postgres://shop:k9!x%20@db.internal:5432/shop?sslmode=verify-full\n\
         STRIPE_KEY='sk_test_$HOME \"two  blanks\" `date` *?[a]{{b}} \\n é #'\n\
         TLS_KEY=\"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n\"\n"
    )
}
