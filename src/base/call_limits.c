/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of concurrent outgoing calls, for all processes. */
#include "base/call_limits.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <apr_thread_mutex.h>
#include <apr_time.h>

#include "base/clock.h"
#include "base/crypto.h"

/* Hosts that are counted; for further hosts, only the places are limited. */
#define HOSTS 64

/* Seconds for which a place is kept after the longest time of its call. */
#define GRACE 30

/* No backoff and no call lasts longer, so a larger distance means that the counter has wrapped. */
#define AHEAD_MAX_MS 1000000

/*
 * `holder` is the process ID and, in the lower half, the second until which it holds the place; 0
 * if the place is free.
 */
typedef struct place {
    apr_uint64_t holder;
    apr_uint64_t host; /* 0 if none yet */
} place;

typedef struct host {
    apr_uint64_t key; /* 0 if not used yet */
    apr_uint32_t timeouts, retry_at;
} host;

typedef struct block {
    host hosts[HOSTS];
    place places[];
} block;

struct na_call_limits {
    block *shared;
    int places, own;
    int held; /* by this process */
    apr_thread_mutex_t *lock;
};

struct na_call_place {
    na_call_limits *limits;
    place *shared;
    apr_uint64_t holder; /* as in the place */
    host *host;          /* NULL if none, or if there are too many hosts */
};

apr_size_t na_call_limits_size(int places)
{
    return sizeof(block) + (apr_size_t)places * sizeof(place);
}

na_error *na_call_limits_open(apr_pool_t *pool, void *shared, int places, int own,
                              na_call_limits **limits)
{
    na_call_limits *made = apr_pcalloc(pool, sizeof *made);
    *made = (na_call_limits){.shared = shared, .places = places, .own = own};
    if (apr_thread_mutex_create(&made->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS)
        return na_error_new(pool, NA_ERR_CONFIGURATION,
                            "could not create the mutex of outgoing calls");
    *limits = made;
    return NULL;
}

/* Returns a monotonic clock, which all processes share and which cannot be set. */
static apr_uint32_t milliseconds(void)
{
    return (apr_uint32_t)(na_monotonic_ns() / 1000000);
}

static apr_uint32_t seconds(void)
{
    return (apr_uint32_t)(na_monotonic_ns() / 1000000000);
}

/* ── places ────────────────────────────────────────────────────────────────────────────────── */

static apr_uint64_t holder_until(apr_uint32_t second)
{
    return (apr_uint64_t)getpid() << 32 | second;
}

/*
 * Returns 1 if a process has died, even if its parent has not noticed yet: httpd checks once a
 * second, and kill() finds the process until then.
 */
static int is_dead(pid_t process)
{
    if (kill(process, 0) != 0)
        return errno == ESRCH;
    int died = 0;
#ifdef SYS_pidfd_open /* Linux 5.3 and newer */
    struct pollfd handle = {.fd = (int)syscall(SYS_pidfd_open, process, 0), .events = POLLIN};
    if (handle.fd < 0)
        return 0;
    died = poll(&handle, 1, 0) == 1;
    close(handle.fd);
#endif
    return died;
}

static int is_free(apr_uint64_t holder)
{
    return !holder;
}

static int is_abandoned(apr_uint64_t holder)
{
    pid_t process = (pid_t)(holder >> 32);
    if ((apr_int32_t)(seconds() - (apr_uint32_t)holder) > 0)
        return 1;
    return process != getpid() && is_dead(process);
}

static int replace(apr_uint64_t *word, apr_uint64_t before, apr_uint64_t after)
{
    return __atomic_compare_exchange_n(word, &before, after, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static place *take_one(na_call_limits *limits, int (*may_take)(apr_uint64_t), apr_uint64_t holder)
{
    for (int i = 0; i < limits->places; i++) {
        place *each = &limits->shared->places[i];
        apr_uint64_t before = __atomic_load_n(&each->holder, __ATOMIC_ACQUIRE);
        if (!may_take(before) || !replace(&each->holder, before, holder))
            continue;
        __atomic_store_n(&each->host, 0, __ATOMIC_RELEASE);
        return each;
    }
    return NULL;
}

static place *take_place(na_call_limits *limits, apr_uint64_t holder)
{
    place *taken = take_one(limits, is_free, holder);
    return taken ? taken : take_one(limits, is_abandoned, holder);
}

na_error *na_call_enter(na_call_limits *limits, apr_pool_t *pool, na_call_place **entered)
{
    apr_uint64_t holder = holder_until(seconds() + GRACE);
    apr_thread_mutex_lock(limits->lock);
    place *taken = limits->held < limits->own ? take_place(limits, holder) : NULL;
    limits->held += taken != NULL;
    apr_thread_mutex_unlock(limits->lock);
    if (!taken)
        return na_error_new(pool, NA_ERR_BUSY, "too many outgoing calls are under way");
    *entered = apr_palloc(pool, sizeof **entered);
    **entered = (na_call_place){.limits = limits, .shared = taken, .holder = holder};
    return NULL;
}

void na_call_leave(na_call_place *left)
{
    replace(&left->shared->holder, left->holder, 0);
    apr_thread_mutex_lock(left->limits->lock);
    left->limits->held--;
    apr_thread_mutex_unlock(left->limits->lock);
}

/* If the place was considered abandoned in the meantime, it remains its new holder's. */
static void keep_until(na_call_place *kept, apr_uint32_t second)
{
    apr_uint64_t holder = holder_until(second);
    if (replace(&kept->shared->holder, kept->holder, holder))
        kept->holder = holder;
}

/* ── hosts ─────────────────────────────────────────────────────────────────────────────────── */

static host *find_host(block *shared, apr_uint64_t key)
{
    for (int i = 0; i < HOSTS; i++) {
        host *each = &shared->hosts[(key + (apr_uint64_t)i) % HOSTS];
        if (replace(&each->key, 0, key) || __atomic_load_n(&each->key, __ATOMIC_ACQUIRE) == key)
            return each;
    }
    return NULL;
}

/* Returns the most places for one host: a quarter of them, and at least one, is for others. */
static int share_of_one(int places)
{
    if (places < 4)
        return places > 1 ? places - 1 : 1;
    return places - places / 4;
}

static int has_share(const na_call_limits *limits, apr_uint64_t key)
{
    int all = 0, own = 0;
    for (int i = 0; i < limits->places; i++) {
        const place *each = &limits->shared->places[i];
        apr_uint64_t holder = __atomic_load_n(&each->holder, __ATOMIC_ACQUIRE);
        if (!holder || __atomic_load_n(&each->host, __ATOMIC_ACQUIRE) != key ||
            is_abandoned(holder))
            continue;
        all++;
        own += (pid_t)(holder >> 32) == getpid();
    }
    return all <= share_of_one(limits->places) && own <= share_of_one(limits->own);
}

/* Returns 1 if the host responds, or if it is this caller's turn to try. */
static int may_call(host *called, long longest_ms)
{
    if (__atomic_load_n(&called->timeouts, __ATOMIC_RELAXED) < NA_CALL_TIMEOUTS)
        return 1;
    apr_uint32_t now = milliseconds(), next = now + (apr_uint32_t)longest_ms + NA_CALL_BACKOFF_MS;
    apr_uint32_t retry_at = __atomic_load_n(&called->retry_at, __ATOMIC_RELAXED);
    if (retry_at - now - 1 < AHEAD_MAX_MS)
        return 0;
    return __atomic_compare_exchange_n(&called->retry_at, &retry_at, next, 0, __ATOMIC_RELAXED,
                                       __ATOMIC_RELAXED);
}

na_error *na_call_aim(na_call_place *aimed, apr_pool_t *pool, const char *origin, long longest_ms)
{
    na_call_limits *limits = aimed->limits;
    apr_uint64_t key = na_sha256_word(origin);
    keep_until(aimed, seconds() + (apr_uint32_t)(longest_ms / 1000) + GRACE);
    __atomic_store_n(&aimed->shared->host, key, __ATOMIC_RELEASE);
    if (!has_share(limits, key)) {
        __atomic_store_n(&aimed->shared->host, 0, __ATOMIC_RELEASE);
        return na_error_new(pool, NA_ERR_BUSY, "too many calls to %s are under way", origin);
    }
    aimed->host = find_host(limits->shared, key);
    return !aimed->host || may_call(aimed->host, longest_ms)
               ? NULL
               : na_error_new(pool, NA_ERR_UNAVAILABLE,
                              "calls to %s are suspended: it did not respond in time", origin);
}

void na_call_settle(na_call_place *settled, int timed_out)
{
    host *called = settled->host;
    if (!called)
        return;
    if (!timed_out) {
        __atomic_store_n(&called->timeouts, 0, __ATOMIC_RELAXED);
        return;
    }
    __atomic_store_n(&called->retry_at, milliseconds() + NA_CALL_BACKOFF_MS, __ATOMIC_RELAXED);
    __atomic_add_fetch(&called->timeouts, 1, __ATOMIC_RELAXED);
}
