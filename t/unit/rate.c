/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "store/rate.h"
#include "tap.h"

#define START apr_time_from_sec(1800000000)

static int take_at(na_rate_state *state, const na_rate *rate, double second, na_rate_answer *answer)
{
    na_rate_state_take(state, rate, START + (apr_time_t)(second * 1000000), answer);
    return answer->allowed;
}

static void limits(void)
{
    const na_rate rate = {3, 80, 0};
    na_rate_state state = {0};
    na_rate_answer answer;
    for (int i = 0; i < 3; i++)
        ok(take_at(&state, &rate, i, &answer), "three in 80 seconds are allowed");
    ok(!take_at(&state, &rate, 3, &answer), "a fourth is not");
    ok(answer.is_first, "which is news");
    is_number(answer.wait, 88, "it says when a place is free");
    ok(!take_at(&state, &rate, 60, &answer) && !answer.is_first, "it is told once");
    ok(!take_at(&state, &rate, 79.9, &answer), "not before the time is over");
    ok(take_at(&state, &rate, 3 + 88, &answer), "then it is as was said");
    ok(take_at(&state, &rate, 1000, &answer), "much later all are forgotten");
    ok(take_at(&state, &rate, 900, &answer), "a clock that is behind counts, too");
    ok(take_at(&state, &rate, 1001, &answer), "  for the same time");
    ok(!take_at(&state, &rate, 950, &answer), "  and gets nothing more");
    ok(answer.wait <= 80 + 10 + 1, "  nor has to wait longer than ever: %ld", answer.wait);
}

/* A server that starts with a wrong clock must lock nobody until that time comes. */
static void clock_set_right(void)
{
    const na_rate rate = {2, 80, 0};
    const double years = 30e6;
    na_rate_state state = {0};
    na_rate_answer answer;
    for (int i = 0; i < 3; i++)
        take_at(&state, &rate, years, &answer);
    ok(!answer.allowed && answer.is_first, "a limit is reached while the clock is a year ahead");
    ok(!take_at(&state, &rate, 0, &answer), "when it is set right what was counted counts");
    ok(answer.is_first, "  which is news by that clock");
    is_number(answer.wait, 91, "  for as long as ever");
    ok(take_at(&state, &rate, 91, &answer), "  and no longer");
}

static void gives_back(void)
{
    const na_rate rate = {1, 80, 0};
    na_rate_state state = {0};
    na_rate_answer answer, later;
    ok(take_at(&state, &rate, 0, &answer), "one is allowed");
    ok(!take_at(&state, &rate, 1, &later), "and no other");
    ok(na_rate_state_give_back(&state, answer.part), "what succeeded is given back");
    ok(!na_rate_state_give_back(&state, answer.part), "once");
    ok(take_at(&state, &rate, 20, &later), "then there is a place");
    ok(!na_rate_state_give_back(&state, answer.part), "nothing of another time is given back");
    ok(!na_rate_state_give_back(&state, later.part + 1), "nor of a time to come");
}

static void delays(void)
{
    const na_rate rate = {100, 3600, 5};
    na_rate_state state = {0};
    na_rate_answer answer;
    static const long waits[] = {1, 2, 4, 5, 5};
    double now = 0;
    for (int i = 0; i < NA_RATE_FREE; i++)
        ok(take_at(&state, &rate, now, &answer), "the first are free");
    for (int i = 0; i < 5; i++) {
        ok(!take_at(&state, &rate, now, &answer), "then one has to wait");
        is_number(answer.wait, waits[i], "twice as long each time, up to the longest");
        ok(!answer.is_first, "that is no lock");
        now += (double)answer.wait;
        ok(take_at(&state, &rate, now, &answer), "and may go on then");
    }
    for (int i = 0; i < 8; i++)
        na_rate_state_give_back(&state, answer.part);
    ok(take_at(&state, &rate, now, &answer), "success makes up for all of it");
}

/* Whoever comes when: no time of this length ever has more. */
static void windows(void)
{
    enum { TRIES = 20000, MAX = 7, SECONDS = 40 };
    static double times[TRIES];
    const na_rate rate = {MAX, SECONDS, 0};
    na_rate_state state = {0};
    na_rate_answer answer;
    int count = 0, worst = 0;
    double now = 0;
    srandom(1);
    for (int i = 0; i < TRIES; i++) {
        now += (double)(random() % 4000) / 1000;
        if (take_at(&state, &rate, now, &answer))
            times[count++] = now;
    }
    for (int i = 0, first = 0; i < count; i++) {
        while (times[i] - times[first] >= SECONDS)
            first++;
        worst = i - first + 1 > worst ? i - first + 1 : worst;
    }
    is_number(worst, MAX, "of any 40 seconds, none has more than seven");
    ok(count > TRIES / 8, "and a place that is free is given: %d", count);
}

static void make_key(unsigned char *key, unsigned number)
{
    na_sha256(key, (na_bytes){(const unsigned char *)&number, sizeof number}, na_bytes_of(""));
}

static void table(apr_pool_t *pool)
{
    unsigned char key[NA_RATE_KEY_LEN], other[NA_RATE_KEY_LEN];
    const na_rate rate = {5, 3600, 0};
    na_rate_table in = {apr_pcalloc(pool, NA_RATE_TABLE_SIZE), NULL};
    const na_rates rates = {.table = &in};
    na_rate_answer answer;
    int allowed = 0;
    apr_global_mutex_create(&in.mutex, NULL, APR_LOCK_DEFAULT, pool);
    make_key(key, 0);
    for (int i = 0; i < 9; i++) {
        na_rate_take(&rates, pool, key, &rate, START, &answer);
        allowed += answer.allowed;
    }
    is_number(allowed, 5, "a table counts");
    for (unsigned i = 1; i < 200000; i++) {
        make_key(other, i);
        na_rate_take(&rates, pool, other, &rate, START, &answer);
    }
    ok(answer.allowed, "however many others come, there is room for them");
    na_rate_take(&rates, pool, key, &rate, START, &answer);
    ok(!answer.allowed, "but not in the place of one that counted more");
    succeeds(na_rate_forget(&rates, pool, key), "a key can be forgotten");
    na_rate_take(&rates, pool, key, &rate, START, &answer);
    ok(answer.allowed, "then it begins anew");
    na_rate_give_back(&rates, pool, key, &rate, &answer);
}

int main(void)
{
    apr_pool_t *pool = tap_start();
    limits();
    clock_set_right();
    gives_back();
    delays();
    windows();
    table(pool);
    return tap_done();
}
