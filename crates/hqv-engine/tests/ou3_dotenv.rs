//! OU3: what `dotenv` writes is read back byte for byte by each of the real readers.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use hqv_engine::transfer::{Entry, Format, Reader, render, render_for};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::{credible_values, entries, entry, generated_values, hard_values, have, missing};

/// Each reader prints `NAME=hex` for the names in the file `names`.
const NODE: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
for (const n of fs.readFileSync('names', 'utf8').split('\\n'))
  if (n in process.env) console.log(n + '=' + hex(process.env[n]));";

const NPM: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
const all = require(process.argv[1]).parse(fs.readFileSync('.env'));
for (const [n, v] of Object.entries(all)) console.log(n + '=' + hex(v));";

const PYTHON: &str = "import sys; sys.path.insert(0, sys.argv[1])
from dotenv import dotenv_values
for n, v in dotenv_values('.env').items(): print(n + '=' + v.encode().hex())";

const BASH: &str = ". ./.env
while read -r name; do printf '%s=' \"$name\"; printf %s \"${!name}\" | od -An -v -tx1 | tr -d ' \\n'; echo; done < names";

/// Where the libraries are put, once for all runs: below the target folder.
fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("dotenv-readers")
}

fn install(once: &'static OnceLock<bool>, program: &str, args: &[&str], proof: &Path) -> bool {
    *once.get_or_init(|| {
        if proof.exists() {
            return true;
        }
        std::fs::create_dir_all(tools()).unwrap();
        let done = Command::new(program).args(args).current_dir(tools()).output();
        let done = done.is_ok_and(|output| output.status.success()) && proof.exists();
        done || missing(&format!("{program} could not install the library"))
    })
}

fn have_npm_dotenv() -> bool {
    static ONCE: OnceLock<bool> = OnceLock::new();
    let args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", "npm", "dotenv@17"];
    have("node", &["--version"])
        && install(&ONCE, "npm", &args, &tools().join("npm/node_modules/dotenv/package.json"))
}

fn have_python_dotenv() -> bool {
    static ONCE: OnceLock<bool> = OnceLock::new();
    let args = ["-m", "pip", "install", "--quiet", "--target", "python", "python-dotenv"];
    have("python3", &["--version"])
        && install(&ONCE, "python3", &args, &tools().join("python/dotenv/main.py"))
}

fn command(reader: Reader) -> Option<Command> {
    let mut command;
    match reader {
        Reader::Node if have("node", &["--env-file=/dev/null", "--version"]) => {
            command = Command::new("node");
            command.args(["--env-file=.env", "-e", NODE]);
        }
        Reader::Dotenv if have_npm_dotenv() => {
            command = Command::new("node");
            command.args(["-e", NPM]).arg(tools().join("npm/node_modules/dotenv"));
        }
        Reader::Python if have_python_dotenv() => {
            command = Command::new("python3");
            command.args(["-c", PYTHON]).arg(tools().join("python"));
        }
        Reader::Bash if have("bash", &["-c", ":"]) => {
            command = Command::new("bash");
            command.args(["-c", BASH]);
        }
        _ => return None,
    }
    Some(command)
}

/// Has the real reader read the file, and compares every value.
fn assert_read(reader: Reader, file: &[u8], wanted: &[Entry]) {
    let Some(mut command) = command(reader) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let names: String = wanted.iter().map(|entry| format!("{}\n", entry.name)).collect();
    std::fs::write(folder.path().join("names"), names).unwrap();
    let output = command.current_dir(folder.path()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{reader}: {errors}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let got: std::collections::HashMap<&str, &str> =
        printed.lines().filter_map(|line| line.split_once('=')).collect();
    for entry in wanted {
        let hex: String = entry.value.reveal().iter().map(|byte| format!("{byte:02x}")).collect();
        let shown = entry.value.reveal().escape_ascii();
        assert_eq!(got.get(entry.name.as_str()), Some(&hex.as_str()), "{reader}: {} = {shown}", entry.name);
    }
}

fn carried(values: Vec<Vec<u8>>) -> Vec<Entry> {
    let one = |value: &Vec<u8>| render(Format::Dotenv, &[entry("V", value)]).is_ok();
    entries(&values.into_iter().filter(one).collect::<Vec<_>>())
}

fn read_by_all(values: Vec<Vec<u8>>, at_least: usize) {
    let all = carried(values);
    assert!(all.len() >= at_least, "only {} values are carried", all.len());
    // The variables must fit one exec's environment.
    for some in all.chunks(500) {
        let file = render(Format::Dotenv, some).unwrap();
        Reader::ALL.iter().for_each(|reader| assert_read(*reader, file.reveal(), some));
    }
}

#[test]
fn ou3_hard_values_by_every_reader() {
    read_by_all(hard_values(), 70);
}

#[test]
fn ou3_generated_text_by_every_reader() {
    read_by_all(generated_values(0xd07, 2000, true), 800);
}

#[test]
fn ou3_each_character_by_every_reader() {
    let points = (1..0x180).chain([0x2028, 0x2029, 0xfeff, 0xfffd, 0x1_f511]);
    let characters = points.filter_map(char::from_u32).filter(|c| *c != '\r');
    read_by_all(
        characters
            .flat_map(|c| [format!("{c}"), format!("it's {c}"), format!("a{c}{c} b")])
            .map(String::into_bytes)
            .collect(),
        1000,
    );
}

#[test]
fn ou3_the_longest_value_by_every_reader() {
    let text: String = "it's 128 KiB\n".chars().cycle().take(131_072 - 5).collect();
    let all = [entry("KEY", text.as_bytes())];
    let file = render(Format::Dotenv, &all).unwrap();
    Reader::ALL.iter().for_each(|reader| assert_read(*reader, file.reveal(), &all));
}

/// Each reader alone. Half of the generated texts are dense with quotes, backslashes and the like: where all three
/// quotes meet a newline, a `#` or a blank at an end, neither JavaScript reader has a way to read the value.
#[test]
fn ou3_for_one_reader() {
    for reader in Reader::ALL {
        let dense = generated_values(0xf04, 2000, true);
        let credible = credible_values(0xcede, 2000);
        let shares = match reader {
            Reader::Node | Reader::Dotenv => (1880, 1980),
            Reader::Python => (1980, 1980),
            Reader::Bash => (2000, 2000),
        };
        let able = |values: Vec<Vec<u8>>| -> Vec<_> {
            values.into_iter().filter(|value| reader.can_read(value)).collect()
        };
        let (dense, credible) = (able(dense), able(credible));
        println!("{reader}: {} of 2000 dense, {} of 2000 credible", dense.len(), credible.len());
        assert!(dense.len() >= shares.0 && credible.len() >= shares.1, "{reader}");
        let all = entries(&[dense, credible, able(hard_values())].concat());
        for some in all.chunks(500) {
            let file = render_for(*reader, some).unwrap();
            assert_read(*reader, file.reveal(), some);
        }
    }
}

#[test]
fn ou3_json_by_node_and_python() {
    let all: Vec<Vec<u8>> = hard_values().into_iter().filter(|v| std::str::from_utf8(v).is_ok()).collect();
    let all = entries(&all);
    let file = render(Format::Json, &all).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("e.json"), file.reveal()).unwrap();
    let node =
        "for (const [n, v] of Object.entries(JSON.parse(require('fs').readFileSync('e.json', 'utf8'))))
console.log(n + '=' + Buffer.from(v, 'utf8').toString('hex'))";
    let python = "import json
for n, v in json.load(open('e.json', encoding='utf-8')).items(): print(n + '=' + v.encode().hex())";
    let expected: String = all
        .iter()
        .map(|entry| {
            let hex: String = entry.value.reveal().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}={hex}\n", entry.name)
        })
        .collect();
    for (program, flag, script) in [("node", "-e", node), ("python3", "-c", python)] {
        if have(program, &["--version"]) {
            let output =
                Command::new(program).args([flag, script]).current_dir(folder.path()).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{program}");
        }
    }
}
