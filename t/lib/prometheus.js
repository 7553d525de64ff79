'use strict';
// Reads Prometheus' text format 0.0.4 and OpenMetrics 1.0, strictly: throws at the first thing that
// is not as the formats want it, or that a reader could misunderstand.
const { spawnSync } = require('node:child_process');

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const NUMBER = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const SUFFIXES = { counter: ['_total'], gauge: [''], info: ['_info'], histogram: ['_bucket', '_sum', '_count'] };

class Malformed extends Error {}

function expect(condition, message, line) {
  if (!condition) throw new Malformed(`${message}: ${JSON.stringify(line)}`);
}

const numberOf = (text) => (/Inf$/.test(text) ? Number(`${text.replace('Inf', '')}Infinity`) : Number(text));

function unescape(text, quote, line) {
  let value = '';
  for (let i = 0; i < text.length; i += 1) {
    if (text[i] === '\\') {
      i += 1;
      expect(text[i] === '\\' || text[i] === 'n' || (quote && text[i] === '"'), 'a bad escape', line);
      value += text[i] === 'n' ? '\n' : text[i];
    } else value += text[i];
  }
  return value;
}

// name{a="1",b="2"} into the name, and the labels in order; what follows is the number.
function readSample(line) {
  const head = /^([^{\s]+)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*"(?:,(?=[a-zA-Z_])|(?=\})))+)\})? (\S+)$/.exec(line);
  expect(head, 'no sample', line);
  const [, name, inside, number] = head;
  expect(NAME.test(name), 'a bad name', line);
  expect(NUMBER.test(number), 'a bad number', line);
  const labels = {};
  for (const [, label, value] of (inside || '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) {
    expect(LABEL.test(label) && !label.startsWith('__'), 'a bad label', line);
    expect(!(label in labels), 'a label twice', line);
    labels[label] = unescape(value, true, line);
  }
  return { name, labels, value: numberOf(number), text: number };
}

const seriesOf = (name, labels) => `${name}{${Object.keys(labels).sort().map((key) => `${key}=${JSON.stringify(labels[key])}`).join(',')}}`;

function checkHistogram(family, openMetrics) {
  const groups = new Map();
  for (const sample of family.samples) {
    const { le, ...labels } = sample.labels;
    const key = seriesOf(family.name, labels);
    if (!groups.has(key)) groups.set(key, { buckets: [], sum: undefined, count: undefined });
    const group = groups.get(key);
    const suffix = sample.name.slice(family.name.length);
    if (suffix === '_bucket') {
      expect(le !== undefined && NUMBER.test(le), 'a bucket without a bound', sample.name);
      if (openMetrics) expect(le === '+Inf' || /[.e]/.test(le), 'a bound that is not canonical', le);
      expect(group.sum === undefined && group.count === undefined, 'a bucket behind its sum or count', key);
      group.buckets.push({ le: numberOf(le), value: sample.value });
    } else group[suffix.slice(1)] = sample.value;
  }
  for (const [key, { buckets, sum, count }] of groups) {
    expect(buckets.length > 1 && buckets[buckets.length - 1].le === Infinity, 'no bucket +Inf at the end', key);
    for (let i = 1; i < buckets.length; i += 1) {
      expect(buckets[i].le > buckets[i - 1].le, 'bounds that do not ascend', key);
      expect(buckets[i].value >= buckets[i - 1].value, 'buckets that are not cumulative', key);
    }
    expect(count === buckets[buckets.length - 1].value, '_count is not +Inf\'s bucket', key);
    expect(sum !== undefined && sum >= 0 && (count > 0 || sum === 0), 'a sum that cannot be', key);
  }
}

// Families by the name that TYPE gives: { name, type, help, samples: [{ name, labels, value }] }.
function parse(text, { openMetrics = false } = {}) {
  const families = new Map();
  const seen = new Set();
  let current;
  expect(text.endsWith('\n'), 'no line end at the end', text.slice(-40));
  expect(!text.includes('\r'), 'a carriage return', text.slice(0, 40));
  const lines = text.slice(0, -1).split('\n');
  if (openMetrics) expect(lines.pop() === '# EOF', 'no # EOF at the end', text.slice(-40));
  for (const line of lines) {
    const meta = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (meta) {
      const [, kind, name, rest] = meta;
      expect(NAME.test(name), 'a bad name', line);
      if (!current || current.name !== name) {
        expect(!families.has(name), 'a family twice, or in pieces', line);
        current = { name, samples: [] };
        families.set(name, current);
      }
      expect(current.samples.length === 0, `${kind} behind samples`, line);
      expect(current[kind.toLowerCase()] === undefined, `${kind} twice`, line);
      current[kind.toLowerCase()] = kind === 'HELP' ? unescape(rest, openMetrics, line) : rest;
      if (kind === 'TYPE') {
        expect(openMetrics ? rest in SUFFIXES : ['counter', 'gauge', 'histogram'].includes(rest), 'an unknown type', line);
        if (rest === 'counter') expect(name.endsWith('_total') === !openMetrics, 'a counter by the wrong name', line);
      }
      continue;
    }
    expect(!line.startsWith('#') && line !== '', 'an odd line', line);
    const sample = readSample(line);
    expect(current && current.help && current.type, 'a sample without HELP and TYPE', line);
    const suffixes = !openMetrics && current.type === 'counter' ? [''] : SUFFIXES[current.type];
    expect(suffixes.some((suffix) => sample.name === current.name + suffix), 'a sample of another family', line);
    expect(current.type === 'histogram' && sample.name.endsWith('_bucket') ? 'le' in sample.labels : !('le' in sample.labels), 'le in the wrong place', line);
    if (current.type !== 'gauge') expect(sample.value >= 0, 'a negative count', line);
    const series = seriesOf(sample.name, sample.labels);
    expect(!seen.has(series), 'a sample twice', line);
    seen.add(series);
    current.samples.push(sample);
  }
  for (const family of families.values()) {
    expect(family.help && family.type, 'a family without HELP or TYPE', family.name);
    if (family.type === 'histogram') checkHistogram(family, openMetrics);
  }
  return families;
}

// Every sample's number by its series: 'nextauth_signins_total{provider="acme"}'.
function numbers(families) {
  const all = {};
  for (const { samples } of families.values()) for (const { name, labels, value } of samples) all[seriesOf(name, labels).replace('{}', '')] = value;
  return all;
}

// Names that PromQL may ask for: those of samples, also of families that have none yet.
function names(families) {
  const all = new Set();
  for (const { name, type } of families.values()) {
    if (type === 'histogram') SUFFIXES.histogram.forEach((suffix) => all.add(name + suffix));
    else all.add(name);
  }
  return all;
}

const promtoolIsHere = () => spawnSync('promtool', ['--version']).status === 0;

// What Prometheus' own tool says: its exit status, and all that it prints.
function promtool(args, input = '') {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

module.exports = { parse, numbers, names, Malformed, promtool, promtoolIsHere };
