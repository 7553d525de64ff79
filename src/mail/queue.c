/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of a process: one thread that sends, retries, and gives up. */
#include "mail/queue.h"

#include <signal.h>
#include <string.h>

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>
#include <apr_thread_proc.h>

#include "base/crypto.h"
#include "base/pools.h"

/* A client can use this part of the free room. */
#define SHARE 4
#include "mail/transport.h"

static const int retry_after[] = {1, 5, 30, 120, 600};

#define RETRIES ((int)(sizeof retry_after / sizeof *retry_after))

typedef struct entry {
    apr_pool_t *pool; /* of the entry */
    na_mail_message message;
    const char *client; /* NULL if none */
    apr_time_t expires; /* 0: never */
    apr_time_t due;
    int retries; /* used by the thread only */
} entry;

struct na_mail_queue {
    apr_pool_t *pool; /* its allocator has a mutex: threads create pools below it */
    na_mail *mail;
    const na_mail_observer *observer; /* NULL if none */
    int capacity;
    apr_thread_mutex_t *lock; /* for all that follows */
    apr_thread_cond_t *changed;
    apr_thread_t *thread; /* NULL before the first message */
    apr_time_t stop_at;   /* 0 until it ends */
    entry **entries;      /* in order of arrival; only the thread removes any */
    na_mail_counts counts;
};

static void tell_observer(const na_mail_queue *queue, na_mail_fate fate)
{
    if (queue->observer)
        queue->observer->told(queue->observer->data, fate);
}

/* ── the thread ────────────────────────────────────────────────────────────────────────────── */

static void log_entry(const na_mail_queue *queue, apr_pool_t *pool, na_level level, const entry *e,
                      const char *what)
{
    na_mail_write(queue->mail, level,
                  apr_pstrcat(pool, "mail to ", na_email_mask(pool, e->message.to), " ", what,
                              NULL));
}

/* Returns the entry that is due first; NULL if none. Requires the lock. */
static entry *next_entry(const na_mail_queue *queue)
{
    entry *next = NULL;
    for (apr_uint64_t i = 0; i < queue->counts.queued; i++)
        if (!next || queue->entries[i]->due < next->due)
            next = queue->entries[i];
    return next;
}

/* Waits for an entry that is due; returns NULL when the thread must end. Requires the lock. */
static entry *wait_for_entry(na_mail_queue *queue)
{
    for (;;) {
        entry *next = next_entry(queue);
        apr_time_t now = apr_time_now();
        int is_due = next && next->due <= now;
        if (queue->stop_at && (!is_due || now >= queue->stop_at))
            return NULL;
        if (is_due)
            return next;
        if (next)
            apr_thread_cond_timedwait(queue->changed, queue->lock, next->due - now);
        else
            apr_thread_cond_wait(queue->changed, queue->lock);
    }
}

static void take_out(na_mail_queue *queue, const entry *e, apr_uint64_t *counter, na_mail_fate fate)
{
    apr_uint64_t i = 0;
    apr_thread_mutex_lock(queue->lock);
    while (queue->entries[i] != e)
        i++;
    queue->counts.queued--;
    memmove(queue->entries + i, queue->entries + i + 1,
            (apr_size_t)(queue->counts.queued - i) * sizeof *queue->entries);
    (*counter)++;
    tell_observer(queue, fate);
    apr_thread_mutex_unlock(queue->lock);
    apr_pool_destroy(e->pool);
}

/* Schedules another attempt; returns 0 if none is left. */
static int postpone(entry *e, apr_time_t now)
{
    if (e->retries == RETRIES)
        return 0;
    apr_time_t due = now + apr_time_from_sec(retry_after[e->retries]);
    if (e->expires && due >= e->expires)
        return 0;
    e->retries++;
    e->due = due;
    return 1;
}

static void fail_entry(na_mail_queue *queue, apr_pool_t *pool, const entry *e, na_level level,
                       const char *why)
{
    log_entry(queue, pool, level, e, apr_pstrcat(pool, "given up: ", why, NULL));
    take_out(queue, e, &queue->counts.failed, NA_MAIL_FAILED);
}

/* The server does not accept email for that address, which any visitor can have typed. */
static int is_recipients(const na_error *error)
{
    return na_error_is(error, NA_ERR_EMAIL_SIGNIN);
}

static void attempt_entry(na_mail_queue *queue, apr_pool_t *pool, entry *e)
{
    if (e->message.is_for_nobody) {
        take_out(queue, e, &queue->counts.for_nobody, NA_MAIL_FOR_NOBODY);
        return;
    }
    if (e->expires && apr_time_now() >= e->expires) {
        fail_entry(queue, pool, e, NA_LOG_ERROR, "its link has expired");
        return;
    }
    na_error *error = na_mail_send(queue->mail, pool, &e->message);
    if (!error) {
        log_entry(queue, pool, NA_LOG_INFO, e, "sent");
        take_out(queue, e, &queue->counts.sent, NA_MAIL_SENT);
        return;
    }
    const char *why = na_error_text(pool, error);
    if (na_mail_is_temporary(error) && postpone(e, apr_time_now()))
        log_entry(queue, pool, NA_LOG_WARNING, e,
                  apr_psprintf(pool, "will be retried in %d s: %s", retry_after[e->retries - 1],
                               why));
    else
        fail_entry(queue, pool, e, is_recipients(error) ? NA_LOG_WARNING : NA_LOG_ERROR, why);
}

static void lose_the_rest(na_mail_queue *queue, apr_pool_t *pool)
{
    while (queue->counts.queued) {
        const entry *e = queue->entries[0];
        if (!e->message.is_for_nobody)
            log_entry(queue, pool, NA_LOG_ERROR, e,
                      "lost: the process is ending before it could be sent");
        take_out(queue, e, &queue->counts.dropped, NA_MAIL_LOST);
    }
}

static void *APR_THREAD_FUNC run_thread(apr_thread_t *thread, void *data)
{
    na_mail_queue *queue = data;
    apr_pool_t *pool;
    entry *e;
    apr_pool_create(&pool, queue->pool);
    apr_thread_mutex_lock(queue->lock);
    while ((e = wait_for_entry(queue))) {
        apr_thread_mutex_unlock(queue->lock);
        attempt_entry(queue, pool, e);
        apr_pool_clear(pool);
        apr_thread_mutex_lock(queue->lock);
    }
    apr_thread_mutex_unlock(queue->lock);
    /* na_mail_queue_put accepts nothing from now on */
    lose_the_rest(queue, pool);
    apr_pool_destroy(pool);
    return NULL;
}

/* ── putting in ────────────────────────────────────────────────────────────────────────────── */

/* Signals are for httpd's own threads: a handler here could wait for this very thread. */
static apr_status_t start_thread(na_mail_queue *queue)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    apr_status_t status = apr_thread_create(&queue->thread, NULL, run_thread, queue, queue->pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != APR_SUCCESS)
        queue->thread = NULL;
    return status;
}

static const char *copy(apr_pool_t *pool, const char *text)
{
    return text ? apr_pstrdup(pool, text) : NULL;
}

/* Every attempt has the same ID, so that a receiver or a service recognizes a copy. */
static entry *make_entry(na_mail_queue *queue, const na_mail_message *message, const char *client,
                         apr_time_t expires)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, queue->pool);
    entry *e = apr_palloc(pool, sizeof *e);
    *e = (entry){.pool = pool,
                 .client = copy(pool, client),
                 .expires = expires,
                 .due = apr_time_now()};
    e->message =
        (na_mail_message){.to = copy(pool, message->to),
                          .from = copy(pool, message->from),
                          .subject = copy(pool, message->subject),
                          .text = copy(pool, message->text),
                          .html = copy(pool, message->html),
                          .url = copy(pool, message->url),
                          .id = message->id ? copy(pool, message->id) : na_random_uuid(pool),
                          .is_for_nobody = message->is_for_nobody};
    return e;
}

/* Returns 1 if a client has used its share. Requires the lock. */
static int has_share(const na_mail_queue *queue, const char *client)
{
    apr_uint64_t own = 0, room = (apr_uint64_t)queue->capacity - queue->counts.queued;
    for (apr_uint64_t i = 0; client && i < queue->counts.queued; i++)
        own += queue->entries[i]->client && strcmp(queue->entries[i]->client, client) == 0;
    return own && own >= room / SHARE;
}

static const char *drop_entry(na_mail_queue *queue, const char *why)
{
    queue->counts.dropped++;
    tell_observer(queue, NA_MAIL_NOT_TAKEN);
    return why;
}

/* Returns NULL, or why the entry is not accepted. Requires the lock. */
static const char *append_entry(na_mail_queue *queue, entry *e)
{
    if (queue->stop_at)
        return "the process is ending";
    if (queue->counts.queued == (apr_uint64_t)queue->capacity)
        return drop_entry(queue, "too many emails are already waiting");
    if (has_share(queue, e->client))
        return drop_entry(queue, "too many emails of this client are already waiting");
    if (!queue->thread && start_thread(queue) != APR_SUCCESS)
        return "could not create the thread that sends emails";
    queue->entries[queue->counts.queued++] = e;
    tell_observer(queue, NA_MAIL_TAKEN);
    apr_thread_cond_signal(queue->changed);
    return NULL;
}

na_error *na_mail_queue_put(na_mail_queue *queue, apr_pool_t *pool, const na_mail_message *message,
                            const char *client, apr_time_t expires)
{
    NA_TRY(na_mail_message_check(queue->mail, pool, message));
    entry *e = make_entry(queue, message, client, expires);
    apr_thread_mutex_lock(queue->lock);
    const char *why = append_entry(queue, e);
    apr_thread_mutex_unlock(queue->lock);
    if (!why)
        return NULL;
    apr_pool_destroy(e->pool);
    return na_error_new(pool, NA_ERR_UNAVAILABLE, "mail not sent: %s", why);
}

void na_mail_queue_counts(na_mail_queue *queue, na_mail_counts *counts)
{
    apr_thread_mutex_lock(queue->lock);
    *counts = queue->counts;
    apr_thread_mutex_unlock(queue->lock);
}

void na_mail_queue_observe(na_mail_queue *queue, const na_mail_observer *observer)
{
    queue->observer = observer;
}

/* ── beginning and end ─────────────────────────────────────────────────────────────────────── */

static apr_status_t stop_thread(void *data)
{
    na_mail_queue *queue = data;
    apr_status_t status;
    apr_thread_mutex_lock(queue->lock);
    queue->stop_at = apr_time_now() + apr_time_from_sec(NA_MAIL_QUEUE_STOP);
    na_mail_stop_at(queue->mail, queue->stop_at);
    apr_thread_cond_signal(queue->changed);
    apr_thread_mutex_unlock(queue->lock);
    if (queue->thread)
        apr_thread_join(&status, queue->thread);
    return APR_SUCCESS;
}

na_error *na_mail_queue_make(apr_pool_t *parent, na_mail *mail, int capacity, na_mail_queue **made)
{
    apr_pool_t *pool;
    NA_TRY(na_pool_create_apart(parent, &pool));
    na_mail_queue *queue = apr_pcalloc(pool, sizeof *queue);
    queue->pool = pool;
    queue->mail = mail;
    queue->capacity = capacity;
    queue->entries = apr_pcalloc(pool, (apr_size_t)capacity * sizeof *queue->entries);
    if (apr_thread_mutex_create(&queue->lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS ||
        apr_thread_cond_create(&queue->changed, pool) != APR_SUCCESS)
        return na_error_new(parent, NA_ERR_CONFIGURATION,
                            "could not create the mutex of the email queue");
    na_mail_stop_at(mail, 0);
    apr_pool_pre_cleanup_register(parent, queue, stop_thread);
    *made = queue;
    return NULL;
}
