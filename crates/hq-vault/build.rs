//! On Linux with glibc the unwinder is linked in rather than loaded from `libgcc_s.so.1` at every start: a
//! command as short as `get` spends a tenth of its time there. Where the archive is not to be found, or the linker
//! keeps to the library, nothing changes but that tenth.
#![forbid(unsafe_code)]
#![allow(clippy::disallowed_methods)] // the environment is how cargo tells a build script anything

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let same = std::env::var("HOST").ok() == std::env::var("TARGET").ok();
    if target("OS") != "linux" || target("ENV") != "gnu" || !same {
        return;
    }
    let asked = Command::new("cc").arg("-print-file-name=libgcc_eh.a").output();
    let Ok(answer) = asked else { return };
    let text = String::from_utf8_lossy(&answer.stdout);
    let archive = Path::new(text.trim());
    if let Some(directory) = archive.parent().filter(|_| archive.is_file()) {
        println!("cargo::rustc-link-search=native={}", directory.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
