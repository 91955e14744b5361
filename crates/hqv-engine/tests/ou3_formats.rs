//! OU3: what `fish`, `yaml` and `json` write is read back by the real readers; `docker`, `systemd`, `github` and
//! `powershell` by readers written here after their documented grammars, since the real ones need a daemon, an init
//! system, a hosted runner and a program that Debian does not have.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod support;

use hqv_engine::transfer::{Entry, Format, render, shell_failure};
use std::collections::HashMap;
use std::process::Command;
use support::{credible_values, entries, entry, generated_values, hard_values, have, missing};

type Read = HashMap<String, Vec<u8>>;

/// 2,000 generated values and the hard ones, less what the format refuses; at least `share` in a hundred are left.
fn carried(format: Format, share: usize) -> Vec<Entry> {
    let generated = [generated_values(0x0f4, 1000, false), credible_values(0x0f5, 1000)].concat();
    let all = generated.len();
    let can = |value: &Vec<u8>| render(format, &[entry("V", value)]).is_ok();
    let able: Vec<_> = generated.into_iter().filter(can).collect();
    println!("{}: {} of {all}", format.as_str(), able.len());
    assert!(able.len() * 100 >= share * all, "{}: only {} of {all}", format.as_str(), able.len());
    entries(&[able, hard_values().into_iter().filter(can).collect()].concat())
}

fn assert_equal(format: Format, got: &Read, wanted: &[Entry]) {
    for entry in wanted {
        let shown = |value: &[u8]| value.escape_ascii().to_string();
        let read = got.get(entry.name.as_str()).map(|value| shown(value));
        assert_eq!(read, Some(shown(entry.value.reveal())), "{}: {}", format.as_str(), entry.name);
    }
    assert_eq!(got.len(), wanted.len(), "{} set more than it was given", format.as_str());
}

fn text(format: Format, wanted: &[Entry]) -> String {
    String::from_utf8(render(format, wanted).unwrap().reveal().to_vec()).unwrap()
}

/// `NAME=value` pairs that end in NUL, as `env -0` writes them.
fn environment(bytes: &[u8]) -> Read {
    let pairs = bytes.split(|byte| *byte == 0).filter_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        Some((String::from_utf8(pair[..at].to_vec()).ok()?, pair[at + 1..].to_vec()))
    });
    pairs.filter(|(name, _)| name.starts_with('V')).collect()
}

#[test]
fn ou3_fish_by_fish() {
    if !have("fish", &["--version"]) {
        return;
    }
    let all = carried(Format::Fish, 100);
    let way = ["cat out | source", "eval (cat out)"];
    for (some, locale) in all.chunks(500).zip(["C.UTF-8", "C"].into_iter().cycle()) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("out"), render(Format::Fish, some).unwrap().reveal()).unwrap();
        for way in way {
            let script = format!("{way}; and env -0");
            let output = Command::new("fish")
                .args(["--no-config", "-c", &script])
                .current_dir(folder.path())
                .env("LC_ALL", locale)
                .env("HOME", folder.path())
                .output()
                .unwrap();
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && errors.is_empty(), "{way} {locale}: {errors}");
            assert_equal(Format::Fish, &environment(&output.stdout), some);
        }
        assert!(!folder.path().join("injected").exists(), "a value was run");
    }
    let failure = format!("echo {:?} | source; or echo failed $status", shell_failure(Format::Fish, 4));
    let output = Command::new("fish").args(["--no-config", "-c", &failure]).output().unwrap();
    assert_eq!(output.stdout, b"failed 4\n");
}

/// Whatever fish will not simply hold is refused.
#[test]
fn ou2_fish_variables_are_refused_or_restored() {
    if !have("fish", &["--version"]) {
        return;
    }
    let names = Command::new("fish").args(["--no-config", "-c", "set --names"]).output().unwrap();
    let names = String::from_utf8(names.stdout).unwrap();
    let mut accepted: Vec<Entry> = names
        .lines()
        .filter(|name| hqv_model::EnvName::parse(name).is_ok())
        .map(|name| entry(name, b"a:b::c $(x)"))
        .collect();
    let all = accepted.len();
    accepted.retain(|one| render(Format::Fish, std::slice::from_ref(one)).is_ok());
    assert!(all > 20 && accepted.len() < all - 8, "{} of {all}", accepted.len());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("out"), render(Format::Fish, &accepted).unwrap().reveal()).unwrap();
    let output = Command::new("fish")
        .args(["--no-config", "-c", "cat out | source; and env -0"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for one in &accepted {
        let line = [one.name.as_str().as_bytes(), b"=", one.value.reveal()].concat();
        assert!(output.stdout.split(|byte| *byte == 0).any(|pair| pair == line), "{}", one.name);
    }
}

#[test]
fn ou3_yaml_by_pyyaml_and_json_by_jq() {
    let yaml = "import sys, yaml
for n, v in yaml.safe_load(open('out', encoding='utf-8', newline='')).items():
    sys.stdout.buffer.write(n.encode() + b'=' + v.encode().hex().encode() + b'\\0')";
    // In base64, which the oldest jq has too: it has no output that ends in NUL.
    let jq = r#"to_entries[] | "\(.key)=\(.value | @base64)\u0000""#;
    let have_yaml = have("python3", &["-c", "import yaml"]) || missing("PyYAML is not installed");
    let have_jq = have("jq", &["--version"]);
    let decode = |text: &[u8]| base64::Engine::decode(&base64::prelude::BASE64_STANDARD, text).unwrap();
    let unhex = |hex: &[u8]| -> Vec<u8> {
        let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
        hex.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
    };
    for (format, there) in [(Format::Yaml, have_yaml), (Format::Json, have_jq)] {
        if !there {
            continue;
        }
        let all = carried(format, 60);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("out"), render(format, &all).unwrap().reveal()).unwrap();
        let mut command = Command::new(if format == Format::Yaml { "python3" } else { "jq" });
        match format {
            Format::Yaml => command.args(["-c", yaml]),
            _ => command.args(["--join-output", jq, "out"]),
        };
        let output = command.current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let mut got = environment(&output.stdout);
        got.values_mut()
            .for_each(|value| *value = if format == Format::Yaml { unhex(value) } else { decode(value) });
        assert_equal(format, &got, &all);
    }
}

/// docker: cli/opts/file.go reads line by line, drops a final CR, trims blanks before the name, keeps the rest.
#[test]
fn ou3_docker_by_its_grammar() {
    let all = carried(Format::Docker, 40);
    let mut got = Read::new();
    for line in text(Format::Docker, &all).split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start_matches([' ', '\t']);
        if let Some((name, value)) = line.split_once('=')
            && !line.starts_with('#')
        {
            got.insert(name.to_owned(), value.as_bytes().to_vec());
        }
    }
    assert_equal(Format::Docker, &got, &all);
}

/// systemd.exec(5): in double quotes a backslash takes the special meaning off `"`, `\`, a backtick and `$`.
#[test]
fn ou3_systemd_by_its_grammar() {
    let all = carried(Format::Systemd, 60);
    let written = text(Format::Systemd, &all);
    let (mut got, mut rest) = (Read::new(), written.as_str());
    while !rest.is_empty() {
        let (name, quoted) = rest.split_once("=\"").unwrap();
        let (mut value, mut chars) = (String::new(), quoted.char_indices());
        rest = loop {
            match chars.next().unwrap() {
                (at, '"') => break quoted[at + 1..].strip_prefix('\n').unwrap(),
                (_, '\\') => match chars.next().unwrap().1 {
                    escaped @ ('"' | '\\' | '`' | '$') => value.push(escaped),
                    '\n' => {}
                    other => value.extend(['\\', other]),
                },
                (_, plain) => value.push(plain),
            }
        };
        got.insert(name.to_owned(), value.into_bytes());
    }
    assert_equal(Format::Systemd, &got, &all);
}

/// The runner: `NAME<<MARK`, lines up to one that is MARK; the value is what stands between, as it is.
#[test]
fn ou3_github_by_its_grammar() {
    let all = carried(Format::Github, 60);
    let written = text(Format::Github, &all);
    let (mut got, mut rest) = (Read::new(), written.as_str());
    while let Some((head, body)) = rest.split_once('\n') {
        let (name, mark) = head.split_once("<<").unwrap();
        let mut from = 0;
        let end = loop {
            let line = body[from..].split('\n').next().unwrap();
            if line == mark {
                break from;
            }
            from += line.len() + 1;
        };
        got.insert(name.to_owned(), body[..end].strip_suffix('\n').unwrap_or("").as_bytes().to_vec());
        rest = &body[end + mark.len() + 1..];
    }
    assert_equal(Format::Github, &got, &all);
}

/// about_Quoting_Rules: in single quotes all is literal but a doubled quote; `+` joins; `[char]` is a code unit.
#[test]
fn ou3_powershell_by_its_grammar() {
    let all = carried(Format::Powershell, 60);
    let written = text(Format::Powershell, &all);
    assert!(written.is_ascii());
    let mut got = Read::new();
    for line in written.lines() {
        let (name, mut rest) = line.strip_prefix("$env:").unwrap().split_once(" = ").unwrap();
        let mut units: Vec<u16> = Vec::new();
        loop {
            rest = if let Some(hex) = rest.strip_prefix("[char]0x") {
                units.push(u16::from_str_radix(&hex[..4], 16).unwrap());
                &hex[4..]
            } else {
                let quoted = rest.strip_prefix('\'').unwrap();
                let mut at = 0;
                while quoted[at..].starts_with("''") || !quoted[at..].starts_with('\'') {
                    let doubled = quoted[at..].starts_with("''");
                    units.push(quoted.as_bytes()[at].into());
                    at += if doubled { 2 } else { 1 };
                }
                &quoted[at + 1..]
            };
            match rest.strip_prefix(" + ") {
                Some(more) => rest = more,
                None => break,
            }
        }
        assert!(rest.is_empty());
        got.insert(name.to_owned(), String::from_utf16(&units).unwrap().into_bytes());
    }
    assert_equal(Format::Powershell, &got, &all);
}
