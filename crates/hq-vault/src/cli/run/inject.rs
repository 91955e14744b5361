//! `inject`: a text with references, filled in. Complete or not at all.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::path::Path;

use zeroize::Zeroizing;

use crate::cli::args::inject::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::cli::run::env_file::write_private;
use crate::cli::variables::{Variables, incomplete};
use crate::project::template::{self, Part};
use crate::settings::paths::shown;

/// The largest template.
const MAX_BYTES: usize = 1 << 20;

/// Reads, fetches, writes.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let input = args.input.as_deref().unwrap_or(Path::new("-"));
    if let Some(output) = args.output.as_deref().filter(|output| is_same(input, output)) {
        return Err(Failure::usage(format!("{} is the template itself", shown(output)))
            .hint("write to another file: -o FILE"));
    }
    let text = read(input)?;
    let parts = parts(input, &text)?;
    let paths = template::secrets(&parts);
    let values = if paths.is_empty() {
        ctx.out.say(format!("{} holds no hqv:// reference", named(input)));
        HashMap::new()
    } else {
        let link = Link::open(ctx)?.claiming("inject");
        Variables { prefix: None, depth: None, named: &[], referred: &paths }.fetch(ctx, &link)?.values
    };
    let filled = template::filled(&parts, &values).ok_or_else(incomplete)?;
    if let Some(file) = &args.output {
        return write_private(ctx, file, filled.reveal());
    }
    if hqv_sys::files::open_to_others(std::io::stdout().as_fd()) {
        ctx.out.say("stdout is a file that others can read; -o FILE writes one that only you can");
    }
    ctx.out.bytes(filled.reveal())
}

/// A template, at most 1 MiB.
pub fn read(input: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let failed = |e: &std::io::Error| Failure::io(format!("cannot read {}", named(input)), e);
    let read = if input == Path::new("-") {
        hqv_sys::input::read_bounded(&mut std::io::stdin().lock(), MAX_BYTES + 1)
    } else {
        let mut open = hqv_sys::input::open_input(input).map_err(|e| failed(&e))?;
        hqv_sys::input::read_bounded(&mut open, MAX_BYTES + 1)
    };
    let bytes = read.map_err(|e| failed(&e))?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::usage(format!("{} is over 1 MiB", named(input))));
    }
    Ok(bytes)
}

fn parts<'a>(input: &Path, text: &'a [u8]) -> Result<Vec<Part<'a>>, Failure> {
    template::split(text).map_err(|wrong| {
        Failure::usage(format!("{}: line {} {}; nothing was written", named(input), wrong.line, wrong.what))
            .hint("{{ hqv://PATH }} shows where a path ends; \\hqv:// is text")
    })
}

fn named(input: &Path) -> String {
    if input == Path::new("-") { "stdin".to_owned() } else { shown(input) }
}

/// One file, by whatever names: writing would put values where the template stood.
fn is_same(input: &Path, output: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |path: &Path| std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino(), meta.is_file()));
    matches!((id(input), id(output)), (Some(a), Some(b)) if a == b && a.2)
}
