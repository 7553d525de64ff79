/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_CTL_CHECK_H
#define NA_CTL_CHECK_H

#include <jansson.h>

#include "base/error.h"

/* The server's configuration test, as it was run. */
typedef struct na_tested {
    int status;         /* the program's; -1 where it did not end by itself */
    const char *output; /* what it printed, at most 64 KiB */
    json_t *findings;   /* the module's array; NULL where there is no report */
} na_tested;

/*
 * Runs `program` (NULL: the first of apachectl, apache2ctl, httpd and apache2 that is there) on
 * `config` (NULL: its own), and takes the module's report in. An error where it cannot be run.
 */
na_error *na_ctl_run_test(apr_pool_t *pool, const char *program, const char *config, int connect,
                          na_tested *tested);

/* Adds what httpd itself said, and that there is no report, as rows of the same form. */
void na_ctl_add_findings_of_httpd(apr_pool_t *pool, const na_tested *tested, json_t *findings);

/* A row that somebody else than the module adds; `hint` and `file` may be NULL, `line` 0. */
void na_ctl_add_finding(apr_pool_t *pool, json_t *findings, const char *state, const char *message,
                        const char *hint, const char *file, int line);

#endif
