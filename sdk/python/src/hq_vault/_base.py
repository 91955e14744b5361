"""What both kinds of client are: how one is made, closed and shown. Their calls differ in a word, and stand there."""

from typing import Optional

from ._hidden import Hidden
from ._io import Io
from ._surroundings import Options
from ._verbs import verbs


class Client:
    """One caller's line to one vault. Connections are kept.

    Every argument may be left out; then the variable of the same meaning counts, then the vault directory.
    Timeouts are seconds. A token shuts out a session.
    """

    def __init__(
        self,
        *,
        url: Optional[str] = None,
        token: Optional[str] = None,
        token_file: Optional[str] = None,
        session: Optional[str] = None,
        vault_dir: Optional[str] = None,
        ca_file: Optional[str] = None,
        fingerprint: Optional[str] = None,
        connect_timeout: float = 5.0,
        timeout: float = 60.0,
        reason: Optional[str] = None,
    ) -> None:
        # First, so that a traceback may print a client that could not be made.
        self._about = ""
        options = Hidden(
            Options(
                url,
                None if token is None else Hidden(token),
                token_file,
                None if session is None else Hidden(session),
                vault_dir,
                ca_file,
                fingerprint,
                connect_timeout,
                timeout,
                reason,
            )
        )
        # Whatever of these holds a secret, by right or by a slip: no traceback shows it.
        del url, token, token_file, session
        self._verbs = verbs(self._io(), options)
        self._about = self._verbs.about

    def _io(self) -> Io:
        raise NotImplementedError

    def close(self) -> None:
        """Closes the kept connections."""
        self._verbs.line.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._about})"
