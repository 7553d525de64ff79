#!/usr/bin/env node
'use strict';
// The second factor: set up once, asked for at each sign-in, and good once.
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, nextauthctl, secretFile } = require('./lib/ctl.js');
const { recordsOf } = require('./lib/audit.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { startMail } = require('./lib/mail.js');
const token = require('./lib/token.js');
const { alertOf, codeOf, codesOf, enrol, field, give, keyOf, letTimePass, oathtoolIsHere, send, untilEarly } = require('./lib/second-factor.js');

const SECRET = 'the secret of second factors is long';
const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const WRONG = 'The code is wrong, has expired, or was used already.';
const files = { 'htdocs/members/index.html': 'members', 'htdocs/vault/index.html': 'vault', 'htdocs/now/index.html': 'now' };
const config = (db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthTwoFactor Optional
NextAuthSessionClaim amr tfa
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /vault/>
  AuthType NextAuth
  Require nextauth-2fa
</Location>
<Location /now/>
  AuthType NextAuth
  Require nextauth-2fa maxAge=60
</Location>`;

let users = 0;

// A user of their own, as codes are good once.
async function newUser(db) {
  const email = `user${users += 1}@example.org`;
  await addUser(db, email, GOOD, '--hash', 'bcrypt:10');
  return email;
}

async function signIn(site, email, client = new Client(site)) {
  client.answer = await client.credentials(email, GOOD);
  return client;
}

const isAsked = ({ answer }) => /\/api\/auth\/two-factor$/.test(answer.location);
const isIn = async (client) => (await client.get('/members/')).status === 200;
const secretsOf = (db) => db.sql('SELECT * FROM nextauth_secrets');

// Signs in with a user who then has an authenticator app: { client, email, key, codes }.
async function enrolled(site, db) {
  const email = await newUser(db);
  const client = await signIn(site, email);
  return { client, email, ...await enrol(client) };
}

async function signInWith(site, { email, key }, more = {}, client = new Client(site)) {
  await signIn(site, email, client);
  client.answer = await give(client, codeOf(key), more);
  return client;
}

// Of a session token, with other claims.
function changed(client, claims) {
  const old = token.open(SECRET, client.cookie(NAME));
  const copy = new Client(client.site);
  copy.cookies.set(NAME, { value: token.seal(SECRET, { ...old, ...claims }), path: '/' });
  return copy;
}

async function settingUp(t, db) {
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ files, config: config(db, `NextAuthMail ${mail.url()} from=no-reply@example.org\nNextAuthAuditLog @DIR@/audit.log`) });
  const email = await newUser(db);
  t.section('setting it up');
  const ada = await signIn(site, email);
  t.is([await isIn(ada), (await ada.session()).user.amr], [true, ['pwd']], 'without one, a password signs in');
  const elsewhere = await signIn(site, email);
  const shown = await ada.page('/api/auth/two-factor-setup');
  const [key, setup] = [keyOf(shown), field(shown.text, 'setup')];
  t.is(key.length, 32, 'the page shows a key of 160 bits');
  t.like(shown.text, /<svg class="qr" role="img" aria-label="QR code with the key for your authenticator app"/, 'and a QR code with a name');
  t.unlike(setup, new RegExp(key), 'the form has the key encrypted');
  t.like(shown.headers['cache-control'], /no-store/, 'nothing of it is cached');
  const confirm = (code, form = setup, client = ada) => send(client, 'two-factor-setup', { change: 'enable', setup: form, code });
  t.like(alertOf(await confirm('000000')), /^The code is wrong/, 'a wrong code is refused');
  t.like(alertOf(await confirm(codeOf(key), setup.replace(/^.{8}/, 'A'.repeat(8)))), /^This form has expired/, 'a form that is not ours, too');
  t.like(alertOf(await confirm(codeOf(key), '')), /^This form has expired/, 'or none');
  const eve = await signIn(site, await newUser(db));
  t.like(alertOf(await confirm(codeOf(key), setup, eve)), /^This form has expired/, 'or one of another user');
  t.is((await ada.post('/api/auth/two-factor-setup', { change: 'enable', setup, code: codeOf(key) })).location, `${site.url}/api/auth/two-factor-setup`, 'or one without the CSRF token');
  t.is((await secretsOf(db)).length, 0, 'nothing is stored before a right code');
  const done = await confirm(codeOf(key));
  const codes = codesOf(done);
  t.is([codes.length, new Set(codes).size], [10, 10], 'a right code is answered with ten recovery codes');
  t.is([await isIn(ada), (await ada.session()).user.amr], [true, ['pwd', 'otp', 'mfa']], 'the session goes on, with both factors');
  t.ok(!(await isIn(elsewhere)), 'all others of the user end');
  const rows = await secretsOf(db);
  t.is(rows.map((row) => row.kind).sort().join(' '), `${'recovery '.repeat(10)}totp`, 'the database has key and codes');
  t.unlike(JSON.stringify(rows), new RegExp([key, ...codes, ...codes.map((code) => code.replaceAll('-', ''))].join('|'), 'i'), 'and none of them in plain text');
  await until('a notice', () => mail.notices.length > 0);
  t.like(mail.notices[0].raw, /Two-factor sign-in was turned on/, 'the owner is told by email');
  t.unlike((await ada.page('/api/auth/two-factor-setup')).text, new RegExp([key, ...codes].join('|')), 'the page does not show them again');

  t.section('who may');
  const old = (claims) => changed(ada, { proved: 1_000_000_000, ...claims }).page('/api/auth/two-factor-setup');
  t.like((await old({ tfa: 1_000_000_000 })).location, /\/two-factor\?callbackUrl=[^&]*two-factor-setup/, 'a second factor of long ago is asked for again');
  t.like((await old({ tfa: null, proved: 4_000_000_000 })).location, /\/two-factor\?callbackUrl=/, 'a fresh first factor does not replace it');
  const bob = await signIn(site, await newUser(db));
  t.like((await changed(bob, { proved: 1_000_000_000 }).page('/api/auth/two-factor-setup')).location, /\/sign-in-again\?callbackUrl=/, 'without one, a sign-in of long ago is');
  t.like((await new Client(site).page('/api/auth/two-factor-setup')).location, /\/signin\?callbackUrl=/, 'and a stranger has to sign in');
  const records = (event) => recordsOf(path.join(site.dir, 'audit.log')).filter((record) => record.event === event);
  t.is(records('TWO_FACTOR_ENABLE').map((record) => [record.email, record.outcome]), [[email, 'success']], 'the audit log has it once');

  t.section('another device, new codes, and none at all');
  const second = await enrol(ada, '?replace=true');
  t.ok(second.key !== key && second.codes.length === 10, 'another device gets a key and codes of its own');
  await letTimePass(db);
  const page = await signIn(site, email);
  t.is(alertOf(await give(page, codeOf(key))), WRONG, 'the old key is good for nothing');
  t.is(alertOf(await give(page, codes[0])), WRONG, 'nor are the old codes');
  await give(page, codeOf(second.key));
  t.ok(await isIn(page), 'the new one signs in');
  const fresh = codesOf(await send(page, 'two-factor-setup', { change: 'codes' }));
  t.is(fresh.length, 10, 'ten new codes');
  t.is(alertOf(await give(await signIn(site, email), second.codes[0])), WRONG, '  replace the others');
  const isTold = (words) => until(`the owner is told ${words}`, () => mail.notices.some(({ envelope, raw }) => envelope.rcptTo[0].address === email && words.test(raw.replace(/=\r\n/g, '').replace(/\s+/g, ' '))));
  const byRecovery = /A recovery code was used to sign in to your account/;
  t.unlike(mail.notices.map(({ raw }) => raw).join(), byRecovery, 'no recovery code was used so far');
  await give(await signIn(site, email), fresh[0]);
  await isTold(byRecovery);
  t.ok(true, 'when one is, the owner is told by email');
  await send(page, 'two-factor-setup', { change: 'disable' });
  t.is((await secretsOf(db)).length, 0, 'turning it off leaves nothing');
  await isTold(/Two-factor sign-in was turned off for your account/);
  t.ok(true, '  and the owner is told');
  t.ok(await isIn(await signIn(site, email)), 'and a password signs in again');
  t.is(records('TWO_FACTOR_DISABLE').length, 1, 'the audit log has that, too');
  return site;
}

async function signingIn(t, db, site) {
  t.section('signing in');
  const ada = await enrolled(site, db);
  await letTimePass(db);
  const client = new Client(site);
  const sent = await client.credentials(ada.email, GOOD, { callbackUrl: '/members/?page=2' });
  t.is(sent.location, `${site.url}/api/auth/two-factor`, 'a password leads to the page of the second factor');
  t.is([await isIn(client), await client.session(), client.cookie(NAME)], [false, {}, undefined], 'there is no session yet');
  const page = await client.page('/api/auth/two-factor');
  t.like(page.text, new RegExp(`<h1>Confirm that it is you</h1>[^]*${ada.email}[^]*autocomplete="one-time-code"`), 'the page says whose');
  t.is((await client.post('/api/auth/two-factor', { code: codeOf(ada.key) })).location, `${site.url}/api/auth/two-factor`, 'a form without the CSRF token is sent back');
  t.is(alertOf(await give(client, codeOf(ada.key, 3))), WRONG, 'a code of later is refused');
  t.is(alertOf(await give(client, '')), WRONG, 'as is none');
  const right = await give(client, codeOf(ada.key));
  t.is([right.location, await isIn(client)], [`${site.url}/members/?page=2`, true], 'the right one leads where the sign-in was to lead');
  t.is((await client.session()).user.amr, ['pwd', 'otp', 'mfa'], 'the session says how');
  t.ok(Math.abs((await client.session()).user.tfa - Date.now() / 1000) < 60, '  and when');
  t.is(client.cookie('next-auth.two-factor'), undefined, 'nothing waits any more');

  t.section('a code is good once');
  await letTimePass(db);
  await untilEarly();
  const waiting = await signIn(site, ada.email);
  const code = codeOf(ada.key, -1);
  for (const [steps, expected] of [[-2, false], [2, false]]) {
    await give(waiting, codeOf(ada.key, steps));
    t.is(await isIn(waiting), expected, `one of ${steps} half minutes is refused`);
  }
  await give(waiting, code);
  t.ok(await isIn(waiting), 'one of the half minute before signs in');
  t.is(alertOf(await give(await signIn(site, ada.email), code)), WRONG, '  once');
  await give(waiting, codeOf(ada.key));
  const later = await signInWith(site, { ...ada, key: ada.key });
  t.ok(!(await isIn(later)), 'a code that a signed-in user gave does not sign in another browser');
  await letTimePass(db);
  const next = await signIn(site, ada.email);
  await give(next, codeOf(ada.key, 1));
  t.ok(await isIn(next), 'one of the half minute to come signs in');
  t.is(alertOf(await give(await signIn(site, ada.email), codeOf(ada.key))), WRONG, '  and ends those before it');

  t.section('two servers, and many at once');
  await letTimePass(db);
  const other = await t.httpd({ files, config: config(db) });
  const all = await Promise.all(Array.from({ length: 12 }, (_, i) => signIn(i % 2 ? site : other, ada.email, new Client(i % 2 ? site : other, { from: `127.0.2.${i + 1}` }))));
  await Promise.all(all.map(async (one) => ({ csrf: one.token = await one.csrf() })));
  const same = codeOf(ada.key);
  await Promise.all(all.map((one) => one.post('/api/auth/two-factor', { csrfToken: one.token, code: same })));
  t.is((await Promise.all(all.map(isIn))).filter(Boolean).length, 1, 'of twelve with one code, at two servers, one is signed in');

  t.section('clients that are scripts');
  await letTimePass(db);
  const script = new Client(site);
  const asked = await script.credentials(ada.email, GOOD, { json: 'true' });
  t.is([asked.status, asked.json], [200, { url: `${site.url}/api/auth/two-factor` }], 'next-auth/react is led to the page');
  const wrong = await script.post('/api/auth/two-factor', { csrfToken: await script.csrf(), code: '123456', json: 'true' });
  t.is([wrong.status, wrong.json], [401, { url: `${site.url}/api/auth/error?error=SecondFactor` }], 'a wrong code is an error');
  const given = await script.post('/api/auth/two-factor', { csrfToken: await script.csrf(), code: codeOf(ada.key), json: 'true' });
  t.is([given.status, given.json, await isIn(script)], [200, { url: site.url }, true], 'a right one is not');

  t.section('recovery codes');
  const lost = await signIn(site, ada.email);
  await give(lost, ada.codes[3].toLowerCase().replaceAll('-', ' '));
  t.is([await isIn(lost), (await lost.session()).user.amr], [true, ['pwd', 'recovery', 'mfa']], 'one signs in, however it is typed');
  t.is(alertOf(await give(await signIn(site, ada.email), ada.codes[3])), WRONG, '  once');
  t.like((await lost.page('/api/auth/two-factor-setup')).text, /Codes left: 9/, 'the page says how many are left');
  const both = await enrolled(site, db);
  t.is(alertOf(await give(await signIn(site, both.email), ada.codes[4])), WRONG, 'another user\'s is refused');
  const atOnce = await Promise.all(Array.from({ length: 6 }, (_, i) => signIn(site, both.email, new Client(site, { from: `127.0.3.${i + 1}` }))));
  await Promise.all(atOnce.map((one) => give(one, both.codes[0])));
  t.is((await Promise.all(atOnce.map(isIn))).filter(Boolean).length, 1, 'of six with one code, one is signed in');
}

async function remembering(t, db, site) {
  const REMEMBERED = 'next-auth.remembered-browser';
  t.section('a remembered browser');
  const ada = await enrolled(site, db);
  await letTimePass(db);
  const home = await signInWith(site, ada);
  t.is(home.cookie(REMEMBERED), undefined, 'no browser is remembered unless its user wants it');
  await letTimePass(db);
  await signInWith(site, ada, { remember: 'true' }, home);
  t.like(home.answer.setCookies.find((line) => line.startsWith(REMEMBERED)), /^[^=]+=[\w-]{43}; Max-Age=2592000; .*HttpOnly; SameSite=Lax/, 'one that is gets a random value, for 30 days');
  await home.signOut();
  await signIn(site, ada.email, home);
  t.is([await isIn(home), (await home.session()).user], [true, { name: null, email: ada.email, image: null, amr: ['pwd', 'remembered'] }], 'then a password signs in, without a second factor');
  t.like((await home.page('/vault/')).location, /\/two-factor\?callbackUrl=/, 'which is asked for where it is required');
  t.like((await home.page('/api/auth/two-factor-setup')).location, /\/two-factor\?callbackUrl=/, 'and to change it');
  const bob = await enrolled(site, db);
  const visitor = await signIn(site, bob.email, home);
  t.ok(isAsked(visitor), 'another user is asked in this browser');
  await letTimePass(db);
  await give(visitor, codeOf(bob.key), { remember: 'true' });
  await signIn(site, ada.email, home);
  t.ok(await isIn(home), 'two users of it can be remembered');
  const stolen = new Client(site);
  stolen.cookies.set(REMEMBERED, { value: home.cookie(REMEMBERED).split('.').reverse().join('.').replace(/.$/, 'A'), path: '/' });
  const [row] = await db.sql(`SELECT id FROM nextauth_secrets WHERE kind = 'browser'`);
  for (const value of [row.id, `${row.id}.${row.id}`, '', '.....', 'A'.repeat(43)]) {
    stolen.cookies.set(REMEMBERED, { value, path: '/' });
    t.ok(!(await isIn(await signIn(site, ada.email, stolen))), `no browser is remembered by ${JSON.stringify(value.slice(0, 20))}`);
  }
  await db.sql(`UPDATE nextauth_secrets SET expires_at = 1 WHERE kind = 'browser'`);
  t.ok(isAsked(await signIn(site, ada.email, home)), 'it ends');

  t.section('forgetting it');
  const again = async () => {
    await letTimePass(db);
    const client = await signInWith(site, ada, { remember: 'true' }, new Client(site));
    t.ok(await isIn(await signIn(site, ada.email, client)), 'a browser is remembered');
    return client;
  };
  const office = await again();
  await letTimePass(db);
  await give(office, codeOf(ada.key));
  const list = await office.page('/api/auth/two-factor-setup');
  t.like(list.text, /Browsers that are not asked for a code/, 'the page lists it');
  await send(office, 'two-factor-setup', { change: 'forget', browser: field(list.text, 'browser') });
  t.ok(isAsked(await signIn(site, ada.email, office)), 'and forgets it');
  const phone = await again();
  const set = await nextauthctl(db, ['user', 'set-password', '--hash', 'bcrypt:10', '--password-file', secretFile(db, 'password', `${GOOD}\n`), ada.email]);
  const later = new Client(site);
  later.cookies.set(REMEMBERED, { value: phone.cookie(REMEMBERED), path: '/' });
  t.ok(isAsked(await signIn(site, ada.email, later)), 'a new password forgets it, too', set.stderr);
  const tablet = await again();
  await letTimePass(db);
  await give(tablet, codeOf(ada.key));
  await send(tablet, 'two-factor-setup', { change: 'forget' });
  t.ok(isAsked(await signIn(site, ada.email, tablet)), 'all of them can be forgotten');

  t.section('no choice');
  const never = await t.httpd({ files, config: config(db, 'NextAuthTwoFactor Optional rememberDays=0') });
  const asked = await signIn(never, ada.email);
  t.unlike((await asked.page('/api/auth/two-factor')).text, /name="remember"/, 'rememberDays=0 does not offer it');
  await letTimePass(db);
  await give(asked, codeOf(ada.key), { remember: 'true' });
  t.is([await isIn(asked), asked.cookie(REMEMBERED)], [true, undefined], '  nor does it');
}

async function stepUp(t, db, site) {
  t.section('where it is required');
  const ada = await enrolled(site, db);
  t.is((await ada.client.get('/vault/')).status, 200, 'a session with it is admitted');
  const bob = await signIn(site, await newUser(db));
  const led = await bob.page('/vault/?a=b');
  t.is([led.status, led.location], [302, `${site.url}/api/auth/two-factor?callbackUrl=${encodeURIComponent(`${site.url}/vault/?a=b`)}`], 'a page load without it is led to its page');
  const script = await bob.get('/vault/', { headers: { accept: 'application/json' } });
  t.is([script.status, script.json.error, script.json.twoFactorUrl], [403, 'SecondFactorRequired', `${site.url}/api/auth/two-factor?callbackUrl=${encodeURIComponent(`${site.url}/vault/`)}`], 'a script is told');
  t.is((await new Client(site).get('/vault/')).status, 401, 'who is not signed in has to sign in');
  const setup = await bob.page(led.location);
  t.like(setup.location, /\/two-factor-setup\?callbackUrl=http.*vault/, 'a user who has none sets it up');
  await bob.page(setup.location);
  const mine = await enrol(bob, `?callbackUrl=${encodeURIComponent('/vault/?a=b')}`);
  t.like(mine.page.text, new RegExp(`href="${site.url}/vault/\\?a=b"`), '  and goes on from there');
  t.is((await bob.get('/vault/')).status, 200, '  with it');
  const old = changed(bob, { tfa: Math.floor(Date.now() / 1000) - 61 });
  t.is([(await old.get('/vault/')).status, (await old.get('/now/')).status, (await bob.get('/now/')).status], [200, 403, 200], 'maxAge= asks again after a while');
  await letTimePass(db);
  const before = old.cookie(NAME);
  const given = await send(old, 'two-factor', { code: codeOf(mine.key), callbackUrl: '/now/' });
  t.is([given.location, (await old.get('/now/')).status], [`${site.url}/now/`, 200], 'and a code is enough');
  t.ok(token.open(SECRET, old.cookie(NAME)).sid !== token.open(SECRET, before).sid, 'the session has another ID then');
  t.is((await bob.get('/vault/', { headers: { 'sec-fetch-mode': 'navigate', accept: 'text/html' } })).status, 200, 'pages load as well');
  for (const line of ['Require nextauth-2fa 5', 'Require nextauth-2fa maxAge=0', 'Require nextauth-2fa maxAge=x', 'Require nextauth-2fa maxAge=5 6'])
    t.like((await t.configtest({ config: `${config(db)}\n<Location /x/>\nAuthType NextAuth\n${line}\n</Location>` })).output, /invalid Require nextauth-2fa/, `refused: ${line}`);
}

async function strategies(t, db) {
  const stores = { jwt: '', socache: 'NextAuthSessionStore socache\nNextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStrategy database',
    'the database': 'NextAuthSessionStore database\nNextAuthSessionStrategy database', 'a table and a token': 'NextAuthSessionStore database' };
  if (redisIsHere()) stores.redis = `NextAuthRedis ${(await startRedis(t)).url}\nNextAuthSessionStore redis\nNextAuthSessionStrategy database`;
  for (const [name, more] of Object.entries(stores)) {
    t.section(`sessions in ${name}`);
    const site = await t.httpd({ files, config: config(db, more.replace(/^(NextAuthSessionStore \w+)/m, '$1 checkInterval=0')) });
    const email = await newUser(db);
    const [ada, before] = [await signIn(site, email), await signIn(site, email)];
    const { key } = await enrol(ada);
    t.is([await isIn(ada), await isIn(before)], [true, false], 'setting it up ends the sessions before');
    t.is((await ada.get('/vault/')).status, 200, '  but this one, which has it');
    const client = await signIn(site, email);
    t.ok(!(await isIn(client)), 'a password alone does not sign in');
    await letTimePass(db);
    await give(client, codeOf(key));
    t.is([await isIn(client), (await client.session()).user.amr, (await client.get('/vault/')).status], [true, ['pwd', 'otp', 'mfa'], 200], 'a code does');
    await client.signOut();
    t.ok(!(await isIn(client)), 'and it ends as others do');
  }
}

// The site's secret encrypts keys, so that a new secret must not lock users out.
async function rotation(t, db) {
  t.section('another secret of the site');
  const NEXT = 'the next secret of second factors is long, too';
  const plain = config(db);
  const site = await t.httpd({ files, config: plain });
  const [ada, bob] = [await enrolled(site, db), await enrolled(site, db)];
  const sealed = async () => (await db.sql("SELECT id, sealed FROM nextauth_secrets WHERE kind = 'totp' ORDER BY id")).map((row) => row.sealed);
  const before = await sealed();
  await site.reload(plain.replace(`"${SECRET}"`, `"${NEXT}" "${SECRET}"`));
  await letTimePass(db);
  t.ok(await isIn(await signInWith(site, ada)), 'a code is right while the old secret is the second one');
  t.is((await sealed()).filter((value) => !before.includes(value)).length, 1, '  and the key of this user is encrypted with the new one');
  await site.reload(plain.replace(SECRET, NEXT));
  await letTimePass(db);
  t.ok(await isIn(await signInWith(site, ada)), '  so that a code is right without the old secret');
  const late = await signInWith(site, bob);
  t.is([await isIn(late), /error=Configuration/.test(late.answer.location)], [false, true], 'who did not sign in meanwhile cannot');
  t.like(site.log(), /could not decrypt the key of the second factor of user '\d+'[^]*add the secret that was used before to NextAuthSecret/, '  and the log says what to do');
  const recovered = await signIn(site, bob.email);
  await give(recovered, bob.codes[0]);
  t.ok(await isIn(recovered), '  but with a recovery code, which depends on no secret');
  await site.reload(plain.replace(`"${SECRET}"`, `"${NEXT}" "${SECRET}"`));
  await letTimePass(db);
  t.ok(await isIn(await signInWith(site, bob)), 'with the old secret again, the user can');
}

async function byAdministrator(t, db, site) {
  t.section('nextauthctl');
  const ada = await enrolled(site, db);
  const show = async (...more) => (await nextauthctl(db, ['user', 'show', ada.email, ...more])).stdout;
  t.like(await show(), /2FA +since .*10 recovery codes left/, 'user show says so');
  const { secondFactor } = JSON.parse(await show('--json'));
  t.is([secondFactor.recoveryCodes, secondFactor.rememberedBrowsers, typeof secondFactor.since], [10, 0, 'string'], '  in JSON as well');
  const { status, stdout, stderr } = await nextauthctl(db, ['user', 'reset-2fa', ada.email]);
  t.is([status, /^without a second factor: /.test(stdout)], [0, true], 'user reset-2fa removes it', stderr);
  t.is(JSON.parse(await show('--json')).secondFactor, null, '  with all codes');
  await until('the session ends', async () => !(await isIn(ada.client)));
  t.ok(true, 'the sessions end');
  t.ok(await isIn(await signIn(site, ada.email)), 'a password signs in');
  t.is((await db.sql("SELECT event FROM nextauth_audit WHERE event = 'TWO_FACTOR_DISABLE'")).length > 0, true, 'the audit log has it');
  t.is((await nextauthctl(db, ['user', 'reset-2fa'])).status, 2, 'it takes a user');
}

suite('The second factor', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  if (!oathtoolIsHere()) t.skipAll('there is no oathtool');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  const site = await settingUp(t, db);
  await signingIn(t, db, site);
  await stepUp(t, db, site);
  await byAdministrator(t, db, site);
  await remembering(t, db, site);
  await strategies(t, db);
  await rotation(t, db);
});
