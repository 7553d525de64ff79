// SPDX-License-Identifier: Apache-2.0
// People who want to sign in with a provider that never answers. The requests that reached it go on hanging
// when they leave: the module would not ask it again for a while if they ended.
'use strict';
const { setMaxListeners } = require('node:events');
const http = require('node:http');
const { get } = require('./openid.cjs');

const PEOPLE = 200;

function post(url, body, headers, signal) {
  return new Promise((resolve) => {
    const request = http.request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
      response.resume();
      response.on('end', () => resolve(Number(response.headers['retry-after'] || 0)));
      response.on('error', () => resolve(0));
    });
    request.on('error', () => resolve(0));
    request.end(body);
  });
}

// Each of them tries again when he is told to. Returns how to send them home.
async function startWaiting(origin) {
  const { headers, body } = await get(`${origin}/api/auth/csrf`);
  const form = new URLSearchParams({ csrfToken: JSON.parse(body).csrfToken }).toString();
  const cookie = headers['set-cookie'].map((line) => line.split(';')[0]).join('; ');
  const end = new AbortController();
  setMaxListeners(0, end.signal);
  const person = async () => {
    while (!end.signal.aborted) {
      const seconds = await post(`${origin}/api/auth/signin/hangs`, form,
        { Cookie: cookie, 'Content-Type': 'application/x-www-form-urlencoded' }, end.signal);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000);
        end.signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
      });
    }
  };
  const people = Array.from({ length: PEOPLE }, person);
  return async () => {
    end.abort();
    await Promise.all(people);
  };
}

module.exports = { startWaiting };
