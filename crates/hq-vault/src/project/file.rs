//! `.hq-vault.toml`, parsed: a vault, a prefix, and variables with the paths of their secrets.

use std::path::{Path, PathBuf};

use hqv_model::{EnvName, Prefix, SecretPath};
use toml::de::{DeTable, DeValue};

use crate::cli::output::error::Failure;
use crate::settings::paths::shown;

/// What a project's programs need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Project {
    /// Which vault, where it is not the usual one.
    pub vault: Option<Place>,
    /// All below it, named by their paths.
    pub prefix: Option<Prefix>,
    /// These, with names of their own.
    pub env: Vec<(EnvName, SecretPath)>,
}

/// Where a vault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A server, `https://host:port`.
    Url(String),
    /// A directory of this machine.
    Dir(PathBuf),
}

impl Project {
    /// Reads the text of the file at `path`, which errors name. `~/` in `vault` is `home`.
    ///
    /// # Errors
    /// What is not TOML, a key that we do not know, a value that cannot be meant: each with its line.
    pub fn parse(text: &str, path: &Path, home: Option<&Path>) -> Result<Project, Failure> {
        let wrong = |at: usize, what: String| {
            let line = text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
            Failure::usage(format!("{} line {line}: {what}", shown(path)))
        };
        let table = DeTable::parse(text).map_err(|error| {
            let what = error.message().lines().next().unwrap_or("not TOML").to_owned();
            wrong(error.span().map_or(0, |span| span.start), what)
        })?;
        let mut project = Project::default();
        for (key, value) in table.get_ref() {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            match name {
                "vault" => project.vault = Some(place(value.get_ref(), home).map_err(|w| wrong(at, w))?),
                "prefix" => project.prefix = Some(prefix(value.get_ref()).map_err(|w| wrong(at, w))?),
                "env" => {
                    let DeValue::Table(names) = value.get_ref() else {
                        return Err(wrong(at, "env is a table: [env], then NAME = \"path\"".to_owned()));
                    };
                    for (key, value) in names {
                        let one = variable(key.get_ref(), value.get_ref());
                        project.env.push(one.map_err(|w| wrong(key.span().start, w))?);
                    }
                }
                other => {
                    let other = hqv_model::escape_controls(other);
                    return Err(wrong(at, format!("a project file has no key {other}"))
                        .hint("it has vault, prefix and the table [env], and never a value"));
                }
            }
        }
        Ok(project)
    }
}

fn place(value: &DeValue<'_>, home: Option<&Path>) -> Result<Place, String> {
    let DeValue::String(text) = value else { return Err("vault is a text".to_owned()) };
    if text.starts_with("https://") {
        return Ok(Place::Url(text.clone().into_owned()));
    }
    if let Some(rest) = text.strip_prefix("~/") {
        let home = home.ok_or("no home directory is known for this user")?;
        return Ok(Place::Dir(home.join(rest)));
    }
    if text.starts_with('/') {
        return Ok(Place::Dir(PathBuf::from(text.as_ref())));
    }
    Err("vault is https://host:port, a directory from / or one from ~/".to_owned())
}

fn prefix(value: &DeValue<'_>) -> Result<Prefix, String> {
    let DeValue::String(text) = value else { return Err("prefix is a text".to_owned()) };
    Prefix::parse(text).map_err(|error| error.message().to_owned())
}

fn variable(name: &str, value: &DeValue<'_>) -> Result<(EnvName, SecretPath), String> {
    let shown = hqv_model::escape_controls(name);
    let parsed = EnvName::parse(name).map_err(|error| format!("{shown}: {}", error.message()))?;
    let DeValue::String(text) = value else { return Err(format!("{shown} is the path of a secret, a text")) };
    let path = text.strip_prefix(super::template::SCHEME).unwrap_or(text);
    // The text is not repeated: somebody may have put a value there.
    let path = SecretPath::parse(path).map_err(|_| format!("{shown} is not the path of a secret"))?;
    Ok((parsed, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn parse(text: &str) -> Result<Project, Failure> {
        Project::parse(text, Path::new("/p/.hq-vault.toml"), Some(Path::new("/home/u")))
    }

    #[test]
    fn a_whole_file_is_read() {
        let text = "# ours\nvault = \"~/vaults/a\"\nprefix = \"myapp\"\n[env]\nKEY = \"stripe/key\"\nB = \"hqv://b/c\"\n";
        let project = parse(text).unwrap();
        assert_eq!(project.vault, Some(Place::Dir("/home/u/vaults/a".into())));
        assert_eq!(project.prefix.unwrap().as_str(), "myapp/");
        let env: Vec<_> = project.env.iter().map(|(n, p)| (n.as_str(), p.as_str())).collect();
        assert_eq!(env, [("B", "b/c"), ("KEY", "stripe/key")]);
        assert_eq!(parse("").unwrap(), Project::default());
        let there = parse("vault = \"https://vault.internal:13100\"").unwrap();
        assert_eq!(there.vault, Some(Place::Url("https://vault.internal:13100".to_owned())));
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        for (text, said) in [
            ("prefix = \"a\"\ntoken = \"x\"\n", "line 2: a project file has no key token"),
            ("\n[env]\nKEY = 3\n", "line 3: KEY is the path of a secret, a text"),
            ("env = 1", "line 1: env is a table"),
            ("[env]\n2FA = \"a/b\"", "line 2: 2FA: "),
            ("vault = \"here\"", "line 1: vault is https://"),
            ("vault = \"http://h:1\"", "line 1: vault is https://"),
            ("vault = \"../v\"", "line 1: vault is https://"),
            ("prefix = 1", "line 1: prefix is a text"),
            ("prefix = \"a\"\nprefix = \"b\"", "line 2: "),
            ("a b", "line 1: "),
        ] {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.exit(), 2);
            assert!(failure.message().contains(said), "{}", failure.message());
        }
    }

    #[test]
    fn a_value_that_was_put_there_is_not_repeated() {
        let failure = parse("[env]\nKEY = \"sk_live_/ /4242\\u0001\"").unwrap_err();
        assert!(!failure.message().contains("sk_live"), "{}", failure.message());
    }
}
