"""``HTTPS_PROXY`` and ``NO_PROXY``: a tunnel through a proxy for a remote server, never for this machine.

Only ``CONNECT`` is used, so the proxy sees a host name, a port and TLS.
"""

import base64
import ipaddress
import re
from typing import NamedTuple, Optional
from urllib.parse import unquote

from ._error import VaultSdkError, usage
from ._hidden import Hidden
from ._target import Target, authority, ip


class Proxy(NamedTuple):
    """What the environment says about proxies. The URL may hold a password."""

    https_proxy: Optional[Hidden[str]] = None
    no_proxy: str = ""


class Hop(NamedTuple):
    """A proxy to go through."""

    host: str
    port: int
    authorization: Optional[Hidden[str]]

    def request(self, target: Target) -> Hidden[bytes]:
        host = target.host_header
        login = f"Proxy-Authorization: {self.authorization.reveal()}\r\n" if self.authorization else ""
        return Hidden(f"CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n{login}\r\n".encode())


def hop_for(target: Target, proxy: Proxy) -> Optional[Hop]:
    """The proxy for a target, where one is to be used."""
    if proxy.https_proxy is None or not proxy.https_proxy.reveal().strip() or target.is_local:
        return None
    if any(_excepts(rule, target.host, target.port) for rule in re.split(r"[,\s]+", proxy.no_proxy) if rule):
        return None
    return _parse(Hidden(proxy.https_proxy.reveal().strip()))


def _excepts(rule: str, host: str, port: int) -> bool:
    if rule == "*":
        return True
    address = ip(host)
    if address:
        try:
            network = ipaddress.ip_network(re.sub(r"[\[\]]", "", rule), strict=False)
        except ValueError:
            return False
        return network.version == address.version and address in network
    name, colon, number = rule.partition(":")
    if colon and number != str(port):
        return False
    suffix = re.sub(r"^(\*\.)*\.*", "", name).lower()
    return suffix != "" and (host == suffix or host.endswith(f".{suffix}"))


def _parse(url: Hidden[str]) -> Hop:
    def refused(why: str) -> VaultSdkError:
        return usage(f"HTTPS_PROXY cannot be used: {why}", "write it as http://host:port")

    if "://" in url.reveal() and not url.reveal().lower().startswith("http://"):
        raise refused("only a proxy that is spoken to over http:// is supported")
    login, at, place = url.reveal().split("://")[-1].rpartition("@")
    secret = Hidden(login) if at else None
    del login
    place = place[:-1] if place.endswith("/") else place
    try:
        # The same grammar as a server's, so that one parser decides what a host and a port are.
        host, port = authority(place if re.search(r":[^\]]*$", place) else f"{place}:80")
    except VaultSdkError:
        host, port = "", 0
    if not host:
        raise refused("it has no host and port")
    return Hop(host, port, _basic(secret) if secret else None)


def _basic(login: Hidden[str]) -> Hidden[str]:
    """RFC 7617, from a URL's percent-encoded user and password."""
    plain = Hidden(":".join(unquote(part) for part in login.reveal().partition(":")[::2]))
    return Hidden("Basic " + base64.b64encode(plain.reveal().encode()).decode())
