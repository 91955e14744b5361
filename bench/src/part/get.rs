//! Reads of one secret over keep-alive TLS, recorded, against the floor.

use super::alternate::{Contender, Measured, alternate};
use super::{Bench, reads};
use crate::Result;
use crate::report::{Goal, Section};
use crate::subject::floor::Floor;
use crate::subject::vault::{Vault, target};
use crate::wire::http::get;
use crate::wire::link::Place;

const ABOUT: &str = "GET of one secret of 40 bytes over keep-alive TLS 1.3 with an unlimited token, each recorded, in \
    slices that alternate with the floor's: bare hyper on rustls that gives the same answer with the same certificate, \
    allocator, profile and one thread. Ratios are medians over pairs of slices. CPU is the server's user and system time \
    a request; its ratio is floor's / ours.";

/// Runs the part.
pub fn run(bench: &mut Bench) -> Result<Section> {
    let options = bench.options.clone();
    let mut section = Section::new("GET", ABOUT);
    let (many, _) = options.sizes();
    bench.large()?;
    let small_token = bench.small()?.token("bench", &[])?;
    let large_token = bench.large()?.token("bench", &[])?;
    let (Some(small), Some(large)) = (&bench.small, &bench.large) else {
        return Err("no vault".into());
    };
    let floor = Floor::start(small, &get(&target(0), &small_token))?;
    let cases = [
        (8, 1, "8 connections, one path", 0.80),
        (8, many, "8 connections, rotating paths", 0.72),
        (64, 1, "64 connections, one path", 0.75),
    ];
    for (connections, paths, what, goal) in cases {
        let contender = |pid, place: &Place, vault: &Vault, token: &str| {
            Contender::new(pid, place, connections, reads(vault, token, paths))
        };
        let mut contenders = vec![
            contender(floor.pid(), &floor.place, small, &small_token)?,
            contender(small.pid()?, &small.tls()?, small, &small_token)?,
        ];
        if connections == 8 {
            contenders.push(contender(large.pid()?, &large.tls()?, large, &large_token)?);
        }
        let measured = alternate(&mut contenders, &options)?;
        if let [floor, small, rest @ ..] = measured.as_slice() {
            against_floor(&mut section, what, goal, floor, small);
            for large in rest {
                let beside = format!("{} against {}", large.words(), small.words());
                let ratio = large.rate_against(small);
                section.add(
                    format!("{what}: 100,000 secrets against 10,000"),
                    Goal::AtLeast(0.95),
                    ratio,
                    "x",
                    beside,
                );
            }
        }
    }
    Ok(section)
}

fn against_floor(section: &mut Section, what: &str, goal: f64, floor: &Measured, ours: &Measured) {
    let beside = format!("ours {}; floor {}", ours.words(), floor.words());
    section.add(format!("{what}: rate"), Goal::AtLeast(goal), ours.rate_against(floor), "x", beside);
    section.add(format!("{what}: CPU"), Goal::AtLeast(0.70), floor.cpu / ours.cpu, "x", "");
    section.add(format!("{what}: p99"), Goal::AtMost(1.2), ours.p99_against(floor), "x", "");
    let beside = format!("{:.1} us against the floor", floor.load);
    section.add(format!("{what}: the load's own CPU"), Goal::None, ours.load, "us", beside);
}
