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
  [/\b(is|are) wanted\b/g, 'expected, required', 0],
  [/(?<!\bthere )\bis no (?!longer\b|such\b)[a-z]/g, 'is not a; invalid; unknown', 1],
  [/(?<!\bthere )\bis none\b/g, 'if there is none; invalid', 1],
  [/\bwants\b/g, 'requires', 1],
  [/\b[Ww]hoever\b/g, 'anyone who; the user', 0],
  [/(?<!`)\b([Hh]e|him|his)\b/g, 'they; the user', 0],
  [/\bgoes (before|first)\b|\bgo before\b/g, 'takes precedence over', 0],
  [/\bof before\b/g, 'previous, existing', 0],
  [/\bmend(s|ed|ing)?\b/g, 'fix; hint', 0],
  [/"no (mutex|list|memory|shared memory)\b/g, 'could not create', 0],
  [/\bNULL where\b|\bNULL: /g, 'NULL if', 0],
  [/\b[01] where\b/g, 'Returns 1 if', 0],
  [/\bThe same (of|for|into)\b/g, 'repeat the noun', 0],
  [/^ *\/\*+ (Of|Whose|Whom|What|Who)\b/gm, 'begin with the thing', 4],
  [/\b([Nn]obody|[Ee]verybody|[Ss]omebody)\b/g, 'name them', 3],
  [/\bfolders?\b/g, 'directory', 1],
  [/\b[Ee]-mails?\b/g, 'email', 0],
  [/\bis another\b/g, 'does not match; differs', 3],
  [/\bit otherwise\b|\bleave (it|one|both) out\b/g, 'remove; rename', 2],
  [/\bsee that\b/g, 'check that', 0],
  [/\bcall was wrong\b|\bends? with 0\b/g, 'usage error; exit status', 0],
  [/\bwritten out\b|\bwarned of\b/g, 'in plain text; causes a warning', 3],
  [/\bby way of\b/g, 'through', 0],
  [/\banew\b/g, 'again', 4],
  [/\boperators?\b/g, 'administrator', 0],
];

const filesOf = (...globs) => execFileSync('git', ['ls-files', ...globs], { cwd: root, encoding: 'utf8' }).trim().split('\n');

suite('English that needs reading once', async (t) => {
  t.inOneRound();
  const inside = fs.existsSync(path.join(root, '.git'));
  if (!inside) t.skipAll('not a checkout: which files are ours is not known');
  // CONTRIBUTING.md names the words to avoid
  const files = filesOf('src', 'docs', 'README.md', 'CHANGES', 'SECURITY.md', 'conf/nextauth.conf', 'mod_nextauth.c');
  for (const [pattern, better, known] of PATTERNS) {
    const hits = files.flatMap((file) => (fs.readFileSync(path.join(root, file), 'utf8').match(pattern) || []).map((hit) => `${file}: ${hit}`));
    t.ok(hits.length <= known, `${pattern.source}: ${better}`, `${hits.length}, at most ${known}\n${hits.join('\n')}`);
  }
});
