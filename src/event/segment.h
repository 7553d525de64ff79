/* SPDX-License-Identifier: Apache-2.0 */
/* Files of lines to which many processes append, and from which one reads and removes. */
#ifndef NA_EVENT_SEGMENT_H
#define NA_EVENT_SEGMENT_H

#include "base/error.h"
#include "base/text.h"

/*
 * A directory has up to two segments. Lines are appended to "filling". The reader renames that to
 * "sending" when it has no other, keeps how far it is in "offset", and removes the segment when all
 * of its lines are done. The lock is for those who append, and for the renaming.
 *
 * A process that is killed leaves at worst a line without its end, which the next one ends, or an
 * offset that lags by one line. Nothing is forced to disk: after a power failure the last lines can
 * be lost or damaged, and lines can be read again.
 */

/* the longest line, with its line feed */
#define NA_SEGMENT_LINE_MAX (64 * 1024 + 64)

/* Takes the lock, which na_segment_unlock releases, as does the end of the process. */
na_error *na_segment_lock(apr_pool_t *pool, const char *directory, int *lock);
void na_segment_unlock(int lock);

/* Appends a line, which ends with a line feed, completely or not at all. Requires the lock. */
na_error *na_segment_append(apr_pool_t *pool, const char *directory, na_bytes line);

/* Returns 1 if there are lines that no reader took over. */
int na_segment_is_filling(apr_pool_t *pool, const char *directory);

/*
 * Makes the segment that is being filled the one to read; *taken is 0 if there is none. Requires
 * the lock, and that the previous one was removed.
 */
na_error *na_segment_take(apr_pool_t *pool, const char *directory, int *taken);

/* Returns the number of lines that are not done, in both segments. */
na_error *na_segment_count(apr_pool_t *pool, const char *directory, apr_uint32_t *lines);

/* ── reading ───────────────────────────────────────────────────────────────────────────────── */

typedef struct na_segment na_segment;

/* Opens the segment to read; NULL if there is none. It is closed with the pool. */
na_error *na_segment_open(apr_pool_t *pool, const char *directory, na_segment **segment);

/*
 * Returns the first line that is not done, without its line feed; valid until the next call.
 * *is_whole is 0 if it is too long, and cut, or has no line feed. *there is 0 at the end.
 */
na_error *na_segment_line(na_segment *segment, apr_pool_t *pool, na_bytes *line, int *is_whole,
                          int *there);

/* Notes that the first line is done. */
na_error *na_segment_done(na_segment *segment, apr_pool_t *pool);

/* Removes and closes the segment. */
na_error *na_segment_remove(na_segment *segment, apr_pool_t *pool);

#endif
