//! The fourth route: the entry's page in the person's browser.
//!
//! The page's address lets whoever holds it enter the value, so it is not
//! given to the browser as an argument, which every user of the machine can
//! read: what is opened is an address of our own that leads there once
//! (`redirect`).

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use hqv_model::SecretText;

use super::notify;
use super::redirect;
use super::routes::{Opened, Way};
use crate::settings::desk::Desk;

/// Opens or tells the page. False where there is none, or nothing to open it with and nobody asked for it.
///
/// The page of a vault that is reached over the network is never opened: its address is one of that machine, and
/// on this one anybody may listen there. Nor is it opened anew for each run of the same command.
pub fn open(opened: &Opened<'_>, way: Way) -> bool {
    let Some(url) = opened.url else { return false };
    let desk = &opened.ctx.settings.env.desk;
    let out = &opened.ctx.out;
    let local = opened.link.is_socket();
    let told = way == Way::Web && (opened.no_open || !local || is_remote(desk));
    if opened.joined && way != Way::Web && local && !openers(desk).is_empty() {
        out.say("a page may stand in the browser already; --web opens it anew");
        return true;
    }
    let shown = local && !opened.no_open && show(desk, url);
    if !shown && way != Way::Web {
        return false;
    }
    if shown {
        out.say("a page stands in the browser");
    }
    if told || !shown {
        tell(opened, url);
    }
    if !opened.joined {
        notify::person(&opened.ctx.settings.env, &notify::Wanted::Value(opened.code));
    }
    true
}

fn tell(opened: &Opened<'_>, url: &SecretText) {
    let desk = &opened.ctx.settings.env.desk;
    opened.ctx.out.say(format!("the page: {}", url.reveal()));
    let far = opened.link.host().filter(|host| !is_loopback(host));
    if let Some(port) = port_of(url.reveal()).filter(|_| far.is_some() || is_remote(desk)) {
        let host = far.map(str::to_owned).or_else(|| desk.ssh_host.clone());
        let host = host.unwrap_or_else(hqv_sys::process::host_name);
        let host = hqv_model::escape_controls(&host);
        opened.ctx.out.say(format!("first, on your own machine: ssh -L {port}:127.0.0.1:{port} {host}"));
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Whether the person's browser is likely to be on another machine.
fn is_remote(desk: &Desk) -> bool {
    desk.ssh_host.is_some() || openers(desk).is_empty()
}

fn port_of(url: &str) -> Option<u16> {
    let rest = url.strip_prefix("http://127.0.0.1:")?;
    rest.split(['/', '#']).next()?.parse().ok()
}

fn show(desk: &Desk, url: &SecretText) -> bool {
    let openers = openers(desk);
    if openers.is_empty() {
        return false;
    }
    let Some(once) = redirect::once(url, !desk.wsl) else { return false };
    openers.into_iter().any(|opener| start(opener, &once))
}

/// A program and its arguments; `%s` stands for the address, else it comes last.
type Opener = (PathBuf, Vec<OsString>);

/// What can open a page here, the best first.
fn openers(desk: &Desk) -> Vec<Opener> {
    let mut found: Vec<Opener> = Vec::new();
    if let Some(browsers) = &desk.browser {
        found.extend(browsers.to_string_lossy().split(':').filter_map(|line| named(desk, line)));
    }
    if cfg!(target_os = "macos") {
        found.extend(plain(desk, "open"));
    } else if desk.wsl {
        found.extend(plain(desk, "wslview"));
    }
    if desk.display {
        found.extend(plain(desk, "xdg-open"));
    }
    found
}

fn plain(desk: &Desk, name: &str) -> Option<Opener> {
    desk.program(name).map(|path| (path, Vec::new()))
}

/// A line of `BROWSER`: a program by name or path, and blanks between its arguments.
fn named(desk: &Desk, line: &str) -> Option<Opener> {
    let mut words = line.split_ascii_whitespace();
    let program = words.next()?;
    let path = if program.starts_with('/') { Some(PathBuf::from(program)) } else { desk.program(program) };
    Some((path?, words.map(OsString::from).collect()))
}

/// Starts it and lets it be: a browser may live as long as it likes.
fn start((program, arguments): Opener, url: &str) -> bool {
    let mut words: Vec<OsString> =
        arguments.iter().map(|word| word.to_string_lossy().replace("%s", url).into()).collect();
    if words == arguments {
        words.push(url.into());
    }
    use std::os::unix::process::CommandExt;
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.env_remove("HQ_VAULT_PASSPHRASE_FILE").env_remove("HQ_VAULT_TOKEN_FILE");
    match command.spawn() {
        Ok(mut child) => {
            std::thread::spawn(move || child.wait());
            true
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_browser_is_named_by_the_variable_first() {
        let desk = |browser: Option<&str>, display| Desk {
            browser: browser.map(Into::into),
            display,
            path: "/bin:/usr/bin".into(),
            ..Desk::default()
        };
        assert!(openers(&desk(None, false)).is_empty());
        let found = openers(&desk(Some("no-such:sh -x %s:/opt/b"), false));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].1, ["-x", "%s"]);
        assert_eq!(found[1].0, PathBuf::from("/opt/b"));
    }

    #[test]
    fn the_port_is_that_of_the_address() {
        assert_eq!(port_of("http://127.0.0.1:4711/ent_1#x.y"), Some(4711));
        assert_eq!(port_of("https://127.0.0.1:4711/"), None);
        assert_eq!(port_of("http://127.0.0.1:x/"), None);
    }
}
