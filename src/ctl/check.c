/* SPDX-License-Identifier: Apache-2.0 */
/* The command `check`: the findings as a table or JSON. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "base/json.h"
#include "ctl/check.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"

typedef struct call {
    apr_pool_t *pool;
    const char *program, *config;
    int connect, json;
} call;

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"httpd", 'p', .text = &c->program},
                                 {"config", 'f', .text = &c->config},
                                 {"connect", 'c', .flag = &c->connect},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    const char *const *operands;
    return na_ctl_options(c->pool, argc, argv, options, &operands) == 0;
}

/* ── for people ────────────────────────────────────────────────────────────────────────────── */

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = na_json_string(row, name);
    return text ? text : "";
}

static void print_mark(const char *state)
{
    static const struct {
        const char *state, *mark, *colour;
    } marks[] = {{"ok", "✓", "\033[32m"}, {"warning", "!", "\033[33m"}, {"wrong", "✗", "\033[31m"}};
    for (int i = 0; i < 3; i++)
        if (strcmp(state, marks[i].state) == 0)
            printf("  %s%s%s ", na_ctl_paint(marks[i].colour), marks[i].mark,
                   na_ctl_paint(NA_CTL_PLAIN));
}

static void print_place(const json_t *row)
{
    json_int_t line;
    if (na_json_string(row, "file") && na_json_number(row, "line", &line))
        printf("  (%s:%d)", text_of(row, "file"), (int)line);
}

static void print_row(const json_t *row, int width)
{
    const char *hint = na_json_string(row, "hint");
    print_mark(text_of(row, "state"));
    printf("%-*s  %s", width, text_of(row, "subject"), text_of(row, "message"));
    print_place(row);
    printf("\n");
    if (hint)
        printf("    %*s  → %s\n", width, "", hint);
}

/* Wide enough for each subject of the group that begins with row `first`. */
static int width_of_group(const json_t *rows, size_t first)
{
    const json_t *row = json_array_get(rows, first);
    const char *site = text_of(row, "site"), *group = text_of(row, "group");
    int width = 0;
    for (size_t i = first; (row = json_array_get(rows, i)); i++) {
        int len = (int)strlen(text_of(row, "subject"));
        if (strcmp(site, text_of(row, "site")) != 0 || strcmp(group, text_of(row, "group")) != 0)
            break;
        width = len > width ? len : width;
    }
    return width;
}

static void print_table(const json_t *rows)
{
    const char *site = "", *group = "";
    int width = 0;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        int is_new = strcmp(site, text_of(row, "site")) != 0;
        if (is_new)
            printf("%s%s%s%s\n", i ? "\n" : "", na_ctl_paint(NA_CTL_BOLD), text_of(row, "site"),
                   na_ctl_paint(NA_CTL_PLAIN));
        site = text_of(row, "site");
        if (is_new || strcmp(group, text_of(row, "group")) != 0) {
            width = width_of_group(rows, i);
            printf(" %s\n", text_of(row, "group"));
        }
        group = text_of(row, "group");
        print_row(row, width);
    }
}

/* ── result ───────────────────────────────────────────────────────────────────────── */

static int count(const json_t *rows, const char *state)
{
    int found = 0;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) found += strcmp(text_of(row, "state"), state) == 0;
    return found;
}

static json_t *collect(const call *c)
{
    na_tested tested;
    json_t *all = na_json_own(c->pool, json_array());
    na_error *error = na_ctl_run_test(c->pool, c->program, c->config, c->connect, &tested);
    if (error) {
        na_ctl_add_finding(c->pool, all, "wrong", na_error_reason(c->pool, error),
                           na_error_hint(error), NULL, 0);
        return all;
    }
    if (tested.findings)
        json_array_extend(all, tested.findings);
    na_ctl_add_findings_of_httpd(c->pool, &tested, all);
    return all;
}

int na_command_check(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv))
        return na_ctl_wrong_call("check", NULL);
    json_t *rows = collect(&c);
    int right = count(rows, "ok"), warnings = count(rows, "warning"), wrong = count(rows, "wrong");
    if (c.json) {
        json_t *all = json_pack("{s:b, s:i, s:i, s:i, s:O}", "connected", c.connect, "ok", right,
                                "warnings", warnings, "wrong", wrong, "findings", rows);
        printf("%s\n", na_json_dump(pool, na_json_own(pool, all)));
        return wrong ? 1 : 0;
    }
    print_table(rows);
    fflush(stdout);
    fprintf(stderr, "%d wrong, %d warning%s, %d right\n", wrong, warnings, warnings == 1 ? "" : "s",
            right);
    return wrong ? 1 : 0;
}
