#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { check, childrenOf, ctlFile, htpasswd, program } = require('./lib/httpd.js');
const { Client, signedIn, statusOf } = require('./lib/client.js');

const SECRET = 'the secret of envvars has 32 bytes';
const OWN = 'the secret of a provider, by a name of its own';
const env = { NEXTAUTH_SECRET: SECRET, MY_PROVIDERS_SECRET: OWN, REDIS_URL: 'redis://:redis-password@localhost:1', AUTH_SECRET_2: 'an older secret, which is not used', OF_SOMEBODY_ELSE: 'not a secret of ours' };
const secrets = [SECRET, OWN, 'redis-password', env.AUTH_SECRET_2];
const names = Object.keys(env);

// What a tenant can write who may use AllowOverride FileInfo and AuthConfig.
const ask = names.map((name) => `Header append X-Osenv "expr=%{osenv:${name}};"\nPassEnv ${name}\nHeader append X-Env "%{${name}}e;"\nSetEnvIfExpr "osenv('${name}') =~ /(.+)/" leak${name}=$1\nHeader append X-Matched "%{leak${name}}e;"`).join('\n');
const sids = ['%{NEXTAUTH:sid}', '%{tolower:%{NEXTAUTH:sid}}', '%{NEXTAUTH:s\\\\id}', '%{base64:%{NEXTAUTH:sid}}'];
const config = (more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider acme type=oauth authorization=http://localhost:1/a token=http://localhost:1/t userinfo=http://localhost:1/u clientId=c clientSecret=env:MY_PROVIDERS_SECRET
NextAuthSOCache shmcb:@DIR@/sessions(1048576)
NextAuthSessionStore socache checkInterval=0
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /server>
  Header set X-Sid "expr=%{NEXTAUTH:sid}"
  Header set X-Sub "expr=%{NEXTAUTH:sub}"
</Location>
${more}`;
const files = {
  users: htpasswd({ ada: 'x' }),
  'htdocs/server/page.html': 'the server\'s', 'htdocs/passed/page.html': 'the server\'s',
  'htdocs/env/page.html': 'a tenant\'s', 'htdocs/env/.htaccess': ask,
  'htdocs/env/page.shtml': names.map((name) => `<!--#echo var="${name}" --><!--#if expr="osenv('${name}') =~ /(.+)/" -->$1 <!--#echo var="1" --><!--#endif -->`).join('\n'),
  'htdocs/sid/page.html': 'a tenant\'s', 'htdocs/sid/.htaccess': `${sids.map((sid) => `Header append X-Sid "expr=${sid};"`).join('\n')}\nHeader set X-Sub "expr=%{NEXTAUTH:sub}"\n<If "NEXTAUTH('sid') == ''">\nHeader set X-None none\n</If>\n<If "-n NEXTAUTH('sid') || NEXTAUTH('sid') =~ /./">\nHeader set X-None some\n</If>`,
  'htdocs/name/page.html': 'a tenant\'s', 'htdocs/name/.htaccess': 'NextAuthRemoteUser sid\n',
};

suite('Tenants whose .htaccess httpd reads learn neither the site\'s secrets nor its sessions\' ids', async (t) => {
  const site = await t.httpd({ files, env, config: config(`<Directory @DIR@/htdocs/env>\nOptions +Includes\nAddOutputFilter INCLUDES .shtml\n</Directory>\n<Location /passed>\nPassEnv NEXTAUTH_SECRET\nHeader set X-Env "%{NEXTAUTH_SECRET}e"\n</Location>`) });

  for (const when of ['at the start', 'after a reload']) {
    t.section(`the environment of httpd, ${when}`);
    if (when === 'after a reload') await site.reload();
    t.is(await statusOf(await signedIn(site)), 200, 'the site has its secret');
    const page = await new Client(site).get('/env/page.html');
    t.is(page.status, 200, 'a tenant\'s page');
    const told = [page.headers['x-osenv'], page.headers['x-env'], page.headers['x-matched']].join('\n');
    t.is(secrets.filter((secret) => told.includes(secret)), [], '  has none of the secrets by osenv, PassEnv or SetEnvIfExpr');
    t.ok(told.includes(env.OF_SOMEBODY_ELSE), '  though variables that are none of ours', told);
    const included = (await new Client(site).get('/env/page.shtml')).text;
    t.is([secrets.filter((secret) => included.includes(secret)), included.includes(env.OF_SOMEBODY_ELSE)], [[], true], '  nor by server-side includes');
    t.is((await new Client(site).get('/passed/page.html')).headers['x-env'], SECRET, 'what the server\'s configuration passes on is its own affair');
    const children = childrenOf(site.pid).filter((pid) => !/cgid|sh$/.test(fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8')));
    const seen = children.filter((pid) => secrets.some((secret) => fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(secret)));
    t.ok(children.length > 0 && seen.length <= (children.length > 1 ? 1 : 0), 'children that serve have wiped them', `${seen.length} of ${children.length} have them (mod_cgid's may)`);
  }

  t.section('what nextauthctl check says of it');
  {
    const rows = async (more, environment = env) => (await check(t, { files, env: environment, config: config(more) }, ['--json'])).told.findings
      .filter(({ group, subject }) => group === 'environment' && names.includes(subject)).map(({ subject, state, message, hint }) => [subject, state, /\.htaccess files are read \(AllowOverride on line \d+ of .*\)/.test(message), hint]);
    const advice = 'use file:PATH in the directive, and let only root read the file';
    const told = await rows('');
    t.is(told.filter(([, , isTold]) => isTold), ['NEXTAUTH_SECRET', 'AUTH_SECRET_2', 'MY_PROVIDERS_SECRET'].map((name) => [name, 'ok', true, advice]), 'secrets in the environment of a server that reads .htaccess files');
    const { NEXTAUTH_SECRET, ...others } = env;
    t.is((await rows(`NextAuthSecret "${NEXTAUTH_SECRET}"`, others)).filter(([, , isTold]) => isTold).map(([name]) => name), ['MY_PROVIDERS_SECRET'], '  where they are not, that is not said');
    fs.writeFileSync(`${site.dir}/none.conf`, fs.readFileSync(`${site.dir}/httpd.conf`, 'utf8').replaceAll(/AllowOverride .*/g, 'AllowOverride None'));
    fs.writeFileSync(`${site.dir}/program`, `#!/bin/sh\nLD_PRELOAD='${process.env.NEXTAUTH_PRELOAD || ''}' exec ${program} "$@"\n`, { mode: 0o755 });
    const { stdout } = spawnSync(ctlFile, ['check', '--json', '--httpd', `${site.dir}/program`, '--config', `${site.dir}/none.conf`], { env: { ...process.env, ...env }, encoding: 'utf8' });
    t.unlike(stdout, /htaccess/, '  nor where no .htaccess file is read');
    t.like(stdout, /set in the server's environment, and used/, '  though they are used');
  }

  t.section('the id of a session');
  const ada = await signedIn(site);
  const mine = await ada.get('/server/page.html');
  t.is([/^[\w-]{43}$/.test(mine.headers['x-sid']), mine.headers['x-sub']], [true, 'ada'], 'is there for the server\'s configuration');
  const theirs = await ada.get('/sid/page.html');
  t.is([theirs.status, theirs.headers['x-sid'].replace(/[;, ]/g, ''), theirs.headers['x-sub'], theirs.headers['x-none']], [200, '', 'ada', 'none'], 'and empty for a .htaccess, which knows who asks');
  t.is((await ada.get('/name/page.html')).status, 500, 'it is no name of a user');
  t.like((await t.configtest({ files, env, config: config('<Location /x>\nNextAuthRemoteUser sid\n</Location>') })).output, /NextAuthRemoteUser: sid grants the same access as the session cookie/, '  nowhere');
});
