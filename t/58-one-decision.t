#!/usr/bin/env node
'use strict';
// What a sign-in or a link was checked by must still be so when its session begins, or its change is
// made. A lock on a table that is read last holds each of them up there, and something is taken away.
const crypto = require('node:crypto');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { databasesHere, startPostgres } = require('./lib/databases.js');
const { startHomemade } = require('./lib/emulators.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl } = require('./lib/ctl.js');

const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const config = (db, own, mail, kept) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of decisions that are one"
NextAuthDatabase ${db.url} timeout=30s
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthProvider one type=oauth clientId=c clientSecret=s authorization=${own.url}/authorize token=${own.url}/token userinfo=${own.url}/api/me
NextAuthPasswords hash=bcrypt:10
NextAuthFeature account On
NextAuthFeature passwordReset On
${kept}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const isIn = (client) => Boolean(client.cookie(NAME));
const post = async (client, path, fields) => {
  client.answer = await client.post(`/api/auth/${path}`, { csrfToken: await client.csrf(), ...fields });
  return client;
};
// The account page has the session asked anew, whatever a process knows of it.
const isGood = async (client) => (await client.get('/api/auth/account')).status === 200;
const endsAs = async (client) => (isIn(client) ? statusOf(client) : 401);

async function cases(t, db, own, mail, kept) {
  const site = await t.httpd({ config: config(db, own, mail, kept) });
  const ctl = async (...args) => {
    const { status, stderr } = await nextauthctl(db, args);
    if (status !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
  };
  const password = `${db.dir}/password`;
  const write = (text) => {
    fs.writeFileSync(password, text, { mode: 0o600 });
    const { uid, gid } = fs.statSync(db.dir);
    fs.chownSync(password, uid, gid);
  };
  let made = 0;
  const addUser = async () => {
    made += 1;
    const email = `user${made}.${Date.now()}@example.org`;
    write(GOOD);
    await ctl('user', 'add', '--email', email, '--password-file', password);
    return email;
  };

  // Requests that wait for a lock in the database, and something that has one until `free`.
  const waiting = async (count) => until(`${count} wait`, async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))[0].n) === count);
  const asleep = async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0].n);
  const hold = async (what) => {
    const held = db.sql(`BEGIN; ${what}; SELECT pg_sleep(60); COMMIT`).catch(() => {});
    await until('the lock is held', async () => (await asleep()) === 1);
    return async () => {
      await db.admin("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      await held;
    };
  };
  const table = (name) => hold(`LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE`);
  const lockOfEmail = (email) => hold(`SELECT pg_advisory_xact_lock(${crypto.createHash('sha256').update(`email ${email}`).digest().readBigInt64LE(0)})`);

  const linkAfter = async (ask) => {
    const before = mail.mails.length;
    await ask();
    await until('a mail', () => mail.mails.length > before);
    const { searchParams } = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
    return { token: searchParams.get('token'), email: searchParams.get('email') };
  };
  const signInLink = (email) => linkAfter(() => new Client(site).signIn('email', { email }));
  const resetLink = (email) => linkAfter(() => post(new Client(site), 'reset-password', { email }));

  // Each brings somebody to the point where only the sign-in is left, and gives who that is.
  const byPassword = async () => {
    const email = await addUser();
    return { who: email, go: () => signedIn(site, email, GOOD) };
  };
  const byProvider = async () => {
    const name = `Olive ${Date.now()}`;
    own.user = { id: name, name };
    const begin = async () => {
      const client = new Client(site);
      const { location } = await client.page((await client.signIn('one')).location);
      return { client, location };
    };
    const first = await begin();
    await first.client.page(first.location);
    const [{ id }] = await db.sql(`SELECT id FROM users WHERE name = '${name}'`);
    const { client, location } = await begin();
    return { who: String(id), go: async () => {
      await client.page(location);
      return client;
    } };
  };
  const byLink = async () => {
    const email = await addUser();
    const link = await signInLink(email);
    return { who: email, go: () => post(new Client(site), 'callback/email', link) };
  };
  const byReset = async () => {
    const email = await addUser();
    const link = await resetLink(email);
    return { who: email, go: () => post(new Client(site), 'set-password', { ...link, password: BETTER }) };
  };
  const setPassword = (who) => {
    write('a third one, of an administrator');
    return ctl('user', 'set-password', '--password-file', password, who);
  };
  const disable = (who) => ctl('user', 'disable', who);
  const remove = (who) => ctl('user', 'delete', '--yes', who);
  const isOfNewUser = async (who) => (await db.sql(`SELECT id FROM users WHERE name = (SELECT name FROM users WHERE id = '${who}')`)).length === 2;
  const unlink = (who) => ctl('user', 'unlink', '--yes', who, 'one');

  t.section(`${kept.replaceAll(/NextAuth|\n/g, ' ').trim()}: a sign-in is under way, and meanwhile`);
  for (const [what, how, acts] of [['with a password', byPassword, { setPassword, disable, remove }], ['with a provider', byProvider, { unlink, disable, remove }],
    ['with a mailed link', byLink, { setPassword, disable, remove }], ['with a link to a new password', byReset, { setPassword, disable, remove }]]) {
    for (const [name, act] of Object.entries(acts)) {
      const { who, go } = await how();
      const free = await table('nextauth_roles');
      const going = go();
      await waiting(1);
      const acting = act(who);
      await waiting(2);
      await free();
      await acting;
      const ends = await endsAs(await going);
      // A sign-in that read the account after it was unlinked is that of a new user.
      t.ok(ends === 401 || (act === unlink && ends === 200 && await isOfNewUser(who)), `${what}: ${name} leaves it no session`, ends);
    }
  }

  t.section('a new password by a link, while somebody signs in with the old one');
  {
    const { who, go } = await byReset();
    const free = await table('nextauth_roles');
    const old = signedIn(site, who, GOOD);
    await waiting(1);
    const going = go();
    await waiting(2); // its password is changed, and it signs in
    await free();
    t.is([await endsAs(await old), await endsAs(await going)], [401, 200], 'the link has a session, the old password none');
    t.is([isIn(await signedIn(site, who, GOOD)), isIn(await signedIn(site, who, BETTER))], [false, true], 'and the new password counts');
  }

  t.section('one link twice at the same time');
  {
    const link = await signInLink(await addUser());
    const free = await table('verification_token');
    const both = [1, 2].map(() => post(new Client(site), 'callback/email', link));
    await waiting(2);
    await free();
    t.is((await Promise.all((await Promise.all(both)).map(endsAs))).sort(), [200, 401], 'signs in once');
  }
  {
    const email = await addUser();
    const link = await resetLink(email);
    const free = await lockOfEmail(email);
    const passwords = [BETTER, `${BETTER} too`];
    const both = passwords.map((chosen) => post(new Client(site), 'set-password', { ...link, password: chosen }));
    await waiting(2);
    await free();
    const ends = await Promise.all((await Promise.all(both)).map(endsAs));
    t.is([...ends].sort(), [200, 401], 'or sets one password');
    const signsIn = [];
    for (const chosen of passwords) signsIn.push((await endsAs(await signedIn(site, email, chosen))));
    t.is(signsIn, ends, '  which is the one of who got in');
  }

  t.section('a new address that is confirmed, while the password is changed');
  const confirm = async () => {
    const email = await addUser();
    const client = await signedIn(site, email, GOOD);
    const fresh = `new.${email}`;
    const link = await linkAfter(() => post(client, 'account', { change: 'email', email: fresh, currentPassword: GOOD }));
    const has = async () => (await db.sql(`SELECT email FROM users WHERE email IN ('${email}', '${fresh}')`)).map((row) => row.email);
    return { email, fresh, has, client, go: () => post(client, 'confirm-email', link) };
  };
  {
    const { email, fresh, has, client, go } = await confirm();
    const free = await lockOfEmail(fresh);
    const going = go();
    await waiting(1); // the session was asked
    await setPassword(email);
    await free();
    await going;
    t.is([await has(), await isGood(client)], [[email], false], 'before it is taken: the session has ended, and it is not');
  }
  {
    const { email, fresh, has, client, go } = await confirm();
    const free = await hold('LOCK TABLE verification_token IN SHARE MODE'); // of which nothing is deleted
    const going = go();
    await waiting(1); // the session was asked, in the transaction
    const changing = setPassword(email);
    await waiting(2);
    await free();
    await Promise.all([going, changing]);
    t.is([await has(), await isGood(client)], [[fresh], false], 'while it is taken: what ends the session waits for that');
  }
}

suite('What was checked and what comes of it are one decision', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  if (!here.postgres) t.skipAll(`install ${here.lacking.join(' ')}`);
  const db = await startPostgres(t);
  await nextauthctl(db, ['migrate']);
  const own = await startHomemade(t);
  const mail = await startMail(t, { tls: 'none' });
  for (const kept of ['NextAuthSessionStore none checkInterval=30', 'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0']) await cases(t, db, own, mail, kept);
});
