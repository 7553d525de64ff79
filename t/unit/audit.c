/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "base/json.h"
#include "audit/audit.h"
#include "audit/chain.h"
#include "audit/verify.h"
#include "tap.h"

#define NOW (apr_time_from_sec(1790000000) + 123000) /* 2026-09-21T14:13:20.123Z */
#define KEY "0123456789abcdef0123456789abcdef"

static const char *folder;

static const char *in_folder(apr_pool_t *pool, const char *name)
{
    return apr_pstrcat(pool, folder, "/", name, NULL);
}

static na_event sign_in(void)
{
    return (na_event){.kind = NA_EVENT_SIGN_IN,
                      .time = NOW,
                      .user = "7",
                      .email = "ada@example.org",
                      .name = "Ada",
                      .provider = "github",
                      .origin = {.site = "https://example.org",
                                 .address = "192.0.2.1",
                                 .user_agent = "Firefox",
                                 .request_id = "r1",
                                 .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"}};
}

static void spill(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    ok(out && fputs(text, out) >= 0 && fclose(out) == 0, "a file is written");
}

/* ── records ───────────────────────────────────────────────────────────────────────────────── */

static char *record_of(apr_pool_t *pool, const na_event *event)
{
    na_audit_fields fields;
    na_audit_fields_of(pool, event, &fields);
    return na_audit_record(pool, &fields, 1, "p");
}

static void form(apr_pool_t *pool)
{
    na_event event = sign_in();
    is(record_of(pool, &event),
       "{\"seq\":1,\"time\":\"2026-09-21T14:13:20.123Z\",\"event\":\"SIGNIN\",\"outcome\":"
       "\"success\",\"user\":\"7\",\"email\":\"ada@example.org\",\"name\":\"Ada\",\"provider\":"
       "\"github\",\"address\":\"192.0.2.1\",\"userAgent\":\"Firefox\",\"requestId\":\"r1\","
       "\"traceId\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"site\":\"https://example.org\","
       "\"prev\":\"p\"}",
       "a record has its members in their order, and no others");
    event = (na_event){.kind = NA_EVENT_GRANT_ROLE,
                       .time = NOW,
                       .failure = "AccessDenied",
                       .reason = "rule 1 denies",
                       .actor = "administrator",
                       .detail = "editor"};
    is(record_of(pool, &event),
       "{\"seq\":1,\"time\":\"2026-09-21T14:13:20.123Z\",\"event\":\"ROLE_GRANT\",\"outcome\":"
       "\"failure\",\"reason\":\"AccessDenied: rule 1 denies\",\"actor\":\"administrator\","
       "\"detail\":\"editor\",\"prev\":\"p\"}",
       "a failure says why, an act by whom");
}

static const char *name_in_record(apr_pool_t *pool, const char *name)
{
    json_t *json;
    na_event event = sign_in();
    event.name = name;
    const char *record = record_of(pool, &event);
    ok(record && !na_has_control(record), "a record is one line without control characters");
    succeeds(na_json_parse(pool, NA_ERR_CONFIGURATION, record, strlen(record), &json), "and JSON");
    return na_json_string(json, "name");
}

static void foreign_text(apr_pool_t *pool)
{
    static const char *const texts[][2] = {
        {"Ada \"the\" \\", "Ada \"the\" \\"},
        {"Ada\"}\n{\"seq\":2", "Ada\"}\n{\"seq\":2"},
        {"Zo\xc3\xab \xf0\x9f\x91\xa9", "Zo\xc3\xab \xf0\x9f\x91\xa9"},
        {"a\x01\x1b[31m\tb", "a\x01\x1b[31m\tb"},
        {"a\x7f\xc2\x9b"
         "b",
         "a\xef\xbf\xbd\xef\xbf\xbd"
         "b"},
        {"\xff\xc3(\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (apr_size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        is(name_in_record(pool, texts[i][0]), texts[i][1], "foreign text comes back as it was");
    is(name_in_record(pool, ""), NULL, "an empty name is none");
}

static char *repeat(apr_pool_t *pool, const char *text, int count)
{
    size_t len = strlen(text);
    char *all = apr_palloc(pool, len * (size_t)count + 1);
    for (int i = 0; i < count; i++)
        memcpy(all + len * (size_t)i, text, len);
    all[len * (size_t)count] = '\0';
    return all;
}

static void limits(apr_pool_t *pool)
{
    static const char *const fillings[] = {"x", "\"", "\x01", "\xff", "\xf0\x9f\x91\xa9"};
    na_audit_link last, next;
    memset(last.hash, 'f', NA_AUDIT_HASH_LEN);
    last.hash[NA_AUDIT_HASH_LEN] = '\0';
    last.seq = NA_AUDIT_SEQ_MAX - 1;
    for (int i = 0; i < 5; i++) {
        const char *much = repeat(pool, fillings[i], 5000);
        na_event event = {.kind = NA_EVENT_PASSWORD_CHANGE,
                          .time = NOW,
                          .failure = much,
                          .reason = much,
                          .actor = much,
                          .user = much,
                          .name = much,
                          .email = much,
                          .provider = much,
                          .detail = much,
                          .origin = {much, much, much, much, much}};
        na_audit_fields fields;
        na_audit_line line;
        na_audit_fields_of(pool, &event, &fields);
        char *text = na_audit_line_make(pool, &fields, NULL, &last, &next);
        ok(strlen(text) < NA_AUDIT_LINE_MAX, "the longest record of '%c' fits: %d bytes",
           *fillings[i] == 'x' ? 'x' : '?', (int)strlen(text));
        ok(strlen(fields.user_agent) <= 256 && na_is_utf8(fields.user_agent),
           "a browser's name is cut between characters");
        na_bytes bytes = na_bytes_of(text);
        bytes.len--;
        is_number(na_audit_line_read(pool, bytes, NULL, &line), NA_AUDIT_RIGHT, "and is right");
    }
}

/* ── lines ─────────────────────────────────────────────────────────────────────────────────── */

static char *make_line(apr_pool_t *pool, const char *key)
{
    na_audit_fields fields;
    na_audit_link start, next;
    na_event event = sign_in();
    na_audit_link_start(&start);
    na_audit_fields_of(pool, &event, &fields);
    char *text = na_audit_line_make(pool, &fields, key, &start, &next);
    text[strlen(text) - 1] = '\0';
    return text;
}

static na_audit_fault fault_of(apr_pool_t *pool, const char *text, const char *key)
{
    na_audit_line line;
    return na_audit_line_read(pool, na_bytes_of(text), key, &line);
}

static void lines(apr_pool_t *pool)
{
    char *text = make_line(pool, NULL);
    /* printf '%s' '{"seq":1,…,"prev":"0…0"}' | sha256sum */
    is(strstr(text, ",\"hash\":"),
       ",\"hash\":\"6866b6ac7dbed56094e8cf73ab453e840f40bafcc1c41826e4365a7cf3d9c984\"}",
       "the hash is what sha256sum says");
    /* … | openssl dgst -sha256 -hmac KEY */
    is(strstr(make_line(pool, KEY), ",\"hash\":"),
       ",\"hash\":\"82c4b124b3759f3975b2d26ae4b0b7c1ecbebb790855fcacf0701f6352e94d35\"}",
       "and with a key, what openssl dgst -hmac says");
    is_number(fault_of(pool, text, NULL), NA_AUDIT_RIGHT, "a line is right");
    is_number(fault_of(pool, text, KEY), NA_AUDIT_EDITED, "not with a key that it was not made of");
    is_number(fault_of(pool, make_line(pool, KEY), KEY), NA_AUDIT_RIGHT, "one with a key is");
    is_number(fault_of(pool, make_line(pool, KEY), NULL), NA_AUDIT_EDITED, "with that key alone");
    int caught = 0, len = (int)strlen(text);
    for (int i = 0; i < len; i++) {
        text[i] ^= 1;
        caught += fault_of(pool, text, NULL) != NA_AUDIT_RIGHT;
        text[i] ^= 1;
    }
    is_number(caught, len, "any bit that is changed shows");
    is_number(fault_of(pool, "", NULL), NA_AUDIT_NOT_JSON, "nothing is no record");
    is_number(fault_of(pool, "hello", NULL), NA_AUDIT_NOT_JSON, "nor is a word");
    is_number(fault_of(pool, "{\"seq\":1,\"time\":\"2026", NULL), NA_AUDIT_CUT_SHORT,
              "a half line");
    is_number(fault_of(pool, "{\"seq\":1}", NULL), NA_AUDIT_NO_RECORD, "JSON that is no record");
    is_number(fault_of(pool, "[1]", NULL), NA_AUDIT_NO_RECORD, "an array");
    is_number(fault_of(pool, apr_pstrcat(pool, " ", text, NULL), NULL), NA_AUDIT_EDITED,
              "a blank before it counts");
    is_number(fault_of(pool, apr_pstrcat(pool, text, " ", NULL), NULL), NA_AUDIT_EDITED,
              "and one behind it");
}

/* ── chains ────────────────────────────────────────────────────────────────────────────────── */

static na_audit_verdict report;

/* "": all is right. */
static const char *verify(apr_pool_t *pool, const char *path, const char *key)
{
    na_audit_task check = {.files = &path,
                           .count = 1,
                           .key = key,
                           .head = apr_pstrcat(pool, path, ".head", NULL)};
    na_error *error = na_audit_verify(pool, &check, &report);
    if (error)
        return na_error_text(pool, error);
    return report.fault     ? apr_psprintf(pool, "%s", report.fault)
           : report.warning ? report.warning
                            : "";
}

static na_audit_chain *open_chain(apr_pool_t *pool, const char *path, const char *key)
{
    na_audit_chain *chain = NULL;
    succeeds(na_audit_chain_open(pool, path, key, &chain), "a chain is opened");
    return chain;
}

static na_error *append(apr_pool_t *pool, na_audit_chain *chain)
{
    na_audit_fields fields;
    na_event event = sign_in();
    na_audit_fields_of(pool, &event, &fields);
    return na_audit_chain_append(chain, pool, &fields);
}

static void append_some(apr_pool_t *pool, const char *path, int count)
{
    apr_pool_t *own;
    int failed = 0;
    apr_pool_create(&own, pool);
    na_audit_chain *chain = open_chain(own, path, NULL);
    for (int i = 0; i < count; i++)
        failed += append(own, chain) != NULL;
    is_number(failed, 0, apr_psprintf(pool, "%d records are added", count));
    apr_pool_destroy(own);
}

static char *head_text(apr_pool_t *pool, const char *path)
{
    apr_size_t len;
    return slurp(pool, apr_pstrcat(pool, path, ".head", NULL), &len);
}

static void healing(apr_pool_t *pool)
{
    apr_size_t len;
    struct stat info;
    const char *path = in_folder(pool, "healing");
    append_some(pool, path, 3);
    is(verify(pool, path, NULL), "", "three records are a chain");
    is_number(report.last.link.seq, 3, "that counts");
    ok(stat(path, &info) == 0 && (info.st_mode & 0777) == 0600, "nobody else reads the file");
    char *before = head_text(pool, path);
    append_some(pool, path, 1);
    spill(apr_pstrcat(pool, path, ".head", NULL), before);
    is(verify(pool, path, NULL), "the head file lags behind: a writer was interrupted",
       "a crash before the head was written");
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "", "heals with the next record");
    unlink(apr_pstrcat(pool, path, ".head", NULL));
    ok(strstr(verify(pool, path, NULL), "the head file is missing") != NULL,
       "a head file that is gone proves nothing");
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "", "and so does a head file that is gone");
    is_number(report.records, 6, "no number was given twice");

    char *text = slurp(pool, path, &len);
    *(char *)memrchr(text, '\n', len - 1) = '\0'; /* the last line is gone */
    spill(path, apr_pstrcat(pool, text, "\n", NULL));
    is(verify(pool, path, NULL), "missing: record 6 at the end, according to the head file",
       "a record that was removed at the end");
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "missing: record 6 before record 7", "stays missing");
    rename(path, apr_pstrcat(pool, path, ".1", NULL));
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "missing: records 1 to 7 before record 8",
       "the chain goes on in a new file");
}

static void broken_ends(apr_pool_t *pool)
{
    na_audit_chain *chain;
    const char *path = in_folder(pool, "ends");
    const char *head = apr_pstrcat(pool, path, ".head", NULL);
    spill(path, "what somebody else wrote\n");
    fails(na_audit_chain_open(pool, path, NULL, &chain), "a file of something else is refused");
    ok(access(head, F_OK) != 0, "without a head file made beside it");
    unlink(path);
    succeeds(na_audit_chain_check(pool, path, NULL), "what is not there yet can be a log");
    ok(access(path, F_OK) != 0 && access(head, F_OK) != 0, "and is not made by asking");
    spill(head, "no head");
    fails(na_audit_chain_open(pool, path, NULL, &chain), "and a head file that is none");
    unlink(head);
    append_some(pool, path, 2);
    spill(head, "no head");
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "", "but a file that ends with a record mends its head");
    fails(na_audit_chain_open(pool, path, KEY, &chain), "a file of another key is refused");
    spill(head, "no head");
    fails(na_audit_chain_check_pipe(pool, "|program", head),
          "nor is a program's broken head file taken");
    fails(na_audit_chain_open(pool, "/dev/null", NULL, &chain), "a device is no file");
    fails(na_audit_chain_open(pool, "/nowhere/at/all", NULL, &chain), "nor is what is nowhere");
}

/* Short writes, as on a full disk: the process may write no file longer than this. */
static void in_little_space(apr_pool_t *pool, const char *path, rlim_t size, int records)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {size, size};
        na_audit_chain *chain;
        int failed = 0;
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        na_error *error = na_audit_chain_open(pool, path, NULL, &chain);
        for (int i = 0; !error && i < records; i++)
            failed += append(pool, chain) != NULL;
        _exit(error ? 99 : failed);
    }
    int status;
    waitpid(child, &status, 0);
    is_number(WEXITSTATUS(status), records - 2, "two records fit, the others are refused");
}

static void short_writes(apr_pool_t *pool)
{
    apr_size_t len;
    const char *path = in_folder(pool, "short");
    in_little_space(pool, path, 1200, 5);
    is(verify(pool, path, NULL), "", "and nothing is left of those");
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "", "with space again the chain goes on");
    is_number(report.records, 3, "without a gap");
    spill(path, apr_pstrcat(pool, slurp(pool, path, &len), "{\"seq\":4,\"ti", NULL));
    append_some(pool, path, 1);
    is(verify(pool, path, NULL), "cut short: the record is incomplete",
       "half a record that could not be removed shows");
    is_number(report.line, 4, "on a line of its own");
}

/* ── many writers ──────────────────────────────────────────────────────────────────────────── */

#define PROCESSES 4
#define THREADS 4
#define EACH 25

static void *write_many(void *chain)
{
    apr_pool_t *pool;
    int failed = 0;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < EACH; i++)
        failed += append(pool, chain) != NULL;
    apr_pool_destroy(pool);
    return failed ? chain : NULL;
}

static int run_threads(na_audit_chain *chain)
{
    pthread_t threads[THREADS];
    int failed = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, write_many, chain);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    return failed;
}

/* Half of the processes use what they inherited, as httpd's do; the others open it themselves. */
static void many(apr_pool_t *pool, const char *key)
{
    const char *path = in_folder(pool, key ? "many-keyed" : "many");
    na_audit_chain *chain = open_chain(pool, path, key);
    for (int i = 0; i < PROCESSES; i++) {
        if (fork() != 0)
            continue;
        if (i % 2 && na_audit_chain_open(pool, path, key, &chain))
            _exit(99);
        _exit(run_threads(chain));
    }
    int status, failed = 0;
    for (int i = 0; i < PROCESSES; i++)
        failed += wait(&status) < 0 || status != 0;
    is_number(failed, 0, "processes and threads write at once");
    is(verify(pool, path, key), "", "and it is one chain");
    is_number(report.records, PROCESSES * THREADS * EACH, "with every record once");
}

/* ── the disk ──────────────────────────────────────────────────────────────────────────────── */

static int syncs, disk_error;

/* Instead of the C library's, which a test can neither watch nor have fail. */
int fdatasync(int fd)
{
    __atomic_add_fetch(&syncs, 1, __ATOMIC_RELAXED);
    errno = disk_error;
    return disk_error ? -1 : fsync(fd);
}

static void disk(apr_pool_t *pool)
{
    na_audit_chain *chain = open_chain(pool, in_folder(pool, "disk"), NULL);
    int before = syncs;
    succeeds(append(pool, chain), "a record is added");
    is_number(syncs - before, 1, "and forced to the disk");
    disk_error = EIO;
    fails(append(pool, chain), "a disk that fails to keep it is an error");
    disk_error = 0;
    succeeds(append(pool, chain), "once it works, records go in again");
    is(verify(pool, in_folder(pool, "disk"), NULL), "", "and are a chain");
}

/* ── pipes ─────────────────────────────────────────────────────────────────────────────────── */

static void pipes(apr_pool_t *pool)
{
    int ends[2];
    char text[NA_AUDIT_LINE_MAX];
    na_audit_chain *chain;
    ok(pipe(ends) == 0 && fcntl(ends[1], F_SETPIPE_SZ, 4096) > 0, "a pipe of one page");
    succeeds(na_audit_chain_over_pipe(pool, ends[1], "program", in_folder(pool, "pipe.head"), NULL,
                                      &chain),
             "a chain over a pipe");
    succeeds(append(pool, chain), "a record goes in");
    ssize_t len = read(ends[0], text, sizeof text);
    is_number(fault_of(pool, apr_pstrmemdup(pool, text, (apr_size_t)len - 1), NULL), NA_AUDIT_RIGHT,
              "and comes out");
    int written = 1;
    while (!append(pool, chain) && written < 100)
        written++;
    ok(written > 1 && written < 100, "who does not read is not waited for: %d records", written);
    fails(append(pool, chain), "nor by the next");
    while (read(ends[0], text, sizeof text) == sizeof text)
        ;
    succeeds(append(pool, chain), "once it was read, records go in again");
    len = read(ends[0], text, sizeof text);
    na_audit_line line;
    na_audit_line_read(pool, (na_bytes){(unsigned char *)text, (apr_size_t)len - 1}, NULL, &line);
    is_number(line.link.seq, written + 1, "with the next number");
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    fails(append(pool, chain), "a program that is gone is an error");
    close(ends[1]);
}

/* ── policies ──────────────────────────────────────────────────────────────────────────────── */

static int is_down;
static int alarms, all_clears;

static na_error *write_maybe(void *self, apr_pool_t *pool, na_db_use *use,
                             const na_audit_fields *fields)
{
    return is_down ? na_error_new(pool, NA_ERR_UNAVAILABLE, "told to fail") : NULL;
}

static void count_alarm(void *data, int is_failing, const char *text)
{
    alarms += is_failing;
    all_clears += !is_failing;
}

static int records, losses;

static void count_record(int is_recorded)
{
    records += is_recorded;
    losses += !is_recorded;
}

static void policies(apr_pool_t *pool)
{
    na_audit_counts counts = {0};
    apr_array_header_t *sinks = apr_array_make(pool, 1, sizeof(na_audit_sink));
    na_audit audit = {.sinks = sinks,
                      .counts = &counts,
                      .told = count_record,
                      .alarm = count_alarm};
    na_event event = sign_in(), read_session = {.kind = NA_EVENT_SESSION};
    APR_ARRAY_PUSH(sinks, na_audit_sink) = (na_audit_sink){NULL, write_maybe};
    succeeds(na_audit_write(NULL, pool, NULL, &event), "no log is no trouble");
    succeeds(na_audit_write(&audit, pool, NULL, &event), "a record is written");
    is_down = 1;
    succeeds(na_audit_write(&audit, pool, NULL, &read_session),
             "what is not audited is not asked about");
    na_error *error = na_audit_write(&audit, pool, NULL, &event);
    ok(na_is_unavailable(error), "refuse: an error that is a 503");
    audit.goes_on = 1;
    succeeds(na_audit_write(&audit, pool, NULL, &event), "continue: it goes on");
    is_number(alarms, 1, "one alarm of both");
    counts.alarmed_at -= 61;
    succeeds(na_audit_write(&audit, pool, NULL, &event), "a minute later");
    is_number(alarms, 2, "another");
    is_down = 0;
    succeeds(na_audit_write(&audit, pool, NULL, &event), "it works again");
    is_number(all_clears, 1, "which is said");
    succeeds(na_audit_write(&audit, pool, NULL, &event), "and on");
    is_number(all_clears, 1, "once");
    is_number(records, 3, "records are counted");
    is_number((long long)counts.failures, 3, "and what was not recorded");
    is_number(losses, 3, "  by whoever counts, too");
}

static void failing_now(apr_pool_t *pool)
{
    na_audit_counts counts = {0};
    const apr_interval_time_t minute = apr_time_from_sec(60);
    apr_array_header_t *sinks = apr_array_make(pool, 1, sizeof(na_audit_sink));
    const na_audit audit = {.sinks = sinks, .counts = &counts, .told = count_record};
    const na_event event = sign_in(), refusal = {.kind = NA_EVENT_SIGN_IN,
                                                 .failure = NA_ERR_UNAVAILABLE,
                                                 .is_unrecorded = 1};
    APR_ARRAY_PUSH(sinks, na_audit_sink) = (na_audit_sink){NULL, write_maybe};
    ok(!na_audit_is_failing(&audit, minute), "a log that nothing was written to is not failing");
    is_down = 1;
    losses = 0;
    na_audit_write(&audit, pool, NULL, &event);
    ok(na_audit_is_failing(&audit, minute), "one whose last record was lost is");
    na_audit_write(&audit, pool, NULL, &refusal);
    is_number(losses, 1, "a refusal that cannot be recorded either is no second failure");
    is_number((long long)counts.failures, 1, "  nor one in the log");
    counts.failed_at -= 61;
    ok(!na_audit_is_failing(&audit, minute), "after the time that is asked about it is not known");
    na_audit_write(&audit, pool, NULL, &refusal);
    ok(na_audit_is_failing(&audit, minute), "  until the next attempt");
    is_down = 0;
    records = 0;
    na_audit_write(&audit, pool, NULL, &refusal);
    ok(!na_audit_is_failing(&audit, minute), "one that was written mends it");
    is_number(records, 1, "  and is a record");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    folder = tap_folder();
    form(pool);
    foreign_text(pool);
    limits(pool);
    lines(pool);
    healing(pool);
    broken_ends(pool);
    short_writes(pool);
    many(pool, NULL);
    many(pool, KEY);
    disk(pool);
    pipes(pool);
    policies(pool);
    failing_now(pool);
    return tap_done();
}
