#![allow(clippy::unwrap_used)]

use super::*;
use hqv_model::{OpKind, SecretId, TokenId};

fn reader(id: u8) -> Identity<'static> {
    Identity::Token {
        id: TokenId::from_bytes([id; 16]),
        ancestry: "boss/worker".into(),
        ancestors: vec![TokenId::from_bytes([99; 16])].into(),
    }
}

fn record(time: i64, by: u8, secrets: &[u128], outcome: Outcome) -> Record<'static> {
    let mut record = Record::new(Timestamp::from_millis(time), OpKind::Get, outcome, reader(by));
    record.items = secrets
        .iter()
        .map(|secret| Item {
            secret: Some(SecretId::from_bytes(secret.to_be_bytes())),
            version: Some(1),
            path: "a/b".into(),
            kind: ItemKind::Exposed,
            channel: "get".into(),
        })
        .collect();
    record
}

fn minutes(n: u64) -> Duration {
    Duration::from_secs(60 * n)
}

#[test]
fn an_access_is_folded_into_one_line_and_a_refusal_into_none() {
    let mut ledger = Ledger::resume(0, 0, Duration::ZERO);
    ledger.fold(1, &record(10, 1, &[7], Outcome::Ok));
    ledger.fold(2, &record(20, 1, &[7], Outcome::Ok));
    ledger.fold(3, &record(30, 1, &[7], Outcome::Denied));
    ledger.fold(4, &record(40, 2, &[7, 8], Outcome::Ok));
    let work = ledger.work(4, Duration::ZERO);
    assert_eq!((work.lines.len(), work.gap, work.upto), (3, None, 4));
    let first = work.lines.values().find(|line| line.who.id == [1; 16]).unwrap();
    assert_eq!((first.first.millis(), first.last.millis()), (10, 20));
    assert_eq!(&*first.who.name, "boss/worker");
    assert!(work.lines.keys().all(|key| work.lines[key].key() == *key));
}

#[test]
fn no_line_beyond_the_synced_one_is_noted_and_none_before_the_note() {
    let mut ledger = Ledger::resume(3, 3, Duration::ZERO);
    ledger.fold(9, &record(10, 1, &[7], Outcome::Ok));
    assert_eq!(ledger.work(5, Duration::ZERO).upto, 5);
    assert_eq!(ledger.work(0, Duration::ZERO).upto, 3);
}

#[test]
fn what_has_no_room_is_read_again_from_the_line_on_that_had_none() {
    let mut ledger = Ledger::resume(0, 0, Duration::ZERO);
    let many = u64::try_from(MOST_PENDING).unwrap();
    for seq in 1..=many {
        ledger.fold(seq, &record(1, 1, &[seq.into()], Outcome::Ok));
    }
    assert_eq!((ledger.pending.len(), ledger.missed), (MOST_PENDING, None));
    // What is there already still has room; what comes after the first that has none is not looked at.
    ledger.fold(many + 1, &record(2, 1, &[1], Outcome::Ok));
    ledger.fold(many + 2, &record(3, 1, &[1 << 100], Outcome::Ok));
    ledger.fold(many + 3, &record(4, 1, &[2], Outcome::Ok));
    let work = ledger.work(u64::MAX, Duration::ZERO);
    assert_eq!(work.gap, Some((many + 2, many + 3)));
    assert_eq!(work.lines.values().filter(|line| line.last.millis() == 4).count(), 0);
    assert_eq!((ledger.missed, ledger.pending.len()), (None, 0));
}

#[test]
fn work_that_failed_is_read_from_the_record_with_all_that_came_since() {
    let mut ledger = Ledger::resume(10, 20, Duration::ZERO);
    assert_eq!(ledger.gap, Some((11, 20)));
    ledger.fold(21, &record(1, 1, &[1], Outcome::Ok));
    let work = ledger.work(21, Duration::ZERO);
    assert_eq!(work.gap, Some((11, 20)));
    ledger.fold(22, &record(1, 1, &[2], Outcome::Ok));
    ledger.give_back();
    assert_eq!(ledger.gap, Some((11, 22)));
}

#[test]
fn it_is_due_after_a_minute_or_when_much_is_to_be_read_again() {
    let mut ledger = Ledger::resume(0, 0, Duration::ZERO);
    assert!(!ledger.is_due(minutes(5)));
    ledger.fold(1, &record(1, 1, &[1], Outcome::Ok));
    assert!(!ledger.is_due(Duration::from_secs(59)) && ledger.is_due(minutes(1)));
    ledger.fold(SHORT_REPLAY, &record(1, 1, &[1], Outcome::Ok));
    assert!(ledger.is_due(Duration::ZERO));
    let gap = Ledger::resume(0, 9, Duration::ZERO);
    assert!(!gap.is_due(Duration::ZERO) && gap.is_due(PAUSE));
    // A record that was put back is shorter than the note says.
    assert_eq!(Ledger::resume(30, 20, Duration::ZERO).noted(), 20);
}
