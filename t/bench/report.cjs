// SPDX-License-Identifier: Apache-2.0
// The figures: medians, the table, the plot.
'use strict';

const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const spread = (values) => ({ median: median(values), min: Math.min(...values), max: Math.max(...values) });

// The ratio is taken within each round, where both ran under the same conditions.
function summarise(kinds, samples, counts, setting) {
  const plain = samples.unprotected;
  const rows = kinds.map((kind) => {
    const mine = samples[kind.name];
    const row = { name: kind.name, label: kind.label };
    if (mine) {
      row.perSecond = spread(mine.map((sample) => sample.perSecond));
      row.ratio = spread(mine.map((sample, round) => sample.perSecond / plain[round].perSecond));
      row.latencyMicroseconds = { p50: median(mine.map((s) => s.p50)), p99: median(mine.map((s) => s.p99)) };
      row.samples = mine.map((sample) => Math.round(sample.perSecond));
    }
    if (counts[kind.name]) {
      row.instructions = counts[kind.name].all;
      row.added = counts[kind.name].added;
    }
    if (kind.goal) {
      row.goal = { ...kind.goal };
      if (row.ratio) row.goal.ratioMet = row.ratio.median >= kind.goal.ratio;
      if (row.instructions) row.goal.addedMet = row.added <= kind.goal.added;
    }
    return row;
  });
  return { setting, rows, instructionsWithoutModules: counts.bare?.all };
}

// Of sign-ins: both figures, and their ratios to the peer's.
function summariseSignIns(kinds, cpu, counts, goal) {
  const rows = kinds.map((kind) => ({ ...kind, instructions: counts[kind.name]?.all,
    ...(cpu[kind.name] ? { milliseconds: spread(cpu[kind.name]) } : {}) }));
  for (const row of rows) {
    const peer = rows.find((other) => other.name === row.peer);
    if (!peer) continue;
    row.goal = goal;
    if (row.milliseconds) {
      row.ratio = spread(cpu[row.name].map((value, round) => value / cpu[row.peer][round]));
      row.goalMet = row.ratio.median <= goal;
    }
    if (row.instructions) row.instructionRatio = row.instructions / peer.instructions;
  }
  return rows;
}

const tty = process.stdout.isTTY && !process.env.NO_COLOR;
const paint = (code, text) => (tty ? `\x1b[${code}m${text}\x1b[0m` : text);
const whole = (value) => Math.round(value).toLocaleString('en-US');
const signed = (value) => (value ? `${value < 0 ? '−' : '+'}${whole(Math.abs(value))}` : '');
const verdict = (met, text) => paint(met ? 32 : 31, `${text} ${met ? 'met' : 'missed'}`);

// A line that the next one replaces, on a terminal only.
function progress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

function table(title, head, lines) {
  console.log(`\n${paint(1, title)}\n`);
  const line = (cells) => cells.map((cell, i) => (i ? String(cell).padStart([0, 12, 19, 10, 15][i]) : cell.padEnd(36))).join('');
  console.log(paint(2, line(head)));
  for (const [cells, remark] of lines) console.log(`${line(cells)}   ${remark || ''}`.trimEnd());
}

function printSignIns(setting, rows) {
  const number = (value, digits) => (value === undefined ? '' : value.toFixed(digits));
  table(`Sign-ins: CPU of httpd, median of ${setting.rounds} rounds of ${setting.signIns} (the system's CA certificates are trusted)`,
    ['', 'ms of CPU', 'min – max', 'ratio', 'instructions'],
    rows.map(({ label, milliseconds: ms, ratio, instructions, instructionRatio, goal, goalMet }) => [
      [label, number(ms?.median, 2), ms ? `${ms.min.toFixed(2)} – ${ms.max.toFixed(2)}` : '', number(ratio?.median, 2),
        instructions ? whole(instructions) : ''],
      [instructionRatio && `×${instructionRatio.toFixed(2)}`, goalMet !== undefined && verdict(goalMet, `goal ≤ ${goal}`)]
        .filter(Boolean).join('   ')]));
}

function print({ setting, rows, signIns, instructionsWithoutModules }) {
  if (signIns.length) printSignIns(setting, signIns);
  if (rows[0].perSecond) {
    table(`Requests per second of a ${setting.fileSize} byte file: wrk -t${setting.threads}, ${setting.connections} keep-alive connections, event MPM, `
      + `${setting.cpus} CPUs, median of ${setting.rounds} rounds of ${setting.seconds} s`,
    ['', 'requests/s', 'min – max', 'ratio', 'min – max'],
    rows.filter((row) => row.perSecond).map(({ label, perSecond, ratio, goal }) => [
      [label, whole(perSecond.median), `${whole(perSecond.min)} – ${whole(perSecond.max)}`, ratio.median.toFixed(3),
        `${ratio.min.toFixed(2)} – ${ratio.max.toFixed(2)}`],
      goal && verdict(goal.ratioMet, `goal ≥ ${goal.ratio}`),
    ]));
  }
  if (rows[0].instructions) {
    const lines = rows.map(({ label, instructions, added, goal }) => [
      [label, whole(instructions), signed(added)], goal && verdict(goal.addedMet, `goal ≤ ${whole(goal.added)}`)]);
    const bare = instructionsWithoutModules;
    lines.push([['unprotected, neither module loaded', whole(bare), signed(bare - rows[0].instructions)]]);
    table('Instructions per request (callgrind)', ['', 'all', 'added'], lines);
  }
}

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f } .title { font-size: 17px; font-weight: 600 }
  .back { fill: #fff } .axis { stroke: #8c959f } .grid { stroke: #d0d7de } .small { font-size: 11px; fill: #57606a }
  .whisker { stroke: #24292f; stroke-width: 1.5 } .plain { fill: #8c959f } .nextauth { fill: #2f81f7 } .openidc { fill: #d4883a }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .back { fill: #0d1117 } .axis { stroke: #6e7681 } .grid { stroke: #30363d }
    .small { fill: #9198a1 } .whisker { stroke: #e6edf3 } .plain { fill: #6e7681 } }`;
const escape = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const colour = (name) => (name === 'unprotected' ? 'plain' : name.startsWith('openidc') ? 'openidc' : 'nextauth');

// Horizontal bars from `top` on: `bars` are {name, label, value, low, high, note}.
function chart(top, title, axis, bars) {
  const left = 250, width = 480, step = 34, height = bars.length * step;
  const most = Math.max(...bars.map((bar) => bar.high ?? bar.value)) || 1;
  const tick = [1, 2, 2.5, 5, 10].map((n) => n * 10 ** Math.floor(Math.log10(most / 4))).find((n) => most / n <= 6);
  const end = Math.ceil(most / tick) * tick;
  const x = (value) => (left + (value / end) * width).toFixed(1);
  const y = top + 34;
  const out = [`<text class="title" x="20" y="${top + 14}">${escape(title)}</text>`];
  for (let value = 0; value <= end; value += tick) {
    out.push(`<line class="${value ? 'grid' : 'axis'}" x1="${x(value)}" x2="${x(value)}" y1="${y}" y2="${y + height}"/>`,
      `<text class="small" x="${x(value)}" y="${y + height + 16}" text-anchor="middle">${whole(value)}</text>`);
  }
  bars.forEach((bar, i) => {
    const middle = y + i * step + step / 2;
    out.push(`<text x="${left - 10}" y="${middle + 4}" text-anchor="end">${escape(bar.label)}</text>`,
      `<rect class="${colour(bar.name)}" x="${left}" y="${middle - 11}" width="${(x(bar.value) - left).toFixed(1)}" height="22" rx="2"/>`);
    if (bar.high !== undefined) {
      out.push(`<path class="whisker" fill="none" d="M${x(bar.low)} ${middle - 5}v10m0-5H${x(bar.high)}m0-5v10"/>`);
    }
    out.push(`<text class="small" x="${Number(x(bar.high ?? bar.value)) + 8}" y="${middle + 4}">${escape(bar.note)}</text>`);
  });
  out.push(`<text class="small" x="${left + width / 2}" y="${y + height + 36}" text-anchor="middle">${escape(axis)}</text>`);
  return { text: out.join('\n'), bottom: y + height + 60 };
}

function draw({ setting, rows }) {
  const parts = [];
  let top = 20;
  const add = (...args) => {
    const { text, bottom } = chart(top, ...args);
    parts.push(text);
    top = bottom;
  };
  if (rows[0].perSecond) {
    add('Requests per second of a 1 KB file',
      `requests per second, median and min–max of ${setting.rounds} rounds; ${setting.connections} keep-alive connections, `
      + `event MPM, ${setting.cpus} CPUs`,
      rows.filter((row) => row.perSecond).map(({ name, label, perSecond, ratio }) => ({
        name, label, value: perSecond.median, low: perSecond.min, high: perSecond.max, note: `×${ratio.median.toFixed(2)}`,
      })));
  }
  if (rows[0].instructions) {
    add('Instructions per request', 'instructions per request, whole server, counted by callgrind',
      rows.map(({ name, label, instructions, added }) => ({
        name, label, value: instructions, note: signed(added) || whole(instructions),
      })));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 ${top}" width="860" height="${top}" role="img" `
    + `aria-label="What protecting a file costs">\n<style>${STYLE}\n</style>\n`
    + `<rect class="back" width="860" height="${top}"/>\n${parts.join('\n')}\n</svg>\n`;
}

module.exports = { summarise, summariseSignIns, print, progress, draw };
