/* SPDX-License-Identifier: Apache-2.0 */
#include <http_main.h>

#include "httpd/module.h"

/* Verified tokens a child remembers: about 1.5 KB each. */
#define TOKENS 4096

/* Passwords a child checks at once: each takes a core for as long as its hash was made to. */
#define PASSWORD_PLACES 2

static na_process process_of_child;

const na_process *na_process_of_child(void)
{
    return &process_of_child;
}

static int report(const server_rec *s, const na_written *at, const na_error *error,
                  apr_pool_t *pool)
{
    if (at)
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s, "%s on line %d of %s: %s",
                     at->directive, at->line, at->file, na_error_text(pool, error));
    else
        ap_log_error(APLOG_MARK, APLOG_STARTUP | APLOG_EMERG, 0, s,
                     "mod_nextauth for %s (line %d of %s): %s", s->server_hostname,
                     s->defn_line_number, s->defn_name ? s->defn_name : "the main server",
                     na_error_text(pool, error));
    return HTTP_INTERNAL_SERVER_ERROR;
}

int na_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        const na_written *at = NULL;
        na_error *error = na_config_build(pconf, s, conf->written, &conf->config, &at);
        if (error)
            return report(s, at, error, ptemp);
    }
    return OK;
}

static na_error *start_child(apr_pool_t *pool, server_rec *s)
{
    na_http_global_init();
    NA_TRY(na_token_cache_make(pool, TOKENS, &process_of_child.tokens));
    NA_TRY(na_documents_make(pool, &process_of_child.documents));
    NA_TRY(na_password_gate_make(pool, PASSWORD_PLACES, &process_of_child.passwords));
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        if (conf->config)
            NA_TRY(na_http_make(pool, &conf->config->http, &conf->http));
    }
    return NULL;
}

void na_child_init(apr_pool_t *pool, server_rec *s)
{
    na_error *error = start_child(pool, s);
    if (!error)
        return;
    ap_log_error(APLOG_MARK, APLOG_EMERG, 0, s, "mod_nextauth cannot start: %s",
                 na_error_text(pool, error));
    exit(APEXIT_CHILDSICK);
}
