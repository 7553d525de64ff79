/* SPDX-License-Identifier: Apache-2.0 */
/* Findings for nextauthctl check: collected while the configuration is built, written as JSON. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <apr_hash.h>
#include <apr_strings.h>

#include "base/json.h"
#include "httpd/findings.h"

#define KEY "mod_nextauth findings"

/* bytes of a row's text: values from a configuration can have any length */
#define TEXT_MAX 1000

typedef struct row {
    const server_rec *site;
    na_finding finding;
    int number; /* in the order they came */
} row;

/* Lives as long as the configuration that it is about. */
typedef struct findings {
    apr_pool_t *pool;
    apr_array_header_t *rows; /* row */
    apr_hash_t *names;        /* of servers */
    apr_hash_t *bearers;      /* by name: the server that has it, or `several` */
} findings;

static findings *findings_of(const server_rec *s)
{
    void *found = NULL;
    apr_pool_userdata_get(&found, KEY, s->process->pconf);
    return found;
}

/* A server that is about to run must stop at a mistake: only a configuration test collects them. */
void na_findings_begin(server_rec *s)
{
    apr_pool_t *pool = s->process->pconf;
    if (ap_state_query(AP_SQ_RUN_MODE) != AP_SQ_RM_CONFIG_TEST ||
        !ap_exists_config_define(NA_CHECK_DEFINE) || !getenv(NA_CHECK_REPORT_VARIABLE))
        return;
    findings *made = apr_palloc(pool, sizeof *made);
    *made = (findings){pool, apr_array_make(pool, 64, sizeof(row)), apr_hash_make(pool),
                       apr_hash_make(pool)};
    apr_pool_userdata_setn(made, KEY, NULL, pool);
}

int na_findings_are_wanted(const server_rec *s)
{
    return findings_of(s) != NULL;
}

int na_findings_connect(const server_rec *s)
{
    return findings_of(s) && ap_exists_config_define(NA_CHECK_CONNECT_DEFINE);
}

void na_findings_name_site(const server_rec *s, const char *name)
{
    findings *all = findings_of(s);
    if (all)
        apr_hash_set(all->names, apr_pmemdup(all->pool, &s, sizeof s), sizeof s, name);
}

/* A variable has one value, from any source; a directive can appear more than once. */
static int is_same_subject(const row *a, const server_rec *site, const na_finding *b)
{
    if (a->site != site || a->finding.group != b->group ||
        strcmp(a->finding.subject, b->subject) != 0)
        return 0;
    return b->group == NA_GROUP_ENVIRONMENT ||
           (a->finding.line && a->finding.line == b->line && strcmp(a->finding.file, b->file) == 0);
}

int na_findings_add(const server_rec *s, const na_finding *finding)
{
    findings *all = findings_of(s);
    if (!all)
        return 0;
    for (int i = 0; i < all->rows->nelts; i++)
        if (finding->state == NA_RIGHT &&
            is_same_subject(&APR_ARRAY_IDX(all->rows, i, row), s, finding))
            return 1;
    APR_ARRAY_PUSH(all->rows, row) = (row){s, *finding, all->rows->nelts};
    return 1;
}

void na_findings_say(const server_rec *s, na_finding_group group, const char *subject,
                     na_finding_state state, const char *hint, const char *format, ...)
{
    findings *all = findings_of(s);
    va_list args;
    if (!all)
        return;
    va_start(args, format);
    na_finding finding = {.group = group,
                          .subject = subject,
                          .state = state,
                          .message = apr_pvsprintf(all->pool, format, args),
                          .hint = hint};
    va_end(args);
    na_findings_add(s, &finding);
}

/* ── the report ────────────────────────────────────────────────────────────────────────────── */

/* httpd puts each virtual host before those that it read earlier, but after the main server. */
static int rank_of_site(const server_rec *site)
{
    int rank = 0;
    for (const server_rec *s = site; site->is_virtual && s; s = s->next)
        rank++;
    return rank;
}

static int compare_rows(const void *left, const void *right)
{
    const row *a = left, *b = right;
    if (a->site != b->site)
        return rank_of_site(a->site) - rank_of_site(b->site);
    if (a->finding.group != b->finding.group)
        return (int)a->finding.group - (int)b->finding.group;
    return a->number - b->number;
}

static const char *given_site_name(const findings *all, const server_rec *s)
{
    const char *name = apr_hash_get(all->names, &s, sizeof s);
    return name ? name : s->server_hostname ? s->server_hostname : "no name";
}

static const char several[] = "";

static void note_bearers(const findings *all)
{
    for (int i = 0; i < all->rows->nelts; i++) {
        const server_rec *s = APR_ARRAY_IDX(all->rows, i, row).site;
        const char *name = given_site_name(all, s);
        const void *bearer = apr_hash_get(all->bearers, name, APR_HASH_KEY_STRING);
        apr_hash_set(all->bearers, name, APR_HASH_KEY_STRING,
                     !bearer || bearer == s ? (const void *)s : several);
    }
}

/* A name that several servers have is followed by the place of the virtual host. */
static const char *unique_site_name(const findings *all, const server_rec *s)
{
    const char *name = given_site_name(all, s);
    if (apr_hash_get(all->bearers, name, APR_HASH_KEY_STRING) != several)
        return name;
    return s->defn_name
               ? apr_psprintf(all->pool, "%s (%s:%u)", name, s->defn_name, s->defn_line_number)
               : apr_pstrcat(all->pool, name, " (main server)", NULL);
}

static json_t *json_of_text(apr_pool_t *pool, const char *text)
{
    return text ? json_string(na_one_line(pool, text, TEXT_MAX)) : json_null();
}

static json_t *json_of_place(apr_pool_t *pool, const server_rec *s)
{
    return s->defn_name ? json_pack("{s:o, s:i}", "file", json_of_text(pool, s->defn_name), "line",
                                    (int)s->defn_line_number)
                        : json_null();
}

static json_t *json_of_row(const findings *all, const row *r)
{
    static const char *const states[] = {"ok", "warning", "wrong"};
    static const char *const groups[] = {
        [NA_GROUP_SITE] = "site",
        [NA_GROUP_DIRECTIVES] = "directives",
        [NA_GROUP_ENVIRONMENT] = "environment",
        [NA_GROUP_PROVIDERS] = "providers",
        [NA_GROUP_COOKIES] = "cookies",
        [NA_GROUP_CONNECTIONS] = "connections",
    };
    const na_finding *f = &r->finding;
    return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o}", "site",
                     json_of_text(all->pool, unique_site_name(all, r->site)), "virtualHost",
                     json_of_place(all->pool, r->site), "group", groups[f->group], "subject",
                     json_of_text(all->pool, f->subject), "state", states[f->state], "message",
                     json_of_text(all->pool, f->message), "hint", json_of_text(all->pool, f->hint),
                     "file", json_of_text(all->pool, f->file), "line",
                     f->line ? json_integer(f->line) : json_null());
}

/* The caller of httpd has created the file and set its mode. */
static na_error *write_report(apr_pool_t *pool, const char *path, const char *text)
{
    size_t len = strlen(text);
    int file = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t written = file < 0 ? -1 : write(file, text, len);
    if (file >= 0)
        close(file);
    return written == (ssize_t)len ? NULL
                                   : na_error_new(pool, NA_ERR_CONFIGURATION,
                                                  "could not write the report to '%s'", path);
}

na_error *na_findings_write(server_rec *s)
{
    findings *all = findings_of(s);
    json_t *rows = na_json_own(all->pool, json_array());
    if (!all->rows->nelts)
        na_findings_say(s, NA_GROUP_DIRECTIVES, "NextAuthEngine", NA_WARNING,
                        "set NextAuthEngine On in each site that mod_nextauth serves",
                        "not On in any server: nothing is checked");
    note_bearers(all);
    qsort(all->rows->elts, (size_t)all->rows->nelts, sizeof(row), compare_rows);
    for (int i = 0; i < all->rows->nelts; i++)
        json_array_append_new(rows, json_of_row(all, &APR_ARRAY_IDX(all->rows, i, row)));
    return write_report(all->pool, getenv(NA_CHECK_REPORT_VARIABLE), na_json_dump(all->pool, rows));
}
