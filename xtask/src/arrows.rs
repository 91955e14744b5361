//! Which crate may depend on which.
//!
//! A crate is a wall: what it cannot name it cannot leak. A store that does not depend on hqv-crypto never
//! sees a key; a server that depends on the engine alone holds no policy. Tests may reach further, since
//! they build what stands on the other side; they are listed, and only the binary is closed to them.

use crate::Findings;
use crate::cargo::Member;

/// Crate, and what it may depend on besides hqv-model, which everything may use.
const MAY: &[(&str, &[&str])] = &[
    ("hqv-model", &[]),
    ("hqv-sys", &[]),
    ("hqv-mask", &[]),
    ("hqv-crypto", &["hqv-sys"]),
    // Locked memory for the open segment's keys, and private files.
    ("hqv-audit", &["hqv-crypto", "hqv-sys"]),
    ("hqv-store", &[]),
    ("hqv-store-sqlite", &["hqv-store"]),
    ("hqv-engine", &["hqv-crypto", "hqv-audit", "hqv-store"]),
    ("hqv-api", &[]),
    ("hqv-client", &["hqv-api"]),
    ("hqv-server", &["hqv-engine", "hqv-api"]),
    (
        "hq-vault",
        &[
            "hqv-api",
            "hqv-audit",
            "hqv-client",
            "hqv-crypto",
            "hqv-engine",
            "hqv-mask",
            "hqv-server",
            "hqv-store",
            "hqv-store-sqlite",
            "hqv-sys",
        ],
    ),
    // The test kit and the bench stand on everything; nothing that is shipped stands on them.
    ("hqv-test", &["*"]),
    ("hqv-bench", &["*"]),
    ("xtask", &[]),
];

/// Libraries that one crate isolates.
const ONLY: &[(&str, &[&str])] =
    &[("libc", &["hqv-sys"]), ("rusqlite", &["hqv-store-sqlite"]), ("clap", &["hq-vault"])];

/// Arrows that should not be, and crates that the table does not know.
pub fn check(members: &[Member]) -> Findings {
    let mut findings = Findings::new();
    for member in members {
        let ours = |name: &&String| members.iter().any(|other| other.name == **name);
        let Some((_, may)) = MAY.iter().find(|(name, _)| *name == member.name) else {
            findings.push(format!("{}: not in the table of xtask/src/arrows.rs", member.name));
            continue;
        };
        for need in member.needs.iter().filter(ours) {
            let anything = *may == ["*"] && *need != "hq-vault";
            if !anything && need != "hqv-model" && !may.contains(&need.as_str()) {
                findings.push(format!("{} → {need}: this arrow is not drawn", member.name));
            }
        }
        for need in member.dev_needs.iter().filter(ours) {
            if need == "hq-vault" {
                findings.push(format!("{} → {need}: tests run the binary, they do not link it", member.name));
            }
        }
        findings.extend(isolated(member));
    }
    findings
}

fn isolated(member: &Member) -> Findings {
    let outside = ONLY.iter().filter(|(library, homes)| {
        member.needs.iter().any(|need| need == library) && !homes.contains(&member.name.as_str())
    });
    outside
        .map(|(library, homes)| format!("{} → {library}: only {} uses it", member.name, homes.join(", ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, needs: &[&str], dev_needs: &[&str]) -> Member {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Member { name: name.into(), needs: own(needs), dev_needs: own(dev_needs), roots: Vec::new() }
    }

    fn found(more: &[Member]) -> Findings {
        let names = MAY.iter().map(|(name, _)| *name).filter(|name| !more.iter().any(|m| m.name == *name));
        let mut all: Vec<Member> = names.map(|name| member(name, &["hqv-model"], &[])).collect();
        all.extend(more.iter().map(|m| Member {
            name: m.name.clone(),
            needs: m.needs.clone(),
            dev_needs: m.dev_needs.clone(),
            roots: Vec::new(),
        }));
        check(&all)
    }

    #[test]
    fn drawn_arrows_pass() {
        assert!(
            found(&[member("hqv-engine", &["hqv-crypto", "hqv-audit", "hqv-store", "tokio"], &["hqv-test"])])
                .is_empty()
        );
        assert!(found(&[member("hqv-sys", &["libc"], &["hqv-sys"])]).is_empty());
    }

    #[test]
    fn other_arrows_are_found() {
        for (name, need) in [
            ("hqv-store", "hqv-crypto"),
            ("hqv-server", "hqv-crypto"),
            ("hqv-api", "hqv-engine"),
            ("hqv-engine", "hqv-test"),
            ("hqv-client", "hqv-engine"),
            ("hqv-test", "hq-vault"),
            ("hqv-engine", "rusqlite"),
        ] {
            let findings = found(&[member(name, &[need], &[])]);
            assert_eq!(findings.len(), 1, "{name} → {need}: {findings:?}");
        }
        assert_eq!(found(&[member("hqv-server", &[], &["hq-vault"])]).len(), 1);
        assert_eq!(found(&[member("hqv-new", &[], &[])]).len(), 1);
    }
}
