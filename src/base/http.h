/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client. */
#ifndef NA_BASE_HTTP_H
#define NA_BASE_HTTP_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/call_limits.h"
#include "base/error.h"
#include "base/text.h"

/* Limits of every outgoing call. Immutable configuration. */
typedef struct na_http_options {
    long timeout_ms;         /* a whole call; and at most the same again for a free place */
    long connect_timeout_ms; /* until connected, TLS included */
    apr_size_t max_bytes;    /* of an answer's body */
    int max_concurrent;      /* calls under way in this process */
    const char *proxy;       /* NULL if none; the environment's proxy variables are ignored */
    const char *ca_file;     /* NULL for the system's */
    int allow_http;          /* plain http: is refused otherwise */
    int loopback;      /* connects to 127.0.0.1, whatever the URL says, and takes any certificate */
    int trace_context; /* calls to providers are told which trace they are part of */
} na_http_options;

/* Checks that the proxy is a URL and the CA file has certificates; NA_ERR_CONFIGURATION if not. */
na_error *na_http_options_check(apr_pool_t *pool, const na_http_options *options);

/* A process's client: safe to share between threads, made after the fork, gone with its pool. */
typedef struct na_http na_http;

typedef struct na_http_request {
    const char *url;
    const char *peer; /* whom it is of, for observers: a provider's id; NULL: nobody's */
    const char *form; /* body, application/x-www-form-urlencoded: makes it a POST; NULL if none */
    const char *json; /* body, application/json: makes it a POST; NULL if none */
    const char *body; /* body of `body_type`: makes it a POST; NULL if none */
    const char *body_type;
    const char *accept; /* NULL: application/json */
    const char *user;   /* Basic authentication, with `password`; NULL if none */
    const char *password;
    const char *bearer;         /* NULL if none */
    const char *const *headers; /* more, "Name: value", without control characters; the last is
                                   NULL; NULL if none */
    const char *sigv4;    /* "aws:amz:REGION:SERVICE": signs with `user` and `password`; NULL: no */
    const char *wanted;   /* name of a header of the answer; NULL if none */
    na_call_place *place; /* held by the caller, for several calls; NULL: one is taken for this */
    int repeatable;       /* it is no harm where a POST arrives twice: a kept connection will do */
    int (*is_cancelled)(
        void *data); /* asked about once a second: 1 gives the call up; NULL if none */
    void *data;      /* of is_cancelled */
} na_http_request;

typedef struct na_http_response {
    long status;
    const char *content_type; /* "" if none */
    const char *wanted;       /* the header asked for, spaces taken out; NULL if none */
    long retry_after;         /* seconds, of Retry-After; 0 if none */
    na_bytes body;            /* NUL-terminated */
    apr_time_t date;          /* the answer's Date; 0 if none, or it is a copy */
} na_http_response;

/* A call that was made, for those who keep account. */
typedef struct na_http_call {
    const char *host;
    const char *peer; /* as in the request */
    int had_room;     /* 0: it was not made: too many others are under way, or none is wanted now */
    long status;      /* 0 if no answer came, or not all of it */
    double seconds;   /* the wait for a free place included */
    apr_time_t date;  /* what an answer over https says the time is; 0: nothing, or it is a copy */
} na_http_call;

/* Called by the thread that made the call, by many at once. */
typedef struct na_http_observer {
    void *data;
    void (*called)(void *data, const na_http_call *call);
} na_http_observer;

#define NA_HTTP_OBSERVERS 2

/* Once a process, before any thread calls: libcurl's own set-up. */
void na_http_global_init(void);

na_error *na_http_make(apr_pool_t *pool, const na_http_options *options, na_http **made);

/* Must be called before any call is made, for each of NA_HTTP_OBSERVERS at most; NULL is none. */
void na_http_observe(na_http *client, const na_http_observer *observer);

/* Must be called before any call is made: holds its calls to these limits. */
void na_http_limit(na_http *client, na_call_limits *limits);

/*
 * A place for several calls, one after the other, so that none of them is refused for want of one:
 * NA_ERR_BUSY if none is free. *place is NULL if the client has no limits, and may be left as well.
 */
na_error *na_http_enter(const na_http *client, apr_pool_t *pool, na_call_place **place);
void na_http_leave(na_call_place *place);

/*
 * One call; redirects are answers, never followed. Any status is success here. The response lives
 * in `pool`. The error's message names the host, never the query or a header. NA_ERR_BUSY and
 * NA_ERR_UNAVAILABLE: the call was not made.
 */
na_error *na_http_fetch(na_http *client, apr_pool_t *pool, const na_http_request *request,
                        na_http_response *response);

#endif
