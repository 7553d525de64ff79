#!/usr/bin/env node
'use strict';
// The environment file of a NextAuth project as the configuration of a site: NextAuthFromEnv.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, ctlFile, freePort, htpasswd } = require('./lib/httpd.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const PRIVATE = 'geheim-7Kq';
const modules = ['watchdog'];

// As the operations guide has it.
const production = (database) => `# .env.production
NODE_ENV=production
NEXTAUTH_URL=https://yourdomain.com
NEXTAUTH_SECRET=${SECRET}

GOOGLE_CLIENT_ID=a.apps.googleusercontent.com
GOOGLE_CLIENT_SECRET=${PRIVATE}
GITHUB_ID=b
GITHUB_SECRET=${PRIVATE}
FACEBOOK_CLIENT_ID=c
FACEBOOK_CLIENT_SECRET=${PRIVATE}
AZURE_AD_CLIENT_ID=d
AZURE_AD_CLIENT_SECRET=${PRIVATE}
AZURE_AD_TENANT_ID=c0ffee00-0000-4000-8000-000000000000

DATABASE_URL=${database}
REDIS_URL="redis://:${PRIVATE}@localhost:6379"
SENDGRID_API_KEY=SG.${PRIVATE}
EMAIL_FROM="Your Domain <noreply@yourdomain.com>"

SENTRY_DSN=https://abc@sentry.example.org/1
LOG_LEVEL=info
ENABLE_RATE_LIMITING=true
`;

const variablesOf = (text) => text.split('\n').filter((line) => /^\w+=/.test(line)).map((line) => line.split('=')[0]);
const withFile = (text) => ({ users: htpasswd({ ada: 'x' }), env: { text, mode: 0o600 } });
// LogLevel of the tests themselves would take precedence.
const base = 'LogLevel warn\nNextAuthEngine On\nNextAuthEnvFile @DIR@/env\nNextAuthFromEnv On';

// nextauthctl check --json of a site that has a file of variables, and these lines.
async function ask(t, text, lines = '', options = {}) {
  const told = await check(t, { files: withFile(text), config: `${base}\n${lines}`, modules, ...options }, ['--json']);
  return { ...told, rows: told.told.findings };
}
const rowOf = ({ rows }, name) => rows.find(({ group, subject }) => group === 'environment' && subject === name);
const said = (told, name) => rowOf(told, name)?.message.replace(/^set in NextAuthEnvFile,? ?/, '');
const wrongs = ({ rows }) => rows.filter(({ state }) => state === 'wrong').map(({ subject, message, line }) => [subject, message, line]);
const providersOf = ({ rows }) => [...new Set(rows.filter(({ group }) => group === 'providers').map(({ subject }) => subject))].sort();

async function whole(t) {
  t.section('the guide\'s file');
  const here = databasesHere();
  const database = here.postgres ? `postgresql://app:${PRIVATE}@db.yourdomain.com:5432/auth?sslmode=require` : 'file:db';
  if (!here.postgres && !here.sqlite) return t.skip('the guide\'s file', `install ${here.lacking.join(' ')}`);
  const text = production(database);
  const told = await ask(t, text);
  t.is([told.status, wrongs(told)], [0, []], 'is a configuration without a mistake');
  for (const name of variablesOf(text)) t.is(said(told, name), 'and used', `${name} is used`);
  const lines = text.split('\n');
  t.is(rowOf(told, 'SENDGRID_API_KEY').line, lines.findIndex((line) => line.startsWith('SENDGRID')) + 1, 'with its line');
  t.is(providersOf(told), ['azure-ad', 'email', 'facebook', 'github', 'google'], 'its providers are the site\'s');
  t.is(told.rows.find(({ subject }) => subject === 'URL').message, 'https://yourdomain.com/api/auth', 'its URL is the site\'s');
  t.is(told.rows.find(({ subject, group }) => subject === 'email' && group === 'providers').message, 'links by email, through sendgrid', 'its mail service sends links');
  t.unlike(told.stdout, new RegExp(`${PRIVATE}|${SECRET}`), 'no value is shown');
  t.is((await t.configtest({ files: withFile(text), config: base, modules })).output.trim(), 'Syntax OK', 'httpd takes it without a warning');

  const off = await check(t, { files: withFile(text), config: 'NextAuthEngine On\nNextAuthEnvFile @DIR@/env\nNextAuthProvider google', modules }, ['--json']);
  const unused = { rows: off.told.findings };
  t.is(['DATABASE_URL', 'SENDGRID_API_KEY', 'LOG_LEVEL'].map((name) => said(unused, name)), Array(3).fill('not used: NextAuthFromEnv is Off'), 'without NextAuthFromEnv, check says which it would use');
  t.is(['NEXTAUTH_SECRET', 'GOOGLE_CLIENT_ID', 'SENTRY_DSN'].map((name) => said(unused, name)), Array(3).fill('and used'), '  and those that stand in for directives anyway are used');

  const more = await ask(t, text, 'NextAuthURL https://other.example.org\nNextAuthDatabase sqlite:@DIR@/db\nNextAuthFeature rateLimiting Off\nLogLevel nextauth:debug\nNextAuthSessionStore none\nNextAuthSentry Off\nNextAuthMode production');
  for (const [name, directive] of [['NEXTAUTH_URL', 'NextAuthURL'], ['DATABASE_URL', 'NextAuthDatabase'], ['ENABLE_RATE_LIMITING', 'NextAuthFeature rateLimiting'], ['REDIS_URL', 'NextAuthSessionStore'], ['SENTRY_DSN', 'NextAuthSentry'], ['NODE_ENV', 'NextAuthMode']])
    t.like(said(more, name), new RegExp(`^not used: ${directive} on line \\d+ of \\S+ takes precedence$`), `${directive} takes precedence over ${name}`);
  t.is(said(more, 'LOG_LEVEL'), 'not used: LogLevel nextauth:LEVEL takes precedence', 'LogLevel takes precedence over LOG_LEVEL');
}

// The variables of a provider, in the names of Auth.js v5 or of NextAuth v4.
function variablesOfProvider({ id, requires }, isV5) {
  const stem = id.toUpperCase().replaceAll('-', '_');
  const name = (kind) => (isV5 ? `AUTH_${stem}_${kind}` : `${stem}_${{ ID: 'CLIENT_ID', SECRET: 'CLIENT_SECRET' }[kind] || kind}`);
  const needs = { issuer: ['ISSUER', `https://${id}.example.org`], tenant: ['TENANT_ID', 'c0ffee00-0000-4000-8000-000000000000'] };
  return [['ID', `of-${id}`], ['SECRET', PRIVATE], ...requires.split(', ').filter(Boolean).map((option) => needs[option])].map(([kind, value]) => [name(kind), value]);
}

async function catalogue(t) {
  t.section('every provider of the catalogue');
  const all = JSON.parse(execFileSync(ctlFile, ['providers', '--json'], { encoding: 'utf8' }));
  const withClients = all.filter(({ type }) => type !== 'email');
  const entries = withClients.filter(({ requires }) => ['', 'issuer', 'issuer, tenant'].includes(requires));
  t.is(withClients.filter((entry) => !entries.includes(entry)).map(({ id }) => id), ['netsuite'], 'only one requires more than variables can say: its URLs');
  t.ok(['discord', 'keycloak', 'fusionauth'].every((id) => entries.some((entry) => entry.id === id)), 'of the others, some require an issuer, or a tenant too');
  for (const [what, isV5] of [['Auth.js v5', true], ['NextAuth v4', false]]) {
    const these = entries.filter(({ id }) => isV5 || !/^\d/.test(id)); // no variable's name begins with a digit
    const set = these.flatMap((entry) => variablesOfProvider(entry, isV5));
    const text = `${isV5 ? 'AUTH' : 'NEXTAUTH'}_URL=https://www.example.org\n${isV5 ? 'AUTH' : 'NEXTAUTH'}_SECRET=${SECRET}\n${set.map((pair) => `${pair.join('=')}\n`).join('')}`;
    const told = await ask(t, text);
    t.is([told.status, wrongs(told)], [0, []], `${what}: all of them are a configuration without a mistake`);
    t.is(set.map(([name]) => name).filter((name) => said(told, name) !== 'and used'), [], '  and each variable is used');
    const ids = these.map(({ id }) => id).sort();
    t.is(providersOf(told), ids, '  the providers are the site\'s');
    const site = await t.httpd({ files: withFile(text), modules, config: base });
    const offered = (await t.client(site).get('/api/auth/providers')).json;
    t.is(Object.keys(offered).sort(), ids, '  and a site that runs offers them');
    const shown = (await t.client(site).page('/api/auth/signin')).text;
    t.is(ids.filter((id) => !shown.includes(`/api/auth/signin/${id}"`)), [], '  on its page, too');
    for (const [id, place] of [['discord', 'https://discord.com'], ['mastodon', 'https://mastodon.example.org']]) {
      const url = new URL((await t.client(site).signIn(id)).location);
      t.is([url.origin, url.searchParams.get('client_id')], [place, `of-${id}`], `  ${id}: a sign-in goes where they say`);
    }
  }
}

const small = `NEXTAUTH_URL=https://app.example.org\nNEXTAUTH_SECRET=${SECRET}\nGOOGLE_CLIENT_ID=a\nGOOGLE_CLIENT_SECRET=${PRIVATE}\n`;

async function others(t) {
  t.section('other names');
  const sqliteIsHere = databasesHere().sqlite;
  const sender = 'EMAIL_FROM=a@example.org';
  for (const [what, text, used, mail] of [
    ['an SMTP URL', `EMAIL_SERVER=smtps://u:${PRIVATE}@mail.example.org\n${sender}`, ['EMAIL_SERVER', 'EMAIL_FROM'], /mail\.example\.org:465/],
    ['an SMTP server in parts', `EMAIL_SERVER_HOST=mail.example.org\nEMAIL_SERVER_PORT=2525\nEMAIL_SERVER_USER=u\nEMAIL_SERVER_PASSWORD=${PRIVATE}\n${sender}`,
      ['EMAIL_SERVER_HOST', 'EMAIL_SERVER_PORT', 'EMAIL_SERVER_USER', 'EMAIL_SERVER_PASSWORD'], /mail\.example\.org:2525/],
    ['an SMTP server with TLS from the first byte', `EMAIL_SERVER_HOST=mail.example.org\nEMAIL_SERVER_PORT=465\n${sender}`, ['EMAIL_SERVER_HOST', 'EMAIL_SERVER_PORT'], /mail\.example\.org:465/],
    ['SES', `AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=${PRIVATE}\nAWS_SESSION_TOKEN=t\nAWS_REGION=eu-central-1\n${sender}`, ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN', 'AWS_REGION'], /through ses$/],
    ['Resend', `RESEND_API_KEY=${PRIVATE}\n${sender}`, ['RESEND_API_KEY'], /through resend$/],
    ['Resend of Auth.js', `AUTH_RESEND_KEY=${PRIVATE}\n${sender}`, ['AUTH_RESEND_KEY'], /through resend$/],
    ['SendGrid of Auth.js', `AUTH_SENDGRID_KEY=${PRIVATE}\n${sender}`, ['AUTH_SENDGRID_KEY'], /through sendgrid$/],
    ['Postmark', `POSTMARK_API_TOKEN=${PRIVATE}\n${sender}`, ['POSTMARK_API_TOKEN'], /through postmark$/],
    ['Postmark of Auth.js', `AUTH_POSTMARK_KEY=${PRIVATE}\n${sender}`, ['AUTH_POSTMARK_KEY'], /through postmark$/],
    ['Mailgun', `MAILGUN_API_KEY=${PRIVATE}\nMAILGUN_DOMAIN=mg.example.org\n${sender}`, ['MAILGUN_API_KEY', 'MAILGUN_DOMAIN'], /through mailgun$/],
    ['Mailgun of Auth.js', `AUTH_MAILGUN_KEY=${PRIVATE}\nMAILGUN_DOMAIN=mg.example.org\n${sender}`, ['AUTH_MAILGUN_KEY', 'MAILGUN_DOMAIN'], /through mailgun$/],
    ['Forward Email', `AUTH_FORWARDEMAIL_KEY=${PRIVATE}\n${sender}`, ['AUTH_FORWARDEMAIL_KEY'], /through forwardemail$/],
    ['Loops', `AUTH_LOOPS_KEY=${PRIVATE}\nAUTH_LOOPS_TRANSACTIONAL_ID=cm0\n${sender}`, ['AUTH_LOOPS_KEY', 'AUTH_LOOPS_TRANSACTIONAL_ID'], /through loops$/],
  ]) {
    if (!sqliteIsHere) { t.skip(what, 'no SQLite'); continue; }
    const told = await ask(t, `${small}DATABASE_URL=file:db\n${text}\n`);
    t.is(wrongs(told), [], `${what} is right`);
    t.is(used.map((name) => said(told, name)), used.map(() => 'and used'), '  and used');
    t.like(told.rows.find(({ subject, group }) => subject === 'email' && group === 'providers')?.message || '', mail, '  for links');
  }
  for (const name of sqliteIsHere ? ['DATABASE_URL', 'NEXTAUTH_DATABASE_URL', 'AUTH_DRIZZLE_URL'] : []) t.is(said(await ask(t, `${small}${name}=file:${sqlite(t).file}\n`), name), 'and used', `${name} is used`);

  const v5 = await ask(t, `AUTH_URL=https://app.example.org\nAUTH_SECRET=${SECRET}\nAUTH_SECRET_1=${SECRET.toLowerCase()}\nAUTH_TRUST_HOST=true
AUTH_MICROSOFT_ENTRA_ID_ID=a\nAUTH_MICROSOFT_ENTRA_ID_SECRET=${PRIVATE}\nAUTH_MICROSOFT_ENTRA_ID_ISSUER=https://login.microsoftonline.com/c0ffee00-0000-4000-8000-000000000000/v2.0
AUTH_GITHUB_ID=a\nAUTH_GITHUB_SECRET=${PRIVATE}\n`);
  t.is([v5.status, wrongs(v5)], [0, []], 'the names of Auth.js v5 are right');
  for (const name of ['AUTH_URL', 'AUTH_SECRET', 'AUTH_SECRET_1', 'AUTH_MICROSOFT_ENTRA_ID_ID', 'AUTH_MICROSOFT_ENTRA_ID_ISSUER', 'AUTH_GITHUB_SECRET']) t.is(said(v5, name), 'and used', `${name} is used`);
  const trust = rowOf(v5, 'AUTH_TRUST_HOST');
  t.is([trust.state, trust.hint, trust.message], ['ok', null, 'set in NextAuthEnvFile; nothing to set: a request\'s headers select at most one of the URLs of NextAuthURL'], 'AUTH_TRUST_HOST has nothing to do, and alarms nobody');
  t.is(providersOf(v5), ['github', 'microsoft-entra-id'], 'and its providers are the site\'s');

  t.section('near misses');
  const slips = await ask(t, `${small}MONGODB_URL=x\nENABLE_RATE_LIMITTING=true\nSENDGRID_APIKEY=x\nSTRIPE_KEY=${PRIVATE}\n`);
  for (const [name, meant] of [['MONGODB_URL', 'MONGODB_URI'], ['ENABLE_RATE_LIMITTING', 'ENABLE_RATE_LIMITING'], ['SENDGRID_APIKEY', 'SENDGRID_API_KEY']])
    t.is([rowOf(slips, name)?.state, rowOf(slips, name)?.hint], ['warning', `check whether ${meant} is meant`], name);
  t.is(rowOf(slips, 'NextAuthEnvFile').message, 'not variables of mod_nextauth: STRIPE_KEY', 'another program\'s are left alone');
}

async function contradictions(t) {
  t.section('two of a kind');
  if (!databasesHere().sqlite) return t.skip('two of a kind', 'SQLite is not here');
  const both = (text) => ask(t, `${small}${text}\n`);
  for (const [winner, loser, text, order, directive] of [
    ['DATABASE_URL', 'MONGODB_URI', `MONGODB_URI=mongodb://localhost/a\nDATABASE_URL=file:${sqlite(t).file}`, 'NEXTAUTH_DATABASE_URL, DATABASE_URL, AUTH_DRIZZLE_URL, MONGODB_URI', 'NextAuthDatabase'],
    ['SENDGRID_API_KEY', 'AWS_ACCESS_KEY_ID', 'AWS_ACCESS_KEY_ID=a\nSENDGRID_API_KEY=b\nEMAIL_FROM=a@example.org', null, 'NextAuthMail'],
    ['EMAIL_SERVER', 'SENDGRID_API_KEY', 'EMAIL_SERVER=smtp://localhost\nSENDGRID_API_KEY=b\nEMAIL_FROM=a@example.org', null, 'NextAuthMail'],
    ['NEXTAUTH_URL', 'AUTH_URL', 'AUTH_URL=https://other.example.org', 'NEXTAUTH_URL, AUTH_URL', 'NextAuthURL'],
    ['NEXTAUTH_SECRET', 'AUTH_SECRET', `AUTH_SECRET=${SECRET.toLowerCase()}`, null, 'NextAuthSecret'],
  ]) {
    const told = await both(text);
    const row = rowOf(told, loser);
    t.is([wrongs(told), said(told, winner)], [[], 'and used'], `${winner} and ${loser}: the first is used`);
    t.is([row?.state, row?.hint], ['warning', `remove one of them, or set ${directive}`], `  ${loser} is warned of`);
    t.like(row?.message || '', new RegExp(`not used: ${winner} takes precedence; the first of these variables that is set is used: ${order || '.*'}$`), '  with the reason');
  }
  const same = await both('AUTH_URL=https://app.example.org');
  t.is(rowOf(same, 'AUTH_URL').state, 'ok', 'two of the same value do not contradict each other');
  const keys = await both(`AWS_ACCESS_KEY_ID=a\nAWS_SECRET_ACCESS_KEY=${PRIVATE}\nAWS_REGION=eu-central-1`);
  t.is([wrongs(keys), rowOf(keys, 'AWS_ACCESS_KEY_ID')?.state], [[], 'ok'], 'keys of AWS without a sender are for something else');
}

// A feature, its variable, a site that has what it is about, and what check and diagnostics say with it on and off.
const switches = [
  ['oauth', 'ENABLE_OAUTH', 'NextAuthProvider google clientId=a clientSecret=env:HOME\nNextAuthProvider acme type=oauth authorization=https://x/a token=https://x/t userinfo=https://x/u clientId=a clientSecret=env:HOME',
    /^off: providers that are left out: google, acme$/],
  ['magicLinks', 'ENABLE_MAGIC_LINKS', 'NextAuthProvider email\nNextAuthMail log from=a@example.org\nNextAuthDatabase sqlite:db', /^off: providers that are left out: email$/],
  ['rateLimiting', 'ENABLE_RATE_LIMITING', '', null],
  ['auditLogging', 'ENABLE_AUDIT_LOGGING', 'NextAuthDatabase sqlite:db', /^off: nothing is recorded in an audit log$/],
];

async function features(t) {
  t.section('switches');
  if (!databasesHere().sqlite) return t.skip('switches', 'SQLite is not here');
  const whole = `NEXTAUTH_URL=http://localhost\nNEXTAUTH_SECRET=${SECRET}\nNODE_ENV=test\n`;
  const own = 'NextAuthProvider credentials backend=file:@DIR@/users';
  const listed = (told, on) => told.rows.find(({ subject }) => subject === 'features').message.split('; ').find((list) => list.startsWith(on ? 'on: ' : 'off: ')).slice(on ? 4 : 5).split(', ');
  for (const [name, variable, site, offMeans] of switches) {
    for (const on of [true, false]) {
      const told = await ask(t, `${whole}${variable}=${on}\n`, `${own}\n${site}`);
      t.is([said(told, variable), listed(told, on).includes(name)], ['and used', true], `${variable}=${on} is used, and ${name} is ${on ? 'on' : 'off'}`);
      const over = await ask(t, `${whole}${variable}=${!on}\n`, `${own}\n${site}\nNextAuthFeature ${name} ${on ? 'On' : 'Off'}`);
      t.like(said(over, variable), new RegExp(`^not used: NextAuthFeature ${name} on line`), `  NextAuthFeature ${name} ${on ? 'On' : 'Off'} takes precedence over it`);
      t.ok(listed(over, on).includes(name), '  and does the same');
      const row = over.rows.find(({ subject, group }) => subject === name && group === 'site');
      if (on || !offMeans) t.is(row, undefined, '  with nothing left out');
      else t.like(row?.message || '', offMeans, '  and check says what is left out');
    }
  }
  const asked = await ask(t, `${whole}ENABLE_2FA=true\n`, own);
  t.is([rowOf(asked, 'ENABLE_2FA').state, asked.status], ['warning', 0], 'ENABLE_2FA=true is warned of');
  t.like(rowOf(asked, 'ENABLE_2FA').message, /a second factor requires NextAuthDatabase/, '  because there is no database');
  t.like((await t.configtest({ files: withFile(whole), config: `${base}\n${own}\nNextAuthFeature 2fa On` })).output, /NextAuthFeature on line \d+ .*a second factor requires NextAuthDatabase/, '  and NextAuthFeature 2fa On is refused');
  t.is(said(await ask(t, `${whole}ENABLE_2FA=false\n`, own), 'ENABLE_2FA'), 'and used', '  but not ENABLE_2FA=false');

  const google = `${whole}GOOGLE_CLIENT_ID=a\nGOOGLE_CLIENT_SECRET=${PRIVATE}\nENABLE_OAUTH=false\n`;
  const without = await ask(t, google, own);
  t.is([providersOf(without), said(without, 'GOOGLE_CLIENT_ID')], [['credentials'], 'not used: NextAuthFeature oauth is Off'], 'a provider of the environment is left out, too');
  t.is(wrongs(await ask(t, google)).map(([subject, message]) => [subject, message]), [['NextAuthProvider', 'NextAuthFeature switches all providers off: users could not sign in']], 'but not all of them');
  t.is(wrongs(await ask(t, `${whole}ENABLE_MAGIC_LINKS=true\n`, own)).map(([subject, , line]) => [subject, line]), [['ENABLE_MAGIC_LINKS', 4]], 'links that nothing can send are a mistake of ENABLE_MAGIC_LINKS');
  const links = `${whole}EMAIL_SERVER=smtp://localhost\nEMAIL_FROM=a@example.org\nDATABASE_URL=file:db\n`;
  t.is([providersOf(await ask(t, links, own)), providersOf(await ask(t, `${links}ENABLE_MAGIC_LINKS=false\n`, own))], [['credentials', 'email'], ['credentials']], 'ENABLE_MAGIC_LINKS=false prevents links');
  t.is(wrongs(await ask(t, `${whole}ENABLE_AUDIT_LOGGING=true\n`, own)).map(([subject]) => subject), ['ENABLE_AUDIT_LOGGING'], 'an audit log that has no place is a mistake of ENABLE_AUDIT_LOGGING');

  const written = await ask(t, `${whole}ENABLE_AUDIT_LOGGING=false\n`, `${own}\nNextAuthDatabase sqlite:db\nNextAuthAuditLog database`);
  t.ok(listed(written, true).includes('auditLogging'), 'ENABLE_AUDIT_LOGGING=false does not switch off a NextAuthAuditLog that is written');
  t.is([rowOf(written, 'ENABLE_AUDIT_LOGGING').state, said(written, 'ENABLE_AUDIT_LOGGING')], ['warning', 'not used: NextAuthAuditLog takes precedence'], '  and is warned of', rowOf(written, 'ENABLE_AUDIT_LOGGING'));
  t.ok(listed(await ask(t, whole, `${own}\nNextAuthDatabase sqlite:db\nNextAuthAuditLog database\nNextAuthFeature auditLogging Off`), false).includes('auditLogging'), '  but NextAuthFeature auditLogging Off does');

  t.section('the audit log by default');
  for (const [mode, database, more, on] of [['production', 1, '', true], ['production', 0, '', false], ['test', 1, '', false], ['production', 1, 'ENABLE_AUDIT_LOGGING=false', false]]) {
    const told = await ask(t, `${whole.replace('http:', 'https:').replace('NODE_ENV=test', `NODE_ENV=${mode}`)}${more}\n`, `${own}${database ? '\nNextAuthDatabase sqlite:db' : ''}`);
    t.ok(listed(told, on).includes('auditLogging'), `${mode}, ${database ? 'a database' : 'no database'}${more && `, ${more}`}: ${on ? 'on' : 'off'}`, told.rows);
  }

  t.section('switches of a site that runs');
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const port = await freePort();
  const config = (on) => `${base}\nNextAuthURL http://localhost:${port}\n${own}\nNextAuthProvider google clientId=a clientSecret=env:HOME\nNextAuthDatabase sqlite:${db.file}
NextAuthMail log from=a@example.org\nNextAuthProvider email\nNextAuthSessionStore none\n${['oauth', 'magicLinks', 'auditLogging', 'rateLimiting'].map((name) => `NextAuthFeature ${name} ${on ? 'On' : 'Off'}`).join('\n')}
NextAuthRateLimit signIn address=1/600\n<Location /d>\nSetHandler nextauth-diagnostics\n</Location>`;
  const running = await t.httpd({ port, files: withFile(whole), modules, config: config(true) });
  const facts = async () => {
    const c = t.client(running);
    const told = (await c.get('/d')).json.features;
    await c.credentials('ada', 'wrong');
    const second = await c.credentials('ada', 'wrong');
    const { csrfToken } = (await c.get('/api/auth/csrf')).json;
    const google = await c.post('/api/auth/signin/google', { csrfToken });
    return {
      providers: Object.keys((await c.get('/api/auth/providers')).json).sort(),
      goes: /^https:\/\/accounts\.google\.com/.test(google.location || '') || google.status >= 500,
      limited: /RateLimited|TooMany/i.test(second.location || '') || second.status === 429,
      features: Object.keys(told).filter((name) => told[name]),
    };
  };
  const records = async () => Number((await db.sql('SELECT count(*) AS n FROM nextauth_audit'))[0].n);
  const on = await facts();
  t.is(on.providers, ['credentials', 'email', 'google'], 'on: all providers are offered');
  t.is(on.features, ['oauth', 'magicLinks', 'rateLimiting', 'auditLogging'], '  and diagnostics says which are on');
  t.ok(on.limited, '  attempts are limited');
  const before = await records();
  t.ok(before > 0, '  and recorded in the database');
  await running.reload(config(false));
  const off = await facts();
  t.is(off.providers, ['credentials'], 'off: the providers are left out');
  t.is([off.goes, off.features], [false, []], '  google refuses a sign-in, and diagnostics says so');
  t.ok(!off.limited, '  attempts are not limited');
  t.is(await records(), before, '  and nothing more is recorded');
}

async function wrongValues(t) {
  t.section('wrong values');
  for (const [name, value, message, more] of [
    ['NODE_ENV', 'staging', /^invalid mode 'staging'/],
    ['LOG_LEVEL', 'loud', /^invalid level 'loud': expected fatal, error, warn, info, debug, or trace/],
    ['ENABLE_RATE_LIMITING', 'maybe', /^invalid value 'maybe': expected true or false/],
    ['DATABASE_URL', 'nowhere', /^invalid URL: expected/],
    ['REDIS_URL', 'http://localhost', /redis:\/\//],
    ['EMAIL_FROM', 'nobody', /invalid sender/, 'RESEND_API_KEY=x'],
    ['SENDGRID_API_KEY', 'x', /missing from=/],
    ['AWS_ACCESS_KEY_ID', 'x', /ses/, 'EMAIL_FROM=a@example.org'],
    ['SENTRY_DSN', 'foo', /^invalid DSN/],
  ]) {
    const text = `${small}\n${name}=${value}\n${more || ''}\n`;
    const line = text.split('\n').findIndex((each) => each.startsWith(`${name}=`)) + 1;
    const told = await ask(t, text);
    t.is(told.status, 1, `${name}=${value} is a mistake`);
    t.is(wrongs(told).map(([subject, , at]) => [subject, at]), [[name, line]], '  of the variable, on its line, alone');
    t.like(wrongs(told)[0]?.[1] || '', message, '  which says what is expected');
    const { status, output } = await t.configtest({ files: withFile(text), config: base, modules });
    t.is(status, 1, '  httpd does not start with it');
    t.like(output, new RegExp(`${name} on line ${line} of \\S+/env: .*${message.source.replace(/^\^/, '')}`), '  and names variable, line, and file');
  }
}

async function running(t) {
  t.section('a site that runs with it');
  const here = databasesHere();
  if (!here.sqlite || !redisIsHere()) return t.skip('a running site', 'SQLite or Redis is not here');
  const db = sqlite(t);
  const redis = await startRedis(t);
  await nextauthctl(db, ['migrate']);
  const env = (level) => `NODE_ENV=test\nNEXTAUTH_URL=http://localhost:@PORT@\nNEXTAUTH_SECRET=${SECRET}\nDATABASE_URL=file:${db.file}\nREDIS_URL=${redis.url}
GITHUB_ID=a\nGITHUB_SECRET=${PRIVATE}\nEMAIL_SERVER=smtp://127.0.0.1:9\nEMAIL_FROM=a@example.org\nLOG_LEVEL=${level}\n`;
  const port = await freePort();
  const files = withFile(env('debug').replaceAll('@PORT@', port));
  const lines = `${base}\nNextAuthProvider credentials backend=file:@DIR@/users\n<Location /d>\nSetHandler nextauth-diagnostics\n</Location>\nPassEnv DATABASE_URL LOG_LEVEL`;
  const site = await t.httpd({ port, files, modules, config: lines, env: { AUTH_FACEBOOK_ID: 'x', AUTH_FACEBOOK_SECRET: 'y' } });
  const c = t.client(site);
  t.is(Object.keys((await c.get('/api/auth/providers')).json).sort(), ['credentials', 'email', 'facebook', 'github'], 'has the providers');
  await c.credentials('ada', 'x');
  t.ok((await redis.cli('DBSIZE')) !== '0', 'keeps sessions in Redis');
  const told = (await t.client(site).get('/d')).json;
  t.is([told.site.mode, told.database?.engine, told.mail?.transport, told.session.stores], ['test', 'sqlite', 'smtp', ['redis']], 'and says so in diagnostics');
  t.like(site.log(), /\[nextauth:debug\]/, 'and logs at LOG_LEVEL');
  fs.writeFileSync(path.join(site.dir, 'env'), env('error').replaceAll('@PORT@', port), { mode: 0o600 });
  await site.reload();
  const before = site.log().match(/\[nextauth:(debug|info)\]/g).length;
  await t.client(site).credentials('ada', 'x');
  t.is(site.log().match(/\[nextauth:(debug|info)\]/g).length, before, 'and at another after a reload');
}

suite('Environment: a NextAuth project\'s variables are the configuration of a site', async (t) => {
  t.withOneMpm();
  await whole(t);
  await catalogue(t);
  await others(t);
  await contradictions(t);
  await features(t);
  await wrongValues(t);
  await running(t);
});
