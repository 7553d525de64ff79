'use strict';
const crypto = require('node:crypto');

// A pair of KeyObjects, read back from PEM: node may deadlock over a key that it exports while it
// collects the job that generated it.
function generateKeys(kind, options = {}) {
  const pem = crypto.generateKeyPairSync(kind, { ...options,
    publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } });
  return { publicKey: crypto.createPublicKey(pem.publicKey), privateKey: crypto.createPrivateKey(pem.privateKey) };
}

module.exports = { generateKeys };
