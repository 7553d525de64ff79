#!/usr/bin/env node
'use strict';
// A user who lost the device with all passkeys: what an administrator removes, and what remains.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { enginesOfRound, mongodbLacks, startDatabases, startMongodb } = require('./lib/databases.js');
const { addUser, ctl, nextauthctl } = require('./lib/ctl.js');
const { Passkey, addPasskey, usePasskey } = require('./lib/passkeys.js');

const SECRET = 'the secret of lost passkeys is long';
const GOOD = 'seven lanterns under water';
const files = { 'htdocs/members/index.html': 'members' };
const config = (db) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthProvider passkey
NextAuthPasswords hash=bcrypt:10
NextAuthSessionStore database checkInterval=0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

const isIn = async (client) => (await client.get('/members/')).status === 200;
const TABLES = ['accounts', 'authenticators', 'nextauth_secrets'];

// How many rows of passkeys there are of all users, in each table.
async function rowsOf(db) {
  if (db.with) return db.with((mongo) => Promise.all(TABLES.map((table) => mongo.collection(table).countDocuments({}))));
  return Promise.all(TABLES.map(async (table) => Number((await db.sql(`SELECT count(*) AS n FROM ${table}`))[0].n)));
}

const eventsOf = async (db, email) => (db.with ? db.with((mongo) => mongo.collection('nextauth_audit').find({ email }).toArray())
  : db.sql(`SELECT event, provider, detail FROM nextauth_audit WHERE email = '${email}'`));

async function signIn(site, email) {
  const client = new Client(site);
  client.answer = await client.credentials(email, GOOD);
  return client;
}

// A user with as many passkeys, who is signed in.
async function withPasskeys(db, site, email, count) {
  await addUser(db, email, GOOD, '--hash', 'bcrypt:10');
  const client = await signIn(site, email);
  const passkeys = Array.from({ length: count }, () => new Passkey(site.url));
  for (const passkey of passkeys) await addPasskey(client, passkey, { name: 'Phone' });
  return { client, passkeys };
}

async function cases(t, db) {
  t.section(`${db.engine}: a lost device`);
  await ctl(db, 'migrate');
  const site = await t.httpd({ files, config: config(db) });
  const { client: ada, passkeys: lost } = await withPasskeys(db, site, 'ada@example.org', 2);
  const { passkeys: [others] } = await withPasskeys(db, site, 'bob@example.org', 1);
  t.is([await rowsOf(db), await isIn(ada)], [[3, 3, 3], true], 'two users have three passkeys');
  await site.reload(`${config(db)}\nNextAuthTwoFactor Required`);
  t.like((await signIn(site, 'ada@example.org')).answer.location, /\/two-factor$/, 'who has passkeys is asked for one');

  await ctl(db, 'user', 'reset-2fa', 'ada@example.org');
  t.is(await rowsOf(db), [3, 3, 3], 'reset-2fa keeps them');
  const done = await nextauthctl(db, ['user', 'reset-2fa', '--passkeys', 'ada@example.org']);
  t.is([done.status, /^without a second factor: /.test(done.stdout)], [0, true], 'with --passkeys, it succeeds', done.stderr);
  t.is(await rowsOf(db), [1, 1, 1], 'and removes account, authenticator, and name of each, but those of another user');
  const events = await eventsOf(db, 'ada@example.org');
  t.is(events.filter(({ event }) => event === 'ACCOUNT_UNLINK').map(({ provider, detail }) => [provider, /^account \S+, by /.test(detail)]), [['passkey', true], ['passkey', true]], 'the audit log has each');
  t.is(events.filter(({ event, detail }) => event === 'TWO_FACTOR_DISABLE' && /^passkeys, by /.test(detail)).length, 1, '  and the command');

  t.section(`${db.engine}: what follows`);
  t.like((await signIn(site, 'ada@example.org')).answer.location, /\/two-factor-setup$/, 'the user can set up another factor');
  t.like((await signIn(site, 'bob@example.org')).answer.location, /\/two-factor$/, 'the other user is asked as before');
  await site.reload(config(db));
  await until('all sessions end', async () => !(await isIn(ada)));
  t.ok(true, 'all sessions of the user end');
  const finder = new Client(site);
  await usePasskey(finder, lost[0]);
  t.ok(!(await isIn(finder)), 'a passkey that was removed does not sign in');
  const bob = new Client(site);
  await usePasskey(bob, others);
  t.ok(await isIn(bob), 'that of the other user does');
  const again = await signIn(site, 'ada@example.org');
  await addPasskey(again, lost[0]);
  t.is(await rowsOf(db), [2, 2, 2], 'one that was found again can be added');
  t.is((await nextauthctl(db, ['user', 'reset-2fa', '--passkeys', 'carol@example.org'])).status, 1, 'a user who does not exist is an error');
}

suite('Lost passkeys', async (t) => {
  t.withOneMpm();
  for (const db of await startDatabases(t, enginesOfRound)) await cases(t, db);
  if (mongodbLacks()) return t.skip('MongoDB', mongodbLacks());
  return cases(t, await startMongodb(t));
});
