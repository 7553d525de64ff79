/* SPDX-License-Identifier: Apache-2.0 */
/* QR codes as images in a page, and as lines for a terminal. */
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

/* Returns two modules, one above the other: white is the color of the text. */
static const char *two_modules(const QRcode *qr, int x, int y)
{
    static const char *const blocks[2][2] = {{"\u2588", "\u2580"}, {"\u2584", " "}};
    int is_inside = x >= 0 && y >= 0;
    int upper = is_inside && y < qr->width && is_dark(qr, x, y);
    int lower = x >= 0 && y + 1 >= 0 && y + 1 < qr->width && is_dark(qr, x, y + 1);
    return blocks[upper][lower];
}

const char *na_qr_lines(apr_pool_t *pool, const char *text)
{
    apr_array_header_t *parts = apr_array_make(pool, 2048, sizeof(const char *));
    QRcode *qr = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_L);
    if (!qr)
        return NULL;
    for (int y = -MARGIN; y < qr->width + MARGIN; y += 2) {
        APR_ARRAY_PUSH(parts, const char *) = "\033[40;97m";
        for (int x = -MARGIN; x < qr->width + MARGIN; x++)
            APR_ARRAY_PUSH(parts, const char *) = two_modules(qr, x, y);
        APR_ARRAY_PUSH(parts, const char *) = "\033[0m\n";
    }
    QRcode_free(qr);
    return na_join(pool, parts, "");
}

#else

const char *na_qr_lines(apr_pool_t *pool, const char *text)
{
    return NULL;
}

const char *na_qr_svg(apr_pool_t *pool, const char *text, const char *name)
{
    return NULL;
}

#endif
