//! Random walks over entries and asks, each step compared with a model: joining, storing, answering, refusing,
//! approving, collecting, in any order with locks, unlocks, deletions, revocations and time. `HQV_LONG=1` walks
//! further.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod desk;
mod kit;
mod waiting;

use desk::*;
use hqv_engine::ops::ask_approve::AskApprove;
use hqv_engine::ops::ask_create::AskOpened;
use hqv_engine::ops::delete::Delete;
use hqv_engine::ops::entry_create::EntryOpened;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::token_create::TokenCreate;
use hqv_engine::ops::token_revoke::TokenRevoke;
use hqv_engine::tickets::{AskState, EntryState, Narrowing, Proof};
use hqv_engine::{Caller, RecordView};
use hqv_model::*;
use kit::{Kit, caller, path, peer};
use proptest::prelude::*;
use std::time::Duration;
use waiting::{Action, Desk, State, Told, Who};

/// The real thing beside the model.
struct Walk {
    kit: Kit,
    desk: Desk,
    ingest: String,
    write: String,
    entries: Vec<EntryOpened>,
    /// The claims of every run of each ask.
    asks: Vec<(AskOpened, Vec<SecretText>)>,
}

fn at(number: u8) -> String {
    format!("walk/{number}")
}

impl Walk {
    async fn new() -> Walk {
        let kit = Kit::new().await;
        let changes = [("session-timeout", "1440"), ("idle-timeout", "0"), ("token.ttl", "30d")];
        let changes = changes.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        kit.run(&kit.owner, SettingsChange { changes }).await.unwrap();
        let make = |name, rule| TokenCreate { ttl: None, ..kit::create(name, None, &[rule]) };
        let ingest = kit.run(&kit.owner, make("in", "ingest on /")).await.unwrap().token.reveal().to_owned();
        let write = kit.run(&kit.owner, make("wr", "write on /")).await.unwrap().token.reveal().to_owned();
        let (desk, entries, asks) = (Desk::default(), Vec::new(), Vec::new());
        Walk { kit, desk, ingest, write, entries, asks }
    }

    fn caller(&self, who: Who) -> Caller {
        match who {
            Who::Peer => peer(),
            Who::Ingest => caller(&self.ingest),
            Who::Write => caller(&self.write),
        }
    }

    /// Does it for real.
    async fn act(&mut self, action: Action) -> Told {
        match self.try_act(action).await {
            Ok(told) => told,
            Err(error) => Told::Refused(error.code()),
        }
    }

    async fn try_act(&mut self, action: Action) -> Result<Told> {
        match action {
            Action::Open { .. }
            | Action::Store { .. }
            | Action::Answer { .. }
            | Action::RefuseEntry { .. } => self.entry_act(action).await,
            Action::Ask { .. } | Action::Approve { .. } | Action::Deny { .. } | Action::Collect { .. } => {
                self.ask_act(action).await
            }
            Action::Put { at: number } => {
                let put = kit::put(&at(number), b"v");
                self.kit.run(&self.kit.owner, put).await.map(|done| Told::Version(done.meta.version))
            }
            Action::Delete { at: number } => {
                let delete = Delete { path: path(&at(number)), purge: false };
                self.kit.run(&self.kit.owner, delete).await.map(|_| Told::Done)
            }
            Action::Revoke { who } => {
                let name = match who {
                    Who::Peer => "no-such",
                    Who::Ingest => "in",
                    Who::Write => "wr",
                };
                let revoke = TokenRevoke { who: TokenRef::parse(name).unwrap() };
                self.kit.run(&self.kit.owner, revoke).await.map(|_| Told::Done)
            }
            Action::Pass { seconds } => {
                self.kit.clock.pass(Duration::from_secs(seconds));
                self.kit.engine.tick();
                Ok(Told::Done)
            }
            Action::Lock => self.kit.engine.lock(&caller(&self.kit.owner)).map(|()| Told::Done),
            Action::Unlock => {
                self.kit.unlock().await;
                Ok(Told::Done)
            }
        }
    }

    async fn entry_act(&mut self, action: Action) -> Result<Told> {
        let (engine, owner) = (self.kit.engine.clone(), caller(&self.kit.owner));
        let nothing = || Error::not_found("no such ticket yet");
        match action {
            Action::Open { who, at: path, overwrite } => {
                let opened = engine.entry_create(&self.caller(who), entry(&at(path), overwrite))?;
                let known = self.entries.iter().position(|e| e.id == opened.id);
                assert_eq!(known.is_some(), opened.joined);
                let number = known.unwrap_or(self.entries.len());
                let joined = opened.joined;
                if !joined {
                    self.entries.push(opened);
                }
                Ok(Told::Ticket(number, joined))
            }
            Action::Store { entry } => {
                let opened = self.entries.get(entry).filter(|e| e.submit.is_some()).ok_or_else(nothing)?;
                store(&self.kit, peer(), opened, b"v").await.map(|stored| Told::Version(stored.version))
            }
            Action::Answer { entry } => {
                // A number that nobody has yet is a code that nobody has.
                let none = TicketCode::parse("0000-0000").unwrap();
                let code = self.entries.get(entry).map_or(none, |e| e.code);
                answer(&self.kit, code, b"v").await.map(|stored| Told::Version(stored.version))
            }
            Action::RefuseEntry { entry, owner: true } => {
                let id = self.entries.get(entry).map_or(EntryId::from_bytes([0; 16]), |e| e.id);
                engine.entry_refuse(&owner, &EntryRef::Id(id), &Proof::Owner).map(|()| Told::Done)
            }
            Action::RefuseEntry { entry, owner: false } => {
                let opened = self.entries.get(entry).filter(|e| e.submit.is_some()).ok_or_else(nothing)?;
                engine.entry_refuse(&peer(), &EntryRef::Id(opened.id), &submit(opened)).map(|()| Told::Done)
            }
            _ => unreachable!("the other actions are not about entries"),
        }
    }

    async fn ask_act(&mut self, action: Action) -> Result<Told> {
        let (engine, owner) = (self.kit.engine.clone(), caller(&self.kit.owner));
        let id = |ask: usize| self.asks.get(ask).map_or(AskId::from_bytes([0; 16]), |(a, _)| a.id);
        match action {
            Action::Ask { who, rule } => {
                let rule = format!("read on {}", at(rule));
                let opened = engine.ask_create(&self.caller(who), ask(&[&rule], Some("20d"), None))?;
                let known = self.asks.iter().position(|(a, _)| a.id == opened.id);
                assert_eq!(known.is_some(), opened.joined);
                let (number, joined) = (known.unwrap_or(self.asks.len()), opened.joined);
                let claim = secret(&opened.claim);
                if !joined {
                    self.asks.push((opened, Vec::new()));
                }
                self.asks[number].1.push(claim);
                Ok(Told::Ticket(number, joined))
            }
            Action::Approve { ask } => {
                let id = id(ask);
                let list = engine.ask_list(&owner).unwrap_or_default();
                let fingerprint =
                    list.into_iter().find(|a| a.id == id).map(|a| a.fingerprint).unwrap_or_default();
                let narrower = Narrowing::default();
                let approve = AskApprove { ask: AskRef::Id(id), fingerprint, narrower };
                engine.ask_approve(&owner, approve).map(|_| Told::Done)
            }
            Action::Deny { ask } => engine.ask_deny(&owner, &AskRef::Id(id(ask))).map(|()| Told::Done),
            Action::Collect { ask, newest } => {
                let Some((opened, claims)) = self.asks.get(ask) else {
                    return Err(Error::not_found("no such ask yet"));
                };
                let last = claims.len() - 1;
                let claim = secret(&claims[if newest { last } else { last.saturating_sub(1) }]);
                let who = self.caller(Desk::follower(&self.desk.asks[ask]));
                engine.ask_collect(who, opened.id, claim).await.map(|_| Told::Done)
            }
            _ => unreachable!("the other actions are not about asks"),
        }
    }

    /// What everybody who may follow a ticket sees of it.
    fn compare(&self) {
        for (opened, model) in self.entries.iter().zip(&self.desk.entries) {
            assert_eq!(opened.submit.is_some(), model.submit);
            let Some(who) = self.follower(Desk::follower(model)) else { continue };
            let seen = match self.kit.engine.entry_state(&who, opened.id) {
                Ok(EntryState::Waiting) => Some(State::Waiting),
                Ok(EntryState::Stored(stored)) => Some(State::Stored(stored.version)),
                Ok(EntryState::Refused) => Some(State::Refused),
                Ok(EntryState::Expired) => Some(State::Expired),
                Err(error) => {
                    assert_eq!(error.code(), Code::NotFound);
                    None
                }
            };
            assert_eq!(seen, self.desk.kept(model).then_some(model.state));
        }
        for ((opened, claims), model) in self.asks.iter().zip(&self.desk.asks) {
            assert_eq!(claims.len(), model.runs);
            let Some(who) = self.follower(Desk::follower(model)) else { continue };
            let seen = match self.kit.engine.ask_state(&who, opened.id) {
                Ok(AskState::Waiting) => Some(State::Waiting),
                Ok(AskState::Approved) => Some(State::Approved),
                Ok(AskState::Denied) => Some(State::Refused),
                Ok(AskState::Expired) => Some(State::Expired),
                Ok(AskState::Collected) => Some(State::Collected),
                Err(error) => {
                    assert_eq!(error.code(), Code::NotFound);
                    None
                }
            };
            assert_eq!(seen, self.desk.kept(model).then_some(model.state));
        }
    }

    /// Who asked, or the owner where that token has ended.
    fn follower(&self, who: Who) -> Option<Caller> {
        match (self.desk.locked, self.desk.revoked.contains(&who)) {
            (false, true) => Some(caller(&self.kit.owner)),
            _ => Some(self.caller(who)),
        }
    }

    /// The record tells every end once, and every value and token that came of it.
    async fn end(mut self) {
        self.kit.unlock().await;
        let all: Vec<RecordView> = records(&self.kit).await;
        let count = |op: &str| all.iter().filter(|r| r.operation == op && r.outcome == "ok").count();
        let stored = self.desk.entries.iter().filter(|t| matches!(t.state, State::Stored(_))).count();
        assert_eq!((count("entry-end"), count("ask-end")), (self.desk.entry_ends, self.desk.ask_ends));
        assert_eq!((count("entry-store"), count("ask-collect")), (stored, self.desk.tokens_made));
    }
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![3 => Just(Who::Peer), 2 => Just(Who::Ingest), 2 => Just(Who::Write)]
}

fn action() -> impl Strategy<Value = Action> {
    let place = || 0..3_u8;
    let ticket = || 0..8_usize;
    prop_oneof![
        6 => (who(), place(), any::<bool>()).prop_map(|(who, at, overwrite)| Action::Open { who, at, overwrite }),
        4 => ticket().prop_map(|entry| Action::Store { entry }),
        3 => ticket().prop_map(|entry| Action::Answer { entry }),
        2 => (ticket(), any::<bool>()).prop_map(|(entry, owner)| Action::RefuseEntry { entry, owner }),
        5 => (who(), place()).prop_map(|(who, rule)| Action::Ask { who, rule }),
        4 => ticket().prop_map(|ask| Action::Approve { ask }),
        2 => ticket().prop_map(|ask| Action::Deny { ask }),
        5 => (ticket(), prop::bool::weighted(0.8)).prop_map(|(ask, newest)| Action::Collect { ask, newest }),
        2 => place().prop_map(|at| Action::Put { at }),
        2 => place().prop_map(|at| Action::Delete { at }),
        1 => who().prop_map(|who| Action::Revoke { who }),
        3 => prop_oneof![1..30_u64, 100..400_u64, Just(599), Just(600), Just(601)]
            .prop_map(|seconds| Action::Pass { seconds }),
        2 => Just(Action::Lock),
        4 => Just(Action::Unlock),
    ]
}

#[allow(clippy::disallowed_methods)] // A test may ask how long it may take.
fn cases() -> ProptestConfig {
    let long = std::env::var_os("HQV_LONG").is_some();
    ProptestConfig { cases: if long { 2000 } else { 40 }, failure_persistence: None, ..Default::default() }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn en3_br8_tickets_are_the_model(actions in prop::collection::vec(action(), 20..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut walk = Walk::new().await;
            for action in &actions {
                let real = walk.act(*action).await;
                let model = walk.desk.act(*action);
                assert_eq!(real, model, "{action:?}");
                walk.compare();
            }
            walk.end().await;
        });
    }
}
