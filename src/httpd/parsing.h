/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions of directives, parsed by httpd. */
#ifndef NA_HTTPD_PARSING_H
#define NA_HTTPD_PARSING_H

#include <httpd.h>
#include <http_config.h>
#include <ap_expr.h>

/* When an expression is evaluated: only NA_WITH_SESSION can it read the session. */
typedef enum na_moment { NA_WITH_SESSION, NA_AT_SIGN_IN, NA_BEFORE_SESSION } na_moment;

/*
 * Parses an expression of a directive; `flags` are AP_EXPR_FLAG_…. *error is NULL on success,
 * otherwise the reason.
 */
ap_expr_info_t *na_parse_expression(cmd_parms *cmd, const char *text, unsigned flags,
                                    na_moment moment, const char **error);

/* Returns when the expression that is being parsed is evaluated. */
na_moment na_parsing_for(void);

#endif
