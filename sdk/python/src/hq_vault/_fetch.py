"""The CA certificate of a pinned vault, fetched from the vault itself.

This is the only connection that accepts any chain, and the reasons why it may are all in this file: it carries no
credential and nothing else of the caller's, it reads at most 16 KiB, and what it reads is thrown away unless its hash
is the one that was promised. An attacker in the middle can only make the call fail.
"""

import ssl
from typing import Optional

from ._error import connection
from ._hidden import Hidden
from ._http import Broken, Stream, read_answer, request
from ._io import Io
from ._target import Target
from ._trust import Trust, parse_pem

_LIMIT = 16 * 1024


async def pinned_ca(io: Io, target: Target, trust: Trust, base: Stream) -> bytes:
    """Asks ``/v1/ca`` over a connection of its own; gives the certificate (DER) only if it is the promised one."""
    found: Optional[bytes] = None
    try:
        found = await _ask(io, target, trust, base)
    except (OSError, Broken):
        # Whatever went wrong there: it did not prove to be the vault. A deadline is the caller's to tell.
        pass
    finally:
        base.close()
    if found is None:
        raise connection(
            f"{target} is not the vault that this token or fingerprint belongs to",
            hint="the token was not sent; check HQ_VAULT_URL and where the token comes from",
        )
    return found


async def _ask(io: Io, target: Target, trust: Trust, base: Stream) -> Optional[bytes]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    stream = await io.tls(base, context, target.host)
    try:
        headers = Hidden({"Host": target.host_header, "Connection": "close"})
        await stream.write(request("GET", "/v1/ca", headers, None))
        answer = await read_answer(stream, _LIMIT)
    finally:
        stream.close()
    certificates = parse_pem(answer.body.reveal().decode("latin-1"))
    if answer.status == 200 and len(certificates) == 1 and trust.accepts(certificates[0]):
        return certificates[0]
    return None
