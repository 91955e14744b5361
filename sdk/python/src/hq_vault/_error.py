"""What can go wrong, in the words of the contract: the server's codes, and two of our own.

An error is made where its cause is caught and raised after the ``except`` block, so that it carries neither the cause
nor the frames below: the arguments in those hold tokens and values.
"""

import re
from typing import Any, Optional, Tuple

# C0, C1, line separators and what turns the direction of text: none may move the cursor of a terminal.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class VaultSdkError(Exception):
    """A refused or failed call. It never holds a value, a token or a cause that could.

    ``code`` is one of the stable codes of the API, ``CONNECTION_ERROR`` or ``TIMEOUT``. ``sent`` says whether the request
    may have reached the vault; where it did not, calling again is safe.
    """

    __module__ = "hq_vault"

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status_code: Optional[int] = None,
        request_id: Optional[str] = None,
        hint: Optional[str] = None,
        actor: Optional[str] = None,
        retry_after: Optional[int] = None,
        sent: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status_code = status_code
        self.request_id = request_id
        self.hint = hint
        self.actor = actor
        self.retry_after = retry_after
        self.sent = sent

    def __reduce__(self) -> Tuple[Any, ...]:
        """It goes to another process as it is. What the base class would hand over is the message alone."""
        return type(self), (self.code, self.message), self.__dict__

    def __str__(self) -> str:
        return f"{self.message} ({self.code})"

    def __repr__(self) -> str:
        return f"VaultSdkError({self.code!r}, {self.message!r}, status_code={self.status_code!r})"


def usage(message: str, hint: Optional[str] = None) -> VaultSdkError:
    """What the caller gave us cannot be meant. Nothing was sent."""
    return VaultSdkError("BAD_REQUEST", message, hint=hint)


def connection(message: str, *, hint: Optional[str] = None, sent: bool = False) -> VaultSdkError:
    """The server was not reached, or is not to be trusted."""
    return VaultSdkError("CONNECTION_ERROR", message, hint=hint, sent=sent)


def shown(text: str) -> str:
    """A text from outside, as a person may be shown it."""
    return _CONTROLS.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", text)
