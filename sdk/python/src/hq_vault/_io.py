"""What differs between blocking and asyncio: how a connection is opened, and how it waits."""

import select
import socket
import threading
import time
from typing import Any, Callable, Coroutine, List, Protocol, Tuple, TypeVar

from ._http import Stream

T = TypeVar("T")


class Io(Protocol):
    """Opens connections and waits. Coroutines of the blocking one never wait for anybody but the kernel."""

    async def within(self, work: Coroutine[Any, Any, T], seconds: float) -> T:
        """Raises ``TimeoutError`` where ``work`` takes longer."""
        ...

    async def addresses(self, host: str, port: int, until: float) -> List[Tuple[Any, ...]]:
        """None where the name is not known."""
        ...

    async def open(self, family: int, address: Any, until: float) -> Stream: ...
    async def tls(self, stream: Stream, context: Any, host: str) -> Stream: ...
    def socket_of(self, stream: Stream) -> socket.socket: ...


def left(until: float) -> float:
    """Seconds until then."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


def look_up(host: str, port: int, tell: Callable[[List[Tuple[Any, ...]]], None]) -> None:
    """Asks for a name's addresses and tells them, none where it is not known, from a thread of its own: the system's
    resolver knows no deadline, and must keep neither who gave up on it nor the process's end."""

    def ask() -> None:
        try:
            found: List[Tuple[Any, ...]] = list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found = []
        tell(found)

    threading.Thread(target=ask, name="hq-vault-lookup", daemon=True).start()


def is_quiet(stream: socket.socket) -> bool:
    """Whether an idle connection is open: what can be read from one is its end, or something nobody asked for."""
    if stream.fileno() < 0:
        return False
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        return not poll.poll(0)
    return not select.select([stream], [], [], 0)[0]
