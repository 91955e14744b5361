// What the SDK hands out and must not print by accident. The secret stands in a private field, which no console.log,
// util.inspect or JSON.stringify reaches; it is revealed by a call or property that can be searched for.

import { inspect } from "node:util";
import { VaultSdkError } from "./error.js";
import type { GetAnswer, Metadata, TokenMetadata } from "./types.js";

/** What is known of a secret beside its value. */
export interface SecretInfo {
  path: string;
  metadata: Metadata;
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** The bytes of an answer's value. */
export function bytesOf(answer: Pick<GetAnswer, "value" | "encoding">): Uint8Array {
  return new Uint8Array(Buffer.from(answer.value, answer.encoding === "base64" ? "base64" : "utf8"));
}

/** The text of an answer's value, which has one unless it came as base64. */
export function textOf(answer: GetAnswer): string {
  if (answer.encoding !== "base64") return answer.value;
  throw new VaultSdkError("BAD_REQUEST", `the value of ${answer.path} is not text`, {
    hint: "read it as bytes: getSecretBytes, or bytes() of getSecrets",
    sent: true,
  });
}

/** Several secrets, in the order asked for. Prints as its paths. Iterating gives `[path, text]`. */
export class Secrets {
  readonly #answers: Map<string, GetAnswer>;

  constructor(answers: GetAnswer[]) {
    this.#answers = new Map(answers.map((answer) => [answer.path, answer]));
  }

  get size(): number {
    return this.#answers.size;
  }

  paths(): string[] {
    return [...this.#answers.keys()];
  }

  /** The value as text; `undefined` where the path is not among them. */
  get(path: string): string | undefined {
    const found = this.#answers.get(path.normalize("NFC"));
    return found && textOf(found);
  }

  /** The value as bytes. */
  bytes(path: string): Uint8Array | undefined {
    const found = this.#answers.get(path.normalize("NFC"));
    return found && bytesOf(found);
  }

  /** All but the value. */
  info(path: string): SecretInfo | undefined {
    const found = this.#answers.get(path.normalize("NFC"));
    if (!found) return undefined;
    const { metadata, version, createdAt, updatedAt } = found;
    return { path: found.path, metadata, version, createdAt, updatedAt };
  }

  *[Symbol.iterator](): IterableIterator<[string, string]> {
    for (const [path, answer] of this.#answers) yield [path, textOf(answer)];
  }

  toJSON(): { paths: string[] } {
    return { paths: this.paths() };
  }

  [inspect.custom](): string {
    return `Secrets [ ${this.paths().join(", ")} ]`;
  }
}

/** A new token. Its text is the property `token`, which is not printed with the rest. */
export class CreatedToken {
  readonly #token: string;

  constructor(
    token: string,
    readonly metadata: TokenMetadata,
    /** What was cut or supplied, and what to know. */
    readonly notes: string[],
  ) {
    this.#token = token;
  }

  get token(): string {
    return this.#token;
  }
}

/** An entry that waits for a person. Whoever has `url` can enter the value once, so it is not printed with the rest. */
export class Waiting {
  readonly #url: string | undefined;

  constructor(
    readonly path: string,
    /** For `hq-vault answer`. */
    readonly code: string,
    readonly expiresAt: string,
    url: string | undefined,
  ) {
    this.#url = url;
  }

  get url(): string | undefined {
    return this.#url;
  }
}
