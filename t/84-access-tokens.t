#!/usr/bin/env node
'use strict';
const { createHash } = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { thorough, until } = require('./lib/httpd.js');
const { request } = require('./lib/client.js');
const { enginesOfRound, mongodbLacks, startDatabases, startMongodb } = require('./lib/databases.js');
const { addUser, ctl, nextauthctl, secretFile } = require('./lib/ctl.js');
const { startApp } = require('./lib/app.js');
const { recordsOf } = require('./lib/audit.js');
const { enrol, oathtoolIsHere } = require('./lib/second-factor.js');

const PASSWORD = 'seven lanterns under water';
const FORM = /^na_pat_[0-9A-Za-z]{49}$/;
const config = (db, app, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of access tokens is long enough"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
NextAuthSessionStore database checkInterval=0
NextAuthRole staff "%{USER:email} =~ /example.org$/"
NextAuthClaim department "engineering"
NextAuthAuditLog @DIR@/audit.log
ScriptAlias /cgi/ @DIR@/cgi/
RewriteEngine On
RewriteRule ^/other-name/(.*)$ /members/$1 [PT]
<Location />
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens personal
</Location>
<Location /closed>
  NextAuthAcceptTokens none
</Location>
<Location /both>
  NextAuthAcceptTokens personal session
</Location>
<Location /staff>
  Require nextauth-role staff
</Location>
<Location /db-role>
  Require nextauth-role editor
</Location>
<Location /department>
  Require nextauth-claim department:engineering
</Location>
<Location /anyone>
  NextAuthUnauthenticated pass
</Location>
<Location /expression>
  Require expr "%{NEXTAUTH:email} == 'ada@example.org'"
</Location>
<Location /app>
  ProxyPass http://127.0.0.1:${app.port}
</Location>
<Directory @DIR@/htdocs/included>
  Options +Includes +Indexes
  AddType text/html .shtml
  AddOutputFilter INCLUDES .shtml
</Directory>
${more}`;

const files = {
  'htdocs/svn/index.html': 'svn\n', 'htdocs/svnx/index.html': 'svnx\n', 'htdocs/svn/a/index.html': 'a\n',
  'htdocs/staff/index.html': 'staff\n', 'htdocs/db-role/index.html': 'editors\n', 'htdocs/department/index.html': 'engineering\n',
  'htdocs/anyone/index.html': 'anyone\n', 'htdocs/closed/index.html': 'closed\n', 'htdocs/both/index.html': 'both\n',
  'htdocs/expression/index.html': 'expression\n', 'htdocs/a b/ü.txt': 'umlaut\n',
  'htdocs/included/page.shtml': '[<!--#include virtual="/members/index.html" -->]\n',
  'htdocs/included/own.shtml': '[<!--#include virtual="/included/part.txt" -->]\n', 'htdocs/included/part.txt': 'part',
  'cgi/inside.cgi': { text: '#!/bin/sh\nprintf "Location: /members/index.html\\n\\n"\n', mode: 0o755 },
  'cgi/who.cgi': { text: '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\n$REMOTE_USER $NEXTAUTH_ROLES [$HTTP_AUTHORIZATION]\\n"\n', mode: 0o755 },
};

const inMongodb = (db, work) => db.with((mongo) => work(mongo.collection('nextauth_secrets')));
const rowsOf = (db) => (db.engine === 'mongodb' ? inMongodb(db, (secrets) => secrets.find().toArray()) : db.sql('SELECT * FROM nextauth_secrets'));
const idOf = (token) => createHash('sha256').update(token).digest('hex');
const expire = (db, token) => (db.engine === 'mongodb' ? inMongodb(db, (secrets) => secrets.updateOne({ _id: idOf(token) }, { $set: { expires: new Date(1000) } }))
  : db.sql(`UPDATE nextauth_secrets SET expires_at = 1000 WHERE id = '${idOf(token)}'`));

const basic = (user, password) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

async function tokens(t, db) {
  const app = await startApp(t, (r) => [r.headers['x-nextauth-email'], r.headers.authorization || null]);
  const site = await t.httpd({ config: config(db, app), files });
  const id = await addUser(db, 'ada@example.org', PASSWORD, '--name', 'Ada');
  const add = async (scope, ...more) => (await ctl(db, 'token', 'add', 'ada@example.org', '--name', 'a token', '--scope', scope, ...more)).trim();
  const ask = (path, token, options = {}) => request(new URL(path, site.url).href,
    { ...options, headers: { ...(token ? { authorization: `Bearer ${token}` } : {}), ...options.headers } });
  // the path as it is written, which new URL() would normalize
  const askRaw = async (path, token, method = 'GET', more = '') => Number(/^HTTP\/1\.1 (\d+)/.exec(
    await t.raw(site.port, `${method} ${path} HTTP/1.1\r\nHost: localhost:${site.port}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n${more}\r\n`))[1]);
  const status = async (...args) => (await ask(...args)).status;

  t.section(`${db.engine}: made by nextauthctl`);
  const token = await add('/');
  t.like(token, FORM, 'a token has the form that secret scanners know');
  const listed = JSON.parse(await ctl(db, 'token', 'list', id, '--json'));
  t.is([listed.length, listed[0].name, listed[0].scope, 'lastUsed' in listed[0]], [1, 'a token', '/', false], 'it is listed, and unused');
  t.ok(!JSON.stringify(await rowsOf(db)).includes(token.slice(7)), 'the database does not have it');
  for (const [what, args] of [['no scope', ['--name', 'x']], ['no name', ['--scope', '/']], ['a bad scope', ['--name', 'x', '--scope', 'svn']],
    ['no days', ['--name', 'x', '--scope', '/', '--days', '0']], ['a long time', ['--name', 'x', '--scope', '/', '--days', '366']]]) {
    t.isnt((await nextauthctl(db, ['token', 'add', id, ...args])).status, 0, `refused: ${what}`);
  }

  t.section('used');
  t.is(await status('/members/', token), 200, 'as a bearer token');
  for (const user of ['ada@example.org', 'x', '']) {
    t.is((await request(`${site.url}/members/`, { headers: { authorization: basic(user, token) } })).status, 200, `as a password of ${JSON.stringify(user)}`);
  }
  t.ok(await site.logged('GET /members/index.html 200 ada@example.org'), 'the user is who made it');
  t.ok('lastUsed' in JSON.parse(await ctl(db, 'token', 'list', id, '--json'))[0], 'its last use is shown');
  t.is((await ask('/app/x', token)).json, { url: '/x', user: ['ada@example.org', null] }, 'an application gets the user, and not the token');
  t.is((await ask('/cgi/who.cgi', token)).text, 'ada@example.org  []\n', 'so does CGI');
  t.is(await status('/expression/', token), 200, 'Require expr knows the user');
  t.is((await ask('/members/', token)).setCookies, [], 'it sets no cookie');
  t.is([await status('/closed/', token), await status('/both/', token)], [401, 200], 'NextAuthAcceptTokens decides where');
  t.is(await status('/api/auth/session', token), 200, 'the endpoints answer');
  t.is((await ask('/api/auth/session', token)).json, {}, '  but do not know it');
  t.is(await status('/staff/', token), 403, 'an administrator\'s token has no roles of rules');
  await ctl(db, 'role', 'grant', id, 'editor');
  t.is(await status('/db-role/', token), 200, 'but the roles of the database');
  await ctl(db, 'role', 'revoke', id, 'editor');
  t.is(await status('/db-role/', token), 403, 'as they are now');

  t.section('refused');
  const last = token.at(-1);
  const unknown = 'na_pat_000000000000000000000000000000000000000000041nxNc';
  for (const [what, wrong] of [['another checksum', token.slice(0, -1) + (last === '0' ? '1' : '0')], ['an unknown one', unknown],
    ['a short one', token.slice(0, -1)], ['a long one', `${token}0`], ['the prefix', 'na_pat_'], ['capitals', token.toUpperCase().replace('NA_PAT_', 'na_pat_')]]) {
    const answer = await ask('/members/', wrong);
    t.is([answer.status, answer.headers['www-authenticate']], [401, `NextAuth realm="${site.url}", Bearer realm="${site.url}", error="invalid_token"`], `${what}: 401`);
    t.is(await status('/anyone/', wrong), 401, '  where nobody has to sign in, too');
    t.is((await request(`${site.url}/members/`, { headers: { authorization: basic('ada@example.org', wrong) } })).status, 401, '  as a password');
  }
  t.is(await status('/anyone/', null), 200, 'without one, everybody is let in there');
  t.is(await status('/members/', null, { headers: { authorization: basic('ada@example.org', PASSWORD) } }), 401, 'a password is no token');
  t.is(await status('/members/', null, { headers: { authorization: `Basic ${token}` } }), 401, 'nor is a token that is not encoded');
  t.is(await status('/members/', null, { headers: { authorization: token } }), 401, 'nor one without a scheme');
  t.is(await status(`/members/?access_token=${token}`, null), 401, 'nor one in the URL');
  t.is(await status('/members/', null, { headers: { cookie: `next-auth.session-token=${token}` } }), 401, 'nor a cookie');

  t.section('scopes');
  {
    const svn = await add('/svn/');
    const within = [['/svn/'], ['/svn'], ['/svn/a/'], ['/svn//a/'], ['/%73vn/'], ['/svn/./a/'], ['/members/../svn/'], ['/svn/?x=/../members/'], ['//svn/']];
    for (const [path] of within) t.ok([200, 301].includes(await askRaw(path, svn)), `within: ${path}`);
    const outside = ['/', '/svnx/', '/members/', '/SVN/', '/svn/../members/', '/svn/%2e%2e/members/', '/svn/%2E%2E/members/', '/svn/.%2e/members/',
      '/svn/a/../../members/', '/svn//../members/', '/svn/;/../../members/', '/other-name/', '/cgi/who.cgi', '/app/x'];
    for (const path of outside) t.is(await askRaw(path, svn), 403, `outside: ${path}`);
    for (const path of ['/svn/..%2fmembers/', '/svn/%252e%252e/members/', '/svn/..%5cmembers/', '/svn%00/', '/svn%2f..%2fmembers/']) {
      t.ok([400, 403, 404].includes(await askRaw(path, svn)), `nowhere: ${path}`);
    }
    const answer = await ask('/members/', svn);
    t.is(answer.headers['www-authenticate'], `Bearer realm="${site.url}", error="insufficient_scope"`, 'the client is told why');

    const read = await add('GET,PROPFIND /members; PUT /svn');
    t.is(await status('/members/', read), 200, 'a method of the scope');
    t.is(await status('/members/', read, { method: 'HEAD' }), 200, 'HEAD goes with GET');
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'MOVE', 'FOO']) {
      t.is(await status('/members/', read, { method }), 403, `${method} does not`);
    }
    t.is(await askRaw('/members/', read, 'get'), 403, 'nor does a method in small letters');
    t.is(await status('/svn/', read), 403, 'a method of another path does not count');
    t.is(await askRaw('/a%20b/%C3%BC.txt', await add('/a b/ü.txt')), 200, 'a path is written decoded');
  }

  t.section('what is served is what was checked');
  {
    const included = await add('/included; /cgi; /members');
    const narrow = await add('/included; /cgi');
    t.like((await ask('/included/page.shtml', included)).text, /\[the members page/, 'a page includes what is within the scope');
    t.unlike((await ask('/included/page.shtml', narrow)).text, /the members page/, '  and nothing else');
    t.is((await ask('/included/own.shtml', narrow)).text, '[part]\n', '  but its own');
    t.is(await status('/cgi/inside.cgi', included), 200, 'an internal redirect leads to what is within the scope');
    t.is(await status('/cgi/inside.cgi', narrow), 403, '  and not elsewhere');
    const destination = (path, to, method = 'MOVE', token_ = move) => askRaw(path, token_, method, `Destination: ${to}\r\n`);
    const move = await add('MOVE,COPY /app/dav; GET /app');
    for (const to of ['/app/dav/b', `${site.url}/app/dav/b`, `http://LOCALHOST:${site.port}/app/dav/b%20c`, '/app/x/../dav/b']) {
      t.is(await destination('/app/dav/a', to), 200, `MOVE to ${to}`);
      t.is(await destination('/app/dav/a', to, 'COPY'), 200, `COPY to ${to}`);
    }
    for (const to of ['/app/x', '/app/davx', '/app/dav/../x', '/app/dav/%2e%2e/x', '/app/dav/..%2fx', '/app/DAV/b', 'http://other.example/app/dav/b', '//other.example/app/dav/b',
      'dav/b', '', '*', '/app/dav/b, /app/x', '/app/dav/b /app/x', '\\app\\dav', 'ftp:', '/app/dav/%zz', '/app/dav/%00', `${site.url}@other/app/dav/b`]) {
      t.is(await destination('/app/dav/a', to), 403, `not MOVE to ${JSON.stringify(to)}`);
    }
    t.is(await askRaw('/app/dav/a', move, 'MOVE', 'Destination: /app/dav/b\r\nDestination: /app/x\r\n'), 403, 'nor to two at once');
    t.is(await askRaw('/app/dav/a', move, 'MOVE'), 200, 'without one, that is for the application to refuse');
  }

  t.section('the end of a token');
  {
    const gone = await add('/');
    t.is(await status('/members/', gone), 200, 'it works');
    const of = async () => JSON.parse(await ctl(db, 'token', 'list', id, '--json'));
    await ctl(db, 'token', 'revoke', id, (await of())[0].id);
    t.is(await status('/members/', gone), 401, 'revoked, it does not');
    t.isnt((await nextauthctl(db, ['token', 'revoke', id, '0123456789ab'])).status, 0, 'one that is not there is not revoked');
    const old = await add('/');
    await expire(db, old);
    t.is(await status('/members/', old), 401, 'it expires');
    await ctl(db, 'user', 'disable', id);
    t.is(await status('/members/', token), 401, 'a disabled user\'s does not work');
    await ctl(db, 'user', 'enable', id);
    t.is(await status('/members/', token), 200, 'that of one who is enabled again does');
    await ctl(db, 'user', 'delete', id, '--yes');
    t.is(await status('/members/', token), 401, 'that of one who is deleted does not');
    t.is(await rowsOf(db), [], 'and nothing is left of it');
  }
  const records = recordsOf(`${site.dir}/audit.log`).filter(({ reason }) => /token/.test(reason || ''));
  t.ok(records.every(({ event, outcome }) => event === 'SIGNIN' && outcome === 'failure') && records.length > 10, 'wrong tokens are in the audit log');
  t.ok(!/na_pat_[0-9A-Za-z]{10}/.test(site.log() + JSON.stringify(recordsOf(`${site.dir}/audit.log`))), 'tokens are in no log');
}

async function clients(t, db) {
  t.section('who is asked how');
  const site = await t.httpd({ config: config(db, { port: 1 }), files });
  const challenge = `Basic realm="${site.url}", charset="UTF-8", Bearer realm="${site.url}"`;
  const asked = async (method, headers, path = '/members/') => {
    const answer = await request(site.url + path, { method, headers });
    return [answer.status, answer.headers['www-authenticate']];
  };
  const html = { accept: 'text/html,*/*' };
  for (const agent of ['git/2.39.5', 'SVN/1.14.2 (x86_64-pc-linux-gnu) serf/1.3.9', 'cadaver/0.24 neon/0.33.0', 'curl/7.88.1', 'Microsoft-WebDAV-MiniRedir/10.0', 'iOS/17.0 (21A329) dataaccessd/1.0', 'DAVx5/4.3']) {
    t.is(await asked('GET', { 'user-agent': agent, ...html }), [401, challenge], `${agent} is asked by Basic`);
    t.is((await asked('GET', { 'user-agent': agent, ...html }, '/closed/'))[0], 302, '  not where it has no way in');
  }
  for (const method of ['PROPFIND', 'REPORT', 'MKCOL', 'LOCK', 'MKCALENDAR']) t.is(await asked(method, {}), [401, challenge], `so is ${method}`);
  const other = [401, `NextAuth realm="${site.url}", Bearer realm="${site.url}"`];
  const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0' };
  t.is((await asked('GET', { ...firefox, ...html }))[0], 302, 'a browser is redirected');
  t.is((await asked('GET', { ...firefox, ...html, 'sec-fetch-mode': 'navigate' }))[0], 302, 'so is one with Fetch Metadata');
  for (const [what, method, headers] of [['a script', 'GET', { ...firefox, accept: '*/*' }], ['an old script', 'GET', { ...firefox, ...html, 'x-requested-with': 'XMLHttpRequest' }],
    ['a script that claims to be git', 'GET', { 'user-agent': 'git/2', 'sec-fetch-mode': 'cors' }], ['a script\'s PROPFIND', 'PROPFIND', { ...firefox, 'sec-fetch-mode': 'cors' }],
    ['a script\'s PROPFIND from another origin', 'PROPFIND', { ...firefox, origin: 'http://other.example' }], ['an old script\'s PROPFIND', 'PROPFIND', { 'x-requested-with': 'XMLHttpRequest' }],
    ['an unknown program', 'GET', {}]]) {
    t.is(await asked(method, headers), other, `${what} is not asked by Basic`);
  }
}

const tokenOf = (page) => /<code[^>]*>(na_pat_[0-9A-Za-z]{49})<\/code>/.exec(page.text)?.[1];

async function page(t, db) {
  t.section('the page');
  const app = await startApp(t);
  const site = await t.httpd({ config: config(db, app), files });
  const other = await t.httpd({ config: config(db, app).replaceAll('@PORT@', site.port), files });
  const id = await addUser(db, 'ada@example.org', PASSWORD, '--name', 'Ada');
  const eve = await addUser(db, 'eve@example.net', PASSWORD);
  const signIn = async (email) => {
    const client = t.client(site);
    await client.credentials(email, PASSWORD);
    return client;
  };
  const client = await signIn('ada@example.org');
  const send = async (who, fields) => who.page('/api/auth/tokens', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken: await who.csrf(), ...fields }).toString() });
  const make = (who, more = {}) => send(who, { change: 'create', name: 'a laptop', scope: '/', days: '90', ...more });
  const status = async (path, token, at = site) => (await request(at.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
  t.is((await t.client(site).page('/api/auth/tokens')).location, `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(`${site.url}/api/auth/tokens`)}`, 'a visitor signs in first');
  t.is((await t.client(site).get('/api/auth/tokens')).status, 401, '  a script is told so');
  const empty = await client.page('/api/auth/tokens');
  t.ok(empty.status === 200 && /Your access tokens/.test(empty.text) && /no-store/.test(empty.headers['cache-control']), 'a user sees the page, which no cache keeps');
  const made = await make(client, { name: '<b>laptop</b>' });
  const token = tokenOf(made);
  t.like(token || made.text, FORM, 'a token is made, and shown');
  t.ok(/&lt;b&gt;laptop/.test(made.text) && !/<b>laptop/.test(made.text), 'its name is text');
  t.ok(!(await client.page('/api/auth/tokens')).text.includes(token), 'it is not shown again');
  t.is(await status('/members/', token), 200, 'it works');
  t.is(await status('/members/', token, other), 200, '  on another server of the site, too');
  t.is([await status('/staff/', token), await status('/department/', token)], [200, 200], 'it has the roles and claims of the sign-in in which it was made');
  for (const [what, more] of [['no name', { name: '' }], ['a long name', { name: 'x'.repeat(201) }], ['a path without a slash', { scope: 'svn' }], ['no path', { scope: '' }],
    ['a wrong scope', { scope: '/a/../b' }], ['no days', { days: '' }], ['too many days', { days: '366' }], ['no number', { days: '1e2' }]]) {
    const refused = await make(client, more);
    t.ok(refused.status === 200 && /role="alert"/.test(refused.text) && !tokenOf(refused), `refused: ${what}`);
  }
  t.isnt((await client.page('/api/auth/tokens', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'change=create&name=x&scope=/&days=9' })).status, 200, 'a form of another site makes none');
  const json = (await client.get('/api/auth/tokens')).json.tokens;
  t.is(json.map(({ name, scope }) => [name, scope]), [['<b>laptop</b>', '/']], 'a script gets the list');
  t.is((await (await signIn('eve@example.net')).get('/api/auth/tokens')).json.tokens, [], 'another user does not');

  const thief = await signIn('eve@example.net');
  await send(thief, { change: 'revoke', token: json[0].id });
  t.is(await status('/members/', token), 200, 'another user does not revoke it');
  t.is((await request(`${site.url}/api/auth/tokens`, { headers: { authorization: `Bearer ${token}` } })).status, 401, 'a token does not open the page');
  const evil = tokenOf(await make(thief));
  t.is([await status('/staff/', evil), await status('/members/', evil)], [403, 200], 'it gives no roles that its user lacks');
  await ctl(db, 'user', 'disable', eve);
  t.is(await status('/members/', evil), 401, 'and ends with its user');
  await ctl(db, 'user', 'set-password', id, '--password-file', secretFile(db, 'new', 'a quieter lighthouse at noon\n'));
  t.is(await status('/members/', token), 200, 'a new password does not end it');
  t.is((await client.get('/api/auth/tokens')).status, 401, '  though it ends the session');
  const again = t.client(site);
  await again.credentials('ada@example.org', 'a quieter lighthouse at noon');
  t.is((await send(again, { change: 'revoke', token: json[0].id })).location, `${site.url}/api/auth/tokens`, 'its user revokes it');
  t.is([await status('/members/', token), await status('/members/', token, other)], [401, 401], '  on both servers');
  for (let i = 0; i < 50; i++) await ctl(db, 'token', 'add', id, '--name', `n${i}`, '--scope', '/');
  t.like((await make(again)).text, /You have too many tokens/, 'a user has 50 at most');
  const events = recordsOf(`${site.dir}/audit.log`).filter(({ event }) => /^TOKEN/.test(event)).map(({ event, user }) => [event, user]);
  t.is(events, [['TOKEN_CREATE', id], ['TOKEN_CREATE', eve], ['TOKEN_REVOKE', id]], 'the audit log has it');
  await ctl(db, 'user', 'delete', id, '--yes');
}

async function relied(t, db) {
  t.section('what a process relies on');
  const id = await addUser(db, 'kept@example.org', PASSWORD);
  const of = (checkInterval) => t.httpd({ config: config(db, { port: 1 }).replace('checkInterval=0', `checkInterval=${checkInterval}`), files });
  const [soon, late] = [await of(1), await of(3600)];
  const token = (await ctl(db, 'token', 'add', id, '--name', 'x', '--scope', '/')).trim();
  const status = async (site) => (await request(`${site.url}/members/`, { headers: { authorization: `Bearer ${token}` } })).status;
  // each process of prefork has its own
  const seen = (site, expected) => until(`${expected} again and again`, async () => (await Promise.all(Array.from({ length: 20 }, () => status(site)))).every((one) => one === expected));
  await seen(soon, 200);
  await seen(late, 200);
  await ctl(db, 'token', 'revoke', id, idOf(token).slice(0, 12));
  await seen(soon, 401);
  t.ok(true, 'a revoked token ends within checkInterval');
  const answers = await Promise.all(Array.from({ length: 20 }, () => status(late)));
  if (thorough) t.ok(answers.includes(200), '  and not before, where it was seen', answers);
  await ctl(db, 'user', 'delete', id, '--yes');
}

async function limits(t, db) {
  t.section('guessing');
  const site = await t.httpd({ config: config(db, { port: 1 }, 'NextAuthRateLimit token 5/600'), files });
  await addUser(db, 'guess@example.org', PASSWORD);
  const [known, later] = await Promise.all([1, 2].map(async () => (await ctl(db, 'token', 'add', 'guess@example.org', '--name', 'x', '--scope', '/')).trim()));
  const status = async (token) => (await request(`${site.url}/members/`, { headers: { authorization: `Bearer ${token}` } }));
  t.is((await status(known)).status, 200, 'a token is used');
  for (let i = 0; i < 20; i++) await status(known);
  const statuses = [];
  for (let i = 0; i < 8; i++) statuses.push((await status('na_pat_000000000000000000000000000000000000000000041nxNc')).status);
  t.is(statuses, [401, 401, 401, 401, 401, 429, 429, 429], 'guesses are limited by address, and those that are right do not count');
  const limited = await status(later);
  t.ok(limited.status === 429 && Number(limited.headers['retry-after']) > 0, 'a guess that is right is refused then, too');
  const failures = recordsOf(`${site.dir}/audit.log`).filter(({ event, outcome }) => event === 'SIGNIN' && outcome === 'failure');
  t.is(failures.length, 6, 'the audit log has the guesses, and the limit once');
  const other = t.client(site, { from: '127.0.0.9' });
  const revoke = async (token) => (await other.post('/api/auth/revoke', { token })).status;
  t.is([await revoke(known), await revoke('x')], [200, 200], 'a token is revoked by itself');
  t.ok([401, 429].includes((await status(known)).status), '  and refused then: as a guess, if the process has not seen it before');
  const guessed = [];
  for (let i = 0; i < 7; i++) guessed.push(await revoke('na_pat_000000000000000000000000000000000000000000041nxNc'));
  t.is(guessed, [200, 200, 200, 200, 200, 429, 429], 'guesses there are limited as well');
}

async function secondFactor(t, db) {
  t.section('a second factor');
  const more = (value) => `NextAuthTwoFactor ${value}\n<Location /second/>\n  Require nextauth-2fa\n</Location>`;
  const site = await t.httpd({ config: config(db, { port: 1 }, more('Optional')), files: { ...files, 'htdocs/second/index.html': 'second\n' } });
  const id = await addUser(db, 'two@example.org', PASSWORD);
  const client = t.client(site);
  await client.credentials('two@example.org', PASSWORD);
  const form = async (path, fields) => client.page(`/api/auth/${path}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams({ csrfToken: await client.csrf(), ...fields }).toString() });
  const make = async () => tokenOf(await form('tokens', { change: 'create', name: 'x', scope: '/', days: '9' }));
  const status = async (path, token, at = site) => (await request(at.url + path, { headers: { authorization: `Bearer ${token}` } })).status;
  const without = await make();
  await enrol(client);
  const withOne = await make();
  const byAdmin = (await ctl(db, 'token', 'add', id, '--name', 'x', '--scope', '/')).trim();
  t.is([await status('/members/', without), await status('/members/', withOne), await status('/members/', byAdmin)], [401, 200, 200], 'a token that was made before it is refused, but not an administrator\'s');
  t.is([await status('/second/', without), await status('/second/', withOne), await status('/second/', byAdmin)], [401, 200, 403], 'Require nextauth-2fa admits a token that was made with one');
  const required = await t.httpd({ config: config(db, { port: 1 }, more('Required')).replaceAll('@PORT@', site.port), files });
  t.is([await status('/members/', without, required), await status('/members/', withOne, required), await status('/members/', byAdmin, required)], [401, 200, 200],
    'NextAuthTwoFactor Required refuses one that was made in a session without');
}

suite('Personal access tokens', async (t) => {
  const databases = await startDatabases(t, enginesOfRound);
  for (const db of databases) {
    await ctl(db, 'migrate');
    await tokens(t, db);
  }
  await clients(t, databases[0]);
  await page(t, databases[0]);
  await relied(t, databases[0]);
  await limits(t, databases[0]);
  if (oathtoolIsHere()) await secondFactor(t, databases[0]);
  if (!thorough) return undefined;
  if (mongodbLacks()) return t.skip('MongoDB', mongodbLacks());
  const mongo = await startMongodb(t);
  await ctl(mongo, 'migrate');
  return tokens(t, mongo);
});
