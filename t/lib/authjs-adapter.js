'use strict';
// Auth.js as published, on a database of PostgreSQL that has @auth/pg-adapter's tables: the adapter
// alone, and a site of its own that signs people in and keeps their sessions there.
const http = require('node:http');

// A pool that neither keeps the test running nor ends it when the database does.
function makePool(url) {
  const { Pool } = require('pg');
  const pool = new Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 10_000, allowExitOnIdle: true });
  pool.on('error', () => {});
  return pool;
}

/*
 * The adapter: createUser … useVerificationToken. disconnect() is ours: it gives back the
 * connections, for tests that count them.
 */
async function makePgAdapter(url) {
  const { default: PostgresAdapter } = await import('@auth/pg-adapter');
  const pool = makePool(url);
  return { ...PostgresAdapter(pool), disconnect: () => pool.end() };
}

// The same with MongoDB: the database is the URL's.
async function makeMongodbAdapter(url, options) {
  const { MongoDBAdapter } = await import('@auth/mongodb-adapter');
  const { MongoClient } = require('mongodb');
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 });
  return { ...MongoDBAdapter(client, options), disconnect: () => client.close() };
}

// Mails are kept, not sent: what is in them is what would be sent.
function emailProvider(mails) {
  return {
    id: 'email', type: 'email', name: 'Email', from: 'no-reply@example.org', maxAge: 24 * 3600,
    sendVerificationRequest: async ({ identifier, url, token, expires }) => { mails.push({ to: identifier, url, token, expires }); },
  };
}

// The tests' provider tells name and e-mail at its userinfo endpoint, which is asked only so.
function oidcProvider({ id = 'op', ...rest }) {
  return { id, type: 'oidc', name: id, checks: ['pkce', 'state', 'nonce'], idToken: false, ...rest };
}

async function toRequest(message, origin) {
  const parts = [];
  for await (const part of message) parts.push(part);
  const body = parts.length ? Buffer.concat(parts) : undefined;
  return new Request(new URL(message.url, origin), { method: message.method, headers: message.headers, body });
}

async function send(answer, response) {
  response.statusCode = answer.status;
  for (const [key, value] of answer.headers) if (key !== 'set-cookie') response.setHeader(key, value);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length) response.setHeader('set-cookie', cookies);
  response.end(Buffer.from(await answer.arrayBuffer()));
}

/*
 * A site at `url` with Auth.js under /api/auth, sessions in the database, a provider and mail.
 * Options: url (of the database), secret, provider ({ issuer, clientId, clientSecret, id: 'op' }, of
 * which startOp() has to know `<url>/api/auth/callback/op`), port (where that has to be known
 * before), config (more of Auth.js's, or others). Sites of one test are one host to a browser, and
 * share its cookies.
 * Gives { port, url, mails, errors, adapter }; errors are what Auth.js would have logged.
 */
async function startAuthJs(t, { url: database, secret, provider, port = 0, config = {} }) {
  const { Auth } = await import('@auth/core');
  const adapter = await makePgAdapter(database);
  const { disconnect, ...methods } = adapter;
  const mails = [];
  const errors = [];
  const options = {
    basePath: '/api/auth', secret, trustHost: true, adapter: methods, session: { strategy: 'database' },
    providers: [...(provider ? [oidcProvider(provider)] : []), emailProvider(mails)],
    logger: { error: (error) => errors.push(error), warn: () => {}, debug: () => {} },
    ...config,
  };
  const server = http.createServer(async (message, response) => {
    try {
      await send(await Auth(await toRequest(message, `http://${message.headers.host}`), options), response);
    } catch (error) {
      errors.push(error);
      response.statusCode = 500;
      response.end(`${error.message}\n`);
    }
  });
  await new Promise((resolve, reject) => { server.on('error', reject).listen(port, '127.0.0.1', resolve); });
  t.cleanup(async () => {
    await new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
    await disconnect();
  });
  const { port: taken } = server.address();
  return { port: taken, url: `http://localhost:${taken}`, mails, errors, adapter };
}

module.exports = { makeMongodbAdapter, makePgAdapter, startAuthJs };
