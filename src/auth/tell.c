/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/action.h"
#include "base/json.h"

void na_tell(na_request *request, na_event event)
{
    event.time = apr_time_now();
    event.origin = (na_event_origin){.site = request->config->origin,
                                     .address = request->visit.client.address,
                                     .user_agent = request->visit.client.user_agent};
    request->server->event(request->server->data, &event);
    na_error *error = na_events_put(request->events, request->pool, &event);
    if (error)
        na_log(request, NA_LOG_WARNING, "event %s is not queued: %s", na_event_name(event.kind),
               na_error_text(request->pool, error));
}

static na_event event_of(const na_subject *subject, na_event_kind kind)
{
    const na_user *user = &subject->user;
    return (na_event){.kind = kind,
                      .user = user->id,
                      .name = user->name,
                      .email = user->email,
                      .image = user->image,
                      .provider = subject->provider->id,
                      .account_type = na_json_string(subject->account, "type"),
                      .account_id = na_json_string(subject->account, "providerAccountId"),
                      .is_new_user = (subject->events & 1u << NA_EVENT_CREATE_USER) != 0};
}

void na_tell_sign_in(na_request *request, const na_subject *subject)
{
    static const na_event_kind before[] = {NA_EVENT_CREATE_USER, NA_EVENT_UPDATE_USER,
                                           NA_EVENT_LINK_ACCOUNT};
    for (int i = 0; i < 3; i++)
        if (subject->events & 1u << before[i])
            na_tell(request, event_of(subject, before[i]));
    na_tell(request, event_of(subject, NA_EVENT_SIGN_IN));
}

void na_tell_session(na_request *request, na_event_kind kind, const na_session *session)
{
    na_tell(request, (na_event){.kind = kind,
                                .user = session->user,
                                .name = na_session_claim(session, "name"),
                                .email = na_session_claim(session, "email"),
                                .image = na_session_claim(session, "picture")});
}
