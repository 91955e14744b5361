// The same objects for `import` as for `require`: one copy, so that `instanceof VaultSdkError` holds across both.

export {
  CreatedToken,
  createToken,
  deleteSecret,
  getSecret,
  getSecretBytes,
  getSecrets,
  ingest,
  listSecrets,
  revokeToken,
  Secrets,
  storeSecret,
  VaultClient,
  VaultSdkError,
  Waiting,
} from "./index.js";
export type {
  DeleteAnswer,
  Entry,
  EntryStored,
  ErrorCode,
  IngestOptions,
  ListOptions,
  Metadata,
  PutAnswer,
  SecretInfo,
  StoreOptions,
  TokenMetadata,
  TokenOptions,
  TokenRevoked,
  VaultOptions,
} from "./index.js";
