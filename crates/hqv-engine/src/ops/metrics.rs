//! `metrics`: numbers about the vault, for a collector. They hold no name, no path and no id.
//!
//! The owner may read them, and a token that has `audit` on anything. A reading is an operation like any other and
//! stands in the record; it keeps no vault from locking itself.

use hqv_model::{Actor, Error, Need, OpKind, Outcome, Verdict, decide};

use crate::caller::Caller;
use crate::core::{Core, Phase};
use crate::engine::Engine;
use crate::operation::{Operation, View};

/// The permission; the numbers are the core's.
struct Metrics;

impl Operation for Metrics {
    type Answer = ();
    const KIND: OpKind = OpKind::Metrics;
    const ACTIVITY: bool = false;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::Audit)
    }

    fn perform(self, _: &mut View<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsView {
    /// Secrets that are there.
    pub secrets: u64,
    /// Owner's sessions.
    pub sessions: u64,
    /// The newest line of the record.
    pub record_line: u64,
    /// The newest line that is safe on the disk.
    pub record_synced: u64,
    /// Records of this run that could not be written and are not made good yet.
    pub record_missed: u64,
    /// Whether the mirror takes lines, and how many records it lost; none without a mirror.
    pub mirror: Option<(bool, u64)>,
    /// Records of this run by operation and outcome; those that never happened are left out.
    pub operations: Vec<(OpKind, Outcome, u64)>,
}

/// Records written, by operation and outcome.
#[derive(Default)]
pub struct Counts(Vec<[u64; 3]>);

impl Counts {
    /// One more.
    pub fn add(&mut self, op: OpKind, outcome: Outcome) {
        if self.0.is_empty() {
            self.0.resize(OpKind::ALL.len(), [0; 3]);
        }
        if let Some(count) = self.0.get_mut(op as usize).and_then(|row| row.get_mut(outcome as usize)) {
            *count += 1;
        }
    }

    fn all(&self) -> Vec<(OpKind, Outcome, u64)> {
        let rows = OpKind::ALL.iter().zip(&self.0);
        let cells = rows.flat_map(|(op, row)| Outcome::ALL.iter().zip(row).map(|(o, n)| (*op, *o, *n)));
        cells.filter(|(_, _, n)| *n > 0).collect()
    }
}

impl Engine {
    /// The numbers of now.
    ///
    /// # Errors
    /// As for any operation that needs `audit`.
    pub async fn metrics(&self, caller: Caller) -> Result<MetricsView, Error> {
        self.run(caller, Metrics).await?;
        Ok(self.shared.core().metrics())
    }
}

impl Core {
    fn metrics(&self) -> MetricsView {
        let mut view = MetricsView {
            record_line: *self.appended.borrow(),
            record_synced: self.synced_head.map_or(0, |(seq, _)| seq),
            record_missed: self.log.as_ref().map_or(0, |log| log.missed()),
            mirror: self.mirror_health().map(|health| (health.trouble.is_none(), health.lost)),
            operations: self.counts.all(),
            ..MetricsView::default()
        };
        if let Phase::Open(open) = &self.phase {
            view.secrets = open.secrets.paths.len() as u64;
            view.sessions = open.sessions.len();
        }
        view
    }
}
