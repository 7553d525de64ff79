#!/usr/bin/env node
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { suite } = require('./lib/suite.js');
const { check, htpasswd, makeFolder, root, until } = require('./lib/httpd.js');
const { buildModule, installedHeaders } = require('./lib/module.js');
const { Client } = require('./lib/client.js');

const NAME = 'next-auth.session-token';
const files = { users: htpasswd({ ada: 'x' }) };
const common = (...more) => `
NextAuthEngine On
NextAuthMode test
NextAuthURL http://localhost:@PORT@
NextAuthSecret "the secret of this site has 32 bytes"
NextAuthProvider credentials backend=file:@DIR@/users
${more.join('\n')}
<Location /members/>
  AuthType NextAuth
  Require valid-user
</Location>
<Location /metrics>
  SetHandler nextauth-metrics
</Location>
<Location /sessions>
  SetHandler nextauth-sessions
  Require local
</Location>`;

suite('A session store in another module is as complete as ours', async (t) => {
  const source = fs.readFileSync(path.join(root, 't/modules/mod_filestore.c'), 'utf8');
  const module = buildModule(t, 'filestore', source, installedHeaders(t));
  const global = `LoadModule filestore_module ${module}`;
  const directory = makeFolder(t);
  fs.chmodSync(directory, 0o777);
  const described = `FileStore ${directory}`;
  const stored = () => fs.readdirSync(directory).filter((name) => name.startsWith('session-'));

  for (const strategy of ['jwt', 'database']) {
    t.section(`strategy ${strategy}`);
    const site = await t.httpd({ files, global, config: common(described, 'NextAuthSessionStore files checkInterval=0', `NextAuthSessionStrategy ${strategy}`) });
    const ada = new Client(site);
    const before = stored().length;
    await ada.credentials('ada', 'x');
    t.is((await ada.get('/members/')).status, 200, 'a session is kept in it');
    t.is(stored().length, before + 1, '  as an entry');
    const other = new Client(site);
    await other.credentials('ada', 'x');
    t.is((await ada.get('/api/auth/sessions')).json.sessions.length, 2, 'a user finds all sessions');
    const all = [];
    let page;
    do {
      page = (await ada.get(`/sessions?limit=1${page ? `&cursor=${page.next}` : ''}`)).json;
      all.push(...page.sessions.map(({ id }) => id));
    } while (page.next);
    t.is([all.length, new Set(all).size], [2, 2], 'and the administrator, page by page');
    const cookie = `${NAME}=${other.cookie(NAME)}`;
    await other.signOut();
    t.is((await new Client(site).get('/members/', { headers: { cookie } })).status, 401, 'one that was signed out is over, its copies too');
    t.is((await ada.get('/members/')).status, 200, '  and no other');
    t.like((await ada.get('/metrics')).text, /nextauth_store_up\{store="files"\} 1/, 'metrics know it by its name');
    fs.renameSync(directory, `${directory}.away`);
    t.is((await ada.get('/members/')).status, 503, 'what it cannot answer is refused');
    fs.renameSync(`${directory}.away`, directory);
    await until('it is asked again', async () => (await ada.get('/members/')).status === 200);
    t.ok(true, 'and served again once it can');
  }

  t.section('what is said of it');
  {
    const wrong = await t.configtest({ files, global, config: common('NextAuthSessionStore files') });
    t.like(wrong.output, /NextAuthSessionStore on line \d+ of .*: store files needs FileStore/, 'what its own check finds ends the start');
    const unknown = await t.configtest({ files, global, config: common('NextAuthSessionStore folders') });
    t.like(unknown.output, /unknown session store 'folders': expected none, .*\bfiles\b/, 'it is among the names');
    const { told } = await check(t, { files, global, config: common(described, 'NextAuthSessionStore files') }, ['--json', '--connect']);
    const rows = told.findings.filter(({ subject, group }) => subject === 'files' && group === 'connections');
    t.is(rows.map(({ state, message, hint }) => [state, message, hint]), [['ok', 'files is available', null], ['warning', 'files is an example', 'use redis']], 'nextauthctl check --connect asks it, and passes its advice on');
  }
});
