'use strict';
// nextauthctl on databases of lib/databases.js.
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { ctlFile } = require('./httpd.js');

const POLL_MS = 5;

function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] || 0);
  } catch {
    return 0;
  }
}

// MySQL's client library leaks what it makes once, when it is unloaded at the end. What was freed
// counts as memory while it is in quarantine.
const sanitizers = { ASAN_OPTIONS: 'detect_leaks=0:quarantine_size_mb=1' };

/*
 * Runs it as the owner of the database's folder, since a file of SQLite has to stay his. Gives
 * { status, stdout, stderr, peak } once it ended; peak is the most memory that it had, in KiB. The
 * child itself is handed to `watch`, who may read its output later or end it.
 */
function nextauthctl(db, args, { env = {}, watch } = {}) {
  const owner = db.engine === 'sqlite' ? fs.statSync(db.dir) : {};
  const child = spawn(ctlFile, args, {
    cwd: db.dir, uid: owner.uid, gid: owner.gid, stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...sanitizers, LD_PRELOAD: '', NEXTAUTH_DATABASE_URL: db.url, ...env },
  });
  const result = { stdout: '', stderr: '', peak: 0 };
  const poll = setInterval(() => { result.peak = Math.max(result.peak, peakOf(child.pid)); }, POLL_MS);
  child.stderr.on('data', (data) => { result.stderr += data; });
  if (watch) watch(child);
  const read = () => child.stdout.setEncoding('utf8').on('data', (data) => { result.stdout += data; });
  if (!watch) read();
  else child.read = read;
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      clearInterval(poll);
      resolve({ ...result, status: status ?? signal });
    });
  });
}

/* Nothing is in it then, as on the first day. */
async function empty(db) {
  if (db.engine === 'postgres') await db.sql('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
  if (db.engine === 'mariadb') await db.admin('DROP DATABASE nextauth; CREATE DATABASE nextauth');
  if (db.engine === 'sqlite') for (const end of ['', '-wal', '-shm']) fs.rmSync(db.file + end, { force: true });
}

// One that has to succeed; gives what it prints.
async function ctl(db, ...args) {
  const { status, stdout, stderr } = await nextauthctl(db, args);
  if (status !== 0) throw new Error(`nextauthctl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

// A file beside the database that is nextauthctl's to read.
function secretFile(db, name, text, mode = 0o600) {
  const file = path.join(db.dir, name);
  const { uid, gid } = fs.statSync(db.dir);
  fs.writeFileSync(file, text);
  fs.chmodSync(file, mode);
  if (db.engine === 'sqlite') fs.chownSync(file, uid, gid);
  return file;
}

// A user with a password; gives the ID.
async function addUser(db, email, password, ...more) {
  const file = secretFile(db, 'password', `${password}\n`);
  return JSON.parse(await ctl(db, 'user', 'add', '--email', email, '--password-file', file, '--json', ...more)).id;
}

const columnQueries = {
  postgres: `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable AS c
    FROM information_schema.columns WHERE table_schema = 'public'`,
  mariadb: `SELECT concat(table_name, '.', column_name, ' ', column_type, ' ', is_nullable) AS c
    FROM information_schema.columns WHERE table_schema = 'nextauth'`,
  sqlite: `SELECT m.name || '.' || p.name || ' ' || p.type || ' ' || p."notnull" AS c
    FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'`,
};

/* "table.column type …" of all columns. */
const columnsOf = async (db) => (await db.sql(columnQueries[db.engine])).map(({ c }) => c).sort();
const tablesOf = async (db) => [...new Set((await columnsOf(db)).map((column) => column.split('.')[0]))];

/* What is written for PostgreSQL and SQLite, in the engine's words. */
const dialect = (db, sql) => (db.engine === 'mariadb' ? sql.replace(/"(\w+)"/g, '`$1`').replaceAll('\\', '\\\\') : sql);

module.exports = { addUser, ctl, nextauthctl, secretFile, empty, columnsOf, tablesOf, dialect };
