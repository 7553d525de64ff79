/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a request's host, if a virtual host serves several. */
#include "httpd/module.h"

/*
 * httpd has read the host name from an absolute request target, which takes precedence, or from the
 * only Host header (RFC 9112 section 3.2.2), and the port together with it. X-Forwarded-Host and
 * the like are never read, because any client could choose another tenant with them.
 */
static na_error *find_tenant(request_rec *r, na_tenants *tenants, const na_tenant **tenant)
{
    const na_config *site = na_site_config_of(r);
    char origin[NA_ORIGIN_SIZE];
    if (!r->hostname || !na_hosts_find(site->hosts, r->hostname, r->parsed_uri.port, origin))
        return NULL;
    return na_tenants_get(tenants, r->pool, origin, tenant);
}

/* Until httpd has determined the host, there is no tenant, and that is not final. */
const na_tenant *na_tenant_of(const request_rec *of)
{
    request_rec *r = (request_rec *)of; /* what is found is kept in its state */
    const request_rec *before = r->main ? r->main : r->prev;
    if (before && before->server == r->server)
        return na_tenant_of(before);
    na_state *state = na_state_of(r);
    if (state->tenant)
        return state->tenant;
    na_error *error = find_tenant(r, na_server_conf_of(r->server)->tenants, &state->tenant);
    if (error) /* na_log_request would ask for the tenant again */
        ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "could not derive the configuration of %s: %s",
                      r->hostname, na_error_text(r->pool, error));
    return state->tenant;
}
