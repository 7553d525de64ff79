#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');

const config = (db) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of tables that are not there"
NextAuthDatabase ${db.url}
NextAuthMail log from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthFeature signUp On
NextAuthSessionStore none`;
const told = /tables are missing: .*: run nextauthctl migrate/;

async function missing(t, db, what) {
  t.section(`${db.engine}: ${what}`);
  const site = await t.httpd({ config: config(db) });
  const c = new Client(site);
  const logged = async (act) => {
    const before = site.log().length;
    const { status } = await act();
    return [status, site.log().slice(before)];
  };
  for (const [name, act] of [['a sign-in', async () => c.credentials('ada@example.org', 'x')],
    ['a sign-up', async () => c.post('/api/auth/signup', { csrfToken: await c.csrf(), email: 'ada@example.org' })]]) {
    const [status, log] = await logged(act);
    t.is(status, 503, `${name} is put off`);
    t.like(log, told, '  and the log says why');
    t.unlike(log, /rolled back|Conflict|is down/, '  and nothing else');
  }
  for (const args of [['user', 'list'], ['user', 'show', 'ada@example.org'], ['user', 'add', '--email', 'eve@example.org']]) {
    const { status, stderr } = await nextauthctl(db, args);
    t.is([status, told.test(stderr)], [1, true], `nextauthctl ${args.join(' ')} says it, too`, stderr);
  }
}

suite('Tables that are missing are told as that, and nextauthctl migrate makes them', async (t) => {
  t.withOneMpm();
  for (const db of await startDatabases(t, enginesOfRound)) {
    await missing(t, db, 'an empty database');
    t.is((await nextauthctl(db, ['migrate'])).status, 0, 'migrate');
    t.is((await nextauthctl(db, ['user', 'add', '--email', 'ada@example.org'])).status, 0, '  is what was wanted');
    await db.sql('DELETE FROM nextauth_migrations WHERE version > 1');
    await db.sql('DROP TABLE nextauth_roles');
    t.section(`${db.engine}: tables of an older version`);
    t.like((await nextauthctl(db, ['user', 'show', 'ada@example.org'])).stderr, told, 'are told as well');
  }
});
