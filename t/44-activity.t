#!/usr/bin/env node
'use strict';
// NextAuthActivity: requests that an expression names neither renew a session nor count as its use.
const { suite } = require('./lib/suite.js');
const { htpasswd, until } = require('./lib/httpd.js');
const { redisIsHere, startRedis } = require('./lib/redis.js');

const NAME = 'next-auth.session-token';

suite('Requests that do not count as activity', async (t) => {
  const redis = redisIsHere() ? await startRedis(t) : null;
  const common = (...lines) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthSessionUpdateAge 0
NextAuthSessionIdleTimeout 60
${lines.join('\n')}
<LocationMatch ^/(members|api)/>
  NextAuthActivity "%{HTTP:X-Poll} != '1' && %{REQUEST_URI} != '/members/poll'"
</LocationMatch>
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /members/inner/>
  NextAuthActivity "true"
</Location>`;
  const files = { users: htpasswd({ ada: 'x' }), 'htdocs/members/index.html': 'x', 'htdocs/members/poll': 'x', 'htdocs/members/inner/index.html': 'x',
    'htdocs/tenant/index.html': 'x', 'htdocs/tenant/.htaccess': 'AuthType NextAuth\nRequire valid-user\nNextAuthActivity "%{QUERY_STRING} != \'poll\'"\n' };
  const directory = '<Directory @DIR@/htdocs>\nAllowOverride AuthConfig\n</Directory>';
  const kinds = [['claims in the cookie, no store', 'NextAuthSessionStore none'], ['claims in the cookie, shmcb', 'NextAuthSOCache shmcb:nextauth(1048576)\nNextAuthSessionStore socache checkInterval=1'],
    ['claims on the server, shmcb', 'NextAuthSOCache shmcb:nextauth(1048576)\nNextAuthSessionStore socache checkInterval=1\nNextAuthSessionStrategy database'],
    ...(redis ? [['claims on the server, Redis', `NextAuthSessionStore redis checkInterval=1\nNextAuthRedis ${redis.url}\nNextAuthSessionStrategy database`]] : [])];
  if (!redis) t.skip('with Redis', 'no redis-server');

  for (const [kind, lines] of kinds) {
    t.section(kind);
    const site = await t.httpd({ files, config: `${common(lines)}\n${directory}` });
    const signedIn = async () => {
      const client = t.client(site);
      await client.credentials('ada', 'x');
      return client;
    };
    const ada = await signedIn();
    const renews = async (path, headers) => {
      const { status, setCookies } = await ada.get(path, { headers });
      return [status, setCookies.some((line) => line.startsWith(`${NAME}=`))];
    };
    const poll = { 'x-poll': '1' };
    t.is([await renews('/members/'), await renews('/api/auth/session')], [[200, true], [200, true]], 'others renew the session');
    t.is([await renews('/members/', poll), await renews('/members/poll'), await renews('/api/auth/session', poll)], [[200, false], [200, false], [200, false]], 'these do not: a page, a path, the session endpoint');
    t.is((await ada.get('/api/auth/session', { headers: poll })).json.user.name, 'ada', 'though it tells who is signed in');
    t.is([await renews('/members/inner/', poll), await renews('/tenant/?poll'), await renews('/tenant/', poll)], [[200, true], [200, false], [200, true]], 'inner sections and .htaccess decide for themselves');
    if (/none/.test(lines)) continue;

    const polling = await signedIn();
    const used = async () => Object.fromEntries((await ada.get('/api/auth/sessions', { headers: { accept: 'application/json', 'x-poll': '1' } })).json.sessions.map((s) => [s.id, s]));
    const before = await used();
    const [mine, other] = [Object.values(before).find((s) => s.current).id, Object.values(before).find((s) => !s.current).id];
    await until('a use that counts is recorded', async () => {
      await polling.get('/members/', { headers: poll });
      await ada.get('/members/', { headers: poll }); // always in between: what counts is recorded all the same
      await ada.get('/members/');
      return (await used())[mine].lastUsed > before[mine].lastUsed;
    });
    t.is((await used())[other].lastUsed, before[other].lastUsed, 'the store has uses by others alone');
  }

  t.section('the expression');
  for (const [what, expression, message] of [['the session, which is not known yet', '%{NEXTAUTH:sub} == \'ada\'', /NEXTAUTH cannot be used before the session is known/], ['none', '%{', /NextAuthActivity: invalid expression '%\{'/]]) {
    const { status, output } = await t.configtest({ files, config: common('NextAuthSessionStore none', `<Location /x>\nNextAuthActivity "${expression}"\n</Location>`) });
    t.ok(status !== 0 && message.test(output), what, output);
  }
});
