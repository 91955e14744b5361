"""The Unix socket, with two looks before anything is sent.

The file must be a socket of ours that nobody else may use, in a directory that nobody else may change; and whoever
listens must run as us, where the kernel says who does.
"""

import os
import socket
import stat
import struct
from typing import Optional

from ._error import VaultSdkError, connection, shown


def check_socket(path: str, own_uid: Optional[int] = None) -> None:
    """Raises where the socket cannot be trusted."""
    own_uid = os.getuid() if own_uid is None else own_uid
    missing = ""
    try:
        file, folder = os.lstat(path), os.stat(os.path.dirname(path))
    except OSError as error:
        missing = reason(error)
    if missing:
        raise not_running(path, missing)
    why = _fault(file, folder, own_uid)
    if why:
        raise _foreign(path, why)


def _fault(file: os.stat_result, folder: os.stat_result, own_uid: int) -> str:
    if not stat.S_ISSOCK(file.st_mode):
        return "it is not a socket"
    if file.st_uid != own_uid:
        return f"it belongs to uid {file.st_uid}"
    if file.st_mode & 0o077:
        return "others may use it"
    if folder.st_uid not in (own_uid, 0):
        return "its directory belongs to somebody else"
    # A sticky directory such as /tmp lets nobody replace what is not theirs.
    if folder.st_mode & 0o022 and not folder.st_mode & stat.S_ISVTX:
        return "others may change its directory"
    return ""


def check_peer(path: str, stream: socket.socket) -> None:
    """Whoever listens must be us. Elsewhere than on Linux the look at the file has to do."""
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return
    _, uid, _ = struct.unpack("3i", stream.getsockopt(socket.SOL_SOCKET, option, struct.calcsize("3i")))
    if uid != os.getuid():
        raise _foreign(path, f"a process of uid {uid} listens on it")


def not_running(path: str, why: str) -> VaultSdkError:
    return connection(f"no vault answers on {shown(path)}: {why}", hint="hq-vault serve --daemon")


def _foreign(path: str, why: str) -> VaultSdkError:
    return connection(f"the socket {shown(path)} is not trusted: {why}", hint="hq-vault doctor")


def reason(error: OSError) -> str:
    """An error of the system in its own words."""
    return (error.strerror or type(error).__name__).lower()
