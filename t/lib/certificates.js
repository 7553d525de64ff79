'use strict';
const { execFileSync } = require('node:child_process');

// A key and a certificate, NAME.key and NAME.pem in `folder`: signed by itself where `more` has no CA.
function certify(folder, name, subject, ...more) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-nodes', '-days', '2', '-subj', `/CN=${subject}`, '-keyout', `${folder}/${name}.key`,
    '-out', `${folder}/${name}.pem`, ...more], { stdio: 'ignore' });
}

// libcurl keeps parsed certificates from 7.87 on.
function keepsCertificates() {
  const [major, minor] = execFileSync('curl-config', ['--version'], { encoding: 'utf8' }).match(/\d+/g).map(Number);
  return major > 7 || minor >= 87;
}

module.exports = { certify, keepsCertificates };
