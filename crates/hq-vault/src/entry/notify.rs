//! Telling the person that somebody waits: a notification on the desktop, a
//! line in tmux, and the owner's own program (`config set notify.command`),
//! which the daemon runs.
//!
//! All of them get the code and nothing else, in a clean environment. None is
//! waited for: a notifier that hangs delays nobody, and is ended after a while.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::route_tmux;
use crate::settings::desk::Desk;
use crate::settings::env::Env;

/// How long a notifier may live.
const PATIENCE: Duration = Duration::from_secs(10);

/// What waits.
pub enum Wanted<'a> {
    /// A value, under this code.
    Value(&'a str),
    /// A decision, under this code.
    Decision(&'a str),
}

impl Wanted<'_> {
    fn title(&self) -> &'static str {
        match self {
            Wanted::Value(_) => "HQ Vault: a value is asked for",
            Wanted::Decision(_) => "HQ Vault: a decision is asked for",
        }
    }

    fn command(&self) -> String {
        match self {
            Wanted::Value(code) => format!("hq-vault answer {code}"),
            Wanted::Decision(code) => format!("hq-vault approve {code}"),
        }
    }
}

/// Tells them by all that is there.
pub fn person(env: &Env, wanted: &Wanted<'_>) {
    if let Some(mut command) = desktop(&env.desk, wanted) {
        clean(&mut command, env);
        if let Some(bus) = &env.desk.bus {
            command.env("DBUS_SESSION_BUS_ADDRESS", bus);
        }
        start(command);
    }
    if let Some(command) = in_tmux(&env.desk, wanted) {
        start(command);
    }
}

/// The desktop's notification, by the first program that can send one.
fn desktop(desk: &Desk, wanted: &Wanted<'_>) -> Option<Command> {
    desk.bus.as_ref()?;
    let (title, body) = (wanted.title(), wanted.command());
    if let Some(program) = desk.program("notify-send") {
        let mut command = Command::new(program);
        command.args(["--app-name=HQ Vault", title, &body]);
        return Some(command);
    }
    let (name, path) = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications");
    let method = "org.freedesktop.Notifications.Notify";
    if let Some(program) = desk.program("gdbus") {
        let mut command = Command::new(program);
        command.args(["call", "--session", "--timeout", "5", "--dest", name, "--object-path", path]);
        command.args(["--method", method, "HQ Vault", "0", "", title, &body, "[]", "{}", "30000"]);
        return Some(command);
    }
    let program = desk.program("busctl")?;
    let mut command = Command::new(program);
    command.args(["--user", "--timeout=5", "call", name, path, name, "Notify", "susssasa{sv}i"]);
    command.args(["HQ Vault", "0", "", title, &body, "0", "0", "30000"]);
    Some(command)
}

fn in_tmux(desk: &Desk, wanted: &Wanted<'_>) -> Option<Command> {
    let tmux = desk.tmux.as_ref()?;
    let program = desk.program("tmux")?;
    let client = route_tmux::attached_client(&program, tmux)?;
    let mut command = route_tmux::at(&program, tmux);
    command.args(["display-message", "-c", &client]);
    command.arg(format!("{}: {}", wanted.title(), wanted.command()));
    Some(command)
}

/// The owner's own program, with the code as its one argument. For the daemon.
pub fn own_program(program: &str, code: &str) {
    let program = Path::new(program);
    if !program.is_absolute() {
        return;
    }
    let mut command = Command::new(program);
    command.arg(code).current_dir("/").env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    if let Some(home) = hqv_sys::process::home_of_uid() {
        command.env("HOME", home);
    }
    start(command);
}

/// Of the environment only what names places.
fn clean(command: &mut Command, env: &Env) {
    command.env_clear().env("PATH", &env.desk.path);
    let places: [(&str, Option<OsString>); 2] = [
        ("HOME", env.home.clone().map(Into::into)),
        ("XDG_RUNTIME_DIR", env.runtime_dir.clone().map(Into::into)),
    ];
    for (name, value) in places {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
}

/// Starts it, and sees to its end in a thread of its own.
fn start(mut command: Command) {
    use std::os::unix::process::CommandExt;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    if let Ok(child) = command.spawn() {
        std::thread::spawn(move || see_out(child));
    }
}

fn see_out(mut child: Child) {
    if !hqv_sys::process::wait_end(child.id(), PATIENCE).unwrap_or(false) {
        let _ = child.kill();
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn words(command: &Command) -> String {
        command.get_args().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn without_a_bus_or_a_program_nobody_is_told() {
        let desk = Desk { path: "/bin".into(), ..Desk::default() };
        assert!(desktop(&desk, &Wanted::Value("7F3K-9QXM")).is_none());
        let desk = Desk { bus: Some("unix:path=/x".into()), path: "/nowhere".into(), ..Desk::default() };
        assert!(desktop(&desk, &Wanted::Value("7F3K-9QXM")).is_none());
        assert!(in_tmux(&desk, &Wanted::Value("7F3K-9QXM")).is_none());
    }

    #[test]
    fn the_first_program_that_is_there_is_told_the_code() {
        let dir = tempfile::tempdir().unwrap();
        for (name, word) in
            [("busctl", "susssasa{sv}i"), ("gdbus", "--method"), ("notify-send", "--app-name")]
        {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
            let desk = Desk { bus: Some("x".into()), path: dir.path().into(), ..Desk::default() };
            let said = words(&desktop(&desk, &Wanted::Decision("7F3K-9QXM")).unwrap());
            assert!(said.contains(word) && said.contains("hq-vault approve 7F3K-9QXM"), "{said}");
        }
    }
}
