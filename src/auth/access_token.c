/* SPDX-License-Identifier: Apache-2.0 */
/* Personal access tokens: their text, and the rows that the database has of them. */
#include "auth/access_token.h"

#include <string.h>

#include <apr_strings.h>

#include "auth/factors.h"
#include "auth/notice.h"
#include "auth/report.h"
#include "base/crypto.h"
#include "base/json.h"
#include "jose/jwe.h"
#include "session/answer.h"
#include "session/reserved.h"
#include "session/table.h"

/* ── the text ──────────────────────────────────────────────────────────────────────────────── */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#define BASE 62
#define PREFIX_LEN (sizeof NA_ACCESS_TOKEN_PREFIX - 1)
#define CHECKSUM_LEN 6
#define BODY_LEN (NA_ACCESS_TOKEN_LEN - CHECKSUM_LEN)

/* CRC-32 as in ISO 3309 and gzip (RFC 1952 section 8): 56 bytes need no table. */
static apr_uint32_t crc_of(const char *text, apr_size_t len)
{
    apr_uint32_t crc = 0xffffffff;
    for (apr_size_t i = 0; i < len; i++) {
        crc ^= (unsigned char)text[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* The checksum of what comes before it, the most significant digit first. */
static void write_checksum(const char *body, char *checksum)
{
    apr_uint32_t crc = crc_of(body, BODY_LEN);
    for (int i = CHECKSUM_LEN - 1; i >= 0; i--, crc /= BASE)
        checksum[i] = digits[crc % BASE];
}

/* Draws again what is beyond the last digit, so that all digits are equally likely. */
static char random_digit(apr_pool_t *pool)
{
    unsigned char byte;
    do {
        na_random_from(pool, &byte, 1);
        byte &= 63;
    } while (byte >= BASE);
    return digits[byte];
}

char *na_access_token_new(apr_pool_t *pool)
{
    char *token = apr_pcalloc(pool, NA_ACCESS_TOKEN_LEN + 1);
    memcpy(token, NA_ACCESS_TOKEN_PREFIX, PREFIX_LEN);
    for (apr_size_t i = PREFIX_LEN; i < BODY_LEN; i++)
        token[i] = random_digit(pool);
    write_checksum(token, token + BODY_LEN);
    na_wipe_with_pool(pool, token, NA_ACCESS_TOKEN_LEN);
    return token;
}

int na_access_token_is_meant(const char *text)
{
    return strncmp(text, NA_ACCESS_TOKEN_PREFIX, PREFIX_LEN) == 0;
}

int na_access_token_is_well_formed(const char *text)
{
    char checksum[CHECKSUM_LEN];
    if (!na_access_token_is_meant(text) || strlen(text) != NA_ACCESS_TOKEN_LEN ||
        strspn(text + PREFIX_LEN, digits) != NA_ACCESS_TOKEN_LEN - PREFIX_LEN)
        return 0;
    write_checksum(text, checksum);
    return memcmp(text + BODY_LEN, checksum, CHECKSUM_LEN) == 0;
}

char *na_access_token_id(apr_pool_t *pool, const char *token)
{
    return na_sha256_hex(pool, token, "");
}

/* ── the claims that a token keeps ─────────────────────────────────────────────────────────── */

/*
 * Everything that the sign-in gave: roles and claims of rules, the provider, the site, the factors.
 * What belongs to the session itself ends with it, and the user's row is read again each time.
 */
json_t *na_access_token_claims(apr_pool_t *pool, const na_session *session)
{
    json_t *all, *value, *kept = na_json_own(pool, json_object());
    const char *name;
    if (na_json_parse_sealed(pool, NA_ERR_SESSION, na_bytes_of(session->claims_json), &all))
        return kept;
    json_object_foreach(all, name, value)
    {
        if (na_claim_is_lasting(name))
            json_object_set(kept, name, value);
    }
    return kept;
}

/* The row's ID is part of the key, so that sealed claims belong to this token alone. */
static na_error *derive_ring(apr_pool_t *pool, const na_config *config, const char *id,
                             na_keyring *ring)
{
    return na_keyring_derive(pool, config->dialect, config->secrets, config->secret_count,
                             apr_pstrcat(pool, "personal access token ", id, NULL), ring);
}

static na_error *seal_claims(apr_pool_t *pool, const na_config *config, const json_t *claims,
                             na_db_secret *row)
{
    na_keyring ring;
    char *sealed;
    json_t *bound = na_json_own(pool, json_copy((json_t *)claims));
    json_object_set_new(bound, NA_CLAIM_SITE, json_string(config->session.site));
    NA_TRY(derive_ring(pool, config, row->id, &ring));
    NA_TRY(na_jwe_seal(pool, ring.keys[0], na_bytes_of(na_json_dump(pool, bound)), &sealed));
    row->sealed = sealed;
    return strlen(sealed) <= NA_SECRET_SEALED_MAX
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION,
                              "the claims of the session are too large for a token: %d bytes "
                              "encrypted; at most %d are kept",
                              (int)strlen(sealed), NA_SECRET_SEALED_MAX);
}

/* *claims is NULL if an administrator made the token, without a session. */
static na_error *open_claims(apr_pool_t *pool, const na_config *config, const na_db_secret *row,
                             json_t **claims)
{
    na_keyring ring;
    na_bytes text;
    *claims = NULL;
    if (!row->sealed)
        return NULL;
    NA_TRY(derive_ring(pool, config, row->id, &ring));
    na_error *error =
        na_jwe_open(pool, ring.keys, ring.count, row->sealed, strlen(row->sealed), &text);
    if (error)
        return na_error_wrap(pool, error, NA_ERR_SESSION,
                             "the token was made with another NextAuthSecret");
    NA_TRY(na_json_parse_sealed(pool, NA_ERR_SESSION, text, claims));
    const char *site = na_json_string(*claims, NA_CLAIM_SITE);
    return site && strcmp(site, config->session.site) == 0
               ? NULL
               : na_error_new(pool, NA_ERR_SESSION, "the token was made at another site");
}

/* ── making ────────────────────────────────────────────────────────────────────────────────── */

const char *na_access_token_name_fault(const char *name)
{
    if (!name || !*name || na_has_blank_ends(name))
        return "Give the token a name.";
    return strlen(name) > NA_SECRET_NAME_MAX || !na_is_utf8(name) || na_has_control(name)
               ? "The name is too long."
               : NULL;
}

void na_access_token_row(apr_pool_t *pool, const na_access_wish *wish, apr_time_t now,
                         const char **token, na_db_secret *row)
{
    *token = na_access_token_new(pool);
    *row = (na_db_secret){.id = na_access_token_id(pool, *token),
                          .user_id = wish->user_id,
                          .kind = NA_SECRET_TOKEN,
                          .name = wish->name,
                          .scope = wish->scope,
                          .created_at = apr_time_as_msec(now),
                          .expires_at = apr_time_as_msec(now) + wish->days * 86400000};
}

/* A change of the user's tokens; each attempt reads the user again. */
typedef struct token_change {
    na_request *request;
    const char *user_id;
    const na_db_secret *added, *removed; /* one of them */
    apr_int64_t revision;                /* of the user, for one that is added */
    na_event event;
} token_change;

static na_error *record_change(void *data, na_db_use *use, const na_decision *decision)
{
    token_change *c = data;
    return na_record_event(c->request, use, &c->event);
}

static na_error *check_count(const token_change *c)
{
    apr_pool_t *pool = c->request->pool;
    apr_array_header_t *tokens = apr_array_make(pool, 8, sizeof(na_db_secret));
    NA_TRY(na_db_list_secrets(c->request->db, pool, c->user_id, NA_SECRET_TOKEN, tokens));
    return tokens->nelts < NA_ACCESS_TOKENS_MAX
               ? NULL
               : na_error_new(pool, NA_ERR_ACCESS_DENIED, "the user has %d tokens already",
                              tokens->nelts);
}

/* Several requests at once can exceed the limit by as many. */
static na_error *decide_change(void *data, int *held)
{
    token_change *c = data;
    apr_pool_t *pool = c->request->pool;
    const na_db_who who = {.id = c->user_id, .current = 1};
    na_db_person person;
    int found;
    NA_TRY(na_db_find(c->request->db, pool, &who, &person, &found));
    if (c->added && (!found || person.revision != c->revision))
        return na_error_new(pool, NA_ERR_SESSION,
                            "the user's sessions were ended while the token was made");
    if (!found || person.credential.disabled)
        return na_error_new(pool, NA_ERR_ACCESS_DENIED, "the user is disabled or deleted");
    if (c->added)
        NA_TRY(check_count(c));
    apr_array_header_t *one = apr_array_make(pool, 1, sizeof(na_db_secret));
    APR_ARRAY_PUSH(one, na_db_secret) = c->added ? *c->added : *c->removed;
    na_decision decision = na_db_decision_about(&person);
    decision.secrets = c->added ? one : NULL;
    decision.removed = c->added ? NULL : one;
    decision.record = record_change;
    decision.data = c;
    c->event.user = person.user.id;
    c->event.name = person.user.name;
    c->event.email = person.user.email;
    NA_TRY(na_db_decide(c->request->db, pool, &decision));
    *held = decision.held;
    return NULL;
}

static na_error *change_tokens(na_request *request, token_change *c, na_event_kind kind,
                               const na_db_secret *token)
{
    c->request = request;
    c->event = na_event_of(request, kind, NULL);
    c->event.detail = apr_pstrcat(request->pool, na_access_token_handle(request->pool, token), " ",
                                  token->scope ? token->scope : "", NULL);
    NA_TRY(na_db_settle(request->pool, decide_change, c));
    na_report(request, &c->event);
    na_notice_change(request, c->added ? NA_CHANGE_TOKEN_CREATED : NA_CHANGE_TOKEN_REVOKED,
                     c->event.email);
    return NULL;
}

na_error *na_access_token_make(na_request *request, const na_access_wish *wish, const char **token)
{
    na_db_secret row;
    token_change c = {.user_id = wish->user_id, .added = &row, .revision = wish->revision};
    na_access_token_row(request->pool, wish, request->now, token, &row);
    if (wish->claims)
        NA_TRY(seal_claims(request->pool, request->config, wish->claims, &row));
    return change_tokens(request, &c, NA_EVENT_MAKE_TOKEN, &row);
}

/* ── revoking ──────────────────────────────────────────────────────────────────────────────── */

const char *na_access_token_handle(apr_pool_t *pool, const na_db_secret *row)
{
    return apr_pstrndup(pool, row->id, NA_ACCESS_TOKEN_HANDLE_LEN);
}

const na_db_secret *na_access_token_by_handle(apr_pool_t *pool, const apr_array_header_t *tokens,
                                              const char *handle)
{
    for (int i = 0; i < tokens->nelts; i++) {
        const na_db_secret *token = &APR_ARRAY_IDX(tokens, i, na_db_secret);
        if (strcmp(na_access_token_handle(pool, token), handle) == 0)
            return token;
    }
    return NULL;
}

na_error *na_access_token_revoke(na_request *request, const char *user_id,
                                 const na_db_secret *token)
{
    token_change c = {.user_id = user_id, .removed = token};
    NA_TRY(change_tokens(request, &c, NA_EVENT_REVOKE_TOKEN, token));
    na_answer_forget(request->sessions, &request->visit, token->id);
    return NULL;
}

/* ── using ─────────────────────────────────────────────────────────────────────────────────── */

/* Milliseconds between updates of the last use. */
#define USE_INTERVAL 60000

const na_session *na_access_token_recent(const na_sessions *sessions, const na_visit *visit,
                                         const char *id, int *is_known)
{
    apr_int64_t age;
    const na_session *session = na_answer_find(sessions, visit, id, &age);
    *is_known = session != NULL;
    return session && age < sessions->config->check_interval ? session : NULL;
}

static na_error *refuse_token(apr_pool_t *pool, const char *why)
{
    return na_error_new(pool, NA_ERR_SESSION, "%s", why);
}

static na_error *read_row(const na_sessions *sessions, const na_visit *visit, const char *id,
                          na_db_secret *row, na_db_person *person)
{
    int found;
    NA_TRY(na_db_find_secret(sessions->users, visit->pool, NA_SECRET_TOKEN, id, row, &found));
    if (!found)
        return refuse_token(visit->pool, "the token is unknown, or was revoked");
    if (row->expires_at <= apr_time_as_msec(visit->now))
        return refuse_token(visit->pool, "the token has expired");
    const na_db_who who = {.id = row->user_id, .role_column = sessions->config->role_column};
    NA_TRY(na_db_find(sessions->users, visit->pool, &who, person, &found));
    if (!found)
        return refuse_token(visit->pool, "the token's user no longer exists");
    return person->credential.disabled ? refuse_token(visit->pool, "the token's user is disabled")
                                       : NULL;
}

/*
 * Who knew the password before its user set a second factor up could have made the token. An
 * administrator's has no claims.
 */
static na_error *check_factor(const na_config *config, const na_sessions *sessions,
                              const na_visit *visit, const na_db_secret *row, const json_t *claims)
{
    int has;
    if (!claims || json_object_get(claims, NA_CLAIM_SECOND_FACTOR))
        return NULL;
    NA_TRY(na_user_has_second_factor(visit->pool, sessions->users, config, row->user_id, &has));
    return has ? refuse_token(visit->pool, "the token was made without a second factor, which its "
                                           "user or NextAuthTwoFactor requires")
               : NULL;
}

static na_error *make_session(const na_config *config, const na_sessions *sessions,
                              const na_visit *visit, const na_db_secret *row,
                              const na_db_person *person, const na_session **session)
{
    json_t *kept;
    const na_table_row user = {.user = person->user, .roles = person->roles};
    NA_TRY(open_claims(visit->pool, config, row, &kept));
    NA_TRY(check_factor(config, sessions, visit, row, kept));
    json_t *claims = na_table_claims(visit->pool, kept, &user, row->created_at / 1000);
    json_object_set_new(claims, NA_CLAIM_TOKEN_SCOPE, json_string(row->scope ? row->scope : ""));
    return na_session_of_record(visit->pool, row->id, claims, apr_time_sec(visit->now),
                                row->expires_at / 1000, config->session.identity_claims, session);
}

/* While the database is down, its last answer can remain valid longer, as for sessions. */
static na_error *rely_on_last(const na_sessions *sessions, const na_visit *visit, const char *id,
                              na_error *error, const na_session **session)
{
    apr_int64_t age;
    *session = na_answer_find(sessions, visit, id, &age);
    return *session && age < sessions->config->serve_for ? NULL : error;
}

na_error *na_access_token_load(const na_config *config, const na_sessions *sessions,
                               const na_visit *visit, const char *id, const na_session **session)
{
    na_db_secret row;
    na_db_person person;
    apr_int64_t now = apr_time_as_msec(visit->now);
    na_error *error = read_row(sessions, visit, id, &row, &person);
    if (!error)
        error = make_session(config, sessions, visit, &row, &person, session);
    if (na_is_unavailable(error))
        return rely_on_last(sessions, visit, id, error, session);
    if (error)
        na_answer_forget(sessions, visit, id);
    NA_TRY(error);
    na_answer_keep(sessions, visit, id, session);
    if (now - row.used_at >= USE_INTERVAL) /* only shown, so a failure does not matter */
        na_db_use_secret(sessions->users, visit->pool, NA_SECRET_TOKEN, id, now);
    return NULL;
}
