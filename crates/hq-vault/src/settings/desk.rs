//! What the environment says of the person's surroundings: a desktop, a tmux,
//! a session bus. `entry` chooses by it how a person is asked.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A tmux server that this command runs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tmux {
    /// Its socket.
    pub socket: PathBuf,
    /// The pane that we run in.
    pub pane: String,
}

/// The surroundings, as they were when the process began.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// `TMUX` and `TMUX_PANE`.
    pub tmux: Option<Tmux>,
    /// `BROWSER`.
    pub browser: Option<OsString>,
    /// `DISPLAY` or `WAYLAND_DISPLAY` is set.
    pub display: bool,
    /// Windows is around this Linux.
    pub wsl: bool,
    /// The server's own address in `SSH_CONNECTION`.
    pub ssh_host: Option<String>,
    /// `DBUS_SESSION_BUS_ADDRESS`.
    pub bus: Option<OsString>,
    /// `PATH`.
    pub path: OsString,
}

impl Desk {
    /// Reads the variables.
    pub fn gather(get: impl Fn(&str) -> Option<OsString>) -> Desk {
        let set = |name: &str| get(name).filter(|value| !value.is_empty());
        let text = |name: &str| set(name).map(|value| value.to_string_lossy().into_owned());
        Desk {
            tmux: text("TMUX").and_then(|tmux| Tmux::parse(&tmux, &text("TMUX_PANE")?)),
            browser: set("BROWSER"),
            display: set("DISPLAY").or_else(|| set("WAYLAND_DISPLAY")).is_some(),
            wsl: set("WSL_DISTRO_NAME").is_some(),
            ssh_host: text("SSH_CONNECTION")
                .and_then(|words| words.split_ascii_whitespace().nth(2).map(str::to_owned)),
            bus: set("DBUS_SESSION_BUS_ADDRESS"),
            path: set("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
        }
    }

    /// The first program of this name on the search path.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path)
            .filter(|dir| dir.is_absolute())
            .map(|dir| dir.join(name))
            .find(|path| is_program(path))
    }
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

impl Tmux {
    /// `TMUX` is the socket, the server's pid and a number, with commas between.
    fn parse(tmux: &str, pane: &str) -> Option<Tmux> {
        let socket = PathBuf::from(tmux.rsplitn(3, ',').nth(2)?);
        let number = pane.strip_prefix('%')?;
        let good = socket.is_absolute() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Tmux { socket, pane: pane.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn in7_odd_variables_of_tmux_mean_no_tmux() {
        let tmux = Tmux::parse("/tmp/tmux-1000/a,b,4711,0", "%12").unwrap();
        assert_eq!((tmux.socket, tmux.pane.as_str()), (PathBuf::from("/tmp/tmux-1000/a,b"), "%12"));
        for (tmux, pane) in [
            ("", "%1"),
            ("/tmp/x", "%1"),
            ("x,1,2", "%1"),
            ("/x,1,2", "1"),
            ("/x,1,2", "%"),
            ("/x,1,2", "%1;"),
        ] {
            assert_eq!(Tmux::parse(tmux, pane), None, "{tmux} {pane}");
        }
    }

    #[test]
    fn a_program_is_looked_for_in_absolute_places_alone() {
        let desk = |path: &str| Desk { path: path.into(), ..Desk::default() };
        assert!(desk("/nowhere:/bin:/usr/bin").program("sh").is_some());
        assert!(desk("bin:.").program("sh").is_none());
        assert!(desk("/bin").program("no-such-program").is_none());
    }
}
