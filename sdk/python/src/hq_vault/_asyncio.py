"""asyncio on plain sockets: no transports, so nothing outlives its loop or warns of it."""

import asyncio
import contextlib
import socket
import ssl
from typing import Any, Callable, Coroutine, List, Optional, Tuple, TypeVar, cast

from ._hidden import Hidden
from ._http import Stream
from ._io import is_quiet, look_up

T = TypeVar("T")
_PIECE = 64 * 1024


class AsyncStream:
    def __init__(self, stream: socket.socket, until: float) -> None:
        self.socket = stream
        self.until = until
        self.loop = asyncio.get_running_loop()

    async def write(self, data: Hidden[bytes]) -> None:
        await self.loop.sock_sendall(self.socket, data.reveal())

    async def read(self, most: int) -> Hidden[bytes]:
        return Hidden(await self.loop.sock_recv(self.socket, most))

    def quiet(self) -> bool:
        return self.loop is asyncio.get_running_loop() and is_quiet(self.socket)

    def close(self) -> None:
        self.socket.close()

    # One that is forgotten is closed all the same, and says nothing of it.
    __del__ = close


class TlsStream(AsyncStream):
    """TLS in memory, over the socket. The socket's own ``read`` and ``write`` carry its records."""

    def __init__(self, base: AsyncStream, context: ssl.SSLContext, host: str) -> None:
        super().__init__(base.socket, base.until)
        # It closes the socket when it is forgotten.
        self._base = base
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host)

    def quiet(self) -> bool:
        # What was read along with the last answer, such as the word that the other side has closed, is in here already.
        return super().quiet() and not self._in.pending and not self._tls.pending()

    async def handshake(self) -> None:
        await self._pump(self._tls.do_handshake)

    async def write(self, data: Hidden[bytes]) -> None:
        await self._pump(lambda: self._tls.write(data.reveal()))

    async def read(self, most: int) -> Hidden[bytes]:
        try:
            return await self._pump(lambda: Hidden(self._tls.read(most)))
        except ssl.SSLZeroReturnError:
            return Hidden(b"")

    async def _pump(self, step: Callable[[], T]) -> T:
        """Takes a step of TLS, with the records that it needs and makes."""
        while True:
            done: Optional[Tuple[T]] = None
            try:
                done = (step(),)
            except ssl.SSLWantReadError:
                pass
            if self._out.pending:
                await super().write(Hidden(self._out.read()))
            if done:
                return done[0]
            part = await super().read(_PIECE)
            if part.reveal():
                self._in.write(part.reveal())
            else:
                self._in.write_eof()


class AsyncIo:
    async def within(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        try:
            return await asyncio.wait_for(work, seconds)
        except asyncio.TimeoutError:
            # Before Python 3.11 that is a class of its own.
            pass
        raise TimeoutError

    async def addresses(self, host: str, port: int, until: float) -> List[Tuple[Any, ...]]:
        # Not the loop's own: `asyncio.run` would wait for its threads, however long they take.
        loop = asyncio.get_running_loop()
        answer: "asyncio.Future[List[Tuple[Any, ...]]]" = loop.create_future()

        def take(found: List[Tuple[Any, ...]]) -> None:
            if not answer.done():
                answer.set_result(found)

        def tell(found: List[Tuple[Any, ...]]) -> None:
            # How a loop says that it has been closed meanwhile.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(take, found)

        look_up(host, port, tell)
        return await answer

    async def open(self, family: int, address: Any, until: float) -> Stream:
        stream = socket.socket(family, socket.SOCK_STREAM)
        try:
            stream.setblocking(False)
            await asyncio.get_running_loop().sock_connect(stream, address)
        except BaseException:
            stream.close()
            raise
        return AsyncStream(stream, until)

    async def tls(self, stream: Stream, context: Any, host: str) -> Stream:
        wrapped = TlsStream(cast(AsyncStream, stream), context, host)
        await wrapped.handshake()
        return wrapped

    def socket_of(self, stream: Stream) -> socket.socket:
        return cast(AsyncStream, stream).socket
