//! One file a verb: build the request, render the answer.

pub mod audit;
pub mod audit_verify;
pub mod complete_paths;
pub mod completions;
pub mod config;
pub mod delete;
pub mod doctor;
pub mod env_file;
pub mod get;
pub mod init;
pub mod list;
pub mod lock;
pub mod man;
pub mod relocate;
pub mod serve;
pub mod session;
pub mod shell_init;
pub mod show;
pub mod status;
pub mod store;
mod suggest;
pub mod token;
pub mod tour;
pub mod unlock;
pub mod version;
pub mod whoami;
