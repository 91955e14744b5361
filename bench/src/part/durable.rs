//! What waits for the disk, against single commits on the same disk.

use super::alternate::{Contender, against};
use super::{Bench, reads};
use crate::Result;
use crate::options::Options;
use crate::report::{Goal, Section, thousands};
use crate::stats::median;
use crate::subject::program;
use crate::wire::drive::{Rotation, Work};
use crate::wire::http::json;
use std::process::Command;

const ABOUT: &str = "Requests that are committed and fsynced before the answer, over keep-alive TLS, in slices that alternate \
    with single fsynced commits of a row of 100 bytes in a file of their own on the same disk.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("Durable work", ABOUT);
    let small = bench.small()?;
    let limited = small.token("bench-limited", &["--max-uses", "1000000000"])?;
    let writer = small.token("bench-writer", &["--allow", "write on deploy/writes/"])?;
    let value = "v".repeat(100);
    let put = |i| {
        json(
            "PUT",
            &format!("/v1/secrets/deploy/writes/{i:04}"),
            &writer,
            &format!("{{\"value\":\"{value}\"}}"),
        )
    };
    for (connections, get_goal, put_goal) in [(8, 2.0, 1.6), (64, 5.0, 3.5)] {
        let works = [
            ("GET with a limited token", get_goal, reads(small, &limited, 100)),
            ("PUT of 100 bytes", put_goal, Rotation::new((0..1000).map(put).collect())),
        ];
        for (what, goal, work) in works {
            let contender = Contender::new(small.pid()?, &small.tls()?, connections, work)?;
            let (ours, single, words) = in_turn(contender, &options)?;
            let beside = format!("{words}; single commits {}/s", thousands(median(&single)));
            let what = format!("{what}, {connections} connections");
            section.add(what, Goal::AtLeast(goal), against(&ours, &single), "x", beside);
        }
    }
    Ok(section)
}

/// Slices of `contender` and of single commits.
pub(super) fn in_turn<W: Work>(
    mut contender: Contender<W>,
    options: &Options,
) -> Result<(Vec<f64>, Vec<f64>, String)> {
    let (mut ours, mut single) = (Vec::new(), Vec::new());
    contender.warm(options.slice() / 3)?;
    for _ in 0..options.times(8) {
        single.push(single_commits(options)?);
        ours.push(contender.slice(options.slice())?);
    }
    Ok((ours, single, contender.measured().words()))
}

fn single_commits(options: &Options) -> Result<f64> {
    let mut command = Command::new(program("examples/single_commits")?);
    let output = command.arg(&options.dir).arg(options.slice().as_secs_f64().to_string()).output()?;
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(said.get("per_second").and_then(serde_json::Value::as_f64).ok_or("single_commits gives no rate")?)
}
