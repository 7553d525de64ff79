/* SPDX-License-Identifier: Apache-2.0 */
/* Personal access tokens: their text, and the rows that the database has of them. */
#ifndef NA_AUTH_ACCESS_TOKEN_H
#define NA_AUTH_ACCESS_TOKEN_H

#include <jansson.h>

#include "auth/action.h"

/* ── the text ──────────────────────────────────────────────────────────────────────────────── */

/*
 * A token is "na_pat_", 43 random characters of 0-9A-Za-z (256 bits), and six characters of
 * CRC-32: na_pat_[0-9A-Za-z]{49}. Secret scanners find it by its prefix, and know by the checksum
 * that it is one without asking. The database has its SHA-256 alone: it is too random to be guessed
 * from that.
 */
#define NA_ACCESS_TOKEN_PREFIX "na_pat_"
#define NA_ACCESS_TOKEN_LEN 56

/* Returns a new token, which is wiped with the pool. */
char *na_access_token_new(apr_pool_t *pool);

/* Returns 1 if the text begins as a token does. */
int na_access_token_is_meant(const char *text);

/* Returns 1 if the text has the form of a token, and its checksum is right. */
int na_access_token_is_well_formed(const char *text);

/* Returns the ID of the token's row: SHA-256 as hex. */
char *na_access_token_id(apr_pool_t *pool, const char *token);

/* ── making and revoking ───────────────────────────────────────────────────────────────────── */

/* Days until a token expires: the default, and the most. */
#define NA_ACCESS_TOKEN_DAYS 90
#define NA_ACCESS_TOKEN_DAYS_MAX 365

/* Most tokens of one user. */
#define NA_ACCESS_TOKENS_MAX 50

/* The properties of a new token. */
typedef struct na_access_wish {
    const char *user_id;
    apr_int64_t revision; /* of the user who allowed it; an administrator needs none */
    const json_t *claims; /* of na_access_token_claims; NULL if an administrator makes it */
    const char *name;     /* for the user */
    const char *scope;    /* of na_scope_parse */
    long days;            /* from 1 to NA_ACCESS_TOKEN_DAYS_MAX */
} na_access_wish;

/* Returns what a token keeps of the session in which it is made; the pool owns it. */
json_t *na_access_token_claims(apr_pool_t *pool, const na_session *session);

/* Returns NULL, or what is wrong with a name, for the user to read. */
const char *na_access_token_name_fault(const char *name);

/*
 * Makes a token, and records it. *token is shown once: nothing has it afterwards. The error is
 * NA_ERR_SESSION if the user is no longer of the wish's revision, NA_ERR_ACCESS_DENIED if the user
 * is disabled or has too many, and NA_ERR_CONFIGURATION if the claims are too large to be kept.
 */
na_error *na_access_token_make(na_request *request, const na_access_wish *wish, const char **token);

/*
 * Fills in the row of a new token without claims, for an administrator without the site's secret.
 */
void na_access_token_row(apr_pool_t *pool, const na_access_wish *wish, apr_time_t now,
                         const char **token, na_db_secret *row);

/* The part of a row's ID that names a token to users. */
#define NA_ACCESS_TOKEN_HANDLE_LEN 12
const char *na_access_token_handle(apr_pool_t *pool, const na_db_secret *row);

/* Finds the token of a handle among a user's tokens (na_db_secret); NULL if there is none. */
const na_db_secret *na_access_token_by_handle(apr_pool_t *pool, const apr_array_header_t *tokens,
                                              const char *handle);

/* Revokes a token of the user, and records it. It ends at once in this process. */
na_error *na_access_token_revoke(na_request *request, const char *user_id,
                                 const na_db_secret *token);

/* ── using ─────────────────────────────────────────────────────────────────────────────────── */

/*
 * Returns the session that the process keeps of a token and has verified within the site's
 * checkInterval; otherwise NULL, and *is_known is 1 if it verified the token at all.
 */
const na_session *na_access_token_recent(const na_sessions *sessions, const na_visit *visit,
                                         const char *id, int *is_known);

/*
 * Loads the session of a token: its user as the database has it now, and the claims that the token
 * keeps. Writes when it was used, at most once a minute. The error is NA_ERR_SESSION if the token
 * is unknown, has expired or was revoked, or if its user is disabled or gone.
 */
na_error *na_access_token_load(const na_config *config, const na_sessions *sessions,
                               const na_visit *visit, const char *id, const na_session **session);

#endif
