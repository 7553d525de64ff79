#!/usr/bin/env node
'use strict';
// profile=fapi2: a certified provider in the mode of that profile, and one that does not keep to it.
const fs = require('node:fs');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { certify } = require('./lib/certificates.js');
const { freePort, makeFolder } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { startOp } = require('./lib/op.js');
const { startRogue } = require('./lib/rogue.js');

const CALLBACK = 'OAuthCallback';
const SIGNIN = 'OAuthSignin';
const keys = {
  'ec.pem': generateKeys('ec', { namedCurve: 'P-256' }),
  'rsa.pem': generateKeys('rsa', { modulusLength: 2048 }),
  'ed.pem': generateKeys('ed25519', {}),
};
const files = Object.fromEntries(Object.entries(keys).map(([name, { privateKey }]) => [name, { text: privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 }]));

function certificates(t) {
  const folder = makeFolder(t);
  certify(folder, 'op', 'localhost', '-addext', 'subjectAltName=DNS:localhost');
  certify(folder, 'tls', 'the client');
  const read = (name) => fs.readFileSync(`${folder}/${name}`, 'utf8');
  files['ca.pem'] = read('op.pem');
  for (const name of ['tls.pem', 'tls.key']) files[name] = { text: read(name), mode: 0o600 };
  return { key: read('op.key'), cert: read('op.pem'), ca: read('tls.pem') };
}

const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthHTTP caFile=@DIR@/ca.pem timeout=5`;
const provider = (id, issuer, options) => `NextAuthProvider ${id} type=oidc issuer=${issuer} clientId=client-${id} profile=fapi2 ${options}`;

const clients = {
  ec: { options: 'clientKey=file:@DIR@/ec.pem', alg: 'ES256' },
  rsa: { options: 'clientKey=file:@DIR@/rsa.pem', alg: 'PS256' },
  ed: { options: 'clientKey=file:@DIR@/ed.pem', alg: 'EdDSA' },
  signed: { options: 'clientKey=file:@DIR@/ec.pem requestObject=true', alg: 'ES256', client: { require_signed_request_object: true } },
  tls: { options: 'clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/tls.key',
    client: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=the client', tls_client_certificate_bound_access_tokens: true, jwks_uri: undefined } },
};

async function certified(t, tls) {
  const [port, opPort] = [await freePort(), await freePort()];
  const op = await startOp(t, { port: opPort, https: tls, tls,
    features: { fapi: { enabled: true, profile: '2.0' }, pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      requestObjects: { enabled: true }, dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1) } },
    settings: { clientAuthMethods: ['private_key_jwt', 'tls_client_auth'],
      enabledJWA: { clientAuthSigningAlgValues: ['PS256', 'ES256', 'EdDSA'], idTokenSigningAlgValues: ['PS256', 'ES256', 'EdDSA'], requestObjectSigningAlgValues: ['PS256', 'ES256', 'EdDSA'] },
      clientDefaults: { id_token_signed_response_alg: 'PS256' } },
    clients: Object.entries(clients).map(([id, { client }]) => ({ client_id: `client-${id}`, redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`],
      token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `http://localhost:${port}/api/auth/jwks`, id_token_signed_response_alg: 'PS256', ...client })) });
  const site = await t.httpd({ port, files, config: `${common}
${Object.entries(clients).map(([id, { options }]) => provider(id, op.issuer, options)).join('\n')}` });
  for (const [id, { alg }] of Object.entries(clients)) {
    t.section(`a certified provider: ${id}`);
    const c = t.client(site);
    [op.requests.length, op.asked.length] = [0, 0];
    const answer = await c.signIn(id, { callbackUrl: '/public.html' });
    const back = answer.location.startsWith(op.issuer) ? await op.login(c, answer, 'alice') : answer;
    t.is(back.location, `${site.url}/public.html`, 'signs in')
      || t.diag(op.errors.splice(0).join('\n') + site.log().split('\n').slice(-4).join('\n'));
    t.is(Object.keys(op.asked[0] || {}).sort(), ['client_id', 'request_uri'], '  the request was pushed');
    const token = op.requests.find(({ path }) => path === '/token') || { headers: {}, form: {} };
    if (!alg) {
      t.is([token.form.client_assertion, token.headers.dpop], [undefined, undefined], '  the certificate authenticates, and binds the token');
      continue;
    }
    t.is(jose.decodeProtectedHeader(token.form.client_assertion).alg, alg, `  signed with ${alg}`);
    t.is(jose.decodeJwt(token.form.client_assertion).aud, op.issuer, '  for the issuer');
    t.ok(token.headers.dpop, '  the token is bound to a key');
  }
}

const ps256 = { discovery: { id_token_signing_alg_values_supported: ['PS256', 'RS256'], token_endpoint_auth_methods_supported: ['private_key_jwt'] },
  jwks: ({ keys: [key] }) => ({ keys: [{ ...key, alg: undefined }] }), header: { alg: 'PS256' }, token: { token_type: 'DPoP' } };
const unlike = (fault) => ({ ...ps256, ...fault, discovery: { ...ps256.discovery, ...fault.discovery } });
const table = [
  ['nothing wrong', ps256],
  ['no iss in the callback, and none promised', unlike({ discovery: { authorization_response_iss_parameter_supported: undefined }, authorize: { iss: undefined } }), CALLBACK, /iss of the callback does not match the issuer/],
  ['iss of another issuer', unlike({ authorize: { iss: 'https://evil.example.org' } }), CALLBACK, /iss of the callback does not match/],
  ['an ID token with RS256', unlike({ header: { alg: 'RS256' } }), CALLBACK, /the algorithm RS256 is not accepted here/],
  ['RS256 alone is offered', unlike({ discovery: { id_token_signing_alg_values_supported: ['RS256'] }, header: { alg: 'RS256' } }), CALLBACK, /the algorithm RS256 is not accepted here/],
  ['a token that is not bound', unlike({ token: { token_type: 'Bearer' } }), CALLBACK, /token_type 'Bearer': expected DPoP/],
  ['no endpoint for pushed requests', unlike({ discovery: { pushed_authorization_request_endpoint: undefined } }), SIGNIN, /has no pushed_authorization_request_endpoint/],
  ['a token endpoint without HTTPS', unlike({ discovery: { token_endpoint: 'http://localhost:1/token' } }), SIGNIN, /token_endpoint is not an https URL/],
  ['a secret alone is accepted', unlike({ discovery: { token_endpoint_auth_methods_supported: ['client_secret_basic'] } }), SIGNIN, /supports none of the ways to authenticate/],
  ['assertions with RS256 alone', unlike({ discovery: { token_endpoint_auth_signing_alg_values_supported: ['RS256'] } }), SIGNIN, /no key in clientKey= can sign/],
];

async function hostile(t, tls) {
  const rogue = await startRogue(t, { tls });
  const rows = table.map(([what, fault, code, says], i) => ({ what, id: `row${i}`, fault, code, says }));
  for (const { id, fault } of rows) rogue.faults[id] = fault;
  const site = await t.httpd({ files, config: `${common}
${rows.map(({ id }) => provider(id, rogue.issuer(id), 'clientKey=file:@DIR@/ec.pem')).join('\n')}` });
  for (const { what, id, code, says } of rows) {
    t.section(`another provider: ${what}`);
    const c = t.client(site);
    const before = site.log().length;
    const start = await c.signIn(id, { callbackUrl: '/public.html' });
    const end = start.location.startsWith(rogue.url) ? await c.page((await c.page(start.location)).location) : start;
    t.is(end.location, code ? `${site.url}/api/auth/error?error=${code}` : `${site.url}/public.html`, code ? `is ${code}` : 'signs in')
      || t.diag(site.log().slice(before).split('\n').filter((line) => /:(warn|error)\]/.test(line)).join('\n'));
    t.is(c.cookie('next-auth.session-token') === undefined, Boolean(code), code ? '  there is no session' : '  there is a session');
    if (says) t.like(site.log().slice(before), says, '  the log says why');
  }
}

async function mistakes(t) {
  t.section('what contradicts the profile');
  const issuer = 'https://op.example.org';
  for (const [what, options, says, at = issuer] of [
    ['a secret', '"clientSecret=0123456789abcdef0123456789abcdef"', /profile=fapi2 excludes clientSecret=/],
    ['nothing to authenticate with', '', /requires clientKey= or clientCertificate= for profile=fapi2/],
    ['no PKCE', 'clientKey=file:@DIR@/ec.pem checks=state,nonce', /requires checks=pkce for profile=fapi2/],
    ['a public client', 'clientKey=file:@DIR@/ec.pem token_endpoint_auth_method=none', /profile=fapi2 excludes none/],
    ['RS256', 'clientKey=file:@DIR@/rsa.pem token_endpoint_auth_signing_alg=RS256', /profile=fapi2 excludes token_endpoint_auth_signing_alg=RS256/],
    ['ID tokens with ES512', 'clientKey=file:@DIR@/ec.pem id_token_signed_response_alg=ES512', /profile=fapi2 excludes id_token_signed_response_alg=ES512/],
    ['the token endpoint as audience', 'clientKey=file:@DIR@/ec.pem clientAssertionAudience=token', /profile=fapi2 excludes clientAssertionAudience=token/],
    ['an issuer without HTTPS', 'clientKey=file:@DIR@/ec.pem', /issuer=http:\/\/localhost:1 must be an https URL/, 'http://localhost:1'],
    ['another profile', 'clientKey=file:@DIR@/ec.pem profile=fapi1', /invalid profile=fapi1: expected fapi2/],
  ]) t.like((await t.configtest({ files, config: `${common}\n${provider('x', at, options)}` })).output, says, what);
}

suite('The FAPI 2.0 Security Profile', async (t) => {
  t.withOneMpm();
  const tls = certificates(t);
  await certified(t, tls);
  await hostile(t, tls);
  await mistakes(t);
});
