#!/usr/bin/env node
'use strict';
// The OpenID Foundation's plans for relying parties: one test for each of their modules, under its
// name, for the response modes query and form_post, and for the FAPI 2.0 Security Profile. The
// modules of logout are in the tests of logout.
const fs = require('node:fs');
const { execFile } = require('node:child_process');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { certify } = require('./lib/certificates.js');
const { ctlFile, freePort, makeFolder } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { startRogue, makeKey, replies, sign } = require('./lib/rogue.js');

const CALLBACK = 'OAuthCallback';
const SIGNIN = 'OAuthSignin';
const past = () => Math.floor(Date.now() / 1000) - 600;
const without = (name) => (jwk) => Object.fromEntries(Object.entries(jwk).filter(([member]) => member !== name));
const nameless = { jwks: ({ keys }) => ({ keys: keys.map(without('kid')) }), header: { kid: undefined } };
const stranger = makeKey('two');
const flipped = async (header, claims, key) => {
  const [head, body, signature] = (await sign.rs256(header, claims, key)).split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[9] ^= 1;
  return `${head}.${body}.${bytes.toString('base64url')}`;
};
// A signed userinfo response; `signer` is known when the provider runs.
let signer;
const userinfoJwt = (sub) => async (honest) => replies.text(200, 'application/jwt', await signer({ ...honest, sub }));

// [module, what the provider does, the error (none: the user signs in), what the log says, options]
const basic = [
  ['oidcc-client-test', {}],
  ['oidcc-client-test-invalid-iss', { claims: { iss: 'http://evil.example.org' } }, CALLBACK, /issuer|iss/],
  ['oidcc-client-test-missing-sub', { claims: { sub: undefined } }, CALLBACK, /sub/],
  ['oidcc-client-test-invalid-aud', { claims: { aud: 'another-client' } }, CALLBACK, /aud/],
  ['oidcc-client-test-missing-iat', { claims: { iat: undefined } }, CALLBACK, /iat/],
  ['oidcc-client-test-kid-absent-single-jwks', nameless],
  ['oidcc-client-test-kid-absent-multiple-jwks', { ...nameless, jwks: ({ keys }) => ({ keys: [stranger.jwk, ...keys].map(without('kid')) }) }],
  ['oidcc-client-test-idtoken-sig-rs256', { header: { alg: 'RS256' } }],
  ['oidcc-client-test-idtoken-sig-none', { header: { alg: 'none' }, sign: sign.none }, CALLBACK, /none/],
  ['oidcc-client-test-invalid-sig-rs256', { sign: flipped }, CALLBACK, /signature does not verify/],
  ['oidcc-client-test-userinfo-invalid-sub', { userinfo: { sub: 'somebody else' } }, CALLBACK, /userinfo response's sub does not match/, 'idToken=false'],
  ['oidcc-client-test-nonce-invalid', { claims: { nonce: 'another' } }, CALLBACK, /nonce/],
  ['oidcc-client-test-scope-userinfo-claims', {}, null, null, 'idToken=false "scope=openid profile email"'],
  ['oidcc-client-test-client-secret-basic', { discovery: { token_endpoint_auth_methods_supported: ['client_secret_basic'] } }],
];

const config = [
  ['oidcc-client-test-discovery-openid-config', {}],
  ['oidcc-client-test-discovery-jwks-uri-keys', { jwks: ({ keys }) => ({ keys: [stranger.jwk, ...keys] }) }],
  ['oidcc-client-test-discovery-issuer-mismatch', { discovery: { issuer: 'http://evil.example.org' } }, SIGNIN, /discovery document has the issuer/],
  ['oidcc-client-test-idtoken-sig-none', { header: { alg: 'none' }, sign: sign.none }, CALLBACK, /none/],
  ['oidcc-client-test-signing-key-rotation', {}, null, null, '', true],
  ['oidcc-client-test-signing-key-rotation-just-before-signing', {}, null, null, '', true],
];

const dynamic = [
  ['oidcc-client-test-userinfo-signed', { userinfo: userinfoJwt('mallory') }, null, null, 'idToken=false userinfo_signed_response_alg=RS256'],
  ['oidcc-client-test-userinfo-signed, of another user', { userinfo: userinfoJwt('eve') }, CALLBACK, /userinfo response's sub does not match/, 'idToken=false userinfo_signed_response_alg=RS256'],
  ['oidcc-client-test-request-uri-signed-rs256', { discovery: { require_signed_request_object: true, request_object_signing_alg_values_supported: ['RS256'] } }, null, null, 'clientKey=file:@DIR@/rsa.pem'],
];

const ps256 = { discovery: { id_token_signing_alg_values_supported: ['PS256', 'RS256'], token_endpoint_auth_methods_supported: ['private_key_jwt'] },
  jwks: ({ keys: [key] }) => ({ keys: [{ ...key, alg: undefined }] }), header: { alg: 'PS256' }, token: { token_type: 'DPoP' } };
const unlike = (fault) => ({ ...ps256, ...fault, discovery: { ...ps256.discovery, ...fault.discovery } });
const fapi2 = [
  ['happy-path', ps256],
  ['happy-path-no-dpop-nonce', ps256],
  ['happy-path-no-mtls-endpoint-aliases', ps256],
  ['discovery-issuer-mismatch', unlike({ discovery: { issuer: 'https://evil.example.org' } }), SIGNIN, /discovery document has the issuer/],
  ['invalid-iss', unlike({ claims: { iss: 'https://evil.example.org' } }), CALLBACK, /issuer|iss/],
  ['invalid-aud', unlike({ claims: { aud: 'another-client' } }), CALLBACK, /aud/],
  ['invalid-secondary-aud', unlike({ claims: (c) => ({ ...c, aud: [c.aud, 'another-client'] }) }), CALLBACK, /aud|azp/],
  ['invalid-null-alg', unlike({ header: { alg: 'none' }, sign: sign.none }), CALLBACK, /none/],
  ['invalid-alternate-alg', unlike({ header: { alg: 'RS256' } }), CALLBACK, /the algorithm RS256 is not accepted here/],
  ['invalid-expired-exp', unlike({ claims: { exp: past() } }), CALLBACK, /exp/],
  ['invalid-missing-exp', unlike({ claims: { exp: undefined } }), CALLBACK, /exp/],
  ['invalid-missing-aud', unlike({ claims: { aud: undefined } }), CALLBACK, /aud/],
  ['invalid-missing-iss', unlike({ claims: { iss: undefined } }), CALLBACK, /issuer|iss/],
  ['valid-aud-as-array', unlike({ claims: (c) => ({ ...c, aud: [c.aud] }) })],
  ['invalid-nonce', unlike({ claims: { nonce: 'another' } }), CALLBACK, /nonce/],
  ['invalid-missing-nonce', unlike({ claims: { nonce: undefined } }), CALLBACK, /nonce/],
  ['invalid-authorization-response-iss', unlike({ authorize: { iss: 'https://evil.example.org' } }), CALLBACK, /iss of the callback does not match/],
  ['remove-authorization-response-iss', unlike({ authorize: { iss: undefined } }), CALLBACK, /iss of the callback does not match/],
  ['ensure-authorization-response-with-invalid-state-fails', unlike({ authorize: { state: 'another' } }), CALLBACK, /state/],
  ['ensure-authorization-response-with-invalid-missing-state-fails', unlike({ authorize: { state: undefined } }), CALLBACK, /state/],
  ['token-endpoint-response-without-expires_in', unlike({ token: { token_type: 'DPoP', expires_in: undefined } })],
  ['token-type-case-insensitivity', unlike({ token: { token_type: 'dpOp' } })],
  ['rs-dpop-auth-scheme-case-insensitivity', unlike({ userinfo: (() => {
    let asked = 0;
    return (honest) => (asked++ ? honest : replies.text(401, 'application/json', '{}', { 'dpop-nonce': 'a-nonce', 'www-authenticate': 'dPoP error="use_dpop_nonce"' }));
  })() }), null, null, 'idToken=false'],
].map(([name, ...rest]) => [`fapi2-security-profile-final-client-test-${name}`, ...rest]);

const common = `
NextAuthEngine On
NextAuthMode test
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthRateLimit callback Off`;

const isIn = (c) => Boolean(c.cookie('next-auth.session-token') || c.cookie('__Secure-next-auth.session-token'));

const nextauthctl = (...args) => new Promise((resolve) => {
  execFile(ctlFile, args, { env: { ...process.env, LD_PRELOAD: '', ASAN_OPTIONS: 'detect_leaks=0' } }, (error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
});

async function attempt(rogue, site, c, id, isPosted) {
  const start = await c.signIn(id, { callbackUrl: '/public.html' });
  if (!start.location.startsWith(rogue.url)) return start;
  const url = new URL((await c.page(start.location)).location);
  return isPosted ? c.post(url.pathname, Object.fromEntries(url.searchParams), { headers: { accept: 'text/html' } }) : c.page(url.href);
}

async function run(t, plan, rogue, table, { files = {}, options = '', isPosted = false, head = '' } = {}) {
  const rows = table.map(([name, fault, code, says, more = '', rotates], i) => ({ name, id: `${plan}${i}`, fault, code, says, more, rotates }));
  for (const { id, fault } of rows) rogue.faults[id] = fault;
  const port = await freePort();
  // Only an HTTPS site has cookies that survive a posted response; a proxy in front ends TLS.
  const at = `${isPosted ? 'https' : 'http'}://localhost:${port}`;
  const site = await t.httpd({ port, files, config: `${common}\nNextAuthURL ${at}\n${head}
${rows.map(({ id, more }) => `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=the-client ${options || 'clientSecret=a-secret-of-the-client'}${isPosted ? ' authorization.params=response_mode=form_post' : ''} ${more}`).join('\n')}` });
  for (const { name, id, code, says, rotates } of rows) {
    const c = t.client(site);
    const before = site.log().length;
    if (rotates) {
      await attempt(rogue, site, t.client(site), id, isPosted); // the keys are known now
      const key = makeKey('three');
      rogue.faults[id] = { jwks: { keys: [key.jwk] }, header: { kid: 'three' }, sign: (header, claims) => sign.rs256(header, claims, key) };
    }
    const end = await attempt(rogue, site, c, id, isPosted);
    const log = site.log().slice(before).split('\n').filter((line) => /:(warn|error)\]/.test(line));
    t.is([end.location, isIn(c)],
      [code ? `${at}/api/auth/error?error=${code}` : `${at}/public.html`, !code], `${name}${isPosted ? ' (form_post)' : ''}: ${code ? 'no session, and an error page' : 'signed in'}`) || t.diag(log.join('\n'));
    if (code) t.like(log.at(-1), says, '  the log says why');
    if (code) t.is((await c.page(end.location.replace(at, site.url))).status < 500, true, '  the page is there');
  }
  return site;
}

// The modules that register: the command finds the issuer, and prints the directive.
async function registered(t, rogue, folder) {
  const port = new URL(rogue.url).port;
  const register = (id, issuer, ...more) => nextauthctl('register', issuer, '--url', 'https://www.example.org', '--id', id, '--secret-file', `${folder}/${id}`, '--ca-file', `${folder}/op.pem`, ...more);
  const issuer = (id) => rogue.issuer(id);
  for (const [name, id, typed, more = []] of [
    ['oidcc-client-test-dynamic-registration', 'plain', issuer('plain')],
    ['oidcc-client-test-discovery-webfinger-acct', 'acct', `acct:acct@localhost:${port}`],
    ['oidcc-client-test-discovery-webfinger-acct, as an address', 'address', `address@localhost:${port}`],
    ['oidcc-client-test-discovery-webfinger-url', 'url', `https://localhost:${port}/url`, ['--webfinger', '--initiated-sign-in']]]) {
    const made = await register(id, typed, ...more);
    t.like(made.stdout, new RegExp(`^NextAuthProvider ${id} type=oidc issuer=${issuer(id)} clientId=the-client clientSecret=file:`), name) || t.diag(made.stderr);
  }
  const [asked] = rogue.requests('.well-known', 'webfinger');
  t.is(asked.query, { resource: `acct:acct@localhost:${port}`, rel: 'http://openid.net/specs/connect/1.0/issuer' }, '  asked for the issuer alone');
  const link = (href) => ({ webfinger: { links: [{ rel: 'http://openid.net/specs/connect/1.0/issuer', href }] } });
  for (const [what, id, fault, says] of [
    ['no issuer', 'none', { webfinger: { links: [] } }, /names no issuer/], ['an issuer without TLS', 'http', link('http://localhost/'), /not an https URL/],
    ['text that would become a directive', 'quoted', link('https://localhost/" clientId=x'), /not an https URL/], ['a variable', 'variable', link('https://localhost/${HOME}'), /not an https URL/],
    ['a redirect', 'redirect', { webfinger: replies.redirect(`${rogue.url}/.well-known/webfinger?resource=acct:acct@localhost`) }, /returned status 302/],
    ['no JSON', 'html', { webfinger: replies.html }, /invalid WebFinger response/], ['megabytes', 'large', { webfinger: replies.large }, /larger|too large|exceed|bytes/],
    ['an issuer that has another name', 'named', link(issuer('other')), /discovery document has the issuer/]]) {
    rogue.faults[id] = fault;
    if (id === 'named') rogue.faults.other = { discovery: { issuer: 'https://evil.example.org' } };
    const made = await register(id, `${id}@localhost:${port}`);
    t.is([made.status, made.stdout, fs.existsSync(`${folder}/${id}`)], [1, '', false], `${what} registers nothing`);
    t.like(made.stderr, says, '  and the command says why');
  }
  for (const typed of ['joe@', '@localhost', 'joe@localhost/x', 'joe@local host', 'acct:joe', 'http://localhost/joe']) t.like((await register('odd', typed, '--webfinger')).stderr, /invalid account or URL/, `'${typed}' is neither an account nor a URL`);
}

suite('The plans of the OpenID Foundation for relying parties', async (t) => {
  t.withOneMpm();
  const rogue = await startRogue(t);
  let asked = 0; // by the rows of the dynamic plan, in their order
  signer = (claims) => new jose.SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: rogue.key.kid })
    .setIssuer(rogue.issuer(`dynamic${asked++}`)).setAudience('the-client').sign(rogue.key.privateKey);
  const rsa = { 'rsa.pem': { text: generateKeys('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 } };

  t.section('oidcc-client-basic-certification-test-plan');
  const site = await run(t, 'basic', rogue, basic);
  t.is(rogue.requests('basic13', 'token')[0].headers.authorization, `Basic ${btoa('the-client:a-secret-of-the-client')}`, 'client_secret_basic it is');
  t.is(rogue.requests('basic12', 'authorize')[0].query.scope, 'openid profile email', 'the scopes are asked for');
  t.unlike(site.log(), /a-secret-of-the-client/, 'no secret is in the log');
  t.section('oidcc-client-formpost-basic-certification-test-plan');
  await run(t, 'posted', rogue, basic, { isPosted: true });
  t.section('oidcc-client-config-certification-test-plan');
  await run(t, 'config', rogue, config);
  t.section('oidcc-client-dynamic-certification-test-plan');
  await run(t, 'dynamic', rogue, dynamic, { files: rsa });
  const { query } = rogue.requests('dynamic2', 'authorize')[0];
  t.is(jose.decodeProtectedHeader(query.request || '').alg, 'RS256', 'the request is signed, in the place of a request_uri');

  t.section('oidcc-client-test-3rd-party-init-login-test-plan');
  const started = await run(t, 'third', rogue, [['oidcc-client-test', {}, null, null, 'initiatedSignIn=true']]);
  const visitor = t.client(started);
  const initiate = `/api/auth/initiate/third0?${new URLSearchParams({ iss: rogue.issuer('third0'), login_hint: 'ada', target_link_uri: `${started.url}/public.html?there` })}`;
  const asks = await visitor.page(initiate, { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } });
  t.is(new URL(asks.location).searchParams.get('login_hint'), 'ada', 'oidcc-client-test-3rd-party-init-login: the provider is asked');
  const landed = await visitor.page((await visitor.page(asks.location)).location);
  t.is([landed.location, isIn(visitor)], [`${started.url}/public.html?there`, true], '  and the user is signed in there');

  t.section('fapi2-security-profile-final-client-test-plan');
  const folder = makeFolder(t);
  certify(folder, 'op', 'localhost', '-addext', 'subjectAltName=DNS:localhost');
  const read = (name) => fs.readFileSync(`${folder}/${name}`, 'utf8');
  const strict = await startRogue(t, { tls: { key: read('op.key'), cert: read('op.pem') } });
  await registered(t, strict, folder);
  const ec = generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  await run(t, 'fapi', strict, fapi2, { files: { 'ca.pem': read('op.pem'), 'ec.pem': { text: ec, mode: 0o600 } },
    head: 'NextAuthHTTP caFile=@DIR@/ca.pem', options: 'profile=fapi2 clientKey=file:@DIR@/ec.pem' });
  t.is(strict.requests('fapi22', 'userinfo').length, 2, 'userinfo is asked again with the nonce');
  t.ok(strict.requests('fapi0', 'par').length === 1 && Object.keys(strict.requests('fapi0', 'authorize')[0].query).sort().join() === 'client_id,request_uri', 'the request was pushed');
});
