//! The steps of the random walk, and how they are drawn.

use proptest::prelude::*;

/// One step. Tokens are counted among those made so far, modulo their number.
#[derive(Clone, Debug)]
pub enum Step {
    Put(u8),
    Read(u8, Option<u64>),
    Use(usize, u8),
    Delete(u8),
    Purge(u8),
    Move(u8, u8),
    Copy(u8, u8),
    /// By the owner or a token; name, limit, seconds of life, may it delegate.
    Create(Option<usize>, u8, Option<u64>, u32, bool),
    Revoke(usize),
    /// All of these are queued before the first is answered.
    Together(Vec<Step>),
    Lock,
    Restart,
    /// kill -9.
    Die,
    /// Seconds that pass.
    Pass(u32),
    /// Seconds that somebody moves the wall clock.
    Jump(i32),
    Tick,
    /// The shelf fails at its step n: once, until it is healed, or for good.
    Fault(u64, u8),
    Heal,
}

fn simple() -> impl Strategy<Value = Step> {
    let p = 0u8..4;
    prop_oneof![
        5 => p.clone().prop_map(Step::Put),
        8 => (any::<usize>(), p.clone()).prop_map(|(t, p)| Step::Use(t, p)),
        2 => p.clone().prop_map(Step::Delete),
        1 => p.clone().prop_map(Step::Purge),
        2 => (p.clone(), p.clone()).prop_map(|(a, b)| Step::Move(a, b)),
        2 => (p.clone(), p.clone()).prop_map(|(a, b)| Step::Copy(a, b)),
        1 => any::<usize>().prop_map(Step::Revoke),
    ]
}

/// Any step.
pub fn steps() -> impl Strategy<Value = Step> {
    let by = prop_oneof![2 => Just(None), 3 => any::<usize>().prop_map(Some)];
    let max = prop_oneof![1 => Just(None), 3 => (1u64..6).prop_map(Some)];
    let ttl = prop_oneof![Just(60u32), Just(600), Just(3600), Just(100_000)];
    prop_oneof![
        12 => simple(),
        2 => (0u8..4, prop::option::of(1u64..4)).prop_map(|(p, v)| Step::Read(p, v)),
        5 => (by, 0u8..3, max, ttl, any::<bool>()).prop_map(|(b, n, m, t, d)| Step::Create(b, n, m, t, d)),
        5 => prop::collection::vec(simple(), 2..8).prop_map(Step::Together),
        1 => Just(Step::Lock),
        1 => Just(Step::Restart),
        1 => Just(Step::Die),
        2 => prop_oneof![Just(1u32), Just(45), Just(400), Just(2000)].prop_map(Step::Pass),
        1 => prop_oneof![Just(-400_000_000i32), Just(-3600), Just(200), Just(3600), Just(90_000_000)].prop_map(Step::Jump),
        2 => Just(Step::Tick),
        3 => (1u64..14, 0u8..3).prop_map(|(n, how)| Step::Fault(n, how)),
        2 => Just(Step::Heal),
    ]
}
