//! Secure entry: how long a person and an agent wait for the machine.

use super::Bench;
use super::cli::time;
use crate::Result;
use crate::report::{Goal, Section};
use crate::stats::median;
use crate::subject::vault::{Vault, path};
use hqv_sys::pty::Pty;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const ABOUT: &str = "From fork until the prompt of `hq-vault ingest` stands on its terminal. From connecting to the whole \
    entry page. And `hq-vault get PATH` from fork to exit, in turn with the owner's session and with a token.";

/// A prompt or a page that does not come within this ends the run.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let mut section = Section::new("Secure entry", ABOUT);
    let rounds = bench.options.times(100);
    let small = bench.small()?;
    page(&mut section, small, rounds)?;
    prompt(&mut section, small, rounds)?;
    session(&mut section, small, 3 * rounds)?;
    Ok(section)
}

fn prompt(section: &mut Section, vault: &Vault, rounds: usize) -> Result<()> {
    let mut times = Vec::new();
    for round in 0..rounds {
        let mut terminal = Pty::open()?;
        let mut command = vault.command(&["ingest", &format!("bench/prompt-{round}")])?;
        command.env("TERM", "xterm");
        terminal.attach(&mut command)?;
        let start = Instant::now();
        let mut child = command.spawn()?;
        terminal.wait_for("leaves it open: ", PATIENCE)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        // Ctrl-D refuses: the entry is over.
        terminal.type_in(&[4])?;
        child.wait()?;
    }
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let beside = format!("median {:.1} ms of {rounds}; this is the slowest", median(&times));
    section.add("the prompt on the screen", Goal::AtMost(50.0), slowest, "ms", beside);
    Ok(())
}

fn page(section: &mut Section, vault: &Vault, rounds: usize) -> Result<()> {
    let opened = vault.post("/v1/entries", "{\"path\":\"bench/page\"}")?;
    let word = |name: &str| opened.get(name).and_then(serde_json::Value::as_str);
    let (Some(url), Some(id), Some(submit)) = (word("url"), word("id"), word("submit")) else {
        return Err("an entry without a page".into());
    };
    let address = url.strip_prefix("http://").and_then(|rest| rest.split('#').next()).unwrap_or_default();
    let (place, target) = address.split_once('/').ok_or("an odd address of a page")?;
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        let mut link = TcpStream::connect(place)?;
        link.set_read_timeout(Some(PATIENCE))?;
        write!(link, "GET /{target} HTTP/1.1\r\nhost: {place}\r\nconnection: close\r\n\r\n")?;
        let mut answer = Vec::new();
        link.read_to_end(&mut answer)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        if !answer.starts_with(b"HTTP/1.1 200 ") {
            return Err("the page was not answered".into());
        }
    }
    vault.post(&format!("/v1/entries/{id}:refuse"), &format!("{{\"submit\":\"{submit}\"}}"))?;
    let slowest = times.iter().copied().fold(0.0, f64::max);
    let beside = format!("median {:.2} ms of {rounds}; this is the slowest", median(&times));
    section.add("the page answered", Goal::AtMost(20.0), slowest, "ms", beside);
    Ok(())
}

fn session(section: &mut Section, vault: &Vault, rounds: usize) -> Result<()> {
    let token = vault.token("bench-entry", &[])?;
    let mut owner = vault.command(&["get", &path(1)])?;
    let mut worker = vault.command(&["get", &path(1)])?;
    worker.env_remove("HQ_VAULT_SESSION").env("HQ_VAULT_TOKEN", &token);
    let (mut with_session, mut with_token) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        with_session.push(time(&mut owner)?);
        with_token.push(time(&mut worker)?);
    }
    let (mine, other) = (median(&with_session), median(&with_token));
    let beside = format!("session {mine:.2} ms, token {other:.2} ms, medians of {rounds}");
    section.add("a session above a token", Goal::AtMost(1.0), mine - other, "ms", beside);
    Ok(())
}
