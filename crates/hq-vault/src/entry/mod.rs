//! A person types a value where the agent that asked does not look.
//!
//! `ingest` opens an entry in the daemon and then looks for a way to the
//! person, in this order: its own terminal (`route_tty`), a controlling
//! terminal that is quiet (`route_controlling`), tmux (`route_tmux`), a page in
//! the browser (`route_page`), else a code (`route_code`). Each route is a file
//! of its own and holds no rule: what may be entered, by whom and how often,
//! the engine decides when the value comes in.
//!
//! The prompt itself (`sitting`) is the same on every terminal. Where it
//! stands on a terminal that is not `ingest`'s own, it is a process of its own
//! (`prompter`), told what to do over a socket (`errand`): it outlives an
//! `ingest` that a harness has killed, and the value never passes through what
//! the agent started.

pub mod asker;
pub mod errand;
pub mod notify;
pub mod prompt;
pub mod prompter;
pub mod redirect;
pub mod route_code;
pub mod route_controlling;
pub mod route_page;
pub mod route_tmux;
pub mod route_tty;
pub mod routes;
pub mod shapes;
pub mod sitting;
mod slips;
pub mod standing;
pub mod waiting;
pub mod watch;
