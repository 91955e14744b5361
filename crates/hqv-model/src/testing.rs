//! What the tests of this crate share.

use proptest::test_runner::Config;

/// How many cases a heavy property is tried with: more where HQV_LONG is set.
#[allow(clippy::disallowed_methods)] // A test may ask how long it may take.
pub(crate) fn cases(ordinary: u32, long: u32) -> Config {
    Config::with_cases(if std::env::var_os("HQV_LONG").is_some() { long } else { ordinary })
}
