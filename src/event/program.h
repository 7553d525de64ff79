/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_EVENT_PROGRAM_H
#define NA_EVENT_PROGRAM_H

#include <apr_file_io.h>

#include "event/deliver.h"

/* A program that reads lines of JSON from a pipe. */
typedef struct na_program {
    apr_file_t *pipe;                   /* to be written to; never waited for */
    char written[NA_SPOOL_ID_LEN + 1];  /* the item whose line was the last; "": none */
    char was_read[NA_SPOOL_ID_LEN + 1]; /* one before, which nobody was told of yet */
    int is_torn;                        /* half a line is in the pipe */
} na_program;

/*
 * An na_sink's function; its data is an na_program. An item counts as delivered when the program
 * has read it: what is in a pipe is lost when both its ends are closed.
 */
void na_program_send(const na_sink *sink, const na_courier *courier, apr_pool_t *pool,
                     const na_spool_item *item, const json_t *json, na_attempt *attempt);

#endif
