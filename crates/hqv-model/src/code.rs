//! The stable error codes, and what each means to HTTP and to a shell.
//!
//! One table, so that the status and the exit code of a failure can never disagree between the
//! server and the command line.

/// What went wrong, for a program. The spelling of each never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request cannot be understood or breaks a documented limit of form.
    BadRequest,
    /// More bytes or items than the documented limit.
    TooLarge,
    /// No credential, or one nobody knows.
    Unauthorized,
    /// The token's end, or that of an ancestor, has passed.
    TokenExpired,
    /// The token, or an ancestor, has no use left.
    TokenExhausted,
    /// The token's family was revoked or is frozen.
    TokenRevoked,
    /// The vault is locked.
    VaultLocked,
    /// A known caller may not do this.
    Forbidden,
    /// There is no such thing, and the caller may know that.
    NotFound,
    /// It is there already.
    AlreadyExists,
    /// The state is not the one that the request names.
    Conflict,
    /// Too many requests for now.
    RateLimited,
    /// A fault of ours.
    Internal,
    /// Storage or the record is down for now.
    Unavailable,
}

impl Code {
    /// Every code.
    pub const ALL: &[Code] = &[
        Code::BadRequest,
        Code::TooLarge,
        Code::Unauthorized,
        Code::TokenExpired,
        Code::TokenExhausted,
        Code::TokenRevoked,
        Code::VaultLocked,
        Code::Forbidden,
        Code::NotFound,
        Code::AlreadyExists,
        Code::Conflict,
        Code::RateLimited,
        Code::Internal,
        Code::Unavailable,
    ];

    const fn facts(self) -> (&'static str, u16, u8) {
        match self {
            Code::BadRequest => ("BAD_REQUEST", 400, 2),
            Code::TooLarge => ("TOO_LARGE", 413, 2),
            Code::Unauthorized => ("UNAUTHORIZED", 401, 4),
            Code::TokenExpired => ("TOKEN_EXPIRED", 401, 4),
            Code::TokenExhausted => ("TOKEN_EXHAUSTED", 401, 4),
            Code::TokenRevoked => ("TOKEN_REVOKED", 401, 4),
            Code::VaultLocked => ("VAULT_LOCKED", 403, 5),
            Code::Forbidden => ("FORBIDDEN", 403, 4),
            Code::NotFound => ("NOT_FOUND", 404, 3),
            Code::AlreadyExists => ("ALREADY_EXISTS", 409, 7),
            Code::Conflict => ("CONFLICT", 409, 7),
            Code::RateLimited => ("RATE_LIMITED", 429, 1),
            Code::Internal => ("INTERNAL", 500, 1),
            Code::Unavailable => ("UNAVAILABLE", 503, 1),
        }
    }

    /// The code as programs read it, such as `BAD_REQUEST`.
    pub const fn as_str(self) -> &'static str {
        self.facts().0
    }

    /// The code that is spelled so, exactly.
    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str() == text)
    }

    /// The HTTP status (RFC 9110; 429 from RFC 6585).
    pub const fn http_status(self) -> u16 {
        self.facts().1
    }

    /// The exit code of the command line.
    pub const fn exit_code(self) -> u8 {
        self.facts().2
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_spelling_of_its_own_that_parses_back() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::parse(code.as_str()), Some(*code));
            assert!(!Code::ALL[..index].iter().any(|other| other.as_str() == code.as_str()));
        }
        assert_eq!(Code::parse("bad_request"), None);
        assert_eq!(Code::ALL.len(), 14);
    }

    #[test]
    fn statuses_and_exit_codes_are_the_contract() {
        let of = |code: Code| (code.http_status(), code.exit_code());
        assert_eq!(of(Code::BadRequest), (400, 2));
        assert_eq!(of(Code::TooLarge), (413, 2));
        assert_eq!(of(Code::VaultLocked), (403, 5));
        assert_eq!(of(Code::Forbidden), (403, 4));
        assert_eq!(of(Code::NotFound), (404, 3));
        assert_eq!(of(Code::Conflict), (409, 7));
        assert_eq!(of(Code::AlreadyExists), (409, 7));
        for code in [Code::Unauthorized, Code::TokenExpired, Code::TokenExhausted, Code::TokenRevoked] {
            assert_eq!(of(code), (401, 4));
        }
        for code in [Code::RateLimited, Code::Internal, Code::Unavailable] {
            assert_eq!(code.exit_code(), 1);
        }
    }
}
