'use strict';
// A browser's manners without a browser: cookies, forms, redirects only when asked.
const http = require('node:http');
const https = require('node:https');
const net = require('node:net');

class Jar {
  constructor() {
    this.hosts = new Map();
  }

  of(url) {
    const host = new URL(url).hostname;
    if (!this.hosts.has(host)) this.hosts.set(host, new Map());
    return this.hosts.get(host);
  }

  header(url) {
    const { pathname } = new URL(url);
    return [...this.of(url)].filter(([, c]) => pathname.startsWith(c.path))
      .map(([name, c]) => `${name}=${c.value}`).join('; ');
  }

  take(url, lines) {
    const cookies = this.of(url);
    for (const line of lines) {
      const [pair, ...attributes] = line.split(';').map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf('='));
      const value = pair.slice(pair.indexOf('=') + 1);
      const given = Object.fromEntries(attributes.map((a) => {
        const [key, ...rest] = a.split('=');
        return [key.toLowerCase(), rest.join('=')];
      }));
      const over = given['max-age'] !== undefined ? Number(given['max-age']) <= 0
        : given.expires !== undefined && Date.parse(given.expires) <= Date.now();
      if (over) cookies.delete(name);
      else cookies.set(name, { value, path: given.path || '/' });
    }
  }
}

// localhost and all names below it are this machine (RFC 6761 section 6.3); not every resolver says so.
function lookup(host, options, done) {
  if (options.all) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
}

function request(url, { method = 'GET', headers = {}, body, localAddress } = {}) {
  return new Promise((resolve, reject) => {
    const local = /(^|\.)localhost$/.test(new URL(url).hostname);
    // Whose certificate a server has is no matter of these tests' browser.
    const { request: ask } = url.startsWith('https:') ? https : http;
    const r = ask(url, { rejectUnauthorized: false, method, headers, family: 4, agent: false, localAddress, ...(local ? { lookup } : {}), timeout: 60_000 }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('error', reject);
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString('utf8');
        let json;
        try { json = JSON.parse(text); } catch { json = undefined; }
        resolve({ status: answer.statusCode, headers: answer.headers, location: answer.headers.location,
          setCookies: answer.headers['set-cookie'] || [], text, json, url });
      });
    });
    r.on('timeout', () => r.destroy(new Error(`no answer from ${url}`)));
    r.on('error', reject);
    if (body !== undefined) r.write(body);
    r.end();
  });
}

class Client {
  // `from`: an IP address of its own, as one client has but a share of the password checks.
  constructor(site, { from } = {}) {
    this.site = site;
    this.from = from;
    this.jar = new Jar();
  }

  get cookies() {
    return this.jar.of(this.site.url);
  }

  cookie(name) {
    const cookie = this.cookies.get(name);
    return cookie && cookie.value;
  }

  async send(path, options = {}) {
    const url = new URL(path, this.site.url).href;
    const headers = { ...options.headers };
    const cookie = this.jar.header(url);
    if (cookie && headers.cookie === undefined) headers.cookie = cookie;
    const answer = await request(url, { localAddress: this.from, ...options, headers });
    this.jar.take(url, answer.setCookies);
    return answer;
  }

  get(path, options = {}) {
    return this.send(path, options);
  }

  // Like a person's browser: asks for HTML.
  page(path, options = {}) {
    return this.send(path, { ...options, headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate', ...options.headers } });
  }

  // A mailed link: the first answer only takes the token out of the address.
  async open(link) {
    const first = await this.page(link);
    const { origin, pathname } = new URL(link, this.site.url);
    return first.location === origin + pathname ? this.page(first.location) : first;
  }

  post(path, fields, options = {}) {
    const asJson = options.json;
    return this.send(path, { ...options, method: 'POST',
      body: asJson ? JSON.stringify(fields) : new URLSearchParams(fields).toString(),
      headers: { 'content-type': asJson ? 'application/json' : 'application/x-www-form-urlencoded', ...options.headers } });
  }

  async csrf() {
    return (await this.get('/api/auth/csrf')).json.csrfToken;
  }

  async signIn(id, fields = {}, query = '') {
    return this.post(`/api/auth/signin/${id}${query}`, { csrfToken: await this.csrf(), ...fields });
  }

  async credentials(username, password, fields = {}) {
    return this.post('/api/auth/callback/credentials', { csrfToken: await this.csrf(), username, password, ...fields });
  }

  async signOut(fields = {}) {
    return this.post('/api/auth/signout', { csrfToken: await this.csrf(), ...fields });
  }

  async session() {
    return (await this.get('/api/auth/session')).json;
  }

  // Walks redirects, across hosts, until an answer is none.
  async follow(answer, most = 10) {
    let at = answer;
    while (at.location && most-- > 0) at = await this.page(new URL(at.location, at.url).href);
    return at;
  }
}

// A whole answer to whatever bytes.
function raw(port, bytes) {
  return new Promise((resolve, reject) => {
    const parts = [];
    const socket = net.connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.setTimeout(60_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (part) => parts.push(part));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
  });
}

// The i-th of many clients at once.
const apart = (i) => ({ from: `127.0.1.${i + 1}` });

// Somebody who signed in with a password; `answer` is what that brought.
async function signedIn(site, user = 'ada', password = 'x', options = {}) {
  const client = new Client(site, options);
  client.answer = await client.credentials(user, password);
  return client;
}

const statusOf = async (client) => (await client.get('/members/')).status;

module.exports = { apart, Client, raw, request, signedIn, statusOf };
