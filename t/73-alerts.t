#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { makeFolder, root } = require('./lib/httpd.js');
const { promtool, promtoolIsHere } = require('./lib/prometheus.js');

const RULES = path.join(root, 'conf/prometheus-alerts.yml');
const HOUR = 60;

// A series of an hour, a value a minute. Counters are there, at 0, before anything happens.
const still = (value) => `${value}x${HOUR}`;
const growing = (aMinute) => `0+${aMinute}x${HOUR}`;
const once = (count) => `0x5 ${count}x${HOUR - 6}`;
const series = (values) => Object.entries(values).map(([name, text]) => ({ series: `nextauth_${name.replace(/\}?$/, (end) => (end ? ',' : '{'))}job="nextauth",instance="www"}`, values: text }));

const failing = (reason, provider = 'acme') => `signin_failures_total{provider="${provider}",reason="${reason}"}`;
const signins = 'signins_total{provider="acme"}';
const checks = (under, over) => ({ 'session_check_duration_seconds_bucket{le="0.1"}': growing(under), 'session_check_duration_seconds_bucket{le="0.5"}': growing(under + over), 'session_check_duration_seconds_bucket{le="+Inf"}': growing(under + over) });
const calls = (all, failed) => ({ 'http_request_duration_seconds_count{host="acme"}': all, 'http_request_failures_total{host="acme"}': failed });
const mails = (result) => `mails_total{result="${result}"}`;
const events = (result) => `events_delivered_total{result="${result}"}`;

const visitors = ['CredentialsSignin', 'AccessDenied', 'MissingCSRF', 'Verification', 'InvalidCheck', 'InvalidProvider', 'Callback', 'OAuthAccountNotLinked', 'EmailSignin'];

// An alert, labels that it has beside the instance, what makes it fire, and what does not.
const cases = [
  ['NextAuthStoreDown', { store: 'redis' }, { 'a store that is down': { 'store_up{store="redis"}': still(0) } }, { 'one that is up': { 'store_up{store="redis"}': still(1) } }],
  ['NextAuthDatabaseDown', { database: 'a' }, { 'a database that is down': { 'database_up{database="a"}': still(0) } }, { 'one that is up': { 'database_up{database="a"}': still(1) } }],
  ['NextAuthSessionsNotChecked', {}, { 'one check a minute': { 'session_checks_total{result="unavailable"}': growing(1) } },
    { 'one in all': { 'session_checks_total{result="unavailable"}': once(1) }, 'other results': { 'session_checks_total{result="refused"}': growing(100) } }],
  ['NextAuthSessionChecksSlow', {}, { 'one in ten': checks(9, 1) }, { 'one in fifty': checks(49, 1), 'no checks': checks(0, 0) }],
  ['NextAuthSignInsFailing', { provider: 'acme' },
    { 'a client secret that expired': { [failing('OAuthCallback')]: growing(1), [signins]: still(0) }, 'a provider that is down': { [failing('OAuthSignin')]: growing(2), [signins]: growing(1) },
      'a store that is down': { [failing('Unavailable')]: growing(1), [signins]: still(0) }, 'a mistake in the configuration': { [failing('Configuration')]: growing(1), [signins]: still(0) } },
    { 'five in all': { [failing('OAuthCallback')]: once(5), [signins]: still(0) }, 'fewer than succeed': { [failing('OAuthCallback')]: growing(1), [signins]: growing(2) },
      'what visitors do, ten times a minute': { ...Object.fromEntries(visitors.map((reason) => [failing(reason), growing(10)])), [signins]: still(0) } }],
  ['NextAuthPasswordsGuessed', { provider: 'acme' }, { 'two a second': { [failing('CredentialsSignin')]: growing(120) } }, { 'one in two seconds': { [failing('CredentialsSignin')]: growing(30) } }],
  ['NextAuthProviderFailing', { host: 'acme' }, { 'all calls': calls(growing(1), growing(1)), 'two of three': calls(growing(3), growing(2)) },
    { 'one of three': calls(growing(3), growing(1)), 'one in all': calls(once(1), once(1)), 'no calls': calls(still(0), still(0)) }],
  ['NextAuthMailsFailing', {},
    { 'most mails': { [mails('failed')]: growing(1), [mails('sent')]: still(0) }, 'any that is dropped': { [mails('dropped')]: once(1), [mails('sent')]: growing(10) } },
    { 'one address that does not exist': { [mails('failed')]: once(1), [mails('sent')]: still(0) }, 'fewer than go out': { [mails('failed')]: growing(1), [mails('sent')]: growing(2) } }],
  ['NextAuthMailQueueLong', {}, { 'a hundred': { mail_queue_depth: still(100) } }, { 'ten': { mail_queue_depth: still(10) } }],
  ['NextAuthEventsLost', { result: 'failed' }, { 'one in all': { [events('failed')]: once(1) } }, { 'all arrive': { [events('delivered')]: growing(10), [events('failed')]: still(0) } }],
  ['NextAuthEventQueueLong', {}, { 'two thousand': { event_queue_depth: still(2000) } }, { 'a hundred': { event_queue_depth: still(100) } }],
  ['NextAuthAuditFailing', {}, { 'one in all': { audit_failures_total: once(1) } }, { 'all are written': { audit_failures_total: still(0), audit_records_total: growing(10) } }],
];

function unitTest(alert, labels, values, fires) {
  const expr = `group by (${['instance', ...Object.keys(labels)]}) (count_over_time(ALERTS{alertname="${alert}",alertstate="firing"}[${HOUR}m]))`;
  const sample = { labels: `{${Object.entries({ instance: 'www', ...labels }).map(([name, value]) => `${name}="${value}"`)}}`, value: 1 };
  return { rule_files: [RULES], evaluation_interval: '1m',
    tests: [{ interval: '1m', input_series: series(values), promql_expr_test: [{ expr, eval_time: `${HOUR}m`, exp_samples: fires ? [sample] : [] }] }] };
}

// Grafana's variables have a value when they reach Prometheus.
function panels() {
  const all = JSON.parse(fs.readFileSync(path.join(root, 'conf/grafana-dashboard.json'), 'utf8')).panels;
  const filled = (expr) => expr.replaceAll('$__rate_interval', '5m').replaceAll('$job', '.*').replaceAll('$instance', '.*');
  return all.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr: filled(expr) })));
}

suite('Alert rules and dashboard, as Prometheus reads them', async (t) => {
  t.inOneRound();
  if (!promtoolIsHere()) t.skipAll('install prometheus');
  const folder = makeFolder(t);
  // JSON is YAML
  const tool = (args, content) => {
    const file = path.join(folder, 'file.yml');
    fs.writeFileSync(file, JSON.stringify(content));
    return promtool([...args, file]);
  };
  const passes = ({ status, text }, name) => t.is(status, 0, name) || t.diag(text);

  t.section('alert rules');
  passes(promtool(['check', 'rules', RULES]), 'are rules');
  const names = [...fs.readFileSync(RULES, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => name);
  t.is(cases.map(([alert]) => alert), names, 'each has its cases here');
  for (const [alert, labels, firing, quiet] of cases) {
    for (const [what, values] of Object.entries(firing)) passes(tool(['test', 'rules'], unitTest(alert, labels, values, true)), `${alert} fires: ${what}`);
    for (const [what, values] of Object.entries(quiet)) passes(tool(['test', 'rules'], unitTest(alert, labels, values, false)), `  and not: ${what}`);
  }

  t.section('what they say');
  const rules = fs.readFileSync(RULES, 'utf8').split('- alert: ').slice(1);
  cases.forEach(([alert, labels], i) => {
    const asked = [...new Set([...rules[i].matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label))];
    t.is(asked.filter((label) => label !== 'instance' && !(label in labels)), [], `${alert} names only labels that it has`);
  });

  t.section('the dashboard');
  const shown = panels();
  t.ok(shown.length > 20 && !shown.some(({ expr }) => expr.includes('$')), 'each variable of its queries has a value', shown.filter(({ expr }) => expr.includes('$')));
  passes(tool(['check', 'rules'], { groups: [{ name: 'panels', rules: shown.map(({ expr }, i) => ({ record: `panel:${i}`, expr })) }] }), `its ${shown.length} queries are PromQL`);
});
