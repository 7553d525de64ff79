'use strict';
// An OpenID provider that nobody of this project wrote: npm's oidc-provider, on a free loopback
// port, with two accounts and a login form of its own that works without script.
const crypto = require('node:crypto');
const { generateKeys } = require('./keys.js');
const http = require('node:http');
const https = require('node:https');
const { freePort } = require('./httpd.js');

const password = 'correct horse';
const accounts = {
  alice: { name: 'Alice Archer', email: 'alice@example.org', email_verified: true,
    picture: 'https://pictures.example.org/alice.png', groups: ['staff', 'editors'] },
  bob: { name: 'Bob Builder', email: 'bob@example.org', email_verified: false,
    picture: 'https://pictures.example.org/bob.png', groups: ['guests'] },
};

const keyKinds = [['rsa', { modulusLength: 2048 }], ['ec', { namedCurve: 'P-256' }], ['ed25519', {}]];

function newKeys() {
  return keyKinds.map(([kind, options]) => ({
    ...generateKeys(kind, options).privateKey.export({ format: 'jwk' }),
    use: 'sig', kid: `${kind}-${crypto.randomUUID()}`,
  }));
}

// A client's key for encrypted ID tokens: `pem` for the module, `jwk` for the provider.
function decryptionKey(kind, alg) {
  const options = kind === 'rsa' ? { modulusLength: 2048 } : { namedCurve: 'P-256' };
  const { publicKey, privateKey } = generateKeys(kind, options);
  return { pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    jwk: { ...publicKey.export({ format: 'jwk' }), use: 'enc', alg, kid: 'theirs' } };
}

// Whoever signed in agrees to whatever the client asks.
async function consent(ctx) {
  const { client, session, params, provider } = ctx.oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(params.scope);
  await grant.save();
  return grant;
}

function configuration(options, cookieKey, keys) {
  return {
    clients: options.clients.map((client) => ({ grant_types: ['authorization_code'], response_types: ['code'], ...client })),
    jwks: { keys },
    cookies: { keys: [cookieKey] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture', 'groups'] },
    conformIdTokenClaims: options.conformIdTokenClaims ?? true,
    features: { devInteractions: { enabled: false }, encryption: { enabled: true }, ...options.features },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    loadExistingGrant: consent,
    findAccount: (ctx, sub) => accounts[sub] && { accountId: sub, claims: () => ({ sub, ...accounts[sub] }) },
    renderError: (ctx, out) => { ctx.type = 'text/plain'; ctx.body = `${out.error}: ${out.error_description}\n`; },
    clientBasedCORS: () => false,
    // Clients' key sets are on this machine, which it would refuse otherwise.
    fetch: (url, { dispatcher, ...more }) => fetch(url, more),
    ...options.settings,
  };
}

// What the provider needs to know of certificates: the endpoints with `tls` ask for one.
const mTLS = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: (ctx) => {
    const { raw } = ctx.socket.getPeerCertificate?.() || {};
    return raw && new crypto.X509Certificate(raw);
  },
  certificateAuthorized: (ctx) => ctx.socket.authorized,
  certificateSubjectMatches: (ctx, property, expected) => property === 'tls_client_auth_subject_dn'
    && `CN=${ctx.socket.getPeerCertificate().subject.CN}` === expected,
};

function holdAnswer(res, hold) {
  const end = res.end.bind(res);
  res.end = (...more) => { hold.then(() => end(...more)); return res; };
}

const listen = (server, port) => new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });

const form = (action, wrong) => `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Sign in at the provider</title></head><body>
<h1>Sign in at the provider</h1>${wrong ? '<p role="alert">Wrong login or password.</p>' : ''}
<form method="post" action="${action}">
<p><label>Login <input name="login" autocomplete="username" autofocus></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<p><button type="submit">Continue</button> <button type="submit" name="cancel" value="1">Cancel</button></p>
</form></body></html>
`;

async function readForm(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

// `loginOf` gives what the provider is to know of a login besides the account, from the request's parameters.
async function interact(provider, req, res, loginOf = () => ({})) {
  const { uid, params } = await provider.interactionDetails(req, res);
  const show = (status) => {
    res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    res.end(form(`/interaction/${uid}`, status !== 200));
  };
  if (req.method !== 'POST') return show(200);
  const fields = await readForm(req);
  const login = fields.get('login');
  if (fields.has('cancel')) return provider.interactionFinished(req, res, { error: 'access_denied', error_description: 'the user cancelled' });
  if (!accounts[login] || fields.get('password') !== password) return show(401);
  return provider.interactionFinished(req, res, { login: { accountId: login, ...loginOf(params) } });
}

// Walks from a redirect to the provider to the redirect back: gives the callback's address.
async function authorize(issuer, client, answer, login, fields = {}) {
  let at = answer;
  for (let i = 0; i < 10; i += 1) {
    if (at.location) {
      const url = new URL(at.location, at.url);
      if (url.origin !== issuer) return url.href;
      at = await client.page(url.href);
    } else {
      const action = /<form method="post" action="([^"]+)"/.exec(at.text);
      if (at.status !== 200 || !action) break;
      at = await client.post(new URL(action[1], at.url).href, { login, password, ...fields });
    }
  }
  throw new Error(`no way through the provider: ${at.status} from ${at.url}: ${at.text.slice(0, 300)}`);
}

// Ends the user's session at the provider, from its end_session_endpoint with this query; or, with
// `stays`, that of the client alone. Gives the redirect to wherever the provider then leads.
async function endSession(issuer, client, url, stays) {
  const shown = await client.page(url);
  const [, action] = /<form id="op.logoutForm" method="post" action="([^"]+)"/.exec(shown.text) || /<form method="post" action="([^"]+)"/.exec(shown.text) || [];
  const [, xsrf] = /name="xsrf" value="([^"]+)"/.exec(shown.text) || [];
  if (!xsrf) return shown;
  return client.post(action, { xsrf, ...(stays ? {} : { logout: 'yes' }) });
}

const paths = { token: 'token', userinfo: 'me', pushed_authorization_request: 'request' };

// It warns of what no test minds: its memory ends with the test.
async function quietly(work) {
  const { warn } = console;
  console.warn = () => {};
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

async function startOp(t, options) {
  const { Provider } = await quietly(() => import('oidc-provider'));
  const port = options.port || await freePort();
  const issuer = `${options.https ? 'https' : 'http'}://localhost:${port}`;
  const cookieKey = crypto.randomBytes(32).toString('hex');
  const asked = []; // the parameters of each authorization request
  const requests = []; // the others: path, method, headers, and form
  const tlsPort = options.tls && await freePort(); // of the endpoints that ask for a certificate
  const errors = [];
  const said = []; // what came of its back-channel logouts: a client's ID, and how it failed
  let provider;

  // The provider reads its keys once, so new keys take a new provider; what it stored outlives it.
  const rotateKeys = () => quietly(() => {
    const settings = configuration(options, cookieKey, newKeys());
    if (options.tls) {
      const aliases = Object.fromEntries(['token', 'userinfo', 'pushed_authorization_request']
        .map((name) => [`${name}_endpoint`, `https://localhost:${tlsPort}/${paths[name]}`]));
      settings.features = { ...settings.features, mTLS };
      settings.discovery = { ...settings.discovery, mtls_endpoint_aliases: aliases };
    }
    provider = new Provider(issuer, settings);
    provider.use(async (ctx, next) => {
      await next();
      if (ctx.path === '/me' && ctx.status === 200 && handle.otherSub) ctx.body.sub = handle.otherSub;
      if (ctx.path !== '/auth') requests.push({ path: ctx.path, method: ctx.method, headers: ctx.headers, form: { ...ctx.oidc?.body }, status: ctx.status });
    });
    for (const name of ['server_error', 'authorization.error', 'grant.error', 'userinfo.error']) {
      provider.on(name, (ctx, error) => errors.push(`${name}: ${error.message} ${error.error_detail || error.error_description || ''}`));
    }
    provider.on('backchannel.success', (ctx, { clientId }) => said.push([clientId, 'success']));
    provider.on('backchannel.error', (ctx, error, { clientId }) => said.push([clientId, error.message]));
  });
  await rotateKeys();

  const answer = async (req, res) => {
    const url = new URL(req.url, issuer);
    try {
      if (url.pathname === '/auth') asked.push(Object.fromEntries(url.searchParams));
      if (url.pathname.startsWith('/interaction/')) await interact(provider, req, res, options.loginOf);
      else {
        if (url.pathname === '/token' && handle.losesAnswers) res.end = () => res;
        if (url.pathname === '/token' && handle.hold) holdAnswer(res, handle.hold);
        await provider.callback()(req, res);
      }
    } catch (error) {
      errors.push(error.message);
      if (!res.headersSent) res.writeHead(400);
      res.end(`${error.message}\n`);
    }
  };
  const servers = [options.https ? https.createServer(options.https, answer) : http.createServer(answer)];
  await listen(servers[0], port);
  if (options.tls) {
    servers.push(https.createServer({ ...options.tls, requestCert: true, rejectUnauthorized: false }, answer));
    await listen(servers[1], tlsPort);
  }
  const stop = () => Promise.all(servers.map((server) => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  })));
  t.cleanup(stop);

  // `hold`, a promise, holds answers of the token endpoint until it is kept. They can also be lost.
  const handle = {
    hold: undefined,
    losesAnswers: false,
    otherSub: undefined, // what userinfo says instead of the user's own
    port,
    issuer,
    asked,
    requests,
    said,
    errors,
    rotateKeys,
    stop,
    // An access token ends, and nothing else with it.
    forget: async (token) => (await provider.AccessToken.find(token)).destroy(),
    endSession: (client, query = '', stays = false) => endSession(issuer, client, `${issuer}/session/end${query}`, stays),
    authorize: (client, answer, login, fields) => authorize(issuer, client, answer, login, fields),
    // From the redirect to the provider to the site's answer to the callback.
    login: async (client, answer, login, fields) => client.page(await authorize(issuer, client, answer, login, fields)),
  };
  return handle;
}

module.exports = { startOp, accounts, password, decryptionKey };
