"""Whom to trust, before anything is sent.

A pin or fingerprint before all else, then a CA file, the vault's own ``ca.pem`` for a loopback address, the system.
Nothing turns that off.
"""

import base64
import binascii
import hashlib
import os
import re
import ssl
from typing import List, NamedTuple, Optional

from ._error import VaultSdkError, shown, usage
from ._unix import reason

_BLOCK = re.compile("-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----")


class Trust(NamedTuple):
    """What the caller knows of the server."""

    pin: Optional[bytes] = None
    """From the token: the first 16 bytes of SHA-256 over the CA certificate."""
    fingerprint: Optional[bytes] = None
    ca_file: Optional[str] = None
    local_ca: Optional[str] = None
    """The ``ca.pem`` of the vault directory; for a loopback address only."""

    @property
    def pinned(self) -> bool:
        return self.pin is not None or self.fingerprint is not None

    def accepts(self, der: bytes) -> bool:
        """Whether a certificate has every hash that was promised."""
        digest = hashlib.sha256(der).digest()
        return self.pinned and self.pin in (None, digest[:16]) and self.fingerprint in (None, digest)

    def context(self, loopback: bool) -> Optional[ssl.SSLContext]:
        """What verifies the server; ``None``: the certificate with the promised hash has to be fetched first."""
        local = self.local_ca if loopback and self.local_ca and os.path.isfile(self.local_ca) else None
        if self.pinned:
            # A file that happens to hold the promised certificate saves a round trip. Whether it can be read, or
            # holds another, decides nothing.
            files = [file for file in (local, self.ca_file) if file]
            found = [der for file in files for der in _quietly(file) if self.accepts(der)]
            return verifying(found[:1]) if found else None
        file = self.ca_file or local
        if not file:
            return verifying(None)
        try:
            return verifying(_read_pem(file))
        except ssl.SSLError:
            # A block of PEM may hold anything.
            pass
        raise _empty(file)


def verifying(certificates: Optional[List[bytes]]) -> ssl.SSLContext:
    """Trusts these certificates alone, or the system's. TLS 1.2 and later, host names checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if certificates is None:
        context.load_default_certs()
    else:
        context.load_verify_locations(cadata="".join(map(ssl.DER_cert_to_PEM_cert, certificates)))
    return context


def parse_fingerprint(text: str, place: str) -> bytes:
    """Reads ``sha256:`` and 64 hexadecimal digits; colons between bytes and a missing ``sha256:`` are accepted."""
    digits = re.sub("^sha256:", "", text.strip(), flags=re.I).replace(":", "")
    if not re.fullmatch("[0-9a-fA-F]{64}", digits):
        raise usage(f"{place}: a fingerprint is sha256: and 64 hexadecimal digits", "hq-vault status")
    return bytes.fromhex(digits)


def parse_pem(text: str) -> List[bytes]:
    """All certificates (DER) of a PEM text; none where one is broken."""
    blocks = _BLOCK.findall(text)
    if len(blocks) != text.count("-----BEGIN CERTIFICATE-----"):
        return []
    try:
        return [base64.b64decode(re.sub(r"\s", "", block), validate=True) for block in blocks]
    except binascii.Error:
        return []


def _read_pem(path: str) -> List[bytes]:
    why, found = "not a file of at most 1 MiB", []
    try:
        if os.path.isfile(path) and os.path.getsize(path) <= 1 << 20:
            with open(path, encoding="latin-1") as file:
                why, found = "", parse_pem(file.read())
        else:
            os.stat(path)
    except OSError as error:
        why = reason(error)
    if why:
        raise usage(f"cannot read the CA file {shown(path)}: {why}")
    if not found:
        raise _empty(path)
    return found


def _empty(path: str) -> VaultSdkError:
    return usage(f"no certificate stands in the CA file {shown(path)}")


def _quietly(path: str) -> List[bytes]:
    try:
        return _read_pem(path)
    except Exception:
        return []
