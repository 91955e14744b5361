#!/usr/bin/env python3
"""Writes the types of answers in both SDKs from spec/openapi.json, the one source of them.

    sdk/make_types.py          writes typescript/src/types.ts and python/src/hq_vault/_types.py
    sdk/make_types.py --check  says whether they are as this would write them
"""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = [
    "Metadata", "GetAnswer", "BatchAnswer", "Entry", "ListAnswer", "PutAnswer", "DeleteAnswer", "TokenMetadata",
    "TokenAnswer", "TokenRevoked", "EntryStored", "EntryAnswer", "EntryState",
]
PLAIN = {"string": ("string", "str"), "integer": ("number", "int"), "number": ("number", "float"), "boolean": ("boolean", "bool")}
NOTE = "Made from spec/openapi.json by sdk/make_types.py; change it there."


def kinds(schema):
    """A schema's type in TypeScript and in Python; whether it may be null does not count."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return {"WireSecret": ("string", "str"), "Encoding": ('"base64"', 'Literal["base64"]')}.get(name, (name, name))
    for choice in schema.get("oneOf", []):
        if choice.get("type") != "null":
            return kinds(choice)
    kind = schema["type"]
    if isinstance(kind, list):
        kind = next(one for one in kind if one != "null")
    if kind == "array":
        ts, py = kinds(schema["items"])
        return f"{ts}[]", f"List[{py}]"
    if kind == "object":
        ts, py = kinds(schema["additionalProperties"])
        return f"Record<string, {ts}>", f"Dict[str, {py}]"
    return PLAIN[kind]


def typescript(name, schema):
    lines = [f"/** {schema['description']} */", f"export interface {name} {{"]
    for field, one in schema["properties"].items():
        optional = "" if field in schema["required"] else "?"
        if "description" in one:
            lines.append(f"  /** {one['description']} */")
        lines.append(f"  {field}{optional}: {kinds(one)[0]};")
    return "\n".join([*lines, "}"])


def python(name, schema):
    def fields(wanted):
        for field, one in schema["properties"].items():
            if (field in schema["required"]) == wanted:
                yield f"    {field}: {kinds(one)[1]}"
                if "description" in one:
                    yield f'    """{one["description"]}"""'

    required, optional = list(fields(True)), list(fields(False))
    doc = f'    """{schema["description"]}"""'
    if not optional:
        return "\n".join([f"class {name}(TypedDict):", doc, "", *required])
    # Python 3.9 has no NotRequired.
    base = [f"class _{name}(TypedDict):", *required, "", ""]
    return "\n".join([*base, f"class {name}(_{name}, total=False):", doc, "", *optional])


def main():
    schemas = json.loads((HERE.parent / "spec/openapi.json").read_text())["components"]["schemas"]
    parts = [(name, schemas[name]) for name in NAMES]
    made = {
        HERE / "typescript/src/types.ts": "\n\n".join([f"// {NOTE}", *(typescript(*part) for part in parts)]) + "\n",
        HERE / "python/src/hq_vault/_types.py": "\n\n\n".join(
            [f'"""{NOTE}"""\n\nfrom typing import Dict, List, Literal, TypedDict', *(python(*part) for part in parts)]
        )
        + "\n",
    }
    if "--check" not in sys.argv:
        for path, text in made.items():
            path.write_text(text)
        return 0
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(HERE.parent)} does not match spec/openapi.json: run sdk/make_types.py")
    return len(stale)


if __name__ == "__main__":
    sys.exit(main())
