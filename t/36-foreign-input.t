#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const net = require('node:net');
const { suite } = require('./lib/suite.js');
const { freePort, htpasswd, until } = require('./lib/httpd.js');
const { startApp } = require('./lib/app.js');
const { startRogue } = require('./lib/rogue.js');

const MB = 1024;

// The most that any of the server's processes ever had in memory, in KB.
function peak(site) {
  const children = fs.readFileSync(`/proc/${site.pid}/task/${site.pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return Math.max(...children.map((pid) => Number(/VmHWM:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1])));
}

// A backend of whatever protocol, which answers nothing and remembers what it was sent.
async function startCapture(t) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (part) => { server.got += part.toString('latin1'); });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.got = '';
  server.hangUp = () => { for (const socket of sockets) socket.destroy(); };
  const port = await freePort();
  await new Promise((resolve) => { server.listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.hangUp(); }));
  return Object.assign(server, { port });
}

suite('What anybody may send costs little, and takes nothing away from applications', async (t) => {
  const app = await startApp(t, (request) => request.headers);
  const capture = await startCapture(t);
  const rogue = await startRogue(t);
  const place = (name, target) => `<Location /${name}/>\nAuthType NextAuth\nRequire valid-user\nProxyPass ${target}\n</Location>`;
  const site = await t.httpd({
    modules: ['proxy_fcgi', 'proxy_ajp', 'proxy_scgi', 'proxy_uwsgi', 'proxy_wstunnel'],
    files: { users: htpasswd({ 'bob@example.org': 'x' }) },
    config: `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthProvider credentials backend=file:@DIR@/users
NextAuthProvider large type=oidc issuer=${rogue.issuer('large')} clientId=c clientSecret=s idToken=false
NextAuthRole staff "true"
${place('app', `http://127.0.0.1:${app.port}/`)}
${place('http', `http://127.0.0.1:${capture.port}/`)}
${place('socket', `http://127.0.0.1:${capture.port}/up/ upgrade=websocket`)}
${place('ws', `ws://127.0.0.1:${capture.port}/`)}
${place('fcgi', `fcgi://127.0.0.1:${capture.port}/`)}
${place('ajp', `ajp://127.0.0.1:${capture.port}/`)}
${place('scgi', `scgi://127.0.0.1:${capture.port}/`)}
${place('uwsgi', `uwsgi://127.0.0.1:${capture.port}/`)}`,
  });
  const bob = t.client(site);
  await bob.credentials('bob@example.org', 'x');
  const cookie = [...bob.cookies].map(([name, { value }]) => `${name}=${value}`).join('; ');
  const request = (path, ...lines) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\nCookie: ${cookie}\r\n${lines.join('\r\n')}\r\n\r\n`;

  t.section('Connection cannot take identity headers away');
  const whole = ['bob@example.org', 'bob@example.org', 'bob@example.org', 'staff', 'credentials'];
  const ours = ['user', 'email', 'name', 'roles', 'provider'].map((name) => `x-nextauth-${name}`);
  for (const [what, ...lines] of [
    ['a comma', 'Connection: close,X-NextAuth-User,X-NextAuth-Email'],
    ['a semicolon', 'Connection: close;X-NextAuth-User;x-nextauth-roles'],
    ['a blank', 'Connection: close X-NextAuth-User X-NextAuth-Name'],
    ['a tab', 'Connection: close\tX-NextAuth-User\tX-NextAuth-Name'],
    ['all of them', 'Connection: close ;,\t;X-NextAuth-User; , ,x-nextauth-email;'],
    ['quotes', 'Connection: close, "a"X-NextAuth-User, "b", "X-NextAuth-Email"'],
    ['a quote that is not closed', 'Connection: close, X-NextAuth-User;", X-NextAuth-Email'],
    ['a sign', 'Connection: close:X-NextAuth-User/X-NextAuth-Email=X-NextAuth-Roles@X-NextAuth-Name'],
    ['several lines', 'Connection: close', 'Connection: foo;X-NextAuth-User', 'connection: X-NextAuth-Email'],
    ['Proxy-Connection', 'Connection: close', 'Proxy-Connection: foo;X-NextAuth-User'],
    ['Keep-Alive, TE and Trailer', 'Connection: close, Keep-Alive, TE, Trailer', 'Keep-Alive: X-NextAuth-User', 'TE: X-NextAuth-User', 'Trailer: X-NextAuth-User'],
  ]) {
    const answer = await t.raw(site.port, request('/app/', ...lines));
    const { user } = JSON.parse(/\{.*\}/s.exec(answer)?.[0] || '{"user":{}}');
    t.is(ours.map((name) => user[name]), whole, `separated by ${what}`);
  }
  t.is((await bob.get('/app/', { headers: { connection: 'X-Mine;close', 'x-mine': '1' } })).json.user['x-mine'], undefined, 'what else it names is taken away as ever');
  for (const name of ['http', 'socket', 'ws', 'fcgi', 'ajp', 'scgi', 'uwsgi']) {
    capture.got = '';
    const upgrade = name === 'socket' || name === 'ws';
    const socket = net.connect(site.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(request(`/${name}/`, upgrade ? 'Upgrade: websocket' : 'X-Plain: 1', `Connection: ${upgrade ? 'Upgrade' : 'foo'};X-NextAuth-User;X-NextAuth-Roles`));
    const sent = () => /x.nextauth.user[^]{0,8}bob@example\.org/i.test(capture.got) && /x.nextauth.roles[^]{0,8}staff/i.test(capture.got);
    await until(`${name}: what it was sent`, sent).catch(() => {});
    t.ok(sent(), `nor from ${name === 'socket' ? 'http with upgrade=websocket' : name}`, capture.got);
    socket.destroy();
    capture.hangUp();
  }

  t.section('memory');
  await t.raw(site.port, request('/public.html', 'Connection: close'));
  const before = peak(site);
  const names = 'a,'.repeat(4000);
  for (let round = 0; round < 4; round += 1) {
    const answers = await Promise.all(Array.from({ length: 10 }, () => t.raw(site.port, request('/public.html', `Connection: close,x-nextauth,${names}`))));
    t.ok(answers.every((answer) => answer.startsWith('HTTP/1.1 200')), 'ten requests at once, with 8 KB of Connection, are answered', answers[0].slice(0, 200));
  }
  t.ok(peak(site) - before < 16 * MB, 'and cost a few times what was sent', `${peak(site) - before} KB`);

  rogue.faults.large = { userinfo: (honest) => ({ ...honest, ...Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${i}`, 1])) }) };
  const far = peak(site);
  const c = t.client(site);
  const away = await c.page((await c.signIn('large')).location);
  t.is((await c.page(away.location)).location, site.url, 'a profile of 20,000 members signs in');
  t.ok(peak(site) - far < 100 * MB, 'and costs a few times its size, too', `${peak(site) - far} KB`);
});
