/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of label values, in memory that processes share. */
#include "metrics/names.h"

#include <string.h>

#include "base/crypto.h"

/* No lock is needed: all processes that write here write the same text. */
static void write_name(na_name *place, const char *name)
{
    if (__atomic_load_n(&place->written, __ATOMIC_ACQUIRE))
        return;
    memcpy(place->text, name, strlen(name) + 1);
    __atomic_store_n(&place->written, 1, __ATOMIC_RELEASE);
}

/* Returns 1 if the place has the hash, or was free and now has it. */
static int claim_place(na_name *place, apr_uint64_t hash, int add)
{
    apr_uint64_t was = __atomic_load_n(&place->hash, __ATOMIC_RELAXED);
    if (!was && add &&
        __atomic_compare_exchange_n(&place->hash, &was, hash, 0, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED))
        return 1;
    return was == hash;
}

static int has_text(const na_name *place, const char *name)
{
    return __atomic_load_n(&place->written, __ATOMIC_ACQUIRE) &&
           strncmp(place->text, name, NA_NAME_SIZE) == 0;
}

int na_name_find(na_name_list *list, const char *name, int add)
{
    if (!name || !*name || strlen(name) >= NA_NAME_SIZE)
        return NA_NAMES_MAX;
    for (int i = 0; i < NA_NAMES_MAX; i++) /* mostly, the name is known: no hash is needed */
        if (has_text(&list->names[i], name))
            return i;
    apr_uint64_t hash = na_sha256_word(name);
    for (int i = 0; i < NA_NAMES_MAX; i++) {
        if (!claim_place(&list->names[i], hash, add))
            continue;
        write_name(&list->names[i], name);
        return i;
    }
    return NA_NAMES_MAX;
}

const char *na_name_at(const na_name_list *list, int index)
{
    if (index == NA_NAMES_MAX)
        return NA_OTHER;
    const na_name *name = &list->names[index];
    int is_text =
        __atomic_load_n(&name->written, __ATOMIC_ACQUIRE) && !name->text[NA_NAME_SIZE - 1];
    return is_text ? name->text : NULL;
}
