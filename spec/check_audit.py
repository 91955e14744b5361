#!/usr/bin/env python3
"""Verifies, opens and writes the record of spec/audit.md without the Rust code.

Reads vectors/audit/: two records that the Rust code wrote, changes to one of them, and one record that this
script wrote, which a Rust test opens as well.

    python3 spec/check_audit.py               check, print "N passed, N failed", exit 1 on a mismatch
    python3 spec/check_audit.py --make FOLDER write from-python.txt and .json with new random keys for segments

Needs PyNaCl and cryptography (spec/requirements.txt).
"""

import argparse
import hashlib
import hmac
import json
import os
import random
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as xchacha_open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha_seal
from nacl.exceptions import CryptoError

VECTORS = Path(__file__).resolve().parent / "vectors" / "audit"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
COMMON = ["vault", "epoch", "seq", "head", "state", "time"]
MEMBERS = {
    "H": ["v", "why", *COMMON, "key", "root", "chain", "sealed"],
    "C": ["v", *COMMON, "close", "key", "root", "chain"],
    "A": ["v", *COMMON, "adopts"],
    "D": ["v", *COMMON, "to", "at", "key", "root", "chain"],
}
PART = 48_000


class Bad(Exception):
    """A line that is not what the format says."""


# --- bytes -----------------------------------------------------------------------------------------------


def b64(data):
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text, length=None):
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError as e:
        raise Bad("not base64url") from e
    if b64(data) != text or (length is not None and len(data) != length):
        raise Bad("not base64url of the right length")
    return data


def vault_bytes(text):
    digits = text.removeprefix("vlt_")
    if len(digits) != 26 or text == digits or any(c not in CROCKFORD for c in digits):
        raise Bad("not a vault id")
    number = 0
    for c in digits:
        number = number << 5 | CROCKFORD.index(c)
    if number >> 128:
        raise Bad("not a vault id")
    return number.to_bytes(16, "big")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def chain_start(vault):
    return 0, sha256(b"hq-vault/audit/v1/start\0", vault)


def signed_by(public, message, signature):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
        return True
    except InvalidSignature:
        return False


# --- HPKE base mode, RFC 9180, by hand -------------------------------------------------------------------


def hmac256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def hpke_keys(shared, encapsulated, public, info):
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x03"

    def extract(of, salt, label, ikm):
        return hmac256(salt or bytes(32), b"HPKE-v1", of, label, ikm)

    def expand(of, prk, label, context, length):
        return hmac256(prk, length.to_bytes(2, "big"), b"HPKE-v1", of, label, context, b"\x01")[:length]

    secret = expand(kem, extract(kem, b"", b"eae_prk", shared), b"shared_secret", encapsulated + public, 32)
    context = b"\x00" + extract(suite, b"", b"psk_id_hash", b"") + extract(suite, b"", b"info_hash", info)
    prk = extract(suite, secret, b"secret", b"")
    return expand(suite, prk, b"key", context, 32), expand(suite, prk, b"base_nonce", context, 12)


def hpke_open(private, info, sealed):
    ours = X25519PrivateKey.from_private_bytes(private)
    shared = ours.exchange(X25519PublicKey.from_public_bytes(sealed[:32]))
    key, nonce = hpke_keys(shared, sealed[:32], ours.public_key().public_bytes_raw(), info)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed[32:], b"")


def hpke_seal(public, info, plain):
    ours = X25519PrivateKey.generate()
    encapsulated = ours.public_key().public_bytes_raw()
    key, nonce = hpke_keys(ours.exchange(X25519PublicKey.from_public_bytes(public)), encapsulated, public, info)
    return encapsulated + ChaCha20Poly1305(key).encrypt(nonce, plain, b"")


# --- lines -----------------------------------------------------------------------------------------------


def line_message(kind, body):
    return b"hq-vault/audit/v1/line\0" + kind.encode() + body


def link_message(vault, epoch, start, key):
    return b"hq-vault/audit/v1/certificate\0" + vault + epoch.to_bytes(4, "big") + start.to_bytes(8, "big") + key


def key_info(vault, epoch, key):
    return b"hq-vault/audit/v1/record-key\0" + vault + epoch.to_bytes(4, "big") + key


def record_aad(kind, seq, head):
    return kind.encode() + (seq + 1).to_bytes(8, "big") + head


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


class Clear:
    """A clear line, its form checked."""

    def __init__(self, line):
        self.kind = chr(line[0])
        dot = line.rfind(b".")
        if dot < 0:
            raise Bad("no signature")
        self.body, self.signature = line[1:dot], unb64(line[dot + 1:], 64)
        try:
            self.value = json.loads(self.body)
            if compact(self.value) != self.body or list(self.value) != MEMBERS[self.kind] or self["v"] != 1:
                raise Bad("another spelling or version")
            self.read()
        except (ValueError, TypeError, AttributeError) as e:
            raise Bad("not the agreed object") from e

    def read(self):
        self.vault, self.epoch = vault_bytes(self.value["vault"]), self.value["epoch"]
        self.seq, self.head, self.state = self.value["seq"], unb64(self.value["head"], 32), self.value["state"]
        datetime.strptime(self.value["time"], "%Y-%m-%dT%H:%M:%S.%fZ")

    def __getitem__(self, name):
        return self.value[name]

    def check_signature(self, key):
        if not signed_by(key, line_message(self.kind, self.body), self.signature):
            raise Bad("the signature does not hold")

    def check_chain(self, audit):
        links, key = self["chain"], unb64(self["key"], 32)
        if not 1 <= len(links) <= 32 or links[-1]["key"] != self["key"] or links[-1]["from"] > self.seq + 1:
            raise Bad("not a chain for this key")
        issuer, start = audit if self["root"] == "audit" else unb64(links[0]["key"], 32), 0
        for link in links:
            key = unb64(link["key"], 32)
            message = link_message(self.vault, self.epoch, link["from"], key)
            if link["from"] < start or not signed_by(issuer, message, unb64(link["sig"], 64)):
                raise Bad("a certificate does not hold")
            issuer, start = key, link["from"]


# --- verifying -------------------------------------------------------------------------------------------


class Verifier:
    """One pass. `audit` is the public signing key, `reading` the private reading key; either may be None."""

    def __init__(self, audit=None, reading=None):
        self.audit, self.reading = audit, reading
        self.first_bad, self.unclean, self.records = None, [], []
        self.counts = dict.fromkeys(["lines", "checkpoints", "segments", "unproven", "unproven_records"], 0)
        self.chain, self.segment, self.pending, self.parts = None, None, [], b""
        self.vault, self.epoch, self.state, self.record_state = None, 0, 0, 0
        self.confirmed, self.lost = 0, False
        # Lines before the first that are gone, until a signed line stands for them; what `run` compares with.
        self.missing, self.against = None, None

    @property
    def here(self):
        return self.chain[0] + 1 if self.chain else 1

    def bad(self, line):
        if self.first_bad is None:
            self.first_bad = line

    def run(self, lines, against=None):
        """`against`: sequence and head of a checkpoint kept elsewhere."""
        self.against = against
        for line in lines:
            if not line.endswith(b"\n"):
                self.bad(self.here)
                break
            line = line[:-1]
            try:
                self.line(line)
            except Bad:
                if not self.lost:
                    self.bad(self.here)
                self.lost = True
                if line[:1] == b"H":
                    self.segment = None
            seq, head = self.chain or (0, bytes(32))
            self.chain = seq + 1, sha256(head, line)
            self.counts["lines"] += 1
            if against and against[0] == self.chain[0] and against[1] != self.chain[1]:
                self.bad(self.chain[0])
        return self.end()

    def line(self, line):
        kind = line[:1]
        if kind in (b"R", b"P"):
            self.record(kind.decode(), line)
        elif kind in (b"H", b"C", b"A", b"D"):
            read = {"H": self.header, "C": self.checkpoint, "A": self.adoption, "D": self.dropped}
            read[kind.decode()](Clear(line))
        else:
            raise Bad("no type")

    def record(self, kind, line):
        if len(line) >= 65_536:
            raise Bad("too long")
        sealed = unb64(line[1:])
        if self.segment is None or self.segment["closed"]:
            raise Bad("outside of a segment")
        if kind == "R" and self.segment["header"]["root"] == "none":
            self.counts["unproven_records"] += 1
        if self.segment["key"] is None or self.lost:
            return
        key, salt = self.segment["key"][:32], self.segment["key"][32:]
        try:
            plain = xchacha_open(sealed[8:], record_aad(kind, *self.chain), salt + sealed[:8], key)
            self.parts += plain
            if kind == "P":
                return
            value = json.loads(self.parts)
        except (CryptoError, ValueError, TypeError) as e:
            self.parts = b""
            raise Bad("does not open") from e
        self.parts = b""
        self.state_at_least(value["state"])
        self.record_state = value["state"]
        unproven = self.segment["header"]["root"] == "none"
        self.records.append({**value, "sequence": self.here, "unproven": unproven})

    def checkpoint(self, clear):
        if self.segment is None or self.segment["closed"]:
            raise Bad("outside of a segment")
        header = self.segment["header"]
        if any(clear[name] != header[name] for name in ["vault", "epoch", "key", "root", "chain"]):
            raise Bad("another segment's")
        if self.audit:
            clear.check_signature(unb64(clear["key"], 32))
        self.counts["checkpoints"] += 1
        self.confirm(clear)
        self.segment["closed"] = clear["close"]

    def dropped(self, clear):
        """Retention's: only a segment that the identity vouches for may say it."""
        if self.segment is None or self.segment["closed"]:
            raise Bad("outside of a segment")
        header = self.segment["header"]
        if header["root"] != "audit" or any(
            clear[name] != header[name] for name in ["vault", "epoch", "key", "root", "chain"]
        ):
            raise Bad("another segment's")
        if self.audit:
            clear.check_signature(unb64(clear["key"], 32))
        self.confirm(clear)
        # A crash may leave files that were to go.
        gone = clear["to"], unb64(clear["at"], 32)
        if self.missing and (gone[0] > self.missing[0] or gone == self.missing):
            self.missing = None

    def header(self, clear):
        if self.audit:
            clear.check_signature(unb64(clear["key"], 32))
            clear.check_chain(self.audit)
        if self.chain is None:
            if clear.seq > 0:
                self.missing = clear.seq, clear.head
            elif (clear.seq, clear.head) != chain_start(clear.vault):
                self.bad(1)
            self.chain, self.confirmed = (clear.seq, clear.head), clear.seq
        if clear["why"] == "start":
            self.record_state = 0
        if self.vault not in (None, clear.vault) or clear.epoch < self.epoch:
            self.bad(self.here)
        if clear.epoch > self.epoch:
            self.state = self.record_state = 0
        self.vault, self.epoch = clear.vault, clear.epoch
        self.confirm(clear)
        self.end_segment(clear.seq, clear.head)
        if clear["root"] == "audit":
            self.never_adopted()
        self.counts["segments"] += 1
        self.counts["unproven"] += clear["root"] == "none"
        self.segment = {"header": clear, "closed": False, "key": self.record_key(clear)}

    def record_key(self, clear):
        if self.reading is None:
            return None
        try:
            info = key_info(clear.vault, clear.epoch, unb64(clear["key"], 32))
            return hpke_open(self.reading, info, unb64(clear["sealed"], 96))
        except (InvalidTag, ValueError):
            return self.bad(self.here)

    def adoption(self, clear):
        if self.audit:
            clear.check_signature(self.audit)
        if self.vault not in (None, clear.vault):
            raise Bad("another vault's")
        self.confirm(clear)
        self.end_segment(clear.seq, clear.head)
        for adopted in clear["adopts"]:
            named = {name: adopted[name] for name in ["key", "from", "to", "head"]}
            if named in self.pending:
                self.pending.remove(named)
            else:
                self.bad(adopted["from"])

    def end_segment(self, seq, head):
        segment, self.segment, self.parts = self.segment, None, b""
        if segment is None:
            return
        if not segment["closed"]:
            self.unclean.append(seq)
        header = segment["header"]
        if header["root"] == "none":
            self.pending.append({"key": header["key"], "from": header.seq + 1, "to": seq, "head": b64(head)})

    def never_adopted(self):
        for segment in self.pending:
            self.bad(segment["from"])
        self.pending = []

    def confirm(self, clear):
        said = clear.seq, clear.head
        if self.chain != said and not self.lost:
            self.bad(min(self.confirmed + 1, self.here))
        self.chain, self.lost, self.parts = said, False, b""
        self.confirmed = clear.seq + 1
        self.state_at_least(clear.state)
        self.state, self.record_state = clear.state, 0

    def state_at_least(self, state):
        if state < max(self.state, self.record_state):
            self.bad(self.here)

    def end(self):
        if not self.counts["lines"]:
            self.bad(1)
        if self.missing:
            self.first_bad = 1
        if self.against and self.against[0] > self.here - 1:
            self.bad(self.here)
        if self.segment:
            header = self.segment["header"]
            if self.segment["closed"]:
                self.end_segment(*self.chain)
            elif header["root"] == "none":
                self.bad(header.seq + 1)
        self.never_adopted()
        return self


# --- writing ---------------------------------------------------------------------------------------------


class Writer:
    """Writes a record with the identity of the vectors and fresh keys for everything else."""

    def __init__(self, facts):
        self.vault_text, self.vault, self.epoch = facts["vault"], vault_bytes(facts["vault"]), facts["epoch"]
        self.audit = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(facts["signing_private"]))
        self.reading = bytes.fromhex(facts["reading_public"])
        self.lines, (self.seq, self.head) = [], chain_start(self.vault)
        self.records = []

    def push(self, line):
        assert len(line) < 65_536
        self.lines.append(line + b"\n")
        self.seq, self.head = self.seq + 1, sha256(self.head, line)

    def clear(self, kind, signer, **more):
        common = {"vault": self.vault_text, "epoch": self.epoch, "seq": self.seq, "head": b64(self.head), "state": 3}
        members = {"v": 1, **common, "time": "2026-11-24T22:59:21.123Z", **more}
        body = compact({name: members[name] for name in MEMBERS[kind]})
        self.push(kind.encode() + body + b"." + b64(signer.sign(line_message(kind, body))).encode())

    def link(self, issuer, key, start):
        public = key.public_key().public_bytes_raw()
        signature = issuer.sign(link_message(self.vault, self.epoch, start, public))
        return {"key": b64(public), "from": start, "sig": b64(signature)}

    def begin(self, why, root, issue):
        self.key, self.root, self.counter = Ed25519PrivateKey.generate(), root, 0
        self.chain = issue(self.key, self.seq + 1)
        self.record_key, public = os.urandom(48), self.key.public_key().public_bytes_raw()
        sealed = b64(hpke_seal(self.reading, key_info(self.vault, self.epoch, public), self.record_key))
        self.first = self.seq + 1
        self.clear("H", self.key, why=why, key=b64(public), root=root, chain=self.chain, sealed=sealed)

    def checkpoint(self, close):
        public = b64(self.key.public_key().public_bytes_raw())
        self.clear("C", self.key, close=close, key=public, root=self.root, chain=self.chain)

    def record(self, value):
        text = compact(value)
        parts = [text[at:at + PART] for at in range(0, len(text), PART)]
        for at, part in enumerate(parts):
            kind, counter = "R" if at + 1 == len(parts) else "P", self.counter.to_bytes(8, "big")
            aad = record_aad(kind, self.seq, self.head)
            sealed = xchacha_seal(part, aad, self.record_key[32:] + counter, self.record_key[:32])
            self.push(kind.encode() + b64(counter + sealed).encode())
            self.counter += 1
        self.records.append({**value, "sequence": self.seq, "unproven": self.root == "none"})

    def adopt(self):
        key = b64(self.key.public_key().public_bytes_raw())
        adopted = {"key": key, "from": self.first, "to": self.seq, "head": b64(self.head), "own": True}
        self.clear("A", self.audit, adopts=[adopted])


def sample(path, **more):
    item = {"path": path, "kind": "named", "channel": "get"}
    value = {"state": 3, "time": "2026-11-24T22:59:21.123Z", "operation": "get", "outcome": "ok"}
    return {**value, "identity": {"kind": "nobody"}, "source": "socket", **more, "items": [item]}


def make(facts, folder):
    w = Writer(facts)
    w.begin("start", "none", lambda key, start: [w.link(key, key, start)])
    w.record(sample("while/locked"))
    w.checkpoint(True)
    w.adopt()
    unlock = Ed25519PrivateKey.generate()
    first = w.link(w.audit, unlock, w.seq + 1)
    issue = lambda key, start: [first, w.link(unlock, key, start)]  # noqa: E731
    w.begin("unlock", "audit", issue)
    w.record(sample("a\n\"\\\u202e\x1b\u00e9"))
    w.record(sample("p" * 100_000))
    w.checkpoint(False)
    w.record(sample("myapp/key", code="NOT_FOUND", agent="curl/8"))
    w.checkpoint(True)
    w.begin("lock", "audit", issue)
    locked = w.key
    w.record(sample("after/lock"))
    w.checkpoint(True)
    links = w.chain
    w.begin("full", "audit", lambda key, start: [*links, w.link(locked, key, start)])
    w.record(sample("after/full"))
    w.checkpoint(True)
    (folder / "from-python.txt").write_bytes(b"".join(w.lines))
    text = json.dumps({"records": [shortened(r) for r in w.records]}, indent=2) + "\n"
    (folder / "from-python.json").write_text(text)


# --- checking the vectors --------------------------------------------------------------------------------


def shortened(record):
    """A path too long to print is given by its hash."""
    path = record["items"][0]["path"] if record["items"] else ""
    if len(path) > 1000:
        digest = hashlib.sha256(path.encode()).hexdigest()
        record = {**record, "items": [{**record["items"][0], "path": f"sha256:{digest}"}]}
    return record


def changed(lines, change):
    lines, (what, line, *more) = list(lines), change
    at = line - 1
    if what == "drop":
        del lines[at]
    elif what == "swap":
        other = more[0] - 1
        lines[at], lines[other] = lines[other], lines[at]
    elif what == "double":
        lines.insert(at, lines[at])
    elif what == "copy":
        lines[at] = lines[more[0] - 1]
    elif what == "cut":
        del lines[at:]
    elif what == "flip":
        text = bytearray(lines[at])
        text[more[0]] ^= 1
        lines[at] = bytes(text)
    return split(b"".join(lines))


def split(data):
    """Lines with their newlines; the last may have none."""
    *lines, rest = data.split(b"\n")
    return [line + b"\n" for line in lines] + [rest] * bool(rest)


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def same(self, found, expected, what):
        if found == expected:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {found!r} is not {expected!r}")


def read_lines(name):
    return split((VECTORS / name).read_bytes())


def levels(facts):
    audit = bytes.fromhex(facts["signing_public"])
    reading = bytes.fromhex(facts["reading_private"])
    return {"chain": (None, None), "signatures": (audit, None), "everything": (audit, reading)}


def check_log(tally, facts, log):
    lines, name = read_lines(log["file"]), log["file"]
    for level, keys in levels(facts).items():
        found = Verifier(*keys).run(lines)
        tally.same(found.first_bad, None, f"{name} at {level}")
        for count, value in found.counts.items():
            tally.same(value, log[count], f"{name} at {level}: {count}")
        tally.same(found.unclean, log["unclean_ends"], f"{name} at {level}: unclean ends")
        tally.same(found.chain[1].hex(), log["head"], f"{name} at {level}: head")
    tally.same([shortened(r) for r in found.records], log["records"], f"{name}: records")


def check_tampered(tally, facts, case):
    lines = changed(read_lines("good.txt"), case["change"])
    for level, keys in levels(facts).items():
        found = Verifier(*keys).run(lines).first_bad
        tally.same(found, case[level], f"good.txt after {case['change']} at {level}")


def check_random(tally, facts, rounds=300):
    """Changes anywhere, found with the public key alone. The last line stays: a cut there cannot be seen."""
    good, rng = read_lines("unclean.txt"), random.Random(1)
    keys = levels(facts)["signatures"]
    for _ in range(rounds):
        line, other = rng.randint(1, len(good) - 1), rng.randint(1, len(good) - 1)
        what = rng.choice(["drop", "swap", "double", "copy", "flip"])
        change = [what, line, rng.randrange(len(good[line - 1])) if what == "flip" else other]
        lines = changed(good, change)
        found = Verifier(*keys).run(lines).first_bad is not None
        tally.same(found, lines != good, f"unclean.txt after {change}")


def check_checkpoints(tally, facts):
    """Each certified checkpoint verifies alone, and no longer after a change of any of its bytes."""
    audit = bytes.fromhex(facts["signing_public"])

    def holds(line):
        try:
            clear = Clear(line)
            clear.check_signature(unb64(clear["key"], 32))
            clear.check_chain(audit)
            return clear["root"] == "audit"
        except (Bad, ValueError):
            return False

    for line in (line[:-1] for line in read_lines("good.txt") if line[:1] == b"C"):
        tally.same(holds(line), b'"root":"audit"' in line, "a checkpoint alone")
    flips = (line[:at] + bytes([line[at] ^ 1]) + line[at + 1:] for at in range(1, len(line)))
    tally.same(any(holds(flipped) for flipped in flips), False, "a changed checkpoint")


def check_python(tally, facts):
    log = json.loads((VECTORS / "from-python.json").read_text())
    for level, keys in levels(facts).items():
        found = Verifier(*keys).run(read_lines("from-python.txt"))
        tally.same(found.first_bad, None, f"from-python.txt at {level}")
    tally.same([shortened(r) for r in found.records], log["records"], "from-python.txt: records")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--make", metavar="FOLDER", type=Path)
    folder = arguments.parse_args().make
    facts = json.loads((VECTORS / "vectors.json").read_text())
    if folder:
        make(facts, folder)
    tally = Tally()
    for log in facts["logs"]:
        check_log(tally, facts, log)
    for case in facts["tampered"]:
        check_tampered(tally, facts, case)
    check_random(tally, facts)
    check_checkpoints(tally, facts)
    check_python(tally, facts)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
