/* SPDX-License-Identifier: Apache-2.0 */
/* The session of a request to an endpoint. */
#include "auth/session.h"

#include "auth/report.h"
#include "session/standing.h"

na_error *na_request_session(const na_request *request, const na_session **session)
{
    na_sessions unobserved = *request->sessions;
    unobserved.observer = NULL;
    return na_session_load(&unobserved, &request->visit, session);
}

na_error *na_request_session_now(const na_request *request, const na_session **session)
{
    na_request anew = *request;
    anew.visit.asks_anew = 1;
    return na_request_session(&anew, session);
}

int na_session_is_of_revision(const na_request *request, const na_session *session,
                              apr_int64_t revision)
{
    return (request->sessions->table && session->on_server) ||
           na_standing_has_revision(session, revision);
}

na_error *na_request_end_session(na_request *request, na_response *response)
{
    const na_session *session;
    NA_TRY(na_session_end(request->sessions, &request->visit, response->set_cookies, &session));
    const na_event event = na_event_of_session(request, NA_EVENT_SIGN_OUT, session);
    na_report(request, &event);
    NA_TRY(na_record_event(request, NULL, &event));
    response->signed_out = 1;
    return NULL;
}
