//! Which ways to the person are tried, and in which order.

use std::time::Duration;

use hqv_model::{Clock, SecretText};
use hqv_sys::signal::Held;

use super::errand::{Errand, Outcome};
use super::prompt::Manner;
use super::waiting::{Notice, Wait, Waited};
use super::{route_code, route_controlling, route_page, route_tmux, route_tty, standing};
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::compose::SystemClock;

/// The way that the command line insists on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// The first that is there.
    #[default]
    Any,
    /// A terminal.
    Tty,
    /// The page.
    Web,
    /// The code.
    Code,
}

/// An open entry, and what its routes need.
pub struct Opened<'a> {
    /// Settings and streams.
    pub ctx: &'a Context,
    /// The line to the daemon.
    pub link: &'a Link<'a>,
    /// As whom the entry was asked for.
    pub credential: Option<&'a SecretText>,
    /// Its id.
    pub id: &'a str,
    /// Its code.
    pub code: &'a str,
    /// Its page, where there is one.
    pub url: Option<&'a SecretText>,
    /// Its submit secret; absent where only the owner's answer will do.
    pub submit: Option<&'a SecretText>,
    /// How the value is taken.
    pub manner: Manner,
    /// When to stop waiting, by the boot clock.
    pub deadline: Option<Duration>,
    /// Notes the signals that end a command, from before the first words are said.
    pub held: &'a Held,
    /// The page is not opened, only told.
    pub no_open: bool,
    /// It was there before: who was told of it need not be told again.
    pub joined: bool,
}

impl Opened<'_> {
    /// Tries the routes and waits for the end.
    pub fn follow(&self, way: Way) -> Result<Waited, Failure> {
        if let Some(submit) = self.submit {
            if matches!(way, Way::Any | Way::Tty)
                && let Some(waited) = self.on_a_terminal(submit, way)?
            {
                return Ok(waited);
            }
            if matches!(way, Way::Any | Way::Web) && route_page::open(self, way) {
                return self.wait(None);
            }
        }
        if self.submit.is_none() && matches!(way, Way::Tty | Way::Web) {
            self.ctx.out.say("only the owner's answer will do here");
        }
        route_code::tell(self);
        self.wait(None)
    }

    /// None where no terminal will do.
    fn on_a_terminal(&self, submit: &SecretText, way: Way) -> Result<Option<Waited>, Failure> {
        if route_tty::is_there() {
            return route_tty::ask(self, submit).map(Some);
        }
        if self.joined && standing::is_there(self.ctx, self.id) {
            self.ctx.out.say("a prompt for it stands already, from an earlier run");
            return self.wait(None).map(Some);
        }
        for start in [route_controlling::start, route_tmux::start] {
            let Some(notice) = start(self, submit) else { continue };
            match self.wait(Some(&notice))? {
                Waited::Prompt(Outcome::NoTerminal) => {}
                waited => return Ok(Some(waited)),
            }
        }
        if way == Way::Tty {
            self.ctx.out.say("no terminal is free to ask on");
        }
        Ok(None)
    }

    fn wait(&self, prompt: Option<&Notice>) -> Result<Waited, Failure> {
        self.wait_until(self.deadline, prompt)
    }

    /// Waits for the end, or to `deadline`.
    pub fn wait_until(&self, deadline: Option<Duration>, prompt: Option<&Notice>) -> Result<Waited, Failure> {
        self.waiting(deadline).entry(self.id, prompt)
    }

    /// A wait of this command, to `deadline`.
    pub fn waiting(&self, deadline: Option<Duration>) -> Wait<'_> {
        Wait {
            link: self.link,
            credential: self.credential,
            held: self.held,
            deadline,
            grace: Duration::ZERO,
        }
    }

    /// A wait that lasts so long, and not past the command's own end.
    pub fn patience(&self, patience: Duration) -> Wait<'_> {
        let end = SystemClock.boot().saturating_add(patience);
        self.waiting(Some(self.deadline.map_or(end, |deadline| deadline.min(end))))
    }

    /// What a prompt in a process of its own is told.
    pub fn errand(&self, submit: &SecretText, tmux: bool) -> Errand {
        Errand {
            entry: self.id.to_owned(),
            submit: hqv_api::WireSecret::from_text(submit),
            credential: self.credential.map(hqv_api::WireSecret::from_text),
            tmux,
            allow_empty: self.manner.allow_empty,
            raw: self.manner.raw,
        }
    }

    /// The arguments that lead a process of its own to the same daemon. Neither is secret.
    pub fn prompter_arguments(&self) -> Vec<std::ffi::OsString> {
        let settings = &self.ctx.settings;
        let mut words = vec!["entry-prompt".into(), "--vault-dir".into(), settings.dir.root().into()];
        if let Ok(Some(url)) = settings.url() {
            words.extend(["--url".into(), url.into()]);
        }
        words
    }
}
