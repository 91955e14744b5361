//! `--env-file TEMPLATE`: a `.env` with references in its values.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use hqv_engine::transfer::Entry;
use hqv_engine::transfer::import::{self, Assignment};
use hqv_model::{SecretBytes, SecretPath};

use crate::cli::output::error::Failure;
use crate::cli::run::inject;
use crate::cli::variables::incomplete;
use crate::project::template;
use crate::settings::paths::shown;

/// Its variables.
pub(super) struct Template {
    variables: Vec<Assignment>,
    /// What they refer to.
    paths: Vec<SecretPath>,
}

impl Template {
    /// Reads the file, which all readers of a `.env` must read alike.
    pub(super) fn read(file: &Path) -> Result<Template, Failure> {
        let bytes = inject::read(file)?;
        let reading = import::agreed(&bytes)?.map_err(|differences| {
            let line = differences.first().map_or(1, |difference| difference.line);
            Failure::usage(format!("{} line {line}: readers of .env files differ on it", shown(file)))
                .hint("put the value in single quotes")
        })?;
        if let Some(problem) = reading.problems.first() {
            return Err(Failure::usage(format!("{} line {} {}", shown(file), problem.line, problem.what)));
        }
        let (variables, _) = reading.last();
        let mut paths = Vec::new();
        for one in &variables {
            let parts = template::split_value(one.value.reveal()).map_err(|wrong| {
                Failure::usage(format!("{} line {} {}", shown(file), one.line, wrong.what))
                    .hint("{{ hqv://PATH }} shows where a path ends; \\hqv:// is text")
            })?;
            paths.extend(template::secrets(&parts).into_iter().cloned());
        }
        Ok(Template { variables, paths })
    }

    /// The secrets that it refers to.
    pub(super) fn secrets(&self) -> BTreeSet<&SecretPath> {
        self.paths.iter().collect()
    }

    /// The variables with the values in them. A plain one has its own name as its path, for errors.
    pub(super) fn fill(&self, values: &HashMap<SecretPath, SecretBytes>) -> Result<Vec<Entry>, Failure> {
        let one = |Assignment { name, value, .. }: &Assignment| {
            let parts = template::split_value(value.reveal()).map_err(|_| incomplete())?;
            let value = template::filled(&parts, values).ok_or_else(incomplete)?;
            let path = match template::secrets(&parts).first() {
                Some(path) => (*path).clone(),
                None => SecretPath::parse(name.as_str())?,
            };
            Ok(Entry { name: name.clone(), path, value })
        };
        self.variables.iter().map(one).collect()
    }
}
