'use strict';
// A user with an authenticator app: oathtool (OATH Toolkit) computes the codes.
const { spawnSync } = require('node:child_process');
const { until } = require('./httpd.js');

const oathtoolIsHere = () => spawnSync('oathtool', ['--version']).status === 0;

// The code of a key, `steps` half minutes from now.
function codeOf(key, steps = 0) {
  const at = `@${Math.floor(Date.now() / 1000) + steps * 30}`;
  return spawnSync('oathtool', ['--totp', '-b', '-N', at, key], { encoding: 'utf8' }).stdout.trim();
}

// Waits for a half minute that is not about to end, where the step matters.
const untilEarly = () => until('the beginning of a half minute', () => Date.now() % 30_000 < 20_000);

const field = (text, name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)?.[1];
const alertOf = (page) => /role="alert">([^<]+)/.exec(page.text)?.[1];
const codesOf = (page) => [...page.text.matchAll(/<code[^>]*>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})<\/code>/g)].map(([, code]) => code);
const keyOf = (page) => /<code[^>]*>([A-Z2-7 ]{39})<\/code>/.exec(page.text)?.[1].replaceAll(' ', '');

// As a browser's form.
const send = async (client, path, fields) => client.page(`/api/auth/${path}`, {
  method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: new URLSearchParams({ csrfToken: await client.csrf(), ...fields }).toString() });

const give = (client, code, more = {}) => send(client, 'two-factor', { code, ...more });

// Sets an authenticator app up: { key, codes, page }. `query` as in "?replace=true".
async function enrol(client, query = '') {
  const shown = await client.page(`/api/auth/two-factor-setup${query}`);
  const key = keyOf(shown);
  if (!key) return { shown, codes: [] };
  const page = await send(client, 'two-factor-setup', { change: 'enable', setup: field(shown.text, 'setup'), code: codeOf(key) });
  return { key, codes: codesOf(page), page, shown };
}

// What the apps of all users did is long ago: the next code is good again.
const letTimePass = (db) => db.sql("UPDATE nextauth_secrets SET counter = 0 WHERE kind = 'totp'");

module.exports = { alertOf, codeOf, codesOf, enrol, field, give, keyOf, letTimePass, oathtoolIsHere, send, untilEarly };
