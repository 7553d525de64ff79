/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler nextauth-diagnostics: the site's configuration, and how this request fares with it. */
#include <unistd.h>

#include <ap_mpm.h>
#include <scoreboard.h>

#include "base/clock.h"
#include "httpd/handler/answer.h"
#include "httpd/resource/resource.h"
#include "httpd/request/local.h"

/*
 * The response is for administrators. It has names, and whether they are set, but never a value
 * that is a secret. In production, only authenticated users and this machine can read it.
 */
static int can_see_diagnostics(request_rec *r)
{
    int authenticated = r->ap_auth_type && r->user && *r->user;
    return na_config_of(r)->mode != NA_PRODUCTION || authenticated || na_is_local(r);
}

static json_t *process_of(const request_rec *r)
{
    const global_score *score = ap_get_scoreboard_global();
    apr_time_t since = score ? score->restart_time : r->request_time;
    return json_pack("{s:s,s:I,s:I}", "mpm", ap_show_mpm(), "pid", (json_int_t)getpid(), "uptime",
                     (json_int_t)apr_time_sec(apr_time_now() - since));
}

static json_t *health_of(const request_rec *r)
{
    na_health_report report;
    na_health_now(r->server, r->pool, &report);
    return na_health_json(r->pool, &report);
}

static int respond_with_diagnostics(request_rec *r)
{
    json_t *all = na_diagnostics_of_site(r), *hints = json_array();
    json_object_set_new(all, "request", na_diagnostics_of_request(r, hints));
    json_object_set_new(all, "health", health_of(r));
    json_object_set_new(all, "process", process_of(r));
    json_object_set_new(all, "versions", na_diagnostics_of_versions(r->pool));
    json_object_set_new(all, "hints", hints);
    json_object_set_new(all, "time", json_string(na_iso8601(r->pool, apr_time_now())));
    return na_answer_json(r, HTTP_OK, all);
}

int na_answer_diagnostics(request_rec *r)
{
    return can_see_diagnostics(r)
               ? respond_with_diagnostics(r)
               : na_answer_error(r, HTTP_FORBIDDEN,
                                 "in production, nextauth-diagnostics requires a signed-in user or "
                                 "a client on this machine: add AuthType NextAuth and Require "
                                 "nextauth-role ROLE to its <Location>");
}
