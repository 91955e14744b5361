//! `HTTPS_PROXY` and `NO_PROXY`: a tunnel through a proxy for a remote server, never for this machine.
//!
//! Only `CONNECT` is used, so the proxy sees a host name, a port and TLS.

use std::net::IpAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use zeroize::Zeroizing;

use crate::error::{ClientError, Result};
use crate::target::Target;
use crate::tls;

/// What the environment says about proxies. The binary reads it; this crate reads no variables.
#[derive(Clone, Default)]
pub struct Proxy {
    /// `HTTPS_PROXY` or `https_proxy`: `http://[user:password@]host:port`.
    pub https_proxy: Option<String>,
    /// `NO_PROXY` or `no_proxy`: names, suffixes, addresses and networks, separated by commas; `*` for all.
    pub no_proxy: Option<String>,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may hold a password.
        write!(f, "Proxy {{ https_proxy: {}, no_proxy: {:?} }}", self.https_proxy.is_some(), self.no_proxy)
    }
}

/// A proxy to go through.
pub(crate) struct Hop {
    host: String,
    port: u16,
    authorization: Option<Zeroizing<String>>,
}

impl Proxy {
    /// The proxy for a target, where one is to be used.
    ///
    /// # Errors
    /// `BAD_REQUEST` for a proxy URL that cannot be used.
    pub(crate) fn hop(&self, target: &Target) -> Result<Option<Hop>> {
        let Target::Https { host, port } = target else {
            return Ok(None);
        };
        let url = self.https_proxy.as_deref().map(str::trim).filter(|url| !url.is_empty());
        match url {
            Some(url) if !target.is_local() && !self.excepts(host, *port) => parse(url).map(Some),
            _ => Ok(None),
        }
    }

    fn excepts(&self, host: &str, port: u16) -> bool {
        let list = self.no_proxy.as_deref().unwrap_or_default();
        list.split([',', ' '])
            .map(str::trim)
            .filter(|rule| !rule.is_empty())
            .any(|rule| matches(rule, host, port))
    }
}

fn matches(rule: &str, host: &str, port: u16) -> bool {
    if rule == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return in_network(rule, address);
    }
    let rule = match rule.rsplit_once(':') {
        Some((name, number)) if number.parse() == Ok(port) => name,
        Some(_) => return false,
        None => rule,
    };
    let name = rule.trim_start_matches("*.").trim_start_matches('.').to_ascii_lowercase();
    host == name
        || host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.') && !name.is_empty())
}

fn in_network(rule: &str, address: IpAddr) -> bool {
    let (network, bits) = match rule.split_once('/') {
        Some((network, bits)) => (network, bits.parse::<u32>().ok()),
        None => (rule, Some(128)),
    };
    let Some(bits) = bits else { return false };
    match (network.trim_matches(['[', ']']).parse(), address) {
        (Ok(IpAddr::V4(network)), IpAddr::V4(address)) => {
            let shift = 32u32.saturating_sub(bits);
            u32::from(network).checked_shr(shift) == u32::from(address).checked_shr(shift)
        }
        (Ok(IpAddr::V6(network)), IpAddr::V6(address)) => {
            let shift = 128u32.saturating_sub(bits);
            u128::from(network).checked_shr(shift) == u128::from(address).checked_shr(shift)
        }
        _ => false,
    }
}

fn parse(url: &str) -> Result<Hop> {
    let refused = |why: &str| {
        ClientError::usage(format!("HTTPS_PROXY cannot be used: {why}")).hint("write it as http://host:port")
    };
    let rest = match url.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        Some(_) => {
            return Err(refused("only a proxy that is spoken to over http:// is supported"));
        }
        None => url,
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let (login, authority) = match rest.rsplit_once('@') {
        Some((login, authority)) => (Some(login), authority),
        None => (None, rest),
    };
    // The same grammar as a server's, so that one parser decides what a host and a port are.
    let with_port = if authority.rsplit_once(':').is_some_and(|(_, port)| !port.contains(']')) {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    match Target::parse(&format!("https://{with_port}")) {
        Ok(Target::Https { host, port }) => {
            Ok(Hop { host, port, authorization: login.map(basic).transpose()? })
        }
        _ => Err(refused("it has no host and port")),
    }
}

/// RFC 7617, from a URL's percent-encoded user and password.
fn basic(login: &str) -> Result<Zeroizing<String>> {
    let (user, password) = login.split_once(':').unwrap_or((login, ""));
    let decode = |text: &str| {
        hqv_api::percent::decode(text)
            .map_err(|_| ClientError::usage("HTTPS_PROXY holds a login that does not decode"))
    };
    let plain =
        Zeroizing::new(format!("{}:{}", *Zeroizing::new(decode(user)?), *Zeroizing::new(decode(password)?)));
    Ok(Zeroizing::new(hqv_api::secret::base64_text(plain.as_bytes())))
}

/// Opens a tunnel to `host:port` through the proxy.
pub(crate) async fn tunnel(hop: &Hop, target: &Target, limit: Duration) -> Result<TcpStream> {
    let mut stream = tls::dial(&hop.host, hop.port, limit)
        .await
        .map_err(|error| ClientError { message: format!("the proxy: {}", error.message), ..error })?;
    let host = target.host_header();
    let mut request = Zeroizing::new(format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n"));
    if let Some(login) = &hop.authorization {
        request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", login.as_str()));
    }
    request.push_str("\r\n");
    let broken = |_| ClientError::connection("the proxy closed the connection");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    let answer = head(&mut stream).await?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status.len() == 3 && status.starts_with('2') {
        return Ok(stream);
    }
    let status: String = status.chars().filter(char::is_ascii_digit).take(3).collect();
    Err(ClientError::connection(format!("the proxy refused to connect to {host} (status {status})")))
}

/// Reads up to the blank line, byte by byte so that nothing of the tunnel is swallowed; at most 8 KiB.
async fn head(stream: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while head.len() < 8192 {
        let byte =
            stream.read_u8().await.map_err(|_| ClientError::connection("the proxy closed the connection"))?;
        head.push(byte);
        if head.ends_with(b"\r\n\r\n") {
            return Ok(String::from_utf8_lossy(&head).into_owned());
        }
    }
    Err(ClientError::connection("the proxy answered with more than 8 KiB"))
}

#[cfg(test)]
#[path = "proxy_tests.rs"]
mod tests;
