#!/usr/bin/env node
'use strict';
// One provider for many tenants (tenants=): the host of a request chooses the issuer, from a list
// alone, and nothing of one tenant counts at another.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { check, freePort } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { Client } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');

const SESSION = 'next-auth.session-token';
const secretOf = (tenant) => `the secret between the site and the issuer of ${tenant}`;

// The issuer of a tenant. Both know a user with the ID alice, who are two people.
async function startIssuer(t, port, tenant) {
  const logoutTokens = [];
  const relay = http.createServer(async (req, res) => {
    const parts = [];
    for await (const part of req) parts.push(part);
    logoutTokens.push(new URLSearchParams(Buffer.concat(parts).toString()).get('logout_token'));
    res.end();
  });
  await new Promise((resolve) => { relay.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { relay.close(resolve); }));
  const op = await startOp(t, {
    features: { backchannelLogout: { enabled: true } },
    clients: [{ client_id: `site-${tenant}`, client_secret: secretOf(tenant),
      redirect_uris: [`http://${tenant}.localhost:${port}/api/auth/callback/sso-${tenant}`],
      backchannel_logout_uri: `http://localhost:${relay.address().port}/` }],
    settings: { findAccount: (ctx, sub) => ({ accountId: sub,
      claims: () => ({ sub, name: `Alice of ${tenant}`, email: `alice@${tenant}.example`, email_verified: true }) }) },
  });
  return { ...op, logoutTokens };
}

const sso = 'NextAuthProvider sso type=oidc "tenants=acme globex" issuer=file:@DIR@/{tenant}.issuer clientId=site-{tenant} clientSecret=file:@DIR@/{tenant}.secret "name={tenant} ID" logout=fromProvider';
const config = (lines, provider = sso, urls = 'http://*.localhost:@PORT@') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${urls}
NextAuthSecret "the secret of a site with many tenants"
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthSessionStore socache checkInterval=0
${provider}
${lines}
<Location /members/>
  AuthType NextAuth
  Require nextauth-provider sso
</Location>
<Location /acme/>
  AuthType NextAuth
  NextAuthSignInWith sso
  Require nextauth-provider sso-acme
</Location>`;

suite('Providers of many tenants', async (t) => {
  t.section('two tenants, two issuers');
  if (databasesHere().sqlite) {
    const port = await freePort();
    const ops = { acme: await startIssuer(t, port, 'acme'), globex: await startIssuer(t, port, 'globex') };
    const db = await sqlite(t);
    await nextauthctl(db, ['migrate']);
    const files = Object.fromEntries(Object.entries(ops).flatMap(([tenant, op]) => [[`${tenant}.issuer`, op.issuer], [`${tenant}.secret`, secretOf(tenant)]].map(([name, text]) => [name, { text, mode: 0o600 }])));
    const s = await t.httpd({ port, files, config: config(`NextAuthDatabase ${db.url}`) });
    const at = (tenant) => ({ ...s, url: `http://${tenant}.localhost:${port}` });
    const callback = (tenant) => `http://${tenant}.localhost:${port}/api/auth/callback/sso-${tenant}`;
    const users = { acme: new Client(at('acme')), globex: new Client(at('globex')) };
    const asked = () => [ops.acme, ops.globex].map((op) => op.requests.length + op.asked.length);

    for (const [tenant, client] of Object.entries(users)) {
      const sent = await client.page('/members/');
      t.is(new URL(sent.location).origin, ops[tenant].issuer, `a page of ${tenant} leads to its issuer`);
      const { searchParams } = new URL(sent.location);
      t.is([searchParams.get('client_id'), searchParams.get('redirect_uri')], [`site-${tenant}`, callback(tenant)], '  as its client, with a callback URL of its own');
      const back = await ops[tenant].login(client, sent, 'alice');
      t.is(back.location, `http://${tenant}.localhost:${port}/members/`, '  and back');
      t.is((await client.get('/members/')).status, 200, '  to where Require names the provider of all tenants');
      t.is((await client.get('/api/auth/session')).json.user.email, `alice@${tenant}.example`, '  as its own user');
      const listed = (await client.get('/api/auth/providers')).json;
      t.is([Object.keys(listed), listed[`sso-${tenant}`].name], [[`sso-${tenant}`], `${tenant} ID`], '  who sees no other provider');
    }
    t.is([(await users.acme.get('/acme/')).status, (await users.globex.get('/acme/')).status], [404, 403], 'Require can name the provider of one tenant');
    t.is((await db.sql('SELECT * FROM accounts ORDER BY provider')).map((row) => [row.provider, row.providerAccountId]), [['sso-acme', 'alice'], ['sso-globex', 'alice']], 'the same ID at two issuers is two accounts');
    t.is((await db.sql('SELECT * FROM users')).length, 2, '  of two users');

    t.section('nothing of a tenant counts at another');
    const there = (tenant, path, cookies) => new Client(at(tenant)).get(path, { headers: { cookie: cookies } });
    const stolen = users.acme.cookie(SESSION);
    t.is([(await there('acme', '/members/', `${SESSION}=${stolen}`)).status, (await there('globex', '/members/', `${SESSION}=${stolen}`)).status], [200, 401], 'a session does not');
    const cookiesOf = (client) => [...client.cookies].map(([name, { value }]) => `${name}=${value}`).join('; ');
    const other = new Client(at('acme'));
    const code = await ops.acme.authorize(other, await other.page('/members/'), 'alice');
    for (const id of ['sso-globex', 'sso']) {
      const url = code.replace('//acme.', '//globex.').replace('sso-acme', id);
      t.like((await there('globex', url, cookiesOf(other))).location || '', /error=/, `a code does not, with all cookies, at the callback of ${id}`);
    }
    const before = asked();
    t.like((await users.globex.signIn('sso-acme')).location || '', /error=|signin/, 'a sign-in at the provider of another tenant does not begin');
    t.is((await there('globex', code.replace('//acme.', '//globex.'), cookiesOf(other))).status >= 300, true, '  nor end');
    t.is(asked(), before, '  and no issuer is asked');

    t.section('the provider of all tenants');
    const linked = await new Client(at('globex')).signIn('sso');
    t.is(new URL(linked.location).origin, ops.globex.issuer, 'its ID means that of the host: one link is right at all hosts');

    t.section('an issuer ends sessions of its own tenant');
    await ops.acme.endSession(users.acme);
    const [token] = ops.acme.logoutTokens;
    const tell = async (tenant, id) => (await new Client(at(tenant)).post(`/api/auth/backchannel-logout/${id}`, { logout_token: token })).status;
    const alive = async () => [(await users.acme.get('/members/')).status, (await users.globex.get('/members/')).status];
    t.is([await tell('globex', 'sso-globex'), await tell('globex', 'sso'), await tell('globex', 'sso-acme')].map((status) => status >= 400), [true, true, true], 'its logout token is refused at the host of another');
    t.is(await alive(), [200, 200], '  and no session ends');
    t.is(await tell('acme', 'sso-acme'), 200, 'at its own host it is accepted');
    t.is(await alive(), [401, 200], '  and ends the session there');

    t.section('tenants that are not listed');
    const then = asked();
    for (const [host, path] of ['initech', 'sso', '127', 'acme-globex'].flatMap((name) => ['/members/', '/api/auth/signin', '/api/auth/signin/sso', '/api/auth/callback/sso-acme?code=1&state=1'].map((p) => [name, p])))
      t.is((await new Client(at(host)).page(path)).status, 421, `${path} of ${host} is refused`);
    t.is(asked(), then, 'and no issuer is asked');
    t.like(s.log(), /refused host 'initech\.localhost': NextAuthURL does not list it, or no provider is for its tenant/, 'the log has the reason');
  } else t.skip('two tenants', 'sqlite3 is not here');
});
