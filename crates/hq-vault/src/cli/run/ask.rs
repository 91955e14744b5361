//! `ask`: ask a person for a token, and wait.

use std::time::Duration;

use hqv_api::{AskAnswer, AskRequest, AskState, JsonBody};
use hqv_client::{Client, ClientError};
use hqv_model::{Code, SecretText, escape_controls};
use hqv_sys::signal::Held;

use crate::cli::args::ask::Args;
use crate::cli::context::Context;
use crate::cli::link::Link;
use crate::cli::output::error::{Failure, Kind};
use crate::cli::run::ingest::deadline;
use crate::entry::waiting::{Cut, GRACE, Wait};
use crate::entry::watch::{POLL, crowded};
use crate::entry::{asker, notify};

/// Opens or joins the ask, waits for the decision, and collects the token.
pub fn run(ctx: &Context, args: &Args) -> Result<(), Failure> {
    let deadline = deadline(args.timeout);
    let link = Link::open(ctx)?.until(deadline);
    let request = request(args);
    let (acting, ask) = ctx.ask_without_asking(&link, async |client| client.ask_create(&request).await)?;
    let credential = acting.as_ref().map(|acting| acting.credential());
    let AskAnswer { id, code, claim, joined, .. } = ask;
    let held = Held::hold();
    ctx.out.say("a person has to approve this");
    ctx.out.say(format!("tell them to run, in a terminal of theirs: hq-vault approve {code}"));
    ctx.out.say("this waits; the same command run again goes on waiting, and then prints the token");
    if !joined {
        notify::person(&ctx.settings.env, &notify::Wanted::Decision(&code));
    }
    let wait = Wait { link: &link, credential, held: &held, deadline, grace: Duration::ZERO };
    match waited(&wait, &id)? {
        Waited::State(state) if state == "approved" => collect(ctx, &wait, &id, &code, &claim.into_text()),
        waited => Err(not_granted(ctx, &code, waited)),
    }
}

fn request(args: &Args) -> AskRequest {
    let words = |text: &String| text.split(',').map(|word| word.trim().to_owned()).collect();
    AskRequest {
        paths: Some(args.paths.clone()),
        can: args.can.as_ref().map(words),
        allow: None,
        ttl: args.ttl.map(|ttl| hqv_model::format_duration(ttl.as_millis())),
        max_uses: args.max_uses.map(|uses| uses.get()),
        reason: args.reason.clone(),
        name: args.name.as_ref().map(|name| name.as_str().to_owned()),
        program: asker::program(),
        directory: asker::directory(),
    }
}

enum Waited {
    State(String),
    Late,
    Signal(i32),
    Lost,
}

fn waited(wait: &Wait<'_>, id: &str) -> Result<Waited, Failure> {
    match wait.of(async |client: &mut Client| decided(client, id).await) {
        Ok(Ok(state)) => Ok(Waited::State(state)),
        Ok(Err(Cut::Late)) => Ok(Waited::Late),
        Ok(Err(Cut::Signal(signal))) => Ok(Waited::Signal(signal)),
        Err(failure) if failure.kind() == Kind::Unreachable || failure.is(Code::NotFound) => Ok(Waited::Lost),
        Err(failure) => Err(failure),
    }
}

async fn decided(client: &mut Client, id: &str) -> Result<String, ClientError> {
    loop {
        match client.ask_state(id, POLL).await {
            Ok(AskState { state, .. }) if state != "waiting" => return Ok(state),
            Ok(_) => {}
            Err(error) => crowded(error).await?,
        }
    }
}

/// The token, once, to stdout.
fn collect(ctx: &Context, wait: &Wait<'_>, id: &str, code: &str, claim: &SecretText) -> Result<(), Failure> {
    // It cannot be collected again.
    ctx.out.must_be_open()?;
    let wait = Wait { deadline: None, grace: GRACE, ..*wait };
    let made = match wait.of(async |client| client.ask_collect(id, claim).await) {
        Ok(Ok(made)) => made,
        Ok(Err(Cut::Signal(signal))) => return Err(not_granted(ctx, code, Waited::Signal(signal))),
        Ok(Err(Cut::Late)) => return Err(not_granted(ctx, code, Waited::Late)),
        // A newer run's claim made ours worthless.
        Err(failure) if failure.is(Code::Forbidden) => {
            return Err(not_granted(ctx, code, Waited::State("collected".to_owned())));
        }
        Err(failure) => return Err(failure),
    };
    let lost = |failure: Failure| {
        failure.hint(format!(
            "the token is lost: hq-vault token revoke {}",
            escape_controls(&made.metadata.ancestry)
        ))
    };
    if ctx.out.json {
        return ctx.out.bytes(JsonBody::of(&made).as_ref()).and_then(|()| ctx.out.line("")).map_err(lost);
    }
    ctx.out.say(format!("✅ Token created: {}", escape_controls(&made.metadata.ancestry)));
    for rule in &made.metadata.scope {
        ctx.out.say(format!("may {}", escape_controls(rule)));
    }
    for note in &made.notes {
        ctx.out.say(escape_controls(note));
    }
    ctx.out.bytes(made.token.reveal().as_bytes()).and_then(|()| ctx.out.line("")).map_err(lost)
}

fn not_granted(ctx: &Context, code: &str, waited: Waited) -> Failure {
    let again = format!("tell the person: hq-vault approve {code}; then run the same command again");
    match waited {
        Waited::State(state) if state == "denied" => {
            Failure::refused("the person denied it").hint("ask them why before you ask again")
        }
        Waited::State(state) if state == "collected" => {
            Failure::refused("the token went to another run of this command")
                .hint("it is shown once; ask again where it is lost")
        }
        Waited::State(_) => Failure::refused("nobody decided in time")
            .hint("run the same command again when somebody is there"),
        Waited::Lost => Failure::refused("the daemon has stopped, and the ask ended with it")
            .hint("run the same command again for a new one"),
        Waited::Late => Failure::waiting("nobody has decided yet").hint(again),
        Waited::Signal(signal) => {
            ctx.out.say(format!("left open: hq-vault approve {code}, or hq-vault deny {code}"));
            let _ = hqv_sys::signal::die_of(signal);
            Failure::waiting("interrupted; the ask is still open").hint(again)
        }
    }
}
