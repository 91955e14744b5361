//! The credential that a connection last brought, so that the same one is not read and hashed for each request.
//!
//! Only reading is saved: whether it is in force is the engine's to say, each time. The text is kept until the connection
//! ends, as hyper's own buffer would keep it; `lock` ends every connection that was used. It is compared in a time that does
//! not depend on where two texts differ: a proxy may send many clients' requests over one connection.

use hqv_engine::Credential;
use hqv_engine::wire::{self, WireError};
use std::cell::RefCell;
use zeroize::Zeroizing;

/// One connection's memory.
#[derive(Default)]
pub struct Bearer(RefCell<Option<(Zeroizing<Vec<u8>>, Credential)>>);

impl Bearer {
    /// Reads a credential.
    ///
    /// # Errors
    /// [`wire::parse`]'s.
    pub fn read(&self, text: &str) -> Result<Credential, WireError> {
        let mut last = self.0.borrow_mut();
        if let Some((known, credential)) = &*last
            && wire::same(known, text.as_bytes())
        {
            return Ok(credential.again());
        }
        let credential = wire::parse(text)?;
        credential.hash();
        *last = Some((Zeroizing::new(text.as_bytes().to_vec()), credential.again()));
        Ok(credential)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use hqv_engine::CredentialKind;

    #[test]
    fn tk7_a_remembered_credential_answers_for_no_other() {
        let token = |byte| wire::encode(CredentialKind::Token, &[byte; 32], None).reveal().to_owned();
        let session = wire::encode(CredentialKind::Session, &[1; 32], None).reveal().to_owned();
        let bearer = Bearer::default();
        for text in [token(1), token(1), token(2), session, token(1)] {
            let (read, parsed) = (bearer.read(&text).unwrap(), wire::parse(&text).unwrap());
            assert_eq!((read.kind, read.hash()), (parsed.kind, parsed.hash()));
            assert!(*read.secret == *parsed.secret);
            for wrong in [&text[..text.len() - 1], &format!("{text}0"), "", &text.to_uppercase()] {
                assert_eq!(bearer.read(wrong).err(), wire::parse(wrong).err());
                assert!(bearer.read(wrong).is_err(), "{wrong}");
            }
        }
    }
}
