//! Colour, which only ever repeats what the words say.

/// Paints, or leaves plain.
#[derive(Clone, Copy, Debug)]
pub struct Paint {
    on: bool,
}

impl Paint {
    /// Paints when `on`.
    pub fn new(on: bool) -> Paint {
        Paint { on }
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Headers.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// Times and what is beside the point.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    /// Live.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// Soon.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// Refused or ended.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }
}
