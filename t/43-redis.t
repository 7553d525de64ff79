#!/usr/bin/env node
'use strict';
const { execFile, spawn } = require('node:child_process');
const { createHash } = require('node:crypto');
const net = require('node:net');
const path = require('node:path');
const readline = require('node:readline');
const { suite } = require('./lib/suite.js');
const { freePort, root, until } = require('./lib/httpd.js');
const { redisIsHere, startRedis, startSentinel, startCluster } = require('./lib/redis.js');

const TIMEOUT_MS = 1000;
const SLACK_MS = 20_000; // of a busy machine: who waits for ever takes longer
const USER = { user: 'ada', password: 'p@ss:w/rd%' };

// The C program of the unit tests, of the build that is under test.
const folder = process.env.NEXTAUTH_MODULE ? path.dirname(process.env.NEXTAUTH_MODULE) : process.env.BUILD || 'build';
const program = path.resolve(root, folder, 'unit/store_redis');
const environment = (setting) => ({ ...process.env, LD_PRELOAD: '', NEXTAUTH_TEST_REDIS: setting });

function contract(t, setting, name) {
  return new Promise((resolve) => {
    execFile(program, { env: environment(setting) }, (error, stdout, stderr) => {
      const wrong = stdout.split('\n').filter((line) => !line.startsWith('ok '));
      resolve(t.ok(!error && /^1\.\.\d{2,}$/m.test(stdout), name, wrong.join('\n'), stderr));
    });
  });
}

// A process with its own connections that does one thing at a time.
function client(t, setting) {
  const child = spawn(program, ['ask'], { env: environment(setting), stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  readline.createInterface({ input: child.stdout }).on('line', (line) => {
    const [, verdict, ms, text] = /^(ok|error) (\d+) (.*)$/.exec(line);
    waiting.shift()({ ok: verdict === 'ok', ms: Number(ms), text });
  });
  const ask = (...words) => new Promise((resolve) => {
    waiting.push(resolve);
    child.stdin.write(`${words.join(' ')}\n`);
  });
  const gone = new Promise((resolve) => { child.on('exit', resolve); });
  t.cleanup(async () => {
    child.stdin.end();
    t.is(await gone, 0, 'the process ended well');
  });
  return { put: (name, value) => ask('put', name, value), get: (name) => ask('get', name), swap: (name, value) => ask('swap', name, value) };
}

function refuses(t, answer, pattern, name) {
  t.ok(!answer.ok, name, answer.text);
  t.like(answer.text, pattern, 'and the message says why');
  t.ok(answer.ms < TIMEOUT_MS + SLACK_MS, 'in time', `${answer.ms} ms`);
}

async function works(t, store, name) {
  const put = await store.put(name.replaceAll(' ', '-'), 'here');
  const got = await store.get(name.replaceAll(' ', '-'));
  return t.ok(put.ok && got.text === 'here', name, put.text, got.text);
}

const accepted = async (redis) => Number(/total_connections_received:(\d+)/.exec(await redis.cli('INFO', 'stats'))[1]);

async function keepsItsConnection(t, redis, setting, name) {
  const store = client(t, setting);
  const before = await accepted(redis);
  for (let i = 0; i < 20; i += 1) await store.get('x');
  // one is the store's, one is that of the question
  t.is(await accepted(redis) - before, 2, name);
}

async function oneServer(t) {
  t.section('one server');
  const redis = await startRedis(t);
  await contract(t, redis.url, 'a server keeps the contract');
  await contract(t, `${redis.url} max=2`, 'threads that share two connections do');
  await contract(t, `${redis.url} max=1 prefix=[a]*{b}:`, 'so do one connection and an odd prefix');
  await redis.cli('FLUSHALL');
  await contract(t, `${redis.url}/3`, 'a database does');
  t.is(await redis.cli('DBSIZE'), '0', 'and all of it is there');

  await keepsItsConnection(t, redis, redis.url, 'twenty operations need one connection');

  t.section('a server that comes and goes');
  const store = client(t, redis.url);
  await works(t, store, 'a store works');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await works(t, store, 'after the server closed its connection');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  t.is((await store.swap('once', 'one')).text, '1', 'so does a swap');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  t.is((await store.swap('once', 'two')).text, '0', 'which sees what is there');
  await redis.stop();
  refuses(t, await store.get('x'), /^could not connect to localhost:\d+: Connection refused$/, 'while it is down nothing works');
  await redis.start();
  await works(t, store, 'after its restart all does');
  await redis.stop();
  await redis.start();
  t.is((await store.swap('again', 'one')).text, '1', 'even where nobody noticed');
  await redis.cli('CONFIG', 'SET', 'maxmemory', '1');
  refuses(t, await store.put('x', 'y'), /^Redis returned the error: OOM /, 'what it refuses is an error');
  await redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  await works(t, store, 'that passes');

  t.section('a server that stands still');
  redis.kill('SIGSTOP');
  const frozen = await store.get('x');
  refuses(t, frozen, /^localhost:\d+ did not respond in time$/, 'an operation ends');
  t.ok(frozen.ms >= TIMEOUT_MS - 100, 'after its time', `${frozen.ms} ms`);
  refuses(t, await store.put('x', 'y'), /did not respond in time|could not connect/, 'so does the next, on a new connection');
  redis.kill('SIGCONT');
  await works(t, store, 'then all is well again');
}

// Between a client and Redis: loses, once, what `loses` says on its way.
async function unreliable(t, redis) {
  const port = await freePort();
  const line = { port, loses: '' };
  const server = net.createServer((socket) => {
    const onward = net.connect(redis.port, '127.0.0.1');
    const pass = (what, from, to) => from.on('data', (data) => {
      if (line.loses !== what) return to.write(data);
      line.loses = '';
      onward.destroy();
      return socket.resetAndDestroy();
    });
    pass('command', socket, onward);
    pass('answer', onward, socket);
    for (const [end, other] of [[socket, onward], [onward, socket]]) {
      end.on('error', () => {});
      end.on('close', () => other.destroy());
    }
  });
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => server.close());
  return line;
}

async function lostOnTheWay(t) {
  t.section('a connection that breaks in the middle of an operation');
  const redis = await startRedis(t);
  const line = await unreliable(t, redis);
  const store = client(t, `redis://127.0.0.1:${line.port}`);
  for (const what of ['command', 'answer']) {
    await works(t, store, `all works before a lost ${what}`);
    line.loses = what;
    t.is((await store.get('unheard-of')).text, 'none', 'reading is done again');
    line.loses = what;
    t.ok((await store.put(what, 'here')).ok, 'so is writing');
    t.is((await store.get(what)).text, 'here', 'and it is there');
    t.is(line.loses, '', 'the connection did break');
  }
  line.loses = 'command';
  t.is((await store.swap('unsent', 'mine')).text, '1', 'a swap that Redis never saw is done again');
  line.loses = 'answer';
  refuses(t, await store.swap('done', 'mine'), /was lost while a value was replaced/, 'one that it did is an error: it may have been another\'s');
  t.is((await store.get('done')).text, 'mine', 'and stays done');
}

async function users(t) {
  t.section('users');
  const redis = await startRedis(t, { acl: USER });
  await contract(t, redis.url, 'a user with no more rights than needed keeps the contract');
  const wrong = client(t, redis.url.replace(/:[^:@/]+@/, ':wr0ng@'));
  const answer = await wrong.get('x');
  refuses(t, answer, /WRONGPASS/, 'a wrong password is refused');
  t.unlike(answer.text, /wr0ng/, 'and is not shown');
  refuses(t, await client(t, `redis://localhost:${redis.port}`).get('x'), /NOAUTH/, 'so is none');
  refuses(t, await client(t, `${redis.url} prefix=other:`).put('x', 'y'), /NOPERM/, 'a key that is not the user\'s is refused');

  await redis.cli('CONFIG', 'SET', 'requirepass', 'pass');
  await redis.cli('ACL', 'SETUSER', 'default', 'resetpass', '>admin', '>pass');
  await works(t, client(t, `redis://:pass@localhost:${redis.port}`), 'a password alone is enough');

  const silent = await startRedis(t, { args: ['--rename-command', 'AUTH', ''] });
  const told = await client(t, `redis://:s3cret@localhost:${silent.port}`).get('x');
  refuses(t, told, /unknown command/, 'a server that repeats what it does not know is refused');
  t.unlike(told.text, /s3cret/, 'and not repeated');
}

async function encrypted(t) {
  t.section('TLS');
  const redis = await startRedis(t, { tls: {}, acl: USER });
  await contract(t, `${redis.url} ca=${redis.ca}`, 'a server of a CA keeps the contract');
  await keepsItsConnection(t, redis, `${redis.url} ca=${redis.ca}`, 'twenty operations need one handshake');
  refuses(t, await client(t, redis.url).get('x'), /TLS with localhost:\d+ failed: .*certificate/, 'one of an unknown CA is refused');
  refuses(t, await client(t, `${redis.url.replace('localhost', '127.0.0.1')} ca=${redis.ca}`).get('x'),
    /IP address mismatch/, 'an address is not a name');
  refuses(t, await client(t, redis.url.replace('rediss', 'redis')).get('x'), /closed the connection|was lost/, 'no TLS is refused');
  const store = client(t, `${redis.url} ca=${redis.ca}`);
  await works(t, store, 'a store works');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  t.is((await store.swap('once', 'one')).text, '1', 'after the server closed its connection');
  redis.kill('SIGSTOP');
  refuses(t, await store.get('x'), /did not respond in time/, 'a server that stands still is not waited for');
  refuses(t, await store.get('x'), /did not respond in time/, 'nor is its handshake');
  redis.kill('SIGCONT');
  await works(t, store, 'then all is well again');

  const other = await startRedis(t, { tls: { names: 'DNS:elsewhere.example.org' } });
  refuses(t, await client(t, `${other.url} ca=${other.ca}`).get('x'), /hostname mismatch/, 'another name is refused');

  const strict = await startRedis(t, { tls: { names: 'IP:127.0.0.1,DNS:localhost', clients: true } });
  const certified = `ca=${strict.ca} cert=${strict.cert} key=${strict.key}`;
  await contract(t, `${strict.url} ${certified}`, 'a client with a certificate keeps the contract');
  await works(t, client(t, `${strict.url.replace('localhost', '127.0.0.1')} ${certified}`), 'a certificate may be for an address');
  refuses(t, await client(t, `${strict.url} ca=${strict.ca}`).get('x'), /certificate required|closed the connection|was lost/,
    'one without is refused');
}

async function unixSocket(t) {
  t.section('a unix socket');
  const redis = await startRedis(t, { unix: true });
  await contract(t, `${redis.url}?db=2`, 'keeps the contract');
  const store = client(t, redis.url);
  await works(t, store, 'a store works');
  await redis.stop();
  await redis.start();
  await works(t, store, 'after a restart, too');
}

// Something that names a server as the master, whatever it is.
async function liar(t, named) {
  const port = await freePort();
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write(`*2\r\n$9\r\n127.0.0.1\r\n$${String(named).length}\r\n${named}\r\n`));
  });
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => server.close());
  return `127.0.0.1:${port}`;
}

async function eventually(t, store, name) {
  const start = Date.now();
  await until('it works again', async () => (await store.put('x', 'y')).ok).catch(() => {});
  t.ok((await store.put('x', 'y')).ok, name);
  t.diag(`${Date.now() - start} ms`);
}

async function sentinels(t) {
  t.section('sentinels');
  const { primary, replica, sentinels: watching, masterName, url, addresses } = await startSentinel(t);
  const setting = `${url} sentinel=${addresses} master=${masterName}`;
  await contract(t, setting, 'the master they name keeps the contract');
  refuses(t, await client(t, `${url} sentinel=${addresses} master=other`).get('x'), /unknown master 'other'/, 'an unknown name is refused');
  const lie = await liar(t, replica.port);
  refuses(t, await client(t, `${url} sentinel=${lie} master=${masterName}`).put('x', 'y'), /is not a master/, 'a replica is never asked, whoever names it');
  await works(t, client(t, `${url} sentinel=${lie},${addresses} master=${masterName}`), 'and the next sentinel knows better');
  watching[0].kill('SIGSTOP');
  await works(t, client(t, setting), 'one that stands still is passed over');
  watching[0].kill('SIGCONT');

  const store = client(t, setting);
  await works(t, store, 'a store works');
  await watching[1].cli('SENTINEL', 'FAILOVER', masterName);
  await until('the replica is master', async () => /^master/.test(await replica.cli('ROLE').catch(() => 'it resets connections as it becomes one')));
  await eventually(t, store, 'after an ordered change of masters it works again');
  await until('the old master follows', async () => /master_link_status:up/.test(await primary.cli('INFO', 'replication').catch(() => '')));
  await until('the sentinels see it follow', async () => /flags\nslave\n/.test(await watching[1].cli('SENTINEL', 'REPLICAS', masterName)));
  await replica.stop();
  refuses(t, await store.put('x', 'y'), /no sentinel found the master 'mymaster'/, 'a master that is gone is an error at first');
  await eventually(t, store, 'and after the failover it works again');
}

const keyOf = (name) => `nextauth:ask:${createHash('sha256').update(`ask\0${name}`).digest('hex')}`;

async function cluster(t) {
  t.section('a cluster');
  const { nodes, url } = await startCluster(t);
  const setting = `${url} cluster=1`;
  await contract(t, setting, 'keeps the contract');
  const sizes = await Promise.all(nodes.map((node) => node.cli('DBSIZE')));
  t.ok(sizes.every((size) => Number(size) > 0), 'all nodes take part', sizes.join(' '));

  const store = client(t, setting);
  await works(t, store, 'a store works');
  const ids = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'MYID')));
  const slot = await nodes[0].cli('CLUSTER', 'KEYSLOT', keyOf('wanders'));
  const owner = nodes.findIndex((node, i) => Number(slot) < [5461, 10923, 16384][i]);
  const next = (owner + 1) % nodes.length;
  await nodes[next].cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', ids[owner]);
  await nodes[owner].cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', ids[next]);
  t.ok((await store.put('wanders', 'here')).ok, 'a key of a slot that is on its way is put');
  t.is((await store.get('wanders')).text, 'here', 'and found');
  for (const node of [next, owner]) await nodes[node].cli('CLUSTER', 'SETSLOT', slot, 'NODE', ids[next]);
  t.is((await store.get('wanders')).text, 'here', 'also when the slot has arrived');

  await nodes[next].stop();
  refuses(t, await store.get('wanders'), /^could not connect to |^Redis returned the error: CLUSTERDOWN/, 'a node that is gone is an error');
  await nodes[next].start();
  await eventually(t, store, 'when it is back all works');
  nodes[next].kill('SIGSTOP');
  refuses(t, await store.get('wanders'), /did not respond in time|CLUSTERDOWN/, 'one that stands still is not waited for');
  nodes[next].kill('SIGCONT');
  await eventually(t, store, 'then all works again');
  refuses(t, await client(t, url).put('wanders', 'x'), /^Redis returned the error: (MOVED|CLUSTERDOWN)/, 'without cluster=1 it is one server');
}

suite('A store in Redis', async (t) => {
  if (!redisIsHere()) t.skipAll('redis-server is not installed');
  t.withOneMpm();
  await oneServer(t);
  await lostOnTheWay(t);
  await users(t);
  await encrypted(t);
  await unixSocket(t);
  await sentinels(t);
  await cluster(t);
});
