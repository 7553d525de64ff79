/* SPDX-License-Identifier: Apache-2.0 */
/* The httpd module: registers its hooks, filters, and providers. */
#include "httpd/module.h"
#include "mod_nextauth.h"

static const char *nextauth_claim(request_rec *r, const char *name)
{
    const na_session *session = na_session_of(r);
    return session ? na_session_claim(session, name) : NULL;
}

static void register_hooks(apr_pool_t *pool)
{
    ap_hook_pre_config(na_pre_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_check_config(na_check_config, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_config(na_post_config, NULL, NULL, APR_HOOK_MIDDLE);
    /* before mod_watchdog starts its threads, which use what is created here */
    static const char *const watchdog[] = {"mod_watchdog.c", NULL};
    ap_hook_child_init(na_child_init, NULL, watchdog, APR_HOOK_MIDDLE);

    /* before mod_setenvif and other modules can read identity headers that a client sent */
    ap_hook_post_read_request(na_strip_identity, NULL, NULL, APR_HOOK_REALLY_FIRST);

    /* before any module logs a request line */
    static const char *const forensic[] = {"mod_log_forensic.c", NULL};
    ap_hook_pre_read_request(na_pre_read_request, NULL, NULL, APR_HOOK_MIDDLE);
    ap_hook_post_read_request(na_hide_early, NULL, forensic, APR_HOOK_REALLY_FIRST);
    ap_hook_insert_error_filter(na_hide_of_error, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_log_transaction(na_hide_late, NULL, NULL, APR_HOOK_REALLY_FIRST);

    /* before mod_proxy and mod_rewrite, so that the endpoints take precedence over their rules */
    ap_hook_pre_translate_name(na_pre_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_translate_name(na_translate, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_map_to_storage(na_map_to_storage, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(na_handle_endpoint, NULL, NULL, APR_HOOK_REALLY_FIRST);
    ap_hook_handler(na_handle_named, NULL, NULL, APR_HOOK_MIDDLE);

    /* what .htaccess names, before mod_setenvif reads headers for the same file */
    ap_hook_header_parser(na_strip_of_directory, NULL, NULL, APR_HOOK_REALLY_FIRST);

    /* before mod_authz_core, which these hooks call */
    ap_hook_check_access_ex(na_check_access_ex, NULL, NULL, APR_HOOK_FIRST,
                            AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authn(na_check_authn, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_check_authz(na_check_authz, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
    ap_hook_fixups(na_pass_identity, NULL, NULL, APR_HOOK_FIRST);

    static const char *const filters[] = {"mod_headers.c", "mod_filter.c", NULL};
    ap_hook_insert_filter(na_insert_post_filter, NULL, NULL, APR_HOOK_FIRST);
    ap_hook_insert_filter(na_insert_cache_filters, filters, NULL, APR_HOOK_LAST);
    ap_hook_insert_error_filter(na_insert_cache_filters, filters, NULL, APR_HOOK_LAST);
    na_register_cache_filters();
    na_register_post_filter();
    na_register_cors_filter();

    ap_hook_expr_lookup(na_expression_lookup, NULL, NULL, APR_HOOK_MIDDLE);
    na_register_requirements(pool);
    na_register_stores(pool);
    na_register_status();
    APR_REGISTER_OPTIONAL_FN(nextauth_claim);
}

__attribute__((visibility("default")))
module AP_MODULE_DECLARE_DATA nextauth_module = {STANDARD20_MODULE_STUFF, na_make_dir_conf,
                                                 na_merge_dir_conf,       na_make_server_conf,
                                                 na_merge_server_conf,    na_directives,
                                                 register_hooks,          0};
