//! Tables: aligned columns, two blanks between, never wider than the terminal.
//!
//! The last column that may give way does (a description); paths never do. In
//! a pipe there is no header and nothing is cut, so that a script sees it all.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::Out;
use super::error::Failure;

/// How a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// What a cell's words already say, for its colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// A time.
    Dim,
    /// Live.
    Good,
    /// Soon.
    Soon,
    /// Refused or ended.
    Bad,
}

struct Column {
    title: &'static str,
    align: Align,
    gives_way: bool,
}

struct Cell {
    text: String,
    tone: Tone,
}

/// A table being filled.
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// No columns yet.
    pub fn new() -> Table {
        Table { columns: Vec::new(), rows: Vec::new() }
    }

    /// A column of words.
    #[must_use]
    pub fn left(mut self, title: &'static str) -> Table {
        self.columns.push(Column { title, align: Align::Left, gives_way: false });
        self
    }

    /// A column of numbers.
    #[must_use]
    pub fn right(mut self, title: &'static str) -> Table {
        self.columns.push(Column { title, align: Align::Right, gives_way: false });
        self
    }

    /// A column of words that is cut where the terminal ends.
    #[must_use]
    pub fn yielding(mut self, title: &'static str) -> Table {
        self.columns.push(Column { title, align: Align::Left, gives_way: true });
        self
    }

    /// A row. Outside text is escaped here, once for every table.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = (&'a str, Tone)>) {
        let cells = cells
            .into_iter()
            .map(|(text, tone)| Cell { text: hqv_model::escape_controls(text).into_owned(), tone })
            .collect();
        self.rows.push(cells);
    }

    /// Writes it as data.
    pub fn print(&self, out: &Out) -> Result<(), Failure> {
        for line in self.lines(out.width(), out.to_terminal(), out.paint) {
            out.line(line)?;
        }
        Ok(())
    }

    fn lines(&self, width: Option<usize>, header: bool, paint: super::color::Paint) -> Vec<String> {
        let widths = self.widths(width, header);
        let mut lines = Vec::with_capacity(self.rows.len() + 1);
        if header && !self.rows.is_empty() {
            let titles = self.columns.iter().map(|c| c.title);
            let cells: Vec<String> =
                titles.zip(&self.columns).zip(&widths).map(|((t, c), w)| pad(t, *w, c.align)).collect();
            lines.push(paint.bold(cells.join("  ").trim_end()));
        }
        for row in &self.rows {
            let mut line = String::new();
            for (i, ((cell, column), width)) in row.iter().zip(&self.columns).zip(&widths).enumerate() {
                if i > 0 {
                    line.push_str("  ");
                }
                let padded = pad(&cut(&cell.text, *width), *width, column.align);
                line.push_str(&tint(paint, cell.tone, &padded));
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    fn widths(&self, limit: Option<usize>, header: bool) -> Vec<usize> {
        let mut widths: Vec<usize> =
            self.columns.iter().map(|c| if header { c.title.width() } else { 0 }).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        let Some(limit) = limit else { return widths };
        let total = widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1);
        if let Some(at) = self.columns.iter().rposition(|c| c.gives_way)
            && let Some(width) = widths.get_mut(at)
        {
            let floor = self.columns.get(at).map_or(0, |c| c.title.width());
            *width = width.saturating_sub(total.saturating_sub(limit)).max(floor.min(*width));
        }
        widths
    }
}

fn tint(paint: super::color::Paint, tone: Tone, text: &str) -> String {
    match tone {
        Tone::Plain => text.to_owned(),
        Tone::Dim => paint.dim(text),
        Tone::Good => paint.green(text),
        Tone::Soon => paint.yellow(text),
        Tone::Bad => paint.red(text),
    }
}

fn pad(text: &str, width: usize, align: Align) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.width()));
    match align {
        Align::Left => format!("{text}{blanks}"),
        Align::Right => format!("{blanks}{text}"),
    }
}

/// Cuts at a character, with an ellipsis, so that `width` columns are not exceeded.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(c);
    }
    if width > 0 { kept + "…" } else { String::new() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cli::output::color::Paint;

    fn sample() -> Table {
        let mut table = Table::new().left("PATH").right("VERSION").yielding("DESCRIPTION");
        table.row([
            ("aws/deploy/access-key", Tone::Plain),
            ("3", Tone::Plain),
            ("deploy user, eu-west-1", Tone::Plain),
        ]);
        table.row([("a", Tone::Plain), ("12", Tone::Plain), ("", Tone::Plain)]);
        table
    }

    #[test]
    fn numbers_stand_to_the_right_and_a_pipe_has_no_header() {
        let lines = sample().lines(None, false, Paint::new(false));
        assert_eq!(lines[0], "aws/deploy/access-key   3  deploy user, eu-west-1");
        assert_eq!(lines[1], "a                      12");
    }

    #[test]
    fn the_description_gives_way_and_the_path_never_does() {
        let lines = sample().lines(Some(50), true, Paint::new(false));
        assert!(lines.iter().all(|l| l.width() <= 50), "{lines:?}");
        assert!(lines[1].starts_with("aws/deploy/access-key") && lines[1].ends_with('…'), "{lines:?}");
        let narrow = sample().lines(Some(10), true, Paint::new(false));
        assert!(narrow[1].starts_with("aws/deploy/access-key"));
    }

    #[test]
    fn in6_outside_text_is_escaped() {
        let mut table = Table::new().left("PATH");
        table.row([("a\x1b[31m\nb", Tone::Plain)]);
        let lines = table.lines(None, false, Paint::new(false));
        assert_eq!(lines.len(), 1);
        assert!(!lines[0].contains('\x1b') && !lines[0].contains('\n'));
    }

    #[test]
    fn wide_characters_count_as_two() {
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(pad("日", 4, Align::Left), "日  ");
    }
}
