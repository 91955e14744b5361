//! What is measured: real processes, started and ended here.

pub mod floor;
pub mod process;
pub mod vault;

use crate::Result;
use std::path::PathBuf;

/// A program that was built beside this one; `name` may lie in a folder below.
///
/// # Errors
/// It is not there.
pub fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe()?;
    let path = here.with_file_name("").join(name);
    if path.is_file() { Ok(path) } else { Err(format!("{} is not built", path.display()).into()) }
}
