//! Rows as columns and back. Whatever stands in the file is doubted: a length or number that cannot be is
//! reported as damage, and the bytes themselves are for the engine to authenticate.

use crate::failure::corrupt;
use crate::schema::INLINE;
use hqv_model::{Kind, Row, RowFacts, RowHeader, RowId};
use hqv_store::{Batch, Scanned};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::ops::ControlFlow;

const GET: &str = "SELECT id, revision, epoch, term, lookup, nonce, tag, length, \
                   coalesce(body, (SELECT long.body FROM long WHERE number = row.long)) \
                   FROM row WHERE kind = ?1 AND id = ?2";

const SCAN: &str = "SELECT id, revision, epoch, term, lookup, nonce, tag, length, CASE WHEN length <= ?2 THEN \
                    coalesce(body, (SELECT long.body FROM long WHERE number = row.long)) END \
                    FROM row WHERE kind = ?1 ORDER BY id";

const PUT: &str = "INSERT INTO row (kind, id, revision, epoch, term, lookup, nonce, tag, length, long, body) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) \
                   ON CONFLICT (kind, id) DO UPDATE SET revision = ?3, epoch = ?4, term = ?5, lookup = ?6, \
                   nonce = ?7, tag = ?8, length = ?9, long = ?10, body = ?11";

const DELETE: &str = "DELETE FROM row WHERE kind = ?1 AND id = ?2";

const PUT_LONG: &str = "INSERT INTO long (body) VALUES (?1)";

const DELETE_LONG: &str =
    "DELETE FROM long WHERE number = (SELECT long FROM row WHERE kind = ?1 AND id = ?2)";

pub(crate) fn get(conn: &Connection, kind: Kind, id: &RowId) -> Result<Option<Row>> {
    let mut statement = conn.prepare_cached(GET)?;
    let key = params![kind.code(), id.as_bytes()];
    let found = statement.query_row(key, |row| scanned(kind, usize::MAX, row)).optional()?;
    match found {
        None => Ok(None),
        Some(Scanned::Row(row)) if row.header.id == *id => Ok(Some(row)),
        Some(_) => Err(corrupt("a row answers to another key")),
    }
}

pub(crate) fn scan(
    conn: &Connection,
    kind: Kind,
    max_body: usize,
    visit: &mut dyn FnMut(Scanned) -> ControlFlow<()>,
) -> Result<()> {
    let mut statement = conn.prepare_cached(SCAN)?;
    let longest = i64::try_from(max_body).unwrap_or(i64::MAX);
    let mut found = statement.query(params![kind.code(), longest])?;
    while let Some(row) = found.next()? {
        if visit(scanned(kind, max_body, row)?).is_break() {
            break;
        }
    }
    Ok(())
}

/// Writes a batch inside a transaction that the caller began.
pub(crate) fn write(conn: &Connection, batch: &Batch) -> Result<()> {
    for (kind, id) in &batch.delete {
        forget_long(conn, *kind, id)?;
        conn.prepare_cached(DELETE)?.execute(params![kind.code(), id.as_bytes()])?;
    }
    batch.put.iter().try_for_each(|row| write_one(conn, row))
}

fn forget_long(conn: &Connection, kind: Kind, id: &RowId) -> Result<()> {
    conn.prepare_cached(DELETE_LONG)?.execute(params![kind.code(), id.as_bytes()]).map(drop)
}

fn write_one(conn: &Connection, row: &Row) -> Result<()> {
    let header = &row.header;
    forget_long(conn, header.kind, &header.id)?;
    let is_long = row.body.len() > INLINE;
    let long = is_long.then(|| conn.prepare_cached(PUT_LONG)?.insert(params![&*row.body])).transpose()?;
    conn.prepare_cached(PUT)?.execute(params![
        header.kind.code(),
        header.id.as_bytes(),
        // The column is signed; the bits are kept as they are.
        header.revision.cast_signed(),
        header.epoch,
        header.term,
        row.lookup.as_ref().map(<[u8; 32]>::as_slice),
        row.nonce.as_slice(),
        row.tag.as_slice(),
        i64::try_from(row.body.len()).unwrap_or(i64::MAX),
        long,
        (!is_long).then_some(&*row.body),
    ])?;
    Ok(())
}

fn scanned(kind: Kind, max_body: usize, row: &rusqlite::Row<'_>) -> Result<Scanned> {
    let id = RowId::new(blob(row, 0)?).ok_or_else(|| corrupt("an id has an impossible length"))?;
    let revision = row.get::<_, i64>(1)?.cast_unsigned();
    let header = RowHeader { kind, id, revision, epoch: row.get(2)?, term: row.get(3)? };
    let lookup = match row.get_ref(4)? {
        ValueRef::Null => None,
        _ => Some(array(row, 4)?),
    };
    let (nonce, tag) = (array(row, 5)?, array(row, 6)?);
    let length =
        usize::try_from(row.get::<_, i64>(7)?).map_err(|_| corrupt("a body has an impossible length"))?;
    if length > max_body {
        return Ok(Scanned::Facts(RowFacts { header, lookup, nonce, tag, body_len: length as u64 }));
    }
    let body = blob(row, 8)?;
    if body.len() != length {
        return Err(corrupt("a body has another length than its row says"));
    }
    Ok(Scanned::Row(Row { header, lookup, nonce, tag, body: body.into() }))
}

fn blob<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<&'r [u8]> {
    match row.get_ref(column)? {
        ValueRef::Blob(bytes) => Ok(bytes),
        _ => Err(corrupt("a column holds no bytes")),
    }
}

fn array<const N: usize>(row: &rusqlite::Row<'_>, column: usize) -> Result<[u8; N]> {
    blob(row, column)?.try_into().map_err(|_| corrupt("a column has an impossible length"))
}
