'use strict';
// This module's adapter in processes of their own, and Auth.js's beside it on the same database.
const { execFile, spawn } = require('node:child_process');
const { randomBytes, createHash } = require('node:crypto');
const path = require('node:path');
const readline = require('node:readline');
const { root } = require('./httpd.js');
const { nextauthctl } = require('./ctl.js');

const NOW = 1790000000123;
const LATER = 1790086400987;
const CONTRACT_MS = 300_000; // a program of its own, with hundreds of operations: on a busy machine, too

// The C programs of the unit tests, of the build that is under test: the adapter's operations, and
// what SQL's are made of. MySQL's client library leaks what it makes once.
const folder = process.env.NEXTAUTH_MODULE ? path.dirname(process.env.NEXTAUTH_MODULE) : process.env.BUILD || 'build';
const program = path.resolve(root, folder, 'unit/database');
const sqlProgram = path.resolve(root, folder, 'unit/sql');
const environment = (url, schema) => ({ ...process.env, LD_PRELOAD: '',
  NEXTAUTH_TEST_DATABASE: `${url} ${schema}` });

const unique = (word) => word + randomBytes(8).toString('hex');

// ── the contract ────────────────────────────────────────────────────────────────────────────────

function contract(t, db, schema, name, run = program) {
  return new Promise((resolve) => {
    execFile(run, { env: environment(db.url, schema), maxBuffer: 1 << 26, timeout: CONTRACT_MS, killSignal: 'SIGKILL' }, (error, stdout, stderr) => {
      const lines = stdout.split('\n');
      const wrong = lines.flatMap((line, i) => (/^not ok/.test(line) ? lines.slice(i, i + 2) : []));
      resolve(t.ok(!error && /^1\.\.\d{2,}$/m.test(stdout), name, ...wrong.slice(0, 40), stderr, lines.at(-2)));
    });
  });
}

async function migrate(t, db, schema = 'authjs') {
  const { status, stderr } = await nextauthctl(db, ['migrate', '--schema', schema]);
  t.is(status, 0, 'the database is migrated', stderr);
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

// ── either side ─────────────────────────────────────────────────────────────────────────────────

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
      // keys alone, as Auth.js calls it: what else is given can be a condition
      getUserByAccount: async ({ provider, providerAccountId }) => userOf(await adapter.getUserByAccount({ provider, providerAccountId })),
      createSession: async (session) => { await adapter.createSession(dated(session, 'expires')); return null; },
      updateSession: async (session) => { await adapter.updateSession(dated(session, 'expires')); return null; },
      getSessionAndUser: async ({ sessionToken }) => {
        const found = await adapter.getSessionAndUser(sessionToken);
        return found && { session: sessionOf(found.session), user: userOf(found.user) };
      },
      createVerificationToken: async (token) => { await adapter.createVerificationToken(dated(token, 'expires')); return null; },
      useVerificationToken: async ({ identifier, token }) => tokenOf(await adapter.useVerificationToken({ identifier, token })),
      linkAccount: async (account) => { await adapter.linkAccount(account); return null; },
      deleteSession: async ({ sessionToken }) => { await adapter.deleteSession(sessionToken); return null; },
      unlinkAccount: async ({ provider, providerAccountId }) => { await adapter.unlinkAccount({ provider, providerAccountId }); return null; },
      deleteUser: async ({ id }) => { await adapter.deleteUser(id); return null; },
    };
    return (method, fields) => methods[method](fields);
  },
};

// Gives { user, session, account }, which are left there. `second`: times of sessions and tokens are to the second, as in Drizzle's tables of MySQL.
async function writtenAndRead(t, from, writes, to, reads, { second = false } = {}) {
  const [now, later] = [NOW, LATER].map((when) => (second ? when - (when % 1000) : when));
  const made = { ...newUser(), name: 'Ünï\'cödé \\ 😀 %s' };
  const user = await writes('createUser', made);
  t.is(user, { ...made, id: user.id }, `${from} makes a user`);
  t.is(await reads('getUser', { id: user.id }), user, `${to} reads it by id`);
  t.is(await reads('getUserByEmail', { email: user.email }), user, 'and by e-mail');

  const account = { userId: user.id, type: 'oidc', provider: 'google', providerAccountId: unique('sub'), access_token: 'access',
    refresh_token: 'refresh', expires_at: 1790000000, id_token: 'id', scope: 'openid email', session_state: null, token_type: 'bearer' };
  await writes('linkAccount', account);
  t.is(await reads('getUserByAccount', account), user, `${to} finds the user by an account of ${from}`);

  const session = { sessionToken: unique('session'), userId: user.id, expires: now };
  await writes('createSession', session);
  t.is(await reads('getSessionAndUser', session), { session, user }, `${to} reads a session of ${from}`);
  await reads('updateSession', { ...session, expires: later });
  t.is(await writes('getSessionAndUser', session), { session: { ...session, expires: later }, user }, 'and prolongs it');

  const token = { identifier: user.email, token: createHash('sha256').update(unique('')).digest('hex'), expires: now };
  await writes('createVerificationToken', token);
  t.is(await reads('useVerificationToken', token), token, `${to} uses a token of ${from}`);
  t.is(await writes('useVerificationToken', token), null, 'which is gone then');

  const changed = { ...user, name: 'Ada Lovelace', emailVerified: LATER };
  await reads('updateUser', changed);
  t.is(await writes('getUser', { id: user.id }), changed, `${from} sees what ${to} changes`);
  return { user, session, account };
}

async function goneForBoth(t, from, one, to, other, { user, session, account }) {
  await other('deleteSession', session);
  t.is(await one('getSessionAndUser', session), null, `a session that ${to} deletes is gone for ${from}`);
  await other('unlinkAccount', account);
  t.is(await one('getUserByAccount', account), null, 'so is an account');
  await other('deleteUser', { id: user.id });
  t.is(await one('getUser', { id: user.id }), null, 'so is a user');
}

module.exports = { LATER, NOW, client, contract, goneForBoth, migrate, newUser, sideOf, sqlProgram, unique, writtenAndRead };
