#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

// Bytes that no entry without an ID token has.
const FULL = 600;
const SECRET = 'the secret of sessions has 32 bytes';

// Every sign-in gets a refresh token, each can be used once, and a second use revokes all of them.
const settings = { issueRefreshToken: async () => true, rotateRefreshToken: true };

const client = (port, more) => ({ client_id: 'the-client', client_secret: 'a secret between the two',
  redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`],
  grant_types: ['authorization_code', 'refresh_token'], ...more });
const provider = (op, more = '') => `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=the-client "clientSecret=a secret between the two" ${more}`;
const config = (port, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:${port}
NextAuthSecret "${SECRET}"
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

async function signedIn(op, site) {
  const c = new Client(site);
  await op.login(c, await c.signIn('acme'), 'alice');
  return c;
}

async function entries(redis) {
  const keys = (await redis.cli('KEYS', 'nextauth:tokens:*')).split('\n').filter(Boolean);
  return Promise.all(keys.map(async (key) => ({ key, value: await redis.cli('GET', key), size: Number(await redis.cli('STRLEN', key)), ttl: Number(await redis.cli('TTL', key)) })));
}

suite('Tokens of a provider, kept for the session', async (t) => {
  if (!redisIsHere()) t.skipAll('redis-server is not here');

  t.section('kept at the sign-in, and removed with the session');
  for (const strategy of ['jwt', 'database']) {
    const [port, redis] = [await freePort(), await startRedis(t)];
    const op = await startOp(t, { clients: [client(port)], settings });
    const site = await t.httpd({ port, config: config(port, `NextAuthRedis ${redis.url}
NextAuthSessionStore redis checkInterval=0
NextAuthSessionStrategy ${strategy}
NextAuthSessionMaxAge 86400
NextAuthKeepTokens On
${provider(op)}`) });
    const c = await signedIn(op, site);
    t.is((await c.session()).user.email, 'alice@example.org', `${strategy}: signed in`);
    const [kept, ...others] = await entries(redis);
    t.is(others, [], `${strategy}: the session has one entry of tokens`);
    t.like(kept.key, /^nextauth:tokens:[0-9a-f]{64}$/, `${strategy}: under a hash`);
    t.ok(kept.size > FULL, `${strategy}: which has three tokens`);
    t.unlike(kept.value, /eyJ|acme|offline/, `${strategy}: that nobody can read there`);
    t.ok(kept.ttl > 86400 - 60 && kept.ttl <= 86400, `${strategy}: as long as the session`, kept.ttl);
    t.unlike(JSON.stringify(await c.session()), /eyJ/, `${strategy}: the session does not show them`);

    const again = await signedIn(op, site);
    t.is((await entries(redis)).length, 2, `${strategy}: another session has its own`);
    await c.signOut();
    const left = (await entries(redis)).map(({ size, ttl }) => size > FULL && ttl > 300).sort();
    t.is(left, [false, true], `${strategy}: signing out removes its tokens, and only them`);
    await again.signOut();
    t.is((await entries(redis)).some(({ ttl }) => ttl > 300), false, `${strategy}: then the others`);
  }
});
