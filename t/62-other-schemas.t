#!/usr/bin/env node
'use strict';
// Tables that are not this module's: Drizzle's, and those whose names a file tells.
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { startDatabases } = require('./lib/databases.js');
const { client, contract, goneForBoth, migrate, sideOf, sqlProgram, writtenAndRead } = require('./lib/both-ways.js');
const { drizzleTables, makeDrizzleAdapter } = require('./lib/drizzle-adapter.js');
const schemas = require('./lib/schemas.js');
const { columnsOf, dialect, empty, nextauthctl } = require('./lib/ctl.js');

// ── Drizzle ─────────────────────────────────────────────────────────────────────────────────────

async function drizzle(t, db) {
  t.section(`${db.engine}: @auth/drizzle-adapter`);
  await empty(db);
  await db.sql(await drizzleTables(db.engine));
  const before = await columnsOf(db);
  await migrate(t, db, 'drizzle');
  t.is((await columnsOf(db)).filter((column) => !/^nextauth_/.test(column)), before, 'its tables are not changed');
  const adapter = await makeDrizzleAdapter(db);
  t.cleanup(() => adapter.disconnect());
  const ours = sideOf.c(client(t, db.url, 'drizzle'));
  const theirs = sideOf.js(adapter);
  const options = { second: db.engine === 'mariadb' };
  const mine = await writtenAndRead(t, 'this module', ours, 'Auth.js', theirs, options);
  const other = await writtenAndRead(t, 'Auth.js', theirs, 'this module', ours, options);
  const listed = JSON.parse((await nextauthctl(db, ['user', 'list', '--json', '--schema', 'drizzle'])).stdout).users;
  t.ok([mine, other].every(({ user }) => listed.some(({ id }) => id === user.id)), 'nextauthctl lists the users of both');
  await goneForBoth(t, 'this module', ours, 'Auth.js', theirs, mine);
  await goneForBoth(t, 'Auth.js', theirs, 'this module', ours, other);
}

// MySQL's default columns hold neither the tokens of all providers nor fractions of a second.
async function drizzleAlone(t, db) {
  t.section(`${db.engine}: tables of Drizzle`);
  const ddl = (await drizzleTables(db.engine))
    .replace(/`(\w+_token)` varchar\(\d+\)/g, '`$1` text').replaceAll('`expires` timestamp ', '`expires` timestamp(3) ');
  await holds(t, db, 'drizzle', ddl, 'Drizzle');
}

// ── names from a file ───────────────────────────────────────────────────────────────────────────

// What the documentation of MySQL's allows a user one account by.
const prismaOf = (db) => schemas.prisma[db.engine].replace(/ *UNIQUE INDEX `Account_userId_key`.*\n/, '');

const renamed = {
  User: 'app_user', Account: 'AppAccount', Session: 'app-session', VerificationToken: 'token$', Authenticator: 'größe',
  emailVerified: 'verified_at', userId: 'owner', providerAccountId: 'subject', sessionToken: 'cookie', updatedAt: 'changed_at', expires_at: 'ends',
};

const NAMES = `# Prisma's schema, with @map and @@map
base prisma
users app_user
users.emailVerified verified_at
users.updatedAt changed_at
accounts AppAccount
accounts.userId owner
accounts.providerAccountId subject
accounts.expires_at ends
accounts.updatedAt changed_at

sessions app-session
sessions.userId owner
sessions.sessionToken cookie
sessions.updatedAt changed_at
verificationTokens token$
authenticators größe
authenticators.userId owner
authenticators.providerAccountId subject
`;

const renamedIn = (ddl) => Object.entries(renamed).reduce((text, [from, to]) =>
  text.replaceAll(new RegExp(`(["\`])${from}\\1`, 'g'), (all, quote) => quote + to + quote), ddl);

// For whoever runs nextauthctl on it.
function namesFile(db, text, name = 'names') {
  const file = `${db.dir}/${name}`;
  fs.writeFileSync(file, text);
  fs.chmodSync(file, 0o644);
  return `names:${file}`;
}

async function holds(t, db, schema, ddl, name) {
  await empty(db);
  await db.sql(ddl);
  const before = await columnsOf(db);
  await migrate(t, db, schema);
  t.is((await columnsOf(db)).filter((column) => !/^nextauth_/.test(column)), before, `${name}: its tables are not changed`);
  await contract(t, db, schema, `${name}: the adapter does what Auth.js expects`);
  await contract(t, db, schema, `${name}: what it is made of holds`, sqlProgram);
}

async function mapped(t, db) {
  t.section(`${db.engine}: Prisma whose names are mapped`);
  const schema = namesFile(db, NAMES);
  await holds(t, db, schema, renamedIn(prismaOf(db)), 'names of a file');
  const file = `${db.dir}/mapped.jsonl`;
  const { status, stderr } = await nextauthctl(db, ['user', 'add', '--email', 'ada@example.org', '--role', 'admin', '--schema', schema]);
  t.is(status, 0, 'a user is added', stderr);
  t.is((await nextauthctl(db, ['backup', file, '--schema', schema])).status, 0, 'and backed up');
  await empty(db);
  await migrate(t, db, 'authjs');
  const back = await nextauthctl(db, ['restore', file]);
  t.is(back.status, 0, 'and restored into tables of this module', back.stderr);
}

// ── kinds of IDs ────────────────────────────────────────────────────────────────────────────────

/* Prisma's schema with users whose IDs are `type`, and are made by `made` where the database does. */
function idsOf(db, type, made) {
  const q = db.engine === 'mariadb' ? '`' : '"';
  const text = { postgres: 'TEXT', mariadb: 'VARCHAR(191)', sqlite: 'TEXT' }[db.engine];
  const whole = prismaOf(db).split(/(?=CREATE TABLE)/).map((table) => {
    const isUser = table.startsWith(`CREATE TABLE ${q}User${q}`);
    return table
      .replaceAll(`${q}userId${q} ${text}`, `${q}userId${q} ${type}`)
      .replace(`${q}id${q} ${text} NOT NULL${isUser && made && db.engine === 'sqlite' ? ' PRIMARY KEY' : ''}`, `${q}id${q} ${isUser && made ? made : type} NOT NULL`);
  });
  return whole.join('');
}

/* The tables of @auth/pg-adapter as somebody with UUIDs writes them for the other engines. */
function uuidTables(db) {
  const [id, time] = db.engine === 'mariadb' ? ['CHAR(36)', 'DATETIME(3)'] : ['TEXT', 'TEXT'];
  const row = db.engine === 'mariadb' ? 'id INTEGER AUTO_INCREMENT PRIMARY KEY' : 'id INTEGER PRIMARY KEY AUTOINCREMENT';
  const short = 'VARCHAR(191)';
  return dialect(db, `
CREATE TABLE users (id ${id} PRIMARY KEY, name ${short}, email ${short}, "emailVerified" ${time}, image TEXT);
CREATE TABLE accounts (${row}, "userId" ${id} NOT NULL, type ${short} NOT NULL, provider ${short} NOT NULL, "providerAccountId" ${short} NOT NULL,
  refresh_token TEXT, access_token TEXT, expires_at BIGINT, id_token TEXT, scope TEXT, session_state TEXT, token_type TEXT);
CREATE TABLE sessions (${row}, "userId" ${id} NOT NULL, expires ${time} NOT NULL, "sessionToken" ${short} NOT NULL UNIQUE);
CREATE TABLE verification_token (identifier ${short} NOT NULL, expires ${time} NOT NULL, token ${short} NOT NULL, PRIMARY KEY (identifier, token));
CREATE TABLE authenticators ("credentialID" ${short} PRIMARY KEY, "userId" ${id} NOT NULL, "providerAccountId" ${short} NOT NULL,
  "credentialPublicKey" TEXT NOT NULL, counter BIGINT NOT NULL, "credentialDeviceType" ${short} NOT NULL, "credentialBackedUp" BOOLEAN NOT NULL, transports TEXT);`);
}

async function kinds(t, db) {
  t.section(`${db.engine}: other kinds of IDs`);
  const uuid = { postgres: 'UUID', mariadb: 'CHAR(36)', sqlite: 'TEXT' }[db.engine];
  if (db.engine !== 'postgres') await holds(t, db, 'authjs-uuid', uuidTables(db), '@auth/pg-adapter with UUIDs');
  const uuids = namesFile(db, 'ids uuid\n', 'uuids');
  await holds(t, db, uuids, idsOf(db, uuid), 'Prisma with UUIDs');
  const made = { postgres: 'SERIAL', mariadb: 'INTEGER AUTO_INCREMENT', sqlite: 'INTEGER PRIMARY KEY AUTOINCREMENT' }[db.engine];
  const numbers = namesFile(db, 'ids numbers\naccounts.id id\nsessions.id id\n', 'numbers');
  const own = { postgres: '', mariadb: 'VARCHAR(191)', sqlite: 'TEXT' }[db.engine];
  const ddl = idsOf(db, 'INTEGER', made).replace(/(["`](?:Account|Session)["`] \(\s*["`]id["`]) INTEGER/g, `$1 ${own}`);
  await holds(t, db, db.engine === 'postgres' ? namesFile(db, 'ids numbers\n', 'numbers') : numbers, ddl, 'Prisma with numbers');
}

// ── what is wrong with a file ───────────────────────────────────────────────────────────────────

async function refusals(t, db) {
  t.section('files of names that are refused');
  const cases = [
    ['users', /line 1 of '\S+': expected a table or column, and its name/],
    ['users a b', /line 1 of .*expected a table or column, and its name/],
    ['# one\n\nuser app', /line 3 of .*unknown table or column 'user'/],
    ['users.password secret', /line 1 of .*unknown table or column 'users\.password'/],
    ['users a\nusers b', /line 2 of .*duplicate users/],
    ['users a"b', /line 1 of .*invalid name 'a"b': expected up to 63 letters, digits, _, \$, and -/],
    ['users a`b', /invalid name/], ["users a'b", /invalid name/], ['users a%s', /invalid name/], ['users a{b}', /invalid name/],
    ['users a\\b', /invalid name/], [`users ${'x'.repeat(64)}`, /invalid name/], [`# ${'x'.repeat(2000)}`, /line 1 of .*too long/],
    ['users nextauth_roles', /nextauth_roles is a table of this module's own/],
    ['users.email -', /line 1 of .*users\.email is required/],
    ['base typeorm', /unknown base 'typeorm': expected one of authjs, /],
    ['ids cuid', /invalid ids 'cuid': expected text, uuid, or numbers/],
    ['times local', /invalid times 'local': expected plain or zoned/],
    ['users same\naccounts Same', /users and accounts have the same name, Same/],
    ['users.email name', /'\S+': name and email have the same name, name/],
  ];
  for (const [text, why] of cases) {
    const { status, stderr } = await nextauthctl(db, ['migrate', '--status', '--schema', namesFile(db, `${text}\n`, 'wrong')]);
    t.is(status, 1, `${JSON.stringify(text).slice(0, 40)} is refused`);
    t.like(stderr, why, 'and why');
  }
  t.like((await nextauthctl(db, ['migrate', '--status', '--schema', 'names:relative'])).stderr, /invalid names:relative: expected an absolute path/, 'a path that depends on where it is read');
  t.like((await nextauthctl(db, ['migrate', '--status', '--schema', 'names:/nowhere/names'])).stderr, /could not open '\/nowhere\/names': No such file/, 'a file that is not there');
}

suite('Tables that others define', async (t) => {
  t.withOneMpm();
  const all = await startDatabases(t);
  for (const db of all) {
    await drizzle(t, db);
    await drizzleAlone(t, db);
    await mapped(t, db);
    await kinds(t, db);
  }
  if (all.length) await refusals(t, all[0]);
});
