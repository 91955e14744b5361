//! `env-file`: the secrets under a prefix as variables. Complete or not at all.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::Path;

use hqv_engine::transfer::{self, Entry, Format};
use hqv_model::SecretBytes;

use crate::cli::args::env_file::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::{Failure, reason};
use crate::cli::variables::{Chosen, Variables};
use crate::settings::paths::shown;

/// Fetches all of them as one use, names them, writes them.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    let format = if ctx.out.json { Format::Json } else { args.format };
    if args.reader.is_some() && format != Format::Dotenv {
        return Err(Failure::usage("--for is for the format dotenv").hint("leave --format away"));
    }
    let link = Link::open(ctx)?.claiming("env-file");
    let chosen = Chosen::of(ctx, args.prefix.as_slice(), &args.env)?;
    let prefix = chosen.prefixes.first();
    let which = Variables { prefix, depth: args.depth, named: &chosen.env, referred: &BTreeSet::new() };
    let entries = which.fetch(ctx, &link)?.entries;
    let text =
        render(&args, format, &entries).map_err(|f| Failure::from(f).or_hint("nothing was written"))?;
    if let Some(file) = &args.output {
        return write_private(ctx, file, text.reveal());
    }
    if hqv_sys::files::open_to_others(std::io::stdout().as_fd()) {
        ctx.out.say("stdout is a file that others can read; -o FILE writes one that only you can");
    }
    ctx.out.bytes(text.reveal())
}

fn render(args: &Args, format: Format, entries: &[Entry]) -> hqv_model::Result<SecretBytes> {
    match args.reader {
        Some(reader) => transfer::render_for(reader, entries),
        None => transfer::render(format, entries),
    }
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
    if let Some(format) = for_eval(words).filter(|_| code != 0) {
        println!("{}", transfer::shell_failure(format, code));
    }
}

fn for_eval(words: &[OsString]) -> Option<Format> {
    let words: Vec<&str> = words.iter().skip(1).filter_map(|w| w.to_str()).collect();
    let shells = || Format::ALL.iter().copied().filter(|format| format.is_shell());
    if words.contains(&"env-file") {
        return shells().find(|format| has(&words, "--format", |word| word == format.as_str()));
    }
    (words.contains(&"get") && has(&words, "--env", |_| true)).then_some(Format::Export)
}

/// Whether an option stands there, as one word or two, with a value that fits.
fn has(words: &[&str], option: &str, fits: impl Fn(&str) -> bool) -> bool {
    let apart = words.windows(2).any(|w| matches!(w, [name, value] if *name == option && fits(value)));
    let joined = words.iter().filter_map(|word| word.strip_prefix(option)?.strip_prefix('='));
    apart || joined.into_iter().any(fits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_a_shell_format_of_env_file_is_for_an_eval() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        assert_eq!(for_eval(&words("hq-vault env-file a/ --format export")), Some(Format::Export));
        assert_eq!(for_eval(&words("hq-vault --json env-file --format=export a/")), Some(Format::Export));
        assert_eq!(for_eval(&words("hq-vault env-file a/ --format fish")), Some(Format::Fish));
        assert_eq!(for_eval(&words("hq-vault get a/b --env X")), Some(Format::Export));
        assert_eq!(for_eval(&words("hq-vault get --env=X a/b")), Some(Format::Export));
        assert_eq!(for_eval(&words("hq-vault get a/b -o env")), None);
        assert_eq!(for_eval(&words("hq-vault env-file a/")), None);
        assert_eq!(for_eval(&words("hq-vault env-file a/ --format json")), None);
        assert_eq!(for_eval(&words("hq-vault list --format export")), None);
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
