'use strict';
// Real Redis servers on free loopback ports, each in a folder of its own: one alone, a primary with
// a replica and three sentinels, a cluster of three. They end with the test.
const { execFile, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const net = require('node:net');
const { certify } = require('./certificates.js');
const { freePort, HANG_MS, makeFolder, until } = require('./httpd.js');

// A node of a cluster listens that far above its own port, too.
const BUS = 10_000;
const PORT_MOST = 65_535 - BUS;

const isFree = (port) => new Promise((resolve) => {
  const server = net.createServer();
  server.once('error', () => resolve(false));
  server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
});

const redisIsHere = () => spawnSync('redis-server', ['--version']).status === 0;

// A free port whose bus port is free as well.
async function lowPort() {
  for (;;) {
    const port = await freePort();
    if (port <= PORT_MOST && await isFree(port + BUS)) return port;
  }
}

function certifyForAll(folder, name, subject, ...more) {
  certify(folder, name, subject, ...more);
  fs.chmodSync(`${folder}/${name}.key`, 0o644);
}

// A CA of its own, a certificate of the server for `names` and one for a client.
function makeCertificates(folder, names) {
  const signed = ['-CA', `${folder}/ca.pem`, '-CAkey', `${folder}/ca.key`];
  certifyForAll(folder, 'ca', 'A CA of tests');
  certifyForAll(folder, 'server', 'server', ...signed, '-addext', 'basicConstraints=critical,CA:FALSE',
    '-addext', `subjectAltName=${names}`);
  certifyForAll(folder, 'client', 'client', ...signed, '-addext', 'basicConstraints=critical,CA:FALSE');
}

// What the tests' user may do: what src/store/redis.h says it needs.
const accessList = ({ user, password }) => `user default on >admin ~* &* +@all
user ${user} on >${password} ~nextauth:* +get +mget +set +eval +scan +select
`;

function serverArguments(folder, port, { tls, acl, unix, args = [] }) {
  const words = ['--dir', folder, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no',
    '--port', tls || unix ? '0' : String(port)];
  if (tls) {
    makeCertificates(folder, tls.names || 'DNS:localhost');
    words.push('--tls-port', String(port), '--tls-cert-file', `${folder}/server.pem`,
      '--tls-key-file', `${folder}/server.key`, '--tls-ca-cert-file', `${folder}/ca.pem`,
      '--tls-auth-clients', tls.clients ? 'yes' : 'no');
  }
  if (acl) {
    fs.writeFileSync(`${folder}/users.acl`, accessList(acl));
    words.push('--aclfile', `${folder}/users.acl`);
  }
  if (unix) words.push('--unixsocket', `${folder}/redis.sock`, '--unixsocketperm', '777');
  return [...words, ...args];
}

function clientArguments(folder, port, { tls, unix }) {
  if (unix) return ['-s', `${folder}/redis.sock`];
  if (!tls) return ['-p', String(port)];
  return ['-h', 'localhost', '-p', String(port), '--tls', '--insecure', '--cert', `${folder}/client.pem`,
    '--key', `${folder}/client.key`, '--cacert', `${folder}/ca.pem`];
}

function urlOf(folder, port, { tls, acl, unix }) {
  if (unix) return `unix:${folder}/redis.sock`;
  const user = acl ? `${encodeURIComponent(acl.user)}:${encodeURIComponent(acl.password)}@` : '';
  return `${tls ? 'rediss' : 'redis'}://${user}localhost:${port}`;
}

function cliOf(words, env) {
  return (...args) => new Promise((resolve, reject) => {
    execFile('redis-cli', [...words, ...args], { env: { ...process.env, ...env }, timeout: HANG_MS },
      (error, stdout) => (error ? reject(error) : resolve(stdout.trim())));
  });
}

// One process that can be stopped, started again, and sent signals.
async function run(t, folder, words, cli) {
  const server = { cli, dir: folder };
  server.log = () => fs.readFileSync(`${folder}/server.log`, 'utf8');
  server.start = async () => {
    const log = fs.openSync(`${folder}/server.log`, 'a');
    const child = spawn('redis-server', words, { stdio: ['ignore', log, log] });
    fs.closeSync(log);
    let running = true;
    const gone = new Promise((resolve) => { child.on('exit', () => { running = false; resolve(); }); });
    server.pid = child.pid;
    server.kill = (signal) => child.kill(signal);
    server.stop = async (signal = 'SIGKILL') => {
      if (!running) return;
      child.kill(signal);
      child.kill('SIGCONT');
      await gone;
    };
    await until('redis-server answers', async () => {
      if (!running) throw new Error(`redis-server does not start:\n${server.log()}`);
      return (await cli('PING').catch(() => '')) === 'PONG';
    });
  };
  t.cleanup(() => server.stop());
  await server.start();
  return server;
}

/*
 * One server. Options: tls ({ names: 'DNS:localhost', clients: true to ask for certificates }),
 * acl ({ user, password }), unix (a socket and no port), args (more of redis-server's).
 * The certificates are dir/ca.pem, dir/client.pem and dir/client.key.
 */
async function startRedis(t, options = {}) {
  const folder = makeFolder(t);
  const port = await lowPort();
  const cli = cliOf(clientArguments(folder, port, options), options.acl ? { REDISCLI_AUTH: 'admin' } : {});
  const server = await run(t, folder, serverArguments(folder, port, options), cli);
  return Object.assign(server, { port, url: urlOf(folder, port, options), ca: `${folder}/ca.pem`,
    cert: `${folder}/client.pem`, key: `${folder}/client.key` });
}

async function startOneSentinel(t, masterName, primary) {
  const folder = makeFolder(t);
  const port = await lowPort();
  fs.writeFileSync(`${folder}/sentinel.conf`, `port ${port}
bind 127.0.0.1
dir ${folder}
sentinel monitor ${masterName} 127.0.0.1 ${primary.port} 2
sentinel down-after-milliseconds ${masterName} 1000
sentinel failover-timeout ${masterName} 3000
`);
  const cli = cliOf(['-p', String(port)], {});
  return Object.assign(await run(t, folder, [`${folder}/sentinel.conf`, '--sentinel'], cli), { port });
}

async function startSentinel(t) {
  const masterName = 'mymaster';
  const primary = await startRedis(t);
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(primary.port)] });
  await until('the replica follows', async () => /master_link_status:up/.test(await replica.cli('INFO', 'replication')));
  const sentinels = [];
  for (let i = 0; i < 3; i += 1) sentinels.push(await startOneSentinel(t, masterName, primary));
  await until('the sentinels know each other and the replica', async () => {
    const told = await Promise.all(sentinels.map((one) => one.cli('SENTINEL', 'MASTER', masterName)));
    return told.every((text) => /num-slaves\n1\nnum-other-sentinels\n2\n/.test(text));
  });
  return { primary, replica, sentinels, masterName, url: 'redis://localhost',
    addresses: sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',') };
}

async function startCluster(t) {
  const nodes = [];
  for (let i = 0; i < 3; i += 1) {
    nodes.push(await startRedis(t, { args: ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000'] }));
  }
  await nodes[0].cli('--cluster', 'create', ...nodes.map(({ port }) => `127.0.0.1:${port}`), '--cluster-yes');
  await until('the cluster is one', async () => {
    const told = await Promise.all(nodes.map((node) => node.cli('CLUSTER', 'INFO')));
    return told.every((text) => /cluster_state:ok/.test(text) && /cluster_known_nodes:3/.test(text));
  });
  return { nodes, url: `redis://127.0.0.1:${nodes[0].port}` };
}

module.exports = { redisIsHere, startRedis, startSentinel, startCluster };
