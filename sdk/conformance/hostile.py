#!/usr/bin/env python3
"""Puts clients among servers and surroundings that are not what they should be (hostile.json).

    hostile.py FOLDER NAME=COMMAND...

Each COMMAND is a program that reads lines as probe.mjs does; the one named `cli` is hq-vault itself. FOLDER takes the
certificates, which openssl makes. Every server here writes down all that it was sent, in the clear.
"""

import base64
import binascii
import concurrent.futures
import hashlib
import json
import os
import shlex
import select
import socket
import ssl
import subprocess
import sys
import threading
import traceback
import zlib
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = Path(sys.argv[1])
# Seconds within which any client has said what happened: more than every deadline that it is given.
PATIENCE = 30
VALUE = "made-up-value-of-a-b"
EXIT = {"BAD_REQUEST": 2, "NOT_FOUND": 3, "UNAUTHORIZED": 4, "CONNECTION_ERROR": 6, "TIMEOUT": 6}
BODY = json.dumps({
    "path": "a/b", "value": VALUE, "version": 1, "createdAt": "t", "updatedAt": "t",
    "metadata": {"id": "sec_1", "type": "other", "description": "", "tags": {}},
})


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=FOLDER)


def make_certificates(wanted):
    for ca in ("ours", "theirs", "system"):
        # All are named alike, as vaults' are.
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=HQ Vault CA", "-keyout", f"{ca}.key", "-out", f"{ca}.pem")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=vault",
            "-keyout", "leaf.key", "-out", "leaf.csr")
    for leaf in wanted:
        ca, name = leaf.split("/")
        kind = "IP" if name[0].isdigit() else "DNS"
        days, host = ("0", "localhost") if name == "expired" else ("1", name)
        (FOLDER / "leaf.ext").write_text(f"subjectAltName={kind}:{host}\n")
        openssl("x509", "-req", "-in", "leaf.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-days", days,
                "-extfile", "leaf.ext", "-out", f"{ca}-{name}.pem")


def der(ca):
    return ssl.PEM_cert_to_DER_cert((FOLDER / f"{ca}.pem").read_text())


def token(pin):
    """A token of no vault, with the pin of a CA or without one (spec/tokens.md)."""
    payload = (b"\1" if pin else b"\2") + bytes(range(32)) + (hashlib.sha256(der(pin)).digest()[:16] if pin else bytes(16))
    data = payload + zlib.crc32(b"hqv_" + payload).to_bytes(4, "big")
    return "hqv_" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def answer(status, body, *headers):
    return "\r\n".join([f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers, "", body]).encode()


def ca_answer(kind):
    pem = lambda name: (FOLDER / f"{name}.pem").read_text()
    return {
        "two": lambda: answer(200, pem("ours") + pem("theirs")),
        "redirect": lambda: answer(302, "", "Location: https://localhost/v1/ca"),
        "endless": lambda: b"HTTP/1.1 200 X\r\n\r\n" + b"x" * (1 << 20),
    }.get(kind, lambda: answer(200, pem(kind)))()


CHUNKS = "".join(f"1\r\n{byte}\r\n" for byte in BODY) + "0\r\n\r\n"
ANSWERS = {
    "vault": (answer(200, BODY), False),
    "close": (b"", True),
    "cut": (answer(200, BODY)[:-20], True),
    "endless": (b"HTTP/1.1 200 X\r\n\r\n" + b"x" * (9 << 20), True),
    "smtp": (b"220 mail.example ESMTP\r\n\r\n", True),
    "lengths": (answer(200, BODY, "Content-Length: 3"), True),
    "redirect": (answer(307, "", "Location: https://localhost:9/v1/secrets/a/b"), True),
    "html": (answer(502, f"<html>{VALUE}</html>", "Content-Type: text/html"), True),
    "garbage": (answer(200, f'{{"path": "a/b", "value": "{VALUE}", nonsense'), True),
    "escapes": (answer(404, json.dumps({"error": "no \x1b[31msecret", "code": "NOT_FOUND"})), True),
    "chunked": (b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS.encode(), True),
    "last": (b"HTTP/1.1 200 X\r\n\r\n" + BODY.encode(), True),
}


class Server:
    """Takes connections until it is closed; `log` holds what each sent, `count` how many there were."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serve, self.log, self.count, self.open = serve, [], 0, []
        self.last, self.threads = None, []
        self.accepting = threading.Thread(target=self.run, daemon=True)
        self.accepting.start()

    def run(self):
        while True:
            stream, peer = self.listener.accept()
            if peer == self.last:
                return stream.close()
            self.open.append(stream)
            self.count += 1
            self.threads.append(threading.Thread(target=self.one, args=(stream, self.count), daemon=True))
            self.threads[-1].start()

    def one(self, stream, number):
        try:
            self.serve(self, stream, number)
        except (OSError, ValueError):
            pass

    def close(self):
        """Ends it once it has taken, and written down, all that came before: the client is gone, and what it left behind
        in the backlog stands before the connection that is made here."""
        with socket.socket() as last:
            last.bind(("127.0.0.1", 0))
            self.last = last.getsockname()
            last.connect(("127.0.0.1", self.port))
            self.accepting.join(PATIENCE)
        self.listener.close()
        for thread in self.threads:
            thread.join(PATIENCE)
        for stream in self.open:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        # Whoever serves a stream closes it: a number given back here could be another server's at once.


def vault(told):
    certificates = told.get("certificates", ["ours/localhost"])
    kind = told.get("answer", "vault")

    def serve(server, stream, number):
        if kind == "slams":
            return stream.close()
        if kind in ("plain", "silent"):
            server.log.append(stream.recv(65536))
            return kind == "plain" and stream.sendall(answer(200, BODY))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = certificates[min(number, len(certificates)) - 1]
        context.load_cert_chain(FOLDER / f"{leaf.replace('/', '-')}.pem", FOLDER / "leaf.key")
        stream = context.wrap_socket(stream, server_side=True)
        server.open.append(stream)
        while True:
            request = b""
            while not request.endswith(b"\r\n\r\n"):
                part = stream.recv(65536)
                request += part
                if not part:
                    server.log.append(request)
                    return
            server.log.append(request)
            if request.startswith(b"GET /v1/ca "):
                said, close = ca_answer(told.get("ca", "ours")), False
            elif kind == "hang":
                continue
            else:
                said, close = ANSWERS[kind]
            step = 7 if kind == "chunked" else len(said) or 1
            for at in range(0, len(said), step):
                stream.sendall(said[at : at + step])
            if close:
                return stream.unwrap().close() if kind == "last" else stream.close()

    return Server(serve)


def proxy(kind, port):
    def serve(server, stream, _):
        request = stream.recv(65536)
        server.log.append(request)
        if kind == "closes":
            return stream.close()
        login = base64.b64encode(b"us er:p:ss").decode()
        if kind == "refuses" or (kind == "login" and f"Proxy-Authorization: Basic {login}\r\n".encode() not in request):
            return stream.sendall(answer(407, "no"))
        upstream = socket.create_connection(("127.0.0.1", port))
        server.open.append(upstream)
        stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(upstream, stream, []), daemon=True).start()
        pump(stream, upstream, server.log)

    return Server(serve)


def pump(source, sink, log):
    try:
        while True:
            part = source.recv(65536)
            log.append(part)
            if not part:
                return sink.shutdown(socket.SHUT_WR)
            sink.sendall(part)
    except OSError:
        pass


def environment(scenario, server, through):
    client = {"pin": "ours", "host": "localhost", **scenario.get("client", {})}
    text = token(client["pin"])
    env = {
        "HOME": str(FOLDER / "home"),
        "HQ_VAULT_URL": f"https://{client['host']}:{server.port}",
        "HQ_VAULT_TOKEN": text[:-3] if client.get("slip") else text,
        # What the system trusts, by the names that each platform reads.
        "SSL_CERT_FILE": str(FOLDER / "system.pem"),
        "NODE_EXTRA_CA_CERTS": str(FOLDER / "system.pem"),
    }
    if "fingerprint" in client:
        env["HQ_VAULT_FINGERPRINT"] = "sha256:" + binascii.hexlify(hashlib.sha256(der(client["fingerprint"])).digest()).decode()
    if "caFile" in client:
        env["HQ_VAULT_CACERT"] = str(FOLDER / f"{client['caFile']}.pem")
    if "vaultDir" in client:
        env["HQ_VAULT_DIR"] = str(FOLDER / f"dir-{client['vaultDir']}")
    if through:
        login = "us%20er:p%3ass@" if client["proxy"] == "login" else ""
        env["HTTPS_PROXY"] = f"http://{login}127.0.0.1:{through.port}"
    env.update(client.get("env", {}))
    return text, env


class Probe:
    """A client. One that crashed, hung or said what is no answer fails its case, and a new one plays the next."""

    def __init__(self, name, command):
        self.name, self.command, self.process = name, shlex.split(command), None

    def ask(self, env, timeout, connect):
        if self.name == "cli":
            done = subprocess.run([*self.command, "get", "a/b"], env={**env, "HQ_VAULT_AUTOSTART": "0"},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
            said = {"exit": done.returncode, "message": done.stderr, "shown": done.stderr}
            return {**said, "value": done.stdout} if done.returncode == 0 else said
        if self.process is None:
            own = {"SSL_CERT_FILE": str(FOLDER / "system.pem"), "NODE_EXTRA_CA_CERTS": str(FOLDER / "system.pem")}
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, text=True, env={**os.environ, **own})
        self.process.stdin.write(json.dumps({"env": env, "timeout": timeout, "connect": connect}) + "\n")
        self.process.stdin.flush()
        # Exactly one line comes for each, so nothing of it waits in a buffer that select cannot see.
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            raise TimeoutError(f"it said nothing in {PATIENCE} s")
        line = self.process.stdout.readline()
        if not line:
            raise EOFError(f"it ended with {self.process.wait()}")
        return json.loads(line)

    def end(self):
        """Ends it, whatever it is doing."""
        process, self.process = self.process, None
        if process:
            process.kill()
            process.communicate()

    def close(self):
        """One that is left to itself ends well when there is no more to ask."""
        if self.process:
            self.process.stdin.close()
            return self.process.wait(PATIENCE)
        return 0


def play(scenario, probe):
    """What is wrong, one sentence each."""
    server = vault(scenario.get("server", {}))
    kind = scenario.get("client", {}).get("proxy")
    through = proxy(kind, server.port) if kind else None
    text, env = environment(scenario, server, through)
    answers = scenario.get("server", {}).get("answer")
    try:
        # Who hangs has to be given the request first, on a machine that does other things besides.
        said = probe.ask(env, 2 if answers == "hang" else 10, 0.3 if answers == "silent" else 5)
    except Exception:
        probe.end()
        raise
    finally:
        server.close()
        if through:
            through.close()
    wrong, code = [], scenario.get("code")

    def expect(what, found, wanted):
        if found != wanted:
            wrong.append(f"{what}: found {found!r}, expected {wanted!r}; it said {said!r}")

    if probe.name == "cli":
        expect("exit code", said["exit"], EXIT[code] if code else 0)
    else:
        expect("code", said.get("code"), code)
        if code:
            expect("sent", said["sent"], scenario.get("sent", False))
    if code:
        expect("the sentence", scenario.get("says", "") in said["message"], True)
    else:
        expect("value", said.get("value"), VALUE)
    asked = sum(text.encode() in part for part in server.log)
    expect("requests with the token", asked, scenario.get("asked", 0 if code else 1))
    if "connections" in scenario:
        expect("connections", server.count, scenario["connections"])
    if "proxied" in scenario:
        expect("tunnels", through.count, scenario["proxied"])
    if through and any(text.encode() in part or b"/v1/" in part for part in through.log):
        wrong.append("the proxy saw what it should not")
    for secret in (text, text[4:30], VALUE, "canary-secret", "p%3ass"):
        if secret in said["shown"]:
            wrong.append(f"what it shows holds {secret}")
    return wrong


def main():
    scenarios = json.loads((HERE / "hostile.json").read_text())["scenarios"]
    leaves = {leaf for one in scenarios for leaf in one.get("server", {}).get("certificates", [])}
    make_certificates(sorted(leaves | {"ours/localhost"}))
    # Before the clients start: they read these at the same time.
    for name in {one["client"]["vaultDir"] for one in scenarios if "vaultDir" in one.get("client", {})}:
        (FOLDER / f"dir-{name}").mkdir()
        (FOLDER / f"dir-{name}" / "ca.pem").write_text((FOLDER / f"{name}.pem").read_text())
    (FOLDER / "folder.pem").mkdir()
    (FOLDER / "empty.pem").write_text("nothing\n")
    (FOLDER / "broken.pem").write_text("-----BEGIN CERTIFICATE-----\nbm90aGluZw==\n-----END CERTIFICATE-----\n")
    words = [word.partition("=") for word in sys.argv[2:]]
    with concurrent.futures.ThreadPoolExecutor(len(words)) as pool:
        return max(pool.map(lambda word: among(scenarios, word[0], word[2]), words))


def among(scenarios, name, command):
    """One client among all of them."""
    probe, failed = Probe(name, command), 0
    for scenario in scenarios:
        if name in scenario.get("not", ()):
            continue
        try:
            wrong = play(scenario, probe)
        except Exception:
            wrong = traceback.format_exc(-1).splitlines()
        failed |= bool(wrong)
        # One write: other clients' lines come between, never into it.
        said = "\n    ".join([f"{'not ok' if wrong else 'ok'} {name}: {scenario['name']}", *wrong])
        sys.stdout.write(f"{said}\n")
        sys.stdout.flush()
    if probe.close():
        failed = 1
        print(f"not ok {name}: ended badly", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
