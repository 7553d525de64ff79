// SPDX-License-Identifier: Apache-2.0
// How do things grow? Each row of the table is one thing that an administrator or a visitor does, with
// 100, 10,000, and 1,000,000 users, sessions, or events: its time, the most memory that one process had,
// and the growth exponent between the last two sizes. That is 0 if the number does not matter, 1 if the
// time grows as the number does, and more if it grows faster.
//
//  - commands (seconds): nextauthctl, and the delivery of a queue
//  - requests (microseconds): CPU time of httpd's children for one request, without the store's
//    server, since that is what a busy machine disturbs least
//
// What is loaded goes in the shortest way, in the forms that the module itself writes: COPY,
// redis-cli --pipe, files. Sizes that a thing cannot have are left out.
//
// Environment: NEXTAUTH_MODULE (build/mod_nextauth.so; nextauthctl is beside it), SCALE_SIZES
// (100,10000,1000000), SCALE_ONLY (names of rows, comma-separated), SCALE_BEFORE (a scale.json to
// compare with), SCALE_RESULT (build/bench/scale.json).
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { childrenOf, htpasswd, makeFolder, startHttpd } = require('../lib/httpd.js');
const { Client } = require('../lib/client.js');
const { nextauthctl, empty } = require('../lib/ctl.js');
const { startPostgres } = require('../lib/databases.js');
const { startRedis } = require('../lib/redis.js');
const loaders = require('./loaders.cjs');
const { table } = require('./scale_report.cjs');

const SIZES = (process.env.SCALE_SIZES || '100,10000,1000000').split(',').map(Number);
const RESULT = path.resolve(process.env.SCALE_RESULT || 'build/bench/scale.json');
const REQUESTS = 5000;
const PEOPLE = 100; // who sign in when each has a number of sessions
const WAIT = 90; // seconds for which a queue is watched; a longer time is reckoned from its pace
const { SECRET, SITE } = loaders;

// Ends what a row started, the last first.
function stage() {
  const ends = [];
  return { cleanup: (end) => ends.push(end), ok: () => {}, end: async () => { for (const end of ends.reverse()) await end(); } };
}

const config = (...more) => `
LogLevel warn
MaxKeepAliveRequests 0
ThreadsPerChild 32
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthSite ${SITE}
NextAuthProvider credentials backend=file:@DIR@/users
${more.join('\n')}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /admin/sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;
const startSite = (t, users, ...more) => startHttpd(t, { config: config(...more), files: { users, secret: { text: SECRET, mode: 0o600 } } });

// ── measuring ───────────────────────────────────────────────────────────────────────────────────

const TICK = 1e6 / 100; // microseconds; USER_HZ is 100 on every Linux

// CPU time of processes, in microseconds.
const cpuOf = (pids) => pids.reduce((sum, pid) => {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return sum + (Number(fields[11]) + Number(fields[12])) * TICK;
}, 0);
const memoryOf = (pid, name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const peakOf = (site) => Math.max(...childrenOf(site.pid).map((pid) => memoryOf(pid, 'VmHWM')));

// The CPU time of one of `count` requests, some of them at once; ask(i) sends one.
async function perRequest(site, count, ask, atOnce = 8) {
  const before = cpuOf(childrenOf(site.pid));
  let next = 0;
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, async () => {
    while (next < count) {
      next += 1;
      await ask(next - 1);
    }
  }));
  return (cpuOf(childrenOf(site.pid)) - before) / count;
}

async function command(db, args, options = {}) {
  const began = process.hrtime.bigint();
  const { status, stderr, peak } = await nextauthctl(db, args, { watch: (child) => child.stdout.resume(), ...options });
  if (status !== 0) throw new Error(`nextauthctl ${args.join(' ')}: ${status} ${stderr}`);
  return { seconds: Number(process.hrtime.bigint() - began) / 1e9, memory: peak / 1024 };
}

function showing(site, status = 200) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
  const once = (token) => new Promise((resolve, reject) => {
    http.get(`${site.url}/members/`, { agent, family: 4, headers: { cookie: `next-auth.session-token=${token}`, 'user-agent': loaders.BROWSER } }, (answer) => {
      answer.resume();
      answer.on('end', () => (answer.statusCode === status ? resolve() : reject(new Error(`${answer.statusCode} to a token: ${site.log().slice(-2000)}`))));
    }).on('error', (error) => (error.code === 'ECONNRESET' ? resolve(once(token)) : reject(error)));
  });
  return { once, end: () => agent.destroy() };
}

// Requests with different sessions of `size`, all over them.
async function check(site, size) {
  const shown = showing(site);
  const tokens = Array.from({ length: Math.min(size, REQUESTS) }, (_, i) => loaders.tokenOf(Math.floor((i * size) / Math.min(size, REQUESTS))));
  for (const token of tokens.slice(0, 64)) await shown.once(token);
  const micros = await perRequest(site, REQUESTS, (i) => shown.once(tokens[i % tokens.length]));
  shown.end();
  return { micros, memory: peakOf(site) };
}

const listSessions = async (t, site) => {
  const told = await command({ engine: 'none', dir: makeFolder(t), url: '' }, ['session', 'list', '--json', '--server', `${site.url}/admin/sessions`]);
  return { ...told, memory: Math.max(told.memory, peakOf(site)) };
};

async function signIn(site, user) {
  const answer = await new Client(site).credentials(user, 'x');
  if (answer.location !== site.url) throw new Error(`${user} is not signed in: ${answer.status} ${answer.location} ${site.log().slice(-2000)}`);
}

// ── rows ────────────────────────────────────────────────────────────────────────────────────────

const hashOfX = execFileSync('htpasswd', ['-nbBC', '4', 'ada', 'x'], { encoding: 'utf8' }).trim().split(':')[1];

// One database for all rows about one number of users, one Redis for all about one of sessions.
async function database(t, size) {
  const db = await startPostgres(t, { settings: { shared_buffers: '256MB', max_wal_size: '4GB', autovacuum: 'off' } });
  await command(db, ['migrate']);
  await loaders.users(db, size);
  return db;
}
const redisStore = (redis) => [`NextAuthRedis ${redis.url}`, 'NextAuthSessionStore redis checkInterval=0'];

const groups = [
  { prepare: database, rows: {
    'user list': (t, size, db) => command(db, ['user', 'list', '--json']),
    backup: async (t, size, db) => ({ ...await command(db, ['backup', `${db.dir}/backup`]), bytes: fs.statSync(`${db.dir}/backup`).size }),
    purge: (t, size, db) => loaders.purge(db),
    'session check (database)': async (t, size, db) => {
      await loaders.sessionsInDatabase(db, size);
      return check(await startSite(t, htpasswd({ ada: 'x' }), `NextAuthDatabase ${db.url}`, 'NextAuthSessionStore database checkInterval=0'), size);
    },
    restore: async (t, size, db) => {
      if (!fs.existsSync(`${db.dir}/backup`)) await command(db, ['backup', `${db.dir}/backup`]);
      await empty(db);
      await command(db, ['migrate']);
      return command(db, ['restore', `${db.dir}/backup`]);
    },
  } },
  { prepare: async (t, size) => {
    const redis = await startRedis(t);
    await loaders.sessionsInRedis(redis, size);
    return redis;
  },
  rows: {
    'session check (Redis)': async (t, size, redis) => check(await startSite(t, htpasswd({ ada: 'x' }), ...redisStore(redis)), size),
    'session list (Redis)': async (t, size, redis) => listSessions(t, await startSite(t, htpasswd({ ada: 'x' }), ...redisStore(redis))),
  } },
  { most: 100_000, prepare: async (t, size) => {
    const store = `NextAuthSOCache shmcb:@DIR@/sessions(${64 * 1024 * 1024 - 1})`;
    const site = await startSite(t, htpasswd({ ada: 'x' }), store, 'NextAuthSessionStore socache checkInterval=0 whenLost=accept');
    const shown = showing(site);
    await perRequest(site, size, (i) => shown.once(loaders.tokenOf(i)));
    shown.end();
    return site;
  },
  rows: {
    'session check (shmcb)': (t, size, site) => check(site, size),
    'session list (shmcb)': (t, size, site) => listSessions(t, site),
  } },
  { sizes: [2, 10, 100], rows: {
    'sign-in of a user with many sessions': async (t, size) => {
      const redis = await startRedis(t);
      const names = Array.from({ length: PEOPLE }, (_, i) => `user${i}`);
      const site = await startSite(t, names.map((name) => `${name}:${hashOfX}\n`).join(''), ...redisStore(redis));
      for (let i = 0; i < size; i += 1) await perRequest(site, PEOPLE, (at) => signIn(site, names[at]));
      return { micros: await perRequest(site, PEOPLE, (at) => signIn(site, names[at])), memory: peakOf(site) };
    },
  } },
  { rows: {
    'sign-in at the end of a password file': async (t, size) => {
      const lines = Array.from({ length: size }, (_, i) => `user${i}:${hashOfX}\n`).join('');
      const site = await startSite(t, lines, 'NextAuthSessionStore none');
      await perRequest(site, 16, () => signIn(site, `user${size - 1}`), 2);
      return { micros: await perRequest(site, 100, () => signIn(site, `user${size - 1}`), 2), memory: peakOf(site) };
    },
  } },
  { most: 30_000, rows: {
    'token that was shown before': async (t, size) => {
      const site = await startSite(t, htpasswd({ ada: 'x' }), 'NextAuthSessionStore none');
      const shown = showing(site);
      const tokens = Array.from({ length: size }, (_, i) => loaders.tokenOf(i));
      const rounds = Math.max(1, Math.floor(REQUESTS / size));
      for (let i = 0; i < size * Math.min(2, rounds + 1); i += 1) await shown.once(tokens[i % size]);
      const micros = await perRequest(site, size * rounds, (i) => shown.once(tokens[i % size]));
      shown.end();
      return { micros, memory: peakOf(site) };
    },
  } },
  { rows: { 'event queue': drain } },
];

// A queue that grew while its program was away: from the start of httpd until the last event arrived.
async function drain(t, size) {
  const queue = makeFolder(t);
  const arrived = `${makeFolder(t)}/events`;
  const start = (inner) => startSite(inner, htpasswd({ ada: 'x' }), 'NextAuthSessionStore none', `NextAuthEventQueue ${queue} max=1000000`,
    `NextAuthEvent signIn "|/usr/bin/tee -a ${arrived}"`);
  const first = stage();
  await start(first);
  await first.end();
  fs.rmSync(arrived, { force: true });
  const { lineLength, bytes } = loaders.events(queue, size);
  const site = await start(t);
  const began = Date.now();
  const done = () => (fs.existsSync(arrived) ? fs.statSync(arrived).size / lineLength : 0);
  while (done() < size && Date.now() - began < WAIT * 1000) await new Promise((resolve) => { setTimeout(resolve, 5); });
  const [count, seconds] = [done(), (Date.now() - began) / 1000];
  return { seconds: (seconds * size) / Math.max(count, 1), isReckoned: count < size, memory: peakOf(site), bytes };
}

// ── all of it ───────────────────────────────────────────────────────────────────────────────────

async function measure(results, only, group, size) {
  const names = Object.keys(group.rows).filter((name) => !only || only.includes(name));
  if (!names.length || size > (group.most || Infinity)) return;
  const t = stage();
  try {
    const prepared = group.prepare && await group.prepare(t, size);
    for (const name of names) {
      process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${size}: ${name}\n`);
      const inner = stage();
      try {
        (results[name] ||= {})[size] = await group.rows[name](inner, size, prepared);
      } catch (error) { // which is a result as well, such as a limit of time
        process.stderr.write(`${name}: ${error.message}\n`);
        results[name][size] = { failed: error.message };
      } finally {
        await inner.end();
      }
    }
  } finally {
    await t.end();
  }
}

// A thing that has a most has it as its last size; some have sizes of their own.
const sizesOf = (group) => group.sizes || [...new Set(SIZES.map((size) => Math.min(size, group.most || size)))];

async function main() {
  const only = process.env.SCALE_ONLY && process.env.SCALE_ONLY.split(',');
  const before = process.env.SCALE_BEFORE && JSON.parse(fs.readFileSync(process.env.SCALE_BEFORE, 'utf8'));
  const results = { date: new Date().toISOString(), cpus: os.cpus().length, load: os.loadavg()[0], rows: {} };
  const write = () => {
    fs.mkdirSync(path.dirname(RESULT), { recursive: true });
    fs.writeFileSync(RESULT, `${JSON.stringify(results, null, 2)}\n`);
  };
  for (const group of groups) {
    for (const size of sizesOf(group)) {
      await measure(results.rows, only, group, size);
      write();
    }
  }
  console.log(table(results, before));
}

main().catch((error) => {
  process.stderr.write(`bench-scale: ${error.stack}\n`);
  process.exit(1);
});
