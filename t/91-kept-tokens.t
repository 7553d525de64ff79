#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { childrenOf, freePort, htpasswd, mpm, until } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { generateKeys } = require('./lib/keys.js');
const { Client } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const WORKERS = 24; // MaxRequestWorkers of the tests' httpd

// Bytes that no entry without an ID token has.
const FULL = 600;
const SECRET = 'the secret of sessions has 32 bytes';

// Seconds for which the provider's next access tokens are valid.
const lifetime = { seconds: 600 };
const ttlOf = (its) => ({ AccessToken: () => its.seconds, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, RefreshToken: 600, Session: 600 });
// Every sign-in gets a refresh token, each can be used once, and a second use revokes all of them.
const settings = { issueRefreshToken: async () => true, rotateRefreshToken: true, ttl: ttlOf(lifetime) };

const client = (port, more) => ({ client_id: 'the-client', client_secret: 'a secret between the two',
  redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`],
  grant_types: ['authorization_code', 'refresh_token'], ...more });
const provider = (op, more = '') => `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=the-client "clientSecret=a secret between the two" ${more}`;
const config = (port, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:${port}
NextAuthSecret "${SECRET}"
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const places = (app, names) => names.map((name) => `<Location /${name.replace(' ', '-')}/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassTokens ${name}
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`).join('\n');
const ACCESS = 'x-nextauth-access-token';
const refreshes = (op) => op.requests.filter(({ path, form }) => path === '/token' && form.grant_type === 'refresh_token');

async function signedIn(op, site) {
  const c = new Client(site);
  await op.login(c, await c.signIn('acme'), 'alice');
  return c;
}

// The answer, once the server does not ask to come again.
async function patiently(get) {
  let answer;
  await until('an answer', async () => {
    answer = await get();
    return answer.status !== 503 || !answer.headers['retry-after'];
  });
  return answer;
}

async function entries(redis) {
  const keys = (await redis.cli('KEYS', 'nextauth:tokens:*')).split('\n').filter(Boolean);
  return Promise.all(keys.map(async (key) => ({ key, value: await redis.cli('GET', key), size: Number(await redis.cli('STRLEN', key)), ttl: Number(await redis.cli('TTL', key)) })));
}

suite('Tokens of a provider, kept for the session', async (t) => {
  if (!redisIsHere()) t.skipAll('redis-server is not here');

  t.section('kept at the sign-in, and removed with the session');
  for (const strategy of ['jwt', 'database']) {
    const [port, redis] = [await freePort(), await startRedis(t)];
    const op = await startOp(t, { clients: [client(port)], settings });
    const site = await t.httpd({ port, config: config(port, `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0
NextAuthSessionStrategy ${strategy}
NextAuthSessionMaxAge 86400
NextAuthKeepTokens On
${provider(op)}`) });
    const c = await signedIn(op, site);
    t.is((await c.session()).user.email, 'alice@example.org', `${strategy}: signed in`);
    const [kept, ...others] = await entries(redis);
    t.is(others, [], `${strategy}: the session has one entry of tokens`);
    t.like(kept.key, /^nextauth:tokens:[0-9a-f]{64}$/, `${strategy}: under a hash`);
    t.ok(kept.size > FULL, `${strategy}: which has three tokens`);
    t.unlike(kept.value, /eyJ|acme|offline/, `${strategy}: that nobody can read there`);
    t.ok(kept.ttl > 86400 - 60 && kept.ttl <= 86400, `${strategy}: as long as the session`, kept.ttl);
    t.unlike(JSON.stringify(await c.session()), /eyJ/, `${strategy}: the session does not show them`);

    const again = await signedIn(op, site);
    t.is((await entries(redis)).length, 2, `${strategy}: another session has its own`);
    await c.signOut();
    const left = (await entries(redis)).map(({ size, ttl }) => size > FULL && ttl > 300).sort();
    t.is(left, [false, true], `${strategy}: signing out removes its tokens, and only them`);
    await again.signOut();
    t.is((await entries(redis)).some(({ ttl }) => ttl > 300), false, `${strategy}: then the others`);
  }

  t.section('a cache that is full');
  {
    const port = await freePort();
    const op = await startOp(t, { clients: [client(port)], settings });
    const site = await t.httpd({ port, config: config(port, `NextAuthSOCache shmcb:@DIR@/sessions(65536)
NextAuthSessionStore socache checkInterval=0
NextAuthKeepTokens On
${provider(op)}`) });
    const all = [];
    for (let i = 0; i < 60; i += 1) all.push(await signedIn(op, site));
    const last = await Promise.all(all.slice(-3).map(async (c) => (await c.get('/members/')).status));
    t.is(last, [200, 200, 200], 'users can sign in');
    t.unlike(site.log(), /full of entries that must be kept/, '  because tokens make room for them');
  }

  t.section('two servers with one store renew an expired token once');
  for (const strategy of ['jwt', 'database']) {
    const [port, redis] = [await freePort(), await startRedis(t)];
    const op = await startOp(t, { clients: [client(port)], settings });
    const app = await startApp(t);
    const lines = `NextAuthRedis ${redis.url}
NextAuthSessionStore redis
NextAuthSessionStrategy ${strategy}
NextAuthKeepTokens On
${provider(op)}
${places(app, ['access', 'access refresh', 'id', 'bearer', 'none'])}`;
    const here = await t.httpd({ port, config: config(port, lines) });
    const there = await t.httpd({ config: config(port, lines) });
    const both = { get: (c, i, path) => new Client(i % 2 ? there : here).get(path, { headers: { cookie: c.jar.header(here.url) } }) };

    lifetime.seconds = 2;
    const c = await signedIn(op, here);
    const first = (await c.get('/access/')).json.user;
    lifetime.seconds = 600;
    const before = refreshes(op).length;
    await until('the token to expire', () => Date.now() / 1000 > Number(first[`${ACCESS}-expires`]));
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => patiently(() => both.get(c, i, '/access/'))));
    t.is([...new Set(answers.map(({ status }) => status))], [200], `${strategy}: 40 requests to both are answered`);
    const tokens = [...new Set(answers.map(({ json }) => json?.user?.[ACCESS]))];
    t.is(tokens.length, 1, `${strategy}: with one access token`, tokens.length);
    t.ok(tokens[0] && tokens[0] !== first[ACCESS], `${strategy}: a new one`);
    t.is(refreshes(op).length, before + 1, `${strategy}: for which the provider was asked once`);
    t.is((await both.get(c, 1, '/access/')).json.user[ACCESS], tokens[0], `${strategy}: and which is kept`);
    t.is(op.errors, [], `${strategy}: the provider saw no refresh token twice`);
    if (strategy === 'database') continue;

    t.section('what a location gets');
    const names = async (path) => Object.keys((await c.get(path)).json.user).filter((name) => /token/.test(name)).sort();
    t.is(await names('/access/'), [ACCESS, `${ACCESS}-expires`], 'the access token, and when it expires');
    t.is(await names('/access-refresh/'), [ACCESS, `${ACCESS}-expires`, 'x-nextauth-refresh-token'], 'the refresh token, where it says so');
    t.like((await c.get('/id/')).json.user['x-nextauth-id-token'], /^eyJ/, 'the ID token');
    t.is(await names('/none/'), [], 'or nothing');
    const forged = { 'x-nextauth-access-token': 'forged', 'X_NextAuth.Access-Token': 'forged', 'X-NEXTAUTH-ID-TOKEN': 'forged', authorization: 'Bearer forged' };
    t.unlike(JSON.stringify((await c.get('/id/', { headers: { ...forged, authorization: '' } })).json), /forged/, 'what a client sends under these names is removed, in every spelling');
  }

  // A site and its provider; `refresh` uses a refresh token somewhere else, which is theft to the provider.
  async function start(lines = '', more = {}, timeout = 20, further = '') {
    const own = { seconds: 600 };
    const [port, redis, app] = [await freePort(), await startRedis(t), await startApp(t, (request) => request.headers)];
    const op = await startOp(t, { clients: [client(port)], features: { revocation: { enabled: true } }, settings: { ...settings, ttl: ttlOf(own), ...more } });
    const text = (secret, options) => config(port, `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0
NextAuthKeepTokens On ${options}
NextAuthHTTP timeout=${timeout}s
${provider(op)}
${further}
${places(app, ['access', 'access refresh', 'bearer'])}`).replace(SECRET, secret);
    const site = await t.httpd({ port, config: text(SECRET, lines) });
    const refresh = (token) => fetch(`${op.issuer}/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: token }),
      headers: { authorization: `Basic ${Buffer.from(`the-client:${encodeURIComponent('a secret between the two')}`).toString('base64')}` } });
    return { port, redis, op, site, text, refresh, lifetime: own };
  }
  const expired = (answer) => until('the token to expire', () => Date.now() / 1000 > Number(answer.json.user[`${ACCESS}-expires`]));
  async function signedInShortly(s, seconds = 2) {
    s.lifetime.seconds = seconds;
    const c = await signedIn(s.op, s.site);
    const answer = await c.get('/access-refresh/');
    s.lifetime.seconds = 600;
    return { c, answer, refreshToken: answer.json.user['x-nextauth-refresh-token'], accessToken: answer.json.user[ACCESS] };
  }

  t.section('a provider that refuses to renew');
  for (const on of ['mark', 'end']) {
    const s = await start(`onRefusal=${on}`);
    const { c, answer, refreshToken } = await signedInShortly(s);
    t.is((await s.refresh(refreshToken)).status, 200, `${on}: somebody else uses the refresh token`);
    await expired(answer);
    const next = await c.page('/access/');
    t.like(s.site.log(), /'acme' refuses to renew the access token: .*invalid_grant/, `${on}: the provider refuses, which is logged`);
    if (on === 'mark') {
      t.is([next.status, next.json.user['x-nextauth-error'], next.json.user[ACCESS]], [200, 'RefreshTokenError', undefined], 'mark: the application is told, and gets no token');
      t.is((await c.session()).error, 'RefreshTokenError', 'mark: the session says so where Auth.js\'s guide has it');
      const asked = refreshes(s.op).length;
      await c.page('/access/');
      t.is(refreshes(s.op).length, asked, 'mark: the provider is not asked again');
      await s.op.login(c, await c.signIn('acme'), 'alice');
      t.is([(await c.session()).error, Boolean((await c.get('/access/')).json.user[ACCESS])], [undefined, true], 'mark: until the user signs in again');
    } else {
      t.ok(next.location.startsWith(`${s.op.issuer}/auth?`), 'end: the browser is sent to sign in', next.location);
      t.is(await c.session(), {}, 'end: there is no session');
      t.like(s.site.log(), /signOut: 'alice'/, 'end: and the log has its end');
    }
  }

  t.section('a provider that is down');
  {
    const s = await start();
    const { c, answer, accessToken } = await signedInShortly(s, 8);
    await s.op.stop();
    const expires = Number(answer.json.user[`${ACCESS}-expires`]);
    let served = 0;
    await until('an answer after the token expired', async () => {
      const got = await c.get('/access/');
      if (got.status === 503) return Date.now() / 1000 >= expires - 1;
      served += got.status === 200 && got.json.user[ACCESS] === accessToken;
      return false;
    });
    t.ok(served > 0, 'the old token is served');
    t.like(s.site.log(), /could not renew the access token of 'acme', trying again in 10 s/, 'also once it was to be renewed');
    const last = await c.get('/access/');
    t.is([last.status, last.headers['retry-after']], [503, '5'], 'and 503 when it has expired');
    t.is((await c.get('/members/')).status, 200, 'but not where no token is passed on');
  }

  if (mpm !== 'prefork') { // its processes come one after another
    t.section('many requests while a token is renewed');
    const s = await start('', {}, 20, '<Location /metrics>\n  SetHandler nextauth-metrics\n</Location>');
    const { c, answer } = await signedInShortly(s);
    await expired(answer);
    let release;
    s.op.hold = new Promise((resolve) => { release = resolve; });
    const answers = [];
    const sent = Array.from({ length: WORKERS }, async () => answers.push(await c.get('/access/')));
    await until('a refusal', () => answers.length > 0);
    const { status, headers } = answers[0];
    t.is([status, headers['retry-after']], [503, '5'], 'no more wait than half of all threads');
    t.is((await c.get('/members/')).status, 200, '  so that other pages are served');
    const waiting = WORKERS - answers.length;
    t.ok(waiting > 0 && waiting <= WORKERS / 2 + 1, '  and the others wait', waiting);
    release();
    await Promise.all(sent);
    t.is(answers.filter((each) => each.status === 200).length, waiting, '  until there is a new token');
    t.is((await patiently(() => c.get('/access/'))).status, 200, '  which everyone gets who comes again');
    t.is(refreshes(s.op).length, 1, '  and which the provider was asked for once');
    const counted = (await c.get('/metrics')).text;
    t.like(counted, /^nextauth_renewals_total\{what="tokens",result="renewed"\} 1$/m, 'renewals are counted');
    t.like(counted, /^nextauth_renewals_total\{what="tokens",result="busy"\} [1-9]/m, '  and so is who could not wait');
  }

  t.section('a session that ends while its token is renewed');
  {
    const s = await start();
    const { c, answer } = await signedInShortly(s);
    const copy = { headers: { cookie: c.jar.header(s.site.url) } };
    await expired(answer);
    let release;
    s.op.hold = new Promise((resolve) => { release = resolve; });
    const before = refreshes(s.op).length;
    const during = new Client(s.site).get('/access/', copy);
    await until('the renewal', () => refreshes(s.op).length > before);
    await c.signOut();
    release();
    const got = await during;
    t.is(got.json?.user?.[ACCESS], undefined, 'its request gets no token');
    t.is((await new Client(s.site).get('/access/', copy)).status, 401, 'the session has ended');
    t.is((await entries(s.redis)).filter(({ size, ttl }) => size > FULL || ttl > 300), [], 'and no token of it is kept');
    t.is(s.op.requests.filter(({ path, form }) => path === '/token/revocation' && form.token_type_hint === 'refresh_token').length, 2, 'or valid at the provider');
  }

  t.section('a process that dies while it renews');
  await Promise.all([[false, 'renewed'], [true, 'refused']].map(async ([rotates, outcome]) => {
    const s = await start('', { rotateRefreshToken: rotates }, 5);
    const { c, answer, accessToken } = await signedInShortly(s);
    await expired(answer);
    // The answer to the first renewal never arrives, though the provider redeemed it.
    s.op.losesAnswers = true;
    const before = refreshes(s.op).length;
    const lost = c.get('/access/').catch(() => ({ status: 0 }));
    await until('the renewal', () => refreshes(s.op).length > before);
    for (const pid of childrenOf(s.site.pid)) process.kill(pid, 'SIGKILL');
    await lost;
    s.op.losesAnswers = false;
    let got;
    await until('another process', async () => {
      got = await c.get('/access/').catch(() => ({ status: 0 }));
      return got.status === 200;
    });
    t.is(got.json.user[ACCESS] ? 'renewed' : got.json.user['x-nextauth-error'] && 'refused', outcome, `another one tries again, and is ${outcome} where refresh tokens ${rotates ? 'rotate' : 'stay valid'}`);
    t.isnt(got.json.user[ACCESS], accessToken, 'and the old token is not served');
    t.like(s.site.log(), /a renewal of tokens did not end: trying again/, 'which is logged');
  }));

  if (mpm !== 'event') return; // nothing that follows has to do with processes or threads

  t.section('a new secret');
  {
    const s = await start();
    const { c, answer, accessToken } = await signedInShortly(s, 600);
    const next = await t.httpd({ config: s.text(`a newer secret of this site, too" "${SECRET}`, '') });
    const got = await new Client(next).get('/access/', { headers: { cookie: c.jar.header(s.site.url) } });
    t.is(got.json?.user?.[ACCESS], accessToken, 'what the previous one encrypted is found', answer.status);
    const lost = await t.httpd({ config: s.text('a newer secret of this site, too', '') });
    t.is((await new Client(lost).get('/access/', { headers: { cookie: c.jar.header(s.site.url) } })).status, 401, 'until it is removed');
  }

  t.section('the header Authorization');
  {
    const s = await start();
    const { c, accessToken } = await signedInShortly(s, 600);
    t.is((await c.get('/bearer/')).json.user.authorization, `Bearer ${accessToken}`, 'has the access token');
    t.is((await c.get('/bearer/', { headers: { 'X-NextAuth-Access-Token': 'forged' } })).json.user[ACCESS], undefined, 'and nothing else does');
  }

  t.section('a page of an error');
  {
    const [port, redis, app] = [await freePort(), await startRedis(t), await startApp(t, (request) => request.headers)];
    const op = await startOp(t, { clients: [client(port)], settings });
    const site = await t.httpd({ port, modules: ['rewrite'], files: { 'htdocs/front/x': '', 'htdocs/parts/index.html': '<!--#include virtual="/cgi/env" -->', 'cgi/env': { mode: 0o755, text: '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; env\n' } }, config: `${config(port, `NextAuthRedis ${redis.url}
NextAuthSessionStore redis
NextAuthKeepTokens On
${provider(op)}`)}
<Directory @DIR@/htdocs/front>
  AuthType NextAuth
  Require valid-user
  NextAuthPassTokens bearer
  RewriteEngine On
  RewriteRule ^ /denied/ [L]
</Directory>
<Location /denied/>
  Require all denied
</Location>
ErrorDocument 403 /errors/
<Location /errors/>
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
ScriptAlias /cgi/ @DIR@/cgi/
<Location /parts/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassTokens access refresh id
  NextAuthPassIdentity env
  Options +Includes
  SetOutputFilter INCLUDES
  ErrorDocument 404 /cgi/env
</Location>` });
    const c = await signedIn(op, site);
    const got = await c.get('/front/x');
    t.is([Boolean(got.json?.user?.host), got.json?.user?.authorization], [true, undefined], 'that another application makes is without the token');
    const programs = [await c.get('/parts/'), await c.get('/parts/nothing')].map(({ text }) => [/REQUEST_METHOD=/.test(text), /NEXTAUTH_\w*TOKEN/.exec(text)?.[0]]);
    t.is(programs, [[true, undefined], [true, undefined]], '  and so are variables of a part of a page, and of a page of an error');
  }

  t.section('signing out revokes');
  for (const revoke of ['On', 'Off']) {
    const s = await start(`revoke=${revoke}`);
    const { c, refreshToken } = await signedInShortly(s, 600);
    await c.signOut();
    const revoked = s.op.requests.filter(({ path }) => path === '/token/revocation');
    t.is(revoked.map(({ form, status }) => [form.token, form.token_type_hint, status]), revoke === 'On' ? [[refreshToken, 'refresh_token', 200]] : [], `revoke=${revoke}: the refresh token`);
    t.is((await s.refresh(refreshToken)).status, revoke === 'On' ? 400 : 200, '  which the provider accepts no more, or still');
    await s.op.login(c, await c.signIn('acme'), 'alice');
    await s.op.stop();
    const out = await c.signOut();
    t.is([out.status, await c.session()], [302, {}], 'a provider that is down keeps nobody signed in');
    t.is(/could not revoke the tokens of the session at 'acme'/.test(s.site.log()), revoke === 'On', '  and the log says what stays valid');
  }

  t.section('the identity as a JWT');
  {
    const { createRemoteJWKSet, jwtVerify } = await import('jose');
    const pem = (kind, options) => generateKeys(kind, options).privateKey.export({ type: 'pkcs8', format: 'pem' });
    const keys = { ES256: pem('ec', { namedCurve: 'P-256' }), EdDSA: pem('ed25519', {}), RS256: pem('rsa', { modulusLength: 2048 }) };
    const app = await startApp(t, (request) => request.headers);
    for (const [alg, key] of Object.entries(keys)) {
      const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }), 'key.pem': { text: key + keys.ES256, mode: 0o600 } }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole staff "true"
NextAuthRememberMe Ask
NextAuthIdentityKey file:@DIR@/key.pem lifetime=30
<Location /wiki/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassIdentity jwt
  NextAuthIdentityAudience wiki
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
<Location /all/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassIdentity headers jwt
  ProxyPass http://127.0.0.1:${app.port}/
</Location>` });
      const c = new Client(site);
      await c.credentials('ada', 'x', { rememberMe: 'off' });
      const headers = (await c.get('/wiki/', { headers: { 'X_NextAuth_JWT': 'forged', 'x-nextauth-jwt': 'forged' } })).json.user;
      t.is(Object.keys(headers).filter((name) => /nextauth/.test(name)), ['x-nextauth-jwt'], `${alg}: the application gets the JWT alone`);
      const jwks = createRemoteJWKSet(new URL(`${site.url}/api/auth/jwks`));
      const issuer = `${site.url}/api/auth`;
      const { payload, protectedHeader } = await jwtVerify(headers['x-nextauth-jwt'], jwks, { issuer, audience: 'wiki' });
      t.is([protectedHeader.alg, payload.sub, payload.roles, payload.exp - payload.iat], [alg, 'ada', ['staff'], 30], `${alg}: which npm's jose verifies`);
      t.is(Object.keys(payload).sort(), ['aud', 'auth_time', 'exp', 'iat', 'iss', 'name', 'provider', 'roles', 'sub'], `${alg}: and which has nothing of the session itself`);
      const other = await jwtVerify(headers['x-nextauth-jwt'], jwks, { issuer, audience: 'blog' }).catch((error) => error.code);
      t.is(other, 'ERR_JWT_CLAIM_VALIDATION_FAILED', `${alg}: another application refuses it`);
      const all = (await c.get('/all/')).json.user;
      t.is([all['x-nextauth-user'], (await jwtVerify(all['x-nextauth-jwt'], jwks, { issuer, audience: site.url })).payload.sub], ['ada', 'ada'], `${alg}: it comes beside headers, too, for the site by default`);
      t.is((await new Client(site).get('/wiki/', { headers: { cookie: `next-auth.session-token=${headers['x-nextauth-jwt']}` } })).status, 401, `${alg}: and is no session`);
    }
  }
});
