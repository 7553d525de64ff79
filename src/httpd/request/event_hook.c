/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/module.h"
#include "mod_nextauth.h"

APR_IMPLEMENT_OPTIONAL_HOOK_RUN_ALL(nextauth, NEXTAUTH, int, nextauth_event,
                                    (request_rec * r, const nextauth_event *event), (r, event), OK,
                                    DECLINED)

void na_run_event_hook(void *data, const na_event *event)
{
    const nextauth_event told = {.name = na_event_name(event->kind),
                                 .failure = event->failure,
                                 .is_new_user = event->is_new_user,
                                 .user_id = event->user,
                                 .user_name = event->name,
                                 .user_email = event->email,
                                 .user_image = event->image,
                                 .provider = event->provider,
                                 .account_type = event->account_type,
                                 .account_id = event->account_id,
                                 .site = event->origin.site,
                                 .address = event->origin.address,
                                 .request_id = event->origin.request_id,
                                 .trace_id = event->origin.trace_id};
    if (told.name)
        nextauth_run_nextauth_event(data, &told);
}
