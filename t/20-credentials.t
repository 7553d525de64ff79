#!/usr/bin/env node
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { childrenOf, htpasswd, until } = require('./lib/httpd.js');

const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

suite('Passwords, from a file and from httpd\'s own providers', async (t) => {
  t.section('a password file');
  const users = htpasswd({ ada: 'secret', 'bob@example.org': 'pässwörd', empty: 'x' })
    + 'sha:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\nlocked:!\nnohash:\n';
  const site = await t.httpd({ files: { users }, config: `${common}
NextAuthProvider credentials "name=Our users" backend=file:@DIR@/users` });
  {
    const c = t.client(site);
    t.is((await c.credentials('ada', 'secret')).location, site.url, 'the right password signs in');
    t.is((await c.session()).user, { name: 'ada' }, 'a user name is the name');
    t.is((await c.get('/members/')).status, 200, 'and opens protected pages');
    t.ok(await site.logged('GET /members/index.html 200 ada'), 'REMOTE_USER is in the access log');
    t.like(site.log(), /signIn: 'ada' by credentials/, 'and the sign-in in the error log');
  }
  {
    const c = t.client(site);
    t.is((await c.credentials('bob@example.org', 'pässwörd')).location, site.url, 'an address is a user name too');
    t.is((await c.session()).user, { name: 'bob@example.org', email: 'bob@example.org' }, 'and the e-mail address');
    const token = await c.csrf();
    t.is((await c.post('/api/auth/callback/credentials', { csrfToken: token, email: 'ada', password: 'secret' })).location, site.url, 'the field may be called email');
    t.is((await c.credentials('sha', 'password')).location, site.url, 'older hashes are known');
  }
  const refused = `${site.url}/api/auth/error?error=CredentialsSignin&provider=credentials`;
  for (const [user, password, why] of [['ada', 'Secret', 'another case'], ['ada', '', 'no password'], ['', 'secret', 'no user'],
    ['nobody', 'secret', 'an unknown user'], ['locked', '!', 'a locked user'], ['nohash', '', 'a user without a hash'], ['nohash', 'x', 'or any password for one'],
    ['ada:', 'secret', 'a colon'], ['ada\nbob', 'secret', 'a line end'], ['ada', 'x'.repeat(5000), 'a password of 5000 bytes'],
    ['a'.repeat(300), 'x', 'a user name of 300 bytes'], ['ada', 'secret\u0000', 'a NUL']]) {
    const c = t.client(site);
    t.is((await c.credentials(user, password)).location, refused, `refused: ${why}`);
    t.is(c.cookie('next-auth.session-token'), undefined, '  and there is no session');
  }
  t.is((await t.client(site).post('/api/auth/callback/credentials', { username: 'ada', password: 'secret' })).location,
    `${site.url}/api/auth/signin?csrf=true`, 'without the CSRF token nothing is checked');
  t.unlike(site.log(), /secret|pässwörd/, 'no password is in the log');
  {
    const c = t.client(site);
    fs.writeFileSync(path.join(site.dir, 'users'), htpasswd({ ada: 'changed' }));
    t.is((await c.credentials('ada', 'secret')).location, refused, 'a changed file counts at once');
    t.is((await c.credentials('ada', 'changed')).location, site.url, 'both ways');
    fs.rmSync(path.join(site.dir, 'users'));
    t.is((await c.credentials('ada', 'changed')).location, refused, 'without the file nobody signs in');
    t.like(site.log(), /could not read password file/, 'and the log says why');
  }

  t.section('a password file of 100,000 users');
  {
    const others = Array.from({ length: 100_000 }, (_, i) => `user${i}:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`).join('');
    const withAda = (password) => others + htpasswd({ ada: password });
    const large = await t.httpd({ config: `${common}
NextAuthProvider credentials backend=file:@DIR@/users`, files: { users: withAda('first') } });
    const file = path.join(large.dir, 'users');
    const pids = childrenOf(large.pid);
    const signsIn = async (password, user = 'ada') => (await t.client(large).credentials(user, password)).location === large.url;
    const bytesRead = () => pids.reduce((sum, pid) => sum + Number(/^rchar: (\d+)$/m.exec(fs.readFileSync(`/proc/${pid}/io`, 'utf8'))[1]), 0);
    const readsLittle = async () => {
      const before = bytesRead();
      return await signsIn('first') && bytesRead() - before < others.length / 10;
    };
    t.ok(await signsIn('first'), 'its last user signs in');
    t.ok(!await signsIn('second'), '  with the right password alone');
    await until('the file is unchanged for some seconds', () => Date.now() - fs.statSync(file).ctimeMs > 3500);
    let inARow = 0; // in each process
    await until('no process reads the whole file', async () => { inARow = await readsLittle() ? inARow + 1 : 0; return inARow >= 8; });
    t.ok(true, 'sign-ins do not read the whole file');
    t.ok(await signsIn('password', 'user50000') && !await signsIn('x', 'nobody'), '  of whatever user');
    const { atime, mtime } = fs.statSync(file);
    const hash = htpasswd({ ada: 'second' });
    const fd = fs.openSync(file, 'r+');
    fs.writeSync(fd, hash, others.length);
    fs.closeSync(fd);
    fs.utimesSync(file, atime, mtime);
    t.ok(!await signsIn('first') && await signsIn('second'), 'an edit in its place counts at once, whatever time the file claims');
    fs.writeFileSync(`${file}.new`, withAda('third'));
    fs.renameSync(`${file}.new`, file);
    t.ok(!await signsIn('second') && await signsIn('third'), 'a new file in its place counts at once');
    const again = fs.openSync(file, 'r+');
    fs.writeSync(again, htpasswd({ ada: 'fourth' }), others.length);
    fs.closeSync(again);
    t.ok(!await signsIn('third') && await signsIn('fourth'), '  and so does an edit of it in the same second');
    fs.chmodSync(file, 0);
    if (process.getuid() === 0) t.ok(!await signsIn('fourth'), 'a file that httpd may no longer read signs nobody in');
  }

  t.section('hashes that cannot be used');
  {
    const long = 'long words that bcrypt reads the first seventy-two bytes of, and then no more. 84';
    const bad = await t.httpd({ config: `${common}
NextAuthProvider credentials backend=file:@DIR@/users`, files: { users: `${htpasswd({ ada: 'secret', long })}hours:$2b$31$abcdefghijklmnopqrstuu
days:$6$rounds=900000000$salt$x
plain:not-hashed\n` } });
    const failed = `${bad.url}/api/auth/error?error=CredentialsSignin&provider=credentials`;
    for (const [user, why] of [['hours', 'malformed password hash of kind bcrypt'], ['days', 'the password hash of kind SHA-512 crypt costs too much'], ['plain', 'unknown kind of password hash']]) {
      t.is((await t.client(bad).credentials(user, 'not-hashed')).location, failed, `${user}: is refused as a wrong password is`);
      t.ok(new RegExp(`:error\\].*user '${user}' of '\\S+users' cannot sign in: ${why}`).test(bad.log()), '  and the log names user and reason', bad.log());
    }
    t.unlike(bad.log(), /abcdefghijklmnopqrstuu|not-hashed/, 'without the hash');
    t.is((await t.client(bad).credentials('ada', 'secret')).location, bad.url, 'others sign in');
    for (const tail of ['', 'any other tail']) t.is((await t.client(bad).credentials('long', long.slice(0, 72) + (tail || long.slice(72)))).location, failed, 'a password that bcrypt would cut is refused, its own tail or another');
    t.is((await t.client(bad).credentials('long', long.slice(0, 72))).location, bad.url, 'its first 72 bytes are the password');
  }

  t.section('httpd\'s authentication providers');
  {
    const authn = await t.httpd({
      files: { one: htpasswd({ ada: 'secret', both: 'one' }), two: htpasswd({ cleo: 'secret', both: 'two' }) },
      config: `${common}
NextAuthProvider credentials backend=authn:file,second
<AuthnProviderAlias file second>
  AuthUserFile @DIR@/two
</AuthnProviderAlias>
<Location /api/auth/callback/credentials>
  AuthUserFile @DIR@/one
</Location>` });
    for (const [user, password, good, why] of [['ada', 'secret', true, 'the first knows'], ['cleo', 'secret', true, 'the second, when the first does not'],
      ['both', 'two', false, 'but a refusal of the first is final'], ['both', 'one', true, 'as is its consent'], ['nobody', 'x', false, 'neither']]) {
      const answer = await t.client(authn).credentials(user, password);
      t.is(answer.location, good ? authn.url : `${authn.url}/api/auth/error?error=CredentialsSignin&provider=credentials`, why);
    }
    const dbm = await t.httpd({ config: `${common}
NextAuthProvider credentials backend=authn:dbm
<Location /api/auth/callback/credentials>
  AuthDBMType SDBM
  AuthDBMUserFile @DIR@/users.dbm
</Location>` });
    execFileSync('htdbm', ['-cbmTSDBM', path.join(dbm.dir, 'users.dbm'), 'dora', 'secret'], { stdio: 'ignore' });
    for (const file of fs.readdirSync(dbm.dir)) if (file.startsWith('users.dbm')) fs.chmodSync(path.join(dbm.dir, file), 0o644);
    t.is((await t.client(dbm).credentials('dora', 'secret')).location, dbm.url, 'a DBM file');
    const remembering = (names) => ({ modules: ['authn_socache'], files: { users: htpasswd({ ada: 'x' }) }, config: `${common}
AuthnCacheEnable
NextAuthProvider credentials backend=authn:${names}
<Location /api/auth/callback/credentials>
  AuthUserFile @DIR@/users
  AuthnCacheProvideFor file
</Location>` });
    const cached = await t.httpd(remembering('socache,file'));
    t.is((await t.client(cached).credentials('ada', 'x')).location, cached.url, 'a file, behind a cache');
    const passwords = fs.readFileSync(`${cached.dir}/users`, 'utf8');
    fs.writeFileSync(`${cached.dir}/users`, '');
    t.is((await t.client(cached).credentials('ada', 'x')).location, cached.url, '  which remembers the user', passwords);
    const alone = await t.configtest(remembering('file,socache'));
    t.is(alone.status === 0, false, 'a cache behind which nobody is asked is refused');
    t.like(alone.output, /provider 'socache' only caches results of providers after it: .*backend=authn:socache,file/, '  with what to write');
  }

  t.section('a directory that is down, or not configured');
  for (const [line, why] of [['AuthLDAPURL ldap://127.0.0.1:1/ou=people,dc=example,dc=org?uid', 'nobody answers'], ['', 'no AuthLDAPURL']]) {
    const ldap = await t.httpd({ modules: ['ldap', 'authnz_ldap'], config: `${common}
NextAuthProvider credentials backend=authn:ldap
<Location /api/auth/callback/credentials>
  ${line}
</Location>` });
    const c = t.client(ldap);
    const answer = await c.credentials('ada', 'secret');
    t.is([answer.status, answer.headers['retry-after'], c.cookie('next-auth.session-token')], [503, '5', undefined], `${why}: 503, which no ban by log takes for a wrong password`);
    t.ok(/:error\].*authentication provider could not verify the password/.test(ldap.log()) && !/CredentialsSignin/.test(ldap.log()), '  and an error in the log', ldap.log());
  }

  t.section('who may sign in, and as what');
  {
    const rules = await t.httpd({ files: { users: htpasswd({ ada: 'x', bob: 'x', eve: 'x' }) }, config: `${common}
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSignInRule deny "%{USER:id} == 'eve'"
NextAuthSignInRule allow "%{ACCOUNT:provider} == 'credentials' && %{USER:name} =~ /^[aeb]/"
NextAuthRole admin "%{USER:id} == 'ada'"
NextAuthRole member "true"
NextAuthClaim greeting "Hello %{USER:name}"
NextAuthSessionClaim roles greeting` });
    const eve = t.client(rules);
    t.is((await eve.credentials('eve', 'x')).location, `${rules.url}/api/auth/error?error=AccessDenied`, 'a rule denies');
    t.is((await eve.credentials('eve', 'x', { json: 'true' })).status, 403, 'as 403 to v4\'s client');
    t.is((await eve.get('/api/auth/error?error=AccessDenied')).status, 403, 'with a page that says so');
    const ada = t.client(rules);
    await ada.credentials('ada', 'x');
    t.is((await ada.session()).user, { name: 'ada', roles: ['admin', 'member'], greeting: 'Hello ada' }, 'roles and claims are worked out');
    const bob = t.client(rules);
    await bob.credentials('bob', 'x');
    t.is((await bob.session()).user.roles, ['member'], 'for each user');
  }

  t.section('rules of a virtual host beside those that it inherits');
  {
    const host = (name, ...rules) => `<VirtualHost *:@PORT@>
ServerName ${name}.localhost
NextAuthEngine On
NextAuthURL http://${name}.localhost:@PORT@
NextAuthSecret "the secret of ${name} has thirty-two bytes at least"
NextAuthProvider credentials backend=file:@DIR@/users
${rules.join('\n')}
</VirtualHost>`;
    const s = await t.httpd({ files: { users: htpasswd({ ada: 'x', bob: 'x', eve: 'x' }) }, config: `NextAuthMode test
NextAuthSignInRule deny "%{USER:id} == 'eve'"
NextAuthSignInRule allow "%{USER:id} =~ /^[ab]/"
${host('plain')}
${host('strict', 'NextAuthSignInRule deny "%{USER:id} == \'bob\'"')}
${host('open', 'NextAuthSignInRule allow "%{USER:id} == \'eve\'"', 'NextAuthSignInRule deny "true"')}` });
    const may = async (name) => {
      const got = [];
      for (const user of ['ada', 'bob', 'eve']) {
        const c = t.client({ ...s, url: `http://${name}.localhost:${s.port}` });
        await c.credentials(user, 'x');
        if (c.cookie('next-auth.session-token')) got.push(user);
      }
      return got;
    };
    t.is(await may('plain'), ['ada', 'bob'], 'without its own, the inherited ones decide');
    t.is(await may('strict'), ['ada'], 'its deny goes before an inherited allow');
    t.is(await may('open'), ['eve'], 'and its allow before an inherited deny, in the order they are written in');
  }
});
