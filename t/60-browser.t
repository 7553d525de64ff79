#!/usr/bin/env node
'use strict';
// Chromium, a certified OpenID Provider, and next-auth's own client: what people meet at a site.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { startOp, accounts, password } = require('./lib/op.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { startBrowser, openTab, newTab, screenshot, contrasts, controls, tabOrder, overflows } = require('./lib/browser.js');

const { alice } = accounts;
const read = (name) => fs.readFileSync(path.join(__dirname, 'browser', name), 'utf8');

// The client as a site bundles it. next-auth/react looks into process.env, which Next.js replaces
// at build time; nothing of next-auth is.
function bundle() {
  const { outputFiles } = require('esbuild').buildSync({
    entryPoints: [path.join(__dirname, 'browser', 'client.jsx')], bundle: true, write: false, format: 'iife', target: 'es2022',
    jsx: 'automatic', define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}' }, logLevel: 'error' });
  return outputFiles[0].text;
}

const startPage = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Start</title>
<h1>Start</h1><a id="deep" href="/members/?part=2&amp;q=%C3%A4">Members</a> <a id="app" href="/app/report?x=1">Report</a>`;

async function startSite(t) {
  const port = await freePort();
  const client = { client_id: 'site', client_secret: 'the secret of the site at the provider', redirect_uris: [`http://localhost:${port}/api/auth/callback/acme`] };
  const op = await startOp(t, { clients: [client] });
  const app = await startApp(t);
  return t.httpd({
    port,
    files: { users: htpasswd({ ada: 'secret' }), 'htdocs/index.html': startPage, 'htdocs/favicon.ico': '',
      'htdocs/client.html': read('client.html'), 'htdocs/client.js': bundle() },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider acme type=oidc name=Acme issuer=${op.issuer} clientId=${client.client_id} "clientSecret=${client.client_secret}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRole admin "%{USER:email} == '${alice.email}'"
NextAuthSessionClaim sub roles
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /app/>
  AuthType NextAuth
  Require nextauth-role admin
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`,
  });
}

const heading = (page) => page.locator('h1').innerText();
const cookieNames = async (page) => (await page.context().cookies()).map(({ name }) => name);
const sessionCookie = 'next-auth.session-token';

// The provider's own form.
async function signInThere(page) {
  await page.fill('input[name=login]', 'alice');
  await page.fill('input[name=password]', password);
  await page.getByRole('button', { name: 'Continue' }).click();
}

async function withoutScript(t, site, browser) {
  const page = await openTab(browser, site, { javaScriptEnabled: false });

  t.section('no script: a deep link, through the provider, and back');
  await page.goto(`${site.url}/`);
  await page.click('#deep');
  t.is(await heading(page), 'Sign in', 'a protected page asks for a sign-in');
  t.is(new URL(page.url()).pathname, '/api/auth/signin', 'at the built-in page');
  await page.click('#signin-acme');
  t.isnt(new URL(page.url()).origin, site.url, 'which leads to the provider');
  await signInThere(page);
  await page.waitForURL(`${site.url}/**`);
  t.is(page.url(), `${site.url}/members/?part=2&q=%C3%A4`, 'and from there to the very page, query and all');
  t.is((await page.locator('body').innerText()).trim(), 'the members page', 'which is shown');
  t.ok((await cookieNames(page)).includes(sessionCookie), 'there is a session cookie');
  t.is((await cookieNames(page)).filter((name) => /state|pkce|nonce/.test(name)), [], 'and none is left of the sign-in');

  t.section('no script: the application behind the proxy');
  await page.goto(`${site.url}/`);
  await page.click('#app');
  const told = JSON.parse(await page.locator('body').innerText());
  t.is(told.url, '/report?x=1', 'it is asked for its page');
  t.is(told.user, { 'x-nextauth-user': 'alice', 'x-nextauth-email': alice.email, 'x-nextauth-name': alice.name,
    'x-nextauth-roles': 'admin', 'x-nextauth-provider': 'acme' }, 'and told who asks');

  t.section('no script: signing out');
  await page.goto(`${site.url}/api/auth/signout?callbackUrl=${encodeURIComponent('/public.html')}`);
  t.is(await heading(page), 'Sign out', 'the page asks');
  t.ok((await cookieNames(page)).includes(sessionCookie), 'and does nothing before the answer');
  await page.click('#submitButton');
  t.is(page.url(), `${site.url}/public.html`, 'the answer leads to callbackUrl');
  t.ok(!(await cookieNames(page)).includes(sessionCookie), 'the cookie is gone');
  await page.goto(`${site.url}/members/`);
  t.is(await heading(page), 'Sign in', 'and the protected page asks again');

  t.section('no script: a password');
  await page.goto(`${site.url}/members/?again=1`);
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill('wrong');
  await page.click('#signin-credentials');
  t.is(await page.getByRole('alert').innerText(), 'Sign-in failed. Check your details and try again.', 'a wrong one is an alert');
  t.ok(!(await cookieNames(page)).includes(sessionCookie), 'and no session');
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill('secret');
  await page.keyboard.press('Enter');
  await page.waitForURL(`${site.url}/members/**`);
  t.is(page.url(), `${site.url}/members/?again=1`, 'the right one leads to the page that was asked for');
  t.is(page.complaints, [], 'the browser complained of nothing');
  await page.context().close();
}

async function nextAuthClient(t, site, browser) {
  const page = await openTab(browser, site);
  const base = `${site.url}/api/auth`;
  const call = (name, ...args) => page.evaluate(([fn, given]) => window.client[fn](...given), [name, args]);
  const statuses = () => page.evaluate(() => window.client.statuses);
  const shows = async (status, tab = page) => tab.waitForFunction((wanted) => document.getElementById('status')?.textContent === wanted, status);
  const open = async (query, status) => { await page.goto(`${site.url}/client.html${query}`); await shows(status); };
  const asked = [];
  page.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
  const asks = () => asked.filter((line) => line === `GET ${base}/session`).length;

  t.section('next-auth/react: who is there');
  await open('', 'unauthenticated');
  t.is(await statuses(), ['loading', 'unauthenticated'], 'useSession: loading, then unauthenticated');
  t.is(await call('getSession'), null, 'getSession() is null');
  const providers = await call('getProviders');
  t.is(Object.values(providers).map(({ id, name, type }) => [id, name, type]).sort(),
    [['acme', 'Acme', 'oauth'], ['credentials', 'Credentials', 'credentials']], 'getProviders()');
  const token = await call('getCsrfToken');
  t.like(token, /^[0-9a-f]{64}$/, 'getCsrfToken()');
  t.is(await call('getCsrfToken'), token, 'is the same when asked again');

  t.section('next-auth/react: a password, without leaving the page');
  t.is(await call('signIn', 'credentials', { redirect: false, username: 'ada', password: 'wrong' }),
    { error: 'CredentialsSignin', status: 401, ok: false, url: null }, 'signIn() with a wrong one');
  t.is(await statuses(), ['loading', 'unauthenticated'], 'changes nothing');
  t.is(await call('signIn', 'credentials', { redirect: false, username: 'ada', password: 'secret', callbackUrl: '/members/' }),
    { error: null, status: 200, ok: true, url: `${site.url}/members/` }, 'signIn() with the right one: ok, and an absolute address');
  await shows('authenticated');
  t.is(await statuses(), ['loading', 'unauthenticated', 'authenticated'], 'useSession: authenticated');
  t.is(await page.locator('#name').innerText(), 'ada', 'and who');
  t.is((await call('getSession')).user, { name: 'ada', id: 'ada', roles: [] }, 'getSession()');

  t.section('next-auth/react: update()');
  const before = (await page.context().cookies()).find(({ name }) => name === sessionCookie).value;
  const updated = await call('update', { name: 'root', roles: ['admin'] });
  t.is(updated.user, { name: 'ada', id: 'ada', roles: [] }, 'resolves to the session; what the page says of itself is not believed');
  t.isnt((await page.context().cookies()).find(({ name }) => name === sessionCookie).value, before, 'the cookie is new');
  t.ok(asked.includes(`POST ${base}/session`), 'it was a POST');
  await shows('authenticated');

  t.section('next-auth/react: the session is asked for again');
  let count = asks();
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await page.waitForTimeout(500);
  t.ok(asks() > count, 'when the tab comes to the front');
  await open('?refetch=1', 'authenticated');
  count = asks();
  await page.waitForTimeout(2_600);
  t.ok(asks() >= count + 2, 'and every refetchInterval', `${asks() - count} times in 2.6 s`);
  t.is(await statuses(), ['loading', 'authenticated'], 'still authenticated');

  t.section('next-auth/react: signing out, without leaving the page');
  const other = await newTab(page.context(), site);
  await other.goto(`${site.url}/client.html`);
  await shows('authenticated', other);
  await open('', 'authenticated');
  t.is(await call('signOut', { redirect: false, callbackUrl: '/public.html' }), { url: `${site.url}/public.html` }, 'signOut() resolves to an absolute address');
  await shows('unauthenticated');
  t.is(await statuses(), ['loading', 'authenticated', 'unauthenticated'], 'useSession: unauthenticated');
  t.ok(!(await cookieNames(page)).includes(sessionCookie), 'the cookie is gone');
  await shows('unauthenticated', other);
  t.is(await other.locator('#status').innerText(), 'unauthenticated', 'the other tab notices');
  await other.close();

  t.section('next-auth/react: through the provider');
  await page.evaluate(() => { window.client.signIn('acme', { callbackUrl: '/client.html?back' }); });
  await page.waitForSelector('input[name=login]');
  t.isnt(new URL(page.url()).origin, site.url, 'signIn(\'acme\') leads to the provider');
  await signInThere(page);
  await page.waitForURL(`${site.url}/client.html?back`);
  await shows('authenticated');
  t.is(await page.locator('#name').innerText(), alice.name, 'and back, with the name it gave');
  t.is((await call('getSession')).user, { name: alice.name, email: alice.email, image: alice.picture, id: 'alice', roles: ['admin'] }, 'getSession()');

  t.section('next-auth/react: signing out, with a redirect');
  await page.evaluate(() => { window.client.signOut({ callbackUrl: '/public.html' }); });
  await page.waitForURL(`${site.url}/public.html`);
  t.ok(!(await cookieNames(page)).includes(sessionCookie), 'signOut() leads to callbackUrl, without the cookie');

  t.section('next-auth/react: pages for signed-in users');
  await page.goto(`${site.url}/client.html?required`);
  await page.waitForURL(`${base}/signin?**`);
  t.is(await page.getByRole('alert').innerText(), 'Please sign in to access this page.', 'useSession({ required }) leads to the sign-in page, which says why');
  await page.evaluate((to) => { location.href = to; }, `${site.url}/client.html`);
  await shows('unauthenticated');
  await page.evaluate(() => { window.client.signIn(); });
  await page.waitForURL(`${base}/signin?**`);
  await page.getByLabel('Username').fill('ada');
  await page.getByLabel('Password').fill('secret');
  await page.click('#signin-credentials');
  await page.waitForURL(`${site.url}/client.html`);
  await shows('authenticated');
  t.is(await page.locator('#name').innerText(), 'ada', 'signIn() with no provider leads to the page, and back');
  t.is(page.complaints.filter((text) => !/401/.test(text)), [], 'the browser complained of nothing but the wrong password');
  await page.context().close();
}

// A database without tables, and a limit of one: what the client makes of answers that are none.
async function refusals(t, browser) {
  const site = await t.httpd({
    files: { users: htpasswd({ ada: 'secret' }), 'htdocs/favicon.ico': '', 'htdocs/client.html': read('client.html'), 'htdocs/client.js': bundle() },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthDatabase sqlite:@DIR@/without-tables.db
NextAuthRateLimit signIn 1/3600
NextAuthProvider credentials backend=file:@DIR@/users`,
  });
  const page = await openTab(browser, site);
  const signIn = (password) => page.evaluate((given) => window.client.signIn('credentials', { redirect: false, username: 'ada', password: given }), password);
  t.section('next-auth/react: refusals');
  await page.goto(`${site.url}/client.html`);
  await page.waitForFunction(() => document.getElementById('status')?.textContent === 'unauthenticated');
  t.is(await signIn('secret'), { error: 'Unavailable', status: 503, ok: false, url: null }, 'signIn() resolves where the server cannot tell');
  t.is((await signIn('wrong')).status, 401, 'and with a wrong password');
  t.is(await signIn('wrong'), { error: 'RateLimited', status: 429, ok: false, url: null }, 'and where there were too many');
  await page.context().close();
}

// Browsers let no such letter into an input of type=email.
async function lettersBeyondAscii(t, browser) {
  const here = databasesHere();
  t.section('an email address with letters beyond ASCII');
  if (!here.sqlite) return t.skip('a mailed link', `install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ files: { 'htdocs/favicon.ico': '' }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider email` });
  const page = await openTab(browser, site);
  await page.goto(`${site.url}/api/auth/signin`);
  await page.getByLabel('Email').fill('Jörg@Bücher.example');
  await page.getByLabel('Email').press('Enter');
  await page.waitForURL(`${site.url}/api/auth/verify-request?**`);
  await until('a mail arrives', () => mail.mails.length);
  await page.goto(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  t.is(await page.locator('strong').innerText(), 'jörg@xn--bcher-kva.example', 'the mailed link leads to a page that shows the address');
  await page.click('#confirmButton');
  await page.waitForURL(`${site.url}/`);
  const session = await page.evaluate(async () => (await fetch('/api/auth/session')).json());
  t.is(session.user.email, 'jörg@xn--bcher-kva.example', 'and its button signs in');
  t.is(page.complaints, [], 'the browser complained of nothing');
  return page.context().close();
}

const form = ['username-credentials', 'password-credentials', 'signin-credentials'];
const builtIn = {
  'sign-in': { path: '/api/auth/signin?callbackUrl=/members/', ids: ['signin-acme', ...form] },
  'sign-in-refused': { path: '/api/auth/signin?error=CredentialsSignin', ids: ['signin-acme', ...form] },
  error: { path: '/api/auth/error?error=AccessDenied', ids: ['a'] },
  'sign-out': { path: '/api/auth/signout', ids: ['submitButton', 'a'] },
  'verify-request': { path: '/api/auth/verify-request', ids: ['a'] },
};

// The buttons of providers that bring a colour of their own.
const colourful = ['google', 'github', 'facebook', 'azure-ad', 'microsoft-entra-id'];
const manyProviders = { 'sign-in-many': { path: '/api/auth/signin', ids: colourful.map((id) => `signin-${id}`) } };
const startColourful = (t) => t.httpd({ files: { 'htdocs/favicon.ico': '' }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
${colourful.map((id) => `NextAuthProvider ${id} clientId=c clientSecret=s tenant=t`).join('\n')}` });

async function looks(t, site, browser, pages, words, options) {
  const page = await openTab(browser, site, options);
  await page.context().addCookies([{ name: 'next-auth.error-reference', value: 'aWyNkrWe6Eo', url: site.url }]);
  for (const [name, { path: address, ids }] of Object.entries(pages)) {
    t.section(`the ${name} page, ${words}`);
    await page.goto(`${site.url}${address}`);
    await screenshot(page, `${name}-${words}`);
    t.is(await page.title(), await heading(page), 'its title');
    t.is(await page.getByText('Reference: aWyNkrWe6Eo').count(), /error=/.test(address) ? 1 : 0, 'a reference, where there is an error');
    const listed = await controls(page);
    t.is(listed.map(({ id }) => id), ids, 'its controls');
    t.is(listed.filter(({ label }) => !label), [], 'each has a name');
    const weak = (await contrasts(page)).filter(({ ratio }) => !(ratio >= 4.5));
    t.is(weak, [], 'text and buttons have a contrast of 4.5 or more');
    t.is(await overflows(page), false, 'nothing sticks out sideways');
    const reached = await tabOrder(page, ids.length);
    t.is(reached.map(({ id }) => id), ids, 'Tab reaches every control, in the order of the page');
    t.is(reached.filter(({ shows, ratio }) => !shows || !(ratio >= 3)), [], 'where the focus is can be seen');
    await screenshot(page, `${name}-${words}-focus`);
  }
  t.is(page.complaints, [], 'the browser complained of nothing');
  await page.context().close();
}

suite('Signing in and out in a browser', async (t) => {
  t.inOneRound();
  const browser = await startBrowser(t);
  const site = await startSite(t);
  await withoutScript(t, site, browser);
  await nextAuthClient(t, site, browser);
  await refusals(t, browser);
  await lettersBeyondAscii(t, browser);

  const many = await startColourful(t);
  const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };
  for (const colorScheme of ['light', 'dark']) {
    await looks(t, site, browser, builtIn, colorScheme, { colorScheme });
    await looks(t, site, browser, builtIn, `${colorScheme}-phone`, { colorScheme, ...phone });
    await looks(t, many, browser, manyProviders, colorScheme, { colorScheme });
  }
});
