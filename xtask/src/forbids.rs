//! What stays in its place: clock, environment, generator, backends, and the switches that turn a lint off.
//!
//! Clippy knows `now()` by its type, but only in what it compiles here; this reads every line, the ones for
//! other systems too.

use crate::Findings;
use crate::code::{has_word, only, tests_from};
use crate::tree::File;

/// Uses that belong to hqv-sys and to compose.
const PLACED: &[(&str, &str)] = &[
    ("SystemTime::now", "time is passed in"),
    ("Instant::now", "time is passed in"),
    ("Timestamp::now", "time is passed in"),
    ("Zoned::now", "time is passed in"),
    ("env::var", "hqv-sys and compose read the environment"),
    ("env::var_os", "hqv-sys and compose read the environment"),
    ("env::vars", "hqv-sys and compose read the environment"),
    ("env::vars_os", "hqv-sys and compose read the environment"),
    ("thread::sleep", "wait for the event"),
    ("OsRng", "randomness is passed in"),
    ("SysRng", "randomness is passed in"),
    ("thread_rng", "randomness is passed in"),
    ("getrandom::fill", "randomness is passed in"),
    ("SqliteShelf", "compose alone picks a backend"),
];

/// Never, not even in tests.
const NEVER: &[(&str, &str)] = &[
    ("todo!", "unfinished"),
    ("unimplemented!", "unfinished"),
    ("dbg!", "a print that was forgotten"),
    ("clippy::too_many_lines", "a function above 60 lines is split"),
    ("#[ignore", "a test that cannot run prints a SKIP line with its reason"),
];

const SWITCH: &str = "clippy::disallowed_methods";

/// Where clock, environment and generator may be read and backends be named.
const HOMES: &[&str] =
    &["crates/hqv-sys/", "crates/hqv-test/", "crates/hq-vault/src/compose", "bench/", "xtask/"];

/// Files of tests and of measurements, which read clock and environment to do their work, and build scripts, whose
/// orders come in the environment.
fn is_test(path: &str) -> bool {
    let stem = path.trim_end_matches(".rs");
    stem.ends_with("tests")
        || stem.ends_with("/build")
        || stem.ends_with("/testing")
        || ["/tests/", "/examples/", "/benches/"].iter().any(|folder| path.contains(folder))
}

/// Everything out of its place.
pub fn check(files: &[File]) -> Findings {
    let ours = |file: &&File| file.is_rust() && !file.path.starts_with("xtask/src/forbids");
    files.iter().filter(ours).flat_map(one).collect()
}

fn one(file: &File) -> Findings {
    let code = only(&file.text);
    let tests = if is_test(&file.path) { 0 } else { tests_from(&file.text) };
    let mut findings = Findings::new();
    for (number, line) in code.lines().enumerate() {
        let mut say =
            |what: &str, why: &str| findings.push(format!("{}:{}: {what}: {why}", file.path, number + 1));
        for (what, why) in NEVER.iter().filter(|(what, _)| line.contains(what)) {
            say(what, why);
        }
        if number >= tests || HOMES.iter().any(|home| file.path.starts_with(home)) {
            continue;
        }
        for (what, why) in PLACED.iter().filter(|(what, _)| has_word(line, what)) {
            // A shelf's own crate may name it.
            if !(*what == "SqliteShelf" && file.path.starts_with("crates/hqv-store-sqlite/")) {
                say(what, why);
            }
        }
        if line.contains(SWITCH) {
            say(SWITCH, "allowed in hqv-sys, compose, tests and bench only");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&[File::new(path, text)]).len()
    }

    #[test]
    fn clock_environment_and_generator_are_found_outside_their_places() {
        for line in [
            "let now = std::time::Instant::now();",
            "let home = std::env::var(\"HOME\");",
            "std::thread::sleep(d);",
            "let r = OsRng;",
            "let s = SqliteShelf::open(p);",
            "#![allow(clippy::disallowed_methods)]",
        ] {
            assert_eq!(found("crates/hqv-engine/src/a.rs", line), 1, "{line}");
            for home in [
                "crates/hq-vault/src/compose.rs",
                "crates/hqv-sys/src/a.rs",
                "crates/hqv-engine/tests/a.rs",
                "bench/src/a.rs",
            ] {
                assert_eq!(found(home, line), 0, "{home}: {line}");
            }
            assert_eq!(
                found(
                    "crates/hqv-engine/src/a.rs",
                    &format!("// {line}\n#[cfg(test)]\nmod tests {{ {line} }}")
                ),
                0
            );
        }
    }

    #[test]
    fn switches_and_stubs_are_found_everywhere() {
        for line in
            ["todo!()", "#[allow(clippy::too_many_lines)]", "#[ignore]", "#[ignore = \"slow\"]", "dbg!(x);"]
        {
            assert_eq!(found("crates/hqv-sys/tests/a.rs", line), 1, "{line}");
        }
        assert_eq!(found("crates/hqv-sys/tests/a.rs", "let todo = 1; // todo!()"), 0);
    }
}
