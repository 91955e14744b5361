//! `config show` and `set`.

use std::collections::BTreeMap;

use hqv_api::SettingsPatch;

use crate::cli::args::config::{Set, Verb};
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::settings::DEFAULT_PORT;

/// Runs the verb.
pub fn run(ctx: &Context, verb: Verb) -> Result<(), Failure> {
    match verb {
        Verb::Show(_) => show(ctx),
        Verb::Set(args) => set(ctx, &args),
    }
}

/// The vault's settings, then the file's.
fn show(ctx: &Context) -> Result<(), Failure> {
    let found = ctx.ask(async |client| client.settings_read().await)?;
    if ctx.out.json {
        return ctx.out.document(&serde_json::json!({ "settings": found.settings, "file": file_lines(ctx) }));
    }
    let mut table = Table::new().left("KEY").left("VALUE").left("FROM").yielding("MEANS");
    for setting in &found.settings {
        let tone = if setting.weakens { Tone::Soon } else { Tone::Plain };
        table.row([
            (setting.key.as_str(), Tone::Plain),
            (setting.value.as_str(), tone),
            (setting.source.as_str(), Tone::Dim),
            (setting.description.as_str(), Tone::Plain),
        ]);
    }
    for (key, (value, source)) in &file_lines(ctx) {
        table.row([
            (*key, Tone::Plain),
            (value.as_str(), Tone::Plain),
            (source, Tone::Dim),
            ("", Tone::Plain),
        ]);
    }
    table.print(&ctx.out)
}

fn file_lines(ctx: &Context) -> BTreeMap<&'static str, (String, &'static str)> {
    let file = &ctx.settings.file;
    let from = |given: Option<String>, default: String| match given {
        Some(value) => (value, "config.toml"),
        None => (default, "default"),
    };
    BTreeMap::from([
        ("port", from(file.port.map(|p| p.to_string()), DEFAULT_PORT.to_string())),
        ("autostart", from(file.autostart.map(|b| b.to_string()), "true".to_owned())),
        ("color", from(file.color.map(|b| b.to_string()), "true".to_owned())),
        ("threads", from(file.threads.map(|n| n.to_string()), "1".to_owned())),
    ])
}

fn set(ctx: &Context, args: &Set) -> Result<(), Failure> {
    if matches!(args.key.as_str(), "port" | "autostart" | "color" | "threads") {
        let path = crate::settings::paths::shown(&ctx.settings.dir.config());
        return Err(Failure::usage(format!("{} is set in {path}", args.key))
            .hint(format!("write there: {} = {}", args.key, args.value)));
    }
    let patch = SettingsPatch(BTreeMap::from([(args.key.clone(), Some(args.value.clone()))]));
    let done = ctx.ask(async |client| client.settings_change(&patch).await)?;
    for note in &done.notes {
        ctx.out.say(hqv_model::escape_controls(note));
    }
    if ctx.out.json {
        return ctx.out.document(&done);
    }
    let now =
        done.settings.iter().find(|s| s.key == args.key).map(|s| s.value.as_str()).unwrap_or(&args.value);
    ctx.out.confirm(format!("{} is now {}", args.key, hqv_model::escape_controls(now)))
}
