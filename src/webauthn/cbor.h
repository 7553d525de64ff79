/* SPDX-License-Identifier: Apache-2.0 */
/* Reads CBOR (RFC 8949) in place, as far as CTAP2's canonical form goes. */
#ifndef NA_WEBAUTHN_CBOR_H
#define NA_WEBAUTHN_CBOR_H

#include "base/text.h"

/*
 * libcbor decodes one head at a time; nothing is allocated, so that a length that an attacker
 * claims costs nothing. Indefinite lengths, tags, and floating-point numbers are refused (CTAP 2.1
 * section 8), as is what is nested deeper than there.
 */
typedef enum na_cbor_type {
    NA_CBOR_OTHER, /* refused */
    NA_CBOR_INTEGER,
    NA_CBOR_BYTES,
    NA_CBOR_TEXT,
    NA_CBOR_ARRAY,
    NA_CBOR_MAP,
    NA_CBOR_SIMPLE
} na_cbor_type;

typedef struct na_cbor_item {
    na_cbor_type type;
    apr_int64_t number; /* an integer, or the number of a container's items; a pair counts twice */
    na_bytes content;   /* of bytes and text; of a container, its items */
    na_bytes whole;     /* the item as it is encoded */
} na_cbor_item;

/* Reads one item with all that is in it. *rest is what follows. Returns 0 if it is malformed. */
int na_cbor_read(na_bytes bytes, na_cbor_item *item, na_bytes *rest);

/*
 * Find the value of a map's key. Return 0 if there is none, or several: two readers could see two
 * different values.
 */
int na_cbor_find(const na_cbor_item *map, const char *key, na_cbor_item *value);
int na_cbor_find_number(const na_cbor_item *map, apr_int64_t key, na_cbor_item *value);

#endif
