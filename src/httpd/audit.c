/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <apr_portable.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "httpd/module.h"
#include "httpd/pipe.h"
#include "httpd/startup.h"
#include "ops/audit_chain.h"
#include "ops/audit_database.h"

/* ── chains, each shared by all servers that name it ───────────────────────────────────────── */

typedef struct opened {
    const char *sink;
    na_audit_chain *chain;
} opened;

/* A program has no file to keep its head beside. */
static const char *head_of_program(apr_pool_t *pool, const char *program)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(program + 1), na_bytes_of(""));
    return ap_runtime_dir_relative(pool, apr_pstrcat(pool, "nextauth-audit-", na_hex(pool, hash, 8),
                                                     ".head", NULL));
}

static na_error *start_program(apr_pool_t *pconf, const char *program, const char *key,
                               na_audit_chain **chain)
{
    apr_file_t *pipe;
    apr_os_file_t fd;
    NA_TRY(na_pipe_open(pconf, program, &pipe));
    apr_os_file_get(&fd, pipe);
    return na_audit_chain_over_pipe(pconf, fd, na_pipe_name(pconf, program),
                                    head_of_program(pconf, program), key, chain);
}

static na_error *open_new(apr_pool_t *pconf, const char *sink, const char *key,
                          apr_array_header_t *all, na_audit_chain **chain)
{
    if (*sink == '|')
        NA_TRY(start_program(pconf, sink, key, chain));
    else
        NA_TRY(na_audit_chain_open(pconf, sink, key, chain));
    for (int i = 0; i < all->nelts; i++)
        if (na_audit_chain_is_same(APR_ARRAY_IDX(all, i, opened).chain, *chain))
            return na_error_new(pconf, NA_CONFIGURATION,
                                "audit logs %s and %s are one file: write the same path", sink,
                                APR_ARRAY_IDX(all, i, opened).sink);
    APR_ARRAY_PUSH(all, opened) = (opened){sink, *chain};
    return NULL;
}

static int is_same_key(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static na_error *open_chain(apr_pool_t *pconf, const char *sink, const char *key,
                            apr_array_header_t *all, na_audit_chain **chain)
{
    for (int i = 0; i < all->nelts; i++) {
        const opened *other = &APR_ARRAY_IDX(all, i, opened);
        if (strcmp(other->sink, sink) != 0)
            continue;
        *chain = other->chain;
        return is_same_key(na_audit_chain_key(other->chain), key)
                   ? NULL
                   : na_error_new(pconf, NA_CONFIGURATION,
                                  "NextAuthAuditLog %s has another key= in another server", sink);
    }
    return open_new(pconf, sink, key, all, chain);
}

/* ── sinks ─────────────────────────────────────────────────────────────────────────────────── */

static na_error *write_to_chain(void *chain, apr_pool_t *pool, na_db_use *use,
                                const na_audit_fields *fields)
{
    return na_audit_chain_append(chain, pool, fields);
}

/* The child opened it since. */
static na_error *write_to_database(void *conf, apr_pool_t *pool, na_db_use *use,
                                   const na_audit_fields *fields)
{
    const na_server_conf *server = conf;
    if (!use)
        return na_audit_insert_alone(server->db, pool, fields);
    return server->plan.audit.goes_on ? na_audit_try_insert(use, fields)
                                      : na_audit_insert(use, fields);
}

static na_error *add_sink(apr_pool_t *pconf, na_server_conf *conf, const char *name,
                          apr_array_header_t *all, apr_array_header_t *sinks)
{
    na_audit_chain *chain;
    if (strcmp(name, "database") == 0) {
        APR_ARRAY_PUSH(sinks, na_audit_sink) = (na_audit_sink){conf, write_to_database};
        return NULL;
    }
    NA_TRY(open_chain(pconf, name, conf->plan.audit.key, all, &chain));
    APR_ARRAY_PUSH(sinks, na_audit_sink) = (na_audit_sink){chain, write_to_chain};
    return NULL;
}

/* ── a server's log ────────────────────────────────────────────────────────────────────────── */

static void log_change(void *data, int is_failing, const char *text)
{
    na_log_server(data, is_failing ? NA_LOG_ERROR : NA_LOG_WARNING, "AUDIT_ERROR", "audit log: %s",
                  text);
}

static void count_record(int is_recorded)
{
    na_metrics_count(na_process_of_child()->metrics,
                     is_recorded ? NA_METRIC_AUDIT_RECORDS : NA_METRIC_AUDIT_FAILURES, NULL, NULL);
}

static na_error *open_log(apr_pool_t *pconf, server_rec *s, apr_array_header_t *all)
{
    na_server_conf *conf = na_server_conf_of(s);
    const apr_array_header_t *names = conf->plan.audit.sinks;
    apr_array_header_t *sinks = apr_array_make(pconf, names->nelts, sizeof(na_audit_sink));
    na_audit *audit = apr_pcalloc(pconf, sizeof *audit);
    void *counts;
    for (int i = 0; i < names->nelts; i++)
        NA_TRY(add_sink(pconf, conf, APR_ARRAY_IDX(names, i, const char *), all, sinks));
    NA_TRY(na_share(pconf, sizeof *audit->counts, "the audit log", &counts));
    audit->counts = counts;
    audit->sinks = sinks;
    audit->goes_on = conf->plan.audit.goes_on;
    audit->told = count_record;
    audit->alarm = log_change;
    audit->data = s;
    conf->audit = audit;
    return NULL;
}

na_error *na_audits_prepare(apr_pool_t *pconf, server_rec *s)
{
    apr_array_header_t *all = apr_array_make(pconf, 2, sizeof(opened));
    for (; s; s = s->next)
        if (na_server_conf_of(s)->config && na_server_conf_of(s)->plan.audit.sinks)
            NA_TRY(open_log(pconf, s, all));
    return NULL;
}
