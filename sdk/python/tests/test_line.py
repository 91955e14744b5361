"""The line against a server of this process's own on a Unix socket, which writes down what it is sent.

Every test runs twice: with the blocking client, and with the one for asyncio.
"""

import asyncio
import concurrent.futures
import copy
import json
import os
import pickle
import re
import shutil
import socket
import ssl
import tempfile
import threading
import traceback
import unittest
from unittest import mock

import hq_vault
from hq_vault import VaultSdkError
from hq_vault._asyncio import AsyncStream, TlsStream
from hq_vault._unix import check_socket
from hq_vault.aio import AsyncVaultClient

TOKEN = "hqv_Ag8HPtkbLzkkyJ7Fj85PZ-xoZnJ9BK49gflzd7Dps1_BAAAAAAAAAAAAAAAAAAAAAJOk250"
VALUE = "made-up-value"
SECRET = json.dumps({"path": "a/b", "value": VALUE, "metadata": {}, "version": 1, "createdAt": "", "updatedAt": ""})


def answer(body, status=200):
    data = body if isinstance(body, bytes) else body.encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


class Vault:
    """``serve(request, stream, number of the connection)`` answers each request."""

    def __init__(self, folder, serve):
        self.path = os.path.join(folder, "vault.sock")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o600)
        self.listener.listen(128)
        self.serve, self.requests, self.connections, self.ended = serve, [], 0, threading.Event()
        self.streams = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.streams.append(stream)
            threading.Thread(target=self.converse, args=(stream, self.connections), daemon=True).start()

    def converse(self, stream, number):
        with stream:
            while True:
                try:
                    request = stream.recv(65536)
                    if not request:
                        break
                    self.requests.append(request.decode())
                    if self.serve(request.decode(), stream, number):
                        break
                except OSError:
                    break
        # Only now, when it is closed.
        self.ended.set()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for stream in self.streams:
            try:
                stream.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Cases:
    """For both kinds; ``run`` gives the result of a call."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(dir="/tmp")
        self.addCleanup(shutil.rmtree, self.folder)

    def vault(self, serve):
        vault = Vault(self.folder, serve)
        self.addCleanup(vault.close)
        return vault

    def client(self, **options):
        client = self.KIND(**{"url": f"unix:{self.folder}/vault.sock", "token": TOKEN, "timeout": 5.0, **options})
        self.addCleanup(client.close)
        return client

    def fails(self, code, call, *, sent, says=""):
        with self.assertRaises(VaultSdkError) as caught:
            self.run_(call())
        error = caught.exception
        self.assertEqual((error.code, error.sent), (code, sent), error)
        self.assertIn(says, error.message)
        return error

    def test_calls_share_a_kept_connection_and_say_who_they_are(self):
        vault = self.vault(lambda _, stream, __: stream.sendall(answer(SECRET)))
        client = self.client(reason="rotate \u00fc\r\nX-Evil: 1")
        for _ in range(5):
            self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        self.assertEqual(vault.connections, 1)
        for part in (
            r"^GET /v1/secrets/a/b HTTP/1\.1\r\n",
            f"\r\nAuthorization: Bearer {TOKEN}\r\n",
            "\r\nUser-Agent: python/3[.][0-9]+ hq-vault-sdk\r\n",
            "\r\nX-HQV-Reason: rotate %C3%BC%0D%0AX-Evil: 1\r\n",
        ):
            self.assertRegex(vault.requests[0], part)

    def test_a_kept_connection_that_was_closed_meanwhile_is_made_anew(self):
        vault = self.vault(lambda _, stream, number: stream.sendall(answer(SECRET)) or number == 1)
        client = self.client()
        self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        vault.ended.wait(5)
        self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        self.assertEqual((vault.connections, len(vault.requests)), (2, 2))

    def test_a_request_that_was_taken_and_not_answered_is_never_sent_again(self):
        vault = self.vault(lambda _, stream, __: len(vault.requests) == 2 or stream.sendall(answer(SECRET)))
        client = self.client()
        self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        self.fails("CONNECTION_ERROR", lambda: client.get_secret("a/b"), sent=True)
        self.assertEqual((vault.connections, len(vault.requests)), (1, 2))
        self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        self.assertEqual(vault.connections, 2)

    def test_a_deadline_ends_the_call_and_the_connection(self):
        vault = self.vault(lambda *_: None)
        client = self.client(timeout=0.4)
        self.fails("TIMEOUT", lambda: client.get_secret("slow"), sent=True, says="did not answer in 0.4 s")
        self.assertEqual((len(vault.requests), client._verbs.line._idle), (1, []))

    def test_odd_answers(self):
        answers = {
            "utf8": answer(b'{"value": "\xff"}'),
            "switch": b"HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n",
            "both": b"HTTP/1.1 200 X\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "length": b"HTTP/1.1 200 X\r\nContent-Length: +2\r\n\r\n{}",
            "chunk": b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
            "header": b"HTTP/1.1 200 X\r\nContent-Length : 2\r\n\r\n{}",
            "head": b"HTTP/1.1 200 X\r\n" + b"A: b\r\n" * 20000,
            "status": b"HTTP/1.1 20 X\r\nContent-Length: 2\r\n\r\n{}",
            "null": answer("null"),
        }
        self.vault(lambda request, stream, _: stream.sendall(answers[re.search(r"secrets/(\w+)", request)[1]]) or True)
        client = self.client()
        for name in answers:
            if name != "null":
                self.fails("CONNECTION_ERROR", lambda: client.get_secret(name), sent=True)

    def test_what_is_no_value_path_or_timeout_is_told_before_anything_is_sent(self):
        vault = self.vault(lambda *_: None)
        client = self.client()
        for call in (
            lambda: client.store_secret("a/b", "half \ud800 a pair"),
            lambda: client.store_secret("a/b", 42),
            lambda: client.store_secret("", "v"),
            lambda: client.get_secret("half \ud800 a pair"),
            lambda: client.get_secrets("a/b"),
            lambda: client.revoke_token(""),
        ):
            self.fails("BAD_REQUEST", call, sent=False)
        for timeout in (0, -1, float("nan"), float("inf")):
            with self.assertRaises(VaultSdkError):
                self.client(timeout=timeout)
        self.assertEqual(vault.connections, 0)

    def test_nothing_that_is_handed_out_prints_a_token_or_a_value(self):
        entry = {"id": "ent_1", "code": "7F3K", "expiresAt": "t", "state": "waiting", "joined": False, "url": f"http://x/#{VALUE}"}
        made = {"ok": True, "token": TOKEN, "metadata": {"name": "w"}, "notes": []}
        answers = {
            "POST /v1/tokens": answer(json.dumps(made), 201),
            "POST /v1/secrets:batch": answer(f'{{"secrets":[{SECRET}]}}'),
            "POST /v1/entries": answer(json.dumps(entry), 201),
            "GET /v1/entries/ent_1": answer('{"id":"ent_1","state":"refused"}'),
        }
        self.vault(lambda request, stream, _: stream.sendall(next(a for start, a in answers.items() if request.startswith(start))))
        client = self.client()
        created = self.run_(client.create_token("w"))
        secrets = self.run_(client.get_secrets(["a/b"]))
        waiting = []
        error = self.fails("FORBIDDEN", lambda: client.ingest("a/b", on_waiting=waiting.append), sent=True)
        self.assertEqual((created.token, dict(secrets), secrets.bytes("a/b")), (TOKEN, {"a/b": VALUE}, VALUE.encode()))
        self.assertEqual(waiting[0].url, f"http://x/#{VALUE}")
        for thing in (client, created, secrets, secrets.info("a/b"), waiting[0], error):
            text = "\n".join([str(thing), repr([thing]), f"{thing}", repr(vars(thing)), repr(getattr(thing, "args", ""))])
            self.assertNotIn(TOKEN, text)
            self.assertNotIn(VALUE, text)
        for thing in (created, secrets, waiting[0]):
            with self.assertRaises(TypeError):
                pickle.dumps(thing)
            with self.assertRaises(TypeError):
                copy.deepcopy(thing)

    def test_no_frame_of_ours_holds_a_token_or_a_value(self):
        self.vault(lambda _, stream, __: True)
        client = self.client()
        try:
            self.run_(client.store_secret("a/b", VALUE))
        except VaultSdkError as error:
            self.assertIsNone(error.__context__)
            report = traceback.TracebackException.from_exception(error, capture_locals=True)
        ours = [frame for frame in report.stack if f"{os.sep}hq_vault{os.sep}" in frame.filename]
        self.assertGreater(len(ours), 2)
        text = "".join(traceback.StackSummary.from_list(ours).format())
        self.assertNotIn(TOKEN, text)
        self.assertNotIn(VALUE, text)

    def test_a_name_that_nobody_answers_for_is_given_up_in_time(self):
        over = threading.Event()
        self.addCleanup(over.set)
        with mock.patch("socket.getaddrinfo", lambda *_, **__: over.wait(60) and []):
            client = self.client(url="https://vault.example", connect_timeout=0.2)
            self.fails("CONNECTION_ERROR", lambda: client.get_secret("a/b"), sent=False, says="did not answer in 0.2 s")
        # The one that was left behind keeps nobody: it ends when its answer comes, and says nothing.
        asked = [thread for thread in threading.enumerate() if thread.name == "hq-vault-lookup"]
        self.assertEqual([thread.daemon for thread in asked], [True])
        over.set()
        asked[0].join(5)
        self.assertFalse(asked[0].is_alive())

    def test_a_name_that_is_not_known_is_told(self):
        with mock.patch("socket.getaddrinfo", side_effect=socket.gaierror(-2, "Name or service not known")):
            client = self.client(url="https://vault.example")
            self.fails("CONNECTION_ERROR", lambda: client.get_secret("a/b"), sent=False, says="vault.example is not known")

    def test_a_socket_that_is_not_ours_alone_is_refused_before_anybody_connects(self):
        vault = self.vault(lambda _, stream, __: stream.sendall(answer(SECRET)))

        def refused(says, **options):
            client = self.client(**options)
            self.fails("CONNECTION_ERROR", lambda: client.get_secret("a/b"), sent=False, says=says)

        os.chmod(vault.path, 0o660)
        refused("others may use it")
        os.chmod(vault.path, 0o600)
        os.chmod(self.folder, 0o777)
        refused("others may change its directory")
        os.chmod(self.folder, 0o1777)
        self.assertEqual(self.run_(self.client().get_secret("a/b")), VALUE)
        os.chmod(self.folder, 0o700)
        with self.assertRaisesRegex(VaultSdkError, "belongs to uid"):
            check_socket(vault.path, os.getuid() + 1)
        os.symlink(vault.path, os.path.join(self.folder, "link"))
        for other in ("link", ""):
            refused("it is not a socket", url=f"unix:{self.folder}/{other}".rstrip("/"))
        refused("no vault answers", url=f"unix:{self.folder}/none")
        self.assertEqual(vault.connections, 1)


class Blocking(Cases, unittest.TestCase):
    KIND = hq_vault.VaultClient

    def run_(self, result):
        return result

    def test_threads_each_get_their_own_answer(self):
        self.vault(lambda request, stream, _: stream.sendall(answer(json.dumps({"value": re.search(r"a/\d+", request)[0]}))))
        client = self.client()
        paths = [f"a/{number}" for number in range(60)]
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertEqual(list(pool.map(client.get_secret, paths)), paths)

    def test_a_fork_shares_no_connection(self):
        vault = self.vault(lambda _, stream, number: stream.sendall(answer(json.dumps({"value": str(number)}))))
        client = self.client()
        self.assertEqual(client.get_secret("a/b"), "1")
        child = os.fork()
        if child == 0:
            os._exit(0 if client.get_secret("a/b") == "2" else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(client.get_secret("a/b"), "1")
        self.assertEqual(vault.connections, 2)


class OnLoop(Cases, unittest.TestCase):
    KIND = AsyncVaultClient

    def setUp(self):
        super().setUp()
        self.loop = asyncio.new_event_loop()
        self.addCleanup(self.loop.close)

    def run_(self, result):
        return self.loop.run_until_complete(result)

    def test_tasks_each_get_their_own_answer(self):
        self.vault(lambda request, stream, _: stream.sendall(answer(json.dumps({"value": re.search(r"a/\d+", request)[0]}))))
        client = self.client()
        paths = [f"a/{number}" for number in range(60)]

        async def together():
            return await asyncio.gather(*map(client.get_secret, paths))

        self.assertEqual(self.run_(together()), paths)

    def test_another_loop_makes_its_own_connection(self):
        vault = self.vault(lambda _, stream, __: stream.sendall(answer(SECRET)))
        client = self.client()
        self.assertEqual(self.run_(client.get_secret("a/b")), VALUE)
        self.assertEqual(asyncio.run(client.get_secret("a/b")), VALUE)
        self.assertEqual(vault.connections, 2)

    def test_a_connection_in_which_something_waits_that_was_read_already_is_not_used_again(self):
        ours, theirs = socket.socketpair()
        with ours, theirs:
            async def look(waiting):
                stream = TlsStream(AsyncStream(ours, 0.0), ssl.create_default_context(), "localhost")
                stream._in.write(waiting)
                return stream.quiet()

            self.assertEqual([self.run_(look(b"")), self.run_(look(b"an alert"))], [True, False])

    def test_a_cancelled_call_ends_its_connection(self):
        vault = self.vault(lambda *_: None)
        client = self.client()

        async def cancelled():
            task = asyncio.ensure_future(client.get_secret("a/b"))
            while not vault.requests:
                await asyncio.sleep(0)
            task.cancel()
            await task

        with self.assertRaises(asyncio.CancelledError):
            self.run_(cancelled())
        self.assertEqual(client._verbs.line._idle, [])


if __name__ == "__main__":
    unittest.main()
