#!/usr/bin/env node
'use strict';
// One list of requests, asked of next-auth 4, of Auth.js, and of the module in the dialect of each.
// Status, Location, type of content, JSON, and cookies are the same, but for the deviations: what
// is not, on purpose, and why.
const nextAuthJwt = require('next-auth/jwt');
const { suite } = require('./lib/suite.js');
const { htpasswd } = require('./lib/httpd.js');
const { request } = require('./lib/client.js');
const { nextAuth4, authJs } = require('./lib/packages.js');
const { databasesHere, sqlite } = require('./lib/databases.js');
const { startMail } = require('./lib/mail.js');
const { nextauthctl } = require('./lib/ctl.js');
const { compare } = require('./lib/side-by-side.js');

const secret = '0123456789abcdef0123456789abcdef';
const ada = { name: 'Ada', email: 'ada@example.org', picture: 'https://cdn.example.org/a.png', sub: '42' };
const login = { username: 'ada@example.org', password: 'secret' };

// ── the requests ──────────────────────────────────────────────────────────────────────────────
// What they are about, the path below the endpoints, and the rest: GET and nothing else unless said.
// @URL@ is the site, @P@ the prefix of its cookies. `csrf`: with a token of the one who is asked, in
// the body and a cookie; `session`: with a session of these claims; `as`: of which version's client.

const post = { method: 'POST' };
const form = (fields, more = {}) => ({ method: 'POST', csrf: true, form: fields, ...(fields.json === 'true' ? { as: 'v4' } : {}), ...more });
const json = (fields, more = {}) => ({ method: 'POST', csrf: true, json: fields, ...(fields.json === 'true' ? { as: 'v4' } : {}), ...more });
const returns = { as: 'v5', headers: { 'x-auth-return-redirect': '1' } };
const asked = { json: 'true' };

const callbackUrls = {
  'of the site': '@URL@/members/?a=1&b=2',
  'a path': '/members/',
  'the origin': '@URL@',
  'of another site': 'https://evil.example/x',
  'of a host that begins alike': '@URL@.evil.example/',
  'two slashes': '//evil.example/x',
  'a slash and a backslash': '/\\evil.example/x',
  'javascript:': 'javascript:alert(1)',
  'no URL': 'nonsense',
  'empty': '',
  'encoded once more': '%2Fmembers%2F',
  'encoded characters': '/m%C3%A4dchen%20x',
  'with a blank': '/a b',
  'not ASCII': '/mädchen',
  'of 2 KB': `/${'x'.repeat(2000)}`,
  'with a fragment': '/members/#there',
};

const rows = [
  ['session: nobody', 'session'],
  ['session: HEAD', 'session', { method: 'HEAD' }],
  ['session: PUT', 'session', { method: 'PUT' }],
  ['session: DELETE', 'session', { method: 'DELETE' }],
  ['session: PATCH', 'session', { method: 'PATCH' }],
  ['session: OPTIONS', 'session', { method: 'OPTIONS' }],
  ['session: a slash behind it', 'session/'],
  ['session: a segment behind it', 'session/x'],
  ['session: a query', 'session?update=1'],
  ['session: a callbackUrl', 'session?callbackUrl=/members/'],
  ['session: a client that returns', 'session', { headers: returns.headers }],
  ['session: somebody', 'session', { session: ada }],
  ['session: somebody without a picture', 'session', { session: { name: 'Ada', email: 'ada@example.org', sub: '42' } }],
  ['session: somebody with null', 'session', { session: { name: null, email: null, picture: null, sub: '7' } }],
  ['session: chunks', 'session', { session: { ...ada, permissions: 'p'.repeat(4000) } }],
  ['session: a chunk that was left over', 'session', { session: ada, cookies: { '@P@.session-token.0': 'rubbish' } }],
  ['session: half of the chunks', 'session', { session: { ...ada, permissions: 'p'.repeat(4000) }, without: '.0' }],
  ['session: rubbish', 'session', { cookies: { '@P@.session-token': 'rubbish' } }],
  ['session: an empty cookie', 'session', { cookies: { '@P@.session-token': '' } }],
  ['session: by another secret', 'session', { session: ada, secret: 'another secret of thirty-two bytes' }],
  ['session: expired', 'session', { session: ada, maxAge: -60 }],
  ['session: by Bearer', 'session', { headers: { authorization: 'Bearer x' } }],
  ['session: cookies of others', 'session', { cookies: { theme: 'dark', '__Secure-@P@.session-token': 'x', other: '%' } }],
  ['session: POST without a token', 'session', post],
  ['session: POST with another token', 'session', form({ csrfToken: 'x'.repeat(64) })],
  ['session: POST by a form', 'session', form({})],
  ['session: POST by JSON', 'session', json({ data: { name: 'Eve' } })],
  ['session: POST by JSON, of somebody', 'session', json({ data: { name: 'Eve' } }, { session: ada })],
  ['session: POST of somebody without a token', 'session', { ...post, session: ada }],

  ['csrf: first', 'csrf'],
  ['csrf: again', 'csrf', { csrf: true }],
  ['csrf: HEAD', 'csrf', { method: 'HEAD' }],
  ['csrf: POST', 'csrf', post],
  ['csrf: a slash behind it', 'csrf/'],
  ['csrf: a callbackUrl', 'csrf?callbackUrl=/members/'],
  ['csrf: a cookie that nobody made', 'csrf', { cookies: { '@P@.csrf-token': `${'a'.repeat(64)}%7C${'b'.repeat(64)}` } }],
  ['csrf: a cookie without a hash', 'csrf', { cookies: { '@P@.csrf-token': 'a'.repeat(64) } }],
  ['csrf: a session that is none', 'csrf', { cookies: { '@P@.session-token': 'rubbish' } }],
  ['csrf: a cookie that cannot be decoded', 'csrf', { cookies: { '@P@.csrf-token': '%E0%A4%A' } }],

  ['providers', 'providers'],
  ['providers: HEAD', 'providers', { method: 'HEAD' }],
  ['providers: POST', 'providers', post],
  ['providers: a callbackUrl', 'providers?callbackUrl=/members/'],
  ['providers: somebody', 'providers', { session: ada }],
  ['providers: a segment behind it', 'providers/op'],

  ['signin: the page', 'signin'],
  ['signin: HEAD', 'signin', { method: 'HEAD' }],
  ['signin: PUT', 'signin', { method: 'PUT' }],
  ['signin: a slash behind it', 'signin/'],
  ['signin: a segment too many', 'signin/op/x'],
  ['signin: of a provider', 'signin/op'],
  ['signin: of an unknown provider', 'signin/nobody'],
  ['signin: of an error', 'signin?error=OAuthSignin'],
  ['signin: of an unknown error', 'signin?error=%3Cb%3E'],
  ['signin: a form that was too old', 'signin?csrf=true'],
  ['signin: of an address', 'signin?email=ada%40example.org'],
  ['signin: somebody', 'signin', { session: ada }],
  ...Object.entries(callbackUrls).map(([what, url]) => [`signin: callbackUrl, ${what}`, 'signin', { query: { callbackUrl: url } }]),
  ['signin: callbackUrl twice', 'signin?callbackUrl=/a&callbackUrl=/b'],
  ['signin: POST without a token', 'signin/op', post],
  ['signin: POST with another token', 'signin/op', form({ csrfToken: 'x'.repeat(64) })],
  ['signin: POST, token in the query', 'signin/op?csrfToken=@TOKEN@', { ...post, csrf: 'cookie' }],
  ['signin: POST without a token, json', 'signin/op', { ...post, as: 'v4', form: asked }],
  ['signin: POST without a token, returns', 'signin/op', { ...post, ...returns }],
  ['signin: POST', 'signin/op', form({})],
  ['signin: POST with the token twice', 'signin/op', { ...post, csrf: 'cookie', headers: { 'content-type': 'application/x-www-form-urlencoded' }, raw: 'csrfToken=@TOKEN@&csrfToken=@TOKEN@' }],
  ['signin: POST by JSON', 'signin/op', json({})],
  ['signin: POST, json', 'signin/op', form(asked)],
  ['signin: POST, json=false', 'signin/op', form({ json: 'false' })],
  ['signin: POST, returns', 'signin/op', form({}, returns)],
  ['signin: POST with a login hint', 'signin/op?login_hint=ada', form({})],
  ['signin: POST with a scope', 'signin/op?scope=everything', form({})],
  ['signin: POST with a redirect_uri', 'signin/op?redirect_uri=https://evil.example/', form({})],
  ['signin: POST with a callbackUrl', 'signin/op', form({ callbackUrl: '@URL@/members/' })],
  ['signin: POST with a foreign callbackUrl', 'signin/op', form({ callbackUrl: 'https://evil.example/' })],
  ['signin: POST to no provider', 'signin', form({})],
  ['signin: POST to no provider, json', 'signin', form(asked)],
  ['signin: POST to no provider, returns', 'signin', form({}, returns)],
  ['signin: POST to an unknown provider', 'signin/nobody', form({})],
  ['signin: POST to an unknown provider, json', 'signin/nobody', form(asked)],
  ['signin: POST to an unknown provider, returns', 'signin/nobody', form({}, returns)],
  ['signin: POST to credentials', 'signin/credentials', form(login)],
  ['signin: POST to credentials, json', 'signin/credentials', form({ ...login, ...asked })],
  ['signin: POST of JSON that is none', 'signin/op', { ...post, headers: { 'content-type': 'application/json' }, raw: '{' }],
  ['signin: POST of text', 'signin/op', { ...post, csrf: 'cookie', headers: { 'content-type': 'text/plain' }, raw: 'csrfToken=@TOKEN@' }],

  ['credentials: a form', 'callback/credentials', form(login)],
  ['credentials: json', 'callback/credentials', form({ ...login, ...asked })],
  ['credentials: returns', 'callback/credentials', form(login, returns)],
  ['credentials: JSON', 'callback/credentials', json(login)],
  ['credentials: JSON, json', 'callback/credentials', json({ ...login, ...asked })],
  ['credentials: wrong', 'callback/credentials', form({ ...login, password: 'wrong' })],
  ['credentials: wrong, json', 'callback/credentials', form({ ...login, password: 'wrong', ...asked })],
  ['credentials: wrong, returns', 'callback/credentials', form({ ...login, password: 'wrong' }, returns)],
  ['credentials: nothing', 'callback/credentials', form({})],
  ['credentials: nothing, json', 'callback/credentials', form(asked)],
  ['credentials: without a token', 'callback/credentials', { ...post, form: login }],
  ['credentials: without a token, json', 'callback/credentials', { ...post, as: 'v4', form: { ...login, ...asked } }],
  ['credentials: without a token, returns', 'callback/credentials', { ...post, form: login, ...returns }],
  ['credentials: with another token', 'callback/credentials', form({ ...login, csrfToken: 'x'.repeat(64) })],
  ['credentials: GET', 'callback/credentials?username=ada%40example.org&password=secret'],
  ['credentials: HEAD', 'callback/credentials', { method: 'HEAD' }],
  ['credentials: a second time', 'callback/credentials', form(login, { session: ada })],
  ['credentials: a bare question mark', 'callback/credentials?', form(login)],
  ...Object.entries(callbackUrls).map(([what, url]) => [`credentials: callbackUrl, ${what}`, 'callback/credentials', form({ ...login, callbackUrl: url })]),
  ['credentials: callbackUrl in the query', 'callback/credentials?callbackUrl=/members/', form(login)],
  ['credentials: callbackUrl of a cookie', 'callback/credentials', form(login, { cookies: { '@P@.callback-url': '@URL@/members/' } })],
  ['credentials: a name twice', 'callback/credentials', { ...post, csrf: 'cookie', headers: { 'content-type': 'application/x-www-form-urlencoded' }, raw: 'csrfToken=@TOKEN@&username=eve&username=ada%40example.org&password=secret' }],

  ['callback: nothing', 'callback/op'],
  ['callback: HEAD', 'callback/op', { method: 'HEAD' }],
  ['callback: POST of nothing', 'callback/op', { ...post, form: {} }],
  ['callback: the user said no', 'callback/op?error=access_denied'],
  ['callback: the user said no, with a state', 'callback/op?error=access_denied&state=x'],
  ['callback: a code of nowhere', 'callback/op?code=x&state=y'],
  ['callback: a state cookie that is none', 'callback/op?code=x&state=y', { cookies: { '@P@.state': 'rubbish', '@P@.pkce.code_verifier': 'rubbish' } }],
  ['callback: two states', 'callback/op?code=x&state=y&state=z'],
  ['callback: of an unknown provider', 'callback/nobody'],
  ['callback: POST of an unknown provider', 'callback/nobody', { ...post, form: {} }],
  ['callback: of no provider', 'callback'],
  ['callback: POST of no provider', 'callback', { ...post, form: {} }],
  ['callback: a segment too many', 'callback/op/x'],

  ['signout: the page', 'signout'],
  ['signout: HEAD', 'signout', { method: 'HEAD' }],
  ['signout: a callbackUrl', 'signout?callbackUrl=/members/'],
  ['signout: a form that was too old', 'signout?csrf=true'],
  ['signout: a segment behind it', 'signout/op'],
  ['signout: POST without a token', 'signout', { ...post, session: ada }],
  ['signout: POST without a token, json', 'signout', { ...post, as: 'v4', form: asked }],
  ['signout: POST without a token, returns', 'signout', { ...post, ...returns }],
  ['signout: nobody', 'signout', form({})],
  ['signout: somebody', 'signout', form({}, { session: ada })],
  ['signout: somebody, json', 'signout', form({ ...asked, callbackUrl: '@URL@/members/' }, { session: ada })],
  ['signout: somebody, returns', 'signout', form({ callbackUrl: '@URL@/members/' }, { session: ada, ...returns })],
  ['signout: somebody of chunks', 'signout', form({}, { session: { ...ada, permissions: 'p'.repeat(4000) } })],
  ['signout: a session that is none', 'signout', form({}, { cookies: { '@P@.session-token': 'rubbish' } })],
  ['signout: a foreign callbackUrl', 'signout', form({ callbackUrl: 'https://evil.example/' }, { session: ada })],
  ...['{', '{"a":', 'csrfToken=x', '{"a":1}x'].map((raw) => [`signout: JSON that is none, ${raw}`, 'signout', { ...post, headers: { 'content-type': 'application/json' }, raw }]),

  ...['Configuration', 'configuration', 'AccessDenied', 'Verification', 'Default', 'Nonsense', 'Signin', 'OAuthSignin', 'OAuthCallback',
    'OAuthCreateAccount', 'EmailCreateAccount', 'Callback', 'OAuthAccountNotLinked', 'EmailSignin', 'CredentialsSignin', 'SessionRequired']
    .map((code) => [`error: ${code}`, `error?error=${code}`]),
  ['error: none', 'error'],
  ['error: in the path', 'error/AccessDenied'],
  ['error: HTML', 'error?error=%3Cscript%3E'],
  ['error: HEAD', 'error?error=AccessDenied', { method: 'HEAD' }],
  ['error: POST', 'error', post],
  ['verify-request', 'verify-request'],
  ['verify-request: of a provider', 'verify-request?provider=email&type=email'],
  ['verify-request: POST', 'verify-request', post],

  ['_log: POST', '_log', { ...post, form: { level: 'error', code: 'CLIENT', message: 'x' } }],
  ['_log: POST of JSON', '_log', { ...post, json: { level: 'error', code: 'CLIENT' } }],
  ['_log: POST of nothing', '_log', post],
  ['_log: GET', '_log'],

  ['unknown: nonsense', 'nonsense'],
  ['unknown: POST nonsense', 'nonsense', { ...post, form: {} }],
  ['unknown: another case', 'SESSION'],
  ['unknown: encoded', '%73ession'],
  ['unknown: nothing', ''],
  ['unknown: HEAD nonsense', 'nonsense', { method: 'HEAD' }],
  ['unknown: PUT nonsense', 'nonsense', { method: 'PUT' }],

  ['callback-url: a cookie of the site', 'session', { cookies: { '@P@.callback-url': '@URL@/members/' } }],
  ['callback-url: a cookie of another site', 'session', { cookies: { '@P@.callback-url': 'https://evil.example/' } }],
  ['callback-url: a cookie that is none', 'session', { cookies: { '@P@.callback-url': 'nonsense' } }],
];

// What a site with pages of its own answers.
const pagesRows = [
  ['pages: signin', 'signin'],
  ['pages: signin with a callbackUrl', 'signin?callbackUrl=/members/%3Fa=1%26b=2'],
  ['pages: signin of an error', 'signin?error=AccessDenied'],
  ['pages: signin of an error with a callbackUrl', 'signin?error=SessionRequired&callbackUrl=/members/'],
  ['pages: signin of a provider', 'signin/op'],
  ['pages: signout', 'signout'],
  ['pages: signout with a callbackUrl', 'signout?callbackUrl=/members/'],
  ['pages: verify-request', 'verify-request'],
  ['pages: verify-request of a provider', 'verify-request?provider=email&type=email'],
  ...['Configuration', 'AccessDenied', 'Verification', 'Nonsense', 'OAuthSignin', 'CredentialsSignin'].map((code) => [`pages: error ${code}`, `error?error=${code}`]),
  ['pages: error without a code', 'error'],
  ['pages: POST without a token', 'signin/op', post],
  ['pages: POST without a token, returns', 'signin/op', { ...post, ...returns }],
  ['pages: POST to no provider', 'signin', form({})],
  ['pages: POST to an unknown provider', 'signin/nobody', form({})],
  ['pages: POST to credentials', 'signin/credentials', form(login)],
  ['pages: a wrong password', 'callback/credentials', form({ ...login, password: 'wrong' })],
  ['pages: a wrong password, json', 'callback/credentials', form({ ...login, ...asked, password: 'wrong' })],
  ['pages: a wrong password, returns', 'callback/credentials', form({ ...login, password: 'wrong' }, returns)],
  ['pages: a sign-out without a token', 'signout', { ...post, form: {} }],
  ['pages: the provider said no', 'callback/op?error=access_denied'],
];

// Under https, where cookies have other names.
const httpsRows = [
  ['https: session', 'session'],
  ['https: session of somebody', 'session', { session: ada }],
  ['https: session of chunks', 'session', { session: { ...ada, permissions: 'p'.repeat(4000) } }],
  ['https: session that is none', 'session', { cookies: { '__Secure-@P@.session-token': 'rubbish' } }],
  ['https: cookies of http', 'session', { cookies: { '@P@.session-token': 'rubbish', '@P@.callback-url': '@URL@/members/' } }],
  ['https: csrf', 'csrf'],
  ['https: csrf again', 'csrf', { csrf: true }],
  ['https: signin', 'signin?callbackUrl=/members/'],
  ['https: callbackUrl of http', 'signin?callbackUrl=http://www.example.org/'],
  ['https: callbackUrl of another port', 'signin?callbackUrl=https://www.example.org:8443/'],
  ['https: callbackUrl in capitals', 'signin?callbackUrl=HTTPS://WWW.EXAMPLE.ORG/x'],
  ['https: callbackUrl with the port of https', 'signin?callbackUrl=https://www.example.org:443/x'],
  ['https: POST signin', 'signin/op', form({})],
  ['https: credentials', 'callback/credentials', form({ ...login, callbackUrl: '/members/' })],
  ['https: signout', 'signout', form({}, { session: ada })],
];

// Links by email.
const emailRows = [
  ['email: POST', 'signin/email', form({ email: 'ada@example.org' })],
  ['email: POST, json', 'signin/email', form({ email: 'ada@example.org', ...asked })],
  ['email: POST, returns', 'signin/email', form({ email: 'ada@example.org' }, returns)],
  ['email: POST by JSON', 'signin/email', json({ email: 'ada@example.org' })],
  ['email: POST in capitals, with blanks', 'signin/email', form({ email: ' Ada@Example.ORG ' })],
  ['email: POST with a callbackUrl', 'signin/email', form({ email: 'ada@example.org', callbackUrl: '/members/' })],
  ['email: POST without a token', 'signin/email', { ...post, form: { email: 'ada@example.org' } }],
  ['email: POST without an address', 'signin/email', form({})],
  ['email: POST of an empty address', 'signin/email', form({ email: '' })],
  ['email: POST of what is no address', 'signin/email', form({ email: 'nonsense' })],
  ['email: POST of what is no address, json', 'signin/email', form({ email: 'nonsense', ...asked })],
  ['email: POST of what is no address, returns', 'signin/email', form({ email: 'nonsense' }, returns)],
  ['email: POST of two addresses', 'signin/email', form({ email: 'ada@example.org,eve@example.org' })],
  ['email: POST of a quoted address', 'signin/email', form({ email: '"eve@example.org"@example.org' })],
  ['email: POST of letters beyond ASCII', 'signin/email', form({ email: 'JÖRG@Bücher.example' })],
  ['email: POST of a wide @', 'signin/email', form({ email: 'ada\uff20example.org' })],
  ['email: a link without a token', 'callback/email?email=ada%40example.org'],
  ['email: a link without an address', 'callback/email?token=x'],
  ['email: a link that nobody sent', 'callback/email?token=x&email=ada%40example.org'],
  ['email: providers', 'providers'],
];

// ── the deviations ────────────────────────────────────────────────────────────────────────────
// `theirs` and `ours` are the parts of both answers that differ.

const cookie = (value, ...more) => [value, ...[...more, 'HttpOnly', 'Path=/', 'SameSite=Lax'].sort()].join('; ');
const [CSRF, SESSION, CLEARED] = [cookie('*'), cookie('*', 'Expires=later'), cookie('', 'Max-Age=0')];
const back = (url, ...more) => ({ '.callback-url': cookie(url, ...more) });
const page = { status: 200, body: 'text/html', cookies: { ...back('@URL@'), '.csrf-token': CSRF } };
const unsupported = (method) => `Error: This action with HTTP ${method} is not supported by NextAuth.js`;
const trouble = (verb) => ({ message: `There ${verb} a problem with the server configuration. Check the server logs for more information.` });
const CONFIGURATION = '@URL@/api/auth/error?error=Configuration';
const goes = { status: 302, location: '@URL@/', body: '', cookies: { ...back('@URL@'), '.session-token': SESSION } };

const ignored = 'a callbackUrl that cannot be gone to is left out, and does not make the site fail';
const oneHost = 'a path of two slashes, which browsers take for a host, is not gone to';
const encoded = 'what a header may not hold is percent-encoded';
const noJson = rows.map(([what]) => what).filter((what) => /JSON that is none/.test(what));
const noUrl = ['of a host that begins alike', 'no URL', 'encoded once more'];

const deviations = [
  { why: 'a chunk that was left over does not hide a whole token', rows: ['session: a chunk that was left over'], dialect: 'v4',
    theirs: { body: {}, cookies: { '.session-token': CLEARED } },
    ours: { body: { user: { name: ada.name, email: ada.email, image: ada.picture }, expires: 'in 30 days' }, cookies: { '.session-token': SESSION } } },
  { why: 'a chunk that was left over does not hide a whole token', rows: ['session: a chunk that was left over'], dialect: 'v5',
    theirs: { body: null, cookies: { '.session-token': CLEARED } },
    ours: { body: { user: { name: ada.name, email: ada.email, image: ada.picture }, expires: 'in 30 days' }, cookies: { '.session-token': SESSION } } },
  { why: 'an empty cookie is cleared as any that is no session', rows: ['session: an empty cookie'],
    theirs: { cookies: { '.session-token': null } }, ours: { cookies: { '.session-token': CLEARED } } },

  // callbackUrl
  { why: ignored, rows: [...noUrl, 'javascript:'].map((what) => `signin: callbackUrl, ${what}`), theirs: { status: 500, body: 'text/html' }, ours: page },
  { why: ignored, rows: noUrl.map((what) => `credentials: callbackUrl, ${what}`), dialect: 'v4', theirs: { status: 500, body: '' }, ours: goes },
  { why: ignored, rows: noUrl.map((what) => `credentials: callbackUrl, ${what}`), dialect: 'v5', theirs: { status: 302, location: CONFIGURATION }, ours: goes },
  { why: ignored, rows: ['callback-url: a cookie that is none'], dialect: 'v4', theirs: { status: 500, body: trouble('is') }, ours: { status: 200, body: {}, cookies: back('@URL@') } },
  { why: ignored, rows: ['callback-url: a cookie that is none'], dialect: 'v5', theirs: { status: 500, body: trouble('was') }, ours: { status: 200, body: null, cookies: back('@URL@') } },
  { why: 'of two, the first counts', rows: ['signin: callbackUrl twice'], dialect: 'v4', theirs: { status: 500 }, ours: { ...page, cookies: { ...page.cookies, ...back('@URL@/a') } } },
  { why: 'of two, the first counts', rows: ['signin: callbackUrl twice'], dialect: 'v5', theirs: { cookies: back('@URL@/b') }, ours: { cookies: back('@URL@/a') } },
  { why: oneHost, rows: ['signin: callbackUrl, two slashes'], theirs: { cookies: back('@URL@//evil.example/x') }, ours: page },
  { why: oneHost, rows: ['signin: callbackUrl, a slash and a backslash'], theirs: { cookies: back('@URL@/\\evil.example/x') }, ours: page },
  { why: oneHost, rows: ['credentials: callbackUrl, two slashes'], theirs: { location: '@URL@//evil.example/x', cookies: back('@URL@//evil.example/x') }, ours: goes },
  { why: oneHost, rows: ['credentials: callbackUrl, a slash and a backslash'], theirs: { location: '@URL@//evil.example/x', cookies: back('@URL@/\\evil.example/x') }, ours: goes },
  { why: encoded, rows: ['signin: callbackUrl, with a blank', 'credentials: callbackUrl, with a blank'], theirs: { cookies: back('@URL@/a b') }, ours: { cookies: back('@URL@/a%20b') } },
  { why: encoded, rows: ['signin: callbackUrl, not ASCII', 'credentials: callbackUrl, not ASCII'], theirs: { cookies: back('@URL@/mädchen') }, ours: { cookies: back('@URL@/m%C3%A4dchen') } },

  // signing in
  { why: 'a link adds only what visitorParams= names, and replaces nothing', rows: ['signin: POST with a scope'],
    theirs: { location: '@OP@&redirect_uri=@BACK@&response_type=code&scope=everything&state=*' }, ours: { location: '@OP@&redirect_uri=@BACK@&response_type=code&scope=profile&state=*' } },
  { why: 'a link adds only what visitorParams= names, and replaces nothing', rows: ['signin: POST with a redirect_uri'],
    theirs: { location: '@OP@&redirect_uri=https%3A%2F%2Fevil.example%2F&response_type=code&scope=profile&state=*' }, ours: { location: '@OP@&redirect_uri=@BACK@&response_type=code&scope=profile&state=*' } },
  { why: 'a link to one provider shows the page, as with v4', rows: ['signin: of a provider', 'signin: of an unknown provider'], dialect: 'v5', theirs: { status: 302, location: CONFIGURATION }, ours: { ...page, location: null } },
  { why: 'one path for one thing', rows: ['signin: a segment too many'], dialect: 'v4', theirs: page, ours: { status: 400, body: unsupported('GET'), cookies: { '.callback-url': null, '.csrf-token': null } } },
  { why: 'one path for one thing', rows: ['callback: a segment too many'], dialect: 'v4', theirs: { status: 302, location: '@URL@/api/auth/error?error=OAuthCallback' },
    ours: { status: 400, location: null, body: unsupported('GET'), cookies: { '.callback-url': null } } },
  { why: 'of two names the first counts, so that no other signs in than was looked at', rows: ['credentials: a name twice'], dialect: 'v5',
    theirs: { location: '@URL@/', cookies: { '.session-token': SESSION } },
    ours: { location: '@URL@/api/auth/signin?code=credentials&error=CredentialsSignin', cookies: { '.session-token': null } } },
  { why: 'passwords in a URL are a page about a mistake, as with Auth.js', rows: ['credentials: GET'], dialect: 'v4',
    theirs: { status: 500, body: 'Error: Callback for provider type credentials not supported' }, ours: { status: 302, location: CONFIGURATION, body: '' } },
  { why: 'passwords in a URL are a page about a mistake, as with Auth.js', rows: ['credentials: HEAD'], dialect: 'v4', theirs: { status: 500 }, ours: { status: 302, location: CONFIGURATION } },

  { why: 'a form\'s token that is there twice is that token, as with Auth.js', rows: ['signin: POST with the token twice'], dialect: 'v4', theirs: { location: '@URL@/api/auth/signin?csrf=true' },
    ours: { location: '@OP@&redirect_uri=@BACK@&response_type=code&scope=profile&state=*', cookies: Object.fromEntries(['.state', '.pkce.code_verifier'].map((name) => [name, cookie('*', 'Expires=later', 'Max-Age=900')])) } },

  // coming back
  { why: 'cookies that are none are cleared', rows: ['callback: a state cookie that is none'],
    theirs: { cookies: { '.state': null, '.pkce.code_verifier': null } }, ours: { cookies: { '.state': CLEARED, '.pkce.code_verifier': CLEARED } } },
  { why: 'a provider\'s no is told as that, whatever the state, as with v4', rows: ['callback: the user said no', 'callback: the user said no, with a state'], dialect: 'v5',
    theirs: { location: CONFIGURATION }, ours: { location: '@URL@/api/auth/signin?error=OAuthCallbackError' } },
  { why: 'who comes back from a provider that is gone gets a page, as with Auth.js', rows: ['callback: of an unknown provider', 'callback: of no provider'], dialect: 'v4',
    theirs: { status: 400, body: unsupported('GET') }, ours: { status: 302, location: CONFIGURATION, body: '', cookies: back('@URL@') } },
  { why: 'who comes back from a provider that is gone gets a page, as with Auth.js', rows: ['callback: POST of an unknown provider', 'callback: POST of no provider'], dialect: 'v4',
    theirs: { status: 400, body: unsupported('POST') }, ours: { status: 302, location: CONFIGURATION, body: '', cookies: back('@URL@') } },

  // what is not supported
  { why: 'a body that is no JSON is httpd\'s 400, as one that is cut off', rows: noJson, dialect: 'v4',
    theirs: { status: 400, body: '' }, ours: { body: 'text/html', cached: 'as it may' } },
  { why: 'a body that is no JSON is httpd\'s 400, as one that is cut off', rows: noJson, dialect: 'v5',
    theirs: { status: 400, body: 'Bad request.' }, ours: { body: 'text/html', cached: 'as it may' } },
  { why: 'a method that an endpoint does not have is 400, not a page about the configuration', rows: ['csrf: POST', 'providers: POST', 'error: POST', 'verify-request: POST'], dialect: 'v5',
    theirs: { status: 302, location: CONFIGURATION, body: '' }, ours: { status: 400, location: null, body: 'Bad request.' } },
  { why: 'pages that were open when the site moved from v4 report there still', rows: ['_log: POST', '_log: POST of JSON', '_log: POST of nothing'], dialect: 'v5',
    theirs: { status: 400, body: 'Bad request.' }, ours: { status: 200, body: '' } },
  { why: 'httpd decodes paths before it asks anybody', rows: ['unknown: encoded'], dialect: 'v5',
    theirs: { status: 400, body: 'Bad request.' }, ours: { status: 200, body: null, cookies: back('@URL@') } },
  { why: 'no action is a request that is not supported', rows: ['unknown: nothing'], dialect: 'v4', theirs: { status: 500, body: trouble('is') }, ours: { status: 400, body: unsupported('GET') } },
  { why: 'v4\'s spelling is taken, too', rows: ['error: configuration'], dialect: 'v5', theirs: { status: 200 }, ours: { status: 500 } },
];

const emailDeviations = [
  { why: 'an address is what was typed, and not what that looks like', rows: ['email: POST of a wide @'], dialect: 'v4',
    theirs: { location: '@URL@/api/auth/verify-request?provider=email&type=email' }, ours: { location: '@URL@/api/auth/error?error=EmailSignin' } },
  { why: 'an address is what was typed, and not what that looks like', rows: ['email: POST of a wide @'], dialect: 'v5',
    theirs: { location: '@URL@/api/auth/verify-request?provider=email&type=email' }, ours: { location: CONFIGURATION } },
  { why: 'half a link is a link that does not work, and no fault of the server', rows: ['email: a link without a token'], dialect: 'v4',
    theirs: { location: '@URL@/api/auth/error?error=configuration' }, ours: { location: '@URL@/api/auth/error?error=Verification' } },
  { why: 'half a link is a link that does not work, and no fault of the server', rows: ['email: a link without a token'], dialect: 'v5',
    theirs: { location: CONFIGURATION }, ours: { location: '@URL@/api/auth/error?error=Verification' } },
  { why: 'the token leaves the address bar before anything is done with it', rows: ['email: a link that nobody sent'],
    theirs: { location: '@URL@/api/auth/error?error=Verification' },
    ours: { location: '@URL@/api/auth/callback/email', cookies: { '.link': cookie('*', 'Expires=later', 'Max-Age=900') } } },
];

const pagesDeviations = [
  { why: 'a link to one provider leads to the page, as with v4', rows: ['pages: signin of a provider'], dialect: 'v5', theirs: { location: '@URL@/my/error?error=Configuration', cookies: { '.csrf-token': null } },
    ours: { location: '@URL@/my/signin?callbackUrl=@HERE@', cookies: { '.csrf-token': CSRF } } },
  { why: 'the name of a provider is no error', rows: ['pages: signin of a provider'], dialect: 'v4', theirs: { location: '@URL@/my/signin?callbackUrl=@HERE@&error=op' }, ours: { location: '@URL@/my/signin?callbackUrl=@HERE@' } },
  { why: 'no code is none', rows: ['pages: error without a code'], theirs: { location: '@URL@/my/error?error=undefined' }, ours: { location: '@URL@/my/error' } },
  { why: 'a provider\'s no is told as that, whatever the state, as with v4', rows: ['pages: the provider said no'], dialect: 'v5',
    theirs: { location: '@URL@/my/error?error=Configuration' }, ours: { location: '@URL@/my/signin?error=OAuthCallbackError' } },
];

const httpsDeviations = [
  { why: 'hosts and schemes are told in one way', rows: ['https: callbackUrl in capitals'],
    theirs: { cookies: { '.callback-url': `__Secure-${cookie('HTTPS://WWW.EXAMPLE.ORG/x', 'Secure')}` } }, ours: { cookies: { '.callback-url': `__Secure-${cookie('@URL@/x', 'Secure')}` } } },
  { why: 'hosts and schemes are told in one way', rows: ['https: callbackUrl with the port of https'],
    theirs: { cookies: { '.callback-url': `__Secure-${cookie('@URL@:443/x', 'Secure')}` } }, ours: { cookies: { '.callback-url': `__Secure-${cookie('@URL@/x', 'Secure')}` } } },
  { why: 'no other host of the domain can write a sign-in\'s cookies', rows: ['https: POST signin'],
    theirs: { cookies: Object.fromEntries(['.state', '.pkce.code_verifier'].map((name) => [name, `__Secure-${cookie('*', 'Expires=later', 'Max-Age=900', 'Secure')}`])) },
    ours: { cookies: Object.fromEntries(['.state', '.pkce.code_verifier'].map((name) => [name, `__Host-${cookie('*', 'Expires=later', 'Max-Age=900', 'Secure')}`])) } },
];

// ── both sides ────────────────────────────────────────────────────────────────────────────────

const dialects = async () => {
  const { encode } = await import('@auth/core/jwt');
  return [
    { name: 'v4', prefix: 'next-auth', session: 'next-auth.session-token', chunk: 3933, secret, package: nextAuth4,
      encode: (token, key, maxAge) => nextAuthJwt.encode({ token, secret: key, maxAge }) },
    { name: 'v5', prefix: 'authjs', session: 'authjs.session-token', chunk: 3936, secret, package: authJs,
      encode: (token, key, maxAge, salt) => encode({ token, secret: key, maxAge, salt }) },
  ];
};

const overHttp = (site) => async (path, { method, headers, body }) => {
  const answer = await request(`${site.url}${path}`, { method, headers, body });
  return { status: answer.status, headers: answer.headers, text: answer.text, cookies: answer.setCookies };
};

// Users and tokens of the packages, who know nobody.
function inMemory() {
  const tokens = new Map();
  return { createUser: async (user) => ({ id: '1', ...user }), getUser: async () => null, getUserByEmail: async () => null, getUserByAccount: async () => null,
    updateUser: async (user) => user, linkAccount: async () => {}, createSession: async (session) => session, getSessionAndUser: async () => null,
    updateSession: async (session) => session, deleteSession: async () => {},
    createVerificationToken: async (each) => { tokens.set(each.token, each); return each; },
    useVerificationToken: async ({ token }) => { const found = tokens.get(token) || null; tokens.delete(token); return found; } };
}

suite('The same requests, next-auth\'s answers and the module\'s', async (t) => {
  t.withOneMpm();
  const here = databasesHere();
  if (!here.sqlite) t.skipAll(`install ${here.lacking.join(' ')}`);
  const mail = await startMail(t, { tls: 'none' });
  const op = 'http://op.localhost:9'; // nobody is asked there
  const users = htpasswd({ 'ada@example.org': 'secret' });
  const configuration = (dialect, url, more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL ${url}
NextAuthSecret ${secret}
NextAuthCompat ${dialect.name}
NextAuthProvider op type=oauth name=OP clientId=the-client clientSecret=a-secret authorization=${op}/authorize token=${op}/token userinfo=${op}/userinfo scope=profile checks=state,pkce
NextAuthProvider credentials name=Password backend=file:@DIR@/users
${more}`;
  const options = (more, provider) => ({ secret, providers: [
    { id: 'op', name: 'OP', type: 'oauth', clientId: 'the-client', clientSecret: 'a-secret', checks: ['state', 'pkce'],
      authorization: { url: `${op}/authorize`, params: { scope: 'profile' } }, token: `${op}/token`, userinfo: `${op}/userinfo`, profile: (p) => p },
    { id: 'credentials', name: 'Password', type: 'credentials', credentials: {},
      authorize: async ({ username, password }) => (username === login.username && password === login.password ? { id: username, name: username, email: username } : null) },
    ...(provider ? [provider] : []),
  ], ...more });
  // The addresses that rows leave open.
  const located = (url, list) => JSON.parse(JSON.stringify(list)
    .replaceAll('@OP@', `${op}/authorize?client_id=the-client&code_challenge=*&code_challenge_method=S256`)
    .replaceAll('@HERE@', encodeURIComponent(url))
    .replaceAll('@BACK@', encodeURIComponent(`${url}/api/auth/callback/op`)));

  const sideBySide = async (dialect, words, { url, config = '', its = {}, provider, names = {} }, list, deviating) => {
    t.section(`${dialect.name}: ${words}`);
    const site = await t.httpd({ files: { users }, config: configuration(dialect, url || 'http://localhost:@PORT@', config) });
    const at = url || site.url;
    const packages = await Promise.all((await dialects()).map(async (each) => ({ ...each, ...names[each.name], url: at, ask: await each.package(at, options(its, provider)) })));
    await compare(t, { ...dialect, ...names[dialect.name], url: at, ask: overHttp(site) }, packages, list, located(at, deviating));
  };

  for (const dialect of await dialects()) {
    await sideBySide(dialect, 'every endpoint', {}, rows, deviations);
    await sideBySide(dialect, 'pages of one\'s own', { config: 'NextAuthPages signIn=/my/signin signOut=/my/signout error=/my/error verifyRequest=/my/verify',
      its: { pages: { signIn: '/my/signin', signOut: '/my/signout', error: '/my/error', verifyRequest: '/my/verify' } } }, pagesRows, pagesDeviations);
    await sideBySide(dialect, 'https', { url: 'https://www.example.org',
      names: { v4: { session: '__Secure-next-auth.session-token' }, v5: { session: '__Secure-authjs.session-token' } } }, httpsRows, httpsDeviations);
  }

  // Last, as Auth.js remembers that there was such a provider.
  const db = sqlite(t);
  await nextauthctl(db, ['migrate']);
  const email = { config: `NextAuthDatabase ${db.url}\nNextAuthMail ${mail.url()} from=no-reply@example.org\nNextAuthProvider email`,
    its: { adapter: inMemory(), session: { strategy: 'jwt' } },
    provider: { id: 'email', name: 'Email', type: 'email', from: 'no-reply@example.org', maxAge: 60, options: {}, sendVerificationRequest: async () => {} } };
  for (const dialect of await dialects()) await sideBySide(dialect, 'links by email', email, emailRows, emailDeviations);
});
