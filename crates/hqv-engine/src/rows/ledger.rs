//! The body of a ledger's row, and of the one row that says up to where the ledger is complete.

use hqv_crypto::VaultKeys;
use hqv_crypto::cbor::{Fields, FieldsWriter, Items};
use hqv_model::{Entropy, Error, Kind, MAX_DEPTH, Row, RowId, SecretId, Timestamp, TokenId};
use std::sync::Arc;
use zeroize::Zeroizing;

use super::malformed;
use crate::ledger::entry::{Access, Channels, Entry, Who, WhoKind};

const WHO: u64 = 1;
const ID: u64 = 2;
const NAME: u64 = 3;
const ANCESTORS: u64 = 4;
const SECRET: u64 = 5;
const VERSION: u64 = 6;
const ACCESS: u64 = 7;
const PATH: u64 = 8;
const FIRST: u64 = 9;
const LAST: u64 = 10;
const CHANNELS: u64 = 11;
const CLAIMS: u64 = 12;
const KNOWN: [u64; 12] =
    [WHO, ID, NAME, ANCESTORS, SECRET, VERSION, ACCESS, PATH, FIRST, LAST, CHANNELS, CLAIMS];

/// The id of the row that notes how far the ledger goes.
const NOTED: &[u8] = b"noted";
const SEQUENCE: u64 = 1;

/// The id of the row that notes how far the ledger goes.
pub fn noted_id() -> Result<RowId, Error> {
    RowId::new(NOTED).ok_or_else(|| malformed("an id without bytes"))
}

/// Whether a row is that one.
pub fn is_noted(id: &RowId) -> bool {
    id.as_bytes() == NOTED
}

/// Seals the note: every line of the record up to `sequence` is in the ledger.
pub fn seal_noted(
    keys: &VaultKeys,
    sequence: u64,
    revision: u64,
    rng: &mut dyn Entropy,
) -> Result<Row, Error> {
    let mut w = FieldsWriter::new();
    w.u64(SEQUENCE, sequence);
    Ok(keys.seal_row(Kind::Ledger, noted_id()?, revision, None, &w.finish(), rng))
}

/// Reads the note.
pub fn open_noted(keys: &VaultKeys, row: &Row) -> Result<u64, Error> {
    let plain = keys.open_row(row).map_err(|_| malformed("the ledger's note does not open"))?;
    Ok(Fields::parse(plain.reveal(), &[SEQUENCE])?.u64(SEQUENCE)?)
}

/// The id of an entry's row: keyed, so that nobody without the keys learns who had what, or that two rows
/// are about one secret.
pub fn row_id(keys: &VaultKeys, entry: &Entry) -> RowId {
    let mut about = Zeroizing::new(Vec::with_capacity(42));
    about.push(entry.who.kind as u8);
    about.extend_from_slice(&entry.who.id);
    about.extend_from_slice(&entry.secret.bytes());
    about.extend_from_slice(&entry.version.to_be_bytes());
    about.push(entry.access as u8);
    keys.ledger_id(&about)
}

/// Seals an entry's row.
pub fn seal(keys: &VaultKeys, id: RowId, entry: &Entry, revision: u64, rng: &mut dyn Entropy) -> Row {
    keys.seal_row(Kind::Ledger, id, revision, None, &encode(entry), rng)
}

/// Opens an entry's row.
pub fn open(keys: &VaultKeys, row: &Row) -> Result<Entry, Error> {
    let plain = keys.open_row(row).map_err(|_| malformed("a row of the ledger does not open"))?;
    decode(plain.reveal())
}

fn encode(entry: &Entry) -> Zeroizing<Vec<u8>> {
    let who = &entry.who;
    let mut w = FieldsWriter::with_capacity(192);
    w.u64(WHO, who.kind as u64).bytes(ID, &who.id);
    if !who.name.is_empty() {
        w.text(NAME, &who.name);
    }
    if !who.ancestors.is_empty() {
        w.items(ANCESTORS, |list| {
            for id in &who.ancestors {
                list.bytes(&id.bytes());
            }
        });
    }
    w.bytes(SECRET, &entry.secret.bytes()).u64(VERSION, entry.version).u64(ACCESS, entry.access as u64);
    w.text(PATH, &entry.path).i64(FIRST, entry.first.millis()).i64(LAST, entry.last.millis());
    w.items(CHANNELS, |list| {
        for word in entry.channels.words() {
            list.text(word);
        }
    });
    if !entry.claims.is_empty() {
        w.items(CLAIMS, |list| {
            for claim in &entry.claims {
                list.text(claim);
            }
        });
    }
    w.finish()
}

fn decode(bytes: &[u8]) -> Result<Entry, Error> {
    let f = Fields::parse(bytes, &KNOWN)?;
    let kind = WhoKind::from_code(f.u64(WHO)?).ok_or_else(|| malformed("an identity is of no known sort"))?;
    let who = Who {
        kind,
        id: *f.array::<16>(ID)?,
        name: f.opt_text(NAME)?.unwrap_or_default().into(),
        ancestors: ancestors(f.opt_items(ANCESTORS)?)?,
    };
    let mut entry = Entry {
        who: Arc::new(who),
        secret: SecretId::from_bytes(*f.array::<16>(SECRET)?),
        path: f.text(PATH)?.into(),
        version: f.u64(VERSION)?,
        access: Access::from_code(f.u64(ACCESS)?).ok_or_else(|| malformed("an access of no known kind"))?,
        first: Timestamp::from_millis(f.i64(FIRST)?),
        last: Timestamp::from_millis(f.i64(LAST)?),
        channels: Channels::default(),
        claims: Vec::new(),
    };
    let mut channels = f.items(CHANNELS)?;
    while !channels.is_empty() {
        entry.channels.add(Channels::of(channels.text()?));
    }
    if let Some(mut claims) = f.opt_items(CLAIMS)? {
        while !claims.is_empty() {
            entry.claim(claims.text()?);
        }
    }
    Ok(entry)
}

fn ancestors(items: Option<Items<'_>>) -> Result<Box<[TokenId]>, Error> {
    let Some(mut items) = items else {
        return Ok(Box::default());
    };
    if items.left() > MAX_DEPTH as u64 {
        return Err(malformed("an identity has too many ancestors"));
    }
    let mut all = Vec::new();
    while !items.is_empty() {
        all.push(TokenId::from_bytes(*items.array::<16>()?));
    }
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use proptest::prelude::*;

    fn entries() -> impl Strategy<Value = Entry> {
        let who =
            (1u64..5, any::<[u8; 16]>(), "[a-z/]{0,20}", prop::collection::vec(any::<[u8; 16]>(), 0..4));
        let what = (any::<[u8; 16]>(), any::<u64>(), 1u64..4, "[a-z/]{1,30}", any::<i32>(), any::<u16>());
        let how = (prop::collection::vec(0usize..9, 0..4), prop::collection::vec("[a-zé]{1,40}", 0..4));
        (who, what, how).prop_map(|(who, what, how)| {
            let mut entry = Entry {
                who: Arc::new(Who {
                    kind: WhoKind::from_code(who.0).unwrap(),
                    id: who.1,
                    name: who.2.into(),
                    ancestors: who.3.into_iter().map(TokenId::from_bytes).collect(),
                }),
                secret: SecretId::from_bytes(what.0),
                version: what.1,
                access: Access::from_code(what.2).unwrap(),
                path: what.3.into(),
                first: Timestamp::from_millis(what.4.into()),
                last: Timestamp::from_millis(i64::from(what.4) + i64::from(what.5)),
                channels: Channels::default(),
                claims: Vec::new(),
            };
            let words = ["get", "batch", "put", "copy", "move", "import", "entry-store", "broker", "new"];
            how.0.iter().for_each(|at| entry.channels.add(Channels::of(words[*at])));
            how.1.iter().for_each(|claim| entry.claim(claim));
            entry
        })
    }

    proptest! {
        #[test]
        fn an_entry_reads_back(entry in entries()) {
            prop_assert_eq!(decode(&encode(&entry)).unwrap(), entry);
        }

        #[test]
        fn a_cut_body_is_damage(entry in entries(), at in any::<prop::sample::Index>()) {
            let whole = encode(&entry);
            prop_assert!(decode(&whole[..at.index(whole.len())]).is_err());
        }
    }
}
