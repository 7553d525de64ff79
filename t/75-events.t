#!/usr/bin/env node
'use strict';
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, makeFolder, root, roomy, thorough, until } = require('./lib/httpd.js');
const { buildModule } = require('./lib/module.js');
const { apart, Client } = require('./lib/client.js');
const { startHomemade } = require('./lib/emulators.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl } = require('./lib/ctl.js');
const { foldersIn, queued, startReceiver } = require('./lib/webhooks.js');

const SECRET = `whsec_${Buffer.from('the key of events has 32 bytes!!').toString('base64')}`;
const OLD = `whsec_${Buffer.from('an older key, still good enough.').toString('base64')}`;

const users = Array.from({ length: 60 }, (_, i) => `u${i}`);
const passwords = htpasswd({ ada: 'x' }).split(':')[1];
const files = { users: [...users, 'ada', 'poison'].map((user) => `${user}:${passwords.trim()}\n`).join('') };
const config = (...more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of events has 32 bytes"
NextAuthSessionStore none
NextAuthProvider credentials backend=file:@DIR@/users
${more.join('\n')}
${roomy}`;

async function signIn(t, site, user) {
  const answer = await new Client(site).credentials(user, 'x');
  return answer.location === site.url;
}
// Ten at once: one child, to which all of them may come, has places for that many passwords.
async function signInAll(site, names) {
  if (!names.length) return 0;
  const answers = await Promise.all(names.slice(0, 10).map((name, i) => new Client(site, apart(i)).credentials(name, 'x')));
  return answers.filter(({ location }) => location === site.url).length + await signInAll(site, names.slice(10));
}
const arrived = (receiver, names) => until(`events of ${names.length} users`, () => names.every((name) => receiver.users().includes(name)));
const logged = (site, pattern) => until(`the log says ${pattern}`, () => pattern.test(site.log()));

// ── what is told ────────────────────────────────────────────────────────────────────────────────

async function everyEvent(t) {
  t.section('every event, on a database');
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const [one, two] = [await startHomemade(t), await startHomemade(t)];
  const mail = await startMail(t, { tls: 'none' });
  const all = await startReceiver(t, SECRET);
  const looks = await startReceiver(t, Buffer.from('a-secret-that-is-plain-text'));
  const oauth = (id, { url }) => `NextAuthProvider ${id} type=oauth clientId=c clientSecret=s authorization=${url}/authorize token=${url}/token userinfo=${url}/api/me emailVerified=always`;
  const site = await t.httpd({ files, env: { HOOK_SECRET: 'a-secret-that-is-plain-text' },
    config: config(`NextAuthDatabase ${db.url}`, `NextAuthMail ${mail.url()} from=no-reply@example.org`, 'NextAuthProvider email', oauth('one', one), oauth('two', two),
      `NextAuthEvent all ${all.url} "secret=${SECRET} ${OLD}"`,
      `NextAuthEvent session ${looks.url} secret=env:HOOK_SECRET`, `NextAuthEvent signOut ${looks.url}`) });

  const oauthSignIn = async (provider, id, user, client = new Client(site)) => {
    provider.user = user;
    const away = await client.page((await client.signIn(id)).location);
    await client.page(away.location);
    return client;
  };
  const ada = await oauthSignIn(one, 'one', { id: 'a1', name: 'Ada', email: 'ada@example.org' });
  await until('three events', () => all.taken().length === 3);
  t.is(all.types(), ['createUser', 'linkAccount', 'signIn'], 'a first sign-in: a user is made, the account linked, and he is signed in');
  const [made, linked, signed] = all.taken();
  const user = { id: made.data.user.id, name: 'Ada', email: 'ada@example.org', image: null };
  t.ok(user.id, 'the user has his id in the database');
  t.is([made.data.user, linked.data.user, signed.data.user], [user, user, user], 'which all of them tell');
  t.is([linked.data.account, signed.data.account], Array(2).fill({ provider: 'one', type: 'oauth', providerAccountId: 'a1' }), 'with the account');
  t.is([signed.data.isNewUser, 'isNewUser' in made.data], [true, false], 'the sign-in says that he is new');
  t.is(signed.site, site.url, 'and the site');
  t.ok(Math.abs(Date.parse(signed.timestamp) - Date.now()) < 60_000, 'and when');
  t.is(all.received[0].body.id, all.received[0].headers['webhook-id'], 'the id in the body is the header\'s');
  t.like(all.received[0].headers['user-agent'], /^mod_nextauth\//, 'who calls');

  await oauthSignIn(one, 'one', { id: 'a1' });
  await until('a fourth event', () => all.taken().length === 4);
  t.is(all.taken()[3].data.isNewUser, false, 'the next time he is not new');
  await oauthSignIn(two, 'two', { id: 'b1' }, ada);
  await until('six events', () => all.taken().length === 6);
  t.is([all.types()[4], all.taken()[4].data.account], ['linkAccount', { provider: 'two', type: 'oauth', providerAccountId: 'b1' }], 'another account is linked');
  const before = mail.mails.length;
  await new Client(site).signIn('email', { email: 'ada@example.org' });
  await until('a mail arrives', () => mail.mails.length > before);
  const link = /https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0];
  const browser = new Client(site);
  const page = (await browser.open(link)).text;
  const fields = ['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1]]);
  await browser.post('/api/auth/callback/email', Object.fromEntries(fields));
  await until('eight events', () => all.taken().length === 8);
  t.is(all.types().slice(6), ['updateUser', 'signIn'], 'a mailed link: his address is verified');

  t.is(looks.received.length, 0, 'nobody looked at a session yet');
  await ada.session();
  await ada.signOut();
  await until('two events', () => looks.taken().length === 2);
  t.is(looks.types(), ['session', 'signOut'], 'who asks for session and signOut gets these');
  t.is(looks.taken().map(({ data }) => data.user.email), ['ada@example.org', 'ada@example.org'], 'of whom');
  await until('nine events', () => all.taken().length === 9);
  t.is(all.types()[8], 'signOut', 'all has signOut, and no session');
  await signIn(t, site, 'nobody');
  await signIn(t, site, 'ada');
  await until('more events', () => all.taken().length >= 12);
  t.is(all.types().slice(9).filter((type) => type === 'signIn').length, 1, 'a sign-in that failed is no event');

  t.section('signatures');
  t.is([all.forged, looks.forged], [0, 0], 'the library that receivers use verified all of it');
  const { text, headers } = all.received[0];
  const refuses = (webhook, body, what) => { try { webhook.verify(body, what); return false; } catch { return true; } };
  t.is(headers['webhook-signature'].split(' ').length, 2, 'two secrets are two signatures');
  const { Webhook } = require('standardwebhooks');
  t.ok(!refuses(new Webhook(OLD), text, headers), 'so that receivers with the old one verify as well');
  t.ok(refuses(all.webhook, text.replace('Ada', 'Eve'), headers), 'another body is refused');
  t.ok(refuses(all.webhook, text, { ...headers, 'webhook-id': 'x' }), 'and another id');
}

// ── nothing is lost ─────────────────────────────────────────────────────────────────────────────

async function outages(t) {
  t.section('an endpoint that goes and comes back under load');
  const queue = makeFolder(t);
  const receiver = await startReceiver(t, SECRET);
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  t.is(await signInAll(site, users.slice(0, 10)), 10, 'ten sign-ins');
  const [during] = [signInAll(site, users.slice(10, 30)), await receiver.stop()];
  t.is(await during, 20, 'twenty while the endpoint goes away');
  t.is(await signInAll(site, users.slice(30, 40)), 10, 'ten without it');
  await logged(site, /could not deliver \w+, will try again/);
  await receiver.start();
  await arrived(receiver, users.slice(0, 40));
  t.is(receiver.users().length, 40, 'all of them arrived, each of its own id');
  await until('the queue is empty', () => queued(queue).length === 0);
  t.like(site.log(), /accepts items again/, 'the log says that it is over');
  t.is(receiver.received.length, new Set(receiver.received.map(({ id }) => id)).size, 'none came twice');
  if (process.getuid() === 0) {
    const { mode, uid } = fs.statSync(foldersIn(queue)[0]);
    t.is([(mode & 0o777).toString(8), uid !== 0], ['700', true], 'the queue is httpd\'s user\'s alone');
  }

  t.section('httpd is killed');
  await receiver.stop();
  t.is(await signInAll(site, users.slice(40, 50)), 10, 'ten sign-ins without the endpoint');
  process.kill(-site.pid, 'SIGKILL');
  await until('httpd is gone', () => !site.alive());
  t.is(queued(queue).length, 10, 'their events are there');
  fs.writeFileSync(path.join(foldersIn(queue)[0], '.new-0123'), 'half an it');
  const second = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  await receiver.start();
  await arrived(receiver, users.slice(0, 50));
  t.ok(true, 'and arrive when both are back');

  t.section('a graceful restart');
  await receiver.stop();
  t.is(await signInAll(second, users.slice(50, 55)), 5, 'sign-ins before');
  await second.reload();
  t.is(await signInAll(second, users.slice(55, 60)), 5, 'and after');
  await receiver.start();
  await arrived(receiver, users);
  t.is(receiver.users().length, 60, 'nothing is lost');
}

async function turnover(t) {
  t.section('children come and go');
  const receiver = await startReceiver(t, SECRET);
  const site = await t.httpd({ files, config: config('MaxConnectionsPerChild 8', `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  for (let i = 0; i < 40; i += 8) t.is(await signInAll(site, users.slice(i, i + 8)), 8, `${i + 8} sign-ins`);
  await arrived(receiver, users.slice(0, 40));
  t.is(receiver.users().length, 40, 'each was told of');
}

async function fullQueue(t) {
  t.section('a queue that is full');
  const queue = makeFolder(t);
  const receiver = await startReceiver(t, SECRET);
  await receiver.stop();
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue} max=3`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  t.is(await signInAll(site, users.slice(0, 8)), 8, 'sign-ins go on');
  t.is(queued(queue).length, 3, 'the queue has as many as it may');
  t.like(site.log(), /could not queue event signIn: .*full with 3 items/, 'the log says so');
  t.is(site.log().match(/could not queue event/g).length, 1, 'once, however many there are');
  await receiver.start();
  await until('the queue has room', () => /the queue has room again: 5 items were dropped/.test(site.log()));
  t.is(receiver.users().length, 3, 'and how many were dropped, when there is room again');
  t.unlike(site.log(), new RegExp(SECRET.slice(6)), 'without the secret');
}

async function damagedQueue(t) {
  t.section('foreign and damaged files in the queue');
  const queue = makeFolder(t);
  const receiver = await startReceiver(t, SECRET);
  await receiver.stop();
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  await until('the queue is there', () => foldersIn(queue).length === 1);
  const [folder] = foldersIn(queue);
  const name = (n) => `0000000000000001-0000-0000000000000001-${String(n).repeat(32)}.json`;
  const beside = path.join(makeFolder(t), 'file'); // whole before httpd sees it
  for (const [n, text] of [[1, ''], [2, '{"type":"signIn",'], [3, `{"a":"${'x'.repeat(70_000)}"}`], [4, '["no object"]']]) {
    fs.writeFileSync(beside, text);
    fs.chmodSync(beside, 0o644);
    fs.renameSync(beside, path.join(folder, name(n)));
  }
  fs.symlinkSync('/etc/hostname', path.join(folder, name(5)));
  fs.mkdirSync(path.join(folder, name(6)));
  execFileSync('mkfifo', [path.join(folder, name(7))]);
  const former = { type: 'signIn', id: '9'.repeat(32), timestamp: '2026-01-01T00:00:00.000Z', data: { user: { id: 'former' } } };
  fs.writeFileSync(beside, JSON.stringify(former));
  fs.chmodSync(beside, 0o644);
  fs.renameSync(beside, path.join(folder, name(9)));
  for (const foreign of ['README', '..json', `${name(8)}.tmp`, name('G'), '-1']) fs.writeFileSync(path.join(folder, foreign), '{}');
  // Before a third attempt has failed: the next comes after minutes.
  await receiver.start();
  t.ok(await signIn(t, site, 'u1'), 'a sign-in');
  await arrived(receiver, ['u1', 'former']);
  t.is(receiver.users(), ['former', 'u1'], 'is told, and what a version before queued in a file; nothing else is');
  const left = fs.readdirSync(folder);
  t.is([1, 2, 3, 4, 5, 6, 7].filter((n) => left.includes(`bad-${name(n)}`)).length, 7, 'what is damaged is set aside');
  t.ok(['README', '..json', '-1'].every((foreign) => left.includes(foreign)), 'what is foreign is left alone');
  t.like(site.log(), /invalid item, renamed to bad-0000000000000001-0000-/, 'the log says what');
  await receiver.stop();
  await signIn(t, site, 'u2');
  await until('it was tried', () => fs.readdirSync(folder).some((file) => /^\d+-0001-/.test(file)));
  await signIn(t, site, 'u3');
  fs.appendFileSync(`${folder}/segments/filling`, 'half an it');
  await signIn(t, site, 'u4');
  await receiver.start();
  await arrived(receiver, ['u2', 'u3', 'u4']);
  t.is(fs.readFileSync(`${folder}/bad-lines`, 'utf8'), 'half an it\n', 'a line that a killed process left is set aside, those before and after it are told');
}

// ── what endpoints answer ───────────────────────────────────────────────────────────────────────

async function answers(t) {
  t.section('what endpoints answer');
  const queue = makeFolder(t);
  const receiver = await startReceiver(t, SECRET);
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`) });
  const attempts = (user) => receiver.received.filter(({ body }) => body.data.user.id === user);

  receiver.answer = ({ data }) => ({ u0: 400, u1: 410, u2: 404 }[data.user.id] || 204);
  for (const user of ['u0', 'u1', 'u2', 'u3']) await signIn(t, site, user);
  await arrived(receiver, ['u3']);
  t.is(['u0', 'u1', 'u2'].map((user) => attempts(user).length), [1, 1, 1], '400, 410 and 404 are final');
  await until('nothing waits', () => queued(queue).length === 0);
  t.like(site.log(), new RegExp(`refused ${attempts('u0')[0].id}: the response has status 400`), 'and logged, with the id');

  receiver.answer = (body, attempt) => (attempt === 1 ? { u4: 500, u5: 408, u6: 425, u7: 429, u8: 302 }[body.data.user.id] || 204 : 204);
  for (const user of ['u4', 'u5', 'u6', 'u7', 'u8']) {
    await signIn(t, site, user);
    await arrived(receiver, [user]);
    t.is(attempts(user).length, 2, `${attempts(user)[0].answer}: tried again`);
    t.is(attempts(user)[0].id, attempts(user)[1].id, '  under the same id');
  }

  receiver.answer = ({ data }, attempt) => (data.user.id === 'u9' && attempt === 1 ? { status: 503, headers: { 'retry-after': '4' } } : 204);
  await signIn(t, site, 'u9');
  await until('an attempt', () => attempts('u9').length === 1);
  await signIn(t, site, 'u10');
  await arrived(receiver, ['u9', 'u10']);
  const since = attempts('u9')[0].at;
  t.ok(attempts('u9')[1].at - since >= 3900 && attempts('u10')[0].at - since >= 3900, 'Retry-After is obeyed, for other events as well');

  receiver.answer = ({ data }) => (data.user.id === 'poison' ? 500 : 204);
  await signIn(t, site, 'poison');
  await until('it was tried', () => attempts('poison').length === 1);
  await signInAll(site, users.slice(11, 20));
  await arrived(receiver, users.slice(11, 20));
  t.ok(receiver.users().includes('u19') && !receiver.users().includes('poison'), 'an event that is never taken keeps no other waiting');
}

async function deadBesideLive(t) {
  t.section('a dead sink beside a live one');
  const [dead, live] = [await startReceiver(t, SECRET), await startReceiver(t, SECRET)];
  dead.answer = () => null;
  const site = await t.httpd({ files, config: config(`NextAuthEvent all ${dead.url} secret=${SECRET}`, `NextAuthEvent all ${live.url} secret=${SECRET}`) });
  await signIn(t, site, 'u0');
  await until('the dead one has it', () => dead.received.length === 1);
  await signIn(t, site, 'u1');
  await arrived(live, ['u0', 'u1']);
  t.is(dead.received.length, 1, 'the live one got both while the other kept its caller waiting');
  await site.stop();
  t.unlike(site.log(), /sending a SIGKILL/, 'and httpd ends without being killed, though a call is under way');
}

async function virtualHosts(t) {
  t.section('virtual hosts');
  const queue = makeFolder(t);
  const receiver = await startReceiver(t, SECRET);
  const host = (name, ...more) => `<VirtualHost *:@PORT@>\nServerName ${name}\nNextAuthURL http://${name}:@PORT@\n${more.join('\n')}\n</VirtualHost>`;
  const site = await t.httpd({ files, config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn ${receiver.url} secret=${SECRET}`,
    host('localhost'), host('other.localhost', `NextAuthEvent signOut ${receiver.url}`)) });
  const other = { ...site, url: `http://other.localhost:${site.port}` };
  for (const [where, user] of [[site, 'u0'], [other, 'u1']]) {
    const client = new Client(where);
    await client.credentials(user, 'x');
    await client.signOut();
  }
  await until('the last event', () => receiver.types().includes('signOut'));
  t.is(receiver.taken().map(({ type, site: where }) => [type, where]), [['signIn', site.url], ['signIn', other.url], ['signOut', other.url]],
    'inherit the main server\'s events, and add their own; each tells its site');
  t.is(foldersIn(queue).length, 1, 'in one queue');
}

// ── programs ────────────────────────────────────────────────────────────────────────────────────

const PROGRAM = `#!${process.execPath}
const fs = require('node:fs');
fs.writeFileSync(process.argv[3], String(process.pid));
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => fs.appendFileSync(process.argv[2], line + '\\n'));
`;

async function programs(t) {
  t.section('a program');
  const queue = makeFolder(t);
  const out = makeFolder(t);
  const site = await t.httpd({ files: { ...files, program: { text: PROGRAM, mode: 0o755 } },
    config: config(`NextAuthEventQueue ${queue}`, `NextAuthEvent signIn "||@DIR@/program ${out}/lines ${out}/pid"`) });
  // A line that is not at its end is still being written.
  const lines = () => (fs.existsSync(`${out}/lines`) ? fs.readFileSync(`${out}/lines`, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line)) : []);
  const got = (names) => until(`lines of ${names}`, () => names.every((name) => lines().some(({ data }) => data.user.id === name)));
  const pid = () => Number(fs.readFileSync(`${out}/pid`, 'utf8'));
  await signIn(t, site, 'u0');
  await got(['u0']);
  t.cleanup(() => { try { process.kill(pid(), 'SIGKILL'); } catch { /* it has ended */ } });
  const [{ type, id, data }] = lines();
  t.is([type, data.user.id, /^[0-9a-f]{32}$/.test(id)], ['signIn', 'u0', true], 'gets a line of JSON');

  process.kill(pid(), 'SIGSTOP');
  t.is(await signInAll(site, users.slice(1, 6)), 5, 'while it hangs, sign-ins go on');
  await until('it is noticed', () => /could not deliver \w+, will try again: the program is not reading/.test(site.log()));
  process.kill(pid(), 'SIGCONT');
  await got(users.slice(0, 6));
  t.ok(true, 'and it gets their events when it goes on');
  await until('nothing waits', () => queued(queue).length === 0);
  t.is(lines().length, 6, 'each once');

  process.kill(pid(), 'SIGSTOP');
  await signIn(t, site, 'u6');
  const first = pid();
  process.kill(first, 'SIGKILL');
  await signInAll(site, users.slice(7, 10));
  await got(users.slice(0, 10));
  t.ok(pid() !== first, 'killed, it is started again, and nothing is lost');
  await site.reload();
  await signIn(t, site, 'u10');
  await got(['u10']);
  t.ok(true, 'after a graceful restart it is there as well');
}

// ── other modules ───────────────────────────────────────────────────────────────────────────────

// The manual's example.
const MODULE = /```c\n([^]*?)```/.exec(fs.readFileSync(path.join(root, 'docs/events.md'), 'utf8'))[1];

async function hook(t) {
  t.section('another module\'s hook');
  const file = buildModule(t, 'example', MODULE, path.join(root, 'src'));
  const site = await t.httpd({ files, global: `LoadModule example_module ${file}`, config: config('LogLevel warn nextauth:debug example:notice') });
  const client = new Client(site);
  await client.credentials('ada', 'x');
  await client.session();
  await client.signOut();
  await logged(site, /signOut: ada/);
  t.like(site.log(), /\[example:notice\] .* signIn: ada by credentials$/m, 'is told of sign-ins');
  t.like(site.log(), /\[example:notice\] .* session: ada by credentials$/m, 'of looks at the session');
  t.like(site.log(), /\[example:notice\] .* signOut: ada by credentials$/m, 'and of sign-outs, without any NextAuthEvent');
}

suite('Events: webhooks, programs and hooks', async (t) => {
  const here = databasesHere();
  if (here.sqlite) await everyEvent(t);
  else t.skip('events on a database', `install ${here.lacking.join(' ')}`);
  await outages(t);
  await turnover(t);
  await fullQueue(t);
  await damagedQueue(t);
  await deadBesideLive(t);
  await virtualHosts(t);
  await programs(t);
  await hook(t);
  if (thorough) await answers(t);
});
