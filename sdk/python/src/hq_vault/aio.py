"""The asyncio client, and functions that act through one of each loop, made from the environment when first needed."""

import asyncio
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, Sequence, Type, Union

from ._asyncio import AsyncIo
from ._base import Client
from ._hidden import Hidden
from ._results import CreatedToken, Secrets, Waiting
from ._types import DeleteAnswer, Entry, EntryStored, PutAnswer, TokenRevoked
from ._verbs import KEEP, present


class AsyncVaultClient(Client):
    """One caller's line to one vault. Connections are kept, and tasks of one loop may share it.

    Every argument may be left out; then the variable of the same meaning counts, then the vault directory.
    Timeouts are seconds. A token shuts out a session.
    """

    def _io(self) -> AsyncIo:
        return AsyncIo()

    async def get_secret(self, path: str, *, version: Optional[int] = None) -> str:
        """Reads a value; a use."""
        return await self._verbs.get_secret(path, version)

    async def get_secret_bytes(self, path: str, *, version: Optional[int] = None) -> bytes:
        """Reads a value that may be any bytes; a use."""
        return await self._verbs.get_secret_bytes(path, version)

    async def get_secrets(self, paths: Optional[Sequence[str]] = None, *, prefix: Optional[str] = None) -> Secrets:
        """Reads several in one round trip, as one use: these paths, or all that is readable below a prefix."""
        return await self._verbs.get_secrets(paths, prefix)

    async def store_secret(
        self,
        path: str,
        value: Union[str, bytes],
        *,
        type: Optional[str] = None,
        description: Optional[str] = None,
        tags: Optional[Dict[str, str]] = None,
        expires: Optional[str] = KEEP,
        env: Optional[str] = KEEP,
        if_absent: bool = False,
        if_version: Optional[int] = None,
    ) -> PutAnswer:
        """Stores text or bytes. What is left out keeps what the path had; ``None`` takes ``expires`` and ``env`` away."""
        hidden = Hidden(value)
        del value
        about: Dict[str, Any] = present(type=type, description=description, tags=tags)
        about.update({key: text for key, text in (("expires", expires), ("env", env)) if text is not KEEP})
        return await self._verbs.store_secret(path, hidden, about, if_absent, if_version)

    async def list_secrets(
        self, prefix: str = "", *, type: Optional[str] = None, tag: Optional[str] = None
    ) -> List[Entry]:
        """Lists what may be listed, below a prefix where one is given; never values. ``tag`` is ``key=value``."""
        return await self._verbs.list_secrets(prefix, type, tag)

    async def delete_secret(self, path: str, *, purge: bool = False) -> DeleteAnswer:
        """Deletes; versions are kept 30 days. ``purge``, the owner's, removes them."""
        return await self._verbs.delete_secret(path, purge)

    async def create_token(
        self,
        name: str,
        *,
        ttl: Optional[str] = None,
        max_uses: Optional[int] = None,
        reserve: Optional[int] = None,
        paths: Optional[Sequence[str]] = None,
        can: Optional[Sequence[str]] = None,
        allow: Optional[Sequence[str]] = None,
    ) -> CreatedToken:
        """Makes a token that is no wider than the caller. Without a scope it gets the parent's, less ``delegate``.

        ``reserve`` sets uses aside for it from its parent's; at most ``max_uses``.
        """
        body = present(
            name=name, ttl=ttl, max_uses=max_uses, reserve=reserve, paths=paths, can=can, allow=allow
        )
        return await self._verbs.create_token(body)

    async def revoke_token(self, token: str) -> TokenRevoked:
        """Ends a token and its family, by id or name; ``self`` is the one that asks."""
        return await self._verbs.revoke_token(token)

    async def ingest(
        self,
        path: str,
        *,
        type: Optional[str] = None,
        description: Optional[str] = None,
        overwrite: bool = False,
        timeout: float = 600.0,
        on_waiting: Optional[Callable[[Waiting], None]] = None,
    ) -> EntryStored:
        """Asks a person for a value and waits until it is stored; the value never comes here.

        ``on_waiting`` is told what the person needs. Without it a note goes to standard error.
        """
        body = present(path=path, type=type, description=description, overwrite=overwrite)
        return await self._verbs.ingest(body, timeout, on_waiting)

    async def __aenter__(self) -> "AsyncVaultClient":
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: object, trace: object) -> None:
        self.close()


_standing: Dict[asyncio.AbstractEventLoop, AsyncVaultClient] = {}


def _client() -> AsyncVaultClient:
    loop = asyncio.get_running_loop()
    if loop not in _standing:
        for over in [other for other in _standing if other.is_closed()]:
            _standing.pop(over).close()
        _standing[loop] = AsyncVaultClient()
    return _standing[loop]


def _through(verb: str) -> Any:
    async def call(*given: Any, **named: Any) -> Any:
        # A traceback may print a frame's arguments, and one of these may be a value.
        hidden = Hidden((given, named))
        del given, named
        return await getattr(_client(), verb)(*hidden.reveal()[0], **hidden.reveal()[1])

    call.__name__ = call.__qualname__ = verb
    call.__doc__ = getattr(AsyncVaultClient, verb).__doc__
    return call


if TYPE_CHECKING:
    _typed = AsyncVaultClient()
    get_secret = _typed.get_secret
    get_secret_bytes = _typed.get_secret_bytes
    get_secrets = _typed.get_secrets
    store_secret = _typed.store_secret
    list_secrets = _typed.list_secrets
    delete_secret = _typed.delete_secret
    create_token = _typed.create_token
    revoke_token = _typed.revoke_token
    ingest = _typed.ingest
else:
    get_secret = _through("get_secret")
    get_secret_bytes = _through("get_secret_bytes")
    get_secrets = _through("get_secrets")
    store_secret = _through("store_secret")
    list_secrets = _through("list_secrets")
    delete_secret = _through("delete_secret")
    create_token = _through("create_token")
    revoke_token = _through("revoke_token")
    ingest = _through("ingest")
