//! Where the server is: `https://host:port` or `unix:/path`, and nothing that merely looks like it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::error::{ClientError, Result};

/// A server's address, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// The vault's Unix socket.
    Unix(PathBuf),
    /// TLS on a port.
    Https {
        /// A name in lower case, or an address without brackets.
        host: String,
        /// The port; 443 where the URL has none.
        port: u16,
    },
}

impl Target {
    /// Reads a URL. A refusal never repeats the URL, which may hold a credential.
    ///
    /// # Errors
    /// `BAD_REQUEST` for other schemes, for credentials, a path, a query, and a host or port that is none.
    pub fn parse(url: &str) -> Result<Self> {
        if let Some(path) = url.strip_prefix("unix:") {
            return Self::unix(path.strip_prefix("//").unwrap_or(path));
        }
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(refused("the server's URL has no scheme"));
        };
        match scheme.to_ascii_lowercase().as_str() {
            "https" => Self::https(rest),
            "http" => {
                Err(refused("the server's URL begins with http://, and a vault is never asked without TLS"))
            }
            _ => Err(refused("the server's URL has a scheme that is not known here")),
        }
    }

    /// Whether it can only be this machine: the socket, `localhost`, 127.0.0.0/8 or ::1.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Https { host, .. } => {
                host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
            }
        }
    }

    /// The addresses of a loopback name, which no name service is asked about.
    pub(crate) fn loopback_addresses(host: &str) -> Option<[IpAddr; 2]> {
        (host == "localhost").then_some([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)])
    }

    /// What `Host` says.
    pub(crate) fn host_header(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".to_owned(),
            Self::Https { host, port } if host.contains(':') => format!("[{host}]:{port}"),
            Self::Https { host, port } => format!("{host}:{port}"),
        }
    }

    fn unix(path: &str) -> Result<Self> {
        if path.starts_with('/') && !path.contains('\0') {
            Ok(Self::Unix(PathBuf::from(path)))
        } else {
            Err(refused("a unix: URL needs the socket's whole path, from /"))
        }
    }

    fn https(rest: &str) -> Result<Self> {
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if authority.contains('@') {
            return Err(refused("the server's URL holds a user name or password"));
        }
        if !matches!(tail, "" | "/") {
            return Err(refused("the server's URL holds more than host and port"));
        }
        let (host, port) = split_port(authority)?;
        Ok(Self::Https { host: parse_host(host)?, port })
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Https { .. } => write!(f, "https://{}", self.host_header()),
        }
    }
}

fn split_port(authority: &str) -> Result<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, tail)) => (host, Some(tail.strip_prefix(':').unwrap_or_default())),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let Some(port) = port else { return Ok((host, 443)) };
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse() {
        Ok(number) if digits && number != 0 => Ok((host, number)),
        _ => Err(refused("the server's URL has a port that is not a number from 1 to 65535")),
    }
}

fn parse_host(host: &str) -> Result<String> {
    // One dot at the end is the root of DNS; the certificate knows the name without it.
    let host = host.strip_suffix('.').unwrap_or(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let labels = host.split('.').all(|label| !label.is_empty());
    if !labels || host.len() > 253 || !host.bytes().all(fits) {
        return Err(refused("the server's URL has a host that is neither a name in ASCII nor an address"));
    }
    Ok(host.to_ascii_lowercase())
}

fn refused(message: &str) -> ClientError {
    ClientError::usage(message).hint("write it as https://host:port or unix:/path")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn https(host: &str, port: u16) -> Target {
        Target::Https { host: host.to_owned(), port }
    }

    #[test]
    fn what_people_write() {
        assert_eq!(Target::parse("https://localhost:13100").unwrap(), https("localhost", 13100));
        assert_eq!(Target::parse("HTTPS://Vault.Internal/").unwrap(), https("vault.internal", 443));
        assert_eq!(Target::parse("https://[::1]:13100").unwrap(), https("::1", 13100));
        assert_eq!(Target::parse("https://10.0.0.7:8443/").unwrap(), https("10.0.0.7", 8443));
        assert_eq!(Target::parse("unix:/run/v.sock").unwrap(), Target::Unix("/run/v.sock".into()));
        assert_eq!(Target::parse("unix:///run/v.sock").unwrap(), Target::Unix("/run/v.sock".into()));
    }

    #[test]
    fn what_is_refused_and_never_repeated() {
        for url in [
            "",
            "localhost:13100",
            "http://localhost:13100",
            "https://",
            "https://:1",
            "https://.",
            "https://h..",
            "https://a..b",
            "https://h:0",
            "https://h:65536",
            "https://h:+1",
            "https://h:",
            "https://u:canary@h",
            "https://canary@h:1",
            "https://h/v1",
            "https://h?canary=1",
            "https://h#canary",
            "https://h\\canary",
            "https://a b",
            "https://h\u{f6}st",
            "https://[::1",
            "https://::1",
            "https://[::1]x",
            "unix:run/v.sock",
            "unix:",
            "ftp://h",
            "https://[vault]:1x",
        ] {
            let error = Target::parse(url).unwrap_err();
            assert_eq!(error.code, "BAD_REQUEST", "{url}");
            assert!(!error.message.contains("canary"), "{url}");
            assert!(error.hint.is_some());
        }
    }

    #[test]
    fn what_is_local() {
        for url in ["https://localhost:1", "https://127.9.9.9:1", "https://[::1]:1", "unix:/x"] {
            assert!(Target::parse(url).unwrap().is_local(), "{url}");
        }
        for url in ["https://localhost.example.com", "https://10.0.0.1", "https://0.0.0.0:1", "https://vault"]
        {
            assert!(!Target::parse(url).unwrap().is_local(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_refused(url in "(https://)?\\PC{0,30}") {
            if let Ok(target) = Target::parse(&url) {
                prop_assert_eq!(Target::parse(&target.to_string()).unwrap(), target);
            }
        }
    }
}
