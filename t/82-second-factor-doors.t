#!/usr/bin/env node
'use strict';
// Every way to a session, tried without the second factor of its user: none leads in.
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, nextauthctl, secretFile } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { startOp } = require('./lib/op.js');
const token = require('./lib/token.js');
const { codeOf, enrol, field, give, keyOf, letTimePass, oathtoolIsHere, send } = require('./lib/second-factor.js');

const SECRET = 'the secret of all the doors is long';
const NAME = 'next-auth.session-token';
const PENDING = 'next-auth.two-factor';
const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const files = { users: htpasswd({ grace: 'secret' }), 'htdocs/members/index.html': 'members' };

const isIn = async (client) => (await client.get('/members/')).status === 200;
const isAsked = (answer) => /\/api\/auth\/two-factor$/.test(answer.location);
const wait = (client) => client.cookie(PENDING);

async function start(t, db, op, mail, more = '', port = undefined) {
  return t.httpd({ port, files, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthProvider staff type=credentials backend=file:@DIR@/users
NextAuthProvider email
NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=the-client clientSecret=a-secret allowDangerousEmailAccountLinking=true
NextAuthPasswords hash=bcrypt:10
NextAuthFeature passwordReset On
NextAuthFeature account On
NextAuthSessionStore database checkInterval=0
NextAuthSessionClaim amr tfa sub
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>` });
}

async function linkOf(mail, ask) {
  const before = mail.mails.length;
  await ask();
  await until('a mail', () => mail.mails.length > before);
  return new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
}

// All hidden fields of the last form.
const hidden = (page) => Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value.replaceAll('&amp;', '&')]));

// Gets a client to where the second factor is asked for, by each way that there is.
function waysOf(site, op, mail) {
  const byMail = async (client) => {
    const link = await linkOf(mail, () => client.signIn('email', { email: 'alice@example.org' }));
    const page = await client.open(link.href);
    return client.post('/api/auth/callback/email', hidden(page));
  };
  const byReset = async (client) => {
    const link = await linkOf(mail, async () => client.post('/api/auth/reset-password', { csrfToken: await client.csrf(), email: 'alice@example.org' }));
    const page = await client.open(link.href);
    return client.post('/api/auth/set-password', { ...hidden(page), password: BETTER });
  };
  return {
    'a password': (client) => client.credentials('alice@example.org', GOOD),
    'a mailed link': byMail,
    'a provider': async (client) => op.login(client, await client.signIn('acme'), 'alice'),
    'a new password by mail': byReset,
    'the new password': (client) => client.credentials('alice@example.org', BETTER),
  };
}

async function everyWay(t, db, op, mail, site) {
  t.section('ways to sign in');
  await addUser(db, 'alice@example.org', GOOD, '--hash', 'bcrypt:10');
  const first = new Client(site);
  await first.credentials('alice@example.org', GOOD);
  const before = new Client(site);
  await op.login(before, await before.signIn('acme'), 'alice');
  t.ok(await isIn(before), 'before it is set up, a provider signs in');
  const alice = await enrol(first);
  t.ok(await isIn(first) && !(await isIn(before)), 'setting it up ends that');
  for (const [what, go] of Object.entries(waysOf(site, op, mail))) {
    const client = new Client(site);
    const answer = await go(client);
    t.is([isAsked(answer), await isIn(client), client.cookie(NAME)], [true, false, undefined], `${what} is asked for a code`);
    await letTimePass(db);
    await give(client, codeOf(alice.key));
    t.ok(await isIn(client), '  and signs in with one');
  }

  t.section('a user of a password file');
  const grace = new Client(site);
  const asGrace = async (client) => client.post('/api/auth/callback/staff', { csrfToken: await client.csrf(), username: 'grace', password: 'secret' });
  await asGrace(grace);
  const hers = await enrol(grace);
  const again = new Client(site);
  t.ok(isAsked(await asGrace(again)) && !(await isIn(again)), 'is asked, too');
  await letTimePass(db);
  await give(again, codeOf(hers.key));
  t.ok(await isIn(again), '  and signs in');

  t.section('linking an account');
  const bob = new Client(site);
  await letTimePass(db);
  await bob.credentials('alice@example.org', BETTER);
  await give(bob, codeOf(alice.key));
  const linked = await op.login(bob, await bob.signIn('acme'), 'bob');
  t.ok(isAsked(linked), 'to the user who is signed in asks again');
  const bobs = new Client(site);
  t.ok(isAsked(await op.login(bobs, await bobs.signIn('acme'), 'bob')) && !(await isIn(bobs)), 'the linked account alone does not sign in');
  return alice;
}

async function whatWaits(t, db, op, mail, site, alice) {
  t.section('a sign-in that waits');
  const pending = async (at = site) => {
    const client = new Client(at);
    await client.credentials('alice@example.org', BETTER);
    return client;
  };
  const as = (value, name = NAME, at = site) => {
    const client = new Client(at);
    client.cookies.set(name, { value, path: '/' });
    return client;
  };
  const one = await pending();
  t.ok(wait(one), 'is a cookie');
  for (const name of [NAME, `__Secure-${NAME}`, 'authjs.session-token', 'next-auth.state', 'next-auth.link'])
    t.ok(!(await isIn(as(wait(one), name))), `  that is no session, also not as ${name}`);
  let opened;
  try { opened = token.open(SECRET, wait(one)); } catch { opened = null; }
  t.is(opened, null, '  and that no application with the secret decrypts as one');
  const session = new Client(site);
  await letTimePass(db);
  await session.credentials('alice@example.org', BETTER);
  await give(session, codeOf(alice.key));
  t.ok(await isIn(session), 'a session');
  const other = as(session.cookie(NAME), PENDING);
  t.ok(!isAsked(await other.page('/api/auth/two-factor')) && /\/signin/.test((await other.page('/api/auth/two-factor')).location), '  is no sign-in that waits');

  const copy = as(wait(one), PENDING);
  await letTimePass(db);
  const file = secretFile(db, 'password', `${GOOD}\n`);
  await nextauthctl(db, ['user', 'set-password', '--password-file', file, 'alice@example.org']);
  const late = await give(copy, codeOf(alice.key));
  t.is([/\/signin/.test(late.location), await isIn(copy)], [true, false], 'it ends with a new password');
  await nextauthctl(db, ['user', 'set-password', '--password-file', secretFile(db, 'password', `${BETTER}\n`), 'alice@example.org']);
  const two = await pending();
  await nextauthctl(db, ['user', 'disable', 'alice@example.org']);
  await letTimePass(db);
  await give(two, codeOf(alice.key));
  t.ok(!(await isIn(two)), 'when the user is disabled');
  await nextauthctl(db, ['user', 'enable', 'alice@example.org']);
  const three = await pending();
  const another = await start(t, db, op, mail, 'NextAuthTwoFactor Optional');
  await letTimePass(db);
  const stranger = as(wait(three), PENDING, another);
  await give(stranger, codeOf(alice.key));
  t.ok(!(await isIn(stranger)), 'it is of no use at another site with the same secret');
  await give(three, codeOf(alice.key));
  t.ok(await isIn(three), '  and of use at its own');
  return another;
}

async function sessionsOfOthers(t, db, site) {
  t.section('sessions that an application began');
  const [{ id }] = await db.sql("SELECT id FROM users WHERE email = 'alice@example.org'");
  const now = Math.floor(Date.now() / 1000);
  const with_ = (claims) => {
    const client = new Client(site);
    client.cookies.set(NAME, { value: token.seal(SECRET, { sub: String(id), name: 'Alice', email: 'alice@example.org', iat: now, exp: now + 3600, jti: 'a', ...claims }), path: '/' });
    return client;
  };
  t.ok(!(await isIn(with_({}))), 'a token of a user with a second factor is refused');
  t.like(site.log(), /the session began without the second factor of its user/, '  and the log says why');
  t.ok(await isIn(with_({ sub: 'unknown', email: 'unknown@example.org' })), 'others are accepted');
  t.ok(!(await isIn(with_({ dbu: true, rev: 0 }))), 'a revision of before is refused, too');
}

async function browsersCannotSet(t, db, site) {
  t.section('claims');
  const client = new Client(site);
  await addUser(db, 'carol@example.org', GOOD, '--hash', 'bcrypt:10');
  await client.credentials('carol@example.org', GOOD);
  const before = (await client.session()).user.amr;
  await client.post('/api/auth/session', { csrfToken: await client.csrf(), data: { amr: ['mfa'], tfa: 4_000_000_000 } }, { json: true });
  t.is([(await client.session()).user.amr, (await client.session()).user.tfa], [before, undefined], 'an update of the session sets none');
  for (const name of ['amr', 'tfa']) t.like((await t.configtest({ config: `NextAuthEngine On\nNextAuthMode test\nNextAuthURL http://localhost:@PORT@\nNextAuthSecret "${SECRET}"\nNextAuthProvider credentials backend=file:/dev/null\nNextAuthClaim ${name} "x"` })).output, new RegExp(`NextAuthClaim on line .*${name}`), `NextAuthClaim ${name} is refused`);
}

async function otherSites(t, site, db) {
  t.section('pages of other sites');
  await addUser(db, 'frank@example.org', GOOD, '--hash', 'bcrypt:10');
  const frank = new Client(site);
  await frank.credentials('frank@example.org', GOOD);
  const page = await frank.page('/api/auth/two-factor-setup');
  const key = keyOf(page);
  for (const headers of [{ origin: 'https://evil.example.org' }, { 'sec-fetch-site': 'cross-site' }]) {
    await frank.post('/api/auth/two-factor-setup', { csrfToken: await frank.csrf(), change: 'enable', setup: field(page.text, 'setup'), code: codeOf(key) }, { headers });
    t.ok(!isAsked(await new Client(site).credentials('frank@example.org', GOOD)), `a form with ${JSON.stringify(headers)} sets nothing up`);
  }
}

async function required(t, db, op, mail) {
  t.section('Required');
  await addUser(db, 'dora@example.org', GOOD, '--hash', 'bcrypt:10');
  const strict = await start(t, db, op, mail, 'NextAuthTwoFactor Required');
  const dora = new Client(strict);
  const sent = await dora.credentials('dora@example.org', GOOD, { callbackUrl: '/members/' });
  t.is([sent.location, await isIn(dora)], [`${strict.url}/api/auth/two-factor-setup`, false], 'a user without one is led to set it up');
  t.like((await dora.page('/api/auth/two-factor-setup')).text, /This site requires two-factor sign-in/, '  and told why');
  t.like((await dora.page('/api/auth/two-factor')).location, /\/two-factor-setup/, 'there is no other way');
  const hers = await enrol(dora);
  t.is([hers.codes.length, await isIn(dora), (await dora.session()).user.amr], [10, true, ['pwd', 'otp', 'mfa']], 'a right code signs in');
  t.like(hers.page.text, new RegExp(`href="${strict.url}/members/"`), '  and leads where the sign-in was to lead');
  const whole = token.open(SECRET, dora.cookie(NAME));
  const with_ = (claims) => {
    const client = new Client(strict);
    client.cookies.set(NAME, { value: token.seal(SECRET, { ...whole, ...claims }), path: '/' });
    return client;
  };
  t.ok(await isIn(with_({})), 'a session with it opens pages');
  for (const path of ['/members/', '/api/auth/account', '/api/auth/sessions', '/api/auth/tokens']) t.ok((await with_({ tfa: null }).get(path)).status !== 200, `  one without it does not open ${path}`);
  t.is(await with_({ tfa: null, amr: ['pwd', 'mfa'] }).session(), {}, '  nor is it one for scripts');
  const thief = new Client(strict);
  await thief.credentials('dora@example.org', GOOD);
  t.ok(isAsked(await thief.page('/api/auth/two-factor-setup')), 'who knows the password later cannot set up another');
  t.is((await enrol(thief)).codes, [], '  nor by its form');
  await send(thief, 'two-factor-setup', { change: 'disable' });
  await send(thief, 'two-factor-setup', { change: 'codes' });
  t.is((await db.sql("SELECT id FROM nextauth_secrets WHERE kind = 'recovery'")).length >= 10, true, '  nor removes it');
  await send(dora, 'two-factor-setup', { change: 'disable' });
  await letTimePass(db);
  t.ok(isAsked(await new Client(strict).credentials('dora@example.org', GOOD)), 'its owner cannot turn it off');
  await give(thief, codeOf(hers.key), { remember: 'true' });
  await thief.signOut();
  await thief.credentials('dora@example.org', GOOD);
  t.ok(await isIn(thief), 'a remembered browser is admitted');
}

async function firstVouched(t, db, op, mail, site) {
  t.section('an address that was not vouched for');
  await addUser(db, 'erin@example.org', GOOD, '--hash', 'bcrypt:10');
  const erin = new Client(site);
  await erin.credentials('erin@example.org', GOOD);
  const { key } = await enrol(erin);
  await db.sql("UPDATE users SET \"emailVerified\" = NULL WHERE email = 'erin@example.org'");
  const thief = new Client(site);
  const link = await linkOf(mail, () => thief.signIn('email', { email: 'erin@example.org' }));
  const answer = await thief.post('/api/auth/callback/email', hidden(await thief.open(link.href)));
  t.is([isAsked(answer), await isIn(thief)], [true, false], 'whoever reads the mail does not get in, and removes nothing');
  await letTimePass(db);
  await give(thief, codeOf(key));
  t.ok(await isIn(thief), 'the user does');
}

suite('The second factor, at every door', async (t) => {
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  if (!oathtoolIsHere()) t.skipAll('there is no oathtool');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  const mail = await startMail(t, { tls: 'none' });
  const port = await freePort();
  const op = await startOp(t, { clients: [{ client_id: 'the-client', client_secret: 'a-secret', redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`] }] });
  const site = await start(t, db, op, mail, 'NextAuthTwoFactor Optional', port);
  const alice = await everyWay(t, db, op, mail, site);
  await whatWaits(t, db, op, mail, site, alice);
  await sessionsOfOthers(t, db, site);
  await browsersCannotSet(t, db, site);
  await firstVouched(t, db, op, mail, site);
  await otherSites(t, site, db);
  await required(t, db, op, mail);
});
