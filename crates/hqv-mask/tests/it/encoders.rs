//! The forms once more, written independently of the crate: what programs print.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

/// A value as a program might print it. `name` is for messages.
pub struct Form {
    pub name: String,
    pub text: Vec<u8>,
}

fn form(name: impl Into<String>, text: impl Into<Vec<u8>>) -> Form {
    Form { name: name.into(), text: text.into() }
}

/// Every form of `value` that hides it wholly: nothing of the text may be left.
pub fn all(value: &[u8]) -> Vec<Form> {
    let mut forms = vec![form("itself", value)];
    for (name, engine) in [
        ("base64", &STANDARD),
        ("base64 without padding", &STANDARD_NO_PAD),
        ("base64url", &URL_SAFE),
        ("base64url without padding", &URL_SAFE_NO_PAD),
    ] {
        let text = engine.encode(value);
        for width in [1, 4, 7, 16, 60, 64, 76] {
            forms.push(form(format!("{name}, LF at {width}"), wrapped(text.as_bytes(), width, "\n")));
            forms.push(form(format!("{name}, CRLF at {width}"), wrapped(text.as_bytes(), width, "\r\n")));
            forms.push(form(
                format!("{name}, indented at {width}"),
                wrapped(text.as_bytes(), width, "\n    "),
            ));
        }
        forms.push(form(name, text));
    }
    forms.extend(digits(value));
    forms.extend(percent(value));
    if let Ok(text) = std::str::from_utf8(value) {
        forms.extend(strings(text));
        forms.extend(shells(text));
        let units = || text.encode_utf16();
        forms.push(form("UTF-16LE", units().flat_map(u16::to_le_bytes).collect::<Vec<_>>()));
        forms.push(form("UTF-16BE", units().flat_map(u16::to_be_bytes).collect::<Vec<_>>()));
    }
    forms
}

/// Base64 of the value with `before` and `after` around it: the characters that hold nothing but bits of the value
/// must go. Gives the text, and where those begin and end.
pub fn base64_within(before: &[u8], value: &[u8], after: &[u8], url: bool) -> (Vec<u8>, usize, usize) {
    let all = [before, value, after].concat();
    let text = if url { URL_SAFE.encode(all) } else { STANDARD.encode(all) };
    let (start, end) = (before.len() * 8, (before.len() + value.len()) * 8);
    (text.into_bytes(), start.div_ceil(6), end / 6)
}

fn wrapped(text: &[u8], width: usize, line: &str) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.chunks(width).collect();
    lines.join(line.as_bytes())
}

fn digits(value: &[u8]) -> Vec<Form> {
    let joined = |f: &dyn Fn(&u8) -> String, by: &str| value.iter().map(f).collect::<Vec<_>>().join(by);
    let lower = joined(&|b| format!("{b:02x}"), "");
    let mixed: String =
        lower.chars().enumerate().map(|(n, c)| if n % 3 == 0 { c.to_ascii_uppercase() } else { c }).collect();
    let pairs: Vec<&str> =
        (0..lower.len()).step_by(4).map(|at| &lower[at..(at + 4).min(lower.len())]).collect();
    vec![
        form("hex wrapped", wrapped(lower.as_bytes(), 30, "\n")),
        form("hex mixed", mixed),
        form("hex upper", joined(&|b| format!("{b:02X}"), "")),
        form("hex with colons", joined(&|b| format!("{b:02X}"), ":")),
        form("hex with blanks", joined(&|b| format!("{b:02x}"), " ")),
        form("hex with hyphens", joined(&|b| format!("{b:02x}"), "-")),
        form("hex of Go", joined(&|b| format!("{b:02x}"), ", 0x")),
        form("hex of xxd", pairs.join(" ")),
        form("hex escapes", joined(&|b| format!("\\x{b:02x}"), "")),
        form("octal escapes", joined(&|b| format!("\\{b:03o}"), "")),
        form("decimal", joined(&u8::to_string, ",")),
        form("decimal with blanks", joined(&u8::to_string, ", ")),
        form("hex lower", lower),
    ]
}

fn percent(value: &[u8]) -> Vec<Form> {
    let unreserved = b"-._~";
    let sets: [(&str, &[u8]); 4] = [
        ("all", b""),
        ("RFC 3986", unreserved),
        ("JavaScript", b"-_.!~*'()"),
        ("path", b"-._~!$&'()*+,;=:@/"),
    ];
    let mut forms = Vec::new();
    for (name, kept) in sets {
        for upper in [true, false] {
            for plus in [true, false] {
                if plus && name == "path" {
                    continue;
                }
                let mut text = Vec::new();
                for byte in value {
                    let letters = name != "all" && byte.is_ascii_alphanumeric();
                    match byte {
                        b' ' if plus => text.push(b'+'),
                        _ if letters || kept.contains(byte) => text.push(*byte),
                        _ if upper => text.extend(format!("%{byte:02X}").bytes()),
                        _ => text.extend(format!("%{byte:02x}").bytes()),
                    }
                }
                let twice = String::from_utf8_lossy(&text).replace('%', "%25");
                if !plus {
                    forms.push(form(format!("percent of percent, {name}"), twice));
                }
                forms.push(form(format!("percent, {name}, upper {upper}, plus {plus}"), text));
            }
        }
    }
    forms
}

fn strings(text: &str) -> Vec<Form> {
    let json = json(text, false);
    vec![
        form("JSON in JSON", self::json(&json, false)),
        form("JSON with \\/", json.replace('/', "\\/")),
        form("JSON, ASCII", self::json(text, true)),
        form(
            "JSON, all in \\u",
            text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect::<String>(),
        ),
        form("Rust", text.escape_default().to_string()),
        form("Debug", text.escape_debug().to_string()),
        form("HTML", html(text)),
        form("HTML in numbers", text.chars().map(|c| format!("&#{};", u32::from(c))).collect::<String>()),
        form("HTML in hex", text.chars().map(|c| format!("&#x{:x};", u32::from(c))).collect::<String>()),
        form("SQL", text.replace('\'', "''")),
        form("CSV", text.replace('"', "\"\"")),
        form("JSON", json),
    ]
}

fn html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

fn json(text: &str, ascii: bool) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' || (ascii && !c.is_ascii()) => {
                let mut units = [0; 2];
                c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")));
            }
            c => out.push(c),
        }
    }
    out
}

fn shells(text: &str) -> Vec<Form> {
    let dollar = text.chars().fold(String::new(), |out, c| match c {
        '\n' => out + "\\n",
        '\t' => out + "\\t",
        '\\' => out + "\\\\",
        '\'' => out + "\\'",
        c if c.is_ascii_control() => out + &format!("\\{:03o}", u32::from(c)),
        c => out + &c.to_string(),
    });
    let special = |c: char| c.is_ascii_punctuation() && !"-_./:@%+=,".contains(c);
    let quoted = |newline: &str| {
        text.chars().fold(String::new(), |out, c| match c {
            '\n' => out + newline,
            c if special(c) || c == ' ' => out + "\\" + &c.to_string(),
            c => out + &c.to_string(),
        })
    };
    let double = text.chars().fold(String::new(), |out, c| match c {
        '"' | '\\' | '$' | '`' => out + "\\" + &c.to_string(),
        c => out + &c.to_string(),
    });
    vec![
        form("'...'", text.replace('\'', r"'\''")),
        form("'...' of Python", text.replace('\'', "'\"'\"'")),
        form("$'...'", dollar),
        form("\"...\"", double),
        form("bash %q", quoted("\n")),
        form("zsh (q)", quoted("$'\\n'")),
    ]
}
