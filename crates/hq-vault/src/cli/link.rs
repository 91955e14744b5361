//! The line to the vault: which server, whom to trust, and what to do where
//! nobody answers.
//!
//! Nothing is probed beforehand: a call is made, and only where it was
//! certainly not sent and the local socket is dead is the daemon started and
//! the call made again.

use std::cell::{Cell, OnceCell};
use std::io::ErrorKind;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::time::Duration;

use hqv_api::BatchRequest;
use hqv_client::{
    CONNECTION_ERROR, Client, ClientError, Fingerprint, Options, Pin, Proxy, Secret, TIMEOUT, Target, Trust,
};
use hqv_crypto::wire;
use hqv_model::{Clock, Code, SecretBytes, SecretText};
use tokio::runtime::Runtime;

use super::context::Context;
use super::output::error::Failure;
use crate::compose::SystemClock;
use crate::daemon::autostart;
use crate::settings::{DEFAULT_PORT, Settings};

/// What every call may take.
const LEAST: Duration = Duration::from_secs(1);

/// A server chosen, with the runtime on which it is asked.
pub struct Link<'a> {
    ctx: &'a Context,
    target: Target,
    local_socket: Option<PathBuf>,
    /// Made when first needed: a plain `get` needs none.
    runtime: OnceCell<Runtime>,
    started: Cell<bool>,
    claim: Option<&'static str>,
    until: Option<Duration>,
}

impl<'a> Link<'a> {
    /// Chooses the server; connects to nothing yet.
    pub fn open(ctx: &'a Context) -> Result<Link<'a>, Failure> {
        let (target, local_socket) = choose(&ctx.settings)?;
        Ok(Link {
            ctx,
            target,
            local_socket,
            runtime: OnceCell::new(),
            started: Cell::new(false),
            claim: None,
            until: None,
        })
    }

    /// The daemon of the vault directory, whatever the URL says.
    pub fn open_local(ctx: &'a Context) -> Result<Link<'a>, Failure> {
        let socket = ctx.settings.dir.socket()?;
        let mut link = Link::open(ctx)?;
        (link.target, link.local_socket) = (Target::Unix(socket.clone()), Some(socket));
        Ok(link)
    }

    /// Says in the record what this command is.
    #[must_use]
    pub fn claiming(mut self, claim: &'static str) -> Link<'a> {
        self.claim = Some(claim);
        self
    }

    /// No call but a poll waits for its answer past `until` on the boot clock, except for the least that every
    /// call gets: a daemon that stands still must not outlast the command's own patience.
    #[must_use]
    pub fn until(mut self, until: Option<Duration>) -> Link<'a> {
        self.until = until;
        self
    }

    /// Whether it is the daemon of this machine's vault directory.
    pub fn is_local(&self) -> bool {
        self.local_socket.is_some()
    }

    /// Whether it asks over a Unix socket, where a caller of the same user needs no credential to ask.
    pub fn is_socket(&self) -> bool {
        matches!(self.target, Target::Unix(_))
    }

    /// The host of a server that is reached over the network; it may be this one.
    pub fn host(&self) -> Option<&str> {
        match &self.target {
            Target::Https { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Whom it asks, for people.
    pub fn place(&self) -> String {
        self.target.to_string()
    }

    /// Makes a call, starting the daemon where that is allowed and needed.
    pub fn run<T>(
        &self,
        credential: Option<&SecretText>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        self.persist(|| {
            let mut client = self.client(credential)?;
            Ok(self.runtime()?.block_on(call(&mut client)))
        })
    }

    /// Reads one value, over the socket without a runtime.
    pub fn get(&self, credential: &SecretText, path: &str) -> Result<Secret, Failure> {
        self.persist(|| {
            let mut client = self.client(Some(credential))?;
            match client.get_directly(path, boot) {
                Some(answer) => Ok(answer),
                None => Ok(self.runtime()?.block_on(client.get(path, None))),
            }
        })
    }

    /// Reads many, over the socket without a runtime.
    pub fn batch(&self, credential: &SecretText, request: &BatchRequest) -> Result<Vec<Secret>, Failure> {
        self.persist(|| {
            let mut client = self.client(Some(credential))?;
            match client.batch_directly(request, boot) {
                Some(answer) => Ok(answer),
                None => Ok(self.runtime()?.block_on(client.batch(request))),
            }
        })
    }

    /// Makes the attempt again where nobody had listened and somebody does now.
    fn persist<T>(
        &self,
        attempt: impl Fn() -> Result<Result<T, ClientError>, Failure>,
    ) -> Result<T, Failure> {
        let mut again = true;
        loop {
            let error = match attempt()? {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match self.silence(&error) {
                Silence::None => return Err(failure(error)),
                // Somebody else's daemon has begun to listen in between.
                Silence::Over if std::mem::take(&mut again) => {}
                Silence::Over => return Err(failure(error)),
                Silence::Dead(socket) if self.ctx.settings.may_start() && !self.started.get() => {
                    autostart::start(self.ctx, socket)?;
                    self.started.set(true);
                }
                Silence::Dead(_) => return Err(nobody_answers(self.ctx)),
            }
        }
    }

    /// The same call without ever starting a daemon.
    pub fn run_if_there<T>(
        &self,
        credential: Option<&SecretText>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        let before = self.started.replace(true);
        let answer = self.run(credential, call);
        self.started.set(before);
        answer
    }

    /// From now on no daemon is started: what a follower waits for is another's to start.
    pub fn never_start(&self) {
        self.started.set(true);
    }

    /// Waits on this link's runtime.
    pub fn wait<T>(&self, event: impl Future<Output = T>) -> Result<T, Failure> {
        Ok(self.runtime()?.block_on(event))
    }

    fn runtime(&self) -> Result<&Runtime, Failure> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|e| Failure::io("cannot start", &e))?;
        Ok(self.runtime.get_or_init(|| runtime))
    }

    /// Opens a session with the passphrase.
    pub fn open_session(&self, passphrase: SecretBytes) -> Result<SecretText, Failure> {
        let text = text_of(passphrase)?;
        let answer = self.run(None, async |client| client.session_create(&text).await)?;
        Ok(answer.session.into_text())
    }

    /// A locked vault opens no session; said before anybody types.
    pub fn must_be_unlocked(&self) -> Result<(), Failure> {
        if !self.is_local() {
            // A remote server tells nobody its state; its own answer will do.
            return Ok(());
        }
        let status = self.run(None, async |client| client.status().await)?;
        match (status.initialized, status.locked) {
            (false, _) => Err(no_vault(self.ctx)),
            (true, true) => Err(Failure::from(hqv_model::Error::locked())),
            (true, false) => Ok(()),
        }
    }

    fn client(&self, credential: Option<&SecretText>) -> Result<Client, Failure> {
        self.must_be_vouched_for(credential)?;
        let env = &self.ctx.settings.env;
        let mut options = Options::new(self.target.clone(), hqv_sys::process::uid(), peer_uid);
        options.proxy = Proxy { https_proxy: env.https_proxy.clone(), no_proxy: env.no_proxy.clone() };
        options.claim = self.claim.map(str::to_owned);
        if let Some(until) = self.until {
            let left = until.saturating_sub(SystemClock.boot()).max(LEAST);
            options.answer_within = options.answer_within.min(left);
        }
        if !matches!(self.target, Target::Unix(_)) {
            options.trust = self.trust(credential)?;
        }
        options.credential = credential.map(copy_of);
        Client::new(options).map_err(failure)
    }

    /// A server that a project file names, or a port in a directory that it names, may be anybody's. It gets a token
    /// only where that token names its certificate, and never a passphrase.
    fn must_be_vouched_for(&self, credential: Option<&SecretText>) -> Result<(), Failure> {
        let local = matches!(self.target, Target::Unix(_));
        if !self.ctx.settings.vault_of_project || local || credential.is_some_and(|t| pin_of(t).is_some()) {
            return Ok(());
        }
        Err(Failure::usage("the project file names a server, and no token here vouches for it")
            .hint("set HQ_VAULT_TOKEN to a token of that vault, or name the server yourself with --url"))
    }

    fn trust(&self, credential: Option<&SecretText>) -> Result<Trust, Failure> {
        let env = &self.ctx.settings.env;
        let pin = credential.and_then(pin_of);
        let fingerprint = match &env.fingerprint {
            Some(text) => {
                Some(Fingerprint::parse(text).map_err(|e| failure(e).context("HQ_VAULT_FINGERPRINT"))?)
            }
            None => None,
        };
        let ca = self.ctx.settings.dir.ca();
        Ok(Trust { pin, fingerprint, ca_file: env.cacert.clone(), local_ca: ca.exists().then_some(ca) })
    }

    /// Whether this error means that nobody listens on the local socket.
    fn silence(&self, error: &ClientError) -> Silence<'_> {
        let Some(socket) = &self.local_socket else {
            return Silence::None;
        };
        if error.code != CONNECTION_ERROR || error.sent {
            return Silence::None;
        }
        match std::os::unix::net::UnixStream::connect(socket) {
            Ok(_) => Silence::Over,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                Silence::Dead(socket)
            }
            Err(_) => Silence::None,
        }
    }
}

/// What a call that was not sent says of the local socket.
enum Silence<'a> {
    /// Nothing: the trouble lies elsewhere.
    None,
    /// Nobody listens.
    Dead(&'a PathBuf),
    /// Nobody did, and somebody does now.
    Over,
}

/// Flag or variable, else the local socket, else, for a token holder without a
/// vault directory of its own, the port.
fn choose(settings: &Settings) -> Result<(Target, Option<PathBuf>), Failure> {
    if let Some(url) = settings.url()? {
        return Ok((Target::parse(&url).map_err(failure)?, None));
    }
    let socket = settings.dir.socket()?;
    let token = settings.env.token.is_some()
        || settings.env.token_file.is_some()
        || settings.flags.token_file.is_some();
    if token && !settings.dir.holds_vault() && !socket.exists() {
        let port = crate::daemon::state_files::port(&settings.dir).unwrap_or(DEFAULT_PORT);
        return Ok((Target::Https { host: "localhost".to_owned(), port }, None));
    }
    Ok((Target::Unix(socket.clone()), Some(socket)))
}

/// The certificate that a token or session names.
fn pin_of(credential: &SecretText) -> Option<Pin> {
    wire::parse(credential.reveal()).ok()?.pin.map(Pin)
}

fn boot() -> Duration {
    SystemClock.boot()
}

fn peer_uid(fd: BorrowedFd<'_>) -> std::io::Result<u32> {
    hqv_sys::peer::of(fd).map(|peer| peer.uid)
}

/// The client owns what it sends and wipes it; so do we.
fn copy_of(credential: &SecretText) -> SecretText {
    SecretText::new(credential.reveal().to_owned())
}

/// A passphrase as text. Other bytes than UTF-8 cannot travel in JSON.
pub fn text_of(passphrase: SecretBytes) -> Result<SecretText, Failure> {
    SecretText::from_utf8(passphrase).map_err(|_| Failure::usage("the passphrase is not UTF-8"))
}

fn nobody_answers(ctx: &Context) -> Failure {
    if !ctx.settings.dir.holds_vault() {
        return no_vault(ctx);
    }
    Failure::unreachable(format!("no daemon runs for {}", ctx.vault_name()))
        .hint("start it: hq-vault serve --daemon")
}

/// There is no vault in the directory.
pub fn no_vault(ctx: &Context) -> Failure {
    Failure::unreachable(format!("there is no vault in {}", ctx.vault_name()))
        .hint("make one: hq-vault init, or look around first: hq-vault tour")
}

/// The client's error in our terms.
pub fn failure(error: ClientError) -> Failure {
    let message = match error.retry_after {
        Some(seconds) => format!("{} (again in {seconds} s)", error.message),
        None => error.message.clone(),
    };
    let failure = match error.code.as_str() {
        CONNECTION_ERROR | TIMEOUT => Failure::unreachable(message),
        code => Failure::of(Code::parse(code).unwrap_or(Code::Internal), message),
    };
    let failure = match error.hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    };
    failure.request(error.request_id).actor(error.actor)
}
