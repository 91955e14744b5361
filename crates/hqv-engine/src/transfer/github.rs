//! `github`: blocks for the file that `$GITHUB_ENV` names, read by the runner of GitHub Actions.
//!
//! A block is `NAME<<MARK`, the value, and `MARK` on a line of its own. The mark is one that no line of the value
//! is, so that a value can never end its block and begin another variable. The value is what stands between, byte
//! for byte, less the newline before the mark.
//!
//! Cannot carry: what is not UTF-8, NUL, a final carriage return (a runner on Windows takes it for a part of the
//! line's end), a variable over 128 KiB, and names that GitHub keeps (`GITHUB_`, `RUNNER_`, `NODE_OPTIONS`). It
//! hides nothing in the log of the job: `::add-mask::` does, see docs.

use super::{Entry, check_variable, measured, names, refused, text};
use hqv_model::{Result, SecretBytes};

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    let mut marks = Vec::with_capacity(entries.len());
    for entry in entries {
        check_variable(entry)?;
        check_name(entry)?;
        let value = text(entry, "the runner")?;
        if value.ends_with('\r') {
            return Err(refused(entry, "the value ends in a carriage return, which a runner may drop"));
        }
        marks.push(mark(value));
    }
    Ok(measured(|sink| {
        for (Entry { name, value, .. }, mark) in entries.iter().zip(&marks) {
            for part in [name.as_str().as_bytes(), b"<<", mark.as_bytes(), b"\n", value.reveal(), b"\n"] {
                sink.put(part);
            }
            sink.put(mark.as_bytes());
            sink.put(b"\n");
        }
    }))
}

fn check_name(entry: &Entry) -> Result<()> {
    if names::is_obeyed_in_any_case(entry.name.as_str()) {
        // Also where upper case is not what was given: runners on Windows take `Path` for `PATH`.
        let why = format!("the variable {} decides what shells and programs run", entry.name);
        return Err(refused(entry, &why).hint("move the secret, or use --format json"));
    }
    let name = entry.name.as_str().to_ascii_uppercase();
    if name.starts_with("GITHUB_") || name.starts_with("RUNNER_") || name == "NODE_OPTIONS" {
        let why = format!("GitHub does not let a step set {}", entry.name);
        return Err(
            refused(entry, &why).hint("move the secret, or give it a name: hq-vault store --env NAME")
        );
    }
    names::check_name(entry, names::Keeper::Programs)
}

/// The first of `HQ_VAULT_END`, `HQ_VAULT_END_1` and so on that is no line of the value.
fn mark(value: &str) -> String {
    let taken = |mark: &str| value.split('\n').any(|line| line.trim_end_matches('\r') == mark);
    let mut mark = String::from("HQ_VAULT_END");
    for number in 1.. {
        if !taken(&mark) {
            break;
        }
        mark = format!("HQ_VAULT_END_{number}");
    }
    mark
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_github_no_value_ends_its_own_block() {
        let out = render(&[entry("A", b"x\nHQ_VAULT_END\r\nB<<HQ_VAULT_END_1\n"), entry("C", b"")]).unwrap();
        let expected = "A<<HQ_VAULT_END_1\nx\nHQ_VAULT_END\r\nB<<HQ_VAULT_END_1\n\nHQ_VAULT_END_1\nC<<HQ_VAULT_END\n\nHQ_VAULT_END\n";
        assert_eq!(std::str::from_utf8(out.reveal()).unwrap(), expected);
    }

    #[test]
    fn ou3_github_refuses_what_the_runner_would_change() {
        for (name, value) in [
            ("A", b"a\r".as_slice()),
            ("A", b"\xff"),
            ("GITHUB_SHA", b"x"),
            ("NODE_OPTIONS", b"x"),
            ("PATH", b"x"),
            ("Path", b"x"),
        ] {
            let message = render(&[entry(name, value)]).expect_err(name).message().to_owned();
            assert!(message.starts_with(&format!("app/{name}: ")), "{message}");
        }
    }
}
