import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import token from "../dist/token.js";

const vectors = new URL("../../../spec/vectors/crypto/", import.meta.url);

for (const file of ["from-rust.json", "from-python.json"]) {
  test(`tokens of ${file}`, () => {
    const { tokens, not_tokens } = JSON.parse(readFileSync(new URL(file, vectors), "utf8"));
    assert.ok(tokens.length > 0);
    for (const { kind, text, pin } of tokens) {
      const found = token.pinOf(text, kind);
      assert.equal(found.fault, undefined, text);
      assert.equal(found.pin?.toString("hex") ?? null, pin);
      assert.equal(token.pinOf(text, kind === "token" ? "session" : "token").fault, "not-one");
    }
    for (const { text, error } of not_tokens ?? []) {
      const kind = text.startsWith("hqs_") ? "session" : "token";
      assert.equal(token.pinOf(text, kind).fault, error, text);
    }
  });
}

test("every single wrong character is found", () => {
  const { tokens } = JSON.parse(readFileSync(new URL("from-rust.json", vectors), "utf8"));
  const { text } = tokens.find(({ kind }) => kind === "token");
  for (let at = 4; at < text.length; at++) {
    for (const wrong of ["A", "z", "-", "+", " ", "é"]) {
      if (text[at] === wrong) continue;
      assert.equal(token.pinOf(text.slice(0, at) + wrong + text.slice(at + 1), "token").fault, "mistyped");
    }
  }
});
