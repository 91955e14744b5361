//! Every failure has a sentence of its own, and none says more than it should.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use hqv_model::Code;
use hqv_store::StoreError;
use std::collections::BTreeSet;

fn every() -> Vec<StoreError> {
    vec![
        StoreError::Missing,
        StoreError::Empty,
        StoreError::NotAVault,
        StoreError::OtherApplication { id: 0x42 },
        StoreError::NotAFile { what: "a directory" },
        StoreError::Exposed { mode: 0o644 },
        StoreError::NotOurs { uid: 1000 },
        StoreError::Newer { found: 3, known: 1 },
        StoreError::Locked { pid: None },
        StoreError::Locked { pid: Some(4711) },
        StoreError::Exists,
        StoreError::Full,
        StoreError::ReadOnly,
        StoreError::io("write", "canary: /somewhere: EIO"),
        StoreError::damaged("canary: page 4"),
    ]
}

#[test]
fn st4_each_has_its_own_sentence_and_code() {
    let sentences: BTreeSet<String> = every().iter().map(StoreError::to_string).collect();
    assert_eq!(sentences.len(), every().len(), "no two failures share a sentence");
    for error in every() {
        let told = error.to_error();
        assert_eq!(told.message(), error.to_string());
        let code = match error {
            StoreError::Exists => Code::AlreadyExists,
            StoreError::Damaged { .. } => Code::Internal,
            _ => Code::Unavailable,
        };
        assert_eq!(told.code(), code, "{error}");
    }
}

#[test]
fn causes_reach_the_log_only() {
    for error in every() {
        let told = error.to_error();
        let shown = format!("{} {}", told.message(), told.hint_text().unwrap_or_default());
        assert!(!shown.contains("canary") && !shown.contains('\n'), "{shown}");
    }
    assert_eq!(StoreError::damaged("canary: page 4").to_error().cause_text(), Some("canary: page 4"));
    assert!(StoreError::Locked { pid: Some(4711) }.to_string().contains("pid 4711"));
    assert!(StoreError::Exposed { mode: 0o644 }.to_string().contains("0644"));
}
