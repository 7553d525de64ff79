#!/usr/bin/env node
'use strict';
const { spawn, spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { answers, freePort, htpasswd, pause, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { seal, open } = require('./lib/token.js');

const SECRET = 'the secret of sessions has 32 bytes';
const NAME = 'next-auth.session-token';
const users = htpasswd({ ada: 'x' });
const now = () => Math.floor(Date.now() / 1000);
const site = (more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const shmcb = 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0 whenLost=accept';
const twoSites = (first, second, rest = '') => `${rest}
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
${[['a', first], ['b', second]].map(([name, { secret, store }]) => `<VirtualHost *:@PORT@>
ServerName ${name}.localhost
NextAuthEngine On
NextAuthMode test
NextAuthURL http://${name}.localhost:@PORT@
NextAuthSecret "${secret}"
NextAuthProvider credentials backend=file:@DIR@/users
${store}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
</VirtualHost>`).join('\n')}`;

suite('What must not work with sessions', async (t) => {
  const files = { users };
  const ask = async (at, cookie, path = '/members/') => (await new Client(at).get(path, { headers: { cookie } })).status;

  t.section('an id of the attacker\'s choice');
  {
    const s = await t.httpd({ files, config: site(`${shmcb}\nNextAuthSessionStrategy database\nNextAuthCompat v5 accept=v4,v5\nNextAuthSessionUpdateAge 0`) });
    const c = new Client(s);
    await c.credentials('ada', 'x');
    const chosen = `${'A'.repeat(42)}E`;
    const victim = `authjs.session-token=${chosen}; ${NAME}=${c.cookie('authjs.session-token')}`;
    t.is(await ask(s, victim), 200, 'a cookie that was planted beside the real one');
    t.is(await ask(s, `authjs.session-token=${chosen}`), 401, 'does not become the session\'s');
    const token = seal(SECRET, { sub: 'ada', iat: now() - 5, auth_time: now() - 5, exp: now() + 3600, jti: 'j' });
    t.is(await ask(s, `authjs.session-token=${chosen}; ${NAME}=${token}`), 200, 'nor when the real one is a token');
    t.is(await ask(s, `authjs.session-token=${chosen}`), 401, 'that becomes an id');
  }

  t.section('two sites in one cache');
  {
    const s = await t.httpd({ files, config: twoSites({ secret: `${SECRET} one`, store: 'NextAuthSessionStore socache checkInterval=0' }, { secret: `${SECRET} two`, store: 'NextAuthSessionStore socache checkInterval=0' }) });
    const at = (name) => ({ ...s, url: `http://${name}.localhost:${s.port}` });
    const here = new Client(at('a'));
    const there = new Client(at('b'));
    await here.credentials('ada', 'x');
    await there.credentials('ada', 'x');
    t.is([(await here.get('/members/')).status, (await there.get('/members/')).status], [200, 200], 'users of one name are not in each other\'s way');
    t.is(await ask(at('b'), `${NAME}=${here.cookie(NAME)}`), 401, 'a session of one is not the other\'s');
    await there.post('/api/auth/sessions', { csrfToken: await there.csrf(), session: 'all' });
    t.is([(await here.get('/members/')).status, (await there.get('/members/')).status], [200, 401], 'signing out everywhere is everywhere on that site');
  }
  if (redisIsHere()) {
    const redis = await startRedis(t);
    const s = await t.httpd({ files, config: twoSites({ secret: `${SECRET} one`, store: 'NextAuthSessionStore socache' }, { secret: `${SECRET} two`, store: `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis` }, 'StartServers 1') });
    const at = (name) => ({ ...s, url: `http://${name}.localhost:${s.port}` });
    const c = new Client(at('a'));
    await c.credentials('ada', 'x');
    const token = c.cookie(NAME);
    await c.signOut();
    await pause(5500); // longer than checkInterval
    const { sid } = open(`${SECRET} one`, token);
    const forged = seal(`${SECRET} two`, { sub: 'eve', sid, iat: now(), auth_time: now(), exp: now() + 3600, jti: 'j' });
    const seen = new Set();
    for (let i = 0; i < 10; i += 1) {
      await ask(at('b'), `${NAME}=${forged}`);
      seen.add(await ask(at('a'), `${NAME}=${token}`));
    }
    t.is([...seen], [401], 'what one site has verified is not verified for the other');
  } else t.skip('two sites with two stores', 'redis-server is not here');

  t.section('a cache whose server is gone');
  if (spawnSync('memcached', ['-V']).status === 0) {
    const port = await freePort();
    const memcached = spawn('memcached', ['-l', '127.0.0.1', '-p', String(port), '-u', 'nobody'], { stdio: 'ignore' });
    t.cleanup(() => memcached.kill('SIGKILL'));
    await until('memcached answers', () => answers(port));
    const config = (strategy) => site(`NextAuthSessionStrategy ${strategy}\nNextAuthSOCache memcache:127.0.0.1:${port}\nNextAuthSessionStore socache checkInterval=0`);
    const jwt = await t.httpd({ files, modules: ['socache_memcache'], config: config('jwt') });
    const database = await t.httpd({ files, modules: ['socache_memcache'], config: config('database') });
    const ended = new Client(jwt);
    await ended.credentials('ada', 'x');
    const cookie = `${NAME}=${ended.cookie(NAME)}`;
    await ended.post('/api/auth/sessions', { csrfToken: await ended.csrf(), session: 'all' });
    const kept = new Client(database);
    await kept.credentials('ada', 'x');
    t.is([await ask(jwt, cookie), (await kept.get('/members/')).status], [401, 200], 'an ended session and a live one');
    memcached.kill('SIGKILL');
    await until('memcached is gone', async () => !(await answers(port)));
    const statuses = new Set();
    for (let i = 0; i < 12; i += 1) statuses.add(await ask(jwt, cookie));
    t.ok(!statuses.has(200), 'what was ended does not come back', [...statuses]);
    const session = await kept.get('/api/auth/session');
    t.is([(await kept.get('/members/')).status, session.status, session.setCookies], [503, 503, []], 'nobody is told to be signed out');
    const several = await t.configtest({ files, modules: ['socache_memcache'], config: config('jwt').replace(`:${port}`, `:${port},127.0.0.1:9`) });
    t.like(several.output, /several servers are not supported, .*: name one server/, 'and several servers are refused');
  } else t.skip('memcache', 'memcached is not here');

  t.section('tokens that outlast the memory of their end');
  {
    const s = await t.httpd({ files, config: site(`${shmcb}\nNextAuthSessionMaxAge 600`) });
    const claims = { sub: 'ada', provider: 'credentials', sid: 's'.repeat(43), auth_time: now() - 1000, jti: 'j' };
    t.is(await ask(s, `${NAME}=${seal(SECRET, { ...claims, iat: now() - 100, exp: now() + 30 * 86400 })}`), 200, 'an application may make longer tokens');
    t.is(await ask(s, `${NAME}=${seal(SECRET, { ...claims, iat: now() - 1300, exp: now() + 30 * 86400 })}`), 401, 'but not longer than ends are remembered');
    t.is(await ask(s, `${NAME}=${seal(SECRET, { ...claims, exp: now() + 3600 })}`), 401, 'and has to say when it made them');
  }

  t.section('lifetimes that were shortened');
  {
    const s = await t.httpd({ files, config: site(`${shmcb}\nNextAuthSessionStrategy database`) });
    const c = new Client(s);
    await c.credentials('ada', 'x');
    await s.reload(site(`${shmcb}\nNextAuthSessionStrategy database\nNextAuthSessionAbsoluteTimeout 60`));
    t.is((await c.get('/members/')).status, 200, 'a session on the server');
    const { expires } = await c.session();
    t.ok(Date.parse(expires) / 1000 <= now() + 60, 'ends when it does now, not when it would have');
  }

  t.section('everybody\'s sessions');
  {
    const s = await t.httpd({ files, modules: ['remoteip'], config: site(`${shmcb}
RemoteIPHeader X-Client
RemoteIPInternalProxy 127.0.0.1
<Location /admin/sessions>
  SetHandler nextauth-sessions
  AuthType NextAuth
  NextAuthUnauthenticated pass
  Require valid-user
</Location>`) });
    const get = async (headers) => (await new Client(s).get('/admin/sessions', { headers })).status;
    t.is(await get({}), 200, 'are shown on this machine');
    t.is(await get({ 'x-client': '203.0.113.9' }), 403, 'not elsewhere, whatever Require says');
    t.is(await get({ 'x-forwarded-for': '127.0.0.1' }), 403, 'nor by way of a proxy on this machine');
    const c = new Client(s);
    await c.credentials('ada', 'x');
    t.is((await c.get('/admin/sessions', { headers: { 'x-client': '203.0.113.9' } })).status, 403, 'nor to any user');
  }

  t.section('another server\'s leniency');
  {
    const s = await t.httpd({ files, config: `NextAuthSessionStore socache checkInterval=3600 whenDown=serve:3600\n${twoSites({ secret: SECRET, store: 'NextAuthSessionStore socache checkInterval=0' }, { secret: SECRET, store: 'NextAuthSessionStore socache' })}` });
    const c = new Client({ ...s, url: `http://a.localhost:${s.port}` });
    await c.credentials('ada', 'x');
    const cookie = `${NAME}=${c.cookie(NAME)}`;
    const b = { ...s, url: `http://b.localhost:${s.port}` };
    for (let i = 0; i < 40; i += 1) await ask(b, cookie);
    await c.signOut();
    await until('every process has asked the store', async () => (await Promise.all(Array.from({ length: 12 }, () => ask(b, cookie)))).every((status) => status === 401));
    t.is(await ask(b, cookie), 401, 'a virtual host that names its store has the defaults of what it does not say');
  }
});
