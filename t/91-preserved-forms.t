#!/usr/bin/env node
'use strict';
const http = require('node:http');
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');

const users = htpasswd({ ada: 'x', bob: 'x' });
const cookieName = 'next-auth.former-user';

// A backend that answers with what it was sent.
async function startEcho(t) {
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      response.setHeader('content-type', 'application/json');
      const { method, url, headers } = request;
      response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(parts).toString('base64') }));
    });
  });
  await new Promise((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return server.address().port;
}

const config = (port, ...lines) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
${lines.join('\n')}
<Location /app/>
  AuthType NextAuth
  Require valid-user
  NextAuthPreservePost On
  ProxyPass http://127.0.0.1:${port}/
</Location>`;
const socache = ['NextAuthSOCache shmcb:sessions(1048576)', 'NextAuthSessionStore socache checkInterval=0'];

const form = { 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin', accept: 'text/html',
  'content-type': 'application/x-www-form-urlencoded' };
const send = (client, path, body, headers = {}) => client.send(path, { method: 'POST', body, headers: { ...form, origin: client.site.url, 'content-length': Buffer.byteLength(body), ...headers } });

// Ends the session, as another tab would.
const end = (client) => client.cookies.delete('next-auth.session-token');

// Signs in where a redirect leads, and returns the page that the browser then shows.
async function signInThere(client, answer, user = 'ada') {
  const callbackUrl = new URL(answer.location).searchParams.get('callbackUrl');
  const signedIn = await client.credentials(user, 'x', { callbackUrl });
  return client.page(signedIn.location);
}

// The form of the page, and what it sends.
function formOf(page) {
  const action = /<form id="resend" method="post" action="([^"]*)"/.exec(page.text);
  const id = /name="nextauth-form" value="([^"]*)"/.exec(page.text);
  return action && { action: action[1].replaceAll('&amp;', '&'), body: `nextauth-form=${id[1]}` };
}

suite('A form whose session has ended is sent again after the sign-in', async (t) => {
  const port = await startEcho(t);
  const site = await t.httpd({ files: { users }, config: config(port, ...socache) });
  const signedIn = async (user = 'ada') => {
    const client = t.client(site);
    await client.credentials(user, 'x');
    return client;
  };

  t.section('the way of a form');
  {
    const ada = await signedIn();
    const fields = 'title=a+b&text=%C3%BC%0D%0A&title=c';
    t.is((await send(ada, '/app/save?x=1&y=2', fields)).json.method, 'POST', 'with a session it arrives at once');
    end(ada);
    const answer = await send(ada, '/app/save?x=1&y=2', fields);
    t.is(answer.status, 303, 'without one, the browser is sent to the sign-in page');
    t.like(new URL(answer.location).searchParams.get('callbackUrl'), /\/api\/auth\/resend-form\?form=[\w-]{22}$/, '  which leads to ours');
    const page = await signInThere(ada, answer);
    t.is(page.status, 200, '  which is shown after the sign-in');
    const again = formOf(page);
    t.is(again.action, `${site.url}/app/save?x=1&y=2`, '  with a form for the original URL');
    const arrived = (await send(ada, again.action, again.body)).json;
    t.is([arrived.method, arrived.url], ['POST', '/save?x=1&y=2'], '  which arrives');
    t.is(Buffer.from(arrived.body, 'base64').toString(), fields, '  with the original body');
    t.is([arrived.headers['content-length'], arrived.headers['content-type'], arrived.headers['x-nextauth-user']],
      [String(fields.length), form['content-type'], 'ada'], '  its headers, and the user');
    const twice = await send(ada, again.action, again.body);
    t.is([twice.status, twice.location], [303, page.url], 'once only');
    t.is((await ada.page(twice.location)).status, 404, '  and the page says so');
  }
});
