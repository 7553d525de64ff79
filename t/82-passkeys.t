#!/usr/bin/env node
'use strict';
// Passkeys: the endpoints of Auth.js's provider, forged and replayed answers, and real Chromium with
// its virtual authenticators.
const crypto = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, ctl } = require('./lib/ctl.js');
const { drizzleTables, makeDrizzleAdapter } = require('./lib/drizzle-adapter.js');
const { authJs } = require('./lib/packages.js');
const { FLAGS, Passkey, addPasskey, optionsOf, post, usePasskey } = require('./lib/passkeys.js');
const { open, seal } = require('./lib/token.js');

const SECRET = 'the secret of this site has 32 bytes and more';
const PASSWORD = 'correct horse battery';
const config = (db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthCompat v5
NextAuthDatabase ${db.url}
NextAuthAuditLog @DIR@/audit.log
NextAuthProvider credentials backend=database
NextAuthProvider passkey
NextAuthSessionClaim sub provider
LogLevel nextauth:debug
${more}`;

const refused = (answer) => /[?&]error=(\w+)/.exec(answer.location || '')?.[1];

const linesLike = (site, pattern) => site.log().split('\n').filter((line) => pattern.test(line)).length;

async function signedIn(site, email) {
  const client = new Client(site);
  const answer = await client.credentials(email, PASSWORD);
  if (refused(answer)) throw new Error(`${email} could not sign in: ${answer.location}`);
  return client;
}

async function userOf(client) {
  return (await client.session())?.user?.id;
}

async function endpoints(t, site, db, ada) {
  t.section('what clients are told');
  const visitor = new Client(site);
  t.is((await visitor.get('/api/auth/providers')).json.passkey, { id: 'passkey', name: 'Passkey', type: 'webauthn',
    signinUrl: `${site.url}/api/auth/signin/passkey`, callbackUrl: `${site.url}/api/auth/callback/passkey` }, 'the provider is in the list');
  const first = await visitor.get('/api/auth/webauthn-options/passkey');
  t.is([first.status, first.json.action, { ...first.json.options, challenge: '*' }], [200, 'authenticate',
    { challenge: '*', rpId: 'localhost', timeout: 300_000, userVerification: 'required' }], 'a visitor is to authenticate, with any passkey');
  t.like(first.setCookies.join(), /^authjs\.challenge\.[\w-]{8}=[\w.-]+; Max-Age=900; Path=\/; .*HttpOnly; SameSite=Lax/, 'and gets a cookie');
  t.is([first.headers['cache-control']], ['private, no-cache, no-store'], 'which nobody keeps');
  t.isnt(first.json.options.challenge, (await optionsOf(visitor, 'authenticate')).options.challenge, 'every challenge is another');
  t.is([(await visitor.get('/api/auth/webauthn-options/passkey?action=steal')).status, (await optionsOf(visitor, 'register')).error], [400, 'Invalid request'], 'other actions are refused');
  t.is((await visitor.get(`/api/auth/webauthn-options/passkey?email=${encodeURIComponent('ada@example.org')}`)).json.options.allowCredentials, undefined, 'an address does not tell whether it has an account');
  t.is((await visitor.get('/api/auth/webauthn-options/credentials')).status, 400, 'other providers have no options');

  t.section('a passkey is added');
  const client = await signedIn(site, 'ada@example.org');
  const { options } = await optionsOf(client, 'register');
  t.is({ ...options, challenge: '*', user: { ...options.user, id: options.user.id.length } }, { challenge: '*', rp: { name: site.url.slice(7), id: 'localhost' },
    user: { id: 43, name: 'ada@example.org', displayName: 'ada@example.org' },
    pubKeyCredParams: [-8, -7, -257].map((alg) => ({ alg, type: 'public-key' })), timeout: 300_000, attestation: 'none', excludeCredentials: [],
    authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' }, extensions: { credProps: true } }, 'the options are those of Auth.js');
  const passkey = new Passkey(site.url);
  const added = await addPasskey(client, passkey, { callbackUrl: '/mine', name: 'My key' });
  t.is(added.location, `${site.url}/mine`, 'the browser goes on');
  const id = passkey.id.toString('base64');
  const [row] = await db.sql('SELECT * FROM authenticators');
  t.is({ ...row, credentialPublicKey: '*' }, { credentialID: id, userId: row.userId, providerAccountId: id, credentialPublicKey: '*', counter: '0',
    credentialDeviceType: 'singleDevice', credentialBackedUp: '0', transports: 'internal' }, 'a row of Auth.js\'s table');
  t.is([String(row.userId), Buffer.from(row.credentialPublicKey, 'base64')], [ada, passkey.cose()], 'of the user, with the key');
  t.is((await db.sql('SELECT type, provider, "providerAccountId" AS id FROM accounts')), [{ type: 'webauthn', provider: 'passkey', id }], 'and an account');
  t.is((await optionsOf(client, 'register')).options.excludeCredentials, [{ id: passkey.id.toString('base64url'), type: 'public-key', transports: ['internal'] }], 'it is not to be added again');
  t.is(refused(await addPasskey(client, passkey)), 'WebAuthnVerificationError', 'and cannot be');

  t.section('and used');
  const again = new Client(site);
  const used = await usePasskey(again, passkey, { callbackUrl: '/members/' });
  t.is([used.location, await userOf(again)], [`${site.url}/members/`, ada], 'its user is signed in');
  t.is((await again.session()).user.email, 'ada@example.org', 'with an email address');
  const json = new Client(site);
  const { options: asked } = await optionsOf(json, 'authenticate');
  const reply = await json.post('/api/auth/callback/passkey', { csrfToken: await json.csrf(), action: 'authenticate', data: passkey.get(asked), callbackUrl: site.url },
    { headers: { 'x-auth-return-redirect': '1' } });
  t.is([reply.status, reply.json], [200, { url: site.url }], 'a script gets the address');
  return passkey;
}

async function forgeries(t, site, passkey) {
  t.section('forged answers');
  const other = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rows = [
    ['another origin', { origin: 'https://evil.example' }, /the answer is from another origin, 'https:\/\/evil\.example'/],
    ['another port', { origin: 'http://localhost:1' }, /from another origin/],
    ['another RP ID', { rpId: 'evil.example' }, /another RP ID/],
    ['another type', { type: 'webauthn.create' }, /not of type webauthn\.get/],
    ['a frame', { client: { crossOrigin: true } }, /frame in another site/],
    ['an absent user', { flags: FLAGS.UV }, /flag UP/],
    ['a user who is not verified', { flags: FLAGS.UP }, /flag UV/],
    ['backed up without being eligible', { flags: FLAGS.UP | FLAGS.UV | FLAGS.BS }, /flags BE, BS/],
    ['another key', { key: other }, /signature is not valid/],
    ['one bit of the signature', { spoiled: true }, /signature is not valid/],
    ['an unknown passkey', { id: crypto.randomBytes(16) }, /unknown or was removed/],
    ['an ID that is too long', { id: crypto.randomBytes(1000) }, /unknown or was removed/],
    ['one that does not say who the user is', { userHandle: null }, /does not say who the user is \(userHandle\)/],
    ['one that says it is another user', { userHandle: crypto.randomBytes(32) }, /says that it belongs to another user \(userHandle\)/],
    ['a challenge of nobody\'s', { challenge: crypto.randomBytes(32).toString('base64url') }, /challenge is not one that this browser was given/],
  ];
  for (const [what, lies, line] of rows) {
    const client = new Client(site);
    const before = linesLike(site, line);
    const answer = await usePasskey(client, passkey, {}, lies);
    t.is([refused(answer), await client.session()], ['WebAuthnVerificationError', null], `${what} is refused`);
    t.is(linesLike(site, line), before + 1, '  and the log says why');
  }
  const known = await signedIn(site, 'ada@example.org');
  t.is(refused(await usePasskey(known, passkey, {}, { userHandle: null })), undefined, 'a user who is signed in is known without it');
  t.is(refused(await usePasskey(known, passkey, {}, { userHandle: crypto.randomBytes(32) })), 'WebAuthnVerificationError', '  but what is said is compared');
  t.is(refused(await usePasskey(new Client(site), passkey, {}, { userHandle: String(passkey.userHandle) })), undefined, 'scripts of Auth.js write it as text');
  const garbage = [['no JSON', 'x'], ['a list', '[]'], ['nothing', ''], ['half of it', '{"id":"YQ","type":"public-key","response":{"clientDataJSON":"YQ"}}'],
    ['too deep', `${'['.repeat(5000)}${']'.repeat(5000)}`]];
  for (const [what, data] of garbage) {
    const client = new Client(site);
    await optionsOf(client, 'authenticate');
    t.is(refused(await post(client, 'authenticate', data)), 'WebAuthnVerificationError', `${what} is refused`);
  }
  const client = await signedIn(site, 'ada@example.org');
  for (const [what, attestationObject] of [['CBOR garbage', crypto.randomBytes(200)], ['a map of 2^63', Buffer.from('bb8000000000000000', 'hex')], ['30 KB', Buffer.alloc(30_000)]])
    t.is(refused(await addPasskey(client, new Passkey(site.url), {}, { attestationObject })), 'WebAuthnVerificationError', `${what} as an attestation is refused`);
  t.is((await client.post('/api/auth/callback/passkey', { csrfToken: await client.csrf(), action: 'authenticate', data: 'x'.repeat(70_000) })).status, 413, 'and 70 KB');
}

async function replays(t, site, passkey) {
  t.section('replayed answers');
  const client = new Client(site);
  const { options } = await optionsOf(client, 'authenticate');
  const cookies = new Map(client.cookies);
  const data = passkey.get(options);
  t.is(refused(await post(client, 'authenticate', data)), undefined, 'the first is accepted');
  await client.signOut();
  for (const [name, value] of cookies) client.cookies.set(name, value);
  t.is([refused(await post(client, 'authenticate', data)), await client.session()], ['WebAuthnVerificationError', null], 'not the second, with the cookies of before');
  t.is(linesLike(site, /the challenge was answered before/), 1, '  and the log says why');
  const [mine, yours] = [new Client(site), new Client(site)];
  const { options: asked } = await optionsOf(mine, 'authenticate');
  await optionsOf(yours, 'authenticate');
  t.is(refused(await post(yours, 'authenticate', passkey.get(asked))), 'WebAuthnVerificationError', 'another browser\'s challenge is not accepted');
  t.is(refused(await post(mine, 'authenticate', passkey.get(asked))), undefined, 'where it was asked, it still is');
  const failed = new Client(site);
  const { options: once } = await optionsOf(failed, 'authenticate');
  const kept = new Map(failed.cookies);
  await post(failed, 'authenticate', passkey.get(once, { spoiled: true }));
  for (const [name, value] of kept) failed.cookies.set(name, value);
  t.is(refused(await post(failed, 'authenticate', passkey.get(once))), 'WebAuthnVerificationError', 'a challenge that was answered wrongly is used up');
  const tabs = new Client(site);
  const all = [await optionsOf(tabs, 'authenticate'), await optionsOf(tabs, 'authenticate')];
  t.is(refused(await post(tabs, 'authenticate', passkey.get(all[0].options))), undefined, 'two tabs have a challenge each');
  const crossed = await signedIn(site, 'ada@example.org');
  const { options: create } = await optionsOf(crossed, 'register');
  t.is(refused(await post(crossed, 'authenticate', passkey.get({ ...create, rpId: create.rp.id }))), 'WebAuthnVerificationError', 'one of a registration signs nobody in');
  const { options: get } = await optionsOf(crossed, 'authenticate');
  t.is(refused(await post(crossed, 'register', new Passkey(site.url).create({ ...get, rp: { id: get.rpId } }))), 'WebAuthnVerificationError', 'nor the other way around');
}

async function counters(t, site, db) {
  t.section('a counter that goes backwards');
  const client = await signedIn(site, 'ada@example.org');
  const passkey = new Passkey(site.url);
  passkey.counter = 10;
  await addPasskey(client, passkey);
  const attempt = async (counter) => refused(await usePasskey(new Client(site), passkey, {}, { counter }));
  t.is([await attempt(11), await attempt(12)], [undefined, undefined], 'forwards it signs in');
  for (const counter of [12, 11, 0]) t.is(await attempt(counter), 'WebAuthnVerificationError', `${counter} after 12 is refused`);
  t.is(await attempt(13), undefined, 'and that changed nothing');
  const [{ counter }] = await db.sql(`SELECT counter FROM authenticators WHERE "credentialID" = '${passkey.id.toString('base64')}'`);
  t.is(counter, '13', 'the database has the last one');
  const audit = require('node:fs').readFileSync(`${site.dir}/audit.log`, 'utf8').split('\n').filter((line) => /there might be a copy/.test(line));
  t.is([audit.length, /"event":"SIGNIN","outcome":"failure"/.test(audit[0])], [3, true], 'the audit log has all three', audit[0]);
}

async function owners(t, site, passkey) {
  t.section('whose passkey it is');
  const bob = await signedIn(site, 'bob@example.org');
  t.is([refused(await usePasskey(bob, passkey)), (await bob.session()).user.email], ['AccountNotLinked', 'bob@example.org'], 'nobody becomes another user by the way');
  const switched = await signedIn(site, 'ada@example.org');
  const { options } = await optionsOf(switched, 'register');
  await switched.signOut();
  await switched.credentials('bob@example.org', PASSWORD);
  t.is(refused(await post(switched, 'register', new Passkey(site.url).create(options))), 'WebAuthnVerificationError', 'one that was begun as another user is not added');
  const gone = new Client(site);
  t.is(refused(await post(gone, 'register', new Passkey(site.url).create(options))), 'AccessDenied', 'nor without a user');
  const without = await signedIn(site, 'ada@example.org');
  const { options: asked } = await optionsOf(without, 'authenticate');
  t.is(refused(await without.post('/api/auth/callback/passkey', { action: 'authenticate', data: passkey.get(asked) })), 'MissingCSRF', 'a form without its token is refused');
}

// A second factor by HTTP alone: whose it is, and that it is another one than the first.
async function second(t, db) {
  t.section('a passkey as a second factor');
  const lenient = 'NextAuthProvider passkey userVerification=preferred';
  const before = await t.httpd({ config: config(db).replace('NextAuthProvider passkey', lenient) });
  const [mine, others] = [new Passkey(before.url, { flags: FLAGS.UP }), new Passkey(before.url, { flags: FLAGS.UP })];
  await addPasskey(await signedIn(before, 'ada@example.org'), mine);
  await addUser(db, 'dora@example.org', PASSWORD);
  await addPasskey(await signedIn(before, 'dora@example.org'), others);
  const site = await t.httpd({ config: `${config(db).replace('NextAuthProvider passkey', lenient)}\nNextAuthTwoFactor Required` });
  const started = async () => { const client = new Client(site); await client.credentials('ada@example.org', PASSWORD); return client; };
  const give = async (client, passkey, lies) => {
    const { options } = await optionsOf(client, 'authenticate', '&pending=true');
    return client.post('/api/auth/two-factor', { csrfToken: await client.csrf(), action: 'authenticate', data: passkey.get(options, { origin: site.url, ...lies }) }, { headers: { accept: 'text/html' } });
  };
  const ada = await started();
  t.is([(await optionsOf(ada, 'authenticate', '&pending=true')).options.allowCredentials.some(({ id }) => id === mine.id.toString('base64url')), await ada.session()], [true, null], 'the user of the password is asked for the own ones');
  t.like((await give(ada, others)).text, /The passkey could not be used/, 'another user\'s is refused');
  t.like((await give(ada, mine, { spoiled: true })).text, /The passkey could not be used/, 'and a forged one');
  t.is(await ada.session(), null, 'nobody is signed in');
  t.is(linesLike(site, /belongs to a user other than the one who signs in|signature is not valid/), 2, 'the log says why');
  await give(ada, mine);
  t.is((await ada.session()).user.email, 'ada@example.org', 'the own one signs in');
  const twice = new Client(site);
  const first = await usePasskey(twice, mine, {}, { origin: site.url });
  t.is(first.location, `${site.url}/api/auth/two-factor`, 'one that did not verify its user is the first factor only');
  const stuck = await twice.page(first.location);
  t.like(stuck.text, /a passkey that did not ask for a PIN/, '  whose user has nothing else, and is told so');
  t.like(stuck.text, /<a [^>]*href="[^"]*\/api\/auth\/signin\?callbackUrl=[^"]+"[^>]*>Sign in again</, '  with a way out');
  await give(twice, mine);
  t.is(await twice.session(), null, 'and not the second as well');
  const both = new Client(site);
  await usePasskey(both, mine, {}, { origin: site.url, flags: FLAGS.UP | FLAGS.UV });
  t.is((await both.session())?.user.email, 'ada@example.org', 'one that did is both');
}

// Auth.js as published has the same tables, secret, and RP ID.
async function shared(t) {
  t.section('an application of Auth.js beside it');
  const db = sqlite(t);
  await db.sql(await drizzleTables('sqlite'));
  await ctl(db, 'migrate', '--schema', 'drizzle');
  await addUser(db, 'ada@example.org', PASSWORD, '--schema', 'drizzle');
  const site = await t.httpd({ config: config({ url: `${db.url} schema=drizzle` }) });
  const { disconnect, ...adapter } = await makeDrizzleAdapter(db);
  t.cleanup(disconnect);
  const { default: PasskeyProvider } = await import('@auth/core/providers/passkey');
  const ask = await authJs(site.url, { secret: SECRET, adapter, providers: [PasskeyProvider({})], experimental: { enableWebAuthn: true } });
  const cookie = (answer) => answer.cookies.map((line) => line.split(';')[0]).join('; ');
  async function there(action, answerTo, query = '') {
    const begun = await ask(`/api/auth/webauthn-options/passkey?action=${action}${query}`, { method: 'GET', headers: {} });
    const body = new URLSearchParams({ action, data: answerTo(JSON.parse(begun.text).options), callbackUrl: '/' }).toString();
    return ask('/api/auth/callback/passkey', { method: 'POST', body, headers: { cookie: cookie(begun), 'content-type': 'application/x-www-form-urlencoded' } });
  }
  const ours = new Passkey(site.url);
  t.is(refused(await addPasskey(await signedIn(site, 'ada@example.org'), ours)), undefined, 'a passkey is added here');
  ours.counter = 1;
  const used = await there('authenticate', (options) => ours.get(options));
  t.is([used.headers.location, used.cookies.some((line) => /^authjs\.session-token=\w/.test(line))], [`${site.url}/`, true], 'it signs in there');
  ours.counter = 1;
  t.is(refused(await usePasskey(new Client(site), ours)), 'WebAuthnVerificationError', 'the counter that was used there does not count here');
  ours.counter = 2;
  t.is(refused(await usePasskey(new Client(site), ours)), undefined, 'the next one does');

  const theirs = new Passkey(site.url);
  const made = await there('register', (options) => theirs.create(options), `&email=${encodeURIComponent('carol@example.org')}`);
  t.is(made.headers.location, `${site.url}/`, 'one is added there, with a new user');
  const carol = new Client(site);
  const answer = await usePasskey(carol, theirs);
  t.is([refused(answer), (await carol.session())?.user.email], [undefined, 'carol@example.org'], 'it signs in here');
  t.like((await carol.page('/api/auth/passkeys')).text, /<strong dir="auto">Passkey<\/strong>/, 'and is in the list, without a name');
}

async function listed(t, site, db, bob) {
  t.section('the page of passkeys');
  const client = await signedIn(site, 'bob@example.org');
  const [first, second] = [new Passkey(site.url), new Passkey(site.url)];
  await addPasskey(client, first, { name: 'First' });
  await addPasskey(client, second, { name: 'Second' });
  const handles = async (who) => [...(await who.page('/api/auth/passkeys')).text.matchAll(/name="passkey" value="(\w+)"/g)].map(([, handle]) => handle).filter((handle, i, all) => all.indexOf(handle) === i);
  const change = async (who, fields) => who.post('/api/auth/passkeys', { csrfToken: await who.csrf(), ...fields }, { headers: { accept: 'text/html' } });
  const mine = await handles(client);
  t.is(mine.length, 2, 'has both');
  const page = await client.page('/api/auth/passkeys');
  t.is(/script-src ([^;]+); connect-src ([^;]+);/.exec(page.headers['content-security-policy']).slice(1), [`${site.url}/api/auth/passkey.js`, `${site.url}/api/auth/webauthn-options/`], 'its policy allows one script, and one place to ask');
  const script = await client.get(/src="([^"]*passkey\.js\?v=\w+)"/.exec(page.text)[1]);
  t.is([script.status, script.headers['content-type'], script.headers['cache-control'], script.setCookies], [200, 'text/javascript; charset=utf-8', 'public, max-age=31536000, immutable', []], 'the script is kept by caches');
  t.unlike((await client.page('/api/auth/signout')).headers['content-security-policy'], /script-src/, 'other pages have none');
  const ada = await signedIn(site, 'ada@example.org');
  await change(ada, { change: 'remove', passkey: mine[0] });
  await change(ada, { change: 'rename', passkey: mine[0], name: 'Stolen' });
  t.is([(await handles(client)).length, /Stolen/.test((await client.page('/api/auth/passkeys')).text)], [2, false], 'another user changes nothing');
  t.is((await new Client(site).page('/api/auth/passkeys')).location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/api/auth/passkeys`)}`, 'a visitor is asked to sign in');
  const other = await signedIn(site, 'bob@example.org');
  t.like((await change(client, { change: 'remove', passkey: mine[0] })).text, /The passkey was removed/, 'one is removed');
  t.is([(await handles(client)).length, await other.session()], [1, null], 'which ends sessions elsewhere');
  const answers = [await usePasskey(new Client(site), first), await usePasskey(new Client(site), second)].map(refused);
  t.is(answers.sort(), ['WebAuthnVerificationError', undefined], 'and does not sign in any more');
  await db.sql(`DELETE FROM nextauth_credentials WHERE user_id = '${bob}'`);
  const [left] = await handles(client);
  t.like((await change(client, { change: 'remove', passkey: left })).text, /This is the only way for you to sign in/, 'the last way to sign in is not removed');
  t.is((await handles(client)).length, 1, 'and is still there');
}

async function notFresh(t, db) {
  t.section('a sign-in of long ago');
  const site = await t.httpd({ config: config(db).replace('NextAuthCompat v5', '') });
  const client = await signedIn(site, 'ada@example.org');
  const name = 'next-auth.session-token';
  const { proved, ...rest } = open(SECRET, client.cookie(name));
  client.cookies.set(name, { value: seal(SECRET, { ...rest, proved: proved - 700 }), path: '/' });
  const again = new RegExp('/api/auth/sign-in-again\\?callbackUrl=');
  t.like((await addPasskey(client, new Passkey(site.url))).location, again, 'adds no passkey');
  const passkey = new Passkey(site.url);
  await addPasskey(await signedIn(site, 'ada@example.org'), passkey);
  const [, handle] = /name="passkey" value="(\w+)"/.exec((await client.page('/api/auth/passkeys')).text);
  t.like((await client.post('/api/auth/passkeys', { csrfToken: await client.csrf(), change: 'remove', passkey: handle })).location, again, 'and removes none');
  const page = await client.page('/api/auth/sign-in-again');
  t.like(page.text, /data-passkey="authenticate"[\s\S]*name="again"/, 'a passkey is among the ways to sign in again');
  await usePasskey(client, passkey, { again: 'true' });
  t.is(refused(await addPasskey(client, new Passkey(site.url))), undefined, 'after which one is added');
}

suite('Passkeys', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) return t.skip('a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  const db = sqlite(t);
  await ctl(db, 'migrate');
  const ada = await addUser(db, 'ada@example.org', PASSWORD);
  const bob = await addUser(db, 'bob@example.org', PASSWORD);
  const site = await t.httpd({ config: config(db) });
  const passkey = await endpoints(t, site, db, ada);
  await forgeries(t, site, passkey);
  await replays(t, site, passkey);
  await counters(t, site, db);
  await owners(t, site, passkey);
  await listed(t, site, db, bob);
  await notFresh(t, db);
  await second(t, db);
  await shared(t);
});
