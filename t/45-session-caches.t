#!/usr/bin/env node
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { answers, freePort, htpasswd, roomy, until } = require('./lib/httpd.js');
const { apart, Client } = require('./lib/client.js');
const { startLoad } = require('./lib/load.js');
const { startRedis } = require('./lib/redis.js');

const NAME = 'next-auth.session-token';
const crowd = Array.from({ length: 40 }, (_, i) => `user${i}`);
const users = htpasswd({ ada: 'x', ...Object.fromEntries(crowd.map((user) => [user, 'x'])) });
const config = (cache, more = '') => `
NextAuthEngine On
NextAuthMode test
${roomy}
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of sessions has 32 bytes"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionStrategy database
NextAuthSOCache ${cache}
NextAuthSessionStore socache checkInterval=0
NextAuthClaim filler "%{HTTP:X-Filler}"
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;

async function signedIn(site, filler = '', username = 'ada', options = {}) {
  const client = new Client(site, options);
  await client.post('/api/auth/callback/credentials', { csrfToken: await client.csrf(), username, password: 'x' }, { headers: { 'x-filler': filler } });
  return client;
}
const status = async (client) => (await client.get('/members/')).status;

async function startMemcached(t) {
  const port = await freePort();
  const child = spawn('memcached', ['-l', '127.0.0.1', '-p', String(port), '-u', 'nobody', '-m', '16'], { stdio: 'ignore' });
  t.cleanup(() => child.kill());
  await until('memcached answers', () => answers(port));
  return port;
}

suite('The shared object cache as session store: each of httpd\'s, across reloads, and when it is full', async (t) => {
  const caches = { shmcb: 'shmcb:@DIR@/sessions(1048576)', dbm: 'dbm:@DIR@/state/sessions' };
  if (spawnSync('memcached', ['-V']).status === 0) caches.memcache = `memcache:127.0.0.1:${await startMemcached(t)}`;
  else t.skip('memcache', 'memcached is not here');
  if (spawnSync('redis-server', ['-v']).status === 0) caches.redis = `redis:127.0.0.1:${(await startRedis(t)).port}`;
  else t.skip('redis', 'redis-server is not here');

  for (const [name, cache] of Object.entries(caches)) {
    t.section(name);
    const options = { files: { users, 'state/.keep': '' }, modules: [`socache_${name}`], config: config(cache) };
    const result = await t.configtest(options);
    t.is(result.status, 0, 'is a cache that sessions can be in');
    const notice = { shmcb: /lost when httpd stops/, dbm: /small sites/, memcache: /overwrite each other's/, redis: /NextAuthSessionStore redis/ }[name];
    t.unlike(result.output, notice, 'of which the configuration test has nothing to say');
    const site = await t.httpd(options);
    t.like(site.log(), notice, '  but the log, at the start');
    if (name === 'dbm') spawnSync('chmod', ['777', `${site.dir}/state`]);
    const ada = await signedIn(site);
    const again = await signedIn(site);
    t.is([await status(ada), await status(again)], [200, 200], 'sessions are kept');
    t.is((await ada.get('/api/auth/sessions')).json.sessions.length, 2, 'listed');
    await site.reload();
    t.is([await status(ada), await status(again)], [200, 200], 'and survive a reload');
    await again.signOut();
    t.is([await status(ada), await status(again)], [200, 401], 'one ends without the other');
    const all = await new Client(site).get('/admin/sessions');
    if (name === 'memcache' || name === 'redis') t.like(all.text, /cannot list all sessions: name a user/, 'all cannot be listed, which the answer says');
    else t.is(all.json.sessions.length, 1, 'all are listed for the administrator');
  }

  t.section('shmcb: no session is lost');
  {
    const site = await t.httpd({ files: { users }, modules: ['socache_dbm'], config: config(caches.shmcb, 'MaxConnectionsPerChild 40\nMaxKeepAliveRequests 20') });
    const clients = await Promise.all(Array.from({ length: 8 }, (_, i) => signedIn(site, '', 'ada', apart(i))));
    const load = startLoad(site.url, 8, (worker) => ({ path: '/members/', headers: { cookie: `${NAME}=${clients[worker].cookie(NAME)}` } }));
    for (let i = 0; i < 3; i += 1) await site.reload();
    const during = [await signedIn(site), await signedIn(site)];
    await site.reload();
    const counts = await load.stop();
    t.is(Object.keys(counts), ['200'], `by reloads and children that come and go, under load (${counts[200]} answers)`, counts);
    t.is(await Promise.all(during.map(status)), [200, 200], 'nor are those that began meanwhile');
    await site.reload(config('shmcb:@DIR@/sessions(2097152)'));
    t.is(await Promise.all([...clients, ...during].map(status)), Array(10).fill(200), 'by a larger cache');
    await site.reload(config(caches.dbm.replace('/state', '')));
    t.is(await Promise.all([...clients, ...during].map(status)), Array(10).fill(200), 'nor by another kind of cache');
  }

  t.section('shmcb: what one user can fill');
  {
    const site = await t.httpd({ files: { users }, config: config('shmcb:@DIR@/sessions(262144)').replace('NextAuthSessionStrategy database', '') });
    const others = await Promise.all(crowd.slice(5, 15).map((user, i) => signedIn(site, '', user, apart(i))));
    for (let i = 0; i < 600; i += 1) await (await signedIn(site)).signOut();
    const again = [];
    for (let i = 0; i < 120; i += 1) again.push(await signedIn(site));
    t.is(await status(again.at(-1)), 200, 'a user signs in and out 600 times, then 120 times without signing out');
    t.is(await Promise.all(again.slice(-40).map(status)), Array(40).fill(200), 'and is still signed in with those before the last');
    t.is(await Promise.all(others.map(status)), Array(10).fill(200), 'as are others since before that');
    t.is(await Promise.all(crowd.slice(0, 5).map(async (user, i) => status(await signedIn(site, '', user, apart(i))))), Array(5).fill(200), 'others can still sign in');
    t.unlike(site.log(), /full of entries that must be kept/, 'as little has to be remembered of that');
  }

  t.section('shmcb: when it is full');
  {
    const site = await t.httpd({ files: { users }, config: config('shmcb:@DIR@/sessions(65536)') });
    const sessions = [];
    for (let i = 0; i < 121; i += 1) sessions.push(await signedIn(site, 'x'.repeat(300), crowd[i % crowd.length]));
    const alive = (await Promise.all(sessions.map(status))).map((s) => s === 200);
    const gone = (some) => some.filter((is) => !is).length;
    t.ok(gone(alive.slice(0, 20)) > 10, 'the oldest sessions give way', `${gone(alive.slice(0, 20))} of 20, ${gone(alive)} of all`); // where each has its place is chance
    t.ok(alive.slice(-10).every(Boolean), 'the newest are there');
    t.like(site.log(), /the session cache is full: dropped \d+ entries that would have expired first \(\d+ in total\): increase NextAuthSOCache, which has 65536 bytes/, 'and the log says how many, and what to do');
    t.is(site.log().match(/session cache is full/g).length, 1, 'once a minute');
  }
  {
    const site = await t.httpd({ files: { users }, config: config('shmcb:@DIR@/sessions(262144)') });
    const idle = await Promise.all(Array.from({ length: 10 }, (_, i) => signedIn(site, '', 'ada', apart(i))));
    for (let i = 0; i < 400; i += 1) {
      const busy = await signedIn(site, 'x'.repeat(300));
      await busy.signOut();
    }
    t.is(await Promise.all(idle.map(status)), Array(10).fill(200), 'sessions that come and go do not push out those that stay');
  }
});
