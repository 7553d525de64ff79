#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { childrenOf, htpasswd, until } = require('./lib/httpd.js');
const { request } = require('./lib/client.js');
const { startDatabases } = require('./lib/databases.js');
const { addUser, ctl, secretFile } = require('./lib/ctl.js');
const { recordsOf } = require('./lib/audit.js');
const { startApp } = require('./lib/app.js');

const PASSWORD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const KNOWN = 'next-auth.known-browser';
const SECRET = 'the secret of Basic is long enough, too';
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const ask = (site, path, user, password, headers = {}) => request(site.url + path,
  { headers: { ...(user === undefined ? {} : { authorization: basic(user, password) }), ...headers } });
const config = (more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthAuditLog @DIR@/audit.log
<Location /members/>
  AuthType NextAuth
  Require valid-user
  NextAuthBasic On
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
  NextAuthBasic On
</Location>
${more}`;

async function files(t) {
  t.section('users in a file');
  const app = await startApp(t, (r) => [r.headers['x-nextauth-user'], r.headers['x-nextauth-roles'], r.headers.authorization || null]);
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x', ben: 'y' }), others: htpasswd({ ada: 'other' }) }, config: config(`
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider other type=credentials backend=file:@DIR@/others
NextAuthRole admin "%{USER:id} == 'ada'"
NextAuthSignInRule deny "%{USER:id} == 'eve'"
<Location /members/off/>
  NextAuthBasic Off
</Location>
<Location /other/>
  AuthType NextAuth
  Require valid-user
  NextAuthBasic other
</Location>
<Location /wrong/>
  AuthType NextAuth
  Require valid-user
  NextAuthBasic unknown
</Location>
<Location /app/>
  AuthType NextAuth
  Require valid-user
  NextAuthBasic On
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`) });
  const status = async (...args) => (await ask(site, ...args)).status;
  t.is([await status('/members/', 'ada', 'x'), await status('/members/', 'ben', 'y')], [200, 200], 'a password is accepted');
  t.ok(await site.logged('GET /members/index.html 200 ada'), 'REMOTE_USER is the username');
  t.is((await ask(site, '/members/', 'ada', 'x')).setCookies, [], 'no cookie is set');
  for (const [what, user, password] of [['a wrong one', 'ada', 'y'], ['an empty one', 'ada', ''], ['an unknown user', 'eve', 'x'], ['no user', '', 'x'], ['blanks', ' ada', 'x'],
    ['another case', 'ADA', 'x'], ['a long one', 'ada', 'x'.repeat(5000)], ['control characters', 'ada\n', 'x'], ['NUL', 'ada\0', 'x'], ['another user\'s', 'ben', 'x']]) {
    t.is(await status('/members/', user, password), 401, `refused: ${what}`);
  }
  t.is([await status('/members/off/', 'ada', 'x'), await status('/other/', 'ada', 'x'), await status('/other/', 'ada', 'other'), await status('/wrong/', 'ada', 'x')],
    [401, 401, 404, 401], 'the directory decides, and names the provider');
  t.is([await status('/admin/', 'ada', 'x'), await status('/admin/', 'ben', 'y')], [200, 403], 'rules give roles');
  t.is((await ask(site, '/app/', 'ada', 'x')).json.user, ['ada', 'admin', null], 'an application gets the user, and not the password');
  t.is(await status('/api/auth/session', 'ada', 'x'), 200, 'the endpoints answer');
  t.is((await ask(site, '/api/auth/session', 'ada', 'x')).json, {}, '  but know no password');
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://other.example' }]) {
    t.isnt((await ask(site, '/members/', 'ada', 'x', headers)).status, 200, `a page of another site cannot use a browser's password: ${Object.keys(headers)}`);
  }
  const challenge = (await request(`${site.url}/members/`, { headers: { 'user-agent': 'curl/8' } })).headers['www-authenticate'];
  t.is(challenge, `Basic realm="${site.url}", charset="UTF-8"`, 'a client is asked');
  t.is((await ask(site, '/members/', 'ada', 'y', { 'sec-fetch-mode': 'navigate', accept: 'text/html' })).headers['www-authenticate'], `NextAuth realm="${site.url}"`, 'a browser is not, even after a wrong one');

  const signIns = () => recordsOf(`${site.dir}/audit.log`).filter(({ event, outcome, user }) => event === 'SIGNIN' && outcome === 'success' && user === 'ben').length;
  const before = signIns();
  for (let i = 0; i < 60; i++) await ask(site, '/members/', 'ben', 'y');
  const children = childrenOf(site.pid).length;
  t.ok(signIns() - before <= children, 'each process records a sign-in, and not each request', `${before} then ${signIns()}, ${children} children`);
  t.ok(before >= 1 && recordsOf(`${site.dir}/audit.log`).some(({ event, outcome, reason }) => event === 'SIGNIN' && outcome === 'failure' && /wrong username or password/.test(reason)), 'failures are, too');

  t.section('a password that changes');
  t.is(await status('/members/', 'ada', 'x'), 200, 'the old one works');
  fs.writeFileSync(`${site.dir}/users`, htpasswd({ ada: 'new', ben: 'y' }));
  await until('the old one is refused', async () => await status('/members/', 'ada', 'x') === 401);
  t.is(await status('/members/', 'ada', 'new'), 200, 'and the new one works');
  t.ok(!/\bnew\b.*Basic/.test(site.log()) && !site.log().includes(Buffer.from('ada:new').toString('base64')), 'no password is logged');
}

async function authn(t) {
  t.section('httpd\'s authentication providers');
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(`
NextAuthProvider credentials backend=authn:file
<Location /members/>
  AuthUserFile @DIR@/users
</Location>`) });
  const status = async (...args) => (await ask(site, ...args)).status;
  t.is([await status('/members/', 'ada', 'x'), await status('/members/', 'ada', 'y'), await status('/members/', 'eve', 'x')], [200, 401, 401], 'they verify passwords');
  t.ok(await site.logged('GET /members/index.html 200 ada'), 'REMOTE_USER is the username');
  t.isnt(await status('/admin/', 'ada', 'x'), 200, 'where their directives do not hold, nobody is let in');
}

async function database(t, db) {
  t.section('users in the database');
  await ctl(db, 'migrate');
  const id = await addUser(db, 'ada@example.org', PASSWORD);
  const site = await t.httpd({ config: config(`NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthTwoFactor Optional
<Location /members/>
  NextAuthAcceptTokens personal
</Location>`) });
  const status = async (...args) => (await ask(site, ...args)).status;
  t.is([await status('/members/', 'ada@example.org', PASSWORD), await status('/members/', 'Ada@Example.ORG', PASSWORD), await status('/members/', 'ada@example.org', 'x')], [200, 200, 401], 'an email address and a password');
  await ctl(db, 'role', 'grant', id, 'admin');
  await until('the role counts', async () => await status('/admin/', 'ada@example.org', PASSWORD) === 200);
  t.ok(true, 'roles of the database count within seconds');
  await ctl(db, 'user', 'disable', id);
  await until('disabled', async () => await status('/members/', 'ada@example.org', PASSWORD) === 401);
  t.ok(true, 'a disabled user is refused within seconds');
  await ctl(db, 'user', 'enable', id);
  t.is(await status('/members/', 'ada@example.org', PASSWORD), 200, 'and comes back');

  t.section('a new password');
  await ctl(db, 'user', 'set-password', id, '--password-file', secretFile(db, 'new', `${BETTER}\n`));
  await until('the old one is refused', async () => await status('/members/', 'ada@example.org', PASSWORD) === 401);
  t.is(await status('/members/', 'ada@example.org', BETTER), 200, 'ends the old one within seconds');

  t.section('a second factor');
  await db.sql(`INSERT INTO nextauth_secrets (id, user_id, kind, counter, created_at, used_at, expires_at) VALUES ('${'a'.repeat(64)}', '${id}', 'totp', 0, 1, 0, 0)`);
  await until('refused', async () => await status('/members/', 'ada@example.org', BETTER) === 401);
  t.ok(true, 'a password alone is not enough for a user with a second factor');
  t.like(site.log(), /use a personal access token/, 'the log says what is');
  const token = (await ctl(db, 'token', 'add', id, '--name', 'x', '--scope', '/')).trim();
  t.is(await status('/members/', 'ada@example.org', token), 200, 'a personal access token is');
}

async function limits(t) {
  t.section('limits');
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x', ben: 'y' }) }, config: config(`
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRateLimit signIn account=5/600`) });
  const statuses = [];
  for (let i = 0; i < 8; i++) statuses.push((await ask(site, '/members/', 'ada', `wrong${i}`)).status);
  t.is(statuses, [401, 401, 401, 401, 401, 429, 429, 429], 'guesses are limited, as in the form');
  const limited = await ask(site, '/members/', 'ada', 'x');
  t.ok(limited.status === 429 && Number(limited.headers['retry-after']) > 0, 'the right one waits, too');
  t.is((await ask(site, '/members/', 'ben', 'y')).status, 200, 'another user does not');
  for (let i = 0; i < 10; i++) await ask(site, '/members/', 'ben', 'y');
  t.is((await ask(site, '/members/', 'ben', 'y')).status, 200, 'right ones do not count');
}

async function knownBrowsers(t) {
  t.section('a browser that is known');
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(`
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRateLimit signIn account=3/600`) });
  const client = t.client(site);
  await client.credentials('ada', 'x');
  const known = { cookie: `${KNOWN}=${client.cookie(KNOWN)}` };
  const statuses = async (count, headers) => {
    const all = [];
    for (let i = 0; i < count; i++) all.push((await ask(site, '/members/', 'ada', 'wrong', headers)).status);
    return all;
  };
  t.is(await statuses(4), [401, 401, 401, 429], 'an account is locked');
  t.is((await ask(site, '/members/', 'ada', 'x')).status, 429, 'for its owner\'s programs, too');
  t.is(await statuses(4, known), [401, 401, 401, 429], 'a known browser has a budget of its own');
  const another = t.client(site);
  t.is(await statuses(1, { cookie: `${KNOWN}=x` }), [429], '  which a cookie that is none does not open');
  t.is((await another.credentials('ada', 'x', { json: 'true' })).status, 429, '  and the form has the same limit');
}

suite('Basic authentication with the site\'s own passwords', async (t) => {
  await files(t);
  await authn(t);
  await limits(t);
  await knownBrowsers(t);
  const [db] = await startDatabases(t, ['sqlite']);
  if (db) await database(t, db);
});
