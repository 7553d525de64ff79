'use strict';
// Asks next-auth, Auth.js, and the module the same, and compares what comes back.
const { isDeepStrictEqual, inspect } = require('node:util');

const MONTH_MS = 30 * 24 * 3600_000;

// ── asking ────────────────────────────────────────────────────────────────────────────────────

function cookieHeader(cookies) {
  return Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join('; ');
}

// The cookies that a browser would bring of that token.
function sessionCookies(dialect, token, without) {
  if (token.length <= dialect.chunk) return { [dialect.session]: token };
  const parts = token.match(new RegExp(`.{1,${dialect.chunk}}`, 'g')).map((part, i) => [`${dialect.session}.${i}`, part]);
  return Object.fromEntries(parts.filter(([name]) => !without || !name.endsWith(without)));
}

// The request with a token of the one who is asked.
async function make(dialect, [, path, spec = {}], token) {
  const { ask } = dialect;
  const fill = (text) => text.replaceAll('@URL@', dialect.url).replaceAll('@P@', dialect.prefix);
  const filled = (object) => Object.fromEntries(Object.entries(object).map(([name, value]) => [fill(name), typeof value === 'string' ? fill(value) : value]));
  const cookies = { ...(token ? sessionCookies(dialect, token, spec.without) : {}), ...filled(spec.cookies || {}) };
  let csrfToken;
  if (spec.csrf) {
    const first = await ask('/api/auth/csrf', { method: 'GET', headers: token ? { cookie: cookieHeader(cookies) } : {} });
    csrfToken = JSON.parse(first.text).csrfToken;
    const [name, value] = first.cookies.find((line) => /csrf-token=/.test(line)).split(';')[0].split('=');
    cookies[name] = value;
  }
  const query = spec.query ? `?${new URLSearchParams(filled(spec.query))}` : '';
  const headers = { ...(Object.keys(cookies).length ? { cookie: cookieHeader(cookies) } : {}), ...spec.headers };
  const fields = { ...(spec.csrf === true ? { csrfToken } : {}), ...filled(spec.form || spec.json || {}) };
  let body = spec.raw?.replaceAll('@TOKEN@', csrfToken);
  if (spec.form) {
    headers['content-type'] = 'application/x-www-form-urlencoded';
    body = new URLSearchParams(fields).toString();
  }
  if (spec.json) {
    headers['content-type'] = 'application/json';
    body = JSON.stringify(fields);
  }
  return ask(`/api/auth/${path.replace('@TOKEN@', csrfToken)}${query}`, { method: spec.method || 'GET', headers, body });
}

// ── what is compared ──────────────────────────────────────────────────────────────────────────

// What is drawn by lot becomes *.
function maskedUrl(text, base) {
  if (!text) return null;
  const url = new URL(text, base);
  for (const name of ['state', 'code_challenge', 'nonce']) if (url.searchParams.has(name)) url.searchParams.set(name, '*');
  url.searchParams.sort();
  return url.href.replace(base, '@URL@');
}

function maskedJson(text, base) {
  const json = JSON.parse(text, (name, value) => (typeof value === 'string' && /url$/i.test(name) ? maskedUrl(value, base) : value));
  if (/^[0-9a-f]{64}$/.test(json?.csrfToken)) json.csrfToken = '*';
  if (Math.abs(Date.parse(json?.expires) - Date.now() - MONTH_MS) < 60_000) json.expires = 'in 30 days';
  return json;
}

// name → value and attributes, behind what the name begins with under https. Those of a sign-in have its name behind theirs, so that two tabs can sign in.
function maskedCookies({ prefix, url }, lines) {
  const all = lines.map((line) => {
    const [pair, ...attributes] = line.split('; ');
    const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
    const masked = name.endsWith('callback-url') ? decodeURIComponent(value).replace(url, '@URL@') : value && '*';
    const dated = attributes.map((each) => each.replace(/^Expires=.*/, (text) => `Expires=${Date.parse(text.slice(8)) > Date.now() ? 'later' : 'past'}`));
    const mark = /^__(Secure|Host)-/.exec(name)?.[0] || '';
    const short = name.slice(mark.length).replace(prefix, '').replace(/(state|code_verifier)\.[\w-]{8}$/, '$1');
    return [short, `${mark}${[masked, ...dated.sort()].join('; ')}`];
  });
  return Object.fromEntries(all);
}

function brief(dialect, { status, headers, text, cookies }) {
  const type = (headers['content-type'] || '').split(';')[0];
  let body = text && type;
  if (type === 'application/json' && text) body = maskedJson(text, dialect.url);
  if (type === 'text/plain' || /^Error: /.test(text)) body = text;
  return { status, location: maskedUrl(headers.location, dialect.url), body, cookies: maskedCookies(dialect, cookies),
    cached: /no-store/.test(headers['cache-control']) ? 'never' : 'as it may' };
}

/*
 * What holds of every row. Caches keep no answer but the list of providers. Only what hands out the
 * form's token, or shows a form, sets its cookie: of two first requests at once, the later would undo
 * the earlier's form. Auth.js forgets its cookies once something fails, the module does not.
 */
function expectedOf(like, [, path, { method = 'GET' } = {}], theirs, ours) {
  const cookies = { ...theirs.cookies };
  if (method === 'POST' || !/^(csrf|signin|signout)\b/.test(path)) delete cookies['.csrf-token'];
  const failed = theirs.status === 400 || /[?&]error=/.test(theirs.location || theirs.body?.url);
  const ourUrl = ours.cookies['.callback-url'];
  if (like.name === 'v5' && failed && !Object.keys(theirs.cookies).length && ourUrl?.startsWith('@URL@')) cookies['.callback-url'] = ourUrl;
  const cached = /^providers/.test(path) && method !== 'POST' && theirs.status === 200 ? 'as it may' : 'never';
  return { ...theirs, cookies, cached, body: method === 'HEAD' ? '' : theirs.body };
}

// The reference of an error and the name that was typed, for the page that shows them, are the module's own.
function withoutReference({ cookies, ...rest }) {
  return { ...rest, cookies: Object.fromEntries(Object.entries(cookies).filter(([name]) => !/\.(error-reference|attempt)$/.test(name))) };
}

// The packages do not know HEAD: they are asked for what GET would be.
async function answerOf(dialect, [what, path, spec = {}], isOurs) {
  const method = spec.method === 'HEAD' && !isOurs ? 'GET' : spec.method;
  const token = spec.session && await dialect.encode({ ...spec.session }, spec.secret || dialect.secret, spec.maxAge, dialect.session);
  return brief(dialect, await make(dialect, [what, path, { ...spec, method }], token));
}

// Members of `parts` in place of the answer's; of cookies, those that it names, null being none.
function withParts(answer, parts) {
  const cookies = Object.entries({ ...answer.cookies, ...parts.cookies }).filter(([, value]) => value !== null);
  return { ...answer, ...parts, cookies: Object.fromEntries(cookies) };
}

const differences = (a, b) => Object.keys(b).filter((key) => !isDeepStrictEqual(a[key], b[key]))
  .map((key) => `${key}: got ${inspect(a[key], { breakLength: Infinity })}\n  expected ${inspect(b[key], { breakLength: Infinity })}`);

/*
 * Each row is asked of `site` and of the package of its dialect, or of the one whose client asks
 * like that (`as`). `deviations`: { why, rows: [what …], theirs, ours }, parts of both answers.
 */
async function compare(t, site, packages, rows, deviations) {
  const mine = deviations.filter(({ dialect }) => !dialect || dialect === site.name);
  const names = rows.map(([what]) => what);
  for (const row of rows) {
    const [what, , spec = {}] = row;
    const like = packages.find(({ name }) => name === (spec.as || site.name));
    const theirs = await answerOf(like, row);
    const ours = withoutReference(await answerOf(site, row, true));
    const same = expectedOf(like, row, theirs, ours);
    const deviation = mine.find((each) => each.rows.includes(what));
    if (!deviation) {
      t.ok(isDeepStrictEqual(ours, same), `${site.name}, ${what}`, ...differences(ours, same));
      continue;
    }
    const [asTheirs, asOurs] = [withParts(same, deviation.theirs), withParts(same, deviation.ours)];
    t.ok(isDeepStrictEqual([same, ours], [asTheirs, asOurs]) && !isDeepStrictEqual(asTheirs, asOurs), `${site.name}, ${what}: ${deviation.why}`,
      'theirs', ...differences(same, asTheirs), 'ours', ...differences(ours, asOurs));
  }
  t.is(mine.flatMap((each) => each.rows).filter((what) => !names.includes(what)), [], `${site.name}: no deviation is without a request`);
}

module.exports = { compare };
