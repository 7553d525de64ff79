/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_METRICS_NAMES_H
#define NA_METRICS_NAMES_H

#include <apr.h>

#include "metrics/families.h"

/* Bytes of a name with its NUL: a host's, at most 253, fits. */
#define NA_NAME_SIZE 256

/*
 * Names in memory that processes share, all zero at first. They come and never go. Who finds a
 * place free takes it with the name's hash, then writes the name: one that dies in between leaves
 * that to the next who has the same name.
 */
typedef struct na_name {
    apr_uint64_t hash; /* 0: free */
    apr_uint32_t written;
    char text[NA_NAME_SIZE];
} na_name;

typedef struct na_name_list {
    na_name names[NA_NAMES_MAX];
} na_name_list;

/* The name's index; where it is unknown and `add` is 0, or cannot be added, NA_NAMES_MAX. */
int na_name_find(na_name_list *list, const char *name, int add);

/* The name of an index; NULL where there is none (yet). NA_NAMES_MAX is "other". */
const char *na_name_at(const na_name_list *list, int index);

#endif
