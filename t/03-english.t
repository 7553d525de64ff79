#!/usr/bin/env node
'use strict';
// Words that the style guide in CONTRIBUTING.md has better ones for. Some uses are right: each pattern has
// as many as there are, so that a new one is noticed, and a number only ever becomes smaller.
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { root } = require('./lib/httpd.js');

const PATTERNS = [
  [/\b(is|are) wanted\b/g, 'expected, required', 16],
  [/\bis no [a-z]/g, 'is not a; invalid; unknown', 89],
  [/\bis none\b/g, 'if there is none; invalid', 74],
  [/\bwants\b/g, 'requires', 14],
  [/\b[Ww]hoever\b/g, 'anyone who; the user', 47],
  [/\b([Hh]e|him|his)\b/g, 'they; the user', 14],
  [/\bgoes (before|first)\b|\bgo before\b/g, 'takes precedence over', 3],
  [/\bof before\b/g, 'previous, existing', 5],
  [/\bmend(s|ed|ing)?\b/g, 'fix; hint', 3],
  [/"no (mutex|list|memory|shared memory)\b/g, 'could not create', 10],
  [/\bNULL where\b|\bNULL: /g, 'NULL if', 167],
  [/\b[01] where\b/g, 'Returns 1 if', 76],
  [/\bThe same (of|for|into)\b/g, 'repeat the noun', 15],
  [/^ *\/\*+ (Of|Whose|Whom|What|Who)\b/gm, 'begin with the thing', 114],
  [/\b([Nn]obody|[Ee]verybody|[Ss]omebody)\b/g, 'name them', 147],
  [/\bfolders?\b/g, 'directory', 71],
  [/\b[Ee]-mails?\b/g, 'email', 5],
  [/\bis another\b/g, 'does not match; differs', 15],
  [/\bit otherwise\b|\bleave (it|one|both) out\b/g, 'remove; rename', 4],
  [/\bsee that\b/g, 'check that', 2],
  [/\bcall was wrong\b|\bends? with 0\b/g, 'usage error; exit status', 2],
  [/\bwritten out\b|\bwarned of\b/g, 'in plain text; causes a warning', 4],
  [/\bby way of\b/g, 'through', 2],
  [/\banew\b/g, 'again', 18],
  [/\boperators?\b/g, 'administrator', 5],
];

const filesOf = (...globs) => execFileSync('git', ['ls-files', ...globs], { cwd: root, encoding: 'utf8' }).trim().split('\n');

suite('English that needs reading once', async (t) => {
  const inside = fs.existsSync(path.join(root, '.git'));
  if (!inside) t.skipAll('not a checkout: which files are ours is not known');
  // CONTRIBUTING.md names the words to avoid
  const files = filesOf('src', 'docs', 'README.md', 'CHANGES', 'SECURITY.md', 'conf/nextauth.conf', 'mod_nextauth.c');
  for (const [pattern, better, known] of PATTERNS) {
    const hits = files.flatMap((file) => (fs.readFileSync(path.join(root, file), 'utf8').match(pattern) || []).map((hit) => `${file}: ${hit}`));
    t.ok(hits.length <= known, `${pattern.source}: ${better}`, `${hits.length}, at most ${known}\n${hits.join('\n')}`);
  }
});
