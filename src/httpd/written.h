/* SPDX-License-Identifier: Apache-2.0 */
/* Directives as they were written. */
#ifndef NA_HTTPD_WRITTEN_H
#define NA_HTTPD_WRITTEN_H

#include <httpd.h>
#include <ap_expr.h>

#include "httpd/directives.h"

/* One directive of a server as it was written, or the variable that stands in for one. */
typedef struct na_directive {
    na_directive_id id;
    int is_variable;       /* a variable stands for the directive */
    const char *directive; /* name of the directive, or of the variable */
    const char *file;
    int line;
    const server_rec *server; /* the server that has it; virtual hosts inherit the main one's */
    int argc;
    const char *const *argv;
    const ap_expr_info_t *expression; /* NULL if the directive has none */
} na_directive;

const char *na_directive_name(na_directive_id id);

/* Returns the form of the directive's arguments, as in docs/directives.md. */
const char *na_directive_form(na_directive_id id);

/* Returns the last of these directives (na_directive), or NULL if there is none. */
const na_directive *na_last_of(const apr_array_header_t *written, na_directive_id id);

#endif
