/* SPDX-License-Identifier: Apache-2.0 */
/* Grants of device authorization (RFC 8628), from the request of a device to its token. */
#ifndef NA_AUTH_DEVICE_GRANT_H
#define NA_AUTH_DEVICE_GRANT_H

#include "auth/action.h"

/*
 * A device asks for a grant and gets two codes: the device code, with which it asks again and
 * again whether it may, and the user code, with which its user finds the grant and decides. Grants
 * are in the session store if servers share it, otherwise in the database, encrypted, under hashes
 * of their codes. They change by compare-and-swap alone: of several requests that want to change
 * one, to several servers, one does.
 */
typedef enum na_grant_state {
    NA_GRANT_PENDING,
    NA_GRANT_ALLOWED,
    NA_GRANT_DENIED,
    NA_GRANT_REDEEMED
} na_grant_state;

typedef struct na_device_grant {
    const char *user_code; /* "WDJB-MJHT" */
    const char *client;    /* client_id */
    const char *device;    /* how the device calls itself */
    const char *scope;     /* as na_scope_parse returns it */
    const char *address;   /* client IP address of the device; NULL if unknown */
    apr_int64_t asked_at, expires_at, polled_at; /* seconds */
    long interval;                               /* seconds between two polls */
    na_grant_state state;
    const char *user_id;  /* the user who allowed it, NULL before */
    apr_int64_t revision; /* of that user, at that time */
    json_t *claims;       /* for the token, of that user's session; NULL before */

    na_store_key key;
    na_bytes stored; /* what is in the store */
} na_device_grant;

/* Seconds for which codes are valid, and seconds between polls (RFC 8628 section 3.2). */
#define NA_GRANT_SECONDS 900
#define NA_GRANT_INTERVAL 5

/* Most bytes of texts that a device sends. */
#define NA_GRANT_CLIENT_MAX 64
#define NA_GRANT_DEVICE_MAX 100

/*
 * Begins a grant whose client, device, and scope are set. Sets the rest and *device_code, which is
 * wiped with the pool.
 */
na_error *na_device_grant_begin(na_request *request, na_device_grant *grant,
                                const char **device_code);

/* Find a grant; it can have expired. Whatever was typed can be a user code. */
na_error *na_device_grant_find(na_request *request, const char *device_code, na_device_grant *grant,
                               int *found);
na_error *na_device_grant_find_by_user_code(na_request *request, const char *typed,
                                            na_device_grant *grant, int *found);

/* Reads a grant again that others changed. */
na_error *na_device_grant_reread(na_request *request, na_device_grant *grant, int *found);

/* Writes the grant, unless others changed it since it was read: *written is then 0. */
na_error *na_device_grant_write(na_request *request, na_device_grant *grant, int *written);

int na_device_grant_has_expired(const na_request *request, const na_device_grant *grant);

/*
 * Returns the user code that was typed, whatever its case, hyphens, and blanks; NULL if it cannot
 * be one.
 */
const char *na_device_user_code(apr_pool_t *pool, const char *typed);

#endif
