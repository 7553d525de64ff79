#!/usr/bin/env node
'use strict';
// Auth.js's redirectProxyUrl: a provider knows one callback URL, that of a proxy, which leads users
// on to the host at which they began. Each role with Auth.js itself in the other one.
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { check, freePort } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startOp } = require('./lib/op.js');

const SECRET = 'the secret of previews and their proxy is long';
const CLIENT = { client_id: 'client', client_secret: 'a secret of the client at the provider' };
const config = (op, lines, urls) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${urls}
NextAuthSecret "${SECRET}"
${lines}
NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=client "clientSecret=${CLIENT.client_secret}"
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

// Auth.js's own server, which takes its origin from the Host header.
async function startAuthJs(t, port, op, redirectProxyUrl) {
  const { Auth } = await import('@auth/core');
  const options = { secret: SECRET, trustHost: true, basePath: '/api/auth', redirectProxyUrl, logger: { error() {}, warn() {}, debug() {} },
    providers: [{ id: 'acme', name: 'Acme', type: 'oidc', issuer: op.issuer, clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret, checks: ['pkce', 'state'] }] };
  const server = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const answer = await Auth(new Request(`http://${request.headers.host}${request.url}`, { method: request.method, headers: request.headers, ...(parts.length ? { body: Buffer.concat(parts) } : {}) }), options);
    response.statusCode = answer.status;
    for (const [name, value] of answer.headers) if (name !== 'set-cookie') response.setHeader(name, value);
    response.setHeader('set-cookie', answer.headers.getSetCookie());
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise((resolve, reject) => { server.on('error', reject).listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
}

const begin = async (site) => {
  const client = new Client(site);
  const asked = await client.signIn('acme', { callbackUrl: `${site.url}/` });
  return { client, asked, params: new URL(asked.location).searchParams };
};

suite('One callback URL for many hosts', async (t) => {
  const { encode } = await import('@auth/core/jwt');
  const start = async (lines, urls, proxyPort) => {
    const [port, opPort] = [await freePort(), await freePort()];
    const proxy = `http://login.localhost:${proxyPort || port}/api/auth`;
    const op = await startOp(t, { port: opPort, clients: [{ ...CLIENT, redirect_uris: [`${proxy}/callback/acme`] }] });
    const fill = (text) => text.replaceAll('@PROXY@', proxy).replaceAll('@OTHER@', proxyPort);
    const s = await t.httpd({ port, config: config(op, fill(lines), fill(urls)) });
    const at = (name) => ({ ...s, url: `http://${name}.localhost:${port}` });
    return { s, op, proxy, at };
  };

  t.section('hosts of one virtual host');
  {
    const { s, op, proxy, at } = await start('NextAuthRedirectProxy @PROXY@', 'http://*.localhost:@PORT@');
    const { client, asked, params } = await begin(at('pr-1'));
    t.is(params.get('redirect_uri'), `${proxy}/callback/acme`, 'the provider is asked to send the user to the proxy');
    t.like(params.get('state'), /^eyJ[\w-]*\.\.[\w-]+\.[\w-]+\.[\w-]+$/, '  with an encrypted state');
    const back = await op.authorize(client, asked, 'alice');
    t.ok(back.startsWith(`${proxy}/callback/acme?`), 'the provider sends the user there');
    const on = await client.page(back);
    const own = `${at('pr-1').url}/api/auth/callback/acme`;
    t.is([on.status, on.location.split('?')[0], on.setCookies], [302, own, []], 'the proxy leads on to the host, with no cookie');
    t.is([...new URL(on.location).searchParams].sort(), [...new URL(back).searchParams].sort(), '  and all parameters');
    const done = await client.page(on.location);
    t.is([done.status, done.location], [302, `${at('pr-1').url}/`], 'the host redeems the code');
    t.is((await client.get('/members/')).status, 200, '  and begins a session');
    const other = new Client(at('pr-2'));
    t.like((await other.page(on.location.replace('pr-1', 'pr-2'))).location, /error=/, 'another host cannot use the answer');
    const login = await begin(at('login'));
    t.like(login.params.get('state'), /^[\w-]{43}$/, 'a sign-in at the proxy itself is as ever');
    t.is((await op.login(login.client, login.asked, 'alice')).location, `${at('login').url}/`, '  and succeeds');
    const two = await begin(at('pr-1'));
    const again = await two.client.signIn('acme', { callbackUrl: `${at('pr-1').url}/` });
    t.is([...two.client.cookies.keys()].filter((name) => /^next-auth\.state\./.test(name)).length, 2, 'two sign-ins of one browser have cookies of their own');
    t.is((await two.client.page((await two.client.page(await op.authorize(two.client, two.asked, 'alice'))).location)).location, `${at('pr-1').url}/`, '  so that the first still succeeds');
    t.ok(again.location, '  beside the second');

    t.section('what the proxy refuses');
    const state = (origin, secret = SECRET) => encode({ secret, salt: 'encodedState', maxAge: 900, token: { origin, random: 'x' } });
    const asks = async (origin, secret) => (await new Client(at('login')).page(`/api/auth/callback/acme?code=x&state=${await state(origin, secret)}`)).location;
    t.is((await asks(own)).split('?')[0], own, 'a state that an application sealed counts');
    for (const [origin, what] of [['http://evil.example.net/api/auth/callback/acme', 'another host'], [`http://pr-1.localhost:1/api/auth/callback/acme`, 'another port'],
      [own.replace('http:', 'https:'), 'another scheme'], [own.replace('pr-1', 'a.b'), 'two labels'], [`http://pr-1.localhost@evil.example.net/api/auth/callback/acme`, 'user information'],
      [`${own}?x=1`, 'a query'], [own.replace('acme', 'other'), 'another provider'], ['javascript:alert(1)', 'no URL'], [`${at('pr-1').url}/members/`, 'another path']])
      t.like(await asks(origin), new RegExp(`^${at('login').url}/api/auth/(error|signin)\\?error=`), `${what} is refused`);
    t.like(s.log(), /the sign-in began at 'http:\/\/evil\.example\.net\/api\/auth\/callback\/acme', for which this site is not the proxy/, 'the log says so');
    t.like(await asks(own, 'another secret that is as long as it'), new RegExp(`^${at('login').url}/api/auth/(error|signin)\\?error=`), 'a state of another secret leads nowhere');
  }

  t.section('the proxy is Auth.js');
  {
    const proxyPort = await freePort();
    const { op, proxy, at } = await start('NextAuthRedirectProxy @PROXY@', 'http://*.localhost:@PORT@', proxyPort);
    await startAuthJs(t, proxyPort, op, proxy);
    const { client, asked } = await begin(at('pr-1'));
    const on = await client.page(await op.authorize(client, asked, 'alice'));
    t.is(on.location?.split('?')[0], `${at('pr-1').url}/api/auth/callback/acme`, 'it understands our state');
    t.is((await client.page(on.location)).location, `${at('pr-1').url}/`, '  and the sign-in succeeds');
    t.is((await client.session()).user.name, 'Alice Archer', '  with a session of ours');
  }

  t.section('the host is one of Auth.js');
  {
    const appPort = await freePort();
    const { s, op, proxy, at } = await start(`NextAuthRedirectProxy @PROXY@ http://pr-*.localhost:${appPort}`, 'http://login.localhost:@PORT@');
    await startAuthJs(t, appPort, op, proxy);
    const app = { ...s, url: `http://pr-7.localhost:${appPort}` };
    const { client, asked, params } = await begin(app);
    t.is(params.get('redirect_uri'), `${proxy}/callback/acme`, 'it asks for the proxy');
    const on = await client.page(await op.authorize(client, asked, 'alice'));
    t.is(on.location?.split('?')[0], `${app.url}/api/auth/callback/acme`, 'we lead on to it');
    t.is((await client.page(on.location)).location, `${app.url}/`, '  and its sign-in succeeds');
    t.ok((await client.session()).user, '  with a session of its own');
    const evil = await begin({ ...s, url: `http://evil.localhost:${appPort}` });
    const stopped = await evil.client.page(await op.authorize(evil.client, evil.asked, 'alice'));
    t.like(stopped.location, new RegExp(`^${at('login').url}/api/auth/(error|signin)\\?error=`), 'a host that it takes from any Host header is refused');
  }

  t.section('as Auth.js is configured');
  {
    const op = { issuer: 'http://localhost:1' };
    const env = { AUTH_REDIRECT_PROXY_URL: 'http://login.localhost:1/api/auth' };
    const tested = async (lines, more) => t.configtest({ config: config(op, lines, 'http://a.localhost:@PORT@'), ...more });
    t.is((await tested('', { env })).status, 0, 'AUTH_REDIRECT_PROXY_URL is a URL');
    t.like((await tested('', { env: { AUTH_REDIRECT_PROXY_URL: 'login' } })).output, /invalid URL 'login'/, '  or refused');
    const { told } = await check(t, { config: config(op, 'NextAuthRedirectProxy http://login.localhost:1/auth/', 'http://*.localhost:@PORT@ http://b.localhost:@PORT@') }, ['--json']);
    const rows = (group, subject) => told.findings.filter((row) => row.group === group && row.subject === subject).map(({ message }) => message.replace(/:\d{2,}/g, ''));
    t.is(rows('providers', 'acme')[0], 'register http://login.localhost:1/auth/callback/acme', 'check tells which callback URL to register');
    t.is(rows('site', 'URL'), ['http://*.localhost/api/auth', 'http://b.localhost/api/auth'], '  and lists all URLs');
    t.like((await tested('NextAuthRedirectProxy http://login.localhost/auth http://*.org')).output, /invalid origin 'http:\/\/\*\.org'/, 'hosts are checked');
    t.like((await tested('NextAuthRedirectProxy http://login.localhost/auth http://a.localhost/x')).output, /invalid origin 'http:\/\/a\.localhost\/x'/, '  and have no path');
  }
});
