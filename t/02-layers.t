#!/usr/bin/env node
'use strict';
// The layers of the sources: includes and calls go one way. Small trees with a mistake in each.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { execFileSync, spawnSync } = require('node:child_process');
const { suite } = require('./lib/suite.js');

const CHECK = path.join(__dirname, 'lib', 'check-layers');
const HEAD = '/* SPDX-License-Identifier: Apache-2.0 */\n/* A part of a small tree. */\n';
const CALLS = (own, other) => `${HEAD}void ${own}(void);\nvoid ${other}(void);\nvoid ${own}(void) { ${other}(); }\n`;
const ENDS = (own) => `${HEAD}void ${own}(void);\nvoid ${own}(void) { }\n`;

// Writes the sources, compiles them as the Makefile would, and checks them.
function check(t, sources) {
  const top = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-layers-'));
  t.cleanup(() => fs.rmSync(top, { recursive: true }));
  const tree = Object.entries({ 'mod_nextauth.c': ENDS('na_module'), ...sources });
  const place = (...names) => {
    const file = path.join(top, ...names);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  for (const [name, text] of tree) fs.writeFileSync(place(name), text);
  for (const name of tree.map(([each]) => each).filter((each) => each.endsWith('.c')))
    execFileSync('cc', ['-c', '-Isrc', '-o', place('build', 'obj', name.replace(/\.c$/, '.o')), name], { cwd: top });
  const { status, stdout } = spawnSync('perl', [CHECK], { cwd: top, encoding: 'utf8', env: { ...process.env, BUILD: 'build' } });
  return { status, stdout };
}

suite('check-layers finds includes and calls that go the wrong way', async (t) => {
  t.inOneRound();
  const right = {
    'src/base/a.c': CALLS('na_a', 'na_b'),
    'src/base/b.c': ENDS('na_b'),
    'src/auth/c.c': CALLS('na_c', 'na_a'),
    'src/httpd/request/d.c': CALLS('na_d', 'na_c'),
    'src/httpd/request/e.c': CALLS('na_e', 'na_d'),
  };
  t.is(check(t, right), { status: 0, stdout: 'ok: the layers hold\n' }, 'a tree without a mistake');

  for (const [name, planted, message] of [
    ['two files that call each other', { 'src/base/b.c': CALLS('na_b', 'na_a') },
      /a circle: src\/base\/a\.c -> src\/base\/b\.c \(na_b\) -> src\/base\/a\.c \(na_a\)/],
    ['a circle of three', { 'src/auth/c.c': CALLS('na_c', 'na_x'), 'src/auth/x.c': CALLS('na_x', 'na_y'), 'src/auth/y.c': CALLS('na_y', 'na_c') },
      /a circle: (src\/auth\/\w\.c.*){4}/],
    ['a circle in a wing of httpd', { 'src/httpd/request/d.c': CALLS('na_d', 'na_e') }, /a circle: src\/httpd\/request\/d\.c/],
    ['a call without an include, upwards', { 'src/base/b.c': CALLS('na_b', 'na_c') }, /src\/base\/b\.c: base must not use na_c of auth/],
    ['a call from one wing to another', { 'src/httpd/config/f.c': CALLS('na_f', 'na_d') }, /httpd\/config must not use na_d of httpd\/request/],
    ['a call from the ground floor to a wing', { 'src/httpd/g.c': CALLS('na_g', 'na_d') }, /httpd must not use na_d of httpd\/request/],
    ['an include upwards', { 'src/auth/c.h': HEAD, 'src/base/b.c': `${HEAD}#include "auth/c.h"\n${ENDS('na_b')}` }, /src\/base\/b\.c:3: base must not include auth/],
    ['a file that does not say what it is for', { 'src/base/b.c': ENDS('na_b').replace(/.*small tree.*\n/, '') }, /src\/base\/b\.c: the second line does not say/],
    ['a setter that a row names and no source has', { 'src/httpd/request/e.c': CALLS('na_e', 'na_build_planted') }, /src\/httpd\/request\/e\.c: nothing defines na_build_planted/],
    ['a folder that is in no list', { 'src/new/n.c': ENDS('na_n') }, /the folder new has no place/],
  ]) {
    const { status, stdout } = check(t, { ...right, ...planted });
    t.is(status, 1, name);
    t.like(stdout, message, '  with the files and what they use');
  }
});
