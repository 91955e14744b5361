//! `token explain`: yes or no, and who decides.

use hqv_api::ExplainQuery;

use crate::cli::args::token::Explain;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::token::text;

/// Asks, and says the answer in a line; for a family of several, who allows it and who does not.
pub fn run(ctx: &Context, args: &Explain) -> Result<(), Failure> {
    let who = text(&args.who);
    let query = ExplainQuery { path: args.path.as_str().to_owned(), can: Some(args.can.to_string()) };
    let found = ctx.ask(async |client| client.token_explain(&who, &query).await)?;
    if ctx.out.json {
        return ctx.out.document(&found);
    }
    let answer = if found.allowed { "yes" } else { "no" };
    ctx.out.line(hqv_model::escape_controls(&format!("{answer}: {}", found.because)))?;
    for link in found.family.iter().filter(|_| found.family.len() > 1) {
        let rule = link.rule.as_deref().unwrap_or("no rule");
        ctx.out.line(hqv_model::escape_controls(&format!("  {}: {rule}", link.ancestry)))?;
    }
    Ok(())
}
