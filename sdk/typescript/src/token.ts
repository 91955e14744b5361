// Tokens and sessions as they travel (spec/tokens.md). Reading one finds a slip before anything is sent, and gives
// the pin that the server is held to.

import { VaultSdkError } from "./error.js";

const CHARACTERS = 71;
const PAYLOAD = 49;
const FIRST = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

export type Kind = "token" | "session";

const PREFIX = { token: "hqv_", session: "hqs_" } as const;

/** Which of the faults a text has. */
export type Fault = "not-one" | "cut" | "mistyped" | "version";

/** The pin of a credential, `undefined` where its vault has none, or what is wrong with it. */
export function pinOf(text: string, kind: Kind): { pin: Buffer | undefined } | { fault: Fault } {
  if (!text.startsWith(PREFIX[kind])) return { fault: "not-one" };
  const rest = text.slice(4);
  if (!/^[A-Za-z0-9_-]*$/.test(rest)) return { fault: "mistyped" };
  if (rest.length < CHARACTERS) return { fault: "cut" };
  // 71 characters hold two bits more than 53 bytes: the last character's low two must be zero.
  if (rest.length > CHARACTERS || FIRST.indexOf(rest[CHARACTERS - 1] ?? "") % 4 !== 0) return { fault: "mistyped" };
  const data = Buffer.from(rest, "base64url");
  const payload = data.subarray(0, PAYLOAD);
  const sum = crc32(Buffer.concat([Buffer.from(PREFIX[kind]), payload]));
  const pin = Buffer.from(payload.subarray(33));
  const [version, fits] = [payload[0], sum === data.readUInt32BE(PAYLOAD)];
  data.fill(0);
  if (!fits) return { fault: "mistyped" };
  if (version === 1) return { pin };
  if (version === 2) return pin.every((byte) => byte === 0) ? { pin: undefined } : { fault: "mistyped" };
  return { fault: "version" };
}

/** The pin of a credential from `place`, or the error that says what is wrong with it and never repeats it. */
export function checked(text: string, kind: Kind, place: string): Buffer | undefined {
  const found = pinOf(text, kind);
  if (!("fault" in found)) return found.pin;
  const what = {
    "not-one": `what ${place} holds is not a ${kind}`,
    cut: `the ${kind} from ${place} is cut short`,
    mistyped: `the ${kind} from ${place} is mistyped`,
    version: `the ${kind} from ${place} is of a newer hq-vault`,
  }[found.fault];
  throw new VaultSdkError("UNAUTHORIZED", what, { hint: "nothing was sent; copy it again as a whole" });
}

// IEEE, bit by bit: 53 bytes once for each client need no table, and zlib's own is missing from Node 20.
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
