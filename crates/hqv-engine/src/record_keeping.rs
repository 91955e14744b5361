//! The record's rules put to work: rotation, mirror, retention. The ticker calls, at most a second after a change.

use hqv_audit::mirror::{Health, Mirror};
use hqv_audit::{Retain, plan};
use hqv_model::{Error, OpKind, Outcome};

use crate::core::{Core, Phase};
use crate::engine::Engine;

impl Engine {
    /// The mirror's file is opened anew before its next line: for SIGHUP.
    pub fn reopen_mirror(&self) {
        if let Some(mirror) = self.shared.core().log.as_ref().and_then(|log| log.mirror()) {
            mirror.reopen();
        }
    }

    /// Drops the files that the owner does not keep: statement, sync, removal. Nothing of it while locked, and no line
    /// that the ledger has not taken.
    pub(crate) fn keep_record(&self) -> Result<(), Error> {
        let (public, retain, now, upto) = {
            let mut core = self.shared.core();
            let now = core.now();
            let Phase::Open(open) = &core.phase else {
                return Ok(());
            };
            let public = open.keys.audit_identity().public();
            (public, open.settings.audit_retain, now, open.ledger.noted())
        };
        if retain == Retain::All {
            return Ok(());
        }
        let dir = self.shared.places.log_dir.clone();
        let Some(going) = plan(&dir, &public, retain, now, upto)? else {
            return Ok(());
        };
        {
            let mut core = self.shared.core();
            let state_seq = core.state_seq;
            // Locked meanwhile: what the plan rests on holds no longer.
            let Core { phase: Phase::Open(_), log: Some(log), .. } = &mut *core else {
                return Ok(());
            };
            if !log.retire(&going, now, state_seq)? {
                return Ok(());
            }
            let detail = format!("{} files up to line {} went by audit.retain", going.files(), going.to());
            core.record_own(OpKind::AuditRetire, Outcome::Ok, Some(detail))?;
        }
        self.shared.sync_record(true)?;
        going
            .remove(&dir)
            .map_err(|e| Error::unavailable("old files of the record could not be removed").cause(e))
    }
}

impl Core {
    /// Rotation and mirror as the settings say.
    pub(crate) fn apply_record_rules(&mut self) {
        let settings = match &self.phase {
            Phase::Open(open) => &open.settings,
            _ => &self.locked_settings,
        };
        let Some(log) = &mut self.log else { return };
        log.set_rotation(settings.audit_rotate);
        if log.mirror().map(|mirror| mirror.target()) == settings.audit_mirror.as_ref() {
            return;
        }
        match settings.audit_mirror.clone().map(Mirror::start).transpose() {
            Ok(mirror) => log.set_mirror(mirror),
            Err(_) => self.note("the mirror of the record could not be started".into()),
        }
    }

    /// How the mirror does; none where there is none.
    pub(crate) fn mirror_health(&self) -> Option<Health> {
        Some(self.log.as_ref()?.mirror()?.health())
    }

    /// What `status` says of a mirror that fails.
    pub(crate) fn mirror_warnings(&self) -> Vec<String> {
        let Some(Health { lost, trouble }) = self.mirror_health() else {
            return Vec::new();
        };
        let mut all = Vec::new();
        if let Some(why) = trouble {
            all.push(format!("the mirror of the record cannot be written to: {why} (audit.mirror)"));
        }
        if lost > 0 {
            all.push(format!("{lost} records are not in the mirror of the record; audit has them"));
        }
        all
    }
}
