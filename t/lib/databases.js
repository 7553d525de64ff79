'use strict';
// Real database servers on free loopback ports, each in a folder of its own: PostgreSQL alone or
// with a replica, MariaDB, and files of SQLite. They end with the test.
const { execFile, execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { certify } = require('./certificates.js');
const { freePort, HANG_MS, makeFolder, moduleFile, thorough, until } = require('./httpd.js');

const name = 'nextauth'; // of the database and of the user who owns it
const user = name;
// One that a URL cannot hold as it is.
const somePassword = 'pass/word:@100%';

// ── what is here ────────────────────────────────────────────────────────────────────────────────

// Debian keeps PostgreSQL's server out of the path, each version in a folder: the newest is taken.
function postgresPrograms() {
  const base = '/usr/lib/postgresql';
  const versions = fs.existsSync(base) ? fs.readdirSync(base).sort((a, b) => b - a) : [];
  return versions.map((version) => `${base}/${version}/bin`).find((folder) => fs.existsSync(`${folder}/initdb`));
}

const runs = (program) => spawnSync(program, ['--version']).status === 0;

// Each system has one of these folders for it, Debian one in the architecture's.
function driverIsHere(driver) {
  const folders = ['/usr/lib', '/usr/lib64', '/usr/local/lib', ...fs.readdirSync('/usr/lib').map((entry) => `/usr/lib/${entry}`)];
  return ['', '-1'].some((ending) => folders.some((folder) => fs.existsSync(`${folder}/apr-util-1/apr_dbd_${driver}${ending}.so`)));
}

/*
 * Which engines can be tested, server and APR's driver: { postgres, mariadb, sqlite } are booleans,
 * `lacking` the Debian packages that would make all of them true, as a reason to skip.
 */
function databasesHere() {
  const packages = {
    postgres: [[postgresPrograms, 'postgresql'], [() => driverIsHere('pgsql'), 'libaprutil1-dbd-pgsql']],
    mariadb: [[() => runs('mariadbd'), 'mariadb-server'], [() => driverIsHere('mysql'), 'libaprutil1-dbd-mysql']],
    sqlite: [[() => runs('sqlite3'), 'sqlite3'], [() => driverIsHere('sqlite3'), 'libaprutil1-dbd-sqlite3']],
  };
  const here = { lacking: [] };
  for (const [engine, needed] of Object.entries(packages)) {
    const lacking = needed.filter(([isHere]) => !isHere()).map(([, debian]) => debian);
    here[engine] = lacking.length === 0;
    here.lacking.push(...lacking);
  }
  return here;
}

// ── folders, users, certificates ────────────────────────────────────────────────────────────────

// Servers refuse to run as root: then they are one of these users, whoever is there first.
function someoneElse(...users) {
  if (process.getuid() !== 0) return {};
  for (const someone of [...users, 'www-data', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => spawnSync('id', [flag, someone], { encoding: 'utf8' }));
    if (uid.status === 0) return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  }
  throw new Error(`nobody to run as: ${users.join(', ')}`);
}

function own(file, { uid, gid }) {
  if (uid !== undefined) fs.chownSync(file, uid, gid);
}

function makeOwnFolder(t, owner) {
  const folder = makeFolder(t);
  own(folder, owner);
  return folder;
}

function certifyForOne(folder, who, subject, ...more) {
  certify(folder, who, subject, ...more);
  fs.chmodSync(`${folder}/${who}.key`, 0o600);
}

// PostgreSQL and its clients refuse keys that others can read: each is its reader's own.
function makeCertificates(folder, names, server) {
  const signed = ['-CA', `${folder}/ca.pem`, '-CAkey', `${folder}/ca.key`, '-addext', 'basicConstraints=critical,CA:FALSE'];
  certifyForOne(folder, 'ca', 'A CA of tests');
  certifyForOne(folder, 'server', 'server', ...signed, '-addext', `subjectAltName=${names}`);
  certifyForOne(folder, 'client', user, ...signed);
  own(`${folder}/server.key`, server);
  own(`${folder}/client.key`, someoneElse('www-data'));
}

// ── processes ───────────────────────────────────────────────────────────────────────────────────

// The state and the parent of a process, from after its name, which may hold anything.
function processState(pid) {
  try {
    const [state, parent] = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return { state: 'Z' };
  }
}

const isGone = (pid) => processState(pid).state === 'Z';

// A server and its children. PostgreSQL has one for every connection, in no group with it.
function family(pid) {
  const all = fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)).map(Number);
  return [pid, ...all.filter((one) => processState(one).parent === pid)];
}

function signalAll(pids, signal) {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }
}

/*
 * Makes of { dir, program, args, owner, admin, quit, end } a server that runs:
 *   start()         again, with the same data
 *   stop(signal)    by default in order, though not waiting for clients; 'SIGKILL' is a crash.
 *                   Comes back when it is gone.
 *   kill(signal)    'SIGSTOP' makes it hang, with every connection it has; 'SIGCONT' ends that
 *   log()           what it wrote
 */
async function run(t, server) {
  server.log = () => fs.readFileSync(`${server.dir}/server.log`, 'utf8');
  server.start = async () => {
    const log = fs.openSync(`${server.dir}/server.log`, 'a');
    const child = spawn(server.program, server.args, { cwd: server.dir, stdio: ['ignore', log, log], ...server.owner });
    fs.closeSync(log);
    let failure;
    const gone = new Promise((resolve) => {
      child.on('error', (error) => { failure = error.message; resolve(); });
      child.on('exit', () => { failure = 'it ended'; resolve(); });
    });
    server.pid = child.pid;
    server.kill = (signal) => {
      const all = ['SIGSTOP', 'SIGCONT'].includes(signal) ? family(child.pid) : [child.pid];
      if (!failure) signalAll(all, signal);
    };
    server.stop = async (signal = server.quit) => {
      if (failure) return;
      const all = family(child.pid);
      child.kill(signal);
      signalAll(all, 'SIGCONT');
      await gone;
      // A server that starts again refuses while children of the one before live.
      await until('the children of the server are gone', () => all.every(isGone));
    };
    await until(`${path.basename(server.program)} answers`, async () => {
      if (failure) throw new Error(`${server.program} does not start, ${failure}:\n${server.log()}`);
      return server.admin('SELECT 1').then(() => true, () => false);
    });
  };
  t.cleanup(() => server.stop(server.end));
  await server.start();
  return server;
}

function urlOf(scheme, host, port, password) {
  const secret = password ? `:${encodeURIComponent(password)}` : '';
  return `${scheme}://${user}${secret}@${host}:${port}/${name}`;
}

const passwordOf = ({ password }) => (password === true ? somePassword : password || '');
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

// ── PostgreSQL ──────────────────────────────────────────────────────────────────────────────────

// Through the socket, where everybody is trusted, whatever is asked of those who come by TCP.
function postgresClient(folder, port, login) {
  const pg = require('pg');
  const asText = { getTypeParser: () => (text) => text };
  return async (text) => {
    const client = new pg.Client({ host: folder, port, ...login, types: asText,
      connectionTimeoutMillis: HANG_MS, query_timeout: HANG_MS });
    client.on('error', () => {}); // the query that it happens to says so
    try {
      await client.connect();
      const results = [await client.query(text)].flat();
      return results.filter(({ fields }) => fields && fields.length).pop()?.rows ?? [];
    } finally {
      await client.end().catch(() => {});
    }
  };
}

function accessRules({ tls, password }) {
  const method = `${password ? 'scram-sha-256' : 'trust'}${tls && tls.clients ? ' clientcert=verify-ca' : ''}`;
  const kind = tls ? 'hostssl' : 'host';
  return `local all all trust
local replication all trust
${kind} all all 127.0.0.1/32 ${method}
`;
}

// What was committed outlives the server, not the machine. Nothing is left in /dev/shm.
const fastPostgres = { fsync: 'off', full_page_writes: 'off', shared_buffers: '16MB', max_connections: '60',
  dynamic_shared_memory_type: 'mmap' };

function postgresArguments(folder, port, { tls, settings }) {
  const encrypted = tls ? { ssl: 'on', ssl_cert_file: `${folder}/server.pem`, ssl_key_file: `${folder}/server.key`,
    ssl_ca_file: `${folder}/ca.pem` } : {};
  const all = { listen_addresses: '127.0.0.1', port, unix_socket_directories: folder, ...fastPostgres, ...encrypted, ...settings };
  return ['-D', `${folder}/data`, ...Object.entries(all).flatMap(([key, value]) => ['-c', `${key}=${value}`])];
}

async function runPostgres(t, folder, owner, options) {
  const port = await freePort();
  if (options.tls) makeCertificates(folder, options.tls.names || 'DNS:localhost', owner);
  return run(t, {
    engine: 'postgres', port, dir: folder, owner, quit: 'SIGINT', end: 'SIGQUIT',
    url: urlOf('postgresql', 'localhost', port, passwordOf(options)),
    user, password: passwordOf(options), database: name,
    ca: `${folder}/ca.pem`, cert: `${folder}/client.pem`, key: `${folder}/client.key`,
    program: `${postgresPrograms()}/postgres`, args: postgresArguments(folder, port, options),
    sql: postgresClient(folder, port, { user, database: name }),
    admin: postgresClient(folder, port, { user: 'postgres', database: 'postgres' }),
  });
}

/*
 * One server with an empty database that `user` owns. Options: password (true, or the password;
 * nobody is asked for one without), tls ({ names: 'DNS:localhost', clients: true to ask for
 * certificates }; there is no way in by TCP without TLS then), settings ({ log_statement: 'all' }).
 *
 * Besides what run() gives: url (of TCP), port, user, password, database, pid, dir, ca, cert, key;
 * sql(text) as the user and admin(text) as who may do everything. Both give the rows of the last
 * statement that has some, as objects whose values are what the database shows for them, or null.
 */
async function startPostgres(t, options = {}) {
  const owner = someoneElse('postgres');
  const folder = makeOwnFolder(t, owner);
  execFileSync(`${postgresPrograms()}/initdb`, ['-D', `${folder}/data`, '-U', 'postgres', '--auth=trust', '--no-sync',
    '--no-instructions', '--encoding=UTF8', '--locale=C'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...owner });
  fs.writeFileSync(`${folder}/data/pg_hba.conf`, accessRules(options));
  const server = await runPostgres(t, folder, owner, options);
  await server.admin(`CREATE ROLE ${user} LOGIN PASSWORD ${quoted(passwordOf(options) || 'unused')}`);
  await server.admin(`CREATE DATABASE ${name} OWNER ${user}`);
  return server;
}

/*
 * Two of them, of which the replica follows and can only be read. Gives { primary, replica, url of
 * both for those who look for the one that writes, caughtUp(), promote() }.
 */
async function startPostgresPair(t, options = {}) {
  const primary = await startPostgres(t, options);
  const owner = someoneElse('postgres');
  const folder = makeOwnFolder(t, owner);
  execFileSync(`${postgresPrograms()}/pg_basebackup`, ['-D', `${folder}/data`, '-R', '-h', primary.dir, '-p', String(primary.port),
    '-U', 'postgres', '-X', 'stream', '-c', 'fast', '--no-sync'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...owner });
  const replica = await runPostgres(t, folder, owner, options);
  const caughtUp = async () => {
    const [{ at }] = await primary.admin('SELECT pg_current_wal_lsn() AS at');
    await until('the replica has what the primary has', async () => (await replica.admin(
      `SELECT coalesce(pg_last_wal_replay_lsn() >= '${at}', false) AS done`))[0].done === 't');
  };
  const promote = async () => {
    await replica.admin('SELECT pg_promote()');
    await until('the replica writes', async () => (await replica.admin('SELECT pg_is_in_recovery() AS reads'))[0].reads === 'f');
  };
  await caughtUp();
  const url = `${primary.url.replace(/\/[^/]*$/, '')},localhost:${replica.port}/${name}?target_session_attrs=read-write`;
  return { primary, replica, url, caughtUp, promote };
}

// ── MariaDB ─────────────────────────────────────────────────────────────────────────────────────

// Runs one of the tools on a text; their answers are read in a form that tells NULL from ''.
function ask(program, args, text, options = {}) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: HANG_MS, maxBuffer: 1 << 26, ...options },
      (error, stdout, stderr) => (error ? reject(new Error(stderr.replace(/^-+\n.*\n-+\n/s, '').trim() || error.message)) : resolve(stdout)));
    child.stdin.on('error', () => {}); // it ended before it read everything, and said why
    child.stdin.end(text);
  });
}

const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const unescaped = (text) => text.replace(/&(\w+);/g, (all, entity) => entities[entity] ?? all);

function rowsOfXml(xml) {
  const last = xml.split('<resultset').pop();
  return [...last.matchAll(/<row>(.*?)<\/row>/gs)].map(([, row]) => Object.fromEntries(
    [...row.matchAll(/<field name="([^"]*)"(?: xsi:nil="true" \/>|>([^<]*)<\/field>)/g)]
      .map(([, column, value]) => [unescaped(column), value === undefined ? null : unescaped(value)])));
}

function mariadbClient(folder, ...database) {
  const args = ['--no-defaults', `--socket=${folder}/mariadb.sock`, '--user=root', '--default-character-set=utf8mb4',
    `--connect-timeout=${HANG_MS / 1000}`, '--xml', ...database];
  return async (text) => rowsOfXml(await ask('mariadb', args, text));
}

const fastMariadb = ['--innodb-buffer-pool-size=16M', '--innodb-log-file-size=8M'];

// A server that starts removes what others have in the same folder for temporary tables.
const mariadbFolders = (folder) => [`--datadir=${folder}/data`, `--tmpdir=${folder}`];

function mariadbArguments(folder, port, { tls, settings = {} }) {
  const encrypted = tls ? [`--ssl-ca=${folder}/ca.pem`, `--ssl-cert=${folder}/server.pem`, `--ssl-key=${folder}/server.key`,
    '--require-secure-transport=ON'] : ['--skip-ssl'];
  return ['--no-defaults', ...mariadbFolders(folder), `--socket=${folder}/mariadb.sock`, `--pid-file=${folder}/mariadb.pid`,
    `--port=${port}`, '--bind-address=127.0.0.1', '--skip-name-resolve', '--skip-log-bin', ...fastMariadb,
    '--innodb-flush-log-at-trx-commit=0', '--performance-schema=OFF', '--innodb-use-native-aio=0', '--max-connections=60',
    '--character-set-server=utf8mb4', '--collation-server=utf8mb4_unicode_ci', ...encrypted,
    ...Object.entries(settings).map(([key, value]) => `--${key}=${value}`)];
}

/*
 * As startPostgres, of which it has all options and gives the same. sql() is root's here: there is
 * nobody who owns a table.
 */
async function startMariadb(t, options = {}) {
  const owner = someoneElse('mysql');
  const folder = makeOwnFolder(t, owner);
  const port = await freePort();
  const { tls } = options;
  const password = passwordOf(options);
  if (tls) makeCertificates(folder, tls.names || 'DNS:localhost,IP:127.0.0.1', owner);
  // Not with --user: as root that changes the owner of files outside of the folder.
  execFileSync('mariadb-install-db', ['--no-defaults', ...mariadbFolders(folder), '--auth-root-authentication-method=normal',
    '--skip-test-db', '--skip-name-resolve', ...fastMariadb], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...owner });
  const server = await run(t, {
    engine: 'mariadb', port, dir: folder, owner, quit: 'SIGTERM', end: 'SIGKILL',
    url: urlOf('mysql', '127.0.0.1', port, password), user, password, database: name,
    ca: `${folder}/ca.pem`, cert: `${folder}/client.pem`, key: `${folder}/client.key`,
    program: 'mariadbd', args: mariadbArguments(folder, port, options),
    sql: mariadbClient(folder, name),
    admin: mariadbClient(folder),
  });
  await server.admin(`CREATE DATABASE ${name};
CREATE USER ${user}@'%' IDENTIFIED BY ${quoted(password)} ${tls && tls.clients ? 'REQUIRE X509' : ''};
GRANT ALL ON ${name}.* TO ${user}@'%';`);
  return server;
}

// ── SQLite ──────────────────────────────────────────────────────────────────────────────────────

// One value of JSON for each statement that has rows, one after the other.
const rowsOfJson = (text) => JSON.parse(text.trim().split(/\n(?=\[\{)/).pop() || '[]')
  .map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value === null ? null : String(value)])));

/*
 * A file that is not there yet, in a folder that httpd's children can write to: what sql() does is
 * done as them, so that they can write to what it makes.
 */
function sqlite(t) {
  const owner = someoneElse('www-data');
  const folder = makeOwnFolder(t, owner);
  const file = `${folder}/${name}.db`;
  const sql = async (text) => rowsOfJson(await ask('sqlite3', ['-bail', '-json', '-cmd', `.timeout ${HANG_MS}`, file], text, { cwd: folder, ...owner }));
  return { engine: 'sqlite', url: `sqlite:${file}`, file, dir: folder, sql, admin: sql };
}

// ── MongoDB ─────────────────────────────────────────────────────────────────────────────────────

// A real server where there is one, as a replica set of one; else FerretDB, which the suite builds.
const ferretdb = [process.env.BUILD, 'build'].filter(Boolean)
  .map((folder) => path.resolve(__dirname, '../..', folder, 'ferretdb/ferretdb')).find((file) => fs.existsSync(file));
const mongodObject = path.join(path.dirname(moduleFile), 'mod_nextauth_mongodb.so');

// What lacks for tests of MongoDB, as a reason to skip them; null if nothing does.
function mongodbLacks() {
  if (!fs.existsSync(mongodObject)) return 'this build does without MongoDB: install libmongoc-dev';
  return runs('mongod') || ferretdb ? null : 'there is neither mongod nor FerretDB (.ci/need-ferretdb build/ferretdb)';
}

function ferretdbArguments(folder, port, { tls, password }) {
  const listen = tls ? ['--listen-addr=', `--listen-tls=127.0.0.1:${port}`, `--listen-tls-cert-file=${folder}/server.pem`,
    `--listen-tls-key-file=${folder}/server.key`, ...(tls.clients ? [`--listen-tls-ca-file=${folder}/ca.pem`] : [])]
    : [`--listen-addr=127.0.0.1:${port}`];
  const setup = password ? ['--test-enable-new-auth', `--setup-database=${name}`, `--setup-username=${user}`, `--setup-password=${password}`] : [];
  return ['--handler=sqlite', `--sqlite-url=file:${folder}/data/`, `--state-dir=${folder}`, '--debug-addr=-', '--telemetry=disable',
    '--log-level=error', ...listen, ...setup];
}

// Gives a function that runs a command, or hands the database to a function.
function mongodbClient(url, options) {
  const { MongoClient } = require('mongodb');
  return async (work) => {
    const client = new MongoClient(url, { serverSelectionTimeoutMS: 2000, ...options });
    try {
      return await work(client.db(name));
    } finally {
      await client.close();
    }
  };
}

/*
 * As startPostgres, with its options tls and password. Besides what run() gives: url, port, password,
 * database, ca, cert, key, is (the program), and with(work), which hands the driver's database to
 * `work` and gives back what it gives.
 */
async function startMongodb(t, options = {}) {
  const owner = someoneElse('www-data');
  const folder = makeOwnFolder(t, owner);
  const port = await freePort();
  const password = passwordOf(options);
  const isReal = runs('mongod') && !options.tls && !password;
  if (options.tls) makeCertificates(folder, options.tls.names || 'DNS:localhost,IP:127.0.0.1', owner);
  fs.mkdirSync(`${folder}/data`);
  own(`${folder}/data`, owner);
  const url = urlOf('mongodb', 'localhost', port, password).replace(password ? '' : `${user}@`, '');
  const driver = mongodbClient(url, { ...(options.tls && { tls: true, tlsCAFile: `${folder}/ca.pem` }), directConnection: true });
  const start = isReal && (() => driver((db) => db.admin().command({ replSetInitiate: { _id: 'rs', members: [{ _id: 0, host: `localhost:${port}` }] } }))
    .catch((error) => { if (error.codeName !== 'AlreadyInitialized') throw error; }));
  return run(t, {
    engine: 'mongodb', is: isReal ? 'mongod' : 'ferretdb', port, dir: folder, owner, quit: 'SIGTERM', end: 'SIGKILL', url, user, password, database: name,
    ca: `${folder}/ca.pem`, cert: `${folder}/client.pem`, key: `${folder}/client.key`,
    program: isReal ? 'mongod' : ferretdb,
    args: isReal ? ['--replSet', 'rs', '--bind_ip', '127.0.0.1', '--port', port, '--dbpath', `${folder}/data`] : ferretdbArguments(folder, port, { ...options, password }),
    with: driver,
    admin: async () => {
      if (start) await start();
      const { isWritablePrimary } = await driver((db) => db.command({ hello: 1 }));
      if (!isWritablePrimary) throw new Error('it is not the primary yet');
    },
  });
}

// ── all of them ─────────────────────────────────────────────────────────────────────────────────

const starters = { sqlite, postgres: startPostgres, mariadb: startMariadb };
// For what is asked of one engine in most rounds, and of all in the round that is thorough.
const enginesOfRound = thorough ? Object.keys(starters) : ['sqlite'];

/*
 * One database of each of these engines, as far as they are here: the others are skipped. `options`
 * are of startPostgres and its like, by engine.
 */
async function startDatabases(t, engines = Object.keys(starters), options = {}) {
  const here = databasesHere();
  const all = [];
  for (const engine of engines) {
    if (here[engine]) all.push(await starters[engine](t, options[engine]));
    else t.skip(engine, `install ${here.lacking.join(' ')}`);
  }
  return all;
}

module.exports = { databasesHere, mongodbLacks, startMongodb, enginesOfRound, startDatabases, startPostgres, startPostgresPair, startMariadb, sqlite };
