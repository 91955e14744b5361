//! The bare server as a process.

use super::program;
use super::vault::Vault;
use crate::Result;
use crate::wire::drive::once;
use crate::wire::link::Place;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Running until it is dropped.
pub struct Floor {
    child: Child,
    /// Where it listens, with the vault's own certificate.
    pub place: Place,
}

impl Floor {
    /// Starts it with the answer that the vault gives to `request`, and with the vault's leaf, so that both sides do the
    /// same TLS.
    ///
    /// # Errors
    /// It does not start, or answers something else.
    pub fn start(vault: &Vault, request: &[u8]) -> Result<Floor> {
        let (answer, framed) = once(&vault.tls()?, request)?;
        let file = vault.beside("floor-answer");
        std::fs::write(&file, answer.get(..framed.end).unwrap_or_default())?;
        let mut child = Command::new(program("floor")?)
            .args([vault.dir().join("tls.pem"), vault.dir().join("tls.key"), file, "1".into()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        if let Some(out) = child.stdout.as_mut() {
            BufReader::new(out).read_line(&mut port)?;
        }
        let floor = Floor { place: Place::Tls(port.trim().parse()?, vault.trust()?), child };
        let (mine, _) = once(&floor.place, request)?;
        same(&answer, &mine)?;
        Ok(floor)
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

/// The floor must give the same: as many bytes, and but for the date the same ones.
fn same(ours: &[u8], floors: &[u8]) -> Result<()> {
    let lines = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let mut lines: Vec<String> =
            text.lines().filter(|l| !l.starts_with("date: ")).map(str::to_owned).collect();
        lines.sort();
        lines
    };
    if ours.len() == floors.len() && lines(ours) == lines(floors) {
        return Ok(());
    }
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Err(format!("the floor answers\n{}\nand the vault\n{}", show(floors), show(ours)).into())
}

impl Drop for Floor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
