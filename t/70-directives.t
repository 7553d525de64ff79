#!/usr/bin/env node
'use strict';
// httpd, docs/directives.md and conf/nextauth.conf say the same of every directive. What httpd knows comes from
// `httpd -L`, from its messages, and from nextauth-diagnostics.
const { execFileSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { certify } = require('./lib/certificates.js');
const { generateKeys } = require('./lib/keys.js');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, makeFolder, moduleFile, modules, program, root } = require('./lib/httpd.js');
const { databasesHere } = require('./lib/databases.js');

const read = (file) => fs.readFileSync(path.join(root, file), 'utf8');
const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const FIELDS = ['Description', 'Syntax', 'Default', 'Context', 'Override', 'Module version'];

// ── what each of the three says ─────────────────────────────────────────────────────────────────

// Of each directive of the module: { help, where, override }.
function listed(t) {
  const folder = makeFolder(t);
  fs.mkdirSync(path.join(folder, 'logs'));
  fs.writeFileSync(path.join(folder, 'httpd.conf'), `ServerRoot ${folder}
LoadModule mpm_event_module ${modules}/mod_mpm_event.so
LoadModule authz_core_module ${modules}/mod_authz_core.so
LoadModule nextauth_module ${moduleFile}
ServerName localhost
Listen 127.0.0.1:9
`);
  return parseList(execFileSync(program, ['-L', '-f', path.join(folder, 'httpd.conf')], { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: process.env.NEXTAUTH_PRELOAD || '' } }));
}

function parseList(text) {
  const entries = text.matchAll(/^(\w+) \(mod_nextauth\.c\)\n\t(.*)\n\t(Allowed .*)\n(?:\twhen AllowOverride includes (.*)\n)?/gm);
  return new Map([...entries].map(([, name, help, where, override]) => [name, { help, where, override }]));
}

// The sections of docs/directives.md that are about one thing: { text, fields, order, options, examples }.
function documented(manual) {
  const sections = manual.split(/^### /m).slice(1).map((text) => text.split(/^## /m)[0]);
  return new Map(sections.map((text) => {
    const [title] = text.split('\n', 1);
    const fields = [...text.matchAll(/^\*\*([\w ]+):\*\* (.*?)\\?$/gm)].filter(([, name]) => FIELDS.includes(name));
    const rows = [...text.matchAll(/^\| (`[\w.]+=.*?) \| /gm)].map(([, cell]) => cell);
    return [title, {
      text,
      fields: Object.fromEntries(fields.map(([, name, value]) => [name, value])),
      order: fields.map(([, name]) => name),
      options: rows.flatMap((cell) => [...cell.matchAll(/`([\w.]+)=/g)].map(([, name]) => name)),
      examples: [...text.matchAll(/^```apache\n(.*?)^```$/gms)].map(([, example]) => example),
    }];
  }));
}

const isOfDirectories = ({ where }) => /inside <Directory>/.test(where);
const codeOf = (text) => /^`([^`]+)`/.exec(text || '')?.[1];
// The directive that does what is done without it; undefined if no directive does.
const defaultOf = (name, { fields }) => new RegExp(`\`(${name} [^\`]+)\``).exec(fields.Default)?.[1];

function faultsOf(name, known, section, conf) {
  const { fields, order } = section;
  const expected = FIELDS.filter((field) => field !== 'Override' || known.override);
  const faults = [];
  const says = (holds, what) => { if (!holds) faults.push(`${name}: ${what}`); };
  says(order.join() === expected.join(), `has ${order.join(', ')} instead of ${expected.join(', ')}`);
  says(/^[A-Z](?!.*\. ).*[^.]$/.test(fields.Description || ''), 'Description is not one sentence without a period');
  says(codeOf(fields.Syntax) === `${name} ${known.help.split(': ').slice(1).join(': ')}`, `Syntax is not the form of its help: ${known.help}`);
  says(isOfDirectories(known) ? fields.Context === (known.override ? 'directory, .htaccess' : 'directory') : /^server config(, virtual host)?$/.test(fields.Context), `Context is not where httpd allows it: ${known.where}`);
  says(fields.Override === (isOfDirectories(known) ? known.override : undefined), `Override is not ${known.override}`);
  says(/^\d+\.\d+ and later$/.test(fields['Module version'] || ''), 'Module version is none');
  says(section.examples.some((example) => new RegExp(`^ *${name} `, 'm').test(example)), 'no example has it');
  says(conf.includes(`#${name} `), 'is not in conf/nextauth.conf');
  return faults;
}

// What is wrong, a line each, with the name of the directive.
function compare(known, manual, conf) {
  const sections = documented(manual);
  const index = [...manual.split(/^## /m)[0].matchAll(/^\[(NextAuth\w+)\]\(#(\w+)\)[,.]?$/gm)].filter(([, name, anchor]) => name.toLowerCase() === anchor).map(([, name]) => name);
  const sorted = [...known.keys()].sort((a, b) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
  return [
    ...[...known].flatMap(([name, entry]) => (sections.has(name) ? faultsOf(name, entry, sections.get(name), conf) : [`${name}: is not in docs/directives.md`])),
    ...[...sections.keys()].filter((title) => /^NextAuth/.test(title) && !known.has(title)).map((title) => `${title}: is documented, and no directive`),
    ...sorted.filter((name) => !index.includes(name)).map((name) => `${name}: is not in the index`),
    ...(index.join() === index.filter((name) => known.has(name)).sort((a, b) => sorted.indexOf(a) - sorted.indexOf(b)).join() ? [] : ['the index is not in order']),
  ];
}

// ── trying directives ───────────────────────────────────────────────────────────────────────────

const secret = { text: `${SECRET}\n`, mode: 0o600 };
const files = {
  users: htpasswd({ ada: 'x' }),
  'sign-in.txt': '{{url}}\n',
  'sign-in.html': '<a href="{{url}}">Sign in</a>\n',
  greet: { text: '#!/bin/sh\nexec cat\n', mode: 0o755 },
  decide: { text: '#!/bin/sh\necho true\n', mode: 0o755 },
  'identity-key.pem': { text: generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 },
  'nextauth.env': { text: `GITHUB_ID=a\nGITHUB_SECRET=${SECRET}\n`, mode: 0o600 },
  'languages/nl.json': JSON.stringify({ language: 'nl', direction: 'ltr', texts: { 'Sign in': 'Inloggen' } }),
  'page.html': read('conf/page-template.html'),
  'signin.html': read('conf/page-template.html'),
  'languages/de.json': read('conf/languages/de.json'),
  'tenants/list': { text: 'acme\nglobex\n', mode: 0o600 },
  'tenants/acme.secret': secret,
  'tenants/globex.secret': secret,
  'our-providers.json': JSON.stringify({ forge: { type: 'oauth', authorization: 'https://forge.example.org/authorize', token: 'https://forge.example.org/token', userinfo: 'https://forge.example.org/user' } }),
  ...Object.fromEntries(['nextauth-secret', 'google-secret', 'github-secret', 'entra-secret', 'acme-secret', 'forge-secret', 'audit-key', 'hook-secret', 'redis-password', 'mail-password'].map((name) => [name, secret])),
};
// The examples' own certificate and keys, which have to be real.
const certified = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-certified-'));
certify(certified, 'client', 'the client');
const federation = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
files['member-federation.json'] = { text: JSON.stringify({ keys: [federation] }), mode: 0o600 };
for (const [name, file] of [['client-cert.pem', 'client.pem'], ['client-key.pem', 'client.key'], ['client.pem', 'client.key']]) {
  files[name] = { text: fs.readFileSync(path.join(certified, file), 'utf8'), mode: 0o600 };
}
fs.rmSync(certified, { recursive: true });
const variables = { SENTRY_DSN: 'https://key@sentry.example.org/1', EMAIL_SERVER: 'smtp://localhost', EMAIL_FROM: 'no-reply@example.org', SENDGRID_API_KEY: SECRET };
const common = `
NextAuthMode production
NextAuthURL https://www.example.org
NextAuthSecret file:@DIR@/nextauth-secret
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionStore none`;

// configtest of a site with these lines, in the main server or in a virtual host that has all else from it.
function trial(t, places, lines, context, more = '') {
  const here = lines.replace(/\/etc\/apache2\/|\/usr\/local\/bin\//g, '@DIR@/').replace(/\/var\/(?:log|lib)\/\w+/g, places)
    .replace(/^ *NextAuthLanguage .*$/m, (line) => line.replace(/ (de|fr)(?= |$)/g, ` $1=${root}/conf/languages/$1.json`)); // as after make install
  const config = context === 'virtual host'
    ? `${common}\n${more}\n<VirtualHost 127.0.0.1:@PORT@>\nServerName www.example.org\nNextAuthEngine On\n${here}\n</VirtualHost>`
    : `${common}\n${more}\nNextAuthEngine On\n${here}`;
  return t.configtest({ files, config, modules: ['ldap', 'authnz_ldap'], env: variables });
}

// What a line of conf/nextauth.conf, or an example, needs besides itself.
function companions(lines) {
  const needs = [
    [/^ *NextAuth(RoleColumn|TwoFactor [OR][pe]|Feature \w+ O|Provider email|Provider passkey|Provider credentials backend=database)/m, 'NextAuthDatabase sqlite:/var/lib/nextauth/nextauth.db'],
    [/^ *NextAuth(Feature \w+ On|Provider email)/m, 'NextAuthMail smtp://localhost from=no-reply@example.org'],
    [/^ *NextAuthSession(Store redis|Strategy database)/m, 'NextAuthRedis redis://localhost:6379'],
    [/^ *NextAuthSessionStrategy database/m, 'NextAuthSessionStore redis'],
    [/^ *NextAuthPassIdentity .*jwt/m, 'NextAuthIdentityKey file:@DIR@/identity-key.pem'],
    [/^ *NextAuthPassTokens \w/m, 'NextAuthKeepTokens On'],
    [/^ *NextAuth(KeepTokens On|PassTokens \w)/m, 'NextAuthRedis redis://localhost:6379\nNextAuthSessionStore redis'],
    [/^ *NextAuthPreservePost On/m, 'NextAuthSOCache shmcb:nextauth-sessions(1048576)\nNextAuthSessionStore socache checkInterval=5'],
    [/^ *NextAuthSignInWith okta/m, 'NextAuthProvider okta issuer=https://example.okta.com clientId=a clientSecret=file:@DIR@/acme-secret'],
    [/^ *NextAuthSessionStore socache/m, 'NextAuthSOCache shmcb:nextauth-sessions(1048576)'],
  ];
  return needs.filter(([pattern, line]) => pattern.test(lines) && !lines.includes(line.split(' ')[0] + ' ')).map(([, line]) => line).join('\n');
}

/*
 * "(1 to 3600)" of an option, also of `serve:SECONDS` or `bcrypt[:COST]`, and "*SECONDS* is 0 to 60" of a directive:
 * { line with @ for the value, least, most, below, above }.
 */
function rangesOf(name, { text, examples }) {
  const line = examples.join('').split('\n').map((each) => each.trim()).find((each) => each.startsWith(`${name} `));
  const of = (found, where) => {
    const [least, unit, most, end] = [Number(found[1]), found[2] || '', Number(found[3]), found[4] || ''];
    return { line: where, least: `${least}${unit}`, most: `${most}${end}`, below: `${least - 1}${unit}`, above: `${most + 1}${end}` };
  };
  const rows = [...text.matchAll(/^\| `([\w.]+)=` \|.*\| (.*) \|$/gm)];
  const ofOptions = rows.flatMap(([, option, description]) => [...description.matchAll(/(?:`(\w+)\[?:\w+\]?` )?\((\d+)(ms|s)? to (\d+)(ms|s)?/g)]
    .map(([, kind, ...found]) => of([null, ...found], `${line} ${option}=${kind ? `${kind}:` : ''}@`)));
  return [...ofOptions, ...[...text.matchAll(/\*SECONDS\* is (\d+)() to (\d+)/g)].map((found) => of(found, `${name} @`))];
}

const quiet = (output) => output.split('\n').filter((line) => line && line !== 'Syntax OK');

// "… of timeout, connectTimeout": what a message of httpd's about an unknown option ends with.
const optionsIn = (output) => /(?:of|has|expected) ((?:[\w.]+, )*(?:and |or )?[\w.]+)\.?$/m.exec(output)?.[1].split(/, (?:and |or )?/).sort();

suite('Directives: httpd, the manual and the configuration that is installed say the same', async (t) => {
  t.inOneRound();
  const manual = read('docs/directives.md');
  const conf = read('conf/nextauth.conf');
  const known = listed(t);
  const sections = documented(manual);
  const places = makeFolder(t);
  fs.chmodSync(places, 0o777);
  const sqliteIsHere = databasesHere().sqlite;
  const canBeTried = (lines) => sqliteIsHere || !/sqlite:|backend=database/.test(lines + companions(lines));
  const tryLines = (lines, context) => trial(t, places, lines, context, companions(lines).replaceAll('/var/lib/nextauth', places));
  const isOfVirtualHosts = (name) => /virtual host/.test(sections.get(name)?.fields.Context);

  t.section('each directive, by name');
  {
    t.ok(known.size > 40, 'httpd lists directives of the module', known.size);
    for (const [name, entry] of known) t.is(sections.has(name) ? faultsOf(name, entry, sections.get(name), conf) : ['not documented'], [], `${name} is documented as httpd knows it`);
    t.is(compare(known, manual, conf), [], 'and so is all of it, with an index');
    const planted = new Map([...known, ['NextAuthPlanted', { help: 'planted: On|Off', where: 'Allowed in *.conf only outside <Directory>' }]]);
    t.is(compare(planted, manual, conf), ['NextAuthPlanted: is not in docs/directives.md', 'NextAuthPlanted: is not in the index'], 'a directive without documentation is named');
    const without = new Map([...known].filter(([name]) => name !== 'NextAuthEngine'));
    t.ok(compare(without, manual, conf).includes('NextAuthEngine: is documented, and no directive'), 'and so is documentation of none');
    t.is(compare(known, manual.replace('AuthConfig', 'FileInfo').replace(/(### NextAuthCacheControl[^]*?\*\*Override:\*\* )AuthConfig/, '$1Limit'), conf), ['NextAuthCacheControl: Override is not AuthConfig'], 'and another Override');
  }

  t.section('options');
  for (const [name, { options, examples, fields }] of sections) {
    const line = examples.join('').split('\n').find((each) => each.startsWith(`${name} `) && !/\bOff$/.test(each));
    if (!known.has(name)) continue;
    if (!/key=value/.test(fields.Syntax)) {
      t.is(options, [...fields.Syntax.matchAll(/(\w+)=/g)].map(([, option]) => option), `${name}: its options are those of its syntax`);
      continue;
    }
    if (!canBeTried(line)) { t.skip(`${name}: its options`, 'no SQLite'); continue; }
    const { output } = await tryLines(`${line} zzz=1`, isOfVirtualHosts(name) ? 'virtual host' : 'server config');
    t.is(options.slice().sort(), optionsIn(output), `${name}: its options are those that httpd names`);
  }

  t.section('ranges');
  const ranges = [...sections].filter(([name]) => known.has(name)).flatMap(([name, section]) => rangesOf(name, section));
  t.ok(ranges.length > 20, 'the manual has ranges', ranges.length);
  for (const { line, least, most, below, above } of ranges) {
    if (!canBeTried(line)) { t.skip(line, 'no SQLite'); continue; }
    const place = isOfDirectories(known.get(line.split(' ')[0])) ? ['<Location /a>\n', '\n</Location>'] : ['', ''];
    const passes = async (value) => (await tryLines(place.join(line.replace('@', value)), isOfVirtualHosts(line.split(' ')[0]) ? 'virtual host' : 'server config')).status === 0;
    t.is([await passes(below), await passes(least), await passes(most), await passes(above)], [false, true, true, false], `${line.replace('@', `${least} to ${most}`)} is the range`);
  }

  t.section('defaults');
  {
    const port = await freePort();
    const bare = await t.httpd({ port, files, config: `NextAuthEngine On\nNextAuthURL https://localhost:${port}\nNextAuthSecret file:@DIR@/nextauth-secret\nNextAuthProvider credentials backend=file:@DIR@/users
<Location /nextauth-diagnostics>\nSetHandler nextauth-diagnostics\n</Location>` });
    const { json } = await t.client(bare).get('/nextauth-diagnostics');
    const { session, site, features } = json;
    const orOff = (seconds) => (seconds ? `${seconds}` : 'Off');
    const facts = {
      NextAuthMode: site.mode,
      NextAuthBasePath: site.basePath,
      NextAuthCompat: site.dialect,
      NextAuthSessionMaxAge: `${session.maxAge}`,
      NextAuthSessionUpdateAge: `${session.updateAge}`,
      NextAuthSessionIdleTimeout: orOff(session.idleTimeout),
      NextAuthSessionAbsoluteTimeout: orOff(session.absoluteTimeout),
      NextAuthSessionStrategy: session.strategy,
      NextAuthSessionBind: session.bound ? 'on' : 'off',
      NextAuthSessionStore: session.stores.join(' ') || 'none',
    };
    for (const [name, value] of Object.entries(facts)) t.like(sections.get(name).fields.Default, new RegExp(`\`${name} ${value}\``), `${name} is ${value} by default`);
    t.is(Object.keys(features).filter((name) => features[name]), ['oauth', 'magicLinks', 'rateLimiting'], 'these features are on by default');
    t.like(manual, new RegExp(`^\\| \`checkInterval=\` \\| ${session.checkInterval} \\|`, 'm'), 'checkInterval= is as it is');
  }
  for (const [name, section] of sections) {
    const line = known.has(name) && defaultOf(name, section);
    if (!line || isOfDirectories(known.get(name))) continue;
    const { status, output } = await tryLines(line, isOfVirtualHosts(name) && name !== 'NextAuthEngine' ? 'virtual host' : 'server config');
    t.is([status, quiet(output)], [0, []], `the default can be written: ${line}`);
  }

  t.section('examples of the manual');
  for (const [name, { examples }] of sections) {
    for (const example of examples) {
      if (!canBeTried(example)) { t.skip(`${name}: its example`, 'no SQLite'); continue; }
      const own = companions(example);
      const context = known.has(name) && !isOfDirectories(known.get(name)) && !isOfVirtualHosts(name) ? 'server config' : 'virtual host';
      const { status, output } = await trial(t, places, example.replace(/^NextAuthEngine.*$/m, ''), context, own.replaceAll('/var/lib/nextauth', places));
      t.is([status, quiet(output)], [0, []], `${name}: its example is right as printed`);
    }
  }

  for (const file of ['README.md', ...fs.readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)]) {
    for (const [, indented] of file === 'docs/directives.md' ? [] : read(file).matchAll(/^ *```apache\n(.*?)^ *```$/gms)) {
      const example = indented.replace(/^NextAuthEngine.*$/m, '');
      if (!canBeTried(example)) { t.skip(`${file}: an example`, 'no SQLite'); continue; }
      const { status, output } = await tryLines(example, /^NextAuthStatsD/m.test(example) ? 'server config' : 'virtual host');
      t.is([status, quiet(output)], [0, []], `${file}: an example is right as printed: ${example.trim().split('\n')[0]}`);
    }
  }

  t.section('conf/nextauth.conf');
  const blocks = conf.split('\n').map((line) => /^ {4}#(NextAuth.*)$/.exec(line)?.[1]).filter(Boolean);
  t.ok(blocks.length > 40, 'has lines to uncomment');
  for (const line of blocks) {
    const [name] = line.split(' ');
    if (!known.has(name)) { t.ok(false, `conf/nextauth.conf has ${name}, which is no directive`); continue; }
    if (!canBeTried(line)) { t.skip(line, 'no SQLite'); continue; }
    const { status, output } = await tryLines(name === 'NextAuthEngine' ? '' : line, isOfVirtualHosts(name) ? 'virtual host' : 'server config');
    t.is([status, output.trim().split('\n').at(-1)], [0, 'Syntax OK'], `can be uncommented: ${line}`);
    if (isOfVirtualHosts(name)) continue;
    t.like((await tryLines(line, 'virtual host')).output, new RegExp(`${name}.*VirtualHost`), '  and stands in the main server only');
  }
  for (const paragraph of conf.split(/\n(?:#\n|\n)/)) {
    const lines = [...paragraph.matchAll(/^(?: {4}|# {4})#(NextAuth\w+ .*)$/gm)].map(([, line]) => line);
    const isExample = /Examples?:/.test(paragraph);
    for (const line of lines) {
      const [name] = line.split(' ');
      const isDefault = sections.has(name) && defaultOf(name, sections.get(name)) === line;
      if (!/Defaults/.test(paragraph)) t.is(isExample, !isDefault, `is the default, or called an example: ${line}`);
    }
  }
  const sectionLines = conf.split('\n').filter((line) => /^#/.test(line)).map((line) => line.slice(1));
  const paths = sectionLines.join('\n').split(/^(?=<Location)/m).slice(1).map((text) => text.split(/^<\/Location>/m)[0].replace(/^ *#(?!NextAuth).*$/gm, '').replace(/#(NextAuth)/g, '$1'));
  t.ok(paths.length > 3, 'has sections to uncomment');
  for (const text of paths) {
    const { status, output } = await tryLines(`${text}</Location>`, 'virtual host');
    t.is([status, quiet(output)], [0, []], `can be uncommented: ${text.split('\n')[0]}`);
  }
});
