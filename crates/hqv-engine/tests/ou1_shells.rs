//! OU1: `eval $(...)`, unquoted, restores every byte in every shell, whatever IFS of blanks, options and
//! files there are.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use hqv_engine::transfer::{Entry, Format, render, shell_failure};
use hqv_model::EnvName;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Output};
use support::{credible_values, entries, entry, generated_values, hard_values, have};
use tempfile::TempDir;

/// Name, command, and set-ups beyond the plain one.
const SHELLS: &[(&str, &[&str], &[&str])] = &[
    (
        "bash",
        &["bash"],
        &["shopt -s nullglob extglob", "shopt -s failglob", "shopt -s xpg_echo", "set -o posix"],
    ),
    ("dash", &["dash"], &[]),
    ("zsh", &["zsh", "-f"], &["setopt globsubst shwordsplit extendedglob", "emulate sh", "emulate ksh"]),
    ("ksh93", &["ksh93"], &["set -o braceexpand"]),
    ("mksh", &["mksh"], &["set -o braceexpand"]),
    ("busybox", &["busybox", "sh"], &[]),
];

const IFS: &[&str] =
    &["", "IFS=' '", "IFS='\t'", "IFS='\n'", "IFS='\t '", "IFS='\n\t'", "IFS=", "unset IFS", "IFS=' \n\t'"];

/// Names that match globs and words of our output, so that an expansion has something to find.
const FILES: &[&str] = &[
    "a", "b", "ab", "*", "[", "?", "''", "_hqv=''", "A=", "echo", "-e", "x y", "{", "export", "$", "~",
    "V1=''", "V1='a'",
];

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    FILES.iter().for_each(|name| std::fs::write(folder.path().join(name), "").unwrap());
    folder
}

/// Runs a script and gives the environment it ends with: `env -0` is the last word of each.
fn run(shell: &[&str], script: &str, folder: &Path, locale: &str) -> Output {
    let path = std::env::var_os("PATH").unwrap();
    Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", script])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .env("LC_ALL", locale)
        .output()
        .unwrap()
}

fn environment(output: &Output) -> HashMap<Vec<u8>, Vec<u8>> {
    let split = |pair: &[u8]| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((pair[..at].to_vec(), pair[at + 1..].to_vec()))
    };
    output.stdout.split(|byte| *byte == 0).filter_map(split).collect()
}

fn assert_restored(what: &str, output: &Output, wanted: &[Entry]) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{what}: {} {errors}", output.status);
    let got = environment(output);
    for entry in wanted {
        let name = entry.name.as_str();
        let value = got.get(name.as_bytes()).map(|value| value.escape_ascii().to_string());
        assert_eq!(value, Some(entry.value.reveal().escape_ascii().to_string()), "{what}: {name}");
    }
    assert!(!got.keys().any(|name| name.starts_with(b"_hqv")), "{what}: a helper is left");
}

/// Every shell with every set-up and every IFS, in one process each.
fn restores(wanted: &[Entry], ifs: &[&str], locales: &[&str]) {
    restores_after(&[":", "set -eu"], true, wanted, ifs, locales);
}

fn restores_after(common: &[&str], own: bool, wanted: &[Entry], ifs: &[&str], locales: &[&str]) {
    let (work, folder) = (tempfile::tempdir().unwrap(), folder());
    let file = work.path().join("out");
    std::fs::write(&file, render(Format::Export, wanted).unwrap().reveal()).unwrap();
    for (name, command, set_ups) in SHELLS {
        if !have(command[0], if *name == "busybox" { &["true"] } else { &["-c", ":"] }) {
            continue;
        }
        for set_up in common.iter().chain(set_ups.iter().filter(|_| own)) {
            for ifs in ifs {
                for locale in locales {
                    let script = format!("{set_up}\n{ifs}\neval $(cat \"{}\")\nenv -0", file.display());
                    let output = run(command, &script, folder.path(), locale);
                    assert_restored(&format!("{name} {set_up} {ifs:?} {locale}"), &output, wanted);
                }
            }
        }
    }
    assert!(!folder.path().join("injected").exists(), "a value was run");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), FILES.len());
}

#[test]
fn ou1_hard_values_in_every_shell_with_every_ifs() {
    restores(&entries(&hard_values()), IFS, &["C", "C.UTF-8"]);
}

#[test]
fn ou1_two_thousand_generated_values_in_every_shell() {
    for values in [generated_values(0x5eed, 1000, false), credible_values(0x5eef, 1000)] {
        restores(&entries(&values), &IFS[..1], &["C.UTF-8"]);
    }
}

#[test]
fn ou1_each_byte_alone_doubled_and_between_letters() {
    let values: Vec<Vec<u8>> = (1..=255).flat_map(|b| [vec![b], vec![b, b], vec![b'a', b, b'z']]).collect();
    restores(&entries(&values), &IFS[..1], &["C", "C.UTF-8"]);
}

#[test]
fn ou1_plain_values_need_no_helper_and_work_alike() {
    let values = [b"".to_vec(), b"plain".to_vec(), b"a/b:c=d@e+f%g".to_vec(), "clé".as_bytes().to_vec()];
    restores(&entries(&values), IFS, &["C", "C.UTF-8"]);
}

#[test]
fn ou1_the_longest_value_there_can_be() {
    let bytes: Vec<u8> = (0..131_072 - 5).map(|at| u8::try_from(1 + at % 255).unwrap()).collect();
    restores_after(&[":"], false, &[entry("KEY", &bytes)], &IFS[..1], &["C.UTF-8"]);
}

#[test]
fn ou1_a_failure_stops_set_e_and_fails_the_eval() {
    let folder = folder();
    for (name, command, _) in SHELLS {
        if !have(command[0], if *name == "busybox" { &["true"] } else { &["-c", ":"] }) {
            continue;
        }
        for ifs in IFS {
            let failure = shell_failure(Format::Export, 4);
            let stops = format!("set -e\n{ifs}\neval $(echo '{failure}')\necho survived");
            let output = run(command, &stops, folder.path(), "C");
            assert_eq!((output.status.code(), output.stdout), (Some(4), vec![]), "{name} {ifs:?}");
            let told = format!("{ifs}\neval $(echo '{failure}') || echo \"failed $?\"");
            let output = run(command, &told, folder.path(), "C");
            assert_eq!(output.stdout, b"failed 4\n", "{name} {ifs:?}");
        }
    }
}

/// What each shell says it has, given a value that runs a command where it is read as arithmetic: either
/// refused, or restored like any other.
#[test]
fn ou2_a_variable_that_a_shell_has_is_refused_or_restored() {
    let hostile = b"x[$(touch injected)] `touch injected`";
    for (name, command, _) in SHELLS {
        if !have(command[0], if *name == "busybox" { &["true"] } else { &["-c", ":"] }) {
            continue;
        }
        let (work, folder) = (tempfile::tempdir().unwrap(), folder());
        let ask = if *name == "zsh" { "typeset + | sed 's/.* //;s/$/=/'" } else { "set" };
        let shown = run(command, ask, folder.path(), "C");
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        let names = shown.lines().filter_map(|line| Some(line.split_once('=')?.0));
        let names: Vec<_> = names.filter(|name| EnvName::parse(name).is_ok()).collect();
        assert!(names.len() > 3, "{name} shows {names:?}");
        let mut accepted: Vec<_> = names.iter().map(|name| entry(name, hostile)).collect();
        accepted.retain(|entry| render(Format::Export, std::slice::from_ref(entry)).is_ok());
        let refused = names.len() - accepted.len();
        assert!(refused > 2, "{name}: only {refused} of {names:?} are refused");
        let file = work.path().join("out");
        std::fs::write(&file, render(Format::Export, &accepted).unwrap().reveal()).unwrap();
        let output = run(command, &format!("eval $(cat \"{}\")\nenv -0", file.display()), folder.path(), "C");
        assert_restored(name, &output, &accepted);
        assert!(!folder.path().join("injected").exists(), "{name}: a value was run");
    }
}

#[test]
fn ou1_where_echo_reads_no_octal_nothing_is_set() {
    if !have("mksh", &["-c", ":"]) {
        return;
    }
    let work = tempfile::tempdir().unwrap();
    let file = work.path().join("out");
    std::fs::write(&file, render(Format::Export, &entries(&hard_values())).unwrap().reveal()).unwrap();
    let script = format!("set -o posix\neval $(cat \"{}\") || env -0", file.display());
    let output = run(&["mksh"], &script, work.path(), "C");
    let names: Vec<_> = environment(&output).into_keys().filter(|name| name.starts_with(b"V")).collect();
    assert!(names.is_empty() && !output.stdout.is_empty());
    assert!(String::from_utf8_lossy(&output.stderr).contains("this shell cannot read the export format"));
}
