//! The JSON of a record, before it is sealed. The names are documented in `spec/audit.md` and never change.

use hqv_model::{RequestId, SecretId, SessionId, Timestamp, TokenId};

use crate::{
    json::Json,
    record::{Identity, Item, Record},
};

/// Keeps the last second's text: most records of a second share all of it but the milliseconds.
#[derive(Default)]
pub(crate) struct TimeText {
    second: Option<i64>,
    text: String,
}

impl TimeText {
    fn of(&mut self, time: Timestamp) -> &str {
        let second = time.millis().div_euclid(1000);
        if self.second == Some(second) && self.text.len() == "2026-11-24T22:59:21.123Z".len() {
            let millis = time.millis().rem_euclid(1000);
            self.text.truncate("2026-11-24T22:59:21.".len());
            for place in [100, 10, 1] {
                let digit = u32::try_from(millis / place % 10).unwrap_or(0);
                self.text.push(char::from_digit(digit, 10).unwrap_or('0'));
            }
            self.text.push('Z');
        } else {
            self.text = time.to_rfc3339();
            // Outside the years that RFC 3339 can write, the text no longer follows the milliseconds.
            let exact = Timestamp::parse_rfc3339(&self.text).is_ok_and(|read| read == time);
            self.second = exact.then_some(second);
        }
        &self.text
    }
}

/// Writes `record` into `json`, which is cleared first.
pub(crate) fn record(record: &Record, state: u64, times: &mut TimeText, json: &mut Json) {
    json.clear();
    json.open();
    json.number("state", state);
    json.text("time", times.of(record.time));
    json.text("operation", record.op.as_str());
    json.text("outcome", record.outcome.as_str());
    json.maybe("code", record.code.map(|c| c.as_str()));
    identity(&record.identity, json);
    json.text("source", &record.source);
    if let Some(request) = record.request {
        json.name("request");
        json.id(RequestId::PREFIX, request.bytes());
    }
    json.maybe("agent", record.agent.as_deref());
    json.maybe("claim", record.claim.as_deref());
    json.maybe("reason", record.reason.as_deref());
    json.maybe("detail", record.detail.as_deref());
    json.array("items", &record.items, |json, it| item(it, json));
    json.close();
}

fn identity(who: &Identity, json: &mut Json) {
    json.name("identity");
    json.open();
    match who {
        Identity::Nobody => json.text("kind", "nobody"),
        Identity::Daemon => json.text("kind", "daemon"),
        Identity::Peer { uid, pid, program } => {
            json.text("kind", "peer");
            json.number("uid", u64::from(*uid));
            if let Some(pid) = pid {
                json.number("pid", u64::from(*pid));
            }
            json.maybe("program", program.as_deref());
        }
        Identity::Session { id } => {
            json.text("kind", "session");
            json.name("id");
            json.id(SessionId::PREFIX, id.bytes());
        }
        Identity::Token { id, ancestry, ancestors } => {
            json.text("kind", "token");
            json.name("id");
            json.id(TokenId::PREFIX, id.bytes());
            json.text("name", ancestry);
            json.array("ancestors", ancestors, |json, id| json.id(TokenId::PREFIX, id.bytes()));
        }
    }
    json.close();
}

fn item(item: &Item, json: &mut Json) {
    json.open();
    if let Some(secret) = item.secret {
        json.name("secret");
        json.id(SecretId::PREFIX, secret.bytes());
    }
    if let Some(version) = item.version {
        json.number("version", version);
    }
    json.text("path", &item.path);
    json.text("kind", item.kind.as_str());
    json.text("channel", &item.channel);
    json.close();
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_kept_second_never_shows(millis in prop::collection::vec(any::<i64>(), 1..20), near in any::<i32>()) {
            let mut times = TimeText::default();
            for start in millis {
                for time in [start, start.wrapping_add(1), i64::from(near), i64::from(near) + 999, start / 1000] {
                    let time = Timestamp::from_millis(time);
                    prop_assert_eq!(times.of(time), time.to_rfc3339());
                }
            }
        }

        #[test]
        fn ids_are_spelled_as_they_display(bytes in any::<[u8; 16]>()) {
            let mut json = Json::default();
            json.id(TokenId::PREFIX, bytes);
            let shown = format!("\"{}\"", TokenId::from_bytes(bytes));
            prop_assert_eq!(json.bytes(), shown.as_bytes());
        }
    }
}
