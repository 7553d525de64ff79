#!/usr/bin/env node
'use strict';
// NextAuthRateLimit: who is counted, what a refusal looks like, and who gets in nevertheless.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, htpasswd, makeFolder, mpm, pause, until } = require('./lib/httpd.js');
const { apart, Client } = require('./lib/client.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { nextauthctl } = require('./lib/ctl.js');

const SESSION = 'next-auth.session-token';
const KNOWN = 'next-auth.known-browser';
const users = htpasswd({ ada: 'x', bob: 'x', 'cleo@example.org': 'x' });
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
`;

const OUTCOMES = { 401: 'wrong', 429: 'limited', 503: 'busy', 200: 'in' };
const outcome = (answer) => OUTCOMES[answer.status] || answer.status;
const tryAs = async (client, user, password, more = {}) => outcome(await client.credentials(user, password, { json: 'true', ...more }));
const tries = async (count, client, user, password = 'wrong') => {
  const all = [];
  for (let i = 0; i < count; i += 1) all.push(await tryAs(client, user, password));
  return all.join(' ');
};
const repeat = (word, count) => Array(count).fill(word).join(' ');

// All at once; how many of each.
async function atOnce(count, make, user, password) {
  const clients = Array.from({ length: count }, (_, i) => make(i));
  const tokens = await Promise.all(clients.map((c) => c.csrf()));
  const answers = await Promise.all(clients.map((c, i) => c.post('/api/auth/callback/credentials', { csrfToken: tokens[i], username: user, password, json: 'true' })));
  const counts = {};
  for (const answer of answers) counts[outcome(answer)] = (counts[outcome(answer)] || 0) + 1;
  return counts;
}

suite('Rate limits', async (t) => {
  const start = (more, options = {}) => t.httpd({ files: { users }, ...options, config: common + more });

  t.section('by address');
  {
    const site = await start('NextAuthRateLimit signIn address=3/3600');
    const here = new Client(site), other = new Client(site);
    t.is(await tries(6, here, 'ada', 'x'), repeat('in', 6), 'sign-ins that succeed are not counted');
    t.is(await tries(4, other, 'ada'), `${repeat('wrong', 3)} limited`, 'of those that fail three are let through');
    t.is(await tries(1, other, 'bob', 'x'), 'limited', 'whoever is meant');
    t.is(await tries(1, here, 'bob', 'x'), 'limited', 'whichever browser it is');
    t.is(await tries(1, new Client(site, { from: '127.0.0.2' }), 'bob', 'x'), 'in', 'another client is not meant');
    t.is((await here.get('/members/')).status, 200, 'a session goes on');
    const refused = await other.credentials('bob', 'x', { json: 'true' });
    const wait = Number(refused.headers['retry-after']);
    t.ok(wait > 0 && wait <= 4051, 'Retry-After says when it is worth trying again', `${wait}`);
    t.is(refused.json, { error: 'RateLimited', message: `Too many attempts. Try again in ${Math.ceil(wait / 60)} minutes.`, retryAfter: wait,
      url: `${site.url}/api/auth/signin?error=RateLimited` }, 'a program gets JSON, with the url that next-auth/react reads its error from');
    const v5 = await here.post('/api/auth/callback/credentials', { csrfToken: await here.csrf(), username: 'bob', password: 'x' }, { headers: { 'x-auth-return-redirect': '1' } });
    t.is([v5.status, new URL(v5.json.url).searchParams.get('error')], [429, 'RateLimited'], 'so does a client of Auth.js v5');
    const page = await here.page('/api/auth/callback/credentials', { method: 'POST', body: new URLSearchParams({ csrfToken: await here.csrf(), username: 'bob', password: 'x' }).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    t.is([page.status, page.headers['retry-after'] !== undefined, page.headers['cache-control']], [429, true, 'private, no-cache, no-store'], 'a person gets a page');
    t.like(page.text, /<h1>Too many attempts<\/h1><p>Wait \d+ minutes, then try again\./, '  that says so');
    t.like((await here.page('/api/auth/signin?error=RateLimited')).text, /Too many attempts\. Wait a few minutes/, 'the sign-in page knows the error as well');
    const lines = site.log().split('\n').filter((line) => line.includes('RateLimited'));
    t.is(lines.filter((line) => line.includes(':warn]')).length, 1, 'the log has one warning, however often it is tried');
    t.is(site.log().split('\n').filter((line) => line.includes(': CredentialsSignin: ')).length, 3, 'and no refusal is taken for a wrong password');
  }
  {
    const site = await start('NextAuthRateLimit signIn 5/3600');
    t.is(await atOnce(24, () => new Client(site), 'ada', 'wrong'), { wrong: 5, limited: 19 }, 'requests at once do not exceed a limit');
    await site.reload();
    t.is(await tries(1, new Client(site), 'ada'), 'limited', 'a reload forgets nothing');
  }

  t.section('by account, and by both');
  {
    const site = await start('NextAuthRateLimit signIn account=4/3600');
    const home = new Client(site, { from: '127.0.0.9' }), office = new Client(site, { from: '127.0.0.9' });
    t.is(await tries(1, home, 'ada', 'x'), 'in', 'Ada signs in at home');
    const cookie = (await home.credentials('ada', 'x')).setCookies.find((line) => line.startsWith(`${KNOWN}=`));
    t.like(cookie, /; HttpOnly/, 'the browser is known from then on, by a cookie no script sees');
    t.like(cookie, /; Max-Age=7776000/, '  for 90 days');
    t.unlike(cookie, /ada/, '  which does not show whose');
    const bot = (i) => new Client(site, { from: `127.0.1.${i + 1}` });
    t.is(await atOnce(20, bot, 'ada', 'wrong'), { wrong: 4, limited: 16 }, 'twenty clients have one budget for an account');
    t.is(await tries(1, bot(30), 'A dA'), 'limited', 'whatever the case and the blanks of its name');
    t.is(await tries(1, office, 'ada', 'x'), 'limited', 'a new browser has to wait, even with the right password');
    t.is(await tries(1, home, 'ada', 'x'), 'in', 'one that signed in before does not');
    t.is((await home.get('/members/')).status, 200, 'and no session has ended');
    t.is(await tries(1, bot(31), 'bob', 'x'), 'in', 'other accounts are not meant');
    t.is(await tries(6, home, 'ada'), `${repeat('wrong', 4)} limited limited`, 'a known browser has a budget, too');
    const thief = new Client(site, { from: '127.0.2.1' });
    thief.cookies.set(KNOWN, { value: home.cookie(KNOWN), path: '/' });
    t.is(await tries(1, thief, 'bob'), 'wrong', 'its cookie');
    t.is(await tries(4, thief, 'bob'), `${repeat('wrong', 3)} limited`, '  is worth nothing for another account');
    thief.cookies.set(KNOWN, { value: `${home.cookie(KNOWN).slice(0, -4)}AAAA`, path: '/' });
    t.is(await tries(1, thief, 'ada'), 'limited', '  and nothing once it was changed');
    t.is(site.log().split('\n').filter((line) => line.includes('the account is locked')).length, 2, 'each lock is a line in the log');
  }
  {
    // her namesake at a site that has the same secret
    const [one, two] = [await start('NextAuthRateLimit signIn account=3/3600'), await start('NextAuthRateLimit signIn account=3/3600', { files: { users: htpasswd({ ada: 'another' }) } })];
    const thief = new Client(one, { from: '127.0.2.2' }), there = new Client(two, { from: '127.0.2.2' });
    t.is(await tries(1, thief, 'ada', 'x'), 'in', 'an Ada of one site');
    there.cookies.set(KNOWN, { value: thief.cookie(KNOWN), path: '/' });
    t.is(await atOnce(9, (i) => new Client(two, { from: `127.0.5.${i + 1}` }), 'ada', 'wrong'), { wrong: 3, limited: 6 }, '  who is attacked at another one, with the same secret');
    t.is(await tries(1, there, 'ada', 'another'), 'limited', '  is no known browser there');
  }
  {
    const site = await start('NextAuthRateLimit signIn both=2/3600 account=100/3600');
    const one = new Client(site), two = new Client(site, { from: '127.0.0.2' });
    t.is(await tries(3, one, 'ada'), 'wrong wrong limited', 'one client alone uses up its own budget for an account');
    t.is(await tries(1, two, 'ada', 'x'), 'in', 'so that it locks nobody else out');
    t.is(await tries(1, one, 'bob', 'x'), 'in', 'nor itself from another account');
  }
  {
    const site = await start('NextAuthRateLimit signIn account=100/3600 delay=600');
    const all = (await tries(12, new Client(site), 'ada')).split(' ');
    t.is(all.slice(0, 3).join(' '), repeat('wrong', 3), 'with delay= the first three failures cost nothing');
    t.ok(all.includes('limited'), 'then attempts have to wait for each other', all.join(' '));
    const { status, json } = await new Client(site).credentials('ada', 'x', { json: 'true' });
    t.ok(status === 200 || json.retryAfter <= 600, '  no longer than it says');
  }

  t.section('behind a proxy');
  {
    const site = await start(`NextAuthRateLimit signIn address=2/3600
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1`, { modules: ['remoteip'] });
    const from = (address) => {
      const c = new Client(site);
      const send = c.send.bind(c);
      c.send = (path, options = {}) => send(path, { ...options, headers: { ...options.headers, 'x-forwarded-for': address } });
      return c;
    };
    t.is(await tries(3, from('192.0.2.1'), 'ada'), 'wrong wrong limited', 'the address is mod_remoteip\'s');
    t.is(await tries(1, from('192.0.2.2'), 'ada'), 'wrong', 'each client has its own');
    t.is(await tries(1, from('2001:db8:1:2::1'), 'ada'), 'wrong', 'of IPv6');
    t.is(await tries(1, from('2001:db8:1:2:ffff::7'), 'ada'), 'wrong', '  all addresses of a /64');
    t.is(await tries(1, from('2001:db8:1:2:1234:5678:9abc:def0'), 'ada'), 'limited', '  are one client');
    t.is(await tries(1, from('2001:db8:1:3::1'), 'ada'), 'wrong', '  the next /64 is another');
    t.is(await tries(1, from('::ffff:192.0.2.1'), 'ada'), 'limited', 'an IPv4 address is the same in IPv6\'s form');
  }

  t.section('by default, and how to say otherwise');
  {
    const strong = 'NextAuthSecret b7XyQv0sJr2nTzLk9Wd4Hc8MfGp1AeUi6RoNtSyV';
    const inMode = (mode, more = '', options = {}) => t.httpd({ files: { users }, ...options, config: common
      .replace('NextAuthMode test', `NextAuthMode ${mode}`)
      .replace('NextAuthURL http:', mode === 'production' ? 'NextAuthURL https:' : 'NextAuthURL http:')
      .replace(/NextAuthSecret .*/, strong) + more });
    const many = async (site) => (await tries(14, new Client(site), 'ada')).includes('limited');
    t.is(await many(await inMode('production')), true, 'production limits sign-ins');
    t.is(await many(await inMode('development')), false, 'development does not');
    t.is(await many(await inMode('test', 'NextAuthFeature rateLimiting On')), true, 'NextAuthFeature rateLimiting On asks for the same limits anywhere');
    t.is(await many(await inMode('production', 'NextAuthFeature rateLimiting Off')), false, 'Off for none');
    t.is(await many(await inMode('production', 'NextAuthRateLimit signIn Off')), false, 'as does NextAuthRateLimit, for one kind');
    t.is(await many(await inMode('production', '', { env: { ENABLE_RATE_LIMITING: 'false' } })), false, 'ENABLE_RATE_LIMITING says it, too');
    t.is(await many(await inMode('test', '', { env: { ENABLE_RATE_LIMITING: 'true' } })), true, '  both ways');
    t.is(await many(await inMode('test', 'NextAuthFeature rateLimiting Off', { env: { ENABLE_RATE_LIMITING: 'true' } })), false, '  unless a directive says otherwise');
    for (const [more, warns] of [['', false], ['NextAuthFeature rateLimiting Off', true], ['NextAuthRateLimit signIn Off', true]]) {
      const { stdout } = await check(t, { files: { users }, config: common.replace('NextAuthMode test', 'NextAuthMode production').replace('NextAuthURL http:', 'NextAuthURL https:').replace(/NextAuthSecret .*/, strong) + more });
      t.is(/sign-ins with a password are not limited/.test(stdout), warns, `nextauthctl check ${warns ? 'warns of' : 'finds nothing wrong with'} ${more || 'the default'}`);
    }
    for (const [line, why] of [['signIn 5', /invalid limit '5': expected .*N\/SECONDS/], ['signIn 0/60', /invalid limit '0\/60'/], ['signIn 5/60x', /invalid limit/], ['signIn 99999999999999999999/60', /invalid limit/],
      ['signIn user=5/60', /unknown 'user=5\/60': expected/], ['login 5/60', /unknown 'login': expected signIn, callback/], ['callback account=5/60', /callback has no limit by account/], ['signIn site=5/60', /signIn has no limit by site/], ['longUrl both=5/60', /longUrl has no limit by both/],
      ['signIn 5/60 delay=10', /delay= requires signIn and account=N\/SECONDS/], ['mail account=5/60 delay=10', /delay= requires signIn/], ['signIn account=5/60 delay=0', /a whole number from 1 to 3600/]]) {
      const { status, output } = await t.configtest({ files: { users }, config: `${common}NextAuthRateLimit ${line}` });
      t.ok(status !== 0 && why.test(output), `refused: NextAuthRateLimit ${line}`, output);
    }
  }

  t.section('the gate of password checks');
  {
    // hashes that take their time, and no rate limit at all
    const slow = execFileSync('htpasswd', ['-nbBC', '12', 'ada', 'x'], { encoding: 'utf8' });
    const site = await start('', { files: { users: slow } });
    const other = new Client(site, { from: '127.0.0.2' });
    const many = atOnce(60, () => new Client(site), 'ada', 'wrong');
    t.is(await tries(2, other, 'ada', 'x'), 'in in', 'while one client has sixty passwords checked another one signs in');
    const counts = await many;
    t.is((counts.wrong || 0) + (counts.busy || 0), 60, '  the one has a share of the gate, and is told that it is busy for the rest', JSON.stringify(counts));
    t.ok(counts.busy > 0, '  of which there is some', JSON.stringify(counts));
    t.is(site.log().split('\n').filter((line) => line.includes(': CredentialsSignin: ')).length, counts.wrong || 0, '  which is no wrong password to who reads the log');
    const limited = await start('NextAuthRateLimit signIn address=30/3600', { files: { users: slow } });
    const some = await atOnce(60, () => new Client(limited), 'ada', 'wrong');
    t.ok((some.wrong || 0) <= 30 && some.wrong + (some.busy || 0) + (some.limited || 0) === 60, '  nor counted as one', JSON.stringify(some));
    const answer = await new Client(limited, { from: '127.0.0.2' }).credentials('ada', 'x', { json: 'true' });
    t.is(answer.status, 200, '  and others go on');
  }

  t.section('what password checks leave for pages');
  {
    // who reads this file waits until somebody writes it
    const pipe = path.join(makeFolder(t), 'users');
    execFileSync('mkfifo', ['-m', '644', pipe]);
    // each open by a sign-in finds all of it, then nothing more
    const feed = async (until) => {
      let over = false;
      until.finally(() => { over = true; });
      while (!over) {
        try {
          const end = fs.openSync(pipe, fs.constants.O_WRONLY | fs.constants.O_NONBLOCK);
          fs.writeSync(end, users);
          fs.closeSync(end);
        } catch (error) {
          if (!['ENXIO', 'EPIPE'].includes(error.code)) throw error; // nobody reads
        }
        await pause(20);
      }
      return until;
    };
    // three threads: one child with three of them, or three children
    const three = mpm === 'prefork' ? 'MaxRequestWorkers 3' : 'ThreadsPerChild 3\nMaxRequestWorkers 3';
    const site = await t.httpd({ config: `${common.replace('@DIR@/users', pipe)}\n${three}` });
    const ada = new Client(site);
    await feed(ada.credentials('ada', 'x'));
    t.is((await ada.get('/members/')).status, 200, 'Ada is signed in');
    const clients = Array.from({ length: 3 }, (_, i) => new Client(site, apart(i)));
    const tokens = await Promise.all(clients.map((c) => c.csrf()));
    const answers = [];
    const all = Promise.all(clients.map(async (c, i) => {
      answers.push(await c.post('/api/auth/callback/credentials', { csrfToken: tokens[i], username: 'bob', password: 'wrong', json: 'true' }));
    }));
    await until('refusals', () => answers.length === 2);
    t.is(answers.map(({ status, json, headers }) => [status, json.error, headers['retry-after']]), Array(2).fill([503, 'Unavailable', '5']), 'of three threads one checks a password, and two sign-ins are refused at once');
    t.is((await ada.get('/members/')).status, 200, '  her pages are served meanwhile');
    await feed(all);
    t.is(answers[2].status, 401, '  and what was checked is answered');
    t.is(site.log().split('\n').filter((line) => line.includes(': CredentialsSignin: ')).length, 1, '  as the only wrong password');
    t.is(site.log().split('\n').filter((line) => line.includes(': Busy: too many passwords are being checked')).length, 2, '  next to two that were not made');
  }

  t.section('answers of providers that nobody here asked for');
  {
    const site = await start(`NextAuthRateLimit callback 3/3600
NextAuthProvider acme type=oauth authorization=http://127.0.0.1:9/authorize token=http://127.0.0.1:9/token userinfo=http://127.0.0.1:9/userinfo clientId=site clientSecret=secret`);
    const come = async (client, state) => {
      const answer = await client.get(`/api/auth/callback/acme?code=x&state=${state}`);
      return answer.status === 429 ? 'limited' : 'failed';
    };
    const begin = async (client) => new URL((await client.signIn('acme', {})).location).searchParams.get('state');
    const all = [];
    for (let i = 0; i < 5; i += 1) all.push(await come(new Client(site), 'none'));
    t.is(all.join(' '), 'failed failed failed limited limited', 'a page elsewhere has browsers of an office come back from a provider, again and again');
    const colleague = new Client(site);
    const own = [];
    for (let i = 0; i < 5; i += 1) own.push(await come(colleague, await begin(colleague)));
    t.is(own.join(' '), 'failed failed failed limited limited', 'which takes nothing from those there who did begin to sign in');
  }

  t.section('what several servers share');
  const shared = async (name, store) => {
    const [one, two] = [await start(`NextAuthRateLimit signIn account=5/3600\n${store}`), await start(`NextAuthRateLimit signIn account=5/3600\n${store}`)];
    const client = (i) => new Client(i % 2 ? one : two, { from: `127.0.3.${i + 1}` });
    t.is(await atOnce(20, client, 'cleo@example.org', 'wrong'), { wrong: 5, limited: 15 }, `two servers count in one ${name}`);
    t.is(await tries(1, client(21), 'cleo@example.org', 'x'), 'limited', '  nobody is let in by the one or');
    t.is(await tries(1, client(22), 'cleo@example.org', 'x'), 'limited', '  by the other');
    t.is(await tries(3, client(23), 'bob', 'x'), repeat('in', 3), '  where the password is right');
    t.is(await tries(5, client(24), 'bob', 'wrong'), repeat('wrong', 5), '  nothing was counted');
    return { one, two };
  };
  if (redisIsHere()) {
    const redis = await startRedis(t);
    const { one } = await shared('Redis', `NextAuthRedis ${redis.url}\nNextAuthSessionStore redis`);
    const keys = (await redis.cli('KEYS', '*')).split('\n').filter((key) => key.includes(':rate:'));
    t.ok(keys.length > 0 && keys.every((key) => /:rate:[0-9a-f]{64}$/.test(key)), 'its keys name nobody', keys.join(' '));
    const lifetimes = await Promise.all(keys.map((key) => redis.cli('PTTL', key)));
    t.ok(lifetimes.every((ms) => Number(ms) > 0 && Number(ms) < 4_060_000), '  and expire', lifetimes.join(' '));
    await redis.stop();
    t.is(await tries(6, new Client(one, { from: '127.0.4.1' }), 'ada'), `${repeat('wrong', 5)} limited`, 'while Redis is down a server counts by itself');
    t.is(one.log().split('\n').filter((line) => line.includes('rate limits are counted in this server')).length, 1, '  and says so once');
  } else t.skip('Redis', 'redis-server is not there');
  for (const db of await startDatabases(t, enginesOfRound)) {
    t.is((await nextauthctl(db, ['migrate'])).status, 0, `${db.engine}: a database`);
    await shared(db.engine, `NextAuthDatabase ${db.url}\nNextAuthSessionStore database`);
  }
});
