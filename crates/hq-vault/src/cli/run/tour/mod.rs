//! `tour`: a newcomer's minute, done for real.
//!
//! The steps are data (`steps`); the stage (`stage`) is a temporary directory
//! with a home of its own, the real binary and a real daemon on a free port.
//! Each command is run by `sh` exactly as it is shown, and a command that ends
//! otherwise than it should ends the tour. Everything is removed afterwards,
//! after Ctrl-C too.

mod person;
mod stage;
mod steps;

use std::time::Duration;

use hqv_model::Clock;

use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::compose::SystemClock;

use stage::Stage;
use steps::{Line, STEPS, Step};

/// How long the thread that catches signals may take to strike the stage and end us.
const SIGNAL: Duration = Duration::from_secs(5);

/// Plays all steps.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let begun = SystemClock.boot();
    let mut stage = Stage::set()?;
    stage.remove_on_signal()?;
    ctx.out.line("A throw-away vault in a temporary directory; your own is not touched.\n")?;
    for (number, step) in STEPS.iter().enumerate() {
        let played = play(ctx, &mut stage, number + 1, step);
        if played.is_err() && stage.is_ending() {
            std::thread::park_timeout(SIGNAL);
        }
        played?;
    }
    stage.strike()?;
    let seconds = (SystemClock.boot() - begun).as_secs_f64();
    ctx.out.line(format!("That took {seconds:.1} s, and nothing of it is left. Type next:\n"))?;
    ctx.out.line("  hq-vault init")?;
    ctx.out.line("  hq-vault store myapp/api-key")?;
    ctx.out.line("  hq-vault token create --name my-first --ttl 1h --path myapp/")
}

fn play(ctx: &Context, stage: &mut Stage, number: usize, step: &Step) -> Result<(), Failure> {
    ctx.out.line(ctx.out.paint.bold(&format!("{number}. {}", step.why)))?;
    for line in step.lines {
        one(ctx, stage, line)?;
    }
    ctx.out.line("")
}

fn one(ctx: &Context, stage: &mut Stage, line: &Line) -> Result<(), Failure> {
    let command = stage.with_code(line.command);
    match line.keep {
        Some(name) => ctx.out.line(format!("   $ {name}=$({command})"))?,
        None => ctx.out.line(format!("   $ {command}"))?,
    }
    let ended = stage.run(line, &command)?;
    for text in ended.shown.lines() {
        ctx.out.line(format!("     {}", hqv_model::escape_controls(text)).trim_end())?;
    }
    if ended.code != line.exit {
        if ended.code < 0 || ended.code > 128 {
            // A signal ended the command, and Ctrl-C reaches us too: who catches it there ends the tour.
            std::thread::park_timeout(SIGNAL);
        }
        return Err(Failure::internal(format!("the tour stopped: `{command}` ended with {}", ended.code))
            .hint("hq-vault doctor says what may be wrong here"));
    }
    if line.exit != 0 {
        ctx.out.line(ctx.out.paint.dim(&format!("     (exit {})", line.exit)))?;
    }
    Ok(())
}
