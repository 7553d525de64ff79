/* SPDX-License-Identifier: Apache-2.0 */
#include "base/http.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "tap.h"

#define CALLS 6

typedef struct seen {
    na_http *client;
    const char *url;
    volatile apr_uint32_t made, not_made;
    long status; /* of the last call */
} seen;

static void note(void *data, const na_http_call *call)
{
    seen *s = data;
    apr_atomic_inc32(call->had_room ? &s->made : &s->not_made);
    s->status = call->status;
}

/* Takes connections, and says nothing by itself. */
static int listen_here(int *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, CALLS) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        return -1;
    *port = ntohs(address.sin_port);
    return fd;
}

static void *APR_THREAD_FUNC call(apr_thread_t *thread, void *data)
{
    seen *s = data;
    apr_pool_t *pool;
    na_http_response response;
    apr_pool_create(&pool, NULL);
    const na_http_request request = {.url = s->url};
    na_http_fetch(s->client, pool, &request, &response);
    apr_pool_destroy(pool);
    return NULL;
}

/* One may call, another may wait: all others are refused at once. */
static void crowd(apr_pool_t *pool)
{
    static const na_http_options options = {.timeout_ms = 500,
                                            .connect_timeout_ms = 500,
                                            .max_bytes = 1000,
                                            .max_concurrent = 1,
                                            .allow_http = 1};
    seen s = {0};
    const na_http_observer observer = {&s, note};
    na_call_limits *limits;
    apr_thread_t *threads[CALLS];
    apr_status_t status;
    int port = 0, fd = listen_here(&port);
    ok(fd >= 0 && !na_http_make(pool, &options, &s.client),
       "a client that makes one call at a time");
    na_call_limits_open(pool, apr_pcalloc(pool, na_call_limits_size(2)), 2, 2, &limits);
    na_http_limit(s.client, limits);
    na_http_observe(s.client, &observer);
    s.url = apr_psprintf(pool, "http://127.0.0.1:%d/", port);
    for (int i = 0; i < CALLS; i++)
        apr_thread_create(&threads[i], NULL, call, &s, pool);
    for (int i = 0; i < CALLS; i++)
        apr_thread_join(&status, threads[i]);
    close(fd);
    ok(s.made >= 1 && s.made <= 2, "of six at once, only one or two are made");
    is_number(s.made + s.not_made, CALLS, "those who keep account are told which");
}

static na_error *check_proxy(apr_pool_t *pool, const char *proxy)
{
    const na_http_options options = {.proxy = proxy};
    return na_http_options_check(pool, &options);
}

static void proxies(apr_pool_t *pool)
{
    static const char *const good[] = {
        "",           "proxy:3128",          "http://proxy:3128",     "proxy",
        "[::1]:3128", "https://proxy:3128/", "http://u:p@proxy:3128", "socks5h://127.0.0.1:1080"};
    static const char *const bad[] = {"foo:bar:baz", "http://",  "ftp://proxy:21",
                                      "proxy:70000", "a b:3128", "://proxy"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        succeeds(check_proxy(pool, good[i]), apr_pstrcat(pool, "proxy '", good[i], "'", NULL));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        fails(check_proxy(pool, bad[i]), apr_pstrcat(pool, "no proxy: '", bad[i], "'", NULL));
    ok(!strstr(na_error_text(pool, check_proxy(pool, "http://u:geheim@a b")), "geheim"),
       "no password is said");
}

typedef struct speaker {
    int listener;
    const char *text;
} speaker;

/* Says its text to the first who calls, and holds the line. */
static void *APR_THREAD_FUNC speak(apr_thread_t *thread, void *data)
{
    const speaker *s = data;
    char request[2000], rest;
    int fd = accept(s->listener, NULL, NULL);
    int said = fd >= 0 && read(fd, request, sizeof request) > 0 &&
               write(fd, s->text, strlen(s->text)) == (ssize_t)strlen(s->text);
    while (said && read(fd, &rest, 1) > 0)
        ;
    close(fd);
    return NULL;
}

static void hear(apr_pool_t *pool, const char *text, int is_answer, long status, const char *name)
{
    static const na_http_options options = {.timeout_ms = 500,
                                            .connect_timeout_ms = 500,
                                            .max_bytes = 10,
                                            .max_concurrent = 1,
                                            .allow_http = 1};
    seen s = {.status = -1};
    const na_http_observer observer = {&s, note};
    na_http_response response;
    apr_pool_t *own;
    apr_thread_t *thread;
    apr_status_t ended;
    int port = 0;
    speaker other = {listen_here(&port), text};
    apr_pool_create(&own, pool);
    apr_thread_create(&thread, NULL, speak, &other, pool);
    succeeds(na_http_make(own, &options, &s.client), name);
    na_http_observe(s.client, &observer);
    const na_http_request request = {.url = apr_psprintf(own, "http://127.0.0.1:%d/", port)};
    na_error *error = na_http_fetch(s.client, own, &request, &response);
    is_number(error == NULL, is_answer, is_answer ? "  is an answer" : "  is an error");
    is_number(s.status, status, "  of which those who keep account are told this status");
    apr_pool_destroy(own);
    apr_thread_join(&ended, thread);
    close(other.listener);
}

#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "

int main(void)
{
    apr_pool_t *pool = tap_start();
    na_http_global_init();
    crowd(pool);
    proxies(pool);
    hear(pool, HEAD "2\r\n\r\nok", 1, 200, "a whole answer");
    hear(pool, HEAD "2\r\n\r\no", 0, 0, "one whose end does not come");
    hear(pool, HEAD "20\r\n\r\n01234567890123456789", 0, 200, "one that is too long");
    return tap_done();
}
