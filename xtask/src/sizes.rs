//! No pile file: flags, routes and commands like to gather, and each verb has its own file here.
//!
//! The length of functions is clippy's (`too_many_lines`, 60); `forbids` sees that nobody turns it off.

use crate::Findings;
use crate::tree::File;

const MOST: usize = 600;

/// Rust files with more lines than that, tests too.
pub fn check(files: &[File]) -> Findings {
    let sized = files.iter().filter(|file| file.is_rust()).map(|file| (file, file.text.lines().count()));
    let piles = sized.filter(|(_, lines)| *lines > MOST);
    piles.map(|(file, lines)| format!("{}: {lines} lines, at most {MOST}", file.path)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pile_is_found() {
        let file = |lines: usize| File::new("crates/a/src/b.rs", &"\n".repeat(lines));
        assert!(check(&[file(MOST)]).is_empty());
        assert_eq!(check(&[file(MOST + 1)]), ["crates/a/src/b.rs: 601 lines, at most 600"]);
    }
}
