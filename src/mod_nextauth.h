/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MOD_NEXTAUTH_H
#define MOD_NEXTAUTH_H

/* What other httpd modules may use, without linking to this one. */

#include <apr_optional.h>
#include <apr_optional_hooks.h>
#include <httpd.h>

/*
 * APR_RETRIEVE_OPTIONAL_FN(nextauth_claim): a claim of the request's session ("sub", "email",
 * "roles", …), its first value; NULL where nobody is signed in or the session has no such claim.
 * Works on public paths too. The text lives as long as the request.
 */
APR_DECLARE_OPTIONAL_FN(const char *, nextauth_claim, (request_rec * r, const char *name));

/*
 * What happened to a user: NextAuth's events. Whatever is not known is NULL. Lives as long as the
 * call. Later versions may have more members, behind these.
 */
typedef struct nextauth_event {
    const char *name;    /* signIn, signOut, createUser, updateUser, linkAccount or session */
    const char *failure; /* the public error code ("AccessDenied"); NULL: it was done */
    int is_new_user;     /* of signIn: the user was made by it */
    const char *user_id, *user_name, *user_email, *user_image;
    const char *provider;     /* id */
    const char *account_type; /* oauth, oidc, email or credentials */
    const char *account_id;   /* the user's id with the provider */
    const char *site;         /* https://host[:port] */
    const char *address;      /* of the client */
    const char *request_id;
    const char *trace_id; /* W3C Trace Context: 32 hex digits */
} nextauth_event;

#define NEXTAUTH_DECLARE(type) type

/*
 * APR_OPTIONAL_HOOK(nextauth, nextauth_event, function, NULL, NULL, APR_HOOK_MIDDLE): called after
 * the event, before the response is sent, in the thread of the request. Return OK or DECLINED;
 * anything else keeps the functions behind from being called. The request goes its way whatever is
 * returned.
 */
APR_DECLARE_EXTERNAL_HOOK(nextauth, NEXTAUTH, int, nextauth_event,
                          (request_rec * r, const nextauth_event *event))

#endif
