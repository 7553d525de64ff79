#!/usr/bin/env node
'use strict';
// API clients with access tokens of OAuth 2.0: JWTs of a provider that is not ours, and those that must be refused.
const crypto = require('node:crypto');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { API, OTHER, forge, startIssuer, seconds } = require('./lib/api.js');
const { common } = require('./lib/site.js');
const { request } = require('./lib/client.js');
const { startApp } = require('./lib/app.js');
const { decryptionKey } = require('./lib/op.js');
const { makeKey, replies, sign, startRogue } = require('./lib/rogue.js');

const SEALED = 'https://sealed.example.org/';
const [enc, ecdh] = [decryptionKey('rsa', 'RSA-OAEP-256'), decryptionKey('ec', 'ECDH-ES')];
const encrypt = (text, jwk, header) => jose.importJWK(jwk, header.alg).then((key) => new jose.CompactEncrypt(Buffer.from(text)).setProtectedHeader(header).encrypt(key));
const dpop = (site) => `DPoP realm="${site.url}", algs="ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 EdDSA"`;
const ask = (site, path, token, headers = {}) => request(new URL(path, site.url).href, { headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...headers } });

async function realTokens(t) {
  const { op, issuer, machine, user } = await startIssuer(t, [API, OTHER, SEALED], { sealed: { [SEALED]: { alg: 'RSA-OAEP-256', enc: 'A256GCM', key: crypto.createPublicKey(enc.pem), kid: 'theirs' } } });
  const app = await startApp(t, (r) => Object.fromEntries(Object.entries(r.headers).filter(([name]) => /^x-nextauth-|^authorization$/.test(name))));
  const site = await t.httpd({ config: `${common}
NextAuthProvider op type=oidc issuer=${issuer} clientId=app "clientSecret=a secret between the client and the provider"
NextAuthTokenIssuer op audience=${API}
NextAuthTokenIssuer elsewhere issuer=${issuer} audience=${OTHER}
NextAuthTokenIssuer sealed issuer=${issuer} audience=${SEALED} privateKey=file:@DIR@/enc.pem
NextAuthRole reader "%{PROFILE:scope} =~ /read/"
NextAuthClaim issued-by "%{PROFILE:iss}"
<Location /api/v1>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens oauth:op
</Location>
<Location /either>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens oauth
</Location>
<Location /api/v1/app>
  ProxyPass http://127.0.0.1:${app.port}
</Location>
<Location /api/v1/write>
  Require nextauth-scope write admin
</Location>
<Location /api/v1/role>
  Require nextauth-role reader
</Location>
<Location /api/v1/claim>
  Require nextauth-claim issued-by:${issuer}
</Location>
<Location /members>
  AuthType NextAuth
  Require valid-user
</Location>`,
  files: { 'enc.pem': { text: enc.pem, mode: 0o600 }, ...Object.fromEntries(['api/v1', 'api/v1/write', 'api/v1/role', 'api/v1/claim', 'either'].map((path) => [`htdocs/${path}/index.html`, `${path}\n`])) } });
  const status = async (...args) => (await ask(site, ...args)).status;

  t.section('a client of its own');
  const own = (await machine(API)).access_token;
  t.is(await status('/api/v1/', own), 200, 'gets in');
  t.is(await status('/api/v1/', own), 200, 'and again');
  t.ok(await site.logged('GET /api/v1/index.html 200 op::machine'), 'as a client, which has a name that no user can have');
  t.is((await ask(site, '/api/v1/app/x', own)).json.user, { 'x-nextauth-client': 'machine', 'x-nextauth-scope': 'read', 'x-nextauth-roles': 'reader',
    'x-nextauth-provider': 'op', 'x-nextauth-claim-issued-by': issuer }, 'the application gets the client, and neither a user nor the token');
  t.is((await ask(site, '/api/v1/', own)).setCookies, [], 'no cookie is set');

  t.section('a user\'s application');
  const ada = await user(API, 'alice');
  t.is(await status('/api/v1/', ada.access_token), 200, 'gets in');
  t.ok(await site.logged('GET /api/v1/index.html 200 op:alice'), 'as the user');
  const seen = (await ask(site, '/api/v1/app/x', ada.access_token)).json.user;
  t.is([seen['x-nextauth-user'], seen['x-nextauth-client']], ['alice', 'app'], 'the application gets both');

  t.section('what it may do');
  const refused = await ask(site, '/api/v1/write/', own);
  t.is([refused.status, refused.headers['www-authenticate']], [403, `Bearer realm="${site.url}", error="insufficient_scope", scope="write admin"`], 'a scope that it lacks');
  t.is(await status('/api/v1/write/', (await machine(API, 'read write')).access_token), 200, 'one that it has');
  t.is(await status('/api/v1/role/', own), 200, 'a role by a rule about the token');
  t.is(await status('/api/v1/claim/', own), 200, 'a claim by a rule');
  t.is(await status('/api/v1/role/', (await machine(API, 'write')).access_token), 403, 'a role that it lacks');

  t.section('where it does not count');
  const other = (await machine(OTHER)).access_token;
  const wrong = await ask(site, '/api/v1/', other);
  t.is([wrong.status, wrong.headers['www-authenticate']], [401, `NextAuth realm="${site.url}", Bearer realm="${site.url}", error="invalid_token", ${dpop(site)}`], 'a token for another API');
  t.is([await status('/either/', other), await status('/either/', own)], [200, 200], 'a path can accept both');
  t.is(await status('/api/v1/', other), 401, '  which does not change the first');
  t.is(await status('/api/v1/', ada.id_token), 401, 'an ID token');
  t.is(await status('/members/', own), 401, 'a path that accepts none');
  t.is(await status(`/api/v1/?access_token=${own}`), 401, 'a token in the URL');
  t.is(await status('/api/v1/', null, { authorization: own }), 401, 'one without a scheme');
  t.is(await status('/api/v1/', null, { authorization: `Basic ${Buffer.from(`:${own}`).toString('base64')}` }), 401, 'one as a password');
  const none = await ask(site, '/api/v1/');
  t.is([none.status, none.headers['www-authenticate']], [401, `NextAuth realm="${site.url}", Bearer realm="${site.url}", ${dpop(site)}`], 'none at all, without an error');
  t.is((await ask(site, '/api/auth/session', own)).json, {}, 'the endpoints do not know it');
  t.is((await ask(site, '/api/v1/', own, { 'x-nextauth-client': 'root' })).status, 200, 'a client cannot name itself');
  t.unlike(site.log(), new RegExp(own.split('.')[2]), 'no log has the token');

  t.section('encrypted tokens');
  const sealed = (await user(SEALED, 'alice')).access_token;
  t.is([sealed.split('.').length, await status('/either/', sealed)], [5, 200], 'are decrypted with the key of their issuer');
  t.ok(await site.logged('GET /either/index.html 200 sealed:alice'), '  and are of their user');
  t.is([await status('/api/v1/', sealed), await status('/either/', sealed)], [401, 200], '  not where another issuer is accepted, although it is the same server');
  const { keys } = (await ask(site, '/api/auth/jwks')).json;
  t.is(keys.filter(({ use }) => use === 'enc').map(({ n }) => n), [enc.jwk.n], 'the issuer finds the public key at the site');

  t.section('new keys');
  await op.rotateKeys();
  t.is(await status('/api/v1/', (await machine(API)).access_token), 200, 'are found');
}

async function forgedTokens(t) {
  const rogue = await startRogue(t);
  const [iss, second] = [rogue.issuer('as'), rogue.issuer('second')];
  const site = await t.httpd({ config: `${common}
NextAuthFeature rateLimiting Off
NextAuthTokenIssuer as issuer=${iss} audience=${API}
NextAuthTokenIssuer second issuer=${second} jwks_endpoint=${second}/jwks audience=${API} tokenType=JWT algorithms=RS256
NextAuthTokenIssuer down issuer=http://localhost:1/x audience=${API}
NextAuthTokenIssuer sealed issuer=${rogue.issuer('sealed')} audience=${API} privateKey=file:@DIR@/enc.pem
NextAuthTokenIssuer curved issuer=${rogue.issuer('curved')} audience=${API} privateKey=file:@DIR@/ecdh.pem
<Location /api/v1>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens oauth only
</Location>
<Location /api/v1/admin>
  Require nextauth-role admin
</Location>
<Location /open>
  AuthType NextAuth
  Require valid-user
  NextAuthUnauthenticated pass
  NextAuthAcceptTokens oauth:as session
</Location>`, files: { 'enc.pem': { text: enc.pem, mode: 0o600 }, 'ecdh.pem': { text: ecdh.pem, mode: 0o600 }, 'htdocs/api/v1/index.html': 'x', 'htdocs/api/v1/admin/index.html': 'x', 'htdocs/open/index.html': 'x' } });
  const good = { iss, aud: API };
  const of = (claims, header, key = rogue.key) => forge(key, { ...good, ...claims }, header);
  const status = async (token, path = '/api/v1/', headers) => (await ask(site, path, token, headers)).status;

  t.section('honest tokens');
  for (const [what, claims, header] of [['as RFC 9068 has it', {}], ['of several audiences', { aud: ['x', API] }], ['of the long type', {}, { typ: 'application/at+jwt' }],
    ['of the type in capitals', {}, { typ: 'AT+JWT' }], ['without a key ID', {}, { kid: undefined }], ['that ended a moment ago', { exp: seconds() - 5 }]]) {
    t.is(await status(await of(claims, header)), 200, what);
  }

  t.section('others');
  const stranger = makeKey(rogue.key.kid);
  const claims = { ...good, sub: 'ada', client_id: 'app', iat: seconds(), exp: seconds() + 300, jti: 'x', scope: 'read' };
  const whole = await of();
  const publicPem = rogue.key.publicKey.export({ type: 'spki', format: 'pem' });
  const refused = {
    'for another API': await of({ aud: OTHER }),
    'for an API of almost that name': await of({ aud: API.slice(0, -1) }),
    'for no API': await of({ aud: undefined }),
    'for a number': await of({ aud: 1 }),
    'for an object': await of({ aud: { [API]: API } }),
    'of another issuer': await of({ iss: 'https://evil.example.org' }),
    'of an issuer in a list': await of({ iss: [iss] }),
    'of no issuer': await of({ iss: undefined }),
    'of an issuer with a slash more': await of({ iss: `${iss}/` }),
    'that has expired': await of({ exp: seconds() - 100 }),
    'that does not end': await of({ exp: undefined }),
    'that ends in words': await of({ exp: 'tomorrow' }),
    'from the future': await of({ iat: seconds() + 1000 }),
    'that is not good yet': await of({ nbf: seconds() + 1000 }),
    'without a subject': await of({ sub: undefined }),
    'with an empty subject': await of({ sub: '' }),
    'without a client': await of({ client_id: undefined }),
    'without an ID': await of({ jti: undefined }),
    'without a time': await of({ iat: undefined }),
    'of type JWT': await of({}, { typ: 'JWT' }),
    'of no type': await of({}, { typ: undefined }),
    'of type logout+jwt': await of({}, { typ: 'logout+jwt' }),
    'of type dpop+jwt': await of({}, { typ: 'dpop+jwt' }),
    'of another key with that ID': await of({}, {}, stranger),
    'with a key of its own': await of({}, { jwk: stranger.jwk, kid: 'new' }, stranger),
    'with a key elsewhere': await of({}, { jku: 'http://localhost:1/keys', x5u: 'http://localhost:1/cert', kid: 'new' }, stranger),
    'with a path as key ID': await of({}, { kid: '../../../../dev/null' }, stranger),
    'with crit': `${Buffer.from('{"alg":"RS256","typ":"at+jwt","crit":["x"],"x":1}').toString('base64url')}.${whole.split('.').slice(1).join('.')}`,
    'unsigned': sign.none({ alg: 'none', typ: 'at+jwt' }, claims),
    'unsigned in capitals': sign.none({ alg: 'NONE', typ: 'at+jwt' }, claims),
    'signed by the public key as a secret': sign.hs256({ alg: 'HS256', typ: 'at+jwt', kid: rogue.key.kid }, claims, publicPem),
    'without a signature': `${whole.split('.').slice(0, 2).join('.')}.`,
    'with another payload': [whole.split('.')[0], Buffer.from(JSON.stringify({ ...claims, sub: 'root' })).toString('base64url'), whole.split('.')[2]].join('.'),
    'with a changed signature': whole.slice(0, -8) + (whole.at(-8) === 'A' ? 'B' : 'A') + whole.slice(-7),
    'with two dots more': `${whole}..`,
    'with padding': `${whole}=`,
    'with a second payload': `${whole},${whole}`,
    'of two subjects': `${whole.split('.')[0]}.${Buffer.from(JSON.stringify(claims).replace('{', '{"sub":"root",')).toString('base64url')}.${whole.split('.')[2]}`,
    'of nothing': 'x',
    'of dots': '..',
    'of a session ID': 'a'.repeat(43),
    'of JSON': '{"active":true}',
    'that is long': `${whole.split('.')[0]}.${'A'.repeat(7000)}.A`,
  };
  for (const [what, token] of Object.entries(refused)) t.is(await status(token), 401, `a token ${what}`);
  t.is(await status(await of({ aud: 'x', exp: seconds() - 100 }), '/open/'), 401, 'and where nobody must sign in');
  t.is(await status(null, '/open/'), 200, '  where no token is fine');
  t.is([await status(null), (await ask(site, '/api/v1/', null, { accept: 'text/html', 'sec-fetch-mode': 'navigate' })).status], [401, 401], 'where only tokens count, a browser is not sent to sign in');

  t.section('names');
  t.is(await status(await of({ sub: 'app' })), 200, 'a token whose subject is its client');
  t.ok(await site.logged('GET /api/v1/index.html 200 as::app'), '  has no user');
  t.is(await status(await of({ sub: ':app' })), 200, 'a user of almost that name');
  t.ok(await site.logged('GET /api/v1/index.html 200 as:%3Aapp'), '  is another');
  t.is(await status(await of({ sub: 'root@example.org', email: 'root@example.org' })), 200, 'an address that is not verified');
  t.ok(await site.logged('GET /api/v1/index.html 200 as:root%40example.org'), '  is none');
  t.is(await status(await of({ email: 'ada@example.org', email_verified: true })), 200, 'one that is verified');
  t.ok(await site.logged('GET /api/v1/index.html 200 ada@example.org'), '  is');
  for (const name of ['provider', 'dbu', 'nasite', 'tfa', 'rev', 'bnd', 'sid', 'token_scope']) t.is(await status(await of({ [name]: 'x' })), 200, `claim ${name} of a token is not ours`);
  for (const name of ['roles', 'role', 'groups']) t.is(await status(await of({ [name]: ['admin'] }), '/api/v1/admin/'), 403, `claim ${name} gives no role without a rule`);
  for (const cnf of [{ jkt: 'x' }, { 'x5t#S256': 'x' }, { jwk: {} }, {}, [], 'x']) t.is(await status(await of({ cnf })), 401, `a token that is bound: ${JSON.stringify(cnf)}`);

  t.section('encrypted tokens');
  const inner = (id, more, header, key) => of({ iss: rogue.issuer(id), ...more }, header, key);
  const oaep = { alg: 'RSA-OAEP-256', enc: 'A256GCM', cty: 'JWT' };
  const seal = (text, header = oaep, jwk = enc.jwk) => encrypt(text, jwk, header);
  t.is(await status(await seal(await inner('sealed'))), 200, 'RSA-OAEP-256');
  t.is(await status(await seal(await inner('sealed'), { ...oaep, alg: 'RSA-OAEP', enc: 'A128CBC-HS256' }, { ...enc.jwk, alg: 'RSA-OAEP' })), 200, 'RSA-OAEP');
  t.is(await status(await encrypt(await inner('curved'), ecdh.jwk, { ...oaep, alg: 'ECDH-ES' })), 200, 'ECDH-ES, of another issuer');
  const closed = await seal(await inner('sealed'));
  const parts = closed.split('.');
  const flip = (text) => (text[0] === 'A' ? 'B' : 'A') + text.slice(1);
  const foreign = decryptionKey('rsa', 'RSA-OAEP-256');
  const wrong = {
    'encrypted for another server': await encrypt(await inner('sealed'), foreign.jwk, oaep),
    'with another wrapped key': [parts[0], flip(parts[1]), ...parts.slice(2)].join('.'),
    'with another nonce': [...parts.slice(0, 2), flip(parts[2]), ...parts.slice(3)].join('.'),
    'with another text': [...parts.slice(0, 3), flip(parts[3]), parts[4]].join('.'),
    'with another tag': [...parts.slice(0, 4), flip(parts[4])].join('.'),
    'with a part of its tag': [...parts.slice(0, 4), parts[4].slice(0, 4)].join('.'),
    'with a part more': `${closed}.AAAA`,
    'that is compressed': `${Buffer.from(JSON.stringify({ ...oaep, zip: 'DEF' })).toString('base64url')}.${parts.slice(1).join('.')}`,
    'that is not signed inside': await seal(sign.none({ alg: 'none', typ: 'at+jwt' }, { ...claims, iss: rogue.issuer('sealed') })),
    'of claims alone': await seal(JSON.stringify({ ...claims, iss: rogue.issuer('sealed') })),
    'encrypted twice': await seal(closed),
    'signed by a stranger': await seal(await inner('sealed', {}, {}, stranger)),
    'for another API': await seal(await inner('sealed', { aud: OTHER })),
    'that has expired': await seal(await inner('sealed', { exp: seconds() - 100 })),
    'of type JWT': await seal(await inner('sealed', {}, { typ: 'JWT' })),
    'of an issuer that is not known': await seal(await of({ iss: 'https://evil.example.org' })),
    'of nothing': await seal('x'),
  };
  const answers = new Set();
  for (const [what, token] of Object.entries(wrong)) {
    const answer = await ask(site, '/api/v1/', token);
    t.is(answer.status, 401, `one ${what}`);
    answers.add(JSON.stringify([answer.headers['www-authenticate'], answer.text]));
  }
  t.is(answers.size, 1, 'the answer does not tell them apart');

  t.section('an issuer with plain JWTs');
  const plain = (more, header, key = rogue.key) => forge(key, { ...good, iss: second, ...more }, { typ: 'JWT', ...header });
  t.is(await status(await plain({ jti: undefined, client_id: undefined, azp: 'app' })), 200, 'a token of type JWT');
  t.is(await status(await plain({}, { typ: undefined })), 200, 'and of none');
  for (const [what, more] of [['a nonce', { nonce: 'x' }], ['a hash of a token', { at_hash: 'x' }], ['events', { events: {} }], ['a kind that says so', { typ: 'ID' }], ['Cognito\'s kind', { token_use: 'id' }], ['no end', { exp: undefined }], ['nobody\'s name', { sub: undefined, client_id: undefined }]]) {
    t.is(await status(await plain(more)), 401, `but not with ${what}`);
  }
  t.is(await status(await plain({}, { typ: 'logout+jwt' })), 401, 'nor of a type that says something else');
  t.is(await status(await plain({ iss })), 401, 'nor of the issuer that has its own type');

  t.section('keys that are not known');
  const before = rogue.requests('as', 'jwks').length;
  await Promise.all(Array.from({ length: 60 }, async (_, i) => status(await of({}, { kid: `unknown-${i}` }, stranger))));
  const fetches = rogue.requests('as', 'jwks').length - before;
  t.ok(fetches <= 14, `60 unknown keys cause few requests: ${fetches}`); // five a minute and process
  t.is(await status(await of()), 200, 'and good tokens remain good');
  const dead = await ask(site, '/api/v1/', await of({ iss: 'http://localhost:1/x' }));
  t.is([dead.status, Boolean(dead.headers['retry-after'])], [503, true], 'an issuer that is down says nothing of a token');
  rogue.faults.as = { jwks: replies.html };
  t.is(await status(await of()), 200, 'keys that are known are used on');
}

// RFC 9728: what a client learns that has no token yet.
async function metadata(t) {
  t.section('metadata of a protected resource');
  const app = await startApp(t, (r) => ['the application', r.url]);
  const [as, other] = ['https://as.example.org', 'https://other.example.org'];
  const at = (path, value) => `<Location ${path}>\nAuthType NextAuth\nRequire valid-user\nNextAuthAcceptTokens ${value}\n</Location>`;
  const site = await t.httpd({ config: `${common}
NextAuthTokenIssuer as issuer=${as} "audience=http://localhost:@PORT@/api/v1 https://api.example.org/" resourceMetadata=On
NextAuthTokenIssuer second issuer=${other} audience=http://localhost:@PORT@/api/v1 resourceMetadata=On
NextAuthTokenIssuer deep issuer=${other} audience=http://localhost:@PORT@/api/v1/deep/ resourceMetadata=On binding=dpop
NextAuthTokenIssuer quiet issuer=${other} audience=http://localhost:@PORT@/quiet
<Location />
  AuthType NextAuth
  Require valid-user
</Location>
${at('/api/v1', 'oauth only')}
${at('/api/v1/second', 'oauth:second only')}
${at('/quiet', 'oauth:quiet only')}
ProxyPass / http://127.0.0.1:${app.port}/` });
  const known = (path = '') => `/.well-known/oauth-protected-resource${path}`;
  const found = await ask(site, known('/api/v1'));
  t.is(found.json, { resource: `${site.url}/api/v1`, authorization_servers: [as, other], bearer_methods_supported: ['header'],
    dpop_signing_alg_values_supported: dpop(site).match(/algs="(.*)"/)[1].split(' '), dpop_bound_access_tokens_required: false, tls_client_certificate_bound_access_tokens: false },
  'names all that issue its tokens, to everyone');
  t.is([found.headers['content-type'], found.headers['cache-control'], found.setCookies], ['application/json; charset=utf-8', 'public, max-age=3600', []], '  and can be cached');
  const deep = (await ask(site, known('/api/v1/deep/'))).json;
  t.is([deep.resource, deep.authorization_servers, deep.dpop_bound_access_tokens_required], [`${site.url}/api/v1/deep/`, [other], true], 'a resource below it has its own');
  for (const path of ['', '/', '/api', '/api/v1/', '/api/v1/deep', '/quiet', '/https://api.example.org/', '/../api/v1'])
    t.is((await ask(site, known(path))).status, path === '/../api/v1' ? 401 : 404, `there is none of '${path}'`);
  t.is((await ask(site, `${known()}s`)).status, 401, 'nor at another address');
  t.is((await request(site.url + known('/api/v1'), { method: 'POST', body: 'x' })).status, 405, 'it is read alone');
  const challenge = async (path, token) => [...(await ask(site, path, token)).headers['www-authenticate'].matchAll(/(\w+) realm="[^"]*"[^"]*(?:"[^"]*"[^"]*)*?resource_metadata="([^"]*)"/g)].map(([, scheme, url]) => [scheme, url]);
  const one = site.url + known('/api/v1');
  t.is((await ask(site, '/api/v1/x')).headers['www-authenticate'], `Bearer realm="${site.url}", resource_metadata="${one}", ${dpop(site)}, resource_metadata="${one}"`, 'the challenge says where it is');
  t.is(Object.keys((await ask(site, '/api/v1/x')).json), ['error', 'message'], '  and offers no sign-in where no session counts');
  t.like((await ask(site, '/api/v1/x', 'x')).headers['www-authenticate'], /Bearer realm="[^"]*", error="invalid_token", resource_metadata="/, '  also to a token that is refused');
  t.is((await challenge('/api/v1/deep/x')).at(-1)?.[1], site.url + known('/api/v1/deep/'), '  of the narrowest resource');
  t.is((await challenge('/api/v1/second/x')).at(-1)?.[1], one, '  of an issuer that the path accepts');
  t.unlike((await ask(site, '/quiet/')).headers['www-authenticate'], /resource_metadata/, 'without resourceMetadata=On, nothing does');
  t.unlike((await ask(site, '/')).headers['www-authenticate'], /resource_metadata/, '  nor where no token is accepted');
  const plain = await t.httpd({ config: `${common}\nNextAuthTokenIssuer quiet issuer=${other} audience=http://localhost:@PORT@/quiet\nProxyPass / http://127.0.0.1:${app.port}/` });
  t.is((await ask(plain, known('/quiet'))).json.user, ['the application', known('/quiet')], 'an application that has the address keeps it');
}

// Each of 20 issuers has a key of its own.
async function manyKeys(t) {
  t.section('many keys');
  const rogue = await startRogue(t);
  const names = Array.from({ length: 20 }, (_, i) => `t${i}`);
  const keys = names.map(() => decryptionKey('ec', 'ECDH-ES'));
  const site = await t.httpd({ config: `${common}
NextAuthTokenIssuer many "tenants=${names.join(' ')}" issuer=${rogue.issuer('{tenant}')} audience=${API} privateKey=file:@DIR@/{tenant}.pem
<Location /api/v1>
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens oauth only
</Location>`, files: { 'htdocs/api/v1/index.html': 'x', ...Object.fromEntries(names.map((name, i) => [`${name}.pem`, { text: keys[i].pem, mode: 0o600 }])) } });
  const status = async (i, kid) => (await ask(site, '/api/v1/', await encrypt(await forge(rogue.key, { iss: rogue.issuer(names[i]), aud: API }), keys[i].jwk, { alg: 'ECDH-ES', enc: 'A256GCM', cty: 'JWT', ...(kid ? { kid } : {}) }))).status;
  const kids = await Promise.all(keys.map(({ jwk }) => jose.calculateJwkThumbprint(jwk)));
  t.is([await status(0, kids[0]), await status(19, kids[19])], [200, 200], 'the token says which one it is for');
  t.is([await status(15, 'theirs'), await status(15)], [200, 200], 'a name of the issuer\'s own, or none, is good for 16 keys');
  t.is([await status(16, 'theirs'), await status(16), await status(19, kids[0])], [401, 401, 401], '  and no more are tried: anyone can send a token');
}

suite('Access tokens of OAuth 2.0', async (t) => {
  await realTokens(t);
  await forgedTokens(t);
  await metadata(t);
  await manyKeys(t);
});
