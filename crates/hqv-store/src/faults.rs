//! A shelf that stops or fails at a chosen moment, around any other shelf.
//!
//! Every call passes numbered steps, counted from 1. A test runs an action once to learn how many steps it has,
//! then again for each step with a fault there, and looks at what is left: before or after, nothing between.
//!
//! A commit passes `BeforeBegin`, one `RowWritten` for each change, `BeforeCommit` and `Committed`; a creation
//! likewise. Up to `BeforeCommit` nothing has reached the shelf below, as with a transaction that is rolled
//! back. At `Committed` the batch is durable and the caller never learns of it: the case that an answer of
//! "failed" must not be mistaken for "did not happen".

use crate::{Batch, Scanned, Shelf, StoreError};
use hqv_model::{Kind, Row, RowId, VaultId};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where a call was when a step was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A read of one row, before it.
    Get,
    /// A scan, before its first row.
    Scan,
    /// A scan, after this many rows were shown.
    Scanned(usize),
    /// A commit or creation, before its transaction begins.
    BeforeBegin,
    /// Inside the transaction, after this many changes.
    RowWritten(usize),
    /// After the last change, before the commit.
    BeforeCommit,
    /// Durable, but not yet answered.
    Committed,
}

/// What happens at the chosen step.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The process dies: this call and every later one fail. The shelf below keeps what was durable.
    Stop,
    /// This one step fails, later ones do not.
    Fail(StoreError),
    /// This step and every later one fail until [`FaultShelf::heal`], as on a full disk.
    FailFrom(StoreError),
}

#[derive(Default)]
struct Plan {
    counted: u64,
    armed: Option<(u64, Fault)>,
    fired: Option<Step>,
    stopped: bool,
    trace: Vec<Step>,
}

/// The wrapper. Share it with `Arc` to arm it while the engine holds it.
pub struct FaultShelf {
    inner: Arc<dyn Shelf>,
    plan: Mutex<Plan>,
}

fn stopped() -> StoreError {
    StoreError::io("reach", "stopped by the fault injector")
}

impl FaultShelf {
    /// Counts steps and passes everything on, until armed.
    pub fn new(inner: Arc<dyn Shelf>) -> Self {
        FaultShelf { inner, plan: Mutex::new(Plan::default()) }
    }

    /// Counts from now, with a fault at `step` (the next step is 1).
    pub fn at(inner: Arc<dyn Shelf>, step: u64, fault: Fault) -> Self {
        let shelf = Self::new(inner);
        shelf.arm(step, fault);
        shelf
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts counting again at 0 and places a fault at `step`, replacing any other.
    pub fn arm(&self, step: u64, fault: Fault) {
        let mut plan = self.plan();
        *plan = Plan { armed: Some((step, fault)), stopped: plan.stopped, ..Plan::default() };
    }

    /// Takes the fault away and starts counting again at 0. A stopped shelf stays stopped.
    pub fn heal(&self) {
        let mut plan = self.plan();
        *plan = Plan { stopped: plan.stopped, ..Plan::default() };
    }

    /// Steps counted since the start or the last `arm` or `heal`.
    pub fn steps(&self) -> u64 {
        self.plan().counted
    }

    /// The steps counted, in order.
    pub fn trace(&self) -> Vec<Step> {
        self.plan().trace.clone()
    }

    /// Where the fault struck, if it did.
    pub fn fired(&self) -> Option<Step> {
        self.plan().fired
    }

    /// Whether the pretended process is dead.
    pub fn is_stopped(&self) -> bool {
        self.plan().stopped
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.plan().stopped { Err(stopped()) } else { Ok(()) }
    }

    fn step(&self, step: Step) -> Result<(), StoreError> {
        let mut plan = self.plan();
        if plan.stopped {
            return Err(stopped());
        }
        plan.counted += 1;
        plan.trace.push(step);
        let counted = plan.counted;
        let Some((at, fault)) = plan.armed.clone() else {
            return Ok(());
        };
        let due = match fault {
            Fault::FailFrom(_) => counted >= at,
            Fault::Stop | Fault::Fail(_) => counted == at,
        };
        if !due {
            return Ok(());
        }
        plan.fired.get_or_insert(step);
        match fault {
            Fault::Stop => {
                plan.stopped = true;
                Err(stopped())
            }
            Fault::Fail(error) | Fault::FailFrom(error) => Err(error),
        }
    }

    fn transaction(
        &self,
        batch: Batch,
        apply: impl FnOnce(Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.step(Step::BeforeBegin)?;
        for written in 1..=batch.len() {
            self.step(Step::RowWritten(written))?;
        }
        self.step(Step::BeforeCommit)?;
        apply(batch)?;
        self.step(Step::Committed)
    }
}

impl Shelf for FaultShelf {
    fn vault_id(&self) -> Result<Option<VaultId>, StoreError> {
        self.alive()?;
        self.inner.vault_id()
    }

    fn create(&self, vault_id: VaultId, first: Batch) -> Result<(), StoreError> {
        self.transaction(first, |first| self.inner.create(vault_id, first))
    }

    fn get(&self, kind: Kind, id: &RowId) -> Result<Option<Row>, StoreError> {
        self.step(Step::Get)?;
        self.inner.get(kind, id)
    }

    fn scan(
        &self,
        kind: Kind,
        max_body: usize,
        visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        self.step(Step::Scan)?;
        let mut shown = 0;
        let mut fault = Ok(());
        self.inner.scan(kind, max_body, &mut |row| {
            let wanted = visit(row);
            shown += 1;
            fault = self.step(Step::Scanned(shown));
            if fault.is_err() { ControlFlow::Break(()) } else { wanted }
        })?;
        fault
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        self.transaction(batch, |batch| self.inner.commit(batch))
    }

    fn quick_check(&self) -> Result<(), StoreError> {
        self.alive()?;
        self.inner.quick_check()
    }

    fn size(&self) -> Result<u64, StoreError> {
        self.alive()?;
        self.inner.size()
    }
}
