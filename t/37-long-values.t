#!/usr/bin/env node
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { ctlFile, htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');

const secret = '0123456789abcdef0123456789abcdef';
const many = (count, name = 'g') => Array.from({ length: count }, (_, i) => `${name}${i}`);

suite('No value is ever cut: the whole is handed on and looked at, or the request is refused', async (t) => {
  const app = await startApp(t);
  const place = (name, ...lines) => `<Location /${name}/>\nAuthType NextAuth\n${lines.join('\n')}\nProxyPass http://127.0.0.1:${app.port}/\n</Location>`;
  const all = (...lines) => ['<RequireAll>', 'Require valid-user', ...lines, '</RequireAll>', 'NextAuthPassIdentity none'];
  const site = await t.httpd({
    files: { users: htpasswd({ ada: 'x' }), secret: { text: secret, mode: 0o600 } },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${secret}
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthClaim groups "x"
LimitRequestFieldSize 65536
LimitRequestLine 65536
${place('app', 'Require valid-user')}
${place('env', 'Require valid-user', 'NextAuthPassIdentity env')}
${place('none', 'Require valid-user', 'NextAuthPassIdentity none')}
${place('user', 'Require valid-user', 'NextAuthRemoteUser groups')}
${place('not-expr', ...all('Require not expr "%{NEXTAUTH:groups} =~ /(^|,)banned(,|$)/"'))}
${place('not-in', ...all('Require not expr "\'banned\' in NEXTAUTH(\'groups\')"'))}
${place('not-claim', ...all('Require not nextauth-claim groups:banned'))}
<Location /alone/>
  <RequireAll>
    Require expr "%{NEXTAUTH:sub} =~ /./"
    Require not expr "%{NEXTAUTH:groups} =~ /(^|,)banned(,|$)/"
  </RequireAll>
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`,
  });
  const holder = (claims) => {
    const token = execFileSync(ctlFile, ['token', 'encode', '--secret-file', `${site.dir}/secret`, '--', JSON.stringify({ sub: '7', email: 'z@example.org', ...claims })], { encoding: 'utf8' }).trim();
    const client = t.client(site);
    client.cookies.set('next-auth.session-token', { value: token, path: '/' });
    return client;
  };
  const header = async (client) => (await client.get('/app/')).json?.user?.['x-nextauth-claim-groups'];
  const refused = async (client, path, why, name) => {
    const said = () => site.log().split('\n').filter((line) => why.test(line)).length;
    const before = said();
    t.is([(await client.get(path)).status, (await client.get(path)).status], [403, 403], name);
    t.is(said(), before + 2, '  and the log says why');
  };

  t.section('one long value');
  const fits = `${'a'.repeat(7980)},admins-readonly`.slice(-8000);
  t.ok(await header(holder({ groups: fits })) === fits, 'as much as fits into a header is handed on whole');
  const long = `${'a'.repeat(7994)},admins-readonly`;
  for (const path of ['/app/', '/env/']) await refused(holder({ groups: long }), path, /X-NextAuth-Claim-groups is longer than 8000 bytes/, `one that does not is refused, ${path}`);
  t.is((await holder({ groups: long }).get('/none/')).status, 200, 'but where nothing is handed on');
  await refused(holder({ roles: many(900, 'a-long-role-') }), '/app/', /X-NextAuth-Roles is longer/, 'so are roles');
  await refused(holder({ email: `${'a'.repeat(8000)}@example.org` }), '/app/', /X-NextAuth-(User|Email) is longer/, 'and an address');
  const named = await holder({ name: 'n'.repeat(3000) }).get('/app/');
  t.is([named.status, Object.keys(named.json.user).sort()], [200, ['x-nextauth-email', 'x-nextauth-user']], 'a long name is left out, and nothing else');
  t.is((await holder({ name: 'n'.repeat(2000) }).get('/app/')).json.user['x-nextauth-name'], 'n'.repeat(2000), '  a shorter one is whole');

  t.section('lists');
  t.is(await header(holder({ groups: ['a', 'b,c', '50%', 'd'] })), 'a,b%2Cc,50%25,d', 'what reads as an element is one');
  t.is(await header(holder({ groups: ['a,b'] })), 'a%2Cb', '  of a list of one, too');
  t.is(await header(holder({ groups: 'a,b' })), 'a,b', '  while a text is as it is');
  t.is((await holder({ groups: ['a'] }).get('/user/')).json.user['x-nextauth-user'], '7', 'a list of one may be REMOTE_USER');
  await refused(holder({ groups: ['a', 'b'] }), '/user/', /cannot use claim 'groups' of the session as REMOTE_USER/, '  one of two may not');

  t.section('rules that deny');
  const text = (last) => `${many(2500).join(',')},${last}`;
  for (const [what, groups] of [['text', (last) => text(last)], ['list', (last) => [...many(1000), last]]]) {
    for (const path of what === 'text' ? ['/not-expr/', '/alone/'] : ['/not-expr/', '/not-in/', '/not-claim/', '/alone/']) {
      t.is((await holder({ groups: groups('staff') }).get(path)).status, 200, `a ${what} with a harmless end passes ${path}`);
      t.is((await holder({ groups: groups('banned') }).get(path)).status, 403, '  one whose end is denied does not');
    }
  }
  for (const path of ['/not-expr/', '/not-in/', '/not-claim/']) {
    t.is((await holder({ groups: [...many(1100), 'banned'] }).get(path)).status, 401, `a list that is too long to be looked at is no session, ${path}`);
  }
  t.is((await holder({ groups: [...many(1100), 'banned'] }).get('/alone/')).status, 403, '  nor elsewhere');
  t.like(site.log(), /session refused: the session has more than 1024 claim values/, '  and the log says why');
  t.is((await holder({ groups: ['a,banned,b'] }).get('/not-expr/')).status, 200, 'a comma in an element makes no other element');
});
