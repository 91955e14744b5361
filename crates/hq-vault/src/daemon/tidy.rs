//! After an unlock and a lock: what they freed goes back to the system, and what requests left on the stacks of
//! the threads that served them is overwritten.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use hqv_server::Handle;
use tokio::sync::watch::Receiver;

use super::foreground::log;

/// Connections of the moment of a lock are gone by then.
const LATER: Duration = Duration::from_millis(300);
/// How long a thread waits for the others to come to their turn.
const PATIENCE: Duration = Duration::from_millis(200);

/// Runs as long as the daemon; `threads` serve requests.
pub async fn after_locks(mut unlocked: Receiver<bool>, server: Handle, threads: usize) {
    let mut said = false;
    warn_of_memory(&server, &mut said);
    while unlocked.changed().await.is_ok() {
        let now_locked = !*unlocked.borrow_and_update();
        warn_of_memory(&server, &mut said);
        for pause in [Duration::ZERO, LATER] {
            tokio::time::sleep(pause).await;
            if now_locked {
                on_every_thread(threads, hqv_sys::memory::scrub_stack_deep).await;
            }
            hqv_sys::memory::give_back();
            hqv_sys::memory::let_go_of_code();
        }
    }
}

/// The pages come with a vault, so this is looked at again at each unlock. Said once.
pub fn warn_of_memory(server: &Handle, said: &mut bool) {
    if hqv_sys::memory::lock_failed() && !std::mem::replace(said, true) {
        let words = "memory cannot be locked (RLIMIT_MEMLOCK): keys could reach the swap";
        log(words);
        server.warn(words.to_owned());
    }
}

/// Does it on each thread of the runtime: who has done it holds its thread until all have, so that nobody takes
/// two turns. A thread that is busy for longer than our patience is left out.
async fn on_every_thread(threads: usize, work: fn()) {
    if threads <= 1 {
        return work();
    }
    let here = Arc::new((Mutex::new(0), Condvar::new()));
    let turns: Vec<_> = (0..threads)
        .map(|_| {
            let here = here.clone();
            tokio::spawn(async move {
                work();
                let (count, all) = &*here;
                let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
                *count += 1;
                all.notify_all();
                drop(all.wait_timeout_while(count, PATIENCE, |count| *count < threads));
            })
        })
        .collect();
    for turn in turns {
        let _ = turn.await;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashSet;
    use std::thread::ThreadId;

    static SEEN: Mutex<Option<HashSet<ThreadId>>> = Mutex::new(None);

    #[test]
    fn mm1_every_thread_that_serves_has_its_turn() {
        let threads = 4;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build().unwrap();
        runtime.block_on(async {
            let all = tokio::spawn(on_every_thread(threads, || {
                SEEN.lock().unwrap().get_or_insert_default().insert(std::thread::current().id());
            }));
            all.await.unwrap();
        });
        assert_eq!(SEEN.lock().unwrap().as_ref().map(HashSet::len), Some(threads));
    }
}
