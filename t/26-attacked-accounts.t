#!/usr/bin/env node
'use strict';
// Whoever guesses the passwords of an account locks it for strangers: its owner is told, still gets
// in, and an administrator can unlock it.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { ctlFile, makeFolder, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { addUser, nextauthctl, secretFile } = require('./lib/ctl.js');
const { recordsOf } = require('./lib/audit.js');

const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const OUTCOMES = { 401: 'wrong', 429: 'limited', 200: 'in' };

suite('Accounts that are attacked', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  for (const email of ['ada@example.org', 'bob@example.org', 'carol@example.org']) t.ok(await addUser(db, email, GOOD, '--hash', 'bcrypt:10'), `a user: ${email}`);
  const mail = await startMail(t, { tls: 'none' });
  const config = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of attacked users is long"
NextAuthDatabase ${db.url}
NextAuthSessionStore database checkInterval=0
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthPasswords hash=bcrypt:10
NextAuthFeature account On
NextAuthFeature passwordReset On
NextAuthAuditLog @DIR@/audit.log
NextAuthRateLimit signIn account=3/3600
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /nextauth-sessions>
  SetHandler nextauth-sessions
  Require local
</Location>
<Location /metrics>
  SetHandler nextauth-metrics
  Require local
</Location>`;
  const site = await t.httpd({ config });
  const records = (event) => recordsOf(path.join(site.dir, 'audit.log')).filter((record) => record.event === event);
  const bot = (i) => new Client(site, { from: `127.0.1.${i}` });
  const signIn = async (client, email, password) => OUTCOMES[(await client.credentials(email, password, { json: 'true' })).status];
  const guess = async (from, count, email = 'ada@example.org') => {
    const all = [];
    for (let i = 0; i < count; i += 1) all.push(await signIn(bot(from + i), email, 'wrong'));
    return all.join(' ');
  };
  const home = new Client(site, { from: '127.0.0.1' });
  t.is(await signIn(home, 'ada@example.org', GOOD), 'in', 'Ada signs in at home');

  t.section('the lock');
  t.is(await guess(1, 8), 'wrong wrong wrong limited limited limited limited limited', 'eight clients guess her password');
  t.is(await signIn(bot(20), 'ADA@example.org', GOOD), 'limited', 'then strangers cannot sign in, even with the right one');
  t.is(await signIn(home, 'ada@example.org', GOOD), 'in', 'her browser can');
  t.is((await home.get('/members/')).status, 200, 'and her sessions go on');
  t.is(await signIn(bot(21), 'bob@example.org', GOOD), 'in', 'nobody else is meant');
  await until('an email', () => mail.mails.length > 0);
  const { parsed, envelope } = await mail.last();
  t.is([envelope.rcptTo[0].address, parsed.subject], ['ada@example.org', `Failed sign-ins at localhost:${site.port}`], 'she is told by email');
  t.like(parsed.text, /For 1 hour it takes no password from browsers that did not sign in to it before/, '  what it means');
  t.like(parsed.text, new RegExp(`${site.url}/api/auth/reset-password\n`), '  and what she can do');
  t.like(parsed.html, /Failed sign-ins/, '  in HTML as well');
  t.is(records('USER_LOCK').map(({ email, outcome, detail, user }) => [email, outcome, detail, typeof user]), [['ada@example.org', 'success', '3600 seconds', 'string']], 'the audit log has it');
  t.is(records('SIGNIN').filter((record) => record.outcome === 'failure').map((record) => record.reason.split(':')[0]),
    ['CredentialsSignin', 'CredentialsSignin', 'CredentialsSignin', 'RateLimited'], '  and the first refusal, not each');
  const metrics = (await home.get('/metrics')).text;
  t.like(metrics, /nextauth_account_locks_total 1\n/, 'it is counted');
  t.like(metrics, /nextauth_rate_limited_total\{limit="signIn",by="account"\} 6\n/, '  and so is each refusal');
  t.like(metrics, /nextauth_signin_failures_total\{provider="credentials",reason="CredentialsSignin"\} 3\n/, '  which is no wrong password');
  const spelled = [];
  for (const more of [',1', ',2', ',example.com', ' ', ', ']) spelled.push(await signIn(bot(25), `aDa@example.org${more}`, GOOD));
  t.is(spelled, Array(5).fill('limited'), 'no spelling that means her, too, has a budget of its own');
  t.is(mail.mails.length, 1, '  nor gets her another email');
  t.is(await guess(30, 3, 'nobody@example.org'), 'wrong wrong wrong', 'an account that is not there');
  t.is(await guess(40, 1, 'nobody@example.org'), 'limited', '  is locked like one that is');
  t.is(mail.mails.length, 1, '  and nobody gets an email, nor gets Ada another');
  const link = new Client(site, { from: '127.0.0.5' });
  await link.signIn('email', { email: 'ada@example.org' });
  await until('a link', () => mail.mails.length > 1);
  const url = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  const page = await link.follow({ location: url.href, url: site.url });
  const form = Object.fromEntries([...page.text.matchAll(/name="([a-zA-Z]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  await link.post('/api/auth/callback/email', form);
  t.is((await link.get('/members/')).status, 200, 'a link by email signs in');
  t.is(await signIn(link, 'ada@example.org', GOOD), 'in', '  and makes that browser a known one');

  t.section('unlocking');
  const secret = path.join(makeFolder(t), 'secret');
  fs.writeFileSync(secret, 'the secret of attacked users is long', { mode: 0o600 });
  const ctl = (...args) => spawnSync(ctlFile, args, { encoding: 'utf8', env: { ...process.env, NEXTAUTHCTL_SERVER: `${site.url}/nextauth-sessions`, NEXTAUTHCTL_SECRET_FILE: secret } });
  const unlocked = ctl('user', 'unlock', 'Ada@example.org');
  t.is([unlocked.status, unlocked.stdout], [0, 'unlocked: Ada@example.org\n'], 'nextauthctl unlocks an account', unlocked.stderr);
  t.is(await signIn(bot(50), 'ada@example.org', GOOD), 'in', 'strangers can sign in again');
  t.is(await signIn(bot(51), 'nobody@example.org', 'wrong'), 'limited', 'other accounts stay locked');
  t.is(records('USER_UNLOCK').map(({ actor, email, outcome }) => [actor, email, outcome]), [['administrator', 'Ada@example.org', 'success']], 'the audit log has it');
  t.is((await home.post('/nextauth-sessions', { unlock: 'ada@example.org' })).status, 403, 'it takes the secret');
  t.is(ctl('user', 'unlock').status, 2, 'it takes a name');

  t.section('the current password on the account page');
  const me = new Client(site, { from: '127.0.0.1' });
  await signIn(me, 'bob@example.org', GOOD);
  const change = async (currentPassword) => me.page('/api/auth/account', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken: await me.csrf(), change: 'password', currentPassword, password: BETTER }).toString() });
  for (let i = 0; i < 3; i += 1) t.like((await change('wrong')).text, /current password is/, 'a session may guess it');
  const refused = await change(GOOD);
  t.is([refused.status, Number(refused.headers['retry-after']) > 0], [429, true], '  three times');
  t.is((await me.get('/members/')).status, 200, '  and goes on all the same');
  t.is(await signIn(bot(60), 'bob@example.org', GOOD), 'in', '  nor is the account locked for others');
  t.is(records('PASSWORD_CHANGE').map((record) => record.reason.split(':')[0]), ['CredentialsSignin', 'CredentialsSignin', 'CredentialsSignin', 'RateLimited'], '  the audit log has each guess and the refusal');
  t.section('what ends known browsers');
  const CAROL = 'carol@example.org';
  const hers = new Client(site, { from: '127.0.0.7' });
  let guesses = 70;
  // Signs in there, and has others lock the account; then what a sign-in there comes to after `act`.
  const afterwards = async (password, act) => {
    ctl('user', 'unlock', CAROL);
    const before = await signIn(hers, CAROL, password);
    const locked = await guess(guesses, 4, CAROL);
    guesses += 4;
    return [before, locked, ...await act()];
  };
  const attacked = ['in', 'wrong wrong wrong limited'];
  const run = async (...args) => (await nextauthctl(db, args)).status;
  const file = secretFile(db, 'password', `${BETTER}\n`);
  t.is(await afterwards(GOOD, async () => [await signIn(hers, CAROL, GOOD), await run('user', 'set-password', '--password-file', file, CAROL), await signIn(hers, CAROL, BETTER), await signIn(hers, CAROL, GOOD)]),
    [...attacked, 'in', 0, 'limited', 'limited'], 'a new password: a browser that knew the old one is a stranger');
  t.is(await afterwards(BETTER, async () => [await run('user', 'disable', CAROL), await run('user', 'enable', CAROL), await signIn(hers, CAROL, BETTER)]),
    [...attacked, 0, 0, 'limited'], 'disabling the user does the same');
  const other = new Client(site, { from: '127.0.0.8' });
  ctl('user', 'unlock', CAROL);
  t.is(await signIn(other, CAROL, BETTER), 'in', 'another browser of hers');
  t.is(await afterwards(BETTER, async () => {
    const changed = await hers.page('/api/auth/account', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ csrfToken: await hers.csrf(), change: 'password', currentPassword: BETTER, password: GOOD }).toString() });
    return [/Your password has been changed/.test(changed.text), await signIn(hers, CAROL, GOOD), await signIn(other, CAROL, GOOD)];
  }), [...attacked, true, 'in', 'limited'], 'who changes the password stays known, in that browser alone');

  t.unlike(site.log(), new RegExp(GOOD), 'no password is in the log');
});
