#!/usr/bin/env python3
"""Verifies a record with the public key alone, and shows what each level can and cannot see.

    python3 spec/check_record.py --public-key HEX [--against FILE] FILE...   verify files, the oldest first
    python3 spec/check_record.py                                             write a record of 10,000 lines, change it
                                                                             1,000 times, print "N passed, N failed"

The rules are those of spec/audit.md, as spec/check_audit.py has them; no code of the vault is used.
Needs PyNaCl and cryptography (spec/requirements.txt).
"""

import argparse
import copy
import json
import random
import sys
from pathlib import Path

from check_audit import VECTORS, Bad, Clear, Tally, Verifier, Writer, b64, changed, levels, sample, sha256, split, unb64
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

LINES = 10_000
TAMPERINGS = 1_000
CHECKPOINT = 100
SEGMENT = 2_000
STEP = 250


def write(facts):
    """An ordinary vault's: a locked start, an unlock, full segments, a checkpoint now and then, a clean end."""
    w = Writer(facts)
    w.begin("start", "none", lambda key, start: [w.link(key, key, start)])
    w.checkpoint(True)
    w.adopt()
    unlock = Ed25519PrivateKey.generate()
    first = w.link(w.audit, unlock, w.seq + 1)
    issue = lambda key, start: [first, w.link(unlock, key, start)]  # noqa: E731
    w.begin("unlock", "audit", issue)
    while w.seq < LINES - 1:
        if w.seq % SEGMENT == 0:
            w.checkpoint(True)
            w.begin("full", "audit", issue)
        elif w.seq % CHECKPOINT == 0:
            w.checkpoint(False)
        else:
            w.record(sample(f"deploy/prod/key-{w.seq}"))
    w.checkpoint(True)
    return w.lines


def at_rest(verifier):
    """A copy that goes on by itself."""
    twin = copy.copy(verifier)
    twin.counts, twin.pending = dict(verifier.counts), list(verifier.pending)
    twin.unclean, twin.records = list(verifier.unclean), []
    twin.segment = verifier.segment and dict(verifier.segment)
    return twin


def step(verifier, line):
    """One line, as `Verifier.run` does."""
    try:
        verifier.line(line[:-1])
    except Bad:
        verifier.bad(verifier.here)
        verifier.lost = True
    seq, head = verifier.chain or (0, bytes(32))
    verifier.chain = seq + 1, sha256(head, line[:-1])
    verifier.counts["lines"] += 1


class Fast:
    """Passes over a changed record that begin where it is still the good one, and end at the first finding."""

    def __init__(self, lines, keys):
        self.lines, self.kept = lines, []
        verifier = Verifier(*keys)
        for at, line in enumerate(lines):
            if at % STEP == 0:
                self.kept.append(at_rest(verifier))
            step(verifier, line)

    def found(self, lines, first, against=None):
        """The first bad line of what differs from `first` (from 0) on."""
        block = min(first // STEP, len(self.kept) - 1)
        verifier = at_rest(self.kept[block])
        verifier.against = against
        for line in lines[block * STEP:]:
            if not line.endswith(b"\n"):
                return verifier.here
            step(verifier, line)
            if against and against[0] == verifier.chain[0] and against[1] != verifier.chain[1]:
                verifier.bad(verifier.chain[0])
            if verifier.first_bad is not None:
                return verifier.first_bad
        return verifier.end().first_bad


def tamperings(tally, lines, keys):
    """Anything before the last line, by who has no key: each is found with the public key alone."""
    rng, fast = random.Random(6), Fast(lines, keys)
    missed = 0
    for _ in range(TAMPERINGS):
        line, other = rng.randint(1, len(lines) - 1), rng.randint(1, len(lines) - 1)
        what = rng.choice(["drop", "swap", "double", "copy", "flip"])
        change = [what, line, rng.randrange(len(lines[line - 1])) if what == "flip" else other]
        tampered = changed(lines, change)
        if tampered == lines:
            continue
        places = [line, other] if what in ("swap", "copy") else [line]
        if fast.found(tampered, min(places) - 1) is None:
            missed += 1
            print(f"not found: {change}")
    tally.same(missed, 0, f"{TAMPERINGS} tamperings")


def relinked(lines, drop):
    """The record without a line, by who computes all later numbers and hashes again and cannot sign."""
    out, head, seq = [], None, None
    for at, line in enumerate(lines):
        if at == drop:
            continue
        if at > drop and line[:1] in b"HCAD":
            body, _, signature = line[1:-1].rpartition(b".")
            members = json.loads(body)
            members["seq"] = seq
            members["head"] = b64(head)
            body = json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()
            line = line[:1] + body + b"." + signature + b"\n"
        if head is None:
            clear = Clear(line[:-1])
            seq, head = clear.seq, clear.head
        seq, head = seq + 1, sha256(head, line[:-1])
        out.append(line)
    return out


def what_each_level_sees(tally, facts, lines):
    rng, keys = random.Random(7), levels(facts)
    for _ in range(3):
        drop = rng.choice([at for at, line in enumerate(lines) if line[:1] == b"R"])
        forged = relinked(lines, drop)
        tally.same(Verifier(*keys["chain"]).run(forged).first_bad, None, "the chain alone: a log computed anew")
        tally.same(Verifier(*keys["signatures"]).run(forged).first_bad is None, False, "signatures: the same")
    # A record is opened by the reading key only: with the public key a line behind the last checkpoint is as good as
    # any, and with all keys it is found by itself.
    open_end = lines[:-1]
    last = len(open_end) - 1
    while open_end[last][:1] != b"R":
        last -= 1
    forged = [*open_end[:last], b"R" + b"A" * 60 + b"\n", *open_end[last + 1:]][:last + 1]
    tally.same(Verifier(*keys["signatures"]).run(forged).first_bad, None, "signatures: behind the last checkpoint")
    tally.same(Verifier(*keys["everything"]).run(forged).first_bad, last + 1, "everything: the same")


def retention(tally, facts):
    """What a signed line stands for may be gone; without the line, or with one of another place, it is missing."""
    w = Writer(facts)
    unlock = Ed25519PrivateKey.generate()
    first = w.link(w.audit, unlock, 1)
    issue = lambda key, start: [first, w.link(unlock, key, start)]  # noqa: E731
    ends = []
    for number in range(4):
        w.begin("unlock" if number == 0 else "full", "audit", issue)
        w.record(sample(f"a/{number}"))
        if number == 3:
            key = b64(w.key.public_key().public_bytes_raw())
            at = w.seq
            w.clear("D", w.key, to=ends[1][0], at=b64(ends[1][1]), key=key, root=w.root, chain=w.chain)
        w.checkpoint(True)
        ends.append((w.seq, w.head))
    kept = w.lines[ends[1][0]:]
    for level, keys in levels(facts).items():
        tally.same(Verifier(*keys).run(w.lines).first_bad, None, f"nothing dropped yet, {level}")
        tally.same(Verifier(*keys).run(kept).first_bad, None, f"dropped by retention, {level}")
        tally.same(Verifier(*keys).run(w.lines[ends[0][0]:]).first_bad, None, f"a crash in between, {level}")
        tally.same(Verifier(*keys).run(w.lines[ends[2][0]:]).first_bad, 1, f"more dropped than said, {level}")
        without = [*w.lines[ends[1][0]:at], *w.lines[at + 1:]]
        tally.same(Verifier(*keys).run(without).first_bad is None, False, f"no line that says it, {level}")
    line = w.lines[at]
    place = line.index(b'"to":') + 5
    forged = [*w.lines[ends[2][0]:at], line[:place] + b"9" + line[place + 1:], *w.lines[at + 1:]]
    tally.same(Verifier(*levels(facts)["signatures"]).run(forged).first_bad is None, False, "a forged statement")


def cut_tails(tally, lines, keys):
    """A cut between two lines cannot be told from a killed daemon; a checkpoint kept elsewhere tells."""
    final = Clear(lines[-1][:-1])
    against, fast, rng = (final.seq, final.head), Fast(lines, keys), random.Random(8)
    tally.same(fast.found(lines, len(lines) - 1, against), None, "the whole record against its checkpoint")
    unseen = caught = torn = 0
    rounds = 200
    for _ in range(rounds):
        keep = rng.randint(10, len(lines) - 2)
        cut = lines[:keep]
        unseen += fast.found(cut, keep - 1) is None
        caught += fast.found(cut, keep - 1, against) is not None
        half = [*cut[:-1], cut[-1][:rng.randint(1, len(cut[-1]) - 1)]]
        torn += fast.found(half, keep - 1) is not None
    tally.same((unseen, caught, torn), (rounds,) * 3, "cut tails: unseen alone, caught against, caught in a line")


def verify(key, against, files):
    lines = [line for file in files for line in split(Path(file).read_bytes())]
    audit, known = bytes.fromhex(key), None
    if len(audit) != 32:
        sys.exit("a public key is 64 hexadecimal digits")
    if against:
        clear = Clear(Path(against).read_bytes().strip())
        clear.check_signature(unb64(clear["key"], 32))
        clear.check_chain(audit)
        known = clear.seq, clear.head
    found = Verifier(audit, None).run(lines, known)
    if found.first_bad is not None:
        print(f"not proven: line {found.first_bad} is the first that is wrong")
        return 1
    print(f"proven: {found.counts['lines']} lines, {found.counts['checkpoints']} checkpoints; chain and signatures")
    return 0


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--public-key", metavar="HEX")
    arguments.add_argument("--against", metavar="FILE")
    arguments.add_argument("files", nargs="*", metavar="FILE")
    given = arguments.parse_args()
    if given.files:
        if not given.public_key:
            arguments.error("--public-key is needed")
        return verify(given.public_key, given.against, given.files)
    facts = json.loads((VECTORS / "vectors.json").read_text())
    tally, lines = Tally(), write(facts)
    for level, keys in levels(facts).items():
        tally.same(Verifier(*keys).run(lines).first_bad, None, f"{len(lines)} lines at {level}")
    keys = levels(facts)["signatures"]
    tamperings(tally, lines, keys)
    what_each_level_sees(tally, facts, lines)
    cut_tails(tally, lines, keys)
    retention(tally, facts)
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
