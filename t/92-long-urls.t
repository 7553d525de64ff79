#!/usr/bin/env node
'use strict';
// URLs that are too long for a cookie come back whole after a sign-in, or are refused before it.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { startHomemade } = require('./lib/emulators.js');

const users = htpasswd({ ada: 'x' });
const config = (port, provider, ...lines) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
${provider}
${lines.join('\n')}
<Location /app/>
  AuthType NextAuth
  Require valid-user
  ProxyPass http://127.0.0.1:${port}/
</Location>`;
const socache = ['NextAuthSOCache shmcb:sessions(1048576)', 'NextAuthSessionStore socache'];

// A path whose request line has that many bytes. Half of it grows to three times its length when it is encoded.
const pathOf = (line) => `/app/?q=${'a=&'.repeat(line)}`.slice(0, line - 'GET  HTTP/1.1'.length);

const callbackOf = (answer) => new URL(answer.location).searchParams.get('callbackUrl');

// Signs in at the provider, by the form of the page to which the answer leads.
async function throughProvider(client, answer) {
  const begun = await client.signIn('acme', { callbackUrl: callbackOf(answer) });
  return client.follow(await client.page(begun.location));
}

async function allLengths(t, site, most) {
  for (const length of [3000, 6000, most]) {
    const path = pathOf(length);
    const client = t.client(site);
    const answer = await client.page(path);
    t.is(answer.status, 302, `${length} bytes: the sign-in page`);
    t.ok(answer.location.length < 2600, '  by a short URL');
    t.is((await client.page(answer.location)).status, 200, '  which is there');
    const arrived = await throughProvider(client, answer);
    t.ok(arrived.json?.url === path.slice(4), '  and the sign-in at a provider leads back to all of it', `${arrived.status} ${arrived.url?.length}`);
    const again = await t.client(site).page(path);
    const password = t.client(site);
    const signedIn = await password.credentials('ada', 'x', { callbackUrl: callbackOf(again) });
    t.ok((await password.follow(signedIn)).json?.url === path.slice(4), '  so does a password');
  }
}

suite('Long URLs come back whole', async (t) => {
  const app = await startApp(t);
  const home = await startHomemade(t);
  home.user = { id: '7', email: 'ada@example.org' };
  const acme = { provider: `NextAuthProvider acme type=oauth clientId=a clientSecret=b checks=state authorization=${home.url}/authorize token=${home.url}/token userinfo=${home.url}/api/me` };
  t.section('with a session store');
  const site = await t.httpd({ files: { users }, config: config(app.port, acme.provider, ...socache) });
  await allLengths(t, site, 8190);
  const form = await t.client(site).signIn('acme', { callbackUrl: `${site.url}${pathOf(5000)}` });
  t.is(form.status, 302, 'a link of an application can be as long');
  const direct = await t.httpd({ files: { users }, config: config(app.port, acme.provider, ...socache).replace(/^NextAuthProvider credentials.*$/m, '') });
  const ada0 = t.client(direct);
  t.ok((await ada0.follow(await ada0.page(pathOf(8000)))).json?.url === pathOf(8000).slice(4), 'so can a page that leads straight to a provider');
  const unknown = await t.client(site).page('/api/auth/return?to=AAAAAAAAAAAAAAAAAAAAAA');
  t.like((await t.client(site).follow(unknown)).text, /<h1>Link no longer valid</, 'what is not there, or no longer, leads to a page');
  t.is((await t.client(site).get('/api/auth/return')).status, 302, 'so does nothing');

  t.section('a longer request line');
  const longer = await t.httpd({ files: { users }, config: `LimitRequestLine 16000\nLimitRequestFieldSize 16000\n${config(app.port, acme.provider, ...socache)}` });
  await allLengths(t, longer, 12_000);

  t.section('how many');
  const limited = await t.httpd({ files: { users }, config: config(app.port, acme.provider, ...socache, 'NextAuthRateLimit longUrl 2/600') });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await t.client(limited).page(pathOf(4000 + i))).status);
  t.is(statuses, [302, 302, 401, 401], 'a network can have so many kept');
  const bounded = await t.httpd({ files: { users }, config: config(app.port, acme.provider, ...socache, 'NextAuthRateLimit longUrl 10/600 site=3/600') });
  const from = (number) => t.client(bounded, { from: `127.0.0.${number}` });
  const pages = [];
  for (let i = 1; i < 5; i++) pages.push(await from(i).page(pathOf(4000 + i)));
  t.is(pages.map((page) => page.status), [302, 302, 302, 401], 'so can the whole site, whatever the networks');
  t.like(pages[3].text, /<h1>This address is too long<.*Sign in in a new tab</s, '  after which a page has a way to sign in');
  const linked = from(5);
  const begun = await linked.signIn('acme', { callbackUrl: `${bounded.url}${pathOf(5000)}` });
  t.is((await linked.follow(await linked.page(begun.location))).url, `${bounded.url}/`, '  and a sign-in leads to the home page');

  t.section('without a session store');
  const without = await t.httpd({ files: { users }, config: config(app.port, acme.provider, 'NextAuthSessionStore none') });
  const refused = await t.client(without).page(pathOf(5000));
  t.is(refused.status, 401, 'the sign-in would lose it, so that there is a page');
  t.like(refused.text, /<h1>This address is too long<\/h1>/, '  that says so');
  t.like(refused.text, /target="_blank"[^>]*>Sign in in a new tab</, '  and has a way to sign in beside it');
  t.is((await t.client(without).page(pathOf(2000))).status, 302, 'a shorter one is carried');
  const passwords = await t.httpd({ files: { users }, config: config(app.port, '', 'NextAuthSessionStore none') });
  const short = await t.client(passwords).page(pathOf(3000));
  const ada = t.client(passwords);
  t.ok((await ada.follow(await ada.credentials('ada', 'x', { callbackUrl: callbackOf(short) }))).json?.url === pathOf(3000).slice(4), 'a form carries what a cookie cannot');
  t.is((await t.client(passwords).page(pathOf(8000))).status, 401, '  as long as the URL of its page fits');
  t.is((await t.client(passwords).get(pathOf(8000))).status, 401, 'a script gets 401 as always');
});
