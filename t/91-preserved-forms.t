#!/usr/bin/env node
'use strict';
// Forms whose session has ended: what is kept, for whom, and what applications receive.
const fs = require('node:fs');
const http = require('node:http');
const http2 = require('node:http2');
const path = require('node:path');
const zlib = require('node:zlib');
const { suite } = require('./lib/suite.js');
const { htpasswd, modules, mpm, thorough } = require('./lib/httpd.js');
const { ctl } = require('./lib/ctl.js');
const { databasesHere, enginesOfRound, mongodbLacks, sqlite, startDatabases, startMongodb } = require('./lib/databases.js');
const { startBrowser, openTab } = require('./lib/browser.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const users = htpasswd({ ada: 'x', bob: 'x' });

// A backend that answers with what it was sent.
async function startEcho(t) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(parts).toString('base64') }));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return server.address().port;
}

// The same as a CGI program.
const cgi = { mode: 0o755, text: `#!/bin/sh
printf 'Content-Type: application/json\\r\\n\\r\\n{"method":"%s","headers":{"content-length":"%s","content-type":"%s"},"body":"' "$REQUEST_METHOD" "$CONTENT_LENGTH" "$CONTENT_TYPE"
base64 -w0
printf '"}'
` };

const config = (port, ...lines) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
ScriptAlias /cgi/ @DIR@/cgi/
${lines.join('\n')}
<Location />
  AuthType NextAuth
  Require valid-user
  NextAuthPreservePost On
</Location>
<Location /app/>
  ProxyPass http://127.0.0.1:${port}/
</Location>
<Location /favicon.ico>
  Require all granted
</Location>
<Location /app/off/>
  NextAuthPreservePost Off
</Location>
<Location /app/small/>
  NextAuthPreservePost On maxBytes=1024
</Location>
<Location /app/large/>
  NextAuthPreservePost On maxBytes=1048576
</Location>`;
const socache = ['NextAuthSOCache shmcb:sessions(4194304)', 'NextAuthSessionStore socache checkInterval=0'];

const urlencoded = 'application/x-www-form-urlencoded';
const form = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin', accept: 'text/html', 'content-type': urlencoded };
const given = (headers) => Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
const send = (client, at, body, headers = {}) => client.send(at, { method: 'POST', body,
  headers: given({ ...form, origin: client.site.url, 'content-length': Buffer.byteLength(body), ...headers }) });

// Ends the session, as another tab would.
const end = (client) => client.cookies.delete('next-auth.session-token');

// Signs in where a redirect leads, and returns the page that the browser then shows.
async function signInThere(client, answer, user = 'ada') {
  const callbackUrl = new URL(answer.location).searchParams.get('callbackUrl');
  const signedIn = await client.credentials(user, 'x', { callbackUrl });
  return client.page(signedIn.location);
}

// The form of the page, and what it sends.
function formOf(page) {
  const action = /<form id="resend" method="post" action="([^"]*)"/.exec(page.text);
  const id = /name="nextauth-form" value="([^"]*)"/.exec(page.text);
  return action && { action: action[1].replaceAll('&amp;', '&'), body: `nextauth-form=${id[1]}` };
}

const isKept = (answer) => answer.status === 303 && /\/resend-form\?form=/.test(new URL(answer.location).searchParams.get('callbackUrl'));
const noise = (size) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255));
const bytesOf = (arrived) => Buffer.from(arrived.body, 'base64');

// All the way: what the application receives of a form whose session has ended.
async function wayOf(client, at, body, headers) {
  end(client);
  const answer = await send(client, at, body, headers);
  if (!isKept(answer)) return { refused: answer.status };
  const again = formOf(await signInThere(client, answer));
  return (await send(client, again.action, again.body)).json;
}

const signedIn = async (t, site, user = 'ada') => {
  const client = t.client(site);
  await client.credentials(user, 'x');
  return client;
};

async function wayOfAForm(t, site) {
  t.section('the way of a form');
  const ada = await signedIn(t, site);
  const fields = 'title=a+b&text=%C3%BC%0D%0A&title=c';
  t.is((await send(ada, '/app/save?x=1&y=2', fields)).json.method, 'POST', 'with a session it arrives at once');
  end(ada);
  const answer = await send(ada, '/app/save?x=1&y=2', fields);
  t.is(answer.status, 303, 'without one, the browser is sent to the sign-in page');
  t.like(new URL(answer.location).searchParams.get('callbackUrl'), /\/api\/auth\/resend-form\?form=[\w-]{22}$/, '  which leads to ours');
  const callbackUrl = new URL(answer.location).searchParams.get('callbackUrl');
  t.like((await ada.page(callbackUrl)).location, /\/api\/auth\/signin\?callbackUrl=/, '  and ours to the sign-in page before that');
  const page = await signInThere(ada, answer);
  t.is(page.status, 200, '  which is shown after the sign-in');
  t.like(page.headers['content-security-policy'], /^default-src 'none'; style-src 'nonce-[\w-]+'; script-src 'sha256-[\w+/]+=*'; img-src/, '  with a script that its hash allows');
  t.like(page.headers['cache-control'], /no-store/, '  and is not stored');
  t.is(ada.cookie('next-auth.callback-url'), undefined, '  and a later sign-out does not lead to it');
  const again = formOf(page);
  t.is(again.action, `${site.url}/app/save?x=1&y=2`, '  with a form for the original URL');
  const arrived = (await send(ada, again.action, again.body)).json;
  t.is([arrived.method, arrived.url], ['POST', '/save?x=1&y=2'], '  which arrives');
  t.is(bytesOf(arrived).toString(), fields, '  with the original body');
  t.is([arrived.headers['content-length'], arrived.headers['content-type'], arrived.headers['x-nextauth-user']], [String(fields.length), urlencoded, 'ada'], '  its headers, and the user');
  const twice = await send(ada, again.action, again.body);
  t.is([twice.status, twice.location], [303, page.url], 'once only');
  t.is((await ada.page(twice.location)).status, 404, '  and the page says so');
  end(ada);
  t.is((await ada.page('/api/auth/resend-form?form=x')).status, 404, 'what is no ID is not asked for');
  t.unlike(site.log(), /title=a/, 'no form is in the log');
}

async function bodies(t, site, what) {
  t.section(`bodies, ${what}`);
  const ada = await signedIn(t, site);
  const multipart = Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="f"; filename="a.bin"\r\n\r\n'), noise(50_000), Buffer.from('\r\n--b--\r\n')]);
  for (const [name, body, type, at] of [['an upload', multipart, 'multipart/form-data; boundary=b', '/app/save'], ['text', 'a=b\r\n', 'text/plain', '/app/save'],
    ['nothing', '', urlencoded, '/app/save'], ['as much as is accepted', noise(65_536), 'multipart/form-data; boundary=x', '/app/save'],
    ['a program that reads it', multipart, 'multipart/form-data; boundary=b', '/cgi/echo'],
    ['what is as long as the form of our page', 'nextauth-form=AAAAAAAAAAAAAAAAAAAAA!', urlencoded, '/app/save']]) {
    const arrived = await wayOf(ada, at, body, { 'content-type': type });
    t.ok(arrived.body !== undefined && bytesOf(arrived).equals(Buffer.from(body)), name, JSON.stringify(arrived).slice(0, 200));
    t.is([arrived.headers?.['content-length'], arrived.headers?.['content-type']], [String(Buffer.byteLength(body)), type], '  with its length and type');
  }
  const packed = zlib.gzipSync('a=packed');
  const asItWas = await wayOf(ada, '/app/save', packed, { 'content-encoding': 'gzip' });
  t.is([bytesOf(asItWas).equals(packed), asItWas.headers['content-encoding']], [true, 'gzip'], 'a compressed body stays as it is');
  const inChunks = await wayOf(ada, '/app/save', 'a=1&b=2', { 'transfer-encoding': 'chunked', 'content-length': undefined });
  t.is([bytesOf(inChunks).toString(), inChunks.headers['content-length'], inChunks.headers['transfer-encoding']], ['a=1&b=2', '7', undefined], 'a body in chunks has a length then');
  await ada.credentials('ada', 'x');
  const same = 'x='.padEnd(36, 'y');
  t.is(bytesOf((await send(ada, '/app/save', same)).json).toString(), same, 'another form of the length of our page\'s arrives as it is');
}

// Applications whose requests httpd redirects internally, as most with an index.php.
async function redirected(t) {
  t.section('internal redirects');
  const directories = `
<Directory @DIR@/htdocs/front>
  RewriteEngine On
  RewriteRule ^ /cgi/echo [L]
</Directory>
<Directory @DIR@/htdocs/index>
  Options +ExecCGI
  AddHandler cgi-script .cgi
  DirectoryIndex echo.cgi
</Directory>`;
  const site = await t.httpd({ files: { users, 'cgi/echo': cgi, 'htdocs/front/x': '', 'htdocs/index/echo.cgi': cgi }, modules: ['rewrite'], config: `${config(1, ...socache)}${directories}` });
  const ada = await signedIn(t, site);
  const same = 'x='.padEnd(36, 'y');
  for (const [what, at] of [['of RewriteRule', '/front/save'], ['of DirectoryIndex', '/index/']]) {
    t.is(bytesOf(await wayOf(ada, at, 'a=1&b=2')).toString(), 'a=1&b=2', `${what}: the form arrives`);
    t.is(bytesOf((await send(ada, at, same)).json).toString(), same, '  as does another of the length of our page\'s');
  }
}

async function limits(t, site) {
  t.section('what is not kept');
  const ada = await signedIn(t, site);
  end(ada);
  const lost = await send(ada, '/app/small/', 'a'.repeat(1025));
  t.is(lost.status, 401, 'a form that is too large leads to a page');
  t.like(lost.text, /<h1>The form was not sent<\/h1>/, '  that says so');
  t.like(lost.text, /<a class="button primary" target="_blank" rel="noopener" href="http:\/\/localhost:\d+\/api\/auth\/signin">Sign in in a new tab</, '  and has a way to sign in beside it');
  t.like(lost.headers['www-authenticate'], /^NextAuth realm=/, '  with a challenge');
  t.is((await send(ada, '/app/small/', 'a'.repeat(1025), { 'transfer-encoding': 'chunked', 'content-length': undefined })).status, 401, '  so does one in chunks');
  const ways = [
    ['where it is off', {}, '/app/off/save'], ['a form of another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['of another host of the site', { 'sec-fetch-site': 'same-site', origin: 'https://evil.localhost' }],
    ['of another site, as an old browser says it', { 'sec-fetch-site': undefined, 'sec-fetch-mode': undefined, origin: 'https://evil.example' }],
    ['of a page that hides where it is', { 'sec-fetch-site': undefined, 'sec-fetch-mode': undefined, origin: 'null' }],
    ['of nobody knows whom', { 'sec-fetch-site': undefined, 'sec-fetch-mode': undefined, origin: undefined }],
    ['JSON', { 'content-type': 'application/json' }], ['no type', { 'content-type': undefined }],
    ['an endless type', { 'content-type': `multipart/form-data; boundary=${'b'.repeat(300)}` }],
  ];
  for (const [what, headers, at = '/app/save'] of ways) {
    const answer = await send(ada, at, 'a=b', headers);
    t.is([answer.status, isKept(answer)], [303, false], `${what}: as without the directive`);
  }
  const old = await ada.send('/app/save', { method: 'POST', body: 'a=b', headers: { accept: 'text/html', 'content-type': urlencoded, origin: site.url, 'content-length': 3 } });
  t.ok(isKept(old), 'a form of this site is, as an old browser says it');
  const stranger = t.client(site);
  t.is(isKept(await send(stranger, '/app/save', 'a=b')), false, 'nor is anything of a browser in which nobody was signed in');
  for (const [what, value] of [['another secret', 'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..x.y.z'], ['nothing', '']]) {
    stranger.cookies.set('next-auth.former-user', { value, path: '/' });
    t.is(isKept(await send(stranger, '/app/save', 'a=b')), false, `  nor with a cookie of ${what}`);
  }
  const script = await send(ada, '/app/save', 'a=b', { 'sec-fetch-mode': 'cors', accept: '*/*' });
  t.is([script.status, script.json.error], [401, 'Unauthorized'], 'a script gets 401');
}

async function whose(t, site) {
  t.section('for whom');
  const ada = await signedIn(t, site);
  end(ada);
  const first = await send(ada, '/app/save?1', 'a=first');
  const other = await signInThere(ada, first, 'bob');
  t.is(other.status, 403, 'another user in the same browser');
  t.like(other.text, /Another user filled in this form/, '  sees whose it is');
  t.is(formOf(other), null, '  and has no form');
  const id = new URL(other.url).searchParams.get('form');
  const forced = await send(ada, '/app/save?1', `nextauth-form=${id}`);
  t.is([forced.status, forced.location], [303, other.url], '  nor can send it without');
  const back = formOf(await signInThere(ada, first, 'ada'));
  for (const [what, at] of [['another URL', '/app/save?2'], ['another path', '/app/other?1']])
    t.is((await send(ada, at, back.body)).status, 303, `it is not sent to ${what}`);
  t.is((await send(ada, back.action, back.body, { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).status, 303, 'nor by a page of another site');
  const thief = await signedIn(t, site, 'ada');
  t.is((await thief.page(first.location && other.url)).status, 404, 'nor does another browser of the user find it');
  t.is((await send(thief, back.action, back.body)).status, 303, '  or send it');
  end(ada);
  const interrupted = await send(ada, back.action, back.body);
  t.is(new URL(interrupted.location).searchParams.get('callbackUrl'), other.url, 'if the session ends once more, the sign-in leads to the same page');
  const page = await signInThere(ada, interrupted);
  t.is(bytesOf((await send(ada, back.action, formOf(page).body)).json).toString(), 'a=first', '  and the user still sends it');
  t.section('after another sign-in elsewhere');
  const bob = await signedIn(t, site, 'bob');
  ada.cookies.set('next-auth.session-token', bob.cookies.get('next-auth.session-token'));
  await ada.page('/app/');
  end(ada);
  t.is((await signInThere(ada, await send(ada, '/app/save', 'by=bob'), 'ada')).status, 403, 'the form is of the user whose session it was');
  await ada.credentials('ada', 'x');
  await atOnce(t, ada);
}

async function atOnce(t, ada) {
  end(ada);
  const once = formOf(await signInThere(ada, await send(ada, '/app/save', 'a=once')));
  const answers = await Promise.all(Array.from({ length: 12 }, () => send(ada, once.action, once.body)));
  t.is(answers.filter((answer) => answer.status === 200).length, 1, 'of twelve at once, one arrives');
}

async function rates(t, port) {
  t.section('how many');
  const site = await t.httpd({ files: { users }, config: config(port, ...socache, 'NextAuthRateLimit preservedPost account=3/600') });
  const ada = await signedIn(t, site);
  end(ada);
  const answers = [];
  for (let i = 0; i < 5; i++) answers.push((await send(ada, '/app/save', `n=${i}`)).status);
  t.is(answers, [303, 303, 303, 401, 401], 'a user can have so many kept');
  const bob = await signedIn(t, site, 'bob');
  end(bob);
  t.ok(isKept(await send(bob, '/app/save', 'a=b')), '  and others still theirs');
}

async function fullCache(t, port) {
  t.section('a small cache');
  const site = await t.httpd({ files: { users }, config: config(port, 'NextAuthSOCache shmcb:sessions(262144)', 'NextAuthSessionStore socache checkInterval=0') });
  const ada = await signedIn(t, site), bob = await signedIn(t, site, 'bob');
  end(ada);
  const statuses = new Set();
  for (let i = 0; i < 40; i++) statuses.add((await send(ada, '/app/save', 'x'.repeat(60_000))).status);
  t.is([...statuses].filter((status) => status !== 303 && status !== 401), [], 'forms are kept, or refused with a page');
  t.is((await bob.page('/app/')).status, 200, 'and push nobody out', site.log().slice(-600));
}

async function inStore(t, port, what, lines, more = {}) {
  const site = await t.httpd({ files: { users, 'cgi/echo': cgi }, config: config(port, ...lines), ...more });
  await bodies(t, site, what);
  const ada = await signedIn(t, site);
  const large = Buffer.alloc(1_000_000, 'large ');
  const arrived = await wayOf(ada, '/app/large/', large, { 'content-type': 'text/plain' });
  t.ok(arrived.refused === 401 || bytesOf(arrived).equals(large), `a megabyte arrives whole${arrived.refused ? ', or is refused' : ''}`);
  return site;
}

// What depends on the engine: bytes of all values, many pieces, and that nobody gets them twice.
async function inDatabase(t, port, db) {
  t.section(`in ${db.is || db.engine}`);
  await ctl(db, 'migrate');
  const site = await t.httpd({ files: { users }, config: config(port, `NextAuthDatabase ${db.url}`, 'NextAuthSessionStore database checkInterval=0') });
  const ada = await signedIn(t, site);
  for (const size of [0, 32_768, 1_000_000]) {
    const body = noise(size);
    const arrived = await wayOf(ada, '/app/large/', body, { 'content-type': 'multipart/form-data; boundary=x' });
    t.ok(arrived.body !== undefined && bytesOf(arrived).equals(body), `a form of ${size} bytes arrives`, JSON.stringify(arrived).slice(0, 200));
  }
  end(ada);
  const once = formOf(await signInThere(ada, await send(ada, '/app/save', 'a=once')));
  t.is([(await send(ada, once.action, once.body)).status, (await send(ada, once.action, once.body)).status], [200, 303], 'and once only');
  // FerretDB 1 lets two simultaneous changes of one document take effect.
  if (db.is !== 'ferretdb') await atOnce(t, ada);
}

// Both requests with the form by HTTP/2, as the browser's connection would have it.
async function overHttp2(t, port) {
  t.section('HTTP/2');
  if (mpm === 'prefork' || !fs.existsSync(path.join(modules, 'mod_http2.so'))) return t.skip('HTTP/2', 'mod_http2 does not work here');
  const site = await t.httpd({ files: { users }, modules: ['http2'], config: `Protocols h2c http/1.1\n${config(port, ...socache)}` });
  const ada = await signedIn(t, site);
  end(ada);
  const connection = http2.connect(site.url);
  connection.on('error', () => {}); // httpd ends before it does
  t.cleanup(() => connection.destroy());
  const post = (at, body, headers) => new Promise((resolve, reject) => {
    const stream = connection.request({ ':method': 'POST', ':path': at, cookie: ada.jar.header(site.url), ...form, origin: site.url, ...headers });
    const answer = { text: '' };
    stream.on('response', (got) => Object.assign(answer, { status: got[':status'], location: got.location })).on('data', (part) => { answer.text += part; });
    stream.on('end', () => resolve(answer)).on('error', reject).end(body);
  });
  const body = 'n='.padEnd(40_000, '2');
  const kept = await post('/app/save', body, { 'content-length': body.length });
  t.is(kept.status, 303, 'a form is kept');
  const again = formOf(await signInThere(ada, kept));
  const arrived = JSON.parse((await post('/app/save', again.body, { 'content-length': again.body.length })).text);
  t.ok(bytesOf(arrived).toString() === body && arrived.headers['content-length'] === String(body.length), '  and arrives');
  end(ada);
  t.is((await post('/app/save', body, {})).status, 303, 'one without a length is kept, too');
  return undefined;
}

async function byBrowser(t, site) {
  t.section('Chromium');
  const browser = await startBrowser(t);
  for (const javaScriptEnabled of [true, false]) {
    const context = await browser.newContext({ javaScriptEnabled });
    const tab = await openTab({ newContext: async () => context }, site);
    const signIn = async () => {
      await tab.fill('#username-credentials', 'ada');
      await tab.fill('#password-credentials', 'x');
      await tab.click('#signin-credentials');
    };
    await tab.goto(`${site.url}/form.html`);
    await signIn();
    await tab.waitForSelector('#text');
    await tab.fill('#text', 'two\nlines, ü');
    await tab.setInputFiles('#file', { name: 'a.txt', mimeType: 'text/plain', buffer: Buffer.from('the file') });
    await context.clearCookies({ name: 'next-auth.session-token' });
    await tab.click('#send');
    await signIn();
    if (!javaScriptEnabled) await tab.click('#resend button');
    await tab.waitForURL(`${site.url}/app/save`);
    const { body, headers } = JSON.parse(await tab.locator('body').textContent());
    const text = Buffer.from(body, 'base64').toString();
    t.like(text, /name="text"\r\n\r\ntwo\r\nlines, ü\r\n[^]*filename="a\.txt"[^]*the file/, `${javaScriptEnabled ? 'with' : 'without'} script, the form arrives`);
    t.is(headers['content-length'], String(Buffer.byteLength(text)), '  whole');
    t.is(tab.complaints, [], '  and the browser does not complain');
    await context.close();
  }
}

const formPage = '<!doctype html><meta charset="utf-8"><title>f</title><form method="post" enctype="multipart/form-data" action="/app/save"><textarea id="text" name="text"></textarea><input id="file" type="file" name="file"><button id="send">Send</button></form>';

suite('A form whose session has ended is sent again after the sign-in', async (t) => {
  const port = await startEcho(t);
  const site = await inStore(t, port, 'in shared memory', socache, { files: { users, 'cgi/echo': cgi, 'htdocs/form.html': formPage, 'htdocs/favicon.ico': '' } });
  await wayOfAForm(t, site);
  await redirected(t);
  await limits(t, site);
  await whose(t, site);
  await rates(t, port);
  await overHttp2(t, port);
  await fullCache(t, port);
  if (databasesHere().sqlite) {
    const db = sqlite(t);
    await ctl(db, 'migrate');
    await inStore(t, port, 'in a database', [`NextAuthDatabase ${db.url}`, 'NextAuthSessionStore database checkInterval=0']);
  }
  for (const db of await startDatabases(t, enginesOfRound.filter((engine) => engine !== 'sqlite'))) await inDatabase(t, port, db);
  if (thorough && mongodbLacks()) t.skip('MongoDB', mongodbLacks());
  else if (thorough) await inDatabase(t, port, await startMongodb(t));
  if (redisIsHere()) await inStore(t, port, 'in Redis', [`NextAuthRedis ${(await startRedis(t)).url}`, 'NextAuthSessionStore redis checkInterval=0']);
  await byBrowser(t, site);
});
