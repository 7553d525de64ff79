#!/usr/bin/env node
'use strict';
// NextAuthStripCookie: applications do not see this module's cookies, and all that reads the session goes on working.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');

const cgi = { text: '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n"; env\n', mode: 0o755 };

suite('Applications do not receive cookies that they need not have', async (t) => {
  const app = await startApp(t, (request) => request.headers);
  const place = (name, ...lines) => `<Location /${name}/>\nAuthType NextAuth\nRequire valid-user\n${lines.join('\n')}\nProxyPass http://127.0.0.1:${app.port}/\n</Location>`;
  const htaccess = (...lines) => ['AuthType NextAuth', 'Require valid-user', 'Options +ExecCGI', 'SetHandler cgi-script', ...lines, ''].join('\n');
  const site = await t.httpd({
    files: {
      users: htpasswd({ ada: 'x' }), 'cgi/env': cgi, 'htdocs/tenant/env': cgi, 'htdocs/shown/env': cgi, 'htdocs/never/env': cgi,
      'htdocs/tenant/.htaccess': htaccess('NextAuthStripCookie On', 'SetEnvIf Cookie "session-token" SEEN=1', 'SetEnvIfExpr "%{HTTP_COOKIE} =~ /session-token/" SEEN=2'),
      'htdocs/shown/.htaccess': htaccess(),
      'htdocs/never/.htaccess': htaccess('NextAuthStripCookie Off'),
      'htdocs/ssi/hidden.html': '<!--#include virtual="/cgi/env" -->\n<!--#include virtual="/off/part" -->\n<!--#include virtual="/api/auth/session" -->',
      'htdocs/ssi/index.html': 'x',
    },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole staff "true"
<Directory @DIR@/htdocs>
  AllowOverride All
</Directory>
${place('on', 'NextAuthStripCookie On')}
${place('off')}
${place('passed', 'NextAuthPassHeader X-User "%{NEXTAUTH:sub}"')}
${place('wanted', 'NextAuthPassHeader X-User "%{NEXTAUTH:sub}"', 'NextAuthStripCookie Off')}
${place('on/inner', 'NextAuthStripCookie Off')}
${place('role', 'NextAuthStripCookie On', '<RequireAll>', 'Require nextauth-role staff', 'Require expr "%{NEXTAUTH:sub} == \'ada\'"', '</RequireAll>')}
<Location /open/>
  NextAuthStripCookie On
  RequestHeader set X-Mail "expr=%{NEXTAUTH:sub}"
  Header set X-Later "expr=%{NEXTAUTH:sub}"
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
ScriptAlias /cgi/ @DIR@/cgi/
<Location /cgi/>
  NextAuthStripCookie On
</Location>
<Location /gone/>
  NextAuthStripCookie On
  ErrorDocument 404 /off/gone
</Location>
<Location /gone-on/>
  ErrorDocument 404 /on/gone
</Location>
<Location /ssi/>
  NextAuthStripCookie On
  Options +Includes
  SetOutputFilter INCLUDES
</Location>`,
  });
  const ada = t.client(site);
  await ada.credentials('ada', 'x');
  const ours = [...ada.cookies].map(([name, { value }]) => `${name}=${value}`);
  const session = ours.find((pair) => pair.startsWith('next-auth.session-token='));
  const [name, token] = [session.split('=')[0], session.slice(session.indexOf('=') + 1)];
  t.ok(ours.length > 1, 'a browser has several cookies of the module', ours);
  const ask = (path, cookie, client = t.client(site)) => client.get(path, { headers: cookie === undefined ? {} : { cookie } });
  const seen = async (path, cookie) => (await ask(path, cookie)).json.user.cookie;

  t.section('what an application sees');
  t.is(await seen('/on/', [...ours, 'theme=dark'].join('; ')), 'theme=dark', 'none of them where it is on');
  t.is(await seen('/on/', ours.join('; ')), undefined, '  no header if there was nothing else');
  t.is(await seen('/off/', [...ours, 'theme=dark'].join('; ')), [...ours, 'theme=dark'].join('; '), 'all of them by default: it may be an application of NextAuth');
  t.is(await seen('/passed/', [...ours, 'theme=dark'].join('; ')), 'theme=dark', 'not where it gets its user under a name of its own');
  t.is(await seen('/wanted/', ours.join('; ')), ours.join('; '), '  unless it needs them');
  t.is(await seen('/on/inner/', ours.join('; ')), ours.join('; '), 'an inner section decides for itself');
  const parts = [token.slice(0, 20), token.slice(20)];
  t.is(await seen('/on/', `a=1; ${name}.0=${parts[0]}; ${name}.1=${parts[1]}; b=2`), 'a=1; b=2', 'chunks of a long session');
  for (const other of ['next-auth.state.AbCd1234', 'next-auth.pkce.code_verifier', 'next-auth.nonce.AbCd1234', 'next-auth.challenge.AbCd1234', 'next-auth.link', 'next-auth.two-factor', 'next-auth.known-browser', 'next-auth.callback-url', 'next-auth.csrf-token', 'next-auth.error-reference', 'next-auth.attempt', 'next-auth.remembered-browser']) {
    t.is(await seen('/on/', `${session}; ${other}=x; b=2`), 'b=2', other);
  }
  const theirs = ['a="quoted; not', 'next-auth.session-tokens=1', 'next-auth.session-token.x=1', 'next-auth.session-token.=1', 'NEXT-AUTH.SESSION-TOKEN=1', 'xnext-auth.session-token=1', 'empty=', 'no-equals-sign', ' spaced = value ', 'Zoë=ë', 'next-auth.callback-url.x=1', '=unnamed'].map((text) => Buffer.from(text).toString('latin1'));
  t.is(await seen('/on/', `${theirs.join(';')};${session}; last=1`), `${theirs.join(';')}; last=1`, 'all others stay byte for byte');
  t.is(await seen('/on/', `${session};${theirs.slice(1).join(';')}`), theirs.slice(1).join(';'), '  also behind it');

  t.section('what reads the session goes on working');
  t.is((await ask('/role/', session)).status, 200, 'Require and its expressions');
  const open = await ask('/open/', session);
  t.is([open.json.user['x-mail'], open.headers['x-later'], open.json.user.cookie], ['ada', 'ada', undefined], 'expressions before and after the application, on a public path');
  t.is((await ask('/on/', 'theme=dark')).status, 401, 'without a session there is none');
  t.is((await ask('/api/auth/session', session)).json.user.name, 'ada', 'the endpoints');
  const included = (await ask('/ssi/hidden.html', `${session}; a=1`)).text;
  t.is(included.match(/^HTTP_COOKIE=.*$/m)?.[0], 'HTTP_COOKIE=a=1', 'a part of a page that is a CGI program');
  t.ok(included.includes(`"cookie":"${session}; a=1"`), '  one of an application that needs the cookie', included);
  t.like(included, /"user":\{"name":"ada"/, '  and one of an endpoint');
  t.is([(await ask('/gone/x', session)).json.user.cookie, (await ask('/gone-on/x', `${session}; a=1`)).json.user.cookie], [session, 'a=1'], 'an internal redirect from a path without the cookie to one with it, and back');
  t.is((await ask('/on/', session)).status, 200, 'mod_proxy has it once more');

  t.section('tenants');
  t.is((await ask('/tenant/env', `${session}; a=1`)).text.match(/^(HTTP_COOKIE|SEEN|REMOTE_USER)=.*$/gm).sort(), ['HTTP_COOKIE=a=1', 'REMOTE_USER=ada'], 'a .htaccess can switch it on, before anything there reads the header');
  t.like((await ask('/shown/env', `${session}; a=1`)).text, /HTTP_COOKIE=next-auth\.session-token/, 'without it they are shown');
  t.is((await ask('/never/env', session)).status, 500, 'but a .htaccess cannot switch it off');
  t.like(site.log(), /NextAuthStripCookie: Off is not allowed in \.htaccess/, '  and the log says so');
});
