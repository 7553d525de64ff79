/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NA_BASE_HTTP_H
#define NA_BASE_HTTP_H

#include <apr_tables.h>
#include <apr_time.h>

#include "base/error.h"
#include "base/text.h"

/* Limits of every outgoing call. Immutable configuration. */
typedef struct na_http_options {
    long timeout_ms;         /* a whole call; and at most the same again for a free place */
    long connect_timeout_ms; /* until connected, TLS included */
    apr_size_t max_bytes;    /* of an answer's body */
    int max_concurrent;      /* calls under way in this process */
    const char *proxy;       /* NULL: none; the environment's proxy variables are ignored */
    const char *ca_file;     /* NULL: the system's */
    int allow_http;          /* plain http: is refused otherwise */
} na_http_options;

/* A process's client: safe to share between threads, made after the fork, gone with its pool. */
typedef struct na_http na_http;

typedef struct na_http_request {
    const char *url;
    const char *peer;   /* whom it is of, for the observer: a provider's id; NULL: nobody's */
    const char *form;   /* body, application/x-www-form-urlencoded: makes it a POST; or NULL */
    const char *json;   /* body, application/json: makes it a POST; or NULL */
    const char *accept; /* NULL: application/json */
    const char *user;   /* Basic authentication, with `password`; NULL: none */
    const char *password;
    const char *bearer; /* NULL: none */
    const char *header; /* one more, "Name: value"; NULL: none */
    const char *sigv4;  /* "aws:amz:REGION:SERVICE": signs with `user` and `password`; NULL: no */
} na_http_request;

typedef struct na_http_response {
    long status;
    const char *content_type; /* "" where there is none */
    na_bytes body;            /* NUL-terminated */
} na_http_response;

/* Once a process, before any thread calls: libcurl's own set-up. */
void na_http_global_init(void);

na_error *na_http_make(apr_pool_t *pool, const na_http_options *options, na_http **client);

/*
 * Told of each call that was made, by the thread that made it. `host` is the request's peer where
 * it has one, else the address's origin; `status` is 0 where there was no answer; `date` is what an
 * answer over https says the time is, 0 where it says nothing or comes out of a cache.
 */
typedef struct na_http_observer {
    void *data;
    void (*called)(void *data, const char *host, long status, apr_interval_time_t took,
                   apr_time_t date);
} na_http_observer;

/* Before the first call; the observer is copied. */
void na_http_observe(na_http *client, const na_http_observer *observer);

/*
 * One call; redirects are answers, never followed. Any status is success here. The response lives
 * in `pool`. The error's message names the host, never the query or a header.
 */
na_error *na_http_fetch(na_http *client, apr_pool_t *pool, const na_http_request *request,
                        na_http_response *response);

#endif
