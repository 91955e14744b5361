//! Text that looks like a live secret of somebody's.
//!
//! Examples and tests make up their values. Those that have to look real say so on their line: `made up`.

use crate::Findings;
use crate::tree::File;

/// How a kind of secret begins (in two halves), how many characters follow, and which.
type Kind = (&'static str, &'static str, usize, fn(char) -> bool);

const KINDS: &[Kind] = &[
    ("AK", "IA", 16, |c| c.is_ascii_uppercase() || c.is_ascii_digit()),
    ("gh", "p_", 36, |c| c.is_ascii_alphanumeric()),
    ("gh", "o_", 36, |c| c.is_ascii_alphanumeric()),
    ("github_", "pat_", 50, |c| c.is_ascii_alphanumeric() || c == '_'),
    ("sk_", "live_", 24, |c| c.is_ascii_alphanumeric()),
    ("xox", "b-", 40, |c| c.is_ascii_alphanumeric() || c == '-'),
    ("gl", "pat-", 20, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_'),
];

const MADE_UP: &[&str] = &["made up", "EXAMPLE"];
const PEM: (&str, &str) = ("-----BEGIN", " PRIVATE KEY-----");

/// Lines that hold one.
pub fn check(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let key = is_key(line, lines.get(number + 1).copied().unwrap_or_default());
            if (key || looks_live(line)) && !MADE_UP.iter().any(|word| line.contains(word)) {
                findings.push(format!(
                    "{}:{}: looks like a secret; if not, say `made up` there",
                    file.path,
                    number + 1
                ));
            }
        }
    }
    findings
}

fn looks_live(line: &str) -> bool {
    KINDS.iter().any(|(head, tail, length, of)| {
        let begins = format!("{head}{tail}");
        line.match_indices(&begins).any(|(at, _)| {
            let rest = line.get(at + begins.len()..).unwrap_or_default();
            rest.chars().take_while(|c| of(*c)).count() >= *length
        })
    })
}

/// The head of a PEM key with a whole line of base64 below it, as a real one has.
fn is_key(line: &str, next: &str) -> bool {
    let begins = line.find(PEM.0).is_some_and(|at| {
        let rest = line.get(at..).unwrap_or_default();
        rest.contains(PEM.1) || rest.ends_with(PEM.1.trim_end())
    });
    let body = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/' || c == '=';
    begins && next.trim().len() >= 60 && next.trim().chars().all(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&[File::new("docs/a.md", text)]).len()
    }

    #[test]
    fn what_looks_live_is_found() {
        for (head, tail, length, _) in KINDS {
            assert_eq!(found(&format!("key = \"{head}{tail}{}\"", "A".repeat(*length))), 1, "{head}{tail}");
            assert_eq!(found(&format!("key = \"{head}{tail}{}\" # made up", "A".repeat(*length))), 0);
            assert_eq!(found(&format!("key = \"{head}{tail}A\"")), 0);
        }
    }

    #[test]
    fn whole_pem_keys_are_found() {
        let (head, tail) = PEM;
        assert_eq!(found(&format!("{head} EC{tail}\n{}\n", "A".repeat(64))), 1);
        assert_eq!(found(&format!("{head}{tail}\n{}\n", "A".repeat(64))), 1);
        assert_eq!(found(&format!("{head}{tail}\nnot a key\n")), 0);
    }
}
