//! The body of a secret's row: path, metadata, times, newest version.

use hqv_crypto::cbor::{Fields, FieldsWriter, Kept};
use hqv_model::{EnvName, Error, SecretMeta, SecretPath, SecretType, Timestamp};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

use super::malformed;

const PATH: u64 = 1;
const TYPE: u64 = 2;
const DESCRIPTION: u64 = 3;
const TAGS: u64 = 4;
const CREATED: u64 = 5;
const UPDATED: u64 = 6;
const NEWEST: u64 = 7;
const ENV: u64 = 8;
const EXPIRES: u64 = 9;
const DELETED: u64 = 10;
const EXPOSED: u64 = 12;
const KNOWN: [u64; 11] =
    [PATH, TYPE, DESCRIPTION, TAGS, CREATED, UPDATED, NEWEST, ENV, EXPIRES, DELETED, EXPOSED];

/// See the module's comment.
pub struct SecretBody {
    /// The path: compared with the path asked for whenever the row is opened.
    pub path: SecretPath,
    /// Type, description, tags, expiry, `env` name.
    pub meta: SecretMeta,
    /// When the secret came to be, or came back after a deletion.
    pub created: Timestamp,
    /// When its newest version was written.
    pub updated: Timestamp,
    /// The number of the newest version.
    pub newest: u64,
    /// When it was deleted; its versions are kept for a while.
    pub deleted: Option<Timestamp>,
    /// Since when its newest version counts as known to a family that was burnt.
    pub exposed: Option<Timestamp>,
    /// Fields of a newer program.
    pub kept: Kept,
}

impl SecretBody {
    /// The canonical bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = FieldsWriter::new();
        w.text(PATH, self.path.as_str()).u64(TYPE, self.meta.kind.code().into());
        if !self.meta.description.is_empty() {
            w.text(DESCRIPTION, &self.meta.description);
        }
        if !self.meta.tags.is_empty() {
            w.items(TAGS, |list| {
                for (key, value) in &self.meta.tags {
                    list.text(key).text(value);
                }
            });
        }
        w.i64(CREATED, self.created.millis()).i64(UPDATED, self.updated.millis()).u64(NEWEST, self.newest);
        if let Some(env) = &self.meta.env {
            w.text(ENV, env.as_str());
        }
        if let Some(t) = self.meta.expires {
            w.i64(EXPIRES, t.millis());
        }
        if let Some(t) = self.deleted {
            w.i64(DELETED, t.millis());
        }
        if let Some(t) = self.exposed {
            w.i64(EXPOSED, t.millis());
        }
        w.keep(&self.kept);
        w.finish()
    }

    /// Reads a body; anything unknown below 128 or out of form is damage.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let f = Fields::parse(bytes, &KNOWN)?;
        let kind = u8::try_from(f.u64(TYPE)?).ok().and_then(SecretType::from_code);
        Ok(SecretBody {
            path: SecretPath::parse(f.text(PATH)?)?,
            meta: SecretMeta {
                kind: kind.ok_or_else(|| malformed("unknown secret type"))?,
                description: f.opt_text(DESCRIPTION)?.unwrap_or_default().to_owned(),
                tags: tags(&f)?,
                expires: f.opt_i64(EXPIRES)?.map(Timestamp::from_millis),
                env: f.opt_text(ENV)?.map(EnvName::parse).transpose()?,
            },
            created: Timestamp::from_millis(f.i64(CREATED)?),
            updated: Timestamp::from_millis(f.i64(UPDATED)?),
            newest: f.u64(NEWEST)?,
            deleted: f.opt_i64(DELETED)?.map(Timestamp::from_millis),
            exposed: f.opt_i64(EXPOSED)?.map(Timestamp::from_millis),
            kept: f.kept(),
        })
    }
}

/// What the index of an unlocked vault needs of a body; the rest is read when the secret is.
pub struct Outline {
    /// The path.
    pub path: SecretPath,
    /// The number of the newest version.
    pub newest: u64,
    /// When it was deleted.
    pub deleted: Option<Timestamp>,
    /// Its newest version is known to a family that was burnt.
    pub exposed: bool,
}

impl Outline {
    /// Reads it, with the checks of [`SecretBody::decode`] on the form of the whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let f = Fields::parse(bytes, &KNOWN)?;
        Ok(Outline {
            path: SecretPath::parse(f.text(PATH)?)?,
            newest: f.u64(NEWEST)?,
            deleted: f.opt_i64(DELETED)?.map(Timestamp::from_millis),
            exposed: f.has(EXPOSED),
        })
    }
}

fn tags(f: &Fields<'_>) -> Result<BTreeMap<String, String>, Error> {
    let mut all = BTreeMap::new();
    if let Some(mut items) = f.opt_items(TAGS)? {
        while !items.is_empty() {
            let key = items.text()?.to_owned();
            all.insert(key, items.text()?.to_owned());
        }
    }
    Ok(all)
}
