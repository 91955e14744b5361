//! The wire: what requests and answers look like, and nothing about what they mean.
//!
//! One module holds the types of one verb or noun, under the name that its route, its operation and its
//! command bear. The types are plain: text stays text here and is parsed into the model's types at the
//! server's door, so that a client never has to know the rules. Three things hold everywhere:
//!
//! - a request refuses unknown fields and duplicate keys ([`unique`] does so where a map is open);
//! - an answer is read leniently, so that a newer server may add fields;
//! - a secret value, passphrase, token or session travels in [`WireSecret`] only, and JSON that holds one
//!   stands in a [`JsonBody`], which is wiped when dropped.
#![forbid(unsafe_code)]

pub mod ask;
pub mod audit;
pub mod batch;
pub mod body;
pub mod clock;
pub mod delete;
pub mod entry;
pub mod error;
pub mod exposed;
pub mod get;
pub mod headers;
pub mod import;
pub mod init;
pub mod list;
pub mod percent;
pub mod put;
pub mod query;
pub mod routes;
pub mod secret;
pub mod session;
pub mod settings;
pub mod show;
pub mod sse;
pub mod status;
pub mod time;
pub mod token;
pub mod token_life;
pub mod transfer;
pub mod unique;
pub mod unlock;
pub mod vault_check;

pub use ask::{
    AskAnswer, AskApproveRequest, AskCollectRequest, AskList, AskRequest, AskRule, AskState, AskView,
};
pub use audit::{
    AuditCheckpoint, AuditFinding, AuditIdentity, AuditItem, AuditKey, AuditPage, AuditQuery, AuditRecord,
    AuditReport,
};
pub use batch::{BatchAnswer, BatchRequest};
pub use body::JsonBody;
pub use clock::ClockReset;
pub use delete::{DeleteAnswer, DeleteQuery};
pub use entry::{
    Asker, EntryAbout, EntryAnswer, EntryAnswerRequest, EntryList, EntryProof, EntryRequest, EntrySealed,
    EntryState, EntryStored, MAX_WAIT, WaitQuery,
};
pub use error::ErrorBody;
pub use exposed::{BurnQuery, BurntVersion, ExposedPage, ExposedQuery, ExposedTo, Exposure, TokenBurnt};
pub use get::{GetAnswer, GetQuery, GetView};
pub use import::{ImportAnswer, ImportRequest, ImportSecret, ImportedSecret};
pub use init::{InitAnswer, InitRequest};
pub use list::{Entry, ListAnswer, ListQuery, Metadata};
pub use put::{PutAnswer, PutRequest};
pub use routes::{Method, Needs, ROUTES, Route};
pub use secret::{Encoding, WireSecret};
pub use session::{SessionAnswer, SessionList, SessionRequest, SessionView};
pub use settings::{SettingView, SettingsAnswer, SettingsPatch};
pub use show::{ShowAnswer, VersionEntry};
pub use status::{RecordStatus, StatusAnswer, TokenStatus, WaitingStatus};
pub use token::{
    TokenAnswer, TokenList, TokenListQuery, TokenMetadata, TokenRequest, TokenRevoked, TokensSwept, WhoAmI,
};
pub use token_life::{
    ExplainLink, ExplainQuery, TokenExplained, TokenPlanned, TokenRenewRequest, TokenRenewed, TokenSuspended,
};
pub use transfer::{TransferAnswer, TransferRequest};
pub use unlock::{Done, UnlockAnswer, UnlockRequest};
pub use vault_check::VaultChecked;
