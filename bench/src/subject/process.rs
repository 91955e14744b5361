//! What the kernel says about a process.

use crate::Result;
use std::fs::read_to_string;

/// `utime` and `stime` come in ticks of 1/100 s on every Linux that people run (USER_HZ); the kernel scales them to the
/// exact run time.
const TICK_US: f64 = 10_000.0;

/// Processor time that the process has had, in user and kernel mode, microseconds.
///
/// # Errors
/// It is gone.
pub fn cpu_us(pid: u32) -> Result<f64> {
    let stat = read_to_string(format!("/proc/{pid}/stat"))?;
    let rest = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let field = |n: usize| rest.split_whitespace().nth(n).and_then(|word| word.parse::<f64>().ok());
    let (user, system) = (field(11), field(12));
    Ok((user.unwrap_or_default() + system.unwrap_or_default()) * TICK_US)
}

/// Resident memory in MiB.
///
/// # Errors
/// It is gone.
pub fn rss_mib(pid: u32) -> Result<f64> {
    let status = read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: f64 = line.split_whitespace().next().ok_or("an empty VmRSS")?.parse()?;
    Ok(kib / 1024.0)
}
