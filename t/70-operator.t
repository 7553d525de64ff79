#!/usr/bin/env node
'use strict';
const { execFile, execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { promisify } = require('node:util');
const { suite } = require('./lib/suite.js');
const { ctlFile, freePort, root, until } = require('./lib/httpd.js');

const ctl = (...args) => spawnSync(ctlFile, args, { cwd: root, encoding: 'utf8' });

suite('What an operator is given: nextauthctl, the demo, the installed files, the manual', async (t) => {
  t.inOneRound();
  t.section('nextauthctl');
  {
    const secret = ctl('secret').stdout.trim();
    t.like(secret, /^[\w-]{64}$/, 'secret prints a new secret');
    t.isnt(ctl('secret').stdout.trim(), secret, 'another each time');
    t.is(JSON.parse(ctl('providers', '--json').stdout).find(({ id }) => id === 'keycloak').requires, 'issuer', 'providers lists the catalogue, and what each requires');
    t.like(ctl('providers').stdout, /^ID +TYPE +NAME +ALSO REQUIRES\n[^]*\ngoogle +oidc +Google +-\n[^]*\nkeycloak +oidc +Keycloak +issuer\n/, 'as a table for people');
    const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-')), 'secret');
    t.cleanup(() => fs.rmSync(path.dirname(file), { recursive: true }));
    fs.writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    for (const dialect of [[], ['--v5']]) {
      const token = ctl('token', 'encode', '--secret-file', file, ...dialect, '{"sub":"7"}').stdout.trim();
      t.is(JSON.parse(ctl('token', 'decode', '--secret-file', file, ...dialect, token).stdout).sub, '7', `token encode and decode ${dialect}`);
      t.is(ctl('token', 'decode', '--secret-file', file, '--salt', 'other', ...dialect, token).status, 1, '  another salt opens nothing');
    }
    t.is([ctl().status, ctl('nonsense').status, ctl('token', 'decode').status, ctl('secret', 'x').status, ctl('--help').status], [2, 2, 2, 2, 0], 'a wrong call is 2');
    const lasting = (age) => {
      const { iat, exp } = JSON.parse(ctl('token', 'decode', '--secret-file', file, ctl('token', 'encode', '--secret-file', file, '--max-age', age, '{}').stdout.trim()).stdout);
      return exp - iat;
    };
    t.is([lasting('60'), lasting('315360000')], [60, 315360000], '--max-age is how long it lasts');
    for (const age of ['1h', 'abc', '', '-1', '+1', ' 1', '0', '1.5', '0x10', '315360001', '99999999999999999999']) {
      const { status, stdout, stderr } = ctl('token', 'encode', '--secret-file', file, `--max-age=${age}`, '{}');
      t.ok(status === 2 && !stdout && /^nextauthctl token encode: --max-age requires a number of seconds from 1 to 315360000\n$/.test(stderr), `  which '${age}' is not`, `${status} ${stderr}`);
    }
    const help = (...args) => { const { status, stdout, stderr } = ctl(...args, '--help'); return [status, stdout, stderr]; };
    t.like(help('check').join('\n'), /^0\n {2}nextauthctl check \[--httpd PROGRAM\].*\n.*\n\n$/, '--help behind a command is of that command');
    t.is([help('audit', 'verify', 'x', '--json')[0], help('token', 'decode')[0], help('secret')[0]], [0, 0, 0], '  of any, wherever it stands');
    t.like(help('user')[1], /user list[^]*user unlink[^]*take --database/, '  of a group, all of them');
    t.is([help('nonsense')[0], help('user', 'nonsense')[0], ctl('user', 'show', '--', '--help').status], [2, 2, 1], '  and of nothing else');
    for (const [what, ...args] of [['a secret', 'secret'], ['help', '--help'], ['a long list', 'providers', '--json'], ['what fails anyway', 'check', '--json', '--httpd', '/nowhere/httpd']]) {
      const full = spawnSync('sh', ['-c', 'exec "$0" "$@" >/dev/full', ctlFile, ...args], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '' } });
      t.is(full.status, 1, `${what} that cannot be written is a failure`);
      t.like(full.stderr, /^nextauthctl: could not write to standard output(: No space left on device)?\n$/, '  that says so');
    }
    fs.chmodSync(file, 0o644);
    t.like(ctl('token', 'encode', '--secret-file', file, '{}').stderr, /is readable or writable by all users/, 'a secret that everybody may read is refused');
  }
  {
    const red = '\x1b[31mred';
    for (const args of [['token', 'decode', '--secret-file', `/nowhere/${red}`, 'x'], ['session', 'list', '--server', red],
      ['migrate', '--database', 'sqlite:x', '--schema', red], ['backup', '-', '--database', 'sqlite:x', '--schema', red], ['user', 'list', '--database', 'sqlite:x', '--schema', red],
      ['audit', 'show', `/nowhere/${red}`], ['audit', 'verify', '--head', 'none', `/nowhere/${red}`]]) {
      const { status, stderr } = ctl(...args);
      t.ok(status === 1 && /^nextauthctl: [^\x1b]* \[31mred[^\x1b]*$/.test(stderr), `an error of ${args[0]} commands no terminal`, `${status} ${JSON.stringify(stderr)}`);
    }
    for (const command of ['secret', 'check', 'providers', 'register', 'session list', 'session revoke', 'migrate', 'backup', 'restore', 'user list', 'user add', 'user show', 'user unlink',
      'role grant', 'audit verify', 'audit show', 'token decode', 'token encode']) {
      const { status, stderr } = ctl(...command.split(' '), '--nonsense');
      t.ok(status === 2 && stderr.includes(`nextauthctl ${command}: `), `a wrong call of ${command}`, `${status} ${stderr}`);
    }
    const answer = JSON.stringify({ sessions: [{ id: red, user: red, device: red, address: red, lastUsed: '2026-01-02T03:04:05.000Z', expires: red }] });
    const server = http.createServer((request, response) => response.end(answer));
    await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
    t.cleanup(() => server.close());
    const listed = await promisify(execFile)(ctlFile, ['session', 'list', '--server', `http://127.0.0.1:${server.address().port}/`]);
    t.ok(/2026-01-02 03:04  /.test(listed.stdout) && !listed.stdout.includes('\x1b'), 'nor does what a server says of sessions', listed.stdout);
    const onTerminal = (env) => spawnSync('script', ['-qec', `'${ctlFile}' check --httpd /nowhere/httpd`, '/dev/null'], { encoding: 'utf8', env: { ...process.env, NO_COLOR: '', ...env } }).stdout;
    t.like(onTerminal({}), /\x1b\[1mhttpd\x1b\[0m[^]*\x1b\[31m✗/, 'a terminal has colours');
    t.unlike(onTerminal({ NO_COLOR: '1' }), /\x1b/, '  but not with NO_COLOR');
  }

  t.section('make run');
  {
    const port = await freePort();
    const demo = spawn('make', ['--no-print-directory', 'serve', `PORT=${port}`], { cwd: root, detached: true, encoding: 'utf8' });
    let said = '';
    demo.stdout.on('data', (text) => { said += text; });
    demo.stderr.on('data', (text) => { said += text; });
    t.cleanup(async () => { process.kill(-demo.pid, 'SIGTERM'); await new Promise((resolve) => { demo.on('exit', resolve); if (demo.exitCode !== null) resolve(); }); });
    const site = { port, url: `http://127.0.0.1:${port}` };
    await until('the demo is up', () => /resuming normal/.test(said));
    t.like(said, new RegExp(`http://127.0.0.1:${port}/[^]*user +\\(password demo\\)[^]*admin \\(password demo\\)`), 'prints the address and the users');
    const nobody = t.client(site);
    t.is([(await nobody.page('/')).status, (await nobody.page('/members/')).status, (await nobody.page('/admin/')).status, (await nobody.page('/app/')).status],
      [200, 302, 302, 302], 'one public page, three that ask');
    const user = t.client(site);
    t.is((await user.credentials('user', 'demo', { callbackUrl: '/members/' })).location, `${site.url}/members/`, 'the plain user signs in');
    t.is([(await user.page('/members/')).status, (await user.page('/admin/')).status], [200, 403], 'and is no admin');
    const admin = t.client(site);
    await admin.credentials('admin', 'demo');
    t.like((await admin.page('/admin/')).text, /admin<\/strong> and have the role <strong>admin/, 'the admin is');
    t.like((await admin.page('/app/')).text, /X-Nextauth-User<\/th><td>admin</, 'the application is told who asks');
  }

  t.section('make install');
  {
    const into = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-'));
    t.cleanup(() => fs.rmSync(into, { recursive: true }));
    execFileSync('make', ['-s', 'install', `DESTDIR=${into}`], { cwd: root, stdio: 'ignore' });
    const found = execFileSync('find', [into, '-type', 'f', '-printf', '%f\n'], { encoding: 'utf8' }).trim().split('\n').sort();
    const mongodb = spawnSync('pkg-config', ['--exists', 'libmongoc-1.0']).status === 0;
    const headers = ['breaker.h', 'crypto.h', 'error.h', 'mod_nextauth.h', 'store.h', 'store_provider.h', 'text.h'];
    const parts = ['mod_nextauth.so', ...(mongodb ? ['mod_nextauth_mongodb.so'] : []), 'nextauth.conf', 'nextauth.load', 'nextauthctl'];
    const others = ['grafana-dashboard.json', 'logrotate', 'page-template.html', 'prometheus-alerts.yml', ...fs.readdirSync(path.join(root, 'conf/languages'))];
    t.is(found, [...headers, ...parts, ...others].sort(), 'installs module, configuration, command, headers, languages, template, dashboard, alert rules and logrotate\'s rule');
    const installed = await t.configtest({ config: fs.readFileSync(path.join(root, 'conf/nextauth.conf'), 'utf8') });
    t.is([installed.status, installed.output.trim()], [0, 'Syntax OK'], 'the configuration is right as installed');
    const object = execFileSync('find', [into, '-name', 'mod_nextauth.so'], { encoding: 'utf8' }).trim();
    t.is(fs.readFileSync(path.join(root, 'conf/nextauth.load'), 'utf8').match(/^LoadModule (\S+)/gm), ['LoadModule nextauth_module'], 'and loads one module');
    const site = `LoadModule nextauth_module ${object}\nNextAuthEngine On\nNextAuthURL https://example.org\nNextAuthSecret "${ctl('secret').stdout.trim()}"\nNextAuthProvider credentials backend=database\nNextAuthDatabase mongodb://localhost/auth`;
    if (!mongodb) t.skip('MongoDB as installed', 'install libmongoc-dev');
    else t.like((await t.configtest({ without: true, config: site })).output, /Syntax OK/, 'which loads the object for MongoDB from beside it');
  }

  t.section('the manual');
  {
    const texts = new Map(['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...fs.readdirSync(path.join(root, 'docs')).map((file) => `docs/${file}`)].map((file) => [file, fs.readFileSync(path.join(root, file), 'utf8')]));
    // As GitHub makes anchors of headings.
    const anchors = new Map([...texts].map(([file, text]) => [file, [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading.toLowerCase().replace(/[^\w\- ]/g, '').replaceAll(' ', '-'))]));
    for (const [file, text] of texts) {
      const links = [...text.matchAll(/\]\(([^)#:\s]*)(?:#([^)\s]*))?\)/g)].map(([, to, anchor]) => [to ? path.join(path.dirname(file), to) : file, anchor]);
      const broken = links.filter(([to, anchor]) => !fs.existsSync(path.join(root, to)) || (anchor !== undefined && !anchors.get(to)?.includes(anchor)));
      t.is(broken, [], `${file}: its links lead somewhere`);
    }
    const sources = execFileSync('git', ['ls-files', 'src', 't', 'mod_nextauth.c'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
    const code = sources.filter((file) => /^(src|mod_|t\/modules)/.test(file)).map((file) => fs.readFileSync(path.join(root, file), 'utf8')).join('\n');
    for (const file of ['CONTRIBUTING.md', 'docs/architecture.md']) {
      const named = [...new Set([...texts.get(file).matchAll(/\b((?:src|t|conf|docs)\/[\w./-]*\w)\b/g)].map(([, name]) => name))].filter((name) => !/NAME|NN|node_modules/.test(name));
      t.is(named.filter((name) => !fs.existsSync(path.join(root, name)) && !sources.some((source) => source.startsWith(`${name}.`))), [], `${file}: its files exist`);
      const words = [...new Set(texts.get(file).match(/\b(na_[a-z_0-9]*\w|NA_[A-Z_]+\w)\b/g))].filter((word) => !/NAME/.test(word) && word !== 'na_');
      t.is(words.filter((word) => !code.includes(word)), [], `${file}: so do its functions and types`);
    }
    const promises = fs.readFileSync(path.join(root, 'docs/security.md'), 'utf8').split('## What is promised')[1].split('\n## ')[0].split('\n').filter((line) => /^\| (?!Promise)/.test(line));
    t.ok(promises.length > 15, 'docs/security.md makes promises');
    for (const promise of promises) {
      const shown = [...promise.split(' | ').at(-1).matchAll(/`(t\/[\w./-]+)`(?:, "([^"]+)")?/g)];
      const missing = shown.filter(([, file, section]) => !fs.existsSync(path.join(root, file)) || (section && !fs.readFileSync(path.join(root, file), 'utf8').replaceAll("\\'", "'").includes(section)));
      t.is([shown.length > 0, missing.map(([all]) => all)], [true, []], `each with the test that shows it: ${promise.slice(2, 60)}…`);
    }
  }
});
