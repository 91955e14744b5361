"""Where the server is: ``https://host:port`` or ``unix:/path``, and nothing that merely looks like it."""

import ipaddress
import re
from typing import NamedTuple, NoReturn, Optional, Tuple, Union

from ._error import shown, usage

_SHAPE = "write it as https://host:port or unix:/path"
Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class Target(NamedTuple):
    """A server's address, parsed once: a socket's path, or a host (name in lower case, or bare address) and port."""

    socket: Optional[str]
    host: str
    port: int

    @property
    def host_header(self) -> str:
        if self.socket is not None:
            return "localhost"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether it can only be this machine."""
        address = ip(self.host)
        return self.socket is not None or self.host == "localhost" or bool(address and address.is_loopback)

    def __str__(self) -> str:
        return f"unix:{shown(self.socket)}" if self.socket is not None else f"https://{self.host_header}"


def ip(text: str) -> Optional[Address]:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def parse(url: str) -> Target:
    """Reads a URL. A refusal never repeats it, since it may hold a credential."""
    if url.startswith("unix:"):
        path = url[5:]
        path = path[2:] if path.startswith("//") else path
        if not path.startswith("/") or "\0" in path:
            _refuse("a unix: URL needs the socket's whole path, from /")
        return Target(path, "", 0)
    scheme, separator, rest = url.partition("://")
    if not separator:
        _refuse("the server's URL has no scheme")
    if scheme.lower() == "http":
        _refuse("the server's URL begins with http://, and a vault is never asked without TLS")
    if scheme.lower() != "https":
        _refuse("the server's URL has a scheme that is not known here")
    return Target(None, *authority(rest))


def authority(rest: str) -> Tuple[str, int]:
    """Host and port of what follows ``https://``."""
    place = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    if "@" in place:
        _refuse("the server's URL holds a user name or password")
    if rest[len(place) :] not in ("", "/"):
        _refuse("the server's URL holds more than host and port")
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::(.*))?", place, re.S)
    found = bracketed or re.fullmatch(r"([^:]*)(?::(.*))?", place, re.S)
    host = found[1] if found else ""
    if bracketed and ":" not in host:
        host = ""
    return _host(host), _port(found[2] if found else None)


def _port(text: Optional[str]) -> int:
    if text is None:
        return 443
    if not re.fullmatch("[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        _refuse("the server's URL has a port that is not a number from 1 to 65535")
    return int(text)


def _host(text: str) -> str:
    # One dot at the end is the root of DNS; the certificate knows the name without it.
    host = text[:-1] if text.endswith(".") else text
    if ip(host):
        return str(ip(host))
    if not re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", host) or len(host) > 253:
        _refuse("the server's URL has a host that is neither a name in ASCII nor an address")
    return host.lower()


def _refuse(message: str) -> NoReturn:
    raise usage(message, _SHAPE)
