/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes as images in a page, and as lines for a terminal. */
#ifndef NA_TWOFACTOR_QR_H
#define NA_TWOFACTOR_QR_H

#include <apr_pools.h>

/*
 * Returns a QR code of `text` as an SVG element for HTML, with `name` for those who do not see it.
 * NULL if the text is too long, or if the module was built without libqrencode.
 */
const char *na_qr_svg(apr_pool_t *pool, const char *text, const char *name);

/* Likewise, as lines for a terminal with colors. */
const char *na_qr_lines(apr_pool_t *pool, const char *text);

#endif
