// An orchestrator with nothing but Node's fetch, which trusts the vault by NODE_EXTRA_CA_CERTS alone: makes a
// token for each worker, all at once, and each worker reads one secret, all at once.
// orchestrator.mjs PORT PATH NAME...   prints `NAME status use-count-allowed status-of-its-read`
const [port, path, ...names] = process.argv.slice(2);
const base = `https://localhost:${port}/v1`;

async function worker(name) {
  const made = await fetch(`${base}/tokens`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.HQ_VAULT_TOKEN}`, "Content-Type": "application/json" },
    body: JSON.stringify({ name, ttl: "1h", max_uses: 20 }),
  });
  const { token, metadata, code } = await made.json();
  if (made.status !== 201) return `${name} ${made.status} ${code}`;
  const read = await fetch(`${base}/secrets/${path}`, { headers: { Authorization: `Bearer ${token}` } });
  await read.text();
  return `${name} ${made.status} ${metadata.maxUses} ${read.status} ${token}`;
}

for (const line of await Promise.all(names.map(worker))) console.log(line);
