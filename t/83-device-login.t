#!/usr/bin/env node
'use strict';
// Device authorization: RFC 8628 from both ends, at real servers.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { configtest, ctlFile, makeFolder, until } = require('./lib/httpd.js');
const { Client, request } = require('./lib/client.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { addUser, ctl, empty } = require('./lib/ctl.js');
const { codeOf, enrol, give, letTimePass, oathtoolIsHere } = require('./lib/second-factor.js');
const { open, seal } = require('./lib/token.js');

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const SECRET = 'the secret of sites with devices is long';
const NAME = 'next-auth.session-token';
const WORD = 'seven lanterns under water';
const TOKEN = /^na_pat_[0-9A-Za-z]{49}$/;

const config = (db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSite the-site
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthFeature deviceLogin On
NextAuthAuditLog @DIR@/audit.log
${more}
<Location />
  AuthType NextAuth
  Require valid-user
</Location>
<Location /svn>
  NextAuthAcceptTokens personal
</Location>`;
const files = { 'htdocs/svn/index.html': 'repository', 'htdocs/members/index.html': 'members' };

// ── the device ──────────────────────────────────────────────────────────────────────────────────

const post = (site, path, fields) => request(`${site.url}/api/auth/${path}`, { method: 'POST',
  headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() });
const begin = async (site, more = {}) => (await post(site, 'device-authorization', { client_id: 'a-tool', device_name: "Ada's laptop", ...more })).json;
const ask = (site, code, more = {}) => post(site, 'token', { grant_type: GRANT, client_id: 'a-tool', device_code: code, ...more });
const use = (site, path, token) => request(`${site.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
const errorOf = (answer) => [answer.status, answer.json?.error];

// ── the user ────────────────────────────────────────────────────────────────────────────────────

async function signedIn(site, email = 'ada@example.org') {
  const client = new Client(site);
  await client.credentials(email, WORD);
  return client;
}
const decide = async (user, code, decision) => user.post('/api/auth/device', { csrfToken: await user.csrf(), user_code: code, decision });
const tokensOf = (db) => db.sql("SELECT user_id, name, scope FROM nextauth_secrets WHERE kind = 'token' ORDER BY created_at");
const recordsOf = (site) => fs.readFileSync(`${site.dir}/audit.log`, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));

async function prepare(db) {
  await empty(db);
  await ctl(db, 'migrate');
  return { ada: await addUser(db, 'ada@example.org', WORD), bob: await addUser(db, 'bob@example.org', WORD) };
}

async function flow(t, db) {
  t.section(`${db.engine}: from the code to the token`);
  const ids = await prepare(db);
  const site = await t.httpd({ files, config: config(db) });
  const codes = await begin(site, { scope: 'GET,PROPFIND /svn; /dav' });
  t.like(codes.user_code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/, 'the user code is easy to read and to type');
  t.like(codes.device_code, /^[\w-]{43}$/, 'the device code has 256 bits');
  t.is([codes.verification_uri, codes.verification_uri_complete, codes.expires_in, codes.interval],
    [`${site.url}/api/auth/device`, `${site.url}/api/auth/device?user_code=${codes.user_code}`, 900, 5], 'and RFC 8628 section 3.2 has the rest');
  t.is(errorOf(await ask(site, codes.device_code)), [400, 'authorization_pending'], 'nobody has decided');
  t.is(errorOf(await ask(site, codes.device_code)), [400, 'slow_down'], 'a poll at once is too fast');
  t.is(errorOf(await ask(site, codes.device_code, { client_id: 'another' })), [400, 'invalid_grant'], 'another client gets nothing');
  const nobody = await new Client(site).page(codes.verification_uri_complete);
  t.is([nobody.status, new URL(nobody.location).pathname, new URL(nobody.location).searchParams.get('callbackUrl')],
    [302, '/api/auth/signin', codes.verification_uri_complete], 'the user has to sign in first, and comes back');
  const ada = await signedIn(site);
  const page = await ada.page(codes.verification_uri_complete);
  for (const shown of [codes.user_code, 'Ada&#39;s laptop', 'a-tool', '127.0.0.1', '/svn', '/dav'])
    t.ok(page.text.includes(shown), `the page shows ${shown}`);
  t.unlike(page.text, /not at the address/, 'the device is where the user is');
  t.like(page.headers['cache-control'], /no-store/, 'nothing keeps it');
  t.is((await tokensOf(db)).length, 0, 'looking decides nothing');
  const typed = await ada.post('/api/auth/device', { csrfToken: await ada.csrf(), user_code: ` ${codes.user_code.toLowerCase().replace('-', ' ')}` });
  t.like(typed.text, new RegExp(codes.user_code), 'a code can be typed in any case, without the hyphen');
  t.is((await ada.post('/api/auth/device', { user_code: codes.user_code, decision: 'allow' })).status, 302, 'a form of another site decides nothing');
  t.is(errorOf(await ask(site, codes.device_code))[0], 400, 'the device waits');
  t.is((await decide(ada, codes.user_code, 'allow')).status, 200, 'Ada allows it');
  const got = await ask(site, codes.device_code);
  t.like(got.json.access_token, TOKEN, 'the device gets a token');
  t.is([got.status, got.json.token_type, got.json.scope, got.json.expires_in], [200, 'Bearer', 'GET,PROPFIND /svn; /dav', 90 * 86400], 'with what it is good for');
  t.like(got.headers['cache-control'], /no-store/, 'which nothing keeps');
  t.is(await tokensOf(db), [{ user_id: ids.ada, name: "Ada's laptop", scope: 'GET,PROPFIND /svn; /dav' }], "it is one of Ada's");
  const used = await use(site, '/svn/', got.json.access_token);
  t.is([used.status, used.text], [200, 'repository'], 'it opens what accepts tokens');
  t.is((await use(site, '/members/', got.json.access_token)).status, 401, 'and nothing else');
  t.is(errorOf(await ask(site, codes.device_code)), [400, 'invalid_grant'], 'the code is used up');
  const again = await decide(ada, codes.user_code, 'allow');
  t.like(again.text, /not valid/, 'so is the user code');
  const records = recordsOf(site).filter(({ event }) => /DEVICE|TOKEN/.test(event));
  t.is(records.map(({ event, outcome, user }) => [event, outcome, user]), [['DEVICE_LOGIN', 'success', ids.ada], ['TOKEN_CREATE', 'success', ids.ada]], 'both are recorded');
  t.is(records[0].detail, "Ada's laptop (a-tool) at 127.0.0.1", 'with the device');
  for (const secret of [codes.device_code, got.json.access_token])
    t.ok(!site.log().includes(secret) && !JSON.stringify(recordsOf(site)).includes(secret), 'no secret is in a log');
  const rows = JSON.stringify(await db.sql('SELECT * FROM nextauth_secrets')) + JSON.stringify(await db.sql('SELECT * FROM nextauth_store'));
  t.ok(!rows.includes(codes.device_code) && !rows.includes(got.json.access_token) && !rows.includes(codes.user_code), 'nor in the database');
  return site;
}

async function ends(t, db, site) {
  t.section(`${db.engine}: what gives no token`);
  const ada = await signedIn(site);
  const before = (await tokensOf(db)).length;
  const denied = await begin(site);
  t.is((await decide(ada, denied.user_code, 'deny')).status, 200, 'Ada denies it');
  t.is(errorOf(await ask(site, denied.device_code)), [400, 'access_denied'], 'the device learns it');
  t.like((await decide(ada, denied.user_code, 'allow')).text, /not valid/, 'which cannot be changed');
  t.is(recordsOf(site).filter(({ event }) => event === 'DEVICE_LOGIN').at(-1).outcome, 'failure', 'and is recorded');
  const ended = await begin(site);
  await decide(ada, ended.user_code, 'allow');
  await ctl(db, 'user', 'disable', 'ada@example.org');
  t.is(errorOf(await ask(site, ended.device_code)), [400, 'access_denied'], 'a user who was disabled meanwhile gives none');
  await ctl(db, 'user', 'enable', 'ada@example.org');
  t.is(errorOf(await ask(site, ended.device_code)), [400, 'invalid_grant'], 'nor one who is enabled again');
  const old = await signedIn(site, 'bob@example.org');
  const stale = await begin(site);
  await ctl(db, 'user', 'disable', 'bob@example.org');
  await ctl(db, 'user', 'enable', 'bob@example.org');
  t.is((await decide(old, stale.user_code, 'allow')).status, 302, 'a session that has ended decides nothing');
  t.is(errorOf(await ask(site, stale.device_code))[1], 'authorization_pending', 'and the device waits');
  for (const [fields, error] of [[{}, 'unsupported_grant_type'], [{ grant_type: 'password' }, 'unsupported_grant_type'],
    [{ grant_type: GRANT }, 'invalid_request'], [{ grant_type: GRANT, client_id: 'a-tool' }, 'invalid_request'],
    [{ grant_type: GRANT, client_id: 'a-tool', device_code: 'x' }, 'invalid_grant'],
    [{ grant_type: GRANT, client_id: 'a-tool', device_code: 'é'.repeat(5_000) }, 'invalid_grant'],
    [{ grant_type: GRANT, client_id: 'a-tool', device_code: stale.user_code }, 'invalid_grant']])
    t.is(errorOf(await post(site, 'token', fields)), [400, error], `${JSON.stringify(fields).slice(0, 60)} is ${error}`);
  for (const [fields, error] of [[{}, 'invalid_request'], [{ client_id: '' }, 'invalid_request'], [{ client_id: 'x'.repeat(65) }, 'invalid_request'],
    [{ client_id: 'a\nb' }, 'invalid_request'], [{ client_id: 'a', device_name: 'x'.repeat(101) }, 'invalid_request'],
    [{ client_id: 'a', device_name: 'a\tb' }, 'invalid_request'], [{ client_id: 'a', scope: 'no path' }, 'invalid_scope']])
    t.is(errorOf(await post(site, 'device-authorization', fields)), [400, error], `${JSON.stringify(fields).slice(0, 60)} is ${error}`);
  const foreign = await request(`${site.url}/api/auth/device-authorization`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded', origin: 'https://evil.example' }, body: 'client_id=a' });
  t.is(errorOf(foreign), [400, 'invalid_request'], 'a page of another site begins nothing');
  const html = await begin(site, { device_name: '<b>"&', client_id: '<i>' });
  const page = await (await signedIn(site)).page(html.verification_uri_complete);
  t.ok(page.text.includes('&lt;b&gt;&quot;&amp;') && !page.text.includes('<i>'), 'what a device says is escaped');
  t.is((await tokensOf(db)).length, before, 'none of that made a token');
}

/* As if `seconds` had passed since the sign-in. */
function age(client, seconds) {
  const { proved, ...claims } = open(SECRET, client.cookie(NAME));
  client.cookies.set(NAME, { value: seal(SECRET, { ...claims, auth_time: claims.auth_time - seconds, ...(proved && { proved: proved - seconds }) }), path: '/' });
  return client;
}

async function protections(t, db, site) {
  t.section(`${db.engine}: a stolen session, and codes of others`);
  const codes = await begin(site);
  const ada = age(await signedIn(site), 3600);
  const asked = await decide(ada, codes.user_code, 'allow');
  t.is([asked.status, new URL(asked.location).pathname, new URL(asked.location).searchParams.get('callbackUrl')],
    [302, '/api/auth/sign-in-again', codes.verification_uri_complete], 'a session that is not fresh signs in again, and comes back');
  t.is(errorOf(await ask(site, codes.device_code))[1], 'authorization_pending', 'the device waits');
  t.is((await decide(ada, codes.user_code, 'deny')).status, 200, 'it can deny');
  const other = await begin(site);
  const elsewhere = new Client(site, { from: '127.0.1.2' });
  await elsewhere.credentials('ada@example.org', WORD);
  t.like((await elsewhere.page(other.verification_uri_complete)).text, /role="alert">The device is not at the address that you use now/, 'a device elsewhere is pointed out');
  const page = (await ada.page(other.verification_uri_complete)).text;
  t.like(page, /Allow it only if you have just started it yourself/, 'and everybody is warned of codes that others send');
  t.like(page, /do everything as you where this site accepts/, 'a device that asks for no scope asks for all');
}

async function races(t, db, sites, where) {
  t.section(`${where}: at once`);
  const ada = await signedIn(sites[0]);
  for (let round = 0; round < 4; round += 1) {
    const before = (await tokensOf(db)).length;
    const codes = await begin(sites[0]);
    const polls = Array.from({ length: 4 }, (_, i) => ask(sites[i % sites.length], codes.device_code));
    await Promise.all([decide(ada, codes.user_code, 'allow'), ...polls]);
    await until('a token', async () => (await tokensOf(db)).length > before || (await Promise.all(Array.from({ length: 8 }, (_, i) => ask(sites[i % sites.length], codes.device_code)))).some(({ status }) => status === 200));
    const all = await Promise.all(Array.from({ length: 8 }, (_, i) => ask(sites[i % sites.length], codes.device_code)));
    t.ok(all.every(({ status, json }) => status === 400 && json.error === 'invalid_grant'), 'afterwards there is nothing more', ...all.map(({ text }) => text));
    t.is((await tokensOf(db)).length, before + 1, 'however many ask, one token is made');
  }
  const decided = await begin(sites[0]);
  const csrfToken = await ada.csrf();
  const answers = await Promise.all(['allow', 'deny', 'allow', 'deny'].map((decision, i) => ada.post(`${sites[i % sites.length].url}/api/auth/device`, { csrfToken, user_code: decided.user_code, decision })));
  t.is(answers.filter(({ text }) => /not valid/.test(text)).length, 3, 'of several decisions, one counts', ...answers.map(({ status }) => status));
}

async function secondFactor(t, db) {
  t.section('with a second factor');
  const email = 'carol@example.org';
  await addUser(db, email, WORD);
  const optional = await t.httpd({ config: config(db, 'NextAuthTwoFactor Optional') });
  const carol = await signedIn(optional, email);
  const { key } = await enrol(carol);
  const codes = await begin(optional);
  const half = await signedIn(optional, email);
  t.is([(await decide(half, codes.user_code, 'allow')).location?.includes('/signin'), errorOf(await ask(optional, codes.device_code))[1]], [true, 'authorization_pending'], 'the password alone decides nothing');
  await letTimePass(db);
  await give(half, codeOf(key));
  t.like((await decide(half, codes.user_code, 'allow')).text, /The device is signed in/, 'with the code, it does');
  t.is((await ask(optional, codes.device_code)).status, 200, 'and the device gets its token');
  const required = await t.httpd({ config: config(db, 'NextAuthTwoFactor Required') });
  const wanted = await begin(required);
  const bob = await signedIn(required, 'bob@example.org');
  t.is([(await decide(bob, wanted.user_code, 'allow')).location?.includes('/signin'), errorOf(await ask(required, wanted.device_code))[1]], [true, 'authorization_pending'], 'where it is required, a user without one decides nothing');
  await enrol(bob);
  t.like((await decide(bob, wanted.user_code, 'allow')).text, /The device is signed in/, 'once it is set up, the user does');
}

async function outage(t, db, redis) {
  t.section('Redis is down');
  const site = await t.httpd({ config: config(db, `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis checkInterval=0`) });
  const codes = await begin(site);
  const ada = await signedIn(site);
  await decide(ada, codes.user_code, 'allow');
  await redis.stop();
  for (const [path, fields] of [['device-authorization', { client_id: 'a-tool' }], ['token', { grant_type: GRANT, client_id: 'a-tool', device_code: codes.device_code }]]) {
    const { status, headers, json } = await post(site, path, fields);
    t.ok(status === 503 && Number(headers['retry-after']) > 0 && json.message, `${path} says so, and when to come again`);
  }
}

async function guesses(t, db) {
  t.section('guessed codes');
  const site = await t.httpd({ config: config(db, 'NextAuthRateLimit deviceLogin address=30/600 account=10/600') });
  const ada = await signedIn(site);
  const csrfToken = await ada.csrf();
  const real = await begin(site);
  const answers = [];
  for (let i = 0; i < 12; i += 1) answers.push(await ada.post('/api/auth/device', { csrfToken, user_code: 'BBBB-BBBB', decision: 'allow' }));
  t.is(answers.map(({ status }) => status), [...Array(10).fill(200), 429, 429], 'a user can try few');
  t.is((await decide(ada, real.user_code, 'allow')).status, 429, 'then not even the right one');
  const bob = await signedIn(site, 'bob@example.org');
  t.is((await decide(bob, real.user_code, 'allow')).status, 200, 'others still can');
  const begun = await Promise.all(Array.from({ length: 40 }, () => post(site, 'device-authorization', { client_id: 'a-tool' })));
  t.is(begun.filter(({ status }) => status === 200).length, 29, 'an address can begin few');
  t.ok(begun.filter(({ status }) => status === 429).every(({ headers, json }) => Number(headers['retry-after']) > 0 && json.error === 'RateLimited'), 'and learns when to come again');
}

async function off(t, db) {
  t.section('where it is off');
  const site = await t.httpd({ config: config(db).replace('NextAuthFeature deviceLogin On', '') });
  t.is(errorOf(await post(site, 'device-authorization', { client_id: 'a-tool' })), [400, 'unauthorized_client'], 'which is the default, there are no codes');
  t.is(errorOf(await ask(site, 'x')), [400, 'unsupported_grant_type'], 'nor tokens');
  t.is((await (await signedIn(site)).page('/api/auth/device')).status, 302, 'nor a page');
  const lacking = await configtest(t, { config: config(db).replace(/NextAuthDatabase .*/, '').replace('credentials backend=database', 'credentials backend=file:@DIR@/users'), files: { users: '' } });
  t.like(lacking.output, /NextAuthFeature deviceLogin requires NextAuthDatabase/, 'without a database, configtest says what is lacking');
}

// ── nextauthctl ─────────────────────────────────────────────────────────────────────────────────

function run(args, home) {
  const child = spawn(ctlFile, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LD_PRELOAD: '', HOME: home, XDG_CONFIG_HOME: '' } });
  const result = { child, stdout: '', stderr: '' };
  child.stdout.on('data', (data) => { result.stdout += data; });
  child.stderr.on('data', (data) => { result.stderr += data; });
  result.ended = new Promise((resolve) => { child.on('close', (status) => resolve(Object.assign(result, { status }))); });
  return result;
}

async function logIn(site, args, home, decision) {
  const program = run(['login', site.url, ...args], home);
  await until('a code', () => /code: (\S+)/.test(program.stderr) || program.child.exitCode !== null);
  await decide(await signedIn(site), /code: (\S+)/.exec(program.stderr)?.[1], decision);
  return program.ended;
}

async function commands(t, db) {
  t.section('nextauthctl login and logout');
  const site = await t.httpd({ files, config: config(db) });
  const home = makeFolder(t);
  const file = `${home}/.config/nextauth/tokens.json`;
  const done = await logIn(site, ['--name', 'a laptop', '--scope', 'GET /svn'], home, 'allow');
  t.is([done.status, done.stdout], [0, ''], 'login succeeds', done.stderr);
  const kept = JSON.parse(fs.readFileSync(file, 'utf8'))[`${site.url}/api/auth`];
  t.like(kept.token, TOKEN, 'the token is in the file');
  t.is([kept.scope, fs.statSync(file).mode & 0o777, fs.statSync(`${home}/.config/nextauth`).mode & 0o777], ['GET /svn', 0o600, 0o700], 'which nobody else can read');
  t.ok(!done.stderr.includes(kept.token), 'and not in the output');
  const printed = await logIn(site, ['--print'], home, 'allow');
  t.like(printed.stdout, /^na_pat_\w{49}\n$/, '--print prints one', printed.stderr);
  t.is(JSON.parse(fs.readFileSync(file, 'utf8'))[`${site.url}/api/auth`].token, kept.token, 'and keeps none');
  const denied = await logIn(site, [], home, 'deny');
  t.is(denied.status, 1, 'a denied one fails');
  t.like(denied.stderr, /the user has not allowed it: start again/, 'and says so');
  t.is((await use(site, '/svn/', kept.token)).status, 200, 'the token works');
  const before = (await tokensOf(db)).length;
  const out = await run(['logout', site.url], home).ended;
  t.is([out.status, JSON.parse(fs.readFileSync(file, 'utf8')), (await tokensOf(db)).length], [0, {}, before - 1], 'logout forgets and revokes it', out.stderr);
  await until('the token has ended everywhere', async () => (await use(site, '/svn/', kept.token)).status === 401);
  t.like((await run(['logout', site.url], home).ended).stderr, /there is no token for/, 'once');
  for (const [args, why] of [[['login', 'http://example.org'], /no TLS: anyone in between could read the token; use https/], [['login', 'x'], /'x' is not a URL/],
    [['login', `${site.url}/elsewhere`], /returned status 401.*NextAuthURL has another path/], [['login'], /see nextauthctl --help/]])
    t.like((await run(args, home).ended).stderr, why, `${args.join(' ')} says what to do`);
  const codes = { device_code: 'x', user_code: '\u001b[31mRED', verification_uri: 'http://localhost/\u001b]0;x', interval: 1, expires_in: 60 };
  const rogue = http.createServer((asked, answer) => answer.end(JSON.stringify(asked.url.endsWith('/token') ? { access_token: '\u001b[31m' } : codes)));
  await new Promise((resolve) => { rogue.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => rogue.close());
  const fooled = await run(['login', '--print', `http://127.0.0.1:${rogue.address().port}`], home).ended;
  t.ok(fooled.status === 1 && /returned an invalid token/.test(fooled.stderr) && !`${fooled.stderr}${fooled.stdout}`.includes('\u001b'), 'a site cannot write to the terminal', fooled.stderr);
  fs.writeFileSync(file, 'no JSON');
  t.like((await run(['login', site.url], home).ended).stderr, /tokens\.json|JSON/, 'a broken file is told before the user has to do anything');
}

suite('Device authorization: a device signs its user in with a code', async (t) => {
  for (const db of await startDatabases(t, enginesOfRound)) {
    const site = await flow(t, db);
    await ends(t, db, site);
    await protections(t, db, site);
    await races(t, db, [site], db.engine);
    const redis = redisIsHere() && await startRedis(t);
    if (redis) {
      const shared = config(db, `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis checkInterval=0`);
      const here = await t.httpd({ config: shared });
      const there = await t.httpd({ config: shared.replace('http://localhost:@PORT@', here.url) });
      await races(t, db, [here, there], `${db.engine}, two servers with one Redis`);
    }
  }
  const [db] = await startDatabases(t, ['sqlite']);
  await prepare(db);
  await guesses(t, db);
  await off(t, db);
  if (oathtoolIsHere()) await secondFactor(t, db);
  else t.skip('a second factor', 'install oathtool');
  if (redisIsHere()) await outage(t, db, await startRedis(t));
  else t.skip('an outage of Redis', 'install redis-server');
  await commands(t, db);
});
