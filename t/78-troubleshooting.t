#!/usr/bin/env node
'use strict';
// What docs/troubleshooting.md says one sees, and finds in the log.
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { Client } = require('./lib/client.js');
const { startRogue, replies, seconds } = require('./lib/rogue.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { nextauthctl } = require('./lib/ctl.js');

const users = htpasswd({ ada: 'x' });
const config = (rogue, more = '') => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of a site with troubles"
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider acme type=oidc issuer=${rogue.issuer('acme')} clientId=site clientSecret=s
NextAuthSessionStore none
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
${more}`;

suite('Troubleshooting: what one sees, and what the log says', async (t) => {
  t.withOneMpm();
  const rogue = await startRogue(t);
  const start = (more, options = {}) => t.httpd({ files: { users }, ...options, config: config(rogue, more) });
  const v4 = await start();
  const v5 = await start('NextAuthCompat v5');
  const hasLine = (site, pattern, name) => t.like(site.log(), pattern, name);
  const attempt = async (site, faults = {}, client = new Client(site)) => {
    rogue.faults.acme = faults;
    const away = await client.page((await client.signIn('acme')).location);
    return client.page(away.location);
  };

  t.section('CSRF');
  t.is((await new Client(v4).post('/api/auth/callback/credentials', { username: 'ada', password: 'x' })).location, `${v4.url}/api/auth/signin?csrf=true`, 'v4: back to the page');
  t.is((await new Client(v5).post('/api/auth/callback/credentials', { username: 'ada', password: 'x' })).location, `${v5.url}/api/auth/signin?error=MissingCSRF`, 'v5: with error=MissingCSRF');
  hasLine(v5, /POST callback\/credentials: MissingCSRF: missing or wrong CSRF token/, '  and a line in the log');
  const page = await new Client(v4).get('/api/auth/csrf');
  t.like(page.setCookies.join(), /next-auth\.csrf-token=/, 'the token comes with a cookie');

  t.section('callbacks');
  t.like((await attempt(v4, { authorize: { error: 'redirect_uri_mismatch', code: undefined } })).location, /error=Callback$/, 'a provider that sends people back with its error');
  hasLine(v4, /GET callback\/acme: Callback: the provider returned redirect_uri_mismatch/, '  is quoted in the log');
  await new Client(v4).page('/api/auth/callback/acme?code=x&state=y');
  hasLine(v4, /missing cookie next-auth\.state: it has expired, was already used, or is in another browser/, 'a callback of another browser, or too late');
  t.is((await new Client(v4).get('/api/auth/providers')).json.acme.callbackUrl, `${v4.url}/api/auth/callback/acme`, '/api/auth/providers has the address to register');
  t.like((await attempt(v4, { token: replies.json({ error: 'invalid_client' }, 401) })).location, /error=OAuthCallback$/, 'a client secret that the provider does not accept');
  hasLine(v4, /the token endpoint returned the error 'invalid_client'/, '  is named');

  t.section('clocks');
  for (const [claims, says] of [[{ iat: seconds() + 120 }, /ID token refused: iat is in the future, or missing: check the clocks/],
    [{ exp: seconds() - 60 }, /ID token refused: it has expired, or has no exp/], [{ nbf: seconds() + 120 }, /ID token refused: nbf is in the future: check the clocks/]]) {
    t.like((await attempt(v4, { claims })).location, /error=OAuthCallback$/, 'an ID token of another time');
    hasLine(v4, says, '  is said to be one');
  }

  t.section('cookies that are too large');
  const large = await start(`NextAuthClaim everything "${'y'.repeat(7000)}"`);
  t.like((await new Client(large).credentials('ada', 'x')).location, /error=Configuration$/, 'a session that is too large is not begun');
  hasLine(large, /the session token has \d+ characters, more than browsers or httpd \(LimitRequestFieldSize 8190\) accept/, '  and the log says so');
  const refused = await new Client(v4).get('/members/', { headers: { cookie: `a=${'x'.repeat(9000)}` } });
  t.is(refused.status, 400, 'a Cookie header that is too large is refused by httpd itself');
  t.like(refused.text, /Size of a request header field exceeds server limit/, '  in these words');

  t.section('loops');
  const looping = await start('NextAuthPages signIn=/members/login');
  const first = await new Client(looping).page('/members/');
  t.like(first.location, /\/members\/login\?callbackUrl=/, 'a sign-in page of one\'s own');
  t.like((await new Client(looping).page(first.location)).location, /\/members\/login\?callbackUrl=.*login/, '  that itself asks for a session leads to itself');
  const open = await start('NextAuthPages signIn=/members/login\n<Location /members/login>\nAuthType None\nRequire all granted\n</Location>');
  t.is((await new Client(open).page('/members/login')).status, 404, '  AuthType None and Require all granted open it');
  const other = await new Client(v4).credentials('ada', 'x');
  t.ok(other.setCookies.some((cookie) => !/domain=/i.test(cookie)), 'cookies are the host\'s alone: another name of the site does not get them');

  t.section('nobody is signed in');
  t.is((await new Client(v4).page('/members/', { headers: { cookie: 'next-auth.session-token=a.b.c.d.e' } })).status, 302, 'a session of another secret is none');
  hasLine(v4, /session refused: /, '  LogLevel nextauth:info says why');

  t.section('accounts that are not linked');
  if (!databasesHere().sqlite) return t.skip('accounts', 'there is no SQLite');
  const db = sqlite(t);
  t.is((await nextauthctl(db, ['migrate'])).status, 0, 'a database');
  await db.sql(`INSERT INTO users (name, email) VALUES ('Mallory', 'mallory@example.org')`);
  const linked = await start(`NextAuthDatabase ${db.url}`);
  t.like((await attempt(linked, { claims: { email_verified: true } })).location, /error=OAuthAccountNotLinked$/, 'an address that is a user\'s already');
  hasLine(linked, /OAuthAccountNotLinked: the email address belongs to a user who has no account with this provider/, '  is said to be one');

  t.section('sessions in a database without tables');
  const bare = sqlite(t);
  const down = await start(`NextAuthDatabase ${bare.url}`);
  const answer = await new Client(down).credentials('ada', 'x');
  t.is([answer.status, answer.headers['retry-after'], answer.json.error], [503, '5', 'Unavailable'], 'tables that were not made: 503');
  hasLine(down, /SQLite .*: no such table: users/, '  and the log names the table');
  return undefined;
});
