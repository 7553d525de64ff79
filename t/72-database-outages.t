#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd, roomy, until } = require('./lib/httpd.js');
const { apart, signedIn, statusOf } = require('./lib/client.js');
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { startLoad } = require('./lib/load.js');
const { databasesHere, startPostgres, startPostgresPair, startMariadb, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');

const NAME = 'next-auth.session-token';
const users = htpasswd({ ada: 'x' });
const config = (database, more = '') => `
NextAuthEngine On
NextAuthMode test
${roomy}
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of databases that go away"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthDatabase ${database} timeout=1s
NextAuthSessionStrategy database
NextAuthSessionStore database checkInterval=0
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const members = (clients) => {
  const headers = clients.map((client) => ({ cookie: `${NAME}=${client.cookie(NAME)}` }));
  return (worker) => ({ path: '/members/', headers: headers[worker % headers.length] });
};

// Another program that writes to the file and takes its time.
async function lock(db) {
  const child = spawn('sqlite3', [db.file], { stdio: ['pipe', 'pipe', 'inherit'] });
  let held = false;
  child.stdout.on('data', () => { held = true; });
  child.stdin.write("BEGIN EXCLUSIVE; SELECT 'held';\n");
  await until('the lock is held', () => held);
  return { locked: () => held, free: () => new Promise((resolve) => { child.on('exit', resolve); child.stdin.end('ROLLBACK;\n'); }) };
}
const lines = (site, pattern) => (site.log().match(pattern) || []).length;

suite('A database that goes away and comes back, and its replica', async (t) => {
  const here = databasesHere();
  if (!here.postgres) t.skipAll(`install ${here.lacking.join(' ')}`);

  for (const [engine, start] of [['PostgreSQL', startPostgres], ['MariaDB', startMariadb]]) {
    if (engine === 'MariaDB' && !here.mariadb) continue;
    t.section(`${engine} is restarted under load`);
    // what MariaDB has promised to keep must be out of its own memory when it is killed
    const db = await start(t, engine === 'MariaDB' ? { settings: { 'innodb-flush-log-at-trx-commit': 1 } } : {});
    await nextauthctl(db, ['migrate']);
    const site = await t.httpd({ files: { users }, config: config(db.url) });
    const clients = await Promise.all(Array.from({ length: 4 }, () => signedIn(site)));
    t.is(await Promise.all(clients.map(statusOf)), [200, 200, 200, 200], 'sessions are there') || t.diag(`${clients.map(({ answer }) => answer.status)} ${site.log().slice(-3000)}`);
    const load = startLoad(site.url, 8, members(clients));
    await load.more(200, 50);
    await db.stop('SIGKILL');
    await load.more(503, 50);
    t.is((await signedIn(site)).answer.status, 503, 'nobody signs in meanwhile, and is told to try again');
    await db.start();
    await until('sessions are back', async () => (await statusOf(clients[0])) === 200);
    await load.stop();
    t.is(Object.keys(load.counts).sort(), ['200', '503'], 'under load there were no other answers', load.counts);
    const after = await Promise.all(Array.from({ length: 12 }, (_, i) => signedIn(site, 'ada', 'x', apart(i))));
    t.is(after.map(({ answer }) => answer.status), Array(12).fill(302), 'after its return no sign-in fails');
    t.is(await Promise.all([...clients, ...after].map(statusOf)), Array(16).fill(200), 'and nobody was signed out');
    const [downs, backs] = [lines(site, /database: \S+ at \S+ is down: /g), lines(site, /database: \S+ at \S+ is back, after \d+ s/g)];
    t.ok(downs === backs && downs < 6, 'the log has a line for each change, of which a server that starts makes some', `${downs} ${backs}`);
  }

  t.section('a frozen database holds nobody up');
  {
    const db = await startPostgres(t);
    await nextauthctl(db, ['migrate']);
    const site = await t.httpd({ files: { users }, config: config(db.url) });
    const c = await signedIn(site);
    db.kill('SIGSTOP');
    const load = startLoad(site.url, 8, members([c]));
    await load.more(503, 50);
    t.is((await c.get('/public.html')).status, 200, 'public pages are served');
    db.kill('SIGCONT');
    await until('sessions are back', async () => (await statusOf(c)) === 200);
    await load.stop();
    t.ok(!Object.keys(load.counts).some((status) => !['200', '503'].includes(status)), 'answers are 200 or 503', load.counts);
  }

  t.section('a primary with a replica');
  {
    const pair = await startPostgresPair(t);
    await nextauthctl(pair.primary, ['migrate']);
    const site = await t.httpd({ files: { users }, config: config(pair.primary.url, '').replace(' timeout=1s', ` timeout=1s replica=${pair.replica.url}`) });
    const clients = await Promise.all(Array.from({ length: 4 }, () => signedIn(site)));
    await pair.caughtUp();
    const load = startLoad(site.url, 8, members(clients));
    await load.more(200, 50);
    await pair.primary.stop('SIGKILL');
    await until('that is noticed', () => /database: \S+ at \S+ is down: /.test(site.log()));
    await load.more(200, 200);
    t.is(await Promise.all(clients.map(statusOf)), [200, 200, 200, 200], 'with the primary gone, sessions are read from the replica');
    t.is((await clients[0].session()).user.name, 'ada', 'by the session endpoint, too');
    t.is((await signedIn(site)).answer.status, 503, 'what has to be written is refused');
    await pair.primary.start();
    await until('the primary is back', async () => (await signedIn(site)).answer.status === 302);
    await load.stop();
    t.ok(!Object.keys(load.counts).some((status) => !['200', '503'].includes(status)), 'under load nobody was signed out', load.counts);
    t.ok((load.counts[503] || 0) < load.counts[200] / 5, 'and nearly all were served', load.counts);
    t.is(await Promise.all(clients.map(statusOf)), [200, 200, 200, 200], 'then all is as before');
  }

  t.section('SQLite: locked, broken, and never made');
  {
    const db = sqlite(t);
    await nextauthctl(db, ['migrate']);
    const site = await t.httpd({ files: { users }, config: config(db.url) });
    const c = await signedIn(site);
    const { locked, free } = await lock(db);
    const at = Date.now();
    t.is((await signedIn(site)).answer.status, 503, 'somebody else holds the lock: nobody signs in');
    t.ok(Date.now() - at < 60_000, 'and nobody waits for ever');
    t.is(locked(), true, 'while it is held');
    await free();
    await until('it is given back', async () => (await signedIn(site)).answer.status === 302);
    t.is(await statusOf(c), 200, 'then all is well');
    fs.writeFileSync(db.file, Buffer.alloc(65536, 'x'));
    await site.reload();
    const answers = new Set();
    for (let i = 0; i < 40; i += 1) answers.add(await statusOf(c));
    t.is([...answers], [503], 'a file that is broken: 503');
    t.is((await c.get('/public.html')).status, 200, 'what needs no session is served');
    t.ok(lines(site, /database: SQLite \S+ is down: /g) <= 4, 'and the log is not filled', site.log().slice(-2000));
  }
  {
    const db = sqlite(t);
    const site = await t.httpd({ files: { users }, config: config(db.url) });
    t.is((await signedIn(site)).answer.status, 503, 'tables that were never made: 503');
    t.like(site.log(), /no such table: users/, 'and the log says what is missing');
  }

  t.section('configuration');
  for (const [what, text, message] of [
    ['an odd address', config('oracle://localhost/x'), /NextAuthDatabase on line .*postgresql:\/\/, mysql:\/\/, sqlite:PATH, or mongodb:\/\//],
    ['a password that MySQL\'s driver cannot carry', config('mysql://u:a%20b@localhost/x'), /NextAuthDatabase on line .*does not support a password with a space/],
    ['TLS of MySQL', config('mysql://u@localhost/x?ssl-mode=REQUIRED'), /option file/],
    ['a file of names that is not there', config('sqlite:x schema=names:/nowhere/names'), /could not open '\/nowhere\/names': No such file/],
    ['an unknown schema', config('sqlite:x schema=mongo'), /unknown schema 'mongo': expected one of authjs, authjs-uuid, prisma/],
    ['a replica of another kind', config('sqlite:x replica=postgresql://localhost/x'), /invalid replica=: it is not the same kind of database as its primary/],
    ['a replica that is the primary', config('sqlite:x replica=sqlite:x'), /invalid replica=: it is the primary itself/],
    ['a store without a database', config('sqlite:x').replace(/NextAuthDatabase .*/, ''), /session store database requires NextAuthDatabase/],
  ]) {
    const result = await t.configtest({ files: { users }, config: text });
    t.ok(result.status !== 0 && message.test(result.output), `${what} is explained`, result.output);
  }
});
