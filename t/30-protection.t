#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');

const users = htpasswd({ ada: 'x', bob: 'x', 'cleo@example.org': 'x' });
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole admin "%{USER:id} == 'ada'"
NextAuthRole staff "%{USER:id} in {'ada', 'bob'}"
NextAuthClaim shoe "4%{USER:id}"`;

async function signedIn(t, site, user) {
  const c = t.client(site);
  await c.credentials(user, 'x');
  return c;
}

suite('Paths are protected by AuthType NextAuth and Require', async (t) => {
  t.section('what is required');
  {
    const place = (name, ...lines) => `<Location /${name}>\nAuthType NextAuth\n${lines.join('\n')}\n</Location>`;
    const files = { users };
    const cases = [
      // place, Require lines, who may: ada (admin, staff), bob (staff), cleo
      ['valid', ['Require valid-user'], [1, 1, 1]],
      ['user', ['Require user bob cleo@example.org'], [0, 1, 1]],
      ['role', ['Require nextauth-role admin other'], [1, 0, 0]],
      ['quoted', ['Require nextauth-role "staff"'], [1, 1, 0]],
      ['provider', ['Require nextauth-provider acme credentials'], [1, 1, 1]],
      ['noprovider', ['Require nextauth-provider acme'], [0, 0, 0]],
      ['claim', ['Require nextauth-claim shoe:4bob email:cleo@example.org'], [0, 1, 1]],
      ['claimrole', ['Require nextauth-claim roles:staff'], [1, 1, 0]],
      ['expr', [`Require expr "%{NEXTAUTH:email} =~ /@example\\.org$/"`], [0, 0, 1]],
      ['exprlist', [`Require expr "'staff' in NEXTAUTH('roles')"`], [1, 1, 0]],
      ['all', ['<RequireAll>', 'Require nextauth-role staff', 'Require not user bob', '</RequireAll>'], [1, 0, 0]],
      ['any', ['<RequireAny>', 'Require user bob', 'Require nextauth-role admin', '</RequireAny>'], [1, 1, 0]],
      ['none', ['Require not nextauth-role admin', 'Require all granted'].slice(1), [1, 1, 1]],
    ];
    for (const [name] of cases) files[`htdocs/${name}/index.html`] = `${name}\n`;
    const site = await t.httpd({ files, config: `${common}\n${cases.map(([name, lines]) => place(name, ...lines)).join('\n')}` });
    const who = ['ada', 'bob', 'cleo@example.org'];
    const clients = await Promise.all(who.map((user) => signedIn(t, site, user)));
    for (const [name, lines, may] of cases) {
      const open = lines.some((line) => /all granted/.test(line));
      t.is((await t.client(site).get(`/${name}/`)).status, open ? 200 : 401, `nobody: ${lines.join(' ')}`);
      t.is((await t.client(site).page(`/${name}/`)).status, open ? 200 : 302, '  a browser is sent to sign in');
      for (const [i, user] of who.entries()) {
        t.is((await clients[i].page(`/${name}/`)).status, may[i] ? 200 : 403, `  ${user} ${may[i] ? 'may' : 'may not'}`);
      }
    }
    t.ok(await site.logged('GET /exprlist/index.html 200 ada'), 'who came through an expression has a name, too');
  }

  t.section('nobody is signed in');
  {
    const site = await t.httpd({ files: { users, 'htdocs/a/index.html': 'a', 'htdocs/r/index.html': 'r', 'htdocs/j/index.html': 'j', 'htdocs/p/index.html': 'p', 'htdocs/e/index.html': 'e', 'htdocs/a/x': 'x' },
      modules: ['include'], config: `${common}
<Location /a/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /r/>
  AuthType NextAuth
  NextAuthUnauthenticated redirect
  Require valid-user
</Location>
<Location /j/>
  AuthType NextAuth
  NextAuthUnauthenticated 401
  Require valid-user
</Location>
<Location /p/>
  AuthType NextAuth
  NextAuthUnauthenticated pass
  Require valid-user
</Location>
<Location /e/>
  AuthType NextAuth
  Require valid-user
  ErrorDocument 401 "our own words"
</Location>` });
    const c = t.client(site);
    const signin = (to) => `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(site.url + to)}`;
    const page = await c.page('/a/x?q=1&r=%2F');
    t.is([page.status, page.location], [302, signin('/a/x?q=1&r=%2F')], 'a page load is redirected, its whole address kept');
    t.is(page.headers['cache-control'], 'private, no-cache, no-store', 'uncached');
    const old = await c.get('/a/', { headers: { accept: 'text/html,*/*;q=0.8' } });
    t.is(old.status, 302, 'so is one of a browser without Fetch Metadata');
    const script = await c.get('/a/');
    t.is([script.status, script.json.error, script.json.signinUrl], [401, 'Unauthorized', signin('/a/')], 'a script gets 401 and JSON');
    t.like(script.headers['www-authenticate'], /^NextAuth realm=/, 'with a challenge that no browser prompts for');
    t.is((await c.get('/a/', { headers: { accept: 'text/html', 'sec-fetch-mode': 'cors' } })).status, 401, 'fetch() is no page load');
    t.is((await c.get('/a/', { headers: { accept: 'text/html', 'x-requested-with': 'XMLHttpRequest' } })).status, 401, 'nor is XMLHttpRequest');
    t.is((await c.send('/a/', { method: 'POST', body: 'x=1', headers: { 'sec-fetch-mode': 'navigate', accept: 'text/html' } })).status, 303, 'a form is told to come back with GET');
    t.is((await c.get('/r/')).status, 302, 'redirect: always');
    t.is((await c.page('/j/')).status, 401, '401: always');
    const passed = await c.get('/p/');
    t.is([passed.status, passed.text], [200, 'p'], 'pass: the page decides');
    t.is((await c.get('/e/')).text, 'our own words', 'an ErrorDocument goes before our JSON');
    t.is((await t.raw(site.port, 'GET http://evil.org/a/ HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n')).match(/Location: (.*)\r/)[1],
      signin('/a/'), 'an absolute request line does not choose the address');
    t.is((await c.page('/a/', { headers: { host: 'evil.org' } })).location, signin('/a/'), 'nor does the Host header');
    const back = await t.client(site).credentials('ada', 'x', { callbackUrl: `${site.url}/a/x?q=1` });
    t.is(back.location, `${site.url}/a/x?q=1`, 'and signing in leads there');
  }

  t.section('in .htaccess and <Directory>');
  {
    const site = await t.httpd({ files: { users, 'htdocs/h/index.html': 'h', 'htdocs/h/.htaccess': 'AuthType NextAuth\nNextAuthUnauthenticated redirect\nNextAuthRemoteUser sub\nNextAuthPassIdentity none\nRequire nextauth-role admin\n', 'htdocs/d/index.html': 'd' },
      config: `${common}
<Directory @DIR@/htdocs/d>
  AuthType NextAuth
  Require valid-user
</Directory>` });
    t.is((await t.client(site).get('/h/')).status, 302, '.htaccess protects');
    const ada = await signedIn(t, site, 'ada');
    const bob = await signedIn(t, site, 'bob');
    t.is([(await ada.get('/h/')).status, (await bob.get('/h/')).status], [200, 403], 'and knows roles');
    t.is((await t.client(site).get('/d/')).status, 401, '<Directory> protects');
    t.is((await bob.get('/d/')).status, 200, 'and lets in');
  }

  t.section('who only asks what would be answered');
  {
    const site = await t.httpd({ files: { users, 'htdocs/list/open.txt': 'open', 'htdocs/list/secret-plan.txt': 'a secret', 'htdocs/list/vault/x': 'x', 'htdocs/list/.htaccess': '<Files "secret-*">\nAuthType NextAuth\nRequire valid-user\n</Files>\n',
      'htdocs/list/vault/.htaccess': 'AuthType NextAuth\nRequire expr "%{NEXTAUTH:sub} == \'ada\'"\n', 'htdocs/start/index.html': 'the start', 'htdocs/start/.htaccess': '<Files index.html>\nAuthType NextAuth\nRequire valid-user\n</Files>\n',
      'htdocs/ssi/index.shtml': '<!--#include virtual="/members/" -->|<!--#fsize virtual="/members/index.html" -->', 'htdocs/talk/page.html.en': 'English', 'htdocs/talk/page.html.de': 'deutsch' },
    modules: ['autoindex', 'negotiation', 'include'], config: `${common}
<Directory @DIR@/htdocs/list>
  Options +Indexes
  IndexOptions FancyIndexing HTMLTable
  AllowOverride All
</Directory>
<Location /members/>
  AuthType NextAuth
  NextAuthUnauthenticated redirect
  Require valid-user
</Location>
<Location /talk/page.html.en>
  AuthType NextAuth
  Require valid-user
</Location>
<Directory @DIR@/htdocs/talk>
  Options +MultiViews
  AddLanguage en .en
  AddLanguage de .de
</Directory>
<Directory @DIR@/htdocs/ssi>
  Options +Includes
  AddOutputFilter INCLUDES .shtml
</Directory>
RewriteEngine On
RewriteCond /members/index.html -U
RewriteRule ^/asks$ /public.html?may [R,L]
RewriteRule ^/asks$ /public.html?may-not [R,L]` });
    const nobody = t.client(site);
    t.is((await nobody.get('/list/vault/x')).status, 401, 'an expression that only .htaccess has asks for a sign-in, from the first request on');
    const ada = await signedIn(t, site, 'ada');
    t.is((await ada.get('/list/vault/x')).text, 'x', '  and lets in');
    const listed = await nobody.page('/list/');
    t.is([listed.status, /open\.txt/.test(listed.text), /secret|vault/.test(listed.text)], [200, true, false], 'a listing for a browser shows nothing that is protected');
    t.unlike((await nobody.page('/list/?C=S;O=A')).text, /secret|vault/, '  however it is sorted');
    const hers = (await ada.page('/list/')).text;
    t.is([/secret-plan\.txt/, /vault\//].map((name) => name.test(hers)), [true, true], 'and to whoever may see it, it does');
    t.like((await nobody.page('/asks')).location, /\?may-not$/, 'RewriteCond -U finds nothing for a browser, either');
    t.like((await ada.page('/asks')).location, /\?may$/, '  but for whoever may see it');
    const included = (await nobody.page('/ssi/index.shtml')).text;
    t.unlike(included, /members page|\d/, 'a page that includes it shows nothing of it, not its size');
    t.like((await ada.page('/ssi/index.shtml')).text, /members page[^]*\|.*\d/, '  but to whoever may see it');
    t.is((await nobody.page('/start/')).location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/start/`)}`, 'a directory of which the only page is protected leads to the sign-in page');
    t.is([(await nobody.get('/start/')).status, (await ada.page('/start/')).text], [401, 'the start'], '  a script gets 401, a user the page');
    t.isnt((await nobody.page('/talk/page.html', { headers: { 'accept-language': 'en' } })).text, 'English', 'nor does negotiation give it away');
    t.is((await ada.page('/talk/page.html', { headers: { 'accept-language': 'en' } })).text, 'English', '  which a user gets');
  }

  t.section('the endpoints answer wherever they are mapped');
  {
    const app = await startApp(t);
    const proxied = { 'ProxyPass /': `ProxyPass / http://127.0.0.1:${app.port}/`,
      'ProxyPass / mapping=encoded': `ProxyPass / http://127.0.0.1:${app.port}/ mapping=encoded`,
      'RewriteRule ^ [P]': `RewriteEngine On\nRewriteRule ^/(.*) http://127.0.0.1:${app.port}/$1 [P,L]`,
      'RewriteRule to a front controller': 'RewriteEngine On\nRewriteRule ^ /index.html [L]',
      'FallbackResource': 'FallbackResource /index.html',
      'Redirect': 'Redirect /api https://elsewhere.example.org/',
      'Require valid-user on /': '<Location />\nAuthType NextAuth\nRequire valid-user\n</Location>',
      'AuthType Basic on /': '<Location />\nAuthType Basic\nAuthName x\nAuthBasicProvider file\nAuthUserFile @DIR@/users\nRequire valid-user\n</Location>',
      'SetHandler on /': '<Location />\nSetHandler server-status\n</Location>',
      'Require expr on /': `<Location />\nAuthType NextAuth\nRequire expr "%{NEXTAUTH:sub} == 'bob'"\n</Location>` };
    for (const [name, lines] of Object.entries(proxied)) {
      const site = await t.httpd({ files: { users }, config: `${common}\n${lines}` });
      const c = t.client(site);
      t.like(await c.csrf(), /^[0-9a-f]{64}$/, `under ${name}`);
      t.is((await c.credentials('ada', 'x', { callbackUrl: '/' })).location, `${site.url}/`, '  one can sign in');
      t.is((await c.session()).user, { name: 'ada' }, '  and has a session');
      t.is((await c.signOut()).status, 302, '  and can sign out');
    }
    const inside = await t.httpd({ files: { users }, config: `${common}
<Location />
  AuthType NextAuth
  <RequireAll>
    Require ip 10.1.2.3
    Require valid-user
  </RequireAll>
</Location>` });
    t.is((await t.client(inside).get('/api/auth/csrf')).status, 403, 'but an address that is kept out is kept out of them, too');

    const [ada, nobody] = [`Require expr "%{NEXTAUTH:sub} == 'ada'"`, `Require expr "%{NEXTAUTH:sub} == ''"`];
    const any = (...lines) => `<RequireAny>\n${lines.join('\n')}\n</RequireAny>`;
    const all = (...lines) => `<RequireAll>\n${lines.join('\n')}\n</RequireAll>`;
    const [here, elsewhere] = ['Require ip 127.0.0.1', 'Require ip 10.1.2.3'];
    const cases = [
      ['the session, then a foreign address', all(ada, elsewhere), 403], ['a foreign address, then the session', all(elsewhere, ada), 403],
      ['nobody signed in, then a foreign address', all(nobody, elsewhere), 403], ['not this session, then a foreign address', all(`${ada.replace('Require', 'Require not')}`, elsewhere), 403],
      ['not nobody, then a foreign address', all(nobody.replace('Require', 'Require not'), elsewhere), 403], ['sections in sections', all(any(ada, nobody), any(elsewhere)), 403],
      ['the address before the session in one expression', `Require expr "-R '10.1.2.3' && %{NEXTAUTH:sub} == 'ada'"`, 403],
      ['the session, then this address', all(ada, here), 200], ['this address, then the session', all(here, ada), 200], ['not nobody, then this address', all(nobody.replace('Require', 'Require not'), here), 200],
      ['not this session, then this address', all(ada.replace('Require', 'Require not'), here), 200], ['the session or a foreign address', any(ada, elsewhere), 200], ['a foreign address or nobody', any(elsewhere, nobody), 200],
      ['the session or a foreign address, and this one', all(any(ada, elsewhere), here), 200], ['a user, the session and a foreign address', all('Require valid-user', ada, elsewhere), 403],
    ];
    for (const [name, lines, expected] of cases) {
      const site = await t.httpd({ files: { users }, config: `${common}\n<Location />\nAuthType NextAuth\n${lines}\n</Location>` });
      const c = t.client(site);
      t.is((await c.get('/api/auth/csrf')).status, expected, `${name}: the endpoints ${expected === 200 ? 'answer' : 'do not'}`);
      if (expected === 403) continue;
      await c.credentials('bob', 'x');
      t.is([Object.keys(await c.session()), (await c.signOut()).status, await c.session()], [['user', 'expires'], 302, {}], '  whoever is signed in, who can sign out again');
    }
  }

  t.section('virtual hosts of their own');
  {
    const { freePort } = require('./lib/httpd.js');
    const second = await freePort();
    const site = await t.httpd({ files: { users, others: htpasswd({ ada: 'other' }) }, config: `${common}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
Listen 127.0.0.1:${second}
<VirtualHost 127.0.0.1:${second}>
  ServerName http://localhost:${second}
  DocumentRoot @DIR@/htdocs
  NextAuthURL http://localhost:${second}/auth
  NextAuthSecret fedcba9876543210fedcba9876543210
  NextAuthProvider credentials backend=file:@DIR@/others
  NextAuthProvider acme type=oauth authorization=http://localhost:1/a token=http://localhost:1/t userinfo=http://localhost:1/u clientId=c clientSecret=s
</VirtualHost>` });
    const other = { ...site, port: second, url: `http://localhost:${second}` };
    const ada = await signedIn(t, site, 'ada');
    t.is((await ada.get('/members/')).status, 200, 'a session of the first');
    t.is((await ada.get(`${other.url}/members/`)).status, 401, 'is none of the second: another secret');
    const c = t.client(other);
    t.is(Object.keys((await c.get('/auth/providers')).json), ['credentials', 'acme'], 'which has its own providers and base path');
    const csrfToken = (await c.get('/auth/csrf')).json.csrfToken;
    t.is((await c.post('/auth/callback/credentials', { csrfToken, username: 'ada', password: 'other' })).location, other.url, 'and its own users');
    t.is((await t.client(site).get('/api/auth/providers')).json.acme, undefined, 'the first knows nothing of them');
  }

  t.section('what does not protect');
  {
    const site = await t.httpd({ files: { users }, config: `NextAuthEngine Off\n<Location /members/>\nAuthType NextAuth\nRequire valid-user\n</Location>` });
    t.is((await t.client(site).get('/members/')).status, 500, 'AuthType NextAuth without the engine lets nobody in');
    t.is((await t.client(site).get('/public.html')).status, 200, 'and leaves the rest alone');
    const basic = await t.httpd({ files: { users }, config: `${common}
<Location /members/>
  AuthType Basic
  AuthName x
  AuthBasicProvider file
  AuthUserFile @DIR@/users
  Require nextauth-role admin
</Location>` });
    const ada = await signedIn(t, basic, 'ada');
    const header = { authorization: `Basic ${Buffer.from('bob:x').toString('base64')}` };
    t.is((await ada.get('/members/', { headers: header })).status, 401, 'a session\'s role is not another user\'s');
  }
});
