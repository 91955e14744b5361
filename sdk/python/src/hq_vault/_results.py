"""What the SDK hands out and must not print by accident. A secret is revealed by a property that can be searched for."""

import base64
import unicodedata
from typing import Dict, Iterator, List, Mapping, Optional

from ._error import VaultSdkError
from ._hidden import Hidden
from ._types import GetAnswer, Metadata, TokenMetadata


def bytes_of(answer: Hidden[GetAnswer]) -> bytes:
    """The bytes of an answer's value."""
    if answer.reveal().get("encoding") == "base64":
        return base64.b64decode(answer.reveal()["value"])
    return answer.reveal()["value"].encode()


def text_of(answer: Hidden[GetAnswer]) -> str:
    """The text of an answer's value, which has one unless it came as base64."""
    if answer.reveal().get("encoding") == "base64":
        raise VaultSdkError(
            "BAD_REQUEST",
            f"the value of {answer.reveal()['path']} is not text",
            hint="read it as bytes: get_secret_bytes, or bytes() of get_secrets",
            sent=True,
        )
    return answer.reveal()["value"]


class SecretInfo:
    """What is known of a secret beside its value."""

    def __init__(self, answer: Hidden[GetAnswer]) -> None:
        self.path: str = answer.reveal()["path"]
        self.metadata: Metadata = answer.reveal()["metadata"]
        self.version: int = answer.reveal()["version"]
        self.created_at: str = answer.reveal()["createdAt"]
        self.updated_at: str = answer.reveal()["updatedAt"]

    def __repr__(self) -> str:
        return f"SecretInfo({self.path!r}, version={self.version})"


class Secrets(Mapping[str, str]):
    """Several secrets by path, in the order asked for. Prints as its paths."""

    def __init__(self, answers: Hidden[List[GetAnswer]]) -> None:
        self._answers: Dict[str, Hidden[GetAnswer]] = {one["path"]: Hidden(one) for one in answers.reveal()}

    def __getitem__(self, path: str) -> str:
        return text_of(self._answers[unicodedata.normalize("NFC", path)])

    def __iter__(self) -> Iterator[str]:
        return iter(self._answers)

    def __len__(self) -> int:
        return len(self._answers)

    def bytes(self, path: str) -> bytes:
        """The value as bytes."""
        return bytes_of(self._answers[unicodedata.normalize("NFC", path)])

    def info(self, path: str) -> SecretInfo:
        """All but the value."""
        return SecretInfo(self._answers[unicodedata.normalize("NFC", path)])

    def __repr__(self) -> str:
        return f"Secrets({list(self._answers)!r})"


class CreatedToken:
    """A new token. Its text is the property ``token``, which is not printed with the rest."""

    def __init__(self, token: Hidden[str], metadata: TokenMetadata, notes: List[str]) -> None:
        self._token = token
        self.metadata = metadata
        self.notes = notes
        """What was cut or supplied, and what to know."""

    @property
    def token(self) -> str:
        return self._token.reveal()

    def __repr__(self) -> str:
        return f"CreatedToken({self.metadata['name']!r})"


class Waiting:
    """An entry that waits for a person. Whoever has ``url`` can enter the value once, so it is not printed."""

    def __init__(self, path: str, code: str, expires_at: str, url: Optional[Hidden[str]]) -> None:
        self.path = path
        self.code = code
        """For ``hq-vault answer``."""
        self.expires_at = expires_at
        self._url = url

    @property
    def url(self) -> Optional[str]:
        return self._url.reveal() if self._url else None

    def __repr__(self) -> str:
        return f"Waiting({self.path!r}, code={self.code!r})"
