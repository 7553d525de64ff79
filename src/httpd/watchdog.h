/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_WATCHDOG_H
#define NA_HTTPD_WATCHDOG_H

#include <mod_watchdog.h>

#include "httpd/module.h"

#define NA_WATCHDOG "_nextauth_"

/* 1 where mod_watchdog is loaded. */
int na_watchdog_is_here(void);

/*
 * Has mod_watchdog call the function in one child at a time, with a pool that goes after the call,
 * in the thread of this name: what may take long has one of its own.
 * `why` says what needs it, where it is not loaded. Each function can have one interval and data.
 */
na_error *na_watchdog_call(apr_pool_t *pconf, const char *thread, const char *why,
                           apr_interval_time_t interval, const void *data,
                           ap_watchdog_callback_fn_t *function);

#endif
