//! `GET` and `PATCH /v1/settings`.

use hqv_api::{SettingView, SettingsAnswer, SettingsPatch};
use hqv_engine::Settings;
use hqv_engine::ops::settings_change::SettingsChange;
use hqv_engine::ops::settings_read::SettingsRead;
use hqv_model::Error;

use crate::answer::ok;
use crate::ask::{Ask, Carried};
use crate::errors::Answer;
use crate::guard::size;

/// What each key means. A test holds this list and the engine's to the same keys.
const MEANINGS: &[(&str, &str)] = &[
    ("idle-timeout", "Minutes without use until the vault locks itself; 0 never."),
    ("session-timeout", "Minutes that an idle session of the owner lives."),
    ("token.ttl", "How long a token lives that names no time."),
    ("token.scope", "What a token may that names no scope."),
    ("bind", "Addresses to listen on besides loopback."),
    ("hostnames", "Host names that the server answers to besides the local ones."),
    ("audit.sync", "Every answer waits until its record is on the disk."),
    (
        "audit.rotate-size",
        "The size at which a file of the record is set aside, such as 64M; never for none.",
    ),
    ("audit.rotate-age", "The age at which a file of the record is set aside, such as 7d; never for none."),
    ("audit.retain", "What of the record is kept: forever, a time such as 90d, or a number such as 20files."),
    ("audit.mirror", "Where each record goes in plain too: file:/path, stdout or syslog; empty for none."),
    ("entry.require", "How an asked-for value may come in: any way, or the owner's hq-vault answer alone."),
    ("notify.command", "A program that is started with the code of what waits for a person; empty for none."),
    ("remote-admin", "Unlock and sessions are served over TCP too."),
];

/// Keys whose change shows only after a restart, and what to say then.
const AFTER_RESTART: &[&str] = &["bind"];

/// All settings; the owner's alone.
#[utoipa::path(
    get, path = "/v1/settings", operation_id = "settingsRead", tag = "settings",
    responses(
        (status = 200, description = "Every setting.", body = SettingsAnswer),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn settings_read(ask: Ask) -> Answer {
    ask.no_query()?;
    let settings = ask.shared.engine.run(ask.caller, SettingsRead).await?;
    Ok(ok(&SettingsAnswer { settings: views(&settings)?, notes: Vec::new() }))
}

/// Changes settings, all or none; the owner's alone. `null` puts a default back.
#[utoipa::path(
    patch, path = "/v1/settings", operation_id = "settingsChange", tag = "settings",
    request_body = SettingsPatch,
    responses(
        (status = 200, description = "Every setting as it is now.", body = SettingsAnswer),
        crate::openapi::Refused, crate::openapi::RefusedBody,
    )
)]
pub async fn settings_change(ask: Ask, carried: Carried) -> Answer {
    ask.no_query()?;
    let body = carried.read(&ask, size::SMALL).await?;
    let SettingsPatch(patch) = size::parse(&body)?;
    let defaults = Settings::initial()?.pairs();
    let default =
        |key: &str| defaults.iter().find(|(k, _)| *k == key).map(|(_, v)| v.clone()).unwrap_or_default();
    let changes: Vec<(String, String)> =
        patch.into_iter().map(|(key, value)| (key.clone(), value.unwrap_or_else(|| default(&key)))).collect();
    let waiting = changes.iter().filter(|(key, _)| AFTER_RESTART.contains(&key.as_str()));
    let notes = waiting.map(|(key, _)| format!("{key} holds after hq-vault serve --restart")).collect();
    let settings = ask.shared.engine.run(ask.caller, SettingsChange { changes }).await?;
    ask.shared.house.set_hostnames(&settings.hostnames);
    Ok(ok(&SettingsAnswer { settings: views(&settings)?, notes }))
}

fn views(settings: &Settings) -> Result<Vec<SettingView>, Error> {
    let defaults = Settings::initial()?;
    let mut views = Vec::new();
    for ((key, value), (_, default)) in settings.pairs().into_iter().zip(defaults.pairs()) {
        let mut alone = defaults.clone();
        alone.set(key, &value)?;
        views.push(SettingView {
            key: key.to_owned(),
            source: if value == default { "default" } else { "vault" }.to_owned(),
            weakens: !alone.weakenings().is_empty(),
            description: MEANINGS.iter().find(|(k, _)| *k == key).map_or("", |(_, m)| m).to_owned(),
            value,
            default,
        });
    }
    views.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(views)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_setting_has_its_meaning_and_no_other() {
        let settings = Settings::initial().unwrap();
        let mut keys: Vec<&str> = settings.pairs().iter().map(|(k, _)| *k).collect();
        let mut said: Vec<&str> = MEANINGS.iter().map(|(k, _)| *k).collect();
        keys.sort_unstable();
        said.sort_unstable();
        assert_eq!(keys, said);
    }

    #[test]
    fn what_weakens_is_marked_alone() {
        let mut settings = Settings::initial().unwrap();
        settings.set("idle-timeout", "0").unwrap();
        settings.set("audit.sync", "true").unwrap();
        let views = views(&settings).unwrap();
        let weak: Vec<&str> = views.iter().filter(|v| v.weakens).map(|v| v.key.as_str()).collect();
        assert_eq!(weak, ["idle-timeout"]);
        assert_eq!(views.iter().filter(|v| v.source == "vault").count(), 2);
    }
}
