"""A small vault, as check_crypto.py opens and makes it."""

import hashlib
import os
from datetime import datetime, timezone

from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from nacl.exceptions import CryptoError

from check_crypto import (
    CROCKFORD, KEYRING, LEDGER, RAW, SECRET, SETTING, STATE, TOKEN, VERSION, Keys, Row, body_of, check_settings,
    encode_body, hmac256, hpke_open, hpke_seal, keyring_key, make_slot, open_slot, recovery_text, row_mac, same,
    settings_message, tallies_of, token_error, token_hash, token_text, xchacha_open, xchacha_seal,
)


def unhex(text):
    return None if text is None else bytes.fromhex(text)


# --- checking --------------------------------------------------------------------------------------------


def check_world(results, name, world):
    for group, check in GROUPS.items():
        for index, vector in enumerate(world[group]):
            results.run(f"{name}: {group} {index}", check, vector)
    vault = unhex(world["vault"])
    roots = [results.run(f"{name}: slot {i}", open_slot, slot, vault) for i, slot in enumerate(world["slots"])]
    results.run(f"{name}: all slots give one root key", same, len(set(roots)), 1, "root keys")
    keys = results.run(f"{name}: keyring", open_keyring, Row.from_json(world["keyring"]), roots[0], vault)
    if keys is None:
        return
    checks = {
        "identity": lambda: same(
            [key.hex() for key in keys.public()], [world["identity"][k] for k in ("signing", "reading")], "keys"
        ),
        "ca": lambda: check_ca(world, keys, vault),
        "state": lambda: check_state(world, keys, vault),
        "settings": lambda: check_locked(world["settings"], keys, vault),
    }
    for what, check in checks.items():
        results.run(f"{name}: {what}", check)
    for index, entry in enumerate(world["rows"]):
        results.run(f"{name}: row {index}", check_row, entry, keys, vault)
        results.run(f"{name}: row {index} elsewhere", check_row_elsewhere, entry, keys, vault)
    for path in world["paths"]:
        found = hmac256(keys.path_index, path["path"].encode()).hex()
        results.run(f"{name}: path {path['path']}", same, found, path["lookup"], "look-up hash")


def open_keyring(row, root, vault):
    same((row.kind, row.id, row.term), (KEYRING, b"keyring", 0), "header of the keyring")
    return Keys(row.open(keyring_key(root, vault), vault))


def check_row(entry, keys, vault):
    row = Row.from_json(entry["row"])
    same(row_mac(keys, row).hex(), entry["mac"], "row MAC")
    if not row.is_clear() and row.kind != KEYRING:
        same(row.open(keys.key(row), vault).hex(), entry["plain"], "content")


def check_row_elsewhere(entry, keys, vault):
    """A row whose id, revision, epoch or vault is another one does not open."""
    row = Row.from_json(entry["row"])
    if row.is_clear() or row.kind == KEYRING:
        return
    changed = [dict(revision=row.revision ^ 1), dict(epoch=row.epoch + 1), dict(id=row.id[:-1] + b"\xff")]
    attempts = [(Row(**vars(row) | change), vault) for change in changed] + [(row, bytes(16))]
    for attempt, other_vault in attempts:
        try:
            attempt.open(keys.key(row), other_vault)
        except (CryptoError, InvalidTag):
            continue
        raise AssertionError("a row opens where it does not belong")


def check_state(world, keys, vault):
    row = Row.from_json(world["state"]["row"])
    same((row.kind, row.id), (STATE, b"state"), "header of the state row")
    fields = body_of(row.open(keys.key(row), vault))
    expected = world["state"]
    same(row.revision, expected["sequence"], "sequence")
    same(fields[1], expected["epoch"], "epoch")
    same(fields[2], expected["audit_sequence"], "audit sequence")
    same(fields[3].hex(), expected["audit_head"], "audit head")
    same(fields[4], expected["vault_time"], "vault time")
    rows = [Row.from_json(entry["row"]) for entry in world["rows"]]
    same(fields[5], tallies_of(keys, rows), "counts and sums")


def check_locked(vector, keys, vault):
    row = Row.from_json(vector["row"])
    same((row.kind, row.id, row.nonce, row.tag), (SETTING, b"locked", bytes(24), bytes(16)), "header")
    same((row.lookup, row.term), (None, 0), "columns that do not count here")
    fields = check_settings(row, vault, keys.public())
    same((fields[3], fields[7]), (vector["idle_minutes"], vector["remote_admin"]), "settings")


def check_ca(world, keys, vault):
    ca = world["ca"]
    same(keys.ca_cert.hex(), ca["cert"], "certificate of the CA")
    digest = hashlib.sha256(keys.ca_cert).hexdigest()
    same((digest[:32], "sha256:" + digest), (ca["pin"], ca["fingerprint"]), "pin and fingerprint")
    cert = x509.load_der_x509_certificate(keys.ca_cert)
    key = serialization.load_der_private_key(keys.ca_key, None)
    same(key.public_key(), cert.public_key(), "key of the CA")
    cert.verify_directly_issued_by(cert)
    same(cert.subject, ca_name(vault), "subject of the CA")
    same(cert.not_valid_before_utc, datetime(2020, 1, 1, tzinfo=timezone.utc), "start of the CA")
    same(cert.not_valid_after_utc, datetime(2050, 1, 1, tzinfo=timezone.utc), "end of the CA")
    constraints = cert.extensions.get_extension_for_class(x509.BasicConstraints)
    same((constraints.critical, constraints.value.ca, constraints.value.path_length), (True, True, 0), "constraints")
    if "leaf" in ca:
        check_leaf(ca, cert)


def check_leaf(ca, issuer):
    leaf = x509.load_der_x509_certificate(bytes.fromhex(ca["leaf"]))
    leaf.verify_directly_issued_by(issuer)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = names.get_values_for_type(x509.DNSName) + [str(a) for a in names.get_values_for_type(x509.IPAddress)]
    same(sorted(found), sorted(ca["leaf_names"]), "names of the leaf")
    same(0 < leaf.serial_number < 2**127 and leaf.serial_number >= 2**120, True, "serial of 16 bytes")
    same((leaf.not_valid_after_utc - leaf.not_valid_before_utc).days, 91, "life of the leaf")
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    same(list(usage), [ExtendedKeyUsageOID.SERVER_AUTH], "use of the leaf")
    authority = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    subject = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    same(authority, subject, "authority key id")


def check_token(vector):
    secret, pin = unhex(vector["secret"]), unhex(vector["pin"])
    same(token_text(vector["kind"], secret, pin), vector["text"], "text")
    same(token_hash(vector["kind"], secret).hex(), vector["hash"], "hash")
    same(token_error(vector["text"]), None, "reading it back")


def check_not_token(vector):
    same(token_error(vector["text"]), vector["error"], vector["text"])


def check_xchacha(vector):
    key, nonce, aad = (unhex(vector[k]) for k in ("key", "nonce", "aad"))
    sealed = vector["sealed"] + vector["tag"]
    same(xchacha_seal(unhex(vector["plain"]), aad, nonce, key).hex(), sealed, "sealed")
    same(xchacha_open(unhex(sealed), aad, nonce, key).hex(), vector["plain"], "opened")


def check_hybrid(vector):
    private, info, aad, sealed = (unhex(vector[k]) for k in ("private", "info", "aad", "sealed"))
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(*RAW)
    same(public.hex(), vector["public"], "public key")
    same(hpke_open(private, info, aad, sealed).hex(), vector["plain"], "opened")


GROUPS = {"tokens": check_token, "not_tokens": check_not_token, "xchacha": check_xchacha, "hybrid": check_hybrid}


# --- making ----------------------------------------------------------------------------------------------


def make_world(draw=os.urandom):
    vault, root, epoch = draw(16), draw(32), 3
    passphrase, recovery = "tr0ub4dor & \u20ac", recovery_text(draw(20))
    slots = [("passphrase", passphrase), ("recovery", recovery)]
    slot_rows = [make_slot(kind, secret, root, vault, draw) for kind, secret in slots]
    keyring, keys = make_keyring(root, vault, epoch, draw)
    locked = make_locked(keys, vault, epoch)
    entries = [(row, b"") for row in slot_rows + [keyring, locked]] + make_rows(keys, vault, epoch, draw)
    state = make_state(keys, vault, epoch, [row for row, _ in entries], draw)
    digest = hashlib.sha256(keys.ca_cert).hexdigest()
    signing, reading = keys.public()
    return {
        "made_by": "spec/check_crypto.py",
        "vault": vault.hex(),
        "epoch": epoch,
        "slots": [{"with": k, "secret": s, "row": r.to_json()} for (k, s), r in zip(slots, slot_rows)],
        "keyring": keyring.to_json(),
        "identity": {"signing": signing.hex(), "reading": reading.hex()},
        "ca": {"cert": keys.ca_cert.hex(), "pin": digest[:32], "fingerprint": "sha256:" + digest},
        "rows": [{"row": r.to_json(), "plain": p.hex(), "mac": row_mac(keys, r).hex()} for r, p in entries],
        "state": state,
        "settings": {"row": locked.to_json(), "idle_minutes": 0, "remote_admin": True},
        "paths": [{"path": p, "lookup": hmac256(keys.path_index, p.encode()).hex()} for p in ("x/y", "\u00fc")],
        "tokens": [make_token(k, p, draw) for k in ("token", "session") for p in (None, draw(16))],
        "not_tokens": make_not_tokens(draw),
        "xchacha": [published_xchacha()] + [make_xchacha(n, draw) for n in (0, 1, 64, 65, 300)],
        "hybrid": [make_hybrid(n, draw) for n in (0, 32, 99)],
    }


def make_keyring(root, vault, epoch, draw):
    key, cert = make_ca(vault)
    terms = [[term, draw(32), draw(32)] for term in (1, 2)]
    fields = {i: draw(32) for i in (1, 2, 3, 4)} | {5: key, 6: cert, 7: terms}
    row = Row(KEYRING, b"keyring", 6, epoch, 0)
    row.seal(keyring_key(root, vault), vault, encode_body(fields), draw(24))
    return row, Keys(encode_body(fields))


def ca_name(vault):
    bits = int.from_bytes(vault, "big")
    digits = "".join(CROCKFORD[bits >> (5 * i) & 31] for i in reversed(range(26))).lower()
    return x509.Name([
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "HQ Vault"),
        x509.NameAttribute(
            NameOID.ORGANIZATIONAL_UNIT_NAME, "For this vault only, not for a system trust store"
        ),
        x509.NameAttribute(NameOID.COMMON_NAME, f"HQ Vault CA vlt_{digits}"),
    ])


def make_ca(vault):
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(ca_name(vault))
        .issuer_name(ca_name(vault))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1))
        .not_valid_after(datetime(2050, 1, 1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    cert = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    private = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, cert


def make_locked(keys, vault, epoch):
    row = Row(SETTING, b"locked", 9, epoch, 0)
    signing, reading = keys.public()
    fields = encode_body({1: signing, 2: reading, 3: 0, 7: True})
    row.body = fields + keys.sign(settings_message(row, vault, fields))
    return row


def make_rows(keys, vault, epoch, draw):
    secret = draw(16)
    lookup = hmac256(keys.path_index, b"x/y")
    wanted = [
        (Row(SETTING, b"sealed", 2, epoch, 2), b"settings"),
        (Row(SECRET, secret, 1, epoch - 1, 1, lookup), b"sealed in the term and epoch before"),
        (Row(VERSION, secret + (7).to_bytes(8, "big"), 1, epoch, 2), bytes(range(256)) * 20),
        (Row(TOKEN, draw(16), 3, epoch, 2), b""),
        (Row(LEDGER, draw(32), 2**63, epoch, 2), b"ledger"),
    ]
    return [(row.seal(keys.key(row), vault, plain, draw(24)), plain) for row, plain in wanted]


def make_state(keys, vault, epoch, rows, draw):
    head = draw(32)
    fields = {1: epoch, 2: 7, 3: head, 4: -62135596800000, 5: tallies_of(keys, rows)}
    row = Row(STATE, b"state", 2**40, epoch, 2)
    row.seal(keys.key(row), vault, encode_body(fields), draw(24))
    return {
        "row": row.to_json(), "sequence": 2**40, "epoch": epoch, "vault_time": fields[4],
        "audit_sequence": 7, "audit_head": head.hex(),
    }


def make_token(kind, pin, draw):
    secret = draw(32)
    return {
        "kind": kind, "secret": secret.hex(), "pin": pin and pin.hex(),
        "text": token_text(kind, secret, pin), "hash": token_hash(kind, secret).hex(),
    }


def make_not_tokens(draw):
    text = token_text("session", draw(32), None)
    bad = {"": "not-one", "hqx" + text[3:]: "not-one", text[:40]: "cut", text + "-": "mistyped"}
    bad["hqv" + text[3:]] = "mistyped"
    bad[text[:-1] + chr(ord(text[-1]) + 1)] = "mistyped"  # a spare bit: the last character is one of 16
    return [{"text": text, "error": error} for text, error in bad.items()]


def vector_of(key, nonce, aad, plain):
    sealed = xchacha_seal(plain, aad, nonce, key)
    fields = {"key": key, "nonce": nonce, "aad": aad, "plain": plain, "sealed": sealed[:-16], "tag": sealed[-16:]}
    return {name: value.hex() for name, value in fields.items()}


def make_xchacha(length, draw):
    return vector_of(draw(32), draw(24), draw(20), draw(length))


def published_xchacha():
    """draft-irtf-cfrg-xchacha-03, A.3.1."""
    plain = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
        b"sunscreen would be it."
    )
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    vector = vector_of(bytes(range(0x80, 0xA0)), bytes(range(0x40, 0x58)), aad, plain)
    same(vector["tag"], "c0875924c1c7987947deafd8780acf49", "the published tag")
    return vector


def make_hybrid(length, draw):
    private, plain, info, aad = draw(32), draw(length), draw(9), draw(11)
    public = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(*RAW)
    fields = {
        "private": private, "public": public, "info": info, "aad": aad, "plain": plain,
        "sealed": hpke_seal(public, info, aad, plain, draw(32)),
    }
    return {name: value.hex() for name, value in fields.items()}
