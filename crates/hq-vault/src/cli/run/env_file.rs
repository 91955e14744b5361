//! `env-file`: the secrets under a prefix as variables. Complete or not at all.

use std::ffi::OsString;
use std::path::Path;

use hqv_api::BatchRequest;
use hqv_client::Secret;
use hqv_engine::transfer::{self, Entry, Format};
use hqv_model::{EnvName, SecretBytes, SecretPath};

use crate::cli::args::env_file::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::{Failure, reason};
use crate::settings::paths::shown;

/// Fetches all of them as one use, names them, writes them.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let format = if ctx.out.json { Format::Json } else { args.format };
    let prefix = args.prefix.as_str();
    let request = BatchRequest { paths: None, prefix: Some(prefix.to_owned()) };
    let link = Link::open(ctx)?.claiming("env-file");
    let found = ctx.ask_over(&link, async |client| client.batch(&request).await)?;
    if found.is_empty() {
        let place = if prefix.is_empty() { "the vault" } else { prefix };
        return Err(Failure::of(
            hqv_model::Code::NotFound,
            format!("there is nothing to read under {place}"),
        )
        .hint("hq-vault list shows what there is"));
    }
    let text = render(&args, format, found).map_err(|f| f.or_hint("nothing was written"))?;
    match &args.output {
        Some(file) => write_private(ctx, file, text.reveal()),
        None => ctx.out.bytes(text.reveal()),
    }
}

fn render(args: &Args, format: Format, found: Vec<Secret>) -> Result<SecretBytes, Failure> {
    let items = found.into_iter().map(item).collect::<Result<Vec<_>, Failure>>()?;
    let entries: Vec<Entry> = transfer::name_entries(&args.prefix, items)?;
    Ok(transfer::render(format, &entries)?)
}

fn item(secret: Secret) -> Result<(SecretPath, Option<EnvName>, SecretBytes), Failure> {
    let env = secret.metadata.env.as_deref().map(EnvName::parse).transpose()?;
    Ok((SecretPath::parse(&secret.path)?, env, secret.value))
}

/// A file for one reader: 0600, whole or not there. A device or FIFO is written
/// to as it is; a directory is refused.
pub fn write_private(ctx: &Context, path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if path == Path::new("-") {
        return ctx.out.bytes(bytes);
    }
    if write(path, bytes)? {
        ctx.out.say(format!("written: {} (readable by you alone)", shown(path)));
    }
    Ok(())
}

/// Whether it is a file of ours now.
fn write(path: &Path, bytes: &[u8]) -> Result<bool, Failure> {
    use std::os::unix::fs::FileTypeExt;
    let failed = |e: &std::io::Error| Failure::io(format!("cannot write {}", shown(path)), e);
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => {
            Err(Failure::usage(format!("cannot write {}: it is a directory", shown(path))))
        }
        Ok(meta) if meta.file_type().is_char_device() || meta.file_type().is_fifo() => {
            let mut file = std::fs::OpenOptions::new().write(true).open(path).map_err(|e| failed(&e))?;
            std::io::Write::write_all(&mut file, bytes).map(|()| false).map_err(|e| failed(&e))
        }
        _ => hqv_sys::files::write_atomic(path, bytes, 0o600).map(|()| true).map_err(|e| {
            let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
            match std::fs::metadata(parent) {
                Ok(_) => failed(&e),
                Err(e) => Failure::usage(format!("cannot write into {}: {}", shown(parent), reason(&e))),
            }
        }),
    }
}

/// Whatever went wrong, wrong usage too: where the output was meant for a
/// shell's `eval`, stdout says so in its language.
pub fn fail_the_eval(words: &[OsString], code: u8) {
    if code != 0 && is_for_eval(words) {
        println!("{}", transfer::shell_failure(code));
    }
}

fn is_for_eval(words: &[OsString]) -> bool {
    let words: Vec<&str> = words.iter().skip(1).filter_map(|w| w.to_str()).collect();
    let format = |f: &str| is_shell(f);
    let variable = |_: &str| true;
    (words.contains(&"env-file") && has(&words, "--format", format))
        || (words.contains(&"get") && has(&words, "--env", variable))
}

/// Whether an option stands there, as one word or two, with a value that fits.
fn has(words: &[&str], option: &str, fits: impl Fn(&str) -> bool) -> bool {
    let apart = words.windows(2).any(|w| matches!(w, [name, value] if *name == option && fits(value)));
    let joined = words.iter().filter_map(|word| word.strip_prefix(option)?.strip_prefix('='));
    apart || joined.into_iter().any(fits)
}

fn is_shell(format: &str) -> bool {
    Format::parse(format).is_ok_and(Format::is_shell)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_shell_format_of_env_file_is_for_an_eval() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert!(is_for_eval(&words("hq-vault env-file a/ --format export")));
        assert!(is_for_eval(&words("hq-vault --json env-file --format=export a/")));
        assert!(is_for_eval(&words("hq-vault get a/b --env X")));
        assert!(is_for_eval(&words("hq-vault get --env=X a/b")));
        assert!(!is_for_eval(&words("hq-vault get a/b -o env")));
        assert!(!is_for_eval(&words("hq-vault env-file a/")));
        assert!(!is_for_eval(&words("hq-vault env-file a/ --format json")));
        assert!(!is_for_eval(&words("hq-vault list --format export")));
    }

    #[test]
    fn a_file_is_private_and_whole_and_a_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(".env");
        std::fs::write(&file, "old").unwrap();
        assert!(write(&file, b"new").unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(write(dir.path(), b"x").is_err());
        assert!(write(&dir.path().join("no/where"), b"x").unwrap_err().message().contains("no such"));
        assert!(!write(Path::new("/dev/null"), b"x").unwrap());
    }
}
