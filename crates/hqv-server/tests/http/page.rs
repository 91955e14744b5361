//! The entry page's other side: what a browser would send, byte by byte.

use crate::client::{Reply, read_to_close, soon};
use crate::house::{House, entropy};
use hqv_crypto::entry_seal;
use hqv_model::{EntryId, SecretPath, VaultId};
use serde_json::{Value, json};
use std::sync::Mutex;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// An open page and what its address holds.
pub struct Page {
    pub port: u16,
    pub id: String,
    pub submit: String,
    /// Every byte that crossed loopback, both ways.
    pub seen: Mutex<Vec<u8>>,
}

impl Page {
    /// Asks for an entry as an agent on the socket and reads the page's address.
    pub async fn open(house: &House, body: &str) -> Page {
        Page::open_as(house, "", body).await
    }

    /// The same with a token.
    pub async fn open_as(house: &House, token: &str, body: &str) -> Page {
        let reply = house.unix().send("POST", "/v1/entries", token, Some(body)).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        Page::of(&reply)
    }

    pub fn of(reply: &Reply) -> Page {
        let answer = reply.json();
        let url = answer["url"].as_str().expect("an address");
        let rest = url.strip_prefix("http://127.0.0.1:").unwrap();
        let (port, rest) = rest.split_once('/').unwrap();
        let (id, fragment) = rest.split_once('#').unwrap();
        let (submit, hash) = fragment.split_once('.').unwrap();
        assert_eq!((id, submit.len(), hash.len()), (answer["id"].as_str().unwrap(), 43, 43), "{url}");
        assert_eq!(answer["submit"], submit);
        Page { port: port.parse().unwrap(), id: id.into(), submit: submit.into(), seen: Mutex::default() }
    }

    /// Sends a request with exactly these headers and reads to the end of the connection.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut head = format!("{method} {path} HTTP/1.1\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() || method == "POST" {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        let bytes = format!("{head}Connection: close\r\n\r\n{body}");
        let text = soon(async {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
            let _ = stream.write_all(bytes.as_bytes()).await;
            read_to_close(&mut stream).await
        })
        .await;
        self.seen.lock().unwrap().extend([bytes.as_bytes(), text.as_bytes()].concat());
        parse(&text)
    }

    /// As the page itself asks.
    pub async fn call(&self, verb: &str, body: &str) -> Reply {
        let (host, origin) = (format!("127.0.0.1:{}", self.port), format!("http://127.0.0.1:{}", self.port));
        let mut headers = vec![
            ("Host", host.as_str()),
            ("Origin", &origin),
            ("Sec-Fetch-Site", "same-origin"),
            ("X-HQV-Submit", &self.submit),
        ];
        if !body.is_empty() {
            headers.push(("Content-Type", "application/json"));
        }
        self.send("POST", &format!("/{}/{verb}", self.id), &headers, body).await
    }

    pub async fn about(&self) -> Value {
        let reply = self.call("about", "").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// What `store` takes for this value, sealed from what `about` says, as the page does it.
    pub async fn sealed(&self, value: &[u8]) -> String {
        let about = self.about().await;
        let public = unbase64url(about["publicKey"].as_str().unwrap()).try_into().unwrap();
        let info = entry_seal::info(
            VaultId::parse(about["vault"].as_str().unwrap()).unwrap(),
            EntryId::parse(&self.id).unwrap(),
            &SecretPath::parse(about["path"].as_str().unwrap()).unwrap(),
            about["overwrite"].as_bool().unwrap(),
        );
        let mut rng: Box<dyn hqv_model::Entropy> = entropy();
        let (enc, ciphertext) = entry_seal::seal(&public, &info, value, rng.as_mut()).unwrap();
        json!({"enc": hqv_api::entry::base64url(&enc), "ciphertext": hqv_api::entry::base64url(&ciphertext)})
            .to_string()
    }

    pub async fn store(&self, value: &[u8]) -> Reply {
        let body = self.sealed(value).await;
        self.call("store", &body).await
    }

    /// Whether this very page still answers. Its port may be another test's by now.
    pub async fn is_open(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)).await else { return false };
        let head = format!("GET /{} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", self.id);
        let _ = stream.write_all(head.as_bytes()).await;
        read_to_close(&mut stream).await.starts_with("HTTP/1.1 200")
    }

    pub async fn state(&self) -> String {
        self.call("state", "").await.json()["state"].as_str().unwrap().to_owned()
    }
}

fn parse(text: &str) -> Reply {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
    let mut headers = http::HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    Reply { status: status.unwrap_or(0), headers, text: body.to_owned() }
}

pub fn unbase64url(text: &str) -> Vec<u8> {
    let sealed = hqv_api::EntrySealed { enc: text.to_owned(), ciphertext: String::new() };
    sealed.into_bytes().unwrap().0
}
