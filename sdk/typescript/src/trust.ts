// Whom to trust, before anything is sent: a pin or fingerprint before all else, then a CA file, the vault's own
// ca.pem for a loopback address, the system. Nothing turns that off.

import { createHash, X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import * as tls from "node:tls";
import { shown, usage } from "./error.js";

/** What the caller knows of the server. */
export interface Trust {
  /** From the token: the first 16 bytes of SHA-256 over the CA certificate. */
  pin?: Buffer | undefined;
  /** The whole hash. */
  fingerprint?: Buffer | undefined;
  caFile?: string | undefined;
  /** The `ca.pem` of the vault directory; for a loopback address only. */
  localCa?: string | undefined;
}

/** Certificates to trust; `pinned` without any means: fetch the one that has the promised hash. */
export type Anchor = { kind: "roots"; certificates: string[] } | { kind: "fetch" };

export function anchor(trust: Trust, loopback: boolean): Anchor {
  const local = loopback && trust.localCa !== undefined && exists(trust.localCa) ? trust.localCa : undefined;
  if (trust.pin || trust.fingerprint) {
    // A file that happens to hold the promised certificate saves a round trip. Whether it can be read, or holds
    // another, decides nothing.
    const files = [local, trust.caFile].filter((file) => file !== undefined);
    const found = files.flatMap((file) => quietly(file)).find((der) => accepts(trust, der));
    return found ? { kind: "roots", certificates: [pem(found)] } : { kind: "fetch" };
  }
  const file = trust.caFile ?? local;
  return { kind: "roots", certificates: file === undefined ? systemRoots() : readPem(file).map(pem) };
}

/** Whether a certificate (DER) has every hash that was promised. */
export function accepts(trust: Trust, der: Buffer): boolean {
  const hash = createHash("sha256").update(der).digest();
  const pin = !trust.pin || hash.subarray(0, 16).equals(trust.pin);
  return Boolean(trust.pin || trust.fingerprint) && pin && (!trust.fingerprint || hash.equals(trust.fingerprint));
}

/** Reads `sha256:` and 64 hexadecimal digits; colons between bytes and a missing `sha256:` are accepted. */
export function parseFingerprint(text: string, place: string): Buffer {
  const hex = text.trim().replace(/^sha256:/i, "").replaceAll(":", "");
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw usage(`${place}: a fingerprint is sha256: and 64 hexadecimal digits`, "hq-vault status");
  }
  return Buffer.from(hex, "hex");
}

/** All certificates (DER) of a PEM text; none where one is broken. */
export function parsePem(text: string): Buffer[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const whole = blocks.length === (text.match(/-----BEGIN CERTIFICATE-----/g) ?? []).length;
  const bodies = blocks.map((block) => block.replace(/-----[A-Z ]*-----/g, "").replace(/\s/g, ""));
  if (!whole || !bodies.every((body) => /^[A-Za-z0-9+/]+={0,2}$/.test(body))) return [];
  return bodies.map((body) => Buffer.from(body, "base64"));
}

export function pem(der: Buffer): string {
  const lines = der.toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function readPem(path: string): Buffer[] {
  const unreadable = (why: string) => usage(`cannot read the CA file ${shown(path)}: ${why}`);
  let text: string;
  try {
    const size = statSync(path);
    if (!size.isFile() || size.size > 1 << 20) throw unreadable("not a file of at most 1 MiB");
    text = readFileSync(path, "latin1");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw code === "BAD_REQUEST" ? error : unreadable(String(code));
  }
  const found = parsePem(text);
  // A block of PEM may hold anything.
  if (found.length === 0 || !found.every(isCertificate)) throw usage(`no certificate stands in the CA file ${shown(path)}`);
  return found;
}

function isCertificate(der: Buffer): boolean {
  try {
    return Boolean(new X509Certificate(der));
  } catch {
    return false;
  }
}

function quietly(path: string): Buffer[] {
  try {
    return readPem(path);
  } catch {
    return [];
  }
}

function exists(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

// Node's own list with NODE_EXTRA_CA_CERTS, and the system's store where this Node can read it (22.15 and later).
function systemRoots(): string[] {
  const get = (tls as { getCACertificates?: (kind: string) => string[] }).getCACertificates;
  return get ? [...get("default"), ...get("system")] : [];
}
