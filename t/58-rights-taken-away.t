#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd, mpm, pause, until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { databasesHere, startPostgres, startMariadb, sqlite } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { addUser, ctl, secretFile } = require('./lib/ctl.js');

const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const BETTER = 'a quieter lighthouse at noon';
const config = (db, kept, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of rights that are taken away"
NextAuthDatabase ${db.url} timeout=20s
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthMail log from=no-reply@example.org
NextAuthFeature account On
${kept}
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>
<Location /public.html>
  AuthType NextAuth
  Require user new@example.org
</Location>`;
const shmcb = 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)\n';
const isIn = (client) => Boolean(client.cookie(NAME));

/* What an administrator does, and that the session ends by it. */
async function ends(t, db, site, what, email, act) {
  const client = await signedIn(site, email, GOOD);
  const copy = new Client(site);
  copy.cookies.set(NAME, { value: client.cookie(NAME), path: '/' });
  t.is(await statusOf(client), 200, `${what}: a session`);
  await act();
  await until(`${what}: its end`, async () => (await statusOf(client)) === 401);
  const renewed = new Set(); // by a process that has asked within the interval
  await until(`${what}: its end in every process`, async () => {
    const answer = await copy.get('/api/auth/session');
    if (isIn(copy)) renewed.add(copy.cookie(NAME));
    return Object.keys(answer.json || {}).length === 0 && !isIn(copy);
  });
  const late = [];
  for (const cookie of renewed) {
    const ask = async () => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${cookie}` } })).status;
    for (let inARow = 0, i = 0; inARow < 6 && i < 200; i += 1) {
      late.push(await ask());
      inARow = late.at(-1) === 401 ? inARow + 1 : 0;
      if (!inARow) await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
    late.splice(0, late.length - 6);
  }
  t.ok(late.every((status) => status === 401), '  ends, and what the session endpoint made of it last', late);
}

async function taken(t, db, kept) {
  const what = kept.replaceAll(/NextAuth|\n|SOCache \S+/g, ' ').trim() || 'jwt, no store';
  t.section(`${db.engine}: ${what}`);
  const site = await t.httpd({ config: config(db, kept) });
  const n = `${Date.now()}`;
  const [dis, del, pass, one] = ['dis', 'del', 'pass', 'one'].map((name) => `${name}${n}@example.org`);
  for (const email of [dis, del, pass, one]) await addUser(db, email, GOOD);
  await ends(t, db, site, 'user disable', dis, () => ctl(db, 'user', 'disable', dis));
  await ctl(db, 'user', 'enable', dis);
  t.is((await statusOf(await signedIn(site, dis, GOOD))), 200, 'enabled, the user can sign in');
  await ends(t, db, site, 'user delete', del, () => ctl(db, 'user', 'delete', '--yes', del));
  const better = secretFile(db, 'better', BETTER);
  await ends(t, db, site, 'user set-password', pass, () => ctl(db, 'user', 'set-password', '--password-file', better, pass));

  const client = await signedIn(site, one, GOOD);
  const admin = async () => (await client.get('/admin/')).status;
  t.is(await admin(), 403, 'a user without a role');
  await ctl(db, 'role', 'grant', one, 'admin');
  await until('the role counts', async () => (await admin()) === 200);
  await ctl(db, 'role', 'revoke', one, 'admin');
  // A process that checked just before the change may go on for checkInterval, one second.
  const longerThanTheInterval = async (expected) => {
    for (const end = Date.now() + 1500; Date.now() < end; await pause(20)) if ((await admin()) !== expected) return false;
    return true;
  };
  await until('the role is gone in every process', () => longerThanTheInterval(403));
  await client.session();
  t.is([await admin(), await statusOf(client)], [403, 200], 'gets one and loses it in the session that there is, which goes on');
  t.is((await client.get('/public.html')).status, 403, 'a path that is another address\'s');
  await db.sql(`UPDATE users SET email = 'new@example.org' WHERE email = '${one}'`);
  await until('the address of now is the session\'s', async () => (await client.get('/public.html')).status === 200);
  await db.sql(`UPDATE users SET email = '${one}' WHERE email = 'new@example.org'`);
  await until('the former address is nobody\'s', async () => (await client.get('/public.html')).status === 403);

  const other = await signedIn(site, one, GOOD);
  const post = async (fields) => client.post('/api/auth/account', { csrfToken: await client.csrf(), ...fields });
  t.like((await post({ change: 'password', currentPassword: GOOD, password: BETTER })).text, /Your password has been changed/, 'who changes the password on the account page');
  await until('the other session ends', async () => (await statusOf(other)) === 401);
  t.is(await statusOf(client), 200, 'stays signed in, there alone');
}

async function unlinked(t, db) {
  t.section(`${db.engine}: an account that is taken away`);
  const users = htpasswd({ carol: GOOD });
  const site = await t.httpd({ files: { users }, config: config(db, 'NextAuthSessionStore none checkInterval=1').replace('backend=database', 'backend=file:@DIR@/users').replace('NextAuthFeature account On', '').replace(/NextAuthPasswords.*/, '') });
  const id = async () => (await db.sql(`SELECT u.id FROM users u WHERE u.name = 'carol'`))[0].id;
  await ends(t, db, site, 'user unlink', 'carol', async () => ctl(db, 'user', 'unlink', '--yes', String(await id()), 'credentials'));
}

/* The account and the revision are read at once, after what unlinks: the sign-in is another user's. */
async function unlinkedMeanwhile(t, db) {
  t.section(`${db.engine}: an account that is taken away while its user signs in`);
  const users = htpasswd({ dora: GOOD });
  const site = await t.httpd({ files: { users }, config: config(db, 'NextAuthSessionStore none checkInterval=1').replace('backend=database', 'backend=file:@DIR@/users').replace('NextAuthFeature account On', '').replace(/NextAuthPasswords.*/, '') });
  await (await signedIn(site, 'dora', GOOD)).signOut();
  const [{ id }] = await db.sql("SELECT id FROM users WHERE name = 'dora'");
  const unlinking = db.sql(`BEGIN; LOCK TABLE nextauth_revisions IN ACCESS EXCLUSIVE MODE;
    DO $$ BEGIN WHILE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock') LOOP PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$;
    DELETE FROM accounts WHERE "userId" = ${id};
    INSERT INTO nextauth_revisions VALUES ('${id}', 1) ON CONFLICT (user_id) DO UPDATE SET revision = nextauth_revisions.revision + 1; COMMIT`);
  await until('the lock is held', async () => Number((await db.admin("SELECT count(*) AS n FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation IS NOT NULL"))[0].n) > 0);
  const before = site.log().length;
  await signedIn(site, 'dora', GOOD);
  await unlinking;
  t.is((await db.sql(`SELECT count(*) AS n FROM accounts WHERE "userId" = ${id}`))[0].n, '0', 'does not link it again');
  const begun = [...site.log().slice(before).matchAll(/creating a session for user '(\d+)'/g)].map(([, user]) => user);
  t.is(begun.filter((user) => user === String(id)), [], 'and leads to no session of that user');
}

/* Sign-ins that were checked and wait for a row, while something is taken away. */
async function interleaved(t, db, kept) {
  t.section(`${db.engine}: ${kept.replaceAll(/NextAuth|\n|SOCache \S+/g, ' ').trim()}: sign-ins under way`);
  const site = await t.httpd({ config: config(db, `${kept.replace('checkInterval=1', 'checkInterval=30')}`) });
  const waiting = async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))[0].n);
  const hold = async () => {
    const held = db.sql('BEGIN; LOCK TABLE nextauth_roles IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(12); COMMIT').catch(() => {});
    await until('the lock is held', async () => Number((await db.admin("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))[0].n) === 1);
    return async () => {
      await db.admin("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'");
      await held;
    };
  };
  const email = `race${Date.now()}@example.org`;
  await addUser(db, email, GOOD);
  const mine = await signedIn(site, email, GOOD);
  const csrfToken = await mine.csrf();
  // both children know the session, so that changing the password asks nothing that is locked
  for (let i = 0; i < 40; i += 1) await statusOf(mine);
  const free = await hold();
  const old = Array.from({ length: 3 }, () => signedIn(site, email, GOOD));
  await until('three sign-ins were checked and wait', async () => (await waiting()) === 3);
  const changed = await mine.post('/api/auth/account', { csrfToken, change: 'password', currentPassword: GOOD, password: BETTER });
  t.like(changed.text, /Your password has been changed/, 'the password is changed while three sign-ins with the old one are under way');
  await free();
  const clients = await Promise.all(old);
  t.is(await Promise.all(clients.map(async (c) => (isIn(c) ? statusOf(c) : 401))), [401, 401, 401], 'none of them leads to a session');
  t.is([await statusOf(mine), isIn(await signedIn(site, email, GOOD)), isIn(await signedIn(site, email, BETTER))], [200, false, true], 'the session that changed it and the new password do');

  const again = await hold();
  const late = signedIn(site, email, BETTER);
  await until('a sign-in waits', async () => (await waiting()) === 1);
  const disabling = ctl(db, 'user', 'disable', email);
  await until('so does the command', async () => (await waiting()) === 2);
  await again();
  await disabling;
  const c = await late;
  t.is(isIn(c) ? await statusOf(c) : 401, 401, 'nor does one that was under way when the user was disabled');

  t.section(`${db.engine}: several changes with one current password`);
  const busy = `busy${Date.now()}@example.org`;
  await addUser(db, busy, GOOD);
  const tabs = await Promise.all(Array.from({ length: 4 }, () => signedIn(site, busy, GOOD)));
  const tokens = await Promise.all(tabs.map((tab) => tab.csrf()));
  const answers = await Promise.all(tabs.map((tab, i) => tab.post('/api/auth/account', { csrfToken: tokens[i], change: 'password', currentPassword: GOOD, password: `${BETTER} ${i}` })));
  t.is(answers.filter(({ text }) => /Your password has been changed/.test(text)).length, 1, 'one of them changes it');
}

suite('Whatever takes a right away ends sessions, or changes them, in every strategy and store', async (t) => {
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);
  const ways = ['NextAuthSessionStore none checkInterval=1', `${shmcb}NextAuthSessionStore socache checkInterval=1`,
    `${shmcb}NextAuthSessionStrategy database\nNextAuthSessionStore socache checkInterval=1`,
    'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=1', 'NextAuthSessionStore database checkInterval=1'];
  if (redisIsHere()) ways.push(`NextAuthRedis ${(await startRedis(t)).url}\nNextAuthSessionStore redis checkInterval=1`);
  const file = sqlite(t);
  await ctl(file, 'migrate');
  // What a process knows, what all of them share, and what only the database knows.
  const tried = mpm === 'event' ? ways : [ways[0], ways[1], ways[3]];
  for (const kept of tried) await taken(t, file, kept);
  await unlinked(t, file);
  if (mpm !== 'event') return; // other databases are the same to every MPM
  if (here.postgres) {
    const db = await startPostgres(t);
    await ctl(db, 'migrate');
    await taken(t, db, ways[1]);
    await unlinkedMeanwhile(t, db);
    await interleaved(t, db, ways[0]);
    await interleaved(t, db, ways[1]);
    await interleaved(t, db, ways[3]);
  } else t.skip('PostgreSQL', `install ${here.lacking.join(' ')}`);
  if (here.mariadb) {
    const db = await startMariadb(t);
    await ctl(db, 'migrate');
    await taken(t, db, ways[0]);
  } else t.skip('MariaDB', `install ${here.lacking.join(' ')}`);
});
