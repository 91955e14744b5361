//! One verb, one file: the same name from command to route to operation to test.

pub mod audit_checkpoint;
pub mod audit_key;
pub mod audit_read;
pub mod audit_verify;
pub mod batch;
pub mod copy;
pub mod delete;
pub mod get;
pub mod init;
pub mod list;
pub mod lock;
pub mod mv;
pub mod put;
pub mod session_end;
pub mod session_list;
pub mod settings_change;
pub mod settings_read;
pub mod show;
pub mod shutdown;
pub mod status;
pub mod token_create;
pub mod token_list;
pub mod token_revoke;
pub mod token_self;
pub mod token_show;
pub mod unlock;
