//! An ask: a request for a token. What the owner approves is bound to the fingerprint of what was shown.

use hqv_model::{
    AskId, Error, Pattern, Rule, Scope, SessionId, TicketCode, Timestamp, TokenId, TokenName, Ttl, UseLimit,
    escape_controls, format_duration,
};
use sha2::{Digest, Sha256};

use super::secret::Latch;
use super::{AskedBy, Ticket, Who};

/// What became of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskState {
    /// It waits for the owner.
    Waiting,
    /// Granted; the token waits for who asked.
    Approved,
    /// The owner refused.
    Denied,
    /// Nobody decided in time, or the grant was not collected in time.
    Expired,
    /// The token was handed over.
    Collected,
}

/// The part of an ask that its kind of ticket adds.
pub struct Ask {
    /// What the token shall be allowed.
    pub rules: Scope,
    /// How long; the vault's default where none was named.
    pub ttl: Option<Ttl>,
    /// How often.
    pub max_uses: Option<UseLimit>,
    /// Why, in the caller's words.
    pub reason: String,
    /// What it shall be called; made from the code where none was named.
    pub name: Option<TokenName>,
    /// What the newest claim is checked by.
    pub claim: Latch,
    /// What was granted.
    pub grant: Option<Grant>,
    /// What became of it.
    pub state: AskState,
}

/// What the owner granted.
#[derive(Clone)]
pub struct Grant {
    /// The id that the token will have.
    pub token: TokenId,
    /// Its name.
    pub name: TokenName,
    /// What it may.
    pub scope: Scope,
    /// How long, from the moment it is handed over.
    pub ttl: Ttl,
    /// How often.
    pub max_uses: Option<UseLimit>,
    /// By whom.
    pub by: SessionId,
}

/// One rule of an ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskRule {
    /// The rule.
    pub rule: Rule,
    /// How many secrets it is about now; unknown where counting would have taken too long.
    pub covers: Option<u64>,
}

/// An ask, for the owner to judge: the exact grant.
#[derive(Clone, Debug)]
pub struct AskView {
    /// Its id.
    pub id: AskId,
    /// Its code.
    pub code: TicketCode,
    /// What the token would be allowed.
    pub rules: Vec<AskRule>,
    /// How long it would live.
    pub ttl: Ttl,
    /// How often it could be used; without a limit where none.
    pub max_uses: Option<UseLimit>,
    /// What it would be called.
    pub name: TokenName,
    /// Why, in the caller's words: whoever shows it escapes it.
    pub reason: String,
    /// Who asks.
    pub by: AskedBy,
    /// When.
    pub opened: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What became of it.
    pub state: AskState,
    /// SHA-256 over all of it but the counts and the times, in hex: what an approval is bound to.
    pub fingerprint: String,
}

impl Ticket<AskId, Ask> {
    /// The name that the token would have.
    pub fn name(&self) -> Result<TokenName, Error> {
        match &self.body.name {
            Some(name) => Ok(name.clone()),
            None => {
                TokenName::parse(&format!("ask-{}", self.code.to_string().replace('-', "").to_lowercase()))
            }
        }
    }

    /// What an approval is bound to. `ttl`: the vault's default.
    pub fn fingerprint(&self, ttl: Ttl) -> Result<String, Error> {
        let ask = &self.body;
        let mut sum = Sha256::new();
        let mut add = |part: &[u8]| {
            sum.update((part.len() as u64).to_be_bytes());
            sum.update(part);
        };
        add(b"hq-vault ask v1");
        add(&self.id.bytes());
        add(self.code.to_string().as_bytes());
        add(&(ask.rules.rules().len() as u64).to_be_bytes());
        ask.rules.rules().iter().for_each(|rule| add(rule.to_string().as_bytes()));
        add(&ask.ttl.unwrap_or(ttl).as_millis().to_be_bytes());
        add(&ask.max_uses.map_or(0, UseLimit::get).to_be_bytes());
        add(self.name()?.as_str().as_bytes());
        add(ask.reason.as_bytes());
        for part in told(&self.by) {
            add(&[u8::from(part.is_some())]);
            add(part.unwrap_or_default().as_bytes());
        }
        Ok(sum.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Everything that is shown of who asks.
fn told(by: &AskedBy) -> Vec<Option<String>> {
    let mut all = match &by.who {
        Who::Peer { uid, pid, program } => {
            vec![Some(format!("uid {uid}")), pid.map(|pid| pid.to_string()), program.clone()]
        }
        Who::Token { id, ancestry, .. } => vec![Some(id.to_string()), Some(ancestry.clone())],
        Who::Owner(session) => vec![Some(session.to_string())],
    };
    all.extend([Some(by.from.clone()), by.claims.program.clone(), by.claims.directory.clone()]);
    all
}

/// What the owner changes in granting: each may only narrow.
#[derive(Clone, Debug, Default)]
pub struct Narrowing {
    /// A shorter life.
    pub ttl: Option<Ttl>,
    /// Fewer uses.
    pub max_uses: Option<UseLimit>,
    /// Fewer paths.
    pub paths: Option<Vec<Pattern>>,
}

impl Narrowing {
    /// The life granted.
    pub fn ttl(&self, asked: Ttl) -> Result<Ttl, Error> {
        match self.ttl {
            Some(ttl) if ttl > asked => {
                let (ttl, asked) = (format_duration(ttl.as_millis()), format_duration(asked.as_millis()));
                Err(wider("--ttl", &format!("{ttl} is longer than the {asked} that was asked for")))
            }
            other => Ok(other.unwrap_or(asked)),
        }
    }

    /// The uses granted.
    pub fn max_uses(&self, asked: Option<UseLimit>) -> Result<Option<UseLimit>, Error> {
        match (self.max_uses, asked) {
            (Some(uses), Some(asked)) if uses > asked => {
                let (uses, asked) = (uses.get(), asked.get());
                Err(wider("--max-uses", &format!("{uses} is more than the {asked} that were asked for")))
            }
            (uses, asked) => Ok(uses.or(asked)),
        }
    }

    /// The rules granted: each path keeps the capabilities that were asked for there.
    pub fn scope(&self, asked: &Scope) -> Result<Scope, Error> {
        let Some(paths) = &self.paths else {
            return Ok(asked.clone());
        };
        let mut rules = Vec::new();
        for on in paths {
            let before = rules.len();
            let there = asked.rules().iter().filter(|rule| rule.on.covers(on));
            rules.extend(there.map(|rule| Rule { can: rule.can, on: on.clone() }));
            if rules.len() == before {
                let on = escape_controls(on.as_str()).into_owned();
                return Err(wider("--path", &format!("{on} lies outside of what was asked for")));
            }
        }
        let scope = Scope::new(rules)?;
        // What was just built cannot be wider; the test that says so for every other token says it here too.
        asked.covers(&scope).map_err(|beyond| wider("--path", &beyond.to_string()))?;
        Ok(scope)
    }
}

fn wider(dimension: &str, why: &str) -> Error {
    Error::forbidden(format!("an approval may only narrow: {dimension} {why}"))
        .hint("deny it, and make the token that you want with hq-vault token create")
}
