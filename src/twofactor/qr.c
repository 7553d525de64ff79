/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes as images in a page. */
#include "twofactor/qr.h"

#ifdef NA_QRENCODE

#include <apr_strings.h>
#include <qrencode.h>

#include "base/crypto.h"
#include "base/text.h"

/* ISO/IEC 18004 section 6.3.8: a QR code has a margin of four modules. */
#define MARGIN 4

static int is_dark(const QRcode *qr, int x, int y)
{
    return x < qr->width && (qr->data[y * qr->width + x] & 1);
}

/* Adds the dark modules of a row, each run as one rectangle. */
static void add_row(apr_pool_t *pool, apr_array_header_t *runs, const QRcode *qr, int y)
{
    for (int x = 0; x < qr->width; x++) {
        int start = x;
        while (is_dark(qr, x, y))
            x++;
        if (x > start)
            APR_ARRAY_PUSH(runs, const char *) =
                apr_psprintf(pool, "M%d %dh%dv1h-%dz", start + MARGIN, y + MARGIN, x - start,
                             x - start);
    }
}

/* The colors are those that readers expect, whatever the page's are. */
const char *na_qr_svg(apr_pool_t *pool, const char *text, const char *name)
{
    apr_array_header_t *runs = apr_array_make(pool, 512, sizeof(const char *));
    QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (!qr)
        return NULL;
    for (int y = 0; y < qr->width; y++)
        add_row(pool, runs, qr, y);
    int size = qr->width + 2 * MARGIN;
    na_wipe(qr->data, (apr_size_t)(qr->width * qr->width));
    QRcode_free(qr);
    return apr_psprintf(pool,
                        "<svg class=\"qr\" role=\"img\" aria-label=\"%s\" viewBox=\"0 0 %d %d\" "
                        "shape-rendering=\"crispEdges\"><rect width=\"%d\" height=\"%d\" "
                        "fill=\"#fff\"/><path fill=\"#000\" d=\"%s\"/></svg>",
                        na_html(pool, name), size, size, size, size, na_join(pool, runs, ""));
}

#else

const char *na_qr_svg(apr_pool_t *pool, const char *text, const char *name)
{
    return NULL;
}

#endif
