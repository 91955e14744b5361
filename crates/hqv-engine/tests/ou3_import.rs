//! OU3: each reader's grammar as `import` reads it, against the real readers: hand-made hard files and generated ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use hqv_engine::transfer::Reader;
use hqv_engine::transfer::import::{self, Reading};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use support::readers::{nodes, npm_dotenv, python_dotenv};
use support::{Dice, have};

/// Each program reads the files `0`, `1`, ... in its folder and prints `INDEX NAME=hex` for every variable in them.
const NODE: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
for (let i = 0; fs.existsSync(String(i)); i++)
  for (const [n, v] of Object.entries(require('util').parseEnv(fs.readFileSync(String(i), 'utf8'))))
    console.log(i + ' ' + n + '=' + hex(v));";

const NPM: &str = "const fs = require('fs'); const hex = (t) => Buffer.from(t, 'utf8').toString('hex');
for (let i = 0; fs.existsSync(String(i)); i++)
  for (const [n, v] of Object.entries(require(process.argv[1]).parse(fs.readFileSync(String(i)))))
    console.log(i + ' ' + n + '=' + hex(v));";

const PYTHON: &str = "import sys, os; sys.path.insert(0, sys.argv[1])
from dotenv import dotenv_values
i = 0
while os.path.exists(str(i)):
    for n, v in dotenv_values(str(i)).items(): print(str(i) + ' ' + n + '=' + v.encode().hex())
    i += 1";

/// Only the names that we read: bash has variables of its own. A file must be read without a sound.
const BASH: &str = "i=0; while [ -e $i ]; do (
  . ./$i 2>noise || exit 1; [ -s noise ] && exit 1
  while read -r name; do printf '%s %s=' $i \"$name\"; printf %s \"${!name}\" | od -An -v -tx1 | tr -d ' \\n'; echo; done < $i.names
) || echo \"$i !\"; i=$((i+1)); done";

fn commands(reader: Reader) -> Vec<Command> {
    let programs: Vec<(PathBuf, [&str; 2], Option<PathBuf>)> = match reader {
        Reader::Node => nodes().into_iter().map(|node| (node, ["-e", NODE], None)).collect(),
        Reader::Dotenv => {
            npm_dotenv().into_iter().map(|folder| ("node".into(), ["-e", NPM], Some(folder))).collect()
        }
        Reader::Python => python_dotenv()
            .into_iter()
            .map(|folder| ("python3".into(), ["-c", PYTHON], Some(folder)))
            .collect(),
        Reader::Bash if have("bash", &["-c", ":"]) => vec![("bash".into(), ["-c", BASH], None)],
        Reader::Bash => Vec::new(),
    };
    let command = |(program, args, folder): (PathBuf, [&str; 2], Option<PathBuf>)| {
        let mut command = Command::new(program);
        command.args(args).args(folder);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", "C.UTF-8");
        command
    };
    programs.into_iter().map(command).collect()
}

type Variables = BTreeMap<String, String>;

fn ours(reading: Reading) -> Variables {
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect();
    reading.last().0.iter().map(|one| (one.name.to_string(), hex(one.value.reveal()))).collect()
}

/// Compares every file that we read without a problem; says how many those were.
fn compare(reader: Reader, files: &[Vec<u8>]) -> usize {
    let readings: Vec<(&Vec<u8>, Variables)> = files
        .iter()
        .map(|file| (file, import::read(reader, file).unwrap()))
        .filter(|(_, reading)| reading.problems.is_empty())
        .map(|(file, reading)| (file, ours(reading)))
        .collect();
    let commands = commands(reader);
    let compared = if commands.is_empty() { usize::MAX } else { readings.len() };
    for command in commands {
        compare_with(reader, command, &readings);
    }
    compared
}

fn compare_with(reader: Reader, mut command: Command, readings: &[(&Vec<u8>, Variables)]) {
    let program = command.get_program().to_string_lossy().into_owned();
    let folder = tempfile::tempdir().unwrap();
    for (index, (file, read)) in readings.iter().enumerate() {
        std::fs::write(folder.path().join(index.to_string()), file).unwrap();
        let names: String = read.keys().map(|name| format!("{name}\n")).collect();
        std::fs::write(folder.path().join(format!("{index}.names")), names).unwrap();
    }
    let output = command.current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut real = vec![Variables::new(); readings.len()];
    for line in printed.lines() {
        let (index, rest) = line.split_once(' ').unwrap();
        let index: usize = index.parse().unwrap();
        let shown = readings[index].0.escape_ascii();
        let (name, hex) = rest.split_once('=').unwrap_or_else(|| panic!("{reader} does not take {shown}"));
        // node 20 makes a variable `#...` of a last line that is a comment: no program reads it.
        if !(reader == Reader::Node && name.starts_with('#')) {
            real[index].insert(name.to_owned(), hex.to_owned());
        }
    }
    for ((file, ours), real) in readings.iter().zip(&real) {
        assert_eq!(ours, real, "{reader} ({program}): {}", file.escape_ascii());
    }
    assert!(!folder.path().join("injected").exists());
}

const HAND_MADE: &[&str] = &[
    "",
    "\n\n",
    "A=\nB=c\n",
    "A= \nB=c\n",
    "A=b",
    "A=b\n# c\n\nB=c # d\n",
    "A=b#c\nB=d #e\n",
    "A=#z\n",
    "A= #z\n",
    "export A=b\nexport   B=c\n",
    "  A=b\n",
    "A =b\n",
    "A = b\n",
    "A=b \n",
    "A='b c'\nB=\"d e\"\nC=`f g`\n",
    "A='b'c\n",
    "A='b' # c\n",
    "A='b' c\n",
    "A=\"b\" # \"c\"\n",
    "A=\"b\\nc\"\n",
    "A='b\\nc'\n",
    "A=`b\\nc`\n",
    "A=b\\nc\n",
    "A=\"b\\\"c\"\n",
    "A='b\\'c'\n",
    "A=\"b\\\\\"\n",
    "A='b\\\\'\n",
    "A=\"b\nc\"\nB=d\n",
    "A='b\n#c\n'\nB=d\n",
    "A=\"\\t\\r\\a\"\n",
    "A=b=c\n",
    "A=b==\n",
    "A=\"\"\n",
    "A=''\nB=x\n",
    "A: b\n",
    "A:\nB=c\n",
    "A\n",
    "A\n=b\n",
    "=b\n",
    "1A=b\n",
    "A.B=c\n",
    "A-B=c\n",
    "A=1\nA=2\nB=3\nA=4\n",
    "A=\"b\n",
    "A='b\nB=c\n",
    "A=`b\n",
    "A=\"b'c\n",
    "A=b\r\nB=\"c\r\nd\"\r\n",
    "A=b\rB=c\n",
    "A=\"b\rc\"\n",
    "\u{feff}A=b\n",
    "A=é ü\nB='\u{a0}x'\n",
    "A=\u{a0}x\n",
    "A=b\\ c\n",
    "A=b\\\nc\n",
    "A=\"b\\\nc\"\n",
    "A=b\\\n",
    "A='it'\\''s'\n",
    "A='a''b'\n",
    "A=\"a\"'b'c\n",
    "A=$HOME\n",
    "A=${X}\n",
    "A='${X}'\n",
    "A='${X:-y}'\n",
    "A=\"$(touch injected)\"\n",
    "A=`touch injected`\n",
    "touch injected\n",
    "A=b touch injected\n",
    "A=b; touch injected\n",
    "A=b&touch injected\n",
    "A=<(touch injected)\n",
    "A=~\n",
    "A=x:~/y\n",
    "A=(a b)\n",
    "A[0]=b\n",
    "A+=b\n",
    "export A={a,b}\n",
    "A={a,b}\n",
    "A=*\n",
    "export A=*\n",
    "export A\n",
    "export -n A=b\n",
    "export A=b B=c\n",
    "if=x\n",
    "A=!x\nB=a!b\n",
    "A=\tb\n",
    "A=b\t\n",
    "\tA=b\n",
    "A=\"b\" \nB=c\n",
    "A=\"b\" x\nB=c\n",
    "A=\n\"x\"\n",
    "A=\"a\\\" # b\nB=\"c\n",
    "'A'=b\n",
    "A=b\u{b}c\n",
    "A=b\u{c}\n",
    "A=b\u{85}\n",
    "A=\u{85}b\n",
    "A=b\u{1c}\n",
    "A=b\u{2028}c\n",
    "A=postgres://a:b@c/d?e=f&g=h\n",
    "A=a b\n",
    "export\n",
    "export=1\n",
    "A=\"x\"\"y\"\n",
    "A='x\"y'\n",
    "A=\"x'y`z\"\n",
    "A='\\'\nB=1\n",
    "A=\"\\\\\\\"\"\n",
];

fn hand_made() -> Vec<Vec<u8>> {
    HAND_MADE.iter().map(|file| file.as_bytes().to_vec()).collect()
}

fn generated(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let heads = ["A=", "B =", "export C=", " D= ", "E=\"", "F='", "G=`", "H=", "I: ", "# ", "A='"];
    let ends = ["\n", "\n", "\n", "\"\n", "'\n", "`\n", "\" # c\n", "' \n", "\n\n", " #x\n", "\r\n", ""];
    let plain: Vec<char> = "abcXYZ019_-./:=é".chars().collect();
    let tricky: Vec<char> = "a '\"`\\#n$\nr=\t!~{}*&;é\u{a0}".chars().collect();
    let mut file = |index: usize| -> Vec<u8> {
        let mut text = String::new();
        for _ in 0..1 + dice.below(5) {
            let (head, end) = (dice.below(heads.len()), dice.below(ends.len()));
            text.push_str(heads[head]);
            let from = if (index + dice.below(2)).is_multiple_of(2) { &plain } else { &tricky };
            (0..dice.below(12)).for_each(|_| text.push(*dice.one_of(from)));
            // Mostly closed as it was opened.
            let closes = heads[head].chars().last().filter(|c| "\"'`".contains(*c) && dice.below(4) > 0);
            text.extend(closes);
            text.push_str(ends[if closes.is_some() { dice.below(3) } else { end }]);
        }
        text.into_bytes()
    };
    (0..count).map(&mut file).collect()
}

#[test]
fn ou3_import_hand_made_files_as_every_reader() {
    for reader in Reader::ALL {
        let compared = compare(*reader, &hand_made());
        assert!(compared > 45, "{reader}: only {compared}");
    }
}

#[test]
fn ou3_import_generated_files_as_every_reader() {
    for reader in Reader::ALL {
        let compared = compare(*reader, &generated(0x1a9, 3000));
        println!("{reader}: {compared} of 3000 files");
        assert!(compared > 300, "{reader}: only {compared}");
    }
}

/// Where all are said to agree, all do: what is stored without a question is what each program had.
#[test]
fn ou3_import_agreement_is_true() {
    let mut files = hand_made();
    files.extend(generated(0xa9e, 4000));
    files.retain(|file| import::agreed(file).unwrap().is_ok_and(|reading| reading.problems.is_empty()));
    let different: BTreeSet<&Vec<u8>> = files.iter().collect();
    assert!(different.len() > 150, "only {}", different.len());
    for reader in Reader::ALL {
        let compared = compare(*reader, &files);
        assert!(compared == files.len() || compared == usize::MAX, "{reader}");
    }
}
