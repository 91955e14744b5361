//! What a vault should do, in a hundred lines: the model that the random walk is held against.
#![allow(clippy::unwrap_used, clippy::expect_used, dead_code)]

pub mod steps;

use hqv_model::Code;
use std::collections::BTreeMap;

/// How long versions of a deleted secret are kept, in milliseconds.
const KEPT: i64 = 30 * 86_400_000;

/// A secret: the tags of its values in order, and when it was deleted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Secret {
    pub versions: Vec<u32>,
    pub deleted: Option<i64>,
}

/// A token, under the number of the attempt that made it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    pub parent: Option<u32>,
    pub name: u8,
    pub delegate: bool,
    pub max: Option<u64>,
    pub spent: u64,
    pub end: i64,
    pub revoked: bool,
    /// The revocation is on the disk.
    pub stored: bool,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Vault {
    pub secrets: BTreeMap<u8, Secret>,
    pub tokens: BTreeMap<u32, Token>,
}

/// What is done.
#[derive(Clone, Debug)]
pub enum Action {
    Put { at: u8, tag: u32 },
    Read { at: u8, version: Option<u64> },
    Use { token: u32, at: u8 },
    Delete { at: u8 },
    Purge { at: u8 },
    Move { from: u8, to: u8 },
    Copy { from: u8, to: u8 },
    Create { number: u32, by: Option<u32>, name: u8, max: Option<u64>, ttl: i64, delegate: bool },
    Revoke { token: u32 },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Done,
    Version(u64),
    Value(u32),
    Made { max: Option<u64>, end: i64 },
}

impl Vault {
    /// Does it, or says why not.
    pub fn apply(&mut self, action: &Action, now: i64) -> Result<Told, Code> {
        match *action {
            Action::Put { at, tag } => {
                let secret = self.secrets.entry(at).or_default();
                secret.versions.push(tag);
                secret.deleted = None;
                Ok(Told::Version(secret.versions.len() as u64))
            }
            Action::Read { at, version } => self.live(at)?.value(version),
            Action::Use { token, at } => {
                self.stands(token, now)?;
                if self.available(token) == Some(0) {
                    return Err(Code::TokenExhausted);
                }
                let value = self.live(at)?.value(None)?;
                self.spend(token);
                Ok(value)
            }
            Action::Delete { at } => {
                self.live(at)?;
                self.secrets.get_mut(&at).unwrap().deleted = Some(now);
                Ok(Told::Done)
            }
            Action::Purge { at } => self.secrets.remove(&at).map(|_| Told::Done).ok_or(Code::NotFound),
            Action::Move { from, to } => {
                self.live(from)?;
                self.vacant(to)?;
                let moved = self.secrets.remove(&from).unwrap();
                self.secrets.insert(to, moved);
                Ok(Told::Done)
            }
            Action::Copy { from, to } => {
                self.vacant(to)?;
                let versions = self.live(from)?.versions.last().copied().into_iter().collect();
                self.secrets.insert(to, Secret { versions, deleted: None });
                Ok(Told::Done)
            }
            Action::Create { number, by, name, max, ttl, delegate } => {
                self.create(number, by, name, max, now + ttl, delegate, now)
            }
            Action::Revoke { token } => {
                let token = self.tokens.get_mut(&token).unwrap();
                (token.revoked, token.stored) = (true, true);
                Ok(Told::Done)
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn create(
        &mut self,
        number: u32,
        by: Option<u32>,
        name: u8,
        mut max: Option<u64>,
        mut end: i64,
        delegate: bool,
        now: i64,
    ) -> Result<Told, Code> {
        if let Some(by) = by {
            self.stands(by, now)?;
            if !self.tokens[&by].delegate {
                return Err(Code::Forbidden);
            }
            let left = self.available(by);
            if left == Some(0) {
                return Err(Code::TokenExhausted);
            }
            max = max.map(|want| left.map_or(want, |left| want.min(left)));
            end = self.chain(by).iter().map(|t| self.tokens[t].end).fold(end, i64::min);
        }
        let sibling = |t: &Token| t.parent == by && t.name == name && !t.revoked && t.end > now;
        if self.tokens.values().any(sibling) {
            return Err(Code::AlreadyExists);
        }
        let token = Token { parent: by, name, delegate, max, spent: 0, end, revoked: false, stored: false };
        self.tokens.insert(number, token);
        Ok(Told::Made { max, end })
    }

    fn live(&self, at: u8) -> Result<&Secret, Code> {
        self.secrets.get(&at).filter(|s| s.deleted.is_none()).ok_or(Code::NotFound)
    }

    fn vacant(&self, at: u8) -> Result<(), Code> {
        if self.secrets.contains_key(&at) { Err(Code::AlreadyExists) } else { Ok(()) }
    }

    fn chain(&self, token: u32) -> Vec<u32> {
        std::iter::successors(Some(token), |t| self.tokens[t].parent).collect()
    }

    fn stands(&self, token: u32, now: i64) -> Result<(), Code> {
        let chain = self.chain(token);
        if chain.iter().any(|t| self.tokens[t].revoked) {
            return Err(Code::TokenRevoked);
        }
        if chain.iter().any(|t| self.tokens[t].end <= now) { Err(Code::TokenExpired) } else { Ok(()) }
    }

    /// One use, counted at every ancestor.
    pub fn spend(&mut self, token: u32) {
        for link in self.chain(token) {
            self.tokens.get_mut(&link).unwrap().spent += 1;
        }
    }

    fn available(&self, token: u32) -> Option<u64> {
        let left = |t: &u32| self.tokens[t].max.map(|max| max - self.tokens[t].spent);
        self.chain(token).iter().filter_map(left).min()
    }

    /// True where its uses are exact.
    pub fn limited(&self, token: u32) -> bool {
        self.chain(token).iter().any(|t| self.tokens[t].max.is_some())
    }

    /// Revoked, of itself or above.
    pub fn revoked(&self, token: u32) -> bool {
        self.chain(token).iter().any(|t| self.tokens[t].revoked)
    }

    /// What may stand after the process died: revocations that were not stored may be gone.
    pub fn after_death(&self) -> Vec<Vault> {
        let mut all = vec![self.clone()];
        for (number, token) in &self.tokens {
            if token.revoked && !token.stored {
                for mut vault in all.clone() {
                    vault.tokens.get_mut(number).unwrap().revoked = false;
                    all.push(vault);
                }
            }
        }
        all
    }

    /// What may stand after a flush: what was deleted long ago may be swept away.
    pub fn after_flush(&self, now: i64) -> Vec<Vault> {
        let due = |s: &Secret| s.deleted.is_some_and(|at| at + KEPT <= now);
        let mut swept = self.clone();
        swept.secrets.retain(|_, s| !due(s));
        if swept == *self { vec![swept] } else { vec![self.clone(), swept] }
    }
}

impl Secret {
    fn value(&self, version: Option<u64>) -> Result<Told, Code> {
        let number = version.unwrap_or(self.versions.len() as u64);
        let at = usize::try_from(number).unwrap().checked_sub(1).ok_or(Code::NotFound)?;
        self.versions.get(at).map(|tag| Told::Value(*tag)).ok_or(Code::NotFound)
    }
}
