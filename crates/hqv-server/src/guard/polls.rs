//! Places for polls that wait for a person: a bounded number in all, and a few for each ticket.
//!
//! A poll that waits keeps its connection. Without the first bound polls would keep out who has something to do;
//! without the second, whoever knows one ticket would keep everybody else from waiting for theirs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Polls of one ticket that wait: the command, its prompt, and the same again for a run that joins it.
const EACH: usize = 4;

/// See the module's comment.
#[derive(Debug)]
pub struct Polls {
    most: usize,
    waiting: Mutex<HashMap<[u8; 16], usize>>,
}

/// A place; free again when dropped.
#[derive(Debug)]
pub struct Place<'a> {
    polls: &'a Polls,
    ticket: [u8; 16],
}

impl Polls {
    /// Room for so many, at least one.
    pub fn new(most: usize) -> Self {
        Polls { most: most.max(1), waiting: Mutex::default() }
    }

    /// A place for a poll of this ticket; none where there are too many of it, or in all.
    pub fn place(&self, ticket: [u8; 16]) -> Option<Place<'_>> {
        let mut waiting = self.guard();
        let (all, of_it) = (waiting.values().sum::<usize>(), waiting.get(&ticket).copied().unwrap_or(0));
        if all >= self.most || of_it >= EACH {
            return None;
        }
        waiting.insert(ticket, of_it + 1);
        Some(Place { polls: self, ticket })
    }

    fn guard(&self) -> MutexGuard<'_, HashMap<[u8; 16], usize>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.polls.guard();
        match waiting.get_mut(&self.ticket) {
            Some(of_it) if *of_it > 1 => *of_it -= 1,
            _ => drop(waiting.remove(&self.ticket)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn ht5_places_are_bounded_in_all_and_for_each_ticket_and_come_back() {
        let polls = Polls::new(6);
        let mut one: Vec<_> = (0..EACH).map(|_| polls.place([1; 16]).unwrap()).collect();
        assert!(polls.place([1; 16]).is_none());
        let others = [polls.place([2; 16]).unwrap(), polls.place([3; 16]).unwrap()];
        assert!(polls.place([4; 16]).is_none(), "the house is full");
        one.pop();
        assert!(polls.place([4; 16]).is_some());
        drop((one, others));
        assert!(polls.guard().is_empty());
    }
}
