/* SPDX-License-Identifier: Apache-2.0 */
/* The command `audit show`: records of an audit log as a table or JSON. */
#include <stdio.h>
#include <string.h>

#include <apr_strings.h>

#include "audit/reader.h"
#include "base/json.h"
#include "ctl/commands.h"
#include "ctl/options.h"
#include "ctl/print.h"
#include "event/event.h"

/* Most bytes of a field. */
#define FIELD_MAX 200

typedef struct call {
    apr_pool_t *pool, *scratch; /* the latter for one line */
    const char *user, *event, *since;
    int json;
    const char *file;
    apr_int64_t shown, strange;
} call;

/* ── the command line ──────────────────────────────────────────────────────────────────────── */

/* "2026", "2026-01-31", "2026-01-31T12:00": times of records compare with it as text. */
static int is_time(const char *text)
{
    static const char form[] = "0000-00-00T00:00:00.000Z";
    size_t len = strlen(text);
    if (len < 4 || len > sizeof form - 1)
        return 0;
    for (size_t i = 0; i < len; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return 0;
    return 1;
}

static int is_event(const char *name)
{
    for (int kind = 0; kind < NA_EVENT_KINDS; kind++) {
        const char *known = na_event_audit_name((na_event_kind)kind);
        if (known && strcmp(known, name) == 0)
            return 1;
    }
    return 0;
}

static int read_options(call *c, int argc, char **argv)
{
    const na_option options[] = {{"user", 'u', .text = &c->user},
                                 {"event", 'e', .text = &c->event},
                                 {"since", 's', .text = &c->since},
                                 {"json", 'j', .flag = &c->json},
                                 {0}};
    const char *const *operands;
    int count = na_ctl_options(c->pool, argc, argv, options, &operands);
    c->file = operands[0];
    return count == 1;
}

/* Returns what is wrong with the conditions, or NULL. */
static const char *fault_of(const call *c)
{
    if (c->since && !is_time(c->since))
        return "invalid --since: expected a time in UTC, such as 2026-01-31 or 2026-01-31T12:00";
    return c->event && !is_event(c->event)
               ? "invalid --event: expected a name of the audit log, such as SIGNIN (docs/audit.md)"
               : NULL;
}

/* ── one record ────────────────────────────────────────────────────────────────────────────── */

static int is(const json_t *record, const char *name, const char *wanted)
{
    const char *value = na_json_string(record, name);
    return value && strcmp(value, wanted) == 0;
}

static int is_wanted(const call *c, const json_t *record)
{
    const char *time = na_json_string(record, "time");
    if (c->user && !is(record, "user", c->user) && !is(record, "email", c->user))
        return 0;
    if (c->event && !is(record, "event", c->event))
        return 0;
    return !c->since || (time && strcmp(time, c->since) >= 0);
}

static const char *field(const call *c, const json_t *record, const char *name)
{
    return na_ctl_field(c->scratch, record, name, FIELD_MAX);
}

static const char *who(const call *c, const json_t *record)
{
    static const char *const names[] = {"email", "user", "name"};
    for (int i = 0; i < 3; i++)
        if (na_json_string(record, names[i]))
            return field(c, record, names[i]);
    return "-";
}

static const char *more(const call *c, const json_t *record)
{
    const char *all = NULL;
    static const char *const names[] = {"actor", "detail", "reason"};
    for (int i = 0; i < 3; i++) {
        const char *one = na_json_string(record, names[i]) ? field(c, record, names[i]) : NULL;
        all = all && one ? apr_pstrcat(c->scratch, all, ", ", one, NULL) : all ? all : one;
    }
    return all ? all : "";
}

static void print_row(const call *c, const json_t *record)
{
    printf("%-19s  %-15s  %-7s  %-32s  %-16s  %-15s  %s\n",
           na_ctl_second(c->scratch, field(c, record, "time")), field(c, record, "event"),
           field(c, record, "outcome"), who(c, record), field(c, record, "provider"),
           field(c, record, "address"), more(c, record));
}

static void print_heading(void)
{
    printf("%s%-19s  %-15s  %-7s  %-32s  %-16s  %-15s  %s%s\n", na_ctl_paint(NA_CTL_BOLD),
           "TIME (UTC)", "EVENT", "OUTCOME", "WHO", "PROVIDER", "ADDRESS", "BY, WHAT, WHY",
           na_ctl_paint(NA_CTL_PLAIN));
}

static void show_line(call *c, const na_audit_reader *reader)
{
    json_t *record;
    if (na_json_parse(c->scratch, NA_ERR_CONFIGURATION, reader->text, reader->len, &record) ||
        !na_json_string(record, "event")) {
        c->strange++;
        return;
    }
    if (!is_wanted(c, record))
        return;
    c->shown++;
    if (c->json)
        printf("%s\n", na_json_dump(c->scratch, record));
    else
        print_row(c, record);
}

/* ── all of them ───────────────────────────────────────────────────────────────────────────── */

static na_error *show(call *c)
{
    na_audit_reader *reader = apr_palloc(c->pool, sizeof *reader);
    NA_TRY(na_audit_reader_open(c->pool, c->file, reader));
    apr_pool_create(&c->scratch, c->pool);
    if (!c->json)
        print_heading();
    while (na_audit_reader_next(reader)) {
        show_line(c, reader);
        apr_pool_clear(c->scratch);
    }
    return NULL;
}

int na_command_audit_show(apr_pool_t *pool, int argc, char **argv)
{
    call c = {.pool = pool};
    if (!read_options(&c, argc, argv))
        return na_ctl_wrong_call("audit show", NULL);
    const char *fault = fault_of(&c);
    if (fault)
        return na_ctl_wrong_call("audit show", fault);
    na_error *error = show(&c);
    if (error)
        return na_ctl_failed(pool, error);
    if (!c.json)
        fprintf(stderr, "%" APR_INT64_T_FMT " record%s\n", c.shown, c.shown == 1 ? "" : "s");
    if (c.strange)
        fprintf(stderr,
                "%" APR_INT64_T_FMT " line%s not a record: nextauthctl audit verify explains why\n",
                c.strange, c.strange == 1 ? " is" : "s are");
    return 0;
}
