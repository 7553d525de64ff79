/* SPDX-License-Identifier: Apache-2.0 */
/* The module's state of a request, and the part of a path that names an endpoint. */
#include <string.h>

#include "httpd/module.h"

na_state *na_state_make(request_rec *r)
{
    na_state *state = apr_pcalloc(r->pool, sizeof *state);
    ap_set_module_config(r->request_config, &nextauth_module, state);
    return state;
}

/* Without a provider an application signs users in, and has the endpoints. */
const char *na_endpoint_path(const na_config *config, const char *path)
{
    if (!config || !config->providers->nelts || !*config->base_path || !path)
        return NULL;
    if (path[0] != '/' || path[1] != config->base_path[1])
        return NULL; /* most paths */
    size_t len = strlen(config->base_path);
    int is_below = strncmp(path, config->base_path, len) == 0;
    return is_below && (!path[len] || path[len] == '/') ? path + len : NULL;
}
