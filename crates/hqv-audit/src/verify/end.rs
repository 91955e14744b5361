//! Ends: of a segment, of the files, and what was kept elsewhere to compare them with.

use crate::{adoption::Adopted, chain::Chain, checkpoint::Checkpoint, line::Bytes};

use super::{report::Report, walk::Walk};

impl Walk<'_> {
    /// The open segment ends before the next line.
    pub(super) fn end_segment(&mut self, end: Chain) {
        self.unfinished();
        let Some(open) = self.open.take() else { return };
        if !open.closed {
            self.report.unclean_ends.push(end.seq);
            let text = format!("unclean end after {}: up to a second of records may be missing", end.seq);
            self.report.note(end.seq, text);
        }
        if !open.header.certified() {
            let from = open.header.line();
            let key = open.header.body.key;
            self.pending.push(Adopted { key, from, to: end.seq, head: Bytes(end.head), own: false });
        }
    }

    /// Whatever an unlock passed over is nobody's.
    pub(super) fn never_adopted(&mut self) {
        for segment in std::mem::take(&mut self.pending) {
            let text = format!(
                "lines {} to {} are a segment that nobody certified and no unlock adopted",
                segment.from, segment.to
            );
            self.report.bad(segment.from, text);
        }
    }

    /// Compares with what was kept elsewhere, at the line that it is about.
    pub(super) fn compare_known(&mut self, chain: Chain) {
        if let Some(against) = self.options.against.as_ref().filter(|a| a.seq() == chain.seq)
            && against.head() != chain.head
        {
            self.report
                .bad(chain.seq, "at or before this line the record is not what the checkpoint given saw");
        }
        if let Some((_, head)) = self.database_head().filter(|(seq, _)| *seq == chain.seq)
            && head != chain.head
        {
            self.report.bad(chain.seq, "at or before this line the record is not what the database saw");
        }
    }

    pub(super) fn database_head(&self) -> Option<(u64, [u8; 32])> {
        self.options.database.and_then(|db| db.head).filter(|(seq, _)| *seq > 0)
    }

    /// No further lines.
    pub(super) fn end(mut self) -> Report {
        let end = self.chain.unwrap_or(Chain { seq: 0, head: [0; 32] });
        (self.report.last, self.report.head) = (end.seq, end.head);
        self.report.unsigned = end.seq.saturating_sub(self.confirmed);
        if self.report.lines == 0 {
            self.report.bad(1, "the record is empty or missing");
        }
        if let Some(missing) = self.missing {
            let text = format!("lines 1 to {} are missing, and no signed line stands for them", missing.seq);
            self.report.bad_first(1, text);
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
        let database = self.database_head().map(|(seq, _)| seq).filter(|_| !self.finished());
        let known = [(against, "the checkpoint given"), (database, "the database")];
        for (seq, who) in known {
            match seq {
                Some(seq) if seq > end.seq => {
                    let text =
                        format!("the record was cut: {who} saw line {seq}, and it ends at {}", end.seq);
                    self.report.bad(end.seq.saturating_add(1), text);
                }
                Some(seq) if seq.saturating_add(1) < self.report.first && self.dropped > 0 => {
                    self.report.note(1, format!("{who} saw line {seq}, which retention has dropped since"));
                }
                Some(seq) if seq.saturating_add(1) < self.report.first => {
                    self.report.bad(1, format!("{who} saw line {seq}, which is not in these files"));
                }
                _ => {}
            }
        }
        self.report
    }

    /// The last segment is open while a daemon runs.
    pub(super) fn end_open(&mut self, end: Chain) {
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
