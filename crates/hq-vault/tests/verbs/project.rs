//! The project file, references, `inject` and `project init`.

use crate::support::{home, owner, store, token, vault};
use hqv_test::{Home, Ran};
use std::os::unix::fs::PermissionsExt;

/// In a project directory, as the owner.
fn there(home: &Home, words: &[&str]) -> Ran {
    home.cli(words).owner().dir(home.path().join("project/src")).run()
}

fn project(home: &Home, text: &str) {
    if !home.path().join("project").exists() {
        home.make_dir("project");
        home.make_dir("project/src");
    }
    home.write("project/.hq-vault.toml", text, 0o644);
}

#[test]
fn a_project_file_above_says_what_programs_get() {
    let home = home();
    let _server = vault(&home);
    store(&home, "myapp/db-password", b"first-value-1");
    store(&home, "stripe/live", b"second-value-2");
    store(&home, "other/key", b"third-value-3");
    project(&home, "prefix = \"myapp\"\n[env]\nSTRIPE_KEY = \"stripe/live\"\n");
    let show = "printf '%s|%s|%s' \"$DB_PASSWORD\" \"$STRIPE_KEY\" \"$KEY\"";
    let ran = there(&home, &["run", "--no-mask", "--", "sh", "-c", show]).ok();
    assert_eq!(ran.out(), "first-value-1|second-value-2|");
    assert!(ran.err().contains("project/.hq-vault.toml names"), "{ran}");
    let json = there(&home, &["env-file", "--format", "json"]).ok().json();
    assert_eq!(json, serde_json::json!({"DB_PASSWORD": "first-value-1", "STRIPE_KEY": "second-value-2"}));
    // One use, whatever it names.
    let once = token(&home, &["--name", "once", "--max-uses", "1"]);
    let by = |words: &[&str]| home.cli(words).token(&once).dir(home.path().join("project/src")).run();
    by(&["run", "--", "true"]).ok();
    by(&["run", "--", "true"]).exits(4);
    // Whoever chooses gets what was chosen, and nothing else.
    let chosen = there(&home, &["run", "--no-mask", "--env", "KEY=other/key", "--", "sh", "-c", show]).ok();
    assert_eq!((chosen.out().as_str(), chosen.err().as_str()), ("||third-value-3", ""));
    let chosen = there(&home, &["env-file", "other", "--format", "json"]).ok().json();
    assert_eq!(chosen, serde_json::json!({"KEY": "third-value-3"}));
    there(&home, &["run", "--no-project", "--", "true"]).exits(2);
    // Outside there is none.
    let outside = owner(&home, &["run", "--", "true"]).exits(2);
    assert!(outside.err().contains("project init"), "{outside}");
}

#[test]
fn a_project_file_that_is_wrong_or_anybodys_starts_nothing() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"value-1");
    for (text, said) in [
        ("token = \"x\"\n", "line 1: a project file has no key token"),
        ("[env]\nA = \"a/b\"\nA = \"a/c\"\n", "line 3: "),
        ("[env]\nA-B = \"a/b\"\n", "line 2: A-B"),
        ("prefix = \"a\" \"b\"\n", "line 1: "),
    ] {
        project(&home, text);
        let refused = there(&home, &["run", "--", "touch", "started"]).exits(2);
        assert!(refused.err().contains(said), "{refused}");
    }
    project(&home, "[env]\nA = \"a/none\"\n");
    there(&home, &["run", "--", "touch", "started"]).exits(3);
    project(&home, "[env]\nLD_PRELOAD = \"a/b\"\n");
    there(&home, &["run", "--", "touch", "started"]).exits(2);
    // Outside the token's scope.
    project(&home, "[env]\nA = \"a/b\"\n");
    let narrow = token(&home, &["--name", "narrow", "--path", "c/", "--can", "read"]);
    home.cli(["run", "--", "touch", "started"])
        .token(&narrow)
        .dir(home.path().join("project/src"))
        .run()
        .exits(4);
    let file = home.path().join("project/.hq-vault.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o646)).unwrap();
    let refused = there(&home, &["run", "--", "touch", "started"]).exits(2);
    assert!(refused.err().contains("can be written by every user"), "{refused}");
    assert!(!home.path().join("project/src/started").exists());
}

#[test]
fn ht8_a_vault_that_a_project_names_gets_no_passphrase_and_no_token_but_its_own() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/b", b"value-1");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    project(&home, &format!("vault = \"https://localhost:{port}\"\n[env]\nA = \"a/b\"\n"));
    let refused = there(&home, &["run", "--", "true"]).exits(2);
    assert!(refused.err().contains("no token here vouches for it"), "{refused}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it was called");
    // A flag goes before the file.
    let socket = format!("unix:{}", home.vault_file("vault.sock").display());
    there(&home, &["run", "--url", &socket, "--", "true"]).ok();
    // In the right place with a token that names its certificate.
    let port = std::fs::read_to_string(home.vault_file("vault.port")).unwrap();
    project(&home, &format!("vault = \"https://localhost:{}\"\n[env]\nA = \"a/b\"\n", port.trim()));
    let worker = token(&home, &["--name", "worker"]);
    let ran = home
        .cli(["run", "--no-mask", "--", "printenv", "A"])
        .token(&worker)
        .dir(home.path().join("project/src"))
        .run()
        .ok();
    assert_eq!(ran.out(), "value-1\n");
    // A port in a directory of the project gets no more than a server of the project.
    let bait = home.make_dir("bait");
    home.write("bait/vault.port", listener.local_addr().unwrap().port().to_string(), 0o600);
    std::fs::copy(home.vault_file("ca.pem"), bait.join("ca.pem")).unwrap();
    project(&home, &format!("vault = \"{}\"\n[env]\nA = \"a/b\"\n", bait.display()));
    let pinless = hqv_crypto::wire::encode(hqv_crypto::wire::CredentialKind::Token, &[7; 32], None);
    let pinless = pinless.reveal().to_owned();
    home.cli(["run", "--", "true"]).token(&pinless).dir(home.path().join("project/src")).run().exits(2);
    assert!(listener.accept().is_err(), "it was called");
    let plain = home.write("plain.env", "A=1\n", 0o644);
    let words =
        ["run", "--env-file", plain.to_str().unwrap(), "--", "sh", "-c", "echo \"<$NODE_EXTRA_CA_CERTS>\""];
    assert_eq!(home.cli(words).dir(home.path().join("project/src")).run().ok().out(), "<>\n");
    // No daemon is started on a directory that came with the code.
    let planted = home.make_dir("planted");
    project(&home, &format!("vault = \"{}\"\n[env]\nA = \"a/b\"\n", planted.display()));
    there(&home, &["run", "--", "true"]).exits(6);
    for trace in ["vault.pid", "vault.log", "vault.lock", "vault.sock"] {
        assert!(!planted.join(trace).exists(), "{trace}");
    }
}

#[test]
fn references_of_a_dotenv_are_resolved_in_one_use_and_masked() {
    let home = home();
    let _server = vault(&home);
    store(&home, "db/password", b"pass-word-1");
    store(&home, "my app/a#1", b"hash-value");
    store(&home, "loop", b"hqv://loop");
    let file = home.write(
        "t.env",
        "PORT=3000\nURL='postgres://u:{{ hqv://db/password }}@h/d'\nODD='hqv://my app/a#1'\nLOOP=hqv://loop\nTEXT='\\hqv://x'\n",
        0o644,
    );
    let file = file.to_str().unwrap();
    let once = token(&home, &["--name", "once", "--max-uses", "1"]);
    let script = "printf '%s|%s|%s|%s|%s' \"$PORT\" \"$URL\" \"$ODD\" \"$LOOP\" \"$TEXT\"";
    let ran =
        home.cli(["run", "--env-file", file, "--no-mask", "--", "sh", "-c", script]).token(&once).run().ok();
    assert_eq!(ran.out(), "3000|postgres://u:pass-word-1@h/d|hash-value|hqv://loop|hqv://x");
    let ran = owner(&home, &["run", "--env-file", file, "--", "sh", "-c", script]).ok();
    assert_eq!(ran.out(), "3000|postgres://u:[secret]@h/d|[secret]|[secret]|hqv://x");
    assert_eq!(ran.err(), "");
    // The command line goes before the file.
    let words =
        ["run", "--env-file", file, "--env", "PORT=db/password", "--no-mask", "--", "printenv", "PORT"];
    assert_eq!(owner(&home, &words).ok().out(), "pass-word-1\n");
    // Without a reference nobody is asked.
    let plain = home.write("plain.env", "A=1\n", 0o644);
    let words = ["run", "--env-file", plain.to_str().unwrap(), "--", "printenv", "A"];
    assert_eq!(home.cli(words).run().ok().out(), "1\n");
    for (text, said, code) in [
        ("A=hqv://no/such\n", "no/such", 3),
        ("\nA='{{ hqv://db/password'\n", "line 2 opens a reference", 2),
        ("A=hqv://\n", "line 1 holds a reference that names no path", 2),
        ("A='x\n", "line 1", 2),
        ("PATH=hqv://db/password\n", "PATH", 2),
    ] {
        let file = home.write("bad.env", text, 0o644);
        let refused = owner(&home, &["run", "--env-file", file.to_str().unwrap(), "--", "touch", "started"])
            .exits(code);
        assert!(refused.err().contains(said), "{refused}");
    }
    owner(&home, &["run", "--env-file", "/no/such/file", "--", "true"]).exits(1);
    assert!(!home.path().join("started").exists());
}

#[test]
fn inject_fills_a_text_byte_for_byte_or_not_at_all() {
    let home = home();
    let _server = vault(&home);
    store(&home, "a/raw", b"\xff\n'\"$");
    let text = b"x = \"{{ hqv://a/raw }}\"\nhqv://a/raw.\n\xfe \\hqv://a/raw";
    let filled = b"x = \"\xff\n'\"$\"\n\xff\n'\"$.\n\xfe hqv://a/raw";
    let ran = home.cli(["inject"]).owner().stdin(&text[..]).run().ok();
    assert_eq!(ran.stdout, filled);
    let template = home.write("t.tpl", text, 0o644);
    let (template, out) = (template.to_str().unwrap(), home.path().join("out.cfg"));
    owner(&home, &["inject", "-i", template, "-o", out.to_str().unwrap()]).ok();
    assert_eq!(std::fs::read(&out).unwrap(), filled);
    assert_eq!(std::fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    // The template stays what it is.
    owner(&home, &["inject", "-i", template, "-o", template]).exits(2);
    let link = home.path().join("link");
    std::os::unix::fs::symlink(template, &link).unwrap();
    owner(&home, &["inject", "-i", template, "-o", link.to_str().unwrap()]).exits(2);
    assert_eq!(std::fs::read(template).unwrap(), text);
    // What fails writes nothing, and leaves what is there.
    for (text, code) in [("hqv://a/none", 3), ("hqv://a//b", 2), ("{{ hqv://a", 2)] {
        let ran = home.cli(["inject", "-o", out.to_str().unwrap()]).owner().stdin(text).run().exits(code);
        assert_eq!(ran.out(), "");
        assert_eq!(std::fs::read(&out).unwrap(), filled);
    }
    home.cli(["inject"]).owner().stdin(vec![b'x'; (1 << 20) + 1]).run().exits(2);
    let none = home.cli(["inject"]).stdin("nothing here").run().ok();
    assert_eq!(none.out(), "nothing here");
    home.cli(["inject"]).stdin("hqv://a/raw").run().exits(4);
}

#[test]
fn project_init_proposes_and_writes_only_where_somebody_agrees() {
    let home = home();
    let _server = vault(&home);
    store(&home, "myapp/db-password", b"v1");
    store(&home, "stripe/stripe-key", b"v2");
    store(&home, "a/twice", b"v3");
    store(&home, "b/twice", b"v4");
    home.make_dir("project");
    home.make_dir("project/src");
    there(&home, &["project", "init"]).exits(3);
    home.write("project/src/.env", "DB_PASSWORD=hunter2\nSTRIPE_KEY=x\nTWICE=y\nNOWHERE=z\n", 0o600);
    let wanted = "# Which secrets this project's programs get: hq-vault run -- CMD\nprefix = \"myapp/\"\n\n[env]\n\
                  STRIPE_KEY = \"stripe/stripe-key\"\n\
                  # TWICE = \"\"   one of \"a/twice\", \"b/twice\"\n\
                  # NOWHERE = \"\"   the vault has no secret of this name\n";
    let shown = there(&home, &["project", "init", "--prefix", "myapp"]).exits(8);
    assert_eq!(shown.out(), wanted);
    let file = home.path().join("project/src/.hq-vault.toml");
    assert!(!file.exists());
    there(&home, &["project", "init", "--prefix", "myapp", "--yes"]).ok();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), wanted);
    there(&home, &["project", "init", "--prefix", "myapp", "--yes"]).exits(7);
    there(&home, &["project", "init", "--prefix", "b", "--yes", "--force"]).ok();
    assert!(std::fs::read_to_string(&file).unwrap().contains("DB_PASSWORD = \"myapp/db-password\"\n"));
    let json = there(&home, &["env-file", "--format", "json"]).ok().json();
    assert_eq!(json, serde_json::json!({"DB_PASSWORD": "v1", "STRIPE_KEY": "v2", "TWICE": "v4"}));
}
