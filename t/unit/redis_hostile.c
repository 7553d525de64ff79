/* SPDX-License-Identifier: Apache-2.0 */
#include "store/redis.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "store/redis_bounds.h"
#include "tap.h"

/* A server that speaks as Redis does, but for what it says. */

typedef struct hostile {
    int listener, port;
    const char *first; /* said once */
    const char *rest;  /* then over and over: as fast as it is read, or once a command */
    int per_command;
} hostile;

static int say(int fd, const char *text)
{
    size_t len = strlen(text);
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void *APR_THREAD_FUNC serve(apr_thread_t *thread, void *data)
{
    const hostile *h = data;
    char command[4096];
    for (;;) {
        int fd = accept(h->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        int goes_on = read(fd, command, sizeof command) > 0 && (!h->first || say(fd, h->first));
        while (goes_on && h->rest)
            goes_on =
                say(fd, h->rest) && (!h->per_command || read(fd, command, sizeof command) > 0);
        while (goes_on && read(fd, command, sizeof command) > 0)
            ;
        close(fd);
    }
}

static void start(hostile *h, apr_pool_t *pool)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    apr_thread_t *thread;
    h->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(h->listener, (struct sockaddr *)&address, len) != 0 || listen(h->listener, 8) != 0 ||
        getsockname(h->listener, (struct sockaddr *)&address, &len) != 0)
        abort();
    h->port = ntohs(address.sin_port);
    apr_thread_create(&thread, NULL, serve, h, pool);
}

static void open_store(apr_pool_t *pool, const hostile *h, long timeout_ms, na_store *store)
{
    na_redis_options *options = apr_palloc(pool, sizeof *options);
    na_redis_url_parse(pool, apr_psprintf(pool, "redis://127.0.0.1:%d", h->port), options);
    options->timeout_ms = timeout_ms;
    *store = (na_store){.breaker = {.health = apr_pcalloc(pool, sizeof(na_breaker_state))}};
    succeeds(na_redis_make(pool, options, store), "a store");
}

static const char *text_of(apr_pool_t *pool, const na_error *error)
{
    return error ? na_error_text(pool, error) : "(none)";
}

static void refused_within(apr_pool_t *pool, long timeout_ms, const char *what, const char *first,
                           const char *rest, const char *says)
{
    hostile *h = malloc(sizeof *h); /* its thread has no end */
    *h = (hostile){.first = first, .rest = rest};
    na_store store;
    na_store_key key;
    na_bytes value;
    start(h, pool);
    open_store(pool, h, timeout_ms, &store);
    na_store_key_make(&key, "session", "x");
    const char *text = text_of(pool, na_store_get(&store, pool, &key, 1, &value));
    ok(strstr(text, says) != NULL, "%s: %s", what, text);
}

/* What is refused for what it says must be so however late it comes: a minute is no limit here. */
static void refused(apr_pool_t *pool, const char *what, const char *first, const char *rest,
                    const char *says)
{
    refused_within(pool, 60000, what, first, rest, says);
}

static void listing(apr_pool_t *pool)
{
    static hostile h = {.rest = "*2\r\n$1\r\n7\r\n*0\r\n", .per_command = 1};
    na_store store;
    na_store_page page;
    start(&h, pool);
    open_store(pool, &h, 60000, &store);
    succeeds(na_store_read_page(&store, pool, "session", NULL, 10, &page),
             "a cursor without end: a page is one reply");
    is(page.next, "0.7", "and whoever lists decides about the next");
}

static const char *bounds(const char *text, size_t step)
{
    na_redis_bounds b = {0};
    const char *why = NULL;
    for (size_t at = 0, len = strlen(text); at < len && !why; at += step)
        why = na_redis_bounds_check(&b, text + at, len - at < step ? len - at : step);
    return why ? why : "";
}

static void whatever_the_pieces(void)
{
    for (size_t step = 1; step < 9; step++) {
        is(bounds("*2\r\n$3\r\n*99\r\n:1\r\n", step), "", "a string may look as a length");
        is(bounds("*2\r\n*262143\r\n", step), "an array has too many elements",
           "elements of all arrays count");
        is(bounds("*-1\r\n*0\r\n$-1\r\n+OK\r\n", step), "", "nothing is nothing");
        is(bounds("$67108865\r\n", step), "a string is too long", "a string is as long as it says");
        is(bounds("*00000000000000000000000000000000000001\r\n", step),
           "a length has too many digits", "a number that is too long");
    }
}

int main(void)
{
    __attribute__((unused)) const struct rlimit room = {(rlim_t)1 << 30, (rlim_t)1 << 30};
    static char letters[16384], numbers[16385];
    apr_pool_t *pool = tap_start();
#ifndef __SANITIZE_ADDRESS__
    setrlimit(RLIMIT_AS, &room); /* what is announced must not be allocated */
#endif
    memset(letters, 'x', sizeof letters - 1);
    for (size_t i = 0; i < sizeof numbers - 1; i += 4)
        memcpy(numbers + i, ":1\r\n", 4);
    whatever_the_pieces();
    refused(pool, "an array of 2,000,000,000", "*2000000000\r\n", NULL, "too many elements");
    refused(pool, "arrays in arrays", "*200000\r\n*200000\r\n", NULL, "too many elements");
    refused(pool, "a string of 500 MB", "$500000000\r\n", NULL, "a string is too long");
    refused(pool, "a line without an end", "+", letters, "a line is too long");
    refused_within(pool, 500, "a string that comes slowly", "$60000000\r\n", NULL,
                   "did not respond in time");
    /* the reply, or what follows it in the same read, is then unexpected: nothing is too much */
    refused(pool, "as many elements as may be", "*262144\r\n", numbers, "unexpected");
    listing(pool);
    return tap_done();
}
