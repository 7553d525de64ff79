#!/usr/bin/env node
'use strict';
// NextAuthRememberMe: who stays signed in when the browser ends, by every way to sign in.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { mpm, until } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { addUser, nextauthctl } = require('./lib/ctl.js');
const { Passkey, addPasskey, usePasskey } = require('./lib/passkeys.js');
const { enrol, give, letTimePass, codeOf, oathtoolIsHere } = require('./lib/second-factor.js');
const { open, seal } = require('./lib/token.js');

const SECRET = 'the secret of those who stay is long';
const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);

// A provider of OAuth 2.0 whose only user has already agreed.
async function startProvider(t) {
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(request.url === '/token' ? { access_token: 'x', token_type: 'Bearer' } : { id: '7', name: 'Pat' }));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return `http://127.0.0.1:${server.address().port}`;
}

suite('Who stays signed in when the browser ends', async (t) => {
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const provider = await startProvider(t);
  await addUser(db, 'ada@example.org', GOOD, '--hash', 'bcrypt:10');
  await addUser(db, 'bob@example.org', GOOD, '--hash', 'bcrypt:10');
  const start = (...lines) => t.httpd({ files: { 'htdocs/members/index.html': 'members' }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthProvider passkey
NextAuthProvider mini type=oauth clientId=c clientSecret=s authorization=${provider}/authorize token=${provider}/token userinfo=${provider}/user
NextAuthProvider other type=oauth clientId=c clientSecret=s authorization=${provider}/authorize token=${provider}/token userinfo=${provider}/user
NextAuthTwoFactor Optional
${lines.join('\n')}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>` });

  // What the browser was given: how long its cookie lasts, and how long the server lets the session live.
  const given = async (client, answer) => {
    const line = answer.setCookies.findLast((each) => each.startsWith(`${NAME}=`) && !/Max-Age=0/.test(each));
    if (!line) return `no session: ${answer.status} ${answer.location}`;
    const hours = (Date.parse((await client.session()).expires) / 1000 - now()) / HOUR;
    return `${/; Expires=/.test(line) ? 'stays' : 'ends with the browser'}, ${Math.round(hours)} h`;
  };
  const LONG = 'stays, 720 h', BRIEF = 'ends with the browser, 2 h';
  const passkey = new Passkey('');
  const ways = {
    password: (client, choice) => client.credentials('ada@example.org', GOOD, choice),
    'a password as JSON': async (client, choice) => client.post('/api/auth/callback/credentials',
      { csrfToken: await client.csrf(), username: 'ada@example.org', password: GOOD, ...(choice.rememberMe && { rememberMe: choice.rememberMe === 'on' }) }, { json: true }),
    'a mailed link': async (client, choice) => {
      const before = mail.mails.length;
      await new Client(client.site).signIn('email', { email: 'ada@example.org', ...choice });
      await until('a mail arrives', () => mail.mails.length > before);
      const page = await client.open(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
      const fields = Object.fromEntries([...page.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]));
      return client.post('/api/auth/callback/email', fields);
    },
    'a passkey': async (client, choice) => usePasskey(client, passkey, choice),
    'a provider': async (client, choice) => {
      const { location } = await client.signIn('mini', choice);
      return client.get(`/api/auth/callback/mini?code=x&state=${new URL(location).searchParams.get('state')}`);
    },
    ...(oathtoolIsHere() && { 'a second factor': async (client, choice) => {
      await client.credentials('bob@example.org', GOOD, choice);
      await letTimePass(db);
      return give(client, codeOf(ways.key));
    } }),
  };
  const each = async (site, choices, expected) => {
    passkey.origin = site.url;
    for (const [way, signIn] of Object.entries(ways).filter(([, f]) => typeof f === 'function')) {
      for (const [i, choice] of choices.entries()) {
        const client = new Client(site);
        t.is(await given(client, await signIn(client, choice)), expected[i], `${way}, ${JSON.stringify(choice)}`);
      }
    }
  };
  const CHOICES = [{ rememberMe: 'on' }, { rememberMe: 'off' }, {}];

  t.section('Always, the default');
  {
    const site = await start('NextAuthSessionStore none');
    const owner = new Client(site);
    await owner.credentials('ada@example.org', GOOD);
    passkey.origin = site.url;
    t.is((await addPasskey(owner, passkey)).status, 302, 'a passkey');
    if (oathtoolIsHere()) {
      const bob = new Client(site);
      await bob.credentials('bob@example.org', GOOD);
      ways.key = (await enrol(bob)).key;
      t.ok(ways.key, 'a second factor');
    } else t.skip('a second factor', 'no oathtool');
    await each(site, CHOICES, [LONG, LONG, LONG]);
    t.unlike((await owner.page('/api/auth/signin')).text, /rememberMe/, 'no form asks');
  }

  const stores = ['NextAuthSessionStore none', 'NextAuthSessionStore database checkInterval=0', 'NextAuthSessionStore database checkInterval=0\nNextAuthSessionStrategy database'];
  for (const store of mpm === 'event' ? stores : [stores[1]]) {
    t.section(`Ask: ${store.replace(/\n/g, ', ')}`);
    const site = await start(store, 'NextAuthRememberMe Ask maxAge=7200');
    await each(site, CHOICES, [LONG, BRIEF, BRIEF]);
    const visitor = new Client(site);
    const { text } = await visitor.page('/api/auth/signin');
    t.is([text.match(/type="checkbox" id="remember[\w-]*" name="rememberMe" value="on"> Stay signed in</g).length, / checked/.test(text)], [4, false], 'every form has the box, and it is empty');
    t.is(new Set([...text.matchAll(/ id="([^"]*)"/g)].map(([, id]) => id)).size, [...text.matchAll(/ id="/g)].length, '  no two with one ID');
    t.like(text, new RegExp(`formaction="${site.url}/api/auth/signin/mini"`), '  one for all buttons of providers');
    const unchecked = await visitor.send('/api/auth/callback/credentials', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams([['csrfToken', await visitor.csrf()], ['username', 'ada@example.org'], ['password', GOOD], ['rememberMe', 'off'], ['rememberMe', 'on']]).toString() });
    t.is(await given(visitor, unchecked), LONG, 'a box that is checked comes after the field that says that it is there');
    await visitor.get('/members/');

    const brief = new Client(site);
    await brief.credentials('ada@example.org', GOOD);
    const again = await brief.get('/api/auth/session');
    t.is(await given(brief, again), BRIEF, 'a renewal changes neither');
    if (/Strategy database/.test(store)) continue;
    const token = open(SECRET, brief.cookie(NAME));
    const show = async (claims) => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${seal(SECRET, { ...token, ...claims })}` } }));
    const renewed = (await show({ iat: now() - 800 })).setCookies.find((line) => line.startsWith(NAME));
    t.ok(renewed && !/Expires/.test(renewed), 'pages renew it, the more often the shorter it is', renewed);
    t.is([(await show({ iat: now() - 7100, exp: now() + 30 * 24 * HOUR })).status, (await show({ iat: now() - 7300, exp: now() + 30 * 24 * HOUR })).status], [200, 401],
      'a token that an application issued for longer does not last longer');
  }

  if (mpm !== 'event') return; // what follows are settings of the same cookie

  t.section('signing in again');
  {
    const site = await start('NextAuthSessionStore none', 'NextAuthRememberMe Ask maxAge=7200 default=on');
    await each(site, CHOICES, [LONG, BRIEF, LONG]);
    t.like((await new Client(site).page('/api/auth/signin')).text, /value="on" checked> Stay signed in/, 'default=on: the box is checked');
    const client = new Client(site);
    await client.credentials('ada@example.org', GOOD, { rememberMe: 'off' });
    const fresh = await client.credentials('ada@example.org', GOOD, { again: "on" });
    t.is(await given(client, fresh), BRIEF, 'before a sensitive change keeps the choice');
  }

  t.section('Never');
  {
    const site = await start('NextAuthSessionStore none', 'NextAuthRememberMe Never maxAge=7200', 'NextAuthSessionIdleTimeout 86400');
    await each(site, CHOICES, [BRIEF, BRIEF, BRIEF]);
  }
});
