//! Unlocking beside its key derivation, and starting.

use super::Bench;
use crate::Result;
use crate::report::{Goal, Section};
use crate::stats::median;
use crate::subject::process::cpu_us;
use crate::subject::vault::{PASSPHRASE, Vault};
use hqv_crypto::RootKey;
use hqv_crypto::slot::{KdfParams, seal_passphrase};
use hqv_model::{Entropy, SecretBytes, SlotId, VaultId};
use std::time::Instant;

const ABOUT: &str = "`POST /v1/unlock` on the socket less the same key derivation done alone beside it, in turn (medians of the \
    differences); `hq-vault serve --daemon` from fork to exit with the vault locked.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let rounds = bench.options.times(9);
    let mut section = Section::new("Unlock and start", ABOUT);
    let small = bench.small()?;
    unlocks(&mut section, small, "10,000 secrets", 40.0, rounds)?;
    starts(&mut section, small, "10,000 secrets", rounds)?;
    let large = bench.large()?;
    unlocks(&mut section, large, "100,000 secrets", 350.0, rounds)?;
    starts(&mut section, large, "100,000 secrets", rounds)?;
    Ok(section)
}

fn unlocks(section: &mut Section, vault: &mut Vault, what: &str, goal: f64, rounds: usize) -> Result<()> {
    let (mut whole, mut alone, mut cpu) = (Vec::new(), Vec::new(), Vec::new());
    let (pid, me) = (vault.pid()?, std::process::id());
    for _ in 0..rounds {
        vault.lock()?;
        let before = (cpu_us(pid)?, cpu_us(me)?);
        whole.push(vault.unlock()?.as_secs_f64() * 1e3);
        alone.push(derivation()?);
        cpu.push((cpu_us(pid)? - before.0 - cpu_us(me)? + before.1) / 1e3);
    }
    let less: Vec<f64> = whole.iter().zip(&alone).map(|(whole, alone)| whole - alone).collect();
    let beside = format!(
        "whole {:.0} ms, key derivation {:.0} ms; {:.0} ms of processor time beyond it",
        median(&whole),
        median(&alone),
        median(&cpu)
    );
    section.add(format!("unlock beyond the KDF, {what}"), Goal::AtMost(goal), median(&less), "ms", beside);
    Ok(())
}

fn starts(section: &mut Section, vault: &mut Vault, what: &str, rounds: usize) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        vault.stop()?;
        times.push(vault.serve()?.as_secs_f64() * 1e3);
    }
    vault.unlock()?;
    section.add(format!("serve --daemon ready, {what}"), Goal::AtMost(100.0), median(&times), "ms", "");
    Ok(())
}

struct System;

impl Entropy for System {
    fn fill(&mut self, bytes: &mut [u8]) {
        // Without random bytes the derivation takes the same time.
        let _ = hqv_sys::random::fill(bytes);
    }
}

/// Milliseconds of one derivation with the vault's parameters, as the daemon does it.
fn derivation() -> Result<f64> {
    let (root, passphrase) = (RootKey::generate(&mut System), SecretBytes::from_slice(PASSPHRASE.as_bytes()));
    let (vault, slot) = (VaultId::from_bytes([1; 16]), SlotId::from_bytes([2; 16]));
    let start = Instant::now();
    seal_passphrase(&root, vault, slot, &passphrase, KdfParams::DEFAULT, &mut System)?;
    hqv_sys::memory::give_back();
    Ok(start.elapsed().as_secs_f64() * 1e3)
}
