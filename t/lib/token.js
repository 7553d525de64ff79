'use strict';
// Tokens as the packages make them, and as nobody should: JWE "dir" in a few lines of node:crypto.
const crypto = require('node:crypto');

const b64 = (data) => Buffer.from(data).toString('base64url');

function key(secret, salt = '') {
  const info = `NextAuth.js Generated Encryption Key${salt ? ` (${salt})` : ''}`;
  return Buffer.from(crypto.hkdfSync('sha256', secret, salt, info, 32));
}

// `plain`: claims, or the text to seal instead of them.
function seal(secret, plain, { salt = '', header = { alg: 'dir', enc: 'A256GCM' } } = {}) {
  const iv = crypto.randomBytes(12);
  const aad = b64(JSON.stringify(header));
  const cipher = crypto.createCipheriv('aes-256-gcm', key(secret, salt), iv);
  cipher.setAAD(Buffer.from(aad));
  const text = typeof plain === 'string' ? plain : JSON.stringify(plain);
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return [aad, '', b64(iv), b64(sealed), b64(cipher.getAuthTag())].join('.');
}

function open(secret, token, salt = '') {
  const [aad, , iv, sealed, tag] = token.split('.');
  const decipher = crypto.createDecipheriv('aes-256-gcm', key(secret, salt), Buffer.from(iv, 'base64url'));
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(Buffer.from(tag, 'base64url'));
  return JSON.parse(Buffer.concat([decipher.update(Buffer.from(sealed, 'base64url')), decipher.final()]).toString());
}

// What nextauth-sessions obeys, as nextauthctl seals it.
function sealOrder(secret, site, claims, lives = 60) {
  const iat = Math.floor(Date.now() / 1000);
  return seal(secret, { site, ...claims, iat, exp: iat + lives, jti: crypto.randomUUID() }, { salt: 'nextauth-sessions: orders' });
}

module.exports = { seal, open, sealOrder };
