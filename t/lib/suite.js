'use strict';
// TAP for one test file. suite('what it is about', async (t) => { … }).
const path = require('node:path');
const { isDeepStrictEqual, inspect } = require('node:util');
const { reportDeaths } = require('./deaths.js');

// On a busy machine, too, nothing but a file that hangs takes as long.
const WATCHDOG_MS = 900_000;

// prove shows it: what failed far away should not have to be guessed.
function complain(...texts) {
  for (const line of texts.join('\n').split('\n')) console.error(`# ${line}`);
}

class Suite {
  constructor() {
    this.count = 0;
    this.failed = 0;
    this.cleanups = [];
  }

  diag(text) {
    for (const line of String(text).split('\n')) console.log(`# ${line}`);
  }

  section(words) {
    this.diag(`── ${words}`);
  }

  ok(condition, name, ...details) {
    this.count += 1;
    console.log(`${condition ? '' : 'not '}ok ${this.count} - ${String(name).replace(/[#\n]/g, ' ')}`);
    if (!condition) {
      this.failed += 1;
      complain(`${path.basename(process.argv[1])}: not ok ${this.count} - ${name}`, ...details);
    }
    return Boolean(condition);
  }

  is(actual, expected, name, ...details) {
    return this.ok(isDeepStrictEqual(actual, expected), name,
      `got:      ${inspect(actual, { depth: 6 })}`, `expected: ${inspect(expected, { depth: 6 })}`, ...details);
  }

  isnt(actual, other, name) {
    return this.ok(!isDeepStrictEqual(actual, other), name, `got: ${inspect(actual)}`);
  }

  like(text, pattern, name) {
    return this.ok(pattern.test(text), name, `${inspect(text)} is not like ${pattern}`);
  }

  unlike(text, pattern, name) {
    return this.ok(!pattern.test(text), name, `${inspect(text)} is like ${pattern}`);
  }

  skip(name, reason) {
    this.count += 1;
    console.log(`ok ${this.count} - ${name} # SKIP ${reason}`);
  }

  skipAll(reason) {
    console.log(`1..0 # SKIP ${reason}`);
    process.exit(0);
  }

  cleanup(fn) {
    this.cleanups.unshift(fn);
  }

  async cleanUp() {
    for (const fn of this.cleanups.splice(0)) {
      try {
        await fn();
      } catch (error) {
        this.ok(false, `cleaning up: ${error.message}`);
      }
    }
  }
}

function suite(about, body) {
  const t = new Suite();
  const { startHttpd, configtest, mpm, thorough } = require('./httpd.js');
  const { Client, raw } = require('./client.js');
  reportDeaths((name, signal) => t.ok(false, `${name} died by ${signal}`));
  t.httpd = (options) => startHttpd(t, options);
  t.configtest = (options) => configtest(t, options);
  t.client = (site, options) => new Client(site, options);
  t.raw = raw;
  // For what no MPM changes, which is tried with sanitizers, too.
  t.withOneMpm = () => { if (mpm !== 'event') t.skipAll('it is the same with every MPM: tried with event'); };
  // For what has nothing of the module in it, or takes very long.
  t.inOneRound = () => { if (!thorough) t.skipAll('done in one round: event, without sanitizers'); };

  const end = async (error) => {
    if (error) t.ok(false, `died: ${error.message}`, error.stack);
    await t.cleanUp();
    console.log(`1..${t.count}`);
    process.exit(t.failed ? 1 : 0);
  };
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => end(new Error(signal)));
  setTimeout(() => end(new Error(`still running after ${WATCHDOG_MS / 1000} s`)), WATCHDOG_MS).unref();
  t.diag(about);
  Promise.resolve().then(() => body(t)).then(() => end(), end);
}

module.exports = { suite };
