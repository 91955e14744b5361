"""Blocking sockets. The methods are coroutines that never wait, so that one text serves both kinds of client."""

import queue
import socket
from typing import Any, Coroutine, List, Tuple, TypeVar, cast

from ._hidden import Hidden
from ._http import Stream
from ._io import is_quiet, left, look_up

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs such a coroutine to its end."""
    try:
        work.send(None)
    except StopIteration as end:
        return cast(T, end.value)
    raise RuntimeError("a blocking call waited for a loop")


class BlockingStream:
    def __init__(self, stream: socket.socket, until: float) -> None:
        self.socket = stream
        self.until = until

    async def write(self, data: Hidden[bytes]) -> None:
        self.socket.settimeout(left(self.until))
        self.socket.sendall(data.reveal())

    async def read(self, most: int) -> Hidden[bytes]:
        self.socket.settimeout(left(self.until))
        return Hidden(self.socket.recv(most))

    def quiet(self) -> bool:
        return is_quiet(self.socket)

    def close(self) -> None:
        self.socket.close()

    # One that is forgotten is closed all the same, and says nothing of it.
    __del__ = close


class BlockingIo:
    async def within(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        # Each read and write minds `until`.
        try:
            return await work
        except socket.timeout:
            # Python 3.9 has a class of its own for it.
            pass
        raise TimeoutError

    async def addresses(self, host: str, port: int, until: float) -> List[Tuple[Any, ...]]:
        answer: "queue.SimpleQueue[List[Tuple[Any, ...]]]" = queue.SimpleQueue()
        look_up(host, port, answer.put)
        try:
            return answer.get(timeout=left(until))
        except queue.Empty:
            pass
        raise TimeoutError

    async def open(self, family: int, address: Any, until: float) -> Stream:
        stream = socket.socket(family, socket.SOCK_STREAM)
        try:
            stream.settimeout(left(until))
            stream.connect(address)
        except BaseException:
            stream.close()
            raise
        return BlockingStream(stream, until)

    async def tls(self, stream: Stream, context: Any, host: str) -> Stream:
        base = self.socket_of(stream)
        base.settimeout(left(stream.until))
        return BlockingStream(context.wrap_socket(base, server_hostname=host), stream.until)

    def socket_of(self, stream: Stream) -> socket.socket:
        return cast(BlockingStream, stream).socket
