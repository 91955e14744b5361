//! The shape of `spec/vectors/crypto/*.json`: bytes in hex, rows as their columns.

pub mod check;
pub mod make;

use hqv_model::{Kind, Row, RowHeader, RowId};
use serde_json::{Value, json};

pub fn hex(bytes: &[u8]) -> Value {
    Value::String(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

pub fn unhex(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("hex text").as_bytes();
    text.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

pub fn fixed<const N: usize>(value: &Value) -> [u8; N] {
    unhex(value).try_into().expect("the right length")
}

pub fn optional<const N: usize>(value: &Value) -> Option<[u8; N]> {
    (!value.is_null()).then(|| fixed(value))
}

pub fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

pub fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

pub fn row_to_json(row: &Row) -> Value {
    json!({
        "kind": row.header.kind.code(),
        "id": hex(row.header.id.as_bytes()),
        "revision": row.header.revision,
        "epoch": row.header.epoch,
        "term": row.header.term,
        "lookup": row.lookup.map(|lookup| hex(&lookup)),
        "nonce": hex(&row.nonce),
        "tag": hex(&row.tag),
        "body": hex(&row.body),
    })
}

pub fn row_from_json(value: &Value) -> Row {
    let header = RowHeader {
        kind: Kind::from_code(number(&value["kind"]) as u8).unwrap(),
        id: RowId::new(&unhex(&value["id"])).unwrap(),
        revision: number(&value["revision"]),
        epoch: number(&value["epoch"]) as u32,
        term: number(&value["term"]) as u32,
    };
    Row {
        header,
        lookup: optional(&value["lookup"]),
        nonce: fixed(&value["nonce"]),
        tag: fixed(&value["tag"]),
        body: unhex(&value["body"]).into(),
    }
}
