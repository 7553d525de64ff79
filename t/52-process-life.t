#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { htpasswd, makeFolder, program } = require('./lib/httpd.js');
const { signedIn, statusOf } = require('./lib/client.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { startReceiver } = require('./lib/webhooks.js');

const SECRET = 'the secret of a life has 32 bytes';
const EVENTS = `whsec_${Buffer.from('the key of events has 32 bytes!!').toString('base64')}`;
const files = { users: htpasswd({ ada: 'x' }), 'state/.keep': '' };
const config = (...more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
${more.join('\n')}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const stored = (cache) => config(`NextAuthSOCache ${cache}`, 'NextAuthSessionStore socache checkInterval=0');

// A test file of its own, to see what the suite says of it.
function tried(t, body) {
  const file = path.join(makeFolder(t), 'tried.t');
  fs.writeFileSync(file, `
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const { suite } = require('${__dirname}/lib/suite.js');
const { childrenOf, until } = require('${__dirname}/lib/httpd.js');
const kill = (pid) => execFileSync('kill', ['-SEGV', String(pid)]);
suite('tried', async (t) => {
${body}
});`);
  const { status, stdout } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
  return { status, failed: stdout.split('\n').filter((line) => line.startsWith('not ok')).map((line) => line.replace(/^not ok \d+ - |\(process \d+\) /g, '')) };
}

suite('The life of httpd\'s processes: whoever dies by a signal is noticed, and stopping is an orderly end', async (t) => {
  t.section('the suite notices');
  t.is(tried(t, 'await t.httpd();'), { status: 0, failed: [] }, 'nothing where nobody died');
  t.is(tried(t, 'const site = await t.httpd();\nconst orphans = childrenOf(site.pid);\nkill(site.pid);\nawait until("httpd is gone", () => !site.alive());\nfor (const pid of orphans) process.kill(pid, "SIGKILL");').failed,
    [`${path.basename(program)} died by SIGSEGV`, 'and httpd itself ended as it should'], 'httpd itself');
  t.is(tried(t, 'const site = await t.httpd();\nkill(childrenOf(site.pid).at(-1));\nawait until("it is told", () => /exit signal/.test(site.log()));').failed,
    ['no child died and no sanitizer spoke'], 'a child of httpd');
  t.is(tried(t, 'const site = await t.httpd();\nkill(childrenOf(site.pid).at(-1));').failed, ['no child died and no sanitizer spoke'], 'one that dies just before httpd ends');
  t.is(tried(t, 'const child = spawn("sleep", ["60"]);\nkill(child.pid);\nawait once(child, "exit");').failed, ['sleep died by SIGSEGV'], 'any other program');
  t.is(tried(t, 'const child = spawn("sleep", ["60"]);\nchild.kill();\nawait once(child, "exit");'), { status: 0, failed: [] }, 'but not what a test ends itself');

  const kinds = [
    ['tokens alone', { files, config: config('NextAuthSessionStore none') }],
    ['the cache in shared memory', { files, config: stored('shmcb:@DIR@/sessions(1048576)') }],
    ['the cache in a file', { files: { ...files, 'state/.keep': '' }, modules: ['socache_dbm'], config: stored('dbm:@DIR@/state/sessions'), before: (site) => fs.chmodSync(`${site.dir}/state`, 0o777) }],
  ];
  if (redisIsHere()) {
    const redis = await startRedis(t);
    kinds.push(['Redis', { files, config: config(`NextAuthRedis ${redis.url}`, 'NextAuthSessionStore redis checkInterval=0') }]);
  } else t.skip('Redis', 'redis-server is not here');
  if (databasesHere().sqlite) {
    const db = sqlite(t);
    t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
    const mail = await startMail(t, { tls: 'none' });
    const receiver = await startReceiver(t, EVENTS);
    kinds.push(['everything that has threads, programs and files', { files, modules: ['watchdog'],
      config: config(`NextAuthDatabase ${db.url}`, 'NextAuthSessionStore database checkInterval=0', `NextAuthMail ${mail.url()} from=no-reply@example.org`, 'NextAuthProvider email',
        `NextAuthEvent all ${receiver.url} secret=${EVENTS}`, 'NextAuthEvent session "|/bin/cat >/dev/null"', 'NextAuthLog json @DIR@/auth.log',
        'NextAuthAuditLog @DIR@/audit.log "|/bin/cat >/dev/null"', 'NextAuthStatsD 127.0.0.1:9') }]);
  } else t.skip('everything', 'SQLite is not here');

  for (const [name, { before, ...options }] of kinds) {
    t.section(`an end in order: ${name}`);
    const start = async () => {
      const site = await t.httpd(options);
      if (before) before(site);
      const ada = await signedIn(site);
      t.is(await statusOf(ada), 200, 'a server in use');
      return { site, ada };
    };
    for (const signal of ['SIGWINCH', 'SIGTERM']) {
      const { site } = await start();
      await site.stop(signal);
      t.is(site.exit, { status: 0 }, `  ends well by ${signal}`);
    }
    const { site, ada } = await start();
    await site.reload();
    await site.reload();
    t.is(await statusOf(ada), 200, '  reloaded twice it knows its sessions');
    await site.stop('SIGTERM');
    t.is(site.exit, { status: 0 }, '  and ends well');
  }

  t.section('what a reload changes');
  const shmcb = 'shmcb:@DIR@/sessions(1048576)';
  const changes = [
    ['a cache of another size', [stored('shmcb:@DIR@/sessions(2097152)')], 200],
    ['one size and the other, time and again', [stored('shmcb:@DIR@/s(2097152)'), stored(shmcb), stored('shmcb:@DIR@/s(2097152)')], 200],
    ['a cache of another kind', [stored('dbm:@DIR@/state/sessions')], 200],
    ['one of another kind and back', [stored('dbm:@DIR@/state/sessions'), stored(shmcb)]],
    ['no cache any more', [config('NextAuthSessionStore none')], 200],
    ['none for a while', [config('NextAuthSessionStore none'), stored(shmcb)], 200],
    ['the module has nothing to do any more', ['']],
  ];
  for (const [what, configs, expected] of changes) {
    const site = await t.httpd({ files, modules: ['socache_dbm'], config: stored(shmcb) });
    fs.chmodSync(`${site.dir}/state`, 0o777);
    const ada = await signedIn(site);
    for (const next of configs) await site.reload(next);
    if (expected) t.is(await statusOf(ada), expected, `${what}: sessions are kept`);
    await site.stop('SIGTERM');
    t.is(site.exit, { status: 0 }, `${what}: httpd ends well`);
  }
  {
    const site = await t.httpd({ files, config: stored(shmcb) });
    await signedIn(site);
    site.rewrite((text) => text.replace(/^LoadModule (nextauth|socache_shmcb)_module.*$/gm, '').replace(/^NextAuth.*$| nextauth:debug$/gm, '').replace(/^ *AuthType NextAuth$/gm, ''));
    await site.reload();
    await site.stop('SIGTERM');
    t.is(site.exit, { status: 0 }, 'modules that are not there any more: httpd ends well');
  }
});
