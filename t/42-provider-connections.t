#!/usr/bin/env node
'use strict';
// The connections to a provider: whom they trust, and what is kept between calls.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const https = require('node:https');
const os = require('node:os');
const { suite } = require('./lib/suite.js');
const { startRogue } = require('./lib/rogue.js');
const { certify } = require('./lib/certificates.js');

// One child process, so that the next sign-in finds what the last one left.
const oneChild = process.env.NEXTAUTH_MPM === 'prefork' ? 'StartServers 1\nMaxRequestWorkers 1'
  : 'StartServers 1\nServerLimit 1\nMaxRequestWorkers 12\nMinSpareThreads 1\nMaxSpareThreads 12';

const config = (rogue, more = '') => `
${oneChild}
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthSessionStore none
${more}
NextAuthProvider op type=oidc issuer=${rogue.issuer('op')} clientId=the-client clientSecret=a-secret`;

const visit = (url) => new Promise((resolve, reject) => {
  https.get(url, { rejectUnauthorized: false, agent: false, family: 4 }, (answer) => {
    answer.resume();
    answer.on('end', () => resolve({ location: answer.headers.location }));
  }).on('error', reject);
});

// Presses the button and goes wherever that leads.
async function attempt(t, site) {
  const c = t.client(site);
  const start = await c.signIn('op', { callbackUrl: '/public.html' });
  if (start.location.startsWith(site.url)) return start.location;
  const back = await (start.location.startsWith('https:') ? visit(start.location) : c.page(start.location));
  return (await c.page(back.location)).location;
}

// libcurl keeps parsed certificates from 7.87 on.
function keepsCertificates() {
  const [major, minor] = execFileSync('curl-config', ['--version'], { encoding: 'utf8' }).match(/\d+/g).map(Number);
  return major > 7 || minor >= 87;
}

suite('Connections to a provider', async (t) => {
  const folder = fs.mkdtempSync(`${os.tmpdir()}/nextauth-connections-`);
  t.cleanup(() => fs.rmSync(folder, { recursive: true }));
  for (const name of ['own', 'other']) certify(folder, name, 'localhost', '-addext', 'subjectAltName=DNS:localhost');
  const pem = (name) => fs.readFileSync(`${folder}/${name}.pem`);

  t.section('over https, with an own CA');
  {
    const tls = { key: fs.readFileSync(`${folder}/own.key`), cert: pem('own') };
    const rogue = await startRogue(t, { tls });
    const site = await t.httpd({ files: { 'ca.pem': pem('own') }, config: config(rogue, 'NextAuthHTTP caFile=@DIR@/ca.pem') });
    const signedIn = `${site.url}/public.html`;
    t.is(await attempt(t, site), signedIn, 'a provider whose certificate the CA signed is trusted');
    fs.writeFileSync(`${site.dir}/ca.pem`, pem('other'));
    rogue.disconnect();
    const parsedOnce = 'the CA certificates are parsed once, not for each connection';
    if (keepsCertificates()) t.is(await attempt(t, site), signedIn, parsedOnce);
    else t.skip(parsedOnce, 'libcurl does not keep them');
    await site.reload();
    t.like(await attempt(t, site), /error=OAuthSignin/, '  and again after a graceful restart');
  }
});
