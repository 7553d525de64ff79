#!/usr/bin/env node
'use strict';
// Whoever has the first factor guesses the second: ten thousand times from one address, and from a
// thousand addresses, at two servers that count in one store.
const http = require('node:http');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, nextauthctl, secretFile } = require('./lib/ctl.js');
const { recordsOf } = require('./lib/audit.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { startMail } = require('./lib/mail.js');
const { codeOf, enrol, give, letTimePass, oathtoolIsHere } = require('./lib/second-factor.js');

const GOOD = 'seven lanterns under water';
const ACCOUNTS = 10;
const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });

// Status of a form with a code, from an address that a proxy names.
function guess(site, { cookie, csrfToken }, code, address) {
  const body = new URLSearchParams({ csrfToken, code, json: 'true' }).toString();
  return new Promise((resolve, reject) => {
    const request = http.request(new URL('/api/auth/two-factor', site.url), { method: 'POST', agent, family: 4, lookup: (host, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)),
      headers: { cookie, 'content-type': 'application/x-www-form-urlencoded', 'content-length': body.length, 'x-forwarded-for': address } },
    (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    });
    request.on('error', reject);
    request.end(body);
  });
}

// All of `count` guesses, 16 at a time: how often each status came.
async function guessAll(count, one) {
  const counts = {};
  let next = 0;
  const work = async () => {
    while (next < count) {
      const status = await one(next += 1);
      counts[status] = (counts[status] || 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  return counts;
}

suite('Guesses of second factors', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  if (!redisIsHere()) t.skipAll('there is no redis-server');
  if (!oathtoolIsHere()) t.skipAll('there is no oathtool');
  const [db, redis, mail] = [await sqlite(t), await startRedis(t), await startMail(t, { tls: 'none' })];
  await nextauthctl(db, ['migrate']);
  const config = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSite one
NextAuthSecret "the secret of guessed factors is long"
NextAuthDatabase ${db.url}
NextAuthRedis ${redis.url}
NextAuthSessionStore redis
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthTwoFactor Optional
NextAuthFeature rateLimiting On
NextAuthAuditLog @DIR@/audit.log
<Location /nextauth-sessions>
  SetHandler nextauth-sessions
  Require local
</Location>
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.0/8
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
  const sites = [await t.httpd({ config, modules: ['remoteip'] }), await t.httpd({ config, modules: ['remoteip'] })];
  const emails = Array.from({ length: ACCOUNTS + 1 }, (_, i) => `user${i}@example.org`);
  const keys = [];

  // What an attacker has who knows the password: a sign-in that waits, good at both servers.
  const waiting = async (email) => {
    const client = new Client(sites[0]);
    await client.credentials(email, GOOD);
    return { client, csrfToken: await client.csrf(), cookie: client.jar.header(sites[0].url) };
  };
  for (const email of emails) {
    await addUser(db, email, GOOD, '--hash', 'bcrypt:10');
    const client = new Client(sites[0]);
    await client.credentials(email, GOOD);
    keys.push((await enrol(client)).key);
  }
  t.ok(keys.every(Boolean), 'eleven users with authenticator apps');
  const wrong = (i) => String(i % 1_000_000).padStart(6, '0');

  t.section('from one address');
  const all = [];
  for (const email of emails.slice(0, ACCOUNTS)) all.push(await waiting(email));
  const one = await guessAll(10_000, (i) => guess(sites[i % 2], all[i % ACCOUNTS], wrong(i), '192.0.2.1'));
  t.is(one, { 401: 60, 429: 9_940 }, 'of ten thousand guesses, for ten users at two servers, sixty are tried');

  t.section('from a thousand addresses');
  const victim = await waiting(emails[ACCOUNTS]);
  const many = await guessAll(1_000, (i) => guess(sites[i % 2], victim, wrong(i), `198.51.${100 + (i >> 8)}.${i & 255}`));
  t.is(many, { 401: 10, 429: 990 }, 'of a thousand guesses for one user, ten are tried');
  await letTimePass(db);
  t.is(await guess(sites[0], victim, codeOf(keys[ACCOUNTS]), '203.0.113.7'), 429, 'then not even the right one is');
  t.is(await guess(sites[1], victim, 'ABCD-EFGH-IJKL-MNOP', '203.0.113.8'), 429, 'nor is a recovery code');
  await until('an email', () => mail.mails.some(({ envelope }) => envelope.rcptTo[0].address === emails[ACCOUNTS]));
  t.ok(true, 'the owner is told');
  const records = sites.flatMap((site) => recordsOf(path.join(site.dir, 'audit.log')));
  const locks = records.filter(({ event, email }) => event === 'USER_LOCK' && email === emails[ACCOUNTS]);
  t.is(locks.length, 1, '  once, and the audit log has it');
  t.is(records.filter(({ event, reason }) => event === 'SECOND_FACTOR' && /^SecondFactor/.test(reason)).length, 70, '  and each guess that was tried');

  const secret = secretFile(db, 'secret', 'the secret of guessed factors is long');
  const unlocked = await nextauthctl(db, ['user', 'unlock', emails[ACCOUNTS], '--server', `${sites[0].url}/nextauth-sessions`, '--secret-file', secret]);
  t.is(unlocked.status, 0, 'nextauthctl unlocks the user', unlocked.stderr);
  t.is(await guess(sites[1], victim, codeOf(keys[ACCOUNTS]), '203.0.113.9'), 200, '  who can sign in again');

  t.section('others');
  await addUser(db, 'other@example.org', GOOD, '--hash', 'bcrypt:10');
  const other = new Client(sites[0]);
  await other.credentials('other@example.org', GOOD);
  const { key } = await enrol(other);
  await letTimePass(db);
  const again = new Client(sites[1]);
  await again.credentials('other@example.org', GOOD);
  await give(again, codeOf(key));
  t.is((await again.get('/members/')).status, 200, 'are not concerned');
  agent.destroy();
});
