//! A vault to ask of, and a person who answers.

use hqv_test::{Home, Ran, Terminal, TestServer};

/// Long enough without `--weak`.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Looks like what it is said to be.
pub fn stripe_key() -> String {
    format!("sk_live_{}", "a1B2".repeat(6)) // made up
}

/// What `ingest` is asked for nearly everywhere here.
pub const INGEST: [&str; 6] =
    ["ingest", "stripe/secret-key", "--type", "api-key", "--description", "Stripe live secret key"];

/// What it then prints, byte for byte.
pub const CONFIRMED: &str = "✅ Stored: stripe/secret-key (32 bytes, type: api-key)\n";

/// A home for this very binary.
pub fn home() -> Home {
    hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"));
    Home::new()
}

/// A daemon with a vault, unlocked.
pub fn vault(home: &Home) -> TestServer<'_> {
    TestServer::with_vault(home, PASSPHRASE)
}

/// A command of the owner.
pub fn owner(home: &Home, words: &[&str]) -> Ran {
    home.cli(words).owner().run()
}

/// The owner at a terminal.
pub fn at_terminal(home: &Home, words: &[&str]) -> Terminal {
    home.cli(words).owner().on_terminal()
}

/// The owner types `value` as the answer to `code`.
pub fn answer(home: &Home, code: &str, value: &str) -> Ran {
    let mut person = at_terminal(home, &["answer", code]);
    person.wait_for("leaves it open: ").line(value);
    person.finish()
}

/// By which way the newest version of a secret came in.
pub fn route_of(home: &Home, path: &str) -> String {
    let shown = owner(home, &["show", path, "--json"]).ok().json();
    shown["versions"][0]["route"].as_str().unwrap().to_owned()
}

/// The first code in a text.
pub fn code_in(text: &str) -> String {
    let is_code = |word: &&str| word.len() == 9 && word.as_bytes()[4] == b'-';
    let found = text.split(|c: char| c.is_whitespace() || c == ';').find(is_code);
    found.unwrap_or_else(|| panic!("no code in {text:?}")).to_owned()
}

/// The content of a file in the home, once something stands in it.
pub fn wait_for_file(home: &Home, name: &str) -> String {
    let end = hqv_sys::clock::boot() + hqv_test::PATIENCE;
    loop {
        match std::fs::read_to_string(home.path().join(name)) {
            Ok(text) if text.ends_with('\n') => return text,
            _ if hqv_sys::clock::boot() < end => std::thread::yield_now(),
            other => panic!("{name}: {other:?}"),
        }
    }
}
