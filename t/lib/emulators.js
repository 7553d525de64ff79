'use strict';
// The shapes in which four providers answer, as their documentation has them: GitHub and Facebook
// as plain OAuth 2.0, Google and Entra ID as OpenID providers. `user` is whoever signs in next.
const crypto = require('node:crypto');
const http = require('node:http');
const { freePort } = require('./httpd.js');
const { startRogue, replies } = require('./rogue.js');

const tokenOf = (req) => /^Bearer (.+)$/.exec(req.headers.authorization || '')?.[1];
const s256 = (verifier) => crypto.createHash('sha256').update(verifier || '').digest('base64url');

// OAuth 2.0 alone: `paths` says where authorization and token live, `shape` how answers look.
class OAuth2 {
  constructor(port, paths, shape) {
    Object.assign(this, { port, url: `http://localhost:${port}`, paths, shape, user: {}, journal: [], codes: new Map(), tokens: new Map() });
  }

  requests(path) {
    return this.journal.filter((entry) => entry.path === path);
  }

  authorize(query) {
    const code = crypto.randomUUID();
    this.codes.set(code, { ...query, user: this.user });
    const back = new URL(query.redirect_uri);
    const answer = { code, state: query.state, ...this.shape.authorize };
    for (const [name, value] of Object.entries(answer)) if (value !== undefined) back.searchParams.set(name, value);
    return replies.redirect(back.href);
  }

  token(req, form) {
    const asked = this.codes.get(form.code);
    this.codes.delete(form.code);
    const good = asked && asked.redirect_uri === form.redirect_uri && (!asked.code_challenge || s256(form.code_verifier) === asked.code_challenge);
    if (!good) return this.shape.refuse(req);
    const token = crypto.randomUUID();
    this.tokens.set(token, asked.user);
    return this.shape.grant(req, token);
  }

  answer(req, path, query, form) {
    if (path === this.paths.authorize) return this.authorize(query);
    if (path === this.paths.token && req.method === 'POST') return this.token(req, form);
    const user = this.tokens.get(tokenOf(req));
    return this.shape.api(path, { req, query, user }) || replies.json({ message: 'Not Found' }, 404);
  }

  async listen(t) {
    const server = http.createServer(async (req, res) => {
      const url = new URL(req.url, this.url);
      const parts = [];
      for await (const part of req) parts.push(part);
      const query = Object.fromEntries(url.searchParams);
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(parts).toString()));
      this.journal.push({ path: url.pathname, method: req.method, headers: req.headers, query, form });
      this.answer(req, url.pathname, query, form).send(res);
    });
    await new Promise((resolve) => { server.listen(this.port, '127.0.0.1', resolve); });
    t.cleanup(() => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }));
    return this;
  }
}

const startOAuth2 = async (t, paths, shape) => new OAuth2(await freePort(), paths, shape).listen(t);

// Errors come with status 200, and whoever does not ask for JSON gets a form. `user.emails` is
// what /user/emails lists; the rest is the profile.
function startGithub(t) {
  const inForm = (fields) => replies.text(200, 'application/x-www-form-urlencoded', new URLSearchParams(fields).toString());
  const speak = (req, fields) => (/json/.test(req.headers.accept) ? replies.json(fields) : inForm(fields));
  return startOAuth2(t, { authorize: '/login/oauth/authorize', token: '/login/oauth/access_token' }, {
    authorize: { iss: 'https://github.com/login/oauth' },
    refuse: (req) => speak(req, { error: 'bad_verification_code', error_description: 'The code passed is incorrect or expired.' }),
    grant: (req, token) => speak(req, { access_token: token, scope: 'read:user,user:email', token_type: 'bearer' }),
    api(path, { req, user }) {
      if (!req.headers['user-agent']) return replies.text(403, 'text/plain', 'Request forbidden by administrative rules.');
      if (!user) return replies.json({ message: 'Bad credentials' }, 401);
      const { emails, ...profile } = user;
      if (path === '/user') return replies.json(profile);
      if (path !== '/user/emails') return undefined;
      return emails ? replies.json(emails) : replies.json({ message: 'Resource not accessible by integration' }, 403);
    },
  });
}

// Tells of a user what `fields` names, and id and name without it.
function startFacebook(t) {
  const failure = (message, code) => replies.json({ error: { message, type: 'OAuthException', code, fbtrace_id: 'A' } }, 400);
  return startOAuth2(t, { authorize: '/v19.0/dialog/oauth', token: '/oauth/access_token' }, {
    refuse: () => failure('This authorization code has been used.', 100),
    grant: (req, token) => replies.json({ access_token: token, token_type: 'bearer', expires_in: 5_183_944 }),
    api(path, { query, user }) {
      if (path !== '/me') return undefined;
      if (!user) return failure('Invalid OAuth access token.', 190);
      const fields = (query.fields || 'id,name').split(',');
      return replies.json(Object.fromEntries(fields.filter((name) => name in user).map((name) => [name, user[name]])));
    },
  });
}

// A provider that nobody knows: no token_type, the profile wherever `user` has it.
function startHomemade(t) {
  return startOAuth2(t, { authorize: '/authorize', token: '/token' }, {
    refuse: () => replies.json({ error: 'invalid_grant' }, 400),
    grant: (req, token) => replies.json({ access_token: token }),
    api: (path, { user }) => (path === '/api/me' ? replies.json(user || {}, user ? 200 : 401) : undefined),
  });
}

// Google: an OpenID provider whose ID tokens name the organization as `hd`.
async function startGoogle(t) {
  const google = await startRogue(t);
  google.user = {};
  google.faults.google = { claims: (honest) => ({ ...honest, azp: honest.aud, ...google.user }) };
  return google;
}

// Entra ID: issuers by tenant. For several tenants discovery has a hole in the issuer, and the
// tokens fill it. `user.tid` is the tenant.
async function startEntra(t, tenants) {
  const entra = await startRogue(t);
  const issuer = (tenant) => `${entra.url}/${tenant}/v2.0`;
  entra.user = {};
  for (const tenant of tenants) {
    entra.faults[tenant] = {
      discovery: { issuer: issuer(['common', 'organizations', 'consumers'].includes(tenant) ? '{tenantid}' : tenant),
        authorization_response_iss_parameter_supported: undefined },
      authorize: { iss: undefined },
      claims: (honest) => ({ ...honest, at_hash: undefined, ver: '2.0', iss: issuer(entra.user.tid), ...entra.user }),
    };
  }
  return entra;
}

module.exports = { startGithub, startFacebook, startHomemade, startGoogle, startEntra };
