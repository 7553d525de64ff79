#!/usr/bin/env node
'use strict';
// <IfNextAuthMode>: one configuration for production, development, and test.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, freePort, htpasswd } = require('./lib/httpd.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const MODES = ['production', 'development', 'test'];
const files = (more = {}) => ({ users: htpasswd({ ada: 'x' }), ...Object.fromEntries(['nextauth', 'google', 'github'].map((name) => [`${name}-secret`, { text: `${SECRET}\n`, mode: 0o600 }])), ...more });
const envFile = (mode) => ({ env: { text: `NODE_ENV=${mode}\n`, mode: 0o600 } });

// The one that docs/modes.md has.
const manual = fs.readFileSync(path.join(__dirname, '..', 'docs', 'modes.md'), 'utf8');
const factory = `${/```apache\n(.*?)```/s.exec(manual)[1].replaceAll('/etc/apache2/', '@DIR@/').replaceAll('localhost:3000', 'localhost:@PORT@')}
<Location /d>
    SetHandler nextauth-diagnostics
</Location>
<Location /members/>
    AuthType NextAuth
    <IfNextAuthMode !test>
        Require valid-user
    </IfNextAuthMode>
    <IfNextAuthMode test>
        Require all granted
    </IfNextAuthMode>
</Location>`;

const outcome = ({ status, output }) => [status, output.replace(/^.*NextAuthSessionStore.*\n|^.*other machines.*\n/gm, '').trim()];

async function threeModes(t) {
  t.section('the factory in three modes');
  for (const mode of MODES) {
    for (const [how, before, more, env] of [
      ['NextAuthMode', `NextAuthMode ${mode}`, {}, {}],
      ['NODE_ENV of NextAuthEnvFile', 'NextAuthEnvFile @DIR@/env', envFile(mode), {}],
      ['NODE_ENV of the process', '', {}, { NODE_ENV: mode }],
    ]) {
      if (mode !== 'production' && how !== 'NextAuthMode') {
        t.is(outcome(await t.configtest({ files: files(more), env, config: `${before}\n${factory}` })), [0, 'Syntax OK'], `${mode} by ${how}`);
        continue;
      }
      const port = await freePort();
      const site = await t.httpd({ port, files: files(more), env, config: `${before}\n${factory}` });
      const c = t.client(site);
      const told = (await c.get('/d')).json;
      t.is([told.site.mode, told.session.maxAge], [mode, mode === 'production' ? 604800 : 2592000], `${mode} by ${how}: sessions of ${mode === 'production' ? 7 : 30} days`);
      t.is(Object.keys((await c.get('/api/auth/providers')).json), { production: ['github', 'google'], development: ['github', 'credentials'], test: ['github'] }[mode], '  its providers');
      t.is((await c.get('/members/')).status, mode === 'test' ? 200 : 401, '  its protection of a path');
      if (mode !== 'development') continue;
      const signedIn = await c.credentials('ada', 'x');
      t.unlike(signedIn.setCookies.join('\n'), /Domain=/, '  no domain of cookies');
      await site.reload();
      t.is((await c.session()).user?.name, 'ada', '  and a reload decides the same');
    }
  }
  const cookies = await check(t, { files: files(), config: `NextAuthMode production\n${factory}` }, ['--json']);
  t.like(cookies.told.findings.find(({ subject }) => subject === '__Secure-next-auth.session-token').message, /domain \.?yourdomain\.com/, 'production has the domain of cookies');
  t.is(cookies.status, 0, '  and check finds nothing wrong');
}

async function sections(t) {
  t.section('sections');
  const base = (lines, env = {}) => t.configtest({ files: files({ 'more.conf': 'NextAuthSessionMaxAge 1\n', ...envFile('test') }), env, config: `NextAuthSecret file:@DIR@/nextauth-secret\nNextAuthProvider credentials backend=file:@DIR@/users\nNextAuthURL https://a.example.org\nNextAuthSessionStore none\n${lines}` });
  const wrong = 'NextAuthSessionMaxAge 1';
  for (const [what, lines, isRead] of [
    ['one mode of several', `<IfNextAuthMode development production>\n${wrong}\n</IfNextAuthMode>`, true],
    ['none of several', `<IfNextAuthMode development test>\n${wrong}\n</IfNextAuthMode>`, false],
    ['not one of several', `<IfNextAuthMode !development test>\n${wrong}\n</IfNextAuthMode>`, true],
    ['nested', `<IfNextAuthMode production>\n<IfNextAuthMode !test>\n${wrong}\n</IfNextAuthMode>\n</IfNextAuthMode>`, true],
    ['nested in one that is left out', `<IfNextAuthMode test>\n<IfNextAuthMode production>\n${wrong}\n</IfNextAuthMode>\n</IfNextAuthMode>`, false],
    ['in <IfModule>', `<IfModule mod_nextauth.c>\n<IfNextAuthMode production>\n${wrong}\n</IfNextAuthMode>\n</IfModule>`, true],
    ['around Include', '<IfNextAuthMode production>\nInclude @DIR@/more.conf\n</IfNextAuthMode>', true],
    ['around Include that is left out', '<IfNextAuthMode test>\nInclude @DIR@/nowhere.conf\n</IfNextAuthMode>', false],
    ['around Define', `<IfNextAuthMode production>\nDefine AGE 1\n</IfNextAuthMode>\n<IfDefine AGE>\n${wrong}\n</IfDefine>`, true],
    ['around Define that is left out', `<IfNextAuthMode test>\nDefine AGE 1\n</IfNextAuthMode>\n<IfDefine AGE>\n${wrong}\n</IfDefine>`, false],
    ['around <VirtualHost>', `<IfNextAuthMode production>\n<VirtualHost *:9>\n${wrong}\n</VirtualHost>\n</IfNextAuthMode>`, true],
    ['in <VirtualHost>', `<VirtualHost *:9>\n<IfNextAuthMode production>\n${wrong}\n</IfNextAuthMode>\n</VirtualHost>`, true],
    ['around directives of a module that is not loaded', '<IfNextAuthMode test>\nNoSuchDirective x\n</IfNextAuthMode>', false],
    ['an empty one', '<IfNextAuthMode production>\n</IfNextAuthMode>', false],
  ]) {
    const { status, output } = await base(`NextAuthEngine On\n${lines}`);
    t.is([status !== 0, /NextAuthSessionMaxAge on line \d+ of/.test(output)], [isRead, isRead], `${what}: is ${isRead ? 'read' : 'left out'}`, output);
  }

  t.section('mistakes');
  for (const [what, lines, message, env] of [
    ['an unknown mode', '<IfNextAuthMode staging>\n</IfNextAuthMode>', /Syntax error on line \d+ of .*<IfNextAuthMode>: invalid mode 'staging': expected production, development, or test/],
    ['one negated mode among others', '<IfNextAuthMode test !production>\n</IfNextAuthMode>', /<IfNextAuthMode>: invalid mode '!production'/],
    ['no mode', '<IfNextAuthMode>\n</IfNextAuthMode>', /<IfNextAuthMode>: missing mode/],
    ['no bracket', '<IfNextAuthMode test\n</IfNextAuthMode>', /missing closing '>'/],
    ['no end', '<IfNextAuthMode test>', /Expected <\/IfNextAuthMode> before end of configuration/],
    ['an end of another', '<IfNextAuthMode production>\n</IfModule>', /./],
    ['an invalid NextAuthMode above', 'NextAuthMode staging\n<IfNextAuthMode test>\n</IfNextAuthMode>', /invalid mode 'staging' of NextAuthMode or NODE_ENV/],
    ['an invalid NODE_ENV', '<IfNextAuthMode test>\n</IfNextAuthMode>', /invalid mode 'staging' of NextAuthMode or NODE_ENV/, { NODE_ENV: 'staging' }],
    ['an environment file that is not there', 'NextAuthEnvFile @DIR@/nowhere\n<IfNextAuthMode test>\n</IfNextAuthMode>', /<IfNextAuthMode>: NextAuthEnvFile: .*nowhere/],
    ['NextAuthMode below', '<IfNextAuthMode production>\n</IfNextAuthMode>\nNextAuthMode test', /<IfNextAuthMode> on line \d+ of \S+: was read in production mode, but the mode of this server is test: set NextAuthMode, or the NextAuthEnvFile with NODE_ENV, above it/],
    ['NextAuthMode below one that is left out', '<IfNextAuthMode test>\n</IfNextAuthMode>\nNextAuthMode test', /was read in production mode, but the mode of this server is test/],
    ['NODE_ENV of a file below', '<IfNextAuthMode production>\n</IfNextAuthMode>\nNextAuthEnvFile @DIR@/env', /was read in production mode, but the mode of this server is test/],
    ['NextAuthMode between two', 'NextAuthMode test\n<IfNextAuthMode test>\n</IfNextAuthMode>\nNextAuthMode production\n<IfNextAuthMode production>\n</IfNextAuthMode>', /was read in test mode, but the mode of this server is production/],
    ['another mode of a virtual host', '<IfNextAuthMode production>\n</IfNextAuthMode>\n<VirtualHost *:9>\nNextAuthMode test\n</VirtualHost>', /was read in production mode, but the mode of this server is test: set the same mode in all servers, or set NextAuthMode above the section/],
    ['the mode of a virtual host above one without the engine', '<VirtualHost *:9>\nNextAuthMode test\n</VirtualHost>\n<VirtualHost *:9>\nNextAuthEngine Off\n<IfNextAuthMode production>\nRequire all denied\n</IfNextAuthMode>\n</VirtualHost>', /was read in test mode, but the mode of this server is production/],
    ['the mode of a virtual host above', '<VirtualHost *:9>\nNextAuthMode test\n</VirtualHost>\n<VirtualHost *:9>\n<IfNextAuthMode production>\n</IfNextAuthMode>\n</VirtualHost>', /was read in test mode, but the mode of this server is production/],
  ]) {
    const { status, output } = await base(`NextAuthEngine On\n${lines}`, env);
    t.ok(status !== 0, what);
    t.like(output, message, '  is explained');
  }
  for (const [what, lines, env] of [
    ['a virtual host with a mode and a section of its own', '<VirtualHost *:9>\nNextAuthMode test\nNextAuthSecret "exec:echo 7Hs2kPzQ9wLmX4vTbN6yRd3FjGc8Ea5U"\n<IfNextAuthMode test>\nNextAuthURL http://localhost\n</IfNextAuthMode>\n</VirtualHost>'],
    ['a section in a virtual host without the engine', 'NextAuthURL http://localhost\n<VirtualHost *:9>\nNextAuthEngine Off\n<IfNextAuthMode test>\n</IfNextAuthMode>\n</VirtualHost>', { NODE_ENV: 'test' }],
    ['NextAuthMode below with the same value', '<IfNextAuthMode production>\n</IfNextAuthMode>\nNextAuthMode production'],
    ['NextAuthMode above, against NODE_ENV', 'NextAuthMode production\n<IfNextAuthMode production>\n</IfNextAuthMode>', { NODE_ENV: 'test' }],
    ['NODE_ENV of the process, against the file', 'NextAuthEnvFile @DIR@/env\n<IfNextAuthMode production>\n</IfNextAuthMode>', { NODE_ENV: 'production' }],
  ]) t.is(outcome(await base(`NextAuthEngine On\n${lines}`, env)), [0, 'Syntax OK'], `${what} is right`);
  const told = await check(t, { files: files(), config: 'NextAuthEngine On\nNextAuthURL https://a.example.org\nNextAuthSecret file:@DIR@/nextauth-secret\nNextAuthProvider credentials backend=file:@DIR@/users\n<IfNextAuthMode production>\n</IfNextAuthMode>\nNextAuthMode production\nNextAuthSessionStore none' }, ['--json']);
  t.is([told.status, told.told.wrong], [0, 0], 'and check agrees');
}

async function htaccess(t) {
  t.section('.htaccess');
  const port = await freePort();
  const site = await t.httpd({ port,
    files: files({
      'htdocs/a/.htaccess': '<IfNextAuthMode development>\nHeader set X-Mode development\n</IfNextAuthMode>\n<IfNextAuthMode !development>\nHeader set X-Mode another\n</IfNextAuthMode>\n',
      'htdocs/a/x.html': 'x\n',
      'htdocs/b/.htaccess': '<IfNextAuthMode staging>\n</IfNextAuthMode>\n',
      'htdocs/b/x.html': 'x\n',
    }),
    config: 'NextAuthEngine On\nNextAuthMode development\nNextAuthURL http://localhost:@PORT@\nNextAuthSecret file:@DIR@/nextauth-secret\nNextAuthProvider credentials backend=file:@DIR@/users' });
  const c = t.client(site);
  t.is((await c.get('/a/x.html')).headers['x-mode'], 'development', 'has the mode of its server');
  t.is((await c.get('/a/x.html')).headers['x-mode'], 'development', '  at each request');
  t.is((await c.get('/b/x.html')).status, 500, 'a mistake there is an error of its paths');
  const off = await t.httpd({ files: { 'htdocs/a/.htaccess': '<IfNextAuthMode development>\n</IfNextAuthMode>\n', 'htdocs/a/x.html': 'x\n' }, config: '' });
  t.is((await t.client(off).get('/a/x.html')).status, 500, 'a server without the engine has no mode');
  t.like(off.log(), /<IfNextAuthMode> requires NextAuthEngine On in this virtual host/, '  and says so');
}

suite('Modes: one configuration for production, development, and test', async (t) => {
  t.withOneMpm();
  await threeModes(t);
  await sections(t);
  await htaccess(t);
});
