/* SPDX-License-Identifier: Apache-2.0 */
/* Counts attempts and refuses those that exceed NextAuthRateLimit. */
#include "auth/limit.h"

#include <string.h>

#include <apr_lib.h>
#include <apr_strings.h>

#include "auth/lock.h"
#include "auth/network.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "base/json.h"
#include "mail/address.h"

/* ── the account that is counted ───────────────────────────────────────────────────────────── */

/*
 * Directories treat names that differ in case or blanks as one: an attacker must not get a new
 * budget for each spelling. If two users share a budget, that does less harm.
 */
static const char *fold_name(apr_pool_t *pool, const char *name)
{
    char *folded = apr_pstrdup(pool, name), *to = folded;
    for (const char *from = name; *from; from++)
        if (!apr_isspace(*from))
            *to++ = (char)apr_tolower(*from);
    *to = '\0';
    return folded;
}

#define OF_EMAIL "email\n"

const char *na_limit_account(apr_pool_t *pool, const na_provider *provider, const char *name)
{
    const char *email;
    if (provider && !provider->in_database && provider->type == NA_CREDENTIALS)
        return apr_pstrcat(pool, "provider ", provider->id, "\n", fold_name(pool, name), NULL);
    if (!na_email_normalize(pool, name, &email)) /* as it will be looked up */
        name = email;
    return apr_pstrcat(pool, OF_EMAIL, fold_name(pool, name), NULL);
}

const char *na_limit_factor_account(apr_pool_t *pool, const char *user_id)
{
    return apr_pstrcat(pool, "user ", user_id, NULL);
}

/* ── known browsers ────────────────────────────────────────────────────────────────────────── */

/*
 * A browser that signed in to an account before has a cookie that proves it, and a budget of its
 * own for that account, which attackers cannot use up.
 */
#define KNOWN_MAX_AGE (90L * 24 * 3600)
#define KNOWN_ACCOUNTS 4

/*
 * The newest account first: [{"a": the account's hash, "b": the browser's name, "r": the revision
 * of the user of the database that it signed in as}, …].
 */
static json_t *known_accounts(na_request *request)
{
    const na_keyring *ring = &request->config->limits.known;
    const char *name = request->config->cookies[NA_COOKIE_KNOWN_BROWSER].name, *cookie;
    json_t *claims;
    for (int i = 0; (cookie = na_cookies_get(request->cookies, name, i)); i++)
        if (!na_keyring_open(request->pool, ring, na_bytes_of(cookie), request->now, &claims) &&
            json_is_array(json_object_get(claims, "accounts")))
            return json_object_get(claims, "accounts");
    return NULL;
}

/*
 * Does not depend on the secret, so that browsers remain known when the secret changes. Depends on
 * the site, because a user of that name at another site with the same secret is a different user.
 */
static const char *tag_of(const na_request *request, const char *account)
{
    unsigned char hash[NA_SHA256_LEN];
    const char *site = apr_pstrcat(request->pool, "\n", request->config->session.site, NULL);
    na_sha256(hash, na_bytes_of(account), na_bytes_of(site));
    return na_hex(request->pool, hash, 16);
}

static na_error *read_revision(na_request *request, const char *email, apr_int64_t *revision,
                               int *found)
{
    const na_db_who who = {.email = email, .current = 1};
    na_db_person person;
    NA_TRY(na_db_find(request->db, request->pool, &who, &person, found));
    *revision = *found ? person.revision : 0;
    return NULL;
}

/*
 * After a new password, or when all sessions are revoked, a database user's browsers are no longer
 * known. Files and directories do not report changes.
 */
static int is_still_known(na_request *request, const char *account, const json_t *entry)
{
    const json_t *known = json_object_get(entry, "r");
    apr_int64_t revision;
    int found;
    if (strncmp(account, OF_EMAIL, strlen(OF_EMAIL)) != 0)
        return 1;
    na_error *error = read_revision(request, account + strlen(OF_EMAIL), &revision, &found);
    if (error)
        na_log_error(request, NA_LOG_WARNING, "RATE_LIMIT", error);
    return !error && found && json_is_integer(known) && json_integer_value(known) == revision;
}

/* Returns the browser's name for an account, NULL if it is not known. */
static const char *browser_of(na_request *request, const char *account)
{
    json_t *accounts = known_accounts(request), *each;
    const char *tag = tag_of(request, account);
    size_t i;
    json_array_foreach(accounts, i, each)
    {
        const char *a = na_json_string(each, "a"), *b = na_json_string(each, "b");
        if (a && b && na_equal_secret(a, tag))
            return is_still_known(request, account, each) ? b : NULL;
    }
    return NULL;
}

static int is_limited(const na_request *request, na_limited what)
{
    return request->config->limits.of[what].count > 0;
}

void na_limit_remember(na_request *request, na_response *response, apr_int64_t revision)
{
    const na_cookie *cookie = &request->config->cookies[NA_COOKIE_KNOWN_BROWSER];
    const char *account = request->account;
    char *token;
    if (!account ||
        (!is_limited(request, NA_LIMIT_SIGN_IN) && !is_limited(request, NA_LIMIT_MAGIC_LINK)))
        return;
    const char *tag = tag_of(request, account), *browser = browser_of(request, account);
    if (!browser)
        browser = na_random_base64url(request->pool, 16);
    json_t *list = json_array(), *each, *before = known_accounts(request);
    json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "a", tag, "b", browser, "r",
                                          (json_int_t)revision));
    size_t i;
    json_array_foreach(before, i, each)
    {
        const char *a = na_json_string(each, "a");
        if (a && strcmp(a, tag) != 0 && json_array_size(list) < KNOWN_ACCOUNTS)
            json_array_append(list, each);
    }
    json_t *claims = na_json_own(request->pool, json_pack("{s:o}", "accounts", list));
    na_error *error = na_keyring_seal(request->pool, &request->config->limits.known, claims,
                                      request->now, KNOWN_MAX_AGE, &token);
    if (error)
        na_log_error(request, NA_LOG_WARNING, "RATE_LIMIT", error);
    else
        na_set_cookie(response, na_cookie_write(request->pool, cookie, cookie->name, token,
                                                KNOWN_MAX_AGE, 0));
}

/* ── keys ──────────────────────────────────────────────────────────────────────────────────── */

/*
 * A keyed hash assigns names and IP addresses to 2^20 buckets, which limits the entries in a store,
 * however many addresses an attacker has. Two in one bucket share its budget.
 */
#define BUCKET_BITS 20

static void key_of(apr_pool_t *pool, const na_limits *limits, na_limited what,
                   const na_limit *limit, const char *subject, unsigned char *key)
{
    const na_bytes secret = {limits->key, sizeof limits->key};
    na_hmac_sha256(key, secret, na_bytes_of(subject));
    unsigned bucket =
        ((unsigned)key[0] << 16 | (unsigned)key[1] << 8 | key[2]) & ((1u << BUCKET_BITS) - 1);
    const char *name =
        apr_psprintf(pool, "%s %s %d/%ld %u", na_limited_name(what), na_limit_by_name(limit->by),
                     limit->rate.most, limit->rate.seconds, bucket);
    na_hmac_sha256(key, secret, na_bytes_of(name));
}

/* The client that is counted. */
typedef struct asker {
    const char *network;
    const char *account; /* NULL if no account is named */
    const char *browser; /* known for the account or signed in to it, NULL if neither */
} asker;

/*
 * A user can create any number of known browsers for their own account, so all of them share one
 * budget for emails.
 */
static const char *browser_subject(apr_pool_t *pool, const asker *who, na_limited what)
{
    const char *browser = what == NA_LIMIT_SIGN_IN ? who->browser : "known";
    return apr_pstrcat(pool, "browser ", browser, "\n", who->account, NULL);
}

/* Returns the subject of the limit, NULL if the limit does not apply to the client. */
static const char *subject_of(apr_pool_t *pool, const asker *who, na_limited what, na_limit_by by)
{
    if (by == NA_BY_SITE)
        return "site";
    if (who->browser)
        return browser_subject(pool, who, what);
    if (by == NA_BY_ACCOUNT)
        return who->account;
    return by == NA_BY_ADDRESS || !who->account
               ? who->network
               : apr_pstrcat(pool, who->network, "\n", who->account, NULL);
}

/* ── counting ──────────────────────────────────────────────────────────────────────────────── */

typedef struct taken {
    na_limited what;
    na_rate rate;
    unsigned char key[NA_RATE_KEY_LEN];
    na_rate_answer answer;
} taken;

static na_error *refuse_attempt(na_request *request, na_limited what, const na_limit *limit,
                                const na_rate_answer *answer)
{
    request->limit_wait = answer->wait;
    request->is_limit_news |= answer->is_first;
    na_metrics_count(request->process->metrics, NA_METRIC_RATE_LIMITED, na_limited_name(what),
                     na_limit_by_name(limit->by));
    return na_error_new(request->pool, NA_ERR_RATE_LIMITED,
                        "too many attempts: %s by %s is limited to %d in %ld s; retry after %ld s",
                        na_limited_name(what), na_limit_by_name(limit->by), limit->rate.most,
                        limit->rate.seconds, answer->wait);
}

static na_error *take_one(na_request *request, na_limited what, const na_limit *limit,
                          const asker *who)
{
    taken t = {.what = what, .rate = limit->rate};
    const char *subject = subject_of(request->pool, who, what, limit->by);
    if (!subject)
        return NULL;
    key_of(request->pool, &request->config->limits, what, limit, subject, t.key);
    na_rate_take(request->rates, request->pool, t.key, &limit->rate, request->now, &t.answer);
    if (t.answer.allowed) {
        if (!request->taken)
            request->taken = apr_array_make(request->pool, 4, sizeof(taken));
        APR_ARRAY_PUSH(request->taken, taken) = t;
        return NULL;
    }
    int locks = what == NA_LIMIT_SIGN_IN || what == NA_LIMIT_SECOND_FACTOR;
    if (t.answer.is_first && locks && limit->by == NA_BY_ACCOUNT && !who->browser)
        NA_TRY(na_lock_report(request, what, limit->rate.seconds));
    return refuse_attempt(request, what, limit, &t.answer);
}

static na_error *take_all(na_request *request, na_limited what, const asker *who)
{
    const na_limit_list *limits = &request->config->limits.of[what];
    for (int i = 0; i < limits->count; i++)
        NA_TRY(take_one(request, what, &limits->list[i], who));
    return NULL;
}

na_error *na_limit_take(na_request *request, na_limited what, const char *account)
{
    asker who = {na_network_of(request), account, NULL};
    if (!is_limited(request, what))
        return NULL;
    if (account)
        who.browser = browser_of(request, account);
    return take_all(request, what, &who);
}

na_error *na_limit_take_stray(na_request *request, na_limited what)
{
    const asker who = {apr_pstrcat(request->pool, "stray ", na_network_of(request), NULL), NULL,
                       NULL};
    return take_all(request, what, &who);
}

na_error *na_limit_take_signed_in(na_request *request, na_limited what, const char *account)
{
    const asker who = {NULL, account, "signed in"};
    return take_all(request, what, &who);
}

void na_limit_give_back(na_request *request)
{
    for (int i = 0; request->taken && i < request->taken->nelts; i++) {
        const taken *t = &APR_ARRAY_IDX(request->taken, i, taken);
        if (t->what == NA_LIMIT_SIGN_IN || t->what == NA_LIMIT_CALLBACK ||
            t->what == NA_LIMIT_SECOND_FACTOR || t->what == NA_LIMIT_TOKEN)
            na_rate_give_back(request->rates, request->pool, t->key, &t->rate, &t->answer);
    }
    request->taken = NULL;
}

/* ── unlocking ─────────────────────────────────────────────────────────────────────────────── */

static na_error *forget_account(apr_pool_t *pool, const na_limits *limits, const na_rates *rates,
                                const char *account)
{
    for (int what = 0; what < NA_LIMITED; what++)
        for (int i = 0; i < limits->of[what].count; i++) {
            const na_limit *limit = &limits->of[what].list[i];
            unsigned char key[NA_RATE_KEY_LEN];
            if (limit->by != NA_BY_ACCOUNT)
                continue;
            key_of(pool, limits, (na_limited)what, limit, account, key);
            NA_TRY(na_rate_forget(rates, pool, key));
        }
    return NULL;
}

na_error *na_limit_unlock(apr_pool_t *pool, const na_config *config, const na_rates *rates,
                          const char *name, const char *user_id)
{
    if (user_id)
        NA_TRY(
            forget_account(pool, &config->limits, rates, na_limit_factor_account(pool, user_id)));
    NA_TRY(forget_account(pool, &config->limits, rates, na_limit_account(pool, NULL, name)));
    for (int i = 0; i < config->providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(config->providers, i, const na_provider *);
        if (provider->type == NA_CREDENTIALS)
            NA_TRY(forget_account(pool, &config->limits, rates,
                                  na_limit_account(pool, provider, name)));
    }
    return NULL;
}
