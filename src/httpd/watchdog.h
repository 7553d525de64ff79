/* SPDX-License-Identifier: Apache-2.0 */
/* Periodic work in threads of mod_watchdog. */
#ifndef NA_HTTPD_WATCHDOG_H
#define NA_HTTPD_WATCHDOG_H

#include <mod_watchdog.h>

#include "httpd/module.h"

#define NA_WATCHDOG "_nextauth_"

/* Returns 1 if mod_watchdog is loaded. */
int na_watchdog_is_here(void);

/* Returns the error `why`, with a hint, if mod_watchdog is not loaded. */
na_error *na_watchdog_check(apr_pool_t *pool, const char *why);

/*
 * Registers a function that mod_watchdog calls in one child process at a time, with a pool that is
 * destroyed after the call, in the thread of this name. Slow functions need a thread of their own.
 */
na_error *na_watchdog_call(apr_pool_t *pconf, const char *thread, apr_interval_time_t interval,
                           const void *data, ap_watchdog_callback_fn_t *function);

/*
 * Called in a child process, before resources that calls use are created in `pool`: makes its
 * cleanup wait for running calls, and prevents new ones. mod_watchdog does not wait under every
 * MPM.
 */
void na_watchdog_guard(apr_pool_t *pool);

/* Returns 1 if the child process is stopping: slow calls must then return within a second. */
int na_watchdog_is_ending(void);

#endif
