/* SPDX-License-Identifier: Apache-2.0 */
/* Flushes of a file to disk, each shared by all records that wait for one. */
#include "audit/flush.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Nothing depends on is_flushing being right: `done` alone says what is on disk, and moves only
 * after a flush that began with those records written. If two flush at once, fewer records share.
 */

apr_uint64_t na_audit_flush_begin(na_audit_flushes *flushes)
{
    return __atomic_add_fetch(&flushes->begun, 1, __ATOMIC_ACQ_REL);
}

void na_audit_flush_written(na_audit_flushes *flushes, apr_uint64_t number)
{
    __atomic_store_n(&flushes->written, number, __ATOMIC_RELEASE);
}

/* Moves forward only: a flush that began earlier can end later. */
static void raise_to(apr_uint64_t *value, apr_uint64_t to)
{
    apr_uint64_t now = __atomic_load_n(value, __ATOMIC_ACQUIRE);
    while (now < to &&
           !__atomic_compare_exchange_n(value, &now, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
}

/*
 * The kernel reports an error of the disk to one caller only, for all who inherited the file, and
 * the next flush succeeds although it does not repeat what was lost. So the error is kept for all
 * others whose record might have been part of this flush.
 */
static void flush_now(na_audit_flushes *f, int fd)
{
    apr_uint64_t written = __atomic_load_n(&f->written, __ATOMIC_ACQUIRE);
    if (fdatasync(fd) != 0) {
        __atomic_store_n(&f->failure, (apr_uint32_t)errno, __ATOMIC_RELEASE);
        raise_to(&f->failed, __atomic_load_n(&f->begun, __ATOMIC_ACQUIRE));
    }
    raise_to(&f->done, written);
    __atomic_store_n(&f->is_flushing, 0, __ATOMIC_RELEASE);
    __atomic_add_fetch(&f->rounds, 1, __ATOMIC_ACQ_REL);
    syscall(SYS_futex, &f->rounds, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* Waits until another flush ends. Returns 0 if that takes too long. */
static int wait_for_round(na_audit_flushes *f, apr_uint32_t round)
{
    const struct timespec most = {NA_AUDIT_FLUSH_WAIT / 1000,
                                  NA_AUDIT_FLUSH_WAIT % 1000 * 1000000L};
    return syscall(SYS_futex, &f->rounds, FUTEX_WAIT, round, &most, NULL, 0) == 0 ||
           errno != ETIMEDOUT;
}

/* The round is read first, so that one that ends before the wait begins is not waited for. */
static int is_done(const na_audit_flushes *f, apr_uint64_t number, apr_uint32_t *round)
{
    *round = __atomic_load_n(&f->rounds, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&f->done, __ATOMIC_ACQUIRE) >= number;
}

int na_audit_flush(na_audit_flushes *f, int fd, apr_uint64_t number)
{
    apr_uint32_t round;
    int is_patient = 1;
    while (!is_done(f, number, &round))
        if (!is_patient || !__atomic_exchange_n(&f->is_flushing, 1, __ATOMIC_ACQ_REL))
            flush_now(f, fd);
        else
            is_patient = wait_for_round(f, round);
    errno = (int)__atomic_load_n(&f->failure, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&f->failed, __ATOMIC_ACQUIRE) < number;
}
