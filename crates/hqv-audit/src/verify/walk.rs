//! The pass over the lines: what may follow what, and what each must say.

use hqv_model::VaultId;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    adoption::Adopted,
    chain::Chain,
    header::Header,
    keys::RecordKey,
    line::{self, LineType},
};

use super::{Level, Options, report::Report};

/// The segment that lines belong to.
pub(super) struct Open {
    pub(super) header: Header,
    pub(super) key: Option<RecordKey>,
    pub(super) closed: bool,
    /// Inside a record that is split over lines.
    pub(super) parts: bool,
}

/// The pass.
pub(super) struct Walk<'a> {
    pub(super) level: Level<'a>,
    pub(super) audit: Option<[u8; 32]>,
    pub(super) options: &'a Options,
    pub(super) report: Report,
    pub(super) chain: Option<Chain>,
    /// The chain before the first line there is, where lines before it are missing and no statement stands for them yet.
    pub(super) missing: Option<Chain>,
    /// The last line that a statement stands for.
    pub(super) dropped: u64,
    pub(super) open: Option<Open>,
    pub(super) vault: Option<VaultId>,
    pub(super) epoch: u32,
    /// The highest state sequence in lines in clear, and in records since the last start.
    pub(super) state: u64,
    pub(super) record_state: u64,
    /// The last line up to which a line in clear confirmed the chain.
    pub(super) confirmed: u64,
    /// Set from a bad line to the next confirmation: what follows it cannot be told apart.
    pub(super) lost: bool,
    /// Segments that nobody certified and no unlock adopted so far.
    pub(super) pending: Vec<Adopted>,
    pub(super) whole: Zeroizing<Vec<u8>>,
    pub(super) scratch: Zeroizing<Vec<u8>>,
}

/// The part of a record that is looked at. The rest must be JSON.
#[derive(Deserialize)]
struct Light {
    state: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(level: Level<'a>, options: &'a Options) -> Self {
        Walk {
            level,
            audit: level.audit(),
            options,
            report: Report::new(level.reached()),
            chain: None,
            missing: None,
            dropped: 0,
            open: None,
            vault: None,
            epoch: 0,
            state: 0,
            record_state: 0,
            confirmed: 0,
            lost: false,
            pending: Vec::new(),
            whole: Zeroizing::new(Vec::new()),
            scratch: Zeroizing::new(Vec::new()),
        }
    }

    pub(super) fn lines(&self) -> u64 {
        self.report.lines
    }

    /// Whether the last line asked for was seen.
    pub(super) fn finished(&self) -> bool {
        matches!((self.chain, self.options.until), (Some(chain), Some(until)) if chain.seq >= until)
    }

    /// The number of the line that comes next.
    pub(super) fn next(&self) -> u64 {
        self.chain.map_or(1, |chain| chain.seq.saturating_add(1))
    }

    pub(super) fn line(&mut self, line: &[u8]) {
        match LineType::of(line) {
            Some(kind @ (LineType::Record | LineType::Part)) => self.record(kind, line),
            Some(LineType::Checkpoint) => self.checkpoint(line),
            Some(LineType::Header) => self.header(line),
            Some(LineType::Adoption) => self.adoption(line),
            Some(LineType::Dropped) => self.dropped(line),
            None => self.bad_here("not a line of the record"),
        }
        self.push(line);
    }

    fn push(&mut self, line: &[u8]) {
        let mut chain = self.chain.unwrap_or(Chain { seq: 0, head: [0; 32] });
        chain.push(line);
        if self.report.lines == 0 {
            self.report.first = chain.seq;
        }
        self.report.lines += 1;
        self.chain = Some(chain);
        self.compare_known(chain);
    }

    /// The last line has no newline. A daemon cuts such a line off at its next start and says so.
    pub(super) fn torn(&mut self) {
        let line = self.next();
        self.report.bad(line, "the last line was cut off in the middle");
    }

    pub(super) fn endless(&mut self, start: &[u8]) {
        self.bad_here("a line longer than any that is written");
        self.push(start);
    }

    /// This line is bad in itself. What follows it is not blamed until the chain is confirmed again.
    pub(super) fn bad_here(&mut self, why: &str) {
        let line = self.next();
        if !self.lost {
            self.report.bad(line, why);
        }
        self.lost = true;
    }

    fn record(&mut self, kind: LineType, line: &[u8]) {
        let payload = line.get(1..).unwrap_or_default();
        if line.len() >= line::MAX_LINE || line::decode_into(payload, &mut self.scratch).is_err() {
            return self.bad_here("a record that is not base64url");
        }
        let Some(open) = self.open.as_mut().filter(|open| !open.closed) else {
            return self.bad_here("a record outside of any segment");
        };
        open.parts = kind == LineType::Part;
        if kind == LineType::Record {
            self.report.records += 1;
            self.report.unproven_records += u64::from(!open.header.certified());
        }
        if let (Some(chain), false) = (self.chain, self.lost) {
            self.open_record(kind, chain);
        }
    }

    /// Opens what was decoded into `scratch`, where the level has the key.
    fn open_record(&mut self, kind: LineType, chain: Chain) {
        let Some(key) = self.open.as_ref().and_then(|open| open.key.as_ref()) else {
            return;
        };
        let Ok(json) = key.open_part(kind, &chain, &mut self.scratch) else {
            self.whole.zeroize();
            return self.bad_here("the record does not open: it, or the order of lines, was changed");
        };
        let light = if kind == LineType::Part {
            self.whole.extend_from_slice(json);
            return;
        } else if self.whole.is_empty() {
            serde_json::from_slice::<Light>(json)
        } else {
            self.whole.extend_from_slice(json);
            let light = serde_json::from_slice(&self.whole);
            self.whole.zeroize();
            light
        };
        match light {
            Ok(light) => {
                self.state_at_least(light.state);
                self.record_state = light.state;
            }
            Err(_) => self.bad_here("the record opens and is no record"),
        }
    }
}
