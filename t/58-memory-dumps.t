#!/usr/bin/env node
'use strict';
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { childrenOf, freePort, htpasswd, makeFolder, mpm, until } = require('./lib/httpd.js');
const { half, startRogue } = require('./lib/rogue.js');

const PASSWORD = 'Quagga-Wombat-Okapi-4711';
const WRONG = 'Numbat-Dugong-Saiga-0815';
const [ACCESS, REFRESH] = ['access-token-of-a-quokka-0123456789', 'refresh-token-of-a-quoll-0123456789'];

// The memory of a process as its administrator can write it to disk; null where that is not allowed.
function dump(folder, pid) {
  const { status } = spawnSync('gcore', ['-o', path.join(folder, 'core'), String(pid)], { encoding: 'utf8', timeout: 60_000 });
  const file = path.join(folder, `core.${pid}`);
  if (status !== 0 || !fs.existsSync(file)) return null;
  const core = fs.readFileSync(file);
  fs.rmSync(file);
  return core;
}

suite('Dumps of a child\'s memory: what finished requests leave behind', async (t) => {
  if (spawnSync('gcore', ['-v']).error) t.skipAll('gcore is not there (package gdb)');
  if (mpm === 'worker') t.skipAll('its children have threads as those of event');
  if (process.env.NEXTAUTH_PRELOAD) t.skipAll('sanitizers keep what was freed, and terabytes of shadow');
  const folder = makeFolder(t);
  const rogue = await startRogue(t);
  const port = await freePort();
  rogue.faults.acme = {
    token: (honest) => ({ ...honest, access_token: ACCESS, refresh_token: REFRESH }),
    claims: { at_hash: half(ACCESS) },
  };
  const site = await t.httpd({ port, files: { users: htpasswd({ ada: PASSWORD }) }, config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider acme type=oidc issuer=${rogue.issuer('acme')} clientId=client clientSecret=secret` });
  const children = () => childrenOf(site.pid);
  if (!children().some((pid) => dump(folder, pid))) t.skipAll('processes may not be looked into here (ptrace)');

  // What of the texts is in the memory of which child, a half sufficing.
  const halves = (text) => [text.slice(0, text.length / 2), text.slice(text.length / 2)];
  const found = (texts) => children().flatMap((pid) => {
    const core = dump(folder, pid);
    return core ? Object.keys(texts).filter((name) => halves(texts[name]).some((part) => core.includes(part))) : [];
  });
  // A request that has just ended may not be cleared away yet.
  async function allAreGone(texts) {
    let left = [];
    await until('nothing is left', () => { left = found(texts); return !left.length; }).catch(() => {});
    for (const name of Object.keys(texts)) t.ok(!left.includes(name), `${name} is in no child`);
  }
  t.ok(found({ folder: site.dir }).length, 'a text that is in memory is found');

  t.section('passwords');
  const callback = '/api/auth/callback/credentials';
  for (const json of [false, true]) {
    const as = json ? 'in JSON' : 'in a form';
    for (let i = 0; i < 3; i += 1) {
      const c = t.client(site);
      const csrfToken = await c.csrf();
      await c.post(callback, { csrfToken, username: 'ada', password: WRONG }, { json });
      t.is(c.cookie('next-auth.session-token'), undefined, `a wrong password ${as}`);
      await c.post(callback, { csrfToken, username: 'ada', password: PASSWORD }, { json });
      t.ok(c.cookie('next-auth.session-token'), `and the right one ${as}`);
    }
  }
  await allAreGone({ 'a password': PASSWORD, 'a wrong password': WRONG });

  t.section('tokens of a provider');
  for (let i = 0; i < 3; i += 1) {
    const c = t.client(site);
    const asked = await c.signIn('acme');
    const back = (await fetch(asked.location, { redirect: 'manual' })).headers.get('location');
    await c.get(back.slice(site.url.length));
    t.ok(c.cookie('next-auth.session-token'), 'a sign-in through a provider');
  }
  const idToken = rogue.secrets.find((text) => text.startsWith('eyJ'));
  await allAreGone({ 'an access token': ACCESS, 'a refresh token': REFRESH, 'an ID token': idToken.slice(-80) });
});
