#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd, pause, thorough } = require('./lib/httpd.js');
const { Client, statusOf } = require('./lib/client.js');
const { startHomemade } = require('./lib/emulators.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { makePgAdapter, startAuthJs } = require('./lib/authjs-adapter.js');
const schemas = require('./lib/schemas.js');
const { ctl, nextauthctl, dialect } = require('./lib/ctl.js');
const { open, seal } = require('./lib/token.js');

const SECRET = 'the secret of accounts has 32 bytes';
const NAME = 'next-auth.session-token';
const config = (db, one, two, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthProvider one type=oauth clientId=c clientSecret=s authorization=${one.url}/authorize token=${one.url}/token userinfo=${one.url}/api/me emailVerified=always
NextAuthProvider two type=oauth clientId=c clientSecret=s authorization=${two.url}/authorize token=${two.url}/token userinfo=${two.url}/api/me emailVerified=always
NextAuthProvider trusted type=oauth clientId=c clientSecret=s authorization=${two.url}/authorize token=${two.url}/token userinfo=${two.url}/api/me emailVerified=always allowDangerousEmailAccountLinking=true
NextAuthProvider gullible type=oauth clientId=c clientSecret=s authorization=${two.url}/authorize token=${two.url}/token userinfo=${two.url}/api/me allowDangerousEmailAccountLinking=true allowUnverifiedEmail=true
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionClaim sub roles
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>`;

async function signIn(site, provider, id, user, client = new Client(site)) {
  provider.user = user;
  const away = await client.page((await client.signIn(id)).location);
  client.answer = await client.page(away.location);
  return client;
}
const whoIs = async (client) => ((await client.session()) || {}).user || {};
const refusal = (client) => /error=(\w+)/.exec(client.answer.location)?.[1];

async function cases(t, db, one, two) {
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(db, one, two, 'NextAuthSessionStore database checkInterval=0') });
  const count = async (table) => Number((await db.sql(dialect(db, `SELECT count(*) AS n FROM "${table}"`)))[0].n);
  const ada = { id: 'a1', name: 'Ada', email: 'Ada@Example.org' };

  t.section(`${db.engine}: whose account it is`);
  const first = await signIn(site, one, 'one', ada);
  const { id } = await whoIs(first);
  t.is([await count('users'), await count('accounts')], [1, 1], 'nobody has account or address: a new user, with the account');
  t.is((await whoIs(first)).email, 'ada@example.org', 'whose address is kept in lower case');
  const rows = await db.sql(dialect(db, 'SELECT "userId", "type", "provider", "providerAccountId", "access_token", "token_type" FROM accounts'));
  t.is([rows[0].provider, rows[0].type, rows[0].providerAccountId, String(rows[0].userId), rows[0].access_token.length > 10], ['one', 'oauth', 'a1', id, true], 'the account as Auth.js writes it');
  t.is((await whoIs(await signIn(site, one, 'one', ada))).id, id, 'the account is known: its user');
  t.is((await whoIs(await signIn(site, one, 'one', { ...ada, email: 'other@example.org', name: 'Other' }))).email, 'ada@example.org', 'whatever the provider says of him now');
  t.is((await whoIs(await signIn(site, one, 'one', ada, first))).id, id, 'also where he is signed in');
  t.is(refusal(await signIn(site, two, 'two', { id: 'b1', email: 'ada@example.org' })), 'OAuthAccountNotLinked', 'another account with his address: refused');
  t.is(await count('accounts'), 1, 'and not linked');
  const claimed = await whoIs(await signIn(site, two, 'gullible', { id: 'g1', email: 'ada@example.org' }));
  t.ok(claimed.id && claimed.id !== id, 'by a provider that does not check addresses: a user of his own');
  t.is((await db.sql(dialect(db, `SELECT "id" FROM users WHERE "email" = 'ada@example.org'`))).map((row) => String(row.id)), [id], 'without the address, which nobody vouches for');
  const impostor = new Client(site);
  await impostor.credentials('ada', 'x');
  const typed = (await whoIs(impostor)).id;
  await first.credentials('ada', 'x');
  t.is([(await whoIs(first)).id, typed === id], [typed, false], 'a password typed while another is signed in: the user of the password, nobody is linked');
  await signIn(site, one, 'one', ada, first);
  t.is(refusal(first), 'OAuthAccountNotLinked', 'whose account the other one\'s is not');
  await first.signOut();
  await signIn(site, one, 'one', ada, first);
  const { proved, ...claims } = open(SECRET, first.cookie(NAME));
  const recent = first.cookie(NAME);
  first.cookies.set(NAME, { value: seal(SECRET, { ...claims, proved: proved - 3600 }), path: '/' });
  t.is(refusal(await signIn(site, two, 'two', { id: 'b2', email: 'elsewhere@example.org' }, first)), 'OAuthAccountNotLinked', 'another account while he is signed in, for an hour: refused');
  t.is([await count('accounts'), (await whoIs(first)).id], [3, id], 'and not linked');
  first.cookies.set(NAME, { value: recent, path: '/' });
  t.is((await whoIs(await signIn(site, two, 'two', { id: 'b2', email: 'elsewhere@example.org' }, first))).id, id, 'a few minutes after he signed in: linked, whatever its address');
  t.is((await whoIs(await signIn(site, two, 'two', { id: 'b2' }))).id, id, 'and his from then on');
  t.is((await whoIs(await signIn(site, two, 'trusted', { id: 't1', email: 'ada@example.org' }))).id, id, 'another account with his address, of a provider whose addresses are trusted: linked');
  await site.reload(config(db, one, two, `NextAuthSessionStore database checkInterval=0
NextAuthSignInRule deny "%{USER:email} == 'ada@example.org'"
NextAuthSignInRule allow "%{USER:id} =~ /^[ab]/"
NextAuthSignInRule deny true`));
  t.is(refusal(await signIn(site, two, 'two', { id: 'b2', email: 'elsewhere@example.org' })), 'AccessDenied', 'a rule that denies his address holds for his other account, too');
  t.is(refusal(await signIn(site, two, 'two', { id: 'a9', email: 'somebody@example.org' })), undefined, 'and others are let in as the provider knows them');
  t.is(refusal(await signIn(site, two, 'two', { id: 'a9', email: 'new@example.org' })), undefined, 'by whatever address');
  await site.reload(config(db, one, two, `NextAuthSessionStore database checkInterval=0
NextAuthCallback signIn "|/bin/sh -c 'if grep -q ada@example.org; then echo false; else echo true; fi'"`));
  t.is(refusal(await signIn(site, two, 'two', { id: 'b2', email: 'elsewhere@example.org' })), 'AccessDenied', 'so does a callback that denies it');
  t.is(refusal(await signIn(site, two, 'two', { id: 'a9', email: 'new@example.org' })), undefined, 'and it lets others in');
  await db.sql(dialect(db, `DELETE FROM accounts WHERE "providerAccountId" = 'a9'`));
  await db.sql(dialect(db, `DELETE FROM users WHERE "email" = 'somebody@example.org'`));
  await site.reload(config(db, one, two, 'NextAuthSessionStore database checkInterval=0'));
  const bob = await signIn(site, one, 'one', { id: 'x2', name: 'Bob', email: 'bob@example.org' });
  const bobs = (await whoIs(bob)).id;
  t.isnt(bobs, id, 'another address: another user');
  t.is(refusal(await signIn(site, one, 'one', ada, bob)), 'OAuthAccountNotLinked', 'another\'s account while one is signed in: refused');
  const moved = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(db, one, two).replace(/NextAuthDatabase .*/, '') });
  const before = await signIn(moved, one, 'one', { id });
  t.is((await whoIs(before)).id, id, 'a session from before there was a database has a provider\'s id');
  await moved.reload(config(db, one, two));
  const after = (await whoIs(await signIn(moved, two, 'two', { id: 'm1', email: 'm1@example.org' }, before))).id;
  t.ok(after && after !== id, 'which makes nobody the user with that number');
  const nameless = await signIn(site, one, 'one', { id: 'n1' });
  t.ok(/\d|-/.test((await whoIs(nameless)).id), 'an account without an address: a user without one');
  t.is([(await whoIs(nameless)).name, (await whoIs(nameless)).email, (await whoIs(nameless)).image], [null, null, null], 'which NextAuth\'s session has as null');
  t.is((await whoIs(await signIn(site, one, 'one', { id: 'n1' }))).id, (await whoIs(nameless)).id, 'the same at the next sign-in');

  t.section(`${db.engine}: addresses beyond ASCII`);
  const jörg = await whoIs(await signIn(site, one, 'one', { id: 'j1', email: 'JO\u0308RG@Bücher.Example' }));
  t.is(jörg.email, 'jörg@xn--bcher-kva.example', 'a provider\'s address gets its one form');
  t.is(refusal(await signIn(site, two, 'two', { id: 'j2', email: 'jörg@XN--bcher-kva.example' })), 'OAuthAccountNotLinked', 'in which another provider\'s is the same');
  t.is((await whoIs(await signIn(site, two, 'trusted', { id: 'j3', email: 'Jörg@bücher。example' }))).id, jörg.id, 'and is linked where that is trusted');
  for (const [n, email] of ['jorg@xn--bcher-kva.example', 'jörg@bucher.example', 'jørg@xn--bcher-kva.example'].entries()) {
    const alike = await whoIs(await signIn(site, two, 'trusted', { id: `j-${n}`, email }));
    t.is([alike.email, alike.id !== jörg.id], [email, true], `${email} is another user`);
  }
  for (const [n, email] of ['☕@example.org', 'a@☕.example', 'jörg\u200b@xn--bcher-kva.example', 'a\uff20b.org'].entries()) {
    t.is((await whoIs(await signIn(site, two, 'trusted', { id: `k-${n}`, email }))).email, null, `${JSON.stringify(email)} is left out: it has no such form`);
  }
  t.is(JSON.parse((await nextauthctl(db, ['user', 'show', '--json', 'Jörg@Bücher.example'])).stdout).id, jörg.id, 'nextauthctl finds the user by what one types');

  t.section(`${db.engine}: roles and users who are shut out`);
  const admin = async (client) => (await client.get('/admin/')).status;
  t.is(await admin(bob), 403, 'no role');
  await db.sql(`INSERT INTO nextauth_roles (user_id, role) VALUES ('${bobs}', 'admin')`);
  t.is(await admin(await signIn(site, one, 'one', { id: 'x2' })), 200, 'a role of the database, at the next sign-in');
  await db.sql(`INSERT INTO nextauth_credentials (user_id, disabled) VALUES ('${bobs}', 1)`);
  t.is(refusal(await signIn(site, one, 'one', { id: 'x2' })), 'AccessDenied', 'a disabled user cannot sign in');

  await db.sql(dialect(db, 'ALTER TABLE "users" ADD COLUMN "role" VARCHAR(40)'));
  await db.sql(dialect(db, `UPDATE "users" SET "role" = 'admin' WHERE "email" = 'ada@example.org'`));
  t.is(await admin(await signIn(site, one, 'one', ada)), 403, 'a column of roles is nobody\'s business');
  await site.reload(config(db, one, two, 'NextAuthSessionStore database checkInterval=0\nNextAuthRoleColumn On'));
  t.is(await admin(await signIn(site, one, 'one', ada)), 200, 'unless NextAuthRoleColumn says so');

  t.section(`${db.engine}: hostile names`);
  for (const evil of ["'; DROP TABLE users; --", '" OR 1=1 --', 'a\\', '%s%s%n', 'Zoë 😀 \u202e', '`x`']) {
    const c = await signIn(site, one, 'one', { id: evil, name: evil });
    t.is((await whoIs(c)).name, evil, `${JSON.stringify(evil)} is a name like others`);
  }

  t.section(`${db.engine}: everywhere at once`);
  const users = await count('users');
  one.user = { id: 'crowd', name: 'Crowd', email: 'crowd@example.org' };
  const many = db.engine === 'sqlite' ? 20 : 100;
  const starts = await Promise.all(Array.from({ length: many }, async () => {
    const c = new Client(site);
    return { c, away: await c.page((await c.signIn('one')).location) };
  }));
  // Who finds no place for the call to the provider gets 503, and loads the page again.
  const arrive = async (c, url, tries = 100) => {
    const answer = await c.page(url);
    if (answer.status !== 503 || !tries) return answer;
    await pause(100);
    return arrive(c, url, tries - 1);
  };
  const ends = await Promise.all(starts.map(async ({ c, away }) => ({ c, answer: await arrive(c, away.location) })));
  t.is(await count('users'), users + 1, `${many} first sign-ins of one new user make one user`);
  const good = ends.filter(({ c }) => c.cookie(NAME));
  t.ok(good.length >= many * 0.9, `${good.length} of them are signed in, others asked to try again`, ends.filter(({ c }) => !c.cookie(NAME)).map(({ answer }) => `${answer.status} ${answer.location}`));
  t.is(new Set(await Promise.all(good.slice(0, 10).map(async ({ c }) => (await whoIs(c)).id))).size, 1, 'as the same');
}

// The table of sessions is Auth.js's as well.
async function sharedSessions(t, db, one, two) {
  t.section(`${db.engine}: sessions in NextAuth's table`);
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(db, one, two, 'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0') });
  const c = await signIn(site, one, 'one', { id: 's1', name: 'Sue', email: 'sue@example.org' });
  const rows = await db.sql(dialect(db, `SELECT "userId" FROM sessions WHERE "sessionToken" = '${c.cookie(NAME)}'`));
  t.is(rows.map(({ userId }) => String(userId)), [(await whoIs(c)).id], 'a row has the cookie and its user');
  await db.sql(dialect(db, `UPDATE users SET "name" = 'Susan' WHERE "email" = 'sue@example.org'`));
  t.is((await whoIs(c)).name, 'Susan', 'what the database says of the user counts at once');
  await db.sql(`INSERT INTO nextauth_roles (user_id, role) VALUES ('${rows[0].userId}', 'admin')`);
  t.is((await c.get('/admin/')).status, 200, 'roles as well');
  await db.sql(`DELETE FROM nextauth_roles WHERE user_id = '${rows[0].userId}'`);
  t.is((await c.get('/admin/')).status, 403, 'and when they go');
  const other = await signIn(site, one, 'one', { id: 's1' });
  const form = async (client, session) => client.post('/api/auth/sessions', { csrfToken: await client.csrf(), session });
  t.is((await c.get('/api/auth/sessions')).json.sessions.length, 2, 'sessions are listed');
  await form(c, 'others');
  t.is([(await c.get('/members/')).status, (await other.get('/members/')).status], [200, 401], 'and ended');
  const third = await new Client(site);
  await third.credentials('ada', 'x');
  t.is((await third.get('/members/')).status, 200, 'passwords make such sessions, too');
  await c.signOut();
  t.is(await db.sql(dialect(db, `SELECT "userId" FROM sessions WHERE "userId" = ${rows[0].userId}`)), [], 'signing out removes the row');
  await db.sql(dialect(db, `DELETE FROM sessions`));
  t.is((await third.get('/members/')).status, 401, 'a row that is gone is a session that is gone');

  if (db.engine !== 'postgres') return;
  t.section('postgres: Auth.js on the other side');
  const adapter = await makePgAdapter(db.url);
  t.cleanup(() => adapter.disconnect());
  const user = await adapter.createUser({ name: 'Made by Auth.js', email: 'theirs@example.org', emailVerified: null, image: null });
  await adapter.createSession({ sessionToken: '0c5b2444-70a0-4932-980c-b4dc0d3f02b5', userId: user.id, expires: new Date(Date.now() + 3_600_000) });
  const theirs = { headers: { cookie: `${NAME}=0c5b2444-70a0-4932-980c-b4dc0d3f02b5` } };
  t.is((await new Client(site).get('/api/auth/session', theirs)).json.user.name, 'Made by Auth.js', 'a session of its adapter is one here');
  t.is((await new Client(site).get('/members/', theirs)).status, 200, 'that opens pages');
  await adapter.linkAccount({ userId: user.id, type: 'oauth', provider: 'one', providerAccountId: 'theirs' });
  t.is((await whoIs(await signIn(site, one, 'one', { id: 'theirs' }))).id, String(user.id), 'a user of its adapter signs in here');
  const ours = await signIn(site, one, 'one', { id: 'ours', name: 'Ours', email: 'ours@example.org' });
  const seen = await adapter.getSessionAndUser(ours.cookie(NAME));
  t.is([seen.user.name, seen.user.email, seen.session.expires > new Date()], ['Ours', 'ours@example.org', true], 'and it reads sessions and users from here');
  t.is((await adapter.getUserByAccount({ provider: 'one', providerAccountId: 'ours' })).email, 'ours@example.org', 'and accounts');
  const secret = 'the secret of accounts has 32 bytes';
  const authjs = await startAuthJs(t, { url: db.url, secret });
  const v5 = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(db, one, two, 'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0\nNextAuthCompat v5') });
  const here = await signIn(v5, one, 'one', { id: 'ours' });
  const cookie = { cookie: `authjs.session-token=${here.cookie('authjs.session-token')}` };
  t.is((await new Client(authjs).get('/api/auth/session', { headers: cookie })).json.user.email, 'ours@example.org', 'the whole of Auth.js takes a session from here');
  const there = new Client(authjs);
  const { csrfToken } = (await there.get('/api/auth/csrf')).json;
  await there.post('/api/auth/signin/email', { csrfToken, email: 'mailed@example.org' });
  await there.get(authjs.mails[0].url);
  const mailed = { cookie: `authjs.session-token=${there.cookie('authjs.session-token')}` };
  t.is((await new Client(v5).get('/api/auth/session', { headers: mailed })).json.user.email, 'mailed@example.org', 'and one that it made by mail is one here');
  t.is((await new Client(v5).get('/members/', { headers: mailed })).status, 200, 'that opens pages');
  await adapter.deleteSession(ours.cookie(NAME));
  t.is((await ours.get('/members/')).status, 401, 'and ends them');
}

// What others left in the tables is answered for good, not with 503 again and again.
async function oddRows(t, db, one, two) {
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(db, one, two) });
  t.section(`${db.engine}: an account whose user is gone`);
  await db.sql(dialect(db, `INSERT INTO accounts ("userId", "type", "provider", "providerAccountId") VALUES (987654, 'oauth', 'one', 'orphan')`));
  const orphan = await signIn(site, one, 'one', { id: 'orphan', name: 'Otto', email: 'otto@example.org' });
  const { id } = await whoIs(orphan);
  t.ok(id && id !== '987654', 'its owner is a new user', orphan.answer.status);
  t.is((await db.sql(dialect(db, `SELECT "userId" FROM accounts WHERE "providerAccountId" = 'orphan'`))).map((row) => String(row.userId)), [id], 'who has it from then on');
  t.like(site.log(), /an account of 'one' belongs to user '987654', who does not exist: the row is deleted/, 'and the log says so');

  if (db.engine !== 'mariadb') return;
  t.section('mariadb: an address that the column takes for another');
  await db.sql("DELETE FROM users WHERE email LIKE 'j%rg@%'"); // which are alike
  await db.sql('ALTER TABLE users MODIFY email VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci');
  await db.sql("INSERT INTO users (name, email) VALUES ('Other', 'zoé@example.org')");
  const alike = await signIn(site, one, 'one', { id: 'alike', email: 'zoe@example.org' });
  t.is(refusal(alike), 'AccessDenied', 'refused');
  t.is(refusal(await signIn(site, one, 'one', { id: 'unlike', email: 'zoè@example.org' })), 'AccessDenied', 'with another accent as well');
  t.like(site.log(), /the database does not distinguish the email address from that of user \d+: its column ignores accents or blanks/, 'and the log says why');
}

// Tables whose ids are uuids: users are named by them everywhere.
async function uuids(t, one, two) {
  t.section('postgres: ids that are uuids');
  const [db] = await startDatabases(t, ['postgres']);
  if (!db) return;
  await db.sql(schemas.pgAdapterUuid.postgres);
  await ctl(db, 'migrate', '--schema', 'authjs-uuid');
  const kept = (strategy) => `NextAuthSessionStrategy ${strategy}\nNextAuthSessionStore database checkInterval=0`;
  const start = async (strategy) => t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config({ url: `${db.url} schema=authjs-uuid` }, one, two, kept(strategy)) });
  const adapter = await makePgAdapter(db.url);
  t.cleanup(() => adapter.disconnect());
  for (const strategy of ['jwt', 'database']) {
    const site = await start(strategy);
    const user = { id: `u-${strategy}`, name: 'Uma', email: `uma-${strategy}@example.org` };
    const uma = await signIn(site, one, 'one', user);
    const { id } = await whoIs(uma);
    t.like(id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, `${strategy}: a new user`);
    const again = await signIn(site, one, 'one', user);
    t.is([(await whoIs(again)).id, await statusOf(again)], [id, 200], '  who is known the next time');
    t.is((await adapter.getUserByAccount({ provider: 'one', providerAccountId: user.id })).id, id, '  to Auth.js\'s own adapter as well');
    const theirs = await adapter.createUser({ name: 'Theirs', email: `theirs-${strategy}@example.org`, emailVerified: null, image: null });
    await adapter.linkAccount({ userId: theirs.id, type: 'oauth', provider: 'one', providerAccountId: `theirs-${strategy}` });
    t.is((await whoIs(await signIn(site, one, 'one', { id: `theirs-${strategy}` }))).id, theirs.id, '  whose users sign in here');
    const run = (...words) => ctl(db, ...words, '--schema', 'authjs-uuid');
    await run('role', 'grant', id, 'admin');
    t.is((await uma.get('/admin/')).status, 200, '  a role that is granted to the uuid counts');
    t.is((await uma.get('/api/auth/sessions')).json.sessions.length, 2, '  sessions are listed');
    await again.signOut();
    t.is([await statusOf(again), await statusOf(uma)], [401, 200], '  one ends by signing out');
    await run('user', 'disable', id);
    t.is(await statusOf(uma), 401, '  the other when the user is disabled');
  }
}

suite('Users, accounts and sessions in a database that NextAuth shares', async (t) => {
  const one = await startHomemade(t);
  const two = await startHomemade(t);
  for (const db of await startDatabases(t, enginesOfRound)) {
    const migrated = await nextauthctl(db, ['migrate']);
    t.is(migrated.status, 0, `${db.engine}: the tables are made`, migrated.stderr);
    await cases(t, db, one, two);
    await sharedSessions(t, db, one, two);
    await oddRows(t, db, one, two);
  }
  if (thorough) await uuids(t, one, two);
});
