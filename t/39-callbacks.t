#!/usr/bin/env node
'use strict';
// NextAuthCallback: services and programs that answer signIn, redirect, jwt, and session.
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { Webhook } = require('standardwebhooks');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startGithub, startGoogle } = require('./lib/emulators.js');
const { startMail } = require('./lib/mail.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const KEY = 'whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=';
const files = { users: htpasswd({ ada: 'x', bob: 'y' }) };
const CALLBACKS = ['signIn', 'redirect', 'jwt', 'session'];

/*
 * A service that answers what answers[callback](question) gives: a JSON value, { text } as it is,
 * { status }, or undefined for no answer at all. What it was asked is in `asked`.
 */
async function startService(t) {
  const port = await freePort();
  const webhook = new Webhook(KEY);
  const service = { url: `http://127.0.0.1:${port}/ask`, asked: [], forged: 0, answers: {} };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      let question;
      try {
        question = webhook.verify(Buffer.concat(parts).toString('utf8'), request.headers);
      } catch {
        service.forged += 1;
        response.writeHead(401).end();
        return;
      }
      service.asked.push(question);
      const answer = service.answers[question.callback](question);
      if (answer === undefined) return;
      if (answer?.status) response.writeHead(answer.status).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(answer?.text ?? JSON.stringify(answer));
    });
  });
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  service.last = (callback) => service.asked.filter((question) => question.callback === callback).at(-1);
  service.reset = () => {
    service.answers = { signIn: () => true, redirect: ({ url }) => url, jwt: ({ token }) => token, session: ({ session }) => session };
  };
  service.reset();
  return service;
}

const config = (lines) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "exec:echo ${SECRET}"
NextAuthSessionStore none
NextAuthSessionClaim sub plan roles
NextAuthClaim department "it"
NextAuthRole reader "true"
NextAuthProvider credentials backend=file:@DIR@/users
${lines}
<Location /admin/>
  AuthType NextAuth
  Require nextauth-role admin
</Location>
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

const isIn = async (c) => (await c.get('/members/')).status === 200;
// Signs in anew; gives the client.
async function enter(t, site, options) {
  const c = t.client(site);
  c.answer = await c.credentials('ada', 'x', options);
  return c;
}

async function signIn(t, site, service) {
  t.section('signIn');
  const c = await enter(t, site);
  t.ok(await isIn(c), 'true: the user is in');
  const asked = service.last('signIn');
  t.is([asked.user.name, asked.account.provider, asked.account.type, asked.profile], ['ada', 'credentials', 'credentials', null], 'it is asked with NextAuth\'s arguments');
  t.unlike(JSON.stringify(asked), /"x"|password/, '  and no password');
  for (const [what, answer, error] of [
    ['false', () => false, 'AccessDenied'], ['null', () => null, 'AccessDenied'], ['a number', () => 1, 'AccessDenied'], ['"true"', () => 'true', 'AccessDenied'], ['an object', () => ({ ok: true }), 'AccessDenied'],
    ['a URL of another origin', () => 'https://evil.example.org/', 'AccessDenied'], ['one that only looks like ours', () => '//evil.example.org/', 'AccessDenied'],
    ['no JSON', () => ({ text: 'yes' }), null], ['two values', () => ({ text: 'true,true' }), null], ['nothing', () => ({ text: '' }), null],
    ['an error', () => ({ status: 500 }), null], ['another success', () => ({ status: 204 }), null], ['too much', () => ({ text: `"${'x'.repeat(70000)}"` }), null], ['no answer', () => undefined, null],
  ]) {
    service.answers.signIn = answer;
    const refused = await enter(t, site);
    t.ok(!(await isIn(refused)), `${what}: the user is not in`);
    if (error) t.like(refused.answer.location || '', new RegExp(`error=${error}`), '  by decision');
    else t.ok(!/error=AccessDenied/.test(refused.answer.location || ''), '  because the service failed', refused.answer.location);
  }
  t.like(site.log(), /NextAuthCallback signIn/, 'and the log says so');
  service.answers.signIn = () => '/welcome?first=1';
  const led = await enter(t, site);
  t.is([led.answer.location, await isIn(led)], [`${site.url}/welcome?first=1`, false], 'a path: the user is led there, and not in');
  service.reset();
}

async function jwt(t, site, service) {
  t.section('jwt');
  service.answers.jwt = ({ token }) => ({ ...token, plan: 'gold', roles: ['admin', 'reader'], name: 'Ada L.', sub: 'root', provider: 'google', exp: 1, sid: 'x', nasite: 'x' });
  const c = await enter(t, site);
  const asked = service.last('jwt');
  t.is([asked.token.sub, asked.token.department, asked.token.roles, asked.trigger, asked.isNewUser, asked.user.name], ['ada', 'it', ['reader'], 'signIn', false, 'ada'], 'it is asked with the claims, and why');
  const { user } = (await c.session());
  t.is([user.name, user.plan, user.roles, user.id], ['Ada L.', 'gold', ['admin', 'reader'], 'ada'], 'its claims are the session\'s, but not who the user is');
  t.is((await c.get('/admin/')).status, 200, 'and its roles decide');
  service.answers.jwt = ({ token: { department, ...rest } }) => rest;
  const without = await enter(t, site);
  t.is([await isIn(without), (await without.get('/admin/')).status], [true, 403], 'without them, others have no rights of the last');
  for (const [what, answer] of [['null', () => null], ['a list', () => [1]], ['roles that are no list', ({ token }) => ({ ...token, roles: 'admin' })], ['roles that are no texts', ({ token }) => ({ ...token, roles: [{}] })],
    ['an email address that is no text', ({ token }) => ({ ...token, email: {} })], ['an error', () => ({ status: 503 })], ['too many claims', ({ token }) => ({ ...token, many: Array(2000).fill(1) })]]) {
    service.answers.jwt = answer;
    t.ok(!(await isIn(await enter(t, site))), `${what}: the user is not in`);
  }
  service.reset();
}

const NAME = 'next-auth.session-token';
const update = async (c, data) => c.post('/api/auth/session', { csrfToken: await c.csrf(), data }, { json: true });

async function again(t, service, store) {
  t.section(`jwt, when a session is renewed: ${store.name}`);
  const site = await t.httpd({ files, config: config(`NextAuthCallback jwt ${service.url} secret=${KEY} timeout=2
${store.lines}
<Location /gold/>
  AuthType NextAuth
  Require nextauth-claim plan:gold
</Location>`) });
  const c = await enter(t, site);
  const isGold = async () => (await c.get('/gold/')).status !== 403;
  const asked = () => service.asked.filter(({ callback }) => callback === 'jwt').length;
  t.is(await isGold(), false, 'a session that has no plan');

  const before = asked();
  await c.get('/members/');
  t.is(asked(), before, 'a page asks nothing');
  await c.session();
  t.is(asked() - before, store.asksEachTime ? 1 : 0, `GET session asks ${store.asksEachTime ? 'each time, because it renews the cookie' : 'not before the record is renewed'}`);
  if (store.asksEachTime) {
    const { token, ...rest } = service.last('jwt');
    t.is([token.sub, token.sid, rest], ['ada', undefined, { callback: 'jwt', user: null, account: null, profile: null, isNewUser: null, trigger: null, session: null }], '  with the claims, without a trigger, and without the session\'s ID');
    service.answers.jwt = ({ token: all }) => ({ ...all, plan: 'gold' });
    t.is([(await c.session()).user.plan, await isGold()], ['gold', true], '  and its claims are the session\'s');
    service.answers.jwt = ({ token: { plan, ...all } }) => all;
    t.is([(await c.session()).user.plan, await isGold()], [undefined, false], '  and those that it leaves out are gone');
    service.reset();
  }

  const data = { plan: 'gold', name: 'Root', roles: ['admin'], deep: [{ a: 1 }] };
  t.is([(await update(c, data)).json.user, await isGold()], [{ name: 'ada', id: 'ada', roles: ['reader'] }, false], 'what update() posts is nothing by itself');
  t.is([service.last('jwt').trigger, service.last('jwt').session, service.last('jwt').token.sid], ['update', data, undefined], '  but it is asked with that');
  await update(c);
  t.is([service.last('jwt').trigger, service.last('jwt').session], ['update', null], '  or with nothing');
  service.answers.jwt = ({ token, trigger, session: posted }) => (trigger === 'update' ? { ...token, plan: posted.plan, sub: 'root', provider: 'google', exp: 1, sid: 'x', nasite: 'x', dbu: true } : token);
  const updated = await update(c, data);
  t.is([updated.status, updated.json.user], [200, { name: 'ada', id: 'ada', roles: ['reader'], plan: 'gold' }], 'what it makes of that is the session\'s, but not whose it is');
  t.is([await isGold(), (await c.session()).user.id], [true, 'ada'], '  from then on');

  for (const [what, answer] of [['an error', () => ({ status: 500 })], ['no answer', () => undefined], ['a list', () => []], ['roles that are no list', ({ token }) => ({ ...token, plan: 'tin', roles: 'admin' })], ['too many claims', ({ token }) => ({ ...token, plan: 'tin', many: Array(2000).fill(1) })], ['too large', ({ token }) => ({ ...token, plan: 'tin', large: 'x'.repeat(63 * 1024) })],
    ...(store.asksEachTime ? [['too large for a cookie', ({ token }) => ({ ...token, plan: 'tin', large: 'x'.repeat(12 * 1024) })]] : [])]) {
    service.answers.jwt = answer;
    const cookie = c.cookie(NAME);
    const refused = await update(c, { plan: 'tin' });
    t.is([refused.status, refused.text.includes('ada'), c.cookie(NAME) === cookie, await isGold()], [503, false, true, true], `${what}: 503, and the session stays as it is`);
    if (store.asksEachTime) t.is([(await c.get('/api/auth/session')).status, c.cookie(NAME) === cookie], [503, true], '  also if it is only read');
  }
  service.reset();
  const forged = await c.post('/api/auth/session', { csrfToken: 'x', data }, { json: true });
  t.is([forged.status, service.last('jwt').session?.name], [400, undefined], 'without the CSRF token, nothing is asked');

  service.answers.jwt = () => null;
  const cookie = c.cookie(NAME);
  const ended = await update(c, data);
  t.is([ended.status, ended.json, c.cookie(NAME), await isIn(c)], [200, {}, undefined, false], 'null ends the session');
  t.is(ended.setCookies.filter((line) => line.startsWith(`${NAME}=`)).length, 1, '  and clears its cookie once');
  t.like(site.log(), /signOut: 'ada'/, '  which is reported');
  c.cookies.set(NAME, { value: cookie, path: '/' });
  t.is(await isIn(c), !store.isKept, `  the cookie from before is ${store.isKept ? 'refused' : 'still valid, because there is no store'}`);
  service.reset();
}

async function session(t, site, service) {
  t.section('session');
  const c = await enter(t, site);
  service.answers.session = ({ session, token }) => ({ ...session, user: { ...session.user, department: token.department }, extra: [1] });
  const told = (await c.get('/api/auth/session')).json;
  t.is([told.user.name, told.user.department, told.extra, typeof told.expires], ['ada', 'it', [1], 'string'], 'what it answers is what the browser gets');
  t.is([service.last('session').token.sub, service.last('session').token.sid], ['ada', undefined], 'it sees the claims, but not the session\'s ID');
  for (const [what, answer] of [['null', () => null], ['a text', () => 'x'], ['an error', () => ({ status: 500 })], ['no JSON', () => ({ text: '{' })]]) {
    service.answers.session = answer;
    const refused = await c.get('/api/auth/session');
    t.is([refused.status, refused.text.includes('ada')], [503, false], `${what}: the browser gets nothing`);
  }
  service.reset();
  t.ok(await isIn(c), 'and the session goes on');
}

async function providers(t, service) {
  t.section('a sign-in at a provider');
  const [github, google] = [await startGithub(t), await startGoogle(t)];
  const own = 'clientId=the-client clientSecret=what-only-the-client-knows';
  const site = await t.httpd({ files, config: config(`${['signIn', 'jwt'].map((name) => `NextAuthCallback ${name} ${service.url} secret=${KEY} timeout=2`).join('\n')}
NextAuthProvider github ${own} authorization=${github.url}/login/oauth/authorize token=${github.url}/login/oauth/access_token userinfo=${github.url}/user emails=${github.url}/user/emails
NextAuthProvider google ${own} issuer=${google.issuer('google')}`) });
  const enterAt = async (provider, id, user) => {
    const c = t.client(site);
    provider.user = user;
    const away = await c.page((await c.signIn(id)).location);
    c.answer = await c.page(away.location);
    return c;
  };

  const octocat = { login: 'octocat', id: 583231, name: 'The Octocat', email: 'octocat@example.org', avatar_url: 'https://pictures.example.org/u/583231', plan: { name: 'pro' } };
  service.answers.signIn = ({ profile, account }) => account.provider === 'github' && profile.login === 'octocat';
  service.answers.jwt = ({ token, account, profile }) => (profile ? { ...token, plan: `${profile.plan.name} of ${account.provider}` } : token);
  const c = await enterAt(github, 'github', octocat);
  t.is([await isIn(c), (await c.session()).user?.plan], [true, 'pro of github'], 'they can decide by the profile and the account');
  const asked = service.asked.find(({ callback, account }) => callback === 'signIn' && account.provider === 'github');
  t.is(asked.user, { id: '583231', name: octocat.name, email: octocat.email, image: octocat.avatar_url }, 'signIn is asked with the user');
  t.is(asked.profile, octocat, '  the provider\'s profile as it is');
  const { access_token: token, ...account } = asked.account;
  t.is(account, { provider: 'github', type: 'oauth', providerAccountId: '583231', scope: 'read:user,user:email', token_type: 'bearer' }, '  the account');
  t.ok(github.tokens.has(token), '  and the token that the provider gave');
  t.is(service.asked.filter(({ callback, trigger, profile }) => callback === 'jwt' && trigger && profile?.login === 'octocat').map((question) => [question.user, question.account, question.profile, question.trigger, question.isNewUser]),
    [[asked.user, asked.account, octocat, 'signIn', false]], 'jwt is asked with the same, and why');
  const other = await enterAt(github, 'github', { ...octocat, id: 1, login: 'mallory' });
  t.is([other.answer.location, await isIn(other)], [`${site.url}/api/auth/error?error=AccessDenied`, false], 'another profile is refused');
  service.answers.signIn = () => '/welcome';
  const led = await enterAt(github, 'github', octocat);
  t.is([led.answer.location, await isIn(led)], [`${site.url}/welcome`, false], 'or led elsewhere');
  service.answers.signIn = () => ({ status: 500 });
  t.ok(!(await isIn(await enterAt(github, 'github', octocat))), 'without an answer, the user is not in');

  service.reset();
  const gil = { sub: '110169484474386276334', hd: 'example.org', email: 'gil@example.org', email_verified: true, name: 'Gil' };
  t.ok(await isIn(await enterAt(google, 'google', gil)), 'the same with OpenID Connect');
  const { profile, account: tokens } = service.last('signIn');
  t.is([profile.sub, profile.hd, tokens.type, tokens.providerAccountId], [gil.sub, gil.hd, 'oauth', gil.sub], '  with the claims of the ID token');
  t.is([tokens.id_token.split('.').length, typeof tokens.access_token, Number.isInteger(tokens.expires_at)], [3, 'string', true], '  and the tokens');
  service.reset();
}

async function links(t, service) {
  t.section('a mailed link');
  const here = databasesHere();
  if (!here.sqlite) return t.skip('a mailed link', `install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ files, config: config(`${['signIn', 'jwt'].map((name) => `NextAuthCallback ${name} ${service.url} secret=${KEY} timeout=2`).join('\n')}
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider email`) });
  const request = async (email) => (await t.client(site).signIn('email', { email })).location || '';
  const confirm = async (link) => {
    const c = t.client(site);
    const page = await c.open(link);
    const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
    c.answer = await c.post('/api/auth/callback/email', Object.fromEntries(['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, field(name)])));
    return c;
  };
  const linkTo = async (email) => {
    const before = mail.mails.length;
    t.like(await request(email), /verify-request/, `a link is sent to ${email}`);
    await until('a mail arrives', () => mail.mails.length > before);
    const { parsed } = await mail.last();
    t.is(parsed.to.text, email, '  and to no other address');
    return /https?:\/\/\S+/.exec(parsed.text)[0];
  };

  service.answers.signIn = () => false;
  t.like(await request('mallory@example.org'), /error=AccessDenied/, 'false: no link is sent');
  service.answers.signIn = () => '/welcome';
  t.like(await request('mallory@example.org'), /error=AccessDenied/, 'nor with a URL');
  service.answers.signIn = () => ({ status: 500 });
  t.unlike(await request('mallory@example.org'), /verify-request/, 'nor without an answer');
  service.reset();
  const link = await linkTo('ada@example.org');
  t.is(mail.mails.length, 1, 'the others got none');
  const asked = service.last('signIn');
  t.is([asked.email, asked.user.email, asked.profile], [{ verificationRequest: true }, 'ada@example.org', null], 'signIn is asked before a link is sent');
  t.is([asked.account.provider, asked.account.type, asked.account.providerAccountId], ['email', 'email', 'ada@example.org'], '  with the account');
  t.ok(await isIn(await confirm(link)), 'the link signs in');
  const used = service.last('signIn');
  t.is([used.email, used.user.email, used.account.provider], [undefined, 'ada@example.org', 'email'], '  signIn is asked again, without a request to send one');
  const { trigger, isNewUser, user, token } = service.last('jwt');
  t.is([trigger, isNewUser, user.email, token.email], ['signUp', true, 'ada@example.org', 'ada@example.org'], '  and jwt about a new user');
  t.ok(await isIn(await confirm(await linkTo('ada@example.org'))), 'the next link');
  t.is([service.last('jwt').trigger, service.last('jwt').isNewUser, service.last('jwt').user.id], ['signIn', false, user.id], '  is a known user\'s');
  const last = await linkTo('ada@example.org');
  service.answers.signIn = () => false;
  const refused = await confirm(last);
  t.is([/error=AccessDenied/.test(refused.answer.location), await isIn(refused)], [true, false], 'a link that was sent can be refused');
  service.reset();
}

async function redirect(t, site, service) {
  t.section('redirect');
  service.answers.redirect = ({ url, baseUrl }) => (url === '/old' ? `${baseUrl}/new` : url);
  t.is((await enter(t, site, { callbackUrl: '/old' })).answer.location, `${site.url}/new`, 'the answer is where a sign-in leads');
  t.is([service.last('redirect').url, service.last('redirect').baseUrl], ['/old', site.url], 'it is asked with NextAuth\'s arguments');
  service.answers.redirect = () => 'https://evil.example.org/';
  t.is((await enter(t, site, { callbackUrl: '/old' })).answer.location, site.url, 'another origin: the home page');
  for (const [what, answer] of [['null', () => null], ['an error', () => ({ status: 500 })]]) {
    service.answers.redirect = answer;
    t.is((await enter(t, site, { callbackUrl: '/old' })).answer.location, `${site.url}/old`, `${what}: the default`);
    t.is((await enter(t, site, { callbackUrl: 'https://evil.example.org/' })).answer.location, site.url, '  which leads to no other origin');
  }
  service.reset();
}

async function programs(t) {
  t.section('programs');
  const program = `
let text = '';
process.stdin.on('data', (part) => { text += part; }).on('end', () => {
  const question = JSON.parse(text);
  require('node:fs').appendFileSync(process.argv[2], JSON.stringify({ question, env: Object.keys(process.env), args: process.argv.slice(3) }) + '\\n');
  const name = question.user?.name;
  if (question.callback === 'signIn') process.stdout.write(name === 'ada' ? 'true' : 'false\\n');
  if (question.callback === 'jwt') process.stdout.write(JSON.stringify({ ...question.token, plan: 'silver' }));
});`;
  const command = (name, ...args) => `"|${process.execPath} @DIR@/${name} ${args.join(' ')}"`;
  const site = await t.httpd({ env: { MY_SECRET: 'geheim' }, files: { ...files, 'ask.js': program, 'heard/x': '' },
    config: config(`NextAuthCallback signIn ${command('ask.js', '@DIR@/heard/log', "'two words'", '\\$(id)')}\nNextAuthCallback jwt ${command('ask.js', '@DIR@/heard/log')}`) });
  fs.chmodSync(path.join(site.dir, 'heard'), 0o777);
  const c = await enter(t, site);
  t.is([await isIn(c), (await c.session()).user.plan], [true, 'silver'], 'answer on their standard output');
  const bob = t.client(site);
  await bob.credentials('bob', 'y');
  t.ok(!(await isIn(bob)), 'and refuse');
  const heard = fs.readFileSync(path.join(site.dir, 'heard/log'), 'utf8').trim().split('\n').map((line) => JSON.parse(line));
  t.is([heard[0].question.callback, heard[0].args], ['signIn', ['two words', '$(id)']], 'they get their arguments, without a shell');
  t.is(heard[0].env.filter((name) => !['PATH', 'LANG'].includes(name)), [], 'and nothing of the environment');

  for (const [what, text] of [
    ['one that fails', 'process.stdout.write("true"); process.exitCode = 3;'],
    ['one that answers nothing', ''],
    ['one that writes without end', 'const more = () => process.stdout.write("x".repeat(65536), more); more();'],
    ['one that never ends', 'require("node:fs").writeFileSync(process.argv[2], String(process.pid)); setInterval(() => {}, 1000);'],
    ['one that closes its output, and never ends', 'require("node:fs").writeFileSync(process.argv[2], String(process.pid)); require("node:fs").writeSync(1, "true"); require("node:fs").closeSync(1); setInterval(() => {}, 1000);'],
    ['one that is killed', 'process.kill(process.pid, "SIGKILL");'],
  ]) {
    const other = await t.httpd({ files: { ...files, 'ask.js': text, 'heard/x': '' }, config: config(`NextAuthCallback signIn ${command('ask.js', '@DIR@/heard/pid')} timeout=2`) });
    fs.chmodSync(path.join(other.dir, 'heard'), 0o777);
    const refused = await enter(t, other);
    t.ok(!(await isIn(refused)), `${what}: the user is not in`);
    const pid = fs.existsSync(path.join(other.dir, 'heard/pid')) && Number(fs.readFileSync(path.join(other.dir, 'heard/pid'), 'utf8'));
    if (pid) await until('the program is gone', () => !fs.existsSync(`/proc/${pid}`)).then(() => t.ok(true, '  and it is killed'), () => t.ok(false, '  and it is killed'));
    t.like(other.log(), /NextAuthCallback signIn: .*(program '|JSON)/, '  and the log says why');
  }
  const deaf = await t.httpd({ files: { ...files, 'ask.js': 'process.stdin.destroy(); process.stdout.write("true");' }, config: config(`NextAuthCallback signIn ${command('ask.js')}`) });
  t.ok(await isIn(await enter(t, deaf)), 'one that reads nothing can answer');

  const many = await Promise.all(Array.from({ length: 12 }, () => enter(t, site)));
  t.ok((await Promise.all(many.map(isIn))).some(Boolean), 'many at once are asked, or refused');
}

async function lua(t) {
  t.section('a script of mod_lua');
  const port = await freePort();
  const script = `function handle(r)
  local question = r:requestbody()
  r.content_type = "application/json"
  r:puts(question:find('"name":"ada"') and "true" or "false")
  return apache2.OK
end\n`;
  const lines = `NextAuthCallback signIn http://127.0.0.1:${port}/callbacks/sign-in secret=${KEY}
<IfModule lua_module>\nLuaMapHandler ^/callbacks/sign-in$ @DIR@/decide.lua handle\n</IfModule>\n<Location /callbacks/>\nRequire local\n</Location>`;
  const site = await t.httpd({ port, modules: ['lua'], files: { ...files, 'decide.lua': script }, config: config(lines) });
  if (!(await t.client(site).post('/callbacks/sign-in', {})).text.includes('false')) return t.skip('a script of mod_lua', 'mod_lua is not here');
  t.ok(await isIn(await enter(t, site)), 'lets a user in');
  const bob = t.client(site);
  await bob.credentials('bob', 'y');
  t.ok(!(await isIn(bob)), 'and refuses another');
}

async function wrongs(t) {
  t.section('mistakes');
  for (const [line, message] of [
    ['NextAuthCallback authorized http://127.0.0.1/', /unknown callback 'authorized': expected signIn, redirect, jwt, or session/],
    ['NextAuthCallback signIn http://127.0.0.1/', /a service requires secret=, at least 24 bytes/],
    ['NextAuthCallback signIn http://127.0.0.1/ secret=short', /the secret is 5 bytes; at least 24 are required/],
    ['NextAuthCallback signIn ftp://127.0.0.1/', /invalid service: expected an HTTPS URL/],
    ['NextAuthCallback signIn "|/nowhere/at/all"', /nowhere/],
    ['NextAuthCallback signIn "|cat"', /cat/],
    [`NextAuthCallback signIn http://127.0.0.1/ secret=${KEY} timeout=0`, /invalid value '0': expected a whole number from 1 to 60/],
  ]) {
    const { status, output } = await t.configtest({ files, config: config(line) });
    t.ok(status !== 0, line);
    t.like(output, message, '  is explained');
  }
  const production = config(`NextAuthCallback signIn http://callbacks.example.org/ask?key=geheim secret=${KEY}`).replace('test', 'production').replace('http://localhost:@PORT@', 'https://a.example.org');
  const { output } = await t.configtest({ files, config: production });
  t.like(output, /'http:\/\/callbacks\.example\.org' is not an HTTPS URL: callbacks contain personal data/, 'HTTP is refused in production');
  t.unlike(output, /geheim/, '  without the query');
}

suite('Callbacks: services and programs decide about sign-ins and sessions', async (t) => {
  const service = await startService(t);
  const site = await t.httpd({ files, config: config(CALLBACKS.map((name) => `NextAuthCallback ${name} ${service.url} secret=${KEY} timeout=2`).join('\n')) });
  await signIn(t, site, service);
  await jwt(t, site, service);
  for (const store of [
    { name: 'tokens without a store', lines: '', asksEachTime: true },
    { name: 'tokens with a store', lines: 'NextAuthSOCache shmcb:@DIR@/cache(1048576)\nNextAuthSessionStore socache checkInterval=0', asksEachTime: true, isKept: true },
    { name: 'records', lines: 'NextAuthSOCache shmcb:@DIR@/cache(1048576)\nNextAuthSessionStore socache checkInterval=0\nNextAuthSessionStrategy database', isKept: true },
    { name: 'records that are due', lines: 'NextAuthSOCache shmcb:@DIR@/cache(1048576)\nNextAuthSessionStore socache checkInterval=0\nNextAuthSessionStrategy database\nNextAuthSessionUpdateAge 0', asksEachTime: true, isKept: true },
  ]) await again(t, service, store);
  await session(t, site, service);
  await providers(t, service);
  await links(t, service);
  await redirect(t, site, service);
  t.is(service.forged, 0, 'every request was signed');
  await programs(t);
  await lua(t);
  await wrongs(t);
});
