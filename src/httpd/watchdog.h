/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_HTTPD_WATCHDOG_H
#define NA_HTTPD_WATCHDOG_H

#include <mod_watchdog.h>

#include "httpd/module.h"

#define NA_WATCHDOG "_nextauth_"

/* 1 where mod_watchdog is loaded. */
int na_watchdog_is_here(void);

/* An error that says `why` where it is not, with its hint. */
na_error *na_watchdog_check(apr_pool_t *pool, const char *why);

/*
 * Has mod_watchdog call the function in one child at a time, with a pool that goes after the call,
 * in the thread of this name: what may take long has one of its own.
 */
na_error *na_watchdog_call(apr_pool_t *pconf, const char *thread, apr_interval_time_t interval,
                           const void *data, ap_watchdog_callback_fn_t *function);

/*
 * In a child, before what calls use is made in `pool`: it is taken away only when no call is under
 * way any more, and none begins then. mod_watchdog itself does not wait under every MPM.
 */
void na_watchdog_guard(apr_pool_t *pool);

/* 1 where the child ends: what takes long is to be given up within a second. */
int na_watchdog_is_ending(void);

#endif
