//! What every verb is handed: settings, the two streams, and the way to ask
//! the vault something as whoever acts here.

use hqv_api::BatchRequest;
use hqv_client::{Client, ClientError, Secret};
use hqv_model::{Code, SecretPath};

use super::identity::{Acting, Identities};
use super::link::Link;
use super::output::Out;
use super::output::error::Failure;
use crate::settings::Settings;

/// One command under way.
pub struct Context {
    /// What we were told.
    pub settings: Settings,
    /// Where words go.
    pub out: Out,
}

impl Context {
    /// Puts the two together.
    pub fn new(settings: Settings, out: Out) -> Context {
        Context { settings, out }
    }

    /// The vault directory as a person writes it.
    pub fn vault_name(&self) -> String {
        self.settings.dir.for_people(self.settings.home())
    }

    /// Asks the vault as whoever acts here. A session that has ended gives way
    /// to the next way of acting, so `call` may run more than once; nothing
    /// was done the times before.
    pub fn ask<T>(&self, call: impl AsyncFn(&mut Client) -> Result<T, ClientError>) -> Result<T, Failure> {
        let link = Link::open(self)?;
        self.ask_over(&link, call)
    }

    /// The same over a link that stands already.
    pub fn ask_over<T>(
        &self,
        link: &Link<'_>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<T, Failure> {
        self.ask_acting(link, call).map(|(_, answer)| answer)
    }

    /// The same for a command of several calls: with the credential that was good for the first, so that
    /// nobody is asked twice.
    pub fn ask_acting<T>(
        &self,
        link: &Link<'_>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<(Acting, T), Failure> {
        self.acting(link, |acting| link.run(Some(acting.credential()), &call))
    }

    /// Reads one value as whoever acts here.
    pub fn get(&self, path: &SecretPath) -> Result<Secret, Failure> {
        let link = Link::open(self)?;
        self.acting(&link, |acting| link.get(acting.credential(), path.as_str())).map(|(_, secret)| secret)
    }

    /// Reads many as whoever acts here, over a link that stands already.
    pub fn batch_over(&self, link: &Link<'_>, request: &BatchRequest) -> Result<Vec<Secret>, Failure> {
        self.acting(link, |acting| link.batch(acting.credential(), request)).map(|(_, secrets)| secrets)
    }

    fn acting<T>(
        &self,
        link: &Link<'_>,
        call: impl Fn(&Acting) -> Result<T, Failure>,
    ) -> Result<(Acting, T), Failure> {
        let mut identities = Identities::of(self);
        let mut last: Option<Failure> = None;
        while let Some(acting) = identities.next(self, link)? {
            match call(&acting) {
                Ok(answer) => return Ok((acting, answer)),
                Err(failure) => {
                    let again = acting.is_session() && failure.is(Code::Unauthorized);
                    let failure = named(&acting, failure);
                    if !again {
                        return Err(failure);
                    }
                    identities.forget_cached(self, &acting);
                    last = Some(failure);
                }
            }
        }
        if let Some(failure) = last {
            return Err(failure);
        }
        // A vault that is missing or locked is said first: no credential would help.
        link.must_be_unlocked()?;
        Err(nobody())
    }

    /// For what anybody may do who sits at the socket (`ingest`, `ask`): as a token, as the owner where a
    /// session is at hand, else as nobody. Never asks for a passphrase.
    pub fn ask_without_asking<T>(
        &self,
        link: &Link<'_>,
        call: impl AsyncFn(&mut Client) -> Result<T, ClientError>,
    ) -> Result<(Option<Acting>, T), Failure> {
        let mut identities = Identities::without_prompt(self);
        while let Some(acting) = at_hand(identities.next(self, link))? {
            match link.run(Some(acting.credential()), &call) {
                Ok(answer) => return Ok((Some(acting), answer)),
                Err(failure) if acting.is_session() && failure.is(Code::Unauthorized) => {
                    identities.forget_cached(self, &acting);
                }
                Err(failure) => return Err(named(&acting, failure)),
            }
        }
        if !link.is_socket() {
            return Err(nobody());
        }
        Ok((None, link.run(None, &call)?))
    }
}

/// A locked vault opens no session from a passphrase file: whoever could have one acts without.
fn at_hand(found: Result<Option<Acting>, Failure>) -> Result<Option<Acting>, Failure> {
    match found {
        Err(failure) if failure.is(Code::VaultLocked) => Ok(None),
        found => found,
    }
}

/// Exit 4 names who acted and where that came from.
fn named(acting: &Acting, failure: Failure) -> Failure {
    if failure.exit() != 4 {
        return failure;
    }
    if !acting.is_session() && failure.is(Code::Unauthorized) {
        return Failure::unauthorized(format!("the {} is not known to this vault", acting.describe(None)))
            .hint("it is of another vault, or ended long ago; ask who gave it for a new one");
    }
    let ended = acting.is_session() && failure.is(Code::Unauthorized);
    let who = acting.describe(failure.actor_name());
    let failure = failure.after(&who);
    if ended { failure.hint("sign in again: hq-vault unlock") } else { failure }
}

/// Nobody acts here.
pub fn nobody() -> Failure {
    Failure::unauthorized("not permitted: no token and no owner session here").hint(
        "a person signs in with hq-vault unlock; a program needs HQ_VAULT_TOKEN (hq-vault token create)",
    )
}
