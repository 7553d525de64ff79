#!/usr/bin/env node
'use strict';
// Access tokens that the issuer is asked about: a real one, and one that lies, is slow, or is not there.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { freePort, until } = require('./lib/httpd.js');
const { API, OTHER, basic, forge, secret, seconds, startIssuer } = require('./lib/api.js');
const { common } = require('./lib/site.js');
const { makeKey, sign } = require('./lib/rogue.js');
const { request } = require('./lib/client.js');
const { seal } = require('./lib/token.js');

const location = (path, issuer) => `
<Location ${path}>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens oauth:${issuer} only
</Location>`;
const page = (...names) => Object.fromEntries(names.map((name) => [`htdocs/${name}/index.html`, `${name}\n`]));
const ask = (site, path, token, headers = {}) => request(new URL(path, site.url).href, { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } });
// One child, so that what it has been told is known.
const one = process.env.NEXTAUTH_MPM === 'prefork' ? `
StartServers 1
MaxRequestWorkers 1` : `
StartServers 1
ServerLimit 1
ThreadsPerChild 24
MaxRequestWorkers 24
MinSpareThreads 1
MaxSpareThreads 24`;

async function realIssuer(t) {
  const { op, issuer, machine, user } = await startIssuer(t, [API, OTHER], { opaque: [API, OTHER],
    features: { introspection: { enabled: true, allowedPolicy: () => true }, jwtIntrospection: { enabled: true }, revocation: { enabled: true } },
    clients: [{ client_id: 'api', client_secret: secret, grant_types: [], response_types: [], redirect_uris: [] },
      { client_id: 'strict', client_secret: secret, grant_types: [], response_types: [], redirect_uris: [], introspection_signed_response_alg: 'RS256' }] });
  const site = await t.httpd({ config: `${one}${common}
NextAuthTokenIssuer op issuer=${issuer} audience=${API} introspection=opaque clientId=api "clientSecret=${secret}"
NextAuthTokenIssuer signed issuer=${issuer} audience=${API} introspection=always introspection_endpoint=${issuer}/token/introspection introspection_signed_response_alg=RS256 clientId=strict "clientSecret=${secret}"
NextAuthTokenIssuer eager issuer=${issuer} audience=${API} introspection=always cache=0 clientId=api "clientSecret=${secret}"
NextAuthTokenIssuer wrong issuer=${issuer} audience=${API} introspection=always clientId=api "clientSecret=not the secret at all"
${['op', 'signed', 'eager', 'wrong'].map((id) => location(`/${id}`, id)).join('')}`, files: page('op', 'signed', 'eager', 'wrong') });
  const status = async (...args) => (await ask(site, ...args)).status;
  const asked = () => op.requests.filter(({ path }) => path === '/token/introspection').length;

  t.section('opaque tokens');
  const own = (await machine(API)).access_token;
  t.ok(!own.includes('.'), 'the issuer has its own');
  t.is(await status('/op/', own), 200, 'a client\'s');
  t.ok(await site.logged('GET /op/index.html 200 op::machine'), '  is the client');
  const ada = await user(API, 'alice');
  t.is(await status('/op/', ada.access_token), 200, 'a user\'s');
  t.ok(await site.logged('GET /op/index.html 200 op:alice'), '  is the user');
  t.is(await status('/op/', (await machine(OTHER)).access_token), 401, 'one for another API');
  t.is(await status('/op/', ada.id_token), 401, 'an ID token');
  t.is(await status('/op/', 'anything'), 401, 'one that nobody issued');
  const refreshing = await user(API, 'alice', 'read offline_access');
  if (refreshing.refresh_token) t.is(await status('/op/', refreshing.refresh_token), 401, 'a refresh token');

  t.section('signed answers');
  t.is(await status('/signed/', own), 200, 'are verified');
  t.is(op.requests.findLast(({ path }) => path === '/token/introspection').headers.accept, 'application/token-introspection+jwt', 'and asked for');

  t.section('what a process remembers');
  let before = asked();
  for (let i = 0; i < 6; i++) await status('/op/', own);
  t.is(asked() - before, 0, 'an answer, for a while');
  before = asked();
  for (let i = 0; i < 3; i++) await status('/eager/', own);
  t.is(asked() - before, 3, 'none with cache=0');
  await request(`${issuer}/token/revocation`, { method: 'POST', body: new URLSearchParams({ token: own }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: basic('machine') } });
  t.is(await status('/eager/', own), 401, '  so that a token ends when it is revoked');
  const down = await ask(site, '/wrong/', ada.access_token);
  t.is([down.status, Boolean(down.headers['retry-after'])], [503, true], 'an issuer that does not know this server says nothing of a token');
  t.like(site.log(), /introspection endpoint returned status 401/, '  which the log says');
  t.unlike(site.log(), new RegExp(`${own}|${ada.access_token}`), 'no log has a token');
}

// An introspection endpoint that does as told: by token, an object, or a function of the response.
async function startLiar(t, answers) {
  const port = await freePort();
  const liar = { url: `http://localhost:${port}`, asked: [] };
  const server = http.createServer(async (req, res) => {
    const parts = [];
    for await (const part of req) parts.push(part);
    if (req.method === 'GET') { res.writeHead(200, { 'content-type': 'application/json' }); res.end(JSON.stringify({ keys: [liar.key.jwk] })); return; }
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    liar.asked.push({ token: form.get('token'), hint: form.get('token_type_hint'), authorization: req.headers.authorization });
    const answer = answers[form.get('token')] ?? { active: false };
    if (typeof answer === 'function') { answer(res); return; }
    res.writeHead(200, { 'content-type': 'application/json' });
    res.end(JSON.stringify(answer));
  });
  liar.key = makeKey('liar');
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return liar;
}

async function hostileIssuer(t) {
  const honest = { active: true, aud: API, sub: 'ada', client_id: 'app', exp: seconds() + 300, scope: 'read' };
  const send = (text, status = 200, type = 'application/json') => (res) => { res.writeHead(status, { 'content-type': type }); res.end(text); };
  const good = {
    plain: honest,
    'without-end': { ...honest, exp: undefined },
    'of-a-list': { ...honest, aud: ['x', API] },
    bearer: { ...honest, token_type: 'bearer' },
    'access-of-hydra': { ...honest, token_use: 'access_token' },
    client: { ...honest, sub: undefined },
    more: { ...honest, username: 'root', roles: ['admin'], provider: 'x' },
  };
  const refused = {
    inactive: { ...honest, active: false },
    expired: { ...honest, exp: seconds() - 1000 },
    'ends-in-words': { ...honest, exp: 'never' },
    'not-yet': { ...honest, nbf: seconds() + 1000 },
    'another-api': { ...honest, aud: OTHER },
    'no-audience': { ...honest, aud: undefined },
    'another-issuer': { ...honest, iss: 'https://evil.example.org' },
    'issuer-of-a-list': { ...honest, iss: ['http://localhost/'] },
    'nobody': { ...honest, sub: undefined, client_id: undefined },
    'a-number': { ...honest, sub: 7, client_id: undefined },
    'refresh': { ...honest, token_type: 'refresh_token' },
    'refresh-of-hydra': { ...honest, token_type: 'Bearer', token_use: 'refresh_token' },
    'id-token': { ...honest, typ: 'ID' },
    'line-feed': { ...honest, sub: 'ada\nroot' },
    'bound': { ...honest, cnf: { jkt: 'x' } },
    'bound-otherwise': { ...honest, cnf: { kid: 'x' } },
    'bound-to-nothing': { ...honest, cnf: {} },
    'bound-to-text': { ...honest, cnf: 'x' },
    'dpop-without-key': { ...honest, token_type: 'DPoP' },
  };
  const unknown = {
    'active-in-words': { ...honest, active: 'true' },
    'active-as-number': { ...honest, active: 1 },
    'not-active-nor-inactive': { ...honest, active: undefined },
    nothing: send(''),
    'a-list': send('[{"active":true}]'),
    twice: send(`{"active":false,${JSON.stringify(honest).slice(1)}`),
    page: send('<!DOCTYPE html><title>active: true</title>', 200, 'text/html'),
    'cut-off': send(JSON.stringify(honest).slice(0, -3)),
    failure: send(JSON.stringify(honest), 500),
    created: send(JSON.stringify(honest), 201),
    forbidden: send(JSON.stringify({ error: 'access_denied' }), 403),
    redirect: (res) => { res.writeHead(302, { location: '/other' }); res.end(JSON.stringify(honest)); },
    large: send(`${JSON.stringify(honest)}${' '.repeat(3_000_000)}`),
    deep: send(`{"active":true,"x":${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
    reset: (res) => res.socket.resetAndDestroy(),
    silence: () => {},
  };
  const signedAnswers = {};
  const liar = await startLiar(t, new Proxy({}, { get: (_, token) => good[token] ?? refused[token] ?? unknown[token] ?? signedAnswers[token] }));
  const site = await t.httpd({ config: `${one}${common}
NextAuthFeature rateLimiting Off
NextAuthHTTP timeout=1s
NextAuthTokenIssuer liar issuer=${liar.url} audience=${API} introspection=opaque introspection_endpoint=${liar.url}/ask clientId=api "clientSecret=${secret}"
NextAuthTokenIssuer signed issuer=${liar.url} jwks_endpoint=${liar.url}/keys audience=${API} introspection=always introspection_endpoint=${liar.url}/ask introspection_signed_response_alg=RS256 clientId=api "clientSecret=${secret}"
NextAuthTokenIssuer nowhere issuer=http://localhost:1 audience=${API} introspection=always introspection_endpoint=http://localhost:1/ask clientId=api "clientSecret=${secret}"
${['liar', 'signed', 'nowhere'].map((id) => location(`/${id}`, id)).join('')}`, files: page('liar', 'signed', 'nowhere') });
  const status = async (...args) => (await ask(site, ...args)).status;

  t.section('honest answers');
  for (const token of Object.keys(good)) t.is(await status('/liar/', token), 200, token);
  t.is(liar.asked[0], { token: 'plain', hint: 'access_token', authorization: basic('api') }, 'asked as a client, with a hint');
  t.ok(await site.logged('GET /liar/index.html 200 liar::app'), 'a client has no user');
  t.section('answers that refuse');
  for (const token of Object.keys(refused)) t.is(await status('/liar/', token), 401, token);
  t.section('secrets of this site');
  const before = liar.asked.length;
  const v5 = { alg: 'dir', enc: 'A256CBC-HS512', kid: 'x' };
  for (const [what, token] of [['a session token', seal('0123456789abcdef0123456789abcdef', { sub: 'ada' })], ['one of another secret', seal('another', { sub: 'ada' })],
    ['one of Auth.js v5', seal('another', { sub: 'ada' }, { header: v5 })], ['a personal access token', `na_pat_${'a'.repeat(49)}`]]) {
    t.is(await status('/liar/', token), 401, what);
    t.is(await status('/liar/', token, { authorization: `DPoP ${token}` }), 401, '  with the scheme DPoP');
  }
  t.is(liar.asked.length - before, 0, 'never reach the issuer');
  const theirs = seal('of the issuer', { x: 1 }, { header: { alg: 'dir', enc: 'A256GCM', iss: liar.url } });
  t.is([await status('/liar/', theirs), liar.asked.at(-1).token], [401, theirs], 'an encrypted token that names its issuer does');
  t.section('answers that are none');
  for (const token of Object.keys(unknown)) t.is(await status('/liar/', token), 503, token);
  t.is(await status('/nowhere/', 'plain'), 503, 'and nobody who answers');

  t.section('a token that is not active');
  const times = (token) => liar.asked.filter((each) => each.token === token).length;
  for (let i = 0; i < 5; i++) await status('/liar/', 'never-heard-of');
  t.is(times('never-heard-of'), 1, 'is asked about once in a while');
  for (let i = 0; i < 2; i++) await status('/liar/', 'failure');
  t.is(times('failure'), 3, 'one without an answer each time');
  for (let i = 0; i < 5; i++) await status('/liar/', 'plain');
  t.is(times('plain'), 1, 'one that is active once in a while, too');
  good.brief = { ...honest, exp: seconds() - 55 }; // with the tolerance of a minute, it lasts for seconds
  t.is(await status('/liar/', 'brief'), 200, 'one that is about to end');
  await until('it has ended', async () => await status('/liar/', 'brief') === 401);
  t.ok(true, '  ends, although its answer is remembered');

  t.section('signed answers');
  const envelope = (claims, header = {}, key = liar.key) => sign.rs256({ alg: 'RS256', typ: 'token-introspection+jwt', kid: key.kid, ...header },
    { iss: liar.url, aud: 'api', iat: seconds(), token_introspection: { ...honest }, ...claims }, key);
  const as = (text, type = 'application/token-introspection+jwt') => send(text, 200, type);
  signedAnswers.s0 = as(await envelope({}));
  t.is(await status('/signed/', 's0'), 200, 'an honest one');
  const lies = {
    'of another key': as(await envelope({}, {}, makeKey(liar.key.kid))),
    'of another issuer': as(await envelope({ iss: 'https://evil.example.org' })),
    'for another server': as(await envelope({ aud: 'other' })),
    'for nobody': as(await envelope({ aud: undefined })),
    'of yesterday': as(await envelope({ iat: seconds() - 86400 })),
    'of no time': as(await envelope({ iat: undefined })),
    'of another type': as(await envelope({}, { typ: 'JWT' })),
    'that is an access token': as(await forge(liar.key, { iss: liar.url, aud: 'api', token_introspection: honest })),
    'whose claims are outside': as(await envelope({ token_introspection: undefined, ...honest, aud: 'api' })),
    'that is not signed': as(sign.none({ alg: 'none', typ: 'token-introspection+jwt' }, { iss: liar.url, aud: 'api', iat: seconds(), token_introspection: honest })),
    'that is plain JSON': send(JSON.stringify(honest)),
    'that is a JWT of another content type': as(await envelope({}), 'application/json'),
  };
  let i = 0;
  for (const [what, answer] of Object.entries(lies)) {
    signedAnswers[`s${++i}`] = answer;
    t.is(await status('/signed/', `s${i}`), 503, `one ${what}`);
  }

  t.section('many at once');
  const answers = await Promise.all([...Array.from({ length: 12 }, (_, n) => status('/liar/', `silence`, { 'x-n': String(n) })), ...Array.from({ length: 8 }, () => status('/liar/', 'plain'))]);
  t.is(answers.slice(12), Array(8).fill(200), 'known tokens do not wait for an issuer that is slow');

  t.section('limits');
  const limited = await t.httpd({ config: `${one}${common}
NextAuthRateLimit token 5/600
NextAuthTokenIssuer liar issuer=${liar.url} audience=${API} introspection=opaque introspection_endpoint=${liar.url}/ask clientId=api "clientSecret=${secret}"
${location('/liar', 'liar')}`, files: page('liar') });
  t.is((await ask(limited, '/liar/', 'plain')).status, 200, 'a good token');
  for (let n = 0; n < 5; n++) await ask(limited, '/liar/', `guess-${n}`);
  const stopped = await ask(limited, '/liar/', 'guess-6');
  t.is([stopped.status, Boolean(stopped.headers['retry-after'])], [429, true], 'guesses are limited');
  t.is(times('guess-6'), 0, '  and the issuer is not asked');
  t.is((await ask(limited, '/liar/', 'plain')).status, 200, 'a token that is known remains good');
}

suite('Access tokens that the issuer is asked about', async (t) => {
  await realIssuer(t);
  await hostileIssuer(t);
});
