#!/usr/bin/env python3
"""Re-computes spec/entry.md without the Rust code: HPKE over P-256, by hand, from hashes and curve arithmetic.

Opens vectors/entry/from-rust.json, which the Rust code sealed, and re-seals and opens from-python.json, which this
script made; a Rust test opens both, and the entry page's own code seals the latter again under Node.

    python3 spec/check_entry.py               check, print "N passed, N failed", exit 1 on a mismatch
    python3 spec/check_entry.py --make FILE   write vectors with new random keys to FILE

Needs spec/requirements.txt.
"""

import argparse
import hashlib
import hmac
import json
import secrets
import sys
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VECTORS = Path(__file__).resolve().parent / "vectors" / "entry"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
POINT = (serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
KEM = b"KEM\x00\x10"
SUITE = b"HPKE\x00\x10\x00\x01\x00\x02"
LABEL = b"hq-vault entry v1\0"


def hmac256(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def same(found, expected, what):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} is not {expected!r}")


# --- HPKE base mode, RFC 9180 ----------------------------------------------------------------------------


def labeled_extract(suite, salt, label, ikm):
    return hmac256(salt or bytes(32), b"HPKE-v1" + suite + label + ikm)


def labeled_expand(suite, prk, label, info, length):
    # Every length asked for here is at most one block.
    return hmac256(prk, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01")[:length]


def derive_private(seed):
    """DeriveKeyPair of section 7.1.3."""
    prk = labeled_extract(KEM, b"", b"dkp_prk", seed)
    for counter in range(256):
        candidate = int.from_bytes(labeled_expand(KEM, prk, b"candidate", bytes([counter]), 32), "big")
        if 0 < candidate < ORDER:
            return candidate
    raise AssertionError("no private key from this seed")


def public_of(private):
    return ec.derive_private_key(private, ec.SECP256R1()).public_key().public_bytes(*POINT)


def exchange(private, public):
    key = ec.derive_private_key(private, ec.SECP256R1())
    return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public))


def message_key(shared, enc, public, info):
    prk = labeled_extract(KEM, b"", b"eae_prk", shared)
    secret = labeled_expand(KEM, prk, b"shared_secret", enc + public, 32)
    context = (
        b"\x00" + labeled_extract(SUITE, b"", b"psk_id_hash", b"")
        + labeled_extract(SUITE, b"", b"info_hash", info)
    )
    prk = labeled_extract(SUITE, secret, b"secret", b"")
    return labeled_expand(SUITE, prk, b"key", context, 32), labeled_expand(SUITE, prk, b"base_nonce", context, 12)


def seal(public, info, plain, ephemeral):
    enc = public_of(ephemeral)
    key, nonce = message_key(exchange(ephemeral, public), enc, public, info)
    return enc, AESGCM(key).encrypt(nonce, plain, b"")


def open_sealed(private, info, enc, ciphertext):
    key, nonce = message_key(exchange(private, enc), enc, public_of(private), info)
    return AESGCM(key).decrypt(nonce, ciphertext, b"")


# --- entry.md --------------------------------------------------------------------------------------------


def id_text(prefix, data):
    bits = int.from_bytes(data, "big")
    return prefix + "".join(CROCKFORD[bits >> (5 * i) & 31] for i in reversed(range(26)))


def info_of(vector):
    path = hashlib.sha256(vector["path"].encode()).digest()
    return (
        LABEL + bytes.fromhex(vector["vault"]) + bytes.fromhex(vector["entry"]) + path
        + bytes([1 if vector["overwrite"] else 0])
    )


def check(vector):
    data = {key: bytes.fromhex(value) for key, value in vector.items() if key in HEX}
    same(vector["vault_id"], id_text("vlt_", data["vault"]), "the vault's id")
    same(vector["entry_id"], id_text("ent_", data["entry"]), "the entry's id")
    same(info_of(vector), data["info"], "info")
    private = derive_private(data["seed"])
    same(public_of(private), data["public"], "the public key")
    same(open_sealed(private, data["info"], data["enc"], data["ciphertext"]), data["plain"], "the value")
    if "ephemeral" in data:
        sealed = seal(data["public"], data["info"], data["plain"], int.from_bytes(data["ephemeral"], "big"))
        same(sealed, (data["enc"], data["ciphertext"]), "the sealing")
    refused(private, data)


def refused(private, data):
    """Another entry, another path or another overwrite flag does not open."""
    for at in (len(LABEL), len(LABEL) + 16, len(LABEL) + 32, len(data["info"]) - 1):
        other = bytearray(data["info"])
        other[at] ^= 1
        try:
            open_sealed(private, bytes(other), data["enc"], data["ciphertext"])
        except InvalidTag:
            continue
        raise AssertionError(f"opened with byte {at} of info changed")


HEX = {"vault", "entry", "seed", "public", "ephemeral", "info", "plain", "enc", "ciphertext"}


def make_vector(path, overwrite, plain):
    vector = {"vault": secrets.token_hex(16), "entry": secrets.token_hex(16), "path": path, "overwrite": overwrite}
    vector["vault_id"] = id_text("vlt_", bytes.fromhex(vector["vault"]))
    vector["entry_id"] = id_text("ent_", bytes.fromhex(vector["entry"]))
    seed = secrets.token_bytes(32)
    ephemeral = derive_private(secrets.token_bytes(32))
    public, info = public_of(derive_private(seed)), info_of(vector)
    enc, ciphertext = seal(public, info, plain, ephemeral)
    made = {
        "seed": seed, "public": public, "ephemeral": ephemeral.to_bytes(32, "big"), "info": info, "plain": plain,
        "enc": enc, "ciphertext": ciphertext,
    }
    return vector | {key: value.hex() for key, value in made.items()}


def make():
    return {
        "made_by": "check_entry.py",
        "sealed": [
            make_vector("stripe/secret-key", False, b"sk_live_51HqVaultExampleOnly00000"),  # made up
            make_vector("a", True, b""),
            make_vector("caf\u00e9/\u03b1\u03b2/\U0001f511", False, b"-----BEGIN KEY-----\nAAAA\n-----END KEY-----\n"),
            make_vector("bin/all", True, bytes(range(256)) * 5),
        ],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--make", metavar="FILE", help="write fresh vectors to FILE")
    options = parser.parse_args()
    files = [VECTORS / "from-rust.json", VECTORS / "from-python.json"]
    if options.make:
        Path(options.make).write_text(json.dumps(make(), indent=2) + "\n")
        files.append(Path(options.make))
    passed, failed = 0, 0
    for file in dict.fromkeys(file.resolve() for file in files):
        for vector in json.loads(file.read_text())["sealed"]:
            try:
                check(vector)
                passed += 1
            except Exception as error:  # whatever a check raises is a mismatch
                failed += 1
                print(f"FAILED {file.stem} {vector['path']}: {type(error).__name__}: {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
