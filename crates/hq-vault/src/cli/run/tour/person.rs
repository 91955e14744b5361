//! The person of the tour: a terminal of their own, on which they type one thing when they are asked.

use std::io;
use std::process::Command;
use std::time::Duration;

use hqv_sys::pty::Pty;

use super::stage::Ended;
use crate::cli::output::error::Failure;

/// How long a question may take to come.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs a command on a new terminal, types once it asks, and gives what was shown.
pub fn play(command: Command, types: &str) -> Result<Ended, Failure> {
    sit(command, types).map_err(|e| Failure::io("cannot play the person of the tour", &e))
}

fn sit(mut command: Command, types: &str) -> io::Result<Ended> {
    let mut pty = Pty::open()?;
    pty.attach(&mut command)?;
    let mut child = command.spawn()?;
    let asked = pty.wait_for(if types == "y" { "[y/N] " } else { "open: " }, PATIENCE);
    if asked.is_ok() {
        pty.type_in(types.as_bytes())?;
        pty.type_in(b"\n")?;
    }
    // What waits for more than is typed here ends with its terminal.
    let (tell, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait()));
    let late = |_| io::Error::from(io::ErrorKind::TimedOut);
    let code = ended.recv_timeout(PATIENCE).map_err(late)??.code().unwrap_or(-1);
    Ok(Ended { code, shown: plain(&String::from_utf8_lossy(pty.shown()?)) })
}

/// What a terminal is told, without what only steers it.
fn plain(shown: &str) -> String {
    let mut text = String::with_capacity(shown.len());
    let mut chars = shown.chars();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {}
            '\x1b' => {
                // A control sequence ends with its first letter.
                chars.by_ref().find(char::is_ascii_alphabetic);
            }
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_not_shown() {
        assert_eq!(plain("\x1b[?2004hValue: \x1b[?2004l\r\n12 characters.\r\n"), "Value: \n12 characters.\n");
    }
}
