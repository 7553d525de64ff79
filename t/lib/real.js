'use strict';
// OpenID Providers of other people as programs of their own: Keycloak and Ory Hydra, on free ports.
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { freePort, until } = require('./httpd.js');

const START_MS = 300_000; // Java, on a busy machine

// What the suite prepared for them: .ci/need-keycloak and .ci/need-hydra.
const prepared = (name) => [process.env.BUILD, 'build'].filter(Boolean)
  .map((folder) => path.resolve(__dirname, '../..', folder, name)).find((file) => fs.existsSync(file));

const keycloak = () => prepared('keycloak/ready') && path.join(prepared('keycloak'), 'current');

const missing = {
  keycloak: () => (keycloak() ? null : 'there is no Keycloak (.ci/need-keycloak build/keycloak)'),
  hydra: () => (prepared('hydra/hydra') ? null : 'there is no Hydra (.ci/need-hydra build/hydra)'),
};

const status = (url) => new Promise((resolve) => {
  http.get(url, { agent: false }, (answer) => { answer.resume(); resolve(answer.statusCode); }).on('error', () => resolve(0));
});

// Runs a server until the test ends, in a folder of its own.
async function run(t, program, args, env, ready) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'nextauth-real-'));
  const log = path.join(folder, 'log');
  const out = fs.openSync(log, 'a');
  let over = false;
  const child = spawn(program, args(folder), { env: { ...process.env, ...env(folder) }, cwd: folder, stdio: ['ignore', out, out], detached: true });
  const gone = new Promise((resolve) => { child.on('exit', () => { over = true; resolve(); }); });
  t.cleanup(async () => {
    // its group, because scripts start what serves
    if (!over) process.kill(-child.pid, 'SIGKILL');
    await gone;
    fs.closeSync(out);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  await until(`${path.basename(program)} is up`, async () => over || await status(ready) === 200, START_MS);
  if (over) throw new Error(`${program} does not start:\n${fs.readFileSync(log, 'utf8').slice(-3000)}`);
  return { log: () => fs.readFileSync(log, 'utf8') };
}

async function ask(method, url, body, bearer) {
  const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
  const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

// Of a client that may manage the realm.
async function managerToken(url) {
  const form = { grant_type: 'client_credentials', client_id: 'manager', client_secret: 'the secret of the manager' };
  const answer = await fetch(`${url}/realms/site/protocol/openid-connect/token`, { method: 'POST', body: new URLSearchParams(form) });
  return (await answer.json()).access_token;
}

// With the realm of t/keycloak/realm.json.
async function startKeycloak(t) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const home = keycloak();
  const database = (folder) => `jdbc:h2:file:${folder}/h2/keycloakdb;NON_KEYWORDS=VALUE;DB_CLOSE_ON_EXIT=FALSE`;
  const args = (folder) => {
    fs.cpSync(path.join(home, 'data/h2'), path.join(folder, 'h2'), { recursive: true });
    return ['start', '--optimized', '--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`,
      `--hostname=${url}`, '--cache=local', `--db-url=${database(folder)}`];
  };
  const server = await run(t, path.join(home, 'bin/kc.sh'), args, () => ({ JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m', JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1' }),
    `${url}/realms/site/.well-known/openid-configuration`);
  const admin = async (method, what, body) => ask(method, `${url}/admin/realms/site/${what}`, body, await managerToken(url));
  return { ...server, url, issuer: `${url}/realms/site`,
    // Changes a client: members of its attributes replace those of before.
    change: async (clientId, attributes) => {
      const [client] = await admin('GET', `clients?clientId=${clientId}`);
      return admin('PUT', `clients/${client.id}`, { ...client, attributes: { ...client.attributes, ...attributes } });
    },
    // As an administrator of the realm does: Keycloak tells the clients.
    signOut: async (username) => {
      const [person] = await admin('GET', `users?username=${username}`);
      return admin('POST', `users/${person.id}/logout`);
    },
    // From now on, level 1 is a password, level 2 in addition a code, for a new user who can give both.
    stepUp: async (person, password, otp) => {
      const post = (what, body) => admin('POST', `authentication/${what}`, body);
      const part = async (parent, alias, requirement) => {
        await post(`flows/${parent}/executions/flow`, { alias, type: 'basic-flow' });
        const added = (await admin('GET', `authentication/flows/${parent}/executions`)).find(({ displayName }) => displayName === alias);
        await admin('PUT', `authentication/flows/${parent}/executions`, { ...added, requirement });
      };
      const step = async (parent, provider, requirement, config) => {
        await post(`flows/${parent}/executions/execution`, { provider });
        const added = (await admin('GET', `authentication/flows/${parent}/executions`)).find(({ providerId, level }) => providerId === provider && !level);
        await admin('PUT', `authentication/flows/${parent}/executions`, { ...added, requirement });
        if (config) await post(`executions/${added.id}/config`, { alias: `${parent} config`, config });
      };
      await post('flows', { alias: 'levels', providerId: 'basic-flow', topLevel: true, builtIn: false });
      await step('levels', 'auth-cookie', 'ALTERNATIVE');
      await part('levels', 'levels-forms', 'ALTERNATIVE');
      for (const [level, form] of [['1', 'auth-username-password-form'], ['2', 'auth-otp-form']]) {
        await part('levels-forms', `level-${level}`, 'CONDITIONAL');
        await step(`level-${level}`, 'conditional-level-of-authentication', 'REQUIRED', { 'loa-condition-level': level, 'loa-max-age': '36000' });
        await step(`level-${level}`, form, 'REQUIRED');
      }
      await admin('PUT', '', { browserFlow: 'levels' });
      await admin('POST', 'users', { ...person, enabled: true, emailVerified: true, credentials: [{ type: 'password', value: password },
        { type: 'otp', secretData: JSON.stringify({ value: otp }), credentialData: JSON.stringify({ subType: 'totp', digits: 6, counter: 0, period: 30, algorithm: 'HmacSHA1' }) }] });
    },
    // From now on, tokens are signed with another key.
    rotate: () => admin('POST', 'components', { name: `rsa ${crypto.randomUUID()}`, providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider', config: { priority: ['1000'], algorithm: ['RS256'] } }) };
}

// Hydra leaves signing in to an application: this one lets `user` in, who agrees to all that is asked.
const user = { name: 'Carol Carter', email: 'carol@example.org', email_verified: true, groups: ['authors'] };

async function consent(admin, url) {
  const [kind, challenge] = [...url.searchParams][0];
  const at = (what, word) => `${admin}/admin/oauth2/auth/requests/${what}${word}?${kind}=${challenge}`;
  if (kind === 'login_challenge') {
    return ask('PUT', at('login', '/accept'), { subject: 'carol', acr: 'second-factor', amr: ['pwd', 'otp'], remember: true, remember_for: 600 });
  }
  if (kind === 'logout_challenge') return ask('PUT', at('logout', '/accept'));
  const asked = await ask('GET', at('consent', ''));
  return ask('PUT', at('consent', '/accept'), { grant_scope: asked.requested_scope,
    grant_access_token_audience: asked.requested_access_token_audience, session: { id_token: user } });
}

async function startHydra(t) {
  const [port, adminPort, ownPort] = [await freePort(), await freePort(), await freePort()];
  const [issuer, admin, own] = [port, adminPort, ownPort].map((each) => `http://localhost:${each}`);
  const server = http.createServer(async (req, res) => {
    try {
      const { redirect_to: location } = await consent(admin, new URL(req.url, own));
      res.writeHead(302, { location });
    } catch (error) {
      res.writeHead(500, { 'content-type': 'text/plain' });
      res.write(error.message);
    }
    res.end();
  });
  await new Promise((resolve) => { server.listen(ownPort, '127.0.0.1', resolve); });
  t.cleanup(() => { server.closeAllConnections(); server.close(); });
  const env = { DSN: 'memory', SERVE_PUBLIC_PORT: port, SERVE_ADMIN_PORT: adminPort, SERVE_PUBLIC_HOST: '127.0.0.1', SERVE_ADMIN_HOST: '127.0.0.1',
    URLS_SELF_ISSUER: issuer, URLS_LOGIN: `${own}/login`, URLS_CONSENT: `${own}/consent`, URLS_LOGOUT: `${own}/logout`,
    SECRETS_SYSTEM: 'a secret of thirty-two bytes or more', OIDC_DYNAMIC_CLIENT_REGISTRATION_ENABLED: 'true',
    WEBFINGER_OIDC_DISCOVERY_CLIENT_REGISTRATION_URL: `${issuer}/oauth2/register`, SQA_OPT_OUT: 'true' };
  const program = await run(t, prepared('hydra/hydra'), () => ['serve', 'all', '--dev'], () => env, `${admin}/health/ready`);
  return { ...program, issuer, admin, register: (client) => ask('POST', `${admin}/admin/clients`, client) };
}

module.exports = { missing, startHydra, startKeycloak };
