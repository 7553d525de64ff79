#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { check, childrenOf, freePort, makeFolder, mpm, roomy, thorough, until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { startLoad } = require('./lib/load.js');
const { databasesHere, mongodbLacks, sqlite, startMongodb, startPostgres } = require('./lib/databases.js');
const { LATER, NOW, client, contract, goneForBoth, migrate, newUser, sideOf, unique, writtenAndRead } = require('./lib/both-ways.js');
const { makeMongodbAdapter } = require('./lib/authjs-adapter.js');
const { startMail } = require('./lib/mail.js');
const { startReplicaSet } = require('./lib/replica-set.js');
const { addUser, ctl, nextauthctl } = require('./lib/ctl.js');

const RENAMED = 'users=User,accounts=Account,sessions=Session,verification_tokens=VerificationToken,authenticators=Authenticator';
const WORD = 'correct horse battery';

// ── the adapter ─────────────────────────────────────────────────────────────────────────────────

async function operations(t, db) {
  for (const schema of ['authjs', RENAMED]) {
    t.section(`what every adapter does, with ${schema}`);
    await db.with((mongo) => mongo.dropDatabase());
    await migrate(t, db, schema);
    await contract(t, db, schema, 'the adapter does what Auth.js expects');
    await contract(t, db, schema, 'and does so again where documents are left');
  }
  const names = (await db.with((mongo) => mongo.listCollections().toArray())).map(({ name }) => name);
  t.ok(names.includes('User') && !names.includes('users'), 'collections have the names of schema=', names);
}

async function restarts(t, db) {
  t.section('the server crashes and comes back while connections are open');
  const ask = client(t, db.url);
  const { answer: user } = await ask('createUser', newUser());
  const session = { sessionToken: unique('session'), userId: user.id, expires: NOW };
  const token = { identifier: user.email, token: unique('token'), expires: NOW };
  for (const [method, fields, expected] of [['getUser', { id: user.id }, user], ['createSession', session, null],
    ['getSessionAndUser', session, { session, user }], ['updateSession', { ...session, expires: LATER }, null],
    ['createVerificationToken', token, null], ['useVerificationToken', token, token], ['deleteSession', session, null]]) {
    await db.stop('SIGKILL');
    await db.start();
    t.is(await ask(method, fields), { answer: expected }, `then ${method} works at once`);
  }
  await db.stop('SIGKILL');
  for (const [method, fields] of [['getUser', { id: user.id }], ['createSession', session]]) {
    const { error } = await ask(method, fields);
    t.like(error ?? '', /MongoDB at \S+:\d+|is down/, `while it is down ${method} fails`);
  }
  await db.start();
  await until('the database is asked again', async () => (await ask('getUser', { id: user.id })).answer);
  t.is(await ask('getUser', { id: user.id }), { answer: user }, 'and once it is back all is well');
}

// What the driver shows of a document, but for what is another each time.
function plain({ _id, userId, providerAccountId, sessionToken, ...rest }) {
  return Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null));
}

async function interop(t, db, schema, collections) {
  t.section(`@auth/mongodb-adapter, with ${schema}`);
  await db.with((mongo) => mongo.dropDatabase());
  await migrate(t, db, schema);
  const adapter = await makeMongodbAdapter(db.url, { collections });
  t.cleanup(() => adapter.disconnect());
  const c = sideOf.c(client(t, db.url, schema));
  const js = sideOf.js(adapter);
  const ours = await writtenAndRead(t, 'this module', c, 'Auth.js', js);
  const theirs = await writtenAndRead(t, 'Auth.js', js, 'this module', c);
  for (const name of ['users', 'accounts', 'sessions']) {
    const [mine, other] = await db.with((mongo) => mongo.collection(name === 'users' ? collections.Users : name === 'accounts' ? collections.Accounts : collections.Sessions).find().sort({ _id: 1 }).toArray());
    t.is(Object.keys(plain(mine)).sort(), Object.keys(plain(other)).sort(), `documents of ${name} have the same fields, whoever wrote them`);
    t.is(Object.entries(mine).map(([key, value]) => [key, value?.constructor?.name]).filter(([key]) => plain(mine)[key] !== undefined).sort(),
      Object.entries(other).map(([key, value]) => [key, value?.constructor?.name]).filter(([key]) => plain(other)[key] !== undefined).sort(), 'of the same types');
  }
  await goneForBoth(t, 'this module', c, 'Auth.js', js, ours);
  await goneForBoth(t, 'Auth.js', js, 'this module', c, theirs);
}

// ── what a database can hold ────────────────────────────────────────────────────────────────────

async function hostile(t, db) {
  t.section('documents that no application writes');
  await db.with((mongo) => mongo.dropDatabase());
  await migrate(t, db);
  const ask = client(t, db.url);
  const { ObjectId } = require('mongodb');
  const put = (collection, ...documents) => db.with((mongo) => mongo.collection(collection).insertMany(documents));
  const show = async (id) => JSON.parse(await ctl(db, 'user', 'show', String(id), '--json'));

  const ids = Array.from({ length: 4 }, () => new ObjectId());
  await put('users',
    { _id: ids[0], name: 5, email: 'numbers@example.org', emailVerified: true, image: { a: 1 } },
    { _id: ids[1], name: 'n\0ul', email: 'nul@example.org', emailVerified: 'yesterday' },
    { _id: 'text', email: 'text-id@example.org' },
    { _id: ids[2], name: 'x'.repeat(2 * 1024 * 1024), email: 'huge@example.org' },
    { _id: ids[3], email: 'roles@example.org' });
  t.is((await ask('getUser', { id: String(ids[0]) })).answer, { id: String(ids[0]), name: null, email: 'numbers@example.org', image: null, emailVerified: null },
    'values of another type count as missing, so that nothing counts as verified');
  t.is((await ask('getUser', { id: String(ids[1]) })).answer.name, null, 'a text with a NUL is none');
  t.like((await ask('getUserByEmail', { email: 'text-id@example.org' })).error ?? '', /no ObjectId/, 'a user whose _id is no ObjectId is refused');
  t.like((await ask('getUser', { id: String(ids[2]) })).error ?? '', /has \d+ bytes; at most/, 'so is a document that is too large');
  t.is((await ask('getUser', { id: String(ids[3]) })).answer.email, 'roles@example.org', 'and others are read as before');

  await put('nextauth_users',
    { _id: ids[0], roles: { admin: true }, hash: 5, disabled: 'no', revision: 'many' },
    { _id: ids[3], roles: ['editor', 7, null, 'ad\0min', '', { a: 1 }], disabled: false });
  t.is((await show(ids[0])).disabled, true, 'whatever is not plainly enabled is disabled');
  t.is([(await show(ids[0])).roles, (await show(ids[3])).roles], [[], ['editor']], 'only texts are roles, and whole ones');

  await put('sessions', { sessionToken: 'without-a-date-0123456789abcdef', userId: ids[3], expires: 'never' },
    { sessionToken: 'without-a-user-0123456789abcdef', userId: String(ids[3]), expires: new Date(LATER) });
  t.is((await ask('getSessionAndUser', { sessionToken: 'without-a-date-0123456789abcdef' })).answer.session.expires, null, 'a session without a date has expired');
  t.is((await ask('getSessionAndUser', { sessionToken: 'without-a-user-0123456789abcdef' })).answer, null, 'one without a user is none');
  await put('accounts', { userId: String(ids[3]), type: 'oauth', provider: 'github', providerAccountId: '1' });
  t.like((await ask('getUserByAccount', { provider: 'github', providerAccountId: '1' })).error ?? '', /no ObjectId/, 'an account of somebody else\'s kind is refused');
  t.is(await db.with((mongo) => mongo.collection('accounts').countDocuments()), 1, 'and not taken for one that was left behind');

  const injected = await ask('getUserByEmail', { email: '{"$gt":""}' });
  t.is(injected.answer, null, 'text is text, whatever it looks like', injected.error);
  t.is((await ask('getUserByEmail', { email: '.*@example.org' })).answer, null, 'and no pattern');
  t.is((await ask('getUserByEmail', { email: 'ROLES@Example.org' })).answer?.id, String(ids[3]), 'but case does not matter');

  await put('users', { _id: new ObjectId(), email: 'twice@example.org' }, { _id: new ObjectId(), email: 'Twice@example.org' });
  t.is((await ask('getUserByEmail', { email: 'Twice@example.org' })).answer?.email, 'Twice@example.org', 'of two who differ in case alone, the exact one is found');

  t.section('documents that are in the way of an index');
  await db.with((mongo) => mongo.dropDatabase());
  await put('accounts', { provider: 'github', providerAccountId: '1' }, { provider: 'github', providerAccountId: '1' });
  const refused = await nextauthctl(db, ['migrate']);
  if (db.is === 'mongod') {
    t.is(refused.status, 1, 'the migration stops');
    t.like(refused.stderr, /collection accounts has documents that are the same/, 'and says which');
  }
}

// ── TLS and passwords ───────────────────────────────────────────────────────────────────────────

async function encrypted(t) {
  t.section('TLS and SCRAM');
  const db = await startMongodb(t, { tls: { names: 'DNS:localhost' }, password: true });
  const other = await startMongodb(t, { tls: { names: 'DNS:localhost' } });
  const verified = (ca) => `${db.url}?tls=true&tlsCAFile=${encodeURIComponent(ca)}`;
  await migrate(t, { ...db, url: verified(db.ca) });
  const user = newUser();
  const { answer, error } = await client(t, verified(db.ca))('createUser', user);
  t.is(answer, { ...user, id: answer?.id }, 'a server whose certificate is right is used, with a password', error);

  const refuses = async (url, name, pattern = /MongoDB at \S+:\d+: /) => {
    const refused = await client(t, url)('getUser', { id: '0'.repeat(24) });
    t.like(refused.error ?? '', pattern, name);
    t.ok(![db.password, encodeURIComponent(db.password)].some((secret) => (refused.error ?? '').includes(secret)), 'and the message has no password');
  };
  await refuses(verified(other.ca), 'one of another CA is refused');
  await refuses(verified(db.ca).replace('localhost', '127.0.0.1'), 'so is a name that is not in it');
  await refuses(verified('/nowhere/ca.pem'), 'so is a CA that is not there');
  await refuses(db.url, 'and no TLS');
  await refuses(verified(db.ca).replace(encodeURIComponent(db.password), 'secret-but-wrong'), 'and a wrong password');
}

async function urls(t) {
  t.section('URLs that are refused');
  const folder = makeFolder(t);
  const refused = (url, schema) => nextauthctl({ dir: folder, url }, ['migrate', ...(schema ? ['--schema', schema] : [])]);
  for (const [url, pattern] of [
    ['mongodb://', /invalid MongoDB URL/], ['mongodb://h:99999/', /invalid MongoDB URL/], ['mongodb://a:b@c@d/x', /invalid MongoDB URL/],
    ['mongodb://h/x?tlsInsecure=true', /would accept any server's certificate/],
    ['mongodb://h/x?tls=true&tlsAllowInvalidCertificates=true', /would accept any server's certificate/],
    ['mongodb://h/x?tls=true&tlsAllowInvalidHostnames=true', /would accept any server's certificate/],
    ['mongodb://h/x?readPreference=nearest', /members that lag behind/], ['mongodb://h/x?readPreference=secondaryPreferred', /members that lag behind/],
    ['mongodb://h/x?w=0', /w=0/],
  ]) {
    const { status, stderr } = await refused(url);
    t.is(status, 1, url);
    t.like(stderr, pattern, 'and why');
  }
  for (const schema of ['prisma', 'users=', 'users=a,accounts=a', 'people=x', 'users=nextauth_users', 'users=$a', 'users=system.users']) {
    const { status, stderr } = await refused('mongodb://127.0.0.1:1/x', schema);
    t.is(status, 1, `schema=${schema}`);
    t.like(stderr, /invalid schema=/, 'and why');
  }
}

// ── replica sets ────────────────────────────────────────────────────────────────────────────────

async function replicaSet(t) {
  t.section('a replica set: transactions');
  const db = await startMongodb(t);
  const set = await startReplicaSet(t, { port: db.port });
  const url = set.url('nextauth');
  await migrate(t, { ...db, url });
  await contract(t, { ...db, url }, 'authjs', 'the adapter does the same in transactions');
  t.ok(set.transactions().includes('commit') && set.transactions().includes('abort'), 'which are committed, and aborted', set.transactions().length);

  const ask = client(t, url);
  const ended = () => set.transactions().length;
  const transient = { ok: 0, code: 112, codeName: 'WriteConflict', errmsg: 'conflict', errorLabels: ['TransientTransactionError'] };
  const unknown = { ok: 0, code: 91, codeName: 'ShutdownInProgress', errmsg: 'unknown', errorLabels: ['UnknownTransactionCommitResult'] };
  let before = ended();
  set.answerNext('insert', transient);
  t.is((await ask('createUser', newUser())).error, undefined, 'a conflict with others repeats it');
  t.is(set.transactions().slice(before), ['abort', 'commit'], 'from the beginning');
  const preferring = client(t, set.url('nextauth', '&readPreference=primaryPreferred'));
  t.is((await preferring('createUser', newUser())).error, undefined, 'a URL that permits secondaries to be read changes nothing about transactions');
  before = ended();
  set.answerNext('commitTransaction', unknown);
  t.is((await ask('createUser', newUser())).error, undefined, 'a commit of which nobody knows whether it was done');
  t.is(set.transactions().slice(before), ['commit'], 'is done again');

  t.section('a replica set: failover');
  const { answer: user } = await ask('createUser', newUser());
  set.primary(1);
  await until('the new primary is found', async () => !(await ask('createUser', newUser())).error);
  t.ok(set.asked(1).includes('insert'), 'what is written goes to the new primary');
  t.is((await ask('getUser', { id: user.id })).answer, user, 'and what is there is read');
  set.primary(-1);
  await until('it is noticed that there is none', async () => (await ask('createUser', newUser())).error);
  t.is((await ask('getUser', { id: user.id })).answer, user, 'without a primary, secondaries are read');
  t.like((await ask('getUser', { id: 'f'.repeat(24) })).error ?? '', /secondary might not have the user yet/, 'but do not tell who does not exist');
  const strict = client(t, set.url('nextauth', '&readPreference=primary'));
  t.like((await strict('getUser', { id: user.id })).error ?? '', /no server responds/, 'unless the URL says readPreference=primary');
  set.primary(0);
  await until('the primary is found', async () => !(await ask('createUser', newUser())).error);

  t.section('a replica set: a site without a primary');
  await addUser({ ...db, url }, 'ada@example.org', WORD);
  const site = await t.httpd({ config: config(url) });
  const ada = await signedIn(site, 'ada@example.org', WORD);
  for (let i = 0; i < 4; i += 1) {
    await site.reload();
    t.is(await statusOf(ada), 200, 'new children find the primary');
  }
  t.unlike(site.log(), /MongoDB at \S+ is down/, 'even if they know a secondary first');
  set.primary(-1);
  await site.reload(); // children without connections: the servers' state is all that they learn
  await until('sessions are read', async () => (await statusOf(ada)) === 200);
  t.like(site.log(), /MongoDB at \S+ is down: .*there is no primary/, 'sessions are read, and the primary counts as down, although nothing was written');
  set.primary(0);
  await until('it is back', async () => (await statusOf(await signedIn(site, 'ada@example.org', WORD))) === 200);
  t.like(site.log(), /MongoDB at \S+ is back/, 'until it is back');
}

// ── backup ──────────────────────────────────────────────────────────────────────────────────────

const rowsOf = (file) => fs.readFileSync(file, 'utf8').split('\n').slice(1, -2);

function hand(file, to) {
  const copy = `${to.dir}/handed.jsonl`;
  fs.copyFileSync(file, copy);
  fs.chmodSync(copy, 0o644);
  return copy;
}

async function moved(t, from, to) {
  const file = `${from.dir}/backup.jsonl`;
  const written = await nextauthctl(from, ['backup', file]);
  t.is(written.status, 0, `${from.engine} is backed up`, written.stderr);
  await migrate(t, to);
  const restored = await nextauthctl(to, ['restore', '--keep-sessions', hand(file, to)]);
  t.is(restored.status, 0, `and restored into ${to.engine}`, restored.stderr);
  return rowsOf(file);
}

// IDs that another engine does not accept are others afterwards.
const withoutIds = (lines) => lines.map((line) => {
  const { id, userId, user_id: owner, revision, ...row } = JSON.parse(line);
  return JSON.stringify(row, Object.keys(row).sort());
}).sort();

async function backups(t) {
  const here = databasesHere();
  if (!here.postgres || !here.sqlite) {
    t.skip('backup across engines', `install ${here.lacking.join(' ')}`);
    return;
  }
  t.section('from SQLite to MongoDB to PostgreSQL, and back');
  const [lite, mongo, postgres, again] = [sqlite(t), await startMongodb(t), await startPostgres(t), await startMongodb(t)];
  await migrate(t, lite);
  const id = await addUser(lite, 'ada@example.org', WORD, '--name', 'Ada "😀" \\', '--role', 'admin', '--role', 'editor');
  await addUser(lite, 'eve@example.org', WORD);
  await ctl(lite, 'user', 'disable', 'eve@example.org');
  await lite.sql(`INSERT INTO accounts ("userId", type, provider, "providerAccountId", access_token, expires_at) VALUES (${id}, 'oidc', 'google', 'sub', '${'t'.repeat(9000)}', 1790000000);
INSERT INTO sessions ("userId", expires, "sessionToken") VALUES (${id}, '2099-01-02T03:04:05.678Z', 'session-of-ada');
INSERT INTO verification_token (identifier, expires, token) VALUES ('ada@example.org', '2099-01-02T03:04:05.678Z', 'hash');
INSERT INTO nextauth_secrets (id, user_id, kind, name, sealed, scope, counter, created_at, used_at, expires_at) VALUES
  ('one', '${id}', 'totp', 'Ünï', 'sealed', NULL, 59000000, 1767225600000, 1767225600001, 0),
  ('two', '${id}', 'token', NULL, NULL, 'GET /svn/', 0, 1767225600000, 0, 4102444800000)`);
  const first = await moved(t, lite, mongo);
  const ada = await mongo.with((db) => db.collection('users').findOne({ email: 'ada@example.org' }));
  t.is([ada._id.constructor.name, ada.emailVerified.constructor.name], ['ObjectId', 'Date'], 'users have ObjectIds, and dates are dates');
  t.is((await mongo.with((db) => db.collection('sessions').findOne({ sessionToken: 'session-of-ada' }))).userId.equals(ada._id), true, 'and what is theirs refers to them');
  t.is((await ctl(mongo, 'user', 'show', 'ada@example.org', '--json')).includes('"roles":["admin","editor"]'), true, 'with their roles');
  const indexes = await mongo.with((db) => db.collection('accounts').indexes());
  t.ok(indexes.some(({ name, unique: is }) => name === 'nextauth_account' && is), 'and the indexes are there', indexes);
  const second = await moved(t, mongo, postgres);
  const third = await moved(t, postgres, again);
  t.is(withoutIds(second), withoutIds(first), 'nothing is lost on the way');
  t.is(withoutIds(third), withoutIds(first), 'nor back');

  const left = await nextauthctl(again, ['restore', hand(`${postgres.dir}/backup.jsonl`, again)]);
  t.like(left.stderr, /not empty/, 'what is there is not overwritten unasked');
  const replaced = await nextauthctl(again, ['restore', '--replace', '--keep-sessions', hand(`${mongo.dir}/backup.jsonl`, again)]);
  t.is(replaced.status, 0, 'but with --replace', replaced.stderr);
  const names = (await again.with((db) => db.listCollections().toArray())).map(({ name }) => name);
  t.ok(!names.some((name) => name.startsWith('nextauth_restore_')), 'and nothing is left of the restore', names);
}

// ── httpd ───────────────────────────────────────────────────────────────────────────────────────

const NAME = 'next-auth.session-token';
const config = (url, more = '') => `
NextAuthEngine On
NextAuthMode test
${roomy}
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of documents that come and go"
NextAuthProvider credentials backend=database
NextAuthDatabase ${url} timeout=1s
NextAuthSessionStore database checkInterval=0
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>`;
const members = (clients) => {
  const headers = clients.map((one) => ({ cookie: `${NAME}=${one.cookie(NAME)}` }));
  return (worker) => ({ path: '/members/', headers: headers[worker % headers.length] });
};

async function sites(t, strategy) {
  t.section(`a site with sessions in MongoDB, ${strategy}`);
  const db = await startMongodb(t);
  await migrate(t, db);
  const id = await addUser(db, 'ada@example.org', WORD, '--role', 'admin');
  const site = await t.httpd({ config: config(db.url, `NextAuthSessionStrategy ${strategy}\nNextAuthAuditLog database`) });
  const signIn = () => signedIn(site, 'ada@example.org', WORD);
  const clients = [await signIn(), await signIn()];
  t.is(await Promise.all(clients.map(statusOf)), [200, 200], 'users sign in');
  t.is((await clients[0].get('/admin/')).status, 200, 'with their roles');
  await ctl(db, 'role', 'revoke', 'ada@example.org', 'admin');
  t.is((await clients[0].get('/admin/')).status, 403, 'which can be taken away');
  t.ok((await db.with((mongo) => mongo.collection('nextauth_audit').find({ userId: id, outcome: 'success' }).toArray())).length >= 2, 'and the audit log tells of it');
  await ctl(db, 'user', 'disable', 'ada@example.org');
  t.isnt(await statusOf(clients[0]), 200, 'a disabled user has no session');
  await ctl(db, 'user', 'enable', 'ada@example.org');

  const again = [await signIn(), await signIn()];
  await site.reload();
  t.is(await Promise.all(again.map(statusOf)), [200, 200], 'after a reload, sessions are there');
  t.section('the server is killed and frozen under load');
  const load = startLoad(site.url, 8, members(again));
  await load.more(200, 50);
  await db.stop('SIGKILL');
  await load.more(503, 50);
  t.is((await signIn()).answer.status, 503, 'nobody signs in meanwhile, and is told to try again');
  await db.start();
  await until('sessions are back', async () => (await statusOf(again[0])) === 200);
  await load.more(200, 50);
  db.kill('SIGSTOP');
  await load.more(503, 50);
  t.is((await again[0].get('/public.html')).status, 200, 'public pages are served');
  db.kill('SIGCONT');
  await until('sessions are back', async () => (await statusOf(again[0])) === 200);
  await load.stop();
  t.is(Object.keys(load.counts).sort(), ['200', '503'], 'there are no other answers', load.counts);
  t.is(await Promise.all(again.map(statusOf)), [200, 200], 'and nobody was signed out');
  t.ok(childrenOf(site.pid).length > 0, 'httpd lives');
}

async function confirm(link, client) {
  const page = await client.open(link);
  const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
  return field('token') ? client.post('/api/auth/callback/email', Object.fromEntries(['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, field(name)]))) : page;
}

const linkIn = async (mail) => /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0];

async function features(t) {
  t.section('mailed links, accounts, rate limits, health, and check');
  const db = await startMongodb(t);
  await migrate(t, db);
  const mail = await startMail(t, { tls: 'none' });
  await addUser(db, 'bob@example.org', WORD);
  const options = { config: config(db.url, `
NextAuthProvider email
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthRateLimit signIn account=3/3600
<Location /health>
  SetHandler nextauth-health
  Require local
</Location>`) };
  const site = await t.httpd(options);
  const linkTo = async (email) => {
    const before = mail.mails.length;
    await new Client(site).signIn('email', { email });
    await until('a mail arrives', () => mail.mails.length > before);
    return linkIn(mail);
  };
  const clients = Array.from({ length: 4 }, () => new Client(site));
  const link = await linkTo('Carol@Example.org');
  const answers = await Promise.all(clients.map((one) => confirm(link, one)));
  t.is((await Promise.all(clients.map(statusOf))).filter((status) => status === 200).length, 1, 'a mailed link signs one of four in who use it at once', answers.map(({ status, location }) => `${status} ${location}`));
  const users = await db.with((mongo) => mongo.collection('users').find({ email: 'carol@example.org' }).toArray());
  t.is([users.length, users[0]?.emailVerified?.constructor.name], [1, 'Date'], 'and creates one user, whose address is verified');
  t.is(await db.with((mongo) => mongo.collection('verification_tokens').countDocuments()), 0, 'the token is gone');
  await confirm(await linkTo('carol@example.org'), clients[0]);
  t.is(await db.with((mongo) => mongo.collection('users').countDocuments({ email: 'carol@example.org' })), 1, 'a later link is the same user\'s');

  const guesses = [];
  for (let i = 0; i < 5; i += 1) guesses.push((await new Client(site).credentials('bob@example.org', 'wrong', { json: 'true' })).status);
  t.is(guesses, [401, 401, 401, 429, 429], 'guesses are limited, and counted in the database');
  t.is(JSON.parse((await new Client(site).get('/health')).text).status, 'healthy', 'the health report is good');
  const found = await check(t, options, ['--connect', '--json']);
  const rows = found.told.findings.filter((row) => /MongoDB|mongodb|database/i.test(JSON.stringify(row)));
  t.ok(rows.length && rows.every(({ state }) => state !== 'wrong'), 'check --connect finds the database and its indexes', JSON.stringify(rows));
  await db.with((mongo) => mongo.collection('accounts').dropIndex('nextauth_account'));
  t.like(JSON.stringify((await check(t, options, ['--connect', '--json'])).told.findings), /unique index nextauth_account of collection accounts is missing/, 'and says if one is missing');
}

async function fromEnvironment(t) {
  t.section('a NextAuth project\'s file with MONGODB_URI');
  const db = await startMongodb(t);
  await migrate(t, db);
  const mail = await startMail(t, { tls: 'none' });
  const port = await freePort();
  const variables = { NODE_ENV: 'test', NEXTAUTH_URL: `http://localhost:${port}`, NEXTAUTH_SECRET: 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5', MONGODB_URI: db.url,
    EMAIL_SERVER: mail.url(), EMAIL_FROM: 'no-reply@example.org' };
  const text = Object.entries(variables).map((pair) => `${pair.join('=')}\n`).join('');
  const options = { port, modules: ['watchdog'], files: { env: { text, mode: 0o600 } }, config: 'NextAuthEngine On\nNextAuthEnvFile @DIR@/env\nNextAuthFromEnv On' };
  const { status, told } = await check(t, options, ['--json', '--connect']);
  t.is([status, told.findings.filter(({ state }) => state === 'wrong')], [0, []], 'is a configuration without a mistake');
  const rowOf = (name) => told.findings.find(({ group, subject }) => group === 'environment' && subject === name)?.message;
  for (const name of Object.keys(variables)) t.like(rowOf(name) ?? '', /and used$/, `${name} is used`);
  const site = await t.httpd(options);
  const user = new Client(site);
  await user.signIn('email', { email: 'ada@example.org' });
  await until('a mail arrives', () => mail.mails.length > 0);
  await confirm(await linkIn(mail), user);
  t.is((await user.get('/api/auth/session')).json.user?.email, 'ada@example.org', 'and a user signs in');
  t.is(await db.with((mongo) => mongo.collection('users').countDocuments({ email: 'ada@example.org' })), 1, 'who is in MongoDB');
  const { stdout } = await nextauthctl(db, ['user', 'list'], { env: { NEXTAUTH_DATABASE_URL: '', DATABASE_URL: '', MONGODB_URI: db.url } });
  t.like(stdout, /ada@example\.org/, '  and nextauthctl finds it by the same variable');
}

suite('MongoDB', async (t) => {
  const lacks = mongodbLacks();
  if (lacks) t.skipAll(lacks);
  if (mpm === 'event') {
    const db = await startMongodb(t);
    await operations(t, db);
    await db.with((mongo) => mongo.dropDatabase());
    await migrate(t, db);
    await restarts(t, db);
    await interop(t, db, 'authjs', { Users: 'users', Accounts: 'accounts', Sessions: 'sessions', VerificationTokens: 'verification_tokens' });
    await interop(t, db, RENAMED, { Users: 'User', Accounts: 'Account', Sessions: 'Session', VerificationTokens: 'VerificationToken' });
    await hostile(t, db);
    await encrypted(t);
    await urls(t);
    await replicaSet(t);
    await backups(t);
    await features(t);
    await fromEnvironment(t);
  }
  for (const strategy of thorough ? ['jwt', 'database'] : ['database']) await sites(t, strategy);
});
