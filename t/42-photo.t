#!/usr/bin/env node
'use strict';
// The photo of Entra ID's users: asked for with photo= only, whole or not at all, and in no session
// that it does not fit into. That it is the one of Auth.js is tried in 42-catalogue.t.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { startApp } = require('./lib/app.js');
const { startCatalogue } = require('./lib/catalogue.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');
const { generateKeys } = require('./lib/keys.js');
const { enrol, give, codeOf, letTimePass, oathtoolIsHere } = require('./lib/second-factor.js');

const entries = JSON.parse(fs.readFileSync(path.join(__dirname, '../conf/providers.json'), 'utf8'));
const bytes = (hex, size) => Buffer.concat([Buffer.from(hex, 'hex'), Buffer.alloc(size - hex.length / 2, 7)]);
const jpeg = (size) => bytes('ffd8ff', size);
const png = (size) => bytes('89504e470d0a1a0a', size);
const urlOf = (body, type = 'image/jpeg') => `data:${type};base64, ${body.toString('base64')}`;
const lastOf = (site) => site.log().split('\n').filter((line) => /photo is left out|user's picture/.test(line)).at(-1);
const id = 'microsoft-entra-id';

const common = (more) => `NextAuthEngine On
NextAuthURL http://localhost:@PORT@
NextAuthMode test
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthRateLimit callback Off
${more}`;

async function signIn(t, there, site, provider = id) {
  const c = t.client(site);
  there.answers[provider] = { sub: 'sub-1', name: 'Ada', email: 'ada@example.org', email_verified: true };
  there.photosAsked = [];
  c.back = await c.page((await c.page((await c.signIn(provider)).location)).location.replace(there.url, site.url));
  c.user = (await c.session()).user;
  return c;
}

async function inCookies(t, there) {
  const app = await startApp(t, (request) => request.headers);
  const site = await t.httpd({ files: { 'key.pem': { text: generateKeys('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }), mode: 0o600 } },
    config: common(`NextAuthSessionStore none
NextAuthIdentityKey file:@DIR@/key.pem
NextAuthProvider ${id} ${there.options(id)} ${there.photoOptions(id)}
NextAuthProvider azure-ad ${there.options('azure-ad')}
<Location /app/>
  AuthType NextAuth
  Require valid-user
  NextAuthPassIdentity headers jwt
  ProxyPass http://127.0.0.1:${app.port}/
</Location>`) });

  t.section('In a session cookie');
  there.photo = { type: 'image/jpeg', body: jpeg(2400) };
  const c = await signIn(t, there, site);
  t.is(c.user?.image, urlOf(there.photo.body), 'the photo is the user\'s image');
  t.is(there.photosAsked, [{ path: `/${id}/photos/48x48/$value`, accept: 'image/jpeg, image/png', isGood: true }], '  asked for once, with the access token');
  t.is([...c.cookies.keys()].filter((name) => /session-token/.test(name)).sort(), ['next-auth.session-token.0', 'next-auth.session-token.1'], '  in two cookies');
  const { cookie, ...headers } = (await c.get('/app/')).json.user;
  const { picture, name } = JSON.parse(Buffer.from(headers['x-nextauth-jwt'].split('.')[1], 'base64url'));
  t.is([picture, name], [undefined, 'Ada'], '  and not in the JWT for applications');
  t.unlike(JSON.stringify(headers), /data:|BwcHBw/, '  nor in another header');
  t.is((await signIn(t, there, site, 'azure-ad')).user.image, undefined, 'without photo=, there is none');
  t.is(there.photosAsked, [], '  and nothing is asked');
  there.photo = { type: 'IMAGE/PNG; x=y', body: png(1500) };
  t.is((await signIn(t, there, site)).user.image, urlOf(there.photo.body, 'image/png'), 'it can be a PNG file');

  t.section('No sign-in fails for a photo');
  const html = Buffer.from('<script>alert(1)</script>');
  for (const [what, photo, says] of [
    ['404', undefined, undefined],
    ['403', { type: 'image/jpeg', body: jpeg(1500), status: 403 }, /photo is left out: its URL returned status 403/],
    ['a redirect', { type: 'image/jpeg', body: jpeg(1500), status: 302, more: { location: '/elsewhere' } }, /returned status 302/],
    ['HTML', { type: 'text/html', body: html }, /not a JPEG or PNG file/],
    ['HTML that is said to be a JPEG file', { type: 'image/jpeg', body: html }, /not a JPEG or PNG file/],
    ['a JPEG file that is said to be HTML', { type: 'text/html', body: jpeg(1500) }, /not a JPEG or PNG file/],
    ['a JPEG file that is said to be a PNG file', { type: 'image/png', body: jpeg(1500) }, /not a JPEG or PNG file/],
    ['SVG', { type: 'image/svg+xml', body: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') }, /not a JPEG or PNG file/],
    ['the beginning of a file', { type: 'image/jpeg', body: jpeg(3) }, /not a JPEG or PNG file/],
    ['an empty response', { type: 'image/jpeg', body: '' }, /not a JPEG or PNG file/],
    ['a response that ends too early', { type: 'image/jpeg', body: jpeg(1500), more: { 'content-length': 3000 } }, /photo is left out/],
    ['32,769 bytes', { type: 'image/jpeg', body: jpeg(32769) }, /it has 32769 bytes; at most 32768/],
    ['32,768 bytes, for a cookie', { type: 'image/jpeg', body: jpeg(32768) }, /without the user's picture, which is too large for it/],
    ['3,500 bytes, for a cookie', { type: 'image/jpeg', body: jpeg(3500) }, /without the user's picture, which is too large for it/],
  ]) {
    there.photo = photo;
    const before = lastOf(site);
    const { user } = await signIn(t, there, site);
    t.is([user?.name, user?.image, there.photosAsked.length], ['Ada', undefined, 1], `${what}: the user is without an image`);
    const after = lastOf(site);
    says ? t.like(after, says, '  and the log says why') : t.is(after, before, '  of which nothing is to be said');
  }
  t.unlike(site.log(), /BwcHBw/, 'no photo is in the log');

  t.section('What configtest says');
  for (const [options, says] of [
    [`${id} tenant=acme photo=50`, /invalid photo=50: expected 48 64 96 120 240 360 432 504 648/],
    ['google photo=48', /provider 'google' requires photo\.url= for photo=/],
    ['google photo=big photo.url=https://id.example.org/{photo}', /invalid photo=big: expected a number of pixels/],
    ['google photo=48 photo.url=http://id.example.org/{photo}', /photo\.url=http:\/\/id\.example\.org\/48 must be an https URL/],
  ]) {
    const config = common(`NextAuthProvider ${options} clientId=a clientSecret=b`).replace('test', 'production').replace('http:', 'https:').replace(/(NextAuthSecret ).*/, '$1Vb3kQ9xT7mLr2sWz8pYc5uJd4hGf6nAe');
    t.like((await t.configtest({ config })).output, says, options);
  }
}

async function inDatabase(t, there) {
  t.section('With a database');
  if (!databasesHere().sqlite) return t.skip('photos in a database', 'there is no SQLite');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  const provider = `NextAuthProvider ${id} ${there.options(id)} ${there.photoOptions(id)}`;
  there.photo = { type: 'image/jpeg', body: jpeg(20000) };
  const table = await t.httpd({ config: common(`NextAuthDatabase ${db.url}\nNextAuthSessionStrategy database\nNextAuthSessionStore database\n${provider}`) });
  const image = urlOf(there.photo.body);
  t.is((await signIn(t, there, table)).user?.image, image, 'a session on the server has room for a large photo');
  const images = async () => (await db.sql('SELECT image FROM users')).flat();
  t.is(JSON.stringify(await images()).includes(there.photo.body.toString('base64').slice(-60)), true, '  which is the image of the new user');
  await table.stop();

  t.section('With a second factor');
  if (!oathtoolIsHere()) return t.skip('a photo after a second factor', 'there is no oathtool');
  const site = await t.httpd({ config: common(`NextAuthDatabase ${db.url}\nNextAuthTwoFactor Optional\n${provider}`) });
  const first = await signIn(t, there, site);
  t.is([first.user?.name, first.user?.image], ['Ada', null], 'the database\'s photo is left out of a cookie that is too small for it');
  const { key } = await enrol(first);
  there.photo = undefined;
  for (const [size, counts] of [[1500, true], [20000, false]]) {
    const small = urlOf(jpeg(size));
    await db.sql(`UPDATE users SET image = '${small}'`);
    await letTimePass(db);
    const c = await signIn(t, there, site);
    t.is([c.user, [...c.cookies.values()].every((value) => String(value.value ?? value).length < 2500)], [undefined, true], `${size} bytes: the sign-in waits without the photo`);
    await give(c, codeOf(key));
    const { user } = await c.session();
    t.is([user?.name, user?.image], ['Ada', counts ? small : null], counts ? '  and has it then' : '  and is complete without it');
  }
}

suite('Photos of users', async (t) => {
  const there = await startCatalogue(t, entries);
  await inCookies(t, there);
  await inDatabase(t, there);
});
