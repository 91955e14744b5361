//! Finding bytes fast. For tests only (feature `test-pty`): a canary is looked for in gigabytes of what a
//! run left behind, by test builds that are not optimised.

/// Where `what` first stands in `place`. Nothing stands nowhere.
pub fn find(place: &[u8], what: &[u8]) -> Option<usize> {
    if what.is_empty() {
        return None;
    }
    // SAFETY: both are valid ranges of the given lengths; memmem only reads.
    let at = unsafe { libc::memmem(place.as_ptr().cast(), place.len(), what.as_ptr().cast(), what.len()) };
    if at.is_null() { None } else { Some(at as usize - place.as_ptr() as usize) }
}
