/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit/head.h"
#include "audit/reader.h"

#define NO_PROOF ": nothing proves that no records are missing at the end"

/* A file, at its next line. */
typedef struct source {
    na_audit_reader reader;
    int is_there; /* 0 at the end */
    na_audit_fault fault;
    na_audit_line line;
} source;

typedef struct verifying {
    const na_audit_task *check;
    na_audit_verdict *report;
    apr_pool_t *pool, *scratch; /* the latter for one line */
    source *sources;
    na_audit_link at;             /* the last record that was right */
    na_audit_link head;           /* as the head file has it */
    na_audit_head_state has_head; /* THERE: `head` is set */
    int head_is_gone;             /* there is no such file as was named */
    int head_was_met;             /* the record that the head is about was there, and is right */
} verifying;

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static void step(verifying *v, source *s)
{
    s->is_there = na_audit_reader_next(&s->reader);
    if (!s->is_there)
        return;
    na_bytes text = {(const unsigned char *)s->reader.text, s->reader.len};
    apr_pool_clear(v->scratch);
    s->fault = na_audit_line_read(v->scratch, text, v->check->key, &s->line);
    if (s->fault == NA_AUDIT_RIGHT && !s->reader.has_end)
        s->fault = NA_AUDIT_CUT_SHORT;
}

static na_error *open_files(verifying *v)
{
    for (int i = 0; i < v->check->count; i++)
        NA_TRY(na_audit_reader_open(v->pool, v->check->files[i], &v->sources[i].reader));
    return NULL;
}

/* A file that is not there is no error: what is wrong with the chain is told all the same. */
static na_error *open_head(verifying *v, int *fd)
{
    const char *path = v->check->head;
    *fd = -1;
    v->head_is_gone = path && access(path, F_OK) != 0 && errno == ENOENT;
    return path && !v->head_is_gone ? na_audit_open(v->pool, path, O_RDONLY, fd) : NULL;
}

/* Nobody writes while the files' ends and the head are looked at. */
static na_error *take_snapshot(verifying *v)
{
    int fd;
    v->has_head = NA_AUDIT_HEAD_EMPTY;
    NA_TRY(open_head(v, &fd));
    if (fd < 0)
        return open_files(v);
    if (!na_audit_head_lock(fd, F_RDLCK))
        return na_error_new(v->pool, NA_ERR_CONFIGURATION, "cannot lock %s: %s", v->check->head,
                            strerror(errno));
    na_error *error = open_files(v);
    v->has_head = na_audit_head_read(fd, &v->head);
    na_audit_head_lock(fd, F_UNLCK);
    return error;
}

/* ── following ─────────────────────────────────────────────────────────────────────────────── */

static int follows(const verifying *v, const source *s)
{
    return s->is_there && s->fault == NA_AUDIT_RIGHT && s->line.link.seq == v->at.seq + 1 &&
           strcmp(s->line.prev, v->at.hash) == 0;
}

static source *find_next(const verifying *v)
{
    for (int i = 0; i < v->check->count; i++)
        if (follows(v, &v->sources[i]))
            return &v->sources[i];
    return NULL;
}

static void take(verifying *v, source *s)
{
    na_audit_verdict *report = v->report;
    v->at = s->line.link;
    v->head_was_met |= v->has_head == NA_AUDIT_HEAD_THERE && v->at.seq == v->head.seq &&
                       strcmp(v->at.hash, v->head.hash) == 0;
    if (!report->records++)
        report->first = s->line;
    report->last = s->line;
    step(v, s);
}

static source *first_left(const verifying *v)
{
    for (int i = 0; i < v->check->count; i++)
        if (v->sources[i].is_there)
            return &v->sources[i];
    return NULL;
}

/* ── what is wrong ─────────────────────────────────────────────────────────────────────────── */

static const char *fault_text(na_audit_fault fault)
{
    static const char *const texts[] = {
        [NA_AUDIT_CUT_SHORT] = "cut short: it is the beginning of a record only",
        [NA_AUDIT_NOT_JSON] = "not JSON",
        [NA_AUDIT_NO_RECORD] = "not a record of this log",
        [NA_AUDIT_EDITED] =
            "edited: its hash is not of what is there, or not made with this key (--key-file)"};
    return texts[fault];
}

/* Whether the record that is due comes later in the file: it is read to the end for that. */
static int comes_later(verifying *v, source *s)
{
    apr_int64_t due = v->at.seq + 1;
    while (s->is_there && (s->fault != NA_AUDIT_RIGHT || s->line.link.seq != due))
        step(v, s);
    return s->is_there;
}

static const char *range(verifying *v, apr_int64_t from, apr_int64_t to)
{
    return from == to ? apr_psprintf(v->pool, "record %" APR_INT64_T_FMT, from)
                      : apr_psprintf(v->pool, "records %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                                     from, to);
}

static const char *misplaced(verifying *v, source *s)
{
    apr_int64_t seq = s->line.link.seq, due = v->at.seq + 1;
    if (seq == due)
        return apr_psprintf(v->pool,
                            "record %" APR_INT64_T_FMT " does not follow the one before: that one "
                            "was replaced, or this one inserted",
                            seq);
    if (seq < due)
        return apr_psprintf(v->pool,
                            "out of order: record %" APR_INT64_T_FMT " once more, where "
                            "%" APR_INT64_T_FMT " is due",
                            seq, due);
    const char *due_text = range(v, due, seq - 1);
    return comes_later(v, s)
               ? apr_pstrcat(v->pool, "out of order: ", range(v, seq, seq), " comes before ",
                             due_text, NULL)
               : apr_pstrcat(v->pool, "missing: ", due_text, " before ", range(v, seq, seq), NULL);
}

static void stop_at(verifying *v, source *s)
{
    v->report->file = s->reader.path;
    v->report->line = s->reader.number;
    v->report->fault = s->fault ? fault_text(s->fault) : misplaced(v, s);
}

/* The head file is about a record that is here, and tells it otherwise. */
static int contradicts(const verifying *v)
{
    return v->report->records && v->head.seq >= v->report->first.link.seq &&
           v->head.seq <= v->at.seq && !v->head_was_met;
}

/*
 * Without a head, a file that was cut at its end looks whole. Whoever was interrupted in the first
 * record leaves an empty one behind.
 */
static const char *lacking_head(const verifying *v)
{
    if (v->head_is_gone)
        return "the head file is missing" NO_PROOF " (--head none does without)";
    if (v->has_head == NA_AUDIT_HEAD_BROKEN)
        return "the head file has no head" NO_PROOF;
    if (v->has_head == NA_AUDIT_HEAD_EMPTY && v->at.seq > 1)
        return "the head file is empty" NO_PROOF;
    return NULL;
}

static const char *fault_by_head(verifying *v)
{
    const char *lacking = lacking_head(v);
    if (lacking)
        return lacking;
    if (v->head.seq > v->at.seq)
        return apr_pstrcat(v->pool, "missing: ", range(v, v->at.seq + 1, v->head.seq),
                           " at the end, which the head file knows", NULL);
    return contradicts(v) ? apr_psprintf(v->pool,
                                         "replaced: the head file has another hash of record "
                                         "%" APR_INT64_T_FMT,
                                         v->head.seq)
                          : NULL;
}

static void check_head(verifying *v)
{
    na_audit_verdict *report = v->report;
    if (!v->check->head) {
        report->warning = "there is no head file to compare with: records that are missing at the "
                          "end would not show";
        return;
    }
    report->fault = fault_by_head(v);
    if (report->fault && report->records)
        report->file = v->check->files[v->check->count - 1];
    else if (!report->fault && v->head.seq < v->at.seq)
        report->warning = "the head file lags behind: a writer was interrupted";
}

/* ── all of it ─────────────────────────────────────────────────────────────────────────────── */

/* Where the chain is begun by record 1, or by the one after a hash that was noted. */
static void start(verifying *v)
{
    const source *first = first_left(v);
    na_audit_link_start(&v->at);
    if (!v->check->after)
        return;
    apr_cpystrn(v->at.hash, v->check->after, sizeof v->at.hash);
    if (first && first->fault == NA_AUDIT_RIGHT)
        v->at.seq = first->line.link.seq - 1;
}

na_error *na_audit_verify(apr_pool_t *pool, const na_audit_task *check, na_audit_verdict *report)
{
    verifying v = {.check = check, .report = report, .pool = pool};
    source *next;
    *report = (na_audit_verdict){0};
    v.sources = apr_pcalloc(pool, (apr_size_t)check->count * sizeof *v.sources);
    apr_pool_create(&v.scratch, pool);
    NA_TRY(take_snapshot(&v));
    for (int i = 0; i < check->count; i++)
        step(&v, &v.sources[i]);
    start(&v);
    while ((next = find_next(&v)))
        take(&v, next);
    source *left = first_left(&v);
    if (left)
        stop_at(&v, left);
    else
        check_head(&v);
    return NULL;
}
