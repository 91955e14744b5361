//! The pass over the lines: what may follow what, and what each must say.

use hqv_model::VaultId;
use serde::Deserialize;
use zeroize::{Zeroize, Zeroizing};

use crate::{
    adoption::{Adopted, Adoption},
    chain::Chain,
    checkpoint::Checkpoint,
    header::{Header, Why},
    keys::RecordKey,
    line::{self, Bytes, LineType},
};

use super::{Level, Options, report::Report};

/// The segment that lines belong to.
struct Open {
    header: Header,
    key: Option<RecordKey>,
    closed: bool,
    /// Inside a record that is split over lines.
    parts: bool,
    records: u64,
}

/// The pass.
pub(super) struct Walk<'a> {
    level: Level<'a>,
    audit: Option<[u8; 32]>,
    options: &'a Options,
    report: Report,
    chain: Option<Chain>,
    open: Option<Open>,
    vault: Option<VaultId>,
    epoch: u32,
    /// The highest state sequence in lines in clear, and in records since the last start.
    state: u64,
    record_state: u64,
    /// The last line up to which a line in clear confirmed the chain.
    confirmed: u64,
    /// Set from a bad line to the next confirmation: what follows it cannot be told apart.
    lost: bool,
    /// Segments that nobody certified and no unlock adopted so far.
    pending: Vec<Adopted>,
    whole: Zeroizing<Vec<u8>>,
    scratch: Zeroizing<Vec<u8>>,
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
    fn next(&self) -> u64 {
        self.chain.map_or(1, |chain| chain.seq.saturating_add(1))
    }

    pub(super) fn line(&mut self, line: &[u8]) {
        match LineType::of(line) {
            Some(kind @ (LineType::Record | LineType::Part)) => self.record(kind, line),
            Some(LineType::Checkpoint) => self.checkpoint(line),
            Some(LineType::Header) => self.header(line),
            Some(LineType::Adoption) => self.adoption(line),
            None => self.bad_here("not a line of the record"),
        }
        self.push(line);
    }

    fn push(&mut self, line: &[u8]) {
        let mut chain = self.chain.unwrap_or(Chain {
            seq: 0,
            head: [0; 32],
        });
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
    fn bad_here(&mut self, why: &str) {
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
            open.records += 1;
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

    fn checkpoint(&mut self, line: &[u8]) {
        let checkpoint = match Checkpoint::from_line(line) {
            Ok(checkpoint) => checkpoint,
            Err(e) => return self.bad_here(&e.to_string()),
        };
        let Some(open) = self.open.as_ref().filter(|open| !open.closed) else {
            return self.bad_here("a checkpoint outside of any segment");
        };
        let body = &open.header.body;
        if !checkpoint.same_signer(&body.key.0, body.root, &body.chain)
            || checkpoint.scope() != open.header.scope
        {
            return self.bad_here("a checkpoint of another segment");
        }
        if self.audit.is_some() && !checkpoint.signature_holds() {
            return self.bad_here("a checkpoint whose signature does not hold");
        }
        self.report.checkpoints += 1;
        self.unfinished();
        self.confirm(checkpoint.at());
        self.clear_state(checkpoint.state());
        if let Some(open) = &mut self.open {
            open.closed = checkpoint.closes();
        }
    }

    fn header(&mut self, line: &[u8]) {
        let header = match Header::parse(line) {
            Ok(header) => header,
            Err(e) => {
                self.open = None;
                return self.bad_here(&e.to_string());
            }
        };
        if let Some(Err(e)) = self.audit.map(|audit| header.check(&audit)) {
            self.open = None;
            return self.bad_here(&e.to_string());
        }
        self.begin_with(&header);
        self.confirm(header.before);
        self.same_vault(&header);
        if header.body.why == Why::Start {
            // What the last run's records said behind its last checkpoint may never have been committed.
            self.record_state = 0;
        }
        self.clear_state(header.body.state);
        self.end_segment(header.before);
        if header.certified() {
            self.never_adopted();
        }
        self.report.segments += 1;
        self.report.unproven += u64::from(!header.certified());
        let key = self.record_key(&header);
        self.open = Some(Open {
            header,
            key,
            closed: false,
            parts: false,
            records: 0,
        });
    }

    /// The first line of all says where the chain begins.
    fn begin_with(&mut self, header: &Header) {
        if self.chain.is_some() {
            return;
        }
        let before = header.before;
        if before.seq > 0 {
            self.report
                .bad(1, format!("lines 1 to {} are missing", before.seq));
        } else if before != Chain::start(header.scope.vault) {
            self.report
                .bad(1, "the chain does not begin as this vault's does");
        }
        self.chain = Some(before);
        self.confirmed = before.seq;
        self.compare_known(before);
    }

    fn same_vault(&mut self, header: &Header) {
        let line = self.next();
        let scope = header.scope;
        if *self.vault.get_or_insert(scope.vault) != scope.vault {
            self.report.bad(line, "a segment of another vault");
        }
        if scope.epoch < self.epoch {
            self.report.bad(line, "a segment of an older epoch");
        }
        // A restore begins a new epoch, and the database's sequence with it.
        if scope.epoch > self.epoch {
            (self.state, self.record_state) = (0, 0);
        }
        self.epoch = scope.epoch;
        if let Some(against) = &self.options.against
            && against.vault() != scope.vault
            && self.report.segments == 0
        {
            self.report.bad(line, "the checkpoint given is of another vault");
        }
    }

    fn record_key(&mut self, header: &Header) -> Option<RecordKey> {
        let Level::Everything(id) = self.level else {
            return None;
        };
        let key = RecordKey::open(id, header.scope, &header.body.key.0, &header.sealed);
        if key.is_err() {
            let line = self.next();
            self.report.bad(
                line,
                "the segment's record key does not open: its records cannot be read",
            );
        }
        key.ok()
    }

    /// The open segment ends before the next line.
    fn end_segment(&mut self, end: Chain) {
        self.unfinished();
        let Some(open) = self.open.take() else { return };
        if !open.closed {
            self.report.unclean_ends.push(end.seq);
            let text = format!(
                "unclean end after {}: up to a second of records may be missing",
                end.seq
            );
            self.report.note(end.seq, text);
        }
        if !open.header.certified() {
            let from = open.header.line();
            let key = open.header.body.key;
            self.pending.push(Adopted {
                key,
                from,
                to: end.seq,
                head: Bytes(end.head),
                own: false,
            });
        }
    }

    fn adoption(&mut self, line: &[u8]) {
        let adoption = match Adoption::parse(line) {
            Ok(adoption) => adoption,
            Err(e) => return self.bad_here(&e.to_string()),
        };
        if let Some(Err(e)) = self.audit.map(|audit| adoption.check(&audit)) {
            return self.bad_here(&e.to_string());
        }
        if self.vault.is_some_and(|vault| vault != adoption.scope.vault) {
            return self.bad_here("an adoption of another vault");
        }
        self.confirm(adoption.before);
        self.clear_state(adoption.state);
        self.end_segment(adoption.before);
        for adopted in &adoption.adopts {
            let same = |p: &Adopted| {
                Adopted {
                    own: adopted.own,
                    ..p.clone()
                } == *adopted
            };
            match self.pending.iter().position(same) {
                Some(at) => drop(self.pending.remove(at)),
                None => {
                    let text = format!(
                        "an unlock adopted lines {} to {}, which are not there",
                        adopted.from, adopted.to
                    );
                    self.report.bad(adopted.from, text);
                }
            }
            if !adopted.own {
                let text = format!(
                    "lines {} to {} were on the disk before the daemon that adopted them started; anyone who \
                     can write the file could have written them",
                    adopted.from, adopted.to
                );
                self.report.note(adopted.from, text);
            }
        }
    }

    /// Whatever an unlock passed over is nobody's.
    fn never_adopted(&mut self) {
        for segment in std::mem::take(&mut self.pending) {
            let text = format!(
                "lines {} to {} are a segment that nobody certified and no unlock adopted",
                segment.from, segment.to
            );
            self.report.bad(segment.from, text);
        }
    }

    /// Compares the chain with what a line in clear says of it, and goes on from there.
    fn confirm(&mut self, said: Chain) {
        let line = self.next();
        if self.chain != Some(said) && !self.lost {
            let from = self.confirmed.saturating_add(1);
            let text = if from >= line {
                "lines before this one were changed, dropped or added".to_owned()
            } else {
                format!("lines were changed, dropped, added or swapped between {from} and {line}")
            };
            self.report.bad(from.min(line), text);
        }
        self.lost = false;
        self.chain = Some(said);
        self.confirmed = said.seq.saturating_add(1);
    }

    fn clear_state(&mut self, state: u64) {
        self.state_at_least(state);
        self.state = state;
        self.record_state = 0;
    }

    fn state_at_least(&mut self, state: u64) {
        let line = self.next();
        let before = self.state.max(self.record_state);
        if state < before {
            let text =
                format!("the database went back from state {before} to {state}: vault.db was put back");
            self.report.bad(line, text);
        }
    }

    /// A split record must not end with its segment, or at a checkpoint.
    fn unfinished(&mut self) {
        let line = self.next();
        self.whole.zeroize();
        if let Some(open) = self.open.as_mut().filter(|open| open.parts) {
            open.parts = false;
            self.report.note(
                line.saturating_sub(1),
                "the last parts of a long record are missing",
            );
        }
    }

    /// Compares with what was kept elsewhere, at the line that it is about.
    fn compare_known(&mut self, chain: Chain) {
        if let Some(against) = self.options.against.as_ref().filter(|a| a.seq() == chain.seq)
            && against.head() != chain.head
        {
            self.report.bad(
                chain.seq,
                "at or before this line the record is not what the checkpoint given saw",
            );
        }
        if let Some((_, head)) = self.database_head().filter(|(seq, _)| *seq == chain.seq)
            && head != chain.head
        {
            self.report.bad(
                chain.seq,
                "at or before this line the record is not what the database saw",
            );
        }
    }

    fn database_head(&self) -> Option<(u64, [u8; 32])> {
        self.options
            .database
            .and_then(|db| db.head)
            .filter(|(seq, _)| *seq > 0)
    }

    /// No further lines.
    pub(super) fn end(mut self) -> Report {
        let end = self.chain.unwrap_or(Chain {
            seq: 0,
            head: [0; 32],
        });
        (self.report.last, self.report.head) = (end.seq, end.head);
        self.report.unsigned = end.seq.saturating_sub(self.confirmed);
        if self.report.lines == 0 {
            self.report.bad(1, "the record is empty or missing");
        }
        self.end_open(end);
        self.never_adopted();
        if let Some(back) = self.options.database.filter(|db| db.state_seq < self.state) {
            let (database, state) = (back.state_seq, self.state);
            let text =
                format!("vault.db was put back: it is at state {database}, and the record had seen {state}");
            self.report.bad(end.seq, text);
        }
        let against = self.options.against.as_ref().map(Checkpoint::seq);
        // Behind the last line asked for the record goes on; the database may be further than that line.
        let database = self
            .database_head()
            .map(|(seq, _)| seq)
            .filter(|_| !self.finished());
        let known = [(against, "the checkpoint given"), (database, "the database")];
        for (seq, who) in known {
            match seq {
                Some(seq) if seq > end.seq => {
                    let text = format!(
                        "the record was cut: {who} saw line {seq}, and it ends at {}",
                        end.seq
                    );
                    self.report.bad(end.seq.saturating_add(1), text);
                }
                Some(seq) if seq.saturating_add(1) < self.report.first => {
                    self.report
                        .bad(1, format!("{who} saw line {seq}, which is not in these files"));
                }
                _ => {}
            }
        }
        self.report
    }

    /// The last segment is open while a daemon runs.
    fn end_open(&mut self, end: Chain) {
        let Some(open) = &self.open else { return };
        if open.closed {
            self.end_segment(end);
        } else if self.options.until.is_none() {
            self.report.note(
                end.seq,
                "the last segment has no signed close: a daemon is writing to it, or it was cut or ended \
                 uncleanly, and up to a second of records may be missing",
            );
        }
        if let Some(open) = self.open.take().filter(|open| !open.header.certified()) {
            let text = "this segment is certified by nobody; an unlock will adopt it, or it was forged";
            self.report.bad(open.header.line(), text);
        }
    }
}
