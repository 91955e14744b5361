//! `unsafe` in one crate alone.
//!
//! Cargo's lint table is one for the workspace and hqv-sys needs the exception, so each crate root says it,
//! and this check says that each does. Tests count too: they may not go round the wall.

use crate::Findings;
use crate::cargo::Member;
use crate::code::{has_word, only};
use crate::tree::File;

const HOME: &str = "crates/hqv-sys/";
const FORBID: &str = "#![forbid(unsafe_code)]";

/// `unsafe` outside hqv-sys, and crate roots that do not forbid it.
pub fn check(files: &[File], members: &[Member]) -> Findings {
    let mut findings = Findings::new();
    for file in files.iter().filter(|file| file.is_rust() && !file.path.starts_with(HOME)) {
        for (number, line) in only(&file.text).lines().enumerate() {
            if has_word(line, "unsafe") {
                findings.push(format!("{}:{}: unsafe outside hqv-sys", file.path, number + 1));
            }
        }
    }
    let roots = members.iter().flat_map(|member| &member.roots).filter(|root| !root.starts_with(HOME));
    for root in roots {
        let says =
            files.iter().any(|f| f.path == *root && only(&f.text).lines().any(|line| line.trim() == FORBID));
        if !says {
            findings.push(format!("{root}: does not say {FORBID}"));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> Findings {
        let member = Member { roots: vec!["crates/a/src/lib.rs".into()], ..Member::default() };
        let root = File::new("crates/a/src/lib.rs", "//! a\n#![forbid(unsafe_code)]\n");
        let mut files = vec![File::new(path, text)];
        if path != root.path {
            files.push(root);
        }
        check(&files, &[member])
    }

    #[test]
    fn safe_code_passes() {
        assert!(found("crates/a/src/b.rs", "fn f() {} // unsafe\n").is_empty());
        assert!(found("crates/hqv-sys/src/b.rs", "fn f() { unsafe {} }\n").is_empty());
    }

    #[test]
    fn unsafe_and_silent_roots_are_found() {
        assert_eq!(
            found("crates/a/tests/b.rs", "\nfn f() { unsafe {} }\n"),
            ["crates/a/tests/b.rs:2: unsafe outside hqv-sys"]
        );
        assert_eq!(found("crates/a/src/lib.rs", "//! a\n").len(), 1);
        assert_eq!(found("crates/a/src/lib.rs", "// #![forbid(unsafe_code)]\n").len(), 1);
    }
}
