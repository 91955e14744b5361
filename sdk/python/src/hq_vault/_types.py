"""Made from spec/openapi.json by sdk/make_types.py; change it there."""

from typing import Dict, List, Literal, TypedDict


class _Metadata(TypedDict):
    description: str
    """Empty where none was given."""
    id: str
    """The secret's own id, which stays when it moves."""
    tags: Dict[str, str]
    """Keys and values, sorted by key."""
    type: str
    """One of the seven types."""


class Metadata(_Metadata, total=False):
    """What is said about a secret; never its value."""

    env: str
    """Its own variable name."""
    expires: str
    """When it should have been replaced (RFC 3339, UTC)."""
    exposedSince: str
    """Since when its newest version counts as known to a family that was burnt (RFC 3339, UTC)."""
    route: str
    """How the newest value came in."""
    writtenBy: str
    """Who wrote the newest value: an ancestry of token names, `owner`, or a program."""


class _GetAnswer(TypedDict):
    createdAt: str
    """When the path was first stored (RFC 3339, UTC)."""
    metadata: Metadata
    """What is said about it."""
    path: str
    """The path in its canonical form."""
    updatedAt: str
    """When its newest version was stored (RFC 3339, UTC)."""
    value: str
    """The value: text, or base64 where `encoding` says so."""
    version: int
    """The version that this value is."""


class GetAnswer(_GetAnswer, total=False):
    """One secret with its value."""

    encoding: Literal["base64"]


class BatchAnswer(TypedDict):
    """The values, in the order asked for or in the order of the paths."""

    secrets: List[GetAnswer]
    """Each as a read of one gives it."""


class Entry(TypedDict):
    """One line of a listing."""

    createdAt: str
    """When the path was first stored (RFC 3339, UTC)."""
    metadata: Metadata
    """What is said about it."""
    path: str
    """The path."""
    updatedAt: str
    """When its newest version was stored (RFC 3339, UTC)."""
    version: int
    """The newest version."""


class _ListAnswer(TypedDict):
    entries: List[Entry]
    """The secrets that the caller may list."""


class ListAnswer(_ListAnswer, total=False):
    """One page of a listing, in order of the paths."""

    next: str
    """Give this as `cursor` for the next page; absent on the last."""


class _PutAnswer(TypedDict):
    bytes: int
    """Length of the value in bytes."""
    metadata: Metadata
    """What is now said about it."""
    ok: bool
    """Always true."""
    path: str
    """The path in its canonical form (NFC)."""
    version: int
    """The version that this value became."""


class PutAnswer(_PutAnswer, total=False):
    """What was stored."""

    created: bool
    """Whether nothing live stood at the path before."""


class _DeleteAnswer(TypedDict):
    message: str
    """One sentence: what is kept, and until when."""
    ok: bool
    """Always true."""
    path: str
    """The path."""


class DeleteAnswer(_DeleteAnswer, total=False):
    """What was deleted."""

    until: str
    """Until when they are kept (RFC 3339, UTC); absent after a purge."""
    versionsKept: int
    """How many versions are kept."""


class _TokenMetadata(TypedDict):
    ancestry: str
    """The names from the top of its family to itself, with slashes."""
    createdAt: str
    """RFC 3339, UTC."""
    expiresAt: str
    """RFC 3339, UTC; the earliest end among it and its ancestors."""
    id: str
    """`tok_...`, unique for ever."""
    name: str
    """Its own name."""
    reserveUsed: int
    """How many of those it has spent."""
    scope: List[str]
    """Its rules, each as `CAPABILITIES on PATTERN`."""
    setAside: int
    """How many uses are set aside for those below it."""
    state: str
    """`live`, `expired`, `exhausted`, `frozen` or `revoked`."""
    useCount: int
    """Uses spent by it and its descendants."""


class TokenMetadata(_TokenMetadata, total=False):
    """What is known of a token; never its text. Null means "none"."""

    lastUsedAt: str
    """RFC 3339, UTC."""
    left: int
    """Uses that are left to it: what its own limit, its reserve and its ancestors leave."""
    maxUses: int
    """Its own limit."""
    parent: str
    """The id of the token that made it."""
    reserve: int
    """How many uses were set aside for it."""


class TokenAnswer(TypedDict):
    """A new token, or that of an approved ask. Its text is shown here once."""

    metadata: TokenMetadata
    """What it may."""
    notes: List[str]
    """What was cut or supplied, and what to know."""
    ok: bool
    """Always true."""
    token: str
    """`hqv_` and 71 base64url characters."""


class TokenRevoked(TypedDict):
    """A token and its family have ended."""

    ancestry: str
    """Its ancestry."""
    descendants: int
    """How many live descendants ended with it."""
    id: str
    """`tok_...`"""
    message: str
    """One sentence."""
    ok: bool
    """Always true."""


class EntryStored(TypedDict):
    """What a person has stored; never the value."""

    bytes: int
    """Length of the value in bytes."""
    path: str
    """Where it stands."""
    route: str
    """`ingest-tty`, `ingest-tmux`, `ingest-page` or `answer`."""
    type: str
    """One of the seven types."""
    version: int
    """The version that it became."""


class _EntryAnswer(TypedDict):
    code: str
    """What a person types after `hq-vault answer`, such as `7F3K-9QXM`."""
    expiresAt: str
    """When it ends (RFC 3339, UTC)."""
    id: str
    """`ent_...`"""
    joined: bool
    """Whether it was there before."""
    state: str
    """`waiting`, `stored`, `refused` or `expired`."""


class EntryAnswer(_EntryAnswer, total=False):
    """An entry, new or joined."""

    stored: EntryStored
    submit: str
    url: str


class _EntryState(TypedDict):
    id: str
    """`ent_...`"""
    state: str
    """`waiting`, `stored`, `refused` or `expired`."""


class EntryState(_EntryState, total=False):
    """How an entry stands: the answer to a poll."""

    stored: EntryStored
