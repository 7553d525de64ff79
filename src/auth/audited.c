/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "auth/action.h"
#include "session/session.h"

static na_event event_of(const na_request *request, na_event_kind kind)
{
    return (na_event){.kind = kind,
                      .time = request->now,
                      .provider = request->provider ? request->provider->id : NULL,
                      .origin = {.site = request->config->origin,
                                 .address = request->visit.client.address,
                                 .user_agent = request->visit.client.user_agent}};
}

na_error *na_audit_sign_in(na_request *request, const na_subject *subject)
{
    na_event event = event_of(request, NA_EVENT_SIGN_IN);
    event.user = subject->user.id;
    event.name = subject->user.name;
    event.email = subject->user.email;
    event.provider = subject->provider->id;
    return na_audit_write(request->audit, request->pool, &event);
}

na_error *na_audit_failure(na_request *request, na_error *error)
{
    na_event event = event_of(request, NA_EVENT_SIGN_IN);
    if (strcmp(request->action, "callback") != 0 && strcmp(request->action, "signin") != 0)
        return error;
    event.failure = error->code;
    event.reason = na_error_text(request->pool, error);
    event.name = na_parameter(request, "username");
    event.email = na_parameter(request, "email");
    na_error *unwritten = na_audit_write(request->audit, request->pool, &event);
    return unwritten ? unwritten : error;
}

na_error *na_audit_sign_out(na_request *request, const na_session *session)
{
    na_event event = event_of(request, NA_EVENT_SIGN_OUT);
    if (!session)
        return NULL;
    event.user = na_session_claim(session, "sub");
    event.name = na_session_claim(session, "name");
    event.email = na_session_claim(session, "email");
    event.provider = na_session_claim(session, "provider");
    return na_audit_write(request->audit, request->pool, &event);
}
