// What a client is told: options first, then variables, then the vault directory, then https://localhost:13100.

import { lstatSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { isAbsolute, join, resolve as absolute } from "node:path";
import { shown, usage, VaultSdkError } from "./error.js";
import type { Proxy } from "./proxy.js";
import { parse, type Target } from "./target.js";
import { checked, type Kind } from "./token.js";
import { parseFingerprint, type Trust } from "./trust.js";

/** Where the vault is, who asks, and whom to trust. Everything may be left out. */
export interface VaultOptions {
  /** `https://host:port` or `unix:/path`; else `HQ_VAULT_URL`. */
  url?: string | undefined;
  /** Act with this token; else `HQ_VAULT_TOKEN`. */
  token?: string | undefined;
  /** Act with the token in this file; else `HQ_VAULT_TOKEN_FILE`. */
  tokenFile?: string | undefined;
  /** Act as the owner, with a session; else `HQ_VAULT_SESSION`. A token shuts it out. */
  session?: string | undefined;
  /** The vault directory; else `HQ_VAULT_DIR`, else `~/.hq-vault`. */
  vaultDir?: string | undefined;
  /** A PEM file of what to trust on a remote server; else `HQ_VAULT_CACERT`. */
  caFile?: string | undefined;
  /** SHA-256 of the vault's CA certificate; else `HQ_VAULT_FINGERPRINT`. */
  fingerprint?: string | undefined;
  /** Milliseconds until a connection must stand, TLS included. 5,000 unless given. */
  connectTimeout?: number | undefined;
  /** Milliseconds that a request may take, from the call to the last byte of its answer. 60,000 unless given. */
  timeout?: number | undefined;
  /** Why, for the record. */
  reason?: string | undefined;
}

/** All that was decided before anything is opened. `credential` is the one secret here. */
export interface Surroundings {
  target: Target;
  credential: string | undefined;
  /** Such as `token from HQ_VAULT_TOKEN`, for people. */
  identity: string;
  trust: Trust;
  proxy: Proxy;
}

type Env = Record<string, string | undefined>;

/** Decides. The environment is passed in so that tests can pass another. */
export function surroundings(options: VaultOptions, env: Env): Surroundings {
  const dir = vaultDir(options, env);
  const acting = credential(options, env);
  const fingerprint = options.fingerprint ?? (env["HQ_VAULT_FINGERPRINT"] || undefined);
  const place = options.fingerprint === undefined ? "HQ_VAULT_FINGERPRINT" : "the option fingerprint";
  return {
    target: target(options, env, dir),
    credential: acting?.text,
    identity: acting ? `${acting.kind} from ${acting.place}` : "nobody",
    trust: {
      pin: acting?.pin,
      fingerprint: fingerprint === undefined ? undefined : parseFingerprint(fingerprint, place),
      caFile: options.caFile ?? (env["HQ_VAULT_CACERT"] || undefined),
      localCa: dir && join(dir, "ca.pem"),
    },
    proxy: {
      httpsProxy: env["HTTPS_PROXY"] || env["https_proxy"],
      noProxy: env["NO_PROXY"] || env["no_proxy"],
    },
  };
}

interface Acting {
  text: string;
  kind: Kind;
  place: string;
  pin: Buffer | undefined;
}

function credential(options: VaultOptions, env: Env): Acting | undefined {
  const fileOption = (path: string | undefined) => path !== undefined && (() => fromFile(path));
  const text = (value: string | undefined) => value !== undefined && (() => value);
  // One that is given shuts out all that follow; a slip in it is never made good by another identity.
  const ways: [Kind, string, false | (() => string)][] = [
    ["token", "the option token", text(options.token)],
    ["token", "the option tokenFile", fileOption(options.tokenFile)],
    ["session", "the option session", text(options.session)],
    ["token", "HQ_VAULT_TOKEN", text(env["HQ_VAULT_TOKEN"])],
    ["token", "HQ_VAULT_TOKEN_FILE", fileOption(env["HQ_VAULT_TOKEN_FILE"])],
    ["session", "HQ_VAULT_SESSION", text(env["HQ_VAULT_SESSION"])],
  ];
  for (const [kind, place, read] of ways) {
    if (!read) continue;
    const found = String(read()).trim();
    if (found === "") {
      throw new VaultSdkError("UNAUTHORIZED", `the ${kind} from ${place} is empty`, {
        hint: `unset it, or set it to a ${kind}`,
      });
    }
    return { text: found, kind, place, pin: checked(found, kind, place) };
  }
  return undefined;
}

function fromFile(path: string): string {
  if (path.startsWith("hqv_")) throw usage("what should name a token file is itself a token", "put it into a file");
  if (path === "") return "";
  try {
    return readFileSync(path, "latin1").slice(0, 1024);
  } catch (error) {
    throw usage(`cannot read the token file ${shown(path)}: ${(error as NodeJS.ErrnoException).code}`);
  }
}

/** The vault directory, where one can be named. */
function vaultDir(options: VaultOptions, env: Env): string | undefined {
  if (options.vaultDir !== undefined) return absolute(options.vaultDir);
  const named = env["HQ_VAULT_DIR"];
  if (named !== undefined) {
    if (isAbsolute(named)) return absolute(named);
    throw usage(`HQ_VAULT_DIR is not an absolute path: ${shown(named)}`, "set it to an absolute path");
  }
  const home = env["HOME"];
  if (home !== undefined && isAbsolute(home)) return join(home, ".hq-vault");
  try {
    return join(userInfo().homedir, ".hq-vault");
  } catch {
    return undefined;
  }
}

function target(options: VaultOptions, env: Env, dir: string | undefined): Target {
  const url = options.url ?? env["HQ_VAULT_URL"];
  if (url === "") throw usage("the server's URL is empty", "unset HQ_VAULT_URL, or write https://host:port or unix:/path");
  if (url !== undefined) return parse(url);
  const socket = dir && socketOf(dir, env["XDG_RUNTIME_DIR"]);
  if (socket && there(socket)) return { kind: "unix", path: socket };
  const port = dir && portIn(join(dir, "vault.port"));
  if (port) return { kind: "https", host: "localhost", port };
  // A vault that nobody serves: the error should name it.
  if (dir && socket && there(join(dir, "vault.db"))) return { kind: "unix", path: socket };
  return { kind: "https", host: "localhost", port: 13100 };
}

// The longest socket path that every Unix takes.
const SOCKET_PATH_MAX = 103;

/** In the directory, or in $XDG_RUNTIME_DIR where the kernel would not take the first. */
export function socketOf(dir: string, runtime: string | undefined): string | undefined {
  const near = join(dir, "vault.sock");
  if (Buffer.byteLength(near) <= SOCKET_PATH_MAX) return near;
  return runtime && isAbsolute(runtime) ? join(runtime, `hq-vault-${fnv64(dir)}.sock`) : undefined;
}

// FNV-1a: a name, not a protection.
function fnv64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(16).padStart(16, "0");
}

function there(path: string): boolean {
  try {
    return Boolean(lstatSync(path));
  } catch {
    return false;
  }
}

function portIn(path: string): number | undefined {
  try {
    const port = Number(readFileSync(path, "latin1").slice(0, 16).trim());
    return port >= 1 && port <= 65535 && Number.isInteger(port) ? port : undefined;
  } catch {
    return undefined;
  }
}
