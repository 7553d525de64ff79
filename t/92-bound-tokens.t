#!/usr/bin/env node
'use strict';
// Access tokens that only their client can use: bound to a key (DPoP) and to a certificate, of a real issuer
// and forged.
const crypto = require('node:crypto');
const fs = require('node:fs');
const https = require('node:https');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { certify } = require('./lib/certificates.js');
const { freePort, makeFolder } = require('./lib/httpd.js');
const { basic, forge, seconds, secret, startIssuer } = require('./lib/api.js');
const { generateKeys } = require('./lib/keys.js');
const { startApp } = require('./lib/app.js');
const { startRedis } = require('./lib/redis.js');
const { startRogue } = require('./lib/rogue.js');
const { request } = require('./lib/client.js');

const API = 'https://api.example.org/';
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none`;
const ALGS = 'algs="ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA"';
const location = (path, value) => `
<Location ${path}>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens ${value} only
</Location>`;
const page = (...names) => Object.fromEntries(names.map((name) => [`htdocs/${name}/index.html`, `${name}\n`]));

// A client's key, and its proofs. What `more` has replaces the honest claims; undefined takes one away.
async function newKey(kind = 'ec', options = { namedCurve: 'P-256' }, alg = 'ES256') {
  const { publicKey, privateKey } = generateKeys(kind, options);
  const jwk = publicKey.export({ format: 'jwk' });
  return { jwk, privateKey, alg, thumbprint: await jose.calculateJwkThumbprint(jwk),
    prove: (url, { token, method = 'GET', nonce, ...more } = {}, header = {}, signer = privateKey) => {
      const claims = { jti: crypto.randomUUID(), htm: method, htu: url, iat: seconds(), nonce, ath: token && crypto.createHash('sha256').update(token).digest('base64url'), ...more };
      return new jose.CompactSign(Buffer.from(JSON.stringify(claims)))
        .setProtectedHeader(JSON.parse(JSON.stringify({ alg, typ: 'dpop+jwt', jwk, ...header }))).sign(signer);
    } };
}

const ask = (url, token, proof, { scheme = 'DPoP', method = 'GET', ...more } = {}) => request(url, { method, headers: { authorization: `${scheme} ${token}`, ...(proof ? { dpop: proof } : {}), ...more } });

async function realKeys(t) {
  const { issuer, machine } = await startIssuer(t, [API], { features: { dPoP: { enabled: true } } });
  const app = await startApp(t, (r) => [r.headers['x-nextauth-client'], r.headers.authorization || null, r.headers.dpop || null]);
  const site = await t.httpd({ config: `${common}
NextAuthURL http://localhost:@PORT@
NextAuthTokenIssuer op issuer=${issuer} audience=${API}
${location('/api', 'oauth')}
<Location /api/app>
  ProxyPass http://127.0.0.1:${app.port}
</Location>`, files: page('api') });
  const key = await newKey();
  const { access_token: token, token_type: type } = await machine(API, 'read', { headers: { dpop: await key.prove(`${issuer}/token`, { method: 'POST' }) } });
  t.section('a key, with an issuer that is not ours');
  t.is(type, 'DPoP', 'the token is bound');
  const url = `${site.url}/api/`;
  t.is((await ask(url, token, await key.prove(url, { token }))).status, 200, 'it is good with a proof');
  t.is((await ask(`${url}?x=1`, token, await key.prove(url, { token }))).status, 200, 'a query is left out of a proof');
  t.is((await ask(`${url}app/x`, token, await key.prove(`${url}app/x`, { token }))).json.user, ['machine', null, null], 'the application gets neither token nor proof');
  const [none, other] = [await ask(url, token), await ask(url, token, await (await newKey()).prove(url, { token }))];
  t.is([none.status, none.headers['www-authenticate']], [401, `Bearer realm="${site.url}", DPoP realm="${site.url}", ${ALGS}, error="invalid_dpop_proof"`], 'not without a proof');
  t.is(other.status, 401, 'nor with one of another key');
  const bearer = await ask(url, token, undefined, { scheme: 'Bearer' });
  t.is([bearer.status, bearer.headers['www-authenticate']], [401, `Bearer realm="${site.url}", error="invalid_token", DPoP realm="${site.url}", ${ALGS}`], 'nor as a bearer token');
  t.is((await ask(url, token, await key.prove(url, { token }), { scheme: 'Bearer' })).status, 401, '  even with a proof');
}

async function forgedProofs(t) {
  const rogue = await startRogue(t);
  const iss = rogue.issuer('as');
  const site = await t.httpd({ config: `${common}
NextAuthURL http://localhost:@PORT@
NextAuthFeature rateLimiting Off
NextAuthTokenIssuer as issuer=${iss} audience=${API}
NextAuthTokenIssuer nonce issuer=${iss} audience=${API} dpopNonce=On
NextAuthTokenIssuer dpop issuer=${iss} audience=${API} binding=dpop
NextAuthTokenIssuer tls issuer=${iss} audience=${API} binding=certificate
NextAuthTokenIssuer bound issuer=${iss} audience=${API} binding=required
NextAuthTokenIssuer patient issuer=${iss} audience=${API} clockTolerance=600
${['as', 'nonce', 'dpop', 'tls', 'bound', 'patient'].map((id) => location(`/${id}`, `oauth:${id}`)).join('')}`,
  files: { ...page('as', 'nonce', 'dpop', 'tls', 'bound', 'patient'), 'htdocs/as/a~b/index.html': 'x' } });
  const url = `${site.url}/as/`;
  const key = await newKey();
  const tokenOf = ({ thumbprint }, more) => forge(rogue.key, { iss, aud: API, cnf: { jkt: thumbprint }, ...more });
  const token = await tokenOf(key);
  const status = async (proof, { at = url, token: shown = token, ...options } = {}) => (await ask(at, shown, proof, options)).status;

  t.section('keys of all kinds');
  for (const [kind, options, alg] of [['ec', { namedCurve: 'P-384' }, 'ES384'], ['rsa', { modulusLength: 2048 }, 'PS256'], ['rsa', { modulusLength: 2048 }, 'RS256'], ['ed25519', {}, 'EdDSA']]) {
    const other = await newKey(kind, options, alg), own = await tokenOf(other);
    t.is(await status(await other.prove(url, { token: own }), { token: own }), 200, alg);
  }

  t.section('honest proofs');
  t.is(await status(await key.prove(url, { token })), 200, 'as the standard has it');
  t.is(await status(await key.prove(`${url}?x=1#y`, { token })), 200, 'with a query and a fragment');
  t.is(await status(await key.prove(url.replace('http://localhost', 'HTTP://LOCALHOST'), { token })), 200, 'with a host in capitals');
  t.is(await status(await key.prove(`${site.url}/%61s/`, { token })), 200, 'with what need not be encoded');
  t.is(await status(await key.prove(`${url}a%7Eb/`, { token }), { at: `${url}a~b/` }), 200, 'or the other way round');
  t.is(await status(await key.prove(url, { token, method: 'HEAD' }), { method: 'HEAD' }), 200, 'of another method');
  t.is(await status(await key.prove(url, { token, iat: seconds() - 30 })), 200, 'of a moment ago');

  t.section('others');
  const stranger = await newKey();
  const symmetric = Buffer.from(JSON.stringify({ kty: 'oct', k: 'AAAA' }));
  const privateJwk = key.privateKey.export({ format: 'jwk' });
  const honest = await key.prove(url, { token });
  const text = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const proofs = {
    'of another method': await key.prove(url, { token, method: 'POST' }),
    'of a method in small letters': await key.prove(url, { token, method: 'get' }),
    'of no method': await key.prove(url, { token, htm: undefined }),
    'of another path': await key.prove(`${site.url}/bound/`, { token }),
    'of a path above': await key.prove(`${site.url}/`, { token }),
    'of another host': await key.prove(url.replace('localhost', 'evil.example.org'), { token }),
    'of another port': await key.prove('http://localhost:1/as/', { token }),
    'of another scheme': await key.prove(url.replace('http:', 'https:'), { token }),
    'of a path alone': await key.prove('/as/', { token }),
    'of no URL': await key.prove(url, { token, htu: undefined }),
    'for another token': await key.prove(url, { token: 'another' }),
    'for no token': await key.prove(url),
    'of long ago': await key.prove(url, { token, iat: seconds() - 100 }),
    'of the future': await key.prove(url, { token, iat: seconds() + 100 }),
    'of no time': await key.prove(url, { token, iat: undefined }),
    'without an ID': await key.prove(url, { token, jti: undefined }),
    'with an empty ID': await key.prove(url, { token, jti: '' }),
    'with a long ID': await key.prove(url, { token, jti: 'x'.repeat(300) }),
    'of another type': await key.prove(url, { token }, { typ: 'JWT' }),
    'of no type': await key.prove(url, { token }, { typ: undefined }),
    'of another key': await stranger.prove(url, { token }),
    'of another key that signs for this one': await key.prove(url, { token }, {}, stranger.privateKey),
    'with a private key': await key.prove(url, { token }, { jwk: privateJwk }),
    'without a key': await key.prove(url, { token }, { jwk: undefined }),
    'with the name of a key': await key.prove(url, { token }, { jwk: 'key' }),
    'with a secret': `${text({ alg: 'HS256', typ: 'dpop+jwt', jwk: JSON.parse(symmetric) })}.${honest.split('.').slice(1).join('.')}`,
    'that is not signed': `${text({ alg: 'none', typ: 'dpop+jwt', jwk: key.jwk })}.${honest.split('.')[1]}.`,
    'with an extension': `${text({ alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, crit: ['x'], x: 1 })}.${honest.split('.').slice(1).join('.')}`,
    'that was changed': `${honest.slice(0, -6)}AAAAAA`,
    'that is the token': token,
    'of nothing': 'x',
    'of two': `${await key.prove(url, { token })}, ${await key.prove(url, { token })}`,
  };
  for (const [what, proof] of Object.entries(proofs)) t.is(await status(proof), 401, `a proof ${what}`);

  t.section('once');
  const proof = await key.prove(url, { token });
  t.is([await status(proof), await status(proof), await status(proof)], [200, 401, 401], 'a proof is good once, in all processes');
  const both = await key.prove(url, { token });
  const answers = await Promise.all(Array.from({ length: 8 }, () => status(both)));
  t.ok(answers.filter((each) => each === 200).length <= 1, '  also at the same time', answers.join());
  t.is(await status(await stranger.prove(url, { token: await tokenOf(stranger), jti: 'one' }), { token: await tokenOf(stranger) }), 401, 'of one token for another that is bound likewise');
  const [first, second] = [await tokenOf(key), await tokenOf(stranger)];
  t.is([await status(await key.prove(url, { token: first, jti: 'same' }), { token: first }), await status(await stranger.prove(url, { token: second, jti: 'same' }), { token: second })], [200, 200], 'two clients can choose one ID');

  const patient = `${site.url}/patient/`;
  const ahead = async (later) => status(await key.prove(patient, { token, iat: seconds() + later }), { at: patient });
  t.is([await ahead(400), await ahead(500)], [200, 401], 'none is good for longer than it is remembered');

  t.section('what is bound and what must be');
  const plain = await forge(rogue.key, { iss, aud: API });
  t.is((await ask(url, plain, undefined, { scheme: 'Bearer' })).status, 200, 'a token that is not bound');
  t.is((await ask(url, plain, await key.prove(url, { token: plain }))).status, 401, '  not with the scheme DPoP');
  for (const id of ['dpop', 'tls', 'bound']) t.is((await ask(`${site.url}/${id}/`, plain, undefined, { scheme: 'Bearer' })).status, 401, `  nor with binding=${id}`);
  const at = (id) => `${site.url}/${id}/`;
  t.is(await Promise.all(['dpop', 'tls', 'bound'].map(async (id) => status(await key.prove(at(id), { token }), { at: at(id) }))), [200, 401, 200], 'one that is bound to a key');
  t.is((await ask(url, await tokenOf(key, { cnf: { jkt: key.thumbprint, x: 'y' } }), honest)).status, 401, 'one that is bound to something unknown, too');
  t.is((await ask(url, await tokenOf(key, { cnf: { 'x5t#S256': key.thumbprint } }), undefined, { scheme: 'Bearer' })).status, 401, 'one of a certificate, without TLS');

  t.section('nonces');
  const without = await ask(at('nonce'), token, await key.prove(at('nonce'), { token }));
  const nonce = without.headers['dpop-nonce'];
  t.is([without.status, /DPoP [^,]*, [^,]*, error="use_dpop_nonce"/.test(without.headers['www-authenticate']), Boolean(nonce)], [401, true, true], 'a proof without one gets one');
  const withIt = await ask(at('nonce'), token, await key.prove(at('nonce'), { token, nonce }));
  t.is(withIt.status, 200, 'with it, it is good');
  t.is(await status(await key.prove(at('nonce'), { token, nonce: `${nonce.slice(0, -1)}x` }), { at: at('nonce') }), 401, 'another one is not');
  t.is(await status(await key.prove(url, { token, nonce: 'any' })), 200, 'where none is asked for, any will do');
}

async function certificates(t) {
  const [port, sslPort, folder] = [await freePort(), await freePort(), makeFolder(t)];
  for (const [name, ...more] of [['localhost', '-addext', 'subjectAltName=DNS:localhost'], ['client'], ['stranger']]) certify(folder, name, name, ...more);
  const read = (name) => fs.readFileSync(`${folder}/${name}`, 'utf8');
  const of = (name) => ({ key: read(`${name}.key`), cert: read(`${name}.pem`) });
  const { op, issuer, machine } = await startIssuer(t, [API], { tls: of('localhost'), clients: [{ client_id: 'bound', client_secret: secret, grant_types: ['client_credentials'], response_types: [], redirect_uris: [], tls_client_certificate_bound_access_tokens: true }] });
  const site = await t.httpd({ port, modules: ['ssl'], global: `Listen 127.0.0.1:${sslPort}`, files: page('api'), config: `
<VirtualHost *:${sslPort}>
  ServerName https://localhost:${sslPort}
  SSLEngine On
  SSLCertificateFile ${folder}/localhost.pem
  SSLCertificateKeyFile ${folder}/localhost.key
  SSLVerifyClient optional_no_ca
  ${common}
  NextAuthURL https://localhost:${sslPort}
  NextAuthTokenIssuer op issuer=${issuer} audience=${API}
  NextAuthTokenIssuer strict issuer=${issuer} audience=${API} binding=certificate
  ${location('/api', 'oauth:op')}
</VirtualHost>` });
  const send = (url, options) => new Promise((resolve, reject) => {
    const r = https.request(url, { rejectUnauthorized: false, agent: false, family: 4, ...options }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
    });
    r.on('error', reject);
    r.end(options.body);
  });
  const discovery = (await request(`${issuer}/.well-known/openid-configuration`)).json;
  const answer = await send(discovery.mtls_endpoint_aliases.token_endpoint, { method: 'POST', ...of('client'),
    headers: { authorization: basic('bound'), 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ grant_type: 'client_credentials', resource: API, scope: 'read' }).toString() });
  const token = JSON.parse(answer.text).access_token;
  t.section('a certificate, with an issuer that is not ours');
  t.ok(jose.decodeJwt(token).cnf['x5t#S256'], 'the token is bound', answer.text);
  const status = async (shown, client) => (await send(`https://localhost:${sslPort}/api/`, { headers: { authorization: `Bearer ${shown}` }, ...client })).status;
  t.is(await status(token, of('client')), 200, 'it is good with the certificate');
  t.is(await status(token, of('stranger')), 401, 'not with another');
  t.is(await status(token, {}), 401, 'nor with none');
  t.is(await status(token, of('client')), 200, 'but then again');
  t.is(await status((await machine(API)).access_token, {}), 200, 'one that is not bound needs none');
  t.is(op.errors, [], 'the issuer had nothing to complain about');
  t.ok(site.alive(), 'httpd goes on');
}

// A proof that one server has accepted is of no use at another, if they share a session store.
async function twoServers(t) {
  t.section('two servers, one store');
  const [rogue, redis, port] = [await startRogue(t), await startRedis(t), await freePort()];
  const iss = rogue.issuer('as');
  const files = page('api');
  const config = (store) => `${common.replace('NextAuthSessionStore none', store)}
NextAuthURL http://localhost:${port}
NextAuthTokenIssuer as issuer=${iss} audience=${API}
${location('/api', 'oauth')}`;
  const shared = config(`NextAuthRedis ${redis.url} timeout=500ms\nNextAuthSessionStore redis`);
  const [here, there] = [await t.httpd({ port, files, config: shared }), await t.httpd({ files, config: shared })];
  const key = await newKey();
  const token = await forge(rogue.key, { iss, aud: API, cnf: { jkt: key.thumbprint } });
  const at = (site, proof) => ask(`${site.url}/api/`, token, proof, { host: `localhost:${port}` });
  const prove = () => key.prove(`http://localhost:${port}/api/`, { token });
  const proof = await prove();
  t.is([(await at(here, proof)).status, (await at(here, proof)).status, (await at(there, proof)).status], [200, 401, 401], 'a proof is good once, at one of them');
  t.like(there.log(), /the DPoP proof was used before/, '  and the log of the other says why');
  t.is([(await at(there, await prove())).status, (await at(there, await prove())).status], [200, 200], 'a new one is good there');
  await redis.kill('SIGKILL');
  const unknown = await at(here, await prove());
  t.is([unknown.status, Boolean(unknown.headers['retry-after'])], [503, true], 'without the store, nothing is accepted that could be a copy');
}

suite('Access tokens that are bound to their client', async (t) => {
  t.withOneMpm();
  await realKeys(t);
  await forgedProofs(t);
  await certificates(t);
  await twoServers(t);
});
