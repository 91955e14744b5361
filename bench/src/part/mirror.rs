//! The mirror of the record: what a plain copy of each record costs the reads.

use super::alternate::{Contender, alternate};
use super::{Bench, reads};
use crate::Result;
use crate::report::{Goal, Section};
use crate::subject::vault::Vault;

const ABOUT: &str = "GET over keep-alive TLS with an unlimited token, in slices that alternate between two vaults of the same \
    build: one without a mirror, one with. The mirror is a file that takes every line, and then one whose folder is gone, so \
    that the buffer is full and each record is counted as lost. Ratios are medians over pairs of slices.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("The mirror", ABOUT);
    let mirrored = Vault::make(&options.dir, options.sizes().0 + 1)?;
    let folder = mirrored.beside("copies");
    std::fs::create_dir_all(&folder)?;
    let target = format!("file:{}", folder.join("record.jsonl").display());
    mirrored.run(&["config", "set", "audit.mirror", &target])?;
    let plain = bench.small()?;
    for what in ["a file", "a place that is gone"] {
        let mut contenders = Vec::new();
        for vault in [&mirrored, &*plain] {
            let token = vault.token(&format!("mirror-{}", what.replace(' ', "-")), &[])?;
            contenders.push(Contender::new(vault.pid()?, &vault.tls()?, 8, reads(vault, &token, 1))?);
        }
        if let [with, without] = alternate(&mut contenders, &options)?.as_slice() {
            let said = format!("with {}; without {}", with.words(), without.words());
            let name = format!("GET, 8 connections, one path, mirror to {what}: rate");
            section.add(name, Goal::AtLeast(0.9), with.rate_against(without), "x", said);
        }
        // From here on the thread finds no place, and the lines wait until the buffer is full.
        // The second time it is gone already.
        let _ = std::fs::rename(&folder, folder.with_extension("gone"));
        let pid = mirrored.pid()?.to_string();
        std::process::Command::new("kill").args(["-HUP", &pid]).status()?;
    }
    Ok(section)
}
