// What can go wrong, in the words of the contract: the server's codes, and two of our own.

/** The stable codes. The last two are the SDK's own: not reached or not to be trusted, and too slow. */
export type ErrorCode =
  | "BAD_REQUEST"
  | "TOO_LARGE"
  | "UNAUTHORIZED"
  | "TOKEN_EXPIRED"
  | "TOKEN_EXHAUSTED"
  | "TOKEN_REVOKED"
  | "VAULT_LOCKED"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "CONFLICT"
  | "RATE_LIMITED"
  | "INTERNAL"
  | "UNAVAILABLE"
  | "CONNECTION_ERROR"
  | "TIMEOUT";

/** What is known beside the code and the sentence. */
export interface ErrorFacts {
  statusCode?: number | undefined;
  requestId?: string | undefined;
  hint?: string | undefined;
  actor?: string | undefined;
  retryAfter?: number | undefined;
  sent?: boolean;
}

/** A refused or failed call. It never holds a value, a token or a cause that could. */
export class VaultSdkError extends Error {
  /** For a program. */
  readonly code: ErrorCode;
  /** The HTTP status, where there was an answer. */
  declare readonly statusCode?: number;
  /** The request's id, which its audit record bears too. */
  declare readonly requestId?: string;
  /** What to do next. */
  declare readonly hint?: string;
  /** Who was refused: a token's path of names, where the vault knew the caller. */
  declare readonly actor?: string;
  /** Seconds to wait, where the vault said so. */
  declare readonly retryAfter?: number;
  /** Whether the request may have reached the vault. Where it did not, calling again is safe. */
  readonly sent: boolean;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}) {
    super(message);
    const { sent = false, ...rest } = facts;
    this.code = code;
    Object.assign(this, Object.fromEntries(Object.entries(rest).filter(([, fact]) => fact !== undefined)));
    this.sent = sent;
  }

  override get name(): string {
    return "VaultSdkError";
  }
}

/** What the caller gave us cannot be meant. Nothing was sent. */
export function usage(message: string, hint?: string): VaultSdkError {
  return new VaultSdkError("BAD_REQUEST", message, { hint });
}

/** The server was not reached, or is not to be trusted. */
export function connection(message: string, facts: ErrorFacts = {}): VaultSdkError {
  return new VaultSdkError("CONNECTION_ERROR", message, facts);
}

// C0, C1, line separators and what turns the direction of text: none may move the cursor of a terminal.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** A text from outside, as a person may be shown it. */
export function shown(text: string): string {
  return text.replace(CONTROLS, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
}
