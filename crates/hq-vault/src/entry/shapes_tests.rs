#![allow(clippy::unwrap_used)]

use super::*;

fn meant<'a>(path: &'a str, description: &'a str) -> Meant<'a> {
    Meant { path, description, kind: SecretType::ApiKey }
}

fn seen(value: &str, path: &str, description: &str) -> (Option<String>, Vec<String>) {
    let look = look(value.as_bytes(), &meant(path, description));
    (look.label, look.doubts)
}

/// A made-up value of a shape: its first prefix and as many of one letter as it needs.
fn made_up(shape: &Shape) -> String {
    let mut value = shape.prefixes.first().cloned().unwrap_or_default();
    if matches!(shape.charset, Charset::Text) {
        value.push('\n');
    }
    let part = shape.contains.clone().unwrap_or_default();
    let letter = match shape.charset {
        Charset::Hex | Charset::Visible | Charset::Token | Charset::Alnum | Charset::Base64 => 'a',
        Charset::Upper | Charset::Text => 'A',
    };
    let missing = (shape.length[0] + 1)
        .min(shape.length[1])
        .saturating_sub(value.chars().count() + part.chars().count());
    value.extend(std::iter::repeat_n(letter, missing));
    let end = match (shape.charset, shape.newline) {
        (_, true) => "\n",
        (Charset::Text, false) => "x",
        _ => "",
    };
    value + &part + end
}

#[test]
fn the_data_holds_together() {
    let shapes: Shapes = toml::from_str(DATA).unwrap();
    assert!(shapes.shape.len() >= 50, "{}", shapes.shape.len());
    for shape in &shapes.shape {
        assert!(shapes.families.contains_key(&shape.family), "{}", shape.label);
        assert!(shape.length[0] <= shape.length[1], "{}", shape.label);
        assert!(!shape.label.starts_with(char::is_uppercase), "{}", shape.label);
        assert!(shape.charset.holds(""), "{}", shape.label);
    }
    for (key, family) in &shapes.families {
        assert!(shapes.shape.iter().any(|shape| shape.family == *key), "{key} has no shape");
        assert!(family.words.iter().all(|word| word.chars().all(|c| c.is_ascii_lowercase())), "{key}");
    }
}

#[test]
fn a_made_up_value_of_every_shape_is_called_by_its_name() {
    let shapes: Shapes = toml::from_str(DATA).unwrap();
    for shape in &shapes.shape {
        let value = made_up(shape);
        let word = shapes.families[&shape.family].words.first().cloned().unwrap_or_default();
        let look = look(value.as_bytes(), &Meant { path: &word, description: "", kind: SecretType::Other });
        let same = |label: &String| {
            // Two shapes may fit one value where neither has a prefix.
            shapes.shape.iter().any(|other| other.label == *label && other.family == shape.family)
        };
        assert!(look.label.as_ref().is_some_and(same), "{}: {look:?}", shape.label);
        if !shape.prefixes.is_empty() {
            assert_eq!(look.label.as_ref(), Some(&shape.label), "{value}");
        }
        assert_eq!(look.doubts, Vec::<String>::new(), "{}", shape.label);
    }
}

#[test]
fn what_was_asked_for_is_what_is_expected() {
    let live = format!("sk_live_{}", "a".repeat(99));
    let test = format!("sk_test_{}", "a".repeat(24));
    let github = format!("ghp_{}", "a".repeat(36));
    assert_eq!(
        seen(&live, "stripe/secret-key", "Stripe live secret key").0.as_deref(),
        Some("a Stripe live key")
    );
    assert_eq!(seen(&live, "stripe/secret-key", "Stripe live secret key").1, Vec::<String>::new());
    let doubts = seen(&test, "stripe/secret-key", "Stripe live secret key").1;
    assert_eq!(doubts, ["looks like a Stripe test key, and the request says \"live\""]);
    let doubts = seen(&github, "stripe/secret-key", "").1;
    assert_eq!(doubts, ["looks like a GitHub personal token, not like a Stripe key"]);
    assert_eq!(seen("correct horse", "stripe/secret-key", "").1, ["does not look like a Stripe key"]);
    assert_eq!(seen("correct horse", "misc/thing", "").1, Vec::<String>::new());
    assert_eq!(seen(&github, "misc/thing", "").0.as_deref(), Some("a GitHub personal token"));
    // What stands beside a key is not held against the key's shape.
    assert_eq!(seen("eu-west-1", "aws/region", "").1, Vec::<String>::new());
    assert_eq!(seen("https://api.stripe.example/x", "stripe/url", "").1, Vec::<String>::new());
}

#[test]
fn a_value_that_is_cut_or_mixed_up_is_said_to_be() {
    let doubts = seen("sk_live_abc", "a/b", "").1;
    assert_eq!(doubts, ["begins like a Stripe live key and has 11 characters, where 32 to 255 are usual"]);
    let odd = format!("ghp_{}!", "a".repeat(35));
    let doubts = seen(&odd, "github/token", "").1;
    assert_eq!(
        doubts,
        ["begins like a GitHub personal token and holds characters that such a one never has"]
    );
    let quoted = format!(" \"sk_live_{}\"", "a".repeat(24));
    let (label, doubts) = seen(&quoted, "stripe/key", "");
    assert_eq!(label.as_deref(), Some("a Stripe live key"));
    assert_eq!(doubts, ["begins with a blank", "has quotes round it"]);
    let open = format!("-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n", "a".repeat(300));
    let look = look(open.as_bytes(), &Meant { path: "ssh/key", description: "", kind: SecretType::SshKey });
    assert_eq!(look.doubts, ["begins like an SSH private key and is not complete"]);
}

#[test]
fn the_type_alone_makes_one_expect_something() {
    let of = |value: &str, kind| look(value.as_bytes(), &Meant { path: "x/y", description: "", kind }).doubts;
    assert_eq!(of("hello", SecretType::Certificate), ["does not look like a certificate (PEM)"]);
    assert_eq!(of("hello", SecretType::SshKey), ["does not look like an SSH key"]);
    assert_eq!(of("hello", SecretType::ConnectionString), ["does not look like a connection string"]);
    assert_eq!(of("postgres://u:p@h/db", SecretType::ConnectionString), Vec::<String>::new());
    assert_eq!(of("hello", SecretType::Password), Vec::<String>::new());
}

#[test]
fn mm2_no_sentence_holds_a_part_of_the_value() {
    for value in
        ["sk_live_CANARY", "CANARY=CANARY1", "ghp_CANARY!!", "\"CANARY\"", "CANARY\nCANARY", "\u{200b}CANARY"]
    {
        let (label, doubts) = seen(value, "stripe/key", "github");
        assert!(!format!("{label:?}{doubts:?}").contains("CANARY"), "{value:?}");
        assert!(!doubts.is_empty(), "{value:?}");
    }
    let look = look(b"\xff\xfeCANARY", &meant("a", ""));
    assert_eq!(look.doubts.len(), 1);
}
