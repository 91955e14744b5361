//! `batch`: many values in one round trip and one use.

use hqv_model::{Actor, Capability, Error, Need, OpKind, Prefix, SecretPath, Verdict, decide};

use super::get::{Got, read};
use crate::caller::Principal;
use crate::operation::{Operation, View};

/// Most secrets in one answer.
pub const MOST: usize = 1_000;
/// Most bytes of values in one answer.
pub const MOST_BYTES: usize = 16 << 20;

/// Which values.
pub enum BatchWhich {
    /// These, each of which must be readable and there.
    Paths(Vec<SecretPath>),
    /// What is readable below a prefix. Nothing there is no use and no error.
    Prefix(Prefix),
    /// The same, at most so many segments deep, and then these paths, each of which must be readable and there.
    Both {
        /// Below this.
        prefix: Prefix,
        /// How many segments below it a path may have; no limit where none.
        depth: Option<usize>,
        /// And these. One that stands below the prefix as well comes once.
        paths: Vec<SecretPath>,
    },
}

impl BatchWhich {
    fn paths(&self) -> &[SecretPath] {
        match self {
            BatchWhich::Paths(paths) | BatchWhich::Both { paths, .. } => paths,
            BatchWhich::Prefix(_) => &[],
        }
    }

    fn prefix(&self) -> Option<&Prefix> {
        match self {
            BatchWhich::Prefix(prefix) | BatchWhich::Both { prefix, .. } => Some(prefix),
            BatchWhich::Paths(_) => None,
        }
    }
}

/// See the module's comment.
pub struct Batch {
    /// Which.
    pub which: BatchWhich,
}

impl Operation for Batch {
    type Answer = Vec<Got>;
    const KIND: OpKind = OpKind::Batch;
    const SPENDS: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        let start = decide(actor, &Need::Myself);
        let prefix = self.which.prefix().map(|prefix| decide(actor, &Need::Prefix(Capability::Read, prefix)));
        let paths = self.which.paths().iter().map(|path| decide(actor, &Need::Path(Capability::Read, path)));
        let all = prefix.into_iter().chain(paths);
        all.fold(start, |so_far, next| if matches!(so_far, Verdict::Deny(_)) { so_far } else { next })
    }

    fn names(&self) -> Vec<&SecretPath> {
        self.which.paths().iter().take(MOST).collect()
    }

    fn below(&self) -> Option<&Prefix> {
        self.which.prefix()
    }

    fn perform(self, view: &mut View<'_>) -> Result<Vec<Got>, Error> {
        if let Some(prefix) = self.which.prefix() {
            view.detail = Some(format!("prefix {prefix}"));
        }
        let paths = match self.which {
            BatchWhich::Paths(paths) => paths,
            BatchWhich::Prefix(prefix) => readable(view, &prefix, None)?,
            BatchWhich::Both { prefix, depth, paths } => {
                let mut all = readable(view, &prefix, depth)?;
                for path in paths {
                    if !all.contains(&path) {
                        all.push(path);
                    }
                }
                all
            }
        };
        if paths.len() > MOST {
            return Err(too_many());
        }
        view.free = paths.is_empty();
        let mut all = Vec::with_capacity(paths.len());
        let mut bytes = 0;
        for path in paths {
            let got = read(view, &path, None, "batch")?;
            bytes += got.value.len();
            if bytes > MOST_BYTES {
                return Err(too_many());
            }
            all.push(got);
        }
        Ok(all)
    }
}

fn too_many() -> Error {
    Error::too_large(format!("more than {MOST} secrets or {} MiB at once", MOST_BYTES >> 20))
        .hint("ask for a narrower prefix")
}

/// The live paths below a prefix that the caller may read, one more than a batch holds at most.
fn readable(view: &View<'_>, prefix: &Prefix, depth: Option<usize>) -> Result<Vec<SecretPath>, Error> {
    let scope = match view.principal {
        Principal::Token(entry) => Some(&entry.facts.scope),
        _ => None,
    };
    let mut all = Vec::new();
    for (_, path) in view.open.secrets.below(prefix, None, view.staged) {
        let path = SecretPath::parse(path)?;
        let deep = |most| prefix.strip(&path).is_some_and(|rest| rest.split('/').count() > most);
        if depth.is_some_and(deep) {
            continue;
        }
        if scope.is_none_or(|scope| scope.rule_for(Capability::Read, &path).is_some()) {
            all.push(path);
            if all.len() > MOST {
                break;
            }
        }
    }
    Ok(all)
}
