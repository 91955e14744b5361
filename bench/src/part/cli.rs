//! The command line as a whole process.

use super::Bench;
use crate::Result;
use crate::report::{Goal, Section};
use crate::stats::median;
use crate::subject::vault::{path, target};
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::time::Instant;

const ABOUT: &str = "From fork to exit, in turn: `hq-vault get PATH` with HQ_VAULT_TOKEN over the socket, and \
    `curl -s --unix-socket` for the same request.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let mut section = Section::new("Command line", ABOUT);
    let rounds = bench.options.times(300);
    let small = bench.small()?;
    let token = small.token("bench-cli", &[])?;
    let mut ours = small.command(&["get", &path(1)])?;
    ours.env_remove("HQ_VAULT_SESSION").env("HQ_VAULT_TOKEN", &token);
    let header = small.beside("curl-header");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&header)?;
    std::io::Write::write_all(&mut file, format!("Authorization: Bearer {token}\n").as_bytes())?;
    let mut curl = Command::new("curl");
    curl.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").args(["-sf", "-H"]);
    curl.arg(format!("@{}", header.display())).arg("--unix-socket").arg(small.dir().join("vault.sock"));
    curl.arg(format!("http://localhost{}", target(1)));

    let value = String::from_utf8(ours.output()?.stdout)?;
    let answer = String::from_utf8(curl.output()?.stdout)?;
    if value.trim_end().is_empty() || !answer.contains(value.trim_end()) {
        return Err("hq-vault and curl do not give the same value".into());
    }
    let (mut our_times, mut curl_times) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        our_times.push(time(&mut ours)?);
        curl_times.push(time(&mut curl)?);
    }
    let (mine, other) = (median(&our_times), median(&curl_times));
    let beside = format!("hq-vault {mine:.2} ms, curl {other:.2} ms, medians of {rounds}");
    section.add("hq-vault get against curl", Goal::AtMost(0.3), mine / other, "x", beside);
    Ok(section)
}

/// One run, milliseconds.
pub(super) fn time(command: &mut Command) -> Result<f64> {
    let start = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit()).status()?;
    let spent = start.elapsed().as_secs_f64() * 1e3;
    if status.success() { Ok(spent) } else { Err(format!("{command:?} failed: {status}").into()) }
}
