#!/usr/bin/env node
'use strict';
// A fresh sign-in: what counts as one, by which provider it can be told, and that it is the same user's.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startHomemade } = require('./lib/emulators.js');
const { startRogue } = require('./lib/rogue.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { ctl } = require('./lib/ctl.js');
const { codeOf, enrol, give, letTimePass, oathtoolIsHere } = require('./lib/second-factor.js');
const { seal, open } = require('./lib/token.js');

const SECRET = 'the secret of this site has 32 bytes and more';
const NAME = 'next-auth.session-token';
const now = () => Math.floor(Date.now() / 1000);
const provider = (id, at) => `NextAuthProvider ${id} type=oauth clientId=c clientSecret=s authorization=${at.url}/authorize token=${at.url}/token userinfo=${at.url}/api/me emailVerified=always`;
const oidc = (id, rogue) => `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=c clientSecret=s`;
const config = (db, own, rogue) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
${provider('one', own)}
${provider('two', own)}
${oidc('says', rogue)}
${oidc('cannot', rogue)}
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthTwoFactor Optional
NextAuthSessionClaim sub`;
const files = { users: htpasswd({ ada: 'x', bob: 'y' }) };

const claimsOf = (client) => open(SECRET, client.cookie(NAME));
// As if `seconds` had passed since the sign-in.
function age(client, seconds) {
  const { proved, tfa, ...rest } = claimsOf(client);
  client.cookies.set(NAME, { value: seal(SECRET, { ...rest, auth_time: rest.auth_time - seconds, ...(proved && { proved: proved - seconds }), ...(tfa && { tfa: tfa - seconds }) }), path: '/' });
  return client;
}
const whoIs = async (client) => ((await client.session()) || {}).user?.id;
const refusal = (answer) => /error=(\w+)/.exec(answer.location || '')?.[1];
const again = (client, to = '/api/auth/account') => client.page(`/api/auth/sign-in-again?callbackUrl=${encodeURIComponent(client.site.url + to)}`);

async function at(client, id, fields = {}) {
  const sent = await client.signIn(id, fields);
  client.asked = new URL(sent.location).searchParams;
  const { location } = await client.page(sent.location);
  client.answer = await client.page(location);
  return client;
}

suite('A fresh sign-in', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) return t.skip('a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  const own = await startHomemade(t);
  const rogue = await startRogue(t);
  const db = sqlite(t);
  await ctl(db, 'migrate');
  rogue.faults.says = { discovery: { claims_supported: ['sub', 'auth_time'] } };
  rogue.faults.cannot = { discovery: { claims_supported: ['sub', 'email'] } };
  const site = await t.httpd({ files, config: config(db, own, rogue) });
  const isFresh = (client) => now() - (claimsOf(client).proved ?? 0) < 600;
  const sub = (id, name, more = {}) => { rogue.faults[id].claims = (honest) => ({ ...honest, sub: name, email: `${name}@example.org`, ...more }); };

  t.section('what counts');
  own.user = { id: 'ada', name: 'Ada' };
  t.ok(isFresh(await at(new Client(site), 'one')), 'OAuth 2.0: the user\'s return');
  const typed = new Client(site);
  await typed.credentials('ada', 'x');
  t.ok(isFresh(typed), 'a password');
  sub('cannot', 'c1');
  t.ok(isFresh(await at(new Client(site), 'cannot')), 'a provider that cannot say when: the return');
  sub('says', 's1');
  t.ok(!isFresh(await at(new Client(site), 'says')), 'one that can, and does not: not');
  sub('says', 's1', { auth_time: now() - 3600 });
  t.is(claimsOf(await at(new Client(site), 'says')).proved < now() - 3500, true, 'one that lets the user through: the time of its own sign-in');
  sub('says', 's1', { auth_time: now() });
  t.ok(isFresh(await at(new Client(site), 'says')), 'one that asked just now');
  sub('says', 's1', { auth_time: now() + 86_400 });
  t.ok(claimsOf(await at(new Client(site), 'says')).proved <= now(), 'never later than now');
  t.is((await new Client(site).get('/api/auth/sign-in-again')).location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(site.url)}`, 'who is not signed in is sent to sign in');

  t.section('signing in again');
  const ada = age(await at(new Client(site), 'one'), 3600);
  const id = await whoIs(ada);
  const page = await again(ada, '/api/auth/passkeys');
  t.like(page.text, /<h1>Sign in again<\/h1>[\s\S]*to change your passkeys[\s\S]*id="signin-one/, 'a page says why, and offers the user\'s provider');
  t.ok(!/id="signin-(two|says)|name="password"/.test(page.text), 'and no other');
  await at(ada, 'one', { again: 'true', callbackUrl: `${site.url}/api/auth/passkeys` });
  t.is([await whoIs(ada), isFresh(ada), ada.answer.location], [id, true, `${site.url}/api/auth/passkeys`], 'after which the session is fresh, and the browser is back');
  t.is(ada.asked.get('prompt'), null, 'a provider of OAuth 2.0 is sent nothing new');
  sub('says', 's1', { auth_time: now() });
  const sue = age(await at(new Client(site), 'says'), 3600);
  t.is([sue.asked.get('prompt'), sue.asked.get('max_age')], [null, null], 'an ordinary sign-in demands nothing');
  sub('says', 's1', { auth_time: now() });
  await at(sue, 'says', { again: 'true' });
  t.is([sue.asked.get('prompt'), sue.asked.get('max_age'), isFresh(sue)], ['login', '0', true], 'OpenID Connect is sent prompt=login and max_age=0');
  sub('says', 's1', { auth_time: now() - 3600 });
  await at(sue, 'says', { again: 'true' });
  t.is([isFresh(sue), /did not ask you to sign in/.test((await again(sue)).text)], [false, true], 'which it ignored: not fresh, and the page says so');
  const pat = age(typed, 3600);
  t.like((await again(pat)).text, /readonly value="ada"[\s\S]*name="password"/, 'a user with a password is asked for it');
  const wrong = await pat.credentials('ada', 'wrong', { again: 'true', callbackUrl: `${site.url}/api/auth/account` });
  t.like(wrong.location, /\/sign-in-again\?callbackUrl=[^&]*account&error=CredentialsSignin$/, 'a wrong one leads back');
  t.like((await pat.page(wrong.location)).text, /role="alert">Sign-in failed/, 'and the page says so');
  await pat.credentials('ada', 'x', { again: 'true' });
  t.ok(isFresh(pat), 'the right one is fresh');

  t.section('another user');
  age(pat, 3600);
  t.is(refusal(await pat.credentials('bob', 'y', { again: 'true' })), 'AccessDenied', 'another\'s password is refused');
  t.ok(!isFresh(pat), 'and the session is as it was');
  own.user = { id: 'mallory', name: 'Mallory' };
  t.is(refusal((await at(ada, 'two', { again: 'true' })).answer), 'OAuthAccountNotLinked', 'an account that no user has is not linked');
  await at(new Client(site), 'one');
  t.is(refusal((await at(ada, 'one', { again: 'true' })).answer), 'OAuthAccountNotLinked', 'another user\'s account is refused');
  t.is(await whoIs(ada), id, 'and the first is still signed in');

  t.section('a second factor');
  if (oathtoolIsHere()) {
    const sam = new Client(site);
    await sam.credentials('ada', 'x');
    const { key } = await enrol(sam);
    t.is([claimsOf(age(sam, 3600)).tfa < now() - 3500, isFresh(sam)], [true, false], 'was given an hour ago');
    t.like((await again(sam, '/api/auth/passkeys')).text, /href="[^"]*\/two-factor\?callbackUrl=[^"]*passkeys">Use your second factor/, 'the page offers it');
    await letTimePass(db);
    await sam.page(`/api/auth/two-factor?callbackUrl=${encodeURIComponent(`${site.url}/api/auth/passkeys`)}`);
    await give(sam, codeOf(key));
    t.is([now() - claimsOf(sam).tfa < 600, /Use your second factor/.test((await again(ada)).text)], [true, false], 'which makes the session fresh; others are not offered it');
    age(sam, 3600);
    await letTimePass(db);
    const half = await sam.credentials('ada', 'x', { again: 'true' });
    t.is([/\/two-factor/.test(half.location), isFresh(sam)], [true, false], 'a password alone does not');
  } else t.skip('a second factor', 'install oathtool');

  t.section('linking');
  own.user = { id: 'linked', name: 'Ada' };
  age(ada, 3600);
  t.is(refusal((await at(ada, 'two')).answer), 'OAuthAccountNotLinked', 'a session that is not fresh links no account');
  own.user = { id: 'ada', name: 'Ada' };
  await at(ada, 'one', { again: 'true' });
  age(ada, 300);
  own.user = { id: 'linked', name: 'Ada' };
  await at(ada, 'two');
  t.is([await whoIs(ada), claimsOf(ada).proved <= now() - 300], [id, true], 'a fresh one does, and is no fresher than before');
  t.is((await db.sql("SELECT provider FROM accounts WHERE providerAccountId = 'linked'")).length, 1, 'the account is linked');
});
