//! `vault.pid` and `vault.port`: for people and for clients that look for the
//! port. Nothing is decided by the pid. The second line of `vault.pid` holds
//! the options of the start, so that `--restart` keeps them.

use std::io::Read;
use std::path::Path;

use hqv_sys::files::{self, Access};

use super::options::Options;
use crate::settings::paths::VaultDir;

/// Nothing in these files is longer.
const MOST: u64 = 64 * 1024;

/// Says that we run.
pub fn write_pid(dir: &VaultDir, options: &Options) -> std::io::Result<()> {
    let options = serde_json::to_string(options).unwrap_or_default();
    let text = format!("{}\n{options}\n", std::process::id());
    files::write_atomic(&dir.pid(), text.as_bytes(), 0o600)
}

/// Says on which port.
pub fn write_port(dir: &VaultDir, port: u16) -> std::io::Result<()> {
    files::write_atomic(&dir.port(), format!("{port}\n").as_bytes(), 0o600)
}

/// Takes both away, and the socket.
pub fn remove(dir: &VaultDir, socket: &Path) {
    for path in [dir.pid().as_path(), dir.port().as_path(), socket] {
        let _ = std::fs::remove_file(path);
    }
}

/// The port that the last daemon had.
pub fn port(dir: &VaultDir) -> Option<u16> {
    read(&dir.port())?.trim().parse().ok()
}

/// The options that the last daemon had.
pub fn options(dir: &VaultDir) -> Option<Options> {
    let text = read(&dir.pid())?;
    serde_json::from_str(text.lines().nth(1)?).ok()
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    files::open_private(path, Access::Read).ok()?.take(MOST).read_to_string(&mut text).ok()?;
    Some(text)
}
