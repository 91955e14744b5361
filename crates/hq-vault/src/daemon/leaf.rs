//! The TLS leaf on disk: `ca.pem`, `tls.pem`, `tls.key`, and when a new one is due.
//!
//! `tls.pem` bears two lines before its certificate, the names and the CA that
//! it was made for; PEM readers pass over them (RFC 7468 section 2). Its dates
//! are read from the certificate.

use std::io::Read;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hqv_crypto::ca;
use hqv_engine::Hooks;
use hqv_model::Timestamp;
use hqv_server::{Handle, Leaf};
use hqv_sys::files::{self, Access};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::der::validity;
use super::{listen, state_files};
use crate::cli::output::error::Failure;
use crate::settings::paths::{VaultDir, shown};

/// Certificates and keys are small.
const MOST: u64 = 256 * 1024;

/// A leaf as it stands on disk.
pub struct Stored {
    /// The leaf, ready for the server.
    pub leaf: Leaf,
    not_before: Timestamp,
    names: Vec<String>,
    ca: String,
}

/// Reads the vault's own leaf. None where it is missing or does not read.
pub fn load(dir: &VaultDir) -> Option<Stored> {
    let pem = read(&dir.root().join("tls.pem"))?;
    let key = read(&dir.root().join("tls.key"))?;
    let text = String::from_utf8_lossy(&pem);
    let line =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    let names = line("names:").split_whitespace().map(str::to_owned).collect();
    let (leaf, not_before) = assemble(&pem, &key).ok()?;
    Some(Stored { leaf, not_before, names, ca: line("ca:") })
}

/// The owner's own certificate and key, `--tls-cert` and `--tls-key`.
pub fn given(cert: &Path, key: &Path) -> Result<Leaf, Failure> {
    let bytes = |path: &Path| {
        let mut file = hqv_sys::input::open_input(path)?;
        hqv_sys::input::read_bounded(&mut file, MOST as usize)
    };
    let pem = bytes(cert).map_err(|e| Failure::io(format!("cannot read {}", shown(cert)), &e))?;
    let private = bytes(key).map_err(|e| Failure::io(format!("cannot read {}", shown(key)), &e))?;
    assemble(&pem, &private).map(|(leaf, _)| leaf).map_err(|what| match what {
        Part::Certificate => Failure::usage(format!("{} holds no certificate in PEM", shown(cert))),
        Part::Key => Failure::usage(format!("{} holds no private key in PKCS#8 PEM", shown(key)))
            .hint("openssl pkcs8 -topk8 -nodes -in OLD -out NEW writes one"),
    })
}

enum Part {
    Certificate,
    Key,
}

fn assemble(pem: &[u8], key: &[u8]) -> Result<(Leaf, Timestamp), Part> {
    let chain: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(pem)
        .map(|c| c.map(|c| c.as_ref().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|_| Part::Certificate)?;
    let (not_before, not_after) = chain.first().and_then(|der| validity(der)).ok_or(Part::Certificate)?;
    let PrivateKeyDer::Pkcs8(key) = PrivateKeyDer::from_pem_slice(key).map_err(|_| Part::Key)? else {
        return Err(Part::Key);
    };
    let key = Zeroizing::new(key.secret_pkcs8_der().to_vec());
    Ok((Leaf { chain, key, not_after }, not_before))
}

fn read(path: &Path) -> Option<Zeroizing<Vec<u8>>> {
    let mut file = files::open_private(path, Access::Read).ok()?.take(MOST);
    hqv_sys::input::read_bounded(&mut file, MOST as usize).ok()
}

/// What the engine asks of us at unlock: whether a leaf is due, and to take the
/// new one into use. It is never called back from here.
pub struct LeafKeeper {
    dir: VaultDir,
    fixed: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    handle: Option<Handle>,
    bind: Option<Bind>,
    names: Vec<String>,
}

/// What to bind once there is a leaf.
#[derive(Clone)]
pub struct Bind {
    /// The port; 0 for a free one.
    pub port: u16,
    /// Addresses beside loopback.
    pub more: Vec<std::net::IpAddr>,
}

impl LeafKeeper {
    /// `fixed`: the owner's own certificate is served, ours is never made.
    pub fn new(dir: VaultDir, fixed: bool) -> LeafKeeper {
        LeafKeeper { dir, fixed, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands over the server and what to bind when a leaf comes.
    pub fn attach(&self, handle: Handle, bind: Bind) {
        let mut state = self.state();
        (state.handle, state.bind) = (Some(handle), Some(bind));
    }

    /// Takes a leaf into use and listens where that is not so yet.
    pub fn serve(&self, leaf: Leaf, bound: Option<Vec<TcpListener>>) -> Result<(), Failure> {
        let mut state = self.state();
        let Some(handle) = state.handle.clone() else {
            return Ok(());
        };
        handle.tls().install(leaf)?;
        let Some(bind) = state.bind.take() else {
            return Ok(());
        };
        let listeners = match bound {
            Some(bound) => bound,
            None => listen::tcp(bind.port, &bind.more)?,
        };
        let port = listen::port_of(&listeners);
        handle.listen_tcp(listeners)?;
        if let Some(port) = port {
            state_files::write_port(&self.dir, port)
                .map_err(|e| Failure::io("cannot write vault.port", &e))?;
        }
        Ok(())
    }

    fn store(&self, ca_der: &[u8], leaf: &ca::Leaf) -> std::io::Result<()> {
        let names = self.state().names.join(" ");
        let head = format!("names: {names}\nca: {}\n", hqv_crypto::wire::fingerprint_of(ca_der));
        let root = self.dir.root();
        let write = |name: &str, text: &[u8]| files::write_atomic(&root.join(name), text, 0o600);
        // The key first: a crash in between leaves a pair that does not fit,
        // which does not load, and the next unlock makes a new one.
        write("tls.key", pem("PRIVATE KEY", &leaf.key_der).as_bytes())?;
        write("tls.pem", (head + &pem("CERTIFICATE", &leaf.cert_der)).as_bytes())?;
        write("ca.pem", ca_text(ca_der).as_bytes())
    }
}

/// `ca.pem` says what it is for.
fn ca_text(ca_der: &[u8]) -> String {
    let words = "The CA certificate of one HQ Vault. Clients of this vault trust it; it is not for the trust store of a system.\n";
    words.to_owned() + &pem("CERTIFICATE", ca_der)
}

fn pem(label: &str, der: &[u8]) -> Zeroizing<String> {
    use base64::Engine as _;
    let body = Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(body.len() + body.len() / 64 + 80));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    for line in body.as_bytes().chunks(64) {
        text.push_str(std::str::from_utf8(line).unwrap_or_default());
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

impl Hooks for LeafKeeper {
    fn notify(&self, command: Option<&str>, code: &str) {
        if let Some(command) = command {
            crate::entry::notify::own_program(command, code);
        }
    }

    fn leaf_due(&self, now: Timestamp, names: &[String], ca_der: &[u8]) -> bool {
        if self.fixed {
            return false;
        }
        // The leaf that may be made next bears these.
        self.state().names = names.to_vec();
        let Some(stored) = load(&self.dir) else {
            return true;
        };
        let life = stored.leaf.not_after.since(stored.not_before);
        let aged = now.since(stored.not_before) >= life / 3 || now >= stored.leaf.not_after;
        let others = names.iter().any(|name| !stored.names.contains(name));
        aged || others || stored.ca != hqv_crypto::wire::fingerprint_of(ca_der)
    }

    fn new_leaf(&self, ca_der: &[u8], leaf: ca::Leaf) {
        let stored = self.store(ca_der, &leaf);
        let handle = self.state().handle.clone();
        let Some(handle) = handle else { return };
        if let Err(e) = stored {
            handle.warn(format!(
                "the new certificate could not be kept: {}",
                crate::cli::output::error::reason(&e)
            ));
        }
        handle.set_ca(ca_text(ca_der), hqv_crypto::wire::fingerprint_of(ca_der));
        let leaf = Leaf { chain: vec![leaf.cert_der], key: leaf.key_der, not_after: leaf.not_after };
        if let Err(failure) = self.serve(leaf, None) {
            handle.warn(format!("TLS does not listen: {}", failure.message()));
        }
    }
}
