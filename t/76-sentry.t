#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { htpasswd, makeFolder, until } = require('./lib/httpd.js');
const { startSentry } = require('./lib/sentry.js');
const { queued } = require('./lib/webhooks.js');

const files = { users: htpasswd({ ada: 'x' }) };

const config = (...more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of reports has 32 bytes"
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider gone type=oidc issuer=http://localhost:1 clientId=a clientSecret=b
NextAuthProvider lost type=oidc issuer=http://localhost:1 clientId=a clientSecret=b
${more.join('\n')}`;

// A sign-in with a provider that nobody reaches.
async function fail(site, provider = 'gone') {
  const c = new Client(site);
  return c.post(`/api/auth/signin/${provider}?code=the-code&state=the-state`, { csrfToken: await c.csrf() }, { headers: { 'user-agent': 'the-agent' } });
}

// One child, so that what is like another is known to be.
const oneChild = ['StartServers 1', process.env.NEXTAUTH_MPM === 'prefork' ? 'MaxRequestWorkers 1' : 'ServerLimit 1\nMaxRequestWorkers 12\nMinSpareThreads 1\nMaxSpareThreads 12'];

async function reports(t) {
  t.section('a report');
  const sentry = await startSentry(t, { prefix: '/behind/a/prefix' });
  const queue = makeFolder(t);
  const site = await t.httpd({ files, config: config(...oneChild, `NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn} release=shop@2.4 environment=staging`) });
  await fail(site);
  await until('a report', () => sentry.requests.length > 0);
  t.is(sentry.bad, [], 'is an envelope as Sentry has it');
  const [event] = sentry.events;
  t.is([event.level, event.logger, event.release, event.environment, event.server_name], ['error', 'nextauth', 'shop@2.4', 'staging', 'localhost'], 'with its level, release and environment');
  t.like(event.message, /^POST signin\/gone: OAuthSignin: .*calling http:\/\/localhost:1 failed: /, 'the message of the log');
  t.is([event.tags.event, event.tags.code, event.tags.provider, event.tags.site, event.tags.mode], ['SIGNIN_OAUTH_ERROR', 'OAuthSignin', 'gone', site.url, 'test'], 'and tags');
  t.like(event.tags.request_id, /./, 'the reference among them');
  t.is(event.request, { url: `${site.url}/api/auth/signin/gone`, method: 'POST' }, 'the request without its query');
  t.is(event.fingerprint, ['nextauth', 'SIGNIN_OAUTH_ERROR', 'gone', 'OAuthSignin'], 'and what makes it one of a kind');
  t.is(event.user, undefined, 'nothing of who it was');
  t.unlike(sentry.raw.join(), /the-code|the-state|the-cookie|the-agent|127\.0\.0\.1(?!:\d)/, 'no code, state, cookie, browser or address');
  await fail(site);
  await fail(site);
  await new Client(site).credentials('ada', 'wrong');
  await new Client(site).get('/api/auth/session');
  for (const visit of ['callback/nobody', 'callback/credentials', 'callback/gone?state=x&code=x', 'callback/gone?error=server_error']) await new Client(site).get(`/api/auth/${visit}`);
  await site.stop();
  t.is(sentry.requests.length + queued(queue).length, 1, 'the same once more is not reported, nor is what any visitor can cause');
}

async function dependencies(t) {
  t.section('what a site depends on');
  const sentry = await startSentry(t);
  const queue = makeFolder(t);
  const site = await t.httpd({ files, config: `LogLevel nextauth:crit
<VirtualHost *:@PORT@>
${config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn}`).replace('NextAuthSessionStore none', 'NextAuthSessionStore redis\nNextAuthRedis redis://localhost:1')}
</VirtualHost>` });
  t.is((await new Client(site).credentials('ada', 'x')).status, 503, 'a store of sessions that is down');
  await until('a report', () => sentry.requests.length === 1);
  const [event] = sentry.events;
  t.is([sentry.bad, event.tags.event, event.request], [[], 'SESSION_STORE_ERROR', undefined], 'is reported, though of no request');
  t.like(event.message, /^session store: Redis at localhost:1 is down: /, 'with what is down and why');
  t.unlike(site.log(), /SESSION_STORE_ERROR/, 'whatever LogLevel leaves out of the log');
}

async function manyChildren(t) {
  t.section('in many children');
  const sentry = await startSentry(t);
  sentry.answer = () => null;
  const queue = makeFolder(t);
  const four = process.env.NEXTAUTH_MPM === 'prefork' ? 'StartServers 4\nMaxRequestWorkers 4' : 'ThreadsPerChild 1\nServerLimit 4\nStartServers 4\nMaxRequestWorkers 4\nMinSpareThreads 4\nMaxSpareThreads 4';
  const site = await t.httpd({ files, config: config(four, `NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn}`) });
  await Promise.all(Array.from({ length: 40 }, () => fail(site)));
  t.is(queued(queue).length, 1, 'whoever fails many times at once has it reported once');
}

async function personal(t) {
  t.section('sendDefaultPii');
  const sentry = await startSentry(t);
  const site = await t.httpd({ files, env: { SENTRY_DSN: sentry.dsn, SENTRY_ENVIRONMENT: 'from-env', SENTRY_RELEASE: '7' }, config: config('NextAuthSentry env:SENTRY_DSN sendDefaultPii=On') });
  await fail(site);
  await until('a report', () => sentry.requests.length > 0);
  t.is([sentry.bad, sentry.events[0].user], [[], { ip_address: '127.0.0.1' }], 'tells from where');
  t.is([sentry.events[0].environment, sentry.events[0].release], ['from-env', '7'], 'what the directive does not say is the environment\'s');
  t.unlike(sentry.raw.join(), /the-code|the-state|the-cookie/, 'codes and cookies stay here all the same');
}

async function fromEnvironment(t) {
  t.section('from the environment');
  const sentry = await startSentry(t);
  const env = { SENTRY_DSN: sentry.dsn };
  const site = await t.httpd({ files, env, config: config() });
  await fail(site);
  await until('a report', () => sentry.requests.length > 0);
  t.is([sentry.bad, sentry.events[0].environment], [[], 'test'], 'SENTRY_DSN is enough; the environment is the mode');
  const queue = makeFolder(t);
  const off = await t.httpd({ files, env, config: config(`NextAuthEventQueue ${queue}`, 'NextAuthSentry Off') });
  await fail(off);
  const none = await t.httpd({ files, env, config: config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn} sampleRate=0`) });
  await fail(none);
  t.is([queued(queue).length, sentry.requests.length], [0, 1], 'Off, and a sample of none, report nothing');
  const engineless = await t.httpd({ env, config: 'NextAuthEngine Off' });
  t.is((await new Client(engineless).get('/')).status, 200, 'where the engine is off the variable is not looked at');
}

async function limits(t) {
  t.section('limits');
  const sentry = await startSentry(t);
  const queue = makeFolder(t);
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn}`) });
  sentry.answer = (n) => (n === 1 ? { status: 429, headers: { 'retry-after': '3' } } : 200);
  await fail(site);
  await until('it is tried again', () => sentry.requests.length === 2);
  t.ok(sentry.requests[1] - sentry.requests[0] >= 2900, '429 with Retry-After is obeyed');
  await until('nothing waits', () => queued(queue).length === 0);
  t.is(sentry.events[0].event_id, sentry.events[1].event_id, 'the same report');

  const other = await startSentry(t);
  const second = await t.httpd({ files, config: config(...oneChild, `NextAuthEventQueue ${queue}`, `NextAuthSentry ${other.dsn}`) });
  other.answer = (n) => (n === 1 ? { status: 200, headers: { 'x-sentry-rate-limits': '90:transaction:organization, 4:error;default:key' } } : 200);
  await fail(second);
  await until('a report', () => other.requests.length === 1);
  await fail(second, 'lost');
  await until('the next', () => other.requests.length === 2);
  t.ok(other.requests[1] - other.requests[0] >= 3900, 'X-Sentry-Rate-Limits of errors is obeyed, others are not');
  t.is([other.bad, other.events[1].tags.provider], [[], 'lost'], 'and the next report is sent then');

  const refusing = await startSentry(t);
  refusing.answer = () => 500;
  const third = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${refusing.dsn}`) });
  await fail(third);
  await until('it is given up', () => /gave up \w+ after 3 attempts/.test(third.log()));
  t.is([refusing.requests.length, queued(queue).length], [3, 0], 'a report is tried three times');
}

async function hanging(t) {
  t.section('a Sentry that hangs');
  const sentry = await startSentry(t);
  sentry.answer = () => null;
  const queue = makeFolder(t);
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn}`) });
  await fail(site);
  await until('a report is under way', () => sentry.requests.length === 1);
  const [folder] = fs.readdirSync(queue);
  const { uid, gid } = fs.statSync(path.join(queue, folder));
  for (let i = queued(queue).length; i < 100; i += 1) {
    const file = path.join(queue, folder, `9999999999999999-0000-0000000000000001-${String(i).padStart(32, '0')}.json`);
    fs.writeFileSync(file, '{}');
    fs.chownSync(file, uid, gid);
  }
  await site.stop();
  const again = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthSentry ${sentry.dsn}`) });
  const { status, location } = await fail(again);
  t.is([status, location], [302, `${again.url}/api/auth/error?error=OAuthSignin`], 'keeps nobody waiting');
  t.is(queued(queue).length, 100, 'and a full queue takes no more');
  t.is((await new Client(again).credentials('ada', 'x')).location, again.url, 'while sign-ins go on');
}

suite('Error reports to Sentry', async (t) => {
  await reports(t);
  await dependencies(t);
  await manyChildren(t);
  await personal(t);
  await fromEnvironment(t);
  await limits(t);
  await hanging(t);
});
