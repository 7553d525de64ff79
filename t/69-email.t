#!/usr/bin/env node
'use strict';
const crypto = require('node:crypto');
const path = require('node:path');
const { domainToASCII } = require('node:url');
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl } = require('./lib/ctl.js');

const SECRET = 'the secret of mailed links is long';
const NAME = 'next-auth.session-token';
const config = (db, mail, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
NextAuthDatabase ${db.url}
NextAuthMail ${mail} "from=Site <no-reply@example.org>"
NextAuthProvider email
NextAuthSessionStore database checkInterval=0
NextAuthSessionClaim sub
${more}`;

suite('E-mailed links', async (t) => {
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ config: config(db, mail.url()) });
  const count = async (table) => Number((await db.sql(`SELECT count(*) AS n FROM ${table}`))[0].n);
  const ask = async (email, client = new Client(site), fields = {}) => {
    client.answer = await client.signIn('email', { email, ...fields });
    return client;
  };
  // The link of the next mail to that address.
  const linkTo = async (email, ...more) => {
    const before = mail.mails.length;
    const client = await ask(email, ...more);
    await until('a mail arrives', () => mail.mails.length > before);
    const { parsed } = await mail.last();
    return { client, parsed, link: /https?:\/\/\S+/.exec(parsed.text)[0] };
  };
  const confirm = async (link, client = new Client(site)) => {
    const page = await client.open(link);
    const field = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(page.text)?.[1];
    if (!field('token')) return { client, page, answer: page };
    const answer = await client.post('/api/auth/callback/email', Object.fromEntries(['csrfToken', 'callbackUrl', 'token', 'email'].map((name) => [name, field(name)])));
    return { client, page, answer };
  };

  t.section('signing in');
  const { client, parsed, link } = await linkTo('Ada@Example.org ', new Client(site), { callbackUrl: '/public.html' });
  t.is(client.answer.location, `${site.url}/api/auth/verify-request?provider=email&type=email`, 'who asks is told to look into the mail');
  t.is([parsed.to.text, parsed.from.text, parsed.subject], ['ada@example.org', '"Site" <no-reply@example.org>', `Sign in to localhost:${site.port}`], 'the mail goes to the address, normalized');
  t.like(link, new RegExp(`^${site.url}/api/auth/callback/email\\?callbackUrl=.*&token=[0-9a-f]{80}&email=ada%40example.org$`), 'with NextAuth\'s link');
  const [row] = await db.sql('SELECT * FROM verification_token');
  t.is([row.identifier, row.token], ['ada@example.org', crypto.createHash('sha256').update(/token=(\w+)/.exec(link)[1] + SECRET).digest('hex')], 'of which the database has the hash');
  for (let i = 0; i < 3; i += 1) t.is((await new Client(site).open(link)).status, 200, 'programs that open links in mails do not use it up');
  const { client: browser, answer } = await confirm(link);
  t.is([answer.status, answer.location], [302, `${site.url}/public.html`], 'the button signs in, in another browser as well');
  const { user } = await browser.session();
  t.is(user.email, 'ada@example.org', 'as the address\'s user');
  t.is(await count('users'), 1, 'who is new');
  t.ok((await db.sql('SELECT "emailVerified" FROM users'))[0].emailVerified, 'and whose address is verified');
  const again = await confirm(link);
  t.is([again.answer.location, again.client.cookie(NAME)], [`${site.url}/api/auth/error?error=Verification`, undefined], 'a link signs in once');
  t.is((await (await confirm((await linkTo('ada@example.org')).link)).client.session()).user.id, user.id, 'the next link is the same user\'s');

  t.section('what is refused');
  for (const bad of ['', 'nobody', 'a@b', '"a"@example.org', 'a@example.org\r\nBcc: b@example.org', 'a@b@example.org', 'a,b@example.org', 'ａ@example.org', 'a＠example.org']) {
    const before = mail.mails.length;
    t.is((await ask(bad)).answer.location, `${site.url}/api/auth/error?error=EmailSignin`, `${JSON.stringify(bad)} is no address`);
    t.is(mail.mails.length, before, '  and gets no mail');
  }

  t.section('letters beyond ASCII');
  const nextAuth = (await import(path.join(__dirname, 'node_modules/@auth/core/lib/actions/signin/send-token.js'))).defaultNormalizer;
  const jörg = 'jörg@xn--bcher-kva.example';
  const whose = async (typed) => (await (await confirm((await linkTo(typed)).link)).client.session()).user;
  const users = await count('users');
  const owner = await whose('JÖRG@Bücher.Example');
  t.is(owner.email, jörg, 'an address with umlauts is one, its domain in A-labels');
  t.is([(await mail.last()).envelope.smtpUtf8, /^To: (.*)\r$/m.exec((await mail.last()).raw8.toString())[1]], [true, jörg], 'its mail goes by SMTPUTF8');
  for (const typed of ['JO\u0308RG@BU\u0308CHER.EXAMPLE', ' jörg@bücher。example ', 'JÖRG@XN--BCHER-KVA.example', 'jörg@bücher.example,']) t.is((await whose(typed)).id, owner.id, `${JSON.stringify(typed)} is the same user's`);
  t.is(await count('users'), users + 1, 'who is one');
  for (const typed of ['jorg@bücher.example', 'jörg@bucher.example', 'jοrg@bücher.example']) t.isnt((await whose(typed)).id, owner.id, `${typed} is somebody else's`);
  t.is(JSON.parse((await nextauthctl(db, ['user', 'show', '--json', 'Jörg@Bücher.example'])).stdout).id, owner.id, 'nextauthctl user show finds him');
  t.like((await nextauthctl(db, ['user', 'add', '--email', 'JO\u0308RG@bücher.example'])).stderr, /a user with this email address exists/, 'nextauthctl user add does not make another');
  for (const typed of ['ΟΔΥΣΣΕΥΣ.Σ@Ελλάς.example', 'İx@faß.example', 'अर्जुन+1@उदाहरण.example', '用户@例子。广告', 'Ⅷ@b.example', 'a@Ｂ.example', '\u212a@b.example']) {
    const before = mail.mails.length;
    const { location } = (await ask(typed)).answer;
    const [local, domain] = nextAuth(typed).split('@');
    if (typed.startsWith('Ⅷ')) {
      t.like(location, /error=EmailSignin/, `${typed}, which is ${local}@${domain} to NextAuth, is refused`);
      continue;
    }
    await until('a mail arrives', () => mail.mails.length > before);
    t.is(/^To: (.*)\r$/m.exec((await mail.last()).raw8.toString())[1], `${local}@${domainToASCII(domain)}`, `${typed}: as NextAuth's normalizer has it, the domain as browsers do`);
  }
  for (const bad of ['☕@example.org', 'a@☕.example', 'a\u200b@example.org', 'a\u202eb@example.org', '\u0301a@example.org', 'a@b\uff0cü.example', 'a@b\uff20ü.example', 'ü@bücher', `${'ü'.repeat(33)}@example.org`, 'a@-ü.example']) {
    const before = mail.mails.length;
    t.is((await ask(bad)).answer.location, `${site.url}/api/auth/error?error=EmailSignin`, `${JSON.stringify(bad)} is no address`);
    t.is(mail.mails.length, before, '  and gets no mail');
  }
  const old = await startMail(t, { tls: 'none', ascii: true });
  const ascii = await t.httpd({ config: config(db, old.url()) });
  t.is((await ask('jörg@example.org', new Client(ascii))).answer.location, `${ascii.url}/api/auth/verify-request?provider=email&type=email`, 'where the mail server has no SMTPUTF8, the answer is the same');
  await until('the log says that the mail is given up', () => /mail to j\*\*\*@example\.org given up: mail server localhost port \d+ does not support SMTPUTF8/.test(ascii.log()));
  t.is(old.recipients, [], 'and the server has not seen the address');

  t.section('links that were changed');
  const fresh = (await linkTo('bob@example.org')).link;
  const changed = (what, to) => fresh.replace(what, to);
  t.is((await confirm(changed(/token=(\w)/, (all, first) => `token=${first === '0' ? '1' : '0'}`))).client.cookie(NAME), undefined, 'another token');
  t.is((await confirm(changed('bob%40', 'eve%40'))).client.cookie(NAME), undefined, 'another\'s address');
  t.is((await confirm(changed(/token=\w+/, 'token=short'))).answer.location, `${site.url}/api/auth/error?error=Verification`, 'half a token');
  t.is((await new Client(site).post('/api/auth/callback/email', { token: /token=(\w+)/.exec(fresh)[1], email: 'bob@example.org' })).status, 200, 'a form of another site shows the page');
  t.is((await confirm(fresh)).client.cookie(NAME) !== undefined, true, 'none of which used the link up');
  const late = (await linkTo('late@example.org')).link;
  await db.sql("UPDATE verification_token SET expires = '2020-01-01T00:00:00.000Z' WHERE identifier = 'late@example.org'");
  t.is((await confirm(late)).answer.location, `${site.url}/api/auth/error?error=Verification`, 'a link that came too late');
  t.is(await db.sql("SELECT 1 FROM verification_token WHERE identifier = 'late@example.org'"), [], '  is used up');
  const once = (await linkTo('once@example.org')).link;
  const tries = await Promise.all(Array.from({ length: 8 }, () => confirm(once)));
  t.is(tries.filter((one) => one.client.cookie(NAME)).length, 1, 'of many who press the button at once, one is signed in');

  t.section('nobody learns who has an account');
  const known = (await ask('ada@example.org')).answer;
  const unknown = (await ask('never-seen@example.org')).answer;
  t.is([known.status, known.location, known.text], [unknown.status, unknown.location, unknown.text], 'the answers are the same');

  t.section('a rule');
  const strict = await t.httpd({ config: config(db, mail.url(), `NextAuthSignInRule allow "%{USER:email} =~ /@example\\.org$/"`) });
  const refused = new Client(strict);
  t.is((await refused.signIn('email', { email: 'a@example.com' })).location, `${strict.url}/api/auth/error?error=AccessDenied`, 'is asked before a mail is sent');

  t.section('a mail server that is slow, or down');
  const arrived = mail.mails.length;
  mail.hold();
  await ask('slow@example.org');
  t.is(mail.mails.length, arrived, 'does not hold the request');
  mail.release();
  await until('it arrives all the same', () => mail.mails.length > arrived);
  mail.answers.RCPT = [450, 450];
  const tried = mail.mails.length;
  await ask('retry@example.org');
  await until('what is refused for now is tried again', () => mail.mails.length > tried);
  t.ok(true, 'and is tried again');

  t.section('another secret, and Auth.js v5');
  const token = crypto.randomBytes(32).toString('hex');
  const insert = (secret) => db.sql(`INSERT INTO verification_token (identifier, token, expires) VALUES ('ada@example.org', '${crypto.createHash('sha256').update(token + secret).digest('hex')}', '2999-01-01T00:00:00.000Z')`);
  const v5 = await t.httpd({ config: config(db, mail.url(), 'NextAuthCompat v5').replace(`NextAuthSecret "${SECRET}"`, `NextAuthSecret "a newer secret that has 32 bytes also" "${SECRET}"`) });
  await insert(SECRET);
  const c5 = new Client(v5);
  const page = await c5.open(`/api/auth/callback/email?token=${token}&email=ada%40example.org`);
  t.like(page.text, /Sign in as <strong>ada@example\.org<\/strong>/, 'a link of the older secret opens');
  const { csrfToken } = (await c5.get('/api/auth/csrf')).json;
  t.is((await c5.post('/api/auth/callback/email', { csrfToken, token, email: 'ada@example.org' })).location, v5.url, 'and signs in');
  t.is((await c5.post('/api/auth/callback/email', { csrfToken: await c5.csrf(), token, email: 'ada@example.org' })).location, `${v5.url}/api/auth/error?error=Verification`, 'once, in v5\'s words');
  t.is((await c5.signIn('email', { email: 'nonsense' })).location, `${v5.url}/api/auth/error?error=Configuration`, 'v5 says no more than this of a bad address');
  t.is((await c5.get('/api/auth/providers')).json.email.type, 'email', 'the provider is listed');

  t.section('the other IDs of Auth.js for emailed links');
  const ids = ['forwardemail', 'loops', 'mailgun', 'nodemailer', 'postmark', 'resend', 'sendgrid'];
  const all = await t.httpd({ config: config(db, mail.url(), ids.map((id) => `NextAuthProvider ${id}`).join('\n')) });
  const listed = (await new Client(all).get('/api/auth/providers')).json;
  t.is(ids.map((id) => listed[id]?.type), ids.map(() => 'email'), 'are listed');
  const before = mail.mails.length;
  t.is((await new Client(all).signIn('resend', { email: 'ada@example.org' })).location, `${all.url}/api/auth/verify-request?provider=resend&type=email`, 'send a link');
  await until('a mail arrives', () => mail.mails.length > before);
  t.like((await mail.last()).parsed.text, /\/api\/auth\/callback\/resend\?/, 'of their own');

  t.section('configuration');
  for (const [what, text, message] of [
    ['no mail', config(db, mail.url()).replace(/NextAuthMail .*/, ''), /provider 'email' requires NextAuthMail, or EMAIL_SERVER/],
    ['no database', config(db, mail.url()).replace(/NextAuthDatabase .*/, '').replace(/NextAuthSessionStore .*/, ''), /provider 'email' requires NextAuthDatabase/],
    ['an odd address', config(db, 'http://localhost'), /NextAuthMail on line/],
    ['no sender', config(db, mail.url()).replace(/"from=.*"/, ''), /NextAuthMail on line .*from/],
    ['a template without a link', config(db, mail.url(), 'NextAuthMailTemplate signIn text=@DIR@/htdocs/index.html'), /NextAuthMailTemplate on line .*url/],
    ['an odd age', config(db, mail.url()).replace('NextAuthProvider email', 'NextAuthProvider email maxAge=5'), /invalid maxAge=5: expected seconds from 60/],
  ]) {
    const result = await t.configtest({ config: text });
    t.ok(result.status !== 0 && message.test(result.output), `${what} is explained`, result.output);
  }
});
