//! The row state: how many rows of each kind there are, and the sum of their MACs.
//!
//! A sum modulo 2^512 of HMAC-SHA-512 values changes with two HMACs when a row changes, needs no order and
//! no reading of values, and cannot be made to fit another set of rows without the key. Bytes:
//! spec/row-state.md.

use hqv_model::{Entropy, Kind, Row, RowId, Timestamp};

use crate::cbor::{CborError, Fields, FieldsWriter, Kept};
use crate::keys::fixed_id;
use crate::{OpenFailed, VaultKeys};

/// Name of the one state row.
const ROW_NAME: &[u8] = b"state";
/// Kinds that are counted: all but the state row itself.
const COUNTED: usize = 7;

const EPOCH: u64 = 1;
const AUDIT_SEQUENCE: u64 = 2;
const AUDIT_HEAD: u64 = 3;
const VAULT_TIME: u64 = 4;
const TALLIES: u64 = 5;
const KNOWN: &[u64] = &[EPOCH, AUDIT_SEQUENCE, AUDIT_HEAD, VAULT_TIME, TALLIES];

/// Count and sum of the rows of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    count: u64,
    sum: [u64; 8], // least significant limb first
}

impl Tally {
    /// How many rows.
    pub fn count(&self) -> u64 {
        self.count
    }

    fn add(&mut self, mac: &[u8; 64]) {
        self.count = self.count.wrapping_add(1);
        let mut carry = 0u128;
        for (limb, other) in self.sum.iter_mut().zip(limbs(mac)) {
            carry += u128::from(*limb) + u128::from(other);
            *limb = carry as u64;
            carry >>= 64;
        }
    }

    fn remove(&mut self, mac: &[u8; 64]) {
        self.count = self.count.wrapping_sub(1);
        let mut borrow = false;
        for (limb, other) in self.sum.iter_mut().zip(limbs(mac)) {
            let (less, first) = limb.overflowing_sub(other);
            let (less, second) = less.overflowing_sub(u64::from(borrow));
            *limb = less;
            borrow = first || second;
        }
    }

    fn merge(&mut self, other: &Tally) {
        // `add` counts one.
        self.count = self.count.wrapping_add(other.count).wrapping_sub(1);
        self.add(&other.bytes());
    }

    fn bytes(&self) -> [u8; 64] {
        let mut out = [0; 64];
        for (chunk, limb) in out.rchunks_exact_mut(8).zip(self.sum) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        out
    }
}

/// The MAC as one big-endian number, least significant limb first.
fn limbs(mac: &[u8; 64]) -> impl Iterator<Item = u64> + '_ {
    mac.rchunks_exact(8).map(|chunk| chunk.iter().fold(0, |limb, byte| (limb << 8) | u64::from(*byte)))
}

/// A tally for each counted kind: what a scan of the shelf adds up, to be compared with the state row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tallies([Tally; COUNTED]);

impl Tallies {
    /// Counts a row in. The state row does not count itself: it is passed over.
    pub fn add(&mut self, kind: Kind, mac: &[u8; 64]) {
        if let Some(tally) = self.of_mut(kind) {
            tally.add(mac);
        }
    }

    /// Takes out a row that was counted in. Taking out one that was not shows at the next comparison.
    pub fn remove(&mut self, kind: Kind, mac: &[u8; 64]) {
        if let Some(tally) = self.of_mut(kind) {
            tally.remove(mac);
        }
    }

    /// Counts in what somebody else counted.
    pub fn merge(&mut self, other: &Tallies) {
        for (tally, more) in self.0.iter_mut().zip(&other.0) {
            tally.merge(more);
        }
    }

    /// The tally of a kind; for the state row always empty.
    pub fn of(&self, kind: Kind) -> Tally {
        self.0.get(usize::from(kind.code()).wrapping_sub(1)).copied().unwrap_or_default()
    }

    fn of_mut(&mut self, kind: Kind) -> Option<&mut Tally> {
        self.0.get_mut(usize::from(kind.code()).wrapping_sub(1))
    }
}

/// The content of the state row.
#[derive(Clone, Default)]
pub struct RowState {
    /// Grows by one with every commit; it is the row's revision, in clear and in the AAD.
    pub sequence: u64,
    /// The vault's epoch.
    pub epoch: u32,
    /// The newest audit record known to be on the disk: its sequence number and chain hash.
    pub audit_head: Option<(u64, [u8; 32])>,
    /// The highest vault time yet.
    pub vault_time: Timestamp,
    /// Counts and sums.
    pub tallies: Tallies,
    /// Fields of a newer version, written back as they were read.
    pub kept: Kept,
}

impl RowState {
    /// The id of the row that holds the state.
    pub fn row_id() -> RowId {
        fixed_id(ROW_NAME)
    }

    /// Counts a row in.
    pub fn add(&mut self, kind: Kind, mac: &[u8; 64]) {
        self.tallies.add(kind, mac);
    }

    /// Takes out a row that was counted in.
    pub fn remove(&mut self, kind: Kind, mac: &[u8; 64]) {
        self.tallies.remove(kind, mac);
    }

    /// Seals the state row; its revision is the sequence.
    pub fn seal(&self, keys: &VaultKeys, rng: &mut dyn Entropy) -> Row {
        let mut body = FieldsWriter::with_capacity(768);
        body.u64(EPOCH, u64::from(self.epoch)).i64(VAULT_TIME, self.vault_time.millis());
        if let Some((sequence, head)) = &self.audit_head {
            body.u64(AUDIT_SEQUENCE, *sequence).bytes(AUDIT_HEAD, head);
        }
        body.items(TALLIES, |list| {
            for tally in &self.tallies.0 {
                list.items(|one| {
                    one.u64(tally.count).bytes(&tally.bytes());
                });
            }
        });
        body.keep(&self.kept);
        keys.seal_row(Kind::State, Self::row_id(), self.sequence, None, &body.finish(), rng)
    }

    /// Opens the state row.
    ///
    /// # Errors
    /// [`OpenFailed`] for a row that was changed, or that is not the state row.
    pub fn open(row: &Row, keys: &VaultKeys) -> Result<Self, OpenFailed> {
        if row.header.kind != Kind::State || row.header.id != Self::row_id() {
            return Err(OpenFailed);
        }
        let body = keys.open_row(row)?;
        Self::decode(body.reveal(), row.header.revision).map_err(|_| OpenFailed)
    }

    fn decode(body: &[u8], sequence: u64) -> Result<Self, CborError> {
        let fields = Fields::parse(body, KNOWN)?;
        let audit_head = match (fields.opt_u64(AUDIT_SEQUENCE)?, fields.opt_array(AUDIT_HEAD)?) {
            (Some(sequence), Some(head)) => Some((sequence, *head)),
            (None, None) => None,
            _ => return Err(CborError::new("half an audit head")),
        };
        let mut tallies = Tallies::default();
        let mut list = fields.items(TALLIES)?;
        for tally in &mut tallies.0 {
            let mut one = list.items()?;
            tally.count = one.u64()?;
            for (limb, value) in tally.sum.iter_mut().zip(limbs(one.array()?)) {
                *limb = value;
            }
            one.end()?;
        }
        list.end()?;
        Ok(Self {
            sequence,
            epoch: fields.u32(EPOCH)?,
            audit_head,
            vault_time: Timestamp::from_millis(fields.i64(VAULT_TIME)?),
            tallies,
            kept: fields.kept(),
        })
    }
}
