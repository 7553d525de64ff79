#!/usr/bin/env node
'use strict';
// How a client authenticates, with a provider that is not ours: secrets, signed assertions whose keys
// it fetches from the site, and certificates.
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { common } = require('./lib/site.js');
const { certify } = require('./lib/certificates.js');
const { freePort } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { startOp } = require('./lib/op.js');

const secret = 'a secret between the client and the provider';
const pem = (kind, options) => generateKeys(kind, options).privateKey.export({ type: 'pkcs8', format: 'pem' });
const keys = {
  'rsa.pem': pem('rsa', { modulusLength: 2048 }),
  'ec.pem': pem('ec', { namedCurve: 'P-256' }),
  'ec384.pem': pem('ec', { namedCurve: 'P-384' }),
  'ed.pem': pem('ed25519', {}),
  'enc.pem': pem('rsa', { modulusLength: 2048 }),
};
keys['both.pem'] = keys['ec.pem'] + keys['rsa.pem'];
const key = (name) => `clientKey=file:@DIR@/${name}`;

// What the provider of each name is configured with, the client's metadata, and the algorithm it uses.
const byKey = (alg) => ({ token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: alg });
const clients = {
  basic: { options: `"clientSecret=${secret}"`, client: { client_secret: secret }, way: 'client_secret_basic' },
  post: { options: `"clientSecret=${secret}" token_endpoint_auth_method=client_secret_post`,
    client: { client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }, way: 'client_secret_post' },
  hmac: { options: `"clientSecret=${secret}" token_endpoint_auth_method=client_secret_jwt`,
    client: { client_secret: secret, token_endpoint_auth_method: 'client_secret_jwt' }, way: 'client_secret_jwt', alg: 'HS256' },
  hmac384: { options: `"clientSecret=${secret}${secret}" token_endpoint_auth_method=client_secret_jwt token_endpoint_auth_signing_alg=HS384`,
    client: { client_secret: secret + secret, token_endpoint_auth_method: 'client_secret_jwt' }, way: 'client_secret_jwt', alg: 'HS384' },
  rsa: { options: key('rsa.pem'), client: byKey(), way: 'private_key_jwt', alg: 'PS256' },
  rs256: { options: `${key('rsa.pem')} token_endpoint_auth_signing_alg=RS256`, client: byKey('RS256'), way: 'private_key_jwt', alg: 'RS256' },
  ec: { options: key('ec.pem'), client: byKey('ES256'), way: 'private_key_jwt', alg: 'ES256' },
  ec384: { options: key('ec384.pem'), client: byKey('ES384'), way: 'private_key_jwt', alg: 'ES384' },
  ed: { options: key('ed.pem'), client: byKey('EdDSA'), way: 'private_key_jwt', alg: 'EdDSA' },
  first: { options: key('both.pem'), client: byKey(), way: 'private_key_jwt', alg: 'ES256' },
  second: { options: `${key('both.pem')} token_endpoint_auth_signing_alg=PS256`, client: byKey('PS256'), way: 'private_key_jwt', alg: 'PS256' },
  url: { options: `${key('ec.pem')} clientAssertionAudience=token`, client: byKey(), way: 'private_key_jwt', alg: 'ES256', aud: '/token' },
  either: { options: `${key('ec.pem')} "clientSecret=${secret}"`, client: { ...byKey(), client_secret: secret }, way: 'private_key_jwt', alg: 'ES256' },
  nobody: { options: 'token_endpoint_auth_method=none', client: { token_endpoint_auth_method: 'none' }, way: 'none' },
  encrypted: { options: `${key('ec.pem')} privateKey=file:@DIR@/enc.pem requireEncryptedIdToken=true`,
    client: { ...byKey(), id_token_encrypted_response_alg: 'RSA-OAEP-256', id_token_encrypted_response_enc: 'A256GCM' }, way: 'private_key_jwt', alg: 'ES256' },
  nested: { options: `${key('ec.pem')} privateKey=file:@DIR@/enc.pem idToken=false userinfo_signed_response_alg=ES256`,
    client: { ...byKey(), userinfo_signed_response_alg: 'ES256', userinfo_encrypted_response_alg: 'RSA-OAEP-256', userinfo_encrypted_response_enc: 'A128CBC-HS256' }, way: 'private_key_jwt', alg: 'ES256' },
  tls: { options: 'clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/tls.key',
    client: { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_subject_dn: 'CN=the client' }, way: 'tls_client_auth' },
  selfsigned: { options: 'clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/tls.key token_endpoint_auth_method=self_signed_tls_client_auth',
    client: { token_endpoint_auth_method: 'self_signed_tls_client_auth' }, way: 'self_signed_tls_client_auth' },
  bound: { options: `${key('ec.pem')} token_endpoint_auth_method=private_key_jwt idToken=false clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/tls.key`,
    client: { ...byKey(), tls_client_certificate_bound_access_tokens: true }, way: 'private_key_jwt', alg: 'ES256', tls: true },
};

// A certificate for each side, which both trust.
function certificates(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-certificates-'));
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  certify(folder, 'op', 'localhost', '-addext', 'subjectAltName=DNS:localhost');
  certify(folder, 'tls', 'the client');
  const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  return { op: { key: read('op.key'), cert: read('op.pem'), ca: read('tls.pem') },
    files: { 'tls.pem': { text: read('tls.pem'), mode: 0o600 }, 'tls.key': { text: read('tls.key'), mode: 0o600 }, 'ca.pem': read('op.pem') },
    x5c: read('tls.pem').replace(/-----[^-]+-----|\s/g, '') };
}

async function start(t, names) {
  const [port, opPort] = [await freePort(), await freePort()];
  const { op: tls, files, x5c } = certificates(t);
  const jwksOf = (id) => {
    if (id === 'selfsigned') return { jwks: { keys: [{ ...crypto.createPublicKey(files['tls.pem'].text).export({ format: 'jwk' }), kid: 'tls', x5c: [x5c] }] } };
    return clients[id].alg && clients[id].way === 'private_key_jwt' ? { jwks_uri: `http://localhost:${port}/api/auth/jwks` } : {};
  };
  const op = await startOp(t, { port: opPort, tls, features: { jwtUserinfo: { enabled: true } },
    settings: { clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'],
      enabledJWA: { clientAuthSigningAlgValues: ['HS256', 'HS384', 'RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'] } },
    clients: names.map((id) => ({ client_id: `client-${id}`, redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`],
      ...jwksOf(id), ...clients[id].client })) });
  const site = await t.httpd({ port,
    files: { ...Object.fromEntries(Object.entries(keys).map(([name, text]) => [name, { text, mode: 0o600 }])), ...files },
    config: `${common}
NextAuthHTTP caFile=@DIR@/ca.pem
${names.map((id) => `NextAuthProvider ${id} type=oidc issuer=${op.issuer} clientId=client-${id} ${clients[id].options}`).join('\n')}` });
  return { op, site };
}

function usedWay({ headers, form }) {
  if (headers.authorization?.startsWith('Basic ')) return 'client_secret_basic';
  if (form.client_secret) return 'client_secret_post';
  return form.client_assertion ? 'assertion' : 'none';
}

const thumbprint = (name) => jose.calculateJwkThumbprint(crypto.createPublicKey(keys[name]).export({ format: 'jwk' }));

async function ways(t) {
  const jtis = new Set();
  const { op, site } = await start(t, Object.keys(clients));

  t.section('the site\'s own key set');
  {
    const answer = await t.client(site).page('/api/auth/jwks');
    const { keys: published } = JSON.parse(answer.text);
    t.is(answer.status, 200, 'is public');
    t.is(answer.setCookies, [], 'and sets no cookie');
    t.is(published.map(({ kid }) => kid).sort(), (await Promise.all(['rsa.pem', 'ec.pem', 'ec384.pem', 'ed.pem', 'enc.pem'].map(thumbprint))).sort(),
      'with each key once, named by its RFC 7638 thumbprint');
    t.is(published.filter(({ use }) => use === 'enc').length, 1, 'one of them for encryption');
    t.is(published.flatMap((each) => Object.keys(each)).filter((name) => !['kty', 'crv', 'x', 'y', 'n', 'e', 'kid', 'use'].includes(name)), [],
      'and nothing but public members');
    t.is((await t.client(site).post('/api/auth/jwks', {})).status, 400, 'POST is refused');
  }

  for (const [id, { way, alg, aud, tls }] of Object.entries(clients)) {
    t.section(id);
    const c = t.client(site);
    op.requests.length = 0;
    const back = await op.login(c, await c.signIn(id, { callbackUrl: '/public.html' }), 'alice');
    t.is(back.location, `${site.url}/public.html`, `${way}${alg ? ` with ${alg}` : ''} signs in`)
      || t.diag(op.errors.splice(0).join('\n') + site.log().split('\n').slice(-4).join('\n'));
    const request = op.requests.find((each) => each.path === '/token');
    t.is(usedWay(request), /_jwt$/.test(way) ? 'assertion' : /tls/.test(way) ? 'none' : way, '  and is what was sent');
    t.ok(!/secret between/.test(JSON.stringify(request.form)) || way === 'client_secret_post', '  no secret besides');
    if (alg) {
      const { client_assertion: assertion } = request.form;
      const header = jose.decodeProtectedHeader(assertion);
      const claims = jose.decodeJwt(assertion);
      t.is(header.alg, alg, '  signed so');
      t.is([claims.iss, claims.sub, claims.aud], [`client-${id}`, `client-${id}`, aud ? `${op.issuer}${aud}` : op.issuer], '  for this provider');
      jtis.add(claims.jti);
      t.is([claims.exp - claims.iat, typeof claims.jti], [60, 'string'], '  and a minute');
    }
    if (tls) t.ok(op.requests.some(({ path: at, status }) => at === '/me' && status === 200), '  an access token bound to the certificate is accepted with it');
  }
  t.is(jtis.size, Object.values(clients).filter(({ alg }) => alg).length, 'no jti twice');
  for (const text of [secret, ...Object.values(keys).map((each) => each.split('\n')[1])]) t.ok(!site.log().includes(text), 'no secret is in the log');
}

async function changes(t) {
  t.section('keys that change');
  const { op, site } = await start(t, ['first']);
  const attempt = async () => {
    const c = t.client(site);
    return (await op.login(c, await c.signIn('first', { callbackUrl: '/public.html' }), 'alice')).location;
  };
  t.is(await attempt(), `${site.url}/public.html`, 'with the first key of the file');
  const kids = async () => JSON.parse((await t.client(site).page('/api/auth/jwks')).text).keys.map(({ kid }) => kid);
  const before = await kids();
  fs.writeFileSync(`${site.dir}/both.pem`, keys['rsa.pem'] + keys['ec.pem']);
  await site.reload();
  t.is((await kids()).sort(), [...before].sort(), 'both stay published when their order changes');
  t.is(await attempt(), `${site.url}/public.html`, 'and the other one signs');
  const last = op.requests.filter(({ path: at }) => at === '/token').at(-1);
  t.is(jose.decodeProtectedHeader(last.form.client_assertion).kid, await thumbprint('rsa.pem'), 'as its kid says');
}

async function mistakes(t) {
  t.section('mistakes that configtest finds');
  const folder = certificates(t).files;
  const files = { ...Object.fromEntries(Object.entries(keys).map(([name, text]) => [name, { text, mode: 0o600 }])), ...folder };
  const provider = 'NextAuthProvider acme type=oidc issuer=http://localhost:1 clientId=a';
  for (const [what, options, says] of [
    ['private_key_jwt without a key', 'token_endpoint_auth_method=private_key_jwt', /requires clientKey= for private_key_jwt/],
    ['tls_client_auth without a certificate', 'token_endpoint_auth_method=tls_client_auth', /requires clientCertificate= for tls_client_auth/],
    ['a certificate without its key', 'clientCertificate=file:@DIR@/tls.pem', /requires both clientCertificate= and clientCertificateKey=/],
    ['a certificate with another key', 'clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/ec.pem', /the private key does not belong to the certificate/],
    ['no certificate', 'clientCertificate=file:@DIR@/ec.pem clientCertificateKey=file:@DIR@/ec.pem', /the certificate is not in PEM/],
    ['no key', 'clientKey=file:@DIR@/tls.pem', /invalid clientKey=: expected a private key in PEM/],
    ['an algorithm without a key for it', `${key('ec.pem')} token_endpoint_auth_signing_alg=PS256`, /requires a key in clientKey= for token_endpoint_auth_signing_alg=PS256/],
    ['an HMAC with a key', `${key('ec.pem')} token_endpoint_auth_signing_alg=HS256`, /token_endpoint_auth_signing_alg=HS256 does not match token_endpoint_auth_method=/],
    ['a short secret for an HMAC', 'clientSecret=short token_endpoint_auth_method=client_secret_jwt', /requires a longer clientSecret= for client_secret_jwt with HS256/],
    ['another audience', `${key('ec.pem')} clientAssertionAudience=everyone`, /invalid clientAssertionAudience=everyone/],
    ['another way', 'clientSecret=a token_endpoint_auth_method=telepathy', /invalid token_endpoint_auth_method=telepathy: expected client_secret_basic, /],
  ]) t.like((await t.configtest({ files, config: `${common}\n${provider} ${options}` })).output, says, what);
}

suite('How a client authenticates', async (t) => {
  t.withOneMpm();
  await ways(t);
  await changes(t);
  await mistakes(t);
});
