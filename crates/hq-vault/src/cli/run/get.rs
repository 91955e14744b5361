//! `get`: a value on stdout, byte for byte.

use hqv_api::{GetAnswer, JsonBody, WireSecret};
use hqv_client::Secret;
use hqv_engine::transfer::{self, Entry};
use hqv_model::{EnvName, SecretBytes, SecretPath};

use crate::cli::args::get::Args;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::run::env_file::write_private;
use crate::cli::run::suggest;

/// `get PATH` and nothing else.
pub fn plain(ctx: &Context, path: &SecretPath) -> Result<(), Failure> {
    let secret = fetch(ctx, path, None)?;
    to_stdout(ctx, secret.value.reveal())
}

/// `get` with its options.
pub fn run(ctx: &Context, args: Args) -> Result<(), Failure> {
    if args.env.is_some() && ctx.out.json {
        return Err(Failure::usage("--env writes for a shell, --json for a program").hint("give one of them"));
    }
    let secret = fetch(ctx, &args.path, args.version)?;
    if let Some(name) = &args.env {
        return ctx.out.bytes(assignment(name, &args.path, secret)?.reveal());
    }
    if let Some(file) = &args.output {
        return write_private(ctx, file, secret.value.reveal());
    }
    if ctx.out.json {
        let body = document(&secret);
        ctx.out.bytes(body.as_ref())?;
        return ctx.out.bytes(b"\n");
    }
    to_stdout(ctx, secret.value.reveal())
}

fn fetch(ctx: &Context, path: &SecretPath, version: Option<u64>) -> Result<Secret, Failure> {
    let got = match version {
        None => ctx.get(path),
        Some(_) => ctx.ask(async |client| client.get(path.as_str(), version).await),
    };
    got.map_err(|failure| match version {
        Some(_) if failure.is(hqv_model::Code::NotFound) => {
            failure.hint(format!("hq-vault show {path} lists its versions"))
        }
        _ => suggest::near(ctx, path, failure),
    })
}

fn to_stdout(ctx: &Context, value: &[u8]) -> Result<(), Failure> {
    ctx.out.bytes(value)?;
    if ctx.out.to_terminal() && value.last() != Some(&b'\n') {
        ctx.out.bytes(b"\n")?;
    }
    Ok(())
}

fn assignment(name: &EnvName, path: &SecretPath, secret: Secret) -> Result<SecretBytes, Failure> {
    let entry = Entry { name: name.clone(), path: path.clone(), value: secret.value };
    Ok(transfer::render(transfer::Format::Export, &[entry])?)
}

fn document(secret: &Secret) -> JsonBody {
    let (value, encoding) = WireSecret::carry(secret.value.reveal());
    JsonBody::of(&GetAnswer {
        path: secret.path.clone(),
        value,
        encoding,
        metadata: secret.metadata.clone(),
        version: secret.version,
        created_at: secret.created_at.clone(),
        updated_at: secret.updated_at.clone(),
    })
}
