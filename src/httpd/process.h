/* SPDX-License-Identifier: Apache-2.0 */
/* Data of a child process, and memory that all processes share. */
#ifndef NA_HTTPD_PROCESS_H
#define NA_HTTPD_PROCESS_H

#include <httpd.h>

#include "auth/action.h"

/* Returns this child process's data, which is constant after the process has started. */
na_process *na_process_of_child(void);

/* Returns 1 if the engine is on in this server or one after it. */
int na_is_any_on(const server_rec *s);

/*
 * Allocates zeroed memory that all processes share and that lives as long as the pool. `what` names
 * its purpose, for the message.
 */
na_error *na_share(apr_pool_t *pool, apr_size_t size, const char *what, void **memory);

#endif
