/* SPDX-License-Identifier: Apache-2.0 */
#include "base/call_limits.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <apr_strings.h>

#include "tap.h"

#define PLACES 4
#define A "https://a.example"
#define B "https://b.example"

/* Memory that a forked process shares. */
static void *shared(int places)
{
    return mmap(NULL, na_call_limits_size(places), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static na_call_limits *open_limits(apr_pool_t *pool, void *block, int places, int own)
{
    na_call_limits *limits = NULL;
    na_call_limits_open(pool, block, places, own, &limits);
    return limits;
}

static int has_code(const na_error *error, const char *code)
{
    return na_error_is(error, code);
}

static int enter_all(na_call_limits *limits, apr_pool_t *pool, na_call_place **entered)
{
    int count = 0;
    while (!na_call_enter(limits, pool, &entered[count]))
        count++;
    return count;
}

static void places_of_a_process(apr_pool_t *pool)
{
    na_call_place *held[PLACES + 1];
    na_call_limits *limits = open_limits(pool, shared(PLACES), PLACES, 3);
    is_number(enter_all(limits, pool, held), 3, "a process holds as many places as it may");
    ok(has_code(na_call_enter(limits, pool, &held[3]), NA_ERR_BUSY),
       "the next call is told that it is busy");
    na_call_leave(held[1]);
    succeeds(na_call_enter(limits, pool, &held[1]), "a place that was given back is free");
}

/* Runs `work` in another process, which waits for the pipe's end afterwards: gives its id. */
static pid_t in_another(void (*work)(apr_pool_t *pool, void *block), apr_pool_t *pool, void *block,
                        int *end)
{
    char done = 0;
    int ready[2], hold[2];
    if (pipe(ready) != 0 || pipe(hold) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        close(hold[1]);
        work(pool, block);
        if (write(ready[1], &done, 1) == 1 && read(hold[0], &done, 1) == 0)
            _exit(0);
        _exit(1);
    }
    close(hold[0]);
    *end = hold[1];
    return read(ready[0], &done, 1) == 1 ? child : -1;
}

static void take_three(apr_pool_t *pool, void *block)
{
    na_call_place *held[PLACES + 1];
    enter_all(open_limits(pool, block, PLACES, 3), pool, held);
}

static void a_process_that_dies(apr_pool_t *pool)
{
    void *block = shared(PLACES);
    na_call_place *held[PLACES + 1];
    na_call_limits *limits = open_limits(pool, block, PLACES, PLACES);
    int end = -1;
    pid_t child = in_another(take_three, pool, block, &end);
    ok(child > 0, "another process holds three of four places");
    is_number(enter_all(limits, pool, held), 1, "what it holds is taken in this one, too");
    close(end);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    is_number(enter_all(limits, pool, held), 3,
              "once it died without a word, they are free again, whether its parent knows or not");
    waitpid(child, NULL, 0);
}

static void take_three_for_a(apr_pool_t *pool, void *block)
{
    na_call_place *held[PLACES + 1];
    na_call_limits *limits = open_limits(pool, block, PLACES, PLACES);
    for (int i = 0; i < 3; i++) {
        na_call_enter(limits, pool, &held[i]);
        na_call_aim(held[i], pool, A, 1000);
    }
}

static void the_share_of_a_process_that_dies(apr_pool_t *pool)
{
    void *block = shared(PLACES);
    na_call_place *held = NULL;
    na_call_limits *limits = open_limits(pool, block, PLACES, PLACES);
    int end = -1;
    pid_t child = in_another(take_three_for_a, pool, block, &end);
    ok(child > 0, "another process has three calls to a host under way");
    na_call_enter(limits, pool, &held);
    ok(has_code(na_call_aim(held, pool, A, 1000), NA_ERR_BUSY), "that is its share");
    close(end);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    succeeds(na_call_aim(held, pool, A, 1000), "once it died, others call the host");
    waitpid(child, NULL, 0);
}

static void shares(apr_pool_t *pool)
{
    na_call_place *held[PLACES + 1];
    na_call_limits *limits = open_limits(pool, shared(PLACES), PLACES, PLACES);
    enter_all(limits, pool, held);
    for (int i = 0; i < 3; i++)
        succeeds(na_call_aim(held[i], pool, A, 1000), "a call to one host");
    ok(has_code(na_call_aim(held[3], pool, A, 1000), NA_ERR_BUSY),
       "one host does not get all places");
    succeeds(na_call_aim(held[3], pool, B, 1000), "another host has the rest");
    na_call_settle(held[0], 0);
    succeeds(na_call_aim(held[0], pool, A, 1000), "a second call from the same place is no more");
}

static void hosts_that_hang(apr_pool_t *pool)
{
    na_call_place *one = NULL, *two = NULL;
    na_call_limits *limits = open_limits(pool, shared(PLACES), PLACES, PLACES);
    na_call_enter(limits, pool, &one);
    na_call_enter(limits, pool, &two);
    for (int i = 0; i < NA_CALL_TIMEOUTS; i++) {
        succeeds(na_call_aim(one, pool, A, 1000), "a host that timed out seldom is called");
        na_call_settle(one, 1);
    }
    ok(has_code(na_call_aim(one, pool, A, 1000), NA_ERR_UNAVAILABLE),
       "one that hangs is not, for a while");
    succeeds(na_call_aim(one, pool, B, 1000), "others are");
    na_call_settle(one, 0);
}

static void in_a_row(apr_pool_t *pool)
{
    na_call_place *one = NULL;
    na_call_limits *limits = open_limits(pool, shared(PLACES), PLACES, PLACES);
    na_call_enter(limits, pool, &one);
    for (int i = 0; i < 4 * NA_CALL_TIMEOUTS; i++) {
        succeeds(na_call_aim(one, pool, A, 1000), "a host that answers now and then is called");
        na_call_settle(one, i % NA_CALL_TIMEOUTS != 0);
    }
}

static void many_hosts(apr_pool_t *pool)
{
    na_call_place *one = NULL;
    na_call_limits *limits = open_limits(pool, shared(PLACES), PLACES, PLACES);
    int called = 0;
    na_call_enter(limits, pool, &one);
    for (int i = 0; i < 1000; i++)
        called += !na_call_aim(one, pool, apr_psprintf(pool, "https://%d.example", i), 1000);
    is_number(called, 1000, "more hosts than it keeps account of are called");
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    places_of_a_process(pool);
    a_process_that_dies(pool);
    the_share_of_a_process_that_dies(pool);
    shares(pool);
    hosts_that_hang(pool);
    in_a_row(pool);
    many_hosts(pool);
    return tap_done();
}
