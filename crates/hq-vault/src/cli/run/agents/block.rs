//! A text of ours between two markers in somebody else's file.
//!
//! The rest of the file stays as it is, to the byte, and can be had back: how the text was joined to the file
//! shows from the result alone. It takes the file's own line ends. It is set off by one line end, and where
//! the file had none at its end, by two, and then ours has none either. A file that we made begins with our
//! header and the marker follows at once. The marker tells how many folders were made for it.

use super::harness::Comment;

/// What is wrong with the markers in a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Damage {
    /// A first marker and no second, or the other way round, or in the wrong order.
    Half,
    /// More than one pair.
    Twice,
}

impl Damage {
    /// What to say of it, after the file's name.
    pub fn sentence(&self) -> &'static str {
        match self {
            Damage::Half => "has only one of the two hq-vault markers, or has them in the wrong order",
            Damage::Twice => "has the hq-vault markers more than once",
        }
    }
}

/// A file without our text.
#[derive(Debug, PartialEq, Eq)]
pub enum Without {
    /// It had none.
    Unchanged,
    /// It was ours alone: the file goes, and as many folders as were made for it.
    File(usize),
    /// This is left.
    Rest(Vec<u8>),
}

/// A text and how it is marked.
pub struct Block<'a> {
    /// How a marker is written.
    pub comment: Comment,
    /// What a file of ours begins with.
    pub header: &'a str,
    /// The text, each line ended by `\n`.
    pub text: &'a str,
}

impl Block<'_> {
    /// A file that holds nothing else, with `folders` made for it.
    pub fn alone(&self, folders: usize) -> Vec<u8> {
        format!("{}{}\n", self.header, self.render("\n", folders)).into_bytes()
    }

    /// `file` with our text in it: put in its old place, else at the end.
    pub fn put(&self, file: &[u8]) -> Result<Vec<u8>, Damage> {
        if let Some(found) = self.find(file)? {
            let end = end_of_line(part(file, found.begin..));
            let (before, after) = (part(file, ..found.begin), part(file, found.end..));
            return Ok([before, self.render(end, found.folders).as_bytes(), after].concat());
        }
        let end = line_end(file);
        let (join, close) = if file.is_empty() || file.ends_with(b"\n") { (end, end) } else { (end, "") };
        let blank = if close.is_empty() { end } else { "" };
        let ours = self.render(end, 0);
        Ok([file, join.as_bytes(), blank.as_bytes(), ours.as_bytes(), close.as_bytes()].concat())
    }

    /// `file` without our text.
    pub fn take(&self, file: &[u8]) -> Result<Without, Damage> {
        let Some(found) = self.find(file)? else { return Ok(Without::Unchanged) };
        let end = end_of_line(part(file, found.begin..));
        let (before, after) = (part(file, ..found.begin), part(file, found.end..));
        let rest = after.strip_prefix(end.as_bytes());
        if before == self.header.as_bytes() && rest.unwrap_or(after).is_empty() {
            return Ok(Without::File(found.folders));
        }
        let before = match rest {
            Some(_) => without_blank_line(before, end),
            None => before.strip_suffix(end.repeat(2).as_bytes()).unwrap_or(before),
        };
        Ok(Without::Rest([before, rest.unwrap_or(after)].concat()))
    }

    fn render(&self, end: &str, folders: usize) -> String {
        let (open, close) = self.brackets();
        let made = if folders == 0 { String::new() } else { format!(" folders={folders}") };
        let text = self.text.replace('\n', end);
        format!("{open} hq-vault:begin{made}{close}{end}{text}{open} hq-vault:end{close}")
    }

    fn brackets(&self) -> (&'static str, &'static str) {
        match self.comment {
            Comment::Html => ("<!--", " -->"),
            Comment::Hash => ("#", ""),
        }
    }

    /// Where our text stands, from its first marker to the end of its last.
    fn find(&self, file: &[u8]) -> Result<Option<Found>, Damage> {
        let (mut begin, mut end) = (None, None);
        for (at, line) in lines(file) {
            let Some((word, folders)) = self.marker(line) else { continue };
            let place = if word == "begin" { &mut begin } else { &mut end };
            if place.replace((at, at + line.len(), folders)).is_some() {
                return Err(Damage::Twice);
            }
        }
        match (begin, end) {
            (None, None) => Ok(None),
            (Some((begin, close, folders)), Some((open, end, _))) if close < open => {
                Ok(Some(Found { begin, end, folders }))
            }
            _ => Err(Damage::Half),
        }
    }

    /// `begin` or `end`, where the line is a marker and nothing else.
    fn marker(&self, line: &[u8]) -> Option<(&'static str, usize)> {
        let (open, close) = self.brackets();
        let text = std::str::from_utf8(line).ok()?.strip_prefix(open)?.strip_suffix(close)?;
        match text.strip_prefix(" hq-vault:")? {
            "end" => Some(("end", 0)),
            "begin" => Some(("begin", 0)),
            text => Some(("begin", text.strip_prefix("begin folders=")?.parse().ok()?)),
        }
    }
}

struct Found {
    begin: usize,
    end: usize,
    folders: usize,
}

fn part<R: std::slice::SliceIndex<[u8], Output = [u8]>>(bytes: &[u8], range: R) -> &[u8] {
    bytes.get(range).unwrap_or_default()
}

/// Each line without its end, and where it begins. A byte order mark is not part of the first.
fn lines(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let start = if file.starts_with(BOM) { BOM.len() } else { 0 };
    part(file, start..).split_inclusive(|b| *b == b'\n').scan(start, |at, line| {
        let begin = *at;
        *at += line.len();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some((begin, line.strip_suffix(b"\r").unwrap_or(line)))
    })
}

const BOM: &[u8] = b"\xef\xbb\xbf";

/// The line end that `file` uses: that of its last line.
fn line_end(file: &[u8]) -> &'static str {
    let Some(at) = file.iter().rposition(|b| *b == b'\n') else { return "\n" };
    if part(file, ..at).ends_with(b"\r") { "\r\n" } else { "\n" }
}

/// The line end of the first line of `text`.
fn end_of_line(text: &[u8]) -> &'static str {
    let first = text.split_inclusive(|b| *b == b'\n').next().unwrap_or_default();
    if first.ends_with(b"\r\n") { "\r\n" } else { "\n" }
}

/// Without the line end that set our text off, where one did.
fn without_blank_line<'a>(before: &'a [u8], end: &str) -> &'a [u8] {
    match before.strip_suffix(end.as_bytes()) {
        Some(rest) if rest.is_empty() || rest.ends_with(b"\n") => rest,
        _ => before,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "---\nname: x\n---\n";

    fn block(comment: Comment, header: &'static str) -> Block<'static> {
        Block { comment, header, text: "one\ntwo\n" }
    }

    fn html() -> Block<'static> {
        block(Comment::Html, "")
    }

    #[test]
    fn it_is_set_off_by_one_line_and_takes_the_file_s_line_ends() {
        let ours = "<!-- hq-vault:begin -->\none\ntwo\n<!-- hq-vault:end -->";
        let put = |file: &str| String::from_utf8(html().put(file.as_bytes()).unwrap()).unwrap();
        assert_eq!(put("a\n"), format!("a\n\n{ours}\n"));
        assert_eq!(put("a"), format!("a\n\n{ours}"));
        assert_eq!(put("a\r\n"), format!("a\n\n{ours}\n").replace('\n', "\r\n"));
        assert_eq!(put(""), format!("\n{ours}\n"));
        let hash = block(Comment::Hash, "").alone(2);
        assert_eq!(hash, b"# hq-vault:begin folders=2\none\ntwo\n# hq-vault:end\n");
    }

    #[test]
    fn a_changed_text_takes_the_old_one_s_place_and_what_follows_stays() {
        let old = Block { text: "old\n", ..html() };
        let mut file = old.put(b"a\n").unwrap();
        file.extend_from_slice(b"after\n");
        let new = html().put(&file).unwrap();
        assert!(new.ends_with(b"two\n<!-- hq-vault:end -->\nafter\n"));
        assert_eq!(html().take(&new).unwrap(), Without::Rest(b"a\nafter\n".to_vec()));
    }

    #[test]
    fn a_file_of_ours_goes_with_its_folders_and_one_with_more_in_it_stays() {
        for header in ["", HEADER] {
            let ours = block(Comment::Html, header);
            let file = ours.alone(3);
            assert_eq!(ours.put(&file).unwrap(), file);
            assert_eq!(ours.take(&file).unwrap(), Without::File(3));
            let more = [&file[..], b"mine\n"].concat();
            assert_eq!(ours.take(&more).unwrap(), Without::Rest([header.as_bytes(), b"mine\n"].concat()));
        }
    }

    #[test]
    fn damaged_markers_are_told_apart() {
        let (begin, end) = ("<!-- hq-vault:begin -->\n", "<!-- hq-vault:end -->\n");
        for (file, damage) in [
            (begin.to_owned(), Damage::Half),
            (end.to_owned(), Damage::Half),
            (format!("{end}{begin}"), Damage::Half),
            (format!("{begin}{end}{begin}{end}"), Damage::Twice),
            (format!("{begin}{begin}{end}"), Damage::Twice),
            (format!("{begin}{end}{end}"), Damage::Twice),
        ] {
            assert_eq!(html().put(file.as_bytes()).unwrap_err(), damage, "{file}");
            assert_eq!(html().take(file.as_bytes()).unwrap_err(), damage, "{file}");
        }
        let prose = b"write <!-- hq-vault:begin --> there\n";
        assert_eq!(html().take(prose).unwrap(), Without::Unchanged);
    }

    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => Just("\n".as_bytes().to_vec()),
            2 => Just(b"\r\n".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just(BOM.to_vec()),
            1 => Just(HEADER.as_bytes().to_vec()),
            1 => Just(b"see <!-- hq-vault:begin --> and # hq-vault:end\n".to_vec()),
            2 => prop::collection::vec(any::<u8>(), 0..8),
            2 => "[a-z# ]{0,9}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn twice_in_and_once_out_gives_the_file_back(file in pieces(), hash: bool, ours: bool) {
            let comment = if hash { Comment::Hash } else { Comment::Html };
            let block = block(comment, if ours { HEADER } else { "" });
            let Ok(once) = block.put(&file) else { return Ok(()) };
            if block.take(&file) != Ok(Without::Unchanged) {
                return Ok(());
            }
            prop_assert_eq!(block.put(&once).unwrap(), once.clone());
            prop_assert_eq!(block.take(&once).unwrap(), Without::Rest(file));
        }
    }
}
