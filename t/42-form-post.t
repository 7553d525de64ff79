#!/usr/bin/env node
'use strict';
// response_mode=form_post: the answer is a form that the provider's page sends. The site says that it
// is https; what a browser would keep from a form of another site is left out by hand.
const { suite } = require('./lib/suite.js');
const { freePort, makeFolder } = require('./lib/httpd.js');
const { startBrowser } = require('./lib/browser.js');
const { certify } = require('./lib/certificates.js');
const { startRogue, replies } = require('./lib/rogue.js');

const isCheck = (name) => /state|pkce|nonce/.test(name);
const attributes = (answer, name) => answer.setCookies.find((line) => line.includes(name)) || '';

// The provider's page sends the form by itself, from another site.
async function inChromium(t, rogue) {
  t.section('Chromium, https');
  const [port, sslPort, folder] = [await freePort(), await freePort(), makeFolder(t)];
  const url = `https://www.shop.test:${sslPort}`;
  certify(folder, 'web', '*.shop.test');
  await t.httpd({ port, modules: ['ssl'], global: `Listen 127.0.0.1:${sslPort}`, config: `
<VirtualHost *:${sslPort}>
  ServerName ${url}
  SSLEngine On
  SSLCertificateFile ${folder}/web.pem
  SSLCertificateKeyFile ${folder}/web.key
  NextAuthEngine On
  NextAuthMode test
  NextAuthURL ${url}
  NextAuthSecret 0123456789abcdef0123456789abcdef
  NextAuthSessionStore none
  NextAuthProvider page type=oidc issuer=${rogue.issuer('page')} clientId=the-client clientSecret=a-secret authorization.params=response_mode=form_post
</VirtualHost>` });
  rogue.faults.page = { authorize: (fields) => replies.text(200, 'text/html', `<!DOCTYPE html><form method="post" action="${url}/api/auth/callback/page">
${Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`).join('')}</form><script>document.forms[0].submit();</script>`) };
  const browser = await startBrowser(t, ['--host-resolver-rules=MAP *.shop.test 127.0.0.1', '--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable']);
  const page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
  await page.goto(`${url}/api/auth/signin?callbackUrl=/public.html`);
  await page.locator('#signin-page').click();
  await page.waitForURL(`${url}/public.html`);
  await page.goto(`${url}/api/auth/session`);
  t.is(JSON.parse(await page.locator('body').innerText()).user.name, 'Mallory', 'the form of another site signs in');
  const [{ form }] = rogue.requests('page', 'token');
  t.is(form.grant_type, 'authorization_code', '  by its code');
}

suite('An answer that is a form of the provider\'s page', async (t) => {
  t.withOneMpm();
  const [rogue, port] = [await startRogue(t), await freePort()];
  const url = `https://localhost:${port}`;
  const provider = (id, params) => `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=the-client clientSecret=a-secret ${params}`;
  const site = await t.httpd({ port, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
${provider('form', 'authorization.params=response_mode=form_post')}
${provider('query', '')}` });
  const here = (address) => address.replace(url, site.url);

  // Up to the provider's answer: its fields, and the callback.
  async function begin(id) {
    const c = t.client(site);
    const start = await c.signIn(id, { callbackUrl: '/public.html' });
    const back = new URL((await c.page(start.location)).location);
    return { c, start, callback: site.url + back.pathname, fields: Object.fromEntries(back.searchParams) };
  }
  // A form of another site has SameSite=None cookies alone.
  const fromElsewhere = (c, lax) => ({ headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site', origin: rogue.url,
    cookie: [...c.cookies].filter(([name]) => isCheck(name) || lax).map(([name, { value }]) => `${name}=${value}`).join('; ') } });

  t.section('what it asks for');
  const one = await begin('form');
  t.is(new URL(one.start.location).searchParams.get('response_mode'), 'form_post', 'response_mode is asked for');
  for (const name of ['state', 'pkce', 'nonce']) t.like(attributes(one.start, `${name}.`), /; Secure; SameSite=None$|; Secure.*; SameSite=None/, `the ${name} cookie is SameSite=None; Secure`);
  const plain = await begin('query');
  t.like(attributes(plain.start, 'state.'), /SameSite=Lax/, 'for other providers it stays Lax');
  t.is(new URL(plain.start.location).searchParams.get('response_mode'), null, '  and nothing is asked for');

  t.section('the way back');
  const form = await one.c.post(one.callback, one.fields, fromElsewhere(one.c));
  t.is([form.status, form.setCookies], [303, []], 'the form is taken along by a redirect, which changes no cookie');
  const taken = new URL(form.location);
  t.is([taken.origin + taken.pathname, Object.fromEntries(taken.searchParams)], [`${url}/api/auth/callback/form`, one.fields], '  to the callback, with the answer');
  const back = await one.c.page(here(form.location));
  t.is(back.location, `${url}/public.html`, '  where it signs in');
  t.is((await one.c.session()).user.name, 'Mallory', '  and the session is there');
  const same = await begin('form');
  t.is((await same.c.post(same.callback, same.fields, fromElsewhere(same.c, true))).location, `${url}/public.html`, 'a form with all cookies, of the same site, signs in at once');

  await inChromium(t, rogue);

  t.section('what is refused');
  const refused = `${url}/api/auth/error?error=OAuthCallback`;
  const stranger = await begin('form');
  t.is((await t.client(site).post(stranger.callback, stranger.fields, { headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' } })).location, refused, 'the form of a browser that began nothing');
  const other = await begin('form');
  const twice = await other.c.post(`${other.callback}?code=x`, other.fields, fromElsewhere(other.c));
  t.is(twice.location, refused, 'a form and a query with a code each');
  const wrong = await begin('form');
  const state = await wrong.c.post(wrong.callback, { ...wrong.fields, state: wrong.fields.state.slice(0, 8) + 'x'.repeat(35) }, fromElsewhere(wrong.c));
  t.is((await wrong.c.page(here(state.location))).location, refused, 'another state');
  const query = await begin('query');
  t.is((await query.c.post(query.callback, query.fields, fromElsewhere(query.c))).location, refused, 'a form of another site where none was asked for');
  const cancelled = await begin('form');
  const denied = await cancelled.c.post(cancelled.callback, { error: 'access_denied', state: cancelled.fields.state }, fromElsewhere(cancelled.c));
  t.is((await cancelled.c.page(here(denied.location))).location, `${url}/api/auth/error?error=Callback`, 'who cancels at the provider');
});
