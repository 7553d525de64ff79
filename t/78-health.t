#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const https = require('node:https');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, socketsOf, until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, startPostgres, startPostgresPair, sqlite } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { makeCertificates, startMail } = require('./lib/mail.js');
const { nextauthctl, empty } = require('./lib/ctl.js');
const { startOp } = require('./lib/op.js');

const users = htpasswd({ ada: 'x' });
const PASSWORDS = 'NextAuthProvider credentials backend=file:@DIR@/users';
const config = (more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of a site whose health is asked"
${more}
<Location /health>
  SetHandler nextauth-health
</Location>`;

// Another one is made every two seconds at most: an answer may be as old as that.
const settles = (what, site, wanted) => until(what, async () => {
  const { status, json } = await new Client(site).get('/health');
  return status === wanted.http && Object.entries(wanted).every(([name, value]) => name === 'http' || name === 'status' || json.checks[name]?.status === value) && json.status === wanted.status;
});

suite('Health: what a site rests on', async (t) => {
  const here = databasesHere();
  if (!here.postgres || !here.sqlite || !redisIsHere()) t.skipAll(`install ${[...here.lacking, 'redis-server'].join(' ')}`);
  const becomes = async (site, wanted, name) => {
    const last = async () => JSON.stringify((await new Client(site).get('/health')).json);
    await settles(name, site, wanted).then(() => t.ok(true, name), async (error) => t.ok(false, name, error.message, await last()));
  };
  const lives = async (site, name) => {
    const answer = await new Client(site).get('/health/live');
    t.is([answer.status, answer.text], [200, '{"status":"alive"}'], `${name}: the process is alive all the same`);
  };

  t.section('PostgreSQL with a replica, Redis, a provider and mail');
  const pair = await startPostgresPair(t);
  await nextauthctl(pair.primary, ['migrate']);
  const redis = await startRedis(t);
  const mail = await startMail(t, { tls: 'none' });
  const redirectPort = await freePort();
  const opOptions = { port: await freePort(), clients: [{ client_id: 'site', client_secret: 'the-secret-of-the-client',
    redirect_uris: [`http://localhost:${redirectPort}/api/auth/callback/acme`] }] };
  const op = await startOp(t, opOptions);
  const acme = `NextAuthProvider acme type=oidc issuer=${op.issuer} clientId=site clientSecret=the-secret-of-the-client`;
  const site = await t.httpd({ port: redirectPort, files: { users }, config: config(`
NextAuthDatabase ${pair.primary.url} replica=${pair.replica.url} timeout=1s
NextAuthRedis ${redis.url} timeout=500ms connectTimeout=500ms
NextAuthSessionStore redis database
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider email
${acme}
${PASSWORDS}`) });
  const all = { session: 'up', store: 'up', database: 'up', replica: 'up', redis: 'up', providers: 'up', mail: 'up', clock: 'up' };
  const healthy = { http: 200, status: 'healthy', ...all };
  await pair.caughtUp();
  await becomes(site, healthy, 'everything is up');
  const answer = await new Client(site).get('/health');
  t.is(Object.keys(answer.json), ['status', 'checks', 'time'], 'status, checks and time');
  t.is(answer.json.checks, Object.fromEntries(Object.entries(all).map(([name, status]) => [name, { status }])), 'a check for each thing that is configured');
  t.ok(Math.abs(Date.parse(answer.json.time) - Date.now()) < 60_000, 'made of late');
  t.is([answer.headers['cache-control'], answer.headers['content-type']], ['no-store', 'application/json; charset=utf-8'], 'no cache keeps it');
  t.is((await new Client(site).get('/health/ready')).json.status, 'healthy', '/ready is the same');
  const head = await new Client(site).get('/health', { method: 'HEAD' });
  t.is([head.status, head.text], [200, ''], 'HEAD is answered');
  const post = await new Client(site).post('/health', {});
  t.is([post.status, post.headers.allow], [405, 'GET, HEAD'], 'POST is not');

  t.section('names below the path');
  {
    const named = await t.httpd({ files: { users }, config: `
<Location />
  SetHandler nextauth-health
</Location>
${config(PASSWORDS)}
<Location /health/ready>
  Require all granted
</Location>
<Location /well/known>
  SetHandler nextauth-health
</Location>
<LocationMatch ^/matched>
  SetHandler nextauth-health
</LocationMatch>` });
    const statusOf = async (path) => {
      const { status, json } = await new Client(named).get(path);
      return `${status} ${json.status || Object.keys(json)}`;
    };
    for (const path of ['/well/known', '/well/known/ready', '/health/ready', '/ready']) t.is(await statusOf(path), '200 healthy', path);
    for (const path of ['/well/known/live', '/live']) t.is(await statusOf(path), '200 alive', path);
    for (const path of ['/well/known/livez', '/well/known/live/', '/well/known/Live', '/well/known/live/ready', '/well/known/ready/live', '/well/knownlive', '/healthz', '/matched', '/matched/live']) {
      t.is(await statusOf(path), '404 error', `${path} is no name: a probe that is misspelt never succeeds`);
    }
  }

  t.section('Redis');
  redis.kill('SIGSTOP');
  await becomes(site, { http: 503, status: 'unhealthy', redis: 'down', store: 'down', database: 'up' }, 'a Redis that hangs: 503');
  await lives(site, 'while it hangs');
  redis.kill('SIGCONT');
  await becomes(site, healthy, 'it goes on');
  await redis.stop();
  await becomes(site, { http: 503, status: 'unhealthy', redis: 'down', session: 'up' }, 'a Redis that is gone: 503');
  await lives(site, 'without it');
  await redis.start();
  await becomes(site, healthy, 'it is back');

  t.section('the database and its replica');
  await pair.replica.stop('SIGKILL');
  await becomes(site, { http: 200, status: 'degraded', replica: 'down', database: 'up', store: 'up' }, 'the replica is gone: degraded');
  await pair.replica.start();
  await becomes(site, healthy, 'it is back');
  await pair.primary.stop('SIGKILL');
  await becomes(site, { http: 200, status: 'degraded', database: 'down', replica: 'up' }, 'the primary is gone, the replica answers: degraded');
  await pair.replica.stop('SIGKILL');
  await becomes(site, { http: 503, status: 'unhealthy', database: 'down', replica: 'down' }, 'both are gone: 503');
  await lives(site, 'without both');
  await pair.primary.start();
  await pair.replica.start();
  await becomes(site, healthy, 'both are back');

  t.section('a provider');
  const start = async () => {
    const client = new Client(site);
    return { client, callback: await op.authorize(client, await client.signIn('acme'), 'alice') };
  };
  const [failing, later] = [await start(), await start()];
  await op.stop();
  t.like((await failing.client.page(failing.callback)).location, /error=/, 'nobody signs in while the provider is gone');
  await becomes(site, { http: 200, status: 'degraded', providers: 'down' }, 'it did not answer: degraded, for others can still sign in');
  await lives(site, 'without it');
  t.like(site.log(), /provider acme is down: no response/, 'the log says so');
  const second = await startOp(t, opOptions);
  await later.client.page(later.callback);
  // a child that asked in vain does not ask again at once
  await until('the log says that it is back', async () => {
    await new Client(site).signIn('acme');
    return /provider acme is back, after \d+ s/.test(site.log());
  });
  await becomes(site, healthy, 'its next answer counts, whatever it says');
  t.like(site.log(), /provider acme is back, after \d+ s/, 'the log says that, too');
  t.is(second.asked, [], 'nobody was called for it');

  t.section('mail');
  mail.answers.MAIL = [451, 451, 451];
  await new Client(site).signIn('email', { email: 'ada@example.org' });
  await becomes(site, { http: 200, status: 'degraded', mail: 'down' }, 'the last attempt failed: degraded');
  mail.answers.MAIL = [];
  await becomes(site, healthy, 'the next one does not');
  mail.answers.RCPT = [550];
  const attempts = mail.attempts;
  await new Client(site).signIn('email', { email: 'nobody@example.org' });
  await until('it is refused', () => mail.attempts > attempts && /given up/.test(site.log()));
  await becomes(site, healthy, 'that one recipient is refused is nothing against the server');

  t.section('what is told');
  {
    const told = JSON.stringify((await new Client(site).get('/health')).json);
    for (const what of ['localhost', '127.0.0.1', op.port, redis.port, pair.primary.port, 'acme', 'nextauth', 'secret']) {
      t.ok(!told.replace(/"time":"[^"]*"/, '').includes(String(what)), `nothing of ${typeof what === 'number' ? 'ports' : what}`, told);
    }
  }

  t.section('only providers, and all of them down');
  {
    const port = await freePort();
    const dead = await freePort();
    const lonely = await t.httpd({ port, config: config(`NextAuthProvider acme type=oidc issuer=http://localhost:${dead} clientId=site clientSecret=x`) });
    await becomes(lonely, { http: 200, status: 'healthy', session: 'up', providers: 'up' }, 'nobody has called it yet: healthy');
    const { json } = await new Client(lonely).get('/health');
    t.is(Object.keys(json.checks), ['session', 'providers', 'clock'], 'what is not configured is not checked');
    await new Client(lonely).signIn('acme');
    await becomes(lonely, { http: 503, status: 'unhealthy', providers: 'down' }, 'there is no other way to sign in: 503');
    await lives(lonely, 'then');
  }

  t.section('sessions that are served while the store is down');
  {
    const other = await startRedis(t);
    const serving = await t.httpd({ files: { users }, config: config(`${PASSWORDS}
NextAuthRedis ${other.url} timeout=500ms connectTimeout=500ms
NextAuthSessionStore redis whenDown=serve:600`) });
    await becomes(serving, { http: 200, status: 'healthy', redis: 'up' }, 'healthy');
    await other.stop();
    await becomes(serving, { http: 200, status: 'degraded', redis: 'down' }, 'degraded, not unhealthy');
  }

  t.section('SQLite');
  {
    const db = sqlite(t);
    const plain = await t.httpd({ files: { users }, config: config(`${PASSWORDS}\nNextAuthDatabase ${db.url}\nNextAuthSessionStore database`) });
    await becomes(plain, { http: 503, status: 'unhealthy', database: 'down' }, 'tables that were never made: 503');
    await nextauthctl(db, ['migrate']);
    await becomes(plain, { http: 200, status: 'healthy', database: 'up', store: 'up' }, 'then they are');
    for (const [what, change] of [['a file that is gone', () => {}], ['a file that is broken', () => fs.writeFileSync(db.file, Buffer.alloc(65536, 'x'), { mode: 0o666 })]]) {
      await empty(db);
      change();
      await plain.reload();
      await becomes(plain, { http: 503, status: 'unhealthy', database: 'down' }, `${what}: 503`);
    }
  }

  t.section('clocks');
  {
    const certificates = makeCertificates(t);
    let headers = {};
    const server = https.createServer(certificates, (req, res) => {
      res.sendDate = false;
      res.writeHead(404, headers());
      res.end();
    });
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    t.cleanup(() => { server.close(); server.closeAllConnections(); });
    const { port } = server.address();
    const dated = await t.httpd({ files: { users }, config: config(`${PASSWORDS}
NextAuthHTTP caFile=${certificates.ca}
NextAuthProvider acme type=oidc issuer=https://localhost:${port} clientId=site clientSecret=x`) });
    const at = (seconds) => new Date(Date.now() + seconds * 1000).toUTCString();
    const degraded = { http: 200, status: 'degraded', clock: 'degraded', providers: 'up' };
    const fine = { http: 200, status: 'healthy', clock: 'up' };
    // children that asked in vain do not ask again at once, new ones do
    const asks = async () => {
      await dated.reload();
      await new Client(dated).signIn('acme');
    };
    headers = () => ({ date: at(-3600), age: '3600' });
    await asks();
    await becomes(dated, fine, 'what comes out of a cache says nothing of the time');
    for (const seconds of [-120, 120]) {
      headers = () => ({ date: at(seconds) });
      await asks();
      await becomes(dated, degraded, `a provider's clock says ${seconds} s: degraded`);
      headers = () => ({ date: at(0) });
      await asks();
      await becomes(dated, fine, 'it agrees again');
    }
    headers = () => ({ date: 'half past nine' });
    await asks();
    await becomes(dated, fine, 'what is no date does not count');
  }

  t.section('many ask at once');
  {
    const db = await startPostgres(t, { settings: { log_statement: 'all' } });
    await nextauthctl(db, ['migrate']);
    const asked = await t.httpd({ files: { users }, config: config(`${PASSWORDS}\nNextAuthDatabase ${db.url}`) });
    const questions = () => (db.log().match(/execute has_table/g) || []).length;
    const before = questions();
    const from = Date.now();
    const answers = await Promise.all(Array.from({ length: 200 }, () => new Client(asked).get('/health')));
    const rounds = Math.ceil((Date.now() - from) / 2000) + 1;
    t.ok(answers.every(({ status }) => status === 200), 'all are answered');
    const children = fs.readFileSync(`/proc/${asked.pid}/task/${asked.pid}/children`, 'utf8').trim().split(' ').length;
    t.ok(questions() > before && questions() - before <= children * rounds, '200 probes, and a process asks the database once in two seconds', `${questions() - before} of ${children} processes in ${rounds} rounds`);
  }

  t.section('a virtual host beside one whose store hangs');
  {
    const stuck = await startRedis(t);
    const two = await t.httpd({ files: { users }, config: `StartServers 1\nServerLimit 1\n${process.env.NEXTAUTH_MPM === 'prefork' ? 'MaxRequestWorkers 1' : 'MaxRequestWorkers 12'}\n${config(PASSWORDS)}
<VirtualHost *:@PORT@>
ServerName other.localhost
</VirtualHost>
<VirtualHost *:@PORT@>
ServerName stuck.localhost
NextAuthURL http://stuck.localhost:@PORT@
NextAuthRedis ${stuck.url} timeout=13s connectTimeout=13s
NextAuthSessionStore redis
</VirtualHost>` });
    stuck.kill('SIGSTOP');
    const slow = new Client({ ...two, url: `http://stuck.localhost:${two.port}` }).get('/health');
    await until('its probe waits', () => socketsOf(stuck.port).unread);
    t.is((await new Client(two).get('/health')).json.status, 'healthy', 'is as healthy as it is alone');
    t.is((await slow).json.status, 'unhealthy', 'which the other is not');
    stuck.kill('SIGCONT');
  }

  t.section('no engine');
  {
    const off = await t.httpd({ config: '<Location /health>\nSetHandler nextauth-health\n</Location>' });
    const none = await new Client(off).get('/health');
    t.is([none.status, Object.keys(none.json)], [404, ['error']], 'a server without NextAuthEngine: 404');
  }
});
