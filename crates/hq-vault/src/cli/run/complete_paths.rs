//! `complete-paths`: what a completion script may offer. It asks nobody,
//! starts nothing, and where it may not list it says nothing.

use hqv_api::ListQuery;

use crate::cli::context::Context;
use crate::cli::identity;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;

/// Prints the paths that begin with `text`.
pub fn run(ctx: &Context, text: &str) -> Result<(), Failure> {
    let Ok(link) = Link::open(ctx) else { return Ok(()) };
    let acting = identity::at_hand(ctx);
    let prefix = text.rsplit_once('/').map(|(above, _)| format!("{above}/"));
    let query = ListQuery { prefix, limit: Some(1000), ..ListQuery::default() };
    let credential = acting.as_ref().map(|a| a.credential());
    let Ok(found) = link.run_if_there(credential, async |client| client.list(&query).await) else {
        return Ok(());
    };
    // A path with a control character cannot stand on a line of its own.
    for path in found.entries.iter().map(|e| &e.path).filter(|p| p.starts_with(text)) {
        ctx.out.line(path)?;
    }
    Ok(())
}
