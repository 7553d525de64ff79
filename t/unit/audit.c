/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* ── the disk ──────────────────────────────────────────────────────────────────────────────── */

/* What the disk has of one file; shared by processes. */
typedef struct disk_state {
    int flushes;              /* that have begun */
    int fails_at;             /* the flush that fails; 0 if none does */
    int dies_at;              /* the flush during which the process is killed; 0 if none is */
    off_t holds_to;           /* flushes wait until the file has that size */
    off_t safe;               /* bytes that a flush has put on the disk */
    off_t lost_from, lost_to; /* those that a failed flush was for */
} disk_state;

static disk_state *disk;

static void start_disk(void)
{
    disk = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static off_t size_of(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 ? info.st_size : 0;
}

/* Instead of the C library's, which a test can neither watch nor have fail. */
int fdatasync(int fd)
{
    int number = __atomic_add_fetch(&disk->flushes, 1, __ATOMIC_SEQ_CST);
    off_t size = size_of(fd);
    if (number == disk->dies_at)
        kill(getpid(), SIGKILL);
    while (size_of(fd) < disk->holds_to)
        sched_yield();
    if (number == disk->fails_at) {
        disk->lost_from = __atomic_load_n(&disk->safe, __ATOMIC_SEQ_CST);
        disk->lost_to = size;
        errno = EIO;
        return -1;
    }
    int result = fsync(fd);
    off_t safe = __atomic_load_n(&disk->safe, __ATOMIC_SEQ_CST);
    while (safe < size && !__atomic_compare_exchange_n(&disk->safe, &safe, size, 0,
                                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return result;
}

static na_audit_chain *open_disk(apr_pool_t *pool, const char *path, const char *key)
{
    *disk = (disk_state){0};
    return open_chain(pool, path, key);
}

/* Returns the place of a user's record in the file; -1 if the file has none. */
static off_t place_of(apr_pool_t *pool, const char *path, const char *user)
{
    apr_size_t len;
    const char *text = slurp(pool, path, &len);
    const char *found = strstr(text, apr_pstrcat(pool, "\"user\":\"", user, "\"", NULL));
    return found ? (off_t)(found - text) : -1;
}

static na_error *append_of(apr_pool_t *pool, na_audit_chain *chain, const char *user)
{
    na_audit_fields fields;
    na_event event = sign_in();
    event.user = user;
    na_audit_fields_of(pool, &event, &fields);
    return na_audit_chain_append(chain, pool, &fields);
}

/* ── many writers ──────────────────────────────────────────────────────────────────────────── */

#define PROCESSES 4
#define THREADS 4
#define EACH 25

/* What one thread writes; `first` makes its users unlike those of others. */
typedef struct writer {
    na_audit_chain *chain;
    const char *path;
    int first, count;
    int refused; /* appends that returned an error */
    int wrong;   /* answers that the disk contradicts */
} writer;

static void write_one(apr_pool_t *pool, writer *w, int i)
{
    const char *user = apr_psprintf(pool, "u%d", w->first + i);
    na_error *error = append_of(pool, w->chain, user);
    off_t safe = __atomic_load_n(&disk->safe, __ATOMIC_SEQ_CST);
    off_t place = place_of(pool, w->path, user);
    int is_lost = place >= disk->lost_from && place < disk->lost_to;
    w->refused += error != NULL;
    w->wrong += place < 0 || (!error && (is_lost || place >= safe));
}

static void *write_many(void *data)
{
    writer *w = data;
    apr_pool_t *pool;
    apr_pool_create(&pool, NULL);
    for (int i = 0; i < w->count; i++)
        write_one(pool, w, i);
    apr_pool_destroy(pool);
    return NULL;
}

/* Threads that write `each`; the sums of their answers are added to `sum`. */
static void run_threads(writer *sum, int each)
{
    pthread_t threads[THREADS];
    writer writers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        writers[i] = (writer){sum->chain, sum->path, sum->first + i * each, each, 0, 0};
        pthread_create(&threads[i], NULL, write_many, &writers[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum->refused += writers[i].refused;
        sum->wrong += writers[i].wrong;
    }
}

/* Half of the processes use what they inherited, as httpd's do; the others open it themselves. */
static void many(apr_pool_t *pool, const char *key)
{
    const char *path = in_folder(pool, key ? "many-keyed" : "many");
    na_audit_chain *chain = open_disk(pool, path, key);
    for (int i = 0; i < PROCESSES; i++) {
        writer sum = {.path = path, .first = 1000 * (i + 1)};
        if (fork() != 0)
            continue;
        if (i % 2 && na_audit_chain_open(pool, path, key, &chain))
            _exit(99);
        sum.chain = chain;
        run_threads(&sum, EACH);
        _exit(sum.refused + sum.wrong != 0);
    }
    int status, failed = 0;
    for (int i = 0; i < PROCESSES; i++)
        failed += wait(&status) < 0 || status != 0;
    is_number(failed, 0, "processes and threads write at once, and each record is on disk in time");
    is(verify(pool, path, key), "", "and it is one chain");
    is_number(report.records, PROCESSES * THREADS * EACH, "with every record once");
}

/* ── flushes ───────────────────────────────────────────────────────────────────────────────── */

static void flushes(apr_pool_t *pool)
{
    const char *path = in_folder(pool, "disk");
    na_audit_chain *chain = open_disk(pool, path, NULL);
    succeeds(append(pool, chain), "a record is added");
    is_number(disk->flushes, 1, "and forced to the disk");
    disk->fails_at = 2;
    fails(append(pool, chain), "a disk that fails to keep it is an error");
    succeeds(append(pool, chain), "once it works, records go in again");
    is(verify(pool, path, NULL), "", "and are a chain");
}

/* The first flush lasts until all threads have written, so that the others share the second. */
static writer write_at_once(apr_pool_t *pool, const char *path, int fails_at)
{
    writer sum = {.path = path, .first = 100};
    sum.chain = open_disk(pool, path, NULL);
    append_of(pool, sum.chain, "100");
    disk->holds_to = (THREADS + 1) * disk->safe;
    disk->safe = disk->flushes = 0;
    disk->fails_at = fails_at;
    run_threads(&sum, 1);
    return sum;
}

/* On a busy machine, threads can come too late to share: then another round is begun. */
static void sharing(apr_pool_t *pool)
{
    writer sum = {0};
    const char *path;
    int round = 0, wrong = 0;
    do {
        path = apr_psprintf(pool, "%s%d", in_folder(pool, "sharing"), round);
        sum = write_at_once(pool, path, 0);
        wrong += sum.wrong + sum.refused;
    } while (disk->flushes >= THREADS && ++round < 100);
    ok(disk->flushes < THREADS, "records share a flush: %d for %d", disk->flushes, THREADS);
    is_number(wrong, 0, "and are on disk when their writers are answered");
    is(verify(pool, path, NULL), "", "in a chain");
    do {
        path = apr_psprintf(pool, "%s%d", in_folder(pool, "failing"), round);
        sum = write_at_once(pool, path, 2);
        wrong += sum.wrong;
    } while (sum.refused < 2 && ++round < 200);
    ok(sum.refused > 1, "a flush that fails is an error for all who share it: %d", sum.refused);
    is_number(wrong, 0, "and nobody was told that what is lost is on disk");
}

/* ── killed processes ──────────────────────────────────────────────────────────────────────── */

static void killed_during_flush(apr_pool_t *pool)
{
    int status;
    const char *path = in_folder(pool, "killed");
    na_audit_chain *chain = open_disk(pool, path, NULL);
    disk->dies_at = 1;
    if (fork() == 0)
        _exit(append_of(pool, chain, "dead") == NULL);
    wait(&status);
    ok(WIFSIGNALED(status), "a process is killed while it flushes");
    writer sum = {.chain = chain, .path = path, .first = 1};
    run_threads(&sum, 2);
    is_number(sum.refused + sum.wrong, 0, "the others do not wait for it for ever");
    is(verify(pool, path, NULL), "", "and go on with the chain");
    is_number(report.records, 1 + 2 * THREADS, "which has its record as well");
}

/* Writes until it is killed, and says so of each record that it was told is on disk. */
static void write_until_killed(apr_pool_t *pool, na_audit_chain *chain, int number, int to)
{
    for (int i = 0;; i++) {
        char line[32];
        snprintf(line, sizeof line, "%d-%06d\n", number, i);
        if (append_of(pool, chain, apr_pstrmemdup(pool, line, 8)) || write(to, line, 9) != 9)
            _exit(1);
    }
}

static int count_unsafe(apr_pool_t *pool, const char *path, FILE *answers)
{
    char user[32];
    int unsafe = 0;
    while (fscanf(answers, "%31s", user) == 1) {
        off_t place = place_of(pool, path, user);
        unsafe += place < 0 || place >= disk->safe;
    }
    return unsafe;
}

static void killed_while_writing(apr_pool_t *pool)
{
    int ends[2], unsafe = 0;
    char user[32];
    pid_t children[PROCESSES];
    const char *path = in_folder(pool, "killed-writers");
    na_audit_chain *chain = open_disk(pool, path, NULL);
    if (pipe(ends) != 0)
        return;
    for (int i = 0; i < PROCESSES; i++)
        if ((children[i] = fork()) == 0)
            write_until_killed(pool, chain, i, ends[1]);
    close(ends[1]);
    FILE *answers = fdopen(ends[0], "r");
    for (int i = 0; i < 100 && fscanf(answers, "%31s", user) == 1; i++)
        unsafe += place_of(pool, path, user) < 0;
    for (int i = 0; i < PROCESSES; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    unsafe += count_unsafe(pool, path, answers);
    fclose(answers);
    is_number(unsafe, 0, "of processes that are killed, each record that was answered is on disk");
    const char *verdict = verify(pool, path, NULL);
    ok(!*verdict || strstr(verdict, "a writer was interrupted"), "their chain is valid: %s",
       verdict);
    succeeds(append(pool, chain), "and goes on");
    is(verify(pool, path, NULL), "", "as if nothing had been");
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
    start_disk();
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
    flushes(pool);
    sharing(pool);
    killed_during_flush(pool);
    killed_while_writing(pool);
    pipes(pool);
    policies(pool);
    failing_now(pool);
    return tap_done();
}
