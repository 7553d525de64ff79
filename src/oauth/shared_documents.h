/* SPDX-License-Identifier: Apache-2.0 */
/* The texts of providers' documents, and which are being fetched, for all processes. */
#ifndef NA_OAUTH_SHARED_DOCUMENTS_H
#define NA_OAUTH_SHARED_DOCUMENTS_H

#include <apr_time.h>

#include "base/crypto.h"
#include "base/error.h"

#define NA_SHARED_DOCUMENTS 64

/* A longer text is not shared: each process fetches it for itself, one after the other. */
#define NA_SHARED_TEXT_MAX 32768

/* All members but the first three require the lock of the memory. */
typedef struct na_shared_document {
    volatile apr_uint32_t version; /* of the text; 0 if there was none yet */
    volatile apr_uint32_t lease;   /* number of the fetch that is under way; 0 if none */
    volatile apr_time_t used;
    unsigned char key[NA_SHA256_LEN];
    apr_int64_t lease_ends; /* by the monotonic clock, because its process can die */
    apr_time_t fetched;
    apr_time_t ask_at;
    apr_interval_time_t pause; /* the last one; 0 after a valid response */
    apr_time_t renewed_until;  /* when the renewals that were made are all forgotten */
    const char *code;          /* of the last error; all processes of one start have the text */
    char failure[256];         /* its text */
    apr_size_t len;            /* 0 if it is too long to be shared */
    unsigned char text[NA_SHARED_TEXT_MAX];
} na_shared_document;

/* All zero at first. It belongs to one start of httpd. */
typedef struct na_shared_documents {
    apr_uint32_t versions, leases; /* the latest ones */
    volatile apr_int64_t renewer;  /* when a thread last looked for documents that get old */
    na_shared_document all[NA_SHARED_DOCUMENTS];
} na_shared_documents;

/* Returns the document of that key; NULL if there is none. */
na_shared_document *na_shared_document_find(na_shared_documents *shared, const unsigned char *key);

/* Returns the document of that key, in the place of the least recently used one if it is new. */
na_shared_document *na_shared_document_take(na_shared_documents *shared, const unsigned char *key,
                                            apr_time_t now);

/* Returns 1 if the document is being fetched, by a process that is not known to hang. */
int na_shared_document_is_leased(const na_shared_document *document);

/* Marks the document as being fetched, for `ms` at most. Returns the number of the fetch. */
apr_uint32_t na_shared_document_lease(na_shared_documents *shared, na_shared_document *document,
                                      long ms);

/* Waits until that fetch has ended or its process seems to hang. The lock must not be held. */
void na_shared_document_await(const na_shared_document *document, apr_uint32_t lease,
                              apr_int64_t ends);

/* Keeps a valid text. Returns its version. */
apr_uint32_t na_shared_document_keep(na_shared_documents *shared, na_shared_document *document,
                                     na_bytes text, apr_time_t now);

#endif
