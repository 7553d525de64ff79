#!/usr/bin/env node
'use strict';
const http = require('node:http');
const { spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { ctlFile, htpasswd, root, thorough, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { seal } = require('./lib/token.js');

const SECRET = 'the secret of sessions has 32 bytes';
const NAME = 'next-auth.session-token';
const MANY = 100_000;
const config = (store) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
${store}
LogLevel warn
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;
const now = Math.floor(Date.now() / 1000);
const id = (i) => String(i).padStart(43, 'i');
const tokenOf = (i) => seal(SECRET, { sub: `user${i}`, provider: 'acme', sid: id(i), iat: now, auth_time: now, exp: now + 30 * 86400, jti: 'j' });

// Shows each session once, so that it gets its record.
async function showAll(site, count) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  let next = 0;
  let good = 0;
  const show = (i) => new Promise((resolve, reject) => {
    http.get(`${site.url}/members/`, { agent, headers: { cookie: `${NAME}=${tokenOf(i)}`, 'user-agent': 'Firefox/128.0 (X11; Linux)' } }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    }).on('error', reject);
  });
  // a connection may be at its end just when it is used again
  const patiently = async (ask) => {
    for (let tries = 1; tries < 5; tries += 1) {
      try { return await ask(); } catch { /* once more */ }
    }
    return ask();
  };
  await Promise.all(Array.from({ length: 16 }, async () => {
    while (next < count) {
      const i = next;
      next += 1;
      const status = await patiently(() => show(i));
      if (status === 200) good += 1;
    }
  }));
  agent.destroy();
  return good;
}

suite('A hundred thousand live sessions', async (t) => {
  if (!thorough) t.skipAll('done once, under the event MPM');
  const stores = { shmcb: 'NextAuthSOCache shmcb:@DIR@/sessions(67108863)\nNextAuthSessionStore socache whenLost=accept' };
  if (redisIsHere()) stores.Redis = `NextAuthRedis ${(await startRedis(t)).url}\nNextAuthSessionStore redis whenLost=accept`;
  else t.skip('Redis', 'redis-server is not here');
  for (const [name, store] of Object.entries(stores)) {
    t.section(name);
    const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }), secret: { text: SECRET, mode: 0o600 } }, config: config(store) });
    t.is(await showAll(site, MANY), MANY, 'each is let in');
    const ctl = (...args) => spawnSync(ctlFile, ['session', ...args, '--server', `${site.url}/admin/sessions`], { cwd: root, env: { ...process.env, NEXTAUTHCTL_SECRET_FILE: `${site.dir}/secret` }, encoding: 'utf8', maxBuffer: 1 << 28 });
    const list = JSON.parse(ctl('list', '--json').stdout).sessions;
    t.is([list.length, new Set(list.map(({ user }) => user)).size], [MANY, MANY], 'and is on the list');
    t.unlike(site.log(), /session cache is full/, 'none was dropped');
    const ask = async (i) => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${tokenOf(i)}` } })).status;
    t.is(ctl('revoke', '--user', 'acme/user77777').status, 0, 'one of them is ended');
    await until('every process knows', async () => (await Promise.all(Array.from({ length: 12 }, () => ask(77777)))).every((status) => status === 401));
    t.is(await ask(77778), 200, 'and no other');
  }
});
