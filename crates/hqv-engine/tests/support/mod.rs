//! What the tests against real readers share: values that are hard to carry, and how to skip.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

pub mod readers;

use hqv_engine::transfer::Entry;
use hqv_model::{EnvName, SecretBytes, SecretPath};
use std::process::Command;

/// A small generator (xorshift64*), so that a failure can be made again.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % end
    }

    pub fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Values that have broken somebody's quoting.
pub fn hard_values() -> Vec<Vec<u8>> {
    let text = [
        "",
        " ",
        "  ",
        "\t",
        "\n",
        "\n\n\n",
        " \t\n \t\n",
        "  a   b  ",
        "a\nb\n",
        "\r\n",
        "a\rb",
        "\\",
        "\\\\",
        "a\\",
        "\\n",
        "\\\n",
        "'",
        "\"",
        "`",
        "''",
        "'\\''",
        "'\"`",
        "\"'$HOME'\"",
        "$",
        "$$",
        "$(touch injected)",
        "`touch injected`",
        "${x:-$(touch injected)}",
        "x[$(touch injected)]",
        "$((1+1))",
        "*",
        "?",
        "[a-z]*",
        "/*",
        "{a,b}",
        "{1..9}",
        "@(a|b)",
        "~",
        "~root",
        "a:~:b",
        "!!",
        "!x",
        "#",
        "a #b",
        "a#b",
        ";touch injected",
        "&touch injected&",
        "|cat",
        ">injected",
        "<(echo)",
        "-n",
        "-e",
        "-e a\\tb",
        "--",
        "=",
        "a=b",
        "export X=1",
        "(exit 3)",
        ")",
        "fi;done}",
        "%s%n",
        "\\x41\\101",
        "_hqv",
        "$_hqv",
        "x",
        "1",
        "0x10",
        "true",
        "null",
        "FOO=bar\nBAZ='q'",
        "\u{feff}x",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "\u{3000}",
        "äöü ß",
        "ключ",
        "鍵",
        "🔑🔑",
        "e\u{301}",
        "\u{202e}x",
        "\x1b[31m",
        "\x01",
        "\x7f",
        "postgres://user:p%40ss@host:5432/db?x=1&y=2",
        "{\"type\": \"service_account\", \"key\": \"a\\nb\"}",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\n-----END PRIVATE KEY-----\n",
    ];
    let mut all: Vec<Vec<u8>> = text.iter().map(|value| value.as_bytes().to_vec()).collect();
    let every: Vec<u8> = (1..=255).collect();
    all.push(every.iter().rev().copied().collect());
    all.push(every);
    all.extend([b"\xff".to_vec(), b"\xc3\x28".to_vec(), b"\x81\x88\x83".to_vec(), b"\xed\xa0\x80".to_vec()]);
    all
}

/// Values of every shape: any byte, characters that quoting trips over, and text.
pub fn generated_values(seed: u64, count: usize, text_only: bool) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let tricky: Vec<char> = " \t\n*?[]{}()$`'\"\\~!#&|;<>=,:@+-%^_aN0é\u{2028}🔑".chars().collect();
    let plain: Vec<char> = "abcXYZ019 _-./:=é".chars().collect();
    let mut value = |index: usize| -> Vec<u8> {
        let length = 1 + dice.below(*[4, 20, 80].get(index % 3).unwrap());
        match if text_only { 1 + index % 2 } else { index % 3 } {
            0 => (0..length).map(|_| u8::try_from(1 + dice.below(255)).unwrap()).collect(),
            1 => (0..length).map(|_| dice.one_of(&tricky)).collect::<String>().into_bytes(),
            _ => {
                let mut text: String = (0..length).map(|_| dice.one_of(&plain)).collect();
                text.push(*dice.one_of(&tricky));
                text.into_bytes()
            }
        }
    };
    (0..count).map(&mut value).collect()
}

/// Values as vaults hold them: passwords of any printable character, keys, connection strings, JSON, PEM.
pub fn credible_values(seed: u64, count: usize) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let printable: Vec<char> = (' '..='~').collect();
    let base64: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let mut word = |from: &[char], least: usize, more: usize| -> String {
        let length = least + dice.below(more);
        (0..length).map(|_| dice.one_of(from)).collect()
    };
    let mut value = |index: usize| match index % 5 {
        0 => word(&printable[1..], 12, 24),
        1 => format!("sk_live_{}", word(&base64[..62], 24, 80)),
        2 => format!("postgres://app:{}@db.internal:5432/app?sslmode=require", word(&base64, 16, 16)),
        3 => format!("{{\"key\": \"{}\", \"note\": \"it's\"}}", word(&base64, 32, 32)),
        _ => format!(
            "-----BEGIN KEY-----\n{}\n{}\n-----END KEY-----\n",
            word(&base64, 64, 1),
            word(&base64, 20, 44)
        ),
    };
    (0..count).map(|index| value(index).into_bytes()).collect()
}

/// `V0`, `V1` and so on.
pub fn entries(values: &[Vec<u8>]) -> Vec<Entry> {
    values.iter().enumerate().map(|(index, value)| entry(&format!("V{index}"), value)).collect()
}

pub fn entry(name: &str, value: &[u8]) -> Entry {
    Entry {
        name: EnvName::parse(name).unwrap(),
        path: SecretPath::parse(&format!("app/{}", name.to_lowercase())).unwrap(),
        value: SecretBytes::from_slice(value),
    }
}

/// Whether a program can be started. Says why a test is skipped, or fails where HQV_REQUIRE_TOOLS is set.
pub fn have(program: &str, probe: &[&str]) -> bool {
    let there = Command::new(program).args(probe).output().is_ok_and(|output| output.status.success());
    there || missing(&format!("{program} is not here"))
}

/// Says what is missing. Always `false`.
pub fn missing(why: &str) -> bool {
    assert!(std::env::var_os("HQV_REQUIRE_TOOLS").is_none(), "{why}");
    println!("skipped: {why}");
    false
}
