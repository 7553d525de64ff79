#!/usr/bin/env node
'use strict';
// The account page, for users who sign in in whatever way: what each sensitive change demands, who is
// told, that the last way to sign in stays, one's own data, and leaving.
const { suite } = require('./lib/suite.js');
const { thorough, until } = require('./lib/httpd.js');
const { Client, statusOf } = require('./lib/client.js');
const { startHomemade } = require('./lib/emulators.js');
const { databasesHere, enginesOfRound, mongodbLacks, startDatabases, startMongodb, startPostgres } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { dialect, nextauthctl } = require('./lib/ctl.js');
const { seal, open } = require('./lib/token.js');

const SECRET = 'the secret of this site has 32 bytes and more';
const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const provider = (id, at) => `NextAuthProvider ${id} type=oauth clientId=c clientSecret=s authorization=${at.url}/authorize token=${at.url}/token userinfo=${at.url}/api/me emailVerified=always`;
const config = (db, own, mail, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
${mail ? `NextAuthMail ${mail.url()} from=no-reply@example.org` : ''}
${provider('one', own)}
${provider('two', own)}
${provider('three', own)}
NextAuthPasswords hash=bcrypt:10
NextAuthSessionStore database checkInterval=0
NextAuthSessionClaim sub
NextAuthAuditLog database
NextAuthRateLimit callback Off
NextAuthFeature account On
NextAuthFeature deleteAccount On
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

// As if an hour had passed since the user signed in by hand.
function age(client) {
  const claims = open(SECRET, client.cookie(NAME));
  client.cookies.set(NAME, { value: seal(SECRET, { ...claims, proved: claims.proved - 3600 }), path: '/' });
  return client;
}
const whoIs = async (client) => ((await client.session()) || {}).user || {};
const change = async (client, what, fields = {}) => client.post('/api/auth/account', { csrfToken: await client.csrf(), change: what, ...fields });
const page = async (client) => (await client.page('/api/auth/account')).text;
// Lines of mail are folded, and what is in them is not.
const textOf = (raw) => raw.replace(/=\r\n/g, '').replace(/\s+/g, ' ');
const said = (answer) => /role="(?:alert|status)">([^<]+)/.exec(answer.text)?.[1].replaceAll('&#39;', "'");
const linkedIn = (html) => [...html.matchAll(/<strong dir="auto">([^<]+)<\/strong>/g)].map(([, name]) => name);

async function signIn(site, own, id, user, client = new Client(site)) {
  own.user = user;
  const away = await client.page((await client.signIn(id)).location);
  client.answer = await client.page(away.location);
  return client;
}

// Presses "Link …" on the account page, and comes back from the provider as `user`.
async function link(client, own, id, user) {
  own.user = user;
  const sent = await change(client, 'link', { provider: id });
  if (!sent.location?.startsWith(own.url)) return sent;
  return client.page((await client.page(sent.location)).location);
}

async function cases(t, db, own) {
  const mail = await startMail(t, { tls: 'none' });
  const passwords = 'NextAuthProvider credentials backend=database';
  const site = await t.httpd({ config: config(db, own, mail, passwords) });
  let made = 0;
  const someone = async () => {
    made += 1;
    const user = { id: `u${made}`, name: `User ${made}`, email: `user${made}@example.org` };
    const client = await signIn(site, own, 'one', user);
    return { user, client, id: (await whoIs(client)).id };
  };
  // What the users of these addresses are told from now on.
  const telling = () => {
    const from = mail.notices.length;
    return async (address, words) => {
      const isTold = () => mail.notices.slice(from).some(({ envelope, raw }) => envelope.rcptTo[0].address === address && words.test(textOf(raw)));
      await until(`${address} is told ${words}`, isTold);
      return true;
    };
  };
  const again = `${site.url}/api/auth/sign-in-again?callbackUrl=${encodeURIComponent(`${site.url}/api/auth/account`)}`;

  t.section(`${db.engine}: the page`);
  const { client: ada, id, user } = await someone();
  const first = await page(ada);
  t.like(first, /<h1>Your account<\/h1>[\s\S]*user1@example\.org[\s\S]*value="User 1"[\s\S]*Change name/, 'a user of a provider has one');
  t.like(first, /Set a password[\s\S]*New email address[\s\S]*Linked accounts[\s\S]*Link two[\s\S]*Link three[\s\S]*To confirm, type user1@example\.org/i, 'with all that can be changed');
  t.is([/currentPassword/.test(first), /Unlink</.test(first)], [false, false], 'no password is asked of one who has none, and the only way to sign in stays');
  t.like(first, /href="[^"]*\/sessions">[\s\S]*href="[^"]*\/account-data">/, 'and links to what else there is');
  t.is((await new Client(site).page('/api/auth/account')).location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/api/auth/account`)}`, 'who is not signed in is sent to sign in');
  t.like(said(await change(ada, 'name', { name: 'Ada <b>' })), /Your name has been changed/, 'the name is changed');
  t.is([(await whoIs(ada)).id, /value="Ada &lt;b&gt;"/.test(await page(ada))], [id, true], 'and shown');

  t.section(`${db.engine}: forms of other sites`);
  for (const what of ['name', 'password', 'email', 'link', 'unlink', 'delete']) {
    const forged = await ada.post('/api/auth/account', { change: what, name: 'Eve', password: BETTER, email: 'eve@example.org', provider: 'one', account: 'u1', confirm: user.email });
    t.is(forged.location, `${site.url}/api/auth/account`, `${what} without the token does nothing`);
  }
  t.is([linkedIn(await page(ada)), (await statusOf(ada))], [['one'], 200], 'and all is as it was');

  t.section(`${db.engine}: a sign-in that was too long ago`);
  age(ada);
  for (const [what, fields] of [['password', { password: GOOD }], ['email', { email: 'new@example.org' }], ['link', { provider: 'two' }], ['delete', { confirm: user.email }]]) {
    t.is((await change(ada, what, fields)).location, again, `${what} asks to sign in again`);
  }
  t.like(said(await change(ada, 'unlink', { provider: 'one', account: user.id })), /only way for you to sign in/, 'unlink says that it is the last');
  t.like(said(await change(ada, 'name', { name: 'Ada' })), /has been changed/, 'a name needs no fresh sign-in');
  const { client: other } = await someone();
  t.is((await link(age(other), own, 'two', { id: 'stranger' })).location?.startsWith(`${site.url}/api/auth/sign-in-again`), true, 'the same of another user');
  own.user = user;
  const away = await ada.page((await ada.signIn('one', { again: 'true', callbackUrl: `${site.url}/api/auth/account` })).location);
  t.is((await ada.page(away.location)).location, `${site.url}/api/auth/account`, 'signing in again leads back');

  t.section(`${db.engine}: linking`);
  let told = telling();
  t.is((await link(ada, own, 'two', { id: 'a2' })).location, `${site.url}/api/auth/account`, 'a second account is linked');
  t.is(linkedIn(await page(ada)).sort(), ['one', 'two'], 'and shown');
  t.ok(await told(user.email, /was linked to your account[\s\S]*If you did not/), 'the user is told');
  t.is((await whoIs(await signIn(site, own, 'two', { id: 'a2' }))).id, id, 'and signs in with it');
  const taken = await link(other, own, 'two', { id: 'a2' });
  t.like(taken.location ?? '', /sign-in-again/, 'somebody else, whose sign-in was too long ago, is asked for it');
  const { client: bob } = await someone();
  const refused = await link(bob, own, 'two', { id: 'a2' });
  t.like(refused.location ?? '', /\/api\/auth\/account\?.*error=OAuthAccountNotLinked/, 'an account of another user is refused');
  t.like(said(await bob.page(refused.location)), /could not be linked: it belongs to another user/, 'and the page says so');
  t.like(said(await change(bob, 'link', { provider: 'credentials' })), /not available/, 'a password is not linked so');

  t.section(`${db.engine}: unlinking`);
  const elsewhere = await signIn(site, own, 'two', { id: 'a2' });
  t.like(said(await change(bob, 'unlink', { provider: 'two', account: 'a2' })), /not linked any more/, 'another user\'s account is not one\'s own');
  age(ada);
  t.is((await change(ada, 'unlink', { provider: 'two', account: 'a2' })).location, again, 'it asks to sign in again');
  own.user = user;
  await ada.page((await ada.page((await ada.signIn('one', { again: 'true' })).location)).location);
  const tab = { csrfToken: await ada.csrf(), change: 'unlink', provider: 'two', account: 'a2' };
  told = telling();
  t.like(said(await ada.post('/api/auth/account', tab)), /The account was unlinked/, 'then it is unlinked');
  t.is((await ada.post('/api/auth/account', tab)).location, `${site.url}/api/auth/account`, 'once: a form of before is led back to the page');
  t.like(said(await change(ada, 'unlink', { provider: 'two', account: 'a2' })), /not linked any more/, 'which says that it is gone');
  t.ok(await told(user.email, /was removed from your account/), 'the user is told');
  t.is([await statusOf(ada), await statusOf(elsewhere)], [200, 401], 'other sessions end, and this one goes on');
  t.like(said(await change(ada, 'unlink', { provider: 'one', account: user.id })), /only way/, 'the last one stays');

  t.section(`${db.engine}: two unlink the last two accounts at once`);
  for (let i = 0; i < 3; i += 1) {
    const both = await someone();
    await link(both.client, own, 'two', { id: `both${i}` });
    const csrfToken = await both.client.csrf();
    const ends = await Promise.all([['one', both.user.id], ['two', `both${i}`]].map(([p, account]) => both.client.post('/api/auth/account', { csrfToken, change: 'unlink', provider: p, account })));
    const left = await signIn(site, own, 'one', both.user);
    const ids = [(await whoIs(left)).id, (await whoIs(await signIn(site, own, 'two', { id: `both${i}` }))).id];
    t.is(ids.filter((one) => one === both.id).length, 1, 'one remains', ends.map((answer) => said(answer) || answer.location));
  }

  t.section(`${db.engine}: a first password`);
  told = telling();
  t.like(said(await change(ada, 'password', { password: 'short' })), /8 characters/, 'has to be a good one');
  t.like(said(await change(ada, 'password', { password: GOOD })), /Your password has been changed/, 'and is set');
  t.ok(await told(user.email, /password of your account was changed/), 'the user is told');
  const typed = new Client(site);
  await typed.credentials(user.email, GOOD);
  t.is((await whoIs(typed)).id, id, 'and signs in with it');
  t.like(await page(ada), /currentPassword[\s\S]*Unlink</, 'from now on the page asks for it, and the account can go');
  age(ada);
  t.like(said(await change(ada, 'email', { email: 'elsewhere@example.org', currentPassword: 'wrong' })), /incorrect/, 'a wrong one is refused');
  const before = mail.mails.length;
  t.like(said(await change(ada, 'email', { email: 'ada@example.org', currentPassword: GOOD })), /Check your inbox/, 'the right one needs no fresh sign-in');
  await until('a mail', () => mail.mails.length > before);
  const { searchParams } = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  told = telling();
  await ada.post('/api/auth/confirm-email', { csrfToken: await ada.csrf(), token: searchParams.get('token'), email: searchParams.get('email') });
  t.ok(await told(user.email, /email address of your account was changed/) && await told('ada@example.org', /email address/), 'the old and the new address are told');
  const unvouched = await signIn(site, own, 'one', { id: 'noemail', name: 'No Email' });
  t.like(said(await change(unvouched, 'password', { password: GOOD })), /Confirm an email address first/, 'without an address there is no password');
  t.like(await page(unvouched), /To confirm, type delete/, 'who has no address types a word to leave');

  t.section(`${db.engine}: one's own data`);
  const asked = await age(ada).page('/api/auth/account-data');
  t.is([asked.location, asked.text.includes('ada@example.org')], [again, false], 'asks to sign in again');
  await signIn(site, own, 'one', user, ada);
  const data = await ada.get('/api/auth/account-data');
  t.is([data.status, data.headers['content-disposition'], data.headers['content-type'], /no-store/.test(data.headers['cache-control'])], [200, 'attachment; filename="account-data.json"', 'application/json; charset=utf-8', true], 'is a file to download');
  t.is([data.json.user.id, data.json.user.email, data.json.user.hasPassword, data.json.accounts.map((a) => [a.provider, a.providerAccountId])], [id, 'ada@example.org', true, [['one', user.id]]], 'with the user and the accounts');
  t.ok(data.json.sessions.length >= 1 && data.json.sessions.every(({ user: whose }) => whose === `/${id}`), 'the sessions');
  t.ok(['SIGNIN', 'ACCOUNT_LINK', 'ACCOUNT_UNLINK', 'PASSWORD_CHANGE', 'EMAIL_CHANGE'].every((event) => data.json.records.some((r) => r.event === event)), 'and what the audit log has', data.json.records.map((r) => r.event));
  t.is([data.json.secondFactors, data.json.tokens, data.json.passkeys], [[], [], []], 'second factors, tokens and passkeys');
  t.ok(!/access_token|refresh|\$2[aby]\$|token":"/.test(data.text), 'and no secret');
  t.like((await new Client(site).page('/api/auth/account-data')).location, /signin/, 'for nobody else');

  t.section(`${db.engine}: leaving`);
  age(unvouched);
  t.is((await change(unvouched, 'delete', { confirm: 'delete' })).location, again, 'asks to sign in again');
  const leaver = await someone();
  const copy = await signIn(site, own, 'one', leaver.user);
  t.like(said(await change(leaver.client, 'delete', { confirm: 'delete' })), /type what the form asks for/, 'and for the address');
  told = telling();
  const left = await change(leaver.client, 'delete', { confirm: 'User4@example.org'.replace('4', made) });
  t.is([left.location, left.setCookies.some((line) => line.startsWith(`${NAME}=;`))], [site.url, true], 'then the account is gone');
  t.ok(await told(leaver.user.email, /Your account was deleted/), 'the user is told');
  t.is(await statusOf(copy), 401, 'all sessions end');
  t.isnt((await whoIs(await signIn(site, own, 'one', leaver.user))).id, leaver.id, 'and who comes back is somebody new');

  t.section(`${db.engine}: passkeys`);
  const keyed = await someone();
  await site.reload(config(db, own, mail, `${passwords}\nNextAuthProvider passkey`));
  t.ok(!/data-passkey/.test((await keyed.client.page(again)).text), 'who has none is not asked for one');
  if (db.engine !== 'mongodb') {
    await db.sql(dialect(db, `INSERT INTO accounts ("userId", "type", "provider", "providerAccountId") VALUES (${keyed.id}, 'webauthn', 'passkey', 'AAECAw==')`));
    t.like((await keyed.client.page(again)).text, /data-passkey="authenticate"[\s\S]*name="again" value="true"/, 'who has one can sign in again with it');
    const both = await page(keyed.client);
    t.is([linkedIn(both), /Unlink</.test(both), /\/passkeys">/.test(both)], [['one'], true, true], 'it is on a page of its own, and a way to sign in');
    t.like(said(await change(keyed.client, 'unlink', { provider: 'passkey', account: 'AAECAw==' })), /not linked/, 'and not unlinked here');
  }

  t.section(`${db.engine}: without mail, and without passwords`);
  await site.reload(config(db, own, null));
  const { client: plain } = await someone();
  const bare = await page(plain);
  t.is([/New email address/.test(bare), /New password/.test(bare)], [false, false], 'the page has what the site has');
  t.is((await link(plain, own, 'two', { id: 'plain2' })).location, `${site.url}/api/auth/account`, 'a change works, and nobody can be told');
  await site.reload(config(db, own, null).replace('NextAuthFeature deleteAccount On', ''));
  t.like(said(await change(plain, 'delete', { confirm: 'x' })), /Only the site's administrator/, 'leaving can be off');
}

// Both have read the accounts, and wait for the same user to be changed.
async function atALock(t, own) {
  if (!databasesHere().postgres) return t.skip('two requests at a lock', 'install postgresql');
  t.section('postgres: two unlink the last two accounts, and wait for each other');
  const db = await startPostgres(t);
  await nextauthctl(db, ['migrate']);
  const site = await t.httpd({ config: config({ url: `${db.url} timeout=30s` }, own, null) });
  const user = { id: 'ada', name: 'Ada', email: 'ada@example.org' };
  const ada = await signIn(site, own, 'one', user);
  await link(ada, own, 'two', { id: 'ada2' });
  const csrfToken = await ada.csrf();
  const waiting = async (count) => until(`${count} wait`, async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))[0].n) === count);
  const held = db.sql('BEGIN; LOCK TABLE accounts IN SHARE MODE; SELECT pg_sleep(60); COMMIT').catch(() => {});
  await until('the lock is held', async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0].n) === 1);
  const unlink = (p, account) => ada.post('/api/auth/account', { csrfToken, change: 'unlink', provider: p, account });
  const ends = [unlink('one', 'ada')];
  await waiting(1);
  ends.push(unlink('two', 'ada2'));
  await waiting(2);
  await db.admin("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
  await held;
  const answers = await Promise.all(ends);
  t.is((await db.sql('SELECT provider FROM accounts')).map((row) => row.provider), ['two'], 'one account remains');
  t.is(answers.map((answer) => said(answer)?.slice(0, 24)), ['The account was unlinked', 'Your account was changed'], 'and the second is told why');
}

suite('The account page', async (t) => {
  const own = await startHomemade(t);
  for (const db of await startDatabases(t, enginesOfRound)) {
    await nextauthctl(db, ['migrate']);
    await cases(t, db, own);
  }
  await atALock(t, own);
  if (!thorough) return undefined;
  if (mongodbLacks()) return t.skip('MongoDB', mongodbLacks());
  const mongo = await startMongodb(t);
  await nextauthctl(mongo, ['migrate']);
  return cases(t, mongo, own);
});
