//! Secrets as variables, for the verbs that hand them to programs: what is under prefixes, and what is named one by
//! one, all of it fetched in one request, which is one use.

use std::collections::HashMap;

use hqv_api::BatchRequest;
use hqv_client::Secret;
use hqv_engine::transfer::{self, Entry};
use hqv_model::{Code, EnvName, Prefix, SecretBytes, SecretPath};

use super::context::Context;
use super::link::Link;
use super::output::error::Failure;

/// Which secrets, and what they are called.
pub struct Variables<'a> {
    /// All below it that may be read, named by the rest of their paths.
    pub prefix: Option<&'a Prefix>,
    /// At most so many segments below the prefix.
    pub depth: Option<u16>,
    /// These, with names of their own.
    pub named: &'a [(EnvName, SecretPath)],
}

impl Variables<'_> {
    /// Fetches and names them. None at all is `NOT_FOUND`.
    ///
    /// # Errors
    /// The vault's; `CONFLICT` where two secrets give one name.
    pub fn fetch(&self, ctx: &Context, link: &Link<'_>) -> Result<Vec<Entry>, Failure> {
        let mut paths: Vec<String> = self.named.iter().map(|(_, path)| path.as_str().to_owned()).collect();
        paths.sort_unstable();
        paths.dedup();
        let request = BatchRequest {
            paths: (!paths.is_empty()).then_some(paths),
            prefix: self.prefix.map(|prefix| prefix.as_str().to_owned()),
            depth: self.depth,
        };
        let found = ctx.ask_over(link, async |client| client.batch(&request).await)?;
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
    fn name(&self, found: Vec<Secret>) -> Result<Vec<Entry>, Failure> {
        let (mut below, mut apart) = (Vec::new(), HashMap::new());
        for secret in found {
            let (path, env, value) = item(secret)?;
            if self.named.iter().any(|(_, named)| *named == path) {
                apart.insert(path, value);
            } else {
                below.push((path, env, value));
            }
        }
        let everything = Prefix::everything();
        let mut entries = transfer::name_entries(self.prefix.unwrap_or(&everything), below)?;
        for (name, path) in self.named {
            let value = apart.get(path).map(|value| SecretBytes::from_slice(value.reveal()));
            let value = value.ok_or_else(|| Failure::internal("the vault did not answer what was asked"))?;
            entries.push(Entry { name: name.clone(), path: path.clone(), value });
        }
        transfer::check_unique(&entries)?;
        Ok(entries)
    }
}

fn item(secret: Secret) -> Result<(SecretPath, Option<EnvName>, SecretBytes), Failure> {
    let env = secret.metadata.env.as_deref().map(EnvName::parse).transpose()?;
    Ok((SecretPath::parse(&secret.path)?, env, secret.value))
}
