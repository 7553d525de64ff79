#!/usr/bin/env node
'use strict';
// How providers are reached and what they offer: compressed answers, IPv6, a proxy, signed key sets,
// and the names that keys and algorithms have.
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const zlib = require('node:zlib');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { common } = require('./lib/site.js');
const { certify } = require('./lib/certificates.js');
const { generateKeys } = require('./lib/keys.js');
const { startRogue, replies, seconds } = require('./lib/rogue.js');

const provider = (rogue, id, options = 'clientSecret=a-secret') =>
  `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=the-client ${options}`;

// Presses the button and goes wherever that leads.
async function attempt(t, site, id) {
  const c = t.client(site);
  const start = await c.signIn(id, { callbackUrl: '/public.html' });
  if (start.location.startsWith(site.url)) return start.location;
  return (await c.page((await c.page(start.location)).location)).location;
}

const json = (value) => Buffer.from(JSON.stringify(value));
const packed = (encoding, pack) => (honest) => replies.text(200, 'application/json', pack(json(honest)), { 'content-encoding': encoding });
const last = (list) => list[list.length - 1];

async function compressed(t, rogue) {
  const fine = { gzip: packed('gzip', zlib.gzipSync), deflate: packed('deflate', zlib.deflateSync) };
  const bomb = zlib.gzipSync(Buffer.alloc(64 << 20, ' '));
  const broken = { bomb: () => replies.text(200, 'application/json', bomb, { 'content-encoding': 'gzip' }),
    nested: () => replies.text(200, 'application/json', zlib.gzipSync(bomb), { 'content-encoding': 'gzip, gzip' }),
    garbage: () => replies.text(200, 'application/json', 'no gzip', { 'content-encoding': 'gzip' }),
    cut: (honest) => replies.text(200, 'application/json', zlib.gzipSync(json(honest)).subarray(0, -12), { 'content-encoding': 'gzip' }) };
  const ids = [...Object.keys(fine), ...Object.keys(broken)];
  const site = await t.httpd({ config: `${common}
${ids.map((id) => provider(rogue, id, 'clientSecret=a-secret idToken=false')).join('\n')}` });
  for (const [id, answer] of Object.entries(fine)) {
    rogue.faults[id] = { discovery: answer, jwks: answer, userinfo: answer };
    t.is(await attempt(t, site, id), `${site.url}/public.html`, `documents and userinfo, compressed with ${id}`);
  }
  t.is(rogue.requests('gzip', 'token')[0].headers['accept-encoding'], undefined, 'the token response, which has secrets, is not asked for so');
  for (const [id, answer] of Object.entries(broken)) {
    rogue.faults[id] = { discovery: answer };
    t.like(await attempt(t, site, id), /error=OAuthSignin$/, `${id}: refused`);
  }
  t.is((site.log().match(/returned more than \d+ bytes/g) || []).length >= 2, true, 'what is too large unpacked is not unpacked further');
}

async function ipv6(t) {
  if (!Object.values(os.networkInterfaces()).flat().some((each) => each.address === '::1')) {
    t.skip('a provider with an IPv6 address', 'there is no ::1 here');
    return;
  }
  const rogue = await startRogue(t, { host: '::1' });
  const site = await t.httpd({ config: `${common}\n${provider(rogue, 'six')}` });
  t.is(await attempt(t, site, 'six'), `${site.url}/public.html`, 'a provider with an IPv6 address');
}

async function proxied(t, rogue, folder) {
  const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');
  const secure = await startRogue(t, { tls: { key: read('op.key'), cert: read('op.pem') } });
  const proxy = await t.httpd({ without: true, modules: ['proxy_connect'],
    files: { users: 'site:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n' /* "password" */ }, config: `
ProxyRequests On
AllowCONNECT ${secure.port}
<Proxy *>
  AuthType Basic
  AuthName proxy
  AuthUserFile @DIR@/users
  Require valid-user
</Proxy>` });
  const start = (authority, options = {}) => t.httpd({ files: { 'ca.pem': read('op.pem') }, ...options, config: `${common}
NextAuthHTTP proxy=http://${authority}localhost:${proxy.port} caFile=@DIR@/ca.pem
${provider(rogue, 'plain')}
${provider(secure, 'tls')}` });
  const site = await start('site:password@', { env: { no_proxy: '*', NO_PROXY: '*' } });
  const before = proxy.access();
  t.is(await attempt(t, site, 'plain'), `${site.url}/public.html`, 'a provider behind a proxy');
  t.like(proxy.access().slice(before.length), /^GET http:\S+\/plain\/jwks 200 site$/m, '  through it, although the environment has exceptions');
  t.is(await attempt(t, site, 'tls'), `${site.url}/public.html`, 'and one with TLS');
  await site.stop(); // a tunnel is logged when it ends
  t.ok(await proxy.logged('CONNECT'), '  through a tunnel');
  t.like(proxy.access(), /^CONNECT .* site$/m, '  with the user of the proxy');
  t.unlike(site.log(), /site:password|c2l0ZTpwYXNzd29yZA/, 'the password of the proxy is not logged');
}

async function signedSets(t, rogue) {
  const federation = generateKeys('ec', { namedCurve: 'P-256' });
  const other = generateKeys('ec', { namedCurve: 'P-256' });
  const signed = (id, { header, claims, key = federation } = {}) => async () => {
    const issuer = rogue.issuer(id);
    const token = await new jose.SignJWT({ iss: issuer, sub: issuer, iat: seconds(), exp: seconds() + 600, keys: [rogue.key.jwk], ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'jwk-set+jwt', kid: 'federation', ...header }).sign(key.privateKey);
    return replies.text(200, 'application/jwk-set+jwt', token);
  };
  const cases = {
    honest: {},
    eternal: { claims: { exp: undefined, iat: undefined } },
    stranger: { key: other, why: /signature does not verify/ },
    typed: { header: { typ: 'JWT' }, why: /type is not jwk-set\+jwt/ },
    issuer: { claims: { iss: 'http://evil.example.org' }, why: /iss does not match/ },
    subject: { claims: { sub: 'http://evil.example.org' }, why: /sub does not match/ },
    expired: { claims: { exp: seconds() - 100 }, why: /it has expired/ },
    early: { claims: { iat: seconds() + 1000 }, why: /iat is in the future/ },
    empty: { claims: { keys: [] }, why: /key set/ },
    plain: { why: /not three parts/ },
    missing: { why: /does not publish a signed key set/ },
  };
  const ids = Object.keys(cases);
  const jwk = { ...federation.publicKey.export({ format: 'jwk' }), kid: 'federation' };
  const site = await t.httpd({ files: { 'federation.json': { text: JSON.stringify({ keys: [jwk] }), mode: 0o640 } }, config: `${common}
${ids.map((id) => provider(rogue, id, 'clientSecret=a-secret signedJwksKeys=file:@DIR@/federation.json')).join('\n')}
${provider(rogue, 'configured', `clientSecret=a-secret signedJwksKeys=file:@DIR@/federation.json signed_jwks_uri=${rogue.issuer('configured')}/signed-jwks`)}` });
  for (const id of ids) {
    const discovery = id === 'missing' ? {} : { signed_jwks_uri: `${rogue.issuer(id)}/signed-jwks` };
    rogue.faults[id] = { discovery, signedJwks: id === 'plain' ? { keys: [rogue.key.jwk] } : signed(id, cases[id]) };
    const end = await attempt(t, site, id);
    if (!cases[id].why) {
      t.is(end, `${site.url}/public.html`, `${id}: a signed key set`);
      t.is(rogue.requests(id, 'jwks').length, 0, '  and no other is asked for');
    } else {
      t.like(end, /error=OAuthCallback$/, `${id}: refused`);
      t.like(site.log(), cases[id].why, '  with the reason in the log');
    }
  }
  rogue.faults.configured = { signedJwks: signed('configured') };
  t.is(await attempt(t, site, 'configured'), `${site.url}/public.html`, 'a signed key set whose URL is configured');
}

async function names(t, rogue, folder) {
  const pem = fs.readFileSync(path.join(folder, 'client.key'), 'utf8') + fs.readFileSync(path.join(folder, 'client.pem'), 'utf8');
  const ed = generateKeys('ed25519', {});
  const own = generateKeys('ed25519', {});
  const base = rogue.issuer('par');
  const site = await t.httpd({
    files: { 'client.pem': { text: pem, mode: 0o600 }, 'ed.pem': { text: ed.privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 } },
    config: `${common}
${provider(rogue, 'entra', 'clientKey=file:@DIR@/client.pem')}
${provider(rogue, 'ed', 'clientKey=file:@DIR@/ed.pem')}
${provider(rogue, 'dpop', 'clientSecret=a-secret dpop=true')}
NextAuthProvider par type=oauth authorization=${base}/authorize token=${base}/token userinfo=${base}/userinfo clientId=the-client clientSecret=a-secret profile.id=sub pushedRequest=true pushed_authorization_request_endpoint=${base}/par` });
  const arrived = `${site.url}/public.html`;
  const header = (id) => jose.decodeProtectedHeader(last(rogue.requests(id, 'token')).form.client_assertion);

  rogue.faults.entra = { discovery: { token_endpoint_auth_methods_supported: ['private_key_jwt'] } };
  t.is(await attempt(t, site, 'entra'), arrived, 'a client whose key has a certificate');
  const der = new crypto.X509Certificate(fs.readFileSync(path.join(folder, 'client.pem'))).raw;
  t.is(header('entra')['x5t#S256'], crypto.createHash('sha256').update(der).digest('base64url'), '  which the assertion names');

  rogue.faults.ed = {
    discovery: { token_endpoint_auth_methods_supported: ['private_key_jwt'], token_endpoint_auth_signing_alg_values_supported: ['Ed25519'], id_token_signing_alg_values_supported: ['Ed25519'] },
    jwks: { keys: [{ ...own.publicKey.export({ format: 'jwk' }), kid: 'ed', alg: 'EdDSA' }] },
    header: { alg: 'Ed25519', kid: 'ed' },
    claims: { at_hash: undefined },
    sign: (head, claims) => {
      const input = [head, claims].map((each) => json(each).toString('base64url')).join('.');
      return `${input}.${crypto.sign(null, Buffer.from(input), own.privateKey).toString('base64url')}`;
    },
  };
  t.is(await attempt(t, site, 'ed'), arrived, 'an ID token signed with Ed25519, by its name of RFC 9864');
  t.is([header('ed').alg, header('ed')['x5t#S256']], ['Ed25519', undefined], '  and an assertion of the client');

  rogue.faults.dpop = { token: { token_type: 'DPoP' } };
  t.is(await attempt(t, site, 'dpop'), arrived, 'tokens that are bound to a key');
  const proof = jose.decodeProtectedHeader(last(rogue.requests('dpop', 'token')).headers.dpop);
  t.is(last(rogue.requests('dpop', 'authorize')).query.dpop_jkt, await jose.calculateJwkThumbprint(proof.jwk), '  as the code is, from the authorization request on');

  t.is(await attempt(t, site, 'par'), arrived, 'a pushed request of a provider of plain OAuth 2.0');
  t.is(Object.keys(last(rogue.requests('par', 'authorize')).query).sort(), ['client_id', 'request_uri'], '  and nothing else passes through the browser');
}

suite('Ways to a provider', async (t) => {
  t.withOneMpm();
  const rogue = await startRogue(t);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-transport-'));
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  certify(folder, 'op', 'localhost', '-addext', 'subjectAltName=DNS:localhost');
  certify(folder, 'client', 'the client');
  t.section('compressed answers');
  await compressed(t, rogue);
  t.section('IPv6');
  await ipv6(t);
  t.section('a proxy');
  await proxied(t, rogue, folder);
  t.section('signed key sets');
  await signedSets(t, rogue);
  t.section('names of keys and algorithms');
  await names(t, rogue, folder);
});
