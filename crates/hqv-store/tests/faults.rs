//! The fault injector: it changes nothing until armed, strikes where it is told, and leaves before or after.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hqv_model::Kind;
use hqv_store::conformance::{self, all, id, row, vault};
use hqv_store::faults::{Fault, FaultShelf, Step};
use hqv_store::memory::{MemoryDisk, MemoryShelf};
use hqv_store::{Batch, Scanned, Shelf, StoreError};
use std::ops::ControlFlow;
use std::sync::Arc;

fn made() -> (MemoryDisk, Arc<dyn Shelf>) {
    let disk = MemoryDisk::new();
    let shelf = MemoryShelf::open(&disk);
    shelf.create(vault(1), Batch::from(vec![row(Kind::Secret, 1, 1, b"old")])).unwrap();
    (disk, Arc::new(shelf))
}

fn change() -> Batch {
    Batch {
        put: vec![row(Kind::Secret, 2, 1, b"new"), row(Kind::Secret, 3, 1, b"new")],
        delete: vec![(Kind::Secret, id(1))],
    }
}

fn revisions(disk: &MemoryDisk) -> Vec<u8> {
    disk.rows().iter().map(|row| row.body[0]).collect()
}

#[test]
fn unarmed_it_is_any_shelf() {
    conformance::run(|| Box::new(FaultShelf::new(Arc::new(MemoryShelf::new()))));
}

#[test]
fn steps_are_counted_and_named() {
    let (_, shelf) = made();
    let shelf = FaultShelf::new(shelf);
    shelf.commit(change()).unwrap();
    let commit = [
        Step::BeforeBegin,
        Step::RowWritten(1),
        Step::RowWritten(2),
        Step::RowWritten(3),
        Step::BeforeCommit,
        Step::Committed,
    ];
    assert_eq!(shelf.trace(), commit);
    shelf.heal();
    shelf.get(Kind::Secret, &id(2)).unwrap();
    all(&shelf, Kind::Secret).unwrap();
    assert_eq!(shelf.trace(), [Step::Get, Step::Scan, Step::Scanned(1), Step::Scanned(2)]);
    assert_eq!(shelf.steps(), 4);
}

#[test]
fn st1_stopped_at_every_step_leaves_before_or_after() {
    let steps = {
        let shelf = FaultShelf::new(made().1);
        shelf.commit(change()).unwrap();
        shelf.steps()
    };
    for step in 1..=steps {
        let (disk, inner) = made();
        let shelf = FaultShelf::at(inner, step, Fault::Stop);
        assert!(shelf.commit(change()).is_err(), "a stopped process answers nothing");
        let durable = shelf.fired() == Some(Step::Committed);
        assert_eq!(revisions(&disk), if durable { vec![b'n', b'n'] } else { vec![b'o'] }, "at step {step}");
        assert!(shelf.is_stopped() && shelf.get(Kind::Secret, &id(1)).is_err() && shelf.vault_id().is_err());
        assert!(shelf.commit(Batch::new()).is_err() && shelf.quick_check().is_err() && shelf.size().is_err());
        // The next start finds a working disk.
        MemoryShelf::open(&disk).commit(change()).unwrap();
    }
    let (_, inner) = made();
    let shelf = FaultShelf::at(inner, steps + 1, Fault::Stop);
    shelf.commit(change()).unwrap();
    assert_eq!(shelf.fired(), None, "there are no more steps than counted");
}

#[test]
fn st1_a_stopped_creation_is_whole_or_absent() {
    for step in 1..=4 {
        let disk = MemoryDisk::new();
        let shelf = FaultShelf::at(Arc::new(MemoryShelf::open(&disk)), step, Fault::Stop);
        assert!(shelf.create(vault(1), Batch::from(vec![row(Kind::Slot, 1, 1, b"s")])).is_err());
        let durable = shelf.fired() == Some(Step::Committed);
        let after = MemoryShelf::open(&disk);
        assert_eq!(after.vault_id().unwrap(), durable.then(|| vault(1)));
        assert_eq!(disk.rows().len(), usize::from(durable));
    }
}

#[test]
fn st2_each_failure_is_passed_on_and_later_steps_work() {
    let failures = [
        StoreError::Full,
        StoreError::ReadOnly,
        StoreError::io("write", "EIO"),
        StoreError::io("write", "EDQUOT"),
    ];
    for failure in failures {
        let (disk, inner) = made();
        let shelf = FaultShelf::at(inner, 3, Fault::Fail(failure.clone()));
        assert_eq!(shelf.commit(change()), Err(failure));
        assert_eq!(revisions(&disk), [b'o']);
        shelf.commit(change()).unwrap();
        assert_eq!(revisions(&disk), [b'n', b'n']);
    }
}

#[test]
fn st2_a_lasting_failure_ends_when_healed() {
    let (_, inner) = made();
    let shelf = FaultShelf::at(inner, 2, Fault::FailFrom(StoreError::Full));
    shelf.get(Kind::Secret, &id(1)).unwrap();
    for _ in 0..3 {
        assert_eq!(shelf.commit(change()), Err(StoreError::Full));
    }
    assert_eq!(shelf.fired(), Some(Step::BeforeBegin));
    shelf.heal();
    shelf.commit(change()).unwrap();
}

#[test]
fn a_scan_can_fail_half_way() {
    let (_, inner) = made();
    inner.commit(Batch::from(vec![row(Kind::Secret, 5, 1, b"x")])).unwrap();
    let shelf = FaultShelf::at(inner, 2, Fault::Fail(StoreError::damaged("page 4")));
    let mut seen = 0;
    let mut visit = |_: Scanned| {
        seen += 1;
        ControlFlow::Continue(())
    };
    assert_eq!(shelf.scan(Kind::Secret, 10, &mut visit), Err(StoreError::damaged("page 4")));
    assert_eq!(seen, 1);
}
