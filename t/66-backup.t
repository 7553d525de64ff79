#!/usr/bin/env node
'use strict';
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { startDatabases } = require('./lib/databases.js');
const schemas = require('./lib/schemas.js');
const { nextauthctl, empty, dialect } = require('./lib/ctl.js');
const { recordsOf } = require('./lib/audit.js');

// A row of a server takes many times what one of a file takes.
const MANY = { sqlite: 50_000, postgres: 20_000, mariadb: 20_000 };
const WORSE_KIB = 6 * 1024;

const backup = (db, ...args) => nextauthctl(db, ['backup', ...args]);
// All of it, sessions as well, as when a database moves.
const restore = (db, ...args) => nextauthctl(db, ['restore', '--keep-sessions', ...args]);
const fileOf = (db, name) => `${db.dir}/${name}.jsonl`;
const linesOf = (file) => fs.readFileSync(file, 'utf8').split('\n').slice(0, -1);

// Rows apart from their order, which is the key's of the schema.
const rowsOf = (file) => linesOf(file).slice(1, -1).sort();
const countsOf = (file) => JSON.parse(linesOf(file).pop()).counts;

// With the checksum of what the lines are now.
function sealed(lines) {
  const hash = createHash('sha256').update(lines.slice(0, -1).map((line) => `${line}\n`).join('')).digest('hex');
  return [...lines.slice(0, -1), lines.at(-1).replace(/"sha256":"\w+"/, `"sha256":"${hash}"`)];
}

// To where another user, who owns that database, can read it.
function hand(file, to, name) {
  const copy = fileOf(to, name);
  fs.copyFileSync(file, copy);
  fs.chmodSync(copy, 0o644);
  return copy;
}

async function fresh(db, schema = 'authjs', ddl) {
  await empty(db);
  if (ddl) await db.sql(ddl[db.engine]);
  const { status, stderr } = await nextauthctl(db, ['migrate', '--schema', schema]);
  if (status !== 0) throw new Error(stderr);
}

// ── what is hard to carry ───────────────────────────────────────────────────────────────────────

const token = 'ey.'.repeat(3500);
const odd = `Ada "the 'first'" \\ Löwe 😀\n\ttwo lines\r%s {?id} $1 ; -- <b>`;
const text = (value) => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);

function time(db, value) {
  return value === null ? 'NULL' : `'${db.engine === 'mariadb' ? value.replace('T', ' ').replace('Z', '') : value}'`;
}

async function fill(db) {
  await db.sql(dialect(db, `
INSERT INTO users (id, name, email, "emailVerified", image) VALUES
  (3, ${text(odd)}, 'ada@example.org', ${time(db, '2026-01-02T03:04:05.678Z')}, NULL),
  (7, NULL, NULL, NULL, ${text('')}),
  (41, 'Ünïcödé 漢字', 'Adä@example.org', ${time(db, '2001-09-09T01:46:40.000Z')}, 'https://example.org/?a=1&b=2');
INSERT INTO accounts ("userId", type, provider, "providerAccountId", refresh_token, access_token, expires_at, id_token, scope, session_state, token_type) VALUES
  (3, 'oidc', 'google', '1', NULL, ${text(token)}, 9999999999, ${text(odd)}, 'openid email', '', 'bearer'),
  (3, 'oauth', 'github', 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (41, 'oauth', 'github', 'X', 'r', 'a', 0, 'i', NULL, NULL, NULL);
INSERT INTO sessions ("sessionToken", "userId", expires) VALUES
  ('one', 3, ${time(db, '2031-01-01T00:00:00.001Z')}),
  ('two', 41, ${time(db, '2031-01-01T00:00:00.001Z')});
INSERT INTO verification_token (identifier, token, expires) VALUES
  ('ada@example.org', 'a', ${time(db, '2030-06-07T08:09:10.000Z')}),
  ('ada@example.org', 'A', ${time(db, '2030-06-07T08:09:10.120Z')});
INSERT INTO authenticators ("credentialID", "userId", "providerAccountId", "credentialPublicKey", counter, "credentialDeviceType", "credentialBackedUp", transports) VALUES
  ('Y3JlZA==', 3, 'cHJvdg==', 'a2V5', 4294967295, 'multiDevice', TRUE, 'usb,nfc'),
  ('b3RoZXI=', 41, 'cA==', 'a2V5', 0, 'singleDevice', FALSE, NULL);
INSERT INTO nextauth_roles (user_id, role) VALUES ('3', 'admin'), ('3', 'Ünï'), ('41', 'admin');
INSERT INTO nextauth_credentials (user_id, password_hash, changed_at, disabled) VALUES
  ('3', '$2b$12$abcdefghijklmnopqrstuuE3j5FFjC71WyDL2KIK7ShSoj8tPD3m6', 1767225600000, 0), ('7', NULL, 0, 1);
INSERT INTO nextauth_secrets (id, user_id, kind, name, sealed, scope, counter, created_at, used_at, expires_at) VALUES
  ('a', '3', 'totp', 'Ünï', ${text(odd)}, NULL, 59000000, 1767225600000, 1767225600001, 0),
  ('b', '41', 'token', NULL, NULL, 'GET /svn/', 0, 1767225600000, 0, 4102444800000);
INSERT INTO nextauth_store (store_key, value, expires) VALUES ('session:1', ${text(odd)}, 4102444800000);
`));
}

const FILLED = { users: 3, accounts: 3, sessions: 2, verificationTokens: 2, authenticators: 2, roles: 3, credentials: 2, revisions: 0, secrets: 2, store: 0 };

// ── one engine ──────────────────────────────────────────────────────────────────────────────────

async function itself(t, db) {
  t.section(`${db.engine}: a backup`);
  await fresh(db);
  await fill(db);
  const file = fileOf(db, 'first');
  const done = await backup(db, file);
  t.is(done.status, 0, 'is made', done.stderr);
  t.like(done.stderr, /^backed up: 3 users, 3 accounts, 2 sessions, .*\n$/, 'with a line of counts, and no bar where there is no terminal');
  t.is(fs.statSync(file).mode & 0o777, 0o600, 'nobody else can read it');
  t.is(fs.readdirSync(db.dir).filter((name) => name.startsWith('first')), ['first.jsonl'], 'no temporary file is left');
  const lines = linesOf(file);
  const { createdAt, generation, ...header } = JSON.parse(lines[0]);
  t.is(header, { format: 'nextauth-backup', version: 1, schema: 'authjs', store: false, numericIds: true, lastUserId: 41,
    engine: { postgres: 'postgresql', mariadb: 'mysql', sqlite: 'sqlite' }[db.engine] }, 'starts with a header');
  t.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000, 'and the time');
  const end = JSON.parse(lines.at(-1));
  t.is(end.counts, FILLED, 'ends with counts');
  t.is(end.sha256, createHash('sha256').update(lines.slice(0, -1).map((line) => `${line}\n`).join('')).digest('hex'), 'and the checksum');
  const rows = lines.slice(1, -1).map((line) => JSON.parse(line));
  t.is(rows[0], { table: 'users', id: '3', name: odd, email: 'ada@example.org', emailVerified: '2026-01-02T03:04:05.678Z', image: null }, 'a row is what it was');
  t.is([rows[1].name, rows[1].image, rows[2].emailVerified], [null, '', '2001-09-09T01:46:40.000Z'], 'NULL is not the empty text, and times are to the millisecond');
  t.is(rows.find((row) => row.provider === 'google').access_token, token, '10 KB of a token');
  t.is((await backup(db, '--with-store', fileOf(db, 'store'))).status, 0, '--with-store');
  t.is(countsOf(fileOf(db, 'store')), { ...FILLED, store: 1 }, 'has the store, too');
  const piped = await backup(db, '-');
  t.ok(piped.status === 0 && piped.stdout.split('\n').slice(1, -2).join() === lines.slice(1, -1).join(), '- writes to standard output', piped.stderr);
  t.is((await backup(db, `${db.dir}/no/such/folder`)).status, 1, 'a folder that is not there fails');
  const other = await backup(db, '--schema', 'prisma', fileOf(db, 'other'));
  t.is(other.status, 1, 'another schema than the database has is refused');
  t.like(other.stderr, /table User does not exist: check that schema=prisma is correct/, 'and why');
  t.ok(!fs.existsSync(fileOf(db, 'other')), 'and no file is there');
  return file;
}

async function refusals(t, db, file) {
  t.section(`${db.engine}: backups that are not whole`);
  await fresh(db);
  const lines = linesOf(file);
  const cases = [
    ['a changed byte', lines.map((line) => line.replace('ada@example.org', 'adb@example.org')), /checksum is wrong/],
    ['a missing line', lines.filter((line) => !line.includes('"google"')), /accounts are incomplete/],
    ['a row more', [...lines.slice(0, 2), lines[1].replace('"3"', '"4"'), ...lines.slice(2)], /users are incomplete/],
    ['an end that is missing', lines.slice(0, -1), /it has no end/],
    ['something after the end', [...lines, '{}'], /unexpected data after the end/],
    ['a line that is no JSON', [...lines.slice(0, 3), 'x', ...lines.slice(3)], /line 4: not JSON/],
    ['two members of one name', [lines[0], lines[1].replace('"id"', '"id":"9","id"'), ...lines.slice(2)], /line 2: .*duplicate/],
    ['a column that is not known', [lines[0], lines[1].replace('"id"', '"isAdmin":"1","id"'), ...lines.slice(2)], /unknown columns/],
    ['a value of another kind', lines.map((line) => line.replace('"expires_at":9999999999', '"expires_at":"x"')), /expires_at of accounts/],
    ['rows out of place', [lines[0], ...lines.slice(2, -1), lines[1], lines.at(-1)], /wrong order/],
    ['an id that no database gives', lines.map((line) => line.replace('"id":"3"', '"id":"-3"')), /line 2: invalid id of users/],
    ['one of another user', lines.map((line) => line.replace('"userId":"41"', '"userId":"041"')), /invalid userId of accounts/],
    ['one too large', lines.map((line) => line.replace('"user_id":"3"', '"user_id":"2147483648"')), /invalid user_id of roles/],
    ['a largest id that is none', [lines[0].replace(/"lastUserId":\d+/, '"lastUserId":-1'), ...lines.slice(1)], /invalid generation or lastUserId/],
    ['a line of 9 MB', [lines[0], lines[1].replace('"image":null', `"image":"${'x'.repeat(9 * 1024 * 1024)}"`), ...lines.slice(2)], /line 2: it is longer than 8388608 bytes/],
    ['addresses that differ in capitals alone', sealed(lines.map((line) => line.replace('Adä@example.org', 'ADA@example.org'))), /several users have the email address 'ada@example\.org', ignoring case/],
    ['a value of another kind, with its checksum', sealed(lines.map((line) => line.replace('"expires_at":9999999999', '"expires_at":"x"'))), /line \d+: invalid expires_at of accounts/],
    ['a missing line, with its checksum', sealed(lines.filter((line) => !line.includes('"google"'))), /accounts are incomplete/],
    ['a newer format', [lines[0].replace('"version":1', '"version":2'), ...lines.slice(1)], /another version/],
    ['something else', ['{"a":1}'], /not a backup/],
    ['an empty file', [], /empty/],
  ].map(([name, changed, why]) => [name, changed.map((line) => `${line}\n`).join(''), why]);
  const whole = fs.readFileSync(file, 'utf8');
  cases.push(['a truncated file', whole.slice(0, -40), /cut off/], ['half a file', whole.slice(0, whole.length / 2), /cut off/]);
  const bad = fileOf(db, 'bad');
  for (const [name, content, why] of cases) {
    fs.writeFileSync(bad, content);
    const { status, stderr } = await restore(db, '--replace', bad);
    t.is(status, 1, `${name} is refused`);
    t.like(stderr, why, 'and why');
  }
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '0', 'and nothing was written');
  const newerBackup = await restore(db, fileOf(db, 'nowhere'));
  t.like(newerBackup.stderr, /could not read .*nowhere/, 'a file that is not there');
}

async function lost(t, db) {
  t.section(`${db.engine}: a database that was lost`);
  const add = async (name) => {
    await db.sql(`INSERT INTO users (name, email) VALUES ('${name}', '${name}@example.org')`);
    return Number((await db.sql(`SELECT id FROM users WHERE name = '${name}'`))[0].id);
  };
  const generation = async () => (await db.sql('SELECT generation FROM nextauth_generation'))[0].generation;
  const tokens = async () => (await db.sql('SELECT count(*) AS n FROM sessions'))[0].n;
  await fresh(db);
  const before = await generation();
  t.is([await add('ada'), await add('bob')], [1, 2], 'two users');
  await db.sql(`INSERT INTO sessions ("sessionToken", "userId", expires) VALUES ('one', 1, ${time(db, '2031-01-01T00:00:00.000Z')})`.replaceAll('"', db.engine === 'mariadb' ? '`' : '"'));
  await db.sql("INSERT INTO nextauth_roles (user_id, role) VALUES ('1', 'admin')");
  const file = fileOf(db, 'lost');
  await backup(db, file);
  t.is([JSON.parse(linesOf(file)[0]).lastUserId, String(JSON.parse(linesOf(file)[0]).generation)], [2, before], 'a backup knows how far ids were, and of which generation');
  t.is(await add('carol'), 3, 'a third comes after the backup');
  await fresh(db);
  t.isnt(await generation(), before, 'a new database is of another generation');
  const back = await nextauthctl(db, ['restore', file]);
  t.is([back.status, await tokens()], [0, '0'], 'the restore leaves sessions out');
  t.like(back.stderr, /; 1 sessions, links and entries of the store are over\nall users are signed out, because .*\nnew users get IDs from 100003\n$/, '  and says so');
  const after = await generation();
  t.isnt(after, before, '  and the generation is a new one');
  t.is(await add('dave'), 100_003, 'nobody gets the third one\'s id');
  t.is((await db.sql("SELECT role FROM nextauth_roles WHERE user_id = '1'"))[0].role, 'admin', 'those of the backup are as they were');

  await db.sql("DELETE FROM users WHERE name = 'dave'");
  t.is((await nextauthctl(db, ['restore', '--replace', file])).status, 0, 'where the database is not lost');
  t.is(await add('erin'), 200_004, 'it knows itself which ids it gave');
  t.isnt(await generation(), after, '  and begins another generation');

  await fresh(db);
  const moved = await restore(db, file);
  t.is([moved.status, await generation(), await tokens()], [0, before, '1'], '--keep-sessions keeps the generation and the sessions');
  t.unlike(moved.stderr, /signed out/, '  and signs nobody out');
  t.is(await add('frank'), 3, '  and leaves no ids out');
}

// Rows are written many at a time; whoever has to mend the backup still needs the one.
async function inTheMiddle(t, db, [header, ada, ...rest]) {
  const users = Array.from({ length: 1000 }, (_, i) => ada.replace('"id":"3"', `"id":"${100 + i}"`)
    .replace('ada@example.org', `u${i === 777 ? 5 : i}@example.org`));
  const end = rest.at(-1).replace(/"counts":{.*?}/, `"counts":${JSON.stringify({ ...Object.fromEntries(Object.keys(FILLED).map((name) => [name, 0])), users: 1000 })}`);
  const file = fileOf(db, 'middle');
  fs.writeFileSync(file, sealed([header, ...users, end]).map((line) => `${line}\n`).join(''));
  const { status, stderr } = await restore(db, file);
  t.is(status, 1, 'a row among many that is refused');
  t.like(stderr, /: line 779: /, 'is named by its line');
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '0', 'and those before it are not there either');
}

async function targets(t, db, file) {
  t.section(`${db.engine}: where a backup goes`);
  await fresh(db);
  await inTheMiddle(t, db, linesOf(file));
  await fresh(db);
  await db.sql(`CREATE UNIQUE INDEX in_the_way ON sessions (expires)`);
  const failed = await restore(db, file);
  t.is(failed.status, 1, 'a failure in the middle shows');
  t.like(failed.stderr, /line 9: /, 'with the line');
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '0', 'and leaves nothing behind');
  await db.sql(db.engine === 'mariadb' ? 'DROP INDEX in_the_way ON sessions' : 'DROP INDEX in_the_way');
  t.is((await restore(db, file)).status, 0, 'without it all is well');
  const full = await restore(db, file);
  t.is(full.status, 1, 'a database that is not empty is refused');
  t.like(full.stderr, /not empty, .* has rows: use --replace/, 'and how to do it nevertheless');
  await db.sql("INSERT INTO users (name, email) VALUES ('somebody', 'new@example.org')");
  t.is((await db.sql("SELECT id FROM users WHERE name = 'somebody'"))[0].id, '42', 'new users get ids behind those that came');
  t.is((await restore(db, '--replace', file)).status, 0, '--replace');
  await backup(db, fileOf(db, 'again'));
  t.is(rowsOf(fileOf(db, 'again')), rowsOf(file), 'and it is as it was');
  const hashes = async () => (await db.sql('SELECT user_id, password_hash FROM nextauth_credentials ORDER BY user_id')).map((row) => row.password_hash);
  const [good] = await hashes();
  await db.sql("UPDATE nextauth_credentials SET password_hash = '$6$rounds=900000000$salt$x' WHERE user_id = '7'");
  t.is((await backup(db, fileOf(db, 'costly'))).status, 0, 'a database with a password hash that would take hours');
  const costly = await restore(db, '--replace', fileOf(db, 'costly'));
  t.is([costly.status, await hashes()], [0, [good, null]], 'is restored without that hash', costly.stderr);
  t.like(costly.stderr, /user 7 is restored without a password: the password hash of kind SHA-512 crypt costs too much\nrestored: .*; 1 password hashes were refused\n/, 'which is said, with the reason');
  await db.sql('DROP TABLE nextauth_roles');
  const lacking = await restore(db, '--replace', file);
  t.like(lacking.stderr, /rows of roles, .*does not exist: .* migrate/, 'a table that is not there is refused');
  t.is((await db.sql('SELECT count(*) AS n FROM users'))[0].n, '3', 'and nothing was deleted');
}

// ── the audit log ───────────────────────────────────────────────────────────────────────────────

async function records(t, db) {
  t.section(`${db.engine}: what is recorded of it`);
  await fresh(db);
  await fill(db);
  const log = `${db.dir}/audit.log`;
  const file = fileOf(db, 'recorded');
  const acts = () => recordsOf(log).map(({ event, outcome, actor, detail }) => `${event} ${outcome} ${actor} ${detail}`);
  const rows = async () => (await db.sql('SELECT event, outcome, actor, detail FROM nextauth_audit')).map((row) => `${row.event} ${row.outcome} ${row.actor} ${row.detail}`);
  t.is((await backup(db, file, '--with-store', '--audit-log', log)).status, 0, 'a backup');
  t.like(acts().join(), /^BACKUP success administrator to \S+\/recorded\.jsonl, with the store, by \S/, 'is recorded: where it goes, and by whom');
  t.is(await rows(), acts(), '  in the database, too');
  t.is((await nextauthctl(db, ['restore', '--replace', '--keep-sessions', file], { env: { NEXTAUTHCTL_AUDIT_LOG: log } })).status, 0, 'a restore');
  t.like(acts()[1], /^RESTORE success administrator replaced all, 3 users, 3 accounts, .*, 1 store, from \S+\/recorded\.jsonl, by \S/, '  with what came, and that it replaced what was there');
  t.is((await rows()).sort(), acts(), '  in the database, too, whose records stay');
  t.is((await nextauthctl(db, ['audit', 'verify', log])).status, 0, 'the chain is right');
  t.is((await restore(db, file, '--audit-log', log)).status, 1, 'one that is refused');
  t.is([acts().length, (await rows()).length], [2, 2], '  is none');

  await db.sql('ALTER TABLE nextauth_audit RENAME COLUMN detail TO other');
  const unread = await backup(db, '-');
  t.is([unread.status, unread.stdout.split('\n').length > 5], [0, true], 'a database that takes no record is backed up');
  t.like(unread.stderr, /the database did not record this: /, '  which is said');
  t.is((await backup(db, '-', '--audit-log', log)).status, 0, 'with a log');
  t.like(acts()[2], /^BACKUP success administrator to standard output, by \S/, '  it is recorded there');
  await db.sql('DELETE FROM sessions');
  t.is([(await restore(db, '--replace', file)).status, (await db.sql('SELECT count(*) AS n FROM sessions'))[0].n], [1, '0'], 'but nothing is written that is not recorded');
  for (const command of [['backup', '-'], ['restore', '--replace', file]]) {
    const { status, stdout, stderr } = await nextauthctl(db, [...command, '--audit-log', '/nowhere/audit.log']);
    t.ok(status === 1 && stdout === '' && /could not open '\/nowhere|cannot open \/nowhere/.test(stderr), `${command[0]}: nor with a log that cannot be opened`, stderr);
  }
  await db.sql('DROP TABLE nextauth_audit');
  for (const command of [['backup', fileOf(db, 'unrecorded')], ['restore', '--replace', file]]) {
    const { status, stderr } = await nextauthctl(db, command);
    t.is([status, stderr.split('this was not recorded: use --audit-log FILE').length], [0, 2], `${command[0]}: where nothing records it, it says so, once`);
  }
  t.unlike((await restore(db, '--replace', file, '--audit-log', log)).stderr, /nothing records/, 'not with a log');
}

// ── between engines and schemas ─────────────────────────────────────────────────────────────────

async function around(t, all, file) {
  t.section(`round trip: ${[...all, all[0]].map(({ engine }) => engine).join(' → ')}`);
  let from = file;
  for (const db of [...all.slice(1), all[0]]) {
    await fresh(db);
    const { status, stderr } = await restore(db, hand(from, db, 'arrived'));
    t.is(status, 0, `into ${db.engine}`, stderr);
    from = fileOf(db, 'onward');
    await backup(db, from);
    t.is(rowsOf(from), rowsOf(file), 'every row is the same');
  }
}

const ofTable = (file, table) => linesOf(file).map((line) => JSON.parse(line)).filter((row) => row.table === table);

async function betweenSchemas(t, from, to) {
  t.section(`between schemas: ${from.engine} → ${to.engine}`);
  await fresh(from);
  await from.sql(dialect(from, `
INSERT INTO users (id, name, email) VALUES (5, 'Ada', 'ada@example.org'), (9, 'Eve', 'eve@example.org');
INSERT INTO accounts ("userId", type, provider, "providerAccountId") VALUES (9, 'oauth', 'github', '1'), (100, 'oauth', 'github', '2');
INSERT INTO sessions ("sessionToken", "userId", expires) VALUES ('one', 9, ${time(from, '2031-01-01T00:00:00.001Z')});
INSERT INTO nextauth_roles (user_id, role) VALUES ('9', 'admin'), ('100', 'root')`));
  await backup(from, fileOf(from, 'schema'));
  await fresh(to, 'snake', schemas.snakeCase);
  const there = await restore(to, '--schema', 'snake', hand(fileOf(from, 'schema'), to, 'schema'));
  t.is(there.status, 0, 'numbers become text', there.stderr);
  t.like(there.stderr, /; 2 rows of users that do not exist were left out/, 'rows of nobody are left out, and that is said');
  const second = fileOf(to, 'second');
  t.is((await backup(to, '--schema', 'snake', second)).status, 0, 'is backed up again');
  t.is(ofTable(second, 'users').map(({ id, name }) => [id, name]), [['5', 'Ada'], ['9', 'Eve']], 'ids are kept');
  t.is(ofTable(second, 'sessions')[0], { table: 'sessions', sessionToken: 'one', userId: '9', expires: '2031-01-01T00:00:00.001Z' }, 'sessions are still their users\'');

  await fresh(to, 'prisma', schemas.prisma);
  const q = (sql) => dialect(to, sql);
  const stamp = to.engine === 'sqlite' ? '1893456000000' : "'2030-01-01 00:00:00'";
  await to.sql(q(`INSERT INTO "User" (id, name, email, "updatedAt") VALUES ('cuid-b', 'Ada', 'ada@example.org', ${stamp}), ('cuid-a', 'Eve', 'eve@example.org', ${stamp})`));
  await to.sql(q(`INSERT INTO "Authenticator" ("credentialID", "userId", "providerAccountId", "credentialPublicKey", counter, "credentialDeviceType", "credentialBackedUp") VALUES ('c', 'cuid-b', 'p', 'k', 1, 'd', TRUE)`));
  await to.sql("INSERT INTO nextauth_roles (user_id, role) VALUES ('cuid-b', 'admin'), ('cuid-gone', 'root')");
  const third = fileOf(to, 'third');
  const made = await backup(to, '--schema', 'prisma', third);
  t.is(made.status, 0, 'Prisma\'s database is backed up', made.stderr);
  await fresh(from);
  const back = await restore(from, hand(third, from, 'third'));
  t.is(back.status, 0, 'text becomes numbers', back.stderr);
  const [{ id }] = await from.sql("SELECT id FROM users WHERE name = 'Ada'");
  t.like(id, /^[12]$/, 'new ones');
  t.is((await from.sql('SELECT user_id, role FROM nextauth_roles')), [{ user_id: id, role: 'admin' }], 'a user\'s role stays that user\'s, nobody\'s goes to nobody');
  t.is(Object.values((await from.sql(dialect(from, 'SELECT "userId" FROM authenticators')))[0]), [id], 'and so do authenticators');
  await from.sql("INSERT INTO users (name) VALUES ('next')");
  t.is((await from.sql("SELECT id FROM users WHERE name = 'next'"))[0].id, '3', 'the next user gets the next number');
}

async function uuids(t, db) {
  t.section(`users whose ids are UUIDs: ${db.engine}`);
  const ids = ['00000000-0000-4000-8000-00000000000a', 'ffffffff-ffff-4fff-bfff-fffffffffff0'];
  const ctl = (...args) => nextauthctl(db, [...args, '--schema', 'authjs-uuid']);
  const fill = async () => {
    await fresh(db, 'authjs-uuid', schemas.pgAdapterUuid);
    await db.sql(`
INSERT INTO users (id, name, email) VALUES ('${ids[0]}', 'Ada', 'ada@example.org'), ('${ids[1]}', 'Eve', 'eve@example.org');
INSERT INTO accounts ("userId", type, provider, "providerAccountId") SELECT '${ids[1]}', 'oauth', 'github', i FROM generate_series(1, 450) AS i;
INSERT INTO sessions ("sessionToken", "userId", expires) VALUES ('one', '${ids[1]}', '2031-01-01T00:00:00.001Z')`);
  };
  await fill();
  const listed = await ctl('user', 'list', '--json');
  t.is(ids.filter((id) => !listed.stdout.includes(id)), [], 'both are listed', listed.stderr);
  for (const args of [['user', 'show', ids[1]], ['role', 'grant', ids[1], 'admin'], ['user', 'disable', ids[1]]]) {
    const done = await ctl(...args);
    t.is(done.status, 0, `nextauthctl ${args.slice(0, 2).join(' ')} takes such an id`, done.stderr);
  }
  const alike = await ctl('user', 'show', ids[1].toUpperCase());
  t.is(alike.status, 1, 'in another spelling it is nobody\'s, as in sessions');
  const shown = JSON.parse((await ctl('user', 'show', ids[1], '--json')).stdout);
  t.is([shown.id, shown.disabled, shown.roles], [ids[1], true, ['admin']], 'and what was done is there');

  const file = fileOf(db, 'uuid');
  t.is((await backup(db, '--schema', 'authjs-uuid', file)).status, 0, 'they are backed up');
  t.is(countsOf(file).accounts, 450, 'with every account, whose own ids are numbers');
  await fill();
  const back = await restore(db, '--replace', '--schema', 'authjs-uuid', file);
  t.is(back.status, 0, 'and restored', back.stderr);
  const again = fileOf(db, 'uuid-again');
  await backup(db, '--schema', 'authjs-uuid', again);
  t.is(rowsOf(again), rowsOf(file), 'every row as it was');

  await fresh(db);
  t.is((await restore(db, file)).status, 0, 'UUIDs become numbers');
  t.is((await db.sql('SELECT user_id FROM nextauth_roles'))[0].user_id, (await db.sql("SELECT id FROM users WHERE name = 'Eve'"))[0].id, 'of the same user');
  const numbered = fileOf(db, 'numbered');
  await backup(db, numbered);
  await fresh(db, 'authjs-uuid', schemas.pgAdapterUuid);
  const made = await restore(db, '--schema', 'authjs-uuid', numbered);
  t.is(made.status, 0, 'and numbers become UUIDs', made.stderr);
  t.is((await db.sql('SELECT user_id FROM nextauth_roles'))[0].user_id, (await db.sql("SELECT id FROM users WHERE name = 'Eve'"))[0].id, 'of the same user');
}

// ── many ────────────────────────────────────────────────────────────────────────────────────────

async function fillMany(db, count) {
  await fresh(db);
  const limit = db.engine === 'mariadb' ? 'SET max_recursive_iterations = 1000000; ' : '';
  const some = (columns, values) => `${limit}INSERT INTO ${columns} WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count}) SELECT ${values} FROM n`;
  const glue = (...parts) => (db.engine === 'mariadb' ? `concat(${parts.join(', ')})` : parts.join(' || '));
  await db.sql(some('users (id, name, email)', `i, ${glue("'user '", 'i')}, ${glue("'u'", 'i', "'@example.org'")}`));
  await db.sql(dialect(db, some('accounts ("userId", type, provider, "providerAccountId", access_token)', `i, 'oauth', 'github', ${glue('i', "''")}, '${'t'.repeat(500)}'`)));
  await db.sql(dialect(db, some('sessions ("userId", "sessionToken", expires)', `i, ${glue("'s'", 'i')}, ${db.engine === 'postgres' ? "'2031-01-01Z'::timestamptz" : "'2031-01-01 00:00:00'"}`)));
  await db.sql(some('nextauth_roles (user_id, role)', `${glue('i', "''")}, 'user'`));
}

// While somebody who takes the output stops in its middle, others change what comes later in it.
async function oneMoment(t, db, count) {
  let child;
  const running = nextauthctl(db, ['backup', '-'], { watch: (started) => { child = started; } });
  await new Promise((resolve) => { child.stdout.once('readable', resolve); });
  await db.sql('DELETE FROM sessions');
  await db.sql("INSERT INTO nextauth_roles (user_id, role) VALUES ('1', 'admin')");
  child.read();
  const { status, stdout, stderr } = await running;
  t.is(status, 0, 'writers do not wait for a backup', stderr);
  const { counts = {} } = JSON.parse(stdout.trimEnd().split('\n').pop());
  t.is([counts.sessions, counts.roles], [count, count], 'and what they do meanwhile is not in it');
}

async function many(t, db) {
  const count = MANY[db.engine];
  t.section(`${db.engine}: ${count} users`);
  const file = fileOf(db, 'many');
  await fillMany(db, count / 10);
  const small = await backup(db, fileOf(db, 'fewer'));
  await fillMany(db, count);
  const started = Date.now();
  const large = await backup(db, file);
  t.diag(`backed up in ${Date.now() - started} ms, ${fs.statSync(file).size >> 20} MB`);
  t.is([large.status, countsOf(file).accounts], [0, count], 'are backed up', large.stderr);
  t.ok(small.peak && large.peak < small.peak + WORSE_KIB, 'within the same memory as a tenth of them', `${small.peak} and ${large.peak} KiB`);
  t.diag(`${small.peak} KiB at most for ${count / 10}, ${large.peak} KiB for ${count}`);
  await oneMoment(t, db, count);

  await fresh(db);
  const few = await restore(db, fileOf(db, 'fewer'));
  await fresh(db);
  let child;
  const running = nextauthctl(db, ['restore', file], { watch: (process) => { child = process; process.stdout.resume(); } });
  setTimeout(() => child.kill('SIGKILL'), 700); // at whatever moment that is
  const { status } = await running;
  const [{ n }] = await db.sql('SELECT count(*) AS n FROM users');
  t.is(n, status === 0 ? String(count) : '0', `all or nothing, also for one who is killed (${status})`);
  const restarted = Date.now();
  const again = await restore(db, '--replace', file);
  t.diag(`restored in ${Date.now() - restarted} ms`);
  t.is(again.status, 0, 'are restored', again.stderr);
  t.diag(`${few.peak} KiB at most for ${count / 10}, ${again.peak} KiB for ${count}`);
  t.ok(few.peak && again.peak < few.peak + WORSE_KIB, 'within the same memory as a tenth of them', `${few.peak} and ${again.peak} KiB`);
  await backup(db, fileOf(db, 'restored'));
  t.ok(rowsOf(fileOf(db, 'restored')).join() === rowsOf(file).join(), 'and every row is the same');
}

async function calls(t, db) {
  t.section('calls');
  for (const wrong of [['backup'], ['backup', 'a', 'b'], ['backup', '--replace', 'a'], ['restore'], ['restore', '-'], ['restore', '--with-store', 'a'], ['restore', '--nonsense', 'a'], ['backup', 'a', '--audit-log']]) {
    t.is((await nextauthctl(db, wrong)).status, 2, `${wrong.join(' ')}: the call is wrong`);
  }
}

suite('Backup of the database, and back', async (t) => {
  t.withOneMpm();
  const all = await startDatabases(t);
  if (!all.length) return;
  const files = [];
  for (const db of all) {
    files.push(await itself(t, db));
    await refusals(t, db, files.at(-1));
    await targets(t, db, files.at(-1));
    await records(t, db);
    await lost(t, db);
  }
  await around(t, all, files[0]);
  for (let i = 0; i < all.length; i++) await betweenSchemas(t, all[i], all[(i + 1) % all.length]);
  const postgres = all.find((db) => db.engine === 'postgres');
  if (postgres) await uuids(t, postgres);
  for (const db of all) await many(t, db);
  await calls(t, all[0]);
});
