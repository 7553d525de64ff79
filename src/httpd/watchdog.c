/* SPDX-License-Identifier: Apache-2.0 */
#include "httpd/watchdog.h"

int na_watchdog_is_here(void)
{
    return APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance) != NULL;
}

na_error *na_watchdog_call(apr_pool_t *pconf, const char *thread, const char *why,
                           apr_interval_time_t interval, const void *data,
                           ap_watchdog_callback_fn_t *function)
{
    APR_OPTIONAL_FN_TYPE(ap_watchdog_get_instance) *get =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_get_instance);
    APR_OPTIONAL_FN_TYPE(ap_watchdog_register_callback) *watch =
        APR_RETRIEVE_OPTIONAL_FN(ap_watchdog_register_callback);
    ap_watchdog_t *watchdog;
    if (!get || !watch)
        return na_error_new(pconf, NA_CONFIGURATION, "%s: load it", why);
    return get(&watchdog, thread, 0, 1, pconf) == APR_SUCCESS &&
                   watch(watchdog, interval, data, function) == APR_SUCCESS
               ? NULL
               : na_error_new(pconf, NA_CONFIGURATION, "mod_watchdog takes no callback");
}
