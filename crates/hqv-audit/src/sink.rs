//! Where lines go: a file, or memory for measuring.
//!
//! The file is opened for appending, so that a second writer could not overwrite; each call writes all
//! of its bytes or, as far as the file system lets it, none.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt},
    path::PathBuf,
};

use hqv_sys::files::{Access, fsync_dir, open_private};

/// What the file under the log looks like from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As we left it.
    Same,
    /// The name is gone, or belongs to another file.
    Elsewhere,
    /// Somebody cut it or wrote into it; its length is not ours.
    Changed,
}

/// A place for lines.
pub trait Sink: Send {
    /// Writes all bytes at the end. After an error the bytes of this call are gone again, or the next
    /// call takes them away first.
    ///
    /// # Errors
    /// What the system said; nothing counts as written.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Looks whether the lines are still where a reader expects them.
    fn standing(&mut self) -> Standing;

    /// Opens the expected place anew, creating it where missing.
    ///
    /// # Errors
    /// What the system said; the old place stays in use.
    fn reopen(&mut self) -> io::Result<()>;

    /// The same without a sync of the folder, which the next sync of the record brings to the disk too.
    ///
    /// # Errors
    /// As [`Sink::reopen`].
    fn reopen_unsynced(&mut self) -> io::Result<()> {
        self.reopen()
    }

    /// Bytes in the place; 0 where it is no file that could be set aside.
    fn bytes(&self) -> u64 {
        0
    }

    /// Gives the file another name in its folder. Lines still go there until [`Sink::reopen`].
    ///
    /// # Errors
    /// What the system said, also where that name is taken; nothing was changed.
    fn set_aside(&mut self, name: &str) -> io::Result<()> {
        let _ = name;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// A second handle, to be synced without holding up the writer.
    ///
    /// # Errors
    /// What the system said, or that there is no file.
    fn file(&self) -> io::Result<File>;
}

/// The log file.
pub struct FileSink {
    path: PathBuf,
    file: File,
    len: u64,
    torn: bool,
}

impl FileSink {
    /// Opens or creates the log. The directory entry is synced, so that a power cut cannot take the file.
    ///
    /// # Errors
    /// Not a private regular file of ours, or what the system said.
    pub fn open(path: PathBuf) -> io::Result<Self> {
        let file = open_private(&path, Access::Append)?;
        let len = file.metadata()?.len();
        if len == 0
            && let Some(dir) = path.parent()
        {
            fsync_dir(dir)?;
        }
        Ok(FileSink { path, file, len, torn: false })
    }

    /// Whether a line can follow what is there.
    fn ends_with_newline(&self) -> io::Result<bool> {
        let Some(last) = self.len.checked_sub(1) else {
            return Ok(true);
        };
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, last)?;
        Ok(byte == *b"\n")
    }

    /// Cuts the file, to take a torn last line away.
    ///
    /// # Errors
    /// What the system said.
    pub fn cut_to(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.len = len;
        self.torn = false;
        Ok(())
    }
}

impl Sink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.torn {
            self.cut_to(self.len)?;
        }
        match self.file.write_all(bytes) {
            Ok(()) => {
                self.len += bytes.len() as u64;
                Ok(())
            }
            Err(e) => {
                self.torn = self.file.set_len(self.len).is_err();
                Err(e)
            }
        }
    }

    fn standing(&mut self) -> Standing {
        let Ok(ours) = self.file.metadata() else {
            return Standing::Elsewhere;
        };
        let Ok(named) = fs::symlink_metadata(&self.path) else {
            return Standing::Elsewhere;
        };
        if (ours.dev(), ours.ino()) != (named.dev(), named.ino()) {
            Standing::Elsewhere
        } else if !self.torn && ours.len() != self.len {
            Standing::Changed
        } else {
            Standing::Same
        }
    }

    fn reopen(&mut self) -> io::Result<()> {
        let mut fresh = FileSink::open(self.path.clone())?;
        if !fresh.ends_with_newline()? {
            fresh.write(b"\n")?;
        }
        *self = fresh;
        Ok(())
    }

    fn reopen_unsynced(&mut self) -> io::Result<()> {
        let file = open_private(&self.path, Access::Append)?;
        let len = file.metadata()?.len();
        let mut fresh = FileSink { path: self.path.clone(), file, len, torn: false };
        if !fresh.ends_with_newline()? {
            fresh.write(b"\n")?;
        }
        *self = fresh;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        self.len
    }

    fn set_aside(&mut self, name: &str) -> io::Result<()> {
        let to = self.path.with_file_name(name);
        if fs::symlink_metadata(&to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        fs::rename(&self.path, to)
    }

    fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }
}

/// Keeps nothing but the number of bytes, for measuring.
#[derive(Default)]
pub struct MemorySink {
    /// Bytes written so far.
    pub written: u64,
}

impl Sink for MemorySink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        Ok(())
    }

    fn standing(&mut self) -> Standing {
        Standing::Same
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn file(&self) -> io::Result<File> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "memory has no file"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A handle that can only read stands in for a disk that takes nothing and lets nothing be cut.
    #[test]
    fn au2_a_torn_write_that_could_not_be_cut_is_cut_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let mut sink = FileSink::open(dir.path().join("audit.log")).unwrap();
        sink.write(b"whole\n").unwrap();
        let writable = std::mem::replace(&mut sink.file, File::open(dir.path().join("audit.log")).unwrap());
        assert!(sink.write(b"lost\n").is_err());
        assert!(sink.torn);
        (&writable).write_all(b"half a li").unwrap();
        assert!(sink.write(b"lost\n").is_err());
        sink.file = writable;
        assert_eq!(sink.standing(), Standing::Same);
        sink.write(b"next\n").unwrap();
        assert_eq!(fs::read(dir.path().join("audit.log")).unwrap(), b"whole\nnext\n");
        assert!(!sink.torn);
    }

    #[test]
    fn au2_a_name_that_is_gone_or_anothers_and_a_changed_length_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("audit.log");
        let mut sink = FileSink::open(path.clone()).unwrap();
        sink.write(b"line\n").unwrap();
        assert_eq!(sink.standing(), Standing::Same);
        fs::rename(&path, dir.path().join("moved")).unwrap();
        assert_eq!(sink.standing(), Standing::Elsewhere);
        fs::write(&path, b"").unwrap();
        assert_eq!(sink.standing(), Standing::Elsewhere);
        fs::rename(dir.path().join("moved"), &path).unwrap();
        assert_eq!(sink.standing(), Standing::Same);
        sink.file.set_len(2).unwrap();
        assert_eq!(sink.standing(), Standing::Changed);
    }
}
