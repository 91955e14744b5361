//! Which pages are open: one for each entry that waits and that its asker may have answered by itself.

use hqv_api::entry::base64url;
use hqv_engine::ops::entry_create::EntryOpened;
use hqv_engine::tickets::EntryState;
use hqv_model::{EntryId, SecretText};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::entry::site::{Entry, Site};
use crate::guard::size::Reader;
use crate::guard::slow::Patience;
use crate::listen::conn::serve_http1;
use crate::listen::registry::Registry;
use crate::listen::tcp::after_failed_accept;
use crate::service::Shared;

/// Pages of entries that wait, at once: no more than entries may wait.
const MOST: usize = 64;
/// The same with those that stay a while after their entry's end. These go before their time where room is needed, the
/// longest over first: who opens and refuses many takes nobody's page.
const MOST_IN_ALL: usize = 256;
/// Connections of one page: two browsers' worth.
const CONNECTIONS: usize = 16;
/// In ticks of a quarter second: 10 s for a head, 60 s idle, 30 s for an answer that is not taken.
const PATIENCE: Patience = Patience { head: 40, idle: 240, stalled: 120, heavy: 8 };
/// What is in flight at the end has this long.
const GRACE: Duration = Duration::from_secs(2);

/// The open pages, and what they share: a budget for bodies that the rest of the server has no part in.
#[derive(Default)]
pub struct Pages {
    open: Mutex<Table>,
    bodies: Reader,
}

#[derive(Default)]
struct Table {
    pages: HashMap<EntryId, Open>,
    /// How many entries have ended: the order in which they did.
    ended: u64,
}

/// Where a page is, whether its entry waits, and how it is sent away.
struct Open {
    port: u16,
    entry: Arc<Entry>,
    /// When its entry ended, in the order of ends.
    over: Option<u64>,
    leave: Arc<Notify>,
}

impl Table {
    /// Notes that an entry has ended.
    fn over(&mut self, id: &EntryId) {
        if let Some(open) = self.pages.get_mut(id).filter(|open| open.over.is_none()) {
            self.ended += 1;
            open.over = Some(self.ended);
        }
    }

    fn waiting(&self) -> usize {
        self.pages.values().filter(|open| open.over.is_none()).count()
    }

    /// Whether there is room for one more, after those that only linger have made it.
    fn make_room(&mut self, shared: &Shared) -> bool {
        if self.waiting() >= MOST {
            // A page hears of its entry's end a moment later than we can ask.
            let waits = |open: &Open| open.over.is_some() || open.entry.waits(shared);
            let ended: Vec<EntryId> =
                self.pages.iter().filter(|(_, open)| !waits(open)).map(|(id, _)| *id).collect();
            ended.iter().for_each(|id| self.over(id));
        }
        while self.pages.len() >= MOST_IN_ALL {
            let longest = self.pages.iter().filter_map(|(id, open)| Some((open.over?, *id))).min();
            let Some(open) = longest.and_then(|(_, id)| self.pages.remove(&id)) else { return false };
            open.leave.notify_one();
        }
        self.waiting() < MOST
    }
}

impl Pages {
    /// Reads what pages send.
    pub fn bodies(&self) -> &Reader {
        &self.bodies
    }

    /// The address of the entry's page, opened where it was not open yet. None where only the owner's answer will do, where
    /// the entry is over, and where no port can be had: the code still works.
    pub fn open(shared: &Arc<Shared>, opened: &EntryOpened) -> Option<SecretText> {
        let (submit, public) = (opened.submit.as_ref()?, opened.public?);
        if opened.state != EntryState::Waiting {
            return None;
        }
        let port = shared.pages.port(shared, opened.id, submit)?;
        let hash = base64url(&Sha256::digest(public));
        Some(SecretText::new(format!("http://127.0.0.1:{port}/{}#{}.{hash}", opened.id, submit.reveal())))
    }

    fn port(&self, shared: &Arc<Shared>, id: EntryId, submit: &SecretText) -> Option<u16> {
        let mut table = self.table();
        if let Some(open) = table.pages.get(&id) {
            return Some(open.port);
        }
        if !table.make_room(shared) {
            return None;
        }
        let (listener, port) =
            listen().map_err(|e| (shared.log)(&format!("no port for an entry's page: {e}"))).ok()?;
        let (entry, leave) = (Arc::new(Entry::new(id, submit)), Arc::new(Notify::new()));
        table
            .pages
            .insert(id, Open { port, entry: Arc::clone(&entry), over: None, leave: Arc::clone(&leave) });
        let page = Page {
            entry,
            leave,
            registry: Registry::new(CONNECTIONS, PATIENCE, Arc::clone(&shared.scale)),
            shared: Arc::clone(shared),
        };
        // A stop waits for it, from this moment on.
        let mark = shared.busy.mark();
        tokio::spawn(async move {
            page.run(listener).await;
            drop(mark);
        });
        Some(port)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listen() -> std::io::Result<(tokio::net::TcpListener, u16)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let port = listener.local_addr()?.port();
    Ok((tokio::net::TcpListener::from_std(listener)?, port))
}

/// One open page.
struct Page {
    entry: Arc<Entry>,
    leave: Arc<Notify>,
    registry: Arc<Registry>,
    shared: Arc<Shared>,
}

impl Page {
    /// Serves until the entry is over and a page that asks has had time to hear of it, or until the daemon stops.
    async fn run(self, listener: tokio::net::TcpListener) {
        tokio::select! {
            () = self.accept(&listener) => {}
            () = Arc::clone(&self.registry).keep_sweeping() => {}
            () = self.over() => {}
            () = self.leave.notified() => {}
        }
        drop(listener);
        self.registry.close(GRACE).await;
        self.shared.pages.table().pages.remove(&self.entry.id);
    }

    async fn accept(&self, listener: &tokio::net::TcpListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => self.take(stream),
                Err(_) => after_failed_accept().await,
            }
        }
    }

    fn take(&self, stream: TcpStream) {
        // A full house closes the stream by dropping it.
        let Some(seat) = self.registry.admit() else { return };
        let shared = Arc::clone(&self.shared);
        let site = Site::new(Arc::clone(&shared), Arc::clone(&self.entry), Arc::clone(&seat.pulse));
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            seat.pulse.ready(false);
            serve_http1(stream, seat, site, &shared).await;
        });
    }

    async fn over(&self) {
        let mut stopping = self.shared.house.stopping();
        let ended = async {
            let mut changed = self.shared.engine.ticket_events();
            loop {
                changed.borrow_and_update();
                if !self.entry.waits(&self.shared) {
                    self.shared.pages.table().over(&self.entry.id);
                    return tokio::time::sleep(self.shared.linger).await;
                }
                if changed.changed().await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = ended => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}
