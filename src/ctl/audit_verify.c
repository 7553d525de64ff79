/* SPDX-License-Identifier: Apache-2.0 */
/* The command `audit verify`: the chain of an audit log's files. */
#include "audit/head.h"
#include "audit/verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/json.h"
#include "base/secret.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"

typedef struct call {
    apr_pool_t *pool;
    const char *key_file, *head;
    int json;
    na_audit_task check;
} call;

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"key-file", 'k', .text = &c->key_file},
                                 {"head", 'h', .text = &c->head},
                                 {"after", 'a', .text = &c->check.after},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    c->check.count = na_ctl_options(c->pool, argc, argv, options, &c->check.files);
    return c->check.count > 0 && (!c->check.after || na_audit_is_hash(c->check.after));
}

/* Returns the head of the newest file, unless another was named. */
static const char *find_head(const call *c)
{
    if (!c->head)
        return na_audit_head_path(c->pool, c->check.files[c->check.count - 1]);
    return strcmp(c->head, "none") == 0 ? NULL : c->head;
}

/* ── for people ────────────────────────────────────────────────────────────────────────────── */

static const char *line(const call *c, const char *text)
{
    return na_one_line(c->pool, text, 1000);
}

static void print_records(const call *c, const na_audit_verdict *r)
{
    printf("%" APR_INT64_T_FMT " record%s", r->records, r->records == 1 ? "" : "s");
    if (r->records)
        printf(", %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT ", from %s to %s", r->first.link.seq,
               r->last.link.seq, line(c, r->first.time), line(c, r->last.time));
    printf("\n");
}

static void print_fault(const call *c, const na_audit_verdict *r)
{
    printf("%swrong%s: ", na_ctl_paint("\033[1;31m"), na_ctl_paint(NA_CTL_PLAIN));
    if (r->file)
        printf("%s", line(c, r->file));
    if (r->file && r->line)
        printf(", line %" APR_INT64_T_FMT, r->line);
    printf("%s%s\n", r->file ? ": " : "", r->fault);
    printf("right before it: ");
    print_records(c, r);
}

static void print(const call *c, const na_audit_verdict *r)
{
    if (r->fault) {
        print_fault(c, r);
    } else {
        printf("%sright%s: ", na_ctl_paint("\033[1;32m"), na_ctl_paint(NA_CTL_PLAIN));
        print_records(c, r);
        if (r->records)
            printf("head: %s\n", r->last.link.hash);
    }
    if (r->warning)
        fprintf(stderr, "nextauthctl: %s\n", r->warning);
}

/* ── for programs ──────────────────────────────────────────────────────────────────────────── */

static json_t *json_of_record(const na_audit_line *record)
{
    return json_pack("{s:I, s:s, s:s}", "seq", (json_int_t)record->link.seq, "time", record->time,
                     "hash", record->link.hash);
}

static void print_json(const call *c, const na_audit_verdict *r)
{
    json_t *json =
        json_pack("{s:b, s:I}", "ok", r->fault == NULL, "records", (json_int_t)r->records);
    if (r->records) {
        json_object_set_new(json, "first", json_of_record(&r->first));
        json_object_set_new(json, "last", json_of_record(&r->last));
    }
    if (r->fault)
        json_object_set_new(json, "wrong", json_string(r->fault));
    if (r->file && na_is_utf8(r->file))
        json_object_set_new(json, "file", json_string(r->file));
    if (r->line)
        json_object_set_new(json, "line", json_integer(r->line));
    if (r->warning)
        json_object_set_new(json, "warning", json_string(r->warning));
    printf("%s\n", na_json_dump(c->pool, na_json_own(c->pool, json)));
}

static na_error *verify(call *c, na_audit_verdict *report)
{
    char *key = NULL;
    c->check.head = find_head(c);
    if (c->key_file)
        NA_TRY(na_secret_read(c->pool, c->key_file, &key));
    c->check.key = key;
    return na_audit_verify(c->pool, &c->check, report);
}

int na_command_audit_verify(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    na_audit_verdict report;
    if (!read_options(&c, argc, argv))
        return na_ctl_wrong_call("audit verify", NULL);
    na_error *error = verify(&c, &report);
    if (error)
        return na_ctl_failed(pool, error);
    if (c.json)
        print_json(&c, &report);
    else
        print(&c, &report);
    return report.fault != NULL;
}
