"""The calls, once for both kinds of client: each builds a request and renders an answer. There are no rules here."""

import base64
import os
import re
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Sequence, Union, cast
from urllib.parse import quote, urlencode

from . import _types as t
from ._error import VaultSdkError, shown, usage
from ._hidden import Hidden
from ._io import Io
from ._line import Call, Line
from ._results import CreatedToken, Secrets, Waiting, bytes_of, text_of
from ._surroundings import Options, surroundings

# A batch holds at most 16 MiB of values, whose every byte may be escaped as six.
_BATCH_LIMIT = 128 << 20
_HALVES = re.compile("[\ud800-\udfff]")
# Seconds that one poll waits.
_POLL = 25
KEEP: Any = object()
"""For what ``None`` would take away: keep it as it is."""


class Verbs:
    def __init__(self, io: Io, options: Options) -> None:
        place = surroundings(options, os.environ)
        self.line = Line(io, place, options)
        self.about = f"server={str(place.target)!r}, identity={place.identity!r}"

    async def get_secret(self, path: str, version: Optional[int]) -> str:
        return text_of(await self._get(path, version))

    async def get_secret_bytes(self, path: str, version: Optional[int]) -> bytes:
        return bytes_of(await self._get(path, version))

    async def get_secrets(self, paths: Optional[Sequence[str]], prefix: Optional[str]) -> Secrets:
        if isinstance(paths, str) or (paths is None) == (prefix is None):
            raise usage("either a list of paths or a prefix is needed")
        body: Dict[str, Any] = {"prefix": prefix} if paths is None else {"paths": list(paths)}
        answer = await self.line.call(Call("POST", "/v1/secrets:batch", Hidden(body), limit=_BATCH_LIMIT))
        return Secrets(Hidden(answer.reveal()["secrets"]))

    async def store_secret(
        self,
        path: str,
        value: Hidden[Union[str, bytes]],
        about: Dict[str, Any],
        if_absent: bool,
        if_version: Optional[int],
    ) -> t.PutAnswer:
        headers = {"If-None-Match": "*"} if if_absent else {}
        if if_version is not None:
            headers["If-Match"] = f'"{int(if_version)}"'
        body = Hidden({**_written(value).reveal(), **about})
        return cast(t.PutAnswer, (await self.line.call(Call("PUT", _at(path), body, headers))).reveal())

    async def list_secrets(self, prefix: str, type: Optional[str], tag: Optional[str]) -> List[t.Entry]:
        entries: List[t.Entry] = []
        query = {"limit": "1000", "prefix": prefix, "type": type or "", "tag": tag or ""}
        while True:
            text = urlencode({key: value for key, value in query.items() if value}, quote_via=quote, errors="replace")
            page = (await self.line.call(Call("GET", f"/v1/secrets?{text}"))).reveal()
            entries += page["entries"]
            if not page.get("next") or page["next"] == query.get("cursor"):
                return entries
            query["cursor"] = page["next"]

    async def delete_secret(self, path: str, purge: bool) -> t.DeleteAnswer:
        call = Call("DELETE", _at(path) + ("?purge=true" if purge else ""))
        return cast(t.DeleteAnswer, (await self.line.call(call)).reveal())

    async def create_token(self, body: Dict[str, Any]) -> CreatedToken:
        made = await self.line.call(Call("POST", "/v1/tokens", Hidden(body)))
        return CreatedToken(Hidden(made.reveal()["token"]), made.reveal()["metadata"], made.reveal()["notes"])

    async def revoke_token(self, token: str) -> t.TokenRevoked:
        if not token:
            raise usage("a token's id or name is needed")
        call = Call("DELETE", f"/v1/tokens/{_quoted(token, '')}")
        return cast(t.TokenRevoked, (await self.line.call(call)).reveal())

    async def ingest(
        self, body: Dict[str, Any], timeout: float, on_waiting: Optional[Callable[[Waiting], None]]
    ) -> t.EntryStored:
        until = time.monotonic() + timeout
        body = {**body, "program": "python", "directory": os.getcwd()[:256]}
        opened = await self.line.call(Call("POST", "/v1/entries", Hidden(body)))
        if opened.reveal()["state"] == "waiting":
            (on_waiting or _tell)(_waiting(body["path"], opened))
        now = cast(t.EntryState, {key: opened.reveal()[key] for key in ("state", "stored") if key in opened.reveal()})
        poll = f"/v1/entries/{_quoted(opened.reveal()['id'], '')}?wait="
        while now["state"] == "waiting":
            left = int(until - time.monotonic() + 0.999)
            if left <= 0:
                raise VaultSdkError("TIMEOUT", "nobody entered the value in time", hint=_AGAIN, sent=True)
            wait = min(_POLL, left)
            now = (await self.line.call(Call("GET", f"{poll}{wait}", within=wait + self.line.timeout))).reveal()
        if now["state"] == "stored" and "stored" in now:
            return now["stored"]
        if now["state"] == "refused":
            raise VaultSdkError("FORBIDDEN", "the person refused to enter the value", sent=True)
        raise VaultSdkError("TIMEOUT", "the entry has expired", hint=_AGAIN, sent=True)

    async def _get(self, path: str, version: Optional[int]) -> Hidden[t.GetAnswer]:
        query = "" if version is None else f"?version={int(version)}"
        return await self.line.call(Call("GET", _at(path) + query))


def verbs(io: Io, options: Hidden[Options]) -> Verbs:
    """Decides where the vault is and who asks. A fault comes without the frames that decided."""
    try:
        return Verbs(io, options.reveal())
    except VaultSdkError as error:
        fault = error
    raise fault.with_traceback(None)


_AGAIN = "call it again: it joins what is still open"


def present(**given: Any) -> Dict[str, Any]:
    """What was given; ``None`` counts as absent."""
    return {key: value for key, value in given.items() if value is not None}


def _waiting(path: str, opened: Hidden[t.EntryAnswer]) -> Waiting:
    url = Hidden(opened.reveal()["url"]) if opened.reveal().get("url") else None
    return Waiting(path, opened.reveal()["code"], opened.reveal()["expiresAt"], url)


def _tell(waiting: Waiting) -> None:
    print(f"waiting for the value of {shown(waiting.path)}\n  hq-vault answer {waiting.code}", file=sys.stderr)
    if waiting.url:
        print(f"  or open {waiting.url}", file=sys.stderr)


def _written(value: Hidden[Union[str, bytes]]) -> Hidden[Dict[str, Any]]:
    if isinstance(value.reveal(), (bytes, bytearray, memoryview)):
        encoded = Hidden(base64.b64encode(cast(bytes, value.reveal())).decode())
        return Hidden({"value": encoded.reveal(), "encoding": "base64"})
    if not isinstance(value.reveal(), str):
        raise usage("a value is str or bytes")
    # Half a surrogate pair is no text, and no byte of it may be changed silently.
    if _HALVES.search(cast(str, value.reveal())):
        raise usage("the value is not well-formed Unicode")
    return Hidden({"value": value.reveal()})


def _at(path: str) -> str:
    if not path:
        raise usage("a path is needed")
    return f"/v1/secrets/{_quoted(path, '/')}"


def _quoted(text: str, safe: str) -> str:
    try:
        return quote(text, safe=safe)
    except UnicodeEncodeError:
        pass
    raise usage("the path is not well-formed Unicode")
