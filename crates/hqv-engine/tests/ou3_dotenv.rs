//! OU3: what `dotenv` writes is read back byte for byte by each of the real readers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use hqv_engine::transfer::{Entry, Format, Reader, import, render, render_for};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::process::Command;
use support::readers::{nodes, npm_dotenv, npm_dotenvx, python_dotenv};
use support::{credible_values, entries, entry, generated_values, hard_values, have};

/// Each reader prints `NAME=hex` for the names in the file `names`.
const NODE: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
for (const n of fs.readFileSync('names', 'utf8').split('\\n'))
  if (n in process.env) console.log(n + '=' + hex(process.env[n]));";

const NPM: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
const all = require(process.argv[1]).parse(fs.readFileSync('.env', 'utf8'), { processEnv: {} });
for (const [n, v] of Object.entries(all)) console.log(n + '=' + hex(v));";

const PYTHON: &str = "import sys; sys.path.insert(0, sys.argv[1])
from dotenv import dotenv_values
for n, v in dotenv_values('.env').items(): print(n + '=' + v.encode().hex())";

const BASH: &str = ". ./.env
while read -r name; do printf '%s\\0' \"${!name}\"; done < names |
  od -An -v -tx1 | tr -d '\\n' | sed 's/ 00/\\n/g' | tr -d ' ' | paste -d= names -";

/// A program that reads as one of the readers does, and its name.
type Program = (String, Command);

fn programs(reader: Reader) -> Vec<Program> {
    let library = |folder: Option<PathBuf>, name: &str, program: &str, args: [&str; 2]| {
        folder.map(|folder| {
            let mut command = Command::new(program);
            command.args(args).arg(folder);
            (name.to_owned(), command)
        })
    };
    match reader {
        Reader::Node => nodes()
            .into_iter()
            .map(|node| {
                let mut command = Command::new(&node);
                command.args(["--env-file=.env", "-e", NODE]);
                (format!("{} --env-file", node.display()), command)
            })
            .collect(),
        Reader::Dotenv => library(npm_dotenv(), "npm dotenv", "node", ["-e", NPM]).into_iter().collect(),
        Reader::Python => {
            library(python_dotenv(), "python-dotenv", "python3", ["-c", PYTHON]).into_iter().collect()
        }
        Reader::Bash if have("bash", &["-c", ":"]) => {
            let mut command = Command::new("bash");
            command.args(["-c", BASH]);
            vec![("bash".to_owned(), command)]
        }
        Reader::Bash => Vec::new(),
    }
}

/// What reads the format that all have in common: each reader's programs, and dotenvx.
fn everybody() -> Vec<Program> {
    let dotenvx = npm_dotenvx().map(|folder| {
        let mut command = Command::new("node");
        command.args(["-e", NPM]).arg(folder);
        ("dotenvx".to_owned(), command)
    });
    Reader::ALL.iter().flat_map(|reader| programs(*reader)).chain(dotenvx).collect()
}

/// Has the real programs read the file, and compares every value.
fn assert_read(programs: Vec<Program>, file: &[u8], wanted: &[Entry]) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), file).unwrap();
    let names: String = wanted.iter().map(|entry| format!("{}\n", entry.name)).collect();
    std::fs::write(folder.path().join("names"), names).unwrap();
    for (reader, mut command) in programs {
        let output = command.current_dir(folder.path()).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{reader}: {errors}");
        let printed = String::from_utf8(output.stdout).unwrap();
        let got: HashMap<&str, &str> = printed.lines().filter_map(|line| line.split_once('=')).collect();
        for entry in wanted {
            let hex: String = entry.value.reveal().iter().map(|byte| format!("{byte:02x}")).collect();
            let shown = entry.value.reveal().escape_ascii();
            assert_eq!(
                got.get(entry.name.as_str()),
                Some(&hex.as_str()),
                "{reader}: {} = {shown}",
                entry.name
            );
        }
    }
    assert!(!folder.path().join("injected").exists(), "a value was run");
}

fn carried(values: Vec<Vec<u8>>) -> Vec<Entry> {
    let one = |value: &Vec<u8>| render(Format::Dotenv, &[entry("V", value)]).is_ok();
    entries(&values.into_iter().filter(one).collect::<Vec<_>>())
}

fn read_by_all(values: Vec<Vec<u8>>, at_least: usize) {
    let all = carried(values);
    assert!(all.len() >= at_least, "only {} values are carried", all.len());
    // The variables must fit one exec's environment.
    for some in all.chunks(1500) {
        let file = render(Format::Dotenv, some).unwrap();
        assert_read(everybody(), file.reveal(), some);
    }
}

#[test]
fn ou3_hard_values_by_every_reader() {
    read_by_all(hard_values(), 70);
}

#[test]
fn ou3_generated_text_by_every_reader() {
    read_by_all(generated_values(0xd07, 2000, true), 800);
    read_by_all(credible_values(0xd08, 2000), 1500);
}

/// Why the readers' grammars have nothing in common for a value.
fn cause(value: &[u8]) -> &'static str {
    let Ok(text) = std::str::from_utf8(value) else { return "it is not UTF-8" };
    let single = text.contains('\'');
    if text.contains('\r') {
        "a carriage return"
    } else if text.contains("${") && text.contains('}') {
        "${...}, a variable to Python in any quotes"
    } else if single && text.contains(['"', '`']) {
        "' beside \" or `"
    } else if single && text.contains('$') {
        "' beside $"
    } else if single {
        "' beside a backslash"
    } else {
        "two backslashes, or one at the end"
    }
}

/// Each way to write a value on its line: the quotes there are, and an escape or none for each character that has one
/// in some grammar.
fn spellings(text: &str) -> BTreeSet<String> {
    const ESCAPES: &[(&str, &str)] = &[
        ("\\", "\\\\"),
        ("\"", "\\\""),
        ("'", "\\'"),
        ("`", "\\`"),
        ("$", "\\$"),
        ("\n", "\\n"),
        ("\r", "\\r"),
    ];
    let escaped = |chosen: u32| {
        // The backslash comes first, so that none of the others' is escaped in turn.
        let chosen = ESCAPES.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1);
        chosen.fold(text.to_owned(), |text, (_, (plain, escape))| text.replace(plain, escape))
    };
    let quotes = ["", "'", "\"", "`"];
    let all = (0..1 << ESCAPES.len()).flat_map(|chosen| {
        let text = escaped(chosen);
        quotes.map(|quote| format!("V={quote}{text}{quote}\n"))
    });
    all.collect()
}

/// Refused no more often than the common grammar forces: what is refused has no spelling that all four readers take for
/// it. The readers are import's, which `ou3_import` holds to the real ones. The shares and causes stand in
/// docs/env-files.md.
#[test]
fn ou3_what_is_refused_has_no_spelling_that_all_read() {
    let generated =
        [("dense", generated_values(0xd07, 2000, true)), ("credible", credible_values(0xd08, 2000))];
    for (kind, values) in generated {
        let refused: Vec<_> =
            values.iter().filter(|value| render(Format::Dotenv, &[entry("V", value)]).is_err()).collect();
        let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
        for value in &refused {
            let seen = causes.entry(cause(value)).or_default();
            *seen += 1;
            // All of them where there is time, else some of each cause.
            if *seen > 12 && std::env::var_os("HQV_LONG").is_none() {
                continue;
            }
            let reads = |reader: &Reader, line: &str| {
                import::read(*reader, line.as_bytes()).is_ok_and(|reading| {
                    let clean = reading.problems.is_empty();
                    let found = reading.last().0;
                    clean && found.len() == 1 && found[0].value.reveal() == value.as_slice()
                })
            };
            let text = std::str::from_utf8(value).unwrap();
            let way = spellings(text).into_iter().find(|line| Reader::ALL.iter().all(|one| reads(one, line)));
            assert_eq!(way, None, "{}", value.escape_ascii());
        }
        println!("dotenv: {} of {} {kind} values are refused: {causes:?}", refused.len(), values.len());
    }
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
    assert_read(everybody(), file.reveal(), &all);
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
        for some in all.chunks(1500) {
            let file = render_for(*reader, some).unwrap();
            assert_read(programs(*reader), file.reveal(), some);
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
