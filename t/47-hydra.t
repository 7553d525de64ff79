#!/usr/bin/env node
'use strict';
// Sign-ins with Ory Hydra, a real OpenID Provider.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { common } = require('./lib/site.js');
const { ctlFile, freePort } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const { missing, startHydra } = require('./lib/real.js');

const rsa = generateKeys('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }); // its default
const key = generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });

const nextauthctl = (...args) => new Promise((resolve) => {
  execFile(ctlFile, args, { env: { ...process.env, LD_PRELOAD: '', ASAN_OPTIONS: 'detect_leaks=0' } },
    (error, stdout, stderr) => resolve({ status: error ? error.code : 0, stdout, stderr }));
});

// Registers the site by the command, and signs in with the directive that it prints.
async function registered(t, hydra) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-register-'));
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  const port = await freePort();
  const file = (id) => path.join(folder, id);
  const register = (id, ...more) => nextauthctl('register', hydra.issuer, '--url', `http://localhost:${port}`, '--id', id, '--secret-file', file(id),
    '--scope', 'openid profile email', ...more);
  const [one, two] = [await register('one'), await register('two', '--auth', 'private_key_jwt', '--initiated-sign-in')];
  t.is([one.status, two.status], [0, 0], 'the site is registered twice', one.stderr, two.stderr);
  t.like(one.stdout, /^NextAuthProvider one type=oidc issuer=\S+ clientId=\S+ clientSecret=file:\S+ token_endpoint_auth_method=client_secret_basic\n$/, '  and the directive is printed');
  t.like(two.stdout, / initiatedSignIn=true\n$/, '  with what was asked for');
  t.unlike(one.stdout, new RegExp(fs.readFileSync(file('one'), 'utf8')), '  without the secret');
  t.is(['one', 'one.registration', 'two.registration'].map((each) => fs.statSync(file(each)).mode & 0o777), [0o600, 0o600, 0o600], '  which only its owner can read');
  t.ok(!fs.existsSync(file('two')), '  and there is no file for a client without one');
  const again = await register('one');
  t.is(again.status, 1, 'a file that exists is not replaced');
  t.like(again.stderr, /'.*\/one' exists: name another file, or move this one away/, '  and that is said');
  t.like((await register('two')).stderr, /'.*\/two\.registration' exists/, '  nor is what an earlier client is deleted with');
  const elsewhere = await nextauthctl('register', `${hydra.issuer}/other`, '--url', 'https://example.org', '--id', 'x', '--secret-file', file('x'));
  t.is([elsewhere.status, fs.existsSync(file('x'))], [1, false], 'a provider that does not answer leaves nothing');
  const site = await t.httpd({ port, files: { 'client.pem': { text: rsa, mode: 0o600 } },
    config: `${common}\n${one.stdout}${two.stdout.replace('file:KEY', 'file:@DIR@/client.pem')} clientAssertionAudience=token`.replace('\n clientAssertion', ' clientAssertion') });
  for (const id of ['one', 'two']) {
    const c = t.client(site);
    t.is((await c.follow(await c.signIn(id, { callbackUrl: '/public.html' }), 20)).url, `${site.url}/public.html`, `${id}: a sign-in as the registered client`);
  }
}

suite('Sign-ins with Ory Hydra', async (t) => {
  t.inOneRound();
  const reason = missing.hydra();
  if (reason) t.skipAll(reason);
  const hydra = await startHydra(t);
  const port = await freePort();
  const client = (id, more) => hydra.register({ client_id: id, redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`],
    grant_types: ['authorization_code'], response_types: ['code'], scope: 'openid profile email', ...more });
  await client('basic', { client_secret: 'a secret of the client', backchannel_logout_session_required: true,
    backchannel_logout_uri: `http://localhost:${port}/api/auth/backchannel-logout/basic` });
  await client('post', { client_secret: 'a secret of the client', token_endpoint_auth_method: 'client_secret_post' });
  await client('key', { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks_uri: `http://localhost:${port}/api/auth/jwks` });
  await client('public', { token_endpoint_auth_method: 'none' });
  const site = await t.httpd({ port, files: { 'client.pem': { text: key, mode: 0o600 } }, config: `${common.replace('SessionStore none', 'SessionStore socache checkInterval=0')}
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthClaim groups "%{PROFILE:groups}"
NextAuthClaim level "%{PROFILE:acr}"
NextAuthSessionClaim groups level
NextAuthProvider basic type=oidc issuer=${hydra.issuer} clientId=basic "clientSecret=a secret of the client" logout=fromProvider
NextAuthProvider post type=oidc issuer=${hydra.issuer} clientId=post "clientSecret=a secret of the client" token_endpoint_auth_method=client_secret_post
NextAuthProvider key type=oidc issuer=${hydra.issuer} clientId=key clientKey=file:@DIR@/client.pem clientAssertionAudience=token
NextAuthProvider public type=oidc issuer=${hydra.issuer} clientId=public token_endpoint_auth_method=none
NextAuthProvider wrong type=oidc issuer=${hydra.issuer} clientId=basic clientSecret=another`,
  });
  const attempt = async (id) => {
    const c = t.client(site);
    const end = await c.follow(await c.signIn(id, { callbackUrl: '/public.html' }), 20);
    return { url: end.url, session: await c.session() };
  };
  for (const id of ['basic', 'post', 'key', 'public']) {
    const { url, session } = await attempt(id);
    t.is(url, `${site.url}/public.html`, `${id}: a sign-in`);
    t.is([session.user?.name, session.user?.email, session.user?.groups, session.user?.level], ['Carol Carter', 'carol@example.org', ['authors'], 'second-factor'],
      '  with the profile');
  }
  const { url, session } = await attempt('wrong');
  t.unlike(url, /public\.html$/, 'a client whose secret is another has no session');
  t.is(session.user, undefined, '  indeed');

  t.section('a sign-out at Hydra');
  const [one, other] = [t.client(site), t.client(site)];
  for (const c of [one, other]) await c.follow(await c.signIn('basic', { callbackUrl: '/public.html' }), 20);
  await one.follow(await one.page(`${hydra.issuer}/oauth2/sessions/logout`), 20);
  t.is(await one.session(), {}, 'ends the session here');
  t.is((await other.session()).user?.name, 'Carol Carter', '  and not that of another browser');

  t.section('a client that registers itself');
  await registered(t, hydra);
});
