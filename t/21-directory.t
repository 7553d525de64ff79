#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { check } = require('./lib/httpd.js');
const { ldapIsHere, startLdap } = require('./lib/ldap.js');

const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionClaim sub
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

const people = {
  ada: { userPassword: 'secret', displayName: 'Ada Lovelace', mail: 'Ada@Example.org', employeeNumber: '1' },
  bob: { userPassword: 'secret', displayName: 'Bob', mail: ['bob@example.org', 'admin@example.org'], employeeNumber: '2' },
  cleo: { userPassword: 'secret' },
  'root@example.org': { userPassword: 'secret', mail: 'dora@example.org', employeeNumber: '4' },
  eve: { userPassword: 'secret', employeeNumber: 'a:b' },
};

suite('Users of a directory', async (t) => {
  if (!ldapIsHere()) {
    t.skip('a directory', 'slapd and ldap-utils are not here');
    return;
  }
  const directory = await startLdap(t, people);
  const siteOf = (search, options = '', lines = '') => t.httpd({ modules: ['ldap', 'authnz_ldap'], config: `${common}
NextAuthProvider credentials backend=authn:ldap ${options}
<Location /api/auth/callback/credentials>
  AuthLDAPURL ${search}
  ${lines}
</Location>` });
  // What the session says; `name` is what access logs have.
  const signIn = async (site, user, password = 'secret') => {
    const c = t.client(site);
    const answer = await c.credentials(user, password);
    return { location: answer.location, user: ((await c.session()) || {}).user, status: (await c.get('/members/')).status };
  };
  const refused = (site) => ({ location: `${site.url}/api/auth/error?error=CredentialsSignin&provider=credentials`, user: undefined, status: 401 });

  t.section('a directory and nothing else');
  {
    const site = await siteOf(directory.search('uid', 'displayName', 'mail'));
    t.is((await signIn(site, 'ada')).user, { name: 'ada', id: 'ada' }, 'the user is who was typed; attributes that nobody asked for are not looked at');
    t.is((await signIn(site, 'root@example.org')).user, { name: 'root@example.org', email: 'root@example.org', id: 'root@example.org' }, 'a user name that is an address is the address, too');
    t.is(await signIn(site, 'ada', 'wrong'), refused(site), 'a wrong password is refused');
    t.is(await signIn(site, 'nobody'), refused(site), 'and an unknown user');
  }

  t.section('name and address are attributes');
  {
    const site = await siteOf(directory.search('uid', 'displayName', 'mail'), 'nameAttribute=displayName emailAttribute=mail');
    t.is((await signIn(site, 'ada')).user, { name: 'Ada Lovelace', email: 'ada@example.org', id: 'ada' }, 'they are the session\'s, the address in its one form');
    t.ok(await site.logged('GET /members/index.html 200 ada@example.org'), 'and REMOTE_USER is the address');
    t.is((await signIn(site, 'ada')).user, { name: 'Ada Lovelace', email: 'ada@example.org', id: 'ada' }, 'so they are when mod_ldap remembers the entry');
    t.is((await signIn(site, 'bob')).user, { name: 'Bob', id: 'bob' }, 'of several addresses none is taken');
    t.ok(await site.logged('GET /members/index.html 200 bob'), '  and REMOTE_USER is the user name');
    t.is((await signIn(site, 'cleo')).user, { name: 'cleo', id: 'cleo' }, 'without attributes the user name is the name');
    t.like(site.log(), /the user has no email address: the attribute 'mail' is missing or not of the form local@domain/, '  and the log says why there is no address');
    t.is((await signIn(site, 'root@example.org')).user, { name: 'root@example.org', email: 'dora@example.org', id: 'root@example.org' }, 'a user name is no address where an attribute is');
    t.is(await signIn(site, 'ada', 'wrong'), refused(site), 'a wrong password is refused');
    t.unlike(site.log(), /secret/, 'no password is in the log');
  }
  {
    const site = await siteOf(directory.search('uid'), 'nameAttribute=displayName emailAttribute=mail', 'SetEnv AUTHENTICATE_MAIL admin@example.org\n  SetEnvIf Request_URI . AUTHENTICATE_DISPLAYNAME=Admin AUTHENTICATE_MAIL=admin@example.org');
    t.is((await signIn(site, 'ada')).user, { name: 'ada', id: 'ada' }, 'what AuthLDAPURL does not ask for is not there, whatever variables were set before');
  }

  t.section('the directory\'s own name of the user');
  {
    const site = await siteOf(directory.search('uid', 'employeeNumber', 'displayName'), 'nameAttribute=displayName', 'AuthLDAPRemoteUserAttribute employeeNumber');
    t.is((await signIn(site, 'ada')).user, { name: 'Ada Lovelace', id: '1' }, 'is the user\'s ID');
    t.is((await signIn(site, 'ADA')).user, { name: 'Ada Lovelace', id: '1' }, 'however the name is typed, as the directory ignores case');
    t.ok(await site.logged('GET /members/index.html 200 1'), 'and REMOTE_USER');
    t.is(await signIn(site, 'cleo'), refused(site), 'who has none is not signed in as what was typed');
    t.is(await signIn(site, 'eve'), refused(site), 'and a name with a colon is none');
    t.like(site.log(), /no valid username for this user \(check AuthLDAPRemoteUserAttribute\)/, '  and the log says so');
    t.is((await signIn(site, 'root@example.org')).user, { name: '4', id: '4' }, 'the address that was typed is not the user\'s');
    t.is(await signIn(site, 'ada', 'wrong'), refused(site), 'a wrong password is refused');
  }

  t.section('attributes of nothing');
  for (const backend of ['database', 'file:/dev/null']) {
    const result = await check(t, { config: `${common}
NextAuthProvider credentials backend=${backend} emailAttribute=mail` });
    t.like(result.stdout + result.stderr, /nameAttribute= and emailAttribute= require backend=authn:/, `backend=${backend} has none`);
  }
});
