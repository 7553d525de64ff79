/* SPDX-License-Identifier: Apache-2.0 */
/* SetHandler nextauth-health: whether httpd is alive, and whether the site is ready. */
#include <string.h>

#include "httpd/handler/answer.h"
#include "httpd/resource/resource.h"

/*
 * /live reports that httpd responds; /ready and the path itself report the health of the site's
 * components. Access need not be restricted: the response has no names, and frequent requests do
 * not cause more checks.
 */

static int is_within(const char *uri, const char *path)
{
    size_t len = strlen(path);
    return strncmp(uri, path, len) == 0 &&
           ((len && path[len - 1] == '/') || uri[len] == '/' || uri[len] == '\0');
}

/* Returns the path of the <Location> that has the SetHandler; "" if another section has it. */
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

static int respond_with_report(request_rec *r)
{
    na_health_report report;
    na_health_now(r->server, r->pool, &report);
    return na_answer_json(r, report.status == NA_UNHEALTHY ? HTTP_SERVICE_UNAVAILABLE : HTTP_OK,
                          na_health_json(r->pool, &report));
}

/* An unknown name is an error: a liveness probe must not get the readiness of the site instead. */
int na_answer_health(request_rec *r)
{
    const char *name = r->uri + strlen(handler_path(r));
    name += *name == '/';
    if (strcmp(name, "live") == 0)
        return na_answer_json(r, HTTP_OK, json_pack("{s:s}", "status", "alive"));
    if (!*name || strcmp(name, "ready") == 0)
        return respond_with_report(r);
    return na_answer_error(r, HTTP_NOT_FOUND,
                           "unknown health check: expected live or ready below the path of the "
                           "<Location>");
}
