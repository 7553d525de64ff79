'use strict';
// Who dies by a signal that no test sent has failed, whatever else a test looks at: every process
// that is started from here is watched.
const { ChildProcess } = require('node:child_process');
const path = require('node:path');

const { spawn, kill } = ChildProcess.prototype;
const processKill = process.kill;
const sent = new Map(); // by process id: the signals that it was sent
let report = () => {};

function remember(pid, signal) {
  if (!sent.has(pid)) sent.set(pid, new Set());
  sent.get(pid).add(signal);
}

const wasSent = (pid, signal) => Boolean(sent.get(pid)?.has(signal));

ChildProcess.prototype.spawn = function spawnWatched(options) {
  this.on('exit', (status, signal) => {
    if (signal && !wasSent(this.pid, signal)) report(`${path.basename(options.file)} (process ${this.pid})`, signal);
  });
  return spawn.call(this, options);
};

ChildProcess.prototype.kill = function killRemembered(signal = 'SIGTERM') {
  remember(this.pid, signal);
  return kill.call(this, signal);
};

// A negative one is a group, whose first process has the same number.
process.kill = (pid, signal = 'SIGTERM') => {
  remember(Math.abs(pid), signal);
  return processKill.call(process, pid, signal);
};

// `to(name, signal)` is called for each.
function reportDeaths(to) {
  report = to;
}

module.exports = { reportDeaths, wasSent };
