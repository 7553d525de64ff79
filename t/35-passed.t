#!/usr/bin/env node
'use strict';
// NextAuthPassHeader and NextAuthPassEnv: values under names that the application chose.
const fs = require('node:fs');
const { execFileSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { ctlFile, htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');

const SECRET = '0123456789abcdef0123456789abcdef';
const cgi = { text: '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; env\n', mode: 0o755 };

suite('Applications get values under names of their choice, from us alone', async (t) => {
  const app = await startApp(t, (request) => request.headers);
  const place = (name, ...lines) => `<Location /${name}/>\nAuthType NextAuth\nRequire valid-user\nNextAuthPassIdentity none\n${lines.join('\n')}\nProxyPass http://127.0.0.1:${app.port}/\n</Location>`;
  const htaccess = (...lines) => ['AuthType NextAuth', 'Require valid-user', 'NextAuthPassIdentity none', 'Options +ExecCGI', 'SetHandler cgi-script', ...lines, ''].join('\n');
  const site = await t.httpd({
    files: {
      users: htpasswd({ ada: 'x' }), 'cgi/env': cgi, 'htdocs/tenant/env': cgi, 'htdocs/guest/env': cgi,
      'htdocs/tenant/.htaccess': htaccess('NextAuthPassHeader X-Tenant "%{NEXTAUTH:email}"', 'NextAuthPassEnv TENANT_SID "[%{NEXTAUTH:sid}]"', 'SetEnvIf X-Tenant (.+) SEEN=$1'),
      'htdocs/guest/.htaccess': htaccess('NextAuthUnauthenticated pass', 'NextAuthPassHeader X-Tenant "%{NEXTAUTH:email}"', 'NextAuthPassEnv TENANT "%{NEXTAUTH:email}"', 'SetEnvIf X-Tenant (.+) SEEN=$1', 'SetEnvIf X-Other (.+) TENANT=$1'),
      'htdocs/broken/.htaccess': 'NextAuthPassHeader Host "x"\n', 'htdocs/broken/index.html': 'x',
      'htdocs/ssi/index.html': '<!--#include virtual="/open/included" -->',
      'htdocs/moved/index.html': 'x',
    },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}
NextAuthProvider credentials backend=file:@DIR@/users
<Directory @DIR@/htdocs>
  AllowOverride All
</Directory>
<Location />
  NextAuthPassHeader X-Everywhere "%{NEXTAUTH:email}"
</Location>
${place('grafana', 'NextAuthPassHeader X-WEBAUTH-USER "%{NEXTAUTH:email}"', 'NextAuthPassHeader REMOTE_GROUPS "%{NEXTAUTH:roles}" delimiter=;', 'NextAuthPassHeader X-Fixed "yes"')}
${place('inner', 'NextAuthPassHeader X-Name "%{NEXTAUTH:name}"')}
${place('inner/deep', 'NextAuthPassHeader X-Name "deep %{NEXTAUTH:name}"')}
${place('inner/off', 'NextAuthPassHeader X-Name ""')}
${place('old', 'NextAuthPassHeader X-Name "%{NEXTAUTH:name}" encoding=iso-8859-1', 'NextAuthPassHeader X-Coded "%{NEXTAUTH:name}" encoding=base64url', 'NextAuthPassHeader X-Spaced "%{NEXTAUTH:roles}" "delimiter= "', 'NextAuthPassHeader X-Plain "%{NEXTAUTH:name}"')}
${place('raw', 'NextAuthPassHeader X-Raw "%{unescape:%{QUERY_STRING}}"', 'NextAuthPassHeader X-Raw-Coded "%{unescape:%{QUERY_STRING}}" encoding=base64url')}
${place('pass', 'NextAuthUnauthenticated pass', 'NextAuthPassHeader X-WEBAUTH-USER "%{NEXTAUTH:email}"', 'NextAuthPassHeader X-Fixed "yes"')}
<Location /open/>
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
ScriptAlias /cgi/ @DIR@/cgi/
<Location /cgi/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassHeader Remote-User "%{NEXTAUTH:email}"
  NextAuthPassEnv REMOTE_NAME "%{NEXTAUTH:name}" encoding=iso-8859-1
  NextAuthPassEnv REMOTE_GROUPS "%{NEXTAUTH:roles}" delimiter=:
  NextAuthPassEnv EMPTY ""
  SetEnvIf X-Other (.+) EMPTY=$1
</Location>
<Location /ssi/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassHeader X-Part "%{NEXTAUTH:email}"
  Options +Includes
  SetOutputFilter INCLUDES
</Location>
<Location /moved/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassHeader X-Part "%{NEXTAUTH:email}"
  ErrorDocument 404 /open/moved
</Location>`,
  });
  fs.writeFileSync(`${site.dir}/secret`, SECRET, { mode: 0o600 });
  const signedIn = (claims) => {
    const client = t.client(site);
    const token = execFileSync(ctlFile, ['token', 'encode', '--secret-file', `${site.dir}/secret`,
      JSON.stringify({ sub: '7', name: 'Zoë', email: 'zoe@example.org', roles: ['admin', 'a;b', 'c:d e'], ...claims })], { encoding: 'utf8' }).trim();
    client.cookies.set('next-auth.session-token', { value: token, path: '/' });
    return client;
  };
  const zoe = signedIn({});
  // The named headers, as the application has them; it reads bytes as ISO 8859-1.
  const got = ({ json }, ...names) => Object.fromEntries(names.filter((name) => name in json.user).map((name) => [name, json.user[name]]));
  const variables = ({ text }, pattern) => text.split('\n').filter((line) => pattern.test(line)).sort();

  t.section('what is passed on');
  t.is(got(await zoe.get('/grafana/'), 'x-webauth-user', 'remote_groups', 'x-fixed', 'x-everywhere', 'x-nextauth-user'),
    { 'x-webauth-user': 'zoe@example.org', remote_groups: 'admin;a%3Bb;c:d e', 'x-fixed': 'yes', 'x-everywhere': 'zoe@example.org' },
    'headers, beside those of outer sections; a delimiter within an element is escaped');
  t.is(got(await zoe.get('/inner/'), 'x-name'), { 'x-name': Buffer.from('Zoë').toString('latin1') }, 'UTF-8, if nothing else is asked for');
  t.is([got(await zoe.get('/inner/deep/'), 'x-name'), got(await zoe.get('/inner/off/', { headers: { 'x-name': 'eve' } }), 'x-name')],
    [{ 'x-name': Buffer.from('deep Zoë').toString('latin1') }, {}], 'an inner section replaces it, or removes it by an empty value');
  t.is(got(await zoe.get('/old/'), 'x-name', 'x-coded', 'x-spaced'), { 'x-name': 'Zoë', 'x-coded': Buffer.from('Zoë').toString('base64url'), 'x-spaced': 'admin a;b c:d%20e' },
    'ISO 8859-1, base64url, and a space between elements');
  t.is(variables(await zoe.get('/cgi/env'), /^(REMOTE_NAME|REMOTE_GROUPS|HTTP_REMOTE_USER|EMPTY)=/),
    ['HTTP_REMOTE_USER=zoe@example.org', 'REMOTE_GROUPS=admin:a;b:c%3Ad e', `REMOTE_NAME=Zo\ufffd`], 'to CGI programs');
  t.is(got(await t.client(site).get('/pass/'), 'x-webauth-user', 'x-fixed'), {}, 'nothing without a session, not even what is always the same');
  t.is(variables(await zoe.get('/tenant/env'), /TENANT/), ['HTTP_X_TENANT=zoe@example.org', 'TENANT_SID=[]'], 'in .htaccess as well, where the session ID stays hidden');

  t.section('what comes from outside is taken away');
  const spellings = ['X-WEBAUTH-USER', 'x-webauth-user', 'X_WebAuth_User', 'X.WEBAUTH.USER', 'X-WEBAUTH_USER', 'x~webauth~user', "X!WebAuth'User"];
  const ofUser = ({ json }) => Object.entries(json.user).filter(([name]) => /webauth/.test(name));
  for (const spelling of spellings) {
    const headers = { [spelling]: 'root' };
    t.is(ofUser(await zoe.get('/grafana/', { headers })), [['x-webauth-user', 'zoe@example.org']], `${spelling} where it is passed on`);
    t.is([ofUser(await t.client(site).get('/open/', { headers })), ofUser(await zoe.get('/inner/', { headers })), ofUser(await t.client(site).get('/pass/', { headers }))], [[], [], []], '  where it is not, and where nobody is signed in');
  }
  for (const spelling of ['X-Tenant', 'x_tenant', 'X.TENANT']) {
    const headers = { [spelling]: 'root', 'x-other': 'root' };
    t.is(variables(await t.client(site).get('/guest/env', { headers }), /(TENANT|SEEN)=/), [], `${spelling} of .htaccess: neither it nor a variable, and no SetEnvIf sees it`);
    t.is(variables(await zoe.get('/guest/env', { headers }), /(TENANT|SEEN)=/), ['HTTP_X_TENANT=zoe@example.org', 'TENANT=zoe@example.org'], '  and none beside ours');
  }
  t.is(variables(await zoe.get('/cgi/env', { headers: { 'x-other': 'root' } }), /^EMPTY=/), [], 'a variable that another module took from a header');
  for (const connection of ['X-WEBAUTH-USER, close', 'close;x-webauth-user', 'REMOTE_GROUPS X-WEBAUTH-USER']) {
    t.is(got(await zoe.get('/grafana/', { headers: { connection } }), 'x-webauth-user', 'remote_groups'), { 'x-webauth-user': 'zoe@example.org', remote_groups: 'admin;a%3Bb;c:d e' }, `Connection: ${connection}`);
  }
  const trailer = await t.raw(site.port, 'POST /open/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nTrailer: X-WEBAUTH-USER\r\nConnection: close\r\n\r\n1\r\nx\r\n0\r\nX-WEBAUTH-USER: root\r\n\r\n');
  t.unlike(trailer, /x-webauth-user"?:/i, 'a trailer');
  t.is([got(JSON.parse((await zoe.get('/ssi/')).text).user ? { json: JSON.parse((await zoe.get('/ssi/')).text) } : {}, 'x-part'), got(await zoe.get('/moved/nothing'), 'x-part')], [{}, {}],
    'what one path was given does not reach parts of a page and error documents of another');

  t.section('values that cannot be passed on');
  const wide = signedIn({ name: 'Łukasz', roles: [] });
  t.is(got(await wide.get('/old/'), 'x-name', 'x-coded', 'x-spaced'), { 'x-coded': Buffer.from('Łukasz').toString('base64url') }, 'a character that ISO 8859-1 lacks; an empty list');
  t.like(site.log(), /did not pass on X-Name/, '  and the log says so');
  for (const [what, query, coded] of [['CR LF', 'a%0d%0aX-Evil:%201', 'a\r\nX-Evil: 1'], ['invalid UTF-8', 'a%ff', Buffer.from([0x61, 0xff])], ['an overlong form', '%c0%af', Buffer.from([0xc0, 0xaf])],
    ['DEL', 'a%7f', 'a\x7f'], ['a space at the end', 'a%20', 'a ']]) {
    const answer = await zoe.get(`/raw/?${query}`);
    t.is(got(answer, 'x-raw', 'x-raw-coded', 'x-evil'), { 'x-raw-coded': Buffer.from(coded).toString('base64url') }, `${what} is passed on in base64url alone`);
  }
  t.is(got(await zoe.get('/raw/?a%00b'), 'x-raw', 'x-raw-coded'), {}, 'NUL: there is no such value');
  t.is((await zoe.get(`/raw/?${'a'.repeat(6000)}`)).status, 200, 'a long one is');
  t.is((await zoe.get(`/raw/?${'a'.repeat(6001)}`)).status, 403, 'one that is too long is refused');
  t.like(site.log(), /X-Raw-Coded is longer than 8000 bytes/, '  and the log says so');
  t.is((await zoe.get('/broken/')).status, 500, 'a wrong name in .htaccess');
  t.like(site.log(), /'Host' has a meaning of its own/, '  is named');
});
