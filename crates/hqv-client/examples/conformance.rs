//! Runs sdk/conformance/cases.json with the Rust client, as the SDKs' runners do with theirs.
//!
//! The environment says where and who: `HQ_VAULT_URL` (`unix:/path` or `https://host:port`), `HQ_VAULT_TOKEN`,
//! `HQV_RUN`, and perhaps `HQV_PERSON`. sdk/conformance/README.md has the rest.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(missing_docs, clippy::disallowed_methods)]

use std::collections::HashMap;
use std::env::var;
use std::process::{Command, ExitCode};
use std::time::Duration;

use hqv_client::api::{BatchRequest, EntryRequest, ListQuery, PutRequest, TokenRequest};
use hqv_client::{Client, ClientError, Condition, Options, Pin, Target, Trust};
use hqv_crypto::wire::{CredentialKind, parse};
use hqv_model::SecretText;
use serde_json::{Map, Value, json};

const CASES: &str = include_str!("../../../sdk/conformance/cases.json");

type Outcome = Result<Value, ClientError>;

/// What a run knows: its tokens by name, and what no error may show.
struct Run {
    url: String,
    tokens: HashMap<String, String>,
    secrets: Vec<String>,
    person: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let token = var("HQ_VAULT_TOKEN").unwrap();
    let mut run = Run {
        url: var("HQ_VAULT_URL").unwrap(),
        tokens: HashMap::from([("admin".to_owned(), token.clone())]),
        secrets: vec![token, "canary-secret".to_owned(), "hunter2hunter2".to_owned()],
        person: var("HQV_PERSON").ok(),
    };
    let cases: Value = serde_json::from_str(&CASES.replace("$run", &var("HQV_RUN").unwrap())).unwrap();
    let mut code = ExitCode::SUCCESS;
    for case in cases["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        if case["needs"] == "person" && run.person.is_none() {
            println!("SKIP {name}: HQV_PERSON is not set");
            continue;
        }
        match run.case(case).await {
            Ok(()) => println!("ok {name}"),
            Err(why) => {
                println!("not ok {name}: {why}");
                code = ExitCode::FAILURE;
            }
        }
    }
    code
}

impl Run {
    async fn case(&mut self, case: &Value) -> Result<(), String> {
        for (number, step) in case["steps"].as_array().unwrap().iter().enumerate() {
            if step["not"].as_array().is_some_and(|not| not.contains(&json!("rust"))) {
                continue;
            }
            self.take(step).await.map_err(|why| format!("step {}: {why}", number + 1))?;
        }
        Ok(())
    }

    async fn take(&mut self, step: &Value) -> Result<(), String> {
        for told in [&step["value"], &step["typed"]].into_iter().filter_map(Value::as_str) {
            if told.len() >= 8 {
                self.secrets.push(told.to_owned());
            }
        }
        let mut outcomes = Vec::new();
        for _ in 0..step["times"].as_u64().unwrap_or(1) {
            outcomes.push(self.outcome(step));
        }
        let outcomes = together(outcomes).await;
        let mut good = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(result) => good.push(result),
                Err(error) if step["error"].is_null() => return Err(error.to_string()),
                Err(error) => self.matches(&error, &step["error"])?,
            }
        }
        if let Some(wanted) = step["succeed"].as_u64() {
            same(&json!(good.len()), &json!(wanted), "how many succeed")?;
        } else if !step["error"].is_null() && !good.is_empty() {
            return Err("it should have failed".to_owned());
        }
        let Some(mut result) = good.pop() else { return Ok(()) };
        if let Some(token) = result.as_object_mut().and_then(|map| map.remove("$token")) {
            let token = token.as_str().unwrap().to_owned();
            self.secrets.push(token.clone());
            self.tokens.insert(step["saves"].as_str().unwrap_or_default().to_owned(), token);
        }
        expected(step, &result)
    }

    /// The step as a future that owns all it needs.
    fn outcome(&self, step: &Value) -> impl Future<Output = Outcome> + Send + use<> {
        let opened = if step["call"] == "open" { None } else { Some(self.client(step)) };
        let (step, person) = (step.clone(), self.person.clone());
        let slipped = step["slip"].as_str().map(|slip| slip_of(&self.tokens[text(&step["of"])], slip));
        async move {
            match opened {
                Some(client) => call(client?, &step, person).await,
                None => open(&step["options"], slipped),
            }
        }
    }

    fn client(&self, step: &Value) -> Result<Client, ClientError> {
        let url = step["client"]["url"].as_str().unwrap_or(&self.url);
        let token = &self.tokens[step["as"].as_str().unwrap_or("admin")];
        let target = Target::parse(url)?;
        let uid = hqv_sys::process::uid();
        let mut options = Options::new(target, uid, |fd| hqv_sys::peer::of(fd).map(|peer| peer.uid));
        let pin = parse(token).unwrap().pin.map(Pin);
        options.trust = Trust { pin, ..Trust::default() };
        options.credential = Some(SecretText::new(token.clone()));
        Client::new(options)
    }

    fn matches(&self, error: &ClientError, wanted: &Value) -> Result<(), String> {
        let shown = format!("{error} {error:?}");
        if self.secrets.iter().any(|secret| shown.contains(secret)) {
            return Err("it shows a secret".to_owned());
        }
        same(&json!(error.code), &wanted["code"], &error.message)?;
        if let Some(status) = wanted.get("status") {
            same(&json!(error.status), status, "status")?;
        }
        if let Some(sent) = wanted.get("sent") {
            same(&json!(error.sent), sent, "sent")?;
        }
        if !wanted["requestId"].is_null() && error.request_id.is_none() {
            return Err("no request id".to_owned());
        }
        if !wanted["actor"].is_null() && error.actor.is_none() {
            return Err("no actor".to_owned());
        }
        let says = wanted["says"].as_str().unwrap_or_default();
        if error.message.contains(says) { Ok(()) } else { Err(format!("{} lacks {says}", error.message)) }
    }
}

async fn together(futures: Vec<impl Future<Output = Outcome> + Send + 'static>) -> Vec<Outcome> {
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

async fn call(mut client: Client, step: &Value, person: Option<String>) -> Outcome {
    let (path, options) = (text(&step["path"]), &step["options"]);
    match text(&step["call"]) {
        "getSecret" | "getSecretBytes" => {
            let secret = client.get(path, options["version"].as_u64()).await?;
            if step["call"] == "getSecretBytes" {
                return Ok(json!(hqv_client::api::secret::base64_text(secret.value.reveal())));
            }
            let text = std::str::from_utf8(secret.value.reveal());
            text.map(|text| json!(text)).map_err(|_| ClientError::usage("the value is not text"))
        }
        "getSecrets" => {
            let request = BatchRequest {
                prefix: step["prefix"].as_str().map(str::to_owned),
                paths: serde_json::from_value(step["paths"].clone()).ok(),
                ..BatchRequest::default()
            };
            let secrets = client.batch(&request).await?;
            let pair = |secret: &hqv_client::Secret| {
                (secret.path.clone(), json!(String::from_utf8_lossy(secret.value.reveal())))
            };
            Ok(Value::Object(secrets.iter().map(pair).collect()))
        }
        "storeSecret" => {
            let (request, condition) = stored(&step["value"], options);
            let request: PutRequest = from(&request);
            Ok(json!(client.put(path, &request, condition).await?))
        }
        "listSecrets" => {
            let given = |key: &str| options[key].as_str().map(str::to_owned);
            let mut query = ListQuery { kind: given("type"), tag: given("tag"), ..ListQuery::default() };
            query.prefix = step["prefix"].as_str().filter(|prefix| !prefix.is_empty()).map(str::to_owned);
            let listed = client.list_all(&query).await?;
            Ok(listed.entries.iter().map(|entry| json!(entry.path)).collect())
        }
        "deleteSecret" => Ok(json!(client.delete(path, options["purge"] == true).await?)),
        "createToken" => {
            let request: TokenRequest = from(&step["token"]);
            let made = client.token_create(&request).await?;
            Ok(json!({ "metadata": made.metadata, "$token": made.token.reveal() }))
        }
        "revokeToken" => Ok(json!(client.token_revoke(text(&step["token"])).await?)),
        "ingest" => ingest(client, step, person).await,
        other => panic!("no call {other}"),
    }
}

async fn ingest(mut client: Client, step: &Value, person: Option<String>) -> Outcome {
    let given = |key: &str| step["options"][key].as_str().map(str::to_owned);
    let request = EntryRequest {
        path: text(&step["path"]).to_owned(),
        kind: given("type"),
        description: given("description"),
        ..EntryRequest::default()
    };
    let opened = client.entry_create(&request).await?;
    if let (Some(act), Some(person)) = (step["person"].as_str(), person) {
        // Done before the wait begins, which then finds it done.
        Command::new(person).args([act, &opened.code, text(&step["typed"])]).status().unwrap();
    }
    let wait = Duration::from_secs(if step["options"]["timeoutSeconds"].is_null() { 25 } else { 1 });
    let state = client.entry_state(&opened.id, wait).await?;
    match state.stored {
        Some(stored) => Ok(json!(stored)),
        None if state.state == "refused" => {
            Err(ClientError { code: "FORBIDDEN".to_owned(), ..ClientError::usage("refused") })
        }
        None => Err(ClientError::timeout("nobody entered the value in time")),
    }
}

/// What a client decides before it connects: the URL, and whether the token is one.
fn open(options: &Value, slipped: Option<String>) -> Outcome {
    if let Some(url) = options["url"].as_str() {
        return Target::parse(url).map(|target| json!(target.to_string()));
    }
    let token = slipped.unwrap_or_else(|| text(&options["token"]).to_owned());
    let why = match parse(&token) {
        Ok(credential) if credential.kind == CredentialKind::Token => return Ok(Value::Null),
        _ if token.is_empty() => "is empty".to_owned(),
        _ if !token.starts_with("hqv_") => "is not a token".to_owned(),
        Ok(_) => unreachable!(),
        Err(error) => error.to_string(),
    };
    Err(ClientError { code: "UNAUTHORIZED".to_owned(), ..ClientError::usage(why) })
}

fn stored(value: &Value, options: &Value) -> (Value, Condition) {
    let mut body: Map<String, Value> = options.as_object().cloned().unwrap_or_default();
    let absent = body.remove("ifAbsent").is_some();
    let version = body.remove("ifVersion").and_then(|version| version.as_u64());
    body.insert("value".to_owned(), json!(plain(value)));
    if value["base64"].is_string() {
        body.insert("encoding".to_owned(), json!("base64"));
    }
    let condition = match version {
        Some(version) => Condition::Version(version),
        None if absent => Condition::Absent,
        None => Condition::Any,
    };
    (Value::Object(body), condition)
}

fn plain(value: &Value) -> String {
    match (value.as_str(), value["base64"].as_str()) {
        (Some(text), _) | (None, Some(text)) => text.to_owned(),
        _ => text(&value["repeat"]).repeat(value["times"].as_u64().unwrap() as usize),
    }
}

fn slip_of(token: &str, slip: &str) -> String {
    let cut = |from: usize| token[..token.len() - from].to_owned();
    match slip {
        "cut" => cut(3),
        "longer" => format!("{token}A"),
        "last" => cut(1) + if token.ends_with('z') { "0" } else { "z" },
        "session" => format!("hqs_{}", &token[4..]),
        "swapped" => {
            let mut bytes = token.as_bytes().to_vec();
            let at = (4..bytes.len() - 1).find(|at| bytes[*at] != bytes[at + 1]).unwrap();
            bytes.swap(at, at + 1);
            String::from_utf8(bytes).unwrap()
        }
        other => panic!("no slip {other}"),
    }
}

fn expected(step: &Value, result: &Value) -> Result<(), String> {
    if let Some(shows) = step["shows"].as_str() {
        same(result, &json!(shows), "it shows")?;
    }
    for path in step["lacks"].as_array().into_iter().flatten() {
        let pointer = format!("/{}", text(path).replace('.', "/"));
        same(result.pointer(&pointer).unwrap_or(&Value::Null), &Value::Null, text(path))?;
    }
    let Some(wanted) = step.get("expect") else { return Ok(()) };
    match text(&step["call"]) {
        "getSecret" => same(result, &json!(plain(wanted)), "value"),
        "getSecretBytes" => same(result, &wanted["base64"], "value"),
        "getSecrets" | "listSecrets" => same(result, wanted, "result"),
        _ => contains(result, wanted),
    }
}

fn contains(found: &Value, wanted: &Value) -> Result<(), String> {
    for (key, part) in wanted.as_object().unwrap() {
        if part.is_object() {
            contains(&found[key], part)?;
        } else {
            same(&found[key], part, key)?;
        }
    }
    Ok(())
}

fn same(found: &Value, wanted: &Value, what: &str) -> Result<(), String> {
    let short = |value: &Value| value.to_string().chars().take(300).collect::<String>();
    match found == wanted {
        true => Ok(()),
        false => Err(format!("{what}: found {}, expected {}", short(found), short(wanted))),
    }
}

/// By way of text: a secret is kept as it stood in the JSON.
fn from<T: serde::de::DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
