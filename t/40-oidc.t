#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { startOp, accounts, decryptionKey } = require('./lib/op.js');

const secret = 'a secret between the client and the provider';
const session = 'next-auth.session-token';
const checks = (client) => [...client.cookies.keys()].filter((name) => /^next-auth\.(state|pkce\.code_verifier|nonce)/.test(name)).sort();
const stateOf = (answer) => new URL(answer.location).searchParams.get('state');

// What each provider of the site is configured with, and the client that the provider knows.
const rsa = decryptionKey('rsa', 'RSA-OAEP-256');
const ec = decryptionKey('ec', 'ECDH-ES');
const encrypted = (key, alg) => ({ id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: 'A256GCM', jwks: { keys: [key.jwk] } });
const clients = {
  acme: { options: 'name=Acme' },
  rs256: { options: 'id_token_signed_response_alg=RS256', client: { id_token_signed_response_alg: 'RS256' } },
  ps256: { options: 'id_token_signed_response_alg=PS256', client: { id_token_signed_response_alg: 'PS256' } },
  es256: { options: 'id_token_signed_response_alg=ES256', client: { id_token_signed_response_alg: 'ES256' } },
  eddsa: { options: 'id_token_signed_response_alg=EdDSA', client: { id_token_signed_response_alg: 'EdDSA' } },
  discovered: { options: '', client: { id_token_signed_response_alg: 'ES256' } },
  disagreeing: { options: 'id_token_signed_response_alg=ES256', client: { id_token_signed_response_alg: 'RS256' } },
  post: { options: 'token_endpoint_auth_method=client_secret_post', client: { token_endpoint_auth_method: 'client_secret_post' } },
  public: { options: 'token_endpoint_auth_method=none checks=pkce,state', client: { token_endpoint_auth_method: 'none', client_secret: undefined }, secret: false },
  pkceonly: { options: 'token_endpoint_auth_method=none checks=pkce', client: { token_endpoint_auth_method: 'none', client_secret: undefined }, secret: false },
  rsaenc: { options: 'privateKey=file:@DIR@/rsa.pem', client: encrypted(rsa, 'RSA-OAEP-256') },
  ecenc: { options: 'privateKey=file:@DIR@/ec.pem', client: encrypted(ec, 'ECDH-ES') },
  wrongkey: { options: 'privateKey=file:@DIR@/ec.pem', client: encrypted(rsa, 'RSA-OAEP-256') },
  short: { options: 'scope=openid' },
  strict: { options: '"authorization.params=prompt=login&claims_locales=de" "visitorParams=ui_locales acme_hint"' },
  nobody: { options: 'visitorParams=none' },
  enconly: { options: 'privateKey=file:@DIR@/rsa.pem requireEncryptedIdToken=true', client: encrypted(rsa, 'RSA-OAEP-256') },
  plaintoken: { options: 'privateKey=file:@DIR@/rsa.pem requireEncryptedIdToken=true' },
  nokey: { options: '', client: encrypted(rsa, 'RSA-OAEP-256') },
};

async function start(t, names, opOptions = {}) {
  const [port, opPort] = [await freePort(), await freePort()];
  const op = await startOp(t, { ...opOptions, port: opPort,
    clients: names.map((id) => ({ client_id: `client-${id}`, client_secret: secret,
      redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`], ...clients[id].client })) });
  const site = await t.httpd({ port,
    files: { 'rsa.pem': { text: rsa.pem, mode: 0o600 }, 'ec.pem': { text: ec.pem, mode: 0o600 } },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
${names.map((id) => `NextAuthProvider ${id} type=oidc issuer=${op.issuer} clientId=client-${id} ${clients[id].secret === false ? '' : `"clientSecret=${secret}"`} ${clients[id].options}`).join('\n')}
NextAuthRole staff "'staff' in PROFILE('groups')"
NextAuthClaim nick "%{PROFILE:sub}/%{PROFILE:email}"
NextAuthSessionClaim sub roles nick
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role staff
</Location>` });
  return { op, site };
}

suite('OpenID Connect, with a provider that is not ours', async (t) => {
  const { op, site } = await start(t, Object.keys(clients));
  const refused = `${site.url}/api/auth/error?error=OAuthCallback`;

  t.section('from the protected page to the provider and back');
  {
    const c = t.client(site);
    const sent = await c.page('/members/?page=2');
    t.like(sent.location, /\/api\/auth\/signin\?callbackUrl=/, 'who is not signed in is sent to sign in');
    const page = await c.page(sent.location);
    const callbackUrl = /name="callbackUrl" value="([^"]*)"/.exec(page.text)[1];
    const answer = await c.signIn('acme', { callbackUrl });
    t.is(answer.status, 302, 'the button redirects');
    const asked = new URL(answer.location);
    const params = Object.fromEntries(asked.searchParams);
    t.is(asked.origin + asked.pathname, `${op.issuer}/auth`, 'to the discovered authorization endpoint');
    t.is({ ...params, state: undefined, nonce: undefined, code_challenge: undefined },
      { client_id: 'client-acme', response_type: 'code', redirect_uri: `${site.url}/api/auth/callback/acme`,
        scope: 'openid profile email', code_challenge_method: 'S256', state: undefined, nonce: undefined, code_challenge: undefined },
      'with the parameters of an authorization request');
    for (const name of ['state', 'nonce', 'code_challenge']) t.like(params[name], /^[\w-]{43}$/, `and ${name} of 256 bits`);
    const suffix = params.state.slice(0, 8);
    t.is(checks(c), [`next-auth.nonce.${suffix}`, `next-auth.pkce.code_verifier.${suffix}`, `next-auth.state.${suffix}`],
      'a cookie holds each check, named after the state');
    t.like(answer.setCookies.find((line) => line.startsWith('next-auth.state.')),
      /^next-auth\.state\.[\w-]{8}=eyJ[\w.-]+; Max-Age=900; Path=\/; Expires=[^;]+ GMT; HttpOnly; SameSite=Lax$/, 'for a quarter of an hour');
    t.unlike(answer.setCookies.join('\n'), new RegExp(params.nonce), 'and does not show it');

    const back = await op.login(c, answer, 'alice');
    t.is([back.status, back.location], [302, `${site.url}/members/?page=2`], 'the deep link is kept');
    t.is(checks(c), [], 'the checks are cleared');
    t.is(back.setCookies.filter((line) => /^next-auth\.(state|nonce|pkce\.code_verifier)\.[\w-]+=; Max-Age=0; Path=\//.test(line)).length, 3, 'all three of them');
    t.is((await c.session()).user, { name: accounts.alice.name, email: accounts.alice.email, image: accounts.alice.picture,
      id: 'alice', roles: ['staff'], nick: 'alice/alice@example.org' }, 'the session is the account at the provider');
    const members = await c.page(back.location);
    t.is([members.status, members.text], [200, 'the members page\n'], 'the protected page opens');
    t.ok(await site.logged('GET /members/index.html 200 alice@example.org'), 'REMOTE_USER is in the access log');
    t.is((await c.page('/admin/')).status, 200, 'and a role of the provider\'s groups counts');
    t.like(site.log(), /signIn: 'alice' by acme/, 'the sign-in is in the error log');

    const out = await c.signOut({ callbackUrl: '/public.html' });
    t.is(out.location, `${site.url}/public.html`, 'signing out leads to the public page');
    t.is(await c.session(), {}, 'and ends the session');
    t.is((await c.page('/members/')).status, 302, 'and access');
  }

  t.section('what the provider knows decides');
  {
    const c = t.client(site);
    await op.login(c, await c.signIn('acme'), 'bob');
    const { user } = await c.session();
    t.is([user.id, user.roles], ['bob', []], 'another account has no such role');
    t.is(user.email, undefined, 'and an address that the provider does not vouch for is left out');
    t.is((await c.page('/admin/')).status, 403, 'and may not enter');
    const other = t.client(site);
    const answer = await op.login(other, await other.signIn('acme'), '', { cancel: '1' });
    t.is(answer.location, `${site.url}/api/auth/error?error=Callback`, 'who cancels at the provider is not signed in');
    t.is([checks(other), other.cookie(session)], [[], undefined], 'and nothing is left of it');
  }

  t.section('kinds of client and of ID token');
  for (const [id, what] of [['rs256', 'an RS256 signature'], ['ps256', 'PS256'], ['es256', 'ES256'], ['eddsa', 'EdDSA'],
    ['discovered', 'an algorithm that discovery alone names'], ['post', 'a client that sends its secret in the form'],
    ['public', 'a client without a secret'], ['pkceonly', 'and without a state, PKCE alone'],
    ['rsaenc', 'an ID token encrypted with RSA-OAEP-256'], ['ecenc', 'or with ECDH-ES'],
    ['enconly', 'an encrypted one where no other is accepted']]) {
    const c = t.client(site);
    const back = await op.login(c, await c.signIn(id, { callbackUrl: '/public.html' }), 'alice');
    t.is(back.location, `${site.url}/public.html`, what) || t.diag(op.errors.splice(0).join('\n') + site.log().split('\n').slice(-4).join('\n'));
    t.is((await c.session()).user?.id, 'alice', '  and the session is there');
    t.is(checks(c), [], '  and no check is left');
  }
  for (const [id, what, says] of [['disagreeing', 'an ID token signed otherwise than configured', /the algorithm RS256 is not accepted here/],
    ['nokey', 'an encrypted one without a key for it', /it is encrypted, and the provider has no privateKey=/],
    ['plaintoken', 'a plain one where only encrypted ones are accepted', /ID token refused: it is not encrypted/],
    ['wrongkey', 'an encrypted one with another key', /error.*callback\/wrongkey.*JWE/]]) {
    const c = t.client(site);
    t.is((await op.login(c, await c.signIn(id), 'alice')).location, refused, `refused: ${what}`);
    t.is([checks(c), c.cookie(session)], [[], undefined], '  without a session');
    t.like(site.log(), says, '  and the log says so');
  }

  t.section('a callback is good for one browser and one time');
  {
    const c = t.client(site);
    const url = await op.authorize(c, await c.signIn('acme'), 'alice');
    const thief = t.client(site);
    t.is((await thief.page(url)).location, refused, 'another browser cannot use it');
    t.is(thief.cookie(session), undefined, '  and gets no session');
    t.like(site.log(), /missing cookie next-auth\.state: it has expired, was already used, or is in another browser/, '  and the log says so');
    await thief.signIn('acme');
    t.is((await thief.page(url)).location, refused, 'not even with a sign-in of its own under way');
    t.is((await c.page(url)).location, site.url, 'the right browser can');
    t.is(checks(c), [], '  and its checks are gone');
    await c.signOut();
    t.is((await c.page(url)).location, refused, 'but not twice');
    t.is(c.cookie(session), undefined, '  and gets no second session');

    const mixed = t.client(site);
    const answer = await mixed.signIn('acme');
    const kept = checks(mixed).map((name) => [name, { ...mixed.cookies.get(name) }]);
    const callback = await op.authorize(mixed, answer, 'alice');
    await mixed.page(callback);
    await mixed.signOut();
    for (const [name, cookie] of kept) mixed.cookies.set(name, cookie);
    t.is((await mixed.page(callback)).location, refused, 'nor when a thief kept the checks: the provider refuses the code');
    t.like(site.log(), /this sign-in has already been answered: its cookies were used again/, '  and the log says so');

    const crossed = t.client(site);
    const elsewhere = new URL(await op.authorize(crossed, await crossed.signIn('acme'), 'alice'));
    elsewhere.pathname = '/api/auth/callback/post';
    t.is((await crossed.page(elsewhere.href)).location, refused, 'nor for another provider of the site');
    t.like(site.log(), /cookie next-auth\.state was issued for another provider/, '  and the log says so');
  }

  t.section('several tabs');
  {
    const c = t.client(site);
    const one = await c.signIn('acme', { callbackUrl: '/public.html?tab=one' });
    const two = await c.signIn('acme', { callbackUrl: '/public.html?tab=two' });
    t.is(checks(c).length, 6, 'two sign-ins are under way');
    t.is((await op.login(c, one, 'alice')).location, `${site.url}/public.html?tab=one`, 'the first arrives where it wanted to');
    t.is(checks(c).length, 3, 'and takes its own checks away');
    t.is((await op.login(c, two, 'alice')).location, `${site.url}/public.html?tab=two`, 'and so does the second');
    t.is(checks(c), [], 'nothing is left');
    const tabs = [];
    for (let i = 0; i < 5; i += 1) tabs.push(await c.signIn('acme', { callbackUrl: `/public.html?tab=${i}` }));
    t.is(checks(c).filter((name) => name.startsWith('next-auth.state.')).sort(),
      tabs.slice(2).map((tab) => `next-auth.state.${stateOf(tab).slice(0, 8)}`).sort(), 'the three latest of five are kept');
    t.is(checks(c).length, 9, 'with all their checks');
    t.is((await op.login(c, tabs[0], 'alice')).location, refused, 'an older one has to begin again');
    t.is((await op.login(c, tabs[2], 'alice')).location, `${site.url}/public.html?tab=2`, 'a kept one arrives');
  }

  t.section('what a page may add to the authorization request');
  {
    const c = t.client(site);
    const answer = await c.signIn('acme', {}, '?prompt=login&login_hint=x%40y&ui_locales=de%20fr&scope=openid');
    const params = new URL(answer.location).searchParams;
    t.is(['prompt', 'login_hint', 'ui_locales', 'scope'].map((name) => params.getAll(name)), [['login'], ['x@y'], ['de fr'], ['openid profile email']], 'a hint, a prompt and languages are passed on, and replace nothing of ours');
    t.is((await op.login(c, answer, 'alice')).location, site.url, 'and the provider takes them');
    const reached = op.asked.at(-1);
    t.is([reached.prompt, reached.login_hint], ['login', 'x@y'], 'as they were');

    const added = async (id, query) => Object.fromEntries(new URL((await c.signIn(id, {}, query)).location).searchParams);
    const demanded = await added('acme', '?max_age=999999&acr_values=none&hd=evil.org&scope=admin&claims=%7B%7D&resource=x');
    t.is(['max_age', 'acr_values', 'hd', 'claims', 'resource'].filter((name) => name in demanded), [], 'and nothing else');
    const strict = await added('strict', '?prompt=none&claims_locales=en&ui_locales=de&acme_hint=a&login_hint=x');
    t.is([strict.prompt, strict.claims_locales], ['login', 'de'], 'what the administrator wrote wins');
    t.is([strict.ui_locales, strict.acme_hint, strict.login_hint], ['de', 'a', undefined], '  and visitorParams= says what may be added');
    const nobody = await added('nobody', '?prompt=login&login_hint=x&ui_locales=de');
    t.is(['prompt', 'login_hint', 'ui_locales'].filter((name) => name in nobody), [], '  or that nothing may');

    const evil = { client_id: 'evil', redirect_uri: 'http://evil.org/', response_type: 'token', response_mode: 'fragment',
      state: 'evil', nonce: 'evil', code_challenge: 'evil', code_challenge_method: 'plain', request: 'evil', request_uri: 'http://evil.org/' };
    for (const [name, value] of Object.entries(evil)) {
      for (const spelling of [name, name.toUpperCase(), name.replace(/(^|_)./g, (s) => s.toUpperCase()), encodeURIComponent(name).replace('e', '%65')]) {
        const { searchParams } = new URL((await c.signIn('acme', {}, `?${spelling}=${encodeURIComponent(value)}`)).location);
        t.ok(![...searchParams].some(([key, given]) => key.toLowerCase() === name && given === value) && searchParams.getAll(name).length < 2,
          `but ${spelling} is not for a page to choose`, searchParams.toString());
      }
    }
    const doubled = new URL((await c.signIn('acme', {}, '?state=evil&state=worse&%73tate=worst')).location).searchParams;
    t.is([doubled.getAll('state').length, /^[\w-]{43}$/.test(doubled.get('state'))], [1, true], 'however often it is tried');
  }

  t.section('an ID token that says all, and one that does not');
  {
    const wordy = await start(t, ['acme'], { conformIdTokenClaims: false });
    const c = t.client(wordy.site);
    await wordy.op.login(c, await c.signIn('acme'), 'alice');
    t.is((await c.session()).user.email, 'alice@example.org', 'an address in the ID token is taken from there');
    const short = t.client(site);
    await op.login(short, await short.signIn('short'), 'alice');
    t.is((await short.session()).user, { id: 'alice', roles: [], nick: 'alice/' }, 'what was not asked for is not known');
    const full = t.client(site);
    await op.login(full, await full.signIn('acme'), 'alice');
    t.is((await full.session()).user.email, 'alice@example.org', 'an ID token without one is completed by userinfo');
  }

  t.section('the provider changes its keys');
  {
    const c = t.client(site);
    await op.login(c, await c.signIn('acme'), 'alice');
    await op.rotateKeys();
    for (const id of ['rs256', 'es256', 'eddsa']) {
      const after = t.client(site);
      t.is((await op.login(after, await after.signIn(id), 'alice')).location, site.url, `${id} works on`);
    }
    t.is((await c.session()).user.id, 'alice', 'and who was signed in, still is');
  }
  t.unlike(site.log(), /a secret between/, 'no client secret is in the log');
});
