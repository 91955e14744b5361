//! What a killed daemon did not store, read again from the record.
//!
//! Records of a daemon that nobody vouches for (`unproven`) are passed over: it was locked and handed nothing out, and
//! whoever wrote them may have written anything.

use hqv_audit::reader::ItemView;
use hqv_audit::{Reader, RecordView};
use hqv_crypto::VaultKeys;
use hqv_model::{Error, Outcome, SecretId, SessionId, TokenId};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::entry::{Access, Channels, Entry, Who, WhoKind};
use super::{Lines, peer_id};

/// Lines held before they are handed on.
const CHUNK: usize = 16_384;
/// Records between two looks at whether to go on.
const LOOK: u64 = 1_024;

/// Reads the lines `first` to `last` of the record and hands on what they tell, in chunks, each with the number of the
/// line up to which it is complete. `go_on` is asked now and then. Returns lines that should have been records and do not
/// open.
pub(super) fn replay(
    dir: &Path,
    keys: &VaultKeys,
    (first, last): (u64, u64),
    go_on: &dyn Fn() -> bool,
    hand: &mut dyn FnMut(Lines, u64) -> Result<(), Error>,
) -> Result<Vec<u64>, Error> {
    let reader = Reader::open(dir, keys.audit_identity())?;
    let (mut lines, mut outcome, mut read) = (Lines::default(), Ok(()), 0);
    let damaged = reader.walk(first, &mut |record| {
        if record.sequence > last {
            return ControlFlow::Break(());
        }
        fold(&mut lines, &record);
        read += 1;
        if read % LOOK == 0 && !go_on() {
            outcome = Err(Error::locked());
            return ControlFlow::Break(());
        }
        if lines.len() >= CHUNK {
            outcome = hand(std::mem::take(&mut lines), record.sequence);
        }
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    outcome?;
    hand(lines, last)?;
    Ok(damaged)
}

/// What one record says, into the lines.
fn fold(lines: &mut Lines, record: &RecordView) {
    if record.unproven || record.outcome != Outcome::Ok.as_str() || record.items.is_empty() {
        return;
    }
    let Some(who) = who(record) else {
        return;
    };
    let who = Arc::new(who);
    for item in &record.items {
        let Some(mut entry) = entry(record, &who, item) else {
            continue;
        };
        if let Some(claim) = &record.claim {
            entry.claim(claim);
        }
        lines
            .entry(entry.key())
            .and_modify(|known| {
                known.merge(&entry);
            })
            .or_insert(entry);
    }
}

fn entry(record: &RecordView, who: &Arc<Who>, item: &ItemView) -> Option<Entry> {
    Some(Entry {
        who: who.clone(),
        secret: SecretId::parse(item.secret.as_deref()?).ok()?,
        path: item.path.as_str().into(),
        version: item.version?,
        access: Access::parse(&item.kind)?,
        first: record.time,
        last: record.time,
        channels: Channels::of(&item.channel),
        claims: Vec::new(),
    })
}

fn who(record: &RecordView) -> Option<Who> {
    let said = &record.identity;
    let id = said.id.as_deref();
    let (kind, id) = match said.kind.as_str() {
        "token" => (WhoKind::Token, TokenId::parse(id?).ok()?.bytes()),
        "session" => (WhoKind::Session, SessionId::parse(id?).ok()?.bytes()),
        "peer" => (WhoKind::Peer, peer_id(said.uid?)),
        "nobody" => (WhoKind::Nobody, [0; 16]),
        _ => return None,
    };
    let ancestors = said.ancestors.iter().map(|id| TokenId::parse(id)).collect::<Result<_, _>>().ok()?;
    Some(Who { kind, id, name: said.name.as_deref().unwrap_or_default().into(), ancestors })
}
