//! Rules of ours in lists of somebody else's JSON document.
//!
//! The text is edited, never written anew: every other byte stays. Our rules stand together in our order, so
//! that they can be told from the same rule written by a person. Taking them away undoes what adding did:
//! of the texts that could have been there before, the one is taken that gives this very text when the rules
//! are added to it. Where a person has changed the lists since, our rules go and what that empties.

use super::harness::List;
use super::json_scan::{Member, Value, scan};

/// Why a document cannot be edited, to be said after the file's name.
pub type Refusal = String;

/// The document with the rules in it.
pub fn put(text: &str, lists: &[List]) -> Result<String, Refusal> {
    check(text)?;
    lists.iter().try_fold(text.to_owned(), |text, list| add(&text, list))
}

/// A document that holds nothing else.
pub fn alone(lists: &[List]) -> String {
    let begun = lists.first().map(|list| format!("{{\n  {}\n}}\n", object_text(list, "  ", "  ", "\n")));
    begun.and_then(|text| put(&text, lists).ok()).unwrap_or_default()
}

/// The document without the rules; `None` where nothing else was in it, and we made it.
pub fn take(text: &str, lists: &[List]) -> Result<Option<String>, Refusal> {
    check(text)?;
    if text == alone(lists) {
        return Ok(None);
    }
    let mut first = None;
    for guess in guesses(text, lists) {
        if put(&guess, lists).is_ok_and(|again| again == text) {
            return Ok(Some(guess));
        }
        first = first.or(Some(guess));
    }
    Ok(Some(first.unwrap_or_else(|| text.to_owned())))
}

/// What is wrong with a document that we must not touch.
fn check(text: &str) -> Result<(), Refusal> {
    let plain = text.strip_prefix(BOM).unwrap_or(text);
    serde_json::from_str::<serde::de::IgnoredAny>(plain)
        .map(|_| ())
        .map_err(|e| format!("is not JSON as it should be (line {}); mend it first", e.line()))
}

const BOM: char = '\u{feff}';

/// The document's value with positions in `text`.
fn parse(text: &str) -> Result<Value, Refusal> {
    match text.strip_prefix(BOM) {
        None => scan(text),
        // Blanks of the same length keep the positions.
        Some(rest) => scan(&format!("   {rest}")),
    }
    .ok_or_else(|| "is nested too deep".to_owned())
}

/// The one member of that name.
fn member<'a>(value: &'a Value, name: &str) -> Result<Option<&'a Member>, Refusal> {
    let members = value.members().ok_or("does not hold a JSON object where one is needed")?;
    let mut found = members.iter().filter(|m| m.name == name);
    let first = found.next();
    match found.next() {
        Some(_) => Err(format!("has \"{name}\" twice")),
        None => Ok(first),
    }
}

fn add(text: &str, list: &List) -> Result<String, Refusal> {
    let root = parse(text)?;
    let unit = unit_of(text, &root);
    let Some(object) = member(&root, list.object)? else {
        return insert_member(text, &root, |indent, end| object_text(list, indent, &unit, end));
    };
    let Some(array) = member(&object.value, list.list).map_err(|e| format!("{e} (\"{}\")", list.object))?
    else {
        return insert_member(text, &object.value, |indent, end| array_text(list, indent, &unit, end));
    };
    let Some(elements) = array.value.elements() else {
        return Err(format!("has something else than a list at \"{}.{}\"", list.object, list.list));
    };
    if run_in(elements, &list.rules).is_some() {
        return Ok(text.to_owned());
    }
    for old in &list.former {
        if let Some(at) = run_in(elements, old) {
            return Ok(replace(text, elements, at..at + old.len(), list));
        }
    }
    insert_elements(text, &array.value, elements, list)
}

/// `"permissions": {...}` with the one list.
fn object_text(list: &List, indent: &str, unit: &str, end: &str) -> String {
    let inner = format!("{indent}{unit}");
    let array = array_text(list, &inner, unit, end);
    format!("\"{}\": {{{end}{inner}{array}{end}{indent}}}", list.object)
}

/// `"allow": [...]`, over several lines, which an empty list that we only filled never is.
fn array_text(list: &List, indent: &str, unit: &str, end: &str) -> String {
    let rules = quoted(list).join(&format!(",{end}{indent}{unit}"));
    format!("\"{}\": [{end}{indent}{unit}{rules}{end}{indent}]", list.list)
}

fn quoted(list: &List) -> Vec<String> {
    list.rules.iter().map(|rule| serde_json::Value::from(rule.as_str()).to_string()).collect()
}

/// Adds a member after the last one, set apart as that is. Into an empty object it goes at once after the
/// bracket, which a new object's never does.
fn insert_member(text: &str, object: &Value, made: impl Fn(&str, &str) -> String) -> Result<String, Refusal> {
    let members = object.members().ok_or("does not hold a JSON object where one is needed")?;
    let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let Some(last) = members.last() else {
        let indent = indent_at(text, object.span.start);
        return Ok(splice(text, object.span.start + 1, &made(indent, end)));
    };
    let gap = gap_before(text, last.start);
    let indent = gap.rfind('\n').map_or("", |at| gap.get(at + 1..).unwrap_or_default());
    Ok(splice(text, last.value.span.end, &format!(",{gap}{}", made(indent, end))))
}

fn insert_elements(text: &str, array: &Value, elements: &[Value], list: &List) -> Result<String, Refusal> {
    let Some(last) = elements.last() else {
        return Ok(splice(text, array.span.start + 1, &quoted(list).join(", ")));
    };
    let gap = match gap_before(text, last.span.start) {
        "" => " ",
        gap => gap,
    };
    let added: String = quoted(list).iter().map(|rule| format!(",{gap}{rule}")).collect();
    Ok(splice(text, last.span.end, &added))
}

/// Our rules in the place of those that we wrote before, set apart as they were.
fn replace(text: &str, elements: &[Value], old: std::ops::Range<usize>, list: &List) -> String {
    let span = |at: usize| elements.get(at).map(|e| e.span.clone()).unwrap_or_default();
    let (from, to) = (span(old.start).start, span(old.end - 1).end);
    let gap = if old.len() > 1 { text.get(span(old.start).end..span(old.start + 1).start) } else { None };
    splice(&cut(text, from, to), from, &quoted(list).join(gap.unwrap_or(", ")))
}

fn splice(text: &str, at: usize, added: &str) -> String {
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    [before, added, after].concat()
}

fn cut(text: &str, from: usize, to: usize) -> String {
    [text.get(..from).unwrap_or_default(), text.get(to..).unwrap_or_default()].concat()
}

/// The blanks before a position.
fn gap_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let kept = before.trim_end_matches([' ', '\t', '\r', '\n']).len();
    before.get(kept..).unwrap_or_default()
}

/// The blanks at the beginning of the line of a position.
fn indent_at(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let line = before.get(before.rfind('\n').map_or(0, |n| n + 1)..).unwrap_or_default();
    line.get(..line.len() - line.trim_start_matches([' ', '\t']).len()).unwrap_or_default()
}

/// One step of indentation: that of the first member.
fn unit_of<'a>(text: &'a str, root: &Value) -> std::borrow::Cow<'a, str> {
    let first = root.members().and_then(<[Member]>::first).map_or("", |m| gap_before(text, m.start));
    match first.rsplit_once('\n') {
        Some((_, indent)) if !indent.is_empty() => indent.into(),
        _ => "  ".into(),
    }
}

/// Where all these rules stand together, the last time.
fn run_in(elements: &[Value], rules: &[String]) -> Option<usize> {
    let ours = |run: &[Value]| run.iter().zip(rules).all(|(e, rule)| e.text() == Some(rule.as_str()));
    elements.windows(rules.len().max(1)).rposition(ours)
}

/// What could have been there before, the most taken away first.
fn guesses(text: &str, lists: &[List]) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    for list in lists.iter().rev() {
        all = all.into_iter().flat_map(|text| guesses_of(&text, list)).collect();
    }
    all
}

fn guesses_of(text: &str, list: &List) -> Vec<String> {
    let Some(rest) = without_rules(text, list) else { return vec![text.to_owned()] };
    let mut all = Vec::new();
    if let Some(rest) = without_empty(&rest, &[list.object, list.list]) {
        all.extend(without_empty(&rest, &[list.object]));
        all.push(rest);
    }
    all.push(rest);
    all
}

/// Our run of rules taken out, else each of them wherever it is.
fn without_rules(text: &str, list: &List) -> Option<String> {
    let (mut rest, whole) = without_last(text, list)?;
    while !whole && let Some((less, _)) = without_last(&rest, list) {
        rest = less;
    }
    Some(rest)
}

/// The last run of ours taken out (and true), or the last rule of ours.
fn without_last(text: &str, list: &List) -> Option<(String, bool)> {
    let root = parse(text).ok()?;
    let object = &member(&root, list.object).ok()??.value;
    let array = &member(object, list.list).ok()??.value;
    let elements = array.elements()?;
    let spans: Vec<_> = elements.iter().map(|e| e.span.clone()).collect();
    let inside = array.span.start + 1;
    for rules in std::iter::once(&list.rules).chain(&list.former) {
        if let Some(at) = run_in(elements, rules) {
            return Some((without(text, &spans, at, rules.len(), inside), true));
        }
    }
    let at = elements.iter().rposition(|e| list.rules.iter().any(|rule| e.text() == Some(rule)))?;
    Some((without(text, &spans, at, 1, inside), false))
}

/// The member at this path taken out, where it is empty.
fn without_empty(text: &str, path: &[&str]) -> Option<String> {
    let root = parse(text).ok()?;
    let (name, above) = path.split_last()?;
    let mut holder = &root;
    for name in above {
        holder = &member(holder, name).ok()??.value;
    }
    let members = holder.members()?;
    let at = members.iter().position(|m| m.name == *name)?;
    let value = &members.get(at)?.value;
    if value.elements().is_some_and(|e| !e.is_empty()) || value.members().is_some_and(|m| !m.is_empty()) {
        return None;
    }
    let spans: Vec<_> = members.iter().map(|m| m.start..m.value.span.end).collect();
    Some(without(text, &spans, at, 1, holder.span.start + 1))
}

/// `count` of the parts at `spans` taken out with the comma that set them off.
fn without(text: &str, spans: &[std::ops::Range<usize>], at: usize, count: usize, inside: usize) -> String {
    let end = spans.get(at + count - 1).map_or(text.len(), |s| s.end);
    let before = at.checked_sub(1).and_then(|n| spans.get(n)).map(|s| s.end);
    match (before, spans.get(at + count)) {
        (Some(before), _) => cut(text, before, end),
        (None, Some(next)) => cut(text, spans.get(at).map_or(end, |s| s.start), next.start),
        (None, None) => cut(text, inside, end),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn lists() -> Vec<List> {
        let list = |list, rules: &[&str]| List {
            object: "permissions",
            list,
            rules: rules.iter().map(|rule| (*rule).to_owned()).collect(),
            former: Vec::new(),
        };
        vec![list("allow", &["B(a)", "B(b)"]), list("deny", &["B(c)"])]
    }

    fn there_and_back(text: &str) -> String {
        let once = put(text, &lists()).unwrap();
        assert_eq!(put(&once, &lists()).unwrap(), once, "{text}");
        assert_eq!(take(&once, &lists()).unwrap().as_deref(), Some(text), "{once}");
        let value: serde_json::Value = serde_json::from_str(once.trim_start_matches(BOM)).unwrap();
        for list in lists() {
            let has = value[list.object][list.list].as_array().unwrap();
            assert!(list.rules.iter().all(|rule| has.iter().any(|e| e == rule)), "{once}");
        }
        once
    }

    #[test]
    fn a_document_of_ours_goes_whole() {
        let text = alone(&lists());
        let expected = "{\n  \"permissions\": {\n    \"allow\": [\n      \"B(a)\",\n      \"B(b)\"\n    ],\n    \
                        \"deny\": [\n      \"B(c)\"\n    ]\n  }\n}\n";
        assert_eq!(text, expected);
        assert_eq!(put(&text, &lists()).unwrap(), text);
        assert_eq!(take(&text, &lists()).unwrap(), None);
    }

    #[test]
    fn the_rest_keeps_its_bytes_and_lines_look_like_their_neighbours() {
        let text =
            "{\n\t\"model\": \"x\",\n\t\"permissions\": {\n\t\t\"allow\": [\n\t\t\t\"R\"\n\t\t]\n\t}\n}";
        let once = there_and_back(text);
        assert!(
            once.contains(
                "\"R\",\n\t\t\t\"B(a)\",\n\t\t\t\"B(b)\"\n\t\t],\n\t\t\"deny\": [\n\t\t\t\"B(c)\"\n\t\t]\n\t}"
            ),
            "{once}"
        );
        let compact = there_and_back("{\"permissions\":{\"allow\":[\"R\",\"S\"],\"deny\":[]},\"x\":1e3}");
        assert_eq!(
            compact,
            "{\"permissions\":{\"allow\":[\"R\",\"S\", \"B(a)\", \"B(b)\"],\"deny\":[\"B(c)\"]},\"x\":1e3}"
        );
    }

    #[test]
    fn odd_documents_come_back() {
        for text in [
            "{}",
            "{ }\n",
            " {\n\n} ",
            "\u{feff}{\"a\": 1}",
            "{\r\n    \"a\": [],\r\n    \"permissions\": {}\r\n}\r\n",
            "{\"permissions\": {\"deny\": [\n]}}",
            "{\"permissions\": {\"allow\": [\"B(b)\", \"B(a)\"], \"deny\": [\"B(x)\"]}}",
            "{\"permissions\": {\"allow\": [\"B(a)\"]}}",
            "{\"permissions\": {\"defaultMode\": \"plan\"}, \"z\": \"\\\"permissions\\\": {\"}",
            "{\"perm\\u0069ssions\": {\"allow\": [1, null, {\"a\": [\"B(a)\"]}]}}",
        ] {
            there_and_back(text);
        }
    }

    #[test]
    fn rules_of_an_earlier_version_are_replaced_where_they_stand() {
        let mut now = lists();
        now[0].former = vec![now[0].rules.clone()];
        now[0].rules.insert(1, "B(new)".to_owned());
        for text in ["{\n  \"x\": 1\n}\n", "{\"permissions\": {\"allow\": [\"R\"]}}", "{}"] {
            let old = put(text, &lists()).unwrap();
            let new = put(&old, &now).unwrap();
            assert_eq!(new, put(text, &now).unwrap(), "in the same place and shape");
            assert_eq!(put(&new, &now).unwrap(), new);
            assert_eq!(take(&new, &now).unwrap().as_deref(), Some(text));
            let value: serde_json::Value = serde_json::from_str(&take(&old, &now).unwrap().unwrap()).unwrap();
            assert_eq!(
                value["permissions"]["deny"],
                serde_json::Value::Null,
                "taken away by a newer version too"
            );
        }
    }

    #[test]
    fn what_a_person_changed_since_stays() {
        let mut text = alone(&lists()).replace("\"B(a)\",\n      \"B(b)\"", "\"B(b)\", \"mine\", \"B(a)\"");
        assert_eq!(
            take(&text, &lists()).unwrap().unwrap(),
            "{\n  \"permissions\": {\n    \"allow\": [\n      \"mine\"\n    ]\n  }\n}\n"
        );
        text = alone(&lists()).replace("\n      \"B(c)\"\n    ", "\"B(c)\"");
        let rest: serde_json::Value = serde_json::from_str(&take(&text, &lists()).unwrap().unwrap()).unwrap();
        assert_eq!(rest["permissions"]["allow"], serde_json::Value::Null);
    }

    #[test]
    fn what_is_no_such_document_is_refused_with_a_reason() {
        for (text, why) in [
            ("", "not JSON"),
            ("// a comment\n{}", "line 1"),
            ("{\"a\": 1,}", "not JSON"),
            ("[]", "object"),
            ("{\"permissions\": []}", "object"),
            ("{\"permissions\": {\"allow\": {}}}", "permissions.allow"),
            ("{\"permissions\": {}, \"permissions\": {}}", "twice"),
            ("{\"permissions\": {\"allow\": [], \"allow\": []}}", "twice"),
        ] {
            let refusal = put(text, &lists()).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(500), "]".repeat(500));
        assert!(put(&deep, &lists()).is_err());
    }

    fn document() -> impl Strategy<Value = String> {
        let blank = || prop::sample::select(vec!["", " ", "\n", "\n  ", "\r\n\t", "  "]);
        let rule = prop::sample::select(vec!["\"B(a)\"", "\"B(b)\"", "\"B(c)\"", "\"R\"", "{}", "1"]);
        let list = prop::collection::vec((blank(), rule, blank()), 0..4).prop_map(|all| {
            let all: Vec<String> = all.iter().map(|(a, rule, b)| format!("{a}{rule}{b}")).collect();
            all.join(",")
        });
        let list = (list, blank()).prop_map(|(list, blank)| {
            if list.is_empty() { format!("[{blank}]") } else { format!("[{list}]") }
        });
        let object = move |names: Vec<&'static str>, value: BoxedStrategy<String>| {
            (
                prop::sample::subsequence(names, 0..=2),
                prop::collection::vec((blank(), blank(), value), 2),
                blank(),
            )
                .prop_map(|(names, values, blank)| {
                    let members: Vec<String> = names
                        .iter()
                        .zip(values)
                        .map(|(name, (a, b, value))| format!("{a}\"{name}\"{b}:{b}{value}{a}"))
                        .collect();
                    if members.is_empty() {
                        format!("{{{blank}}}")
                    } else {
                        format!("{{{}}}", members.join(","))
                    }
                })
        };
        let inner = object(vec!["deny", "allow"], list.boxed()).boxed();
        object(vec!["a", "permissions"], inner)
    }

    proptest! {
        #[test]
        fn twice_in_and_once_out_gives_the_document_back(text in document()) {
            let whole = |list: &List| {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                let rules = value[list.object][list.list].as_array().cloned().unwrap_or_default();
                rules.windows(list.rules.len()).any(|run| run.iter().zip(&list.rules).all(|(a, b)| a == b))
            };
            // Our whole run, written by somebody else, cannot be told from ours.
            if !lists().iter().any(whole) {
                there_and_back(&text);
            }
        }
    }
}
