//! Row MM2: after a whole day of work, no secret stands in clear where it does not belong.
//!
//! The day is one script: every way in and out, every kind of error, with and without `--json`. What may be
//! shown is said at each step; everything else, and all that is left on the disk, is searched.

use std::ops::Deref;
use std::rc::Rc;

use hqv_test::{Canary, Found, Home, Ran, Terminal, TestServer};

use crate::support::{home, raw, root_for};

const PASSPHRASE: &str = "CANARY-passphrase-staple-9d";
const MISTYPED: &str = "CANARY-mistyped-passphrase-4";
const VALUE: &str = "CANARY-value-7f3k9qxm-0001";
const TYPED: &str = "CANARY-typed-at-a-prompt-02";
const NUMBER: &str = "7301948265013";
const PATH: &str = "CANARY-path-8h/of/the-secret";
const WORDS: &str = "CANARY-description-words-6m";
const NAME: &str = "CANARY-token-name-3w";

/// What a step may show on stdout.
#[derive(Clone, Copy, PartialEq)]
enum Shows {
    /// Paths and names, as any command of the owner.
    Names,
    /// A value too: that is what was asked for.
    Values,
    /// A token or session: it was just made.
    Credential,
}

/// A run that is kept, to be looked at once more.
struct Seen(Rc<Ran>);

impl Seen {
    #[track_caller]
    fn exits(self, code: i32) -> Seen {
        assert_eq!(self.code, Some(code), "{}", *self);
        self
    }

    #[track_caller]
    fn ok(self) -> Seen {
        self.exits(0)
    }
}

impl Deref for Seen {
    type Target = Ran;

    fn deref(&self) -> &Ran {
        &self.0
    }
}

struct Day<'a> {
    home: &'a Home,
    server: TestServer<'a>,
    session: String,
    secrets: Vec<(&'static str, Canary)>,
    runs: Vec<(Rc<Ran>, Shows)>,
}

impl<'a> Day<'a> {
    /// The owner types everything; no passphrase file is used on this day.
    fn begin(home: &'a Home) -> Day<'a> {
        let server = TestServer::start(home);
        let mut init = home.cli(["init"]).on_terminal();
        init.wait_for("hidden").line(PASSPHRASE).wait_for("again").line(PASSPHRASE).wait_for("HQVR-");
        let made = init.finish().ok();
        let text = made.err();
        let recovery = text.split_whitespace().find(|word| word.starts_with("HQVR-")).unwrap().to_owned();
        let mut day = Day { home, server, session: String::new(), secrets: Vec::new(), runs: Vec::new() };
        for (name, secret) in [
            ("passphrase", PASSPHRASE),
            ("mistyped passphrase", MISTYPED),
            ("value", VALUE),
            ("typed value", TYPED),
            ("value without its quotes", NUMBER),
            ("recovery key", &recovery[10..]),
        ] {
            day.secrets.push((name, Canary::new(secret.as_bytes())));
        }
        let recovered = day.typed(&["unlock", "--recovery"], "Recovery key", &recovery);
        day.keep(recovered, Shows::Names).ok();
        day.session = day.typed(&["unlock", "--raw"], "Passphrase", PASSPHRASE).out().trim_end().to_owned();
        day.credential("session", &day.session.clone());
        day
    }

    fn credential(&mut self, name: &'static str, text: &str) {
        self.secrets.push((name, Canary::new(&text.as_bytes()[4..44])));
    }

    fn typed(&self, words: &[&str], prompt: &str, line: &str) -> Ran {
        let mut terminal = self.home.cli(words).on_terminal_piped();
        terminal.wait_for(prompt).line(line);
        terminal.finish()
    }

    /// A step of the owner, by the session in the environment.
    #[track_caller]
    fn owner(&mut self, words: &[&str], stdin: &str, shows: Shows) -> Seen {
        let cli = self.home.cli(words).env("HQ_VAULT_SESSION", &self.session);
        self.keep(cli.stdin(stdin).run(), shows)
    }

    #[track_caller]
    fn with_token(&mut self, words: &[&str], token: &str, shows: Shows) -> Seen {
        let cli = self.home.cli(words).token(token);
        self.keep(cli.run(), shows)
    }

    /// Keeps it for the search; gives it back to be looked at.
    fn keep(&mut self, ran: Ran, shows: Shows) -> Seen {
        let ran = Rc::new(ran);
        self.runs.push((Rc::clone(&ran), shows));
        Seen(ran)
    }

    fn on_terminal(&self, words: &[&str]) -> Terminal {
        self.home.cli(words).env("HQ_VAULT_SESSION", &self.session).on_terminal()
    }

    /// Everything that was said, against what might be said.
    fn check_runs(&self) {
        for (ran, shows) in &self.runs {
            for (name, canary) in &self.secrets {
                let value = matches!(*name, "value" | "typed value");
                let credential = matches!(*name, "token" | "session");
                let allowed =
                    (value && *shows == Shows::Values) || (credential && *shows == Shows::Credential);
                let in_stdout = |found: &Found| found.place.starts_with("stdout");
                let found: Vec<_> =
                    ran.search(canary).into_iter().filter(|f| !(allowed && in_stdout(f))).collect();
                assert!(found.is_empty(), "{name}: {found:?}\n{ran}");
            }
        }
    }

    fn check_process(&self, pid: u32, what: &str) {
        for (name, canary) in &self.secrets {
            let found = canary.in_process(pid).unwrap();
            assert!(found.is_empty(), "{name} of {what}: {found:?}");
        }
    }
}

#[test]
fn mm2_a_day_of_work_leaves_no_secret_in_clear() {
    let home = home();
    home.make_dir("inputs");
    home.write("inputs/value", VALUE, 0o600);
    let mut day = Day::begin(&home);
    put_in(&mut day);
    take_out(&mut day);
    let token = tokens(&mut day);
    at_terminals(&mut day, &token);
    go_wrong(&mut day, &token);
    over_http(&mut day, &token);
    if root_for("the daemon's environment and arguments") {
        day.check_process(day.server.pid(), "the daemon");
    }
    let said = day.owner(&["audit", "--json", "--limit", "1000"], "", Shows::Names).ok();
    assert!(said.out().contains(PATH) && said.out().contains(NAME), "the search would find what is there");
    day.owner(&["lock"], "", Shows::Names).ok();
    day.check_runs();
    on_the_disk(&day, &home);
    let again = day.typed(&["unlock", "--raw"], "Passphrase", PASSPHRASE).ok();
    assert!(again.search(&Canary::new(PASSPHRASE.as_bytes())).is_empty());
    day.server.stop();
}

/// Stores in every way.
fn put_in(day: &mut Day<'_>) {
    day.owner(
        &["store", PATH, "--description", WORDS, "--tag", "CANARY-tag-key=CANARY-tag-value"],
        VALUE,
        Shows::Names,
    )
    .ok();
    day.owner(&["store", "app/from-file", "--file", "inputs/value", "--json"], "", Shows::Names).ok();
    day.owner(&["store", "app/made", "--generate", "--env", "MADE"], "", Shows::Names).ok();
    day.owner(&["store", "app/raw", "--raw"], &format!("{VALUE}\n{VALUE}\n"), Shows::Names).ok();
    let mut prompt = day.on_terminal(&["store", "app/typed"]);
    prompt.wait_for("hidden");
    if hqv_sys::process::uid() == 0 {
        day.check_process(prompt.pid(), "a client at its prompt");
    }
    prompt.line(TYPED);
    day.keep(prompt.finish().ok(), Shows::Names);
}

fn take_out(day: &mut Day<'_>) {
    assert_eq!(day.owner(&["get", PATH], "", Shows::Values).ok().out(), VALUE);
    assert_eq!(day.owner(&["get", "app/typed"], "", Shows::Values).ok().out(), TYPED);
    day.owner(&["get", PATH, "--json"], "", Shows::Values).ok();
    day.owner(&["get", "app/raw", "--env", "RAW"], "", Shows::Values).ok();
    day.owner(&["get", PATH, "-o", "inputs/got"], "", Shows::Names).ok();
    for format in ["export", "json"] {
        day.owner(&["env-file", "app/", "--format", format], "", Shows::Values).ok();
    }
    day.owner(&["env-file", "app/", "--format", "json", "-o", "inputs/env"], "", Shows::Names).ok();
    for words in [
        &["list"][..],
        &["list", "--json"],
        &["show", PATH],
        &["show", PATH, "--json"],
        &["copy", PATH, "CANARY-path-8h/copy"],
        &["move", "CANARY-path-8h/copy", "CANARY-path-8h/moved"],
        &["delete", "CANARY-path-8h/moved", "--force"],
        &["status"],
        &["whoami"],
        &["doctor"],
        &["doctor", "--json"],
        &["config", "show"],
        &["config", "set", "idle-timeout", "60"],
        &["session", "list"],
        &["audit"],
        &["audit", "verify"],
        &["audit", "checkpoint"],
        &["audit", "public-key"],
    ] {
        day.owner(words, "", Shows::Names);
    }
}

/// Makes and uses tokens; gives one that lives.
fn tokens(day: &mut Day<'_>) -> String {
    let made = day.owner(&["token", "create", "--name", NAME], "", Shows::Credential).ok();
    let token = made.out().trim_end().to_owned();
    day.credential("token", &token);
    let json = day.owner(
        &["token", "create", "--name", "other", "--json", "--max-uses", "1"],
        "",
        Shows::Credential,
    );
    let other = json.ok().json()["token"].as_str().unwrap().to_owned();
    day.credential("token", &other);
    day.with_token(&["get", PATH], &token, Shows::Values).ok();
    day.with_token(&["get", PATH], &other, Shows::Values).ok();
    day.with_token(&["get", PATH], &other, Shows::Names).exits(4);
    day.with_token(&["whoami"], &token, Shows::Names).ok();
    day.with_token(&["get", "app/none"], &token, Shows::Names).exits(3);
    day.with_token(&["store", "app/x", "--generate"], &token, Shows::Names).exits(4);
    for words in [&["token", "list"][..], &["token", "list", "--all", "--json"], &["token", "show", NAME]] {
        day.owner(words, "", Shows::Names).ok();
    }
    day.owner(&["token", "revoke", "other"], "", Shows::Names);
    day.with_token(&["get", PATH, "--json"], &other, Shows::Names).exits(4);
    token
}

/// Where a person sits, a token or session waits in the environment meanwhile.
fn at_terminals(day: &mut Day<'_>, token: &str) {
    let mut tail = day.on_terminal(&["audit", "--tail"]);
    tail.wait_for("token");
    let mut pending = day.home.cli(["store", "app/y"]).token(token).on_terminal();
    pending.wait_for("hidden");
    if hqv_sys::process::uid() == 0 {
        day.check_process(tail.pid(), "a tail with a session");
        day.check_process(pending.pid(), "a client with a token");
    }
    for mut terminal in [tail, pending] {
        terminal.keys(b"\x03");
        let ran = terminal.finish();
        day.keep(ran, Shows::Names);
    }
}

/// Errors of every kind, each twice. Secrets stand where they should not have been given.
fn go_wrong(day: &mut Day<'_>, token: &str) {
    let mistyped = format!("{}x", &token[..token.len() - 1]);
    let in_url = format!("https://localhost:1/?token={token}");
    let with_user = format!("https://user:{token}@localhost:1/");
    for json in [&[][..], &["--json"]] {
        let with = |words: &[&'static str]| -> Vec<&str> { [words, json].concat() };
        for words in [
            &["get", "app/none"][..],
            &["get", "a//b"],
            &["store", "app/x", VALUE],
            &["unlock", PASSPHRASE],
            &["get", PATH, "--version", VALUE],
            &["token", "create", "--name", VALUE, "--ttl", VALUE],
            &["token", "create", "--name", "t", "--max-uses", "x"],
            &["config", "set", "no-such-key", VALUE],
            &["serve", "--idle-timeout", "40000"],
            &["audit", "--limit", "x"],
        ] {
            // A value given as an argument of another kind may be quoted back: it is not known for one.
            let quoted = words.contains(&VALUE) && !matches!(words[0], "store");
            let ran = day.owner(&with(words), "", Shows::Names);
            assert_ne!(ran.code, Some(0), "{}", *ran);
            if quoted {
                day.runs.pop();
            }
        }
        day.with_token(&with(&["get", PATH]), &token[..60], Shows::Names).exits(4);
        day.with_token(&with(&["get", PATH]), &mistyped, Shows::Names).exits(4);
        day.with_token(&with(&["get", PATH]), PASSPHRASE, Shows::Names).exits(4);
        let session = day.session.clone();
        day.with_token(&with(&["get", PATH]), &session, Shows::Names).exits(4);
        for url in [&in_url, &with_user] {
            let words = [&["get", PATH, "--url", url.as_str()], json].concat();
            day.with_token(&words, token, Shows::Names);
        }
        let words = [&["get", PATH, "--token-file", token], json].concat();
        day.owner(&words, "", Shows::Names);
        let ran = day.home.cli([&[token], json].concat()).run();
        day.keep(ran, Shows::Names);
        let ran = day.typed(&with(&["unlock"]), "Passphrase", MISTYPED);
        day.keep(ran.exits(4), Shows::Names);
    }
}

/// Requests that no client of ours makes; the answers are searched as they come.
fn over_http(day: &mut Day<'_>, token: &str) {
    let session = &day.session;
    let answers = [
        format!("GET /v1/secrets/a?token={token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nCookie: t={token}\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/secrets/a HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic {token}\r\nConnection: close\r\n\r\n"),
        format!("GET /v1/{token} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        post(session, &format!("{{\"value\": \"{VALUE}\", \"value\": \"{VALUE}\"}}")),
        post(session, &format!("{{\"value\": \"{VALUE}\", \"other\": \"{VALUE}\"}}")),
        post(session, &format!("{{\"value\": {VALUE}}}")),
        post(session, &format!("{{\"value\": \"{VALUE}\", \"encoding\": \"base64\"}}")),
        post(session, &format!("{{\"value\": [\"{VALUE}\"]}}")),
        post(session, &format!("{{\"value\": {NUMBER}}}")),
        post(session, &format!("{{\"value\": {NUMBER}.5, \"encoding\": \"{VALUE}\"}}")),
        post(session, &format!("{{\"value\": \"\\ud800{VALUE}\"}}")),
    ]
    .map(|request| raw(&day.server, request.as_bytes()));
    for answer in &answers {
        let head = String::from_utf8_lossy(answer);
        assert!(head.starts_with("HTTP/1.1 4"), "{head}");
        for (name, canary) in &day.secrets {
            let found = canary.in_bytes("an answer", answer);
            assert!(found.is_empty(), "{name}: {found:?}\n{head}");
        }
    }
}

fn post(session: &str, body: &str) -> String {
    format!(
        "PUT /v1/secrets/app/http HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {session}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The vault directory, the temporary one and the rest of the home: nothing, not even a name.
fn on_the_disk(day: &Day<'_>, home: &Home) {
    assert!(!home.vault_file("session.cache").exists(), "kept though no passphrase file was named");
    std::fs::remove_dir_all(home.path().join("inputs")).unwrap();
    let names = [
        ("path", &PATH[..14]),
        ("description", WORDS),
        ("token's name", NAME),
        ("tag", "CANARY-tag-key"),
        ("tag's value", "CANARY-tag-value"),
        ("path's end", "of/the-secret"),
    ];
    let names: Vec<_> = names.iter().map(|(name, text)| (*name, Canary::new(text.as_bytes()))).collect();
    for (name, canary) in day.secrets.iter().chain(&names) {
        let found = canary.in_tree(home.path());
        assert!(found.is_empty(), "{name}: {found:?}");
    }
    let log = std::fs::read_to_string(home.vault_file("vault.log")).unwrap();
    assert!(!log.contains("CANARY"), "{log}");
}
