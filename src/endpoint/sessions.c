/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the user's sessions, and ends them. */
#include "endpoint/sessions.h"

#include <string.h>

#include <apr_strings.h>

#include "endpoint/endpoints.h"
#include "auth/report.h"
#include "auth/respond.h"
#include "auth/revoke_tokens.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/url.h"

static const char *own_url(const na_request *request)
{
    return apr_pstrcat(request->pool, request->config->base_url, "/sessions", NULL);
}

static na_error *load_session(na_request *request, const na_session **session)
{
    if (!request->sessions->registry)
        return na_error_new(request->pool, NA_ERR_CONFIGURATION,
                            "cannot list sessions: NextAuthSessionStore is not set");
    na_error *error = na_session_load(request->sessions, &request->visit, session);
    return na_is_unavailable(error) ? error : NULL;
}

static void ask_to_sign_in(na_request *request, na_response *response)
{
    const char *page = apr_pstrcat(request->pool, request->config->base_url, "/signin", NULL);
    if (request->wants_html) {
        na_respond_redirect(request, response, 401,
                            na_url_add(request->pool, page, "callbackUrl", own_url(request)));
        return;
    }
    na_respond_json(request, response, 401,
                    na_json_own(request->pool, json_pack("{s:s}", "error", "Unauthorized")));
}

static int is_current(apr_pool_t *pool, const na_listed *listed, const na_session *session)
{
    return session->has_id && memcmp(listed->key.hash, na_session_key(pool, session)->hash,
                                     sizeof listed->key.hash) == 0;
}

static void respond_page(na_request *request, na_response *response, const na_session *session,
                         const apr_array_header_t *list)
{
    na_page_form form = na_form_of_request(request);
    form.callback_url = own_url(request);
    form.has_account_page =
        form.has_account_page && na_session_claim(session, NA_CLAIM_DATABASE_USER);
    apr_array_header_t *shown = apr_array_make(request->pool, 8, sizeof(na_page_session));
    apr_int64_t now = apr_time_sec(request->now);
    for (int i = 0; i < list->nelts; i++) {
        const na_listed *listed = &APR_ARRAY_IDX(list, i, na_listed);
        APR_ARRAY_PUSH(shown, na_page_session) =
            (na_page_session){.handle = na_registry_handle(request->pool, &listed->key),
                              .device = listed->record.device,
                              .address = listed->record.address,
                              .begun = now - listed->record.created,
                              .used = now - listed->record.used,
                              .is_current = is_current(request->pool, listed, session)};
    }
    na_respond_page(request, response, 200, na_say(request->language, "Your sessions"),
                    na_page_sessions(request->pool, &form, shown));
}

json_t *na_session_listing(apr_pool_t *pool, const na_listed *listed)
{
    const na_record *record = &listed->record;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id",
                     na_registry_handle(pool, &listed->key), "user", record->user, "device",
                     record->device, "address", record->address, "created",
                     na_iso8601(pool, apr_time_from_sec(record->created)), "lastUsed",
                     na_iso8601(pool, apr_time_from_sec(record->used)), "expires",
                     na_iso8601(pool, apr_time_from_sec(record->expires)));
}

static void respond_list(na_request *request, na_response *response, const na_session *session,
                         const apr_array_header_t *list)
{
    json_t *sessions = json_array();
    for (int i = 0; i < list->nelts; i++) {
        const na_listed *listed = &APR_ARRAY_IDX(list, i, na_listed);
        json_t *entry = na_session_listing(request->pool, listed);
        json_object_set_new(entry, "current",
                            json_boolean(is_current(request->pool, listed, session)));
        json_array_append_new(sessions, entry);
    }
    na_respond_json(request, response, 200,
                    na_json_own(request->pool, json_pack("{s:o}", "sessions", sessions)));
}

na_error *na_get_sessions(na_request *request, na_response *response)
{
    const na_session *session;
    apr_array_header_t *list = apr_array_make(request->pool, 8, sizeof(na_listed));
    NA_TRY(load_session(request, &session));
    if (!session) {
        ask_to_sign_in(request, response);
        return NULL;
    }
    NA_TRY(na_registry_list(request->sessions->registry, request->pool,
                            na_session_user_name(request->pool, session), request->now, list));
    if (request->wants_html)
        respond_page(request, response, session, list);
    else
        respond_list(request, response, session, list);
    return NULL;
}

/* Ends one session, and revokes the tokens that are kept for it. */
static na_error *end_one(na_request *request, const char *user, const na_listed *listed)
{
    na_kept_tokens kept;
    int has_tokens = na_tokens_to_revoke_at(request, &listed->key, &kept);
    NA_TRY(na_session_end_other(request->sessions, request->pool, user, &listed->key,
                                listed->record.created, request->now));
    if (has_tokens)
        na_tokens_revoke(request, &kept);
    return NULL;
}

/*
 * Ends "all" or "others", or the session of a handle if it is *found. Sets *is_own to 1 if the
 * request's session is among them.
 */
static na_error *end_sessions(na_request *request, const na_session *session, const char *which,
                              int *found, int *is_own)
{
    const char *user = na_session_user_name(request->pool, session);
    na_listed listed;
    *found = 1;
    *is_own = strcmp(which, "all") == 0;
    if (*is_own || strcmp(which, "others") == 0)
        return na_session_end_user(request->sessions, request->pool, user, *is_own ? NULL : session,
                                   request->now);
    NA_TRY(na_registry_by_handle(request->sessions->registry, request->pool, user, which,
                                 request->now, &listed, found));
    if (!*found)
        return NULL;
    *is_own = is_current(request->pool, &listed, session);
    return end_one(request, user, &listed);
}

static na_error *record_end(na_request *request, const na_session *session, const char *which)
{
    na_event event = na_event_of_session(request, NA_EVENT_REVOKE_SESSION, session);
    event.detail = which;
    na_report(request, &event);
    return na_record_event(request, NULL, &event);
}

na_error *na_post_sessions(na_request *request, na_response *response)
{
    const na_session *session;
    const char *which = apr_table_get(request->form, "session");
    int found, is_own;
    NA_TRY(load_session(request, &session));
    if (!session) {
        ask_to_sign_in(request, response);
        return NULL;
    }
    NA_TRY(end_sessions(request, session, which ? which : "", &found, &is_own));
    if (found)
        NA_TRY(record_end(request, session, which));
    response->signed_out = is_own;
    if (is_own)
        na_session_clear(&request->config->session, &request->visit, response->set_cookies);
    na_respond_redirect(request, response, 200, is_own ? request->config->home : own_url(request));
    return NULL;
}
