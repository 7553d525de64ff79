'use strict';
// A stand-in for every provider of the catalogue. Each entry lives below /ID/, with the paths of its
// real URLs, and is as particular as the provider's documentation says: how a client shows who it is,
// where the access token goes, which fields and headers of its own it wants. What a sign-in did wrong
// is in `faults`.
const crypto = require('node:crypto');
const http = require('node:http');
const jose = require('jose');
const { freePort } = require('./httpd.js');
const { generateKeys } = require('./keys.js');

const s256 = (value) => crypto.createHash('sha256').update(value || '').digest('base64url');
const seconds = () => Math.floor(Date.now() / 1000);
const secretOf = (id) => `secret of ${id}, of 32 bytes and more`;
const clientOf = (id) => `client+${id}`;

// What the documentation of a provider demands beyond RFC 6749: of the authorization request, the
// token request, the userinfo request; and what its token response has.
const particular = {
  'azure-devops': {
    authorize: { response_type: 'Assertion' },
    token: (form) => ({ code: form.assertion, client: clientOf('azure-devops'), secret: form.client_assertion,
      good: form.grant_type === 'urn:ietf:params:oauth:grant-type:jwt-bearer' && !('code' in form)
        && form.client_assertion_type === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' }),
  },
  atlassian: { authorize: { audience: 'api.atlassian.com' } },
  'boxyhq-saml': { authorize: { provider: 'saml' } },
  'bankid-no': { authorize: { ui_locales: 'no', login_hint: 'BIS' } },
  bungie: { grant: { membership_id: '4611' }, userinfo: ({ url }) => url.pathname.endsWith('/GetBungieAccount/4611/254/') },
  dropbox: { authorize: { token_access_type: 'offline' },
    userinfo: ({ req, body }) => req.method === 'POST' && body === 'null' && req.headers['content-type'] === 'application/json' },
  foursquare: { bearer: ({ url }) => url.searchParams.get('oauth_token') },
  fusionauth: { authorize: { tenantId: 'acme' } },
  hubspot: { bearer: ({ url }) => decodeURIComponent(url.pathname.split('/').at(-1)) },
  instagram: { userinfo: ({ url }) => url.searchParams.get('fields') === 'id,username,account_type,name' },
  nextcloud: { grant: { user_id: 'ada l' },
    userinfo: ({ req, url }) => req.headers['ocs-apirequest'] === 'true' && url.pathname.endsWith('/cloud/users/ada%20l') },
  notion: { authorize: { owner: 'user' }, userinfo: ({ req }) => req.headers['notion-version'] === '2022-06-28' },
  tiktok: { authorize: { client_key: clientOf('tiktok') }, token: (form) => ({ good: form.client_key === clientOf('tiktok') }),
    userinfo: ({ url }) => url.searchParams.get('fields') === 'open_id,avatar_url,display_name' },
  todoist: { userinfo: ({ req, body }) => req.method === 'POST' && new URLSearchParams(body).get('resource_types') === '["user"]' },
  trakt: { userinfo: ({ req }) => req.headers['trakt-api-version'] === '2' && req.headers['trakt-api-key'] === clientOf('trakt') },
  twitch: { authorize: { claims: '{"id_token":{"email":null,"email_verified":null,"picture":null,"preferred_username":null}}' },
    grant: { scope: ['openid', 'user:read:email'] } },
  twitter: { userinfo: ({ url }) => url.searchParams.get('user.fields') === 'profile_image_url' },
  'united-effects': { authorize: { resource: true } },
  vk: { grant: { email: 'ada@example.org' }, token: (form) => ({ good: form.v === '5.131' }),
    bearer: ({ url }) => url.searchParams.get('access_token') },
  wechat: { authorize: { appid: clientOf('wechat') }, grant: { openid: 'o-1', token_type: undefined },
    token: (form) => ({ good: form.appid === clientOf('wechat') && form.secret === secretOf('wechat') }),
    bearer: ({ url }) => url.searchParams.get('access_token'), userinfo: ({ url }) => url.searchParams.get('openid') === 'o-1' },
};

class Catalogue {
  constructor(entries, port) {
    this.entries = entries;
    this.url = `http://localhost:${port}`;
    const { publicKey, privateKey } = generateKeys('rsa', { modulusLength: 2048 });
    this.privateKey = privateKey;
    this.jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
    this.answers = {}; // by ID: the claims, or the userinfo response
    this.codes = new Map();
    this.tokens = new Map();
    this.faults = [];
    this.userinfoIs = undefined; // makes a signed userinfo response of its claims
    this.groups = () => undefined; // answers a request for a user's groups
    this.photo = undefined; // of every user, { type, body, status }; undefined if there is none
    this.photosAsked = []; // the requests for it
    this.secretIs = {}; // by ID: judges a client secret that is not the usual one
  }

  // The options that lead here instead of to the provider.
  options(id) {
    const entry = this.entries[id];
    const here = `${this.url}/${id}`;
    const moved = ['wellKnown', 'authorization', 'token', 'userinfo', 'emails']
      .filter((option) => /^https:/.test(entry[option] || ''))
      .map((option) => `"${option}=${entry[option].replace(/^https:\/\/[^/]+/, here)}"`);
    const issuer = entry.type === 'oidc' ? !/^https:/.test(entry.wellKnown || '') : JSON.stringify(entry).includes('{issuer}');
    const own = [`"clientId=${clientOf(id)}"`, `"clientSecret=${secretOf(id)}"`];
    if (issuer) own.push(`issuer=${here}`);
    if (JSON.stringify(entry).match(/\{tenant\??\}/)) own.push('tenant=acme');
    if (entry.type === 'oauth' && !entry.userinfo) own.push(`userinfo=${here}/me`);
    return [...own, ...moved].join(' ');
  }

  // Those for a photo of 48 pixels, of a provider that has any.
  photoOptions(id) {
    const url = this.entries[id]['photo.url'];
    return url ? `photo=48 "photo.url=${url.replace(/^https:\/\/.*?\/photos\//, `${this.url}/${id}/photos/`)}"` : '';
  }

  fault(id, what) {
    this.faults.push(`${id}: ${what}`);
    return null;
  }

  async jwt(claims, { alg = 'RS256', secret } = {}) {
    return new jose.SignJWT(claims).setProtectedHeader(alg === 'RS256' ? { alg, kid: 'one' } : { alg })
      .sign(secret ? new TextEncoder().encode(secret) : this.privateKey);
  }

  discovery(id) {
    const here = `${this.url}/${id}`;
    const method = this.entries[id].token_endpoint_auth_method || 'client_secret_basic';
    return { issuer: here, authorization_endpoint: `${here}/authorize`, token_endpoint: `${here}/token`,
      userinfo_endpoint: `${here}/userinfo`, jwks_uri: `${here}/jwks`, token_endpoint_auth_methods_supported: [method],
      id_token_signing_alg_values_supported: ['RS256', 'HS256'] };
  }

  authorize(id, query, res) {
    const entry = this.entries[id];
    const checks = (entry.checks || (entry.type === 'oidc' ? 'pkce,state,nonce' : 'pkce,state')).split(',');
    const expected = { response_type: 'code', client_id: clientOf(id), scope: entry.scope || (entry.type === 'oidc' ? 'openid profile email' : undefined),
      ...particular[id]?.authorize };
    for (const [name, value] of Object.entries(expected))
      if (value === true ? !query[name] : query[name] !== value) this.fault(id, `${name} is '${query[name]}', not '${value}'`);
    for (const [check, name] of [['pkce', 'code_challenge'], ['state', 'state'], ['nonce', 'nonce']])
      if (checks.includes(check) !== Boolean(query[name])) this.fault(id, `${name} is '${query[name]}'`);
    const code = crypto.randomUUID();
    this.codes.set(code, { id, ...query });
    if (query.response_mode === 'form_post') {
      res.setHeader('content-type', 'application/json');
      return res.end(JSON.stringify({ code, state: query.state, user: this.posted }));
    }
    const back = new URL(query.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.state);
    return res.writeHead(302, { location: back.href }).end();
  }

  // How the client showed who it is, which must be the entry's way.
  client(id, req, form) {
    const method = this.entries[id].token_endpoint_auth_method || 'client_secret_basic';
    if (method === 'client_secret_basic') {
      const [client, secret] = Buffer.from((req.headers.authorization || '').replace(/^Basic /, ''), 'base64').toString()
        .split(':').map(decodeURIComponent);
      return { client, secret };
    }
    if (req.headers.authorization) this.fault(id, 'the client authenticated by Basic');
    return { client: form.client_id, secret: form.client_secret };
  }

  async token(id, req, form) {
    const special = particular[id]?.token?.(form) || {};
    const { client, secret, code = form.code, good = true } = { ...this.client(id, req, form), ...special };
    const asked = this.codes.get(code);
    this.codes.delete(code);
    if (!asked || asked.id !== id) return this.fault(id, 'an unknown code');
    const known = this.secretIs[id] ? this.secretIs[id](secret) : secret === secretOf(id);
    if (client !== clientOf(id) || !known) return this.fault(id, `the client is '${client}', '${secret}'`);
    if (!good) return this.fault(id, `the token request is ${JSON.stringify(form)}`);
    if (!special.code && form.grant_type !== 'authorization_code') return this.fault(id, 'no grant_type');
    if (asked.redirect_uri !== form.redirect_uri) return this.fault(id, 'another redirect_uri');
    if (asked.code_challenge && asked.code_challenge !== s256(form.code_verifier)) return this.fault(id, 'no code_verifier');
    const access = crypto.randomUUID();
    this.tokens.set(access, id);
    const answer = { access_token: access, token_type: 'bearer', expires_in: 3600, ...particular[id]?.grant };
    if (this.entries[id].type === 'oidc') {
      const alg = this.entries[id].id_token_signed_response_alg;
      const claims = this.entries[id].idToken === 'false' ? { sub: this.answers[id].sub } : this.answers[id];
      answer.id_token = await this.jwt({ iss: `${this.url}/${id}`, aud: clientOf(id), iat: seconds(), exp: seconds() + 300, nonce: asked.nonce, ...claims },
        alg ? { alg, secret: secretOf(id) } : {});
    }
    return answer;
  }

  async userinfo(id, call, res) {
    const bearer = particular[id]?.bearer?.(call) || (call.req.headers.authorization || '').replace(/^Bearer /, '');
    if (this.tokens.get(bearer) !== id) return this.fault(id, `the access token is '${bearer}'`);
    if (particular[id]?.bearer && call.req.headers.authorization) return this.fault(id, 'the access token is in two places');
    if (particular[id]?.userinfo && !particular[id].userinfo(call)) return this.fault(id, `userinfo by ${call.req.method} ${call.req.url} ${call.body}`);
    if (!this.entries[id].userinfo_signed_response_alg) return this.answers[id];
    res.setHeader('content-type', 'application/jwt');
    if (this.userinfoIs) return this.userinfoIs({ iss: `${this.url}/${id}`, aud: clientOf(id), ...this.answers[id] });
    return this.jwt({ iss: `${this.url}/${id}`, aud: clientOf(id), ...this.answers[id] });
  }

  sendPhoto(id, url, { headers }, res) {
    this.photosAsked.push({ path: url.pathname, accept: headers.accept, isGood: this.tokens.get((headers.authorization || '').replace(/^Bearer /, '')) === id });
    const { status = 404, type = 'application/json', body = '{}', more = {} } = { ...this.photo && { status: 200 }, ...this.photo };
    return res.writeHead(status, { 'content-type': type, ...more }).end(body);
  }

  async answer(req, res) {
    const url = new URL(req.url, this.url);
    const [, id] = url.pathname.split('/');
    const parts = [];
    for await (const part of req) parts.push(part);
    const body = Buffer.concat(parts).toString();
    const entry = this.entries[id] || {};
    const pathOf = (option, other) => (/^(https:\/\/[^/]+|\{issuer\})/.test(entry[option] || '')
      ? entry[option].replace(/^(https:\/\/[^/]+|\{issuer\})/, `/${id}`).replace(/\?.*/, '') : `/${id}${other}`);
    if (url.pathname.includes('/.well-known/')) return this.discovery(id);
    if (url.pathname === `/${id}/jwks`) return { keys: [this.jwk] };
    if (url.pathname === pathOf('token', '/token') && req.method === 'POST') return this.token(id, req, Object.fromEntries(new URLSearchParams(body)));
    if (url.pathname === pathOf('authorization', '/authorize')) return this.authorize(id, Object.fromEntries(url.searchParams), res);
    if (url.pathname === pathOf('emails', '/emails')) return { values: [{ email: 'eve@example.org', is_confirmed: false, is_primary: true },
      { email: 'old@example.org', is_confirmed: true, is_primary: false }, { email: 'ada@example.org', is_confirmed: true, is_primary: true }] };
    if (url.pathname === `/${id}/groups`) return this.groups(url, req);
    if (url.pathname.startsWith(`/${id}/photos/`)) return this.sendPhoto(id, url, req, res);
    return this.userinfo(id, { req, url, body }, res);
  }

  async listen(t) {
    const server = http.createServer(async (req, res) => {
      const answer = await this.answer(req, res);
      if (res.writableEnded) return;
      if (!answer) res.statusCode = 400;
      if (!res.hasHeader('content-type')) res.setHeader('content-type', 'application/json');
      res.end(typeof answer === 'string' ? answer : JSON.stringify(answer || { error: 'invalid_request' }));
    });
    await new Promise((resolve) => { server.listen(new URL(this.url).port, '127.0.0.1', resolve); });
    t.cleanup(() => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }));
    return this;
  }
}

const startCatalogue = async (t, entries) => new Catalogue(entries, await freePort()).listen(t);

module.exports = { startCatalogue, clientOf, secretOf };
