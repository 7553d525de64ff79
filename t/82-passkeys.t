#!/usr/bin/env node
'use strict';
// Passkeys: the endpoints of Auth.js's provider, forged and replayed answers, and real Chromium with
// its virtual authenticators.
const crypto = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, ctl } = require('./lib/ctl.js');
const { FLAGS, Passkey, addPasskey, optionsOf, post, usePasskey } = require('./lib/passkeys.js');

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
    ['a challenge of nobody\'s', { challenge: crypto.randomBytes(32).toString('base64url') }, /challenge is not one that this browser was given/],
  ];
  for (const [what, lies, line] of rows) {
    const client = new Client(site);
    const before = linesLike(site, line);
    const answer = await usePasskey(client, passkey, {}, lies);
    t.is([refused(answer), await client.session()], ['WebAuthnVerificationError', null], `${what} is refused`);
    t.is(linesLike(site, line), before + 1, '  and the log says why');
  }
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

suite('Passkeys', async (t) => {
  if (!databasesHere().sqlite) return t.skip('a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  const db = sqlite(t);
  await ctl(db, 'migrate');
  const ada = await addUser(db, 'ada@example.org', PASSWORD);
  await addUser(db, 'bob@example.org', PASSWORD);
  const site = await t.httpd({ config: config(db) });
  const passkey = await endpoints(t, site, db, ada);
  await forgeries(t, site, passkey);
  await replays(t, site, passkey);
  await counters(t, site, db);
  await owners(t, site, passkey);
});
