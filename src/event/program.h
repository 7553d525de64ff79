/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers items to a program, as lines of JSON through a pipe. */
#ifndef NA_EVENT_PROGRAM_H
#define NA_EVENT_PROGRAM_H

#include <apr_file_io.h>

#include "event/deliver.h"

/* A program that reads lines of JSON from a pipe. */
typedef struct na_program {
    apr_file_t *pipe;                   /* non-blocking, for writing */
    char written[NA_SPOOL_ID_LEN + 1];  /* ID of the last item that was written; "" if none */
    char was_read[NA_SPOOL_ID_LEN + 1]; /* ID of an earlier one that was read while postponed */
    int is_torn;                        /* a partial line is in the pipe */
} na_program;

/*
 * The `send` of a na_sink whose data is a na_program. An item counts as delivered when the program
 * has read it, because the contents of a pipe are lost when both of its ends are closed.
 */
void na_program_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt);

#endif
