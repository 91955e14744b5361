"""The line to one vault: kept connections, a deadline for every call, and nothing sent twice.

A request goes out again only while it certainly has not been sent: where a kept connection turns out to be closed
before a byte was written to it. Anything later is the caller's to decide (``VaultSdkError.sent``), since a use may have
been spent.
"""

import json
import os
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional

from ._connect import Dialer
from ._error import VaultSdkError, connection, shown, usage
from ._hidden import Hidden
from ._http import Answer, Broken, Stream, read_answer, request
from ._io import Io
from ._surroundings import Options, Surroundings

# Room for a value of 1 MiB whose every byte is escaped as six.
LIMIT = 8 << 20
# Idle connections that are kept.
_KEPT = 32


class Call(NamedTuple):
    """One call. ``within`` is for one that may take longer than others, in seconds."""

    method: str
    path: str
    body: Optional[Hidden[Dict[str, Any]]] = None
    headers: Optional[Dict[str, str]] = None
    limit: int = LIMIT
    within: Optional[float] = None


class _Progress:
    sent = False


class Line:
    def __init__(self, io: Io, place: Surroundings, options: Options) -> None:
        self._io = io
        self._target = place.target
        self._within = _seconds(options.timeout)
        self._dialer = Dialer(io, place.target, place.trust, place.proxy, _seconds(options.connect_timeout))
        self._standing = Hidden(_standing(place, options.reason))
        self._idle: List[Stream] = []
        self._pid = os.getpid()

    @property
    def timeout(self) -> float:
        return self._within

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    async def call(self, call: Call) -> Hidden[Any]:
        """Sends a call and reads its answer; one of 300 or above becomes the error that it says."""
        within = self._within if call.within is None else call.within
        progress = _Progress()
        fault: VaultSdkError
        try:
            answer = await self._io.within(self._exchange(call, time.monotonic() + within, progress), within)
        except VaultSdkError as error:
            fault = error
        except TimeoutError:
            fault = VaultSdkError("TIMEOUT", f"{self._target} did not answer in {within:g} s", sent=progress.sent)
        except Broken as error:
            fault = connection(f"{self._target} was not understood: {error}", sent=True)
        except OSError:
            fault = connection(f"{self._target} closed the connection", sent=progress.sent)
        else:
            read = _parsed(answer.body)
            if 200 <= answer.status < 300 and read is not None:
                return read
            fault = _refusal(answer, read)
        # Without the frames below, whose arguments hold what was sent.
        raise fault.with_traceback(None)

    async def _exchange(self, call: Call, until: float, progress: _Progress) -> Answer:
        body = None if call.body is None else _body(call.body)
        headers = Hidden({**self._standing.reveal(), **(call.headers or {})})
        stream = self._kept() or await self._dialer.connect(until - time.monotonic())
        kept = False
        try:
            stream.until = until
            progress.sent = True
            await stream.write(request(call.method, call.path, headers, body))
            answer = await read_answer(stream, call.limit)
            kept = answer.kept
            return answer
        finally:
            # Whatever else comes on a broken one belongs to nobody.
            if kept and len(self._idle) < _KEPT:
                self._idle.append(stream)
            else:
                stream.close()

    def _kept(self) -> Optional[Stream]:
        if self._pid != os.getpid():
            # After a fork these are the parent's.
            self._idle, self._pid = [], os.getpid()
        while self._idle:
            try:
                stream = self._idle.pop()
            except IndexError:
                # Another thread was quicker.
                return None
            if stream.quiet():
                return stream
            stream.close()
        return None


def _standing(place: Surroundings, reason: Optional[str]) -> Dict[str, str]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    headers = {"Host": place.target.host_header, "User-Agent": f"python/{version} hq-vault-sdk"}
    if place.credential is not None:
        headers["Authorization"] = f"Bearer {place.credential.reveal()}"
    if reason:
        headers["X-HQV-Reason"] = _header_text(reason)
    return headers


def _body(body: Hidden[Dict[str, Any]]) -> Hidden[bytes]:
    return Hidden(json.dumps(body.reveal(), separators=(",", ":")).encode("ascii"))


def _parsed(body: Hidden[bytes]) -> Optional[Hidden[Any]]:
    try:
        return Hidden(json.loads(body.reveal().decode("utf-8")))
    except ValueError:
        return None


def _refusal(answer: Answer, read: Optional[Hidden[Any]]) -> VaultSdkError:
    said = read.reveal() if read is not None and isinstance(read.reveal(), dict) else {}
    if answer.status < 300:
        return connection("the answer is not one that this version understands", sent=True)
    if answer.status < 400 or not isinstance(said.get("code"), str) or not isinstance(said.get("error"), str):
        what = "a redirect, which is never followed" if answer.status < 400 else "what no vault sends"
        message = f"what answered is not an HQ Vault: {what} (status {answer.status})"
        return VaultSdkError("CONNECTION_ERROR", message, status_code=answer.status, sent=True)
    text = {key: shown(value) for key, value in said.items() if isinstance(value, str)}
    retry = answer.headers.get("retry-after", "")
    return VaultSdkError(
        text["code"],
        text["error"],
        status_code=answer.status,
        request_id=text.get("requestId"),
        hint=text.get("hint"),
        actor=text.get("actor"),
        retry_after=int(retry) if retry.isdigit() and retry.isascii() else None,
        sent=True,
    )


def _header_text(text: str) -> str:
    """Visible ASCII and blanks stay, everything else is escaped."""
    out = "".join(
        chr(byte) if 0x20 <= byte < 0x7F and byte != 0x25 else f"%{byte:02X}" for byte in text.encode("utf-8", "replace")
    )
    if len(out) > 1024:
        raise usage("the reason is longer than 1,024 bytes")
    return out


def _seconds(value: float) -> float:
    if not 0 < value <= 10**6:
        raise usage("a timeout is a number of seconds above 0")
    return float(value)
