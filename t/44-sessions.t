#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { ctlFile, htpasswd, root } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { seal, open, sealOrder } = require('./lib/token.js');

const SECRET = 'the secret of sessions has 32 bytes';
const NAME = 'next-auth.session-token';
const now = () => Math.floor(Date.now() / 1000);
const users = htpasswd({ ada: 'x', bob: 'y' });

const common = (more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole staff "%{USER:id} == 'ada'"
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /staff>
  AuthType NextAuth
  Require nextauth-role staff
  SetHandler server-status
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;
const store = 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0';
const strategies = { jwt: `NextAuthSessionStrategy jwt\n${store}`, database: `NextAuthSessionStrategy database\n${store}` };

// A browser of its own that is signed in.
async function signedIn(site, user = 'ada', agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0') {
  const client = new Client(site);
  const send = client.send.bind(client);
  client.send = (path, options = {}) => send(path, { ...options, headers: { 'user-agent': agent, ...options.headers } });
  await client.credentials(user, user === 'ada' ? 'x' : 'y');
  return client;
}
// What somebody who copied the cookie gets.
const stolen = (client, path = '/members/') => {
  const cookie = `${NAME}=${client.cookie(NAME)}`;
  return async () => (await new Client(client.site).get(path, { headers: { cookie } })).status;
};
const listed = async (client) => (await client.get('/api/auth/sessions')).json.sessions;
const end = async (client, session) => client.post('/api/auth/sessions', { csrfToken: await client.csrf(), session });

suite('Sessions that can be found and ended, whatever the strategy', async (t) => {
  for (const [strategy, config] of Object.entries(strategies)) {
    const site = await t.httpd({ files: { users, secret: { text: SECRET, mode: 0o600 } }, config: common(`${config}\nNextAuthAuditLog @DIR@/audit.log`) });

    t.section(`${strategy}: a session`);
    {
      const c = await signedIn(site);
      const cookie = c.cookie(NAME) || '';
      if (strategy === 'database') t.like(cookie, /^[\w-]{43}$/, 'the cookie is 256 random bits');
      else t.is(open(SECRET, cookie).sub, 'ada', 'the cookie has the claims');
      t.is((await c.get('/members/')).status, 200, 'opens protected pages');
      t.is((await c.get('/staff?auto')).status, 200, 'has its roles');
      const session = await c.session();
      t.is(session.user, { name: 'ada' }, 'is what the client library reads');
      t.ok(Math.abs(Date.parse(session.expires) / 1000 - now() - 30 * 86400) < 60, 'with its end');
      t.is(await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${'A'.repeat(43)}` } }).then((a) => a.status), 401, 'an id that nobody has opens nothing');

      const copy = stolen(c);
      t.is(await copy(), 200, 'whoever copies the cookie is in');
      await c.signOut();
      t.is(await copy(), 401, 'until the user signs out: the session itself is over');
      t.is((await c.get('/members/')).status, 401, 'for the user as well');
    }

    t.section(`${strategy}: another id at each sign-in`);
    {
      const c = await signedIn(site);
      const before = stolen(c);
      const id = c.cookie(NAME);
      await c.credentials('ada', 'x');
      t.isnt(c.cookie(NAME), id, 'signing in again makes another session');
      t.is([await before(), (await c.get('/members/')).status], [401, 200], 'and ends the one before');
      await c.credentials('bob', 'y');
      t.is((await c.session()).user.name, 'bob', 'another user\'s as well');
      t.is(await stolen(c, '/staff?auto')(), 403, 'who does not inherit roles');
      await c.signOut();
    }

    t.section(`${strategy}: one's own sessions`);
    {
      const desk = await signedIn(site);
      const phone = await signedIn(site, 'ada', 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1');
      const third = await signedIn(site, 'ada', '<script>alert(1)</script>');
      const bob = await signedIn(site, 'bob');
      const list = await listed(desk);
      t.is(list.map(({ device, address, current }) => [device, address, current]),
        [['Firefox on Linux', '127.0.0.1', true], ['Safari on iPhone', '127.0.0.1', false], ['', '127.0.0.1', false]], 'are listed with device and address');
      t.ok(list.every(({ created, lastUsed, expires }) => Date.parse(created) <= Date.parse(lastUsed) && Date.parse(lastUsed) < Date.parse(expires)), 'and times');
      t.is((await listed(bob)).length, 1, 'another user\'s are not');
      t.is((await desk.get('/api/auth/sessions', { headers: { cookie: `${NAME}=${list[1].id}` } })).status, 401, 'what a list shows is no way in');
      const page = (await desk.page('/api/auth/sessions')).text;
      t.like(page, /Firefox on Linux[\s\S]*This device[\s\S]*Safari on iPhone/, 'as a page for people');
      t.unlike(page, /<script/, 'in which nothing runs');
      t.is((await new Client(site).get('/api/auth/sessions')).status, 401, 'nobody else sees any');
      t.like((await new Client(site).page('/api/auth/sessions')).location, /\/signin\?callbackUrl=.*sessions/, 'but is asked to sign in');

      t.is((await desk.post('/api/auth/sessions', { session: list[1].id })).location.includes('csrf') || (await phone.get('/members/')).status, 200, 'without the CSRF token none ends');
      await end(bob, list[1].id);
      t.is((await phone.get('/members/')).status, 200, 'nor at another user\'s wish');
      await end(desk, list[1].id);
      t.is([(await phone.get('/members/')).status, (await third.get('/members/')).status], [401, 200], 'its owner can end one');
      await end(desk, 'others');
      t.is([(await third.get('/members/')).status, (await desk.get('/members/')).status], [401, 200], 'all others');
      const again = await signedIn(site);
      const before = stolen(desk);
      const all = await end(desk, 'all');
      t.is(all.location, site.url, 'or all');
      t.is([await before(), (await again.get('/members/')).status, (await bob.get('/members/')).status], [401, 401, 200], 'everywhere, and nobody else\'s');
      t.is((await (await signedIn(site)).get('/members/')).status, 200, 'a new sign-in is not ended by it');
      t.is((await end(bob, 'rubbish')).location, `${site.url}/api/auth/sessions`, 'a handle that is none does nothing');
    }

    t.section(`${strategy}: the administrator's command`);
    {
      const ada = await signedIn(site);
      const bob = await signedIn(site, 'bob');
      const ctl = (...args) => spawnSync(ctlFile, ['session', ...args], { cwd: root, encoding: 'utf8', env: { ...process.env, NEXTAUTHCTL_SERVER: `${site.url}/admin/sessions`, NEXTAUTHCTL_SECRET_FILE: `${site.dir}/secret` } });
      const mine = (await listed(bob)).find(({ current }) => current);
      const everybody = JSON.parse(ctl('list', '--json').stdout).sessions;
      t.ok(everybody.some(({ id }) => id === mine.id) && new Set(everybody.map(({ user }) => user)).size === 2, 'lists everybody\'s sessions');
      t.like(ctl('list', '--user', 'credentials/bob').stdout, new RegExp(`^ID +USER +DEVICE .*\\n(.*\\n)*${mine.id} +credentials/bob +Firefox on Linux +127\\.0\\.0\\.1 `), 'one user\'s as a table');
      t.is(ctl('revoke', mine.id).status, 0, 'ends one');
      t.is([(await bob.get('/members/')).status, (await ada.get('/members/')).status], [401, 200], 'and only that');
      t.is(ctl('revoke', '--user', 'credentials/ada').status, 0, 'ends all of a user\'s');
      t.is((await ada.get('/members/')).status, 401, 'who is signed out');
      const actsOf = () => fs.readFileSync(`${site.dir}/audit.log`, 'utf8').trim().split('\n').map((line) => JSON.parse(line)).filter(({ actor }) => actor);
      const acts = actsOf();
      t.is(acts.map(({ event, actor, user, detail }) => [event, actor, user, detail]), [['SESSION_REVOKE', 'administrator', 'credentials/bob', mine.id], ['SESSION_REVOKE', 'administrator', 'credentials/ada', 'all']], 'both are in the audit log');
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      await new Client(site).post('/admin/sessions', { order: sealOrder(SECRET, `${site.url}/api/auth`, { user: 'credentials/ada' }) }, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01`, 'user-agent': 'desk/1' } });
      const { requestId, traceId, userAgent, address, site: where } = actsOf().pop();
      t.is([Boolean(requestId), traceId, userAgent, address, where], [true, trace, 'desk/1', '127.0.0.1', site.url], '  and say by way of what, as any record');
      const none = ctl('revoke', mine.id);
      t.is([none.status, none.stderr.trim()], [1, `nextauthctl: ${site.url}/admin/sessions returned status 404: the session does not exist`], 'says when there is none');
      t.is([ctl('revoke').status, ctl('list', 'x').status], [2, 2], 'and when it is called wrongly');
      t.like(ctl('list', '--server', `${site.url}/public.html`).stderr, /check that SetHandler nextauth-sessions is set there/, 'or sent to the wrong place');
      const put = await new Client(site).get('/admin/sessions', { method: 'PUT' });
      t.is([put.status, put.headers.allow, Object.keys(put.json)], [405, 'GET, HEAD, POST', ['error']], 'methods that it has not are refused');
      t.is((await new Client(site).post('/admin/sessions', { user: 'credentials/ada' })).status, 403, 'a form of another site cannot do that');
    }
    t.is((await new Client(site).get('/api/auth/signin')).status, 200, 'the server is well');
  }

  t.section('without a store');
  {
    const result = await t.configtest({ files: { users }, config: common() });
    t.is(result.status, 0, 'signing out clears cookies only');
    t.like(result.output, /no NextAuthSessionStore is set: signing out only deletes cookies.*NextAuthSessionStore none/, 'and configtest says so');
    const site = await t.httpd({ files: { users }, config: common('NextAuthSessionStore none') });
    const c = await signedIn(site);
    t.is((await c.get('/api/auth/sessions')).location, `${site.url}/api/auth/error?error=Configuration`, 'there is no list');
    t.like(site.log(), /cannot list sessions: NextAuthSessionStore is not set/, 'which the log explains');
    t.is((await c.get('/admin/sessions')).status, 404, 'nor for the administrator');
  }

  t.section('how often the store is asked');
  {
    const site = await t.httpd({ files: { users }, config: common(strategies.jwt.replace('checkInterval=0', 'checkInterval=3')) });
    const c = await signedIn(site);
    const copy = stolen(c);
    for (let i = 0; i < 60; i += 1) await copy(); // so that every process has seen it
    await c.signOut();
    const ended = Date.now();
    let [status, asked, letIn] = [200, ended, ended];
    while (asked - ended < 6000) { // two intervals: time is what is tested
      asked = Date.now();
      status = await copy();
      if (status === 200) letIn = asked;
    }
    t.is(status, 401, 'every process learns of the end');
    t.ok(letIn - ended <= 4000, 'within the interval, and a second for whole ones', `${letIn - ended} ms`);
  }

  t.section('sessions that others made');
  {
    const site = await t.httpd({ files: { users }, config: common(`${strategies.jwt} whenLost=accept\nNextAuthSessionUpdateAge 600`) });
    const claims = (more) => seal(SECRET, { sub: '42', name: 'Eve', iat: now() - 100, exp: now() + 3600, jti: 'j', ...more });
    const ask = async (token, path = '/members/') => new Client(site).get(path, { headers: { cookie: `${NAME}=${token}` } });
    t.is((await ask(claims())).status, 200, 'a token without an id of ours is a session');
    const renewed = (await ask(claims(), '/api/auth/session')).setCookies.find((line) => line.startsWith(NAME));
    const token = open(SECRET, renewed.slice(NAME.length + 1, renewed.indexOf(';')));
    t.ok(/^[\w-]{43}$/.test(token.sid) && token.auth_time <= now() - 100, 'which gets one when it is renewed');
    t.is((await ask(seal(SECRET, token))).status, 200, 'and is a session then');
    const admin = (order) => new Client(site).post('/admin/sessions', { order: sealOrder(SECRET, `${site.url}/api/auth`, order) });
    t.is((await admin({ user: '/42' })).status, 200, 'its user\'s sessions can be ended');
    t.is([(await ask(seal(SECRET, token))).status, (await ask(claims())).status], [401, 401], 'all of them');
    const reissued = seal(SECRET, { ...token, iat: now(), exp: now() + 9999, jti: 'another' });
    t.is((await ask(reissued)).status, 401, 'a token that the application issued anew is still that session');
  }

  t.section('lifetimes');
  {
    const site = await t.httpd({ files: { users }, config: common(`NextAuthSessionStore none\nNextAuthSessionIdleTimeout 900\nNextAuthSessionAbsoluteTimeout 7200`) });
    const ask = async (claims, path = '/members/') => new Client(site).get(path, { headers: { cookie: `${NAME}=${seal(SECRET, { sub: '42', exp: now() + 86400, jti: 'j', ...claims })}` } });
    t.is((await ask({ iat: now() - 800, auth_time: now() - 800 })).status, 200, 'a session that was used a while ago');
    t.is((await ask({ iat: now() - 920, auth_time: now() - 920 })).status, 401, 'is over when that is too long ago');
    t.is((await ask({ iat: now(), auth_time: now() - 7100 })).status, 200, 'one whose sign-in was some time ago');
    t.is((await ask({ iat: now(), auth_time: now() - 7220 })).status, 401, 'is over when that is too long ago, however much it is used');
    const renewed = (await ask({ iat: now() - 100, auth_time: now() - 100 })).setCookies[0];
    const token = open(SECRET, renewed.slice(NAME.length + 1, renewed.indexOf(';')));
    t.ok(Math.abs(token.exp - now() - 900) < 60, 'every use within a tenth of the idle time starts it anew');
    const late = (await ask({ iat: now() - 100, auth_time: now() - 7000 })).setCookies[0];
    t.ok(Math.abs(open(SECRET, late.slice(NAME.length + 1, late.indexOf(';'))).exp - now() - 200) < 60, 'but not past the absolute end');
    const shown = await ask({ iat: now() - 100, auth_time: now() - 7000 }, '/api/auth/session');
    t.ok(Math.abs(Date.parse(shown.json.expires) / 1000 - now() - 200) < 60, 'which the browser is told');
  }

  t.section('bound to the client');
  for (const [bind, first, other] of [
    ['fingerprint', { 'user-agent': 'Firefox/128.0' }, { 'user-agent': 'Chrome/128.0' }],
    ['"%{HTTP:X-Device}"', { 'x-device': 'one' }, { 'x-device': 'two' }]]) {
    const site = await t.httpd({ files: { users }, config: common(`${strategies.database}\nNextAuthSessionBind ${bind}`) });
    const c = new Client(site);
    const send = c.send.bind(c);
    c.send = (path, options = {}) => send(path, { ...options, headers: { ...first, ...options.headers } });
    await c.credentials('ada', 'x');
    const status = async (headers) => (await c.get('/members/', { headers })).status;
    t.is([await status({}), await status(other), await status({})], [200, 401, 200], `NextAuthSessionBind ${bind}: another client's use of the cookie is refused`);
    if (bind === 'fingerprint') t.is(await status({ 'user-agent': 'Firefox/129.1' }), 200, 'a new version of the browser is not another client');
    else {
      t.is(await status({ 'x-device': '' }), 401, 'nor may the sign be missing');
      const bare = new Client(site);
      t.is((await bare.credentials('ada', 'x')).location, `${site.url}/api/auth/error?error=AccessDenied`, 'without it nobody signs in');
    }
  }

  t.section('cookies');
  {
    const big = await t.httpd({ files: { users }, config: common('NextAuthSessionStore none\nNextAuthClaim big "%{HTTP:X-Big}"') });
    const c = new Client(big);
    const post = async (size) => c.post('/api/auth/callback/credentials', { csrfToken: await c.csrf(), username: 'ada', password: 'x' }, { headers: { 'x-big': 'x'.repeat(size) } });
    t.is((await post(4000)).setCookies.filter((line) => line.startsWith(NAME)).length, 2, 'a large session comes in pieces');
    t.is((await c.get('/members/')).status, 200, 'that work');
    const refused = await post(7000);
    t.is([refused.location, refused.setCookies.filter((line) => line.startsWith(NAME))], [`${big.url}/api/auth/error?error=Configuration`, []], 'one that the server would refuse is not begun');
    t.like(big.log(), /could not create a session for 'ada': the session token has \d+ characters, more than browsers or httpd \(LimitRequestFieldSize 8190\) accept: use fewer or shorter claims, or keep them on the server/, 'and the log says what helps');
    const kept = await t.httpd({ files: { users }, config: common(`${strategies.database}\nNextAuthClaim big "%{HTTP:X-Big}"`) });
    const d = new Client(kept);
    await d.post('/api/auth/callback/credentials', { csrfToken: await d.csrf(), username: 'ada', password: 'x' }, { headers: { 'x-big': 'x'.repeat(6800) } });
    t.is((await d.get('/members/')).status, 200, 'the database strategy takes it');
  }
});
