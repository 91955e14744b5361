// getSecret over a kept connection against the same request by Node's own client, in turns. Fails above 1.3.
// speed.mjs HOST PORT CA PATH [ROUNDS]
import { readFileSync } from "node:fs";
import https from "node:https";
import { createRequire } from "node:module";

const { VaultClient } = createRequire(`${process.cwd()}/`)("hq-vault");
const [host, port, ca, path, rounds = 40] = process.argv.slice(2);
const token = process.env.HQ_VAULT_TOKEN;
const options = {
  host, port, path: `/v1/secrets/${path}`, ca: readFileSync(ca), agent: new https.Agent({ keepAlive: true }),
  headers: { Authorization: `Bearer ${token}` },
};
const raw = () =>
  new Promise((resolve, reject) => {
    const request = https.get(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (part) => (body += part)).on("end", () => resolve(JSON.parse(body).value));
    });
    request.on("error", reject);
  });
const client = new VaultClient({ url: `https://${host}:${port}` });
const sdk = () => client.getSecret(path);

async function time(call) {
  const begun = process.hrtime.bigint();
  for (let n = 0; n < 25; n++) await call();
  return Number(process.hrtime.bigint() - begun) / 25_000;
}

const times = { raw: [], sdk: [] };
// The first rounds are for the compiler: what is measured is how it stays.
for (let round = -rounds; round < rounds; round++) {
  // Whoever is first in a round changes, so that neither is always warmed by the other.
  const pair = round % 2 ? [["raw", raw], ["sdk", sdk]] : [["sdk", sdk], ["raw", raw]];
  for (const [name, call] of pair) (round < 0 ? [] : times[name]).push(await time(call));
}
// The median of what each round says: its two halves are neighbours in time, so that other work stretches both alike.
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const ratio = median(times.sdk.map((taken, round) => taken / times.raw[round]));
const [a, b] = [median(times.raw), median(times.sdk)];
console.log(`node ${process.versions.node}: raw ${a.toFixed(0)} us, SDK ${b.toFixed(0)} us, ${ratio.toFixed(2)} x`);
process.exit(ratio > 1.3 ? 1 : 0);
