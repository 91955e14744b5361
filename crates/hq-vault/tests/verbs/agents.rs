//! `agents setup`: in and out again, to the byte, and a sentence for whatever stands in the way.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use crate::support::{home, ordinary};
use hqv_test::{Home, Ran};

const AGENTS: [&str; 5] = ["claude", "codex", "cursor", "gemini", "copilot"];

fn setup(home: &Home, words: &[&str]) -> Ran {
    home.cli(["agents", "setup"].iter().chain(words)).dir(home.path().join("project")).run()
}

/// A project of this user, with these files in it.
fn project(home: &Home, files: &[(&str, &[u8])]) {
    home.make_dir("project");
    for (name, content) in files {
        let mut folder = "project".to_owned();
        for part in name.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev() {
            folder = format!("{folder}/{part}");
            if !home.path().join(&folder).exists() {
                home.make_dir(&folder);
            }
        }
        home.write(format!("project/{name}"), content, 0o640);
    }
}

/// Every file with its mode and content, every folder, every link.
fn snapshot(root: &Path) -> BTreeMap<String, (u32, Vec<u8>)> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![root.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let content = match &meta {
                meta if meta.is_dir() => Vec::new(),
                meta if meta.is_symlink() => {
                    fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes()
                }
                _ => fs::read(&path).unwrap(),
            };
            if meta.is_dir() {
                waiting.push(path.clone());
            }
            all.insert(path.display().to_string(), (meta.permissions().mode(), content));
        }
    }
    all
}

#[test]
fn setup_twice_then_remove_leaves_the_project_as_it_was() {
    let home = ordinary();
    project(
        &home,
        &[
            ("CLAUDE.md", b"# Shop\n\nRules\n"),
            ("AGENTS.md", b"no newline at the end"),
            ("GEMINI.md", b"\xef\xbb\xbf# Windows\r\n\r\nlines\r\n"),
            (
                ".claude/settings.json",
                b"{\n  \"permissions\": {\n    \"allow\": [\"Bash(npm test:*)\"]\n  }\n}",
            ),
            (".cursor/rules/other.mdc", b"---\n---\nother\n"),
            (".github/copilot-instructions.md", b""),
        ],
    );
    let root = home.path().join("project");
    let before = snapshot(&root);
    setup(&home, &AGENTS).ok();
    let once = snapshot(&root);
    setup(&home, &AGENTS).ok();
    assert_eq!(snapshot(&root), once);
    for (name, (mode, content)) in &before {
        let (now, text) = &once[name];
        assert_eq!(mode, now, "{name}");
        // Our rules come into the middle of a document, our text always after what was there.
        let parts = if name.ends_with(".json") {
            content.split(|b| *b == b']').collect()
        } else {
            vec![&content[..]]
        };
        assert!(text.starts_with(parts[0]), "{name}");
    }
    setup(&home, &["--remove"]).ok();
    assert_eq!(snapshot(&root), before);
}

#[test]
fn an_empty_project_is_empty_again() {
    let home = ordinary();
    project(&home, &[]);
    let root = home.path().join("project");
    for agent in AGENTS {
        let ran = setup(&home, &[agent]).ok();
        assert!(ran.out().starts_with("Made: "), "{ran}");
        assert!(!snapshot(&root).is_empty());
        let again = setup(&home, &[agent]).ok();
        assert_eq!((again.out().as_str(), again.err().trim()), ("", "it is all there already"));
        setup(&home, &[agent, "--remove"]).ok();
        assert!(snapshot(&root).is_empty(), "{agent}");
    }
    setup(&home, &["claude", "codex"]).ok();
    home.write("project/.claude/mine", "x", 0o600);
    setup(&home, &["--remove"]).ok();
    assert_eq!(
        snapshot(&root).into_keys().map(|k| k.replace(root.to_str().unwrap(), "")).collect::<Vec<_>>(),
        ["/.claude", "/.claude/mine"]
    );
}

#[test]
fn it_says_what_agents_need_and_nothing_that_is_not_there() {
    let home = home();
    project(&home, &[]);
    setup(&home, &AGENTS).ok();
    let root = home.path().join("project");
    for name in [
        "CLAUDE.md",
        "AGENTS.md",
        "GEMINI.md",
        ".cursor/rules/hq-vault.mdc",
        ".github/copilot-instructions.md",
    ] {
        let text = fs::read_to_string(root.join(name)).unwrap();
        for words in [
            "hq-vault ingest ",
            "hq-vault ask ",
            "hq-vault status",
            "Do not run `hq-vault get`",
            "Exit 9",
            "Exit 8",
        ] {
            assert!(text.contains(words), "{name}: {words}");
        }
        assert!(text.contains("hq-vault run "), "{name}");
    }
    for skill in [".claude", ".agents", ".gemini", ".github"] {
        let text = fs::read_to_string(root.join(skill).join("skills/hq-vault/SKILL.md")).unwrap();
        assert!(text.starts_with("---\nname: hq-vault\ndescription: "), "{skill}");
    }
    let settings: serde_json::Value =
        serde_json::from_slice(&fs::read(root.join(".claude/settings.json")).unwrap()).unwrap();
    let allowed: Vec<_> =
        ["ingest", "ask", "run", "status"].map(|verb| format!("Bash(hq-vault {verb}:*)")).into();
    assert_eq!(settings["permissions"]["allow"], serde_json::json!(allowed));
    assert_eq!(settings["permissions"]["deny"], serde_json::json!(["Bash(hq-vault get:*)"]));
    let rules = fs::read_to_string(root.join(".codex/rules/hq-vault.rules")).unwrap();
    assert!(rules.contains("[\"hq-vault\", \"get\"],\n    decision = \"forbidden\""), "{rules}");
    assert!(rules.contains("[\"hq-vault\", \"ingest\"],\n    decision = \"allow\""), "{rules}");
    let policy = fs::read_to_string(root.join(".gemini/policies/hq-vault.toml")).unwrap();
    assert!(policy.contains("commandPrefix = [\"hq-vault get\"]\ndecision = \"deny\""), "{policy}");
}

#[test]
fn without_a_name_it_is_for_the_agents_that_are_there() {
    let home = home();
    project(&home, &[]);
    let ran = setup(&home, &[]).exits(2);
    assert!(
        ran.err().contains("no agent's files")
            && ran.err().contains("claude, codex, cursor, gemini, copilot"),
        "{ran}"
    );
    home.write("project/AGENTS.md", "x\n", 0o600);
    home.make_dir("project/.cursor");
    let ran = setup(&home, &[]).ok();
    assert!(
        ran.out().contains("Changed: AGENTS.md\n")
            && ran.out().contains("Made: .cursor/rules/hq-vault.mdc\n")
    );
    assert!(!home.path().join("project/CLAUDE.md").exists());
    setup(&home, &["claud"]).exits(2);
}

#[test]
fn print_shows_the_diff_and_writes_nothing() {
    let home = home();
    project(&home, &[("CLAUDE.md", b"# Shop\n")]);
    let root = home.path().join("project");
    let before = snapshot(&root);
    let shown = setup(&home, &["--print", "claude"]).ok().out();
    assert!(shown.starts_with("--- a/CLAUDE.md\n+++ b/CLAUDE.md\n@@ -1,1 +1,"), "{shown}");
    assert!(shown.contains("--- /dev/null\n+++ b/.claude/settings.json\n"), "{shown}");
    assert_eq!(snapshot(&root), before);
    // The diff is one that patch takes, and that gives what setup writes.
    let patched = std::process::Command::new("git")
        .args(["apply", "--unsafe-paths", "-"])
        .current_dir(&root)
        .stdin(std::process::Stdio::from(fs::File::open(home.write("diff", &shown, 0o600)).unwrap()))
        .output();
    if patched.is_ok_and(|output| output.status.success()) {
        assert_eq!(setup(&home, &["--print", "claude"]).ok().out(), "");
    } else {
        println!("SKIP agents_print: git cannot apply here");
    }
    let json = setup(&home, &["--print", "--remove", "--json"]).ok().json();
    assert_eq!(json["files"][0], serde_json::json!({ "path": "CLAUDE.md", "change": "changed" }));
}

#[test]
fn a_person_is_asked_and_a_no_leaves_everything() {
    let home = home();
    project(&home, &[]);
    let root = home.path().join("project");
    let ask = |answer: &str| {
        let mut terminal = home.cli(["agents", "setup", "cursor"]).dir(&root).on_terminal();
        terminal.wait_for("+alwaysApply: true").wait_for("[y/N]").line(answer);
        terminal.finish()
    };
    ask("").exits(8);
    assert!(snapshot(&root).is_empty());
    ask("y").ok();
    assert!(root.join(".cursor/rules/hq-vault.mdc").exists());
    let mut terminal = home.cli(["agents", "setup", "cursor", "--remove", "--yes"]).dir(&root).on_terminal();
    terminal.wait_for("Removed: .cursor/rules/hq-vault.mdc");
    terminal.finish().ok();
    assert!(snapshot(&root).is_empty());
}

/// Nothing is written, exit 2 or 1, and the sentence has these words.
fn refused(home: &Home, words: &[&str], says: &str) {
    let root = home.path().join("project");
    let before = snapshot(&root);
    let ran = setup(home, words);
    assert!(matches!(ran.code, Some(1 | 2)), "{ran}");
    assert!(ran.err().contains(says) && ran.err().lines().count() >= 2, "{says}\n{ran}");
    assert_eq!(ran.out(), "");
    assert_eq!(snapshot(&root), before, "{says}");
}

#[test]
fn damaged_files_are_left_alone_with_a_sentence() {
    let home = home();
    project(&home, &[]);
    let (begin, end) = ("<!-- hq-vault:begin -->\n", "<!-- hq-vault:end -->\n");
    for (content, says) in [
        (begin.to_owned(), "only one of the two"),
        (format!("{end}{begin}"), "wrong order"),
        (format!("{begin}{end}{begin}{end}"), "more than once"),
        ("a\0b".to_owned(), "not UTF-8 text"),
    ] {
        home.write("project/CLAUDE.md", content, 0o600);
        refused(&home, &["claude"], says);
    }
    home.write("project/CLAUDE.md", b"\xff\xfe#\0", 0o600);
    refused(&home, &["claude"], "not UTF-8 text");
    home.write("project/CLAUDE.md", "", 0o600);
    home.make_dir("project/.claude");
    for (content, says) in [
        ("{ // mine\n}", "settings.json is not JSON"),
        ("[]", "JSON object"),
        ("{\"permissions\": {\"allow\": 1}}", "permissions.allow"),
    ] {
        home.write("project/.claude/settings.json", content, 0o600);
        refused(&home, &["claude"], says);
    }
}

#[test]
fn links_inside_the_project_are_followed_and_others_are_not() {
    let home = ordinary();
    project(&home, &[("AGENTS.md", b"# One for all\n")]);
    let root = home.path().join("project");
    symlink("AGENTS.md", root.join("CLAUDE.md")).unwrap();
    let before = snapshot(&root);
    setup(&home, &["claude", "codex"]).ok();
    let text = fs::read_to_string(root.join("AGENTS.md")).unwrap();
    assert_eq!(text.matches("hq-vault:begin").count(), 1);
    assert!(root.join("CLAUDE.md").is_symlink());
    setup(&home, &["--remove"]).ok();
    assert_eq!(snapshot(&root), before);

    home.write("elsewhere", "theirs\n", 0o600);
    for (link, end, says) in [
        ("GEMINI.md", "../elsewhere", "link out of this project"),
        (".cursor", "..", "link out of this project"),
        (".github", "nowhere", "leads nowhere"),
    ] {
        symlink(end, root.join(link)).unwrap();
        refused(&home, &["gemini", "cursor", "copilot"], says);
        fs::remove_file(root.join(link)).unwrap();
    }
    assert_eq!(fs::read(home.path().join("elsewhere")).unwrap(), b"theirs\n");
}

#[test]
fn what_stands_in_the_way_has_its_sentence_and_nothing_is_half_done() {
    let home = ordinary();
    project(&home, &[("AGENTS.md", b"x\n")]);
    home.make_dir("project/CLAUDE.md");
    refused(&home, &["codex", "claude"], "CLAUDE.md is a directory where a file is needed");
    home.write("project/.cursor", "x", 0o600);
    refused(&home, &["codex", "cursor"], ".cursor is a regular file where a directory is needed");
    // An ordinary user's limits; root has none.
    if home.uid() == 0 {
        println!("SKIP agents_unwritable: needs an ordinary user");
        return;
    }
    let mode = |name: &str, mode| {
        fs::set_permissions(home.path().join("project").join(name), fs::Permissions::from_mode(mode))
            .unwrap();
    };
    home.write("project/GEMINI.md", "x\n", 0o444);
    refused(&home, &["codex", "gemini"], "cannot write GEMINI.md: permission denied");
    mode("AGENTS.md", 0o000);
    let ran = setup(&home, &["codex"]).exits(1);
    assert!(ran.err().contains("cannot read AGENTS.md: permission denied"), "{ran}");
    mode("AGENTS.md", 0o640);
    // The first file of codex can be written, the folder of the last cannot be made.
    home.make_dir("project/.codex");
    mode(".codex", 0o500);
    refused(&home, &["codex"], "cannot write .codex/rules/hq-vault.rules: permission denied");
    let ran = setup(&home, &["codex", "--dir", "nowhere"]).exits(1);
    assert!(ran.err().contains("cannot use nowhere: no such file"), "{ran}");
}
