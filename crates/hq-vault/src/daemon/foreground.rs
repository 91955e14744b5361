//! The daemon itself: takes the vault, opens it, listens, serves until it is
//! told to stop, and lets go in the reverse order.

use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hqv_engine::Engine;
use hqv_model::Clock;
use hqv_server::{About, Handle, Limits, Peer, Server, ServerConfig};
use hqv_sys::daemon::ReadySignal;
use hqv_sys::lock::{LockError, VaultLock};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::runtime::Runtime;

use super::leaf::{self, Bind, LeafKeeper};
use super::options::Options;
use super::signals::{Signals, Wish};
use super::{listen, start, state_files, tidy};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::compose::{self, SystemClock, SystemEntropy};
use crate::settings::paths::shown;
use crate::settings::{DEFAULT_PORT, Settings};

/// What is in flight at a stop has this long to be answered.
const GRACE: Duration = Duration::from_secs(5);

/// Runs until it is stopped. The starter, if there is one, is told how it went.
/// With `init` a person at this terminal makes the vault meanwhile.
pub fn run(ctx: &Context, options: &Options, init: bool) -> Result<(), Failure> {
    let ready = ReadySignal::from_env();
    if ready.is_some() {
        hqv_sys::signal::ignore_hangup();
    }
    match House::open(&ctx.settings, options) {
        Ok(house) => {
            tell(ctx, ready, &house);
            let person = if init { Some(ask_for_a_vault(ctx)?) } else { None };
            let ended = house.serve();
            if let Some(mut person) = person {
                let _ = person.wait();
            }
            ended
        }
        Err(failure) => {
            if let Some(ready) = ready {
                ready.failed(&start::write_report(&failure));
            }
            Err(failure)
        }
    }
}

/// `init` in a process of its own: it has the terminal, we have the vault.
fn ask_for_a_vault(ctx: &Context) -> Result<std::process::Child, Failure> {
    let program = std::env::current_exe().map_err(|e| Failure::io("cannot find our own program", &e))?;
    std::process::Command::new(program)
        .arg("init")
        .arg("--vault-dir")
        .arg(ctx.settings.dir.root())
        .spawn()
        .map_err(|e| Failure::io("cannot ask for a passphrase", &e))
}

fn tell(ctx: &Context, ready: Option<ReadySignal>, house: &House) {
    match ready {
        Some(ready) => ready.ok(),
        None => {
            let port = state_files::port(&ctx.settings.dir).filter(|_| house.listens);
            let place = port.map_or_else(
                || "vault.sock (TLS begins with the first unlock)".to_owned(),
                |port| format!("https://localhost:{port} and vault.sock"),
            );
            ctx.out.say(format!("Serving: {place} (pid {}). Ctrl-C stops.", std::process::id()));
        }
    }
}

/// All that runs. Dropped in the order of the fields; the lock goes last.
struct House {
    signals: Signals,
    server: Server,
    engine: Engine,
    runtime: Runtime,
    files: Files,
    listens: bool,
    given: Option<Given>,
    _lock: VaultLock,
}

/// A house that holds the vault and does not serve yet.
struct Begun {
    lock: VaultLock,
    files: Files,
    listener: UnixListener,
    keeper: Arc<LeafKeeper>,
    engine: Engine,
}

impl Begun {
    fn furnish(self, settings: &Settings, options: &Options) -> Result<House, Failure> {
        let (bind, leaf) = wanted(settings, options, &self.engine)?;
        // Bound also where no leaf is there yet, so that a port taken is told now.
        let bound = listen::tcp(bind.port, &bind.more)?;
        let runtime = runtime(settings)?;
        let inside = runtime.enter();
        let signals = Signals::catch()?;
        let config = config(settings, options, &self.engine, &self.files.socket, self.listener);
        let server = Server::start(config)?;
        state_files::write_pid(&settings.dir, options)
            .map_err(|e| Failure::io("cannot write vault.pid", &e))?;
        self.keeper.attach(server.handle(), bind);
        if !settings.dir.is_usual(settings.home()) {
            server.handle().name_vault(Some(settings.dir.root().to_string_lossy().into_owned()));
        }
        let listens = leaf.is_some();
        if let Some(leaf) = leaf {
            set_ca(&server, settings);
            self.keeper.serve(leaf, Some(bound))?;
        }
        self.engine.spawn_ticker()?;
        drop(inside);
        Ok(House {
            signals,
            server,
            engine: self.engine,
            runtime,
            files: self.files,
            listens,
            given: options
                .tls_cert
                .clone()
                .zip(options.tls_key.clone())
                .map(|(cert, key)| Given { cert, key }),
            _lock: self.lock,
        })
    }
}

/// The files that say we run; removed with the house.
struct Files {
    dir: crate::settings::paths::VaultDir,
    socket: std::path::PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        state_files::remove(&self.dir, &self.socket);
    }
}

impl House {
    /// The lock first, then the socket: who holds both touches nobody's record.
    fn open(settings: &Settings, options: &Options) -> Result<House, Failure> {
        start::prepare_dir(settings)?;
        let lock = take_lock(&settings.dir.lock())?;
        let socket = settings.dir.socket()?;
        let listener = listen::unix(&socket)?;
        let files = Files { dir: settings.dir.clone(), socket };
        hqv_sys::process::max_open_files_raise();
        hqv_sys::memory::tune();
        let keeper = Arc::new(LeafKeeper::new(settings.dir.clone(), options.tls_cert.is_some()));
        let hooks = Arc::clone(&keeper) as Arc<dyn hqv_engine::Hooks>;
        let engine = compose::engine(&settings.dir, options, hooks)?;
        let begun = Begun { lock, files, listener, keeper, engine: engine.clone() };
        let house = begun.furnish(settings, options);
        if house.is_err() {
            // The record that has begun is closed, or the next start would call it unclean.
            engine.stop();
        }
        house
    }

    fn serve(self) -> Result<(), Failure> {
        let House { mut signals, server, engine, runtime, files, listens: _, given, _lock } = self;
        let handle = server.handle();
        let threads = runtime.metrics().num_workers();
        runtime.spawn(tidy::after_locks(engine.lock_events(), handle.clone(), threads));
        runtime.block_on(async {
            loop {
                let wish = tokio::select! {
                    wish = signals.next() => wish,
                    () = handle.stop_requested() => Wish::Stop,
                };
                if wish == Wish::Stop {
                    break;
                }
                engine.reopen_mirror();
                // The vault's own certificate is renewed at unlock.
                if let Some(given) = &given {
                    given.reload(&handle).await;
                }
            }
            handle.stop(GRACE).await;
        });
        engine.stop();
        drop(server);
        runtime.shutdown_timeout(GRACE);
        drop(files);
        drop(_lock);
        Ok(())
    }
}

/// The owner's own certificate and key: `--tls-cert` and `--tls-key`.
#[derive(Clone)]
struct Given {
    cert: PathBuf,
    key: PathBuf,
}

impl Given {
    /// Reads both again. Where they do not read or do not fit, as while they are being replaced, the old ones stay.
    async fn reload(&self, handle: &Handle) {
        let files = self.clone();
        // Beside the requests: the files may be on a slow disk.
        let read = tokio::task::spawn_blocking(move || leaf::given(&files.cert, &files.key)).await;
        let done = match read {
            Ok(leaf) => leaf.and_then(|leaf| handle.tls().install(leaf).map_err(Failure::from)),
            Err(_) => Err(Failure::internal("the reading ended early")),
        };
        match done {
            Ok(()) => log("the certificate was read again"),
            Err(failure) => {
                let sentence = format!("the certificate stays the old one: {}", failure.message());
                log(&sentence);
                handle.warn(sentence);
            }
        }
    }
}

fn take_lock(path: &Path) -> Result<VaultLock, Failure> {
    VaultLock::acquire(path).map_err(|e| match e {
        LockError::Held { pid } => start::taken(pid),
        LockError::Io(e) => Failure::io(format!("cannot lock {}", shown(path)), &e)
            .hint("the vault directory must be on a local disk that you can write to"),
    })
}

/// Where to listen, and with what: the flags, then the vault's signed
/// settings, then the file.
fn wanted(
    settings: &Settings,
    options: &Options,
    engine: &Engine,
) -> Result<(Bind, Option<hqv_server::Leaf>), Failure> {
    let mut more: Vec<IpAddr> = Vec::new();
    let asked = options.bind.iter().chain(&engine.locked_settings().bind).cloned().collect::<Vec<_>>();
    for address in asked.iter().filter_map(|a| a.parse().ok()) {
        if !more.contains(&address) {
            more.push(address);
        }
    }
    let bind = Bind { port: options.port.or(settings.file.port).unwrap_or(DEFAULT_PORT), more };
    let leaf = match (&options.tls_cert, &options.tls_key) {
        (Some(cert), Some(key)) => Some(leaf::given(cert, key)?),
        _ => leaf::load(&settings.dir).map(|s| s.leaf).filter(|l| l.not_after > compose::now()),
    };
    Ok((bind, leaf))
}

fn runtime(settings: &Settings) -> Result<Runtime, Failure> {
    let mut builder = match settings.file.threads.unwrap_or(1) {
        0 | 1 => tokio::runtime::Builder::new_current_thread(),
        more => {
            let mut builder = tokio::runtime::Builder::new_multi_thread();
            builder.worker_threads(more);
            builder
        }
    };
    builder.enable_io().enable_time().build().map_err(|e| Failure::io("cannot start", &e))
}

fn config(
    settings: &Settings,
    options: &Options,
    engine: &Engine,
    socket: &Path,
    listener: UnixListener,
) -> ServerConfig {
    let mut hostnames = engine.locked_settings().hostnames;
    hostnames.extend(options.hostname.iter().cloned());
    ServerConfig {
        engine: engine.clone(),
        unix: Some(listener),
        owner: hqv_sys::process::uid(),
        peer_of: Arc::new(peer_of),
        hostnames,
        limits: Limits::default(),
        about: About {
            version: compose::version().leak(),
            vault_dir: settings.dir.root().to_owned(),
            socket: Some(socket.to_owned()),
            pid: std::process::id(),
            started: SystemClock.boot(),
            weakened: options.weakened(),
        },
        clock: Arc::new(SystemClock),
        rng: Box::new(SystemEntropy::new()),
        log: Arc::new(log),
    }
}

/// A line on stderr, which is `vault.log` in the background.
pub fn log(line: &str) {
    eprintln!("{} {line}", compose::now().to_rfc3339());
}

fn peer_of(stream: &tokio::net::UnixStream) -> Option<Peer> {
    let peer = hqv_sys::peer::of(stream.as_fd()).ok()?;
    let program = peer.pid.and_then(hqv_sys::process::program_of);
    Some(Peer { uid: peer.uid, pid: peer.pid, program })
}

/// `/v1/ca` answers also before the first unlock of this run.
fn set_ca(server: &Server, settings: &Settings) {
    let Ok(text) = std::fs::read_to_string(settings.dir.ca()) else {
        return;
    };
    if let Ok(certificate) = CertificateDer::from_pem_slice(text.as_bytes()) {
        server.handle().set_ca(text, hqv_crypto::wire::fingerprint_of(&certificate));
    }
}
