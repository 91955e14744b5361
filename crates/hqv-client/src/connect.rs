//! A connection to the target: the socket with its two looks, or TLS against what is trusted.

use std::sync::Arc;

use rustls::ClientConfig;
use tokio::net::TcpStream;

use crate::client::Client;
use crate::error::{ClientError, Result};
use crate::target::Target;
use crate::trust::Anchor;
use crate::wire::{self, Sender};
use crate::{fetch, proxy, tls, unix};

/// Most of an answer's head that is held in memory.
const HEAD: usize = 64 * 1024;

impl Client {
    pub(crate) async fn connect(&mut self) -> Result<Sender> {
        let limit = self.options.connect_within;
        if let Target::Unix(path) = &self.options.target {
            let stream = unix::connect(path, self.options.own_uid, self.options.peer_uid, limit).await?;
            return wire::open(stream, HEAD).await;
        }
        let target = self.options.target.to_string();
        match tokio::time::timeout(limit, self.connect_tls()).await {
            Ok(result) => result,
            Err(_) => {
                Err(ClientError::connection(format!("{target} did not answer in {} s", limit.as_secs())))
            }
        }
    }

    async fn connect_tls(&mut self) -> Result<Sender> {
        let config = match &self.tls {
            Some(config) => Arc::clone(config),
            None => {
                let config = self.trusted().await?;
                self.tls = Some(Arc::clone(&config));
                config
            }
        };
        let stream = self.dial().await?;
        let stream = tls::handshake(config, &self.options.target, stream).await?;
        wire::open(stream, HEAD).await
    }

    /// The configuration that trusts the one anchor decided on, and nothing beside it.
    async fn trusted(&self) -> Result<Arc<ClientConfig>> {
        let trust = &self.options.trust;
        let roots = match trust.anchor(self.options.target.is_local())? {
            Anchor::Pinned(Some(certificate)) => tls::roots(&[certificate])?,
            Anchor::Pinned(None) => {
                let stream = self.dial().await?;
                tls::roots(&[fetch::pinned_ca(&self.options.target, stream, trust).await?])?
            }
            // A block of PEM may hold anything.
            Anchor::Roots(certificates) => tls::roots(&certificates).map_err(|_| {
                ClientError::usage("no certificate stands in the CA file, or one that cannot be read")
                    .hint("check HQ_VAULT_CACERT, or ca.pem in the vault directory")
            })?,
            Anchor::System => tls::system_roots()?,
        };
        tls::config(roots)
    }

    async fn dial(&self) -> Result<TcpStream> {
        let target = &self.options.target;
        let limit = self.options.connect_within;
        if let Some(hop) = self.options.proxy.hop(target)? {
            return proxy::tunnel(&hop, target, limit).await;
        }
        match target {
            Target::Https { host, port } => tls::dial(host, *port, limit).await,
            Target::Unix(_) => Err(ClientError::usage("a socket has no port")),
        }
    }
}
