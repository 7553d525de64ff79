#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const { spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');
const { childrenOf, ctlFile, htpasswd, mountReadOnly, mpm, until } = require('./lib/httpd.js');

const SECRET = 'uX2Rk7pWq9Tz4LmVb6YcHs3NfJd8Gea5';
const files = { users: htpasswd({ ada: 'x' }), 'good.env': { text: `NEXTAUTH_SECRET=${SECRET}\n`, mode: 0o600 },
  'open.env': { text: `NEXTAUTH_SECRET=${SECRET}\n`, mode: 0o644 }, 'broken.env': { text: 'A=1\nnonsense\n', mode: 0o600 },
  secret: { text: `${SECRET}\n`, mode: 0o600 }, 'open.secret': { text: SECRET, mode: 0o604 }, 'short.secret': { text: 'short', mode: 0o600 },
  'no.pem': { text: 'no key', mode: 0o600 },
  'keyed.log': { text: `{"seq":1,"time":"2026-01-01T00:00:00.000Z","prev":"${'0'.repeat(64)}","hash":"${'a'.repeat(64)}"}\n`, mode: 0o600 },
  'text.log': { text: 'some text\n', mode: 0o600 },
  'roots.users': { text: htpasswd({ ada: 'x' }), mode: 0o600 },
  'keyed.log.head': { text: `${'1'.padStart(20, '0')} ${'a'.repeat(64)}\n`, mode: 0o600 }, 'link.log': { link: 'a.log' } };

// A configuration that is right but for what a case changes.
const whole = {
  engine: 'NextAuthEngine On',
  mode: 'NextAuthMode production',
  url: 'NextAuthURL https://app.example.org',
  secret: 'NextAuthSecret file:@DIR@/secret',
  provider: 'NextAuthProvider credentials backend=file:@DIR@/users',
  store: 'NextAuthSessionStore none',
};
const modules = ['socache_dbm', 'socache_redis'];
const hosts = (...lines) => lines.map((line, i) => `<VirtualHost *:${i + 9}>\nNextAuthURL https://h${i}.example.org\n${line}\n</VirtualHost>`);
const hook = (secret) => `NextAuthEvent all https://hook.example.org secret=${secret}`;
const dav = (...lines) => ['<Location /dav/>', 'AuthType NextAuth', 'Require valid-user', ...lines, '</Location>'];
const written = (change) => Object.values({ ...whole, ...change }).flat().join('\n');

const wrong = [
  // what, changes, what the message must say: the directive, the trouble, the mend
  ['a short secret', { secret: 'NextAuthSecret tooshort' }, /NextAuthSecret on line \d+ of \S+httpd\.conf: .*the secret is 8 bytes; at least 32 are required in production, because anyone who guesses a shorter one can sign in as any user: generate one with 'nextauthctl secret'/],
  ['a short secret in a file', { secret: 'NextAuthSecret file:@DIR@/short.secret' }, /NextAuthSecret on line .*5 bytes/],
  ['a short old secret', { secret: 'NextAuthSecret file:@DIR@/secret short' }, /NextAuthSecret on line .*5 bytes/],
  ['no secret', { secret: '' }, /NextAuthEngine on line .*missing NextAuthSecret.*nextauthctl secret/],
  ['an unreadable secret', { secret: 'NextAuthSecret file:@DIR@/missing' }, /NextAuthSecret on line .*could not read '\S+missing': No such file/],
  ['a world-readable secret', { secret: 'NextAuthSecret file:@DIR@/open.secret' }, /NextAuthSecret on line .*readable or writable by all users.*chmod o=/],
  ['a secret that is a folder', { secret: 'NextAuthSecret file:@DIR@' }, /NextAuthSecret on line .*regular file/],
  ['a variable that is not set', { secret: 'NextAuthSecret env:NOT_THERE' }, /NextAuthSecret on line .*variable 'NOT_THERE' is not set: set it in NextAuthEnvFile/],
  ['a command that fails', { secret: 'NextAuthSecret "exec:exit 3"' }, /NextAuthSecret on line .*the command after exec: ended with status 3/],
  ['a command that fails at its end', { secret: `NextAuthSecret "exec:echo ${SECRET}; exit 4"` }, /NextAuthSecret on line .* ended with status 4/],
  ['a command that says nothing', { secret: 'NextAuthSecret exec:true' }, /NextAuthSecret on line .*ended with status 0: its output is empty/],
  ['a command that says too much', { secret: 'NextAuthSecret "exec:head -c 70000 /dev/zero | tr \\\\0 x"' }, /NextAuthSecret on line .*its output has more than 64 KiB/],
  ['a command that says what is no text', { secret: 'NextAuthSecret "exec:head -c 40 /dev/zero"' }, /NextAuthSecret on line .*its output contains a NUL byte/],
  ['a world-readable .env', { env: 'NextAuthEnvFile @DIR@/open.env' }, /NextAuthEnvFile on line .*readable or writable by all users/],
  ['a broken .env', { env: 'NextAuthEnvFile @DIR@/broken.env' }, /NextAuthEnvFile on line .*broken\.env:2: expected NAME=VALUE/],
  ['http in production', { url: 'NextAuthURL http://app.example.org' }, /NextAuthURL on line .*the canonical URL 'http:\/\/app\.example\.org' is not an HTTPS URL.*NextAuthMode development/],
  ['passwords with each request by http', { url: 'NextAuthURL http://app.example.org', place: dav('NextAuthBasic On') }, /NextAuthURL on line .*the canonical URL 'http:\/\/app\.example\.org' is not an HTTPS URL/],
  ['http from ServerName', { url: '' }, /localhost:\d+' \(from ServerName\) is not an HTTPS URL/],
  ['an odd address', { url: 'NextAuthURL https://a:b@app' }, /NextAuthURL on line .*invalid URL 'https:\/\/a:b@app'/],
  ['an odd base path', { base: 'NextAuthBasePath api' }, /invalid base path 'api'/],
  ['an unknown mode', { mode: 'NextAuthMode prod' }, /NextAuthMode on line .*invalid mode 'prod': expected production, development, or test/],
  ['an odd switch', { engine: 'NextAuthEngine maybe' }, /NextAuthEngine on line .*invalid value 'maybe': expected On or Off/],
  ['an unknown provider', { provider: 'NextAuthProvider gogle clientId=a clientSecret=b' }, /NextAuthProvider on line .*unknown provider 'gogle': check whether google is meant, or use one that nextauthctl providers lists.*type=oidc/],
  ['an unknown provider that resembles none', { provider: 'NextAuthProvider acme clientId=a' }, /unknown provider 'acme': use one that nextauthctl providers lists/],
  ['an unknown option', { provider: 'NextAuthProvider google colours=a' }, /NextAuthProvider on line .*unknown option 'colours' of a provider: use one of .*clientId/],
  ['a misspelt option', { provider: 'NextAuthProvider google clientID=a' }, /NextAuthProvider on line .*unknown option 'clientID' of a provider: check whether clientId= is meant/],
  ['a misspelt option of a token issuer', { issuer: 'NextAuthTokenIssuer staff issuer=https://op.example.org audeince=x' }, /NextAuthTokenIssuer on line .*unknown option 'audeince' of a token issuer: check whether audience= is meant/],
  ['a domain of two providers', { provider: 'NextAuthProvider google clientId=a clientSecret=b "emailDomains=a.example *.b.example"\nNextAuthProvider github clientId=a clientSecret=b emailDomains=*.B.example' }, /NextAuthProvider on line .*provider 'google' has emailDomains=\*\.b\.example already: name each domain for one provider only/],
  ['a proxy without a path', { proxy: 'NextAuthRedirectProxy https://login.example.org' }, /NextAuthRedirectProxy on line .*invalid URL 'https:\/\/login\.example\.org': use https:\/\/HOST\[:PORT\]\/api\/auth/],
  ['a provider without a client', { provider: 'NextAuthProvider google clientId=a' }, /NextAuthProvider on line .*'google' requires clientSecret/],
  ['a provider of an unknown type', { provider: 'NextAuthProvider x type=saml' }, /invalid type=saml: expected oidc, oauth, credentials, email, or webauthn/],
  ['an http issuer', { provider: 'NextAuthProvider x type=oidc issuer=http://op.example.org clientId=a clientSecret=b' }, /NextAuthProvider on line .*issuer=http:\/\/op\.example\.org must be an https URL/],
  ['OAuth without addresses', { provider: 'NextAuthProvider x type=oauth clientId=a clientSecret=b' }, /requires authorization=, token=, and userinfo=/],
  ['unknown checks', { provider: 'NextAuthProvider google clientId=a clientSecret=b checks=pkce,luck' }, /invalid checks=pkce,luck: expected a list of pkce, state, and nonce/],
  ['no checks at all', { provider: 'NextAuthProvider google clientId=a clientSecret=b checks=none' }, /invalid checks=none: expected a list of pkce, state, and nonce/],
  ['a nonce alone', { provider: 'NextAuthProvider google clientId=a clientSecret=b checks=nonce' }, /requires checks=state or checks=pkce/],
  ['a misspelt option with a file', { provider: 'NextAuthProvider credentials backnd=file:/etc/passwd' }, /NextAuthProvider on line .*unknown option 'backnd' of a provider: check whether backend= is meant/],
  ['an answer in a fragment', { provider: 'NextAuthProvider google clientId=a clientSecret=b authorization.params=response_mode=fragment' }, /invalid response_mode=fragment: expected query or form_post/],
  ['a form of another site over http', { mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', provider: 'NextAuthProvider google clientId=a clientSecret=b authorization.params=response_mode=form_post' }, /NextAuthProvider on line .*'google': response_mode=form_post requires an HTTPS site/],
  ['a form of another site, and Lax cookies', { provider: 'NextAuthProvider google clientId=a clientSecret=b authorization.params=response_mode=form_post', cookie: 'NextAuthCookie state sameSite=lax' }, /response_mode=form_post requires sign-in cookies with sameSite=none: remove sameSite=lax/],
  ['a strict CSRF cookie with a provider', { provider: 'NextAuthProvider google clientId=a clientSecret=b', cookie: 'NextAuthCookie csrfToken sameSite=strict' }, /NextAuthCookie on line .*sameSite=strict: browsers would not send cookie '\S+csrf-token' with the provider's response/],
  ['an odd tenant', { provider: 'NextAuthProvider azure-ad clientId=a clientSecret=b tenant=a/../b' }, /tenant=a\/\.\.\/b/],
  ['a bad private key', { provider: 'NextAuthProvider google clientId=a clientSecret=b privateKey=file:@DIR@/no.pem' }, /invalid privateKey=: expected a private key/],
  ['a provider twice', { provider: ['NextAuthProvider google clientId=a clientSecret=b', 'NextAuthProvider google clientId=a clientSecret=b'] }, /duplicate provider 'google'/],
  ['an argument in pieces', { provider: 'NextAuthProvider google clientId=a clientSecret=b name=My Google' }, /invalid argument 'Google': expected key=value: put quotation marks around an argument with spaces/],
  ['a provider that ends sessions, and no session store', { provider: 'NextAuthProvider google clientId=a clientSecret=b logout=fromProvider' }, /logout= of provider 'google' requires a session store: set NextAuthSessionStore/],
  ['a sign-out at a provider, and the store none', { provider: 'NextAuthProvider google clientId=a clientSecret=b logout=true', store: 'NextAuthSessionStore none' }, /NextAuthSessionStore on line .*logout= of provider 'google' requires a session store/],
  ['a logout that is neither', { provider: 'NextAuthProvider google clientId=a clientSecret=b logout=yes' }, /invalid logout=yes: expected true, fromProvider, or false/],
  ['a logout of plain OAuth', { provider: 'NextAuthProvider github clientId=a clientSecret=b logout=true' }, /provider 'github': logout= requires type=oidc: remove logout=/],
  ['a logout over http', { provider: 'NextAuthProvider google clientId=a clientSecret=b logout=true end_session_endpoint=http://op.example.org/end' }, /end_session_endpoint=http:\/\/op\.example\.org\/end must be an https URL/],
  ['plain OAuth that other sites begin', { provider: 'NextAuthProvider github clientId=a clientSecret=b initiatedSignIn=true' }, /provider 'github': initiatedSignIn= requires type=oidc: remove initiatedSignIn=/],
  ['no provider', { provider: '' }, /missing NextAuthProvider: users could not sign in/],
  ['a missing password file', { provider: 'NextAuthProvider credentials backend=file:@DIR@/nobody' }, /NextAuthProvider on line .*could not read '\S+nobody'/],
  ['a password file that is a folder', { provider: 'NextAuthProvider credentials backend=file:@DIR@' }, /NextAuthProvider on line .*could not read '\S+': Is a directory/],
  ['an unknown backend', { provider: 'NextAuthProvider credentials backend=ldap' }, /invalid backend=ldap: expected database, file:PATH .*authn:NAME/],
  ['an authentication provider that is not loaded', { provider: 'NextAuthProvider credentials backend=authn:nis' }, /unknown authentication provider 'nis': load its module, such as mod_authn_nis/],
  ['LDAP without its module', { provider: 'NextAuthProvider credentials backend=authn:ldap' }, /unknown authentication provider 'ldap': load its module, such as mod_authnz_ldap/],
  ["a role's expression without quotes", { rule: "NextAuthRole admin %{USER:email} == 'ada@example.org'" }, /NextAuthRole: too many arguments: put quotation marks around the whole expression, as in NextAuthRole admin "EXPRESSION"/],
  ["a rule's", { rule: 'NextAuthSignInRule allow %{USER:email} =~ /x/' }, /NextAuthSignInRule: too many arguments: put quotation marks .* as in NextAuthSignInRule allow "EXPRESSION"/],
  ["a claim's", { rule: 'NextAuthClaim team %{PROFILE:team} x' }, /NextAuthClaim: too many arguments: .* as in NextAuthClaim team "EXPRESSION"/],
  ["a binding's", { rule: 'NextAuthSessionBind %{HTTP_USER_AGENT} x' }, /NextAuthSessionBind: too many arguments: .* as in NextAuthSessionBind "EXPRESSION"/],
  ['a database in a folder that is not there', { db: 'NextAuthDatabase sqlite:/nope/x.db' }, /NextAuthDatabase on line .*child processes could not create files in '\/nope': No such file or directory: create the directory for the httpd user, or set another path/],
  ['a bad expression', { rule: 'NextAuthSignInRule allow "%{USER:email ="' }, /NextAuthSignInRule: invalid expression '%\{USER:email ='/],
  ['a session at sign-in', { rule: `NextAuthRole admin "%{NEXTAUTH:email} == 'x'"` }, /NEXTAUTH cannot be used at sign-in, before there is a session: use %\{USER:/],
  ['a session at sign-in, as a list', { rule: `NextAuthSignInRule deny "'x' in NEXTAUTH('groups')"` }, /NEXTAUTH cannot be used at sign-in/],
  ['a session in a claim', { rule: 'NextAuthClaim mail "<%{NEXTAUTH:email}>"' }, /NEXTAUTH cannot be used at sign-in/],
  ['a value that no account has', { rule: 'NextAuthClaim x "%{ACCOUNT:nonsense}"' }, /unknown name 'nonsense' in ACCOUNT: expected one of provider, type, /],
  ['a value that no user has', { rule: `NextAuthRole admin "%{USER:mail} == 'x'"` }, /unknown name 'mail' in USER: expected one of id, name, email, image/],
  ['a list that no user has', { rule: `NextAuthRole admin "'x' in USER('groups')"` }, /unknown name 'groups' in USER/],
  ['a role of a value that no user has', { rule: 'NextAuthRole %{USER:groups} "true"' }, /NextAuthRole on line .*unknown value '%\{USER:groups\}': expected id, name, email, image/],
  ['a pattern that is none', { place: '<Location />\nNextAuthRemoteUser email ^(\n</Location>' }, /NextAuthRemoteUser: invalid pattern '\^\('/],
  ['a pattern without a group', { place: '<Location />\nNextAuthRemoteUser email ^.+@\n</Location>' }, /pattern '\^\.\+@' has no group/],
  ['site data that is none', { clear: 'NextAuthClearSiteData cache history' }, /NextAuthClearSiteData on line .*invalid type 'history': expected cache, cookies/],
  ['a rule that does nothing', { rule: 'NextAuthSignInRule perhaps "true"' }, /NextAuthSignInRule on line .*invalid rule 'perhaps': expected allow or deny/],
  ['an odd role', { rule: 'NextAuthRole "a,b" "true"' }, /NextAuthRole on line .*invalid role 'a,b': expected letters, digits/],
  ['a claim of ours', { rule: 'NextAuthClaim sub "x"' }, /NextAuthClaim on line .*'sub' is a reserved claim/],
  ['the claim that ends sessions', { rule: 'NextAuthClaim rev "x"' }, /NextAuthClaim on line .*'rev' is a reserved claim/],
  ['the claim of a record', { rule: 'NextAuthClaim reg "x"' }, /NextAuthClaim on line .*'reg' is a reserved claim/],
  ['an unknown dialect', { compat: 'NextAuthCompat v6' }, /NextAuthCompat on line .*invalid format 'v6': expected v4 or v5/],
  ['an unknown cookie', { cookie: 'NextAuthCookie session name=x' }, /NextAuthCookie on line .*unknown cookie 'session': expected sessionToken/],
  ['a __Host- cookie with a domain', { cookie: 'NextAuthCookie csrfToken domain=example.org' }, /NextAuthCookie on line .*a __Host- cookie requires path=\/ and cannot have domain=/],
  ['an insecure cookie in production', { cookie: 'NextAuthCookie sessionToken name=s secure=false' }, /NextAuthCookie on line .*secure=false is not allowed in production/],
  ['a prefix without secure', { mode: 'NextAuthMode test', cookie: 'NextAuthCookie sessionToken name=__Secure-s secure=false' }, /cookie '__Secure-s' requires secure=true/],
  ['a frame of a path', { cookie: 'NextAuthFrameAllow https://portal.example/x' }, /NextAuthFrameAllow on line .*invalid origin 'https:\/\/portal\.example\/x'/],
  ['a frame over HTTP', { cookie: 'NextAuthFrameAllow http://portal.example' }, /NextAuthFrameAllow on line .*invalid origin 'http:\/\/portal\.example'/],
  ['frames of a site over HTTP', { mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', cookie: 'NextAuthFrameAllow https://portal.example' }, /NextAuthFrameAllow on line .*frames require an HTTPS site/],
  ['sameSite=none without secure', { mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', cookie: 'NextAuthCookie state sameSite=none' }, /sameSite=none requires secure=true/],
  ['an odd cookie name', { cookie: 'NextAuthCookie state "name=a b"' }, /invalid cookie name 'a b'/],
  ['an odd maximum', { age: 'NextAuthSessionMaxAge forever' }, /NextAuthSessionMaxAge on line .*invalid value 'forever': expected a whole number from 60/],
  ['an idle time that is none', { idle: 'NextAuthSessionIdleTimeout soon' }, /NextAuthSessionIdleTimeout on line .*invalid value 'soon': expected a whole number from 60/],
  ['an absolute time too short', { absolute: 'NextAuthSessionAbsoluteTimeout 5' }, /NextAuthSessionAbsoluteTimeout on line .*invalid value '5': expected a whole number from 60/],
  ['an unknown strategy', { strategy: 'NextAuthSessionStrategy cookie' }, /NextAuthSessionStrategy on line .*invalid strategy 'cookie': expected jwt or database/],
  ['the database strategy without a store', { strategy: 'NextAuthSessionStrategy database' }, /NextAuthSessionStrategy database requires NextAuthSessionStore: set NextAuthSessionStore redis, database, or socache/],
  ['tokens without a store', { tokens: 'NextAuthKeepTokens On' }, /NextAuthKeepTokens on line .*requires NextAuthSessionStore: set NextAuthSessionStore redis, database, or socache/],
  ['tokens without end', { tokens: 'NextAuthKeepTokens On onRefusal=ignore', cache: 'NextAuthSOCache shmcb:@DIR@/c(512000)', store: 'NextAuthSessionStore socache' }, /NextAuthKeepTokens on line .*invalid onRefusal='ignore': expected mark or end/],
  ['tokens perhaps', { tokens: 'NextAuthKeepTokens maybe' }, /NextAuthKeepTokens on line .*invalid value 'maybe': expected On or Off/],
  ['StatsD without a port', { statsd: 'NextAuthStatsD localhost' }, /NextAuthStatsD on line .*invalid address 'localhost': expected HOST:PORT/],
  ['StatsD of an unknown format', { statsd: 'NextAuthStatsD localhost:8125 format=graphite' }, /NextAuthStatsD on line .*invalid format='graphite': expected statsd or dogstatsd/],
  ['StatsD with an odd prefix', { statsd: 'NextAuthStatsD localhost:8125 prefix=a:b' }, /NextAuthStatsD on line .*invalid prefix='a:b': expected up to 64 letters, digits/],
  ['StatsD in a virtual host', { statsd: '<VirtualHost *:9>\nNextAuthStatsD localhost:8125\n</VirtualHost>' }, /NextAuthStatsD on line .*cannot be set in <VirtualHost>: move it to the main server/],
  ['StatsD all the time', { statsd: 'NextAuthStatsD localhost:8125 interval=0' }, /NextAuthStatsD on line .*invalid value '0': expected a whole number from 1 to 3600/],
  ['an unknown store', { store: 'NextAuthSessionStore mongodb' }, /NextAuthSessionStore on line .*unknown session store 'mongodb': expected none, .* or /],
  ['a store twice', { store: 'NextAuthSessionStore redis redis' }, /NextAuthSessionStore on line .*duplicate session store 'redis'/],
  ['none and a store', { store: 'NextAuthSessionStore none redis' }, /NextAuthSessionStore on line .*invalid list of session stores: expected a store, then previous stores, or none alone/],
  ['no word on what to do when it is down', { store: 'NextAuthSessionStore redis whenDown=ignore', redis: 'NextAuthRedis redis://localhost' }, /invalid whenDown='ignore': expected refuse or serve:SECONDS/],
  ['redis without an address', { store: 'NextAuthSessionStore redis' }, /NextAuthSessionStore on line .*requires NextAuthRedis, or REDIS_URL/],
  ['socache without a cache', { store: 'NextAuthSessionStore socache' }, /NextAuthSessionStore on line .*requires NextAuthSOCache: set NextAuthSOCache shmcb/],
  ['a cache that is not loaded', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache memcache:localhost' }, /load mod_socache_memcache \(a2enmod socache_memcache\)/],
  ['a cache that is too small', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache shmcb:@DIR@/c(100)' }, /size has to be >= 8192/],
  ['a cache in no folder', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache dbm:/nonexistent/x' }, /NextAuthSOCache on line .*directory '\/nonexistent' does not exist: mkdir/],
  ['a cache that is a folder', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache dbm:@DIR@' }, /NextAuthSOCache on line .*is a directory/],
  ['a cache without a port', { store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache redis:6379' }, /NextAuthSOCache on line .*expected HOST:PORT/],
  ['two caches', { store: 'NextAuthSessionStore socache', hosts: hosts('NextAuthSOCache shmcb:@DIR@/a(10000)', 'NextAuthSOCache shmcb:@DIR@/b(10000)'), cache: 'NextAuthSOCache shmcb:@DIR@/a(10000)' }, /NextAuthSOCache on line .*NextAuthSOCache must be the same in all virtual hosts, but another one has 'shmcb:\S+\/a\(10000\)': set it once/],
  ['more stores than there can be', { store: 'NextAuthSessionStore redis', redis: 'NextAuthRedis redis://localhost', hosts: hosts(...Array.from({ length: 32 }, (_, i) => `NextAuthRedis redis://h${i}`)) }, /NextAuthSessionStore on line .*too many different session stores: at most 32/],
  ['more databases than there can be', { hosts: hosts(...Array.from({ length: 17 }, (_, i) => `NextAuthDatabase sqlite:${i}`)) }, /NextAuthDatabase on line .*too many different databases: at most 16/],
  ['an odd address of Redis', { redis: 'NextAuthRedis http://localhost' }, /NextAuthRedis on line .*redis:\/\//],
  ['an odd time', { redis: 'NextAuthRedis redis://localhost timeout=1h' }, /NextAuthRedis on line .*invalid time '1h': expected 10ms to 60s/],
  ['sentinels without a name', { redis: 'NextAuthRedis redis://localhost sentinels=localhost' }, /NextAuthRedis on line .*master/],
  ['a cluster with a database number', { redis: 'NextAuthRedis redis://localhost/3 cluster=on' }, /NextAuthRedis on line .*cluster/],
  ['a certificate authority that cannot be read', { redis: 'NextAuthRedis rediss://localhost caFile=missing.pem' }, /NextAuthRedis on line .*missing\.pem/],
  ['a binding that is a constant', { bind: 'NextAuthSessionBind browser' }, /NextAuthSessionBind on line .*invalid binding 'browser': expected certificate, fingerprint, off, or an expression/],
  ['a session\'s id for scripts', { show: 'NextAuthSessionClaim sid' }, /NextAuthSessionClaim on line .*'sid' grants the same access as the session cookie/],
  ['a cookie for another domain', { cookie: 'NextAuthCookie sessionToken domain=example.com' }, /NextAuthCookie on line .*invalid domain='example\.com': 'app\.example\.org' is not in it/],
  ['a cookie for half a name', { cookie: 'NextAuthCookie sessionToken domain=ample.org' }, /invalid domain='ample\.org': 'app\.example\.org' is not in it/],
  ['a cookie for a top-level domain', { cookie: 'NextAuthCookie sessionToken domain=org' }, /invalid domain='org': browsers reject cookies for a top-level domain/],
  ['a cookie that the endpoints do not get', { cookie: 'NextAuthCookie sessionToken path=/members' }, /invalid path='\/members': the endpoints at \/api\/auth are outside it/],
  ['a strict state cookie', { cookie: 'NextAuthCookie state sameSite=strict' }, /sameSite=strict: browsers would not send cookie '\S+state' with the provider's response/],
  ['two cookies of one name', { cookie: 'NextAuthCookie nonce name=__Host-next-auth.state' }, /duplicate cookie name '__Host-next-auth\.state'/],
  ['a cookie that looks like a piece of the session', { cookie: 'NextAuthCookie state name=__Secure-next-auth.session-token.1' }, /has the name of the session cookie, or of a chunk of it/],
  ['an unknown feature', { feature: 'NextAuthFeature magiclinks On' }, /NextAuthFeature on line .*unknown feature 'magiclinks': expected oauth, magicLinks, 2fa, rateLimiting, auditLogging, signUp, passwordReset, account, deleteAccount, or deviceLogin/],
  ['a feature half on', { feature: 'NextAuthFeature signUp maybe' }, /invalid value 'maybe': expected On or Off/],
  ['short passwords', { passwords: 'NextAuthPasswords minLength=4' }, /NextAuthPasswords on line .*invalid value '4': expected a whole number from 8/],
  ['an unknown hash', { passwords: 'NextAuthPasswords hash=md5' }, /NextAuthPasswords on line .*md5/],
  ['an unknown event', { event: 'NextAuthEvent signin https://example.org secret=0123456789abcdef01234567' }, /NextAuthEvent on line .*unknown event 'signin': expected signIn, signOut, createUser/],
  ['a sink that is none', { event: 'NextAuthEvent all example.org' }, /NextAuthEvent on line .*invalid destination: expected an HTTPS URL or "\|program/],
  ['a sink by http in production', { event: 'NextAuthEvent all http://example.org/x secret=0123456789abcdef01234567' }, /'http:\/\/example\.org' is not an HTTPS URL/],
  ['a webhook without a secret', { event: 'NextAuthEvent all https://example.org' }, /NextAuthEvent on line .*requires secret=.*nextauthctl secret/],
  ['a webhook with a short secret', { event: 'NextAuthEvent all https://example.org secret=file:@DIR@/short.secret' }, /NextAuthEvent on line .*the secret is 5 bytes; at least 24 are required/],
  ['a webhook with half a secret', { event: 'NextAuthEvent all https://example.org secret=whsec_!' }, /NextAuthEvent on line .*expected base64 after whsec_/],
  ['a sink with two secrets in two servers', { hosts: hosts(hook('0123456789abcdef01234567'), hook('76543210fedcba9876543210')) }, /NextAuthEvent on line .*destination 'https:\/\/hook\.example\.org \(\w+\)' has a different secret= in another virtual host: set the same secret=/],
  ['more sinks than there can be', { event: Array.from({ length: 33 }, (_, i) => `NextAuthEvent all https://h${i}.example.org secret=0123456789abcdef01234567`) }, /NextAuthEvent on line .*too many different destinations: at most 32/],
  ['a queue in what is no folder', { event: 'NextAuthEvent all "|/bin/cat -u"', queue: 'NextAuthEventQueue /etc/passwd' }, /NextAuthEventQueue on line .*'\/etc\/passwd' is not a directory: use another directory/],
  ['a queue below it', { event: 'NextAuthEvent all "|/bin/cat -u"', queue: 'NextAuthEventQueue /etc/passwd/x' }, /NextAuthEventQueue on line .*'\/etc\/passwd' is not a directory/],
  ['a queue of error reports in what is no folder', { sentry: 'NextAuthSentry https://abc@sentry.example.org/1', queue: 'NextAuthEventQueue @DIR@/users' }, /NextAuthEventQueue on line .*users' is not a directory/],
  ['a queue that is the kernel\'s', { event: 'NextAuthEvent all "|/bin/cat -u"', queue: 'NextAuthEventQueue /proc/events' }, /NextAuthEventQueue on line .*\/proc' (belongs to the kernel|is not writable)/],
  ['a sink with two secrets', { event: ['NextAuthEvent signIn https://example.org secret=0123456789abcdef01234567', 'NextAuthEvent signOut https://example.org secret=76543210fedcba9876543210'] }, /NextAuthEvent on line .*a previous NextAuthEvent has the same URL but another secret/],
  ['a program in pieces', { event: 'NextAuthEvent all |/bin/cat -u' }, /unexpected argument '-u' after a program: put quotation marks/],
  ['a program with a secret', { event: `NextAuthEvent all "|/bin/cat -u" secret=${SECRET}` }, /unexpected argument 'secret=' after a program: put quotation marks/],
  ['no program', { event: 'NextAuthEvent all "| "' }, /missing program after \|/],
  ['a queue of nothing', { queue: 'NextAuthEventQueue events max=0' }, /NextAuthEventQueue on line .*invalid value '0': expected a whole number from 1/],
  ['a DSN that is none', { sentry: 'NextAuthSentry https://sentry.example.org/1' }, /NextAuthSentry on line .*expected https:\/\/KEY@HOST/],
  ['a DSN by http in production', { sentry: 'NextAuthSentry http://abc@sentry.example.org/1' }, /NextAuthSentry on line .*'http:\/\/sentry\.example\.org' is not an HTTPS URL/],
  ['an odd rate', { sentry: 'NextAuthSentry https://abc@sentry.example.org/1 sampleRate=2' }, /invalid sampleRate='2': expected a number from 0 to 1/],
  ['personal data perhaps', { sentry: 'NextAuthSentry https://abc@sentry.example.org/1 sendDefaultPii=maybe' }, /invalid value 'maybe': expected On or Off/],
  ['passwords in a database that is not there', { provider: 'NextAuthProvider credentials backend=database' }, /provider 'credentials' requires NextAuthDatabase/],
  ['sign-up without mail', { provider: 'NextAuthProvider credentials backend=database', db: 'NextAuthDatabase sqlite:x', feature: 'NextAuthFeature signUp On' }, /NextAuthFeature signUp and passwordReset require NextAuthMail to send links: set NextAuthMail/],
  ['an account page without a database', { feature: 'NextAuthFeature account On' }, /NextAuthFeature requires NextAuthDatabase: set NextAuthDatabase/],
  ['an odd page', { pages: 'NextAuthPages signIn=//evil' }, /NextAuthPages on line .*invalid signIn='\/\/evil': expected a path or a URL/],
  ['an unknown page', { pages: 'NextAuthPages login=/x' }, /unknown option 'login=': expected signIn, signOut/],
  ['an odd colour', { theme: 'NextAuthTheme brandColor=red;}body{' }, /invalid brandColor='red;\}body\{': expected #rgb or #rrggbb/],
  ['an origin with a path', { allow: 'NextAuthRedirectAllow https://a.example.org/x' }, /NextAuthRedirectAllow on line .*invalid origin 'https:\/\/a\.example\.org\/x'/],
  ['a log of an unknown form', { log: 'NextAuthLog xml auth.log' }, /NextAuthLog on line .*invalid format 'xml': expected json or plain/],
  ['a program without a name', { log: 'NextAuthLog json |' }, /NextAuthLog on line .*missing program after \|/],
  ['a log in no folder', { log: 'NextAuthLog json @DIR@/none/auth.log' }, /NextAuthLog on line .*directory '\S+\/none' does not exist: mkdir \S+\/none/],
  ['a log that is a folder', { log: 'NextAuthLog json @DIR@' }, /NextAuthLog on line .* is a directory: use a file in it/],
  ['a log below a file', { log: 'NextAuthLog json /etc/passwd/x' }, /NextAuthLog on line .*'\/etc\/passwd' is not a directory: use another directory/],
  ['a log of the kernel\'s', { log: 'NextAuthLog json /proc/auth.log' }, /NextAuthLog on line .*\/proc' (belongs to the kernel|is not writable)/],
  ['a log to a program that is not there', { log: 'NextAuthLog json "|@DIR@/none -x"' }, /NextAuthLog on line .*'\S+\/none' is not an executable file: check its path/],
  ['a log to a program without a path', { log: 'NextAuthLog json "||rotatelogs log 86400"' }, /NextAuthLog on line .*'rotatelogs' is not an executable file: use its full path/],
  ['an event for a program that is none', { event: 'NextAuthEvent all "|@DIR@/short.secret topsecret"' }, /NextAuthEvent on line .*'\S+\/short\.secret' is not an executable file/],
  ['an audit log in no folder', { audit: 'NextAuthAuditLog @DIR@/none/a.log' }, /NextAuthAuditLog on line .*directory '\S+\/none' does not exist/],
  ['an audit log of another key', { audit: 'NextAuthAuditLog @DIR@/keyed.log key=file:@DIR@/secret' }, /NextAuthAuditLog on line .*has another key, or was edited: move it and its \.head file away/],
  ['an audit log that is something else', { audit: 'NextAuthAuditLog @DIR@/text.log' }, /NextAuthAuditLog on line .*could not continue '\S+text\.log': it does not end with a record, and there is no valid head file/],
  ['an audit log of the kernel\'s', { audit: 'NextAuthAuditLog /proc/audit.log' }, /NextAuthAuditLog on line .*\/proc' (belongs to the kernel|is not writable)/],
  ['an audit log that is no file', { audit: 'NextAuthAuditLog /dev/null' }, /NextAuthAuditLog on line .*'\/dev\/null' is not a regular file/],
  ['an audit log with two keys', { hosts: hosts('NextAuthAuditLog @DIR@/a.log', 'NextAuthAuditLog @DIR@/a.log key=file:@DIR@/secret') }, /NextAuthAuditLog on line .*a\.log' has a different key= in another virtual host: set the same key=/],
  ['two audit logs that are one file', { audit: 'NextAuthAuditLog @DIR@/a.log /proc/self/root@DIR@/a.log' }, /NextAuthAuditLog on line .*are the same file: use the same path/],
  ['two audit logs, one a link to the other', { audit: 'NextAuthAuditLog @DIR@/a.log @DIR@/link.log' }, /NextAuthAuditLog on line .*are the same file: use the same path/],
  ['an audit log without a sink', { audit: 'NextAuthAuditLog onFailure=refuse' }, /NextAuthAuditLog on line .*missing destination before 'onFailure=': expected a file, "\|program", or database/],
  ['an audit log of a key alone', { audit: `NextAuthAuditLog key=${SECRET}` }, /NextAuthAuditLog on line .*missing destination before 'key='/],
  ['an audit log that knows no policy', { audit: 'NextAuthAuditLog @DIR@/a.log onFailure=ignore' }, /NextAuthAuditLog on line .*invalid onFailure='ignore': expected refuse or continue/],
  ['a sink behind a key=value', { audit: 'NextAuthAuditLog @DIR@/a.log onFailure=refuse @DIR@/b.log' }, /NextAuthAuditLog on line .*unknown option '\S+b\.log': expected onFailure, key/],
  ['a sink twice', { audit: 'NextAuthAuditLog @DIR@/a.log @DIR@/a.log' }, /NextAuthAuditLog on line .*duplicate destination '\S+a\.log'/],
  ['an audit log of no program', { audit: 'NextAuthAuditLog "|$ "' }, /NextAuthAuditLog on line .*missing program after \|/],
  ['a short key', { audit: 'NextAuthAuditLog @DIR@/a.log key=file:@DIR@/short.secret' }, /NextAuthAuditLog on line .*the key is 5 bytes; at least 32.*nextauthctl secret/],
  ['an audit table without a database', { audit: 'NextAuthAuditLog database' }, /NextAuthAuditLog on line .*destination database requires NextAuthDatabase/],
  ['an odd limit', { http: 'NextAuthHTTP timeout=0' }, /NextAuthHTTP on line .*invalid time '0': expected 100ms to 300s/],
  ['a certificate authority for calls that is not there', { http: 'NextAuthHTTP caFile=/nonexistent' }, /NextAuthHTTP on line .*could not read '\/nonexistent': No such file/],
  ['a certificate authority that has no certificate', { http: 'NextAuthHTTP caFile=/etc/passwd' }, /NextAuthHTTP on line .*could not load the CA file '\/etc\/passwd'/],
  ['a proxy that is none', { http: 'NextAuthHTTP proxy=foo:bar:baz' }, /NextAuthHTTP on line .*invalid proxy URL: expected http:\/\/HOST:PORT/],
  ['a proxy of another kind', { http: 'NextAuthHTTP proxy=ftp://localhost:21' }, /NextAuthHTTP on line .*invalid proxy URL/],
  ['trailers that could forge identity', { trailers: 'MergeTrailers On' }, /MergeTrailers On lets clients forge identity/],
  ['a directive with too little', { age: 'NextAuthSessionMaxAge' }, /NextAuthSessionMaxAge: wrong number of arguments: expected SECONDS/],
  ['a server directive in a directory', { dir: '<Location /x>\nNextAuthSecret x\n</Location>' }, /NextAuthSecret not allowed (here|in <Location>)/],
  ['an odd NextAuthUnauthenticated', { dir: '<Location /x>\nNextAuthUnauthenticated maybe\n</Location>' }, /NextAuthUnauthenticated: invalid value 'maybe': expected auto, redirect, 401, or pass/],
  ['forms kept perhaps', { dir: '<Location /x>\nNextAuthPreservePost maybe\n</Location>' }, /NextAuthPreservePost: invalid value 'maybe': expected On with options, or Off/],
  ['options of forms that are not kept', { dir: '<Location /x>\nNextAuthPreservePost Off maxAge=60\n</Location>' }, /NextAuthPreservePost: invalid value 'Off': expected On with options, or Off/],
  ['an unknown option of kept forms', { dir: '<Location /x>\nNextAuthPreservePost On age=60\n</Location>' }, /NextAuthPreservePost: unknown option 'age=60': expected maxBytes= or maxAge=/],
  ['a form that is kept too long', { dir: '<Location /x>\nNextAuthPreservePost On maxBytes=2048 maxAge=1h\n</Location>' }, /NextAuthPreservePost: invalid maxAge=1h: expected 60 to 3600/],
  ...[['*', 'any origin'], ['null', 'no origin'], ['http://app.example.org', 'http'], ['https://app.example.org/', 'a path'], ['https://*.org', 'all of a top-level domain'], ['https://*.1.2.3.4', 'all of an address'],
    ['https://*', 'all hosts'], ['https://a.*.example.org', 'an asterisk inside'], ['https://u@app.example.org', 'a user']].map(([origin, what]) => [`${what} for scripts`, { dir: `<Location /x>\nNextAuthCORS ${origin}\n</Location>` }, /NextAuthCORS: invalid origin '.*': expected https:\/\/HOST\[:PORT\], or https:\/\/\*\.DOMAIN/]),
  ['no origin for scripts', { dir: '<Location /x>\nNextAuthCORS headers=X-A\n</Location>' }, /NextAuthCORS: no origin: name at least one, or write Off/],
  ['odd headers of scripts', { dir: '<Location /x>\nNextAuthCORS https://a.example headers=X-A,,X-B\n</Location>' }, /NextAuthCORS: invalid headers=X-A,,X-B/],
  ['an odd age of preflights', { dir: '<Location /x>\nNextAuthCORS https://a.example maxAge=1d\n</Location>' }, /NextAuthCORS: invalid maxAge=1d: expected 0 to 86400/],
  ['none and headers', { dir: '<Location /x>\nNextAuthPassIdentity none headers\n</Location>' }, /none cannot be combined with other values/],
  ['an odd way to remember', { me: 'NextAuthRememberMe Sometimes' }, /NextAuthRememberMe on line .*invalid value 'Sometimes': expected Always, Never, or Ask/],
  ['a short time to remember', { me: 'NextAuthRememberMe Ask maxAge=10' }, /NextAuthRememberMe on line .*invalid value '10'/],
  ['an option of remembering that is none', { me: 'NextAuthRememberMe Ask days=1' }, /NextAuthRememberMe on line .*days=/],
  ['an activity of no expression', { dir: '<Location /x>\nNextAuthActivity "%{foo"\n</Location>' }, /NextAuthActivity: invalid expression '%\{foo'/],
  ['an activity by the session', { dir: '<Location /x>\nNextAuthActivity "%{NEXTAUTH:sub} == \'a\'"\n</Location>' }, /NEXTAUTH cannot be used before the session is known/],
  ['half a NextAuthStripCookie', { dir: '<Location /x>\nNextAuthStripCookie maybe\n</Location>' }, /NextAuthStripCookie must be On or Off/],
  ['a header that httpd reads', { dir: '<Location /x>\nNextAuthPassHeader content_length "1"\n</Location>' }, /NextAuthPassHeader: 'content_length' has a meaning of its own/],
  ['a header that we read', { dir: '<Location /x>\nNextAuthPassHeader sec_fetch_site "1"\n</Location>' }, /NextAuthPassHeader: 'sec_fetch_site' has a meaning of its own/],
  ['a header of ours', { dir: '<Location /x>\nNextAuthPassHeader X_NextAuth-User "1"\n</Location>' }, /NextAuthPassHeader: 'X_NextAuth-User' has a meaning of its own/],
  ['a header with an odd name', { dir: '<Location /x>\nNextAuthPassHeader X:Y "1"\n</Location>' }, /NextAuthPassHeader: invalid name 'X:Y': expected up to 64 letters/],
  ['a header without a name', { dir: '<Location /x>\nNextAuthPassHeader\n</Location>' }, /NextAuthPassHeader: expected NAME \[EXPRESSION\]/],
  ['a header from no expression', { dir: '<Location /x>\nNextAuthPassHeader X "%{foo"\n</Location>' }, /NextAuthPassHeader: invalid expression '%\{foo'/],
  ['an odd encoding', { dir: '<Location /x>\nNextAuthPassHeader X "1" encoding=utf-16\n</Location>' }, /NextAuthPassHeader: invalid option 'encoding=utf-16'/],
  ['a letter between elements', { dir: '<Location /x>\nNextAuthPassEnv X "1" delimiter=a\n</Location>' }, /NextAuthPassEnv: invalid option 'delimiter=a'/],
  ['a variable that is a header', { dir: '<Location /x>\nNextAuthPassEnv HTTP_X "1"\n</Location>' }, /NextAuthPassEnv: 'HTTP_X' has a meaning of its own and cannot be used: use NextAuthPassHeader/],
  ['REMOTE_USER as any other', { dir: '<Location /x>\nNextAuthPassEnv REMOTE_USER "1"\n</Location>' }, /cannot be used: use NextAuthRemoteUser/],
  ['a variable of the loader', { dir: '<Location /x>\nNextAuthPassEnv LD_PRELOAD "1"\n</Location>' }, /'LD_PRELOAD' has a meaning of its own/],
  ['a variable with an odd name', { dir: '<Location /x>\nNextAuthPassEnv 1X "1"\n</Location>' }, /NextAuthPassEnv: invalid name '1X'/],
  ['an empty requirement', { dir: '<Location /x>\nAuthType NextAuth\nRequire nextauth-role\n</Location>' }, /at least one value/],
  ['a claim without a value', { dir: '<Location /x>\nAuthType NextAuth\nRequire nextauth-claim admin\n</Location>' }, /expected NAME:VALUE/],
];

const commandOf = (pid) => {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended
  }
};

async function serves(t) {
  t.section('what they come to');
  {
    const site = await t.httpd({ files, env: { GOOGLE_CLIENT_ID: 'a', GOOGLE_CLIENT_SECRET: 'b', NEXTAUTH_SECRET: SECRET }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@/my/auth
NextAuthProvidersFromEnv On
NextAuthProvider credentials "name=Our users" backend=file:users
NextAuthPages signIn=/login error=/oops?x=1 signOut=/bye
NextAuthCookie sessionToken name=sid sameSite=strict path=/
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>` });
    const c = t.client(site);
    t.is(Object.keys((await c.get('/my/auth/providers')).json), ['credentials', 'google'], 'NextAuthURL\'s path is the base path, the environment has a provider');
    t.is((await c.get('/my/auth/signin?callbackUrl=/x&error=Callback')).location,
      `${site.url}/login?callbackUrl=${encodeURIComponent(`${site.url}/x`)}&error=Callback`, 'a sign-in page of one\'s own');
    t.is((await c.get('/my/auth/error?error=AccessDenied')).location, `${site.url}/oops?x=1&error=AccessDenied`, 'an error page');
    t.is((await c.get('/my/auth/signout')).location, `${site.url}/bye`, 'a sign-out page');
    t.is((await c.page('/members/')).location, `${site.url}/login?callbackUrl=${encodeURIComponent(`${site.url}/members/`)}`, 'protected pages lead to it');
    const { csrfToken } = (await c.get('/my/auth/csrf')).json;
    const answer = await c.post('/my/auth/callback/credentials', { csrfToken, username: 'ada', password: 'x' });
    t.like(answer.setCookies.find((line) => line.startsWith('sid=')) || '', /SameSite=Strict/, 'a cookie of one\'s own');
    t.is((await c.get('/members/')).status, 200, 'that is read as well');
  }
  {
    const lines = { text: `${SECRET}\n${SECRET.toLowerCase()}\r\n\n`, mode: 0o600 };
    const site = await t.httpd({ files: { ...files, lines }, config: `
NextAuthEngine On
NextAuthURL https://app.example.org
NextAuthSecret file:lines
NextAuthProvider credentials backend=file:users` });
    const c = t.client(site);
    const names = (await c.get('/api/auth/csrf')).setCookies;
    t.like(names[0], /^__Host-next-auth\.csrf-token=[^;]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/, 'under https cookies have prefixes');
    t.like(names[1], /^__Secure-next-auth\.callback-url=https%3A%2F%2Fapp\.example\.org; Path=\/; HttpOnly; Secure/, 'and are secure');
    const signedIn = await c.credentials('ada', 'x');
    t.ok(signedIn.setCookies.some((line) => line.startsWith('__Secure-next-auth.session-token=')), 'the session\'s too');
    t.is(signedIn.location, 'https://app.example.org', 'addresses are canonical, whatever the Host header');
    const token = signedIn.setCookies.find((line) => line.startsWith('__Secure-next-auth.session-token=')).split(/[=;]/)[1];
    const decoded = spawnSync(ctlFile, ['token', 'decode', '--secret-file', `${site.dir}/lines`], { input: `${token}\n`, encoding: 'utf8' });
    t.is(decoded.status && decoded.stderr || JSON.parse(decoded.stdout).name, 'ada', 'nextauthctl takes the same secret from a file of several lines');
    await site.reload();
    t.is((await c.session()).user, { name: 'ada' }, 'a graceful restart keeps sessions');
  }

  t.section('a reload while another one waits for a command');
  {
    const site = await t.httpd({ files, config: written({ mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost:@PORT@', secret: `NextAuthSecret "exec:sleep 1; echo ${SECRET}"` }) });
    t.is((await t.client(site).get('/api/auth/providers')).status, 200, 'a server whose secret takes a second');
    const started = () => site.log().match(/resuming normal operations/g).length;
    const waits = () => childrenOf(site.pid).some((pid) => /^(sh\0-c\0)?sleep/.test(commandOf(pid)));
    process.kill(site.pid, 'SIGUSR1');
    await until('it waits for the command', waits);
    process.kill(site.pid, 'SIGUSR1');
    await until('it has read its configuration', () => !site.alive() || (started() > 1 && !waits()));
    const asked = () => t.client(site).get('/api/auth/providers').then(({ status }) => status, () => 'no answer');
    await until('it answers', async () => !site.alive() || (await asked()) === 200);
    t.is(site.alive(), true, '  is not ended by it');
  }

  t.section('a test before a reload');
  {
    const config = (change) => written({ mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost:@PORT@', ...change });
    const opening = { event: 'NextAuthEvent all "|/bin/cat"', queue: 'NextAuthEventQueue @DIR@/q/events', log: 'NextAuthLog json @DIR@/auth.log', audit: 'NextAuthAuditLog @DIR@/a.log "|/bin/cat"',
      store: 'NextAuthSessionStore socache', cache: 'NextAuthSOCache dbm:@DIR@/cache' };
    const site = await t.httpd({ files, config: config({}), modules });
    const inFolder = () => fs.readdirSync(site.dir).filter((name) => !name.startsWith('cgid.sock')); // made later, by a process of its own
    const there = inFolder();
    t.like(site.configtest(config(opening)).output, /^Syntax OK$/m, 'of what opens files and folders');
    t.is(inFolder(), there, '  makes none of them');
    for (const [what, change] of [
      ['a queue in what is no folder', { ...opening, queue: 'NextAuthEventQueue /etc/passwd' }],
      ['an audit log that is something else', { ...opening, audit: 'NextAuthAuditLog @DIR@/text.log' }],
      ['a cache in no folder', { ...opening, cache: 'NextAuthSOCache dbm:@DIR@/none/cache' }],
    ]) {
      t.isnt(site.configtest(config(change)).status, 0, `of ${what} fails`);
      t.is((await t.client(site).get('/api/auth/providers')).status, 200, '  and who minds it goes on serving');
    }
    t.ok(!fs.existsSync(`${site.dir}/text.log.head`), 'no head file is left beside what is no audit log');
    await site.reload(config(opening));
    t.is([site.alive(), (await t.client(site).get('/api/auth/providers')).status], [true, 200], 'what it called right can be reloaded');
    t.is(['q', 'auth.log', 'a.log', 'a.log.head'].filter((name) => !fs.existsSync(`${site.dir}/${name}`)), [], '  and makes them');
  }
}

async function tests(t) {
  const good = await t.configtest({ files, config: written({}) });
  t.is([good.status, good.output.trim()], [0, 'Syntax OK'], 'a right configuration is right, and silent');
  for (const [what, change, message] of wrong) {
    const result = await t.configtest({ files, config: written(change), modules });
    t.isnt(result.status, 0, what);
    t.like(result.output, message, '  is explained');
    t.unlike(result.output, new RegExp(SECRET), '  without a secret');
  }

  t.section('what only root may read');
  const roots = { provider: 'NextAuthProvider credentials backend=file:@DIR@/roots.users' };
  if (process.getuid() !== 0) t.skip('a password file of root\'s', 'only root starts children that are another user');
  else {
    const result = await t.configtest({ files, config: written(roots) });
    t.isnt(result.status, 0, 'a password file that httpd\'s children cannot read is refused');
    t.like(result.output, /NextAuthProvider on line .*child processes: could not read '\S+roots\.users': Permission denied: run chgrp \d+ '\S+roots\.users' && chmod g\+r/, '  with the mend');
    t.like((await t.configtest({ files, config: written({ http: 'NextAuthHTTP caFile=@DIR@/secret' }) })).output, /NextAuthHTTP on line .*child processes: could not read/, 'so is a CA file');
    const folder = { users: files.users, secret: files.secret, 'roots/x': { text: '' } };
    t.like((await t.configtest({ files: folder, config: written({ db: 'NextAuthDatabase sqlite:@DIR@/roots/users.db' }) })).output, /NextAuthDatabase on line .*child processes could not create files in '\S+\/roots': Permission denied: run chown \d+/, 'a folder where SQLite cannot make its files is warned of');
  }

  t.section('a file system that cannot be written to');
  const readOnly = mountReadOnly(t);
  if (!readOnly) t.skip('a file system that cannot be written to', 'none can be mounted here');
  for (const [directive, change] of readOnly ? [
    ['NextAuthLog', { log: `NextAuthLog json ${readOnly}/auth.log` }],
    ['NextAuthAuditLog', { audit: `NextAuthAuditLog ${readOnly}/audit.log` }],
    ['NextAuthEventQueue', { event: 'NextAuthEvent all "|/bin/cat -u"', queue: `NextAuthEventQueue ${readOnly}/a/b` }],
    ['NextAuthSOCache', { store: 'NextAuthSessionStore socache', cache: `NextAuthSOCache dbm:${readOnly}/cache` }],
  ] : []) {
    const { status, output } = await t.configtest({ files, config: written(change), modules });
    t.isnt(status, 0, `${directive} there is refused`);
    t.like(output, new RegExp(`${directive} on line .*'${readOnly}' is not writable: Read-only file system: use a directory`), '  with the mend');
  }

  t.section('what is only odd is a warning');
  const odd = { db: 'NextAuthDatabase sqlite:@DIR@/users.db' };
  const place = (line) => `<Location /dav>\nAuthType NextAuth\nRequire valid-user\n${line}\n</Location>`;
  for (const [what, factor, line, message] of [
    ['an acr that no provider states', '', 'Require nextauth-acr gold', /Require on line \d+ of \S+: no provider is of OpenID Connect: no session meets it: add a provider with type=oidc/],
    ['a token that is not kept', '', 'NextAuthPassTokens access', /NextAuthPassTokens on line \d+ of \S+: NextAuthKeepTokens is Off: there are no tokens to pass on: set NextAuthKeepTokens On/],
    ['a second factor that is off', '', 'Require nextauth-2fa', /Require on line \d+ of \S+: NextAuthTwoFactor is Off: no session meets it: set NextAuthTwoFactor Optional/],
  ]) {
    t.like((await t.configtest({ files, config: written({ ...odd, factor, place: place(line) }) })).output, message, `${what} is warned of`);
    const right = await t.configtest({ files, config: written({ ...odd, factor: line.startsWith('Require') ? 'NextAuthFeature 2fa On' : 'NextAuthTwoFactor Optional', place: place(line) }) });
    t.unlike(right.output, /NextAuthTwoFactor/, '  but not where it works');
  }
  const literal = await t.configtest({ files, config: written({ secret: `NextAuthSecret ${SECRET}` }) });
  t.is(literal.status, 0, 'a literal secret');
  t.like(literal.output, /NextAuthSecret on line .*the secret is in plain text, and mod_info shows it.*env:NAME, file:PATH or exec:COMMAND/, '  is warned of');
  t.unlike(literal.output, new RegExp(SECRET), '  without being said');
  for (const mode of ['development', 'test']) {
    const short = await t.configtest({ files, config: written({ mode: `NextAuthMode ${mode}`, url: 'NextAuthURL http://localhost', secret: 'NextAuthSecret short-one' }) });
    t.is(short.status, 0, `${mode}: a short secret, as an application may have it`);
    t.like(short.output, /NextAuthSecret on line \d+ of \S+: the secret is 9 bytes; at least 32 are required in production/, '  is warned of');
    t.unlike(short.output, /short-one/, '  without being said');
  }
  t.isnt((await t.configtest({ files, config: written({ mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', secret: 'NextAuthSecret ""' }) })).status, 0, 'an empty one is none');
  const client = await t.configtest({ files, config: written({ provider: 'NextAuthProvider google clientId=a clientSecret=b4t' }) });
  t.is(client.status, 0, 'so is a literal clientSecret');
  t.like(client.output, /NextAuthProvider on line .*clientSecret= is in plain text/, '  for the same reason');
  t.unlike(client.output, /b4t/, '  and is not said either');
  t.is((await t.configtest({ files, config: written({ mode: 'NextAuthMode test', url: 'NextAuthURL http://localhost', provider: 'NextAuthProvider google clientId=a clientSecret=b4t' }) })).output.trim(), 'Syntax OK', '  but not in tests');
  const google = 'NextAuthProvider google clientId=a clientSecret=env:S';
  for (const [what, change, message] of [
    ['access tokens without a database', { place: dav('NextAuthAcceptTokens session personal') },
      /NextAuthAcceptTokens on line \d+ of \S+: personal access tokens require NextAuthDatabase: all are refused: set NextAuthDatabase, then run nextauthctl migrate/],
    ['passwords with each request that no provider verifies', { provider: google, place: dav('NextAuthBasic On') },
      /NextAuthBasic on line \d+ of \S+: no provider verifies passwords: all are refused: set NextAuthProvider credentials/],
    ['passwords alone where a second factor is required', { db: 'NextAuthDatabase sqlite:users.db', factor: 'NextAuthTwoFactor Required', place: dav('NextAuthBasic On') },
      /NextAuthBasic on line \d+ of \S+: NextAuthTwoFactor is Required: all passwords are refused: set NextAuthAcceptTokens personal/],
    ['a provider that is misspelt', { place: dav('NextAuthSignInWith credentals') },
      /NextAuthSignInWith on line \d+ of \S+: unknown provider 'credentals': the sign-in page is shown: use the ID of a NextAuthProvider, or page/],
    ['a provider that has a form', { place: [...dav('NextAuthSignInWith page'), ...dav('NextAuthSignInWith credentials')] },
      /NextAuthSignInWith on line \d+ of \S+: provider 'credentials' has a form: the sign-in page is shown: use a provider of OpenID Connect or OAuth 2\.0/],
    ['forms that have no place to wait in', { place: dav('NextAuthPreservePost On') },
      /NextAuthPreservePost on line \d+ of \S+: there is no session store: no form is kept: set NextAuthSessionStore/],
    ['forms in a store that is too slow', { store: 'NextAuthSOCache dbm:@DIR@/s\nNextAuthSessionStore socache', place: dav('NextAuthPreservePost On') },
      /NextAuthPreservePost on line \d+ of \S+: the session store is dbm, whose values are too small: no form is kept: use another provider/],
  ]) {
    const { status, output } = await t.configtest({ files, env: { S: 'b' }, modules: ['socache_dbm'], config: written(change) });
    t.is(status, 0, what);
    t.like(output, message, '  are warned of');
  }
  for (const change of [{ place: dav('NextAuthAcceptTokens session', 'NextAuthBasic On') }, { provider: google, place: dav('NextAuthSignInWith %{reqenv:x}', 'NextAuthSignInWith google') }, { provider: google, place: dav('NextAuthAcceptTokens none', 'NextAuthBasic Off') },
    { db: 'NextAuthDatabase sqlite:users.db', factor: 'NextAuthTwoFactor Optional', place: dav('NextAuthAcceptTokens personal', 'NextAuthBasic On') }]) {
    t.unlike((await t.configtest({ files, env: { S: 'b' }, config: written(change) })).output, /(NextAuthAcceptTokens|NextAuthBasic|NextAuthSignInWith) on/, '  not where they work, or are off');
  }
  t.is((await t.configtest({ files, config: written({ engine: 'NextAuthEngine Off', secret: 'NextAuthSecret short' }) })).status, 0, 'an engine that is off checks nothing');
  t.is((await t.configtest({ config: '' })).status, 0, 'nor does a server without any directive of ours');

  {
    const two = await t.configtest({ files, config: `Listen 127.0.0.1:9\n${written({})}\n<VirtualHost *:9>\nNextAuthURL https://app.example.org:8443\nNextAuthSecret ${SECRET}${SECRET}\n</VirtualHost>` });
    t.is(two.status, 0, 'two sites of one host name with different secrets');
    t.like(two.output, /have the same host name and session cookie '__Secure-next-auth\.session-token', but different secrets: each ends the other's sessions: set another name= or path=/, '  are warned of');
  }
  const api = 'from=a@example.org baseUrl=https://mail.example.org';
  for (const [directive, ...named] of [
    ['NextAuthRedis redis://:geheim@localhost', 'the password in the URL'],
    ['NextAuthRedis rediss://localhost username=web password=geheim', 'password='],
    ['NextAuthRedis redis://localhost sentinels=localhost master=m sentinelPassword=geheim', 'sentinelPassword='],
    ['NextAuthDatabase postgresql://web:geheim@localhost/db', 'the password in the URL'],
    ['NextAuthDatabase postgresql://web@localhost/db?password=geheim', 'the password in the URL'],
    ['NextAuthDatabase postgresql://web@localhost/db replica=postgresql://web:geheim@other/db', 'the password in the URL'],
    ['NextAuthMail smtps://web:geheim@mail.example.org from=a@example.org', 'the password in the URL'],
    ['NextAuthMail smtps://mail.example.org from=a@example.org username=web password=geheim', 'password='],
    [`NextAuthMail resend apiKey=geheim ${api}`, 'apiKey='],
    [`NextAuthMail ses region=eu-west-1 accessKeyId=a secretAccessKey=geheim sessionToken=geheim2 ${api}`, 'secretAccessKey=', 'sessionToken='],
    ['NextAuthHTTP proxy=http://web:geheim@proxy.example.org:3128', 'the password in the URL'],
    ['NextAuthAuditLog @DIR@/audit.log key=geheim-geheim-geheim-geheim-geheim', 'key='],
    ['NextAuthEvent all https://example.org/x secret=geheim-geheim-geheim-geheim', 'secret='],
    ['NextAuthProvider google clientId=a clientSecret=geheim', 'clientSecret='],
  ]) {
    const name = directive.split(' ')[0];
    const tested = (mode) => t.configtest({ files, modules: ['watchdog'], env: { S: 'b' }, config: written({ mode: `NextAuthMode ${mode}`, directive }) });
    const { status, output } = await tested('production');
    t.is(status, 0, directive.slice(0, 100), output);
    t.is([...output.matchAll(/^.*?(\w+) on line \d+ of \S+: (.*) is in plain text/gm)].map((found) => found.slice(1)), named.map((what) => [name, what]), '  is warned of, once');
    t.unlike(output, /geheim/, '  without being said');
    t.unlike((await tested('test')).output, /in plain text/, '  but not in tests');
  }
  for (const directive of ['NextAuthRedis redis://localhost password=env:S', 'NextAuthMail env:URL from=a@example.org password=env:S', 'NextAuthDatabase postgresql://web@localhost:5432/db replica=env:DB',
    'NextAuthHTTP proxy=env:URL', 'NextAuthMail log from=a@example.org']) {
    const env = { S: 'geheim', URL: 'smtps://web:geheim@mail.example.org', DB: 'postgresql://web:geheim@other/db' };
    t.unlike((await t.configtest({ files, modules: ['watchdog'], env, config: written({ directive }) })).output, /in plain text|geheim/, `${directive} is not`);
  }

  t.section('values from elsewhere');
  for (const [what, change, env] of [
    ['NextAuthSecret env:NAME', { secret: 'NextAuthSecret env:MY_SECRET' }, { MY_SECRET: SECRET }],
    ['NextAuthSecret exec:COMMAND', { secret: `NextAuthSecret "exec:echo ${SECRET}"` }],
    ['NextAuthSecret exec:COMMAND of several lines', { secret: `NextAuthSecret "exec:echo short; echo; echo ${SECRET}; echo"` }],
    ['NextAuthEnvFile', { secret: '', env: 'NextAuthEnvFile @DIR@/good.env' }],
    ['NextAuthEnvFile below what uses it', { secret: 'NextAuthSecret env:NEXTAUTH_SECRET', env: 'NextAuthEnvFile @DIR@/good.env' }],
    ['NEXTAUTH_SECRET', { secret: '' }, { NEXTAUTH_SECRET: SECRET }],
    ['AUTH_SECRET', { secret: '' }, { AUTH_SECRET: SECRET }],
    ['AUTH_SECRET_1', { secret: '' }, { AUTH_SECRET_1: SECRET }],
    ['events', { event: ['NextAuthEvent signIn https://example.org/x secret=file:@DIR@/secret', 'NextAuthEvent signOut https://example.org/x', 'NextAuthEvent all "|/bin/cat -u"'], queue: 'NextAuthEventQueue events max=5' }],
    ['SENTRY_DSN', { sentry: 'NextAuthSentry env:SENTRY_DSN release=1' }, { SENTRY_DSN: 'https://abc@sentry.example.org/1' }],
    ['REDIS_URL', { store: 'NextAuthSessionStore redis' }, { REDIS_URL: 'redis://localhost' }],
    ['NEXTAUTH_URL', { url: '' }, { NEXTAUTH_URL: 'https://app.example.org' }],
    ['AUTH_URL without a scheme', { url: '' }, { AUTH_URL: 'app.example.org' }],
    ['NODE_ENV', { mode: '', url: 'NextAuthURL http://localhost' }, { NODE_ENV: 'development' }],
    ['GOOGLE_CLIENT_ID', { provider: 'NextAuthProvider google' }, { GOOGLE_CLIENT_ID: 'a', GOOGLE_CLIENT_SECRET: 'b' }],
    ['AUTH_GITHUB_ID', { provider: 'NextAuthProvider github' }, { AUTH_GITHUB_ID: 'a', AUTH_GITHUB_SECRET: 'b' }],
    ['AZURE_AD_TENANT_ID', { provider: 'NextAuthProvider azure-ad' }, { AZURE_AD_CLIENT_ID: 'a', AZURE_AD_CLIENT_SECRET: 'b', AZURE_AD_TENANT_ID: 'c0ffee00-0000-4000-8000-000000000000' }],
    ['NextAuthProvidersFromEnv', { provider: 'NextAuthProvidersFromEnv On' }, { FACEBOOK_CLIENT_ID: 'a', FACEBOOK_CLIENT_SECRET: 'b' }],
  ]) {
    const result = await t.configtest({ files, config: written(change), env });
    t.is([result.status, result.output.trim()], [0, 'Syntax OK'], what);
  }
}

suite('configtest finds what is wrong, and says where and how to mend it', async (t) => {
  await serves(t);
  // A test of a configuration starts no MPM.
  if (mpm === 'event') await tests(t);
});
