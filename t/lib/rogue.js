'use strict';
// An OpenID provider that does one thing wrong. Each of its issuers, http://localhost:PORT/<id>,
// is honest but for the one fault that the test gives it:
//
//   discovery, jwks, signedJwks, token, userinfo, par, webfinger   what to answer instead: an object's members replace the
//                                      honest answer's (undefined takes one away), a function of
//                                      the honest answer gives the whole, a Reply is sent as it is
//   authorize                          the same for the parameters of the authorization response
//   claims, header                     the same for the ID token's two parts
//   takesCodesTwice                    the token endpoint does
//   sign                               (header, claims, keys) => ID token
//
// `journal` has every request, with the number of the connection that it came through; `secrets` has
// what must not be found in any log. With `tls`, the options of a TLS server, the issuers are https.
const crypto = require('node:crypto');
const { generateKeys } = require('./keys.js');
const http = require('node:http');
const https = require('node:https');
const jose = require('jose');
const { freePort } = require('./httpd.js');

class Reply {
  constructor(send) {
    this.send = send;
  }
}

const text = (status, type, body, headers = {}) => new Reply((res) => {
  res.writeHead(status, { 'content-type': type, ...headers });
  res.end(body);
});
const MANY = Buffer.alloc(10_000_000, ' ');

const replies = {
  text,
  json: (body, status = 200, headers = {}) => text(status, 'application/json', JSON.stringify(body), headers),
  html: text(200, 'text/html', '<!DOCTYPE html><title>Maintenance</title><p>Back soon.</p>'),
  failure: text(500, 'text/plain', 'out of order'),
  redirect: (location) => text(302, 'text/plain', '', { location }),
  large: text(200, 'application/json', MANY, { 'content-length': MANY.length }),
  largeChunked: new Reply((res) => {
    res.writeHead(200, { 'content-type': 'application/json' });
    for (let i = 0; i < MANY.length; i += 1_000_000) res.write(MANY.subarray(i, i + 1_000_000));
    res.end();
  }),
  truncated: (honest) => text(200, 'application/json', JSON.stringify(honest).slice(0, -20)),
  silence: new Reply(() => {}),
  reset: new Reply((res) => res.socket.resetAndDestroy()),
};

const base64url = (value) => Buffer.from(value).toString('base64url');
const random = () => crypto.randomBytes(24).toString('base64url');
const seconds = () => Math.floor(Date.now() / 1000);
const input = (header, claims) => `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;

function makeKey(kid) {
  const { publicKey, privateKey } = generateKeys('rsa', { modulusLength: 2048 });
  return { kid, publicKey, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' } };
}

// Ways to sign, honest and otherwise.
const sign = {
  rs256: (header, claims, key) => new jose.CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader(header).sign(key.privateKey),
  hs256: (header, claims, secret) => {
    const signed = input(header, claims);
    return `${signed}.${crypto.createHmac('sha256', secret).update(signed).digest('base64url')}`;
  },
  none: (header, claims) => `${input(header, claims)}.`,
};

// The left half of a hash, as at_hash has it.
const half = (value) => crypto.createHash('sha256').update(value).digest().subarray(0, 16).toString('base64url');

async function altered(fault, honest) {
  if (fault === undefined) return honest;
  if (typeof fault === 'function') return fault(honest);
  if (fault instanceof Reply) return fault;
  return { ...honest, ...fault };
}

async function send(res, answer) {
  if (answer instanceof Reply) answer.send(res);
  else replies.json(answer).send(res);
}

function discovery(issuer) {
  return { issuer,
    authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token`,
    userinfo_endpoint: `${issuer}/userinfo`, pushed_authorization_request_endpoint: `${issuer}/par`, jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'], subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    registration_endpoint: `${issuer}/register`, authorization_response_iss_parameter_supported: true };
}

class Rogue {
  constructor(port, scheme, name) {
    this.port = port;
    this.url = `${scheme}://${name}:${port}`;
    this.key = makeKey('one');
    this.faults = {};
    this.journal = [];
    this.secrets = [];
    this.codes = new Map();
    this.pushed = new Map();
  }

  issuer(id) {
    return `${this.url}/${id}`;
  }

  // The requests that one issuer got at one of its endpoints.
  requests(id, endpoint) {
    return this.journal.filter((entry) => entry.id === id && entry.endpoint === endpoint);
  }

  secret(value) {
    this.secrets.push(value);
    return value;
  }

  async authorize(id, res, params) {
    const code = this.secret(random());
    this.codes.set(code, { id, ...params });
    const answer = await altered(this.faults[id]?.authorize, { code, state: params.state, iss: this.issuer(id) });
    if (answer instanceof Reply) return answer.send(res);
    const back = new URL(params.redirect_uri);
    for (const [name, value] of Object.entries(answer)) if (value !== undefined) back.searchParams.set(name, value);
    return replies.redirect(back.href).send(res);
  }

  async push(id, res, form) {
    const request_uri = `urn:ietf:params:oauth:request_uri:${random()}`;
    this.pushed.set(request_uri, form);
    const answer = await altered(this.faults[id]?.par, { request_uri, expires_in: 60 });
    return answer instanceof Reply ? answer.send(res) : replies.json(answer, 201).send(res);
  }

  async idToken(id, asked, accessToken) {
    const fault = this.faults[id] || {};
    const claims = await altered(fault.claims, { iss: this.issuer(id), sub: 'mallory', aud: asked.client_id,
      iat: seconds(), exp: seconds() + 300, nonce: asked.nonce, at_hash: half(accessToken),
      name: 'Mallory', email: 'mallory@example.org', email_verified: true });
    const header = await altered(fault.header, { alg: 'RS256', kid: this.key.kid });
    const token = await (fault.sign || sign.rs256)(header, claims, this.key);
    this.secret(token);
    return token;
  }

  async token(id, res, form) {
    const fault = this.faults[id]?.token;
    if (fault instanceof Reply) return fault.send(res);
    const asked = this.codes.get(form.code);
    if (!this.faults[id]?.takesCodesTwice) this.codes.delete(form.code);
    if (!asked || asked.id !== id) return replies.json({ error: 'invalid_grant', error_description: 'no such code' }, 400).send(res);
    const accessToken = this.secret(random());
    return send(res, await altered(fault, { access_token: accessToken, token_type: 'Bearer', expires_in: 300,
      scope: 'openid', id_token: await this.idToken(id, asked, accessToken) }));
  }

  // The resource names the issuer: acct:ID@HOST, or https://HOST/ID.
  async webfinger(resource, res) {
    const id = resource.match(/^(?:acct:|https:\/\/[^/]*\/)([\w-]*)/)?.[1];
    const links = [{ rel: 'http://webfinger.net/rel/profile-page', href: 'http://example.org/' }, { rel: 'http://openid.net/specs/connect/1.0/issuer', href: this.issuer(id) }];
    return send(res, await altered(this.faults[id]?.webfinger, { subject: resource, links }));
  }

  async answer(req, res) {
    const url = new URL(req.url, this.url);
    const parts = [];
    for await (const part of req) parts.push(part);
    const [, id, ...rest] = url.pathname.split('/');
    const endpoint = rest.at(-1) || '';
    const query = Object.fromEntries(url.searchParams);
    const body = Buffer.concat(parts).toString();
    const form = Object.fromEntries(new URLSearchParams(body));
    this.journal.push({ id, endpoint, method: req.method, headers: req.headers, query, form, connection: req.socket.number });
    const fault = this.faults[id] || {};
    switch (endpoint) {
      case 'openid-configuration': return send(res, await altered(fault.discovery, discovery(this.issuer(id))));
      case 'jwks': return send(res, await altered(fault.jwks, { keys: [this.key.jwk] }));
      case 'signed-jwks': return send(res, await altered(fault.signedJwks, {}));
      case 'par': return this.push(id, res, form);
      case 'authorize': return this.authorize(id, res, this.pushed.get(query.request_uri) || { ...query, ...(query.request ? jose.decodeJwt(query.request) : {}) });
      case 'token': return this.token(id, res, form);
      case 'userinfo': return send(res, await altered(fault.userinfo, { sub: 'mallory', name: 'Mallory', email: 'mallory@example.org', email_verified: true }));
      case 'register': return replies.json({ client_id: 'the-client', client_secret: this.secret(random()), ...JSON.parse(body) }, 201).send(res);
      case 'webfinger': return this.webfinger(query.resource, res);
      default: return text(404, 'text/plain', 'nothing here').send(res);
    }
  }
}

async function startRogue(t, { tls, host = '127.0.0.1' } = {}) {
  const rogue = new Rogue(await freePort(), tls ? 'https' : 'http', host === '::1' ? '[::1]' : 'localhost');
  const answer = (req, res) => {
    rogue.answer(req, res).catch((error) => text(500, 'text/plain', error.stack).send(res));
  };
  const server = tls ? https.createServer(tls, answer) : http.createServer(answer);
  let connections = 0;
  const open = new Set();
  server.on(tls ? 'secureConnection' : 'connection', (socket) => {
    socket.number = ++connections;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  // Closes all connections, as a server does that has nothing to say any more.
  rogue.disconnect = () => open.forEach((socket) => socket.end());
  await new Promise((resolve) => { server.listen(rogue.port, host, resolve); });
  t.cleanup(() => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  }));
  return rogue;
}

module.exports = { startRogue, Reply, replies, sign, makeKey, half, seconds };
