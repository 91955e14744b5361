//! From variables to paths.

use std::collections::HashMap;

use hqv_engine::ops::import::{MOST, MOST_BYTES};
use hqv_engine::transfer::import::Assignment;
use hqv_model::{Code, EnvName, Prefix, SecretBytes, SecretPath};

use crate::cli::input::VALUE_MAX;
use crate::cli::output::error::Failure;

/// One value and where it goes.
pub struct Item {
    /// Where.
    pub path: SecretPath,
    /// The variable.
    pub name: EnvName,
    /// The value.
    pub value: SecretBytes,
    /// The line it came from.
    pub line: usize,
    rest: String,
}

impl Item {
    /// The name to keep with the secret, where its path gives another.
    pub fn env(&self) -> Option<&EnvName> {
        (EnvName::from_rest(&self.rest) != self.name).then_some(&self.name)
    }
}

/// Names each path and checks all of it before anything is sent.
pub fn plan(prefix: &Prefix, assignments: Vec<Assignment>) -> Result<Vec<Item>, Failure> {
    let bytes: usize = assignments.iter().map(|one| one.value.len()).sum();
    if assignments.len() > MOST || bytes > MOST_BYTES {
        return Err(Failure::of(
            Code::TooLarge,
            format!("the file holds {} variables in {bytes} bytes", assignments.len()),
        )
        .hint(format!("at most {MOST} variables and {} MiB at once; split it", MOST_BYTES >> 20)));
    }
    let mut items: Vec<Item> = Vec::with_capacity(assignments.len());
    let mut taken: HashMap<SecretPath, usize> = HashMap::new();
    for Assignment { name, value, line } in assignments {
        if value.len() > VALUE_MAX {
            return Err(Failure::of(
                Code::TooLarge,
                format!("line {line}: {name} is over 1 MiB; nothing was stored"),
            ));
        }
        let rest = name.as_str().to_ascii_lowercase().replace('_', "-");
        let path = SecretPath::parse(&format!("{}{rest}", prefix.as_str()))
            .map_err(|e| Failure::from(e).context(&format!("line {line}")))?;
        if let Some(other) = taken.insert(path.clone(), items.len()).and_then(|at| items.get(at)) {
            let say = format!(
                "{} (line {}) and {name} (line {line}) would both become {path}",
                other.name, other.line
            );
            return Err(Failure::conflict(format!("{say}; nothing was stored"))
                .hint("rename one of them in the file"));
        }
        items.push(Item { path, name, value, line, rest });
    }
    Ok(items)
}

/// One line of a file of references. What no reader would take as it is has to be written by hand.
pub fn reference(name: &EnvName, path: &str) -> Result<String, Failure> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    if path.chars().all(plain) {
        return Ok(format!("{name}=hqv://{path}\n"));
    }
    if path.contains(['\'', '\\', '\n']) {
        return Err(Failure::usage(
            "the values are stored, but this prefix cannot stand in a file of references",
        ));
    }
    Ok(format!("{name}='hqv://{path}'\n"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(name: &str, line: usize) -> Assignment {
        Assignment { name: EnvName::parse(name).unwrap(), value: SecretBytes::from_slice(b"v"), line }
    }

    #[test]
    fn a_name_is_kept_only_where_the_path_would_give_another() {
        let prefix = Prefix::parse("app").unwrap();
        let items = plan(&prefix, vec![one("DATABASE_URL", 1), one("dbUrl", 2), one("_2FA", 3)]).unwrap();
        let got: Vec<_> = items.iter().map(|i| (i.path.as_str(), i.env().map(EnvName::as_str))).collect();
        assert_eq!(got, [("app/database-url", None), ("app/dburl", Some("dbUrl")), ("app/-2fa", None)]);
    }

    #[test]
    fn two_names_of_one_path_are_refused_by_line() {
        let failure = plan(&Prefix::everything(), vec![one("Db_Url", 3), one("DB_URL", 9)]).err().unwrap();
        assert_eq!(failure.exit(), 7);
        assert!(
            failure.message().starts_with("Db_Url (line 3) and DB_URL (line 9)"),
            "{}",
            failure.message()
        );
    }

    #[test]
    fn a_reference_is_quoted_where_it_must_be() {
        let name = EnvName::parse("A").unwrap();
        assert_eq!(reference(&name, "app/a").unwrap(), "A=hqv://app/a\n");
        assert_eq!(reference(&name, "my app/a#1").unwrap(), "A='hqv://my app/a#1'\n");
        assert!(reference(&name, "it's/a").is_err());
    }
}
