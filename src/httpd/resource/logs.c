/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations of NextAuthLog. */
#include <apr_hash.h>
#include <apr_strings.h>

#include "httpd/pipe.h"
#include "httpd/resource/resource.h"

static na_error *open_target(apr_pool_t *pool, const char *target, apr_file_t **file)
{
    char why[120];
    if (*target == '|')
        return na_pipe_open(pool, target, file);
    apr_status_t status =
        apr_file_open(file, ap_server_root_relative(pool, target),
                      APR_FOPEN_WRITE | APR_FOPEN_APPEND | APR_FOPEN_CREATE | APR_FOPEN_LARGEFILE,
                      APR_FPROT_UREAD | APR_FPROT_UWRITE | APR_FPROT_GREAD, pool);
    return status == APR_SUCCESS
               ? NULL
               : na_error_new(pool, NA_ERR_CONFIGURATION, "NextAuthLog: could not open '%s': %s",
                              target, apr_strerror(status, why, sizeof why));
}

/* Virtual hosts that name the same destination share it: a program is started once. */
static na_error *open_logs(apr_pool_t *pconf, server_rec *s)
{
    apr_hash_t *opened = apr_hash_make(pconf);
    for (; s; s = s->next) {
        na_server_conf *conf = na_server_conf_of(s);
        const char *target = conf->plan.log.target;
        conf->log = target ? apr_hash_get(opened, target, APR_HASH_KEY_STRING) : NULL;
        if (!target || conf->log)
            continue;
        NA_TRY(open_target(pconf, target, &conf->log));
        apr_hash_set(opened, target, APR_HASH_KEY_STRING, conf->log);
    }
    return NULL;
}

const na_resource na_logs = {.prepare = open_logs};
