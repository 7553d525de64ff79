#!/usr/bin/env node
'use strict';
const { execFile, spawn } = require('node:child_process');
const { randomBytes, createHash } = require('node:crypto');
const path = require('node:path');
const readline = require('node:readline');
const { suite } = require('./lib/suite.js');
const { root, until } = require('./lib/httpd.js');
const { databasesHere, startPostgres, startMariadb, sqlite } = require('./lib/databases.js');
const { makePgAdapter } = require('./lib/authjs-adapter.js');
const schemas = require('./lib/schemas.js');
const { nextauthctl, empty } = require('./lib/ctl.js');

const NOW = 1790000000123;
const LATER = 1790086400987;
const CONTRACT_MS = 60_000;

// The C programs of the unit tests, of the build that is under test: the adapter's operations, and
// what SQL's are made of. MySQL's client library leaks
// what it makes once.
const folder = process.env.NEXTAUTH_MODULE ? path.dirname(process.env.NEXTAUTH_MODULE) : process.env.BUILD || 'build';
const program = path.resolve(root, folder, 'unit/database');
const sqlProgram = path.resolve(root, folder, 'unit/sql');
const environment = (url, schema) => ({ ...process.env, LD_PRELOAD: '',
  NEXTAUTH_TEST_DATABASE: `${url} ${schema}` });

const unique = (word) => word + randomBytes(8).toString('hex');

// ── every engine and schema ─────────────────────────────────────────────────────────────────────

function contract(t, db, schema, name, run = program) {
  return new Promise((resolve) => {
    execFile(run, { env: environment(db.url, schema), maxBuffer: 1 << 26, timeout: CONTRACT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const lines = stdout.split('\n');
      const wrong = lines.flatMap((line, i) => (/^not ok/.test(line) ? lines.slice(i, i + 2) : []));
      resolve(t.ok(!error && /^1\.\.\d{2,}$/m.test(stdout), name, ...wrong.slice(0, 40), stderr, lines.at(-2)));
    });
  });
}

async function migrate(t, db, schema) {
  const { status, stderr } = await nextauthctl(db, ['migrate', '--schema', schema]);
  t.is(status, 0, 'the database is migrated', stderr);
}

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

// ── a process with connections of its own ───────────────────────────────────────────────────────

/*
 * Gives ask(method, fields), which comes back with { answer, error }. Times are milliseconds.
 */
function client(t, url, schema = 'authjs') {
  const child = spawn(program, ['ask'], { env: environment(url, schema), stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  readline.createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()(JSON.parse(line)));
  const gone = new Promise((resolve) => { child.on('exit', (status, signal) => resolve(status ?? signal)); });
  const lost = gone.then((status) => ({ error: `the process ended: ${status}` }));
  child.stdin.on('error', () => {}); // the answer says so
  t.cleanup(async () => {
    child.stdin.end();
    t.is(await gone, 0, 'the process ended well');
  });
  return (method, fields = {}) => Promise.race([lost, new Promise((resolve) => {
    waiting.push(resolve);
    child.stdin.write(`${JSON.stringify({ do: method, ...fields })}\n`);
  })]);
}

const newUser = () => ({ name: 'Ada', email: `${unique('ada')}@example.org`, image: 'https://example.org/ada.png', emailVerified: NOW });

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

const time = (date) => (date ? date.getTime() : null);
const userOf = (row) => row && { id: String(row.id), name: row.name, email: row.email, image: row.image, emailVerified: time(row.emailVerified) };
const sessionOf = (row) => row && { sessionToken: row.sessionToken, userId: String(row.userId), expires: time(row.expires) };
const tokenOf = (row) => row && { identifier: row.identifier, token: row.token, expires: time(row.expires) };
const dated = (fields, ...names) => ({ ...fields, ...Object.fromEntries(names.map((name) => [name, new Date(fields[name])])) });

// Either side as one kind of thing: JSON in, JSON out.
const sideOf = {
  c: (ask) => async (method, fields) => {
    const { answer, error } = await ask(method, fields);
    if (error) throw new Error(error);
    return answer;
  },
  js: (adapter) => {
    const methods = {
      createUser: async (user) => userOf(await adapter.createUser(dated(user, 'emailVerified'))),
      updateUser: async (user) => { await adapter.updateUser(dated(user, 'emailVerified')); return null; },
      getUser: async ({ id }) => userOf(await adapter.getUser(id)),
      getUserByEmail: async ({ email }) => userOf(await adapter.getUserByEmail(email)),
      getUserByAccount: async (account) => userOf(await adapter.getUserByAccount(account)),
      createSession: async (session) => { await adapter.createSession(dated(session, 'expires')); return null; },
      updateSession: async (session) => { await adapter.updateSession(dated(session, 'expires')); return null; },
      getSessionAndUser: async ({ sessionToken }) => {
        const found = await adapter.getSessionAndUser(sessionToken);
        return found && { session: sessionOf(found.session), user: userOf(found.user) };
      },
      createVerificationToken: async (token) => { await adapter.createVerificationToken(dated(token, 'expires')); return null; },
      useVerificationToken: async (token) => tokenOf(await adapter.useVerificationToken(token)),
      linkAccount: async (account) => { await adapter.linkAccount(account); return null; },
      deleteSession: async ({ sessionToken }) => { await adapter.deleteSession(sessionToken); return null; },
      unlinkAccount: async (account) => { await adapter.unlinkAccount(account); return null; },
      deleteUser: async ({ id }) => { await adapter.deleteUser(id); return null; },
    };
    return (method, fields) => methods[method](fields);
  },
};

async function rowsOf(db, user) {
  const accounts = await db.sql(`SELECT * FROM accounts WHERE "userId" = ${user.id}`);
  const sessions = await db.sql(`SELECT *, CAST(EXTRACT(EPOCH FROM expires) * 1000 AS bigint) AS ms FROM sessions WHERE "userId" = ${user.id}`);
  const own = ([row]) => { delete row.id; delete row.userId; return row; };
  return { account: own(accounts), session: own(sessions) };
}

async function writtenAndRead(t, db, from, writes, to, reads) {
  const made = { ...newUser(), name: 'Ünï\'cödé \\ 😀 %s' };
  const user = await writes('createUser', made);
  t.is(user, { ...made, id: user.id }, `${from} makes a user`);
  t.is(await reads('getUser', { id: user.id }), user, `${to} reads it by id`);
  t.is(await reads('getUserByEmail', { email: user.email }), user, 'and by e-mail');

  const account = { userId: user.id, type: 'oidc', provider: 'google', providerAccountId: unique('sub'), access_token: 'access',
    refresh_token: 'refresh', expires_at: 1790000000, id_token: 'id', scope: 'openid email', session_state: null, token_type: 'bearer' };
  await writes('linkAccount', account);
  t.is(await reads('getUserByAccount', account), user, `${to} finds the user by an account of ${from}`);

  const session = { sessionToken: unique('session'), userId: user.id, expires: NOW };
  await writes('createSession', session);
  t.is(await reads('getSessionAndUser', session), { session, user }, `${to} reads a session of ${from}`);
  await reads('updateSession', { ...session, expires: LATER });
  t.is(await writes('getSessionAndUser', session), { session: { ...session, expires: LATER }, user }, 'and prolongs it');

  const token = { identifier: user.email, token: createHash('sha256').update(unique('')).digest('hex'), expires: NOW };
  await writes('createVerificationToken', token);
  t.is(await reads('useVerificationToken', token), token, `${to} uses a token of ${from}`);
  t.is(await writes('useVerificationToken', token), null, 'which is gone then');

  const changed = { ...user, name: 'Ada Lovelace', emailVerified: LATER };
  await reads('updateUser', changed);
  t.is(await writes('getUser', { id: user.id }), changed, `${from} sees what ${to} changes`);
  return { user, session, account, rows: await rowsOf(db, user) };
}

async function goneForBoth(t, from, one, to, other, { user, session, account }) {
  await other('deleteSession', session);
  t.is(await one('getSessionAndUser', session), null, `a session that ${to} deletes is gone for ${from}`);
  await other('unlinkAccount', account);
  t.is(await one('getUserByAccount', account), null, 'so is an account');
  await other('deleteUser', { id: user.id });
  t.is(await one('getUser', { id: user.id }), null, 'so is a user');
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
  const ours = await writtenAndRead(t, db, 'this module', c, 'Auth.js', js);
  const theirs = await writtenAndRead(t, db, 'Auth.js', js, 'this module', c);
  for (const [kind, key] of [['account', 'providerAccountId'], ['session', 'sessionToken']]) {
    const [mine, other] = [ours, theirs].map(({ rows }) => ({ ...rows[kind], [key]: null }));
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
  if (!['event', undefined].includes(process.env.NEXTAUTH_MPM)) t.skipAll('no httpd is involved');
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
