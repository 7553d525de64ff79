/* SPDX-License-Identifier: Apache-2.0 */
/* The command `migrate`: the steps of a database. */
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <apr_strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/connect.h"
#include "ctl/options.h"
#include "ctl/print.h"

/* A newer version can have applied more steps than are known here. */
#define STEP_MAX 999999

typedef struct call {
    apr_pool_t *pool;
    const char *url, *schema, *to;
    int status, dry_run, json;
    long target; /* -1 for the newest */
    const na_db_options *options;
    na_db *db;
    json_t *changes;
} call;

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

static int read_options(call *c, int argc, char **argv)
{
    const char *const *operands;
    const na_option options[] = {{"database", 'd', .text = &c->url},
                                 {"schema", 's', .text = &c->schema},
                                 {"status", 'S', .flag = &c->status},
                                 {"to", 't', .text = &c->to},
                                 {"dry-run", 'n', .flag = &c->dry_run},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    return na_ctl_options(c->pool, argc, argv, options, &operands) == 0 &&
           !(c->status && (c->dry_run || c->to));
}

/* ── for people ────────────────────────────────────────────────────────────────────────────── */

static void print_mark(int done)
{
    printf("%s%s%s ", na_ctl_paint(done ? "\033[32m" : "\033[2m"), done ? "✓" : "·",
           na_ctl_paint(NA_CTL_PLAIN));
}

static void print_step(const call *c, int version, const char *name, const na_db_step *applied)
{
    const char *when = applied ? na_iso8601(c->pool, apr_time_from_msec(applied->at)) : "-";
    print_mark(applied != NULL);
    printf("%4d  %-16s  %s\n", version, na_ctl_minute(c->pool, when),
           na_one_line(c->pool, name, 80));
}

static void print_change(const call *c, const na_db_step *step, int up)
{
    print_mark(!c->dry_run);
    printf("%4d  %s%s\n", step->version, up ? "" : "reverted: ", step->name);
}

static void print_statements(const apr_array_header_t *statements)
{
    for (int i = 0; i < statements->nelts; i++)
        printf("        %s;\n", APR_ARRAY_IDX(statements, i, const char *));
}

/* ── what was applied ──────────────────────────────────────────────────────────────────────── */

static const na_db_step *applied_step(const apr_array_header_t *applied, int version)
{
    for (int i = 0; i < applied->nelts; i++)
        if (APR_ARRAY_IDX(applied, i, na_db_step).version == version)
            return &APR_ARRAY_IDX(applied, i, na_db_step);
    return NULL;
}

static json_t *json_of_step(const call *c, int version, const char *name, const na_db_step *applied)
{
    return json_pack("{s:i, s:s, s:b, s:s?}", "version", version, "name", name, "applied",
                     applied != NULL, "appliedAt",
                     applied ? na_iso8601(c->pool, apr_time_from_msec(applied->at)) : NULL);
}

static void show_step(const call *c, json_t *steps, int version, const char *name,
                      const na_db_step *applied)
{
    if (c->json)
        json_array_append_new(steps, json_of_step(c, version, name, applied));
    else
        print_step(c, version, name, applied);
}

/* Known steps, then those of a newer version. */
static void show_steps(const call *c, json_t *steps, const apr_array_header_t *applied)
{
    int known = c->db->adapter->steps;
    for (int i = 1; i <= known; i++)
        show_step(c, steps, i, c->db->adapter->step_name(i), applied_step(applied, i));
    for (int i = 0; i < applied->nelts; i++) {
        const na_db_step *step = &APR_ARRAY_IDX(applied, i, na_db_step);
        if (step->version > known)
            show_step(c, steps, step->version, step->name, step);
    }
}

static na_error *show(const call *c)
{
    apr_array_header_t *applied;
    json_t *steps = na_json_own(c->pool, json_array());
    NA_TRY(na_db_applied(c->db, c->pool, &applied));
    int version =
        applied->nelts ? APR_ARRAY_IDX(applied, applied->nelts - 1, na_db_step).version : 0;
    if (!c->json && c->status)
        printf("  %4s  %-16s  %s\n", "STEP", "APPLIED (UTC)", "NAME");
    if (c->json || c->status)
        show_steps(c, steps, applied);
    json_t *all = json_pack("{s:s, s:s, s:i, s:i, s:i, s:O}", "database", c->options->name,
                            "schema", c->options->schema, "schemaVersion", version, "version",
                            version, "newest", c->db->adapter->steps, "steps", steps);
    json_object_set(all, c->dry_run ? "planned" : "changes", c->changes);
    if (c->json)
        printf("%s\n", na_json_dump(c->pool, na_json_own(c->pool, all)));
    else
        fprintf(stderr, "%s is at step %d of %d%s\n", c->options->name, version,
                c->db->adapter->steps, c->dry_run ? "; nothing was changed" : "");
    if (!c->json)
        json_decref(all);
    return NULL;
}

/* ── changing it ───────────────────────────────────────────────────────────────────────────── */

static void report(void *data, const na_db_step *step, int up)
{
    call *c = data;
    json_t *change = json_pack("{s:i, s:s, s:s}", "version", step->version, "name", step->name,
                               "direction", up ? "up" : "down");
    const apr_array_header_t *statements =
        c->db->adapter->plan(c->pool, c->options, step->version, up);
    json_array_append_new(c->changes, change);
    if (!c->json)
        print_change(c, step, up);
    if (!c->json && c->dry_run)
        print_statements(statements);
    if (!c->json || !c->dry_run)
        return;
    json_t *texts = json_array();
    for (int i = 0; i < statements->nelts; i++)
        json_array_append_new(texts, json_string(APR_ARRAY_IDX(statements, i, const char *)));
    json_object_set_new(change, "statements", texts);
}

static na_error *run(call *c)
{
    NA_TRY(na_ctl_connect(c->pool, c->url, c->schema, &c->options, &c->db));
    if (!c->status)
        NA_TRY(na_db_migrate(c->db, c->pool, (int)c->target, c->dry_run, report, c));
    return show(c);
}

int na_command_migrate(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool, .target = -1, .changes = na_json_own(pool, json_array())};
    if (!read_options(&c, argc, argv))
        return na_ctl_wrong_call("migrate", NULL);
    if (c.to && !na_ctl_number(c.to, 0, STEP_MAX, &c.target))
        return na_ctl_wrong_call("migrate", "--to requires a step number");
    na_error *error = run(&c);
    return error ? na_ctl_failed(pool, error) : 0;
}
