import json
import unittest
from pathlib import Path

from hq_vault._hidden import Hidden
from hq_vault._token import pin_of

VECTORS = Path(__file__).resolve().parents[3] / "spec/vectors/crypto"


class Tokens(unittest.TestCase):
    def test_vectors(self):
        for file in ("from-rust.json", "from-python.json"):
            vectors = json.loads((VECTORS / file).read_text())
            self.assertTrue(vectors["tokens"])
            for one in vectors["tokens"]:
                fault, pin = pin_of(Hidden(one["text"]), one["kind"])
                self.assertEqual((fault, pin.hex() if pin else None), ("", one["pin"]), one["text"])
                other = "session" if one["kind"] == "token" else "token"
                self.assertEqual(pin_of(Hidden(one["text"]), other)[0], "not-one")
            for one in vectors.get("not_tokens", []):
                kind = "session" if one["text"].startswith("hqs_") else "token"
                self.assertEqual(pin_of(Hidden(one["text"]), kind)[0], one["error"], one["text"])

    def test_every_single_wrong_character_is_found(self):
        tokens = json.loads((VECTORS / "from-rust.json").read_text())["tokens"]
        text = next(one["text"] for one in tokens if one["kind"] == "token")
        for at in range(4, len(text)):
            for wrong in "Az-+ \u00e9\n":
                if text[at] != wrong:
                    changed = text[:at] + wrong + text[at + 1 :]
                    self.assertEqual(pin_of(Hidden(changed), "token")[0], "mistyped", changed)


if __name__ == "__main__":
    unittest.main()
