#!/usr/bin/env node
'use strict';
// What a path asks of the provider, and a sign-in that does not suffice, with a provider that is not ours.
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd } = require('./lib/httpd.js');
const { startOp } = require('./lib/op.js');
const { startRogue } = require('./lib/rogue.js');
const { seal, open } = require('./lib/token.js');

const SECRET = '0123456789abcdef0123456789abcdef';
const NAME = 'next-auth.session-token';
const browser = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };
const claimsOf = (client) => open(SECRET, client.cookie(NAME));
const change = (client, more) => client.cookies.set(NAME, { value: seal(SECRET, { ...claimsOf(client), ...more }), path: '/' });
const now = () => Math.floor(Date.now() / 1000);
const place = (path, ...lines) => `<Location ${path}>\nAuthType NextAuth\n${lines.join('\n')}\n</Location>`;
// Cookies do not distinguish ports: those of the provider begin with an underscore.
const forgetProvider = (client) => [...client.cookies.keys()].filter((name) => name.startsWith('_')).forEach((name) => client.cookies.delete(name));
const visit = (client, path, headers = {}) => client.page(path, { headers: { ...browser, ...headers } });
const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret ${SECRET}`;
const htdocs = Object.fromEntries(['gold', 'recent', 'both', 'any', 'all', 'params', 'params/inner', 'plain', 'wish', 'mixed', 'chosen', 'chosen/strict', 'stale', 'script', 'api'].map((name) => [`htdocs/${name}/index.html`, `${name}\n`]));

// The provider signs in with a password (bronze), or with more if that is requested (gold).
async function startStrong(t, port, ids) {
  const { interactionPolicy } = await import('oidc-provider');
  const policy = interactionPolicy.base();
  const lacks = (ctx) => {
    const values = (ctx.oidc.params.acr_values || '').split(' ').filter(Boolean);
    return values.length > 0 && !values.includes(ctx.oidc.session.acr) && !ctx.oidc.result?.login;
  };
  policy.get('login').checks.add(new interactionPolicy.Check('acr', 'a stronger sign-in is required', (ctx) => lacks(ctx)));
  return startOp(t, {
    loginOf: ({ acr_values: values }) => ({ acr: /\bgold\b/.test(values || '') ? 'gold' : 'bronze' }),
    clients: ids.map((id) => ({ client_id: id, client_secret: 'a secret of this client', redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`] })),
    settings: { acrValues: ['bronze', 'gold'], interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}`, policy } },
  });
}

async function start(t, ids, lines, { more = '', files = {} } = {}) {
  const port = await freePort();
  const op = await startStrong(t, port, ids);
  const site = await t.httpd({ port, files: { ...htdocs, ...files }, config: `${common}
${ids.map((id) => `NextAuthProvider ${id} type=oidc issuer=${op.issuer} clientId=${id} "clientSecret=a secret of this client" ${more}`).join('\n')}
NextAuthRole admin "%{USER:id} == 'bob'"
${lines.join('\n')}` });
  return { op, site };
}

const parameters = (answer) => Object.fromEntries(new URL(answer.location).searchParams);
const toProvider = (op, answer) => answer.status < 400 && answer.location?.startsWith(`${op.issuer}/auth?`);

async function signedIn(t, op, site, path, login = 'alice') {
  const client = t.client(site);
  client.answer = await op.login(client, await visit(client, path), login);
  return client;
}

suite('More recent and stronger sign-ins', async (t) => {
  const { op, site } = await start(t, ['acme'], [
    place('/plain/', 'Require valid-user'),
    place('/gold/', 'Require nextauth-acr gold platinum'),
    place('/recent/', 'Require nextauth-max-age 300'),
    place('/both/', 'Require nextauth-acr gold maxAge=300'),
    place('/any/', 'Require nextauth-acr gold', 'Require nextauth-role admin'),
    place('/all/', '<RequireAll>', 'Require nextauth-role admin', 'Require nextauth-acr gold', '</RequireAll>'),
    place('/script/', 'NextAuthUnauthenticated 401', 'Require nextauth-acr gold maxAge=600'),
    place('/api/v1/', 'NextAuthAcceptTokens session', 'Require nextauth-acr gold'),
  ]);

  t.section('stronger');
  {
    const c = await signedIn(t, op, site, '/plain/?x=1');
    t.is(c.answer.location, `${site.url}/plain/?x=1`, 'a sign-in that suffices for one path');
    t.is(claimsOf(c).acr, undefined, '  of which nothing is said that was not requested') || t.diag(JSON.stringify(claimsOf(c)));
    const sent = await visit(c, '/gold/?y=2&acr_values=bronze');
    t.ok(toProvider(op, sent), 'does not for another: that leads to the provider') || t.diag(`${sent.status} ${sent.location} ${sent.text}`);
    t.is([parameters(sent).acr_values, parameters(sent).max_age, parameters(sent).prompt], ['gold platinum', undefined, undefined], '  with what the path requires, and nothing of its URL');
    const back = await op.login(c, sent, 'alice');
    t.is(back.location, `${site.url}/gold/?y=2&acr_values=bronze`, '  and back to the page');
    t.is([(await visit(c, back.location)).text, claimsOf(c).acr], ['gold\n', 'gold'], '  which opens: the session has the acr');
    t.is((await visit(c, '/plain/')).status, 200, '  as do those that require less');

    const first = t.client(site);
    const asked = await visit(first, '/gold/');
    t.is(parameters(asked).acr_values, 'gold platinum', 'the first sign-in asks for it at once');
    const end = await op.login(first, asked, 'alice');
    t.is([end.location, (await visit(first, end.location)).status], [`${site.url}/gold/`, 200], '  and suffices');

    const other = await signedIn(t, op, site, '/plain/');
    forgetProvider(other);
    const switched = await op.login(other, await visit(other, '/gold/'), 'bob');
    t.like(switched.location, /\/api\/auth\/sign-in-again\?callbackUrl=.*&error=AccessDenied$/, 'another user cannot take the place of the first');
    t.is([claimsOf(other).sub, claimsOf(other).acr], ['alice', undefined], '  whose session stays as it is');
    const forged = await visit(other, '/gold/');
    forgetProvider(other);
    const url = new URL(forged.location);
    url.searchParams.set('acr_values', 'bronze');
    const weak = await op.login(other, { ...forged, location: url.href }, 'alice');
    t.is(new URL(weak.location).searchParams.get('error'), 'StepUp', 'a browser that changes the request gains nothing');
    t.like((await other.page(weak.location)).text, /The sign-in service did not confirm the sign-in that the page requires\./, '  but a page that says so');
    t.is(claimsOf(other).acr, undefined, '  and no session');
    t.like(site.log(), /acr is not one of acr_values/, '  and a line in the log');
  }

  t.section('more recent');
  {
    const c = await signedIn(t, op, site, '/recent/');
    t.is((await visit(c, '/recent/')).text, 'recent\n', 'a sign-in of this moment suffices');
    change(c, { proved: now() - 301 });
    const sent = await visit(c, '/recent/');
    t.is([toProvider(op, sent), parameters(sent).max_age], [true, '300'], 'an older one leads to the provider');
    t.is((await op.login(c, sent, 'alice')).location, `${site.url}/recent/`, '  which knows of a recent one, and leads back');
    t.is((await visit(c, '/recent/')).text, 'recent\n', '  and the page opens');
    change(c, { proved: now() - 4000, acr: 'gold' });
    t.is([parameters(await visit(c, '/both/')).acr_values, (await visit(c, '/gold/')).status], ['gold', 200], 'both can be required together');
  }

  t.section('one of several requirements');
  {
    const bob = await signedIn(t, op, site, '/any/', 'bob');
    t.is((await visit(bob, '/any/')).text, 'any\n', 'an administrator needs none');
    const alice = await signedIn(t, op, site, '/all/', 'alice');
    t.is((await visit(alice, '/all/')).status, 403, 'who lacks the role is not sent to the provider for it');
  }

  t.section('scripts, and clients without a browser');
  {
    const c = await signedIn(t, op, site, '/plain/');
    const script = await c.get('/both/', { headers: { 'sec-fetch-mode': 'cors' } });
    t.is([script.status, script.json], [401, { error: 'insufficient_user_authentication', message: 'A more recent or stronger sign-in is required.', acr_values: 'gold', max_age: 300 }], 'a script learns what is required');
    t.is(script.headers['www-authenticate'], `NextAuth realm="${site.url}", error="insufficient_user_authentication", error_description="A more recent or stronger sign-in is required.", acr_values="gold", max_age="300"`, '  also in the challenge of RFC 9470');
    t.is(script.headers['cache-control'], 'private, no-cache, no-store', '  uncached');
    t.is((await visit(c, '/script/')).status, 401, '401: a browser, too');
    t.is((await c.send('/gold/', { method: 'HEAD', headers: { ...browser, accept: 'text/html' } })).status, 401, 'HEAD does not lead there');
    t.is((await visit(c, '/gold/', { 'sec-purpose': 'prefetch' })).status, 401, 'nor does a prefetch');
    t.is((await visit(c, '/gold/', { 'sec-fetch-dest': 'iframe' })).status, 401, 'nor a frame');
    const token = c.cookie(NAME);
    const api = await t.client(site).get('/api/v1/', { headers: { authorization: `Bearer ${token}` } });
    t.is(api.status, 401, 'a token of such a session');
    t.like(api.headers['www-authenticate'], /^Bearer realm="[^"]+", error="insufficient_user_authentication", error_description="[^"]+", acr_values="gold"$/, '  gets the challenge with the scheme of tokens');
    t.like((await t.client(site).get('/gold/')).headers['www-authenticate'], /^NextAuth realm="[^"]+"$/, 'without a session, the challenge is as before');
  }

  t.section('a browser that signed out here, and has a session of another host');
  {
    const c = await signedIn(t, op, site, '/plain/');
    c.cookies.set('next-auth.direct-sign-in', { value: 'out', path: '/' });
    t.is([toProvider(op, await visit(c, '/gold/')), toProvider(op, await visit(c, '/gold/'))], [true, true], 'is led to the provider, more than once');
  }

  t.section('a session that never suffices');
  {
    const c = await signedIn(t, op, site, '/plain/');
    let rounds = 0, at = await visit(c, '/gold/');
    for (; toProvider(op, at) && rounds < 10; rounds += 1) {
      await op.login(c, at, 'alice');
      change(c, { acr: undefined });
      at = await visit(c, '/gold/');
    }
    t.is([rounds < 4, at.status], [true, 403], 'ends on a page');
    t.like(at.text, /without permission to see this page/, '  that says so');
    t.like(site.log(), /asked several times within a minute for a more recent or stronger sign-in/, '  and in the log');
  }
  await site.stop();

  t.section('a provider that does not know it');
  {
    const rogue = await startRogue(t);
    const own = await t.httpd({ files: { ...htdocs, users: htpasswd({ ada: 'x' }) }, config: `${common}
NextAuthProvider weak type=oidc issuer=${rogue.issuer('weak')} clientId=c clientSecret=s
NextAuthProvider credentials backend=file:@DIR@/users
${place('/plain/', 'Require valid-user', 'NextAuthSignInWith weak')}
${place('/gold/', 'Require nextauth-acr gold')}
${place('/recent/', 'Require nextauth-max-age 300')}` });
    const walk = async (client, answer) => client.page((await client.page(answer.location)).location);
    const c = t.client(own);
    t.is((await walk(c, await visit(c, '/plain/'))).location, `${own.url}/plain/`, 'signs in');
    const page = await walk(c, await visit(c, '/gold/'));
    t.is(page.location, `${own.url}/api/auth/sign-in-again?callbackUrl=${encodeURIComponent(`${own.url}/gold/`)}&error=StepUp`, 'and is led to a page, not in a loop');
    t.is((await c.page(page.location)).status, 200, '  that shows it');
    change(c, { proved: now() - 400 });
    rogue.faults.weak = { claims: (honest) => ({ ...honest, auth_time: now() - 10_000 }) };
    t.is(new URL((await walk(c, await visit(c, '/recent/'))).location).searchParams.get('error'), 'StepUp', 'an old sign-in there is not a recent one');

    const ada = t.client(own);
    await ada.credentials('ada', 'x');
    t.is((await visit(ada, '/gold/')).status, 403, 'a password cannot be stronger');
    t.is((await visit(ada, '/recent/')).text, 'recent\n', '  but it can be recent');
    change(ada, { proved: now() - 400 });
    t.is((await visit(ada, '/recent/')).location, `${own.url}/api/auth/sign-in-again?callbackUrl=${encodeURIComponent(`${own.url}/recent/`)}`, '  or given again');
    await own.stop();
  }

  t.section('parameters of a path');
  {
    const { op: asked, site: own } = await start(t, ['acme', 'other'], [
      'NextAuthSessionClaim sub acr',
      'NextAuthSOCache shmcb:sessions(1048576)', 'NextAuthSessionStore socache',
      place('/params/', 'Require valid-user', 'NextAuthSignInWith acme', 'NextAuthAuthorizationParam login_hint "%{HTTP:X-Hint}"', 'NextAuthAuthorizationParam ui_locales de', 'NextAuthAuthorizationParam scope "openid email"', 'NextAuthAuthorizationParam acme_tenant blue acme', 'NextAuthAuthorizationParam other_tenant red other'),
      place('/chosen/', 'Require valid-user', 'NextAuthAuthorizationParam ui_locales de', 'NextAuthAuthorizationParam acme_tenant "%{QUERY_STRING}" acme', 'NextAuthAuthorizationParam other_tenant red other'),
      place('/chosen/strict/', 'Require nextauth-acr gold'),
      place('/params/inner/', 'NextAuthAuthorizationParam ui_locales fr'),
      place('/wish/', 'Require valid-user', 'NextAuthSignInWith acme', 'NextAuthAuthorizationParam acr_values "%{HTTP:X-Acr}"', 'NextAuthAuthorizationParam max_age "%{HTTP:X-Age}"'),
      place('/mixed/', 'NextAuthSignInWith acme', 'NextAuthAuthorizationParam acr_values gold', 'Require nextauth-max-age 300'),
      place('/stale/', 'NextAuthSignInWith acme', 'NextAuthAuthorizationParam login_hint "%{NEXTAUTH:email}"', 'Require nextauth-acr gold'),
      '<Location /api/auth/signin/other>\nNextAuthAuthorizationParam prompt login\nNextAuthAuthorizationParam login_hint "of the endpoint"\n</Location>',
    ], { more: '"authorization.params=ui_locales=en&audience=all"' });
    const c = t.client(own);
    const of = async (path, headers = {}) => parameters(await visit(t.client(own), path, headers));
    const sent = await of('/params/?ui_locales=it', { 'x-hint': 'ada@example.org&prompt=none' });
    t.is([sent.login_hint, sent.ui_locales, sent.scope, sent.audience, sent.acme_tenant, sent.other_tenant, sent.prompt],
      ['ada@example.org&prompt=none', 'de', 'openid email', 'all', 'blue', undefined, undefined], 'come from its expressions, before those of the provider');
    const inner = await of('/params/inner/');
    t.is([inner.ui_locales, inner.login_hint, inner.scope], ['fr', undefined, 'openid email'], '  an inner section replaces one, and one without a value is left out');
    const posted = parameters(await c.signIn('other', {}, '?login_hint=visitor&prompt=none'));
    t.is([posted.prompt, posted.login_hint], ['login', 'of the endpoint'], 'the button has those of its own endpoint');
    t.is([parameters(await c.signIn('acme')).prompt], [undefined], '  and no other');

    const over = async (id, path, headers = {}) => {
      const visitor = t.client(own), answer = await visit(visitor, path, headers);
      const callbackUrl = new URL(answer.location).searchParams.get('callbackUrl');
      return { visitor, begun: await visitor.signIn(id, { callbackUrl }, '?ui_locales=it&acme_tenant=evil') };
    };
    const over1 = parameters((await over('acme', '/chosen/?tenant=blue%26x')).begun);
    t.is([over1.ui_locales, over1.acme_tenant, over1.other_tenant], ['de', 'tenant=blue%26x', undefined], 'a button has those of the page to which it leads');
    const over2 = parameters((await over('other', '/chosen/')).begun);
    t.is([over2.ui_locales, over2.other_tenant, over2.prompt], ['de', 'red', 'login'], '  and those of its own endpoint');
    t.is(parameters((await over('acme', `/chosen/?${'x'.repeat(4000)}`)).begun).ui_locales, 'de', '  also if its URL is too long for a cookie');
    const { visitor, begun } = await over('acme', '/chosen/strict/');
    t.is([parameters(begun).acr_values, parameters(begun).ui_locales], ['gold', 'de'], '  and what the page requires');
    t.is((await asked.login(visitor, begun, 'alice')).location, `${own.url}/chosen/strict/`, '  with which it leads there');
    t.is((await visit(visitor, '/chosen/strict/')).text, 'chosen/strict\n', '  at once');
    const elsewhere = await Promise.all(['/', '/api/auth/signin', '//evil.example/chosen/', 'https://evil.example/chosen/', '/chosen/../'].map(async (callbackUrl) => parameters(await t.client(own).signIn('acme', { callbackUrl }))));
    t.is(elsewhere.map(({ ui_locales }) => ui_locales), ['en', 'en', 'en', 'en', 'en'], '  and no others');

    const wish = await of('/wish/', { 'x-acr': 'gold', 'x-age': '60' });
    t.is([wish.acr_values, wish.max_age], ['gold', '60'], 'acr_values and max_age can be requested');
    const met = t.client(own);
    t.is((await asked.login(met, await visit(met, '/wish/', { 'x-acr': 'gold' }), 'alice')).location, `${own.url}/wish/`, '  and are met');
    t.is((await met.session()).user.acr, 'gold', '  as the session says');
    const unmet = t.client(own);
    const changed = new URL((await visit(unmet, '/wish/', { 'x-acr': 'gold' })).location);
    changed.searchParams.delete('acr_values');
    t.is((await asked.login(unmet, { status: 302, url: own.url, location: changed.href }, 'alice')).location, `${own.url}/api/auth/error?error=StepUp`, '  or refused');
    t.is((await unmet.page(`${own.url}/api/auth/error?error=StepUp`)).status, 403, '  on a page');
    t.is([await of('/wish/'), await of('/wish/', { 'x-acr': '' })].map(({ acr_values, max_age }) => [acr_values, max_age]), [[undefined, undefined], [undefined, undefined]], '  and left out without a value');
    for (const odd of ['-1', 'x', '1e3', '31536001']) {
      t.is((await visit(t.client(own), '/wish/', { 'x-age': odd })).location, `${own.url}/api/auth/error?error=OAuthSignin`, `a max_age of ${odd} is an error`);
    }
    t.like(own.log(), /NextAuthAuthorizationParam max_age: the value is not a number of seconds up to a year/, '  which the log names');

    const both = t.client(own);
    const stripped = new URL((await visit(both, '/mixed/')).location);
    t.is(stripped.searchParams.get('acr_values'), 'gold', 'a parameter beside a requirement');
    stripped.searchParams.delete('acr_values');
    t.is((await asked.login(both, { status: 302, url: own.url, location: stripped.href }, 'alice')).location, `${own.url}/api/auth/error?error=StepUp`, '  is verified as well');
    const well = t.client(own);
    t.is((await asked.login(well, await visit(well, '/mixed/'), 'alice')).location, `${own.url}/mixed/`, '  and can be met');
    const second = await visit(well, '/mixed/');
    t.is([parameters(second).acr_values, parameters(second).max_age], ['gold', '300'], '  then the requirement is');
    await asked.login(well, second, 'alice');
    t.is((await visit(well, '/mixed/')).text, 'mixed\n', '  and the page opens');

    const known = await signedIn(t, asked, own, '/params/');
    const step = await visit(known, '/stale/');
    t.is([parameters(step).login_hint, parameters(step).acr_values], ['alice@example.org', 'gold'], 'a step-up can name the user');
    await own.stop();
  }

  t.section('mistakes');
  for (const [line, says] of [['NextAuthAuthorizationParam state x', /cannot set state: the protocol depends on it/], ['NextAuthAuthorizationParam hd example.org', /cannot set hd: set it with authorization\.params=/],
    ['NextAuthAuthorizationParam login_hint "%{"', /NextAuthAuthorizationParam: invalid expression/], ['NextAuthSignInWith "%{NEXTAUTH:email}"', /NextAuthSignInWith: invalid expression/],
    ['Require nextauth-acr', /requires at least one value/], ['Require nextauth-acr gold maxAge=59', /invalid Require nextauth-acr/], ['Require nextauth-acr "a b"', /invalid Require nextauth-acr/],
    ['Require nextauth-max-age', /invalid Require nextauth-max-age/], ['Require nextauth-max-age 300 x', /invalid Require nextauth-max-age/], ['NextAuthClaim acr x', /NextAuthClaim/]]) {
    const inside = line.startsWith('NextAuthClaim') ? line : place('/x/', line);
    const { status, output } = await t.configtest({ files: { users: htpasswd({ ada: 'x' }) }, config: `${common}\nNextAuthProvider credentials backend=file:@DIR@/users\n${inside}` });
    t.is(status === 0, false, `refused: ${line}`);
    t.like(output, says, '  with the reason');
  }
});
