//! Budgets against a model that knows nothing but the rule: for every token, what it spent and what is set aside
//! below it never exceed its maximum, a reserve can always be spent, and an end gives back exactly the rest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::disallowed_methods)]

use super::*;
use crate::family::TokenFacts;
use hqv_model::{Code, Scope, TokenName};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1000)
}

fn id(number: usize) -> TokenId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
    TokenId::from_bytes(bytes)
}

/// A token as the tests make it: its number is its place in the list.
#[derive(Clone, Debug)]
struct Made {
    parent: Option<usize>,
    max: Option<u64>,
    reserve: Option<u64>,
    end: i64,
}

/// Makes a token as `token create` does, or not where its reserve cannot be had.
fn make(tokens: &mut Tokens, number: usize, made: &Made, now: Timestamp) -> bool {
    let parent = made.parent.map(|p| tokens.by_id.get(&id(p), true).unwrap().clone());
    if let (Some(parent), Some(reserve)) = (&parent, made.reserve)
        && tokens.reservable(parent, now).is_some_and(|most| most < reserve)
    {
        return false;
    }
    let above = parent.as_ref().map(|p| &p.facts);
    let facts = TokenFacts {
        id: id(number),
        parent: above.map(|f| f.id),
        ancestors: above.map(|f| f.ancestors.iter().copied().chain([f.id]).collect()).unwrap_or_default(),
        name: TokenName::parse(&format!("t{number}")).unwrap(),
        ancestry: format!("t{number}").into(),
        hash: [u8::try_from(number % 251).unwrap(); 32],
        creator: "owner".into(),
        created: now,
        latest_end: at(1_000_000),
        max: made.max,
        reserve: made.reserve,
        limited: made.max.is_some() || above.is_some_and(|f| f.limited),
        scope: Scope::default_scope().into(),
        kept: Default::default(),
    };
    let entry = TokenEntry {
        facts: Arc::new(facts),
        end: at(made.end),
        state: State::Live,
        spent: 0,
        reserve_spent: 0,
        promised: 0,
        returned: false,
        last_used: None,
        sealed: None,
    };
    tokens.stage_new(entry.clone());
    if let (Some(parent), Some(reserve)) = (made.parent, made.reserve) {
        tokens.set_aside(id(parent), reserve);
    }
    if made.reserve.is_some() {
        tokens.watch_end(tokens.effective_end(&entry, true), id(number));
    }
    true
}

fn spend(tokens: &mut Tokens, number: usize, now: Timestamp) -> bool {
    let entry = tokens.by_id.get(&id(number), true).unwrap().clone();
    assert_eq!(tokens.ended(&entry, now, true), None);
    match tokens.spend(&entry, now) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.code(), Code::TokenExhausted);
            false
        }
    }
}

fn left(tokens: &Tokens, number: usize) -> Option<u64> {
    tokens.available(tokens.by_id.get(&id(number), true).unwrap(), true)
}

fn family(made: &[(Option<usize>, Option<u64>, Option<u64>)]) -> Tokens {
    let mut tokens = Tokens::default();
    for (number, (parent, max, reserve)) in made.iter().enumerate() {
        let made = Made { parent: *parent, max: *max, reserve: *reserve, end: 100 };
        assert!(make(&mut tokens, number, &made, at(0)), "token {number}");
    }
    tokens
}

#[test]
fn tk1_a_reserve_can_be_spent_whatever_the_siblings_take() {
    // A root of 10; a child that has 4 of its own and may go to 6; a child without a share.
    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(6), Some(4)), (Some(0), None, None)]);
    assert_eq!((left(&tokens, 0), left(&tokens, 1), left(&tokens, 2)), (Some(6), Some(6), Some(6)));
    for _ in 0..6 {
        assert!(spend(&mut tokens, 2, at(1)));
    }
    assert!(!spend(&mut tokens, 2, at(1)) && !spend(&mut tokens, 0, at(1)));
    for _ in 0..4 {
        assert!(spend(&mut tokens, 1, at(1)));
    }
    assert!(!spend(&mut tokens, 1, at(1)), "uses above the reserve come from the root, which has none");
}

#[test]
fn tk1_uses_above_the_reserve_come_from_the_ancestors() {
    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(6), Some(4))]);
    for n in 0..6 {
        assert!(spend(&mut tokens, 1, at(1)), "{n}");
    }
    assert!(!spend(&mut tokens, 1, at(1)));
    assert_eq!(left(&tokens, 0), Some(4));
}

#[test]
fn tk1_reserved_grandchildren_of_unreserved_children_count_at_the_root() {
    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(8), None), (Some(1), Some(5), Some(5))]);
    assert_eq!((left(&tokens, 0), left(&tokens, 1)), (Some(5), Some(3)));
    for _ in 0..5 {
        assert!(spend(&mut tokens, 0, at(1)));
    }
    assert_eq!((left(&tokens, 0), left(&tokens, 1), left(&tokens, 2)), (Some(0), Some(0), Some(5)));
}

#[test]
fn tk1_what_is_left_over_returns_when_it_ends() {
    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(6), Some(6))]);
    assert!(spend(&mut tokens, 1, at(1)));
    tokens.stage_revoked(id(1));
    assert_eq!(left(&tokens, 0), Some(9));
    tokens.stage_revoked(id(1));
    tokens.settle_ends(at(200));
    assert_eq!(left(&tokens, 0), Some(9), "it is given back once");

    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(8), None), (Some(1), Some(6), Some(6))]);
    tokens.stage_revoked(id(1));
    assert_eq!(left(&tokens, 0), Some(10), "a whole branch gives back what stood below it");
    tokens.settle_ends(at(200));
    assert_eq!(left(&tokens, 0), Some(10));
}

#[test]
fn tk1_a_reserve_is_out_of_the_reserve_above_it() {
    let mut tokens = family(&[
        (None, Some(20), None),
        (Some(0), Some(10), Some(6)),
        (Some(1), Some(5), Some(5)),
        (Some(1), None, None),
    ]);
    let parent = tokens.by_id.get(&id(1), true).unwrap().clone();
    assert_eq!(tokens.reservable(&parent, at(0)), Some(1), "one of the six is left to set aside");
    assert_eq!((left(&tokens, 0), left(&tokens, 1)), (Some(14), Some(5)));
    // The unreserved one takes the free one of the reserve, then what the root has.
    assert!(spend(&mut tokens, 3, at(1)));
    assert_eq!(left(&tokens, 0), Some(14));
    assert!(spend(&mut tokens, 3, at(1)));
    assert_eq!(left(&tokens, 0), Some(13));
    for _ in 0..13 {
        assert!(spend(&mut tokens, 0, at(1)));
    }
    for _ in 0..5 {
        assert!(spend(&mut tokens, 2, at(1)));
    }
    assert!(!spend(&mut tokens, 2, at(1)) && !spend(&mut tokens, 1, at(1)) && !spend(&mut tokens, 0, at(1)));
}

#[test]
fn tk1_a_renewal_that_fails_leaves_the_earlier_end_watched() {
    let mut tokens = Tokens::default();
    let boss = Made { parent: None, max: Some(10), reserve: None, end: 1_000 };
    let worker = Made { parent: Some(0), max: Some(10), reserve: Some(10), end: 10 };
    assert!(make(&mut tokens, 0, &boss, at(0)) && make(&mut tokens, 1, &worker, at(0)));
    tokens.publish();
    // Renewed in a group that is under way when the earlier end comes, and does not become durable.
    let mut next = (**tokens.by_id.get(&id(1), true).unwrap()).clone();
    next.end = at(100);
    tokens.by_id.stage(id(1), Some(Arc::new(next)));
    tokens.settle_ends(at(11));
    tokens.discard();
    assert_eq!(left(&tokens, 0), Some(0));
    tokens.settle_ends(at(12));
    assert_eq!(left(&tokens, 0), Some(10), "it came back with the end that stands");
}

/// The parent's allowance delegated twice, from a pool that was read before.
#[test]
fn field30_the_same_uses_are_not_set_aside_twice() {
    let mut tokens = family(&[(None, Some(10), None), (Some(0), Some(10), Some(7))]);
    let again = Made { parent: Some(0), max: Some(10), reserve: Some(4), end: 100 };
    assert!(!make(&mut tokens, 2, &again, at(0)));
    assert!(make(&mut tokens, 2, &Made { reserve: Some(3), ..again }, at(0)));
}

#[derive(Clone, Debug)]
enum Step {
    Make { parent: usize, max: Option<u64>, reserve: u64, life: i64 },
    Spend(usize),
    Revoke(usize),
    Freeze(usize, bool),
    Renew(usize, i64),
    Wait(i64),
    Undo(usize),
    Crash,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let made = (any::<u16>(), proptest::option::weighted(0.7, 1_u64..30), 0_u64..12, 1_i64..60);
    prop_oneof![
        4 => made.prop_map(|(parent, max, reserve, life)| Step::Make { parent: parent.into(), max, reserve, life }),
        12 => any::<u16>().prop_map(|n| Step::Spend(n.into())),
        1 => any::<u16>().prop_map(|n| Step::Revoke(n.into())),
        1 => (any::<u16>(), any::<bool>()).prop_map(|(n, frozen)| Step::Freeze(n.into(), frozen)),
        1 => (any::<u16>(), 1_i64..40).prop_map(|(n, life)| Step::Renew(n.into(), life)),
        2 => (0_i64..20).prop_map(Step::Wait),
        1 => any::<u16>().prop_map(|n| Step::Undo(n.into())),
        1 => Just(Step::Crash),
        1 => Just(Step::Restart),
    ]
}

/// What is left in a reserve, looked at from outside; none where the token has ended for good.
fn unspent(tokens: &Tokens, entry: &TokenEntry, now: Timestamp) -> u64 {
    let over = |link: Option<&TokenEntry>| link.is_none_or(|l| l.state == State::Revoked || l.end <= now);
    if tokens.chain(entry, true).any(over) { 0 } else { entry.reserve_left() }
}

/// The rule, counted the slow way from every row.
fn check(tokens: &Tokens, now: Timestamp) {
    for entry in tokens.all(true) {
        let reserved_between = |below: &TokenEntry| {
            let above = below.facts.ancestors.iter().rev().take_while(|a| **a != entry.facts.id);
            above.into_iter().any(|a| tokens.by_id.get(a, true).unwrap().facts.reserve.is_some())
        };
        let below = tokens.all(true).filter(|t| t.facts.ancestors.contains(&entry.facts.id));
        let aside: u64 = below.filter(|t| !reserved_between(t)).map(|t| unspent(tokens, t, now)).sum();
        let whole = tokens.chain(entry, true).flatten().all(|l| l.state != State::Revoked && l.end > now);
        if whole {
            assert!(
                entry.promised >= aside,
                "{} promises {} of {aside}",
                entry.facts.ancestry,
                entry.promised
            );
            if !tokens.ends_due(now) {
                assert_eq!(entry.promised, aside, "{}", entry.facts.ancestry);
            }
            if let Some(max) = entry.facts.max {
                assert!(
                    entry.spent + aside <= max,
                    "{}: {} + {aside} > {max}",
                    entry.facts.ancestry,
                    entry.spent
                );
            }
            if let Some(reserve) = entry.facts.reserve {
                assert!(entry.reserve_spent <= reserve && aside <= entry.reserve_left());
            }
        }
    }
}

/// Every live reserved token that is not frozen can spend all that is left of its reserve, one after the other and
/// whatever came before. Tried on a copy.
fn reserves_hold(tokens: &mut Tokens, count: usize, now: Timestamp) {
    for number in 0..count {
        let Some(entry) = tokens.by_id.get(&id(number), true).cloned() else { continue };
        if entry.facts.reserve.is_none() || tokens.ended(&entry, now, true).is_some() {
            continue;
        }
        let free = tokens.by_id.get(&id(number), true).unwrap().free_reserve();
        for _ in 0..free {
            assert!(spend(tokens, number, now), "{} could not spend its reserve", entry.facts.ancestry);
        }
    }
    tokens.undo();
}

struct Walk {
    tokens: Tokens,
    made: usize,
    now: i64,
}

impl Walk {
    fn some(&self, number: usize) -> Option<usize> {
        (self.made > 0).then(|| number % self.made)
    }

    fn live(&self, number: usize) -> Option<usize> {
        let number = self.some(number)?;
        let entry = self.tokens.by_id.get(&id(number), true)?;
        self.tokens.ended(entry, at(self.now), true).is_none().then_some(number)
    }

    /// What a daemon that starts anew finds: rows, and nothing that follows from them.
    fn restart(&mut self) {
        self.tokens.publish();
        let mut fresh = Tokens::default();
        for entry in self.tokens.all(false) {
            let mut row = (**entry).clone();
            (row.promised, row.returned) = (0, false);
            fresh.load(row);
        }
        fresh.count_reserves(at(self.now));
        self.tokens = fresh;
    }

    fn go(&mut self, step: Step) {
        let now = at(self.now);
        match step {
            Step::Make { parent, max, reserve, life } => {
                // Every other token is a root, while there are few.
                let parent = if parent % 4 == 0 { None } else { self.live(parent) };
                let available = parent.and_then(|p| {
                    self.tokens.settle_ends(now);
                    left(&self.tokens, p)
                });
                if available == Some(0) {
                    return;
                }
                let max = max.map(|max| available.map_or(max, |a| a.min(max)));
                let reserve = max.map(|max| reserve.min(max)).filter(|reserve| *reserve > 0);
                let made = Made { parent, max, reserve, end: self.now + life };
                if make(&mut self.tokens, self.made, &made, now) {
                    self.made += 1;
                }
                self.tokens.keep();
            }
            Step::Spend(number) => {
                if let Some(number) = self.live(number) {
                    let before = {
                        self.tokens.settle_ends(now);
                        left(&self.tokens, number)
                    };
                    assert_eq!(spend(&mut self.tokens, number, now), before != Some(0));
                    if let Some(before) = before.filter(|n| *n > 0) {
                        assert_eq!(left(&self.tokens, number), Some(before - 1), "a use costs one");
                    }
                    self.tokens.keep();
                }
            }
            Step::Revoke(number) => {
                if let Some(number) = self.some(number) {
                    self.tokens.stage_revoked(id(number));
                    self.tokens.keep();
                }
            }
            Step::Freeze(number, frozen) => self.freeze(number, frozen),
            Step::Renew(number, life) => self.renew(number, life),
            Step::Wait(seconds) => self.now += seconds,
            Step::Undo(number) => {
                // An operation that fails half-way: as if it had not begun.
                if let Some(number) = self.live(number) {
                    spend(&mut self.tokens, number, now);
                    self.tokens.stage_revoked(id(number));
                    self.tokens.undo();
                }
            }
            Step::Crash => {
                // The group does not become durable; tokens made in it are gone.
                self.tokens.discard();
                self.made = self.made.min(self.tokens.all(true).count());
                self.restart();
            }
            Step::Restart => self.restart(),
        }
    }

    /// As `token renew` does it: only what stands, only later, never beyond the parent's.
    fn renew(&mut self, number: usize, life: i64) {
        let Some(entry) = self.live(number).and_then(|n| self.tokens.by_id.get(&id(n), true).cloned()) else {
            return;
        };
        let parent = entry.facts.parent.and_then(|p| self.tokens.by_id.get(&p, true));
        let limit = parent.map(|parent| self.tokens.effective_end(parent, true));
        let wanted = at(self.now + life);
        let end = limit.map_or(wanted, |limit| wanted.min(limit)).max(entry.end);
        self.tokens.by_id.stage(entry.facts.id, Some(Arc::new(TokenEntry { end, ..(*entry).clone() })));
        self.tokens.keep();
    }

    fn freeze(&mut self, number: usize, frozen: bool) {
        let Some(entry) = self.some(number).and_then(|n| self.tokens.by_id.get(&id(n), true).cloned()) else {
            return;
        };
        if entry.state != State::Revoked {
            let state = if frozen { State::Frozen } else { State::Live };
            self.tokens.by_id.stage(entry.facts.id, Some(Arc::new(TokenEntry { state, ..(*entry).clone() })));
            self.tokens.keep();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if std::env::var_os("HQV_LONG").is_some() { 20_000 } else { 1_000 }))]

    #[test]
    fn tk1_no_family_spends_more_than_it_was_given(steps in prop::collection::vec(step(), 1..80)) {
        let mut walk = Walk { tokens: Tokens::default(), made: 0, now: 0 };
        for step in steps {
            walk.go(step);
            check(&walk.tokens, at(walk.now));
            let (made, now) = (walk.made, at(walk.now));
            reserves_hold(&mut walk.tokens, made, now);
        }
    }
}
