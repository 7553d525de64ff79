// SPDX-License-Identifier: Apache-2.0
// Loads many users, sessions, and events in the shortest way, in the forms that the module writes:
// docs/sessions.md and src/session/record.c, docs/events.md.
'use strict';
const { spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { seal } = require('../lib/token.js');

const SECRET = 'the secret of many sessions has 32 bytes';
const SITE = 'scale';
const BROWSER = 'Firefox/128.0 (X11; Linux)';
const MONTH = 30 * 86400;
const now = Math.floor(Date.now() / 1000);

// ── sessions ────────────────────────────────────────────────────────────────────────────────────

const idOf = (i) => String(i).padStart(43, 'i');
const tokenOf = (i) => seal(SECRET, { sub: `user${i}`, provider: 'acme', sid: idOf(i), iat: now, auth_time: now, exp: now + MONTH, jti: 'j' });
const recordKey = Buffer.from(crypto.hkdfSync('sha256', SECRET, SITE, 'mod_nextauth session records', 32));

// { key: "session:HASH", value: bytes } of a session, whose token has the claims.
function recordOf(i) {
  const key = `session:${crypto.createHash('sha256').update(`session\0${idOf(i)}`).digest('hex')}`;
  const iv = crypto.randomBytes(12);
  const cipher = crypto.createCipheriv('aes-256-gcm', recordKey, iv).setAAD(Buffer.from(key));
  const record = { u: `acme/user${i}`, a: '127.0.0.1', d: 'Firefox on Linux', c: now, t: now, e: now + MONTH, l: now + MONTH, j: true };
  const sealed = Buffer.concat([cipher.update(JSON.stringify(record)), cipher.final()]);
  return { key, value: Buffer.concat([Buffer.from([1]), iv, cipher.getAuthTag(), sealed]) };
}

// Hands pieces to a program's standard input, no faster than it reads them.
async function feed(program, args, size, piece, options = {}) {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], ...options });
  let said = '';
  child.stderr.on('data', (data) => { said += data; });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`${program}: ${said}`))));
  });
  for (let i = 0; i < size; i += 1) {
    if (!child.stdin.write(piece(i))) await new Promise((resolve) => { child.stdin.once('drain', resolve); });
  }
  child.stdin.end();
  return ended;
}

function redisSet(i) {
  const { key, value } = recordOf(i);
  const words = ['SET', `nextauth:${key}`, value, 'EX', String(MONTH)];
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...words.flatMap((word) => [Buffer.from(`$${Buffer.byteLength(word)}\r\n`), Buffer.from(word), Buffer.from('\r\n')])]);
}

const sessionsInRedis = (redis, size) => feed('redis-cli', ['-p', String(redis.port), '--pipe'], size, redisSet);

// However long it takes, unlike db.sql.
const psql = (db, args, size, piece) => feed('psql', ['-h', db.dir, '-p', String(db.port), '-U', db.user, '-d', db.database, '-q', '-v', 'ON_ERROR_STOP=1', ...args], size, piece);
const copy = (db, columns, size, line) => psql(db, ['-c', `COPY ${columns} FROM STDIN`], size, line);
const run = (db, text) => psql(db, [], 1, () => text);

async function sessionsInDatabase(db, size) {
  await copy(db, 'nextauth_store (store_key, value, expires)', size, (i) => {
    const { key, value } = recordOf(i);
    return `${key}\t${value.toString('base64url')}\t${(now + MONTH) * 1000}\n`;
  });
  await run(db, 'ANALYZE nextauth_store');
}

// ── users ───────────────────────────────────────────────────────────────────────────────────────

// Each with an account of a provider; every tenth has a role.
async function users(db, size) {
  await copy(db, 'users (name, email, "emailVerified")', size, (i) => `User ${i}\tuser${i}@example.org\t2026-01-01 00:00:00+00\n`);
  await run(db, `INSERT INTO accounts ("userId", type, provider, "providerAccountId") SELECT id, 'oidc', 'acme', 'acme-' || id FROM users;
INSERT INTO nextauth_roles (user_id, role) SELECT id, 'editor' FROM users WHERE id % 10 = 0;
INSERT INTO sessions ("sessionToken", "userId", expires) SELECT 'token-' || id, id, now() + interval '30 days' FROM users;
ANALYZE;`);
}

// Deletes expired sessions of the table, of which there are none, as each server does every five minutes.
async function purge(db) {
  const times = [];
  for (let i = 0; i < 5; i += 1) {
    const [{ 'QUERY PLAN': plan }] = await db.sql('EXPLAIN (ANALYZE, FORMAT JSON) DELETE FROM sessions WHERE expires <= now()');
    times.push(JSON.parse(plan)[0]['Execution Time'] / 1000);
  }
  return { seconds: times.sort((a, b) => a - b)[2] };
}

// ── events ──────────────────────────────────────────────────────────────────────────────────────

function eventOf(i) {
  const number = String(i).padStart(32, '0');
  return { created: `${now}${String(i % 1000000).padStart(6, '0')}`, id: number, text: JSON.stringify({ type: 'signIn', id: number, timestamp: '2026-01-01T00:00:00.000Z',
    data: { user: { id: number, name: 'Ada Lovelace', email: 'ada@example.org', image: null }, account: { provider: 'credentials', type: 'credentials', providerAccountId: number }, isNewUser: false },
    site: 'https://www.example.org', requestId: number, traceId: number }) };
}

/*
 * Fills the one queue in a folder: with a segment where there are some, else with files. Gives the
 * length of an event's line, and the bytes that all of them take on the disk.
 */
function events(queue, size) {
  const [folder] = fs.readdirSync(queue).map((name) => path.join(queue, name));
  const { uid, gid } = fs.statSync(folder);
  const segment = fs.existsSync(`${folder}/segments`) && fs.openSync(`${folder}/segments/filling`, 'w', 0o600);
  let buffered = '';
  for (let i = 0; i < size; i += 1) {
    const { created, id, text } = eventOf(i);
    if (segment) buffered += `${created}-${id} ${text}\n`;
    else fs.writeFileSync(`${folder}/${created}-0000-${created}-${id}.json`, text);
    if (!segment) fs.chownSync(`${folder}/${created}-0000-${created}-${id}.json`, uid, gid);
    if (buffered.length > 1 << 20 || (segment && i === size - 1)) {
      fs.writeSync(segment, buffered);
      buffered = '';
    }
  }
  if (segment) fs.fchownSync(segment, uid, gid);
  if (segment) fs.closeSync(segment);
  const blocks = segment ? fs.statSync(`${folder}/segments/filling`).blocks : fs.statSync(`${folder}/${fs.readdirSync(folder).find((name) => /^\d/.test(name))}`).blocks * size;
  return { lineLength: eventOf(0).text.length + 1, bytes: blocks * 512 };
}

module.exports = { SECRET, SITE, BROWSER, tokenOf, sessionsInRedis, sessionsInDatabase, users, purge, events };
