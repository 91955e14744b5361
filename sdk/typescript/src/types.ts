// Made from spec/openapi.json by sdk/make_types.py; change it there.

/** What is said about a secret; never its value. */
export interface Metadata {
  /** Empty where none was given. */
  description: string;
  /** Its own variable name. */
  env?: string;
  /** When it should have been replaced (RFC 3339, UTC). */
  expires?: string;
  /** Since when its newest version counts as known to a family that was burnt (RFC 3339, UTC). */
  exposedSince?: string;
  /** The secret's own id, which stays when it moves. */
  id: string;
  /** How the newest value came in. */
  route?: string;
  /** Keys and values, sorted by key. */
  tags: Record<string, string>;
  /** One of the seven types. */
  type: string;
  /** Who wrote the newest value: an ancestry of token names, `owner`, or a program. */
  writtenBy?: string;
}

/** One secret with its value. */
export interface GetAnswer {
  /** When the path was first stored (RFC 3339, UTC). */
  createdAt: string;
  encoding?: "base64";
  /** What is said about it. */
  metadata: Metadata;
  /** The path in its canonical form. */
  path: string;
  /** When its newest version was stored (RFC 3339, UTC). */
  updatedAt: string;
  /** The value: text, or base64 where `encoding` says so. */
  value: string;
  /** The version that this value is. */
  version: number;
}

/** The values, in the order asked for or in the order of the paths. */
export interface BatchAnswer {
  /** Each as a read of one gives it. */
  secrets: GetAnswer[];
}

/** One line of a listing. */
export interface Entry {
  /** When the path was first stored (RFC 3339, UTC). */
  createdAt: string;
  /** What is said about it. */
  metadata: Metadata;
  /** The path. */
  path: string;
  /** When its newest version was stored (RFC 3339, UTC). */
  updatedAt: string;
  /** The newest version. */
  version: number;
}

/** One page of a listing, in order of the paths. */
export interface ListAnswer {
  /** The secrets that the caller may list. */
  entries: Entry[];
  /** Give this as `cursor` for the next page; absent on the last. */
  next?: string;
}

/** What was stored. */
export interface PutAnswer {
  /** Length of the value in bytes. */
  bytes: number;
  /** Whether nothing live stood at the path before. */
  created?: boolean;
  /** What is now said about it. */
  metadata: Metadata;
  /** Always true. */
  ok: boolean;
  /** The path in its canonical form (NFC). */
  path: string;
  /** The version that this value became. */
  version: number;
}

/** What was deleted. */
export interface DeleteAnswer {
  /** One sentence: what is kept, and until when. */
  message: string;
  /** Always true. */
  ok: boolean;
  /** The path. */
  path: string;
  /** Until when they are kept (RFC 3339, UTC); absent after a purge. */
  until?: string;
  /** How many versions are kept. */
  versionsKept?: number;
}

/** What is known of a token; never its text. Null means "none". */
export interface TokenMetadata {
  /** The names from the top of its family to itself, with slashes. */
  ancestry: string;
  /** RFC 3339, UTC. */
  createdAt: string;
  /** RFC 3339, UTC; the earliest end among it and its ancestors. */
  expiresAt: string;
  /** `tok_...`, unique for ever. */
  id: string;
  /** RFC 3339, UTC. */
  lastUsedAt?: string;
  /** Uses that are left to it: what its own limit, its reserve and its ancestors leave. */
  left?: number;
  /** Its own limit. */
  maxUses?: number;
  /** Its own name. */
  name: string;
  /** The id of the token that made it. */
  parent?: string;
  /** How many uses were set aside for it. */
  reserve?: number;
  /** How many of those it has spent. */
  reserveUsed: number;
  /** Its rules, each as `CAPABILITIES on PATTERN`. */
  scope: string[];
  /** How many uses are set aside for those below it. */
  setAside: number;
  /** `live`, `expired`, `exhausted`, `frozen` or `revoked`. */
  state: string;
  /** Uses spent by it and its descendants. */
  useCount: number;
}

/** A new token, or that of an approved ask. Its text is shown here once. */
export interface TokenAnswer {
  /** What it may. */
  metadata: TokenMetadata;
  /** What was cut or supplied, and what to know. */
  notes: string[];
  /** Always true. */
  ok: boolean;
  /** `hqv_` and 71 base64url characters. */
  token: string;
}

/** A token and its family have ended. */
export interface TokenRevoked {
  /** Its ancestry. */
  ancestry: string;
  /** How many live descendants ended with it. */
  descendants: number;
  /** `tok_...` */
  id: string;
  /** One sentence. */
  message: string;
  /** Always true. */
  ok: boolean;
}

/** What a person has stored; never the value. */
export interface EntryStored {
  /** Length of the value in bytes. */
  bytes: number;
  /** Where it stands. */
  path: string;
  /** `ingest-tty`, `ingest-tmux`, `ingest-page` or `answer`. */
  route: string;
  /** One of the seven types. */
  type: string;
  /** The version that it became. */
  version: number;
}

/** An entry, new or joined. */
export interface EntryAnswer {
  /** What a person types after `hq-vault answer`, such as `7F3K-9QXM`. */
  code: string;
  /** When it ends (RFC 3339, UTC). */
  expiresAt: string;
  /** `ent_...` */
  id: string;
  /** Whether it was there before. */
  joined: boolean;
  /** `waiting`, `stored`, `refused` or `expired`. */
  state: string;
  stored?: EntryStored;
  submit?: string;
  url?: string;
}

/** How an entry stands: the answer to a poll. */
export interface EntryState {
  /** `ent_...` */
  id: string;
  /** `waiting`, `stored`, `refused` or `expired`. */
  state: string;
  stored?: EntryStored;
}
