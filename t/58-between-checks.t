#!/usr/bin/env node
'use strict';
// What a process learnt of a session counts for a while (checkInterval, whenDown=serve). Nothing
// that a user can show in that time may bring back what was taken away.
const { suite } = require('./lib/suite.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { addUser, ctl } = require('./lib/ctl.js');
const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const config = (db, kept) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of rights that are taken away"
NextAuthDatabase ${db.url} timeout=20s
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
${kept}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>`;
const cookie = (value) => ({ cookie: `${NAME}=${value}` });
const now = () => Date.now();

suite('What was taken away does not come back between two checks, nor in an outage', async (t) => {
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);

  t.section('two tokens of one session, of which one lets the other go on');
  const db = sqlite(t);
  await ctl(db, 'migrate');
  for (const kept of ['NextAuthSessionStore none checkInterval=2', 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=2']) {
    const email = `${now()}@example.org`;
    await addUser(db, email, GOOD);
    await ctl(db, 'role', 'grant', email, 'admin');
    const site = await t.httpd({ config: config(db, kept) });
    const ada = await signedIn(site, email, GOOD);
    const first = ada.cookie(NAME);
    await ada.session();
    const second = ada.cookie(NAME);
    const ask = async (value) => (await new Client(site).get('/admin/', { headers: cookie(value) })).status;
    const seen = new Set();
    for (let i = 0; i < 40; i += 1) for (const value of [first, second]) seen.add(await ask(value));
    t.is([first !== second, ...seen], [true, 200], 'both tokens are an administrator\'s, in every process');
    await ctl(db, 'role', 'revoke', email, 'admin');
    // the first is always shown before the second, so that it is the one that is checked
    const both = async () => [await ask(first), await ask(second)];
    const revoked = now();
    const late = [];
    while (now() - revoked < 9000) { // several intervals: time is what is tested
      const asked = now();
      const answers = await both();
      if (asked - revoked > 3000) late.push(...answers); // an interval, and a second for whole ones
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    t.is([...new Set(late)], [403], 'neither is once the interval is over');
  }

  t.section('a migration that is taken back and done again');
  {
    const email = `${now()}@example.org`;
    await addUser(db, email, GOOD);
    const site = await t.httpd({ config: config(db, 'NextAuthSessionStore none checkInterval=0') });
    const ada = await signedIn(site, email, GOOD);
    const token = ada.cookie(NAME);
    const ask = async () => (await new Client(site).get('/members/', { headers: cookie(token) })).status;
    t.is(await ask(), 200, 'a session');
    await ctl(db, 'user', 'set-password', '--password-file', `${db.dir}/password`, email);
    t.is(await ask(), 401, 'a new password ends it');
    await ctl(db, 'migrate', '--to', '4');
    await ctl(db, 'migrate');
    await site.reload();
    t.is(await ask(), 401, 'it does not begin again with a new table of revisions');
    t.is(await statusOf(await signedIn(site, email, GOOD)), 200, 'a new sign-in does');
  }

  t.section('a number that is given twice, as SQLite does where an application made the table');
  {
    const made = sqlite(t);
    await made.sql('CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT UNIQUE, "emailVerified" TEXT, image TEXT)');
    await ctl(made, 'migrate');
    await addUser(made, 'carol@example.org', GOOD);
    await ctl(made, 'role', 'grant', 'carol@example.org', 'admin');
    const [{ id }] = await made.sql('SELECT id FROM users');
    await made.sql(`INSERT INTO accounts ("userId", type, provider, "providerAccountId") VALUES (${id}, 'oauth', 'op', 'carol')`);
    const site = await t.httpd({ config: config(made, 'NextAuthSessionStore none checkInterval=0') });
    const carol = (await signedIn(site, 'carol@example.org', GOOD)).cookie(NAME);
    const ask = async () => (await new Client(site).get('/members/', { headers: cookie(carol) })).status;
    t.is(await ask(), 200, 'Carol\'s session');
    await made.sql('DELETE FROM users');
    await addUser(made, 'dave@example.org', GOOD);
    t.is((await made.sql('SELECT id FROM users'))[0].id, id, 'an application deletes her, and Dave gets her number');
    t.is([await ask(), await statusOf(await signedIn(site, 'dave@example.org', GOOD))], [401, 200], 'her session is not his');
    t.is([await made.sql('SELECT * FROM nextauth_roles'), await made.sql('SELECT * FROM accounts')], [[], []], 'nor are her roles and accounts');
  }

  t.section('an outage of the store');
  if (redisIsHere()) {
    const redis = await startRedis(t);
    const email = `${now()}@example.org`;
    await addUser(db, email, GOOD);
    // no process that knows neither comes while the store is down
    const fixed = process.env.NEXTAUTH_MPM === 'prefork' ? '\nStartServers 3\nMinSpareServers 1\nMaxSpareServers 3\nMaxRequestWorkers 3' : '';
    const site = await t.httpd({ config: config(db, `NextAuthRedis ${redis.url} timeout=300ms\nNextAuthSessionStore redis checkInterval=0 whenDown=serve:600${fixed}`) });
    const [ada, bob] = [await signedIn(site, email, GOOD), await signedIn(site, email, GOOD)];
    const ask = async (value) => (await new Client(site).get('/members/', { headers: cookie(value) })).status;
    const copy = bob.cookie(NAME);
    const all = async (value) => {
      // several at once, so that they come to every process
      const seen = new Set();
      for (let i = 0; i < 10; i += 1) for (const status of await Promise.all(Array.from({ length: 12 }, () => ask(value)))) seen.add(status);
      return [...seen];
    };
    t.is([await all(ada.cookie(NAME)), await all(copy)], [[200], [200]], 'two sessions that each process knows');
    await bob.signOut();
    t.is(await all(copy), [401], 'of which one ends, as each process learns');
    redis.kill('SIGSTOP');
    t.is(await all(ada.cookie(NAME)), [200], 'while the store is down, the other goes on');
    t.is((await all(copy)).includes(200), false, 'and the one that was refused does not begin again');
    redis.kill('SIGCONT');
  } else t.skip('Redis', 'redis-server is not here');
});
