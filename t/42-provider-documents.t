#!/usr/bin/env node
'use strict';
// What a provider publishes, while it publishes something else for a moment.
const { suite } = require('./lib/suite.js');
const { until } = require('./lib/httpd.js');
const { startRogue, replies, makeKey, sign } = require('./lib/rogue.js');

const faulty = {
  'a page instead of the discovery document': { discovery: replies.html },
  'a discovery document of another issuer': { discovery: { issuer: 'http://evil.example.org' } },
  'a discovery document without endpoints': { discovery: { token_endpoint: undefined } },
  'a page instead of the key set': { jwks: replies.html },
  'an empty key set': { jwks: { keys: [] } },
};

// Presses the button and goes wherever that leads.
async function attempt(t, site, id) {
  const c = t.client(site);
  const start = await c.signIn(id, { callbackUrl: '/public.html' });
  if (start.location.startsWith(site.url)) return start.location;
  return (await c.page((await c.page(start.location)).location)).location;
}

suite('One bad answer of a provider is no more than that', async (t) => {
  const rogue = await startRogue(t);
  const ids = Object.keys(faulty).map((_, i) => `p${i}`);
  const site = await t.httpd({ config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
${[...ids, 'rotating'].map((id) => `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=the-client clientSecret=a-secret`).join('\n')}` });
  const signedIn = `${site.url}/public.html`;

  for (const [i, what] of Object.keys(faulty).entries()) {
    t.section(what);
    rogue.faults[ids[i]] = faulty[what];
    t.like(await attempt(t, site, ids[i]), /error=OAuth(Signin|Callback)$/, `${what} is refused`);
    rogue.faults[ids[i]] = {};
    let inARow = 0; // each child has to find out
    await until('sign-ins, once it is right again', async () => {
      inARow = await attempt(t, site, ids[i]) === signedIn ? inARow + 1 : 0;
      return inARow === 4;
    });
    t.is(inARow, 4, '  and soon, people sign in again');
  }

  t.section('many sign-ins after a key has changed');
  const crowd = 10;
  const one = await t.httpd({ config: `
StartServers 1
ServerLimit 1
<IfModule !mpm_prefork_module>
  ThreadsPerChild 64
</IfModule>
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthProvider crowd type=oidc issuer=${rogue.issuer('crowd')} clientId=the-client clientSecret=a-secret` });
  t.is(await attempt(t, one, 'crowd'), `${one.url}/public.html`, 'with the first key');
  {
    const key = makeKey('of the crowd');
    const [begun, before] = ['token', 'jwks'].map((endpoint) => rogue.requests('crowd', endpoint).length);
    // The key set comes when all of them have their token, and lack the key.
    const jwks = async () => {
      await until('all have their token', () => rogue.requests('crowd', 'token').length >= begun + crowd);
      return { keys: [key.jwk] };
    };
    const people = [];
    for (let i = 0; i < crowd; i += 1) {
      const c = t.client(one);
      people.push([c, (await c.page((await c.signIn('crowd', { callbackUrl: '/public.html' })).location)).location]);
    }
    rogue.faults.crowd = { jwks, header: { kid: 'of the crowd' }, sign: (header, claims) => sign.rs256(header, claims, key) };
    const ends = await Promise.all(people.map(async ([c, back]) => (await c.page(back)).location));
    t.is([...new Set(ends)], [`${one.url}/public.html`], 'all of a crowd sign in');
    if (process.env.NEXTAUTH_MPM === 'prefork') t.skip('one request for the key set', 'each child process has one request at a time');
    else t.is(rogue.requests('crowd', 'jwks').length - before, 1, '  with one request for the key set');
  }

  t.section('keys that change, and change again');
  t.is(await attempt(t, site, 'rotating'), signedIn, 'with the first key');
  for (const kid of ['second', 'third', 'fourth']) {
    const key = makeKey(kid);
    rogue.faults.rotating = { jwks: { keys: [key.jwk] }, header: { kid }, sign: (header, claims) => sign.rs256(header, claims, key) };
    t.is(await attempt(t, site, 'rotating'), signedIn, `with the ${kid}, at once`);
  }
});
