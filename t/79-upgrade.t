#!/usr/bin/env node
'use strict';
// The upgrade of docs/operations.md, command by command, while two servers work.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { htpasswd, moduleFile, root } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { startDatabases } = require('./lib/databases.js');
const { nextauthctl, secretFile } = require('./lib/ctl.js');

const BEFORE = 5; // the step that production is at
const modules = '/usr/lib/apache2/modules';

const config = (db) => `LoadModule nextauth_module @DIR@/mod_nextauth.so
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of a site that is upgraded"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthDatabase ${db.url} timeout=30s
NextAuthSessionStore database checkInterval=0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /nextauth-diagnostics>
  SetHandler nextauth-diagnostics
  Require local
</Location>`;

/* The commands of a section, in their order. */
function commandsOf(heading) {
  const text = fs.readFileSync(`${root}/docs/operations.md`, 'utf8');
  const [, section] = text.split(`## ${heading}\n`);
  return section.split(/^## /m)[0].match(/^ {4,}(?:nextauthctl|sudo|curl) .*$/gm).map((line) => line.trim());
}

async function stagingOf(db) {
  if (db.engine === 'sqlite') return `sqlite:${db.dir}/staging.db`;
  await db.admin(db.engine === 'postgres' ? 'CREATE DATABASE staging OWNER nextauth' : "CREATE DATABASE staging; GRANT ALL ON staging.* TO nextauth@'%'");
  return db.url.replace(/\/nextauth(?=\?|$)/, '/staging');
}

// ── work that goes on ───────────────────────────────────────────────────────────────────────────

/* Users come and go at each server. Gives stop(), which gives all statuses that were not expected. */
function work(sites) {
  const wrong = [];
  let done = 0;
  let over = false;
  const expect = (what, status, expected) => { done += 1; if (status !== expected) wrong.push(`${what}: ${status}`); };
  const at = async (site) => {
    while (!over) {
      const user = await signedIn(site);
      expect('a sign-in', user.answer.status, 302);
      expect('a page', await statusOf(user), 200);
      await user.signOut();
      expect('the page afterwards', await statusOf(user), 401);
    }
  };
  const all = Promise.all(sites.map(at));
  return async () => { over = true; await all; return { wrong, done }; };
}

// ── the commands ────────────────────────────────────────────────────────────────────────────────

async function upgrade(t, db) {
  t.section(`${db.engine}: two servers are upgraded`);
  const file = secretFile(db, 'database-url', `${db.url}\n`);
  const staging = secretFile(db, 'staging-url', `${await stagingOf(db)}\n`);
  const ctl = (line) => nextauthctl({ ...db, url: '' }, line.replaceAll('/etc/nextauth/database-url', file)
    .replaceAll('/etc/nextauth/staging-url', staging).split(' ').slice(1));
  t.is((await ctl(`nextauthctl migrate --to ${BEFORE} --database file:/etc/nextauth/database-url`)).status, 0, `production is at step ${BEFORE}`);
  const files = { users: htpasswd({ ada: 'x' }), 'mod_nextauth.so': fs.readFileSync(moduleFile), 'mod_nextauth.so.new': fs.readFileSync(moduleFile) };
  const sites = [await t.httpd({ without: true, files, config: config(db) }), await t.httpd({ without: true, files, config: config(db) })];
  const versionsOf = async () => Promise.all(sites.map(async (site) => (await new Client(site).get('/nextauth-diagnostics')).json.database));
  const users = [await signedIn(sites[0]), await signedIn(sites[1])];
  const stop = work(sites);
  const [old] = await versionsOf();
  t.is([old.schemaVersion, old.migrations.status], [BEFORE, 'incomplete: nextauthctl migrate'], 'which diagnostics show');
  const newest = old.migrations.known;

  const run = {
    nextauthctl: async (line) => {
      const { status, stdout, stderr } = await ctl(line);
      t.is(status, 0, line, stderr);
      if (/--status/.test(line)) t.like(stdout, new RegExp(`^✓ +${BEFORE} .*\n· +${BEFORE + 1} `, 'm'), '  shows what is applied, and what is not');
      if (/--dry-run/.test(line)) t.like(stdout, /^ +.*INDEX.*;$/m, '  prints the SQL');
      if (/--dry-run/.test(line)) t.is((await versionsOf())[0].schemaVersion, /--to/.test(line) ? newest : BEFORE, '  and changes nothing');
    },
    curl: async (line) => {
      t.is((await versionsOf()).map(({ schemaVersion, migrations }) => [schemaVersion, migrations.status]), sites.map(() => [newest, 'complete']), line);
    },
    // what is done on one server after the other
    sudo: async (lines) => {
      for (const [i, site] of sites.entries()) {
        for (const line of lines) {
          const words = line.replaceAll(modules, site.dir).split(' ').slice(1);
          if (/^(cp|mv)$/.test(words[0])) execFileSync(words[0], words.slice(1));
          else await site.reload();
        }
        t.is(await statusOf(users[i]), 200, `server ${i + 1}: the module is replaced, nobody is signed out`);
      }
    },
  };
  const commands = commandsOf('Upgrade without downtime');
  t.ok(commands.length > 10, `${commands.length} commands`);
  const deployment = commands.filter((line) => line.startsWith('sudo'));
  for (const line of commands) {
    const [program] = line.split(' ');
    if (program !== 'sudo') await run[program](line);
    else if (line === deployment[0]) await run.sudo(deployment);
  }
  t.is((await versionsOf())[0].schemaVersion, BEFORE, `the last command went back to step ${BEFORE}`);
  await ctl('nextauthctl migrate --database file:/etc/nextauth/database-url');

  // A later version adds, as all do.
  await db.sql(`CREATE TABLE nextauth_later (id INTEGER)`);
  await db.sql('ALTER TABLE nextauth_credentials ADD COLUMN later INTEGER');
  await db.sql(`INSERT INTO nextauth_migrations (version, name, applied_at) VALUES (${newest + 1}, 'later', 0)`);
  t.is((await versionsOf())[1].migrations.status, 'newer than this module', 'steps of a later version, with this module');
  t.is([await statusOf(users[0]), await statusOf(await signedIn(sites[1]))], [200, 200], '  which goes on');
  const { wrong, done } = await stop();
  t.is(wrong, [], `all the while, ${done} requests of users succeeded`, ...sites.map((site) => site.log().split('\n').filter((line) => /:(warn|error)\]/.test(line)).slice(0, 20).join('\n')));
  t.ok(done > 20, '  which were some');
}

suite('Upgrade without downtime', async (t) => {
  t.withOneMpm();
  for (const db of await startDatabases(t)) await upgrade(t, db);
});
