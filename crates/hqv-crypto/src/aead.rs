//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03).
//!
//! Built from HChaCha20 for the sub-key and aws-lc's ChaCha20-Poly1305 (RFC 8439) for the rest: the
//! same bytes as any other implementation, several times faster on short inputs. The sub-key is wiped
//! as soon as aws-lc has taken it; aws-lc keeps it on its heap and cleanses it on free.

use std::alloc::Layout;

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use chacha20::{R20, hchacha};
use hqv_model::SecretBytes;
use zeroize::Zeroize;

/// Bytes in a key.
pub const KEY_LEN: usize = 32;
/// Bytes in a nonce; long enough to be drawn at random for every sealing.
pub const NONCE_LEN: usize = 24;
/// Bytes in a tag.
pub const TAG_LEN: usize = 16;

/// Sealed bytes did not open: wrong key, wrong place, or changed. It says nothing more on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenFailed;

impl std::fmt::Display for OpenFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sealed data does not open: it was changed, moved or sealed by another key")
    }
}

impl std::error::Error for OpenFailed {}

impl From<OpenFailed> for hqv_model::Error {
    fn from(failed: OpenFailed) -> Self {
        hqv_model::Error::internal("stored data is damaged").cause(failed)
    }
}

/// Seals `buf` where it stands and returns the tag. `buf` is limited to 256 GiB (RFC 8439).
pub fn seal_in_place(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    buf: &mut [u8],
) -> [u8; TAG_LEN] {
    seal_by(sub_key(key, nonce), aad, buf)
}

/// The same where many nonces begin with the same 16 bytes: `sub` is what [`sub_key_into`] made of them, and
/// `tail` the last 8. The caller keeps `sub` as secret as the key.
pub fn seal_in_place_below(sub: &[u8; KEY_LEN], tail: &[u8; 8], aad: &[u8], buf: &mut [u8]) -> [u8; TAG_LEN] {
    seal_by((ready(sub), short_nonce(tail)), aad, buf)
}

/// The sub-key of all nonces that begin with `head`.
pub fn sub_key_into(key: &[u8; KEY_LEN], head: &[u8; 16], out: &mut [u8; KEY_LEN]) {
    let mut sub = hchacha::<R20>(key.into(), head.into());
    out.copy_from_slice(&sub);
    sub.as_mut_slice().zeroize();
}

fn seal_by((key, nonce): (LessSafeKey, Nonce), aad: &[u8], buf: &mut [u8]) -> [u8; TAG_LEN] {
    let Ok(tag) = key.seal_in_place_separate_tag(nonce, Aad::from(aad), buf) else { out_of_memory() };
    let mut out = [0; TAG_LEN];
    out.copy_from_slice(tag.as_ref());
    out
}

/// Opens `buf` where it stands. On failure its content is not to be used.
///
/// # Errors
/// [`OpenFailed`] when the tag does not fit key, nonce, AAD and bytes.
pub fn open_in_place(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    buf: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), OpenFailed> {
    let (sub_key, sub_nonce) = sub_key(key, nonce);
    match sub_key.open_in_place_separate_tag(sub_nonce, Aad::from(aad), tag, buf) {
        Ok(_) => Ok(()),
        Err(_) => Err(OpenFailed),
    }
}

/// Appends the sealed form of `plain` to `out` and returns the tag.
pub fn seal(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    plain: &[u8],
    out: &mut Vec<u8>,
) -> [u8; TAG_LEN] {
    let start = out.len();
    out.extend_from_slice(plain);
    let (_, fresh) = out.split_at_mut(start);
    seal_in_place(key, nonce, aad, fresh)
}

/// Opens `sealed` into memory that is wiped on drop.
///
/// # Errors
/// [`OpenFailed`] when the tag does not fit key, nonce, AAD and bytes.
pub fn open(
    key: &[u8; KEY_LEN],
    nonce: &[u8; NONCE_LEN],
    aad: &[u8],
    sealed: &[u8],
    tag: &[u8; TAG_LEN],
) -> Result<SecretBytes, OpenFailed> {
    let (sub_key, sub_nonce) = sub_key(key, nonce);
    let mut plain = vec![0; sealed.len()];
    let opened = sub_key.open_separate_gather(sub_nonce, Aad::from(aad), sealed, tag, &mut plain);
    let plain = SecretBytes::from_vec(plain);
    match opened {
        Ok(()) => Ok(plain),
        Err(_) => Err(OpenFailed),
    }
}

/// HChaCha20 over the first 16 bytes of the nonce; the last 8 go into the short nonce after four zeros.
fn sub_key(key: &[u8; KEY_LEN], nonce: &[u8; NONCE_LEN]) -> (LessSafeKey, Nonce) {
    let mut head = [0; 16];
    let mut tail = [0; 8];
    let mut sub = [0; KEY_LEN];
    head.copy_from_slice(&nonce[..16]);
    tail.copy_from_slice(&nonce[16..]);
    sub_key_into(key, &head, &mut sub);
    let key = ready(&sub);
    sub.zeroize();
    (key, short_nonce(&tail))
}

fn ready(sub: &[u8; KEY_LEN]) -> LessSafeKey {
    let Ok(unbound) = UnboundKey::new(&CHACHA20_POLY1305, sub) else { out_of_memory() };
    LessSafeKey::new(unbound)
}

fn short_nonce(tail: &[u8; 8]) -> Nonce {
    let mut short = [0; 12];
    short[4..].copy_from_slice(tail);
    Nonce::assume_unique_for_key(short)
}

/// aws-lc refuses a key of 32 bytes and a text of less than 256 GiB only when its allocator fails. That
/// ends the process, as any failed allocation does.
#[cold]
fn out_of_memory() -> ! {
    std::alloc::handle_alloc_error(Layout::new::<[u8; 1024]>())
}
