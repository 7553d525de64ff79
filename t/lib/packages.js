'use strict';
// The endpoints of next-auth 4 and of Auth.js as published, asked by a call instead of over a network.
// Each answer is { status, headers, text, cookies }, as of any server.
const querystring = require('node:querystring');

const quiet = { error() {}, warn() {}, debug() {} };

// Bodies and parameters as Next.js hands them to an API route: what is there twice is a list.
function bodyOf({ headers, body }) {
  const type = (headers['content-type'] || '').split(';')[0];
  if (type === 'application/json') return body ? JSON.parse(body) : {};
  if (type === 'application/x-www-form-urlencoded') return querystring.decode(body);
  return body;
}

function cookiesOf(header = '') {
  const { parse } = require('cookie');
  return parse(header);
}

class Answer {
  constructor() {
    this.headers = new Map();
    this.statusCode = 200;
    this.text = '';
  }

  status(code) { this.statusCode = code; return this; }

  getHeader(name) { return this.headers.get(name.toLowerCase()); }

  setHeader(name, value) { this.headers.set(name.toLowerCase(), value); return this; }

  json(value) {
    this.setHeader('content-type', 'application/json; charset=utf-8');
    this.text = JSON.stringify(value);
  }

  send(value) {
    if (value !== null && typeof value === 'object') { this.json(value); return; }
    if (value !== undefined && !this.getHeader('content-type')) this.setHeader('content-type', 'text/html; charset=utf-8');
    this.text = value === undefined ? '' : String(value);
  }

  end() {}

  plain() {
    const { 'set-cookie': cookies = [], ...headers } = Object.fromEntries(this.headers);
    return { status: this.statusCode, headers, text: this.text, cookies: [cookies].flat() };
  }
}

// What Next.js answers before, or after, next-auth has its say.
const failed = (status) => ({ status, headers: {}, text: '', cookies: [] });

function nextAuth4(origin, options) {
  const { default: NextAuth } = require('next-auth/next');
  return async (path, init) => {
    const url = new URL(path, origin);
    const segments = url.pathname.split('/').slice(3).filter(Boolean).map(decodeURIComponent);
    let body;
    try { body = bodyOf(init); } catch { return failed(400); }
    const query = { ...querystring.decode(url.search.slice(1)), nextauth: segments };
    const answer = new Answer();
    process.env.NEXTAUTH_URL = `${origin}/api/auth`;
    try {
      await NextAuth({ method: init.method, headers: init.headers, cookies: cookiesOf(init.headers.cookie), query, body }, answer, { logger: quiet, ...options });
    } catch { return failed(500); } finally { delete process.env.NEXTAUTH_URL; }
    return answer.plain();
  };
}

async function authJs(origin, options) {
  const { Auth } = await import('@auth/core');
  return async (path, { method, headers, body }) => {
    const bodies = ['GET', 'HEAD'].includes(method) ? {} : { body };
    const answer = await Auth(new Request(new URL(path, origin), { method, headers, ...bodies }), { basePath: '/api/auth', trustHost: true, logger: quiet, ...options });
    return { status: answer.status, headers: Object.fromEntries([...answer.headers].filter(([name]) => name !== 'set-cookie')),
      text: await answer.text(), cookies: answer.headers.getSetCookie() };
  };
}

module.exports = { nextAuth4, authJs };
