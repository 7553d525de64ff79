/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies the hash chain of an audit log. */
#include "audit/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <apr_strings.h>

#include "audit/head.h"
#include "audit/reader.h"

#define NO_PROOF ": records could be missing at the end"

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
    na_audit_link at;             /* the last valid record */
    na_audit_link head;           /* content of the head file */
    na_audit_head_state has_head; /* `head` is set if this is THERE */
    int head_is_gone;             /* the head file does not exist */
    int head_was_met;             /* the record of the head was found and is valid */
} verifying;

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

static void read_next(verifying *v, source *s)
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

/* A missing head file is not an error here, so that faults of the chain are still reported. */
static na_error *open_head(verifying *v, int *fd)
{
    const char *path = v->check->head;
    *fd = -1;
    v->head_is_gone = path && access(path, F_OK) != 0 && errno == ENOENT;
    return path && !v->head_is_gone ? na_audit_open(v->pool, path, O_RDONLY, fd) : NULL;
}

/* The lock prevents appends until the ends of the files and the head have been read. */
static na_error *take_snapshot(verifying *v)
{
    int fd;
    v->has_head = NA_AUDIT_HEAD_EMPTY;
    NA_TRY(open_head(v, &fd));
    if (fd < 0)
        return open_files(v);
    if (!na_audit_head_lock(fd, F_RDLCK))
        return na_error_new(v->pool, NA_ERR_CONFIGURATION, "could not lock '%s': %s",
                            v->check->head, strerror(errno));
    na_error *error = open_files(v);
    v->has_head = na_audit_head_read(fd, &v->head);
    na_audit_head_lock(fd, F_UNLCK);
    return error;
}

/* ── following ─────────────────────────────────────────────────────────────────────────────── */

static int is_next_record(const verifying *v, const source *s)
{
    return s->is_there && s->fault == NA_AUDIT_RIGHT && s->line.link.seq == v->at.seq + 1 &&
           strcmp(s->line.prev, v->at.hash) == 0;
}

static source *find_next_record(const verifying *v)
{
    for (int i = 0; i < v->check->count; i++)
        if (is_next_record(v, &v->sources[i]))
            return &v->sources[i];
    return NULL;
}

static void accept_record(verifying *v, source *s)
{
    na_audit_verdict *report = v->report;
    v->at = s->line.link;
    v->head_was_met |= v->has_head == NA_AUDIT_HEAD_THERE && v->at.seq == v->head.seq &&
                       strcmp(v->at.hash, v->head.hash) == 0;
    if (!report->records++)
        report->first = s->line;
    report->last = s->line;
    read_next(v, s);
}

static source *first_unread(const verifying *v)
{
    for (int i = 0; i < v->check->count; i++)
        if (v->sources[i].is_there)
            return &v->sources[i];
    return NULL;
}

/* ── faults ────────────────────────────────────────────────────────────────────────────────── */

static const char *fault_text(na_audit_fault fault)
{
    static const char *const texts[] = {
        [NA_AUDIT_CUT_SHORT] = "cut short: the record is incomplete",
        [NA_AUDIT_NOT_JSON] = "not JSON",
        [NA_AUDIT_NO_RECORD] = "not a record of this log",
        [NA_AUDIT_EDITED] =
            "edited: its hash does not match, or was created with another key (--key-file)"};
    return texts[fault];
}

/* Returns 1 if the next record comes later in the file, which is read to the end. */
static int comes_later(verifying *v, source *s)
{
    apr_int64_t due = v->at.seq + 1;
    while (s->is_there && (s->fault != NA_AUDIT_RIGHT || s->line.link.seq != due))
        read_next(v, s);
    return s->is_there;
}

static const char *range_text(verifying *v, apr_int64_t from, apr_int64_t to)
{
    return from == to ? apr_psprintf(v->pool, "record %" APR_INT64_T_FMT, from)
                      : apr_psprintf(v->pool, "records %" APR_INT64_T_FMT " to %" APR_INT64_T_FMT,
                                     from, to);
}

static const char *misplaced_text(verifying *v, source *s)
{
    apr_int64_t seq = s->line.link.seq, due = v->at.seq + 1;
    if (seq == due)
        return apr_psprintf(v->pool,
                            "record %" APR_INT64_T_FMT " does not follow the previous record: that "
                            "one was replaced, or this one inserted",
                            seq);
    if (seq < due)
        return apr_psprintf(v->pool,
                            "out of order: record %" APR_INT64_T_FMT " again instead of record "
                            "%" APR_INT64_T_FMT,
                            seq, due);
    const char *due_text = range_text(v, due, seq - 1);
    return comes_later(v, s) ? apr_pstrcat(v->pool, "out of order: ", range_text(v, seq, seq),
                                           " comes before ", due_text, NULL)
                             : apr_pstrcat(v->pool, "missing: ", due_text, " before ",
                                           range_text(v, seq, seq), NULL);
}

static void report_fault(verifying *v, source *s)
{
    v->report->file = s->reader.path;
    v->report->line = s->reader.number;
    v->report->fault = s->fault ? fault_text(s->fault) : misplaced_text(v, s);
}

/* Returns 1 if the head file has another hash for a record in the files. */
static int contradicts_head(const verifying *v)
{
    return v->report->records && v->head.seq >= v->report->first.link.seq &&
           v->head.seq <= v->at.seq && !v->head_was_met;
}

/*
 * Without a head, a file that was cut at its end looks complete. An empty head file is allowed for
 * one record: the writer can have been interrupted before it wrote the head.
 */
static const char *missing_head_text(const verifying *v)
{
    if (v->head_is_gone)
        return "the head file is missing" NO_PROOF " (--head none ignores this)";
    if (v->has_head == NA_AUDIT_HEAD_BROKEN)
        return "the head file is invalid" NO_PROOF;
    if (v->has_head == NA_AUDIT_HEAD_EMPTY && v->at.seq > 1)
        return "the head file is empty" NO_PROOF;
    return NULL;
}

static const char *head_fault(verifying *v)
{
    const char *lacking = missing_head_text(v);
    if (lacking)
        return lacking;
    if (v->head.seq > v->at.seq)
        return apr_pstrcat(v->pool, "missing: ", range_text(v, v->at.seq + 1, v->head.seq),
                           " at the end, according to the head file", NULL);
    return contradicts_head(v) ? apr_psprintf(v->pool,
                                              "replaced: the head file has another hash for record "
                                              "%" APR_INT64_T_FMT,
                                              v->head.seq)
                               : NULL;
}

static void check_head(verifying *v)
{
    na_audit_verdict *report = v->report;
    if (!v->check->head) {
        report->warning = "without a head file, records that are missing at the end cannot be "
                          "detected";
        return;
    }
    report->fault = head_fault(v);
    if (report->fault && report->records)
        report->file = v->check->files[v->check->count - 1];
    else if (!report->fault && v->head.seq < v->at.seq)
        report->warning = "the head file lags behind: a writer was interrupted";
}

/* ── verifying ─────────────────────────────────────────────────────────────────────────────── */

/* The chain starts with record 1, or with the record after the given hash. */
static void start_chain(verifying *v)
{
    const source *first = first_unread(v);
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
        read_next(&v, &v.sources[i]);
    start_chain(&v);
    while ((next = find_next_record(&v)))
        accept_record(&v, next);
    source *left = first_unread(&v);
    if (left)
        report_fault(&v, left);
    else
        check_head(&v);
    return NULL;
}
