//! What tickets should do, in two hundred lines: the model that the random walk is held against.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use hqv_model::Code;
use std::collections::BTreeMap;

/// How long a ticket waits and is kept, in seconds.
pub const LIFE: u64 = 600;
/// Tickets of one caller that may wait at once.
const MOST: usize = 16;

/// Who does it: nobody known, the token that may only ingest, or the one that may write too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Peer,
    Ingest,
    Write,
}

/// What is done. Tickets are named by the order in which they came to be.
#[derive(Clone, Copy, Debug)]
pub enum Action {
    Open { who: Who, at: u8, overwrite: bool },
    Store { entry: usize },
    Answer { entry: usize },
    RefuseEntry { entry: usize, owner: bool },
    Ask { who: Who, rule: u8 },
    Approve { ask: usize },
    Deny { ask: usize },
    Collect { ask: usize, newest: bool },
    Put { at: u8 },
    Delete { at: u8 },
    Revoke { who: Who },
    Pass { seconds: u64 },
    Lock,
    Unlock,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    Done,
    /// The number of the ticket, and whether it was there already.
    Ticket(usize, bool),
    Version(u64),
    Refused(Code),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Waiting,
    Approved,
    Stored(u64),
    Collected,
    Refused,
    Expired,
}

/// Whose a ticket is: while locked a token cannot be judged, but what it brought is known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seat {
    who: Who,
    brought: Who,
}

impl Seat {
    fn is(&self, other: &Seat) -> bool {
        self.who == other.who || (self.brought != Who::Peer && self.brought == other.brought)
    }
}

#[derive(Clone, Debug)]
pub struct Ticket {
    seat: Seat,
    /// Who is shown as asking: of an ask, the newest run.
    shown: Who,
    /// Path of an entry, rule of an ask.
    what: u8,
    overwrite: bool,
    /// It has a secret that is not the owner's.
    pub submit: bool,
    pub state: State,
    deadline: u64,
    ended: Option<u64>,
    /// Runs of the command so far.
    pub runs: usize,
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    pub now: u64,
    pub locked: bool,
    pub revoked: Vec<Who>,
    pub entries: Vec<Ticket>,
    pub asks: Vec<Ticket>,
    /// Versions, and whether something stands there.
    pub secrets: BTreeMap<u8, (u64, bool)>,
    /// Ends that the record must tell.
    pub entry_ends: usize,
    pub ask_ends: usize,
    pub tokens_made: usize,
}

impl Desk {
    fn seat(&self, brought: Who) -> Result<Seat, Code> {
        if !self.locked && self.revoked.contains(&brought) {
            return Err(Code::TokenRevoked);
        }
        Ok(Seat { who: if self.locked { Who::Peer } else { brought }, brought })
    }

    /// Whether anybody still knows of it.
    pub fn kept(&self, ticket: &Ticket) -> bool {
        ticket.ended.is_none_or(|ended| self.now < ended + LIFE)
    }

    fn stands(&self, at: u8) -> bool {
        self.secrets.get(&at).is_some_and(|(_, live)| *live)
    }

    fn sweep(&mut self) {
        for (tickets, ends) in
            [(&mut self.entries, &mut self.entry_ends), (&mut self.asks, &mut self.ask_ends)]
        {
            for ticket in tickets.iter_mut().filter(|t| t.ended.is_none() && t.deadline <= self.now) {
                ticket.state = State::Expired;
                ticket.ended = Some(ticket.deadline);
                *ends += 1;
            }
        }
    }

    fn room(&self, seat: &Seat) -> Result<(), Code> {
        let waits = |t: &&Ticket| t.ended.is_none();
        let all = || self.entries.iter().chain(&self.asks).filter(waits);
        let mine = all().filter(|t| t.seat.is(seat)).count();
        if mine >= MOST || all().count() >= 64 { Err(Code::RateLimited) } else { Ok(()) }
    }

    fn add(&mut self, seat: Seat, what: u8, overwrite: bool, submit: bool) -> Ticket {
        let deadline = self.now + LIFE;
        let (state, ended) = (State::Waiting, None);
        Ticket { seat, shown: seat.who, what, overwrite, submit, state, deadline, ended, runs: 1 }
    }

    fn write(&mut self, at: u8) -> u64 {
        let secret = self.secrets.entry(at).or_insert((0, false));
        *secret = (secret.0 + 1, true);
        secret.0
    }

    /// Does it.
    pub fn act(&mut self, action: Action) -> Told {
        if let Action::Pass { seconds } = action {
            self.now += seconds;
        }
        self.sweep();
        self.act_now(action).unwrap_or_else(Told::Refused)
    }

    fn act_now(&mut self, action: Action) -> Result<Told, Code> {
        match action {
            Action::Open { who, at, overwrite } => self.open(who, at, overwrite),
            Action::Store { entry } => self.store(entry, false),
            Action::Answer { entry } => self.store(entry, true),
            Action::RefuseEntry { entry, owner } => {
                let now = self.now;
                let ticket = self.entry(entry, owner)?;
                if ticket.state != State::Waiting {
                    return Err(Code::Conflict);
                }
                (ticket.state, ticket.ended) = (State::Refused, Some(now));
                Ok(Told::Done)
            }
            Action::Ask { who, rule } => self.ask(who, rule),
            Action::Approve { ask } => self.approve(ask),
            Action::Deny { ask } => self.deny(ask),
            Action::Collect { ask, newest } => self.collect(ask, newest),
            Action::Put { at } => self.unlocked().map(|()| Told::Version(self.write(at))),
            Action::Delete { at } => {
                self.unlocked()?;
                match self.secrets.get_mut(&at) {
                    Some((_, live)) if *live => *live = false,
                    _ => return Err(Code::NotFound),
                }
                Ok(Told::Done)
            }
            Action::Revoke { who } => {
                self.unlocked()?;
                if who == Who::Peer {
                    return Err(Code::NotFound);
                }
                // Once more changes nothing.
                self.revoked.push(who);
                Ok(Told::Done)
            }
            Action::Pass { .. } => Ok(Told::Done),
            Action::Lock => {
                self.unlocked()?;
                self.locked = true;
                Ok(Told::Done)
            }
            Action::Unlock => {
                self.locked = false;
                Ok(Told::Done)
            }
        }
    }

    fn approve(&mut self, ask: usize) -> Result<Told, Code> {
        let (revoked, now) = (self.revoked.clone(), self.now);
        let ticket = self.decided(ask)?;
        if ticket.state != State::Waiting || revoked.contains(&ticket.shown) {
            return Err(Code::Conflict);
        }
        (ticket.state, ticket.deadline) = (State::Approved, now + LIFE);
        Ok(Told::Done)
    }

    fn deny(&mut self, ask: usize) -> Result<Told, Code> {
        let now = self.now;
        let ticket = self.decided(ask)?;
        if !matches!(ticket.state, State::Waiting | State::Approved) {
            return Err(Code::Conflict);
        }
        (ticket.state, ticket.ended) = (State::Refused, Some(now));
        Ok(Told::Done)
    }

    fn unlocked(&self) -> Result<(), Code> {
        if self.locked { Err(Code::VaultLocked) } else { Ok(()) }
    }

    fn entry(&mut self, entry: usize, owner: bool) -> Result<&mut Ticket, Code> {
        if owner {
            self.unlocked()?;
        }
        let kept = self.entries.get(entry).is_some_and(|t| self.kept(t) && (owner || t.submit));
        self.entries.get_mut(entry).filter(|_| kept).ok_or(Code::NotFound)
    }

    fn decided(&mut self, ask: usize) -> Result<&mut Ticket, Code> {
        self.unlocked()?;
        let kept = self.asks.get(ask).is_some_and(|t| self.kept(t));
        self.asks.get_mut(ask).filter(|_| kept).ok_or(Code::NotFound)
    }

    fn open(&mut self, who: Who, at: u8, overwrite: bool) -> Result<Told, Code> {
        let seat = self.seat(who)?;
        let same = |t: &&Ticket| {
            let lasts = match t.state {
                State::Waiting | State::Refused => true,
                State::Stored(_) => self.locked || self.stands(at),
                _ => false,
            };
            lasts && t.what == at && t.overwrite == overwrite && t.seat.is(&seat) && self.kept(t)
        };
        if let Some(number) = self.entries.iter().rposition(|t| same(&t)) {
            return Ok(Told::Ticket(number, true));
        }
        if !self.locked && self.stands(at) && !overwrite {
            return Err(Code::AlreadyExists);
        }
        self.room(&seat)?;
        let ticket = self.add(seat, at, overwrite, !overwrite || seat.who == Who::Write);
        self.entries.push(ticket);
        Ok(Told::Ticket(self.entries.len() - 1, false))
    }

    fn store(&mut self, entry: usize, owner: bool) -> Result<Told, Code> {
        let ticket = self.entry(entry, owner)?.clone();
        self.unlocked()?;
        if ticket.state != State::Waiting {
            return Err(Code::Conflict);
        }
        if self.revoked.contains(&ticket.seat.who) {
            return Err(Code::Forbidden);
        }
        if self.stands(ticket.what) && !ticket.overwrite {
            return Err(Code::AlreadyExists);
        }
        let version = self.write(ticket.what);
        let ended = Some(self.now);
        let ticket = self.entry(entry, owner)?;
        (ticket.state, ticket.ended) = (State::Stored(version), ended);
        Ok(Told::Version(version))
    }

    fn ask(&mut self, who: Who, rule: u8) -> Result<Told, Code> {
        let seat = self.seat(who)?;
        let same = |t: &&Ticket| {
            let lasts = matches!(t.state, State::Waiting | State::Approved | State::Refused);
            lasts && t.what == rule && t.seat.is(&seat) && self.kept(t)
        };
        if let Some(number) = self.asks.iter().rposition(|t| same(&t)) {
            let ticket = &mut self.asks[number];
            ticket.runs += 1;
            if ticket.state == State::Waiting {
                ticket.shown = seat.who;
            }
            return Ok(Told::Ticket(number, true));
        }
        self.room(&seat)?;
        let ticket = self.add(seat, rule, false, false);
        self.asks.push(ticket);
        Ok(Told::Ticket(self.asks.len() - 1, false))
    }

    /// By who asked.
    fn collect(&mut self, ask: usize, newest: bool) -> Result<Told, Code> {
        let Some(ticket) = self.asks.get(ask).cloned() else {
            return Err(Code::NotFound);
        };
        self.seat(ticket.seat.brought)?;
        if !self.kept(&ticket) {
            return Err(Code::NotFound);
        }
        if self.locked && ticket.state != State::Collected {
            return Err(Code::VaultLocked);
        }
        match ticket.state {
            State::Waiting => Err(Code::Conflict),
            State::Approved if newest || ticket.runs == 1 => {
                (self.asks[ask].state, self.asks[ask].ended) = (State::Collected, Some(self.now));
                self.tokens_made += 1;
                Ok(Told::Done)
            }
            _ => Err(Code::Forbidden),
        }
    }

    /// Who may follow this ticket.
    pub fn follower(ticket: &Ticket) -> Who {
        ticket.seat.brought
    }
}
