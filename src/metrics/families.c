/* SPDX-License-Identifier: Apache-2.0 */
/* The families of metrics, with their labels and buckets. */
#include "metrics/families.h"

#include <stddef.h>

#include "base/error_codes.h"

#define SECOND 1
#define NANOSECONDS 1000000000

static const char *const checks[] = {"cached", "opened",      "store", "refused",
                                     "none",   "unavailable", NULL};
static const char *const sendings[] = {"sent", "failed", "dropped", NULL};
static const char *const deliveries[] = {"delivered", "failed", "dropped", NULL};
static const char *const reports[] = {"sent", "dropped", NULL};

static const char *const limits[] = {"signIn",  "callback",      "magicLink",
                                     "signUp",  "passwordReset", "secondFactor",
                                     "mail",    "deviceLogin",   "token",
                                     "longUrl", "preservedPost", NULL};
static const char *const methods[] = {"otp", "recovery", "hwk", "remembered", NULL};
static const char *const renewed[] = {"tokens", "userinfo", NULL};
static const char *const renewals[] = {"renewed", "refused", "failed", "busy", NULL};
static const char *const counted[] = {"address", "account", "both", "site", NULL};

static const na_label provider = {"provider", NULL, NA_PROVIDERS};
static const na_label host = {"host", NULL, NA_HOSTS};
static const na_label store = {"store", NULL, NA_STORES};
static const na_label database = {"database", NULL, NA_DATABASES};
static const na_label reason = {"reason", na_error_reasons, 0};
static const na_label check = {"result", checks, 0};
static const na_label sending = {"result", sendings, 0};
static const na_label delivery = {"result", deliveries, 0};
static const na_label report = {"result", reports, 0};
static const na_label method = {"method", methods, 0};
static const na_label limited = {"limit", limits, 0};
static const na_label counted_by = {"by", counted, 0};
static const na_label renewal_of = {"what", renewed, 0};
static const na_label renewal = {"result", renewals, 0};
static const na_label version = {"version", NULL, 0};
static const na_label httpd = {"httpd", NULL, 0};
static const na_label openssl = {"openssl", NULL, 0};

/* Bounds also have the text that both formats show, because monitoring systems compare the text. */
#define UP_TO(seconds)                                                                             \
    {                                                                                              \
        seconds, #seconds                                                                          \
    }

static const na_bound check_bounds[] = {UP_TO(1e-05),   UP_TO(2.5e-05), UP_TO(5e-05), UP_TO(0.0001),
                                        UP_TO(0.00025), UP_TO(0.0005),  UP_TO(0.001), UP_TO(0.0025),
                                        UP_TO(0.005),   UP_TO(0.01),    UP_TO(0.05),  UP_TO(0.1),
                                        UP_TO(0.5),     UP_TO(1.0)};
static const na_bound call_bounds[] = {UP_TO(0.01), UP_TO(0.025), UP_TO(0.05), UP_TO(0.1),
                                       UP_TO(0.25), UP_TO(0.5),   UP_TO(1.0),  UP_TO(2.5),
                                       UP_TO(5.0),  UP_TO(10.0),  UP_TO(30.0)};
static const na_bound session_bounds[] = {UP_TO(60.0),    UP_TO(300.0),    UP_TO(900.0),
                                          UP_TO(3600.0),  UP_TO(14400.0),  UP_TO(28800.0),
                                          UP_TO(86400.0), UP_TO(604800.0), UP_TO(2.592e+06)};

#define BOUNDS(list) list, sizeof list / sizeof *list

/* clang-format off */
const na_metric_family na_metric_families[NA_METRICS] = {
    [NA_METRIC_SIGNINS] =
        {"signins", NA_COUNTER, NA_FROM_ROWS, "Successful sign-ins.", .labels = {&provider}},
    [NA_METRIC_SECOND_FACTORS] =
        {"second_factors", NA_COUNTER, NA_FROM_ROWS, "Second factors that were given, and remembered browsers.",
         .labels = {&method}},
    [NA_METRIC_SIGNIN_FAILURES] =
        {"signin_failures", NA_COUNTER, NA_FROM_ROWS,
         "Failed sign-ins, by NextAuth error code.", .labels = {&provider, &reason}},
    [NA_METRIC_SIGNOUTS] =
        {"signouts", NA_COUNTER, NA_FROM_ROWS, "Sign-outs.", .labels = {NULL}},
    [NA_METRIC_USERS_CREATED] =
        {"users_created", NA_COUNTER, NA_FROM_ROWS,
         "Users added to the database.", .labels = {NULL}},
    [NA_METRIC_ACCOUNTS_LINKED] =
        {"accounts_linked", NA_COUNTER, NA_FROM_ROWS,
         "Provider accounts linked to users in the database.", .labels = {NULL}},
    [NA_METRIC_SESSION_CHECKS] =
        {"session_checks", NA_COUNTER, NA_FROM_ROWS,
         "Session lookups, by result.", .labels = {&check}},
    [NA_METRIC_SESSION_CHECK_DURATION] =
        {"session_check_duration_seconds", NA_HISTOGRAM, NA_FROM_ROWS,
         "Duration of session lookups for requests with a session cookie.", .labels = {NULL},
         BOUNDS(check_bounds), NANOSECONDS},
    [NA_METRIC_SESSIONS_CREATED] =
        {"sessions_created", NA_COUNTER, NA_FROM_ROWS, "Sessions created.", .labels = {NULL}},
    [NA_METRIC_SESSIONS_ENDED] =
        {"sessions_ended", NA_COUNTER, NA_FROM_ROWS,
         "Sessions ended by a sign-out or a revocation, not by expiry.", .labels = {NULL}},
    [NA_METRIC_SESSION_DURATION] =
        {"session_duration_seconds", NA_HISTOGRAM, NA_FROM_ROWS,
         "Duration of sessions that were ended.",
         .labels = {NULL}, BOUNDS(session_bounds), SECOND},
    [NA_METRIC_SESSIONS_ACTIVE] =
        {"sessions_active", NA_GAUGE, NA_FROM_BLOCK,
         "Sessions in the session stores, counted once a minute.", .labels = {NULL}},
    [NA_METRIC_RENEWALS] =
        {"renewals", NA_COUNTER, NA_FROM_ROWS,
         "Renewals of kept tokens, and profiles fetched again, by result.",
         .labels = {&renewal_of, &renewal}},
    [NA_METRIC_HTTP_REQUEST_DURATION] =
        {"http_request_duration_seconds", NA_HISTOGRAM, NA_FROM_ROWS,
         "Duration of outgoing calls to providers and mail services.", .labels = {&host},
         BOUNDS(call_bounds), NANOSECONDS},
    [NA_METRIC_HTTP_REQUEST_FAILURES] =
        {"http_request_failures", NA_COUNTER, NA_FROM_ROWS,
         "Outgoing calls without a response, or with a 5xx status.", .labels = {&host}},
    [NA_METRIC_STORE_UP] =
        {"store_up", NA_GAUGE, NA_FROM_READINGS,
         "1 if the session store is available, 0 otherwise.", .labels = {&store}},
    [NA_METRIC_STORE_ERRORS] =
        {"store_errors", NA_COUNTER, NA_FROM_ROWS,
         "Failed calls to a session store.", .labels = {&store}},
    [NA_METRIC_DATABASE_UP] =
        {"database_up", NA_GAUGE, NA_FROM_READINGS,
         "1 if the database is available, 0 otherwise.", .labels = {&database}},
    [NA_METRIC_DATABASE_ERRORS] =
        {"database_errors", NA_COUNTER, NA_FROM_ROWS,
         "Failed calls to a database.", .labels = {&database}},
    [NA_METRIC_RATE_LIMITED] =
        {"rate_limited", NA_COUNTER, NA_FROM_ROWS,
         "Attempts refused by NextAuthRateLimit, by limit and by what was counted.",
         .labels = {&limited, &counted_by}},
    [NA_METRIC_ACCOUNT_LOCKS] =
        {"account_locks", NA_COUNTER, NA_FROM_ROWS,
         "Accounts locked temporarily after failed sign-ins.", .labels = {NULL}},
    [NA_METRIC_MAILS] =
        {"mails", NA_COUNTER, NA_FROM_ROWS, "Emails, by result.", .labels = {&sending}},
    [NA_METRIC_MAIL_QUEUE_DEPTH] =
        {"mail_queue_depth", NA_GAUGE, NA_FROM_ROWS,
         "Emails waiting or being sent.", .labels = {NULL}},
    [NA_METRIC_EVENTS_DELIVERED] =
        {"events_delivered", NA_COUNTER, NA_FROM_ROWS,
         "Events for webhooks and programs, by result.", .labels = {&delivery}},
    [NA_METRIC_EVENT_QUEUE_DEPTH] =
        {"event_queue_depth", NA_GAUGE, NA_FROM_READINGS,
         "Events waiting to be delivered.", .labels = {NULL}},
    [NA_METRIC_AUDIT_RECORDS] =
        {"audit_records", NA_COUNTER, NA_FROM_ROWS,
         "Records written to the audit log.", .labels = {NULL}},
    [NA_METRIC_AUDIT_FAILURES] =
        {"audit_failures", NA_COUNTER, NA_FROM_ROWS,
         "Records that could not be written to the audit log.", .labels = {NULL}},
    [NA_METRIC_ERROR_REPORTS] =
        {"error_reports", NA_COUNTER, NA_FROM_ROWS,
         "Error reports to Sentry, by result.", .labels = {&report}},
    [NA_METRIC_BUILD_INFO] =
        {"build_info", NA_INFO, NA_FROM_READINGS, "Versions in use; always 1.",
         .labels = {&version, &httpd, &openssl}},
    [NA_METRIC_START_TIME] =
        {"start_time_seconds", NA_GAUGE, NA_FROM_BLOCK,
         "Time when counting began, in seconds since 1970.", .labels = {NULL}},
};
/* clang-format on */

int na_label_size(const na_label *label)
{
    int size = 0;
    if (!label->values)
        return NA_NAMES_MAX + 1;
    while (label->values[size])
        size++;
    return size;
}

int na_family_stride(const na_metric_family *family)
{
    return family->type == NA_HISTOGRAM ? family->bound_count + 2 : 1;
}

apr_size_t na_family_cells(const na_metric_family *family)
{
    apr_size_t cells = family->source == NA_FROM_ROWS ? (apr_size_t)na_family_stride(family) : 0;
    for (int i = 0; i < NA_LABELS_MAX && family->labels[i]; i++)
        cells *= (apr_size_t)na_label_size(family->labels[i]);
    return cells;
}
