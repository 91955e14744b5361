#!/usr/bin/env python3
"""Holds records to spec/audit-event.json.

    python3 spec/check_event.py            the records of vectors/audit/, and lines that must be refused
    python3 spec/check_event.py FILE...    lines of `audit export --json` or of a mirror

Prints "N passed, N failed". Needs jsonschema, and for the vectors PyNaCl and cryptography (spec/requirements.txt).
"""

import json
import sys
from pathlib import Path

from jsonschema import Draft202012Validator

SCHEMA = json.loads((Path(__file__).resolve().parent / "audit-event.json").read_text())
GOOD = {
    "sequence": 7, "time": "2026-11-24T22:59:21.123Z", "operation": "get", "outcome": "ok",
    "identity": {"kind": "token", "id": "tok_" + "0" * 26, "name": "a/b", "ancestors": []}, "source": "socket",
    "items": [{"secret": "sec_" + "0" * 26, "version": 1, "path": "a", "kind": "exposed", "channel": "get"}],
    "state": 3, "unproven": False,
}
CHANGES = [
    ("sequence", 0), ("sequence", "7"), ("time", "2026-11-24 22:59:21"), ("operation", "Get"), ("outcome", "maybe"),
    ("identity", {}), ("identity", {"kind": "robot"}), ("identity", {"kind": "token", "id": "tok_1"}), ("source", None),
    ("code", "not found"), ("request", "req_1"), ("items", {}), ("items", [{"path": "a"}]),
    ("items", [{"path": "a", "kind": "exposed", "version": 0}]), ("state", -1), ("unproven", "no"),
]


def records():
    import check_audit

    facts = json.loads((check_audit.VECTORS / "vectors.json").read_text())
    keys = check_audit.levels(facts)["everything"]
    for log in [*facts["logs"], {"file": "from-python.txt"}]:
        yield from check_audit.Verifier(*keys).run(check_audit.read_lines(log["file"])).records


def main():
    Draft202012Validator.check_schema(SCHEMA)
    schema = Draft202012Validator(SCHEMA)
    passed = failed = 0

    def tell(good, what):
        nonlocal passed, failed
        passed, failed = passed + good, failed + (not good)
        if not good:
            print(f"FAILED {what}")

    lines = [line for file in sys.argv[1:] for line in Path(file).read_text().splitlines()]
    for record in map(json.loads, lines) if lines else records():
        wrong = next(schema.iter_errors(record), None)
        tell(wrong is None, wrong and f"{record}: {wrong.message}")
    if not sys.argv[1:]:
        tell(schema.is_valid(GOOD), "the good record")
        for name, value in CHANGES:
            tell(not schema.is_valid({**GOOD, name: value}), f"accepts {name} = {value!r}")
        for name in SCHEMA["required"]:
            tell(not schema.is_valid({k: v for k, v in GOOD.items() if k != name}), f"accepts no {name}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
