'use strict';
const { execFileSync } = require('node:child_process');

// A key and a certificate, NAME.key and NAME.pem in `folder`: signed by itself where `more` has no CA.
function certify(folder, name, subject, ...more) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
    '-nodes', '-days', '2', '-subj', `/CN=${subject}`, '-keyout', `${folder}/${name}.key`,
    '-out', `${folder}/${name}.pem`, ...more], { stdio: 'ignore' });
}

module.exports = { certify };
