//! The plain copy: the same members as a reader gives, never a wait, and what does not fit is said.

use std::{
    fs,
    sync::Arc,
    time::{Duration, Instant},
};

use hqv_audit::mirror::{Mirror, Target};
use serde_json::Value;

use crate::kit::{World, at, get_at};

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !done() {
        assert!(Instant::now() < end, "{what}");
        std::thread::yield_now();
    }
}

fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    // The last line may be half written.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn au3_a_mirrored_line_is_the_readers_record() {
    let world = World::new();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mirror.jsonl");
    let (mut log, _) = world.start(1);
    log.set_mirror(Some(Mirror::start(Target::File(path.clone())).unwrap()));
    log.append(&get_at("locked/1", at(1)), 1).unwrap();
    log.adopt(&world.id, at(1), 0).unwrap();
    let odd = "a/\u{85}\n\"\u{202e}ü";
    log.append(&get_at(odd, at(2)), 7).unwrap();
    until("two lines", || lines(&path).len() == 2);
    let read: Vec<Value> =
        world.records().iter().rev().map(|r| serde_json::from_str(&r.to_json()).unwrap()).collect();
    assert_eq!(lines(&path), read);
    assert_eq!(read[1]["items"][0]["path"], odd);
}

#[test]
fn au2_a_mirror_that_takes_nothing_holds_up_nobody_and_says_what_is_missing() {
    let world = World::new();
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("gone/mirror.jsonl");
    let (mut log, _) = world.start(1);
    log.adopt(&world.id, at(1), 0).unwrap();
    let mirror = Mirror::start(Target::File(path.clone())).unwrap();
    log.set_mirror(Some(mirror.clone()));
    let wide = "w".repeat(400);
    let mut last = 0;
    while mirror.health().lost == 0 {
        last = log.append(&get_at(&wide, at(2)), 1).unwrap();
    }
    until("trouble", || mirror.health().trouble.is_some());
    fs::create_dir(place.path().join("gone")).unwrap();
    until("a gap", || lines(&path).iter().any(|line| line["operation"] == "mirror-gap"));
    let all = lines(&path);
    let gap = all.iter().find(|line| line["operation"] == "mirror-gap").unwrap();
    let lost = mirror.health().lost;
    assert!(gap["detail"].as_str().unwrap().starts_with(&format!("{lost} records")), "{gap}");
    assert_eq!(gap["sequence"], last);
    assert_eq!(mirror.health().trouble, None);
    log.append(&get_at("after", at(3)), 1).unwrap();
    until("the next", || lines(&path).last().is_some_and(|line| line["items"][0]["path"] == "after"));
}

#[test]
fn a_mirror_is_opened_anew_when_told_and_only_then() {
    let world = World::new();
    let place = tempfile::tempdir().unwrap();
    let (path, aside) = (place.path().join("m"), place.path().join("m.1"));
    let (mut log, _) = world.start(1);
    let mirror: Arc<Mirror> = Mirror::start(Target::File(path.clone())).unwrap();
    log.set_mirror(Some(mirror.clone()));
    log.append(&get_at("a/1", at(1)), 1).unwrap();
    until("one", || lines(&path).len() == 1);
    fs::rename(&path, &aside).unwrap();
    log.append(&get_at("a/2", at(1)), 1).unwrap();
    until("two", || lines(&aside).len() == 2);
    mirror.reopen();
    log.append(&get_at("a/3", at(1)), 1).unwrap();
    until("three", || lines(&path).len() == 1);
}

#[test]
fn a_mirror_inside_the_vault_or_unwritable_is_refused() {
    let world = World::new();
    let inside = world.dir.path().join("mirror");
    assert!(Target::File(inside.clone()).check(world.dir.path()).is_err());
    assert!(!inside.exists());
    let link = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(world.dir.path(), link.path().join("way")).unwrap();
    assert!(Target::File(link.path().join("way/mirror")).check(world.dir.path()).is_err());
    assert!(Target::File(link.path().join("no/such/mirror")).check(world.dir.path()).is_err());
    assert!(Target::File(link.path().to_owned()).check(world.dir.path()).is_err());
    assert!(Target::File(link.path().join("mirror")).check(world.dir.path()).is_ok());
    for bad in ["", "file:", "file:relative", "file:/", "tcp:host", "Stdout"] {
        assert_eq!(Target::parse(bad), None, "{bad}");
    }
}
