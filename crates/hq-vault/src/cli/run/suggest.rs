//! "Did you mean": the nearest path among its neighbours, for who may list them.

use hqv_api::ListQuery;
use hqv_model::{Code, SecretPath};

use crate::cli::context::Context;
use crate::cli::identity;
use crate::cli::link::Link;
use crate::cli::output::error::Failure;

/// Adds the nearest path to a `NOT_FOUND`. Who may not list learns nothing.
pub fn near(ctx: &Context, path: &SecretPath, failure: Failure) -> Failure {
    if !failure.is(Code::NotFound) {
        return failure;
    }
    let prefix = path.as_str().rsplit_once('/').map(|(above, _)| above.to_owned());
    let listing = format!("hq-vault list{}", prefix.as_ref().map(|p| format!(" {p}")).unwrap_or_default());
    match neighbours(ctx, prefix.map(|p| p + "/")) {
        Some(all) => match nearest(path.as_str(), &all) {
            Some(found) => failure.hint(format!("did you mean {found}? ({listing})")),
            None => failure.or_hint(format!("see what there is: {listing}")),
        },
        None => failure,
    }
}

fn neighbours(ctx: &Context, prefix: Option<String>) -> Option<Vec<String>> {
    let acting = identity::at_hand(ctx)?;
    let link = Link::open(ctx).ok()?;
    let query = ListQuery { prefix, limit: Some(1000), ..ListQuery::default() };
    let found =
        link.run_if_there(Some(acting.credential()), async |client| client.list(&query).await).ok()?;
    Some(found.entries.into_iter().map(|e| e.path).collect())
}

/// The one that continues what was typed, or is at most a third of it away.
fn nearest<'a>(wanted: &str, all: &'a [String]) -> Option<&'a str> {
    let most = wanted.chars().count() / 3;
    let rated = all.iter().map(|path| {
        let away = if path.starts_with(wanted) { 0 } else { distance(wanted, path) };
        (away, path.as_str())
    });
    rated.filter(|(away, _)| *away <= most).min().map(|(_, path)| path)
}

/// Levenshtein's, by rows.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (pair, to) in row.windows(2).zip(&b) {
            let (diagonal, above) = match pair {
                [diagonal, above] => (*diagonal, *above),
                _ => continue,
            };
            left = (left + 1).min(above + 1).min(diagonal + usize::from(from != *to));
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_found_and_the_far_is_not() {
        let all = ["stripe/secret-key", "stripe/publishable-key", "aws/key"].map(String::from);
        assert_eq!(nearest("stripe/secret", &all), Some("stripe/secret-key"));
        assert_eq!(nearest("stripe/secert-key", &all), Some("stripe/secret-key"));
        assert_eq!(nearest("nothing/like/it", &all), None);
    }

    #[test]
    fn distances_are_levenshtein_s() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", ""), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
