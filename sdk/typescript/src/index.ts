// The functions act through one client, made from the environment when it is first needed.

import { VaultClient } from "./client.js";

export { VaultClient } from "./client.js";
export type { IngestOptions, ListOptions, StoreOptions, TokenOptions } from "./client.js";
export { VaultSdkError } from "./error.js";
export type { ErrorCode } from "./error.js";
export { CreatedToken, Secrets, Waiting } from "./hidden.js";
export type { SecretInfo } from "./hidden.js";
export type { VaultOptions } from "./surroundings.js";
export type { DeleteAnswer, Entry, EntryStored, Metadata, PutAnswer, TokenMetadata, TokenRevoked } from "./types.js";

let standing: VaultClient | undefined;

type Verb = Exclude<keyof VaultClient, "close" | "toJSON" | symbol>;

// Async, so that a fault in the environment is a rejection too.
const through =
  <V extends Verb>(verb: V) =>
  async (...given: Parameters<VaultClient[V]>): Promise<Awaited<ReturnType<VaultClient[V]>>> => {
    standing ??= new VaultClient();
    return (standing[verb] as (...all: unknown[]) => Promise<never>)(...given);
  };

/** {@link VaultClient.getSecret} of the client that the environment describes. */
export const getSecret = through("getSecret");
/** {@link VaultClient.getSecretBytes} of the client that the environment describes. */
export const getSecretBytes = through("getSecretBytes");
/** {@link VaultClient.getSecrets} of the client that the environment describes. */
export const getSecrets = through("getSecrets");
/** {@link VaultClient.storeSecret} of the client that the environment describes. */
export const storeSecret = through("storeSecret");
/** {@link VaultClient.listSecrets} of the client that the environment describes. */
export const listSecrets = through("listSecrets");
/** {@link VaultClient.deleteSecret} of the client that the environment describes. */
export const deleteSecret = through("deleteSecret");
/** {@link VaultClient.createToken} of the client that the environment describes. */
export const createToken = through("createToken");
/** {@link VaultClient.revokeToken} of the client that the environment describes. */
export const revokeToken = through("revokeToken");
/** {@link VaultClient.ingest} of the client that the environment describes. */
export const ingest = through("ingest");
