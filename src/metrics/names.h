/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of label values, in memory that processes share. */
#ifndef NA_METRICS_NAMES_H
#define NA_METRICS_NAMES_H

#include <apr.h>

#include "metrics/families.h"

/* bytes of a name with its NUL; a host name has at most 253 */
#define NA_NAME_SIZE 256

/*
 * The memory is zero at first. Names are added, never removed. A process takes a free place by
 * setting the hash, then writes the name. If it crashes in between, the next process with the same
 * name writes it.
 */
typedef struct na_name {
    apr_uint64_t hash; /* 0 if free */
    apr_uint32_t written;
    char text[NA_NAME_SIZE];
} na_name;

typedef struct na_name_list {
    na_name names[NA_NAMES_MAX];
} na_name_list;

/* Returns the index of a name; NA_NAMES_MAX if it is unknown and not added (`add` is 0, or full).
 */
int na_name_find(na_name_list *list, const char *name, int add);

/* Returns the name at an index, NULL if none yet. NA_NAMES_MAX is "other". */
const char *na_name_at(const na_name_list *list, int index);

#endif
