// SPDX-License-Identifier: Apache-2.0
// The server under test: one configuration, one virtual host (port) a kind of protection, all
// serving the same file under the same path.
'use strict';
const { spawn, execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');

const FILE_SIZE = 1024; // of /page.bin, open to all, and /members/page.bin, protected on all sites but `plain`
const THREADS = 64;

// What Debian's apache2 enables, without the modules that have no part in sending a file.
const MODULES = [
  'mpm_event', 'access_compat', 'alias', 'auth_basic', 'authn_core', 'authn_file', 'authz_core', 'authz_host',
  'authz_user', 'deflate', 'dir', 'env', 'filter', 'mime', 'negotiation', 'reqtimeout', 'setenvif', 'socache_shmcb',
];

function moduleDirectory() {
  for (const apxs of ['apxs', 'apxs2']) {
    try {
      return execFileSync(apxs, ['-q', 'LIBEXECDIR'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
    } catch { /* the next */ }
  }
  return '/usr/lib/apache2/modules';
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer());
  await Promise.all(servers.map((server) => new Promise((done) => server.listen(0, '127.0.0.1', done))));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

const STORES = ['socache', 'redis', 'postgres'];
const SITES = {
  plain: () => '',
  nextauth: (port, options) => nextauth(port, options, ''),
  bearer: (port, options) => nextauth(port, options, bearer(options)),
  socache: (port, options) => nextauth(port, options, options.stores.socache),
  redis: (port, options) => nextauth(port, options, options.stores.redis),
  postgres: (port, options) => nextauth(port, options, options.stores.postgres),
  openidcCache: (port, { issuer }) => openidc(port, issuer, 'server-cache'),
  openidcCookie: (port, { issuer }) => openidc(port, issuer, 'client-cookie'),
  signins: (port, { dir, issuer, bundle }) => signins(port, dir, issuer, bundle),
  signinsSecure: (port, { dir, secure, bundle }) => signins(port, dir, secure.issuer, bundle),
  openidcSecure: (port, { secure, bundle }) => `
  OIDCCABundlePath ${bundle}${openidc(port, secure.issuer, 'server-cache')}`,
};

const nextauth = (port, { dir, issuer }, store) => `
  NextAuthEngine On
  NextAuthMode test
  NextAuthURL http://127.0.0.1:${port}
  NextAuthSecret file:${dir}/secret
  NextAuthSite bench
  NextAuthProvider github clientId=a clientSecret=b
  NextAuthProvider hangs type=oidc issuer=${issuer}/hangs clientId=a clientSecret=b
  NextAuthHTTP timeout=300
  <Location /members/>
    AuthType NextAuth
    Require valid-user
  </Location>
${store}`;

const bearer = ({ issuer }) => `
  NextAuthTokenIssuer bench issuer=${issuer} audience=bench
  <Location /members/>
    NextAuthAcceptTokens oauth
  </Location>`;

// With a single provider, the protected page leads there.
const signins = (port, dir, issuer, bundle) => `
  NextAuthEngine On
  NextAuthMode test
  NextAuthURL http://127.0.0.1:${port}
  NextAuthSecret file:${dir}/secret
  NextAuthSite bench
  NextAuthProvider bench type=oidc issuer=${issuer} clientId=bench clientSecret=bench-client-secret
  NextAuthHTTP caFile=${bundle}
  <Location /members/>
    AuthType NextAuth
    Require valid-user
  </Location>`;

// Another build of mod_auth_openidc than the one that is installed. Version 2.4.20 gives up a connection
// after two seconds, which is too soon under callgrind.
const PEER = process.env.BENCH_PEER || '';
const PEER_TIMEOUT = PEER ? 'OIDCHTTPTimeoutShort 60 60' : '';

const openidc = (port, issuer, sessions) => `
  OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
  OIDCClientID bench
  OIDCClientSecret bench-client-secret
  OIDCRedirectURI http://127.0.0.1:${port}/members/callback
  OIDCCryptoPassphrase a-passphrase-for-the-benchmark-only
  OIDCSessionType ${sessions}
  OIDCCacheType shm
  OIDCSessionInactivityTimeout 86400
  OIDCProviderTokenEndpointAuth client_secret_basic
  ${PEER_TIMEOUT}
  <Location /members/>
    AuthType openid-connect
    Require valid-user
  </Location>`;

// Text of the configuration that only counts if that module is loaded; all of it without a name.
const withModule = (module, text) => (module ? `<IfDefine ${module}>\n${text}\n</IfDefine>` : text);
const moduleOf = (site) => (site === 'plain' ? '' : site.startsWith('openidc') ? 'openidc' : 'nextauth');

// The system's CA certificates, where Debian or Fedora have them.
const CERTIFICATES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt'];

// Writes everything a server needs. `options`: dir, module (mod_nextauth.so), issuer, secret, stores
// (directives by name), secure (the `issuer` of a provider over https, and its `certificate`).
async function prepare(options) {
  const { dir, module, secret, stores, secure } = options;
  const modules = moduleDirectory();
  const root = process.getuid() === 0;
  const peer = PEER || `${modules}/mod_auth_openidc.so`;
  const hasOpenidc = fs.existsSync(peer);
  const siteNames = Object.keys(SITES).filter((name) => hasOpenidc || !name.startsWith('openidc'))
    .filter((name) => module || !['nextauth', 'bearer', 'signins', 'signinsSecure'].includes(name))
    .filter((name) => !STORES.includes(name) || stores[name]);

  // What the server's user reads and writes is outside the working tree, which it may not be able to enter.
  const open = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-bench-'));
  process.on('exit', () => fs.rmSync(open, { recursive: true, force: true }));
  fs.chmodSync(open, 0o755);
  fs.mkdirSync(`${open}/htdocs/members`, { recursive: true });
  const body = Buffer.from(crypto.randomBytes(FILE_SIZE / 2).toString('hex'));
  for (const file of ['page.bin', 'members/page.bin']) fs.writeFileSync(`${open}/htdocs/${file}`, body);
  const profiles = `${open}/callgrind`;
  fs.mkdirSync(profiles);
  if (root) fs.chownSync(profiles, Number(execFileSync('id', ['-u', 'www-data'])), -1);
  fs.writeFileSync(`${dir}/secret`, secret, { mode: 0o600 });
  const bundle = `${open}/bundle.pem`;
  const trusted = CERTIFICATES.filter((file) => fs.existsSync(file)).slice(0, 1).map((file) => fs.readFileSync(file));
  fs.writeFileSync(bundle, Buffer.concat([...trusted, secure.certificate]));

  const ports = await freePorts(siteNames.length);
  const sites = {};
  siteNames.forEach((name, i) => { sites[name] = { port: ports[i], origin: `http://127.0.0.1:${ports[i]}` }; });
  const configuration = `${root ? 'User www-data\nGroup www-data\n' : ''}
ServerName 127.0.0.1
ServerRoot ${dir}
DefaultRuntimeDir ${dir}
PidFile ${dir}/httpd.pid
ErrorLog ${dir}/error.log
LogLevel warn
Mutex pthread
DocumentRoot ${open}/htdocs
${MODULES.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
${hasOpenidc ? withModule('openidc', `LoadModule auth_openidc_module ${peer}`) : ''}
${module ? withModule('nextauth', `LoadModule nextauth_module ${module}`) : ''}
${stores.socache ? withModule('nextauth', 'NextAuthSOCache shmcb:sessions(67108864)') : ''}
StartServers 2
ServerLimit 2
ThreadsPerChild ${THREADS}
MaxRequestWorkers ${2 * THREADS}
MinSpareThreads 1
MaxSpareThreads ${2 * THREADS}
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
RequestReadTimeout header=0 body=0
TypesConfig /dev/null
<Directory />
  AllowOverride None
  Require all granted
</Directory>
${Object.entries(sites).map(([name, { port }]) => `
Listen 127.0.0.1:${port}
${withModule(moduleOf(name), `<VirtualHost 127.0.0.1:${port}>${SITES[name](port, { ...options, bundle })}
</VirtualHost>`)}`).join('')}
`;
  fs.writeFileSync(`${dir}/httpd.conf`, configuration);
  return { dir, sites, body, profiles, hasOpenidc, issuer: options.issuer };
}

// Starts httpd with these of the two modules, `before` in front of its command line; resolves when the
// unprotected site listens.
async function start(prepared, modules, more = ['-DFOREGROUND'], before = []) {
  fs.rmSync(`${prepared.dir}/httpd.pid`, { force: true });
  const [command, ...args] = [...before, 'apache2', '-d', prepared.dir, '-f', `${prepared.dir}/httpd.conf`,
    ...modules.map((module) => `-D${module}`), ...more];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stdout.on('data', (text) => (said += text));
  child.stderr.on('data', (text) => (said += text));
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const terminate = () => child.kill('SIGTERM');
  process.on('exit', terminate);
  const stop = async () => {
    terminate();
    const hard = setTimeout(() => child.kill('SIGKILL'), 15000);
    await exited;
    clearTimeout(hard);
    process.off('exit', terminate);
  };
  for (let i = 0; i < 600; i++) {
    if (child.exitCode !== null) throw new Error(`httpd does not start:\n${said}see ${prepared.dir}/error.log`);
    if (await listens(prepared.sites.plain.port)) return { stop, pid: child.pid };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await stop();
  throw new Error('httpd does not listen after a minute');
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}

module.exports = { prepare, start, FILE_SIZE };
