#!/usr/bin/env node
'use strict';
// Templates of pages, the page of status 403, and how each page looks: axe finds nothing, and the screenshots
// are those of t/screens. UPDATE_SCREENS=1 writes them again.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { htpasswd, root, until } = require('./lib/httpd.js');
const { Client, request } = require('./lib/client.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { startBrowser, openTab } = require('./lib/browser.js');
const { compareScreen, hindrances } = require('./lib/screens.js');
const { codeOf, letTimePass, oathtoolIsHere } = require('./lib/second-factor.js');
const { folder } = require('./lib/texts.js');

const base = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users`;

// ── templates ───────────────────────────────────────────────────────────────────────────────────

const whole = '<!doctype html><html lang="{{lang}}" dir="{{dir}}"><title>{{title}}|{{siteName}}</title><style nonce="{{nonce}}">{{style}}</style><body class="{{colorScheme}}"><a href="{{home}}">x</a>{{content}}';
const wrongTemplates = [
  ['{{title}}', /page\.html: it has no \{\{content\}\}/, 'without the content'],
  ['{{content}}', /it has no \{\{title\}\}/, 'without the title'],
  [`${whole}{{name}}`, /unknown placeholder '\{\{name\}\}.*': expected one of \{\{title\}\}/, 'an unknown placeholder'],
  [`${whole}{{ title }}`, /unknown placeholder/, 'a blank in one'],
  [`${whole}<SCRIPT src=x>`, /'SCRIPT|'script' is stopped by the Content-Security-Policy/, 'a script'],
  [`${whole}<p style="color:red">`, /'style=' is stopped/, 'an inline style'],
  [`${whole}<base href=x>`, /'base' is stopped/, 'another base'],
  [`${whole}${'x'.repeat(262_145)}`, /page\.html/, 'an endless one'],
];

async function templates(t) {
  t.section('templates');
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }), 'all.html': whole, 'error.html': 'ERROR {{title}} {{content}}' },
    config: `${base}\nNextAuthTheme "siteName=A & <B>"\nNextAuthPageTemplate all all.html\nNextAuthPageTemplate error error.html` });
  const client = new Client(site);
  const page = await client.page('/api/auth/signin');
  const nonce = /'nonce-([^']+)'/.exec(page.headers['content-security-policy'])[1];
  t.ok(page.text.startsWith(`<!doctype html><html lang="en" dir="ltr"><title>Sign in|A &amp; &lt;B&gt;</title><style nonce="${nonce}">:root{`), 'the template is filled, and values are escaped', page.text.slice(0, 200));
  t.like(page.text, new RegExp(`<body class="auto"><a href="http://localhost:${site.port}/?">x</a><h1>Sign in</h1><form`), 'the content follows');
  t.like(page.headers['content-security-policy'], /^default-src 'none'; style-src 'nonce-/, 'the Content-Security-Policy is the same');
  t.like((await client.page('/api/auth/error?error=AccessDenied')).text, /^ERROR Access denied <h1>/, 'a page has its own');
  for (const [text, message, what] of wrongTemplates) {
    const { status, output } = await t.configtest({ files: { users: '', 'page.html': text }, config: `${base}\nNextAuthPageTemplate all page.html` });
    t.ok(status !== 0 && message.test(output), `${what} is refused`, output.slice(0, 300));
  }
  for (const [value, message] of [['logout page.html', /unknown page 'logout'/], ['session page.html', /unknown page 'session'/], ['all missing.html', /missing\.html/]]) {
    const { status, output } = await t.configtest({ files: { users: '', 'page.html': whole }, config: `${base}\nNextAuthPageTemplate ${value}` });
    t.ok(status !== 0 && message.test(output), `NextAuthPageTemplate ${value}`, output.slice(0, 300));
  }
}

// ── 403 ─────────────────────────────────────────────────────────────────────────────────────────

async function forbidden(t) {
  t.section('signed in, without permission');
  const site = await t.httpd({ files: { users: htpasswd({ 'ada@<b>': 'secret', eve: 'secret' }), 'htdocs/admin/index.html': 'admin', 'htdocs/own/index.html': 'own' },
    config: `${base}\nNextAuthLanguage en de=${folder}/de.json
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>
<Location /own/>
  AuthType NextAuth
  Require nextauth-role admin
  ErrorDocument 403 "my own"
</Location>` });
  const client = new Client(site);
  await client.credentials('ada@<b>', 'secret');
  const page = await client.page('/admin/?a=1&b=2');
  t.is(page.status, 403, 'the status');
  t.like(page.text, /<h1>Access denied<\/h1><p>You are signed in as <strong>ada@&lt;b&gt;<\/strong>, without permission to see this page\.<\/p>/, 'the page says who is signed in');
  t.ok(page.text.includes(`href="http://localhost:${site.port}/api/auth/signout?callbackUrl=${encodeURIComponent(`http://localhost:${site.port}/admin/?a=1&b=2`)}">Use another account<`), 'and leads to another account, and back', page.text);
  t.like(page.headers['content-security-policy'], /^default-src 'none'; style-src 'nonce-/, 'with the Content-Security-Policy of pages');
  t.like(page.headers['cache-control'], /no-store/, 'and is not stored');
  t.like((await client.page('/admin/', { headers: { 'Accept-Language': 'de' } })).text, /<h1>Zugriff verweigert</, 'in German');
  t.is((await client.page('/admin/', { method: 'HEAD' })).text, '', 'HEAD has no body');
  const script = await client.get('/admin/');
  t.is([script.status, script.headers['content-security-policy']], [403, undefined], 'a script gets httpd\'s response');
  t.unlike(script.text, /another account/, 'without the page');
  t.is((await client.page('/own/')).text, 'my own', 'an ErrorDocument takes precedence');
  t.is((await new Client(site).page('/admin/')).status, 302, 'a user who is not signed in is sent to the sign-in page');
}

// ── how they look ───────────────────────────────────────────────────────────────────────────────

// The same on every machine: names, no port, no time.
const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36';
const views = [
  ['light', { colorScheme: 'light', width: 640 }], ['dark', { colorScheme: 'dark', width: 640 }], ['narrow', { colorScheme: 'light', width: 320 }],
];
const german = ['german', { colorScheme: 'light', width: 320 }];

async function look(t, page, name, [view, { colorScheme, width }]) {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.setViewportSize({ width, height: 480 });
  t.is(await hindrances(page), [], `${name}, ${view}: axe finds nothing`);
  t.is(await page.evaluate('document.documentElement.scrollWidth > document.documentElement.clientWidth'), false, `${name}, ${view}: nothing sticks out`);
  const { isSame, why } = await compareScreen(page, `${name}-${view}`);
  t.ok(isSame, `${name}, ${view}: looks as before`, why);
}

async function shown(t, page, name) {
  t.section(name);
  t.is(await page.evaluate('document.querySelectorAll("button.primary, a.primary").length <= 1'), true, 'one primary button at most');
  const names = await page.evaluate(`[...document.querySelectorAll('main button')].map((button) => button.textContent.trim())`);
  t.is(names.filter((each, i) => names.indexOf(each) !== i), [], 'each button has a name of its own');
  for (const view of views) await look(t, page, name, view);
}

// A page that can be opened again, at its address or by a function, is looked at in German, too.
async function visit(t, page, name, address) {
  const open = typeof address === 'function' ? address : () => page.goto(address);
  await open();
  await shown(t, page, name);
  await page.setExtraHTTPHeaders({ 'Accept-Language': 'de' });
  await open();
  t.is(await page.evaluate('document.documentElement.lang'), 'de', `${name}: in German`);
  await look(t, page, name, german);
  await page.setExtraHTTPHeaders({ 'Accept-Language': 'en' });
}

async function startSite(t, mail, db) {
  return t.httpd({ files: { 'htdocs/favicon.ico': '', 'htdocs/admin/index.html': 'admin', users: htpasswd({ ada: 'secret' }) }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5
NextAuthDatabase ${db.url}
NextAuthSessionStore database
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthTheme siteName=Example
NextAuthLanguage en de=${folder}/de.json
NextAuthFeature signUp On
NextAuthFeature passwordReset On
NextAuthFeature account On
NextAuthFeature deleteAccount On
NextAuthFeature deviceLogin On
NextAuthProvider github clientId=a clientSecret=b
NextAuthProvider google clientId=a clientSecret=b
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthRateLimit passwordReset address=2/3600
NextAuthTwoFactor Optional
NextAuthProvider passkey
<Location /files/>
  NextAuthAcceptTokens personal
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>` });
}

async function secondFactor(t, page, db, at) {
  await page.goto(at('two-factor-setup'));
  await shown(t, page, 'two-factor-setup');
  const key = (await page.locator('.copied code').textContent()).replaceAll(' ', '');
  await page.fill('input[name=code]', codeOf(key));
  await page.locator('button.primary').click();
  await page.waitForSelector('a.primary');
  await shown(t, page, 'recovery-codes');
  await visit(t, page, 'two-factor-state', at('two-factor-setup'));
  letTimePass(db);
  await page.goto(at('signout'));
  await page.click('#submitButton');
  await page.goto(at('signin'));
  await page.fill('#username-credentials', 'ada@example.org');
  await page.fill('#password-credentials', 'four unrelated words here');
  await page.click('#signin-credentials');
  await page.waitForSelector('input[name=code]');
  await visit(t, page, 'two-factor', at('two-factor'));
  await page.fill('input[name=code]', '000000');
  await page.locator('button.primary').click();
  await page.waitForSelector('.fault');
  await shown(t, page, 'two-factor-failed');
}

async function device(t, page, at) {
  const begin = async () => (await request(at('device-authorization'), { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ client_id: 'a-tool', device_name: "Ada's laptop", scope: 'GET,PROPFIND /files' }).toString() })).json.verification_uri_complete;
  await visit(t, page, 'device', at('device'));
  await page.fill('input[name=user_code]', 'BBBB-BBBB');
  await page.locator('button.primary').click();
  await page.waitForSelector('.fault');
  await shown(t, page, 'device-failed');
  await visit(t, page, 'device-confirm', await begin());
  for (const [name, decision] of [['device-allowed', 'allow'], ['device-denied', 'deny']]) {
    await page.goto(await begin());
    await page.locator(`form:has(input[value=${decision}]) button`).click();
    await page.waitForSelector('input[name=decision]', { state: 'detached' });
    await shown(t, page, name);
  }
}

async function newToken(t, page, at) {
  await page.goto(at('tokens'));
  await page.fill('input[name=name]', 'Backup');
  await page.fill('input[name=scope]', '/files');
  await page.locator('button.primary').click();
  await page.waitForSelector('.copied');
  await shown(t, page, 'token-made');
}

// The pages that links in emails open, and that their buttons send.
async function mailedLinks(t, page, mail, at) {
  const opened = async (name, ask) => {
    const before = mail.mails.length;
    await ask();
    await until('a mail arrives', () => mail.mails.length > before);
    await visit(t, page, name, /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  };
  await opened('confirm-email', async () => {
    await page.goto(at('account'));
    await page.fill('input[name=email]', 'countess@example.org');
    await page.fill('#current-2', 'four unrelated words here');
    await page.locator('#current-2').press('Enter');
  });
  await opened('mailed-link', async () => {
    await page.goto(at('signin'));
    await page.locator('input[name=email]').fill('eve@example.org');
    await page.locator('input[name=email]').press('Enter');
  });
}

async function tooMany(t, page, at) {
  for (let i = 0; i < 3; i += 1) {
    await page.goto(at('reset-password'));
    await page.fill('input[name=email]', `eve${i}@example.org`);
    await page.locator('button.primary').click();
    await page.waitForSelector('input[name=email]', { state: 'detached' });
  }
  await shown(t, page, 'too-many');
}

async function unavailable(t, page, site, db, at) {
  fs.writeFileSync(db.file, Buffer.alloc(65536, 'x'));
  await site.reload();
  // The processes from before the reload still have what they read, until they end.
  await until('the database is missed', async () => {
    await page.goto(at('signin'));
    await page.fill('#username-credentials', 'ada@example.org');
    await page.fill('#password-credentials', 'four unrelated words here');
    const [answer] = await Promise.all([page.waitForResponse((response) => response.request().method() === 'POST'), page.click('#signin-credentials')]);
    await page.waitForLoadState();
    return answer.status() === 503;
  });
  await shown(t, page, 'unavailable');
}

async function allPages(t, browser) {
  const here = databasesHere();
  if (!here.sqlite) return t.skip('how pages look', `install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const site = await startSite(t, mail, db);
  const page = await openTab(browser, site, { userAgent: agent, extraHTTPHeaders: { 'Accept-Language': 'en' } });
  const at = (name) => `${site.url}/api/auth/${name}`;
  const link = async (email, action) => {
    const before = mail.mails.length;
    await page.goto(at(action));
    await page.fill('input[name=email]', email);
    await page.locator('input[name=email]').press('Enter');
    await page.waitForURL('**/verify-request**');
    await until('a mail arrives', () => mail.mails.length > before);
    return /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0];
  };

  await visit(t, page, 'sign-in', at('signin'));
  await page.goto(at('signin'));
  await page.fill('#username-credentials', 'ada@example.org');
  await page.fill('#password-credentials', 'wrong');
  await page.click('#signin-credentials');
  await page.waitForSelector('[aria-invalid]');
  t.is(await page.evaluate('[document.activeElement.id, document.getElementById("username-credentials").value]'), ['password-credentials', 'ada@example.org'], 'after a failure, the name is there and the password has the focus');
  await shown(t, page, 'sign-in-failed');
  // The reference of a failure, which error pages show, would be gone after two minutes.
  const reference = (await page.context().cookies()).filter(({ name }) => name.endsWith('error-reference'));
  t.is(reference.length, 1, 'the failure has a reference');
  await page.context().addCookies(reference.map((cookie) => ({ ...cookie, expires: -1 })));
  await visit(t, page, 'session-required', at('signin?error=SessionRequired'));
  for (const code of ['AccessDenied', 'Configuration', 'Verification', 'RateLimited', 'Other'])
    await visit(t, page, `error-${code.toLowerCase()}`, at(`error?error=${code}`));
  await visit(t, page, 'verify-request', at('verify-request'));
  await visit(t, page, 'sign-up', at('signup'));
  await page.goto(at('signup'));
  await page.fill('input[name=email]', 'ada');
  await page.locator('input[name=email]').press('Enter');
  await page.waitForSelector('.fault');
  await shown(t, page, 'sign-up-failed');
  await visit(t, page, 'reset-password', at('reset-password'));

  await page.goto(await link('ada@example.org', 'signup'));
  await shown(t, page, 'choose-password');
  await page.fill('input[name=password]', 'short');
  await page.locator('button').click();
  await page.waitForSelector('.fault');
  await shown(t, page, 'choose-password-failed');
  await page.fill('input[name=name]', 'Ada Lovelace');
  await page.fill('input[name=password]', 'four unrelated words here');
  await page.locator('button').click();
  await page.waitForURL(`${site.url}/`);

  await visit(t, page, 'account', at('account'));
  await visit(t, page, 'sessions', at('sessions'));
  await visit(t, page, 'sign-out', at('signout'));
  await visit(t, page, 'forbidden', `${site.url}/admin/`);
  await visit(t, page, 'sign-in-again', at('sign-in-again?callbackUrl=/api/auth/account'));
  await visit(t, page, 'passkeys', at('passkeys'));
  await visit(t, page, 'tokens', at('tokens'));
  for (const name of ['sessions', 'passkeys', 'tokens', 'two-factor-setup']) {
    await page.goto(at(name));
    t.is(await page.locator('nav a').evaluateAll((links) => links.map(({ href }) => href)), [at('account')], `${name} leads back to the account page`);
  }
  await newToken(t, page, at);
  await device(t, page, at);
  await mailedLinks(t, page, mail, at);
  await tooMany(t, page, at);
  if (oathtoolIsHere()) await secondFactor(t, page, db, at);
  else t.skip('the pages of a second factor', 'install oathtool');
  await unavailable(t, page, site, db, at);
  t.is(page.complaints.filter((text) => !/40[13]|429|503/.test(text)), [], 'the browser complained of nothing');
  await page.context().close();
}

// The sign-in page that asks whether the user stays signed in; a provider's button carries the choice.
async function rememberMe(t, browser) {
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) },
    config: `${base}\nNextAuthProvider github clientId=a clientSecret=b\nNextAuthProvider gitlab clientId=a clientSecret=b\nNextAuthLanguage en de=${folder}/de.json\nNextAuthRememberMe Ask` });
  const page = await openTab(browser, site, { userAgent: agent, extraHTTPHeaders: { 'Accept-Language': 'en' } });
  await visit(t, page, 'sign-in-remember', `${site.url}/api/auth/signin`);
  await page.context().close();
}

// The sign-in page that asks for an email address to find the provider, and the page of a URL that cannot be kept.
async function byDomain(t, browser) {
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: `${base}
NextAuthTheme siteName=Example
NextAuthLanguage en de=${folder}/de.json
NextAuthProvider acme type=oidc issuer=https://login.example.org clientId=a clientSecret=b emailDomains=example.org
NextAuthProvider github clientId=a clientSecret=b
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>` });
  const page = await openTab(browser, site, { userAgent: agent, extraHTTPHeaders: { 'Accept-Language': 'en' } });
  await visit(t, page, 'sign-in-domain', `${site.url}/api/auth/signin`);
  await page.goto(`${site.url}/api/auth/signin`);
  await page.fill('#email-domain', 'ada@example.com');
  await page.click('#signin-domain');
  await page.waitForSelector('[aria-invalid]');
  t.is(await page.evaluate('[document.activeElement.id, document.activeElement.value]'), ['email-domain', 'ada@example.com'], 'after a failure, the address is there and has the focus');
  await shown(t, page, 'sign-in-domain-failed');
  await visit(t, page, 'url-lost', `${site.url}/members/?${'q'.repeat(5000)}`);
  await page.context().close();
}

// The pages of forms whose session has ended.
const formPage = '<!doctype html><title>A form</title><form method="post" action="/notes/"><input name="text"><button>Send</button></form>';
async function keptForms(t, browser) {
  const site = await t.httpd({ files: { 'htdocs/form.html': formPage, 'htdocs/notes/index.html': 'notes', users: htpasswd({ ada: 'x', eve: 'x' }) }, config: `
${base.replace('NextAuthSessionStore none', 'NextAuthSOCache shmcb:sessions(1048576)\nNextAuthSessionStore socache')}
NextAuthTheme siteName=Example
NextAuthLanguage en de=${folder}/de.json
<Location /notes/>
  AuthType NextAuth
  Require valid-user
  NextAuthPreservePost On maxBytes=1024
</Location>` });
  const page = await openTab(browser, site, { userAgent: agent, extraHTTPHeaders: { 'Accept-Language': 'en' } });
  const signIn = async (name) => {
    await page.fill('#username-credentials', name);
    await page.fill('#password-credentials', 'x');
    await page.click('#signin-credentials');
  };
  const send = async (text) => {
    await page.context().clearCookies({ name: 'next-auth.session-token' });
    await page.goto(`${site.url}/form.html`);
    await page.fill('input', text);
    await page.click('button');
    await page.waitForURL((url) => url.pathname !== '/form.html');
  };
  await page.goto(`${site.url}/notes/`);
  await signIn('ada');
  await page.waitForURL(`${site.url}/notes/`);
  await visit(t, page, 'form-lost', () => send('x'.repeat(1025)));

  await send('a note');
  // The page would send its form by itself, before anyone could look at it.
  await page.addInitScript('HTMLFormElement.prototype.submit = () => {}');
  await signIn('ada');
  await page.waitForURL(/resend-form/);
  const kept = page.url();
  await visit(t, page, 'form-kept', kept);
  await page.context().clearCookies({ name: 'next-auth.session-token' });
  await page.goto(kept);
  await signIn('eve');
  await page.waitForURL(kept);
  await visit(t, page, 'form-of-another-user', kept);
  await visit(t, page, 'form-gone', `${site.url}/api/auth/resend-form?form=${'A'.repeat(22)}`);
  await page.context().close();
}

suite('Pages', async (t) => {
  t.inOneRound();
  await templates(t);
  await forbidden(t);
  const browser = await startBrowser(t);
  await rememberMe(t, browser);
  await byDomain(t, browser);
  await keptForms(t, browser);
  await allPages(t, browser);
  t.ok(fs.existsSync(path.join(root, 't', 'screens')), 'there are screens');
});
