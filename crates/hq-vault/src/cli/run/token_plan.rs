//! `token create --dry-run`: the grant as a person would read it.

use hqv_api::{TokenPlanned, TokenRequest};

use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::list::ago;
use crate::compose;

/// Asks what the token would be, and makes none.
pub fn run(ctx: &Context, request: &TokenRequest) -> Result<(), Failure> {
    let planned = ctx.ask(async |client| client.token_plan(request).await)?;
    if ctx.out.json {
        return ctx.out.document(&planned);
    }
    for line in lines(&planned) {
        ctx.out.line(hqv_model::escape_controls(&line))?;
    }
    for note in &planned.notes {
        ctx.out.say(hqv_model::escape_controls(note));
    }
    ctx.out.say("nothing was made");
    Ok(())
}

fn lines(planned: &TokenPlanned) -> Vec<String> {
    let uses = match (planned.max_uses, planned.reserve) {
        (None, _) => "no limit of its own".to_owned(),
        (Some(max), None) => max.to_string(),
        (Some(max), Some(reserve)) => format!("{max}, {reserve} of them set aside"),
    };
    let mut lines = vec![
        format!("token        {}", planned.ancestry),
        format!("ends         {}", ago(&planned.expires_at, compose::now())),
        format!("uses         {uses}"),
    ];
    lines.extend(planned.scope.iter().map(|rule| format!("may          {rule}")));
    lines
}
