"""What a client is told: arguments first, then variables, then the vault directory, then https://localhost:13100."""

import os
from typing import Callable, Mapping, NamedTuple, Optional, Tuple

from ._error import VaultSdkError, shown, usage
from ._hidden import Hidden
from ._proxy import Proxy
from ._target import Target, parse
from ._token import checked
from ._trust import Trust, parse_fingerprint
from ._unix import reason


class Options(NamedTuple):
    """The arguments of a client. Everything may be left out."""

    url: Optional[str] = None
    token: Optional[Hidden[str]] = None
    token_file: Optional[str] = None
    session: Optional[Hidden[str]] = None
    vault_dir: Optional[str] = None
    ca_file: Optional[str] = None
    fingerprint: Optional[str] = None
    connect_timeout: float = 5.0
    timeout: float = 60.0
    reason: Optional[str] = None


class Surroundings(NamedTuple):
    """All that was decided before anything is opened."""

    target: Target
    credential: Optional[Hidden[str]]
    identity: str
    """Such as ``token from HQ_VAULT_TOKEN``, for people."""
    trust: Trust
    proxy: Proxy


def surroundings(options: Options, env: Mapping[str, str]) -> Surroundings:
    """Decides. The environment is passed in so that tests can pass another."""
    folder = _vault_dir(options, env)
    credential, identity, pin = _credential(options, env)
    fingerprint, place = options.fingerprint, "the argument fingerprint"
    if fingerprint is None:
        fingerprint, place = env.get("HQ_VAULT_FINGERPRINT") or None, "HQ_VAULT_FINGERPRINT"
    proxy = env.get("HTTPS_PROXY") or env.get("https_proxy")
    return Surroundings(
        target=_target(options, env, folder),
        credential=credential,
        identity=identity,
        trust=Trust(
            pin=pin,
            fingerprint=None if fingerprint is None else parse_fingerprint(fingerprint, place),
            ca_file=options.ca_file or env.get("HQ_VAULT_CACERT") or None,
            local_ca=os.path.join(folder, "ca.pem") if folder else None,
        ),
        proxy=Proxy(Hidden(proxy) if proxy else None, env.get("NO_PROXY") or env.get("no_proxy") or ""),
    )


def _credential(
    options: Options, env: Mapping[str, str]
) -> Tuple[Optional[Hidden[str]], str, Optional[bytes]]:
    def text(name: str) -> Optional[Hidden[str]]:
        return Hidden(env[name]) if name in env else None

    def file(path: Optional[str]) -> Optional[Callable[[], Hidden[str]]]:
        return None if path is None else lambda: _from_file(path)

    def given(value: Optional[Hidden[str]]) -> Optional[Callable[[], Hidden[str]]]:
        return None if value is None else lambda: value

    # One that is given shuts out all that follow; a slip in it is never made good by another identity.
    ways = [
        ("token", "the argument token", given(options.token)),
        ("token", "the argument token_file", file(options.token_file)),
        ("session", "the argument session", given(options.session)),
        ("token", "HQ_VAULT_TOKEN", given(text("HQ_VAULT_TOKEN"))),
        ("token", "HQ_VAULT_TOKEN_FILE", file(env.get("HQ_VAULT_TOKEN_FILE"))),
        ("session", "HQ_VAULT_SESSION", given(text("HQ_VAULT_SESSION"))),
    ]
    for kind, place, read in ways:
        if read is None:
            continue
        found = Hidden(str(read().reveal()).strip())
        if not found.reveal():
            message = f"the {kind} from {place} is empty"
            raise VaultSdkError("UNAUTHORIZED", message, hint=f"unset it, or set it to a {kind}")
        return found, f"{kind} from {place}", checked(found, kind, place)
    return None, "nobody", None


def _from_file(path: str) -> Hidden[str]:
    if path.startswith("hqv_"):
        raise usage("what should name a token file is itself a token", "put it into a file")
    if not path:
        return Hidden("")
    try:
        with open(path, encoding="latin-1") as file:
            return Hidden(file.read(1024))
    except OSError as error:
        why = reason(error)
    raise usage(f"cannot read the token file {shown(path)}: {why}")


def _vault_dir(options: Options, env: Mapping[str, str]) -> Optional[str]:
    if options.vault_dir is not None:
        return os.path.abspath(options.vault_dir)
    named = env.get("HQ_VAULT_DIR")
    if named is not None:
        if os.path.isabs(named):
            return os.path.normpath(named)
        raise usage(f"HQ_VAULT_DIR is not an absolute path: {shown(named)}", "set it to an absolute path")
    home = env.get("HOME")
    if home is None or not os.path.isabs(home):
        try:
            import pwd

            home = pwd.getpwuid(os.getuid()).pw_dir
        except (ImportError, KeyError):
            return None
    return os.path.join(home, ".hq-vault")


def _target(options: Options, env: Mapping[str, str], folder: Optional[str]) -> Target:
    url = options.url if options.url is not None else env.get("HQ_VAULT_URL")
    if url == "":
        raise usage("the server's URL is empty", "unset HQ_VAULT_URL, or write https://host:port or unix:/path")
    if url is not None:
        return parse(url)
    socket = socket_of(folder, env.get("XDG_RUNTIME_DIR")) if folder else None
    if folder and socket and os.path.lexists(socket):
        return Target(socket, "", 0)
    port = _port_in(os.path.join(folder, "vault.port")) if folder else None
    if port:
        return Target(None, "localhost", port)
    # A vault that nobody serves: the error should name it.
    if folder and socket and os.path.lexists(os.path.join(folder, "vault.db")):
        return Target(socket, "", 0)
    return Target(None, "localhost", 13100)


# The longest socket path that every Unix takes.
_SOCKET_PATH_MAX = 103


def socket_of(folder: str, runtime: Optional[str]) -> Optional[str]:
    """In the directory, or in ``$XDG_RUNTIME_DIR`` where the kernel would not take the first."""
    near = os.path.join(folder, "vault.sock")
    if len(os.fsencode(near)) <= _SOCKET_PATH_MAX:
        return near
    if not runtime or not os.path.isabs(runtime):
        return None
    # FNV-1a: a name, not a protection.
    name = 0xCBF29CE484222325
    for byte in os.fsencode(folder):
        name = (name ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return os.path.join(runtime, f"hq-vault-{name:016x}.sock")


def _port_in(path: str) -> Optional[int]:
    try:
        with open(path, encoding="latin-1") as file:
            port = int(file.read(16))
    except (OSError, ValueError):
        return None
    return port if 1 <= port <= 65535 else None
