#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const OLD = 'the old secret has 32 bytes at least';
const NEW = 'the new secret has 32 bytes at least';
const V4 = 'next-auth.session-token';
const V5 = 'authjs.session-token';

const config = (redis, { secrets = [OLD], strategy = 'jwt', store = 'socache', compat = 'v4', lost = 'refuse' }) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${secrets.map((secret) => `"${secret}"`).join(' ')}
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthRedis ${redis}
NextAuthCompat ${compat}
NextAuthSessionStrategy ${strategy}
NextAuthSessionStore ${store} ${store === 'none' ? '' : `checkInterval=0 whenLost=${lost}`}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

suite('A session outlives every change of how sessions are kept', async (t) => {
  t.withOneMpm();
  if (!redisIsHere()) t.skipAll('redis-server is not here');
  const { url } = await startRedis(t);
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: config(url, { store: 'none' }) });
  const people = [];
  const sign = async () => {
    const c = new Client(site);
    await c.credentials('ada', 'x');
    people.push({ c, copies: new Map() });
  };
  const form = (c) => [c.cookie(V4) ? 'v4' : c.cookie(V5) ? 'v5' : 'none', /\./.test(c.cookie(V4) || c.cookie(V5) || '') ? 'token' : 'id'].join(' ');
  const visit = async ({ c, copies }) => {
    const { status } = await c.get('/members/');
    const session = await c.session();
    for (const name of [V4, V5]) if (c.cookie(name)) copies.set(c.cookie(name), name);
    return status === 200 && session && session.user && session.user.name === 'ada';
  };
  await sign();
  t.ok(await visit(people[0]), 'a session in a token, with nothing kept on the server');

  const changes = [
    // of sessions from before it, a first store cannot know whether they were ended: the operator says so
    ['a store', { lost: 'accept' }, 'v4 token'],
    ['the database strategy', { strategy: 'database' }, 'v4 id'],
    ['another store', { strategy: 'database', store: 'redis socache' }, 'v4 id'],
    ['another secret', { strategy: 'database', store: 'redis socache', secrets: [NEW, OLD] }, 'v4 id'],
    ['the other dialect', { strategy: 'database', store: 'redis', secrets: [NEW, OLD], compat: 'v5 accept=v4,v5' }, 'v5 id'],
    ['the old secret\'s end', { strategy: 'database', store: 'redis', secrets: [NEW], compat: 'v5 accept=v4,v5' }, 'v5 id'],
    ['the jwt strategy', { strategy: 'jwt', store: 'redis', secrets: [NEW], compat: 'v5' }, 'v5 token'],
  ];
  for (const [what, options, expected] of changes) {
    await site.reload(config(url, options));
    const good = [];
    for (const person of people) good.push(await visit(person));
    t.is(good, people.map(() => true), `${what}: nobody is signed out`);
    t.is(people.map(({ c }) => form(c)), people.map(() => expected), `  and cookies are what they are now (${expected})`);
    await sign();
    await visit(people.at(-1));
  }

  t.section('signing out ends a session in every form that it had');
  const { c, copies } = people[0];
  const ask = async () => {
    const found = [];
    for (const [value, name] of copies) found.push((await new Client(site).get('/members/', { headers: { cookie: `${name}=${value}` } })).status);
    return found;
  };
  t.ok(copies.size >= 4, `${copies.size} different cookies`);
  t.ok((await ask()).includes(200), 'of which some are valid');
  await c.signOut();
  t.is(await ask(), Array(copies.size).fill(401), 'then none is');
  await site.reload(config(url, { strategy: 'database', store: 'redis', secrets: [NEW, OLD], compat: 'v5 accept=v4,v5' }));
  t.is(await ask(), Array(copies.size).fill(401), 'nor after changing back');
});
