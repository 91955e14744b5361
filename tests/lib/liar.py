#!/usr/bin/env python3
"""Something that listens on a Unix socket and is no vault.

    liar.py SOCKET KIND     (hang, garbage, redirect, cut, html, wrong, empty)

Takes one request after the other and writes `ready` once it listens.
"""

import json
import os
import socket
import sys
import threading

path, kind = sys.argv[1:]
MADE = json.dumps({"secrets": [{"path": "app/key", "value": "value-of-a-liar", "version": "one"}]})


def whole(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", body]).encode()


SAID = {
    "garbage": whole(200, '{"secrets": [{"path": "app/key", "value": "value-of-a-liar"'),
    "redirect": whole(307, "", "Location: https://localhost:9/v1/secrets:batch"),
    "cut": whole(200, MADE)[:-10],
    "html": whole(502, "<html>value-of-a-liar</html>"),
    "wrong": whole(200, MADE),
    "empty": b"",
}


def answer(stream):
    with stream:
        while stream.recv(1 << 20):
            if kind != "hang":
                return stream.sendall(SAID[kind])


listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
os.chmod(path, 0o600)
listener.listen(16)
print("ready", flush=True)
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
