/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_SESSION_SESSION_H
#define NA_SESSION_SESSION_H

#include <apr_tables.h>
#include <apr_time.h>

#include "session/claims.h"
#include "session/keyring.h"

/* Our own claims: they survive when the application behind the proxy re-issues the token. */
#define NA_CLAIM_SESSION_ID "sid"
#define NA_CLAIM_AUTH_TIME "auth_time"
#define NA_CLAIM_PROVIDER "provider"
#define NA_CLAIM_ROLES "roles"

/* One identity string that is handed to applications. */
typedef struct na_identity {
    const char *env;    /* NEXTAUTH_EMAIL */
    const char *header; /* X-NextAuth-Email */
    const char *value;  /* no control characters; "" is not handed on */
} na_identity;

/*
 * A verified session. Immutable, so that threads share it: everything a request needs was prepared
 * when it was made. NULL where the token has no such claim, except `user`.
 */
typedef struct na_session {
    const char *user; /* claim sub */
    const char *email;
    const char *claims_json;
    const na_claim *claims;
    int claim_count;
    const na_identity *identities;
    int identity_count;
    apr_int64_t issued_at; /* seconds; 0 where unknown */
    apr_int64_t auth_time; /* seconds: the sign-in, not the last re-issue */
    apr_int64_t expires;   /* seconds */
    na_dialect dialect;
} na_session;

/*
 * Opens and checks a session token. `identity_claims` (const char *) are the further claims that
 * are handed to applications. All in `pool`.
 */
na_error *na_session_open(apr_pool_t *pool, const na_keyring *ring, na_dialect dialect,
                          na_bytes token, apr_time_t now, const apr_array_header_t *identity_claims,
                          const na_session **session);

/* 1 where the session is past its end at `now`. */
int na_session_expired(const na_session *session, apr_time_t now);

/* The first value of a claim; NULL where there is none. */
const char *na_session_claim(const na_session *session, const char *name);

/* 1 where the claim has that value among its values. */
int na_session_has(const na_session *session, const char *name, const char *value);

/* 1 where claim roles, or NextAuth's usual `role`, names that role. */
int na_session_has_role(const na_session *session, const char *role);

#endif
