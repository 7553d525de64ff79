'use strict';
// An API's clients: their access tokens, from npm's oidc-provider or made by hand.
const crypto = require('node:crypto');
const jose = require('jose');
const { Client, request } = require('./client.js');
const { startOp } = require('./op.js');

const secret = 'a secret between the client and the provider';
const redirectUri = 'http://127.0.0.1:9/callback';
const basic = (id) => `Basic ${Buffer.from(`${id}:${encodeURIComponent(secret)}`).toString('base64')}`;

// What resource servers are: each of `apis` is a name that tokens are for. `opaque` ones get no JWTs, those of `sealed`
// JWTs that are encrypted as its values say.
function resources(apis, { alg = 'RS256', opaque = [], sealed = {} } = {}) {
  return { enabled: true,
    getResourceServerInfo: (ctx, name) => {
      if (!apis.includes(name)) throw new Error(`no such resource: ${name}`);
      const format = opaque.includes(name) ? {} : { accessTokenFormat: 'jwt', jwt: { sign: { alg }, ...(sealed[name] ? { encrypt: sealed[name] } : {}) } };
      return { scope: 'read write', audience: name, accessTokenTTL: 300, ...format };
    },
    useGrantedResource: () => true };
}

async function startIssuer(t, apis, options = {}) {
  const client = (id, more) => ({ client_id: id, client_secret: secret, grant_types: ['authorization_code', 'client_credentials'], redirect_uris: [redirectUri], ...more });
  const op = await startOp(t, { ...options,
    features: { clientCredentials: { enabled: true }, resourceIndicators: resources(apis, options), ...options.features },
    settings: { ...options.settings,
      loadExistingGrant: async (ctx) => {
        const { session, params, provider } = ctx.oidc;
        const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: session.accountId });
        grant.addOIDCScope(params.scope);
        for (const api of apis) grant.addResourceScope(api, 'read write');
        await grant.save();
        return grant;
      } },
    clients: [client('machine'), client('app'), ...(options.clients || [])] });
  const ask = async (fields, { id = 'machine', headers = {}, url = `${op.issuer}/token` } = {}) => {
    const answer = await request(url, { method: 'POST', body: new URLSearchParams(fields).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic(id), ...headers } });
    if (answer.status !== 200) throw new Error(`no token: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  return { op,
    issuer: op.issuer,
    // The client's own token.
    machine: (api, scope = 'read', options) => ask({ grant_type: 'client_credentials', resource: api, scope }, options),
    // A token for a user who signed in, and the ID token with it.
    user: async (api, login, scope = 'read', options) => {
      const verifier = crypto.randomBytes(32).toString('base64url');
      const url = new URL('/auth', op.issuer);
      for (const [name, value] of Object.entries({ client_id: 'app', response_type: 'code', redirect_uri: redirectUri, scope: `openid ${scope}`, resource: api,
        state: 'x', nonce: 'n', code_challenge_method: 'S256', code_challenge: crypto.createHash('sha256').update(verifier).digest('base64url') })) url.searchParams.set(name, value);
      const back = new URL(await op.authorize(op.issuer && new Client({ url: op.issuer }), { location: url.href, url: op.issuer }, login));
      if (!back.searchParams.get('code')) throw new Error(`no code: ${back.href}`);
      return ask({ grant_type: 'authorization_code', code: back.searchParams.get('code'), redirect_uri: redirectUri, code_verifier: verifier, resource: api }, { id: 'app', ...options });
    } };
}

// A token that nobody but the test made. `claims` and `header` replace the honest ones; undefined takes one away.
const seconds = () => Math.floor(Date.now() / 1000);
function forge(key, claims, header = {}) {
  const honest = { sub: 'ada', client_id: 'app', iat: seconds(), exp: seconds() + 300, jti: crypto.randomUUID(), scope: 'read' };
  return new jose.CompactSign(Buffer.from(JSON.stringify({ ...honest, ...claims })))
    .setProtectedHeader(JSON.parse(JSON.stringify({ alg: 'RS256', typ: 'at+jwt', kid: key.kid, ...header }))).sign(key.privateKey);
}

// Audiences of access tokens.
const API = 'https://api.example.org/';
const OTHER = 'https://other.example.org/';

module.exports = { API, OTHER, startIssuer, forge, seconds, secret, basic };
