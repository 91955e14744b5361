//! `man`: pages made from the same declarations as the help.

use std::path::Path;

use clap::{Command, CommandFactory};

use crate::cli::args::Cli;
use crate::cli::args::tools::ManArgs;
use crate::cli::context::Context;
use crate::cli::output::error::{Failure, reason};
use crate::settings::env::KNOWN;
use crate::settings::paths::shown;

/// Prints one page, or writes them all.
pub fn run(ctx: &Context, args: &ManArgs) -> Result<(), Failure> {
    let tree = tree();
    if let Some(dir) = &args.dir {
        let count = write_all(&tree, dir)?;
        return ctx.out.confirm(format!("{count} pages in {}", shown(dir)));
    }
    let text = render(find(&tree, &args.verb)?)?;
    if ctx.out.to_terminal() && paged(&text) {
        return Ok(());
    }
    ctx.out.bytes(&text)
}

/// By the system's own `man`, for a person. False where there is none.
fn paged(text: &[u8]) -> bool {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let Ok(mut man) = Command::new("man").args(["-l", "-"]).stdin(Stdio::piped()).spawn() else {
        return false;
    };
    // A pager that is left early closes the pipe: that is no failure.
    if let Some(mut pipe) = man.stdin.take() {
        let _ = pipe.write_all(text);
    }
    man.wait().is_ok_and(|status| status.success())
}

fn tree() -> Command {
    let mut tree = Cli::command();
    tree.build();
    tree
}

fn find<'a>(tree: &'a Command, verbs: &[String]) -> Result<&'a Command, Failure> {
    verbs.iter().try_fold(tree, |at, verb| {
        at.find_subcommand(verb).ok_or_else(|| {
            Failure::of(hqv_model::Code::NotFound, "there is no such verb, and no page for it")
                .hint("hq-vault man prints the overview")
        })
    })
}

fn render(command: &Command) -> Result<Vec<u8>, Failure> {
    let name = page_name(command);
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone()).title(name);
    man.render(&mut text).map_err(|e| Failure::io("cannot make the page", &e))?;
    if command.get_name() == "hq-vault" {
        text.extend_from_slice(environment().as_bytes());
    }
    Ok(text)
}

fn environment() -> String {
    let mut text = ".SH ENVIRONMENT\n".to_owned();
    for known in KNOWN {
        text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", known.name, known.meaning));
    }
    text
}

fn page_name(command: &Command) -> String {
    command.get_bin_name().unwrap_or("hq-vault").replace(' ', "-")
}

/// Sub-verbs that have a page: not the hidden ones, and not clap's own `help`.
fn ours(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help")
}

fn write_all(tree: &Command, dir: &Path) -> Result<usize, Failure> {
    std::fs::create_dir_all(dir)
        .map_err(|e| Failure::usage(format!("cannot make {}: {}", shown(dir), reason(&e))))?;
    let mut waiting = vec![tree];
    let mut written = 0;
    while let Some(command) = waiting.pop() {
        let path = dir.join(format!("{}.1", page_name(command)));
        std::fs::write(&path, render(command)?)
            .map_err(|e| Failure::io(format!("cannot write {}", shown(&path)), &e))?;
        written += 1;
        waiting.extend(ours(command));
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_verb_has_a_page_and_every_option_a_sentence() {
        let tree = tree();
        let mut waiting = vec![&tree];
        while let Some(command) = waiting.pop() {
            assert!(!render(command).unwrap().is_empty());
            assert!(command.get_about().is_some(), "{} says nothing", command.get_name());
            for arg in command.get_arguments().filter(|a| !a.is_hide_set()) {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.is_empty(), "{} {} says nothing", command.get_name(), arg.get_id());
                assert!(help.len() <= 100, "{} {} says too much", command.get_name(), arg.get_id());
            }
            waiting.extend(ours(command));
        }
    }

    #[test]
    fn every_help_has_examples_and_names_its_page() {
        let tree = tree();
        let mut waiting: Vec<&Command> = ours(&tree).collect();
        while let Some(command) = waiting.pop() {
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.contains("  $ "), "{} has no example", command.get_name());
            assert!(after.contains("More: hq-vault man"), "{} names no page", command.get_name());
            waiting.extend(ours(command));
        }
    }
}
