// A service as many are written: what it needs stands in its environment. It answers one request, its own, and ends.
const http = require('node:http');

const body = () => JSON.stringify([process.env.DATABASE_URL, process.env.API_KEY]);
const server = http.createServer((_, answer) => answer.end(body()));
server.listen(0, '127.0.0.1', () => {
  http.get(server.address(), (answer) => {
    answer.setEncoding('utf8').on('data', (part) => process.stdout.write(part));
    answer.on('end', () => server.close());
  });
});
