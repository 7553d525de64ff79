#!/usr/bin/env node
'use strict';
const { execFile, execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { makeFolder } = require('./lib/httpd.js');
const { startDatabases } = require('./lib/databases.js');
const { addUser, ctl } = require('./lib/ctl.js');

const PASSWORD = 'seven lanterns under water';
const programs = ['svn', 'svnadmin', 'git', 'cadaver', 'curl'];
const lacking = programs.filter((program) => spawnSync(program, ['--version']).error);

// What httpd's child processes write to is theirs when root runs the tests.
function giveAway(folder) {
  if (process.getuid() === 0) execFileSync('chown', ['-R', 'www-data:www-data', folder]);
}

function prepare(t) {
  const folder = makeFolder(t);
  execFileSync('svnadmin', ['create', `${folder}/project`]);
  execFileSync('git', ['init', '-q', '--bare', '-b', 'main', `${folder}/project.git`]);
  execFileSync('git', ['-C', `${folder}/project.git`, 'config', 'http.receivepack', 'true']);
  fs.mkdirSync(`${folder}/dav/private`, { recursive: true });
  fs.mkdirSync(`${folder}/dav/shared`);
  fs.mkdirSync(`${folder}/locks`);
  fs.writeFileSync(`${folder}/dav/shared/read.txt`, 'a file\n');
  giveAway(folder);
  return folder;
}

const gitBackend = `${execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim()}/git-http-backend`;
const config = (db, folder) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of real clients is long enough"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
<Location />
  AuthType NextAuth
  Require valid-user
  NextAuthAcceptTokens personal
</Location>
<Location /svn/project>
  DAV svn
  SVNPath ${folder}/project
</Location>
SetEnv GIT_PROJECT_ROOT ${folder}
SetEnv GIT_HTTP_EXPORT_ALL 1
ScriptAlias /git/ ${gitBackend}/
<Directory ${path.dirname(gitBackend)}>
  Require valid-user
</Directory>
DavLockDB ${folder}/locks/db
Alias /dav ${folder}/dav
<Location /dav>
  DAV On
  DirectoryIndex disabled
</Location>
<Location /with-password>
  NextAuthBasic On
</Location>
Alias /with-password ${folder}/dav
<Location /with-password>
  DAV On
  DirectoryIndex disabled
</Location>`;

// A program at home in a folder of its own; gives { status, output }.
function runner(home, more = {}) {
  const env = { PATH: process.env.PATH, HOME: home, LC_ALL: 'C.UTF-8', GIT_TERMINAL_PROMPT: '0', GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.org', GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.org', ...more };
  return (program, args, { cwd = home, input } = {}) => new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? error.code ?? error.signal : 0, output: stdout + stderr });
    });
    child.stdin.on('error', () => {}); // most read nothing, and can have ended
    child.stdin.end(input || '');
  });
}

async function subversion(t, site, run, home, token, other) {
  t.section('svn');
  const url = `http://localhost:${site.port}/svn/project`;
  const svn = (args, secret = token) => run('svn', [...args, '--non-interactive', '--no-auth-cache', '--username', 'ada', '--password', secret]);
  const works = async (args, name) => {
    const { status, output } = await svn(args);
    return t.is(status, 0, name, output);
  };
  await works(['checkout', '-q', url, `${home}/svn`], 'svn checkout');
  fs.writeFileSync(`${home}/svn/a.txt`, 'one\n');
  await works(['add', '-q', `${home}/svn/a.txt`], '  add');
  await works(['commit', '-q', '-m', 'a file', `${home}/svn`], '  commit');
  await works(['mkdir', '-q', '-m', 'folders', `${url}/trunk`, `${url}/tags`], '  mkdir');
  await works(['copy', '-q', '-m', 'a tag', `${url}/trunk`, `${url}/tags/1`], '  copy on the server, with Destination');
  await works(['move', '-q', '-m', 'a move', `${url}/a.txt`, `${url}/trunk/a.txt`], '  move');
  await works(['update', '-q', `${home}/svn`], '  update');
  t.is(fs.readFileSync(`${home}/svn/trunk/a.txt`, 'utf8'), 'one\n', '  it is there');
  t.like((await svn(['log', '-r', '1', url])).output, /r1 \| ada@example\.org \|/, 'the author is the user of the token, not the name that was typed');
  t.isnt((await svn(['checkout', '-q', url, `${home}/svn2`], 'wrong')).status, 0, 'not with a wrong password');
  t.isnt((await svn(['checkout', '-q', url, `${home}/svn2`], other)).status, 0, 'nor with a token for something else');
}

async function git(t, site, run, home, token, readOnly) {
  t.section('git');
  const url = (secret) => `http://x:${secret}@localhost:${site.port}/git/project.git`;
  const works = async (args, name, cwd) => {
    const { status, output } = await run('git', args, { cwd });
    return t.is(status, 0, name, output);
  };
  await works(['clone', '-q', url(token), `${home}/git`], 'git clone');
  fs.writeFileSync(`${home}/git/a.txt`, 'one\n');
  await works(['add', 'a.txt'], '  add', `${home}/git`);
  await works(['commit', '-q', '-m', 'a file'], '  commit', `${home}/git`);
  await works(['push', '-q', 'origin', 'HEAD:main'], '  push', `${home}/git`);
  await works(['clone', '-q', url(readOnly), `${home}/git2`], 'a token for fetching clones');
  t.is(fs.readFileSync(`${home}/git2/a.txt`, 'utf8'), 'one\n', '  it is there');
  const refused = await run('git', ['push', '-q', 'origin', 'HEAD:other'], { cwd: `${home}/git2` });
  t.ok(refused.status !== 0 && /403/.test(refused.output), '  but does not push', refused.output);
  const bad = await run('git', ['clone', '-q', url('na_pat_wrong'), `${home}/git3`]);
  t.ok(bad.status !== 0 && /Authentication failed/.test(bad.output), 'a wrong one does not clone', bad.output);
  const helper = `!f() { echo username=ada; echo password=${token}; }; f`;
  await works(['-c', `credential.helper=${helper}`, 'ls-remote', `http://localhost:${site.port}/git/project.git`], 'git asks its credential helper');
}

async function dav(t, site, home, token, shared) {
  t.section('cadaver');
  const netrc = (secret) => {
    const own = fs.mkdtempSync(`${home}/cadaver-`);
    fs.writeFileSync(`${own}/.netrc`, `machine localhost login ada password ${secret}\n`, { mode: 0o600 });
    return runner(own);
  };
  const cadaver = (secret, commands) => netrc(secret)('cadaver', [`http://localhost:${site.port}/dav/`], { input: `${commands.join('\n')}\nquit\n` });
  fs.writeFileSync(`${home}/new.txt`, 'new\n');
  const { output } = await cadaver(token, ['ls', `put ${home}/new.txt new.txt`, 'mkcol folder', 'move new.txt folder/', 'copy folder/new.txt copy.txt', 'lock copy.txt', 'unlock copy.txt', 'delete copy.txt', 'cat folder/new.txt']);
  t.like(output, /shared/, 'cadaver lists');
  t.is((output.match(/succeeded/g) || []).length >= 7, true, '  puts, moves, copies, locks, deletes', output);
  t.like(output, /new\n/, '  reads');
  t.unlike((await cadaver('wrong', ['ls'])).output, /shared/, 'not with a wrong password');
  const narrow = runner(home);
  const curl = async (args, secret = shared) => (await narrow('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-u', `ada:${secret}`, ...args])).output;
  const url = `http://localhost:${site.port}/dav`;
  t.section('curl, with a token for one folder');
  t.is(await curl([`${url}/shared/read.txt`]), '200', 'GET');
  t.is(await curl(['-T', `${home}/new.txt`, `${url}/shared/new.txt`]), '201', 'PUT');
  t.is(await curl(['-X', 'PROPFIND', '-H', 'Depth: 1', `${url}/shared/`]), '207', 'PROPFIND, as calendars do');
  t.is(await curl(['-X', 'COPY', '-H', `Destination: ${url}/shared/two.txt`, `${url}/shared/new.txt`]), '201', 'COPY within it');
  for (const to of [`${url}/private/stolen.txt`, '/dav/private/stolen.txt', `${url}/shared/../private/stolen.txt`, `${url}/shared/%2e%2e/private/stolen.txt`, `${url}/shared/..%2fprivate/stolen.txt`, `${url}//private/stolen.txt`]) {
    for (const method of ['COPY', 'MOVE']) t.is(await curl(['-X', method, '-H', `Destination: ${to}`, `${url}/shared/new.txt`]), '403', `not ${method} to ${to.replace(url, '')}`);
  }
  t.is(await curl(['--path-as-is', `${url}/shared/../private/`]), '403', 'nor another folder');
  t.is(await curl(['-X', 'DELETE', `${url}/private/`]), '403', 'nor DELETE of it');
  t.is(await curl(['-X', 'MOVE', '-H', `Destination: ${url}/shared/three.txt`, `${url}/shared/two.txt`]), '201', 'MOVE within it');
  const bearer = await narrow('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '-H', `Authorization: Bearer ${shared}`, `${url}/shared/read.txt`]);
  t.is(bearer.output, '200', 'as a bearer token');
  t.is(await curl([`http://localhost:${site.port}/with-password/shared/read.txt`], PASSWORD), '401', 'a password needs the user\'s email address');
  const own = await narrow('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', '--anyauth', '-u', `ada@example.org:${PASSWORD}`, `http://localhost:${site.port}/with-password/shared/read.txt`]);
  t.is(own.output, '200', 'and is accepted where NextAuthBasic is on, when curl is asked');
}

suite('svn, git, cadaver, and curl', async (t) => {
  if (lacking.length) t.skipAll(`not here: ${lacking.join(', ')}`);
  const [db] = await startDatabases(t, ['sqlite']);
  if (!db) return;
  await ctl(db, 'migrate');
  const folder = prepare(t);
  const site = await t.httpd({ modules: ['dav', 'dav_fs', 'dav_svn'], config: config(db, folder) });
  await addUser(db, 'ada@example.org', PASSWORD);
  const add = async (scope) => (await ctl(db, 'token', 'add', 'ada@example.org', '--name', 'a client', '--scope', scope)).trim();
  const home = makeFolder(t);
  const run = runner(home);
  const shared = await add('/dav/shared');
  await subversion(t, site, run, home, await add('/svn/project'), shared);
  await git(t, site, run, home, await add('/git'), await add('GET /git; POST /git/project.git/git-upload-pack'));
  await dav(t, site, home, await add('/dav'), shared);
});
