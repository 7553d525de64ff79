#!/usr/bin/env node
'use strict';
// Groups that the token does not have: a list of Microsoft Graph or Google's Cloud Identity, a page
// at a time, of which roles and claims are made.
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { startCatalogue } = require('./lib/catalogue.js');

const entries = JSON.parse(fs.readFileSync(path.join(__dirname, '../conf/providers.json'), 'utf8'));
const query = entries.google['groups.url'].split('?')[1];
const claims = (email = 'ada@example.org') => ({ sub: 'sub-1', name: 'Ada', email, email_verified: true });
const ids = (names) => names.map((id) => ({ id }));

suite('Groups of users', async (t) => {
  t.withOneMpm();
  const there = await startCatalogue(t, entries);
  const graph = `${there.url}/microsoft-entra-id/groups?$select=id`;
  const site = await t.httpd({ files: { 'htdocs/staff/index.html': 'for staff' }, config: `NextAuthEngine On
NextAuthURL http://localhost:@PORT@
NextAuthMode test
NextAuthSessionStore none
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthRateLimit callback Off
NextAuthRole %{PROFILE:groups} true
NextAuthSessionClaim roles
NextAuthProvider microsoft-entra-id ${there.options('microsoft-entra-id')} groups=true "groups.url=${graph}"
NextAuthProvider google ${there.options('google')} groups=true "groups.url=${there.url}/google/groups?${query}"
<Location /staff/>
  AuthType NextAuth
  Require nextauth-role staff
</Location>` });

  // What a sign-in comes to: the roles, or the error.
  const rolesOf = async (id, answer, groups) => {
    const c = t.client(site);
    there.answers[id] = answer;
    there.asked = [];
    there.groups = (url, req) => { there.asked.push({ url, token: req.headers.authorization }); return groups(url, there.asked.length); };
    const back = await c.page((await c.page((await c.signIn(id)).location)).location.replace(there.url, site.url));
    const { user } = await c.session();
    return user ? { roles: user.roles, client: c } : { error: new URL(back.location, site.url).searchParams.get('error'), log: site.log().split('\n').filter((line) => /nextauth/.test(line)).at(-1) };
  };

  t.section('Entra ID');
  const pages = (url, n) => ({ value: ids(n === 1 ? ['a', 'staff'] : ['b']), ...(n === 1 ? { '@odata.nextLink': `${graph}&$skiptoken=2` } : {}) });
  const entra = await rolesOf('microsoft-entra-id', { ...claims(), _claim_names: { groups: 'src1' }, _claim_sources: { src1: { endpoint: 'https://graph.example.org/' } } }, pages);
  t.is(entra.roles, ['a', 'staff', 'b'], 'groups of a token that has too many of them are fetched, all pages', entra);
  t.is(there.asked.map(({ url }) => url.searchParams.get('$skiptoken')), [null, '2'], '  by the links of the answers');
  t.ok(there.asked.every(({ token }) => /^Bearer ./.test(token)), '  with the access token');
  t.is((await entra.client.get('/staff/')).status, 200, '  and open paths');
  t.is((await rolesOf('microsoft-entra-id', { ...claims(), groups: ['staff'] }, pages)).roles, ['staff'], 'groups of the token are used as they are');
  t.is(there.asked, [], '  and nothing is asked');
  t.is((await rolesOf('microsoft-entra-id', claims(), () => ({ value: [] }))).roles ?? [], [], 'a user can have none');

  t.section('Google');
  const google = await rolesOf('google', claims(), (url, n) => ({ memberships: [{ groupKey: { id: n === 1 ? 'staff@example.org' : 'all@example.org' } }], nextPageToken: n === 1 ? 'p&2' : '' }));
  t.is(google.roles, ['staff@example.org', 'all@example.org'], 'the groups of the user, all pages', google);
  t.is(there.asked[0].url.searchParams.get('query'), "member_key_id == 'ada@example.org' && 'cloudidentity.googleapis.com/groups.discussion_forum' in labels", '  are asked for by the address');
  t.is(there.asked.map(({ url }) => url.searchParams.get('pageToken')), [null, 'p&2'], '  and by the tokens of the answers');
  t.is((await rolesOf('google', claims(), () => ({}))).roles ?? [], [], 'an empty list is left out there');

  t.section('A list that is not whole ends the sign-in');
  const many = (n) => Array.from({ length: n }, (_, i) => ({ id: `g${i}` }));
  for (const [what, groups, says, answer] of [
    ['a refusal', () => undefined, /returned status 400/],
    ['no JSON', () => 'groups', /JSON/],
    ['no list', () => ({ value: {} }), /no list where groups\.items= says/],
    ['a nameless group', () => ({ value: [{ id: 7 }] }), /no name where groups\.name= says/],
    ['another server', () => ({ value: [], '@odata.nextLink': 'http://127.0.0.1:1/groups' }), /the next page is at another server/],
    ['a link with a placeholder', () => ({ value: [], '@odata.nextLink': `${there.url}/x?t={token.access_token}` }), /the URL of the next page is invalid/],
    ['pages without end', (url, n) => ({ value: [], '@odata.nextLink': `${graph}&$skiptoken=${n}` }), /more than 20 pages/],
    ['too many groups', () => ({ value: many(5001) }), /more than 5000 groups/],
  ]) {
    const result = await rolesOf('microsoft-entra-id', answer || claims(), groups);
    t.is(result.error, 'OAuthCallback', `${what}: no session`, result);
    t.like(result.log, says, '  and the log says why');
  }
  for (const email of ["ada'@example.org", 'ada"@example.org', 'ada\\@example.org']) {
    const result = await rolesOf('google', claims(email), () => ({}));
    t.is([result.error, there.asked.length], ['OAuthCallback', 0], `${email}: cannot leave the quotation marks of the query`, result);
  }
  t.unlike(site.log(), /Bearer |access_token=[^{]/, 'no token is in the log');
});
