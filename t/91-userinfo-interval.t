#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort, mpm, until } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { Client } = require('./lib/client.js');
const { nextauthctl } = require('./lib/ctl.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { startOp, accounts } = require('./lib/op.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const ALICE = { ...accounts.alice };
const CLIENT_SECRET = 'a secret between the two';
const ttl = { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, RefreshToken: 600, Session: 600 };
const client = (port, more = {}) => ({ ...more, client_id: 'the-client', client_secret: CLIENT_SECRET,
  redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`], grant_types: ['authorization_code', 'refresh_token'] });
const startProvider = (t, port, more = {}) => startOp(t, { clients: [client(port)], features: { revocation: { enabled: true } },
  settings: { issueRefreshToken: async () => true, rotateRefreshToken: true, ttl }, ...more });
const config = (port, op, app, lines, options = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:${port}
NextAuthSecret "the secret of sessions has 32 bytes"
NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=the-client "clientSecret=${CLIENT_SECRET}" ${options}
NextAuthSignInRule deny "%{USER:name} == 'Mallory'"
NextAuthRole "%{PROFILE:groups}" "true"
NextAuthClaim team "%{PROFILE:groups}"
NextAuthClaim portrait "%{PROFILE:picture}"
${lines}
<Location /members/>
  AuthType NextAuth
  Require valid-user
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
<Location /editors/>
  AuthType NextAuth
  Require nextauth-role editors
</Location>
<Location /tokens/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassTokens access refresh
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
<Location /metrics>
  SetHandler nextauth-metrics
</Location>`;
const files = { 'htdocs/editors/index.html': 'for editors' };

const profiles = (op) => op.requests.filter(({ path }) => path === '/me');
const refreshes = (op) => op.requests.filter(({ path, form }) => path === '/token' && form.grant_type === 'refresh_token');

async function signedIn(op, site) {
  const c = new Client(site);
  await op.login(c, await c.signIn('acme'), 'alice');
  return c;
}

// A browser that keeps the cookies that it has now.
function frozen(c, site) {
  const cookie = c.jar.header(c.site.url);
  return { get: (path) => new Client(site).get(path, { headers: { cookie } }) };
}

// The profile is due a second after the sign-in.
const due = () => { const at = Date.now() / 1000; return until('the profile to be due', () => Date.now() / 1000 > at + 2); };

function change(t, changes) {
  Object.assign(accounts.alice, changes);
  t.cleanup(() => Object.assign(accounts.alice, ALICE));
}
const restore = () => { for (const name of Object.keys(accounts.alice)) delete accounts.alice[name]; Object.assign(accounts.alice, ALICE); };

suite('The profile is fetched again at an interval', async (t) => {
  if (!redisIsHere()) t.skipAll('redis-server is not here');

  for (const strategy of mpm === 'event' ? ['jwt', 'database'] : ['jwt']) {
    t.section(`two servers with one store: ${strategy}`);
    const [port, redis, app] = [await freePort(), await startRedis(t), await startApp(t)];
    const op = await startProvider(t, port);
    const lines = (interval) => `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0
NextAuthSessionStrategy ${strategy}
NextAuthKeepTokens On userinfoInterval=${interval}`;
    const first = await t.httpd({ port, files, config: config(port, op, app, lines(1)) });
    const [here, there] = await Promise.all([0, 1].map(() => t.httpd({ files, config: config(port, op, app, lines(600)) })));
    const c = await signedIn(op, first);
    const [old, oldThere] = [frozen(c, here), frozen(c, there)];
    t.is((await c.session()).user.name, 'Alice Archer', 'signed in');
    change(t, { name: 'Alice Ahead', groups: ['staff'] });
    await due();

    const before = profiles(op).length;
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? old : oldThere).get('/members/')));
    t.is([...new Set(answers.map(({ status }) => status))], [200], '40 requests to both are answered');
    t.is(profiles(op).length, before + 1, '  for which the profile was fetched once');
    const cookies = answers.filter(({ setCookies }) => setCookies.some((cookie) => /session-token=/.test(cookie)));
    t.is(cookies.length > 0, true, '  and a cookie with it was sent');
    for (const browser of [old, oldThere]) {
      const { user } = (await browser.get('/members/')).json;
      t.is([user['x-nextauth-name'], user['x-nextauth-claim-team'], user['x-nextauth-roles']], ['Alice Ahead', 'staff', 'staff'], 'an older cookie is a session with the new claims');
      t.is((await browser.get('/editors/')).status, 403, '  and a role that was taken away does not come back with it');
    }
    t.is(profiles(op).length, before + 1, '  without another call');
    c.jar.take(first.url, cookies[0].setCookies);
    t.is((await c.get('/editors/')).status, 403, 'nor with the new one');
    t.is((await c.session()).user.name, 'Alice Ahead', 'the browser gets the new name');
    restore();
    t.is(op.errors, [], 'the provider saw nothing wrong');
  }

  t.section('each answer of the provider');
  {
    const [port, redis, app] = [await freePort(), await startRedis(t), await startApp(t)];
    const op = await startProvider(t, port);
    const lines = (more) => `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0
NextAuthKeepTokens On userinfoInterval=1 ${more}`;
    const site = await t.httpd({ port, files, config: config(port, op, app, lines('')) });
    const strict = await t.httpd({ files, config: config(port, op, app, lines('onRefusal=end')) });
    const c = await signedIn(op, site);
    const other = await signedIn(op, site);
    const nameOf = async (browser = c) => (await browser.get('/members/')).json?.user?.['x-nextauth-name'];
    const revoke = (token) => fetch(`${op.issuer}/token/revocation`, { method: 'POST', body: new URLSearchParams({ token }),
      headers: { authorization: `Basic ${Buffer.from(`the-client:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}` } });

    change(t, { name: 'Alice Again', picture: undefined });
    await until('the name', async () => (await nameOf()) === 'Alice Again');
    t.is((await c.get('/members/')).json.user['x-nextauth-claim-portrait'], undefined, 'what the provider no longer says is gone');

    const tokens = (await c.get('/tokens/')).json.user;
    await op.forget(tokens['x-nextauth-access-token']);
    const renewed = refreshes(op).length;
    change(t, { name: 'Alice Anew' });
    await until('the name', async () => (await nameOf()) === 'Alice Anew');
    t.is(refreshes(op).length, renewed + 1, 'an access token that userinfo refuses is renewed once');

    op.otherSub = 'bob';
    change(t, { name: 'Bob' });
    await until('the refusal', async () => { await c.get('/members/'); return /sub does not match/.test(site.log()); });
    t.is(await nameOf(), 'Alice Anew', 'a profile of another user is not used');
    t.like(site.log(), /could not fetch the profile of 'acme' again, trying again in 1 s: .*sub does not match/, '  which is logged');
    op.otherSub = undefined;

    change(t, { name: 'Mallory' });
    const copy = frozen(c, strict);
    await until('the end', async () => (await c.get('/members/')).status === 401);
    t.like(site.log(), /the session ends, by the profile of 'acme': NextAuthSignInRule 1 denies/, 'who is no longer allowed to sign in loses the session');
    t.is((await copy.get('/members/')).status, 401, '  everywhere');
    restore();

    // The grant ends, and all of its tokens.
    const gone = (await other.get('/tokens/')).json.user;
    await revoke(gone['x-nextauth-refresh-token']);
    const last = frozen(other, strict);
    await until('the mark', async () => (await other.session()).error === 'RefreshTokenError');
    t.is(await nameOf(other), 'Alice Archer', 'onRefusal=mark: the session goes on with its claims, and a mark');
    await until('the end', async () => (await last.get('/members/')).status === 401);
    t.is(await other.session(), {}, 'onRefusal=end: it ends');

    const third = await signedIn(op, site);
    await op.stop();
    await until('the failure', async () => { await third.get('/members/'); return /could not fetch the profile of 'acme' again, trying again in 1 s: .*connect/i.test(site.log()); });
    const asked = site.log().match(/:error\].*could not fetch the profile/g).length;
    await due();
    t.is(await nameOf(third), 'Alice Archer', 'a provider that is down: the session goes on');
    t.is(site.log().match(/:error\].*could not fetch the profile/g).length, asked, '  and one line of the log says so');
    const counted = (await third.get('/metrics')).text;
    for (const result of ['renewed', 'refused', 'failed']) t.like(counted, new RegExp(`^nextauth_renewals_total\\{what="userinfo",result="${result}"\\} [1-9]`, 'm'), `'${result}' is counted`);
  }

  if (mpm !== 'event') return; // stores have nothing to do with processes or threads

  t.section('whatever is shown, and however');
  {
    const [port, redis, app] = [await freePort(), await startRedis(t), await startApp(t)];
    const op = await startProvider(t, port);
    const site = await t.httpd({ port, files, config: config(port, op, app, `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=600
NextAuthKeepTokens On userinfoInterval=1
<Location /front/>
  DirectoryIndex /editors/index.html
</Location>
<Location /expr/>
  AuthType NextAuth
  Require expr "%{NEXTAUTH:roles} =~ /editors/"
</Location>
<Location /api/>
  AuthType NextAuth
  NextAuthAcceptTokens session only
  Require nextauth-role editors
</Location>
Alias /expr/ "@DIR@/htdocs/editors/"
Alias /api/ "@DIR@/htdocs/editors/"`), files: { ...files, 'htdocs/front/x': '' } });
    const [c, inside, evaluated, script] = [await signedIn(op, site), await signedIn(op, site), await signedIn(op, site), await signedIn(op, site)];
    const old = frozen(c, site);
    const authorization = `Bearer ${/session-token=([^;]+)/.exec(script.jar.header(site.url))[1]}`;
    const api = async () => (await new Client(site).get('/api/', { headers: { authorization } })).status;
    t.is([(await old.get('/editors/')).status, (await inside.get('/front/')).status, (await evaluated.get('/expr/')).status, await api()], [200, 200, 200, 200], 'signed in, with a role');
    change(t, { groups: ['staff'] });
    await due();
    t.is((await evaluated.get('/expr/')).status, 403, 'an expression is evaluated with the new claims');
    t.is((await inside.get('/front/')).status, 403, 'a protected page in place of one that is not');
    t.is(await api(), 403, 'a token that is shown as Authorization');
    await until('the role to go', async () => (await c.get('/editors/')).status === 403);
    const { user } = (await c.get('/tokens/')).json;
    await fetch(`${op.issuer}/token/revocation`, { method: 'POST', body: new URLSearchParams({ token: user['x-nextauth-refresh-token'] }),
      headers: { authorization: `Basic ${Buffer.from(`the-client:${encodeURIComponent(CLIENT_SECRET)}`).toString('base64')}` } });
    await until('the refusal', async () => (await c.session()).error === 'RefreshTokenError');
    t.is((await c.get('/editors/')).status, 403, 'a provider that refuses changes no claim');
    t.is((await old.get('/editors/')).status, 403, '  and an older cookie still brings no role back');
    await due();
    t.is([(await old.get('/editors/')).status, (await c.get('/editors/')).status], [403, 403], '  nor later');

    change(t, { name: 'Mallory' });
    await due();
    t.is([await api(), (await script.session())], [401, {}], 'a session that ends by a token ends for the cookie, too');
    restore();
  }

  const stores = [
    { name: 'tokens, with records in socache', options: '', lines: 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0',
      more: { settings: { conformIdTokenClaims: false } } },
    { name: 'sessions in socache', options: 'idToken=false userinfo_signed_response_alg=RS256', lines: 'NextAuthSessionStrategy database\nNextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0',
      client: { userinfo_signed_response_alg: 'RS256' }, more: { features: { jwtUserinfo: { enabled: true } } } },
  ];
  for (const db of await startDatabases(t, enginesOfRound)) {
    await nextauthctl(db, ['migrate']);
    stores.push({ name: `users and sessions in ${db.engine}`, db, lines: `NextAuthDatabase ${db.url}\nNextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0` });
  }
  for (const store of stores) {
    t.section(store.name);
    const its = { seconds: 2 };
    const [port, app] = [await freePort(), await startApp(t)];
    const { settings, features } = store.more || {};
    const op = await startOp(t, { clients: [client(port, store.client)], features: { revocation: { enabled: true }, ...features },
      settings: { issueRefreshToken: async () => true, rotateRefreshToken: true, ttl: { ...ttl, AccessToken: () => its.seconds }, ...settings } });
    const site = await t.httpd({ port, files, config: config(port, op, app, `${store.lines}\nNextAuthKeepTokens On userinfoInterval=2`, store.options) });
    const c = await signedIn(op, site);
    t.is((await c.get('/editors/')).status, 200, 'signed in, with a role of the profile');
    const old = frozen(c, site);
    its.seconds = 600;
    change(t, { name: 'Alice Afar', groups: undefined });
    await due();
    await due();
    const all = await Promise.all(Array.from({ length: 5 }, () => old.get('/tokens/')));
    t.is([...new Set(all.map(({ json }) => json?.user?.['x-nextauth-access-token']))].length, 1, 'an expired access token is renewed once');
    t.is(refreshes(op).length, 1, '  for which the provider was asked once');
    await until('the role to go', async () => (await old.get('/editors/')).status === 403);
    const { user } = (await c.get('/members/')).json;
    t.is([user['x-nextauth-name'], user['x-nextauth-roles'], user['x-nextauth-claim-team']], [store.db ? 'Alice Archer' : 'Alice Afar', undefined, undefined],
      store.db ? 'the roles follow the profile, and the name is the database\'s' : 'the roles and the name follow the profile');
    restore();
    await until('the role to come back', async () => (await c.get('/editors/')).status === 200);

    // Another device ends the session.
    const device = await signedIn(op, site);
    const { sessions } = (await device.get('/api/auth/sessions')).json;
    const { csrfToken } = (await device.get('/api/auth/csrf')).json;
    const revoked = () => op.requests.filter(({ path, status }) => path === '/token/revocation' && status === 200).length;
    await device.post('/api/auth/sessions', { csrfToken, session: sessions.find(({ current }) => !current).id });
    t.is([(await old.get('/members/')).status, revoked()], [401, 1], 'a session that another device ends loses its tokens at the provider, too');
    await device.signOut();
    t.is(revoked(), 2, '  as does one that is signed out');
  }
});
