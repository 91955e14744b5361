//! How an entry or an ask is named by whoever answers it: by its id, or by its code.

use crate::{AskId, EntryId, Result, TicketCode};
use std::fmt;

macro_rules! reference {
    ($(#[$doc:meta])* $name:ident, $id:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            /// By its id.
            Id($id),
            /// By the code that people are told.
            Code(TicketCode),
        }

        impl $name {
            /// Reads an id, or a code as people write it. [`crate::Code::BadRequest`] where it is neither.
            pub fn parse(text: &str) -> Result<Self> {
                let head = text.as_bytes().get(..$id::PREFIX.len());
                if head.is_some_and(|head| head.eq_ignore_ascii_case($id::PREFIX.as_bytes())) {
                    return $id::parse(text).map($name::Id);
                }
                TicketCode::parse(text).map($name::Code)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $name::Id(id) => id.fmt(f),
                    $name::Code(code) => code.fmt(f),
                }
            }
        }
    };
}

reference!(
    /// An entry, by id or code.
    EntryRef, EntryId
);
reference!(
    /// An ask, by id or code.
    AskRef, AskId
);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_and_a_code_are_told_apart() {
        let id = EntryId::from_bytes([7; 16]);
        assert_eq!(EntryRef::parse(&id.to_string()).unwrap(), EntryRef::Id(id));
        assert_eq!(EntryRef::parse(&id.to_string().to_uppercase()).unwrap(), EntryRef::Id(id));
        let code = TicketCode::parse("1234-567Q").unwrap();
        assert_eq!(EntryRef::parse("1234 567q").unwrap(), EntryRef::Code(code));
        assert_eq!(AskRef::parse("1234567q").unwrap().to_string(), "1234-567Q");
    }

    #[test]
    fn the_id_of_another_kind_is_neither() {
        let id = EntryId::from_bytes([7; 16]).to_string();
        assert!(AskRef::parse(&id).is_err());
        for bad in ["", "ent_", "ask_123", "1234-5678"] {
            assert!(EntryRef::parse(bad).is_err(), "{bad}");
        }
    }
}
