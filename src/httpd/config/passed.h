/* SPDX-License-Identifier: Apache-2.0 */
/* NextAuthPassHeader and NextAuthPassEnv: values for applications under names of their choice. */
#ifndef NA_HTTPD_CONFIG_PASSED_H
#define NA_HTTPD_CONFIG_PASSED_H

#include "httpd/module.h"

#define NA_PASSED_FORM                                                                             \
    "NAME [EXPRESSION] [delimiter=CHARACTER] [encoding=utf-8|iso-8859-1|base64url]"

/* Setters of the two directives, whose arguments have that form. */
const char *na_set_pass_header(cmd_parms *cmd, void *conf, int argc, char *const argv[]);
const char *na_set_pass_env(cmd_parms *cmd, void *conf, int argc, char *const argv[]);

/*
 * Returns both lists (na_passed); one of `over` replaces one of `base` with the same name. Each can
 * be NULL, for none.
 */
const apr_array_header_t *na_merge_passed(apr_pool_t *pool, const apr_array_header_t *base,
                                          const apr_array_header_t *over);

#endif
