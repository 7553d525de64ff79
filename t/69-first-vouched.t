#!/usr/bin/env node
'use strict';
// Somebody makes a user of an address that is not his, and waits for its owner to move in. Whoever is
// vouched for first is alone afterwards: accounts, password and sessions of before are ended.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { enginesOfRound, startDatabases } = require('./lib/databases.js');
const { recordsOf } = require('./lib/audit.js');
const { startMail } = require('./lib/mail.js');
const { startHomemade } = require('./lib/emulators.js');
const { nextauthctl, secretFile, dialect } = require('./lib/ctl.js');

const GOOD = 'seven lanterns under water';
const oauth = (id, at, more = '') => `NextAuthProvider ${id} type=oauth clientId=c clientSecret=s authorization=${at.url}/authorize token=${at.url}/token userinfo=${at.url}/api/me ${more}`;
const config = (db, mail, at, strategy) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of the first to be vouched"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
${oauth('careless', at)}
${oauth('careful', at, 'emailVerified=always')}
${oauth('linking', at, 'emailVerified=always allowDangerousEmailAccountLinking=true')}
NextAuthProvider email
NextAuthProvider credentials backend=database
NextAuthFeature passwordReset On
NextAuthSessionStrategy ${strategy}
NextAuthSessionStore database checkInterval=0
NextAuthSessionClaim sub
NextAuthAuditLog @DIR@/audit.log
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

async function cases(t, db, mail, at, strategy) {
  const site = await t.httpd({ config: config(db, mail, at, strategy) });
  const sql = (text) => db.sql(dialect(db, text));
  const signIn = async (id, user, client = new Client(site)) => {
    at.user = user;
    client.answer = await client.page((await client.page((await client.signIn(id)).location)).location);
    return client;
  };
  const idOf = async (client) => ((await client.session()) || {}).user?.id;
  const isIn = async (client) => (await client.get('/members/')).status === 200;
  const password = async (email, word) => {
    const client = new Client(site);
    await client.credentials(email, word);
    return client;
  };
  const links = async (id) => (await sql(`SELECT "provider", "providerAccountId" FROM accounts WHERE "userId" = ${id} ORDER BY 1`)).map((row) => row.provider);
  const linkOf = async (send) => {
    const before = mail.mails.length;
    await send();
    await until('a mail', () => mail.mails.length > before);
    return new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]).searchParams;
  };
  const byMail = async (email) => {
    const link = await linkOf(async () => new Client(site).signIn('email', { email }));
    const client = new Client(site);
    client.answer = await client.post('/api/auth/callback/email', { csrfToken: await client.csrf(), token: link.get('token'), email });
    return client;
  };
  const records = () => recordsOf(`${site.dir}/audit.log`).filter(({ event }) => event === 'ACCOUNT_RECLAIM');

  // As an application beside this module makes it, which keeps whatever address a provider says; and
  // the attacker, by his account and his password.
  let n = 0;
  const hijacked = async () => {
    n += 1;
    const email = `${strategy}${n}@example.org`;
    await sql(`INSERT INTO users ("name", "email") VALUES ('Mallory', '${email}')`);
    const id = String((await sql(`SELECT "id" FROM users WHERE "email" = '${email}'`))[0].id);
    await sql(`INSERT INTO accounts ("userId", "type", "provider", "providerAccountId") VALUES (${id}, 'oauth', 'careless', '${email}-evil')`);
    await sql(`INSERT INTO nextauth_credentials (user_id, password_hash) SELECT '${id}', password_hash FROM nextauth_credentials WHERE user_id = '${pattern}'`);
    const attackers = [await signIn('careless', { id: `${email}-evil` }), await password(email, GOOD)];
    for (const c of attackers) t.is([await idOf(c), await isIn(c)], [id, true], 'the attacker is in');
    return { email, id, attackers, evil: { id: `${email}-evil` } };
  };
  const alone = async ({ email, id, attackers, evil }, owner, accounts) => {
    t.is([await idOf(owner), await isIn(owner)], [id, true], 'the owner is in, as that user');
    t.is(await Promise.all(attackers.map(isIn)), [false, false], 'whoever was in before is out');
    t.is((await password(email, GOOD)).cookie('next-auth.session-token'), undefined, 'his password is gone');
    t.is(await links(id), accounts, 'and his account');
    t.isnt(await idOf(await signIn('careless', evil)), id, 'which is another user\'s from then on');
    t.like(records().at(-1)?.detail || '', /^accounts 1, password 1, sessions \d+$/, 'the audit log has what was ended');
    t.is(records().at(-1)?.user, id, 'and whose it was');
  };
  const file = secretFile(db, `password-${strategy}`, `${GOOD}\n`);
  const added = await nextauthctl(db, ['user', 'add', '--json', '--email', `${strategy}-pattern@example.org`, '--password-file', file]);
  const pattern = JSON.parse(added.stdout).id; // whose hash others get

  t.section(`${db.engine}, ${strategy}: the owner signs in by a mailed link`);
  const first = await hijacked();
  const owner = await byMail(first.email);
  await alone(first, owner, []);
  const before = records().length;
  await signIn('careful', { id: `owner-${first.email}`, email: first.email }, owner);
  t.is(await links(first.id), ['careful'], 'an account that the owner links');
  const again = await byMail(first.email);
  t.is([await links(first.id), await isIn(owner), await isIn(again), records().length], [['careful'], true, true, before], 'stays, as the session does: nothing is ended a second time');

  t.section(`${db.engine}, ${strategy}: by a provider that vouches, and links by address`);
  const second = await hijacked();
  await alone(second, await signIn('linking', { id: `owner-${second.email}`, email: second.email }), ['linking']);

  t.section(`${db.engine}, ${strategy}: by an account that the user has already, whose provider vouches`);
  const third = await hijacked();
  await sql(`INSERT INTO accounts ("userId", "type", "provider", "providerAccountId") VALUES (${third.id}, 'oauth', 'careful', '${third.email}-good')`);
  await signIn('careful', { id: `${third.email}-good`, email: 'elsewhere@example.org' });
  t.is((await links(third.id)).length, 2, 'vouching for another address ends nothing');
  await alone(third, await signIn('careful', { id: `${third.email}-good`, email: third.email.toUpperCase() }), ['careful']);

  t.section(`${db.engine}, ${strategy}: by a new password`);
  const fourth = await hijacked();
  const reset = await linkOf(async () => {
    const c = new Client(site);
    await c.post('/api/auth/reset-password', { csrfToken: await c.csrf(), email: fourth.email });
  });
  const chooser = new Client(site);
  await chooser.post('/api/auth/set-password', { csrfToken: await chooser.csrf(), token: reset.get('token'), email: fourth.email, password: 'a quieter lighthouse at noon' });
  await alone(fourth, chooser, []);

  t.section(`${db.engine}, ${strategy}: users who were vouched for when they were made`);
  const made = await signIn('careful', { id: `made-${strategy}`, email: `made-${strategy}@example.org` });
  const count = records().length;
  t.ok((await sql(`SELECT "emailVerified" FROM users WHERE "email" = 'made-${strategy}@example.org'`))[0].emailVerified, 'by a provider');
  await byMail(`made-${strategy}@example.org`);
  t.is([await isIn(made), await links(await idOf(made))], [true, ['careful']], 'keep their account and sessions');
  await byMail(`${strategy}-pattern@example.org`);
  t.is(await isIn(await password(`${strategy}-pattern@example.org`, GOOD)), true, 'and those whom an administrator made, their password');
  t.is(records().length, count, 'nothing is recorded');
}

suite('The first who is vouched for is alone', async (t) => {
  t.withOneMpm();
  const mail = await startMail(t, { tls: 'none' });
  const at = await startHomemade(t);
  for (const db of await startDatabases(t, enginesOfRound)) {
    t.is((await nextauthctl(db, ['migrate'])).status, 0, `${db.engine}: the tables are made`);
    for (const strategy of db.engine === 'sqlite' ? ['jwt', 'database'] : ['database']) await cases(t, db, mail, at, strategy);
  }
});
