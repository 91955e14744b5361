//! Checks of the house, run by `scripts/test`: `cargo run -p xtask -- all`.
//!
//! One rule, one file, each a function from text to findings, so that its test can show it failing. `tree`
//! reads the repository, `code` tells code from comments and strings, `cargo` asks cargo.
#![forbid(unsafe_code)]

mod arrows;
mod cargo;
mod code;
mod deps;
mod forbids;
mod licence;
mod rows;
mod secrets;
mod sizes;
mod tree;
mod unsafe_code;
mod words;

use std::path::Path;
use std::process::ExitCode;
use tree::Tree;

const USAGE: &str = "usage: cargo run -p xtask -- CHECK...
  arrows    which crate may depend on which
  unsafe    `unsafe` stands in hqv-sys alone, every other crate root forbids it
  sizes     no file above 600 lines
  forbids   clock, environment, generator and backends stay in their places
  words     no path of a machine, host of a registry or secret in the text
  deps      licences, sources, pre-releases and bans, by deny.toml
  all       all of these
  rows      the rows of scripts/rows.toml against the tests in the tree";

/// What a check found wrong: one line each, beginning with the place.
type Findings = Vec<String>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::from(2)
        }
    }
}

const ALL: [&str; 6] = ["arrows", "unsafe", "sizes", "forbids", "words", "deps"];

fn run(words: &[String]) -> Result<bool, String> {
    let named = words.iter().map(String::as_str);
    let names: Vec<&str> =
        named.flat_map(|word| if word == "all" { ALL.to_vec() } else { vec![word] }).collect();
    if names.is_empty() || names.iter().any(|name| !ALL.contains(name) && *name != "rows") {
        return Err(USAGE.into());
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no folder above xtask")?;
    let tree = Tree::read(root)?;
    let mut clean = true;
    for name in names {
        let findings = check(name, &tree)?;
        for finding in &findings {
            println!("{name}: {finding}");
        }
        println!("{name}: {}", if findings.is_empty() { "ok" } else { "not ok" });
        clean &= findings.is_empty();
    }
    Ok(clean)
}

fn check(name: &str, tree: &Tree) -> Result<Findings, String> {
    Ok(match name {
        "arrows" => arrows::check(&cargo::members(&tree.root)?),
        "unsafe" => unsafe_code::check(&tree.files, &cargo::members(&tree.root)?),
        "sizes" => sizes::check(&tree.files),
        "forbids" => forbids::check(&tree.files),
        "words" => {
            let mut findings = words::check(&tree.files);
            findings.extend(secrets::check(&tree.files));
            findings
        }
        "deps" => deps::check(&cargo::packages(&tree.root)?, tree.text("deny.toml")?),
        _ => rows::check(tree)?,
    })
}
