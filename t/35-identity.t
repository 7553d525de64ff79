#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { ctlFile, htpasswd, root } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');

// The identity headers that the application was given, in whatever spelling.
const identity = (answer) => Object.fromEntries(Object.entries(answer.json.user)
  .filter(([name]) => /nextauth/i.test(name)));

const cgi = { text: '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; env\n', mode: 0o755 };

suite('Applications are told who asks, and nobody else can tell them', async (t) => {
  const app = await startApp(t, (request) => request.headers);
  const place = (name, ...lines) => `<Location /${name}/>\nAuthType NextAuth\nRequire valid-user\n${lines.join('\n')}\nProxyPass http://127.0.0.1:${app.port}/\n</Location>`;
  const site = await t.httpd({
    files: { users: htpasswd({ ada: 'x', 'bob@example.org': 'x' }), 'cgi/env': cgi,
      'htdocs/ssi/include.html': '<!--#include virtual="/none/included" -->', 'htdocs/ssi/index.html': '[<!--#echo var="REMOTE_USER" -->|<!--#echo var="NEXTAUTH_EMAIL" -->]' },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole admin "true"
NextAuthRole staff "true"
NextAuthClaim shoe.size "42"
${place('app')}
${place('env', 'NextAuthPassIdentity env')}
${place('none', 'NextAuthPassIdentity none')}
${place('sub', 'NextAuthRemoteUser sub')}
${place('local', 'NextAuthRemoteUser email ^([^@]+)@example\\.org$')}
${place('form', 'NextAuthRemoteUser email ^([^@]+)@(.+)$ $2/$1')}
${place('size', 'NextAuthRemoteUser shoe.size')}
${place('missing', 'NextAuthRemoteUser department')}
${place('pass', 'NextAuthUnauthenticated pass')}
<Location /open/>
  ProxyPass http://127.0.0.1:${app.port}/
  RequestHeader set X-Mail "expr=%{NEXTAUTH:email}"
</Location>
<Location /moved/>
  AuthType NextAuth
  Require valid-user
  ErrorDocument 404 /none/moved
</Location>
${fs.readFileSync(path.join(root, 'docs/migrating.md'), 'utf8').match(/<Location \/app\/>[^]*?<\/Location>/)[0].replace('/app/', '/next/').replace(/127[^/]*\//, `127.0.0.1:${app.port}/`)}
ScriptAlias /cgi/ @DIR@/cgi/
<Location /cgi/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /ssi/>
  AuthType NextAuth
  Require valid-user
  Options +Includes
  SetOutputFilter INCLUDES
</Location>`,
  });
  const bob = t.client(site);
  await bob.credentials('bob@example.org', 'x');
  const whole = { 'x-nextauth-user': 'bob@example.org', 'x-nextauth-email': 'bob@example.org', 'x-nextauth-name': 'bob@example.org',
    'x-nextauth-roles': 'admin,staff', 'x-nextauth-provider': 'credentials', 'x-nextauth-claim-shoe-size': '42' };

  t.section('what is handed on');
  t.is(identity(await bob.get('/app/')), whole, 'headers to a proxied application');
  t.is(identity(await bob.get('/env/')), {}, 'env: none of them');
  t.is(identity(await bob.get('/none/')), {}, 'none: none of them');
  const moved = await bob.get('/moved/');
  t.is([moved.json.url, identity(moved)], ['/moved', {}], '  not even after a redirect from where they were handed on');
  const included = await bob.get('/ssi/include.html');
  t.is([JSON.parse(included.text).url, identity({ json: JSON.parse(included.text) })], ['/included', {}], '  nor as a part of a page that was given them');
  const env = (await bob.get('/cgi/env')).text;
  for (const line of ['REMOTE_USER=bob@example.org', 'AUTH_TYPE=NextAuth', 'NEXTAUTH_USER=bob@example.org', 'NEXTAUTH_EMAIL=bob@example.org', 'NEXTAUTH_ROLES=admin,staff', 'NEXTAUTH_PROVIDER=credentials', 'NEXTAUTH_CLAIM_SHOE_SIZE=42', 'HTTP_X_NEXTAUTH_USER=bob@example.org']) {
    t.ok(env.includes(`\n${line}\n`), `a CGI program has ${line}`, env);
  }
  t.is((await bob.get('/ssi/')).text, '[bob@example.org|bob@example.org]', 'through DirectoryIndex and to includes');
  t.is((await bob.get('/open/')).json.user['x-mail'], 'bob@example.org', 'any expression may ask, on public paths as well');
  t.is((await t.client(site).get('/open/')).json.user['x-mail'], '', 'where nobody is signed in it is empty');

  t.section('the site\'s URL, for an application that trusts X-Forwarded-Host');
  const forwarded = Object.entries((await bob.get('/next/', { headers: { 'x-forwarded-proto': 'ftp', 'x-forwarded-host': 'evil.example.org', 'x-forwarded-for': '192.0.2.1' } })).json.user)
    .filter(([name]) => name.startsWith('x-forwarded')).sort();
  t.is(forwarded, [['x-forwarded-for', '127.0.0.1'], ['x-forwarded-host', 'www.example.org'], ['x-forwarded-proto', 'https']], 'what docs/migrating.md says sets it, whatever a visitor sends');

  t.section('REMOTE_USER');
  const ada = t.client(site);
  await ada.credentials('ada', 'x');
  for (const [path, client, user] of [['/app/', bob, 'bob@example.org'], ['/app/', ada, 'ada'], ['/sub/', bob, 'bob@example.org'], ['/size/', bob, '42']]) {
    t.is((await client.get(`${path}${user}`)).status, 200, `${path} for ${user}`);
    t.ok(await site.logged(`GET ${path}${user} 200 ${user}\n`), '  is in the access log', site.access());
  }
  for (const [path, user] of [['/local/', 'bob'], ['/form/', 'example.org/bob']]) {
    t.is((await bob.get(`${path}x`)).status, 200, `by a pattern, ${path}`);
    t.ok(await site.logged(`GET ${path}x 200 ${user}\n`), `  it is ${user}`, site.access());
  }
  t.is([(await ada.get('/local/')).status, (await ada.get('/form/')).status], [403, 403], 'who has no claim that matches does not get in');
  t.like(site.log(), /one value that matches the pattern/, 'and the log says so');
  t.is((await bob.get('/missing/')).status, 403, 'a claim asked for by name has no stand-in');
  t.like(site.log(), /cannot use claim 'department' of the session/, 'and the log says so');

  t.section('what comes from outside is taken away');
  const spellings = ['X-NextAuth-User', 'x-nextauth-user', 'X_NextAuth_User', 'X-NextAuth_User', 'X.NextAuth.User', 'X-NextAuth-Roles', 'x~nextauth~email',
    'X-NEXTAUTH-ANYTHING', "X!NextAuth'User"];
  for (const path of ['/open/', '/none/', '/app/', '/pass/']) {
    for (const spelling of spellings) {
      const client = path === '/open/' || path === '/pass/' ? t.client(site) : bob;
      const got = identity(await client.get(path, { headers: { [spelling]: 'root' } }));
      t.is(got, path === '/app/' ? whole : {}, `${spelling} on ${path}`);
    }
  }
  const twice = await t.raw(site.port, 'GET /open/ HTTP/1.1\r\nHost: localhost\r\nX-NextAuth-User: a\r\nX-NextAuth-User: b\r\nx_nextauth_user: c\r\nX-NextAuth-Email: d\r\nAccept: */*\r\nConnection: close\r\n\r\n');
  t.unlike(twice, /nextauth/i, 'several of them');
  const trailer = await t.raw(site.port, 'POST /open/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-NextAuth-User\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\nX-NextAuth-User: root\r\n\r\n');
  t.unlike(trailer, /x-nextauth-user"?:/i, 'and in a trailer');
  t.is(identity(await bob.get('/app/', { headers: { connection: 'X-NextAuth-User, X-NextAuth-Roles, close' } })), whole,
    'nor can Connection make the proxy drop ours');

  t.section('a name with odd characters');
  const odd = t.client(site);
  await odd.get('/api/auth/csrf');
  const { execFileSync } = require('node:child_process');
  fs.writeFileSync(`${site.dir}/secret`, '0123456789abcdef0123456789abcdef', { mode: 0o600 });
  const token = execFileSync(ctlFile, ['token', 'encode', '--secret-file', `${site.dir}/secret`,
    JSON.stringify({ sub: '7', name: 'Zoë\r\nX-NextAuth-Roles: root', email: 'z@example.org' })], { encoding: 'utf8' }).trim();
  odd.cookies.set('next-auth.session-token', { value: token, path: '/' });
  const headers = identity(await odd.get('/app/'));
  t.is([Buffer.from(headers['x-nextauth-name'], 'latin1').toString(), headers['x-nextauth-roles']], ['Zoë  X-NextAuth-Roles: root', undefined], 'makes no header line of its own');
});
