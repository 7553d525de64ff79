/* SPDX-License-Identifier: Apache-2.0 */
/* Flushes of a file to disk, each shared by all records that wait for one. */
#ifndef NA_AUDIT_FLUSH_H
#define NA_AUDIT_FLUSH_H

#include <apr.h>

/*
 * The state of one open file, in memory that is zero at first and that all processes share which
 * inherited the file. One record's writer flushes; those who wrote meanwhile wait for its end, and
 * then one of them flushes for all.
 */
typedef struct na_audit_flushes {
    apr_uint64_t begun;       /* number of the last record that was, or is, being written */
    apr_uint64_t written;     /* the last one that was written */
    apr_uint64_t done;        /* the last one that a flush has ended for */
    apr_uint64_t failed;      /* the last one that a failed flush might have been for */
    apr_uint32_t failure;     /* the errno of that flush */
    apr_uint32_t rounds;      /* flushes that have ended */
    apr_uint32_t is_flushing; /* a hint only: the process that set it might have been killed */
} na_audit_flushes;

/*
 * How long to wait for the end of another's flush, in milliseconds. Then a record's writer flushes
 * itself: the other was killed, or the disk is slow, and the kernel merges what it can.
 */
#define NA_AUDIT_FLUSH_WAIT 1000

/*
 * Return the number of a record that is about to be written, 1 or more, and note that it was
 * written. Both require the lock of the file.
 */
apr_uint64_t na_audit_flush_begin(na_audit_flushes *flushes);
void na_audit_flush_written(na_audit_flushes *flushes, apr_uint64_t number);

/*
 * Returns when a flush that began after this record was written has ended. Returns 0 and errno if
 * that one failed. A later failure might be reported, too: then the record is on disk all the same.
 */
int na_audit_flush(na_audit_flushes *flushes, int fd, apr_uint64_t number);

#endif
