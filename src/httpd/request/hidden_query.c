/* SPDX-License-Identifier: Apache-2.0 */
/* Hides the query values of endpoints from logs. */

/*
 * Queries of the endpoints contain secrets: tokens of email links, codes and states of providers.
 * The request line in access logs, mod_log_forensic, mod_status, and ErrorDocuments shows only the
 * names of their parameters.
 */
#include <string.h>

#include <apr_strings.h>
#include <http_main.h>

#include "base/shown_query.h"
#include "httpd/module.h"

/* Replaces what follows the '?' of a request line or target, up to the protocol. */
static char *with_query(apr_pool_t *pool, const char *line, const char *query)
{
    const char *mark = line ? strchr(line, '?') : NULL;
    if (!mark)
        return (char *)line;
    const char *protocol = strrchr(mark, ' ');
    return apr_pstrcat(pool, apr_pstrmemdup(pool, line, (apr_size_t)(mark + 1 - line)), query,
                       protocol, NULL);
}

void na_hide_query(request_rec *r)
{
    na_state *state = na_state_of(r);
    if (!r->args || state->query)
        return;
    const char *shown = na_shown_query(r->pool, r->args);
    if (strcmp(shown, r->args) == 0)
        return;
    state->query = r->args;
    r->args = r->parsed_uri.query = (char *)shown;
    r->the_request = with_query(r->pool, r->the_request, shown);
    r->unparsed_uri = with_query(r->pool, r->unparsed_uri, shown);
}

int na_hide_early(request_rec *r)
{
    if (r->prev)
        na_hide_late(r->prev); /* an ErrorDocument can read it */
    else
        r->log = NULL; /* ends what na_pre_read_request did */
    if (r->args && na_endpoint_path(na_site_config_of(r), r->parsed_uri.path))
        na_hide_query(r);
    return DECLINED;
}

/* Returns 1 if the line names an endpoint of any site: httpd might not have found which one. */
static int has_endpoint_path(const char *line, const char *mark)
{
    for (const server_rec *s = ap_server_conf; s; s = s->next) {
        const na_config *config = na_server_conf_of(s)->config;
        const char *at = config ? strstr(line, config->base_path) : NULL;
        if (at && at < mark)
            return 1;
    }
    return 0;
}

/* Requests that httpd rejects while it reads them, such as too large cookies, are logged too. */
int na_hide_late(request_rec *r)
{
    const char *mark = r->the_request ? strchr(r->the_request, '?') : NULL;
    if (!mark || r->status < 400 || na_state_of(r)->query ||
        !has_endpoint_path(r->the_request, mark))
        return DECLINED;
    if (r->args)
        na_hide_query(r);
    else
        r->the_request = with_query(r->pool, r->the_request, NA_HIDDEN);
    return DECLINED;
}

/* Runs before mod_status records the request, which is earlier than logging. */
void na_hide_of_error(request_rec *r)
{
    na_hide_late(r);
}

/*
 * At LogLevel trace5, httpd writes each request line to the error log before any hook can change
 * it. Its headers, cookies included, are logged at trace4, which stays.
 */
void na_pre_read_request(request_rec *r, conn_rec *c)
{
    int core = core_module.module_index;
    const struct ap_logconf *log = c->log ? c->log : &c->base_server->log;
    if (ap_get_conn_server_module_loglevel(c, c->base_server, core) < APLOG_TRACE5)
        return;
    struct ap_logconf *quieter = ap_new_log_config(r->pool, log);
    ap_set_module_loglevel(r->pool, quieter, core, APLOG_TRACE4);
    r->log = quieter;
}
