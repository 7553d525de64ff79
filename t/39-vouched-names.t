#!/usr/bin/env node
'use strict';
// Which address counts, and which name a user goes by: OpenID Connect Core 1.0 section 5.1 and 5.7.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { startRogue } = require('./lib/rogue.js');
const { startHomemade } = require('./lib/emulators.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { seal } = require('./lib/token.js');

const SECRET = '0123456789abcdef0123456789abcdef';
const NAME = 'next-auth.session-token';
const config = (op, home, app, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}
NextAuthProvider op type=oidc issuer=${op.issuer('op')} clientId=c clientSecret=s
NextAuthProvider upn type=oidc issuer=${op.issuer('op')} clientId=c clientSecret=s profile.email=upn
NextAuthProvider lax type=oidc issuer=${op.issuer('op')} clientId=c clientSecret=s allowUnverifiedEmail=true
${['never', 'claim', 'always'].map((word) => `NextAuthProvider ${word} type=oauth clientId=c clientSecret=s authorization=${home.url}/authorize token=${home.url}/token userinfo=${home.url}/api/me emailVerified=${word}`).join('\n')}
NextAuthProvider own type=oauth clientId=c clientSecret=s authorization=${home.url}/authorize token=${home.url}/token userinfo=${home.url}/api/me
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionClaim sub
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require user admin@example.org
</Location>
<Location /staff/>
  AuthType NextAuth
  <RequireAll>
    Require valid-user
    Require expr "%{REMOTE_USER} =~ /@example\\.org$/"
  </RequireAll>
</Location>
<Location /ada/>
  AuthType NextAuth
  Require user ada
</Location>
<Location /sub/>
  AuthType NextAuth
  NextAuthRemoteUser sub
  Require user ada
</Location>
<Location /app/>
  AuthType NextAuth
  Require valid-user
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`;
const files = { users: htpasswd({ ada: 'x', 'bob@example.org': 'x' }),
  ...Object.fromEntries(['admin', 'staff', 'ada', 'sub'].map((name) => [`htdocs/${name}/index.html`, `${name}\n`])) };

suite('Addresses that somebody vouches for, and names that are nobody else\'s', async (t) => {
  t.withOneMpm();
  const [op, home, app] = [await startRogue(t), await startHomemade(t), await startApp(t)];
  const site = await t.httpd({ files, config: config(op, home, app) });

  // Whoever signs in has these claims, in the ID token or at userinfo.
  const signIn = async (id, claims, at = site) => {
    const c = t.client(at);
    op.faults.op = { claims: (honest) => ({ ...honest, email_verified: undefined, ...claims }) };
    home.user = claims;
    const away = await c.page((await c.signIn(id)).location);
    c.answer = await c.page(away.location);
    c.user = ((await c.session()) || {}).user || {};
    return c;
  };
  const statusOf = async (c, ...paths) => Promise.all(paths.map(async (path) => (await c.get(`/${path}/`)).status));

  t.section('an OpenID provider says that it verified an address');
  for (const said of [true, 'true']) t.is((await signIn('op', { email_verified: said })).user.email, 'mallory@example.org', `email_verified ${JSON.stringify(said)}: it counts`);
  for (const said of [undefined, null, false, 'false', 'False', 'no', 'TRUE', 'yes', '1', 1, 0, {}, [true]]) {
    t.is((await signIn('op', { email_verified: said })).user.email, undefined, `email_verified ${JSON.stringify(said)}: it does not`);
  }
  t.is((await signIn('upn', { email_verified: true, upn: 'root@example.org' })).user.email, undefined, 'nor does another claim that is mapped to the address');
  t.is((await signIn('lax', {})).user.email, 'mallory@example.org', 'unless the operator takes all of them');

  t.section('the address is in one document, and what is said of it in another');
  op.faults.op = { claims: (honest) => ({ ...honest, email: undefined, email_verified: true }), userinfo: { sub: 'mallory', email: 'victim@example.org', email_verified: undefined } };
  const apart = t.client(site);
  await apart.page((await apart.page((await apart.signIn('op')).location)).location);
  t.is([(await apart.session()).user.id, (await apart.session()).user.email], ['mallory', undefined], 'that of the other counts for nothing');

  t.section('an OAuth 2.0 provider of one\'s own');
  const me = { id: 'h1', name: 'Hedy', email: 'hedy@example.org' };
  for (const [id, claims, expected, what] of [['own', {}, undefined, 'vouches for nothing'], ['own', { email_verified: true }, undefined, 'whatever it says'],
    ['never', { email_verified: true }, undefined, 'the same in words'], ['claim', {}, undefined, 'emailVerified=claim: not by saying nothing'],
    ['claim', { email_verified: true }, me.email, 'but of each address'], ['always', {}, me.email, 'emailVerified=always: always']]) {
    t.is((await signIn(id, { ...me, ...claims })).user.email, expected, what);
  }

  t.section('an id that looks like an address');
  const forged = await signIn('op', { sub: 'admin@example.org', email: 'admin@example.org', email_verified: false });
  t.is([forged.user.id, forged.user.email], ['admin@example.org', undefined], 'somebody signs in with one, and the address is left out');
  t.is(await statusOf(forged, 'members', 'admin', 'staff'), [200, 403, 403], 'Require user and patterns take it for no address');
  t.ok(await site.logged('GET /members/index.html 200 op:admin%40example.org\n'), 'REMOTE_USER is the provider and the id');
  t.is((await forged.get('/app/')).json.user, { 'x-nextauth-user': 'op:admin%40example.org', 'x-nextauth-name': 'Mallory', 'x-nextauth-provider': 'op' }, 'and so is what applications are told');
  const real = await signIn('op', { sub: 'a1', email: 'admin@example.org', email_verified: true });
  t.is(await statusOf(real, 'members', 'admin', 'staff'), [200, 200, 200], 'whose address it is gets in');
  t.is((await real.get('/app/')).json.user['x-nextauth-user'], 'a1', 'an id that is plain stays what it is for applications');
  const theirs = t.client(site);
  theirs.cookies.set(NAME, { path: '/', value: seal(SECRET, { sub: 'admin@example.org', iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 600 }) });
  t.is(await statusOf(theirs, 'members', 'admin'), [200, 403], 'the same of a token of NextAuth\'s own, without an address');

  t.section('an id that is the name of somebody with a password');
  const ada = t.client(site);
  await ada.credentials('ada', 'x');
  t.is(await statusOf(ada, 'ada', 'sub'), [200, 200], 'who has the password is that user');
  const namesake = await signIn('op', { sub: 'ada' });
  t.is(await statusOf(namesake, 'members', 'ada'), [200, 403], 'a provider\'s user of that id is another');
  t.ok(await site.logged('GET /members/index.html 200 op:ada\n'), 'by another name');
  t.is(await statusOf(namesake, 'sub'), [200], 'unless NextAuthRemoteUser sub says that ids are names');
  const bob = t.client(site);
  await bob.credentials('bob@example.org', 'x');
  t.is(await statusOf(bob, 'staff'), [200], 'a password\'s name that is an address is one');

  t.section('one form of an address');
  t.is((await signIn('op', { email: 'Admin@EXAMPLE.org', email_verified: true })).user.email, 'admin@example.org', 'lower case');
  for (const email of ['admin@example.org ', ' admin@example.org', 'admin @example.org', 'admin@example.org\t', 'admin@example.org\n', 'root@x@example.org', '@example.org', 'admin@',
    '"admin"@example.org', 'admin@example.org,evil.org', '<admin@example.org>', 'op:admin@example.org', 'admin']) {
    t.is((await signIn('op', { email, email_verified: true })).user.email, undefined, `${JSON.stringify(email)} is left out`);
  }
  t.like(site.log(), /the profile's email address is ignored: it is not of the form local@domain/, 'and the log says so');
  for (const sub of ['ada ', ' ada', 'a\tda', 'ada\n']) {
    const c = await signIn('op', { sub });
    t.is([c.cookie(NAME), /error=(\w+)/.exec(c.answer.location)?.[1]], [undefined, 'OAuthCallback'], `an id ${JSON.stringify(sub)} is refused`);
  }
  const blank = t.client(site);
  await blank.credentials('ada ', 'x');
  t.is(blank.cookie(NAME), undefined, 'and so is a typed name with a blank at its end');

  if (!databasesHere().sqlite) return t.skip('with a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  t.section('with a database: whoever claimed an address first does not share the account of whose it is');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  const shared = await t.httpd({ files, config: config(op, home, app, `NextAuthDatabase ${db.url}`) });
  const squatter = await signIn('op', { sub: 'squatter', email: 'victim@example.org' }, shared);
  const victim = await signIn('always', { id: 'v1', email: 'victim@example.org' }, shared);
  t.is([squatter.user.email, victim.user.email, victim.user.id === squatter.user.id], [null, 'victim@example.org', false], 'two users, one with the address');
  t.is(await statusOf(squatter, 'members'), [200], 'the other one can sign in all the same');
  return t.ok(await shared.logged(`GET /members/index.html 200 :${squatter.user.id}\n`), 'named by the id in the database, which is no other name');
});
