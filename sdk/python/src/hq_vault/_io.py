"""What differs between blocking and asyncio: how a connection is opened, and how it waits."""

import select
import socket
import time
from typing import Any, Coroutine, List, Protocol, Tuple, TypeVar

from ._http import Stream

T = TypeVar("T")


class Io(Protocol):
    """Opens connections and waits. Coroutines of the blocking one never wait for anybody but the kernel."""

    async def within(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Raises ``TimeoutError`` where ``work`` takes longer."""
        ...

    async def addresses(self, host: str, port: int) -> List[Tuple[Any, ...]]: ...
    async def open(self, family: int, address: Any, until: float) -> Stream: ...
    async def tls(self, stream: Stream, context: Any, host: str) -> Stream: ...
    def socket_of(self, stream: Stream) -> socket.socket: ...


def left(until: float) -> float:
    """Seconds until then."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def is_quiet(stream: socket.socket) -> bool:
    """Whether an idle connection is open: what can be read from one is its end, or something nobody asked for."""
    if stream.fileno() < 0:
        return False
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        return not poll.poll(0)
    return not select.select([stream], [], [], 0)[0]
