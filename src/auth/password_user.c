/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies and changes passwords in the database. */
#include "auth/password_user.h"

#include <string.h>

#include "auth/gate.h"
#include "auth/report.h"
#include "base/text.h"
#include "base/url.h"
#include "mail/address.h"
#include "password/breached.h"

#define NAME_LEN_MAX 200

typedef struct known {
    na_db_person person;
    int found;
} known;

/* An unusable hash matches no password, and only the administrator is notified. */
static void log_unusable(na_request *request, const known *k, const na_error *error)
{
    na_log(request, NA_LOG_ERROR, "CALLBACK_CREDENTIALS_HANDLER_ERROR",
           "user '%s' of the database cannot sign in: %s", k->person.user.id,
           na_error_text(request->pool, error));
}

/* Verifies the password; *better is a new hash if the old one is outdated. Requires the gate. */
static void check_hash(na_request *request, const known *k, const char *password, int *matches,
                       const char **better)
{
    na_hash_kind kind = request->config->password_rules.kind;
    const char *hash = k->found ? k->person.credential.hash : NULL;
    *better = NULL;
    na_error *error =
        na_password_verify(request->pool, password, hash, request->config->nobodys_hash, matches);
    if (error)
        log_unusable(request, k, error);
    if (*matches && na_password_is_outdated(request->pool, hash, kind) &&
        na_password_hash(request->pool, kind, password, better))
        *better = NULL; /* the old hash remains valid */
}

static na_error *check_behind_gate(na_request *request, const known *k, const char *password,
                                   int *matches, const char **better)
{
    NA_TRY(na_gate_enter(request));
    check_hash(request, k, password, matches, better);
    na_gate_leave(request);
    return NULL;
}

static na_error *put_better(na_request *request, const known *k, const char *better)
{
    return na_db_replace_hash(request->db, request->pool, k->person.user.id,
                              k->person.credential.hash, better);
}

na_error *na_password_user_check(na_request *request, const char *email, const char *password,
                                 na_db_user *user, apr_int64_t *revision, int *found)
{
    known k = {.found = 0};
    const char *normal, *better = NULL;
    *found = 0;
    if (!na_email_normalize(request->pool, email, &normal)) {
        const na_db_who who = {.email = normal, .current = 1};
        NA_TRY(na_db_find(request->db, request->pool, &who, &k.person, &k.found));
    }
    NA_TRY(check_behind_gate(request, &k, password, found, &better));
    *user = k.person.user;
    *revision = k.person.revision;
    na_error *error = better ? put_better(request, &k, better) : NULL;
    if (error) /* the old hash remains valid */
        na_log(request, NA_LOG_WARNING, "ADAPTER_ERROR",
               "could not store the new hash of the password: %s",
               na_error_text(request->pool, error));
    return NULL;
}

na_error *na_password_user_hash(na_request *request, const char *password, const char **hash)
{
    NA_TRY(na_gate_enter(request));
    na_error *error =
        na_password_hash(request->pool, request->config->password_rules.kind, password, hash);
    na_gate_leave(request);
    return error;
}

const char *na_password_user_name(const na_request *request)
{
    const char *name = apr_table_get(request->form, "name");
    return name && *name && strlen(name) <= NAME_LEN_MAX && na_is_utf8(name) &&
                   !na_has_control(name)
               ? name
               : NULL;
}

void na_password_user_put(const na_request *request, const char *hash, na_decision *decision)
{
    decision->does |= NA_DB_SETS_PASSWORD | NA_DB_ENDS_SESSIONS;
    decision->hash = hash;
    decision->now = apr_time_as_msec(request->now);
}

na_error *na_password_user_sign_out(na_request *request, const char *user_id)
{
    return request->sessions->registry
               ? na_session_end_user(request->sessions, request->pool,
                                     na_user_name(request->pool, NULL, user_id), NULL, request->now)
               : NULL;
}

const char *na_password_user_fault(na_request *request, const char *name, const char *email,
                                   const char *password)
{
    na_url site;
    na_url_parse(request->pool, request->config->origin, &site);
    const na_password_owner owner = {name, email, site.host};
    const na_password_rules *rules = &request->config->password_rules;
    na_password_fault fault = na_password_judge(rules, &owner, password ? password : "");
    return fault == NA_PASSWORD_FINE
               ? NULL
               : na_password_fault_text(request->pool, request->language, rules, fault);
}

/* If the service is unavailable, the password is accepted: the built-in list was checked already.
 */
const char *na_password_user_breach(na_request *request, const char *password)
{
    const char *url = request->config->password_rules.breached;
    int found;
    if (!url)
        return NULL;
    na_error *error = na_breached_ask(request->http, request->pool, url, password, &found);
    if (error)
        na_log(request, NA_LOG_WARNING, "BREACHED_PASSWORDS",
               "could not check a new password for breaches: %s",
               na_error_text(request->pool, error));
    return found ? na_say(request->language,
                          "This password has become known through a data breach. Choose another.")
                 : NULL;
}

const na_provider *na_password_user_provider(const na_request *request)
{
    const apr_array_header_t *providers = request->config->providers;
    for (int i = 0; i < providers->nelts; i++) {
        const na_provider *provider = APR_ARRAY_IDX(providers, i, const na_provider *);
        if (provider->in_database)
            return provider;
    }
    return NULL;
}

int na_feature_is_offered(const na_request *request, int features)
{
    return (request->config->features & features) && na_password_user_provider(request);
}
