//! The body of a token's row.

use hqv_crypto::VaultKeys;
use hqv_crypto::cbor::{Fields, FieldsWriter, Items};
use hqv_model::{
    CapabilitySet, Entropy, Error, Kind, MAX_DEPTH, Pattern, Row, RowId, Rule, Scope, Timestamp, TokenId,
    TokenName,
};
use std::sync::Arc;

use super::malformed;
use crate::family::{Sealed, State, TokenEntry, TokenFacts};

const PARENT: u64 = 1;
const ANCESTORS: u64 = 2;
const NAME: u64 = 3;
const ANCESTRY: u64 = 4;
const HASH: u64 = 5;
const CREATOR: u64 = 6;
const CREATED: u64 = 7;
const END: u64 = 8;
const LATEST_END: u64 = 9;
const MAX: u64 = 10;
const SPENT: u64 = 11;
const RESERVE: u64 = 12;
const RESERVE_SPENT: u64 = 13;
const STATE: u64 = 14;
const RULES: u64 = 15;
const LAST_USED: u64 = 16;
const LIMITED: u64 = 17;
const KNOWN: [u64; 17] = [
    PARENT,
    ANCESTORS,
    NAME,
    ANCESTRY,
    HASH,
    CREATOR,
    CREATED,
    END,
    LATEST_END,
    MAX,
    SPENT,
    RESERVE,
    RESERVE_SPENT,
    STATE,
    RULES,
    LAST_USED,
    LIMITED,
];

/// Seals a token's row.
pub fn seal(keys: &VaultKeys, entry: &TokenEntry, revision: u64, rng: &mut dyn Entropy) -> Row {
    keys.seal_row(Kind::Token, RowId::of(entry.facts.id.bytes()), revision, None, &encode(entry), rng)
}

/// Opens a token's row.
pub fn open(keys: &VaultKeys, row: &Row) -> Result<TokenEntry, Error> {
    let plain = keys.open_row(row).map_err(|_| malformed("a token's row does not open"))?;
    let id =
        <[u8; 16]>::try_from(row.header.id.as_bytes()).map_err(|_| malformed("a token's id is malformed"))?;
    let mut entry = decode(TokenId::from_bytes(id), plain.reveal())?;
    entry.sealed = Some(Sealed::of(&row.facts()));
    Ok(entry)
}

fn encode(entry: &TokenEntry) -> zeroize::Zeroizing<Vec<u8>> {
    let f = &entry.facts;
    let mut w = FieldsWriter::new();
    if let Some(parent) = f.parent {
        w.bytes(PARENT, &parent.bytes());
        w.items(ANCESTORS, |list| {
            for id in f.ancestors.iter() {
                list.bytes(&id.bytes());
            }
        });
    }
    w.text(NAME, f.name.as_str()).text(ANCESTRY, &f.ancestry).bytes(HASH, &f.hash).text(CREATOR, &f.creator);
    w.i64(CREATED, f.created.millis()).i64(END, entry.end.millis()).i64(LATEST_END, f.latest_end.millis());
    if let Some(max) = f.max {
        w.u64(MAX, max);
    }
    w.u64(SPENT, entry.spent);
    if let Some(reserve) = f.reserve {
        w.u64(RESERVE, reserve).u64(RESERVE_SPENT, entry.reserve_spent);
    }
    w.u64(STATE, state_code(entry.state)).bool(LIMITED, f.limited);
    w.items(RULES, |list| {
        for rule in f.scope.rules() {
            list.u64(rule.can.bits().into()).text(rule.on.as_str());
        }
    });
    if let Some(t) = entry.last_used {
        w.i64(LAST_USED, t.millis());
    }
    w.keep(&f.kept);
    w.finish()
}

fn decode(id: TokenId, bytes: &[u8]) -> Result<TokenEntry, Error> {
    let f = Fields::parse(bytes, &KNOWN)?;
    let reserve = f.opt_u64(RESERVE)?.filter(|reserve| *reserve > 0);
    let reserve_spent = f.opt_u64(RESERVE_SPENT)?.unwrap_or(0);
    if reserve.is_some_and(|reserve| f.opt_u64(MAX).is_ok_and(|max| max.is_none_or(|max| max < reserve)))
        || reserve_spent > reserve.unwrap_or(0)
    {
        return Err(malformed("a token's reserve is beyond its maximum"));
    }
    let facts = TokenFacts {
        id,
        parent: f.opt_array::<16>(PARENT)?.map(|b| TokenId::from_bytes(*b)),
        ancestors: ancestors(f.opt_items(ANCESTORS)?)?,
        name: TokenName::parse(f.text(NAME)?)?,
        ancestry: f.text(ANCESTRY)?.into(),
        hash: *f.array::<32>(HASH)?,
        creator: f.text(CREATOR)?.into(),
        created: Timestamp::from_millis(f.i64(CREATED)?),
        latest_end: Timestamp::from_millis(f.i64(LATEST_END)?),
        max: f.opt_u64(MAX)?,
        reserve,
        limited: f.bool(LIMITED)?,
        scope: rules(f.items(RULES)?)?.into(),
        kept: f.kept(),
    };
    if facts.ancestors.last().copied() != facts.parent {
        return Err(malformed("a token's parent is not its last ancestor"));
    }
    Ok(TokenEntry {
        facts: Arc::new(facts),
        end: Timestamp::from_millis(f.i64(END)?),
        state: state(f.u64(STATE)?)?,
        spent: f.u64(SPENT)?,
        reserve_spent,
        promised: 0,
        returned: false,
        last_used: f.opt_i64(LAST_USED)?.map(Timestamp::from_millis),
        sealed: None,
    })
}

fn ancestors(items: Option<Items<'_>>) -> Result<Arc<[TokenId]>, Error> {
    let Some(mut items) = items else {
        return Ok(Arc::default());
    };
    if items.left() > MAX_DEPTH as u64 {
        return Err(malformed("a token has too many ancestors"));
    }
    let mut all = Vec::new();
    while !items.is_empty() {
        all.push(TokenId::from_bytes(*items.array::<16>()?));
    }
    Ok(all.into())
}

fn rules(mut items: Items<'_>) -> Result<Scope, Error> {
    let mut all = Vec::new();
    while !items.is_empty() {
        let bits = u16::try_from(items.u64()?).map_err(|_| malformed("a capability is unknown"))?;
        let can = CapabilitySet::from_bits(bits).ok_or_else(|| malformed("a capability is unknown"))?;
        all.push(Rule { can, on: Pattern::parse(items.text()?)? });
    }
    Scope::new(all)
}

fn state_code(state: State) -> u64 {
    match state {
        State::Live => 0,
        State::Frozen => 1,
        State::Revoked => 2,
    }
}

fn state(code: u64) -> Result<State, Error> {
    match code {
        0 => Ok(State::Live),
        1 => Ok(State::Frozen),
        2 => Ok(State::Revoked),
        _ => Err(malformed("a token's state is unknown")),
    }
}
