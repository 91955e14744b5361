//! Tickets: what waits for a person. An **entry** waits for a value, an **ask** for a decision.
//!
//! They live in the daemon's memory alone, beside the vault and not in it: they survive `lock` and `unlock`,
//! not the daemon. Ten minutes on the boot clock, whatever the wall clock says. What a ticket becomes is
//! staged with the group of operations that makes it so and published with it: whoever waits hears of a value
//! only once it is durable, and of two answers in a race one finds the ticket taken. What is over is kept ten
//! minutes more, so that the same command run again learns how it ended.

mod ask;
mod door;
mod entry;
mod group;
mod rights;
mod seat;
mod secret;

pub use ask::{AskRule, AskState, AskView, Narrowing};
pub use entry::{EntryState, EntryStored, EntryView, Proof};
pub use seat::{AskedBy, Asker, Who};

pub(crate) use ask::{Ask, Grant};
pub(crate) use door::{Called, known};
pub(crate) use entry::{Entry, Submit, SubmitOpen};
pub(crate) use rights::{in_force, may_replace};
pub(crate) use seat::Seat;
pub(crate) use secret::{Latch, fresh};

use hqv_model::{
    AskId, AskRef, Code, Entropy, EntryId, EntryRef, Error, OpKind, TicketCode, Timestamp, array,
};
use std::time::Duration;
use tokio::sync::watch;

use group::Group;

/// How long a ticket waits, how long a grant waits to be collected, and how long what is over is kept.
pub const LIFE: Duration = Duration::from_secs(600);
/// Tickets of one caller that may wait at once.
pub const OPEN_PER_CALLER: usize = 16;
/// Tickets of one family of tokens that may wait at once.
pub const OPEN_PER_FAMILY: usize = 32;
/// Tickets that may wait at once. The owner's always find room.
pub const OPEN: usize = 64;
/// Tickets of one caller within the time that they are kept.
pub const KEPT_PER_CALLER: usize = 256;
/// Tickets within the time that they are kept.
pub const KEPT: usize = 1024;
/// How many joins of a ticket are recorded one by one; after those, one in each second at most.
const MOST_JOINS: u32 = 256;
/// How far apart they are recorded then.
const JOINS_APART: Duration = Duration::from_secs(1);
/// How many refusals of callers without a credential are recorded in full for one ticket; more are counted.
const MOST_COMPLAINTS: u32 = 8;

/// What entries and asks have in common.
pub struct Ticket<I, B> {
    /// Its id.
    pub id: I,
    /// What people call it.
    pub code: TicketCode,
    /// Who asked, for people.
    pub by: AskedBy,
    /// Whose it is.
    pub seat: Seat,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it ends, on the boot clock.
    pub deadline: Duration,
    /// When it was over, on the boot clock.
    pub ended: Option<Duration>,
    /// A group on its way to the disk answers it.
    pub busy: bool,
    joins: u32,
    /// When a join was recorded last, on the boot clock.
    joined_at: Duration,
    complaints: u32,
    /// The rest.
    pub body: B,
}

impl<I, B> Ticket<I, B> {
    /// Counts one more run of the same command, and tells whether it is recorded. None is refused: a run that
    /// is repeated often would lose the answer that a person has given by then.
    pub fn join(&mut self, boot: Duration) -> bool {
        let recorded = self.joins < MOST_JOINS || boot.saturating_sub(self.joined_at) >= JOINS_APART;
        if recorded {
            (self.joins, self.joined_at) = (self.joins.saturating_add(1), boot);
        }
        recorded
    }

    /// Whether one more refusal about it is recorded in full.
    pub fn complain(&mut self) -> bool {
        self.complaints += 1;
        self.complaints <= MOST_COMPLAINTS
    }

    /// When it ends, as the vault's time tells it.
    pub fn expires(&self, now: Timestamp, boot: Duration) -> Timestamp {
        now.plus(self.deadline.saturating_sub(boot))
    }

    fn is_kept(&self, boot: Duration) -> bool {
        self.ended.is_none_or(|ended| boot.saturating_sub(ended) < LIFE)
    }

    fn is_due(&self, boot: Duration) -> bool {
        self.ended.is_none() && !self.busy && self.deadline <= boot
    }
}

/// A ticket that came to its end unanswered.
pub struct Ended {
    /// As the record names it.
    pub op: OpKind,
    /// In words.
    pub detail: String,
    /// The entry's path.
    pub path: Option<hqv_model::SecretPath>,
}

/// See the module's comment.
#[derive(Default)]
pub struct Tickets {
    /// The entries.
    pub entries: Vec<Ticket<EntryId, Entry>>,
    /// The asks.
    pub asks: Vec<Ticket<AskId, Ask>>,
    group: Group,
    /// The boot clock, as last heard of.
    seen: Duration,
    changed: watch::Sender<u64>,
}

impl Tickets {
    /// Woken at each change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Something happened to a ticket.
    pub fn tell(&self) {
        self.changed.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// The entry named so.
    pub fn entry(&mut self, which: &EntryRef) -> Option<&mut Ticket<EntryId, Entry>> {
        self.entries.iter_mut().find(|entry| match which {
            EntryRef::Id(id) => entry.id == *id,
            EntryRef::Code(code) => entry.code == *code,
        })
    }

    /// The ask named so.
    pub fn ask(&mut self, which: &AskRef) -> Option<&mut Ticket<AskId, Ask>> {
        self.asks.iter_mut().find(|ask| match which {
            AskRef::Id(id) => ask.id == *id,
            AskRef::Code(code) => ask.code == *code,
        })
    }

    /// Whether this caller may open one more ticket.
    pub fn room(&self, seat: &Seat) -> Result<(), Error> {
        let (mut mine, mut family, mut open, mut kept_mine, mut kept) = (0, 0, 0, 0, 0);
        let entries = self.entries.iter().map(|t| (&t.seat, t.ended.is_none()));
        for (other, waits) in entries.chain(self.asks.iter().map(|t| (&t.seat, t.ended.is_none()))) {
            let (is, is_family) = (other.is(seat), other.is_family(seat));
            mine += usize::from(is && waits);
            family += usize::from(is_family && waits);
            open += usize::from(waits);
            kept_mine += usize::from(is);
            kept += 1;
        }
        let owner = matches!(seat.who, Who::Owner(_));
        let full = mine >= OPEN_PER_CALLER
            || family >= OPEN_PER_FAMILY
            || kept_mine >= KEPT_PER_CALLER
            || (!owner && (open >= OPEN || kept >= KEPT));
        if !full {
            return Ok(());
        }
        Err(Error::new(Code::RateLimited, "too many entries and asks wait for a person")
            .retry_after(60)
            .hint("wait until some are answered (hq-vault pending lists them); each ends after 10 minutes"))
    }

    /// A code that nothing else has.
    pub fn new_code(&self, rng: &mut dyn Entropy) -> TicketCode {
        loop {
            let code = TicketCode::new(rng);
            let taken = self.entries.iter().map(|t| t.code).chain(self.asks.iter().map(|t| t.code));
            if taken.into_iter().all(|other| other != code) {
                return code;
            }
        }
    }

    /// A new ticket, not yet among the others.
    pub fn make<I, B>(
        &self,
        rng: &mut dyn Entropy,
        id: fn([u8; 16]) -> I,
        (seat, claims): (Seat, Asker),
        (now, boot): (Timestamp, Duration),
        body: B,
    ) -> Ticket<I, B> {
        Ticket {
            id: id(array(rng)),
            code: self.new_code(rng),
            by: seat.asked_by(claims.tamed()),
            seat,
            opened: now,
            deadline: boot.saturating_add(LIFE),
            ended: None,
            busy: false,
            joins: 0,
            joined_at: boot,
            complaints: 0,
            body,
        }
    }

    /// Ends what waited too long and drops what was kept long enough. Each end is told once.
    pub fn sweep(&mut self, boot: Duration) -> Vec<Ended> {
        self.seen = boot;
        let mut ended = Vec::new();
        for entry in self.entries.iter_mut().filter(|entry| entry.is_due(boot)) {
            entry.ended = Some(entry.deadline);
            entry.body.over(EntryState::Expired);
            ended.push(Ended {
                op: OpKind::EntryEnd,
                detail: format!("entry {} {} expired", entry.code, entry.id),
                path: Some(entry.body.path.clone()),
            });
        }
        for ask in self.asks.iter_mut().filter(|ask| ask.is_due(boot)) {
            ask.ended = Some(ask.deadline);
            let what = if ask.body.grant.take().is_some() { "was not collected" } else { "expired" };
            ask.body.state = AskState::Expired;
            let detail = format!("ask {} {} {what}", ask.code, ask.id);
            ended.push(Ended { op: OpKind::AskEnd, detail, path: None });
        }
        self.entries.retain(|entry| entry.is_kept(boot));
        self.asks.retain(|ask| ask.is_kept(boot));
        if !ended.is_empty() {
            self.tell();
        }
        ended
    }
}
