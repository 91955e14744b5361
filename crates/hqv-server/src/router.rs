//! From method and target to a call, by hand: one prefix after the other, no tables to build, nothing allocated.
//!
//! A test compares what is found here with `hqv_api::ROUTES` and with the OpenAPI document.

use http::Method;

/// Every call there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Call {
    Health,
    Ca,
    OpenApi,
    Status,
    Init,
    Unlock,
    Lock,
    Shutdown,
    ClockReset,
    VaultCheck,
    List,
    Get,
    Put,
    Delete,
    Batch,
    Import,
    Move,
    Copy,
    Show,
    TokenCreate,
    TokenPlan,
    TokenSweep,
    TokenList,
    TokenSelf,
    TokenShow,
    TokenRevoke,
    TokenRevokeSelf,
    TokenFreeze,
    TokenThaw,
    TokenBurn,
    TokenRenew,
    TokenExplain,
    TokenTree,
    SessionCreate,
    SessionList,
    SessionEnd,
    SessionEndAll,
    EntryCreate,
    EntryList,
    EntryState,
    EntryAbout,
    EntryAnswer,
    EntryRefuse,
    AskCreate,
    AskList,
    AskState,
    AskCollect,
    AskApprove,
    AskDeny,
    SettingsRead,
    SettingsChange,
    Exposed,
    AuditRead,
    AuditVerify,
    AuditCheckpoint,
    AuditKey,
    Metrics,
}

/// What a target turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// This call; the tail is the parameter as it stands in the target, or empty.
    Call(Call, &'a str),
    /// The address is one of ours, the method is not among these.
    Methods(&'static str),
    /// No such address.
    Nothing,
}

/// A resource's methods, and how `Allow` lists them.
struct Resource {
    calls: &'static [(Method, Call)],
    allow: &'static str,
}

macro_rules! resource {
    ($name:ident, $allow:literal, $($method:ident => $call:ident),+) => {
        static $name: Resource = Resource { calls: &[$((Method::$method, Call::$call)),+], allow: $allow };
    };
}

resource!(HEALTH, "GET", GET => Health);
resource!(CA, "GET", GET => Ca);
resource!(OPENAPI, "GET", GET => OpenApi);
resource!(STATUS, "GET", GET => Status);
resource!(INIT, "POST", POST => Init);
resource!(UNLOCK, "POST", POST => Unlock);
resource!(LOCK, "POST", POST => Lock);
resource!(SHUTDOWN, "POST", POST => Shutdown);
resource!(CLOCK, "POST", POST => ClockReset);
resource!(CHECK, "POST", POST => VaultCheck);
resource!(SECRETS, "GET", GET => List);
resource!(SECRET, "GET, PUT, DELETE", GET => Get, PUT => Put, DELETE => Delete);
resource!(BATCH, "POST", POST => Batch);
resource!(IMPORT, "POST", POST => Import);
resource!(MOVE, "POST", POST => Move);
resource!(COPY, "POST", POST => Copy);
resource!(METADATA, "GET", GET => Show);
resource!(TOKENS, "GET, POST", GET => TokenList, POST => TokenCreate);
// The token that asks. One whose name is `self` has to be asked for by its id.
resource!(SELF, "GET, DELETE", GET => TokenSelf, DELETE => TokenRevokeSelf);
resource!(TOKEN, "GET, DELETE", GET => TokenShow, DELETE => TokenRevoke);
resource!(TOKENS_PLAN, "POST", POST => TokenPlan);
resource!(TOKENS_SWEEP, "POST", POST => TokenSweep);
resource!(TOKEN_FREEZE, "POST", POST => TokenFreeze);
resource!(TOKEN_THAW, "POST", POST => TokenThaw);
resource!(TOKEN_BURN, "POST", POST => TokenBurn);
resource!(TOKEN_RENEW, "POST", POST => TokenRenew);
resource!(TOKEN_EXPLAIN, "GET", GET => TokenExplain);
resource!(TOKEN_TREE, "GET", GET => TokenTree);
resource!(SESSIONS, "GET, POST, DELETE", GET => SessionList, POST => SessionCreate, DELETE => SessionEndAll);
resource!(SESSION, "DELETE", DELETE => SessionEnd);
resource!(ENTRIES, "GET, POST", GET => EntryList, POST => EntryCreate);
resource!(ENTRY, "GET", GET => EntryState);
resource!(ENTRY_ABOUT, "POST", POST => EntryAbout);
resource!(ENTRY_ANSWER, "POST", POST => EntryAnswer);
resource!(ENTRY_REFUSE, "POST", POST => EntryRefuse);
resource!(ASKS, "GET, POST", GET => AskList, POST => AskCreate);
resource!(ASK, "GET", GET => AskState);
resource!(ASK_COLLECT, "POST", POST => AskCollect);
resource!(ASK_APPROVE, "POST", POST => AskApprove);
resource!(ASK_DENY, "POST", POST => AskDeny);
resource!(SETTINGS, "GET, PATCH", GET => SettingsRead, PATCH => SettingsChange);
resource!(EXPOSED, "GET", GET => Exposed);
resource!(AUDIT, "GET", GET => AuditRead);
resource!(VERIFY, "POST", POST => AuditVerify);
resource!(CHECKPOINT, "POST", POST => AuditCheckpoint);
resource!(PUBLIC_KEY, "GET", GET => AuditKey);
resource!(METRICS, "GET", GET => Metrics);

/// Looks a request up. `path` is the target's path as it came, still encoded.
pub fn find<'a>(method: &Method, path: &'a str) -> Found<'a> {
    let Some(rest) = path.strip_prefix("/v1/") else {
        return Found::Nothing;
    };
    let Some((resource, tail)) = resource(rest) else {
        return Found::Nothing;
    };
    match resource.calls.iter().find(|(m, _)| m == method) {
        Some((_, call)) => Found::Call(*call, tail),
        None => Found::Methods(resource.allow),
    }
}

fn resource(rest: &str) -> Option<(&'static Resource, &str)> {
    // First, because it is the hot path. The tail is a whole secret path, slashes and all.
    if let Some(tail) = rest.strip_prefix("secrets/") {
        return Some((&SECRET, tail));
    }
    if let Some(tail) = rest.strip_prefix("metadata/") {
        return Some((&METADATA, tail));
    }
    if let Some(tail) = rest.strip_prefix("tokens/").filter(|tail| *tail != "self") {
        return token(tail);
    }
    if let Some(tail) = rest.strip_prefix("sessions/") {
        return (!tail.is_empty() && !tail.contains('/')).then_some((&SESSION, tail));
    }
    if let Some(tail) = rest.strip_prefix("entries/") {
        let verbs = [("about", &ENTRY_ABOUT), ("answer", &ENTRY_ANSWER), ("refuse", &ENTRY_REFUSE)];
        return one_of(tail, &ENTRY, &verbs);
    }
    if let Some(tail) = rest.strip_prefix("asks/") {
        let verbs = [("collect", &ASK_COLLECT), ("approve", &ASK_APPROVE), ("deny", &ASK_DENY)];
        return one_of(tail, &ASK, &verbs);
    }
    whole(rest).map(|resource| (resource, ""))
}

/// A token, and perhaps what is done with it. A name may hold colons: only one of the verbs at its end is a verb, and
/// in a name it is written with `%3A`.
fn token(tail: &str) -> Option<(&'static Resource, &str)> {
    let verbs = [
        (":freeze", &TOKEN_FREEZE),
        (":thaw", &TOKEN_THAW),
        (":burn", &TOKEN_BURN),
        (":renew", &TOKEN_RENEW),
        ("/explain", &TOKEN_EXPLAIN),
        ("/tree", &TOKEN_TREE),
    ];
    let verb = verbs.iter().find_map(|(verb, resource)| Some((*resource, tail.strip_suffix(verb)?)));
    let (resource, name) = verb.unwrap_or((&TOKEN, tail));
    (!name.is_empty() && !name.contains('/')).then_some((resource, name))
}

/// One of a kind by its id or code, and perhaps a verb after a colon, which neither of them holds.
fn one_of<'a>(
    tail: &'a str,
    itself: &'static Resource,
    verbs: &[(&str, &'static Resource)],
) -> Option<(&'static Resource, &'a str)> {
    let (name, resource) = match tail.split_once(':') {
        None => (tail, itself),
        Some((name, verb)) => (name, verbs.iter().find(|(known, _)| *known == verb)?.1),
    };
    (!name.is_empty() && !name.contains('/')).then_some((resource, name))
}

fn whole(rest: &str) -> Option<&'static Resource> {
    Some(match rest {
        "health" => &HEALTH,
        "ca" => &CA,
        "openapi.json" => &OPENAPI,
        "status" => &STATUS,
        "init" => &INIT,
        "unlock" => &UNLOCK,
        "lock" => &LOCK,
        "shutdown" => &SHUTDOWN,
        "clock:reset" => &CLOCK,
        "vault:check" => &CHECK,
        "secrets" => &SECRETS,
        "secrets:batch" => &BATCH,
        "secrets:import" => &IMPORT,
        "secrets:move" => &MOVE,
        "secrets:copy" => &COPY,
        "tokens" => &TOKENS,
        "tokens:plan" => &TOKENS_PLAN,
        "tokens:sweep" => &TOKENS_SWEEP,
        "tokens/self" => &SELF,
        "sessions" => &SESSIONS,
        "entries" => &ENTRIES,
        "asks" => &ASKS,
        "settings" => &SETTINGS,
        "exposed" => &EXPOSED,
        "audit" => &AUDIT,
        "audit:verify" => &VERIFY,
        "audit:checkpoint" => &CHECKPOINT,
        "audit/public-key" => &PUBLIC_KEY,
        "metrics" => &METRICS,
        _ => return None,
    })
}

#[cfg(test)]
impl Call {
    /// The operation id of `hqv_api::ROUTES` and of the OpenAPI document.
    pub const fn id(self) -> &'static str {
        match self {
            Call::Health => "health",
            Call::Ca => "ca",
            Call::OpenApi => "openapi",
            Call::Status => "status",
            Call::Init => "init",
            Call::Unlock => "unlock",
            Call::Lock => "lock",
            Call::Shutdown => "shutdown",
            Call::ClockReset => "clockReset",
            Call::VaultCheck => "vaultCheck",
            Call::List => "list",
            Call::Get => "get",
            Call::Put => "put",
            Call::Delete => "delete",
            Call::Batch => "batch",
            Call::Import => "import",
            Call::Move => "move",
            Call::Copy => "copy",
            Call::Show => "show",
            Call::TokenCreate => "tokenCreate",
            Call::TokenPlan => "tokenPlan",
            Call::TokenSweep => "tokenSweep",
            Call::TokenList => "tokenList",
            Call::TokenSelf => "tokenSelf",
            Call::TokenShow => "tokenShow",
            Call::TokenRevoke => "tokenRevoke",
            Call::TokenRevokeSelf => "tokenRevokeSelf",
            Call::TokenFreeze => "tokenFreeze",
            Call::TokenThaw => "tokenThaw",
            Call::TokenBurn => "tokenBurn",
            Call::TokenRenew => "tokenRenew",
            Call::TokenExplain => "tokenExplain",
            Call::TokenTree => "tokenTree",
            Call::SessionCreate => "sessionCreate",
            Call::SessionList => "sessionList",
            Call::SessionEnd => "sessionEnd",
            Call::SessionEndAll => "sessionEndAll",
            Call::EntryCreate => "entryCreate",
            Call::EntryList => "entryList",
            Call::EntryState => "entryState",
            Call::EntryAbout => "entryAbout",
            Call::EntryAnswer => "entryAnswer",
            Call::EntryRefuse => "entryRefuse",
            Call::AskCreate => "askCreate",
            Call::AskList => "askList",
            Call::AskState => "askState",
            Call::AskCollect => "askCollect",
            Call::AskApprove => "askApprove",
            Call::AskDeny => "askDeny",
            Call::SettingsRead => "settingsRead",
            Call::SettingsChange => "settingsChange",
            Call::Exposed => "exposed",
            Call::AuditRead => "auditRead",
            Call::AuditVerify => "auditVerify",
            Call::AuditCheckpoint => "auditCheckpoint",
            Call::AuditKey => "auditKey",
            Call::Metrics => "metrics",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use hqv_api::{Needs, ROUTES};

    /// How many calls the tables above hold.
    fn calls() -> usize {
        let all = [
            &HEALTH,
            &CA,
            &OPENAPI,
            &STATUS,
            &INIT,
            &UNLOCK,
            &LOCK,
            &SHUTDOWN,
            &CLOCK,
            &CHECK,
            &SECRETS,
            &SECRET,
            &BATCH,
            &IMPORT,
            &MOVE,
            &COPY,
            &METADATA,
            &TOKENS,
            &SELF,
            &TOKEN,
            &TOKENS_PLAN,
            &TOKENS_SWEEP,
            &TOKEN_FREEZE,
            &TOKEN_THAW,
            &TOKEN_BURN,
            &TOKEN_RENEW,
            &TOKEN_EXPLAIN,
            &TOKEN_TREE,
            &SESSIONS,
            &SESSION,
            &ENTRIES,
            &ENTRY,
            &ENTRY_ABOUT,
            &ENTRY_ANSWER,
            &ENTRY_REFUSE,
            &ASKS,
            &ASK,
            &ASK_COLLECT,
            &ASK_APPROVE,
            &ASK_DENY,
            &SETTINGS,
            &EXPOSED,
            &AUDIT,
            &VERIFY,
            &CHECKPOINT,
            &PUBLIC_KEY,
            &METRICS,
        ];
        for resource in all {
            let listed: Vec<&str> = resource.allow.split(", ").collect();
            let mut there: Vec<&str> = resource.calls.iter().map(|(m, _)| m.as_str()).collect();
            there.sort_by_key(|m| listed.iter().position(|l| l == m));
            assert_eq!(listed, there);
        }
        all.iter().map(|r| r.calls.len()).sum()
    }

    fn call_at(method: &str, template: &str) -> Option<Call> {
        let mut target = template.to_owned();
        let fill = [
            ("{path}", "a/b"),
            ("{token}", "name"),
            ("{session}", "ses_1"),
            ("{entry}", "ent_1"),
            ("{ask}", "ask_1"),
        ];
        for (name, value) in fill {
            target = target.replace(name, value);
        }
        match find(&Method::from_bytes(method.as_bytes()).unwrap(), &target) {
            Found::Call(call, _) => Some(call),
            _ => None,
        }
    }

    #[test]
    fn every_published_route_is_found_and_asks_what_it_says() {
        for route in ROUTES {
            let call = call_at(route.method.as_str(), route.path).unwrap();
            assert_eq!(call.id(), route.id);
            assert_eq!(call.needs_credential(), route.needs == Needs::Credential, "{}", route.id);
            assert_eq!(call.is_open(), route.needs == Needs::Nothing, "{}", route.id);
        }
    }

    #[test]
    fn the_document_describes_every_call_and_no_other() {
        let document: serde_json::Value = serde_json::from_str(crate::openapi::document()).unwrap();
        let mut described = 0;
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert_eq!(
                    call_at(&method.to_uppercase(), path).map(Call::id),
                    operation["operationId"].as_str(),
                    "{method} {path}"
                );
                described += 1;
            }
        }
        assert_eq!(described, calls());
    }

    #[test]
    fn ht10_one_meaning_each() {
        let get = |path| find(&Method::GET, path);
        assert_eq!(get("/v1/secrets/a/b"), Found::Call(Call::Get, "a/b"));
        assert_eq!(get("/v1/secrets/a%2Fb"), Found::Call(Call::Get, "a%2Fb"));
        // A final slash is part of the path, which the model refuses, and never another resource.
        assert_eq!(get("/v1/secrets/"), Found::Call(Call::Get, ""));
        assert_eq!(get("/v1/secrets/stale"), Found::Call(Call::Get, "stale"));
        assert_eq!(get("/v1/tokens/self"), Found::Call(Call::TokenSelf, ""));
        assert_eq!(find(&Method::DELETE, "/v1/tokens/self"), Found::Call(Call::TokenRevokeSelf, ""));
        assert_eq!(find(&Method::DELETE, "/v1/tokens/a%2Fb"), Found::Call(Call::TokenRevoke, "a%2Fb"));
        assert_eq!(find(&Method::POST, "/v1/tokens/a:b:freeze"), Found::Call(Call::TokenFreeze, "a:b"));
        assert_eq!(
            find(&Method::DELETE, "/v1/tokens/a%3Afreeze"),
            Found::Call(Call::TokenRevoke, "a%3Afreeze")
        );
        assert_eq!(find(&Method::DELETE, "/v1/tokens/a:freeze"), Found::Methods("POST"));
        assert_eq!(get("/v1/tokens/a:1"), Found::Call(Call::TokenShow, "a:1"));
        assert_eq!(get("/v1/tokens/a%2Fb/tree"), Found::Call(Call::TokenTree, "a%2Fb"));
        assert_eq!(get("/v1/tokens/tree"), Found::Call(Call::TokenShow, "tree"));
        for path in ["/v1/tokens//tree", "/v1/tokens/:freeze", "/v1/tokens/a/b/tree", "/v1/tokens/a/tree/"] {
            assert_eq!(get(path), Found::Nothing, "{path}");
        }
        for path in
            ["/v1/tokens/", "/v1/tokens/a/b", "/v1/status/", "/v1/sessions/", "/v1", "/v1/", "/", "", "//"]
        {
            assert_eq!(get(path), Found::Nothing, "{path}");
        }
        assert_eq!(get("/v1/entries/ent_1"), Found::Call(Call::EntryState, "ent_1"));
        assert_eq!(
            find(&Method::POST, "/v1/entries/7F3K-9QXM:answer"),
            Found::Call(Call::EntryAnswer, "7F3K-9QXM")
        );
        assert_eq!(find(&Method::POST, "/v1/asks/a:deny"), Found::Call(Call::AskDeny, "a"));
        for path in [
            "/v1/entries/",
            "/v1/entries/a/b",
            "/v1/entries/:answer",
            "/v1/entries/a:",
            "/v1/entries/a:approve",
            "/v1/entries/a:answer:answer",
            "/v1/entries/a:answer/",
            "/v1/asks/a:answer",
            "/v1/asks/a%3Adeny:",
        ] {
            assert_eq!(find(&Method::POST, path), Found::Nothing, "{path}");
        }
        for path in
            ["/V1/status", "/v1/Status", "/v1//status", "/v1/secrets:Batch", "/v2/status", "/v1/status;x"]
        {
            assert_eq!(get(path), Found::Nothing, "{path}");
        }
        assert_eq!(find(&Method::HEAD, "/v1/secrets/a"), Found::Methods("GET, PUT, DELETE"));
        assert_eq!(find(&Method::OPTIONS, "/v1/status"), Found::Methods("GET"));
        assert_eq!(find(&Method::POST, "/v1/secrets/a"), Found::Methods("GET, PUT, DELETE"));
        assert_eq!(get("/v1/secrets:batch"), Found::Methods("POST"));
        assert_eq!(find(&Method::from_bytes(b"get").unwrap(), "/v1/status"), Found::Methods("GET"));
    }
}
