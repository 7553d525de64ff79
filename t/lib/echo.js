'use strict';
// An application behind mod_proxy that answers with the request it was given, as JSON.
const http = require('node:http');

function startEcho(t) {
  return new Promise((resolve) => {
    const server = http.createServer((request, response) => {
      const body = [];
      request.on('data', (part) => body.push(part));
      request.on('end', () => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers,
          trailers: request.trailers, body: Buffer.concat(body).toString() }));
      });
    });
    server.listen(0, '127.0.0.1', () => {
      t.cleanup(() => new Promise((done) => { server.close(done); server.closeAllConnections(); }));
      resolve({ port: server.address().port });
    });
  });
}

// The identity headers an echoed request carried.
const identity = (answer) => Object.fromEntries(Object.entries(answer.json.headers)
  .filter(([name]) => /nextauth/i.test(name)));

module.exports = { startEcho, identity };
