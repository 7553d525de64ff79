#!/usr/bin/env node
'use strict';
// Tokens of mailed links, and codes and states of providers, stand in URLs: where they must not be found.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client, raw } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl } = require('./lib/ctl.js');
const { startBrowser, openTab } = require('./lib/browser.js');

// Everything that mod_log_config can say of a request's address, as httpd's manual lists it.
const FORMATS = ['%r', '%m %U%q %H', '%q', '%f', '%{Referer}i', '%{Location}o', '%{Link}o', '%{QUERY_STRING}e', '%{REQUEST_URI}e',
  '%!200,302{Referer}i', '%R', '%{UNIQUE_ID}e', '%>s', '%<r', '%>r', '%{outer}n', '%{^Referer}ti', '%{nothing}C'];

const config = (db, mail) => `
LogLevel trace8
LogFormat "${FORMATS.map((format) => format.replaceAll('"', '\\"')).join(' | ')}" everything
CustomLog @DIR@/everything.log everything
CustomLog @DIR@/combined.log "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\""
CustomLog @DIR@/expression.log "%{REQUEST_URI}e %{the}e" "expr=%{THE_REQUEST} != ''"
ForensicLog @DIR@/forensic.log
ErrorLogFormat "[%t] [%-m:%l] %M , referer %{Referer}i, %{QUERY_STRING}e"
SetEnvIfExpr "%{THE_REQUEST} =~ /(.*)/" the=$1
ExtendedStatus On
ErrorDocument 413 /shown.shtml
<Location /server-status>
  SetHandler server-status
</Location>
<Directory @DIR@/htdocs>
  Options +Includes
  AddOutputFilter INCLUDES .shtml
</Directory>
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of URLs with secrets is long"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider email
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthProvider acme type=oauth clientId=x clientSecret=y authorization=https://127.0.0.1:1/a token=https://127.0.0.1:1/t userinfo=https://127.0.0.1:1/u
NextAuthFeature signUp On
NextAuthFeature passwordReset On
NextAuthFeature account On
NextAuthAuditLog @DIR@/audit.log
NextAuthSessionStore database checkInterval=0`;

suite('Secrets in URLs', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ config: config(db, mail), modules: ['log_forensic'],
    files: { 'htdocs/shown.shtml': '<!--#printenv --><!--#echo var="REDIRECT_QUERY_STRING" -->\n' } });
  const tokens = [];
  const mailed = async (send) => {
    const before = mail.mails.length;
    await send();
    await until('a mail arrives', () => mail.mails.length > before);
    const link = /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0];
    tokens.push(new URL(link).searchParams.get('token'));
    return link;
  };
  const post = async (client, what, fields) => client.post(`/api/auth/${what}`, { csrfToken: await client.csrf(), ...fields });
  const field = (page, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
  const rows = async () => (await db.sql('SELECT 1 FROM verification_token')).length;
  const NAME = 'next-auth.session-token';

  t.section('a mailed link');
  const link = await mailed(() => new Client(site).signIn('email', { email: 'ada@example.org', callbackUrl: '/public.html' }));
  const first = await new Client(site).page(link);
  t.is([first.status, first.location], [302, `${site.url}/api/auth/callback/email`], 'is answered by a redirect to the same address without the token');
  t.is(first.headers['referrer-policy'], 'no-referrer', 'no Referer comes of it');
  t.unlike(JSON.stringify(first.headers), new RegExp(tokens[0]), 'nothing in the answer shows the token');
  t.like(first.setCookies.find((line) => line.startsWith('next-auth.link=')), /^next-auth\.link=eyJ[^;]+; Max-Age=900; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/, 'which is in an encrypted cookie for a quarter of an hour');
  const program = new Client(site);
  for (let i = 0; i < 3; i += 1) {
    t.is((await program.page(link, { headers: { cookie: '' } })).status, 302, 'a program without cookies that opens it');
    t.is((await program.page('/api/auth/callback/email', { headers: { cookie: '' } })).location, `${site.url}/api/auth/error?error=Verification`, '  sees no page');
    t.is((await program.send(link, { method: 'HEAD' })).status < 500, true, '  nor does one that asks for the head alone');
  }
  t.is(await rows(), 1, 'nothing of which uses the link up');
  const other = new Client(site);
  const page = await other.open(link);
  t.is([page.status, field(page, 'token'), field(page, 'callbackUrl')], [200, tokens[0], `${site.url}/public.html`], 'the page comes in any browser, and goes on to where the link says');
  t.is(page.headers['referrer-policy'], 'strict-origin', 'no page hands its address on');
  t.is(field(await other.page('/api/auth/callback/email'), 'token'), tokens[0], 'it can be reloaded');
  t.is((await other.page('/api/auth/set-password')).location, `${site.url}/api/auth/error?error=Verification`, 'and is no other page\'s');
  const signedIn = await post(other, 'callback/email', { token: tokens[0], email: 'ada@example.org', callbackUrl: '/public.html' });
  t.is([signedIn.location, other.cookie(NAME) !== undefined, other.cookie('next-auth.link')], [`${site.url}/public.html`, true, undefined], 'the button signs in, and the cookie is gone');
  const query = new Client(site);
  const again = await mailed(() => new Client(site).signIn('email', { email: 'ada@example.org' }));
  t.is((await query.post(`/api/auth/callback/email${new URL(again).search}`, { csrfToken: await query.csrf() })).location, `${site.url}/api/auth/error?error=Verification`, 'a form\'s address is not where its token is looked for');
  for (const odd of [again.replace('/callback/', '/%63allback/'), again.replace('/api/auth', '//api/./auth')]) t.is((await new Client(site).open(odd)).status < 400, true, 'the address may be written in another way');
  const long = await new Client(site).page(`/api/auth/callback/email?email=a%40example.org&token=${'f'.repeat(4000)}`);
  t.is([long.location, long.setCookies.some((line) => /link=/.test(line))], [`${site.url}/api/auth/error?error=Verification`, false], 'what is no token of ours is not kept');
  t.is((await new Client(site).page('/api/auth/callback/email', { headers: { cookie: 'next-auth.link=eyJ.x.y.z.w' } })).location, `${site.url}/api/auth/error?error=Verification`, 'nor is a cookie that is not ours taken');

  t.section('the links to a password and a new address');
  const signUp = await mailed(async () => post(new Client(site), 'signup', { email: 'bob@example.org' }));
  const bob = new Client(site);
  const choose = await bob.page(signUp);
  t.is([choose.status, choose.location], [302, `${site.url}/api/auth/set-password`], 'set-password is redirected too');
  const chosen = await post(bob, 'set-password', { token: field(await bob.page(choose.location), 'token'), email: 'bob@example.org', password: 'seven lanterns under water' });
  t.ok(chosen.status === 302 && bob.cookie(NAME), 'and works', chosen.text);
  const confirmation = await mailed(() => post(bob, 'account', { change: 'email', email: 'robert@example.org', currentPassword: 'seven lanterns under water' }));
  const stranger = new Client(site);
  t.like((await stranger.open(confirmation)).location, /signin\?callbackUrl=.*confirm-email$/, 'confirm-email asks who is not signed in to sign in, and comes back');
  const back = await stranger.credentials('bob@example.org', 'seven lanterns under water', { callbackUrl: `${site.url}/api/auth/confirm-email` });
  const confirm = await stranger.page(back.location);
  t.is([confirm.status, field(confirm, 'email')], [200, 'robert@example.org'], 'to the page, for which the link need not be opened again');
  t.like((await post(stranger, 'confirm-email', { token: field(confirm, 'token'), email: 'robert@example.org' })).text, /robert@example\.org/, 'whose button counts');

  t.section('a provider\'s answer, and whatever else may be a secret');
  const secrets = ['the-code-of-a-provider', 'the-state-of-a-flow', 'an-id-token-of-a-fragment', 'a-password-of-a-form', 'a-reset-token-of-an-application', 'a-word-alone', 'a-second-token', 'an-encoded-name'];
  const [code, state, idToken, password, reset, word, second, encoded] = secrets;
  const failed = await new Client(site).page(`/api/auth/callback/acme?code=${code}&state=${state}&id_token=${idToken}&iss=https%3A%2F%2Fop.example`);
  t.is([failed.status, failed.headers['referrer-policy']], [302, 'no-referrer'], 'a callback');
  const asked = await new Client(site).page(`/api/auth/signin?username=ada&password=${password}&callbackUrl=%2Freset%3Ftoken%3D${reset}`);
  t.like(asked.text, new RegExp(`name="callbackUrl" value="${site.url}/reset\\?token=${reset}"`), 'the endpoints themselves see what was asked');
  await new Client(site).page(`/api/auth/session?${word}`);
  await new Client(site).page(`/api/auth/callback/email?token=short&token=${second}&%74oken=${encoded}`);
  await new Client(site).page(`/api/auth/error?error=Verification&callbackUrl=/x%23${reset}`);
  await new Client(site).page(`/api/auth/error?error=Verification&callbackUrl=https%253A%252F%252Fapp.example%253Ftoken%253D${reset}`);
  t.like(await raw(site.port, `GET http://localhost:${site.port}/api/auth/callback/acme?code=${code}#${state} HTTP/1.1\r\nHost: localhost:${site.port}\r\nConnection: close\r\n\r\n`), /^HTTP\/1.1 [34]0/, 'a whole address in the request line');
  await raw(site.port, `GET /api/auth/callback/acme?code=${code} HTTP/1.1\r\nHost: localhost\r\nCookie: a=${'x'.repeat(9000)}\r\nConnection: close\r\n\r\n`);
  await raw(site.port, `GET /api/auth/callback/acme?state=${state}&code=${'x'.repeat(9000)} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  t.ok(await site.logged('- - 414'), 'what is too large for httpd is refused before any module sees it');
  const large = await new Client(site).post(`/api/auth/callback/email?token=${second}`, { a: 'x'.repeat(70_000) });
  t.is(large.status, 413, 'an ErrorDocument');
  t.like(large.text, /REDIRECT_QUERY_STRING=token=\*\*\*/, '  is told that there was one');
  t.unlike(large.text, new RegExp(second), '  but not which');
  let status = '';
  await until('mod_status shows it', async () => { // the last request of each worker
    await new Client(site).page(`/api/auth/callback/acme?code=${code}&state=${state}`);
    status = (await new Client(site).get('/server-status')).text;
    return /GET \/api\/auth\/callback\/acme\?code=/.test(status);
  });
  t.like(status, /GET \/api\/auth\/callback\/acme\?code=\*\*\*/, 'mod_status shows the request line without it');
  await new Client(site).page('/public.html?token=an-application-s-own');
  t.ok(await site.logged('GET /public.html 200'), 'the requests were logged');
  const read = (name) => fs.readFileSync(path.join(site.dir, name), 'utf8');
  t.like(read('everything.log'), /GET \/api\/auth\/callback\/email\?callbackUrl=[^ &]*&token=\*\*\*&email=\*\*\* HTTP\/1\.1/, 'access logs have the names of parameters');
  t.like(read('everything.log'), /error\?error=Verification /, 'and what is no secret');
  t.like(read('everything.log'), /iss=https%3A%2F%2Fop\.example/, 'such as the provider\'s name');
  t.like(read('everything.log'), /token=an-application-s-own/, 'other addresses are not ours to change');
  const files = fs.readdirSync(site.dir).filter((name) => /\.log$/.test(name));
  t.ok(['access.log', 'audit.log', 'combined.log', 'error.log', 'everything.log', 'expression.log', 'forensic.log'].every((name) => files.includes(name) && read(name).length), 'every log has something', files);
  // At trace4 httpd writes headers, which NextAuth's cookie of the callback URL is among.
  for (const name of files) t.is([...tokens, ...secrets].filter((secret) => read(name).includes(secret) && !(name === 'error.log' && secret === reset)), [], `no secret is in ${name}, LogLevel trace8`);
  t.is([...tokens, ...secrets].filter((secret) => status.includes(secret.slice(0, 8))), [], 'nor in mod_status');

  t.section('Chromium');
  const browser = await startBrowser(t);
  const tab = await openTab(browser, site);
  const seen = [];
  tab.on('request', async (request) => { seen.push([request.url(), (await request.allHeaders()).referer || '']); });
  const last = await mailed(() => new Client(site).signIn('email', { email: 'ada@example.org', callbackUrl: '/public.html' }));
  await tab.goto(last);
  t.is(tab.url(), `${site.url}/api/auth/callback/email`, 'shows an address without the token');
  await tab.click('#confirmButton');
  await tab.waitForURL(`${site.url}/public.html`);
  t.is(tab.complaints.filter((line) => !/404/.test(line)), [], 'and goes on with the button'); // there is no favicon
  t.is(seen.filter(([url, referer]) => referer.includes('token') || (url.includes('token=') && url !== last)), [], 'no request but the first has the token, in its address or as Referer');
  const referers = () => [...new Set(seen.map(([, referer]) => referer))].sort(); // known a moment after the request
  await until('the last page\'s Referer is known', () => referers().length > 1);
  t.is(referers(), ['', `${site.url}/`], 'which is the origin alone');
  await tab.goBack();
  t.unlike(tab.url(), /token/, 'nor has the history');
});
