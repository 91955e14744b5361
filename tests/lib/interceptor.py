#!/usr/bin/env python3
"""A man in the middle: takes TLS connections with a certificate of his own, writes down in the clear all that he is
sent, and passes on what the true vault says of itself.

    interceptor.py ADDRESS PORT CERTIFICATE KEY CA LOG

CERTIFICATE and KEY are what he shows; CA is the file that he gives to whoever asks for /v1/ca. Everything else he
answers as a vault would that has the value. Prints `ready` once he listens.
"""

import socket
import ssl
import sys
import threading

address, port, certificate, key, ca, log = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
said = open(log, "ab", buffering=0)


def answer(stream):
    try:
        stream = context.wrap_socket(stream, server_side=True)
        while True:
            request = b""
            while b"\r\n\r\n" not in request:
                part = stream.recv(65536)
                if not part:
                    return
                said.write(part)
                request += part
            body = open(ca, "rb").read() if request.startswith(b"GET /v1/ca ") else b'{"secrets":[]}'
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    except OSError as error:
        # Who does not trust him says so in an alert, or hangs up.
        said.write(f"[{error}]\n".encode())


listener = socket.create_server((address, int(port)))
print("ready", flush=True)
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
