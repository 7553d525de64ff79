#!/usr/bin/env node
'use strict';
// The tables of docs/providers.md, made from conf/providers.json. Called with --write, it renews
// them there.
const fs = require('node:fs');
const path = require('node:path');
const { execFileSync } = require('node:child_process');

const root = path.join(__dirname, '../..');
const document = path.join(root, 'docs/providers.md');

const protocols = { oidc: 'OpenID Connect', oauth: 'OAuth 2.0', email: 'emailed links' };

// What vouches for an email address, in the words of the page.
function vouching({ type, emailVerified = type === 'oidc' ? 'claim' : 'never' }) {
  if (type === 'email') return 'always';
  if (emailVerified === 'claim') return '`email_verified`';
  return emailVerified.startsWith('claim:') ? `\`${emailVerified.slice(6)}\`` : emailVerified;
}

function tables(listed, entries) {
  const rows = listed.map(({ id, name, type, requires }) => `| ${name} | \`${id}\` | ${protocols[type]} | ${
    requires ? requires.split(', ').map((option) => `\`${option}=\``).join(', ') : 'none'} | ${vouching(entries[id])} |`);
  const hints = listed.filter(({ console: url }) => url)
    .map(({ id, name, console: url, trap }) => `| [${name}](${url}) | \`https://HOST/api/auth/callback/${id}\` | ${trap} |`);
  return { all: ['| Provider | ID | Protocol | Also requires | Vouches for email addresses |', '|---|---|---|---|---|', ...rows].join('\n'),
    registration: ['| Registration | Callback URL | What is often missed |', '|---|---|---|', ...hints].join('\n') };
}

const marker = (name) => new RegExp(`(<!-- ${name}: generated -->\n\n)[^]*?(\n\n<!-- end -->)`);
const entries = () => JSON.parse(fs.readFileSync(path.join(root, 'conf/providers.json'), 'utf8'));

// The page as it has to be.
function renew(listed) {
  const made = tables(listed, entries());
  return Object.keys(made).reduce((text, name) => text.replace(marker(name), (all, before, after) => before + made[name] + after),
    fs.readFileSync(document, 'utf8'));
}

if (require.main === module && process.argv[2] === '--write')
  fs.writeFileSync(document, renew(JSON.parse(execFileSync(path.join(root, 'build/nextauthctl'), ['providers', '--json'], { encoding: 'utf8' }))));

module.exports = { renew, document };
