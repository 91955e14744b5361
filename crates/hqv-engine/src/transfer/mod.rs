//! Secrets on their way to programs: names for variables, and the formats of `env-file`.
//!
//! Pure functions from bytes to bytes. Each format has a file with its own quoting rules and a note of what
//! it cannot carry; what a format cannot carry byte for byte is refused with the secret's path, before a
//! byte is written, so that nothing but complete output exists. A format writes through `Sink` twice: once
//! to be counted, once into a buffer of that size, so that no half-grown buffer with values is left behind.

mod docker;
mod dotenv;
mod export;
mod failure;
mod fish;
mod github;
pub mod import;
mod json;
mod names;
mod powershell;
mod reader;
mod systemd;
mod yaml;

pub use failure::shell_failure;
pub use names::{Item, check_program_name, check_unique, name_entries};
pub use reader::{Reader, render_for};

use hqv_model::{EnvName, Error, Result, SecretBytes, SecretPath, escape_controls};

/// How variables are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// `NAME='value'` lines for `node --env-file`, npm `dotenv`, `python-dotenv` and `source` in bash alike.
    #[default]
    Dotenv,
    /// For `eval $(...)`, unquoted, in every POSIX shell.
    Export,
    /// `set -gx` commands for `source` in fish.
    Fish,
    /// `$env:NAME = ...` for PowerShell's `Invoke-Expression`.
    Powershell,
    /// `NAME=value` lines for `docker run --env-file`.
    Docker,
    /// `NAME="value"` lines for `EnvironmentFile=` of systemd.
    Systemd,
    /// Blocks for the file `$GITHUB_ENV` of GitHub Actions.
    Github,
    /// One JSON object, a member a variable.
    Json,
    /// One YAML mapping, a member a variable.
    Yaml,
}

impl Format {
    /// Every format.
    pub const ALL: &[Format] = &[
        Format::Dotenv,
        Format::Export,
        Format::Fish,
        Format::Powershell,
        Format::Docker,
        Format::Systemd,
        Format::Github,
        Format::Json,
        Format::Yaml,
    ];

    /// The format as it is written on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Dotenv => "dotenv",
            Format::Export => "export",
            Format::Fish => "fish",
            Format::Powershell => "powershell",
            Format::Docker => "docker",
            Format::Systemd => "systemd",
            Format::Github => "github",
            Format::Json => "json",
            Format::Yaml => "yaml",
        }
    }

    /// Reads a format.
    pub fn parse(text: &str) -> Result<Self> {
        let found = Format::ALL.iter().copied().find(|format| format.as_str() == text);
        found.ok_or_else(|| {
            let names: Vec<_> = Format::ALL.iter().map(|format| format.as_str()).collect();
            Error::bad_request("an unknown format").hint(format!("formats are {}", names.join(", ")))
        })
    }

    /// Whether the output is for a shell to evaluate, so that a failure must print [`shell_failure`].
    pub const fn is_shell(self) -> bool {
        matches!(self, Format::Export | Format::Fish | Format::Powershell)
    }
}

/// One variable, and where it comes from.
#[derive(Debug)]
pub struct Entry {
    /// The variable.
    pub name: EnvName,
    /// The secret, for errors.
    pub path: SecretPath,
    /// What the variable holds.
    pub value: SecretBytes,
}

/// Writes all entries, or fails naming the first path that the format cannot carry.
///
/// [`hqv_model::Code::BadRequest`] where a value or a name cannot be carried, [`hqv_model::Code::TooLarge`] where a
/// variable would break every later exec.
pub fn render(format: Format, entries: &[Entry]) -> Result<SecretBytes> {
    match format {
        Format::Dotenv => dotenv::render(entries),
        Format::Export => export::render(entries),
        Format::Fish => fish::render(entries),
        Format::Powershell => powershell::render(entries),
        Format::Docker => docker::render(entries),
        Format::Systemd => systemd::render(entries),
        Format::Github => github::render(entries),
        Format::Json => json::render(entries),
        Format::Yaml => yaml::render(entries),
    }
}

/// Linux's MAX_ARG_STRLEN, the most that one `NAME=value` and its final NUL can take in an exec.
const MAX_VARIABLE_BYTES: usize = 128 * 1024;

/// Checks what holds for every variable of an environment: no NUL, and short enough for an exec.
fn check_variable(entry: &Entry) -> Result<()> {
    if entry.value.reveal().contains(&0) {
        return Err(refused(entry, "the value holds a NUL byte, which no variable can carry"));
    }
    if entry.name.as_str().len() + 1 + entry.value.len() + 1 > MAX_VARIABLE_BYTES {
        let path = escape_controls(entry.path.as_str());
        let message = format!("{path}: a variable over 128 KiB would break every later command");
        return Err(Error::too_large(message).hint("write it to a file instead: hq-vault get PATH -o FILE"));
    }
    Ok(())
}

/// The value as text, for a format that carries nothing else.
fn text<'a>(entry: &'a Entry, reader: &str) -> Result<&'a str> {
    std::str::from_utf8(entry.value.reveal()).map_err(|_| {
        let why = format!("the value is not UTF-8, which {reader} cannot carry");
        refused(entry, &why).hint("use --format export, or a file: hq-vault get PATH -o FILE")
    })
}

/// A refusal that names the path. `why` never holds a value.
fn refused(entry: &Entry, why: &str) -> Error {
    Error::bad_request(format!("{}: {why}", escape_controls(entry.path.as_str())))
}

/// Where a format writes.
trait Sink {
    fn put(&mut self, bytes: &[u8]);
}

struct Count(usize);

impl Sink for Count {
    fn put(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

struct Fill(Vec<u8>);

impl Sink for Fill {
    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}

/// Runs a writer twice: to learn the size, then into a buffer of exactly that size.
fn measured(write: impl Fn(&mut dyn Sink)) -> SecretBytes {
    let mut count = Count(0);
    write(&mut count);
    let mut fill = Fill(Vec::with_capacity(count.0));
    write(&mut fill);
    SecretBytes::from_vec(fill.0)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hqv_model::Code;

    pub(crate) fn entry(name: &str, value: &[u8]) -> Entry {
        Entry {
            name: EnvName::parse(name).unwrap(),
            path: SecretPath::parse(&format!("app/{name}")).unwrap(),
            value: SecretBytes::from_slice(value),
        }
    }

    #[test]
    fn formats_read_back() {
        for format in Format::ALL {
            assert_eq!(Format::parse(format.as_str()).unwrap(), *format);
        }
        assert_eq!(Format::default(), Format::Dotenv);
        for bad in ["", "Dotenv", "toml", "export "] {
            assert_eq!(Format::parse(bad).expect_err(bad).code(), Code::BadRequest);
        }
    }

    #[test]
    fn the_buffer_has_its_size_from_the_start() {
        let entries = [entry("A", b"it's \x00 \xff"), entry("B", b"")];
        let out = measured(|sink| entries.iter().for_each(|entry| sink.put(entry.value.reveal())));
        let inner = out.into_inner_for_wire();
        assert_eq!(inner.len(), inner.capacity());
    }

    #[test]
    fn ou1_nul_and_128_kib_are_refused_by_path() {
        let environments = [
            Format::Export,
            Format::Dotenv,
            Format::Fish,
            Format::Powershell,
            Format::Systemd,
            Format::Github,
        ];
        for format in environments {
            let error =
                render(format, &[entry("OK", b"x"), entry("BAD", b"secret\0value")]).expect_err("NUL");
            assert_eq!(error.code(), Code::BadRequest);
            assert!(error.message().starts_with("app/BAD: "), "{}", error.message());
            assert!(!format!("{error:?}").contains("secret"));
            // NAME, =, value and the final NUL: 131072 bytes fit, one more does not.
            let fits = render(format, &[entry("KEY", &[b'x'; 131_072 - 5])]);
            assert!(fits.is_ok());
            let error = render(format, &[entry("KEY", &[b'x'; 131_072 - 4])]).expect_err("too large");
            assert_eq!(error.code(), Code::TooLarge);
            assert!(error.message().starts_with("app/KEY: "));
        }
    }

    #[test]
    fn nothing_gives_nothing() {
        assert!(render(Format::Dotenv, &[]).unwrap().is_empty());
        for format in [Format::Export, Format::Fish, Format::Powershell, Format::Docker, Format::Github] {
            assert!(render(format, &[]).unwrap().is_empty());
        }
        assert_eq!(render(Format::Json, &[]).unwrap().reveal(), b"{}\n");
    }
}
