//! `service`, with a stand-in for systemctl that keeps what it was told.

use crate::support::home;
use hqv_test::{Home, Ran};

fn stand_in(home: &Home) -> std::path::PathBuf {
    let bin = home.make_dir("stand-in");
    let script = "#!/bin/sh\necho \"$@\" >> \"$HOME/told\"\ncase \"$*\" in *is-active*) test -e \"$HOME/active\" ;; *enable*--now*) touch \"$HOME/active\" ;; esac\n";
    home.write("stand-in/systemctl", script, 0o755);
    bin
}

fn service(home: &Home, words: &[&str]) -> Ran {
    let path = format!("{}:/usr/bin:/bin", home.path().join("stand-in").display());
    home.cli(["service"].iter().chain(words)).env("PATH", path).run()
}

#[test]
fn install_says_what_it_does_twice_changes_nothing_and_uninstall_takes_it_away() {
    let home = home();
    stand_in(&home);
    let unit = home.path().join(".config/systemd/user/hq-vault.service");
    service(&home, &["status"]).exits(1);
    let ran = service(&home, &["install"]).ok();
    assert_eq!(ran.out().trim(), "Installed: hq-vault.service (user)");
    assert!(ran.err().contains("written: ") && ran.err().contains("systemctl --user daemon-reload"), "{ran}");
    let text = std::fs::read_to_string(&unit).unwrap();
    assert!(text.contains(&format!("ExecStart=\"{}\" serve\n", home.program().display())), "{text}");
    assert_eq!(text, service(&home, &["install", "--print"]).ok().out());
    let told = std::fs::read_to_string(home.path().join("told")).unwrap();
    assert!(told.contains("--user daemon-reload\n--user enable --now hq-vault.service\n"), "{told}");
    assert!(service(&home, &["install"]).ok().err().contains("unchanged: "));
    service(&home, &["status"]).ok();
    assert!(service(&home, &["uninstall"]).ok().out().contains("the vault stays"));
    assert!(!unit.exists() && home.path().join(".hq-vault").exists());
    assert!(service(&home, &["uninstall"]).ok().out().contains("Not installed"));
}

#[test]
fn a_unit_of_somebody_else_a_machine_without_systemd_and_no_root_are_said() {
    let home = home();
    for verb in ["install", "uninstall", "status"] {
        let ran = home.cli(["service", verb]).env("PATH", "/nonexistent").run().exits(1);
        assert!(ran.err().contains("systemd is not here") && ran.err().contains("serve --daemon"), "{ran}");
    }
    assert!(!home.path().join(".config").exists(), "something was written without systemd");
    stand_in(&home);
    for dir in [".config", ".config/systemd", ".config/systemd/user"] {
        home.make_dir(dir);
    }
    home.write(".config/systemd/user/hq-vault.service", "[Unit]\n", 0o644);
    service(&home, &["install"]).exits(7);
    service(&home, &["uninstall"]).exits(7);
    let kept = std::fs::read(home.path().join(".config/systemd/user/hq-vault.service")).unwrap();
    assert_eq!(kept, b"[Unit]\n");
    let ordinary = crate::support::ordinary();
    ordinary.cli(["service", "install", "--system"]).run().exits(4);
    assert!(
        ordinary
            .cli(["service", "install", "--system", "--print"])
            .run()
            .ok()
            .out()
            .contains("User=hq-vault")
    );
}
