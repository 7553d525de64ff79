/* SPDX-License-Identifier: Apache-2.0 */
/* A session: its claims, its user, its lifetime. */
#include "session/session.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"

/* Seconds between updates of a session's last use. */
#define USE_INTERVAL 60

static int is_roles_claim(const char *name)
{
    return na_is_same(name, NA_CLAIM_ROLES) || na_is_same(name, "role");
}

/*
 * Returns the roles, separated by commas. A role that contains a comma is omitted, because it would
 * be read as two.
 */
static const char *roles_of(apr_pool_t *pool, const na_session *session)
{
    apr_array_header_t *roles = apr_array_make(pool, 4, sizeof(const char *));
    for (int i = 0; i < session->claim_count; i++) {
        const na_claim *claim = &session->claims[i];
        if (is_roles_claim(claim->name) && !strchr(claim->value, ','))
            APR_ARRAY_PUSH(roles, const char *) = claim->value;
    }
    return na_join(pool, roles, ",");
}

/* A user ID that looks like an email address is not verified unless it is the session's email. */
static const char *user_to_hand_on(apr_pool_t *pool, const na_session *session)
{
    int is_plain = !strchr(session->user, '@') ||
                   (session->email && strcmp(session->user, session->email) == 0);
    return is_plain ? session->user : na_session_qualified_user(pool, session);
}

static const char *trimmed(apr_pool_t *pool, const char *value)
{
    if (!value || !na_has_blank_ends(value))
        return value;
    value += strspn(value, " ");
    size_t len = strlen(value);
    while (len && value[len - 1] == ' ')
        len--;
    return apr_pstrmemdup(pool, value, len);
}

/*
 * Adds a header and environment value. A control character could end a header line. A value with
 * leading or trailing blanks is omitted: they would be removed on the way and change it.
 */
static void hand_on(apr_pool_t *pool, apr_array_header_t *list, const char *env, const char *header,
                    const char *value)
{
    if (value && *value && !na_has_blank_ends(value))
        APR_ARRAY_PUSH(list, na_identity) = (na_identity){env, header, na_whole_line(pool, value)};
}

na_identity_claim na_identity_claim_of(apr_pool_t *pool, const char *claim)
{
    char *env = apr_pstrcat(pool, "NEXTAUTH_CLAIM_", claim, NULL);
    char *header = apr_pstrcat(pool, "X-NextAuth-Claim-", claim, NULL);
    for (char *p = env; *p; p++)
        *p = apr_isalnum(*p) ? (char)apr_toupper(*p) : '_';
    for (char *p = header; *p; p++)
        *p = apr_isalnum(*p) ? *p : '-';
    return (na_identity_claim){claim, env, header};
}

/* Returns a name that fits into a header. It is only for display, so it can be omitted. */
static const char *short_name(apr_pool_t *pool, const na_session *session)
{
    const char *name = trimmed(pool, na_session_claim(session, "name"));
    return name && strlen(name) <= NA_IDENTITY_MAX / 3 ? name : NULL;
}

static const char *too_long(const apr_array_header_t *list)
{
    for (int i = 0; i < list->nelts; i++)
        if (strlen(APR_ARRAY_IDX(list, i, na_identity).value) > NA_IDENTITY_MAX)
            return APR_ARRAY_IDX(list, i, na_identity).header;
    return NULL;
}

static void prepare_identities(apr_pool_t *pool, na_session *session, int of_token,
                               const apr_array_header_t *further)
{
    apr_array_header_t *list = apr_array_make(pool, 8, sizeof(na_identity));
    hand_on(pool, list, "NEXTAUTH_USER", "X-NextAuth-User", user_to_hand_on(pool, session));
    hand_on(pool, list, "NEXTAUTH_EMAIL", "X-NextAuth-Email", session->email);
    hand_on(pool, list, "NEXTAUTH_NAME", "X-NextAuth-Name", short_name(pool, session));
    hand_on(pool, list, "NEXTAUTH_ROLES", "X-NextAuth-Roles", roles_of(pool, session));
    hand_on(pool, list, "NEXTAUTH_PROVIDER", "X-NextAuth-Provider",
            na_session_claim(session, NA_CLAIM_PROVIDER));
    if (of_token) {
        hand_on(pool, list, "NEXTAUTH_CLIENT", "X-NextAuth-Client",
                na_session_claim(session, NA_CLAIM_CLIENT));
        hand_on(pool, list, "NEXTAUTH_SCOPE", "X-NextAuth-Scope",
                na_session_claim_text(pool, session, NA_CLAIM_SCOPE));
    }
    for (int i = 0; i < further->nelts; i++) {
        const na_identity_claim *c = &APR_ARRAY_IDX(further, i, na_identity_claim);
        hand_on(pool, list, c->env, c->header, na_session_claim_text(pool, session, c->claim));
    }
    session->identities = (const na_identity *)list->elts;
    session->identity_count = list->nelts;
    session->too_long = too_long(list);
}

static apr_int64_t earlier(apr_int64_t a, apr_int64_t b)
{
    return a < b ? a : b;
}

na_lifetime na_lifetime_of(const na_lifetime *lifetime, int is_brief)
{
    na_lifetime own = *lifetime;
    if (is_brief && (!own.idle || own.brief < own.idle))
        own.idle = own.brief;
    return own;
}

apr_int64_t na_lifetime_end(const na_lifetime *lifetime, apr_int64_t auth_time, apr_time_t now)
{
    apr_int64_t seconds = apr_time_sec(now), end = seconds + lifetime->max_age;
    if (lifetime->idle)
        end = earlier(end, seconds + lifetime->idle);
    if (lifetime->absolute)
        end = earlier(end, auth_time + lifetime->absolute);
    return end;
}

/* Allows for applications that issue longer tokens, up to a limit at which they are cut. */
long na_lifetime_of_tokens(const na_lifetime *lifetime)
{
    return lifetime->absolute ? lifetime->absolute : 2 * lifetime->max_age;
}

long na_lifetime_remember(const na_lifetime *lifetime)
{
    return na_lifetime_of_tokens(lifetime) + 2 * NA_CLOCK_TOLERANCE;
}

long na_lifetime_use_interval(const na_lifetime *lifetime)
{
    long share = lifetime->idle / 10;
    return lifetime->idle && share < USE_INTERVAL ? share : USE_INTERVAL;
}

apr_int64_t na_lifetime_cut(const na_lifetime *lifetime, apr_int64_t auth_time, apr_int64_t used,
                            apr_int64_t expires)
{
    if (lifetime->idle && used)
        expires = earlier(expires, used + lifetime->idle);
    if (lifetime->absolute && auth_time)
        expires = earlier(expires, auth_time + lifetime->absolute);
    return expires;
}

/* A token that an application issued can claim a longer lifetime, or lack its time of issue. */
static void cut_lifetime(na_session *session, const na_lifetime *lifetime)
{
    const na_lifetime own = na_lifetime_of(lifetime, session->is_brief);
    session->expires =
        na_lifetime_cut(&own, session->auth_time, session->issued_at, session->expires);
    if (lifetime->token)
        session->expires = earlier(session->expires, session->issued_at + lifetime->token);
}

const char *na_user_name(apr_pool_t *pool, const char *provider, const char *sub)
{
    return apr_pstrcat(pool, provider ? provider : "", "/", sub, NULL);
}

const char *na_session_user_name(apr_pool_t *pool, const na_session *session)
{
    int in_database = na_session_claim(session, NA_CLAIM_DATABASE_USER) != NULL;
    const char *provider = in_database ? NULL : na_session_claim(session, NA_CLAIM_PROVIDER);
    return na_user_name(pool, provider, session->user);
}

const char *na_session_qualified_user(apr_pool_t *pool, const na_session *session)
{
    int in_database = na_session_claim(session, NA_CLAIM_DATABASE_USER) != NULL;
    const char *provider = in_database ? NULL : na_session_claim(session, NA_CLAIM_PROVIDER);
    if (!*session->user)
        return apr_pstrcat(pool, provider, "::",
                           na_percent_encode(pool, na_session_claim(session, NA_CLAIM_CLIENT)),
                           NULL);
    return apr_pstrcat(pool, provider ? provider : "", ":", na_percent_encode(pool, session->user),
                       NULL);
}

void na_session_key_without_id(apr_pool_t *pool, const char *user_name, apr_int64_t auth_time,
                               na_store_key *key)
{
    na_store_key_make(key, NA_KIND_SESSION,
                      apr_psprintf(pool, "%s@%" APR_INT64_T_FMT, user_name, auth_time));
}

void na_session_make_key(apr_pool_t *pool, na_session *session)
{
    if (session->has_id)
        na_store_key_make(&session->key, NA_KIND_SESSION,
                          na_session_claim(session, NA_CLAIM_SESSION_ID));
    else
        na_session_key_without_id(pool, na_session_user_name(pool, session), session->auth_time,
                                  &session->key);
}

const na_store_key *na_session_key(apr_pool_t *pool, const na_session *session)
{
    if (session->key.kind)
        return &session->key;
    na_session *keyed = apr_pmemdup(pool, session, sizeof *session);
    na_session_make_key(pool, keyed);
    return &keyed->key;
}

/*
 * Returns a hash of what another token of the session can have different: the claims that the
 * database is asked about, and how new all of them are.
 */
static apr_uint64_t standing_of(apr_pool_t *pool, const na_session *session)
{
    unsigned char hash[NA_SHA256_LEN];
    apr_uint64_t standing;
    const char *due = na_session_claim(session, NA_CLAIM_PROFILE_DUE);
    if (!na_session_claim(session, NA_CLAIM_DATABASE_USER) && !due)
        return 0;
    const char *revision = na_session_claim(session, NA_CLAIM_REVISION);
    const char *roles = na_session_claim_text(pool, session, NA_CLAIM_DATABASE_ROLES);
    const char *text = apr_pstrcat(pool, revision ? revision : "", "\n", roles ? roles : "", "\n",
                                   due ? due : "", NULL);
    na_sha256(hash, na_bytes_of(text), na_bytes_of(session->email ? session->email : ""));
    memcpy(&standing, hash, sizeof standing);
    return standing;
}

/* Reads the claims about the second factor. */
static void read_factors(na_session *session)
{
    const char *given = na_session_claim(session, NA_CLAIM_SECOND_FACTOR);
    session->second_factor = given ? apr_atoi64(given) : 0;
    session->has_methods = na_session_claim(session, NA_CLAIM_METHODS) != NULL;
    session->is_remembered = na_session_has(session, NA_CLAIM_METHODS, NA_METHOD_REMEMBERED);
}

/* Returns the session that the claims describe; NULL if they name no user, unless `of_token`. */
static na_session *session_of(apr_pool_t *pool, const na_claims *claims, na_bytes text,
                              int of_token, const apr_array_header_t *identity_claims)
{
    na_session *session = apr_pcalloc(pool, sizeof *session);
    session->claims = (const na_claim *)claims->list->elts;
    session->claim_count = claims->list->nelts;
    session->strings = claims->strings;
    session->user = na_session_claim(session, "sub");
    if (!session->user || (!*session->user && !of_token))
        return NULL;
    session->email = na_session_claim(session, "email");
    session->binding = na_session_claim(session, NA_CLAIM_BINDING);
    session->claims_json = (const char *)text.data;
    session->expires = claims->exp;
    session->issued_at = claims->iat;
    session->auth_time = claims->auth_time ? claims->auth_time : claims->iat;
    session->standing = standing_of(pool, session);
    read_factors(session);
    session->is_brief = na_session_claim(session, NA_CLAIM_BRIEF) != NULL;
    prepare_identities(pool, session, of_token, identity_claims);
    return session;
}

na_error *na_session_open(apr_pool_t *pool, const na_keyring *ring, na_dialect dialect,
                          na_bytes token, const na_lifetime *lifetime, apr_time_t now,
                          const apr_array_header_t *identity_claims, na_session **opened)
{
    na_bytes text;
    na_claims claims;
    NA_TRY(na_jwe_open(pool, ring->keys, ring->count, (const char *)token.data, token.len, &text));
    NA_TRY(na_claims_read(pool, text, &claims));
    NA_TRY(na_claims_check_times(pool, &claims, now));
    na_session *session = session_of(pool, &claims, text, 0, identity_claims);
    if (!session)
        return na_error_new(pool, NA_ERR_FOREIGN_SESSION, "the session token has no sub");
    const char *id = na_session_claim(session, NA_CLAIM_SESSION_ID);
    session->has_id = id && *id;
    session->dialect = dialect;
    cut_lifetime(session, lifetime);
    if (na_session_expired(session, now))
        return na_error_new(pool, NA_ERR_SESSION,
                            "the session exceeded its idle or maximum lifetime");
    *opened = session;
    return NULL;
}

static na_error *make_on_server(apr_pool_t *pool, const char *id, const json_t *json, int of_token,
                                apr_int64_t renewed, apr_int64_t expires,
                                const apr_array_header_t *identity_claims, const na_session **made)
{
    na_bytes text = na_bytes_of(na_json_dump(pool, json));
    na_claims claims;
    NA_TRY(na_claims_read(pool, text, &claims));
    na_session *session = session_of(pool, &claims, text, of_token, identity_claims);
    if (!session)
        return na_error_new(pool, NA_ERR_SESSION, "the session record has no sub");
    session->has_id = 1;
    session->on_server = 1;
    na_store_key_make(&session->key, NA_KIND_SESSION, id);
    session->issued_at = renewed;
    session->expires = expires;
    *made = session;
    return NULL;
}

na_error *na_session_of_record(apr_pool_t *pool, const char *id, const json_t *json,
                               apr_int64_t renewed, apr_int64_t expires,
                               const apr_array_header_t *identity_claims, const na_session **made)
{
    return make_on_server(pool, id, json, 0, renewed, expires, identity_claims, made);
}

na_error *na_session_of_token(apr_pool_t *pool, const char *id, const json_t *json,
                              apr_int64_t renewed, apr_int64_t expires,
                              const apr_array_header_t *identity_claims, const na_session **made)
{
    return make_on_server(pool, id, json, 1, renewed, expires, identity_claims, made);
}

na_error *na_session_change(apr_pool_t *pool, const na_session *session, const json_t *json,
                            const apr_array_header_t *identity_claims, const na_session **changed)
{
    na_bytes text = na_bytes_of(na_json_dump(pool, json));
    na_claims claims;
    NA_TRY(na_claims_read(pool, text, &claims));
    na_session *other = session_of(pool, &claims, text, 0, identity_claims);
    if (!other)
        return na_error_new(pool, NA_ERR_SESSION, "the session has no sub");
    other->issued_at = session->issued_at;
    other->auth_time = session->auth_time;
    other->expires = session->expires;
    other->dialect = session->dialect;
    other->has_id = session->has_id;
    other->on_server = session->on_server;
    other->key = session->key;
    *changed = other;
    return NULL;
}

apr_int64_t na_profile_due(const json_t *claims)
{
    json_int_t seconds = 0;
    na_json_number(claims, NA_CLAIM_PROFILE_DUE, &seconds);
    return seconds;
}

apr_int64_t na_session_profile_due(const na_session *session)
{
    const char *seconds = na_session_claim(session, NA_CLAIM_PROFILE_DUE);
    return seconds ? apr_atoi64(seconds) : 0;
}

static const char *const token_claims[] = {"iat", "exp", "jti", NA_CLAIM_SESSION_ID,
                                           NA_CLAIM_REGISTERED};
#define TOKEN_CLAIMS (sizeof token_claims / sizeof *token_claims)

json_t *na_claims_without_token(apr_pool_t *pool, const json_t *claims)
{
    json_t *kept = na_json_own(pool, json_copy((json_t *)claims));
    for (size_t i = 0; i < TOKEN_CLAIMS; i++)
        json_object_del(kept, token_claims[i]);
    return kept;
}

json_t *na_claims_with_token(apr_pool_t *pool, const json_t *claims, const json_t *of_session)
{
    json_t *all = na_claims_without_token(pool, claims);
    for (size_t i = 0; i < TOKEN_CLAIMS; i++) {
        json_t *value = json_object_get(of_session, token_claims[i]);
        if (value)
            json_object_set(all, token_claims[i], value);
    }
    return all;
}

int na_session_expired(const na_session *session, apr_time_t now)
{
    return session->expires <= apr_time_sec(now) - NA_CLOCK_TOLERANCE;
}

const char *na_session_claim(const na_session *session, const char *name)
{
    for (int i = 0; i < session->claim_count; i++)
        if (na_is_same(session->claims[i].name, name))
            return session->claims[i].value;
    return NULL;
}

const char *na_session_claim_text_with(apr_pool_t *pool, const na_session *session,
                                       const char *name, char delimiter)
{
    apr_array_header_t *values = NULL;
    for (int i = 0; i < session->claim_count; i++) {
        const na_claim *claim = &session->claims[i];
        if (!na_is_same(claim->name, name))
            continue;
        if (!claim->is_element)
            return claim->value;
        if (!values)
            values = apr_array_make(pool, 4, sizeof(const char *));
        APR_ARRAY_PUSH(values, const char *) = claim->value;
    }
    return values ? na_list_text_with(pool, values, delimiter) : NULL;
}

const char *na_session_claim_text(apr_pool_t *pool, const na_session *session, const char *name)
{
    return na_session_claim_text_with(pool, session, name, ',');
}

int na_session_has(const na_session *session, const char *name, const char *value)
{
    for (int i = 0; i < session->claim_count; i++)
        if (na_is_same(session->claims[i].name, name) &&
            strcmp(session->claims[i].value, value) == 0)
            return 1;
    return 0;
}

int na_session_has_role(const na_session *session, const char *role)
{
    return na_session_has(session, NA_CLAIM_ROLES, role) || na_session_has(session, "role", role);
}

int na_session_is_registered(const na_session *session)
{
    return session->has_id && na_session_claim(session, NA_CLAIM_REGISTERED) != NULL;
}
