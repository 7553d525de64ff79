#!/usr/bin/env node
'use strict';
// The answer of a provider is good for the browser that began the sign-in, and for the user who was
// signed in there: RFC 6749 section 10.12, RFC 9700 section 2.1 and 4.7.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, makeFolder } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { certify } = require('./lib/certificates.js');
const { replies, Reply } = require('./lib/rogue.js');
const { startHomemade } = require('./lib/emulators.js');
const { startOp } = require('./lib/op.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl, secretFile } = require('./lib/ctl.js');
const { startBrowser } = require('./lib/browser.js');
const { seal } = require('./lib/token.js');

const SECRET = 'the secret of this site has 32 bytes and more';
const NAME = 'next-auth.session-token';
const provider = (id, at, more = '') => `NextAuthProvider ${id} type=oauth clientId=c clientSecret=s authorization=${at.url}/authorize token=${at.url}/token userinfo=${at.url}/api/me ${more}`;
const config = (own, rogue, db, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "${SECRET}"
${db ? `NextAuthDatabase ${db.url}` : ''}
${provider('one', own)}
${provider('rogue', rogue)}
${provider('pkceonly', rogue, 'checks=pkce')}
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionClaim sub
${more}`;
const files = { users: htpasswd({ ada: 'x' }) };

const checks = (client) => [...client.cookies].filter(([name]) => /state|pkce|nonce/.test(name));
const whoIs = async (client) => ((await client.session()) || {}).user || {};
const refusal = (answer) => /error=(\w+)/.exec(answer.location || '')?.[1];

// Begins a sign-in and stops in front of the callback: its address, and the cookies that go with it.
async function begin(client, at, id, user) {
  at.user = user;
  const { location } = await client.page((await client.signIn(id)).location);
  return { url: location, cookies: checks(client) };
}
const signIn = async (client, at, id, user) => client.page((await begin(client, at, id, user)).url);

async function cases(t, own, rogue, db) {
  const words = db ? 'with a database' : 'without a database';
  const site = await t.httpd({ files, config: config(own, rogue, db) });
  const accounts = async () => (db ? (await db.sql('SELECT provider, providerAccountId FROM accounts ORDER BY 1, 2')) : [])
    .map((row) => Object.values(row).join(' '));
  const ada = { id: 'ada1', name: 'Ada', email: 'ada@example.org' };
  const mallory = { id: 'mallory', name: 'Mallory', email: 'mallory@example.org' };
  const victim = async () => {
    const c = new Client(site);
    await signIn(c, own, 'one', ada);
    return c;
  };
  const unchanged = async (c, who, before, what) => {
    t.is((await whoIs(c)).name, who, `  ${what}`);
    t.is(await accounts(), before, '  and no account is linked or made');
  };

  for (const id of ['rogue', 'pkceonly']) {
    t.section(`${words}, ${id}: a sign-in that another browser began`);
    const c = await victim();
    const before = await accounts();
    const { url, cookies } = await begin(new Client(site), rogue, id, mallory);
    t.ok(cookies.length > 0, 'the attacker keeps his checks');
    for (const [name, cookie] of cookies) c.cookies.set(name, cookie);
    t.is(refusal(await c.page(url)), 'OAuthCallback', 'planted in a browser where somebody is signed in: refused');
    await unchanged(c, 'Ada', before, 'who was signed in still is');
    t.like(site.log(), /another browser began the sign-in: the CSRF cookie does not match/, '  and the log says why');
    t.is(checks(c), [], '  and the planted cookies are gone');
    const nobody = new Client(site);
    const again = await begin(new Client(site), rogue, id, mallory);
    for (const [name, cookie] of again.cookies) nobody.cookies.set(name, cookie);
    t.is([refusal(await nobody.page(again.url)), nobody.cookie(NAME)], ['OAuthCallback', undefined], 'planted where nobody is: refused, too');

    t.section(`${words}, ${id}: its PKCE cookie under the name that Auth.js gives its own, which knows no browser`);
    const renamed = async (c, user) => {
      const begun = await begin(new Client(site), rogue, id, user);
      const [, pkce] = begun.cookies.find(([name]) => name.startsWith('next-auth.pkce.code_verifier'));
      c.cookies.set('next-auth.pkce.code_verifier', pkce);
      const at = new URL(begun.url);
      at.searchParams.delete('state');
      return c.page(at.href);
    };
    const misled = new Client(site);
    t.is([refusal(await renamed(misled, mallory)), misled.cookie(NAME)], ['OAuthCallback', undefined], 'planted where nobody is signed in: refused');

    t.section(`${words}, ${id}: one that was begun before somebody signed in`);
    const shared = new Client(site);
    const left = await begin(shared, rogue, id, mallory);
    await signIn(shared, own, 'one', ada);
    t.is(refusal(await shared.page(left.url)), 'OAuthCallback', 'it ends with another account: refused');
    await unchanged(shared, 'Ada', before, 'who signed in meanwhile still is');
    t.like(site.log(), /no user was signed in when the sign-in began, and another user is signed in now/, '  and the log says why');
    const tabs = new Client(site);
    const tab = await begin(tabs, own, 'one', ada);
    await signIn(tabs, own, 'one', ada);
    t.is([refusal(await tabs.page(tab.url)), (await whoIs(tabs)).name], [undefined, 'Ada'], 'with the same user\'s: signed in, once more');

    t.section(`${words}, ${id}: one that somebody began who is gone`);
    const one = await victim();
    const hers = await begin(one, rogue, id, mallory);
    await one.signOut();
    t.is([refusal(await one.page(hers.url)), one.cookie(NAME)], ['OAuthCallback', undefined], 'signed out since: refused');
    const two = await victim();
    const abandoned = await begin(two, rogue, id, mallory);
    await two.credentials('ada', 'x');
    t.is(refusal(await two.page(abandoned.url)), 'OAuthCallback', 'another user since: refused');
    t.like(site.log(), /the user who began the sign-in is no longer signed in/, '  and the log says why');
    const known = await accounts();
    await unchanged(two, 'ada', known, 'the other one still is');
  }

  if (!db) return;
  t.section('who is signed in, and begins it, links');
  const c = await victim();
  const { id } = await whoIs(c);
  await signIn(c, rogue, 'rogue', { id: 'second' });
  t.is((await whoIs(c)).id, id, 'the same user');
  t.ok((await accounts()).includes('rogue second'), 'who has one more account');

  t.section('whose sessions were ended meanwhile links nothing, however lately they were looked at');
  const linked = await accounts();
  const stolen = await victim();
  const away = await begin(stolen, rogue, 'rogue', { id: 'third' });
  await whoIs(stolen);
  const setPassword = async (password) => {
    const file = secretFile(db, 'password', password);
    return (await nextauthctl(db, ['user', 'set-password', id, '--password-file', file])).stderr;
  };
  t.is(await setPassword('a password that nobody guesses'), '', 'a new password, while the provider asks');
  t.is(refusal(await stolen.page(away.url)), 'OAuthCallback', '  the answer is refused');
  t.is(await accounts(), linked, '  and no account is linked');
  const slow = await victim();
  const late = await begin(slow, rogue, 'rogue', { id: 'fourth' });
  const { token } = rogue;
  rogue.token = function answer(...args) {
    rogue.token = token;
    return new Reply(async (res) => {
      await setPassword('another one that nobody guesses');
      token.apply(this, args).send(res);
    });
  };
  t.is(refusal(await slow.page(late.url)), 'OAuthCallback', 'one while the provider answers: refused');
  t.is(await accounts(), linked, '  and no account is linked');
}

// A Next.js application's server action: Auth.js begins, and the answer comes to us.
async function serverAction(site, id, options) {
  const { Auth } = await import('@auth/core');
  const authjs = { basePath: '/api/auth', secret: SECRET, trustHost: true, logger: { error: (e) => { throw e; }, warn() {}, debug() {} }, ...options };
  const ask = async (action, init) => Auth(new Request(`${site.url}/api/auth/${action}`, init), authjs);
  const first = await ask('csrf');
  const { csrfToken } = await first.json();
  const cookie = first.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ');
  const answer = await ask(`signin/${id}`, { method: 'POST', headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ csrfToken, callbackUrl: '/public.html' }) });
  const cookies = answer.headers.getSetCookie().filter((line) => /state|pkce|nonce/.test(line)).map((line) => line.split(';')[0].split(/=(.*)/s));
  return { location: answer.headers.get('location'), url: site.url, cookies };
}

async function applications(t, own, rogue, db) {
  const [port, opPort] = [await freePort(), await freePort()];
  const client = { client_id: 'site', client_secret: 'the secret of the site at the provider', redirect_uris: [`http://localhost:${port}/api/auth/callback/op`] };
  const op = await startOp(t, { port: opPort, clients: [client] });
  const op5 = `NextAuthProvider op type=oidc issuer=${op.issuer} clientId=${client.client_id} "clientSecret=${client.client_secret}"`;
  const site = await t.httpd({ port, files, config: config(own, rogue, db, `NextAuthCompat v5 accept=v4,v5\n${op5}`) });
  const provides = (more) => ({ providers: [{ id: 'op', name: 'op', type: 'oidc', issuer: op.issuer, clientId: client.client_id, clientSecret: client.client_secret, ...more }] });
  const start = async (c, more) => {
    const action = await serverAction(site, 'op', provides(more));
    for (const [name, value] of action.cookies) c.cookies.set(name, { value: decodeURIComponent(value), path: '/' });
    return action;
  };

  for (const [what, names, more] of [
    ['with PKCE, as Auth.js does by default', ['authjs.pkce.code_verifier'], {}],
    ['with all three checks', ['authjs.nonce', 'authjs.pkce.code_verifier', 'authjs.state'], { checks: ['pkce', 'state', 'nonce'] }],
    ['with a state alone', ['authjs.state'], { checks: ['state'] }]]) {
    t.section(`an application's Auth.js begins the sign-in ${what}`);
    const c = new Client(site);
    const action = await start(c, more);
    t.is(action.cookies.map(([name]) => name).sort(), names, 'its own cookies');
    const back = await op.login(c, action, 'alice');
    t.is([refusal(back), (await whoIs(c)).email], [undefined, 'alice@example.org'], 'the callback here takes them');
    t.is(checks(c), [], 'and clears them');
    const thief = new Client(site);
    t.is(refusal(await thief.page(await op.authorize(c, await start(c, more), 'alice'))), 'Configuration', 'without them there is no sign-in');
    const other = new Client(site);
    const crossed = await start(other, more);
    for (const [name] of crossed.cookies) other.cookies.get(name).value = other.cookies.get(name).value.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    t.is(refusal(await op.login(other, crossed, 'alice')), 'Configuration', 'nor with spoilt ones');
  }

  t.section('what an account is called');
  const types = async () => (await db.sql("SELECT type FROM accounts WHERE provider = 'op'")).map((row) => row.type);
  t.is([...new Set(await types())], ['oidc'], 'v5: oidc');
  await db.sql("DELETE FROM accounts WHERE provider = 'op'");
  await site.reload(config(own, rogue, db, op5));
  const fourth = new Client(site);
  await op.login(fourth, await fourth.signIn('op'), 'bob');
  t.is(await types(), ['oauth'], 'v4: oauth, as NextAuth writes it');
  await site.reload(config(own, rogue, db, `NextAuthCompat v5 accept=v4,v5\n${op5}`));

  t.section('such a sign-in links nothing');
  const c = new Client(site);
  await signIn(c, own, 'one', { id: 'ada1', name: 'Ada', email: 'ada@example.org' });
  const before = await db.sql('SELECT * FROM accounts ORDER BY id');
  t.is(refusal(await op.login(c, await start(c, {}), 'bob')), 'Configuration', 'somebody is signed in: refused');
  t.is([(await whoIs(c)).name, await db.sql('SELECT * FROM accounts ORDER BY id')], ['Ada', before], 'who was signed in still is, without another account');

  t.section('next-auth v4\'s cookies');
  const four = new Client(site);
  const state = 'S'.repeat(43);
  const soon = Math.floor(Date.now() / 1000) + 600;
  four.cookies.set('next-auth.state', { path: '/', value: seal(SECRET, { value: state, provider: 'rogue', exp: soon }, { salt: 'next-auth.state' }) });
  rogue.user = { id: 'four', name: 'Four' };
  const asked = new URLSearchParams({ client_id: 'c', redirect_uri: `${site.url}/api/auth/callback/rogue`, response_type: 'code', state });
  const { location } = await four.page(`${rogue.url}/authorize?${asked}`);
  t.is([refusal(await four.page(location)), (await whoIs(four)).name], [undefined, 'Four'], 'are taken, too, where the site accepts v4');
}

// https, names below one domain, and whoever owns one of them.
async function siblings(t, own, rogue, db, more) {
  const [port, sslPort] = [await freePort(), await freePort()];
  const folder = makeFolder(t);
  certify(folder, 'web', '*.shop.test');
  const host = (name, lines) => `<VirtualHost *:${sslPort}>\nServerName https://${name}.shop.test:${sslPort}\nSSLEngine On\nSSLCertificateFile ${folder}/web.pem\nSSLCertificateKeyFile ${folder}/web.key\n${lines}\n</VirtualHost>`;
  const evil = path.join(folder, 'evil');
  fs.mkdirSync(evil);
  const site = await t.httpd({ port, files, modules: ['ssl'], global: `Listen 127.0.0.1:${sslPort}`,
    config: `${host('www', config(own, rogue, db, more).replace(/NextAuthURL .*/, `NextAuthURL https://www.shop.test:${sslPort}`))}
<Directory ${evil}>\nRequire all granted\n</Directory>
${host('evil', `DocumentRoot ${evil}`)}` });
  return { site, url: `https://www.shop.test:${sslPort}`, evilUrl: `https://evil.shop.test:${sslPort}`, evil };
}

// It is the attacker's provider: it keeps the answer that it would send the browser back with.
async function withoutRedirect(rogue, work) {
  const { authorize } = rogue;
  let kept;
  rogue.authorize = (query) => {
    authorize.call(rogue, query);
    kept = `${query.redirect_uri}?${new URLSearchParams({ code: [...rogue.codes.keys()].at(-1), state: query.state })}`;
    return replies.text(200, 'text/plain', 'kept');
  };
  await work();
  rogue.authorize = authorize;
  return kept;
}

async function press(page, id) {
  await page.locator(`#signin-${id}`).click();
}

async function inChromium(t, own, rogue, db, what, more) {
  t.section(`Chromium, https, a sibling's page: ${what}`);
  const { site, url, evilUrl, evil } = await siblings(t, own, rogue, db, more);
  const browser = await startBrowser(t, ['--host-resolver-rules=MAP *.shop.test 127.0.0.1', '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable']);
  const context = () => browser.newContext({ ignoreHTTPSErrors: true });
  const session = async (page) => {
    await page.goto(`${url}/api/auth/session`);
    return JSON.parse(await page.locator('body').innerText());
  };

  const attacker = await (await context()).newPage();
  rogue.user = { id: 'mallory', name: 'Mallory' };
  const callback = await withoutRedirect(rogue, async () => {
    await attacker.goto(`${url}/api/auth/signin`);
    await press(attacker, 'rogue');
    await attacker.waitForURL(`${rogue.url}/**`);
  });
  const kept = (await attacker.context().cookies(url)).filter(({ name }) => /state|pkce|nonce/.test(name));
  t.ok(kept.length === 2, 'the attacker began a sign-in and keeps its checks', kept.map(({ name }) => name));
  const prefix = /domain=/.test(more) ? '__Secure-' : '__Host-';
  t.is(kept.map(({ name }) => name.slice(0, prefix.length)), [prefix, prefix], `which are ${prefix} cookies`);

  const victim = await (await context()).newPage();
  own.user = { id: 'ada1', name: 'Ada', email: 'ada@example.org' };
  await victim.goto(`${url}/api/auth/signin`);
  await press(victim, 'one');
  await victim.waitForURL(`${url}/**`);
  t.is((await session(victim)).user.name, 'Ada', 'the victim is signed in');
  const before = db ? await db.sql('SELECT * FROM accounts ORDER BY id') : [];

  const spellings = kept.flatMap(({ name, value }) => ['__Host-', '__Secure-', '__HOST-'].map((p) => [name.replace(/^__\w+-/, p), value]));
  fs.writeFileSync(path.join(evil, 'index.html'), `<!doctype html><title>evil</title><script>
for (const [name, value] of ${JSON.stringify(spellings)}) document.cookie = name + '=' + value + '; Domain=shop.test; Path=/; Secure';
setTimeout(() => { location.href = ${JSON.stringify(callback)}; }, 0);
</script>`);
  await victim.goto(`${evilUrl}/`);
  await victim.waitForURL(`${url}/**`);
  t.is(/error=(\w+)/.exec(victim.url())?.[1], 'OAuthCallback', 'and comes by the sibling\'s page: refused');
  t.is((await session(victim)).user.name, 'Ada', 'the victim is who he was');
  if (db) t.is(await db.sql('SELECT * FROM accounts ORDER BY id'), before, 'and has no account more');
  t.like(site.log(), /OAUTH_CALLBACK_ERROR/, 'and the log says so');

  const stranger = await (await context()).newPage();
  await stranger.goto(`${evilUrl}/`);
  await stranger.waitForURL(`${url}/**`);
  t.is(await session(stranger), {}, 'nor is somebody who is not signed in made the attacker');
  await browser.close();
}

suite('Who began a sign-in, and in which browser', async (t) => {
  t.withOneMpm();
  const own = await startHomemade(t);
  const rogue = await startHomemade(t);
  await cases(t, own, rogue, null);
  if (!databasesHere().sqlite) return t.skip('with a database', 'install sqlite3 and libaprutil1-dbd-sqlite3');
  const db = await sqlite(t);
  await nextauthctl(db, ['migrate']);
  await cases(t, own, rogue, db);
  await applications(t, own, rogue, db);
  await inChromium(t, own, rogue, db, 'with a database', '');
  await inChromium(t, own, rogue, null, 'without one', '');
  return inChromium(t, own, rogue, db, 'cookies of the whole domain', 'NextAuthCookie state domain=shop.test\nNextAuthCookie pkceCodeVerifier domain=shop.test\nNextAuthCookie nonce domain=shop.test');
});
