'use strict';
// A receiver of webhooks that takes nothing it cannot verify, with the library that receivers use.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Webhook } = require('standardwebhooks');
const { freePort } = require('./httpd.js');

/*
 * `secret` is one that the library takes ("whsec_…"), or a Buffer of any bytes. What arrives is in
 * `received`, in its order: { id, at, body, headers, answer }; at is the receiver's clock in ms.
 * answer(body, attempt) says what to answer: a status, { status, headers }, or null for nothing at
 * all. stop() ends it, start() lets it listen at the same port again. forged counts what did not verify.
 */
async function startReceiver(t, secret) {
  const port = await freePort();
  const webhook = typeof secret === 'string' ? new Webhook(secret) : new Webhook(secret.toString('utf8'), { format: 'raw' });
  const receiver = { port, url: `http://127.0.0.1:${port}/hook`, received: [], forged: 0, webhook, answer: () => 204 };
  let server;

  const take = (request, response, text) => {
    let body;
    try {
      body = webhook.verify(text, request.headers);
    } catch {
      receiver.forged += 1;
      response.writeHead(401).end();
      return;
    }
    const id = request.headers['webhook-id'];
    const attempt = receiver.received.filter((one) => one.id === id).length + 1;
    const answer = receiver.answer(body, attempt);
    receiver.received.push({ id, at: Date.now(), body, text, headers: request.headers, answer });
    if (answer === null) return;
    const { status, headers } = typeof answer === 'number' ? { status: answer } : answer;
    response.writeHead(status, headers).end();
  };

  receiver.start = () => new Promise((resolve, reject) => {
    server = http.createServer((request, response) => {
      const parts = [];
      request.on('data', (part) => parts.push(part));
      request.on('end', () => take(request, response, Buffer.concat(parts).toString('utf8')));
    }).on('error', reject).listen(port, '127.0.0.1', resolve);
  });
  receiver.stop = () => new Promise((resolve) => {
    if (!server) { resolve(); return; }
    server.close(resolve);
    server.closeAllConnections();
    server = undefined;
  });
  // What was taken for good, each once, whatever the number of its copies.
  receiver.taken = () => [...new Map(receiver.received.filter(({ answer }) => answer === 204).map((one) => [one.id, one.body])).values()];
  receiver.types = () => receiver.taken().map(({ type }) => type);
  receiver.users = () => receiver.taken().map(({ data }) => data.user.id).sort();
  t.cleanup(() => receiver.stop());
  await receiver.start();
  return receiver;
}

// NextAuthEventQueue's folder has a folder for each sink, with segments of new items, of which the
// one that is being sent is done up to its offset, and a file for each item that is tried again.
const foldersIn = (queue) => (fs.existsSync(queue) ? fs.readdirSync(queue).map((name) => path.join(queue, name)) : []);
const textOf = (file) => { try { return fs.readFileSync(file, 'latin1'); } catch { return ''; } };
const linesIn = (folder) => [textOf(`${folder}/segments/sending`).slice(Number(textOf(`${folder}/segments/offset`))), textOf(`${folder}/segments/filling`)]
  .flatMap((text) => text.split('\n').filter(Boolean));
const queued = (queue) => foldersIn(queue).flatMap((folder) => [...fs.readdirSync(folder).filter((name) => /^\d/.test(name)), ...linesIn(folder)]);

module.exports = { foldersIn, queued, startReceiver };
