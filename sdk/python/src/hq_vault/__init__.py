"""Reads and writes secrets of an HQ Vault: blocking here, for asyncio in ``hq_vault.aio``."""

from ._error import VaultSdkError
from ._results import CreatedToken, SecretInfo, Secrets, Waiting
from ._types import DeleteAnswer, Entry, EntryStored, Metadata, PutAnswer, TokenMetadata, TokenRevoked
from .client import (
    VaultClient,
    create_token,
    delete_secret,
    get_secret,
    get_secret_bytes,
    get_secrets,
    ingest,
    list_secrets,
    revoke_token,
    store_secret,
)

__all__ = [
    "CreatedToken",
    "DeleteAnswer",
    "Entry",
    "EntryStored",
    "Metadata",
    "PutAnswer",
    "SecretInfo",
    "Secrets",
    "TokenMetadata",
    "TokenRevoked",
    "VaultClient",
    "VaultSdkError",
    "Waiting",
    "create_token",
    "delete_secret",
    "get_secret",
    "get_secret_bytes",
    "get_secrets",
    "ingest",
    "list_secrets",
    "revoke_token",
    "store_secret",
]
