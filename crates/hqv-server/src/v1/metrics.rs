//! `GET /v1/metrics`: the text format of Prometheus, version 0.0.4. No label holds a name, a path or an id.

use std::fmt::Write as _;

use hqv_engine::ops::metrics::MetricsView;
use http::StatusCode;

use crate::answer::typed;
use crate::ask::Ask;
use crate::body::Body;
use crate::errors::Answer;

/// Numbers about the vault for Prometheus: the owner's, and for tokens with `audit`.
#[utoipa::path(
    get, path = "/v1/metrics", operation_id = "metrics", tag = "audit",
    responses(
        (status = 200, description = "The numbers.", content_type = "text/plain", body = String),
        crate::openapi::Refused, crate::openapi::Guarded,
    )
)]
pub async fn metrics(ask: Ask) -> Answer {
    ask.no_query()?;
    let engine = ask.shared.engine.clone();
    let view = engine.metrics(ask.caller).await?;
    Ok(typed(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", Body::text(text(&view))))
}

/// The exposition. A family's samples stand together below its help and type.
fn text(view: &MetricsView) -> String {
    let mut out = Exposition::default();
    out.family("hq_vault_info", "gauge", "The version of the daemon.");
    out.sample("hq_vault_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    out.one("hq_vault_secrets", "gauge", "Secrets in the vault.", view.secrets);
    out.one("hq_vault_sessions", "gauge", "Sessions of the owner.", view.sessions);
    out.one(
        "hq_vault_record_lines_total",
        "counter",
        "Number of the newest line of the record.",
        view.record_line,
    );
    out.one(
        "hq_vault_record_synced_lines_total",
        "counter",
        "Number of the newest line of the record that is safe on the disk.",
        view.record_synced,
    );
    out.one(
        "hq_vault_record_missed",
        "gauge",
        "Records that could not be written since the last one that could.",
        view.record_missed,
    );
    if let Some((up, lost)) = view.mirror {
        out.one(
            "hq_vault_mirror_up",
            "gauge",
            "Whether the mirror of the record takes lines.",
            u64::from(up),
        );
        out.one(
            "hq_vault_mirror_lost_records_total",
            "counter",
            "Records that never reached the mirror since the daemon started.",
            lost,
        );
    }
    let name = "hq_vault_operations_total";
    out.family(name, "counter", "Records written since the daemon started, by operation and outcome.");
    for (op, outcome, count) in &view.operations {
        out.sample(name, &[("operation", op.as_str()), ("outcome", outcome.as_str())], *count);
    }
    out.0
}

#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Label values are words of ours: nothing in them needs an escape.
    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (at, (label, text)) in labels.iter().enumerate() {
            let _ = write!(self.0, "{}{label}=\"{text}\"", if at == 0 { '{' } else { ',' });
        }
        let _ = writeln!(self.0, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use hqv_model::{OpKind, Outcome};

    use super::*;

    fn name(text: &str) -> bool {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        plain && text.bytes().next().is_some_and(|b| b.is_ascii_lowercase())
    }

    /// What `promtool check metrics` asks for: grammar, one help and type for each family before its samples, families
    /// in one piece, no sample twice, counters in `_total` and nothing else so.
    fn check(text: &str) -> Result<usize, String> {
        let (mut families, mut samples, mut kind) = (HashSet::new(), HashSet::new(), String::new());
        let (mut open, mut helped) = (String::new(), String::new());
        for line in text.strip_suffix('\n').ok_or("no newline at the end")?.split('\n') {
            let bad = || format!("not of the format: {line}");
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (family, help) = rest.split_once(' ').ok_or_else(bad)?;
                if !name(family) || help.is_empty() || !families.insert(family.to_owned()) {
                    return Err(bad());
                }
                family.clone_into(&mut helped);
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (family, what) = rest.split_once(' ').ok_or_else(bad)?;
                let total = family.ends_with("_total");
                if family != helped || !["counter", "gauge"].contains(&what) || total != (what == "counter") {
                    return Err(bad());
                }
                (open, kind) = (family.to_owned(), what.to_owned());
            } else {
                let (left, value) = line.rsplit_once(' ').ok_or_else(bad)?;
                value.parse::<u64>().map_err(|_| bad())?;
                let (family, labels) = left.split_once('{').unwrap_or((left, "}"));
                let labels = labels.strip_suffix('}').ok_or_else(bad)?;
                let fine = labels.split(',').filter(|l| !l.is_empty()).all(|label| {
                    let pair = label.split_once("=\"").and_then(|(n, v)| Some((n, v.strip_suffix('"')?)));
                    pair.is_some_and(|(n, v)| name(n) && !v.contains(['"', '\\', '/']))
                });
                if family != open || kind.is_empty() || !fine || !samples.insert(left.to_owned()) {
                    return Err(bad());
                }
            }
        }
        Ok(samples.len())
    }

    fn view() -> MetricsView {
        let every = OpKind::ALL.iter().flat_map(|op| Outcome::ALL.iter().map(|o| (*op, *o, 3)));
        MetricsView { mirror: Some((false, 7)), operations: every.collect(), ..MetricsView::default() }
    }

    #[test]
    fn the_exposition_is_of_the_format_whatever_happened() {
        assert_eq!(check(&text(&view())).unwrap(), 8 + 3 * OpKind::ALL.len());
        assert_eq!(check(&text(&MetricsView::default())).unwrap(), 6);
    }

    #[test]
    fn the_check_of_the_format_finds_what_is_not_of_it() {
        let good = "# HELP a_b Text.\n# TYPE a_b gauge\na_b{l=\"x\"} 1\n";
        assert_eq!(check(good), Ok(1));
        for bad in [
            good.trim_end(),
            &good.replace("# TYPE a_b gauge\n", ""),
            &good.replace("# HELP a_b Text.\n", ""),
            &good.replace("gauge", "counter"),
            &good.replace("a_b{", "a-b{"),
            &good.replace("l=\"x\"", "l=x"),
            &good.replace("\"x\"", "\"a/b\""),
            &good.replace(" 1\n", " one\n"),
            &format!("{good}a_b{{l=\"x\"}} 2\n"),
            &format!("{good}{good}"),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
