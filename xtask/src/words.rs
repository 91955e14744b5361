//! Words that must not stand in the repository: they are true on one machine, or nobody's business.

use crate::Findings;
use crate::tree::File;

/// What is looked for, and why not. Each is written in two halves, or this file would find itself.
const WORDS: &[(&str, &str, &str)] = &[
    ("/wor", "k/", "a path of one machine"),
    ("/tmp/de", "sign", "a path of one machine"),
    ("/roo", "t/", "a path of one machine"),
    ("/home/run", "ner/", "a path of one machine"),
    ("crates", ".io", "a registry's host"),
    ("static.crates", ".io", "a registry's host"),
    ("pypi", ".org", "a registry's host"),
    ("pythonhosted", ".org", "a registry's host"),
    ("npmjs", ".org", "a registry's host"),
    ("npmjs", ".com", "a registry's host"),
    ("deb.debian", ".org", "a registry's host"),
    ("helper ag", "ent", "how it was written is no part of it"),
    ("sub-agent ses", "sion", "how it was written is no part of it"),
    ("subagent ses", "sion", "how it was written is no part of it"),
];

/// Lock files name the registry of each package; that is what they are for.
fn is_lock(path: &str) -> bool {
    path.ends_with("Cargo.lock") || path.ends_with("package-lock.json")
}

/// Every place where one of the words stands, whatever its case.
pub fn check(files: &[File]) -> Findings {
    let mut findings = Findings::new();
    for file in files.iter().filter(|file| !is_lock(&file.path)) {
        for (number, line) in file.text.lines().enumerate() {
            let line = line.to_lowercase();
            for (head, tail, why) in WORDS {
                if line.contains(&format!("{head}{tail}")) {
                    findings.push(format!("{}:{}: {head}{tail}: {why}", file.path, number + 1));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_found() {
        for (head, tail, _) in WORDS {
            let text = format!("line\nsee https://{head}{tail} here\n").to_uppercase();
            let findings = check(&[File::new("docs/a.md", &text)]);
            assert!(
                findings.iter().all(|finding| finding.starts_with("docs/a.md:2: ")) && !findings.is_empty(),
                "{head}{tail}"
            );
            assert!(check(&[File::new("Cargo.lock", &text)]).is_empty());
        }
    }

    #[test]
    fn ordinary_words_pass() {
        let text = "how agents work / a worker's path: work/a, /tmp/x, crates/hqv-sys, the root/ of a tree\n";
        let findings = check(&[File::new("README.md", text)]);
        assert!(findings.is_empty(), "{findings:?}");
    }
}
