#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { htpasswd, makeFolder, root, roomy, thorough, until } = require('./lib/httpd.js');
const { apart, Client } = require('./lib/client.js');
const { databasesHere, enginesOfRound, sqlite, startDatabases } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl, secretFile, dialect } = require('./lib/ctl.js');
const { linesOf, recordsOf, firstWrong, chain, headOf } = require('./lib/audit.js');

const NAME = 'next-auth.session-token';
const KEY = 'the key of the audit log, which is long enough';
const files = { users: htpasswd({ ada: 'x', bob: 'y' }), 'audit.key': { text: `${KEY}\n`, mode: 0o600 } };
const config = (log, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of audited users is long"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionStore none
NextAuthAuditLog ${log}
${more}
<Location /metrics>
  SetHandler nextauth-metrics
</Location>
<Location /health>
  SetHandler nextauth-health
</Location>
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

const ctl = (dir, ...args) => nextauthctl({ dir, url: '' }, args);
const verify = (dir, ...args) => ctl(dir, 'audit', 'verify', ...args);

async function isRight(t, what, file, ...args) {
  const { status, stdout, stderr } = await verify(path.dirname(file), file, ...args);
  return t.is([status, stdout.split(':')[0], stderr], [0, 'right', ''], what);
}

const isIn = (client) => Boolean(client.cookie(NAME));

async function signIn(site, user = 'ada', password = 'x', headers = {}, options = {}) {
  const client = new Client(site, options);
  const csrfToken = await client.csrf();
  client.answer = await client.post('/api/auth/callback/credentials', { csrfToken, username: user, password }, { headers });
  return client;
}

// ── what is recorded ────────────────────────────────────────────────────────────────────────────

async function recording(t) {
  t.section('what is recorded');
  const site = await t.httpd({ files, config: config('@DIR@/audit.log') });
  const log = `${site.dir}/audit.log`;
  t.is(fs.statSync(log).mode & 0o777, 0o600, 'the file is its owner\'s alone');
  const agent = { 'user-agent': 'Mozilla/5.0 (X11) Firefox/128.0' };
  const ada = await signIn(site, 'ada', 'x', agent);
  t.ok(isIn(ada), 'Ada signs in');
  await signIn(site, 'ada', 'wrong', agent);
  await ada.signOut();
  const [first, failed, last, ...more] = recordsOf(log);
  t.is(more, [], 'a sign-in, a failure and a sign-out are three records');
  t.is([first.seq, first.event, first.outcome, first.reason], [1, 'SIGNIN', 'success', undefined], 'the sign-in');
  t.is([first.user, first.provider, first.address, first.userAgent, first.site],
    ['ada', 'credentials', '127.0.0.1', agent['user-agent'], site.url], '  by whom, from where');
  t.ok(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(first.time) && Math.abs(Date.parse(first.time) - Date.now()) < 60_000, '  and when');
  t.is([failed.event, failed.outcome, failed.provider, failed.address], ['SIGNIN', 'failure', 'credentials', '127.0.0.1'], 'the failure');
  t.like(failed.reason, /^CredentialsSignin/, '  and why');
  t.is([last.event, last.outcome, last.user, last.provider], ['SIGNOUT', 'success', 'ada', 'credentials'], 'the sign-out');
  t.is(Object.keys(first).filter((name) => name !== 'requestId' && name !== 'traceId'),
    ['seq', 'time', 'event', 'outcome', 'user', 'name', 'provider', 'address', 'userAgent', 'site', 'prev', 'hash'], 'members are in their order');
  t.is(firstWrong(linesOf(log)), 0, 'the chain is what the manual says');
  await isRight(t, 'and nextauthctl agrees', log);

  t.section('foreign text');
  const before = linesOf(log).length;
  const forged = ['a"}\n{"seq":9,"event":"SIGNIN"', 'a\r\nb', 'a\\', '\x1b[31mred', '\xff\xfe', `${'long'.repeat(2000)}`, '{"event":"SIGNOUT"}'];
  for (const text of forged) await signIn(site, text, 'x');
  for (const text of ['"}{"seq":1', 'a\tb', 'caf\xe9 \xff', 'x'.repeat(4000)]) await signIn(site, 'ada', 'x', { 'user-agent': text });
  const lines = linesOf(log).slice(before);
  t.is(lines.length, forged.length + 4, 'each is one record');
  t.ok(lines.every((line) => !/[\x00-\x1f\x7f]/.test(line) && Buffer.byteLength(line) < 4096), 'that is one line without control characters');
  t.is(lines.map((line) => JSON.parse(line).seq), lines.map((_, i) => before + i + 1), 'with our number');
  t.ok(lines.every((line) => Buffer.byteLength(JSON.parse(line).userAgent || '') <= 256), 'browsers\' names are cut');
  await isRight(t, 'the chain is whole', log);
}

// ── many at once, a restart, rotation ───────────────────────────────────────────────────────────

async function busy(t) {
  t.section('many at once');
  const site = await t.httpd({ files, config: config('@DIR@/audit.log key=file:@DIR@/audit.key', roomy) });
  const log = `${site.dir}/audit.log`;
  const rounds = (count) => Promise.all(Array.from({ length: 16 }, async (_, client) => {
    for (let i = 0; i < count; i += 1) await signIn(site, 'ada', 'x', {}, apart(client));
  }));
  await rounds(3);
  t.is(recordsOf(log).filter(({ outcome }) => outcome === 'success').length, 48, '16 clients sign in, and each sign-in is recorded once');
  await isRight(t, 'in one chain', log, '--key-file', `${site.dir}/audit.key`);
  const going = rounds(6);
  fs.renameSync(log, `${log}.1`);
  await Promise.all([site.reload(), going]);
  await signIn(site);
  t.ok(linesOf(log).length > 0, 'over a graceful restart they go on in a new file');
  t.is(linesOf(log).length + linesOf(`${log}.1`).length, 48 + 96 + 1, 'none is lost');
  await isRight(t, 'and the chain goes on from the old file', `${log}.1`, log, '--key-file', `${site.dir}/audit.key`, '--head', `${log}.head`);
  const alone = await verify(site.dir, log, '--key-file', `${site.dir}/audit.key`);
  t.ok(alone.status === 1 && /missing: records 1 to \d+ before/.test(alone.stdout), 'alone the new one begins in the middle', alone.stdout);
  await site.reload();
  await signIn(site);
  await isRight(t, 'a restart is no new chain', `${log}.1`, log, '--key-file', `${site.dir}/audit.key`, '--head', `${log}.head`);
}

// As Debian's apache2 has it, for a folder of the test's.
const debianRule = (folder) => `${folder}/*.log {
  daily
  missingok
  rotate 14
  compress
  delaycompress
  notifempty
  create 640 root adm
  sharedscripts
}
`;

async function rotated(t) {
  t.section('logrotate');
  if (spawnSync('logrotate', ['--version']).status !== 0) return t.skip('logrotate', 'install logrotate');
  const ours = fs.readFileSync(`${root}/conf/logrotate`, 'utf8');
  const named = ['docs/audit.md', 'docs/operations.md', 'conf/nextauth.conf'].flatMap((file) => [...fs.readFileSync(`${root}/${file}`, 'utf8').matchAll(/\/\S*\/audit\.log/g)].map(([where]) => where));
  const documented = /^(\/\S+) \{/m.exec(ours)[1];
  t.is([...new Set(named)], [documented], 'the documents name one path, which the rule is for');
  const site = await t.httpd({ files: { ...files, 'state/.keep': '', 'nextauth/.keep': '' }, config: config('@DIR@/nextauth/audit.log key=file:@DIR@/audit.key') });
  const log = `${site.dir}/nextauth/audit.log`;
  // httpd's own logs are where its package's rule looks; the audit log's folder is beside that, as documented
  t.is([path.posix.dirname(path.posix.dirname(documented)), path.posix.basename(path.posix.dirname(documented))], ['/var/log', 'nextauth'], 'beside the folder of httpd\'s logs, not in it');
  const run = (name, rule) => {
    fs.writeFileSync(`${site.dir}/state/${name}`, rule, { mode: 0o644 });
    return spawnSync('logrotate', ['-f', '-s', `${site.dir}/state/${name}.state`, `${site.dir}/state/${name}`], { encoding: 'utf8' });
  };
  await signIn(site);
  await signIn(site, 'ada', 'wrong');
  const before = linesOf(log);
  const theirs = run('apache2', debianRule(site.dir));
  t.is([theirs.status, linesOf(log)], [0, before], 'Debian\'s rule, forced, leaves it alone', theirs.stderr);
  t.ok(fs.existsSync(`${site.dir}/access.log.1`), '  though it rotates what is httpd\'s');
  await site.reload();
  for (let month = 1; month <= 2; month += 1) {
    const starts = () => site.log().match(/resuming normal operations/g).length;
    const already = starts();
    const done = run('nextauth', ours.replaceAll('/var/log/nextauth', `${site.dir}/nextauth`).replace('apachectl graceful', `kill -USR1 ${site.pid}`));
    t.is([done.status, done.stderr.replace(/^warning: .*\n/gm, '')], [0, ''], 'ours rotates it');
    await until('httpd has the new file', () => starts() > already && fs.existsSync(log));
    await signIn(site);
  }
  t.is([linesOf(`${log}.2`), linesOf(`${log}.1`).length, linesOf(log).length], [before, 1, 1], '  and nothing is lost');
  await isRight(t, '  the chain goes on', `${log}.2`, `${log}.1`, log, '--key-file', `${site.dir}/audit.key`, '--head', `${log}.head`);
}

async function shared(t) {
  t.section('virtual hosts that share a log');
  const host = (name, key) => `<VirtualHost *:@PORT@>
ServerName ${name}.localhost
NextAuthURL http://${name}.localhost:@PORT@
NextAuthAuditLog @DIR@/shared.log${key ? ' key=file:@DIR@/audit.key' : ''}
</VirtualHost>`;
  const site = await t.httpd({ files, config: config('@DIR@/audit.log', `${roomy}\n${host('one')}\n${host('other')}`) });
  const sites = ['one', 'other'].map((name) => ({ ...site, url: `http://${name}.localhost:${site.port}` }));
  await Promise.all(Array.from({ length: 12 }, (_, i) => signIn(sites[i % 2], 'ada', 'x', {}, apart(i))));
  const records = recordsOf(`${site.dir}/shared.log`);
  t.is(sites.map(({ url }) => records.filter((record) => record.site === url).length), [6, 6], 'both write to it');
  await isRight(t, 'in one chain', `${site.dir}/shared.log`);
  t.is(linesOf(`${site.dir}/audit.log`), [], 'and not to the main server\'s');
  // it may listen for a moment before it ends
  const refused = await t.httpd({ files, config: config('@DIR@/audit.log', `${host('one')}\n${host('other', true)}`) }).catch(({ message }) => ({ alive: () => false, log: () => message }));
  await until('it ends', () => !refused.alive());
  t.like(refused.log(), /shared\.log' has a different key= in another virtual host/, 'with another key, the server does not start');
}

// ── tampering ───────────────────────────────────────────────────────────────────────────────────

const rename = (line) => line.replace('"user":"ada"', '"user":"eve"');
const tamperings = [
  // what, what is done to ten lines, where it shows, how
  ['an edited line', (l) => l.with(4, rename(l[4])), 5, /edited/],
  ['a line with another hash', (l) => l.with(4, l[4].replace(/"hash":"../, '"hash":"00')), 5, /edited/],
  ['the first line deleted', (l) => l.slice(1), 1, /missing: record 1 before record 2/],
  ['one in the middle', (l) => l.toSpliced(4, 1), 5, /missing: record 5 before record 6/],
  ['three in the middle', (l) => l.toSpliced(4, 3), 5, /missing: records 5 to 7 before record 8/],
  ['the last', (l) => l.slice(0, -1), undefined, /missing: record 10 at the end/],
  ['all of them', () => [], undefined, /missing: records 1 to 10 at the end/],
  ['two swapped', (l) => l.with(4, l[5]).with(5, l[4]), 5, /out of order: record 6 comes before record 5/],
  ['a line twice', (l) => l.toSpliced(5, 0, l[4]), 6, /out of order: record 5 again/],
  ['an inserted record', (l) => l.toSpliced(5, 0, chain([...l.slice(0, 5), l[0]].map((line) => JSON.parse(line)))[5]), undefined, /./],
  ['an inserted word', (l) => l.toSpliced(5, 0, 'hello'), 6, /not JSON/],
  ['inserted JSON', (l) => l.toSpliced(5, 0, '{"event":"SIGNIN"}'), 6, /not a record/],
  ['half a line', (l) => l.with(4, l[4].slice(0, 90)), 5, /cut short/],
  ['an empty line', (l) => l.toSpliced(5, 0, ''), 6, /not JSON/],
];

async function tampering(t) {
  const folder = makeFolder(t);
  const log = `${folder}/audit.log`;
  fs.writeFileSync(`${folder}/key`, KEY, { mode: 0o600 });
  const person = (user, i) => ({ seq: i + 1, time: `2026-01-01T00:00:0${i % 10}.000Z`, event: 'SIGNIN', outcome: 'success', user, prev: '' });
  const records = Array.from({ length: 10 }, (_, i) => person('ada', i));
  const write = (lines, text = lines.map((line) => `${line}\n`).join('')) => fs.writeFileSync(log, text);
  for (const key of [undefined, KEY]) {
    t.section(`tampering, ${key ? 'with' : 'without'} a key`);
    const lines = chain(records, key);
    const options = key ? ['--key-file', `${folder}/key`] : [];
    fs.writeFileSync(`${log}.head`, headOf(lines[9]));
    write(lines);
    await isRight(t, 'what nobody touched is right', log, ...options);
    for (const [what, change, where, how] of tamperings) {
      write(change(lines));
      const { status, stdout } = await verify(folder, log, '--json', ...options);
      const found = JSON.parse(stdout);
      t.is([status, found.ok], [1, false], `${what} is caught`);
      if (where) t.is(found.line, where, `  on line ${where}`);
      t.like(found.wrong, how, '  and said to be that');
    }
    write(lines, `${lines.join('\n').slice(0, -30)}`);
    t.like((await verify(folder, log, ...options)).stdout, /^wrong: \S+audit\.log, line 10: cut short/, 'a cut end is caught, and named for people');
    write(chain(records.slice(0, 9), key));
    t.is((await verify(folder, log, ...options)).status, 1, 'fewer records than the head file has');
    write(chain(records.map((record) => ({ ...record, user: 'eve' })), key));
    t.like((await verify(folder, log, ...options)).stdout, /replaced: the head file has another hash for record 10/, 'a chain made anew is not the head file\'s');
  }
  t.section('a chain made anew, the head file as well');
  const forged = chain(records.map((record) => ({ ...record, user: 'eve' })));
  write(forged);
  fs.writeFileSync(`${log}.head`, headOf(forged[9]));
  await isRight(t, 'without a key it cannot be told', log);
  t.like((await verify(folder, log, '--key-file', `${folder}/key`)).stdout, /line 1: edited: .* created with another key/, 'with a key it is caught');

  t.section('the verifier');
  const lines = chain(records);
  const other = chain(records.map((record, i) => (i === 4 ? { ...record, user: 'eve' } : record)));
  write(lines.with(4, other[4]));
  t.like((await verify(folder, log)).stdout, /line 6: record 6 does not follow the previous record/, 'a record that was replaced, hash and all, is not what the next one follows');
  write(lines);
  fs.writeFileSync(`${log}.head`, headOf(lines[7]));
  const lags = await verify(folder, log);
  t.is([lags.status, /lags behind/.test(lags.stderr)], [0, true], 'a head file that lags is a warning');
  fs.writeFileSync(`${log}.1`, lines.slice(0, 4).map((line) => `${line}\n`).join(''));
  fs.writeFileSync(`${log}.2`, lines.slice(4).map((line) => `${line}\n`).join(''));
  fs.writeFileSync(`${log}.head`, headOf(lines[9]));
  await isRight(t, 'several files are one chain', `${log}.1`, `${log}.2`, '--head', `${log}.head`);
  const after = await verify(folder, `${log}.2`, '--after', JSON.parse(lines[3]).hash, '--head', 'none', '--json');
  t.is([after.status, JSON.parse(after.stdout).first.seq, JSON.parse(after.stdout).last.hash], [0, 5, JSON.parse(lines[9]).hash], '--after: what follows a hash that was noted');
  t.is((await verify(folder, `${log}.2`, '--after', JSON.parse(lines[4]).hash, '--head', 'none')).status, 1, 'and does not follow another');
  write(lines.slice(0, -2));
  for (const [what, change, wrong] of [['is gone', () => fs.rmSync(`${log}.head`), /the head file is missing: records could be missing/], ['is empty', () => fs.writeFileSync(`${log}.head`, ''), /the head file is empty: records could be missing/]]) {
    change();
    const cut = await verify(folder, log, '--json');
    t.is([cut.status, JSON.parse(cut.stdout).ok, cut.stderr], [1, false, ''], `a log that was cut at the end, and whose head file ${what}, is not right`);
    t.like(JSON.parse(cut.stdout).wrong, wrong, '  and why');
  }
  const none = await verify(folder, log, '--head', 'none');
  t.is([none.status, none.stdout.split(':')[0]], [0, 'right'], '--head none does without one');
  t.like(none.stderr, /without a head file, records that are missing at the end cannot be detected/, '  and says what that means');
  write(lines);
  t.unlike((await verify(folder, log)).stdout, /\x1b/, 'no colours without a terminal');
  for (const wrong of [[], ['--after', 'x', log], ['--nonsense', log]]) t.is((await verify(folder, ...wrong)).status, 2, `a wrong call: ${wrong.join(' ')}`);
  t.is((await verify(folder, '/nowhere')).status, 1, 'a file that is not there');
  t.like((await verify(folder, log, '--head', '/nowhere')).stdout, /^wrong: .*the head file is missing/, 'nor such a head file');
}

async function large(t) {
  t.section('large files');
  const folder = makeFolder(t);
  const write = (count) => {
    const records = Array.from({ length: count }, (_, i) => ({ seq: 0, time: '2026-01-01T00:00:00.000Z', event: 'SIGNIN', outcome: 'success', user: `u${i}`, userAgent: 'x'.repeat(200), prev: '' }));
    fs.writeFileSync(`${folder}/${count}`, chain(records).map((line) => `${line}\n`).join(''));
    return `${folder}/${count}`;
  };
  const [small, big] = [await verify(folder, write(5000), '--head', 'none'), await verify(folder, write(50_000), '--head', 'none')];
  t.is([small.status, big.status], [0, 0], '50,000 records are verified', big.stdout);
  t.ok(big.peak < small.peak + 2048, 'in as much memory as 5,000', `${small.peak} and ${big.peak} KiB`);
  fs.appendFileSync(`${folder}/50000`, 'x'.repeat(20_000_000));
  const endless = await verify(folder, `${folder}/50000`);
  t.ok(endless.status === 1 && /line 50001: not JSON/.test(endless.stdout) && endless.peak < small.peak + 2048, 'a line of 20 MB is one more wrong line', endless.stdout, endless.peak);
}

async function showing(t) {
  t.section('audit show');
  const folder = makeFolder(t);
  const log = `${folder}/audit.log`;
  const lines = chain([
    { time: '2026-01-01T10:00:00.000Z', event: 'SIGNIN', outcome: 'success', user: '7', email: 'ada@example.org', provider: 'github', address: '192.0.2.1' },
    { time: '2026-01-02T10:00:00.000Z', event: 'SIGNIN', outcome: 'failure', reason: 'AccessDenied: no', name: '\x1b[31mEve\n', provider: 'github' },
    { time: '2026-01-03T10:00:00.000Z', event: 'ROLE_GRANT', outcome: 'success', user: '7', email: 'ada@example.org', actor: 'administrator', detail: 'role editor, by root' },
  ].map((record) => ({ seq: 0, ...record, prev: '' })));
  fs.writeFileSync(log, `${lines.join('\n')}\nnonsense\n`);
  const show = async (...args) => ctl(folder, 'audit', 'show', log, ...args);
  const all = await show();
  t.is([all.status, all.stderr], [0, '3 records\n1 line is not a record: nextauthctl audit verify explains why\n'], 'records are counted, and what is none');
  t.like(all.stdout, /^TIME \(UTC\) +EVENT +OUTCOME +WHO +PROVIDER +ADDRESS +BY, WHAT, WHY$/m, 'a table');
  t.like(all.stdout, /^2026-01-01 10:00:00 +SIGNIN +success +ada@example\.org +github +192\.0\.2\.1 *$/m, 'a record is a row');
  t.like(all.stdout, /ROLE_GRANT +success +ada@example\.org +- +- +administrator, role editor, by root$/m, 'an act says by whom');
  t.ok(!all.stdout.includes('\x1b'), 'foreign text commands no terminal');
  const times = async (...args) => (await show('--json', ...args)).stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line).time.slice(8, 10));
  t.is(await times('--user', '7'), ['01', '03'], '--user by id');
  t.is(await times('--user', 'ada@example.org', '--event', 'SIGNIN'), ['01'], 'by address, and by event');
  t.is(await times('--since', '2026-01-02'), ['02', '03'], '--since a day');
  t.is(await times('--since', '2026-01-02T10:00:01'), ['03'], 'or a second');
  for (const wrong of [['--since', 'yesterday'], ['--event', 'signIn'], ['more'], ['--nonsense']]) t.is((await show(...wrong)).status, 2, `a wrong call: ${wrong.join(' ')}`);
  t.like((await show('--since', 'yesterday')).stderr, /invalid --since: expected a time in UTC, such as 2026-01-31/, 'a wrong time is explained');
  t.like((await show('--event', 'signIn')).stderr, /invalid --event: expected a name of the audit log, such as SIGNIN/, 'so is an event that there is not');
}

// ── what goes wrong ─────────────────────────────────────────────────────────────────────────────

function mountSmall(t) {
  const folder = makeFolder(t);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder]).status !== 0) return null;
  t.cleanup(() => spawnSync('umount', [folder]));
  return folder;
}

function fill(folder) {
  const file = fs.openSync(`${folder}/filling`, 'w');
  try {
    for (;;) fs.writeSync(file, Buffer.alloc(512));
  } catch (error) {
    if (error.code !== 'ENOSPC') throw error;
  } finally {
    fs.closeSync(file);
  }
}

// What is left of the last page takes a few records still.
async function untilFull(site, log) {
  for (let i = 0; i < 40; i += 1) {
    const before = linesOf(log).length;
    const client = await signIn(site);
    if (linesOf(log).length === before) return client;
  }
  throw new Error('the disk is not full');
}

async function failuresOf(site) {
  const { text } = await new Client(site).get('/metrics');
  return Number(/^nextauth_audit_failures_total (\d+)$/m.exec(text)[1]);
}

async function healthIs(t, site, wanted) {
  let last;
  const matches = async () => {
    const { status, json } = await new Client(site).get('/health');
    last = `${status} ${json.status}, audit ${json.checks.audit?.status}`;
    return last === wanted;
  };
  await until('health knows', matches).catch(() => {});
  t.is(last, wanted, '  which health says');
}

async function fullDisk(t) {
  t.section('a full disk');
  for (const policy of ['refuse', 'continue']) {
    const folder = mountSmall(t);
    if (!folder) return t.skip('a full disk', 'a file system cannot be mounted here');
    const log = `${folder}/audit.log`;
    const site = await t.httpd({ files, config: config(`${log} onFailure=${policy}`) });
    t.ok(isIn(await signIn(site)), `onFailure=${policy}: with space there are sign-ins`);
    await healthIs(t, site, '200 healthy, audit up');
    fill(folder);
    const client = await untilFull(site, log);
    t.is([client.answer.status, isIn(client), (await client.get('/members/')).status], policy === 'refuse' ? [503, false, 401] : [302, true, 200],
      policy === 'refuse' ? 'without, a 503 and nobody is signed in' : 'without, people sign in');
    await healthIs(t, site, policy === 'refuse' ? '503 unhealthy, audit down' : '200 degraded, audit down');
    t.unlike((await new Client(site).get('/health')).text, /\/|space/, '  and no more of it');
    const failures = await failuresOf(site);
    await signIn(site);
    t.is(await failuresOf(site), failures + 1, 'metrics count it, once');
    const wrong = await signIn(site, 'ada', 'wrong');
    t.is([wrong.answer.status, isIn(wrong)], [policy === 'refuse' ? 503 : 302, false], 'a failure that cannot be recorded');
    const alarms = () => site.log().match(/^.*nextauth:error.*audit log: could not write .*$/gm) || [];
    t.is(alarms().length, 1, 'the error log says so, once', site.log());
    t.is(await failuresOf(site), failures + 2, 'metrics count it');
    t.like(alarms()[0], policy === 'refuse' ? /audit\.log': .*(No space|no space).*; actions are refused/ : /actions proceed without a record \(onFailure=continue\)/, 'and what is done');
    t.is(firstWrong(linesOf(log)), 0, 'no half record is there');
    fs.rmSync(`${folder}/filling`);
    t.ok(isIn(await signIn(site)), 'with space again there are sign-ins');
    t.is(recordsOf(log).pop().outcome, 'success', 'and records');
    t.like(site.log(), /audit log: records are written again/, 'the error log says that, too');
    await healthIs(t, site, '200 healthy, audit up');
    await isRight(t, 'the chain is whole', log);
  }
}

// Until then it may still take what is in its pipe, and lose it.
function isDead(pid) {
  try {
    return /^\d+ \(.*\) [ZX]/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}

function childrenOf(pid, name) {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).filter((entry) => {
    try {
      const [, comm, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(fs.readFileSync(`/proc/${entry}/stat`, 'utf8'));
      return comm === name && Number(parent) === pid;
    } catch {
      return false;
    }
  }).map(Number);
}

async function programs(t) {
  t.section('a program');
  const site = await t.httpd({ files: { ...files, collect: { text: '#!/bin/sh\nexec cat >>"$1"\n', mode: 0o755 } },
    config: config('"|@DIR@/collect @DIR@/collected" @DIR@/audit.log key=file:@DIR@/audit.key') });
  const log = `${site.dir}/collected`;
  const written = (count) => until(`${count} records`, () => fs.existsSync(log) && linesOf(log).length >= count);
  const key = ['--key-file', `${site.dir}/audit.key`];
  await signIn(site);
  await written(1);
  const [pid] = childrenOf(site.pid, 'cat');
  process.kill(pid, 'SIGKILL');
  await until('it is dead', () => isDead(pid));
  const client = await signIn(site);
  t.ok(isIn(client), 'when it is killed, people sign in');
  await until('another one', () => childrenOf(site.pid, 'cat').some((other) => other !== pid));
  await signIn(site);
  await written(3);
  const head = fs.readdirSync(site.dir).find((name) => /^nextauth-audit-[0-9a-f]{16}\.head$/.test(name));
  t.ok(head, 'its head file is in DefaultRuntimeDir');
  await isRight(t, 'the next one gets what was written meanwhile', log, ...key, '--head', `${site.dir}/${head}`);
  await isRight(t, 'a file beside it has all records, too', `${site.dir}/audit.log`, ...key);
  if (!thorough) return;
  const stuck = await t.httpd({ files, config: config('"|$exec sleep 1000"', roomy) });
  let refused = 0;
  const start = Date.now();
  await Promise.all(Array.from({ length: 8 }, async (_, client) => {
    for (let i = 0; i < 40; i += 1) refused += (await signIn(stuck, 'ada', 'wrong', {}, apart(client))).answer.status === 503;
  }));
  t.ok(refused > 0 && refused < 320, 'one that does not read fills its pipe, then things are refused', `${refused} of 320 in ${Date.now() - start} ms`);
  t.like(stuck.log(), /audit log: could not write to '\|exec': the program is not reading; actions are refused/, 'which is said');
}

// ── the database ────────────────────────────────────────────────────────────────────────────────

async function tableOf(t, db) {
  t.section(`${db.engine}: the table`);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const site = await t.httpd({ files, config: config('database', `NextAuthDatabase ${db.url}`) });
  const ada = await signIn(site, 'ada', 'x', { 'user-agent': 'Firefox' });
  t.ok(isIn(ada), 'Ada signs in');
  await signIn(site, 'ada', 'wrong');
  await ada.signOut();
  const rows = await db.sql(`SELECT * FROM nextauth_audit ORDER BY occurred_at, CASE outcome WHEN 'failure' THEN 1 ELSE 2 END`);
  t.is(rows.map(({ event, outcome }) => `${event} ${outcome}`).sort().filter((row) => /SIGN(IN|OUT) /.test(row)), ['SIGNIN failure', 'SIGNIN success', 'SIGNOUT success'], 'three rows tell it');
  const row = rows.find(({ event, outcome }) => event === 'SIGNIN' && outcome === 'success');
  t.is([row.provider, row.address, row.user_agent, row.actor], ['credentials', '127.0.0.1', 'Firefox', null], 'with what matters');
  t.ok(Math.abs(Number(row.occurred_at) - Date.now()) < 60_000, 'and when');
  await db.sql('ALTER TABLE nextauth_audit RENAME TO elsewhere');
  const refused = await signIn(site);
  t.is([refused.answer.status, isIn(refused)], [503, false], 'without the table nobody signs in');
  t.like(site.log(), /audit log: .*; actions are refused/, 'and the log says why');
  await db.sql('ALTER TABLE elsewhere RENAME TO nextauth_audit');
  t.ok(isIn(await signIn(site)), 'with it, they do');
}

// ── a record that fails in the transaction of what it tells of ──────────────────────────────────

const OLD = 'seven lanterns under water';
const NEW = 'a quieter lighthouse at noon';

// The table is there and refuses rows, each engine in its way.
const refusals = {
  sqlite: () => ["CREATE TRIGGER refusal BEFORE INSERT ON nextauth_audit BEGIN SELECT RAISE(ABORT, 'no rows'); END", 'DROP TRIGGER refusal'],
  mariadb: () => ["CREATE TRIGGER refusal BEFORE INSERT ON nextauth_audit FOR EACH ROW SIGNAL SQLSTATE '45000'", 'DROP TRIGGER refusal'],
  postgres: ({ user }) => [`REVOKE INSERT ON nextauth_audit FROM ${user}`, `GRANT INSERT ON nextauth_audit TO ${user}`],
};

async function transactions(t, db) {
  const mail = await startMail(t, { tls: 'none' });
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  for (const policy of ['refuse', 'continue']) await transaction(t, db, mail, policy);
}

async function transaction(t, db, mail, policy) {
  t.section(`${db.engine}: a table that takes no rows, onFailure=${policy}`);
  const goesOn = policy === 'continue';
  const site = await t.httpd({ config: config(`database onFailure=${policy}`, `NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
${['signUp', 'account', 'deleteAccount'].map((name) => `NextAuthFeature ${name} On`).join('\n')}
NextAuthPasswords hash=bcrypt:10`).replace('backend=file:@DIR@/users', 'backend=database') });
  const post = async (client, path, fields) => client.post(`/api/auth/${path}`, { csrfToken: await client.csrf(), ...fields });
  const linkIn = async (work) => {
    const before = mail.mails.length;
    await work();
    await until('a mail', () => mail.mails.length > before);
    const { searchParams } = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
    return { token: searchParams.get('token'), email: searchParams.get('email') };
  };
  const addressOf = (name) => `${name}@${policy}.example.org`;
  const signUp = (name) => linkIn(() => post(new Client(site), 'signup', { email: addressOf(name) }));
  const choose = (link, client = new Client(site)) => post(client, 'set-password', { ...link, password: OLD });
  const userOf = async (name) => (await db.sql(`SELECT name, email FROM users WHERE email = '${addressOf(name)}'`))[0];
  const ada = new Client(site);
  const change = (fields) => post(ada, 'account', { currentPassword: OLD, ...fields });
  await choose(await signUp('ada'), ada);
  const before = await userOf('ada');
  t.is([isIn(ada), before.email], [true, addressOf('ada')], 'while it takes rows, people sign up');
  const links = { eve: await signUp('eve'), countess: await linkIn(() => change({ change: 'email', email: addressOf('countess') })) };
  const [refuse, allow] = refusals[db.engine](db);
  await db.sql(refuse);

  const named = await change({ change: 'name', name: 'Countess' });
  t.is([named.status, /Your name has been changed/.test(named.text), (await userOf('ada')).name], goesOn ? [200, true, 'Countess'] : [503, false, before.name],
    goesOn ? 'a name is changed, and the answer says so' : 'no name is changed, and the answer says so');
  const moved = await post(ada, 'confirm-email', links.countess);
  t.is([moved.status, Boolean(await userOf('countess'))], goesOn ? [200, true] : [503, false], goesOn ? '  so is an address' : '  nor is an address');
  const eve = new Client(site);
  t.is([(await choose(links.eve, eve)).status, isIn(eve), Boolean(await userOf('eve'))], goesOn ? [302, true, true] : [503, false, false],
    goesOn ? 'who signs up is a user, and signed in' : 'who signs up is no user');
  t.is((await change({ change: 'password', password: NEW })).status, goesOn ? 200 : 503, goesOn ? 'a password is changed' : 'no password is changed');
  t.is((await db.sql("SELECT count(*) AS n FROM nextauth_audit WHERE event IN ('PROFILE_UPDATE', 'EMAIL_CHANGE', 'PASSWORD_CHANGE')"))[0].n, '0', 'there is no row');
  const alarms = () => site.log().match(/^.*nextauth:error.*audit log: .*$/gm) || [];
  t.is(alarms().length, 1, 'the error log says so, once', site.log());
  t.like(alarms()[0], goesOn ? /actions proceed without a record \(onFailure=continue\)/ : /actions are refused/, '  and what is done');

  await db.sql(allow);
  const working = new Client(site);
  await working.credentials(addressOf(goesOn ? 'countess' : 'ada'), goesOn ? NEW : OLD);
  t.ok(isIn(working), goesOn ? 'the new password and address are good' : 'the old password is good');
  t.like(site.log(), /audit log: records are written again/, 'records are written again');
  await db.sql(refuse);
  const left = await post(working, 'account', { change: 'delete', confirm: addressOf(goesOn ? 'countess' : 'ada'), currentPassword: goesOn ? NEW : OLD });
  t.is([left.status, Boolean(await userOf(goesOn ? 'countess' : 'ada'))], goesOn ? [302, false] : [503, true], goesOn ? 'who leaves is gone' : 'who leaves is not gone');
  await db.sql(allow);
}

// ── what was done, and what was not ─────────────────────────────────────────────────────────────

const MAIL_QUEUE = 256;
const one = process.env.NEXTAUTH_MPM === 'prefork' ? 'StartServers 1\nMaxRequestWorkers 1' : 'StartServers 1\nServerLimit 1\nMaxRequestWorkers 12\nMinSpareThreads 1\nMaxSpareThreads 12';

async function done(t) {
  t.section('what was done, and what was not');
  const db = sqlite(t);
  const mail = await startMail(t, { tls: 'none' });
  const told = makeFolder(t);
  fs.writeFileSync(`${told}/log`, '');
  fs.chmodSync(told, 0o755);
  fs.chmodSync(`${told}/log`, 0o666);
  await nextauthctl(db, ['migrate']);
  const site = await t.httpd({ config: `${config('@DIR@/audit.log', `${one}
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthFeature signUp On
NextAuthFeature passwordReset On
NextAuthFeature account On
NextAuthPasswords hash=bcrypt:10
NextAuthEvent createUser "|/usr/bin/tee -a ${told}/log"`).replace('NextAuthSessionStore none', 'NextAuthSessionStore database checkInterval=0').replace('backend=file:@DIR@/users', 'backend=database')}` });
  const log = `${site.dir}/audit.log`;
  const post = async (path, fields, client = new Client(site)) => client.post(`/api/auth/${path}`, { csrfToken: await client.csrf(), ...fields });
  const linkOf = async (path, email) => {
    const before = mail.mails.length;
    await post(path, { email });
    await until('a mail', () => mail.mails.length > before);
    return new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]).searchParams;
  };
  const choose = (link, password) => post('set-password', { token: link.get('token'), email: link.get('email'), password });
  const since = (count) => recordsOf(log).slice(count).map(({ event, outcome }) => `${event} ${outcome}`);
  const withoutStore = async (work) => {
    await db.sql('ALTER TABLE nextauth_store RENAME TO elsewhere');
    const answer = await work();
    await db.sql('ALTER TABLE elsewhere RENAME TO nextauth_store');
    return answer;
  };

  const signUp = await linkOf('signup', 'ada@example.org');
  let before = recordsOf(log).length;
  t.is((await withoutStore(() => choose(signUp, 'seven lanterns under water'))).status, 503, 'where sessions cannot be looked up');
  t.is(since(before), ['SIGNUP success', 'SIGNIN failure'], 'a user who was made was made, and is not signed in');
  await until('it is told', () => /"createUser"/.test(fs.readFileSync(`${told}/log`, 'utf8')));
  t.ok(true, 'which others are told, too');
  const reset = await linkOf('reset-password', 'ada@example.org');
  before = recordsOf(log).length;
  await withoutStore(() => choose(reset, 'a quieter lighthouse at noon'));
  t.is(since(before), ['PASSWORD_RESET success', 'SIGNIN failure'], 'a password that was reset was reset');

  const ada = new Client(site);
  await ada.credentials('ada@example.org', 'a quieter lighthouse at noon');
  before = recordsOf(log).length;
  await post('sessions', { session: 'of somebody else' }, ada);
  t.is(since(before), [], 'a session that is not there is not revoked');
  await post('sessions', { session: 'others' }, ada);
  t.is(since(before), ['SESSION_REVOKE success'], 'others are');
  await post('account', { change: 'name', name: 'Countess' }, ada);
  const { event, detail, email } = recordsOf(log).pop();
  t.is([event, detail, email], ['PROFILE_UPDATE', 'name', 'ada@example.org'], 'what changed of a profile is named');

  mail.slow = 60_000;
  before = recordsOf(log).length;
  for (let sent = 0; sent < MAIL_QUEUE + 8 && !/could not send the link/.test(site.log()); sent += 1) await post('signup', { email: `user${sent}@example.org` });
  t.like(site.log(), /could not send the link/, 'a queue of mails that is full');
  t.is(since(before).slice(-2), ['LINK_SENT success', 'LINK_SENT failure'], 'has no link to send, and the record says so');
  t.is(recordsOf(log).slice(-2).map(({ email }) => email)[0], recordsOf(log).pop().email, '  to whom');
  await isRight(t, 'the chain is whole', log);
}

async function administrators(t, db) {
  t.section(`${db.engine}: what administrators do`);
  const log = `${db.dir}/acts.log`;
  const run = (line, ...more) => nextauthctl(db, [...line.split(' '), ...more]);
  const audited = (line, ...more) => run(line, ...more, '--audit-log', log);
  await db.sql('DELETE FROM nextauth_audit');
  const isOwners = db.engine === 'sqlite';
  const owner = isOwners ? spawnSync('stat', ['-c', '%U', db.dir], { encoding: 'utf8' }).stdout.trim() : os.userInfo().username;
  secretFile(db, 'password', 'correct horse battery\n');
  const added = JSON.parse((await audited('user add --json --email eve@example.org --role editor')).stdout);
  await db.sql(dialect(db, `INSERT INTO accounts ("userId", type, provider, "providerAccountId") VALUES (${added.id}, 'oauth', 'github', 'gh-1'), (${added.id}, 'oidc', 'google', 'go-1')`));
  for (const line of ['role grant eve@example.org admin', 'role revoke eve@example.org editor', 'user disable eve@example.org', 'user enable eve@example.org', 'user unlink eve@example.org github']) {
    const { status, stderr } = await audited(line);
    t.is(status, 0, line, stderr);
  }
  const last = await audited('user unlink eve@example.org google');
  t.ok(last.status === 1 && /last account.*--yes/.test(last.stderr), 'the last way to sign in is not unlinked', last.stderr);
  t.is((await audited('user set-password eve@example.org --password-file', `${db.dir}/password`)).status, 0, 'with a password');
  t.is((await audited('user unlink eve@example.org google')).status, 0, 'it is');
  t.ok((await audited('user unlink eve@example.org google')).status === 1, 'there is none any more');
  t.is((await audited('user unlink eve@example.org')).status, 2, 'a wrong call');
  t.is((await audited('user delete --yes eve@example.org')).status, 0, 'and she is deleted');
  const by = `by ${owner}`;
  const acts = recordsOf(log).map(({ event, detail }) => `${event}: ${detail}`);
  t.is(acts, [`SIGNUP: ${by}`, `ROLE_GRANT: role editor, ${by}`, `ROLE_GRANT: role admin, ${by}`, `ROLE_REVOKE: role editor, ${by}`,
    `USER_DISABLE: ${by}`, `USER_ENABLE: ${by}`, `ACCOUNT_UNLINK: account gh-1, ${by}`, `PASSWORD_CHANGE: ${by}`,
    `ACCOUNT_UNLINK: account go-1, ${by}`, `ACCOUNT_DELETE: ${by}`], 'every act is recorded, and by whom; nothing that was refused');
  t.ok(recordsOf(log).every(({ user, email, actor, outcome }) => user === added.id && email === 'eve@example.org' && actor === 'administrator' && outcome === 'success'), 'with the user');
  const rows = await db.sql('SELECT event, detail, actor, user_id FROM nextauth_audit ORDER BY occurred_at');
  t.is(rows.map(({ event, detail }) => `${event}: ${detail}`).sort(), [...acts].sort(), 'the table has the same');
  t.is((await nextauthctl(db, ['audit', 'verify', log])).status, 0, 'the chain is right');

  t.is((await nextauthctl(db, ['user', 'add', '--email', 'kay@example.org'], { env: { NEXTAUTHCTL_AUDIT_LOG: log } })).status, 0, 'the environment names the log, too');
  t.is(recordsOf(log).pop().event, 'SIGNUP', 'and it is written');
  const { status, stderr } = await run('user add --email lou@example.org --audit-log /nowhere/audit.log');
  t.ok(status === 1 && /could not open '\/nowhere/.test(stderr), 'a log that cannot be written', stderr);
  t.is((await run('user show lou@example.org')).status, 1, '  and nothing is done');
  t.is((await nextauthctl(db, ['user', 'list'], { env: { NEXTAUTHCTL_AUDIT_LOG: '/nowhere/audit.log' } })).status, 0, 'who only reads needs none');
  const before = linesOf(log).length;
  t.is((await run('user delete --yes kay@example.org')).status, 0, 'without a log');
  t.is([linesOf(log).length, (await db.sql(`SELECT count(*) AS n FROM nextauth_audit WHERE event = 'ACCOUNT_DELETE'`))[0].n], [before, '2'], 'the table has it all the same');
  await db.sql('DROP TABLE nextauth_audit');
  const unrecorded = await run('user add --json --email mia@example.org');
  t.is([unrecorded.status, JSON.parse(unrecorded.stdout).email], [0, 'mia@example.org'], 'and a database without the table needs none');
  t.is(unrecorded.stderr.match(/this was not recorded: use --audit-log FILE/g)?.length, 1, '  which is said');
  t.is((await audited('user disable mia@example.org')).stderr, '', '  not where the log has it');
  t.is((await run('user show mia@example.org')).stderr, '', '  nor where nothing is changed');
  t.unlike((await run('user disable nobody@example.org')).stderr, /nothing records/, '  nor where nothing was');
}

suite('The audit log', async (t) => {
  await recording(t);
  await busy(t);
  await rotated(t);
  await shared(t);
  await fullDisk(t);
  await programs(t);
  const all = await startDatabases(t, enginesOfRound);
  delete process.env.SUDO_USER; // who runs the tests by way of sudo is not who acts
  for (const db of all) {
    await tableOf(t, db);
    await transactions(t, db);
    if (thorough) await administrators(t, db);
  }
  if (databasesHere().sqlite) await done(t);
  if (!thorough) return;
  await tampering(t);
  await large(t);
  await showing(t);
});
