#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd } = require('./lib/httpd.js');
const { startOp } = require('./lib/op.js');

const session = 'next-auth.session-token';
const direct = 'next-auth.direct-sign-in';
const browser = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' };
const checks = (client) => [...client.cookies.keys()].filter((name) => /^next-auth\.(state|pkce\.code_verifier|nonce)/.test(name)).sort();
const place = (path, ...lines) => `<Location ${path}>\nAuthType NextAuth\nRequire valid-user\n${lines.join('\n')}\n</Location>`;

// A site with these providers, all of one OpenID Provider, and these lines.
async function start(t, ids, lines, { files, modules, options = {} } = {}) {
  const port = await freePort();
  const op = await startOp(t, { clients: ids.map((id) => ({ client_id: id, client_secret: 'a secret of this client',
    redirect_uris: [`http://localhost:${port}/api/auth/callback/${id}`] })) });
  const site = await t.httpd({ port, files, modules, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
${ids.map((id) => `NextAuthProvider ${id} type=oidc issuer=${op.issuer} clientId=${id} "clientSecret=a secret of this client" ${options[id] || ''}`).join('\n')}
${lines}` });
  return { op, site, page: (path) => `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(site.url + path)}` };
}

const toProvider = (op, answer) => answer.status === 302 && answer.location.startsWith(`${op.issuer}/auth?`);
const afterLoop = (site, path) => `${site.url}/api/auth/signin?error=SessionRequired&callbackUrl=${encodeURIComponent(site.url + path)}`;
const parameters = (answer) => Object.fromEntries(new URL(answer.location).searchParams);

suite('A protected page leads to the provider without the sign-in page', async (t) => {
  t.section('a single provider');
  {
    const { op, site, page } = await start(t, ['acme'], place('/members/'));
    const c = t.client(site);
    const sent = await c.page('/members/?page=2&login_hint=mallory&prompt=none&acr_values=0', { headers: browser });
    t.ok(toProvider(op, sent), 'the page leads to the provider') || t.diag(`${sent.status} ${sent.location}`);
    t.is(sent.headers['cache-control'], 'private, no-cache, no-store', '  uncached');
    const { login_hint, prompt, acr_values, state, redirect_uri } = parameters(sent);
    t.is([login_hint, prompt, acr_values], [undefined, undefined, undefined], '  and nothing of the page\'s query gets there');
    t.is(redirect_uri, `${site.url}/api/auth/callback/acme`, '  from where it leads to the callback');
    t.like(state, /^direct-[0-3][\w-]{43}\.eyJ[\w.-]+$/, '  with a state of 256 bits and the way back, encrypted');
    const back = await op.login(c, sent, 'alice');
    t.is(back.location, `${site.url}/members/?page=2&login_hint=mallory&prompt=none&acr_values=0`, 'and from there to the page');
    t.is(checks(c), [], '  where no check is left');
    t.is((await c.page(back.location)).text, 'the members page\n', '  which opens');
    t.is((await c.page('/members/', { headers: browser })).status, 200, '  from then on');
    t.like((await t.client(site).page('/members/', { headers: browser })).headers['set-cookie'].join('\n'), /^next-auth\.direct-sign-in=1; Max-Age=60; Path=\/; HttpOnly; SameSite=Lax$/m, 'and one cookie counts');

    t.section('what does not begin a sign-in');
    const never = [
      ['HEAD', { method: 'HEAD', headers: browser }, 302], ['a form', { method: 'POST', body: 'x=1', headers: browser }, 303],
      ['a frame', { headers: { ...browser, 'sec-fetch-dest': 'iframe' } }, 302], ['an object', { headers: { ...browser, 'sec-fetch-dest': 'object' } }, 302],
      ['an image', { headers: { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }, 401], ['fetch()', { headers: { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } }, 401],
      ['XMLHttpRequest of an old browser', { headers: { 'sec-fetch-mode': undefined, 'x-requested-with': 'XMLHttpRequest' } }, 401],
      ['a prefetch', { headers: { ...browser, 'sec-purpose': 'prefetch' } }, 401], ['a prerendered page', { headers: { ...browser, 'sec-purpose': 'prefetch;prerender' } }, 401],
      ['a preview of Safari', { headers: { ...browser, purpose: 'preview' } }, 401], ['a prefetch of an old Firefox', { headers: { ...browser, 'x-moz': 'prefetch' } }, 401],
    ];
    for (const [what, options, status] of never) {
      const other = t.client(site);
      const headers = Object.fromEntries(Object.entries({ accept: 'text/html', ...options.headers }).filter(([, value]) => value));
      const answer = await other.send('/members/', { ...options, headers });
      t.is([answer.status, answer.location], [status, status === 401 ? undefined : page('/members/')], what);
      t.is(answer.setCookies, [], '  sets no cookie');
    }

    t.section('signing out');
    const out = await c.signOut({ callbackUrl: '/members/' });
    t.is(out.location, `${site.url}/members/`, 'leads to a protected page');
    t.is((await c.page('/members/', { headers: browser })).location, page('/members/'), '  and from there to the sign-in page: the provider would sign in again');
    const pressed = await c.signIn('acme', { callbackUrl: '/members/' });
    t.ok(toProvider(op, pressed), '  whose button leads to the provider');
    t.is(c.cookie(direct), undefined, '  from then on, pages do so, too');
    t.is((await op.login(c, pressed, 'alice')).location, `${site.url}/members/`, '  and back');

    t.section('a browser that keeps all cookies but the session');
    const forgetful = t.client(site);
    let at = await forgetful.page('/members/', { headers: browser });
    let rounds = 0;
    for (; toProvider(op, at) && rounds < 10; rounds += 1) {
      const callback = await op.login(forgetful, at, 'alice');
      t.is(callback.location, `${site.url}/members/`, 'is signed in') || t.diag(callback.location);
      forgetful.cookies.delete(session);
      at = await forgetful.page(callback.location, { headers: browser });
    }
    t.is([rounds, at.location], [3, afterLoop(site, '/members/')], 'sees the sign-in page after three times');
    t.like((await forgetful.page(at.location)).text, /Please sign in to access this page\./, '  which says so');
    t.like(site.log(), /began several sign-ins within a minute and has no session/, '  and the log does');
    t.ok(toProvider(op, await forgetful.signIn('acme')), '  and the button works');
    t.ok(toProvider(op, await forgetful.page('/members/', { headers: browser })), '  and the page, again');
    for (const value of ['4', '99', '-1', 'x', '%00', '1x']) {
      const odd = await t.client(site).page('/members/', { headers: { ...browser, cookie: `${direct}=${value}` } });
      t.is(odd.location, afterLoop(site, '/members/'), `an odd count, ${value}, is too many`);
    }

    t.section('who cancels at the provider');
    const cancels = t.client(site);
    const refused = await op.login(cancels, await cancels.page('/members/', { headers: browser }), '', { cancel: '1' });
    t.is(refused.location, `${site.url}/api/auth/error?error=Callback`, 'sees an error');
    const shown = await cancels.follow(refused);
    t.like(shown.text, /Sign-in was not completed/, '  on the sign-in page, from where nothing leads on by itself');
    t.like(shown.text, /name="callbackUrl" value="[^"]*\/members\/"/, '  but whose button leads to the page');

    t.section('a link of another site, while the user is at the provider');
    const away = t.client(site);
    const pending = await away.page('/members/', { headers: browser });
    for (let i = 0; i < 4; i += 1) {
      for (const query of [`error=access_denied&state=direct-${i}`, `error=x&error=y&state=direct-${i}AAAA`, `code=x&state=direct-${i}AAAA`])
        await away.page(`/api/auth/callback/acme?${query}`, { headers: { ...browser, 'sec-fetch-site': 'cross-site' } });
    }
    await away.page('/api/auth/callback/acme?error=access_denied');
    t.is(checks(away).length, 1, 'clears nothing');
    t.is((await op.login(away, pending, 'alice')).location, `${site.url}/members/`, '  and the user comes back signed in');
    t.is(checks(away), [], '  after which nothing is left');
    const given = t.client(site);
    await op.login(given, await given.page('/members/', { headers: browser }), '', { cancel: '1' });
    t.is(checks(given), [], 'the provider\'s own error, which has the state, clears the cookie');

    t.section('several tabs');
    const tabs = t.client(site);
    const paths = Array.from({ length: 12 }, (_, i) => `/members/?tab=${i}`);
    const first = await Promise.all(paths.map((path) => t.client(site).page(path, { headers: browser })));
    for (const answer of first) tabs.jar.take(site.url, answer.setCookies); // as one browser that sent all of them before an answer came
    t.ok(first.every((answer) => toProvider(op, answer)), 'twelve at once all lead to the provider');
    t.ok(checks(tabs).length <= 4 && tabs.jar.header(site.url).length < 4000, `  and their cookies stay below what servers accept (${tabs.jar.header(site.url).length} bytes)`);
    const ends = [];
    for (const answer of first) ends.push((await tabs.follow(await op.login(tabs, answer, 'alice'), 12)));
    t.is([...new Set(ends.map((end) => end.status))], [200], '  and all end with a page');
    t.is(ends.map((end) => end.url), paths.map((path) => site.url + path), '  which is the one that was opened');
    const one = t.client(site);
    const started = [];
    for (let i = 0; i < 5; i += 1) {
      one.cookies.delete(direct);
      started.push(await one.page(`/members/?tab=${i}`, { headers: browser }));
    }
    t.is(checks(one).length, 3, 'of those that were opened one after the other, three can be completed');
    t.is((await op.login(one, started[0], 'alice')).location, `${site.url}/members/?tab=0`, '  and the first one leads back to its page');
    t.is(one.cookie(session), undefined, '  without a session');

    t.section('the way back');
    const ada = t.client(site);
    const used = await op.authorize(ada, await ada.page('/members/?again', { headers: browser }), 'alice');
    t.is((await ada.page(used)).location, `${site.url}/members/?again`, 'a callback leads to the page');
    t.is((await ada.page(used)).location, `${site.url}/members/?again`, '  also the second time, as after the Back button');
    const stranger = t.client(site);
    t.is([(await stranger.page(used)).location, stranger.cookie(session)], [`${site.url}/members/?again`, undefined], '  in another browser without signing in');
    const forged = used.replace(/(state=direct-\d[\w-]{43})[^&]*/, '$1.eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAA.AAAA.AAAA');
    t.is((await t.client(site).page(forged)).location, `${site.url}/api/auth/error?error=OAuthCallback`, '  a forged one leads nowhere');
    const long = `/members/?${'x'.repeat(1900)}`;
    const far = t.client(site);
    const longSent = await far.page(long, { headers: browser });
    t.like(parameters(longSent).state, /^direct-[0-3][\w-]{43}$/, 'a URL that is too long for a state has none');
    t.is((await op.login(far, longSent, 'alice')).location, site.url + long, '  and leads to the page as well');
    await site.stop();
  }

  t.section('several providers, and NextAuthSignInWith');
  {
    const { op, site, page } = await start(t, ['acme', 'other'], `
NextAuthProvider credentials backend=file:@DIR@/users
${place('/plain/')}
${place('/acme/', 'NextAuthSignInWith acme')}
${place('/acme/page/', 'NextAuthSignInWith page')}
${place('/acme/other/', 'NextAuthSignInWith other')}
${place('/host/', 'NextAuthSignInWith "%{HTTP:X-Tenant}"')}
${place('/password/', 'NextAuthSignInWith credentials')}
${place('/unknown/', 'NextAuthSignInWith nobody')}
${place('/script/', 'NextAuthSignInWith acme', 'NextAuthUnauthenticated 401')}
<Location /if/>
  AuthType NextAuth
  Require valid-user
  <If "%{QUERY_STRING} == 'other'">
    NextAuthSignInWith other
  </If>
  <Else>
    NextAuthSignInWith acme
  </Else>
</Location>
<Location /expr/>
  AuthType NextAuth
  NextAuthSignInWith acme
  Require expr "%{NEXTAUTH:email} == 'alice@example.org'"
</Location>`, { files: { users: htpasswd({ ada: 'x' }), 'htdocs/h/index.html': 'h', 'htdocs/h/.htaccess': 'AuthType NextAuth\nRequire valid-user\nNextAuthSignInWith other\n' } });
    const ask = (path, headers = {}) => t.client(site).page(path, { headers: { ...browser, ...headers } });
    const clientOf = (answer) => toProvider(op, answer) && parameters(answer).client_id;
    t.is((await ask('/plain/')).location, page('/plain/'), 'several providers: the sign-in page, to choose');
    t.is(clientOf(await ask('/acme/')), 'acme', 'unless the path names one');
    t.is((await ask('/acme/page/')).location, page('/acme/page/'), '  or below it the page');
    t.is(clientOf(await ask('/acme/other/')), 'other', '  or another one');
    t.is(clientOf(await ask('/h/')), 'other', '  also in .htaccess');
    t.is([clientOf(await ask('/if/?other')), clientOf(await ask('/if/'))], ['other', 'acme'], '  and in <If>');
    t.is(clientOf(await ask('/expr/')), 'acme', '  and where an expression requires the session');
    t.is(clientOf(await ask('/host/', { 'x-tenant': 'other' })), 'other', 'an expression chooses');
    t.is((await ask('/host/')).location, page('/host/'), '  the page, if it has no value');
    t.is((await ask('/host/', { 'x-tenant': 'page' })).location, page('/host/'), '  or is "page"');
    t.is((await ask('/host/', { 'x-tenant': 'nobody\t"' })).location, page('/host/'), '  or names nobody');
    t.is((await ask('/password/')).location, page('/password/'), 'a provider of passwords has a form: the page');
    t.like(site.log(), /NextAuthSignInWith: no OAuth or OIDC provider 'credentials': showing the sign-in page/, '  and the log says so');
    t.is((await ask('/unknown/')).location, page('/unknown/'), 'a name of no provider: the page');
    t.is((await ask('/script/')).status, 401, '401 is stronger');
    const c = t.client(site);
    const pending = await c.page('/acme/', { headers: browser });
    for (let i = 0; i < 4; i += 1) await c.page(`/api/auth/callback/other?error=access_denied&state=direct-${i}`);
    t.is((await op.login(c, pending, 'alice')).location, `${site.url}/acme/`, 'and signing in works, whatever a link says of another provider');
  }

  t.section('the provider of an email address');
  {
    const { op, site } = await start(t, ['acme', 'deep', 'other', 'everyone'], '', { options: { acme: '"emailDomains=Example.org *.corp.example"', deep: 'emailDomains=*.deep.corp.example', everyone: 'emailDomains=*' } });
    const c = t.client(site);
    const shown = (await c.page('/api/auth/signin?callbackUrl=/members/')).text;
    t.like(shown, /<form[^>]*action="[^"]*\/api\/auth\/signin"[^]*name="email"/, 'the sign-in page asks for it');
    t.is(['acme', 'deep', 'other', 'everyone'].filter((id) => shown.includes(`id="signin-${id}"`)), ['other'], '  instead of a button for each');
    const post = async (email, path = '') => c.post(`/api/auth/signin${path}`, { csrfToken: await c.csrf(), email });
    const found = async (email) => parameters(await post(email));
    for (const [email, id] of [['ada@example.org', 'acme'], [' Ada@EXAMPLE.org ', 'acme'], ['ada@a.corp.example', 'acme'], ['ada@a.deep.corp.example', 'deep'],
      ['ada@corp.example', 'everyone'], ['ada@notexample.org', 'everyone'], ['ada@example.org.evil.test', 'everyone'], ['"ada@example.org"@evil.test', undefined]]) {
      const answer = await post(email);
      t.is(toProvider(op, answer) ? parameters(answer).client_id : undefined, id, `${email} leads to ${id || 'no provider'}`);
    }
    t.is((await found('ada@example.org')).login_hint, 'ada@example.org', '  which learns it');
    t.is(parameters(await post('ada@example.org', '/other')).client_id, 'other', 'a button is stronger');
    const wrong = await post('ada');
    t.is(wrong.location, `${site.url}/api/auth/error?error=EmailDomain`, 'what is no address is an error');
    t.like((await c.follow(wrong)).text, /No sign-in is set up for this email address/, '  on the sign-in page');
    t.is((await c.post('/api/auth/signin', { email: 'ada@example.org' })).location, `${site.url}/api/auth/signin?csrf=true`, 'without a CSRF token nothing begins');
    const back = await op.login(c, await post('alice@example.org'), 'alice');
    t.is(back.location, `${site.url}/members/`, 'and signing in works');
    await site.stop();
  }

  t.section('another site begins a sign-in');
  {
    const { op, site } = await start(t, ['acme', 'other'], 'NextAuthProvider credentials backend=file:@DIR@/users\nNextAuthRedirectAllow https://app.example.org',
      { files: { users: htpasswd({ ada: 'x' }) }, options: { acme: 'initiatedSignIn=true' } });
    const foreign = { ...browser, 'sec-fetch-site': 'cross-site' };
    const url = (more = {}, id = 'acme') => `/api/auth/initiate/${id}?${new URLSearchParams({ iss: op.issuer, ...more })}`;
    const begin = (c, more, id, headers = {}) => c.page(url(more, id), { headers: { ...foreign, ...headers } });
    const begun = (more, id, headers) => begin(t.client(site), more, id, headers);
    const shown = (path = '') => `${site.url}/api/auth/signin?callbackUrl=${encodeURIComponent(site.url + path)}`;
    const c = t.client(site);
    const sent = await begin(c, { target_link_uri: `${site.url}/members/?tile`, login_hint: 'alice@example.org', prompt: 'none', acr_values: '0', code: 'x' });
    t.ok(toProvider(op, sent), 'leads to the provider') || t.diag(`${sent.status} ${sent.location}`);
    t.is([parameters(sent).login_hint, parameters(sent).prompt, parameters(sent).acr_values], ['alice@example.org', undefined, undefined], '  with the hint and nothing else');
    t.is(sent.headers['cache-control'], 'private, no-cache, no-store', '  uncached');
    t.is((await op.login(c, sent, 'alice')).location, `${site.url}/members/?tile`, '  and from there to the page');
    t.ok(c.cookie(session), '  signed in');
    const before = c.cookie(session);
    const again = await begin(c, { target_link_uri: '/members/?other' });
    t.is([again.location, checks(c), c.cookie(session)], [`${site.url}/members/?other`, [], before], 'a user who is signed in is led to the page at once');
    const ada = t.client(site);
    await ada.credentials('ada', 'x');
    t.is((await begin(ada, {})).location, site.url, '  whoever it is: no other site can change the user, or link an account');
    const out = t.client(site);
    await op.login(out, await begin(out, {}), 'alice');
    await out.signOut();
    t.is([(await begin(out, {})).location, checks(out)], [shown(), []], 'a user who has signed out sees the sign-in page');

    for (const [what, target, end] of [['no page', undefined, ''], ['a path', '/members/', '/members/']]) {
      const one = t.client(site);
      t.is((await op.login(one, await begin(one, target ? { target_link_uri: target } : {}), 'alice')).location, site.url + end, `${what} leads to ${end || 'the home page'}`);
    }
    for (const evil of ['https://evil.example.org/', '//evil.example.org', '/\\evil.example.org', 'javascript:alert(1)', `${site.url}@evil.example.org/`, `${site.url}.evil.example.org/`, 'https://app.example.org.evil.example.org/']) {
      const one = t.client(site);
      t.is((await op.login(one, await begin(one, { target_link_uri: evil }), 'alice')).location, site.url, `${evil} leads to the home page`);
    }
    const allowed = t.client(site);
    t.is((await op.login(allowed, await begin(allowed, { target_link_uri: 'https://app.example.org/x' }), 'alice')).location, 'https://app.example.org/x', 'an origin of NextAuthRedirectAllow is one of the site\'s');

    const error = (code) => `${site.url}/api/auth/error?error=${code}`;
    for (const [what, iss] of [['another issuer', 'https://evil.example.org'], ['one with a slash', `${op.issuer}/`], ['none', '']]) {
      const answer = await begun({ iss });
      t.is([answer.location, answer.setCookies.filter((line) => /state|pkce|nonce/.test(line))], [error('Callback'), []], `${what} begins nothing`);
    }
    t.like(site.log(), /its iss does not match the issuer of provider 'acme'/, '  and the log says why');
    t.is((await begun({}, 'other')).location, error('Configuration'), 'nor does a provider without initiatedSignIn=true');
    t.is([(await begun({}, 'credentials')).status, (await begun({}, 'nobody')).status, (await t.client(site).page('/api/auth/initiate')).status], [400, 400, 400], 'nor what has no issuer');
    for (const [what, headers] of [['a frame', { 'sec-fetch-dest': 'iframe' }], ['a prefetch', { 'sec-purpose': 'prefetch' }], ['fetch()', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }]])
      t.is((await begun({ target_link_uri: '/members/' }, 'acme', headers)).location, shown('/members/'), `${what} gets the sign-in page`);
    const loop = t.client(site);
    for (let i = 0; i < 3; i += 1) await begin(loop, {});
    t.is([(await begin(loop, {})).location, checks(loop).length <= 3], [shown(), true], 'after three times within a minute as well');

    const posts = t.client(site);
    const form = { iss: op.issuer, target_link_uri: '/members/?form', login_hint: 'alice', more: 'x' };
    const taken = await posts.post('/api/auth/initiate/acme', form, { headers: { ...foreign, origin: op.issuer, accept: 'text/html' } });
    t.is([taken.status, taken.location, taken.setCookies], [303, `${site.url}/api/auth/initiate/acme?${new URLSearchParams({ iss: op.issuer, login_hint: 'alice', target_link_uri: '/members/?form' })}`, []], 'a form leads to the same as a link, with which all cookies come');
    t.is((await op.login(posts, await posts.page(taken.location, { headers: foreign }), 'alice')).location, `${site.url}/members/?form`, '  and signs in');
    t.is((await t.client(site).post('/api/auth/initiate/other', form, { headers: foreign })).location, error('Configuration'), '  not with another provider');
    t.is((await t.client(site).post('/api/auth/initiate/other', { ...form, again: '1' }, { headers: foreign })).location, error('Configuration'), '  nor if it says that it is a form of the site');
    await site.stop();
  }

  t.section('a page of the application\'s own');
  {
    const { op, site } = await start(t, ['acme'], `NextAuthPages signIn=/public.html\n${place('/members/')}\n${place('/direct/', 'NextAuthSignInWith acme')}`);
    t.is((await t.client(site).page('/members/', { headers: browser })).location, `${site.url}/public.html?callbackUrl=${encodeURIComponent(`${site.url}/members/`)}`, 'is shown, although there is one provider');
    t.ok(toProvider(op, await t.client(site).page('/direct/', { headers: browser })), '  unless the path names it');
  }

  t.section('a single provider of passwords');
  {
    const site = await t.httpd({ files: { users: htpasswd({ ada: 'x' }) }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
${place('/members/')}` });
    const c = t.client(site);
    t.like((await c.page('/members/', { headers: browser })).location, /\/api\/auth\/signin\?callbackUrl=/, 'has a form');
    await c.credentials('ada', 'x');
    t.is([(await c.signOut()).status, c.cookie(direct)], [302, undefined], '  and signing out sets no mark');
  }

  t.section('a provider that is down');
  {
    const { op, site } = await start(t, ['acme'], place('/members/'));
    await op.stop();
    const c = t.client(site);
    const down = await c.page('/members/', { headers: browser });
    t.is(down.location, `${site.url}/api/auth/error?error=OAuthSignin`, 'is an error');
    t.is(checks(c), [], '  without checks');
    const shown = await c.follow(down);
    t.like(shown.text, /Could not reach the sign-in service/, '  on the sign-in page');
    t.like(shown.text, /name="callbackUrl" value="[^"]*\/members\/"/, '  which leads to the page');
  }
});
