// The line to one vault: kept connections, a deadline for every call, and nothing sent twice.
//
// A request goes out again only while it certainly has not been sent: where a kept connection turns out to be closed
// before a byte was written to it. Anything later is the caller's to decide (`VaultSdkError.sent`), since a use may
// have been spent.

import { isUtf8 } from "node:buffer";
import * as http from "node:http";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { Dialer } from "./connect.js";
import { connection, shown, usage, VaultSdkError, type ErrorCode } from "./error.js";
import type { Surroundings } from "./surroundings.js";
import { display, hostHeader } from "./target.js";

/** One call. */
export interface Call {
  method: "GET" | "PUT" | "POST" | "DELETE";
  /** Path and query, encoded. */
  path: string;
  headers?: Record<string, string>;
  body?: object;
  /** The most that is read of the answer, in bytes. */
  limit?: number;
  /** Milliseconds, where this call may take longer than others. */
  within?: number;
}

/** Room for a value of 1 MiB whose every byte is escaped as six. */
const LIMIT = 8 << 20;
/** An idle connection is closed after this many milliseconds, before servers and what stands between do. */
const IDLE = 60_000;
/** Calls at once; further ones wait, and their deadlines run. */
const MOST = 32;

class Connections extends http.Agent {
  readonly #dialer: Dialer;

  constructor(dialer: Dialer) {
    super({ keepAlive: true, timeout: IDLE });
    this.#dialer = dialer;
  }

  override createConnection(_: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    // A failed connection has no stream to hand over, whatever the types say.
    this.#dialer.connect().then(
      (socket) => done?.(null, socket),
      (error: Error) => done?.(error, undefined as unknown as Duplex),
    );
  }
}

/** Lets so many in at once. An agent's own limit does not count connections that are being made. */
class Gate {
  #room = MOST;
  readonly #waiting = new Set<() => void>();

  /** Whether there was room before the deadline. */
  enter(deadline: number): Promise<boolean> | true {
    if (this.#room > 0) {
      this.#room--;
      return true;
    }
    return new Promise((resolve) => {
      const take = () => {
        clearTimeout(late);
        resolve(this.#waiting.delete(take));
      };
      const late = setTimeout(() => resolve(!this.#waiting.delete(take)), deadline - Date.now());
      this.#waiting.add(take);
    });
  }

  leave(): void {
    const [next] = this.#waiting;
    if (next) next();
    else this.#room++;
  }
}

interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

export class Line {
  readonly #name: string;
  readonly #agent: Connections;
  readonly #gate = new Gate();
  /** When the last answer came. */
  #heard = -Infinity;
  readonly #standing: Record<string, string>;
  readonly #within: number;

  constructor(place: Surroundings, timeout: number, connectTimeout: number, reason: string | undefined) {
    this.#name = shown(display(place.target));
    this.#within = timeout;
    this.#agent = new Connections(new Dialer(place.target, place.trust, place.proxy, connectTimeout));
    this.#standing = {
      Host: hostHeader(place.target),
      "User-Agent": `node/${process.versions.node.split(".")[0]} hq-vault-sdk`,
      ...(place.credential !== undefined && { Authorization: `Bearer ${place.credential}` }),
      ...(reason && { "X-HQV-Reason": headerText(reason) }),
    };
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sends a call and reads its answer; one of 300 or above becomes the error that it says. */
  async call<T>(call: Call): Promise<T> {
    const deadline = Date.now() + (call.within ?? this.#within);
    if (!(await this.#gate.enter(deadline))) throw this.#late(call, false);
    try {
      return (await this.#through(call, deadline)) as T;
    } finally {
      this.#gate.leave();
    }
  }

  #late(call: Call, sent: boolean): VaultSdkError {
    const seconds = (call.within ?? this.#within) / 1000;
    return new VaultSdkError("TIMEOUT", `${this.#name} did not answer in ${seconds} s`, { sent });
  }

  async #through(call: Call, deadline: number): Promise<unknown> {
    if (Date.now() >= deadline) throw this.#late(call, false);
    const body = call.body && Buffer.from(JSON.stringify(call.body));
    // Kept connections that were closed meanwhile say so once the loop has polled: the second turn comes after that.
    if (performance.now() - this.#heard > 1) await setImmediate().then(() => setImmediate());
    let answer: Answer | undefined;
    try {
      while (!answer) answer = await this.#send(call, body, deadline);
    } finally {
      this.#heard = performance.now();
      body?.fill(0);
    }
    if (answer.status < 200 || answer.status > 299) throw refusal(answer);
    const read = parsed(answer.body);
    answer.body.fill(0);
    if (read === undefined) throw connection("the answer is not one that this version understands", { sent: true });
    return read;
  }

  /** One attempt; `undefined` where the kept connection was dead and nothing was sent on it. */
  #send(call: Call, body: Buffer | undefined, deadline: number): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      const request = http.request({ agent: this.#agent, method: call.method, path: call.path, setHost: false });
      let sent = false;
      const fail = (error: VaultSdkError) => {
        clearTimeout(timer);
        reject(error);
        request.destroy();
      };
      const timer = setTimeout(
        () => fail(this.#late(call, sent)),
        Math.max(0, deadline - Date.now()),
      );
      // Not in the options: what debugs Node's http prints those.
      const headers = { ...this.#standing, ...(body && { "Content-Type": "application/json" }), ...call.headers };
      for (const [key, value] of Object.entries(headers)) request.setHeader(key, value);
      request.on("socket", (socket) => {
        if (request.reusedSocket && (socket.destroyed || !socket.writable || socket.readableEnded)) {
          clearTimeout(timer);
          resolve(undefined);
          request.destroy();
        }
        sent = true;
      });
      // An error of ours comes from connecting. Node's own may only be told apart by whether there was a socket.
      request.on("error", (error) => {
        fail(error instanceof VaultSdkError ? error : connection(`${this.#name} closed the connection`, { sent }));
      });
      let answered = false;
      request.on("close", () => answered || fail(connection(`${this.#name} closed the connection`, { sent })));
      request.on("response", (answer) => {
        answered = true;
        collect(answer, call.limit ?? LIMIT).then((whole) => (clearTimeout(timer), resolve(whole)), fail);
      });
      request.end(body);
    });
  }
}

function collect(answer: http.IncomingMessage, limit: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    answer.on("data", (part: Buffer) => {
      parts.push(part);
      length += part.length;
      if (length > limit) reject(connection(`the answer is longer than ${limit} bytes`, { sent: true }));
    });
    answer.on("end", () => {
      resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(parts) });
    });
    // Comes after a whole answer too, when an error with its stack would be made for nothing.
    answer.on("close", () => answer.complete || reject(connection("the answer broke off", { sent: true })));
    answer.on("error", () => reject(connection("the answer broke off", { sent: true })));
  });
}

/** What an answer of JSON says. A fault's own words could quote the body, which may hold a value. */
function parsed(body: Buffer): unknown {
  try {
    return isUtf8(body) ? JSON.parse(body.toString("utf8")) : undefined;
  } catch {
    return undefined;
  }
}

function refusal(answer: Answer): VaultSdkError {
  const said = parsed(answer.body) as Record<string, unknown> | undefined;
  const statusCode = answer.status;
  if (statusCode < 400 || typeof said?.["code"] !== "string" || typeof said["error"] !== "string") {
    const what = statusCode >= 300 && statusCode < 400 ? "a redirect, which is never followed" : "what no vault sends";
    return connection(`what answered is not an HQ Vault: ${what} (status ${statusCode})`, { statusCode, sent: true });
  }
  const text = (key: string) => (typeof said[key] === "string" ? shown(said[key]) : undefined);
  const retryAfter = /^\d+$/.test(answer.headers["retry-after"] ?? "") ? Number(answer.headers["retry-after"]) : undefined;
  return new VaultSdkError(shown(said["code"]) as ErrorCode, shown(said["error"]), {
    statusCode,
    requestId: text("requestId"),
    hint: text("hint"),
    actor: text("actor"),
    retryAfter,
    sent: true,
  });
}

/** A text for a header: visible ASCII and blanks stay, everything else is escaped. */
function headerText(text: string): string {
  const escape = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  const kept = (byte: number) => byte >= 0x20 && byte < 0x7f && byte !== 0x25;
  const out = [...Buffer.from(text)].map((byte) => (kept(byte) ? String.fromCharCode(byte) : escape(byte))).join("");
  if (out.length > 1024) throw usage("the reason is longer than 1,024 bytes");
  return out;
}
