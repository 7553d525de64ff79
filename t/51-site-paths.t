#!/usr/bin/env node
'use strict';
// Sites that are not at the root of their host: what NextAuthURL's path and NextAuthBasePath mean
// alone, together, and behind a proxy that takes the site's path off.
const { suite } = require('./lib/suite.js');
const { check, freePort, htpasswd } = require('./lib/httpd.js');

const config = (address) => `
NextAuthEngine On
NextAuthMode test
${address}
NextAuthSecret "the secret of a site that is below another"
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users
<LocationMatch "^(/app)?/members/">
  AuthType NextAuth
  Require valid-user
</LocationMatch>`;
const files = { users: htpasswd({ ada: 'x' }), 'htdocs/app/members/index.html': 'members\n' };

async function signIn(c, base, fields = {}) {
  const { csrfToken } = (await c.get(`${base}/csrf`)).json;
  return c.post(`${base}/callback/credentials`, { csrfToken, username: 'ada', password: 'x', ...fields });
}

suite('Where a site is, and where its endpoints are', async (t) => {
  t.section('NextAuthURL with a path');
  {
    const site = await t.httpd({ files, config: config('NextAuthURL http://localhost:@PORT@/my/auth') });
    const c = t.client(site);
    t.is((await c.get('/my/auth/providers')).json.credentials.callbackUrl, `${site.url}/my/auth/callback/credentials`, 'that is where the endpoints are, as NEXTAUTH_URL has it');
    t.is((await c.get('/api/auth/providers')).status, 404, 'and nowhere else');
    t.is((await signIn(c, '/my/auth')).location, site.url, 'the site is at the root of the host');
  }

  t.section('with NextAuthBasePath below it');
  {
    const site = await t.httpd({ files, config: config('NextAuthURL http://localhost:@PORT@/app\nNextAuthBasePath /app/api/auth') });
    const c = t.client(site);
    const away = await c.page('/app/members/');
    t.is(away.location, `${site.url}/app/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/app/members/`)}`, 'the endpoints are there');
    t.is((await c.get('/app/other')).status, 404, 'and other paths of the site are no endpoints');
    t.is((await signIn(c, '/app/api/auth')).location, `${site.url}/app`, 'the start page is the site\'s');
    t.is((await c.page('/app/members/')).status, 200, 'signed in');
  }

  t.section('a proxy in front that takes the path off');
  {
    const port = await freePort();
    const site = await t.httpd({ files, config: config(`NextAuthURL http://localhost:${port}/app\nNextAuthBasePath /api/auth`) });
    const front = await t.httpd({ port, without: true, config: `ProxyPass /app/ http://localhost:${site.port}/` });
    const c = t.client(front);
    const away = await c.page('/app/members/');
    const page = `${front.url}/app/api/auth/signin?callbackUrl=${encodeURIComponent(`${front.url}/app/members/`)}`;
    t.is([away.status, away.location], [302, page], 'who is not signed in is sent to where browsers find the page');
    t.like((await c.page(away.location)).text, new RegExp(`action="${front.url}/app/api/auth/callback/credentials"`), 'whose form goes there, too');
    t.is((await c.get('/app/api/auth/providers')).json.credentials.callbackUrl, `${front.url}/app/api/auth/callback/credentials`, 'and so do providers');
    const back = await signIn(c, '/app/api/auth', { callbackUrl: `${front.url}/app/members/` });
    t.is(back.location, `${front.url}/app/members/`, 'the sign-in leads back');
    t.is((await c.page('/app/members/')).status, 200, 'signed in');
    t.is((await signIn(t.client(front), '/app/api/auth')).location, `${front.url}/app`, 'the start page is the site\'s');
  }

  t.section('what does not fit is warned of');
  const whole = (address) => ({ files, config: config(address).replace('NextAuthMode test', 'NextAuthMode development') });
  for (const [address, says] of [
    ['NextAuthURL http://localhost/app', /all paths below \/app are endpoints: add NextAuthBasePath \/app\/api\/auth if the site is at \/app/],
    ['NextAuthURL http://localhost/app\nNextAuthBasePath /api/auth', /\/api\/auth is not below \/app: browsers use the endpoints at http:\/\/localhost\/app\/api\/auth, so a reverse proxy must remove \/app from paths: set NextAuthBasePath \/app\/api\/auth if there is no such proxy/],
    ['NextAuthURL http://localhost/app\nNextAuthBasePath /application/auth', /\/application\/auth is not below \/app/]]) {
    const { status, output } = await t.configtest(whole(address));
    t.is(status, 0, `${address.replace('\n', ', ')} is taken`);
    t.like(output, says, '  and configtest says how');
    const { told } = await check(t, whole(address), ['--json']);
    t.is(told.findings.filter(({ subject, state }) => subject === 'NextAuthURL' && state === 'warning').length, 1, '  as does check');
  }
  for (const address of ['NextAuthURL http://localhost', 'NextAuthURL http://localhost/', 'NextAuthURL http://localhost/a/auth', 'NextAuthURL http://localhost/app\nNextAuthBasePath /app/api/auth', 'NextAuthURL http://localhost\nNextAuthBasePath /auth']) {
    t.unlike((await t.configtest(whole(address))).output, /endpoints/, `${address.replace('\n', ', ')} fits`);
  }
});
