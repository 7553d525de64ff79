/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of directives, parsed by httpd. */
#ifndef NA_HTTPD_PARSING_H
#define NA_HTTPD_PARSING_H

#include <httpd.h>
#include <http_config.h>
#include <ap_expr.h>

/*
 * Parses an expression of a directive; `flags` are AP_EXPR_FLAG_…. An expression that is evaluated
 * `at_sign_in` cannot read the session. *error is NULL on success, otherwise the reason.
 */
ap_expr_info_t *na_parse_expression(cmd_parms *cmd, const char *text, unsigned flags,
                                    int at_sign_in, const char **error);

/* Returns 1 if the expression that is being parsed is evaluated at sign-in. */
int na_is_parsing_for_sign_in(void);

#endif
