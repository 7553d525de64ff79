#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
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
NextAuthProvider acme type=oidc issuer=${issuer} clientId=client-acme "clientSecret=${secret}" logout=true
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
    redirect_uris: [`${url}/callback/${id}`], backchannel_logout_uri: `${url}/backchannel-logout/${id}`, ...more });
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

suite('Sessions end when the provider says so', async (t) => {
  for (const way of ways) {
    t.section(way.name);
    if (way.redis && !redisIsHere()) { t.skip(way.name, 'redis-server is not here'); continue; }
    if (way.database && !databasesHere().sqlite) { t.skip(way.name, 'sqlite3 is not here'); continue; }
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
  }
});
