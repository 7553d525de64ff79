#!/usr/bin/env node
'use strict';
// Sign-ins with Keycloak, a real OpenID Provider: its roles and groups, and what it can do for clients.
const crypto = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { freePort } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { missing, startKeycloak } = require('./lib/real.js');

const key = generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
const passwords = { alice: 'correct horse', bob: 'battery staple' };
const browser = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };
const acrOf = async (c) => (await c.session()).user?.acr;
const secret = '"clientSecret=the secret of the application"';

// Fills in Keycloak's form, wherever it is met on the way.
async function fillIn(c, at, fields) {
  const action = /<form id="kc-[^"]*login[^"]*"[^>]* action="([^"]+)"/.exec(at.text)?.[1].replaceAll('&amp;', '&');
  return action ? c.follow(await c.post(action, fields)) : at;
}

async function signIn(c, id, user) {
  const at = await c.follow(await c.signIn(id, { callbackUrl: '/public.html' }));
  return fillIn(c, at, { username: user, password: passwords[user], credentialId: '' });
}

// RFC 6238, of the present half minute.
function codeOf(key) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

suite('Sign-ins with Keycloak', async (t) => {
  const reason = missing.keycloak();
  if (reason) t.skipAll(reason);
  // Its start takes a minute of a busy machine, and nothing of it depends on the MPM.
  t.inOneRound();
  const keycloak = await startKeycloak(t);
  const port = await freePort();
  const options = `issuer=${keycloak.issuer}`;
  const site = await t.httpd({ port, files: { 'htdocs/strong/index.html': 'strong\n', 'client.pem': { text: key, mode: 0o600 } }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore socache checkInterval=0
NextAuthHTTP timeout=60s
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthRole "%{PROFILE:resource_access.app.roles}" "true"
NextAuthClaim groups "%{PROFILE:groups}"
NextAuthSessionClaim groups
NextAuthProvider keycloak ${options} clientId=app ${secret} logout=fromProvider
NextAuthProvider bound type=oidc ${options} clientId=bound ${secret} pushedRequest=true dpop=true idToken=false
NextAuthProvider key type=oidc ${options} clientId=key clientKey=file:@DIR@/client.pem id_token_signed_response_alg=PS256 userinfo_signed_response_alg=ES256 idToken=false
NextAuthProvider stronger type=oidc ${options} clientId=app ${secret} authorization.params=acr_values=stronger
NextAuthProvider again type=oidc ${options} clientId=app ${secret} authorization.params=max_age=3600&prompt=login
NextAuthProvider wrong type=oidc ${options} clientId=app clientSecret=another
NextAuthSessionClaim acr
<Location /strong>
  AuthType NextAuth
  Require nextauth-acr stronger
</Location>
<Location /private>
  AuthType NextAuth
  Require nextauth-role editor
</Location>` });
  const arrived = `${site.url}/public.html`;

  t.section('people, their roles and groups');
  const alice = t.client(site);
  t.is((await signIn(alice, 'keycloak', 'alice')).url, arrived, 'alice signs in');
  const { user } = await alice.session();
  t.is([user.name, user.email, user.groups], ['Alice Archer', 'alice@example.org', ['/staff/press']], '  with her profile and groups');
  t.is((await alice.get('/private')).status, 404, '  and a role of a client, from resource_access');
  const bob = t.client(site);
  t.is((await signIn(bob, 'keycloak', 'bob')).url, arrived, 'bob signs in');
  t.is((await bob.session()).user.email, undefined, '  without the address that Keycloak has not verified');
  t.is((await bob.get('/private')).status, 403, '  and without the role');
  t.is((await signIn(t.client(site), 'wrong', 'alice')).url.startsWith(`${site.url}/api/auth/`), true, 'a wrong client secret leads to an error page');

  t.section('what it can do for clients');
  t.is((await signIn(t.client(site), 'bound', 'alice')).url, arrived, 'a pushed request, tokens bound with DPoP, and userinfo with them');
  await keycloak.change('key', { 'jwks.url': `${site.url}/api/auth/jwks` });
  t.is((await signIn(t.client(site), 'key', 'alice')).url, arrived, 'a client with a key, an ID token with PS256, signed userinfo', site.log().slice(-2000));

  t.section('how people signed in');
  t.is((await signIn(t.client(site), 'again', 'alice')).url, arrived, 'a sign-in within max_age');
  t.like((await signIn(t.client(site), 'stronger', 'alice')).url, /error=AccessDenied/, 'a level that Keycloak does not reach is not believed');

  t.section('a page that requires a second factor');
  const otp = 'the key of an authenticator';
  passwords.carol = 'a third password';
  await keycloak.stepUp({ username: 'carol', firstName: 'Carol', lastName: 'Carter', email: 'carol@example.org' }, passwords.carol, otp);
  const carol = t.client(site);
  t.is((await signIn(carol, 'keycloak', 'carol')).url, arrived, 'carol signs in with a password alone');
  t.is(await acrOf(carol), 'password', '  which the session knows');
  const asked = await carol.follow(await carol.page('/strong/?there', { headers: browser }), 20);
  t.like(asked.text, /name="otp"/, 'the page leads to Keycloak, which asks for a code') || t.diag(asked.url);
  t.is((await carol.page('/strong/', { headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' } })).status, 401, '  until then, nothing opens it');
  const there = await fillIn(carol, asked, { otp: codeOf(otp) });
  t.is([there.url, there.status], [`${site.url}/strong/?there`, 200], '  and back to the page, which opens');
  t.is(await acrOf(carol), 'stronger', '  and the session has the level');
  t.is((await carol.page('/strong/', { headers: browser })).status, 200, '  from then on');

  t.section('a sign-out at Keycloak');
  await keycloak.change('app', { 'backchannel.logout.url': `${site.url}/api/auth/backchannel-logout/keycloak` });
  await keycloak.signOut('alice');
  t.is(await alice.session(), {}, 'ends the session here');
  t.is((await bob.session()).user?.name, 'Bob Builder', '  and no other');

  t.section('keys that change');
  await keycloak.rotate();
  t.is((await signIn(t.client(site), 'keycloak', 'alice')).url, arrived, 'a token with a new key is accepted at once');
});
