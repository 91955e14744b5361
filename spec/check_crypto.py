#!/usr/bin/env python3
"""Re-computes the byte formats of spec/*.md without the Rust code.

Opens everything in vectors/crypto/*.json: key slots, keyring, rows, row state, settings, tokens, CA, HPKE.
One file was made by the Rust code, the other by this script; a Rust test opens both as well.

    python3 spec/check_crypto.py               check, print "N passed, N failed", exit 1 on a mismatch
    python3 spec/check_crypto.py --make FILE   also write a fresh world with new random keys to FILE

Needs spec/requirements.txt.
"""

import argparse
import hashlib
import hmac
import json
import sys
import traceback
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from pathlib import Path

import cbor2
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as xchacha_open,
    crypto_aead_xchacha20poly1305_ietf_encrypt as xchacha_seal,
)

SLOT, KEYRING, SETTING, SECRET, VERSION, TOKEN, LEDGER, STATE = range(1, 9)
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
VECTORS = Path(__file__).resolve().parent / "vectors" / "crypto"
RAW = (serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def hmac256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def hmac512(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha512).digest()


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} is not {expected!r}")


# --- rows.md ---------------------------------------------------------------------------------------------


class Row:
    """A row's columns; the same names as in the JSON."""

    def __init__(self, kind, id, revision, epoch, term, lookup=None, nonce=bytes(24), tag=bytes(16), body=b""):
        self.kind, self.id, self.revision, self.epoch, self.term = kind, id, revision, epoch, term
        self.lookup, self.nonce, self.tag, self.body = lookup, nonce, tag, body

    @classmethod
    def from_json(cls, columns):
        data = ("id", "lookup", "nonce", "tag", "body")
        return cls(**{k: bytes.fromhex(v) if k in data and v is not None else v for k, v in columns.items()})

    def to_json(self):
        return {k: v.hex() if isinstance(v, bytes) else v for k, v in vars(self).items()}

    def header(self):
        return (
            bytes([1, self.kind, len(self.id)]) + self.id + self.revision.to_bytes(8, "big")
            + self.epoch.to_bytes(4, "big") + self.term.to_bytes(4, "big")
        )

    def aad(self, vault):
        return self.header() + vault + (self.lookup or b"")

    def open(self, key, vault, more_aad=b""):
        return xchacha_open(self.body + self.tag, self.aad(vault) + more_aad, self.nonce, key)

    def seal(self, key, vault, plain, nonce, more_aad=b""):
        sealed = xchacha_seal(plain, self.aad(vault) + more_aad, nonce, key)
        self.nonce, self.body, self.tag = nonce, sealed[:-16], sealed[-16:]
        return self

    def is_clear(self):
        return self.kind == SLOT or (self.kind == SETTING and self.id == b"locked")


def body_of(data):
    """A CBOR map with ascending integer keys and nothing after it, in its shortest form."""
    fields = cbor2.loads(data)
    if list(fields) != sorted(fields) or encode_body(fields) != data:
        raise AssertionError("not in canonical form")
    return fields


def encode_body(fields):
    return cbor2.dumps(dict(sorted(fields.items())))


# --- slots.md --------------------------------------------------------------------------------------------


def crockford_encode(data):
    bits = int.from_bytes(data, "big")
    count = len(data) * 8 // 5
    return "".join(CROCKFORD[bits >> (5 * i) & 31] for i in reversed(range(count)))


def recovery_text(secret):
    payload = b"\x01" + secret
    digits = crockford_encode(payload + zlib.crc32(b"HQVR" + payload).to_bytes(4, "big"))
    return "-".join(["HQVR"] + [digits[i : i + 5] for i in range(0, 40, 5)])


def recovery_secret(text):
    digits = text.upper().replace("-", "").replace(" ", "")[4:].translate(str.maketrans("OIL", "011"))
    bits = 0
    for digit in digits:
        bits = bits << 5 | CROCKFORD.index(digit)
    data = bits.to_bytes(25, "big")
    same(data[21:], zlib.crc32(b"HQVR" + data[:21]).to_bytes(4, "big"), "checksum of the recovery key")
    same(data[0], 1, "version of the recovery key")
    return data[1:21]


def slot_key(kind, fields, vault, slot_id, secret):
    if kind == "passphrase":
        same(fields[1], 1, "kind of slot")
        return hash_secret_raw(secret.encode(), fields[2], fields[4], fields[3], fields[5], 32, Type.ID)
    same(fields[1], 2, "kind of slot")
    info = b"hq-vault recovery slot v1\0" + vault + slot_id
    return HKDF(hashes.SHA256(), 32, fields[2], info).derive(recovery_secret(secret))


def key_check(root, slot_id, vault):
    return hmac256(root, b"hq-vault key check v1\0", slot_id, vault)


def open_slot(slot, vault):
    row = Row.from_json(slot["row"])
    fields = body_of(row.body)
    clear = encode_body({key: value for key, value in fields.items() if key != 7})
    kek = slot_key(slot["with"], fields, vault, row.id, slot["secret"])
    root = xchacha_open(fields[7] + row.tag, row.aad(vault) + clear, row.nonce, kek)
    same(fields[6], key_check(root, row.id, vault), "key check")
    return root


def make_slot(kind, secret, root, vault, draw):
    row = Row(SLOT, draw(16), 1, 0, 0)
    fields = {1: 1 if kind == "passphrase" else 2, 2: draw(16), 6: key_check(root, row.id, vault)}
    if kind == "passphrase":
        fields |= {3: 262144, 4: 3, 5: 4}
    clear = encode_body(fields)
    row.seal(slot_key(kind, fields, vault, row.id, secret), vault, root, draw(24), clear)
    row.body = encode_body(fields | {7: row.body})
    return row


# --- keyring.md ------------------------------------------------------------------------------------------


class Keys:
    """The keyring, read from or written to its body."""

    def __init__(self, body):
        fields = body_of(body)
        same(sorted(fields), [1, 2, 3, 4, 5, 6, 7], "fields of the keyring")
        self.path_index, self.row_state, self.signing, self.reading = (fields[i] for i in (1, 2, 3, 4))
        self.ca_key, self.ca_cert = fields[5], fields[6]
        self.terms = {term: (value, metadata) for term, value, metadata in fields[7]}

    def key(self, row):
        value, metadata = self.terms[row.term]
        return value if row.kind == VERSION else metadata

    def sign(self, message):
        return Ed25519PrivateKey.from_private_bytes(self.signing).sign(message)

    def public(self):
        signing = Ed25519PrivateKey.from_private_bytes(self.signing).public_key().public_bytes(*RAW)
        reading = X25519PrivateKey.from_private_bytes(self.reading).public_key().public_bytes(*RAW)
        return signing, reading


def keyring_key(root, vault):
    return hmac256(root, b"hq-vault keyring key v1\0", vault)


# --- row-state.md ----------------------------------------------------------------------------------------


def row_mac(keys, row):
    flags = (1 if row.lookup else 0) | (2 if row.is_clear() else 0)
    hashed = row.header() + bytes([flags]) + row.nonce + row.tag + (row.lookup or b"")
    hashed += row.body if row.is_clear() else b""
    place = bytes([row.kind, len(row.id)]) + row.id + row.revision.to_bytes(8, "big")
    return hmac512(keys.row_state, place, hashlib.sha256(hashed).digest())


def tallies_of(keys, rows):
    counts, sums = [0] * 7, [0] * 7
    for row in rows:
        counts[row.kind - 1] += 1
        sums[row.kind - 1] = (sums[row.kind - 1] + int.from_bytes(row_mac(keys, row), "big")) % 2**512
    return [[count, total.to_bytes(64, "big")] for count, total in zip(counts, sums)]


# --- tokens.md -------------------------------------------------------------------------------------------

PREFIXES = {"token": "hqv_", "session": "hqs_"}
DOMAINS = {"token": b"hq-vault token v1\0", "session": b"hq-vault session v1\0"}


def token_text(kind, secret, pin):
    payload = bytes([1 if pin else 2]) + secret + (pin or bytes(16))
    crc = zlib.crc32(PREFIXES[kind].encode() + payload).to_bytes(4, "big")
    return PREFIXES[kind] + urlsafe_b64encode(payload + crc).decode().rstrip("=")


def token_hash(kind, secret):
    return hashlib.sha256(DOMAINS[kind] + secret).digest()


def token_error(text):
    """None for a token or session, else the name of what is wrong."""
    kind = next((kind for kind, prefix in PREFIXES.items() if text.startswith(prefix)), None)
    if kind is None:
        return "not-one"
    rest = text[4:]
    good = all(c.isascii() and (c.isalnum() or c in "-_") for c in rest)
    if good and len(rest) < 71:
        return "cut"
    if not good or len(rest) > 71:
        return "mistyped"
    data = urlsafe_b64decode(rest + "=")
    crc = zlib.crc32(PREFIXES[kind].encode() + data[:49]).to_bytes(4, "big")
    if data[49:] != crc or urlsafe_b64encode(data).decode().rstrip("=") != rest:
        return "mistyped"
    if data[0] not in (1, 2):
        return "version"
    return "mistyped" if data[0] == 2 and any(data[33:49]) else None


# --- settings.md -----------------------------------------------------------------------------------------


def settings_message(row, vault, fields):
    return (
        b"hq-vault locked settings v1\0" + vault + row.revision.to_bytes(8, "big")
        + row.epoch.to_bytes(4, "big") + fields
    )


def check_settings(row, vault, public):
    encoded, signature = row.body[:-64], row.body[-64:]
    fields = body_of(encoded)
    same((fields[1], fields[2]), public, "public keys in the settings")
    Ed25519PublicKey.from_public_bytes(fields[1]).verify(signature, settings_message(row, vault, encoded))
    return fields


# --- HPKE base mode, RFC 9180, by hand -------------------------------------------------------------------

KEM = b"KEM\x00\x20"
SUITE = b"HPKE\x00\x20\x00\x01\x00\x03"


def labeled_extract(suite, salt, label, ikm):
    return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    labeled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac256(prk, labeled + b"\x01")[:length]  # every length asked for here is at most one block


def hpke_key(shared, encapsulated, public, info):
    eae = labeled_extract(KEM, b"", b"eae_prk", shared)
    secret = labeled_expand(KEM, eae, b"shared_secret", encapsulated + public, 32)
    context = (
        b"\x00" + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
        + labeled_extract(SUITE, b"", b"info_hash", info)
    )
    prk = labeled_extract(SUITE, secret, b"secret", b"")
    return labeled_expand(SUITE, prk, b"key", context, 32), labeled_expand(SUITE, prk, b"base_nonce", context, 12)


def hpke_seal(public, info, aad, plain, ephemeral):
    ours = X25519PrivateKey.from_private_bytes(ephemeral)
    encapsulated = ours.public_key().public_bytes(*RAW)
    shared = ours.exchange(X25519PublicKey.from_public_bytes(public))
    key, nonce = hpke_key(shared, encapsulated, public, info)
    return encapsulated + ChaCha20Poly1305(key).encrypt(nonce, plain, aad)


def hpke_open(private, info, aad, sealed):
    ours = X25519PrivateKey.from_private_bytes(private)
    shared = ours.exchange(X25519PublicKey.from_public_bytes(sealed[:32]))
    key, nonce = hpke_key(shared, sealed[:32], ours.public_key().public_bytes(*RAW), info)
    return ChaCha20Poly1305(key).decrypt(nonce, sealed[32:], aad)


# --- running ---------------------------------------------------------------------------------------------


class Results:
    """Counts checks; one that fails does not stop the others."""

    def __init__(self):
        self.passed, self.failed = 0, 0

    def run(self, name, check, *arguments):
        try:
            answer = check(*arguments)
        except Exception as error:  # whatever a check raises is a mismatch
            self.failed += 1
            print(f"FAILED {name}: {type(error).__name__}: {error}")
            if not isinstance(error, AssertionError):
                traceback.print_exc(limit=-2)
            return None
        self.passed += 1
        return answer


def main():
    import check_crypto_world as worlds

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--make", metavar="FILE", help="write a fresh world to FILE")
    options = parser.parse_args()
    results = Results()
    files = [VECTORS / "from-rust.json", VECTORS / "from-python.json"]
    if options.make:
        Path(options.make).write_text(json.dumps(worlds.make_world(), indent=2) + "\n")
        files.append(Path(options.make))
    for file in dict.fromkeys(file.resolve() for file in files):
        worlds.check_world(results, file.stem, json.loads(file.read_text()))
    print(f"{results.passed} passed, {results.failed} failed")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
