// The CA certificate of a pinned vault, fetched from the vault itself.
//
// This is the only connection that accepts any chain, and the reasons why it may are all in this file: it carries no
// credential and nothing else of the caller's, it reads at most 16 KiB, and what it reads is thrown away unless its
// hash is the one that was promised. An attacker in the middle can only make the call fail.

import * as http from "node:http";
import type { Socket } from "node:net";
import * as tls from "node:tls";
import { connection } from "./error.js";
import { display, hostHeader, type Target } from "./target.js";
import { accepts, parsePem, pem, type Trust } from "./trust.js";

const LIMIT = 16 * 1024;

/** Asks `/v1/ca` over a connection of its own; gives the certificate (PEM) if, and only if, it is the promised one. */
export async function pinnedCa(target: Target, trust: Trust, base: Socket, options: tls.ConnectionOptions): Promise<string> {
  const stream = tls.connect({ ...options, socket: base, rejectUnauthorized: false });
  stream.on("error", () => {});
  try {
    const [certificate, ...more] = parsePem(await ask(target, stream));
    if (certificate && more.length === 0 && accepts(trust, certificate)) return pem(certificate);
  } catch {
    // Whatever went wrong there: it did not prove to be the vault.
  } finally {
    stream.destroy();
  }
  throw connection(`${display(target)} is not the vault that this token or fingerprint belongs to`, {
    hint: "the token was not sent; check HQ_VAULT_URL and where the token comes from",
  });
}

function ask(target: Target, stream: tls.TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { Host: hostHeader(target) };
    const request = http.get({ createConnection: () => stream, path: "/v1/ca", headers });
    // Where the stream is ended from outside (the deadline), neither answer nor error may come.
    request.on("error", reject).on("close", () => reject(new Error("closed")));
    request.on("response", (answer) => {
      let text = "";
      answer.setEncoding("latin1");
      answer.on("data", (part: string) => {
        text += part;
        if (text.length > LIMIT) request.destroy(new Error("too long"));
      });
      answer.on("end", () => (answer.statusCode === 200 ? resolve(text) : reject(new Error("status"))));
      answer.on("error", reject);
    });
  });
}
