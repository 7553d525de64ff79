'use strict';
// Mail servers and stand-ins for the APIs of mail services, on free loopback ports; and the C program
// that sends to them. They end with the test.
const { spawn } = require('node:child_process');
const { createHash, createHmac } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const readline = require('node:readline');
const { SMTPServer } = require('smtp-server');
const { simpleParser } = require('mailparser');
const { certify } = require('./certificates.js');
const { makeFolder, pause, root } = require('./httpd.js');

// ── certificates ──────────────────────────────────────────────────────────────────────────────

// A CA of its own, and a certificate of the server for `names`.
function makeCertificates(t, names = 'DNS:localhost,IP:127.0.0.1') {
  const folder = makeFolder(t);
  certify(folder, 'ca', 'ca');
  certify(folder, 'server', 'server', '-CA', `${folder}/ca.pem`, '-CAkey', `${folder}/ca.key`, '-addext',
    'basicConstraints=critical,CA:FALSE', '-addext', `subjectAltName=${names}`);
  return { ca: `${folder}/ca.pem`, key: fs.readFileSync(`${folder}/server.key`), cert: fs.readFileSync(`${folder}/server.pem`) };
}

// ── a mail server ─────────────────────────────────────────────────────────────────────────────

function reply(code) {
  return Object.assign(new Error(`told to answer ${code}`), { responseCode: code });
}

async function readAll(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

// What was done is told besides: tests that wait for a link must not take such a mail for it.
const NOTICE = /^Subject: Your ((password|email address) for|account at) \S+ was changed/im;

/*
 * Options: tls ('none', 'starttls', 'smtps'), certificates, user and password (AUTH is then demanded),
 * ascii: SMTPUTF8 is not offered; old: nor EHLO known. `server.recipients` has all of RCPT.
 * `server.answers` holds what comes next for MAIL, RCPT and DATA: { RCPT: [450, 450] }; then all is
 * well. `server.slow` delays each DATA by as many ms; hold() delays it until release(). `server.mails` has what arrived, `server.notices` those that tell of a change.
 */
async function startMail(t, options = {}) {
  const server = { mails: [], notices: [], recipients: [], attempts: 0, answers: {}, slow: 0, released: Promise.resolve() };
  server.hold = () => { server.released = new Promise((resolve) => { server.release = resolve; }); };
  const next = (command, callback) => {
    const code = (server.answers[command] || []).shift();
    callback(code ? reply(code) : null);
  };
  const smtp = new SMTPServer({
    secure: options.tls === 'smtps',
    ...options.certificates && { key: options.certificates.key, cert: options.certificates.cert },
    hideSTARTTLS: options.tls !== 'starttls',
    authOptional: !options.user,
    allowInsecureAuth: options.tls === 'none',
    hideSMTPUTF8: options.ascii,
    disabledCommands: options.old ? ['EHLO'] : [],
    disableReverseLookup: true,
    onAuth(auth, session, callback) {
      const right = auth.username === options.user && auth.password === options.password;
      callback(right ? null : reply(535), right ? { user: auth.username } : undefined);
    },
    onMailFrom(address, session, callback) {
      server.attempts += 1;
      next('MAIL', callback);
    },
    onRcptTo(address, session, callback) {
      server.recipients.push(address.address);
      next('RCPT', callback);
    },
    async onData(stream, session, callback) {
      const raw = await readAll(stream);
      if (server.slow) await pause(server.slow);
      await server.released;
      next('DATA', (error) => {
        const kept = NOTICE.test(raw.toString('latin1')) ? server.notices : server.mails;
        if (!error) kept.push({ raw: raw.toString('latin1'), raw8: raw, envelope: session.envelope, secure: session.secure, user: session.user });
        callback(error);
      });
    },
  });
  smtp.on('error', () => {}); // a client that refuses a certificate
  await new Promise((resolve) => { smtp.listen(0, '127.0.0.1', resolve); });
  server.port = smtp.server.address().port;
  server.stop = () => new Promise((resolve) => { smtp.close(resolve); });
  t.cleanup(() => server.stop());
  server.url = (user = '') => `${options.tls === 'smtps' ? 'smtps' : 'smtp'}://${user}localhost:${server.port}`;
  server.last = async () => {
    const mail = server.mails.at(-1);
    return { ...mail, parsed: await simpleParser(mail.raw8) };
  };
  return server;
}

// ── the API of a service ──────────────────────────────────────────────────────────────────────

/*
 * Records every request. `service.answers` holds the next answers, [status, body]; then `usual`.
 */
async function startService(t, usual = [200, { id: '1' }]) {
  const service = { requests: [], answers: [], slow: 0 };
  const listener = http.createServer(async (request, response) => {
    const body = (await readAll(request)).toString();
    service.requests.push({ method: request.method, url: request.url, headers: request.headers, body });
    if (service.slow) await pause(service.slow);
    const [status, answer] = service.answers.shift() || usual;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  });
  await new Promise((resolve) => { listener.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => { listener.close(); listener.closeAllConnections(); });
  service.url = `http://127.0.0.1:${listener.address().port}`;
  service.last = () => service.requests.at(-1);
  return service;
}

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

/*
 * What AWS computes of a request (Signature Version 4), by the headers it says are signed: its
 * credential scope, their names, the signature it came with and the one it should have.
 */
function signatureOf(request, secret) {
  const parts = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
    .exec(request.headers.authorization);
  if (!parts) return { authorization: request.headers.authorization };
  const [, key, scope, names, signature] = parts;
  const headers = names.split(';').map((name) => `${name}:${request.headers[name].trim().replace(/ +/g, ' ')}\n`).join('');
  const [pathname, query = ''] = request.url.split('?');
  const canonical = [request.method, pathname, query, headers, names, sha256(request.body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const signing = scope.split('/').reduce(hmac, `AWS4${secret}`);
  return { key, scope, names: names.split(';'), signature, expected: hmac(signing, text).toString('hex') };
}

// ── the C program ─────────────────────────────────────────────────────────────────────────────

// Of the build that is under test: t/unit/mail_send.c says what it takes.
const folder = process.env.NEXTAUTH_MODULE ? path.dirname(process.env.NEXTAUTH_MODULE) : process.env.BUILD || 'build';
const program = path.resolve(root, folder, 'unit/mail_send');

async function startSender(t, transport, options) {
  const child = spawn(program, { env: { ...process.env, LD_PRELOAD: '', NEXTAUTH_TEST_MAIL: '1' }, stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  const sender = { log: [] };
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const told = JSON.parse(line);
    if (told.log) sender.log.push(`${told.level}: ${told.log}`);
    else waiting.shift()(told);
  });
  const ask = (...words) => new Promise((resolve) => {
    waiting.push(resolve);
    child.stdin.write(`${JSON.stringify(words)}\n`);
  });
  const gone = new Promise((resolve) => { child.on('exit', resolve); });
  t.cleanup(async () => {
    child.stdin.end();
    t.is(await gone, 0, 'the sender ended well');
  });
  sender.send = (message) => ask('send', message);
  sender.queue = (capacity) => ask('queue', capacity);
  sender.put = (message, expires = 0) => ask('put', message, expires);
  sender.counts = () => ask('counts');
  sender.stop = () => ask('stop');
  sender.opened = await ask('open', transport, options);
  return sender;
}

module.exports = { makeCertificates, startMail, startService, startSender, signatureOf };
