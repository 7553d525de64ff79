#!/usr/bin/env node
'use strict';
// A Cookie header may have several cookies of one name: of the host and of each domain above it
// (RFC 6265 section 5.4). Which is whose, a server cannot see.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { startRogue } = require('./lib/rogue.js');
const { seal } = require('./lib/token.js');

const SECRET = 'the secret of these cookies has 32 bytes';
const OTHER = 'a secret of before, which is no longer one';
const NAME = 'next-auth.session-token';
const HOST = 'www.shop.localhost';
const users = htpasswd({ ada: 'x', bob: 'x' });
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ sub: 'ada', provider: 'credentials', iat: now(), exp: now() + 3600, jti: 'j', ...more });
const config = (more = '', url = `http://${HOST}:@PORT@`) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
NextAuthSecret "${SECRET}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthRedirectAllow http://${HOST}:@PORT@
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const lines = (answer, start) => answer.setCookies.filter((line) => line.startsWith(start));
const cleared = (answer, name = NAME) => lines(answer, `${name}=;`)
  .map((line) => (/Domain=([^;]+)/.exec(line) || ['', 'this host'])[1]).sort();

suite('Cookies are told apart by their exact names, and each of one name is tried', async (t) => {
  const files = { users };
  const start = async (...args) => {
    const s = await t.httpd({ files, config: config(...args) });
    return { ...s, url: `http://${HOST}:${s.port}` };
  };
  const ask = (s, cookie, path = '/members/', headers = {}) => t.client(s).get(path, { headers: { cookie, ...headers } });
  const status = async (s, cookie) => (await ask(s, cookie)).status;

  t.section('session tokens');
  const site = await start();
  const good = seal(SECRET, claims());
  const stale = seal(OTHER, claims());
  const ended = seal(SECRET, claims({ exp: now() - 60 }));
  t.is(await status(site, `${NAME}=${stale}; ${NAME}=${good}`), 200, 'one of another secret in front');
  t.is(await status(site, `${NAME}=${ended}; ${NAME}=; ${NAME}=rubbish; ${NAME}=${good}`), 200, 'three that are none in front');
  t.is(await status(site, `${NAME}=${ended}; ${NAME}=${stale}`), 401, 'none among them is good');
  t.is(await status(site, `${`${NAME}=x; `.repeat(4)}${NAME}=${good}`), 401, 'no more than four are tried');
  t.is(await status(site, `${NAME.toUpperCase()}=${good}`), 401, 'one of a name in capitals is a stranger');
  const halves = (token, at) => [token.slice(0, at), token.slice(at)];
  const long = seal(SECRET, claims({ pad: 'x'.repeat(1000) }));
  const [a0, a1] = halves(long, 800);
  const [b0, b1] = halves(seal(OTHER, claims({ pad: 'y'.repeat(1000) })), 800);
  const chunks = (...list) => list.map(([n, value]) => `${NAME}.${n}=${value}`).join('; ');
  t.is(await status(site, chunks([0, b0], [1, b1], [0, a0], [1, a1])), 200, 'chunks behind stale ones');
  t.is(await status(site, chunks([0, a0], [0, b0], [1, b1], [1, a1])), 200, 'chunks that came in another order than chunk 0');
  t.is(await status(site, `${NAME}=${stale}; ${chunks([0, a0], [1, a1])}`), 200, 'chunks behind a whole one');
  const many = Array.from({ length: 60 }, (_, i) => [i % 8, `${'x'.repeat(20)}${i}`]);
  t.is(await status(site, chunks(...many)), 401, 'of very many, no set that was never one is made');

  t.section('whoever had one of the domain above');
  {
    const c = t.client(site);
    c.jar.of(site.url).set(NAME, { value: stale, path: '/' });
    const signedIn = await c.credentials('ada', 'x');
    t.is(cleared(signedIn), ['shop.localhost', HOST], 'signs in, and what may be in the way goes');
    t.like(lines(signedIn, `${NAME}=ey`)[0] || '', /; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/, 'the new one is the host\'s own');
    t.ok(signedIn.setCookies.indexOf(lines(signedIn, `${NAME}=ey`)[0]) > signedIn.setCookies.indexOf(lines(signedIn, `${NAME}=;`)[1]), '  and comes last');
    t.is(await status(site, `${NAME}=${stale}; ${NAME}=${c.cookie(NAME)}`), 200, 'who keeps it all the same is signed in');
    const bye = await c.signOut();
    t.is(cleared(bye), ['shop.localhost', 'this host', HOST], 'signing out clears it wherever it may be');
  }

  t.section('whoever had the host\'s own, before domain= was set');
  {
    const s = await start('NextAuthCookie sessionToken domain=shop.localhost');
    const c = t.client(s);
    c.jar.of(s.url).set(NAME, { value: good, path: '/' });
    t.is((await c.get('/members/')).status, 200, 'is still signed in');
    t.is(cleared(await c.signOut()), ['shop.localhost', 'this host', HOST], 'and can sign out');
  }
  {
    const s = await start('NextAuthCookie sessionToken name=__Host-session secure=true', `https://${HOST}`);
    t.is(cleared(await ask(s, '__Host-session=x', '/api/auth/session'), '__Host-session'), ['this host'], 'a __Host- cookie has no domain that it could be of');
    t.is(await status(s, `__HOST-session=${good}`), 401, 'and one of a prefix in capitals is none');
  }

  t.section('sessions on the server');
  {
    const s = await start('NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0\nNextAuthSessionStrategy database');
    const ids = [];
    for (let i = 0; i < 2; i += 1) {
      const c = t.client(s);
      await c.credentials('ada', 'x');
      ids.push(c.cookie(NAME));
    }
    const unknown = 'A'.repeat(43);
    t.is(await status(s, `${NAME}=${unknown}; ${NAME}=${ids[0]}`), 200, 'an id that nobody knows in front');
    const c = t.client(s);
    const both = `${NAME}=${ids[0]}; ${NAME}=${ids[1]}`;
    const { csrfToken } = (await c.get('/api/auth/csrf', { headers: { cookie: both } })).json;
    await c.post('/api/auth/signout', { csrfToken }, { headers: { cookie: `${c.jar.header(s.url)}; ${both}` } });
    t.is([await status(s, `${NAME}=${ids[0]}`), await status(s, `${NAME}=${ids[1]}`)], [401, 401], 'signing out ends each that the browser shows');
  }

  t.section('the form\'s token');
  {
    const name = 'next-auth.csrf-token';
    const first = t.client(site);
    const second = t.client(site);
    const tokens = [await first.csrf(), await second.csrf()];
    const cookies = [first, second].map((c) => `${name}=${c.cookie(name)}`);
    const post = async (cookie, csrfToken) => (await t.client(site).post('/api/auth/session', { csrfToken }, { headers: { cookie } })).status;
    t.is((await ask(site, `${name}=planted; ${cookies[0]}`, '/api/auth/csrf')).json.csrfToken, tokens[0], 'one that is not ours is passed over');
    t.is([await post(cookies.join('; '), tokens[0]), await post(cookies.join('; '), tokens[1])], [200, 200], 'each that is ours will do');
    t.is(await post(cookies[0], tokens[1]), 400, 'one that did not come will not');
    t.is(await post(cookies[0].replace(name, name.toUpperCase()), tokens[0]), 400, 'nor one of a name in capitals');
    const s = await start('', `https://${HOST}`);
    const c = t.client(s);
    const token = await c.csrf();
    const value = c.cookie(`__Host-${name}`);
    const under = (prefix) => t.client(s).post('/api/auth/session', { csrfToken: token }, { headers: { cookie: `${prefix}${name}=${value}` } });
    t.is([(await under('__Host-')).status, (await under('__HOST-')).status, (await under('__host-')).status], [200, 400, 400], 'what only looks like __Host- is not taken for it');
  }

  t.section('where to go afterwards');
  {
    const name = 'next-auth.callback-url';
    const ok = encodeURIComponent(`${site.url}/public.html`);
    const answer = await ask(site, `${name}=${encodeURIComponent('https://evil.example/')}; ${name}=${ok}`, '/api/auth/signout', { accept: 'text/html', 'sec-fetch-mode': 'navigate' });
    t.is(lines(answer, name), [], 'the one that may be gone to counts');
  }

  t.section('the checks of a sign-in');
  {
    const rogue = await startRogue(t);
    const s = await t.httpd({ files, config: `${config('', 'http://localhost:@PORT@')}
NextAuthProvider op type=oidc issuer=${rogue.issuer('op')} clientId=c clientSecret=s` });
    const cookiesOf = async () => {
      const c = t.client(s);
      const away = await c.page((await c.signIn('op')).location);
      return { callback: away.location, all: [...c.cookies].map(([name, { value }]) => [name, value]) };
    };
    const finish = async ({ callback }, pairs) => {
      const answer = await t.client(s).page(callback, { headers: { cookie: pairs.map((p) => p.join('=')).join('; ') } });
      return lines(answer, NAME).length;
    };
    const plain = await cookiesOf();
    t.is(await finish(plain, plain.all), 1, 'as they were set they sign in');
    const flow = await cookiesOf();
    const isCheck = ([name]) => /state|pkce|nonce/.test(name);
    const planted = flow.all.filter(isCheck).map(([name]) => [name, 'planted']);
    const other = plain.all.filter(isCheck).map(([, value], i) => [flow.all.filter(isCheck)[i][0], value]);
    t.is(await finish(flow, [...planted, other[0], ...flow.all]), 1, 'behind others of their names as well');
    const third = await cookiesOf();
    t.is(await finish(third, third.all.map(([name, value]) => (isCheck([name]) ? [name.toUpperCase(), value] : [name, value]))), 0, 'under names in capitals they do not');
  }
});
