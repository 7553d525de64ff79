#!/usr/bin/env node
'use strict';
// Forms of other sites: the token, whose session it is of, and what browsers say of the page that asks
// (Fetch Metadata Request Headers; RFC 6454 section 7).
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startHomemade } = require('./lib/emulators.js');

const NAME = 'next-auth.session-token';

suite('Forms of other sites', async (t) => {
  const op = await startHomemade(t);
  const config = (more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSOCache shmcb:@DIR@/sessions(512000)
NextAuthSessionStore socache checkInterval=0
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider op type=oauth clientId=c clientSecret=s authorization=${op.url}/authorize token=${op.url}/token userinfo=${op.url}/api/me
${more}`;
  const files = { users: htpasswd({ ada: 'x', bob: 'x' }) };
  const site = await t.httpd({ files, config: config() });
  const ada = { username: 'ada', password: 'x' };
  const signedIn = async (user = 'ada', at = site) => {
    const c = new Client(at);
    await c.credentials(user, 'x');
    return c;
  };
  const isIn = async (c) => Boolean((await c.session())?.user);
  const post = async (c, path, fields, headers) => c.post(`/api/auth/${path}`, { csrfToken: await c.csrf(), ...fields }, { headers });

  t.section('what the browser says of the page that asks');
  const other = 'http://evil.localhost:8080';
  for (const [headers, enters, what] of [
    [{}, true, 'nothing: the token decides'],
    [{ origin: site.url }, true, 'our origin'],
    [{ origin: site.url.toUpperCase() }, true, 'in capitals'],
    [{ origin: 'null' }, true, 'an origin that is not shown: the token decides'],
    [{ origin: other }, false, 'another origin'],
    [{ origin: `http://localhost:${site.port + 1}` }, false, 'another port'],
    [{ origin: `${site.url}.evil.org` }, false, 'an origin that begins like ours'],
    [{ origin: '' }, false, 'an empty one'],
    [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true, 'Sec-Fetch-Site: same-origin'],
    [{ 'sec-fetch-site': 'none' }, true, 'none'],
    [{ 'sec-fetch-site': 'same-site', origin: site.url }, false, 'same-site'],
    [{ 'sec-fetch-site': 'cross-site' }, false, 'cross-site'],
    [{ 'sec-fetch-site': 'whatever' }, false, 'anything else'],
  ]) {
    const c = new Client(site);
    const answer = await post(c, 'callback/credentials', ada, headers);
    t.is([answer.location, Boolean(c.cookie(NAME))], [enters ? site.url : `${site.url}/api/auth/signin?csrf=true`, enters], `${what}${enters ? '' : ': refused, the right token or not'}`);
  }
  t.like(site.log(), /sent by a page of another site \(Origin, Sec-Fetch-Site\)/, 'the log says why');
  const alias = new Client({ url: `http://127.0.0.1:${site.port}` });
  t.is((await post(alias, 'callback/credentials', ada, { origin: alias.site.url })).location, site.url, 'another name of this host, in a browser that says no more');

  t.section('every form');
  for (const [path, fields] of [['signin/op', {}], ['signout', {}], ['sessions', { session: 'all' }], ['tokens', { change: 'create', name: 'x', scope: '/', days: '9' }], ['callback/credentials', { ...ada, username: 'bob' }], ['session', {}]]) {
    const c = await signedIn();
    const answer = await post(c, path, fields, { 'sec-fetch-site': 'cross-site', origin: other });
    t.ok(!/authorize/.test(answer.location || '') && await isIn(c), `POST ${path} of another site does nothing`, answer.status, answer.location);
    t.is((await c.session()).user.name, 'ada', '  and signs nobody else in');
  }
  const provider = new Client(site);
  op.user = { id: 'u1', name: 'Una' };
  const back = new URL((await provider.page((await provider.signIn('op')).location)).location);
  t.is((await provider.get(back.href, { headers: { 'sec-fetch-site': 'cross-site' } })).location, site.url, 'a provider\'s answer comes from another site, of course');

  t.section('a client that has no token, but a page of ours');
  const bare = { 'x-auth-return-redirect': '1', origin: site.url };
  const v5 = async (path, fields, headers, c = new Client(site)) => {
    const answer = await c.post(`/api/auth/${path}`, fields, { headers });
    return [answer.json?.url || answer.location, await isIn(c), c, answer];
  };
  t.is((await v5('callback/credentials', ada, bare)).slice(0, 2), [site.url, true], 'X-Auth-Return-Redirect and our Origin: taken, as Auth.js for SvelteKit does');
  for (const [headers, what] of [[{ ...bare, origin: other }, 'another origin'], [{ ...bare, origin: 'null' }, 'none that is shown'], [{ 'x-auth-return-redirect': '1' }, 'no origin'],
    [{ ...bare, 'sec-fetch-site': 'cross-site' }, 'Sec-Fetch-Site: cross-site'], [{ origin: site.url }, 'no X-Auth-Return-Redirect']]) {
    const [url, inside] = await v5('callback/credentials', ada, headers);
    t.is([/csrf=true|error=MissingCSRF/i.test(url || ''), inside], [true, false], `${what}: refused`);
  }
  const [away, , svelte] = await v5('signin/op', { callbackUrl: '/public.html' }, bare);
  t.like(away, new RegExp(`^${op.url}/authorize`), 'it begins a sign-in at a provider');
  t.is((await svelte.page((await svelte.page(away)).location)).location, `${site.url}/public.html`, 'which ends in the same browser');
  t.is((await v5('signout', {}, bare, svelte))[1], false, 'and signs out');

  t.section('a token is of one session');
  const early = new Client(site);
  const before = await early.csrf();
  await early.post('/api/auth/callback/credentials', { csrfToken: before, ...ada });
  t.ok(await isIn(early), 'the token of a browser where nobody is signed in signs in');
  await early.post('/api/auth/signout', { csrfToken: before });
  t.ok(await isIn(early), 'from then on it is none');
  const hers = await early.csrf();
  t.isnt(hers, before, 'there is another');
  t.is(hers.slice(0, 32), before.slice(0, 32), 'of the same browser');
  t.is(await early.csrf(), hers, 'which stays');
  const bob = await signedIn('bob');
  await bob.csrf();
  bob.cookies.set('next-auth.csrf-token', early.cookies.get('next-auth.csrf-token'));
  await bob.post('/api/auth/signout', { csrfToken: hers });
  t.ok(await isIn(bob), 'a token of another session, planted cookie and all, is none');
  await bob.signOut();
  t.ok(!await isIn(bob), 'his own is');
  await early.post('/api/auth/signout', { csrfToken: hers });
  t.ok(!await isIn(early), 'so is hers');

  t.section('sign-ins under way outlive a new token');
  const tabs = new Client(site);
  op.user = { id: 'u1', name: 'Una' };
  const first = await tabs.page((await tabs.signIn('op')).location);
  await tabs.page((await tabs.page((await tabs.signIn('op')).location)).location);
  await tabs.csrf();
  t.is((await tabs.page(first.location)).location, site.url, 'begun before another tab signed in: it ends, too');

  t.section('new secrets');
  const old = await signedIn();
  const token = await old.csrf();
  await site.reload(config().replace(/NextAuthSecret .*/, 'NextAuthSecret fedcba9876543210fedcba9876543210 0123456789abcdef0123456789abcdef'));
  await old.post('/api/auth/signout', { csrfToken: token });
  t.ok(!await isIn(old), 'a token of the older secret is good for its session');
});
