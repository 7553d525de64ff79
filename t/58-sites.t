#!/usr/bin/env node
'use strict';
// Virtual hosts with one secret: who is signed in at one of them is not signed in at the others,
// unless NextAuthSite says so.
const { suite } = require('./lib/suite.js');
const { check, htpasswd, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { nextauthctl } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { startRogue } = require('./lib/rogue.js');
const { seal, open, sealOrder } = require('./lib/token.js');

const SECRET = 'the secret of several sites has 32 bytes';
const NAME = 'next-auth.session-token';
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ sub: 'ada', provider: 'credentials', iat: now(), exp: now() + 3600, jti: 'j', ...more });
const files = { 'users-a': htpasswd({ ada: 'x' }), 'users-b': htpasswd({ bob: 'x' }) };
const config = (a, b, common = '') => `
NextAuthMode test
${common}
${[['a', a], ['b', b]].map(([name, lines]) => `<VirtualHost *:@PORT@>
ServerName ${name}.localhost
NextAuthEngine On
NextAuthURL http://${name}.localhost:@PORT@
NextAuthProvider credentials backend=file:@DIR@/users-${name}
${lines.includes('NextAuthSecret') ? '' : `NextAuthSecret "${SECRET}"`}
${lines}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /sessions>
  SetHandler nextauth-sessions
</Location>
</VirtualHost>`).join('\n')}`;

suite('Sessions belong to the site that made them', async (t) => {
  const start = async (a = '', b = '', common = '', more = {}) => {
    const s = await t.httpd({ files, config: config(a, b, common), ...more });
    const at = (name) => ({ ...s, url: `http://${name}.localhost:${s.port}` });
    return { ...s, a: at('a'), b: at('b') };
  };
  const ask = async (site, token) => (await new Client(site).get('/members/', { headers: { cookie: `${NAME}=${token}` } })).status;
  const signedIn = async (site, user = 'ada') => {
    const c = new Client(site);
    await c.credentials(user, 'x');
    return c;
  };
  const renewed = async (site, token) => {
    const answer = await new Client(site).get('/api/auth/session', { headers: { cookie: `${NAME}=${token}` } });
    const line = answer.setCookies.find((one) => one.startsWith(`${NAME}=e`)) || '';
    return line.slice(NAME.length + 1, line.indexOf(';'));
  };

  t.section('one secret');
  {
    const s = await start();
    const token = (await signedIn(s.a)).cookie(NAME);
    t.is(await ask(s.a, token), 200, 'a session opens its own site');
    t.is(await ask(s.b, token), 401, 'and not the other, whose users are others');
    t.like(s.log(), /session refused: the session belongs to another site/, '  as the log says');
    const elsewhere = await new Client(s.b).get('/api/auth/session', { headers: { cookie: `${NAME}=${token}` } });
    t.is(elsewhere.setCookies.filter((line) => line.startsWith(`${NAME}=`)), [], '  whose session endpoint leaves the cookie to the first');
    t.is(open(SECRET, token).nasite, `${s.a.url}/api/auth`, 'it names the site by its address');
    t.is(await ask(s.b, await renewed(s.a, token)), 401, 'a renewed one is still its site\'s');
    const { decode, encode } = require('next-auth/jwt');
    const reissued = await encode({ token: await decode({ token, secret: SECRET }), secret: SECRET });
    t.is([await ask(s.a, reissued), await ask(s.b, reissued)], [200, 401], 'so is one that an application has re-issued');
    const unbound = seal(SECRET, claims());
    t.is([await ask(s.a, unbound), await ask(s.b, unbound)], [401, 401], 'tokens of applications, which name no site, open neither');
    t.like(s.log(), /the token has no site, and another site has the same secret: see NextAuthSite/, '  and the log says what to do');
    t.like(s.log(), /\[nextauth:warn\].* mod_nextauth for http:\/\/a\.localhost:\d+: http:\/\/b\.localhost:\d+ has the same secret: /, 'the start warns');
  }
  {
    const s = await start('', `NextAuthSecret "${SECRET} of another" "${SECRET}"`);
    t.is([await ask(s.a, seal(SECRET, claims())), await ask(s.b, seal(SECRET, claims()))], [401, 401], 'an older secret is one, too');
  }

  t.section('a secret of its own');
  {
    const s = await start('', `NextAuthSecret "${SECRET} of another"`);
    t.is(await ask(s.a, seal(SECRET, claims())), 200, 'a token of NextAuth\'s is good');
    t.is(await ask(s.a, await renewed(s.a, seal(SECRET, claims()))), 200, 'and stays so when it is renewed');
    t.is(await ask(s.a, seal(SECRET, claims({ nasite: `${s.b.url}/api/auth` }))), 401, 'one that another server\'s module made for another site is not');
    t.unlike(s.log(), /has the same secret/, 'there is nothing to warn of');
  }

  t.section('NextAuthSite');
  {
    const s = await start('NextAuthSite company', 'NextAuthSite company');
    const token = (await signedIn(s.a)).cookie(NAME);
    t.is([await ask(s.a, token), await ask(s.b, token)], [200, 200], 'sites of one name share sessions');
    t.is(open(SECRET, token).nasite, 'company', 'which name them so');
    t.is(await ask(s.b, seal(SECRET, claims())), 200, 'and take those of applications');
    t.unlike(s.log(), /has the same secret/, 'there is nothing to warn of');
  }
  {
    const s = await start('NextAuthSite one', 'NextAuthSite two unbound=accept');
    const token = (await signedIn(s.a)).cookie(NAME);
    t.is([await ask(s.a, token), await ask(s.b, token)], [200, 401], 'sites of two names do not');
    t.is([await ask(s.a, seal(SECRET, claims())), await ask(s.b, seal(SECRET, claims()))], [401, 200], 'unbound=accept takes those of applications');
  }
  {
    const s = await start('NextAuthSite one unbound=refuse', `NextAuthSecret "${SECRET} of another"`);
    t.is(await ask(s.a, seal(SECRET, claims())), 401, 'unbound=refuse takes none of them');
  }
  for (const [line, says] of [['NextAuthSite http://x', /invalid name 'http:\/\/x': expected 1 to 64 letters/], ['NextAuthSite x unbound=maybe', /invalid unbound='maybe': expected accept or refuse/]]) {
    const wrong = await t.configtest({ files, config: config(line, '') });
    t.is(wrong.status === 0, false, `${line} is refused`);
    t.like(wrong.output, says, '  with what is expected');
  }
  {
    const rows = async (a, b) => (await check(t, { files, config: config(a, b) }, ['--json'])).told.findings
      .filter(({ subject, group }) => subject === 'NextAuthSite' && group === 'site').map(({ state, message }) => [state, message.replace(/:\d+/, '')]);
    t.is(await rows('', ''), ['b', 'a'].map((other) => ['warning', `http://${other}.localhost has the same secret: neither site accepts the other's sessions, or tokens that an application has issued`]), 'check warns of a shared secret');
    t.is(await rows('NextAuthSite x', 'NextAuthSite x'), ['b', 'a'].map((other) => ['ok', `sessions are shared with http://${other}.localhost/api/auth`]), 'and shows what is shared');
    t.is(await rows('NextAuthSite x', 'NextAuthSite y'), [], 'what was said is not warned of');
  }

  t.section('one URL for hosts of several names');
  {
    const same = (lines) => ({ files, config: config(lines, lines).replace('http://b.localhost', 'http://a.localhost') });
    const rows = async (lines) => (await check(t, same(lines), ['--json'])).told.findings
      .filter((one) => /sessions of one are valid for both/.test(one.message)).map((one) => [one.state, one.message]);
    t.is(await rows(''), ['b', 'a'].map((other) => ['warning', `${other}.localhost has the same NextAuthURL: sessions of one are valid for both`]), 'check warns of it');
    t.is(await rows('NextAuthSite x'), [], 'not where that was said');
    const site = await t.httpd(same(''));
    t.like(site.log(), /a\.localhost: b\.localhost has the same NextAuthURL: sessions of one are valid for both: set another NextAuthURL in each virtual host/, 'so does the log');
  }

  t.section('one store');
  for (const strategy of ['jwt', 'database']) {
    const s = await start('', '', `NextAuthSOCache shmcb:@DIR@/sessions(1048576)\nNextAuthSessionStore socache checkInterval=0\nNextAuthSessionStrategy ${strategy}`,
      { files: { ...files, 'users-b': htpasswd({ ada: 'x' }) } });
    const here = await signedIn(s.a);
    const there = await signedIn(s.b);
    t.is([await ask(s.a, here.cookie(NAME)), await ask(s.b, here.cookie(NAME))], [200, 401], `${strategy}: a session is one site's`);
    const list = async (c) => (await c.get('/api/auth/sessions')).json.sessions.length;
    t.is([await list(here), await list(there)], [1, 1], '  users of one name see their own');
    const all = (await new Client(s.b).get('/sessions')).json.sessions;
    t.is(all.length, 1, '  so does whoever lists a site\'s');
    const [{ id }] = (await here.get('/api/auth/sessions')).json.sessions;
    const end = await new Client(s.b).post('/sessions', { order: sealOrder(SECRET, `${s.b.url}/api/auth`, { session: id }) });
    t.is([end.status, await ask(s.a, here.cookie(NAME))], [404, 200], '  and cannot end the other\'s');
    const order = sealOrder(SECRET, `${s.a.url}/api/auth`, { session: id });
    t.is([(await new Client(s.b).post('/sessions', { order })).status, await ask(s.a, here.cookie(NAME))], [403, 200], '  nor pass on an order for the other');
    const { site: name } = (await new Client(s.a).get('/sessions?about=site')).json;
    t.is(name, `${s.a.url}/api/auth`, '  each says what its orders are for');
    await there.post('/api/auth/sessions', { csrfToken: await there.csrf(), session: 'all' });
    t.is([await ask(s.a, here.cookie(NAME)), await ask(s.b, there.cookie(NAME))], [200, 401], '  signing out everywhere is everywhere on one\'s site');
  }

  t.section('the checks of a sign-in');
  {
    const rogue = await startRogue(t);
    const s = await start('', '', `NextAuthProvider op type=oidc issuer=${rogue.issuer('op')} clientId=c clientSecret=s`);
    const c = new Client(s.a);
    const away = await c.page((await c.signIn('op')).location);
    const callback = new URL(away.location);
    const elsewhere = await new Client(s.b).page(callback.pathname + callback.search, { headers: { cookie: c.jar.header(s.a.url) } });
    t.is(elsewhere.setCookies.filter((line) => line.startsWith(`${NAME}=e`)), [], 'one that began at one site does not end at the other');
    t.like(s.log(), /cookie next-auth\.state was issued for another site/, '  as the log says');
    t.is((await c.page(away.location)).setCookies.some((line) => line.startsWith(`${NAME}=e`)), true, 'but where it began');
  }

  t.section('one table of sessions that were looked up');
  if (redisIsHere()) {
    const { url } = await startRedis(t);
    const s = await start('NextAuthSite x\nNextAuthSessionStore socache checkInterval=3600',
      `NextAuthSite x\nNextAuthRedis ${url}\nNextAuthSessionStore redis checkInterval=3600`, 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)');
    const token = (await signedIn(s.a)).cookie(NAME);
    const answers = async (site) => new Set(await Promise.all(Array.from({ length: 40 }, () => ask(site, token))));
    t.is([...await answers(s.a)], [200], 'a session that every process found in the store of one site');
    t.is([...await answers(s.b)], [401], '  is not taken as found in the store of another');
    t.is([...await answers(s.a)], [200], '  and stays what it was at its own');
  } else t.skip('one table of sessions that were looked up', 'redis-server is not here');

  t.section('one database');
  if (databasesHere().sqlite) {
    const db = sqlite(t);
    await nextauthctl(db, ['migrate']);
    const mail = await startMail(t, { tls: 'none' });
    const s = await start('', '', `NextAuthDatabase ${db.url}\nNextAuthMail ${mail.url()} from=no-reply@example.org\nNextAuthProvider email
NextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0`);
    const linkOf = async (site) => {
      const before = mail.mails.length;
      await new Client(site).signIn('email', { email: 'ada@example.org' });
      await until('a mail arrives', () => mail.mails.length > before);
      return new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
    };
    const use = async (site, link) => {
      const c = new Client(site);
      const fields = Object.fromEntries(['token', 'email'].map((name) => [name, link.searchParams.get(name)]));
      await c.post('/api/auth/callback/email', { csrfToken: await c.csrf(), ...fields });
      return c.cookie(NAME);
    };
    const link = await linkOf(s.a);
    t.is(await use(s.b, link), undefined, 'a link of one site does not sign in at the other');
    const session = await use(s.a, link);
    t.ok(session, 'but where it was asked for');
    t.is([await ask(s.a, session), await ask(s.b, session)], [200, 401], 'nor does a session of NextAuth\'s table open both');
    const [{ id }] = await db.sql('SELECT id FROM users');
    const foreign = '11111111-2222-4333-8444-555555555555';
    await db.sql(`INSERT INTO sessions ("userId", expires, "sessionToken") VALUES (${id}, '${new Date(Date.now() + 3600_000).toISOString()}', '${foreign}')`);
    t.is([await ask(s.a, foreign), await ask(s.b, foreign)], [401, 401], 'one that an application put there opens neither');
    t.like(s.log(), /the row has no site, and another site has the same database: see NextAuthSite/, '  as the log says');
    const alone = await start('NextAuthSite x', 'NextAuthSite x', `NextAuthDatabase ${db.url}\nNextAuthSessionStrategy database\nNextAuthSessionStore database checkInterval=0`);
    t.is([await ask(alone.a, foreign), await ask(alone.b, foreign)], [200, 200], 'and both where they are one site');
  } else t.skip('one database', 'sqlite3 is not here');
});
