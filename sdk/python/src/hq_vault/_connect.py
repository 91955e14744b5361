"""A connection to the target: the socket after its looks, or TLS against what is trusted and nothing else."""

import socket
import ssl
import time
from typing import Any, List, Optional, Tuple

from . import _unix
from ._error import VaultSdkError, connection
from ._fetch import pinned_ca
from ._http import Broken, Stream
from ._io import Io
from ._proxy import Proxy, hop_for
from ._target import Target
from ._trust import Trust, verifying


class Dialer:
    """Opens connections to one server. Whatever fails here, nothing of the caller's was sent."""

    def __init__(self, io: Io, target: Target, trust: Trust, proxy: Proxy, within: float) -> None:
        self._io = io
        self._target = target
        self._trust = trust
        self._proxy = proxy
        self._within = within
        self._context: Optional[ssl.SSLContext] = None

    async def connect(self, seconds: float) -> Stream:
        """One connection, ready for a request."""
        limit = min(seconds, self._within)
        until = time.monotonic() + limit
        work = self._unix(until) if self._target.socket is not None else self._tls(until)
        try:
            return await self._io.within(work, limit)
        except TimeoutError:
            pass
        raise connection(f"{self._target} did not answer in {limit:g} s")

    async def _unix(self, until: float) -> Stream:
        path = self._target.socket or ""
        _unix.check_socket(path)
        try:
            stream = await self._io.open(socket.AF_UNIX, path, until)
        except TimeoutError:
            raise
        except OSError as error:
            why = _unix.reason(error)
        else:
            try:
                _unix.check_peer(path, self._io.socket_of(stream))
            except BaseException:
                stream.close()
                raise
            return stream
        raise _unix.not_running(path, why)

    async def _tls(self, until: float) -> Stream:
        if self._context is None:
            # Decided once. Where that failed, the next call asks anew.
            self._context = await self._decide(until)
        stream = await self._dial(until)
        fault: VaultSdkError
        try:
            return await self._io.tls(stream, self._context, self._target.host)
        except (socket.timeout, TimeoutError):
            stream.close()
            raise
        except OSError as error:
            fault = self._distrust(error)
        except BaseException:
            stream.close()
            raise
        stream.close()
        raise fault

    async def _decide(self, until: float) -> ssl.SSLContext:
        """What verifies, from here or fetched and held to the pin."""
        found = self._trust.context(self._target.is_local)
        if found is None:
            base = await self._dial(until)
            found = verifying([await pinned_ca(self._io, self._target, self._trust, base)])
        return found

    async def _dial(self, until: float) -> Stream:
        hop = hop_for(self._target, self._proxy)
        if hop is None:
            return await self._tcp(self._target.host, self._target.port, until)
        fault: VaultSdkError
        try:
            stream = await self._tcp(hop.host, hop.port, until)
        except VaultSdkError as error:
            fault = connection(f"the proxy: {error.message}")
        else:
            host = self._target.host_header
            try:
                await stream.write(hop.request(self._target))
                status = await _tunnel_status(stream)
            except (Broken, ConnectionError):
                status = 0
            if 200 <= status < 300:
                return stream
            stream.close()
            closed = connection("the proxy closed the connection")
            fault = closed if not status else connection(f"the proxy refused to connect to {host} (status {status})")
        raise fault

    async def _tcp(self, host: str, port: int, until: float) -> Stream:
        """Connects to the first address that answers. No name service is asked about ``localhost``."""
        why = ""
        for family, address in await self._addresses(host, port, until):
            try:
                stream = await self._io.open(family, address, until)
            except (socket.timeout, TimeoutError):
                raise
            except OSError as error:
                why = why or _unix.reason(error)
            else:
                self._io.socket_of(stream).setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return stream
        raise connection(f"cannot reach {host} port {port}: {why}" if why else f"the name {host} is not known")

    async def _addresses(self, host: str, port: int, until: float) -> List[Tuple[int, Any]]:
        if host == "localhost":
            return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port))]
        return [(found[0], found[4]) for found in await self._io.addresses(host, port, until)]

    def _distrust(self, error: OSError) -> VaultSdkError:
        if isinstance(error, ssl.SSLCertVerificationError):
            fault = _FAULTS.get(error.verify_code, "its certificate cannot be verified")
            hint = "nothing was sent; check the address, the token and HQ_VAULT_CACERT"
            return connection(f"{self._target} is not trusted: {fault}", hint=hint)
        if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return connection(f"{self._target} does not speak TLS as expected ({error.reason})")
        return connection(f"{self._target} closed the connection before TLS stood")


# Vaults' CAs bear like names, so another vault's shows as a signature that does not fit. OpenSSL's numbers.
_OTHER = "its certificate comes from another CA"
_NAME = "its certificate is for another host name"
_FAULTS = {2: _OTHER, 7: _OTHER, 18: _OTHER, 19: _OTHER, 20: _OTHER, 21: _OTHER, 62: _NAME, 64: _NAME}
_FAULTS.update({9: "its certificate is not valid yet", 10: "its certificate has expired"})


async def _tunnel_status(stream: Stream) -> int:
    """The status of an answer to CONNECT: a head, read byte by byte so that nothing of the tunnel is swallowed."""
    head = bytearray()
    while not head.endswith(b"\r\n\r\n"):
        part = (await stream.read(1)).reveal()
        head += part
        if not part or len(head) > 8192:
            return 0
    parts = head.split(b" ", 2)
    digits = parts[1][:3] if len(parts) > 1 else b""
    return int(digits) if digits.isdigit() and len(digits) == 3 else 0
