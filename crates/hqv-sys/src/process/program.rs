//! A program to be started: its words, its environment, where it lies. Everything is made before the fork, since
//! after it nothing may be allocated.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::ptr;

use zeroize::Zeroizing;

/// What execve(2) is given. The environment is wiped when dropped.
pub struct Program {
    /// Where the program may be, in order.
    places: Vec<CString>,
    words: Vec<CString>,
    /// `NAME=value`, each ended by NUL.
    env: Vec<Zeroizing<Vec<u8>>>,
    /// Descriptors that it inherits.
    kept: Vec<Kept>,
}

impl Program {
    /// `words`: the program and its arguments. `search`: where to look for a program without a slash.
    ///
    /// # Errors
    /// No word, or a NUL byte in one.
    pub fn new(words: &[OsString], search: &OsStr) -> io::Result<Program> {
        let name = words.first().filter(|name| !name.is_empty()).ok_or(io::ErrorKind::NotFound)?;
        let text =
            |bytes: &[u8]| CString::new(bytes).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
        let places = if name.as_bytes().contains(&b'/') {
            vec![text(name.as_bytes())?]
        } else {
            let dirs = std::env::split_paths(search);
            dirs.map(|dir| text(dir.join(name).as_os_str().as_bytes())).collect::<io::Result<_>>()?
        };
        let words = words.iter().map(|word| text(word.as_bytes())).collect::<io::Result<_>>()?;
        Ok(Program { places, words, env: Vec::new(), kept: Vec::new() })
    }

    /// Adds a variable. A NUL byte in it ends it: whoever calls has refused that.
    pub fn variable(&mut self, name: &OsStr, value: &[u8]) {
        let mut entry = Zeroizing::new(Vec::with_capacity(name.len() + value.len() + 2));
        entry.extend_from_slice(name.as_bytes());
        entry.push(b'=');
        entry.extend_from_slice(value);
        entry.push(0);
        self.env.push(entry);
    }

    /// Lets the program inherit a file.
    pub fn keep(&mut self, file: Kept) {
        self.kept.push(file);
    }

    /// Becomes the program. Returns only where that fails.
    pub fn replace(&self) -> io::Error {
        let lists = Lists::of(self);
        // SAFETY: SIGPIPE gets back the effect that Rust takes from it; the lists are made.
        let code = unsafe {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            lists.become_it()
        };
        io::Error::from_raw_os_error(code)
    }
}

/// The arrays of pointers that execve(2) wants, which live as long as the program's parts.
pub(super) struct Lists<'a> {
    program: &'a Program,
    words: Vec<*const libc::c_char>,
    /// For a file that is a script without a first line: a shell, and the place of the script.
    script: Vec<*const libc::c_char>,
    env: Vec<*const libc::c_char>,
}

impl<'a> Lists<'a> {
    pub(super) fn of(program: &'a Program) -> Lists<'a> {
        let end = std::iter::once(ptr::null());
        let words: Vec<_> = program.words.iter().map(|word| word.as_ptr()).chain(end.clone()).collect();
        let rest = program.words.iter().skip(1).map(|word| word.as_ptr());
        let script = [c"sh".as_ptr(), ptr::null()].into_iter().chain(rest).chain(end.clone()).collect();
        let env = program.env.iter().map(|entry| entry.as_ptr().cast()).chain(end).collect();
        Lists { program, words, script, env }
    }

    /// Tries each place as execvp(3) does. Gives the error that says most.
    ///
    /// # Safety
    /// Only where this process may become another. Allocates nothing.
    pub(super) unsafe fn become_it(mut self) -> libc::c_int {
        super::harden::undo();
        let mut why = libc::ENOENT;
        for kept in &self.program.kept {
            // SAFETY: a descriptor that is open.
            unsafe { libc::fcntl(kept.0.as_raw_fd(), libc::F_SETFD, 0) };
        }
        for place in &self.program.places {
            // SAFETY: NUL-ended text and lists that end with null, all alive.
            unsafe { libc::execve(place.as_ptr(), self.words.as_ptr(), self.env.as_ptr()) };
            match io::Error::last_os_error().raw_os_error() {
                Some(libc::ENOENT | libc::ENOTDIR) => {}
                Some(libc::ENOEXEC) => {
                    if let Some(script) = self.script.get_mut(1) {
                        *script = place.as_ptr();
                    }
                    // SAFETY: as above.
                    unsafe { libc::execve(c"/bin/sh".as_ptr(), self.script.as_ptr(), self.env.as_ptr()) };
                    return libc::ENOEXEC;
                }
                Some(code) => why = code,
                None => {}
            }
        }
        why
    }
}

/// A file in memory that a program inherits, sealed, with no name that others could open. It is gone with the last
/// process that holds it.
pub struct Kept(OwnedFd);

impl Kept {
    /// Makes one. Linux only.
    ///
    /// # Errors
    /// What the system said.
    #[cfg(target_os = "linux")]
    pub fn new(bytes: &[u8]) -> io::Result<Kept> {
        use rustix::fs::{MemfdFlags, Mode, SealFlags, fchmod, fcntl_add_seals, memfd_create};
        let fd = memfd_create(c"secret", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        // Whoever finds it among the program's descriptors: its own user at most.
        fchmod(&fd, Mode::RUSR)?;
        // Away from the low numbers, which shells use themselves.
        let fd = rustix::io::fcntl_dupfd_cloexec(&fd, 20)?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let written = rustix::io::write(&fd, rest)?;
            rest = rest.get(written..).unwrap_or_default();
        }
        rustix::fs::seek(&fd, rustix::fs::SeekFrom::Start(0))?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL)?;
        Ok(Kept(fd))
    }

    /// Not there.
    #[cfg(not(target_os = "linux"))]
    pub fn new(_: &[u8]) -> io::Result<Kept> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The path under which the program that inherits it opens it.
    pub fn path(&self) -> OsString {
        OsString::from_vec(format!("/proc/self/fd/{}", self.0.as_raw_fd()).into_bytes())
    }
}
