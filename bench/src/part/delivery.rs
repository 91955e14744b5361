//! How values come to programs, as whole processes: many at once, a program under `run`, and a file's worth coming in.

use super::Bench;
use super::cli::time;
use crate::Result;
use crate::report::{Goal, Section};
use crate::stats::median;
use crate::subject::vault::Vault;
use std::fmt::Write;
use std::fs;
use std::process::Command;

const ABOUT: &str = "From fork to exit, in turn, with HQ_VAULT_TOKEN over the socket: `hq-vault get` of one secret, \
    `hq-vault env-file` of 200 of 40 bytes, `hq-vault run --env` of one with `true`, and a bare `true`. Then \
    `hq-vault import` of 10,000 lines of 40 bytes by the owner, each under a prefix of its own.";
/// Variables of the one `env-file`.
const MANY: usize = 200;
/// Lines of one import; no more are taken at once.
const LINES: usize = 10_000;

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let mut section = Section::new("Delivery", ABOUT);
    let (rounds, imports) = (bench.options.times(200), bench.options.times(5));
    let vault = bench.small()?;
    vault.run(&["import", &file(vault, MANY)?, "--prefix", "delivery/"])?;
    let token = vault.token("bench-delivery", &["--path", "delivery/", "--can", "read"])?;
    let command = |words: &[&str]| -> Result<Command> {
        let mut command = vault.command(words)?;
        command.env_remove("HQ_VAULT_SESSION").env("HQ_VAULT_TOKEN", &token);
        Ok(command)
    };
    let mut all = [
        command(&["get", "delivery/key-0"])?,
        command(&["env-file", "delivery/", "--format", "export"])?,
        command(&["run", "--env", "KEY=delivery/key-0", "--", "true"])?,
        Command::new("true"),
    ];
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..rounds {
        for (command, times) in all.iter_mut().zip(&mut times) {
            times.push(time(command)?);
        }
    }
    let [get, many, under, bare] = times.map(|times| median(&times));
    let beside = format!("env-file {many:.2} ms, get {get:.2} ms, medians of {rounds}");
    section.add("env-file of 200 against one get", Goal::AtMost(2.0), many / get, "x", beside);
    let beside = format!("run {under:.2} ms, true {bare:.2} ms");
    section.add(
        "run -- true above a bare true and a get",
        Goal::AtMost(5.0),
        under - bare - get,
        "ms",
        beside,
    );

    let lines = file(vault, LINES)?;
    let mut spent = Vec::new();
    for number in 0..imports {
        spent.push(time(&mut vault.command(&[
            "import",
            &lines,
            "--prefix",
            &format!("import-{number}/"),
            "--quiet",
        ])?)?);
    }
    let beside = format!("median of {imports}");
    section.add("import of 10,000 lines", Goal::AtMost(1000.0), median(&spent), "ms", beside);
    Ok(section)
}

/// A `.env` beside the vault with this many variables; its path.
fn file(vault: &Vault, count: usize) -> Result<String> {
    let mut text = String::new();
    for number in 0..count {
        writeln!(text, "KEY_{number}=made-up-{number:032}")?;
    }
    let path = vault.beside(&format!("{count}.env"));
    fs::write(&path, text)?;
    Ok(path.to_str().ok_or("the bench folder has no name in UTF-8")?.to_owned())
}
