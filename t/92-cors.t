#!/usr/bin/env node
'use strict';
// NextAuthCORS: scripts of other origins, by what a browser is told, and in one.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startBrowser, openTab } = require('./lib/browser.js');

const users = htpasswd({ ada: 'x' });
const config = (port, url = 'http://localhost:@PORT@') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users
<Location /api/auth/>
  NextAuthCORS https://app.example.org http://app.site.localhost:${port}
</Location>
<Location /data/>
  AuthType NextAuth
  Require valid-user
  NextAuthCORS https://app.example.org https://*.shop.example:8443 http://app.site.localhost:${port} headers=X-CSRF-Token,If-Match maxAge=60
  Header set Vary Accept-Encoding
</Location>
<Location /data/own/>
  Header onsuccess set Access-Control-Allow-Origin *
  Header onsuccess set Access-Control-Allow-Credentials true
</Location>
<Location /data/closed/>
  NextAuthCORS Off
</Location>
<Location /plain/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const files = { users, 'htdocs/data/x.json': '{"x":1}', 'htdocs/data/own/x.json': '{"x":2}', 'htdocs/data/closed/x.json': '{}', 'htdocs/plain/x.json': '{}' };

const headersOf = (answer) => Object.fromEntries(Object.entries(answer.headers).filter(([name]) => name.startsWith('access-control-')));
const varies = (answer) => /(^|, *)Origin($|,)/i.test(answer.headers.vary || '');
const preflight = (client, path, origin, more = {}) => client.send(path, { method: 'OPTIONS',
  headers: { origin, 'access-control-request-method': 'PUT', 'access-control-request-headers': 'x-evil', ...more } });

async function preflights(t, site) {
  t.section('preflights');
  const client = t.client(site);
  const answer = await preflight(client, '/data/x.json', 'https://app.example.org');
  t.is([answer.status, answer.text], [204, ''], 'are answered without a session');
  t.is(headersOf(answer), { 'access-control-allow-origin': 'https://app.example.org', 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'WWW-Authenticate, Retry-After',
    'access-control-allow-methods': 'GET, HEAD, POST, PUT, PATCH, DELETE', 'access-control-allow-headers': 'Authorization, Content-Type, X-Auth-Return-Redirect, X-Requested-With, X-CSRF-Token,If-Match', 'access-control-max-age': '60' }, '  with what the directive says');
  t.ok(varies(answer), '  and depend on the origin');
  t.is([(await preflight(client, '/api/auth/session', 'https://app.example.org')).status, (await preflight(client, '/data/x.json', 'https://a.b.shop.example:8443')).status], [204, 204], 'at endpoints, and for hosts below a domain');
  for (const origin of ['https://evil.example', 'null', 'http://app.example.org', 'https://app.example.org:444', 'https://app.example.org.evil.example', 'https://APP.example.org', 'https://app.example.org/',
    'https://shop.example:8443', 'https://.shop.example:8443', 'https://a.shop.example', 'http://a.shop.example:8443', 'https://a..shop.example:8443', 'https://evil.example/.shop.example:8443', 'https://evil.example#.shop.example:8443', 'https://evil.example\\.shop.example:8443', 'https://a@evil.example?.shop.example:8443', '*', '']) {
    const refused = await preflight(client, '/data/x.json', origin);
    t.is([refused.status, headersOf(refused), varies(refused)], [401, {}, true], `not for '${origin}'`);
  }
  for (const path of ['/data/closed/x.json', '/plain/x.json'])
    t.is([(await preflight(client, path, 'https://app.example.org')).status, headersOf(await preflight(client, path, 'https://app.example.org'))], [401, {}], `not at ${path}`);
  t.is((await client.send('/data/x.json', { method: 'OPTIONS', headers: { origin: 'https://app.example.org' } })).status, 401, 'an OPTIONS that is none needs a session');
}

async function requests(t, site) {
  t.section('requests');
  const client = t.client(site);
  const origin = 'https://app.example.org';
  const allowed = { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'WWW-Authenticate, Retry-After' };
  const refused = await client.get('/data/x.json', { headers: { origin } });
  t.is([refused.status, refused.json.error, headersOf(refused)], [401, 'Unauthorized', allowed], 'a script can read why it is refused');
  await client.credentials('ada', 'x');
  for (const path of ['/data/x.json', '/data/own/x.json', '/api/auth/session']) {
    const answer = await client.get(path, { headers: { origin } });
    t.is([answer.status, headersOf(answer), varies(answer)], [200, allowed, true], `${path}: its origin, once, also if the application has another`);
    const other = await client.get(path, { headers: { origin: 'https://evil.example' } });
    t.is([headersOf(other), varies(other)], [{}, true], '  nothing for another origin');
    t.ok(varies(await client.get(path)), '  and responses without one depend on it, too');
  }
  t.like((await client.get('/data/x.json', { headers: { origin } })).headers.vary, /Accept-Encoding/, 'what else a response depends on stays');
  t.is(headersOf(await client.get('/data/missing', { headers: { origin } })), allowed, 'errors can be read, too');
  const signOut = await client.signOut.call({ ...client, jar: client.jar, site, csrf: () => client.csrf(), post: (path, fields) => client.post(path, fields, { headers: { origin } }) });
  t.is([signOut.status, Object.keys(await client.session()).length > 0], [302, true], 'a form of a listed origin is still refused: nobody is signed out', signOut.location);
}

// The site and the other origins are below one domain, so that browsers send cookies with SameSite=Lax.
async function byBrowser(t, port) {
  t.section('Chromium');
  const { port: own } = await t.httpd({ files, config: config(port, 'http://api.site.localhost:@PORT@') });
  const site = { url: `http://api.site.localhost:${own}` };
  const browser = await startBrowser(t);
  const tab = await openTab(browser, site);
  await tab.goto(`${site.url}/api/auth/signin`);
  await tab.fill('#username-credentials', 'ada');
  await tab.fill('#password-credentials', 'x');
  await tab.click('#signin-credentials');
  await tab.waitForURL(`${site.url}/`);
  const read = (path, options = {}) => tab.evaluate(([url, more]) => fetch(url, { credentials: 'include', ...more }).then(async (r) => [r.status, await r.text()], (error) => [0, error.name]), [`${site.url}${path}`, options]);
  await tab.goto(`http://app.site.localhost:${port}/`);
  t.is(await read('/data/x.json'), [200, '{"x":1}'], 'a script of a listed origin reads with the session');
  t.is((await read('/data/x.json', { method: 'PUT', headers: { 'X-CSRF-Token': 'a' }, body: '{}' }))[0] >= 400, true, 'and may send a header that is listed');
  t.is(await read('/data/x.json', { headers: { 'X-Evil': 'a' } }), [0, 'TypeError'], 'but no other');
  t.like((await read('/api/auth/session'))[1], /"name":"ada"/, 'it can read who is signed in');
  await tab.goto(`http://evil.site.localhost:${port}/`);
  t.is(await read('/data/x.json'), [0, 'TypeError'], 'a script of another origin reads nothing');
}

suite('Scripts of other origins read what NextAuthCORS lets them read', async (t) => {
  const other = http.createServer((request, response) => response.setHeader('content-type', 'text/html').end('<title>another site</title>'));
  await new Promise((resolve) => { other.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { other.close(resolve); other.closeAllConnections(); }));
  const { port } = other.address();
  const site = await t.httpd({ files, config: config(port) });
  await preflights(t, site);
  await requests(t, site);
  await byBrowser(t, port);
});
