/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client. */
#ifndef NA_BASE_HTTP_H
#define NA_BASE_HTTP_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/call_limits.h"
#include "base/certificate.h"
#include "base/error.h"
#include "base/text.h"

/* Limits of every outgoing call. Immutable configuration. */
typedef struct na_http_options {
    long timeout_ms;         /* of a whole call; the wait for a free place can take as long again */
    long connect_timeout_ms; /* until connected, including TLS */
    apr_size_t max_bytes;    /* of a response's body */
    int max_concurrent;      /* concurrent calls of this process */
    const char *proxy;       /* NULL if none; the environment's proxy variables are ignored */
    const char *ca_file;     /* NULL to use the system's */
    int allow_http;          /* otherwise, http: is refused */
    int loopback; /* connects to 127.0.0.1 instead of the URL's host, and accepts any certificate */
    int trace_context; /* calls to providers carry the trace that they are part of */
} na_http_options;

/* Checks that the proxy is a URL and the CA file has certificates; NA_ERR_CONFIGURATION if not. */
na_error *na_http_options_check(apr_pool_t *pool, const na_http_options *options);

/*
 * The client of a process: threads can share it. It must be created after the fork, and ends with
 * its pool.
 */
typedef struct na_http na_http;

typedef struct na_http_request {
    const char *url;
    const char *peer; /* provider ID, for observers; NULL if none */
    const char *form; /* body, application/x-www-form-urlencoded: for a POST; NULL if none */
    const char *json; /* body, application/json: for a POST; NULL if none */
    const char *body; /* body of type `body_type`: for a POST; NULL if none */
    const char *body_type;
    const char *accept; /* NULL for application/json */
    const char *user;   /* Basic authentication, with `password`; NULL if none */
    const char *password;
    const char *bearer;                /* NULL if none */
    const na_certificate *certificate; /* shown to an https server; NULL if none */
    const char *const *headers;        /* further ones, "Name: value", without control characters;
                                          NULL-terminated, NULL if none */
    const char *sigv4; /* "aws:amz:REGION:SERVICE": signs with `user` and `password`; NULL if not */
    const char *wanted;   /* name of a header of the response; NULL if none */
    na_call_place *place; /* held by the caller for several calls; NULL to take one for this */
    int repeatable;       /* a repeated POST is harmless; others are sent once at most */
    int (*is_cancelled)(
        void *data); /* called about once a second: 1 cancels the call; NULL if none */
    void *data;      /* argument of is_cancelled */
} na_http_request;

typedef struct na_http_response {
    long status;
    const char *content_type; /* "" if none */
    const char *wanted; /* value of the requested header without surrounding spaces; NULL if none */
    long retry_after;   /* seconds, from Retry-After; 0 if none */
    na_bytes body;      /* NUL-terminated */
    apr_time_t date;    /* the response's Date; 0 if none, or if it comes from a cache */
} na_http_response;

/* A call, for observers. */
typedef struct na_http_call {
    const char *host;
    const char *peer; /* as in the request */
    int had_room;    /* 0 if the call was refused: too many are running, or the host is suspended */
    long status;     /* 0 if there was no complete response */
    double seconds;  /* including the wait for a free place */
    apr_time_t date; /* of the response, if over HTTPS and not from a cache; 0 otherwise */
} na_http_call;

/* Called by the thread that made the call, by many threads at once. */
typedef struct na_http_observer {
    void *data;
    void (*called)(void *data, const na_http_call *call);
} na_http_observer;

#define NA_HTTP_OBSERVERS 2

/* Initializes libcurl. Must be called once in a process, before any thread makes a call. */
void na_http_global_init(void);

na_error *na_http_make(apr_pool_t *pool, const na_http_options *options, na_http **made);

/*
 * Adds an observer. Must be called before any call is made, at most NA_HTTP_OBSERVERS times;
 * `observer` can be NULL.
 */
void na_http_observe(na_http *client, const na_http_observer *observer);

/* Limits all calls of the client. Must be called before any call is made. */
void na_http_limit(na_http *client, na_call_limits *limits);

/* Returns the milliseconds that a call can take, including the wait for a handle. */
long na_http_longest_ms(const na_http *client);

/*
 * Takes a place for several consecutive calls, so that none of them is refused for lack of one. The
 * error is NA_ERR_BUSY if none is free. *place is NULL if the client has no limits; na_http_leave
 * accepts that.
 */
na_error *na_http_enter(const na_http *client, apr_pool_t *pool, na_call_place **place);
void na_http_leave(na_call_place *place);

/*
 * Counts the place as one that waits for the host of `url`, although another thread makes the call.
 * The errors are those of na_call_aim().
 */
na_error *na_http_await(const na_http *client, apr_pool_t *pool, na_call_place *place,
                        const char *url);

/*
 * Makes one call. Redirects are responses, never followed; any status is a success. The response
 * lives in `pool`. The error's message names the host, never the query or a header. If the error is
 * NA_ERR_BUSY or NA_ERR_UNAVAILABLE, the call was not made.
 */
na_error *na_http_fetch(na_http *client, apr_pool_t *pool, const na_http_request *request,
                        na_http_response *response);

#endif
