//! A shelf whose commits a test can hold, let go, or make fail: what happens beside a commit is then no luck.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

use hqv_model::{Kind, Row, RowId, VaultId};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Batch, Scanned, Shelf, StoreError};
use std::ops::ControlFlow;
use std::sync::{Arc, Condvar, Mutex};

/// How commits end until told otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Durable and confirmed.
    Done,
    /// Refused, nothing written.
    Refused,
    /// Durable, but the answer is an error.
    Unconfirmed,
}

struct State {
    end: End,
    hold: bool,
    waiting: bool,
    /// So many reads of the state row fail.
    blind: u32,
    hold_slots: bool,
    /// Threads that are about to read the key slots.
    at_slots: u32,
}

/// See the module's comment.
pub struct HoldShelf {
    inner: MemoryShelf,
    state: Mutex<State>,
    changed: Condvar,
}

impl HoldShelf {
    pub fn on(disk: &MemoryDisk) -> Arc<Self> {
        Arc::new(HoldShelf {
            inner: MemoryShelf::open(disk),
            state: Mutex::new(State {
                end: End::Done,
                hold: false,
                waiting: false,
                blind: 0,
                hold_slots: false,
                at_slots: 0,
            }),
            changed: Condvar::new(),
        })
    }

    /// The next commit waits before it writes anything.
    pub fn hold(&self) {
        self.state.lock().unwrap().hold = true;
    }

    /// Returns once a commit waits.
    pub fn held(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |s| !s.waiting).unwrap());
    }

    /// Lets it go; this and later commits end so.
    pub fn release(&self, end: End) {
        let mut state = self.state.lock().unwrap();
        (state.hold, state.end) = (false, end);
        self.changed.notify_all();
    }

    /// Commits end so from now on.
    pub fn end(&self, end: End) {
        self.state.lock().unwrap().end = end;
    }

    /// Whoever reads the key slots waits.
    pub fn hold_slots(&self) {
        self.state.lock().unwrap().hold_slots = true;
    }

    /// Returns once `n` wait at the key slots.
    pub fn slots_held(&self, n: u32) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |s| s.at_slots < n).unwrap());
    }

    /// How many wait there.
    pub fn slots_waiting(&self) -> u32 {
        self.state.lock().unwrap().at_slots
    }

    /// Lets them all go.
    pub fn release_slots(&self) {
        self.state.lock().unwrap().hold_slots = false;
        self.changed.notify_all();
    }

    /// The next `n` reads of the state row fail.
    pub fn blind(&self, n: u32) {
        self.state.lock().unwrap().blind = n;
    }
}

fn broken() -> StoreError {
    StoreError::io("write", "input/output error")
}

impl Shelf for HoldShelf {
    fn vault_id(&self) -> Result<Option<VaultId>, StoreError> {
        self.inner.vault_id()
    }

    fn create(&self, vault_id: VaultId, first: Batch) -> Result<(), StoreError> {
        self.inner.create(vault_id, first)
    }

    fn get(&self, kind: Kind, id: &RowId) -> Result<Option<Row>, StoreError> {
        let mut state = self.state.lock().unwrap();
        if kind == Kind::State && state.blind > 0 {
            state.blind -= 1;
            return Err(broken());
        }
        drop(state);
        self.inner.get(kind, id)
    }

    fn scan(
        &self,
        kind: Kind,
        max_body: usize,
        visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        if kind == Kind::Slot {
            let mut state = self.state.lock().unwrap();
            state.at_slots += 1;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |s| s.hold_slots).unwrap();
            state.at_slots -= 1;
        }
        self.inner.scan(kind, max_body, visit)
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let mut state = self.state.lock().unwrap();
        if state.hold {
            state.waiting = true;
            self.changed.notify_all();
            state = self.changed.wait_while(state, |s| s.hold).unwrap();
            state.waiting = false;
        }
        let end = state.end;
        drop(state);
        match end {
            End::Done => self.inner.commit(batch),
            End::Refused => Err(broken()),
            End::Unconfirmed => self.inner.commit(batch).and(Err(broken())),
        }
    }

    fn quick_check(&self) -> Result<(), StoreError> {
        self.inner.quick_check()
    }

    fn size(&self) -> Result<u64, StoreError> {
        self.inner.size()
    }
}
