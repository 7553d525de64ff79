#!/usr/bin/env node
'use strict';
// Passkeys in real Chromium with its virtual authenticators: the built-in pages, their script under
// the Content-Security-Policy, and the client of next-auth.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, ctl } = require('./lib/ctl.js');
const { startBrowser, openTab, screenshot, contrasts } = require('./lib/browser.js');
const { plugIn } = require('./lib/passkeys.js');

const SECRET = 'the secret of this site has 32 bytes and more';
const PASSWORD = 'correct horse battery';
const config = (db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthCompat v5
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthProvider passkey ${more}
NextAuthSessionClaim sub amr`;

const heading = (page) => page.locator('h1').innerText();
const session = (page) => page.evaluate(() => fetch('/api/auth/session').then((answer) => answer.json()));
async function shownAlert(page) {
  await page.locator('[role=alert]:visible').waitFor();
  return page.locator('[role=alert]:visible').innerText();
}

// A browser without suggestions: with them, a virtual authenticator answers before the user does.
async function openPlainTab(browser, site) {
  const page = await openTab(browser, site);
  await page.addInitScript(() => { delete PublicKeyCredential.isConditionalMediationAvailable; });
  return page;
}

async function signInByPassword(page, site, email, to = '/api/auth/passkeys') {
  await page.goto(`${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(to)}`);
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.click('#signin-credentials');
  await page.waitForURL(`${site.url}${to}`);
}

async function addHere(page, name) {
  await page.fill('#passkey-name', name);
  const before = await page.locator('.rows > li').count();
  await page.click('#add-passkey');
  await until('the passkey is in the list', async () => (await page.locator('.rows > li').count()) === before + 1);
}

async function signOut(page, site) {
  await page.goto(`${site.url}/api/auth/signout?callbackUrl=${encodeURIComponent('/public.html')}`);
  await page.click('#submitButton');
  await page.waitForURL(`${site.url}/public.html`);
}

async function signInByButton(page, site, to = '/members/') {
  await page.goto(`${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(to)}`);
  await page.click('#signin-passkey');
}

async function platform(t, site, browser) {
  t.section('a platform authenticator: added, used, renamed, removed');
  const page = await openPlainTab(browser, site);
  await signInByPassword(page, site, 'ada@example.org');
  t.is(await heading(page), 'Your passkeys', 'the page of passkeys');
  t.like(await page.locator('main').innerText(), /You have no passkeys yet/, 'has none');
  const key = await plugIn(page, 'platform');
  await addHere(page, 'Laptop');
  t.like(await page.locator('.rows').innerText(), /Laptop[\s\S]*Added: just now · Last used: never/, 'then it has one');
  t.is((await key.credentials()).map(({ rpId, isResidentCredential }) => [rpId, isResidentCredential]), [['localhost', true]], 'which the authenticator keeps, for the site');
  t.is((await contrasts(page)).filter(({ ratio }) => ratio < 4.5), [], 'every text of the page can be read');
  await screenshot(page, 'passkeys');
  await page.click('#add-passkey');
  t.is(await shownAlert(page), 'This device already has one of your passkeys.', 'the same device is not added twice');

  await signOut(page, site);
  await signInByButton(page, site);
  await page.waitForURL(`${site.url}/members/`);
  t.is((await session(page)).user.email, 'ada@example.org', 'the button signs in, without a username');

  await page.goto(`${site.url}/api/auth/passkeys`);
  t.like(await page.locator('.rows').innerText(), /Last used: just now/, 'the last use is shown');
  await page.getByLabel('New name of Laptop').fill('Old <b>laptop</b>');
  await page.getByRole('button', { name: /^Rename.*Laptop/ }).click();
  t.like(await page.locator('main').innerText(), /The passkey was renamed\.[\s\S]*Old <b>laptop<\/b>/, 'it is renamed, and a name is text');

  t.section('a second one, and removal');
  const spare = await plugIn(page, 'roaming');
  await key.unplug();
  await addHere(page, 'Key');
  t.is(await page.locator('.rows > li').count(), 2, 'a user has several');
  await page.getByRole('button', { name: /^Remove.*laptop/ }).click();
  t.like(await page.locator('main').innerText(), /The passkey was removed/, 'one is removed');
  t.is(await page.locator('.rows > li').count(), 1, 'and the other is left');
  await signOut(page, site);
  await signInByButton(page, site);
  await page.waitForURL(`${site.url}/members/`);
  t.ok(true, 'which signs in');
  t.is(page.complaints, [], 'the browser complained of nothing: the policy allows the script');
  await page.context().close();
}

async function refusals(t, site, browser) {
  t.section('what goes wrong is said');
  const page = await openPlainTab(browser, site);
  await signInByPassword(page, site, 'bob@example.org');
  const key = await plugIn(page, 'platform');
  await addHere(page, 'Mine');
  await signOut(page, site);
  await key.verifies(false);
  await signInByButton(page, site);
  t.is(await shownAlert(page), 'No passkey was used. Try again if you want to use one.', 'a user whom the authenticator does not verify');
  await page.goto(`${site.url}/public.html`);
  t.is(await session(page), null, 'is not signed in');
  await page.context().close();
}

async function suggestions(t, site, browser) {
  t.section('suggestions in the field');
  const page = await openTab(browser, site);
  await signInByPassword(page, site, 'ada@example.org');
  const key = await plugIn(page, 'platform');
  await addHere(page, 'Phone');
  await signOut(page, site);
  await page.goto(`${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent('/members/')}`);
  await page.waitForURL(`${site.url}/members/`);
  t.is((await session(page)).user.email, 'ada@example.org', 'a passkey that the user picks there signs in');
  await key.unplug();
  await page.context().close();

  const old = await openTab(browser, site, { javaScriptEnabled: false });
  await old.goto(`${site.url}/api/auth/signin`);
  t.is([await old.locator('#passkey-form').isVisible(), /<noscript>.*Passkeys work only with JavaScript\./.test(await old.content())], [false, true], 'without script there is no button, but a reason');
  await old.context().close();
}

async function secondFactor(t, site, strict, browser) {
  t.section('a roaming key without verification, as a second factor');
  const page = await openPlainTab(browser, site);
  await signInByPassword(page, site, 'ada@example.org');
  const key = await plugIn(page, 'roaming', { hasResidentKey: false, hasUserVerification: false, isUserVerified: false });
  await addHere(page, 'Simple key');
  t.is((await key.credentials()).map(({ isResidentCredential }) => isResidentCredential), [false], 'the site keeps it, not the key');
  await signOut(page, site);
  await page.goto(`${strict.url}/api/auth/signin?callbackUrl=${encodeURIComponent('/members/')}`);
  await page.getByLabel('Email address').fill('ada@example.org');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.click('#signin-credentials');
  await page.waitForURL(`${strict.url}/api/auth/two-factor`);
  t.is([await page.locator('input[name=code]').count(), await page.locator('#signin-passkey').isVisible()], [0, true], 'after the password, the passkey is asked for');
  t.is(page.complaints, [], 'the browser complained of nothing');
  await page.click('#signin-passkey');
  await page.waitForURL(`${strict.url}/members/`);
  const { user } = await session(page);
  t.is([user.email, user.amr], ['ada@example.org', ['pwd', 'hwk', 'mfa']], 'and signs in');
  await signOut(page, strict);
  await key.unplug();
  const other = await plugIn(page, 'platform');
  await page.goto(`${strict.url}/api/auth/signin`);
  await page.getByLabel('Email address').fill('ada@example.org');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.click('#signin-credentials');
  await page.click('#signin-passkey');
  t.like(await shownAlert(page), /^No passkey was used|^The passkey could not be used/, 'another key does not');
  await other.unplug();
  await page.context().close();
}

// The package as a site bundles it: next-auth/webauthn of version 5.
function bundle() {
  const { outputFiles } = require('esbuild').buildSync({
    stdin: { contents: "import { signIn } from 'next-auth-5/webauthn'; window.signIn = signIn;", resolveDir: __dirname },
    bundle: true, write: false, format: 'iife', target: 'es2022', define: { 'process.env.NODE_ENV': '"production"', 'process.env': '{}' }, logLevel: 'error' });
  return outputFiles[0].text;
}

async function nextAuth(t, site, browser) {
  t.section('the client of next-auth, unchanged');
  const page = await openPlainTab(browser, site);
  await signInByPassword(page, site, 'carol@example.org', '/client.html');
  const key = await plugIn(page, 'platform');
  const call = (options) => page.evaluate((given) => window.signIn('passkey', given), { redirect: false, ...options });
  t.is(await call({ action: 'register' }), { error: null, code: null, status: 200, ok: true, url: `${site.url}/client.html` }, 'adds a passkey');
  t.is((await key.credentials()).length, 1, 'which the authenticator has');
  t.is(await call({ action: 'register' }).catch((error) => /InvalidStateError|previously registered/.test(error.message)), true, 'not twice');
  await signOut(page, site);
  await page.goto(`${site.url}/client.html`);
  t.is([await session(page), (await call()).ok], [null, true], 'signs in');
  t.is((await session(page)).user.email, 'carol@example.org', 'its user');
  await signOut(page, site);
  await page.goto(`${site.url}/client.html`);
  await page.evaluate(() => { window.signIn('passkey', { redirectTo: '/members/' }); });
  await page.waitForURL(`${site.url}/members/`);
  t.ok(true, 'and leads on');
  await page.context().close();
}

suite('Passkeys in a browser', async (t) => {
  t.inOneRound();
  if (!databasesHere().sqlite) return t.skip('a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  const browser = await startBrowser(t);
  const db = sqlite(t);
  await ctl(db, 'migrate');
  await addUser(db, 'ada@example.org', PASSWORD);
  await addUser(db, 'bob@example.org', PASSWORD);
  await addUser(db, 'carol@example.org', PASSWORD);
  const files = { 'htdocs/favicon.ico': '', 'htdocs/members/index.html': 'members', 'htdocs/public.html': 'public',
    'htdocs/client.html': '<!doctype html><title>Client</title><script src="/client.js"></script>', 'htdocs/client.js': bundle() };
  const site = await t.httpd({ files, config: config(db) });
  await platform(t, site, browser);
  await refusals(t, site, browser);
  await suggestions(t, site, browser);
  await nextAuth(t, site, browser);
  const lenient = await t.httpd({ files, config: config(db, 'userVerification=discouraged residentKey=discouraged') });
  const strict = await t.httpd({ files, config: `${config(db, 'userVerification=discouraged residentKey=discouraged')}\nNextAuthTwoFactor Required` });
  await secondFactor(t, lenient, strict, browser);
});
