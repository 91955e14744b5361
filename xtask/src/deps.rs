//! Everything we are built from: its licence, where it comes from, and that it is a release.
//!
//! cargo-deny reads the same `deny.toml`, and is the better tool where it is installed; it takes many minutes
//! to build, so the test command asks cargo for its metadata and compares here. Of deny.toml this reads the
//! lists `allow` of licences and `deny` of bans, line by line.

use crate::Findings;
use crate::cargo::Package;
use crate::licence::satisfied;
use std::collections::BTreeMap;

/// What is not allowed. Two versions of one crate are told, and are no finding.
pub fn check(packages: &[Package], deny: &str) -> Findings {
    let (licences, banned) = (list(deny, "licenses", "allow"), list(deny, "bans", "deny"));
    let mut findings = Findings::new();
    if licences.is_empty() {
        findings.push("deny.toml: no allowed licence could be read".into());
    }
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in packages {
        let Package { name, version, licence, source } = package;
        let named = format!("{name} {version}");
        versions.entry(name).or_default().push(version);
        if !satisfied(licence, &licences) {
            findings.push(format!("{named}: licence `{licence}` is not allowed by deny.toml"));
        }
        if source.as_ref().is_some_and(|source| !source.starts_with("registry+")) {
            findings.push(format!("{named}: does not come from the registry"));
        }
        if is_pre_release(version) {
            findings.push(format!("{named}: a pre-release"));
        }
        if banned.contains(name) {
            findings.push(format!("{named}: banned by deny.toml"));
        }
    }
    for (name, found) in versions.iter().filter(|(_, found)| found.len() > 1) {
        println!("deps: twice: {name} {}", found.join(", "));
    }
    findings
}

/// A `-` before any `+`: build metadata may hold what it likes.
fn is_pre_release(version: &str) -> bool {
    version.split('+').next().is_some_and(|release| release.contains('-'))
}

/// The quoted strings of `key = [...]` in `[section]`.
fn list(toml: &str, section: &str, key: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut inside, mut open) = (false, false);
    for line in toml.lines().map(|line| line.split('#').next().unwrap_or_default().trim()) {
        if line.starts_with('[') && !open {
            inside = line == format!("[{section}]");
        }
        open |= inside && line.split('=').next().is_some_and(|name| name.trim() == key);
        if open {
            found.extend(line.split('"').skip(1).step_by(2).map(ToOwned::to_owned));
            open = !line.ends_with(']');
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const DENY: &str = "[licenses]\nallow = [\n  \"MIT\", # most\n  \"ISC\",\n]\n[bans]\ndeny = [\"openssl\"]\nallow = [\"GPL-3.0\"]\n";

    fn found(change: impl Fn(&mut Package)) -> usize {
        let mut package = Package {
            name: "a".into(),
            version: "1.0.0+spec-1.1".into(),
            licence: "MIT".into(),
            source: Some("registry+https://example.org/index".into()),
        };
        change(&mut package);
        check(&[package], DENY).len()
    }

    #[test]
    fn releases_of_the_registry_pass() {
        assert_eq!(found(|_| ()), 0);
        assert_eq!(found(|p| p.source = None), 0);
        assert_eq!(found(|p| p.licence = "ISC OR GPL-3.0".into()), 0);
    }

    #[test]
    fn everything_else_is_found() {
        assert_eq!(found(|p| p.licence = "GPL-3.0".into()), 1);
        assert_eq!(found(|p| p.licence = String::new()), 1);
        assert_eq!(found(|p| p.version = "1.0.0-rc.1".into()), 1);
        assert_eq!(found(|p| p.source = Some("git+https://example.org/a".into())), 1);
        assert_eq!(found(|p| p.name = "openssl".into()), 1);
        assert_eq!(check(&[], "[licenses]\n").len(), 1);
    }
}
