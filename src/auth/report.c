/* SPDX-License-Identifier: Apache-2.0 */
/* Reports events to the log, the audit log, metrics, webhooks, and other modules. */
#include "auth/report.h"

#include <stdarg.h>

#include <apr_strings.h>

#include "base/json.h"

/* ── log lines ─────────────────────────────────────────────────────────────────────────────── */

static void write_record(const na_request *request, na_log_record record)
{
    record.user = request->claimant.id;
    record.provider = request->provider ? request->provider->id : NULL;
    request->server->log(request->server->data, &record);
}

void na_log(const na_request *request, na_level level, const char *event, const char *format, ...)
{
    va_list args;
    if (request->server->is_dropped(request->server->data, level))
        return;
    va_start(args, format);
    write_record(request, (na_log_record){.level = level,
                                          .event = event,
                                          .message = apr_pvsprintf(request->pool, format, args)});
    va_end(args);
}

/* Returns the cause of an error and its hint, NULL if there is neither. */
static const char *cause_of(apr_pool_t *pool, const na_error *error)
{
    const char *hint = na_error_hint(error);
    if (!error->cause)
        return hint;
    const char *reason = na_error_reason(pool, error->cause);
    return hint ? apr_pstrcat(pool, reason, ": ", hint, NULL) : reason;
}

void na_log_error(const na_request *request, na_level level, const char *event,
                  const na_error *error)
{
    write_record(request, (na_log_record){.level = level,
                                          .event = event,
                                          .code = na_error_telling_code(error),
                                          .message = apr_psprintf(
                                              request->pool, "%s %s%s%s: %s: %s", request->method,
                                              request->action, request->provider ? "/" : "",
                                              request->provider ? request->provider->id : "",
                                              error->code, error->message),
                                          .cause = cause_of(request->pool, error)});
}

/* ── events ────────────────────────────────────────────────────────────────────────────────── */

na_event na_event_of(const na_request *request, na_event_kind kind, const na_user *user)
{
    na_event event = {.kind = kind,
                      .time = apr_time_now(),
                      .provider = request->provider ? request->provider->id : NULL,
                      .origin = request->origin};
    if (!user)
        return event;
    event.user = user->id;
    event.name = user->name;
    event.email = user->email;
    event.image = user->image;
    return event;
}

na_event na_event_of_db_user(const na_request *request, na_event_kind kind, const na_db_user *user)
{
    const na_user who = {user->id, user->name, user->email, user->image};
    return na_event_of(request, kind, &who);
}

na_event na_event_of_session(const na_request *request, na_event_kind kind,
                             const na_session *session)
{
    na_event event = na_event_of(request, kind, NULL);
    if (!session)
        return event;
    event.user = session->user;
    event.email = session->email;
    event.name = na_session_claim(session, "name");
    event.image = na_session_claim(session, "picture");
    event.provider = na_session_claim(session, NA_CLAIM_PROVIDER);
    if (session->auth_time)
        event.session_seconds = apr_time_sec(request->now) - session->auth_time;
    return event;
}

na_event na_event_of_subject(const na_request *request, na_event_kind kind,
                             const na_subject *subject)
{
    na_event event = na_event_of(request, kind, &subject->user);
    event.provider = subject->provider->id;
    event.account_type = na_json_string(subject->account, "type");
    event.account_id = na_json_string(subject->account, "providerAccountId");
    if (kind == NA_EVENT_RECLAIM_USER)
        event.detail = subject->reclaimed;
    event.is_new_user = (subject->events >> NA_EVENT_CREATE_USER) & 1;
    return event;
}

static const char *name_of(const na_event *event)
{
    const char *name = na_event_name(event->kind);
    return name ? name : na_event_audit_name(event->kind);
}

/* At a low level, because the audit log is the place for events. */
static void log_event(const na_request *request, const na_event *event)
{
    na_log_record record = {
        .level = event->kind == NA_EVENT_SESSION ? NA_LOG_DEBUG : NA_LOG_INFO,
        .event = name_of(event),
        .provider = event->provider,
        .user = event->user,
        .message =
            apr_psprintf(request->pool, "%s: '%s'%s%s", name_of(event),
                         event->user ? na_percent_encode(request->pool, event->user) : "",
                         event->provider ? " by " : "", event->provider ? event->provider : "")};
    request->server->log(request->server->data, &record);
}

na_error *na_record_event(na_request *request, na_db_use *use, const na_event *event)
{
    request->is_recorded = 1;
    request->attempted = event->kind;
    na_error *error = na_audit_write(request->audit, request->pool, use, event);
    request->is_unrecorded = error != NULL;
    return error;
}

/* The number of labels is bounded, that of tenants is not: their providers are counted as one. */
static void count_event(const na_request *request, const na_event *event)
{
    const apr_array_header_t *providers = request->config->providers;
    int at = event->provider ? na_provider_find(providers, event->provider) : -1;
    na_event counted = *event;
    if (at >= 0)
        counted.provider =
            na_provider_configured_id(APR_ARRAY_IDX(providers, at, const na_provider *));
    na_metrics_event(request->process->metrics, &counted);
}

void na_report(na_request *request, const na_event *event)
{
    count_event(request, event);
    request->server->event(request->server->data, event);
    na_error *error = na_event_routes_put(request->events, request->pool, event);
    if (error)
        write_record(request, (na_log_record){.level = NA_LOG_ERROR,
                                              .event = "EVENT_ERROR",
                                              .message = apr_psprintf(request->pool,
                                                                      "could not queue event %s",
                                                                      name_of(event)),
                                              .cause = na_error_text(request->pool, error)});
    if (event->failure) /* a failure has a log line of its own */
        return;
    log_event(request, event);
    /* the event is done; a later failure is not its failure */
    request->is_recorded = 0;
    request->attempted = NA_EVENT_SIGN_IN;
}

na_error *na_record_failure(na_request *request, const na_error *error)
{
    na_event event = na_event_of(request, request->attempted, &request->claimant);
    event.failure = na_error_telling_code(error);
    event.reason = na_error_text(request->pool, error);
    na_report(request, &event);
    event.is_unrecorded = request->is_unrecorded;
    return na_record_event(request, NULL, &event);
}
