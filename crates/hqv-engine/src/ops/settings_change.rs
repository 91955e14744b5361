//! `config set`: all of the changes or none.

use hqv_model::{Actor, Error, Need, OpKind, Verdict, decide};

use crate::operation::{Operation, View};
use crate::settings::Settings;

/// See the module's comment.
pub struct SettingsChange {
    /// Keys with their new values, as text.
    pub changes: Vec<(String, String)>,
}

/// A mirror that would take no line is refused now, not found out later.
fn usable(next: &Settings, vault: &std::path::Path) -> Result<(), Error> {
    let Some(target) = &next.audit_mirror else {
        return Ok(());
    };
    target.check(vault).map_err(|why| {
        Error::bad_request(format!("{target} cannot be the mirror: {why}"))
            .hint("name a file of your own, mode 0600, in a folder outside the vault directory")
    })
}

impl Operation for SettingsChange {
    type Answer = Settings;
    const KIND: OpKind = OpKind::SettingsChange;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        decide(actor, &Need::OwnerOnly)
    }

    fn perform(self, view: &mut View<'_>) -> Result<Settings, Error> {
        if self.changes.is_empty() {
            return Err(Error::bad_request("no setting was named").hint("hq-vault config show lists them"));
        }
        let mut next = view.open.settings(view.staged).clone();
        let mut said = Vec::new();
        for (key, value) in &self.changes {
            next.set(key, value)?;
            if key == "audit.mirror" {
                usable(&next, view.log_dir)?;
            }
            said.push(format!("{key} = {}", hqv_model::escape_controls(value)));
        }
        view.detail = Some(said.join("; "));
        view.open.stage_settings(next.clone(), view.rng);
        Ok(next)
    }
}
