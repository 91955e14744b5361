// Reads one secret for each line of JSON {env, timeout, connect}, with the SDK of the current folder, and says what happened.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { inspect } from "node:util";

const { VaultClient } = createRequire(`${process.cwd()}/`)("hq-vault");

for await (const line of createInterface({ input: process.stdin })) {
  const { env, timeout, connect } = JSON.parse(line);
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  try {
    const client = new VaultClient({ timeout: timeout * 1000, connectTimeout: connect * 1000 });
    const value = await client.getSecret("a/b");
    client.close();
    console.log(JSON.stringify({ value, shown: inspect(client) }));
  } catch (error) {
    const { code, message, sent, stack } = error;
    console.log(JSON.stringify({ code, message, sent, shown: `${error}\n${stack}\n${inspect(error, { showHidden: true })}` }));
  }
}
