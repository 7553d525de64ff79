/* SPDX-License-Identifier: Apache-2.0 */
/* httpd's configuration test and its findings. */
#ifndef NA_CTL_CHECK_H
#define NA_CTL_CHECK_H

#include <jansson.h>

#include "base/error.h"

/* The server's configuration test, as it was run. */
typedef struct na_tested {
    int status;         /* of the program; -1 if it did not exit by itself */
    const char *output; /* what it printed, at most 64 KiB */
    json_t *findings;   /* the module's array; NULL if there is no report */
} na_tested;

/*
 * Runs `program` (NULL for the first of apachectl, apache2ctl, httpd, and apache2 that exists) on
 * `config` (NULL for its own), and reads the module's report. An error if it cannot be run.
 */
na_error *na_ctl_run_test(apr_pool_t *pool, const char *program, const char *config, int connect,
                          na_tested *tested);

/* Adds what httpd itself printed, and a missing report, as rows of the same form. */
void na_ctl_add_findings_of_httpd(apr_pool_t *pool, const na_tested *tested, json_t *findings);

/* Adds a row that is not the module's; `hint` and `file` can be NULL, `line` 0. */
void na_ctl_add_finding(apr_pool_t *pool, json_t *findings, const char *state, const char *message,
                        const char *hint, const char *file, int line);

#endif
