//! The daemon's life: started, found, stopped; and the files that say it runs.
//!
//! What decides is the lock on the vault and the socket, never a pid in a file:
//! a pid names whoever has it now.

pub mod autostart;
mod der;
pub mod foreground;
pub mod leaf;
pub mod listen;
pub mod options;
mod signals;
pub mod start;
pub mod state_files;
pub mod stop;
mod tidy;
