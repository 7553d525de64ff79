#!/usr/bin/env node
'use strict';
const crypto = require('node:crypto');
const fs = require('node:fs');
const jose = require('jose');
const { suite } = require('./lib/suite.js');
const { certify } = require('./lib/certificates.js');
const { makeFolder, until } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { startRogue, replies, sign, makeKey, half, seconds } = require('./lib/rogue.js');

const clientSecret = 'what-only-the-client-knows';
const DENIED = 'AccessDenied';
const CALLBACK = 'OAuthCallback';
const SIGNIN = 'OAuthSignin';
const other = makeKey('one'); // the same name, another key

// A key of the client, to which a response is encrypted.
const theirs = generateKeys('rsa', { modulusLength: 2048 });
const sealed = async (claims) => replies.text(200, 'application/jwt', await new jose.CompactEncrypt(Buffer.from(JSON.stringify(claims)))
  .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM', kid: 'a name of its own' }).encrypt(theirs.publicKey));
const opens = { options: 'idToken=false privateKey=file:@DIR@/enc.pem' };

// A way to authenticate that needs HTTPS.
const certificate = 'clientCertificate=file:@DIR@/tls.pem clientCertificateKey=file:@DIR@/tls.key';

const text = (body) => replies.text(200, 'application/json', body);
const doubled = (honest) => text(JSON.stringify(honest).replace('{', '{"issuer":"http://evil.example.org",'));
const flipped = async (header, claims, key) => {
  const token = await sign.rs256(header, claims, key);
  const [head, body, signature] = token.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  bytes[100] ^= 1;
  return `${head}.${body}.${bytes.toString('base64url')}`;
};
const hs256 = (secretOf) => ({ header: { alg: 'HS256' }, sign: (header, claims, key) => sign.hs256(header, claims, secretOf(key)) });
const exported = (key, format) => key.publicKey.export({ type: 'spki', format });

// [what the provider does, its fault, the error code (none: it signs in), what the log says, more]
const table = [
  ['nothing wrong', {}],

  ['discovery: another issuer', { discovery: { issuer: 'http://evil.example.org' } }, SIGNIN, /discovery document has the issuer 'http:\/\/evil\.example\.org'/],
  ['discovery: the issuer with a slash', { discovery: (honest) => ({ ...honest, issuer: `${honest.issuer}/` }) }, SIGNIN, /discovery document has the issuer/],
  ['discovery: no issuer', { discovery: { issuer: undefined } }, SIGNIN, /has no valid issuer/],
  ['discovery: HTML', { discovery: replies.html }, SIGNIN, /invalid discovery document: not JSON/],
  ['discovery: a list', { discovery: text('[]') }, SIGNIN, /has no valid issuer/],
  ['discovery: 500', { discovery: replies.failure }, SIGNIN, /openid-configuration returned status 500/],
  ['discovery: 404 with a good document', { discovery: (honest) => replies.json(honest, 404) }, SIGNIN, /openid-configuration returned status 404/],
  ['discovery: a redirect', { discovery: () => replies.redirect('/trap/.well-known/openid-configuration') }, SIGNIN, /openid-configuration returned status 302/],
  ['discovery: 10 MB', { discovery: replies.large }, SIGNIN, /returned more than 1048576 bytes/],
  ['discovery: 10 MB in chunks', { discovery: replies.largeChunked }, SIGNIN, /returned more than 1048576 bytes/],
  ['discovery: truncated', { discovery: replies.truncated }, SIGNIN, /invalid discovery document: not JSON/],
  ['discovery: a member twice', { discovery: doubled }, SIGNIN, /invalid discovery document: not JSON: duplicate object key/],
  ['discovery: no token endpoint', { discovery: { token_endpoint: undefined } }, SIGNIN, /no authorization or token endpoint/],
  ['discovery: a script as endpoint', { discovery: { authorization_endpoint: 'javascript:alert(1)' } }, SIGNIN, /authorization_endpoint is not an https URL/],
  ['discovery: no answer', { discovery: replies.silence }, SIGNIN, /failed: Timeout/],
  ['discovery: connection reset', { discovery: replies.reset }, SIGNIN, /calling http:\/\/localhost:\d+ failed: /],
  ['the provider is down', {}, SIGNIN, /calling http:\/\/localhost:\d+ failed: .*connect/i, { down: true }],

  ['key set: HTML', { jwks: replies.html }, CALLBACK, /not JSON/],
  ['key set: 500', { jwks: replies.failure }, CALLBACK, /\/jwks returned status 500/],
  ['key set: 10 MB in chunks', { jwks: replies.largeChunked }, CALLBACK, /returned more than 1048576 bytes/],
  ['key set: truncated', { jwks: replies.truncated }, CALLBACK, /not JSON/],
  ['key set: no member keys', { jwks: text('{}') }, CALLBACK, /"keys" is not a list/],
  ['key set: empty', { jwks: { keys: [] } }, CALLBACK, /"keys" is not a list, is empty, or is too long/],
  ['key set: a key without modulus', { jwks: ({ keys }) => ({ keys: [{ ...keys[0], n: undefined }] }) }, CALLBACK, /no key for algorithm RS256|key/],
  ['key set: a key for encryption', { jwks: ({ keys }) => ({ keys: [{ ...keys[0], use: 'enc' }] }) }, CALLBACK, /no key for algorithm RS256/],
  ['key set: another key of that name', { jwks: { keys: [other.jwk] } }, CALLBACK, /RS256 signature does not verify/],
  ['key set: none published', { discovery: { jwks_uri: undefined } }, CALLBACK, /does not publish a key set/],
  ['key set: a stranger among the keys', { jwks: ({ keys }) => ({ keys: [{ kty: 'quantum', kid: 'one' }, { kty: 'EC', crv: 'P-999', x: 'AAAA', y: 'AAAA' }, ...keys] }) }],
  ['key set: a shared secret among the keys', { jwks: ({ keys }) => ({ keys: [{ kty: 'oct', k: 'AAAA' }, ...keys] }) }, CALLBACK, /mixes symmetric and public keys/],

  ['key set: of a file', { discovery: { jwks_uri: undefined } }, undefined, undefined, { options: 'jwks=file:@DIR@/keys.json' }],
  ['key set: of a file, and the provider publishes its own', { jwks: replies.failure }, undefined, undefined, { options: 'jwks=file:@DIR@/keys.json' }],
  ['key set: of a file that lacks the key', { header: { kid: 'unheard-of' } }, CALLBACK, /no key for algorithm RS256 and kid unheard-of/, { options: 'jwks=file:@DIR@/keys.json' }],
  ['iss: another', { claims: { iss: 'http://evil.example.org' } }, CALLBACK, /ID token refused: iss does not match the issuer/],
  ['iss: none', { claims: { iss: undefined } }, CALLBACK, /iss does not match the issuer/],
  ['aud: another', { claims: { aud: 'somebody-else' } }, CALLBACK, /aud does not name this client/],
  ['aud: none', { claims: { aud: undefined } }, CALLBACK, /aud does not name this client/],
  ['aud: several, no azp', { claims: { aud: ['the-client', 'somebody-else'] } }, CALLBACK, /several audiences and no azp/],
  ['azp: another', { claims: { azp: 'somebody-else' } }, CALLBACK, /azp does not match this client/],
  ['aud: several, and azp is this client', { claims: { aud: ['somebody-else', 'the-client'], azp: 'the-client' } }],
  ['aud: several, all trusted', { claims: { aud: ['the-client', 'https://api.example.org'] } }, undefined, undefined, { options: '"trustedAudiences=https://api.example.org other"' }],
  ['aud: several, and one is not trusted', { claims: { aud: ['the-client', 'https://api.example.org', 'somebody-else'], azp: 'the-client' } }, CALLBACK, /aud has an audience that is not one of trustedAudiences=/, { options: 'trustedAudiences=https://api.example.org' }],
  ['aud: a trusted one alone', { claims: { aud: 'https://api.example.org' } }, CALLBACK, /aud does not name this client/, { options: 'trustedAudiences=https://api.example.org' }],
  ['aud: a number among them', { claims: { aud: ['the-client', 7] } }, CALLBACK, /not one of trustedAudiences=/, { options: 'trustedAudiences=7' }],
  ['exp: passed', { claims: (honest) => ({ ...honest, exp: seconds() - 60 }) }, CALLBACK, /it has expired/],
  ['exp: none', { claims: { exp: undefined } }, CALLBACK, /has no exp/],
  ['exp: text', { claims: (honest) => ({ ...honest, exp: String(honest.exp) }) }, CALLBACK, /it has expired, or has no exp/],
  ['iat: in the future', { claims: (honest) => ({ ...honest, iat: seconds() + 600 }) }, CALLBACK, /iat is in the future/],
  ['iat: none', { claims: { iat: undefined } }, CALLBACK, /iat is in the future, or missing/],
  ['nbf: in the future', { claims: (honest) => ({ ...honest, nbf: seconds() + 600 }) }, CALLBACK, /nbf is in the future/],
  ['iat: 50 seconds ahead', { claims: (honest) => ({ ...honest, iat: seconds() + 50 }) }],
  ['exp: 20 seconds ago', { claims: (honest) => ({ ...honest, exp: seconds() - 20 }) }],
  ['iat: 20 seconds ahead, and clockTolerance=5', { claims: (honest) => ({ ...honest, iat: seconds() + 20 }) }, CALLBACK, /iat is in the future/, { options: 'clockTolerance=5' }],
  ['iat: 200 seconds ahead, and clockTolerance=300s', { claims: (honest) => ({ ...honest, iat: seconds() + 200 }) }, undefined, undefined, { options: 'clockTolerance=300s' }],
  ['type: an access token', { header: { typ: 'at+jwt' } }, CALLBACK, /ID token refused: its type is 'at\+jwt'/],
  ['type: an access token, as a media type', { header: { typ: 'application/at+jwt' } }, CALLBACK, /its type is 'application\/at\+jwt'/],
  ['type: a logout token', { header: { typ: 'Logout+JWT' } }, CALLBACK, /its type is 'Logout\+JWT'/],
  ['type: of several lines', { header: { typ: 'x\n[nextauth:error] forged' } }, CALLBACK, /its type is 'x .nextauth:error. forged'/],
  ['type: a number', { header: { typ: 7 } }, CALLBACK, /typ/],
  ['type: a JWT', { header: { typ: 'JWT' } }],
  ['type: a JWT in small letters', { header: { typ: 'jwt' } }],
  ['client: only private_key_jwt is offered', { discovery: { token_endpoint_auth_methods_supported: ['private_key_jwt'] } }, CALLBACK, /supports none of the ways to authenticate that are configured \(client_secret_basic, client_secret_post\)/],
  ['client: only client_secret_post is offered', { discovery: { token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_post'] } }],
  ['client: both are offered', { discovery: { token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'] } }],
  ['client: client_secret_post is not offered, but configured', { discovery: { token_endpoint_auth_methods_supported: ['client_secret_basic'] } }, undefined, undefined, { options: 'token_endpoint_auth_method=client_secret_post' }],
  ['client: the endpoint for certificates is a script', { discovery: { mtls_endpoint_aliases: { token_endpoint: 'javascript:alert(1)' } } }, SIGNIN, /token_endpoint is not an https URL/, { options: certificate }],
  ['client: a certificate, and the endpoint is not HTTPS', {}, CALLBACK, /clientCertificate= requires an https URL/, { options: certificate }],
  ['client: the aliases are a list', { discovery: { mtls_endpoint_aliases: [] } }],
  ['nonce: none', { claims: { nonce: undefined } }, CALLBACK, /nonce does not match/],
  ['nonce: another', { claims: { nonce: 'x'.repeat(43) } }, CALLBACK, /nonce does not match/],
  ['sub: none', { claims: { sub: undefined } }, CALLBACK, /it has no sub/],
  ['sub: empty', { claims: { sub: '' } }, CALLBACK, /it has no sub/],
  ['sub: a number', { claims: { sub: 7 } }, CALLBACK, /it has no sub/],
  ['name: 3000 bytes, which nobody needs', { claims: { name: 'x'.repeat(3000) } }],
  ['sub: 3000 bytes', { claims: { sub: 'x'.repeat(3000) } }, CALLBACK, /sub|the user ID has more than 2048 bytes/],
  ['c_hash: of another code', { claims: { c_hash: half('another') } }, CALLBACK, /c_hash does not match the code/],
  ['c_hash: a list', { claims: { c_hash: [] } }, CALLBACK, /c_hash does not match the code/],
  ['at_hash: of another token', { claims: { at_hash: half('another') } }, CALLBACK, /at_hash does not match the access token/],
  ['at_hash: a number', { claims: { at_hash: 7 } }, CALLBACK, /at_hash does not match the access token/],
  ['at_hash: none', { claims: { at_hash: undefined } }],

  ['signature: alg none', { header: { alg: 'none' }, sign: sign.none }, CALLBACK, /unsupported algorithm none/],
  ['signature: alg none in other letters', { header: { alg: 'None' }, sign: sign.none }, CALLBACK, /unsupported algorithm None/],
  ['signature: HS256, the public key in PEM', hs256((key) => exported(key, 'pem')), CALLBACK, /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['signature: HS256, the public key in DER', hs256((key) => exported(key, 'der')), CALLBACK, /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['signature: HS256, the modulus as text', hs256((key) => key.jwk.n), CALLBACK, /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['signature: HS256, the modulus as bytes', hs256((key) => Buffer.from(key.jwk.n, 'base64url')), CALLBACK, /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['signature: HS256, the client secret', hs256(() => clientSecret), CALLBACK, /algorithm HS256 is not accepted here|no key for algorithm HS256/],
  ['signature: one bit flipped', { sign: flipped }, CALLBACK, /RS256 signature does not verify/],
  ['signature: empty', { sign: (header, claims) => sign.none(header, claims) }, CALLBACK, /JWS/],
  ['signature: of another key', { sign: (header, claims) => sign.rs256(header, claims, other) }, CALLBACK, /RS256 signature does not verify/],
  ['signature: a key of its own in the header', { header: { jwk: other.jwk }, sign: (header, claims) => sign.rs256(header, claims, other) }, CALLBACK, /RS256 signature does not verify/],
  ['kid: unknown', { header: { kid: 'unheard-of' } }, CALLBACK, /no key for algorithm RS256 and kid unheard-of/],
  ['kid: none', { header: { kid: undefined } }],
  ['crit: unknown', { header: { alg: 'RS256', crit: ['exp2'], exp2: 1 }, sign: (header, claims, key) => signRaw(header, claims, key) }, CALLBACK, /crit/],
  ['ID token: nonsense', { token: { id_token: 'nonsense' } }, CALLBACK, /JWS: not three parts/],
  ['ID token: encrypted, without our asking', { token: { id_token: 'eyJhbGciOiJkaXIifQ....' } }, CALLBACK, /it is encrypted, and the provider has no privateKey=/],

  ['userinfo: of another user', { userinfo: { sub: 'eve' } }, CALLBACK, /the userinfo response's sub does not match/, { options: 'idToken=false' }],
  ['userinfo: no sub', { userinfo: { sub: undefined } }, CALLBACK, /the userinfo response's sub does not match/, { options: 'idToken=false' }],
  ['userinfo: HTML', { userinfo: replies.html }, CALLBACK, /invalid userinfo response: not JSON/, { options: 'idToken=false' }],
  ['userinfo: a list', { userinfo: text('[]') }, CALLBACK, /the userinfo response is not a JSON object/, { options: 'idToken=false' }],
  ['demanded: max_age, and no auth_time', {}, DENIED, /max_age was requested, and it has no auth_time/, { options: '"authorization.params=max_age=300"' }],
  ['demanded: max_age, and an auth_time of 2001', { claims: { auth_time: 1_000_000_000 } }, DENIED, /auth_time is older than max_age/, { options: '"authorization.params=max_age=300"' }],
  ['demanded: max_age, and an auth_time that is no number', { claims: { auth_time: 'now' } }, DENIED, /no auth_time/, { options: '"authorization.params=max_age=300"' }],
  ['demanded: max_age in the endpoint, and an auth_time of 2001', { claims: { auth_time: 1_000_000_000 } }, DENIED, /older than max_age/, { options: 'authorization=@ISSUER@/authorize?max_age=300' }],
  ['demanded: max_age, and it is met', { claims: (honest) => ({ ...honest, auth_time: seconds() - 200 }) }, undefined, undefined, { options: '"authorization.params=max_age=300"' }],
  ['demanded: max_age of 0, and it is met', { claims: (honest) => ({ ...honest, auth_time: seconds() }) }, undefined, undefined, { options: '"authorization.params=max_age=0"' }],
  ['demanded: acr_values, and no acr', {}, DENIED, /acr is not one of acr_values/, { options: '"authorization.params=acr_values=gold+silver"' }],
  ['demanded: acr_values, and an acr of 0', { claims: { acr: '0' } }, DENIED, /acr is not one of acr_values/, { options: '"authorization.params=acr_values=gold+silver"' }],
  ['demanded: acr_values, and an acr that begins alike', { claims: { acr: 'silv' } }, DENIED, /acr is not one of acr_values/, { options: '"authorization.params=acr_values=gold+silver"' }],
  ['demanded: acr_values, and it is met', { claims: { acr: 'silver' } }, undefined, undefined, { options: '"authorization.params=acr_values=gold+silver"' }],
  ['demanded: a hosted domain, and no hd', {}, DENIED, /hd does not match the requested hosted domain/, { options: '"authorization.params=hd=example.org"' }],
  ['demanded: a hosted domain, and another', { claims: { hd: 'evil.org' } }, DENIED, /hd does not match the requested hosted domain/, { options: '"authorization.params=hd=example.org"' }],
  ['demanded: a hosted domain, and it is met', { claims: { hd: 'Example.org' } }, undefined, undefined, { options: '"authorization.params=hd=example.org"' }],
  ['demanded: any hosted domain, and none', {}, DENIED, /hd does not match the requested hosted domain/, { options: '"authorization.params=hd=*"' }],
  ['demanded: any hosted domain, and there is one', { claims: { hd: 'example.com' } }, undefined, undefined, { options: '"authorization.params=hd=*"' }],

  ['userinfo: a JWT that nobody asked for', { userinfo: replies.text(200, 'application/jwt', 'eyJhbGciOiJSUzI1NiJ9.e30.AAAA') }, CALLBACK, /invalid JWT of the userinfo endpoint: it is signed, and no algorithm is set: set userinfo_signed_response_alg=/, { options: 'idToken=false' }],
  ['userinfo: an encrypted one without a key', { userinfo: replies.text(200, 'application/jwt', 'eyJhbGciOiJkaXIifQ....') }, CALLBACK, /it is encrypted, and the provider has no privateKey=/, { options: 'idToken=false' }],
  ['userinfo: JSON where a JWT is due', {}, CALLBACK, /invalid JWT of the userinfo endpoint: JWS/, { options: 'idToken=false userinfo_signed_response_alg=RS256' }],
  ['resources: two', {}, undefined, undefined, { options: '"resource=https://api.example.org/one urn:two"' }],
  ['userinfo: encrypted', { userinfo: sealed }, undefined, undefined, opens],
  ['userinfo: encrypted, of another user', { userinfo: () => sealed({ sub: 'eve' }) }, CALLBACK, /the userinfo response's sub does not match/, opens],
  ['userinfo: encrypted, and a list', { userinfo: () => sealed([]) }, CALLBACK, /the userinfo response is not a JSON object/, opens],
  ['userinfo: encrypted, and not signed as configured', { userinfo: sealed }, CALLBACK, /invalid JWT of the userinfo endpoint: JWS/, { options: `${opens.options} userinfo_signed_response_alg=RS256` }],
  ['userinfo: 401', { userinfo: replies.json({}, 401) }, CALLBACK, /the userinfo endpoint returned status 401/, { options: 'idToken=false' }],
  ['userinfo: an address that leaves the ID token none', { claims: { email: undefined }, userinfo: { sub: 'eve' } }, CALLBACK, /the userinfo response's sub does not match/],
  ['userinfo: 10 MB in chunks', { userinfo: replies.largeChunked }, CALLBACK, /returned more than 1048576 bytes/, { options: 'idToken=false' }],
  ['userinfo: right', {}, undefined, undefined, { options: 'idToken=false' }],

  ['token: HTML', { token: replies.html }, CALLBACK, /token endpoint returned status 200 with 'text\/html': not JSON/],
  ['token: 10 MB', { token: replies.large }, CALLBACK, /returned more than 1048576 bytes/],
  ['token: 10 MB in chunks', { token: replies.largeChunked }, CALLBACK, /returned more than 1048576 bytes/],
  ['token: a redirect', { token: () => replies.redirect('/trap/token') }, CALLBACK, /token endpoint returned status 302/],
  ['token: no answer', { token: replies.silence }, CALLBACK, /failed: Timeout/],
  ['token: 500', { token: replies.failure }, CALLBACK, /token endpoint returned status 500/],
  ['token: 500 with good tokens', { token: (honest) => replies.json(honest, 500) }, CALLBACK, /token endpoint returned status 500/],
  ['token: invalid_grant', { token: () => replies.json({ error: 'invalid_grant', error_description: 'too late' }, 400) }, CALLBACK, /token endpoint returned the error 'invalid_grant' \(too late\)/],
  ['token: an error with 200', { token: () => replies.json({ error: 'bad_verification_code' }) }, CALLBACK, /token endpoint returned the error 'bad_verification_code'/],
  ['token: a code that Facebook refuses', { token: () => replies.json({ error: { message: 'Invalid verification code format.', type: 'OAuthException', code: 100 } }, 400) }, CALLBACK, /token endpoint returned the error 'OAuthException' \(Invalid verification code format\.\)/],
  ['token: a secret that Facebook refuses', { token: () => replies.json({ error: { message: 'Error validating client secret.', type: 'OAuthException', code: 1 } }, 400) }, CALLBACK, /token endpoint returned the error 'OAuthException' \(Error validating client secret\.\)/],
  ['token: invalid_client', { token: () => replies.json({ error: 'invalid_client' }, 401) }, CALLBACK, /token endpoint returned the error 'invalid_client'/],
  ['token: an error of several lines', { token: () => replies.json({ error: 'x\n[nextauth:error] forged' }, 400) }, CALLBACK, /token endpoint returned the error 'x .nextauth:error. forged'/],
  ['token: no access_token', { token: { access_token: undefined } }, CALLBACK, /has no access_token/],
  ['token: no token_type', { token: { token_type: undefined } }, CALLBACK, /has the token_type ''/],
  ['token: token_type mac', { token: { token_type: 'mac' } }, CALLBACK, /has the token_type 'mac'/],
  ['token: token_type bearer, in lower case', { token: { token_type: 'bearer' } }],
  ['token: no id_token', { token: { id_token: undefined } }, CALLBACK, /has no id_token/],
  ['token: truncated', { token: replies.truncated }, CALLBACK, /token endpoint returned status 200 with 'application\/json': not JSON/],
  ['token: a member twice', { token: (honest) => text(JSON.stringify(honest).replace('{', '{"access_token":"x",')) }, CALLBACK, /duplicate object key/],
  ['token: connection reset', { token: replies.reset }, CALLBACK, /calling http:\/\/localhost:\d+ failed: /],
  ['token: a line end in the access token', { claims: { at_hash: undefined }, token: { access_token: 'x\r\nX-Evil: 1' } }, CALLBACK, /access token contains control characters/, { options: 'idToken=false' }],

  ['pushed: right', {}, undefined, undefined, { options: 'pushedRequest=true' }],
  ['pushed: required by discovery', { discovery: { require_pushed_authorization_requests: true } }],
  ['pushed: no endpoint', { discovery: { pushed_authorization_request_endpoint: undefined } }, SIGNIN, /has no pushed_authorization_request_endpoint/, { options: 'pushedRequest=true' }],
  ['pushed: a script as endpoint', { discovery: { pushed_authorization_request_endpoint: 'javascript:alert(1)' } }, SIGNIN, /pushed_authorization_request_endpoint is not an https URL/, { options: 'pushedRequest=true' }],
  ['pushed: HTML', { par: replies.html }, SIGNIN, /endpoint of pushed requests returned status 200 with 'text\/html'/, { options: 'pushedRequest=true' }],
  ['pushed: 500', { par: replies.failure }, SIGNIN, /endpoint of pushed requests returned status 500/, { options: 'pushedRequest=true' }],
  ['pushed: 500 with a good answer', { par: (honest) => replies.json(honest, 500) }, SIGNIN, /endpoint of pushed requests returned status 500/, { options: 'pushedRequest=true' }],
  ['pushed: a redirect', { par: () => replies.redirect('/trap/par') }, SIGNIN, /endpoint of pushed requests returned status 302/, { options: 'pushedRequest=true' }],
  ['pushed: an error', { par: () => replies.json({ error: 'invalid_request', error_description: 'not you' }, 400) }, SIGNIN, /endpoint of pushed requests returned the error 'invalid_request' \(not you\)/, { options: 'pushedRequest=true' }],
  ['pushed: no request_uri', { par: { request_uri: undefined } }, SIGNIN, /no valid request_uri/, { options: 'pushedRequest=true' }],
  ['pushed: an empty request_uri', { par: { request_uri: '' } }, SIGNIN, /no valid request_uri/, { options: 'pushedRequest=true' }],
  ['pushed: a request_uri of two lines', { par: { request_uri: 'urn:a\r\nSet-Cookie: a=b' } }, SIGNIN, /no valid request_uri/, { options: 'pushedRequest=true' }],
  ['pushed: a request_uri of 3000 bytes', { par: { request_uri: `urn:${'x'.repeat(3000)}` } }, SIGNIN, /no valid request_uri/, { options: 'pushedRequest=true' }],
  ['pushed: a list', { par: text('[]') }, SIGNIN, /no valid request_uri/, { options: 'pushedRequest=true' }],
  ['pushed: no lifetime', { par: { expires_in: undefined } }, SIGNIN, /no valid expires_in/, { options: 'pushedRequest=true' }],
  ['pushed: a lifetime of 0', { par: { expires_in: 0 } }, SIGNIN, /no valid expires_in/, { options: 'pushedRequest=true' }],
  ['pushed: no answer', { par: replies.silence }, SIGNIN, /failed: Timeout/, { options: 'pushedRequest=true' }],
  ['pushed: 10 MB in chunks', { par: replies.largeChunked }, SIGNIN, /returned more than 1048576 bytes/, { options: 'pushedRequest=true' }],
  ['signed: required by discovery, and no key', { discovery: { require_signed_request_object: true } }, SIGNIN, /no key in clientKey= can sign/],

  ['DPoP: right', { token: { token_type: 'DPoP' } }, undefined, undefined, { options: 'dpop=true' }],
  ['DPoP: a token that is not bound', {}, CALLBACK, /has the token_type 'Bearer': expected DPoP/, { options: 'dpop=true' }],
  ['DPoP: a bound token without our asking', { token: { token_type: 'DPoP' } }, CALLBACK, /has the token_type 'DPoP': expected bearer/],
  ['DPoP: no token_type', { token: { token_type: undefined } }, CALLBACK, /has the token_type ''/, { options: 'dpop=true' }],
  ['DPoP: an algorithm that is not ours', { discovery: { dpop_signing_alg_values_supported: ['RS256'] } }, SIGNIN, /does not accept ES256 for dpop=true/, { options: 'dpop=true' }],
  ['DPoP: a new nonce each time', { takesCodesTwice: true, token: () => replies.json({ error: 'use_dpop_nonce' }, 400, { 'DPoP-Nonce': `n${seconds()}-${Math.random()}` }) }, CALLBACK, /returned the error 'use_dpop_nonce'/, { options: 'dpop=true' }],
  ['DPoP: asks for a nonce, and gives none', { token: () => replies.json({ error: 'use_dpop_nonce' }, 400) }, CALLBACK, /returned the error 'use_dpop_nonce'/, { options: 'dpop=true' }],
  ['DPoP: a nonce with a quotation mark', { token: () => replies.json({ error: 'use_dpop_nonce' }, 400, { 'DPoP-Nonce': 'a"b' }) }, CALLBACK, /returned the error 'use_dpop_nonce'/, { options: 'dpop=true' }],
  ['DPoP: a nonce of 600 characters', { token: () => replies.json({ error: 'use_dpop_nonce' }, 400, { 'DPoP-Nonce': 'x'.repeat(600) }) }, CALLBACK, /returned the error 'use_dpop_nonce'/, { options: 'dpop=true' }],
  ['DPoP: another error, with a nonce', { token: () => replies.json({ error: 'invalid_client' }, 401, { 'DPoP-Nonce': 'abc' }) }, CALLBACK, /returned the error 'invalid_client'/, { options: 'dpop=true' }],
  ['DPoP: userinfo that refuses', { token: { token_type: 'DPoP' }, userinfo: () => replies.json({ error: 'invalid_token' }, 401, { 'DPoP-Nonce': 'abc' }) }, CALLBACK, /the userinfo endpoint returned status 401/, { options: 'dpop=true idToken=false' }],

  ['callback: access_denied', { authorize: { code: undefined, error: 'access_denied', error_description: 'no, thanks' } }, 'Callback', /the provider returned access_denied \(no, thanks\)/],
  ['callback: an error of several lines', { authorize: { code: undefined, error: 'x\n[nextauth:error] forged' } }, 'Callback', /the provider returned x .nextauth:error. forged/],
  ['callback: an error and a code', { authorize: { error: 'server_error' } }, 'Callback', /the provider returned server_error/],
  ['callback: another state', { authorize: { state: 'x'.repeat(43) } }, CALLBACK, /missing cookie next-auth\.state/, { keepsChecks: true }],
  ['callback: a state that only begins alike', { authorize: (honest) => ({ ...honest, state: honest.state.slice(0, 8) + 'x'.repeat(35) }) }, CALLBACK, /cookie next-auth\.state does not match/, { keepsChecks: true }],
  ['callback: no state', { authorize: { state: undefined } }, CALLBACK, /missing state in the callback/, { keepsChecks: true }],
  ['callback: iss of another issuer', { authorize: { iss: 'http://evil.example.org' } }, CALLBACK, /iss of the callback does not match the issuer/],
  ['callback: no iss, though promised', { authorize: { iss: undefined } }, CALLBACK, /iss of the callback does not match the issuer/],
  ['callback: no iss, and none promised', { discovery: { authorization_response_iss_parameter_supported: undefined }, authorize: { iss: undefined } }],
  ['callback: no code', { authorize: { code: undefined } }, CALLBACK, /missing code in the callback/],
  ['callback: an empty code', { authorize: { code: '' } }, CALLBACK, /missing code in the callback/],
];

// What the library would not sign.
function signRaw(header, claims, key) {
  const signed = sign.none(header, claims).slice(0, -1);
  return `${signed}.${crypto.sign('sha256', Buffer.from(signed), key.privateKey).toString('base64url')}`;
}

// What a visitor's browser can bring about alone.
const visitors = /^nonce: |^demanded: |^callback: |^token: (invalid_grant|an error with 200|a code that Facebook refuses)$/;

const idOf = (what) => what.toLowerCase().replace(/[^a-z0-9]+/g, '-');
const checks = (client) => [...client.cookies.keys()].filter((name) => /^next-auth\.(state|pkce\.code_verifier|nonce)/.test(name));
const sessions = (client) => [...client.cookies.keys()].filter((name) => name.startsWith('next-auth.session-token'));
// That a provider is down, or back, is said besides.
const complaints = (log) => log.split('\n').filter((line) => /\[nextauth:(warn|error)\]/.test(line) && !/ provider \S+ is (down|back)/.test(line));

const common = (limits = 'maxConcurrent=8') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthHTTP timeout=2 connectTimeout=1 maxBytes=1048576 ${limits}`;
const provider = (id, issuer, more = '') => `NextAuthProvider ${id} type=oidc issuer=${issuer} clientId=the-client clientSecret=${clientSecret} ${more}`;

// Presses the button and goes wherever that leads, to the site's last word.
async function attempt(rogue, c, id) {
  const start = await c.signIn(id, { callbackUrl: '/public.html' });
  if (!start.location.startsWith(rogue.url)) return start;
  const away = await c.page(start.location);
  return c.page(away.location);
}

function tellsNothing(t, rogue, log, what) {
  const told = [clientSecret, ...rogue.secrets].filter((secret) => log.includes(secret));
  t.is(told, [], what);
}

suite('A provider that does wrong is refused', async (t) => {
  t.withOneMpm();
  const rogue = await startRogue(t);
  const nobody = 'http://localhost:1';
  const rows = table.map(([what, fault, code, says, more = {}]) => ({ what, id: idOf(what), fault, code, says, ...more }));
  for (const row of rows) rogue.faults[row.id] = row.fault;
  const folder = makeFolder(t);
  certify(folder, 'tls', 'the client');
  const files = Object.fromEntries(['tls.pem', 'tls.key'].map((name) => [name, { text: fs.readFileSync(`${folder}/${name}`), mode: 0o600 }]));
  files['enc.pem'] = { text: theirs.privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 };
  files['keys.json'] = { text: JSON.stringify({ keys: [rogue.key.jwk] }), mode: 0o600 };
  const site = await t.httpd({ files, config: `${common()}
${rows.map((row) => provider(row.id, row.down ? nobody : rogue.issuer(row.id), row.options?.replace('@ISSUER@', rogue.issuer(row.id)))).join('\n')}
${provider('late', rogue.issuer('late'))}
${['replay', 'careless', 'twice'].map((id) => provider(id, rogue.issuer(id))).join('\n')}
NextAuthProvider special type=oidc issuer=${rogue.issuer('special')} "clientId=a b:c+d%" "clientSecret=ü &=/?%41+"
NextAuthProvider posted type=oidc issuer=${rogue.issuer('posted')} "clientId=a b:c+d%" "clientSecret=ü &=/?%41+" token_endpoint_auth_method=client_secret_post` });
  const error = (code) => `${site.url}/api/auth/error?error=${code}`;

  const early = t.client(site);
  t.is((await attempt(rogue, early, 'late')).location, `${site.url}/public.html`, 'before the provider changes its key, it signs in');

  for (const row of rows) {
    t.section(row.what);
    const before = site.log().length;
    const c = t.client(site);
    const answer = await attempt(rogue, c, row.id);
    const log = site.log().slice(before);
    if (row.code) {
      t.is([answer.status, answer.location], [302, error(row.code)], `${row.what} is ${row.code}`);
      t.is(sessions(c), [], '  there is no session');
      t.is(checks(c).length, row.keepsChecks ? 3 : 0, row.keepsChecks ? '  the checks are another sign-in\'s, and stay' : '  and no check is left');
      t.is(complaints(log).length, 1, '  one line in the log') || t.diag(log);
      t.like(complaints(log)[0] || '', row.says, '  says what was wrong');
      t.like(complaints(log)[0] || '', visitors.test(row.what) ? /\[nextauth:warn\]/ : /\[nextauth:error\]/, `  as ${visitors.test(row.what) ? 'something that any visitor can cause' : 'an error of the site or the provider'}`);
    } else {
      t.is([answer.location, sessions(c)], [`${site.url}/public.html`, ['next-auth.session-token']], `${row.what}: signed in`) || t.diag(log);
      t.is(complaints(log), [], '  and no complaint is in the log');
      t.is(checks(c), [], '  and no check is left');
    }
    tellsNothing(t, rogue, log, '  no code, token or secret is in the log');
    t.is((await t.client(site).get('/public.html')).status, 200, '  and the site is there');
  }
  t.is(rogue.journal.filter((entry) => entry.id === 'trap'), [], 'no redirect of the provider was followed');

  t.section('the order of things');
  t.is(rogue.requests(idOf('callback: another state'), 'token'), [], 'without the right state, nothing is asked of the provider');
  t.is(rogue.requests(idOf('callback: iss of another issuer'), 'token'), [], 'nor is the code sent where another issuer got it from');
  t.is(rogue.requests(idOf('userinfo: of another user'), 'userinfo').length, 1, 'userinfo is asked once');
  t.is(rogue.requests(idOf('signature: one bit flipped'), 'userinfo'), [], 'but not with a token that does not hold');

  t.section('deep links');
  for (const [len, name, arrives] of [[2390 - site.url.length, 'as long as a cookie carries', true], [5000, 'longer', false]]) {
    const c = t.client(site);
    const deep = `/${'d'.repeat(len - 10)}?q=\u00fc`;
    const begun = await c.signIn('late', { callbackUrl: deep });
    t.ok(begun.setCookies.every((cookie) => cookie.split(';')[0].length <= 4096), `${name}: no cookie is one that a browser drops`);
    const away = await c.page(begun.location);
    const end = await c.page(away.location);
    t.ok(end.location === (arrives ? `${site.url}${deep.replace('\u00fc', '%C3%BC')}` : site.url), `  it leads ${arrives ? 'there' : 'home'}`, end.location);
  }
  t.like(site.log(), /callbackUrl has \d+ bytes; this way to sign in supports at most \d+/, '  and the log says why');

  t.section('a code or a callback used again');
  {
    const c = t.client(site);
    const away = await c.page((await c.signIn('replay')).location);
    t.is((await c.page(away.location)).location, site.url, 'the first time it signs in');
    await c.signOut();
    t.is((await c.page(away.location)).location, error(CALLBACK), 'the second time it does not');
    t.is(sessions(c), [], '  there is no session');
    t.like(complaints(site.log()).at(-1), /missing cookie next-auth\.state: it has expired, was already used/, '  and the log says why');
    rogue.faults.replay = { authorize: { code: new URL(away.location).searchParams.get('code') } };
    t.is((await attempt(rogue, c, 'replay')).location, error(CALLBACK), 'nor does the code with another sign-in\'s state');
    t.like(complaints(site.log()).at(-1), /token endpoint returned the error 'invalid_grant'/, '  which the provider knows');
  }

  t.section('a provider that takes a code twice');
  {
    rogue.faults.careless = { takesCodesTwice: true };
    const c = t.client(site);
    const away = await c.page((await c.signIn('careless')).location);
    const saved = c.jar.header(site.url);
    t.is((await c.page(away.location)).location, site.url, 'the first time it signs in');
    for (let i = 0; i < 8; i += 1) { // in whatever child
      const thief = t.client(site);
      t.is((await thief.page(away.location, { headers: { cookie: saved } })).location, error(CALLBACK), 'with saved cookies, it does not again');
      t.is(sessions(thief), [], '  there is no session');
    }
    t.like(complaints(site.log()).at(-1), /\[nextauth:warn\].*this sign-in has already been answered: its cookies were used again/, '  and the log says why');
    t.is(rogue.requests('careless', 'token').length, 1, '  nor is the code sent again');
  }

  t.section('a parameter that is there twice');
  for (const [what, change, name] of [
    ['another state behind the right one', (url) => url.searchParams.append('state', 'x'.repeat(43)), 'state'],
    ['the same state twice', (url) => url.searchParams.append('state', url.searchParams.get('state')), 'state'],
    ['two codes', (url) => url.searchParams.append('code', 'stolen'), 'code'],
    ['a code in other letters', (url) => url.searchParams.append('CODE', 'stolen'), 'CODE'],
    ['two issuers', (url) => url.searchParams.append('iss', 'http://evil.example.org'), 'iss'],
    ['something else twice', (url) => { url.searchParams.append('x', '1'); url.searchParams.append('x', '2'); }, 'x'],
    ['an encoded name', (url) => { url.search += '&%63ode=stolen'; }, 'code'],
  ]) {
    const c = t.client(site);
    const url = new URL((await c.page((await c.signIn('twice')).location)).location);
    change(url);
    t.is((await c.page(url.href)).location, error(CALLBACK), `${what} is refused`);
    t.is([sessions(c), checks(c)], [[], []], '  and nothing is left of the sign-in');
    t.like(complaints(site.log()).at(-1), new RegExp(`\\[nextauth:warn\\].*duplicate parameter '${name}' in the callback`), '  and the log says why');
  }
  {
    const c = t.client(site);
    const url = new URL((await c.page((await c.signIn('twice')).location)).location);
    const answer = await c.post(url.href, { state: url.searchParams.get('state'), code: 'stolen' });
    t.is(answer.location, error(CALLBACK), 'one in the query and one in the form are two');
  }
  t.is(rogue.requests('twice', 'token'), [], 'no code was sent anywhere');

  t.section('what is sent to the provider');
  for (const id of ['special', 'posted']) {
    const c = t.client(site);
    t.is((await attempt(rogue, c, id)).location, `${site.url}/public.html`, `${id}: signed in`);
    const [{ query }] = rogue.requests(id, 'authorize');
    const [{ method, headers, form }] = rogue.requests(id, 'token');
    t.is(query.client_id, 'a b:c+d%', '  the client is named');
    t.is([method, headers['content-type'], form.grant_type], ['POST', 'application/x-www-form-urlencoded', 'authorization_code'], '  the code is exchanged');
    t.is(crypto.createHash('sha256').update(form.code_verifier).digest('base64url'), query.code_challenge, '  with the verifier of the challenge');
    t.like(form.code_verifier, /^[A-Za-z0-9._~-]{43,128}$/, '  as RFC 7636 wants it');
    t.is([form.redirect_uri, query.redirect_uri], Array(2).fill(`${site.url}/api/auth/callback/${id}`), '  and the same redirect_uri');
    t.isnt(query.nonce, query.state, '  nonce and state are two things');
    t.is(headers.cookie, undefined, '  no cookie goes to the provider');
    if (id === 'posted') {
      t.is([headers.authorization, form.client_id, form.client_secret], [undefined, 'a b:c+d%', 'ü &=/?%41+'], '  the secret is in the form');
    } else {
      const [kind, value] = headers.authorization.split(' ');
      const halves = Buffer.from(value, 'base64').toString('latin1').split(':');
      t.is([kind, halves.length], ['Basic', 2], '  the secret is in the header');
      t.like(halves.join(''), /^[A-Za-z0-9._~*+%-]+$/, '  and both halves were form-encoded first');
      t.is(halves.map((h) => decodeURIComponent(h.replaceAll('+', ' '))), ['a b:c+d%', 'ü &=/?%41+'], '  nothing being lost');
      t.is([form.client_id, form.client_secret], [undefined, undefined], '  and is not told twice');
    }
  }

  t.section('how the client proves itself');
  for (const [what, inForm] of [['only client_secret_post is offered', true], ['both are offered', false], ['client_secret_post is not offered, but configured', true]]) {
    const [{ headers, form }] = rogue.requests(idOf(`client: ${what}`), 'token');
    t.is([Boolean(form.client_secret), Boolean(headers.authorization)], [inForm, !inForm], `${what}: the secret is in the ${inForm ? 'form' : 'header'}`);
  }

  t.section('many slow answers at once');
  {
    // One of each: requests that need the same document share a call.
    const slow = Array.from({ length: 10 }, (_, i) => `slow${i}`);
    for (const id of slow) rogue.faults[id] = { discovery: replies.silence };
    const busy = await t.httpd({ config: `${common('maxConcurrent=2').replace('timeout=2 ', 'timeout=5 ')}
${slow.map((id) => provider(id, rogue.issuer(id))).join('\n')}
<IfModule mpm_prefork_module>
  StartServers 20
</IfModule>` });
    const people = await Promise.all(slow.map(async (id) => {
      const c = t.client(busy);
      return { c, id, csrfToken: await c.csrf() };
    }));
    let over = false;
    const waiting = Promise.all(people.map(({ c, id, csrfToken }) => c.post(`/api/auth/signin/${id}`, { csrfToken }))).finally(() => { over = true; });
    await until('two are asked', () => slow.filter((id) => rogue.requests(id, 'openid-configuration').length).length >= 2);
    t.is((await t.client(busy).get('/public.html')).status, 200, 'the public page is served meanwhile');
    t.ok(!over, '  and waits for none of them');
    const answers = await waiting;
    t.ok(answers.every((answer) => answer.status === 503 || answer.location === `${busy.url}/api/auth/error?error=${SIGNIN}`), 'everybody gets an answer');
    t.like(busy.log(), /too many (outgoing calls|calls to \S+) are under way/, '  and the log says that too much is asked of the provider');
  }

  t.section('a new key, not in the set that was fetched');
  {
    const key = makeKey('two');
    rogue.faults.late = { jwks: { keys: [key.jwk] }, header: { kid: 'two' }, sign: (header, claims) => sign.rs256(header, claims, key) };
    const c = t.client(site);
    t.is((await attempt(rogue, c, 'late')).location, `${site.url}/public.html`, 'has the set fetched again');
    t.is(sessions(c), ['next-auth.session-token'], '  and signs in');
    rogue.faults.late = { sign: (header, claims) => sign.rs256({ ...header, kid: 'three' }, claims, key) };
    const before = rogue.requests('late', 'jwks').length;
    t.is((await attempt(rogue, c, 'late')).location, error(CALLBACK), 'a key that no set has is refused');
    t.ok(rogue.requests('late', 'jwks').length <= before + 2, '  after the set was fetched once more');
  }
  tellsNothing(t, rogue, site.log(), 'no code, token or secret is in the log');
});
