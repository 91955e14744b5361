//! Every route, as data: the server's table, the OpenAPI document's test and the client's tests all read it here.

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// In capitals, as HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a caller must bring before the engine looks further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// Nothing, wherever it comes from.
    Nothing,
    /// A token or session; none is 401.
    Credential,
    /// On the socket nothing but the same uid; over TCP a token or session.
    PeerOrCredential,
    /// The same uid on the socket; not there at all over TCP.
    SocketPeer,
    /// The same uid on the socket; over TCP only where `remote-admin` is set.
    PeerOrRemoteAdmin,
    /// While locked the same uid on the socket is enough; else, and over TCP, a token or session.
    PeerWhileLocked,
}

/// One method on one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The template. `{path}` may hold slashes, every other parameter is one segment.
    pub path: &'static str,
    /// The OpenAPI operation id, and the name of the client's method in camel case.
    pub id: &'static str,
    /// What the caller must bring.
    pub needs: Needs,
}

const fn route(method: Method, path: &'static str, id: &'static str, needs: Needs) -> Route {
    Route { method, path, id, needs }
}

/// All of them.
pub const ROUTES: &[Route] = &[
    route(Method::Get, "/v1/health", "health", Needs::Nothing),
    route(Method::Get, "/v1/ca", "ca", Needs::Nothing),
    route(Method::Get, "/v1/openapi.json", "openapi", Needs::Nothing),
    route(Method::Get, "/v1/status", "status", Needs::PeerOrCredential),
    route(Method::Post, "/v1/init", "init", Needs::SocketPeer),
    route(Method::Post, "/v1/unlock", "unlock", Needs::PeerOrRemoteAdmin),
    route(Method::Post, "/v1/lock", "lock", Needs::Credential),
    route(Method::Post, "/v1/shutdown", "shutdown", Needs::PeerWhileLocked),
    route(Method::Get, "/v1/secrets", "list", Needs::Credential),
    route(Method::Get, "/v1/secrets/{path}", "get", Needs::Credential),
    route(Method::Put, "/v1/secrets/{path}", "put", Needs::Credential),
    route(Method::Delete, "/v1/secrets/{path}", "delete", Needs::Credential),
    route(Method::Post, "/v1/secrets:batch", "batch", Needs::Credential),
    route(Method::Post, "/v1/secrets:import", "import", Needs::Credential),
    route(Method::Post, "/v1/secrets:move", "move", Needs::Credential),
    route(Method::Post, "/v1/secrets:copy", "copy", Needs::Credential),
    route(Method::Get, "/v1/metadata/{path}", "show", Needs::Credential),
    route(Method::Post, "/v1/tokens", "tokenCreate", Needs::Credential),
    route(Method::Post, "/v1/tokens:plan", "tokenPlan", Needs::Credential),
    route(Method::Post, "/v1/tokens:sweep", "tokenSweep", Needs::Credential),
    route(Method::Get, "/v1/tokens", "tokenList", Needs::Credential),
    route(Method::Get, "/v1/tokens/self", "tokenSelf", Needs::Credential),
    route(Method::Delete, "/v1/tokens/self", "tokenRevokeSelf", Needs::Credential),
    route(Method::Get, "/v1/tokens/{token}", "tokenShow", Needs::Credential),
    route(Method::Delete, "/v1/tokens/{token}", "tokenRevoke", Needs::Credential),
    route(Method::Post, "/v1/tokens/{token}:freeze", "tokenFreeze", Needs::Credential),
    route(Method::Post, "/v1/tokens/{token}:thaw", "tokenThaw", Needs::Credential),
    route(Method::Post, "/v1/tokens/{token}:burn", "tokenBurn", Needs::Credential),
    route(Method::Post, "/v1/tokens/{token}:renew", "tokenRenew", Needs::Credential),
    route(Method::Get, "/v1/tokens/{token}/explain", "tokenExplain", Needs::Credential),
    route(Method::Get, "/v1/tokens/{token}/tree", "tokenTree", Needs::Credential),
    route(Method::Post, "/v1/sessions", "sessionCreate", Needs::PeerOrRemoteAdmin),
    route(Method::Get, "/v1/sessions", "sessionList", Needs::Credential),
    route(Method::Delete, "/v1/sessions/{session}", "sessionEnd", Needs::Credential),
    route(Method::Delete, "/v1/sessions", "sessionEndAll", Needs::Credential),
    route(Method::Post, "/v1/entries", "entryCreate", Needs::PeerOrCredential),
    route(Method::Get, "/v1/entries", "entryList", Needs::Credential),
    route(Method::Get, "/v1/entries/{entry}", "entryState", Needs::PeerOrCredential),
    route(Method::Post, "/v1/entries/{entry}:about", "entryAbout", Needs::PeerOrCredential),
    route(Method::Post, "/v1/entries/{entry}:answer", "entryAnswer", Needs::PeerOrCredential),
    route(Method::Post, "/v1/entries/{entry}:refuse", "entryRefuse", Needs::PeerOrCredential),
    route(Method::Post, "/v1/asks", "askCreate", Needs::PeerOrCredential),
    route(Method::Get, "/v1/asks", "askList", Needs::Credential),
    route(Method::Get, "/v1/asks/{ask}", "askState", Needs::PeerOrCredential),
    route(Method::Post, "/v1/asks/{ask}:collect", "askCollect", Needs::PeerOrCredential),
    route(Method::Post, "/v1/asks/{ask}:approve", "askApprove", Needs::Credential),
    route(Method::Post, "/v1/asks/{ask}:deny", "askDeny", Needs::Credential),
    route(Method::Post, "/v1/clock:reset", "clockReset", Needs::Credential),
    route(Method::Post, "/v1/vault:check", "vaultCheck", Needs::Credential),
    route(Method::Get, "/v1/settings", "settingsRead", Needs::Credential),
    route(Method::Patch, "/v1/settings", "settingsChange", Needs::Credential),
    route(Method::Get, "/v1/exposed", "exposed", Needs::Credential),
    route(Method::Get, "/v1/audit", "auditRead", Needs::Credential),
    route(Method::Post, "/v1/audit:verify", "auditVerify", Needs::Credential),
    route(Method::Post, "/v1/audit:checkpoint", "auditCheckpoint", Needs::Credential),
    route(Method::Get, "/v1/audit/public-key", "auditKey", Needs::Credential),
    route(Method::Get, "/v1/metrics", "metrics", Needs::Credential),
];

/// The route with this operation id.
pub fn by_id(id: &str) -> Option<&'static Route> {
    ROUTES.iter().find(|route| route.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_id_and_every_method_on_a_path_stands_once() {
        let ids: BTreeSet<_> = ROUTES.iter().map(|route| route.id).collect();
        let calls: BTreeSet<_> = ROUTES.iter().map(|route| (route.method, route.path)).collect();
        assert_eq!(ids.len(), ROUTES.len());
        assert_eq!(calls.len(), ROUTES.len());
        assert!(ROUTES.iter().all(|route| route.path.starts_with("/v1/")));
    }

    #[test]
    fn only_the_first_row_is_open_to_everybody() {
        let open: Vec<_> =
            ROUTES.iter().filter(|route| route.needs == Needs::Nothing).map(|r| r.id).collect();
        assert_eq!(open, ["health", "ca", "openapi"]);
        let socket_only: Vec<_> =
            ROUTES.iter().filter(|r| r.needs == Needs::SocketPeer).map(|r| r.id).collect();
        assert_eq!(socket_only, ["init"]);
        assert_eq!(by_id("get").map(|route| route.path), Some("/v1/secrets/{path}"));
        assert_eq!(by_id("nothing"), None);
    }
}
