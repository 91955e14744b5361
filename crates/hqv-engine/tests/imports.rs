//! `import` through the door: all or nothing, what happens where a secret stands already, and its one record.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_engine::ops::audit_read::{AuditFilter, AuditRead};
use hqv_engine::ops::import::{Became, Import, Imported, MOST, OnConflict};
use hqv_engine::ops::show::Show;
use hqv_model::{Code, EnvName, SecretBytes};
use kit::{Kit, path};

fn one(at: &str, value: &[u8]) -> Imported {
    Imported { path: path(at), value: SecretBytes::from_slice(value), env: None }
}

fn import(secrets: Vec<Imported>, on_conflict: OnConflict) -> Import {
    Import { secrets, on_conflict }
}

async fn fails(kit: &Kit, who: &str, op: Import) -> Code {
    kit.run(who, op).await.err().expect("refused").code()
}

#[tokio::test]
async fn an_import_stores_all_or_nothing_and_survives_a_crash() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "app/b", b"old").await.unwrap();
    let three = || vec![one("app/a", b"1"), one("app/b", b"2"), one("app/c", b"\xff\x00")];
    assert_eq!(fails(&kit, &owner, import(three(), OnConflict::Fail)).await, Code::AlreadyExists);
    assert_eq!(kit.get(&owner, "app/a").await.err().unwrap().code(), Code::NotFound);
    let mut bad = three();
    bad.push(one("app/d", &vec![0; (1 << 20) + 1]));
    assert_eq!(fails(&kit, &owner, import(bad, OnConflict::Overwrite)).await, Code::TooLarge);
    let mut twice = three();
    twice.push(one("app/a", b"x"));
    assert_eq!(fails(&kit, &owner, import(twice, OnConflict::Overwrite)).await, Code::BadRequest);
    assert_eq!(fails(&kit, &owner, import(Vec::new(), OnConflict::Fail)).await, Code::BadRequest);
    assert_eq!(kit.get(&owner, "app/a").await.err().unwrap().code(), Code::NotFound);
    assert_eq!(kit.value("app/b").await.unwrap(), b"old");
    let done = kit.run(&owner, import(three(), OnConflict::Overwrite)).await.unwrap();
    let became: Vec<_> = done.iter().map(|one| (one.became, one.version)).collect();
    assert_eq!(became, [(Became::Created, 1), (Became::Overwritten, 2), (Became::Created, 1)]);
    kit.crash().await;
    kit.unlock().await;
    assert_eq!(kit.value("app/b").await.unwrap(), b"2");
    assert_eq!(kit.value("app/c").await.unwrap(), b"\xff\x00");
}

#[tokio::test]
async fn skip_keeps_and_rename_finds_a_free_path_for_itself() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "a", b"old").await.unwrap();
    let skipped =
        kit.run(&owner, import(vec![one("a", b"new"), one("n", b"1")], OnConflict::Skip)).await.unwrap();
    assert_eq!((skipped[0].became, skipped[0].version), (Became::Skipped, 1));
    assert_eq!(kit.value("a").await.unwrap(), b"old");
    // `a-2` is taken by the same import.
    let mut named = one("a", b"new");
    named.env = Some(EnvName::parse("aName").unwrap());
    let done = kit.run(&owner, import(vec![named, one("a-2", b"2")], OnConflict::Rename)).await.unwrap();
    assert_eq!((done[0].became, done[0].path.as_str()), (Became::Renamed, "a-3"));
    assert_eq!(kit.value("a-3").await.unwrap(), b"new");
    assert_eq!(kit.value("a-2").await.unwrap(), b"2");
    assert_eq!(kit.run(&owner, Show { path: path("a-3") }).await.unwrap().view.meta.env, None);
}

#[tokio::test]
async fn a_token_needs_write_on_every_path_renamed_ones_too() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let made = kit.token(&owner, "w", None, &["write on app/", "write on one"]).await.unwrap();
    let token = made.token.reveal().to_owned();
    let outside = || vec![one("app/a", b"1"), one("other/b", b"2")];
    assert_eq!(fails(&kit, &token, import(outside(), OnConflict::Fail)).await, Code::Forbidden);
    assert_eq!(kit.get(&owner, "app/a").await.err().unwrap().code(), Code::NotFound);
    kit.put(&owner, "one", b"old").await.unwrap();
    let beside = vec![one("app/a", b"1"), one("one", b"2")];
    assert_eq!(fails(&kit, &token, import(beside, OnConflict::Rename)).await, Code::Forbidden);
    assert_eq!(kit.get(&owner, "app/a").await.err().unwrap().code(), Code::NotFound);
    kit.run(&token, import(vec![one("app/a", b"1")], OnConflict::Fail)).await.unwrap();
    assert_eq!(kit.value("app/a").await.unwrap(), b"1");
}

#[tokio::test]
async fn au1_an_import_of_ten_thousand_is_one_record_that_names_each() {
    let kit = Kit::new().await;
    let owner = kit.owner.clone();
    let many = |count: usize| (0..count).map(|i| one(&format!("big/k{i}"), b"value")).collect::<Vec<_>>();
    assert_eq!(fails(&kit, &owner, import(many(MOST + 1), OnConflict::Fail)).await, Code::TooLarge);
    let done = kit.run(&owner, import(many(MOST), OnConflict::Fail)).await.unwrap();
    assert_eq!(done.len(), MOST);
    let page = kit.run(&owner, AuditRead { filter: AuditFilter::default() }).await.unwrap();
    let page = page.last(100, None).unwrap();
    let records: Vec<_> =
        page.records.iter().filter(|r| r.operation == "import" && r.outcome == "ok").collect();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].items.len(), MOST);
    kit.engine.audit_verify(kit::caller(&owner), None).await.unwrap();
}
