//! What a run is told.

use crate::Result;
use std::path::PathBuf;
use std::time::Duration;

/// The parts that can be named.
pub const PARTS: &[&str] = &[
    "get", "cli", "entry", "memory", "unlock", "record", "ledger", "mirror", "durable", "delivery",
    "families",
];

/// `load [--dir DIR] [--out FILE] [--commit TEXT] [--against BINARY] [--quick | --long] [PART...]`
#[derive(Debug, Clone)]
pub struct Options {
    /// Where vaults are made: it decides which disk is measured.
    pub dir: PathBuf,
    /// Where the results go beside stdout.
    pub out: Option<PathBuf>,
    /// What was built, for the results.
    pub commit: String,
    /// Another build of hq-vault, to be measured beside this one.
    pub against: Option<PathBuf>,
    /// Ten minutes of load for the memory, instead of half a minute.
    pub long: bool,
    /// A tenth of everything, to try the bench itself. Its ratios mean nothing.
    pub quick: bool,
    /// What to run; never empty.
    pub parts: Vec<String>,
}

impl Options {
    /// From the words after the program's name.
    ///
    /// # Errors
    /// An unknown word.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Options> {
        let mut options = Options {
            dir: PathBuf::from("/tmp"),
            out: None,
            commit: "unknown".into(),
            against: None,
            long: false,
            quick: false,
            parts: Vec::new(),
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--dir" => options.dir = value()?.into(),
                "--out" => options.out = Some(value()?.into()),
                "--against" => options.against = Some(value()?.into()),
                "--commit" => options.commit = value()?,
                "--long" => options.long = true,
                "--quick" => options.quick = true,
                part if PARTS.contains(&part) => options.parts.push(word),
                _ => return Err(format!("{word}: the parts are {}", PARTS.join(", ")).into()),
            }
        }
        if options.parts.is_empty() {
            options.parts = PARTS.iter().map(|part| (*part).to_owned()).collect();
        }
        Ok(options)
    }

    /// Whether `part` is to run.
    pub fn wants(&self, part: &str) -> bool {
        self.parts.iter().any(|wanted| wanted == part)
    }

    /// `full`, or less when it is only tried out.
    pub fn times(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(10) } else { full }
    }

    /// The length of one slice.
    pub fn slice(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 1000 })
    }

    /// How many secrets the two vaults hold.
    pub fn sizes(&self) -> (usize, usize) {
        if self.quick { (1_000, 10_000) } else { (10_000, 100_000) }
    }
}
