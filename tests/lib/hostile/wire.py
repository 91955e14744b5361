"""HTTP as the hostile agent speaks it: over the vault's socket, over TLS, and to an entry's page."""

import contextlib
import http.client
import json
import os
import pathlib
import socket
import ssl

VAULT = pathlib.Path(os.environ["HOME"]) / ".hq-vault"


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def ask(connection, method, path, body=None, headers=None):
    """(status, document or text)."""
    headers = dict(headers or {})
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
    # Who is refused by the head of a request may be answered before the body is sent.
    with contextlib.suppress(BrokenPipeError):
        connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    try:
        return answer.status, json.loads(text)
    except ValueError:
        return answer.status, text


def vault(method, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask(Unix(VAULT / "vault.sock"), method, path, body, headers)


def network(method, path, body=None, token=None):
    trust = ssl.create_default_context(cafile=VAULT / "ca.pem")
    port = int((VAULT / "vault.port").read_text())
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return ask(http.client.HTTPSConnection("localhost", port, timeout=20, context=trust), method, path, body, headers)


class Page:
    """The page of an entry, from the address that the asker was given."""

    def __init__(self, url):
        place, _, secret = url.partition("#")
        self.host, _, self.id = place.removeprefix("http://").partition("/")
        self.submit = secret.partition(".")[0]

    def ask(self, method, what="", body=None, headers=None, host=None):
        given = {"Host": host or self.host, "Origin": f"http://{self.host}", **(headers or {})}
        given = {name: value for name, value in given.items() if value is not None}
        return ask(http.client.HTTPConnection(self.host, timeout=20), method, f"/{self.id}{what}", body, given)
