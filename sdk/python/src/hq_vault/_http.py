"""HTTP/1.1, as much of it as one client of one API needs. The bytes are the platform's business (``Stream``).

Nothing that was sent or read stands in a local variable of a frame that may raise: a traceback may print those.
"""

from typing import Dict, Optional, Protocol

from ._hidden import Hidden

_HEAD = 64 * 1024
_PIECE = 64 * 1024


class Broken(Exception):
    """What came is no answer, or not all of it."""


class Stream(Protocol):
    """A connection. ``until`` is the moment (monotonic) at which a blocking one gives up."""

    until: float

    async def write(self, data: Hidden[bytes]) -> None: ...
    async def read(self, most: int) -> Hidden[bytes]: ...
    def quiet(self) -> bool:
        """Whether it is open with nothing to read: then it may carry another request."""
        ...

    def close(self) -> None: ...


class Answer:
    """A status, headers (names in lower case) and a body; whether the connection may be kept."""

    def __init__(self, status: int, headers: Dict[str, str]) -> None:
        self.status = status
        self.headers = headers
        self.body: Hidden[bytes] = Hidden(b"")
        self.kept = False


def request(method: str, path: str, headers: Hidden[Dict[str, str]], body: Optional[Hidden[bytes]]) -> Hidden[bytes]:
    """A request's bytes. Neither path nor headers hold a line's end: they were encoded."""
    head = Hidden([f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.reveal().items())])
    if body is not None:
        head = Hidden([*head.reveal(), "Content-Type: application/json", f"Content-Length: {len(body.reveal())}"])
    return Hidden("\r\n".join([*head.reveal(), "", ""]).encode("ascii") + (body.reveal() if body else b""))


async def read_answer(stream: Stream, limit: int) -> Answer:
    """Reads one answer, of at most ``limit`` bytes."""
    reader = _Reader(stream)
    answer = await reader.head()
    while 100 <= answer.status < 200 and answer.status != 101:
        answer = await reader.head()
    length = answer.headers.get("content-length")
    chunked = answer.headers.get("transfer-encoding")
    if answer.status == 101 or (chunked and (length or chunked.lower() != "chunked")):
        raise Broken("it is not framed as an answer is")
    if length is not None and not (length.isdigit() and length.isascii()):
        raise Broken("its length is not a number")
    bounded = True
    if answer.status in (204, 304):
        pass
    elif chunked:
        await reader.chunks(limit)
    elif length is not None:
        await reader.exactly(int(length), limit)
    else:
        bounded = False
        await reader.to_the_end(limit)
    answer.body = reader.body()
    answer.kept = bounded and reader.spent() and answer.headers.get("connection", "").lower() != "close"
    return answer


class _Reader:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._held = bytearray()
        self._body = bytearray()

    async def head(self) -> Answer:
        while b"\r\n\r\n" not in self._held:
            if len(self._held) > _HEAD:
                raise Broken("its head is too long")
            await self._more()
        end = self._held.index(b"\r\n\r\n")
        first, *lines = bytes(self._held[:end]).decode("latin-1").split("\r\n")
        del self._held[: end + 4]
        parts = first.split(" ", 2)
        if len(parts) < 2 or parts[0] not in ("HTTP/1.1", "HTTP/1.0") or not _is_status(parts[1]):
            raise Broken("it does not begin as an answer does")
        headers: Dict[str, str] = {}
        if parts[0] == "HTTP/1.0":
            headers["connection"] = "close"
        for line in lines:
            name, colon, value = line.partition(":")
            if not colon or name.strip() != name:
                raise Broken("one of its headers is none")
            if headers.setdefault(name.lower(), value.strip()) != value.strip() and name.lower() == "content-length":
                raise Broken("it has two lengths")
        return Answer(int(parts[1]), headers)

    async def exactly(self, length: int, limit: int) -> None:
        if length + len(self._body) > limit:
            raise Broken(f"it is longer than {limit} bytes")
        end = len(self._body) + length
        while len(self._body) < end:
            if not self._held:
                await self._more()
            take = min(len(self._held), end - len(self._body))
            self._body += self._held[:take]
            del self._held[:take]

    async def chunks(self, limit: int) -> None:
        while True:
            size = (await self._line()).split(";")[0].strip()
            if not size or len(size) > 8 or set(size.lower()) - set("0123456789abcdef"):
                raise Broken("a chunk has no size")
            if int(size, 16) == 0:
                break
            await self.exactly(int(size, 16), limit)
            if await self._line():
                raise Broken("a chunk is longer than it says")
        while await self._line():
            pass

    async def to_the_end(self, limit: int) -> None:
        try:
            while len(self._held) <= limit:
                await self._more()
        except Broken:
            self._body, self._held = self._held, bytearray()
            return
        raise Broken(f"it is longer than {limit} bytes")

    def body(self) -> Hidden[bytes]:
        return Hidden(bytes(self._body))

    def spent(self) -> bool:
        return not self._held

    async def _line(self) -> str:
        while b"\r\n" not in self._held:
            if len(self._held) > _HEAD:
                raise Broken("a line is too long")
            await self._more()
        end = self._held.index(b"\r\n")
        line = bytes(self._held[:end]).decode("latin-1")
        del self._held[: end + 2]
        return line

    async def _more(self) -> None:
        part = await self._stream.read(_PIECE)
        if not part.reveal():
            raise Broken("it broke off")
        self._held += part.reveal()


def _is_status(text: str) -> bool:
    return len(text) == 3 and text.isdigit() and text.isascii()
