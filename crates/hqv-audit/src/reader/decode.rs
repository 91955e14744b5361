//! Lines to records, going forward from a line at which the chain is known.

use std::sync::Arc;

use hqv_crypto::AuditIdentity;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    adoption::Adoption,
    chain::Chain,
    checkpoint::Checkpoint,
    dropped::Dropped,
    header::Header,
    keys::RecordKey,
    line::{self, LineType},
    view::RecordView,
};

/// Parts of one record stay below this together; more is damage, not a record.
const MAX_RECORD: usize = 64 * 1024 * 1024;

/// What opens the records of a segment.
#[derive(Clone)]
pub(crate) struct Opener {
    key: Option<Arc<RecordKey>>,
    unproven: bool,
}

impl Opener {
    /// For a segment whose header cannot be read: nothing in it opens.
    pub(crate) fn none() -> Self {
        Opener { key: None, unproven: true }
    }

    /// From the segment's header. Without good certificates it is unproven, whatever it says of itself.
    pub(crate) fn of(header: &Header, id: &AuditIdentity) -> Self {
        let key = RecordKey::open(id, header.scope, &header.body.key.0, &header.sealed).ok().map(Arc::new);
        let proven = header.certified() && header.check(&id.public().signing).is_ok();
        Opener { key, unproven: !proven }
    }
}

/// What a line turned out to be.
pub(crate) enum Decoded {
    /// No record, or a part of one that goes on.
    Nothing,
    /// A record.
    Record(Box<RecordView>),
    /// A line that should have been a record and does not open.
    Damaged(u64),
}

/// Decodes line after line.
pub(crate) struct Decoder {
    opener: Opener,
    pub(crate) chain: Chain,
    parts: Zeroizing<Vec<u8>>,
    scratch: Zeroizing<Vec<u8>>,
}

impl Decoder {
    pub(crate) fn new(opener: Opener, chain: Chain) -> Self {
        let empty = || Zeroizing::new(Vec::new());
        Decoder { opener, chain, parts: empty(), scratch: empty() }
    }

    /// Takes the next line, without newline. The identity is lent, so that whoever follows a log for hours
    /// need not hold it.
    pub(crate) fn line(&mut self, id: &AuditIdentity, line: &[u8]) -> Decoded {
        let decoded = match LineType::of(line) {
            Some(kind @ (LineType::Record | LineType::Part)) => self.part(kind, line),
            Some(LineType::Header) => {
                self.parts.zeroize();
                if let Ok(header) = Header::parse(line) {
                    self.chain = header.before;
                    self.opener = Opener::of(&header, id);
                }
                Decoded::Nothing
            }
            Some(LineType::Checkpoint) => {
                self.chain = Checkpoint::from_line(line).map_or(self.chain, |c| c.at());
                Decoded::Nothing
            }
            Some(LineType::Dropped) => {
                self.chain = Dropped::parse(line).map_or(self.chain, |d| d.before());
                Decoded::Nothing
            }
            Some(LineType::Adoption) => {
                self.chain = Adoption::parse(line).map_or(self.chain, |a| a.before);
                Decoded::Nothing
            }
            None => Decoded::Damaged(self.chain.seq.saturating_add(1)),
        };
        self.chain.push(line);
        decoded
    }

    fn part(&mut self, kind: LineType, line: &[u8]) -> Decoded {
        let seq = self.chain.seq.saturating_add(1);
        let payload = line.get(1..).unwrap_or_default();
        let (Some(key), Ok(())) = (&self.opener.key, line::decode_into(payload, &mut self.scratch)) else {
            return Decoded::Damaged(seq);
        };
        let Ok(json) = key.open_part(kind, &self.chain, &mut self.scratch) else {
            self.parts.zeroize();
            return Decoded::Damaged(seq);
        };
        if kind == LineType::Part {
            self.parts.extend_from_slice(json);
            return if self.parts.len() > MAX_RECORD { Decoded::Damaged(seq) } else { Decoded::Nothing };
        }
        let view = if self.parts.is_empty() {
            RecordView::parse(json, seq, self.opener.unproven)
        } else {
            self.parts.extend_from_slice(json);
            let view = RecordView::parse(&self.parts, seq, self.opener.unproven);
            self.parts.zeroize();
            view
        };
        view.map_or(Decoded::Damaged(seq), |view| Decoded::Record(Box::new(view)))
    }
}
