"""Tokens and sessions as they travel (spec/tokens.md).

Reading one finds a slip before anything is sent, and gives the pin that the server is held to.
"""

import base64
import re
import zlib
from typing import Optional, Tuple

from ._error import VaultSdkError
from ._hidden import Hidden

_PREFIX = {"token": "hqv_", "session": "hqs_"}
_CHARACTERS = 71
_PAYLOAD = 49


def pin_of(text: Hidden[str], kind: str) -> Tuple[str, Optional[bytes]]:
    """The fault (or an empty text), and the pin, which a credential of a vault with a foreign CA has not."""
    prefix = _PREFIX[kind]
    if not text.reveal().startswith(prefix):
        return "not-one", None
    rest = Hidden(text.reveal()[4:])
    if not re.fullmatch("[A-Za-z0-9_-]*", rest.reveal()):
        return "mistyped", None
    if len(rest.reveal()) < _CHARACTERS:
        return "cut", None
    if len(rest.reveal()) > _CHARACTERS:
        return "mistyped", None
    data = Hidden(base64.urlsafe_b64decode(rest.reveal() + "="))
    # 71 characters hold two bits more than 53 bytes. They are zero, so that a token has one spelling.
    spelt = base64.urlsafe_b64encode(data.reveal()).decode().rstrip("=")
    if not spelt.endswith(rest.reveal()[-1]):
        return "mistyped", None
    if zlib.crc32(prefix.encode() + data.reveal()[:_PAYLOAD]) != int.from_bytes(data.reveal()[_PAYLOAD:], "big"):
        return "mistyped", None
    version, pin = data.reveal()[0], data.reveal()[33:_PAYLOAD]
    if version == 1:
        return "", pin
    if version == 2:
        return ("mistyped", None) if any(pin) else ("", None)
    return "version", None


def checked(text: Hidden[str], kind: str, place: str) -> Optional[bytes]:
    """The pin of a credential from ``place``; raises with what is wrong with it, and never repeats it."""
    fault, pin = pin_of(text, kind)
    if not fault:
        return pin
    what = {
        "not-one": f"what {place} holds is not a {kind}",
        "cut": f"the {kind} from {place} is cut short",
        "mistyped": f"the {kind} from {place} is mistyped",
        "version": f"the {kind} from {place} is of a newer hq-vault",
    }[fault]
    raise VaultSdkError("UNAUTHORIZED", what, hint="nothing was sent; copy it again as a whole")
