#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { htpasswd, until } = require('./lib/httpd.js');
const { seal, open } = require('./lib/token.js');
const { startApp, byNextAuth } = require('./lib/app.js');

const NEW = 'the new secret has 32 bytes at least';
const OLD = 'the old secret has 32 bytes at least';
const now = () => Math.floor(Date.now() / 1000);
const claims = (more = {}) => ({ name: 'Ada', email: 'ada@example.org', sub: '42', iat: now(), exp: now() + 3600, jti: 'j', ...more });
const NAME = 'next-auth.session-token';

suite('Session tokens: which are accepted, renewed and refused', async (t) => {
  t.withOneMpm();
  const app = await startApp(t, byNextAuth(NEW));
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${NEW}" "${OLD}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionMaxAge 1000
NextAuthSessionUpdateAge 600
NextAuthSessionClaim big
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /programs/>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens session
  ProxyPass http://127.0.0.1:${app.port}/
</Location>
<Location /programs/not/>
  NextAuthAcceptTokens none
</Location>` });
  const ask = (cookie, path = '/members/') => t.client(site).get(path, { headers: { cookie } });
  const status = async (cookie) => (await ask(cookie)).status;
  const good = seal(NEW, claims());
  const [header, , iv, text, tag] = good.split('.');
  const other = seal(NEW, claims()).split('.');

  t.section('accepted');
  t.is(await status(`${NAME}=${good}`), 200, 'a token of next-auth\'s making');
  t.is(await status(`a=b; ${NAME}=${good}; c=d`), 200, 'among other cookies');
  t.is(await status(`${NAME}=${good}`), 200, 'again, now from the cache');
  t.is(await status(`${NAME}=${seal(OLD, claims())}`), 200, 'a token of the old secret');
  t.is(await status(`${NAME}=${seal(NEW, claims({ exp: now() - 10 }))}`), 200, 'one that ended 10 seconds ago: clocks differ');
  t.is(await status(`${NAME}.1=${good.slice(200)}; ${NAME}.0=${good.slice(0, 200)}`), 200, 'one in chunks, in any order');
  t.is(await status(`${NAME}=${good}; ${NAME}=rubbish`), 200, 'a good one before another of its name');
  t.is(await status(`${NAME}=${good}; ${NAME}.0=stale; ${NAME}X=y`), 200, 'a stale chunk beside a whole one does not');

  t.section('Authorization: Bearer, where it is allowed');
  {
    const bearer = (token, path = '/programs/', headers = {}) => t.client(site).get(path, { headers: { authorization: `Bearer ${token}`, ...headers } });
    const answer = await bearer(seal(NEW, claims({ iat: now() - 900 })));
    t.is([answer.status, answer.json?.user?.sub], [200, '42'], 'a session token, which getToken() of the application takes as well');
    t.is(answer.setCookies, [], '  it is not made a cookie, though it is due');
    t.is([(await bearer(encodeURIComponent(good))).status, (await bearer(good)).status], [200, 200], 'percent-encoded or not, and again from the cache');
    t.is((await t.client(site).get('/programs/', { headers: { authorization: `bearer  ${good}` } })).status, 200, 'the scheme in any case');
    t.is((await bearer('rubbish', '/programs/', { cookie: `${NAME}=${good}` })).status, 200, 'a cookie goes before it');
    for (const [what, token] of [['rubbish', 'rubbish'], ['an empty one', ''], ['of another secret', seal('a wholly other secret of 32 bytes', claims())], ['long past', seal(NEW, claims({ exp: now() - 60 }))],
      ['a state cookie', seal(NEW, claims(), { salt: 'next-auth.state' })], ['an odd percent sign', '%zz'], ['an id', 'a'.repeat(43)], ['two', `${good} ${good}`]]) {
      t.is((await bearer(token)).status, 401, `refused: ${what}`);
    }
    t.is((await t.client(site).get('/programs/', { headers: { authorization: `Basic ${good}` } })).status, 401, 'refused: another scheme');
    for (const path of ['/members/', '/programs/not/']) t.is((await bearer(good, path)).status, 401, `not allowed on ${path}`);
    t.is((await bearer(good, '/api/auth/session')).json, {}, 'nor at the endpoints');
    const { status: wrong, output } = await t.configtest({ config: '<Location />\nNextAuthAcceptTokens all\n</Location>' });
    t.ok(wrong && /NextAuthAcceptTokens: invalid value 'all': expected session, personal, oauth, oauth:ISSUER, only, or none/.test(output), 'other kinds are refused by configtest', output);
  }

  t.section('refused');
  const refused = {
    'nothing': '', 'rubbish': 'rubbish', 'four dots': '....', 'a truncated token': good.slice(0, -1), 'half a token': good.slice(0, 100),
    'one character more': `${good}A`, 'a changed character': good.slice(0, -30) + (good.at(-30) === 'A' ? 'B' : 'A') + good.slice(-29),
    'another tag': [header, '', iv, text, other[4]].join('.'), 'another IV': [header, '', other[2], text, tag].join('.'),
    'parts in another order': [header, '', text, iv, tag].join('.'), 'a key where none belongs': [header, 'AAAA', iv, text, tag].join('.'),
    'padding': `${good}=`, 'a JWS': `${header}.${text}.${tag}`, 'no tag': [header, '', iv, text, ''].join('.'), 'a short tag': [header, '', iv, text, tag.slice(0, 16)].join('.'),
    'another secret': seal('a wholly other secret of 32 bytes', claims()), 'a state cookie': seal(NEW, claims(), { salt: 'next-auth.state' }),
    'alg none': seal(NEW, claims(), { header: { alg: 'none', enc: 'A256GCM' } }), 'zip': seal(NEW, claims(), { header: { alg: 'dir', enc: 'A256GCM', zip: 'DEF' } }),
    'crit': seal(NEW, claims(), { header: { alg: 'dir', enc: 'A256GCM', crit: ['exp'] } }), 'another enc': seal(NEW, claims(), { header: { alg: 'dir', enc: 'A128GCM' } }),
    'an end long past': seal(NEW, claims({ exp: now() - 60 })), 'no end': seal(NEW, { sub: '42', iat: now() }), 'an end in words': seal(NEW, claims({ exp: 'never' })),
    'a start in the future': seal(NEW, claims({ nbf: now() + 60 })), 'nobody': seal(NEW, claims({ sub: undefined })), 'an empty sub': seal(NEW, claims({ sub: '' })), 'sub null': seal(NEW, claims({ sub: null })),
    'no JSON': seal(NEW, 'hello'), 'a list': seal(NEW, '[1]'), 'a string': seal(NEW, '"x"'), 'deep JSON': seal(NEW, '['.repeat(3000)), 'no UTF-8': seal(NEW, '{"sub":"\\ud800"}'),
  };
  for (const [what, token] of Object.entries(refused)) t.is(await status(`${NAME}=${token}`), 401, what);
  t.is(await status(`${NAME}.0=${good.slice(0, 200)}; ${NAME}.2=${good.slice(200)}`), 401, 'a missing chunk');
  t.is(await status(`${NAME}.1=${good}`), 401, 'a chunk without the first');
  t.is(await status(`${NAME}=rubbish; ${NAME}=${good.slice(0, -1)}`), 401, 'two cookies, none of them good');
  t.is(await status(`authjs.session-token=${good}`), 401, 'a cookie of the dialect that is not accepted');
  t.is((await ask(`${NAME}=${'A'.repeat(9000)}`)).status, 400, 'a header larger than httpd takes');
  t.is((await ask(`${NAME}=${'A'.repeat(7000)}`)).status, 401, 'one as large as it takes');
  t.like(site.log(), /session refused: .*expired \d+ s ago/, 'the log says why');
  t.unlike(site.log(), new RegExp(tag), 'and shows no token');
  const cleared = await ask(`${NAME}=rubbish; ${NAME}.0=x`, '/api/auth/session');
  t.is([cleared.json, cleared.setCookies.filter((line) => line.startsWith(NAME)).sort()],
    [{}, [`${NAME}.0=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`, `${NAME}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`]], 'the session endpoint clears what is no session');

  t.section('dropped at its end, from the cache as well');
  {
    const short = seal(NEW, claims({ exp: now() - 13 }));
    t.is(await status(`${NAME}=${short}`), 200, 'two seconds before the tolerance ends');
    await until('its end', async () => (await status(`${NAME}=${short}`)) === 401, 6000);
    t.ok(true, 'and after it no more');
  }

  t.section('renewal');
  {
    const renewed = (answer) => answer.setCookies.find((line) => line.startsWith(`${NAME}=ey`));
    t.is(renewed(await ask(`${NAME}=${seal(NEW, claims({ iat: now() - 500 }))}`)), undefined, 'a young token is left alone by pages');
    const old = await ask(`${NAME}=${seal(NEW, claims({ iat: now() - 700, custom: 'kept', sid: 's', auth_time: 5 }))}`);
    const line = renewed(old) || '';
    const fresh = open(NEW, line.slice(NAME.length + 1, line.indexOf(';')));
    t.is([fresh.custom, fresh.sid, fresh.auth_time, fresh.sub], ['kept', 's', 5, '42'], 'an older one is renewed, all its claims kept');
    t.ok(fresh.exp > now() + 990 && fresh.exp <= now() + 1000 && fresh.iat >= now() - 5, 'for another maximum age');
    t.is(old.headers['cache-control'], 'private', 'in an answer that shared caches leave alone');
    const rotated = renewed(await ask(`${NAME}=${seal(OLD, claims())}`, '/api/auth/session')) || '';
    t.is(open(NEW, rotated.slice(NAME.length + 1, rotated.indexOf(';'))).sub, '42', 'the old secret\'s token comes back under the new one');
    const csrf = require('node:crypto').createHash('sha256').update(`${'a'.repeat(64)}${OLD}`).digest('hex');
    const c = await ask(`next-auth.csrf-token=${'a'.repeat(64)}%7C${csrf}`, '/api/auth/csrf');
    t.is(c.json.csrfToken, 'a'.repeat(64), 'and open forms outlive the rotation');
  }

  t.section('large sessions');
  {
    const big = seal(NEW, claims({ big: 'x'.repeat(4500) }));
    const answer = await ask(`${NAME}.0=${big.slice(0, 3933)}; ${NAME}.1=${big.slice(3933)}`, '/api/auth/session');
    t.is((answer.json.user || {}).big, 'x'.repeat(4500), 'a chunked session is read');
    t.is(answer.setCookies.filter((line) => line.startsWith(NAME)).map((line) => line.slice(0, NAME.length + 2)), [`${NAME}.0`, `${NAME}.1`], 'and written in chunks');
    const shrunk = await ask(`${NAME}.0=${good.slice(0, 100)}; ${NAME}.1=${good.slice(100)}`, '/api/auth/session');
    t.is(shrunk.setCookies.filter((line) => line.startsWith(NAME)).map((line) => line.slice(0, NAME.length + 3)),
      [`${NAME}.0=`, `${NAME}.1=`, `${NAME}=ey`], 'a smaller one clears the chunks');
  }
  t.ok(site.alive(), 'the server is there');
});
