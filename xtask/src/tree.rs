//! The text files of the repository: what git knows or would add, and nothing that it ignores.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One text file.
pub struct File {
    /// Relative to the repository's top, with `/`.
    pub path: String,
    pub text: String,
}

impl File {
    #[cfg(test)]
    pub fn new(path: &str, text: &str) -> File {
        File { path: path.into(), text: text.into() }
    }

    pub fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }
}

/// The repository's files.
pub struct Tree {
    pub root: PathBuf,
    pub files: Vec<File>,
}

impl Tree {
    /// Reads every tracked or new file below `root` that is UTF-8 text; what is not text is passed over.
    pub fn read(root: &Path) -> Result<Tree, String> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .map_err(|e| format!("cannot start git: {e}"))?;
        if !listed.status.success() {
            return Err(format!("git ls-files: {}", String::from_utf8_lossy(&listed.stderr).trim()));
        }
        let names = String::from_utf8_lossy(&listed.stdout).into_owned();
        let mut paths: Vec<&str> = names.split('\0').filter(|name| !name.is_empty()).collect();
        paths.sort_unstable();
        paths.dedup();
        // A file deleted but not yet committed is still listed; links are not followed.
        let files = paths.into_iter().filter_map(|path| {
            let whole = root.join(path);
            let plain = whole.symlink_metadata().is_ok_and(|meta| meta.is_file());
            let text = plain.then(|| std::fs::read_to_string(&whole).ok()).flatten()?;
            Some(File { path: path.into(), text })
        });
        Ok(Tree { root: root.to_path_buf(), files: files.collect() })
    }

    /// The text of one file that must be there.
    pub fn text(&self, path: &str) -> Result<&str, String> {
        let found = self.files.iter().find(|file| file.path == path);
        found.map(|file| file.text.as_str()).ok_or_else(|| format!("{path} is missing"))
    }
}
