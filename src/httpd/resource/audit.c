/* SPDX-License-Identifier: Apache-2.0 */
/* Audit logs: opens each destination once, and the log of each virtual host that names it. */
#include <string.h>

#include <apr_portable.h>
#include <apr_strings.h>

#include "base/crypto.h"
#include "base/writable.h"
#include "httpd/pipe.h"
#include "httpd/resource/resource.h"
#include "audit/chain.h"
#include "audit/database.h"

/* ── chains, each shared by all virtual hosts that name it ─────────────────────────────────── */

typedef struct shared_chain {
    const char *sink, *key;
    const char *file, *head; /* identities of the files, whatever path names them; NULL if none */
    na_audit_chain *chain;
} shared_chain;

/* shared_chain; filled when the configuration is checked, opened before the fork */
static apr_array_header_t *chains;

static void begin_audits(apr_pool_t *pconf)
{
    chains = apr_array_make(pconf, 2, sizeof(shared_chain));
}

/* A program has no file beside which its head could be kept. */
const char *na_audit_head_of_program(apr_pool_t *pool, const char *program)
{
    unsigned char hash[NA_SHA256_LEN];
    na_sha256(hash, na_bytes_of(program + 1), na_bytes_of(""));
    return ap_runtime_dir_relative(pool, apr_pstrcat(pool, "nextauth-audit-", na_hex(pool, hash, 8),
                                                     ".head", NULL));
}

static shared_chain *find_chain(const char *sink)
{
    for (int i = 0; i < chains->nelts; i++)
        if (strcmp(APR_ARRAY_IDX(chains, i, shared_chain).sink, sink) == 0)
            return &APR_ARRAY_IDX(chains, i, shared_chain);
    return NULL;
}

static const char *head_of_destination(apr_pool_t *pool, const char *sink)
{
    return *sink == '|' ? na_audit_head_of_program(pool, sink) : na_audit_head_path(pool, sink);
}

static int is_same_file(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static na_error *add_chain(apr_pool_t *pool, const char *sink, const char *key)
{
    const char *head = na_writable_identity(pool, head_of_destination(pool, sink));
    const char *file = *sink == '|' ? NULL : na_writable_identity(pool, sink);
    for (int i = 0; i < chains->nelts; i++) {
        const shared_chain *other = &APR_ARRAY_IDX(chains, i, shared_chain);
        if (is_same_file(other->file, file) || is_same_file(other->head, head))
            return na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                   "audit logs '%s' and '%s' are the same file",
                                                   sink, other->sink),
                                      "use the same path for both");
    }
    APR_ARRAY_PUSH(chains, shared_chain) =
        (shared_chain){.sink = sink, .key = key, .file = file, .head = head};
    return NULL;
}

static int is_same_key(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static na_error *take_sink(apr_pool_t *pool, const char *sink, const char *key)
{
    const shared_chain *there = find_chain(sink);
    if (!there)
        return add_chain(pool, sink, key);
    return is_same_key(there->key, key)
               ? NULL
               : na_error_with_hint(na_error_new(pool, NA_ERR_CONFIGURATION,
                                                 "audit log '%s' has a different key= in another "
                                                 "virtual host",
                                                 *sink == '|' ? na_pipe_name(pool, sink) : sink),
                                    "set the same key= everywhere, or use separate logs");
}

static na_error *take_audits(apr_pool_t *pool, server_rec *s, const na_directive **at)
{
    const na_server_conf *conf = na_server_conf_of(s);
    const apr_array_header_t *sinks = conf->plan.audit.sinks;
    *at = na_last_of(conf->written, NextAuthAuditLog);
    for (int i = 0; sinks && i < sinks->nelts; i++) {
        const char *sink = APR_ARRAY_IDX(sinks, i, const char *);
        if (strcmp(sink, NA_AUDIT_DATABASE) != 0)
            NA_TRY(take_sink(pool, sink, conf->plan.audit.key));
    }
    return NULL;
}

static na_error *start_program(apr_pool_t *pconf, const shared_chain *c, na_audit_chain **chain)
{
    apr_file_t *pipe;
    apr_os_file_t fd;
    NA_TRY(na_pipe_open(pconf, c->sink, &pipe));
    apr_os_file_get(&fd, pipe);
    return na_audit_chain_over_pipe(pconf, fd, na_pipe_name(pconf, c->sink),
                                    na_audit_head_of_program(pconf, c->sink), c->key, chain);
}

static na_error *open_chains(apr_pool_t *pconf)
{
    for (int i = 0; i < chains->nelts; i++) {
        shared_chain *c = &APR_ARRAY_IDX(chains, i, shared_chain);
        NA_TRY(*c->sink == '|' ? start_program(pconf, c, &c->chain)
                               : na_audit_chain_open(pconf, c->sink, c->key, &c->chain));
    }
    return NULL;
}

/* ── destinations ──────────────────────────────────────────────────────────────────────────── */

static na_error *write_to_chain(void *chain, apr_pool_t *pool, na_db_use *use,
                                const na_audit_fields *fields)
{
    return na_audit_chain_append(chain, pool, fields);
}

/* The child process opens the database later, so it is looked up at each write. */
static na_error *write_to_database(void *conf, apr_pool_t *pool, na_db_use *use,
                                   const na_audit_fields *fields)
{
    const na_server_conf *server = conf;
    return na_audit_insert(server->db, pool, use, server->plan.audit.goes_on, fields);
}

static na_audit_sink sink_of(na_server_conf *conf, const char *name)
{
    return strcmp(name, NA_AUDIT_DATABASE) == 0
               ? (na_audit_sink){conf, write_to_database}
               : (na_audit_sink){find_chain(name)->chain, write_to_chain};
}

/* ── the log of a virtual host ─────────────────────────────────────────────────────────────── */

static void log_audit_change(void *data, int is_failing, const char *text)
{
    na_log_server(data, is_failing ? NA_LOG_ERROR : NA_LOG_WARNING, "AUDIT_ERROR", "audit log: %s",
                  text);
}

static void count_record(int is_recorded)
{
    na_metrics_count(na_process_of_child()->metrics,
                     is_recorded ? NA_METRIC_AUDIT_RECORDS : NA_METRIC_AUDIT_FAILURES, NULL, NULL);
}

static na_error *open_log(apr_pool_t *pconf, server_rec *s)
{
    na_server_conf *conf = na_server_conf_of(s);
    const apr_array_header_t *names = conf->plan.audit.sinks;
    apr_array_header_t *sinks = apr_array_make(pconf, names->nelts, sizeof(na_audit_sink));
    na_audit *audit = apr_pcalloc(pconf, sizeof *audit);
    void *counts;
    for (int i = 0; i < names->nelts; i++)
        APR_ARRAY_PUSH(sinks, na_audit_sink) = sink_of(conf, APR_ARRAY_IDX(names, i, const char *));
    NA_TRY(na_share(pconf, sizeof *audit->counts, "the audit log", &counts));
    audit->counts = counts;
    audit->sinks = sinks;
    audit->goes_on = conf->plan.audit.goes_on;
    audit->told = count_record;
    audit->alarm = log_audit_change;
    audit->data = s;
    conf->audit = audit;
    return NULL;
}

static na_error *prepare_audits(apr_pool_t *pconf, server_rec *s)
{
    NA_TRY(open_chains(pconf));
    for (; s; s = s->next)
        if (na_server_conf_of(s)->config && na_server_conf_of(s)->plan.audit.sinks)
            NA_TRY(open_log(pconf, s));
    return NULL;
}

const na_resource na_audits = {begin_audits, take_audits, prepare_audits, NULL};
