#!/usr/bin/env node
'use strict';
// Links that are asked for and emails that are sent: limits by address and account, which show
// nobody who has an account, and shares of the queue.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { addUser, ctl } = require('./lib/ctl.js');

suite('Limits of emails', async (t) => {
  t.withOneMpm();
  if (!databasesHere().sqlite) t.skipAll('there is no SQLite');
  const db = await sqlite(t);
  await ctl(db, 'migrate');
  const start = async (limits, mail) => t.httpd({ config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of mailed links is long"
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthPasswords hash=bcrypt:10
NextAuthFeature signUp On
NextAuthFeature passwordReset On
${limits}` });
  const bot = (site, i) => new Client(site, { from: `127.0.${Math.floor(i / 250) + 1}.${(i % 250) + 1}` });
  const ask = async (client, what, email) => {
    const answer = what === 'link' ? await client.signIn('email', { email })
      : await client.post(`/api/auth/${what}`, { csrfToken: await client.csrf(), email });
    if (answer.status === 429) return 'limited';
    return /verify-request/.test(answer.location) ? 'sent' : answer.location || answer.status;
  };
  const row = async (count, make, what, email) => {
    const all = [];
    for (let i = 0; i < count; i += 1) all.push(await ask(make(i), what, typeof email === 'string' ? email : email(i)));
    return all.join(' ');
  };

  t.section('asking for links');
  {
    const mail = await startMail(t, { tls: 'none' });
    const site = await start('NextAuthRateLimit magicLink account=2/3600 address=4/3600\nNextAuthRateLimit signUp account=2/3600\nNextAuthRateLimit passwordReset account=2/3600', mail);
    t.is(await row(4, (i) => bot(site, i), 'link', 'ada@example.org'), 'sent sent limited limited', 'links to sign in: two to one address, whoever asks');
    t.is(await row(6, () => bot(site, 10), 'link', (i) => `u${i}@example.org`), 'sent sent sent sent limited limited', '  and four of one client, whomever to');
    t.is(await row(3, (i) => bot(site, 20 + i), 'signup', 'eve@example.org'), 'sent sent limited', 'links to sign up');
    t.is(await row(3, (i) => bot(site, 30 + i), 'reset-password', 'eve@example.org'), 'sent sent limited', 'links to a new password, the same for whoever has no account');
    await until('the emails', () => mail.mails.length >= 8);
    t.is(mail.mails.filter((each) => each.envelope.rcptTo[0].address === 'ada@example.org').length, 2, 'two emails came');
    const page = await bot(site, 5).page('/api/auth/signup', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: '' });
    t.is(page.status, 302, 'what has no form token counts nothing');
  }

  t.section('whoever has an account, and a hundred browsers');
  {
    t.ok(await addUser(db, 'cleo@example.org', 'seven lanterns under water', '--hash', 'bcrypt:10'), 'a user');
    const mail = await startMail(t, { tls: 'none' });
    const site = await start('NextAuthRateLimit magicLink account=2/3600\nNextAuthRateLimit mail account=4/3600', mail);
    const known = [];
    for (let i = 0; i < 4; i += 1) {
      const browser = bot(site, 50);
      t.is((await browser.credentials('cleo@example.org', 'seven lanterns under water', { json: 'true' })).status, 200, '  signs in');
      known.push(browser);
    }
    t.is(await row(4, (i) => bot(site, 60 + i), 'link', 'cleo@example.org'), 'sent sent limited limited', 'strangers ask for links to the address');
    t.is(await row(8, (i) => known[i % 4], 'link', 'cleo@example.org'), `sent sent ${Array(6).fill('limited').join(' ')}`, 'browsers that are known get some more, all of them together');
  }

  t.section('sending emails');
  {
    const mail = await startMail(t, { tls: 'none' });
    const site = await start('NextAuthRateLimit mail account=3/3600', mail);
    t.is(await row(6, (i) => bot(site, i), 'signup', 'bob@example.org'), 'sent sent sent sent sent sent', 'who asks to sign up is answered as ever, so that it shows nothing');
    t.is(await row(1, (i) => bot(site, 10 + i), 'link', 'bob@example.org'), 'limited', 'who asks for a link to sign in, which everybody gets, is told');
    await row(1, () => bot(site, 20), 'signup', 'last@example.org');
    const sentTo = (address) => mail.mails.filter((each) => each.envelope.rcptTo[0].address === address).length;
    await until('the last emails of each child', () => sentTo('last@example.org') && sentTo('bob@example.org') >= 3);
    t.is(sentTo('bob@example.org'), 3, 'three emails went out');
  }

  t.section('shares of the queue');
  if (process.env.NEXTAUTH_MPM === 'prefork') t.skip('shares', 'every process has a queue of its own');
  else {
    // a mail server that takes nothing for now: all that is asked for waits
    const mail = await startMail(t, { tls: 'none' });
    mail.answers = { MAIL: Array(100_000).fill(450) };
    const site = await start('', mail);
    const greedy = await Promise.all([1, 2, 3, 4].map((n) => row(150, () => bot(site, n), 'link', (i) => `n${n}-${i}@example.org`)));
    const got = greedy.map((each) => each.split(' ').filter((one) => one === 'sent').length);
    t.ok(got.every((n) => n < 150), 'four clients get no more than their share', got.join(' '));
    t.is(await row(40, (i) => bot(site, 300 + i), 'link', (i) => `right${i}@example.org`), Array(40).fill('sent').join(' '), 'and forty others get their emails');
  }
});
