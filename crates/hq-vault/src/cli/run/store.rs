//! `store`: keep a secret.

use hqv_api::PutRequest;
use hqv_client::Condition;
use hqv_model::Toward;

use crate::cli::args::store::Args;
use crate::cli::context::Context;
use crate::cli::input::{self, Value, Wanted};
use crate::cli::link::Link;
use crate::cli::output::error::Failure;
use crate::compose;

/// Gets the value, then the vault.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    if !args.extra.is_empty() {
        return Err(Failure::usage(
            "a value is never taken from the command line: other processes can read it there",
        )
        .hint(format!("printf %s VALUE | hq-vault store {}, or --file, or be asked", args.path)));
    }
    // Refused before anybody types: a bad moment, bad metadata.
    let expires = moment(args.expires.as_deref())?;
    each_tag_once(&args)?;
    let wanted = Wanted {
        file: args.file.as_deref(),
        generate: args.generate,
        raw: args.raw,
        allow_empty: args.allow_empty,
        prompt: format!("Value for {} (hidden; paste works): ", args.path),
    };
    if wanted.asks() {
        // Nobody types a value that has nowhere to go.
        Link::open(ctx)?.must_be_unlocked()?;
    }
    let value = input::value(&wanted, &mut compose::SystemEntropy::new())?;
    let request = request(&args, &value, expires);
    let condition = if args.create { Condition::Absent } else { Condition::Any };
    let done = ctx.ask(async |client| client.put(args.path.as_str(), &request, condition).await)?;
    tell(ctx, &value);
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    let path = hqv_model::escape_controls(&done.path);
    ctx.out.confirm(format!("✅ Stored: {path} ({} bytes, type: {})", done.bytes, done.metadata.kind))
}

fn each_tag_once(args: &Args) -> Result<(), Failure> {
    let mut seen = std::collections::BTreeSet::new();
    match args.tags.iter().find(|(key, _)| !seen.insert(key)) {
        Some((key, _)) => {
            Err(Failure::usage(format!("the tag {key} was given twice")).hint("a tag has one value"))
        }
        None => Ok(()),
    }
}

fn tell(ctx: &Context, value: &Value) {
    if value.newline_dropped {
        ctx.out.say("the final newline was left out (--raw keeps it)");
    }
    for slip in &value.warnings {
        ctx.out.warn(slip);
    }
}

/// RFC 3339 whatever was typed, so that the moment is that of this clock.
fn moment(text: Option<&str>) -> Result<Option<String>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let moment = hqv_model::parse_moment(text, compose::now(), Toward::Future)
        .map_err(|e| Failure::from(e).context("--expires"))?;
    Ok(Some(moment.to_rfc3339()))
}

fn request(args: &Args, value: &Value, expires: Option<String>) -> PutRequest {
    let mut request = PutRequest::of(value.bytes.reveal());
    request.kind = args.kind.map(|k| k.as_str().to_owned());
    request.description = args.description.clone();
    request.tags = (!args.tags.is_empty()).then(|| args.tags.iter().cloned().collect());
    request.expires = expires.map(Some);
    request.env = args.env.as_ref().map(|e| Some(e.as_str().to_owned()));
    request.route = Some(value.route.as_str().to_owned());
    request
}
