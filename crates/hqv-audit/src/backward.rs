//! Lines of a file from its end, without reading what lies before them.

use std::{fs::File, os::unix::fs::FileExt};

use crate::AuditError;

const BLOCK: usize = 256 * 1024;
/// Longer than any line of ours by far: what has no newline for so long is not a log.
const ENDLESS: usize = 1024 * 1024;

/// Walks from a position towards the start. The position must be 0 or just behind a newline.
pub(crate) struct Backward<'f> {
    file: &'f File,
    /// Where in the file `buf` begins.
    base: u64,
    buf: Vec<u8>,
    /// What of `buf` was not handed out yet.
    left: usize,
}

impl<'f> Backward<'f> {
    pub(crate) fn new(file: &'f File, end: u64) -> Self {
        Backward { file, base: end, buf: Vec::new(), left: 0 }
    }

    /// The line before, with its offset and without its newline.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, &[u8])>, AuditError> {
        if self.left == 0 && !self.load()? {
            return Ok(None);
        }
        let mut searched = 0;
        let start = loop {
            let before = self.buf.get(..self.left - 1 - searched).unwrap_or_default();
            if let Some(newline) = before.iter().rposition(|b| *b == b'\n') {
                break newline + 1;
            }
            if self.left > ENDLESS {
                return Err(AuditError::NotALog("a line without an end".into()));
            }
            searched = self.left - 1;
            if !self.load()? {
                break 0;
            }
        };
        let end = self.left - 1;
        self.left = start;
        let line = self.buf.get(start..end).unwrap_or_default();
        Ok(Some((self.base + start as u64, line)))
    }

    /// Puts the block before `base` in front of what is left.
    fn load(&mut self) -> Result<bool, AuditError> {
        let size = u64::try_from(BLOCK).unwrap_or(u64::MAX).min(self.base);
        if size == 0 {
            return Ok(false);
        }
        let from = self.base - size;
        let mut block = vec![0; usize::try_from(size).unwrap_or(BLOCK)];
        self.file.read_exact_at(&mut block, from)?;
        let fresh = block.len();
        block.extend_from_slice(self.buf.get(..self.left).unwrap_or_default());
        self.buf = block;
        self.left += fresh;
        self.base = from;
        Ok(true)
    }
}

/// The length of the file's whole lines; what follows the last newline is torn.
pub(crate) fn whole_lines(file: &File, len: u64) -> Result<u64, AuditError> {
    let mut end = len;
    while end > 0 {
        let size = end.min(BLOCK as u64);
        let mut block = vec![0; usize::try_from(size).unwrap_or(BLOCK)];
        file.read_exact_at(&mut block, end - size)?;
        if let Some(newline) = block.iter().rposition(|b| *b == b'\n') {
            return Ok(end - size + newline as u64 + 1);
        }
        end -= size;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use super::*;

    fn file_of(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    #[test]
    fn lines_come_back_in_reverse_whatever_the_blocks_cut() {
        let sizes = [0, 1, 5, BLOCK - 1, BLOCK, BLOCK + 1, 3, 0, 0, 2 * BLOCK + 7];
        let lines: Vec<Vec<u8>> = sizes.iter().map(|size| vec![b'x'; *size]).collect();
        let bytes: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
        let file = file_of(&bytes);
        let mut walk = Backward::new(&file, bytes.len() as u64);
        let mut offset = bytes.len();
        for line in lines.iter().rev() {
            offset -= line.len() + 1;
            assert_eq!(walk.next().unwrap(), Some((offset as u64, line.as_slice())));
        }
        assert_eq!(walk.next().unwrap(), None);
    }

    #[test]
    fn what_has_no_newline_for_a_mebibyte_is_not_a_log() {
        let file = file_of(&[vec![b'x'; 2 * ENDLESS], b"\n".to_vec()].concat());
        assert!(Backward::new(&file, 2 * ENDLESS as u64 + 1).next().is_err());
        assert_eq!(whole_lines(&file, 2 * ENDLESS as u64).unwrap(), 0);
        assert_eq!(whole_lines(&file, 2 * ENDLESS as u64 + 1).unwrap(), 2 * ENDLESS as u64 + 1);
    }
}
