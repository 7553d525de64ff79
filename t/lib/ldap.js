'use strict';
// A real OpenLDAP server on a free loopback port, with its data in a folder of its own. It ends with
// the test.
const { execFileSync, spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { freePort, makeFolder, until } = require('./httpd.js');

const SUFFIX = 'dc=example,dc=org';
const SCHEMA = '/etc/ldap/schema';
const modules = ['/usr/lib/ldap', '/usr/lib64/openldap'].find((folder) => fs.existsSync(folder));
// Where the PATH has no sbin.
const slapd = ['/usr/sbin/slapd', '/usr/lib/openldap/slapd'].find((file) => fs.existsSync(file));

const ldapIsHere = () => Boolean(slapd && modules && fs.existsSync(`${SCHEMA}/inetorgperson.schema`)
  && spawnSync('ldapwhoami', ['-VV']).status === 0);

const entry = ([dn, attributes]) => `dn: ${dn}\n${Object.entries(attributes)
  .flatMap(([name, values]) => [values].flat().map((value) => `${name}: ${value}\n`)).join('')}\n`;

// Everybody's entry is an inetOrgPerson below ou=people; `users`: { uid: { attribute: value or values } }.
function directoryOf(users) {
  return [
    [SUFFIX, { objectClass: ['dcObject', 'organization'], o: 'Example', dc: 'example' }],
    [`ou=people,${SUFFIX}`, { objectClass: 'organizationalUnit', ou: 'people' }],
    ...Object.entries(users).map(([uid, attributes]) => [`uid=${uid},ou=people,${SUFFIX}`,
      { objectClass: 'inetOrgPerson', uid, cn: uid, sn: uid, ...attributes }]),
  ].map(entry).join('');
}

async function startLdap(t, users) {
  const folder = makeFolder(t);
  const port = await freePort();
  const url = `ldap://127.0.0.1:${port}`;
  const file = `${folder}/slapd.conf`;
  fs.mkdirSync(`${folder}/data`);
  fs.writeFileSync(`${folder}/users.ldif`, directoryOf(users));
  fs.writeFileSync(file, `${['core', 'cosine', 'inetorgperson'].map((name) => `include ${SCHEMA}/${name}.schema\n`).join('')}
modulepath ${modules}
moduleload back_mdb
pidfile ${folder}/slapd.pid
database mdb
directory ${folder}/data
suffix "${SUFFIX}"
`);
  execFileSync(slapd, ['-T', 'add', '-f', file, '-l', `${folder}/users.ldif`], { stdio: 'pipe' });
  const log = fs.openSync(`${folder}/server.log`, 'a');
  const child = spawn(slapd, ['-d', '0', '-f', file, '-h', url], { stdio: ['ignore', log, log] });
  fs.closeSync(log);
  let running = true;
  const gone = new Promise((resolve) => { child.on('exit', () => { running = false; resolve(); }); });
  t.cleanup(async () => {
    if (running) child.kill('SIGTERM');
    await gone;
  });
  await until('slapd answers', () => {
    if (!running) throw new Error(`slapd does not start:\n${fs.readFileSync(`${folder}/server.log`, 'utf8')}`);
    return spawnSync('ldapwhoami', ['-x', '-H', url]).status === 0;
  });
  // of the attributes that are named, and found by uid
  return { url, search: (...attributes) => `${url}/ou=people,${SUFFIX}?${attributes.join(',')}` };
}

module.exports = { ldapIsHere, startLdap };
