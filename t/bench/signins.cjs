// SPDX-License-Identifier: Apache-2.0
// What does a sign-in cost? A user without a session signs in at a provider, over http and over https,
// where the server trusts the system's CA certificates and the provider's. Counted is what httpd does
// from the first request to the redirect with the session, in two ways:
//
//  - milliseconds of CPU: all processes of httpd, as the kernel accounts for them, in rounds that take
//    every kind in turn.
//  - instructions: one process under callgrind.
//
// The provider's documents are in the caches, and connections to httpd are kept.
'use strict';
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');

const KINDS = [
  { name: 'signin-nextauth', label: 'mod_nextauth, http', site: 'signins', peer: 'signin-openidc' },
  { name: 'signin-openidc', label: 'mod_auth_openidc, http', site: 'openidcCache' },
  { name: 'signin-nextauth-https', label: 'mod_nextauth, https', site: 'signinsSecure', peer: 'signin-openidc-https' },
  { name: 'signin-openidc-https', label: 'mod_auth_openidc, https', site: 'openidcSecure' },
];
const GOAL = 0.5; // of the peer's

// A browser of one user: cookies of the site, and connections that are kept.
class Browser {
  constructor(origin) {
    this.origin = origin;
    this.jar = new Map();
    this.agents = { 'http:': new http.Agent({ keepAlive: true, maxSockets: 1 }),
      'https:': new https.Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false }) };
  }

  forget() {
    this.jar.clear();
  }

  close() {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }

  request(address) {
    const url = new URL(address, this.origin);
    const own = url.origin === this.origin;
    const headers = { Accept: 'text/html',
      ...(own && this.jar.size ? { Cookie: [...this.jar].map(([name, value]) => `${name}=${value}`).join('; ') } : {}) };
    return new Promise((resolve, reject) => {
      const sent = (url.protocol === 'https:' ? https : http).request(url, { headers, agent: this.agents[url.protocol],
        timeout: 60000 }, (response) => {
        let body = '';
        response.on('data', (piece) => (body += piece));
        response.on('end', () => {
          if (own) this.keep(response.headers['set-cookie'] || []);
          resolve({ status: response.statusCode, location: response.headers.location, body });
        });
      });
      sent.on('timeout', () => sent.destroy(new Error(`${url} does not answer`)));
      sent.on('error', reject);
      sent.end();
    });
  }

  keep(lines) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      if (value === '' || /expires=Thu, 01 Jan 1970|max-age=0/i.test(line)) this.jar.delete(name);
      else this.jar.set(name, value);
    }
  }
}

async function signIn(kind, browser) {
  browser.forget();
  const start = await browser.request('/members/page.bin');
  const back = await browser.request(start.location);
  const end = await browser.request(back.location);
  if (end.status !== 302 || /error/.test(end.location)) throw new Error(`${kind.label}: ${end.status} to ${end.location}`);
}

async function isSignedIn(kind, browser) {
  const { status } = await browser.request('/members/page.bin');
  if (status !== 200) throw new Error(`${kind.label}: the page answers ${status} after a sign-in`);
}

// Seconds of CPU of a process and of those below it, in and below the kernel.
function cpuOf(pid) {
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /s, '').split(' ');
  const children = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim().split(' ').filter(Boolean);
  return (Number(fields[11]) + Number(fields[12])) / 100 + children.reduce((sum, child) => sum + cpuOf(child), 0);
}

async function withBrowser(kind, prepared, work) {
  const browser = new Browser(prepared.sites[kind.site].origin);
  try {
    return await work(browser);
  } finally {
    browser.close();
  }
}

// Milliseconds of CPU a sign-in, for each kind a list with a value of each round.
async function measureCpu(kinds, prepared, server, { rounds, count, progress }) {
  const samples = Object.fromEntries(kinds.map((kind) => [kind.name, []]));
  for (let round = 0; round <= rounds; round++) { // the first one is to warm up
    for (const kind of kinds) {
      progress(`sign-ins, round ${round} of ${rounds}: ${kind.label}`);
      await withBrowser(kind, prepared, async (browser) => {
        const before = cpuOf(server.pid);
        for (let i = 0; i < count; i++) await signIn(kind, browser);
        const milliseconds = (1000 * (cpuOf(server.pid) - before)) / count;
        if (round > 0) samples[kind.name].push(milliseconds);
        await isSignedIn(kind, browser);
      });
    }
  }
  return samples;
}

// For countInstructions() of bench.cjs.
const counted = (kinds, prepared, count) => kinds.map((kind) => ({ ...kind,
  open: () => {
    const browser = new Browser(prepared.sites[kind.site].origin);
    return { once: () => signIn(kind, browser), warmUp: 70, count, close: () => browser.close() };
  } }));

module.exports = { KINDS, GOAL, measureCpu, counted };
