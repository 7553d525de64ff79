'use strict';
// Databases that NextAuth projects already have, as DDL: schemas.prisma[db.engine] for db.sql().
// Names and types are what the projects have, to the letter: Auth.js mixes camelCase and snake_case,
// and nothing but quoting keeps the capitals.

/*
 * @auth/pg-adapter, as its documentation has it. Ids are made by the database. No e-mail, account or
 * session token is unique, and nothing is deleted along with a user.
 */
const pgAdapter = {
  postgres: `
CREATE TABLE users (
  id SERIAL PRIMARY KEY,
  name VARCHAR(255),
  email VARCHAR(255),
  "emailVerified" TIMESTAMPTZ,
  image TEXT
);
CREATE TABLE accounts (
  id SERIAL PRIMARY KEY,
  "userId" INTEGER NOT NULL,
  type VARCHAR(255) NOT NULL,
  provider VARCHAR(255) NOT NULL,
  "providerAccountId" VARCHAR(255) NOT NULL,
  refresh_token TEXT,
  access_token TEXT,
  expires_at BIGINT,
  id_token TEXT,
  scope TEXT,
  session_state TEXT,
  token_type TEXT
);
CREATE TABLE sessions (
  id SERIAL PRIMARY KEY,
  "userId" INTEGER NOT NULL,
  expires TIMESTAMPTZ NOT NULL,
  "sessionToken" VARCHAR(255) NOT NULL
);
CREATE TABLE verification_token (
  identifier TEXT NOT NULL,
  expires TIMESTAMPTZ NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (identifier, token)
);`,
};

/* The same where a project has UUIDs for ids; accounts' own id is often left a number. */
const pgAdapterUuid = {
  postgres: `
CREATE TABLE users (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  name VARCHAR(255),
  email VARCHAR(255),
  "emailVerified" TIMESTAMPTZ,
  image TEXT
);
CREATE TABLE accounts (
  id SERIAL PRIMARY KEY,
  "userId" UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  type VARCHAR(255) NOT NULL,
  provider VARCHAR(255) NOT NULL,
  "providerAccountId" VARCHAR(255) NOT NULL,
  refresh_token TEXT,
  access_token TEXT,
  expires_at BIGINT,
  id_token TEXT,
  scope TEXT,
  session_state TEXT,
  token_type TEXT
);
CREATE TABLE sessions (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  "userId" UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  expires TIMESTAMPTZ NOT NULL,
  "sessionToken" VARCHAR(255) NOT NULL
);
CREATE TABLE verification_token (
  identifier TEXT NOT NULL,
  expires TIMESTAMPTZ NOT NULL,
  token TEXT NOT NULL,
  PRIMARY KEY (identifier, token)
);`,
};

/*
 * Prisma, with the models that Auth.js documents for each engine, as Prisma's migrations make them.
 * Ids (cuid) and "updatedAt" have no default: who writes has to bring them. The models differ: in
 * PostgreSQL accounts and sessions have no id, e-mails are never null; in MySQL a user has one
 * account at most, and cannot be deleted before its accounts and sessions are.
 * Prisma's dates: UTC without a zone in PostgreSQL and MySQL, milliseconds since 1970 in SQLite,
 * where what defaults to CURRENT_TIMESTAMP is text nevertheless.
 */
const prisma = {
  postgres: `
CREATE TABLE "User" (
  "id" TEXT NOT NULL,
  "name" TEXT,
  "email" TEXT NOT NULL,
  "emailVerified" TIMESTAMP(3),
  "image" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "User_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "Account" (
  "userId" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "providerAccountId" TEXT NOT NULL,
  "refresh_token" TEXT,
  "access_token" TEXT,
  "expires_at" INTEGER,
  "token_type" TEXT,
  "scope" TEXT,
  "id_token" TEXT,
  "session_state" TEXT,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "Account_pkey" PRIMARY KEY ("provider", "providerAccountId")
);
CREATE TABLE "Session" (
  "sessionToken" TEXT NOT NULL,
  "userId" TEXT NOT NULL,
  "expires" TIMESTAMP(3) NOT NULL,
  "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" TIMESTAMP(3) NOT NULL
);
CREATE TABLE "VerificationToken" (
  "identifier" TEXT NOT NULL,
  "token" TEXT NOT NULL,
  "expires" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "VerificationToken_pkey" PRIMARY KEY ("identifier", "token")
);
CREATE TABLE "Authenticator" (
  "credentialID" TEXT NOT NULL,
  "userId" TEXT NOT NULL,
  "providerAccountId" TEXT NOT NULL,
  "credentialPublicKey" TEXT NOT NULL,
  "counter" INTEGER NOT NULL,
  "credentialDeviceType" TEXT NOT NULL,
  "credentialBackedUp" BOOLEAN NOT NULL,
  "transports" TEXT,
  CONSTRAINT "Authenticator_pkey" PRIMARY KEY ("userId", "credentialID")
);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
CREATE UNIQUE INDEX "Session_sessionToken_key" ON "Session" ("sessionToken");
CREATE UNIQUE INDEX "Authenticator_credentialID_key" ON "Authenticator" ("credentialID");
ALTER TABLE "Account" ADD CONSTRAINT "Account_userId_fkey"
  FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Session" ADD CONSTRAINT "Session_userId_fkey"
  FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "Authenticator" ADD CONSTRAINT "Authenticator_userId_fkey"
  FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE;`,

  mariadb: `
CREATE TABLE \`User\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`name\` VARCHAR(191) NULL,
  \`username\` VARCHAR(191) NULL,
  \`email\` VARCHAR(191) NULL,
  \`emailVerified\` DATETIME(3) NULL,
  \`image\` VARCHAR(191) NULL,
  \`createdAt\` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  \`updatedAt\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`User_username_key\` (\`username\`),
  UNIQUE INDEX \`User_email_key\` (\`email\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`Account\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`userId\` VARCHAR(191) NOT NULL,
  \`type\` VARCHAR(191) NOT NULL,
  \`provider\` VARCHAR(191) NOT NULL,
  \`providerAccountId\` VARCHAR(191) NOT NULL,
  \`refresh_token\` TEXT NULL,
  \`access_token\` TEXT NULL,
  \`expires_at\` INTEGER NULL,
  \`token_type\` VARCHAR(191) NULL,
  \`scope\` VARCHAR(191) NULL,
  \`id_token\` TEXT NULL,
  \`session_state\` VARCHAR(191) NULL,
  \`refresh_token_expires_in\` INTEGER NULL,
  \`createdAt\` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  \`updatedAt\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`Account_userId_key\` (\`userId\`),
  INDEX \`Account_userId_idx\` (\`userId\`),
  UNIQUE INDEX \`Account_provider_providerAccountId_key\` (\`provider\`, \`providerAccountId\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`Session\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`sessionToken\` VARCHAR(191) NOT NULL,
  \`userId\` VARCHAR(191) NOT NULL,
  \`expires\` DATETIME(3) NOT NULL,
  \`createdAt\` DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  \`updatedAt\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`Session_sessionToken_key\` (\`sessionToken\`),
  INDEX \`Session_userId_idx\` (\`userId\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`VerificationToken\` (
  \`identifier\` VARCHAR(191) NOT NULL,
  \`token\` VARCHAR(191) NOT NULL,
  \`expires\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`VerificationToken_identifier_token_key\` (\`identifier\`, \`token\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`Authenticator\` (
  \`credentialID\` VARCHAR(191) NOT NULL,
  \`userId\` VARCHAR(191) NOT NULL,
  \`providerAccountId\` VARCHAR(191) NOT NULL,
  \`credentialPublicKey\` VARCHAR(191) NOT NULL,
  \`counter\` INTEGER NOT NULL,
  \`credentialDeviceType\` VARCHAR(191) NOT NULL,
  \`credentialBackedUp\` BOOLEAN NOT NULL,
  \`transports\` VARCHAR(191) NULL,
  UNIQUE INDEX \`Authenticator_credentialID_key\` (\`credentialID\`),
  PRIMARY KEY (\`userId\`, \`credentialID\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE \`Account\` ADD CONSTRAINT \`Account_userId_fkey\`
  FOREIGN KEY (\`userId\`) REFERENCES \`User\` (\`id\`) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE \`Session\` ADD CONSTRAINT \`Session_userId_fkey\`
  FOREIGN KEY (\`userId\`) REFERENCES \`User\` (\`id\`) ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE \`Authenticator\` ADD CONSTRAINT \`Authenticator_userId_fkey\`
  FOREIGN KEY (\`userId\`) REFERENCES \`User\` (\`id\`) ON DELETE CASCADE ON UPDATE CASCADE;`,

  sqlite: `
CREATE TABLE "User" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "email" TEXT,
  "emailVerified" DATETIME,
  "image" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL
);
CREATE TABLE "Account" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "userId" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "providerAccountId" TEXT NOT NULL,
  "refresh_token" TEXT,
  "access_token" TEXT,
  "expires_at" INTEGER,
  "token_type" TEXT,
  "scope" TEXT,
  "id_token" TEXT,
  "session_state" TEXT,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "Account_userId_fkey"
    FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "Session" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "sessionToken" TEXT NOT NULL,
  "userId" TEXT NOT NULL,
  "expires" DATETIME NOT NULL,
  "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" DATETIME NOT NULL,
  CONSTRAINT "Session_userId_fkey"
    FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "VerificationToken" (
  "identifier" TEXT NOT NULL,
  "token" TEXT NOT NULL,
  "expires" DATETIME NOT NULL
);
CREATE TABLE "Authenticator" (
  "credentialID" TEXT NOT NULL,
  "userId" TEXT NOT NULL,
  "providerAccountId" TEXT NOT NULL,
  "credentialPublicKey" TEXT NOT NULL,
  "counter" INTEGER NOT NULL,
  "credentialDeviceType" TEXT NOT NULL,
  "credentialBackedUp" BOOLEAN NOT NULL,
  "transports" TEXT,
  PRIMARY KEY ("userId", "credentialID"),
  CONSTRAINT "Authenticator_userId_fkey"
    FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "User_email_key" ON "User" ("email");
CREATE UNIQUE INDEX "Account_provider_providerAccountId_key" ON "Account" ("provider", "providerAccountId");
CREATE UNIQUE INDEX "Session_sessionToken_key" ON "Session" ("sessionToken");
CREATE UNIQUE INDEX "VerificationToken_identifier_token_key" ON "VerificationToken" ("identifier", "token");
CREATE UNIQUE INDEX "Authenticator_credentialID_key" ON "Authenticator" ("credentialID");`,
};

/*
 * Prisma in projects from the time of next-auth 4 that @map every name to what SQL people write.
 * Every table but the tokens' has an id (cuid, no default); dates are Prisma's as above.
 */
const snakeCase = {
  postgres: `
CREATE TABLE "users" (
  "id" TEXT NOT NULL,
  "name" TEXT,
  "email" TEXT,
  "email_verified" TIMESTAMP(3),
  "image" TEXT,
  CONSTRAINT "users_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "accounts" (
  "id" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "provider_account_id" TEXT NOT NULL,
  "refresh_token" TEXT,
  "access_token" TEXT,
  "expires_at" INTEGER,
  "token_type" TEXT,
  "scope" TEXT,
  "id_token" TEXT,
  "session_state" TEXT,
  CONSTRAINT "accounts_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "sessions" (
  "id" TEXT NOT NULL,
  "session_token" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "expires" TIMESTAMP(3) NOT NULL,
  CONSTRAINT "sessions_pkey" PRIMARY KEY ("id")
);
CREATE TABLE "verificationtokens" (
  "identifier" TEXT NOT NULL,
  "token" TEXT NOT NULL,
  "expires" TIMESTAMP(3) NOT NULL
);
CREATE UNIQUE INDEX "users_email_key" ON "users" ("email");
CREATE UNIQUE INDEX "accounts_provider_provider_account_id_key" ON "accounts" ("provider", "provider_account_id");
CREATE UNIQUE INDEX "sessions_session_token_key" ON "sessions" ("session_token");
CREATE UNIQUE INDEX "verificationtokens_token_key" ON "verificationtokens" ("token");
CREATE UNIQUE INDEX "verificationtokens_identifier_token_key" ON "verificationtokens" ("identifier", "token");
ALTER TABLE "accounts" ADD CONSTRAINT "accounts_user_id_fkey"
  FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_fkey"
  FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE;`,

  mariadb: `
CREATE TABLE \`users\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`name\` VARCHAR(191) NULL,
  \`email\` VARCHAR(191) NULL,
  \`email_verified\` DATETIME(3) NULL,
  \`image\` VARCHAR(191) NULL,
  UNIQUE INDEX \`users_email_key\` (\`email\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`accounts\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`user_id\` VARCHAR(191) NOT NULL,
  \`type\` VARCHAR(191) NOT NULL,
  \`provider\` VARCHAR(191) NOT NULL,
  \`provider_account_id\` VARCHAR(191) NOT NULL,
  \`refresh_token\` TEXT NULL,
  \`access_token\` TEXT NULL,
  \`expires_at\` INTEGER NULL,
  \`token_type\` VARCHAR(191) NULL,
  \`scope\` VARCHAR(191) NULL,
  \`id_token\` TEXT NULL,
  \`session_state\` VARCHAR(191) NULL,
  UNIQUE INDEX \`accounts_provider_provider_account_id_key\` (\`provider\`, \`provider_account_id\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`sessions\` (
  \`id\` VARCHAR(191) NOT NULL,
  \`session_token\` VARCHAR(191) NOT NULL,
  \`user_id\` VARCHAR(191) NOT NULL,
  \`expires\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`sessions_session_token_key\` (\`session_token\`),
  PRIMARY KEY (\`id\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE TABLE \`verificationtokens\` (
  \`identifier\` VARCHAR(191) NOT NULL,
  \`token\` VARCHAR(191) NOT NULL,
  \`expires\` DATETIME(3) NOT NULL,
  UNIQUE INDEX \`verificationtokens_token_key\` (\`token\`),
  UNIQUE INDEX \`verificationtokens_identifier_token_key\` (\`identifier\`, \`token\`)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
ALTER TABLE \`accounts\` ADD CONSTRAINT \`accounts_user_id_fkey\`
  FOREIGN KEY (\`user_id\`) REFERENCES \`users\` (\`id\`) ON DELETE CASCADE ON UPDATE CASCADE;
ALTER TABLE \`sessions\` ADD CONSTRAINT \`sessions_user_id_fkey\`
  FOREIGN KEY (\`user_id\`) REFERENCES \`users\` (\`id\`) ON DELETE CASCADE ON UPDATE CASCADE;`,

  sqlite: `
CREATE TABLE "users" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "name" TEXT,
  "email" TEXT,
  "email_verified" DATETIME,
  "image" TEXT
);
CREATE TABLE "accounts" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "user_id" TEXT NOT NULL,
  "type" TEXT NOT NULL,
  "provider" TEXT NOT NULL,
  "provider_account_id" TEXT NOT NULL,
  "refresh_token" TEXT,
  "access_token" TEXT,
  "expires_at" INTEGER,
  "token_type" TEXT,
  "scope" TEXT,
  "id_token" TEXT,
  "session_state" TEXT,
  CONSTRAINT "accounts_user_id_fkey"
    FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "sessions" (
  "id" TEXT NOT NULL PRIMARY KEY,
  "session_token" TEXT NOT NULL,
  "user_id" TEXT NOT NULL,
  "expires" DATETIME NOT NULL,
  CONSTRAINT "sessions_user_id_fkey"
    FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE "verificationtokens" (
  "identifier" TEXT NOT NULL,
  "token" TEXT NOT NULL,
  "expires" DATETIME NOT NULL
);
CREATE UNIQUE INDEX "users_email_key" ON "users" ("email");
CREATE UNIQUE INDEX "accounts_provider_provider_account_id_key" ON "accounts" ("provider", "provider_account_id");
CREATE UNIQUE INDEX "sessions_session_token_key" ON "sessions" ("session_token");
CREATE UNIQUE INDEX "verificationtokens_token_key" ON "verificationtokens" ("token");
CREATE UNIQUE INDEX "verificationtokens_identifier_token_key" ON "verificationtokens" ("identifier", "token");`,
};

module.exports = { pgAdapter, pgAdapterUuid, prisma, snakeCase };
