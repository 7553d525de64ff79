#!/usr/bin/env node
'use strict';
// The second factor: a code of an authenticator app, which every way to sign in asks for.
const { suite } = require('./lib/suite.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { addUser, nextauthctl } = require('./lib/ctl.js');
const { readToken } = require('./lib/token.js');
const { alertOf, codeOf, enrol, give, letTimePass, oathtoolIsHere, untilEarly } = require('./lib/second-factor.js');

const NAME = 'next-auth.session-token';
const GOOD = 'seven lanterns under water';
const config = (db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of second factors is long"
NextAuthDatabase ${db.url}
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10
${more}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /vault/>
  AuthType NextAuth
  Require nextauth-2fa
</Location>`;

suite('The second factor', async (t) => {
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  if (!oathtoolIsHere()) t.skipAll('there is no oathtool');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  await addUser(db, 'ada@example.org', GOOD, '--hash', 'bcrypt:10');
  const site = await t.httpd({ config: config(db, 'NextAuthTwoFactor Optional\nNextAuthSessionClaim amr tfa'), files: { 'htdocs/members/index.html': 'members', 'htdocs/vault/index.html': 'vault' } });
  const password = async (client = new Client(site)) => {
    client.answer = await client.credentials('ada@example.org', GOOD);
    return client;
  };
  const isIn = async (client) => (await client.get('/members/')).status === 200;

  t.section('setting it up');
  const ada = await password();
  t.is([await isIn(ada), (await ada.session()).user.amr], [true, ['pwd']], 'without one, a password signs in');
  const mine = await enrol(ada);
  t.ok(await isIn(ada), 'the session that set it up goes on');
  const again = await password();
  t.ok(!(await isIn(again)), 'password alone does not');
  const wrong = await give(again, '000000');
  t.is(alertOf(wrong), 'The code is wrong, has expired, or was used already.', '  and the page says so');
  await give(again, codeOf(mine.key, 1));
  t.ok(await isIn(again), 'a right code signs in');
});
