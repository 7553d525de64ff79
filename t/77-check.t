#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, ctlFile, freePort, htpasswd, makeFolder } = require('./lib/httpd.js');
const { certify } = require('./lib/certificates.js');
const { databasesHere, startPostgres, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');
const { startMail } = require('./lib/mail.js');
const { startRogue } = require('./lib/rogue.js');
const { startOp } = require('./lib/op.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const LITERAL = 'geheim-literal-4t';
const files = { users: htpasswd({ ada: 'x' }), secret: { text: `${SECRET}\n`, mode: 0o600 } };
const whole = {
  engine: 'NextAuthEngine On',
  mode: 'NextAuthMode production',
  url: 'NextAuthURL https://app.example.org',
  secret: 'NextAuthSecret file:@DIR@/secret',
  provider: 'NextAuthProvider credentials backend=file:@DIR@/users',
  store: 'NextAuthSessionStore none',
};
const written = (change) => Object.values({ ...whole, ...change }).flat().join('\n');

// nextauthctl check --json of what is right but for what is changed.
const ask = async (t, change, { args = [], ...options } = {}) => {
  const result = await check(t, { files, config: written(change), ...options }, ['--json', ...args]);
  return { ...result, rows: result.told.findings };
};
const rowsOf = ({ rows }, subject, group) => rows.filter((row) => row.subject === subject && (!group || row.group === group));
const short = (rows) => rows.map(({ state, message }) => [state, message]);
const lineOf = (dir, text) => fs.readFileSync(path.join(dir, 'httpd.conf'), 'utf8').split('\n').findIndex((line) => line.startsWith(text)) + 1;

async function right(t) {
  t.section('all right');
  const table = await check(t, { files, config: written({}) });
  t.is(table.status, 0, 'a right configuration is 0', table.stdout);
  t.like(table.stdout, /^https:\/\/app\.example\.org\n site\n {2}✓ mode +production\n {2}✓ URL +https:\/\/app\.example\.org\/api\/auth\n {2}✓ features +on: oauth, magicLinks, rateLimiting; off: [\w, ]+\n(?: {2}✓ .*\n +→ .*\n)* directives\n/, 'a table by site and kind');
  t.like(table.stdout, /✓ NextAuthSecret +file:\S+\/secret {2}\(\S+httpd\.conf:\d+\)\n/, 'each directive, and where it is');
  t.unlike(table.stdout, /✗|!|\x1b/, 'nothing is wrong, and there are no colours without a terminal');
  t.like(table.stderr, /^0 wrong, 0 warnings, \d+ right\n$/, 'and the sum');
  t.is(fs.readdirSync(table.dir).filter((name) => name.startsWith('nextauth-')), [], 'the report is removed');

  const strict = await ask(t, { provider: 'NextAuthProvider google clientId=a clientSecret=env:HOME', cookie: 'NextAuthCookie sessionToken sameSite=strict' });
  t.like(rowsOf(strict, '__Secure-next-auth.session-token').find(({ state }) => state === 'warning')?.message || '', /SameSite=Strict: browsers do not send it with the page that follows a sign-in at a provider/, 'a strict session cookie with a provider is a warning');
  const anybody = (tenant) => ask(t, { provider: `NextAuthProvider microsoft-entra-id clientId=a clientSecret=env:HOME ${tenant}` });
  t.like(rowsOf(await anybody(''), 'microsoft-entra-id').find(({ state }) => state === 'warning')?.message || '', /no tenant: accounts of every organization can sign in/, 'and so is Entra ID without a tenant');
  t.is(rowsOf(await anybody('tenant=example.org'), 'microsoft-entra-id').map(({ state }) => state), ['ok'], '  but not with one');

  const json = await ask(t, {});
  t.is([json.status, json.told.connected, json.told.warnings, json.told.wrong, json.told.ok === json.rows.length], [0, false, 0, 0, true], '--json for programs');
  t.is(rowsOf(json, 'NextAuthSessionStore')[0], { site: 'https://app.example.org', virtualHost: null, group: 'directives', subject: 'NextAuthSessionStore', state: 'ok',
    message: 'none', hint: null, file: `${json.dir}/httpd.conf`, line: lineOf(json.dir, 'NextAuthSessionStore') }, 'a row has everything');
  const subjects = json.rows.filter(({ group }) => group === 'directives').map(({ subject }) => subject).sort();
  t.is(subjects, ['NextAuthEngine', 'NextAuthMode', 'NextAuthProvider', 'NextAuthSecret', 'NextAuthSessionStore', 'NextAuthURL'], 'all directives have one');
  t.is(rowsOf(json, 'credentials').map(({ message }) => message), [`passwords in ${json.dir}/users`], 'what backs the passwords');
  t.like(rowsOf(json, 'LimitRequestFieldSize')[0].message, /8190 bytes: 7166 for the session/, 'how large a session may be');
}

async function around(t) {
  t.section('what is around the module');
  const bare = await ask(t, {});
  const advice = ['TraceEnable', 'Strict-Transport-Security', 'NextAuthSessionAbsoluteTimeout'];
  for (const subject of advice) t.is(rowsOf(bare, subject, 'site').map(({ state, hint }) => [state, Boolean(hint)]), [['ok', true]], `${subject}: advice, and no warning`);
  const careful = await ask(t, { trace: 'TraceEnable Off', transport: '<VirtualHost *:1>\nHeader always set Strict-Transport-Security "max-age=31536000"\n</VirtualHost>', absolute: 'NextAuthSessionAbsoluteTimeout 604800' });
  for (const subject of advice) t.is(rowsOf(careful, subject, 'site'), [], '  which is followed');
  t.is(rowsOf(await ask(t, { mode: 'NextAuthMode test' }), 'TraceEnable'), [], '  and is not given outside production');

  const cached = (more) => ask(t, { cache: `<IfModule cache_module>\nCacheEnable disk /\n${more}\n</IfModule>` }, { modules: ['cache', 'cache_disk'] });
  t.is(rowsOf(await cached(''), 'CacheQuickHandler').map(({ state, hint }) => [state, hint]), [['warning', 'set CacheQuickHandler Off']], 'a cache that answers before anybody is asked');
  t.is(rowsOf(await cached('CacheQuickHandler Off'), 'CacheQuickHandler'), [], '  but not one that asks first');

  if (!databasesHere().sqlite) return t.skip('file modes', 'SQLite is not here');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const stored = () => ask(t, { database: `NextAuthDatabase ${db.url}` });
  t.is(rowsOf(await stored(), db.file), [], 'a database that its owner alone reads');
  fs.chmodSync(db.file, 0o644);
  t.is(rowsOf(await stored(), db.file).map(({ state, hint }) => [state, hint]), [['warning', `run chmod o= ${db.file}`]], '  and one that everybody reads');
}

async function wrong(t) {
  t.section('several mistakes at once');
  const result = await ask(t, {
    secret: 'NextAuthSecret tooshort',
    provider: ['NextAuthProvider gogle clientId=a', `NextAuthProvider google clientId=a clientSecret=${LITERAL}`, 'NextAuthProvider credentials backend=database'],
    age: 'NextAuthSessionMaxAge 5',
    store: 'NextAuthSessionStore redis',
    mail: `NextAuthMail smtp://localhost passwrod=${LITERAL}`,
    cookie: ['NextAuthCookie state sameSite=strict', 'NextAuthCookie nonce sameSite=maybe'],
  });
  t.is(result.status, 1, 'are 1');
  for (const [subject, message, hint, text] of [
    ['NextAuthSecret', /^the secret is 8 bytes; at least 32 are required in production/, /nextauthctl secret/, 'NextAuthSecret'],
    ['NextAuthProvider', /unknown provider 'gogle'/, /^check whether google is meant, or use one that nextauthctl providers lists, or add type=oidc/, 'NextAuthProvider gogle'],
    ['NextAuthProvider', /'credentials' requires NextAuthDatabase/, /nextauthctl migrate/, 'NextAuthProvider credentials'],
    ['NextAuthSessionMaxAge', /invalid value '5': expected a whole number from 60/, /^set NextAuthSessionMaxAge SECONDS$/, 'NextAuthSessionMaxAge'],
    ['NextAuthSessionStore', /requires NextAuthRedis/, null, 'NextAuthSessionStore'],
    ['NextAuthMail', /unknown option 'passwrod=': expected/, /^set NextAuthMail URL\|SERVICE \[key=value …\]$/, 'NextAuthMail'],
    ['NextAuthCookie', /sameSite=strict: browsers would not send cookie/, /^set sameSite=lax/, 'NextAuthCookie state'],
    ['NextAuthCookie', /invalid sameSite='maybe': expected lax, strict, or none/, /^set NextAuthCookie COOKIE key=value …$/, 'NextAuthCookie nonce'],
  ]) {
    const row = rowsOf(result, subject).find((one) => message.test(one.message));
    t.ok(row && row.state === 'wrong', `${subject}: ${message}`, JSON.stringify(rowsOf(result, subject)));
    t.is(row?.line, lineOf(result.dir, text), '  on its line');
    if (hint) t.like(row?.hint || '', hint, '  with a hint');
  }
  t.is(result.told.wrong, 8, 'and nothing else is wrong: no mistake has others in its wake', JSON.stringify(result.rows.filter(({ state }) => state === 'wrong')));
  t.is(rowsOf(result, 'NextAuthURL').map(({ state }) => state), ['ok'], 'what is right is right beside them');
  t.unlike(result.stdout + result.stderr, new RegExp(LITERAL), 'no secret is said, not even where its option is misspelled');

  const rows = (await ask(t, { url: 'NextAuthURL http://app.example.org' })).rows;
  t.is(rows.filter(({ state }) => state === 'wrong').map(({ subject, message }) => [subject, message]),
    [['NextAuthURL', "the canonical URL 'http://app.example.org' is not an HTTPS URL"]], 'a wrong address is one mistake, and none of the cookies that follow from it');
  const table = await check(t, { files, config: written({ age: 'NextAuthSessionMaxAge 5' }) });
  t.is(table.status, 1, 'for people it is 1, too');
  t.like(table.stdout, /✗ NextAuthSessionMaxAge +invalid value '5': expected a whole number from 60 to \d+ {2}\(\S+:\d+\)\n +→ set NextAuthSessionMaxAge SECONDS/, 'with ✗, and an arrow to the hint');

  t.section('sites');
  const two = await ask(t, { hosts: `Listen 127.0.0.1:9
<VirtualHost *:9>
NextAuthURL https://two.example.org
NextAuthSessionMaxAge 1
</VirtualHost>
<VirtualHost *:9>
NextAuthURL https://app.example.org:8443
NextAuthSecret "exec:echo ${SECRET.toLowerCase()}"
</VirtualHost>` });
  t.is([...new Set(two.rows.map(({ site }) => site))], ['https://app.example.org', 'https://two.example.org', 'https://app.example.org:8443'], 'each has its rows');
  t.is(two.rows.filter(({ state }) => state === 'wrong').map(({ site, subject }) => [site, subject]), [['https://two.example.org', 'NextAuthSessionMaxAge']], 'and its mistakes');
  t.like(rowsOf(two, '__Secure-next-auth.session-token').find(({ state }) => state === 'warning')?.message || '',
    /https:\/\/app\.example\.org and https:\/\/app\.example\.org:8443 have the same host name and session cookie, but different secrets/, 'two that end each other\'s sessions are warned of');
  t.unlike(two.stdout, new RegExp(SECRET, 'i'), 'a command is not shown: it may have a secret in it');
}

async function hints(t) {
  t.section('what to do about it');
  const secretless = 'NextAuthProvider google clientId=a';
  for (const [change, subject, hint, options] of [
    [{ provider: secretless }, 'NextAuthProvider', /^set clientSecret=env:NAME, file:PATH, or exec:COMMAND, or set AUTH_GOOGLE_SECRET, GOOGLE_CLIENT_SECRET or GOOGLE_SECRET$/],
    [{ provider: 'NextAuthProvider google clientSecret=env:S' }, 'NextAuthProvider', /or set AUTH_GOOGLE_ID, GOOGLE_CLIENT_ID or GOOGLE_ID$/, { env: { S: LITERAL } }],
    [{ provider: 'NextAuthProvider acme type=oidc clientId=a clientSecret=env:S' }, 'NextAuthProvider', /issuer URL of the provider, or set AUTH_ACME_ISSUER or ACME_ISSUER$/, { env: { S: LITERAL } }],
    [{ provider: 'NextAuthProvider google clientId=a clientSecret=env:NOWHERE' }, 'NextAuthProvider', /NextAuthEnvFile|envvars/],
    [{ provider: 'NextAuthProvider google clientId=a clientSecret=file:@DIR@/nowhere' }, 'NextAuthProvider', /^check that it exists/],
    [{ secret: 'NextAuthSecret file:@DIR@/open' }, 'NextAuthSecret', /^chmod o= \S+\/open$/],
    [{ secret: 'NextAuthSecret "exec:exit 3"' }, 'NextAuthSecret', /^run it in a shell as the user that starts httpd$/],
    [{ env: 'NextAuthEnvFile @DIR@/broken' }, 'NextAuthEnvFile', /^use NAME=VALUE/],
    [{ url: 'NextAuthURL https://a:b@app.example.org' }, 'NextAuthURL', /^use https:\/\/HOST\[:PORT\]/],
    [{ base: 'NextAuthBasePath api' }, 'NextAuthBasePath', /^use a path such as \/api\/auth/],
    [{ audit: 'NextAuthAuditLog database' }, 'NextAuthAuditLog', /nextauthctl migrate/],
    [{ store: 'NextAuthSessionStore database' }, 'NextAuthSessionStore', /nextauthctl migrate/],
    [{ mail: 'NextAuthMail smtp://localhost' }, 'NextAuthMail', /from=.*EMAIL_FROM/],
    [{ redis: 'NextAuthRedis redis://localhost sentinels=localhost' }, 'NextAuthRedis', /^add master=/],
  ]) {
    const told = await ask(t, change, { files: { ...files, open: { text: SECRET, mode: 0o604 }, broken: { text: 'nonsense\n', mode: 0o600 } }, ...options });
    const wrongs = told.rows.filter(({ state }) => state === 'wrong');
    t.is(wrongs.map((row) => row.subject), [subject], `${Object.values(change)[0]}: one mistake`, JSON.stringify(wrongs));
    t.like(wrongs[0]?.hint || '', hint, '  with its hint');
  }
}

async function equalSites(t) {
  t.section('sites of one address');
  const hosts = `Listen 127.0.0.1:9
<VirtualHost *:9>
ServerName one.example.org
</VirtualHost>
<VirtualHost *:9>
NextAuthSessionMaxAge 1
</VirtualHost>
<VirtualHost *:9>
NextAuthURL https://two.example.org
</VirtualHost>`;
  const result = await ask(t, { hosts });
  const conf = `${result.dir}/httpd.conf`;
  const first = lineOf(result.dir, '<VirtualHost');
  const place = (line) => ({ file: conf, line });
  const sites = new Map(result.rows.map(({ site, virtualHost }) => [site, virtualHost]));
  t.is([...sites.keys()], ['https://app.example.org (main server)', `https://app.example.org (${conf}:${first})`, `https://app.example.org (${conf}:${first + 3})`, 'https://two.example.org'], 'are told apart by where they are');
  t.is([...sites.values()], [null, place(first), place(first + 3), place(first + 6)], 'for programs, too');
  t.is(result.rows.filter(({ state }) => state === 'wrong').map(({ virtualHost, subject }) => [virtualHost.line, subject]), [[first + 3, 'NextAuthSessionMaxAge']], 'and so are their mistakes');
  const table = await check(t, { files, config: written({ hosts }) });
  t.is(table.stdout.match(/^\S.*$/gm).map((line) => line.replace(table.dir, result.dir)), [...sites.keys()], 'the table has a heading for each');
  t.is(table.stdout.match(/^ directives$/gm).length, 4, '  with each group once');
}

async function secrets(t) {
  t.section('secrets that can be guessed');
  for (const [secret, said] of [
    ['your-secret-here-your-secret-here-1', /placeholder \("yoursecret"\)/],
    ['changemechangemechangemechangeme', /placeholder \("changeme"\)/],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab', /no more than 2 different characters/],
    ['0123456789abcdef0123456789abcdef', /repeated or consecutive/],
  ]) {
    const production = await ask(t, { secret: `NextAuthSecret "exec:echo ${secret}"` });
    const row = rowsOf(production, 'NextAuthSecret')[0];
    t.is([production.status, row.state], [1, 'wrong'], `in production: ${said}`);
    t.like(row.message, said, '  is explained');
    t.like(row.hint, /nextauthctl secret/, '  and fixed');
    t.unlike(production.stdout, new RegExp(secret), '  and not said');
    const test = await ask(t, { mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', secret: `NextAuthSecret "exec:echo ${secret}"` });
    t.is([test.status, rowsOf(test, 'NextAuthSecret')[0].state], [0, 'warning'], '  in tests it is a warning');
  }
  const start = await t.configtest({ files, config: written({ secret: 'NextAuthSecret "exec:echo changemechangemechangemechangeme"' }) });
  t.isnt(start.status, 0, 'a server in production does not start with one');
  t.like(start.output, /NextAuthSecret on line .*placeholder.*nextauthctl secret/, 'and says so');
  t.is((await t.configtest({ files, config: written({ mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', secret: 'NextAuthSecret "exec:echo changemechangemechangemechangeme"' }) })).output.trim(), 'Syntax OK', 'in tests it does, silently');
  const literal = await ask(t, { secret: `NextAuthSecret ${SECRET}=`, provider: `NextAuthProvider google clientId=a clientSecret=${LITERAL}` });
  t.is(literal.status, 0, 'one that is written out is a warning');
  t.is([rowsOf(literal, 'NextAuthSecret')[0], rowsOf(literal, 'NextAuthProvider')[0]].map(({ state, message }) => [state, /is in plain text, and mod_info shows it/.test(message)]), [['warning', true], ['warning', true]], 'of secret and clientSecret');
  t.unlike(literal.stdout, new RegExp(`${SECRET}|${LITERAL}`), 'and not said');
  const quiet = await ask(t, { mode: 'NextAuthMode test', secret: `NextAuthSecret ${SECRET}=`, provider: `NextAuthProvider google clientId=a clientSecret=${LITERAL}` });
  t.is([rowsOf(quiet, 'NextAuthSecret')[0].message, rowsOf(quiet, 'NextAuthProvider')[0].message], ['…', 'google clientId=… clientSecret=…'], 'nor is one that nobody minds');
}

async function programs(t) {
  t.section('programs, whose arguments may be secrets');
  const result = await ask(t, {
    mode: 'NextAuthMode test',
    url: 'NextAuthURL http://localhost',
    log: `NextAuthLog json "|/bin/cat -u ${LITERAL}"`,
    event: [`NextAuthEvent all "||/bin/cat\t${LITERAL}"`, `NextAuthEvent signIn "|$TOKEN=${LITERAL} cat"`],
    audit: `NextAuthAuditLog @DIR@/audit.log "| /bin/cat ${LITERAL}"`,
    secret: `NextAuthSecret "|${SECRET}"`,
  }, { modules: ['watchdog'] });
  const said = (name) => rowsOf(result, name, 'directives').filter(({ state }) => state === 'ok').map(({ message }) => message);
  t.is(result.status, 0, 'are right', JSON.stringify(result.rows.filter(({ state }) => state === 'wrong')));
  t.is([said('NextAuthLog'), said('NextAuthEvent'), said('NextAuthAuditLog')], [['json |/bin/cat'], ['… |/bin/cat', '… |TOKEN'], ['… |/bin/cat']], 'their names alone are shown');
  t.is(said('NextAuthSecret'), ['…'], 'a secret that begins with a bar is no program');
  t.unlike(result.stdout, new RegExp(`${LITERAL}|${SECRET}`), 'no secret is said');
}

async function environment(t) {
  t.section('variables');
  const env = `NEXTAUTH_SECRETT=${SECRET}
GOOGLE_CLIENT_IDD=a
GOOGLE_CLIENT_ID=a
GOOGLE_CLIENT_SECRET=${LITERAL}
GITHUB_ID=b
NEXTAUTH_URL=https://other.example.org
DATABASE_URL=postgresql://u:${LITERAL}@h/d
STRIPE_KEY=${LITERAL}
MY_SECRET=${SECRET}
`;
  const result = await ask(t, { env: 'NextAuthEnvFile @DIR@/env', secret: 'NextAuthSecret env:MY_SECRET', provider: 'NextAuthProvider google' },
    { files: { ...files, env: { text: env, mode: 0o600 } }, env: { AUTH_SECERT: 'x', AUTH_GOOGLE_ID: 'c' } });
  t.is(result.status, 0, 'slips are warnings');
  const said = (name) => rowsOf(result, name, 'environment').map(({ state, message, hint }) => [state, message, hint]);
  t.is(said('NEXTAUTH_SECRETT'), [['warning', 'set in NextAuthEnvFile, but unknown', 'check whether NEXTAUTH_SECRET is meant']], 'NEXTAUTH_SECRETT');
  t.is(said('GOOGLE_CLIENT_IDD'), [['warning', 'set in NextAuthEnvFile, but unknown', 'check whether GOOGLE_CLIENT_ID is meant']], 'GOOGLE_CLIENT_IDD');
  t.is(said('AUTH_SECERT'), [['warning', 'set in the server\'s environment, but unknown', 'check whether AUTH_SECRET is meant']], 'AUTH_SECERT of the process');
  t.is([said('AUTH_GOOGLE_ID')[0][1], said('GOOGLE_CLIENT_SECRET')[0][1], said('MY_SECRET')[0][1]],
    ['set in the server\'s environment, and used', 'set in NextAuthEnvFile, and used', 'set in NextAuthEnvFile, and used'], 'which are used');
  t.like(said('NEXTAUTH_URL')[0][1], /^set in NextAuthEnvFile, not used: NextAuthURL on line \d+ of \S+httpd\.conf takes precedence$/, 'which a directive goes before');
  t.like(said('GOOGLE_CLIENT_ID')[0][1], /not used/, 'which another goes before');
  t.is(said('GITHUB_ID')[0][1], 'set in NextAuthEnvFile, not used: NextAuthProvider github is not configured', 'which no provider takes');
  t.is(said('DATABASE_URL')[0][1], 'set in NextAuthEnvFile, not used: NextAuthFromEnv is Off', 'which NextAuthFromEnv would use');
  t.is(said('NextAuthEnvFile')[0][1], 'not variables of mod_nextauth: STRIPE_KEY', 'the application\'s own are left alone');
  t.unlike(result.stdout, new RegExp(`${SECRET}|${LITERAL}`), 'names only');
}

const variablesWrong = [
  // the variable, its value, what the configuration lacks for it, what is said, the hint
  ['NODE_ENV', 'staging', { mode: '' }, /^invalid mode 'staging': expected production, development, or test$/, /NextAuthMode/],
  ['NEXTAUTH_URL', 'http://app.example.org', { url: '' }, /'http:\/\/app\.example\.org' is not an HTTPS URL/, /NextAuthURL https/],
  ['AUTH_URL', 'https://a:b@app.example.org', { url: '' }, /invalid URL '/, /https:\/\/HOST/],
  ['NEXTAUTH_SECRET', 'tooshort', { secret: '' }, /8 bytes/, /nextauthctl secret/],
  ['AUTH_SECRET_2', 'changemechangemechangemechangeme', { secret: '' }, /placeholder/, /nextauthctl secret/],
  ['REDIS_URL', 'http://localhost', { store: 'NextAuthSessionStore redis' }, /redis:\/\//],
  ['EMAIL_SERVER', 'smtp://localhost', { provider: ['NextAuthProvider email', 'NextAuthDatabase sqlite:@DIR@/db'] }, /missing from=/, /EMAIL_FROM/],
  ['EMAIL_FROM', 'nobody', { mail: 'NextAuthMail smtp://localhost' }, /invalid sender/],
  ['SENTRY_DSN', 'foo', {}, /invalid DSN: expected https/],
  ['AZURE_AD_TENANT_ID', 'a/b', { provider: 'NextAuthProvider azure-ad clientId=a clientSecret=env:S' }, /tenant=a\/b/],
  ['AUTH_AZURE_AD_ISSUER', 'nowhere', { provider: 'NextAuthProvidersFromEnv On' }, /invalid issuer=nowhere/],
];

async function variables(t) {
  t.section('variables that are wrong');
  const modules = ['watchdog'];
  const others = { S: LITERAL, AUTH_AZURE_AD_ID: 'a', AUTH_AZURE_AD_SECRET: LITERAL };
  for (const [name, value, change, message, hint] of variablesWrong) {
    const text = `# what the project has\n${name}=${value}\n`;
    const withFile = { files: { ...files, env: { text, mode: 0o600 } }, env: others, modules };
    const inFile = { ...change, env: 'NextAuthEnvFile @DIR@/env' };
    const told = await ask(t, inFile, withFile);
    const rows = rowsOf(told, name);
    t.is(rows.map(({ group, state, file, line }) => [group, state, file, line]), [['environment', 'wrong', `${told.dir}/env`, 2]], `${name} of NextAuthEnvFile: its row, and its line`, JSON.stringify(rows));
    t.like(rows[0]?.message || '', message, '  with what is wrong');
    if (hint) t.like(rows[0]?.hint || '', hint, '  and the hint');
    t.is(told.rows.filter(({ state }) => state === 'wrong').length, 1, '  and nothing else is blamed', JSON.stringify(told.rows.filter(({ state }) => state === 'wrong')));
    t.like((await t.configtest({ ...withFile, config: written(inFile) })).output, new RegExp(`${name} on line 2 of \\S+/env: .*${message.source.replace(/[$^]/g, '')}`), '  as by configtest');

    const set = { env: { ...others, [name]: value }, modules };
    const own = rowsOf(await ask(t, change, set), name);
    t.is(own.map(({ group, state, file, line }) => [group, state, file, line]), [['environment', 'wrong', null, null]], '  of the process: its row, without a place');
    t.like((await t.configtest({ files, ...set, config: written(change) })).output, new RegExp(`${name} in the server's environment: .*${message.source.replace(/[$^]/g, '')}`), '  as by configtest');
  }
  t.is(short(rowsOf(await ask(t, {}, { env: { NODE_ENV: 'staging' } }), 'NODE_ENV')).map(([state]) => state), ['ok'], 'NODE_ENV does not matter where NextAuthMode says it');
  t.is((await t.configtest({ files, env: { NODE_ENV: 'staging' }, config: written({ engine: '' }) })).status, 0, '  or where no engine is on');
  const weak = rowsOf(await ask(t, { mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', secret: '' }, { env: { AUTH_SECRET: 'changemechangemechangemechangeme' } }), 'AUTH_SECRET');
  t.is(short(weak).map(([state]) => state), ['warning'], 'a weak secret of a variable is that variable\'s warning');

  t.section('half a provider');
  const half = { provider: ['NextAuthProvidersFromEnv On', 'NextAuthProvider credentials backend=file:@DIR@/users'] };
  const env = { GOOGLE_CLIENT_ID: 'a', AUTH_GITHUB_SECRET: LITERAL };
  const told = await ask(t, half, { env });
  t.is(told.status, 0, 'is no mistake');
  t.is(['GOOGLE_CLIENT_ID', 'AUTH_GITHUB_SECRET'].map((name) => rowsOf(told, name).map(({ group, state, message, hint }) => [group, state, message, hint])), [
    [['environment', 'warning', 'is set, but provider \'google\' is not added: its client secret is missing', 'set AUTH_GOOGLE_SECRET, GOOGLE_CLIENT_SECRET or GOOGLE_SECRET']],
    [['environment', 'warning', 'is set, but provider \'github\' is not added: its client ID is missing', 'set AUTH_GITHUB_ID, GITHUB_CLIENT_ID or GITHUB_ID']],
  ], '  and says what is missing');
  const tested = await t.configtest({ files, env, config: written(half) });
  t.is(tested.status, 0, '  configtest lets it pass');
  t.like(tested.output, /NextAuthProvidersFromEnv: GOOGLE_CLIENT_ID is set, but provider 'google' is not added.*set AUTH_GOOGLE_SECRET/, '  and says it, too');
  t.unlike(told.stdout + tested.output, new RegExp(LITERAL), '  without the value');
}

async function details(t) {
  t.section('what to register, and cookies');
  const result = await ask(t, {
    url: 'NextAuthURL https://app.example.org/my/auth',
    provider: ['NextAuthProvider google clientId=a clientSecret=env:S', 'NextAuthProvider acme type=oauth authorization=https://x/a token=https://x/t userinfo=https://x/u clientId=a clientSecret=env:S',
      'NextAuthProvider email', 'NextAuthProvider credentials backend=database'],
    db: 'NextAuthDatabase sqlite:@DIR@/db', mail: 'NextAuthMail smtp://localhost:2525 from=a@example.org',
    cookie: 'NextAuthCookie sessionToken sameSite=none domain=example.org', size: 'LimitRequestFieldSize 2000',
  }, { env: { S: LITERAL }, modules: ['watchdog'] });
  t.is(result.rows.filter(({ group }) => group === 'providers').map(({ subject, message }) => [subject, message]), [
    ['google', 'register https://app.example.org/my/auth/callback/google'],
    ['acme', 'register https://app.example.org/my/auth/callback/acme'],
    ['email', 'links by email, through localhost:2525'],
    ['credentials', 'passwords in the database'],
  ], 'the address that each provider wants, and what is behind the others');
  const ending = await ask(t, { url: 'NextAuthURL https://app.example.org', provider: 'NextAuthProvider google clientId=a clientSecret=env:S logout=true initiatedSignIn=true', store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache shmcb:@DIR@/sessions(1048576)' }, { env: { S: LITERAL }, modules: ['socache_shmcb'] });
  t.is(rowsOf(ending, 'google').filter(({ group }) => group === 'providers').map(({ state, message }) => [state, message]), [
    ['ok', 'register https://app.example.org/api/auth/callback/google'],
    ['ok', 'it can end sessions: register https://app.example.org/api/auth/backchannel-logout/google or, if it has no back-channel logout, https://app.example.org/api/auth/frontchannel-logout/google'],
    ['ok', 'sign-outs continue there: register https://app.example.org/api/auth/signout-callback/google as post_logout_redirect_uri'],
    ['ok', 'other sites can begin sign-ins: register https://app.example.org/api/auth/initiate/google as initiate_login_uri'],
  ], 'and for logouts, and for sign-ins that other sites begin');
  const several = await ask(t, { url: 'NextAuthURL https://*.example.org https://shop.example.com', provider: 'NextAuthProvider google clientId=a clientSecret=env:S' }, { env: { S: LITERAL } });
  t.is(rowsOf(several, 'google').filter(({ state }) => state === 'ok').map(({ message }) => message),
    ['register https://*.example.org/api/auth/callback/google, https://shop.example.com/api/auth/callback/google'], 'and for each host');
  t.is(short(rowsOf(result, '__Secure-next-auth.session-token')), [
    ['ok', 'Secure, SameSite=None, path /, domain example.org'],
    ['warning', 'SameSite=None: browsers send it with other sites\' requests']], 'what a cookie is like');
  t.is(rowsOf(result, '__Host-next-auth.csrf-token').map(({ message }) => message), ['Secure, SameSite=Lax, path /'], 'and all the others');
  const size = rowsOf(result, 'LimitRequestFieldSize')[0];
  t.is([size.state, size.message], ['warning', 'a Cookie header can have 2000 bytes: 976 for the session and 1024 for other cookies'], 'too little room for a session');
  t.is([result.status, fs.existsSync(`${result.dir}/db`)], [0, false], 'without --connect nothing is opened');
}

async function httpdItself(t) {
  t.section('what httpd says itself');
  const syntax = await ask(t, { odd: 'NextAuthProvder google' });
  t.is([syntax.status, syntax.rows.length, syntax.rows[0].state, syntax.rows[0].group], [1, 1, 'wrong', 'httpd'], 'a directive that is none');
  t.like(syntax.rows[0].message, /Syntax error on line \d+ of \S+: Invalid command 'NextAuthProvder'/, '  in its words');
  t.is([syntax.rows[0].file, syntax.rows[0].line], [`${syntax.dir}/httpd.conf`, lineOf(syntax.dir, 'NextAuthProvder')], '  with the place');
  t.like(syntax.rows[0].hint, /a2enmod nextauth.*docs\/directives\.md/, '  and the hint');
  const without = await ask(t, {}, { config: '', without: true });
  t.is([without.status, without.rows.map(({ message }) => message)], [1, ['this httpd does not load mod_nextauth']], 'a server without the module');
  t.like(without.rows[0].hint, /a2enmod nextauth/, '  and the hint');
  const warned = await ask(t, { vhost: '<VirtualHost nowhere.invalid:9>\n</VirtualHost>' });
  t.ok(warned.rows.some(({ group, state, message }) => group === 'httpd' && state === 'warning' && /nowhere\.invalid/.test(message)), 'its warnings are warnings');
  t.is(warned.status, 0, '  and no failure');
  const off = await ask(t, { engine: 'NextAuthEngine Off', secret: 'NextAuthSecret x' });
  t.is([off.status, off.rows.map(({ state, subject }) => [state, subject])], [0, [['warning', 'NextAuthEngine']]], 'an engine that is off: nothing is checked, which is said');

  t.section('calls');
  const run = (...args) => spawnSync(ctlFile, args, { encoding: 'utf8', env: { ...process.env, LD_PRELOAD: '' } });
  t.is([run('check', '--nonsense').status, run('check', 'x').status, run('check', '--config').status], [2, 2, 2], 'a wrong call is 2');
  const nobody = run('check', '--httpd', '/nowhere/httpd');
  t.is(nobody.status, 1, 'a program that is not there is 1');
  t.like(nobody.stdout, /✗ httpd +could not run '\/nowhere\/httpd': No such file/, '  and named');
  t.is(JSON.parse(run('check', '--json', '--httpd', '/nowhere/httpd').stdout).wrong, 1, '  as JSON, too');
  const plain = await t.configtest({ files, config: written({ age: 'NextAuthSessionMaxAge 5', idle: 'NextAuthSessionIdleTimeout 5' }) });
  t.unlike(plain.output, /IdleTimeout/, 'configtest ends at the first mistake, as ever');
}

async function starting(t) {
  t.section('what a start opens');
  const certificates = makeFolder(t);
  certify(certificates, 'web', 'web');
  const host = (port, line) => `<VirtualHost *:${port}>\nNextAuthURL https://h${port}.example.org\n${line}\n</VirtualHost>`;
  const hook = (secret) => `NextAuthEvent all https://hook.example.org secret=env:${secret}`;
  for (const [subject, change, message, hint] of [
    ['NextAuthEventQueue', { event: hook('A'), queue: 'NextAuthEventQueue /etc/passwd' }, /^'\/etc\/passwd' is not a directory$/, /^use another directory$/],
    ['NextAuthAuditLog', { audit: 'NextAuthAuditLog @DIR@/text.log' }, /could not continue '\S+\/text\.log': it does not end with a record/, null],
    ['NextAuthLog', { log: 'NextAuthLog json @DIR@/none/auth.log' }, /^directory '\S+\/none' does not exist$/, /^mkdir /],
    ['NextAuthSOCache', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache dbm:/nonexistent/x' }, /^dbm:\/nonexistent\/x: directory '\/nonexistent' does not exist/, /^mkdir \/nonexistent$/],
    ['NextAuthEvent', { one: host(9, hook('A')), other: host(10, hook('B')) }, /has a different secret= in another virtual host$/, /^set the same secret=/],
    ['NextAuthAuditLog', { one: host(9, 'NextAuthAuditLog @DIR@/a.log'), other: host(10, 'NextAuthAuditLog @DIR@/a.log key=env:A') }, /\/a\.log' has a different key= in another virtual host$/, /^set the same key=/],
    ['NextAuthHTTP', { http: 'NextAuthHTTP caFile=/nonexistent' }, /^could not read '\/nonexistent': No such file/, /./],
  ]) {
    const result = await ask(t, change, { files: { ...files, 'text.log': 'some text\n' }, modules: ['socache_dbm'], env: { A: SECRET, B: `${SECRET}2` } });
    const [row, ...more] = result.rows.filter(({ state }) => state === 'wrong');
    t.is([result.status, row?.subject, more], [1, subject, []], `${subject}: ${message}`);
    t.like(row?.message || '', message, '  is explained');
    if (hint) t.like(row?.hint || '', hint, '  with a hint');
    const lines = fs.readFileSync(`${result.dir}/httpd.conf`, 'utf8').split('\n');
    t.ok(row?.file === `${result.dir}/httpd.conf` && lines[row.line - 1].startsWith(subject), '  at its line', JSON.stringify(row));
    t.unlike(result.stdout, new RegExp(SECRET), '  without a secret');
  }

  if (process.getuid() !== 0) return t.skip('what httpd\'s children cannot read', 'only root starts children that are another user');
  for (const [subject, change] of [
    ['NextAuthProvider', { provider: 'NextAuthProvider credentials backend=file:@DIR@/roots' }],
    ['NextAuthRedis', { store: 'NextAuthSessionStore redis', redis: `NextAuthRedis rediss://localhost certFile=${certificates}/web.pem keyFile=${certificates}/web.key` }],
  ]) {
    fs.chmodSync(`${certificates}/web.key`, 0o600);
    const result = await ask(t, change, { files: { ...files, roots: { text: files.users, mode: 0o600 } } });
    const [row] = result.rows.filter(({ state }) => state === 'wrong');
    t.is([result.status, row?.subject], [1, subject], `${subject}: a file that httpd's children cannot read`);
    t.like(row?.message || '', /^child processes: could not read '\S+': Permission denied$/, '  is explained');
    t.like(row?.hint || '', /^run chgrp \d+ '\S+' && chmod g\+r/, '  with a hint');
  }
}

// ── connections ─────────────────────────────────────────────────────────────────────────────────

const development = { mode: 'NextAuthMode development', url: 'NextAuthURL http://localhost:@PORT@' };
const connected = async (t, change, options = {}) => {
  const result = await ask(t, { ...development, ...change }, { ...options, args: ['--connect'] });
  return { ...result, of: (subject) => rowsOf(result, subject, 'connections') };
};

async function providers(t) {
  t.section('--connect: providers');
  const op = await startOp(t, { clients: [{ client_id: 'a', client_secret: LITERAL, redirect_uris: ['http://localhost/x'] }] });
  const skewed = http.createServer((request, response) => {
    response.setHeader('date', new Date(Date.now() + 3_600_000).toUTCString());
    response.writeHead(405).end();
  });
  await new Promise((resolve) => { skewed.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => skewed.close());
  const other = `http://localhost:${skewed.address().port}`;
  const dead = `http://localhost:${await freePort()}`;
  const acme = (issuer) => `NextAuthProvider acme type=oidc issuer=${issuer} clientId=a clientSecret=${LITERAL}`;

  const up = await connected(t, { provider: acme(op.issuer) });
  t.is([up.status, up.told.connected, short(up.of('acme'))], [0, true, [['ok', 'discovery document and key set are available, and the issuer matches']]], 'an OpenID provider', JSON.stringify(up.rows));
  t.is(up.of('clock').map(({ state }) => state), ['ok'], 'and its clock');
  const issuer = await connected(t, { provider: `${acme(`${op.issuer}/`)} wellKnown=${op.issuer}/.well-known/openid-configuration` });
  t.is([issuer.status, issuer.of('acme')[0].state], [1, 'wrong'], 'another issuer');
  t.like(issuer.of('acme')[0].message, /the discovery document has the issuer '\S+', which does not match issuer=\S+\/$/, '  is named');
  t.like(issuer.of('acme')[0].hint, /^if that is your provider, set issuer=\S+[^\/]$/, '  and that is the value to set');
  const rogue = await startRogue(t);
  rogue.faults.post = { discovery: { token_endpoint_auth_methods_supported: ['client_secret_post'] } };
  const client = (more) => acme(rogue.issuer('post')) + more;
  const basic = await connected(t, { provider: client(' token_endpoint_auth_method=client_secret_basic') });
  t.like(basic.of('acme').map(({ state, message }) => `${state}: ${message}`).join('\n'), /warning: the provider does not offer token_endpoint_auth_method=client_secret_basic/, 'a way to prove oneself that discovery does not offer');
  t.is((await connected(t, { provider: client('') })).of('acme').map(({ state }) => state), ['ok'], '  and one that it does');
  const down = await connected(t, { provider: [acme(dead), `NextAuthProvider forge type=oauth authorization=${dead}/a token=${dead}/t userinfo=${dead}/u clientId=a clientSecret=${LITERAL}`] });
  t.is([down.status, down.of('acme')[0].state, down.of('forge')[0].state], [1, 'wrong', 'wrong'], 'those that do not answer');
  t.like(down.of('forge')[0].message, /calling http:\/\/localhost:\d+ failed/, '  are named');
  t.ok(down.of('acme')[0].hint, '  with a hint');
  const clock = await connected(t, { provider: `NextAuthProvider forge type=oauth authorization=${other}/a token=${other}/t userinfo=${other}/u clientId=a clientSecret=${LITERAL}` });
  t.is([clock.status, short(clock.of('forge'))], [0, [['ok', 'authorization and token endpoints respond']]], 'a plain OAuth provider only has to answer');
  t.is(clock.of('clock')[0].state, 'warning', 'a clock that is an hour away is a warning');
  t.like(clock.of('clock')[0].message, /this machine's clock is (3599|3600|3601) s behind that of 'forge'/, '  that says whose');
  const authority = await connected(t, { provider: acme(other.replace('http:', 'https:')), http: 'NextAuthHTTP caFile=@DIR@/users' });
  t.like(authority.of('acme')[0].hint, /NextAuthHTTP caFile=\S+\/users contains certificates/, 'a file of authorities that is none is named');
  for (const one of [up, issuer, down, clock]) t.unlike(one.stdout, new RegExp(LITERAL), 'no secret is said');
}

async function redis(t) {
  t.section('--connect: session stores');
  if (!redisIsHere()) return t.skip('Redis', 'redis-server is not here');
  const server = await startRedis(t, { acl: { user: 'web', password: LITERAL } });
  const stores = { store: 'NextAuthSessionStore redis socache', redis: `NextAuthRedis ${server.url}`, cache: 'NextAuthSOCache shmcb:@DIR@/cache(100000)' };
  const up = await connected(t, stores);
  t.is([up.status, short(up.of('redis')).map(([state]) => state)], [0, ['ok', 'warning']], 'Redis answers', JSON.stringify(up.rows));
  t.like(up.of('socache')[0].message, /^not checked: it is in the memory of the running server/, 'socache is passed over, and why');
  t.like(up.of('redis')[1].message, /^could not determine whether Redis at \S+ keeps its entries: .*INFO/i, 'and whether it keeps what it has, if its user may not ask');
  await server.cli('ACL', 'SETUSER', 'web', '+info');
  const off = await connected(t, stores);
  t.like(off.of('redis')[1].message, /has appendonly off: if it restarts, sessions that were signed out since its last snapshot are valid again/, 'appendonly off is a warning');
  await server.cli('CONFIG', 'SET', 'maxmemory', '100mb', 'maxmemory-policy', 'allkeys-lru');
  const evicting = await connected(t, stores);
  t.like(evicting.of('redis')[1].message, /evicts entries when its memory is full \(maxmemory-policy allkeys-lru\)/, 'as is an eviction policy');
  await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction', 'appendonly', 'yes');
  t.is(short((await connected(t, stores)).of('redis')).map(([state]) => state), ['ok'], 'a Redis that keeps what it has is not');
  const refused = await connected(t, { ...stores, redis: `NextAuthRedis ${server.url.replace(LITERAL, 'geheim-literal-5u')}` });
  t.is([refused.status, refused.of('redis')[0].state], [1, 'wrong'], 'a wrong password');
  await server.stop();
  const down = await connected(t, stores);
  t.is([down.status, down.of('redis')[0].state], [1, 'wrong'], 'a dead one');
  t.like(down.of('redis')[0].hint, /check that it is running/, '  with a hint');
  for (const one of [up, refused, down]) t.unlike(one.stdout, /geheim-literal/, 'no password is said');
}

async function databases(t) {
  t.section('--connect: databases');
  const here = databasesHere();
  const modules = ['watchdog'];
  if (here.sqlite) {
    const db = sqlite(t);
    const config = { db: `NextAuthDatabase ${db.url}`, store: 'NextAuthSessionStore database' };
    const missing = await connected(t, config, { modules });
    t.is([missing.status, missing.of('NextAuthDatabase')[0].state], [1, 'wrong'], 'a file of SQLite that is not there');
    t.like(missing.of('NextAuthDatabase')[0].hint, /nextauthctl migrate/, '  is to be made by nextauthctl migrate');
    t.ok(!fs.existsSync(db.file), '  and not by the check, whose user is not httpd\'s');
    await nextauthctl(db, ['migrate', '--to', '1']);
    const old = await connected(t, config, { modules });
    t.is([old.status, old.of('NextAuthDatabase')[0].hint], [1, 'run nextauthctl migrate'], 'one that lacks a step');
    t.like(old.of('NextAuthDatabase')[0].message, /is at migration step 1 of \d+/, '  says which');
    await nextauthctl(db, ['migrate']);
    const good = await connected(t, config, { modules });
    t.is([good.status, short(good.of('NextAuthDatabase'))], [0, [['ok', `SQLite ${db.file} is available, and has all tables`]]], 'one that has all');
    await db.sql('ALTER TABLE nextauth_roles RENAME TO away');
    const bare = await connected(t, config, { modules });
    t.like(bare.of('NextAuthDatabase')[0].message, /table nextauth_roles does not exist/, 'one that lost a table of the module\'s');
    await db.sql('ALTER TABLE away RENAME TO nextauth_roles');
    await db.sql('DROP TABLE accounts');
    const torn = await connected(t, config, { modules });
    t.like(torn.of('NextAuthDatabase')[0].message, /table accounts does not exist/, 'one that lost a table');
  } else t.skip('SQLite', here.lacking.join(', '));
  if (!here.postgres) return t.skip('PostgreSQL', here.lacking.join(', '));
  const db = await startPostgres(t, { password: LITERAL });
  await nextauthctl(db, ['migrate']);
  const dead = `postgresql://nextauth:${LITERAL}@127.0.0.1:${await freePort()}/nextauth`;
  const config = { db: `NextAuthDatabase ${db.url} replica=${dead}` };
  const up = await connected(t, config, { modules });
  t.is([up.status, up.of('NextAuthDatabase')[0].state, up.of('replica')[0].state], [1, 'ok', 'wrong'], 'PostgreSQL answers, its replica does not', JSON.stringify(up.rows));
  await db.stop();
  const down = await connected(t, config, { modules });
  t.is([down.status, down.of('NextAuthDatabase')[0].state], [1, 'wrong'], 'then neither');
  for (const one of [up, down]) t.unlike(one.stdout, new RegExp(LITERAL), 'no password is said');
}

async function mail(t) {
  t.section('--connect: mail');
  const server = await startMail(t, { tls: 'none', user: 'web', password: LITERAL });
  const config = (password) => ({ mail: `NextAuthMail ${server.url(`web:${password}@`)} from=a@example.org` });
  const up = await connected(t, config(LITERAL));
  t.is([up.status, short(up.of('NextAuthMail'))], [0, [['ok', `localhost:${server.port} is available, and accepts the password; no email was sent`]]], 'a mail server', JSON.stringify(up.rows));
  t.is([server.mails.length, server.attempts], [0, 0], '  to which no mail is sent');
  const refused = await connected(t, config('geheim-literal-5u'));
  t.is([refused.status, refused.of('NextAuthMail')[0].state], [1, 'wrong'], 'a wrong password');
  t.like(refused.of('NextAuthMail')[0].hint, /username and password/, '  with a hint');
  await server.stop();
  const down = await connected(t, config(LITERAL));
  t.is([down.status, down.of('NextAuthMail')[0].state], [1, 'wrong'], 'a dead one');
  for (const one of [up, refused, down]) t.unlike(one.stdout, /geheim-literal/, 'no password is said');
  const log = await connected(t, { mail: 'NextAuthMail log from=a@example.org' });
  t.is(short(log.of('NextAuthMail')), [['ok', 'not checked: emails are written to the error log']], 'mail to the log has nothing to try');
}

// ── modes ───────────────────────────────────────────────────────────────────────────────────────

async function modes(t) {
  t.section('development where others can reach it');
  const port = await freePort();
  const site = (listen) => ({ files, config: `${listen}\n${written({ ...development, url: 'NextAuthURL http://localhost:@PORT@' })}` });
  const open = await t.httpd(site(`Listen 0.0.0.0:${port}`));
  const banner = /<p class="error" role="alert">Development mode: do not use with real users<\/p>/;
  for (const page of ['/api/auth/signin', '/api/auth/signout', '/api/auth/error', '/api/auth/verify-request']) {
    t.like((await t.client(open).get(page)).text, banner, `${page} says so`);
  }
  t.like(open.log(), new RegExp(`\\*{20}[^]*is in development mode, but other machines can reach it: it listens on 0\\.0\\.0\\.0:${port}\\n[^]*do not use with real users[^]*NextAuthMode production[^]*\\*{20}`), 'so does the error log, in several lines and with the addresses');
  t.like(open.log(), /nextauth:crit/, '  at a level that is not turned off');
  const checked = await ask(t, development, { ...site(`Listen 0.0.0.0:${port}`), args: [] });
  t.is([checked.status, short(rowsOf(checked, 'mode'))], [1, [['wrong', `development mode, but other machines can reach it: it listens on 0.0.0.0:${port}`]]], 'so does nextauthctl check');
  t.like(rowsOf(checked, 'mode')[0].hint, /NextAuthMode production, or Listen only on 127\.0\.0\.1/, '  with the hint');
  await open.stop();
  const tested = await t.configtest(site('Listen 0.0.0.0:@PORT@'));
  t.is(tested.status, 0, 'configtest lets it pass');
  t.like(tested.output, /\*{20}[^]*other machines can reach it: it listens on 0\.0\.0\.0:\d+\n[^]*\*{20}[^]*Syntax OK/, '  and warns as loudly');

  const loopback = await t.httpd(site(''));
  t.unlike((await t.client(loopback).get('/api/auth/signin')).text, banner, 'on loopback pages are quiet');
  t.unlike(loopback.log(), /other machines can reach it/, '  as is the log');
  t.is(short(rowsOf(await ask(t, development), 'mode')), [['ok', 'development, and only this machine can reach it']], '  and the check');

  t.section('development behind a proxy');
  const reached = async (url) => rowsOf(await ask(t, { ...development, url }), 'mode')[0];
  const proxied = await reached('NextAuthURL https://www.example.org');
  t.is([proxied.state, proxied.message], ['wrong', 'development mode, but other machines can reach it: its URL is https://www.example.org'], 'a loopback listener with an address of others is reached by them');
  t.like(proxied.hint, /NextAuthMode production.*NextAuthURL http:\/\/localhost/, '  with the hint');
  for (const host of ['localhost.example.org', 'notlocalhost', '192.168.1.7', '[2001:db8::1]']) {
    t.is((await reached(`NextAuthURL http://${host}:@PORT@`)).state, 'wrong', `${host} is such an address`);
  }
  for (const host of ['app.localhost', '127.8.9.10', '[::1]']) {
    t.is((await reached(`NextAuthURL http://${host}:@PORT@`)).state, 'ok', `${host} is this machine`);
  }
  const behind = await t.httpd({ files, config: written({ ...development, url: 'NextAuthURL https://www.example.org' }) });
  t.like((await t.client(behind).get('/api/auth/signin')).text, banner, 'pages say so');
  t.like(behind.log(), /nextauth:crit.*other machines can reach it: its URL is https:\/\/www\.example\.org/, '  as does the log');

  t.section('the other modes');
  const open0 = (change) => ask(t, { ...change, listen: `Listen 0.0.0.0:${port}` });
  t.is(short(rowsOf(await open0({}), 'mode')), [['ok', 'production']], 'production may be reached');
  t.is(rowsOf(await open0({ mode: 'NextAuthMode test' }), 'mode')[0].state, 'wrong', 'test may not');
  const host = (address) => ({ engine: '', mode: '', url: 'NextAuthURL http://localhost:@PORT@', vhost: `<VirtualHost ${address}>\nNextAuthEngine On\nNextAuthMode development\n</VirtualHost>` });
  t.is(rowsOf(await open0(host(`*:${port}`)), 'mode')[0].state, 'wrong', 'nor may a virtual host in development there');
  t.is(rowsOf(await open0(host(`127.0.0.1:${port}`)), 'mode')[0].state, 'ok', '  but one of a loopback address may');
  t.is(rowsOf(await open0(host('*:9')), 'mode')[0].state, 'ok', '  or one of another port');
}

suite('nextauthctl check says what is wrong with a configuration, and how to fix it', async (t) => {
  t.withOneMpm();
  for (const part of [right, around, wrong, hints, equalSites, secrets, programs, environment, variables, details, httpdItself, starting, providers, redis, databases, mail, modes]) await part(t);
});
