#!/usr/bin/env node
// The entry page's own sealing (crates/hqv-server/src/entry/page/seal.js) against spec/vectors/entry, under Node's
// WebCrypto: the same bytes from the same keys, and fresh ones that open again. Prints "N passed, M failed".

import assert from 'node:assert/strict';
import { createHash, hkdfSync, webcrypto } from 'node:crypto';
import { readFileSync } from 'node:fs';
import vm from 'node:vm';

const root = new URL('..', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const page = 'crates/hqv-server/src/entry/page/seal.js';
const globals = { TextEncoder, Uint8Array, BigInt, Number, String, Error, btoa, atob, crypto: webcrypto };
const entrySeal = vm.runInNewContext(`${read(page)}; entrySeal`, globals);

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data) => Buffer.from(data).toString('hex');
const base64url = (data) => Buffer.from(data).toString('base64url');

const tests = [];
const test = (name, work) => tests.push([name, work]);

// A private scalar and its point as the pair that the page would have made by itself.
async function pair(scalar, point) {
  const jwk = { kty: 'EC', crv: 'P-256', x: base64url(point.slice(1, 33)), y: base64url(point.slice(33)), d: base64url(scalar) };
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  const { d, ...open } = jwk;
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', jwk, curve, false, ['deriveBits']),
    publicKey: await webcrypto.subtle.importKey('jwk', open, curve, true, []),
  };
}

for (const file of ['from-python', 'from-rust']) {
  for (const vector of JSON.parse(read(`spec/vectors/entry/${file}.json`)).sealed) {
    const name = `${file}: ${vector.path}`;
    test(`${name}: ids and info`, async () => {
      assert.equal(hex(entrySeal.idBytes(vector.vault_id)), vector.vault);
      assert.equal(hex(entrySeal.idBytes(vector.entry_id.toUpperCase())), vector.entry);
      const info = await entrySeal.info(vector.vault_id, vector.entry_id, vector.path, vector.overwrite);
      assert.equal(hex(info), vector.info);
    });
    if (!vector.ephemeral) continue;
    test(`${name}: the sealing`, async () => {
      const ephemeral = await pair(bytes(vector.ephemeral), bytes(vector.enc));
      const sealed = await entrySeal.seal(bytes(vector.public), bytes(vector.info), bytes(vector.plain), ephemeral);
      assert.equal(hex(sealed.enc), vector.enc);
      assert.equal(hex(sealed.ciphertext), vector.ciphertext);
    });
    test(`${name}: a fresh key each time`, async () => {
      const again = () => entrySeal.seal(bytes(vector.public), bytes(vector.info), bytes(vector.plain));
      const [one, two] = [await again(), await again()];
      assert.notEqual(hex(one.enc), hex(two.enc));
      assert.equal(one.ciphertext.length, vector.plain.length / 2 + 16);
    });
  }
}

test('a key that is not a point is refused', async () => {
  await assert.rejects(entrySeal.seal(new Uint8Array(65).fill(4), new Uint8Array(1), new Uint8Array(1)));
});

test('base64url both ways, 1 MiB too', async () => {
  for (const length of [0, 1, 2, 3, 65, 0x8001, 1024 * 1024]) {
    const data = new Uint8Array(hkdfSync('sha256', 'k', '', String(length), 64));
    const long = Uint8Array.from({ length }, (_, at) => data[at % 64]);
    assert.equal(entrySeal.toBase64url(long), base64url(long));
    assert.equal(hex(entrySeal.fromBase64url(base64url(long))), hex(long));
  }
});

test('the hash that the address holds', async () => {
  const digest = createHash('sha256').update(Uint8Array.of(4, 1, 2)).digest('hex');
  assert.equal(hex(await entrySeal.sha256(Uint8Array.of(4, 1, 2))), digest);
});

let failed = 0;
for (const [name, work] of tests) {
  try {
    await work();
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error.message}`);
  }
}
console.log(`${tests.length - failed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
