// SPDX-License-Identifier: Apache-2.0
// The session stores that the module is measured with, each as the directives of a site. A store
// whose server is not installed is left out.
'use strict';
const { startPostgres, databasesHere } = require('../lib/databases.js');
const { redisIsHere, startRedis } = require('../lib/redis.js');
const { ctl } = require('../lib/ctl.js');

// The tokens are older than the stores, which would otherwise refuse them.
const store = (name) => `  NextAuthSessionStore ${name} whenLost=accept`;

async function startStores() {
  const cleanups = [];
  const t = { cleanup: (end) => cleanups.push(end) };
  const stores = { socache: store('socache') };
  if (redisIsHere()) stores.redis = `  NextAuthRedis ${(await startRedis(t)).url}\n${store('redis')}`;
  if (databasesHere().postgres) {
    const db = await startPostgres(t);
    await ctl(db, 'migrate');
    stores.postgres = `  NextAuthDatabase ${db.url}\n${store('database')}`;
  }
  return { stores, stop: async () => { for (const end of cleanups.reverse()) await end(); } };
}

module.exports = { startStores };
