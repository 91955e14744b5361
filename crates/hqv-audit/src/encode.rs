//! The JSON of a record, before it is sealed. The names are documented in `spec/audit.md` and never change.

use hqv_model::Timestamp;

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
    /// The text up to the milliseconds, and these; nothing where RFC 3339 does not write the second so.
    fn kept(&self, time: Timestamp) -> Option<(&[u8; KEPT], [u8; 3])> {
        let millis = time.millis();
        if self.second != Some(millis.div_euclid(1000)) {
            return None;
        }
        let millis = millis.rem_euclid(1000);
        let digit = |place: i64| b'0' + (millis / place % 10) as u8;
        Some((self.text.as_bytes().first_chunk()?, [digit(100), digit(10), digit(1)]))
    }

    fn keep(&mut self, time: Timestamp) {
        self.text = time.to_rfc3339();
        // Outside the years that RFC 3339 can write, the text no longer follows the milliseconds.
        let exact = self.text.len() == "2026-11-24T22:59:21.123Z".len()
            && Timestamp::parse_rfc3339(&self.text).is_ok_and(|read| read == time);
        self.second = exact.then_some(time.millis().div_euclid(1000));
    }

    fn write(&mut self, time: Timestamp, json: &mut Json) {
        if self.kept(time).is_none() {
            self.keep(time);
        }
        match self.kept(time) {
            Some((start, millis)) => {
                json.raw(start);
                json.raw(&millis);
                json.raw(b"Z");
            }
            None => json.word(&self.text),
        }
    }
}

/// `2026-11-24T22:59:21.`
const KEPT: usize = 20;

/// Writes `record` into `json`, which is cleared first.
pub(crate) fn record(record: &Record<'_>, state: u64, times: &mut TimeText, json: &mut Json) {
    json.clear();
    json.raw(b"{\"state\":");
    json.digits(state);
    json.raw(b",\"time\":\"");
    times.write(record.time, json);
    json.raw(b"\",\"operation\":\"");
    json.word(record.op.as_str());
    json.raw(b"\",\"outcome\":\"");
    json.word(record.outcome.as_str());
    json.raw(b"\"");
    if let Some(code) = record.code {
        json.raw(b",\"code\":\"");
        json.word(code.as_str());
        json.raw(b"\"");
    }
    json.raw(b",\"identity\":{\"kind\":\"");
    identity(&record.identity, json);
    json.raw(b"},\"source\":");
    json.string(&record.source);
    if let Some(request) = record.request {
        json.raw(b",\"request\":\"");
        json.raw(&request.text());
        json.raw(b"\"");
    }
    maybe(b",\"agent\":", record.agent.as_deref(), json);
    maybe(b",\"claim\":", record.claim.as_deref(), json);
    maybe(b",\"reason\":", record.reason.as_deref(), json);
    maybe(b",\"detail\":", record.detail.as_deref(), json);
    json.raw(b",\"items\":[");
    for (at, one) in record.items.iter().enumerate() {
        if at > 0 {
            json.raw(b",");
        }
        item(one, json);
    }
    json.raw(b"]}");
}

#[inline(always)]
fn maybe<const N: usize>(name: &[u8; N], value: Option<&str>, json: &mut Json) {
    if let Some(value) = value {
        json.raw(name);
        json.string(value);
    }
}

/// All of it but its braces and the start of its kind.
fn identity(who: &Identity<'_>, json: &mut Json) {
    match who {
        Identity::Nobody => json.raw(b"nobody\""),
        Identity::Daemon => json.raw(b"daemon\""),
        Identity::Peer { uid, pid, program } => {
            json.raw(b"peer\",\"uid\":");
            json.digits(u64::from(*uid));
            if let Some(pid) = pid {
                json.raw(b",\"pid\":");
                json.digits(u64::from(*pid));
            }
            maybe(b",\"program\":", program.as_deref(), json);
        }
        Identity::Session { id } => {
            json.raw(b"session\",\"id\":\"");
            json.raw(&id.text());
            json.raw(b"\"");
        }
        Identity::Token { id, ancestry, ancestors } => {
            json.raw(b"token\",\"id\":\"");
            json.raw(&id.text());
            json.raw(b"\",\"name\":");
            json.string(ancestry);
            json.raw(b",\"ancestors\":[");
            for (at, id) in ancestors.iter().enumerate() {
                json.word(if at > 0 { ",\"" } else { "\"" });
                json.raw(&id.text());
                json.raw(b"\"");
            }
            json.raw(b"]");
        }
    }
}

fn item(item: &Item, json: &mut Json) {
    json.raw(b"{");
    if let Some(secret) = item.secret {
        json.raw(b"\"secret\":\"");
        json.raw(&secret.text());
        json.raw(b"\",");
    }
    if let Some(version) = item.version {
        json.raw(b"\"version\":");
        json.digits(version);
        json.raw(b",");
    }
    json.raw(b"\"path\":");
    json.string(&item.path);
    json.raw(b",\"kind\":\"");
    json.word(item.kind.as_str());
    json.raw(b"\",\"channel\":");
    json.string(&item.channel);
    json.raw(b"}");
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
                    let mut json = Json::default();
                    times.write(time, &mut json);
                    prop_assert_eq!(json.bytes().to_vec(), time.to_rfc3339().into_bytes());
                }
            }
        }
    }
}
