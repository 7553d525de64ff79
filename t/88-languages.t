#!/usr/bin/env node
'use strict';
// Pages and emails in the languages of NextAuthLanguage; and that no text lacks a translation.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { htpasswd, until } = require('./lib/httpd.js');
const { nextauthctl } = require('./lib/ctl.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { Client } = require('./lib/client.js');
const { collectTexts, readLanguage, tags, folder } = require('./lib/texts.js');

const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();

function completeFiles(t) {
  const english = collectTexts();
  t.section('texts of the source');
  t.ok(english.size > 80, 'there are many', english.size);
  t.is([...english.keys()].filter((text) => /[<>]/.test(text) || text.length > 400), [], 'none has HTML, none is endless');
  t.is([...english.keys()].filter((text) => text !== text.trim() || /%[a-z]/.test(text)), [], 'nor blanks at its ends, nor places for printf');
  t.is(tags(), ['de', 'es', 'fr', 'he', 'ja'], 'the languages that come with the module');
  for (const tag of tags()) {
    const { language, direction, texts } = readLanguage(tag);
    t.section(`conf/languages/${tag}.json`);
    t.is([language, direction], [tag, tag === 'he' ? 'rtl' : 'ltr'], 'says which language it is, and its direction');
    t.is([...english.keys()].filter((text) => !Object.hasOwn(texts, text)), [], 'has every text');
    t.is(Object.keys(texts).filter((text) => !english.has(text)), [], 'and no other');
    t.is(Object.entries(texts).filter(([text, said]) => `${placeholders(text)}` !== `${placeholders(said)}`), [], 'with the same placeholders');
    t.is(Object.entries(texts).filter(([, said]) => !said.trim() || /[<>]|\s$|^\s/.test(said)), [], 'no empty one, no HTML');
    const same = Object.entries(texts).filter(([text, said]) => text === said && text.split(' ').length > 2);
    t.is(same, [], 'and no sentence is left in English');
  }
}

const base = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users`;

const start = (t, languages) => t.httpd({ files: { users: htpasswd({ ada: 'secret' }) }, config: `${base}\nNextAuthLanguage ${languages}` });
const shipped = (...wanted) => wanted.map((tag) => (tag === 'en' ? tag : `${tag}=${folder}/${tag}.json`)).join(' ');

async function languageOf(site, accepted, page = '/api/auth/signin') {
  const reply = await new Client(site).page(page, accepted === undefined ? {} : { headers: { 'Accept-Language': accepted } });
  const [, lang, dir] = /<html lang="([^"]*)" dir="([^"]*)">/.exec(reply.text);
  return { lang, dir, header: reply.headers['content-language'], heading: /<h1>([^<]*)/.exec(reply.text)[1], reply };
}

// RFC 9110 section 12.5.4, RFC 4647 section 3.4.
const choices = [
  [undefined, 'en', 'no preference: the first of the list'],
  ['de', 'de', 'a language'], ['DE', 'de', 'in capitals'],
  ['de-AT', 'de', 'a variant that the list lacks'], ['de-Latn-AT-x-own', 'de', 'and one with more subtags'],
  ['pt-BR', 'pt-BR', 'a variant that it has'], ['pt', 'en', 'a range that is more general than what there is'],
  ['fr;q=0.2, de;q=0.9', 'de', 'the highest weight'], ['fr, de', 'fr', 'the first of equal ones'],
  ['nl, da;q=0.9, ja;q=0.1', 'ja', 'languages that there are not are passed over'],
  ['*', 'en', 'anything'], ['*, de;q=0.1', 'de', 'anything, rather than German: German is what is known'],
  ['de;q=0', 'en', 'not German'], ['de;q=0.000, fr;q=0.001', 'fr', 'the smallest weight'],
  ['de ; q=0.5 , fr ; q=0.6', 'fr', 'blanks'], [',,de,,', 'de', 'empty elements'],
  ['de;q=1.001, fr;q=0.1', 'fr', 'a weight above 1 is none'], ['de;q=-1', 'en', 'nor one below 0'], ['de;q=', 'en', 'nor an empty one'], ['de;level=1', 'en', 'nor another parameter'],
  ['d', 'en', 'a letter'], ['-', 'en', 'a hyphen'], ['de--', 'de', 'hyphens'], ['../../etc/passwd', 'en', 'a path'],
  ['<b>', 'en', 'HTML'], [`${'x,'.repeat(31)}de`, 'de', 'the 32nd range is read'], [`${'x,'.repeat(32)}de`, 'en', 'the 33rd is not'],
];

async function chosen(t) {
  t.section('which language');
  const portuguese = { language: 'pt-BR', direction: 'ltr', texts: { 'Sign in': 'Entrar' } };
  const site = await t.httpd({ files: { users: htpasswd({ ada: 'secret' }), 'pt.json': JSON.stringify(portuguese) },
    config: `${base}\nNextAuthLanguage ${shipped('en', 'de', 'fr', 'ja', 'he')} pt-BR=@DIR@/pt.json` });
  for (const [accepted, expected, what] of choices) {
    const got = await languageOf(site, accepted);
    t.is([got.lang, got.header], [expected, expected], `${what}: ${String(accepted).slice(0, 40)}`);
  }
  t.section('what is shown');
  for (const [tag, heading] of [['en', 'Sign in'], ['de', 'Anmelden'], ['fr', 'Se connecter'], ['ja', 'ログイン'], ['he', 'כניסה'], ['pt-BR', 'Entrar']])
    t.is((await languageOf(site, tag)).heading, heading, `${tag}: ${heading}`);
  t.is((await languageOf(site, 'he')).dir, 'rtl', 'Hebrew is written from right to left');
  t.is((await languageOf(site, 'de')).dir, 'ltr', 'German is not');
  t.like((await languageOf(site, 'pt-BR')).reply.text, />Username</, 'a text that the file lacks is English');
  t.is((await languageOf(site, 'de', '/api/auth/error?error=AccessDenied')).heading, 'Zugriff verweigert', 'the page of an error');

  t.section('what is not translated');
  const script = await new Client(site).get('/api/auth/session', { headers: { 'Accept-Language': 'de' } });
  t.is(script.headers['content-language'], undefined, 'JSON has no language');
  t.unlike(site.log(), /Anmeld|fehlgeschlagen/, 'nor has the log');

  t.section('another default, and no directive');
  const french = await start(t, shipped('fr', 'en'));
  t.is((await languageOf(french, 'nl')).lang, 'fr', 'the first of the list is for all others');
  t.is((await languageOf(french, 'en-GB')).lang, 'en', 'English is what its readers get if it is in the list');
  const english = await t.httpd({ files: { users: htpasswd({ ada: 'secret' }) }, config: base });
  t.is((await languageOf(english, 'de')).lang, 'en', 'without the directive, all pages are English');
}

async function emails(t) {
  t.section('emails');
  const here = databasesHere();
  if (!here.sqlite) return t.skip('emails', `install ${here.lacking.join(' ')}`);
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  const mail = await startMail(t, { tls: 'none' });
  const site = await t.httpd({ files: { 'own.txt': '{{lang}} {{dir}} {{expires}} {{url}}\n' }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthDatabase ${db.url}
NextAuthMail ${mail.url()} from=no-reply@example.org
NextAuthFeature signUp On
NextAuthFeature passwordReset On
NextAuthMailTemplate passwordReset text=@DIR@/own.txt
NextAuthProvider credentials backend=database
NextAuthProvider email
NextAuthLanguage ${shipped('en', 'de', 'fr', 'ja', 'he')}` });
  const ask = async (tag, action, fields = {}) => {
    const client = new Client(site);
    const before = mail.mails.length;
    await client.post(`/api/auth/${action}`, { csrfToken: await client.csrf(), email: `${tag}@example.org`, ...fields }, { headers: { 'Accept-Language': tag } });
    await until('a mail arrives', () => mail.mails.length > before);
    return (await mail.last()).parsed;
  };
  const subjects = { en: 'Sign in to', de: 'Bei localhost', fr: 'Connexion à localhost', ja: 'へのログイン', he: 'כניסה אל' };
  for (const [tag, subject] of Object.entries(subjects)) {
    const { parsed } = { parsed: await ask(tag, 'signin/email') };
    t.ok(parsed.subject.includes(subject), `${tag}: the subject`, parsed.subject);
    t.ok(parsed.text.startsWith(`${parsed.subject}\nhttp`), `${tag}: the text`, parsed.text);
    t.like(parsed.html, new RegExp(`<html lang="${tag}" dir="${tag === 'he' ? 'rtl' : 'ltr'}">[\\s\\S]*<h1[^>]*>${parsed.subject}</h1>`), `${tag}: the HTML says its language`);
    t.unlike(parsed.html, /\{\w+\}/, `${tag}: no placeholder is left`);
  }
  t.like((await ask('de', 'signin/email')).html, /läuft in 24 Stunden ab/, 'with its times');
  t.like((await ask('fr', 'signup')).subject, /^Créez votre compte/, 'the email of a sign-up');
  await nextauthctl(db, ['user', 'add', '--email', 'he@example.org']);
  const own = await ask('he', 'reset-password');
  t.like(own.text, /^he rtl 24 שעות http/, 'a template of the site\'s own knows the language');
  t.like(own.subject, /^איפוס הסיסמה/, 'and what it leaves out is translated');
}

async function attempts(t) {
  t.section('a form that failed');
  const site = await start(t, shipped('en', 'de'));
  const tab = new Client(site);
  const send = async (username, password) => tab.credentials(username, password);
  const again = async () => (await tab.page('/api/auth/signin?error=CredentialsSignin')).text.split('<main>')[1];
  const errorPage = async (first) => {
    let reply = first;
    while (reply.location) reply = await tab.page(reply.location);
    return reply.text;
  };
  const page = await errorPage(await send('ada "&', 'wrong'));
  t.like(page, / value="ada &quot;&amp;"/, 'the name is kept, escaped');
  t.like(page, /id="password-credentials"[^>]*autofocus[^>]* aria-invalid="true" aria-describedby="password-credentials-fault" value=""><p class="fault" id="password-credentials-fault" role="alert">Sign-in failed\./, 'the error is beside the password, which has the focus');
  t.is(page.match(/role="alert"/g).length - (page.includes('Test mode') ? 1 : 0), 1, 'and nowhere else');
  t.unlike((await again()), / value="ada|aria-invalid/, 'it is kept for one page');
  await send('x'.repeat(300), 'wrong');
  t.is(tab.cookie('next-auth.attempt'), undefined, 'an endless name is not kept');
  await tab.credentials('ada', 'wrong', { json: 'true' });
  t.is(tab.cookie('next-auth.attempt'), undefined, 'nor what a script sent');
  for (const value of ['credentials', 'credentials%20%00', 'x'.repeat(4000), '%ff', 'nobody%20<b>']) {
    tab.cookies.set('next-auth.attempt', { value, path: '/' });
    t.unlike((await again()), /<b>|aria-invalid|xxxx/, `a cookie of ${value.slice(0, 20)} changes nothing`);
  }
}

const file = (texts, more = {}) => JSON.stringify({ language: 'nl', direction: 'ltr', texts, ...more });
const wrongFiles = [
  ['{', /nl\.json/, 'no JSON'],
  ['[]', /its language is not 'nl'/, 'no object'],
  [file({}, { language: 'de' }), /its language is not 'nl'/, 'another language'],
  [file({}, { direction: 'up' }), /invalid direction: expected ltr or rtl/, 'another direction'],
  [file(7), /missing texts/, 'no texts'],
  [file({ 'Sign in': 7 }), /invalid translation of 'Sign in': it is not a text/, 'a number'],
  [file({ 'Sign in': '' }), /it is not a text/, 'an empty text'],
  [file({ 'Sign in with {name}': 'Inloggen' }), /invalid translation of 'Sign in with \{name\}': it lacks \{name\}/, 'a placeholder is missing'],
  [file({ 'Sign in with {name}': '{naam} {name}' }), /the English text has no \{naam\}/, 'a placeholder of its own'],
  [file({ 'Sign in': '<b>Inloggen</b>' }), /it has control characters, or < or >/, 'HTML'],
  [file({ 'Sign in': 'In\nloggen' }), /it has control characters/, 'two lines'],
  [file({ 'Sign in': 'x'.repeat(1001) }), /longer than 1000 bytes/, 'an endless text'],
  ['{"language":"nl","direction":"ltr","texts":{"a":"b","a":"c"}}', /duplicate/, 'a text twice'],
  [' '.repeat(600_000), /nl\.json/, 'an endless file'],
];

async function refused(t) {
  t.section('files that are refused');
  for (const [text, message, what] of wrongFiles) {
    const { status, output } = await t.configtest({ files: { users: '', 'nl.json': text }, config: `${base}\nNextAuthLanguage en nl=@DIR@/nl.json` });
    t.ok(status !== 0 && message.test(output), what, output.slice(0, 300));
  }
  for (const [value, message] of [['d', /invalid language 'd'/], ['de_AT', /invalid language 'de_AT'/], ['../de', /invalid language '\.\.\/de'/], ['xx', /languages\/xx\.json/]]) {
    const { status, output } = await t.configtest({ files: { users: '' }, config: `${base}\nNextAuthLanguage ${value}` });
    t.ok(status !== 0 && message.test(output), `NextAuthLanguage ${value}`, output.slice(0, 300));
  }
}

suite('Languages of pages and emails', async (t) => {
  t.withOneMpm();
  completeFiles(t);
  await chosen(t);
  await emails(t);
  await attempts(t);
  await refused(t);
});
