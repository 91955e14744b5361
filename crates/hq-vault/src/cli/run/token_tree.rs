//! `token tree`: families, drawn, with their budgets.

use hqv_api::TokenMetadata;

use crate::cli::args::token::Tree;
use crate::cli::context::Context;
use crate::cli::output::error::Failure;
use crate::cli::output::table::{Table, Tone};
use crate::cli::run::list::ago;
use crate::cli::run::token::{text, tone};
use crate::compose;

/// Draws what the caller may see, or one branch of it.
pub fn run(ctx: &Context, args: &Tree) -> Result<(), Failure> {
    let found = match &args.who {
        Some(who) => {
            let who = text(who);
            ctx.ask(async |client| client.token_tree(&who, args.all).await)?.tokens
        }
        None => ctx.ask(async |client| client.token_list(args.all).await)?.tokens,
    };
    if ctx.out.json {
        return ctx.out.document(&hqv_api::TokenList { tokens: found });
    }
    if found.is_empty() {
        ctx.out.say("no token lives");
        return Ok(());
    }
    let now = compose::now();
    let mut table = Table::new().left("NAME").left("MAY").right("USED").right("SET ASIDE").right("FREE");
    table = table.left("ENDS").left("STATE");
    for (token, name) in found.iter().zip(branches(&found)) {
        let ends = ago(&token.expires_at, now);
        table.row([
            (name.as_str(), Tone::Plain),
            (token.scope.join("; ").as_str(), Tone::Plain),
            (used(token).as_str(), Tone::Plain),
            (aside(token).as_str(), Tone::Plain),
            (free(token).as_str(), Tone::Plain),
            (ends.as_str(), Tone::Dim),
            (token.state.as_str(), tone(token, now)),
        ]);
    }
    table.print(&ctx.out)
}

fn used(token: &TokenMetadata) -> String {
    let own = if token.reserve.is_some() { " (own)" } else { "" };
    match token.max_uses {
        Some(max) => format!("{} of {max}{own}", token.use_count),
        None => token.use_count.to_string(),
    }
}

fn aside(token: &TokenMetadata) -> String {
    if token.set_aside == 0 { String::new() } else { token.set_aside.to_string() }
}

fn free(token: &TokenMetadata) -> String {
    token.left.map_or_else(|| "unlimited".to_owned(), |left| left.to_string())
}

/// Each token's name behind the lines that lead to it. A token whose parent is not shown begins a tree.
fn branches(tokens: &[TokenMetadata]) -> Vec<String> {
    let shown = |id: &str| tokens.iter().any(|token| token.id == id);
    let parent = |token: &TokenMetadata| token.parent.clone().filter(|id| shown(id));
    let mut last = std::collections::HashMap::new();
    for token in tokens {
        last.insert(parent(token), token.id.clone());
    }
    let mut stems: std::collections::HashMap<String, String> = std::collections::HashMap::new();
    let mut all = Vec::with_capacity(tokens.len());
    for token in tokens {
        let above = parent(token);
        let is_last = last.get(&above) == Some(&token.id);
        let stem = above.as_ref().and_then(|id| stems.get(id)).cloned();
        let (name, below) = match stem {
            None => (token.name.clone(), String::new()),
            Some(stem) if is_last => (format!("{stem}└─ {}", token.name), format!("{stem}   ")),
            Some(stem) => (format!("{stem}├─ {}", token.name), format!("{stem}│  ")),
        };
        stems.insert(token.id.clone(), below);
        all.push(name);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(id: &str, parent: Option<&str>) -> TokenMetadata {
        TokenMetadata {
            id: id.to_owned(),
            name: id.to_owned(),
            ancestry: id.to_owned(),
            parent: parent.map(str::to_owned),
            created_at: String::new(),
            expires_at: String::new(),
            last_used_at: None,
            use_count: 0,
            max_uses: None,
            reserve: None,
            reserve_used: 0,
            set_aside: 0,
            left: None,
            scope: Vec::new(),
            state: "live".to_owned(),
        }
    }

    #[test]
    fn lines_lead_to_each_child_and_end_at_the_last() {
        let all = [
            token("a", None),
            token("b", Some("a")),
            token("c", Some("b")),
            token("d", Some("a")),
            token("e", Some("d")),
            token("f", None),
        ];
        let expected = ["a", "├─ b", "│  └─ c", "└─ d", "   └─ e", "f"];
        assert_eq!(branches(&all), expected);
        assert_eq!(branches(&all[1..3]), ["b", "└─ c"]);
    }
}
