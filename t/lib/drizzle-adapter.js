'use strict';
// Drizzle's adapter of Auth.js as published, with the tables that it defines where nobody defines
// others.
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const kinds = {
  postgres: { core: 'drizzle-orm/pg-core', tables: 'pg.js', quote: '"' },
  mariadb: { core: 'drizzle-orm/mysql-core', tables: 'mysql.js', quote: '`' },
  sqlite: { core: 'drizzle-orm/sqlite-core', tables: 'sqlite.js', quote: '"' },
};

async function openPostgres(db) {
  const { Pool } = require('pg');
  const { drizzle } = await import('drizzle-orm/node-postgres');
  const pool = new Pool({ connectionString: db.url, max: 4 });
  pool.on('error', () => {});
  return { client: drizzle(pool), disconnect: () => pool.end() };
}

async function openMariadb(db) {
  const { drizzle } = await import('drizzle-orm/mysql2');
  const pool = require('mysql2/promise').createPool(db.url);
  return { client: drizzle(pool), disconnect: () => pool.end() };
}

async function openSqlite(db) {
  const { createClient } = await import('@libsql/client');
  const { drizzle } = await import('drizzle-orm/libsql');
  const connection = createClient({ url: `file:${db.file}` });
  return { client: drizzle(connection), disconnect: () => connection.close() };
}

/* The adapter: createUser … useVerificationToken, and disconnect(). */
async function makeDrizzleAdapter(db) {
  const { DrizzleAdapter } = await import('@auth/drizzle-adapter');
  const { client, disconnect } = await { postgres: openPostgres, mariadb: openMariadb, sqlite: openSqlite }[db.engine](db);
  return { ...DrizzleAdapter(client), disconnect };
}

function definition(config, quote) {
  const q = (name) => quote + name + quote;
  const columns = config.columns.map((column) => [q(column.name), column.getSQLType(), column.notNull ? 'NOT NULL' : '',
    column.primary ? 'PRIMARY KEY' : '', column.isUnique ? 'UNIQUE' : ''].join(' '));
  const keys = config.primaryKeys.map((key) => `PRIMARY KEY (${key.columns.map(({ name }) => q(name)).join(', ')})`);
  const references = config.foreignKeys.map((key) => {
    const { columns: from, foreignTable, foreignColumns: to } = key.reference();
    const table = foreignTable[Symbol.for('drizzle:Name')];
    return `FOREIGN KEY (${q(from[0].name)}) REFERENCES ${q(table)} (${q(to[0].name)}) ON DELETE ${key.onDelete}`;
  });
  return `CREATE TABLE ${q(config.name)} (${[...columns, ...keys, ...references].join(', ')});`;
}

/* What a migration of Drizzle's creates of the adapter's own definitions, for an engine. */
async function drizzleTables(engine) {
  const { core, tables, quote } = kinds[engine];
  const folder = path.dirname(require.resolve('@auth/drizzle-adapter'));
  const { defineTables } = await import(pathToFileURL(`${folder}/lib/${tables}`));
  const { getTableConfig } = await import(core);
  return Object.values(defineTables()).map((table) => definition(getTableConfig(table), quote)).join('\n');
}

module.exports = { drizzleTables, makeDrizzleAdapter };
