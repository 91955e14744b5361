//! What the tests of this crate share: seeded randomness, a small vault's keys, single-field changes.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use hqv_crypto::{Keyring, RootKey, VaultKeys};
use hqv_model::{Entropy, Kind, Row, RowId, VaultId};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The same numbers on every run.
pub struct Seeded(ChaCha20Rng);

impl Seeded {
    pub fn new(seed: u64) -> Self {
        Self(ChaCha20Rng::seed_from_u64(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) {
        self.0.fill_bytes(bytes);
    }
}

pub const VAULT: VaultId = VaultId::from_bytes([0x11; 16]);
pub const OTHER_VAULT: VaultId = VaultId::from_bytes([0x12; 16]);

/// A root key, its sealed keyring and the keys at work.
pub struct World {
    pub root: RootKey,
    pub keyring: Row,
    pub keys: VaultKeys,
    pub rng: Seeded,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut rng = Seeded::new(seed);
        let root = RootKey::generate(&mut rng);
        let fresh = Keyring::generate(VAULT, &mut rng).unwrap();
        let keyring = fresh.seal(&root, VAULT, 1, 1, &mut rng);
        Self { root, keyring, keys: VaultKeys::new(VAULT, 1, fresh), rng }
    }

    /// The same keys, taken for another vault's.
    pub fn keys_for(&self, vault: VaultId) -> VaultKeys {
        VaultKeys::new(vault, 1, Keyring::open(&self.keyring, &self.root, VAULT).unwrap())
    }
}

/// Every way to change one field of a row, with its name.
pub fn changed_fields(row: &Row) -> Vec<(&'static str, Row)> {
    let mut all = Vec::new();
    let mut change = |name, change: &dyn Fn(&mut Row)| {
        let mut copy = row.clone();
        change(&mut copy);
        assert!(copy != *row, "{name} was not changed");
        all.push((name, copy));
    };
    for kind in Kind::ALL {
        if *kind != row.header.kind {
            change("kind", &|row| row.header.kind = *kind);
        }
    }
    change("id", &|row| row.header.id = flipped_id(&row.header.id));
    change("id length", &|row| row.header.id = RowId::new(&row.header.id.as_bytes()[1..]).unwrap());
    change("revision up", &|row| row.header.revision += 1);
    change("revision down", &|row| row.header.revision -= 1);
    change("epoch", &|row| row.header.epoch += 1);
    change("term", &|row| row.header.term += 1);
    if row.lookup.is_some() {
        change("lookup", &|row| row.lookup.as_mut().unwrap()[31] ^= 1);
        change("lookup removed", &|row| row.lookup = None);
    } else {
        change("lookup added", &|row| row.lookup = Some([0; 32]));
    }
    change("nonce", &|row| row.nonce[0] ^= 1);
    change("tag", &|row| row.tag[0] ^= 1);
    change("body cut", &|row| row.body = row.body[..row.body.len() - 1].into());
    change("body longer", &|row| row.body = [&row.body[..], &[0]].concat().into());
    all
}

/// Every byte of a row's sealed parts flipped, one at a time.
pub fn flipped_bytes(row: &Row) -> impl Iterator<Item = Row> + '_ {
    let total = 24 + 16 + row.body.len() + row.lookup.map_or(0, |l| l.len()) + row.header.id.as_bytes().len();
    (0..total).map(|at| {
        let mut copy = row.clone();
        let mut id = copy.header.id.as_bytes().to_vec();
        let lookup = copy.lookup.as_mut().map(|l| l.iter_mut()).into_iter().flatten();
        let bytes =
            copy.nonce.iter_mut().chain(copy.tag.iter_mut()).chain(copy.body.iter_mut()).chain(lookup);
        *bytes.chain(id.iter_mut()).nth(at).unwrap() ^= 1 << (at % 8);
        copy.header.id = RowId::new(&id).unwrap();
        copy
    })
}

fn flipped_id(id: &RowId) -> RowId {
    let mut bytes = id.as_bytes().to_vec();
    bytes[0] ^= 1;
    RowId::new(&bytes).unwrap()
}

/// Whether the long tests were asked for.
pub fn long() -> bool {
    std::env::var_os("HQV_LONG").is_some()
}
