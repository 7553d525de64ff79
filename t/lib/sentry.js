'use strict';
// A stand-in for Sentry that takes envelopes as its documentation has them, and nothing else.
const http = require('node:http');
const { freePort } = require('./httpd.js');

const KEY = '0123456789abcdef0123456789abcdef';
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

function must(condition, what) {
  if (!condition) throw new Error(what);
}

// Header, item header, and as many bytes as that says; the line feed at the end is optional.
function parseEnvelope(bytes) {
  const lineEnd = (from) => { const at = bytes.indexOf(10, from); must(at >= 0, 'a line that ends'); return at; };
  const first = lineEnd(0);
  const header = JSON.parse(bytes.subarray(0, first).toString('utf8'));
  const second = lineEnd(first + 1);
  const item = JSON.parse(bytes.subarray(first + 1, second).toString('utf8'));
  must(item.type === 'event' && Number.isInteger(item.length), 'an item of type event with its length');
  const body = bytes.subarray(second + 1, second + 1 + item.length);
  must(body.length === item.length, 'as many bytes as the length says');
  const rest = bytes.subarray(second + 1 + item.length).toString('utf8');
  must(rest === '' || rest === '\n', 'nothing behind the item');
  return { header, event: JSON.parse(body.toString('utf8')) };
}

function check({ header, event }, request, dsn) {
  must(request.headers['content-type'] === 'application/x-sentry-envelope', 'the media type');
  const auth = /^Sentry (.*)$/.exec(request.headers['x-sentry-auth'])[1].split(/, */).map((pair) => pair.split('='));
  const { sentry_version: version, sentry_client: client, sentry_key: key } = Object.fromEntries(auth);
  must(version === '7' && key === KEY && /^mod_nextauth\/\d/.test(client), 'who asks');
  must(header.dsn === dsn && ISO.test(header.sent_at), 'the envelope\'s header');
  must(/^[0-9a-f]{32}$/.test(event.event_id) && header.event_id === event.event_id, 'the event\'s id');
  must(ISO.test(event.timestamp) && ['fatal', 'error', 'warning', 'info', 'debug'].includes(event.level), 'when and how bad');
  must(['other', 'c', 'native'].includes(event.platform), 'the platform');
  must(Object.values(event.tags).every((value) => typeof value === 'string' && value.length <= 200 && !value.includes('\n')), 'tags');
}

/*
 * { dsn, events, bad, answer }: what came and was right, and what was wrong with the rest. answer(n) is
 * a status, { status, headers }, or null for nothing at all, to the nth request.
 */
async function startSentry(t, { prefix = '', project = '42' } = {}) {
  const port = await freePort();
  const sentry = { port, requests: [], events: [], raw: [], bad: [], answer: () => 200,
    dsn: `http://${KEY}@127.0.0.1:${port}${prefix}/${project}` };
  const server = http.createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      const bytes = Buffer.concat(parts);
      sentry.requests.push(Date.now());
      const answer = sentry.answer(sentry.requests.length);
      try {
        must(request.method === 'POST' && request.url === `${prefix}/api/${project}/envelope/`, `the address, not ${request.url}`);
        const envelope = parseEnvelope(bytes);
        check(envelope, request, sentry.dsn);
        sentry.raw.push(bytes.toString('utf8') + JSON.stringify(request.headers));
        sentry.events.push(envelope.event);
      } catch (error) {
        sentry.bad.push(error.message);
      }
      if (answer === null) return;
      const { status, headers } = typeof answer === 'number' ? { status: answer } : answer;
      response.writeHead(status, headers).end('{}');
    });
  });
  await new Promise((resolve, reject) => { server.on('error', reject).listen(port, '127.0.0.1', resolve); });
  t.cleanup(() => { server.close(); server.closeAllConnections(); });
  return sentry;
}

module.exports = { startSentry };
