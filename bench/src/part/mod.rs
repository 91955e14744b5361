//! The parts, one file for each group of goals.

pub mod alternate;
mod cli;
mod delivery;
mod durable;
mod entry;
mod families;
mod get;
mod ledger;
mod memory;
mod mirror;
mod record;
mod unlock;

use crate::Result;
use crate::options::Options;
use crate::report::Section;
use crate::subject::vault::{Vault, target};
use crate::wire::drive::Rotation;
use crate::wire::http::get as get_request;

/// What the parts share: two vaults, made when first needed.
pub struct Bench {
    /// What was asked for.
    pub options: Options,
    small: Option<Vault>,
    large: Option<Vault>,
}

impl Bench {
    /// With no vault yet.
    pub fn new(options: Options) -> Self {
        Self { options, small: None, large: None }
    }

    /// The vault with 10,000 secrets, unlocked.
    fn small(&mut self) -> Result<&mut Vault> {
        let count = self.options.sizes().0;
        made(&mut self.small, &self.options, count)
    }

    /// The vault with 100,000 secrets, unlocked.
    fn large(&mut self) -> Result<&mut Vault> {
        let count = self.options.sizes().1;
        made(&mut self.large, &self.options, count)
    }
}

fn made<'a>(slot: &'a mut Option<Vault>, options: &Options, count: usize) -> Result<&'a mut Vault> {
    if slot.is_none() {
        eprintln!("a vault with {count} secrets");
        *slot = Some(Vault::make(&options.dir, count)?);
    }
    slot.as_mut().ok_or_else(|| "no vault".into())
}

type Part = fn(&mut Bench) -> Result<Section>;

/// Runs what was asked for, in the order that disturbs least: durable work comes last, since its versions stay in the vault.
///
/// # Errors
/// The first failure ends the run.
pub fn run(bench: &mut Bench) -> Result<Vec<Section>> {
    let all: [(&str, Part); 11] = [
        ("get", get::run),
        ("cli", cli::run),
        ("entry", entry::run),
        ("memory", memory::run),
        ("unlock", unlock::run),
        ("record", record::run),
        ("ledger", ledger::run),
        ("mirror", mirror::run),
        ("durable", durable::run),
        ("delivery", delivery::run),
        ("families", families::run),
    ];
    let mut sections = Vec::new();
    for (name, part) in all {
        if bench.options.wants(name) {
            eprintln!("{name}");
            sections.push(part(bench)?);
        }
    }
    Ok(sections)
}

/// Reads of `count` paths, spread evenly over the vault.
fn reads(vault: &Vault, token: &str, count: usize) -> Rotation {
    let step = vault.count() / count;
    Rotation::new((0..count).map(|i| get_request(&target(i * step), token)).collect())
}
