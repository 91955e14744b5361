//! `shell-init`: the owner in the shell that signed in, and nowhere else.

use crate::support::{PASSPHRASE, home, store, vault};
use std::process::Command;

const SHELLS: &[(&str, &[&str])] = &[
    ("bash", &["bash", "-O", "expand_aliases"]),
    ("zsh", &["zsh", "-f"]),
    ("ksh", &["ksh"]),
    ("ksh", &["mksh"]),
    ("dash", &["dash"]),
    ("dash", &["busybox", "sh"]),
];

/// What a shell is asked to do. `hq-vault` is on its PATH. The passphrase comes from a file for `unlock` alone.
const SCRIPT: &str = r#"
eval "$(hq-vault shell-init SHELL)"
hq-vault list >/dev/null 2>&1; echo "before $?"
export HQ_VAULT_PASSPHRASE_FILE="$PASS"
hq-vault unlock 2>/dev/null; echo "unlock $?"
unset HQ_VAULT_PASSPHRASE_FILE
rm -f "$HOME/.hq-vault/session.cache"
hq-vault get a/b; echo " get $?"
env | grep -c hqs_
sh -c 'hq-vault list >/dev/null 2>&1; echo "child $?"; echo "[${__hq_vault_s-}${HQ_VAULT_SESSION-}]"'
set | sed -n 's/^HQ_VAULT_SESSION=.*/inherited/p'
hq-vault get no/such 2>/dev/null; echo "missing $?"
hq-vault lock >/dev/null; echo "lock $?"
hq-vault list >/dev/null 2>&1; echo "after $?"
"#;

const EXPECTED: &str = "\
before 5
unlock 0
v get 0
0
child 4
[]
missing 3
lock 0
after 5
";

fn there(program: &str) -> bool {
    Command::new(program).args(["-c", "exit 0"]).output().is_ok()
}

#[test]
fn the_shell_acts_as_the_owner_and_its_children_do_not() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    // Each shell unlocks, and leaves the vault locked for the next.
    crate::support::owner(&home, &["lock"]).ok();
    let bin = home.make_dir("bin");
    std::os::unix::fs::symlink(home.program(), bin.join("hq-vault")).unwrap();
    for (name, words) in SHELLS.iter().filter(|(_, words)| there(words[0])) {
        for before in ["", "set -au\nexport __hq_vault_s=planted", "set -x"] {
            run(&home, name, words, before);
        }
    }
}

fn run(home: &hqv_test::Home, name: &str, words: &[&str], before: &str) {
    let script = format!("{before}\n{}", SCRIPT.replace("SHELL", name));
    // From a file, so that each line is read after the alias before it stands.
    let file = home.write("script", script, 0o600);
    let path = std::env::join_paths(
        std::iter::once(home.path().join("bin"))
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let output = Command::new(words[0])
        .args(&words[1..])
        .arg(&file)
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", path.unwrap())
        .env("PASS", home.passphrase_file())
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, EXPECTED, "{words:?} after {before:?}\n{err}");
    let traced = err.replace("grep -c hqs_", "");
    assert!(!traced.contains("hqs_"), "{words:?} after {before:?} traced the session\n{err}");
}

#[test]
fn fish_too() {
    if !there("fish") {
        return;
    }
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    std::fs::remove_file(home.vault_file("session.cache")).unwrap();
    let bin = home.make_dir("bin");
    std::os::unix::fs::symlink(home.program(), bin.join("hq-vault")).unwrap();
    let script = format!(
        "set -x PATH {bin} $PATH
         set -gx __hq_vault_s planted
         hq-vault shell-init fish | source
         hq-vault list >/dev/null 2>&1; echo before $status
         HQ_VAULT_PASSPHRASE_FILE={pass} hq-vault unlock 2>/dev/null; echo unlock $status
         rm -f $HOME/.hq-vault/session.cache
         hq-vault get a/b; echo ' get' $status
         env | grep -c hqs_
         sh -c 'hq-vault list >/dev/null 2>&1; echo child $?'
         hq-vault lock >/dev/null; echo lock $status
         hq-vault list >/dev/null 2>&1; echo after $status",
        bin = bin.display(),
        pass = home.passphrase_file().display(),
    );
    let output = Command::new("fish")
        .args(["--no-config", "-c", &script])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .current_dir(home.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said, "before 4\nunlock 0\nv get 0\n0\nchild 4\nlock 0\nafter 5\n", "{output:?}");
}

#[test]
fn unlock_at_the_shell_s_own_prompt_asks_the_person() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"v");
    let bin = home.make_dir("bin");
    std::os::unix::fs::symlink(home.program(), bin.join("hq-vault")).unwrap();
    let shell = hqv_test::Home::of("/bin/bash", false);
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut terminal = shell
        .cli(["--norc", "--noprofile", "-i"])
        .env("HOME", home.path())
        .env("PATH", path)
        .env("PS1", "ready> ")
        .on_terminal();
    // On one line: a function holds at once, an alias would not.
    terminal.wait_for("ready>").line("eval \"$(hq-vault shell-init bash)\"; hq-vault unlock");
    terminal.wait_for("Passphrase for").line(PASSPHRASE);
    terminal.wait_for("ready>").line("hq-vault get a/b; sh -c 'hq-vault list' </dev/null; echo ended $?");
    terminal.wait_for("no token and no owner session").wait_for("ended 4");
    terminal.wait_for("ready>").line("exit");
    let ran = terminal.finish();
    assert!(!ran.err().contains("hqs_") && !ran.err().contains("correct horse"), "{ran}");
}
