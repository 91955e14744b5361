'use strict';
// Sealing a value to an entry's key: HPKE base mode (RFC 9180) with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and
// AES-256-GCM, out of what WebCrypto has in every browser of today. spec/entry.md says each byte; tests/entry-page.mjs
// runs this file under Node against the vectors. Nothing here touches the page.
const entrySeal = (() => {
  const LABEL = 'hq-vault entry v1\0';
  const CROCKFORD = '0123456789abcdefghjkmnpqrstvwxyz';
  const CURVE = { name: 'ECDH', namedCurve: 'P-256' };
  const subtle = globalThis.crypto?.subtle;

  const text = (string) => new TextEncoder().encode(string);
  const KEM = Uint8Array.of(...text('KEM'), 0, 0x10);
  const SUITE = Uint8Array.of(...text('HPKE'), 0, 0x10, 0, 1, 0, 2);

  function join(...parts) {
    const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  async function hmac(key, data) {
    const algorithm = { name: 'HMAC', hash: 'SHA-256' };
    const imported = await subtle.importKey('raw', key, algorithm, false, ['sign']);
    return new Uint8Array(await subtle.sign('HMAC', imported, data));
  }

  async function sha256(data) {
    return new Uint8Array(await subtle.digest('SHA-256', data));
  }

  // Some browsers refuse an empty HMAC key; 32 zero bytes are the same key (RFC 2104).
  function extract(suite, salt, label, ikm) {
    return hmac(salt ?? new Uint8Array(32), join(text('HPKE-v1'), suite, text(label), ikm));
  }

  // Every length asked for here is at most one block of the hash.
  async function expand(suite, prk, label, info, length) {
    const labeled = join(Uint8Array.of(length >> 8, length & 255), text('HPKE-v1'), suite, text(label), info);
    return (await hmac(prk, join(labeled, Uint8Array.of(1)))).slice(0, length);
  }

  async function sharedSecret(dh, enc, publicKey) {
    const prk = await extract(KEM, null, 'eae_prk', dh);
    return expand(KEM, prk, 'shared_secret', join(enc, publicKey), 32);
  }

  async function keyAndNonce(shared, info) {
    const none = new Uint8Array(0);
    const pskId = await extract(SUITE, null, 'psk_id_hash', none);
    const context = join(Uint8Array.of(0), pskId, await extract(SUITE, null, 'info_hash', info));
    const prk = await extract(SUITE, shared, 'secret', none);
    return [await expand(SUITE, prk, 'key', context, 32), await expand(SUITE, prk, 'base_nonce', context, 12)];
  }

  // `ephemeral` is for test vectors; a page never gives it.
  async function seal(publicKey, info, plain, ephemeral) {
    const theirs = await subtle.importKey('raw', publicKey, CURVE, false, []);
    const ours = ephemeral ?? (await subtle.generateKey(CURVE, false, ['deriveBits']));
    const enc = new Uint8Array(await subtle.exportKey('raw', ours.publicKey));
    const dh = await subtle.deriveBits({ name: 'ECDH', public: theirs }, ours.privateKey, 256);
    const shared = await sharedSecret(new Uint8Array(dh), enc, publicKey);
    const [key, nonce] = await keyAndNonce(shared, info);
    const aead = await subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt']);
    const ciphertext = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: nonce }, aead, plain));
    key.fill(0);
    shared.fill(0);
    return { enc, ciphertext };
  }

  // The 16 bytes of an id such as `ent_` and 26 characters of Crockford's base32.
  function idBytes(id) {
    let number = 0n;
    for (const character of id.slice(4).toLowerCase()) {
      const digit = CROCKFORD.indexOf(character);
      if (digit < 0) throw new Error('not an id');
      number = (number << 5n) | BigInt(digit);
    }
    return Uint8Array.from({ length: 16 }, (_, at) => Number((number >> BigInt(8 * (15 - at))) & 255n));
  }

  // What the sealing is bound to: vault, entry, path, and whether it may replace.
  async function info(vault, entry, path, overwrite) {
    const place = await sha256(text(path));
    return join(text(LABEL), idBytes(vault), idBytes(entry), place, Uint8Array.of(overwrite ? 1 : 0));
  }

  function toBase64url(bytes) {
    let binary = '';
    for (let at = 0; at < bytes.length; at += 0x8000) {
      binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
    }
    return btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  }

  function fromBase64url(string) {
    return Uint8Array.from(atob(string.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  }

  return { seal, info, idBytes, sha256, toBase64url, fromBase64url };
})();
