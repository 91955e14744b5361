//! What the tour shows, in its order.

/// A step: one sentence why, and the commands.
pub struct Step {
    /// Why.
    pub why: &'static str,
    /// What is typed.
    pub lines: &'static [Line],
}

/// One command.
pub struct Line {
    /// As one would type it.
    pub command: &'static str,
    /// The exit code it must have.
    pub exit: i32,
    /// Its stdout becomes this variable instead of being shown.
    pub keep: Option<&'static str>,
    /// Who types it.
    pub by: By,
}

/// Who types a command.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The owner, signed in.
    Owner,
    /// An agent: no session, no terminal.
    Agent,
    /// A person at a terminal of theirs, and what they type when they are asked.
    Person(&'static str),
}

const fn run(command: &'static str) -> Line {
    Line { command, exit: 0, keep: None, by: By::Owner }
}

const fn agent(command: &'static str, exit: i32) -> Line {
    Line { command, exit, keep: None, by: By::Agent }
}

const fn person(command: &'static str, types: &'static str) -> Line {
    Line { command, exit: 0, keep: None, by: By::Person(types) }
}

const fn refused(command: &'static str, exit: i32) -> Line {
    Line { command, exit, keep: None, by: By::Owner }
}

const fn keep(name: &'static str, command: &'static str) -> Line {
    Line { command, exit: 0, keep: Some(name), by: By::Owner }
}

/// The tour.
pub const STEPS: &[Step] = &[
    Step {
        why: "A new vault. (The passphrase comes from a file here; you are asked for it twice, and shown a recovery key.)",
        lines: &[run("hq-vault init"), run("hq-vault status")],
    },
    Step {
        why: "An ordinary .env: a database URL, an API key full of odd characters, a PEM key of several lines.",
        lines: &[run("cat .env")],
    },
    Step {
        why: "Its values move into the vault, through pipes and never on a command line.",
        lines: &[
            run(
                "grep ^DATABASE_URL= .env | cut -d= -f2- | hq-vault store shop/database-url --type connection-string",
            ),
            run(
                "(. ./.env; printf %s \"$STRIPE_KEY\") | hq-vault store shop/stripe-key --type api-key --description 'test mode'",
            ),
            run("(. ./.env; printf %s \"$TLS_KEY\") | hq-vault store shop/tls-key --type certificate"),
            run("hq-vault store shop/session-secret --generate=48"),
            run("mv .env .env.before"),
        ],
    },
    Step {
        why: "The vault lists what it holds. On disk not even a name can be read.",
        lines: &[run("hq-vault list shop"), refused("grep -c stripe ~/.hq-vault/vault.db", 1)],
    },
    Step {
        why: "A program gets one value; a shell gets them all, byte for byte, whatever they hold.",
        lines: &[
            run("hq-vault get shop/stripe-key; echo"),
            run(
                "eval $(hq-vault env-file shop/ --format export); v=$TLS_KEY; . ./.env.before; [ \"$v\" = \"$TLS_KEY\" ] && echo same",
            ),
            run("hq-vault env-file shop/ -o .env"),
        ],
    },
    Step {
        why: "A deploy job gets a token that dies in an hour, reads shop/ alone, and can be used twice.",
        lines: &[
            keep(
                "T",
                "hq-vault token create --name deploy-run-42 --ttl 1h --max-uses 2 --path shop/ --can read",
            ),
            run("cat worker.sh"),
            run("HQ_VAULT_TOKEN=$T ./worker.sh 1"),
            run("HQ_VAULT_TOKEN=$T ./worker.sh 2"),
            refused("HQ_VAULT_TOKEN=$T ./worker.sh 3", 4),
        ],
    },
    Step {
        why: "An orchestrator mints a narrower token for each worker: one path, one use, five minutes.",
        lines: &[
            keep(
                "O",
                "hq-vault token create --name orchestrator --max-uses 20 --allow 'read,delegate on shop/'",
            ),
            run("cat orchestrate.sh"),
            run("HQ_VAULT_TOKEN=$O ./orchestrate.sh"),
        ],
    },
    Step {
        why: "Nobody hands on more than they have.",
        lines: &[
            refused("HQ_VAULT_TOKEN=$O hq-vault token create --name greedy --allow 'read,write on shop/'", 4),
            refused("HQ_VAULT_TOKEN=$O hq-vault get other/secret", 4),
        ],
    },
    Step {
        why: "Revoking the orchestrator ends its whole family at once.",
        lines: &[
            run("hq-vault token list"),
            run("hq-vault token revoke orchestrator"),
            refused("HQ_VAULT_TOKEN=$O ./worker.sh 4", 4),
        ],
    },
    Step {
        why: "An agent needs a key that the vault does not have. It asks, and a person is told what to do.",
        lines: &[agent(INGEST, 9)],
    },
    Step {
        why: "The person types it in a terminal of their own, unseen. The agent's command, run again, confirms.",
        lines: &[person("hq-vault answer", "whsec_AValueThatNobodyUsesAnywhereAtAll012"), agent(INGEST, 0)],
    },
    Step {
        why: "To read, an agent asks too; a person approves the exact grant, and may narrow it.",
        lines: &[
            agent(ASK, 9),
            person("hq-vault approve CODE --max-uses 1", "y"),
            Line { command: ASK, exit: 0, keep: Some("A"), by: By::Agent },
            run("HQ_VAULT_TOKEN=$A hq-vault get shop/webhook-secret | wc -c"),
            refused("HQ_VAULT_TOKEN=$A hq-vault get shop/webhook-secret", 4),
        ],
    },
    Step {
        why: "Every access is on record, allowed or refused, and the record proves itself.",
        lines: &[run("hq-vault audit --limit 14"), run("hq-vault audit verify")],
    },
    Step {
        why: "Locked, nothing can be read until the passphrase comes back.",
        lines: &[run("hq-vault lock"), refused("hq-vault get shop/database-url", 5)],
    },
];

/// What the agent runs for want of a value.
const INGEST: &str =
    "hq-vault ingest shop/webhook-secret --type api-key --description 'Stripe webhooks' --timeout 1s";

/// What it runs to be allowed to read.
const ASK: &str =
    "hq-vault ask shop/webhook-secret --can read --max-uses 5 --reason 'check a webhook' --timeout 1s";

/// The worker of step 6.
pub const WORKER: &str = "\
#!/bin/sh
url=$(hq-vault get shop/database-url) || exit
echo \"worker $1 connects to ${url##*@}\"
";

/// The orchestrator of step 7.
pub const ORCHESTRATE: &str = "\
#!/bin/sh
for n in a b c; do
  token=$(hq-vault token create --quiet --name worker-$n --ttl 5m --max-uses 1 --path shop/database-url --can read)
  HQ_VAULT_TOKEN=$token ./worker.sh $n &
done
wait
";
