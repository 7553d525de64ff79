/* SPDX-License-Identifier: Apache-2.0 */
/* Templates of pages, which administrators write. */
#ifndef NA_PAGE_TEMPLATE_H
#define NA_PAGE_TEMPLATE_H

#include "page/page.h"

#define NA_PAGE_TEMPLATE_MAX (256 * 1024)

/*
 * Reads a template. Refused are an unknown placeholder, a template without {{title}} or
 * {{content}}, and elements that the Content-Security-Policy of pages stops.
 */
na_error *na_page_template_read(apr_pool_t *pool, const char *path, const char **template);

/* The parts of a page. */
typedef struct na_page_parts {
    const na_page_frame *frame;
    const char *content; /* HTML, with the warnings and the reference around it */
    const char *style;   /* CSS of the built-in pages */
} na_page_parts;

/* Returns the HTML document. */
const char *na_page_template_fill(apr_pool_t *pool, const char *template,
                                  const na_page_parts *parts);

#endif
