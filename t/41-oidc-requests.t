#!/usr/bin/env node
'use strict';
// How the request gets to a provider that is not ours: in the address, pushed, signed, or both.
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { startOp } = require('./lib/op.js');

const secret = 'a secret between the client and the provider';
const key = generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const withKey = 'clientKey=file:@DIR@/key.pem';
const byKey = { token_endpoint_auth_method: 'private_key_jwt' };
const signed = { ...byKey, require_signed_request_object: true };

const clients = {
  plain: { options: `"clientSecret=${secret}"`, client: { client_secret: secret } },
  pushed: { options: `"clientSecret=${secret}" pushedRequest=true`, client: { client_secret: secret, require_pushed_authorization_requests: true }, pushes: true },
  keyed: { options: `${withKey} pushedRequest=true`, client: { ...byKey, require_pushed_authorization_requests: true }, pushes: true },
  signed: { options: `${withKey} requestObject=true`, client: signed, signs: true },
  both: { options: `${withKey} requestObject=true pushedRequest=true`, client: { ...signed, require_pushed_authorization_requests: true }, pushes: true, signs: true },
  query: { options: `"clientSecret=${secret}" pushedRequest=true "authorization.params=prompt=login&max_age=600"`, client: { client_secret: secret }, pushes: true },
  counted: { options: `${withKey} requestObject=true "authorization.params=max_age=600"`, client: signed, signs: true },
};

clients.dpop = { options: `"clientSecret=${secret}" dpop=true idToken=false`, client: { client_secret: secret, dpop_bound_access_tokens: true } };
clients.dpopkey = { options: `${withKey} dpop=true idToken=false pushedRequest=true`, client: { ...byKey, dpop_bound_access_tokens: true }, pushes: true };

clients.resources = { options: `"clientSecret=${secret}" "resource=https://api.example.org/one https://api.example.org/two" token.params=resource=https://api.example.org/two`, client: { client_secret: secret } };

const features = {
  resourceIndicators: { enabled: true, getResourceServerInfo: () => ({ scope: 'read', accessTokenFormat: 'opaque' }) },
  dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
  pushedAuthorizationRequests: { enabled: true, allowUnregisteredRedirectUris: false },
  requestObjects: { enabled: true },
};

async function start(t, names, more = {}) {
  const [port, opPort] = [await freePort(), await freePort()];
  const op = await startOp(t, { port: opPort, features: { ...features, ...more.features },
    clients: names.map((id) => ({ client_id: `client-${id}`, redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`],
      ...(clients[id].options.includes('clientKey') && { jwks_uri: `http://localhost:${port}/api/auth/jwks` }), ...clients[id].client })) });
  const site = await t.httpd({ port, files: { 'key.pem': { text: key, mode: 0o600 } }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
${names.map((id) => `NextAuthProvider ${id} type=oidc issuer=${op.issuer} clientId=client-${id} ${clients[id].options} ${more.options || ''}`).join('\n')}` });
  return { op, site };
}

async function signIn(t, site, op, id, params = '') {
  const c = t.client(site);
  [op.requests.length, op.asked.length] = [0, 0];
  const answer = await c.signIn(`${id}${params}`, { callbackUrl: '/public.html' });
  const back = answer.location.startsWith(op.issuer) ? await op.login(c, answer, 'alice') : answer;
  return { c, answer, back, sent: op.asked[0], pushed: op.requests.find(({ path }) => path === '/request')?.form };
}

suite('How the request gets to the provider', async (t) => {
  t.withOneMpm();
  const { op, site } = await start(t, Object.keys(clients));
  for (const [id, { pushes, signs }] of Object.entries(clients)) {
    t.section(id);
    const { back, sent, pushed } = await signIn(t, site, op, id);
    t.is(back.location, `${site.url}/public.html`, `${pushes ? 'pushed' : 'in the address'}${signs ? ', signed' : ''}`)
      || t.diag(op.errors.splice(0).join('\n') + site.log().split('\n').slice(-4).join('\n'));
    const shown = Object.keys(sent).sort();
    if (pushes) t.is(shown, ['client_id', 'request_uri'], '  the browser sees only a reference');
    else if (signs) t.is(shown, ['client_id', 'request', 'response_type', 'scope'], '  the browser has the signed request');
    const told = pushes ? pushed : sent;
    if (pushes) t.ok(!('client_secret' in pushed) || !signs, '  the client shows who it is');
    if (!signs) {
      for (const name of ['state', 'nonce', 'code_challenge']) t.like(told[name], /^[\w-]{43}$/, `  with ${name}`);
      continue;
    }
    const header = jose.decodeProtectedHeader(told.request);
    const claims = jose.decodeJwt(told.request);
    t.is([header.alg, header.typ], ['ES256', 'oauth-authz-req+jwt'], '  signed, and of its type');
    t.is([claims.iss, claims.aud, claims.client_id], [`client-${id}`, op.issuer, `client-${id}`], '  for this provider');
    t.is([claims.exp - claims.iat, claims.nbf], [300, claims.iat], '  for five minutes');
    for (const name of ['state', 'nonce', 'code_challenge']) t.like(claims[name], /^[\w-]{43}$/, `  with ${name}`);
    if (id === 'counted') t.is(claims.max_age, 600, '  and a number is a number');
  }

  {
    const { answer } = await signIn(t, site, op, 'resources');
    t.is(new URL(answer.location).searchParams.getAll('resource'), ['https://api.example.org/one', 'https://api.example.org/two'], 'several resources are asked for');
    t.is(op.requests.find(({ path }) => path === '/token').form.resource, 'https://api.example.org/two', 'and token.params= chooses one for the token');
  }

  t.section('what a page may add goes along');
  {
    const { pushed, back } = await signIn(t, site, op, 'query', '?ui_locales=de&login_hint=alice&state=forged&request_uri=urn:x');
    t.is([pushed.ui_locales, pushed.login_hint, pushed.prompt, pushed.max_age], ['de', 'alice', 'login', '600'], 'with what the configuration has');
    t.isnt(pushed.state, 'forged', 'and nothing of the protocol');
    t.is(back.location, `${site.url}/public.html`, 'and signs in');
  }

  t.section('the browser cannot change what was signed or pushed');
  for (const [id, change] of [['pushed', ['scope', 'openid']], ['signed', ['redirect_uri', 'http://evil.example.org/']]]) {
    const c = t.client(site);
    const answer = await c.signIn(id, { callbackUrl: '/public.html' });
    const url = new URL(answer.location);
    url.searchParams.set(...change);
    const back = await op.login(c, { ...answer, location: url.href }, 'alice');
    t.is(back.location, `${site.url}/public.html`, `${change[0]} of the address does not count (${id})`);
  }
  {
    const c = t.client(site);
    const answer = await c.signIn('pushed', { callbackUrl: '/public.html' });
    await op.login(c, answer, 'alice');
    const again = t.client(site);
    const refused = await op.login(again, answer, 'alice').catch((error) => error.message);
    t.like(String(refused.location || refused), /invalid_request|error=/, 'a pushed request counts once');
  }

  t.section('tokens that are bound to a key of the site');
  for (const id of ['dpop', 'dpopkey']) {
    await signIn(t, site, op, id);
    const sent = (at) => op.requests.filter((each) => each.path === at);
    const proof = ({ headers }) => ({ ...jose.decodeJwt(headers.dpop), ...jose.decodeProtectedHeader(headers.dpop) });
    t.is(sent('/token').map(({ status }) => status), [400, 200], `${id}: the token request is made once more, with the nonce`);
    t.is(sent('/me').map(({ status }) => status), [200], '  which userinfo of the same server gets at once');
    t.is(sent('/request').filter(({ headers }) => headers.dpop), [], '  a pushed request has no proof');
    const [first, second, third] = [...sent('/token'), ...sent('/me')].map(proof);
    t.is([first.nonce, typeof second.nonce, typeof third.nonce], [undefined, 'string', 'string'], '  nonces');
    t.is([first, second, third].map(({ typ, alg, htm }) => [typ, alg, htm]), [['dpop+jwt', 'ES256', 'POST'], ['dpop+jwt', 'ES256', 'POST'], ['dpop+jwt', 'ES256', 'GET']], '  types and methods');
    t.is([second.htu, third.htu], [`${op.issuer}/token`, `${op.issuer}/me`], '  URLs');
    t.is(new Set([first, second, third].map(({ jti }) => jti)).size, 3, '  no jti twice');
    t.is(Object.keys(second.jwk).sort(), ['crv', 'kty', 'x', 'y'], '  the public key alone');
    const token = sent('/me')[0].headers.authorization;
    t.like(token, /^DPoP /, '  the scheme');
    t.is(third.ath, require('node:crypto').createHash('sha256').update(token.slice(5)).digest('base64url'), '  and the hash of the access token');
    if (id === 'dpopkey') t.is(new Set(sent('/token').map(({ form }) => form.client_assertion)).size, 2, '  each request has an assertion of its own');
  }
  {
    const keyOf = async () => {
      await signIn(t, site, op, 'dpop');
      return jose.decodeProtectedHeader(op.requests.find(({ path }) => path === '/token').headers.dpop).jwk.x;
    };
    t.is(await keyOf(), await keyOf(), 'the key is the same in all processes');
  }

  t.section('required by discovery');
  const strict = await start(t, ['plain'], { features: { pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true } } });
  const { back, sent } = await signIn(t, strict.site, strict.op, 'plain');
  t.is([back.location, Object.keys(sent).sort()], [`${strict.site.url}/public.html`, ['client_id', 'request_uri']], 'is done without an option');

  t.section('mistakes that configtest finds');
  for (const [what, options, says] of [
    ['a signed request without a key', 'type=oidc issuer=https://op.example.org clientSecret=b requestObject=true', /requires clientKey= for requestObject=true/],
    ['a pushed request without discovery', 'type=oauth clientSecret=b pushedRequest=true', /requires pushed_authorization_request_endpoint= for pushedRequest=true/],
    ['a resource that is none', 'type=oidc issuer=https://op.example.org clientSecret=b "resource=https://api.example.org/#x"', /invalid resource=https:\/\/api\.example\.org\/#x: expected absolute URIs without a fragment/],
    ['a key set that is none', 'type=oidc issuer=https://op.example.org clientSecret=b jwks={}', /invalid jwks=: expected a key set in JSON/],
    ['neither', 'type=oidc issuer=https://op.example.org clientSecret=b pushedRequest=perhaps', /invalid pushedRequest=perhaps: expected true or false/],
  ]) {
    t.like((await t.configtest({ config: `NextAuthEngine On\nNextAuthMode test\nNextAuthURL http://localhost\nNextAuthSecret 0123456789abcdef0123456789abcdef\nNextAuthProvider x clientId=a ${options}` })).output, says, what);
  }
});
