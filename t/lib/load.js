'use strict';
// Many requests at once, for as long as something else happens.
const http = require('node:http');
const { HANG_MS, until } = require('./httpd.js');

// Starts `workers` loops that each send what `next(worker)` gives, a path and headers; stop() ends
// them and resolves to how many answers there were by status, 'error' for none; more() comes when
// so many further ones have come.
function startLoad(url, workers, next) {
  const counts = {};
  const slowest = { ms: 0 };
  const agent = new http.Agent({ keepAlive: true, maxSockets: workers });
  let running = true;
  const once = (worker) => new Promise((resolve) => {
    const { path, headers } = next(worker);
    const at = Date.now();
    const done = (status) => {
      counts[status] = (counts[status] || 0) + 1;
      slowest.ms = Math.max(slowest.ms, Date.now() - at);
      resolve();
    };
    const request = http.get(new URL(path, url), { headers, agent, timeout: HANG_MS }, (answer) => {
      answer.resume();
      answer.on('end', () => done(answer.statusCode));
      answer.on('error', () => done('error'));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    // a connection that the server was just closing says nothing about the session
    request.on('error', (error) => (error.code === 'ECONNRESET' || error.code === 'EPIPE' ? resolve() : done('error')));
  });
  const loops = Array.from({ length: workers }, async (_, worker) => {
    while (running) await once(worker);
  });
  return {
    counts,
    slowest,
    more: (status, many) => {
      const end = (counts[status] || 0) + many;
      return until(`${many} more answers ${status}`, () => counts[status] >= end);
    },
    stop: async () => {
      running = false;
      await Promise.all(loops);
      agent.destroy();
      return counts;
    },
  };
}

module.exports = { startLoad };
