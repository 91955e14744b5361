//! `adopt`: at unlock the audit identity takes over.

use hqv_crypto::AuditIdentity;
use hqv_model::Timestamp;

use crate::{
    AuditError,
    adoption::{self, Adopted},
    certificate::Root,
    header::Why,
    keys::SigningKey,
    segment::Segment,
};

use super::{Log, UnlockKey};

/// What an unlock took over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AdoptReport {
    /// Segments that nobody had certified, those of this process included.
    pub segments: u64,
    /// Those among them that were on the disk before this process started. They cannot be told from
    /// lines that another program wrote.
    pub earlier: u64,
    /// What the owner should be shown.
    pub findings: Vec<String>,
}

impl Log {
    /// Adopts what is not certified, the open segment included, and begins one that is. The identity is
    /// used and not kept.
    ///
    /// # Errors
    /// [`AuditError::WrongIdentity`] when the log was opened with other public keys: then the records of the
    /// locked daemon were sealed for somebody else. Otherwise nothing was written, and nothing is adopted.
    pub fn adopt(
        &mut self,
        id: &AuditIdentity,
        now: Timestamp,
        state_seq: u64,
    ) -> Result<AdoptReport, AuditError> {
        if id.public() != self.cfg.public {
            return Err(AuditError::WrongIdentity);
        }
        self.look_now(now, state_seq)?;
        self.begin(state_seq)?;
        self.stage_close(now)?;
        let mut adopts = self.unadopted.clone();
        adopts.extend(self.adoptable(self.staging.chain()));
        let (scope, state) = (self.scope, self.state);
        for some in adopts.chunks(adoption::MAX_ADOPTED) {
            self.staging.anchor(|before, out| {
                adoption::write(scope, before, state, now, some, |m| id.sign(m), out)
            })?;
        }
        let unlock = self.unlock_key(id);
        let mut next = self.certified_segment(&unlock)?;
        next.stage_header(self.state, now, &mut self.staging)?;
        self.commit()?;
        next.begun = Some(self.written.seq);
        self.segment = next;
        self.unlock = Some(unlock);
        self.unadopted.clear();
        Ok(report(&adopts))
    }

    fn unlock_key(&mut self, id: &AuditIdentity) -> UnlockKey {
        let key = SigningKey::generate(&mut *self.rng);
        let from = self.staging.chain().seq.saturating_add(1);
        let chain = vec![self.scope.link(key.public(), from, |m| id.sign(m))];
        UnlockKey { key, chain }
    }

    fn certified_segment(&mut self, unlock: &UnlockKey) -> Result<Segment, AuditError> {
        let (scope, from) = (self.scope, self.staging.chain().seq.saturating_add(1));
        Segment::new(Why::Unlock, scope, &self.cfg.public, &mut *self.rng, |key| {
            (Root::Audit, unlock.certify(scope, key, from))
        })
    }
}

fn report(adopts: &[Adopted]) -> AdoptReport {
    let earlier: Vec<&Adopted> = adopts.iter().filter(|a| !a.own).collect();
    let findings = earlier
        .iter()
        .map(|a| {
            format!(
                "lines {} to {} of the record were written by a daemon that nobody had unlocked; they cannot be proven",
                a.from, a.to
            )
        })
        .collect();
    AdoptReport { segments: adopts.len() as u64, earlier: earlier.len() as u64, findings }
}
