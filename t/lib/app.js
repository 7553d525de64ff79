'use strict';
// A Node application behind mod_proxy. It answers every request with JSON of what it knows about
// who is asking, found out in one of three ways.
const http = require('node:http');

// From the headers that the module hands on.
function byHeaders(request) {
  return Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('x-nextauth-')));
}

function cookiesOf(request) {
  const pairs = (request.headers.cookie || '').split(/; */).filter(Boolean);
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))];
  }));
}

// From the session cookie, read by next-auth's own getToken as in a Next.js API route, where
// requests come with their cookies parsed.
function byNextAuth(secret) {
  const { getToken } = require('next-auth/jwt');
  return (request) => getToken({ req: { headers: request.headers, cookies: cookiesOf(request) }, secret });
}

// The same by Auth.js: its keys depend on the cookie's name, which is the salt unless told otherwise.
function byAuthJs(secret, options = {}) {
  return async (request) => {
    const { getToken } = await import('@auth/core/jwt');
    return getToken({ req: request, secret, ...options });
  };
}

async function startApp(t, whoAsks = byHeaders) {
  const server = http.createServer({ maxHeaderSize: 128 * 1024 }, async (request, response) => {
    let body;
    try {
      body = { url: request.url, user: await whoAsks(request) };
    } catch (error) {
      response.statusCode = 500;
      body = { error: error.message };
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(body));
  });
  await new Promise((resolve, reject) => { server.on('error', reject).listen(0, '127.0.0.1', resolve); });
  t.cleanup(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));
  return { port: server.address().port };
}

module.exports = { startApp, byHeaders, byNextAuth, byAuthJs };
