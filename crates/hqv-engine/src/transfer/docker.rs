//! `docker`: lines `NAME=value`, for `docker run --env-file`.
//!
//! docker takes everything behind the `=` up to the end of the line as it is, quotes and all: there is no quoting
//! and no escape. (Compose reads `env_file` with a grammar of its own: use `dotenv` there.)
//!
//! Cannot carry: a newline, a final carriage return, what is not UTF-8, NUL, and a line of 64 KiB or more.

use super::names::{Keeper, check_name};
use super::{Entry, check_variable, measured, refused, text};
use hqv_model::{Error, Result, SecretBytes};

/// The longest line that docker's reader takes, its end not counted.
const MAX_LINE: usize = 64 * 1024 - 1;

pub(super) fn render(entries: &[Entry]) -> Result<SecretBytes> {
    for entry in entries {
        check_variable(entry)?;
        check_name(entry, Keeper::Programs)?;
        let value = text(entry, "docker")?;
        let why = if value.contains('\n') {
            "the value has several lines, which docker cannot read from a file"
        } else if value.ends_with('\r') {
            "the value ends in a carriage return, which docker drops"
        } else if entry.name.as_str().len() + 1 + value.len() > MAX_LINE {
            "the line would be over 64 KiB, which docker does not read"
        } else {
            continue;
        };
        return Err(other_way(refused(entry, why)));
    }
    Ok(measured(|sink| {
        for Entry { name, value, .. } in entries {
            [name.as_str().as_bytes(), b"=", value.reveal(), b"\n"].iter().for_each(|part| sink.put(part));
        }
    }))
}

fn other_way(error: Error) -> Error {
    error.hint("write it to a file and mount that: hq-vault get PATH -o FILE")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::tests::entry;
    use super::*;

    #[test]
    fn ou3_docker_takes_a_line_as_it_is_and_nothing_else() {
        let out = render(&[entry("A", b" 'q' #$x \\ "), entry("B", b""), entry("C", b"a\rb")]).unwrap();
        assert_eq!(out.reveal(), b"A= 'q' #$x \\ \nB=\nC=a\rb\n");
        let long = [b'x'; 64 * 1024 - 2];
        for value in [b"a\nb".as_slice(), b"a\r", b"\xff", &long] {
            assert!(render(&[entry("A", value)]).expect_err("refused").message().starts_with("app/A: "));
        }
        assert!(render(&[entry("A", &long[1..])]).is_ok());
    }
}
