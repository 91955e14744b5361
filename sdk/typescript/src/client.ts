// The client: builds a request and renders an answer. It holds no rules.

import { inspect } from "node:util";
import { shown, usage, VaultSdkError } from "./error.js";
import { bytesOf, CreatedToken, Secrets, textOf, Waiting } from "./hidden.js";
import { Line, type Call } from "./line.js";
import { surroundings, type VaultOptions } from "./surroundings.js";
import { display } from "./target.js";
import type * as t from "./types.js";

/** What may be said of a value that is stored. What is left out keeps what the path had. */
export interface StoreOptions {
  type?: string | undefined;
  description?: string | undefined;
  tags?: Record<string, string> | undefined;
  /** RFC 3339, a date, or a duration from now such as `90d`; `null` takes it away. */
  expires?: string | null | undefined;
  /** The name of the variable that `env-file` gives it; `null` takes it away. */
  env?: string | null | undefined;
  /** Store only where nothing stands. */
  ifAbsent?: boolean | undefined;
  /** Store only where the newest version is this one. */
  ifVersion?: number | undefined;
}

/** What to list. */
export interface ListOptions {
  type?: string | undefined;
  /** `key=value` */
  tag?: string | undefined;
}

/** A token to make. Without a scope it gets the parent's, less `delegate`. */
export interface TokenOptions {
  name: string;
  /** Such as `1h` or `7d`. */
  ttl?: string | undefined;
  maxUses?: number | undefined;
  /** Uses set aside for it from its parent's; at most `maxUses`. */
  reserve?: number | undefined;
  /** Paths, prefixes ending in `/`, `*` for one segment. */
  paths?: string[] | undefined;
  /** Capabilities on `paths`. */
  can?: string[] | undefined;
  /** Whole rules, such as `read,list on deploy/prod/`. */
  allow?: string[] | undefined;
}

/** A value to ask a person for. */
export interface IngestOptions {
  type?: string | undefined;
  description?: string | undefined;
  /** Replace what stands there. */
  overwrite?: boolean | undefined;
  /** Milliseconds to wait for the person; 600,000 unless given, which is how long an entry lives. */
  timeout?: number | undefined;
  /** Told what the person needs. Without it a note goes to standard error. */
  onWaiting?: ((waiting: Waiting) => void) | undefined;
}

/** A batch holds at most 16 MiB of values, whose every byte may be escaped as six. */
const BATCH_LIMIT = 128 << 20;
/** Seconds that one poll waits. */
const POLL = 25;

/** One caller's line to one vault. Connections are kept, and calls may run at the same time. */
export class VaultClient {
  readonly #line: Line;
  readonly #server: string;
  readonly #identity: string;
  readonly #timeout: number;

  /** Decides where the vault is and who asks; connects to nothing yet. */
  constructor(options: VaultOptions = {}) {
    const place = surroundings(options, process.env);
    this.#timeout = milliseconds(options.timeout, 60_000);
    this.#line = new Line(place, this.#timeout, milliseconds(options.connectTimeout, 5_000), options.reason);
    this.#server = shown(display(place.target));
    this.#identity = place.identity;
  }

  /** Reads a value; a use. */
  async getSecret(path: string, options: { version?: number | undefined } = {}): Promise<string> {
    return textOf(await this.#get(path, options.version));
  }

  /** Reads a value that may be any bytes; a use. */
  async getSecretBytes(path: string, options: { version?: number | undefined } = {}): Promise<Uint8Array> {
    return bytesOf(await this.#get(path, options.version));
  }

  /** Reads several in one round trip, as one use: these paths, or all that is readable below a prefix. */
  async getSecrets(what: string[] | { prefix: string }): Promise<Secrets> {
    const body = Array.isArray(what) ? { paths: what } : { prefix: what.prefix };
    const call: Call = { method: "POST", path: "/v1/secrets:batch", body, limit: BATCH_LIMIT };
    return new Secrets((await this.#line.call<t.BatchAnswer>(call)).secrets);
  }

  /** Stores text or bytes. */
  async storeSecret(path: string, value: string | Uint8Array, options: StoreOptions = {}): Promise<t.PutAnswer> {
    const { ifAbsent, ifVersion, ...about } = options;
    const headers = {
      ...(ifAbsent && { "If-None-Match": "*" }),
      ...(ifVersion !== undefined && { "If-Match": `"${ifVersion}"` }),
    };
    return this.#line.call({ method: "PUT", path: at(path), headers, body: { ...written(value), ...about } });
  }

  /** Lists what may be listed, below a prefix where one is given; never values. */
  async listSecrets(prefix = "", options: ListOptions = {}): Promise<t.Entry[]> {
    const entries: t.Entry[] = [];
    let cursor: string | undefined;
    for (;;) {
      const query = new URLSearchParams({ limit: "1000" });
      // What is undefined was not given, and is no text.
      for (const [key, text] of Object.entries({ prefix, ...options, cursor })) if (text) query.set(key, text);
      const page = await this.#line.call<t.ListAnswer>({ method: "GET", path: `/v1/secrets?${query}` });
      entries.push(...page.entries);
      if (!page.next || page.next === cursor) return entries;
      cursor = page.next;
    }
  }

  /** Deletes; versions are kept 30 days. `purge`, the owner's, removes them. */
  async deleteSecret(path: string, options: { purge?: boolean | undefined } = {}): Promise<t.DeleteAnswer> {
    return this.#line.call({ method: "DELETE", path: at(path) + (options.purge ? "?purge=true" : "") });
  }

  /** Makes a token that is no wider than the caller. */
  async createToken(options: TokenOptions): Promise<CreatedToken> {
    const made = await this.#line.call<t.TokenAnswer>({ method: "POST", path: "/v1/tokens", body: { ...options } });
    return new CreatedToken(made.token, made.metadata, made.notes);
  }

  /** Ends a token and its family, by id or name; `self` is the one that asks. */
  async revokeToken(token: string): Promise<t.TokenRevoked> {
    if (!token) throw usage("a token's id or name is needed");
    return this.#line.call({ method: "DELETE", path: `/v1/tokens/${encoded(token, encodeURIComponent)}` });
  }

  /** Asks a person for a value and waits until it is stored; the value never comes here. */
  async ingest(path: string, options: IngestOptions = {}): Promise<t.EntryStored> {
    const { timeout = 600_000, onWaiting = tell, ...about } = options;
    const until = Date.now() + milliseconds(timeout, 600_000);
    const body = { path, ...about, program: "node", directory: process.cwd().slice(0, 256) };
    const opened = await this.#line.call<t.EntryAnswer>({ method: "POST", path: "/v1/entries", body });
    let now: Pick<t.EntryState, "state" | "stored"> = opened;
    if (now.state === "waiting") onWaiting(new Waiting(path, opened.code, opened.expiresAt, opened.url));
    while (now.state === "waiting") {
      const left = Math.ceil((until - Date.now()) / 1000);
      if (left <= 0) throw new VaultSdkError("TIMEOUT", "nobody entered the value in time", AGAIN);
      const wait = Math.min(POLL, left);
      const poll = `/v1/entries/${encodeURIComponent(opened.id)}?wait=${wait}`;
      now = await this.#line.call<t.EntryState>({ method: "GET", path: poll, within: wait * 1000 + this.#timeout });
    }
    if (now.state === "stored" && now.stored) return now.stored;
    if (now.state === "refused") throw new VaultSdkError("FORBIDDEN", "the person refused to enter the value", { sent: true });
    throw new VaultSdkError("TIMEOUT", "the entry has expired", AGAIN);
  }

  /** Closes the kept connections. A process may end without it. */
  close(): void {
    this.#line.close();
  }

  toJSON(): { server: string; identity: string } {
    return { server: this.#server, identity: this.#identity };
  }

  [inspect.custom](): string {
    return `VaultClient { server: '${this.#server}', identity: '${this.#identity}' }`;
  }

  #get(path: string, version: number | undefined): Promise<t.GetAnswer> {
    return this.#line.call({ method: "GET", path: at(path) + (version === undefined ? "" : `?version=${version}`) });
  }
}

const AGAIN = { sent: true, hint: "call it again: it joins what is still open" };

function tell(waiting: Waiting): void {
  const page = waiting.url === undefined ? "" : `\n  or open ${waiting.url}`;
  process.stderr.write(`waiting for the value of ${shown(waiting.path)}\n  hq-vault answer ${waiting.code}${page}\n`);
}

function written(value: string | Uint8Array): { value: string; encoding?: "base64" } {
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { value: bytes.toString("base64"), encoding: "base64" };
  }
  if (typeof value !== "string") throw usage("a value is a string or a Uint8Array");
  // Half a surrogate pair is no text, and no byte of it may be changed silently.
  if (/\p{Surrogate}/u.test(value)) throw usage("the value is not well-formed Unicode");
  return { value };
}

function at(path: string): string {
  if (!path) throw usage("a path is needed");
  return `/v1/secrets/${encoded(path, (text) => text.split("/").map(encodeURIComponent).join("/"))}`;
}

function encoded(text: string, encode: (text: string) => string): string {
  try {
    return encode(String(text));
  } catch {
    throw usage("the path is not well-formed Unicode");
  }
}

function milliseconds(given: number | undefined, otherwise: number): number {
  const value = given ?? otherwise;
  if (!(value > 0 && value <= 2 ** 31 - 1)) throw usage("a timeout is a number of milliseconds above 0");
  return value;
}
