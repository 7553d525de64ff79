'use strict';
// The chain of an audit log, as docs/audit.md defines it: another pair of eyes than nextauthctl's.
const crypto = require('node:crypto');
const fs = require('node:fs');

const ZEROS = '0'.repeat(64);

const hashOf = (text, key) => (key ? crypto.createHmac('sha256', key) : crypto.createHash('sha256')).update(text).digest('hex');

const linesOf = (file) => fs.readFileSync(file, 'utf8').split('\n').filter(Boolean);
const recordsOf = (file) => linesOf(file).map((line) => JSON.parse(line));

// A record's line, its members as they are given.
function lineOf(record, key) {
  const text = JSON.stringify(record);
  return `${text.slice(0, -1)},"hash":"${hashOf(text, key)}"}`;
}

/* The number of the first line that does not fit, from 1; 0: all do. */
function firstWrong(lines, key) {
  let seq = 0;
  let prev = ZEROS;
  for (const [i, line] of lines.entries()) {
    const text = line.replace(/,"hash":"[0-9a-f]{64}"\}$/, '}');
    const record = JSON.parse(line);
    seq += 1;
    if (record.seq !== seq || record.prev !== prev || record.hash !== hashOf(text, key)) return i + 1;
    prev = record.hash;
  }
  return 0;
}

/* What somebody does who may write the file: all hashes made anew, from these records. */
function chain(records, key) {
  let prev = ZEROS;
  return records.map(({ hash, ...record }, i) => {
    const line = lineOf({ ...record, seq: i + 1, prev }, key);
    prev = JSON.parse(line).hash;
    return line;
  });
}

const headOf = (line) => `${String(JSON.parse(line).seq).padStart(20, '0')} ${JSON.parse(line).hash}\n`;

module.exports = { linesOf, recordsOf, firstWrong, chain, headOf };
