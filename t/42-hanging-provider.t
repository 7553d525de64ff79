#!/usr/bin/env node
'use strict';
// A provider that takes connections and never answers. What is asked for is an order of events, not
// a pace: while sign-ins hang, pages come.
const fs = require('node:fs');
const { suite } = require('./lib/suite.js');
const { htpasswd, until } = require('./lib/httpd.js');
const { startReceiver } = require('./lib/webhooks.js');
const { startRogue, Reply, replies } = require('./lib/rogue.js');

const WORKERS = 24; // MaxRequestWorkers of the tests' httpd
const SHARE = WORKERS / 4;
const read = (file) => fs.readFileSync(file, 'utf8');
const users = htpasswd({ ada: 'x' });

const provider = (id, rogue) => `NextAuthProvider ${id} type=oidc issuer=${rogue.issuer(id)} clientId=the-client clientSecret=a-secret`;
const config = (rogue, other, timeout) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
NextAuthHTTP timeout=${timeout} connectTimeout=1
NextAuthProvider credentials backend=file:@DIR@/users
${['discovery', 'token', 'hangs'].map((id) => provider(id, rogue)).join('\n')}
${provider('honest', other)}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>`;

// An answer that the test holds back.
function held() {
  const waiting = [];
  const hold = new Reply((res) => waiting.push(res));
  hold.reset = () => waiting.splice(0).forEach((res) => res.socket.resetAndDestroy());
  return hold;
}

// Sends all of them at once; `open` has those without an answer yet, `answers` the others'.
function sendAll(requests) {
  const all = { open: new Set(requests.keys()), answers: [] };
  all.done = Promise.all(requests.map(async (send, i) => {
    all.answers.push(await send());
    all.open.delete(i);
  }));
  return all;
}

const leadsTo = async (rogue, c, id) => Boolean((await c.signIn(id)).location?.startsWith(rogue.url));

async function pagesCome(t, site, ada, hanging, many) {
  for (let i = 0; i < many; i += 1) {
    t.is((await t.client(site).get('/public.html')).status, 200, 'the public page is served');
    t.is((await ada.get('/members/')).status, 200, '  and the protected page');
    t.is((await ada.session()).user.name, 'ada', '  and the session');
  }
  t.ok(hanging.open.size > 0, '  while sign-ins still hang');
}

suite('A provider that hangs keeps few threads, and no page waits for it', async (t) => {
  const [rogue, other] = [await startRogue(t), await startRogue(t)];
  const hold = held();
  rogue.faults.discovery = { discovery: hold };
  rogue.faults.token = { token: hold };
  t.cleanup(() => hold.reset());
  const hook = await startReceiver(t, Buffer.from('a-secret-of-webhooks-that-is-long-enough'));
  const site = await t.httpd({ files: { users }, modules: ['watchdog'], config: `${config(rogue, other, 100)}
NextAuthAuditLog @DIR@/audit.log
NextAuthEvent signIn ${hook.url} "secret=a-secret-of-webhooks-that-is-long-enough"` });
  const ada = t.client(site);
  await ada.credentials('ada', 'x');

  t.section('sign-ins that wait for discovery');
  {
    const starts = await Promise.all(Array.from({ length: 2 * WORKERS }, async (_, i) => {
      const c = t.client(site);
      const csrfToken = await c.csrf();
      const headers = i % 2 ? {} : { accept: 'text/html', 'sec-fetch-mode': 'navigate' };
      return () => c.post('/api/auth/signin/discovery', { csrfToken }, { headers });
    }));
    const hanging = sendAll(starts);
    await until('all but a few have their answer', () => hanging.answers.length >= 2 * WORKERS - SHARE);
    t.ok(hanging.open.size <= SHARE, `of ${2 * WORKERS} sign-ins, at most ${SHARE} hang`, `${hanging.open.size} do`);
    t.is([...new Set(hanging.answers.map((answer) => answer.status))], [503], 'the others are told to try again');
    t.ok(hanging.answers.every((answer) => Number(answer.headers['retry-after']) > 0), '  and when');
    t.ok(hanging.answers.some((answer) => /<h1>/.test(answer.text)), '  people on a page');
    t.ok(hanging.answers.some((answer) => answer.json?.error === 'Unavailable'), '  programs as JSON');
    t.like(site.log(), /too many (outgoing calls|calls to \S+) are under way/, '  and the log says why');
    await pagesCome(t, site, ada, hanging, 5);
    await t.client(site).credentials('ada', 'x');
    await until('an event', () => hook.received.some(({ body }) => body.type === 'signIn'));
    t.ok(hanging.open.size > 0, '  events are delivered, too');
    t.unlike(read(`${site.dir}/audit.log`), /"outcome":"failure"|fail/i, '  and who was put off has not failed in the audit log');
    t.ok(await leadsTo(other, t.client(site), 'honest'), '  another provider has places left');
    hold.reset();
    await hanging.done;
    t.is((await ada.get('/members/')).status, 200, 'afterwards, too');
  }

  t.section('callbacks that wait for the token endpoint');
  {
    const people = await Promise.all(Array.from({ length: WORKERS }, () => t.client(site)));
    const starts = [];
    for (const c of people) { // one at a time: each of them finds a place
      const away = await c.page((await c.signIn('token')).location);
      starts.push(() => c.page(away.location));
      c.back = away.location;
    }
    const hanging = sendAll(starts);
    await until('all but a few have their answer', () => hanging.answers.length >= WORKERS - SHARE);
    t.is([...new Set(hanging.answers.map((answer) => answer.status))], [503], 'who comes too late is told to try again');
    await pagesCome(t, site, ada, hanging, 2);
    rogue.faults.token = {};
    const late = people.find((_, i) => !hanging.open.has(i));
    hold.reset();
    await hanging.done;
    t.is((await late.page(late.back)).location, site.url, '  and loading the page again signs in');
  }

  t.section('a provider that hung is left alone for a while');
  {
    const brief = await t.httpd({ files: { users }, config: config(rogue, other, 1) });
    rogue.faults.hangs = { token: replies.silence };
    const asked = () => rogue.requests('hangs', 'token').length;
    // From the button to the last word of the site.
    const attempt = async () => {
      const c = t.client(brief);
      const start = await c.signIn('hangs');
      return start.location?.startsWith(rogue.url) ? c.page((await c.page(start.location)).location) : start;
    };
    let answer;
    await until('calls are not made any more', async () => {
      const before = asked();
      answer = await attempt();
      return asked() === before && answer.status === 503;
    });
    t.ok(asked() >= 3, 'after three that took all their time', `${asked()} calls`);
    t.ok(Number(answer.headers['retry-after']) > 0, 'whoever wants to sign in is told to try again');
    t.like(brief.log(), /http:\/\/localhost:\d+ are suspended: it did not respond in time/, '  and the log says why');
    t.ok(await leadsTo(other, t.client(brief), 'honest'), 'other hosts are called');
    rogue.faults.hangs = {};
    let inARow = 0;
    await until('sign-ins, once it answers again', async () => {
      inARow = (await attempt()).location === brief.url ? inARow + 1 : 0;
      return inARow === 3;
    });
    t.is(inARow, 3, 'once it answers again, people sign in');
  }
});
