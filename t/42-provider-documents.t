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
  // One in eight of a process's requests can wait for the same provider. A thread costs a sanitizer much.
  const crowd = process.env.NEXTAUTH_PRELOAD ? 50 : 200;
  const many = await t.httpd({ config: `
${process.env.NEXTAUTH_MPM === 'prefork' ? `StartServers ${crowd + 10}
ServerLimit ${8 * crowd}
MinSpareServers 1
MaxSpareServers ${8 * crowd}
MaxRequestWorkers ${8 * crowd}` : `StartServers 2
ServerLimit 2
ThreadLimit ${8 * crowd}
ThreadsPerChild ${8 * crowd}
MinSpareThreads 1
MaxSpareThreads ${16 * crowd}
MaxRequestWorkers ${16 * crowd}`}
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthHTTP timeout=60s
NextAuthProvider crowd type=oidc issuer=${rogue.issuer('crowd')} clientId=the-client clientSecret=a-secret` });
  t.is(await attempt(t, many, 'crowd'), `${many.url}/public.html`, 'with the first key');
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
      const c = t.client(many);
      people.push([c, (await c.page((await c.signIn('crowd', { callbackUrl: '/public.html' })).location)).location]);
    }
    t.is(rogue.requests('crowd', 'openid-configuration').length, 1, 'the discovery document is fetched once for all processes');
    rogue.faults.crowd = { jwks, header: { kid: 'of the crowd' }, sign: (header, claims) => sign.rs256(header, claims, key) };
    const ends = await Promise.all(people.map(async ([c, back]) => (await c.page(back)).location));
    t.is([...new Set(ends)], [`${many.url}/public.html`], `all ${crowd} of a crowd sign in, in several processes`);
    t.is(rogue.requests('crowd', 'jwks').length - before, 1, '  with one request for the key set');
    const processes = new Set(many.log().match(/\[pid \d+/g));
    t.ok(processes.size > 1, '  by several processes');
  }

  t.section('keys that change, and change again');
  t.is(await attempt(t, site, 'rotating'), signedIn, 'with the first key');
  for (const kid of ['second', 'third', 'fourth']) {
    const key = makeKey(kid);
    rogue.faults.rotating = { jwks: { keys: [key.jwk] }, header: { kid }, sign: (header, claims) => sign.rs256(header, claims, key) };
    t.is(await attempt(t, site, 'rotating'), signedIn, `with the ${kid}, at once`);
  }

  t.section('documents that get old');
  const aging = await t.httpd({ config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthProvider aging type=oidc issuer=${rogue.issuer('aging')} clientId=the-client clientSecret=a-secret documentMaxAge=10
NextAuthProvider unused type=oidc issuer=${rogue.issuer('unused')} clientId=the-client clientSecret=a-secret documentMaxAge=10` });
  const counted = () => ['openid-configuration', 'jwks'].map((endpoint) => rogue.requests('aging', endpoint).length);
  t.is(await attempt(t, aging, 'aging'), `${aging.url}/public.html`, 'a sign-in');
  t.is(counted(), [1, 1], '  with one request for each document');
  await until('both are fetched again', () => counted().every((count) => count > 1));
  t.ok(true, 'both are fetched again, although nobody asks');
  t.is(rogue.requests('unused', 'openid-configuration').length, 0, '  but not those of a provider that nobody has used');
  rogue.faults.aging = { discovery: replies.failure, jwks: replies.failure };
  await until('it has failed', () => /using an older key set of aging/.test(aging.log()) && /using an older discovery document of aging/.test(aging.log()));
  t.is(await attempt(t, aging, 'aging'), `${aging.url}/public.html`, 'while the provider has none, people sign in with the older ones');
});
