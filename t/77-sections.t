#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, htpasswd } = require('./lib/httpd.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const files = { users: htpasswd({ ada: 'x' }), secret: { text: `${SECRET}\n`, mode: 0o600 } };
const site = `NextAuthEngine On
NextAuthMode production
NextAuthURL https://app.example.org
NextAuthSecret file:@DIR@/secret
NextAuthSessionStore none`;
const users = 'NextAuthProvider credentials backend=file:@DIR@/users';
const client = 'clientId=a clientSecret=env:HOME';
const members = '<Location /members>\nAuthType NextAuth\nRequire valid-user\n</Location>';

const lineOf = (dir, text) => fs.readFileSync(path.join(dir, 'httpd.conf'), 'utf8').split('\n').indexOf(text) + 1;
const warnings = async (t, config, subject, options = {}) => {
  const { told, dir } = await check(t, { files, config, ...options }, ['--json']);
  return { dir, rows: told.findings.filter((row) => row.subject === subject && row.state !== 'ok') };
};

async function authType(t) {
  t.section('AuthType NextAuth that does nothing, or too much');
  const about = (config) => warnings(t, config, 'AuthType');
  const open = '<Location /open>\nAuthType NextAuth\n</Location>';
  const bare = await about(`${site}\n${users}\n${open}`);
  t.is(bare.rows.map(({ state, message, hint, file, line }) => [state, message, hint, file, line]),
    [['warning', 'the section has no Require: it protects nothing', 'add Require valid-user, or Require nextauth-role ROLE', `${bare.dir}/httpd.conf`, lineOf(bare.dir, 'AuthType NextAuth')]], 'check warns of one without Require, with its place');
  const tested = await t.configtest({ files, config: `${site}\n${users}\n${open}` });
  t.is(tested.status, 0, 'the configuration test passes');
  t.like(tested.output, new RegExp(`AuthType on line ${lineOf(tested.dir, 'AuthType NextAuth')} of \\S+httpd\\.conf: the section has no Require: it protects nothing: add Require valid-user`), '  and warns, too');
  for (const [what, sections] of [['with Require', members],
    ['with Require in a block', '<Location /x>\nAuthType NextAuth\n<RequireAll>\nRequire valid-user\nRequire ip 10\n</RequireAll>\n</Location>'],
    ['with Require in another section', '<Location />\nAuthType NextAuth\n</Location>\n<Location /x>\nRequire valid-user\n</Location>'],
    ['that is another', '<Location /x>\nAuthType None\n</Location>']])
    t.is((await about(`${site}\n${users}\n${sections}`)).rows, [], `one ${what} is right`);
  t.is((await about(`${site}\n${users}\n${open}\n<Location /status>\nRequire local\n</Location>`)).rows.length, 1, 'a Require of an address elsewhere is not what it waits for');

  const host = (...lines) => `<VirtualHost *:9>\n${lines.join('\n')}\n</VirtualHost>`;
  const off = /^NextAuthEngine is off in this server: requests that require a user fail with status 500$/;
  const other = await about(`${host(site, users)}\n${host('ServerName plain.example.org', members)}`);
  t.is(other.rows.map(({ site: name, line }) => [name, line]), [['plain.example.org', lineOf(other.dir, 'AuthType NextAuth')]], 'a virtual host whose engine is off');
  t.like(other.rows[0]?.message || '', off, '  is warned of');
  t.like((await t.configtest({ files, config: host(members) })).output, /AuthType on line \d+ of \S+: NextAuthEngine is off in this server.*set NextAuthEngine On/, '  by the configuration test, too');
  t.is((await about(host(site, users, members))).rows, [], 'one whose engine is on is right');
  t.is((await about(`${members}\n${host(site, users)}`)).rows, [], '  as are sections that it has from the main server');
  t.like((await about(members)).rows[0]?.message || '', off, '  and not where no engine is on');
}

async function sections(t) {
  t.section('directives of sections that have no effect there');
  const place = (path, ...lines) => `<Location ${path}>\n${lines.join('\n')}\n</Location>`;
  const all = [users, `NextAuthProvider acme type=oidc issuer=https://id.example.org ${client} emailDomains=example.org`];
  // one configuration for all; each line of it has an own name
  const mixed = async (more, host = '') => {
    const { told, dir } = await check(t, { files, config: [site, ...all, ...more].join('\n') + host }, ['--json']);
    const text = fs.readFileSync(path.join(dir, 'httpd.conf'), 'utf8').split('\n');
    return told.findings.filter(({ state, subject }) => state === 'warning' && /^NextAuth(Pass|SignInWith|AuthorizationParam|CORS)|^credentials$/.test(subject)).map(({ line, message, subject }) => [line ? text[line - 1] : subject, message]);
  };
  const proxied = 'ProxyPass http://127.0.0.1:9/';
  const nothing = 'no AuthType NextAuth applies there: nothing is passed on';
  t.is(await mixed([members, place('/members/x', 'NextAuthPassHeader X-A "%{NEXTAUTH:email}"'), place('/mem', 'NextAuthPassEnv B "%{NEXTAUTH:email}"'), place('/only', proxied, 'NextAuthPassHeader X-Off'), place('/other', proxied, 'NextAuthPassHeader X-C "%{NEXTAUTH:email}"'),
    `<Location /nested>\n${proxied}\n<If "true">\nNextAuthPassEnv D "%{NEXTAUTH:email}"\n</If>\n</Location>`, '<Directory /srv>\nNextAuthPassHeader X-E "%{NEXTAUTH:email}"\n</Directory>', '<LocationMatch ^/f>\nNextAuthPassHeader X-F "%{NEXTAUTH:email}"\n</LocationMatch>']),
  [['NextAuthPassHeader X-C "%{NEXTAUTH:email}"', nothing], ['NextAuthPassEnv D "%{NEXTAUTH:email}"', nothing]], 'what is passed on, where no AuthType can apply');
  t.is(await mixed([place('/any', proxied, 'NextAuthPassHeader X-A "%{NEXTAUTH:email}"'), '<LocationMatch ^/a>\nAuthType NextAuth\nRequire valid-user\n</LocationMatch>']), [], '  but not if a pattern might');
  t.is(await mixed([place('/any', 'NextAuthPassHeader X-A "%{NEXTAUTH:email}"')]), [], '  or a .htaccess, which a proxied path cannot have');

  t.is(await mixed([['/1', 'acme'], ['/2', 'page'], ['/3', '"%{HTTP:X-Tenant}"'], ['/4', 'acm'], ['/5', '"credentials"']].map(([at, id]) => place(at, 'AuthType NextAuth', 'Require valid-user', `NextAuthSignInWith ${id}`))),
    [['NextAuthSignInWith acm', "unknown provider 'acm': the sign-in page is shown"], ['NextAuthSignInWith "credentials"', "provider 'credentials' has a form: the sign-in page is shown"]], 'NextAuthSignInWith that leads nowhere');
  t.is(await mixed([place('/1', 'NextAuthAuthorizationParam prompt login', 'NextAuthAuthorizationParam prompt "log in" acme', 'NextAuthAuthorizationParam prompt "log in" acm')]),
    [['NextAuthAuthorizationParam prompt "log in" acm', "no provider 'acm': no request has the parameter"]], 'a parameter for a provider that is not there');

  const cors = ['NextAuthCORS https://www.example.org https://*.example.org', 'NextAuthCORS Off', 'NextAuthCORS https://app.example.org:443 maxAge=60', 'NextAuthCORS https://example.net headers=X-A', 'NextAuthCORS http://localhost:3000'];
  const other = (origin) => `${origin} belongs to another site: browsers do not send the session cookie with requests of its scripts (SameSite=Lax)`;
  const machine = 'http://localhost:3000 is the user\'s own machine: what runs there could read responses to any user';
  const found = await mixed(cors.map((line, i) => place(`/${i}`, proxied, line)));
  t.is(found, [[cors[2], 'https://app.example.org is this site, whose own scripts need no permission'], [cors[3], other('https://example.net')], [cors[4], other('http://localhost:3000')], [cors[4], machine]], 'NextAuthCORS of an origin that gains nothing, or too much');
  t.is((await mixed([place('/api', 'AuthType NextAuth', 'Require valid-user', 'NextAuthAcceptTokens session', proxied, cors[3])])), [], '  but tokens can come from any site');
  t.is((await mixed(['NextAuthCookie sessionToken sameSite=none', place('/api', proxied, cors[3])])), [], '  and so can cookies with SameSite=None');

  all[0] += ' emailDomains=example.org';
  t.is(await mixed([]), [['credentials', 'emailDomains= has no effect: email addresses lead to providers of OpenID Connect and OAuth 2.0 only']], 'emailDomains= of a provider of passwords');
}

async function publicProviders(t) {
  t.section('providers where anybody can have an account');
  const tenant = (value) => `NextAuthProvider azure-ad ${client} ${value}`;
  const open = [['google', `NextAuthProvider google ${client}`], ['github', `NextAuthProvider github ${client}`], ['facebook', `NextAuthProvider facebook ${client}`],
    ['azure-ad', tenant('')], ['azure-ad', tenant('tenant=consumers')],
    ['x', `NextAuthProvider x type=oidc issuer=https://accounts.google.com ${client}`]];
  const isOpen = ({ rows }) => rows.filter(({ message }) => /^anyone can have an account at /.test(message));
  for (const [id, provider] of open) {
    const found = isOpen(await warnings(t, `${site}\n${provider}\n${members}`, id));
    t.is(found.map(({ state, group }) => [state, group]), [['warning', 'providers']], `${provider.split(' client')[0]}: Require valid-user lets everybody in`);
    t.like(found[0]?.hint || '', /NextAuthSignInRule allow.*Require nextauth-role/, '  with the hint');
  }
  const google = open[0][1];
  for (const [what, config] of [['a rule of who may sign in', `${google}\n${members}\nNextAuthSignInRule allow "%{USER:email} =~ /@example\\.org$/"`],
    ['a role that is required', `${google}\n${members.replace('valid-user', 'nextauth-role staff')}`],
    ['an organization', `${google} authorization.params=hd=example.org\n${members}`],
    ['nothing that is protected', google]])
    t.is(isOpen(await warnings(t, `${site}\n${config}`, 'google')), [], `${what}: no warning`);
  t.is(isOpen(await warnings(t, `${site}\n${tenant('tenant=example.org')}\n${members}`, 'azure-ad')), [], 'a tenant: no warning');
  t.unlike((await t.configtest({ files, config: `${site}\n${google}\n${members}` })).output, /anyone can/, 'the configuration test says nothing of it');
}

async function ldap(t) {
  t.section('passwords of a directory');
  const config = (section) => `${site}\nNextAuthProvider credentials backend=authn:ldap\n${section}`;
  const options = { modules: ['ldap', 'authnz_ldap'] };
  const lacks = async (section) => (await warnings(t, config(section), 'NextAuthProvider', options)).rows.map(({ state, message }) => [state, message]);
  const wanted = [['warning', 'missing AuthLDAPURL for /api/auth/callback/credentials, where passwords are verified: users cannot sign in']];
  t.is(await lacks(''), wanted, 'without AuthLDAPURL: check warns');
  t.is(await lacks('<Location /members>\nAuthLDAPURL ldap://127.0.0.1/o=x\n</Location>'), wanted, '  or with one that is elsewhere');
  for (const where of ['/', '/api/auth', '"/api/auth/callback/credentials"'])
    t.is(await lacks(`<Location ${where}>\nAuthLDAPURL ldap://127.0.0.1/o=x\n</Location>`), [], `one of ${where} is right`);
  t.like((await t.configtest({ files, config: config(''), ...options })).output, /NextAuthProvider on line \d+ of \S+: missing AuthLDAPURL .*<Location \/api\/auth\/callback\/credentials>/, 'the configuration test warns, too');
}

suite('what httpd protects is looked at as well: AuthType, Require, and whose accounts get in', async (t) => {
  t.withOneMpm();
  for (const part of [authType, sections, publicProviders, ldap]) await part(t);
});
