'use strict';
// A real httpd with the module under test, on a free loopback port, in a folder of its own.
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { inspect } = require('node:util');
const { wasSent } = require('./deaths.js');

const root = path.resolve(__dirname, '../..');
const mpm = process.env.NEXTAUTH_MPM || 'event';
const moduleFile = path.resolve(root, process.env.NEXTAUTH_MODULE || 'build/mod_nextauth.so');
const ctlFile = path.join(path.dirname(moduleFile), 'nextauthctl');
// Programs end without giving everything back, which is no leak.
process.env.ASAN_OPTIONS ||= 'detect_leaks=0';
// What takes long is done in one of the rounds that the suite makes.
const thorough = mpm === 'event' && !process.env.NEXTAUTH_PRELOAD;
const ends = /AddressSanitizer|runtime error:|exit signal|Segmentation|stack smashing|sending a SIGKILL/;
// What takes this long hangs, even on a machine that is busy with something else.
const HANG_MS = 60_000;

function apxs(name) {
  for (const program of ['apxs', 'apxs2']) {
    const result = spawnSync(program, ['-q', name], { encoding: 'utf8' });
    if (result.status === 0) return result.stdout.trim();
  }
  throw new Error('apxs is not there: install apache2-dev');
}

// Half of a child's threads may check passwords, so that sixteen clients who sign in at once take
// more of them than the tests' children have.
const roomy = mpm === 'prefork' ? '' : 'ThreadsPerChild 32\nMaxRequestWorkers 64';

const program = path.join(apxs('SBINDIR'), apxs('PROGNAME'));
const modules = apxs('LIBEXECDIR');

const loaded = ['authn_core', 'authn_file', 'authn_dbm', 'auth_basic', 'authz_core', 'authz_host',
  'authz_user', 'authz_groupfile', 'access_compat', 'alias', 'dir', 'mime', 'env', 'setenv', 'setenvif',
  'headers', 'rewrite', 'proxy', 'proxy_http', mpm === 'prefork' ? 'cgi' : 'cgid', 'include',
  'info', 'status', 'socache_shmcb'];

// Ports for programs that open them later. The system gives none of these to a connection that goes
// out, and no other test has them: a block belongs to the process that listens at its first port.
const [FIRST_PORT, BLOCKS, BLOCK] = [16384, 256, 64];
const ports = { next: 0, end: 0 };

const listenAt = (port) => new Promise((resolve, reject) => {
  const server = net.createServer().on('error', (error) => (error.code === 'EADDRINUSE' ? resolve(null) : reject(error)));
  server.listen(port, '127.0.0.1', () => resolve(server));
});

async function takeBlock() {
  for (;;) {
    const first = FIRST_PORT + BLOCK * crypto.randomInt(BLOCKS);
    const owner = await listenAt(first);
    if (owner) {
      owner.unref();
      return { next: first + 1, end: first + BLOCK };
    }
  }
}

async function freePort() {
  for (;;) {
    if (ports.next === ports.end) Object.assign(ports, await takeBlock());
    const port = ports.next;
    ports.next += 1;
    const server = await listenAt(port);
    if (server) {
      await new Promise((resolve) => { server.close(resolve); });
      return port;
    }
  }
}

// A folder that ends with the test. httpd's children are another user when root runs the tests, and
// have to get at what is in there.
function makeFolder(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-'));
  fs.chmodSync(folder, 0o755);
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

// One that nothing can be written to; null where none can be mounted.
function mountReadOnly(t) {
  const folder = makeFolder(t);
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'ro', 'tmpfs', folder]).status !== 0) return null;
  t.cleanup(() => spawnSync('umount', [folder]));
  return folder;
}

// They may not be let into the checkout.
function makeSiteFolder() {
  const base = process.getuid() === 0 ? os.tmpdir() : path.join(root, 'build', 't');
  fs.mkdirSync(base, { recursive: true });
  const folder = fs.mkdtempSync(path.join(base, 'nextauth-'));
  fs.chmodSync(folder, 0o755);
  return folder;
}

function writeFiles(folder, files) {
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    if (typeof content.link === 'string') {
      fs.symlinkSync(content.link, file);
      continue;
    }
    const { text, mode } = typeof content === 'object' && !Buffer.isBuffer(content)
      ? content : { text: content, mode: undefined };
    fs.writeFileSync(file, text);
    if (mode) fs.chmodSync(file, mode);
  }
}

const pages = {
  'htdocs/index.html': 'the start page\n',
  'htdocs/public.html': 'a public page\n',
  'htdocs/members/index.html': 'the members page\n',
  'htdocs/admin/index.html': 'the admin page\n',
  'htdocs/1k.bin': 'x'.repeat(1024),
};

function configuration(folder, port, options) {
  const fill = (text) => text.replaceAll('@PORT@', port).replaceAll('@DIR@', folder);
  const wanted = [...loaded, ...(options.modules || [])]
    .filter((name) => fs.existsSync(path.join(modules, `mod_${name}.so`)));
  return fill(`
ServerRoot ${folder}
PidFile ${folder}/httpd.pid
DefaultRuntimeDir ${folder}
ErrorLog ${folder}/error.log
LogLevel warn ${options.without ? '' : 'nextauth:debug'}
Listen 127.0.0.1:@PORT@
ServerName http://localhost:@PORT@
LoadModule mpm_${mpm}_module ${modules}/mod_mpm_${mpm}.so
${wanted.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${options.without ? '' : `LoadModule nextauth_module ${moduleFile}`}
<IfModule unixd_module>
  ${process.getuid() === 0 ? 'User www-data\nGroup www-data' : ''}
</IfModule>
StartServers 2
GracefulShutdownTimeout 4
${mpm === 'prefork' ? 'MaxRequestWorkers 24' : 'ThreadsPerChild 12\nMaxRequestWorkers 24'}
<IfModule cgid_module>
  ScriptSock ${folder}/cgid.sock
</IfModule>
TypesConfig /etc/mime.types
LogFormat "%m %U %>s %u" short
CustomLog ${folder}/access.log short
DocumentRoot ${folder}/htdocs
DirectoryIndex index.html
<Directory ${folder}>
  AllowOverride AuthConfig FileInfo
  Require all granted
</Directory>
${options.global || ''}
${options.config || ''}
`);
}

function prepare(options, port) {
  const folder = makeSiteFolder();
  writeFiles(folder, { ...pages, ...(options.files || {}) });
  fs.writeFileSync(path.join(folder, 'httpd.conf'), configuration(folder, port, options));
  return folder;
}

function environment(options) {
  const env = { ...process.env, ...(options.env || {}) };
  for (const name of Object.keys(env)) if (/^(NEXTAUTH_(URL|SECRET)|AUTH_|NODE_ENV)/.test(name) && !(options.env || {})[name]) delete env[name];
  if (process.env.NEXTAUTH_PRELOAD) env.LD_PRELOAD = process.env.NEXTAUTH_PRELOAD;
  env.ASAN_OPTIONS = 'detect_leaks=0:abort_on_error=0:log_to_stderr=1';
  env.UBSAN_OPTIONS = 'print_stacktrace=1';
  return env;
}

// What is not there, or no longer, is empty.
function read(file) {
  try { return fs.readFileSync(file, 'utf8'); } catch (error) {
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return '';
    throw error;
  }
}
const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });

const answers = (port) => new Promise((resolve) => {
  const socket = net.connect(port, '127.0.0.1', () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

async function until(what, condition, ms = HANG_MS) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    if (await condition()) return;
    await pause(50);
  }
  throw new Error(`not within ${ms / 1000} s: ${what}`);
}

// The children of a process, as the kernel has them.
function childrenOf(pid) {
  return fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).filter((entry) => {
    const stat = read(`/proc/${entry}/stat`).replace(/^.*\) /s, '').split(' ');
    return Number(stat[1]) === pid && stat[0] !== 'Z';
  }).map(Number);
}

const isThere = (pid) => !/^$|\) Z /.test(read(`/proc/${pid}/stat`));

// Those that answer requests: neither programs, like one that logs, nor mod_cgid's own process.
function serversOf(pid, folder) {
  const sockets = read('/proc/net/unix').split('\n').filter((line) => line.includes(`${folder}/cgid.sock`)).map((line) => line.split(/\s+/)[6]);
  const httpd = fs.readlinkSync(`/proc/${pid}/exe`);
  return childrenOf(pid).filter((child) => {
    try { return fs.readlinkSync(`/proc/${child}/exe`) === httpd && !holds(child, sockets); } catch { return false; }
  });
}

// Sockets of a port of this machine, but those that only wait for their name to be free again:
// { listening: inodes, connected: how many, unread: how many of them hold what nobody has read }.
function socketsOf(port) {
  const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const all = ['tcp', 'tcp6'].flatMap((name) => read(`/proc/net/${name}`).split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/)).filter(([, local]) => local?.endsWith(end));
  return {
    listening: all.filter(([, , , state]) => state === '0A').map((fields) => fields[9]),
    connected: all.filter(([, , , state]) => !['0A', '06'].includes(state)).length,
    unread: all.filter(([, , , state, queues]) => state === '01' && !queues.endsWith(':00000000')).length,
  };
}

function holds(pid, inodes) {
  try {
    return fs.readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = /^socket:\[(\d+)\]$/.exec(fs.readlinkSync(`/proc/${pid}/fd/${fd}`));
      return target && inodes.includes(target[1]);
    });
  } catch {
    return false; // gone, or just going
  }
}

function testIn(folder, options) {
  const { status, signal, stdout, stderr } = spawnSync(program, ['-t', '-f', path.join(folder, 'httpd.conf')],
    { env: environment(options), encoding: 'utf8', timeout: HANG_MS });
  if (signal) throw new Error(`a test of the configuration died by ${signal}: ${stderr}`);
  return { status, output: stdout + stderr };
}

async function startHttpd(t, options = {}) {
  const port = options.port || await freePort();
  const folder = prepare(options, port);
  const stderr = fs.openSync(path.join(folder, 'stderr.log'), 'a');
  const child = spawn(program, ['-DFOREGROUND', '-f', path.join(folder, 'httpd.conf')],
    // a group of its own: prefork sends the signals it gets to the whole group
    { env: environment(options), stdio: ['ignore', stderr, stderr], detached: true });
  let [started, exited] = [false, false];
  const gone = new Promise((resolve) => {
    child.on('exit', (status, signal) => {
      exited = true;
      site.exit = signal ? { signal } : { status };
      resolve();
    });
  });
  const log = () => read(path.join(folder, 'error.log')) + read(path.join(folder, 'stderr.log'));
  const starts = () => (log().match(/resuming normal operations/g) || []).length;

  const site = {
    port,
    url: `http://localhost:${port}`,
    dir: folder,
    pid: child.pid,
    log,
    access: () => read(path.join(folder, 'access.log')),
    // A line is written after its answer was read.
    logged: (line) => until(`the access log has ${line}`, () => site.access().includes(line)).then(() => true, () => false),
    alive: () => !exited,
    // Writes another configuration, and tests it as one does before a reload.
    configtest: (config) => {
      fs.writeFileSync(path.join(folder, 'httpd.conf'), configuration(folder, port, { ...options, config }));
      return testIn(folder, options);
    },
    // Changes the file that the next reload reads.
    rewrite: (change) => fs.writeFileSync(path.join(folder, 'httpd.conf'), change(read(path.join(folder, 'httpd.conf')))),
    // Gracefully; with another configuration where one is given. Comes back when new connections
    // are the new children's, or httpd has ended over its configuration.
    reload: async (config) => {
      if (config !== undefined) fs.writeFileSync(path.join(folder, 'httpd.conf'), configuration(folder, port, { ...options, config }));
      const [before, old] = [starts(), childrenOf(child.pid)];
      child.kill('SIGUSR1');
      await until('httpd has read its configuration again', () => exited || starts() > before);
      const { listening } = socketsOf(port);
      await until('children of before accept nothing more', () => !old.some((pid) => holds(pid, listening)));
    },
    // Gracefully, or by this signal. Told to end at once, the event MPM may crash over a
    // connection that is just being closed, whatever modules it has: until there is none, SIGTERM waits.
    stop: async (signal) => {
      if (exited) return;
      if (signal === 'SIGTERM') await until('all connections are closed', () => !socketsOf(port).connected);
      const serving = serversOf(child.pid, folder);
      child.kill(signal || 'SIGWINCH');
      // httpd looks once a second whether they have ended: when they have, another signal wakes it.
      if (!signal) {
        await until('its children end', () => exited || !serving.some(isThere), HANG_MS / 2).catch(() => {});
        child.kill('SIGTERM');
      }
      const timer = setTimeout(() => {
        t.ok(false, 'httpd ends when it is told to', log().slice(-6000));
        child.kill('SIGKILL');
      }, HANG_MS);
      await gone;
      clearTimeout(timer);
    },
  };
  t.cleanup(async () => {
    await site.stop();
    const hit = log().split('\n').find((line) => ends.test(line) && !wasSent(Number(/child pid (\d+) exit signal Killed/.exec(line)?.[1]), 'SIGKILL'));
    t.ok(!hit, 'no child died and no sanitizer spoke', hit, hit && log().slice(-6000));
    t.ok(!started || (site.exit.signal ? wasSent(child.pid, site.exit.signal) : site.exit.status === 0),
      'and httpd itself ended as it should', inspect(site.exit), log().slice(-6000));
    fs.rmSync(folder, { recursive: true, force: true });
  });
  // Connections are taken before it is ready for signals.
  await until('httpd is up', () => exited || starts() > 0);
  started = !exited;
  if (!started) throw new Error(`httpd does not start:\n${log()}`);
  return site;
}

// apachectl configtest of the same configuration, without starting it.
async function configtest(t, options = {}) {
  const port = await freePort();
  const folder = prepare(options, port);
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  return { ...testIn(folder, options), dir: folder };
}

/*
 * nextauthctl check on such a configuration. Gives { status, stdout, stderr, dir }, and with --json
 * `told`, what it says. The program it asks is the one under test, whatever is preloaded for it.
 */
async function check(t, options = {}, args = []) {
  const folder = prepare(options, options.port || await freePort());
  t.cleanup(() => fs.rmSync(folder, { recursive: true, force: true }));
  const env = environment(options);
  fs.writeFileSync(path.join(folder, 'httpd'), `#!/bin/sh
LD_PRELOAD='${env.LD_PRELOAD || ''}' exec ${program} "$@"
`, { mode: 0o755 });
  const child = spawn(ctlFile, ['check', '--httpd', path.join(folder, 'httpd'), '--config', path.join(folder, 'httpd.conf'), ...args],
    { env: { ...env, LD_PRELOAD: '', TMPDIR: folder }, stdio: ['ignore', 'pipe', 'pipe'] });
  const result = { stdout: '', stderr: '', dir: folder };
  child.stdout.setEncoding('utf8').on('data', (text) => { result.stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text) => { result.stderr += text; });
  result.status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve(status ?? signal));
  });
  if (args.includes('--json')) result.told = JSON.parse(result.stdout);
  return result;
}

function htpasswd(users) {
  return Object.entries(users).map(([user, password]) => execFileSync('htpasswd', ['-nbBC', '5', user, password],
    { encoding: 'utf8' }).trim()).join('\n') + '\n';
}

module.exports = { program, modules, answers, childrenOf, socketsOf, moduleFile, ctlFile, startHttpd, configtest, check, freePort, HANG_MS, htpasswd, makeFolder, mountReadOnly, mpm, pause, root, roomy, thorough, until };
