/* SPDX-License-Identifier: Apache-2.0 */
/* Base32 (RFC 4648 section 6), for keys and codes that people type. */
#ifndef NA_TWOFACTOR_BASE32_H
#define NA_TWOFACTOR_BASE32_H

#include "base/text.h"

/* Returns upper-case text without padding. */
char *na_base32_encode(apr_pool_t *pool, const unsigned char *bytes, apr_size_t len);

/* Decodes exactly `len` bytes, a multiple of five, from upper-case text; 0 if it is anything else.
 */
int na_base32_decode_to(unsigned char *out, apr_size_t len, const char *text);

#endif
