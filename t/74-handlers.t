#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { certify } = require('./lib/certificates.js');
const { addUser, nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { ctlFile, freePort, htpasswd, makeFolder } = require('./lib/httpd.js');
const { Client, raw, signedIn, statusOf } = require('./lib/client.js');
const { seal, sealOrder } = require('./lib/token.js');

const SECRET = 'the secret of handlers has 32 bytes';
const OLD = 'a secret of before that has 32 bytes';
const ORDERS = 'nextauth-sessions: orders';
const PASSWORD = 'a password of several words';
const KINDS = ['sessions', 'metrics', 'diagnostics', 'health'];
const TELLING = /"sessions"|nextauth_|"versions"|"status"/;
const now = () => Math.floor(Date.now() / 1000);

const config = (more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}" "${OLD}"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthSessionStore socache checkInterval=0
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
${KINDS.map((kind) => `<Location /admin/${kind}>\nSetHandler nextauth-${kind}\nRequire local\n</Location>`).join('\n')}`;
const users = htpasswd({ ada: 'x' });

// ── who may switch them on ──────────────────────────────────────────────────────────────────────

async function tenants(t) {
  t.section('a tenant\'s .htaccess switches none on');
  const files = { users };
  const ways = { set: (kind) => `SetHandler nextauth-${kind}`, add: (kind) => `AddHandler nextauth-${kind} .html`, rewrite: (kind) => `RewriteEngine On\nRewriteRule .* - [H=nextauth-${kind}]`,
    if: (kind) => `<If "true">\nSetHandler nextauth-${kind}\n</If>`, files: (kind) => `<Files "*">\nSetHandler nextauth-${kind}\n</Files>`, expr: (kind) => `SetHandler "%{tolower:NEXTAUTH-${kind}}"`,
    macro: (kind) => `<Macro Of_${kind}_a>\nSetHandler nextauth-${kind}\n</Macro>\n<Macro Of_${kind}_b>\nUse Of_${kind}_a\n</Macro>\nUse Of_${kind}_b`, server: (kind) => `Use Servers nextauth-${kind}` };
  for (const [way, lines] of Object.entries(ways)) {
    for (const kind of KINDS) {
      files[`htdocs/${way}-${kind}/page.html`] = 'a page of the tenant\'s';
      files[`htdocs/${way}-${kind}/.htaccess`] = `${lines(kind)}\nRequestHeader unset X-Forwarded-For\n`;
    }
  }
  files['htdocs/other/page.html'] = 'a page';
  files['htdocs/other/.tenant'] = 'SetHandler nextauth-sessions\n';
  const site = await t.httpd({ files, modules: ['macro'], config: config(`AccessFileName .tenant .htaccess\n<Macro Servers $handler>\nSetHandler $handler\n</Macro>`) });
  await signedIn(site);
  for (const way of Object.keys(ways)) {
    const answers = await Promise.all(KINDS.map((kind) => new Client(site).get(`/${way}-${kind}/page.html`)));
    t.is(answers.map(({ status }) => status), [404, 404, 404, 404], `by ${ways[way]('…').replace(/\n/g, ' ')}`);
    t.is(answers.filter(({ text }) => TELLING.test(text)), [], '  which tells nothing');
  }
  t.is((await new Client(site).get('/other/page.html')).status, 404, 'whatever AccessFileName calls that file');
  t.like(site.log(), /handler nextauth-sessions is not enabled here: only SetHandler in the server's configuration enables it/, 'and the log says why');
  t.is((await Promise.all(KINDS.map((kind) => new Client(site).get(`/admin/${kind}`)))).map(({ status }) => status), [200, 200, 200, 200], 'the server\'s own are there');
}

// ── who is at this machine ──────────────────────────────────────────────────────────────────────

async function proxies(t) {
  t.section('a tenant who proxies to the server itself is not at this machine');
  const files = { users };
  for (const kind of KINDS) {
    const unset = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Server', 'Via', 'Forwarded'].map((name) => `RequestHeader unset ${name}`).join('\n');
    files[`htdocs/at-${kind}/.htaccess`] = `${unset}\nRewriteEngine On\nRewriteRule ^once$ http://127.0.0.1:@PORT@/admin/${kind} [P]\nRewriteRule ^twice$ http://127.0.0.1:@PORT@/at-${kind}/inside [P]\nRewriteRule ^inside$ /admin/${kind} [L]\n`;
    files[`htdocs/at-${kind}/page.shtml`] = `<!--#include virtual="/at-${kind}/twice" -->`;
  }
  const start = async (more) => {
    const port = await freePort();
    return t.httpd({ port, files: Object.fromEntries(Object.entries(files).map(([name, text]) => [name, text.replaceAll('@PORT@', port)])), config: config(more) });
  };
  const site = await start('');
  const ada = await signedIn(site);
  for (const kind of ['sessions', 'metrics', 'diagnostics']) {
    const answers = [];
    for (const path of ['once', 'twice']) {
      answers.push(await new Client(site).get(`/at-${kind}/${path}`));
      answers.push(await new Client(site).get(`/at-${kind}/${path}`, { headers: { 'x-forwarded-for': '127.0.0.1', host: 'localhost' } }));
    }
    t.is(answers.map(({ status }) => status), [403, 403, 403, 403], `${kind}: directly, and by a rewrite below`);
    t.is(answers.filter(({ text }) => TELLING.test(text)), [], '  nothing is told');
  }
  t.is((await new Client(site).post('/at-sessions/twice', { order: sealOrder(SECRET, `${site.url}/api/auth`, { user: 'credentials/ada' }) })).status, 403, 'nor does an order pass');
  t.is(await statusOf(ada), 200, '  which ends nothing');
  t.is((await new Client(site).get('/admin/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 403, 'a proxy that does not say whom it asks for is refused');
  const customs = ['Forwarded', 'Via', 'X-Real-IP', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Fastly-Client-IP', 'X-Cluster-Client-IP', 'Client-IP'];
  const refused = await Promise.all(customs.map((name) => new Client(site).get('/admin/sessions', { headers: { [name]: '203.0.113.9' } })));
  t.is(refused.map(({ status }) => status), customs.map(() => 403), '  by whatever header it says that it asks for somebody');
  const told = await t.httpd({ files: { users }, modules: ['remoteip'], config: config('RemoteIPHeader X-Forwarded-For\nRemoteIPInternalProxy 127.0.0.1\n<Location /named/metrics>\nSetHandler nextauth-metrics\nRequire ip 203.0.113.0/24\n</Location>') });
  t.is((await new Client(told).get('/named/metrics', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 200, 'one that does is Require\'s to judge');
  t.is((await new Client(told).get('/admin/sessions', { headers: { 'x-forwarded-for': '203.0.113.9' } })).status, 403, '  but sessions are this machine\'s alone');
  const named = await t.httpd({ files: { users }, config: config('<Location /named/metrics>\nSetHandler nextauth-metrics\nAuthType Basic\nAuthName x\nAuthUserFile @DIR@/users\nRequire valid-user\n</Location>') });
  t.is((await new Client(named).get('/named/metrics', { headers: { 'x-forwarded-for': '203.0.113.9', authorization: `Basic ${Buffer.from('ada:x').toString('base64')}` } })).status, 200, 'and so is a user');
}

async function browsers(t) {
  t.section('pages in a browser on this machine are not the administrator\'s programs');
  const site = await t.httpd({ files: { users }, config: `${config()}\n<VirtualHost *:@PORT@>\nServerName localhost\nServerAlias alias.example.org *.wild.example.org\n</VirtualHost>` });
  const ask = async (headers) => Promise.all(['sessions', 'metrics', 'diagnostics'].map(async (kind) => (await new Client(site).get(`/admin/${kind}`, { headers })).status));
  for (const host of ['localhost', `localhost:${site.port}`, '127.0.0.1', '[::1]', 'any.localhost', 'alias.example.org']) t.is(await ask({ host }), [200, 200, 200], `by the name ${host} programs ask`);
  for (const host of ['evil.example', 'localhost.evil.example', 'notlocalhost', '203.0.113.9', 'a.wild.example.org']) t.is(await ask({ host }), [403, 403, 403], `${host} may have been led here (DNS rebinding)`);
  t.like(await raw(site.port, 'GET /admin/sessions HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 403/, 'who names none is refused');
  t.is(await ask({ origin: 'https://evil.example' }), [403, 403, 403], 'a page of another origin');
  t.is(await ask({ origin: 'null' }), [403, 403, 403], '  or of none');
  for (const from of ['cross-site', 'same-site']) t.is(await ask({ 'sec-fetch-site': from }), [403, 403, 403], `Sec-Fetch-Site: ${from}`);
  for (const from of ['same-origin', 'none']) t.is(await ask({ 'sec-fetch-site': from, origin: site.url }), [200, 200, 200], `but Sec-Fetch-Site: ${from} of the site itself`);
  t.is((await new Client(site).get('/admin/health', { headers: { host: 'evil.example', 'sec-fetch-site': 'cross-site' } })).status, 200, 'health is for everybody');
}

// ── who may end sessions ────────────────────────────────────────────────────────────────────────

async function orders(t) {
  t.section('ending sessions takes the site\'s secret');
  const site = await t.httpd({ files: { users, secret: { text: `${SECRET}\n`, mode: 0o600 }, old: { text: OLD, mode: 0o600 }, wrong: { text: 'some other secret of 32 bytes, too', mode: 0o600 }, open: { text: SECRET, mode: 0o644 } }, config: config() });
  const ada = await signedIn(site);
  const post = (fields, headers) => new Client(site).post('/admin/sessions', fields, { headers });
  const all = { user: 'credentials/ada' };
  const name = `${site.url}/api/auth`;
  const minute = { iat: now(), exp: now() + 60 };
  const order = (claims, secret, lives) => sealOrder(secret || SECRET, name, claims, lives);
  t.is((await new Client(site).get('/admin/sessions?about=site')).json, { site: name }, 'the handler says what an order has to be for');
  for (const [what, fields, headers] of [
    ['a form as it once was', all, { 'x-requested-with': 'a program' }],
    ['rubbish', { order: 'rubbish' }],
    ['another secret\'s order', { order: order(all, 'some other secret of 32 bytes, too') }],
    ['an order of long ago', { order: order(all, SECRET, -3600) }],
    ['an order without an end', { order: seal(SECRET, { ...all, site: name, jti: 'j' }, { salt: ORDERS }) }],
    ['an order for another site', { order: sealOrder(SECRET, 'http://other.example.org/api/auth', all) }],
    ['an order for no site', { order: seal(SECRET, { ...all, ...minute, jti: 'k' }, { salt: ORDERS }) }],
    ['an order without an ID', { order: seal(SECRET, { ...all, ...minute, site: name }, { salt: ORDERS }) }],
    ['an order of nothing', { order: order({}) }],
    ['a session of the site', { order: ada.cookie('next-auth.session-token') }],
    ['a token that looks like one', { order: seal(SECRET, { ...all, ...minute, site: name, jti: 'l' }) }],
  ]) {
    t.is((await post(fields, headers)).status, 403, `${what} does not`);
  }
  t.is(await statusOf(ada), 200, 'the session is still good');
  const once = order(all);
  t.is([(await post({ order: once })).status, await statusOf(ada)], [200, 401], 'an order of the secret does');
  const back = await signedIn(site);
  const again = () => Promise.all(Array.from({ length: 20 }, async () => (await post({ order: once })).status));
  t.is([[...new Set(await again())], await statusOf(back)], [[403], 200], '  once, in whichever process');
  await site.reload();
  t.is([[...new Set(await again())], await statusOf(back)], [[403], 200], '  and after a reload');
  t.like(site.log(), /nextauth-sessions: order refused: it has already been used/, '  as the log says');
  t.like(site.log(), /nextauth-sessions: order refused: .*expired/, 'what was refused is in the log');

  const ctl = (args, env = {}) => spawnSync(ctlFile, ['session', 'revoke', '--server', `${site.url}/admin/sessions`, ...args], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '', ...env } });
  const revoke = (name) => ctl(['--secret-file', `${site.dir}/${name}`, '--user', 'credentials/ada']);
  const bob = await signedIn(site);
  const none = ctl(['--user', 'credentials/ada']);
  t.is([none.status, /--secret-file FILE \(or NEXTAUTHCTL_SECRET_FILE\)/.test(none.stderr)], [2, true], 'nextauthctl says that it needs it');
  const wrong = revoke('wrong');
  t.is([wrong.status, wrong.stderr.trim()], [1, `nextauthctl: ${site.url}/admin/sessions returned status 403: the order is for another site or secret, has expired, or has already been used`], '  that it is another');
  t.is([revoke('open').status, await statusOf(bob)], [1, 200], '  and takes it from no file that everybody may read');
  t.is([revoke('secret').status, await statusOf(bob)], [0, 401], 'with it sessions end');
  const carol = await signedIn(site);
  t.is([revoke('old').status, await statusOf(carol)], [0, 401], 'an older secret is as good as long as it opens tokens');
  const dora = await signedIn(site);
  t.is([ctl(['--user', 'credentials/ada'], { NEXTAUTHCTL_SECRET_FILE: `${site.dir}/secret` }).status, await statusOf(dora)], [0, 401], 'and the environment may name the file');
}

// ── lists ───────────────────────────────────────────────────────────────────────────────────────

// Follows `next` from the first page to the last, and gives the IDs of each page's sessions.
async function pagesOf(site, limit) {
  const pages = [];
  let next;
  do {
    const { json } = await new Client(site).get(`/admin/sessions?limit=${limit}${next ? `&cursor=${encodeURIComponent(next)}` : ''}`);
    pages.push(json.sessions.map(({ id }) => id));
    next = json.next;
  } while (next);
  return pages;
}

async function lists(t) {
  const stores = { shmcb: '' };
  const here = databasesHere();
  if (here.sqlite) {
    const db = sqlite(t);
    await nextauthctl(db, ['migrate']);
    stores.database = `NextAuthDatabase ${db.url}\nNextAuthSessionStore database checkInterval=0`;
  } else t.skip('a database', `install ${here.lacking.join(' ')}`);
  for (const [name, more] of Object.entries(stores)) {
    t.section(`lists of all sessions, by the page: ${name}`);
    const site = await t.httpd({ files: { users }, config: config(more) });
    for (let i = 0; i < 7; i += 1) await signedIn(site);
    const pages = await pagesOf(site, 3);
    t.is([pages.flat().length, new Set(pages.flat()).size, Math.max(...pages.map(({ length }) => length))], [7, 7, 3], 'each session is on one page');
    t.is((await pagesOf(site, 1000)).map(({ length }) => length), [7], 'or all are on one');
    const { json } = await new Client(site).get('/admin/sessions');
    t.is([json.sessions.length, 'next' in json], [7, false], 'which it is without a limit');
    const wrong = ['limit=0', 'limit=1001', 'limit=-1', 'limit=x', 'limit=', 'limit=3x', 'limit=99999999999999999999', 'cursor=', 'cursor=x', 'cursor=0', 'cursor=1:', 'cursor=-1:', 'cursor=0:00', `cursor=0:${'G'.repeat(64)}`, `cursor=0:${'0'.repeat(70)}`];
    const answers = await Promise.all(wrong.map((query) => new Client(site).get(`/admin/sessions?${query}`)));
    t.is(answers.map(({ status }) => status), wrong.map(() => 400), 'no other limit or cursor is taken');
    t.unlike(site.log(), /SESSION_ERROR/, '  nor are they errors of the server');
    const ctl = (...args) => spawnSync(ctlFile, ['session', 'list', '--server', `${site.url}/admin/sessions`, ...args], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '' } });
    const first = JSON.parse(ctl('--json', '--limit', '4').stdout);
    const rest = JSON.parse(ctl('--json', '--cursor', first.next).stdout);
    t.is([first.sessions.length, rest.sessions.length, 'next' in rest], [4, 3, false], 'nextauthctl goes on where it ended');
    t.is(new Set([...first.sessions, ...rest.sessions].map(({ id }) => id)).size, 7, '  with what is left');
    const table = ctl('--limit', '2');
    t.is([table.status, table.stdout.trim().split('\n').length], [0, 3], 'a table of two');
    t.like(table.stderr, /^2 sessions\nthere are more: .*--cursor 0:\S+\n$/, '  which says that there are more');
    t.is(ctl('--limit', '0').stderr, '7 sessions\n', 'or of all');
    t.is([ctl('--limit', 'x').status, ctl('--limit', '3', '--user', 'credentials/ada').status], [2, 2], 'what makes no sense is a usage error');
    t.is(ctl('--cursor', 'x').status, 1, '  a cursor that is none, an error');
  }
}

async function names(t) {
  const here = databasesHere();
  if (!here.sqlite) return t.skip('names of users', `install ${here.lacking.join(' ')}`);
  t.section('whose sessions: what session list and user show print, and an email address');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const id = await addUser(db, 'ada@example.org', PASSWORD);
  await db.sql(`INSERT INTO accounts ("userId", type, provider, "providerAccountId") VALUES (${id}, 'oauth', 'acme', '1234')`);
  const site = await t.httpd({ files: { users, secret: { text: SECRET, mode: 0o600 } }, config: config(`NextAuthDatabase ${db.url}\nNextAuthProvider ours type=credentials backend=database\nNextAuthAuditLog @DIR@/audit.log`) });
  const ctl = (...args) => spawnSync(ctlFile, ['session', ...args, '--server', `${site.url}/admin/sessions`], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '', NEXTAUTHCTL_SECRET_FILE: `${site.dir}/secret` } });
  const signIn = async () => {
    const client = new Client(site);
    await client.post('/api/auth/callback/ours', { csrfToken: await client.csrf(), username: 'ada@example.org', password: PASSWORD });
    return client;
  };
  const listed = JSON.parse((await signIn().then(() => ctl('list', '--json'))).stdout).sessions[0].user;
  for (const name of [listed, id, 'ada@example.org', 'ADA@example.org', 'acme/1234']) {
    const ada = await signIn();
    t.is(JSON.parse(ctl('list', '--user', name, '--json').stdout).sessions.every(({ user }) => user === listed), true, `session list --user ${name}`);
    const ended = ctl('revoke', '--user', name);
    t.is([ended.status, /^ended: .* \(\d+ sessions?\)$/.test(ended.stdout.trim()), await statusOf(ada)], [0, true, 401], '  and revoke');
  }
  const before = fs.readFileSync(`${site.dir}/audit.log`, 'utf8');
  for (const name of ['nobody@example.org', 'nobody', '4711']) {
    const [list, revoke] = [ctl('list', '--user', name), ctl('revoke', '--user', name)];
    t.is([list.status, revoke.status, revoke.stdout], [1, 1, ''], `${name} is nobody`);
    t.like(revoke.stderr, /returned status 404: unknown user '.*': use a name that session list or user show prints/, '  which is said');
  }
  t.is(fs.readFileSync(`${site.dir}/audit.log`, 'utf8'), before, '  and is no success in the audit log');
  const nothing = ctl('revoke', '--user', 'credentials/someone');
  t.is([nothing.status, /the user has no recorded sessions/.test(nothing.stderr)], [1, true], 'a user of whom no session is known');
}

async function https(t) {
  t.section('a site that answers https only');
  const port = await freePort();
  const folder = makeFolder(t);
  certify(folder, 'ca', 'ca');
  certify(folder, 'server', 'server', '-CA', `${folder}/ca.pem`, '-CAkey', `${folder}/ca.key`, '-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'subjectAltName=DNS:shop.example.org,DNS:localhost');
  const site = await t.httpd({ modules: ['ssl'], files: { users, secret: { text: SECRET, mode: 0o600 } }, config: `${config()}
Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  ServerName shop.example.org
  SSLEngine on
  SSLCertificateFile ${folder}/server.pem
  SSLCertificateKeyFile ${folder}/server.key
</VirtualHost>` });
  const ctl = (host, ...args) => spawnSync(ctlFile, ['session', 'list', '--json', '--server', `https://${host}:${port}/admin/sessions`, ...args], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '' } });
  t.is(ctl('localhost').status, 1, 'its certificate is looked at');
  t.is(ctl('localhost', '--ca-file', `${folder}/ca.pem`).status, 0, 'a CA of one\'s own can be named');
  const insecure = ctl('shop.example.org', '--insecure-loopback');
  t.is([insecure.status, Object.keys(JSON.parse(insecure.stdout))], [0, ['sessions']], 'or this machine is asked by the site\'s name', insecure.stderr);
}

suite('Handlers for administrators: the server switches them on, this machine asks, the secret ends sessions', async (t) => {
  await tenants(t);
  await proxies(t);
  await browsers(t);
  await orders(t);
  await lists(t);
  await names(t);
  await https(t);
});
