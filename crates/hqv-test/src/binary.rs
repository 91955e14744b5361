//! Where the real binary is.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;

static TOLD: OnceLock<PathBuf> = OnceLock::new();

/// Tells the kit which binary to run: `hqv_test::use_binary(env!("CARGO_BIN_EXE_hq-vault"))`. The first
/// call counts.
pub fn use_binary(path: impl Into<PathBuf>) {
    let _ = TOLD.set(path.into());
}

/// The one told, else the one in `HQ_VAULT_BIN` or in Cargo's own variable, else the one in the target
/// directory that this test was built into.
pub(crate) fn find() -> PathBuf {
    let named =
        || ["HQ_VAULT_BIN", "CARGO_BIN_EXE_hq-vault"].iter().find_map(std::env::var_os).map(PathBuf::from);
    TOLD.get().cloned().or_else(named).unwrap_or_else(beside_us)
}

fn beside_us() -> PathBuf {
    let here = std::env::current_exe().expect("a test knows its own program");
    let mut places = here.ancestors().skip(1).map(|dir| dir.join("hq-vault"));
    places.find(|path| path.is_file()).expect("hq-vault is not built: cargo build -p hq-vault")
}

/// The program where an ordinary user can run it: a copy, where it stands below a directory closed to others.
pub(crate) fn reachable(program: &Path) -> (PathBuf, Option<TempDir>) {
    let closed = |path: &Path| fs::metadata(path).is_ok_and(|meta| meta.mode() & 0o001 == 0);
    let program = fs::canonicalize(program).expect("the program is there");
    if !program.ancestors().any(closed) {
        return (program, None);
    }
    let dir = TempDir::new().expect("a temporary directory");
    let copy = dir.path().join("hq-vault");
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("our own directory");
    fs::copy(&program, &copy).expect("room for a copy of the program");
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).expect("our own file");
    (copy, Some(dir))
}
