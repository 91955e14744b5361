//! `GET` and `PATCH /v1/settings`: what is sealed or signed in the vault.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::unique;

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingView {
    /// Such as `idle-timeout`.
    pub key: String,
    /// What holds now, as `config set` takes it.
    pub value: String,
    /// What holds where nothing is set.
    pub default: String,
    /// Where the value comes from: `default`, `vault` or `flag`.
    pub source: String,
    /// Whether it makes the vault weaker than its default does.
    #[serde(default)]
    pub weakens: bool,
    /// One sentence.
    #[serde(default)]
    pub description: String,
}

/// All settings, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SettingsAnswer {
    /// Every key that there is.
    pub settings: Vec<SettingView>,
    /// What a change means beyond itself, such as a restart that is needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// Settings to change: key to value, both as text. `null` puts the default back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = BTreeMap<String, Option<String>>)]
pub struct SettingsPatch(#[serde(with = "unique")] pub BTreeMap<String, Option<String>>);
