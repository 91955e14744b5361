// The line against a server of this process's own on a Unix socket, which writes down what it is sent.

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { inspect } from "node:util";
import { VaultClient, VaultSdkError } from "../dist/index.mjs";
import { checkSocket } from "../dist/unix.js";

const TOKEN = "hqv_Ag8HPtkbLzkkyJ7Fj85PZ-xoZnJ9BK49gflzd7Dps1_BAAAAAAAAAAAAAAAAAAAAAJOk250";
const VALUE = "made-up-value";
const SECRET = JSON.stringify({ path: "a/b", value: VALUE, metadata: {}, version: 1, createdAt: "", updatedAt: "" });
const folder = mkdtempSync("/tmp/hqv-sdk-");
const servers = [];
after(() => {
  for (const { server, seen } of servers) {
    server.close();
    for (const socket of seen.sockets) socket.destroy();
  }
  rmSync(folder, { recursive: true });
});
const answer = (body, status = 200) => `HTTP/1.1 ${status} X\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** `serve(request, socket, number of the connection)` answers each request. */
async function vault(name, serve) {
  const seen = { connections: 0, requests: [], sockets: [] };
  const server = net.createServer((socket) => {
    const number = ++seen.connections;
    seen.sockets.push(socket);
    socket.on("error", () => {}).on("data", (part) => {
      const request = String(part);
      seen.requests.push(request);
      serve(request, socket, number);
    });
  });
  servers.push({ server, seen });
  const path = join(folder, `${name}.sock`);
  server.listen(path);
  await once(server, "listening");
  chmodSync(path, 0o600);
  return { seen, url: `unix:${path}`, client: (options) => new VaultClient({ url: `unix:${path}`, token: TOKEN, timeout: 5000, ...options }) };
}

test("calls share a kept connection, and say who they are", async () => {
  const { seen, client } = await vault("kept", (_, socket) => socket.write(answer(SECRET)));
  const one = client({ reason: "rotate ü\r\nX-Evil: 1" });
  for (let n = 0; n < 5; n++) assert.equal(await one.getSecret("a/b"), VALUE);
  assert.equal(seen.connections, 1);
  assert.match(seen.requests[0], /^GET \/v1\/secrets\/a\/b HTTP\/1\.1\r\n/);
  assert.match(seen.requests[0], new RegExp(`\r\nAuthorization: Bearer ${TOKEN}\r\n`));
  assert.match(seen.requests[0], /\r\nUser-Agent: node\/\d+ hq-vault-sdk\r\n/);
  assert.match(seen.requests[0], /\r\nX-HQV-Reason: rotate %C3%BC%0D%0AX-Evil: 1\r\n/);
  one.close();
});

test("calls at the same time each get their own answer", async () => {
  const { seen, client } = await vault("many", (request, socket) => {
    const [, path] = /secrets\/(\S+) /.exec(request);
    setImmediate().then(() => socket.write(answer(JSON.stringify({ value: `value of ${path}` }))));
  });
  const one = client();
  const paths = Array.from({ length: 100 }, (_, n) => `a/${n}`);
  assert.deepEqual(await Promise.all(paths.map((path) => one.getSecret(path))), paths.map((path) => `value of ${path}`));
  assert.ok(seen.connections <= 32, `${seen.connections} connections`);
  one.close();
});

test("no more than 32 calls are on their way at once, and the others follow", async () => {
  let full;
  const waiting = new Promise((resolve) => (full = resolve));
  const { seen, client } = await vault("full", (_, socket) => {
    if (seen.requests.length === 32) full();
    if (seen.requests.length > 32) socket.write(answer(SECRET));
  });
  const one = client();
  const calls = Array.from({ length: 40 }, () => one.getSecret("a/b"));
  await waiting;
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  assert.equal(seen.requests.length, 32);
  for (const socket of seen.sockets) socket.write(answer(SECRET));
  assert.deepEqual(await Promise.all(calls), Array(40).fill(VALUE));
  one.close();
});

test("a kept connection that was closed meanwhile is made anew, and the request sent once", async () => {
  const { seen, client } = await vault("closed", (_, socket, number) => {
    socket.write(answer(SECRET));
    if (number === 1) socket.end();
  });
  const one = client();
  assert.equal(await one.getSecret("a/b"), VALUE);
  await once(seen.sockets[0], "close");
  assert.equal(await one.getSecret("a/b"), VALUE);
  assert.deepEqual([seen.connections, seen.requests.length], [2, 2]);
  one.close();
});

test("a request that was taken and not answered is never sent again", async () => {
  const { seen, client } = await vault("taken", (_, socket, number) => {
    if (seen.requests.length === 2) socket.destroy();
    else socket.write(answer(SECRET));
  });
  const one = client();
  assert.equal(await one.getSecret("a/b"), VALUE);
  await assert.rejects(one.getSecret("a/b"), { code: "CONNECTION_ERROR", sent: true });
  assert.deepEqual([seen.connections, seen.requests.length], [1, 2]);
  assert.equal(await one.getSecret("a/b"), VALUE);
  assert.equal(seen.connections, 2);
  one.close();
});

test("a deadline ends the call and the connection", async () => {
  const { seen, client } = await vault("slow", () => {});
  const one = client({ timeout: 400 });
  await assert.rejects(one.getSecret("a/b"), { code: "TIMEOUT", sent: true, message: /did not answer in 0\.4 s/ });
  await once(seen.sockets[0], "close");
  assert.equal(seen.requests.length, 1);
  one.close();
});

test("odd answers", async () => {
  const { client } = await vault("odd", (request, socket) => {
    const body = /secrets\/(\w+)/.exec(request)[1];
    const bytes = { utf8: Buffer.from([0x7b, 0xff, 0x7d]), switch: "HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n" }[body];
    socket.write(body === "utf8" ? Buffer.concat([Buffer.from("HTTP/1.1 200 X\r\nContent-Length: 3\r\n\r\n"), bytes]) : (bytes ?? answer("null")));
  });
  const one = client();
  await assert.rejects(one.getSecret("utf8"), { code: "CONNECTION_ERROR", sent: true, message: /not one that this version understands/ });
  await assert.rejects(one.getSecret("switch"), { code: "CONNECTION_ERROR", sent: true });
  one.close();
});

test("what is no value, path or timeout is told before anything is sent", async () => {
  const { seen, client } = await vault("usage", () => {});
  const one = client();
  for (const call of [
    () => one.storeSecret("a/b", "half \ud800 a pair"),
    () => one.storeSecret("a/b", 42),
    () => one.storeSecret("", "v"),
    () => one.getSecret("half \ud800 a pair"),
    () => one.revokeToken(""),
  ]) {
    await assert.rejects(call, { code: "BAD_REQUEST", sent: false });
  }
  for (const timeout of [0, -1, NaN, Infinity]) assert.throws(() => client({ timeout }), { code: "BAD_REQUEST" });
  assert.equal(seen.connections, 0);
  one.close();
});

test("an option that is undefined was not given", async () => {
  const { seen, client } = await vault("undefined", (request, socket) => {
    socket.write(answer(request.startsWith("GET /v1/secrets?") ? '{"entries":[]}' : SECRET));
  });
  const one = client({ connectTimeout: undefined, reason: undefined });
  await one.listSecrets(undefined, { type: undefined, tag: undefined });
  await one.listSecrets("a/", { type: "api-key", tag: undefined });
  await one.getSecret("a/b", { version: undefined });
  await one.deleteSecret("a/b", { purge: undefined });
  await one.storeSecret("a/b", "v", { type: undefined, expires: undefined, ifAbsent: undefined, ifVersion: undefined });
  assert.deepEqual(
    seen.requests.map((request) => request.split(" HTTP/")[0]),
    ["GET /v1/secrets?limit=1000", "GET /v1/secrets?limit=1000&prefix=a%2F&type=api-key", "GET /v1/secrets/a/b", "DELETE /v1/secrets/a/b", "PUT /v1/secrets/a/b"],
  );
  assert.match(seen.requests[4], /\r\n\r\n\{"value":"v"\}$/);
  assert.ok(!/if-(none-)?match/i.test(seen.requests[4]));
  one.close();
});

test("nothing that is handed out prints a token or a value", async () => {
  const made = JSON.stringify({ ok: true, token: TOKEN, metadata: { name: "w" }, notes: [] });
  const entry = JSON.stringify({ id: "ent_1", code: "7F3K", expiresAt: "t", state: "waiting", joined: false, url: `http://127.0.0.1/#${VALUE}` });
  const { client } = await vault("quiet", (request, socket) => {
    if (request.startsWith("POST /v1/tokens")) socket.write(answer(made, 201));
    else if (request.startsWith("POST /v1/secrets:batch")) socket.write(answer(`{"secrets":[${SECRET}]}`));
    else if (request.startsWith("POST /v1/entries")) socket.write(answer(entry, 201));
    else socket.write(answer('{"id":"ent_1","state":"refused"}'));
  });
  const one = client();
  const things = [one, await one.createToken({ name: "w" }), await one.getSecrets(["a/b"])];
  await one.ingest("a/b", { onWaiting: (waiting) => things.push(waiting) }).catch((error) => things.push(error));
  assert.equal(things[1].token, TOKEN);
  const { token } = things[1];
  assert.equal(token, TOKEN);
  assert.deepEqual([...things[2]], [["a/b", VALUE]]);
  assert.deepEqual(things[2].bytes("a/b"), new Uint8Array(Buffer.from(VALUE)));
  assert.equal(things[3].url, `http://127.0.0.1/#${VALUE}`);
  assert.ok(things[4] instanceof VaultSdkError && things[4].code === "FORBIDDEN");
  for (const thing of things) {
    const deep = inspect({ thing: [thing] }, { showHidden: true, depth: 20, getters: false });
    const text = [deep, JSON.stringify([thing]), `${thing}`, JSON.stringify({ ...thing }), Object.entries(thing).join()].join("\n");
    assert.ok(!text.includes(TOKEN) && !text.includes(VALUE), text);
  }
  one.close();
});

test("a socket that is not ours alone is refused before anybody connects", async () => {
  const { seen, url, client } = await vault("guarded", (_, socket) => socket.write(answer(SECRET)));
  const path = url.slice(5);
  const refused = async (says) => assert.rejects(client().getSecret("a/b"), { code: "CONNECTION_ERROR", sent: false, message: says });
  chmodSync(path, 0o660);
  await refused(/others may use it/);
  chmodSync(path, 0o600);
  chmodSync(folder, 0o777);
  await refused(/others may change its directory/);
  chmodSync(folder, 0o1777);
  assert.equal(await client().getSecret("a/b"), VALUE);
  chmodSync(folder, 0o700);
  assert.throws(() => checkSocket(path, process.getuid() + 1), /belongs to uid/);
  const [link, file] = [join(folder, "link"), join(folder, "file")];
  symlinkSync(path, link);
  writeFileSync(file, "");
  for (const other of [link, file, folder]) {
    await assert.rejects(client({ url: `unix:${other}` }).getSecret("a/b"), { message: /it is not a socket/ });
  }
  await assert.rejects(client({ url: `unix:${folder}/none` }).getSecret("a/b"), { message: /no vault answers/, sent: false });
  assert.equal(seen.connections, 1);
});
