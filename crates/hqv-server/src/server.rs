//! Starting, changing and stopping the server.

use hqv_model::{Error, Result};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::busy::Busy;
use crate::config::{About, ServerConfig};
use crate::entry::Pages;
use crate::guard::host::Hosts;
use crate::guard::polls::Polls;
use crate::guard::rate::Tries;
use crate::guard::size::Reader;
use crate::guard::slow::{Patience, ticks};
use crate::guard::weight::Scale;
use crate::ids::RequestIds;
use crate::listen::conn::Http;
use crate::listen::registry::Registry;
use crate::listen::tcp::Tcp;
use crate::listen::unix::Unix;
use crate::service::Shared;
use crate::tls::Tls;

/// A running server. Dropping it does not stop it; [`Handle::stop`] does.
pub struct Server {
    handle: Handle,
    /// Keeps the shared part alive: handles know it weakly, since it holds one itself.
    _shared: Arc<Shared>,
}

/// A hold on the server, cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<House>);

struct House {
    shared: Mutex<Weak<Shared>>,
    hosts: Hosts,
    tls: Tls,
    tcp: Arc<Registry>,
    unix: Arc<Registry>,
    busy: Arc<Busy>,
    scale: Arc<Scale>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    addresses: Mutex<Vec<SocketAddr>>,
    ca: Mutex<Option<(String, String)>>,
    warnings: Mutex<Vec<String>>,
    vault_name: Mutex<Option<String>>,
    about: About,
    stop_requested: Notify,
    stopping: watch::Sender<bool>,
    runtime: tokio::runtime::Handle,
}

impl Server {
    /// Starts to listen on the socket. TCP comes with [`Handle::listen_tcp`], once there is a leaf. Must be called within a
    /// tokio runtime that has I/O and time.
    ///
    /// # Errors
    /// `UNAVAILABLE` where the listener cannot be used.
    pub fn start(config: ServerConfig) -> Result<Server> {
        let handle = Handle::new(&config);
        let mut rng = config.rng;
        let shared = Arc::new(Shared {
            engine: config.engine,
            clock: config.clock,
            hosts: handle.0.hosts.clone(),
            ids: RequestIds::new(rng.as_mut()),
            bodies: Reader::default(),
            socket_tries: Tries::default(),
            tcp_tries: Tries::default(),
            log: config.log,
            http: Http::new(),
            busy: Arc::clone(&handle.0.busy),
            scale: Arc::clone(&handle.0.scale),
            polls: Polls::new(config.limits.unix_connections / 4),
            pages: Pages::default(),
            linger: config.limits.linger,
            house: handle.clone(),
        });
        *handle.0.shared.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&shared);
        handle.keep(tokio::spawn(Arc::clone(&handle.0.tcp).keep_sweeping()));
        handle.keep(tokio::spawn(Arc::clone(&handle.0.unix).keep_sweeping()));
        handle.keep(tokio::spawn(recycle_at_lock(handle.clone(), shared.engine.lock_events())));
        if let Some(listener) = config.unix {
            let registry = Arc::clone(&handle.0.unix);
            let unix =
                Unix { peer_of: config.peer_of, owner: config.owner, registry, shared: Arc::clone(&shared) };
            listener.set_nonblocking(true).map_err(unusable)?;
            handle.keep(tokio::spawn(
                unix.run(tokio::net::UnixListener::from_std(listener).map_err(unusable)?),
            ));
        }
        Ok(Server { handle, _shared: shared })
    }

    /// A hold on it.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Handle {
    fn new(config: &ServerConfig) -> Self {
        let (hosts, limits) = (Hosts::new(&config.hostnames), &config.limits);
        let patience = Patience {
            head: ticks(limits.head),
            idle: ticks(limits.idle),
            stalled: ticks(limits.stalled),
            heavy: ticks(limits.heavy),
        };
        let scale = Scale::new(limits.answers);
        Self(Arc::new(House {
            shared: Mutex::new(Weak::new()),
            tls: Tls::new(hosts.clone(), Arc::clone(&config.clock)),
            hosts,
            tcp: Registry::new(limits.tcp_connections, patience, Arc::clone(&scale)),
            unix: Registry::new(limits.unix_connections, patience, Arc::clone(&scale)),
            busy: Arc::new(Busy::default()),
            scale,
            tasks: Mutex::new(Vec::new()),
            addresses: Mutex::new(Vec::new()),
            ca: Mutex::new(None),
            warnings: Mutex::new(Vec::new()),
            vault_name: Mutex::new(None),
            about: config.about.clone(),
            stop_requested: Notify::new(),
            stopping: watch::Sender::new(false),
            runtime: tokio::runtime::Handle::current(),
        }))
    }

    /// Serves TLS on these listeners, already bound. Call it once [`Tls::install`] has been given a leaf: without one every
    /// handshake fails. Any thread may call it: a new leaf comes from the engine's own.
    ///
    /// # Errors
    /// `UNAVAILABLE` where a listener cannot be used or the server is gone.
    pub fn listen_tcp(&self, listeners: Vec<TcpListener>) -> Result<()> {
        let shared = self.0.shared.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        let shared = shared.ok_or_else(|| Error::unavailable("the server has stopped"))?;
        let _runtime = self.0.runtime.enter();
        let tcp = Tcp { acceptor: self.0.tls.acceptor()?, registry: Arc::clone(&self.0.tcp), shared };
        for listener in listeners {
            let address = listener.local_addr().map_err(unusable)?;
            listener.set_nonblocking(true).map_err(unusable)?;
            let listener = tokio::net::TcpListener::from_std(listener).map_err(unusable)?;
            self.keep(tokio::spawn(tcp.clone().run(listener)));
            self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        }
        Ok(())
    }

    /// The leaf.
    pub fn tls(&self) -> &Tls {
        &self.0.tls
    }

    /// Addresses that TLS listens on.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.addresses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What `GET /v1/ca` answers: the CA certificate, PEM; and its fingerprint, `sha256:<hex>`, for `status`.
    pub fn set_ca(&self, pem: String, fingerprint: String) {
        *self.0.ca.lock().unwrap_or_else(PoisonError::into_inner) = Some((pem, fingerprint));
    }

    /// The CA certificate, PEM.
    pub fn ca(&self) -> Option<String> {
        self.0.ca.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(pem, _)| pem.clone())
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> Option<String> {
        self.0.ca.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, print)| print.clone())
    }

    /// Ends every connection once its answers have left. New ones are welcome.
    pub fn recycle(&self) {
        self.0.tcp.recycle();
        self.0.unix.recycle();
    }

    /// Returns when a caller with the right to it has asked for a stop.
    pub async fn stop_requested(&self) {
        self.0.stop_requested.notified().await;
    }

    /// Asks for a stop.
    pub fn request_stop(&self) {
        self.0.stop_requested.notify_one();
    }

    /// Stops: no new connections at once; what is in flight has `grace` to be answered, then is cut.
    pub async fn stop(&self, grace: Duration) {
        self.0.stopping.send_replace(true);
        for task in self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            task.abort();
        }
        tokio::join!(self.0.tcp.close(grace), self.0.unix.close(grace));
        let _ = tokio::time::timeout(grace, self.0.busy.idle()).await;
    }

    /// Replaces the configured host names, for `Host` and SNI alike. The leaf must bear them too.
    pub fn set_hostnames(&self, names: &[String]) {
        self.0.hosts.set(names);
    }

    /// How many clients are connected.
    pub fn connections(&self) -> usize {
        self.0.tcp.len() + self.0.unix.len()
    }

    /// True once a stop has begun: streams end themselves.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }

    pub(crate) fn about(&self) -> &About {
        &self.0.about
    }

    /// How prompts and pages name the vault: its directory, where that is not the one in the home; else nothing.
    pub fn name_vault(&self, name: Option<String>) {
        *self.0.vault_name.lock().unwrap_or_else(PoisonError::into_inner) = name;
    }

    pub(crate) fn vault_name(&self) -> Option<String> {
        self.0.vault_name.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a sentence to the warnings of `status`, once.
    pub fn warn(&self, sentence: String) {
        let mut warnings = self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&sentence) {
            warnings.push(sentence);
        }
    }

    pub(crate) fn warnings(&self) -> Vec<String> {
        self.0.warnings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.0.tasks.lock().unwrap_or_else(PoisonError::into_inner).push(task);
    }
}

/// A keep-alive connection's buffers may still hold what it last carried; at lock they go.
async fn recycle_at_lock(handle: Handle, mut unlocked: watch::Receiver<bool>) {
    while unlocked.wait_for(|unlocked| !unlocked).await.is_ok() {
        handle.recycle();
        if unlocked.wait_for(|unlocked| *unlocked).await.is_err() {
            return;
        }
    }
}

fn unusable(error: std::io::Error) -> Error {
    Error::unavailable("the server cannot listen").cause(error)
}
