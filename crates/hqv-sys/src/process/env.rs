//! Taking credentials out of the environment.
//!
//! A variable stands in three places: the table that `getenv` reads, what children inherit from it, and the
//! block on the stack that the kernel laid down at exec and shows as `/proc/PID/environ`. Removing it from
//! the table empties the first two; the third must be overwritten.

use std::ffi::{CStr, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::memory::wipe_raw;

unsafe extern "C" {
    static environ: *const *mut libc::c_char;
}

/// Reads the variable `name`, removes it from the environment and overwrites its bytes where the kernel
/// laid them down. Call it on the first lines of `main`: where other threads run already, who may be
/// reading the environment, it only reads. The caller wipes what it gets.
pub fn take_env(name: &str) -> Option<OsString> {
    let key = OsStr::new(name).as_bytes();
    if key.is_empty() || key.contains(&b'=') || key.contains(&0) {
        return None;
    }
    if !alone() {
        #[allow(clippy::disallowed_methods)] // reading it is what this is for
        return std::env::var_os(name);
    }
    // SAFETY: this is the only thread, so nobody else reads or changes the environment meanwhile; the value
    // was copied before it is overwritten, and entries stay NUL-ended text.
    unsafe {
        let value = first_value(key);
        wipe_values(key);
        std::env::remove_var(name);
        value
    }
}

/// The entries of the environment, as the C library has them.
///
/// # Safety
/// Nobody may change the environment meanwhile.
unsafe fn entries() -> impl Iterator<Item = *mut libc::c_char> {
    // SAFETY: `environ` is null or a list that ends with null, and the caller vouches that it stays.
    (0..).map_while(|at| unsafe {
        let list = environ;
        if list.is_null() { None } else { Some(*list.add(at)).filter(|entry| !entry.is_null()) }
    })
}

/// Where the value of an entry begins, if the entry is `key`'s.
///
/// # Safety
/// `entry` must be NUL-ended text.
unsafe fn value_at(entry: *mut libc::c_char, key: &[u8]) -> Option<*mut libc::c_char> {
    // SAFETY: the caller vouches for the text; the result points at most to its final NUL.
    unsafe {
        let rest = CStr::from_ptr(entry).to_bytes().strip_prefix(key)?;
        (rest.first() == Some(&b'=')).then(|| entry.add(key.len() + 1))
    }
}

/// # Safety
/// As for [`entries`].
unsafe fn first_value(key: &[u8]) -> Option<OsString> {
    // SAFETY: the caller vouches for the environment.
    unsafe {
        let value = entries().find_map(|entry| value_at(entry, key))?;
        Some(OsString::from_vec(CStr::from_ptr(value).to_bytes().to_vec()))
    }
}

/// Overwrites every value of `key`: the same name may stand more than once.
///
/// # Safety
/// As for [`entries`], and nobody may read the values meanwhile.
unsafe fn wipe_values(key: &[u8]) {
    // SAFETY: the caller vouches for the environment; exactly the bytes before the NUL are written, which
    // belong to this process: the kernel and the C library both keep entries in writable memory.
    unsafe {
        for value in entries().filter_map(|entry| value_at(entry, key)) {
            wipe_raw(value.cast(), libc::strlen(value));
        }
    }
}

/// True where this is the only thread of the process.
fn alone() -> bool {
    if cfg!(target_os = "linux") {
        use std::os::unix::fs::MetadataExt;
        // A directory counts itself, its parent and, here, the threads: one call where reading it takes five.
        let links = std::fs::metadata("/proc/self/task").map(|task| task.nlink());
        links.is_ok_and(|n| n == 3)
            || std::fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
    } else {
        // Not asked elsewhere: the documented duty of the caller. Untested.
        true
    }
}
