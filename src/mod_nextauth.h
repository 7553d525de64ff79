/* SPDX-License-Identifier: Apache-2.0 */
/* Interface for other httpd modules, which need not link to this one. */
#ifndef MOD_NEXTAUTH_H
#define MOD_NEXTAUTH_H

#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <httpd.h>

/*
 * APR_RETRIEVE_OPTIONAL_FN(nextauth_claim): returns the first value of a claim of the request's
 * session ("sub", "email", "roles", …); NULL if there is no session or it has no such claim. Can
 * also be called on public paths. The text lives as long as the request.
 */
APR_DECLARE_OPTIONAL_FN(const char *, nextauth_claim, (request_rec * r, const char *name));

/*
 * A NextAuth event of a user. Unknown members are NULL. The event lives as long as the call. Later
 * versions might add members at the end.
 */
typedef struct nextauth_event {
    const char *name;    /* signIn, signOut, createUser, updateUser, linkAccount or session */
    const char *failure; /* the public error code ("AccessDenied"); NULL on success */
    int is_new_user;     /* 1 if this signIn created the user */
    const char *user_id, *user_name, *user_email, *user_image;
    const char *provider;     /* provider ID */
    const char *account_type; /* oauth, oidc, email or credentials */
    const char *account_id;   /* the provider's ID of the user */
    const char *site;         /* https://host[:port] */
    const char *address;      /* client IP address */
    const char *request_id;
    const char *trace_id; /* W3C Trace Context: 32 hex digits */
} nextauth_event;

#define NEXTAUTH_DECLARE(type) type

/*
 * APR_OPTIONAL_HOOK(nextauth, nextauth_event, function, NULL, NULL, APR_HOOK_MIDDLE): called after
 * the event, before the response is sent, in the thread of the request. Return OK or DECLINED; any
 * other value prevents the remaining functions from being called, and does not affect the request.
 */
APR_DECLARE_EXTERNAL_HOOK(nextauth, NEXTAUTH, int, nextauth_event,
                          (request_rec * r, const nextauth_event *event))

#endif
