//! The OpenAPI document, generated from the handlers. `spec/openapi.json` is a copy that a test compares:
//! `cargo run -p hqv-server --example openapi > spec/openapi.json` writes it anew.

use hqv_api::ErrorBody;
use std::collections::BTreeMap;
use std::sync::LazyLock;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi, ToSchema};

use crate::v1;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "HQ Vault",
        description = "Encrypted credentials for people and agents. Served over HTTPS, and over the Unix socket of the vault's directory.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    servers((url = "https://localhost:13100")),
    security(("bearer" = [])),
    modifiers(&Bearer),
    components(schemas(ErrorBody)),
    tags(
        (name = "secrets", description = "Values and what is said about them."),
        (name = "tokens", description = "Bearer tokens and their families."),
        (name = "sessions", description = "The owner's sessions."),
        (name = "entries", description = "Values that a person enters and the asker never sees."),
        (name = "asks", description = "Tokens asked for, and granted by the owner."),
        (name = "settings", description = "What the owner sets, sealed or signed in the vault."),
        (name = "audit", description = "The record, and its proof."),
        (name = "daemon", description = "The vault and the server themselves."),
    ),
    paths(
        v1::health::health, v1::ca::ca, v1::openapi::openapi, v1::status::status,
        v1::init::init, v1::unlock::unlock, v1::lock::lock, v1::shutdown::shutdown, v1::clock::clock_reset,
        v1::vault_check::vault_check,
        v1::list::list, v1::get::get, v1::put::put, v1::delete::delete,
        v1::batch::batch, v1::import::import, v1::transfer::move_secret, v1::transfer::copy_secret, v1::show::show,
        v1::token_create::token_create, v1::token_plan::token_plan, v1::token_sweep::token_sweep, v1::token_list::token_list, v1::token_show::token_self,
        v1::token_show::token_show, v1::token_revoke::token_revoke, v1::token_revoke::token_revoke_self,
        v1::token_freeze::token_freeze, v1::token_freeze::token_thaw, v1::token_burn::token_burn, v1::token_renew::token_renew,
        v1::token_explain::token_explain, v1::token_tree::token_tree,
        v1::session::session_create, v1::session::session_list, v1::session::session_end, v1::session::session_end_all,
        v1::entry::entry_create, v1::entry::entry_list, v1::poll::entry_state, v1::entry::entry_about,
        v1::entry_answer::entry_answer, v1::entry::entry_refuse,
        v1::ask::ask_create, v1::ask::ask_list, v1::poll::ask_state, v1::ask::ask_collect,
        v1::ask_decide::ask_approve, v1::ask_decide::ask_deny,
        v1::settings::settings_read, v1::settings::settings_change,
        v1::exposed::exposed, v1::audit::audit_read, v1::audit_verify::audit_verify, v1::audit_key::audit_checkpoint, v1::audit_key::audit_key, v1::metrics::metrics,
    )
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("hqv_")
            .description(Some("A token (`hqv_...`) or the owner's session (`hqs_...`)."))
            .build();
        openapi
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// What a handler's own rules may answer: who asks, and how the vault stands.
pub struct Refused;
/// What is refused before a handler of a call without body is reached.
pub struct Guarded;
/// The same for a call with a body.
pub struct RefusedBody;
/// Where a call names something that may not be there.
pub struct Missing;

type Responses = BTreeMap<String, RefOr<Response>>;

fn responses(list: &[(&str, &str)]) -> Responses {
    list.iter().map(|(status, description)| ((*status).to_owned(), RefOr::T(refusal(description)))).collect()
}

fn refusal(description: &str) -> Response {
    let reference = RefOr::Ref(utoipa::openapi::Ref::from_schema_name(ErrorBody::name()));
    let content = ContentBuilder::new().schema(Some(reference)).build();
    ResponseBuilder::new().description(description).content("application/json", content).build()
}

const GUARDED: [(&str, &str); 3] = [
    ("400", "The request does not mean anything here."),
    ("403", "Not permitted: a foreign host name, a web page, a scope that is too narrow, or `VAULT_LOCKED`."),
    ("408", "The request did not arrive in time."),
];

/// What hyper answers by itself, before there is a request that we could speak of.
fn without_body() -> Responses {
    let one = |status: &str, description: &str| {
        (status.to_owned(), RefOr::T(ResponseBuilder::new().description(description).build()))
    };
    Responses::from([one("414", "The target is too long."), one("431", "The headers are too large.")])
}

impl IntoResponses for Guarded {
    fn responses() -> Responses {
        let mut all = without_body();
        all.extend(responses(&GUARDED));
        all
    }
}

impl IntoResponses for RefusedBody {
    fn responses() -> Responses {
        let mut all = Guarded::responses();
        all.extend(responses(&[
            ("413", "The body, or what it asks for, is too large."),
            ("415", "The body is not `application/json`."),
        ]));
        all
    }
}

impl IntoResponses for Refused {
    fn responses() -> Responses {
        responses(&[
            ("401", "No credential, one that is not known here, or one that has ended."),
            ("429", "Too many attempts; `Retry-After` says when to come back."),
            ("500", "Something is wrong in the vault; the log says what."),
            ("503", "The vault, its storage or its record cannot be used at the moment."),
        ])
    }
}

impl IntoResponses for Missing {
    fn responses() -> Responses {
        responses(&[("404", "Nothing is there, said only to a caller who may know.")])
    }
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = Document::openapi().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// The document as JSON, the same bytes that `spec/openapi.json` holds.
pub fn document() -> &'static str {
    &DOCUMENT
}
