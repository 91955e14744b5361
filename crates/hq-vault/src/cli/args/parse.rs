//! Value parsers: each hands a word to the one constructor of `hqv-model` that
//! may make the noun, so that clap reports its sentence.

use hqv_model as model;

/// A secret's path.
pub fn path(text: &str) -> Result<model::SecretPath, model::Error> {
    model::SecretPath::parse(text)
}

/// A prefix; `myapp` and `myapp/` are one.
pub fn prefix(text: &str) -> Result<model::Prefix, model::Error> {
    model::Prefix::parse(text)
}

/// A secret's type.
pub fn kind(text: &str) -> Result<model::SecretType, model::Error> {
    model::SecretType::parse(text)
}

/// The name of a variable.
pub fn env_name(text: &str) -> Result<model::EnvName, model::Error> {
    model::EnvName::parse(text)
}

/// A format of `env-file`.
pub fn format(text: &str) -> Result<hqv_engine::transfer::Format, model::Error> {
    hqv_engine::transfer::Format::parse(text)
}

/// A reader of dotenv files.
pub fn reader(text: &str) -> Result<hqv_engine::transfer::Reader, model::Error> {
    hqv_engine::transfer::Reader::parse(text)
}

/// What happens where a secret stands already.
pub fn on_conflict(text: &str) -> Result<hqv_engine::ops::import::OnConflict, model::Error> {
    hqv_engine::ops::import::OnConflict::parse(text)
}

/// A variable and the path of its value, `NAME=PATH`.
pub fn variable(text: &str) -> Result<(model::EnvName, model::SecretPath), model::Error> {
    let (name, path) =
        text.split_once('=').ok_or_else(|| model::Error::bad_request("a variable is given as NAME=PATH"))?;
    Ok((model::EnvName::parse(name)?, model::SecretPath::parse(path)?))
}

/// How deep below a prefix, 1 to 256 segments.
pub fn depth(text: &str) -> Result<u16, model::Error> {
    let number = text.parse().ok().filter(|n| (1..=256).contains(n));
    number.ok_or_else(|| model::Error::bad_request("a depth is a whole number from 1 to 256"))
}

/// An operation of the record.
pub fn operation(text: &str) -> Result<model::OpKind, model::Error> {
    let known = model::OpKind::ALL.iter().map(|op| op.as_str()).collect::<Vec<_>>();
    model::OpKind::parse(text).ok_or_else(|| {
        model::Error::bad_request("no operation is called that").hint(format!("one of {}", known.join(", ")))
    })
}

/// How an operation ended.
pub fn outcome(text: &str) -> Result<model::Outcome, model::Error> {
    let refused = || model::Error::bad_request("an outcome is ok, denied or failed");
    model::Outcome::parse(text).ok_or_else(refused)
}

/// A token's life.
pub fn ttl(text: &str) -> Result<model::Ttl, model::Error> {
    model::Ttl::parse(text)
}

/// A length of time.
pub fn duration(text: &str) -> Result<std::time::Duration, model::Error> {
    model::parse_duration(text)
}

/// An entry by its code or id.
pub fn entry_ref(text: &str) -> Result<model::EntryRef, model::Error> {
    model::EntryRef::parse(text)
}

/// An ask by its code or id.
pub fn ask_ref(text: &str) -> Result<model::AskRef, model::Error> {
    model::AskRef::parse(text)
}

/// A token's number of uses.
pub fn uses(text: &str) -> Result<model::UseLimit, model::Error> {
    model::UseLimit::parse(text)
}

/// A token's name.
pub fn token_name(text: &str) -> Result<model::TokenName, model::Error> {
    refuse_token(text)?;
    model::TokenName::parse(text)
}

/// A token's id, name or ancestry. A token itself is refused without being shown.
pub fn token_ref(text: &str) -> Result<model::TokenRef, model::Error> {
    refuse_token(text)?;
    model::TokenRef::parse(text)
}

/// The start of an ancestry, such as `deploy-run-`. It need not be a whole name.
pub fn name_start(text: &str) -> Result<String, model::Error> {
    refuse_token(text)?;
    let named = |c: char| c.is_ascii_alphanumeric() || "._:@-/".contains(c);
    match text.is_empty() || !text.chars().all(named) {
        true => Err(model::Error::bad_request("no token's name begins so").hint("for example: deploy-run-")),
        false => Ok(text.to_owned()),
    }
}

/// `key=value`, split at the first `=`. The limits of both are the model's to check.
pub fn tag(text: &str) -> Result<(String, String), model::Error> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(model::Error::bad_request("a tag is written key=value")),
    }
}

/// A length for a generated value.
pub fn length(text: &str) -> Result<usize, model::Error> {
    let digits = !text.is_empty() && text.len() <= 5 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<usize>() {
        Ok(n) if digits && (8..=4096).contains(&n) => Ok(n),
        _ => Err(model::Error::bad_request("a length is a number from 8 to 4096")),
    }
}

/// A count from 1 to 100,000.
pub fn count(text: &str) -> Result<usize, model::Error> {
    let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<usize>() {
        Ok(n) if digits && (1..=100_000).contains(&n) => Ok(n),
        _ => Err(model::Error::bad_request("a limit is a number from 1 to 100000")),
    }
}

/// A version number, from 1.
pub fn version(text: &str) -> Result<u64, model::Error> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u64>() {
        Ok(n) if digits && n > 0 => Ok(n),
        _ => Err(model::Error::bad_request("a version is a number from 1 upwards")),
    }
}

/// A port; 0 means a free one.
pub fn port(text: &str) -> Result<u16, model::Error> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u16>() {
        Ok(n) if digits => Ok(n),
        _ => Err(model::Error::bad_request("a port is a number from 0 to 65535")),
    }
}

/// Idle minutes before the vault locks itself; 0 means never.
pub fn idle_minutes(text: &str) -> Result<u32, model::Error> {
    let digits = !text.is_empty() && text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(n) if digits && n <= 10_080 => Ok(n),
        _ => Err(model::Error::bad_request("idle minutes are a number from 0 (never) to 10080 (a week)")),
    }
}

fn refuse_token(text: &str) -> Result<(), model::Error> {
    if text.starts_with("hqv_") || text.starts_with("hqs_") {
        return Err(model::Error::bad_request(
            "this is a token itself; name it by its name or its tok_ id, and keep tokens off the command line",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn in2_numbers_are_digits_within_their_bounds() {
        for bad in ["", "abc", "5x", "-1", "+1", " 1", "1e9", "99999999999999999999"] {
            assert!(length(bad).is_err(), "length {bad:?}");
            assert!(count(bad).is_err(), "count {bad:?}");
            assert!(version(bad).is_err(), "version {bad:?}");
            assert!(port(bad).is_err(), "port {bad:?}");
            assert!(idle_minutes(bad).is_err(), "idle {bad:?}");
        }
        assert!(idle_minutes("40000").is_err());
        assert_eq!(idle_minutes("10080").unwrap(), 10_080);
        assert_eq!(idle_minutes("0").unwrap(), 0);
        assert!(length("7").is_err() && length("4097").is_err());
        assert!(version("0").is_err());
        assert_eq!(port("0").unwrap(), 0);
        assert!(port("65536").is_err());
    }

    #[test]
    fn a_tag_splits_at_the_first_equals_sign() {
        assert_eq!(tag("team=a=b").unwrap(), ("team".into(), "a=b".into()));
        assert!(tag("team").is_err() && tag("=x").is_err());
    }

    #[test]
    fn a_token_in_place_of_a_name_is_refused_unseen() {
        let error = token_ref("hqv_SECRETSECRET").unwrap_err();
        assert!(!error.message().contains("SECRETSECRET"));
    }
}
