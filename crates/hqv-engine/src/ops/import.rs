//! `import`: many values at once, all of them or none, as one record.
//!
//! Each is a `put` of its own in one transaction: what one of them finds wrong undoes the rest. What happens
//! where a secret stands already is decided here and not by the client, which could only look before.

use hqv_model::{
    Actor, Capability, Code, EntryRoute, EnvName, Error, Need, OpKind, SecretBytes, SecretPath, Verdict,
    decide, escape_controls,
};
use std::collections::HashSet;

use super::put::{Put, PutCondition};
use crate::core::WHAT_IT_MAY;
use crate::operation::{Operation, View};

/// Most secrets in one import. They are sealed under the engine's mutex, some 10 µs each.
pub const MOST: usize = 10_000;
/// Most bytes of values in one import. The body that brings them over HTTP is at most 32 MiB of JSON.
pub const MOST_BYTES: usize = 16 << 20;
/// Paths that a record of a refusal names.
const NAMED: usize = 1_000;
/// Other names that are tried for one path.
const TRIES: usize = 1_000;

/// What happens where a secret stands already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnConflict {
    /// Nothing is stored at all.
    #[default]
    Fail,
    /// That one stays as it is.
    Skip,
    /// It gets a new version.
    Overwrite,
    /// The new one goes to the first free of `PATH-2`, `PATH-3` and so on.
    Rename,
}

impl OnConflict {
    /// Every way.
    pub const ALL: &[OnConflict] =
        &[OnConflict::Fail, OnConflict::Skip, OnConflict::Overwrite, OnConflict::Rename];

    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            OnConflict::Fail => "fail",
            OnConflict::Skip => "skip",
            OnConflict::Overwrite => "overwrite",
            OnConflict::Rename => "rename",
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// `BAD_REQUEST` with the words there are.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let found = OnConflict::ALL.iter().copied().find(|way| way.as_str() == text);
        found.ok_or_else(|| {
            Error::bad_request("an unknown way out of a conflict")
                .hint("it is fail, skip, overwrite or rename")
        })
    }
}

/// One secret to store.
pub struct Imported {
    /// Where.
    pub path: SecretPath,
    /// What.
    pub value: SecretBytes,
    /// The variable that `env-file` makes of it, where its path would give another.
    pub env: Option<EnvName>,
}

/// See the module's comment.
pub struct Import {
    /// At most [`MOST`] and [`MOST_BYTES`]; no path twice.
    pub secrets: Vec<Imported>,
    /// Where one stands already.
    pub on_conflict: OnConflict,
}

/// What became of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// A new secret.
    Created,
    /// A new version of what stood there.
    Overwritten,
    /// A new secret at another path.
    Renamed,
    /// Nothing: what stood there still does.
    Skipped,
}

impl Became {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Became::Created => "created",
            Became::Overwritten => "overwritten",
            Became::Renamed => "renamed",
            Became::Skipped => "skipped",
        }
    }
}

/// One secret of the answer, in the order of the request.
pub struct Stored {
    /// Where it was to go.
    pub asked: SecretPath,
    /// Where it is.
    pub path: SecretPath,
    /// The length of the value that was brought.
    pub bytes: u64,
    /// The newest version there.
    pub version: u64,
    /// What became of it.
    pub became: Became,
}

impl Operation for Import {
    type Answer = Vec<Stored>;
    const KIND: OpKind = OpKind::Import;
    const WRITES: bool = true;

    fn judge(&self, actor: &Actor<'_>) -> Verdict {
        let start = decide(actor, &Need::Myself);
        let mut each =
            self.secrets.iter().map(|one| decide(actor, &Need::Path(Capability::Write, &one.path)));
        each.find(|verdict| matches!(verdict, Verdict::Deny(_))).unwrap_or(start)
    }

    fn names(&self) -> Vec<&SecretPath> {
        self.secrets.iter().take(NAMED).map(|one| &one.path).collect()
    }

    fn weight(&self) -> usize {
        self.secrets.iter().map(|one| one.value.len()).sum()
    }

    fn perform(self, view: &mut View<'_>) -> Result<Vec<Stored>, Error> {
        let mut taken = self.check()?;
        let there = self.conflicts(view)?;
        if self.on_conflict == OnConflict::Fail
            && let Some((first, _)) =
                there.iter().zip(&self.secrets).find_map(|(v, one)| v.map(|v| (&one.path, v)))
        {
            return Err(conflict(first, there.iter().flatten().count()));
        }
        view.detail =
            Some(format!("{} secrets, on conflict {}", self.secrets.len(), self.on_conflict.as_str()));
        let way = self.on_conflict;
        let mut done = Vec::with_capacity(self.secrets.len());
        for (one, version) in self.secrets.into_iter().zip(there) {
            done.push(store(view, one, version, way, &mut taken)?);
        }
        Ok(done)
    }
}

impl Import {
    /// The paths it names, each once; and that it is not too large.
    fn check(&self) -> Result<HashSet<SecretPath>, Error> {
        if self.secrets.is_empty() {
            return Err(Error::bad_request("there is nothing to import"));
        }
        if self.secrets.len() > MOST || self.weight() > MOST_BYTES {
            let say = format!("more than {MOST} secrets or {} MiB at once", MOST_BYTES >> 20);
            return Err(Error::too_large(say).hint("import them in parts"));
        }
        let mut paths = HashSet::with_capacity(self.secrets.len());
        match self.secrets.iter().find(|one| !paths.insert(one.path.clone())) {
            Some(one) => Err(Error::bad_request(format!("{} stands there twice", shown(&one.path)))),
            None => Ok(paths),
        }
    }

    /// For each the newest version of what stands at its path.
    fn conflicts(&self, view: &View<'_>) -> Result<Vec<Option<u64>>, Error> {
        let live = |one: &Imported| -> Result<Option<u64>, Error> {
            let found = view.find(&one.path)?;
            Ok(found.filter(|(_, body)| body.deleted.is_none()).map(|(_, body)| body.newest))
        };
        self.secrets.iter().map(live).collect()
    }
}

fn store(
    view: &mut View<'_>,
    one: Imported,
    there: Option<u64>,
    way: OnConflict,
    taken: &mut HashSet<SecretPath>,
) -> Result<Stored, Error> {
    let (asked, bytes) = (one.path.clone(), one.value.len() as u64);
    let (path, env, became) = match (there, way) {
        (None, _) => (one.path, one.env, Became::Created),
        (Some(version), OnConflict::Skip) => {
            return Ok(Stored { asked, path: one.path, bytes, version, became: Became::Skipped });
        }
        (Some(_), OnConflict::Overwrite) => (one.path, one.env, Became::Overwritten),
        // The name belongs to what stands at the path asked for: two of one name could not be written out.
        (Some(_), OnConflict::Rename) => (free(view, &one.path, taken)?, None, Became::Renamed),
        (Some(_), OnConflict::Fail) => return Err(conflict(&one.path, 1)),
    };
    let writer = view.writer();
    let condition = if became == Became::Overwritten { PutCondition::Any } else { PutCondition::Absent };
    let put = Put {
        path: path.clone(),
        value: one.value,
        kind: None,
        description: None,
        tags: None,
        expires: None,
        env: Some(env),
        route: EntryRoute::Import,
        condition,
    };
    let done = put.store(view, writer, "import")?;
    Ok(Stored { asked, path, bytes, version: done.meta.version, became })
}

/// The first free path after this one that the caller may write.
fn free(view: &View<'_>, path: &SecretPath, taken: &mut HashSet<SecretPath>) -> Result<SecretPath, Error> {
    for number in 2..TRIES {
        let other = SecretPath::parse(&format!("{}-{number}", path.as_str()))?;
        let live = view.find(&other)?.is_some_and(|(_, body)| body.deleted.is_none());
        if live || taken.contains(&other) {
            continue;
        }
        may_write(view, &other)?;
        taken.insert(other.clone());
        return Ok(other);
    }
    Err(Error::conflict(format!("no free path beside {}", shown(path))))
}

fn may_write(view: &View<'_>, path: &SecretPath) -> Result<(), Error> {
    match decide(&view.principal.actor(), &Need::Path(Capability::Write, path)) {
        Verdict::Allow { .. } => Ok(()),
        Verdict::Deny(reason) => Err(Error::forbidden(reason.to_string()).hint(WHAT_IT_MAY)),
    }
}

fn conflict(path: &SecretPath, count: usize) -> Error {
    let more = if count > 1 { format!(", and at {} more of these paths", count - 1) } else { String::new() };
    let say = format!("there is a secret at {} already{more}; nothing was stored", shown(path));
    Error::new(Code::AlreadyExists, say).hint("choose skip, overwrite or rename, or another prefix")
}

fn shown(path: &SecretPath) -> String {
    escape_controls(path.as_str()).into_owned()
}
