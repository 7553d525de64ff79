#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { databasesHere, sqlite, startDatabases } = require('./lib/databases.js');
const { ctlFile, htpasswd } = require('./lib/httpd.js');
const { signedIn, statusOf: statusOfPage } = require('./lib/client.js');
const schemas = require('./lib/schemas.js');
const { nextauthctl, secretFile, empty, columnsOf, dialect, tablesOf } = require('./lib/ctl.js');

const OURS = ['nextauth_audit', 'nextauth_credentials', 'nextauth_generation', 'nextauth_migrations', 'nextauth_revisions', 'nextauth_roles', 'nextauth_secrets', 'nextauth_store'];
const AUTHJS = ['accounts', 'authenticators', 'sessions', 'users', 'verification_token'];
const NEWEST = 7;
const STEPS = Array.from({ length: NEWEST }, (_, i) => i + 1);

const migrate = (db, ...args) => nextauthctl(db, ['migrate', ...args]);
const statusOf = async (db) => JSON.parse((await migrate(db, '--status', '--json')).stdout);

async function fresh(t, db) {
  t.section(`${db.engine}: an empty database`);
  const before = await migrate(db, '--status');
  t.is([before.status, before.stdout.match(/^· +\d+ +-/gm)?.length], [0, NEWEST], 'no step was applied');
  const dry = await migrate(db, '--dry-run');
  t.is(dry.status, 0, '--dry-run succeeds');
  t.like(dry.stdout, /CREATE TABLE nextauth_store|CREATE TABLE IF NOT EXISTS nextauth_store/, 'and shows the statements');
  t.is(await tablesOf(db), [], 'and changes nothing');
  const planned = JSON.parse((await migrate(db, '--dry-run', '--json')).stdout).planned;
  t.is(planned.map(({ version, direction }) => [version, direction]), STEPS.map((step) => [step, 'up']), 'as JSON, too');
  t.ok(planned.every(({ statements }) => statements.length > 0), 'with the statements');

  const done = await migrate(db);
  t.is([done.status, done.stdout.match(/^✓/gm)?.length], [0, NEWEST], 'all steps are applied', done.stderr);
  t.unlike(done.stdout + done.stderr, /\x1b/, 'without colours where there is no terminal');
  t.is(await tablesOf(db), [...AUTHJS, ...OURS].sort(), 'all tables are there');
  const again = await migrate(db);
  t.is([again.status, again.stdout], [0, ''], 'once more: nothing to do');
  const { version, newest, steps } = await statusOf(db);
  t.is([version, newest, steps.map((step) => [step.version, step.applied])], [NEWEST, NEWEST, STEPS.map((step) => [step, true])], '--status --json tells');
  t.ok(steps.every(({ appliedAt }) => Math.abs(Date.parse(appliedAt) - Date.now()) < 60_000), 'and when');
}

async function downAndUp(t, db) {
  t.section(`${db.engine}: back and forth`);
  await db.sql("INSERT INTO users (name) VALUES ('Ada')");
  await db.sql("INSERT INTO nextauth_roles (user_id, role) VALUES ('1', 'admin')");
  const one = await migrate(db, '--to', '1');
  t.like(one.stdout, new RegExp(`^${STEPS.slice(1).reverse().map((step) => `✓ +${step} +reverted.*\n`).join('')}$`), '--to 1 takes all but the first back', one.stderr);
  t.is((await db.sql('SELECT count(*) AS n FROM nextauth_roles'))[0].n, '1', 'and no more');
  const down = await migrate(db, '--to', '0', '--json');
  t.is(JSON.parse(down.stdout).changes.map((change) => [change.version, change.direction]), [[1, 'down']], '--to 0 takes all back');
  t.is(await tablesOf(db), AUTHJS, 'tables of this module are gone, others stay');
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '1', 'with what is in them');
  t.is((await migrate(db, '--to', '0')).status, 0, 'once more: nothing to do');
  t.is(await tablesOf(db), AUTHJS, 'and nothing is made for it');
  t.is((await migrate(db, '--to', String(NEWEST))).status, 0, 'and forth again');
  t.is(await tablesOf(db), [...AUTHJS, ...OURS].sort(), 'all tables are there');
  const beyond = await migrate(db, '--to', '99');
  t.is(beyond.status, 1, 'a step that is none is refused');
  t.like(beyond.stderr, new RegExp(`unknown step 99: the newest is ${NEWEST}`), 'and why');
}

async function planOf(db, sql) {
  if (db.engine === 'sqlite') return spawnSync('sqlite3', [db.file, `EXPLAIN QUERY PLAN ${sql}`], { encoding: 'utf8' }).stdout;
  return JSON.stringify(await db.sql(`EXPLAIN ${sql}`));
}

// Expired rows are deleted every few minutes, whatever is in the table.
async function purging(t, db) {
  t.section(`${db.engine}: expired rows are found by an index`);
  await empty(db);
  await migrate(db);
  const [limit, glue, later, soon] = {
    postgres: ['', "'s' || i", "now() + interval '1 day'", 'now()'],
    sqlite: ['', "'s' || i", "'2099-01-01T00:00:00.000Z'", "'2026-01-01T00:00:00.000Z'"],
    mariadb: ['SET max_recursive_iterations = 100000; ', "concat('s', i)", 'now() + interval 1 day', 'now()'],
  }[db.engine];
  const some = (columns, values) => db.sql(dialect(db, `${limit}INSERT INTO ${columns} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT ${values} FROM n`));
  await some('sessions ("userId", "sessionToken", expires)', `i, ${glue}, ${later}`);
  await some('verification_token (identifier, token, expires)', `${glue}, 'x', ${later}`);
  await some('nextauth_store (store_key, value, expires)', `${glue}, 'x', 4102444800000`);
  const tables = { sessions: ['nextauth_sessions_expires', soon], verification_token: ['nextauth_tokens_expires', soon], nextauth_store: ['nextauth_store_expires|expires', '1000'] };
  for (const [table, [index, now]] of Object.entries(tables)) {
    if (db.engine !== 'sqlite') await db.sql(`ANALYZE ${db.engine === 'mariadb' ? 'TABLE ' : ''}${table}`);
    t.like(await planOf(db, `DELETE FROM ${table} WHERE expires < ${now}`), new RegExp(`\\b(${index})\\b`), `those of ${table}`);
  }
  for (const args of [['--to', '5'], ['--to', '6']]) {
    const { status, stderr } = await migrate(db, ...args);
    t.is(status, 0, `migrate ${args.join(' ')}`, stderr);
  }
  await db.sql('DELETE FROM nextauth_migrations WHERE version = 6');
  const again = await migrate(db);
  t.is(again.status, 0, 'indexes that are there already are no mistake', again.stderr);
}

async function atOnce(t, db) {
  t.section(`${db.engine}: several at once`);
  await empty(db);
  const all = await Promise.all([1, 2, 3, 4].map(() => migrate(db, '--json')));
  t.ok(all.every(({ status }) => status === 0), 'all succeed', ...all.map(({ status, stderr }) => `${status} ${stderr}`));
  const changes = all.flatMap(({ stdout }) => (stdout ? JSON.parse(stdout).changes : [])).map(({ version }) => version);
  t.is(changes.sort(), STEPS, 'each step is done by one of them');
  t.is((await db.sql('SELECT count(*) AS n FROM nextauth_migrations'))[0].n, String(NEWEST), 'and recorded once');
}

async function newer(t, db) {
  t.section(`${db.engine}: a database of a newer version`);
  await db.sql(`INSERT INTO nextauth_migrations (version, name, applied_at) VALUES (${NEWEST + 1}, 'from the future', 0)`);
  for (const args of [[], ['--to', '0'], ['--dry-run']]) {
    const { status, stderr } = await migrate(db, ...args);
    t.is(status, 1, `migrate ${args.join(' ')} is refused`);
    t.like(stderr, new RegExp(`step ${NEWEST + 1} \\(from the future\\).*this version, \\d+\\.\\d+\\.\\d+, does not support: use nextauthctl of the newest`), 'and what to use is said');
  }
  t.is(await tablesOf(db), [...AUTHJS, ...OURS].sort(), 'nothing was changed');
  const { stdout, status } = await migrate(db, '--status');
  t.is(status, 0, '--status works');
  t.like(stdout, new RegExp(`^✓ +${NEWEST + 1} .* from the future$`, 'm'), 'and shows what it does not know');
}

async function halfFailed(t, db) {
  t.section(`${db.engine}: a step that fails half-way`);
  await empty(db);
  if (db.engine === 'mariadb') {
    await db.admin(`CREATE USER half@'%'; GRANT ALL ON nextauth.nextauth_store TO half@'%'; GRANT ALL ON nextauth.nextauth_migrations TO half@'%'`);
    const half = await migrate({ ...db, url: db.url.replace('nextauth@', 'half@') });
    t.is(half.status, 1, 'the failure shows');
    t.like(half.stderr, /step 1, tables of this module: .*denied/, 'with the step and the reason');
    t.is([(await statusOf(db)).version, await tablesOf(db)], [0, ['nextauth_migrations', 'nextauth_store']], 'the step is not recorded, half of it is there');
  } else {
    await db.sql('CREATE TABLE nextauth_credentials (mine INTEGER)');
    const half = await migrate(db);
    t.is(half.status, 1, 'the failure shows');
    t.like(half.stderr, /step 1, tables of this module: .*nextauth_credentials/, 'with the step and the reason');
    t.is(await tablesOf(db), ['nextauth_credentials'], 'nothing of the step is left');
    await db.sql('DROP TABLE nextauth_credentials');
  }
  const again = await migrate(db);
  t.is([again.status, (await statusOf(db)).version], [0, NEWEST], 'and can be run again', again.stderr);
}

async function existing(t, db, schema, ddl) {
  t.section(`${db.engine}: an existing database, ${schema}`);
  await empty(db);
  await db.sql(ddl);
  const before = await columnsOf(db);
  if (schema === 'authjs') await db.sql(`INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.org'), ('Eve', 'ada@example.org')`);
  const { status, stderr } = await migrate(db, '--schema', schema);
  t.is(status, 0, 'is migrated', stderr);
  const after = await columnsOf(db);
  t.is(before.filter((column) => !after.includes(column)), [], 'its columns stay as they are');
  const news = [...new Set(after.filter((column) => !before.includes(column)).map((column) => column.split('.')[0]))];
  t.is(news, schema === 'authjs' ? ['authenticators', ...OURS] : OURS, 'and only what was lacking comes to it');
  t.is((await statusOf(db)).version, NEWEST, 'steps of other schemas are recorded, so that numbers have no gaps');
  if (schema === 'authjs') t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '2', 'rows that an index would refuse stay');
}

// The program alone, without the shared object that lies beside it in the build.
function missingObject(t, db) {
  t.section('a kind of database that is in a shared object');
  const folder = fs.mkdtempSync(`${db.dir}/alone-`);
  const run = () => spawnSync(`${folder}/nextauthctl`, ['migrate', '--status', '--database', 'mongodb://127.0.0.1:1/x'], { encoding: 'utf8' });
  fs.copyFileSync(ctlFile, `${folder}/nextauthctl`);
  const missing = run();
  t.is(missing.status, 1, 'which is missing: an error');
  t.like(missing.stderr, /could not load mod_nextauth_mongodb\.so: .*install mod_nextauth_mongodb\.so .*libmongoc-1\.0-0/, 'names it, and the package of its library');
  fs.writeFileSync(`${folder}/mod_nextauth_mongodb.so`, 'no object at all');
  t.like(run().stderr, /could not load mod_nextauth_mongodb\.so: \S+\/alone-\S+: /, 'as one that is none does');
}

async function addresses(t, db) {
  t.section('addresses and calls');
  const file = secretFile(db, 'address', `${db.url}\n`);
  const none = { NEXTAUTH_DATABASE_URL: '', DATABASE_URL: '' };
  const run = (args, env) => nextauthctl(db, ['migrate', '--status', ...args], { env: { ...none, ...env } });
  t.is((await run(['--database', db.url])).status, 0, '--database URL');
  t.is((await run(['--database', `file:${file}`])).status, 0, '--database file:PATH');
  t.is((await run([], { DATABASE_URL: db.url })).status, 0, 'DATABASE_URL');
  t.is((await run([], { DATABASE_URL: 'nonsense', NEXTAUTH_DATABASE_URL: `file:${file}` })).status, 0, 'NEXTAUTH_DATABASE_URL comes first');
  fs.chmodSync(file, 0o644);
  t.like((await run(['--database', `file:${file}`])).stderr, /is readable or writable by all users/, 'a file that everybody can read is refused');
  t.like((await run([])).stderr, /missing database: use --database URL/, 'no address');
  t.like((await run(['--database', 'http://here/'])).stderr, /expected postgresql:\/\/, mysql:\/\/, sqlite:PATH, or mongodb:\/\//, 'an address of something else');
  const [, names] = /unknown schema 'typeorm': expected one of (.*)/.exec((await run(['--database', db.url, '--schema', 'typeorm'])).stderr) || [];
  const [, helped] = /--schema (\S+)\] \[--status/.exec((await run(['--help'])).stdout);
  t.is([names?.split(', ').length, helped], [7, names?.replaceAll(', ', '|')], 'an unknown schema: all that are known are named, there and in the help');
  t.like((await migrate(db, '--to', '1st')).stderr, /--to requires a step number/, 'a step that is no number is named');
  for (const wrong of [['--to', 'x'], ['--to', '1st'], ['--to', '-1'], ['--status', '--to', '1'], ['--status', '--dry-run'], ['--nonsense'], ['word']]) {
    t.is((await nextauthctl(db, ['migrate', ...wrong])).status, 2, `migrate ${wrong.join(' ')}: the call is wrong`);
  }
  const nobody = await nextauthctl(db, ['migrate', '--database', 'postgresql://nobody:verysecret@127.0.0.1:1/none']);
  t.ok(nobody.status === 1 && !nobody.stderr.includes('verysecret'), 'a server that is not there fails, and no password is shown', nobody.stderr);
}

// ── SQLite's files ──────────────────────────────────────────────────────────────────────────────

const modesIn = (db) => ['', '-wal', '-shm'].filter((end) => fs.existsSync(db.file + end))
  .map((end) => `${end || 'file'} ${(fs.statSync(db.file + end).mode & 0o777).toString(8)} ${fs.statSync(db.file + end).uid === fs.statSync(db.dir).uid ? 'its owner' : 'somebody else'}`);

async function whoReadsSqlite(t) {
  t.section('SQLite: nobody but the owner reads its files');
  const own = sqlite(t);
  fs.chmodSync(own.dir, 0o755);
  t.is([(await migrate(own)).status, modesIn(own)], [0, ['file 600 its owner']], 'migrate makes the file for its owner');
  if (process.getuid() === 0) {
    const db = sqlite(t);
    const made = spawnSync(ctlFile, ['migrate', '--database', db.url], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '' } });
    t.is([made.status, modesIn(db)], [0, ['file 600 its owner']], 'run by root it makes it for the owner of the folder', made.stderr);
  } else t.skip('run by root', 'root does not run the tests');
  const unmade = sqlite(t);
  const config = (db) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of a file has 32 bytes"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthDatabase ${db.url}
NextAuthSessionStore database checkInterval=0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
  const files = { users: htpasswd({ ada: 'x' }) };
  const site = await t.httpd({ files, config: config(own) });
  t.is(await statusOfPage(await signedIn(site)), 200, 'httpd works with it');
  t.is(modesIn(own), ['file 600 its owner', '-wal 600 its owner', '-shm 600 its owner'], '  and what it makes beside it is its own');
  await signedIn(await t.httpd({ files, config: config(unmade) }));
  t.is(modesIn(unmade).filter((line) => !/ 600 its owner$/.test(line)), [], 'a file that httpd makes as well', modesIn(unmade));
}

suite('Migrations of the database', async (t) => {
  t.withOneMpm();
  const all = await startDatabases(t);
  for (const db of all) {
    await fresh(t, db);
    await downAndUp(t, db);
    await purging(t, db);
    await atOnce(t, db);
    await newer(t, db);
    await halfFailed(t, db);
    for (const [schema, ddl] of [['authjs', schemas.pgAdapter], ['prisma', schemas.prisma], ['snake', schemas.snakeCase]]) {
      if (ddl[db.engine]) await existing(t, db, schema, ddl[db.engine]);
    }
  }
  if (all.length) missingObject(t, all[0]);
  if (all.length) await addresses(t, all[0]);
  if (databasesHere().sqlite) await whoReadsSqlite(t);
});
