//! What tokens have in common, held once, and who descends from whom.
//!
//! An orchestrator makes thousands of tokens with one scope, one creator and one list of ancestors. Held with each they
//! were half of what a token takes. The lists of children let a family be found without looking at any other.

use hqv_model::{Scope, TokenId, TokenName};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::Arc;

use crate::family::{TokenEntry, TokenFacts};

/// A parent and a name below it, as 128 bits of keyed hashes: nobody can make two of them alike.
pub type SiblingKey = [u8; 16];

/// See the module's comment.
#[derive(Default)]
pub(crate) struct Kin {
    keys: [RandomState; 2],
    scopes: HashSet<Arc<Scope>>,
    creators: HashSet<Arc<str>>,
    lineages: HashSet<Arc<[TokenId]>>,
    /// Committed children; the owner's are not listed.
    broods: HashMap<TokenId, Vec<TokenId>>,
}

impl Kin {
    /// The key of a name below a parent (none: the owner).
    pub fn sibling(&self, parent: Option<TokenId>, name: &TokenName) -> SiblingKey {
        let [a, b] = self.keys.each_ref().map(|key| key.hash_one((parent, name)).to_le_bytes());
        let mut key = [0; 16];
        let (left, right) = key.split_at_mut(8);
        left.copy_from_slice(&a);
        right.copy_from_slice(&b);
        key
    }

    /// Lets a token that nobody else holds yet share what others have too.
    pub fn share(&mut self, entry: &mut TokenEntry) {
        if let Some(facts) = Arc::get_mut(&mut entry.facts) {
            one(&mut self.scopes, &mut facts.scope);
            one(&mut self.creators, &mut facts.creator);
            one(&mut self.lineages, &mut facts.ancestors);
        }
    }

    /// Forgets what no token has any more.
    pub fn tidy(&mut self) {
        self.scopes.retain(|scope| Arc::strong_count(scope) > 1);
        self.creators.retain(|creator| Arc::strong_count(creator) > 1);
        self.lineages.retain(|lineage| Arc::strong_count(lineage) > 1);
    }

    /// A token's row is committed.
    pub fn born(&mut self, facts: &TokenFacts) {
        if let Some(parent) = facts.parent {
            self.broods.entry(parent).or_default().push(facts.id);
        }
    }

    /// A token's row has gone.
    pub fn gone(&mut self, facts: &TokenFacts) {
        self.broods.remove(&facts.id);
        if let Some(brood) = facts.parent.and_then(|parent| self.broods.get_mut(&parent)) {
            // Swept are those that ended longest ago, which mostly stand at the front.
            if let Some(at) = brood.iter().position(|child| *child == facts.id) {
                brood.swap_remove(at);
            }
        }
    }

    /// The committed children of a token.
    pub fn children(&self, parent: &TokenId) -> &[TokenId] {
        self.broods.get(parent).map_or(&[], Vec::as_slice)
    }

    /// Whether it has any.
    pub fn has_children(&self, parent: &TokenId) -> bool {
        self.broods.contains_key(parent)
    }
}

/// The one that is held already takes the place of another like it.
fn one<T: ?Sized + Eq + Hash>(held: &mut HashSet<Arc<T>>, mine: &mut Arc<T>) {
    match held.get(&**mine) {
        Some(same) => *mine = Arc::clone(same),
        None => drop(held.insert(Arc::clone(mine))),
    }
}
