/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/documents.h"

#include <arpa/inet.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <apr_allocator.h>
#include <apr_atomic.h>
#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "base/pools.h"
#include "tap.h"

#define START apr_time_from_sec(1800000000)
#define MINUTE apr_time_from_sec(60)
#define HOUR apr_time_from_sec(3600)

/* What the provider publishes; it answers one request a connection. */
static const char *volatile published;
static volatile apr_uint32_t asked;

/* A document that was valid when it was fetched; NULL if none. */
static const char *expired;

/* It answers when so many threads have begun. */
static volatile apr_uint32_t begun, awaited;

/* Its thread uses what the pools hold, so it is stopped before they end. */
typedef struct provider {
    int listener, port;
    apr_thread_t *thread;
} provider;

typedef struct desk {
    apr_pool_t *pool;
    na_http *http;
    na_documents *documents;
    na_http_request request;
    na_document_source source;
} desk;

/* An answer is counted before it is sent: whoever has it finds it counted. */
static void *APR_THREAD_FUNC publish(apr_thread_t *thread, void *data)
{
    const provider *p = data;
    char request[2000];
    for (;;) {
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0)
            return NULL;
        while (apr_atomic_read32(&begun) < apr_atomic_read32(&awaited))
            apr_thread_yield();
        const char *text = published;
        if (read(fd, request, sizeof request) > 0)
            apr_atomic_inc32(&asked);
        if (write(fd, text, strlen(text)) < 0)
            diag("the answer was not taken");
        close(fd);
    }
}

static int start_provider(apr_pool_t *pool, provider *p)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    p->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(p->listener, (struct sockaddr *)&address, len) != 0 || listen(p->listener, 8) != 0 ||
        getsockname(p->listener, (struct sockaddr *)&address, &len) != 0)
        return 0;
    p->port = ntohs(address.sin_port);
    return apr_thread_create(&p->thread, NULL, publish, p, pool) == APR_SUCCESS;
}

static void stop_provider(const provider *p)
{
    apr_status_t ended;
    shutdown(p->listener, SHUT_RDWR);
    apr_thread_join(&ended, p->thread);
    close(p->listener);
}

#define ANSWER(status, body) "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body
#define GOOD(body) ANSWER("200 OK", "good " body)
#define PAGE ANSWER("200 OK", "<title>Maintenance</title>")
#define FAILURE ANSWER("500 Oops", "")

static na_error *read_good(const void *data, apr_pool_t *pool, na_bytes text, const void **parsed)
{
    if (text.len < 5 || memcmp(text.data, "good ", 5) != 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "not a document");
    const char *document = apr_pstrmemdup(pool, (const char *)text.data + 5, text.len - 5);
    if (expired && strcmp(document, expired) == 0)
        return na_error_new(pool, NA_ERR_OAUTH_CALLBACK, "it has expired");
    *parsed = document;
    return NULL;
}

/* In place of that of the module: what ended is given back to malloc, which overwrites it. */
na_error *na_pool_create_apart(apr_pool_t *parent, apr_pool_t **pool)
{
    apr_allocator_t *allocator;
    apr_thread_mutex_t *lock;
    apr_allocator_create(&allocator);
    apr_allocator_max_free_set(allocator, 1);
    apr_pool_create_ex(pool, parent, NULL, allocator);
    apr_allocator_owner_set(allocator, *pool);
    apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, *pool);
    apr_allocator_mutex_set(allocator, lock);
    return NULL;
}

static desk new_desk(apr_pool_t *pool, int port)
{
    static const na_http_options options = {.timeout_ms = 5000,
                                            .connect_timeout_ms = 5000,
                                            .max_bytes = 1000,
                                            .max_concurrent = 4,
                                            .allow_http = 1};
    desk made = {.pool = pool,
                 .request = {.url = apr_psprintf(pool, "http://127.0.0.1:%d/", port)},
                 .source = {.as = "", .read = read_good, .fresh_for = HOUR}};
    na_http_make(pool, &options, &made.http);
    na_documents_make(pool, NULL, NULL, &made.documents);
    return made;
}

/* "what is served", "! why not", or "what is served ! why no newer one". */
static const char *get(desk *d, apr_time_t now)
{
    const void *parsed;
    na_error *kept_from;
    d->source.request = &d->request;
    na_error *error =
        na_documents_get(d->documents, d->http, d->pool, &d->source, now, &parsed, &kept_from);
    if (error)
        return apr_pstrcat(d->pool, "! ", na_error_text(d->pool, error), NULL);
    return kept_from ? apr_pstrcat(d->pool, parsed, " ! ", na_error_text(d->pool, kept_from), NULL)
                     : parsed;
}

static const char *renew(desk *d, apr_time_t now, const char *lacking)
{
    const void *parsed = lacking;
    na_error *kept_from;
    na_documents_renew(d->documents, d->http, d->pool, &d->source, now, &parsed, &kept_from);
    return parsed;
}

/* As renew(), or "-" if nobody has used the document. */
static const char *refresh(desk *d, apr_time_t now)
{
    const void *parsed;
    na_error *kept_from;
    d->source.request = &d->request;
    na_documents_refresh(d->documents, d->http, d->pool, &d->source, now, &parsed, &kept_from);
    return parsed ? parsed : "-";
}

static void only_valid_ones(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = PAGE;
    is(get(&d, START), "! not a document", "an answer that is no document is refused");
    published = GOOD("one");
    asked = 0;
    is(get(&d, START + apr_time_from_sec(1)), "! not a document (will be retried in 1 s)",
       "shortly after, nobody is asked");
    is_number(asked, 0, "  indeed");
    is(get(&d, START + apr_time_from_sec(2)), "one", "but soon");
    published = PAGE;
    is(get(&d, START + HOUR - MINUTE), "one", "a valid one serves for an hour");
}

static void an_older_one(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = GOOD("one");
    get(&d, START);
    published = PAGE;
    is(get(&d, START + HOUR), "one ! not a document", "after that, it serves where there is none");
    published = FAILURE;
    asked = 0;
    is(get(&d, START + HOUR + apr_time_from_sec(1)), "one", "  and nobody is asked for a while");
    is_number(asked, 0, "  indeed");
    ok(strncmp(get(&d, START + 23 * HOUR), "one ! ", 6) == 0, "  for a day");
    ok(strncmp(get(&d, START + 24 * HOUR), "! http", 6) == 0, "but no longer");
    published = GOOD("two");
    is(get(&d, START + 25 * HOUR), "two", "a new one takes its place");
}

static void pauses(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = PAGE;
    asked = 0;
    for (int second = 0; second < 600; second++)
        get(&d, START + apr_time_from_sec(second));
    ok(asked > 15 && asked < 30, "a provider without a document is asked every half minute");
    published = GOOD("one");
    is(get(&d, START - HOUR), "one", "a clock that was set back keeps nobody from asking");
}

static void renewals(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = GOOD("one");
    const char *one = get(&d, START);
    published = GOOD("two");
    const char *two = renew(&d, START, one);
    is(two, "two", "what a document lacks is looked for at once");
    published = GOOD("three");
    is(renew(&d, START, two), "three", "  and again right after that");
    asked = 0;
    is(renew(&d, START, one), "three", "who has an older one gets the newest");
    is_number(asked, 0, "  which nobody is asked for");
    is(one, "one", "  and the older one is still there for who uses it");
    const char *newest = get(&d, START);
    for (int i = 0; i < 100; i++)
        newest = renew(&d, START, newest);
    is_number(asked, 3, "five times in a row, and no more");
    for (int second = 0; second < 120; second++)
        newest = renew(&d, START + apr_time_from_sec(second), newest);
    is_number(asked, 3 + 9, "  then five times a minute");
    published = PAGE;
    is(renew(&d, START + HOUR / 2, newest), "three", "it stays where there is no newer one");
}

/* ── many at once ──────────────────────────────────────────────────────────────────────────── */

#define CROWD 50

typedef struct visitor {
    desk desk;
    const char *lacking; /* NULL to get the document */
    const char *got;
} visitor;

static void *APR_THREAD_FUNC visit(apr_thread_t *thread, void *data)
{
    visitor *v = data;
    apr_atomic_inc32(&begun);
    v->got = v->lacking ? renew(&v->desk, START, v->lacking) : get(&v->desk, START);
    return NULL;
}

/* Returns how many of them got the text. */
static int send_crowd(apr_pool_t *pool, const desk *shared, const char *lacking, const char *text)
{
    visitor *crowd = apr_pcalloc(pool, CROWD * sizeof *crowd);
    apr_thread_t *threads[CROWD];
    apr_status_t ended;
    int got = 0;
    begun = asked = 0;
    awaited = CROWD;
    for (int i = 0; i < CROWD; i++) {
        apr_pool_t *own;
        apr_pool_create(&own, pool);
        crowd[i] = (visitor){*shared, lacking, NULL};
        crowd[i].desk.pool = own;
        crowd[i].desk.source.request = &crowd[i].desk.request;
        apr_thread_create(&threads[i], NULL, visit, &crowd[i], own);
    }
    for (int i = 0; i < CROWD; i++) {
        apr_thread_join(&ended, threads[i]);
        got += crowd[i].got && strcmp(crowd[i].got, text) == 0;
    }
    awaited = 0;
    return got;
}

static void crowds(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = GOOD("one");
    is_number(send_crowd(pool, &d, NULL, "one"), CROWD, "all of a crowd get the document");
    is_number(asked, 1, "  which is fetched once");
    const char *one = get(&d, START);
    published = GOOD("two");
    is_number(send_crowd(pool, &d, one, "two"), CROWD, "all of a crowd get a newer one");
    is_number(asked, 1, "  which is fetched once");
    published = PAGE;
    desk empty = new_desk(pool, port);
    is_number(send_crowd(pool, &empty, NULL, "anything"), 0, "an invalid one serves none of them");
    is_number(asked, 1, "  and is fetched once");
}

/* ── several processes ─────────────────────────────────────────────────────────────────────── */

/* What is a process's own, beside another's. */
static desk beside(apr_pool_t *pool, int port, na_shared_documents *shared)
{
    desk made = new_desk(pool, port);
    apr_global_mutex_t *mutex;
    apr_global_mutex_create(&mutex, NULL, APR_LOCK_DEFAULT, pool);
    na_documents_make(pool, shared, mutex, &made.documents);
    return made;
}

static void processes(apr_pool_t *pool, int port)
{
    na_shared_documents *shared = apr_pcalloc(pool, sizeof *shared);
    desk a = beside(pool, port, shared), b = beside(pool, port, shared);
    published = GOOD("one");
    asked = 0;
    is(get(&a, START), "one", "one process fetches the document");
    const char *one = get(&b, START + MINUTE);
    is(one, "one", "  another has it");
    is_number(asked, 1, "  without a request");
    published = GOOD("two");
    is(renew(&a, START + MINUTE, get(&a, START + MINUTE)), "two", "one gets a newer one");
    is(renew(&b, START + MINUTE, one), "two", "  another has that");
    is_number(asked, 2, "  without a request");
    is(get(&b, START + MINUTE), "two", "  and keeps it");
    published = PAGE;
    asked = 0;
    ok(strncmp(get(&a, START + 2 * HOUR), "two ! ", 6) == 0,
       "one finds that there is no newer one");
    is(get(&b, START + 2 * HOUR), "two", "  another does not ask");
    is_number(asked, 1, "  indeed");
}

static void an_expired_one(apr_pool_t *pool, int port)
{
    na_shared_documents *shared = apr_pcalloc(pool, sizeof *shared);
    desk a = beside(pool, port, shared), b = beside(pool, port, shared);
    published = GOOD("one");
    const char *one = get(&a, START);
    expired = "one";
    is(get(&a, START + MINUTE), "one", "a process goes on with the copy that it has");
    published = GOOD("two");
    asked = 0;
    is(get(&b, START + MINUTE), "two", "a text that has expired is fetched again by another");
    is_number(asked, 1, "  with one request");
    is(renew(&a, START + MINUTE, one), "two", "  and the first has the new one");
    expired = "two";
    published = PAGE;
    desk c = beside(pool, port, shared);
    is(get(&c, START + MINUTE), "! not a document", "if there is no new one, that is the reason");
    published = GOOD("three");
    is(get(&c, START + 2 * MINUTE), "three", "  until there is");
    expired = NULL;
}

/* The lease of a process that died ends. */
static void a_dead_process(apr_pool_t *pool, int port)
{
    na_shared_documents *shared = apr_pcalloc(pool, sizeof *shared);
    desk d = beside(pool, port, shared);
    unsigned char key[NA_SHA256_LEN];
    na_sha256(key, na_bytes_of(apr_pstrcat(pool, d.request.url, " ", NULL)), (na_bytes){0});
    na_shared_document_lease(shared, na_shared_document_take(shared, key, START), 20);
    published = GOOD("one");
    is(get(&d, START), "one", "what a dead process was fetching is fetched by another");
}

static void long_ones(apr_pool_t *pool, int port)
{
    static const char start[] = GOOD("");
    na_shared_documents *shared = apr_pcalloc(pool, sizeof *shared);
    desk a = beside(pool, port, shared), b = beside(pool, port, shared);
    static const na_http_options options = {.timeout_ms = 5000,
                                            .connect_timeout_ms = 5000,
                                            .max_bytes = 100000,
                                            .max_concurrent = 4,
                                            .allow_http = 1};
    na_http_make(pool, &options, &a.http);
    b.http = a.http;
    char *text = apr_pcalloc(pool, sizeof start + NA_SHARED_TEXT_MAX);
    memcpy(text, start, sizeof start);
    memset(text + sizeof start - 1, 'x', NA_SHARED_TEXT_MAX);
    published = text;
    asked = 0;
    for (int i = 0; i < 3; i++) {
        is_number(strlen(get(&a, START)), NA_SHARED_TEXT_MAX, "a text that is too long to share");
        is_number(strlen(get(&b, START)), NA_SHARED_TEXT_MAX, "  another process has it, too");
    }
    is_number(asked, 2, "  by one request of each");
}

static void many(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = GOOD("one");
    for (int i = 0; i < 3 * NA_SHARED_DOCUMENTS; i++) {
        d.source.as = apr_itoa(pool, i);
        get(&d, START + i);
    }
    asked = 0;
    d.source.as = "0";
    is(get(&d, START + MINUTE), "one", "one of very many documents is still there");
    is_number(asked, 0, "  without a request");
}

/* A thread that goes through all documents, and more than a process keeps, over and over. */
static void *APR_THREAD_FUNC wander(apr_thread_t *thread, void *data)
{
    desk own = *(desk *)data;
    apr_pool_t *request;
    apr_uint32_t wrong = 0;
    apr_pool_create(&request, NULL);
    own.pool = request;
    for (int i = 0; i < 2 * NA_DOCUMENTS; i++) {
        own.source.as = apr_itoa(request, i * 7 % (NA_DOCUMENTS + 40));
        wrong += strcmp(get(&own, START), "one") != 0;
        apr_pool_clear(request);
    }
    apr_pool_destroy(request);
    apr_thread_exit(thread, wrong ? APR_EGENERAL : APR_SUCCESS);
    return NULL;
}

static void bounded(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    apr_thread_t *threads[3];
    apr_status_t ended, wrong = APR_SUCCESS;
    published = GOOD("one");
    for (int i = 0; i < NA_DOCUMENTS + 10; i++) {
        d.source.as = apr_itoa(pool, i);
        get(&d, START);
        d.source.as = "often used";
        get(&d, START);
    }
    asked = 0;
    get(&d, START);
    is_number(asked, 0, "of more documents than a process keeps, one that is used stays");
    d.source.as = apr_itoa(pool, NA_DOCUMENTS + 9);
    get(&d, START);
    is_number(asked, 0, "  and so does the last one");
    d.source.as = "0";
    is(get(&d, START), "one", "the one that was not used for longest");
    is_number(asked, 1, "  is fetched again");
    for (int i = 0; i < 3; i++)
        apr_thread_create(&threads[i], NULL, wander, &d, pool);
    for (int i = 0; i < 3; i++) {
        apr_thread_join(&ended, threads[i]);
        wrong |= ended;
    }
    is_number(wrong, APR_SUCCESS, "threads that take each other's places get all documents");
}

static void ended(apr_pool_t *pool, int port)
{
    apr_pool_t *process;
    apr_pool_create(&process, pool);
    desk d = new_desk(process, port);
    published = GOOD("one");
    for (int i = 0; i < 100; i++) {
        d.source.as = apr_itoa(process, i);
        get(&d, START);
    }
    apr_pool_destroy(process);
    ok(1, "a process that ends lets all documents go, and reads nothing that ended before");
}

static void ahead_of_time(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = GOOD("one");
    asked = 0;
    is(refresh(&d, START), "-", "what nobody uses is not fetched");
    is_number(asked, 0, "  indeed");
    get(&d, START);
    published = GOOD("two");
    is(refresh(&d, START + HOUR / 2), "one", "a fresh document is not fetched again");
    is(refresh(&d, START + HOUR - MINUTE), "two", "one that is nearly old is");
    published = PAGE;
    is(get(&d, START + HOUR), "two", "  so that nobody waits for it");
    is(refresh(&d, START + 3 * HOUR), "two", "while the provider is down, it stays");
    asked = 0;
    is(get(&d, START + 4 * HOUR), "two", "  and no request asks");
    is_number(asked, 0, "  indeed");
    is(refresh(&d, START + 4 * HOUR), "two", "  but the thread does");
    is_number(asked, 1, "  indeed");
    published = GOOD("three");
    is(refresh(&d, START + 5 * HOUR), "three", "until it is back");
    asked = 0;
    refresh(&d, START + 29 * HOUR);
    is_number(asked, 0, "what nobody used for a day is not fetched again");
    is(get(&d, START + 29 * HOUR), "three", "  until it is used");
    is_number(asked, 1, "  by a request");
}

static void meanings(apr_pool_t *pool, int port)
{
    desk d = new_desk(pool, port);
    published = PAGE;
    get(&d, START);
    d.source.as = "another issuer";
    published = GOOD("one");
    is(get(&d, START), "one", "what is invalid for one provider is asked for by another");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    mallopt(M_PERTURB, 0xa5);
    na_http_global_init();
    provider p;
    if (!ok(start_provider(pool, &p), "a provider"))
        return tap_done();
    only_valid_ones(pool, p.port);
    an_older_one(pool, p.port);
    pauses(pool, p.port);
    renewals(pool, p.port);
    crowds(pool, p.port);
    meanings(pool, p.port);
    processes(pool, p.port);
    an_expired_one(pool, p.port);
    a_dead_process(pool, p.port);
    long_ones(pool, p.port);
    many(pool, p.port);
    bounded(pool, p.port);
    ended(pool, p.port);
    ahead_of_time(pool, p.port);
    stop_provider(&p);
    return tap_done();
}
