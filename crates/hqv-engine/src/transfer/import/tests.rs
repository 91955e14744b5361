//! What holds without the readers at hand. They are asked in `tests/ou3_import.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

fn told(file: &[u8]) -> Vec<String> {
    let differences = agreed(file).unwrap().expect_err("they differ");
    differences.iter().map(|one| format!("{}: {}", one.line, one.what)).collect()
}

#[test]
fn ou3_a_difference_names_line_and_shape_and_never_the_value() {
    let lines = told(b"A=x\nB='s3cr3t' y\nC=\"s3cr3t\\nx\"\n");
    let wanted = [
        "2: node: 6 bytes; dotenv: 10 bytes; python: has text after its closing quote; bash: would be run as a command by bash",
        "3: node, dotenv, python: 8 bytes in 2 lines; bash: 9 bytes, with backslash",
    ];
    assert_eq!(lines, wanted);
    assert!(told(b"A=s3cr3t\r\n").concat().contains("CR LF"));
}

#[test]
fn where_all_find_fault_it_is_a_problem_and_no_difference() {
    let reading = agreed(b"A=1\n\n9B=s3cr3t\n").unwrap().unwrap();
    assert_eq!(reading.problems, [Problem { line: 3, what: "has a name that starts with a digit" }]);
}

#[test]
fn the_last_of_a_name_is_taken_and_the_others_are_named() {
    let (last, undone) = read(Reader::Node, b"A=1\nB=2\nA=3\n").unwrap().last();
    let last: Vec<_> = last.iter().map(|one| (one.name.as_str(), one.line)).collect();
    assert_eq!(last, [("B", 2), ("A", 3)]);
    assert_eq!(undone.iter().map(|(line, name)| (*line, name.as_str())).collect::<Vec<_>>(), [(1, "A")]);
}
