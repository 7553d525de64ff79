#!/usr/bin/env node
'use strict';
// A second pair of eyes: who has a password, a mailbox, an account, or a session of an application,
// but not the second factor, tries to get in by every other door.
const crypto = require('node:crypto');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { Client, request } = require('./lib/client.js');
const { startApp } = require('./lib/app.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, nextauthctl } = require('./lib/ctl.js');
const { startOp } = require('./lib/op.js');
const token = require('./lib/token.js');
const { FLAGS, Passkey, addPasskey, optionsOf, post: postPasskey, usePasskey } = require('./lib/passkeys.js');
const { codeOf, enrol, field, give, keyOf, letTimePass, oathtoolIsHere, send } = require('./lib/second-factor.js');

const SECRET = 'the secret of all the other doors is long';
const NAME = 'next-auth.session-token';
const PENDING = 'next-auth.two-factor';
const REMEMBERED = 'next-auth.remembered-browser';
const WORD = 'seven lanterns under water';
const HOSTILE = '"><img src=x onerror=y>\'{{nonce}}{name}';
const EVIL = 'https://evil.example/';
const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const secrets = []; // all that no log may have

// ── the site ────────────────────────────────────────────────────────────────────────────────────

const files = {
  'htdocs/vault/index.html': 'the gold\n',
  'htdocs/members/page.shtml': '[<!--#include virtual="/vault/index.html" -->]\n',
  'htdocs/members/inner/.htaccess': 'RewriteEngine On\nRewriteRule ^x$ /vault/index.html\nDirectoryIndex /vault/index.html\nErrorDocument 404 /vault/index.html\n',
  'htdocs/kept/.htaccess': 'AuthType NextAuth\nRequire nextauth-2fa\n', 'htdocs/kept/index.html': 'the gold\n',
  'htdocs/any/index.html': 'the gold\n', 'htdocs/none/index.html': 'without\n',
  'cgi/inside.cgi': { text: '#!/bin/sh\nprintf "Location: /vault/index.html\\n\\n"\n', mode: 0o755 },
  'jwt.js': { text: `#!${process.execPath}\nlet text = ''; process.stdin.on('data', (d) => { text += d; }).on('end', () => console.log(JSON.stringify({ ...JSON.parse(text).token, amr: ['otp', 'mfa', 'remembered'], tfa: 4e9, proved: 4e9, dbu: true, rev: 99 })));\n`, mode: 0o755 },
  'less.sh': { text: '#!/bin/sh\ncat >/dev/null; echo "{}"\n', mode: 0o755 },
};

const config = (db, op, app, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=the-client clientSecret=a-secret
NextAuthProvider passkey userVerification=preferred
NextAuthPasswords hash=bcrypt:10
NextAuthFeature account On
NextAuthFeature deleteAccount On
NextAuthFeature deviceLogin On
NextAuthSessionClaim amr tfa sub
NextAuthAuditLog @DIR@/audit.log
LogLevel nextauth:trace8
RewriteEngine On
RewriteRule ^/members/to-vault$ /vault/index.html [PT]
Alias /members/alias @DIR@/htdocs/vault
ScriptAlias /members/cgi/ @DIR@/cgi/
<Directory @DIR@/htdocs>
  AllowOverride All
  Options +Includes +FollowSymLinks
  AddType text/html .shtml
  AddOutputFilter INCLUDES .shtml
</Directory>
<Location /members>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens personal session
  NextAuthBasic On
</Location>
<Location /app>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens personal
  ProxyPass http://127.0.0.1:${app.port}
</Location>
<Location /vault>
  AuthType NextAuth
  Require nextauth-2fa
  NextAuthAcceptTokens personal session
  NextAuthBasic On
</Location>
<Location /members/alias>
  Require nextauth-2fa
</Location>
<Location /any>
  AuthType NextAuth
  <RequireAny>
    Require nextauth-role nobody
    Require nextauth-2fa
  </RequireAny>
</Location>
<Location /none>
  AuthType NextAuth
  <RequireAll>
    Require valid-user
    Require not nextauth-2fa
  </RequireAll>
</Location>
${more}`;

const isIn = async (client) => (await client.get('/members/')).status === 200;
const isAsked = (answer) => /\/api\/auth\/two-factor$/.test(answer.location || '');
const changed = (client, claims) => {
  client.cookies.set(NAME, { value: token.seal(SECRET, { ...token.open(SECRET, client.cookie(NAME)), ...claims }), path: '/' });
  return client;
};
const withCookie = (site, name, value) => {
  const client = new Client(site);
  client.cookies.set(name, { value, path: '/' });
  return client;
};
async function signIn(site, email, client = new Client(site)) {
  client.answer = await client.credentials(email, WORD);
  return client;
}
const post = (site, path, fields) => request(`${site.url}/api/auth/${path}`, { method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() });
const by = (site, path, authorization, headers = {}, method = 'GET') => request(site.url + path, { method, headers: { authorization, ...headers } });
const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function makeToken(client, scope = '/', name = 'a laptop') {
  const page = await send(client, 'tokens', { change: 'create', name, scope, days: '9' });
  const made = /na_pat_[0-9A-Za-z]{49}/.exec(page.text)?.[0];
  if (made) secrets.push(made);
  return made;
}
async function beginDevice(site, name = 'a tool') {
  const codes = (await post(site, 'device-authorization', { client_id: 'a-tool', device_name: name })).json;
  secrets.push(codes.device_code);
  return codes;
}
const redeem = async (site, { device_code: code }) => (await post(site, 'token', { grant_type: GRANT, client_id: 'a-tool', device_code: code })).json.error || 'a token';
const allow = (client, { user_code: code }) => send(client, 'device', { user_code: code, decision: 'allow' });

// Gives a code as the user would: { client } is in, with the second factor.
async function signInWith(world, more = {}, client = new Client(world.site)) {
  await letTimePass(world.db);
  await signIn(client.site, 'alice@example.org', client);
  const code = codeOf(world.alice.key);
  secrets.push(code);
  await give(client, code, more);
  return client;
}

// ── doors ───────────────────────────────────────────────────────────────────────────────────────

// What a thief of the password could prepare before its owner set a second factor up.
async function preparedBefore(t, world) {
  const { db, site } = world;
  t.section('what was prepared before it was set up');
  const thief = await signIn(site, 'alice@example.org');
  t.ok(await isIn(thief), 'a thief has the password');
  const early = await makeToken(thief);
  const [granted, asked] = [await beginDevice(site), await beginDevice(site)];
  await allow(thief, granted);
  const setup = field((await thief.page('/api/auth/two-factor-setup')).text, 'setup');
  const owner = await signIn(site, 'alice@example.org');
  t.is((await by(site, '/members/', `Bearer ${early}`)).status, 200, 'with a token of the password alone');
  world.alice = await enrol(owner);
  secrets.push(world.alice.key, ...world.alice.codes);
  t.ok(await isIn(owner), 'then the owner sets it up');
  t.ok(!(await isIn(thief)), 'the session ends');
  t.is([(await by(site, '/members/', `Bearer ${early}`)).status, (await by(site, '/members/', basic('alice@example.org', early))).status], [401, 401], 'the token is refused');
  t.is(await redeem(site, granted), 'access_denied', 'what a device was allowed is, too');
  await allow(thief, asked);
  t.is(await redeem(site, asked), 'authorization_pending', 'and the session allows nothing more');
  await send(thief, 'two-factor-setup', { change: 'enable', setup, code: '000000' });
  t.is((await db.sql("SELECT id FROM nextauth_secrets WHERE kind = 'totp'")).length, 1, 'nor sets another one up');
  t.is((await by(site, '/members/', basic('alice@example.org', WORD))).status, 401, 'a password by Basic does not suffice');
  t.is((await by(site, '/members/', basic('bob@example.org', WORD))).status, 200, '  for a user without one it does');
}

async function whileItWaits(t, world) {
  const { db, site, op } = world;
  t.section('a sign-in that waits');
  const thief = await signIn(site, 'alice@example.org');
  const waiting = thief.cookie(PENDING);
  secrets.push(waiting);
  t.ok(isAsked(thief.answer) && waiting, 'the password leads to the page of the second factor');
  const codes = await beginDevice(site);
  for (const page of ['account', 'account-data', 'sessions', 'tokens', 'passkeys', 'sign-in-again', 'two-factor-setup', `device?user_code=${codes.user_code}`]) {
    const answer = await thief.page(`/api/auth/${page}`);
    t.ok(answer.status !== 200 && !/alice/.test(answer.text), `  /${page.split('?')[0]} does not open`);
  }
  const before = JSON.stringify(await db.sql('SELECT id, name, email FROM users'));
  const kept = JSON.stringify(await db.sql('SELECT id FROM nextauth_secrets ORDER BY id'));
  const bob = await signIn(site, 'bob@example.org');
  const bobs = await bob.page('/api/auth/two-factor-setup');
  const forms = [['account', { change: 'name', name: 'Eve' }], ['account', { change: 'email', email: 'eve@example.org', currentPassword: WORD }], ['account', { change: 'password', currentPassword: WORD, password: 'another one that is long' }],
    ['account', { change: 'delete', confirm: 'alice@example.org', currentPassword: WORD }], ['tokens', { change: 'create', name: 'x', scope: '/', days: '9' }], ['sessions', { all: 'true' }],
    ['two-factor-setup', { change: 'disable' }], ['two-factor-setup', { change: 'codes' }], ['two-factor-setup', { change: 'forget' }], ['two-factor-setup', { change: 'enable', setup: field(bobs.text, 'setup'), code: codeOf(keyOf(bobs)) }]];
  for (const [path, fields] of forms) await send(thief, path, fields);
  await allow(thief, codes);
  t.is([JSON.stringify(await db.sql('SELECT id, name, email FROM users')), JSON.stringify(await db.sql('SELECT id FROM nextauth_secrets ORDER BY id'))], [before, kept], 'no form changes anything');
  t.is(await redeem(site, codes), 'authorization_pending', 'it allows no device');
  t.is((await optionsOf(thief, 'register')).options, undefined, 'it cannot add a passkey');
  t.is(await thief.session(), {}, 'it is no session');
  for (const path of ['/members/', '/vault/']) t.is((await by(site, path, `Bearer ${waiting}`)).status, 401, `nor a bearer token at ${path}`);
  await op.login(thief, await thief.signIn('acme'), 'bob');
  t.isnt((await thief.session()).user?.id, world.id, 'an account of a provider is not linked to its user');
  t.is((await db.sql('SELECT id FROM accounts')).length, 1, '  but has one of its own');
  for (const wrong of ['', '000000', world.alice.codes[0].slice(0, -1), 'AAAA-AAAA-AAAA-AAAA', waiting, "' OR 1=1 --"]) await give(thief, wrong);
  t.isnt((await thief.session()).user?.id, world.id, 'nothing else is a code');
  await letTimePass(db);
  const elsewhere = await send(await signIn(site, 'alice@example.org'), 'two-factor', { code: codeOf(world.alice.key), callbackUrl: EVIL });
  t.unlike(elsewhere.location, /evil/, 'a right one leads to no other site');
}

async function browsers(t, world) {
  const { db, site } = world;
  t.section('a remembered browser');
  const home = await signInWith(world, { remember: 'true' });
  const value = home.cookie(REMEMBERED);
  secrets.push(value);
  await home.signOut();
  t.ok(await isIn(await signIn(site, 'alice@example.org', home)), 'is let in with the password');
  const codes = await beginDevice(site);
  for (const [path, fields] of [['two-factor-setup', { change: 'disable' }], ['two-factor-setup', { change: 'codes' }], ['tokens', { change: 'create', name: 'x', scope: '/', days: '9' }], ['device', { user_code: codes.user_code, decision: 'allow' }]])
    t.like((await send(home, path, fields)).location, /\/api\/auth\/two-factor\?callbackUrl=/, `${path} asks for a code there${fields.change ? `, to ${fields.change}` : ''}`);
  t.ok(!(await makeToken(home)) && await redeem(site, codes) === 'authorization_pending', '  and did nothing');
  t.is((await home.get('/vault/')).status, 403, 'it does not open what requires the second factor');
  const other = await t.httpd({ files, config: config(db, world.op, world.app, 'NextAuthTwoFactor Optional') });
  t.ok(isAsked((await signIn(other, 'alice@example.org', withCookie(other, REMEMBERED, value))).answer), 'at another site with the same users and secret, its cookie is of no use');
  const owner = await signInWith(world);
  await send(owner, 'two-factor-setup', { change: 'disable' });
  world.alice = await enrol(owner);
  secrets.push(world.alice.key, ...world.alice.codes);
  t.ok(isAsked((await signIn(site, 'alice@example.org', withCookie(site, REMEMBERED, value))).answer), 'nor after the second factor was turned off and on again');
}

async function stolenSession(t, world) {
  const { db, site } = world;
  t.section('a stolen session, and the password');
  const hour = Math.floor(Date.now() / 1000) - 3600;
  const thief = changed(await signInWith(world), { proved: hour, tfa: hour });
  t.ok(await isIn(thief), 'are in');
  const of = async () => JSON.stringify([await db.sql('SELECT * FROM users'), await db.sql('SELECT password_hash FROM nextauth_credentials ORDER BY password_hash')]);
  const before = await of();
  for (const [change, fields] of [['password', { password: 'a quieter lighthouse at noon' }], ['delete', { confirm: 'alice@example.org' }]])
    t.like((await send(thief, 'account', { change, currentPassword: WORD, ...fields })).location, /\/sign-in-again\?/, `but ${change} asks for the second factor`);
  for (const fields of [{ change: 'link', provider: 'acme' }, { change: 'unlink', provider: 'acme', account: 'x' }]) await send(thief, 'account', fields);
  t.is([await of(), await isIn(thief)], [before, true], '  and nothing has changed');
  t.like((await send(thief, 'two-factor-setup', { change: 'disable' })).location, /\/two-factor\?callbackUrl=/, 'turning it off does, too');
  t.is([await makeToken(thief), (await addPasskey(thief, new Passkey(site.url))).status], [undefined, 302], 'no token and no passkey is made');
  const again = await signIn(site, 'alice@example.org', thief);
  t.ok(isAsked(again.answer), 'and to sign in again asks for it');
}

async function forms(t, world) {
  const { db, site } = world;
  t.section('forms');
  await addUser(db, 'carol@example.org', WORD, '--hash', 'bcrypt:10');
  const [carol, bob] = [await signIn(site, 'carol@example.org'), await signIn(site, 'bob@example.org')];
  const page = await bob.page('/api/auth/two-factor-setup');
  const right = () => ({ change: 'enable', setup: field(page.text, 'setup'), code: codeOf(keyOf(page)) });
  const count = async () => (await db.sql("SELECT id FROM nextauth_secrets WHERE kind = 'totp'")).length;
  await send(carol, 'two-factor-setup', right());
  t.is(await count(), 1, 'a form that another user was given sets nothing up');
  await bob.post('/api/auth/two-factor-setup', right());
  await bob.post('/api/auth/two-factor-setup', { ...right(), csrfToken: 'x|y' });
  t.is(await count(), 1, 'nor does one without the CSRF token');
  const old = changed(await signIn(site, 'bob@example.org'), { proved: Math.floor(Date.now() / 1000) - 3600 });
  t.like((await send(old, 'two-factor-setup', right())).location, /\/sign-in-again\?/, 'a session of an hour ago signs in again first');
  t.is([(await optionsOf(old, 'register')).options === undefined, await count()], [false, 1], '  and sets nothing up');
  t.like((await addPasskey(old, new Passkey(site.url))).location, /\/sign-in-again\?/, '  nor adds a passkey');
  t.ok(!(await makeToken(old)), '  nor makes a token');
  const [one, two] = [await signIn(site, 'bob@example.org'), await signIn(site, 'bob@example.org')];
  await Promise.all([one, two].map((client) => send(client, 'two-factor-setup', right())));
  t.is([await count(), (await db.sql("SELECT id FROM nextauth_secrets WHERE kind = 'recovery'")).length], [2, 20], 'of two at once, one sets it up');
  await db.sql(`DELETE FROM nextauth_secrets WHERE user_id = (SELECT id FROM users WHERE email = 'bob@example.org')`);
  const alice = await signInWith(world);
  await alice.post('/api/auth/two-factor-setup', { change: 'disable' });
  t.is(await count(), 1, 'a form of another site does not turn it off');
  for (const path of ['two-factor', 'two-factor-setup', 'sign-in-again', 'tokens', 'account'])
    t.unlike((await alice.page(`/api/auth/${path}?callbackUrl=${encodeURIComponent(EVIL)}`)).text, /evil\.example/, `/${path} leads to no other site`);
}

async function tokens(t, world) {
  const { site } = world;
  t.section('access tokens');
  const alice = await signInWith(world);
  const whole = await makeToken(alice);
  t.is([(await by(site, '/members/', `Bearer ${whole}`)).status, (await by(site, '/vault/', `Bearer ${whole}`)).status], [200, 200], 'one that was made with the second factor');
  const hash = crypto.createHash('sha256').update(whole).digest('hex');
  t.ok((await world.db.sql("SELECT id FROM nextauth_secrets WHERE kind = 'token'")).some(({ id }) => id === hash), 'its hash is in the database');
  for (const value of [hash, whole]) {
    t.ok(!(await isIn(withCookie(site, NAME, value))), `${value === hash ? 'the hash' : 'the token'} is no session cookie`);
    t.is(await withCookie(site, NAME, value).session(), {}, '  nor a session for scripts');
  }
  t.is((await by(site, '/members/', `Bearer ${hash}`)).status, 401, 'nor is the hash a token');
  const bob = await signIn(site, 'bob@example.org');
  const bobs = await makeToken(bob);
  t.is([(await by(site, '/members/', `Bearer ${bobs}`)).status, (await by(site, '/vault/', `Bearer ${bobs}`)).status, (await by(site, '/vault/', basic('bob@example.org', WORD))).status], [200, 403, 403], 'one without does not open what requires it, nor does a password');
  t.is((await by(site, '/vault/', `Bearer ${bobs}`, { accept: 'text/html', 'sec-fetch-mode': 'navigate' })).status, 403, '  and is not led to a page');
  for (const path of ['session', 'account-data', 'tokens', 'two-factor-setup']) t.unlike((await by(site, `/api/auth/${path}`, `Bearer ${whole}`, { accept: 'text/html' })).text, /alice/, `/${path} knows no token`);
  const reads = await makeToken(alice, 'GET,POST /app');
  t.is((await by(site, '/app/x', `Bearer ${reads}`, {}, 'POST')).status, 200, 'a scope has methods');
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
    t.is([(await by(site, '/app/x', `Bearer ${reads}`, { [name]: 'DELETE' }, 'POST')).status, (await by(site, '/app/x', `Bearer ${reads}`, { [name]: 'GET' }, 'POST')).status], [403, 200], `  which ${name} does not exceed`);
}

async function places(t, world) {
  const { site } = world;
  t.section('ways around Require nextauth-2fa');
  const [bob, alice] = [await signIn(site, 'bob@example.org'), await signInWith(world)];
  const paths = ['/vault/', '/vault/index.html', '//vault/', '/%76ault/', '/vault/.', '/members/../vault/', '/vault/?x', '/members/to-vault', '/members/page.shtml', '/members/inner/x', '/members/inner/',
    '/members/inner/missing', '/members/cgi/inside.cgi', '/members/alias/', '/members/alias/index.html', '/kept/', '/kept/index.html', '/any/'];
  // as it is written, which new URL() would normalize
  const askRaw = (client, path) => t.raw(site.port, `GET ${path} HTTP/1.1\r\nHost: localhost:${site.port}\r\nCookie: ${client.jar.header(site.url)}\r\nConnection: close\r\n\r\n`);
  for (const path of paths) t.unlike(await askRaw(bob, path), /the gold/, `without one: ${path}`);
  for (const path of ['/vault/', '/members/to-vault', '/members/page.shtml', '/kept/', '/any/']) t.like(await askRaw(alice, path), /the gold/, `with one: ${path}`);
  for (const method of ['HEAD', 'POST', 'OPTIONS', 'PUT', 'DELETE', 'PROPFIND', 'FOO']) t.ok((await bob.send('/vault/', { method })).status >= 400, `${method} is refused, too`);
  t.is([(await bob.get('/none/')).status, (await alice.get('/none/')).status], [200, 403], 'where it is excluded, those who have it are');
  t.ok((await new Client(site).get('/none/')).status !== 200 && (await new Client(site).get('/any/')).status !== 200, 'nobody is let in without a session');
}

async function passkeys(t, world) {
  const { site } = world;
  t.section('passkeys');
  const [alice, bob] = [await signInWith(world), await signIn(site, 'bob@example.org')];
  const [hers, his] = [new Passkey(site.url), new Passkey(site.url)];
  await addPasskey(alice, hers, { name: HOSTILE });
  await addPasskey(bob, his);
  const asSecond = async (client, passkey, lies) => {
    const { options } = await optionsOf(client, 'authenticate');
    return send(client, 'two-factor', { action: 'authenticate', data: passkey.get(options, lies) });
  };
  his.counter += 1;
  const thief = await signIn(site, 'alice@example.org');
  await asSecond(thief, his);
  t.ok(!(await isIn(thief)), 'another user\'s is not the second factor');
  hers.counter += 1;
  await asSecond(thief, hers, { key: his.keys.privateKey });
  t.ok(!(await isIn(thief)), 'nor is one signed with another key');
  const unverified = new Client(site);
  hers.counter += 1;
  t.ok(isAsked(await usePasskey(unverified, hers, {}, { flags: FLAGS.UP })), 'one that did not verify its user is one factor');
  hers.counter += 1;
  await asSecond(unverified, hers, { flags: FLAGS.UP });
  t.ok(!(await isIn(unverified)), '  and not two by being used twice');
  const both = new Client(site);
  const { options } = await optionsOf(both, 'authenticate');
  hers.counter += 1;
  const data = hers.get(options);
  const copy = new Client(site);
  for (const [name, cookie] of both.cookies) copy.cookies.set(name, cookie);
  await postPasskey(both, 'authenticate', data);
  t.ok(await isIn(both) && (await both.session()).user.amr.includes('mfa'), 'one that verified its user is both');
  await postPasskey(copy, 'authenticate', data);
  t.ok(!(await isIn(copy)), '  once');
  const cloned = new Client(site);
  hers.counter = 1;
  await usePasskey(cloned, hers);
  t.ok(!(await isIn(cloned)), 'a copy with an old counter is not');
  const before = (await bob.session()).user.id;
  hers.counter = 100;
  await usePasskey(bob, hers);
  t.is((await bob.session()).user.id, before, 'no user becomes another one by it');
}

async function sessions(t, world) {
  const { db, site } = world;
  t.section('sessions that others wrote');
  const [{ id: bob }] = await db.sql("SELECT id FROM users WHERE email = 'bob@example.org'");
  const rows = await t.httpd({ files, config: config(db, world.op, world.app, 'NextAuthTwoFactor Optional\nNextAuthSessionStore database checkInterval=0\nNextAuthSessionStrategy database') });
  const row = async (user) => {
    const id = crypto.randomUUID();
    await db.sql(`INSERT INTO sessions ("sessionToken", "userId", expires) VALUES ('${id}', ${user}, '2099-01-01 00:00:00')`);
    return isIn(withCookie(rows, NAME, id));
  };
  t.is([await row(bob), await row(world.id)], [true, false], 'a row of Auth.js is one, but not of a user with a second factor');
  const now = Math.floor(Date.now() / 1000);
  const jwt = (claims) => token.seal(SECRET, { sub: String(world.id), name: 'Alice', email: 'alice@example.org', iat: now, exp: now + 3600, jti: 'a', ...claims });
  for (const [what, claims] of [['of NextAuth', {}], ['with a revision', { dbu: true, rev: 99 }], ['that was proved', { proved: now }], ['of another site', { dbu: true, amr: ['otp', 'mfa'], tfa: now, nasite: EVIL }]]) {
    t.ok(!(await isIn(withCookie(site, NAME, jwt(claims)))), `a token ${what} is none`);
    t.is((await by(site, '/members/', `Bearer ${jwt(claims)}`)).status, 401, '  nor as a bearer token');
  }
  const told = await t.httpd({ files, config: config(db, world.op, world.app, 'NextAuthTwoFactor Optional\nNextAuthCallback jwt "|@DIR@/jwt.js"') });
  const client = await signIn(told, 'bob@example.org');
  await client.post('/api/auth/session', { csrfToken: await client.csrf(), data: { amr: ['mfa'], tfa: 4e9, proved: 4e9, dbu: true, rev: 99 } }, { json: true });
  const claims = token.open(SECRET, client.cookie(NAME));
  t.is([claims.amr, claims.tfa, claims.proved < 4e9, claims.rev === 99], [['pwd'], undefined, true, false], 'neither a callback nor an update of the session sets what counts');
  t.is((await client.get('/vault/')).status, 403, '  so that it opens no more');
  await told.reload(config(db, world.op, world.app, 'NextAuthTwoFactor Optional\nNextAuthCallback jwt "|@DIR@/less.sh"'));
  const bare = token.open(SECRET, (await signIn(told, 'bob@example.org')).cookie(NAME));
  const kept = (all) => [all.amr, all.dbu, all.rev, typeof all.proved];
  t.is([kept(bare), bare.dbu], [kept(claims), true], 'nor does a callback that leaves everything out remove it');
  const strict = await t.httpd({ files, config: config(db, world.op, world.app, 'NextAuthTwoFactor Required') });
  t.is([(await by(strict, '/members/', basic('bob@example.org', WORD))).status, await isIn(await signIn(strict, 'bob@example.org'))], [401, false], 'with Required, a password admits nobody, by Basic or by the form');
  const keyed = await signIn(strict, 'bob@example.org');
  t.is([isAsked(keyed.answer), (await enrol(keyed)).codes], [true, []], '  and cannot set up an app in place of the passkey that its user has');
}

async function pages(t, world) {
  const { db, site } = world;
  t.section('what others wrote, on pages');
  await db.sql(`UPDATE users SET name = '${HOSTILE.replaceAll("'", "''")}' WHERE email = 'alice@example.org'`);
  const alice = new Client(site);
  alice.page = (path, options = {}) => Client.prototype.page.call(alice, path, { ...options, headers: { ...options.headers, 'accept-language': `${HOSTILE},de;q=0.9`, 'user-agent': HOSTILE } });
  await signInWith(world, { remember: 'true' }, alice);
  await makeToken(alice, '/', HOSTILE);
  const codes = await beginDevice(site, HOSTILE);
  for (const path of ['account', 'tokens', 'passkeys', 'sessions', 'two-factor', 'two-factor-setup', 'two-factor-setup?replace=true', 'sign-in-again', `device?user_code=${codes.user_code}`, `device?user_code=${encodeURIComponent(HOSTILE)}`, `error?error=${encodeURIComponent(HOSTILE)}`]) {
    const page = await alice.page(`/api/auth/${path}`);
    t.ok(page.status !== 500 && !page.text.includes('<img src=x'), `/${path.split('?')[0]} shows it as text`);
  }
  t.like((await alice.page('/api/auth/account')).text, /onerror=y&gt;&#39;\{\{nonce\}\}\{name\}/, 'and fills in nothing that it asks for');
  const mine = await alice.get('/api/auth/account-data');
  t.ok(mine.json.user.name === HOSTILE && !/bob@example|carol@example/.test(mine.text), 'one\'s own data is nobody else\'s');
  t.ok(!secrets.some((secret) => mine.text.includes(secret)) && !/sealed|na_pat_/.test(mine.text), '  and has no secret');
  t.is((await new Client(site).get('/api/auth/account-data')).json?.user, undefined, '  which only its user gets');
}

async function logs(t, world) {
  t.section('logs');
  const text = world.site.log() + world.site.access() + fs.readFileSync(`${world.site.dir}/audit.log`, 'utf8');
  const long = secrets.filter((secret) => secret.length > 6);
  t.ok(long.length > 30 && text.length > 10_000, 'there are secrets, and logs');
  t.is(long.filter((secret) => text.includes(secret)).map((secret) => secret.slice(0, 8)), [], 'no key, code, token, or cookie is in one');
  t.is(secrets.filter((secret) => secret.length === 6 && new RegExp(`code[^\\n]{0,20}\\b${secret}\\b`).test(text)), [], 'nor is what an app showed');
}

suite('Every other door', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  if (!oathtoolIsHere()) t.skipAll('there is no oathtool');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  const port = await freePort();
  const op = await startOp(t, { clients: [{ client_id: 'the-client', client_secret: 'a-secret', redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`] }] });
  const app = await startApp(t);
  const site = await t.httpd({ port, files, config: config(db, op, app, 'NextAuthTwoFactor Optional\nNextAuthSessionStore database checkInterval=0\nNextAuthRateLimit secondFactor Off\nNextAuthRateLimit signIn Off\nNextAuthRateLimit callback Off\nNextAuthRateLimit deviceLogin Off') });
  const id = await addUser(db, 'alice@example.org', WORD, '--hash', 'bcrypt:10');
  await addUser(db, 'bob@example.org', WORD, '--hash', 'bcrypt:10');
  const world = { db, op, app, site, id };
  await preparedBefore(t, world);
  await whileItWaits(t, world);
  await browsers(t, world);
  await stolenSession(t, world);
  await forms(t, world);
  await tokens(t, world);
  await places(t, world);
  await passkeys(t, world);
  await sessions(t, world);
  await pages(t, world);
  await logs(t, world);
});
