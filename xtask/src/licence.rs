//! SPDX licence expressions: enough of them to answer whether a set of licences satisfies one.

/// Whether everything that `expression` asks for is among `allowed`. `MIT/Apache-2.0`, as old manifests
/// write it, means OR. An expression that cannot be read satisfies nothing.
pub fn satisfied(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut reader = Reader { words: &words, at: 0, allowed };
    let verdict = reader.or();
    verdict == Some(true) && reader.at == words.len()
}

struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    allowed: &'a [String],
}

impl Reader<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).copied()
    }

    fn took(&mut self, word: &str) -> bool {
        let here = self.peek() == Some(word);
        self.at += usize::from(here);
        here
    }

    fn or(&mut self) -> Option<bool> {
        let mut any = self.and()?;
        while self.took("OR") {
            any |= self.and()?;
        }
        Some(any)
    }

    fn and(&mut self) -> Option<bool> {
        let mut all = self.one()?;
        while self.took("AND") {
            all &= self.one()?;
        }
        Some(all)
    }

    fn one(&mut self) -> Option<bool> {
        if self.took("(") {
            let inner = self.or()?;
            return self.took(")").then_some(inner);
        }
        let mut name = self.peek().filter(|word| !["AND", "OR", "WITH", ")"].contains(word))?.to_owned();
        self.at += 1;
        if self.took("WITH") {
            name = format!("{name} WITH {}", self.peek()?);
            self.at += 1;
        }
        Some(self.allowed.contains(&name))
    }
}

#[cfg(test)]
mod tests {
    use super::satisfied;

    fn ok(expression: &str) -> bool {
        satisfied(expression, &["MIT".into(), "Apache-2.0".into(), "Unicode-3.0".into()])
    }

    #[test]
    fn one_of_or_and_all_of_and() {
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "GPL-3.0/MIT",
            "(MIT OR GPL-3.0) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR MIT",
        ] {
            assert!(ok(good), "{good}");
        }
        for bad in [
            "",
            "GPL-3.0",
            "MIT AND GPL-3.0",
            "Apache-2.0 WITH LLVM-exception",
            "(MIT OR GPL-3.0) AND GPL-2.0",
            "MIT AND",
            "(MIT",
            "MIT)",
            "MIT MIT",
        ] {
            assert!(!ok(bad), "{bad}");
        }
    }
}
