#!/usr/bin/env node
'use strict';
// The steps of docs/operations.md, with the real programs.
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, moduleFile, root, until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { databasesHere, startPostgres, sqlite } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { nextauthctl, tablesOf } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { startOp } = require('./lib/op.js');
const { seal } = require('./lib/token.js');

const NAME = 'next-auth.session-token';
const knowsAudit = /### NextAuthAuditLog/.test(fs.readFileSync(`${root}/docs/directives.md`, 'utf8'));
const users = htpasswd({ ada: 'x' });
const config = (secrets, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${secrets}
NextAuthProvider credentials backend=file:@DIR@/users
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /nextauth-sessions>
  SetHandler nextauth-sessions
  Require local
</Location>
<Location /nextauth-health>
  SetHandler nextauth-health
</Location>`;

const showing = (site, token) => ({ get: (where) => new Client(site).get(where, { headers: { cookie: `${NAME}=${token}` } }) });
const healthOf = async (site) => (await new Client(site).get('/nextauth-health')).json;
const ctl = (dir, ...args) => nextauthctl({ dir, url: '' }, args);

async function newSecret(file) {
  const { stdout } = await ctl(path.dirname(file), 'secret');
  fs.writeFileSync(file, stdout, { mode: 0o600 });
  return stdout.trim();
}

// ── the secret is known to somebody ─────────────────────────────────────────────────────────────

async function secretLeaked(t) {
  t.section('the secret has leaked');
  const redis = await startRedis(t);
  const more = `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis checkInterval=0`;
  const files = { users, secret: { text: `${'leaked-'.repeat(6)}\n`, mode: 0o600 } };
  const site = await t.httpd({ files, config: config('file:@DIR@/secret', more) });
  const ada = await signedIn(site);
  await statusOf(ada); // from here on the store remembers
  const now = Math.floor(Date.now() / 1000) + 1;
  const forged = showing(site, seal('leaked-'.repeat(6), { sub: 'admin', provider: 'credentials', roles: ['admin'], iat: now, exp: now + 3600 }));
  t.is([await statusOf(forged), await statusOf(ada)], [200, 200], 'who has the secret is whoever he wants to be');
  await newSecret(`${site.dir}/secret`);
  await site.reload();
  t.is([await statusOf(forged), await statusOf(ada)], [401, 401], 'the new one alone: every session has ended, the forged ones, too');
  t.is(await statusOf(await signedIn(site)), 200, 'people sign in again');

  t.section('the secret is changed in time');
  const eve = await signedIn(site);
  fs.renameSync(`${site.dir}/secret`, `${site.dir}/secret-old`);
  await newSecret(`${site.dir}/secret`);
  await site.reload(config('file:@DIR@/secret file:@DIR@/secret-old', more));
  t.is(await statusOf(eve), 200, 'new and old: nobody is signed out');
  await eve.session();
  await site.reload(config('file:@DIR@/secret', more));
  t.is(await statusOf(eve), 200, 'nor later, without the old one, who came by meanwhile');
}

async function leakedWithSessionsInTheDatabase(t) {
  t.section('the secret has leaked, sessions are in NextAuth\'s table');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const files = { users, secret: { text: `${'leaked-'.repeat(6)}\n`, mode: 0o600 } };
  const site = await t.httpd({ files, config: config('file:@DIR@/secret', `NextAuthDatabase ${db.url}\nNextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0`) });
  const ada = await signedIn(site);
  await newSecret(`${site.dir}/secret`);
  await site.reload();
  t.is(await statusOf(ada), 401, 'the new one alone ends them as well');
  const [{ id }] = await db.sql('SELECT id FROM users');
  const ofAuthJs = showing(site, 'a'.repeat(40));
  await db.sql(`INSERT INTO sessions ("sessionToken", "userId", expires) VALUES ('${'a'.repeat(40)}', ${id}, '2099-01-01T00:00:00.000Z')`);
  t.is(await statusOf(ofAuthJs), 200, 'not those that Auth.js made: no secret is in them');
  await db.sql('DELETE FROM sessions');
  t.is(await statusOf(ofAuthJs), 401, 'which are deleted in the table');
  t.is(await statusOf(await signedIn(site)), 200, 'people sign in again');
}

// ── a provider does not answer ──────────────────────────────────────────────────────────────────

async function providerOutage(t) {
  t.section('a provider is out');
  const port = await freePort();
  const options = { port: await freePort(), clients: [{ client_id: 'site', client_secret: 's', redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`] }] };
  const op = await startOp(t, options);
  const provider = `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=site clientSecret=s`;
  const secret = '"the secret of a site with providers"';
  const site = await t.httpd({ port, files: { users }, config: config(secret, provider) });
  const alice = new Client(site);
  await op.login(alice, await alice.signIn('acme'), 'alice');
  t.is(await statusOf(alice), 200, 'somebody is signed in by it');
  const pending = new Client(site);
  const callback = await op.authorize(pending, await pending.signIn('acme'), 'bob');
  await op.stop();
  await pending.page(callback);
  await until('health knows', async () => (await healthOf(site)).checks.providers.status === 'down');
  t.is((await healthOf(site)).status, 'degraded', 'health says degraded');
  t.like(site.log(), /provider acme is down: no response/, 'the log, which provider');
  t.is(await statusOf(alice), 200, 'who is signed in stays so');
  await site.reload(config(secret, ''));
  t.unlike((await new Client(site).page('/api/auth/signin')).text, /acme/i, 'without its directive nobody is sent there');
  t.is(await statusOf(alice), 200, 'and who is signed in by it stays so');
  await startOp(t, options);
  await site.reload(config(secret, provider));
  const back = new Client(site);
  t.ok((await new Client(site).get('/api/auth/providers')).json.acme, 'it is back among the providers');
  t.is((await back.signIn('acme')).status, 302, 'and people are sent there again');
}

// Asks for a link as a person would, and presses the button on the page that it leads to.
async function signInByMail(site, mail, email) {
  const before = mail.mails.length;
  const client = new Client(site);
  await client.signIn('email', { email });
  await until('a mail arrives', () => mail.mails.length > before);
  const page = await client.open(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)[1];
  await client.post('/api/auth/callback/email', Object.fromEntries(['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, field(name)])));
  return client;
}

async function mailInsteadOfProvider(t) {
  t.section('a provider is out: its people sign in by mail');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const mail = await startMail(t, { tls: 'none' });
  const port = await freePort();
  const op = await startOp(t, { clients: [{ client_id: 'site', client_secret: 's', redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`] }] });
  const provider = `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=site clientSecret=s`;
  const siteWith = (...lines) => config('"the secret of a site with a provider and mail"', [`NextAuthDatabase ${db.url}`, `NextAuthMail ${mail.url()} from=no-reply@example.org`, 'NextAuthSessionClaim sub', ...lines].join('\n'));
  const site = await t.httpd({ port, files: { users }, config: siteWith(provider) });
  const alice = new Client(site);
  await op.login(alice, await alice.signIn('acme'), 'alice');
  const { user } = await alice.session();
  t.is(user.email, 'alice@example.org', 'somebody whose only account is there');
  await op.stop();
  await site.reload(siteWith('NextAuthProvider email'));
  const mailed = await signInByMail(site, mail, 'alice@example.org');
  t.is(await statusOf(mailed), 200, 'a mailed link signs her in');
  t.is((await mailed.session()).user.id, user.id, '  as the user who has the address');
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '1', '  and makes no other');
}

// ── the database is lost ────────────────────────────────────────────────────────────────────────

async function databaseLost(t) {
  t.section('the database is lost');
  const db = await startPostgres(t);
  await nextauthctl(db, ['migrate']);
  const site = await t.httpd({ files: { users }, config: config('"the secret of a site with a database"', `NextAuthDatabase ${db.url} timeout=1s\nNextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0`) });
  const ada = await signedIn(site);
  const backup = `${db.dir}/users.jsonl`;
  t.is((await nextauthctl(db, ['backup', backup])).status, 0, 'a backup from before');
  const late = await signedIn(site);
  await db.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  await until('health knows', async () => (await new Client(site).get('/nextauth-health')).status === 503);
  t.is((await healthOf(site)).checks.database.status, 'down', 'health says 503, and why');
  t.is(await statusOf(ada), 503, 'sessions cannot be looked up; nobody is signed out');
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'nextauthctl migrate makes the tables');
  t.is((await nextauthctl(db, ['restore', backup])).status, 0, 'nextauthctl restore fills them');
  await until('health knows', async () => (await healthOf(site)).status === 'healthy');
  t.is([await statusOf(ada), await statusOf(late)], [401, 401], 'httpd needs no restart; everybody signs in again, as who came after the backup cannot be told apart');
  t.is(await statusOf(await signedIn(site)), 200, 'and people sign in');
}

// ── back to the version before ──────────────────────────────────────────────────────────────────

async function rollBack(t) {
  t.section('back to the version before');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const site = await t.httpd({ without: true, files: { users, 'mod_nextauth.so': fs.readFileSync(moduleFile), 'mod_nextauth.so.before': fs.readFileSync(moduleFile) },
    config: `LoadModule nextauth_module @DIR@/mod_nextauth.so\n${config('"the secret of a site that is upgraded"', `NextAuthDatabase ${db.url}\nNextAuthSessionStore database checkInterval=0`)}` });
  const ada = await signedIn(site);
  t.is((await nextauthctl(db, ['backup', `${db.dir}/users.jsonl`])).status, 0, 'a backup');
  fs.renameSync(`${site.dir}/mod_nextauth.so.before`, `${site.dir}/mod_nextauth.so`);
  await site.reload();
  t.is(await statusOf(ada), 200, 'the module of before, moved into its place: nobody is signed out');
  t.is(JSON.parse((await nextauthctl(db, ['migrate', '--status', '--json'])).stdout).steps.every(({ appliedAt, applied }) => appliedAt || applied), true, 'the newer steps may stay');
  t.like((await nextauthctl(db, ['migrate', '--dry-run', '--to', '1'])).stdout, /\S/, '--dry-run shows what going back would do');
  t.is((await nextauthctl(db, ['migrate', '--to', '1'])).status, 0, '--to takes steps back');
  t.ok((await tablesOf(db)).includes('users'), '  and leaves what is the users\'');
  t.is((await nextauthctl(db, ['migrate'])).status, 0, '  and forth again');
  t.is([await statusOf(ada), await statusOf(await signedIn(site))], [401, 200], 'after which users sign in again, as what ended sessions was forgotten');
}

// ── the session store is lost ───────────────────────────────────────────────────────────────────

async function storeLost(t) {
  const redis = await startRedis(t);
  const store = `NextAuthRedis ${redis.url} timeout=500ms\nNextAuthSessionStore redis checkInterval=0`;
  const secret = '"the secret of a site that loses its store"';
  t.section('the session store is lost: jwt');
  const site = await t.httpd({ files: { users }, config: config(secret, store), global: 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)' });
  const [ada, gone] = [await signedIn(site), await signedIn(site)];
  const copy = showing(site, gone.cookie(NAME));
  await gone.signOut();
  t.is([await statusOf(ada), await statusOf(copy)], [200, 401], 'one session goes on, one was ended');
  await redis.stop();
  await until('health knows', async () => (await new Client(site).get('/nextauth-health')).status === 503);
  t.is(await statusOf(ada), 503, 'the store is gone: 503');
  await redis.start();
  await until('health knows', async () => (await healthOf(site)).status === 'healthy');
  t.is([await statusOf(ada), await statusOf(copy)], [401, 401], 'it is back, and empty: no session of before is good');
  t.is(await statusOf(await signedIn(site)), 200, 'people sign in again');
  await redis.stop();
  const another = store.replace('redis checkInterval', 'socache checkInterval');
  await site.reload(config(secret, another));
  t.is([await statusOf(ada), await statusOf(await signedIn(site))], [401, 200], 'or another store takes its place, with a reload');

  t.section('the session store is lost: jwt, whenLost=accept');
  await redis.start();
  await site.reload(config(secret, `${store} whenLost=accept`));
  const [eve, left] = [await signedIn(site), await signedIn(site)];
  const stolen = showing(site, left.cookie(NAME));
  await left.signOut();
  t.is([await statusOf(eve), await statusOf(stolen)], [200, 401], 'one session goes on, one was ended');
  await redis.cli('FLUSHALL');
  t.is([await statusOf(eve), await statusOf(stolen)], [200, 200], 'the store is empty: sessions go on, but ends are forgotten');
  await site.reload(config('"another secret, as ends are forgotten"', `${store} whenLost=accept`));
  t.is([await statusOf(eve), await statusOf(stolen)], [401, 401], 'a new secret ends all that could come back');

  t.section('the session store is lost: database');
  const other = await t.httpd({ files: { users }, config: config(secret, `${store}\nNextAuthSessionStrategy database`) });
  const lost = await signedIn(other);
  await redis.cli('FLUSHALL');
  t.is(await statusOf(lost), 401, 'what is not in the store is no session');
  t.is(await statusOf(await signedIn(other)), 200, 'people sign in again');
}

// ── the disk is full ────────────────────────────────────────────────────────────────────────────

function smallDisk(t) {
  const { dir } = sqlite(t);
  const owner = fs.statSync(dir);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', `size=2m,uid=${owner.uid},gid=${owner.gid},mode=755`, 'tmpfs', dir]).status !== 0) return null;
  t.cleanup(() => execFileSync('umount', ['-l', dir]));
  return dir;
}

function fill(dir) {
  const file = fs.openSync(`${dir}/ballast`, 'w');
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(4096, 'x'));
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(file);
  }
}

async function diskFull(t) {
  t.section('the disk is full');
  const dir = smallDisk(t);
  if (!dir) return t.skip('a disk that is full', 'only root can mount one');
  const secret = '"the secret of a site on a small disk"';
  const owner = fs.statSync(dir);
  const db = { engine: 'sqlite', dir, file: `${dir}/nextauth.db`, url: `sqlite:${dir}/nextauth.db` };
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database on a small disk');
  for (const end of ['', '-wal', '-shm']) if (fs.existsSync(db.file + end)) fs.chownSync(db.file + end, owner.uid, owner.gid);
  const site = await t.httpd({ files: { users }, config: config(secret, `NextAuthDatabase ${db.url}\nNextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0`) });
  const ada = await signedIn(site);
  t.is(await statusOf(ada), 200, 'somebody signs in');
  fill(dir);
  const statuses = new Set();
  for (let i = 0; i < 60 && !statuses.has(503); i += 1) statuses.add((await signedIn(site)).answer.status);
  t.ok(statuses.has(503), 'it is full: signing in is answered with 503', [...statuses].join());
  t.like(site.log(), /database: .*(full|disk|is down)/, 'the log says why');
  fs.rmSync(`${dir}/ballast`);
  await until('it is well', async () => (await signedIn(site)).answer.status === 302);
  t.is(await statusOf(ada), 200, 'once there is room all goes on, without a restart');

  if (!knowsAudit) return t.diag('no NextAuthAuditLog here');
  for (const [policy, status] of [['refuse', 503], ['continue', 302]]) {
    const audited = await t.httpd({ files: { users }, config: config(secret, `NextAuthAuditLog ${dir}/${policy}.log onFailure=${policy}\nNextAuthSessionStore none`) });
    t.is((await signedIn(audited)).answer.status, 302, `an audit log with onFailure=${policy}`);
    fill(dir);
    const seen = new Set();
    for (let i = 0; i < 40 && !seen.has(503); i += 1) seen.add((await signedIn(audited)).answer.status);
    t.is(seen.has(503), status === 503, `  its disk is full: ${status}`);
    t.like(audited.log(), /audit log: /, '  the log says so');
    fs.rmSync(`${dir}/ballast`);
    await until('it is written again', async () => (await signedIn(audited)).answer.status === 302);
    t.is((await ctl(dir, 'audit', 'verify', `${dir}/${policy}.log`)).status, 0, '  nextauthctl audit verify finds no gap in the chain');
  }
  return undefined;
}

suite('Runbooks', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  if (!here.postgres || !here.sqlite || !redisIsHere()) t.skipAll(`install ${[...here.lacking, 'redis-server'].join(' ')}`);
  await secretLeaked(t);
  await leakedWithSessionsInTheDatabase(t);
  await providerOutage(t);
  await mailInsteadOfProvider(t);
  await databaseLost(t);
  await rollBack(t);
  await storeLost(t);
  await diskFull(t);
});
