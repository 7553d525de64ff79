#!/usr/bin/env node
'use strict';
// The npm packages are used as published: next-auth 4 by require, @auth/core by import.
const { createHash } = require('node:crypto');
const nextAuth = require('next-auth/jwt');
const { suite } = require('./lib/suite.js');
const { htpasswd, until } = require('./lib/httpd.js');
const { startApp, byNextAuth, byAuthJs } = require('./lib/app.js');
const { authJs } = require('./lib/packages.js');
const { databasesHere, startPostgres } = require('./lib/databases.js');
const { startAuthJs } = require('./lib/authjs-adapter.js');
const { nextauthctl } = require('./lib/ctl.js');

const secrets = {
  'a secret of ASCII': '0123456789abcdef0123456789abcdef',
  'a secret of other letters': 'pässwörd – 秘密 – long enough for a secret',
};
const another = 'another secret, as long as the first';
const users = htpasswd({ 'ada@example.org': 'secret' });
const DUE_S = 2; // of a session that child processes are to know as one that is not due yet
const MONTH = 30 * 24 * 3600;

// What sites put into tokens: other alphabets, numbers, lists, objects, null and the empty string.
const ada = { name: 'Ada “Countess” Łovelace 😀', email: 'ada@example.org', picture: 'https://cdn.example.org/a.png?s=96&v=1', sub: '42' };
const custom = { role: 'admin', roles: ['a', 'b'], n: 1.5, big: 9007199254740991, yes: true, no: null, none: '',
  deep: { list: [1, { two: '2' }], text: 'line\nand "quote"' } };

const configuration = (secret, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${secret}"
NextAuthProvider credentials backend=file:@DIR@/users
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
  NextAuthUnauthenticated 401
</Location>`;

const behind = (app) => `
<Location /app/>
  AuthType NextAuth
  Require valid-user
  NextAuthUnauthenticated 401
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`;

const withoutTimes = ({ iat, exp, jti, ...rest }) => rest;
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const opens = (decode, options) => decode(options).then(() => true, () => false);

// A browser that brings one cookie and nothing else.
function bearer(t, site, name, value) {
  const client = t.client(site);
  if (value) client.cookies.set(name, { value, path: '/' });
  return client;
}

// The value of all cookies of that name: one, or its numbered chunks one after the other.
function whole(client, name) {
  const chunks = [...client.cookies].filter(([key]) => key === name || key.startsWith(`${name}.`));
  return chunks.sort(([a], [b]) => a.localeCompare(b)).map(([, cookie]) => cookie.value).join('');
}

async function accepted(t, site, name, token, what) {
  t.is((await bearer(t, site, name, token).get('/members/')).status, 200, `accepted: ${what}`);
}

async function refused(t, site, name, token, none, what) {
  const client = bearer(t, site, name, token);
  t.is((await client.get('/members/')).status, 401, `refused: ${what}`);
  t.is([await client.session(), client.cookie(name)], [none, undefined], '  it is no session, and the cookie goes');
}

// Next-auth itself takes it, so that the application that issued it may need it.
async function leftAlone(t, site, name, token, none, what) {
  const client = bearer(t, site, name, token);
  t.is((await client.get('/members/')).status, 401, `refused: ${what}`);
  t.is([await client.session(), client.cookie(name)], [none, token], '  it is no session here, and the cookie stays');
  client.cookies.set(`${name}.0`, { value: 'rubbish', path: '/' });
  t.is([await client.session(), client.cookie(name)], [none, token], '  with another that is no session beside it, too');
}

async function csrfAsNextAuth(t, site, name, secret) {
  const client = t.client(site);
  const token = await client.csrf();
  const [value, hash] = decodeURIComponent(client.cookie(name)).split('|');
  t.is([value, hash], [token, sha256(`${token}${secret}`)], 'the CSRF cookie is token|sha256(token + secret)');
  const made = 'c'.repeat(64);
  const other = bearer(t, site, name, encodeURIComponent(`${made}|${sha256(`${made}${secret}`)}`));
  t.is(await other.csrf(), made, 'and one made by that rule is kept');
}

async function v4(t, words, secret) {
  const name = 'next-auth.session-token';
  const { encode, decode } = nextAuth;
  const app = await startApp(t, byNextAuth(secret));
  const site = await t.httpd({ files: { users }, config: configuration(secret, behind(app)) });

  t.section(`v4, ${words}: next-auth/jwt reads what the module writes`);
  {
    const client = t.client(site);
    await client.credentials('ada@example.org', 'secret');
    const { user } = (await client.get('/app/')).json;
    t.is([user.name, user.email, user.sub], ['ada@example.org', 'ada@example.org', 'ada@example.org'], 'getToken() in an application behind the proxy');
    t.is(user.exp - user.iat, MONTH, 'with next-auth\'s 30 days');
    t.like(user.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, 'and a UUID');
    const first = client.cookie(name);
    await client.session();
    t.isnt(client.cookie(name), first, 'a look at the session re-issues it');
    t.is(withoutTimes((await client.get('/app/')).json.user), withoutTimes(user), 'with the claims it had');
    t.is(await opens(decode, { token: first, secret: another }), false, 'another secret opens nothing');
  }

  t.section(`v4, ${words}: the module reads what next-auth/jwt writes`);
  {
    const token = await encode({ token: { ...ada, ...custom }, secret });
    const client = bearer(t, site, name, token);
    await accepted(t, site, name, token, 'a session by next-auth');
    t.is((await client.get('/app/')).json.user, await decode({ token, secret }), 'the application sees the very same token');
    const session = await client.session();
    t.is(session.user, { name: ada.name, email: ada.email, image: ada.picture }, 'the session is next-auth\'s: name, email, image');
    const reissued = await decode({ token: client.cookie(name), secret });
    t.isnt(client.cookie(name), token, 'it is re-issued');
    t.is(withoutTimes(reissued), { ...ada, ...custom }, 'and every claim survives');
    t.is([reissued.exp - reissued.iat, Math.abs(reissued.exp * 1000 - Date.parse(session.expires)) <= 2000], [MONTH, true], 'for 30 days, as the session says');
    const plain = bearer(t, site, name, await encode({ token: { name: null, email: null, picture: null, sub: '7' }, secret }));
    t.is((await plain.session()).user, { name: null, email: null, image: null }, 'what is null stays null');
  }

  t.section(`v4, ${words}: large tokens are cut into chunks`);
  {
    const claims = { ...ada, permissions: 'p'.repeat(4000) };
    const token = await encode({ token: claims, secret });
    const client = bearer(t, site, name, token);
    t.ok(token.length > 4096, 'a token that is too large for one cookie');
    await client.session();
    t.is([...client.cookies.keys()].filter((key) => key.startsWith(name)).sort(), [`${name}.0`, `${name}.1`], 'is re-issued as two, and the one goes');
    t.is(client.cookie(`${name}.0`).length, 3933, 'of next-auth\'s length');
    t.is(withoutTimes((await client.get('/app/')).json.user), claims, 'getToken() puts them together');
    t.is(withoutTimes(await decode({ token: whole(client, name), secret })), claims, 'and so does a plain concatenation');
    t.is((await client.get('/members/')).status, 200, 'as the module does');
    client.cookies.delete(`${name}.0`);
    t.is((await client.get('/members/')).status, 401, 'without its first half it is nothing');
  }

  t.section(`v4, ${words}: what is refused`);
  {
    const none = {};
    const token = { ...ada };
    const make = (options) => encode({ token, secret, ...options });
    const good = await make({});
    await accepted(t, site, name, await make({ maxAge: -5 }), 'expired 5 s ago, within the packages\' tolerance');
    t.is(await opens(decode, { token: await make({ maxAge: -5 }), secret }), true, '  as next-auth has it');
    await refused(t, site, name, await make({ maxAge: -60 }), none, 'expired a minute ago');
    t.is(await opens(decode, { token: await make({ maxAge: -60 }), secret }), false, '  as next-auth has it');
    await refused(t, site, name, await make({ secret: another }), none, 'by another secret');
    await refused(t, site, name, await make({ salt: 'next-auth.state' }), none, 'for another cookie: salt next-auth.state');
    await refused(t, site, name, await make({ salt: name }), none, 'with a salt where v4 has none');
    await refused(t, site, name, `${good.slice(0, -1)}${good.endsWith('A') ? 'Q' : 'A'}`, none, 'with another last letter');
    for (const nobody of [{ name: 'nobody' }, { name: 'nobody', sub: '' }, { email: 'ada@example.org', sub: null }]) {
      const anonymous = await encode({ token: nobody, secret });
      t.is(await opens(decode, { token: anonymous, secret }), true, 'a session to next-auth');
      await leftAlone(t, site, name, anonymous, none, `of nobody: ${JSON.stringify(nobody)}`);
    }
    await refused(t, site, name, await encode({ token: { name: 'nobody' }, secret, maxAge: -60 }), none, 'of nobody, and expired');
  }

  t.section(`v4, ${words}: the CSRF token`);
  await csrfAsNextAuth(t, site, 'next-auth.csrf-token', secret);
}

async function v5(t, words, secret) {
  const name = 'authjs.session-token';
  const { encode, decode } = await import('@auth/core/jwt');
  const app = await startApp(t, byAuthJs(secret));
  const site = await t.httpd({ files: { users }, config: configuration(secret, `NextAuthCompat v5\n${behind(app)}`) });
  const base = `${site.url}/api/auth`;

  t.section(`v5, ${words}: the dialect`);
  {
    const client = t.client(site);
    const none = await client.get('/api/auth/session');
    t.is([none.status, none.text], [200, 'null'], 'no session is null');
    t.is((await client.get('/api/auth/providers')).json.credentials.callbackUrl, `${base}/callback/credentials`, 'the providers are there');
    const headers = { 'x-auth-return-redirect': '1' };
    const fields = { csrfToken: await client.csrf(), username: 'ada@example.org', callbackUrl: `${site.url}/members/` };
    const bad = await client.post('/api/auth/callback/credentials?', { ...fields, password: 'wrong' }, { headers });
    t.is([bad.status, bad.json], [200, { url: `${base}/signin?error=CredentialsSignin&code=credentials` }], 'a wrong password is 200, with the error in the address');
    const good = await client.post('/api/auth/callback/credentials?', { ...fields, password: 'secret' }, { headers });
    t.is([good.status, good.json], [200, { url: `${site.url}/members/` }], 'the right one leads on');
    t.is([...client.cookies.keys()].filter((each) => each !== 'authjs.error-reference').sort(), ['authjs.callback-url', 'authjs.csrf-token', name], 'the cookies are Auth.js\'s, but for the reference of an error');
    t.is((await client.session()).user, { name: 'ada@example.org', email: 'ada@example.org' }, 'and there is a session');
    const out = await client.post('/api/auth/signout', { csrfToken: await client.csrf(), callbackUrl: `${site.url}/` }, { headers });
    t.is([out.status, out.json, client.cookie(name)], [200, { url: `${site.url}/` }, undefined], 'until the sign-out');
  }

  t.section(`v5, ${words}: @auth/core/jwt reads what the module writes`);
  {
    const client = t.client(site);
    await client.credentials('ada@example.org', 'secret');
    const { user } = (await client.get('/app/')).json;
    t.is([user.name, user.email, user.sub, user.exp - user.iat], ['ada@example.org', 'ada@example.org', 'ada@example.org', MONTH], 'getToken() in an application behind the proxy');
    const token = client.cookie(name);
    t.is(await decode({ token, secret, salt: name }), user, 'decode() with the cookie\'s name as the salt agrees');
    t.is(await opens(decode, { token, secret, salt: `__Secure-${name}` }), false, 'another salt opens nothing');
    t.is(await opens(decode, { token, secret: another, salt: name }), false, 'nor does another secret');
  }

  t.section(`v5, ${words}: the module reads what @auth/core/jwt writes`);
  {
    const token = await encode({ token: { ...ada, ...custom }, secret, salt: name });
    const client = bearer(t, site, name, token);
    await accepted(t, site, name, token, 'a session by Auth.js');
    t.is((await client.get('/app/')).json.user, await decode({ token, secret, salt: name }), 'the application sees the very same token');
    t.is((await client.session()).user, { name: ada.name, email: ada.email, image: ada.picture }, 'the session is Auth.js\'s: name, email, image');
    t.isnt(client.cookie(name), token, 'it is re-issued');
    t.is(withoutTimes(await decode({ token: client.cookie(name), secret, salt: name })), { ...ada, ...custom }, 'and every claim survives');
  }

  t.section(`v5, ${words}: large tokens are cut into chunks`);
  {
    const claims = { ...ada, permissions: 'p'.repeat(4000) };
    const client = bearer(t, site, name, await encode({ token: claims, secret, salt: name }));
    await client.session();
    t.is([...client.cookies.keys()].filter((key) => key.startsWith(name)).sort(), [`${name}.0`, `${name}.1`], 'two cookies');
    t.is(client.cookie(`${name}.0`).length, 3936, 'of Auth.js\'s length');
    t.is(withoutTimes((await client.get('/app/')).json.user), claims, 'getToken() puts them together');
  }

  t.section(`v5, ${words}: what is refused`);
  {
    const make = (options) => encode({ token: { ...ada }, secret, salt: name, ...options });
    await accepted(t, site, name, await make({ maxAge: -5 }), 'expired 5 s ago, within the packages\' tolerance');
    await refused(t, site, name, await make({ maxAge: -60 }), null, 'expired a minute ago');
    await refused(t, site, name, await make({ secret: another }), null, 'by another secret');
    await refused(t, site, name, await make({ salt: `__Secure-${name}` }), null, 'for another cookie: salt __Secure-authjs.session-token');
    await refused(t, site, name, await make({ salt: 'authjs.state' }), null, 'for another cookie: salt authjs.state');
    await refused(t, site, name, await nextAuth.encode({ token: { ...ada }, secret }), null, 'a v4 token in v5\'s cookie');
    for (const nobody of [{ name: 'nobody' }, { name: 'nobody', sub: '' }])
      await leftAlone(t, site, name, await encode({ token: nobody, secret, salt: name }), null, `of nobody: ${JSON.stringify(nobody)}`);
    const old = bearer(t, site, 'next-auth.session-token', await nextAuth.encode({ token: { ...ada }, secret }));
    t.is((await old.get('/members/')).status, 401, 'refused: a v4 token in v4\'s cookie');
  }

  t.section(`v5, ${words}: the CSRF token`);
  await csrfAsNextAuth(t, site, 'authjs.csrf-token', secret);
}

async function rotation(t) {
  t.section('v5: a new secret, and the old one still opens');
  const name = 'authjs.session-token';
  const { encode, decode } = await import('@auth/core/jwt');
  const [fresh, old] = ['the new secret, of thirty-two characters', another];
  const site = await t.httpd({ files: { users }, config: configuration(`${fresh}" "${old}`, 'NextAuthCompat v5') });
  const client = bearer(t, site, name, await encode({ token: { ...ada }, secret: old, salt: name }));
  t.is((await client.get('/members/')).status, 200, 'a token by the old one is accepted');
  await client.session();
  t.is(withoutTimes(await decode({ token: client.cookie(name), secret: fresh, salt: name })), ada, 'and re-issued by the new one');
  t.is(await opens(decode, { token: client.cookie(name), secret: old, salt: name }), false, 'alone');
  const both = await encode({ token: { ...ada }, secret: [fresh, old], salt: name });
  await accepted(t, site, name, both, 'a token by Auth.js with both');
  t.is(withoutTimes(await decode({ token: client.cookie(name), secret: [fresh, old], salt: name })), ada, 'and Auth.js with both reads the module\'s');
}

// A site moves from one version to the other while its users stay signed in.
async function moving(t, words, to, from) {
  t.section(`${to.dialect} that accepts ${from.dialect} too: ${words}`);
  const secret = secrets['a secret of other letters'];
  const app = await startApp(t, to.reads(secret));
  const site = await t.httpd({ files: { users }, config: configuration(secret, `NextAuthCompat ${to.dialect} accept=v4,v5\n${behind(app)}`) });
  await accepted(t, site, to.name, await to.encode({ ...ada }, secret), `${to.dialect}'s session`);
  const client = bearer(t, site, from.name, await from.encode({ ...ada, ...custom }, secret));
  t.is((await client.get('/members/')).status, 200, `accepted: ${from.dialect}'s session`);
  t.is((await client.session()).user, { name: ada.name, email: ada.email, image: ada.picture }, 'it shows at the session endpoint');
  t.is([client.cookie(from.name), typeof client.cookie(to.name)], [undefined, 'string'], `where ${to.dialect}'s cookie takes its place`);
  t.is(withoutTimes((await client.get('/app/')).json.user), { ...ada, ...custom }, `with the same claims, as ${to.dialect}'s getToken() reads it`);
  await refused(t, site, from.name, await from.encode({ ...ada }, another), to.none, `${from.dialect}'s session by another secret`);
}

// An application's own Auth.js, asked by a call, signs out whom the module signed in.
async function theirSignOut(t) {
  t.section('signOut() of an application\'s own Auth.js');
  const secret = secrets['a secret of ASCII'];
  const name = 'authjs.session-token';
  const site = await t.httpd({ files: { users }, config: configuration(secret, 'NextAuthCompat v5') });
  const theirs = await authJs(site.url, { secret, providers: [] });
  const client = t.client(site);
  await client.credentials('ada@example.org', 'secret');
  const copy = client.cookie(name);
  const form = await theirs('/api/auth/csrf', { method: 'GET', headers: {} });
  const cookie = [...form.cookies.map((line) => line.split(';')[0]), `${name}=${copy}`].join('; ');
  const out = await theirs('/api/auth/signout', { method: 'POST', body: new URLSearchParams(JSON.parse(form.text)).toString(),
    headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', 'x-auth-return-redirect': '1' } });
  t.ok(out.cookies.some((line) => line.startsWith(`${name}=;`) && /Max-Age=0/.test(line)), 'clears the session cookie', ...out.cookies);
  client.cookies.delete(name);
  t.is([await client.session(), client.cookie(name), (await client.get('/members/')).status], [null, undefined, 401], 'and nothing here makes that browser a new one');
  await accepted(t, site, name, copy, 'a copy from before, as the manual says');
}

// Sessions are rows of a table that both sides have: Auth.js's signOut() deletes one.
async function signedOutThere(t) {
  t.section('signOut() of an application that shares the table of sessions');
  const here = databasesHere();
  if (!here.postgres) {
    t.skip('a shared table', `install ${here.lacking.join(' ')}`);
    return;
  }
  const secret = secrets['a secret of ASCII'];
  const name = 'authjs.session-token';
  const db = await startPostgres(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'the tables are made');
  const app = await startAuthJs(t, { url: db.url, secret });
  const site = await t.httpd({ files: { users }, config: configuration(secret, `NextAuthCompat v5
NextAuthDatabase ${db.url}
NextAuthSessionStrategy database
NextAuthSessionStore database checkInterval=3600
NextAuthSessionUpdateAge ${DUE_S}`) });
  const client = t.client(site);
  await client.credentials(ada.email, 'secret');
  const began = Date.now();
  const id = client.cookie(name);
  const request = (path) => t.client(site).get(path, { headers: { cookie: `${name}=${id}` } });
  const warm = await Promise.all(Array.from({ length: 20 }, () => request('/members/')));
  t.is(new Set(warm.map(({ status }) => status)), new Set([200]), 'a session that child processes need not ask about for an hour');
  const there = t.client(app);
  there.cookies.set(name, { value: id, path: '/' });
  await there.post('/api/auth/signout', { csrfToken: await there.csrf() });
  t.is([there.cookie(name), await db.sql('SELECT * FROM sessions')], [undefined, []], 'the application ends it');
  await until('a renewal is due', () => Date.now() - began > (DUE_S + 1) * 1000);
  const page = await request('/members/');
  t.is(page.setCookies.filter((line) => line.startsWith(`${name}=${id}`)), [], 'a page that was under way does not give the cookie back');
  const late = await Promise.all(Array.from({ length: 20 }, () => request('/api/auth/session')));
  t.is(new Set(late.map(({ text }) => text)), new Set(['null']), 'the session endpoint renews nothing');
  t.is(late.flatMap(({ setCookies }) => setCookies).filter((line) => line.startsWith(`${name}=`) && !line.startsWith(`${name}=;`)), [], '  and gives no cookie either');
  t.is(await db.sql('SELECT * FROM sessions'), [], '  nor is the row there again');
}

suite('Sessions are one and the same to next-auth, Auth.js and the module', async (t) => {
  t.withOneMpm();
  const jwt = await import('@auth/core/jwt');
  const four = { dialect: 'v4', name: 'next-auth.session-token', none: {}, reads: byNextAuth,
    encode: (token, secret) => nextAuth.encode({ token, secret }) };
  const five = { dialect: 'v5', name: 'authjs.session-token', none: null, reads: byAuthJs,
    encode: (token, secret) => jwt.encode({ token, secret, salt: 'authjs.session-token' }) };

  for (const [words, secret] of Object.entries(secrets)) await v4(t, words, secret);
  for (const [words, secret] of Object.entries(secrets)) await v5(t, words, secret);
  await rotation(t);
  await theirSignOut(t);
  await signedOutThere(t);
  await moving(t, 'Auth.js moved out', four, five);
  await moving(t, 'next-auth 4 moved out', five, four);
});
