#!/usr/bin/env node
'use strict';
// Every provider of the catalogue signs a user in, at a stand-in that is as particular as its
// documentation; and the user is the one that Auth.js's own profile() makes of the same answers.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { suite } = require('./lib/suite.js');
const { ctlFile, freePort, makeFolder } = require('./lib/httpd.js');
const { generateKeys } = require('./lib/keys.js');
const table = require('./lib/provider-table.js');
const jose = require('jose');
const { startCatalogue, clientOf, secretOf } = require('./lib/catalogue.js');

const catalogue = JSON.parse(fs.readFileSync(path.join(__dirname, '../conf/providers.json'), 'utf8'));
const isEmail = (id) => catalogue[id].type === 'email';
const entries = Object.fromEntries(Object.entries(catalogue).filter(([id]) => !isEmail(id)));
const folder = path.join(__dirname, 'node_modules/@auth/core/providers');
// Where a file's name is not the ID that it gives; the second is next-auth v4's spelling.
const files = { hydra: 'ory-hydra', 'duende-identityserver6': 'duende-identity-server6' };
// What Auth.js takes out of an answer before profile() sees it.
const inner = { notion: (a) => a.bot.owner.user, nextcloud: (a) => a.ocs.data, todoist: (a) => a.user,
  vk: (a) => ({ ...a.response[0], email: 'ada@example.org' }) };
// Answers that paths alone do not shape.
const shaped = {
  apple: ({ user, ...a }) => a, // the browser posts the name
  hubspot: (a) => ({ ...a, user: 'ada@example.org' }),
  discord: (a) => ({ ...a, avatar: 'abc', discriminator: '0' }),
  bungie: (a) => { a.Response.bungieNetUser.profilePicturePath = 'img/p.png'; return a; },
};

// Claims that Auth.js does not read, because these providers do not send them.
const unsent = {
  picture: ['apple', 'azure-ad', 'azure-ad-b2c', 'bankid-no', 'battlenet', 'beyondidentity', 'microsoft-entra-id', 'simplelogin'],
  email: ['battlenet', 'bitbucket'],
};
// Where this module finds more than Auth.js.
const better = { bitbucket: { email: 'ada@example.org' } };

// Sets the member that a path of a profile map names.
function place(answer, dotted, value) {
  const names = dotted.split('.');
  let at = answer;
  names.forEach((name, i) => {
    const key = /^\[.*\]$/.test(name) ? 0 : name;
    if (/^\[.*\]$/.test(name)) at[0] = { ...at[0], [name.slice(1, -1)]: true };
    const next = names[i + 1];
    if (i === names.length - 1) at[key] ??= value;
    else at = at[key] ??= /^(\d+|\[.*\])$/.test(next) ? [] : {};
  });
}

// An answer with each member that the entry maps.
function answerOf(id, entry) {
  const answer = entry.type === 'oidc' ? { sub: `sub-${id}`, name: 'Ada Byron', email: 'ada@example.org', email_verified: true, picture: 'https://pictures.example.org/ada' } : {};
  const values = { id: `id-${id}`, name: 'Ada', email: 'ada@example.org', image: 'https://pictures.example.org/ada' };
  for (const [what, value] of Object.entries(values)) {
    const map = (entry[`profile.${what}`] || '').split('|')[0].replace(/\{issuer\}/g, '');
    const paths = map.includes('{') ? [...map.matchAll(/\{([^}]+)\}/g)].map(([, found]) => found) : [map];
    for (const found of paths) if (found && !found.startsWith('token.')) place(answer, found, map.includes('{') && what === 'image' ? 'part' : value);
  }
  for (const [claim, of] of Object.entries(unsent)) if (of.includes(id)) delete answer[claim];
  return shaped[id] ? shaped[id](answer) : answer;
}

// Auth.js's default, where a provider has no profile() of its own.
const usual = (p) => ({ id: p.sub ?? p.id, name: p.name ?? p.nickname ?? p.preferred_username, email: p.email, image: p.picture });

// Members that make no difference to the user, or to whether a user without a picture gets a general one.
const known = ['beyondidentity.preferred_username', 'click-up.user.profilePicture', 'click-up.user.color', 'yandex.is_avatar_empty'];
// The members that Auth.js looks for and an answer has not, so that nothing of it is tried.
const unread = new Set();
function watched(value, where) {
  if (!value || typeof value !== 'object') return value;
  return new Proxy(value, { get: (object, name) => {
    if (typeof name === 'string' && !Array.isArray(object) && !(name in object)) unread.add(`${where}.${name}`);
    return watched(object[name], `${where}.${name}`);
  } });
}

async function theirUser(id, issuer, answer) {
  const module = await import(pathToFileURL(path.join(folder, `${files[id] || id}.js`)).href);
  const provider = module.default({ clientId: clientOf(id), clientSecret: secretOf(id), issuer, tenantId: 'acme', baseUrl: issuer, accountID: 'acme', userinfo: `${issuer}/me` });
  const profile = provider.profile || provider.options?.profile || usual;
  const user = await profile.call(provider, watched(inner[id] ? inner[id](answer) : answer, id), { access_token: 'x', email: 'ada@example.org' });
  return Object.fromEntries(['id', 'name', 'email', 'image'].map((name) => [name, user[name] ?? undefined]).map(([name, value]) => [name, value === undefined ? value : String(value)]));
}

const common = `NextAuthEngine On
NextAuthMode test
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthRateLimit callback Off
NextAuthSessionClaim sub
`;

async function userOf(t, site, id) {
  const c = t.client(site);
  const away = await c.page((await c.signIn(id)).location);
  await c.page(away.location);
  return (await c.session()).user;
}

// Without allowUnverifiedEmail=, an address counts if the provider says that it is verified.
async function vouchedOnly(t, there) {
  const site = await t.httpd({ config: `${common}NextAuthURL http://localhost:@PORT@
${['discord', 'kakao', 'zoom', 'spotify', 'eventbrite'].map((id) => `NextAuthProvider ${id} ${there.options(id)}`).join('\n')}` });
  for (const [id, sayings] of [
    ['discord', [[{ verified: true }, true], [{ verified: false }, false], [{}, false], [{ verified: 'yes' }, false]]],
    ['kakao', [[{ kakao_account: { is_email_verified: true } }, true], [{ kakao_account: { is_email_verified: false } }, false]]],
    ['zoom', [[{ verified: 1 }, true], [{ verified: 0 }, false]]],
    ['eventbrite', [[{ emails: [{ primary: true, verified: true }] }, true], [{ emails: [{ primary: true, verified: false }] }, false]]],
    ['spotify', [[{ verified: true, email_verified: true }, false]]],
  ]) for (const [saying, counts] of sayings) {
    const answer = answerOf(id, entries[id]);
    for (const [name, value] of Object.entries(saying))
      answer[name] = Array.isArray(value) ? [{ ...answer[name][0], ...value[0] }] : typeof value === 'object' ? { ...answer[name], ...value } : value;
    there.answers[id] = answer;
    t.is((await userOf(t, site, id))?.email, counts ? 'ada@example.org' : undefined, `${id}: ${JSON.stringify(saying)}`);
  }
}

async function signedUserinfo(t, there) {
  t.section('A signed userinfo response');
  const config = (more = '') => `${common}NextAuthURL http://localhost:@PORT@\nNextAuthProvider bankid-no ${there.options('bankid-no')} ${more}`;
  const site = await t.httpd({ config: config() });
  const secret = { alg: 'HS256', secret: secretOf('bankid-no') };
  for (const [what, made, says] of [
    ['plain JSON', async (claims) => claims, /invalid JWT of the userinfo endpoint/],
    ['a signature by the client secret', (claims) => there.jwt(claims, secret), /invalid JWT of the userinfo endpoint/],
    ['one for another client', (claims) => there.jwt({ ...claims, aud: 'another' }), /iss or aud of the signed userinfo response does not match/],
    ['one of another issuer', (claims) => there.jwt({ ...claims, iss: 'https://evil.example.org' }), /iss or aud of the signed userinfo/],
    ['one without an audience', (claims) => there.jwt({ ...claims, aud: undefined }), /iss or aud of the signed userinfo/],
  ]) {
    there.userinfoIs = made;
    t.is(await userOf(t, site, 'bankid-no'), undefined, `${what} is refused`);
    t.like(site.log().split('\n').filter((line) => /nextauth:(warn|error)/.test(line)).at(-1), says, '  and the log says why');
  }
  const byHmac = await t.httpd({ config: config('userinfo_signed_response_alg=HS256') });
  there.userinfoIs = (claims) => there.jwt(claims, secret);
  t.is((await userOf(t, byHmac, 'bankid-no')).id, 'sub-bankid-no', 'its algorithm may differ from the ID token\'s');
  there.userinfoIs = undefined;
}

async function ownEntries(t, there) {
  t.section('A file of further providers');
  const folder = makeFolder(t);
  const write = (content) => {
    fs.writeFileSync(`${folder}/own.json`, content);
    return `NextAuthProviderFile ${folder}/own.json`;
  };
  const dribbble = { ...entries.dribbble, name: 'Our own', authorization: '{issuer}/oauth/authorize', token: '{issuer}/oauth/token', userinfo: '{issuer}/v2/user' };
  const file = write(JSON.stringify({ dribbble }));
  there.answers.dribbble = answerOf('dribbble', entries.dribbble);
  const site = await t.httpd({ config: `${common}NextAuthURL http://localhost:@PORT@
NextAuthProvider dribbble issuer=${there.url}/dribbble "clientId=${clientOf('dribbble')}" "clientSecret=${secretOf('dribbble')}"
${file}` });
  t.is((await t.client(site).get('/api/auth/providers')).json.dribbble.name, 'Our own', 'replaces a built-in provider, wherever it is in the file');
  t.is((await userOf(t, site, 'dribbble')).id, 'id-dribbble', '  and its users sign in');
  for (const [content, says] of [
    ['{', /own\.json: .*JSON/], ['{\n"x": {,}}', /own\.json: not JSON: .* \(line 2, byte \d+\)/], ['{"x":7}', /invalid provider 'x': it is not a JSON object: write its options as/],
    ['{"x":{"type":"oidc","maxAge":60}}', /maxAge is not a string: write the value in quotation marks/], ['{"x":{"name":"X"}}', /it has no type: set "type" to/], ['[]', /expected a JSON object/], [JSON.stringify({ x: { type: 'oauth', clientSecret: 's' } }), /invalid provider 'x': clientSecret belongs in NextAuthProvider/],
    [JSON.stringify({ x: { type: 'magic' } }), /invalid provider 'x': invalid type=magic/], ['\xff', /is not UTF-8|JSON/],
  ]) t.like((await t.configtest({ config: `${common}NextAuthURL http://localhost:1\n${write(content)}\nNextAuthProvider dribbble clientId=a clientSecret=b` })).output, says, `${content.slice(0, 30)} is refused`);
  t.like((await t.configtest({ config: `${common}NextAuthURL http://localhost:1\nNextAuthProviderFile ${folder}/none.json\nNextAuthProvider dribbble clientId=a clientSecret=b` })).output, /could not read/, 'so is a file that is not there');
  t.like((await t.configtest({ config: `${common}NextAuthURL http://localhost:1\nNextAuthProvider mastodon clientId=a clientSecret=b` })).output, /provider 'mastodon' requires issuer=/, 'a provider without its issuer says so');
}

// Apple's client secret is a JWT by the key of the developer account.
async function appleSecret(t, there) {
  t.section('Apple');
  const folder = makeFolder(t);
  const { publicKey, privateKey } = generateKeys('ec', { namedCurve: 'P-256' });
  fs.writeFileSync(`${folder}/key.p8`, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  const port = await freePort();
  const options = there.options('apple').replace(/"clientSecret=[^"]*"/, `clientSecretKey=file:${folder}/key.p8 teamId=TEAM123456 keyId=KEY7890123`);
  const config = `${common}NextAuthURL https://localhost:${port}\nNextAuthSessionStore none\nNextAuthProvider apple ${options}`;
  const site = await t.httpd({ port, config });
  let shown;
  there.secretIs.apple = (secret) => { shown = secret; return true; };
  there.answers.apple = answerOf('apple', entries.apple);
  there.faults.length = 0;
  const c = t.client(site);
  const { json } = await c.page((await c.signIn('apple')).location);
  await c.post('/api/auth/callback/apple', { ...json, user: JSON.stringify({ name: { firstName: 'Ada' }, email: 'eve@example.org', sub: 'eve' }) }, { headers: { accept: 'text/html' } });
  const { payload, protectedHeader } = await jose.jwtVerify(shown, publicKey, { issuer: 'TEAM123456', subject: clientOf('apple'), audience: 'https://appleid.apple.com' });
  t.is(protectedHeader, { alg: 'ES256', kid: 'KEY7890123' }, 'the client secret is signed with the key');
  t.is(payload.exp - payload.iat, 300, '  for five minutes');
  t.is((({ id, name, email }) => ({ id, name, email }))((await c.session()).user), { id: 'sub-apple', name: 'Ada', email: 'ada@example.org' }, 'of what the browser posts, only the name counts');
  for (const [text, says] of [['teamId=TEAM123456', /requires teamId= and keyId=/], [`clientSecretKey=file:${folder}/key.p8`, /requires clientSecret=/]])
    t.like((await t.configtest({ config: config.replace(text, '') })).output, says, `without ${text.split('=')[0]} configtest says what is missing`);
  for (const user of ['{', '[]', '"x"', '{"name":7}', '{"name":{"firstName":{}}}']) {
    const d = t.client(site);
    const again = (await d.page((await d.signIn('apple')).location)).json;
    await d.post('/api/auth/callback/apple', { ...again, user }, { headers: { accept: 'text/html' } });
    t.is((await d.session()).user?.name, 'Ada Byron', `${user.slice(0, 30)} is no name`);
  }
  delete there.secretIs.apple;
}

suite('Every provider of the catalogue', async (t) => {
  t.withOneMpm();
  const there = await startCatalogue(t, entries);
  const ids = Object.keys(entries);
  const port = await freePort();
  const url = `https://localhost:${port}`; // Apple posts a form, which takes an https site
  const site = await t.httpd({ port, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
NextAuthSessionStore none
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthRateLimit callback Off
NextAuthSessionClaim sub
${ids.map((id) => `NextAuthProvider ${id} ${there.options(id)} ${there.photoOptions(id)} allowUnverifiedEmail=true`).join('\n')}` });
  t.is(Object.keys((await t.client(site).get('/api/auth/providers')).json).length, ids.length, `${ids.length} providers at once`);
  // Auth.js asks Microsoft for Entra ID's photo: it gets the stand-in's.
  there.photo = { type: 'image/jpeg', body: Buffer.concat([Buffer.from('ffd8ff', 'hex'), Buffer.alloc(1200, 7)]) };
  globalThis.fetch = async (url) => (url === 'https://graph.microsoft.com/v1.0/me/photos/48x48/$value' ? new Response(there.photo.body) : { ok: false });

  for (const id of ids) {
    const c = t.client(site);
    there.answers[id] = answerOf(id, entries[id]);
    there.faults.length = 0;
    there.posted = JSON.stringify({ name: { firstName: 'Ada', lastName: 'Byron' }, email: 'eve@example.org' });
    const away = await c.page((await c.signIn(id)).location);
    const back = away.location ? await c.page(away.location.replace(url, site.url))
      : await c.post(`/api/auth/callback/${id}`, away.json, { headers: { accept: 'text/html' } });
    const { user = {} } = await c.session();
    t.is(there.faults, [], `${id}: ${entries[id].name} is asked as it wants to be`) || t.diag(site.log().split('\n').filter((line) => /warn|error/.test(line)).at(-1));
    t.is(Object.fromEntries(['id', 'name', 'email', 'image'].map((name) => [name, user[name] ?? undefined])),
      { ...await theirUser(id, `${there.url}/${id}`, { ...structuredClone(there.answers[id]), ...(id === 'apple' ? { user: JSON.parse(there.posted) } : {}) }), ...better[id] }, '  and the user is the one that Auth.js makes') || t.diag(JSON.stringify(there.answers[id]), back.location, site.log().split('\n').filter((line) => /:warn|:error/.test(line)).at(-1));
  }
  t.is([...unread].filter((read) => !known.includes(read)), [], 'what Auth.js reads is in the answers');
  t.section('Those that nobody vouches for have no address');
  await vouchedOnly(t, there);
  await signedUserinfo(t, there);
  await ownEntries(t, there);
  await appleSecret(t, there);

  const listed = JSON.parse(spawnSync(ctlFile, ['providers', '--json'], { encoding: 'utf8' }).stdout);
  t.is(listed.map(({ id }) => id), Object.keys(catalogue).toSorted(), 'nextauthctl providers lists them all, those of emailed links too');
  t.is(fs.readFileSync(table.document, 'utf8') === table.renew(listed), true, 'as docs/providers.md does (t/lib/provider-table.js --write renews it)');
  t.unlike(site.log(), /secret of |[?&]access_token=/, 'no secret and no token is in the log');
});
