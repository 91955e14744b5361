//! A vault to work in.

use hqv_test::{Home, Ran, TestServer};

/// Long enough without `--weak`.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// A home for this very binary.
pub fn home() -> Home {
    hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"));
    Home::new()
}

/// The same for an ordinary user, where the tests run as root.
pub fn ordinary() -> Home {
    hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"));
    Home::ordinary()
}

/// A daemon with a vault, unlocked.
pub fn vault(home: &Home) -> TestServer<'_> {
    TestServer::with_vault(home, PASSPHRASE)
}

/// A command of the owner.
pub fn owner(home: &Home, words: &[&str]) -> Ran {
    home.cli(words).owner().run()
}

/// Stores a value as the owner.
pub fn store(home: &Home, path: &str, value: &[u8]) {
    home.cli(["store", path, "--raw"]).owner().stdin(value).run().ok();
}

/// Makes a token as the owner.
pub fn token(home: &Home, words: &[&str]) -> String {
    let made = home.cli(["token", "create"].iter().chain(words)).owner().run().ok();
    made.out().trim_end().to_owned()
}
