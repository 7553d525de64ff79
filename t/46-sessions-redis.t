#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, pause, thorough, until } = require('./lib/httpd.js');
const { apart, Client, statusOf } = require('./lib/client.js');
const { startLoad } = require('./lib/load.js');
const { redisIsHere, startRedis, startSentinel, startCluster } = require('./lib/redis.js');
const { open } = require('./lib/token.js');
const { startApp, byNextAuth } = require('./lib/app.js');
const { startRogue } = require('./lib/rogue.js');

const SECRET = 'the secret of sessions has 32 bytes';
const NAME = 'next-auth.session-token';
const users = htpasswd({ ada: 'x', bob: 'y' });
const config = (redis, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSite the-site
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRedis ${redis}
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;
const database = 'NextAuthSessionStrategy database\nNextAuthSessionStore redis checkInterval=0';

async function signedIn(site, user = 'ada', options = {}) {
  const client = new Client(site, options);
  await client.credentials(user, user === 'ada' ? 'x' : 'y');
  return client;
}
const cookieOf = (client) => ({ cookie: `${NAME}=${client.cookie(NAME)}` });
const members = (clients) => {
  const headers = clients.map(cookieOf);
  return (worker) => ({ path: '/members/', headers: headers[worker % headers.length] });
};
const lines = (site, pattern) => (site.log().match(pattern) || []).length;

suite('Sessions in Redis: shared by servers, secured, and when Redis is down', async (t) => {
  if (!redisIsHere()) t.skipAll('redis-server is not here');

  t.section('two servers, one Redis');
  {
    const redis = await startRedis(t);
    for (const strategy of ['jwt', 'database']) {
      const more = `NextAuthSessionStrategy ${strategy}\nNextAuthSessionStore redis checkInterval=0\nNextAuthCookie sessionToken name=${NAME}`;
      const here = await t.httpd({ files: { users }, config: config(redis.url, more) });
      const there = await t.httpd({ files: { users }, config: config(redis.url, more) });
      const c = await signedIn(here);
      const ask = async () => (await new Client(there).get('/members/', { headers: cookieOf(c) })).status;
      t.is(await ask(), 200, `${strategy}: a session of one is the other's`);
      await c.signOut();
      t.is(await ask(), 401, `${strategy}: and so is its end`);
    }
    const keys = (await redis.cli('KEYS', '*')).split('\n');
    t.ok(keys.length === 6 && keys.every((key) => /^nextauth:(session|list|user|epoch):[0-9a-f]{64}$/.test(key)), 'Redis has hashes as keys', keys);
    const values = await Promise.all(keys.map((key) => redis.cli('GET', key)));
    t.unlike(values.join(), /ada|credentials|Mozilla|127\.0/, 'and nothing in its values that could be read');
    const ttls = await Promise.all(keys.map((key) => redis.cli('TTL', key)));
    t.ok(ttls.every((ttl) => Number(ttl) > 0), 'all of it expires');
  }

  t.section('two servers, one Redis: an answer of a provider counts once');
  {
    const [redis, rogue, port] = [await startRedis(t), await startRogue(t), await freePort()];
    rogue.faults.careless = { takesCodesTwice: true };
    const more = `NextAuthSessionStore redis
NextAuthURL http://localhost:${port}
NextAuthProvider careless type=oidc issuer=${rogue.issuer('careless')} clientId=the-client clientSecret=a-secret`;
    const here = await t.httpd({ port, files: { users }, config: config(redis.url, more) });
    const there = await t.httpd({ files: { users }, config: config(redis.url, more) });
    const c = new Client(here);
    const away = new URL((await c.page((await c.signIn('careless')).location)).location);
    const saved = { cookie: c.jar.header(here.url) };
    t.is((await c.page(away.href)).location, here.url, 'it signs in at one of them');
    const again = await new Client(there).page(away.pathname + away.search, { headers: saved });
    t.like(again.location, /error=OAuthCallback$/, '  and not at the other, with saved cookies');
    t.like(there.log(), /this sign-in has already been answered/, '  whose log says why');
  }

  t.section('an application that reads the cookie');
  {
    const redis = await startRedis(t);
    const app = await startApp(t, byNextAuth(SECRET));
    const site = await t.httpd({ files: { users }, config: config(redis.url, `NextAuthSessionStore redis\nProxyPass /app http://127.0.0.1:${app.port}/`) });
    const c = await signedIn(site);
    t.is((await c.get('/app')).json.user.sub, 'ada', 'next-auth\'s getToken() reads a session that has a record');
  }

  t.section('secured connections');
  for (const [what, options, url, args] of [
    ['TLS and an ACL user', { tls: {}, acl: { user: 'web', password: 'p@ss:w/rd' } }, (r) => r.url, (r) => `caFile=${r.ca}`],
    ['a socket', { unix: true }, (r) => r.url, () => ''],
    ['a database number', {}, (r) => `${r.url}/3`, () => '']]) {
    const redis = await startRedis(t, options);
    const site = await t.httpd({ files: { users }, config: config(`${url(redis)} ${args(redis)}`, database) });
    t.is(await statusOf(await signedIn(site)), 200, what);
  }
  {
    const redis = await startRedis(t, { tls: { names: 'DNS:elsewhere.example.org' } });
    const site = await t.httpd({ files: { users }, config: config(`${redis.url} caFile=${redis.ca}`, database) });
    const c = await signedIn(site);
    t.is(c.cookie(NAME), undefined, 'a certificate of another host: no session');
    t.like(site.log(), /session store: Redis at localhost:\d+ is down: .*(certificate|host)/i, 'and the log says why');
  }
  {
    const cluster = await startCluster(t);
    const site = await t.httpd({ files: { users }, config: config(`${cluster.url} cluster=on`, database) });
    const clients = await Promise.all(Array.from({ length: 6 }, (_, i) => signedIn(site, 'ada', apart(i))));
    t.is(await Promise.all(clients.map(statusOf)), Array(6).fill(200), 'a cluster');
    t.is((await clients[0].get('/api/auth/sessions')).json.sessions.length, 6, 'that lists sessions of all its nodes');
    const sizes = await Promise.all(cluster.nodes.map((node) => node.cli('DBSIZE')));
    t.ok(sizes.filter((size) => Number(size) > 0).length > 1, 'which are spread over it', sizes);
  }

  t.section('Redis does not answer: refuse');
  {
    const redis = await startRedis(t);
    const site = await t.httpd({ files: { users }, config: config(`${redis.url} timeout=500ms`, database) });
    const clients = await Promise.all(Array.from({ length: 4 }, () => signedIn(site)));
    const load = startLoad(site.url, 12, members(clients));
    await load.more(200, 50);
    redis.kill('SIGSTOP');
    await load.more(503, 1);
    const answer = await clients[0].page('/members/');
    t.is([answer.status, answer.headers['retry-after'], answer.location], [503, '5', undefined], 'signed-in paths answer 503 with Retry-After, not a redirect');
    t.is((await clients[0].get('/public.html')).status, 200, 'public pages are served');
    t.is((await new Client(site).page('/members/')).status, 302, 'who is not signed in is asked to');
    const session = await clients[0].get('/api/auth/session');
    t.is([session.status, session.setCookies], [503, []], 'the session endpoint does not say "signed out", and clears nothing');
    const page = await clients[0].page('/api/auth/sessions');
    t.is([page.status, /Temporarily unavailable/.test(page.text)], [503, true], 'people get a page');
    t.is((await signedIn(site)).cookie(NAME), undefined, 'nobody can sign in');
    const bye = await clients[3].signOut();
    t.is([bye.status, clients[3].cookie(NAME)], [503, undefined], 'signing out clears the cookie, and says that the session is not over');
    await pause(thorough ? 15_000 : 5_000); // a long time under load is what is tried
    redis.kill('SIGCONT');
    await until('sessions are back', async () => (await statusOf(clients[0])) === 200);
    await load.stop();
    t.is(Object.keys(load.counts).sort(), ['200', '503'], 'under load there were no other answers', load.counts);
    t.ok(load.slowest.ms < 20_000, 'and none that waited for long', load.slowest);
    t.is(await statusOf(clients[1]), 200, 'nobody was signed out');
    t.is([lines(site, /session store: Redis at \S+ is down: /g), lines(site, /session store: Redis at \S+ is back, after \d+ s/g)], [1, 1], 'the log has one line for each change');
  }

  t.section('Redis does not answer: serve for a while');
  {
    const redis = await startRedis(t);
    const site = await t.httpd({ files: { users }, config: config(`${redis.url} timeout=500ms`, 'NextAuthSessionStore redis checkInterval=1 whenDown=serve:8') });
    const c = await signedIn(site);
    const warm = async () => { for (let i = 0; i < 60; i += 1) await statusOf(c); };
    await warm();
    redis.kill('SIGSTOP');
    await pause(1500); // longer than checkInterval
    const during = new Set();
    for (let i = 0; i < 30; i += 1) during.add(await statusOf(c));
    // a process that has not seen the session lately cannot tell, and prefork has many
    if (process.env.NEXTAUTH_MPM === 'prefork') t.ok(during.has(200), 'sessions that were good a moment ago are served by who knows them');
    else t.is([...during], [200], 'sessions that were good a moment ago are served');
    const bob = await signedIn(site, 'bob');
    t.is(open(SECRET, bob.cookie(NAME)).sub, 'bob', 'with claims in the cookie, one can sign in');
    await until('that ends', async () => (await statusOf(c)) === 503);
    t.ok(true, 'but not for ever');
    t.is(lines(site, /session store: Redis at \S+ is down: /g), 1, 'with one line in the log');
    redis.kill('SIGCONT');
    await until('sessions are back', async () => (await statusOf(c)) === 200);
    await until('it is listed', async () => (await statusOf(bob)) === 200 && ((await bob.get('/api/auth/sessions')).json.sessions || []).length === 1);
    t.ok(true, 'then it is asked again, and learns of who signed in meanwhile');
  }

  t.section('Sentinel: the primary is killed under load');
  {
    const set = await startSentinel(t);
    const site = await t.httpd({ files: { users }, config: config(`${set.url} sentinels=${set.addresses} master=${set.masterName} timeout=500ms`, database) });
    const clients = await Promise.all(Array.from({ length: 4 }, () => signedIn(site)));
    t.is(await Promise.all(clients.map(statusOf)), [200, 200, 200, 200], 'sessions are kept by the primary');
    await set.primary.cli('WAIT', '1', '10000');
    const load = startLoad(site.url, 8, members(clients));
    await load.more(200, 50);
    await set.primary.stop();
    await until('the replica has taken over', async () => (await statusOf(clients[0])) === 200 && (await signedIn(site)).cookie(NAME));
    await load.more(200, 50);
    await load.stop();
    t.is(Object.keys(load.counts).filter((status) => status !== '503'), ['200'], 'nobody was signed out, nothing but 503 was answered meanwhile', load.counts);
    t.is(await Promise.all(clients.map(statusOf)), [200, 200, 200, 200], 'and all sessions are there');
  }
});
