//! What cargo says of the workspace and of everything it is built from.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// One member of the workspace.
#[derive(Debug, Default)]
pub struct Member {
    pub name: String,
    /// Names of everything it depends on, but for tests.
    pub needs: Vec<String>,
    /// Names of what only its tests depend on.
    pub dev_needs: Vec<String>,
    /// Crate roots that are built into something: libraries, programs, examples; relative to the top.
    pub roots: Vec<String>,
}

/// One package of the whole graph.
#[derive(Debug, Default)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// SPDX; empty where the package says none.
    pub licence: String,
    /// `None` for our own.
    pub source: Option<String>,
}

/// The members of the workspace at `root`.
pub fn members(root: &Path) -> Result<Vec<Member>, String> {
    let top = root.display().to_string();
    Ok(metadata(root, &["--no-deps"])?.iter().map(|package| member(package, &top)).collect())
}

/// Every package that the lock file names for any target.
pub fn packages(root: &Path) -> Result<Vec<Package>, String> {
    Ok(metadata(root, &[])?.iter().map(package).collect())
}

fn metadata(root: &Path, more: &[&str]) -> Result<Vec<Value>, String> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(more)
        .current_dir(root)
        .output()
        .map_err(|e| format!("cannot start cargo: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let all: Value = serde_json::from_slice(&output.stdout).map_err(|e| format!("cargo metadata: {e}"))?;
    Ok(list(&all, "packages").to_vec())
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().into()
}

fn member(package: &Value, top: &str) -> Member {
    let mut member = Member { name: text(package, "name"), ..Member::default() };
    for dependency in list(package, "dependencies") {
        // A build script's needs count like the crate's own.
        let dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        let names = if dev { &mut member.dev_needs } else { &mut member.needs };
        names.push(text(dependency, "name"));
    }
    for target in list(package, "targets") {
        if !list(target, "kind").iter().any(|kind| kind == "test") {
            let path = text(target, "src_path");
            member.roots.push(path.strip_prefix(top).unwrap_or(&path).trim_start_matches('/').into());
        }
    }
    member
}

fn package(package: &Value) -> Package {
    Package {
        name: text(package, "name"),
        version: text(package, "version"),
        licence: text(package, "license"),
        source: package.get("source").and_then(Value::as_str).map(Into::into),
    }
}
