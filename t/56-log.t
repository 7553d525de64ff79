#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { apart } = require('./lib/client.js');
const { htpasswd, roomy, until } = require('./lib/httpd.js');
const { startGithub } = require('./lib/emulators.js');
const { startRogue } = require('./lib/rogue.js');

const SECRET = '0123456789abcdef0123456789abcdef';
const files = { users: htpasswd({ ada: 'correct horse', 'gr"ace\\': 'correct horse' }) };
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}
NextAuthProvider credentials backend=file:users
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
const trace = '0af7651916cd43dd8448eb211c80319c';

const textOf = (site, name) => (fs.existsSync(`${site.dir}/${name}`) ? fs.readFileSync(`${site.dir}/${name}`, 'utf8') : '');
const linesOf = (site, name) => textOf(site, name).split('\n').slice(0, -1);
const recordsOf = (site, name = 'auth.log') => linesOf(site, name).map((line) => JSON.parse(line));

const referenceOf = (answer) => (/Reference: <code>([^<]*)</.exec(answer.text) || [])[1];

suite('the log: lines for programs and for people, and what leads to them', async (t) => {
  t.section('JSON lines in a file');
  {
    const site = await t.httpd({ files, config: `${common}\nNextAuthLog json auth.log` });
    const c = t.client(site);
    const refused = await c.credentials('ada', 'wrong horse', {});
    await c.credentials('ada', 'correct horse');
    const [failure, success] = recordsOf(site).filter(({ level }) => level !== 'debug');
    const { timestamp, requestId, durationMs, pid, ...rest } = failure;
    t.is(rest, { level: 'warning', event: 'CALLBACK_CREDENTIALS_HANDLER_ERROR', provider: 'credentials', address: '127.0.0.1', site: site.url,
      message: 'POST callback/credentials: CredentialsSignin: wrong username or password' }, 'a failure, with NextAuth\'s code of it');
    t.ok(Math.abs(Date.parse(timestamp) - Date.now()) < 60_000 && /^\d{4}-.*\.\d{3}Z$/.test(timestamp), 'when it was', timestamp);
    t.ok(durationMs > 0 && durationMs < 60_000, 'how long it took', durationMs);
    t.ok(Number.isInteger(pid) && requestId.length > 8, 'which request and process it was');
    t.is([success.level, success.event, success.userId, success.provider], ['info', 'signIn', 'ada', 'credentials'], 'a sign-in, and whose it is');
    t.unlike(site.log(), /nextauth:(warn|info|debug)/, 'the error log has none of it');

    t.section('the reference on a page finds the line');
    t.is(refused.location, `${site.url}/api/auth/error?error=CredentialsSignin&provider=credentials`, 'addresses of errors stay NextAuth\'s');
    const page = await c.page('/api/auth/signin?error=CredentialsSignin');
    t.is(referenceOf(page), requestId, 'the sign-in page shows it under the error');
    t.is(referenceOf(await c.page('/api/auth/error?error=AccessDenied')), requestId, 'and so does the error page');
    t.is(referenceOf(await c.page('/api/auth/signin')), undefined, 'a page without an error does not');
    c.cookies.set('next-auth.error-reference', { value: encodeURIComponent('"><script>alert(1)</script>'), path: '/' });
    t.like((await c.page('/api/auth/error?error=Configuration')).text, /Reference: <code>&quot;&gt;&lt;script&gt;/, 'what a stranger puts there is text');
    c.cookies.set('next-auth.error-reference', { value: 'x'.repeat(2000), path: '/' });
    t.is(referenceOf(await c.page('/api/auth/error?error=Configuration')), undefined, 'and not too much of it');

    t.section('what cannot be done just now');
    {
      const down = await t.httpd({ files, config: `${common}\nNextAuthSessionStore redis\nNextAuthRedis redis://localhost:1\nNextAuthLog json auth.log` });
      const d = t.client(down);
      const answer = await d.page('/api/auth/callback/credentials', { method: 'POST', body: new URLSearchParams({ csrfToken: await d.csrf(), username: 'ada', password: 'correct horse' }).toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      const lines = () => recordsOf(down).filter(({ level }) => level !== 'debug');
      t.is([answer.status, lines().some(({ event, level, message }) => event === 'SESSION_STORE_ERROR' && level === 'error' && /is down: /.test(message))], [503, true], 'the site\'s own log says what is down');
      t.like(lines().find((one) => one.requestId === referenceOf(answer))?.message, /^POST callback\/credentials: Unavailable: /, 'the page\'s reference finds a line');
      const { json } = await d.credentials('ada', 'correct horse', { json: 'true' });
      t.ok(lines().some((one) => one.requestId === json.reference), 'and so does that of an answer for programs');
    }

    t.section('the trace that a request is part of (W3C Trace Context)');
    const traced = async (traceparent) => {
      const before = recordsOf(site).length;
      await t.client(site).post('/api/auth/callback/credentials', {}, { headers: { traceparent } });
      await t.client(site).get('/api/auth/callback/credentials', { headers: { traceparent } });
      return recordsOf(site).slice(before).find(({ level }) => level !== 'debug').traceId;
    };
    t.is(await traced(`00-${trace}-b7ad6b7169203331-01`), trace, 'is in its lines');
    for (const [what, header] of [['zeros', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`], ['capitals', `00-${trace.toUpperCase()}-b7ad6b7169203331-01`],
      ['too short', `00-${trace}-b7ad-01`], ['no such version', `ff-${trace}-b7ad6b7169203331-01`], ['more than version 00 has', `00-${trace}-b7ad6b7169203331-01-x`]]) {
      t.is(await traced(header), undefined, `  unless the header is none: ${what}`);
    }

    t.section('what strangers write stays in its place');
    const before = recordsOf(site).length;
    for (const user of ['gr"ace\\', 'x\ny', 'x","level":"error', 'Zoë 😀', '\u0000', 'a'.repeat(5000)]) {
      await t.client(site).credentials(user, 'correct horse');
    }
    const odd = recordsOf(site).slice(before);
    t.ok(odd.length >= 6, 'each line is one record');
    t.is(odd.find(({ event }) => event === 'signIn').userId, 'gr"ace\\', 'names are whole');

    t.section('LogLevel decides what is written');
    t.unlike(textOf(site, 'auth.log'), /correct horse|wrong horse/, 'never a password');
    await site.reload(`LogLevel nextauth:warn\n${common}\nNextAuthLog json quiet.log`);
    const quiet = t.client(site);
    await quiet.credentials('ada', 'correct horse');
    await quiet.get('/members/');
    t.is(recordsOf(site, 'quiet.log'), [], 'at warn, a sign-in is nothing to write of');
    await quiet.credentials('ada', 'wrong horse');
    t.is(recordsOf(site, 'quiet.log').map(({ level }) => level), ['warning'], 'a failure is');

    t.section('rotation');
    fs.renameSync(`${site.dir}/quiet.log`, `${site.dir}/quiet.log.1`);
    await site.reload();
    await quiet.credentials('ada', 'wrong horse');
    t.is([recordsOf(site, 'quiet.log').length, recordsOf(site, 'quiet.log.1').length], [1, 1], 'a file that was renamed is made anew at a reload');
  }

  t.section('lines for people');
  {
    const site = await t.httpd({ files, config: `${common}\nNextAuthLog plain auth.log` });
    const c = t.client(site);
    await c.credentials('ada', 'wrong horse');
    await c.credentials('ada', 'correct horse');
    const lines = linesOf(site, 'auth.log').filter((line) => !/\[debug\]/.test(line));
    t.like(lines[0], /^\d{4}-\d\d-\d\dT[\d:.]+Z \[warning\] 127\.0\.0\.1 POST callback\/credentials: CredentialsSignin: wrong username or password \(CALLBACK_CREDENTIALS_HANDLER_ERROR, provider credentials, reference \S+\)$/, 'a failure');
    t.like(lines[1], /\[info\] 127\.0\.0\.1 signIn: 'ada' by credentials \(signIn, provider credentials, user ada, reference \S+\)$/, 'a sign-in');
  }

  t.section('a program');
  {
    const site = await t.httpd({ files, config: `${common}\nNextAuthLog json "|$/bin/cat >>@DIR@/piped.log"\n${roomy}` });
    await Promise.all(Array.from({ length: 16 }, async (_, client) => {
      const c = t.client(site, apart(client));
      for (let i = 0; i < 5; i += 1) await c.credentials('ada', 'correct horse');
    }));
    const signIns = () => recordsOf(site, 'piped.log').filter(({ event }) => event === 'signIn').length;
    await until('all lines', () => signIns() >= 80);
    t.is(signIns(), 80, 'gets every line of 16 clients at once, whole');
  }

  t.section('the server\'s error log');
  {
    const site = await t.httpd({ files, config: `${common}\nNextAuthLog json errorlog` });
    const c = t.client(site);
    await c.credentials('gr"ace\\', 'correct horse');
    await c.credentials('ada', 'wrong horse');
    const records = site.log().split('\n').filter((line) => /\[nextauth:/.test(line)).map((line) => JSON.parse(line.slice(line.indexOf('{'))));
    t.is(records.find(({ event }) => event === 'signIn').userId, 'gr\'ace/', 'JSON survives its escaping: quotes and backslashes become others');
    t.like(records.find(({ level }) => level === 'warning').event, /^CALLBACK_CREDENTIALS/, 'each line of ours is a record');
  }

  t.section('a log that cannot be written');
  {
    const site = await t.httpd({ files, config: `${common}\nNextAuthLog json /dev/full` });
    const c = t.client(site);
    t.is((await c.credentials('ada', 'correct horse')).location, site.url, 'keeps nobody out');
    t.like(site.log(), /\[nextauth:info\].* signIn: 'ada' by credentials/, 'and its lines go to the error log');
  }

  t.section('LogLevel debug: each step of a sign-in, its secrets left out');
  {
    const github = await startGithub(t);
    github.user = { login: 'octocat', id: 583231, name: 'The Octocat', email: 'octocat@example.org' };
    const config = (more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}
NextAuthLog json auth.log
NextAuthProvider github clientId=the-client clientSecret=what-only-the-client-knows authorization=${github.url}/login/oauth/authorize token=${github.url}/login/oauth/access_token userinfo=${github.url}/user emails=${github.url}/user/emails
NextAuthRole owner "%{PROFILE:id} == '583231'"
${more}`;
    const site = await t.httpd({ config: config('') });
    const c = t.client(site);
    const away = await c.page((await c.signIn('github')).location);
    await c.page(away.location);
    const steps = recordsOf(site).filter(({ provider }) => provider === 'github').map(({ event, message }) => `${event}: ${message}`);
    const expected = [
      /^GET_AUTHORIZATION_URL: redirect to http:\/\/\S+\/authorize: client the-client, scope 'read:user user:email', callback URL \S+\/callback\/github, checks state( pkce)?$/,
      /^OAUTH_CALLBACK: callback from the provider with a state, a code$/,
      /^CLIENT_AUTHENTICATION: client_secret_basic$/,
      /^OAUTH_CALLBACK_RESPONSE: http:\/\/\S+\/access_token returned status 200, \d+ bytes of application\/json/,
      /^OAUTH_CALLBACK_RESPONSE: tokens: access \d+ characters, ID token 0, refresh \d+; scope '[^']*'$/,
      /^PROFILE_DATA: http:\/\/\S+\/user returned status 200, \d+ bytes$/,
      /^PROFILE_DATA: the members of the profile are .*login/,
      /^SESSION: creating a session for user '583231' with roles owner$/,
      /^signIn: signIn: '583231' by github$/];
    t.is(steps.length, expected.length, 'the steps', steps.join('\n')) || t.diag(steps.join('\n'));
    expected.forEach((pattern, i) => t.like(steps[i] || '', pattern, `  ${i + 1}`));

    t.section('calls to providers are part of the trace where traceContext=on');
    const last = (path) => github.requests(path).at(-1).headers;
    const traced = async () => {
      const other = t.client(site);
      const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01`, tracestate: 'vendor=1' };
      const off = await other.page((await other.post('/api/auth/signin/github', { csrfToken: await other.csrf() })).location);
      await other.page(off.location, { headers });
      return ['/login/oauth/access_token', '/user'].map(last).map(({ traceparent, tracestate }) => [traceparent, tracestate]);
    };
    t.is(await traced(), [[undefined, undefined], [undefined, undefined]], 'not unless it is asked for');
    await site.reload(config('NextAuthHTTP traceContext=on'));
    const told = await traced();
    t.is(told.map(([parent, state]) => [parent.slice(0, 36), parent.slice(52), state]), [[`00-${trace}-`, '-01', 'vendor=1'], [`00-${trace}-`, '-01', 'vendor=1']], 'with what came along');
    t.ok(told.every(([parent]) => !parent.includes('b7ad6b7169203331')), 'and a parent id of its own');
    const secrets = ['what-only-the-client-knows', new URL(away.location).searchParams.get('code'), new URL(away.location).searchParams.get('state'), SECRET,
      c.cookie('next-auth.session-token'), c.cookie('next-auth.csrf-token').slice(0, 64)];
    const log = textOf(site, 'auth.log') + site.log();
    t.is(secrets.filter((each) => !each || log.includes(each)), [], 'no client secret, code, state, token or cookie is in any line');
  }

  t.section('traceContext=on: discovery and key set belong to the sign-in that they are fetched for');
  {
    const provider = await startRogue(t);
    const site = await t.httpd({ config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}
NextAuthHTTP traceContext=on
NextAuthProvider acme type=oidc issuer=${provider.issuer('acme')} clientId=the-client clientSecret=what-only-the-client-knows` });
    const c = t.client(site);
    const headers = { traceparent: `00-${trace}-b7ad6b7169203331-01` };
    const { location } = await c.post('/api/auth/signin/acme', { csrfToken: await c.csrf() }, { headers });
    await c.page((await c.page(location)).location, { headers });
    for (const endpoint of ['openid-configuration', 'token', 'jwks']) {
      const parents = provider.requests('acme', endpoint).map(({ headers: { traceparent } }) => String(traceparent));
      t.ok(parents.length && parents.every((parent) => parent.startsWith(`00-${trace}-`)), endpoint, parents.join(' '));
    }
  }
});
