// A worker with nothing but Node: reads the paths given with HQ_VAULT_TOKEN, and prints status and answer.
// reader.js CA PORT ROUNDS PATH...
const https = require("https");
const fs = require("fs");

const [ca, port, rounds, ...paths] = process.argv.slice(2);

function read(path) {
  const options = {
    host: "localhost",
    port,
    path: `/v1/secrets/${path}`,
    ca: fs.readFileSync(ca),
    headers: { Authorization: `Bearer ${process.env.HQ_VAULT_TOKEN}` },
  };
  return new Promise((resolve, reject) => {
    const request = https.get(options, (answer) => {
      let body = "";
      answer.setEncoding("utf8");
      answer.on("data", (part) => (body += part));
      answer.on("end", () => resolve({ status: answer.statusCode, ...JSON.parse(body) }));
    });
    request.on("error", reject);
  });
}

(async () => {
  for (let round = 1; round <= Number(rounds); round++) {
    for (const path of paths) {
      const { status, code, value } = await read(path);
      console.log(`${round} ${path} ${status} ${code ?? value}`);
    }
  }
})();
