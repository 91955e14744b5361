//! What a project says about the secrets that its programs need: a file beside its code, and references in text.
//!
//! Both are safe to commit, for no value stands in them. Both may also come from somebody whose code was just
//! fetched. So a project file can only name paths, which whoever acts here may read or not; it starts nothing, it is
//! left out as soon as the command line says itself which secrets are meant, and a vault that it names gets no
//! token that does not vouch for that vault itself.

pub mod file;
pub mod find;
pub mod template;

pub use file::{Place, Project};
pub use find::{NAME, here};
