#!/usr/bin/env node
'use strict';
const net = require('node:net');
const { spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const fs = require('node:fs');
const { childrenOf, ctlFile, htpasswd, root, until } = require('./lib/httpd.js');
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
MaxKeepAliveRequests 0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>
<Location /admin/metrics>
  SetHandler nextauth-metrics
  Require local
</Location>`;
// What the children hold of their own, in MB; shared memory is not counted.
const memory = (site) => childrenOf(site.pid)
  .map((pid) => Number(/^RssAnon:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024)
  .reduce((sum, size) => sum + size, 0);
const now = Math.floor(Date.now() / 1000);
const id = (i) => String(i).padStart(43, 'i');
const tokenOf = (i) => seal(SECRET, { sub: `user${i}`, provider: 'acme', sid: id(i), iat: now, auth_time: now, exp: now + 30 * 86400, jti: 'j' });

// Shows each session once, so that it gets its record: many on a connection, without waiting for one
// answer before the next question. Gives how many were let in.
async function showAll(site, count) {
  const request = (i) => `GET /members/ HTTP/1.1\r\nHost: localhost:${site.port}\r\nUser-Agent: Firefox/128.0 (X11; Linux)\r\nCookie: ${NAME}=${tokenOf(i)}\r\n\r\n`;
  let next = 0;
  let good = 0;
  const someOnOneConnection = () => new Promise((resolve, reject) => {
    let [asked, answered, text] = [0, 0, ''];
    const socket = net.connect(site.port, '127.0.0.1').setEncoding('latin1');
    const ask = () => {
      const end = Math.min(count, next + 50);
      if (next === end) { socket.end(); return; }
      asked += end - next;
      let requests = '';
      for (; next < end; next += 1) requests += request(next);
      socket.write(requests);
    };
    socket.on('data', (part) => {
      text += part;
      let read = 0;
      for (const { 0: line, 1: status, index } of text.matchAll(/HTTP\/1\.1 (\d{3})/g)) {
        answered += 1;
        good += status === '200';
        read = index + line.length;
      }
      text = text.slice(read);
      if (answered === asked) ask();
    });
    socket.on('error', reject);
    socket.on('close', resolve);
    ask();
  });
  await Promise.all(Array.from({ length: 16 }, someOnOneConnection));
  return good;
}

// Whether so many sessions are counted. A sample is counted, whose error is five times as small.
async function counted(site, count) {
  let number;
  await until('sessions are counted', async () => {
    number = Number(/^nextauth_sessions_active (\d+)/m.exec((await new Client(site).get('/admin/metrics')).text)?.[1]);
    return number > 0;
  }, 150_000);
  return Math.abs(number - count) < count / 20 || number;
}

// Whether lists of `limit` sessions, one going on where the other ended, have each session once.
function pages(ctl, limit, count) {
  const users = new Set();
  let [cursor, sessions] = [undefined, 0];
  do {
    const list = JSON.parse(ctl('list', '--json', '--limit', String(limit), ...(cursor ? ['--cursor', cursor] : [])).stdout);
    cursor = list.next;
    sessions += list.sessions.length;
    list.sessions.forEach(({ user }) => users.add(user));
    if (cursor && (list.sessions.length < limit || list.sessions.length > limit + 100)) return `${list.sessions.length} sessions`;
  } while (cursor);
  return (sessions === count && users.size === count) || `${sessions} sessions of ${users.size} users`;
}

suite('A hundred thousand live sessions', async (t) => {
  t.inOneRound();
  const stores = { shmcb: 'NextAuthSOCache shmcb:@DIR@/sessions(67108863)\nNextAuthSessionStore socache whenLost=accept' };
  if (redisIsHere()) stores.Redis = `NextAuthRedis ${(await startRedis(t)).url}\nNextAuthSessionStore redis whenLost=accept`;
  else t.skip('Redis', 'redis-server is not here');
  for (const [name, store] of Object.entries(stores)) {
    t.section(name);
    const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }), secret: { text: SECRET, mode: 0o600 } }, config: config(store) });
    t.is(await showAll(site, MANY), MANY, 'each is let in');
    // with 32 MB of memory: a list of all sessions would take many times that
    const ctl = (...args) => spawnSync('prlimit', ['--data=33554432', ctlFile, 'session', ...args, '--server', `${site.url}/admin/sessions`], { cwd: root, env: { ...process.env, NEXTAUTHCTL_SECRET_FILE: `${site.dir}/secret` }, encoding: 'utf8', maxBuffer: 1 << 28 });
    const before = memory(site);
    for (let i = 0; i < 3; i += 1) {
      const list = JSON.parse(ctl('list', '--json').stdout).sessions;
      t.is([list.length, new Set(list.map(({ user }) => user)).size], [MANY, MANY], 'and is on the list, once');
    }
    const grown = memory(site) - before;
    t.ok(grown < 128, `which takes no more memory than its pages (${grown.toFixed()} MB)`);
    t.is(await counted(site, MANY), true, 'as many are counted, but for 5 %');
    t.is(pages(ctl, 30_000, MANY), true, 'a list goes on where the last one ended');
    // Redis gives whole buckets of its hash table
    t.like(ctl('list').stderr, /^10\d\d sessions\nthere are more: use --user USER, --limit N \(0 for all\), or --cursor /, 'a table ends before it is too long, which it says');
    t.unlike(site.log(), /session cache is full/, 'none was dropped');
    const ask = async (i) => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${tokenOf(i)}` } })).status;
    t.is(ctl('revoke', '--user', 'acme/user77777').status, 0, 'one of them is ended');
    await until('every process knows', async () => (await Promise.all(Array.from({ length: 12 }, () => ask(77777)))).every((status) => status === 401));
    t.is(await ask(77778), 200, 'and no other');
  }
});
