//! `version`.

use crate::cli::context::Context;
use crate::cli::output::error::Failure;

/// Prints name and version.
pub fn run(ctx: &Context) -> Result<(), Failure> {
    let version = crate::compose::version();
    if ctx.out.json {
        return ctx.out.document(&serde_json::json!({ "name": "hq-vault", "version": version }));
    }
    ctx.out.line(format!("hq-vault {version}"))
}
