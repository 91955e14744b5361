//! Lines of a file in order, in bounded memory whatever the file holds.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

const ENDLESS: u64 = 1024 * 1024;

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// With its newline.
    Whole,
    /// With the file.
    Torn,
    /// Not within any length that a line can have; its start was kept, the rest skipped.
    Endless,
    /// There is no further line.
    File,
}

pub(super) struct Lines {
    reader: BufReader<File>,
}

impl Lines {
    pub(super) fn of(file: File) -> Self {
        Lines { reader: BufReader::with_capacity(1024 * 1024, file) }
    }

    /// Reads the next line into `line`, without its newline.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> io::Result<LineEnd> {
        line.clear();
        let n = (&mut self.reader).take(ENDLESS).read_until(b'\n', line)?;
        if n == 0 {
            return Ok(LineEnd::File);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
            return Ok(LineEnd::Whole);
        }
        if (n as u64) < ENDLESS {
            return Ok(LineEnd::Torn);
        }
        self.reader.skip_until(b'\n')?;
        Ok(LineEnd::Endless)
    }
}
