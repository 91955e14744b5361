//! A remote vault through a proxy: the proxy learns a name, a port and nothing else.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::sync::{Arc, Mutex};

use hqv_client::{Client, Proxy, Trust};
use support::{Ca, options, tls_server, vault};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Tunnels everything to one port and keeps the heads that it was sent.
async fn proxy(to: u16, status: &'static str) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let (port, heads) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
    let kept = Arc::clone(&heads);
    tokio::spawn(async move {
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(client.read_u8().await.unwrap());
            }
            heads.lock().unwrap().push(String::from_utf8(head).unwrap());
            client.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).await.unwrap();
            if status.starts_with('2') {
                let mut server = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
            }
        }
    });
    (port, kept)
}

#[tokio::test]
async fn a_pinned_remote_vault_is_reached_through_the_proxy() {
    let ca = Ca::new();
    let leaf = ca.leaf("vault.internal");
    let (to, log) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let (port, heads) = proxy(to, "200 OK").await;
    let mut options = options("vault.internal", 8443, Trust { pin: Some(ca.pin()), ..Trust::default() });
    options.proxy.https_proxy = Some(format!("http://me:pass@127.0.0.1:{port}"));
    Client::new(options).unwrap().status().await.unwrap();
    assert_eq!(log.first_lines(), ["GET /v1/ca HTTP/1.1", "GET /v1/status HTTP/1.1"]);
    let login = "Proxy-Authorization: Basic bWU6cGFzcw==";
    let expected =
        format!("CONNECT vault.internal:8443 HTTP/1.1\r\nHost: vault.internal:8443\r\n{login}\r\n\r\n");
    assert_eq!(*heads.lock().unwrap(), [expected.clone(), expected]);
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_and_loopback_passes_it_by() {
    let ca = Ca::new();
    let leaf = ca.leaf("localhost");
    let (to, _) = tls_server(move |_| Arc::clone(&leaf), vault(ca.pem.clone())).await;
    let (port, heads) = proxy(to, "407 No").await;
    let through = Proxy { https_proxy: Some(format!("127.0.0.1:{port}")), no_proxy: None };
    let trust = Trust { pin: Some(ca.pin()), ..Trust::default() };
    let mut remote = options("vault.internal", 8443, trust.clone());
    remote.proxy = through.clone();
    let error = Client::new(remote).unwrap().status().await.unwrap_err();
    assert!(
        error.message.contains("the proxy refused") && error.message.contains("407"),
        "{}",
        error.message
    );
    let mut local = options("localhost", to, trust);
    local.proxy = through;
    Client::new(local).unwrap().status().await.unwrap();
    assert_eq!(heads.lock().unwrap().len(), 1);
}
