// SPDX-License-Identifier: Apache-2.0
// The table of what was measured at several sizes.
'use strict';

const exponentOf = (sizes) => {
  const [small, large] = Object.keys(sizes).filter((size) => !sizes[size].failed).map(Number).sort((a, b) => a - b).slice(-2);
  if (!large) return '';
  const of = (size) => sizes[size].seconds ?? sizes[size].micros;
  return (Math.log(of(large) / of(small)) / Math.log(large / small)).toFixed(2);
};

const short = (value) => (value >= 99.5 ? value.toFixed(0) : value.toPrecision(2));

function timeOf(result) {
  if (!result) return '';
  if (result.failed) return 'fails';
  if (result.micros !== undefined) return result.micros < 1000 ? `${short(result.micros)} µs` : `${short(result.micros / 1000)} ms`;
  const text = result.seconds >= 1 ? `${short(result.seconds)} s` : `${short(result.seconds * 1000)} ms`;
  return (result.isReckoned ? '≈ ' : '') + text;
}

const memoryOf = (result) => (result?.memory ? `${result.memory.toFixed(0)} MB` : '');
const numberOf = (size) => Number(size).toLocaleString('en-US');

// One line for each row and size: | what | number | time | memory | growth |, with those of `before`.
function table(results, before) {
  const lines = [before ? '| | number | time before | after | memory before | after | growth before | after |' : '| | number | time | memory | growth |',
    before ? '|---|--:|--:|--:|--:|--:|--:|--:|' : '|---|--:|--:|--:|--:|'];
  for (const [name, sizes] of Object.entries(results.rows)) {
    const last = Object.keys(sizes).length - 1;
    const old = before?.rows[name] || {};
    Object.entries(sizes).forEach(([size, result], i) => {
      const pair = (of) => (before ? [of(old[size]), of(result)] : [of(result)]);
      const growth = i === last ? (before ? [exponentOf(old), exponentOf(sizes)] : [exponentOf(sizes)]) : (before ? ['', ''] : ['']);
      lines.push(`| ${[i === 0 ? name : '', numberOf(size), ...pair(timeOf), ...pair(memoryOf), ...growth].join(' | ')} |`);
    });
  }
  return lines.join('\n');
}

module.exports = { table };
