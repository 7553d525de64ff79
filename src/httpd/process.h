/* SPDX-License-Identifier: Apache-2.0 */
/* What a child process owns, and what all processes share. */
#ifndef NA_HTTPD_PROCESS_H
#define NA_HTTPD_PROCESS_H

#include <httpd.h>

#include "auth/action.h"

/* What this child owns: filled while it starts, constant from then on. */
na_process *na_process_of_child(void);

/* Returns 1 if the engine is on in this server or one after it. */
int na_is_any_on(const server_rec *s);

/* Zeroed memory that all processes see, as long as the pool; `what` it is for. */
na_error *na_share(apr_pool_t *pool, apr_size_t size, const char *what, void **memory);

#endif
