#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { databasesHere, startPostgres, startMariadb, sqlite } = require('./lib/databases.js');
const { makePgAdapter } = require('./lib/authjs-adapter.js');
const schemas = require('./lib/schemas.js');
const { LATER, NOW, client, contract, goneForBoth, migrate, newUser, sideOf, sqlProgram, unique, writtenAndRead } = require('./lib/both-ways.js');
const { empty } = require('./lib/ctl.js');

// ── every engine and schema ─────────────────────────────────────────────────────────────────────

async function everySchema(t, db) {
  for (const [schema, whose, ddl] of [['authjs', 'tables of this module', ''], ['authjs', '@auth/pg-adapter', schemas.pgAdapter[db.engine]],
    ['authjs-uuid', '@auth/pg-adapter with UUIDs', schemas.pgAdapterUuid[db.engine]],
    ['prisma', 'Prisma', schemas.prisma[db.engine]], ['snake', 'Prisma with other names', schemas.snakeCase[db.engine]]]) {
    if (ddl === undefined) continue;
    t.section(`${db.engine}: ${whose}`);
    await empty(db);
    if (ddl) await db.sql(ddl);
    await migrate(t, db, schema);
    await contract(t, db, schema, 'the adapter does what Auth.js expects');
    await contract(t, db, schema, 'and does so again where rows are left');
    await contract(t, db, schema, 'what it is made of holds', sqlProgram);
    if (schema !== 'authjs-uuid') continue;
    const made = await client(t, db.url)('createUser', newUser());
    const refused = await client(t, db.url)('createSession', { sessionToken: unique('s'), userId: made.answer?.id, expires: LATER });
    t.like(refused.error ?? '', /invalid user ID/, 'under schema=authjs such an id is nobody\'s');
  }
}

// ── a server that comes and goes ────────────────────────────────────────────────────────────────

async function restarts(t, db) {
  t.section(`${db.engine}: the server crashes and comes back while connections are open`);
  await empty(db);
  await migrate(t, db, 'authjs');
  const ask = client(t, db.url);
  const { answer: user } = await ask('createUser', newUser());
  const session = { sessionToken: unique('session'), userId: user.id, expires: NOW };
  const token = { identifier: user.email, token: unique('token'), expires: NOW };
  const operations = [
    ['getUser', { id: user.id }, user],
    ['createSession', session, null],
    ['getSessionAndUser', { sessionToken: session.sessionToken }, { session, user }],
    ['updateSession', { ...session, expires: LATER }, null],
    ['createVerificationToken', token, null],
    ['useVerificationToken', token, token],
    ['deleteSession', { sessionToken: session.sessionToken }, null],
    ['getSessionAndUser', { sessionToken: session.sessionToken }, null],
  ];
  for (const [method, fields, expected] of operations) {
    t.is(await ask('openAll'), { answer: null }, 'all connections are open');
    await db.stop('SIGKILL');
    await db.start();
    t.is(await ask(method, fields), { answer: expected }, `then ${method} works at once`);
  }
  await db.stop('SIGKILL');
  for (const [method, fields] of [['getUser', { id: user.id }], ['createSession', session]]) {
    const { error } = await ask(method, fields);
    t.like(error ?? '', /SQL at \S+:\d+|is down/, `while it is down ${method} fails`);
  }
  await db.start();
  await until('the database is asked again', async () => (await ask('getUser', { id: user.id })).answer);
  t.is(await ask('getUser', { id: user.id }), { answer: user }, 'and once it is back all is well');
}

// ── Auth.js's own adapter on the same database ──────────────────────────────────────────────────

async function rowsOf(db, user) {
  const accounts = await db.sql(`SELECT * FROM accounts WHERE "userId" = ${user.id}`);
  const sessions = await db.sql(`SELECT *, CAST(EXTRACT(EPOCH FROM expires) * 1000 AS bigint) AS ms FROM sessions WHERE "userId" = ${user.id}`);
  const own = ([row]) => { delete row.id; delete row.userId; return row; };
  return { account: own(accounts), session: own(sessions) };
}

async function interop(t, db, ddl, name) {
  t.section(`@auth/pg-adapter, on ${name}`);
  await empty(db);
  if (ddl) await db.sql(ddl);
  await migrate(t, db, 'authjs');
  const adapter = await makePgAdapter(db.url);
  t.cleanup(() => adapter.disconnect());
  const ask = client(t, db.url);
  const c = sideOf.c(ask);
  const js = sideOf.js(adapter);
  const ours = await writtenAndRead(t, 'this module', c, 'Auth.js', js);
  const theirs = await writtenAndRead(t, 'Auth.js', js, 'this module', c);
  const rows = [await rowsOf(db, ours.user), await rowsOf(db, theirs.user)];
  for (const [kind, key] of [['account', 'providerAccountId'], ['session', 'sessionToken']]) {
    const [mine, other] = rows.map((row) => ({ ...row[kind], [key]: null }));
    t.is(mine, other, `rows of ${kind}s are the same, whoever wrote them`);
  }
  const { answer } = await ask('getAccount', theirs.account);
  t.is(answer, theirs.account, 'and all of an account of Auth.js is read');
  await goneForBoth(t, 'this module', c, 'Auth.js', js, ours);
  await goneForBoth(t, 'Auth.js', js, 'this module', c, theirs);
  const bare = { userId: '1', type: 'oauth', provider: 'github', providerAccountId: unique('bare') };
  await adapter.linkAccount(bare);
  const empties = { access_token: null, refresh_token: null, expires_at: null, id_token: null, scope: null, session_state: null, token_type: null };
  t.is((await ask('getAccount', bare)).answer, { ...bare, ...empties }, 'what an account of Auth.js does not have is NULL');
}

// ── TLS ─────────────────────────────────────────────────────────────────────────────────────────

async function encrypted(t) {
  t.section('PostgreSQL with TLS');
  const server = { names: 'DNS:localhost' };
  const db = await startPostgres(t, { tls: server, password: true });
  const other = await startPostgres(t, { tls: server });
  const verified = (ca) => `${db.url}?sslmode=verify-full&sslrootcert=${encodeURIComponent(ca)}`;
  await migrate(t, { ...db, url: verified(db.ca) }, 'authjs');
  const user = newUser();
  const { answer, error } = await client(t, verified(db.ca))('createUser', user);
  t.is(answer, { ...user, id: answer?.id }, 'a server whose certificate is right is used', error);

  const refuses = async (url, name) => {
    const refused = await client(t, url)('getUser', { id: '1' });
    t.like(refused.error ?? '', /PostgreSQL at \S+:\d+: could not connect/, name);
    t.ok(![db.password, encodeURIComponent(db.password)].some((secret) => (refused.error ?? '').includes(secret)), 'and the message has no password');
  };
  await refuses(verified(other.ca), 'one of another CA is refused');
  await refuses(verified(db.ca).replace('localhost', '127.0.0.1'), 'so is a name that is not in it');
  await refuses(verified('/nowhere/ca.pem'), 'so is a CA that is not there');
  await refuses(`${db.url}?sslmode=disable`, 'and no TLS');
  await refuses(`${db.url.replace(encodeURIComponent(db.password), 'secret-but-wrong')}?sslmode=require`, 'and a wrong password');
}

suite('The adapter on every engine and schema', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  if (here.lacking.length) t.skip('engines that are not here', `to be installed: ${here.lacking.join(', ')}`);
  if (here.sqlite) await everySchema(t, sqlite(t));
  // What was committed has to outlive a crash here.
  const durable = { settings: { 'innodb-flush-log-at-trx-commit': 1 } };
  const servers = [here.postgres && await startPostgres(t), here.mariadb && await startMariadb(t, durable)].filter(Boolean);
  for (const db of servers) {
    await everySchema(t, db);
    await restarts(t, db);
    if (db.engine !== 'postgres') continue;
    await interop(t, db, schemas.pgAdapter.postgres, 'the tables of its documentation');
    await interop(t, db, '', 'tables of this module');
  }
  if (here.postgres) await encrypted(t);
});
