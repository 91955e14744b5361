import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import proxy from "../dist/proxy.js";
import { socketOf, surroundings } from "../dist/surroundings.js";
import target from "../dist/target.js";

// Of no vault; without a pin and with one (spec/vectors).
const TOKEN = "hqv_Ag8HPtkbLzkkyJ7Fj85PZ-xoZnJ9BK49gflzd7Dps1_BAAAAAAAAAAAAAAAAAAAAAJOk250";
const PINNED = "hqv_AUTH1xDaMDy3r9OQfzIqfiJ1xtwM1hZNC8l1JhC6eY_hDyJq8Vd90UnZMrbb0-tc-MSjvlo";
const SESSION = "hqs_AjCKkFmiJGeJy_4IBwjvldqCvNRTuueGO5sn0B2Kzg7TAAAAAAAAAAAAAAAAAAAAAOJEws8";

const home = mkdtempSync("/tmp/hqv-sdk-");
after(() => rmSync(home, { recursive: true }));
const dir = join(home, ".hq-vault");
mkdirSync(dir);
const at = (options, env) => target.display(surroundings(options, env).target);
const who = (options, env) => surroundings({ vaultDir: dir, ...options }, env).identity;

test("the server: option, variable, socket, port, default", () => {
  assert.equal(at({}, { HOME: home }), "https://localhost:13100");
  writeFileSync(join(dir, "vault.db"), "");
  assert.equal(at({}, { HOME: home }), `unix:${dir}/vault.sock`);
  writeFileSync(join(dir, "vault.port"), "40001\n");
  assert.equal(at({}, { HOME: home }), "https://localhost:40001");
  writeFileSync(join(dir, "vault.sock"), "");
  assert.equal(at({}, { HOME: home }), `unix:${dir}/vault.sock`);
  assert.equal(at({}, { HOME: "/nowhere", HQ_VAULT_DIR: `${dir}/` }), `unix:${dir}/vault.sock`);
  assert.equal(at({ vaultDir: dir }, { HQ_VAULT_DIR: "/nowhere" }), `unix:${dir}/vault.sock`);
  const url = { HOME: home, HQ_VAULT_URL: "https://vault.internal" };
  assert.equal(at({}, url), "https://vault.internal:443");
  assert.equal(at({ url: "unix:/run/v.sock" }, url), "unix:/run/v.sock");
  assert.throws(() => at({}, { HQ_VAULT_URL: "" }), { code: "BAD_REQUEST" });
  assert.throws(() => at({}, { HQ_VAULT_DIR: "here" }), { code: "BAD_REQUEST" });
});

test("without HOME, the home of the uid", () => {
  const found = surroundings({}, {}).trust.localCa;
  assert.equal(found, join(userInfo().homedir, ".hq-vault", "ca.pem"));
  assert.equal(surroundings({}, { HOME: "relative" }).trust.localCa, found);
});

test("a socket whose path is too long stands in the runtime directory", () => {
  const long = `/${"d".repeat(120)}`;
  // The name that hq-vault makes of the same directory.
  assert.equal(socketOf("/tmp/" + "d".repeat(200), "/run/user/1"), "/run/user/1/hq-vault-2b2ff841ea1b13fc.sock");
  assert.equal(socketOf(long, undefined), undefined);
});

test("who acts: options before variables, a token before a session, and a slip is never passed over", () => {
  const file = join(home, "token");
  writeFileSync(file, `${PINNED}\n`);
  const all = { HQ_VAULT_TOKEN: TOKEN, HQ_VAULT_TOKEN_FILE: file, HQ_VAULT_SESSION: SESSION };
  assert.equal(who({}, {}), "nobody");
  assert.equal(who({}, { HQ_VAULT_SESSION: SESSION }), "session from HQ_VAULT_SESSION");
  assert.equal(who({}, { ...all, HQ_VAULT_TOKEN: undefined }), "token from HQ_VAULT_TOKEN_FILE");
  assert.equal(who({}, all), "token from HQ_VAULT_TOKEN");
  assert.equal(who({ session: SESSION }, all), "session from the option session");
  assert.equal(who({ tokenFile: file, session: SESSION }, all), "token from the option tokenFile");
  assert.equal(who({ token: TOKEN, tokenFile: file }, all), "token from the option token");
  assert.equal(who({ token: undefined }, all), "token from HQ_VAULT_TOKEN");
  for (const [options, env] of [
    [{}, { ...all, HQ_VAULT_TOKEN: "" }],
    [{}, { ...all, HQ_VAULT_TOKEN: TOKEN.slice(0, -1) }],
    [{}, { HQ_VAULT_TOKEN_FILE: "", HQ_VAULT_SESSION: SESSION }],
    [{ token: "" }, all],
    [{ token: SESSION }, all],
    [{ session: TOKEN }, {}],
  ]) {
    assert.throws(() => who(options, env), { code: "UNAUTHORIZED", sent: false });
  }
  assert.throws(() => who({}, { HQ_VAULT_TOKEN_FILE: TOKEN }), (error) => error.code === "BAD_REQUEST" && !error.message.includes("hqv_"));
  assert.throws(() => who({ tokenFile: join(home, "none") }, {}), { code: "BAD_REQUEST" });
});

test("where a proxy is used, and where not", () => {
  const hop = (url, noProxy, httpsProxy = "http://proxy.example:3128/") => proxy.hopFor(target.parse(url), { httpsProxy, noProxy });
  assert.deepEqual(hop("https://vault.example"), { host: "proxy.example", port: 3128, authorization: undefined });
  assert.equal(hop("https://vault.example", "", "proxy.example").port, 80);
  assert.equal(hop("https://vault.example", "", "http://u:p%40@[::1]:1").authorization, `Basic ${btoa("u:p@")}`);
  for (const local of ["https://localhost:1", "https://127.9.9.9", "https://[::1]:1", "unix:/x"]) assert.equal(hop(local), undefined);
  for (const rule of ["*", "vault.example", ".example", "*.example", "EXAMPLE", "x, vault.example:443"]) {
    assert.equal(hop("https://vault.example", rule), undefined, rule);
  }
  for (const rule of ["", "ault.example", "vault.example:8443", "vault.example.org", "."]) {
    assert.ok(hop("https://vault.example", rule), rule);
  }
  for (const rule of ["10.0.0.7", "10.0.0.0/8", "1.2.3.4 10.0.0.0/29", "0.0.0.0/0"]) assert.equal(hop("https://10.0.0.7", rule), undefined, rule);
  for (const rule of ["10.0.0.8", "10.0.1.0/24", "10.0.0.0/x", "10.0.0.0/", "::/0", "7"]) assert.ok(hop("https://10.0.0.7", rule), rule);
  assert.equal(hop("https://[fd00::1]", "fd00::/8"), undefined);
  assert.ok(hop("https://[fe80::1]", "fd00::/8"));
  for (const url of ["https://proxy.example", "socks5://x", "http://", "http://%zz@proxy.example"]) {
    assert.throws(() => hop("https://vault.example", "", url), { code: "BAD_REQUEST" }, url);
  }
});
