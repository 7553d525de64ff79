#!/usr/bin/env node
'use strict';
// One provider for many tenants (tenants=): the host of a request chooses the issuer, from a list
// alone, and nothing of one tenant counts at another.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { check, freePort } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { Client, request } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');
const { API, forge } = require('./lib/api.js');
const { makeKey } = require('./lib/rogue.js');

const SESSION = 'next-auth.session-token';
const secretOf = (tenant) => `the secret between the site and the issuer of ${tenant}`;

// The issuer of a tenant. Both know a user with the ID alice, who are two people.
async function startIssuer(t, [port, ofPaths], tenant) {
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
      redirect_uris: [`http://${tenant}.localhost:${port}/api/auth/callback/sso-${tenant}`, `http://localhost:${ofPaths}/api/auth/callback/sso-${tenant}`],
      backchannel_logout_uri: `http://localhost:${relay.address().port}/` }],
    settings: { findAccount: (ctx, sub) => ({ accountId: sub,
      claims: () => ({ sub, name: `Alice of ${tenant}`, email: `alice@${tenant}.example`, email_verified: true }) }) },
  });
  return { ...op, logoutTokens, key: makeKey(tenant) };
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
<Location /metrics>
  SetHandler nextauth-metrics
</Location>
<Location /api/v1/>
  AuthType NextAuth
  NextAuthAcceptTokens only oauth:sso
  Require valid-user
</Location>
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
    const ports = [await freePort(), await freePort()];
    const [port] = ports;
    const ops = { acme: await startIssuer(t, ports, 'acme'), globex: await startIssuer(t, ports, 'globex') };
    const db = await sqlite(t);
    await nextauthctl(db, ['migrate']);
    const files = Object.fromEntries(Object.entries(ops).flatMap(([tenant, op]) => [[`${tenant}.issuer`, op.issuer], [`${tenant}.secret`, secretOf(tenant)], [`${tenant}.jwks`, JSON.stringify({ keys: [op.key.jwk] })]].map(([name, text]) => [name, { text, mode: 0o600 }])));
    const s = await t.httpd({ port, files, config: config(`NextAuthDatabase ${db.url}\nNextAuthTokenIssuer sso "audience=${API} http://{tenant}.localhost:@PORT@/api" resourceMetadata=On jwks=file:@DIR@/{tenant}.jwks`) });
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

    const metrics = (await new Client({ url: `http://127.0.0.1:${port}` }).get('/metrics')).text;
    t.is(metrics.match(/^nextauth_signins_total\{.*\} [1-9]\d*$/gm), ['nextauth_signins_total{provider="sso"} 2'], 'metrics count the tenants together');

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

    t.section('access tokens');
    const tokenOf = (tenant, key = ops[tenant].key) => forge(key, { iss: ops[tenant].issuer, aud: API });
    const show = async (tenant, bearer) => (await request(`${at(tenant).url}/api/v1/`, { headers: { authorization: `Bearer ${bearer}` } })).status;
    for (const [tenant, other] of [['acme', 'globex'], ['globex', 'acme']]) {
      const bearer = await tokenOf(tenant);
      t.is([await show(tenant, bearer), await show(other, bearer), await show(tenant, bearer)], [404, 401, 404], `a token of the issuer of ${tenant} counts there alone, known to the process or not`);
    }
    t.is(await show('acme', await tokenOf('acme', ops.globex.key)), 401, 'the keys of one issuer sign no token of another');
    for (const tenant of ['acme', 'globex']) {
      const known = `${at(tenant).url}/.well-known/oauth-protected-resource/api`;
      t.like((await request(`${at(tenant).url}/api/v1/`)).headers['www-authenticate'], new RegExp(`Bearer [^,]*, resource_metadata="${known}"`), `a client without one learns where the API of ${tenant} is described`);
      t.is((await request(known)).json.authorization_servers, [ops[tenant].issuer], '  which names its issuer alone');
    }

    t.section('the tenant in the path');
    const paths = await t.httpd({ port: ports[1], files, config: config(`NextAuthDatabase ${db.url}
<LocationMatch "^/(?<TENANT>acme|globex)/">
  AuthType NextAuth
  NextAuthSignInWith "sso-%{env:MATCH_TENANT}"
</LocationMatch>
<Location /globex/>
  Require nextauth-provider sso-globex
</Location>`, sso, 'http://localhost:@PORT@').replace('NextAuthSignInWith sso\n', '') });
    const visitor = new Client(paths);
    const led = await visitor.page('/acme/');
    t.is([new URL(led.location).origin, new URL(led.location).searchParams.get('redirect_uri')], [ops.acme.issuer, `${paths.url}/api/auth/callback/sso-acme`], 'a page of acme leads to its issuer');
    t.is((await ops.acme.login(visitor, led, 'alice')).location, `${paths.url}/acme/`, '  and back');
    t.is([(await visitor.get('/acme/')).status, (await visitor.get('/globex/')).status], [404, 403], '  with a session that opens no page of globex');
    t.is(new URL((await new Client(paths).page('/globex/')).location).origin, ops.globex.issuer, 'as one of globex leads to another issuer');
    t.is(new URL((await new Client(paths).signIn('sso')).location).origin, paths.url, 'the ID of all tenants means no one of them');
    t.is((await db.sql('SELECT * FROM users')).length, 2, 'the user is that of the host of acme');

    t.section('tenants that are not listed');
    const then = asked();
    for (const [host, path] of ['initech', 'sso', '127', 'acme-globex'].flatMap((name) => ['/members/', '/api/auth/signin', '/api/auth/signin/sso', '/api/auth/callback/sso-acme?code=1&state=1'].map((p) => [name, p])))
      t.is((await new Client(at(host)).page(path)).status, 421, `${path} of ${host} is refused`);
    t.is(asked(), then, 'and no issuer is asked');
    t.like(s.log(), /refused host 'initech\.localhost': NextAuthURL does not list it, or no provider is for its tenant/, 'the log has the reason');
  } else t.skip('two tenants', 'sqlite3 is not here');

  t.section('what is refused at the start');
  const issuer = 'issuer=https://id.example.org/realms/{tenant}';
  const provider = (options, id = 'sso') => `NextAuthProvider ${id} type=oidc clientId=site clientSecret=secret ${options}`;
  for (const [what, lines, says] of [
    ['a name with upper case', provider(`tenants=Acme ${issuer}`), /invalid tenants=: invalid name 'Acme': use lower-case letters, digits, and hyphens/],
    ['a name that is a path', provider(`tenants=../etc ${issuer}`), /invalid name '\.\.\/etc'/],
    ['a name that is listed twice', provider(`"tenants=a b a" ${issuer}`), /invalid tenants=: duplicate 'a': remove one of them/],
    ['no name', provider(`"tenants= " ${issuer}`), /tenants= has 0 names: 1 to 1000 are possible/],
    ['one issuer of two tenants', provider('"tenants=a b" issuer=https://id.example.org'), /tenants 'a' and 'b' have the same issuer and client ID: put \{tenant\} into issuer=/],
    ['a mistake in the options of one', provider('"tenants=a b" issuer=file:@DIR@/{tenant}.none'), /tenant 'a': could not read '\S+\/a\.none'/],
    ['an ID that is too long', provider(`tenants=${'a'.repeat(62)} ${issuer}`), /has more than 64 characters: use a shorter ID of the provider/],
    ['an ID that another provider has', `${provider('issuer=https://id.example.org', 'sso-a')}\n${provider(`tenants=a ${issuer}`)}`, /duplicate provider 'sso-a'/],
    ['an ID that means all tenants of another', `${provider(`tenants=x ${issuer}`, 'sso-a')}\n${provider(`tenants=a ${issuer}`)}`, /duplicate provider 'sso-a'/],
    ['a template with the ID of a tenant of another', `${provider(`tenants=a ${issuer}`)}\n${provider(`tenants=x ${issuer}`, 'sso-a')}`, /duplicate provider 'sso-a'/],
    ['a tenant in the ID', provider(`tenants=a ${issuer}`, 'sso-{tenant}'), /tenant 'a': .*'sso-\{tenant\}'/],
    ['one issuer whose documents are at several URLs', provider('"tenants=a b" issuer=https://id.example.org wellKnown=https://id.example.org/{tenant}'), /tenants 'a' and 'b' have the same issuer and client ID/],
    ['the same template again', `${provider(`tenants=a ${issuer}`)}\n${provider(`tenants=b ${issuer}`)}`, /duplicate provider 'sso'/],
    ['accounts that email addresses link', provider(`tenants=a ${issuer} allowDangerousEmailAccountLinking=true`), /who manages the issuer of one tenant could sign in as the users of others: remove allowDangerousEmailAccountLinking=/],
    ['passwords', 'NextAuthProvider credentials tenants=a backend=file:@DIR@/x', /tenants= requires a provider of type oidc or oauth/],
    ['one session for all hosts', `NextAuthSite all\n${provider(`tenants=a ${issuer}`)}`, /NextAuthSite makes one site of all hosts: the session of one tenant would be valid at the hosts of the others/],
    ['one audience of one token issuer', `${provider('"tenants=a b" issuer=https://id.example.org clientId=site-{tenant}')}\nNextAuthTokenIssuer sso audience=${API}`, /tenants 'a' and 'b' have the same issuer and audience/]]) {
    const wrong = await t.configtest({ config: config('', lines) });
    t.is(wrong.status === 0, false, `${what} is refused`);
    t.like(wrong.output, says, '  with the reason');
  }

  t.section('what is accepted');
  const withUsers = (lines) => t.configtest({ config: config(`NextAuthDatabase sqlite:@DIR@/users.db\n${lines}`, provider(`tenants=a ${issuer}`)) });
  const [shared, rule] = ['NextAuthProvider acme type=oidc issuer=https://all.example.org clientId=x clientSecret=y', `NextAuthSignInRule deny "%{ACCOUNT:provider} == 'sso-a' && %{USER:email} !~ /@a\\.example$/"`];
  t.like((await withUsers(shared)).output, /who manages the issuer of a tenant of 'sso' can create the user of any email address, which its owner then enters with 'acme': let each issuer vouch for its own domain/, 'another provider for all hosts, with a warning about their users');
  for (const lines of ['', `${shared}\n${rule}`]) t.unlike((await withUsers(lines)).output, /who manages/, '  which those of tenants alone do not get, nor those with rules');
  const audiences = await t.configtest({ config: config(`NextAuthTokenIssuer sso audience=https://{tenant}.example.org/`, 'NextAuthProvider sso type=oidc clientSecret=secret "tenants=a b" issuer=https://id.example.org clientId=site-{tenant}') });
  t.is([audiences.status, audiences.output.trim()], [0, 'Syntax OK'], 'one issuer with two clients and two audiences');
  const virtual = await check(t, { config: `${config('', provider(`"tenants=a b" ${issuer}`))}
<VirtualHost *:1>
NextAuthURL http://*.example.org
${provider(`tenants=c ${issuer} logout=true`)}
</VirtualHost>` }, ['--json']);
  const rows = virtual.told.findings.filter(({ group }) => group === 'providers').map(({ site, subject, message }) => [new URL(site.replace('*', 'x')).hostname, subject, message]);
  const of = (host, id, message) => rows.some((row) => row[0] === host && row[1] === id && message.test(row[2]));
  t.ok(of('x.localhost', 'sso-a', /^register http:\/\/a\.localhost:\d+\/api\/auth\/callback\/sso-a$/), 'nextauthctl check has the callback URL of each tenant', JSON.stringify(rows, null, 1));
  t.ok(of('x.example.org', 'sso-c', /register http:\/\/c\.example\.org\/api\/auth\/backchannel-logout\/sso-c/), '  and the URL that ends its sessions');
  t.is(rows.filter(([host, id]) => host === 'x.example.org' && /sso-[ab]/.test(id)), [], 'a virtual host\'s tenants replace those of the main server');
});
