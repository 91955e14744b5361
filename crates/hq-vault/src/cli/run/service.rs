//! `service`: writes the unit that is packed too, and lets systemctl do the rest.
//!
//! Each step is said before it is done. A unit of our name that does not begin with our line is somebody else's
//! and stays as it is.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::args::service::{Verb, Whose};
use crate::cli::context::Context;
use crate::cli::output::error::{Failure, reason};
use crate::daemon::start;
use crate::settings::paths::shown;

const SYSTEM: &str = include_str!("../../../../../packaging/systemd/hq-vault.service");
const USER: &str = include_str!("../../../../../packaging/systemd/hq-vault-user.service");
const SYSUSERS: &str = include_str!("../../../../../packaging/systemd/hq-vault.sysusers");
const NAME: &str = "hq-vault.service";
const MARK: &str = "# Made by hq-vault service install\n";
const PACKED: &str = "ExecStart=/usr/bin/hq-vault serve\n";

/// Does what the verb says.
pub fn run(ctx: &Context, verb: &Verb) -> Result<(), Failure> {
    let (Verb::Install(crate::cli::args::service::Install { whose, .. })
    | Verb::Uninstall(crate::cli::args::service::Uninstall { whose })
    | Verb::Status(crate::cli::args::service::Status { whose })) = verb;
    let unit = Unit::of(ctx, *whose)?;
    match verb {
        Verb::Install(args) if args.print => ctx.out.bytes(unit.text(ctx)?.as_bytes()),
        Verb::Install(_) => unit.install(ctx),
        Verb::Uninstall(_) => unit.uninstall(ctx),
        Verb::Status(_) => unit.status(ctx),
    }
}

struct Unit {
    system: bool,
    file: PathBuf,
}

/// What stands at the unit's place.
enum There {
    Nothing,
    Ours(String),
    Foreign,
}

impl Unit {
    fn of(ctx: &Context, whose: Whose) -> Result<Unit, Failure> {
        if whose.system {
            return Ok(Unit { system: true, file: Path::new("/etc/systemd/system").join(NAME) });
        }
        let home = ctx.settings.home().ok_or_else(|| Failure::usage("no home directory is known"))?;
        Ok(Unit { system: false, file: home.join(".config/systemd/user").join(NAME) })
    }

    fn text(&self, ctx: &Context) -> Result<String, Failure> {
        let program = std::env::current_exe().map_err(|e| Failure::io("cannot find our own program", &e))?;
        let mut start = format!("ExecStart={} serve", quoted(&program)?);
        let dir = &ctx.settings.dir;
        if !self.system && !dir.is_usual(ctx.settings.home()) {
            start.push_str(&format!(" --vault-dir {}", quoted(dir.root())?));
        }
        start.push('\n');
        Ok(if self.system { SYSTEM } else { USER }.replace(PACKED, &start))
    }

    fn there(&self) -> Result<There, Failure> {
        match std::fs::read_to_string(&self.file) {
            Ok(text) if text.starts_with(MARK) => Ok(There::Ours(text)),
            Ok(_) => Ok(There::Foreign),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(There::Nothing),
            Err(e) => Err(Failure::io(format!("cannot read {}", shown(&self.file)), &e)),
        }
    }

    fn install(&self, ctx: &Context) -> Result<(), Failure> {
        self.may()?;
        let text = self.text(ctx)?;
        let there = self.there()?;
        if matches!(there, There::Foreign) {
            return Err(Failure::conflict(format!("{} is not of our making", shown(&self.file)))
                .hint("move it away, or keep it: nothing was changed"));
        }
        self.systemctl(&["--version"])?;
        if matches!(&there, There::Ours(old) if *old == text) {
            ctx.out.say(format!("unchanged: {}", shown(&self.file)));
        } else {
            write(&self.file, &text)?;
            ctx.out.say(format!("written: {}", shown(&self.file)));
        }
        if self.system {
            make_user(ctx)?;
        } else {
            start::prepare_dir(&ctx.settings)?;
        }
        self.say_and_do(ctx, &["daemon-reload"])?;
        let held = !self.system && matches!(hqv_sys::lock::holder(&ctx.settings.dir.lock()), Ok(Some(_)));
        if held && !self.systemctl(&["is-active", "--quiet", NAME])? {
            self.say_and_do(ctx, &["enable", NAME])?;
            ctx.out.say(
                "a daemon that systemd did not start has the vault; the unit takes over at the next login",
            );
            ctx.out.say("sooner: hq-vault serve --stop, then systemctl --user start hq-vault");
        } else {
            self.say_and_do(ctx, &["enable", "--now", NAME])?;
        }
        ctx.out.confirm(format!("Installed: {NAME} ({})", self.whose()))
    }

    fn uninstall(&self, ctx: &Context) -> Result<(), Failure> {
        self.may()?;
        self.systemctl(&["--version"])?;
        match self.there()? {
            There::Nothing => return ctx.out.confirm(format!("Not installed: {NAME} ({})", self.whose())),
            There::Foreign => {
                return Err(Failure::conflict(format!("{} is not of our making", shown(&self.file)))
                    .hint("remove it yourself if you want it gone"));
            }
            There::Ours(_) => {}
        }
        self.say_and_do(ctx, &["disable", "--now", NAME])?;
        std::fs::remove_file(&self.file)
            .map_err(|e| Failure::io(format!("cannot remove {}", shown(&self.file)), &e))?;
        ctx.out.say(format!("removed: {}", shown(&self.file)));
        self.say_and_do(ctx, &["daemon-reload"])?;
        ctx.out.confirm(format!("Uninstalled: {NAME} ({}); the vault stays", self.whose()))
    }

    fn status(&self, ctx: &Context) -> Result<(), Failure> {
        self.systemctl(&["--version"])?;
        let place = match self.there()? {
            There::Nothing => "not installed".to_owned(),
            There::Foreign => format!("{}, not of our making", shown(&self.file)),
            There::Ours(_) => shown(&self.file),
        };
        let active = self.systemctl(&["is-active", "--quiet", NAME])?;
        ctx.out.line(format!("unit   {place}\nstate  {}", if active { "running" } else { "not running" }))?;
        if active { Ok(()) } else { Err(Failure::finding()) }
    }

    fn whose(&self) -> &'static str {
        if self.system { "system" } else { "user" }
    }

    fn may(&self) -> Result<(), Failure> {
        if self.system && hqv_sys::process::uid() != 0 {
            return Err(Failure::unauthorized("the machine's unit is root's")
                .hint("sudo hq-vault service ... --system, or --user for one of your own"));
        }
        Ok(())
    }

    fn say_and_do(&self, ctx: &Context, words: &[&str]) -> Result<(), Failure> {
        let user = if self.system { "" } else { "--user " };
        ctx.out.say(format!("systemctl {user}{}", words.join(" ")));
        if self.systemctl(words)? {
            return Ok(());
        }
        Err(Failure::internal(format!("systemctl {user}{} failed", words.join(" ")))
            .hint("its own words stand above; hq-vault serve --daemon needs no systemd"))
    }

    /// Whether it ended well. Its words go to stderr.
    fn systemctl(&self, words: &[&str]) -> Result<bool, Failure> {
        let mut command = Command::new("systemctl");
        if !self.system {
            command.arg("--user");
        }
        match command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).status() {
            Ok(status) => Ok(status.success()),
            Err(e) => Err(Failure::internal(format!("systemd is not here: systemctl: {}", reason(&e)))
                .hint("hq-vault serve --daemon needs none; commands start the daemon by themselves")),
        }
    }
}

/// The user that the machine's unit runs as.
fn make_user(ctx: &Context) -> Result<(), Failure> {
    write(Path::new("/etc/sysusers.d/hq-vault.conf"), SYSUSERS)?;
    ctx.out.say("systemd-sysusers hq-vault.conf");
    match Command::new("systemd-sysusers").arg("hq-vault.conf").stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err(Failure::internal("the user hq-vault could not be made")
            .hint("make it yourself: useradd --system hq-vault, then run this again")),
    }
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::io(format!("cannot write {}", shown(file)), &e);
    if let Some(dir) = file.parent() {
        std::fs::create_dir_all(dir).map_err(failed)?;
    }
    hqv_sys::files::write_atomic(file, text.as_bytes(), 0o644).map_err(failed)
}

/// A word of a unit: what systemd would read as a specifier, a variable or an escape stands for itself.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().filter(|text| !text.chars().any(char::is_control)).ok_or_else(|| {
        Failure::usage(format!("{} cannot stand in a unit", shown(path))).hint("it is not plain UTF-8")
    })?;
    let mut word = String::from("\"");
    for c in text.chars() {
        match c {
            '%' => word.push_str("%%"),
            '$' => word.push_str("$$"),
            '"' | '\\' => word.extend(['\\', c]),
            _ => word.push(c),
        }
    }
    word.push('"');
    Ok(word)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_word_of_a_unit_stands_for_itself() {
        assert_eq!(quoted(Path::new("/a b/$x%h\"\\")).unwrap(), "\"/a b/$$x%%h\\\"\\\\\"");
        assert_eq!(quoted(Path::new("/a\nExecStart=x")).unwrap_err().exit(), 2);
    }

    #[test]
    fn both_units_bear_the_line_that_is_replaced_and_our_mark() {
        for unit in [SYSTEM, USER] {
            assert!(unit.starts_with(MARK) && unit.matches(PACKED).count() == 1);
        }
    }
}
