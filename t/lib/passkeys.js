'use strict';
// Authenticators: one in software that can lie, for requests without a browser, and Chromium's
// virtual ones.
const crypto = require('node:crypto');

// ── CBOR, as much as an authenticator writes ────────────────────────────────────────────────────

const head = (major, n) => (n < 24 ? Buffer.from([(major << 5) | n]) : n < 256 ? Buffer.from([(major << 5) | 24, n]) : Buffer.from([(major << 5) | 25, n >> 8, n & 255]));
const number = (n) => (n < 0 ? head(1, -1 - n) : head(0, n));
const text = (t) => Buffer.concat([head(3, t.length), Buffer.from(t)]);
const bytes = (b) => Buffer.concat([head(2, b.length), b]);
const map = (...pairs) => Buffer.concat([head(5, pairs.length / 2), ...pairs]);

const sha256 = (data) => crypto.createHash('sha256').update(data).digest();
const FLAGS = { UP: 1, UV: 4, BE: 8, BS: 16, AT: 64 };

// ── in software ─────────────────────────────────────────────────────────────────────────────────

/*
 * A passkey of ES256. Both methods take the site's options and give what a page sends; `lies`
 * replaces what the page or the authenticator says: origin, rpId, challenge, type, flags, counter,
 * key, id, userHandle (null for none), and `client`, more of the client data.
 */
class Passkey {
  constructor(origin, { flags = FLAGS.UP | FLAGS.UV } = {}) {
    this.origin = origin;
    this.flags = flags;
    this.counter = 0;
    this.id = crypto.randomBytes(16);
    this.keys = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' });
  }

  cose() {
    const { x, y } = this.keys.publicKey.export({ format: 'jwk' });
    const part = (value) => bytes(Buffer.from(value, 'base64url'));
    return map(number(1), number(2), number(3), number(-7), number(-1), number(1), number(-2), part(x), number(-3), part(y));
  }

  data(rpId, flags, counter, more = Buffer.alloc(0)) {
    const rest = Buffer.alloc(5);
    rest.writeUInt8(flags, 0);
    rest.writeUInt32BE(counter, 1);
    return Buffer.concat([sha256(rpId), rest, more]);
  }

  client(type, options, lies) {
    return Buffer.from(JSON.stringify({ type: lies.type || type, challenge: lies.challenge || options.challenge, origin: lies.origin || this.origin, crossOrigin: false, ...lies.client }));
  }

  answer(response, lies) {
    const id = (lies.id || this.id).toString('base64url');
    const encoded = Object.entries(response).map(([name, value]) => [name, Buffer.isBuffer(value) ? value.toString('base64url') : value]);
    return JSON.stringify({ id, rawId: id, type: 'public-key', response: Object.fromEntries(encoded), clientExtensionResults: {} });
  }

  create(options, lies = {}) {
    if (options.user) this.userHandle = Buffer.from(options.user.id); // as pages of Auth.js and ours pass it on
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.id.length]), this.id, this.cose()]);
    const data = this.data(lies.rpId || options.rp.id, lies.flags ?? (this.flags | FLAGS.AT), lies.counter ?? this.counter, attested);
    const attestationObject = lies.attestationObject || map(text('fmt'), text('none'), text('attStmt'), map(), text('authData'), bytes(data));
    return this.answer({ clientDataJSON: this.client('webauthn.create', options, lies), attestationObject, transports: ['internal'] }, lies);
  }

  get(options, lies = {}) {
    const data = this.data(lies.rpId || options.rpId, lies.flags ?? this.flags, lies.counter ?? this.counter);
    const clientDataJSON = this.client('webauthn.get', options, lies);
    const signature = crypto.sign('sha256', Buffer.concat([data, sha256(clientDataJSON)]), lies.key || this.keys.privateKey);
    if (lies.spoiled) signature[signature.length - 1] ^= 1;
    const userHandle = lies.userHandle === undefined ? this.userHandle : lies.userHandle;
    return this.answer({ clientDataJSON, authenticatorData: data, signature, ...(userHandle && { userHandle }) }, lies);
  }
}

const optionsOf = async (client, action, query = '') => (await client.get(`/api/auth/webauthn-options/passkey?action=${action}${query}`)).json;

async function post(client, action, data, fields = {}) {
  return client.post('/api/auth/callback/passkey', { csrfToken: await client.csrf(), action, data, ...fields });
}

// Adds a passkey to the user who is signed in, or signs in with it; the answer is that of the callback.
async function addPasskey(client, passkey, fields, lies) {
  const { options } = await optionsOf(client, 'register');
  return post(client, 'register', passkey.create(options, lies), fields);
}

async function usePasskey(client, passkey, fields, lies) {
  const { options } = await optionsOf(client, 'authenticate');
  return post(client, 'authenticate', passkey.get(options, lies), fields);
}

// ── Chromium's ──────────────────────────────────────────────────────────────────────────────────

const kinds = {
  platform: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
  roaming: { protocol: 'ctap2', transport: 'usb', hasResidentKey: true, hasUserVerification: true, isUserVerified: true },
};

// Plugs one in; `more` overrides its properties. Gives { credentials, verifies, unplug }.
async function plugIn(page, kind, more = {}) {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable', { enableUI: false });
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', { options: { ...kinds[kind], automaticPresenceSimulation: true, ...more } });
  const send = (method, params = {}) => session.send(`WebAuthn.${method}`, { authenticatorId, ...params });
  return {
    credentials: async () => (await send('getCredentials')).credentials,
    verifies: (isUserVerified) => send('setUserVerified', { isUserVerified }),
    unplug: () => send('removeVirtualAuthenticator'),
  };
}

module.exports = { FLAGS, Passkey, addPasskey, optionsOf, plugIn, post, usePasskey };
