//! Rust text without its comments and without what stands in strings and characters.
//!
//! A word in a comment or a string is no use of it. This is not a parser: it keeps every line break, so that
//! line numbers hold, and puts a blank for whatever it removes.

/// The code alone, line for line.
pub fn only(text: &str) -> String {
    let mut lexer = Lexer { rest: text, out: String::with_capacity(text.len()), after_word: false };
    while lexer.step() {}
    lexer.out
}

struct Lexer<'a> {
    rest: &'a str,
    out: String,
    /// Whether the last thing was a letter: `r"` begins a string, `for"` does not.
    after_word: bool,
}

impl Lexer<'_> {
    fn step(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        let length = if self.rest.starts_with("//") {
            self.rest.find('\n').unwrap_or(self.rest.len())
        } else if self.rest.starts_with("/*") {
            block_comment(self.rest)
        } else if let Some(length) = raw_string(self.rest).filter(|_| !self.after_word) {
            length
        } else if first == '"' {
            quoted(self.rest, '"')
        } else if first == '\'' {
            character(self.rest)
        } else {
            0
        };
        if length == 0 {
            self.out.push(first);
            self.rest = self.rest.get(first.len_utf8()..).unwrap_or("");
            self.after_word = first.is_alphanumeric() || first == '_';
        } else {
            let (gone, rest) = self.rest.split_at(length);
            self.out.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
            self.rest = rest;
            self.after_word = false;
        }
        true
    }
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0usize);
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"..."`, `br#"..."#` and their like at the start of `text`.
fn raw_string(text: &str) -> Option<usize> {
    let rest =
        text.strip_prefix("br").or_else(|| text.strip_prefix("cr")).or_else(|| text.strip_prefix('r'))?;
    let hashes = rest.bytes().take_while(|b| *b == b'#').count();
    let body = rest.get(hashes..)?.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let before = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |at| before + at + end.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, or 0 where the quote begins a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => quoted(text, '\''),
        (_, Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// Whether `word` stands in `line` with no letter, digit or `_` at either side of it.
pub fn has_word(line: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// The line (from 0) at which the tests inside a source file begin; the number of lines where there are none.
pub fn tests_from(text: &str) -> usize {
    let found = text.lines().position(|line| line.trim_start().starts_with("#[cfg(test)]"));
    found.unwrap_or_else(|| text.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_are_blank() {
        for text in [
            "// unsafe\n",
            "/* a /* unsafe */ b */",
            "\"a \\\" unsafe\"",
            "r#\"unsafe \" \"#",
            "br\"unsafe\"",
            "b'\\'' ; // unsafe",
        ] {
            assert!(!only(text).contains("unsafe"), "{text}");
        }
        for text in [
            "'\"'; unsafe { }",
            "fn a<'a>(x: &'a str) { unsafe {} }",
            "\"\\\\\"; unsafe {}",
            "for\"\" unsafe",
        ] {
            assert!(only(text).contains("unsafe"), "{text}");
        }
    }

    #[test]
    fn lines_stay_where_they_were() {
        let text = "a\n/* b\nc */ d\n\"e\nf\" g\n";
        assert_eq!(only(text).lines().count(), text.lines().count());
        assert_eq!(only(text).lines().nth(4).map(str::trim), Some("g"));
    }

    #[test]
    fn words_are_whole() {
        assert!(has_word("let x = unsafe { y };", "unsafe"));
        assert!(!has_word("forbid(unsafe_code)", "unsafe"));
        assert!(!has_word("my_unsafe", "unsafe"));
    }

    #[test]
    fn tests_begin_at_their_attribute() {
        assert_eq!(tests_from("a\n#[cfg(test)]\nmod tests {}\n"), 1);
        assert_eq!(tests_from("a\nb\n"), 2);
    }
}
