//! Secrets as variables, for the verbs that hand them to programs: what is under prefixes, and what is named one by
//! one, and what references name, all of it fetched in one request, which is one use.

use std::collections::{BTreeSet, HashMap};

use hqv_api::BatchRequest;
use hqv_client::Secret;
use hqv_engine::transfer::{self, Entry};
use hqv_model::{Code, EnvName, Prefix, SecretBytes, SecretPath};

use super::context::Context;
use super::link::Link;
use super::output::error::Failure;
use crate::project;
use crate::settings::paths::shown;

/// Which secrets, and what they are called.
pub struct Variables<'a> {
    /// All below it that may be read, named by the rest of their paths.
    pub prefix: Option<&'a Prefix>,
    /// At most so many segments below the prefix.
    pub depth: Option<u16>,
    /// These, with names of their own.
    pub named: &'a [(EnvName, SecretPath)],
    /// And the values of these, without names.
    pub referred: &'a BTreeSet<&'a SecretPath>,
}

/// What was asked for.
pub struct Fetched {
    /// Variables.
    pub entries: Vec<Entry>,
    /// The values that are only referred to.
    pub values: HashMap<SecretPath, SecretBytes>,
}

impl Variables<'_> {
    /// Fetches and names them. None at all is `NOT_FOUND`.
    ///
    /// # Errors
    /// The vault's; `CONFLICT` where two secrets give one name.
    pub fn fetch(&self, ctx: &Context, link: &Link<'_>) -> Result<Fetched, Failure> {
        let mut paths: Vec<&SecretPath> = self.named.iter().map(|(_, path)| path).collect();
        paths.extend(self.referred);
        paths.sort_unstable();
        paths.dedup();
        let paths: Vec<String> = paths.into_iter().map(|path| path.as_str().to_owned()).collect();
        let request = BatchRequest {
            paths: (!paths.is_empty()).then_some(paths),
            prefix: self.prefix.map(|prefix| prefix.as_str().to_owned()),
            depth: self.depth,
        };
        let found = ctx.batch_over(link, &request)?;
        if found.is_empty() {
            return Err(self.nothing());
        }
        self.name(found)
    }

    fn nothing(&self) -> Failure {
        let place = self.prefix.map(Prefix::as_str).filter(|p| !p.is_empty()).unwrap_or("the vault");
        Failure::of(Code::NotFound, format!("there is nothing to read under {place}"))
            .hint("hq-vault list shows what there is")
    }

    /// A name given here takes the place of the one that the secret's path would give.
    fn name(&self, found: Vec<Secret>) -> Result<Fetched, Failure> {
        let mut fetched = Fetched { entries: Vec::new(), values: HashMap::new() };
        let (mut below, mut apart) = (Vec::new(), HashMap::new());
        for secret in found {
            let (path, env, value) = item(secret)?;
            if self.referred.contains(&path) {
                fetched.values.insert(path.clone(), copy_of(&value));
            }
            if self.named.iter().any(|(_, named)| *named == path) {
                apart.insert(path, value);
            } else if self.is_below(&path) {
                below.push((path, env, value));
            }
        }
        let everything = Prefix::everything();
        let entries = &mut fetched.entries;
        *entries = transfer::name_entries(self.prefix.unwrap_or(&everything), below)?;
        for (name, path) in self.named {
            let value = apart.get(path).map(copy_of).ok_or_else(incomplete)?;
            entries.push(Entry { name: name.clone(), path: path.clone(), value });
        }
        transfer::check_unique(entries)?;
        Ok(fetched)
    }

    fn is_below(&self, path: &SecretPath) -> bool {
        let rest = self.prefix.and_then(|prefix| prefix.strip(path));
        rest.is_some_and(|rest| self.depth.is_none_or(|most| rest.split('/').count() <= usize::from(most)))
    }
}

/// The secrets that the command line chooses, or where it chooses none, those that the project file does.
pub struct Chosen {
    /// All below these.
    pub prefixes: Vec<Prefix>,
    /// These, with names.
    pub env: Vec<(EnvName, SecretPath)>,
}

impl Chosen {
    /// What was chosen here, else in the project. The project adds nothing to a choice made here: its file may have
    /// come with somebody's code.
    ///
    /// # Errors
    /// Nothing was chosen anywhere.
    pub fn of(ctx: &Context, prefixes: &[Prefix], env: &[(EnvName, SecretPath)]) -> Result<Chosen, Failure> {
        if !prefixes.is_empty() || !env.is_empty() {
            return Ok(Chosen { prefixes: prefixes.to_vec(), env: env.to_vec() });
        }
        let project = ctx.settings.project.as_ref();
        let chosen = project.filter(|(_, project)| project.prefix.is_some() || !project.env.is_empty());
        let (path, project) = chosen.ok_or_else(|| {
            Failure::usage("which secrets are meant is not said").hint(format!(
                "name a prefix or a secret (--env NAME=PATH), or say it once in {}: hq-vault project init",
                project::NAME
            ))
        })?;
        let here = std::env::current_dir().unwrap_or_default();
        ctx.out.say(format!("the secrets that {} names", shown(path.strip_prefix(here).unwrap_or(path))));
        Ok(Chosen { prefixes: project.prefix.clone().into_iter().collect(), env: project.env.clone() })
    }
}

/// A value that the vault did not send though it was asked for.
pub fn incomplete() -> Failure {
    Failure::internal("the vault did not answer what was asked")
}

fn copy_of(value: &SecretBytes) -> SecretBytes {
    SecretBytes::from_slice(value.reveal())
}

fn item(secret: Secret) -> Result<(SecretPath, Option<EnvName>, SecretBytes), Failure> {
    let env = secret.metadata.env.as_deref().map(EnvName::parse).transpose()?;
    Ok((SecretPath::parse(&secret.path)?, env, secret.value))
}
