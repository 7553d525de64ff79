/* SPDX-License-Identifier: Apache-2.0 */
/* Directives as they were written. */
#include "httpd/written.h"

const char *na_directive_name(na_directive_id id)
{
#define NA_NAME(name, arguments, stage, setter, shown, help, form) #name,
    static const char *const names[] = {NA_DIRECTIVES(NA_NAME)};
#undef NA_NAME
    return names[id];
}

const char *na_directive_form(na_directive_id id)
{
#define NA_FORM(name, arguments, stage, setter, shown, help, form) form,
    static const char *const forms[] = {NA_DIRECTIVES(NA_FORM)};
#undef NA_FORM
    return forms[id];
}

const na_directive *na_last_of(const apr_array_header_t *written, na_directive_id id)
{
    for (int i = written->nelts - 1; i >= 0; i--)
        if (APR_ARRAY_IDX(written, i, na_directive).id == id)
            return &APR_ARRAY_IDX(written, i, na_directive);
    return NULL;
}
