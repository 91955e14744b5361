//! `config show`: the vault's own settings.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::operation::{Operation, View};
use crate::settings::Settings;

/// See the module's comment.
pub struct SettingsRead;

impl Operation for SettingsRead {
    type Answer = Settings;
    const KIND: OpKind = OpKind::SettingsRead;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Settings, Error> {
        Ok(view.open.settings(view.staged).clone())
    }
}
