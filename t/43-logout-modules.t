#!/usr/bin/env node
'use strict';
// What the logout plans for relying parties of the OpenID Foundation's conformance suite ask, each
// under the name of its module, and what else a hostile provider or page can send.
const crypto = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { freePort, pause } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startRogue, sign, makeKey, seconds } = require('./lib/rogue.js');

const SESSION = 'next-auth.session-token';
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const clientSecret = 'what-only-the-client-knows';
const random = () => crypto.randomBytes(16).toString('hex');

// Two providers of one issuer, as an administrator has who knows two clients of it.
const config = (rogue, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSOCache shmcb:@DIR@/sessions(4194304)
NextAuthSessionStore socache checkInterval=0
NextAuthRateLimit callback address=1000/60
NextAuthProvider acme type=oidc issuer=${rogue.issuer('acme')} clientId=client-acme clientSecret=${clientSecret} logout=true
NextAuthProvider twin type=oidc issuer=${rogue.issuer('acme')} clientId=client-twin clientSecret=${clientSecret} logout=true
NextAuthProvider quiet type=oidc issuer=${rogue.issuer('acme')} clientId=client-quiet clientSecret=${clientSecret}
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

async function start(t, more = '') {
  const rogue = await startRogue(t);
  const issuer = rogue.issuer('acme');
  const site = await t.httpd({ port: await freePort(), config: config(rogue, more) });
  rogue.faults.acme = { discovery: (honest) => ({ ...honest, end_session_endpoint: `${issuer}/end` }) };
  const names = {}; // of the session that signs in next
  rogue.faults.acme.claims = (honest) => ({ ...honest, ...names });
  const signIn = async (claims = {}, id = 'acme') => {
    for (const name of Object.keys(names)) delete names[name];
    Object.assign(names, { sid: random(), ...claims });
    const client = new Client(site);
    const back = await client.page((await client.signIn(id)).location);
    const answer = await client.page(back.location);
    return { client, answer, sid: names.sid, stolen: client.cookie(SESSION) };
  };
  const asThief = async (session) => (await new Client(site).get('/members/', { headers: { cookie: `${SESSION}=${session.stolen}` } })).status;
  const honest = (session) => ({ iss: issuer, aud: 'client-acme', iat: seconds(), exp: seconds() + 120, jti: random(), sid: session.sid, sub: 'mallory', events: { [EVENT]: {} } });
  const token = (claims, header = {}, by = sign.rs256, key = rogue.key) => by({ alg: 'RS256', typ: 'logout+jwt', kid: rogue.key.kid, ...header }, claims, key);
  const post = (value, id = 'acme') => new Client(site).post(`/api/auth/backchannel-logout/${id}`, { logout_token: value });
  return { rogue, issuer, site, signIn, asThief, honest, token, post };
}

// [module, what the logout token has, the log's reason; none: it is honest]
const backchannel = (at) => [
  ['oidcc-client-test-rp-backchannel-rpinitlogout', (c) => at.token(c)],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-no-event', (c) => at.token({ ...c, events: undefined }), /events does not name a logout/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event', (c) => at.token({ ...c, events: { 'http://schemas.openid.net/event/something-else': {} } }), /events does not name a logout/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce', (c) => at.token({ ...c, nonce: random() }), /it has a nonce/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss', (c) => at.token({ ...c, iss: 'http://evil.example.org' }), /iss does not match the issuer/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud', (c) => at.token({ ...c, aud: 'somebody-else' }), /aud does not name this client/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg', (c) => at.token(c, { alg: 'HS256' }, (header, claims) => sign.hs256(header, claims, clientSecret)), /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['oidcc-client-test-rp-backchannel-rpinitlogout-alg-none', (c) => at.token(c, { alg: 'none' }, sign.none), /unsupported algorithm none/],
  ['events: a list', (c) => at.token({ ...c, events: [EVENT] }), /events does not name a logout/],
  ['events: null', (c) => at.token({ ...c, events: { [EVENT]: null } }), /events does not name a logout/],
  ['events: with details', (c) => at.token({ ...c, events: { [EVENT]: { reason: 'user' }, 'urn:other': {} } })],
  ['nonce: null', (c) => at.token({ ...c, nonce: null }), /it has a nonce/],
  ['neither sub nor sid', (c) => at.token({ ...c, sub: undefined, sid: undefined }), /it has neither sub nor sid/],
  ['sid: a number', (c) => at.token({ ...c, sid: 7 }), /sub or sid is not a text/],
  ['sid: empty', (c) => at.token({ ...c, sid: '' }), /sub or sid is not a text/],
  ['sub: a list', (c) => at.token({ ...c, sub: ['mallory'] }), /sub or sid is not a text/],
  ['jti: none', (c) => at.token({ ...c, jti: undefined }), /it has no jti/],
  ['jti: a number', (c) => at.token({ ...c, jti: 7 }), /it has no jti/],
  ['iat: none', (c) => at.token({ ...c, iat: undefined }), /iat is in the future, or missing/],
  ['iat: in an hour', (c) => at.token({ ...c, iat: seconds() + 3600 }), /iat is in the future/],
  ['iat: an hour ago, and it expires in an hour', (c) => at.token({ ...c, iat: seconds() - 3600, exp: seconds() + 3600 }), /it has expired/],
  ['exp: over', (c) => at.token({ ...c, iat: seconds() - 200, exp: seconds() - 100 }), /it has expired/],
  ['exp: a text', (c) => at.token({ ...c, exp: 'tomorrow' }), /exp is not a number/],
  ['exp: none, as in the first edition', (c) => at.token({ ...c, exp: undefined })],
  ['exp: none, and an hour old', (c) => at.token({ ...c, exp: undefined, iat: seconds() - 3600 }), /it has expired/],
  ['nbf: in an hour', (c) => at.token({ ...c, nbf: seconds() + 3600 }), /nbf is in the future/],
  ['typ: JWT', (c) => at.token(c, { typ: 'JWT' })],
  ['typ: none', (c) => at.token(c, { typ: undefined })],
  ['typ: an access token', (c) => at.token(c, { typ: 'at+jwt' }), /its type is 'at\+jwt'/],
  ['aud: two, and no azp', (c) => at.token({ ...c, aud: ['client-acme', 'other'] }), /several audiences and no azp/],
  ['signature: of another key', (c) => at.token(c, {}, sign.rs256, makeKey('one')), /signature does not verify/],
  ['signature: an unknown kid', (c) => at.token(c, { kid: 'unheard-of' }), /no key for algorithm RS256/],
  ['encrypted, without our asking', () => 'eyJhbGciOiJkaXIifQ....', /it is encrypted/],
  ['nonsense', () => 'nonsense', /not three parts/],
];

suite('Logouts as the conformance suite tests them, and hostile ones', async (t) => {
  t.withOneMpm();
  const at = await start(t);
  const { site, issuer } = at;
  const rest = await at.signIn();

  t.section('back-channel');
  for (const [name, made, reason] of backchannel(at)) {
    const session = await at.signIn();
    const before = site.log().length;
    const answer = await at.post(await made(at.honest(session)));
    const told = site.log().slice(before);
    if (reason) {
      t.is([answer.status, answer.json?.error, await at.asThief(session)], [400, 'invalid_request', 200], `${name}: 400, and the session goes on`);
      t.like(told, reason, 'and the log says why');
    } else t.is([answer.status, answer.text, await at.asThief(session)], [200, '', 401], `${name}: the session ends`, told);
    t.like(answer.headers['cache-control'], /no-store/, 'not to be stored');
  }
  t.is(await at.asThief(rest), 200, 'none of these ended a session of the same user that has another sid');

  t.section('back-channel: once, for one provider, for whom it names');
  {
    const [one, twin] = [await at.signIn(), await at.signIn({}, 'twin')];
    const first = await at.token({ ...at.honest(one), sid: undefined });
    t.is((await at.post(first, 'twin')).status, 400, 'a token for one client is not accepted for another one of the issuer');
    t.is((await at.post(first)).status, 200, 'a token that names the user alone');
    t.is([await at.asThief(one), await at.asThief(rest), await at.asThief(twin)], [401, 401, 200], 'ends all sessions of the user that began with this provider');
    await pause(1100); // the provider's clock is in seconds
    const next = await at.signIn();
    const again = await at.post(first);
    t.is([again.status, await at.asThief(next)], [400, 200], 'the same token again ends none that began since');
    t.like(site.log(), /logout token refused: it was used before/, 'as the log says');
    const unnamed = await at.signIn({ sid: undefined });
    t.is((await at.post(await at.token(at.honest({ sid: 'unheard-of' })))).status, 200, 'a session that never began here');
    t.is([await at.asThief(next), await at.asThief(unnamed)], [200, 401], 'ends those alone that the provider gave no sid');
    t.is((await at.post(await at.token(at.honest(next), {}), 'quiet')).status, 400, 'a provider without logout=');
    t.is((await at.post(await at.token(at.honest(next), {}), 'nobody')).status, 400, 'an unknown provider');
    t.is((await new Client(site).post('/api/auth/backchannel-logout/acme', {})).json?.error_description, 'logout_token is missing', 'no token');
    t.is((await new Client(site).get('/api/auth/backchannel-logout/acme')).status, 400, 'GET is no way');
    t.is(await at.asThief(next), 200, 'and none of it ended a session');
  }

  t.section('back-channel: while a session begins');
  {
    const sid = random();
    const client = new Client(site);
    const other = await at.signIn({ sid });
    const back = await client.page((await client.signIn('acme')).location);
    at.rogue.faults.acme.token = async (honest) => {
      await at.post(await at.token({ ...at.honest({ sid }), iat: seconds() + 1 }));
      return honest;
    };
    const answer = await client.page(back.location);
    delete at.rogue.faults.acme.token;
    t.like(answer.location, /error=AccessDenied/, 'the provider ends the session before ours began: the sign-in fails');
    t.is([await client.session(), await at.asThief(other)], [{}, 401], 'and no session begins');
  }

  t.section('front-channel');
  const front = (session, more = {}) => new Client(site).page(`/api/auth/frontchannel-logout/acme?${new URLSearchParams({ iss: issuer, sid: session.sid, ...more })}`, { headers: { 'sec-fetch-dest': 'iframe', 'sec-fetch-site': 'cross-site' } });
  {
    const [one, two] = [await at.signIn(), await at.signIn()];
    const away = new URL((await one.client.signOut()).location);
    t.is(away.origin + away.pathname, `${issuer}/end`, 'oidcc-client-test-rp-frontchannel-rpinitlogout: a sign-out here leads to the provider');
    const answer = await front(one);
    t.is([answer.status, answer.text], [200, ''], 'which loads our page');
    t.like(answer.headers['cache-control'], /no-store/, 'never from a cache');
    t.is([answer.headers['x-frame-options'], answer.headers['content-security-policy']], [undefined, undefined], 'and in a frame');
    t.is([await at.asThief(two), (await front(two)).status, await at.asThief(two)], [200, 200, 401], 'oidcc-client-test-rp-frontchannel-opinitlogout: the session ends, with every copy of its cookie');
  }
  {
    const session = await at.signIn();
    t.is([(await front(session, { iss: 'http://evil.example.org' })).status, await at.asThief(session)], [200, 200], 'another issuer ends nothing');
    t.is([(await front(session, { sid: 'guessed' })).status, await at.asThief(session)], [200, 200], 'a sid that is guessed ends nothing');
    t.is((await session.client.page('/api/auth/frontchannel-logout/acme')).status, 400, 'a page that any site could load, with the cookie and without a sid');
    t.is((await session.client.page(`/api/auth/frontchannel-logout/acme?iss=${issuer}`)).status, 400, 'with the issuer alone');
    t.is((await session.client.page(`/api/auth/frontchannel-logout/acme?sid=${session.sid}`)).status, 400, 'with the sid alone');
    t.is((await session.client.page(`/api/auth/frontchannel-logout/twin?${new URLSearchParams({ iss: issuer, sid: session.sid })}`)).status, 200, 'through another provider');
    t.is((await session.client.page(`/api/auth/frontchannel-logout/quiet?${new URLSearchParams({ iss: issuer, sid: session.sid })}`)).status, 400, 'through one without logout=');
    t.is(await at.asThief(session), 200, 'none of it ends the session');
  }

  t.section('RP-initiated');
  {
    const signedOut = async (callbackUrl = '/goodbye') => {
      const session = await at.signIn();
      const url = new URL((await session.client.signOut({ callbackUrl })).location);
      return { session, fields: Object.fromEntries(url.searchParams) };
    };
    const back = (client, query) => client.page(`/api/auth/signout-callback/acme${query}`);
    const { session, fields } = await signedOut();
    t.is([Boolean(fields.id_token_hint), fields.post_logout_redirect_uri], [true, `${site.url}/api/auth/signout-callback/acme`], 'oidcc-client-test-rp-init-logout: id_token_hint and post_logout_redirect_uri');
    t.is(await at.asThief(session), 401, 'the session has ended before the browser leaves');
    t.is((await back(session.client, `?state=${fields.state}`)).location, `${site.url}/goodbye`, 'and the state leads on');
    const none = await back(session.client, '');
    t.like(none.location, /\/api\/auth\/error\?error=/, 'oidcc-client-test-rp-init-logout-no-state: an error page');
    const invalid = await back(session.client, '?state=invalid');
    t.like(invalid.location, /\/api\/auth\/error\?error=/, 'oidcc-client-test-rp-init-logout-invalid-state: an error page');
    t.like((await session.client.page(`/api/auth/signout-callback/twin?state=${fields.state}`)).location, /error\?error=/, 'a state of another provider');
    t.like((await session.client.page(`/api/auth/signout-callback/nobody?state=${fields.state}`)).location, /error/, 'an unknown provider');
    const cookie = session.client.jar.of(site.url).get(SESSION) || { value: rest.stolen };
    t.like((await back(session.client, `?state=${cookie.value}`)).location, /error\?error=/, 'a session token as state');
    const far = await signedOut('http://evil.example.org/');
    t.is((await back(far.session.client, `?state=${far.fields.state}`)).location, site.url, 'another site as callbackUrl: home');
    const long = await signedOut(`/${'x'.repeat(2000)}`);
    const waits = (await back(long.session.client, `?state=${long.fields.state}`)).location;
    t.like(waits, /\/api\/auth\/return\?to=/, 'a callbackUrl that is too long for the way through the provider waits here');
    t.is((await long.session.client.page(waits)).location, `${site.url}/${'x'.repeat(2000)}`, '  and is led to');
    const asked = await at.signIn();
    const json = await asked.client.signOut({ json: 'true', callbackUrl: '/goodbye' });
    t.like(json.json.url, new RegExp(`^${issuer}/end\\?`), "NextAuth's client gets the provider's URL");
    const crossed = await asked.client.post('/api/auth/signout', { csrfToken: 'wrong' });
    t.like(crossed.location, /csrf=true/, 'and no page of another site signs a user out');
  }
  at.rogue.faults.acme.discovery = undefined;

  t.section('many');
  {
    const limited = await start(t, 'NextAuthRateLimit callback address=5/60');
    const session = await limited.signIn();
    for (let i = 0; i < 20; i += 1) await limited.post(await limited.token(limited.honest({ sid: random() })));
    t.is((await limited.post(await limited.token(limited.honest({ sid: random() })))).status, 200, 'logouts of a provider that are right are not limited');
    const statuses = [];
    for (let i = 0; i < 7; i += 1) statuses.push((await limited.post('nonsense')).status);
    t.is(statuses, [400, 400, 400, 400, 400, 429, 429], 'those that are refused are');
    t.is(await limited.asThief(session), 200, 'and the session is still there');
    const all = [];
    for (let i = 0; i < 105; i += 1) all.push(await limited.signIn({ sid: 'the same' }));
    t.is([await limited.asThief(all[0]), await limited.asThief(all[104])], [401, 200], 'of a hundred sessions of one session at the provider, the next replaces the first');
  }
});
