#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { startReceiver } = require('./lib/webhooks.js');
const { nextauthctl } = require('./lib/ctl.js');

const NAME = 'next-auth.session-token';
const WEBHOOK = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const config = (db, mail, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of password users is long"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthSessionStore database checkInterval=0
NextAuthSessionClaim sub
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const features = ['signUp', 'passwordReset', 'account', 'deleteAccount'].map((name) => `NextAuthFeature ${name} On`).join('\n');

async function users(t, db) {
  const mail = await startMail(t, { tls: 'none' });
  const receiver = await startReceiver(t, WEBHOOK);
  const site = await t.httpd({ config: config(db, mail, `${features}\nNextAuthEvent updateUser ${receiver.url} secret=${WEBHOOK}`) });
  const count = async () => Number((await db.sql('SELECT count(*) AS n FROM users'))[0].n);
  const post = async (client, path, fields) => client.post(`/api/auth/${path}`, { csrfToken: await client.csrf(), ...fields });
  const ask = async (path, email) => post(new Client(site), path, { email });
  const linkOf = async (path, email) => {
    const before = mail.mails.length;
    await ask(path, email);
    await until('a mail', () => mail.mails.length > before);
    const { parsed } = await mail.last();
    return { subject: parsed.subject, link: new URL(/https?:\/\/\S+/.exec(parsed.text)[0]) };
  };
  const choose = async ({ link }, password, more = {}) => {
    const client = new Client(site);
    client.answer = await post(client, 'set-password', { token: link.searchParams.get('token'), email: link.searchParams.get('email'), password, ...more });
    return client;
  };
  const signIn = async (email, password, client = new Client(site)) => {
    client.answer = await client.credentials(email, password);
    return client;
  };
  const isIn = (client) => Boolean(client.cookie(NAME));

  // From now on, who is told of what by email; waits for it.
  const telling = () => {
    const from = mail.notices.length;
    const isTold = (address, what) => mail.notices.slice(from).some(({ raw, envelope }) => envelope.rcptTo[0].address === address
      && raw.includes(`Subject: Your ${what} for `));
    return async (address, what) => {
      await until(`a notice to ${address}`, () => isTold(address, what));
      return true;
    };
  };

  t.section(`${db.engine}: signing up`);
  t.like((await new Client(site).page('/api/auth/signup')).text, /<h1>Create an account<\/h1>[\s\S]*name="email"/, 'a page asks for the address');
  const start = await linkOf('signup', 'Ada@Example.org');
  t.is([start.subject, start.link.pathname], [`Create your account on localhost:${site.port}`, '/api/auth/set-password'], 'a link comes by mail');
  t.is(await count(), 0, 'nobody is made before it is opened');
  t.like((await new Client(site).open(start.link.href)).text, /autocomplete="username"[^>]* value="ada@example\.org"[\s\S]*name="name"[\s\S]*autocomplete="new-password"/, 'which asks for name and password');
  for (const [bad, why] of [['short', /8/], ['password1', /too common/], ['aaaaaaaaaaaa', /a repeated character/], ['ada@example.org', /Do not use your name/]]) {
    const refused = await choose(start, bad);
    t.ok(refused.answer.status === 200 && why.test(/role="alert">([^<]+)/.exec(refused.answer.text)?.[1] || '') && !isIn(refused), `${JSON.stringify(bad)} is no password, and the page says why`);
  }
  t.is(await count(), 0, 'for which the link is not used up');
  const ada = await choose(start, GOOD, { name: 'Ada Lovelace' });
  t.is([isIn(ada), (await ada.session()).user.name, await count()], [true, 'Ada Lovelace', 1], 'with a good one, the user is made and signed in');
  t.ok(!isIn(await choose(start, BETTER)), 'the link works once');
  t.like((await db.sql('SELECT password_hash FROM nextauth_credentials'))[0].password_hash, /^\$2[aby]\$10\$/, 'the password is kept as a hash');

  t.section(`${db.engine}: what the pages say`);
  const signInPage = async (at, query = '') => (await new Client(at).page(`/api/auth/signin${query}`)).text;
  t.like(await signInPage(site), /href="[^"]*\/api\/auth\/reset-password">Forgot your password\?<[\s\S]*href="[^"]*\/api\/auth\/signup">Create an account</, 'the sign-in page leads to a new password and to sign-up');
  t.like((await new Client(site).page('/api/auth/verify-request')).text, /If a link can be sent to the address you entered, it will arrive/, 'who asked for a link of any kind is told to look, and not whether there is an account');
  for (const [code, words] of [['CredentialsSignin', /Sign-in failed\. Check your details and try again\./], ['EmailSignin', /The email could not be sent\. Check the address and try again\./]]) t.like(await signInPage(site, `?error=${code}`), words, `${code} claims no more than is known`);
  t.like((await mail.last()).parsed.html, /This link expires in 24 hours and can be used once\./, 'a mail says how long its link works, and how often');

  t.section(`${db.engine}: signing in`);
  t.ok(isIn(await signIn('ada@example.org', GOOD)), 'with address and password');
  t.ok(isIn(await signIn(' ADA@example.org', GOOD)), 'the address in any case');
  for (const [email, password, what] of [['ada@example.org', 'wrong', 'not with another password'], ['ada@example.org', `${GOOD} `, 'nor one like it'], ['eve@example.org', GOOD, 'nor as somebody else'], ["' OR '1'='1", "' OR '1'='1", 'nor with SQL'], ['ada@example.org', '', 'nor without one']]) {
    const c = await signIn(email, password);
    t.is([isIn(c), c.answer.location], [false, `${site.url}/api/auth/error?error=CredentialsSignin&provider=credentials`], what);
  }
  await db.sql(`UPDATE nextauth_credentials SET password_hash = '${(await nextauthctlHash())}'`);
  t.ok(isIn(await signIn('ada@example.org', GOOD)), 'a hash of another kind is good');
  t.like((await db.sql('SELECT password_hash FROM nextauth_credentials'))[0].password_hash, /^\$2[aby]\$10\$/, 'and made anew at sign-in');
  const [{ user_id: adaId, password_hash: good }] = await db.sql('SELECT user_id, password_hash FROM nextauth_credentials');
  const put = (hash) => db.sql(`UPDATE nextauth_credentials SET password_hash = '${hash}' WHERE user_id = '${adaId}'`);
  for (const [hash, why] of [['$2b$31$abcdefghijklmnopqrstuu', 'malformed'], ['$6$rounds=900000000$salt$x', 'costs too much'], ['$2y$17$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6', 'costs too much'], [GOOD, 'unknown kind']]) {
    await put(hash);
    const c = await signIn('ada@example.org', GOOD);
    t.is([isIn(c), c.answer.location], [false, `${site.url}/api/auth/error?error=CredentialsSignin&provider=credentials`], `a hash that cannot be used matches nothing: ${hash.slice(0, 12)}`);
    t.ok(site.log().split('\n').some((line) => /:error\]/.test(line) && line.includes(`user '${adaId}' of the database cannot sign in`) && line.includes(why)), '  and the log names the user');
  }
  t.is(JSON.parse((await nextauthctl(db, ['user', 'show', 'ada@example.org', '--json'])).stdout).password.hash, 'unusable', 'nextauthctl user show says so, too');
  await put(good);

  t.section(`${db.engine}: forgetting the password`);
  const known = await ask('reset-password', 'ada@example.org');
  const unknown = await ask('reset-password', 'nobody@example.org');
  t.is([known.status, known.location], [unknown.status, unknown.location], 'nobody learns who has an account');
  await until('one mail', () => mail.mails.length >= 2);
  const copy = await signIn('ada@example.org', GOOD);
  const older = await linkOf('reset-password', 'ada@example.org');
  const reset = await linkOf('reset-password', 'ada@example.org');
  t.is(reset.subject, `Reset your password for localhost:${site.port}`, 'a link comes by mail');
  const opened = (await new Client(site).open(reset.link.href)).text;
  t.ok(opened.includes('autocomplete="new-password"') && !opened.includes('name="name"'), 'which asks for a password, and not for the name', opened);
  let told = telling();
  const changed = await choose(reset, BETTER);
  t.ok(isIn(changed), 'with which another is chosen');
  t.ok(!isIn(await choose(older, GOOD)), 'by one link: it ends the others');
  t.ok(await told('ada@example.org', 'password'), 'of which the owner is told');
  t.is([(await copy.get('/members/')).status, (await changed.get('/members/')).status], [401, 200], 'sessions from before are ended');
  t.is([isIn(await signIn('ada@example.org', GOOD)), isIn(await signIn('ada@example.org', BETTER))], [false, true], 'the old password is no more');
  const twice = await linkOf('signup', 'ada@example.org');
  t.like(twice.subject, /^Reset your password/, 'who signs up again is sent that');
  t.ok(!mail.mails.some(({ envelope }) => envelope.rcptTo.some(({ address }) => address === 'nobody@example.org')), 'who has no account gets no mail');

  t.section(`${db.engine}: few links are valid at a time`);
  const links = [];
  for (let i = 0; i < 5; i += 1) links.push(await linkOf('reset-password', 'ada@example.org'));
  const rows = async () => (await db.sql("SELECT identifier FROM verification_token WHERE identifier = 'reset:ada@example.org'")).length;
  t.is(await rows(), 3, 'of five, the database has three');
  const mailed = mail.mails.length;
  await Promise.all(Array.from({ length: 8 }, () => ask('signup', 'many@example.org')));
  await until('all of their mails', () => mail.mails.length === mailed + 8);
  const many = (await db.sql("SELECT identifier FROM verification_token WHERE identifier = 'signup:many@example.org'")).length;
  t.ok(many >= 1 && many <= 3, 'of eight at once it has no more', many); // fewer where some are of one millisecond
  t.is(await rows(), 3, 'nobody else\'s are ended by that');
  t.is([isIn(await choose(links[0], GOOD)), isIn(await choose(links[1], GOOD))], [false, false], 'the oldest do not work any more');
  t.ok(isIn(await choose(links[2], BETTER)), 'the newest three do');

  t.section(`${db.engine}: no answer tells who has an account, by its work either`);
  if (db.engine === 'mariadb') {
    const asked = async (act) => {
      await db.admin('TRUNCATE mysql.general_log');
      await db.admin("SET GLOBAL general_log = 'ON'");
      const answer = await act();
      await db.admin("SET GLOBAL general_log = 'OFF'");
      const log = await db.admin("SELECT command_type, argument FROM mysql.general_log WHERE command_type IN ('Execute', 'Query') AND argument NOT LIKE '%general_log%'");
      return [answer.status, answer.location, log.map((row) => row.argument.replace(/'[^']*'/g, '?').replace(/\b\d+\b/g, 'N'))];
    };
    const mails = mail.mails.length;
    // All that is prepared once, and all rows that there can be.
    for (let round = 0; round < 4; round += 1) for (const path of ['signup', 'reset-password']) for (const email of ['ada@example.org', 'eve@example.org']) await ask(path, email);
    const sent = await asked(() => ask('reset-password', 'ada@example.org'));
    const toNobody = await asked(() => ask('reset-password', 'eve@example.org'));
    t.is(toNobody, sent, 'reset-password asks the database the same for somebody and nobody');
    t.ok(sent[2].some((line) => /INSERT INTO .verification_token/.test(line)), '  all that a link takes', sent[2]);
    t.is(await asked(() => ask('signup', 'eve@example.org')), await asked(() => ask('signup', 'ada@example.org')), 'so does signup');
    const wrong = (email) => asked(async () => (await signIn(email, 'wrong words for anybody')).answer);
    await wrong('ada@example.org');
    t.is(await wrong('eve@example.org'), await wrong('ada@example.org'), 'and a sign-in with a wrong password');
    await until('mails of four rounds and two more, but those to reset nobody\'s password', () => mail.mails.length === mails + 3 * 4 + 3);
  }

  t.section(`${db.engine}: one's account`);
  const me = await signIn('ada@example.org', BETTER);
  const page = await me.page('/api/auth/account');
  t.like(page.text, /Your account[\s\S]*value="Ada Lovelace"[\s\S]*Delete account/, 'a page shows it');
  t.like((await new Client(site).page('/api/auth/account')).location, /signin\?callbackUrl=.*account/, 'to who is signed in');
  const change = (fields, client = me) => post(client, 'account', fields);
  t.like((await change({ change: 'name', name: 'Countess <b>' })).text, /Your name has been changed[\s\S]*|Countess &lt;b&gt;/, 'the name is changed');
  t.like((await change({ change: 'name', name: '' })).text, /Enter a valid name/, 'not to nothing');
  t.like((await change({ change: 'password', currentPassword: 'wrong', password: GOOD })).text, /current password is incorrect/, 'the password wants the old one');
  const elsewhere = await signIn('ada@example.org', BETTER);
  told = telling();
  t.like((await change({ change: 'password', currentPassword: BETTER, password: GOOD })).text, /Your password has been changed/, 'and is changed with it');
  t.ok(await told('ada@example.org', 'password'), 'of which the owner is told, too');
  t.is([(await me.get('/members/')).status, (await elsewhere.get('/members/')).status], [200, 401], 'which ends all other sessions');
  t.like((await me.post('/api/auth/account', { change: 'name', name: 'Eve' })).location, /account$/, 'a form of another site changes nothing');
  const asked = mail.mails.length;
  await change({ change: 'email', email: 'thief@example.org', currentPassword: GOOD });
  await until('a mail', () => mail.mails.length > asked);
  const stale = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]).searchParams;
  await change({ change: 'password', currentPassword: GOOD, password: BETTER });
  t.is((await post(me, 'confirm-email', { token: stale.get('token'), email: stale.get('email') })).location, `${site.url}/api/auth/error?error=Verification`, 'a new password ends links to a new address that the old one asked for');
  t.like((await change({ change: 'password', currentPassword: BETTER, password: GOOD })).text, /Your password has been changed/, '  whoever opens them');
  const before = mail.mails.length;
  t.like((await change({ change: 'email', email: 'countess@example.org', currentPassword: GOOD })).text, /while you are signed in, open the link sent to the new address/, 'a new address is confirmed first');
  await until('a mail', () => mail.mails.length > before);
  const { parsed, envelope } = await mail.last();
  t.is(envelope.rcptTo[0].address, 'countess@example.org', 'by who reads its mail');
  const link = new URL(/https?:\/\/\S+/.exec(parsed.text)[0]);
  const fields = { token: link.searchParams.get('token'), email: link.searchParams.get('email') };
  t.ok(isIn(await signIn('ada@example.org', GOOD)), 'until then it is the old one');
  t.like((await new Client(site).open(link.href)).location, /signin/, 'the link wants the user to be signed in');
  t.like((await me.open(link.href)).text, /Use <strong>countess@example\.org<\/strong> for your account/, 'and asks');
  told = telling();
  t.like((await post(me, 'confirm-email', fields)).text, /Your email address has been changed/, 'then it counts');
  t.ok(await told('ada@example.org', 'email address') && await told('countess@example.org', 'email address'), 'the previous address and the new one are told');
  t.is([isIn(await signIn('ada@example.org', GOOD)), isIn(await signIn('countess@example.org', GOOD))], [false, true], 'for signing in');
  t.is((await post(me, 'confirm-email', fields)).location, `${site.url}/api/auth/error?error=Verification`, 'once');
  await until('two events', () => receiver.taken().length === 2);
  t.is(receiver.taken().map(({ data }) => [data.user.name, data.user.email]), [['Countess <b>', 'ada@example.org'], ['Countess <b>', 'countess@example.org']], 'other systems are told of the new name and address');

  t.section(`${db.engine}: disabled, and gone`);
  const [{ id }] = await db.sql('SELECT id FROM users');
  await nextauthctl(db, ['user', 'disable', 'countess@example.org']);
  t.is((await signIn('countess@example.org', GOOD)).answer.location, `${site.url}/api/auth/error?error=AccessDenied`, 'a disabled user does not get in');
  t.like((await me.page('/api/auth/account')).location, /signin/, 'nor to his account with a session he still has');
  await nextauthctl(db, ['user', 'enable', 'countess@example.org']);
  const last = await signIn('countess@example.org', GOOD);
  const leave = (fields) => change({ change: 'delete', confirm: 'Countess@example.org', ...fields }, last);
  t.like((await leave({ currentPassword: 'wrong' })).text, /current password is incorrect/, 'leaving wants the password');
  t.like((await leave({ currentPassword: GOOD, confirm: '' })).text, /type what the form asks for/, 'and the address, typed');
  t.is((await leave({ currentPassword: GOOD })).location, site.url, 'and takes both');
  t.is([await count(), (await db.sql(`SELECT * FROM nextauth_credentials WHERE user_id = '${id}'`)).length], [0, 0], 'with everything');
  t.is([isIn(last), (await me.get('/members/')).status], [false, 401], 'sessions included');
  await choose(await linkOf('signup', 'grace@example.org'), GOOD);
  const useless = await linkOf('reset-password', 'grace@example.org');
  await db.sql('DELETE FROM users');
  t.is([isIn(await choose(useless, BETTER)), await count()], [false, 0], 'a link to a new password brings nobody back');

  t.section(`${db.engine}: what is not switched on is not there`);
  const plain = await t.httpd({ config: config(db, mail) });
  t.unlike(await signInPage(plain), /signup|reset-password/, 'nor do links lead there');
  for (const path of ['signup', 'reset-password', 'account', 'set-password?token=x&email=a@b.org']) t.is((await new Client(plain).page(`/api/auth/${path}`)).location, `${plain.url}/api/auth/error?error=Configuration`, path);
}

// Seconds that httpd's children have computed for so far.
function worked(site) {
  const fs = require('node:fs');
  let ticks = 0;
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
      if (Number(fields[1]) === site.pid) ticks += Number(fields[11]) + Number(fields[12]);
    } catch { /* it has ended */ }
  }
  return ticks / 100;
}

async function hashing(t, db) {
  t.section(`${db.engine}: a hash is made for those alone who have a link`);
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ config: config(db, mail, features).replace('hash=bcrypt:10', 'hash=bcrypt:14') });
  const choose = async (token, email) => {
    const client = new Client(site);
    return client.post('/api/auth/set-password', { csrfToken: await client.csrf(), token, email, password: GOOD });
  };
  const before = worked(site);
  for (const token of ['x', 'f'.repeat(64), 'f'.repeat(80)]) t.is((await choose(token, 'ada@example.org')).location, `${site.url}/api/auth/error?error=Verification`, 'a token that was never made is refused');
  const rubbish = worked(site) - before;
  const client = new Client(site);
  await client.post('/api/auth/signup', { csrfToken: await client.csrf(), email: 'grace@example.org' });
  await until('a mail', () => mail.mails.length);
  const link = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  t.is((await choose(link.searchParams.get('token'), 'grace@example.org')).status, 302, 'one that was made is taken');
  const hash = worked(site) - before - rubbish;
  t.ok(rubbish * 2 < hash, 'and takes the hash, which three others together do not', `${rubbish} s, ${hash} s`);
  t.is((await choose(link.searchParams.get('token'), 'grace@example.org')).location, `${site.url}/api/auth/error?error=Verification`, 'once');
}

// bcrypt of GOOD by htpasswd, cheaper than what is asked for here.
async function nextauthctlHash() {
  const { execFileSync } = require('node:child_process');
  return execFileSync('htpasswd', ['-nbBC', '5', 'x', GOOD], { encoding: 'utf8' }).trim().slice(2).replace(/^\$2y/, '$2y');
}

suite('Users with passwords in the database', async (t) => {
  t.withOneMpm();
  for (const db of await startDatabases(t, enginesOfRound, { mariadb: { settings: { 'log-output': 'TABLE' } } })) {
    t.is((await nextauthctl(db, ['migrate'])).status, 0, `${db.engine}: a database`);
    await users(t, db);
    if (db.engine === 'sqlite') await hashing(t, db);
  }
});
