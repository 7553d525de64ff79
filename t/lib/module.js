'use strict';
// Modules of others, built as an administrator would: with apxs' flags, and our headers.
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { makeFolder, root } = require('./httpd.js');

const apxs = ['apxs', 'apxs2'].find((name) => spawnSync(name, ['-q', 'CC']).status === 0);
const ask = (name) => execFileSync(apxs, ['-q', name], { encoding: 'utf8' }).trim();
const words = (text) => text.trim().split(/\s+/).filter(Boolean);

// The file of mod_NAME.so, from its source.
function buildModule(t, name, source, headers) {
  const folder = makeFolder(t);
  const flags = [`-I${headers}`, `-I${ask('INCLUDEDIR')}`, ...words(ask('EXTRA_CPPFLAGS')),
    ...words(execFileSync(ask('APR_CONFIG'), ['--includes', '--cppflags'], { encoding: 'utf8' })),
    ...words(execFileSync(ask('APU_CONFIG'), ['--includes'], { encoding: 'utf8' }))];
  fs.writeFileSync(`${folder}/mod_${name}.c`, source);
  execFileSync('gcc', ['-shared', '-fPIC', '-Wall', '-Werror', '-o', `${folder}/mod_${name}.so`, ...flags, `${folder}/mod_${name}.c`]);
  return `${folder}/mod_${name}.so`;
}

// Our headers as `make install` leaves them, for such modules.
function installedHeaders(t) {
  const into = makeFolder(t);
  execFileSync('make', ['-s', 'install', `DESTDIR=${into}`], { cwd: root, stdio: 'ignore' });
  return path.join(into, ask('INCLUDEDIR'), 'nextauth');
}

module.exports = { buildModule, installedHeaders };
