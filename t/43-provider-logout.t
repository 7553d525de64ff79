#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { freePort, mpm } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { codeOf, enrol, give, oathtoolIsHere } = require('./lib/second-factor.js');
const { startOp } = require('./lib/op.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const SESSION = 'next-auth.session-token';
const secret = 'a secret between the client and the provider';

// Each way to keep sessions: what it needs, and its directives.
const ways = [
  { name: 'tokens, with records in socache', more: () => 'NextAuthSessionStore socache checkInterval=0' },
  { name: 'tokens, with records in Redis', redis: true, more: () => 'NextAuthSessionStore redis checkInterval=0' },
  { name: 'sessions in socache', more: () => 'NextAuthSessionStrategy database\nNextAuthSessionStore socache checkInterval=0' },
  { name: 'sessions in Redis', redis: true, more: () => 'NextAuthSessionStrategy database\nNextAuthSessionStore redis checkInterval=0' },
  { name: 'tokens of database users', database: true, more: () => 'NextAuthSessionStore database checkInterval=0' },
  { name: 'tokens of database users, with records in socache', database: true, more: () => 'NextAuthSessionStore socache checkInterval=0' },
  { name: "NextAuth's table of sessions", database: true, more: () => 'NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0' },
];

const config = (issuer, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSite the-site
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthProvider acme type=oidc issuer=${issuer} clientId=client-acme "clientSecret=${secret}" logout=true authorization.params=max_age=3600
NextAuthProvider bare type=oidc issuer=${issuer} clientId=client-bare "clientSecret=${secret}" logout=fromProvider allowDangerousEmailAccountLinking=true
NextAuthProvider other type=oidc issuer=${issuer} clientId=client-other "clientSecret=${secret}" logout=true
NextAuthCookie sessionToken name=${SESSION}
NextAuthAuditLog @DIR@/audit.log
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

async function start(t, way = ways[0]) {
  const port = await freePort();
  const url = `http://localhost:${port}/api/auth`;
  const client = (id, more) => ({ client_id: `client-${id}`, client_secret: secret,
    redirect_uris: [`${url}/callback/${id}`], backchannel_logout_uri: `${url}/backchannel-logout/${id}`,
    post_logout_redirect_uris: [`${url}/signout-callback/${id}`], ...more });
  const op = await startOp(t, {
    clients: [client('acme', { backchannel_logout_session_required: true }), client('bare'), client('other', { backchannel_logout_session_required: true })],
    features: { backchannelLogout: { enabled: true } },
  });
  const redis = way.redis && await startRedis(t);
  const db = way.database && await sqlite(t);
  if (db) await nextauthctl(db, ['migrate']);
  const more = [redis && `NextAuthRedis ${redis.url}`, db && `NextAuthDatabase ${db.url}`, way.more()].filter(Boolean).join('\n');
  const site = await t.httpd({ port, config: config(op.issuer, more) });
  return { op, site, redis, config: config(op.issuer, more) };
}

async function signIn(op, site, login, id = 'acme') {
  const client = new Client(site);
  const answer = await op.login(client, await client.signIn(id), login);
  return { client, answer, stolen: client.cookie(SESSION) };
}

// Where a thief's copy of the cookie leads.
const asThief = async (site, { stolen }) => (await new Client(site).get('/members/', { headers: { cookie: `${SESSION}=${stolen}` } })).status;

async function everyWay(t, way) {
  const { op, site } = await start(t, way);
  const [first, second] = [await signIn(op, site, 'alice'), await signIn(op, site, 'alice')];
  const bob = await signIn(op, site, 'bob', 'other');
  t.is([await asThief(site, first), await asThief(site, second), await asThief(site, bob)], [200, 200, 200], 'three are signed in, and their cookies were copied');
  await op.endSession(first.client);
  t.is(op.said, [['client-acme', 'success']], 'the first signs out at the provider, which says so');
  t.is([await asThief(site, first), await asThief(site, second), await asThief(site, bob)], [401, 200, 200], 'that session ends, with every copy, and no other');
  t.is(await first.client.session(), {}, 'and its browser is signed out');

  op.said.length = 0;
  const third = await signIn(op, site, 'alice', 'bare');
  const fourth = await signIn(op, site, 'alice', 'bare');
  await op.endSession(third.client);
  t.is(op.said, [['client-bare', 'success']], 'a provider that names users alone');
  t.is([await asThief(site, third), await asThief(site, fourth), await asThief(site, second)], [401, 401, 200], 'ends all sessions of the user that began with this provider');

  op.said.length = 0;
  const away = await second.client.signOut({ callbackUrl: '/goodbye' });
  const asked = Object.fromEntries(new URL(away.location).searchParams);
  t.like(away.location, new RegExp(`^${op.issuer}/session/end\\?`), 'a sign-out here leads to the provider');
  t.is(await asThief(site, second), 401, 'when the session has ended already');
  t.is([asked.client_id, asked.post_logout_redirect_uri, asked.logout_hint], ['client-acme', `${site.url}/api/auth/signout-callback/acme`, undefined], 'with client_id and the way back');
  t.is(JSON.parse(Buffer.from(asked.id_token_hint.split('.')[1], 'base64url')).sub, 'alice', 'and the ID token of the sign-in');
  const back = await op.endSession(second.client, new URL(away.location).search);
  t.is(new URL(back.location).pathname, '/api/auth/signout-callback/acme', 'which sends the browser back');
  t.is((await second.client.page(back.location)).location, `${site.url}/goodbye`, 'to where the sign-out leads');
  t.is(op.said, [['client-acme', 'success']], 'its back-channel logout for the session that ended before is taken');
  t.like((await second.client.signIn('acme')).location, new RegExp(`^${op.issuer}/auth`), 'who signs in again');
  const again = await op.authorize(second.client, await second.client.signIn('acme'), 'bob');
  t.like(again, /code=/, 'is asked for a password there');
  t.is(site.log().match(/\[nextauth:error\]/g), null, 'nothing is an error');
}

suite('Sessions end when the provider says so', async (t) => {
  // An MPM changes nothing of where a session is kept.
  for (const way of mpm === 'event' ? ways : [ways[1], ways.at(-1)]) {
    t.section(way.name);
    if (way.redis && !redisIsHere()) t.skip(way.name, 'redis-server is not here');
    else if (way.database && !databasesHere().sqlite) t.skip(way.name, 'sqlite3 is not here');
    else await everyWay(t, way);
  }

  if (redisIsHere()) {
    t.section('two servers, one Redis');
    const { op, site, config: written } = await start(t, ways[1]);
    const there = await t.httpd({ config: written });
    const alice = await signIn(op, site, 'alice');
    t.is([await asThief(site, alice), await asThief(there, alice)], [200, 200], 'a session of one is valid at the other');
    await op.endSession(alice.client);
    t.is([await asThief(site, alice), await asThief(there, alice)], [401, 401], 'and a logout that one is told of ends it at both');
  }

  if (databasesHere().sqlite && oathtoolIsHere()) {
    t.section('with a second factor');
    const two = { database: true, more: () => 'NextAuthSessionStore socache checkInterval=0\nNextAuthTwoFactor Optional' };
    const { op, site } = await start(t, two);
    const first = await signIn(op, site, 'alice');
    const { key } = await enrol(first.client);
    const raised = { stolen: first.client.cookie(SESSION) };
    t.is([await asThief(site, first), await asThief(site, raised)], [401, 200], 'setting it up replaces the session');
    await op.endSession(first.client);
    t.is([op.said, await asThief(site, raised)], [[['client-acme', 'success']], 401], 'which ends with the session at the provider, too');
    const second = await signIn(op, site, 'alice');
    t.is(second.stolen, undefined, 'a sign-in waits for its code');
    await give(second.client, codeOf(key, 1));
    const given = { stolen: second.client.cookie(SESSION) };
    t.is(await asThief(site, given), 200, 'and begins with it');
    await op.endSession(second.client);
    t.is(await asThief(site, given), 401, 'and ends with the session at the provider');
    const third = await signIn(op, site, 'alice');
    await op.endSession(third.client);
    await give(third.client, codeOf(key, 2));
    t.is([third.client.cookie(SESSION), await third.client.session()], [undefined, {}], 'one that waits while the provider ends its session never begins');
  }

  t.section('what is recorded');
  const { op, site } = await start(t);
  const alice = await signIn(op, site, 'alice');
  await op.endSession(alice.client);
  const record = fs.readFileSync(`${site.dir}/audit.log`, 'utf8').trim().split('\n').map(JSON.parse).at(-1);
  t.is([record.event, record.outcome, record.user, record.provider, record.actor, record.detail], ['SIGNOUT', 'success', 'alice', 'acme', 'provider', 'back-channel'], 'the audit log has the sign-out, and who caused it');

  t.section('a sign-out of which the provider does not know');
  const bare = await signIn(op, site, 'bob', 'bare');
  t.is((await bare.client.signOut({ callbackUrl: '/goodbye' })).location, `${site.url}/goodbye`, 'logout=fromProvider: a sign-out here stays here');
  const late = await signIn(op, site, 'bob');
  await op.stop();
  const ended = await late.client.signOut({ callbackUrl: '/goodbye' });
  t.is([ended.status, await asThief(site, late)], [302, 401], 'the provider is down: the user is signed out here all the same');
});
