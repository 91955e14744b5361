//! The body of a version's row: the value, who wrote it and by which route. Never rewritten.

use hqv_crypto::cbor::{Fields, FieldsWriter};
use hqv_model::{EntryRoute, Error, SecretBytes, SessionId, Timestamp, TokenId};
use std::ops::Range;
use zeroize::{Zeroize, Zeroizing};

use super::malformed;

const VALUE: u64 = 1;
const CREATED: u64 = 2;
const ROUTE: u64 = 3;
const TOKEN: u64 = 4;
const SESSION: u64 = 5;
const ANCESTRY: u64 = 6;
const UID: u64 = 7;
const PID: u64 = 8;
const PROGRAM: u64 = 9;
const KNOWN: [u64; 9] = [VALUE, CREATED, ROUTE, TOKEN, SESSION, ANCESTRY, UID, PID, PROGRAM];

/// Who wrote a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Writer {
    /// A session of the owner.
    Session(SessionId),
    /// A token, with its ancestry at that time.
    Token(TokenId, String),
    /// A process of the same user, without credential.
    Peer {
        /// Its user id.
        uid: u32,
        /// Its process id, where known.
        pid: Option<u32>,
        /// Its program's name, unproven.
        program: Option<String>,
    },
}

impl Writer {
    /// How `show` names it.
    pub fn label(&self) -> String {
        match self {
            Writer::Session(_) => "owner".into(),
            Writer::Token(_, ancestry) => ancestry.clone(),
            Writer::Peer { program: Some(program), .. } => program.clone(),
            Writer::Peer { uid, .. } => format!("uid {uid}"),
        }
    }
}

/// See the module's comment.
pub struct VersionBody {
    /// The value.
    pub value: SecretBytes,
    /// When it was written.
    pub created: Timestamp,
    /// How it came in.
    pub route: EntryRoute,
    /// Who wrote it.
    pub writer: Writer,
}

impl VersionBody {
    /// The canonical bytes.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut w = FieldsWriter::with_capacity(self.value.len() + 128);
        w.bytes(VALUE, self.value.reveal())
            .i64(CREATED, self.created.millis())
            .u64(ROUTE, self.route.code().into());
        match &self.writer {
            Writer::Session(id) => {
                w.bytes(SESSION, &id.bytes());
            }
            Writer::Token(id, ancestry) => {
                w.bytes(TOKEN, &id.bytes()).text(ANCESTRY, ancestry);
            }
            Writer::Peer { uid, pid, program } => {
                w.u64(UID, (*uid).into());
                if let Some(pid) = pid {
                    w.u64(PID, (*pid).into());
                }
                if let Some(program) = program {
                    w.text(PROGRAM, program);
                }
            }
        }
        w.finish()
    }

    /// Reads a body.
    pub fn decode(plain: SecretBytes) -> Result<Self, Error> {
        let f = Fields::parse(plain.reveal(), &KNOWN)?;
        let route = u8::try_from(f.u64(ROUTE)?).ok().and_then(EntryRoute::from_code);
        let route = route.ok_or_else(|| malformed("unknown entry route"))?;
        let (created, writer) = (Timestamp::from_millis(f.i64(CREATED)?), writer(&f)?);
        let value = f.bytes(VALUE)?;
        let at = value.as_ptr().addr() - plain.reveal().as_ptr().addr();
        let value = at..at + value.len();
        Ok(VersionBody { value: cut_out(plain, value), created, route, writer })
    }
}

/// A part of secret bytes, in the memory that they had.
fn cut_out(whole: SecretBytes, part: Range<usize>) -> SecretBytes {
    let mut bytes = whole.into_inner_for_wire();
    let length = part.len();
    bytes.copy_within(part, 0);
    bytes.get_mut(length..).unwrap_or_default().zeroize();
    bytes.truncate(length);
    SecretBytes::from_vec(std::mem::take(&mut *bytes))
}

fn writer(f: &Fields<'_>) -> Result<Writer, Error> {
    if let Some(id) = f.opt_array::<16>(SESSION)? {
        return Ok(Writer::Session(SessionId::from_bytes(*id)));
    }
    if let Some(id) = f.opt_array::<16>(TOKEN)? {
        return Ok(Writer::Token(TokenId::from_bytes(*id), f.text(ANCESTRY)?.to_owned()));
    }
    let pid = f.opt_u64(PID)?.map(u32::try_from).transpose();
    Ok(Writer::Peer {
        uid: f.u32(UID)?,
        pid: pid.map_err(|_| malformed("a process id is too large"))?,
        program: f.opt_text(PROGRAM)?.map(str::to_owned),
    })
}
