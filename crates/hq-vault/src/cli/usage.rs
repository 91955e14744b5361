//! Wrong usage, said in our two lines.
//!
//! An argument that was not expected is shown only when it looks like an
//! option: what stands there in its place may be a secret, a passphrase or a
//! token that somebody typed after the verb.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::output::error::Failure;

/// Prints help or the failure; gives the exit code.
pub fn report(error: &clap::Error, words: &[OsString]) -> u8 {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A closed pipe is no failure of help.
            let _ = error.print();
            0
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            2
        }
        _ => {
            let json = words.iter().any(|w| w == "--json");
            let failure = failure(error, words);
            failure.report(None, json);
            failure.exit()
        }
    }
}

fn failure(error: &clap::Error, words: &[OsString]) -> Failure {
    let help = format!("see hq-vault{} --help", verb(words));
    let argument = text(error, ContextKind::InvalidArg);
    let message = match error.kind() {
        ErrorKind::UnknownArgument => unexpected(argument.as_deref()),
        ErrorKind::InvalidSubcommand => unknown_verb(error),
        ErrorKind::MissingRequiredArgument => format!("missing: {}", argument.unwrap_or_default()),
        ErrorKind::ArgumentConflict => conflict(error, argument),
        ErrorKind::ValueValidation => validation(error, argument),
        ErrorKind::InvalidValue => invalid_value(error, argument),
        ErrorKind::MissingSubcommand => "a verb is missing".to_owned(),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        _ => format!("wrong usage of {}", argument.unwrap_or_else(|| "an option".to_owned())),
    };
    let failure = Failure::usage(message);
    if let Some(hint) = hint_of_the_noun(error) {
        return failure.hint(hint);
    }
    match (error.kind(), suggestion(error)) {
        (_, Some(near)) => failure.hint(format!("did you mean {near}? ({help})")),
        (ErrorKind::UnknownArgument, None) if !argument_is_option(error) => failure
            .hint("secret values are never taken from the command line; pipe them, use --file, or be asked"),
        _ => failure.hint(help),
    }
}

fn unexpected(argument: Option<&str>) -> String {
    match argument {
        Some(a) if is_option(a) => format!("there is no option {}", name_of(a)),
        _ => "one argument too many (not shown: it may be a secret)".to_owned(),
    }
}

fn argument_is_option(error: &clap::Error) -> bool {
    text(error, ContextKind::InvalidArg).is_some_and(|a| is_option(&a))
}

/// `--long-name` in small letters, or `-x`; what follows a `=` is never looked at.
fn is_option(argument: &str) -> bool {
    let name = name_of(argument);
    let long = name.strip_prefix("--").is_some_and(|n| {
        !n.is_empty() && n.len() <= 24 && n.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
    });
    let short = matches!(name.as_bytes(), [b'-', letter] if letter.is_ascii_alphabetic());
    long || short
}

fn name_of(argument: &str) -> &str {
    argument.split_once('=').map_or(argument, |(name, _)| name)
}

fn unknown_verb(error: &clap::Error) -> String {
    match text(error, ContextKind::InvalidSubcommand) {
        Some(v) if v.len() <= 24 && v.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
            format!("there is no verb {v}")
        }
        _ => "there is no such verb".to_owned(),
    }
}

fn conflict(error: &clap::Error, argument: Option<String>) -> String {
    let argument = argument.unwrap_or_else(|| "an option".to_owned());
    match text(error, ContextKind::PriorArg) {
        Some(prior) if prior == argument => format!("{argument} was given twice"),
        Some(prior) => format!("{argument} cannot go together with {prior}"),
        None => format!("{argument} cannot go together with the rest"),
    }
}

/// What the constructor that refused the word says to do.
fn hint_of_the_noun(error: &clap::Error) -> Option<String> {
    let why = std::error::Error::source(error)?.downcast_ref::<hqv_model::Error>()?;
    why.hint_text().map(str::to_owned)
}

/// The sentence of the constructor that refused the word.
fn validation(error: &clap::Error, argument: Option<String>) -> String {
    let argument = argument.unwrap_or_else(|| "an argument".to_owned());
    match std::error::Error::source(error) {
        Some(why) => format!("{argument}: {why}"),
        None => format!("{argument} has a value that cannot be"),
    }
}

fn invalid_value(error: &clap::Error, argument: Option<String>) -> String {
    let argument = argument.unwrap_or_else(|| "an argument".to_owned());
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(all)) if !all.is_empty() => {
            format!("{argument}: one of {} is needed", all.join(", "))
        }
        _ => format!("{argument}: a value is needed"),
    }
}

fn suggestion(error: &clap::Error) -> Option<String> {
    [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .into_iter()
        .find_map(|kind| text(error, kind))
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(all) => all.first().cloned(),
        _ => None,
    }
}

/// The verbs that were typed, for the hint.
fn verb(words: &[OsString]) -> String {
    use clap::CommandFactory;
    let tree = super::args::Cli::command();
    let mut at = &tree;
    let mut verbs = String::new();
    for word in words.iter().skip(1).filter_map(|w| w.to_str()) {
        if let Some(found) = at.find_subcommand(word) {
            verbs = format!("{verbs} {}", found.get_name());
            at = found;
        }
    }
    verbs
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use clap::Parser;

    fn failed(words: &[&str]) -> Failure {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let error = crate::cli::args::Cli::try_parse_from(&words).unwrap_err();
        failure(&error, &words)
    }

    #[test]
    fn mm2_an_argument_too_many_is_not_shown() {
        for words in [
            &["hq-vault", "get", "a/b", "CANARY-1"][..],
            &["hq-vault", "list", "a", "CANARY-1"],
            &["hq-vault", "lock", "-CANARY-1"],
            &["hq-vault", "store", "a", "--CANARY-1"],
            &["hq-vault", "CANARY-1"],
        ] {
            let failure = failed(words);
            let all = format!("{} {}", failure.message(), failure.hint_text().unwrap_or_default());
            assert!(!all.contains("CANARY"), "{all}");
            assert_eq!(failure.exit(), 2);
        }
    }

    #[test]
    fn a_mistyped_option_or_verb_gets_a_suggestion() {
        assert!(failed(&["hq-vault", "list", "--jsn"]).hint_text().unwrap().contains("--json"));
        assert!(failed(&["hq-vault", "lst"]).hint_text().unwrap().contains("list"));
    }

    #[test]
    fn in2_a_refused_value_has_the_sentence_of_its_noun() {
        let failure = failed(&["hq-vault", "serve", "--idle-timeout", "40000"]);
        assert!(failure.message().contains("10080"), "{}", failure.message());
        for bad in ["abc", "5x", "0", "-1", ""] {
            let failure = failed(&["hq-vault", "token", "create", "--name", "n", "--max-uses", bad]);
            assert_eq!(failure.exit(), 2, "{bad}");
        }
        for bad in ["1", "1y", "1e9d", "91d", "", "-1h"] {
            let failure = failed(&["hq-vault", "token", "create", "--name", "n", "--ttl", bad]);
            assert_eq!(failure.exit(), 2, "{bad}");
        }
    }
}
