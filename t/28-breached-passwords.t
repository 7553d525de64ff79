#!/usr/bin/env node
'use strict';
// New passwords are looked up in a service's list of breached ones, which does not learn them.
const { createHash } = require('node:crypto');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail, startService } = require('./lib/mail.js');
const { ctl } = require('./lib/ctl.js');

const LEAKED = 'a quieter lighthouse at noon';
const PADDED = 'fifteen umbrellas in july';
const GOOD = 'seven lanterns under water';
const sha1 = (text) => createHash('sha1').update(text).digest('hex').toUpperCase();

suite('Breached passwords', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  const db = await sqlite(t);
  await ctl(db, 'migrate');
  const mail = await startMail(t, { tls: 'none' });
  const list = [`${'0'.repeat(35)}:7`, `${sha1(LEAKED).slice(5)}:12`, `${sha1(PADDED).slice(5)}:0`, `${'F'.repeat(35)}:1`].join('\r\n');
  const service = await startService(t, [200, list]);
  const config = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of breached users is long"
NextAuthDatabase ${db.url}
NextAuthSessionStore database checkInterval=0
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthPasswords hash=bcrypt:10 breached=${service.url}/range/
NextAuthFeature signUp On
NextAuthFeature account On
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;
  const site = await t.httpd({ config });
  const me = new Client(site);
  const post = async (path, fields) => me.page(`/api/auth/${path}`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken: await me.csrf(), ...fields }).toString() });

  t.section('choosing a password');
  await post('signup', { email: 'ada@example.org' });
  await until('a link', () => mail.mails.length > 0);
  const link = new URL(/https?:\/\/\S+/.exec((await mail.last()).parsed.text)[0]);
  await me.follow({ location: link.href, url: site.url });
  const choose = (password) => post('set-password', { token: link.searchParams.get('token'), email: 'ada@example.org', password });
  t.like((await choose('short')).text, /at least 8 characters/, 'what is too short');
  t.is(service.requests.length, 0, '  is not looked up');
  t.like((await choose(LEAKED)).text, /has become known through a data breach/, 'one that is listed is refused');
  t.is([service.last().method, service.last().url, service.last().headers['add-padding']], ['GET', `/range/${sha1(LEAKED).slice(0, 5)}`, 'true'], '  of which the service gets five digits, and is asked to hide what it has');
  t.is((await choose(PADDED)).status, 302, 'one with a count of 0 is only padding');
  t.is((await me.get('/members/')).status, 200, '  and good');
  const asked = service.requests.length;
  await me.post('/api/auth/set-password', { token: 'x', email: 'ada@example.org', password: GOOD, csrfToken: await me.csrf() });
  t.is(service.requests.length, asked, 'without a valid link nobody is asked');

  t.section('changing it');
  const change = (currentPassword, password) => post('account', { change: 'password', currentPassword, password });
  t.like((await change(PADDED, LEAKED)).text, /has become known through a data breach/, 'one that is listed is refused');
  service.answers = [[200, list.toLowerCase()]];
  t.like((await change(PADDED, LEAKED)).text, /has become known through a data breach/, 'whatever case the service writes');
  for (const odd of ['', '\n\n\n', 'x'.repeat(100_000), sha1(LEAKED).slice(5), `${sha1(LEAKED).slice(5)}:`, `${sha1(LEAKED).slice(5)};12`]) {
    service.answers = [[200, odd]];
    t.unlike((await change(odd === '' ? PADDED : LEAKED, LEAKED)).text, /has become known/, `an answer that has no count: ${JSON.stringify(odd.slice(0, 40))}`);
  }
  service.answers = [[500, 'no']];
  t.like((await change(LEAKED, GOOD)).text, /password (was|has been) changed/, 'a service that is down keeps nobody from a password');
  t.like(site.log(), /could not check a new password for breaches: the breached-password service returned status 500/, '  and the log says so');
  t.unlike(site.log(), new RegExp(`${sha1(LEAKED)}|${LEAKED}`), 'no password, nor its hash, is in the log');

  t.section('what the directive takes');
  for (const [value, why] of [['https://api.example.org/range', /ends with '\/' or '='/], ['api.example.org/', /expected an HTTPS URL/]]) {
    const { status, output } = await t.configtest({ config: config.replace(/breached=\S+/, `breached=${value}`) });
    t.ok(status !== 0 && why.test(output), `not ${value}`, output);
  }
});
