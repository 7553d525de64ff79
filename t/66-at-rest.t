#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const nextAuth = require('next-auth/jwt');
const { suite } = require('./lib/suite.js');
const { check, thorough } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, startPostgres, startMariadb, sqlite } = require('./lib/databases.js');
const schemas = require('./lib/schemas.js');
const { nextauthctl, empty, dialect } = require('./lib/ctl.js');
const { half, startRogue } = require('./lib/rogue.js');

const SECRET = 'the secret of rows at rest has 32 bytes';
const NEW = 'the new secret of rows has 32 bytes, too';
const NAME = { v4: 'next-auth.session-token', v5: 'authjs.session-token' };
const [ACCESS, REFRESH] = ['access-token-of-a-numbat-0123456789', 'refresh-token-of-a-quokka-0123456789'];
const ENCRYPTED = 'encrypted:';

const config = (db, rogue, { schema = 'authjs', atRest, secrets = [SECRET], compat = 'v4', strategy = 'database' }) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${secrets.map((secret) => `"${secret}"`).join(' ')}
NextAuthCompat ${compat}
NextAuthDatabase ${db.url} schema=${schema} ${atRest ? `atRest=${atRest}` : ''}
NextAuthProvider acme type=oidc issuer=${rogue.issuer('acme')} clientId=client clientSecret=secret
NextAuthSessionStrategy ${strategy}
NextAuthSessionStore database checkInterval=0
NextAuthSessionUpdateAge 0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;

// What the schemas call what is looked at here.
const prisma = { accounts: '"Account"', sessions: '"Session"', token: '"sessionToken"', account: '"providerAccountId"' };
const NAMES = {
  authjs: { ...prisma, accounts: 'accounts', sessions: 'sessions' }, 'authjs-uuid': { ...prisma, accounts: 'accounts', sessions: 'sessions' },
  prisma, snake: { accounts: 'accounts', sessions: 'sessions', token: 'session_token', account: 'provider_account_id' },
};

// A browser that is signed in by the provider as this user.
async function signedIn(site, rogue, sub, client = new Client(site)) {
  rogue.faults.acme = {
    token: (honest) => ({ ...honest, access_token: `${ACCESS}-${sub}`, refresh_token: `${REFRESH}-${sub}` }),
    claims: { sub, name: sub, email: `${sub}@example.org`, email_verified: true, at_hash: half(`${ACCESS}-${sub}`) },
    userinfo: { sub, name: sub, email: `${sub}@example.org`, email_verified: true },
  };
  const away = await client.page((await client.signIn('acme')).location);
  client.answer = await client.page(away.location);
  return client;
}

const status = async (site, cookie) => (await new Client(site).get('/members/', { headers: { cookie } })).status;

// All that there is in the database, and in SQLite's files what may be left of what there was.
async function dump(db, schema) {
  const { stdout, stderr, status: code } = await nextauthctl(db, ['backup', '--schema', schema, '--with-store', '-']);
  if (code !== 0) throw new Error(stderr);
  const files = db.engine === 'sqlite' ? ['', '-wal'].map((end) => db.file + end).filter((file) => fs.existsSync(file)) : [];
  return [stdout, ...files.map((file) => fs.readFileSync(file, 'latin1'))].join('\n');
}

async function fresh(db, schema, ddl) {
  await empty(db);
  if (ddl) await db.sql(ddl);
  const { status: code, stderr } = await nextauthctl(db, ['migrate', '--schema', schema]);
  if (code !== 0) throw new Error(stderr);
}

async function atRest(t, db, rogue, schema, ddl) {
  const names = NAMES[schema];
  const ask = (sql) => db.sql(dialect(db, sql));
  const rowOf = async (sub) => (await ask(`SELECT refresh_token, access_token, id_token FROM ${names.accounts} WHERE ${names.account} = '${sub}'`))[0];
  const storedIds = async () => (await ask(`SELECT ${names.token} AS id FROM ${names.sessions}`)).map(({ id }) => id);
  const ids = async (client) => (await client.get('/api/auth/sessions')).json.sessions.map(({ id }) => id);
  const cookieOf = (client, compat = 'v4') => `${NAME[compat]}=${client.cookie(NAME[compat])}`;
  await fresh(db, schema, ddl);
  const site = await t.httpd({ config: config(db, rogue, { schema }) });
  const change = (options) => site.reload(config(db, rogue, { schema, ...options }));
  const where = `${db.engine}, ${schema}`;

  t.section(`${where}: plain, as an application that shares the tables reads it`);
  const old = await signedIn(site, rogue, 'old');
  const before = old.cookie(NAME.v4);
  t.is(await status(site, cookieOf(old)), 200, 'a user signs in');
  t.is([await storedIds(), (await rowOf('old')).access_token, (await rowOf('old')).refresh_token], [[before], `${ACCESS}-old`, `${REFRESH}-old`], 'the tables have the session ID and the tokens');
  const plain = await dump(db, schema);
  t.ok([before, `${ACCESS}-old`, `${REFRESH}-old`].every((text) => plain.includes(text)), 'and so has a dump');

  t.section(`${where}: protected`);
  await change({ atRest: 'protected' });
  t.is(await status(site, `${NAME.v4}=${before}`), 200, 'a session of before is good still');
  const c = await signedIn(site, rogue, 'ada');
  const id = c.cookie(NAME.v4);
  const idToken = rogue.secrets.filter((text) => text.split('.').length === 3).at(-1);
  t.is(await status(site, cookieOf(c)), 200, 'a user signs in');
  const dumped = await dump(db, schema);
  const secrets = { 'the session ID': id, 'the access token': `${ACCESS}-ada`, 'the refresh token': `${REFRESH}-ada`, 'the ID token': idToken };
  for (const [what, text] of Object.entries(secrets)) t.ok(text && !dumped.includes(text), `${what} is not in a dump`);
  const row = await rowOf('ada');
  t.is(Object.values(row).map((value) => value.startsWith(ENCRYPTED)), [true, true, true], 'tokens are encrypted', JSON.stringify(row));
  const open = (value, salt, secret = SECRET) => nextAuth.decode({ token: value.slice(ENCRYPTED.length), secret, salt });
  t.is([await open(row.access_token, 'access_token:acme:ada'), (await open(row.refresh_token, 'refresh_token:acme:ada')).refresh_token, (await open(row.id_token, 'id_token:acme:ada')).id_token],
    [{ access_token: `${ACCESS}-ada` }, `${REFRESH}-ada`, idToken], 'which next-auth\'s own decode() opens');
  for (const salt of ['refresh_token:acme:ada', 'access_token:acme:old', 'access_token:other:ada', ''])
    t.is(await open(row.access_token, salt).catch(() => null), null, `but not as another column's or row's: '${salt}'`);

  t.section(`${where}: a hash out of the table`);
  const [hash] = (await storedIds()).filter((stored) => stored !== before && stored.startsWith('sha256:'));
  t.like(hash, /^sha256:[0-9a-f]{64}$/, 'is what the table has of a session');
  for (const shown of [hash, encodeURIComponent(hash), hash.slice('sha256:'.length), hash.replace(':', '_'), hash.replace(':', '.')])
    t.is(await status(site, `${NAME.v4}=${shown}`), 401, `is no cookie: ${shown.slice(0, 24)}…`);
  t.is((await new Client(site).get('/members/', { headers: { authorization: `Bearer ${hash}` } })).status, 401, 'nor a bearer token');

  t.section(`${where}: sessions are listed, renewed and ended`);
  const other = await signedIn(site, rogue, 'ada');
  const otherCookie = cookieOf(other);
  t.is((await ids(c)).length, 2, 'both of a user\'s are listed');
  t.is([(await c.session()).user.name, await status(site, cookieOf(c))], ['ada', 200], 'a renewal keeps one');
  await c.post('/api/auth/sessions', { csrfToken: await c.csrf(), session: (await c.get('/api/auth/sessions')).json.sessions.find(({ current }) => !current).id });
  t.is([await status(site, otherCookie), await status(site, cookieOf(c))], [401, 200], 'the other is ended, and only that');
  t.is((await storedIds()).length, 2, 'and its row is gone');
  const third = await signedIn(site, rogue, 'ada');
  const thirdCookie = cookieOf(third);
  await third.signOut();
  t.is([await status(site, thirdCookie), (await storedIds()).length], [401, 2], 'signing out ends a session, and its row');
  const fourth = await signedIn(site, rogue, 'ada');
  await c.post('/api/auth/sessions', { csrfToken: await c.csrf(), session: 'others' });
  t.is([await status(site, cookieOf(fourth)), await status(site, cookieOf(c))], [401, 200], 'all others end, not the one that asks');
  const disabled = await signedIn(site, rogue, 'bob');
  t.is((await nextauthctl(db, ['user', 'disable', '--schema', schema, 'bob@example.org'])).status, 0, 'nextauthctl user disable');
  t.is(await status(site, cookieOf(disabled)), 401, 'ends the user\'s sessions');

  t.section(`${where}: what was plain is protected at the next use`);
  t.is((await old.session()).user.name, 'old', 'a renewal of a session of before');
  const ofOld = `${NAME.v4}=${before}`;
  t.is([(await storedIds()).filter((stored) => !stored.startsWith('sha256:')), await status(site, ofOld)], [[], 200], 'leaves the hash of its ID');
  await signedIn(site, rogue, 'old');
  const ofBefore = await rowOf('old');
  t.is(Object.values(ofBefore).map((value) => value.startsWith(ENCRYPTED)), [true, true, true], 'a sign-in encrypts the tokens of before', JSON.stringify(ofBefore));
  t.is((await open(ofBefore.refresh_token, 'refresh_token:acme:old')).refresh_token, `${REFRESH}-old`, 'which are what they were');
  const now = (await nextauthctl(db, ['backup', '--schema', schema, '--with-store', '-'])).stdout;
  t.is([before, id, ACCESS, REFRESH].filter((text) => now.includes(text)), [], 'nothing plain is left');

  t.section(`${where}: a backup`);
  const file = `${db.dir}/at-rest.jsonl`;
  fs.rmSync(file, { force: true });
  t.is((await nextauthctl(db, ['backup', '--schema', schema, '--with-store', file])).status, 0, 'has all as it is stored');
  const restored = await nextauthctl(db, ['restore', '--schema', schema, '--keep-sessions', '--replace', file]);
  t.is([restored.status, (await rowOf('ada')).access_token], [0, row.access_token], 'and brings it back', restored.stderr);
  t.is([await status(site, cookieOf(c)), await status(site, `${NAME.v4}=${hash}`)], [200, 401], 'sessions go on by their cookies, and by nothing else');

  t.section(`${where}: another secret`);
  await change({ atRest: 'protected', secrets: [NEW, SECRET] });
  await signedIn(site, rogue, 'ada');
  const rotated = await rowOf('ada');
  t.is([(await open(rotated.refresh_token, 'refresh_token:acme:ada', NEW)).refresh_token, rotated.refresh_token === row.refresh_token], [`${REFRESH}-ada`, false], 'a sign-in encrypts the tokens with the newest');
  await signedIn(site, rogue, 'ada');
  t.is(await rowOf('ada'), rotated, 'once');
  await change({ atRest: 'protected', secrets: [NEW, SECRET], compat: 'v5 accept=v4,v5' });
  await signedIn(site, rogue, 'ada');
  const { decode } = await import('@auth/core/jwt');
  const five = await rowOf('ada');
  t.is((await decode({ token: five.refresh_token.slice(ENCRYPTED.length), secret: NEW, salt: 'refresh_token:acme:ada' })).refresh_token, `${REFRESH}-ada`, 'with v5, as Auth.js\'s decode() opens it');
  await change({ atRest: 'protected', secrets: [NEW], compat: 'v5' });
  const ofLost = await rowOf('old');
  const lost = await signedIn(site, rogue, 'old');
  t.is([await rowOf('old'), await status(site, cookieOf(lost, 'v5'))], [ofLost, 200], 'tokens whose secret is gone stay as they are, and their user signs in');

  t.section(`${where}: plain again`);
  const kept = await signedIn(site, rogue, 'ada');
  await change({ secrets: [NEW], compat: 'v5' });
  t.is(await status(site, cookieOf(kept, 'v5')), 200, 'a session whose ID is hashed is good');
  await kept.session();
  t.is([(await storedIds()).includes(kept.cookie(NAME.v5)), await status(site, cookieOf(kept, 'v5'))], [true, 200], 'and an application reads it once it is renewed');

  t.section(`${where}: columns`);
  const told = async () => (await check(t, { config: config(db, rogue, { schema, atRest: 'protected' }) }, ['--json', '--connect'])).told.findings
    .filter(({ group, subject }) => group === 'connections' && subject === 'NextAuthDatabase').map(({ state, message }) => `${state}: ${message}`);
  t.like((await told()).join(), /^ok: .* is available, and has all tables$/, 'of tokens are wide enough');
  if (db.engine !== 'sqlite') {
    await fresh(db, schema, ddl);
    await ask(`ALTER TABLE ${names.accounts} ${db.engine === 'mariadb' ? 'MODIFY access_token' : 'ALTER COLUMN access_token TYPE'} VARCHAR(191)`);
    t.is(await told(), ["wrong: column 'access_token' is too narrow for encrypted tokens"], '  and check --connect says where one is not');
  }

  t.section(`${where}: a token that is long`);
  await fresh(db, schema, ddl);
  await change({ atRest: 'protected' });
  rogue.faults.acme = { token: (honest) => ({ ...honest, refresh_token: 'r'.repeat(40 * 1024), access_token: 'a'.repeat(40 * 1024 + 1) }), claims: { sub: 'long', at_hash: half('a'.repeat(40 * 1024 + 1)) },
    userinfo: { sub: 'long' } };
  const long = new Client(site);
  const answer = await long.page((await long.page((await long.signIn('acme')).location)).location);
  const ofLong = await rowOf('long');
  t.is([answer.status, ofLong?.access_token, (await open(ofLong.refresh_token, 'refresh_token:acme:long')).refresh_token.length], [302, null, 40 * 1024], 'one of 40 KB is kept, a longer one is not');
  t.like(site.log(), /the account's access_token is not stored: it has 40961 bytes; at most 40960 can be encrypted/, '  as the log says');
}

async function configuration(t, rogue) {
  t.section('the configuration');
  const db = sqlite(t);
  await fresh(db, 'authjs');
  const wrong = await t.configtest({ config: config(db, rogue, { atRest: 'secret' }) });
  t.isnt(wrong.status, 0, 'another word is refused');
  t.like(wrong.output, /invalid atRest='secret': expected plain or protected/, '  with those that there are');
  const production = (options) => config(db, rogue, options).replace('Mode test', 'Mode production').replace('http://localhost:@PORT@', 'https://www.example.org');
  const advice = async (text) => (await check(t, { config: text }, ['--json'])).told.findings.filter(({ group, subject }) => group === 'site' && subject === 'NextAuthDatabase').map(({ state, hint }) => [state, hint]);
  t.is(await advice(production({})), [['ok', 'set atRest=protected, unless an application shares the tables']], 'check advises it in production');
  t.is(await advice(production({ atRest: 'protected' })), [], '  until it is followed');
  t.is(await advice(config(db, rogue, {})), [], '  and not elsewhere');
}

suite('Tokens and session IDs in the database can be encrypted and hashed', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  const rogue = await startRogue(t);
  await configuration(t, rogue);
  const kinds = { authjs: '', 'authjs-uuid': schemas.pgAdapterUuid, prisma: schemas.prisma, snake: schemas.snakeCase };
  for (const [engine, start, schema] of [['sqlite', sqlite, 'snake'], ['postgres', startPostgres, 'authjs'], ['mariadb', startMariadb, 'prisma']]) {
    if (!here[engine]) {
      t.skip(engine, `install ${here.lacking.join(' ')}`);
      continue;
    }
    const db = await start(t);
    for (const each of thorough ? Object.keys(kinds) : [schema])
      if (!kinds[each] || kinds[each][engine]) await atRest(t, db, rogue, each, kinds[each] && kinds[each][engine]);
  }
});
