//! The table of attacks and faults against the tests in the tree.
//!
//! `scripts/rows.toml` holds a title for each row and, where a row has no test or only half of one, the
//! reason. A test belongs to a row when the row's id, in small letters, is a whole word of its name
//! (`cr5_every_aad_field_binds`, `a_cut_token_tp1`) or of its file's (`tests/cr2_slots.rs`). A script under
//! tests/ says `# rows: TP1, OU1`.

use crate::Findings;
use crate::code;
use crate::tree::{File, Tree};
use std::collections::BTreeMap;

const TABLE: &str = "scripts/rows.toml";

#[derive(Debug, Default)]
struct Row {
    title: String,
    reason: Option<String>,
    tests: Vec<String>,
}

/// Prints the table; rows with neither test nor reason are findings.
pub fn check(tree: &Tree) -> Result<Findings, String> {
    let table = filled(tree.text(TABLE)?, &tree.files)?;
    let mut findings = Findings::new();
    for (id, row) in &table {
        print!("{}", lines(id, row));
        if row.tests.is_empty() && row.reason.is_none() {
            findings.push(format!("{id}: neither a test nor a reason"));
        }
    }
    let tested = table.values().filter(|row| !row.tests.is_empty()).count();
    println!("{} rows, {tested} with tests, {} without either", table.len(), findings.len());
    Ok(findings)
}

fn lines(id: &str, row: &Row) -> String {
    let mut text = format!("{id:<4} {}\n", row.title);
    for test in &row.tests {
        text += &format!("       {test}\n");
    }
    match &row.reason {
        Some(reason) if row.tests.is_empty() => text += &format!("       no test: {reason}\n"),
        Some(reason) => text += &format!("       in part: {reason}\n"),
        None if row.tests.is_empty() => text += "       MISSING\n",
        None => {}
    }
    text
}

fn filled(toml: &str, files: &[File]) -> Result<BTreeMap<String, Row>, String> {
    let mut table = read(toml)?;
    for file in files {
        let found = if file.is_rust() { rust_tests(file) } else { script_rows(file) };
        for (id, test) in found {
            if let Some(row) = table.get_mut(&id) {
                row.tests.push(test);
            }
        }
    }
    Ok(table)
}

/// `[titles]` and `[reasons]`, each with lines `ID = "text"`.
fn read(toml: &str) -> Result<BTreeMap<String, Row>, String> {
    let mut table: BTreeMap<String, Row> = BTreeMap::new();
    let mut section = "";
    for line in toml.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if line.starts_with('[') {
            section = line;
            continue;
        }
        let wrong = || format!("{TABLE}: cannot read `{line}`");
        let (id, text) = line.split_once(" = ").ok_or_else(wrong)?;
        let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(wrong)?;
        match section {
            "[titles]" => {
                table.entry(id.into()).or_default().title = text.into();
            }
            "[reasons]" => table.get_mut(id).ok_or_else(wrong)?.reason = Some(text.into()),
            _ => return Err(wrong()),
        }
    }
    Ok(table)
}

/// Row ids that are whole words of `name`, in the table's spelling.
fn ids(name: &str) -> Vec<String> {
    let is_id = |word: &&str| {
        let letters = word.bytes().take_while(u8::is_ascii_lowercase).count();
        letters == 2 && word.len() > 2 && word.bytes().skip(2).all(|b| b.is_ascii_digit())
    };
    name.split(['_', '/', '.']).filter(is_id).map(str::to_uppercase).collect()
}

/// Row id and test, for each test function of a file.
fn rust_tests(file: &File) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut marked = false;
    let stem = file.path.rsplit('/').next().unwrap_or_default();
    let code = code::only(&file.text);
    for line in code.lines().map(str::trim) {
        marked |= line.starts_with("#[") && (line.contains("test]") || line.contains("::test("));
        let Some(name) = function(line) else { continue };
        if marked {
            let mut rows = ids(name);
            rows.extend(ids(stem));
            rows.sort();
            rows.dedup();
            found.extend(rows.into_iter().map(|id| (id, format!("{} {name}", file.path))));
        }
        marked = false;
    }
    // A program of its own, without the harness, is one test.
    if found.is_empty() && file.path.contains("/tests/") && code.contains("fn main()") {
        let named = file.text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        found.extend(named.flat_map(ids).map(|id| (id, file.path.clone())));
        found.dedup();
    }
    found
}

fn function(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("fn ")?;
    let prefix = before.split_whitespace().all(|word| word == "async" || word.starts_with("pub"));
    let name = after.split(['(', '<', ' ']).next()?;
    (prefix && !name.is_empty()).then_some(name)
}

/// `# rows: TP1, OU1` in a script under tests/.
fn script_rows(file: &File) -> Vec<(String, String)> {
    if !file.path.starts_with("tests/") {
        return Vec::new();
    }
    let said = file.text.lines().filter_map(|line| line.strip_prefix("# rows:"));
    let ids = said.flat_map(|rows| rows.split(',')).map(|id| id.trim().to_owned());
    ids.map(|id| (id, file.path.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str =
        "# a\n[titles]\nCR5 = \"fields\"\nOU1 = \"eval\"\nTP1 = \"pin\"\n\n[reasons]\nTP1 = \"later\"\n";

    fn tests_of(id: &str, path: &str, text: &str) -> usize {
        filled(TOML, &[File::new(path, text)])
            .ok()
            .and_then(|t| t.get(id).map(|row| row.tests.len()))
            .unwrap_or(99)
    }

    #[test]
    fn tests_are_found_by_name_file_and_script() {
        assert_eq!(
            tests_of(
                "CR5",
                "crates/a/src/b.rs",
                "#[test]\nfn cr5_every_field() {}\n#[tokio::test(flavor = \"x\")]\nasync fn a_cr5_b() {}\n"
            ),
            2
        );
        assert_eq!(
            tests_of("OU1", "crates/a/tests/ou1_shells.rs", "#[test]\nfn bash() {}\nfn helper() {}\n"),
            1
        );
        assert_eq!(tests_of("OU1", "tests/shells.sh", "# rows: TP1, OU1\n"), 1);
        assert_eq!(tests_of("CR5", "crates/a/tests/it.rs", "fn main() { println!(\"cr5_x ... ok\"); }\n"), 1);
    }

    #[test]
    fn what_only_looks_like_one_is_not_counted() {
        assert_eq!(
            tests_of(
                "CR5",
                "crates/a/src/b.rs",
                "fn cr5_helper() {}\n#[test]\nfn cr55_x() {}\n// #[test]\n// fn cr5_y() {}\n"
            ),
            0
        );
        assert_eq!(tests_of("OU1", "docs/shells.sh", "# rows: OU1\n"), 0);
    }

    #[test]
    fn a_row_without_test_or_reason_is_missing() {
        let table = filled(TOML, &[]).unwrap_or_default();
        let shown: String = table.iter().map(|(id, row)| lines(id, row)).collect();
        assert_eq!(shown.matches("MISSING").count(), 2);
        assert!(shown.contains("TP1  pin\n       no test: later\n"));
    }

    #[test]
    fn a_table_that_cannot_be_read_is_refused() {
        for bad in ["CR5 = \"x\"", "[titles]\nCR5 x", "[titles]\nCR5 = x", "[reasons]\nCR5 = \"of no row\""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
