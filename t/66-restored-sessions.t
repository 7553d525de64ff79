#!/usr/bin/env node
'use strict';
// A database that is restored knows nothing of who came after the backup: nobody else may become
// that user.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { startDatabases } = require('./lib/databases.js');
const { addUser, ctl, empty } = require('./lib/ctl.js');

// A file of SQLite that was removed is still there for whoever has it open.
const reopen = (db, site, kept) => (db.engine === 'sqlite' ? site.reload(config(db, kept)) : undefined);
const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const config = (db, kept) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of a site that is restored"
NextAuthDatabase ${db.url} timeout=20s
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthSessionClaim sub
${kept}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

const addNamed = (db, name) => addUser(db, `${name}@example.org`, GOOD);

async function carol(t, db, what, kept) {
  t.section(`${db.engine}, ${what}: Carol came after the backup`);
  await empty(db);
  await ctl(db, 'migrate');
  const site = await t.httpd({ config: config(db, kept) });
  const enter = (name) => signedIn(site, `${name}@example.org`, GOOD);
  for (const name of ['ada', 'bob']) await addNamed(db, name);
  const file = `${db.dir}/${what.replaceAll(/\W/g, '-')}.jsonl`;
  await ctl(db, 'backup', file);
  const id = await addNamed(db, 'carol');
  const [ada, lost] = [await enter('ada'), await enter('carol')];
  t.is([await statusOf(ada), await statusOf(lost), (await lost.session()).user.id], [200, 200, id], 'both are signed in');

  await empty(db);
  await ctl(db, 'migrate');
  await ctl(db, 'restore', file);
  await reopen(db, site, kept);
  t.isnt(await addNamed(db, 'dave'), id, 'the next new user does not get Carol\'s ID');
  await db.sql(`INSERT INTO users (id, name, email) VALUES (${id}, 'Eve', 'eve@example.org')`);
  const who = async (c) => (await c.get('/api/auth/session')).json.user;
  const copy = new Client(site); // one that nothing clears
  const ask = async () => (await copy.get('/members/', { headers: { cookie: `${NAME}=${lost.cookie(NAME)}` } })).status;
  const token = lost.cookie(NAME);
  await until('the restore is noticed', async () => (await copy.get('/members/', { headers: { cookie: `${NAME}=${token}` } })).status === 401);
  t.is([await ask(), await who(lost)], [401, undefined], '  and even who had it would not be who Carol\'s session is');
  t.is([await statusOf(ada), await who(ada)], [401, undefined], 'sessions from before are over');
  t.is((await who(await enter('ada'))).email, 'ada@example.org', 'and users of the backup sign in again');
}

async function moved(t, db, kept) {
  t.section(`${db.engine}: a database that moves keeps its sessions`);
  await empty(db);
  await ctl(db, 'migrate');
  const site = await t.httpd({ config: config(db, kept) });
  await addNamed(db, 'ada');
  const ada = await signedIn(site, 'ada@example.org', GOOD);
  await ctl(db, 'backup', `${db.dir}/moves.jsonl`);
  await empty(db);
  await ctl(db, 'migrate');
  await ctl(db, 'restore', '--keep-sessions', `${db.dir}/moves.jsonl`);
  await reopen(db, site, kept);
  t.is((await ada.get('/api/auth/session')).json.user?.email, 'ada@example.org', '--keep-sessions');

  await empty(db);
  await ctl(db, 'migrate');
  await addNamed(db, 'eve');
  await reopen(db, site, kept);
  await until('the new database is noticed', async () => (await statusOf(ada)) === 401);
  t.ok(true, 'but a database that was made anew has none of them, whoever has the ID now');
}

suite('Sessions of a database that is restored', async (t) => {
  t.withOneMpm();
  const all = await startDatabases(t);
  for (const db of all) {
    await carol(t, db, 'jwt', 'NextAuthSessionStore none checkInterval=0');
    if (db === all[0]) await carol(t, db, 'a table of sessions', 'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0');
    if (db === all[0]) await carol(t, db, 'sessions in shared memory', 'NextAuthSessionStrategy database\nNextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0');
    await moved(t, db, 'NextAuthSessionStore none checkInterval=0');
  }
});
