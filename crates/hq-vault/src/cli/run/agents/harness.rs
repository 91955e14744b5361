//! Which files each agent reads, and what goes into them.
//!
//! All of it is data: a new agent, or a new verb that agents may run, is a line here.

use clap::CommandFactory;

use crate::cli::args::Cli;
use crate::cli::args::agents::AgentName;

/// What an agent may run without asking a person each time: each of these asks a person itself, tells nothing, or
/// hides what it hands over. Of these, the verbs that this program has.
const ALLOWED: &[&str] = &["ingest", "ask", "run", "status"];

/// What stood there in files that earlier versions wrote.
const ALLOWED_BEFORE: &[&[&str]] = &[&["ingest", "ask", "status"]];

/// What it may not run: the value would stand in its transcript.
const DENIED: &[&str] = &["get"];

const INSTRUCTIONS: &str = include_str!("text/instructions.md");
const USE_RUN: &str = include_str!("text/use-run.md");
const USE_ENV_FILE: &str = include_str!("text/use-env-file.md");
const SKILL_HEADER: &str = include_str!("text/skill-header.md");
const CURSOR_HEADER: &str = include_str!("text/cursor-header.md");

/// One file of an agent, relative to the project.
pub struct Target {
    /// Where it is.
    pub path: &'static str,
    /// What is kept in it.
    pub content: Content,
}

/// What is kept in a file.
pub enum Content {
    /// A text between markers. `header` comes before it only in a file that we make.
    Block {
        /// How a marker is written there.
        comment: Comment,
        /// What such a file begins with.
        header: &'static str,
        /// The text, with `\n` between lines and at its end.
        text: String,
    },
    /// Rules in lists of a JSON document.
    Json(Vec<List>),
}

/// How a line of comment looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comment {
    /// `<!-- ... -->`
    Html,
    /// `# ...`
    Hash,
}

/// Rules in the list `object.list` of a JSON document.
#[derive(Clone, Debug)]
pub struct List {
    /// The key of the object at the top.
    pub object: &'static str,
    /// The key of the list in it.
    pub list: &'static str,
    /// The rules, in our order.
    pub rules: Vec<String>,
    /// What they were before, to be replaced.
    pub former: Vec<Vec<String>>,
}

/// All agents, in the order of the help.
pub const ALL: [AgentName; 5] =
    [AgentName::Claude, AgentName::Codex, AgentName::Cursor, AgentName::Gemini, AgentName::Copilot];

/// The name as it is typed.
pub fn name(agent: AgentName) -> &'static str {
    match agent {
        AgentName::Claude => "claude",
        AgentName::Codex => "codex",
        AgentName::Cursor => "cursor",
        AgentName::Gemini => "gemini",
        AgentName::Copilot => "copilot",
    }
}

/// What shows that a project is worked on with this agent.
pub fn signs(agent: AgentName) -> &'static [&'static str] {
    match agent {
        AgentName::Claude => &["CLAUDE.md", ".claude"],
        AgentName::Codex => &["AGENTS.md", ".codex", ".agents"],
        AgentName::Cursor => &[".cursor", ".cursorrules"],
        AgentName::Gemini => &["GEMINI.md", ".gemini"],
        AgentName::Copilot => &[".github/copilot-instructions.md", ".github/skills"],
    }
}

/// The files of an agent.
pub fn targets(agent: AgentName) -> Vec<Target> {
    match agent {
        AgentName::Claude => vec![
            instructions("CLAUDE.md", ""),
            instructions(".claude/skills/hq-vault/SKILL.md", SKILL_HEADER),
            Target { path: ".claude/settings.json", content: Content::Json(claude_rules()) },
        ],
        AgentName::Codex => vec![
            instructions("AGENTS.md", ""),
            instructions(".agents/skills/hq-vault/SKILL.md", SKILL_HEADER),
            rules(".codex/rules/hq-vault.rules", codex_rules()),
        ],
        AgentName::Cursor => vec![instructions(".cursor/rules/hq-vault.mdc", CURSOR_HEADER)],
        AgentName::Gemini => vec![
            instructions("GEMINI.md", ""),
            instructions(".gemini/skills/hq-vault/SKILL.md", SKILL_HEADER),
            rules(".gemini/policies/hq-vault.toml", gemini_rules()),
        ],
        AgentName::Copilot => vec![
            instructions(".github/copilot-instructions.md", ""),
            instructions(".github/skills/hq-vault/SKILL.md", SKILL_HEADER),
        ],
    }
}

fn instructions(path: &'static str, header: &'static str) -> Target {
    let usage = if is_verb("run") { USE_RUN } else { USE_ENV_FILE };
    let text = INSTRUCTIONS.replace("%USE%\n", usage);
    Target { path, content: Content::Block { comment: Comment::Html, header, text } }
}

fn rules(path: &'static str, text: String) -> Target {
    Target { path, content: Content::Block { comment: Comment::Hash, header: "", text } }
}

/// Nothing is told of a command that is not there.
fn is_verb(name: &str) -> bool {
    Cli::command().get_subcommands().any(|verb| verb.get_name() == name)
}

fn allowed() -> Vec<&'static str> {
    ALLOWED.iter().copied().filter(|verb| is_verb(verb)).collect()
}

fn claude_rules() -> Vec<List> {
    let rules =
        |verbs: &[&str]| verbs.iter().map(|verb| format!("Bash(hq-vault {verb}:*)")).collect::<Vec<_>>();
    let list = |list, now: &[&str], before: &[&[&str]]| List {
        object: "permissions",
        list,
        rules: rules(now),
        former: before.iter().map(|verbs| rules(verbs)).collect(),
    };
    vec![list("allow", &allowed(), ALLOWED_BEFORE), list("deny", DENIED, &[])]
}

fn codex_rules() -> String {
    let rule = |verb: &str, decision: &str, why: &str| {
        format!(
            "prefix_rule(\n    pattern = [\"hq-vault\", \"{verb}\"],\n    decision = \"{decision}\",\n    \
             justification = \"{why}\",\n)\n"
        )
    };
    let allowed = allowed()
        .into_iter()
        .map(|verb| rule(verb, "allow", "A person types or approves; no value is shown."));
    let denied = DENIED
        .iter()
        .map(|verb| rule(verb, "forbidden", "It prints the value. Ask for a token: hq-vault ask."));
    allowed.chain(denied).collect()
}

fn gemini_rules() -> String {
    let list = |verbs: &[&str]| {
        verbs.iter().map(|verb| format!("\"hq-vault {verb}\"")).collect::<Vec<_>>().join(", ")
    };
    let rule = |verbs: &[&str], decision: &str, more: &str| {
        format!(
            "[[rule]]\ntoolName = \"run_shell_command\"\ncommandPrefix = [{}]\ndecision = \"{decision}\"\n{more}",
            list(verbs)
        )
    };
    let allowed = rule(&allowed(), "allow", "priority = 100\n");
    let why = "denyMessage = \"It prints the value. Ask for a token: hq-vault ask.\"\n";
    format!("{allowed}\n{}", rule(DENIED, "deny", &format!("priority = 200\n{why}")))
}
