#![allow(clippy::unwrap_used)]
use super::*;

fn through(url: &str, proxy: Option<&str>, except: Option<&str>) -> bool {
    let proxy = Proxy { https_proxy: proxy.map(str::to_owned), no_proxy: except.map(str::to_owned) };
    proxy.hop(&Target::parse(url).unwrap()).unwrap().is_some()
}

#[test]
fn only_a_remote_server_is_asked_through_a_proxy() {
    let proxy = Some("http://proxy:3128");
    assert!(through("https://vault.internal", proxy, None));
    assert!(through("https://10.0.0.1:8443", proxy, None));
    for local in [
        "https://localhost:13100",
        "https://127.0.0.1",
        "https://127.3.2.1",
        "https://[::1]:1",
        "unix:/run/x",
    ] {
        assert!(!through(local, proxy, None), "{local}");
    }
    assert!(!through("https://vault.internal", None, None));
    assert!(!through("https://vault.internal", Some(" "), None));
}

#[test]
fn exceptions() {
    let case = |url: &str, except: &str| !through(url, Some("http://p:1"), Some(except));
    for except in [
        "*",
        "vault.internal",
        "internal",
        ".internal",
        "*.internal",
        "a, VAULT.internal",
        "vault.internal:443",
    ] {
        assert!(case("https://vault.internal", except), "{except}");
    }
    for except in
        ["", ",", ".", "ternal", "vault.internal.com", "vault", "vault.internal:444", "vault.internal:x"]
    {
        assert!(!case("https://vault.internal", except), "{except}");
    }
    for except in ["10.1.2.3", "10.0.0.0/8", "0.0.0.0/0", "10.1.2.3/32"] {
        assert!(case("https://10.1.2.3", except), "{except}");
    }
    for except in ["10.1.2.4", "11.0.0.0/8", "10.1.2.0/x", "10.1.2.2/32", "::/0", "3"] {
        assert!(!case("https://10.1.2.3", except), "{except}");
    }
    assert!(case("https://[fd00::7]", "fd00::/8") && !case("https://[fd00::7]", "fe80::/10"));
}

#[test]
fn what_a_proxy_url_may_be() {
    let hop = |url: &str| {
        parse(url).map(|hop| (hop.host, hop.port, hop.authorization.map(|login| login.to_string())))
    };
    assert_eq!(hop("http://proxy:3128/").unwrap(), ("proxy".to_owned(), 3128, None));
    assert_eq!(hop("proxy").unwrap(), ("proxy".to_owned(), 80, None));
    assert_eq!(hop("http://[::1]:3128").unwrap(), ("::1".to_owned(), 3128, None));
    assert_eq!(hop("http://[::1]").unwrap(), ("::1".to_owned(), 80, None));
    let login = hop("http://us%40er:p%3Aw@proxy:1").unwrap().2.unwrap();
    assert_eq!(login, hqv_api::secret::base64_text(b"us@er:p:w"));
    for bad in [
        "https://proxy:1",
        "socks5://proxy:1",
        "http://",
        "http://canary:canary@",
        "http://h/canary",
        "http://c%zz@h",
    ] {
        let error = parse(bad).err().unwrap();
        assert!(error.code == "BAD_REQUEST" && !error.message.contains("canary"), "{bad}");
    }
    let shown = format!("{:?}", Proxy { https_proxy: Some("http://u:canary@h".to_owned()), no_proxy: None });
    assert!(!shown.contains("canary"));
}
