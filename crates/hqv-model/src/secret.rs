//! Secret bytes and secret text: wiped when dropped, and impossible to print, clone or compare by accident.
//!
//! Reading one is a call named `reveal`, so that every place that does can be found by searching for it.
//!
//! ```compile_fail
//! let a = hqv_model::SecretBytes::from_vec(vec![1]);
//! let b = a.clone();
//! ```
//! ```compile_fail
//! let a = hqv_model::SecretBytes::from_vec(vec![1]);
//! let same = a == hqv_model::SecretBytes::from_vec(vec![1]);
//! ```
//! ```compile_fail
//! println!("{}", hqv_model::SecretText::new(String::from("x")));
//! ```

use std::fmt;
use zeroize::Zeroizing;

/// Secret bytes, wiped when dropped.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over, without a copy.
    pub fn from_vec(bytes: Vec<u8>) -> Self {
        SecretBytes(Zeroizing::new(bytes))
    }

    /// Copies the bytes. Wiping the original is the caller's part.
    pub fn from_slice(bytes: &[u8]) -> Self {
        SecretBytes(Zeroizing::new(bytes.to_vec()))
    }

    /// The bytes. Whoever calls this answers for where they go.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives the bytes to the writer that sends them. They are still wiped when dropped.
    pub fn into_inner_for_wire(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Secret text, wiped when dropped.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over, without a copy.
    pub fn new(text: String) -> Self {
        SecretText(Zeroizing::new(text))
    }

    /// The bytes as text; handed back unchanged where they are not UTF-8.
    pub fn from_utf8(bytes: SecretBytes) -> std::result::Result<Self, SecretBytes> {
        if std::str::from_utf8(bytes.reveal()).is_err() {
            return Err(bytes);
        }
        let mut inner = bytes.0;
        // The check above makes the second arm dead; it still loses and leaks nothing.
        match String::from_utf8(std::mem::take(&mut *inner)) {
            Ok(text) => Ok(SecretText::new(text)),
            Err(error) => Err(SecretBytes::from_vec(error.into_bytes())),
        }
    }

    /// The text. Whoever calls this answers for where it goes.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The same secret as bytes, without a copy.
    pub fn into_bytes(mut self) -> SecretBytes {
        SecretBytes::from_vec(std::mem::take(&mut *self.0).into_bytes())
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", SecretBytes::from_slice(b"hunter2")), "[secret]");
        assert_eq!(format!("{:?}", SecretText::new("hunter2".into())), "[secret]");
        assert_eq!(format!("{:?}", Some(SecretBytes::from_slice(b"x"))), "Some([secret])");
    }

    #[test]
    fn bytes_and_text_keep_every_byte() {
        let text = SecretText::from_utf8(SecretBytes::from_slice("pä\0ss".as_bytes()));
        assert_eq!(text.map(|t| t.into_bytes().reveal().to_vec()).ok(), Some("pä\0ss".as_bytes().to_vec()));
        let back = SecretText::from_utf8(SecretBytes::from_slice(&[0xff, 0x00]));
        assert_eq!(back.map(|_| ()).map_err(|b| b.reveal().to_vec()), Err(vec![0xff, 0x00]));
    }

    #[test]
    fn taking_over_moves_the_buffer_and_leaves_no_copy() {
        let bytes = vec![7_u8; 64];
        let at = bytes.as_ptr();
        let secret = SecretBytes::from_vec(bytes);
        assert_eq!(secret.reveal().as_ptr(), at);
        assert_eq!(secret.into_inner_for_wire().as_ptr(), at);
        let text = String::from("secret text");
        let at = text.as_ptr();
        assert_eq!(SecretText::new(text).into_bytes().reveal().as_ptr(), at);
    }
}
