//! Randomness from the kernel.

use std::io;

/// Fills `bytes` from the kernel's generator. Blocks only in the first moments of a boot, until the generator
/// is seeded (getrandom(2) without flags).
///
/// # Errors
/// Where the kernel offers no generator. The caller must stop: nothing else may stand in for it.
#[cfg(target_os = "linux")]
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::rand::getrandom(&mut *rest, rustix::rand::GetRandomFlags::empty()) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => rest = rest.get_mut(n..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Fills `bytes` from the kernel's generator. Untested.
///
/// # Errors
/// Where the kernel offers no generator. The caller must stop: nothing else may stand in for it.
#[cfg(target_vendor = "apple")]
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    for chunk in bytes.chunks_mut(256) {
        // SAFETY: getentropy takes at most 256 bytes and the chunk is ours.
        if unsafe { libc::getentropy(chunk.as_mut_ptr().cast(), chunk.len()) } != 0 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
