#!/usr/bin/env node
'use strict';
// One configuration for many host names: the request's host is chosen from NextAuthURL's list alone,
// everything follows it, and the sessions of two hosts are apart.
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { Client, raw } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');
const { seal, open } = require('./lib/token.js');

const SECRET = 'the secret of several hosts has 32 bytes';
const NAME = 'next-auth.session-token';
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ sub: 'ada', provider: 'credentials', iat: now(), exp: now() + 3600, jti: 'j', ...more });
const files = { users: htpasswd({ ada: 'x' }) };
const config = (lines = '', urls = 'http://*.localhost:@PORT@ http://shop.example.com:@PORT@') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${urls}
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
${lines}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /by-expression/>
  AuthType NextAuth
  Require ip 127.0.0.1
</Location>
<Location /sessions>
  SetHandler nextauth-sessions
</Location>
<Location /health>
  SetHandler nextauth-health
</Location>
<Location /diagnostics>
  SetHandler nextauth-diagnostics
</Location>`;
const at = (site, name) => ({ ...site, url: `http://${name}:${site.port}` });
const statusLine = (answer) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);

suite('One configuration for many hosts', async (t) => {
  const start = async (lines, urls, more = {}) => {
    const s = await t.httpd({ files, config: config(lines, urls), ...more });
    return { ...s, a: at(s, 'a.localhost'), b: at(s, 'b.localhost') };
  };
  const ask = async (site, token) => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${token}` } })).status;

  t.section('two hosts of one virtual host');
  {
    const s = await start();
    for (const site of [s.a, s.b]) {
      const c = new Client(site);
      const sent = await c.page('/members/');
      t.is(sent.location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/members/`)}`, `${site.url} has its own sign-in page`);
      t.like((await c.page(sent.location)).text, new RegExp(`action="${site.url}/api/auth/callback/credentials"`), '  whose form stays there');
      const back = await c.credentials('ada', 'x', { callbackUrl: `${site.url}/members/` });
      t.is(back.location, `${site.url}/members/`, '  and leads back there');
      t.is((await c.get('/members/')).status, 200, '  where the session is valid');
      t.is(open(SECRET, c.cookie(NAME)).nasite, `${site.url}/api/auth`, '  and which it names');
      t.is((await c.get('/api/auth/providers')).json.credentials.callbackUrl, `${site.url}/api/auth/callback/credentials`, '  /providers has its URLs');
    }
    const a = new Client(s.a);
    const evil = await a.credentials('ada', 'x', { callbackUrl: `${s.b.url}/members/` });
    t.is(evil.location, s.a.url, 'a callback URL at another host of the list leads to the own home page');
    const token = a.cookie(NAME);
    t.is([await ask(s.a, token), await ask(s.b, token)], [200, 401], 'a session of one host is none at another');
    t.is([await ask(s.a, token), await ask(s.b, token), await ask(s.a, token)], [200, 401, 200], '  also when the process knows it');
    t.like(s.log(), /session refused: the session belongs to another site/, '  as the log says');
    const elsewhere = await new Client(s.b).get('/api/auth/session', { headers: { cookie: `${NAME}=${token}` } });
    t.is(elsewhere.setCookies.filter((line) => line.startsWith(`${NAME}=`)), [], '  and the other host leaves its cookie alone');
    const unbound = seal(SECRET, claims());
    t.is([await ask(s.a, unbound), await ask(s.b, unbound)], [401, 401], 'tokens that name no host open none');
    const b = new Client(s.b);
    const csrfToken = await b.csrf();
    const crossed = await new Client(s.a).post('/api/auth/callback/credentials', { csrfToken, username: 'ada', password: 'x' });
    t.like(crossed.location, /signin\?csrf=true/, 'a CSRF token of another host needs its cookie, which is not sent here');
    const sibling = await a.post('/api/auth/signout', { csrfToken: await a.csrf() }, { headers: { 'sec-fetch-site': 'same-site', origin: s.b.url, 'x-auth-return-redirect': '1' } });
    t.like(sibling.json.url, /error=MissingCSRF/, 'a page of another host signs nobody out, even with the right token');
    t.is((await a.get('/members/')).status, 200, '  so the session stays');
  }

  t.section('hosts that are not listed');
  {
    const s = await start('<Location /granted/>\nAuthType NextAuth\nRequire all granted\n</Location>');
    const line = (path, host, headers = '') => raw(s.port, `GET ${path} HTTP/1.1\r\n${host === null ? '' : `Host: ${host}\r\n`}${headers}Connection: close\r\n\r\n`);
    const session = async (target, ...rest) => {
      const answer = await line(target, ...rest);
      return [statusLine(answer), /Location: (\S+)/i.exec(answer)?.[1]];
    };
    const own = `http://a.localhost:${s.port}`;
    const there = [302, `${own}/api/auth/signin?callbackUrl=${encodeURIComponent(`${own}/members/`)}`];
    const page = 'Accept: text/html\r\n';
    for (const [host, what] of [['evil.example.net', 'another host'], [`evil.example.net:${s.port}`, 'with the port'], ['localhost', 'the domain itself'],
      [`x.a.localhost:${s.port}`, 'two labels for one wildcard'], [`shop.example.com.evil.net:${s.port}`, 'a longer name'], ['a.localhost', 'another port'],
      ['a.localhost:443', 'the port of https'], ['127.0.0.1', 'the IP address'], [`[::1]:${s.port}`, 'an IPv6 address']]) {
      for (const path of ['/members/', '/api/auth/signin', '/api/auth/session', '/by-expression/', '/granted/'])
        t.is(statusLine(await line(path, host, page)), 421, `${path} of ${host} is refused (${what})`);
      t.is(statusLine(await line('/public.html', host)), 200, '  and what nothing protects is not');
    }
    t.like(s.log(), /refused host 'evil\.example\.net': NextAuthURL does not list it/, 'the log says so');
    for (const [host, what] of [['evil.example.net@a.localhost', 'user information'], [`a.localhost:${s.port}, evil.example.net`, 'a list'], ['a.localhost/evil', 'a path'], [`-`, 'a dash']])
      t.ok([400, 421].includes(statusLine(await line('/members/', host, page))), `${host} is refused (${what})`);
    t.ok([400, 421].includes(statusLine(await line('/members/', `a.localhost:${s.port}\r\nHost: evil.example.net`, page))), 'two Host headers are refused');
    t.ok([400, 421].includes(statusLine(await line('/members/', `evil.example.net\r\nHost: a.localhost:${s.port}`, page))), '  whichever is first');
    t.is(statusLine(await raw(s.port, `GET /members/ HTTP/1.0\r\n${page}\r\n`)), 421, 'HTTP/1.0 without a host is refused');
    t.is(await session('/members/', `A.LocalHost:${s.port}`, page), there, 'upper case is the same host');
    t.is(await session('/members/', `a.localhost.:${s.port}`, page), there, 'so is the root\'s dot');
    t.is(await session(`http://a.localhost:${s.port}/members/`, 'evil.example.net', page), there, 'the host of an absolute target takes precedence');
    t.is((await session(`http://evil.example.net:${s.port}/members/`, `a.localhost:${s.port}`, page))[0], 421, '  also if it is the wrong one');
    t.ok([400, 421].includes((await session(`http://a.localhost:${s.port}@evil.example.net/members/`, `a.localhost:${s.port}`, page))[0]), '  and has user information');
    t.is(await session('/members/', `a.localhost:${s.port}`, `${page}X-Forwarded-Host: evil.example.net\r\nForwarded: host=evil.example.net\r\nX-Forwarded-Server: evil.example.net\r\nX-Forwarded-Port: 1\r\n`), there, 'what a proxy says of the host is not read');
    const shown = await raw(s.port, `GET /cgi HTTP/1.1\r\nHost: evil.example.net\r\nX-NextAuth-User: ada\r\nConnection: close\r\n\r\n`);
    t.is(statusLine(shown), 404, 'a request of another host goes on to the application');
    t.like(s.log(), /removed identity headers that the client sent/, '  without forged headers');
    t.is(statusLine(await line('/health', '127.0.0.1')), 200, 'health is the virtual host\'s: a load balancer asks by IP address');
    t.is(statusLine(await line('/sessions', '127.0.0.1')), 421, 'sessions are a host\'s');
    t.is(statusLine(await line('/diagnostics', '127.0.0.1')), 421, 'so are diagnostics');
    const told = (await new Client(s.a).get('/diagnostics')).json;
    t.is([told.site.origin, told.providers[0].callback, told.request.hostMatches], [s.a.url, `${s.a.url}/api/auth/callback/credentials`, true], '  which name it');
  }

  t.section('sessions that hosts share');
  {
    const s = await start('NextAuthSite company');
    const c = new Client(s.a);
    await c.credentials('ada', 'x');
    const token = c.cookie(NAME);
    t.is([await ask(s.a, token), await ask(s.b, token)], [200, 200], 'NextAuthSite makes one site of all hosts');
    t.is(open(SECRET, token).nasite, 'company', '  which the session names');
  }
  {
    const s = await start('NextAuthSessionStore socache checkInterval=0\nNextAuthSOCache shmcb\nNextAuthSessionStrategy database');
    const [a, b] = [new Client(s.a), new Client(s.b)];
    for (const c of [a, b]) await c.credentials('ada', 'x');
    const token = a.cookie(NAME);
    t.is([await ask(s.a, token), await ask(s.b, token), await ask(s.a, token)], [200, 401, 200], 'with sessions on the server, an ID is valid at its host alone');
    t.is((await new Client(at(s, 'fresh.localhost')).get('/members/', { headers: { cookie: `${NAME}=${token}` } })).status, 401, '  and at none that is new');
    const listed = async (site) => (await new Client(site).get('/sessions?user=credentials/ada')).json.sessions?.length;
    t.is([await listed(s.a), await listed(s.b), await listed(at(s, 'c.localhost'))], [1, 1, 0], 'the lists of sessions are apart');
    await a.signOut();
    t.is([await ask(s.a, token), await ask(s.b, b.cookie(NAME))], [401, 200], 'signing out ends the session of one host');
  }

  t.section('rate limits');
  {
    const s = await start('NextAuthRateLimit signIn account=2/3600');
    const attempt = async (name, password) => (await new Client(at(s, `${name}.localhost`)).credentials('ada', password)).status;
    t.is([await attempt('a', 'wrong'), await attempt('b', 'wrong')].includes(429), false, 'each host counts attempts');
    t.is(await attempt('c', 'x'), 429, '  with all others: a new host gives an attacker no further ones');
  }

  t.section('links in emails');
  if (databasesHere().sqlite) {
    const db = sqlite(t);
    t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
    const mail = await startMail(t, { tls: 'none' });
    const s = await start(`NextAuthDatabase ${db.url}\nNextAuthMail ${mail.url()} "from=Site <no-reply@example.org>"\nNextAuthProvider email`);
    const c = new Client(s.a);
    await c.signIn('email', { email: 'ada@example.org' });
    await until('an email arrives', () => mail.mails.length === 1);
    const link = /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0];
    t.ok(link.startsWith(`${s.a.url}/api/auth/callback/email?`), 'a link leads to the host where it was asked for');
    const form = async (where, client) => {
      const page = await client.open(link.replace(s.a.url, where.url));
      const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
      return client.post('/api/auth/callback/email', Object.fromEntries(['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, field(name) || new URL(link).searchParams.get(name) || ''])));
    };
    const elsewhere = new Client(s.b);
    t.like((await form(s.b, elsewhere)).location, /error=/, '  and cannot be used at another');
    t.is(await elsewhere.session(), {}, '  where nobody is signed in');
    const here = new Client(s.a);
    await form(s.a, here);
    t.is((await here.session()).user.email, 'ada@example.org', '  but at its own');
    const body = `csrfToken=${await c.csrf()}&email=bob%40example.org`;
    const cookies = [...c.cookies].map(([name, one]) => `${name}=${one.value}`).join('; ');
    for (const host of ['evil.example.net', `a.localhost.evil.net:${s.port}`, `a.localhost:${s.port}@evil.example.net`, `x.a.localhost:${s.port}`])
      t.ok([400, 421].includes(statusLine(await raw(s.port, `POST /api/auth/signin/email HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-Host: evil.example.net\r\nCookie: ${cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`))), `Host: ${host} has no link sent`);
    await new Client(s.a).signIn('email', { email: 'carol@example.org' }); // emails are sent in their order
    await until('another email arrives', () => mail.recipients.includes('carol@example.org'));
    t.ok(!mail.recipients.includes('bob@example.org'), '  as the mail server knows');
  }

  t.section('with a provider');
  {
    const [port, opPort] = [await freePort(), await freePort()];
    const back = (name) => `http://${name}.localhost:${port}/api/auth/callback/acme`;
    const op = await startOp(t, { port: opPort, clients: [{ client_id: 'client', client_secret: 'a secret of the client at the provider', redirect_uris: [back('a'), back('b')] }] });
    const s = await start(`NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=client "clientSecret=a secret of the client at the provider"`, undefined, { port });
    const [a, b] = [new Client(s.a), new Client(s.b)];
    const [asked, other] = [await a.signIn('acme', { callbackUrl: '/members/' }), await b.signIn('acme', { callbackUrl: '/members/' })];
    t.is([asked, other].map((one) => new URL(one.location).searchParams.get('redirect_uri')), [back('a'), back('b')], 'each host has its callback URL');
    const code = await op.authorize(a, asked, 'alice');
    const crossed = await b.page(code.replace('//a.', '//b.'), { headers: { cookie: [...a.cookies].map(([name, c]) => `${name}=${c.value}`).join('; ') } });
    t.like(crossed.location, /error=OAuthCallback/, 'an answer for one host is not accepted at another, even with all cookies');
    t.like(s.log(), /was issued for another site/, '  as the log says');
    const home = await op.login(b, other, 'alice');
    t.is([home.status, home.location], [302, `${s.b.url}/members/`], 'signing in at the provider leads back to the host');
    t.is((await b.get('/members/')).status, 200, '  with a session');
    const again = await op.login(a, await a.signIn('acme', { callbackUrl: '/members/' }), 'alice');
    t.is(again.location, `${s.a.url}/members/`, 'and so at the other');
  }

  t.section('a provider that ends sessions');
  {
    const [port, opPort] = [await freePort(), await freePort()];
    const secret = 'a secret of the client at the provider';
    const of = (name, path) => `http://${name}.localhost:${port}/api/auth/${path}/acme`;
    const op = await startOp(t, { port: opPort, features: { backchannelLogout: { enabled: true } },
      clients: [{ client_id: 'client', client_secret: secret, redirect_uris: [of('a', 'callback'), of('b', 'callback')], backchannel_logout_uri: of('a', 'backchannel-logout').replace('a.', '') }] });
    const lines = `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=client "clientSecret=${secret}" logout=fromProvider\nNextAuthSessionStore socache checkInterval=0\nNextAuthSOCache shmcb`;
    const s = await start(`NextAuthSite company\n${lines}`, 'http://*.localhost:@PORT@ http://localhost:@PORT@', { port });
    const [a, b] = [new Client(s.a), new Client(s.b)];
    for (const c of [a, b]) await op.login(c, await c.signIn('acme', { callbackUrl: '/members/' }), 'alice');
    t.is([(await a.get('/members/')).status, (await b.get('/members/')).status], [200, 200], 'sessions at two hosts of one site');
    await op.endSession(b);
    t.is([(await a.get('/members/')).status, (await b.get('/members/')).status], [401, 401], '  end together');
    t.is(/logout= of provider/.test((await t.configtest({ files, config: config(`NextAuthSite company\n${lines}`) })).output), false, '  which needs no warning');
    t.like((await t.configtest({ files, config: config(lines) })).output, /logout= of provider 'acme' ends only the sessions of the host whose URL the provider calls: set NextAuthSite/, '  as hosts do that are apart');
  }

  t.section('what is refused at the start');
  for (const [lines, urls, says] of [
    ['', 'http://*.org', /invalid URL 'http:\/\/\*\.org': a wildcard requires a domain of two labels or more/],
    ['', 'http://a.*.example.org', /a wildcard stands for one label, the first, or for a part of it/],
    ['', 'http://a.localhost https://b.localhost', /'http:\/\/a\.localhost' and 'https:\/\/b\.localhost' differ in more than the host/],
    ['', 'http://a.localhost/x http://b.localhost/y', /differ in more than the host/],
    ['NextAuthCookie sessionToken domain=localhost.example', 'http://*.localhost.example', /domain='localhost\.example': each host has sessions of its own/],
    ['NextAuthCookie sessionToken domain=example.org\nNextAuthSite x', 'http://*.example.org http://shop.example.com', /'shop\.example\.com' is not in it/]]) {
    const wrong = await t.configtest({ files, config: config(lines, urls) });
    t.is(wrong.status === 0, false, `${urls} ${lines.split('\n')[0]} is refused`);
    t.like(wrong.output, says, '  with the reason');
  }
});
