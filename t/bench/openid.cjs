// SPDX-License-Identifier: Apache-2.0
// The least OpenID provider that signs everybody in, and a browser that walks through a login once.
'use strict';
const crypto = require('node:crypto');
const { generateKeys } = require('../lib/keys.js');
const http = require('node:http');
const https = require('node:https');

const { publicKey, privateKey } = generateKeys('rsa', { modulusLength: 2048 });
const base64url = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');

function signed(claims, typ = 'JWT') {
  const text = `${base64url({ alg: 'RS256', typ, kid: 'bench' })}.${base64url(claims)}`;
  return `${text}.${crypto.sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

// An access token for an API (RFC 9068).
function accessToken(issuer) {
  const now = Math.floor(Date.now() / 1000);
  return signed({
    iss: issuer, aud: 'bench', sub: '42', client_id: 'client', iat: now, exp: now + 86400, jti: crypto.randomUUID(),
    scope: 'openid profile', name: 'Ada Lovelace', email: 'ada@example.org', email_verified: true,
  }, 'at+jwt');
}

const hanging = [];
const release = () => hanging.splice(0).forEach((socket) => socket.destroy());

// Answers to discovery, /authorize, /token and /jwks, and never below /hangs/; the code carries the nonce.
function answer(request, response) {
  const url = new URL(request.url, `${request.socket.encrypted ? 'https' : 'http'}://${request.headers.host}`);
  const json = (body) => {
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  };
  if (url.pathname.startsWith('/hangs/')) return hanging.push(request.socket);
  if (url.pathname === '/.well-known/openid-configuration') {
    return json({
      issuer: url.origin, authorization_endpoint: `${url.origin}/authorize`, token_endpoint: `${url.origin}/token`,
      jwks_uri: `${url.origin}/jwks`, response_types_supported: ['code'], subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
  }
  if (url.pathname === '/jwks') {
    return json({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench', use: 'sig', alg: 'RS256' }] });
  }
  if (url.pathname === '/authorize') {
    const back = new URL(url.searchParams.get('redirect_uri'));
    back.searchParams.set('state', url.searchParams.get('state'));
    back.searchParams.set('code', url.searchParams.get('nonce'));
    response.writeHead(302, { Location: back.href });
    return response.end();
  }
  let form = '';
  request.on('data', (piece) => (form += piece));
  request.on('end', () => {
    const now = Math.floor(Date.now() / 1000);
    json({
      access_token: crypto.randomBytes(32).toString('base64url'), token_type: 'Bearer', expires_in: 86400,
      id_token: signed({
        iss: url.origin, aud: 'bench', sub: '42', iat: now, exp: now + 86400,
        nonce: new URLSearchParams(form).get('code'), name: 'Ada Lovelace', email: 'ada@example.org',
        picture: 'https://cdn.example.org/ada.png',
      }),
    });
  });
}

// A provider on a port of the system's choice; with the options `tls` of a server, over https. Connections
// stay open, as with providers on the internet.
function startProvider(tls) {
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  server.keepAliveTimeout = 60000;
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => {
    resolve({ issuer: `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`, stop: () => server.close() });
  }));
}

// One GET: {status, headers, body}.
function get(url, headers = {}, agent = false) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent, timeout: 30000 }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({
        status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces),
      }));
    });
    request.on('timeout', () => request.destroy(new Error(`${url} does not answer`)));
    request.on('error', reject);
  });
}

// The Cookie header with which `address` answers 200, after its redirects were followed.
async function login(address) {
  const site = new URL(address).host;
  const jar = new Map();
  let url = address;
  for (let step = 0; step < 8; step++) {
    const ours = new URL(url).host === site;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const page = await get(url, { Accept: 'text/html', ...(ours && cookie ? { Cookie: cookie } : {}) });
    for (const line of page.headers['set-cookie'] || []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
      else jar.set(name, value);
    }
    if (page.status === 200) return [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    if (!page.headers.location) throw new Error(`login: ${url} answered ${page.status}`);
    url = new URL(page.headers.location, url).href;
  }
  throw new Error(`login at ${address} goes round in circles`);
}

module.exports = { startProvider, accessToken, login, get, release };
