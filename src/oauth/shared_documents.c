/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of providers' documents, and which are being fetched, for all processes. */
#include "oauth/shared_documents.h"

#include <string.h>

#include "base/clock.h"

#define LOOK_MIN apr_time_from_msec(1)
#define LOOK_MAX apr_time_from_msec(32)

na_shared_document *na_shared_document_find(na_shared_documents *shared, const unsigned char *key)
{
    for (int i = 0; i < NA_SHARED_DOCUMENTS; i++)
        if (memcmp(shared->all[i].key, key, NA_SHA256_LEN) == 0)
            return &shared->all[i];
    return NULL;
}

static na_shared_document *least_used(na_shared_documents *shared)
{
    na_shared_document *least = shared->all;
    for (int i = 1; i < NA_SHARED_DOCUMENTS; i++)
        if (shared->all[i].used < least->used)
            least = &shared->all[i];
    return least;
}

na_shared_document *na_shared_document_take(na_shared_documents *shared, const unsigned char *key,
                                            apr_time_t now)
{
    na_shared_document *found = na_shared_document_find(shared, key);
    if (found)
        return found;
    na_shared_document *taken = least_used(shared);
    memset(taken, 0, sizeof *taken);
    taken->used = now;
    memcpy(taken->key, key, NA_SHA256_LEN);
    return taken;
}

int na_shared_document_is_leased(const na_shared_document *document)
{
    return document->lease && na_monotonic_ns() < document->lease_ends;
}

/* 0 stands for none. */
static apr_uint32_t next(apr_uint32_t *latest)
{
    if (!++*latest)
        ++*latest;
    return *latest;
}

apr_uint32_t na_shared_document_lease(na_shared_documents *shared, na_shared_document *document,
                                      long ms)
{
    document->lease_ends = na_monotonic_ns() + (apr_int64_t)ms * 1000000;
    document->lease = next(&shared->leases);
    return document->lease;
}

void na_shared_document_await(const na_shared_document *document, apr_uint32_t lease,
                              apr_int64_t ends)
{
    apr_interval_time_t pause = LOOK_MIN;
    while (document->lease == lease && na_monotonic_ns() < ends) {
        apr_sleep(pause);
        pause = pause < LOOK_MAX ? 2 * pause : LOOK_MAX;
    }
}

apr_uint32_t na_shared_document_keep(na_shared_documents *shared, na_shared_document *document,
                                     na_bytes text, apr_time_t now)
{
    int fits = text.len <= sizeof document->text;
    document->len = fits ? text.len : 0;
    if (fits)
        memcpy(document->text, text.data, text.len);
    document->fetched = now;
    document->ask_at = 0;
    document->pause = 0;
    document->version = next(&shared->versions);
    return document->version;
}
