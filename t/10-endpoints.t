#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');

const HTML = { accept: 'text/html' };

suite('The endpoints answer as next-auth v4 does', async (t) => {
  const site = await t.httpd({
    files: { users: htpasswd({ ada: 'secret', 'bob@example.org': 'secret' }) },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider acme type=oidc name=Acme issuer=http://localhost:1 clientId=c clientSecret=s
NextAuthSessionClaim sub roles
NextAuthRole admin "%{USER:id} == 'ada'"
NextAuthClearSiteData cache storage
NextAuthRedirectAllow https://other.example.org`,
  });
  const base = `${site.url}/api/auth`;

  t.section('csrf');
  {
    const c = t.client(site);
    const answer = await c.get('/api/auth/csrf');
    t.is(answer.status, 200, 'csrf answers');
    t.is(Object.keys(answer.json), ['csrfToken'], 'with the token alone');
    t.like(answer.json.csrfToken, /^[0-9a-f]{64}$/, 'of 64 hex digits');
    t.is(answer.headers['cache-control'], 'private, no-cache, no-store', 'uncached');
    t.is(answer.headers.pragma, 'no-cache', 'for old caches too');
    t.is(answer.headers.expires, '0', 'and the oldest');
    t.like(answer.headers['content-type'], /^application\/json/, 'as JSON');
    t.like(answer.setCookies[0], /^next-auth\.csrf-token=[0-9a-f]{64}%7C[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Lax$/,
      'the cookie is token|hash');
    const again = await c.get('/api/auth/csrf');
    t.is(again.json, answer.json, 'a good cookie keeps its token');
    t.is(again.setCookies, [], 'and is not set again');
    c.cookies.get('next-auth.csrf-token').value = 'a'.repeat(64) + '%7C' + 'b'.repeat(64);
    t.isnt((await c.get('/api/auth/csrf')).json, answer.json, 'a forged one is replaced');
  }

  t.section('providers');
  {
    const answer = await t.client(site).get('/api/auth/providers');
    t.is(answer.json, {
      credentials: { id: 'credentials', name: 'Credentials', type: 'credentials',
        signinUrl: `${base}/signin/credentials`, callbackUrl: `${base}/callback/credentials` },
      acme: { id: 'acme', name: 'Acme', type: 'oauth',
        signinUrl: `${base}/signin/acme`, callbackUrl: `${base}/callback/acme` },
    }, 'providers by id, OpenID Connect being oauth to v4');
    t.is(answer.headers['cache-control'], undefined, 'without cache headers');
    t.is(answer.setCookies, [], 'or cookies, as caches keep it');
  }

  t.section('who sets the form\'s token');
  {
    const sets = async (method, path) => {
      const c = t.client(site);
      const answer = method === 'GET' ? await c.page(`/api/auth/${path}`) : await c.post(`/api/auth/${path}`, {});
      return answer.setCookies.some((cookie) => cookie.startsWith('next-auth.csrf-token='));
    };
    for (const path of ['csrf', 'signin', 'signout']) t.ok(await sets('GET', path), `GET ${path} does`);
    for (const path of ['providers', 'session', 'error', 'verify-request', 'callback/acme']) t.ok(!(await sets('GET', path)), `GET ${path} does not`);
    for (const path of ['_log', 'session', 'signin/acme', 'signout']) t.ok(!(await sets('POST', path)), `POST ${path} does not`);
    t.is((await t.client(site).post('/api/auth/_log', {})).setCookies, [], 'POST _log sets no cookie at all');
    const c = t.client(site);
    const [{ json }] = await Promise.all([c.get('/api/auth/csrf'), c.get('/api/auth/session'), c.get('/api/auth/providers')]);
    t.is((await c.post('/api/auth/signout', { csrfToken: json.csrfToken })).location, site.url, 'so that first requests at once lose no form');
  }

  t.section('signing in and out');
  {
    const c = t.client(site);
    const answer = await c.credentials('ada', 'secret', { callbackUrl: '/members/?x=1' });
    t.is([answer.status, answer.location, answer.text], [302, `${site.url}/members/?x=1`, ''],
      'a good password leads to callbackUrl');
    const line = answer.setCookies.find((cookie) => cookie.startsWith('next-auth.session-token='));
    t.like(line, /^next-auth\.session-token=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0\.\.[\w-]+\.[\w-]+\.[\w-]+; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Lax$/,
      'with next-auth\'s session cookie');
    t.ok(answer.setCookies.some((cookie) => cookie.startsWith('next-auth.callback-url=')), 'callbackUrl is remembered');

    const session = await c.get('/api/auth/session');
    t.is(session.json.user, { name: 'ada', id: 'ada', roles: ['admin'] }, 'the session shows what it may');
    t.like(session.json.expires, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, 'and when it ends');
    t.is(session.headers['cache-control'], 'private, no-cache, no-store', 'uncached');
    t.ok(session.setCookies.some((cookie) => cookie.startsWith('next-auth.session-token=ey')), 'and lasts longer for it');

    const update = await c.post('/api/auth/session', { csrfToken: await c.csrf(), data: { name: 'root', roles: ['x'] } }, { json: true });
    t.is([update.status, update.json.user], [200, { name: 'ada', id: 'ada', roles: ['admin'] }], 'update() re-issues, and believes nothing');
    const forged = await c.post('/api/auth/session', { csrfToken: 'x' }, { json: true });
    t.is([forged.status, forged.json], [400, {}], 'without the CSRF token it is 400');

    const bad = await c.post('/api/auth/signout', { csrfToken: 'x' });
    t.is([bad.status, bad.location], [302, `${base}/signout?csrf=true`], 'nor can anybody else sign you out');
    t.isnt(c.cookie('next-auth.session-token'), undefined, 'you are still signed in');
    const out = await c.signOut({ callbackUrl: '/public.html' });
    t.is([out.status, out.location], [302, `${site.url}/public.html`], 'signing out leads to callbackUrl');
    t.ok(out.setCookies.includes('next-auth.session-token=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'), 'and clears the cookie');
    t.is(await c.session(), {}, 'then there is no session: {}');
    t.is([out.headers['clear-site-data'], bad.headers['clear-site-data'], session.headers['clear-site-data']], ['"cache", "storage"', undefined, undefined], 'and the browser forgets what the administrator says');
  }

  t.section('v4\'s client asks with json=true');
  {
    const c = t.client(site);
    const bad = await c.credentials('ada', 'wrong', { json: 'true' });
    t.is([bad.status, bad.location, bad.json], [401, undefined, { url: `${base}/error?error=CredentialsSignin&provider=credentials` }],
      'a wrong password is 401');
    const good = await c.credentials('ada', 'secret', { json: 'true', callbackUrl: `${site.url}/admin/` });
    t.is([good.status, good.json], [200, { url: `${site.url}/admin/` }], 'a good one 200');
    const out = await c.signOut({ json: 'true' });
    t.is([out.status, out.json], [200, { url: `${site.url}/admin/` }], 'signing out is 200, callbackUrl remembered');
    t.ok(new URL(out.json.url), 'with an absolute address');
    const plain = await c.credentials('ada', 'wrong');
    t.is([plain.status, plain.location], [302, `${base}/error?error=CredentialsSignin&provider=credentials`], 'a form is redirected');
    const error = await c.get(plain.location);
    t.is([error.status, error.location], [302, `${base}/signin?error=CredentialsSignin`], 'and again to the sign-in page');
  }

  t.section('v5\'s client asks with a header');
  {
    const c = t.client(site);
    const headers = { 'x-auth-return-redirect': '1' };
    const bad = await c.post('/api/auth/callback/credentials', { csrfToken: await c.csrf(), username: 'ada', password: 'wrong' }, { headers });
    t.is([bad.status, bad.json], [200, { url: `${base}/signin?error=CredentialsSignin&code=credentials` }], 'a wrong password is 200 with a code');
    const good = await c.post('/api/auth/callback/credentials', { csrfToken: await c.csrf(), username: 'ada', password: 'secret', callbackUrl: '/x' }, { headers });
    t.is([good.status, good.json], [200, { url: `${site.url}/x` }], 'a good one 200');
    const choice = await c.post('/api/auth/signin', { csrfToken: await c.csrf() }, { headers });
    t.is([choice.status, choice.json], [200, { url: `${base}/signin` }], 'who names no provider may choose one');
  }

  t.section('POST signin');
  {
    const c = t.client(site);
    t.is((await c.post('/api/auth/signin/acme', { csrfToken: 'no' })).location, `${base}/signin?csrf=true`, 'needs the CSRF token');
    t.is((await c.post(`/api/auth/signin/acme?csrfToken=${await c.csrf()}`, {})).location, `${base}/signin?csrf=true`, 'in the body');
    t.is((await c.signIn('nobody')).location, `${base}/signin?csrf=true`, 'and a provider that is there');
    t.like(site.log(), /\[nextauth:warn\].*unknown provider 'nobody' \(SIGNIN_OAUTH_ERROR/, '  which the log tells');
    t.is((await c.signIn('credentials')).location, `${base}/signin`, 'credentials go to the page');
    t.is((await c.signIn('acme')).location, `${base}/error?error=OAuthSignin`, 'a provider that is down is OAuthSignin');
    const json = await c.post('/api/auth/signin/acme', { csrfToken: await c.csrf(), json: 'true' }, { json: true });
    t.is([json.status, json.json], [200, { url: `${base}/error?error=OAuthSignin` }], 'a JSON body is as good as a form');
  }

  t.section('pages');
  {
    const c = t.client(site);
    const page = await c.get('/api/auth/signin?callbackUrl=/deep%3Fa=%22%3E%3Cscript%3E&email=%22%3E%3Cb%3E', { headers: HTML });
    t.is(page.status, 200, 'the sign-in page');
    t.like(page.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'.*base-uri 'none'/, 'has a strict policy');
    t.unlike(page.headers['content-security-policy'], /unsafe|script/, 'that runs no script');
    t.is(page.headers['x-frame-options'], 'DENY', 'is not framed');
    t.is(['opener', 'resource'].map((name) => page.headers[`cross-origin-${name}-policy`]), ['same-origin', 'same-origin'], 'nor held by a window or a page of another origin');
    t.is(page.headers['x-content-type-options'], 'nosniff', 'nor sniffed');
    t.unlike(page.text, /<script|<b>/, 'and escapes what it was told');
    t.like(page.text, /<label for="username-credentials">.*<input id="username-credentials"/s, 'its fields have labels');
    t.like(page.text, /action="[^"]*\/signin\/acme".*name="csrfToken".*name="callbackUrl" value="[^"]*\/deep/s, 'its forms carry the token and where to go');
    t.like((await c.get('/api/auth/signin?error=CredentialsSignin')).text, /role="alert"/, 'an error is announced');
    t.like((await c.get('/api/auth/signout')).text, /action="[^"]*\/signout"/, 'the sign-out page asks');
    t.like((await c.get('/api/auth/verify-request')).text, /email/, 'so there is a page to wait at');
    for (const [code, status] of [['Configuration', 500], ['AccessDenied', 403], ['Verification', 403], ['accessdenied', 403], ['Other', 200]]) {
      t.is((await c.get(`/api/auth/error?error=${code}`)).status, status, `the error page for ${code} is ${status}`);
    }
    for (const code of ['OAuthCallback', 'OAuthSignin', 'Callback', 'SessionRequired', 'OAuthAccountNotLinked']) {
      t.is((await c.get(`/api/auth/error?error=${code}`)).location, `${base}/signin?error=${code}`, `${code} is shown at the sign-in page`);
    }
  }

  t.section('what is no endpoint');
  {
    const c = t.client(site);
    for (const [method, path] of [['GET', ''], ['GET', '/nothing'], ['PUT', '/session'], ['POST', '/csrf'], ['GET', '/_log'], ['DELETE', '/signout'], ['GET', '/signin/acme/more']]) {
      const answer = await c.send(`/api/auth${path}`, { method, body: method === 'GET' ? undefined : '' });
      t.is([answer.status, answer.text], [400, `Error: This action with HTTP ${method} is not supported by NextAuth.js`], `${method} ${path || '/'}`);
    }
    t.is((await c.get('/api/authentic')).status, 404, 'a path that only begins alike is the site\'s');
    t.is((await c.post('/api/auth/_log', { level: 'error' })).status, 200, 'v4\'s error reports are taken');
  }

  t.section('HEAD, and methods that no endpoint has');
  {
    const c = t.client(site);
    for (const path of ['session', 'csrf', 'providers', 'signin', 'signout', 'error?error=Verification', 'verify-request', 'nothing', 'callback/acme?code=x&state=y']) {
      const ask = async (method) => {
        const answer = await t.raw(site.port, `${method} /api/auth/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/html\r\n\r\n`);
        const [head, ...body] = answer.split('\r\n\r\n');
        return { head: head.split('\r\n').filter((line) => line !== 'Content-Length: 0').map((line) => line.replace(/^(Set-Cookie: [^=]*|Content-Security-Policy|Date|X-Request-Id).*/i, '$1')), body: body.join('') };
      };
      const [get, head] = [await ask('GET'), await ask('HEAD')];
      t.is([head.head, head.body], [get.head, ''], `HEAD ${path} is what GET is, without the body`);
    }
    for (const method of ['OPTIONS', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND', 'FOO', 'get']) {
      const answers = await Promise.all(['session', 'csrf', 'signin', 'signout', 'callback/acme'].map((path) => t.raw(site.port, `${method} /api/auth/${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nCookie: next-auth.session-token=in-the-echo\r\n\r\n`)));
      t.is(answers.map((answer) => /^HTTP\/1\.1 400 /.test(answer) && answer.endsWith(`Error: This action with HTTP ${method} is not supported by NextAuth.js`)), [true, true, true, true, true], `${method} is refused in NextAuth's words`);
      t.ok(!answers.some((answer) => /in-the-echo|Set-Cookie: next-auth\.csrf/.test(answer)), '  without an echo or a form\'s cookie');
    }
    t.like(await t.raw(site.port, 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'), /^HTTP\/1\.1 200 /, 'OPTIONS * is httpd\'s');
  }

  t.section('open redirects');
  {
    const start = `${site.url}`;
    for (const url of ['//evil.org', '/\\evil.org', 'https://evil.org/', `${site.url}@evil.org/`, 'javascript:alert(1)',
      '%2f%2fevil.org', '\thttps://evil.org', 'https:evil.org', `${site.url}.evil.org/`, '/a\r\nX-Evil: 1', `http://localhost:${site.port + 1}/`,
      'https://evil.org\\@localhost/']) {
      const c = t.client(site);
      const answer = await c.credentials('ada', 'secret', { callbackUrl: url });
      t.is([answer.location, answer.headers['x-evil']], [start, undefined], `callbackUrl ${JSON.stringify(url)} leads home`);
    }
    const c = t.client(site);
    t.is((await c.credentials('ada', 'secret', { callbackUrl: 'https://other.example.org/x' })).location, 'https://other.example.org/x', 'but an allowed origin is followed');
    c.cookies.set('next-auth.callback-url', { value: 'https%3A%2F%2Fevil.org', path: '/' });
    const answer = await c.get('/api/auth/csrf');
    t.is(answer.status, 200, 'a bad callback-url cookie kills nothing');
    t.ok(answer.setCookies.some((cookie) => cookie.startsWith(`next-auth.callback-url=${encodeURIComponent(site.url)};`)), 'and is replaced');
  }

  t.section('odd and long addresses');
  for (const [url, encoded] of [
    ['/a b', '/a%20b'], ['/gr\u00fc\u00dfe?q=\u4f60 \u597d', '/gr%C3%BC%C3%9Fe?q=%E4%BD%A0%20%E5%A5%BD'], [`${site.url}/a b#c d`, '/a%20b#c%20d'],
    ['/a%20b?x=1&y=%2F', '/a%20b?x=1&y=%2F'], [`/${'d'.repeat(2030)}`, `/${'d'.repeat(2030)}`], [`/${'e'.repeat(6000)}?x=\u00fc`, `/${'e'.repeat(6000)}?x=%C3%BC`],
  ]) {
    const c = t.client(site);
    const answer = await c.credentials('ada', 'secret', { callbackUrl: url });
    t.ok(answer.location === `${site.url}${encoded}`, `${url.slice(0, 40)} leads there`, answer.location);
    t.ok(answer.setCookies.every((cookie) => cookie.split(';')[0].length <= 4096), '  with no cookie that a browser drops');
  }
  for (const url of [`/${'f'.repeat(8200)}`, `/${'\u00fc'.repeat(2000)}`, `/a\u00fc\nb`, `${site.url.replace('localhost', 'loc\u00e4lhost')}/`, `${site.url} /x`, ' /x']) {
    t.ok((await t.client(site).credentials('ada', 'secret', { callbackUrl: url })).location === site.url, `${JSON.stringify(url).slice(0, 40)} leads home`);
  }
  {
    const deep = `/${'g'.repeat(2000)}?q=\u00fc`;
    const c = t.client(site);
    await c.credentials('ada', 'secret', { callbackUrl: '/before' });
    const there = await c.credentials('ada', 'secret', { callbackUrl: `/${'h'.repeat(5000)}` });
    t.ok(there.setCookies.some((cookie) => cookie.startsWith('next-auth.callback-url=; Max-Age=0')), 'one that no cookie holds leaves no earlier one');
    const page = await c.page(`/api/auth/signin?callbackUrl=${encodeURIComponent(deep)}`);
    t.ok(page.text.includes(`value="${site.url}/${'g'.repeat(2000)}?q=%C3%BC"`), 'the sign-in page carries a long one on');
  }

  t.section('hostile bodies');
  {
    const c = t.client(site);
    t.is((await c.send('/api/auth/signout', { method: 'POST', body: 'x'.repeat(70_000), headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 413, 'a body of 70 KB is refused');
    const form = (bytes) => ({ method: 'POST', body: 'x'.repeat(bytes), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    t.is((await c.send('/api/auth/signout', form(64 * 1024))).status, 302, 'one of 64 KiB is read');
    t.is((await c.send('/api/auth/signout', form(64 * 1024 + 1))).status, 413, 'a byte more is not');
    t.is((await c.send('/api/auth/signout', { method: 'POST', body: '{"a":', headers: { 'content-type': 'application/json' } })).status, 400, 'broken JSON is refused, as Auth.js does');
    t.is((await c.send('/api/auth/signout', { method: 'POST', body: '[['.repeat(20_000), headers: { 'content-type': 'application/json' } })).status, 400, 'so is very deep JSON');
    t.is((await c.send('/api/auth/signout', { method: 'POST', body: 'csrfToken=%00&%', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).status, 302, 'nor a broken form');
    t.is((await c.get('/api/auth/csrf', { headers: { cookie: 'next-auth.csrf-token=%7C; =; ;;;next-auth.session-token' } })).status, 200, 'odd cookies are survived');
    t.ok(site.alive(), 'the server is there');
  }
});
