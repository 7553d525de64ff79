#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, startPostgres } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { seal } = require('./lib/token.js');
const { nextauthctl } = require('./lib/ctl.js');

const NAME = '__Secure-next-auth.session-token';
const users = htpasswd({ ada: 'the-LEAK-of-a-password' });
const secret = (name) => `LEAK-${name}-${require('node:crypto').createHash('sha256').update(name).digest('base64url')}`;

const handlers = `
<Location /diagnostics>
  SetHandler nextauth-diagnostics
</Location>
<Location /guarded>
  AuthType NextAuth
  Require valid-user
  SetHandler nextauth-diagnostics
</Location>
<Location /passed>
  AuthType NextAuth
  Require valid-user
  NextAuthUnauthenticated pass
  SetHandler nextauth-diagnostics
</Location>`;

suite('Diagnostics: how a site is set up, and what it makes of a request', async (t) => {
  const here = databasesHere();
  if (!here.postgres || !redisIsHere()) t.skipAll(`install ${[...here.lacking, 'redis-server'].join(' ')}`);
  const db = await startPostgres(t, { password: 'LEAK-of-the-database' });
  const redis = await startRedis(t, { acl: { user: 'nextauth', password: 'LEAK-of-redis' } });
  const site = await t.httpd({
    files: { users, new: { text: secret('new'), mode: 0o600 }, env: { text: `AUTH_GOOGLE_SECRET=${secret('google')}\nAUTH_GOOGLE_ID=LEAK-id\n`, mode: 0o600 } },
    env: { EMAIL_SERVER: 'smtp://me:LEAK-of-mail@localhost:1', EMAIL_FROM: 'no-reply@example.org', AUTH_SECRET_2: secret('unused') },
    config: `
NextAuthEngine On
NextAuthURL https://localhost:@PORT@
NextAuthSecret file:@DIR@/new ${secret('old')}
NextAuthEnvFile @DIR@/env
NextAuthDatabase ${db.url}
NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0 whenLost=accept
NextAuthProvidersFromEnv On
NextAuthProvider acme type=oidc issuer=https://id.example.org/path clientId=LEAK-id clientSecret=${secret('acme')}
NextAuthProvider email
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthPages signIn=/LEAK-page
NextAuthFeature signUp Off
${handlers}` });
  const ask = (path = '/diagnostics', options = {}, client = new Client(site)) => client.get(path, options);
  const away = { localAddress: '127.0.0.2' };

  const unmade = await ask();

  t.section('who may see it in production');
  await nextauthctl(db, ['migrate']);
  const refused = await ask('/diagnostics', away);
  t.is([refused.status, Object.keys(refused.json)], [403, ['error']], 'nobody from elsewhere');
  t.like(refused.json.error, /a client on this machine: add AuthType NextAuth and Require/, 'and is told how that is changed');
  for (const header of ['x-forwarded-for', 'forwarded', 'via']) t.is((await ask('/diagnostics', { headers: { [header]: '127.0.0.1' } })).status, 403, `nobody by way of a proxy on this machine (${header})`);
  t.is((await ask('/diagnostics', { headers: { host: 'other.example.org' } })).status, 403, 'nobody by a name that leads here (DNS rebinding)');
  t.is((await ask('/passed', away)).status, 403, 'nobody whom Require lets pass without a name');
  t.is((await ask('/guarded', away)).status, 401, 'where it is guarded, nobody who has not signed in');
  const ada = new Client(site);
  await ada.credentials('ada', 'the-LEAK-of-a-password');
  t.is((await ask('/guarded', away, ada)).status, 200, 'who has signed in');
  const local = await ask();
  t.is([local.status, local.headers['cache-control']], [200, 'no-store'], 'and this machine');
  t.is((await new Client(site).post('/diagnostics', {})).status, 405, 'by GET alone');

  t.section('what it tells');
  const told = local.json;
  const { variables, ...rest } = told.site;
  t.is(rest, { mode: 'production', dialect: 'v4', accepts: ['v4'], origin: `https://localhost:${site.port}`, basePath: '/api/auth', secrets: ['48 to 63 bytes', '48 to 63 bytes'] }, 'the site, and how long its secrets are');
  t.is(Object.entries(variables).filter(([, set]) => set).map(([name]) => name).sort(), ['AUTH_GOOGLE_ID', 'AUTH_GOOGLE_SECRET', 'AUTH_SECRET_2', 'EMAIL_FROM', 'EMAIL_SERVER'], 'which variables have a value, NextAuthEnvFile\'s too');
  t.is([variables.NEXTAUTH_SECRET, variables.AUTH_ACME_ID, variables.GOOGLE_CLIENT_SECRET], [false, false, false], 'and which have none');
  t.is([told.session.strategy, told.session.maxAge, told.session.stores], ['jwt', 2592000, ['redis']], 'sessions');
  t.is(unmade.json.database, { engine: 'postgresql', schema: 'authjs', replicas: 0, schemaVersion: 0, migrations: { status: 'incomplete: nextauthctl migrate', applied: 0, known: unmade.json.database.migrations.known } }, 'the database, and that its tables were not made');
  t.is([told.database.migrations.status, told.database.schemaVersion], ['complete', told.database.migrations.known], '  until they are');
  t.is(told.mail, { transport: 'smtp' }, 'mail');
  t.is(told.providers.map(({ id, type, issuer }) => [id, type, issuer]), [['acme', 'oidc', 'id.example.org'], ['email', 'email', null], ['credentials', 'credentials', null], ['google', 'oidc', 'accounts.google.com']], 'providers and their hosts');
  t.is([told.providers[0].callback, told.providers[0].clientSecret], [`https://localhost:${site.port}/api/auth/callback/acme`, true], 'the address to register, and that there is a secret');
  t.is([told.features.signUp, told.pages], [false, { signIn: true, signOut: false, error: false, verifyRequest: false }], 'features and pages');
  t.ok(['mod_nextauth', 'httpd', 'apr', 'apr-util', 'openssl', 'libcurl', 'jansson', 'hiredis'].every((name) => /^\d+\.\d+/.test(told.versions[name])), 'versions', JSON.stringify(told.versions));
  t.ok(told.process.pid > 0 && told.process.uptime >= 0 && ['event', 'worker', 'prefork'].includes(told.process.mpm), 'the process', JSON.stringify(told.process));
  t.ok(['healthy', 'degraded', 'unhealthy'].includes(told.health.status), 'and health');

  t.section('what it makes of a request');
  const hinted = (answer, pattern) => answer.json.hints.some((hint) => pattern.test(hint));
  t.is([told.request.scheme, told.request.schemeMatches, told.request.hostMatches, told.request.sessionCookie], ['http', false, true, null], 'the address, as it arrives');
  t.ok(hinted(local, /canonical URL is https, but this request is http/), 'a hint at http');
  t.ok(!hinted(await ask('/guarded', { headers: { 'x-forwarded-proto': 'https' } }, ada), /this request is http/), 'not where a proxy ends TLS');
  t.ok(hinted(await ask('/guarded', { headers: { host: 'other.example.org' } }, ada), /Host header does not match the canonical URL/), 'a hint at another host name');
  const mine = await ask('/diagnostics', {}, ada);
  t.is([mine.json.request.sessionCookie.dialect, mine.json.request.sessionCookie.cookies, mine.json.request.sessionCookie.state], ['v4', 1, 'valid'], 'a session\'s cookie');
  const token = ada.cookie(NAME);
  const withCookie = (cookie) => ask('/diagnostics', { headers: { cookie } });
  const state = async (cookie) => (await withCookie(cookie)).json.request.sessionCookie?.state;
  const sealed = (key, lasts = 600) => seal(key, { sub: '7', name: 'LEAK', iat: Math.floor(Date.now() / 1000) + Math.min(0, lasts), exp: Math.floor(Date.now() / 1000) + lasts });
  t.is(await state(`${NAME}=${sealed(secret('old'))}`), 'valid', 'one of the older secret');
  t.is(await state(`${NAME}=${sealed(secret('unused'))}`), 'unreadable', 'one of a secret that is not there');
  t.is(await state(`${NAME}=${sealed(secret('old'), -300)}`), 'expired', 'one that has expired');
  t.is(await state(`${NAME}=LEAK.${token}`), 'unreadable', 'one that is damaged');
  t.is(await state(`${NAME}=${'a'.repeat(43)}`), 'unknown', 'an id that nobody knows');
  const half = await withCookie(`${NAME}.1=${token.slice(0, 50)}; ${NAME}.2=x`);
  t.is([half.json.request.sessionCookie.state, half.json.request.sessionCookie.cookies], ['incomplete', 2], 'chunks of which the first is missing');
  t.ok(hinted(half, /chunks of the session cookie are missing/), '  with a hint');
  t.is(await state(`${NAME}x=1; other=2`), undefined, 'cookies of other names are others');
  await ada.signOut();
  t.is(await state(`${NAME}=${token}`), 'refused', 'one that was ended');
  await redis.stop();
  t.is(await state(`${NAME}=${sealed(secret('old'))}`), 'unavailable', 'one that nobody can tell about');

  t.section('no secrets');
  const odd = await ask('/diagnostics', { headers: { cookie: `${NAME}=LEAK.a.b.c.d`, host: 'LEAK.example.org', 'x-forwarded-proto': 'LEAK', 'user-agent': 'LEAK', authorization: 'Bearer LEAK' } });
  for (const [what, answer] of [['a request', odd], ['who has signed in', mine], ['this machine', local], ['somebody refused', refused]]) {
    t.unlike(answer.text, /LEAK/i, `${what}: no value of the configuration or of a header`);
    t.ok(!answer.text.includes(token), '  nor the cookie');
  }
  t.unlike(site.log(), /LEAK-(new|old|google|acme|unused|of)/, 'nor has the log any');

  t.section('elsewhere');
  const development = await t.httpd({ files: { users }, config: `
NextAuthEngine On
NextAuthMode development
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${secret('dev')}
NextAuthProvider credentials backend=file:@DIR@/users
${handlers}` });
  t.is((await new Client(development).get('/diagnostics', away)).status, 200, 'on a developer\'s machine it answers everybody');
  const off = await t.httpd({ config: handlers.replace(/<Location \/(guarded|passed)>[^]*?<\/Location>/g, '') });
  t.is((await new Client(off).get('/diagnostics')).status, 404, 'a server without NextAuthEngine: 404');
});
