/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/text.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>
#include <apr_thread_proc.h>

#include "metrics/statsd.h"
#include "tap.h"

#define NOW apr_time_from_sec(1780000000)
#define PROCESSES 4
#define THREADS 16
#define TURNS 5000

/* Memory as processes share it. */
static void *make_block(void)
{
    void *block =
        mmap(NULL, na_metrics_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    na_metrics_init(block, NOW);
    return block;
}

static void append(void *data, const char *text)
{
    apr_array_header_t *pieces = data;
    APR_ARRAY_PUSH(pieces, const char *) = apr_pstrdup(pieces->pool, text);
}

static const char *shown(apr_pool_t *pool, const na_metrics *metrics, na_exposition format,
                         const apr_array_header_t *readings)
{
    apr_array_header_t *pieces = apr_array_make(pool, 256, sizeof(const char *));
    na_metrics_write(metrics, pool, format, readings, NOW, append, pieces);
    return apr_array_pstrcat(pool, pieces, 0);
}

static const char *text_of(apr_pool_t *pool, const na_metrics *metrics)
{
    return shown(pool, metrics, NA_PROMETHEUS, NULL);
}

static int has(apr_pool_t *pool, const na_metrics *metrics, const char *line, const char *name)
{
    const char *text = text_of(pool, metrics);
    int there = strstr(text, apr_pstrcat(pool, "\n", line, "\n", NULL)) != NULL;
    if (!there)
        diag("no line '%s' in\n%s", line, text);
    return ok(there, "%s", name);
}

static int occurrences(const char *text, const char *part)
{
    int count = 0;
    for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* What `run` gives in another process, which ends as if it had been killed where `killed` is 1. */
static int in_process(int (*run)(apr_pool_t *pool, na_metrics *metrics), apr_pool_t *parent,
                      void *block, int killed)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        apr_pool_t *pool;
        apr_pool_create(&pool, parent);
        na_metrics *metrics = na_metrics_open(pool, block);
        na_metrics_claim(metrics, pool);
        int result = run(pool, metrics);
        if (!killed)
            apr_pool_destroy(pool);
        _exit(result);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* ── sums ──────────────────────────────────────────────────────────────────────────────────── */

static void *APR_THREAD_FUNC hammer(apr_thread_t *thread, void *data)
{
    for (int i = 0; i < TURNS; i++) {
        na_metrics_count(data, NA_METRIC_SESSION_CHECKS, i % 2 ? "cached" : "store", NULL);
        na_metrics_observe(data, NA_METRIC_SESSION_CHECK_DURATION, NULL, i % 5 ? 0.00002 : 2);
        na_metrics_adjust(data, NA_METRIC_MAIL_QUEUE_DEPTH, i % 2 ? -1 : 1);
    }
    return NULL;
}

static void start_and_join(apr_pool_t *pool, na_metrics *metrics)
{
    apr_thread_t *threads[THREADS];
    apr_status_t ignored;
    for (int i = 0; i < THREADS; i++)
        apr_thread_create(&threads[i], NULL, hammer, metrics, pool);
    for (int i = 0; i < THREADS; i++)
        apr_thread_join(&ignored, threads[i]);
}

static void sums(apr_pool_t *pool)
{
    void *block = make_block();
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        if ((children[i] = fork()) != 0)
            continue;
        na_metrics *metrics = na_metrics_open(pool, block);
        na_metrics_claim(metrics, pool);
        start_and_join(pool, metrics);
        _exit(0);
    }
    for (int i = 0; i < PROCESSES; i++)
        waitpid(children[i], NULL, 0);
    const na_metrics *metrics = na_metrics_open(pool, block);
    has(pool, metrics, "nextauth_session_checks_total{result=\"cached\"} 160000",
        "sixteen threads of each of four processes lose nothing");
    has(pool, metrics, "nextauth_session_check_duration_seconds_bucket{le=\"2.5e-05\"} 256000",
        "nor does a histogram");
    has(pool, metrics, "nextauth_session_check_duration_seconds_bucket{le=\"+Inf\"} 320000",
        "whose last bucket has all");
    has(pool, metrics, "nextauth_session_check_duration_seconds_count 320000", "as its count");
    has(pool, metrics, "nextauth_session_check_duration_seconds_sum 128005.120000000",
        "and whose sum is exact");
}

/* ── rows ──────────────────────────────────────────────────────────────────────────────────── */

static int sign_in_and_queue(apr_pool_t *pool, na_metrics *metrics)
{
    na_metrics_count(metrics, NA_METRIC_SIGNINS, "acme", NULL);
    na_metrics_adjust(metrics, NA_METRIC_MAIL_QUEUE_DEPTH, 3);
    return 0;
}

static int queue_two(apr_pool_t *pool, na_metrics *metrics)
{
    na_metrics_adjust(metrics, NA_METRIC_MAIL_QUEUE_DEPTH, 2);
    return strstr(text_of(pool, metrics), "\nnextauth_mail_queue_depth 2\n") != NULL;
}

static void rows(apr_pool_t *pool)
{
    void *block = make_block();
    na_metrics *metrics = na_metrics_open(pool, block);
    na_metrics_name(metrics, NA_PROVIDERS, "acme");
    for (int i = 0; i < 600; i++)
        in_process(sign_in_and_queue, pool, block, i % 2);
    has(pool, metrics, "nextauth_signins_total{provider=\"acme\"} 600",
        "more processes than rows, one after the other, each counts");
    has(pool, metrics, "nextauth_mail_queue_depth 0", "what waited in them does not wait any more");
    ok(in_process(queue_two, pool, block, 0) == 1, "another's share starts from nothing");
    has(pool, metrics, "nextauth_signins_total{provider=\"acme\"} 600",
        "a row that is taken over keeps its counters");
}

static void crowd(apr_pool_t *pool)
{
    void *block = make_block();
    na_metrics *metrics = na_metrics_open(pool, block);
    pid_t children[300];
    int held[2];
    char byte;
    na_metrics_name(metrics, NA_PROVIDERS, "acme");
    ok(pipe(held) == 0, "a pipe");
    for (int i = 0; i < 300; i++) {
        if ((children[i] = fork()) != 0)
            continue;
        close(held[1]);
        na_metrics *own = na_metrics_open(pool, block);
        na_metrics_claim(own, pool);
        sign_in_and_queue(pool, own);
        _exit(read(held[0], &byte, 1) != 0); /* ends with the parent's end of the pipe */
    }
    while (!strstr(text_of(pool, metrics), "nextauth_mail_queue_depth 900\n"))
        apr_sleep(10000);
    has(pool, metrics, "nextauth_signins_total{provider=\"acme\"} 300",
        "more processes at once than rows: some share one, all count");
    close(held[1]);
    for (int i = 0; i < 300; i++)
        waitpid(children[i], NULL, 0);
    close(held[0]);
}

/* ── labels ────────────────────────────────────────────────────────────────────────────────── */

static void labels(apr_pool_t *pool)
{
    na_metrics *metrics = na_metrics_open(pool, make_block());
    for (int i = 0; i < 100; i++)
        na_metrics_count(metrics, NA_METRIC_HTTP_REQUEST_FAILURES,
                         apr_psprintf(pool, "host%d.example.org", i), NULL);
    const char *text = text_of(pool, metrics);
    is_number(occurrences(text, "\nnextauth_http_request_failures_total{"), NA_NAMES_MAX + 1,
              "of many hosts as many are told apart as there is room for");
    has(pool, metrics, "nextauth_http_request_failures_total{host=\"other\"} 68",
        "all others are counted together");
    char *longer = apr_palloc(pool, 1001);
    memset(longer, 'x', 1000);
    longer[1000] = '\0';
    na_metrics_count(metrics, NA_METRIC_STORE_ERRORS, longer, NULL);
    has(pool, metrics, "nextauth_store_errors_total{store=\"other\"} 1", "so is one too long");

    na_metrics_count(metrics, NA_METRIC_SIGNINS, "acme", NULL);
    has(pool, metrics, "nextauth_signins_total{provider=\"other\"} 1",
        "a provider that nobody made known becomes no label");
    na_metrics_name(metrics, NA_PROVIDERS, "acme");
    has(pool, metrics, "nextauth_signins_total{provider=\"acme\"} 0", "one that is known is there");
    na_metrics_count(metrics, NA_METRIC_SIGNIN_FAILURES, NULL, "Mystery");
    has(pool, metrics, "nextauth_signin_failures_total{provider=\"other\",reason=\"other\"} 1",
        "a reason that is not on the list is \"other\"");
    na_metrics_count(metrics, NA_METRIC_MAILS, "eaten", NULL);
    is_number(occurrences(text_of(pool, metrics), "nextauth_mails_total{"), 3,
              "a result that is not on its list is counted nowhere");

    na_metrics_name(metrics, NA_DATABASES, "a \"b\"\\c\nd");
    has(pool, metrics, "nextauth_database_errors_total{database=\"a \\\"b\\\"\\\\c\\nd\"} 0",
        "quotes, backslashes and line ends are escaped");
}

static void *APR_THREAD_FUNC name_all(apr_thread_t *thread, void *data)
{
    for (int i = 0; i < 8; i++)
        na_metrics_count(data, NA_METRIC_HTTP_REQUEST_FAILURES,
                         (const char *const[]){"a", "b", "c", "d", "e", "f", "g", "h"}[i], NULL);
    return NULL;
}

static void labels_at_once(apr_pool_t *pool)
{
    int right = 0;
    for (int round = 0; round < 50; round++) {
        na_metrics *metrics = na_metrics_open(pool, make_block());
        apr_thread_t *threads[THREADS];
        apr_status_t ignored;
        for (int i = 0; i < THREADS; i++)
            apr_thread_create(&threads[i], NULL, name_all, metrics, pool);
        for (int i = 0; i < THREADS; i++)
            apr_thread_join(&ignored, threads[i]);
        right += occurrences(text_of(pool, metrics), "\"} 16\n") == 8;
    }
    is_number(right, 50, "threads that bring the same name at once get one label");
}

/* ── events, readings, formats ─────────────────────────────────────────────────────────────── */

static void events(apr_pool_t *pool)
{
    na_metrics *metrics = na_metrics_open(pool, make_block());
    na_event event = {.kind = NA_EVENT_SIGN_IN, .provider = "acme"};
    na_metrics_name(metrics, NA_PROVIDERS, "acme");
    na_metrics_event(metrics, &event);
    event.failure = NA_ERR_ACCESS_DENIED;
    na_metrics_event(metrics, &event);
    for (int kind = NA_EVENT_SIGN_OUT; kind < NA_EVENT_KINDS; kind++) {
        na_metrics_event(metrics, &(na_event){.kind = (na_event_kind)kind});
        na_metrics_event(metrics,
                         &(na_event){.kind = (na_event_kind)kind, .failure = NA_ERR_CALLBACK});
    }
    has(pool, metrics, "nextauth_signins_total{provider=\"acme\"} 1", "a sign-in");
    has(pool, metrics,
        "nextauth_signin_failures_total{provider=\"acme\",reason=\"AccessDenied\"} 1",
        "one that fails");
    has(pool, metrics, "nextauth_signouts_total 1", "a sign-out, not one that fails");
    has(pool, metrics, "nextauth_users_created_total 1", "a new user");
    has(pool, metrics, "nextauth_accounts_linked_total 1", "a link");
}

static void readings(apr_pool_t *pool)
{
    na_metrics *metrics = na_metrics_open(pool, make_block());
    is_number(na_metrics_sessions_due(metrics, NOW), 0, "unread sessions need not be counted");
    apr_array_header_t *list = apr_array_make(pool, 4, sizeof(na_reading));
    na_reading_add(list, &(na_reading){NA_METRIC_STORE_UP, {"one"}, 1});
    na_reading_add(list, &(na_reading){NA_METRIC_DATABASE_UP, {"one"}, 1});
    na_reading_add(list, &(na_reading){NA_METRIC_STORE_UP, {"one"}, 0});
    const char *text = shown(pool, metrics, NA_PROMETHEUS, list);
    is_number(occurrences(text, "\nnextauth_store_up{store=\"one\"} 0\n"), 1,
              "of two stores of one name the one that is down is shown");
    is_number(occurrences(text, "\nnextauth_database_up{database=\"one\"} 1\n"), 1,
              "a database is something else");
    is_number(occurrences(text, "\nnextauth_sessions_active "), 0, "sessions nobody has counted");
    is_number(na_metrics_sessions_due(metrics, NOW), 1, "which is to be done, as they were read");
    is_number(na_metrics_sessions_due(metrics, NOW + apr_time_from_sec(59)), 0, "  once a minute");
    is_number(na_metrics_sessions_due(metrics, NOW + apr_time_from_sec(60)), 1, "  then again");
    is_number(na_metrics_sessions_due(metrics, NOW + apr_time_from_sec(301)), 0,
              "  but not for ever");
    na_metrics_sessions(metrics, 7, NOW - apr_time_from_sec(299));
    has(pool, metrics, "nextauth_sessions_active 7", "are shown once they are counted");
    na_metrics_sessions(metrics, 7, NOW - apr_time_from_sec(301));
    is_number(occurrences(text_of(pool, metrics), "\nnextauth_sessions_active "), 0,
              "and no longer when that is too long ago");
}

static void formats(apr_pool_t *pool)
{
    static const struct {
        const char *accept;
        na_exposition format;
    } cases[] = {
        {NULL, NA_PROMETHEUS},
        {"", NA_PROMETHEUS},
        {"*/*", NA_PROMETHEUS},
        {"text/plain", NA_PROMETHEUS},
        {"application/openmetrics-text", NA_OPENMETRICS},
        {"Application/OpenMetrics-Text ; version=1.0.0", NA_OPENMETRICS},
        {"application/openmetrics-text;q=0", NA_PROMETHEUS},
        {"application/openmetrics-textual", NA_PROMETHEUS},
        {"application/openmetrics-text;q=0.2,text/plain;q=0.7", NA_PROMETHEUS},
        {"text/plain;version=0.0.4;q=0.3, application/openmetrics-text;version=1.0.0;q=0.5, "
         "*/*;q=0.2",
         NA_OPENMETRICS},
    };
    for (apr_size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ok(na_exposition_of(pool, cases[i].accept) == cases[i].format, "Accept: %s",
           cases[i].accept ? cases[i].accept : "(none)");
}

/* ── StatsD ────────────────────────────────────────────────────────────────────────────────── */

static na_error *take(void *data, apr_pool_t *pool, const char *text, apr_size_t len)
{
    APR_ARRAY_PUSH((apr_array_header_t *)data, const char *) = apr_pstrmemdup(pool, text, len);
    return len > NA_STATSD_DATAGRAM ? na_error_new(pool, NA_ERR_CALLBACK, "too long") : NULL;
}

/* All that is sent, a datagram a line, each in line ends. */
static const char *sent(apr_pool_t *pool, na_metrics *metrics, na_statsd_format format)
{
    const na_statsd_options options = {.prefix = "site", .format = format};
    apr_array_header_t *datagrams = apr_array_make(pool, 8, sizeof(const char *));
    succeeds(na_statsd_write(metrics, pool, &options, NULL, NOW, take, datagrams),
             "no datagram is too long");
    return apr_pstrcat(pool, "\n", apr_array_pstrcat(pool, datagrams, '\n'), "\n", NULL);
}

static void statsd(apr_pool_t *pool)
{
    void *block = make_block();
    na_metrics *metrics = na_metrics_open(pool, block);
    na_metrics_name(metrics, NA_PROVIDERS, "acme:x|y@z#1,2\n3");
    na_metrics_count(metrics, NA_METRIC_SIGNINS, "acme:x|y@z#1,2\n3", NULL);
    na_metrics_count(metrics, NA_METRIC_SIGNOUTS, NULL, NULL);
    na_metrics_observe(metrics, NA_METRIC_HTTP_REQUEST_DURATION, "op.example.org", 0.0625);
    const char *text = sent(pool, metrics, NA_STATSD);
    ok(strstr(text, "\nsite.signins.acme_x_y_z_1_2_3:1|c\n") != NULL, "labels are in the name");
    ok(strstr(text, "\nsite.signouts:1|c\n") != NULL, "a counter");
    ok(strstr(text, "\nsite.http_request_duration_seconds.count.op_example_org:1|c\n") != NULL,
       "a histogram's count");
    ok(strstr(text, "\nsite.http_request_duration_seconds.sum.op_example_org:62.500000|c\n") !=
           NULL,
       "and its sum in milliseconds");
    ok(strstr(text, "\nsite.mail_queue_depth:0|g\n") != NULL, "a gauge");
    ok(!strstr(sent(pool, metrics, NA_STATSD), "|c\n"), "what was sent is not sent again");
    for (int i = 0; i < 5; i++)
        na_metrics_count(metrics, NA_METRIC_SIGNINS, "acme:x|y@z#1,2\n3", NULL);
    text = sent(pool, na_metrics_open(pool, block), NA_DOGSTATSD);
    ok(strstr(text, "\nsite.signins:5|c|#provider:acme_x_y_z_1_2_3\n") != NULL,
       "another process goes on where the first was, here with tags");
    for (int i = 0; i < NA_NAMES_MAX; i++)
        na_metrics_count(metrics, NA_METRIC_HTTP_REQUEST_FAILURES,
                         apr_psprintf(pool, "%d.a-host-with-a-rather-long-name.example.org", i),
                         NULL);
    ok(occurrences(sent(pool, metrics, NA_DOGSTATSD), "\nsite.http_request_failures:1|c|#host:") ==
           NA_NAMES_MAX,
       "much is sent in several");
}

static void nobody(void)
{
    na_metrics_claim(NULL, NULL);
    na_metrics_name(NULL, NA_HOSTS, "x");
    na_metrics_count(NULL, NA_METRIC_SIGNOUTS, NULL, NULL);
    na_metrics_adjust(NULL, NA_METRIC_MAIL_QUEUE_DEPTH, 1);
    na_metrics_observe(NULL, NA_METRIC_SESSION_DURATION, NULL, 1);
    na_metrics_sessions(NULL, 1, NOW);
    na_metrics_event(NULL, &(na_event){.kind = NA_EVENT_SIGN_IN});
    na_metrics_each(NULL, NULL, NOW, &(na_metrics_visitor){.data = NULL});
    ok(1, "without metrics every function does nothing");
}

/* By a process that was taken over. */
static void spoiled(apr_pool_t *pool)
{
    void *block = make_block();
    memset(block, 0xff, na_metrics_size());
    const na_metrics *metrics = na_metrics_open(pool, block);
    ok(*text_of(pool, metrics), "memory of any content can be shown");
}

/* A child process that starts without one of them would crash. */
static int families_are_complete(void)
{
    int complete = 1;
    for (int i = 0; i < NA_METRICS; i++)
        complete &= ok(na_metric_families[i].name && na_metric_families[i].help,
                       "metric %d of families.h has a row in families.c%s%s", i,
                       na_metric_families[i].name ? ": " : "",
                       na_metric_families[i].name ? na_metric_families[i].name : "");
    return complete;
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    diag("families");
    if (!families_are_complete())
        return tap_done();
    diag("sums");
    sums(pool);
    diag("rows");
    rows(pool);
    crowd(pool);
    diag("labels");
    labels(pool);
    labels_at_once(pool);
    diag("events, readings and formats");
    events(pool);
    readings(pool);
    formats(pool);
    diag("StatsD");
    statsd(pool);
    nobody();
    diag("spoiled memory");
    spoiled(pool);
    return tap_done();
}
