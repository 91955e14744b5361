//! `doctor`: what is wrong here and what to do about it.
//!
//! Each finding has an id that stays, a sentence and a way out; a test provokes
//! each. A note is something that weakens the machine around the vault and that
//! no command of ours can change: it is said and does not fail the command.

mod daemon;
mod files;
mod surroundings;

use serde::Serialize;

use crate::cli::args::tools::DoctorArgs;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// One thing found.
#[derive(Serialize)]
pub struct Finding {
    id: &'static str,
    /// Beside the vault, and not ours to change.
    note: bool,
    message: String,
    hint: String,
    fixed: bool,
    #[serde(skip)]
    fix: Option<Fix>,
}

/// How a finding is put right.
type Fix = Box<dyn Fn(&Context) -> Result<(), Failure>>;

impl Finding {
    /// Something wrong.
    pub fn new(id: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { id, note: false, message: message.into(), hint: hint.into(), fixed: false, fix: None }
    }

    /// Something to know.
    pub fn note(id: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Finding {
        Finding { note: true, ..Finding::new(id, message, hint) }
    }

    /// With what `--fix` does.
    #[must_use]
    pub fn fix(mut self, fix: impl Fn(&Context) -> Result<(), Failure> + 'static) -> Finding {
        self.fix = Some(Box::new(fix));
        self
    }

    fn put_right(&mut self, ctx: &Context) {
        if let Some(fix) = &self.fix {
            match fix(ctx) {
                Ok(()) => self.fixed = true,
                Err(failure) => self.hint = format!("--fix could not: {}", failure.message()),
            }
        }
    }
}

/// Looks everywhere.
pub fn run(ctx: &Context, args: &DoctorArgs) -> Result<(), Failure> {
    let mut found = files::look(ctx);
    found.extend(daemon::look(ctx));
    found.extend(surroundings::look(ctx));
    if args.fix {
        found.iter_mut().for_each(|finding| finding.put_right(ctx));
    }
    let open = found.iter().filter(|f| !f.note && !f.fixed).count();
    if ctx.out.json {
        ctx.out.document(&serde_json::json!({ "ok": open == 0, "findings": found }))?;
    } else {
        tell(ctx, &found, open)?;
    }
    if open == 0 { Ok(()) } else { Err(Failure::finding()) }
}

fn tell(ctx: &Context, found: &[Finding], open: usize) -> Result<(), Failure> {
    let paint = ctx.out.paint;
    for finding in found {
        let mark = match (finding.fixed, finding.note) {
            (true, _) => paint.green("fixed   "),
            (_, true) => paint.dim("note    "),
            _ => paint.red("finding "),
        };
        ctx.out.line(format!("{mark}{}: {}", finding.id, hqv_model::escape_controls(&finding.message)))?;
        if !finding.fixed {
            ctx.out.line(format!("        {}", hqv_model::escape_controls(&finding.hint)))?;
        }
    }
    match open {
        0 => ctx.out.line(format!("nothing is wrong with {}", ctx.vault_name())),
        1 => ctx.out.line("1 finding"),
        n => ctx.out.line(format!("{n} findings")),
    }
}
