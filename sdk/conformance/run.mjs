// Runs cases.json with the TypeScript SDK that the current folder has installed. README.md says how.

import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { isDeepStrictEqual, inspect } from "node:util";

const { VaultClient, VaultSdkError } = createRequire(`${process.cwd()}/`)("hq-vault");
const run = process.env.HQV_RUN;
const person = process.env.HQV_PERSON;
const tokens = { admin: process.env.HQ_VAULT_TOKEN };
const secrets = new Set([tokens.admin, "canary-secret", "hunter2hunter2"]);
const clients = new Map();

const { cases } = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8").replaceAll("$run", run));
let failed = 0;
for (const one of cases) {
  if (one.needs === "person" && !person) {
    console.log(`SKIP ${one.name}: HQV_PERSON is not set`);
    continue;
  }
  try {
    for (const [number, step] of one.steps.entries()) await take(step, `step ${number + 1}: `);
    console.log(`ok ${one.name}`);
  } catch (error) {
    failed = 1;
    console.log(`not ok ${one.name}: ${error.stack}`);
  }
}
process.exit(failed);

async function take(step, where) {
  if (step.not?.includes("typescript")) return;
  if (typeof step.value === "string" && step.value.length >= 8) secrets.add(step.value);
  if (step.typed) secrets.add(step.typed);
  const outcomes = await Promise.all(Array.from({ length: step.times ?? 1 }, () => outcome(step)));
  for (const { error, result } of outcomes) hides(error ?? result, where);
  const good = outcomes.filter(({ error }) => !error);
  if (step.succeed !== undefined) {
    same(good.length, step.succeed, `${where}how many succeed`);
    for (const { error } of outcomes) if (error) matches(error, step.error, where);
  } else if (step.error) {
    same(good.length, 0, `${where}it should have failed; successes`);
    matches(outcomes[0].error, step.error, where);
  } else if (outcomes[0].error) {
    throw outcomes[0].error;
  }
  if (good.length > 0) await expected(step, good[0].result, where);
}

async function outcome(step) {
  try {
    return { result: await call(step) };
  } catch (error) {
    if (!(error instanceof VaultSdkError)) throw error;
    return { error };
  }
}

function client(step) {
  const options = { token: tokens[step.as ?? "admin"], ...step.client };
  const key = JSON.stringify(options);
  if (!clients.has(key)) clients.set(key, new VaultClient(options));
  return clients.get(key);
}

async function call(step) {
  const { timeoutSeconds, ...options } = step.options ?? {};
  if (timeoutSeconds) options.timeout = timeoutSeconds * 1000;
  switch (step.call) {
    case "open":
      return new VaultClient(step.slip ? { token: slipped(tokens[step.of], step.slip) } : options);
    case "getSecrets":
      return client(step).getSecrets(step.paths ?? { prefix: step.prefix });
    case "storeSecret":
      return client(step).storeSecret(step.path, value(step.value), options);
    case "listSecrets":
      return client(step).listSecrets(step.prefix, options);
    case "createToken": {
      const made = await client(step).createToken(step.token);
      tokens[step.saves] = made.token;
      secrets.add(made.token);
      return made;
    }
    case "revokeToken":
      return client(step).revokeToken(step.token);
    case "ingest":
      if (step.person) options.onWaiting = (waiting) => answer(step, waiting);
      else options.onWaiting = () => {};
      return client(step).ingest(step.path, options);
    default:
      return client(step)[step.call](step.path, options);
  }
}

/** A person, who does what the step says with the entry's code. */
function answer(step, waiting) {
  hides(waiting, "waiting: ");
  execFile(person, [step.person, waiting.code, step.typed ?? ""], (error, out) => error && console.log(`${error} ${out}`));
}

async function expected(step, result, where) {
  if (step.shows && !inspect(result).includes(step.shows)) throw new Error(`${where}${inspect(result)} does not show ${step.shows}`);
  for (const path of step.lacks ?? []) {
    same(path.split(".").reduce((part, key) => part?.[key], result), undefined, `${where}${path}`);
  }
  if (step.expect === undefined) return;
  if (step.call === "getSecretBytes") same(Buffer.from(result).toString("base64"), step.expect.base64, where);
  else if (step.call === "getSecret") same(result, value(step.expect), where);
  else if (step.call === "getSecrets") same([...result], Object.entries(step.expect), where);
  else if (step.call === "listSecrets") same(result.map((entry) => entry.path), step.expect, where);
  else contains(result, step.expect, where);
}

function matches(error, wanted, where) {
  same(error.code, wanted.code, `${where}code of "${error.message}"`);
  if ("status" in wanted) same(error.statusCode, wanted.status, `${where}status`);
  if ("sent" in wanted) same(error.sent, wanted.sent, `${where}sent`);
  if (wanted.requestId) same(/^req_/.test(error.requestId), true, `${where}request id`);
  if (wanted.actor) same(typeof error.actor, "string", `${where}actor`);
  if (wanted.says && !error.message.includes(wanted.says)) throw new Error(`${where}"${error.message}" lacks ${wanted.says}`);
}

function contains(found, wanted, where) {
  for (const [key, part] of Object.entries(wanted)) {
    if (part && typeof part === "object" && !Array.isArray(part)) contains(found[key], part, `${where}${key}.`);
    else same(found[key], part, `${where}${key}`);
  }
}

/** Whatever prints it, no secret of this run is in it. */
function hides(thing, where) {
  if (typeof thing === "string" || thing instanceof Uint8Array) return;
  const deep = { showHidden: true, depth: 20, maxStringLength: Infinity };
  const text = [String(thing), JSON.stringify(thing), inspect(thing), inspect(thing, deep), thing.message, thing.stack].join("\n");
  for (const secret of secrets) if (text.includes(secret)) throw new Error(`${where}it shows a secret`);
}

function slipped(token, slip) {
  return {
    cut: token.slice(0, -3),
    longer: `${token}A`,
    // Neighbours that differ, or the swap would be none.
    swapped: token.replace(/([A-Z])([a-z0-9])/, "$2$1"),
    last: token.slice(0, -1) + (token.at(-1) === "z" ? "0" : "z"),
    session: `hqs_${token.slice(4)}`,
  }[slip];
}

function value(given) {
  if (typeof given === "string") return given;
  if (given.base64) return Buffer.from(given.base64, "base64");
  return given.repeat.repeat(given.times);
}

function same(found, wanted, where) {
  if (isDeepStrictEqual(found, wanted)) return;
  const short = (thing) => inspect(thing).slice(0, 300);
  throw new Error(`${where}: found ${short(found)}, expected ${short(wanted)}`);
}
