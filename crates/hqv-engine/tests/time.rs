//! Vault time against a wall clock that somebody sets. Row ST8.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod kit;

use hqv_model::Code;
use kit::{Kit, caller};

const YEAR_MS: i64 = 365 * 86_400_000;

#[tokio::test]
async fn st8_a_clock_that_ran_ahead_is_repaired_by_the_owner_and_no_token_survives_it() {
    let mut kit = Kit::new().await;
    let owner = kit.owner.clone();
    kit.put(&owner, "k", b"v").await.unwrap();
    kit.clock.jump(5 * YEAR_MS);
    let token = kit.token(&owner, "w", None, &["read on k"]).await.unwrap().token.reveal().to_owned();
    kit.engine.tick();
    kit.restart().await;
    kit.clock.jump(-5 * YEAR_MS);
    kit.unlock().await;
    let status = kit.engine.status(&caller(&kit.owner)).unwrap();
    assert!(status.warnings.iter().any(|w| w.contains("behind the vault's time")), "{:?}", status.warnings);
    kit.get(&token, "k").await.unwrap();
    let (ended, _) = kit.engine.clock_reset(caller(&kit.owner)).await.unwrap();
    assert_eq!(ended, 1);
    assert_eq!(kit.get(&token, "k").await.err().unwrap().code(), Code::TokenRevoked);
    kit.restart().await;
    kit.unlock().await;
    let status = kit.engine.status(&caller(&kit.owner)).unwrap();
    assert!(!status.warnings.iter().any(|w| w.contains("behind")), "{:?}", status.warnings);
    assert_eq!(kit.get(&token, "k").await.err().unwrap().code(), Code::TokenRevoked);
}
