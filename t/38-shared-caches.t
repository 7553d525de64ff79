#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');

// Says who asks, with the headers that the query asks for.
async function startApp(t) {
  const server = http.createServer((request, response) => {
    if (request.url.endsWith('part')) response.setHeader('Cache-Control', 'public, max-age=600');
    for (const [name, value] of new URL(request.url, 'http://x').searchParams) response.appendHeader(name, value);
    response.end(`for ${request.headers['x-nextauth-user'] || 'anybody'}`);
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return server.address().port;
}

const tomorrow = () => new Date(Date.now() + 86_400_000).toUTCString();
const yesterday = () => new Date(Date.now() - 86_400_000).toUTCString();
let pages = 0; // no two questions are about one page
const query = (headers) => { pages += 1; return `?${new URLSearchParams(headers)}&X-Page=${pages}`; };

async function check(t, quick) {
  const port = await startApp(t);
  const protect = 'AuthType NextAuth\nRequire valid-user';
  const place = (name, lines, behind = `ProxyPass http://127.0.0.1:${port}/${name}`) => `<Location /${name}>\n${lines}\n${behind}\n</Location>`;
  const site = await t.httpd({
    modules: ['cache', 'cache_disk', 'expires', 'filter'],
    files: { users: htpasswd({ ada: 'x', bob: 'x' }), 'cache/.keep': '',
      'htdocs/sorry.html': 'sorry', 'htdocs/members/page.html': 'members', 'htdocs/expires/page.html': 'expires', 'htdocs/tenant/page.html': 'tenant',
      'htdocs/parts/page.shtml': 'of <!--#include virtual="/members/page.html" -->', 'htdocs/parts/app.shtml': '<!--#include virtual="/app/part" -->', 'htdocs/parts/page.bytype': 'of <!--#include virtual="/members/page.html" -->',
      'htdocs/parts/page.expr': '<!--#if expr="-n NEXTAUTH(\'sub\')" -->for somebody<!--#else -->for nobody<!--#endif -->',
      'htdocs/tenant/.htaccess': `${protect}\nNextAuthCacheControl "no-store, max-age=0"\n` },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
CacheRoot @DIR@/cache
CacheEnable disk /
CacheQuickHandler ${quick ? 'On' : 'Off'}
CacheHeader On
CacheIgnoreNoLastMod On
CacheIgnoreCacheControl On
${place('open', '')}
${place('app', protect)}
${place('alone', 'Require expr "%{NEXTAUTH:sub} =~ /./"')}
${place('expr', 'AuthType NextAuth\nRequire expr "%{NEXTAUTH:sub} =~ /./"')}
${place('pass', 'AuthType NextAuth\nNextAuthUnauthenticated pass\nRequire valid-user')}
${place('set', `${protect}\nHeader set Cache-Control "public, max-age=9"`)}
${place('always', `${protect}\nHeader always set Cache-Control "public, max-age=9"`)}
${place('header', 'Header set X-Who "expr=%{NEXTAUTH:sub}"')}
${place('early', 'Header always set X-Who "expr=%{NEXTAUTH:sub}"')}
${place('placed', `${protect}\nSetOutputFilter CACHE`)}
${place('off', `${protect}\nNextAuthCacheControl Off`)}
${place('value', `${protect}\nNextAuthCacheControl "private, no-cache, max-age=0"`)}
${place('missing', `${protect}\nErrorDocument 404 /sorry.html`, 'RedirectMatch 404 ^/missing')}
${place('role', `AuthType NextAuth\nRequire nextauth-role nobody`)}
<Location /members>
  ${protect}
</Location>
<Location /expires>
  ${protect}
  ExpiresActive On
  ExpiresDefault "access plus 1 hour"
</Location>
<Directory @DIR@/htdocs/parts>
  Options +Includes
  AddType text/html .shtml .expr
  AddType text/x-parts .bytype
  AddOutputFilter INCLUDES .shtml .expr
  AddOutputFilterByType INCLUDES text/x-parts
  Header set Cache-Control "public, max-age=600"
</Directory>
<Location /sorry.html>
  Header set Cache-Control "public, max-age=600"
</Location>
`,
  });
  fs.chmodSync(`${site.dir}/cache`, 0o777);
  const ada = t.client(site), bob = t.client(site), nobody = t.client(site);
  await ada.credentials('ada', 'x');
  await bob.credentials('bob', 'x');
  const hit = (answer) => /\bHIT\b/.test(answer.headers['x-cache'] || '');
  const said = (answer) => answer.headers['cache-control'];

  t.section(`CacheQuickHandler ${quick ? 'On' : 'Off'}`);
  const open = `/open/a${query({ 'Cache-Control': 'public, max-age=600' })}`;
  await ada.get(open);
  t.is([hit(await nobody.get(open)), said(await nobody.get(open))], [true, 'public, max-age=600'], 'what is for anybody is kept, as it is');

  for (const place_ of ['app', 'expr', 'alone', 'placed', 'pass']) {
    const page = `/${place_}/a${query({ 'Cache-Control': 'public, max-age=600', 'Last-Modified': yesterday() })}`;
    t.is([(await ada.get(page)).text, said(await ada.get(page))], [`for ${place_ === 'alone' ? 'anybody' : 'ada'}`, 'private, max-age=600'], `/${place_}/ is the user's alone`);
    const theirs = await bob.get(page);
    t.is([theirs.text, hit(theirs)], [`for ${place_ === 'alone' ? 'anybody' : 'bob'}`, false], '  nobody else is given it');
    const refused = await nobody.get(page);
    t.unlike(refused.text, /ada|bob/, '  least of all who is not signed in');
    t.is(refused.status, { alone: 403, pass: 200 }[place_] || 401, '  who is answered as ever');
  }
  for (const [what, headers, expected] of [
    ['s-maxage', { 'Cache-Control': 's-maxage=600, max-age=60' }, 'private, max-age=60'],
    ['a private for some fields', { 'Cache-Control': 'Private="x-page, y", max-age=600' }, 'private, max-age=600'],
    ['PUBLIC', { 'Cache-Control': 'PUBLIC , S-MaxAge="600",immutable' }, 'private, immutable'],
    ['a quote that is not closed', { 'Cache-Control': 'max-age=600, x="a, public' }, 'private, max-age=600'],
    ['private', { 'Cache-Control': 'private, max-age=600' }, 'private, max-age=600'],
    ['no-store', { 'Cache-Control': 'no-store' }, 'private, no-store'],
    ['Expires alone', { Expires: tomorrow() }, 'private'],
    ['an age to guess', { 'Last-Modified': yesterday() }, 'private'],
    ['nothing', {}, 'private'],
  ]) {
    const page = `/app/b${query(headers)}`;
    const mine = await ada.get(page);
    t.is(said(mine), expected, `an application that says ${what}`);
    const theirs = await bob.get(page);
    t.is([theirs.text, hit(theirs)], ['for bob', false], '  is not kept');
  }
  const targeted = await ada.get(`/app/c${query({ 'Surrogate-Control': 'max-age=600', 'CDN-Cache-Control': 'max-age=600', 'Acme-CDN-Cache-Control': 'public', 'X-Accel-Expires': '600', 'X-Other': 'kept' })}`);
  t.is(Object.keys(targeted.headers).filter((name) => /control|expires|other/.test(name)), ['x-other', 'cache-control'], 'what CDNs look at first is taken away');

  for (const place_ of ['header', 'early']) {
    const late = `/${place_}/a${query({ 'Cache-Control': 'public, max-age=600' })}`;
    const mine = await ada.get(late);
    t.is([mine.headers['x-who'], said(mine)], ['ada', 'private, max-age=600'], `an expression in a header of the answer is no exception (${place_})`);
    const others = [await nobody.get(late), await bob.get(late)];
    t.is(others.map((answer) => [answer.headers['x-who'], hit(answer)]), [['', false], ['bob', false]], '  and mod_cache keeps it for nobody else');
  }

  t.section('pages of parts');
  t.is([hit(await ada.get('/parts/page.shtml')), hit(await ada.get('/parts/app.shtml'))], [false, false], 'pages with parts of protected places');
  t.is([(await nobody.get('/members/page.html')).status, (await nobody.get('/app/part')).status], [401, 401], 'do not make mod_cache give these to anybody');
  t.is((await bob.get('/app/part')).text, 'for bob', '  nor to somebody else');
  for (const [page, part] of [['/parts/page.shtml', 'of members'], ['/parts/page.bytype', 'of members'], ['/parts/page.expr', 'for somebody']]) {
    const mine = await ada.get(page);
    t.is([mine.text, said(mine)], [part, 'private, max-age=600'], `${page} has a part for who is signed in, and is private`);
    const answer = await nobody.get(page);
    t.is([answer.text.includes(part), hit(answer), said(answer)], [false, false, 'public, max-age=600'], '  to nobody it is as it was, without that part');
  }

  t.section('files');
  for (const [page, expected] of [['/members/page.html', 'private'], ['/expires/page.html', 'private, max-age=3600']]) {
    const mine = await ada.get(page);
    t.is([mine.status, said(mine)], [200, expected], page);
    const again = await ada.get(page, { headers: { 'if-none-match': mine.headers.etag } });
    t.is([again.status, said(again)], [304, expected], '  and when it has not changed');
    t.is((await nobody.get(page)).status, 401, '  is nobody else\'s');
  }

  t.section('errors');
  const missing = await ada.get('/missing/x');
  t.is([missing.status, missing.text, said(missing)], [404, 'sorry', 'private, max-age=600'], 'an ErrorDocument that anybody may see is private where it stands for what is not');
  t.is([(await ada.get('/role/x')).status, said(await ada.get('/role/x'))], [403, 'private, no-cache, no-store'], '403 is kept by no cache');
  const refused = [await nobody.get('/app/x'), await nobody.page('/app/x')];
  t.is(refused.map((answer) => [answer.status, said(answer)]), [[401, 'private, no-cache, no-store'], [302, 'private, no-cache, no-store']], 'nor is what asks to sign in');

  t.section('what the administrator says');
  for (const name of ['set', 'always']) {
    const page = `/${name}/${query({})}`;
    t.is(said(await ada.get(page)), 'private, max-age=9', `Header ${name}, with public`);
    t.is([hit(await bob.get(page)), (await nobody.get(page)).status], [false, 401], '  is not kept');
  }
  t.is(said(await ada.get(`/off/${query({ 'Cache-Control': 'public, max-age=600' })}`)), 'public, max-age=600', 'Off leaves what the application says');
  t.is(said(await ada.get(`/off/${query({})}`)), undefined, '  or does not say');
  t.is(said(await ada.get(`/value/${query({ 'Cache-Control': 'public, max-age=600, immutable' })}`)), 'private, no-cache, max-age=0, immutable', 'a value of theirs goes before the application\'s');
  t.is(said(await ada.get('/tenant/page.html')), 'no-store, max-age=0', 'in .htaccess, too');
}

suite('Caches do not keep for others what is for one user', async (t) => {
  await check(t, true);
  await check(t, false);

  t.section('the directive');
  for (const value of ['public', 'On', '"max-age=600"', '"private=x"', '"no-cache"']) {
    const { status, output } = await t.configtest({ config: `<Location />\nNextAuthCacheControl ${value}\n</Location>` });
    t.ok(status && /NextAuthCacheControl: invalid value '[^']*': expected a Cache-Control with private or no-store, or Off/.test(output), `${value} is refused`, output);
  }
});
