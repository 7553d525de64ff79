#!/usr/bin/env node
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { childrenOf, root, until } = require('./lib/httpd.js');
const { startDatabases } = require('./lib/databases.js');
const schemas = require('./lib/schemas.js');
const { nextauthctl, secretFile, empty, dialect } = require('./lib/ctl.js');

const modules = process.env.NEXTAUTH_MODULE ? path.dirname(process.env.NEXTAUTH_MODULE) : process.env.BUILD || 'build';
const program = path.resolve(root, modules, 'nextauthctl');

const GOOD = 'correct horse battery';
const ADA = 'ada@example.org';

// Whether the terminal shows what is typed to the program that script(1) runs in it.
function echoes(script) {
  const [shell] = childrenOf(script);
  const { stdout } = spawnSync('stty', ['-a', '-F', `/proc/${shell}/fd/0`], { encoding: 'utf8' });
  return !stdout.includes(' -echo ');
}

// With a terminal, which script(1) makes; `keys` are typed one after the other, when their turn comes.
function onTerminal(db, args, keys) {
  const owner = db.engine === 'sqlite' ? fs.statSync(db.dir) : {};
  const command = [program, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: db.dir, uid: owner.uid, gid: owner.gid, stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LD_PRELOAD: '', NEXTAUTH_DATABASE_URL: db.url },
  });
  let output = '';
  const left = [...keys];
  child.stdout.on('data', (data) => {
    output += data;
    if (left.length && output.includes(left[0][0])) {
      const [asked, typed] = left.shift();
      output = output.replace(asked, '');
      // OpenSSL asks for a password first, then turns the echo off
      const isHeard = () => asked.startsWith('[') || !echoes(child.pid);
      until(`somebody listens after ${asked}`, isHeard).then(() => child.stdin.write(typed));
    }
  });
  return new Promise((resolve) => { child.on('close', (status) => resolve({ status, output })); });
}

const ctl = (db, line, ...more) => nextauthctl(db, [...line.split(' '), ...more]);
const show = async (db, who, ...args) => JSON.parse((await ctl(db, 'user show', who, '--json', ...args)).stdout);
const hashOf = async (db, id) => (await db.sql(`SELECT password_hash AS h FROM nextauth_credentials WHERE user_id = '${id}'`))[0]?.h;

// The hash as httpd's own tool sees it.
function verifies(t, db, hash, password) {
  const file = `${db.dir}/htpasswd`;
  fs.writeFileSync(file, `someone:${hash}\n`);
  return spawnSync('htpasswd', ['-vbB', file, 'someone', password]).status === 0;
}

async function adding(t, db, schema) {
  t.section(`${db.engine}, ${schema}: adding`);
  const s = ['--schema', schema];
  const none = await ctl(db, 'user list', ...s);
  t.is([none.status, none.stdout.trim().split('\n').length, none.stderr.trim()], [0, 1, '0 users'], 'nobody is there', none.stderr);
  t.is((await ctl(db, 'user list --json', ...s)).stdout, '{"users":[]}\n', 'as JSON, too');
  const file = secretFile(db, 'password', `${GOOD}\n`);
  const added = await ctl(db, 'user add --json --role admin --role editor --name', 'Ada Lovelace', '--email', ' Ada@Example.ORG', '--password-file', file, ...s);
  t.is(added.status, 0, 'a user with everything', added.stderr);
  const ada = JSON.parse(added.stdout);
  t.is([ada.email, ada.name, Boolean(ada.emailVerified), ada.disabled, ada.roles, ada.password.hash],
    [ADA, 'Ada Lovelace', true, false, ['admin', 'editor'], 'bcrypt'], 'is there, the address in lower case, for which the administrator vouches');
  t.ok(Math.abs(Date.parse(ada.password.changedAt) - Date.now()) < 60_000, 'and when the password was set');
  const hash = await hashOf(db, ada.id);
  t.like(hash, /^\$2y\$12\$/, 'the hash is bcrypt of cost 12');
  t.ok(verifies(t, db, hash, GOOD) && !verifies(t, db, hash, 'correct horse'), 'which httpd verifies');
  t.unlike(added.stdout + (await ctl(db, 'user show --json', ada.id, ...s)).stdout, /\$2y\$/, 'and nobody is shown');
  const bob = await ctl(db, 'user add --email bob@example.org', ...s);
  t.like(bob.stdout, /^added: \S+ {2}bob@example\.org\n$/, 'a user without a password', bob.stderr);
  t.is((await show(db, 'bob@example.org', ...s)).password, null, 'has none');
  const twice = await ctl(db, 'user add --email ADA@example.org', ...s);
  t.is(twice.status, 1, 'the same address once more is refused');
  t.like(twice.stderr, /a user with this email address exists/, 'and why');
  const race = await Promise.all([1, 2, 3, 4].map(() => ctl(db, 'user add --email race@example.org', ...s)));
  t.is(race.map(({ status }) => status).sort(), [0, 1, 1, 1], 'several at once: one of them is added', ...race.map(({ stderr }) => stderr));
  t.is((await ctl(db, 'user delete --yes race@example.org', ...s)).status, 0, 'and deleted');
  return ada;
}

async function showing(t, db, schema, ada) {
  t.section(`${db.engine}, ${schema}: showing`);
  const s = ['--schema', schema];
  const { stdout, stderr } = await ctl(db, 'user list', ...s);
  t.like(stdout, /^ID +EMAIL +STATE +PASSWORD +ROLES +NAME$/m, 'the table has a heading');
  t.like(stdout, new RegExp(`^${ada.id} +ada@example\\.org +active +bcrypt +admin, editor +Ada Lovelace$`, 'm'), 'and a line for each user');
  t.like(stdout, /bob@example\.org +active +- +- +-$/m, 'what is not there is a dash');
  t.is(stderr, '2 users\n', 'and their number');
  t.is(JSON.parse((await ctl(db, 'user list --json', ...s)).stdout).users.map(({ email }) => email).sort(), [ADA, 'bob@example.org'], '--json tells the same');
  const one = await ctl(db, 'user show Ada@example.org', ...s);
  t.like(one.stdout, /^Password +bcrypt, changed \d{4}-\d\d-\d\d \d\d:\d\d \(UTC\)$/m, 'a user is found by address');
  t.is((await show(db, ada.id, ...s)).email, ADA, 'and by id');
  t.unlike(stdout + one.stdout, /\x1b/, 'no colours without a terminal');
  for (const nobody of ['eve@example.org', '4711', `${ada.id}x`, 'x']) {
    const { status, stderr: why } = await ctl(db, 'user show', nobody, ...s);
    t.ok(status === 1 && why.includes(`no user '${nobody}'`), `nobody is '${nobody}'`, why);
  }
}

async function changing(t, db, schema, ada) {
  t.section(`${db.engine}, ${schema}: changing`);
  const s = ['--schema', schema];
  t.is((await ctl(db, 'role grant', ADA, 'auditor', ...s)).status, 0, 'a role is granted');
  t.is((await ctl(db, 'role grant', ada.id, 'auditor', ...s)).status, 0, 'once more is no harm');
  t.is((await ctl(db, 'role revoke', ADA, 'admin', ...s)).stdout, `revoked: ${ada.id}  ${ADA}\n`, 'another is taken back');
  t.is((await show(db, ADA, ...s)).roles, ['auditor', 'editor'], 'the others stay');
  const off = await ctl(db, 'user disable --json', ADA, ...s);
  t.is([off.status, JSON.parse(off.stdout).disabled, JSON.parse(off.stdout).password?.hash], [0, true, 'bcrypt'], 'disabled, the password stays', off.stderr);
  t.like((await ctl(db, 'user list', ...s)).stdout, /ada@example\.org +disabled/, 'which the table shows');
  t.is((await ctl(db, 'user disable bob@example.org', ...s)).status, 0, 'one without a password');
  t.is((await show(db, 'bob@example.org', ...s)).password, null, 'still has none');
  t.is((await ctl(db, 'user enable', ADA, ...s)).status, 0, 'enabled');
  t.is((await show(db, ADA, ...s)).disabled, false, 'again');

  const before = await hashOf(db, ada.id);
  const other = secretFile(db, 'password', 'another good one\r\n\n');
  t.is((await ctl(db, 'user set-password --hash yescrypt', ADA, '--password-file', other, ...s)).status, 0, 'a new password');
  const after = await hashOf(db, ada.id);
  t.ok(after !== before && after.startsWith('$y$j9T$'), 'by yescrypt', after);
  t.ok(verifies(t, db, after, 'another good one'), 'without the line ends behind it');
  for (const [text, why] of [['short', /at least 8 characters/], ['Password123', /too common/], ['lovelace in love', /Do not use your name/],
    ['abcdefgh', /a repeated character/], ['', /is empty/], ['a second\nline of it', /must be one line/], ['a NUL\0 within', /NUL byte/], ['x'.repeat(73), /too long/], ['caf\xe9 latin-1', /invalid characters/]]) {
    const bad = secretFile(db, 'password', Buffer.from(`${text}\n`, 'latin1'));
    const { status, stderr } = await ctl(db, 'user set-password', ADA, '--password-file', bad, ...s);
    t.ok(status === 1 && why.test(stderr) && (!text || !stderr.includes(text)), `refused, not shown: ${why}`, stderr);
  }
  const open = secretFile(db, 'password', GOOD, 0o644);
  t.like((await ctl(db, 'user set-password', ADA, '--password-file', open, ...s)).stderr, /is readable or writable by all users/, 'a file that everybody may read is refused');
  t.is(await hashOf(db, ada.id), after, 'and the password is what it was');
}

async function deleting(t, db, schema, ada) {
  t.section(`${db.engine}, ${schema}: deleting`);
  const s = ['--schema', schema];
  const asked = await ctl(db, 'user delete', ADA, ...s);
  t.is(asked.status, 2, 'without --yes and without a terminal nothing is deleted');
  t.is((await show(db, ADA, ...s)).id, ada.id, 'she is still there');
  const gone = await ctl(db, 'user delete --yes', ADA, ...s);
  t.is([gone.status, gone.stdout], [0, `deleted: ${ada.id}  ${ADA}\n`], 'with --yes she is gone', gone.stderr);
  t.is(await hashOf(db, ada.id), undefined, 'with her password');
  t.is((await db.sql(`SELECT count(*) AS n FROM nextauth_roles WHERE user_id = '${ada.id}'`))[0].n, '0', 'and her roles');
  t.is((await ctl(db, 'user show bob@example.org', ...s)).status, 0, 'others stay');
}

// What others wrote: addresses in capitals, text that would command a terminal, many of them.
async function foreign(t, db) {
  t.section(`${db.engine}: users of others`);
  await db.sql(dialect(db, `INSERT INTO users (name, email) VALUES ('Eve', 'Eve@Example.org')`));
  await db.sql(`INSERT INTO users (name, email) VALUES ('${'\x1b[31mred\nline'}', 'red@example.org')`);
  await db.sql(dialect(db, `INSERT INTO users (name) VALUES (NULL)`));
  await db.sql(dialect(db, `INSERT INTO sessions ("userId", "sessionToken", expires) SELECT id, 'token', '2999-01-01 00:00:00' FROM users WHERE name = 'Eve'`));
  t.is((await show(db, 'Eve@Example.org')).name, 'Eve', 'an address with capitals is found as it is');
  t.is((await ctl(db, 'user disable Eve@Example.org')).status, 0, 'its user is disabled');
  t.is((await db.sql('SELECT count(*) AS n FROM sessions'))[0].n, '0', 'and the session is gone');
  const { stdout } = await ctl(db, 'user list');
  t.ok(!stdout.includes('\x1b') && stdout.includes(' [31mred line'), 'control characters are spaces', stdout);
  const many = Array.from({ length: 1203 }, (_, i) => `('user${i}@example.org')`).join(',');
  await db.sql(`INSERT INTO users (email) VALUES ${many}`);
  const { users } = JSON.parse((await ctl(db, 'user list --json')).stdout);
  t.is(new Set(users.map(({ id }) => id)).size, 1203 + 4, 'all of many are listed once');
}

async function calls(t, db) {
  t.section('calls');
  for (const wrong of ['user add', 'user add --email', 'user add --email a@b.org more', 'user show', 'user show 1 2', 'user list 1',
    'user list --role x', 'user show --yes 1', 'user delete 1', 'user set-password 1', 'role grant 1', 'role revoke 1 a b', 'user list --nonsense', 'user']) {
    t.is((await ctl(db, wrong)).status, 2, `${wrong}: the call is wrong`);
  }
  for (const [failing, why] of [['user add --email nonsense', /exactly one @/], ['user add --email a@b', /invalid email address/],
    ['user set-password x@example.org --password-file -', /no user/], ['user add --email k@example.org --password-file /nowhere', /nowhere/],
    ['user add --email k@example.org --password-file - --hash md5', /invalid kind of password hash 'md5'/], ['user add --email k@example.org --password-file -', /standard input is empty/]]) {
    const { status, stderr } = await ctl(db, failing);
    t.ok(status === 1 && why.test(stderr), failing, `${status} ${stderr}`);
  }
  for (const role of ['', 'a\nb', 'x'.repeat(256)]) t.is((await ctl(db, 'role grant bob@example.org', role)).status, 1, `no role: ${JSON.stringify(role).slice(0, 9)}`);
  t.like((await ctl({ ...db, url: 'sqlite:/nowhere/at.all' }, 'user list')).stderr, /nextauthctl: /, 'no database');
}

async function terminal(t, db) {
  t.section('on a terminal');
  if (spawnSync('script', ['--version']).status !== 0) return t.skip('a terminal', 'script(1) is not here');
  const bob = await show(db, 'bob@example.org');
  const set = await onTerminal(db, ['user', 'set-password', bob.id], [['Password: ', `${GOOD}\n`], ['Verifying - ', `${GOOD}\n`]]);
  t.is(set.status, 0, 'a password is asked for twice', set.output);
  t.ok(!set.output.includes(GOOD), 'without echo');
  t.ok(verifies(t, db, await hashOf(db, bob.id), GOOD), 'and is set');
  const typo = await onTerminal(db, ['user', 'set-password', bob.id], [['Password: ', `${GOOD}\n`], ['Verifying - ', 'correct house\n']]);
  t.ok(typo.status === 1 && /do not match/.test(typo.output), 'a slip is noticed', typo.output);
  const listed = await onTerminal(db, ['user', 'show', bob.id], []);
  t.like(listed.output, /\x1b\[1mID/, 'there are colours');
  const no = await onTerminal(db, ['user', 'delete', bob.id], [['[y/N] ', '\n']]);
  t.ok(no.status === 1 && no.output.includes('nothing was deleted'), 'deleting is asked for', no.output);
  const yes = await onTerminal(db, ['user', 'delete', bob.id], [['[y/N] ', 'y\n']]);
  t.is(yes.status, 0, 'and done', yes.output);
  t.is((await ctl(db, 'user show', bob.id)).status, 1, 'he is gone');
}

suite('Users of the database', async (t) => {
  t.withOneMpm();
  const all = await startDatabases(t);
  for (const db of all) {
    for (const [schema, ddl] of [['prisma', schemas.prisma], ['authjs', {}]]) {
      if (schema === 'prisma' && !ddl[db.engine]) continue;
      await empty(db);
      if (ddl[db.engine]) await db.sql(ddl[db.engine]);
      t.is((await ctl(db, 'migrate --schema', schema)).status, 0, `${db.engine}, ${schema}: a database`);
      const ada = await adding(t, db, schema);
      await showing(t, db, schema, ada);
      await changing(t, db, schema, ada);
      await deleting(t, db, schema, ada);
    }
    await foreign(t, db);
  }
  if (all.length) await calls(t, all[0]);
  if (all.length) await terminal(t, all[0]);
});
