//! What we say of ourselves when we ask, and how who asked is shown.
//!
//! Program and directory are the asker's own word and are shown as such; the
//! process id and the token are the daemon's.

use std::path::Path;

use hqv_api::entry::Asker;
use hqv_model::escape_controls;

/// The most that the daemon takes of each claim, in bytes.
const CLAIM_MAX: usize = 256;

/// `node (pid 51234)`: the program that started this command, which is the one that asks.
pub fn program() -> Option<String> {
    let pid = hqv_sys::process::parent()?;
    let path = hqv_sys::process::program_of(pid)?;
    let name = Path::new(&path).file_name()?.to_string_lossy().into_owned();
    Some(cut(format!("{} (pid {pid})", cut(name, 200)), CLAIM_MAX))
}

/// Where it runs.
pub fn directory() -> Option<String> {
    let dir = std::env::current_dir().ok()?;
    Some(cut(dir.to_string_lossy().into_owned(), CLAIM_MAX))
}

/// At most `most` bytes, cut between characters.
fn cut(mut text: String, most: usize) -> String {
    let end = (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    text.truncate(end);
    text
}

/// `node (pid 51234) in ~/src/shop, no token`, escaped.
pub fn shown(asker: &Asker, home: Option<&Path>) -> String {
    let mut text = match &asker.program {
        Some(program) => claim(escape_controls(program).into_owned()),
        None => "a program that does not say its name".to_owned(),
    };
    if let Some(directory) = &asker.directory {
        text = format!("{text} in {}", claim(short(directory, home)));
    }
    match &asker.token {
        _ if asker.owner => text.push_str(", as the owner"),
        Some(token) => text = format!("{text}, token {}", escape_controls(token)),
        None => text.push_str(", no token"),
    }
    match (asker.pid, asker.source.as_str()) {
        (Some(pid), _) => format!("{text} (process {pid})"),
        (None, "socket" | "") => text,
        (None, source) => format!("{text} (from {})", escape_controls(source)),
    }
}

/// A claim that could be read as words of ours stands in quotes, of which it has none of its own.
fn claim(text: String) -> String {
    let (name, pid) =
        text.strip_suffix(')').and_then(|text| text.rsplit_once(" (pid ")).unwrap_or((&text, "0"));
    let plain = |c: char| c.is_alphanumeric() || "._-+@/~:".contains(c);
    if !name.is_empty()
        && name.chars().all(plain)
        && !pid.is_empty()
        && pid.bytes().all(|c| c.is_ascii_digit())
    {
        return text;
    }
    format!("\"{}\"", text.replace('"', "'"))
}

fn short(directory: &str, home: Option<&Path>) -> String {
    let below = home.and_then(|home| Path::new(directory).strip_prefix(home).ok());
    match below {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", crate::settings::paths::shown(rest)),
        None => escape_controls(directory).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn asker(program: &str, token: Option<&str>) -> Asker {
        Asker {
            program: Some(program.to_owned()),
            directory: Some("/home/ada/src/shop".to_owned()),
            token: token.map(str::to_owned),
            source: "socket".to_owned(),
            ..Asker::default()
        }
    }

    #[test]
    fn who_asks_is_shown_with_directory_and_token() {
        let home = Path::new("/home/ada");
        let shop = asker("node (pid 7)", None);
        assert_eq!(shown(&shop, Some(home)), "node (pid 7) in ~/src/shop, no token");
        let token = asker("node (pid 7)", Some("ci/worker"));
        assert_eq!(shown(&token, None), "node (pid 7) in /home/ada/src/shop, token ci/worker");
    }

    #[test]
    fn en7_a_claim_is_never_read_as_our_own_words() {
        let ours = asker("node (pid 7)", None);
        assert!(shown(&Asker { owner: true, ..ours.clone() }, None).ends_with("/shop, as the owner"));
        for (program, said) in [
            ("node (pid 7), token admin", "\"node (pid 7), token admin\" in"),
            ("node, as the owner (pid 7)", "\"node, as the owner (pid 7)\" in"),
            ("x\", token a", "\"x', token a\" in"),
            ("x (pid 7) (by process 1 on this machine)", "\"x (pid 7) (by process 1 on this machine)\" in"),
            ("", "\"\" in"),
        ] {
            let text = shown(&asker(program, None), None);
            assert!(text.starts_with(said) && text.ends_with(", no token"), "{text}");
        }
        let text = shown(&Asker { directory: Some("/tmp/x, as the owner".to_owned()), ..ours }, None);
        assert_eq!(text, "node (pid 7) in \"/tmp/x, as the owner\", no token");
    }

    #[test]
    fn in6_a_name_with_terminal_codes_is_inert() {
        let text = shown(&asker("\x1b[2Jnode\n", Some("a\x07")), None);
        assert!(!text.contains(char::is_control), "{text:?}");
    }

    #[test]
    fn claims_are_cut_between_characters() {
        assert_eq!(cut("é".repeat(200), 255).len(), 254);
        assert!(program().unwrap().contains("(pid "));
    }
}
