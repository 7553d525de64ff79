#!/usr/bin/env node
'use strict';
// A site in a frame of another site: who may frame it, and the cookies that it has there.
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, makeFolder } = require('./lib/httpd.js');
const { startBrowser } = require('./lib/browser.js');
const { certify } = require('./lib/certificates.js');

const SECRET = 'NextAuthSecret 0123456789abcdef0123456789abcdef';
const framing = (url) => `<!doctype html><title>Portal</title><iframe src="${url}/members/page.html" width="600" height="600"></iframe>`;

async function headers(t) {
  const port = await freePort();
  const url = `https://localhost:${port}`;
  const config = (more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
${SECRET}
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users
${more}`;
  const site = await t.httpd({ port, files: { users: htpasswd({ ada: 'secret' }) }, config: config(`
NextAuthFrameAllow https://portal.example https://intranet.example:8443
NextAuthCookie callbackUrl sameSite=lax`) });
  const c = t.client(site);

  t.section('the pages');
  const page = await c.page('/api/auth/signin');
  t.like(page.headers['content-security-policy'], /; frame-ancestors https:\/\/portal\.example https:\/\/intranet\.example:8443; /, 'can be framed by these origins');
  t.is(page.headers['x-frame-options'], undefined, '  which X-Frame-Options cannot name');

  t.section('the cookies');
  const csrfToken = await c.csrf();
  const signedIn = await c.post('/api/auth/callback/credentials', { csrfToken, username: 'ada', password: 'secret', callbackUrl: '/' });
  const lines = [...page.setCookies, ...signedIn.setCookies];
  const of = (name) => lines.filter((line) => line.includes(name)).at(-1);
  for (const name of ['csrf-token', 'session-token']) t.like(of(name) || '', /; HttpOnly; Secure; SameSite=None; Partitioned$/, `${name} is partitioned`);
  t.like(of('callback-url') || '', /; SameSite=Lax$/, 'but not one that NextAuthCookie keeps out of frames');
  const out = await c.post('/api/auth/signout', { csrfToken: await c.csrf() });
  const ended = out.setCookies.filter((line) => /session-token=;/.test(line));
  t.is(ended.map((line) => /Partitioned$/.test(line)), [false, true], 'a sign-out also clears a cookie from before, first');
}

async function inChromium(t) {
  t.section('Chromium, which blocks all cookies of third parties but partitioned ones');
  const [port, sslPort, folder] = [await freePort(), await freePort(), makeFolder(t)];
  const origin = (host) => `https://${host}:${sslPort}`;
  const [url, portal, stranger] = ['www.shop.test', 'www.portal.test', 'www.stranger.test'].map(origin);
  certify(folder, 'web', 'shop.test', '-addext', 'subjectAltName=DNS:*.shop.test,DNS:*.portal.test,DNS:*.stranger.test');
  const host = (at, more) => `
<VirtualHost *:${sslPort}>
  ServerName ${at}
  SSLEngine On
  SSLCertificateFile ${folder}/web.pem
  SSLCertificateKeyFile ${folder}/web.key
  ${more}
</VirtualHost>`;
  await t.httpd({ port, modules: ['ssl'], global: `Listen 127.0.0.1:${sslPort}`,
    files: { users: htpasswd({ ada: 'secret' }), 'htdocs/members/page.html': '<!doctype html><title>Members</title><h1>Members only</h1>', 'htdocs/portal.html': framing(url) },
    config: host(portal, '') + host(stranger, '') + host(url, `
  NextAuthEngine On
  NextAuthMode test
  NextAuthURL ${url}
  ${SECRET}
  NextAuthSessionStore none
  NextAuthProvider credentials backend=file:@DIR@/users
  NextAuthFrameAllow ${portal}
  <Location /members/>
    AuthType NextAuth
    Require valid-user
  </Location>`) });
  const browser = await startBrowser(t, ['--host-resolver-rules=MAP *.test 127.0.0.1', '--test-third-party-cookie-phaseout',
    '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable']);
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const frame = page.frameLocator('iframe');
  await page.goto(`${portal}/portal.html`);
  await frame.locator('#username-credentials').fill('ada');
  await frame.locator('[type=password]').fill('secret');
  await frame.locator('[type=password]').press('Enter');
  t.is(await frame.locator('h1').filter({ hasText: 'Members' }).innerText(), 'Members only', 'a sign-in in the frame');
  await page.reload();
  t.is(await frame.locator('h1').innerText(), 'Members only', '  is still there when the page is loaded again');

  const top = await context.newPage();
  await top.goto(`${url}/members/page.html`);
  t.like(top.url(), /\/api\/auth\/signin\?/, 'the site itself has a session of its own');
  await top.locator('#username-credentials').fill('ada');
  await top.locator('[type=password]').fill('secret');
  await top.locator('[type=password]').press('Enter');
  await top.waitForURL(`${url}/members/page.html`);
  t.is(await top.locator('h1').innerText(), 'Members only', '  which begins as ever');

  const refused = top.waitForEvent('console', { predicate: (message) => /frame-ancestors/.test(message.text()) });
  await top.goto(`${stranger}/portal.html`);
  t.like((await refused).text(), /frame-ancestors/, 'no other site gets to frame the sign-in page');
}

suite('In a frame of another site', async (t) => {
  t.inOneRound();
  await headers(t);
  await inChromium(t);
});
