//! The two clocks of the machine.
//!
//! Only the composition root reads them; everything behind it takes a clock as a parameter.

use std::time::Duration;

/// Milliseconds since 1970-01-01T00:00:00Z by the wall clock, which people and NTP may set at will. Negative
/// before 1970.
pub fn wall_millis() -> i64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    now.tv_sec.saturating_mul(1000).saturating_add(now.tv_nsec / 1_000_000)
}

/// Time since boot, suspended time included; never set back. `CLOCK_BOOTTIME`.
#[cfg(target_os = "linux")]
pub fn boot() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(u64::try_from(now.tv_sec).unwrap_or(0), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Time since boot, suspended time included; never set back. `mach_continuous_time`. Untested.
#[cfg(target_vendor = "apple")]
pub fn boot() -> Duration {
    unsafe extern "C" {
        fn mach_continuous_time() -> u64;
    }
    #[allow(deprecated)]
    let mut base = libc::mach_timebase_info { numer: 0, denom: 0 };
    // SAFETY: both calls take nothing or a pointer to a struct of ours.
    #[allow(deprecated)]
    let ticks = unsafe {
        libc::mach_timebase_info(&mut base);
        mach_continuous_time()
    };
    let nanos = u128::from(ticks) * u128::from(base.numer) / u128::from(base.denom.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}
