//! Connections that read, apart from the one that writes.
//!
//! They are opened when first needed and two are kept; a burst opens more and closes them again, so an idle
//! daemon holds little memory. A connection that met an error is closed, not kept.

use crate::place::Place;
use crate::{connect, failure};
use hqv_store::StoreError;
use rusqlite::Connection;
use std::sync::{Mutex, MutexGuard, PoisonError};

const KEPT: usize = 2;

pub(crate) struct Readers {
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new() -> Self {
        Readers { idle: Mutex::new(Vec::with_capacity(KEPT)) }
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `read` on a connection of its own.
    pub(crate) fn with<T>(
        &self,
        place: &Place,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let idle = self.idle().pop();
        let run = || {
            let conn = match idle {
                Some(conn) => conn,
                None => connect::reader(place)?,
            };
            let answer = read(&conn)?;
            Ok((conn, answer))
        };
        let (conn, answer) = run().map_err(|error| failure::from_sqlite(place, "read", error))?;
        let mut idle = self.idle();
        if idle.len() < KEPT {
            idle.push(conn);
        }
        Ok(answer)
    }
}
