/* SPDX-License-Identifier: Apache-2.0 */
/* A session: its claims, its user, its lifetime. */
#ifndef NA_SESSION_SESSION_H
#define NA_SESSION_SESSION_H

#include <apr_tables.h>
#include <apr_time.h>

#include "session/claims.h"
#include "session/keyring.h"
#include "store/store.h"

/* Claims of this module, which survive when an application renews the token. */
#define NA_CLAIM_SESSION_ID "sid"
#define NA_CLAIM_AUTH_TIME "auth_time"
#define NA_CLAIM_PROVIDER "provider"
#define NA_CLAIM_ROLES "roles"
#define NA_CLAIM_BINDING "bnd"
#define NA_CLAIM_REGISTERED "reg" /* a store had the session's record when the token was issued */
#define NA_CLAIM_SITE "nasite"    /* the only site at which the session is valid */
#define NA_CLAIM_DATABASE_USER "dbu"  /* `sub` is the ID of a user of the database */
#define NA_CLAIM_REVISION "rev"       /* revision of that user at the sign-in */
#define NA_CLAIM_DATABASE_ROLES "dbr" /* the part of `roles` that is from the database */
#define NA_CLAIM_PROVED "proved"      /* when the user last signed in by hand; seconds */
#define NA_CLAIM_METHODS "amr"        /* how the user signed in (RFC 8176), a list */
#define NA_CLAIM_ACR "acr"            /* how the provider authenticated the user (its own value) */
#define NA_CLAIM_SECOND_FACTOR "tfa"  /* when the second factor was given; seconds */
#define NA_CLAIM_BRIEF "brief"        /* the user does not stay signed in: NextAuthRememberMe */
#define NA_CLAIM_PROFILE_DUE "pdue"   /* when the profile is fetched again; seconds */

/* Claims of an access token in place of a session. */
#define NA_CLAIM_CLIENT "client_id" /* the client that it was issued to */
#define NA_CLAIM_SCOPE "scope"      /* a list */

/* The scope of a personal access token in its session. */
#define NA_CLAIM_TOKEN_SCOPE "token_scope"

/* The method of a browser in which the second factor was given before, and is not asked again. */
#define NA_METHOD_REMEMBERED "remembered"

/* Bytes of a session ID, and the characters of its text. */
#define NA_SESSION_ID_BYTES 32
#define NA_SESSION_ID_LEN 43

/* Limits of the IDs of applications: a UUID is the shortest, and the column limits the length. */
#define NA_SESSION_ID_MIN 32
#define NA_SESSION_ID_MAX 255

/* Kinds of store entries. */
#define NA_KIND_SESSION "session"
#define NA_KIND_USER "user"
#define NA_KIND_LIST "list"
#define NA_KIND_EPOCH "epoch"
#define NA_KIND_PROVIDER_LIST "provider-list"   /* sessions that began from one at a provider */
#define NA_KIND_PROVIDER_ENDED "provider-ended" /* a session at a provider that has ended */

/*
 * Most bytes of an identity string: with its name it fits into a header line of httpd's default
 * size (LimitRequestFieldSize). A longer one is omitted, because an application would read a
 * different value if it were cut.
 */
#define NA_IDENTITY_MAX 8000

/* One identity string that is passed to applications. Its names are the configuration's. */
typedef struct na_identity {
    const char *env;    /* NEXTAUTH_EMAIL */
    const char *header; /* X-NextAuth-Email */
    const char *value;  /* no control characters; "" is not passed on */
} na_identity;

/* A claim that the administrator chose to pass to applications. */
typedef struct na_identity_claim {
    const char *claim;  /* department */
    const char *env;    /* NEXTAUTH_CLAIM_DEPARTMENT */
    const char *header; /* X-NextAuth-Claim-department */
} na_identity_claim;

/* Returns the claim with its names, in `pool`. */
na_identity_claim na_identity_claim_of(apr_pool_t *pool, const char *claim);

/*
 * A verified session. Immutable, so that threads can share it: everything that a request needs is
 * prepared when it is created. Members are NULL if the token has no such claim, except `user`.
 */
typedef struct na_session {
    const char *user; /* claim sub; "" for an access token without a user */
    const char *email;
    const char *binding; /* the client that the session is bound to */
    const char *claims_json;
    const na_claim *claims;
    int claim_count;
    const na_identity *identities;
    int identity_count;
    const char *too_long;      /* a claim that is too long to be passed on; NULL if none */
    apr_int64_t issued_at;     /* seconds; 0 if unknown */
    apr_int64_t auth_time;     /* seconds: the sign-in, not the last renewal */
    apr_int64_t expires;       /* seconds */
    apr_int64_t second_factor; /* seconds: when it was given; 0 if it was not */
    int has_methods;           /* 1 if it began while second factors were asked for */
    int is_remembered;         /* 1 if it began in a remembered browser */
    int is_brief;              /* 1 if it ends with the browser, or after lifetime.brief */
    na_dialect dialect;
    int has_id;            /* 1 if it has an ID; sessions of applications might have none */
    int on_server;         /* 1 if the cookie is the ID and the claims are in the store */
    apr_uint64_t standing; /* a hash of claims that a store is asked about; 0 if none */
    na_store_key key;      /* of its record, made if a store is asked: use na_session_key */
    na_bytes strings;      /* memory that has most of the strings; empty if there is none */
} na_session;

/* The lifetime of sessions, whatever their token claims. Seconds; 0 for unlimited. */
typedef struct na_lifetime {
    long max_age;  /* after the last renewal */
    long idle;     /* after the last use */
    long absolute; /* after the sign-in */
    long brief;    /* after the last renewal of a brief session */
    long
        token; /* after a token was issued, even by an application: ends are remembered this long */
} na_lifetime;

/* Returns the lifetime of sessions that are brief, or of others: brief ones end sooner if idle. */
na_lifetime na_lifetime_of(const na_lifetime *lifetime, int is_brief);

/* Returns the end, in seconds, of a session renewed at `now` with its sign-in at `auth_time`. */
apr_int64_t na_lifetime_end(const na_lifetime *lifetime, apr_int64_t auth_time, apr_time_t now);

/*
 * Return the value that `token` must have if ends are remembered, and how long they are remembered.
 * Seconds.
 */
long na_lifetime_of_tokens(const na_lifetime *lifetime);
long na_lifetime_remember(const na_lifetime *lifetime);

/* Returns the earliest end of a session whose record ends at `expires`. */
apr_int64_t na_lifetime_cut(const na_lifetime *lifetime, apr_int64_t auth_time, apr_int64_t used,
                            apr_int64_t expires);

/* Returns the seconds between updates of a session's last use, few enough for `idle`. */
long na_lifetime_use_interval(const na_lifetime *lifetime);

/*
 * Decrypts and checks a session token. `identity_claims` (na_identity_claim) are additional claims
 * that are passed to applications. Everything is in `pool`.
 */
na_error *na_session_open(apr_pool_t *pool, const na_keyring *ring, na_dialect dialect,
                          na_bytes token, const na_lifetime *lifetime, apr_time_t now,
                          const apr_array_header_t *identity_claims, na_session **opened);

/*
 * Makes the key of a session's record before threads share the session: for one that a store is
 * asked about with each request. It takes as long as a fifth of all else.
 */
void na_session_make_key(apr_pool_t *pool, na_session *session);

/* Returns the key of the session's record; makes it in `pool` if the session has none. */
const na_store_key *na_session_key(apr_pool_t *pool, const na_session *session);

/*
 * Creates the session with the ID `id` (NA_SESSION_ID_LEN characters) from claims in a store.
 * `renewed` and `expires` are in seconds.
 */
na_error *na_session_of_record(apr_pool_t *pool, const char *id, const json_t *json,
                               apr_int64_t renewed, apr_int64_t expires,
                               const apr_array_header_t *identity_claims, const na_session **made);

/*
 * Creates the session of an access token of OAuth 2.0, in the same way. Its client and scope are
 * passed to applications. If it has no user but its client, `user` is "".
 */
na_error *na_session_of_token(apr_pool_t *pool, const char *id, const json_t *json,
                              apr_int64_t renewed, apr_int64_t expires,
                              const apr_array_header_t *identity_claims, const na_session **made);

/*
 * Creates a copy of a session with other claims: *changed has what follows from them, and
 * everything else from `session`.
 */
na_error *na_session_change(apr_pool_t *pool, const na_session *session, const json_t *json,
                            const apr_array_header_t *identity_claims, const na_session **changed);

/* Returns claim NA_CLAIM_PROFILE_DUE of claims, or of a session; 0 if there is none. */
apr_int64_t na_profile_due(const json_t *claims);
apr_int64_t na_session_profile_due(const na_session *session);

/*
 * Returns the claims without those that each token has for itself: its ID, its times, and that it
 * is registered. The second function gives claims those of a session's token.
 */
json_t *na_claims_without_token(apr_pool_t *pool, const json_t *claims);
json_t *na_claims_with_token(apr_pool_t *pool, const json_t *claims, const json_t *of_session);

/*
 * Returns the name of a user: "provider/sub", because without a database two providers can use one
 * `sub` for different people; "/sub" for a user of the database (`provider` NULL).
 */
const char *na_user_name(apr_pool_t *pool, const char *provider, const char *sub);
const char *na_session_user_name(apr_pool_t *pool, const na_session *session);

/*
 * Returns the user as one word that can be neither an email address nor a username: "provider:sub",
 * or ":sub" for a user of the database or an unknown provider, with `sub` percent-encoded. A client
 * without a user is "provider::client", which no user can be.
 */
const char *na_session_qualified_user(apr_pool_t *pool, const na_session *session);

/*
 * Writes the key of sessions without an ID, shared by all sessions of one sign-in.
 */
void na_session_key_without_id(apr_pool_t *pool, const char *user_name, apr_int64_t auth_time,
                               na_store_key *key);

/* Returns 1 if the session has expired at `now`. */
int na_session_expired(const na_session *session, apr_time_t now);

/* Returns the first value of a claim; NULL if none. */
const char *na_session_claim(const na_session *session, const char *name);

/* Returns all values of a claim as one text, a list in the form of na_list_text; NULL if none. */
const char *na_session_claim_text(apr_pool_t *pool, const na_session *session, const char *name);

/* Returns them with another character between the elements of a list than a comma. */
const char *na_session_claim_text_with(apr_pool_t *pool, const na_session *session,
                                       const char *name, char delimiter);

/* Returns 1 if `value` is one of the claim's values. */
int na_session_has(const na_session *session, const char *name, const char *value);

/* Returns 1 if a store had a record of the session when its token was issued. */
int na_session_is_registered(const na_session *session);

/* Returns 1 if claim `roles`, or NextAuth's usual `role`, contains that role. */
int na_session_has_role(const na_session *session, const char *role);

#endif
