//! Slips of copying and pasting, whatever the value is meant to be.

use hqv_model::SecretType;
use zeroize::Zeroizing;

/// Words that stand where a value belongs.
const PLACEHOLDERS: [&str; 13] = [
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "example",
    "todo",
    "tbd",
    "secret",
    "password",
    "none",
    "null",
    "undefined",
    "redacted",
];

/// The text without what surrounds it by a slip: blanks, and a pair of quotes.
pub fn bare(text: &str) -> &str {
    let text = text.trim();
    let quoted = QUOTES.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    quoted.unwrap_or(text)
}

const QUOTES: [(char, char); 5] =
    [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')];

/// Each slip as a sentence without its subject.
pub fn of(text: &str, kind: SecretType) -> Vec<String> {
    let mut found = Vec::new();
    let mut say = |is: bool, words: &str| {
        if is {
            found.push(words.to_owned());
        }
    };
    let lines = text.trim_end_matches(['\n', '\r']).contains('\n');
    let one_line = !lines;
    say(one_line && text.starts_with(char::is_whitespace), "begins with a blank");
    say(one_line && text.ends_with(char::is_whitespace), "ends with a blank");
    let trimmed = text.trim();
    say(one_line && bare(text).len() < trimmed.len(), "has quotes round it");
    say(lines && wants_one_line(kind), "has several lines");
    say(text.contains('\0'), "holds a NUL byte");
    say(text.chars().any(is_control), "holds control characters");
    say(text.chars().any(is_unseen), "holds characters that cannot be seen");
    say(one_line && is_assignment(trimmed), "has a name and = before it");
    say(one_line && is_placeholder(trimmed), "looks like a placeholder");
    found
}

fn wants_one_line(kind: SecretType) -> bool {
    matches!(kind, SecretType::ApiKey | SecretType::OauthToken | SecretType::Password)
}

fn is_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\0')
}

/// Blanks of other widths, joiners, marks of direction and of byte order: they come with text from pages.
fn is_unseen(c: char) -> bool {
    hqv_model::is_bidi_control(c)
        || matches!(
            c,
            '\u{a0}' | '\u{ad}' | '\u{2000}'
                ..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
        )
}

/// `STRIPE_KEY=...`, with or without `export`. A base64 value ends with its `=`.
fn is_assignment(text: &str) -> bool {
    let text = text.strip_prefix("export ").unwrap_or(text);
    let Some((name, value)) = text.split_once('=') else { return false };
    let first = name.starts_with(|c: char| c.is_ascii_uppercase());
    let shouted = name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    first && shouted && name.len() >= 3 && !value.trim_matches('=').is_empty()
}

fn is_placeholder(text: &str) -> bool {
    let small = Zeroizing::new(bare(text).to_lowercase());
    let within = |open: &str, close: &str| small.starts_with(open) && small.ends_with(close);
    let filler = |c: char| matches!(c, 'x' | '*' | '.' | '\u{2022}' | '\u{2026}' | '_' | '-' | '0');
    let masked = small.contains("...")
        || small.contains('\u{2026}')
        || small.contains("***")
        || small.contains("\u{2022}\u{2022}")
        || small.contains("xxxx");
    PLACEHOLDERS.contains(&small.as_str())
        || within("<", ">")
        || within("${", "}")
        || within("{{", "}}")
        || small.starts_with("your-")
        || small.starts_with("your_")
        || small.starts_with("my-")
        || masked
        || (!small.is_empty() && small.chars().all(filler))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slips(text: &str) -> Vec<String> {
        of(text, SecretType::ApiKey)
    }

    #[test]
    fn ordinary_values_have_none() {
        for text in [
            "9f8e7d6c5b4a",
            "pa ss",
            "a=b",
            "QUJD+/==",
            "AB==",
            "https://u:p@h/d?x=1",
            "Tr0ub4dor&3",
            "\u{43a}\u{43b}\u{44e}\u{447}",
        ] {
            assert_eq!(slips(text), Vec::<String>::new(), "{text:?}");
        }
        assert_eq!(of("-----BEGIN X-----\nabc\n", SecretType::SshKey), Vec::<String>::new());
    }

    #[test]
    fn each_slip_has_its_sentence() {
        for (text, words) in [
            (" v1234567", "begins with a blank"),
            ("v1234567\t", "ends with a blank"),
            ("v1234567\r", "ends with a blank"),
            ("\"v1234567\"", "has quotes round it"),
            ("\u{201c}v1234567\u{201d}", "has quotes round it"),
            ("one\ntwo", "has several lines"),
            ("a\0b", "holds a NUL byte"),
            ("a\x1b[31mb", "holds control characters"),
            ("a\u{200b}b", "holds characters that cannot be seen"),
            ("STRIPE_KEY=v1234567", "has a name and = before it"),
            ("export STRIPE_KEY=v1234567", "has a name and = before it"),
            ("<your key>", "looks like a placeholder"),
            ("your-api-key", "looks like a placeholder"),
            ("${STRIPE_KEY}", "looks like a placeholder"),
            ("CHANGEME", "looks like a placeholder"),
            ("abcd...wxyz", "looks like a placeholder"),
            ("\u{2022}\u{2022}\u{2022}\u{2022}", "looks like a placeholder"),
        ] {
            assert_eq!(slips(text), [words], "{text:?}");
        }
    }

    #[test]
    fn what_is_bare_has_neither_blanks_nor_quotes() {
        assert_eq!(bare(" 'a b'\n"), "a b");
        assert_eq!(bare("\""), "\"");
        assert_eq!(bare("\"a'"), "\"a'");
    }
}
