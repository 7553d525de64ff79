#!/usr/bin/env node
'use strict';
// The module protects; an application, here Auth.js as published, signs users in.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { check } = require('./lib/httpd.js');

const SECRET = 'the secret that both sides share is long';
const config = (app, more = 'NextAuthPages signIn=/api/auth/signin') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthCompat v5
NextAuthSessionStore none
${more}
ProxyPass /members/ !
ProxyPass / http://127.0.0.1:${app}/
ProxyPreserveHost On
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

async function startApplication(t) {
  const { Auth } = await import('@auth/core');
  const options = { basePath: '/api/auth', secret: SECRET, trustHost: true, logger: { error() {}, warn() {}, debug() {} },
    providers: [{ id: 'credentials', name: 'Password', type: 'credentials', credentials: {}, authorize: async ({ username, password }) => (password === 'x' ? { id: `id-${username}`, name: username, email: `${username}@example.org` } : null) }] };
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const answer = await Auth(new Request(`http://${request.headers.host}${request.url}`, { method: request.method, headers: request.headers, body: parts.length ? Buffer.concat(parts) : undefined }), options);
    response.statusCode = answer.status;
    for (const [name, value] of answer.headers) if (name !== 'set-cookie') response.setHeader(name, value);
    response.setHeader('set-cookie', answer.headers.getSetCookie());
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => { server.close(); server.closeAllConnections(); });
  return server.address().port;
}

suite('Beside an application that signs users in', async (t) => {
  const app = await startApplication(t);
  const site = await t.httpd({ config: config(app) });
  const c = t.client(site);
  const away = await c.page('/members/');
  t.is([away.status, away.location], [302, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/members/`)}`], 'who is not signed in is sent to the application\'s page');
  const page = await c.page(away.location);
  t.like(page.text, /action="[^"]*\/api\/auth\/callback\/credentials"/, 'which is the application\'s own, at a path that would be the module\'s');
  const back = await c.credentials('ada', 'x', { callbackUrl: `${site.url}/members/` });
  t.is([back.status, back.location], [302, `${site.url}/members/`], 'the application signs in, and sends back');
  t.is((await c.page('/members/')).status, 200, 'where the module lets its session in');
  t.ok(await site.logged('GET /members/index.html 200 ada@example.org'), 'and knows who it is');
  t.is((await c.session()).user.name, 'ada', 'the application\'s endpoints are its own');
  await c.signOut();
  t.is((await c.page('/members/')).status, 302, 'signed out there is signed out here');

  t.section('the configuration');
  const told = await check(t, { config: config(app) }, ['--json']);
  t.is(told.told.findings.filter(({ subject }) => subject === 'sign-in').map(({ state, message }) => [state, message]),
    [['ok', 'an application signs users in, at /api/auth/signin: without NextAuthProvider, httpd has no endpoints']], 'check says who signs in');
  const nobody = await t.configtest({ config: config(app, '') });
  t.isnt(nobody.status, 0, 'without either, nobody could sign in');
  t.like(nobody.output, /missing NextAuthProvider: users could not sign in: add one .*, or set NextAuthPages signIn=\/api\/auth\/signin if an application signs users in/, '  as configtest says');
});
