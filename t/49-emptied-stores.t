#!/usr/bin/env node
'use strict';
const net = require('node:net');
const { spawn, spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { seal, open } = require('./lib/token.js');

const SECRET = 'the secret of stores that are emptied';
const NAME = 'next-auth.session-token';
const now = () => Math.floor(Date.now() / 1000);
const users = htpasswd({ ada: 'x', bob: 'x' });
const config = (store, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
${store}
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const lines = (site, pattern) => (site.log().match(pattern) || []).length;
const cookieOf = (client) => ({ cookie: `${NAME}=${client.cookie(NAME)}` });
const statusWith = async (site, headers) => (await new Client(site).get('/members/', { headers })).status;

// What memcached is told to do.
function tell(port, words) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(`${words}\r\n`));
    socket.once('data', (data) => { socket.destroy(); resolve(String(data)); });
    socket.on('error', reject);
  });
}

async function startMemcached(t) {
  const port = await freePort();
  const child = spawn('memcached', ['-l', '127.0.0.1', '-p', String(port), '-u', 'nobody'], { stdio: 'ignore' });
  t.cleanup(() => child.kill('SIGKILL'));
  await until('memcached answers', () => tell(port, 'version').then(() => true, () => false));
  return port;
}

/* Between httpd and Redis: from lose() on, the first write of a session's record is done, and its answer lost. */
async function startLossyProxy(t, redis) {
  const port = await freePort();
  let isLosing = false;
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(new URL(redis.url).port), '127.0.0.1');
    let isDeaf = false;
    client.on('data', (data) => {
      if (isLosing && data.includes('EVAL') && data.includes('nextauth:session:')) {
        isLosing = false;
        isDeaf = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => { if (!isDeaf) client.write(data); });
    for (const socket of [client, upstream]) {
      socket.on('error', () => {});
      socket.on('close', () => { client.destroy(); upstream.destroy(); });
    }
  });
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => server.close());
  return { url: redis.url.replace(/:\d+(?=\/|$)/, `:${port}`), lose: () => { isLosing = true; }, hasLost: () => !isLosing };
}

/*
 * Two people sign in, one signs out and keeps a copy; then the store is emptied. Gives the two and
 * the copy's header.
 */
async function twoAndACopy(site) {
  const [ada, bob] = [await signedIn(site), await signedIn(site, 'bob')];
  const copy = cookieOf(bob);
  await statusOf(ada);
  await bob.signOut();
  return { ada, copy };
}

suite('A session store that is emptied has forgotten who signed out: nobody is let in by that', async (t) => {
  if (redisIsHere()) {
    const redis = await startRedis(t);
    const store = `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis checkInterval=0`;
    const site = await t.httpd({ files: { users }, config: config(store) });

    t.section('FLUSHALL');
    {
      const { ada, copy } = await twoAndACopy(site);
      t.is([await statusOf(ada), await statusWith(site, copy)], [200, 401], 'a session, and a copy of one that was signed out');
      const before = lines(site, /is empty, new or was emptied/g);
      await redis.cli('FLUSHALL');
      t.is(await statusWith(site, copy), 401, 'the copy is not good again');
      t.is(await statusOf(ada), 401, 'nor is any other that the store does not know');
      t.is(lines(site, /is empty, new or was emptied: existing sessions are refused/g), before + 1, 'the log says so, once');
      const again = await signedIn(site);
      t.is(await statusOf(again), 200, 'a new sign-in is good');
      t.is((await ada.session()), {}, 'the endpoint does not renew what is refused');
    }

    t.section('one record that is gone, as by an eviction');
    {
      const ada = await signedIn(site);
      const other = await signedIn(site, 'bob');
      const before = (await redis.cli('KEYS', 'nextauth:session:*')).split('\n');
      const victim = await signedIn(site);
      const record = (await redis.cli('KEYS', 'nextauth:session:*')).split('\n').find((key) => !before.includes(key));
      t.is(await statusOf(victim), 200, 'its session is good');
      await redis.cli('DEL', record);
      t.is(await statusOf(victim), 401, 'and refused when the record is gone: nobody knows whether it was ended');
      t.is([await statusOf(ada), await statusOf(other)], [200, 200], 'others are not');
    }

    t.section('a key of a type that is not ours');
    {
      const others = await signedIn(site, 'bob');
      await redis.cli('FLUSHALL');
      const ada = await signedIn(site);
      const bob = await signedIn(site, 'bob');
      t.is([await statusOf(ada), await statusOf(others)], [200, 401], 'a session');
      const keys = async (kind) => (await redis.cli('KEYS', `nextauth:${kind}:*`)).split('\n').filter(Boolean);
      const spoil = async (key) => {
        await redis.cli('DEL', key);
        await redis.cli('RPUSH', key, 'a', 'list');
      };
      const ofAda = [];
      for (const key of await keys('list')) { // whose is whose: the one that grows with a sign-in of hers
        const size = await redis.cli('STRLEN', key);
        await signedIn(site);
        if (await redis.cli('STRLEN', key) !== size) ofAda.push(key);
      }
      const before = await keys('session');
      const victim = await signedIn(site);
      const record = (await keys('session')).find((key) => !before.includes(key));
      await spoil(ofAda[0]);
      t.is([await statusOf(ada), await statusOf(bob)], [200, 200], 'no session depends on a user\'s list');
      t.is((await signedIn(site)).cookie(NAME), undefined, 'the user gets no new one');
      t.is(await statusOf(await signedIn(site, 'bob')), 200, 'others do');
      await spoil(record);
      const seen = new Set();
      for (let i = 0; i < 6; i += 1) seen.add(await statusOf(victim));
      t.is([...seen], [401], 'a session is refused with its record');
      t.is([await statusOf(ada), await statusOf(bob)], [200, 200], 'no other is');
      t.is(lines(site, /session store: Redis at \S+ is down/g), 0, 'and the store does not count as down');
    }

    t.section('sessions that begin while it is down');
    {
      const serving = await t.httpd({ files: { users }, config: config(`NextAuthRedis ${redis.url} timeout=300ms\nNextAuthSessionStore redis checkInterval=0 whenDown=serve:60`) });
      await redis.cli('FLUSHALL');
      const first = await signedIn(serving);
      t.is(await statusOf(first), 200, 'the store is there');
      const began = now(); // times are whole seconds
      await until('a second has passed', () => now() > began);
      redis.kill('SIGSTOP');
      const ada = await signedIn(serving);
      redis.kill('SIGCONT');
      t.is([open(SECRET, ada.cookie(NAME)).reg, open(SECRET, first.cookie(NAME)).reg], [undefined, true], 'a token says whether the store had its session');
      await until('the store is asked again', async () => (await statusOf(ada)) === 200);
      await until('it is registered', async () => ((await ada.get('/api/auth/sessions')).json.sessions || []).length === 2);
      await ada.session();
      t.is(open(SECRET, ada.cookie(NAME)).reg, true, 'one that had it not is registered, and says so when it is renewed');
      const copy = cookieOf(ada);
      await ada.signOut();
      t.is(await statusWith(serving, copy), 401, 'and can be ended');
    }

    t.section('a record that was written, with no answer');
    {
      await redis.cli('FLUSHALL');
      const proxy = await startLossyProxy(t, redis);
      const serving = await t.httpd({ files: { users }, config: config(`NextAuthRedis ${proxy.url} timeout=500ms\nNextAuthSessionStore redis checkInterval=0 whenDown=serve:60`) });
      const other = await signedIn(serving);
      await statusOf(other);
      const began = now();
      await until('a second has passed', () => now() > began);
      proxy.lose();
      const headers = cookieOf(await signedIn(serving));
      t.is([proxy.hasLost(), open(SECRET, headers.cookie.slice(NAME.length + 1)).reg], [true, undefined], 'the token knows of none');
      let others;
      await until('the store is asked again', async () => (others = (await other.get('/api/auth/sessions')).json.sessions));
      const csrfToken = await other.csrf();
      for (const { id, current } of others) if (!current) await other.post('/api/auth/sessions', { csrfToken, session: id });
      await statusWith(serving, headers);
      for (const { id, current } of (await other.get('/api/auth/sessions')).json.sessions) if (!current) await other.post('/api/auth/sessions', { csrfToken, session: id });
      t.is(await statusWith(serving, headers), 401, 'whoever ends all of the list ends it');
      for (const key of (await redis.cli('KEYS', 'nextauth:session:*')).split('\n')) if (Number(await redis.cli('TTL', key)) <= 300) await redis.cli('DEL', key);
      t.is(await statusWith(serving, headers), 401, 'for good, and not for the five minutes that records of such tokens are remembered');
    }

    t.section('let in, as the operator says in so many words');
    {
      const lenient = await t.httpd({ files: { users }, config: config(`${store} whenLost=accept`) });
      await redis.cli('FLUSHALL');
      const { ada, copy } = await twoAndACopy(lenient);
      await redis.cli('FLUSHALL');
      t.is(await statusOf(ada), 200, 'sessions from before go on');
      t.is(await statusWith(lenient, copy), 200, 'those that were signed out among them');
      t.like(lenient.log(), /existing sessions are accepted, including those that were signed out \(whenLost=accept\)/, 'which the log says');
      t.is((await ada.get('/api/auth/sessions')).json.sessions.length, 1, 'and are registered again');
    }

    t.section('tokens that NextAuth made');
    {
      await redis.cli('FLUSHALL');
      await statusOf(await signedIn(site));
      const token = (seconds) => ({ cookie: `${NAME}=${seal(SECRET, { sub: '42', iat: now() + seconds, exp: now() + 3600, jti: 'j' })}` });
      t.is(await statusWith(site, token(2)), 200, 'from after the store began to remember: good');
      t.is(await statusWith(site, token(-100)), 401, 'from before: refused');
      const renewed = new Client(site);
      renewed.cookies.set(NAME, { value: token(2).cookie.slice(NAME.length + 1), path: '/' });
      await renewed.session();
      t.is([await statusOf(renewed), open(SECRET, renewed.cookie(NAME)).reg], [200, true], 'one that is renewed gets an id and a record');
    }
  } else t.skip('Redis', 'redis-server is not here');

  t.section('memcached: flush_all');
  if (spawnSync('memcached', ['-V']).status === 0) {
    const port = await startMemcached(t);
    const site = await t.httpd({ files: { users }, modules: ['socache_memcache'], config: config(`NextAuthSOCache memcache:127.0.0.1:${port}\nNextAuthSessionStore socache checkInterval=0`) });
    const { ada, copy } = await twoAndACopy(site);
    t.is([await statusOf(ada), await statusWith(site, copy)], [200, 401], 'a session, and a copy of one that was signed out');
    await tell(port, 'flush_all');
    t.is([await statusWith(site, copy), await statusOf(ada)], [401, 401], 'neither is good afterwards');
    t.is(await statusOf(await signedIn(site)), 200, 'a new one is');
  } else t.skip('memcached', 'memcached is not here');

  t.section('shared memory: httpd is stopped and started');
  for (const [lost, expected] of [['refuse', [401, 401]], ['accept', [200, 200]]]) {
    const options = { files: { users }, config: config(`NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0 whenLost=${lost}`) };
    const first = await t.httpd(options);
    const { ada, copy } = await twoAndACopy(first);
    const kept = cookieOf(ada);
    t.is([await statusWith(first, kept), await statusWith(first, copy)], [200, 401], 'a session, and a copy of one that was signed out');
    await first.stop();
    const second = await t.httpd({ ...options, port: first.port });
    t.is([await statusWith(second, kept), await statusWith(second, copy)], expected, `after that, whenLost=${lost}: ${expected}`);
    t.is(await statusOf(await signedIn(second)), 200, 'a new one is good');
  }

  t.section('configuration');
  const wrong = await t.configtest({ files: { users }, config: config('NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache whenLost=ignore') });
  t.like(wrong.output, /invalid whenLost='ignore': expected refuse or accept/, 'another word is refused');
});
