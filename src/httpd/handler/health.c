/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "httpd/handler/answer.h"
#include "httpd/resource/resource.h"

/*
 * SetHandler nextauth-health: /live says that this process serves, /ready and the path itself what
 * the site rests on. Everybody may ask: the answer has no names, and asking often costs nothing
 * more.
 */

static int is_within(const char *uri, const char *path)
{
    size_t len = strlen(path);
    return strncmp(uri, path, len) == 0 &&
           ((len && path[len - 1] == '/') || uri[len] == '/' || uri[len] == '\0');
}

/* The path of the <Location> that has the SetHandler; "" where that is in another section. */
static const char *handler_path(const request_rec *r)
{
    const core_server_config *core = ap_get_core_module_config(r->server->module_config);
    const apr_array_header_t *locations = core->sec_url;
    for (int i = locations->nelts - 1; i >= 0; i--) {
        const core_dir_config *section =
            ap_get_core_module_config(APR_ARRAY_IDX(locations, i, ap_conf_vector_t *));
        if (section->expr_handler && !section->r && !section->d_is_fnmatch &&
            is_within(r->uri, section->d))
            return section->d;
    }
    return "";
}

static int answer_report(request_rec *r)
{
    na_health_report report;
    na_health_now(r->server, r->pool, &report);
    return na_answer_json(r, report.status == NA_UNHEALTHY ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          na_health_json(r->pool, &report));
}

/* A name that is none must not be taken for another: who restarts what is not ready does harm. */
int na_answer_health(request_rec *r)
{
    const char *name = r->uri + strlen(handler_path(r));
    name += *name == '/';
    if (strcmp(name, "live") == 0)
        return na_answer_json(r, HTTP_OK, json_pack("{s:s}", "status", "alive"));
    if (!*name || strcmp(name, "ready") == 0)
        return answer_report(r);
    return na_answer_error(r, HTTP_NOT_FOUND,
                           "below the path of its <Location> nextauth-health has live and ready");
}
