//! The last route, which always works: a code that the owner types in any
//! terminal of theirs. The words are said before any route is tried
//! (`cli::run::ingest`); here the person is told by what else is there.

use super::notify::{self, Wanted};
use super::routes::Opened;

/// Tells the person.
pub fn tell(opened: &Opened<'_>) {
    if !opened.joined {
        notify::person(&opened.ctx.settings.env, &Wanted::Value(opened.code));
    }
}
