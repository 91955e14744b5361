//! One redactor for every channel: a stream of bytes goes in, the same bytes come out, and whatever was the
//! value of a secret, in the clear or in one of the forms that programs print values in, is replaced.
//!
//! The shape. What a value looks like in base64, in hex or in UTF-16 is known beforehand: those are patterns
//! (`forms`). What it looks like with percent signs, backslashes, entities or line breaks is not, since each
//! encoder has its own idea of what to escape: there the *text* is turned back instead (`view`) and the same
//! patterns are looked for in it. Whatever the view, one filter finds the few places that deserve a closer look
//! (`filter`), and one sorted list says whether the end of the text may be the beginning of a value
//! (`prefix`). [`Stream`] puts it together for text that arrives in pieces.
//!
//! What it promises: no byte that belongs to any form of a value comes out, wherever the stream was split;
//! every other byte comes out unchanged and in order; no more is held back than may still become a value; memory
//! does not grow with the stream. Where values overlap or lie within each other, all of their bytes go.
//!
//! What it does not promise: forms that are not listed in `forms` and `view`. A program that reverses a
//! value, encrypts it or prints a letter at a time with others between them passes. Forms of less than six bytes (two
//! characters of Chinese in UTF-16) are left, as such values are. Nor does a character of
//! base64 that a value shares with the byte before or after it count: at most four bits of the first and of
//! the last byte stay.
#![forbid(unsafe_code)]

mod filter;
mod forms;
mod grams;
mod masker;
mod pattern;
mod prefix;
#[cfg(test)]
mod reference_tests;
mod stream;
mod view;

pub use forms::SHORTEST;
pub use masker::{Masker, TooShort};
pub use stream::Stream;
