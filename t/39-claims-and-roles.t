#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { startApp } = require('./lib/app.js');
const { startRogue } = require('./lib/rogue.js');

suite('A list of a profile is a list to whoever asks', async (t) => {
  t.withOneMpm();
  const app = await startApp(t);
  const rogue = await startRogue(t);
  const place = (name, require) => `<Location /${name}/>\nAuthType NextAuth\nRequire ${require}\nProxyPass http://127.0.0.1:${app.port}/\n</Location>`;
  const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider p type=oidc issuer=${rogue.issuer('p')} clientId=c clientSecret=s
NextAuthSessionClaim sub roles groups level`;
  const site = await t.httpd({
    config: `${common}
NextAuthClaim groups "%{PROFILE:groups}"
NextAuthClaim level "%{PROFILE:resource_access.my\\.app.level}"
NextAuthClaim x.y "1"
NextAuthClaim whole "[%{PROFILE:groups}]"
NextAuthClaim token "%{ACCOUNT:access_token}"
NextAuthRole %{PROFILE:resource_access.my\\.app.roles} "%{USER:id} == 'mallory'"
NextAuthRole %{PROFILE:nowhere} "true"
NextAuthRole %{PROFILE:groups} "false"
NextAuthRole fixed "'editor' in PROFILE('resource_access.my\\.app.roles') && %{PROFILE:resource_access.my\\.app.level} == '3'"
${place('app', 'valid-user')}
${place('staff', 'nextauth-claim groups:staff')}
${place('a', 'nextauth-claim groups:a')}
${place('both', 'nextauth-claim groups:a,b')}
${place('editor', 'nextauth-role editor')}
${place('expr', 'expr "\'staff\' in NEXTAUTH(\'groups\') && !(\'a\' in NEXTAUTH(\'groups\'))"')}
${place('dotted', 'nextauth-claim x\\.y:1')}
${place('dotted-expr', 'expr "%{NEXTAUTH:x\\.y} == \'1\'"')}`,
  });
  const signIn = async (claims, where = site) => {
    rogue.faults.p = { claims };
    const c = t.client(where);
    const away = await c.page((await c.signIn('p')).location);
    c.answer = await c.page(away.location);
    return c;
  };
  const access = { 'my.app': { roles: ['editor', 'admin', 'editor', { not: 'a role' }, ''], level: 3 }, my: { app: { roles: ['wrong'] } } };
  const c = await signIn({ groups: ['a,b', 'staff', '', null], resource_access: access });
  t.is(c.answer.location, site.url, 'a user with groups signs in');
  t.is((await c.session()).user, { name: 'Mallory', email: 'mallory@example.org', id: 'mallory', groups: ['a,b', 'staff', ''], level: '3', roles: ['editor', 'admin', 'fixed'] }, 'a list of the profile is a list in the session, and each element of one can be a role');
  for (const [path, status] of [['/staff/', 200], ['/both/', 200], ['/a/', 403], ['/editor/', 200], ['/expr/', 200], ['/dotted/', 200], ['/dotted-expr/', 200]]) t.is((await c.get(path)).status, status, `Require asks of each element: ${path}`);
  const { user } = (await c.get('/app/')).json;
  t.is(['groups', 'level', 'whole'].map((name) => user[`x-nextauth-claim-${name}`]), ['a%2Cb,staff,', '3', '[a%2Cb,staff,]'], 'as one text, its elements can be told apart');
  t.ok(rogue.secrets.includes(user['x-nextauth-claim-token']), 'a token is kept where the administrator says so');
  t.is((await (await signIn({ groups: 'a,b' })).session()).user.groups, 'a,b', 'a text is a text');
  t.is((await (await signIn({ groups: [] })).session()).user.groups, [], 'an empty list is one');
  t.is((await (await signIn({})).session()).user.groups, undefined, 'what is not there is not');

  t.section('a list that is too long');
  const many = await signIn({ groups: Array.from({ length: 1100 }, (_, i) => `g${i}`) });
  t.is([many.answer.location, await many.session()], [`${site.url}/api/auth/error?error=Configuration`, {}], 'nobody signs in with a part of it');
  t.like(site.log(), /could not create a session for 'mallory': the session has more than 1024 claim values: use NextAuthClaim to keep less/, 'and the log says why');

  t.section('configtest');
  const { status, output } = await t.configtest({ config: `${common}\nNextAuthClaim token "Bearer %{ACCOUNT:access_token}"` });
  t.is(status, 0, 'a token in a claim is allowed');
  t.like(output, /NextAuthClaim on line \d+ of .*stores the provider's access_token in the session: the cookie becomes large/, 'with a warning');
});
