// SPDX-License-Identifier: Apache-2.0
// What does protecting a file cost? A 1 KB file is fetched unprotected, behind this module and
// behind mod_auth_openidc, all on one server under one configuration, and two figures are taken:
//
//  - requests per second: wrk with 32 keep-alive connections against the event MPM, in rounds that
//    take every kind in turn, so that whatever else the machine does meets all of them. Every kind
//    sends 30,000 different Cookie headers in turn: with a session token of its own in each (far
//    more than the module's cache of verified tokens holds), or with one token and a number.
//  - instructions per request: one server process under callgrind, one keep-alive connection. The
//    profiles stay in build/bench/callgrind for callgrind_annotate.
//
// The second and third kinds also with each session store: a process asks it about a session every
// few seconds.
//
// One kind more, in the rounds only: the second, while 200 people want to sign in with a provider
// that never answers, and try again as they are told to.
//
// Sign-ins have a table of their own: see signins.cjs.
//
// Results: a table, results.json and bench.svg in build/bench. Goals are compared, but missing one
// is no failure: what a shared machine measures is for a person to judge.
//
// Environment: NEXTAUTH_MODULE (build/mod_nextauth.so), BENCH_ROUNDS (5; 0 leaves them out),
// BENCH_SIGNINS (200 of each kind in a round; 0 leaves them out), BENCH_SECONDS (4), BENCH_THREADS (1: of wrk; on two cores a second one takes the server's, and
// every ratio falls), BENCH_INSTRUCTIONS (1000 requests counted; 0 leaves them out), BENCH_ONLY
// (names of kinds, comma-separated), BENCH_PEER (path of a mod_auth_openidc.so; the installed one).
'use strict';
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { startProvider, accessToken, login, get, release } = require('./openid.cjs');
const { prepare, start, FILE_SIZE } = require('./server.cjs');
const { startStores } = require('./stores.cjs');
const { startWaiting } = require('./waiting.cjs');
const signins = require('./signins.cjs');
const { certify } = require('../lib/certificates.js');
const report = require('./report.cjs');

const KINDS = [
  { name: 'unprotected', site: 'plain', label: 'unprotected' },
  { name: 'seen', site: 'nextauth', label: 'mod_nextauth, token seen before', one: true, goal: { ratio: 0.96, added: 8500 } },
  { name: 'new', site: 'nextauth', label: 'mod_nextauth, token never seen', goal: { ratio: 0.88, added: 20000 } },
  ...['socache', 'redis', 'postgres'].flatMap((store) => [
    { name: `seen-${store}`, site: store, label: `token seen before, store ${store}`, one: true, store, goal: { ratio: 0.96, added: 8500 } },
    { name: `new-${store}`, site: store, label: `token never seen, store ${store}`, store },
  ]),
  { name: 'waiting', site: 'nextauth', label: 'token seen, 200 sign-ins waiting', one: true, waiting: true, uncounted: true },
  { name: 'bearer', site: 'bearer', label: 'access token (JWT) seen before', one: true, bearer: true, countedOnly: true },
  { name: 'openidc-cache', site: 'openidcCache', label: 'mod_auth_openidc, server cache' },
  { name: 'openidc-cookie', site: 'openidcCookie', label: 'mod_auth_openidc, client cookie' },
  { name: 'public', site: 'nextauth', label: 'public file of a mod_nextauth site', path: '/page.bin', countedOnly: true },
];
const CACHE = 4096; // verified tokens a process of the server keeps
const TOKENS = 30000;
const CONNECTIONS = 32;

const number = (name, otherwise) => {
  const value = Number(process.env[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 0 || value > 100000) fail(`${name} is not a sensible number`);
  return value;
};
const ROUNDS = number('BENCH_ROUNDS', 5);
const SECONDS = number('BENCH_SECONDS', 4);
const THREADS = number('BENCH_THREADS', 1);
const SIGNINS = number('BENCH_SIGNINS', 200);
const SIGNINS_COUNTED = 20; // by callgrind: the peer parses all certificates each time
const COUNTED = number('BENCH_INSTRUCTIONS', 1000);
if (COUNTED > 10000) fail('BENCH_INSTRUCTIONS is at most 10000');

const dir = path.resolve(__dirname, '../../build/bench');
const secret = crypto.randomBytes(32).toString('base64');

function fail(why) {
  process.stderr.write(`bench: ${why}\n`);
  process.exit(1);
}

// Session tokens as next-auth v4 makes them.
function makeTokens(count) {
  const key = Buffer.from(crypto.hkdfSync('sha256', secret, '', 'NextAuth.js Generated Encryption Key', 32));
  const header = Buffer.from('{"alg":"dir","enc":"A256GCM"}').toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  return Array.from({ length: count }, (_, i) => {
    const iv = crypto.randomBytes(12);
    const cipher = crypto.createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header));
    const claims = {
      name: 'Ada Lovelace', email: 'ada@example.org', picture: 'https://cdn.example.org/ada.png',
      sub: String(100000 + i), iat, exp: iat + 2592000, jti: crypto.randomUUID(),
    };
    const sealed = Buffer.concat([cipher.update(JSON.stringify(claims)), cipher.final()]);
    return [header, '', ...[iv, sealed, cipher.getAuthTag()].map((part) => part.toString('base64url'))].join('.');
  });
}

// The Cookie headers a kind sends. A mod_auth_openidc session is fresh every time: it re-writes one
// that has not been renewed for a minute.
async function cookiesOf(kind, prepared, tokens) {
  if (kind.site.startsWith('openidc')) return [await login(addressOf(kind, prepared))];
  return (kind.one ? tokens.slice(0, 1) : tokens).map((token) => `next-auth.session-token=${token}`);
}

const addressOf = (kind, prepared) => prepared.sites[kind.site].origin + (kind.path || '/members/page.bin');

// The file comes whole with the cookie, and not at all without one or with a broken one.
async function check(kind, prepared, cookies) {
  const address = addressOf(kind, prepared);
  const good = await get(address, { Cookie: cookies[0] });
  if (good.status !== 200 || !good.body.equals(prepared.body)) {
    throw new Error(`${kind.label}: ${address} answers ${good.status} with its cookie, see ${dir}/error.log`);
  }
  if (kind.site === 'plain' || kind.path) return;
  const broken = cookies[0].replace(/.{8}$/, 'AAAAAAAA');
  for (const headers of [{}, { Cookie: broken }]) {
    const { status } = await get(address, headers);
    if (![302, 303, 401].includes(status)) {
      throw new Error(`${kind.label}: ${address} answers ${status} ${headers.Cookie ? 'to a broken' : 'without a'} cookie`);
    }
  }
}

// One run of wrk.
async function load(kind, prepared, tokens, seconds) {
  const cookies = await cookiesOf(kind, prepared, tokens);
  fs.writeFileSync(`${dir}/cookies`, `${cookies.join('\n')}\n`, { mode: 0o600 });
  const args = [`-t${THREADS}`, `-c${CONNECTIONS}`, `-d${seconds}s`, '-s', path.join(__dirname, 'cookies.lua'),
    addressOf(kind, prepared), '--', `${dir}/cookies`, String(TOKENS), String(THREADS)];
  const stopWaiting = kind.waiting ? await startWaiting(prepared.sites[kind.site].origin) : () => {};
  const said = await run('wrk', args, (seconds + 30) * 1000);
  await stopWaiting();
  const line = /^RESULT (.*)$/m.exec(said);
  if (!line) throw new Error(`wrk says:\n${said}`);
  const result = JSON.parse(line[1]);
  if (result.not2xx || result.broken || result.requests === 0 || result.bytes / result.requests < FILE_SIZE) {
    throw new Error(`${kind.label}: not every answer was the file: ${line[1]}`);
  }
  return { perSecond: (result.requests * 1e6) / result.microseconds, p50: result.p50, p99: result.p99 };
}

function run(command, args, milliseconds) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: milliseconds });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    child.on('error', reject);
    child.on('exit', () => resolve(said));
  });
}

async function measureRounds(kinds, prepared, tokens) {
  const server = await start(prepared, ['nextauth', 'openidc']);
  const samples = Object.fromEntries(kinds.map((kind) => [kind.name, []]));
  try {
    for (const kind of kinds) await check(kind, prepared, await cookiesOf(kind, prepared, tokens));
    for (const kind of kinds) await load(kind, prepared, tokens, 1); // to warm up
    for (let round = 1; round <= ROUNDS; round++) {
      for (const kind of kinds) {
        report.progress(`round ${round} of ${ROUNDS}: ${kind.label}`);
        samples[kind.name].push(await load(kind, prepared, tokens, SECONDS));
      }
    }
  } finally {
    report.progress('');
    release();
    await server.stop();
  }
  return samples;
}

// What countInstructions() does for a kind: once(i), `warmUp` times, then `count` times.
async function fetching(kind, prepared, tokens, agent) {
  const shown = kind.bearer ? [{ Authorization: `Bearer ${accessToken(prepared.issuer)}` }]
    : (await cookiesOf(kind, prepared, tokens)).map((cookie) => ({ Cookie: cookie }));
  const once = async (i) => {
    const { status } = await get(addressOf(kind, prepared), shown[i % shown.length], agent);
    if (status !== 200) throw new Error(`${kind.label}: ${status} under callgrind`);
  };
  const warmUp = kind.one || kind.path ? 500 : CACHE + 512; // so that a new token displaces an old one
  return { once, warmUp, count: COUNTED, close: () => {} };
}

// Instructions of one request of each kind, all of one module, which is the only one loaded: the hooks
// of the other would count as its own. A page that is not there makes callgrind write out what it
// counted since the last answer of that sort: one before and one after mark a stretch.
async function countInstructions(module, kinds, prepared, tokens) {
  const output = `${prepared.profiles}/${module || 'bare'}`;
  fs.mkdirSync(`${dir}/callgrind`, { recursive: true });
  const server = await start(prepared, module ? [module] : [], ['-X'], ['valgrind', '--tool=callgrind', '--vgdb=no',
    '--dump-before=ap_send_error_response', `--callgrind-out-file=${output}`]);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  const counts = {};
  const mark = () => get(`${prepared.sites.plain.origin}/none`, {}, agent);
  // Redirects can be written out as well: the sum counts, and the largest one is kept.
  const dumps = () => fs.readdirSync(prepared.profiles).filter((name) => name.startsWith(`${path.basename(output)}.`));
  const textOf = (name) => fs.readFileSync(`${prepared.profiles}/${name}`, 'latin1');
  const totalOf = (name) => Number(/^(?:summary|totals): (\d+)$/m.exec(textOf(name))[1]);
  try {
    for (const kind of kinds) {
      report.progress(`counting instructions: ${kind.label}`);
      const work = await (kind.open ? kind.open() : fetching(kind, prepared, tokens, agent));
      for (let i = 0; i < work.warmUp; i++) await work.once(i);
      await mark();
      const before = new Set(dumps());
      for (let i = 0; i < work.count; i++) await work.once(work.warmUp + i);
      await mark();
      work.close();
      const counted = dumps().filter((name) => !before.has(name)).sort((a, b) => totalOf(a) - totalOf(b));
      const profile = textOf(counted.at(-1)).replace(/^calls=0 .*\n.*\n/gm, ''); // under way: callgrind_annotate stumbles over them
      fs.writeFileSync(`${dir}/callgrind/${kind.site === 'plain' && module !== 'nextauth' ? path.basename(output) : kind.name}.out`, profile, 'latin1');
      counts[kind.name] = Math.round(counted.reduce((sum, name) => sum + totalOf(name), 0) / work.count);
    }
  } finally {
    report.progress('');
    agent.destroy();
    await server.stop();
  }
  return counts;
}

// A TLS server's key and certificate, which no CA of the system signed.
function selfSigned() {
  certify(dir, 'provider', '127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1');
  return { key: fs.readFileSync(`${dir}/provider.key`), cert: fs.readFileSync(`${dir}/provider.pem`) };
}

async function measureSignIns(kinds, prepared) {
  const server = await start(prepared, ['nextauth', 'openidc']);
  try {
    return await signins.measureCpu(kinds, prepared, server, { rounds: ROUNDS, count: SIGNINS, progress: report.progress });
  } finally {
    report.progress('');
    await server.stop();
  }
}

async function main() {
  const module = path.resolve(process.env.NEXTAUTH_MODULE || 'build/mod_nextauth.so');
  const only = (process.env.BENCH_ONLY || [...KINDS, ...signins.KINDS].map((kind) => kind.name).join()).split(',');
  let kinds = KINDS.filter((kind) => kind.name === 'unprotected' || only.includes(kind.name));
  let signInKinds = signins.KINDS.filter((kind) => SIGNINS && only.includes(kind.name));
  const ours = [...kinds, ...signInKinds].some((kind) => ['nextauth', 'bearer', 'signins', 'signinsSecure'].includes(kind.site) || kind.store);
  if (ours && !fs.existsSync(module)) fail(`${module} is not there: run make first`);
  process.on('SIGINT', () => process.exit(130));
  process.on('SIGTERM', () => process.exit(143));
  fs.mkdirSync(dir, { recursive: true });

  const tls = selfSigned();
  const [provider, secure] = [await startProvider(), await startProvider(tls)];
  const { stores, stop } = kinds.some((kind) => kind.store) ? await startStores() : { stores: {}, stop: () => {} };
  kinds = kinds.filter((kind) => !kind.store || stores[kind.store]);
  try {
    const prepared = await prepare({ dir, module: ours && module, issuer: provider.issuer, secret, stores,
      secure: { issuer: secure.issuer, certificate: tls.cert } });
    signInKinds = signInKinds.filter((kind) => prepared.sites[kind.site]);
    if (!prepared.hasOpenidc) {
      console.log('mod_auth_openidc is not installed, so there is nothing to compare with');
      kinds = kinds.filter((kind) => !kind.site.startsWith('openidc'));
    }
    const busy = os.loadavg()[0];
    if (busy > 0.5) console.log(`the machine is busy (load ${busy.toFixed(1)}): expect noise`);
    const tokens = makeTokens(TOKENS);
    const samples = ROUNDS && SECONDS
      ? await measureRounds(kinds.filter((kind) => !kind.countedOnly), prepared, tokens) : {};
    const cpu = ROUNDS && signInKinds.length ? await measureSignIns(signInKinds, prepared) : {};
    const counts = {};
    const [plain, ...others] = kinds.filter((kind) => !kind.uncounted)
      .concat(signins.counted(signInKinds, prepared, SIGNINS_COUNTED));
    const isTheirs = (kind) => kind.site.startsWith('openidc');
    for (const [module, its] of [['', []], ['openidc', others.filter(isTheirs)], ['nextauth', others.filter((kind) => !isTheirs(kind))]]) {
      if (!COUNTED || (module && !its.length)) continue;
      const all = await countInstructions(module, [plain, ...its], prepared, tokens);
      if (!module) counts.bare = { all: all.unprotected };
      else for (const [name, count] of Object.entries(all)) counts[name] = { all: count, added: count - all.unprotected };
    }
    const results = report.summarise(kinds, samples, counts, {
      date: new Date().toISOString(), rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS, threads: THREADS, tokens: TOKENS,
      fileSize: FILE_SIZE, cpus: os.cpus().length, cpu: os.cpus()[0].model, loadBefore: busy,
      signIns: SIGNINS,
    });
    results.signIns = report.summariseSignIns(signInKinds, cpu, counts, signins.GOAL);
    report.print(results);
    fs.writeFileSync(`${dir}/results.json`, `${JSON.stringify(results, null, 2)}\n`);
    fs.writeFileSync(`${dir}/bench.svg`, report.draw(results));
    console.log(`\n${path.relative('.', dir)}/results.json  ${path.relative('.', dir)}/bench.svg`);
  } finally {
    provider.stop();
    secure.stop();
    await stop();
  }
}

main().catch((error) => fail(error.message));
