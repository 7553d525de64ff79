#!/usr/bin/env node
'use strict';
const dgram = require('node:dgram');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, root, roomy, until } = require('./lib/httpd.js');
const { apart, Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { startMail } = require('./lib/mail.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { parse, numbers, names, Malformed, promtool, promtoolIsHere } = require('./lib/prometheus.js');

const CLIENTS = 16;
const users = htpasswd(Object.fromEntries(Array.from({ length: CLIENTS }, (_, i) => [`user${i}`, 'x'])));
const config = (more = '') => `
NextAuthEngine On
NextAuthMode test
${roomy}
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
${more}
ExtendedStatus On
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /metrics>
  SetHandler nextauth-metrics
</Location>
<Location /server-status>
  SetHandler server-status
</Location>`;
const none = 'NextAuthSessionStore none';
const openMetrics = { accept: 'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2' };

const read = async (site) => parse((await new Client(site).get('/metrics')).text);
const counts = async (site) => numbers(await read(site));
const sum = (all, pattern) => Object.entries(all).filter(([series]) => pattern.test(series)).reduce((total, [, n]) => total + n, 0);
const all = (body) => Promise.all(Array.from({ length: CLIENTS }, (_, i) => body(i)));

// What each of the clients does: asks in vain, fails, signs in, looks twice, signs out.
async function visit(site, i) {
  const client = new Client(site, apart(i));
  const statuses = [(await client.get('/members/')).status];
  await client.credentials(`user${i}`, 'wrong');
  await client.credentials(`user${i}`, 'x');
  for (let look = 0; look < 2; look += 1) statuses.push((await client.get('/members/')).status);
  await client.signOut();
  return statuses.join(' ') === '401 200 200';
}

function isExact(t, now, rounds, what) {
  const n = rounds * CLIENTS;
  t.is([now['nextauth_signins_total{provider="credentials"}'], now['nextauth_signin_failures_total{provider="credentials",reason="CredentialsSignin"}'],
    sum(now, /^nextauth_signin_failures_total/), now.nextauth_signouts_total], [n, n, n, n], `${what}: sign-ins, failures and sign-outs`);
  t.is([now.nextauth_sessions_created_total, now.nextauth_sessions_ended_total, now.nextauth_session_duration_seconds_count], [n, n, n], '  sessions that began and ended');
  t.is([now['nextauth_session_checks_total{result="none"}'], sum(now, /^nextauth_session_checks_total\{result="(cached|opened|store)"/),
    now.nextauth_session_check_duration_seconds_count], [n, 2 * n, 2 * n], '  and checks of them');
}

// Counters and histograms of `before` that `after` has less of, or not at all.
function lost(before, after) {
  return Object.keys(before).filter((series) => /_(total|bucket|count|sum)\b/.test(series) && !(after[series] >= before[series]));
}

function startSink(t) {
  return new Promise((resolve) => {
    const socket = dgram.createSocket('udp4');
    const datagrams = [];
    socket.on('message', (message) => datagrams.push(message));
    socket.bind(0, '127.0.0.1', () => resolve({ port: socket.address().port, datagrams }));
    t.cleanup(() => socket.close());
  });
}

// A provider's discovery document, or whatever status is wanted.
function startProvider(t) {
  return new Promise((resolve) => {
    const state = { status: 200, calls: 0 };
    const server = http.createServer((request, response) => {
      const issuer = `http://127.0.0.1:${server.address().port}`;
      state.calls += 1;
      response.writeHead(state.status, { 'content-type': 'application/json' }).end(JSON.stringify({ issuer, authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`, jwks_uri: `${issuer}/jwks`, response_types_supported: ['code'] }));
    });
    server.listen(0, '127.0.0.1', () => resolve(Object.assign(state, { url: `http://127.0.0.1:${server.address().port}` })));
    t.cleanup(() => server.close());
  });
}

const isMalformed = (text, options) => {
  try {
    parse(text, options);
    return false;
  } catch (error) {
    return error instanceof Malformed;
  }
};

suite('Metrics, for Prometheus, mod_status and StatsD', async (t) => {
  t.section('the parser that this test relies on is strict');
  {
    const good = '# HELP a_total Some.\n# TYPE a_total counter\na_total{x="1",y="\\"\\\\\\n"} 1\n# HELP h H.\n# TYPE h histogram\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 2\nh_sum 3.5\nh_count 2\n';
    t.is(numbers(parse(good))['a_total{x="1",y="\\"\\\\\\n"}'], 1, 'it takes what is right');
    for (const [change, to, why] of [['} 1\n', '} 1', 'no line end within'], [/\n$/, '', 'no line end'], ['# TYPE a_total counter\n', '', 'no TYPE'], ['# HELP a_total Some.\n', '', 'no HELP'],
      ['counter', 'count', 'an unknown type'], ['x="1"', 'x="1",x="2"', 'a label twice'], ['x="1"', 'x=1', 'no quotes'], ['\\n"', '\\t"', 'a bad escape'], ['x="1"', '1x="1"', 'a bad label'],
      ['} 1\n', '} one\n', 'no number'], ['} 1\n', '} -1\n', 'a counter below 0'], ['# HELP h', 'a_total{y="\\"\\\\\\n",x="1"} 1\n# HELP h', 'a sample twice'], ['# HELP h', 'b 1\n# HELP h', 'another family\'s sample'],
      ['h_count 2', 'h_count 1', 'a count that is not +Inf\'s'], ['le="+Inf"', 'le="2.0"', 'no +Inf'], ['le="1.0"} 1', 'le="1.0"} 3', 'buckets that are not cumulative'], ['h_sum 3.5\n', '', 'no sum'],
      [/$/, '# TYPE a_total counter\n', 'a family twice'], [/$/, '\n', 'an empty line'], ['a_total{', 'a-total{', 'a bad name']]) {
      t.ok(isMalformed(good.replace(change, to)), `and refuses ${why}`);
    }
    t.ok(isMalformed(good, { openMetrics: true }) && isMalformed(`${good}# EOF\n`, { openMetrics: true }), 'as OpenMetrics a counter has another name, and the text an end');
  }

  t.section('the two formats');
  const sink = await startSink(t);
  const provider = await startProvider(t);
  const site = await t.httpd({ files: { users }, modules: ['watchdog'], config: config(`${none}
NextAuthProvider acme type=oidc issuer=${provider.url} clientId=a clientSecret=b
NextAuthStatsD 127.0.0.1:${sink.port} prefix=site format=dogstatsd interval=1`) });
  const plain = await new Client(site).get('/metrics');
  t.is([plain.status, plain.headers['content-type'], plain.headers['cache-control']], [200, 'text/plain; version=0.0.4; charset=utf-8', 'no-store'], 'Prometheus\' text by default');
  const families = parse(plain.text);
  t.ok(families.size > 20, 'is well-formed');
  if (!promtoolIsHere()) t.skip('Prometheus finds nothing wrong with it', 'install prometheus');
  else t.is(promtool(['check', 'metrics'], plain.text), { status: 0, text: '' }, 'Prometheus finds nothing wrong with it');
  const open = await new Client(site).get('/metrics', { headers: openMetrics });
  t.is(open.headers['content-type'], 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'OpenMetrics where that is preferred');
  const opened = parse(open.text, { openMetrics: true });
  t.is(Object.keys(numbers(opened)).sort(), Object.keys(numbers(families)).sort(), 'is well-formed and has the same samples');
  const head = await new Client(site).get('/metrics', { method: 'HEAD' });
  t.is([head.status, head.headers['content-type'], head.text], [200, plain.headers['content-type'], ''], 'HEAD has no body');
  const post = await new Client(site).post('/metrics', {});
  t.is([post.status, post.headers.allow, post.json], [405, 'GET, HEAD', { error: 'unsupported method: expected GET, HEAD' }], 'POST is refused');
  const info = [...families.get('nextauth_build_info').samples][0];
  t.like(`${info.labels.version} ${info.labels.httpd} ${info.labels.openssl} ${info.value}`, /^\d+\.\d+\.\d+ 2\.\d+\.\d+ 3\.\d+\.\d+\S* 1$/, 'what is running');
  const { nextauth_start_time_seconds: started } = numbers(families);
  t.ok(Math.abs(Date.now() / 1000 - started) < 60, 'and since when');
  t.ok(!families.get('nextauth_sessions_active').samples.length, 'without a store nobody says how many sessions there are');

  t.section('many at once');
  t.ok((await all((i) => visit(site, i))).every(Boolean), 'sixteen clients are served');
  const first = await counts(site);
  isExact(t, first, 1, 'exact');
  t.unlike((await new Client(site).get('/metrics')).text, /user\d|members|127\.0\.0\.1\b(?!"\})/, 'no user, path or address of a client is in it');

  t.section('over reloads');
  await site.reload();
  t.is(lost(first, await counts(site)), [], 'nothing is lost');
  await all((i) => visit(site, i));
  isExact(t, await counts(site), 2, 'counting goes on');
  t.is((await counts(site)).nextauth_start_time_seconds, started, 'since when, does not change');

  t.section('outgoing calls');
  {
    t.like((await new Client(site).signIn('acme')).location || '', new RegExp(`^${provider.url}/authorize\\?`), 'a provider that answers');
    const before = await counts(site);
    t.is([before['nextauth_http_request_duration_seconds_count{host="127.0.0.1"}'], before['nextauth_http_request_failures_total{host="127.0.0.1"}']], [provider.calls, 0], 'its calls are counted');
    const other = await t.httpd({ files: { users }, config: config(`${none}\nNextAuthProvider acme type=oidc issuer=${provider.url} clientId=a clientSecret=b`) });
    provider.status = 502;
    const calls = provider.calls;
    t.like((await new Client(other).signIn('acme')).location || '', /error=OAuthSignin/, 'one that fails');
    const after = await counts(other);
    t.is([provider.calls > calls, after['nextauth_http_request_failures_total{host="127.0.0.1"}']], [true, provider.calls - calls], 'is counted as such');
    t.is(after['nextauth_signin_failures_total{provider="acme",reason="OAuthSignin"}'], 1, 'and the sign-in with the error\'s code');
    await new Client(other).get('/api/auth/callback/nobody%22%0a1');
    const strange = await counts(other);
    t.is([sum(strange, /nobody/), sum(strange, /^nextauth_signin_failures_total/)], [0, 1], 'with a provider that only the client knows, nobody can fail to sign in');
    await new Client(other).get('/api/auth/callback/acme?state=x&code=x');
    t.is((await counts(other))['nextauth_signin_failures_total{provider="acme",reason="InvalidCheck"}'], 1, 'a state of nobody\'s has a reason of its own');
  }

  t.section('the audit log, events and error reports');
  {
    const gone = await freePort();
    const told = await t.httpd({ files: { users }, config: config(`${none}
NextAuthAuditLog @DIR@/audit.log
NextAuthEventQueue @DIR@/queue
NextAuthEvent signIn http://127.0.0.1:${gone}/ secret=what-the-receiver-knows-as-well
NextAuthSentry http://key@127.0.0.1:${gone}/1
NextAuthProvider gone type=oidc issuer=http://localhost:1 clientId=a clientSecret=b`) });
    for (let i = 0; i < 3; i += 1) await new Client(told).credentials(`user${i}`, 'x');
    for (let i = 0; i < 2; i += 1) await new Client(told).credentials(`user${i}`, 'wrong');
    await Promise.all([1, 2].map(() => new Client(told).signIn('gone')));
    const now = await counts(told);
    t.is([now.nextauth_audit_records_total, now.nextauth_audit_failures_total], [7, 0], 'records: sign-ins and failures');
    t.is(now.nextauth_event_queue_depth, 3, 'events that wait for a receiver that is not there');
    t.ok(now['nextauth_error_reports_total{result="dropped"}'] <= 1, 'a report like the one before is dropped by the same process');
    const receiver = http.createServer((request, answer) => answer.end()).listen(gone, '127.0.0.1');
    t.cleanup(() => receiver.close());
    await until('events are delivered', async () => (await counts(told))['nextauth_events_delivered_total{result="delivered"}'] === 3);
    const after = await counts(told);
    t.is(after.nextauth_event_queue_depth, 0, 'delivered, they wait no more');
    await until('a report is sent', async () => (await counts(told))['nextauth_error_reports_total{result="sent"}'] >= 1);
    t.ok(true, 'and so is a report');
  }

  t.section('StatsD, with tags');
  {
    const total = () => {
      const sums = {};
      for (const datagram of sink.datagrams) {
        for (const line of datagram.toString().split('\n')) {
          const [, name, value, type, tags] = /^(site\.[a-z_.]+):(\d+(?:\.\d+)?)\|([cg])(?:\|#([a-z]+:[^|,:#@\s]+(?:,[a-z]+:[^|,:#@\s]+)*))?$/.exec(line) || t.ok(false, `a bad line: ${line}`) || [];
          const key = tags ? `${name}|${tags}` : name;
          sums[key] = type === 'c' ? (sums[key] || 0) + Number(value) : Number(value);
        }
      }
      return sums;
    };
    await until('all is sent', () => total()['site.signouts'] === 2 * CLIENTS && total()['site.signins|provider:credentials'] === 2 * CLIENTS);
    const now = total();
    t.is(now['site.signin_failures|provider:credentials,reason:CredentialsSignin'], 2 * CLIENTS, 'counters, in pieces that add up, over processes and reloads');
    t.is(now['site.session_check_duration_seconds.count'], 4 * CLIENTS, 'histograms\' counts');
    const exact = await counts(site);
    t.ok(Math.abs(now['site.session_check_duration_seconds.sum'] / 1000 - exact.nextauth_session_check_duration_seconds_sum) < 0.001, 'and sums, in milliseconds');
    t.is(now['site.mail_queue_depth'], 0, 'gauges');
    t.ok(sink.datagrams.every(({ length }) => length <= 1432), 'no datagram is too large');
  }

  t.section('StatsD without tags');
  {
    const other = await startSink(t);
    const named = await t.httpd({ files: { users }, modules: ['watchdog'], config: config(`${none}\nNextAuthStatsD 127.0.0.1:${other.port} interval=1`) });
    await new Client(named).credentials('user1', 'x');
    await until('the sign-in is sent', () => /^nextauth\.signins\.credentials:1\|c$/m.test(other.datagrams.join('\n')));
    t.ok(true, 'labels are in the names');
  }
  {
    const nowhere = await t.httpd({ files: { users }, modules: ['watchdog'], config: config(`${none}\nNextAuthStatsD no-such-host.invalid:8125 interval=1`) });
    await until('the log says so', () => /NextAuthStatsD no-such-host\.invalid:8125: .*\(logged once\)/.test(nowhere.log()));
    t.is((await new Client(nowhere).credentials('user1', 'x')).location, nowhere.url, 'a StatsD that is not there is in nobody\'s way');
  }

  t.section('children that come and go');
  {
    const site2 = await t.httpd({ files: { users }, config: config(`${none}\nMaxConnectionsPerChild 25`) });
    let before = await counts(site2);
    const gone = [];
    for (let round = 0; round < 3; round += 1) {
      await all((i) => visit(site2, i));
      const now = await counts(site2);
      gone.push(...lost(before, now));
      before = now;
      if (round === 1) await site2.reload();
    }
    t.is(gone, [], 'no counter ever goes down');
    isExact(t, await counts(site2), 3, 'and each child\'s are kept');
  }

  t.section('mod_status');
  {
    const auto = (await new Client(site).get('/server-status?auto')).text;
    t.like(auto, new RegExp(`^NextAuthSignins: ${2 * CLIENTS}\nNextAuthSigninFailures: ${2 * CLIENTS}\nNextAuthSecondFactors: 0\nNextAuthSignouts: ${2 * CLIENTS}$`, 'm'), '?auto has a line for each, summed over its labels');
    t.like(auto, new RegExp(`^NextAuthSessionCheckDurationSecondsCount: ${4 * CLIENTS}\nNextAuthSessionCheckDurationSecondsSum: \\d+\\.\\d{9}$`, 'm'), 'and two for a histogram');
    t.ok(auto.slice(auto.indexOf('NextAuthSignins')).trim().split('\n').filter((line) => line.startsWith('NextAuth')).every((line) => /^\w+: \d+(\.\d+)?$/.test(line)), 'as mod_status writes them');
    const page = (await new Client(site).get('/server-status')).text;
    t.like(page, new RegExp(`<h2>NextAuth</h2>\\s*<table[^>]*>\\s*<tr><td>[^<]+</td><td>${2 * CLIENTS}</td></tr>[^]*</table>`), 'the page has a table');
  }

  t.section('who may see them');
  {
    const guarded = await t.httpd({ files: { users }, config: `${config(none)}
<Location /guarded>
  SetHandler nextauth-metrics
  Require all denied
</Location>` });
    t.is((await new Client(guarded).get('/guarded')).status, 403, 'whom Require lets in');
    const off = await t.httpd({ files: { users }, config: config(none).replace('Engine On', 'Engine Off').replace(/<Location \/members\/>[^]*?<\/Location>/, '') });
    const absent = await new Client(off).get('/metrics');
    t.is([absent.status, Object.keys(absent.json)], [404, ['error']], 'where no engine is on there are none');
    t.unlike((await new Client(off).get('/server-status?auto')).text, /NextAuth/, 'nor in mod_status');
  }

  t.section('session stores');
  if (!redisIsHere()) t.skip('a store that goes away', 'install redis-server');
  else {
    const redis = await startRedis(t);
    const stored = await t.httpd({ files: { users }, modules: ['watchdog'], config: config(`NextAuthRedis ${redis.url}\nNextAuthSessionStore redis checkInterval=0`) });
    const clients = await all(async (i) => {
      const client = new Client(stored, apart(i)); // one address alone has no place for sixteen checks in a child
      t.is((await client.credentials(`user${i}`, 'x')).location, stored.url, `user${i} signs in`);
      return client;
    });
    for (const client of clients.slice(0, 4)) await client.signOut();
    t.is((await clients[9].get('/members/')).status, 200, 'a session');
    const up = await counts(stored);
    t.is([sum(up, /^nextauth_store_up\{/), sum(up, /^nextauth_store_errors_total\{/), up['nextauth_session_checks_total{result="store"}'], up.nextauth_sessions_ended_total], [1, 0, 1, 4], 'a store that answers');
    await clients[9].post('/api/auth/sessions', { csrfToken: await clients[9].csrf(), all: 'true' });
    await stored.reload();
    // at the start; where that failed, again after a minute
    await until('they are counted', async () => (await counts(stored)).nextauth_sessions_active === CLIENTS - 4, 150_000);
    t.ok(true, 'sessions are counted, those that ended and lists of users are not');
    await redis.stop();
    t.is((await clients[9].get('/members/')).status, 503, 'the store goes away');
    const down = await counts(stored);
    t.is([sum(down, /^nextauth_store_up\{/), sum(down, /^nextauth_store_errors_total\{/) > 0, down['nextauth_session_checks_total{result="unavailable"}']], [0, true, 1], 'which is seen');
  }

  t.section('a database, and mails');
  if (!databasesHere().sqlite) t.skip('a database', 'install sqlite3 libaprutil1-dbd-sqlite3');
  else {
    const db = sqlite(t);
    await nextauthctl(db, ['migrate']);
    const mail = await startMail(t, { tls: 'none' });
    const full = await t.httpd({ files: { users }, modules: ['watchdog'], config: config(`NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} "from=Site <no-reply@example.org>"
NextAuthProvider email
NextAuthSessionStore database`) });
    await new Client(full).signIn('email', { email: 'ada@example.org' });
    await new Client(full).signIn('email', { email: 'nobody' });
    await until('the mail is counted', async () => (await counts(full))['nextauth_mails_total{result="sent"}'] === 1);
    const now = await counts(full);
    t.is([now.nextauth_mail_queue_depth, sum(now, /^nextauth_mails_total/)], [0, 1], 'a mail, which does not wait any more');
    t.is(now['nextauth_signin_failures_total{provider="email",reason="EmailSignin"}'], 1, 'an address that is none');
    t.is([sum(now, /^nextauth_database_up\{database="SQLite /), sum(now, /^nextauth_database_errors_total\{database="SQLite /)], [1, 0], 'the database answers');
    fs.renameSync(db.file, `${db.file}.away`);
    fs.mkdirSync(db.file);
    await full.reload();
    await new Client(full).signIn('email', { email: 'ada@example.org' });
    const down = await counts(full);
    t.is([sum(down, /^nextauth_database_up\{/), sum(down, /^nextauth_database_errors_total\{/) > 0], [0, true], 'it does not any more');
  }

  t.section('what is documented, and what asks for it');
  {
    const known = names(families);
    const file = (name) => fs.readFileSync(path.join(root, name), 'utf8');
    const manual = file('docs/metrics.md');
    const table = new Map([...manual.matchAll(/^\| `(nextauth_\w+)` \| (\w+) \|([^|]*)\|/gm)].map(([, name, type, labels]) => [name, `${type} ${labels.trim()}`.trim()]));
    t.is([...table.keys()].sort(), [...families.keys()].sort(), 'docs/metrics.md has every family, and no other');
    for (const { name, type, samples } of families.values()) {
      const labels = [...new Set(samples.flatMap((sample) => Object.keys(sample.labels)))].filter((label) => label !== 'le');
      const said = table.get(name) || '';
      t.ok(said.startsWith(type) && (!samples.length || said === `${type} ${labels.join(', ')}`.trim()), `  ${name} as it is`, said, labels.join(', '));
    }
    for (const name of ['conf/grafana-dashboard.json', 'conf/prometheus-alerts.yml']) {
      const asked = [...new Set(file(name).match(/\bnextauth_\w+/g))];
      t.is(asked.filter((metric) => !known.has(metric)), [], `${name} asks for nothing that is not there`);
      t.ok(asked.length > 5, '  and for something');
    }
    const panels = JSON.parse(file('conf/grafana-dashboard.json')).panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const shown = new Set(panels.join(' ').match(/\bnextauth_[a-z_]+/g).map((metric) => metric.replace(/_(bucket|sum|count)$/, '')));
    t.is([...families.keys()].filter((name) => !shown.has(name) && name !== 'nextauth_start_time_seconds'), [], 'the dashboard shows every family');
  }
});
