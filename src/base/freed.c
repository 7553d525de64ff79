/* SPDX-License-Identifier: Apache-2.0 */
/* Wipes memory when it is freed. */
#include "base/freed.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>

#include "base/crypto.h"

static void wipe_and_free(void *data)
{
    if (data)
        na_wipe(data, malloc_usable_size(data));
    free(data);
}

/* realloc() would leave a copy of the memory that it moves. */
static void *move(void *data, size_t len)
{
    void *moved = malloc(len ? len : 1);
    if (!moved || !data)
        return moved;
    size_t had = malloc_usable_size(data);
    memcpy(moved, data, had < len ? had : len);
    wipe_and_free(data);
    return moved;
}

void na_wipe_what_is_freed(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
    curl_global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, move, strdup, calloc);
}
