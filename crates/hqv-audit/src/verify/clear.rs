//! Lines in clear: each says where the chain stands, and is believed once its signature holds.

use zeroize::Zeroize;

use crate::{
    adoption::{Adopted, Adoption},
    chain::Chain,
    checkpoint::Checkpoint,
    dropped::Dropped,
    header::{Header, Why},
    keys::RecordKey,
};

use super::{
    Level,
    walk::{Open, Walk},
};

impl Walk<'_> {
    pub(super) fn checkpoint(&mut self, line: &[u8]) {
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

    pub(super) fn header(&mut self, line: &[u8]) {
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
        self.open = Some(Open { header, key, closed: false, parts: false });
    }

    /// The first line of all says where the chain begins.
    pub(super) fn begin_with(&mut self, header: &Header) {
        if self.chain.is_some() {
            return;
        }
        let before = header.before;
        if before.seq > 0 {
            self.missing = Some(before);
        } else if before != Chain::start(header.scope.vault) {
            self.report.bad(1, "the chain does not begin as this vault's does");
        }
        self.chain = Some(before);
        self.confirmed = before.seq;
        self.compare_known(before);
    }

    pub(super) fn same_vault(&mut self, header: &Header) {
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

    pub(super) fn record_key(&mut self, header: &Header) -> Option<RecordKey> {
        let Level::Everything(id) = self.level else {
            return None;
        };
        let key = RecordKey::open(id, header.scope, &header.body.key.0, &header.sealed);
        if key.is_err() {
            let line = self.next();
            self.report.bad(line, "the segment's record key does not open: its records cannot be read");
        }
        key.ok()
    }

    pub(super) fn dropped(&mut self, line: &[u8]) {
        let dropped = match Dropped::parse(line) {
            Ok(dropped) => dropped,
            Err(e) => return self.bad_here(&e.to_string()),
        };
        let Some(open) = self.open.as_ref().filter(|open| !open.closed) else {
            return self.bad_here("a statement outside of any segment");
        };
        let body = &open.header.body;
        if !dropped.same_signer(&body.key.0, body.root, &body.chain) || dropped.scope() != open.header.scope {
            return self.bad_here("a statement of another segment");
        }
        if self.audit.is_some() && !dropped.signature_holds() {
            return self.bad_here("a statement whose signature does not hold");
        }
        self.unfinished();
        self.confirm(dropped.before());
        self.clear_state(dropped.state());
        // A crash may leave files that were to go; they stand in the chain that this line confirms.
        let gone = dropped.gone();
        if let Some(missing) = self.missing.take_if(|m| gone.seq > m.seq || gone == *m) {
            let at = self.next();
            self.dropped = missing.seq;
            let text = format!(
                "lines 1 to {} were dropped by retention, as this signed line says; only a checkpoint kept \
                 elsewhere tells what they held",
                missing.seq
            );
            self.report.note(at, text);
        }
    }

    pub(super) fn adoption(&mut self, line: &[u8]) {
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
            let same = |p: &Adopted| Adopted { own: adopted.own, ..p.clone() } == *adopted;
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

    /// Compares the chain with what a line in clear says of it, and goes on from there.
    pub(super) fn confirm(&mut self, said: Chain) {
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

    pub(super) fn clear_state(&mut self, state: u64) {
        self.state_at_least(state);
        self.state = state;
        self.record_state = 0;
    }

    pub(super) fn state_at_least(&mut self, state: u64) {
        let line = self.next();
        let before = self.state.max(self.record_state);
        if state < before {
            let text =
                format!("the database went back from state {before} to {state}: vault.db was put back");
            self.report.bad(line, text);
        }
    }

    /// A split record must not end with its segment, or at a checkpoint.
    pub(super) fn unfinished(&mut self) {
        let line = self.next();
        self.whole.zeroize();
        if let Some(open) = self.open.as_mut().filter(|open| open.parts) {
            open.parts = false;
            self.report.note(line.saturating_sub(1), "the last parts of a long record are missing");
        }
    }
}
