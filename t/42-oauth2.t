#!/usr/bin/env node
'use strict';
const { suite } = require('./lib/suite.js');
const { startGithub, startFacebook, startHomemade, startGoogle, startEntra } = require('./lib/emulators.js');

const common = `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret 0123456789abcdef0123456789abcdef
NextAuthHTTP timeout=2 connectTimeout=1
NextAuthSessionClaim sub roles tenant login`;
const session = 'next-auth.session-token';
const client = 'clientId=the-client clientSecret=what-only-the-client-knows';
const checks = (c) => [...c.cookies.keys()].filter((name) => /^next-auth\.(state|pkce\.code_verifier|nonce)/.test(name));

// Presses the button and goes wherever that leads, to the site's last word.
async function signIn(t, site, provider, id, user) {
  const c = t.client(site);
  provider.user = user;
  const away = await c.page((await c.signIn(id)).location);
  return { c, away, answer: await c.page(away.location) };
}

const complaints = (site) => site.log().split('\n').filter((line) => /\[nextauth:(warn|error)\]/.test(line));
const lastComplaint = (site) => complaints(site).at(-1);

suite('Google, GitHub, Facebook, Entra ID, and providers that nobody knows', async (t) => {
  t.withOneMpm();
  const read = new Map(); // how many complaints of each site's log were looked at
  const refusedBy = (site, { c, answer }, says, why, code = 'OAuthCallback') => {
    t.is(answer.location, `${site.url}/api/auth/error?error=${code}`, `refused: ${why}`);
    t.is([c.cookie(session), checks(c)], [undefined, []], '  without a session, and the checks are gone');
    t.like(complaints(site).slice(read.get(site)).at(-1) || '', says, '  and the log says why');
    read.set(site, complaints(site).length);
  };

  t.section('GitHub');
  {
    const github = await startGithub(t);
    const site = await t.httpd({ config: `${common}
NextAuthProvider github ${client} authorization=${github.url}/login/oauth/authorize token=${github.url}/login/oauth/access_token userinfo=${github.url}/user emails=${github.url}/user/emails
NextAuthClaim login "%{PROFILE:login}"
NextAuthRole owner "%{PROFILE:id} == '583231'"` });
    const octocat = { login: 'octocat', id: 583231, name: 'The Octocat', email: 'octocat@example.org', avatar_url: 'https://pictures.example.org/u/583231' };
    const address = (email, primary, verified) => ({ email, primary, verified, visibility: null });
    {
      const { c, answer } = await signIn(t, site, github, 'github', octocat);
      t.is(answer.location, site.url, 'a user signs in');
      t.is((await c.session()).user, { name: 'The Octocat', email: 'octocat@example.org', image: octocat.avatar_url,
        id: '583231', roles: ['owner'], login: 'octocat' }, 'as the profile says, the number being the id');
      t.is(checks(c), [], 'and no check is left');
      t.is(github.requests('/user/emails'), [], 'a public address is taken as it is');
      const [{ query }] = github.requests('/login/oauth/authorize');
      t.is([query.scope, query.response_type, query.client_id, 'nonce' in query], ['read:user user:email', 'code', 'the-client', false], 'the authorization request asks for the profile and the addresses');
      t.is(github.requests('/login/oauth/access_token')[0].headers.accept, 'application/json', 'the token is asked for in JSON');
      t.like(github.requests('/user')[0].headers['user-agent'], /^mod_nextauth\//, 'and the API knows who asks');
    }
    for (const [emails, expected, what] of [
      [[address('old@example.org', false, true), address('main@example.org', true, true), address('new@example.org', false, true)], 'main@example.org', 'of private addresses the primary one counts'],
      [[address('claimed@example.org', true, false), address('mine@example.org', false, true)], 'mine@example.org', 'but not if it is unverified: a verified one does'],
      [[address('claimed@example.org', true, false), address('too@example.org', false, false)], undefined, 'unverified addresses are none'],
      [[{ email: 'x@example.org', primary: true, verified: 'true' }], undefined, 'nor does a word make one verified'],
      [[], undefined, 'nor is an empty list one'],
      [undefined, undefined, 'nor a list that this application may not see'],
    ]) {
      const { c, answer } = await signIn(t, site, github, 'github', { ...octocat, email: null, emails });
      t.is([answer.location, (await c.session()).user?.email], [site.url, expected], what) || t.diag(lastComplaint(site));
    }
    {
      const { c } = await signIn(t, site, github, 'github', { login: 'ghost', id: 10137, name: null, email: 'g@example.org' });
      t.is((await c.session()).user, { name: 'ghost', email: 'g@example.org', id: '10137', roles: [], login: 'ghost' }, 'who has no name goes by the login');
    }
    for (const [what, odd, missing] of [
      ['a picture that is its own bytes', { avatar_url: `data:image/png;base64,${'A'.repeat(9000)}` }, 'image'],
      ['a name of 3,000 characters', { name: 'n'.repeat(3000) }, 'name'],
      ['a picture that is an object', { avatar_url: { url: 'x' } }, 'image'],
      ['a picture that is a list', { avatar_url: ['x'] }, 'image'],
      ['an address that is a list', { email: ['octocat@example.org'] }, 'email'],
    ]) {
      const { c, answer } = await signIn(t, site, github, 'github', { ...octocat, ...odd });
      const { user } = await c.session();
      t.is([answer.location, user.id, missing in user], [site.url, '583231', false], `${what} is left out`);
    }
    t.is(['image', 'name'].map((name) => site.log().includes(`the profile's ${name} is ignored: it has `)), [true, true], 'and the log says so');
    refusedBy(site, await signIn(t, site, github, 'github', { ...octocat, id: undefined }), /the profile from 'github' has no user ID/, 'a profile without an id');
    refusedBy(site, await signIn(t, site, github, 'github', { ...octocat, id: null }), /the profile from 'github' has no user ID/, 'or with none to speak of');
    refusedBy(site, await signIn(t, site, github, 'github', undefined), /the userinfo endpoint returned status 401/, 'bad credentials');
    {
      const c = t.client(site);
      github.user = octocat;
      const away = await c.page((await c.signIn('github')).location);
      github.codes.clear();
      refusedBy(site, { c, answer: await c.page(away.location) }, /token endpoint returned the error 'bad_verification_code' \(The code passed is incorrect or expired\.\)/, 'an error, though its status is 200');
      const other = t.client(site);
      const elsewhere = new URL((await other.page((await other.signIn('github')).location)).location);
      elsewhere.searchParams.set('iss', 'https://evil.example.org');
      refusedBy(site, { c: other, answer: await other.page(elsewhere.href) }, /iss of the callback does not match the issuer/, 'a callback of another issuer');
    }
    const denied = t.client(site);
    const { searchParams } = new URL((await denied.signIn('github')).location);
    refusedBy(site, { c: denied, answer: await denied.page(`/api/auth/callback/github?error=access_denied&error_description=The+user+has+denied&state=${searchParams.get('state')}`) },
      /the provider returned access_denied \(The user has denied\)/, 'a user who says no', 'Callback');
    t.unlike(site.log(), /what-only-the-client-knows/, 'no client secret is in the log');
  }

  t.section('Facebook');
  {
    const facebook = await startFacebook(t);
    const site = await t.httpd({ config: `${common}
NextAuthProvider facebook ${client} authorization=${facebook.url}/v19.0/dialog/oauth token=${facebook.url}/oauth/access_token userinfo=${facebook.url}/me` });
    const picture = { data: { height: 50, is_silhouette: false, url: 'https://pictures.example.org/p.jpg?a=1&b=2', width: 50 } };
    const user = { id: '10223334445556677', name: 'Fay Book', email: 'fay@example.org', picture, birthday: '01/01/1990' };
    const { c, answer } = await signIn(t, site, facebook, 'facebook', user);
    t.is(answer.location, site.url, 'a user signs in');
    t.is((await c.session()).user, { name: 'Fay Book', email: 'fay@example.org', image: picture.data.url, id: user.id, roles: [] }, 'with the picture\'s address');
    t.is(facebook.requests('/me')[0].query.fields, 'id,name,email,picture', 'whose fields were asked for');
    t.is(facebook.requests('/v19.0/dialog/oauth')[0].query.scope, 'email', 'as was the address');
    const { c: phone } = await signIn(t, site, facebook, 'facebook', { id: '1', name: 'Phone Only' });
    t.is((await phone.session()).user, { name: 'Phone Only', id: '1', roles: [] }, 'who signed up by telephone has no address');
    refusedBy(site, await signIn(t, site, facebook, 'facebook', { name: 'Nobody' }), /the profile from 'facebook' has no user ID/, 'a profile without an id');
    const late = t.client(site);
    const away = await late.page((await late.signIn('facebook')).location);
    facebook.codes.clear();
    refusedBy(site, { c: late, answer: await late.page(away.location) }, /nextauth:warn.*token endpoint returned the error 'OAuthException' \(This authorization code has been used\.\)/, 'a used code');
  }

  t.section('Google');
  {
    const google = await startGoogle(t);
    const site = await t.httpd({ config: `${common}
NextAuthProvider google ${client} issuer=${google.issuer('google')}
NextAuthSignInRule allow "%{PROFILE:hd} == 'example.org' && %{PROFILE:email_verified} == 'true'"` });
    const user = { sub: '110169484474386276334', hd: 'example.org', email: 'gil@example.org', email_verified: true, name: 'Gil Oogle',
      given_name: 'Gil', picture: 'https://pictures.example.org/gil=s96-c' };
    const { c, answer } = await signIn(t, site, google, 'google', user);
    t.is(answer.location, site.url, 'a user of the organization signs in');
    t.is((await c.session()).user, { name: user.name, email: user.email, image: user.picture, id: user.sub, roles: [] }, 'as the ID token says');
    const [{ query }] = google.requests('google', 'authorize');
    t.is([query.scope, query.code_challenge_method, Boolean(query.nonce)], ['openid profile email', 'S256', true], 'by the code flow with all checks');
    t.is(google.requests('google', 'userinfo'), [], 'without asking for more than the ID token');
    for (const [claims, why] of [[{ hd: undefined }, 'a private account'], [{ hd: ['example.org', 'evil.example'] }, 'one organization among several'], [{ hd: 'example.com' }, 'another organization'],
      [{ hd: { name: 'example.org' } }, 'an organization that is no text'],
      [{ hd: undefined, email: 'x@example.org' }, 'an address alone'], [{ email_verified: false }, 'an unverified address']]) {
      refusedBy(site, await signIn(t, site, google, 'google', { ...user, ...claims }), /no NextAuthSignInRule allows the sign-in/, why, 'AccessDenied');
    }
    t.is((await c.session()).user.id, user.sub, 'who is in, stays in');
  }

  t.section('Entra ID');
  {
    const ours = '9188040d-6c67-4c5b-b112-36a304b66dad';
    const theirs = 'f8cdef31-a31e-4b4a-93e4-5f571e91255a';
    const entra = await startEntra(t, ['common', ours]);
    const wellKnown = `wellKnown=${entra.url}/{tenant}/v2.0/.well-known/openid-configuration`;
    const site = await t.httpd({ config: `${common}
NextAuthProvider azure-ad ${client} ${wellKnown}
NextAuthProvider microsoft-entra-id ${client} tenant=${ours} ${wellKnown}
NextAuthClaim tenant "%{PROFILE:tid}"` });
    const user = { tid: ours, sub: 'AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ', oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
      name: 'Abe Lincoln', email: 'abe@example.org', preferred_username: 'abe@example.org' };
    for (const tid of [ours, theirs]) {
      const { c, answer } = await signIn(t, site, entra, 'azure-ad', { ...user, tid });
      t.is(answer.location, site.url, `for all tenants: a user of ${tid} signs in`) || t.diag(lastComplaint(site));
      t.is((await c.session()).user, { name: user.name, id: user.sub, roles: [], tenant: tid }, '  without an address, which any tenant may make up');
    }
    const { c: edov } = await signIn(t, site, entra, 'azure-ad', { ...user, tid: theirs, xms_edov: true });
    t.is((await edov.session()).user.email, user.email, 'an address of a domain that the tenant owns is taken');
    const otherwise = await t.httpd({ config: `${common}
NextAuthProvider microsoft-entra-id ${client} wellKnown=${entra.url}/common/v2.0/.well-known/openid-configuration
NextAuthProvider azure-ad ${client} ${wellKnown} idToken=false` });
    const { c: literal } = await signIn(t, otherwise, entra, 'microsoft-entra-id', { ...user, tid: theirs });
    t.is((await literal.session()).user, { name: user.name, id: user.sub, roles: [] }, 'the same for all tenants by an address that names them');
    entra.faults.common.userinfo = { sub: user.sub, email: 'victim@example.org', email_verified: undefined };
    const { c: apart } = await signIn(t, otherwise, entra, 'azure-ad', { ...user, tid: theirs, email: undefined, xms_edov: true });
    t.is((await apart.session()).user, { name: user.name, id: user.sub, roles: [] }, 'what the ID token says is not said of userinfo\'s address');
    const { c: own, answer } = await signIn(t, site, entra, 'microsoft-entra-id', user);
    t.is(answer.location, site.url, 'for one tenant: its user signs in') || t.diag(lastComplaint(site));
    t.is((await own.session()).user, { name: user.name, email: user.email, id: user.sub, roles: [], tenant: ours }, '  with the address');
    t.is(entra.requests(ours, 'userinfo'), [], '  without asking for more than the ID token');
    refusedBy(site, await signIn(t, site, entra, 'microsoft-entra-id', { ...user, tid: theirs }), /iss does not match the issuer/, 'another tenant\'s user');
    refusedBy(site, await signIn(t, site, entra, 'microsoft-entra-id', { ...user, tid: ours, iss: `${entra.url}/${theirs}/v2.0` }), /iss does not match the issuer/, 'though tid says otherwise');
    for (const [claims, says, why] of [
      [{ tid: theirs, iss: `${entra.url}/${ours}/v2.0` }, /iss does not match the issuer/, 'a tid that is not the issuer\'s'],
      [{ iss: `${entra.url}/{tenantid}/v2.0` }, /iss does not match the issuer/, 'an issuer with the hole in it'],
      [{ tid: undefined }, /tid is not a tenant ID/, 'no tid'],
      [{ tid: '{tenantid}' }, /tid is not a tenant ID/, 'a tid that is the hole'],
      [{ tid: `${ours}/v2.0/../x` }, /tid is not a tenant ID/, 'a tid with a path in it'],
      [{ tid: '' }, /refused/, 'an empty tid'],
      [{ tid: 7 }, /tid is not a tenant ID/, 'a tid that is a number'],
    ]) refusedBy(site, await signIn(t, site, entra, 'azure-ad', { ...user, ...claims }), says, why);
  }

  t.section('any OAuth 2.0 provider');
  {
    const home = await startHomemade(t);
    const endpoints = `authorization=${home.url}/authorize?realm=one token=${home.url}/token userinfo=${home.url}/api/me?v=2`;
    const site = await t.httpd({ config: `${common}
NextAuthProvider home type=oauth "name=Our home" ${client} ${endpoints} "scope=me mail" "authorization.params=audience=the+api" userinfo.params=expand=all profile.id=data.user.uid|data.user.legacy "profile.name=data.user.names.0.full|data.login" profile.email=data.user.contact.mail emailVerified=always profile.image=data.picture.url
NextAuthProvider plain type=oauth ${client} ${endpoints} emailVerified=always checks=state token_endpoint_auth_method=client_secret_post
NextAuthProvider own type=oauth ${client} ${endpoints} emailVerified=always checks=state "token.params=assertion={code}&client_assertion={clientSecret}"` });
    const { c, answer } = await signIn(t, site, home, 'home', { data: { login: 'hedy', picture: { url: 'https://pictures.example.org/h' },
      user: { uid: 77, names: [{ full: 'Hedy Home' }, { full: 'Other' }], contact: { mail: 'hedy@example.org' } } } });
    t.is(answer.location, site.url, 'a user signs in');
    t.is((await c.session()).user, { name: 'Hedy Home', email: 'hedy@example.org', image: 'https://pictures.example.org/h', id: '77', roles: [] }, 'with what the dotted paths lead to');
    const [{ query }] = home.requests('/authorize');
    t.is([query.realm, query.audience, query.scope], ['one', 'the api', 'me mail'], 'the authorization request has its parameters');
    t.like(query.state, /^[\w-]{43}$/, 'and the state');
    t.is(home.requests('/api/me')[0].query, { v: '2', expand: 'all' }, 'and so has the question for the user');
    const { c: second } = await signIn(t, site, home, 'home', { data: { login: 'ida', user: { uid: null, legacy: 'i-1', names: [] } } });
    t.is((await second.session()).user, { name: 'ida', id: 'i-1', roles: [] }, 'what is not there is looked for elsewhere');
    for (const [user, why] of [[{ data: { user: { uid: { deep: 1 } } } }, 'an id that is no scalar'], [{ data: { user: { uid: '' } } }, 'an empty id'],
      [{ sub: '1', id: '1' }, 'an id elsewhere'], [{ data: 'text' }, 'no such path'], [{ data: null }, 'no profile']]) {
      refusedBy(site, await signIn(t, site, home, 'home', user), /the profile from 'home' has no user ID \(member data\.user\.uid\|data\.user\.legacy\)/, why);
    }
    const plain = await signIn(t, site, home, 'plain', { id: 5, login: 'lou', email: 'lou@example.org', avatar_url: 'https://pictures.example.org/l' });
    t.is((await plain.c.session()).user, { name: 'lou', email: 'lou@example.org', image: 'https://pictures.example.org/l', id: '5', roles: [] }, 'without a mapping the usual names are looked for');
    const asked = home.requests('/authorize').at(-1).query;
    t.is(['code_challenge', 'nonce', 'scope'].filter((name) => name in asked), [], 'only the checks asked for are made');
    const { form, headers } = home.requests('/token').at(-1);
    t.is([form.client_secret, 'code_verifier' in form, headers.authorization], ['what-only-the-client-knows', false, undefined], 'and the secret is sent as configured');
    const forger = t.client(site);
    const begun = new URL((await forger.signIn('own')).location);
    await forger.page(`${site.url}/api/auth/callback/own?code=%7BclientSecret%7D&state=${begun.searchParams.get('state')}`);
    const forged = home.requests('/token').at(-1).form;
    t.is([forged.assertion, forged.client_assertion], ['{clientSecret}', 'what-only-the-client-knows'], 'a code that looks like a placeholder of token.params= is sent as it is');
    const evil = t.client(site);
    const away = new URL((await evil.page((await evil.signIn('plain')).location)).location);
    away.searchParams.set('state', 'x'.repeat(43));
    t.is((await evil.page(away.href)).location, `${site.url}/api/auth/error?error=OAuthCallback`, 'another state is refused');
    t.is(evil.cookie(session), undefined, '  and signs nobody in');
  }
});
