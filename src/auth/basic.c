/* SPDX-License-Identifier: Apache-2.0 */
/* The site's own passwords, shown with each request (NextAuthBasic). */
#include "auth/basic.h"

#include <apr_strings.h>

#include "auth/complete.h"
#include "auth/credentials.h"
#include "auth/factors.h"
#include "auth/limit.h"
#include "auth/report.h"
#include "base/json.h"
#include "session/answer.h"

/* Seconds in which a client's sign-in is recorded once, and for which its session is kept. */
#define RECORD_INTERVAL 600

const char *na_basic_key(apr_pool_t *pool, const na_config *config, const na_provider *provider,
                         const char *user, const char *password)
{
    const na_bytes secret = {config->limits.key, sizeof config->limits.key};
    char *text = apr_pstrcat(pool, "basic\n", provider->id, "\n", user, "\n", password, NULL);
    return na_answer_key(pool, secret, text);
}

const na_session *na_basic_recent(const na_sessions *sessions, const na_visit *visit,
                                  const char *key)
{
    apr_int64_t age;
    const na_session *session = na_answer_find(sessions, visit, key, &age);
    return session && age < NA_BASIC_SECONDS ? session : NULL;
}

/* Returns when the client signed in, as it was recorded last: 0 if that is too long ago. */
static apr_int64_t recorded_at(const na_request *request, const char *key)
{
    apr_int64_t age, now = apr_time_sec(request->now);
    const na_session *kept = na_answer_find(request->sessions, &request->visit, key, &age);
    return kept && now - kept->auth_time < RECORD_INTERVAL ? kept->auth_time : 0;
}

static na_error *check_factor(na_request *request, const na_subject *subject)
{
    int has = 0;
    if (request->db)
        NA_TRY(na_user_has_second_factor(request->pool, request->db, request->config,
                                         subject->user.id, &has));
    if (!has)
        return NULL;
    na_limit_give_back(request); /* the password is right */
    return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                        "a password alone does not suffice for a user with a second factor: use a "
                        "personal access token");
}

/* An unseen sign-in is recorded before it counts, as in a browser. */
static na_error *record_sign_in(na_request *request, const na_subject *subject)
{
    const na_event event = na_event_of_subject(request, NA_EVENT_SIGN_IN, subject);
    NA_TRY(na_record_event(request, NULL, &event));
    na_report(request, &event);
    return NULL;
}

static na_error *make_session(const na_request *request, const char *key, json_t *claims,
                              apr_int64_t auth_time, const na_session **session)
{
    apr_int64_t now = apr_time_sec(request->now);
    json_object_set_new(claims, NA_CLAIM_SITE, json_string(request->config->session.site));
    json_object_set_new(claims, NA_CLAIM_AUTH_TIME, json_integer(auth_time));
    return na_session_of_record(request->pool, key, claims, now, now + RECORD_INTERVAL,
                                request->config->session.identity_claims, session);
}

na_error *na_basic_load(na_request *request, const char *user, const char *password,
                        const char *key, const na_session **session)
{
    const char *elsewhere;
    na_subject subject;
    json_t *claims;
    NA_TRY(na_credentials_verify(request, user, password, &subject));
    NA_TRY(na_admit(request, &subject, &claims, &elsewhere));
    if (elsewhere)
        return na_error_new(request->pool, NA_ERR_ACCESS_DENIED,
                            "NextAuthCallback signIn leads the user elsewhere");
    NA_TRY(check_factor(request, &subject));
    apr_int64_t at = recorded_at(request, key);
    if (!at)
        NA_TRY(record_sign_in(request, &subject));
    NA_TRY(make_session(request, key, claims, at ? at : apr_time_sec(request->now), session));
    na_answer_keep(request->sessions, &request->visit, key, session);
    return NULL;
}
